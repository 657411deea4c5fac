/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 *            loss that can be mended
 *   READY ────────────────────────────→ WAITING ←──────────────────┐
 *     ↑                                   │ time, or the network   │ failure that
 *     │                                   ↓                        │ can be mended
 *     │           logged in         connecting, logging in ────────┤
 *     └───────────────────────────────────┘                        │ any other failure,
 *                                                                  ↓ or too many
 *                                                                CLOSED
 *
 * To the application all but READY and CLOSED is RECONNECTING.
 */

#include "config.h"

#include "bosh-client-private.h"

#include "bosh-connection-private.h"
#include "bosh-element-private.h"
#include "bosh-error-kind-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-network-watch-private.h"
#include "bosh-offline-private.h"
#include "bosh-secret-private.h"
#include "bosh-session-private.h"

#include <string.h>

/* Milliseconds. */
#define FIRST_DELAY 2000
#define LONGEST_DELAY (2 * 60 * 1000)
/* A session that has lasted for so long was worth the login. */
#define STABLE_AFTER (60 * 1000)

/* Connecting and logging in, in seconds. */
#define ATTEMPT_TIMEOUT 120
/* Between two attempts at once because the network has changed, microseconds. */
#define HURRY_INTERVAL (10 * G_USEC_PER_SEC)

struct _ClientReconnect
{
  gboolean             enabled;
  guint                max_attempts;
  guint                first_delay;
  guint                longest_delay;
  guint                stable_after;

  /* What the last login was made with, if enabled. */
  gboolean             remembered;
  BoshSaslCredentials  credentials;
  char                *username;   /* nullable */
  BoshSecret          *password;   /* nullable */
  /* The result of SCRAM's costly part, which the servers ask for again and
   * again with the same salt. Nullable. */
  BoshSecret          *salted_password;
  char                *resource;   /* nullable */

  gint64               ready_at;
  guint                attempts;   /* since the last session that lasted */
  guint                tries;      /* the same with those that do not count */
  char                *stream_condition;
  GError              *last_error;

  GSource             *timer;      /* before an attempt, or its limit */
  BoshNetworkWatch    *network;    /* before an attempt */
  gint64               hurried_at; /* when a change of the network ended a delay */
  gboolean             attempting;
  GQueue               waiting;    /* of BoshElement, for the next session */
};

ClientReconnect *
client_reconnect_new (void)
{
  ClientReconnect *self = g_new0 (ClientReconnect, 1);

  self->max_attempts = BOSH_CLIENT_MAX_RECONNECT_ATTEMPTS;
  self->first_delay = FIRST_DELAY;
  self->longest_delay = LONGEST_DELAY;
  self->stable_after = STABLE_AFTER;
  self->hurried_at = -HURRY_INTERVAL;
  g_queue_init (&self->waiting);

  return self;
}

static void
stop_waiting (ClientReconnect *self)
{
  g_clear_pointer (&self->network, bosh_network_watch_free);
  if (self->timer != NULL)
    {
      g_source_destroy (self->timer);
      g_clear_pointer (&self->timer, g_source_unref);
    }
}

static void
forget (ClientReconnect *self)
{
  self->remembered = FALSE;
  g_clear_pointer (&self->username, g_free);
  g_clear_pointer (&self->password, bosh_secret_free);
  g_clear_pointer (&self->salted_password, bosh_secret_free);
  g_clear_pointer (&self->resource, g_free);
  g_clear_pointer (&self->stream_condition, g_free);
}

void
client_reconnect_free (ClientReconnect *self)
{
  stop_waiting (self);
  forget (self);
  g_clear_error (&self->last_error);
  g_queue_clear_full (&self->waiting, (GDestroyNotify)bosh_element_unref);
  g_free (self);
}

void
client_reconnect_set_delays (BoshClient *client,
                             guint       first,
                             guint       longest,
                             guint       stable_after)
{
  client->reconnect->first_delay = first;
  client->reconnect->longest_delay = longest;
  client->reconnect->stable_after = stable_after;
}

const char *
client_reconnect_get_password (BoshClient *client)
{
  return bosh_secret_get_text (client->reconnect->password);
}

void
client_reconnect_remember (BoshClient                *client,
                           const BoshLoginParameters *parameters)
{
  ClientReconnect *self = client->reconnect;

  forget (self);
  if (!self->enabled)
    return;

  self->remembered = TRUE;
  self->credentials = parameters->credentials;
  self->username = g_strdup (parameters->username);
  self->password = bosh_secret_new (parameters->password);
  self->resource = g_strdup (parameters->resource);
}

void
client_reconnect_forget (BoshClient *client)
{
  forget (client->reconnect);
}

void
client_reconnect_keep_salted (BoshClient *client,
                              const char *salted_password)
{
  ClientReconnect *self = client->reconnect;

  g_clear_pointer (&self->salted_password, bosh_secret_free);
  if (self->remembered)
    self->salted_password = bosh_secret_new (salted_password);
}

const char *
client_reconnect_get_salted (BoshClient *client)
{
  return bosh_secret_get_text (client->reconnect->salted_password);
}

void
client_reconnect_note_ready (BoshClient *client)
{
  ClientReconnect *self = client->reconnect;

  self->ready_at = g_get_monotonic_time ();
  g_clear_pointer (&self->stream_condition, g_free);
}

/* R123: with its wrapper, or in the old form without. */
void
client_reconnect_note_element (BoshClient  *client,
                               BoshElement *element)
{
  ClientReconnect *self = client->reconnect;

  if (!self->remembered)
    return;

  if (bosh_element_matches (element, "error", BOSH_NS_STREAMS))
    {
      for (guint i = 0; i < bosh_element_get_n_children (element); i++)
        client_reconnect_note_element (client, bosh_element_get_nth_child (element, i));
    }
  else if (g_strcmp0 (bosh_element_get_namespace (element), BOSH_NS_STREAM_ERRORS) == 0 &&
           strcmp (bosh_element_get_name (element), "text") != 0)
    {
      g_free (self->stream_condition);
      self->stream_condition = g_strdup (bosh_element_get_name (element));
    }
}

/* Does it fail because this machine has no network at the moment? */
static gboolean
is_offline (BoshClient *client)
{
  const char *hostname = bosh_connection_configuration_get_hostname (client->configuration);

  return bosh_host_is_offline (hostname);
}

static void
start_timer (BoshClient  *client,
             const char  *name,
             guint        milliseconds,
             GSourceFunc  function)
{
  ClientReconnect *self = client->reconnect;

  stop_waiting (self);
  self->timer = g_timeout_source_new (milliseconds);
  g_source_set_name (self->timer, name);
  g_source_set_callback (self->timer, function, client, NULL);
  g_source_attach (self->timer, bosh_connection_get_main_context (client->connection));
}

/* Ends the attempt that is under way, if one is, and its session. */
static void
stop_attempt (BoshClient *client)
{
  ClientReconnect *self = client->reconnect;

  stop_waiting (self);
  if (!self->attempting)
    return;

  self->attempting = FALSE;
  g_clear_pointer (&client->driver, bosh_login_driver_stop);
  client_release_connection (client);
  bosh_connection_disconnect_async (client->connection, NULL, NULL, NULL, NULL);
}

static gboolean on_delay_over (gpointer user_data);

static void
schedule (BoshClient *client)
{
  ClientReconnect *self = client->reconnect;
  guint64 limit = MIN ((guint64)self->first_delay << MIN (self->tries, 31),
                       (guint64)self->longest_delay);
  guint delay = (guint)((double)limit * (1 + g_random_double ()) / 2);

  start_timer (client, "[bosh] client waits before it reconnects", delay, on_delay_over);
  /* Changes come in groups, and not every one lets the next attempt succeed. */
  if (g_get_monotonic_time () - self->hurried_at >= HURRY_INTERVAL)
    self->network = bosh_network_watch_new (self->timer);
}

/* FALSE if no other attempt follows. */
static gboolean
handle_failure (BoshClient   *client,
                const GError *error)
{
  ClientReconnect *self = client->reconnect;

  stop_attempt (client);
  if (is_offline (client))
    self->attempts--;

  if (self->attempts >= self->max_attempts ||
      bosh_error_get_kind (error, self->stream_condition) != BOSH_ERROR_KIND_TEMPORARY)
    {
      forget (self);
      return FALSE;
    }

  g_clear_error (&self->last_error);
  self->last_error = g_error_copy (error);
  g_clear_pointer (&self->stream_condition, g_free);
  schedule (client);

  return TRUE;
}

/* The attempt has failed, and its session may be open. */
static void
fail_attempt (BoshClient   *client,
              const GError *error)
{
  if (!handle_failure (client, error))
    client_close (client, error);
}

static gboolean
on_attempt_timeout (gpointer user_data)
{
  g_autoptr(BoshClient) client = g_object_ref (user_data);
  g_autoptr(GError) error = NULL;

  error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TIMED_OUT,
                               _("The login was not finished in time"));
  fail_attempt (client, error);

  return G_SOURCE_REMOVE;
}

static gboolean
on_delay_over (gpointer user_data)
{
  g_autoptr(BoshClient) client = g_object_ref (user_data);
  ClientReconnect *self = client->reconnect;
  g_autoptr(GMainContext) context = NULL;

  context = g_main_context_ref (bosh_connection_get_main_context (client->connection));
  if (self->network != NULL && bosh_network_watch_take_change (self->network))
    self->hurried_at = g_get_monotonic_time ();
  stop_waiting (self);
  g_clear_pointer (&client->features, bosh_element_unref);
  self->attempting = TRUE;
  self->attempts++;
  self->tries++;

  g_main_context_push_thread_default (context);
  client_renew_connection (client);
  /* A handler may have ended it. */
  if (self->attempting)
    bosh_connection_connect_async (client->connection, NULL, NULL, NULL);
  if (self->attempting)
    start_timer (client, "[bosh] client limits an attempt to reconnect",
                 ATTEMPT_TIMEOUT * 1000, on_attempt_timeout);
  g_main_context_pop_thread_default (context);

  return G_SOURCE_REMOVE;
}

/* All that waited goes before what handlers of the new state send. */
static void
send_waiting (BoshClient *client)
{
  BoshElement *element;

  /* Where the session has ended already, they wait for the next one. */
  while ((element = g_queue_peek_head (&client->reconnect->waiting)) != NULL &&
         bosh_connection_send (client->connection, element, NULL))
    bosh_element_unref (g_queue_pop_head (&client->reconnect->waiting));
}

static void
on_login_done (const char   *jid,
               const GError *error,
               gpointer      user_data)
{
  g_autoptr(BoshClient) client = g_object_ref (user_data);
  ClientReconnect *self = client->reconnect;
  g_autofree char *mechanism = NULL;

  mechanism = g_strdup (bosh_login_driver_get_mechanism (client->driver));
  /* After a failure the next attempt computes it anew. */
  client_reconnect_keep_salted (client, jid != NULL
                                          ? bosh_login_driver_get_salted_password (client->driver)
                                          : NULL);
  g_clear_pointer (&client->driver, bosh_login_driver_stop);
  if (jid == NULL)
    {
      /* The session has ended already, and `closed` follows with the reason. */
      if (!g_error_matches (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED))
        fail_attempt (client, error);
      return;
    }

  stop_waiting (self);
  self->attempting = FALSE;
  g_clear_error (&self->last_error);
  client_reconnect_note_ready (client);
  send_waiting (client);

  g_object_freeze_notify (G_OBJECT (client));
  client_set_mechanism (client, mechanism);
  client_set_jid (client, jid);
  client_set_state (client, BOSH_CLIENT_STATE_READY);
  g_object_thaw_notify (G_OBJECT (client));
}

void
client_reconnect_handle_features (BoshClient *client)
{
  ClientReconnect *self = client->reconnect;
  BoshLoginParameters parameters = { 0 };
  g_autoptr(BoshElement) features = NULL;

  if (!self->attempting)
    return;

  parameters.domain = client->domain;
  parameters.credentials = self->credentials;
  parameters.username = self->username;
  parameters.password = bosh_secret_get_text (self->password);
  parameters.salted_password = bosh_secret_get_text (self->salted_password);
  parameters.resource = self->resource;
  parameters.allow_plaintext = client->allow_plaintext_password ||
                               bosh_connection_is_private (client->connection);
  parameters.pipeline = client->pipeline_login;
  client->driver = bosh_login_driver_new (client->connection, &parameters, on_login_done, client);
  features = bosh_element_ref (client->features);
  bosh_login_driver_handle_features (client->driver, features);
}

/* Of what was never sent, what is not somebody's request that fails now. */
static void
keep_unsent (BoshClient *client,
             GPtrArray  *stanzas)
{
  for (guint i = 0; i < stanzas->len; i++)
    g_queue_push_tail (&client->reconnect->waiting,
                       bosh_element_ref (g_ptr_array_index (stanzas, i)));
}

static GPtrArray *
dup_unsent (BoshClient *client)
{
  g_autoptr(GPtrArray) stanzas = bosh_connection_dup_unsent_on_first (client->connection);

  for (guint i = stanzas->len; i > 0; i--)
    if (client_awaits_response (client, g_ptr_array_index (stanzas, i - 1)))
      g_ptr_array_remove_index (stanzas, i - 1);

  return g_steal_pointer (&stanzas);
}

/* The session of somebody who was logged in. */
static gboolean
handle_loss (BoshClient   *client,
             const GError *error)
{
  ClientReconnect *self = client->reconnect;
  g_autoptr(BoshConnection) connection = g_object_ref (client->connection);
  g_autoptr(GPtrArray) unsent = NULL;

  if (g_get_monotonic_time () - self->ready_at >= (gint64)self->stable_after * 1000)
    self->attempts = self->tries = 0;
  if (!self->remembered || self->attempts >= self->max_attempts ||
      bosh_error_get_kind (error, self->stream_condition) != BOSH_ERROR_KIND_TEMPORARY)
    {
      forget (self);
      return FALSE;
    }

  g_clear_error (&self->last_error);
  self->last_error = g_error_copy (error);
  g_clear_pointer (&self->stream_condition, g_free);
  unsent = dup_unsent (client);
  client_set_state (client, BOSH_CLIENT_STATE_RECONNECTING);
  client_fail_requests (client, error);

  /* Each of these may have ended it: then it is closed already. */
  if (client->state == BOSH_CLIENT_STATE_RECONNECTING &&
      client_emit_session_lost (client, connection, error))
    keep_unsent (client, unsent);
  if (client->state == BOSH_CLIENT_STATE_RECONNECTING)
    schedule (client);

  return TRUE;
}

gboolean
client_reconnect_handle_end (BoshClient   *client,
                             const GError *error)
{
  if (error == NULL || bosh_connection_is_leaving (client->connection))
    forget (client->reconnect);
  else if (client->state == BOSH_CLIENT_STATE_READY)
    return handle_loss (client, error);
  else if (client->state == BOSH_CLIENT_STATE_RECONNECTING)
    return handle_failure (client, error);

  return FALSE;
}

void
client_reconnect_stop (BoshClient *client)
{
  stop_attempt (client);
  forget (client->reconnect);
}

static gboolean
keep_waiting (BoshClient   *client,
              BoshElement  *element,
              GError      **error)
{
  gsize limit = bosh_connection_configuration_get_max_request_size (client->configuration);

  if (!bosh_session_check_payload (element, limit, error))
    return FALSE;

  g_queue_push_tail (&client->reconnect->waiting, bosh_element_ref (element));

  return TRUE;
}

gboolean
client_send (BoshClient   *client,
             BoshElement  *element,
             GError      **error)
{
  if (client->state == BOSH_CLIENT_STATE_RECONNECTING)
    return keep_waiting (client, element, error);

  return bosh_connection_send (client->connection, element, error);
}

/**
 * bosh_client_dup_unsent:
 * @self: a client
 *
 * The stanzas that wait for the next session: what was given to
 * [method@Bosh.Client.send] and [method@Bosh.Client.send_iq_async] while
 * [property@Bosh.Client:state] was `RECONNECTING`, and what
 * [signal@Bosh.Client::session-lost] asked to send again. After
 * [signal@Bosh.Client::closed] these are the ones that never left this machine.
 *
 * What the connection itself did not send is told by
 * [method@Bosh.Connection.dup_unsent].
 *
 * Returns: (transfer container) (element-type BoshElement): the stanzas, in the order
 *   in which they are to be sent
 *
 * Since: 1.0
 */
GPtrArray *
bosh_client_dup_unsent (BoshClient *self)
{
  GPtrArray *stanzas;

  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);

  stanzas = g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);
  for (GList *link = self->reconnect->waiting.head; link != NULL; link = link->next)
    g_ptr_array_add (stanzas, bosh_element_ref (link->data));

  return stanzas;
}

/**
 * bosh_client_get_auto_reconnect:
 * @self: a client
 *
 * Gets the value of [property@Bosh.Client:auto-reconnect].
 *
 * Returns: `TRUE` if the client logs in again by itself
 *
 * Since: 1.0
 */
gboolean
bosh_client_get_auto_reconnect (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);

  return self->reconnect->enabled;
}

/**
 * bosh_client_set_auto_reconnect:
 * @self: a client
 * @auto_reconnect: whether to log in again by itself
 *
 * Sets the value of [property@Bosh.Client:auto-reconnect].
 *
 * Since: 1.0
 */
void
bosh_client_set_auto_reconnect (BoshClient *self,
                                gboolean    auto_reconnect)
{
  g_return_if_fail (BOSH_IS_CLIENT (self));

  auto_reconnect = !!auto_reconnect;
  if (self->reconnect->enabled == auto_reconnect)
    return;

  g_object_ref (self);
  self->reconnect->enabled = auto_reconnect;
  if (!auto_reconnect)
    client_reconnect_stop (self);
  g_object_notify (G_OBJECT (self), "auto-reconnect");

  if (!auto_reconnect && self->state == BOSH_CLIENT_STATE_RECONNECTING)
    {
      g_autoptr(GError) error = g_error_copy (self->reconnect->last_error);

      client_close (self, error);
    }
  g_object_unref (self);
}

/**
 * bosh_client_get_max_reconnect_attempts:
 * @self: a client
 *
 * Gets the value of [property@Bosh.Client:max-reconnect-attempts].
 *
 * Returns: how many attempts are made, 1 at least
 *
 * Since: 1.0
 */
guint
bosh_client_get_max_reconnect_attempts (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), 0);

  return self->reconnect->max_attempts;
}

/**
 * bosh_client_set_max_reconnect_attempts:
 * @self: a client
 * @max_reconnect_attempts: how many attempts to make, 1 at least
 *
 * Sets the value of [property@Bosh.Client:max-reconnect-attempts].
 *
 * Since: 1.0
 */
void
bosh_client_set_max_reconnect_attempts (BoshClient *self,
                                        guint       max_reconnect_attempts)
{
  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (max_reconnect_attempts > 0);

  if (self->reconnect->max_attempts == max_reconnect_attempts)
    return;

  self->reconnect->max_attempts = max_reconnect_attempts;
  g_object_notify (G_OBJECT (self), "max-reconnect-attempts");
}
