/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-tool-target.h"
#include "bosh-tool-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>

/* Set aside at the start, as the disk may be full at the end. Most sessions have a few
 * kilobytes. */
#define RESERVED_SIZE (64 * 1024)

struct _ToolTarget
{
  char *path;
  char *temporary;  /* NULL once it has taken its place */
  int   descriptor;
};

/* The file to replace or to make, behind all symbolic links. */
static char *
resolve (const char  *path,
         GError     **error)
{
  struct stat status;
  char *real = NULL;
  char *copy;

  if (stat (path, &status) == 0)
    {
      if (!S_ISREG (status.st_mode))
        {
          g_autofree char *name = g_filename_display_name (path);

          g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                       _("Can't write to “%s”, which is no regular file"), name);
          return NULL;
        }
      if (access (path, W_OK) == 0)
        real = realpath (path, NULL);
    }
  /* A link that leads nowhere stays what it is. */
  else if (errno == ENOENT && lstat (path, &status) != 0)
    return g_strdup (path);

  if (real == NULL)
    {
      tool_file_set_write_error (error, errno, path);
      return NULL;
    }

  copy = g_strdup (real);
  free (real);

  return copy;
}

ToolTarget *
tool_target_open (const char  *path,
                  GError     **error)
{
  g_autoptr(ToolTarget) self = g_new0 (ToolTarget, 1);
  g_autofree char *folder = NULL;
  int code;

  self->descriptor = -1;
  self->path = resolve (path, error);
  if (self->path == NULL)
    return NULL;

  folder = g_path_get_dirname (self->path);
  self->temporary = g_build_filename (folder, ".bosh-tool-XXXXXX", NULL);
  self->descriptor = g_mkstemp_full (self->temporary, O_RDWR | O_CLOEXEC, 0600);
  if (self->descriptor < 0)
    {
      tool_file_set_write_error (error, errno, path);
      return NULL;
    }

  /* Not every file system can. */
  code = posix_fallocate (self->descriptor, 0, RESERVED_SIZE);
  if (code == ENOSPC || code == EDQUOT || code == EFBIG)
    {
      tool_file_set_write_error (error, code, path);
      return NULL;
    }

  return g_steal_pointer (&self);
}

void
tool_target_free (ToolTarget *self)
{
  if (self == NULL)
    return;

  if (self->descriptor >= 0)
    {
      close (self->descriptor);
      if (self->temporary != NULL)
        g_unlink (self->temporary);
    }
  g_free (self->temporary);
  g_free (self->path);
  g_free (self);
}

gboolean
tool_target_write (ToolTarget  *self,
                   const char  *text,
                   GError     **error)
{
  if (!tool_file_write (self->descriptor, text, self->path, error))
    return FALSE;

  if (ftruncate (self->descriptor, strlen (text)) != 0 ||
      fsync (self->descriptor) != 0 ||
      rename (self->temporary, self->path) != 0)
    {
      tool_file_set_write_error (error, errno, self->path);
      return FALSE;
    }
  g_clear_pointer (&self->temporary, g_free);

  return TRUE;
}
