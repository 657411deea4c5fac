/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-tool-file.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void
set_file_error (GError     **error,
                int          error_number,
                const char  *path)
{
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (error_number),
               _("Can't read “%s”: %s"), name, g_strerror (error_number));
}

static char *
read_all (int          descriptor,
          const char  *path,
          GError     **error)
{
  g_autoptr(GString) contents = g_string_new (NULL);
  char buffer[4096];
  ssize_t count;

  while ((count = read (descriptor, buffer, sizeof buffer)) != 0)
    {
      if (count > 0)
        g_string_append_len (contents, buffer, count);
      else if (errno != EINTR)
        {
          set_file_error (error, errno, path);
          return NULL;
        }
    }

  return g_string_free (g_steal_pointer (&contents), FALSE);
}

/* The file, which nobody else has locked, or -1. */
static int
open_locked (const char  *path,
             GError     **error)
{
  int descriptor = open (path, O_RDONLY | O_CLOEXEC);

  if (descriptor < 0)
    {
      set_file_error (error, errno, path);
      return -1;
    }

  /* Where the file system has no locks there is none. */
  if (flock (descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    {
      g_autofree char *name = g_filename_display_name (path);

      g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY,
                   _("Another program goes on with the session in “%s”"), name);
      close (descriptor);
      return -1;
    }

  return descriptor;
}

/* Whoever had the lock before may have put another file in its place. */
static gboolean
is_current (int         descriptor,
            const char *path)
{
  struct stat locked;
  struct stat current;

  return fstat (descriptor, &locked) != 0 || stat (path, &current) != 0 ||
         (locked.st_dev == current.st_dev && locked.st_ino == current.st_ino);
}

char *
tool_file_read_session (const char  *path,
                        int         *lock,
                        GError     **error)
{
  char *text;
  int descriptor;

  *lock = -1;
  if (g_str_equal (path, "-"))
    return read_all (STDIN_FILENO, path, error);

  do
    descriptor = open_locked (path, error);
  while (descriptor >= 0 && !is_current (descriptor, path) && close (descriptor) == 0);
  if (descriptor < 0)
    return NULL;

  text = read_all (descriptor, path, error);
  if (text == NULL)
    close (descriptor);
  else
    *lock = descriptor;

  return text;
}
