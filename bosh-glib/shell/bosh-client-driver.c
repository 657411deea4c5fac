/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-client-driver-private.h"

#include "bosh-addresses-private.h"
#include "bosh-connection-configuration-private.h"
#include "bosh-connection-private.h"
#include "bosh-delivery-tracker-private.h"
#include "bosh-discovery.h"
#include "bosh-domain-private.h"
#include "bosh-element-private.h"
#include "bosh-error-kind-private.h"
#include "bosh-error.h"
#include "bosh-home-private.h"
#include "bosh-i18n-private.h"
#include "bosh-iq-tracker-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-network-watch-private.h"
#include "bosh-offline-private.h"
#include "bosh-session-private.h"
#include "bosh-source-private.h"
#include "bosh-stanza-id-private.h"
#include "bosh-stanza-private.h"

struct _BoshClientDriver
{
  const BoshClientDriverCallbacks *callbacks;
  GObject                     *owner;
  BoshOwner                   *living;       /* the same, unless it is at its end */

  char                        *domain;
  BoshConnectionConfiguration *configuration;
  BoshConnection              *connection;
  char                        *jid;          /* NULL until bound or attached */
  char                        *mechanism;
  BoshLoginFlags               login_flags;

  BoshReconnect               *machine;
  int                          drain_level;  /* depth of the loop that drains, + 1; or 0 */
  BoshHome                     home;         /* captured when the client connects */
  GSource                     *source;       /* ready when the machine has something to do */
  BoshNetworkWatch            *network;      /* while an attempt waits for its time */

  /* Connecting or a login, one at a time. The task keeps the owner alive. */
  GTask                       *task;
  GSource                     *cancelled;
  BoshAddresses               *addresses;    /* NULL if the application gave the address */
  guint                        attempt;      /* changes when one begins, or is given up */
  gboolean                     is_opening;   /* the connection, at one of the addresses */
  gint64                       opened_at;    /* when that began */
  gint64                       opening_time; /* until the features arrived */
  gint64                       patience;     /* with a server in the middle of a login */
  GCancellable                *discovery;    /* while the domain is asked for addresses */
  BoshSavedSession            *saved;        /* until it is attached; else one is created */
  BoshElement                 *features;     /* those that arrived last, for a login */
  BoshLoginDriver             *login;
  BoshCredentials             *credentials;  /* of the login, until the machine forgets them */

  /* A login has ended, with these results, of which the next state tells. */
  gboolean                     login_is_over;
  char                        *new_jid;        /* NULL if it failed */
  char                        *new_mechanism;  /* nullable */
  /* No empty request goes out, because a login is about to begin. */
  gboolean                     expects_login;
  /* Nor where the application only logs in and hands over. */
  gboolean                     is_prebinding;

  /* The certificate that the application has accepted with these errors, or NULL. It
   * is not asked again in the sessions that follow. */
  GTlsCertificate             *accepted;
  GTlsCertificateFlags         accepted_errors;

  /* The condition of the stream error that arrived in this session, or NULL. */
  char                        *stream_condition;

  BoshIqTracker               *iqs;          /* NULL before the first request */
  BoshDeliveryTracker         *deliveries;   /* NULL before the first delivery */
  GPtrArray                   *disconnects;  /* of Disconnect, until the client is closed */
};

typedef struct
{
  BoshClientDriver *driver;
  GTask            *task;   /* keeps the owner alive */
  GError           *error;  /* of the connection, or NULL */
} Disconnect;

static void drain (BoshClientDriver *self);

/* --- The state --- */

static BoshReconnectState
get_state (BoshClientDriver *self)
{
  return bosh_reconnect_get_state (self->machine);
}

/* The error for what is asked for after the end, or fails because of it. */
static GError *
dup_end_error (BoshClientDriver *self)
{
  const GError *error = bosh_reconnect_get_last_error (self->machine);

  if (get_state (self) == BOSH_RECONNECT_DETACHED)
    return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_DETACHED,
                                _("The session was handed over"));
  if (error != NULL)
    return g_error_copy (error);
  if (self->connection != NULL)
    return bosh_connection_dup_close_error (self->connection);

  return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED, _("The session has ended"));
}

/* --- Stanzas for which a task waits --- */

/* Does @element have to wait for the next session? */
static gboolean
is_queueing (BoshClientDriver *self,
             BoshElement      *element)
{
  gboolean is_message = bosh_element_matches_or_inherits (element, "message", BOSH_NS_CLIENT);

  return bosh_reconnect_is_queueing (self->machine, !is_message);
}

gboolean
bosh_client_driver_has_iq (BoshClientDriver *self,
                           const char       *id)
{
  return self->iqs != NULL && bosh_iq_tracker_has (self->iqs, id);
}

void
bosh_client_driver_add_iq (BoshClientDriver *self,
                           BoshElement      *iq,
                           gint64            deadline,
                           GTask            *task)
{
  if (self->iqs == NULL)
    self->iqs = bosh_iq_tracker_new (g_task_get_context (task));
  bosh_iq_tracker_add (self->iqs, iq, deadline, task);
  if (!is_queueing (self, iq))
    bosh_iq_tracker_sent (self->iqs, bosh_element_get_attribute (iq, "id"));
}

/* Is @element a request of ours, whose task waits for the response? */
static gboolean
is_pending_request (BoshClientDriver *self,
                    BoshElement      *element)
{
  const char *id = bosh_element_get_attribute (element, "id");
  const char *type = bosh_element_get_attribute (element, "type");

  /* A response of ours may have the same id. A request of ours may have no child. */
  return id != NULL && bosh_element_matches_or_inherits (element, "iq", BOSH_NS_CLIENT) &&
         (g_strcmp0 (type, "get") == 0 || g_strcmp0 (type, "set") == 0) &&
         bosh_client_driver_has_iq (self, id);
}

static void
clear_stanza (gpointer data)
{
  BoshReconnectStanza *stanza = data;

  bosh_element_unref (stanza->element);
}

/* The stanzas of a session that has ended, as far as they never left this machine.
 * Without @requests, those of ours are not among them, as they fail with the session. */
static GArray *
take_unsent (BoshClientDriver *self,
             gboolean          requests)
{
  g_autoptr(GPtrArray) elements = bosh_connection_dup_unsent_on_first (self->connection);
  GArray *stanzas = g_array_new (FALSE, FALSE, sizeof (BoshReconnectStanza));

  g_array_set_clear_func (stanzas, clear_stanza);

  if (self->deliveries != NULL)
    bosh_delivery_tracker_lose (self->deliveries);
  for (guint i = 0; i < elements->len; i++)
    {
      BoshReconnectStanza stanza = { .element = g_ptr_array_index (elements, i) };

      if (!requests && is_pending_request (self, stanza.element))
        continue;
      bosh_element_ref (stanza.element);
      if (self->deliveries != NULL)
        stanza.serial = bosh_delivery_tracker_take_unsent (self->deliveries, stanza.element);
      g_array_append_val (stanzas, stanza);
    }

  return stanzas;
}

/* --- Sending --- */

static guint64
add_delivery (BoshClientDriver *self,
              BoshElement      *element,
              GTask            *task)
{
  if (self->deliveries == NULL)
    self->deliveries = bosh_delivery_tracker_new (g_task_get_context (task));

  return bosh_delivery_tracker_add (self->deliveries, element, task);
}

/* A stanza that is sent again after a loss keeps the task that waits for it. */
static guint64
keep_delivery (BoshClientDriver *self,
               BoshElement      *element)
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
keep_for_next_session (BoshClientDriver  *self,
                       BoshElement       *element,
                       GTask             *task,
                       GError           **error)
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
bosh_client_driver_send (BoshClientDriver  *self,
                         BoshElement       *element,
                         GTask             *task,
                         GError           **error)
{
  g_autoptr(BoshElement) stanza = bosh_stanza_id_ensure (element);
  guint64 serial;
  guint64 delivery;

  if (self->connection == NULL)
    {
      g_propagate_error (error, dup_end_error (self));
      return FALSE;
    }
  if (is_queueing (self, stanza))
    return keep_for_next_session (self, stanza, task, error);
  if (task == NULL)
    return bosh_connection_send (self->connection, stanza, error);

  if (!bosh_connection_queue (self->connection, stanza, &serial, error))
    return FALSE;
  delivery = add_delivery (self, stanza, task);
  bosh_delivery_tracker_sent (self->deliveries, delivery, serial);

  return TRUE;
}

/* Sends a stanza that has waited, with its delivery or 0. */
static gboolean
send_again (BoshClientDriver *self,
            BoshElement      *element,
            guint64           delivery)
{
  guint64 serial;

  if (delivery == 0)
    {
      if (!bosh_connection_send (self->connection, element, NULL))
        return FALSE;
      if (is_pending_request (self, element))
        bosh_iq_tracker_sent (self->iqs, bosh_element_get_attribute (element, "id"));
      return TRUE;
    }

  if (!bosh_connection_queue (self->connection, element, &serial, NULL))
    return FALSE;
  bosh_delivery_tracker_sent (self->deliveries, delivery, serial);

  return TRUE;
}

void
bosh_client_driver_retry_now (BoshClientDriver *self)
{
  bosh_reconnect_retry_now (self->machine, g_get_monotonic_time ());
  drain (self);
}

void
bosh_client_driver_resend (BoshClientDriver *self)
{
  bosh_reconnect_resend (self->machine);
  drain (self);
}

/* --- Connecting and logging in: one task at a time --- */

static gboolean
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  BoshClientDriver *self = user_data;
  GError *error = NULL;

  if (g_cancellable_set_error_if_cancelled (cancellable, &error))
    {
      bosh_reconnect_cancel (self->machine, error);
      drain (self);
    }

  return G_SOURCE_CONTINUE;
}

static void
watch_cancellable (BoshClientDriver *self)
{
  GCancellable *cancellable = self->task != NULL ? g_task_get_cancellable (self->task) : NULL;

  if (cancellable == NULL)
    return;

  bosh_source_clear (&self->cancelled);
  self->cancelled = g_cancellable_source_new (cancellable);
  g_source_set_static_name (self->cancelled, "[bosh] client cancelled");
  g_source_set_callback (self->cancelled, G_SOURCE_FUNC (on_cancelled), self, NULL);
  g_source_attach (self->cancelled, self->home.context);
}

static void
begin_task (BoshClientDriver *self,
            GTask            *task)
{
  /* The state tells how the operation ended, even if it was cancelled at the last
   * moment. */
  g_task_set_check_cancellable (task, FALSE);
  self->task = g_object_ref (task);
}

void
bosh_client_driver_connect (BoshClientDriver *self,
                            BoshSavedSession *session,
                            GTask            *task)
{
  if (g_task_return_error_if_cancelled (task))
    return;
  if (self->connection == NULL)
    {
      g_task_return_error (task, dup_end_error (self));
      return;
    }
  if (get_state (self) != BOSH_RECONNECT_NEW)
    {
      g_task_return_new_error (task, BOSH_ERROR, BOSH_ERROR_FAILED, "%s",
                               _("A client connects only once"));
      return;
    }

  bosh_home_init (&self->home);
  begin_task (self, task);
  if (session != NULL)
    {
      self->saved = g_object_ref (session);
      self->jid = g_strdup (bosh_saved_session_get_jid (session));
      bosh_reconnect_attach (self->machine, self->jid != NULL);
    }
  else
    bosh_reconnect_connect (self->machine);
  drain (self);
}

static GError *
check_login (BoshClientDriver *self)
{
  if (self->connection == NULL)
    return dup_end_error (self);

  switch (get_state (self))
    {
    case BOSH_RECONNECT_CONNECTED:
      /* The application may not know yet that the session is open. */
      if (self->task != NULL)
        break;
      if (self->features != NULL)
        return NULL;
      return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED,
                                  _("A session that was attached allows no login"));
    case BOSH_RECONNECT_LOGGING_IN:
    case BOSH_RECONNECT_RECONNECTING:
      return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PENDING, _("A login is under way"));
    case BOSH_RECONNECT_READY:
      return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED, _("The client is logged in"));
    case BOSH_RECONNECT_DISCONNECTING:
    case BOSH_RECONNECT_DETACHED:
    case BOSH_RECONNECT_CLOSED:
      return dup_end_error (self);
    case BOSH_RECONNECT_NEW:
    case BOSH_RECONNECT_CONNECTING:
    default:
      break;
    }

  return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                              _("A login needs a session that is open"));
}

void
bosh_client_driver_prepare_prebind (BoshClientDriver *self)
{
  self->is_prebinding = TRUE;
}

/* The connection has come to where a prebinding has the next thing to do. What the
 * server sends meanwhile it keeps for the next owner. */
static void
hold_polls_back (BoshClientDriver *self)
{
  if (self->is_prebinding)
    bosh_connection_set_reply_expected (self->connection, TRUE);
}

void
bosh_client_driver_log_in (BoshClientDriver *self,
                           BoshCredentials  *credentials,
                           GTask            *task)
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
  g_clear_pointer (&self->credentials, bosh_credentials_unref);
  self->credentials = bosh_credentials_ref (credentials);
  bosh_reconnect_login (self->machine, g_get_monotonic_time ());
  drain (self);
}

static void
disconnect_free (gpointer data)
{
  Disconnect *self = data;

  g_clear_error (&self->error);
  g_object_unref (self->task);
  g_free (self);
}

static void
disconnect_return (Disconnect *self)
{
  if (self->error != NULL)
    g_task_return_error (self->task, g_steal_pointer (&self->error));
  else
    g_task_return_boolean (self->task, TRUE);
  disconnect_free (self);
}

static void
on_disconnected (GObject      *source_object,
                 GAsyncResult *result,
                 gpointer      user_data)
{
  Disconnect *disconnect = user_data;
  BoshClientDriver *self = disconnect->driver;
  BoshConnection *connection = BOSH_CONNECTION (source_object);

  bosh_connection_disconnect_finish (connection, result, &disconnect->error);
  /* Where the connection is closed, the client will be in a moment. */
  if (self->connection != NULL && get_state (self) == BOSH_RECONNECT_DISCONNECTING &&
      bosh_connection_get_state (connection) == BOSH_CONNECTION_STATE_CLOSED)
    g_ptr_array_add (self->disconnects, disconnect);
  else
    disconnect_return (disconnect);
}

/* @disconnect: (transfer full) (nullable) */
static void
disconnect_connection (BoshClientDriver *self,
                       BoshElement      *farewell,
                       Disconnect       *disconnect)
{
  if (disconnect != NULL)
    bosh_connection_disconnect_async (self->connection, farewell,
                                      g_task_get_cancellable (disconnect->task),
                                      on_disconnected, disconnect);
  else
    bosh_connection_disconnect_async (self->connection, farewell, NULL, NULL, NULL);
}

void
bosh_client_driver_disconnect (BoshClientDriver *self,
                               GTask            *task)
{
  BoshReconnectState state = get_state (self);
  Disconnect *disconnect = NULL;

  if (self->connection == NULL)
    {
      g_task_return_error (task, dup_end_error (self));
      return;
    }

  disconnect = g_new0 (Disconnect, 1);
  disconnect->driver = self;
  disconnect->task = g_object_ref (task);

  /* Where there is nothing to end, or the end or a hand-over has begun already, the
   * connection knows what to say. */
  if (state == BOSH_RECONNECT_NEW || state == BOSH_RECONNECT_DISCONNECTING ||
      state == BOSH_RECONNECT_DETACHED || state == BOSH_RECONNECT_CLOSED ||
      bosh_connection_is_leaving (self->connection))
    {
      disconnect_connection (self, NULL, disconnect);
      return;
    }

  g_ptr_array_add (self->disconnects, disconnect);
  bosh_reconnect_disconnect (self->machine);
  drain (self);
}

/* --- Opening the session --- */

static void
set_configuration (BoshClientDriver            *self,
                   BoshConnectionConfiguration *configuration)
{
  bosh_connection_set_configuration (self->connection, configuration);
  if (g_set_object (&self->configuration, configuration))
    self->callbacks->located (self->owner);
}

static gboolean
has_address (BoshClientDriver *self)
{
  return bosh_connection_configuration_get_uri (self->configuration) != NULL;
}

/* The session that ended could not be opened. If another attempt follows, what was sent
 * waits for it, and so does the operation. */
static void
go_on_connecting (BoshClientDriver *self)
{
  if (get_state (self) != BOSH_RECONNECT_CONNECTING)
    return;

  if (self->deliveries != NULL)
    bosh_delivery_tracker_keep_unsent (self->deliveries);
  watch_cancellable (self);
}

/* The connection was not opened, so it does not tell of the end. */
static void
end_early (BoshClientDriver *self,
           BoshErrorKind     kind,
           const GError     *error)
{
  bosh_reconnect_handle_ended (self->machine, kind, error, NULL, 0, g_get_monotonic_time ());
  go_on_connecting (self);
  drain (self);
}

/* A connection that could not be opened tells of its end by itself, but not one that
 * has not even begun. */
static void
on_opening_done (GObject      *source_object,
                 GAsyncResult *result,
                 gpointer      user_data)
{
  BoshClientDriver *self = user_data;
  /* The reference of open_connection(). */
  g_autoptr(GObject) owner = self->owner;
  BoshConnectionState state = bosh_connection_get_state (BOSH_CONNECTION (source_object));
  g_autoptr(GError) error = NULL;

  /* The result of both connect_async() and attach_async() is a boolean. */
  if (!g_task_propagate_boolean (G_TASK (result), &error) && self->connection != NULL &&
      state != BOSH_CONNECTION_STATE_CLOSED && state != BOSH_CONNECTION_STATE_DETACHED)
    end_early (self, BOSH_ERROR_KIND_PERMANENT, error);
}

/* Until the session is open, the connection itself is cancelled. */
static void
open_connection (BoshClientDriver *self)
{
  GCancellable *cancellable = self->task != NULL ? g_task_get_cancellable (self->task) : NULL;

  bosh_source_clear (&self->cancelled);
  self->opened_at = g_get_monotonic_time ();
  if (self->task != NULL)
    g_object_ref (self->owner);
  g_main_context_push_thread_default (self->home.context);
  if (self->task == NULL)
    /* An attempt after a loss does not keep the owner alive. */
    bosh_connection_connect_async (self->connection, NULL, NULL, NULL);
  else if (self->saved == NULL)
    bosh_connection_connect_async (self->connection, cancellable, on_opening_done, self);
  else
    bosh_connection_attach_async (self->connection, self->saved, cancellable, on_opening_done,
                                  self);
  g_main_context_pop_thread_default (self->home.context);
  g_clear_object (&self->saved);
}

/* To be called before an input by which an attempt may fail: an attempt that fails
 * because this machine has no network does not count. */
static void
update_offline (BoshClientDriver *self)
{
  const char *hostname = bosh_connection_configuration_get_hostname (self->configuration);

  if (get_state (self) == BOSH_RECONNECT_RECONNECTING ||
      get_state (self) == BOSH_RECONNECT_CONNECTING)
    bosh_reconnect_set_offline (self->machine, bosh_host_is_offline (hostname));
}

/* Is the attempt with this number still under way? A handler may have ended it, or run a
 * main loop in which another one has begun. */
static gboolean
is_connecting (BoshClientDriver *self,
               guint             attempt)
{
  BoshReconnectState state = get_state (self);

  return attempt == self->attempt &&
         (state == BOSH_RECONNECT_CONNECTING || state == BOSH_RECONNECT_LOGGING_IN ||
          state == BOSH_RECONNECT_RECONNECTING);
}

/* --- The addresses that the domain announces --- */

/* Asking the domain does not keep the owner alive. */
typedef struct
{
  BoshOwner        *owner;
  BoshClientDriver *driver;  /* while there is an owner */
} Search;

static void take_step (BoshClientDriver  *self,
                       BoshAddressesStep  step,
                       const char        *uri,
                       GArray            *stanzas);

static GError *
dup_addresses_error (BoshClientDriver *self,
                     BoshErrorKind    *kind)
{
  update_offline (self);

  return bosh_addresses_dup_error (self->addresses, kind);
}

static void
search_next (BoshClientDriver *self)
{
  g_autofree char *uri = NULL;
  BoshAddressesStep step = bosh_addresses_next (self->addresses, &uri);

  take_step (self, step, uri, NULL);
}

static void
on_discovered (GObject      *source_object,
               GAsyncResult *result,
               gpointer      user_data)
{
  Search *search = user_data;
  g_autoptr(BoshHeldOwner) held = bosh_owner_hold (search->owner);
  BoshClientDriver *self = search->driver;
  g_autoptr(GPtrArray) found = NULL;
  g_autoptr(GError) error = NULL;

  bosh_owner_unref (search->owner);
  g_free (search);
  /* Else it was given up, by a driver that may be gone. */
  if (held == NULL || g_task_get_cancellable (G_TASK (result)) != self->discovery)
    return;

  g_clear_object (&self->discovery);
  found = bosh_discovery_lookup_finish (BOSH_DISCOVERY (source_object), result, &error);
  if (found == NULL)
    bosh_addresses_take_failure (self->addresses, NULL, bosh_error_get_kind (error, NULL, 0), error);
  for (guint i = 0; found != NULL && i < found->len; i++)
    bosh_addresses_add_found (self->addresses,
                              bosh_connection_configuration_get_uri (g_ptr_array_index (found, i)));
  search_next (self);
}

static void
ask_domain (BoshClientDriver *self)
{
  g_autoptr(BoshDiscovery) discovery = bosh_discovery_new (self->domain != NULL ? self->domain : "",
                                                            self->configuration);
  Search *search = g_new0 (Search, 1);

  search->owner = bosh_owner_ref (self->living);
  search->driver = self;
  self->discovery = g_cancellable_new ();
  watch_cancellable (self);
  g_main_context_push_thread_default (self->home.context);
  bosh_discovery_lookup_async (discovery, self->discovery, on_discovered, search);
  g_main_context_pop_thread_default (self->home.context);
}

static void
stop_asking (BoshClientDriver *self)
{
  if (self->discovery != NULL)
    g_cancellable_cancel (self->discovery);
  g_clear_object (&self->discovery);
}

/* @stanzas: (nullable): to be sent there, after connecting elsewhere has failed */
static void
connect_at (BoshClientDriver *self,
            const char       *uri,
            GArray           *stanzas)
{
  guint attempt = self->attempt;

  if (g_strcmp0 (uri, bosh_connection_configuration_get_uri (self->configuration)) != 0)
    {
      g_autoptr(BoshConnectionConfiguration) configuration =
        bosh_connection_configuration_copy_with_uri (self->configuration, uri);

      set_configuration (self, configuration);
    }
  if (!is_connecting (self, attempt))
    return;

  self->is_opening = TRUE;
  open_connection (self);
  for (guint i = 0; stanzas != NULL && i < stanzas->len; i++)
    {
      const BoshReconnectStanza *stanza = &g_array_index (stanzas, BoshReconnectStanza, i);

      send_again (self, stanza->element, stanza->serial);
    }
}

static void
take_step (BoshClientDriver  *self,
           BoshAddressesStep  step,
           const char        *uri,
           GArray            *stanzas)
{
  g_autoptr(GError) error = NULL;
  BoshErrorKind kind;

  switch (step)
    {
    case BOSH_ADDRESSES_TRY:
      connect_at (self, uri, stanzas);
      break;
    case BOSH_ADDRESSES_LOOK_UP:
      ask_domain (self);
      break;
    case BOSH_ADDRESSES_GIVE_UP:
    default:
      error = dup_addresses_error (self, &kind);
      end_early (self, kind, error);
      break;
    }
}

/* A session that is attached brings its address with it. */
static void
take_saved (BoshClientDriver *self)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  if (has_address (self))
    return;

  configuration =
    bosh_connection_configuration_copy_with_uri (self->configuration,
                                                 bosh_saved_session_get_uri (self->saved));
  set_configuration (self, configuration);
}

static void
connect_session (BoshClientDriver *self)
{
  guint attempt = ++self->attempt;

  if (self->saved != NULL)
    take_saved (self);
  if (!is_connecting (self, attempt))
    return;

  if (self->saved != NULL || self->addresses == NULL)
    {
      open_connection (self);
      return;
    }

  bosh_addresses_begin (self->addresses,
                        bosh_connection_configuration_get_uri (self->configuration));
  search_next (self);
}

/* --- The login --- */

/* Did a login fail with @error because the session has ended? Then the connection is
 * about to tell why. It may be that its state does not tell yet. */
static gboolean
has_session_ended (BoshClientDriver *self,
                   const GError     *error)
{
  BoshConnectionState state = bosh_connection_get_state (self->connection);

  return g_error_matches (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED) ||
         (state != BOSH_CONNECTION_STATE_CONNECTED &&
          state != BOSH_CONNECTION_STATE_RETRYING &&
          state != BOSH_CONNECTION_STATE_PAUSED);
}

/* Of the end of a session, or of a login in it. */
static BoshErrorKind
get_kind (BoshClientDriver *self,
          const GError     *error)
{
  return bosh_error_get_kind (error, self->stream_condition,
                              bosh_connection_get_http_status (self->connection));
}

/* What the server offers and does not carry out is not used any more by this client. */
static void
fall_back (BoshClientDriver *self)
{
  BoshCredentials *credentials = bosh_login_driver_get_credentials (self->login);

  if (self->credentials == NULL)
    self->credentials = bosh_credentials_ref (credentials);
  g_clear_pointer (&self->login, bosh_login_driver_stop);
  bosh_reconnect_handle_fall_back (self->machine);
  self->login_flags |= BOSH_LOGIN_AVOID_SASL2;
  self->callbacks->fell_back (self->owner);
  drain (self);
}

static void
on_login_done (const char   *jid,
               const GError *error,
               gpointer      user_data)
{
  BoshClientDriver *self = user_data;
  g_autoptr(BoshHeldOwner) held = bosh_owner_hold (self->living);
  gint64 now = g_get_monotonic_time ();

  if (held == NULL)
    return;

  if (jid == NULL && error == NULL)
    {
      fall_back (self);
      return;
    }

  g_free (self->new_mechanism);
  self->new_mechanism = g_strdup (bosh_login_driver_get_mechanism (self->login));
  g_free (self->new_jid);
  self->new_jid = g_strdup (jid);
  self->login_is_over = TRUE;
  g_clear_pointer (&self->login, bosh_login_driver_stop);

  if (jid != NULL)
    {
      hold_polls_back (self);
      g_clear_pointer (&self->stream_condition, g_free);
      bosh_reconnect_handle_logged_in (self->machine, now);
    }
  else if (!has_session_ended (self, error))
    {
      update_offline (self);
      bosh_reconnect_handle_login_failed (self->machine,
                                          get_kind (self, error), error, now);
    }

  drain (self);
}

static void
log_in (BoshClientDriver *self)
{
  g_autoptr(BoshElement) features = bosh_element_ref (self->features);

  self->login = bosh_login_driver_new (self->connection, self->credentials, self->login_flags,
                                       self->home.context,
                                       MAX (self->patience, 2 * self->opening_time),
                                       on_login_done, self);
  bosh_login_driver_handle_features (self->login, features);
}

static void
handle_features (BoshClientDriver *self,
                 BoshElement      *features)
{
  g_clear_pointer (&self->features, bosh_element_unref);
  self->features = bosh_element_ref (features);

  if (self->login != NULL)
    {
      bosh_login_driver_handle_features (self->login, features);
      return;
    }

  hold_polls_back (self);
  self->opening_time = g_get_monotonic_time () - self->opened_at;
  bosh_reconnect_handle_features (self->machine, g_get_monotonic_time ());
  drain (self);
}

/* RFC 6120 §4.9.2: in its wrapper, or in the old form of XEP-0206 without one. */
static void
note_stream_error (BoshClientDriver *self,
                   BoshElement      *element)
{
  const char *condition = NULL;

  if (bosh_element_matches (element, "error", BOSH_NS_STREAMS))
    condition = bosh_stanza_read_condition (element, BOSH_NS_STREAM_ERRORS, NULL);
  else if (bosh_element_matches (element, NULL, BOSH_NS_STREAM_ERRORS) &&
           !bosh_element_matches (element, "text", NULL))
    condition = bosh_element_get_name (element);
  if (condition == NULL)
    return;

  g_free (self->stream_condition);
  self->stream_condition = g_strdup (condition);
}

/* --- What the connection tells --- */

/* TRUE for elements of the login, and for responses to our own requests. */
static gboolean
take_element (BoshClientDriver *self,
              BoshElement      *element)
{
  if (bosh_element_matches (element, "features", BOSH_NS_STREAMS))
    {
      handle_features (self, element);
      return TRUE;
    }

  note_stream_error (self, element);
  if (self->login != NULL && bosh_login_driver_handle_element (self->login, element))
    return TRUE;
  if (bosh_element_is_sasl (element))
    return TRUE;

  return self->iqs != NULL && bosh_element_matches_or_inherits (element, "iq", BOSH_NS_CLIENT) &&
         bosh_iq_tracker_handle (self->iqs, element, self->domain, self->jid);
}

static gboolean
on_element (BoshElement *element,
            gpointer     user_data)
{
  BoshClientDriver *self = user_data;

  if (take_element (self, element))
    return TRUE;

  self->callbacks->stanza (element, self->owner);

  return FALSE;
}

static void
on_left_out (BoshElement  *stub,
             guint64       size,
             const GError *reason,
             gpointer      user_data)
{
  BoshClientDriver *self = user_data;

  if (self->iqs != NULL && bosh_element_matches_or_inherits (stub, "iq", BOSH_NS_CLIENT))
    bosh_iq_tracker_fail (self->iqs, stub, self->domain, self->jid, reason);
  self->callbacks->left_out (stub, size, reason, self->owner);
}

static void
on_delivered (guint64  serial,
              gpointer user_data)
{
  BoshClientDriver *self = user_data;

  if (self->deliveries != NULL)
    bosh_delivery_tracker_succeed (self->deliveries, serial);
}

static void
on_stanza_failed (guint64       serial,
                  const GError *error,
                  gpointer      user_data)
{
  BoshClientDriver *self = user_data;

  if (self->deliveries != NULL)
    bosh_delivery_tracker_fail (self->deliveries, serial, error);
}

static void
on_opened (gpointer user_data)
{
  BoshClientDriver *self = user_data;

  self->is_opening = FALSE;
  /* From now on cancelling ends the session in good order. */
  watch_cancellable (self);
  bosh_reconnect_handle_opened (self->machine, g_get_monotonic_time ());
  drain (self);
}

static void
on_state_changed (gpointer user_data)
{
  BoshClientDriver *self = user_data;

  if (bosh_connection_get_state (self->connection) != BOSH_CONNECTION_STATE_DETACHED)
    {
      self->callbacks->changed (self->owner);
      return;
    }

  g_clear_pointer (&self->login, bosh_login_driver_stop);
  bosh_reconnect_handle_detached (self->machine);
  drain (self);
}

static gboolean
on_accept_certificate (GTlsCertificate      *certificate,
                       GTlsCertificateFlags  errors,
                       gpointer              user_data)
{
  BoshClientDriver *self = user_data;

  if (self->accepted != NULL && g_tls_certificate_is_same (self->accepted, certificate) &&
      (errors & ~self->accepted_errors) == 0)
    return TRUE;
  if (!self->callbacks->accept_certificate (certificate, errors, self->owner))
    return FALSE;

  g_set_object (&self->accepted, certificate);
  self->accepted_errors = errors;

  return TRUE;
}

static void
on_certificate_changed (gpointer user_data)
{
  BoshClientDriver *self = user_data;

  self->callbacks->certificate_changed (self->owner);
}

static void renew_connection (BoshClientDriver *self);

/* The session could not be opened at this address. Returns FALSE if there is no other, and
 * then the error of them all. */
static gboolean
go_elsewhere (BoshClientDriver  *self,
              BoshErrorKind     *kind,
              GError           **error)
{
  gboolean was_opening = self->is_opening;
  guint attempt = self->attempt;
  g_autoptr(GArray) stanzas = NULL;
  g_autofree char *uri = NULL;
  BoshAddressesStep step;

  self->is_opening = FALSE;
  if (!was_opening || *kind == BOSH_ERROR_KIND_REQUESTED || !is_connecting (self, attempt))
    return FALSE;

  bosh_addresses_take_failure (self->addresses,
                               bosh_connection_configuration_get_uri (self->configuration),
                               *kind, *error);
  step = bosh_addresses_next (self->addresses, &uri);
  if (step == BOSH_ADDRESSES_GIVE_UP)
    {
      g_clear_error (error);
      *error = dup_addresses_error (self, kind);
      return FALSE;
    }

  /* What waits for the first session is with the connection. */
  stanzas = take_unsent (self, TRUE);
  if (self->deliveries != NULL)
    bosh_delivery_tracker_keep_unsent (self->deliveries);
  renew_connection (self);
  if (is_connecting (self, attempt))
    take_step (self, step, uri, stanzas);

  return TRUE;
}

static void
on_closed (const GError *error,
           gpointer      user_data)
{
  BoshClientDriver *self = user_data;
  g_autoptr(GError) reason = error != NULL ? g_error_copy (error) : NULL;
  g_autoptr(GArray) unsent = NULL;
  BoshErrorKind kind = BOSH_ERROR_KIND_REQUESTED;
  gboolean is_first = get_state (self) == BOSH_RECONNECT_CONNECTING;

  if (error != NULL && !bosh_connection_is_leaving (self->connection))
    kind = get_kind (self, error);
  if (go_elsewhere (self, &kind, &reason))
    return;

  unsent = take_unsent (self, is_first);
  g_clear_pointer (&self->login, bosh_login_driver_stop);
  update_offline (self);
  bosh_reconnect_handle_ended (self->machine, kind, reason,
                               (gpointer)unsent->data, unsent->len,
                               g_get_monotonic_time ());
  go_on_connecting (self);
  drain (self);
}

static const BoshConnectionClientFuncs connection_funcs = {
  .element = on_element,
  .left_out = on_left_out,
  .opened = on_opened,
  .state_changed = on_state_changed,
  .delivered = on_delivered,
  .stanza_failed = on_stanza_failed,
  .accept_certificate = on_accept_certificate,
  .certificate_changed = on_certificate_changed,
  .closed = on_closed,
};

static void
create_connection (BoshClientDriver *self)
{
  self->connection = bosh_connection_new (self->domain, self->configuration);

  bosh_connection_set_client (self->connection, self->living, &connection_funcs, self);
}

static void
release_connection (BoshClientDriver *self)
{
  if (self->expects_login)
    bosh_connection_set_reply_expected (self->connection, FALSE);
  self->expects_login = FALSE;
  bosh_connection_set_client (self->connection, NULL, NULL, NULL);
}

static void
renew_connection (BoshClientDriver *self)
{
  release_connection (self);
  g_clear_object (&self->connection);
  g_clear_pointer (&self->features, bosh_element_unref);
  g_clear_pointer (&self->stream_condition, g_free);

  g_main_context_push_thread_default (self->home.context);
  create_connection (self);
  self->callbacks->renewed (self->owner);
  self->callbacks->certificate_changed (self->owner);
  g_main_context_pop_thread_default (self->home.context);
}

/* --- The actions of the machine --- */

/* What came of a login that is over. */
static void
take_login (BoshClientDriver *self)
{
  if (self->login_is_over)
    {
      self->login_is_over = FALSE;
      g_free (self->mechanism);
      self->mechanism = g_steal_pointer (&self->new_mechanism);
    }
  if (self->new_jid != NULL)
    {
      g_free (self->jid);
      self->jid = g_steal_pointer (&self->new_jid);
    }
}

static void
set_state (BoshClientDriver *self,
           gboolean          finishes,
           const GError     *error)
{
  g_autoptr(GTask) task = NULL;

  if (finishes)
    {
      task = g_steal_pointer (&self->task);
      bosh_source_clear (&self->cancelled);
    }

  take_login (self);
  self->callbacks->changed (self->owner);

  if (task == NULL)
    return;

  /* What was cancelled and has failed for another reason was cancelled all the same. */
  if (error == NULL)
    g_task_return_boolean (task, TRUE);
  else if (!g_task_return_error_if_cancelled (task))
    g_task_return_error (task, g_error_copy (error));
}

/* The attempt whose session this is was given up. */
static void
abort_attempt (BoshClientDriver *self)
{
  self->attempt++;
  stop_asking (self);
  g_clear_pointer (&self->login, bosh_login_driver_stop);
  release_connection (self);
  disconnect_connection (self, NULL, NULL);
}

static void
end_session (BoshClientDriver *self,
             gboolean          was_ready)
{
  g_autoptr(BoshElement) farewell = NULL;
  Disconnect *disconnect = NULL;

  self->attempt++;
  stop_asking (self);
  g_clear_pointer (&self->login, bosh_login_driver_stop);
  if (bosh_connection_get_state (self->connection) == BOSH_CONNECTION_STATE_NEW)
    {
      end_early (self, BOSH_ERROR_KIND_REQUESTED, NULL);
      return;
    }

  if (was_ready)
    farewell = bosh_element_new_presence (NULL, "unavailable");
  if (self->disconnects->len > 0)
    disconnect = g_ptr_array_steal_index (self->disconnects, 0);
  disconnect_connection (self, farewell, disconnect);
}

/* @error: nullable */
static void
return_disconnects (BoshClientDriver *self,
                    const GError     *error)
{
  while (self->disconnects->len > 0)
    {
      Disconnect *disconnect = g_ptr_array_steal_index (self->disconnects, 0);

      if (error != NULL && disconnect->error == NULL)
        disconnect->error = g_error_copy (error);
      disconnect_return (disconnect);
    }
}

static void
fail_requests (BoshClientDriver *self,
               const GError     *reason)
{
  g_autoptr(GError) error = reason != NULL ? g_error_copy (reason) : dup_end_error (self);

  /* What waits for the next session goes on waiting while there may be one. Of the
   * deliveries, also those that were lost: see ask_about_loss(). */
  if (bosh_reconnect_is_queueing (self->machine, FALSE))
    {
      if (self->iqs != NULL)
        bosh_iq_tracker_fail_sent (self->iqs, error);
      return;
    }

  if (self->iqs != NULL)
    bosh_iq_tracker_fail_all (self->iqs, error);
  if (self->deliveries != NULL)
    bosh_delivery_tracker_fail_all (self->deliveries, error);
  /* There is nothing left to end, and CLOSED does not follow. */
  if (get_state (self) == BOSH_RECONNECT_DETACHED)
    return_disconnects (self, error);
}

static void
ask_about_loss (BoshClientDriver *self,
                const GError     *error)
{
  g_autoptr(BoshConnection) connection = g_object_ref (self->connection);
  gboolean resend = self->callbacks->lost (connection, error, self->owner);

  if (self->deliveries != NULL && resend)
    bosh_delivery_tracker_keep_unsent (self->deliveries);
  if (self->deliveries != NULL)
    bosh_delivery_tracker_fail_lost (self->deliveries, error);
  bosh_reconnect_handle_verdict (self->machine, resend, g_get_monotonic_time ());
}

static void
prepare_session (BoshClientDriver *self)
{
  gboolean hold;

  take_login (self);
  self->callbacks->changed (self->owner);
  hold = self->callbacks->session_renewed (self->owner);
  bosh_reconnect_handle_prepared (self->machine, hold, g_get_monotonic_time ());
}

static void
finish_closing (BoshClientDriver *self,
                const GError     *error)
{
  return_disconnects (self, NULL);
  self->callbacks->closed (error, self->owner);
}

static void
perform (BoshClientDriver    *self,
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
    case BOSH_RECONNECT_ACTION_PREPARE:
      prepare_session (self);
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
    case BOSH_RECONNECT_ACTION_PROGRESS:
      self->callbacks->changed (self->owner);
      break;
    default:
      break;
    }
}

static gboolean
on_deadline (gpointer user_data)
{
  BoshClientDriver *self = user_data;
  g_autoptr(BoshHeldOwner) held = bosh_owner_hold (self->living);

  if (held == NULL)
    return G_SOURCE_REMOVE;
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
set_deadline (BoshClientDriver *self,
              gint64            deadline)
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
      g_source_set_can_recurse (self->source, TRUE);
      g_source_attach (self->source, self->home.context);
    }
  g_source_set_ready_time (self->source, deadline);
  if (waits && self->network == NULL)
    self->network = bosh_network_watch_new (self->source);
}

/* Carries out all that the machine wants done. A handler may call anything here, or
 * drop the last reference: what follows from that is carried out by the loop from
 * which it was called. Only if it runs a main loop of its own, before or after that,
 * the source goes on with the rest there, at a greater depth. */
static void
drain (BoshClientDriver *self)
{
  int level = g_main_depth () + 1;
  int outer_level = self->drain_level;
  BoshReconnectAction action = { 0 };

  /* Nothing is due before the client connects, nor after bosh_client_driver_stop(). */
  if (self->home.context == NULL || self->connection == NULL)
    return;

  set_deadline (self, 0);
  if (level <= outer_level)
    return;

  g_object_ref (self->owner);
  bosh_home_enter (&self->home);
  self->drain_level = level;
  while (bosh_reconnect_next_action (self->machine, &action, g_get_monotonic_time ()))
    {
      perform (self, &action);
      bosh_reconnect_action_clear (&action);
    }
  self->drain_level = outer_level;
  set_deadline (self, bosh_reconnect_get_deadline (self->machine));
  g_object_unref (self->owner);
}

/* --- The driver --- */

BoshClientDriver *
bosh_client_driver_new (const char                      *domain,
                        BoshConnectionConfiguration     *configuration,
                        const BoshClientDriverCallbacks *callbacks,
                        gpointer                         owner)
{
  BoshClientDriver *self = g_new0 (BoshClientDriver, 1);

  self->callbacks = callbacks;
  self->owner = owner;
  self->living = bosh_owner_new (owner);
  if (domain != NULL)
    self->domain = bosh_domain_dup_prepared (domain);
  if (configuration != NULL)
    self->configuration = g_object_ref (configuration);
  else
    self->configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION, NULL);
  self->machine = bosh_reconnect_new ((guint64)g_random_int () << 32 | g_random_int ());
  self->disconnects = g_ptr_array_new_with_free_func (disconnect_free);
  self->patience = BOSH_LOGIN_PATIENCE;
  if (!has_address (self))
    self->addresses = bosh_addresses_new (self->domain);
  create_connection (self);

  return self;
}

/* Each operation holds the owner, so there are none unless it was disposed of by
 * g_object_run_dispose(). */
static void
fail_operations (BoshClientDriver *self)
{
  g_autoptr(GTask) task = g_steal_pointer (&self->task);
  g_autoptr(GError) error = dup_end_error (self);

  bosh_source_clear (&self->cancelled);
  stop_asking (self);
  if (task != NULL)
    g_task_return_error (task, g_error_copy (error));
  if (self->iqs != NULL)
    bosh_iq_tracker_fail_all (self->iqs, error);
  if (self->deliveries != NULL)
    bosh_delivery_tracker_fail_all (self->deliveries, error);
  return_disconnects (self, error);
}

/* At once, because the operation that opens the connection holds the owner. */
static void
give_up_opening (BoshClientDriver *self)
{
  g_autoptr(GCancellable) cancelled = g_cancellable_new ();

  g_cancellable_cancel (cancelled);
  bosh_connection_disconnect_async (self->connection, NULL, cancelled, NULL, NULL);
}

void
bosh_client_driver_stop (BoshClientDriver *self)
{
  if (self->connection == NULL)
    return;

  g_clear_pointer (&self->network, bosh_network_watch_free);
  bosh_source_clear (&self->source);
  g_clear_pointer (&self->login, bosh_login_driver_stop);
  release_connection (self);
  /* The session of an attempt is ended, for the application does not know it. */
  if (get_state (self) == BOSH_RECONNECT_RECONNECTING)
    disconnect_connection (self, NULL, NULL);
  else if (get_state (self) == BOSH_RECONNECT_CONNECTING)
    give_up_opening (self);
  g_clear_object (&self->connection);
  fail_operations (self);
}

static void
end (gpointer data)
{
  BoshClientDriver *self = data;

  g_clear_object (&self->connection);
  g_clear_pointer (&self->iqs, bosh_iq_tracker_free);
  g_clear_pointer (&self->deliveries, bosh_delivery_tracker_free);
  g_clear_pointer (&self->disconnects, g_ptr_array_unref);
  g_clear_pointer (&self->machine, bosh_reconnect_free);
  g_clear_pointer (&self->addresses, bosh_addresses_free);
  g_clear_pointer (&self->credentials, bosh_credentials_unref);
  g_clear_pointer (&self->features, bosh_element_unref);
  g_clear_object (&self->configuration);
  g_clear_object (&self->saved);
  g_clear_object (&self->accepted);
  g_free (self->stream_condition);
  g_free (self->new_mechanism);
  g_free (self->new_jid);
  g_free (self->mechanism);
  g_free (self->domain);
  g_free (self->jid);
  bosh_owner_leave (self->living);
  bosh_owner_unref (self->living);
  bosh_home_clear (&self->home);
  g_free (self);
}

static void
stop_and_end (gpointer data)
{
  bosh_client_driver_stop (data);
  end (data);
}

/* Is there anything that has to come down in the context, beside the connection, which
 * sees to that itself? */
static gboolean
is_at_home (BoshClientDriver *self)
{
  return self->connection != NULL &&
         (self->source != NULL || self->login != NULL || self->expects_login ||
          get_state (self) == BOSH_RECONNECT_RECONNECTING);
}

void
bosh_client_driver_free (BoshClientDriver *self)
{
  if (is_at_home (self))
    bosh_home_leave (&self->home, stop_and_end, self);
  else
    end (self);
}

gboolean
bosh_client_driver_is_here (BoshClientDriver *self)
{
  return self->home.context == NULL || bosh_home_is_here (&self->home);
}

gboolean
bosh_client_driver_leave (BoshClientDriver *self)
{
  return bosh_home_leave_owner (&self->home, self->living, self->owner);
}

BoshReconnect *
bosh_client_driver_get_machine (BoshClientDriver *self)
{
  return self->machine;
}

void
bosh_client_driver_set_retry_connect (BoshClientDriver *self,
                                      gboolean          retry_connect)
{
  bosh_reconnect_set_retries_connect (self->machine, retry_connect);
  drain (self);
}

void
bosh_client_driver_set_credentials (BoshClientDriver *self,
                                    BoshCredentials  *credentials)
{
  BoshReconnectState state = get_state (self);

  if (state == BOSH_RECONNECT_DISCONNECTING || state == BOSH_RECONNECT_DETACHED ||
      state == BOSH_RECONNECT_CLOSED)
    return;

  g_clear_pointer (&self->credentials, bosh_credentials_unref);
  self->credentials = bosh_credentials_ref (credentials);
  bosh_reconnect_remember (self->machine);
  drain (self);
}

void
bosh_client_driver_set_auto_reconnect (BoshClientDriver *self,
                                       gboolean          auto_reconnect)
{
  bosh_reconnect_set_enabled (self->machine, auto_reconnect);
  /* Before the client connects nothing is drained. */
  if (!auto_reconnect && get_state (self) == BOSH_RECONNECT_NEW)
    g_clear_pointer (&self->credentials, bosh_credentials_unref);
  drain (self);
}

BoshLoginFlags
bosh_client_driver_get_login_flags (BoshClientDriver *self)
{
  return self->login_flags;
}

void
bosh_client_driver_set_login_flags (BoshClientDriver *self,
                                    BoshLoginFlags    flags)
{
  self->login_flags = flags;
}

void
bosh_client_driver_set_patience_for_tests (BoshClientDriver *self,
                                           gint64            patience)
{
  self->patience = patience;
}

const char *
bosh_client_driver_get_domain (BoshClientDriver *self)
{
  return self->domain;
}

BoshConnectionConfiguration *
bosh_client_driver_get_configuration (BoshClientDriver *self)
{
  return self->configuration;
}

BoshConnection *
bosh_client_driver_get_connection (BoshClientDriver *self)
{
  return self->connection;
}

const char *
bosh_client_driver_get_jid (BoshClientDriver *self)
{
  return self->jid;
}

const char *
bosh_client_driver_get_mechanism (BoshClientDriver *self)
{
  return self->mechanism;
}

BoshCredentials *
bosh_client_driver_get_credentials_for_tests (BoshClientDriver *self)
{
  return self->credentials;
}
