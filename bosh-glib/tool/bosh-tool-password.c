/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-tool-password.h"
#include "bosh-tool-options.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#include <gio/gio.h>
#include <glib/gi18n.h>

#define PASSWORD_VARIABLE "BOSH_PASSWORD"
#define MAX_PASSWORD 1024

/* Signals that end or stop a process at the prompt. The terminal gets its echo
 * back before they have their effect. */
static const int prompt_signals[] = {
  SIGHUP,
  SIGINT,
  SIGQUIT,
  SIGTERM,
  SIGTSTP,
};

static volatile sig_atomic_t caught_signal;

static gboolean
set_error_from_errno (GError     **error,
                      const char  *path)
{
  int saved_errno = errno;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno),
               _("Can't read the password from “%s”: %s"),
               path, g_strerror (saved_errno));

  return FALSE;
}

/* Reads a line, or all there is, and leaves out the end of line. */
static gboolean
read_secret (int          descriptor,
             const char  *path,
             char        *buffer,
             gsize        size,
             gboolean     one_line,
             GError     **error)
{
  gsize length = 0;

  while (TRUE)
    {
      ssize_t count;

      if (length == size)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                       _("The password in “%s” is too long"), path);
          return FALSE;
        }
      count = read (descriptor, buffer + length, size - length);
      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0)
        return set_error_from_errno (error, path);
      length += count;
      if (count == 0 || (one_line && buffer[length - 1] == '\n'))
        break;
    }

  if (length > 0 && buffer[length - 1] == '\n')
    length--;
  if (length > 0 && buffer[length - 1] == '\r')
    length--;
  if (!g_utf8_validate_len (buffer, length, NULL))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   _("The password in “%s” is no UTF-8 text"), path);
      return FALSE;
    }
  buffer[length] = '\0';

  return TRUE;
}

static gboolean
read_file (const char  *path,
           char        *buffer,
           gsize        size,
           GError     **error)
{
  gboolean is_input = g_str_equal (path, "-");
  int descriptor = is_input ? STDIN_FILENO : open (path, O_RDONLY | O_CLOEXEC);
  gboolean success;

  if (descriptor < 0)
    return set_error_from_errno (error, path);

  success = read_secret (descriptor, path, buffer, size, FALSE, error);
  if (!is_input)
    close (descriptor);

  return success;
}

static void
on_prompt_signal (int signal_number)
{
  caught_signal = signal_number;
}

/* Waits for input with the signals let through, and only then: one that comes
 * before it is pending, and ends the wait at once. */
static gboolean
wait_for_input (int             terminal,
                const sigset_t *mask)
{
  fd_set descriptors;

  FD_ZERO (&descriptors);
  FD_SET (terminal, &descriptors);

  return pselect (terminal + 1, &descriptors, NULL, NULL, NULL, mask) > 0;
}

static void
catch_signals (struct sigaction *saved,
               sigset_t         *saved_mask)
{
  struct sigaction action = { .sa_handler = on_prompt_signal };
  sigset_t mask;

  sigemptyset (&action.sa_mask);
  sigemptyset (&mask);
  for (guint i = 0; i < G_N_ELEMENTS (prompt_signals); i++)
    sigaddset (&mask, prompt_signals[i]);
  sigprocmask (SIG_BLOCK, &mask, saved_mask);

  caught_signal = 0;
  for (guint i = 0; i < G_N_ELEMENTS (prompt_signals); i++)
    {
      sigaction (prompt_signals[i], NULL, &saved[i]);
      /* What is ignored (nohup) stays so. */
      if (saved[i].sa_handler != SIG_IGN)
        sigaction (prompt_signals[i], &action, NULL);
    }
}

static void
release_signals (const struct sigaction *saved,
                 const sigset_t         *saved_mask)
{
  for (guint i = 0; i < G_N_ELEMENTS (prompt_signals); i++)
    sigaction (prompt_signals[i], &saved[i], NULL);
  if (caught_signal != 0)
    raise (caught_signal);
  sigprocmask (SIG_SETMASK, saved_mask, NULL);
}

/* One prompt, without echo. Where a signal cut it short, it takes effect when
 * the terminal is as it was; after a stop the question is to be asked again. */
static gboolean
prompt_once (int          terminal,
             const char  *question,
             char        *buffer,
             gsize        size,
             gboolean    *interrupted,
             GError     **error)
{
  struct sigaction saved[G_N_ELEMENTS (prompt_signals)];
  struct termios normal;
  struct termios silent;
  sigset_t saved_mask;
  gboolean success = FALSE;

  catch_signals (saved, &saved_mask);
  if (tcgetattr (terminal, &normal) < 0)
    {
      set_error_from_errno (error, "/dev/tty");
      release_signals (saved, &saved_mask);
      return FALSE;
    }
  silent = normal;
  silent.c_lflag &= ~(ECHO | ECHOE | ECHOK | ECHONL);
  silent.c_lflag |= ICANON;
  tcsetattr (terminal, TCSAFLUSH, &silent);

  if (write (terminal, question, strlen (question)) < 0)
    set_error_from_errno (error, "/dev/tty");
  else if (wait_for_input (terminal, &saved_mask))
    success = read_secret (terminal, "/dev/tty", buffer, size, TRUE, error);
  else if (caught_signal == 0)
    set_error_from_errno (error, "/dev/tty");

  tcsetattr (terminal, TCSAFLUSH, &normal);
  if (write (terminal, "\n", 1) < 0)
    g_debug ("The terminal is gone: %s", g_strerror (errno));
  *interrupted = caught_signal != 0;
  release_signals (saved, &saved_mask);

  return success;
}

static gboolean
prompt (const char  *jid,
        char        *buffer,
        gsize        size,
        GError     **error)
{
  g_autofree char *question = NULL;
  gboolean interrupted = FALSE;
  gboolean success;
  int terminal = open ("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

  if (terminal < 0)
    {
      g_set_error (error, TOOL_USAGE_ERROR, 0,
                   _("There is no terminal to ask for the password on; use --password-file or %s"),
                   PASSWORD_VARIABLE);
      return FALSE;
    }

  question = g_strdup_printf (_("Password of %s: "), jid);
  do
    success = prompt_once (terminal, question, buffer, size, &interrupted, error);
  while (!success && interrupted);
  close (terminal);

  return success;
}

/* Takes the password out of the environment too, so that it is neither there
 * for children nor in the listing of processes. */
static gboolean
read_environment (char    *buffer,
                  gsize    size,
                  GError **error)
{
  char *value = getenv (PASSWORD_VARIABLE);
  gsize length = strlen (value);
  gboolean fits = length < size && g_utf8_validate_len (value, length, NULL);

  if (fits)
    memcpy (buffer, value, length + 1);
  else
    g_set_error (error, TOOL_USAGE_ERROR, 0,
                 _("The password in %s is too long, or no UTF-8 text"), PASSWORD_VARIABLE);
  explicit_bzero (value, length);
  unsetenv (PASSWORD_VARIABLE);

  return fits;
}

char *
tool_password_read (const char  *path,
                    const char  *jid,
                    GError     **error)
{
  g_autoptr(ToolPassword) password = g_malloc0 (MAX_PASSWORD + 1);
  gboolean success;

  if (path != NULL)
    success = read_file (path, password, MAX_PASSWORD, error);
  else if (getenv (PASSWORD_VARIABLE) != NULL)
    success = read_environment (password, MAX_PASSWORD, error);
  else
    success = prompt (jid, password, MAX_PASSWORD, error);

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

  explicit_bzero (password, MAX_PASSWORD + 1);
  g_free (password);
}
