/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <locale.h>
#include <signal.h>
#include <unistd.h>

#include <bosh-glib/bosh-glib.h>
#include <glib/gi18n.h>

#include "bosh-tool-file.h"
#include "bosh-tool-options.h"
#include "bosh-tool-output.h"
#include "bosh-tool-password.h"
#include "bosh-tool-session.h"
#include "bosh-tool-target.h"

#define NS_CLIENT "jabber:client"

/* What is needed before the session begins. */
typedef struct
{
  const ToolOptions *options;
  char              *password;  /* NULL where none is needed */
  BoshSavedSession  *saved;     /* of --session, or NULL */
  int                lock;      /* of its file, which is ours as long as this is open, or -1 */
  ToolTarget        *target;    /* of --detach, or NULL */
} Job;

static void
job_clear (Job *self)
{
  g_clear_pointer (&self->password, tool_password_free);
  g_clear_object (&self->saved);
  g_clear_pointer (&self->target, tool_target_free);
  if (self->lock >= 0)
    close (self->lock);
  self->lock = -1;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Job, job_clear)

static gboolean
read_password (Job     *self,
               GError **error)
{
  const ToolOptions *options = self->options;
  g_autofree char *jid = g_strconcat (options->username, "@", options->domain, NULL);

  self->password = tool_password_read (options->password_file, jid, error);

  return self->password != NULL;
}

static gboolean
read_session (Job     *self,
              GError **error)
{
  g_autofree char *json = tool_file_read_session (self->options->session_file, &self->lock, error);

  if (json == NULL)
    return FALSE;
  self->saved = bosh_saved_session_new_from_json (json, error);

  return self->saved != NULL;
}

/* Whether the session can be handed over is known before there is one. */
static gboolean
open_target (Job     *self,
             GError **error)
{
  const char *path = self->options->detach_file;

  if (path == NULL || g_str_equal (path, "-"))
    return TRUE;
  self->target = tool_target_open (path, error);

  return self->target != NULL;
}

/* Reads what the user gives, which may take as long as the user wants. */
static gboolean
prepare (Job     *self,
         GError **error)
{
  const ToolOptions *options = self->options;

  if (options->command == TOOL_COMMAND_DISCOVER)
    return TRUE;
  if (options->session_file != NULL && !read_session (self, error))
    return FALSE;
  if (options->session_file == NULL && !options->anonymous && !read_password (self, error))
    return FALSE;

  return open_target (self, error);
}

/* Log in, or go on with the session of --session, for the commands that have one open. */
static gboolean
open_session (ToolSession  *session,
              Job          *job,
              GError      **error)
{
  gboolean success;

  if (job->options->command == TOOL_COMMAND_DISCOVER ||
      job->options->command == TOOL_COMMAND_PREBIND)
    return TRUE;
  if (job->saved != NULL)
    return tool_session_attach (session, job->saved, error);

  success = tool_session_log_in (session, job->password, error);
  g_clear_pointer (&job->password, tool_password_free);

  return success;
}

static gboolean
write_session (const Job         *job,
               BoshSavedSession  *saved,
               GError           **error)
{
  g_autofree char *json = bosh_saved_session_to_json (saved);

  if (job->target != NULL)
    return tool_target_write (job->target, json, error);

  return tool_output_print (json, error);
}

/* Hand the session over where --detach asks for it, also after an interrupt,
 * and end it otherwise. */
static gboolean
close_session (ToolSession  *session,
               const Job    *job,
               GError      **error)
{
  g_autoptr(BoshSavedSession) saved = NULL;

  if (job->options->detach_file == NULL)
    {
      tool_session_end (session);
      return TRUE;
    }

  saved = tool_session_detach (session, error);

  return saved != NULL && write_session (job, saved, error);
}

static gboolean
run_prebind (ToolSession  *session,
             const Job    *job,
             GError      **error)
{
  g_autoptr(BoshSavedSession) saved = NULL;
  g_autofree char *text = NULL;
  g_autofree char *jid = NULL;
  g_autofree char *session_id = NULL;

  saved = tool_session_prebind (session, job->password, error);
  if (saved == NULL)
    return FALSE;

  if (job->options->json)
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
  const Job *job;
  int        count;
  GError    *error;
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
  const ToolOptions *options = listener->job->options;
  g_autofree char *line = NULL;

  if (is_own_presence (client, stanza) ||
      (options->only != NULL && !bosh_element_matches (stanza, options->only, NS_CLIENT)))
    return;

  line = options->json
           ? tool_output_stanza_to_json (stanza)
           : tool_output_stanza_to_xml (stanza);
  listener->count++;
  if (listener->error == NULL)
    tool_output_print (line, &listener->error);
}

static gboolean
is_complete (const Listener *listener)
{
  return listener->job->options->count > 0 &&
         listener->count >= listener->job->options->count;
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
  if (!close_session (session, listener->job, error))
    return FALSE;
  if (listener->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&listener->error));
      return FALSE;
    }
  if (listener->job->options->count > 0 && !is_complete (listener))
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
  const ToolOptions *options = listener->job->options;

  switch (options->command)
    {
    case TOOL_COMMAND_PREBIND:
      return run_prebind (session, listener->job, error);
    case TOOL_COMMAND_SEND:
      return run_send (session, options, error);
    case TOOL_COMMAND_DISCOVER:
      return run_discover (session, options, error);
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

  if (error->domain == TOOL_REFUSED_ERROR)
    return TOOL_EXIT_REFUSED;

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

static int
run (const ToolOptions *options)
{
  g_auto(Job) job = { .options = options, .lock = -1 };
  Listener listener = { &job, 0, NULL };
  g_autoptr(ToolSession) session = NULL;
  g_autoptr(GError) error = NULL;
  int status = TOOL_EXIT_OK;

  /* Signals are for the session from then on; before, they end the process. */
  if (!prepare (&job, &error))
    return fail (error, 0);

  session = tool_session_new (options);
  if (options->command == TOOL_COMMAND_LISTEN)
    tool_session_set_stanza_handler (session, G_CALLBACK (on_stanza), &listener);
  if (!open_session (session, &job, &error) ||
      !run_command (session, &listener, &error))
    {
      status = fail (error, tool_session_get_signal (session));
      tool_session_end (session);
    }
  g_clear_error (&listener.error);

  return status;
}

int
main (int   argc,
      char *argv[])
{
  g_auto(ToolOptions) options = { 0 };
  g_autoptr(GError) error = NULL;

  tool_output_init ();
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  if (!tool_options_parse (&options, argv, &error))
    return fail (error, 0);

  /* A reader that goes away, or a file that becomes too large, makes writing fail, and the
   * session ends in order. */
  signal (SIGPIPE, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN);

  return run (&options);
}
