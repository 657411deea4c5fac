/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-tool-session.h"
#include "bosh-tool-output.h"
#include "bosh-tool-password.h"

#include <signal.h>

#include <glib-unix.h>
#include <glib/gi18n.h>

/* What the end of a session may take. */
#define END_TIMEOUT 10
/* How long an error is waited for that a message comes back with. */
#define REFUSAL_TIMEOUT 1

G_DEFINE_QUARK (tool-refused-error-quark, tool_refused_error)

static const int signal_numbers[] = { SIGINT, SIGTERM, SIGHUP };

struct _ToolSession
{
  const ToolOptions *options;
  BoshClient *client;
  GCallback stanza_handler;
  gpointer stanza_data;

  GCancellable *cancellable;
  GSource *signals[G_N_ELEMENTS (signal_numbers)];
  int signal_number;
  gboolean timed_out;

  gboolean closed;
  GError *close_error;
};

static void
remove_signal (ToolSession *self,
               guint        nth)
{
  if (self->signals[nth] == NULL)
    return;

  g_source_destroy (self->signals[nth]);
  g_clear_pointer (&self->signals[nth], g_source_unref);
}

/* The signals of a person have their usual effect again, so the next one is the end. When
 * a terminal goes away, several come together, and none of them means that. */
static void
take_signal (ToolSession *self,
             int          signal_number)
{
  for (guint i = 0; signal_number != SIGHUP && i < G_N_ELEMENTS (signal_numbers); i++)
    if (signal_numbers[i] != SIGHUP)
      remove_signal (self, i);

  if (self->signal_number != 0)
    return;

  self->signal_number = signal_number;
  g_cancellable_cancel (self->cancellable);
}

static gboolean
on_interrupt (gpointer user_data)
{
  take_signal (user_data, SIGINT);

  return G_SOURCE_CONTINUE;
}

static gboolean
on_terminate (gpointer user_data)
{
  take_signal (user_data, SIGTERM);

  return G_SOURCE_CONTINUE;
}

static gboolean
on_hang_up (gpointer user_data)
{
  take_signal (user_data, SIGHUP);

  return G_SOURCE_CONTINUE;
}

/* A program that was started by nohup stays when its terminal goes away. */
static gboolean
is_ignored (int signal_number)
{
  struct sigaction action;

  return signal_number == SIGHUP &&
         sigaction (signal_number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

ToolSession *
tool_session_new (const ToolOptions *options)
{
  static const GSourceFunc functions[] = { on_interrupt, on_terminate, on_hang_up };
  ToolSession *self = g_new0 (ToolSession, 1);

  self->options = options;
  self->cancellable = g_cancellable_new ();
  for (guint i = 0; i < G_N_ELEMENTS (signal_numbers); i++)
    {
      if (is_ignored (signal_numbers[i]))
        continue;
      self->signals[i] = g_unix_signal_source_new (signal_numbers[i]);
      g_source_set_static_name (self->signals[i], "[bosh-tool] signal");
      g_source_set_callback (self->signals[i], functions[i], self, NULL);
      g_source_attach (self->signals[i], NULL);
    }

  return self;
}

void
tool_session_free (ToolSession *self)
{
  if (self == NULL)
    return;

  for (guint i = 0; i < G_N_ELEMENTS (signal_numbers); i++)
    remove_signal (self, i);
  if (self->client != NULL)
    {
      g_signal_handlers_disconnect_by_data (bosh_client_get_connection (self->client), self);
      g_signal_handlers_disconnect_by_data (self->client, self);
      if (self->stanza_handler != NULL)
        g_signal_handlers_disconnect_by_data (self->client, self->stanza_data);
    }
  g_clear_object (&self->client);
  g_clear_object (&self->cancellable);
  g_clear_error (&self->close_error);
  g_free (self);
}

void
tool_session_set_stanza_handler (ToolSession *self,
                                 GCallback    handler,
                                 gpointer     user_data)
{
  self->stanza_handler = handler;
  self->stanza_data = user_data;
}

static void
on_result (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  GAsyncResult **slot = user_data;

  *slot = g_object_ref (result);
}

static void
wait_for_result (GAsyncResult **slot)
{
  while (*slot == NULL)
    g_main_context_iteration (NULL, TRUE);
}

static gboolean
on_timeout (gpointer user_data)
{
  ToolSession *self = user_data;

  self->timed_out = TRUE;
  g_cancellable_cancel (self->cancellable);

  return G_SOURCE_REMOVE;
}

/* Limits what follows, up to stop_clock(). */
static GSource *
start_clock (ToolSession *self,
             int          seconds)
{
  GSource *clock;

  self->timed_out = FALSE;
  if (seconds == 0)
    return NULL;

  clock = g_timeout_source_new_seconds (seconds);
  g_source_set_static_name (clock, "[bosh-tool] timeout");
  g_source_set_callback (clock, on_timeout, self, NULL);
  g_source_attach (clock, NULL);

  return clock;
}

static void
stop_clock (ToolSession  *self,
            GSource      *clock,
            int           seconds,
            GError      **error)
{
  if (clock == NULL)
    return;

  g_source_destroy (clock);
  g_source_unref (clock);
  if (self->timed_out && error != NULL &&
      g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_clear_error (error);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                   g_dngettext (GETTEXT_PACKAGE,
                                "Not done after %d second",
                                "Not done after %d seconds",
                                seconds),
                   seconds);
    }
}

/* The end has its own few seconds, whatever broke off what was before it. */
static void
renew_cancellable (ToolSession *self)
{
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
}

static void
on_request_sent (BoshConnection *connection,
                 const char     *body,
                 gpointer        user_data)
{
  tool_output_trace ("> ", body);
}

static void
on_response_received (BoshConnection *connection,
                      const char     *body,
                      gpointer        user_data)
{
  tool_output_trace ("< ", body);
}

/* Nothing gets lost without a word. */
static void
on_left_out (BoshClient *client,
             const char *name,
             const char *from,
             const char *id,
             guint64     size,
             GError     *reason,
             gpointer    user_data)
{
  g_autofree char *message = NULL;

  /* Translators: the name of a stanza (message, presence, iq), its sender, what is wrong. */
  message = g_strdup_printf (_("A stanza (%s) from %s was left out: %s"),
                             name, from != NULL ? from : "?", reason->message);
  tool_output_print_error (message);
}

static void
on_closed (BoshClient *client,
           GError     *error,
           gpointer    user_data)
{
  ToolSession *self = user_data;

  if (self->closed)
    return;

  self->closed = TRUE;
  self->close_error = error != NULL
                        ? g_error_copy (error)
                        : g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TERMINATED,
                                               _("The server ended the session"));
}

static GTlsDatabase *
load_tls_database (const char  *path,
                   GError     **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  GTlsDatabase *database = g_tls_file_database_new (absolute, error);

  if (database == NULL)
    g_prefix_error (error, _("Can't read the certificates in “%s”: "), path);

  return database;
}

/* @session_uri is the address of the session to go on with, which the option
 * overrides; without both, the client asks the domain. */
static BoshConnectionConfiguration *
create_configuration (const ToolOptions  *options,
                      const char         *session_uri,
                      GError            **error)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(GTlsDatabase) database = NULL;
  g_autoptr(GProxyResolver) resolver = NULL;
  g_autoptr(ToolPassword) proxy_password = NULL;
  g_autoptr(GError) fault = NULL;

  if (!tool_password_take ("BOSH_PROXY_PASSWORD", &proxy_password, error))
    return NULL;
  if (options->ca_file != NULL)
    {
      database = load_tls_database (options->ca_file, error);
      if (database == NULL)
        return NULL;
    }
  if (options->proxy != NULL)
    resolver = g_simple_proxy_resolver_new (options->proxy, NULL);

  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", options->uri != NULL ? options->uri : session_uri,
                                "wait", options->wait,
                                "use-key-sequence", options->key_sequence,
                                "tls-database", database,
                                "proxy-resolver", resolver,
                                "proxy-username", g_getenv ("BOSH_PROXY_USERNAME"),
                                "proxy-password", proxy_password,
                                NULL);
  if (bosh_connection_configuration_validate (configuration, &fault))
    return g_steal_pointer (&configuration);

  g_set_error (error, TOOL_USAGE_ERROR, 0,
               _("Can't use the address of the connection manager: %s"), fault->message);

  return NULL;
}

static gboolean
create_client (ToolSession  *self,
               const char   *domain,
               const char   *session_uri,
               GError      **error)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  BoshConnection *connection;

  configuration = create_configuration (self->options, session_uri, error);
  if (configuration == NULL)
    return FALSE;

  self->client = bosh_client_new (domain, configuration);
  bosh_client_set_allow_plaintext_password (self->client, self->options->insecure_plain);
  g_signal_connect (self->client, "closed", G_CALLBACK (on_closed), self);
  g_signal_connect (self->client, "stanza-left-out", G_CALLBACK (on_left_out), self);
  if (self->stanza_handler != NULL)
    g_signal_connect (self->client, "stanza", self->stanza_handler, self->stanza_data);

  connection = bosh_client_get_connection (self->client);
  if (self->options->verbose)
    {
      g_signal_connect (connection, "request-sent", G_CALLBACK (on_request_sent), self);
      g_signal_connect (connection, "response-received", G_CALLBACK (on_response_received), self);
    }

  return TRUE;
}

typedef struct
{
  ToolSession *session;
  const char *password;
  GAsyncResult *result;
  GError *error;
} Login;

/* Starts the login from within the callback, so that its first stanza is in the
 * next request. A moment later, the empty request that polls for stanzas would
 * leave first. */
static void
on_connected (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  Login *login = user_data;
  ToolSession *self = login->session;
  const ToolOptions *options = self->options;

  if (!bosh_client_connect_finish (self->client, result, &login->error))
    login->result = g_object_ref (result);
  else if (options->anonymous)
    bosh_client_login_anonymously_async (self->client, options->resource,
                                         self->cancellable, on_result, &login->result);
  else
    bosh_client_login_async (self->client, options->username, login->password,
                             options->resource, self->cancellable, on_result,
                             &login->result);
}

static gboolean
finish_login (Login   *login,
              GError **error)
{
  BoshClient *client = login->session->client;
  g_autoptr(GAsyncResult) result = g_steal_pointer (&login->result);

  if (login->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&login->error));
      return FALSE;
    }
  if (login->session->options->anonymous)
    return bosh_client_login_anonymously_finish (client, result, error);

  return bosh_client_login_finish (client, result, error);
}

GPtrArray *
tool_session_discover (ToolSession  *self,
                       GError      **error)
{
  const ToolOptions *options = self->options;
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(BoshDiscovery) discovery = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  GPtrArray *found;
  GSource *clock;

  configuration = create_configuration (options, NULL, error);
  if (configuration == NULL)
    return NULL;

  /* The time is limited here, by the option. */
  discovery = g_object_new (BOSH_TYPE_DISCOVERY,
                            "domain", options->domain,
                            "configuration", configuration,
                            "timeout", 3600,
                            NULL);
  clock = start_clock (self, options->timeout);
  bosh_discovery_lookup_async (discovery, self->cancellable, on_result, &result);
  wait_for_result (&result);
  found = bosh_discovery_lookup_finish (discovery, result, error);
  stop_clock (self, clock, options->timeout, error);

  return found;
}

/* An address that nobody has given may be what is wrong. */
static void
explain_address (ToolSession  *self,
                 GError      **error)
{
  BoshConnectionConfiguration *configuration = bosh_client_get_configuration (self->client);

  if (bosh_connection_configuration_get_uri (configuration) == NULL)
    g_prefix_error (error, "%s: ", _("No --uri was given, and none was found"));
}

gboolean
tool_session_log_in (ToolSession  *self,
                     const char   *password,
                     GError      **error)
{
  const ToolOptions *options = self->options;
  Login login = { self, password, NULL, NULL };
  GSource *clock;
  gboolean success;

  if (!create_client (self, options->domain, NULL, error))
    return FALSE;

  clock = start_clock (self, options->timeout);
  bosh_client_connect_async (self->client, self->cancellable, on_connected, &login);
  wait_for_result (&login.result);
  success = finish_login (&login, error);
  stop_clock (self, clock, options->timeout, error);
  if (!success)
    explain_address (self, error);

  return success;
}

BoshSavedSession *
tool_session_prebind (ToolSession  *self,
                      const char   *password,
                      GError      **error)
{
  const ToolOptions *options = self->options;
  g_autoptr(GAsyncResult) result = NULL;
  BoshSavedSession *saved;
  GSource *clock;

  if (!create_client (self, options->domain, NULL, error))
    return NULL;

  clock = start_clock (self, options->timeout);
  bosh_client_prebind_async (self->client, options->username, password, options->resource,
                             self->cancellable, on_result, &result);
  wait_for_result (&result);
  saved = bosh_client_prebind_finish (self->client, result, error);
  stop_clock (self, clock, options->timeout, error);
  if (saved == NULL)
    explain_address (self, error);

  return saved;
}

gboolean
tool_session_attach (ToolSession       *self,
                     BoshSavedSession  *saved,
                     GError           **error)
{
  g_autoptr(GAsyncResult) result = NULL;
  GSource *clock;
  gboolean success;

  if (!create_client (self,
                      bosh_saved_session_get_domain (saved),
                      bosh_saved_session_get_uri (saved),
                      error))
    return FALSE;

  clock = start_clock (self, self->options->timeout);
  bosh_client_attach_async (self->client, saved, self->cancellable, on_result, &result);
  wait_for_result (&result);
  success = bosh_client_attach_finish (self->client, result, error);
  stop_clock (self, clock, self->options->timeout, error);

  return success;
}

/* A message that was sent. */
typedef struct
{
  BoshElement *message;
  gboolean     is_over;  /* it was delivered or not */
  GError      *error;    /* why it was not delivered */
  GError      *refusal;  /* why it came back */
} Sending;

static void
on_delivered (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  Sending *sending = user_data;

  bosh_client_deliver_finish (BOSH_CLIENT (source), result, &sending->error);
  sending->is_over = TRUE;
}

/* Others can't guess the id, so the error is that of the message. */
static void
on_stanza (BoshClient  *client,
           BoshElement *stanza,
           gpointer     user_data)
{
  Sending *sending = user_data;

  if (sending->refusal == NULL && bosh_element_matches (stanza, "message", NULL) &&
      g_strcmp0 (bosh_element_get_attribute (stanza, "id"),
                 bosh_element_get_attribute (sending->message, "id")) == 0)
    sending->refusal = bosh_element_dup_error (stanza);
}

static void
wait_for_delivery (const Sending *sending)
{
  while (!sending->is_over)
    g_main_context_iteration (NULL, TRUE);
}

static gboolean
on_moment (gpointer user_data)
{
  gboolean *is_over = user_data;

  *is_over = TRUE;

  return G_SOURCE_REMOVE;
}

static void
wait_for_refusal (ToolSession   *self,
                  const Sending *sending)
{
  g_autoptr(GSource) moment = g_timeout_source_new_seconds (REFUSAL_TIMEOUT);
  gboolean is_over = FALSE;

  g_source_set_static_name (moment, "[bosh-tool] moment");
  g_source_set_callback (moment, on_moment, &is_over, NULL);
  g_source_attach (moment, NULL);
  while (!is_over && sending->refusal == NULL && sending->error == NULL && self->signal_number == 0)
    g_main_context_iteration (NULL, TRUE);
  g_source_destroy (moment);
}

/* Ends the session, by which the server tells whether it has the message. */
static void
end_after (ToolSession *self,
           Sending     *sending)
{
  g_autoptr(GAsyncResult) ended = NULL;
  g_autoptr(GError) error = NULL;
  GSource *clock = start_clock (self, self->options->timeout);

  bosh_client_disconnect_async (self->client, self->cancellable, on_result, &ended);
  wait_for_result (&ended);
  wait_for_delivery (sending);
  if (!bosh_client_disconnect_finish (self->client, ended, &error))
    g_debug ("The session has no polite end: %s", error->message);
  stop_clock (self, clock, self->options->timeout, &sending->error);
}

gboolean
tool_session_send_last (ToolSession  *self,
                        BoshElement  *message,
                        GError      **error)
{
  Sending sending = { .message = message };
  g_autoptr(GError) refusal = NULL;
  GSource *clock = start_clock (self, self->options->timeout);
  gulong handler;

  handler = g_signal_connect (self->client, "stanza", G_CALLBACK (on_stanza), &sending);
  bosh_client_deliver_async (self->client, message, self->cancellable, on_delivered, &sending);
  while (self->options->confirm && !sending.is_over && sending.refusal == NULL)
    g_main_context_iteration (NULL, TRUE);
  stop_clock (self, clock, self->options->timeout, &sending.error);

  wait_for_refusal (self, &sending);
  if (self->signal_number != 0)
    wait_for_delivery (&sending);
  else if (sending.error == NULL)
    end_after (self, &sending);
  g_signal_handler_disconnect (self->client, handler);

  refusal = sending.refusal;
  if (refusal != NULL)
    {
      g_clear_error (&sending.error);
      g_set_error (error, TOOL_REFUSED_ERROR, 0, _("The message came back: %s"), refusal->message);
      return FALSE;
    }
  if (sending.error == NULL && self->signal_number != 0)
    g_set_error_literal (&sending.error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("Interrupted"));
  if (sending.error == NULL)
    return TRUE;

  g_propagate_error (error, sending.error);

  return FALSE;
}

BoshSavedSession *
tool_session_detach (ToolSession  *self,
                     GError      **error)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(BoshSavedSession) saved = NULL;
  GSource *clock;

  renew_cancellable (self);
  clock = start_clock (self, END_TIMEOUT);
  bosh_client_detach_async (self->client, self->cancellable, on_result, &result);
  wait_for_result (&result);
  saved = bosh_client_detach_finish (self->client, result, error);
  stop_clock (self, clock, END_TIMEOUT, error);

  return g_steal_pointer (&saved);
}

void
tool_session_end (ToolSession *self)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  GSource *clock;

  if (self->client == NULL || self->closed ||
      bosh_client_get_state (self->client) == BOSH_CLIENT_STATE_NEW ||
      bosh_client_get_state (self->client) == BOSH_CLIENT_STATE_CLOSED)
    return;

  renew_cancellable (self);
  clock = start_clock (self, END_TIMEOUT);
  bosh_client_disconnect_async (self->client, self->cancellable, on_result, &result);
  wait_for_result (&result);
  if (!bosh_client_disconnect_finish (self->client, result, &error))
    g_debug ("The session has no polite end: %s", error->message);
  stop_clock (self, clock, END_TIMEOUT, NULL);
}

BoshClient *
tool_session_get_client (ToolSession *self)
{
  return self->client;
}

int
tool_session_get_signal (ToolSession *self)
{
  return self->signal_number;
}

gboolean
tool_session_iterate (ToolSession  *self,
                      GError      **error)
{
  if (self->signal_number != 0)
    return FALSE;

  if (self->closed)
    {
      g_propagate_error (error, g_steal_pointer (&self->close_error));
      return FALSE;
    }

  g_main_context_iteration (NULL, TRUE);

  return TRUE;
}
