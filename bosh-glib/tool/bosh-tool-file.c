/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-tool-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gio/gio.h>
#include <glib/gi18n.h>

/* More than a session has that was handed over: it has sent what it had to send, and holds
 * what one response brought at most, escaped in JSON. */
#define MAX_SESSION_SIZE (256 * 1024 * 1024)

static void
set_read_error (GError     **error,
                int          error_number,
                const char  *path)
{
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (error_number),
               _("Can't read “%s”: %s"), name, g_strerror (error_number));
}

void
tool_file_set_write_error (GError     **error,
                           int          error_number,
                           const char  *path)
{
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (error_number),
               _("Can't write to “%s”: %s"), name, g_strerror (error_number));
}

static void
set_no_session (GError     **error,
                const char  *path)
{
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _("There is no session in “%s”"), name);
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
      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0)
        {
          set_read_error (error, errno, path);
          return NULL;
        }

      /* Text has no nul, which would end it unnoticed. */
      if (contents->len + (gsize)count > MAX_SESSION_SIZE || memchr (buffer, '\0', count) != NULL)
        {
          set_no_session (error, path);
          return NULL;
        }
      g_string_append_len (contents, buffer, count);
    }

  return g_string_free (g_steal_pointer (&contents), FALSE);
}

/* The file, which no other process has locked, or -1. */
static int
open_locked (const char  *path,
             GError     **error)
{
  struct stat status;
  int descriptor;

  /* It is looked at before, because to open a device may act on it. */
  if (stat (path, &status) != 0)
    {
      set_read_error (error, errno, path);
      return -1;
    }
  if (!S_ISREG (status.st_mode) && !S_ISFIFO (status.st_mode))
    {
      g_autofree char *name = g_filename_display_name (path);

      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                   _("Can't read a session from “%s”, which is no regular file"), name);
      return -1;
    }

  descriptor = open (path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    {
      set_read_error (error, errno, path);
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

/* The process that had the lock before may have put another file in its place. */
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

/* Waits until a descriptor that does not block takes more. */
static gboolean
wait_until_writable (int descriptor)
{
  GPollFD poll = { descriptor, G_IO_OUT, 0 };

  return g_poll (&poll, 1, -1) >= 0 || errno == EINTR;
}

gboolean
tool_file_write (int          descriptor,
                 const char  *text,
                 const char  *path,
                 GError     **error)
{
  gsize length = strlen (text);

  while (length > 0)
    {
      ssize_t count = write (descriptor, text, length);

      if (count >= 0)
        {
          text += count;
          length -= (gsize)count;
        }
      else if (errno != EINTR && (errno != EAGAIN || !wait_until_writable (descriptor)))
        {
          tool_file_set_write_error (error, errno, path);
          return FALSE;
        }
    }

  return TRUE;
}
