/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-tool-password.h"
#include "bosh-tool-options.h"
#include "bosh-tool-output.h"

#include <errno.h>
#include <readpassphrase.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gio/gio.h>
#include <gio/gunixinputstream.h>
#include <glib/gi18n.h>

#define PASSWORD_VARIABLE "BOSH_PASSWORD"
#define MAX_PASSWORD 1024

/* One more byte than a password may have tells that it is too long. */
#define BUFFER_SIZE (MAX_PASSWORD + 2)

/* Leaves out the end of line, and refuses what is no password. */
static gboolean
check_password (char        *buffer,
                gsize        length,
                const char  *source,
                GError     **error)
{
  if (length > MAX_PASSWORD)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                   _("The password in “%s” is too long"), source);
      return FALSE;
    }

  if (length > 0 && buffer[length - 1] == '\n')
    length--;
  if (length > 0 && buffer[length - 1] == '\r')
    length--;
  if (!g_utf8_validate_len (buffer, length, NULL))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   _("The password in “%s” is no UTF-8 text"), source);
      return FALSE;
    }
  buffer[length] = '\0';

  return TRUE;
}

static GInputStream *
open_file (const char  *path,
           GError     **error)
{
  g_autoptr(GFile) file = NULL;

  if (g_str_equal (path, "-"))
    return g_unix_input_stream_new (STDIN_FILENO, FALSE);

  file = g_file_new_for_path (path);

  return G_INPUT_STREAM (g_file_read (file, NULL, error));
}

static gboolean
read_file (const char  *path,
           char        *buffer,
           GError     **error)
{
  g_autoptr(GInputStream) stream = open_file (path, error);
  gsize length;

  if (stream == NULL ||
      !g_input_stream_read_all (stream, buffer, BUFFER_SIZE - 1, &length, NULL, error))
    {
      g_prefix_error (error, _("Can't read the password from “%s”: "), path);
      return FALSE;
    }

  return check_password (buffer, length, path, error);
}

static gboolean
prompt (const char  *jid,
        char        *buffer,
        GError     **error)
{
  g_autofree char *plain = tool_output_escape (jid);
  g_autofree char *question = g_strdup_printf (_("Password of %s: "), plain);

  if (readpassphrase (question, buffer, BUFFER_SIZE, RPP_REQUIRE_TTY) != NULL)
    return check_password (buffer, strlen (buffer), "/dev/tty", error);

  if (errno == ENOTTY)
    g_set_error (error, TOOL_USAGE_ERROR, 0,
                 _("There is no terminal to ask for the password on; use --password-file or %s"),
                 PASSWORD_VARIABLE);
  else
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                 _("Can't read the password from “%s”: %s"), "/dev/tty", g_strerror (errno));

  return FALSE;
}

/* Takes the password out of the environment too, so that it is neither there
 * for children nor in the listing of processes. */
static gboolean
read_environment (const char  *variable,
                  char        *buffer,
                  GError     **error)
{
  char *value = getenv (variable);
  gsize length = strlen (value);
  gboolean fits = length <= MAX_PASSWORD && g_utf8_validate_len (value, length, NULL);

  if (fits)
    memcpy (buffer, value, length + 1);
  else
    g_set_error (error, TOOL_USAGE_ERROR, 0,
                 _("The password in %s is too long, or no UTF-8 text"), variable);
  explicit_bzero (value, length);
  unsetenv (variable);

  return fits;
}

gboolean
tool_password_take (const char  *variable,
                    char       **password,
                    GError     **error)
{
  g_autoptr(ToolPassword) taken = NULL;

  *password = NULL;
  if (getenv (variable) == NULL)
    return TRUE;

  taken = g_malloc0 (BUFFER_SIZE);
  if (!read_environment (variable, taken, error))
    return FALSE;
  *password = g_steal_pointer (&taken);

  return TRUE;
}

char *
tool_password_read (const char  *path,
                    const char  *jid,
                    GError     **error)
{
  g_autoptr(ToolPassword) password = g_malloc0 (BUFFER_SIZE);
  gboolean success;

  if (path != NULL)
    success = read_file (path, password, error);
  else if (getenv (PASSWORD_VARIABLE) != NULL)
    success = read_environment (PASSWORD_VARIABLE, password, error);
  else
    success = prompt (jid, password, error);

  if (success && *password == '\0')
    {
      g_set_error (error, TOOL_USAGE_ERROR, 0, _("The password is empty"));
      success = FALSE;
    }

  return success ? g_steal_pointer (&password) : NULL;
}

/* A password always lies in a block of full size, whatever its length. */
void
tool_password_free (char *password)
{
  if (password == NULL)
    return;

  explicit_bzero (password, BUFFER_SIZE);
  g_free (password);
}
