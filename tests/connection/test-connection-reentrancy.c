/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection whose handlers do anything to it: a whole life of a
 * session is run again and again, and each time another one of its signals and
 * callbacks does something. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-wire.h"

#include <string.h>

typedef enum
{
  SEND,
  DISCONNECT,
  DETACH,
  DETACH_ASYNC,
  CANCEL,
  DROP,
  RUN_LOOP,
  N_ACTIONS
} Action;

static const char * const action_names[N_ACTIONS] = {
  "send",
  "disconnect",
  "detach",
  "detach-async",
  "cancel",
  "drop",
  "run-loop",
};

/* Where something is done: names of signals and properties, and callbacks. */
static const char * const places[] = {
  "closed",
  "request-sent",
  "response-received",
  "stanza",
  "features",
  "n-stanzas-queued",
  "request-id",
  "session-id",
  "wait",
  "state",
  "connected",
  "sent",
  "restarted",
  "ended",
};

typedef struct
{
  BoshConnection *connection;  /* NULL once it was dropped */
  gpointer alive;              /* the same, NULL at its end */
  GCancellable *cancellable;
  const char *place;
  guint n_to_skip;             /* times that the place is passed without acting */
  Action action;
  gboolean has_acted;
  gboolean ends_by_detaching;
  guint n_pending;             /* operations */
  guint n_closed;
} Life;

static void act (Life *self);

static void
pass (Life       *self,
      const char *place)
{
  if (self->has_acted || strcmp (place, self->place) != 0)
    return;

  if (self->n_to_skip > 0)
    {
      self->n_to_skip--;
      return;
    }

  self->has_acted = TRUE;
  act (self);
}

static BoshElement *
new_message (void)
{
  return bosh_element_new_message (NULL, NULL, "x");
}

/* Every operation completes once, with success or with an error. */
static void
finish (Life           *self,
        GObject        *source,
        GAsyncResult   *result,
        BoshTestFinish  finish_func,
        const char     *place)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (finish_func (BOSH_CONNECTION (source), result, &error) == (error == NULL));
  g_assert_cmpuint (self->n_pending, >, 0);
  self->n_pending--;
  pass (self, place);
}

static gboolean
finish_detach (BoshConnection  *connection,
               GAsyncResult    *result,
               GError         **error)
{
  g_autoptr(BoshSavedSession) session = NULL;

  session = bosh_connection_detach_finish (connection, result, error);

  return session != NULL;
}

static void
on_extra_sent (GObject      *source,
               GAsyncResult *result,
               gpointer      user_data)
{
  finish (user_data, source, result, bosh_connection_deliver_finish, "-");
}

static void
on_disconnected (GObject      *source,
                 GAsyncResult *result,
                 gpointer      user_data)
{
  finish (user_data, source, result, bosh_connection_disconnect_finish, "ended");
}

static void
on_detached (GObject      *source,
             GAsyncResult *result,
             gpointer      user_data)
{
  finish (user_data, source, result, finish_detach, "ended");
}

static void
start_disconnect (Life *self)
{
  self->n_pending++;
  bosh_connection_disconnect_async (self->connection, NULL, self->cancellable,
                                    on_disconnected, self);
}

static void
start_detach (Life *self)
{
  self->n_pending++;
  bosh_connection_detach_async (self->connection, self->cancellable, on_detached, self);
}

static void
start_send (Life                *self,
            GAsyncReadyCallback  callback)
{
  g_autoptr(BoshElement) message = new_message ();

  self->n_pending++;
  bosh_connection_deliver_async (self->connection, message, self->cancellable, callback, self);
}

/* As an application does that runs the main loop inside of a handler. */
static void
run_loop (Life *self)
{
  guint n_pending = self->n_pending;

  start_send (self, on_extra_sent);
  bosh_test_await (self->n_pending <= n_pending);
}

static void
act (Life *self)
{
  if (self->connection == NULL)
    return;

  switch (self->action)
    {
    case SEND:
      start_send (self, on_extra_sent);
      break;

    case DISCONNECT:
      start_disconnect (self);
      break;

    case DETACH:
      bosh_connection_detach (self->connection);
      break;

    case DETACH_ASYNC:
      start_detach (self);
      break;

    case CANCEL:
      g_cancellable_cancel (self->cancellable);
      break;

    case DROP:
      g_clear_object (&self->connection);
      break;

    case RUN_LOOP:
      run_loop (self);
      break;

    case N_ACTIONS:
    default:
      g_assert_not_reached ();
    }
}

static void
on_notify (GObject    *object,
           GParamSpec *pspec,
           gpointer    user_data)
{
  pass (user_data, pspec->name);
}

static void
on_stanza (BoshConnection *connection,
           BoshElement    *element,
           gpointer        user_data)
{
  pass (user_data, "stanza");
}

static void
on_closed (BoshConnection *connection,
           const GError   *error,
           gpointer        user_data)
{
  Life *self = user_data;

  self->n_closed++;
  pass (self, "closed");
}

static void
on_request_sent (BoshConnection *connection,
                 const char     *text,
                 gpointer        user_data)
{
  pass (user_data, "request-sent");
}

static void
on_response_received (BoshConnection *connection,
                      const char     *text,
                      gpointer        user_data)
{
  pass (user_data, "response-received");
}

static void
on_sent (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  Life *self = user_data;

  finish (self, source, result, bosh_connection_deliver_finish, "sent");
  if (self->connection == NULL)
    return;

  if (self->ends_by_detaching)
    start_detach (self);
  else
    start_disconnect (self);
}

static void
on_restarted (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  Life *self = user_data;

  finish (self, source, result, bosh_connection_restart_finish, "restarted");
  if (self->connection == NULL)
    return;

  start_send (self, on_sent);
}

static void
on_connected (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  Life *self = user_data;

  finish (self, source, result, bosh_connection_connect_finish, "connected");
  if (self->connection == NULL)
    return;

  self->n_pending++;
  bosh_connection_restart_async (self->connection, self->cancellable, on_restarted, self);
}

static gboolean
has_ended (Life *self)
{
  BoshConnectionState state;

  if (self->n_pending > 0)
    return FALSE;
  if (self->alive == NULL)
    return TRUE;
  if (self->connection == NULL)
    return FALSE;

  state = bosh_connection_get_state (self->connection);

  /* An operation that was cancelled may leave the session as it is. */
  return state == BOSH_CONNECTION_STATE_CLOSED || state == BOSH_CONNECTION_STATE_DETACHED ||
         g_cancellable_is_cancelled (self->cancellable);
}

/* Requests with elements have their responses at once, so that no operation waits. */
static gboolean
respond_payload (BoshTestManager  *manager,
                 BoshTestExchange *exchange,
                 gpointer          user_data)
{
  GPtrArray *exchanges = bosh_test_manager_get_exchanges (manager);

  if (bosh_test_exchange_get_attribute (exchange, "type") != NULL ||
      bosh_element_get_n_children (bosh_test_exchange_get_body (exchange)) == 0)
    return FALSE;

  for (guint i = 0; i < exchanges->len; i++)
    {
      BoshTestExchange *held = g_ptr_array_index (exchanges, i);

      if (!bosh_test_exchange_has_response (held) && !bosh_test_exchange_is_gone (held))
        bosh_test_exchange_respond (held, "", held == exchange ? BOSH_TEST_MESSAGE ("1") : "");
    }

  return TRUE;
}

/* FALSE if the place was not reached so often. */
static gboolean
run_life (const char *place,
          guint       n_to_skip,
          Action      action,
          gboolean    ends_by_detaching)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  Life self = {
    .cancellable = cancellable,
    .place = place,
    .n_to_skip = n_to_skip,
    .action = action,
    .ends_by_detaching = ends_by_detaching,
  };
  BoshConnectionConfiguration *configuration = bosh_test_manager_configure (manager, NULL);

  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_manager_set_script (manager, respond_payload, NULL);
  self.connection = bosh_connection_new ("example.org", configuration);
  g_object_unref (configuration);
  self.alive = self.connection;
  g_object_add_weak_pointer (G_OBJECT (self.connection), &self.alive);
  g_signal_connect (self.connection, "notify", G_CALLBACK (on_notify), &self);
  g_signal_connect (self.connection, "stanza", G_CALLBACK (on_stanza), &self);
  g_signal_connect (self.connection, "closed", G_CALLBACK (on_closed), &self);
  g_signal_connect (self.connection, "request-sent", G_CALLBACK (on_request_sent), &self);
  g_signal_connect (self.connection, "response-received",
                    G_CALLBACK (on_response_received), &self);

  self.n_pending++;
  bosh_connection_connect_async (self.connection, cancellable, on_connected, &self);
  if (self.connection != NULL)
    start_send (&self, on_extra_sent);
  bosh_test_await (has_ended (&self));
  bosh_test_run_dry ();
  g_assert_cmpuint (self.n_closed, <=, 1);

  g_clear_object (&self.connection);
  bosh_test_run_dry ();
  g_assert_null (self.alive);

  return self.has_acted;
}

static void
test_place (gconstpointer data)
{
  const char *place = data;
  guint n_runs = 0;

  g_test_summary ("Whatever a handler does, every operation ends once, the session is closed at "
                  "most once, and nothing is left");

  for (Action action = SEND; action < N_ACTIONS; action++)
    {
      for (guint detaching = 0; detaching < 2; detaching++)
        {
          guint n_to_skip = 0;

          g_test_message ("%s at %s", action_names[action], place);
          while (run_life (place, n_to_skip, action, detaching == 1))
            n_to_skip++;
          n_runs += n_to_skip;
        }
    }

  g_assert_cmpuint (n_runs, >=, N_ACTIONS);
}

typedef struct
{
  guint64 next_rid;      /* after the restart */
  gboolean is_connected;
  gboolean is_restarted;
  gboolean has_waited;
  guint n_delivered;
} Pipeline;

static void
on_pipeline_connected (GObject      *source,
                       GAsyncResult *result,
                       gpointer      user_data)
{
  Pipeline *self = user_data;
  g_autoptr(GError) error = NULL;

  bosh_connection_connect_finish (BOSH_CONNECTION (source), result, &error);
  g_assert_no_error (error);
  self->is_connected = TRUE;
}

static void
on_pipeline_restarted (GObject      *source,
                       GAsyncResult *result,
                       gpointer      user_data)
{
  Pipeline *self = user_data;
  g_autoptr(GError) error = NULL;

  bosh_connection_restart_finish (BOSH_CONNECTION (source), result, &error);
  g_assert_no_error (error);
  self->is_restarted = TRUE;
}

static void
on_pipeline_delivered (GObject      *source,
                       GAsyncResult *result,
                       gpointer      user_data)
{
  Pipeline *self = user_data;
  g_autoptr(GError) error = NULL;

  bosh_connection_deliver_finish (BOSH_CONNECTION (source), result, &error);
  g_assert_no_error (error);
  self->n_delivered++;
}

static void
on_pipeline_request (BoshConnection *connection,
                     GParamSpec     *pspec,
                     gpointer        user_data)
{
  Pipeline *self = user_data;

  if (bosh_connection_get_request_id (connection) != self->next_rid)
    return;

  bosh_test_await (self->is_restarted);
  self->has_waited = TRUE;
}

static void
test_written (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_autoptr(BoshConnectionConfiguration) configuration =
    bosh_test_manager_configure (manager, NULL);
  g_autoptr(BoshConnection) connection = bosh_connection_new ("example.org", configuration);
  g_autoptr(BoshElement) message = new_message ();
  Pipeline self = { 0 };

  g_test_summary ("A handler that is called because a request was written can wait for the "
                  "response to it");

  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_manager_set_script (manager, respond_payload, NULL);
  /* Prosody sorts requests, so the one after a restart follows at once. */
  bosh_test_manager_set_grants (manager,
                                "sid='s1' wait='55' hold='1' requests='2' inactivity='30' "
                                "polling='2' ver='1.6'",
                                "<stream:features xmlns='jabber:client' "
                                "xmlns:stream='http://etherx.jabber.org/streams'/>");
  bosh_connection_connect_async (connection, NULL, on_pipeline_connected, &self);
  bosh_test_await (self.is_connected);
  self.next_rid = bosh_connection_get_request_id (connection) + 2;
  g_signal_connect (connection, "notify::request-id", G_CALLBACK (on_pipeline_request), &self);
  bosh_connection_restart_async (connection, NULL, on_pipeline_restarted, &self);
  bosh_connection_deliver_async (connection, message, NULL, on_pipeline_delivered, &self);
  bosh_test_await (self.n_delivered == 1);
  g_assert_true (self.has_waited);
  g_assert_cmpuint (bosh_connection_get_n_requests_repeated (connection), ==, 0);
}

typedef struct
{
  guint n_requests;
  guint n_addresses;     /* notifications of see-other-uri */
  gboolean is_closed;
} Redirection;

static void
on_redirection_closed (BoshConnection *connection,
                       const GError   *error,
                       gpointer        user_data)
{
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_SEE_OTHER_URI);
  ((Redirection *)user_data)->is_closed = TRUE;
}

static void
on_see_other_uri (BoshConnection *connection,
                  GParamSpec     *pspec,
                  gpointer        user_data)
{
  ((Redirection *)user_data)->n_addresses++;
}

static void
on_http_status (BoshConnection *connection,
                GParamSpec     *pspec,
                gpointer        user_data)
{
  Redirection *self = user_data;

  if (bosh_connection_get_http_status (connection) == 503)
    bosh_test_await (self->is_closed);
}

/* A session that was redirected, and is to be again after an error of a proxy. */
static gboolean
redirect (BoshTestManager  *manager,
          BoshTestExchange *exchange,
          gpointer          user_data)
{
  Redirection *self = user_data;
  guint n = self->n_requests++;
  /* Of another length each time. */
  g_autofree char *uri = g_strdup_printf ("<uri>http://127.0.0.1:%u/%0*u</uri>",
                                          bosh_test_manager_get_port (manager), 20 * n + 1, n);

  if (n == 0 || n == 3)
    bosh_test_exchange_respond (exchange, "type='terminate' condition='see-other-uri'", uri);
  else if (n == 2)
    bosh_test_exchange_reply (exchange, 503, "Retry-After: 0\r\n", "");
  else
    return FALSE;

  return TRUE;
}

static void
test_http_status (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_autoptr(BoshConnectionConfiguration) configuration =
    bosh_test_manager_configure (manager, NULL);
  g_autoptr(BoshConnection) connection = bosh_connection_new ("example.org", configuration);
  Redirection self = { 0 };

  g_test_summary ("A handler of http-status runs the main loop, in which see-other-uri changes");

  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_manager_set_script (manager, redirect, &self);
  g_signal_connect (connection, "notify::http-status", G_CALLBACK (on_http_status), &self);
  g_signal_connect (connection, "notify::see-other-uri", G_CALLBACK (on_see_other_uri), &self);
  g_signal_connect (connection, "closed", G_CALLBACK (on_redirection_closed), &self);
  bosh_connection_connect_async (connection, NULL, NULL, NULL);
  bosh_test_await (self.is_closed);
  bosh_test_run_dry ();
  g_assert_cmpuint (self.n_addresses, ==, 2);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *path = g_strconcat ("/bosh/connection-reentrancy/", places[i], NULL);

      g_test_add_data_func (path, places[i], test_place);
    }

  g_test_add_func ("/bosh/connection-reentrancy/written", test_written);
  g_test_add_func ("/bosh/connection-reentrancy/http-status", test_http_status);

  return g_test_run ();
}
