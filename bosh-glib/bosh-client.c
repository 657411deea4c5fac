/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-client-private.h"

#include "bosh-connection-private.h"
#include "bosh-element-private.h"
#include "bosh-enum-types.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"

/**
 * BoshClient:
 *
 * A client of XMPP: logs in over a [class@Bosh.Connection], exchanges stanzas,
 * and hands the session over.
 *
 * ```c
 * static void
 * on_logged_in (GObject      *source,
 *               GAsyncResult *result,
 *               gpointer      user_data)
 * {
 *   BoshClient *client = BOSH_CLIENT (source);
 *   g_autoptr(GError) error = NULL;
 *   g_autoptr(BoshElement) presence = bosh_element_new_presence (NULL, NULL);
 *
 *   if (!bosh_client_login_finish (client, result, &error))
 *     g_printerr ("%s\n", error->message);
 *   else
 *     bosh_client_send (client, presence, NULL);
 * }
 *
 * static void
 * on_connected (GObject      *source,
 *               GAsyncResult *result,
 *               gpointer      user_data)
 * {
 *   BoshClient *client = BOSH_CLIENT (source);
 *   g_autoptr(GError) error = NULL;
 *
 *   if (!bosh_client_connect_finish (client, result, &error))
 *     g_printerr ("%s\n", error->message);
 *   else
 *     bosh_client_login_async (client, "alice", "secret", NULL, NULL,
 *                              on_logged_in, NULL);
 * }
 *
 * configuration = bosh_connection_configuration_new_for_uri (uri, &error);
 * client = bosh_client_new ("example.org", configuration);
 * g_signal_connect (client, "stanza::message", G_CALLBACK (on_message), NULL);
 * bosh_client_connect_async (client, NULL, on_connected, NULL);
 * ```
 *
 * ## From connecting to closing
 *
 * [method@Bosh.Client.connect_async] opens the session. One of the three
 * logins authenticates and binds a resource; a login that the server refused
 * can be tried again in the same session. From then on
 * [method@Bosh.Client.send] and [method@Bosh.Client.send_iq_async] send, and
 * [signal@Bosh.Client::stanza] tells what arrives. The session ends with
 * [method@Bosh.Client.disconnect_async] or goes on elsewhere after
 * [method@Bosh.Client.detach_async]; a client is not connected a second time.
 * With [property@Bosh.Client:auto-reconnect] it logs in again by itself when the
 * session is lost.
 *
 * What belongs to the login, and answers to requests of
 * [method@Bosh.Client.send_iq_async], are not shown by any signal.
 *
 * ## Requests of others
 *
 * RFC 6120 §8.2.3 demands an answer to each iq of type `get` or `set`. Once
 * logged in, the client gives it where no handler of
 * [signal@Bosh.Client::iq-request] says that the application does: a ping
 * (XEP-0199) gets its empty result, everything else `service-unavailable`, and
 * what is no proper request `bad-request`.
 *
 * ## Passwords
 *
 * SCRAM is preferred (RFC 5802), with which the server does not see the
 * password and proves that it knows it. PLAIN is used only where the connection
 * is encrypted, or stays on this machine, or
 * [property@Bosh.Client:allow-plaintext-password] was set. A password is kept
 * no longer than the login needs it, unless
 * [property@Bosh.Client:auto-reconnect] asks for that.
 *
 * ## Threads
 *
 * Everything happens in the thread-default main context that was current when
 * [method@Bosh.Client.connect_async] or [method@Bosh.Client.attach_async] was
 * called. The client is to be used in that thread only. A handler may send,
 * disconnect, or drop the last reference.
 *
 * Since: 1.0
 */

/* Milliseconds. */
#define LOGIN_EXPECTED 500

enum
{
  PROP_0,
  PROP_DOMAIN,
  PROP_CONFIGURATION,
  PROP_CONNECTION,
  PROP_STATE,
  PROP_JID,
  PROP_MECHANISM,
  PROP_ALLOW_PLAINTEXT_PASSWORD,
  PROP_PIPELINE_LOGIN,
  PROP_AUTO_RECONNECT,
  PROP_MAX_RECONNECT_ATTEMPTS,
  N_PROPS
};

enum
{
  SIGNAL_STANZA,
  SIGNAL_IQ_REQUEST,
  SIGNAL_SESSION_LOST,
  SIGNAL_CLOSED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (BoshClient, bosh_client, G_TYPE_OBJECT)

void
client_set_state (BoshClient      *self,
                  BoshClientState  state)
{
  if (self->state == state)
    return;

  self->state = state;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
}

void
client_set_jid (BoshClient *self,
                const char *jid)
{
  if (g_strcmp0 (self->jid, jid) == 0)
    return;

  g_free (self->jid);
  self->jid = g_strdup (jid);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_JID]);
}

void
client_set_mechanism (BoshClient *self,
                      const char *mechanism)
{
  if (g_strcmp0 (self->mechanism, mechanism) == 0)
    return;

  g_free (self->mechanism);
  self->mechanism = g_strdup (mechanism);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MECHANISM]);
}

void
client_destroy_source (GSource *source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

/* --- Connecting and logging in: one task at a time --- */

GTask *
client_take_task (BoshClient *self)
{
  g_clear_pointer (&self->timer, client_destroy_source);
  g_clear_pointer (&self->cancelled, client_destroy_source);
  g_clear_pointer (&self->driver, bosh_login_driver_stop);
  if (self->discovery != NULL)
    g_cancellable_cancel (self->discovery);
  g_clear_object (&self->discovery);

  return g_steal_pointer (&self->task);
}

void
client_fail_task (BoshClient *self,
                  GError     *error)
{
  g_autoptr(GTask) task = client_take_task (self);

  if (task != NULL)
    g_task_return_error (task, error);
  else
    g_error_free (error);
}

void
client_end_discovery (BoshClient   *self,
                      GError       *error,
                      const GError *reason)
{
  g_autoptr(BoshClient) keep = g_object_ref (self);
  g_autoptr(GTask) task = client_take_task (self);

  client_set_state (self, BOSH_CLIENT_STATE_CLOSED);
  g_task_return_error (task, error);
  g_signal_emit (self, signals[SIGNAL_CLOSED], 0, reason);
}

/* Takes @error. Gives up what is under way, and the session with it: the server
 * may be in the middle of an authentication that nobody will finish. */
static void
abandon (BoshClient *self,
         GError     *error)
{
  g_autoptr(BoshClient) keep = g_object_ref (self);
  g_autoptr(GTask) task = NULL;

  if (self->discovery != NULL)
    {
      g_autoptr(GError) reason = g_error_copy (error);

      client_end_discovery (self, error, reason);
      return;
    }

  task = client_take_task (self);
  client_set_state (self, BOSH_CLIENT_STATE_CLOSED);
  bosh_connection_disconnect_async (self->connection, NULL, NULL, NULL, NULL);
  g_task_return_error (task, error);
}

static gboolean
on_timeout (gpointer user_data)
{
  BoshClient *self = user_data;
  const char *message = self->driver == NULL
                          ? _("The server sent no stream features in time")
                          : _("The login was not finished in time");

  abandon (self, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TIMED_OUT, message));

  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  GError *error = NULL;

  if (g_cancellable_set_error_if_cancelled (cancellable, &error))
    abandon (user_data, error);

  return G_SOURCE_CONTINUE;
}

/* Of the session, or of the search for its address. */
static GMainContext *
get_context (BoshClient *self)
{
  GMainContext *context = bosh_connection_get_main_context (self->connection);

  return context != NULL ? context : g_task_get_context (self->task);
}

void
client_watch_cancellable (BoshClient *self)
{
  GCancellable *cancellable = g_task_get_cancellable (self->task);

  if (cancellable == NULL)
    return;

  self->cancelled = g_cancellable_source_new (cancellable);
  g_source_set_static_name (self->cancelled, "[bosh] client cancelled");
  g_source_set_callback (self->cancelled, G_SOURCE_FUNC (on_cancelled), self, NULL);
  g_source_attach (self->cancelled, get_context (self));
}

void
client_bound_task (BoshClient *self,
                   guint       seconds)
{
  self->timer = g_timeout_source_new_seconds (seconds);
  g_source_set_static_name (self->timer, "[bosh] client timeout");
  g_source_set_callback (self->timer, on_timeout, self, NULL);
  g_source_attach (self->timer, get_context (self));
  client_watch_cancellable (self);
}

static gboolean
on_expectation_over (gpointer user_data)
{
  client_forget_login (user_data);

  return G_SOURCE_REMOVE;
}

void
client_expect_login (BoshClient *self)
{
  client_forget_login (self);

  bosh_connection_set_reply_expected (self->connection, TRUE);
  self->expectation = g_timeout_source_new (LOGIN_EXPECTED);
  g_source_set_static_name (self->expectation, "[bosh] client expects a login");
  g_source_set_callback (self->expectation, on_expectation_over, self, NULL);
  g_source_attach (self->expectation, bosh_connection_get_main_context (self->connection));
}

void
client_forget_login (BoshClient *self)
{
  if (self->expectation == NULL)
    return;

  g_clear_pointer (&self->expectation, client_destroy_source);
  bosh_connection_set_reply_expected (self->connection, FALSE);
}

/* --- What the connection tells --- */

GError *
client_dup_close_error (BoshClient *self)
{
  if (bosh_connection_get_state (self->connection) == BOSH_CONNECTION_STATE_DETACHED)
    return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_DETACHED,
                                _("The session was handed over"));

  return bosh_connection_dup_close_error (self->connection);
}

static void
end (BoshClient   *self,
     const GError *reason)
{
  g_autoptr(GError) error = NULL;

  error = reason != NULL ? g_error_copy (reason) : client_dup_close_error (self);
  client_reconnect_stop (self);
  client_forget_login (self);
  client_set_state (self, BOSH_CLIENT_STATE_CLOSED);
  client_fail_task (self, g_error_copy (error));
  client_fail_requests (self, error);
}

void
client_close (BoshClient   *self,
              const GError *error)
{
  end (self, error);
  g_signal_emit (self, signals[SIGNAL_CLOSED], 0, error);
}

static void
on_closed (BoshConnection *connection,
           const GError   *error,
           gpointer        user_data)
{
  g_autoptr(BoshClient) self = g_object_ref (user_data);

  if (!client_reconnect_handle_end (self, error))
    client_close (self, error);
}

static void
on_detached (gpointer user_data)
{
  g_autoptr(BoshClient) self = g_object_ref (user_data);

  end (self, NULL);
}

/* Keeps from the application what is ours. */
static gboolean
filter_payload (BoshElement *element,
                gpointer     user_data)
{
  g_autoptr(BoshClient) self = g_object_ref (user_data);

  if (bosh_element_matches (element, "features", BOSH_NS_STREAMS))
    {
      client_handle_features (self, element);
      return TRUE;
    }

  client_reconnect_note_element (self, element);
  if (self->driver != NULL && bosh_login_driver_handle_element (self->driver, element))
    return TRUE;

  if (bosh_element_is_sasl (element))
    return TRUE;

  return client_handle_response (self, element);
}

static const BoshConnectionClientFuncs connection_funcs = {
  .filter = filter_payload,
  .detached = on_detached,
};

gboolean
client_emit_session_lost (BoshClient     *self,
                          BoshConnection *connection,
                          const GError   *error)
{
  gboolean resend = FALSE;

  g_signal_emit (self, signals[SIGNAL_SESSION_LOST], 0, connection, error, &resend);

  return resend;
}

gboolean
client_emit_iq_request (BoshClient  *self,
                        BoshElement *request)
{
  gboolean handled = FALSE;

  g_signal_emit (self, signals[SIGNAL_IQ_REQUEST], 0, request, &handled);

  return handled;
}

static void
on_stanza (BoshConnection *connection,
           BoshElement    *stanza,
           gpointer        user_data)
{
  g_autoptr(BoshClient) self = g_object_ref (user_data);
  /* Only what somebody asks for has a quark: the names that a server sends are
   * not kept for ever. */
  GQuark detail = g_quark_try_string (bosh_element_get_name (stanza));

  g_signal_emit (self, signals[SIGNAL_STANZA], detail, stanza);
  client_handle_request (self, stanza);
}

/* --- The object --- */

static void
create_connection (BoshClient *self)
{
  self->connection = bosh_connection_new (self->domain, self->configuration);
  g_return_if_fail (self->connection != NULL);

  bosh_connection_set_client (self->connection, &connection_funcs, self);
  g_signal_connect (self->connection, "stanza", G_CALLBACK (on_stanza), self);
  g_signal_connect (self->connection, "closed", G_CALLBACK (on_closed), self);
}

void
client_release_connection (BoshClient *self)
{
  bosh_connection_set_client (self->connection, NULL, NULL);
  g_signal_handlers_disconnect_by_data (self->connection, self);
}

void
client_renew_connection (BoshClient *self)
{
  client_release_connection (self);
  g_clear_object (&self->connection);
  create_connection (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CONNECTION]);
}

static void
bosh_client_constructed (GObject *object)
{
  BoshClient *self = BOSH_CLIENT (object);

  G_OBJECT_CLASS (bosh_client_parent_class)->constructed (object);

  if (self->configuration == NULL)
    self->configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION, NULL);
  create_connection (self);
}

static void
bosh_client_dispose (GObject *object)
{
  BoshClient *self = BOSH_CLIENT (object);

  if (self->connection != NULL)
    {
      client_reconnect_stop (self);
      client_forget_login (self);
      client_release_connection (self);
      g_clear_object (&self->connection);
    }
  g_clear_object (&self->configuration);

  G_OBJECT_CLASS (bosh_client_parent_class)->dispose (object);
}

static void
bosh_client_finalize (GObject *object)
{
  BoshClient *self = BOSH_CLIENT (object);

  g_clear_pointer (&self->iqs, bosh_iq_tracker_free);
  g_clear_pointer (&self->features, bosh_element_unref);
  g_clear_pointer (&self->reconnect, client_reconnect_free);
  g_free (self->domain);
  g_free (self->jid);
  g_free (self->mechanism);

  G_OBJECT_CLASS (bosh_client_parent_class)->finalize (object);
}

static void
bosh_client_get_property (GObject    *object,
                          guint       prop_id,
                          GValue     *value,
                          GParamSpec *pspec)
{
  BoshClient *self = BOSH_CLIENT (object);

  switch (prop_id)
    {
    case PROP_DOMAIN:
      g_value_set_string (value, self->domain);
      break;
    case PROP_CONFIGURATION:
      g_value_set_object (value, self->configuration);
      break;
    case PROP_CONNECTION:
      g_value_set_object (value, bosh_client_get_connection (self));
      break;
    case PROP_STATE:
      g_value_set_enum (value, bosh_client_get_state (self));
      break;
    case PROP_JID:
      g_value_set_string (value, bosh_client_get_jid (self));
      break;
    case PROP_MECHANISM:
      g_value_set_string (value, bosh_client_get_mechanism (self));
      break;
    case PROP_ALLOW_PLAINTEXT_PASSWORD:
      g_value_set_boolean (value, bosh_client_get_allow_plaintext_password (self));
      break;
    case PROP_PIPELINE_LOGIN:
      g_value_set_boolean (value, bosh_client_get_pipeline_login (self));
      break;
    case PROP_AUTO_RECONNECT:
      g_value_set_boolean (value, bosh_client_get_auto_reconnect (self));
      break;
    case PROP_MAX_RECONNECT_ATTEMPTS:
      g_value_set_uint (value, bosh_client_get_max_reconnect_attempts (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
bosh_client_set_property (GObject      *object,
                          guint         prop_id,
                          const GValue *value,
                          GParamSpec   *pspec)
{
  BoshClient *self = BOSH_CLIENT (object);

  switch (prop_id)
    {
    case PROP_DOMAIN:
      self->domain = g_value_dup_string (value);
      break;
    case PROP_CONFIGURATION:
      self->configuration = g_value_dup_object (value);
      break;
    case PROP_ALLOW_PLAINTEXT_PASSWORD:
      bosh_client_set_allow_plaintext_password (self, g_value_get_boolean (value));
      break;
    case PROP_PIPELINE_LOGIN:
      bosh_client_set_pipeline_login (self, g_value_get_boolean (value));
      break;
    case PROP_AUTO_RECONNECT:
      bosh_client_set_auto_reconnect (self, g_value_get_boolean (value));
      break;
    case PROP_MAX_RECONNECT_ATTEMPTS:
      bosh_client_set_max_reconnect_attempts (self, g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
install_properties (GObjectClass *object_class)
{
  /**
   * BoshClient:domain:
   *
   * The XMPP domain to log in to, in lower case.
   *
   * Since: 1.0
   */
  properties[PROP_DOMAIN] =
    g_param_spec_string ("domain", NULL, NULL, NULL,
                         (G_PARAM_READWRITE |
                          G_PARAM_CONSTRUCT_ONLY |
                          G_PARAM_STATIC_STRINGS));

  /**
   * BoshClient:configuration:
   *
   * How to reach the connection manager, and what to ask it for; without one,
   * the defaults.
   *
   * If it has no [property@Bosh.ConnectionConfiguration:hostname],
   * [method@Bosh.Client.connect_async] asks the domain for the address
   * (XEP-0156), as [class@Bosh.Discovery] does. What is found takes the place of
   * host name, port, path and security, in this property and in that of the
   * connection; everything else stays as it was given.
   *
   * Since: 1.0
   */
  properties[PROP_CONFIGURATION] =
    g_param_spec_object ("configuration", NULL, NULL,
                         BOSH_TYPE_CONNECTION_CONFIGURATION,
                         (G_PARAM_READWRITE |
                          G_PARAM_CONSTRUCT_ONLY |
                          G_PARAM_STATIC_STRINGS));

  /**
   * BoshClient:connection:
   *
   * The connection that carries the session. It is there from the start and
   * stays the same, unless [property@Bosh.Client:auto-reconnect] is set: then
   * each attempt to log in again has a connection of its own, because a closed
   * one is not used again. `notify::connection` is emitted before it is opened:
   * connect to its signals there.
   *
   * Since: 1.0
   */
  properties[PROP_CONNECTION] =
    g_param_spec_object ("connection", NULL, NULL, BOSH_TYPE_CONNECTION,
                         (G_PARAM_READABLE |
                          G_PARAM_STATIC_STRINGS));

  /**
   * BoshClient:state:
   *
   * How far the login has come.
   *
   * Since: 1.0
   */
  properties[PROP_STATE] =
    g_param_spec_enum ("state", NULL, NULL, BOSH_TYPE_CLIENT_STATE,
                       BOSH_CLIENT_STATE_NEW,
                       (G_PARAM_READABLE |
                        G_PARAM_STATIC_STRINGS));

  /**
   * BoshClient:jid:
   *
   * The full JID that the server bound (RFC 6120 §7), or that of the session
   * that was taken up; `NULL` before. It stays readable after the end.
   *
   * Since: 1.0
   */
  properties[PROP_JID] =
    g_param_spec_string ("jid", NULL, NULL, NULL,
                         (G_PARAM_READABLE |
                          G_PARAM_STATIC_STRINGS));

  /**
   * BoshClient:mechanism:
   *
   * The SASL mechanism of the last login that has ended, such as
   * `SCRAM-SHA-256`; `NULL` before the first, and where none was chosen.
   *
   * Since: 1.0
   */
  properties[PROP_MECHANISM] =
    g_param_spec_string ("mechanism", NULL, NULL, NULL,
                         (G_PARAM_READABLE |
                          G_PARAM_STATIC_STRINGS));

  /**
   * BoshClient:allow-plaintext-password:
   *
   * Whether the password may be shown to anybody on the way to the server.
   *
   * By default it is not: over a connection that is not encrypted and leaves
   * this machine, PLAIN is refused with
   * `BOSH_ERROR_INSECURE_MECHANISM`. It counts at the time of a login.
   *
   * Since: 1.0
   */
  properties[PROP_ALLOW_PLAINTEXT_PASSWORD] =
    g_param_spec_boolean ("allow-plaintext-password", NULL, NULL, FALSE,
                          (G_PARAM_READWRITE |
                           G_PARAM_EXPLICIT_NOTIFY |
                           G_PARAM_STATIC_STRINGS));

  /**
   * BoshClient:pipeline-login:
   *
   * Whether the request to bind a resource goes out right behind the restart of
   * the stream, without waiting for the features that allow it; `FALSE` by
   * default.
   *
   * That spares one round trip of a login, and makes the second connection
   * of the session a little earlier. Where the server may hang when requests arrive
   * in another order, as ejabberd does, the request waits for 100 ms at most, and
   * only what a round trip takes beyond that is spared; should such a server need
   * longer than that to read the restart, the login is timed out.
   *
   * RFC 6120 §7.4 wants a client to wait, so it is done by itself only where the
   * server offers it (XEP-0305). Prosody and ejabberd allow it without saying so. A
   * server that does not answers with an error, with which the login fails, or
   * not at all, with which it is timed out. So set it for a server that is known,
   * not for all. It counts at the time of a login, and plays no part where the
   * server needs no restart (XEP-0388).
   *
   * Since: 1.0
   */
  properties[PROP_PIPELINE_LOGIN] =
    g_param_spec_boolean ("pipeline-login", NULL, NULL, FALSE,
                          (G_PARAM_READWRITE |
                           G_PARAM_EXPLICIT_NOTIFY |
                           G_PARAM_STATIC_STRINGS));

  /**
   * BoshClient:auto-reconnect:
   *
   * Whether the client logs in again by itself when the session of somebody who
   * was logged in is lost.
   *
   * It does so after a loss that a new login can mend, and only then: the
   * session is gone (`BOSH_ERROR_SESSION_LOST`, `BOSH_ERROR_ITEM_NOT_FOUND`, or
   * ended without a reason), the server has trouble or is restarted, it can't be
   * reached, or something between answers in its place. It does not where that
   * would not help or would do harm: after `conflict` (somebody else logged in
   * with the same resource), after anything that finds fault with us
   * (`policy-violation`, `bad-request`), when the server can't be trusted, when
   * the credentials are refused, and never after
   * [method@Bosh.Client.disconnect_async] or a hand-over. Nor is the first login
   * repeated.
   *
   * First [signal@Bosh.Client::session-lost] is emitted, which says what is to
   * be sent again. [property@Bosh.Client:state] is `RECONNECTING` then until it
   * is `READY` again, with another connection and perhaps another JID, or
   * `CLOSED`. The first attempt comes after one to two seconds, the others ever
   * more slowly, each after a time that is drawn at random from the upper half
   * of its interval, two minutes at most; when the network comes back, at once.
   * There are at most [property@Bosh.Client:max-reconnect-attempts] of them.
   * Roster, presence and the like are those of a new session: ask for them when
   * the state is `READY`.
   *
   * The credentials of a login that is made while this is set are kept in
   * memory, the password in a place that is not swapped, and beside it what SCRAM
   * computes of it (RFC 5802 §5.1), for as long as they may be needed: until the
   * client is disconnected, handed over, closed or dropped, or this is set to
   * `FALSE`. So set it before the login. A session that was
   * taken up with [method@Bosh.Client.attach_async] has no credentials. An
   * anonymous login gives another JID each time.
   *
   * Setting it to `FALSE` while the client is reconnecting ends that, with the
   * error of the loss.
   *
   * Since: 1.0
   */
  properties[PROP_AUTO_RECONNECT] =
    g_param_spec_boolean ("auto-reconnect", NULL, NULL, FALSE,
                          (G_PARAM_READWRITE |
                           G_PARAM_EXPLICIT_NOTIFY |
                           G_PARAM_STATIC_STRINGS));

  /**
   * BoshClient:max-reconnect-attempts:
   *
   * How many attempts to log in again are made before the client gives up and
   * [signal@Bosh.Client::closed] is emitted; see
   * [property@Bosh.Client:auto-reconnect]. With the default of 10 that takes
   * about eight minutes.
   *
   * They are counted anew when a session has lasted for a minute. An attempt
   * does not count that fails while the system says that there is no network, as
   * on a machine that was taken elsewhere.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_RECONNECT_ATTEMPTS] =
    g_param_spec_uint ("max-reconnect-attempts", NULL, NULL,
                       1, G_MAXUINT, BOSH_CLIENT_MAX_RECONNECT_ATTEMPTS,
                       (G_PARAM_READWRITE |
                        G_PARAM_EXPLICIT_NOTIFY |
                        G_PARAM_STATIC_STRINGS));

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
bosh_client_class_init (BoshClientClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = bosh_client_constructed;
  object_class->dispose = bosh_client_dispose;
  object_class->finalize = bosh_client_finalize;
  object_class->get_property = bosh_client_get_property;
  object_class->set_property = bosh_client_set_property;

  install_properties (object_class);

  /**
   * BoshClient::stanza:
   * @self: the client
   * @stanza: what arrived
   *
   * A stanza arrived, or another element that the server sent.
   *
   * The detail is the name of the element: `stanza::message`,
   * `stanza::presence`, `stanza::iq`. Elements of the login, stream features
   * and answers to [method@Bosh.Client.send_iq_async] are not shown; an answer
   * that comes after its request has timed out is.
   *
   * Since: 1.0
   */
  signals[SIGNAL_STANZA] =
    g_signal_new ("stanza",
                  G_TYPE_FROM_CLASS (klass),
                  G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED,
                  0,
                  NULL, NULL,
                  NULL,
                  G_TYPE_NONE,
                  1,
                  BOSH_TYPE_ELEMENT);

  /**
   * BoshClient::iq-request:
   * @self: the client
   * @request: an iq of type `get` or `set`, with an id and one child
   *
   * Somebody wants an answer (RFC 6120 §8.2.3). It is emitted after
   * [signal@Bosh.Client::stanza], and only while somebody is logged in.
   *
   * Returns: `TRUE` if the application gives the answer, now or later, with
   *   [method@Bosh.Element.new_iq_result] or
   *   [method@Bosh.Element.new_error_reply]; `FALSE` to let other handlers, and
   *   at last the client, see to it
   *
   * Since: 1.0
   */
  signals[SIGNAL_IQ_REQUEST] =
    g_signal_new ("iq-request",
                  G_TYPE_FROM_CLASS (klass),
                  G_SIGNAL_RUN_LAST,
                  0,
                  g_signal_accumulator_true_handled, NULL,
                  NULL,
                  G_TYPE_BOOLEAN,
                  1,
                  BOSH_TYPE_ELEMENT);

  /**
   * BoshClient::session-lost:
   * @self: the client
   * @connection: the connection that was lost; it is closed
   * @error: why
   *
   * The session was lost, and the client will log in again, because
   * [property@Bosh.Client:auto-reconnect] is set. Now the application decides
   * what becomes of the stanzas that did not arrive for certain:
   *
   * - [method@Bosh.Connection.dup_undelivered] of @connection gives those of
   *   which nobody knows whether they arrived. None of them is sent again by
   *   itself. Those that may arrive twice can be given to
   *   [method@Bosh.Client.send] here.
   * - [method@Bosh.Connection.dup_unsent] gives those of which nothing left this
   *   machine. They are sent again in the new session if a handler returns
   *   `TRUE`, after what was sent here; else they are dropped. Requests of
   *   [method@Bosh.Client.send_iq_async] are not among what is sent again, as
   *   they fail with @error.
   *
   * What is given to [method@Bosh.Client.send] from now on waits for the new
   * session. Nothing of it gets lost when a later attempt fails too; see
   * [method@Bosh.Client.dup_unsent]. A handler may disconnect.
   *
   * Returns: `TRUE` to send again what was never sent, `FALSE` to let other
   *   handlers decide, and at last to drop it
   *
   * Since: 1.0
   */
  signals[SIGNAL_SESSION_LOST] =
    g_signal_new ("session-lost",
                  G_TYPE_FROM_CLASS (klass),
                  G_SIGNAL_RUN_LAST,
                  0,
                  g_signal_accumulator_true_handled, NULL,
                  NULL,
                  G_TYPE_BOOLEAN,
                  2,
                  BOSH_TYPE_CONNECTION,
                  G_TYPE_ERROR);

  /**
   * BoshClient::closed:
   * @self: the client
   * @error: (nullable): why the session ended, or `NULL` if it was ended by
   *   [method@Bosh.Client.disconnect_async]
   *
   * The session has ended, and no other follows. Everything that was under way
   * has returned. It is not emitted when the session was handed over. Where the
   * client had tried to log in again, @error is that of the last attempt.
   *
   * Since: 1.0
   */
  signals[SIGNAL_CLOSED] =
    g_signal_new ("closed",
                  G_TYPE_FROM_CLASS (klass),
                  G_SIGNAL_RUN_LAST,
                  0,
                  NULL, NULL,
                  NULL,
                  G_TYPE_NONE,
                  1,
                  G_TYPE_ERROR);
}

static void
bosh_client_init (BoshClient *self)
{
  self->reconnect = client_reconnect_new ();
}

/* --- Public interface --- */

/**
 * bosh_client_new:
 * @domain: the XMPP domain, in lower case
 * @configuration: (nullable): how to reach the connection manager, or `NULL` for
 *   the defaults, and the address that the domain announces
 *
 * Makes a client. Nothing is sent before
 * [method@Bosh.Client.connect_async].
 *
 * A configuration without a host name is completed by what the domain announces:
 * see [property@Bosh.Client:configuration].
 *
 * Returns: (transfer full): a new client
 *
 * Since: 1.0
 */
BoshClient *
bosh_client_new (const char                  *domain,
                 BoshConnectionConfiguration *configuration)
{
  g_return_val_if_fail (domain != NULL, NULL);
  g_return_val_if_fail (configuration == NULL ||
                          BOSH_IS_CONNECTION_CONFIGURATION (configuration),
                        NULL);

  return g_object_new (BOSH_TYPE_CLIENT,
                       "domain", domain,
                       "configuration", configuration,
                       NULL);
}

/**
 * bosh_client_get_connection:
 * @self: a client
 *
 * Gets the value of [property@Bosh.Client:connection].
 *
 * Returns: (transfer none): the connection
 *
 * Since: 1.0
 */
BoshConnection *
bosh_client_get_connection (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);

  return self->connection;
}

/**
 * bosh_client_get_state:
 * @self: a client
 *
 * Gets the value of [property@Bosh.Client:state].
 *
 * Returns: how far the login has come
 *
 * Since: 1.0
 */
BoshClientState
bosh_client_get_state (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), BOSH_CLIENT_STATE_NEW);

  return self->state;
}

/**
 * bosh_client_get_jid:
 * @self: a client
 *
 * Gets the value of [property@Bosh.Client:jid].
 *
 * Returns: (nullable): the full JID
 *
 * Since: 1.0
 */
const char *
bosh_client_get_jid (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);

  return self->jid;
}

/**
 * bosh_client_get_mechanism:
 * @self: a client
 *
 * Gets the value of [property@Bosh.Client:mechanism].
 *
 * Returns: (nullable): the SASL mechanism
 *
 * Since: 1.0
 */
const char *
bosh_client_get_mechanism (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);

  return self->mechanism;
}

/**
 * bosh_client_get_allow_plaintext_password:
 * @self: a client
 *
 * Gets the value of [property@Bosh.Client:allow-plaintext-password].
 *
 * Returns: `TRUE` if the password may be sent in the clear
 *
 * Since: 1.0
 */
gboolean
bosh_client_get_allow_plaintext_password (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);

  return self->allow_plaintext_password;
}

/**
 * bosh_client_set_allow_plaintext_password:
 * @self: a client
 * @allow_plaintext_password: whether the password may be sent in the clear
 *
 * Sets the value of [property@Bosh.Client:allow-plaintext-password].
 *
 * Since: 1.0
 */
void
bosh_client_set_allow_plaintext_password (BoshClient *self,
                                          gboolean    allow_plaintext_password)
{
  g_return_if_fail (BOSH_IS_CLIENT (self));

  allow_plaintext_password = !!allow_plaintext_password;
  if (self->allow_plaintext_password == allow_plaintext_password)
    return;

  self->allow_plaintext_password = allow_plaintext_password;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ALLOW_PLAINTEXT_PASSWORD]);
}
