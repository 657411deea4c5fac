/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <bosh-glib/bosh-glib.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>

#include "bosh-tool-file.h"
#include "bosh-tool-options.h"
#include "bosh-tool-output.h"
#include "bosh-tool-password.h"
#include "bosh-tool-session.h"

#define NS_CLIENT "jabber:client"

static gboolean
write_session (const ToolOptions  *options,
               BoshSavedSession   *saved,
               GError            **error)
{
  g_autofree char *json = bosh_saved_session_to_json (saved);

  if (g_str_equal (options->detach_file, "-"))
    return tool_output_print (json, error);

  /* Who has this text has the session: for the user alone. A file that is replaced passes
   * its mode on in newer versions of GLib. */
  if (g_file_test (options->detach_file, G_FILE_TEST_IS_REGULAR) &&
      g_chmod (options->detach_file, 0600) < 0)
    {
      int code = errno;

      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code),
                   _("Can't change the mode of “%s”: %s"), options->detach_file, g_strerror (code));
      return FALSE;
    }

  return g_file_set_contents_full (options->detach_file, json, -1,
                                   G_FILE_SET_CONTENTS_CONSISTENT,
                                   0600, error);
}

/* Log in, or go on with the session of --session, which is ours alone as long as
 * *@lock is open. */
static gboolean
open_session (ToolSession        *session,
              const ToolOptions  *options,
              const char         *password,
              int                *lock,
              GError            **error)
{
  g_autoptr(BoshSavedSession) saved = NULL;
  g_autofree char *json = NULL;

  if (options->session_file == NULL)
    return tool_session_log_in (session, password, error);

  json = tool_file_read_session (options->session_file, lock, error);
  if (json == NULL)
    return FALSE;
  saved = bosh_saved_session_new_from_json (json, error);
  if (saved == NULL)
    return FALSE;

  return tool_session_attach (session, saved, error);
}

/* Hand the session over where --detach asks for it, also after an interrupt,
 * and end it otherwise. */
static gboolean
close_session (ToolSession        *session,
               const ToolOptions  *options,
               GError            **error)
{
  g_autoptr(BoshSavedSession) saved = NULL;

  if (options->detach_file == NULL)
    {
      tool_session_end (session);
      return TRUE;
    }

  saved = tool_session_detach (session, error);

  return saved != NULL && write_session (options, saved, error);
}

static gboolean
run_prebind (ToolSession        *session,
             const ToolOptions  *options,
             GError            **error)
{
  g_autoptr(BoshSavedSession) saved = NULL;
  g_autofree char *text = NULL;
  g_autofree char *jid = NULL;
  g_autofree char *session_id = NULL;

  saved = tool_session_detach (session, error);
  if (saved == NULL)
    return FALSE;

  if (options->json)
    {
      text = bosh_saved_session_to_json (saved);
      return tool_output_print (text, error);
    }

  jid = tool_output_escape (bosh_saved_session_get_jid (saved));
  session_id = tool_output_escape (bosh_saved_session_get_session_id (saved));
  text = g_strdup_printf ("JID: %s\nSID: %s\nRID: %" G_GUINT64_FORMAT,
                          jid, session_id,
                          bosh_saved_session_get_request_id (saved));

  return tool_output_print (text, error);
}

static gboolean
run_send (ToolSession        *session,
          const ToolOptions  *options,
          GError            **error)
{
  g_autoptr(BoshElement) message = NULL;

  message = bosh_element_new_message (options->to, "chat", options->text);

  return tool_session_send_last (session, message, error);
}

typedef struct
{
  const ToolOptions *options;
  int count;
  GError *error;
} Listener;

/* The server sends the presence of the session to the session too. */
static gboolean
is_own_presence (BoshClient  *client,
                 BoshElement *stanza)
{
  return bosh_element_matches (stanza, "presence", NS_CLIENT) &&
         g_strcmp0 (bosh_element_get_attribute (stanza, "from"),
                    bosh_client_get_jid (client)) == 0;
}

static void
on_stanza (BoshClient  *client,
           BoshElement *stanza,
           gpointer     user_data)
{
  Listener *listener = user_data;
  g_autofree char *line = NULL;

  if (is_own_presence (client, stanza))
    return;

  line = listener->options->json
           ? tool_output_stanza_to_json (stanza)
           : tool_output_stanza_to_xml (stanza);
  listener->count++;
  if (listener->error == NULL)
    tool_output_print (line, &listener->error);
}

static gboolean
is_complete (const Listener *listener)
{
  return listener->options->count > 0 &&
         listener->count >= listener->options->count;
}

/* TRUE when it ends as it was asked to: by the count, or, without one, by an
 * interrupt. */
static gboolean
run_listen (ToolSession  *session,
            Listener     *listener,
            GError      **error)
{
  g_autoptr(BoshElement) presence = bosh_element_new_presence (NULL, NULL);
  g_autoptr(GError) local_error = NULL;

  if (!bosh_client_send (tool_session_get_client (session), presence, error))
    return FALSE;

  while (listener->error == NULL &&
         !is_complete (listener) &&
         tool_session_iterate (session, &local_error))
    continue;

  if (local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }

  /* What arrives until the end is printed too: nothing received is lost. */
  if (!close_session (session, listener->options, error))
    return FALSE;
  if (listener->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&listener->error));
      return FALSE;
    }
  if (listener->options->count > 0 && !is_complete (listener))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("Interrupted"));
      return FALSE;
    }

  return TRUE;
}

static gboolean
run_discover (ToolSession        *session,
              const ToolOptions  *options,
              GError            **error)
{
  g_autoptr(GPtrArray) found = NULL;
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new ();
  g_auto(GStrv) uris = NULL;
  g_autofree char *text = NULL;

  found = tool_session_discover (session, error);
  if (found == NULL)
    return FALSE;

  for (guint i = 0; i < found->len; i++)
    g_strv_builder_add (builder,
                        bosh_connection_configuration_get_uri (g_ptr_array_index (found, i)));
  uris = g_strv_builder_end (builder);
  text = options->json ? tool_output_strings_to_json ((const char * const *)uris)
                       : g_strjoinv ("\n", uris);

  return tool_output_print (text, error);
}

static gboolean
run_command (ToolSession  *session,
             Listener     *listener,
             GError      **error)
{
  switch (listener->options->command)
    {
    case TOOL_COMMAND_PREBIND:
      return run_prebind (session, listener->options, error);

    case TOOL_COMMAND_SEND:
      return run_send (session, listener->options, error);

    case TOOL_COMMAND_DISCOVER:
      return run_discover (session, listener->options, error);

    case TOOL_COMMAND_LISTEN:
    default:
      return run_listen (session, listener, error);
    }
}

static int
get_exit_status (const GError *error,
                 int           signal_number)
{
  if (signal_number != 0 &&
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return TOOL_EXIT_SIGNAL + signal_number;

  if (error->domain == TOOL_USAGE_ERROR || error->domain == G_OPTION_ERROR)
    return TOOL_EXIT_USAGE;

  if (error->domain == BOSH_SASL_ERROR ||
      g_error_matches (error, BOSH_ERROR, BOSH_ERROR_INSECURE_MECHANISM) ||
      g_error_matches (error, BOSH_ERROR, BOSH_ERROR_NO_MECHANISM) ||
      g_error_matches (error, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC))
    return TOOL_EXIT_AUTHENTICATION;

  return TOOL_EXIT_FAILURE;
}

static int
fail (const GError *error,
      int           signal_number)
{
  int status = get_exit_status (error, signal_number);

  /* Who interrupts knows why it ends. */
  if (status < TOOL_EXIT_SIGNAL)
    tool_output_print_error (error->message);

  return status;
}

static char *
read_password (const ToolOptions  *options,
               GError            **error)
{
  g_autofree char *jid = g_strconcat (options->username, "@", options->domain, NULL);

  return tool_password_read (options->password_file, jid, error);
}

static int
run (const ToolOptions *options)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(ToolPassword) password = NULL;
  Listener listener = { options, 0, NULL };
  g_autoptr(ToolSession) session = NULL;
  int status = TOOL_EXIT_OK;
  gboolean discovers = options->command == TOOL_COMMAND_DISCOVER;
  gboolean opened = TRUE;
  int lock = -1;

  if (!discovers && options->session_file == NULL && !options->anonymous)
    {
      password = read_password (options, &error);
      if (password == NULL)
        return fail (error, 0);
    }

  /* Signals are for the session from here on; before, they end the process. */
  session = tool_session_new (options);
  if (options->command == TOOL_COMMAND_LISTEN)
    tool_session_set_stanza_handler (session, G_CALLBACK (on_stanza), &listener);
  if (!discovers)
    opened = open_session (session, options, password, &lock, &error);
  g_clear_pointer (&password, tool_password_free);

  if (!opened || !run_command (session, &listener, &error))
    {
      status = fail (error, tool_session_get_signal (session));
      tool_session_end (session);
    }
  g_clear_error (&listener.error);
  if (lock >= 0)
    close (lock);

  return status;
}

int
main (int   argc,
      char *argv[])
{
  g_auto(ToolOptions) options = { 0 };
  g_autoptr(GError) error = NULL;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  /* A reader that goes away makes writing fail, and the session ends in order. */
  signal (SIGPIPE, SIG_IGN);

  if (!tool_options_parse (&options, argv, &error))
    return fail (error, 0);

  return run (&options);
}
