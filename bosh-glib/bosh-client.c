/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-client-private.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-connection-private.h"
#include "bosh-delivery-tracker-private.h"
#include "bosh-discovery.h"
#include "bosh-element-private.h"
#include "bosh-enum-types.h"
#include "bosh-error-kind-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-iq-tracker-private.h"
#include "bosh-login-driver-private.h"
#include "bosh-network-watch-private.h"
#include "bosh-offline-private.h"
#include "bosh-reconnect-private.h"
#include "bosh-session-private.h"
#include "bosh-source-private.h"

#include <string.h>

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
 * configuration = bosh_connection_configuration_new_for_uri (uri, &error);
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
 * called. Use the client in that thread only. A handler may send, disconnect, or
 * drop the last reference.
 *
 * Since: 1.0
 */

struct _BoshClient
{
  GObject                      parent_instance;

  char                        *domain;
  BoshConnectionConfiguration *configuration;
  BoshConnection              *connection;
  char                        *jid;        /* NULL until bound or attached */
  char                        *mechanism;
  gboolean                     allow_plaintext_password;
  gboolean                     pipeline_login;

  /* Decides about everything that has to do with the state. */
  BoshReconnect               *machine;
  int                          drain_level;  /* depth of the loop that drains, + 1; or 0 */
  GMainContext                *context;      /* captured when the client connects */
  GSource                     *source;       /* ready at the deadline of the machine, if any */
  BoshNetworkWatch            *network;      /* while an attempt waits for its time */

  /* Connecting or a login, one at a time. The task keeps the client alive. */
  GTask                       *task;
  GSource                     *cancelled;
  GCancellable                *discovery;    /* while the address is looked up */
  BoshSavedSession            *saved;        /* to be attached; else a session is created */
  BoshElement                 *features;     /* those that arrived last, for a login */
  BoshLoginDriver             *driver;
  BoshCredentials             *credentials;  /* of the login, until the machine forgets them */

  /* A login has ended, with these results, of which the next state tells. */
  gboolean                     login_is_over;
  char                        *new_jid;        /* NULL if it failed */
  char                        *new_mechanism;  /* nullable */
  /* No empty request goes out, because a login is about to begin. */
  gboolean                     expects_login;

  /* The condition of the stream error that arrived in this session, or NULL. */
  char                        *stream_condition;

  BoshIqTracker               *iqs;          /* NULL before the first request */
  BoshDeliveryTracker         *deliveries;   /* NULL before the first delivery */
  GPtrArray                   *disconnects;  /* tasks that return when the client is closed */
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

static void drain (BoshClient *self);

/* --- Values that change --- */

static void
set_configuration (BoshClient                  *self,
                   BoshConnectionConfiguration *configuration)
{
  bosh_connection_set_configuration (self->connection, configuration);
  if (g_set_object (&self->configuration, configuration))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CONFIGURATION]);
}

static void
set_jid (BoshClient *self,
         const char *jid)
{
  if (g_strcmp0 (self->jid, jid) == 0)
    return;

  g_free (self->jid);
  self->jid = g_strdup (jid);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_JID]);
}

static void
set_mechanism (BoshClient *self,
               const char *mechanism)
{
  if (g_strcmp0 (self->mechanism, mechanism) == 0)
    return;

  g_free (self->mechanism);
  self->mechanism = g_strdup (mechanism);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MECHANISM]);
}

/* The error for what is asked for after the end, or fails because of it. */
static GError *
dup_end_error (BoshClient *self)
{
  const GError *error = bosh_reconnect_get_last_error (self->machine);

  if (bosh_client_get_state (self) == BOSH_CLIENT_STATE_DETACHED)
    return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_DETACHED,
                                _("The session was handed over"));
  if (error != NULL)
    return g_error_copy (error);

  return bosh_connection_dup_close_error (self->connection);
}

/* --- Stanzas that are waited for --- */

gboolean
client_has_iq (BoshClient *self,
               const char *id)
{
  return self->iqs != NULL && bosh_iq_tracker_has (self->iqs, id);
}

void
client_add_iq (BoshClient  *self,
               BoshElement *iq,
               gint64       deadline,
               GTask       *task)
{
  if (self->iqs == NULL)
    self->iqs = bosh_iq_tracker_new (g_task_get_context (task));
  bosh_iq_tracker_add (self->iqs, iq, deadline, task);
}

/* Is @element a request of ours, whose task waits for the response? */
static gboolean
is_pending_request (BoshClient  *self,
                    BoshElement *element)
{
  const char *id = bosh_element_get_attribute (element, "id");
  const char *type = bosh_element_get_attribute (element, "type");

  /* A response of ours may have the same id. */
  return id != NULL && bosh_element_matches_or_inherits (element, "iq", BOSH_NS_CLIENT) &&
         (g_strcmp0 (type, "get") == 0 || g_strcmp0 (type, "set") == 0) &&
         client_has_iq (self, id);
}

/* The stanzas of a session that has ended, as far as they never left this machine.
 * Requests are not among them, as they fail with the session. */
static GArray *
take_unsent (BoshClient *self)
{
  g_autoptr(GPtrArray) elements = bosh_connection_dup_unsent_on_first (self->connection);
  GArray *stanzas = g_array_new (FALSE, FALSE, sizeof (BoshReconnectStanza));

  if (self->deliveries != NULL)
    bosh_delivery_tracker_lose (self->deliveries);
  for (guint i = 0; i < elements->len; i++)
    {
      BoshReconnectStanza stanza = { .element = g_ptr_array_index (elements, i) };

      if (is_pending_request (self, stanza.element))
        continue;
      if (self->deliveries != NULL)
        stanza.serial = bosh_delivery_tracker_find_lost (self->deliveries, stanza.element);
      g_array_append_val (stanzas, stanza);
    }

  return stanzas;
}

/* --- Sending --- */

static guint64
add_delivery (BoshClient  *self,
              BoshElement *element,
              GTask       *task)
{
  if (self->deliveries == NULL)
    self->deliveries = bosh_delivery_tracker_new (g_task_get_context (task));

  return bosh_delivery_tracker_add (self->deliveries, element, task);
}

/* A stanza that is sent again after a loss keeps the task that waits for it. */
static guint64
keep_delivery (BoshClient  *self,
               BoshElement *element)
{
  guint64 delivery;

  if (self->deliveries == NULL)
    return 0;

  delivery = bosh_delivery_tracker_find_lost (self->deliveries, element);
  if (delivery != 0)
    bosh_delivery_tracker_keep (self->deliveries, delivery);

  return delivery;
}

static gboolean
keep_for_next_session (BoshClient   *self,
                       BoshElement  *element,
                       GTask        *task,
                       GError      **error)
{
  gsize limit = bosh_connection_configuration_get_max_request_size (self->configuration);

  if (!bosh_session_check_payload (element, limit, error))
    return FALSE;

  bosh_reconnect_queue (self->machine, element,
                        task != NULL ? add_delivery (self, element, task)
                                     : keep_delivery (self, element));

  return TRUE;
}

gboolean
client_send (BoshClient   *self,
             BoshElement  *element,
             GTask        *task,
             GError      **error)
{
  guint64 serial;

  if (bosh_reconnect_is_queueing (self->machine))
    return keep_for_next_session (self, element, task, error);
  if (task == NULL)
    return bosh_connection_send (self->connection, element, error);

  if (!bosh_connection_queue (self->connection, element, &serial, error))
    return FALSE;
  bosh_delivery_tracker_sent (self->deliveries, add_delivery (self, element, task), serial);

  return TRUE;
}

static gboolean
send_again (BoshClient  *self,
            BoshElement *element,
            guint64      delivery)
{
  guint64 serial;

  if (delivery == 0)
    return bosh_connection_send (self->connection, element, NULL);

  if (!bosh_connection_queue (self->connection, element, &serial, NULL))
    return FALSE;
  bosh_delivery_tracker_sent (self->deliveries, delivery, serial);

  return TRUE;
}

/* --- Connecting and logging in: one task at a time --- */

static gboolean
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  BoshClient *self = user_data;
  GError *error = NULL;

  if (g_cancellable_set_error_if_cancelled (cancellable, &error))
    {
      bosh_reconnect_cancel (self->machine, error);
      drain (self);
    }

  return G_SOURCE_CONTINUE;
}

static void
watch_cancellable (BoshClient *self)
{
  GCancellable *cancellable = self->task != NULL ? g_task_get_cancellable (self->task) : NULL;

  if (cancellable == NULL)
    return;

  bosh_source_clear (&self->cancelled);
  self->cancelled = g_cancellable_source_new (cancellable);
  g_source_set_static_name (self->cancelled, "[bosh] client cancelled");
  g_source_set_callback (self->cancelled, G_SOURCE_FUNC (on_cancelled), self, NULL);
  g_source_attach (self->cancelled, self->context);
}

static void
begin_task (BoshClient *self,
            GTask      *task)
{
  /* The state tells how the operation ended, even if it was cancelled at the last
   * moment. */
  g_task_set_check_cancellable (task, FALSE);
  self->task = g_object_ref (task);
}

void
client_connect (BoshClient       *self,
                BoshSavedSession *session,
                GTask            *task)
{
  if (g_task_return_error_if_cancelled (task))
    return;
  if (bosh_client_get_state (self) != BOSH_CLIENT_STATE_NEW)
    {
      g_task_return_new_error (task, BOSH_ERROR, BOSH_ERROR_FAILED, "%s",
                               _("A client connects only once"));
      return;
    }

  self->context = g_main_context_ref_thread_default ();
  begin_task (self, task);
  g_set_object (&self->saved, session);
  if (session != NULL)
    bosh_reconnect_attach (self->machine, bosh_saved_session_get_jid (session) != NULL);
  else
    bosh_reconnect_connect (self->machine);
  drain (self);
}

static GError *
check_login (BoshClient *self)
{
  switch (bosh_client_get_state (self))
    {
    case BOSH_CLIENT_STATE_CONNECTED:
      /* The connection may be open, and its task not have returned yet. */
      if (self->task != NULL)
        break;
      if (self->features != NULL)
        return NULL;
      return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED,
                                  _("A session that was attached allows no login"));
    case BOSH_CLIENT_STATE_LOGGING_IN:
    case BOSH_CLIENT_STATE_RECONNECTING:
      return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PENDING, _("A login is under way"));
    case BOSH_CLIENT_STATE_READY:
      return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED, _("The client is logged in"));
    case BOSH_CLIENT_STATE_DISCONNECTING:
    case BOSH_CLIENT_STATE_DETACHED:
    case BOSH_CLIENT_STATE_CLOSED:
      return dup_end_error (self);
    case BOSH_CLIENT_STATE_NEW:
    case BOSH_CLIENT_STATE_CONNECTING:
    default:
      break;
    }

  return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                              _("A login needs a session that is open"));
}

void
client_log_in (BoshClient      *self,
               BoshCredentials *credentials,
               GTask           *task)
{
  GError *error = NULL;

  if (g_task_return_error_if_cancelled (task))
    return;
  error = check_login (self);
  if (error != NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  begin_task (self, task);
  watch_cancellable (self);
  self->credentials = bosh_credentials_ref (credentials);
  bosh_reconnect_login (self->machine, g_get_monotonic_time ());
  drain (self);
}

static void
return_disconnected (GTask *task)
{
  const GError *error = g_task_get_task_data (task);

  if (error != NULL)
    g_task_return_error (task, g_error_copy (error));
  else
    g_task_return_boolean (task, TRUE);
}

static void
on_disconnected (GObject      *source_object,
                 GAsyncResult *result,
                 gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  BoshConnection *connection = BOSH_CONNECTION (source_object);
  BoshClient *self = g_task_get_source_object (task);
  GError *error = NULL;

  if (!bosh_connection_disconnect_finish (connection, result, &error))
    g_task_set_task_data (task, error, (GDestroyNotify)g_error_free);

  /* Where the connection is closed, the client will be in a moment. */
  if (bosh_client_get_state (self) == BOSH_CLIENT_STATE_DISCONNECTING &&
      bosh_connection_get_state (connection) == BOSH_CONNECTION_STATE_CLOSED)
    g_ptr_array_add (self->disconnects, g_steal_pointer (&task));
  else
    return_disconnected (task);
}

static void
disconnect_connection (BoshClient  *self,
                       BoshElement *farewell,
                       GTask       *task)
{
  if (task != NULL)
    bosh_connection_disconnect_async (self->connection, farewell, g_task_get_cancellable (task),
                                      on_disconnected, g_object_ref (task));
  else
    bosh_connection_disconnect_async (self->connection, farewell, NULL, NULL, NULL);
}

void
client_disconnect (BoshClient *self,
                   GTask      *task)
{
  BoshClientState state = bosh_client_get_state (self);

  /* Where there is nothing to end, or the end or a hand-over has begun already, the
   * connection knows what to say. */
  if (state == BOSH_CLIENT_STATE_NEW || state == BOSH_CLIENT_STATE_DISCONNECTING ||
      state == BOSH_CLIENT_STATE_DETACHED || state == BOSH_CLIENT_STATE_CLOSED ||
      bosh_connection_is_leaving (self->connection))
    {
      disconnect_connection (self, NULL, task);
      return;
    }

  g_ptr_array_add (self->disconnects, g_object_ref (task));
  bosh_reconnect_disconnect (self->machine);
  drain (self);
}

/* --- Opening the session --- */

static gboolean
has_address (BoshClient *self)
{
  return bosh_connection_configuration_get_hostname (self->configuration) != NULL;
}

static void
end_early (BoshClient    *self,
           BoshErrorKind  kind,
           const GError  *error)
{
  bosh_reconnect_handle_ended (self->machine, kind, error, NULL, 0, g_get_monotonic_time ());
  drain (self);
}

/* A connection that was opened tells of its end by itself. */
static void
finish_opening (BoshClient   *self,
                gboolean      success,
                const GError *error)
{
  BoshConnectionState state = bosh_connection_get_state (self->connection);

  if (!success && state != BOSH_CONNECTION_STATE_CLOSED &&
      state != BOSH_CONNECTION_STATE_DETACHED)
    end_early (self, BOSH_ERROR_KIND_PERMANENT, error);
}

static void
on_connected (GObject      *source_object,
              GAsyncResult *result,
              gpointer      user_data)
{
  g_autoptr(BoshClient) self = user_data;
  g_autoptr(GError) error = NULL;

  finish_opening (self, bosh_connection_connect_finish (self->connection, result, &error), error);
}

static void
on_attached (GObject      *source_object,
             GAsyncResult *result,
             gpointer      user_data)
{
  g_autoptr(BoshClient) self = user_data;
  g_autoptr(GError) error = NULL;

  finish_opening (self, bosh_connection_attach_finish (self->connection, result, &error), error);
}

/* Until the session is open, the connection itself is cancelled. */
static void
open_connection (BoshClient *self)
{
  GCancellable *cancellable = self->task != NULL ? g_task_get_cancellable (self->task) : NULL;

  bosh_source_clear (&self->cancelled);
  g_main_context_push_thread_default (self->context);
  if (self->saved != NULL)
    bosh_connection_attach_async (self->connection, self->saved, cancellable,
                                  on_attached, g_object_ref (self));
  else if (self->task != NULL)
    bosh_connection_connect_async (self->connection, cancellable,
                                   on_connected, g_object_ref (self));
  else
    /* An attempt after a loss does not keep the client alive. */
    bosh_connection_connect_async (self->connection, NULL, NULL, NULL);
  g_main_context_pop_thread_default (self->context);
}

static void
on_discovered (GObject      *source_object,
               GAsyncResult *result,
               gpointer      user_data)
{
  g_autoptr(BoshClient) self = user_data;
  g_autoptr(GPtrArray) found = NULL;
  g_autoptr(GError) error = NULL;

  found = bosh_discovery_lookup_finish (BOSH_DISCOVERY (source_object), result, &error);
  /* Else DISCONNECT has ended it. */
  if (self->discovery == NULL)
    return;

  if (found == NULL)
    {
      g_clear_object (&self->discovery);
      end_early (self, BOSH_ERROR_KIND_PERMANENT, error);
      return;
    }

  set_configuration (self, g_ptr_array_index (found, 0));
  if (self->discovery == NULL)
    return;

  g_clear_object (&self->discovery);
  open_connection (self);
}

static void
discover (BoshClient *self)
{
  g_autoptr(BoshDiscovery) discovery = bosh_discovery_new (self->domain, self->configuration);

  self->discovery = g_cancellable_new ();
  watch_cancellable (self);
  bosh_discovery_lookup_async (discovery, self->discovery, on_discovered, g_object_ref (self));
}

/* A session that is attached brings its address and its JID with it. */
static void
take_saved (BoshClient *self)
{
  g_autoptr(BoshConnectionConfiguration) address = NULL;
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  set_jid (self, bosh_saved_session_get_jid (self->saved));
  if (has_address (self))
    return;

  address = bosh_connection_configuration_new_for_uri (bosh_saved_session_get_uri (self->saved),
                                                       NULL);
  if (address == NULL)
    return;

  configuration = bosh_connection_configuration_readdress (self->configuration, address);
  set_configuration (self, configuration);
}

static void
connect_session (BoshClient *self)
{
  if (self->saved != NULL)
    take_saved (self);

  if (has_address (self))
    open_connection (self);
  else
    discover (self);
}

/* --- The login --- */

/* Did a login fail with @error because the session has ended? Then the connection is
 * about to tell why. It may be that its state does not tell yet. */
static gboolean
has_session_ended (BoshClient   *self,
                   const GError *error)
{
  BoshConnectionState state = bosh_connection_get_state (self->connection);

  return g_error_matches (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED) ||
         (state != BOSH_CONNECTION_STATE_CONNECTED &&
          state != BOSH_CONNECTION_STATE_RETRYING &&
          state != BOSH_CONNECTION_STATE_PAUSED);
}

/* To be called before an input by which an attempt may fail: an attempt that fails
 * because this machine has no network does not count. */
static void
update_offline (BoshClient *self)
{
  const char *hostname = bosh_connection_configuration_get_hostname (self->configuration);

  if (bosh_client_get_state (self) == BOSH_CLIENT_STATE_RECONNECTING)
    bosh_reconnect_set_offline (self->machine, bosh_host_is_offline (hostname));
}

static void
on_login_done (const char   *jid,
               const GError *error,
               gpointer      user_data)
{
  BoshClient *self = user_data;
  gint64 now = g_get_monotonic_time ();

  g_free (self->new_mechanism);
  self->new_mechanism = g_strdup (bosh_login_driver_get_mechanism (self->driver));
  g_free (self->new_jid);
  self->new_jid = g_strdup (jid);
  self->login_is_over = TRUE;
  g_clear_pointer (&self->driver, bosh_login_driver_stop);

  if (jid != NULL)
    {
      g_clear_pointer (&self->stream_condition, g_free);
      bosh_reconnect_handle_logged_in (self->machine, now);
    }
  else if (!has_session_ended (self, error))
    {
      update_offline (self);
      bosh_reconnect_handle_login_failed (self->machine,
                                          bosh_error_get_kind (error, self->stream_condition),
                                          error, now);
    }

  drain (self);
}

static void
log_in (BoshClient *self)
{
  BoshLoginFlags flags = BOSH_LOGIN_NO_FLAGS;
  g_autoptr(BoshElement) features = bosh_element_ref (self->features);

  if (self->allow_plaintext_password)
    flags |= BOSH_LOGIN_ALLOW_PLAINTEXT;
  if (self->pipeline_login)
    flags |= BOSH_LOGIN_PIPELINE;

  self->driver = bosh_login_driver_new (self->connection, self->credentials, flags,
                                        on_login_done, self);
  bosh_login_driver_handle_features (self->driver, features);
}

static void
handle_features (BoshClient  *self,
                 BoshElement *features)
{
  g_clear_pointer (&self->features, bosh_element_unref);
  self->features = bosh_element_ref (features);

  if (self->driver != NULL)
    {
      bosh_login_driver_handle_features (self->driver, features);
      return;
    }

  bosh_reconnect_handle_features (self->machine, g_get_monotonic_time ());
  drain (self);
}

/* RFC 6120 §4.9.2: in its wrapper, or in the old form of XEP-0206 without one. */
static void
note_stream_error (BoshClient  *self,
                   BoshElement *element)
{
  if (bosh_element_matches (element, "error", BOSH_NS_STREAMS))
    {
      for (guint i = 0; i < bosh_element_get_n_children (element); i++)
        note_stream_error (self, bosh_element_get_nth_child (element, i));
    }
  else if (g_strcmp0 (bosh_element_get_namespace (element), BOSH_NS_STREAM_ERRORS) == 0 &&
           strcmp (bosh_element_get_name (element), "text") != 0)
    {
      g_free (self->stream_condition);
      self->stream_condition = g_strdup (bosh_element_get_name (element));
    }
}

/* --- Requests of others --- */

static void
reply_with_error (BoshClient      *self,
                  BoshElement     *request,
                  BoshStanzaError  condition)
{
  g_autoptr(BoshElement) reply = bosh_element_new_error_reply (request, condition, NULL);

  /* After the end of the session nobody waits for the reply. */
  bosh_connection_send (self->connection, reply, NULL);
}

static gboolean
is_ping (BoshElement *request)
{
  return g_strcmp0 (bosh_element_get_attribute (request, "type"), "get") == 0 &&
         bosh_element_get_child (request, "ping", BOSH_NS_PING) != NULL;
}

/* Sees to it that @request has a response, if it is a request. */
static void
respond (BoshClient  *self,
         BoshElement *request)
{
  const char *type = bosh_element_get_attribute (request, "type");
  gboolean is_handled = FALSE;

  /* Before a resource is bound nobody can address a request to us. */
  if (!bosh_element_matches_or_inherits (request, "iq", BOSH_NS_CLIENT) || self->jid == NULL ||
      bosh_client_get_state (self) == BOSH_CLIENT_STATE_CLOSED ||
      bosh_client_get_state (self) == BOSH_CLIENT_STATE_RECONNECTING)
    return;
  if (g_strcmp0 (type, "result") == 0 || g_strcmp0 (type, "error") == 0)
    return;

  /* RFC 6120 §8.2.3: of a known type, with an id and exactly one child. */
  if ((g_strcmp0 (type, "get") != 0 && g_strcmp0 (type, "set") != 0) ||
      bosh_element_get_attribute (request, "id") == NULL ||
      bosh_element_get_n_children (request) != 1)
    {
      reply_with_error (self, request, BOSH_STANZA_ERROR_BAD_REQUEST);
      return;
    }

  g_signal_emit (self, signals[SIGNAL_IQ_REQUEST], 0, request, &is_handled);
  if (is_handled)
    return;

  if (is_ping (request))
    {
      g_autoptr(BoshElement) reply = bosh_element_new_iq_result (request, NULL);

      bosh_connection_send (self->connection, reply, NULL);
    }
  else
    reply_with_error (self, request, BOSH_STANZA_ERROR_SERVICE_UNAVAILABLE);
}

/* --- What the connection tells --- */

/* Keeps elements of the login, and responses to our own requests, from the
 * application. */
static gboolean
filter_element (BoshElement *element,
                gpointer     user_data)
{
  g_autoptr(BoshClient) self = g_object_ref (user_data);

  if (bosh_element_matches (element, "features", BOSH_NS_STREAMS))
    {
      handle_features (self, element);
      return TRUE;
    }

  note_stream_error (self, element);
  if (self->driver != NULL && bosh_login_driver_handle_element (self->driver, element))
    return TRUE;
  if (bosh_element_is_sasl (element))
    return TRUE;

  return self->iqs != NULL && bosh_element_matches_or_inherits (element, "iq", BOSH_NS_CLIENT) &&
         bosh_iq_tracker_handle (self->iqs, element, self->domain, self->jid);
}

static void
on_delivered (guint64  serial,
              gpointer user_data)
{
  BoshClient *self = user_data;

  if (self->deliveries != NULL)
    bosh_delivery_tracker_succeed (self->deliveries, serial);
}

static void
on_stranded (guint64       serial,
             const GError *error,
             gpointer      user_data)
{
  BoshClient *self = user_data;

  if (self->deliveries != NULL)
    bosh_delivery_tracker_fail (self->deliveries, serial, error);
}

static void
on_opened (gpointer user_data)
{
  BoshClient *self = user_data;

  /* From now on cancelling ends the session in good order. */
  watch_cancellable (self);
  bosh_reconnect_handle_opened (self->machine, g_get_monotonic_time ());
  drain (self);
}

static void
on_detached (gpointer user_data)
{
  BoshClient *self = user_data;

  g_clear_pointer (&self->driver, bosh_login_driver_stop);
  bosh_reconnect_handle_detached (self->machine);
  drain (self);
}

static const BoshConnectionClientFuncs connection_funcs = {
  .filter = filter_element,
  .opened = on_opened,
  .detached = on_detached,
  .delivered = on_delivered,
  .stranded = on_stranded,
};

static void
on_stanza (BoshConnection *connection,
           BoshElement    *stanza,
           gpointer        user_data)
{
  g_autoptr(BoshClient) self = g_object_ref (user_data);
  /* A name for which no handler is connected has no quark: names from the network
   * are never interned. */
  GQuark detail = g_quark_try_string (bosh_element_get_name (stanza));

  g_signal_emit (self, signals[SIGNAL_STANZA], detail, stanza);
  respond (self, stanza);
}

static void
on_closed (BoshConnection *connection,
           const GError   *error,
           gpointer        user_data)
{
  BoshClient *self = user_data;
  g_autoptr(GArray) unsent = take_unsent (self);
  BoshErrorKind kind = BOSH_ERROR_KIND_REQUESTED;

  if (error != NULL && !bosh_connection_is_leaving (connection))
    kind = bosh_error_get_kind (error, self->stream_condition);

  g_clear_pointer (&self->driver, bosh_login_driver_stop);
  update_offline (self);
  bosh_reconnect_handle_ended (self->machine, kind, error,
                               (const BoshReconnectStanza *)unsent->data, unsent->len,
                               g_get_monotonic_time ());
  drain (self);
}

static void
create_connection (BoshClient *self)
{
  self->connection = bosh_connection_new (self->domain, self->configuration);
  g_return_if_fail (self->connection != NULL);

  bosh_connection_set_client (self->connection, &connection_funcs, self);
  g_signal_connect (self->connection, "stanza", G_CALLBACK (on_stanza), self);
  g_signal_connect (self->connection, "closed", G_CALLBACK (on_closed), self);
}

static void
release_connection (BoshClient *self)
{
  if (self->expects_login)
    bosh_connection_set_reply_expected (self->connection, FALSE);
  self->expects_login = FALSE;
  bosh_connection_set_client (self->connection, NULL, NULL);
  g_signal_handlers_disconnect_by_data (self->connection, self);
}

static void
renew_connection (BoshClient *self)
{
  release_connection (self);
  g_clear_object (&self->connection);
  g_clear_pointer (&self->features, bosh_element_unref);
  g_clear_pointer (&self->stream_condition, g_free);

  g_main_context_push_thread_default (self->context);
  create_connection (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CONNECTION]);
  g_main_context_pop_thread_default (self->context);
}

/* --- The actions of the machine --- */

static void
set_state (BoshClient   *self,
           gboolean      finishes,
           const GError *error)
{
  g_autoptr(GTask) task = NULL;

  if (finishes)
    {
      task = g_steal_pointer (&self->task);
      bosh_source_clear (&self->cancelled);
    }

  g_object_freeze_notify (G_OBJECT (self));
  if (self->login_is_over)
    {
      self->login_is_over = FALSE;
      set_mechanism (self, self->new_mechanism);
      if (self->new_jid != NULL)
        set_jid (self, self->new_jid);
    }
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
  g_object_thaw_notify (G_OBJECT (self));

  if (task != NULL && error != NULL)
    g_task_return_error (task, g_error_copy (error));
  else if (task != NULL)
    g_task_return_boolean (task, TRUE);
}

/* The attempt whose session this is was given up. */
static void
abort_attempt (BoshClient *self)
{
  g_clear_pointer (&self->driver, bosh_login_driver_stop);
  release_connection (self);
  disconnect_connection (self, NULL, NULL);
}

static void
end_session (BoshClient *self,
             gboolean    was_ready)
{
  g_autoptr(BoshElement) farewell = NULL;
  g_autoptr(GTask) task = NULL;

  g_clear_pointer (&self->driver, bosh_login_driver_stop);
  if (bosh_connection_get_state (self->connection) == BOSH_CONNECTION_STATE_NEW)
    {
      if (self->discovery != NULL)
        g_cancellable_cancel (self->discovery);
      g_clear_object (&self->discovery);
      end_early (self, BOSH_ERROR_KIND_REQUESTED, NULL);
      return;
    }

  if (was_ready)
    farewell = bosh_element_new_presence (NULL, "unavailable");
  if (self->disconnects->len > 0)
    task = g_ptr_array_steal_index (self->disconnects, 0);
  disconnect_connection (self, farewell, task);
}

static void
fail_requests (BoshClient   *self,
               const GError *reason)
{
  g_autoptr(GError) error = reason != NULL ? g_error_copy (reason) : dup_end_error (self);

  if (self->iqs != NULL)
    bosh_iq_tracker_fail_all (self->iqs, error);
  if (self->deliveries != NULL &&
      bosh_client_get_state (self) != BOSH_CLIENT_STATE_RECONNECTING)
    bosh_delivery_tracker_fail_all (self->deliveries, error);
}

static void
keep_unsent (BoshClient     *self,
             BoshConnection *lost)
{
  g_autoptr(GPtrArray) elements = bosh_connection_dup_unsent_on_first (lost);

  for (guint i = 0; i < elements->len; i++)
    keep_delivery (self, g_ptr_array_index (elements, i));
}

static void
ask_about_loss (BoshClient   *self,
                const GError *error)
{
  g_autoptr(BoshConnection) connection = g_object_ref (self->connection);
  gboolean resend = FALSE;

  g_signal_emit (self, signals[SIGNAL_SESSION_LOST], 0, connection, error, &resend);
  if (resend)
    keep_unsent (self, connection);
  if (self->deliveries != NULL)
    bosh_delivery_tracker_fail_lost (self->deliveries, error);
  bosh_reconnect_handle_verdict (self->machine, resend, g_get_monotonic_time ());
}

static void
finish_closing (BoshClient   *self,
                const GError *error)
{
  while (self->disconnects->len > 0)
    {
      g_autoptr(GTask) task = g_ptr_array_steal_index (self->disconnects, 0);

      return_disconnected (task);
    }
  g_signal_emit (self, signals[SIGNAL_CLOSED], 0, error);
}

static void
perform (BoshClient          *self,
         BoshReconnectAction *action)
{
  switch (action->type)
    {
    case BOSH_RECONNECT_ACTION_ABORT:
      abort_attempt (self);
      break;
    case BOSH_RECONNECT_ACTION_DISCONNECT:
      end_session (self, action->was_ready);
      break;
    case BOSH_RECONNECT_ACTION_STATE:
      set_state (self, action->finishes, action->error);
      break;
    case BOSH_RECONNECT_ACTION_FAIL_REQUESTS:
      fail_requests (self, action->error);
      break;
    case BOSH_RECONNECT_ACTION_ASK:
      ask_about_loss (self, action->error);
      break;
    case BOSH_RECONNECT_ACTION_RENEW:
      renew_connection (self);
      break;
    case BOSH_RECONNECT_ACTION_CONNECT:
      connect_session (self);
      break;
    case BOSH_RECONNECT_ACTION_LOGIN:
      log_in (self);
      break;
    case BOSH_RECONNECT_ACTION_RESEND:
      bosh_reconnect_handle_resent (self->machine,
                                    send_again (self, action->element, action->serial));
      break;
    case BOSH_RECONNECT_ACTION_EXPECT_LOGIN:
      self->expects_login = action->expected;
      bosh_connection_set_reply_expected (self->connection, action->expected);
      break;
    case BOSH_RECONNECT_ACTION_FORGET:
      g_clear_pointer (&self->credentials, bosh_credentials_unref);
      break;
    case BOSH_RECONNECT_ACTION_CLOSED:
      finish_closing (self, action->error);
      break;
    case BOSH_RECONNECT_ACTION_DROP:
    case BOSH_RECONNECT_ACTION_PROGRESS:
    default:
      break;
    }
}

static gboolean
on_deadline (gpointer user_data)
{
  g_autoptr(BoshClient) self = g_object_ref (user_data);

  if (self->network != NULL && bosh_network_watch_take_change (self->network))
    bosh_reconnect_handle_network (self->machine, g_get_monotonic_time ());
  update_offline (self);
  drain (self);

  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_deadline (GSource     *source,
                   GSourceFunc  callback,
                   gpointer     user_data)
{
  return callback (user_data);
}

/* Without a deadline there is no source: the main loop checks every source in each
 * iteration, and a process may have many clients. */
static void
set_deadline (BoshClient *self,
              gint64      deadline)
{
  static GSourceFuncs funcs = { .dispatch = dispatch_deadline };
  gboolean waits = bosh_reconnect_get_next_attempt (self->machine) >= 0;

  if (!waits)
    g_clear_pointer (&self->network, bosh_network_watch_free);
  if (deadline < 0)
    {
      bosh_source_clear (&self->source);
      return;
    }

  if (self->source == NULL)
    {
      self->source = g_source_new (&funcs, sizeof (GSource));
      g_source_set_static_name (self->source, "[bosh] client");
      g_source_set_callback (self->source, on_deadline, self, NULL);
      g_source_attach (self->source, self->context);
    }
  g_source_set_ready_time (self->source, deadline);
  if (waits && self->network == NULL)
    self->network = bosh_network_watch_new (self->source);
}

/* Carries out all that the machine wants done. A handler may call anything here, or
 * drop the last reference: what follows from that is carried out by the loop from
 * which it was called. Only if it runs a main loop of its own, which is deeper then,
 * that one goes on with the rest. */
static void
drain (BoshClient *self)
{
  int level = g_main_depth () + 1;
  int outer_level = self->drain_level;
  BoshReconnectAction action = { 0 };

  if (level <= outer_level)
    return;

  g_object_ref (self);
  self->drain_level = level;
  while (bosh_reconnect_next_action (self->machine, &action, g_get_monotonic_time ()))
    {
      perform (self, &action);
      bosh_reconnect_action_clear (&action);
    }
  self->drain_level = outer_level;
  set_deadline (self, bosh_reconnect_get_deadline (self->machine));
  g_object_unref (self);
}
/* --- The object --- */

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

  g_clear_pointer (&self->network, bosh_network_watch_free);
  bosh_source_clear (&self->source);
  if (self->connection != NULL)
    {
      g_clear_pointer (&self->driver, bosh_login_driver_stop);
      release_connection (self);
      /* The session of an attempt is ended, for the application does not know it. */
      if (bosh_client_get_state (self) == BOSH_CLIENT_STATE_RECONNECTING)
        disconnect_connection (self, NULL, NULL);
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
  g_clear_pointer (&self->deliveries, bosh_delivery_tracker_free);
  g_clear_pointer (&self->disconnects, g_ptr_array_unref);
  g_clear_pointer (&self->machine, bosh_reconnect_free);
  g_clear_pointer (&self->credentials, bosh_credentials_unref);
  g_clear_pointer (&self->features, bosh_element_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_object (&self->saved);
  g_free (self->stream_condition);
  g_free (self->new_mechanism);
  g_free (self->new_jid);
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
                         CONSTRUCT_ONLY);

  /**
   * BoshClient:configuration:
   *
   * How to reach the connection manager, and what to ask of it; a client that is
   * given none has the defaults.
   *
   * If it has no [property@Bosh.ConnectionConfiguration:hostname],
   * [method@Bosh.Client.connect_async] asks the domain for the address
   * (XEP-0156), as [class@Bosh.Discovery] does. The configuration with that address
   * and all other settings as they were given then takes the place of this one, here
   * and in the connection.
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
   * stays the same, unless [property@Bosh.Client:auto-reconnect] is set: then
   * each attempt to log in again has a connection of its own, because a closed
   * one is not used again. `notify::connection` is emitted before the new
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
   * BoshClient:auto-reconnect:
   *
   * Whether the client logs in again by itself when a session in which it was
   * logged in is lost.
   *
   * It does so only after a loss that a new login can mend: the session is gone
   * (`BOSH_ERROR_SESSION_LOST`, `BOSH_ERROR_ITEM_NOT_FOUND`, or ended without a
   * reason), the server has trouble or is restarted, it can't be reached, or an
   * intermediary responds in its place. It does not do so where that would not help
   * or would do harm: after `conflict` (another client logged in with the same
   * resource), after an error that is the fault of the client (`policy-violation`,
   * `bad-request`), when the server can't be trusted, when the credentials are
   * refused, and never after [method@Bosh.Client.disconnect_async] or a hand-over.
   * The first login is not repeated either.
   *
   * First [signal@Bosh.Client::session-lost] is emitted, whose handlers decide which
   * stanzas are sent again. [property@Bosh.Client:state] is `RECONNECTING` until it
   * is `READY` again, with another connection and perhaps another JID, or `CLOSED`.
   * The first attempt comes after one to two seconds. The interval doubles each time,
   * up to two minutes, and each attempt comes at a random time in the upper half of
   * its interval, or at once when the network comes back. There are at most
   * [property@Bosh.Client:max-reconnect-attempts] of them. Roster, presence and the
   * like are those of a new session: ask for them when the state is `READY`.
   *
   * If this is set when a login begins, its credentials are kept in memory: the
   * password in pages that are not swapped, and with it the salted password that
   * SCRAM computes (RFC 5802 §5.1). They are cleared when the client is disconnected,
   * handed over, closed or dropped, or this is set to `FALSE`. So set it before the
   * login. A session that was attached with [method@Bosh.Client.attach_async] has no
   * credentials. An anonymous login gives another JID each time.
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
   * BoshClient::iq-request:
   * @self: the client
   * @request: an iq of type `get` or `set`, with an id and one child
   *
   * Emitted when a request arrives, to which RFC 6120 §8.2.3 demands a response. It
   * is emitted after [signal@Bosh.Client::stanza], and only while the client is
   * logged in.
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
  self->machine = bosh_reconnect_new ((guint64)g_random_int () << 32 | g_random_int ());
  self->disconnects = g_ptr_array_new_with_free_func (g_object_unref);
}

/* --- Public interface --- */

/**
 * bosh_client_new:
 * @domain: the XMPP domain, in lower case
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

  return self->domain;
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

  return self->configuration;
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

  return self->connection;
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

  return (BoshClientState)bosh_reconnect_get_state (self->machine);
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

  return self->allow_plaintext_password;
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

  allow_plaintext_password = !!allow_plaintext_password;
  if (self->allow_plaintext_password == allow_plaintext_password)
    return;

  self->allow_plaintext_password = allow_plaintext_password;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ALLOW_PLAINTEXT_PASSWORD]);
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

  return self->pipeline_login;
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

  pipeline_login = !!pipeline_login;
  if (self->pipeline_login == pipeline_login)
    return;

  self->pipeline_login = pipeline_login;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PIPELINE_LOGIN]);
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

  return bosh_reconnect_dup_waiting (self->machine);
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

  return bosh_reconnect_is_enabled (self->machine);
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
  if (bosh_reconnect_is_enabled (self->machine) == auto_reconnect)
    return;

  g_object_ref (self);
  bosh_reconnect_set_enabled (self->machine, auto_reconnect);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_AUTO_RECONNECT]);
  drain (self);
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

  return bosh_reconnect_get_max_attempts (self->machine);
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

  if (bosh_reconnect_get_max_attempts (self->machine) == max_reconnect_attempts)
    return;

  bosh_reconnect_set_max_attempts (self->machine, max_reconnect_attempts);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_RECONNECT_ATTEMPTS]);
}

/* --- For tests --- */

void
client_set_delays_for_tests (BoshClient *self,
                             guint       first,
                             guint       longest,
                             guint       stable_after)
{
  bosh_reconnect_set_delays (self->machine,
                             first * G_TIME_SPAN_MILLISECOND,
                             longest * G_TIME_SPAN_MILLISECOND,
                             stable_after * G_TIME_SPAN_MILLISECOND);
}

BoshCredentials *
client_get_credentials_for_tests (BoshClient *self)
{
  return self->credentials;
}
