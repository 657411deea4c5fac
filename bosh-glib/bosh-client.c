/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-client-private.h"

#include "bosh-connection-private.h"
#include "bosh-enum-types.h"
#include "bosh-error.h"
#include "bosh-iq-reply-private.h"
#include "bosh-status-private.h"

/**
 * BoshClient:
 *
 * An XMPP client: it logs in over a [class@Bosh.Connection], exchanges stanzas, and
 * can hand the session over.
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
 * configuration = bosh_connection_configuration_new (uri, &error);
 * client = bosh_client_new ("example.org", configuration);
 * g_signal_connect (client, "stanza::message", G_CALLBACK (on_message), NULL);
 * bosh_client_connect_async (client, NULL, on_connected, NULL);
 * ```
 *
 * ## From connecting to closing
 *
 * [method@Bosh.Client.connect_async] opens the session. One of the three logins
 * authenticates and binds a resource; after a login that the server refused,
 * another one can follow in the same session. From then on
 * [method@Bosh.Client.send], [method@Bosh.Client.deliver_async] and
 * [method@Bosh.Client.send_iq_async] send, and [signal@Bosh.Client::stanza] is
 * emitted for each stanza that arrives. With
 * [property@Bosh.Client:auto-reconnect] the client logs in again by itself when the
 * session is lost.
 *
 * The session ends with [method@Bosh.Client.disconnect_async]. When it has ended,
 * for whatever reason, [property@Bosh.Client:state] is `CLOSED` and
 * [signal@Bosh.Client::closed] is emitted. After [method@Bosh.Client.detach_async]
 * it goes on elsewhere: the state is `DETACHED`, and `closed` is not emitted. A
 * client does not connect a second time.
 *
 * Elements of the login, and responses to [method@Bosh.Client.send_iq_async], are
 * not shown by any signal.
 *
 * ## Requests of others
 *
 * RFC 6120 §8.2.3 demands a response to each iq of type `get` or `set`. Once logged
 * in, the client gives it unless a handler of [signal@Bosh.Client::iq-request] says
 * that the application does: a ping (XEP-0199) gets its empty result, an iq that is
 * no proper request `bad-request`, and everything else `service-unavailable`.
 *
 * ## Passwords
 *
 * SCRAM is preferred (RFC 5802): the server does not see the password, and has to
 * prove that it knows it. PLAIN is used only where the connection is encrypted, or
 * stays on this machine, or [property@Bosh.Client:allow-plaintext-password] was
 * set. A password is kept no longer than the login needs it, unless
 * [property@Bosh.Client:auto-reconnect] asks for that.
 *
 * ## Threads
 *
 * All signals are emitted, and all callbacks called, in the thread-default main
 * context that was current when [method@Bosh.Client.connect_async],
 * [method@Bosh.Client.attach_async] or [method@Bosh.Client.prebind_async] was
 * called. Use the client in that thread only; the last reference may be dropped in
 * any. A handler may send, disconnect, or drop the last reference.
 *
 * Since: 1.0
 */

struct _BoshClient
{
  GObject                      parent_instance;

  /* Until the driver is made of them. */
  char                        *domain;
  BoshConnectionConfiguration *configuration;

  BoshClientDriver            *driver;

  /* The driver's, as they were notified last. */
  BoshClientState              state;
  char                        *jid;
  char                        *mechanism;
  char                        *status;
  GError                      *last_error;
  gint64                       next_attempt;

  /* The connection's, likewise. */
  GTlsCertificate             *tls_peer_certificate;
  GTlsCertificateFlags         tls_peer_certificate_errors;
};

#define READABLE (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)
#define READWRITE (G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS)
#define CONSTRUCT_ONLY (G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS)

enum
{
  PROP_0,
  PROP_DOMAIN,
  PROP_CONFIGURATION,
  PROP_CONNECTION,
  PROP_STATE,
  PROP_JID,
  PROP_MECHANISM,
  PROP_STATUS,
  PROP_LAST_ERROR,
  PROP_NEXT_ATTEMPT,
  PROP_TLS_PEER_CERTIFICATE,
  PROP_TLS_PEER_CERTIFICATE_ERRORS,
  PROP_ALLOW_PLAINTEXT_PASSWORD,
  PROP_PIPELINE_LOGIN,
  PROP_USE_SASL2,
  PROP_AUTO_RECONNECT,
  PROP_MAX_RECONNECT_ATTEMPTS,
  PROP_RETRY_CONNECT,
  N_PROPS
};

enum
{
  SIGNAL_STANZA,
  SIGNAL_STANZA_LEFT_OUT,
  SIGNAL_IQ_REQUEST,
  SIGNAL_SESSION_LOST,
  SIGNAL_SESSION_RENEWED,
  SIGNAL_ACCEPT_CERTIFICATE,
  SIGNAL_CLOSED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (BoshClient, bosh_client, G_TYPE_OBJECT)

/* The states of the machine are those of the client. */
G_STATIC_ASSERT ((int)BOSH_RECONNECT_CLOSED == (int)BOSH_CLIENT_STATE_CLOSED);

/* Sees to it that @element has a response, if it is a request. */
static void
respond (BoshClient  *self,
         BoshElement *element)
{
  BoshIqKind kind = bosh_iq_get_kind (element);
  g_autoptr(BoshElement) reply = NULL;
  gboolean is_handled = FALSE;

  if (kind != BOSH_IQ_REQUEST && kind != BOSH_IQ_MALFORMED)
    return;
  /* Before a resource is bound nobody can address a request to us. */
  if (!bosh_reconnect_is_logged_in (bosh_client_driver_get_machine (self->driver)))
    return;

  if (kind == BOSH_IQ_REQUEST)
    g_signal_emit (self, signals[SIGNAL_IQ_REQUEST], 0, element, &is_handled);
  if (is_handled)
    return;

  /* After the end of the session nobody waits for the reply. */
  reply = bosh_iq_reply_new_default (element);
  bosh_connection_reply (bosh_client_get_connection (self), reply);
}

/* A request that was left out has an error as its response. */
static void
refuse (BoshClient   *self,
        BoshElement  *stub,
        const GError *reason)
{
  g_autoptr(BoshElement) reply = bosh_iq_reply_new_refusal (stub, reason);

  if (reply != NULL && bosh_reconnect_is_logged_in (bosh_client_driver_get_machine (self->driver)))
    bosh_connection_reply (bosh_client_get_connection (self), reply);
}

/* --- What the driver tells --- */

static gboolean
replace (char       **place,
         const char  *value)
{
  if (g_strcmp0 (*place, value) == 0)
    return FALSE;

  g_free (*place);
  *place = g_strdup (value);

  return TRUE;
}

static gboolean
replace_error (GError       **place,
               const GError  *value)
{
  if (value != NULL && *place != NULL && g_error_matches (value, (*place)->domain, (*place)->code) &&
      g_str_equal (value->message, (*place)->message))
    return FALSE;
  if (value == NULL && *place == NULL)
    return FALSE;

  g_clear_error (place);
  *place = value != NULL ? g_error_copy (value) : NULL;

  return TRUE;
}

/* What a program may show of the present state. */
static void
update_progress (BoshClient *self)
{
  BoshReconnect *machine = bosh_client_driver_get_machine (self->driver);
  BoshConnection *connection = bosh_client_driver_get_connection (self->driver);
  g_autofree char *status = bosh_status_describe (machine, bosh_connection_get_state (connection));
  gint64 next_attempt = bosh_reconnect_get_next_attempt (machine);

  if (replace_error (&self->last_error, bosh_reconnect_get_last_error (machine)))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LAST_ERROR]);
  if (next_attempt != self->next_attempt)
    {
      self->next_attempt = next_attempt;
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_NEXT_ATTEMPT]);
    }
  if (replace (&self->status, status))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATUS]);
}

static void
on_changed (gpointer owner)
{
  BoshClient *self = owner;

  g_object_freeze_notify (G_OBJECT (self));
  update_progress (self);
  if (replace (&self->mechanism, bosh_client_driver_get_mechanism (self->driver)))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MECHANISM]);
  if (replace (&self->jid, bosh_client_driver_get_jid (self->driver)))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_JID]);
  if (self->state != bosh_client_get_state (self))
    {
      self->state = bosh_client_get_state (self);
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
    }
  g_object_thaw_notify (G_OBJECT (self));
}

static void
on_located (gpointer owner)
{
  g_object_notify_by_pspec (G_OBJECT (owner), properties[PROP_CONFIGURATION]);
}

static void
on_renewed (gpointer owner)
{
  g_object_notify_by_pspec (G_OBJECT (owner), properties[PROP_CONNECTION]);
}

static gboolean
on_lost (BoshConnection *connection,
         const GError   *error,
         gpointer        owner)
{
  gboolean resend = FALSE;

  g_signal_emit (owner, signals[SIGNAL_SESSION_LOST], 0, connection, error, &resend);

  return resend;
}

static gboolean
on_session_renewed (gpointer owner)
{
  gboolean hold = FALSE;

  g_signal_emit (owner, signals[SIGNAL_SESSION_RENEWED], 0, &hold);

  return hold;
}

static void
on_fell_back (gpointer owner)
{
  g_object_notify_by_pspec (G_OBJECT (owner), properties[PROP_USE_SASL2]);
}

static gboolean
on_accept_certificate (GTlsCertificate      *certificate,
                       GTlsCertificateFlags  errors,
                       gpointer              owner)
{
  gboolean is_accepted = FALSE;

  g_signal_emit (owner, signals[SIGNAL_ACCEPT_CERTIFICATE], 0, certificate, errors, &is_accepted);

  return is_accepted;
}

static void
on_certificate_changed (gpointer owner)
{
  BoshClient *self = owner;
  BoshConnection *connection = bosh_client_driver_get_connection (self->driver);
  GTlsCertificateFlags errors = bosh_connection_get_tls_peer_certificate_errors (connection);
  gboolean has_other_errors = errors != self->tls_peer_certificate_errors;
  gboolean is_another = g_set_object (&self->tls_peer_certificate,
                                      bosh_connection_get_tls_peer_certificate (connection));

  g_object_freeze_notify (G_OBJECT (self));
  self->tls_peer_certificate_errors = errors;
  if (is_another)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TLS_PEER_CERTIFICATE]);
  if (has_other_errors)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TLS_PEER_CERTIFICATE_ERRORS]);
  g_object_thaw_notify (G_OBJECT (self));
}

static void
on_stanza (BoshElement *stanza,
           gpointer     owner)
{
  BoshClient *self = owner;
  /* A name for which no handler is connected has no quark: names from the network
   * are never interned. */
  GQuark detail = g_quark_try_string (bosh_element_get_name (stanza));

  g_signal_emit (self, signals[SIGNAL_STANZA], detail, stanza);
  respond (self, stanza);
}

static void
on_left_out (BoshElement  *stub,
             guint64       size,
             const GError *reason,
             gpointer      owner)
{
  g_autoptr(BoshClient) self = g_object_ref (owner);

  g_signal_emit (self, signals[SIGNAL_STANZA_LEFT_OUT], 0,
                 bosh_element_get_name (stub),
                 bosh_element_get_attribute (stub, "from"),
                 bosh_element_get_attribute (stub, "id"),
                 size, reason);
  refuse (self, stub, reason);
}

static void
on_closed (const GError *error,
           gpointer      owner)
{
  g_signal_emit (owner, signals[SIGNAL_CLOSED], 0, error);
}

static const BoshClientDriverCallbacks driver_callbacks = {
  .changed = on_changed,
  .located = on_located,
  .renewed = on_renewed,
  .lost = on_lost,
  .session_renewed = on_session_renewed,
  .accept_certificate = on_accept_certificate,
  .certificate_changed = on_certificate_changed,
  .fell_back = on_fell_back,
  .stanza = on_stanza,
  .left_out = on_left_out,
  .closed = on_closed,
};

/* --- The object --- */

static void
bosh_client_constructed (GObject *object)
{
  BoshClient *self = BOSH_CLIENT (object);

  G_OBJECT_CLASS (bosh_client_parent_class)->constructed (object);

  self->driver = bosh_client_driver_new (self->domain, self->configuration, &driver_callbacks,
                                         self);
  g_clear_object (&self->configuration);
  g_clear_pointer (&self->domain, g_free);
  update_progress (self);
}

static void
bosh_client_dispose (GObject *object)
{
  BoshClient *self = BOSH_CLIENT (object);

  /* Where the last reference is dropped in another thread, bosh_client_driver_free() does
   * the rest in that of the context. */
  if (bosh_client_driver_is_here (self->driver))
    bosh_client_driver_stop (self->driver);
  else if (!bosh_client_driver_leave (self->driver))
    return;

  G_OBJECT_CLASS (bosh_client_parent_class)->dispose (object);
}

static void
bosh_client_finalize (GObject *object)
{
  BoshClient *self = BOSH_CLIENT (object);

  bosh_client_driver_free (self->driver);
  g_free (self->jid);
  g_free (self->mechanism);
  g_free (self->status);
  g_clear_error (&self->last_error);
  g_clear_object (&self->tls_peer_certificate);

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
      g_value_set_string (value, bosh_client_get_domain (self));
      break;
    case PROP_CONFIGURATION:
      g_value_set_object (value, bosh_client_get_configuration (self));
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
    case PROP_STATUS:
      g_value_set_string (value, bosh_client_get_status (self));
      break;
    case PROP_LAST_ERROR:
      g_value_set_boxed (value, bosh_client_get_last_error (self));
      break;
    case PROP_NEXT_ATTEMPT:
      g_value_set_int64 (value, bosh_client_get_next_attempt (self));
      break;
    case PROP_TLS_PEER_CERTIFICATE:
      g_value_set_object (value, bosh_client_get_tls_peer_certificate (self));
      break;
    case PROP_TLS_PEER_CERTIFICATE_ERRORS:
      g_value_set_flags (value, bosh_client_get_tls_peer_certificate_errors (self));
      break;
    case PROP_ALLOW_PLAINTEXT_PASSWORD:
      g_value_set_boolean (value, bosh_client_get_allow_plaintext_password (self));
      break;
    case PROP_PIPELINE_LOGIN:
      g_value_set_boolean (value, bosh_client_get_pipeline_login (self));
      break;
    case PROP_USE_SASL2:
      g_value_set_boolean (value, bosh_client_get_use_sasl2 (self));
      break;
    case PROP_AUTO_RECONNECT:
      g_value_set_boolean (value, bosh_client_get_auto_reconnect (self));
      break;
    case PROP_MAX_RECONNECT_ATTEMPTS:
      g_value_set_uint (value, bosh_client_get_max_reconnect_attempts (self));
      break;
    case PROP_RETRY_CONNECT:
      g_value_set_boolean (value, bosh_client_get_retry_connect (self));
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
    case PROP_USE_SASL2:
      bosh_client_set_use_sasl2 (self, g_value_get_boolean (value));
      break;
    case PROP_AUTO_RECONNECT:
      bosh_client_set_auto_reconnect (self, g_value_get_boolean (value));
      break;
    case PROP_MAX_RECONNECT_ATTEMPTS:
      bosh_client_set_max_reconnect_attempts (self, g_value_get_uint (value));
      break;
    case PROP_RETRY_CONNECT:
      bosh_client_set_retry_connect (self, g_value_get_boolean (value));
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
   * The XMPP domain to log in to. It may be given as people type it, and reads back
   * prepared, as [property@Bosh.Connection:domain] does.
   *
   * Since: 1.0
   */
  properties[PROP_DOMAIN] =
    g_param_spec_string ("domain", NULL, NULL, NULL,
                         CONSTRUCT_ONLY);

  /**
   * BoshClient:configuration:
   *
   * How to reach the connection manager, and what to ask of it; a client that is
   * given none has the defaults.
   *
   * If it has no [property@Bosh.ConnectionConfiguration:uri],
   * [method@Bosh.Client.connect_async] asks the domain for the address
   * (XEP-0156), as [class@Bosh.Discovery] does. The configuration with that address
   * and all other settings as they were given then takes the place of this one, here
   * and in the connection. If no session can be opened at the address, the next one that
   * is announced takes its place, and if none is left, connecting fails. With
   * [property@Bosh.Client:auto-reconnect] the domain is asked again when the address stops
   * working.
   *
   * Since: 1.0
   */
  properties[PROP_CONFIGURATION] =
    g_param_spec_object ("configuration", NULL, NULL,
                         BOSH_TYPE_CONNECTION_CONFIGURATION,
                         CONSTRUCT_ONLY);

  /**
   * BoshClient:connection:
   *
   * The connection that carries the session. It is there from the start and
   * stays the same, unless [property@Bosh.Client:auto-reconnect] is set, or the domain
   * announces several addresses: each attempt to log in again, and each address, has a
   * connection of its own, because a closed one is not used again. `notify::connection` is emitted before the new
   * connection is opened, so that handlers can be connected to its signals.
   *
   * Since: 1.0
   */
  properties[PROP_CONNECTION] =
    g_param_spec_object ("connection", NULL, NULL, BOSH_TYPE_CONNECTION,
                         READABLE);

  /**
   * BoshClient:state:
   *
   * Where the client is in its life.
   *
   * Since: 1.0
   */
  properties[PROP_STATE] =
    g_param_spec_enum ("state", NULL, NULL, BOSH_TYPE_CLIENT_STATE,
                       BOSH_CLIENT_STATE_NEW,
                       READABLE);

  /**
   * BoshClient:jid:
   *
   * The full JID that the server bound (RFC 6120 §7), or the JID of the session
   * that was attached; `NULL` before. It stays readable after the end.
   *
   * Since: 1.0
   */
  properties[PROP_JID] =
    g_param_spec_string ("jid", NULL, NULL, NULL,
                         READABLE);

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
                         READABLE);

  /**
   * BoshClient:status:
   *
   * How the client is, in a few words for people: “Online”, or “Connection lost, trying
   * again soon: …” with the reason. It is translated, has no full stop, and is meant for a
   * banner or a status bar; programs look at [property@Bosh.Client:state] and
   * [property@Bosh.Client:last-error].
   *
   * Since: 1.0
   */
  properties[PROP_STATUS] =
    g_param_spec_string ("status", NULL, NULL, NULL,
                         READABLE);

  /**
   * BoshClient:last-error:
   *
   * What has gone wrong last, or `NULL` if all is well: why the session was lost, or the
   * last attempt failed, until the client is logged in again; why a login was refused,
   * until the next one; and the error of [signal@Bosh.Client::closed] after the end.
   *
   * Since: 1.0
   */
  properties[PROP_LAST_ERROR] =
    g_param_spec_boxed ("last-error", NULL, NULL, G_TYPE_ERROR,
                        READABLE);

  /**
   * BoshClient:next-attempt:
   *
   * When the client will try again by itself, in microseconds of the clock of
   * [func@GLib.get_monotonic_time], or -1 if it does not wait for that. The difference to
   * the present time of that clock, which no change of the date disturbs, is what a
   * countdown shows. [method@Bosh.Client.retry_now] does not wait for it.
   *
   * Since: 1.0
   */
  properties[PROP_NEXT_ATTEMPT] =
    g_param_spec_int64 ("next-attempt", NULL, NULL,
                        -1, G_MAXINT64, -1,
                        READABLE);

  /**
   * BoshClient:tls-peer-certificate:
   *
   * The certificate of the connection manager, or `NULL` before the first TLS
   * handshake of the session, and over http. Where the session has failed with
   * `BOSH_ERROR_TLS` because of a certificate, this is the one that was refused. See
   * [property@Bosh.Connection:tls-peer-certificate].
   *
   * Since: 1.0
   */
  properties[PROP_TLS_PEER_CERTIFICATE] =
    g_param_spec_object ("tls-peer-certificate", NULL, NULL,
                         G_TYPE_TLS_CERTIFICATE,
                         READABLE);

  /**
   * BoshClient:tls-peer-certificate-errors:
   *
   * What is wrong with [property@Bosh.Client:tls-peer-certificate]. See
   * [property@Bosh.Connection:tls-peer-certificate-errors].
   *
   * Since: 1.0
   */
  properties[PROP_TLS_PEER_CERTIFICATE_ERRORS] =
    g_param_spec_flags ("tls-peer-certificate-errors", NULL, NULL,
                        G_TYPE_TLS_CERTIFICATE_FLAGS,
                        0,
                        READABLE);

  /**
   * BoshClient:allow-plaintext-password:
   *
   * Whether the password may be sent where others can read it.
   *
   * By default it may not: over a connection that is not encrypted and leaves this
   * machine, PLAIN is refused with `BOSH_ERROR_INSECURE_MECHANISM`. A login uses the
   * value that is set when it begins.
   *
   * Since: 1.0
   */
  properties[PROP_ALLOW_PLAINTEXT_PASSWORD] =
    g_param_spec_boolean ("allow-plaintext-password", NULL, NULL, FALSE,
                          READWRITE);

  /**
   * BoshClient:pipeline-login:
   *
   * Whether the request to bind a resource is sent right after the restart of the
   * stream, without waiting for the features that allow it; `FALSE` by default.
   *
   * That spares one round trip of a login, and opens the second HTTP connection of
   * the session a little earlier. Where the server may hang when requests arrive
   * out of order, as ejabberd does, the request waits for up to 100 ms, so that only
   * the time of a round trip beyond that is spared; if such a server needs longer
   * than that to read the restart, the login times out.
   *
   * RFC 6120 §7.4 wants a client to wait, so the client does this by itself only
   * where the server offers it (XEP-0305). Prosody and ejabberd allow it without
   * offering it. With a server that does not allow it, the login fails with the error
   * of the server, or times out. So set it for a server that you know, not for all.
   * A login uses the value that is set when it begins; where the server needs no
   * restart (XEP-0388) it makes no difference.
   *
   * Since: 1.0
   */
  properties[PROP_PIPELINE_LOGIN] =
    g_param_spec_boolean ("pipeline-login", NULL, NULL, FALSE,
                          READWRITE);

  /**
   * BoshClient:use-sasl2:
   *
   * Whether a login uses XEP-0388, which takes fewer requests, where the server offers it.
   *
   * Some servers offer it and do not carry it out: Prosody 0.12 with mod_sasl2 of Debian
   * 12 says nothing at all over BOSH. If a server keeps silent for 5 seconds in the middle
   * of such a login (longer where the session took its time to open), or calls a mechanism
   * invalid that it offers, the client logs in by RFC 6120 instead, in another session
   * with a [property@Bosh.Client:connection] of its own. This property is `FALSE` from then
   * on, so a program can remember it for the account. A mechanism that is weaker than the
   * first is not used then.
   *
   * Since: 1.0
   */
  properties[PROP_USE_SASL2] =
    g_param_spec_boolean ("use-sasl2", NULL, NULL, TRUE, READWRITE);

  /**
   * BoshClient:auto-reconnect:
   *
   * Whether the client logs in again by itself when a session in which it was
   * logged in is lost.
   *
   * It does so only after a loss that a new login can mend: the session is gone
   * (`BOSH_ERROR_SESSION_LOST`, `BOSH_ERROR_ITEM_NOT_FOUND`, or ended without a
   * reason), the server has trouble or is restarted, it can't be reached, an
   * intermediary responds in its place, or what responds there is not the server, as
   * its certificate shows: then nothing is sent there, and the client looks again. It
   * does not do so where that would not help or would do harm: after `conflict` (another
   * client logged in with the same resource), after an error that is the fault of the
   * client (`policy-violation`, `bad-request`), when the credentials are refused, and
   * never after [method@Bosh.Client.disconnect_async] or a hand-over. The first login is
   * not repeated either; for connecting there is [property@Bosh.Client:retry-connect].
   *
   * First [signal@Bosh.Client::session-lost] is emitted, whose handlers decide which
   * stanzas are sent again. [property@Bosh.Client:state] is `RECONNECTING` until it
   * is `READY` again, with another connection and perhaps another JID, or `CLOSED`.
   * The first attempt comes after one to two seconds. The interval doubles each time,
   * up to two minutes, and each attempt comes at a random time in the upper half of
   * its interval, or at once when the network comes back. There are at most
   * [property@Bosh.Client:max-reconnect-attempts] of them. Roster, presence and the
   * like are those of a new session: send and ask for them in
   * [signal@Bosh.Client::session-renewed], before what waits is sent.
   *
   * If this is set when a login begins, its credentials are kept in memory: the
   * password in pages that are not swapped, and with it the salted password that
   * SCRAM computes (RFC 5802 §5.1). They are cleared when the client is disconnected,
   * handed over, closed or dropped, or this is set to `FALSE`. So set it before the
   * login. A session that was attached with [method@Bosh.Client.attach_async] has no
   * credentials: give them to [method@Bosh.Client.set_credentials]. An anonymous login
   * gives another JID each time.
   *
   * A login after a loss never uses a weaker mechanism than the one before, so a server
   * that got no password with SCRAM does not get it with PLAIN later.
   *
   * Setting it to `FALSE` while the client is reconnecting ends that, with the
   * error of the loss.
   *
   * Since: 1.0
   */
  properties[PROP_AUTO_RECONNECT] =
    g_param_spec_boolean ("auto-reconnect", NULL, NULL, FALSE,
                          READWRITE);

  /**
   * BoshClient:max-reconnect-attempts:
   *
   * How many attempts to log in again are made before the client gives up and
   * [signal@Bosh.Client::closed] is emitted; see
   * [property@Bosh.Client:auto-reconnect]. With the default of 10 that takes
   * about eight minutes.
   *
   * The count starts again when a session has lasted for a minute. An attempt that
   * fails while the system has no network does not count.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_RECONNECT_ATTEMPTS] =
    g_param_spec_uint ("max-reconnect-attempts", NULL, NULL,
                       1, G_MAXUINT, BOSH_RECONNECT_MAX_ATTEMPTS,
                       READWRITE);

  /**
   * BoshClient:retry-connect:
   *
   * Whether [method@Bosh.Client.connect_async] tries again where no session could be
   * opened; `FALSE` by default, because a wrong address is mostly seen there.
   *
   * It does so after what may pass by itself, as [property@Bosh.Client:auto-reconnect]
   * does, with the same intervals and the same limit
   * ([property@Bosh.Client:max-reconnect-attempts]). Meanwhile the operation is not
   * complete, [property@Bosh.Client:state] is `CONNECTING`,
   * [property@Bosh.Client:last-error] says what has failed, and what is sent waits. Each
   * attempt has a [property@Bosh.Client:connection] of its own. It is over when the session
   * is open, when the operation is cancelled, or with the error of the last attempt.
   *
   * A session that is attached is not tried again: as long as it is there, the connection
   * itself does that.
   *
   * Setting it to `FALSE` while the client waits for the next attempt ends that, with the
   * error of the last one.
   *
   * Since: 1.0
   */
  properties[PROP_RETRY_CONNECT] =
    g_param_spec_boolean ("retry-connect", NULL, NULL, FALSE,
                          READWRITE);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

/* All handlers are called, as each may have something to send; TRUE of any of them is the
 * result. */
static gboolean
accumulate_any (GSignalInvocationHint *hint,
                GValue                *result,
                const GValue          *value,
                gpointer               user_data)
{
  if (g_value_get_boolean (value))
    g_value_set_boolean (result, TRUE);

  return TRUE;
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
   * @stanza: the stanza, which is sealed
   *
   * Emitted when a stanza arrives, or another element that the server sent.
   *
   * The detail is the name of the element: `stanza::message`,
   * `stanza::presence`, `stanza::iq`. It is not emitted for elements of the login,
   * stream features and responses to [method@Bosh.Client.send_iq_async], except for a
   * response that comes after its request has timed out.
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
   * BoshClient::stanza-left-out:
   * @self: the client
   * @name: the name of the stanza, `message` for instance, or `unknown`
   * @from_jid: (nullable): who has sent it, or `NULL` if that could not be read
   * @id: (nullable): its `id`, or `NULL` if it has none that could be read
   * @size: bytes of its XML
   * @reason: `BOSH_ERROR_TOO_LARGE`, with what is too large
   *
   * A stanza has arrived that is over a limit, and was left out as a whole: see
   * [signal@Bosh.Connection::stanza-left-out]. The session goes on. A request has the
   * error `policy-violation` as its response, and [method@Bosh.Client.send_iq_async]
   * fails with @reason where this was the response.
   *
   * Since: 1.0
   */
  signals[SIGNAL_STANZA_LEFT_OUT] =
    g_signal_new ("stanza-left-out",
                  G_TYPE_FROM_CLASS (klass),
                  G_SIGNAL_RUN_LAST,
                  0,
                  NULL, NULL, NULL,
                  G_TYPE_NONE,
                  5,
                  G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_UINT64, G_TYPE_ERROR);

  /**
   * BoshClient::iq-request:
   * @self: the client
   * @request: an iq of type `get` or `set`, with an id and one child
   *
   * Emitted when a request arrives, to which RFC 6120 §8.2.3 demands a response. It
   * is emitted after [signal@Bosh.Client::stanza], and only while the client is
   * logged in.
   *
   * The client replies by itself only as long as what waits to be sent takes no more
   * than about 1 MiB: whoever sends requests faster than the replies can leave gets no
   * further ones.
   *
   * Returns: `TRUE` if the application responds, now or later, with
   *   [method@Bosh.Element.new_iq_result] or
   *   [method@Bosh.Element.new_error_reply]; `FALSE` to leave it to other handlers,
   *   and at last to the client
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
   * @error: why it was lost
   *
   * Emitted when the session was lost and the client will log in again, because
   * [property@Bosh.Client:auto-reconnect] is set. Its handlers decide what becomes of
   * the stanzas that did not arrive for certain:
   *
   * - [method@Bosh.Connection.dup_undelivered] of @connection gives those that may or
   *   may not have arrived. None of them is sent again by itself. Give those that may
   *   arrive twice to [method@Bosh.Client.send] here.
   * - [method@Bosh.Connection.dup_unsent] gives those that never left this machine.
   *   They are sent again in the new session if a handler returns `TRUE`, after those
   *   that were sent here; otherwise they are dropped. Requests of
   *   [method@Bosh.Client.send_iq_async] are not sent again, as they fail with
   *   @error.
   *
   * [method@Bosh.Client.deliver_async] of a stanza that is sent again completes in the
   * new session; for all other stanzas it fails with @error.
   *
   * Stanzas that are sent from now on wait for the new session. None of them gets lost
   * when a later attempt fails, too; see [method@Bosh.Client.dup_unsent]. A handler may
   * disconnect.
   *
   * Returns: `TRUE` to send the stanzas again that never left this machine, `FALSE` to
   *   leave that to other handlers, and at last to drop them
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
   * BoshClient::session-renewed:
   * @self: the client
   *
   * Emitted when the client has logged in again after a loss, before what waits for the
   * session is sent in it.
   *
   * The new session knows nothing of the one before. Here is the place to send presence
   * and to join rooms: what is sent from here on goes out at once, in front of what waits,
   * messages excepted, which take their place behind it. [property@Bosh.Client:jid] and
   * [property@Bosh.Client:connection] are those of the new session, and
   * [property@Bosh.Client:state] is still `RECONNECTING`.
   *
   * A handler that needs responses first, such as the one of a room that it has joined,
   * returns `TRUE`: then what waits is held back until [method@Bosh.Client.resend] is
   * called, but not for more than 30 seconds. All handlers are called, whatever the others
   * return. If the session is lost meanwhile, [signal@Bosh.Client::session-lost] is
   * emitted again, and what waits goes on waiting.
   *
   * It is not emitted for the first session, which begins with the login of the
   * application.
   *
   * Returns: `TRUE` to hold back what waits, `FALSE` to send it when all handlers have
   *   returned
   *
   * Since: 1.0
   */
  signals[SIGNAL_SESSION_RENEWED] =
    g_signal_new ("session-renewed",
                  G_TYPE_FROM_CLASS (klass),
                  G_SIGNAL_RUN_LAST,
                  0,
                  accumulate_any, NULL,
                  NULL,
                  G_TYPE_BOOLEAN,
                  0);

  /**
   * BoshClient::accept-certificate:
   * @self: the client
   * @certificate: the certificate of the connection manager
   * @errors: what is wrong with it
   *
   * Emitted when the certificate of the connection manager can't be verified, before
   * anything is sent there. Where no handler is connected, the certificate is refused,
   * and the session fails with `BOSH_ERROR_TLS`.
   *
   * The decision holds for the life of a session, as
   * [signal@Bosh.Connection::accept-certificate] describes. With
   * [property@Bosh.Client:auto-reconnect] the sessions that follow take a certificate
   * that was accepted without another emission. For another certificate, or if there
   * are more errors than those that were accepted, the signal is emitted again, in each
   * attempt until it is accepted.
   *
   * The handshake waits for the handlers. One that has to ask the user first returns
   * `FALSE`, and the program makes a new client if the user agrees. The documents in
   * which [class@Bosh.Discovery] looks for the address need a certificate without
   * errors; this signal is not emitted for them.
   *
   * Returns: `TRUE` to accept @certificate, `FALSE` to leave that to other handlers,
   *   and at last to refuse it
   *
   * Since: 1.0
   */
  signals[SIGNAL_ACCEPT_CERTIFICATE] =
    g_signal_new ("accept-certificate",
                  G_TYPE_FROM_CLASS (klass),
                  G_SIGNAL_RUN_LAST,
                  0,
                  g_signal_accumulator_true_handled, NULL,
                  NULL,
                  G_TYPE_BOOLEAN,
                  2,
                  G_TYPE_TLS_CERTIFICATE,
                  G_TYPE_TLS_CERTIFICATE_FLAGS);

  /**
   * BoshClient::closed:
   * @self: the client
   * @error: (nullable): why the session ended, or `NULL` if the application ended it
   *   with [method@Bosh.Client.disconnect_async]
   *
   * Emitted once, when the session has ended and no other follows, or could not be
   * opened. [property@Bosh.Client:state] is `CLOSED`, and all operations have returned.
   *
   * It is not emitted when the session was handed over, and the state is `DETACHED`.
   * Where the client has tried to log in again, @error is the one of the last attempt;
   * where connecting or a login was cancelled or timed out, that is @error.
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
  self->next_attempt = -1;
}

/* --- Public interface --- */

/* For the other files of the client. */
BoshClientDriver *
client_get_driver (BoshClient *self)
{
  return self->driver;
}

static BoshReconnect *
get_machine (BoshClient *self)
{
  return bosh_client_driver_get_machine (self->driver);
}

static gboolean
has_login_flag (BoshClient     *self,
                BoshLoginFlags  flag)
{
  return (bosh_client_driver_get_login_flags (self->driver) & flag) != 0;
}

static void
set_login_flag (BoshClient     *self,
                BoshLoginFlags  flag,
                gboolean        value,
                GParamSpec     *pspec)
{
  BoshLoginFlags flags = bosh_client_driver_get_login_flags (self->driver);

  if (has_login_flag (self, flag) == !!value)
    return;

  bosh_client_driver_set_login_flags (self->driver, value ? flags | flag : flags & ~flag);
  g_object_notify_by_pspec (G_OBJECT (self), pspec);
}

/**
 * bosh_client_new:
 * @domain: the XMPP domain, as [property@Bosh.Client:domain] describes
 * @configuration: (nullable): how to reach the connection manager, or `NULL` for
 *   the defaults, and the address that the domain announces
 *
 * Makes a client. It sends nothing before [method@Bosh.Client.connect_async].
 *
 * A client whose configuration has no address asks the domain for it: see
 * [property@Bosh.Client:configuration].
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
 * bosh_client_get_domain:
 * @self: a client
 *
 * Gets [property@Bosh.Client:domain].
 *
 * Returns: (nullable): the XMPP domain
 *
 * Since: 1.0
 */
const char *
bosh_client_get_domain (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);

  return bosh_client_driver_get_domain (self->driver);
}

/**
 * bosh_client_get_configuration:
 * @self: a client
 *
 * Gets [property@Bosh.Client:configuration].
 *
 * Returns: (transfer none): the configuration
 *
 * Since: 1.0
 */
BoshConnectionConfiguration *
bosh_client_get_configuration (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);

  return bosh_client_driver_get_configuration (self->driver);
}

/**
 * bosh_client_get_connection:
 * @self: a client
 *
 * Gets [property@Bosh.Client:connection].
 *
 * Returns: (transfer none): the connection
 *
 * Since: 1.0
 */
BoshConnection *
bosh_client_get_connection (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);

  return bosh_client_driver_get_connection (self->driver);
}

/**
 * bosh_client_get_state:
 * @self: a client
 *
 * Gets [property@Bosh.Client:state].
 *
 * Returns: where the client is in its life
 *
 * Since: 1.0
 */
BoshClientState
bosh_client_get_state (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), BOSH_CLIENT_STATE_NEW);

  return (BoshClientState)bosh_reconnect_get_state (get_machine (self));
}

/**
 * bosh_client_get_jid:
 * @self: a client
 *
 * Gets [property@Bosh.Client:jid].
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
 * Gets [property@Bosh.Client:mechanism].
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
 * bosh_client_get_status:
 * @self: a client
 *
 * Gets [property@Bosh.Client:status].
 *
 * Returns: how the client is, for people
 *
 * Since: 1.0
 */
const char *
bosh_client_get_status (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);

  return self->status;
}

/**
 * bosh_client_get_last_error:
 * @self: a client
 *
 * Gets [property@Bosh.Client:last-error].
 *
 * Returns: (transfer none) (nullable): what has gone wrong last, or `NULL` if all is
 *   well
 *
 * Since: 1.0
 */
const GError *
bosh_client_get_last_error (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);

  return self->last_error;
}

/**
 * bosh_client_get_next_attempt:
 * @self: a client
 *
 * Gets [property@Bosh.Client:next-attempt].
 *
 * Returns: when the client will try again, in microseconds of monotonic time, or -1
 *
 * Since: 1.0
 */
gint64
bosh_client_get_next_attempt (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), -1);

  return self->next_attempt;
}

/**
 * bosh_client_get_tls_peer_certificate:
 * @self: a client
 *
 * Gets [property@Bosh.Client:tls-peer-certificate].
 *
 * Returns: (transfer none) (nullable): the certificate of the connection manager, or
 *   `NULL` if there is none
 *
 * Since: 1.0
 */
GTlsCertificate *
bosh_client_get_tls_peer_certificate (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);

  return self->tls_peer_certificate;
}

/**
 * bosh_client_get_tls_peer_certificate_errors:
 * @self: a client
 *
 * Gets [property@Bosh.Client:tls-peer-certificate-errors].
 *
 * Returns: what is wrong with the certificate
 *
 * Since: 1.0
 */
GTlsCertificateFlags
bosh_client_get_tls_peer_certificate_errors (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), 0);

  return self->tls_peer_certificate_errors;
}

/**
 * bosh_client_get_allow_plaintext_password:
 * @self: a client
 *
 * Gets [property@Bosh.Client:allow-plaintext-password].
 *
 * Returns: `TRUE` if the password may be sent in the clear
 *
 * Since: 1.0
 */
gboolean
bosh_client_get_allow_plaintext_password (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);

  return has_login_flag (self, BOSH_LOGIN_ALLOW_PLAINTEXT);
}

/**
 * bosh_client_set_allow_plaintext_password:
 * @self: a client
 * @allow_plaintext_password: whether the password may be sent in the clear
 *
 * Sets [property@Bosh.Client:allow-plaintext-password].
 *
 * Since: 1.0
 */
void
bosh_client_set_allow_plaintext_password (BoshClient *self,
                                          gboolean    allow_plaintext_password)
{
  g_return_if_fail (BOSH_IS_CLIENT (self));

  set_login_flag (self, BOSH_LOGIN_ALLOW_PLAINTEXT, allow_plaintext_password, properties[PROP_ALLOW_PLAINTEXT_PASSWORD]);
}

/**
 * bosh_client_get_pipeline_login:
 * @self: a client
 *
 * Gets [property@Bosh.Client:pipeline-login].
 *
 * Returns: `TRUE` if a login binds without waiting for the features
 *
 * Since: 1.0
 */
gboolean
bosh_client_get_pipeline_login (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);

  return has_login_flag (self, BOSH_LOGIN_PIPELINE);
}

/**
 * bosh_client_set_pipeline_login:
 * @self: a client
 * @pipeline_login: whether to bind without waiting for the features
 *
 * Sets [property@Bosh.Client:pipeline-login].
 *
 * Since: 1.0
 */
void
bosh_client_set_pipeline_login (BoshClient *self,
                                gboolean    pipeline_login)
{
  g_return_if_fail (BOSH_IS_CLIENT (self));

  set_login_flag (self, BOSH_LOGIN_PIPELINE, pipeline_login, properties[PROP_PIPELINE_LOGIN]);
}

/**
 * bosh_client_get_use_sasl2:
 * @self: a client
 *
 * Gets [property@Bosh.Client:use-sasl2].
 *
 * Returns: `TRUE` if XEP-0388 is used where it is offered
 *
 * Since: 1.0
 */
gboolean
bosh_client_get_use_sasl2 (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);

  return !has_login_flag (self, BOSH_LOGIN_AVOID_SASL2);
}

/**
 * bosh_client_set_use_sasl2:
 * @self: a client
 * @use_sasl2: whether to use XEP-0388 where it is offered
 *
 * Sets [property@Bosh.Client:use-sasl2].
 *
 * Since: 1.0
 */
void
bosh_client_set_use_sasl2 (BoshClient *self,
                           gboolean    use_sasl2)
{
  g_return_if_fail (BOSH_IS_CLIENT (self));

  set_login_flag (self, BOSH_LOGIN_AVOID_SASL2, !use_sasl2, properties[PROP_USE_SASL2]);
}

/**
 * bosh_client_dup_unsent:
 * @self: a client
 *
 * Gets the stanzas that wait for the next session: those that were given to
 * [method@Bosh.Client.send] and the like while [property@Bosh.Client:state] was
 * `RECONNECTING`, and those that [signal@Bosh.Client::session-lost] asked to send
 * again. After [signal@Bosh.Client::closed] they are the ones that never left this
 * machine.
 *
 * Stanzas that a connection took and did not send are given by
 * [method@Bosh.Connection.dup_unsent].
 *
 * Returns: (transfer container) (element-type BoshElement): the stanzas, in the
 *   order in which they are to be sent
 *
 * Since: 1.0
 */
GPtrArray *
bosh_client_dup_unsent (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);

  return bosh_reconnect_dup_waiting (get_machine (self));
}

/**
 * bosh_client_get_auto_reconnect:
 * @self: a client
 *
 * Gets [property@Bosh.Client:auto-reconnect].
 *
 * Returns: `TRUE` if the client logs in again by itself
 *
 * Since: 1.0
 */
gboolean
bosh_client_get_auto_reconnect (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);

  return bosh_reconnect_is_enabled (get_machine (self));
}

/**
 * bosh_client_set_auto_reconnect:
 * @self: a client
 * @auto_reconnect: whether to log in again by itself
 *
 * Sets [property@Bosh.Client:auto-reconnect].
 *
 * Since: 1.0
 */
void
bosh_client_set_auto_reconnect (BoshClient *self,
                                gboolean    auto_reconnect)
{
  g_return_if_fail (BOSH_IS_CLIENT (self));

  auto_reconnect = !!auto_reconnect;
  if (bosh_reconnect_is_enabled (get_machine (self)) == auto_reconnect)
    return;

  g_object_ref (self);
  bosh_client_driver_set_auto_reconnect (self->driver, auto_reconnect);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_AUTO_RECONNECT]);
  g_object_unref (self);
}

/**
 * bosh_client_get_max_reconnect_attempts:
 * @self: a client
 *
 * Gets [property@Bosh.Client:max-reconnect-attempts].
 *
 * Returns: how many attempts are made, 1 at least
 *
 * Since: 1.0
 */
guint
bosh_client_get_max_reconnect_attempts (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), 0);

  return bosh_reconnect_get_max_attempts (get_machine (self));
}

/**
 * bosh_client_set_max_reconnect_attempts:
 * @self: a client
 * @max_reconnect_attempts: how many attempts to make, 1 at least
 *
 * Sets [property@Bosh.Client:max-reconnect-attempts].
 *
 * Since: 1.0
 */
void
bosh_client_set_max_reconnect_attempts (BoshClient *self,
                                        guint       max_reconnect_attempts)
{
  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (max_reconnect_attempts > 0);

  if (bosh_reconnect_get_max_attempts (get_machine (self)) == max_reconnect_attempts)
    return;

  bosh_reconnect_set_max_attempts (get_machine (self), max_reconnect_attempts);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_RECONNECT_ATTEMPTS]);
}

/**
 * bosh_client_get_retry_connect:
 * @self: a client
 *
 * Gets [property@Bosh.Client:retry-connect].
 *
 * Returns: `TRUE` if connecting is tried again
 *
 * Since: 1.0
 */
gboolean
bosh_client_get_retry_connect (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);

  return bosh_reconnect_get_retries_connect (get_machine (self));
}

/**
 * bosh_client_set_retry_connect:
 * @self: a client
 * @retry_connect: whether to try again where no session could be opened
 *
 * Sets [property@Bosh.Client:retry-connect].
 *
 * Since: 1.0
 */
void
bosh_client_set_retry_connect (BoshClient *self,
                               gboolean    retry_connect)
{
  g_return_if_fail (BOSH_IS_CLIENT (self));

  retry_connect = !!retry_connect;
  if (bosh_reconnect_get_retries_connect (get_machine (self)) == retry_connect)
    return;

  g_object_ref (self);
  bosh_client_driver_set_retry_connect (self->driver, retry_connect);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RETRY_CONNECT]);
  g_object_unref (self);
}

/* --- For tests --- */

void
client_set_delays_for_tests (BoshClient *self,
                             guint       first,
                             guint       longest,
                             guint       stable_after)
{
  bosh_reconnect_set_delays (get_machine (self),
                             first * G_TIME_SPAN_MILLISECOND,
                             longest * G_TIME_SPAN_MILLISECOND,
                             stable_after * G_TIME_SPAN_MILLISECOND);
}

void
client_set_patience_for_tests (BoshClient *self,
                               guint       patience)
{
  bosh_client_driver_set_patience_for_tests (self->driver, patience * G_TIME_SPAN_MILLISECOND);
}

BoshCredentials *
client_get_credentials_for_tests (BoshClient *self)
{
  return bosh_client_driver_get_credentials_for_tests (self->driver);
}
