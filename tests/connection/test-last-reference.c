/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The last reference of an object is dropped in another thread than that of its main
 * context, as garbage collectors do, or when its context is not run any more. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-manager.h"
#include "bosh-test-wire.h"

#define LOST "type='terminate' condition='item-not-found'"

/* How often each state is tried, as races need luck. */
#define N_TIMES 20

/* Threads that come and go. */
#define N_THREADS 24

/* --- The thread that drops references --- */

typedef struct
{
  GThread *thread;
  GAsyncQueue *objects;
  int n_given;           /* atomic; also for ThreadSanitizer, which can't see the queue */
  int n_dropped;         /* atomic */
} Dropper;

static gpointer
run_dropper (gpointer user_data)
{
  Dropper *self = user_data;
  gpointer object;

  while ((object = g_async_queue_pop (self->objects)) != self)
    {
      g_assert_cmpint (g_atomic_int_get (&self->n_given), >, g_atomic_int_get (&self->n_dropped));
      g_object_unref (object);
      g_atomic_int_inc (&self->n_dropped);
      g_main_context_wakeup (NULL);
    }

  return NULL;
}

static void
dropper_init (Dropper *self)
{
  *self = (Dropper){ .objects = g_async_queue_new () };
  self->thread = g_thread_new ("dropper", run_dropper, self);
}

static void
dropper_clear (Dropper *self)
{
  g_async_queue_push (self->objects, self);
  g_thread_join (self->thread);
  g_async_queue_unref (self->objects);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Dropper, dropper_clear)

/* Takes @object. */
static void
give (Dropper  *self,
      gpointer  object)
{
  g_atomic_int_inc (&self->n_given);
  g_async_queue_push (self->objects, object);
}

/* --- The server --- */

typedef struct
{
  BoshTestManager *manager;
  gboolean is_chatty;     /* a message in response to each request */
  gboolean is_silent;     /* no request has a response any more */
  gboolean refuses;       /* all sessions are lost, and no other is created */
} Server;

static gboolean
serve (BoshTestManager  *manager,
       BoshTestExchange *exchange,
       gpointer          user_data)
{
  Server *self = user_data;

  if (self->is_silent)
    return TRUE;
  if (self->refuses && bosh_test_exchange_get_attribute (exchange, "sid") == NULL)
    {
      bosh_test_exchange_close (exchange);
      return TRUE;
    }
  if (self->refuses)
    {
      bosh_test_exchange_respond (exchange, LOST, "");
      return TRUE;
    }
  if (bosh_test_exchange_log_in (exchange, "x@example.org/y"))
    return TRUE;
  if (!self->is_chatty || bosh_test_exchange_get_attribute (exchange, "sid") == NULL ||
      bosh_test_exchange_get_attribute (exchange, "type") != NULL)
    return FALSE;

  bosh_test_exchange_respond (exchange, "", BOSH_TEST_MESSAGE ("chat"));

  return TRUE;
}

static void
server_init (Server *self)
{
  *self = (Server){ .manager = bosh_test_manager_new (NULL) };
  bosh_test_manager_set_automatic (self->manager, TRUE);
  bosh_test_manager_set_grants (self->manager, BOSH_TEST_GRANTS, BOSH_TEST_MECHANISM ("ANONYMOUS"));
  bosh_test_manager_set_script (self->manager, serve, self);
}

static void
server_clear (Server *self)
{
  g_clear_pointer (&self->manager, bosh_test_manager_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Server, server_clear)

static void
server_lose_sessions (Server *self)
{
  GPtrArray *exchanges = bosh_test_manager_get_exchanges (self->manager);

  for (guint i = 0; i < exchanges->len; i++)
    {
      BoshTestExchange *exchange = g_ptr_array_index (exchanges, i);

      if (!bosh_test_exchange_has_response (exchange) && !bosh_test_exchange_is_gone (exchange))
        bosh_test_exchange_respond (exchange, LOST, "");
    }
}

/* --- Lives that come to their end in another thread --- */

typedef struct
{
  Server *server;
  GThread *thread;
  BoshConnection *connection;
  BoshClient *client;
  guint n_stanzas;
} Life;

static void
on_stanza (gpointer     source,
           BoshElement *element,
           gpointer     user_data)
{
  Life *life = user_data;

  g_assert_true (g_thread_self () == life->thread);
  life->n_stanzas++;
}

static void
on_notify (GObject    *object,
           GParamSpec *pspec,
           gpointer    user_data)
{
  Life *life = user_data;

  g_assert_true (g_thread_self () == life->thread);
}

static void
life_begin (Life   *life,
            Server *server)
{
  g_autoptr(BoshConnectionConfiguration) configuration =
    bosh_test_manager_configure (server->manager, NULL);

  *life = (Life){ .server = server, .thread = g_thread_self () };
  life->connection = bosh_connection_new ("example.org", configuration);
  g_signal_connect (life->connection, "stanza", G_CALLBACK (on_stanza), life);
  g_signal_connect (life->connection, "notify", G_CALLBACK (on_notify), life);
  life->client = bosh_client_new ("example.org", configuration);
  bosh_client_set_auto_reconnect (life->client, TRUE);
  g_signal_connect (life->client, "stanza", G_CALLBACK (on_stanza), life);
  g_signal_connect (life->client, "notify", G_CALLBACK (on_notify), life);
}

static void
open_connection (Life *life)
{
  g_autoptr(GAsyncResult) result = NULL;

  bosh_connection_connect_async (life->connection, NULL, bosh_test_keep_result, &result);
  g_assert_true (bosh_connection_connect_finish (life->connection, bosh_test_wait_for (&result), NULL));
}

static void
leave_new (Life *life)
{
}

static void
leave_connecting (Life *life)
{
  bosh_connection_connect_async (life->connection, NULL, NULL, NULL);
  bosh_client_connect_async (life->client, NULL, NULL, NULL);
}

static void
leave_connected (Life *life)
{
  open_connection (life);
  bosh_test_connect (life->client, NULL);
}

static void
log_in (Life *life)
{
  g_autoptr(GAsyncResult) result = NULL;

  open_connection (life);
  bosh_test_connect (life->client, NULL);
  bosh_client_login_anonymously_async (life->client, NULL, NULL, bosh_test_keep_result, &result);
  g_assert_true (bosh_client_login_anonymously_finish (life->client, bosh_test_wait_for (&result), NULL));
}

/* Both have something to do all the time. */
static void
leave_chatting (Life *life)
{
  log_in (life);
  life->server->is_chatty = TRUE;
  for (guint i = 0; i < 2; i++)
    bosh_test_manager_deliver (life->server->manager, BOSH_TEST_MESSAGE ("chat"));
  bosh_test_await (life->n_stanzas >= 4);
}

static void
leave_paused (Life *life)
{
  bosh_test_manager_set_grants (life->server->manager, BOSH_TEST_GRANTS " maxpause='120'",
                                BOSH_TEST_MECHANISM ("ANONYMOUS"));
  log_in (life);
  bosh_connection_pause_async (life->connection, 60, NULL, NULL, NULL);
  bosh_client_pause_async (life->client, 60, NULL, NULL, NULL);
  bosh_test_await (bosh_connection_get_state (life->connection) == BOSH_CONNECTION_STATE_PAUSED);
}

static void
leave_detached (Life *life)
{
  log_in (life);
  bosh_connection_detach (life->connection);
  bosh_connection_detach (bosh_client_get_connection (life->client));
}

static void
leave_closed (Life *life)
{
  log_in (life);
  bosh_connection_disconnect_async (life->connection, NULL, NULL, NULL, NULL);
  bosh_client_disconnect_async (life->client, NULL, NULL, NULL);
  bosh_test_await (bosh_connection_get_state (life->connection) == BOSH_CONNECTION_STATE_CLOSED &&
                   bosh_client_get_state (life->client) == BOSH_CLIENT_STATE_CLOSED);
}

static void
leave_reconnecting (Life *life)
{
  log_in (life);
  life->server->refuses = TRUE;
  server_lose_sessions (life->server);
  bosh_test_await (bosh_client_get_state (life->client) == BOSH_CLIENT_STATE_RECONNECTING);
}

static const struct
{
  const char *name;
  void      (*leave) (Life *life);
} states[] = {
  { "new", leave_new },
  { "connecting", leave_connecting },
  { "connected", leave_connected },
  { "chatting", leave_chatting },
  { "paused", leave_paused },
  { "detached", leave_detached },
  { "closed", leave_closed },
  { "reconnecting", leave_reconnecting },
};

/* Of this process, those of the server included. */
static guint
count_descriptors (void)
{
  g_autoptr(GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (directory) != NULL)
    n++;

  return n;
}

static gboolean
is_gone (GWeakRef *object)
{
  g_autoptr(GObject) living = g_weak_ref_get (object);

  return living == NULL;
}

static void
test_state (gconstpointer data)
{
  guint state = GPOINTER_TO_UINT (data);
  g_auto(Dropper) dropper = { NULL };
  guint n_descriptors = 0;

  g_test_summary ("The last reference may be dropped in any thread, in any state: what the object "
                  "has in its main context comes down there, and nothing is left");

  dropper_init (&dropper);
  for (guint i = 0; i < N_TIMES; i++)
    {
      g_auto(Server) server = { NULL };
      GWeakRef connection;
      GWeakRef client;
      Life life;

      server_init (&server);
      n_descriptors = count_descriptors ();
      life_begin (&life, &server);
      g_weak_ref_init (&connection, life.connection);
      g_weak_ref_init (&client, life.client);
      states[state].leave (&life);
      for (guint n = 0; n < i; n++)
        g_main_context_iteration (NULL, FALSE);

      give (&dropper, g_steal_pointer (&life.client));
      give (&dropper, g_steal_pointer (&life.connection));
      bosh_test_await (g_atomic_int_get (&dropper.n_dropped) == 2 * (int)(i + 1));
      bosh_test_await (is_gone (&connection) && is_gone (&client));
      /* The first time leaves what the library keeps. */
      if (i > 0)
        bosh_test_await (count_descriptors () <= n_descriptors);
      else
        bosh_test_run_dry ();
      g_weak_ref_clear (&connection);
      g_weak_ref_clear (&client);
    }
}

/* --- g_object_run_dispose() --- */

static void
count_callback (GObject      *source_object,
                GAsyncResult *result,
                gpointer      user_data)
{
  guint *n_callbacks = user_data;

  (*n_callbacks)++;
}

static BoshSavedSession *
new_saved (void)
{
  return g_object_new (BOSH_TYPE_SAVED_SESSION,
                       "uri", "http://127.0.0.1:9/", "jid", "x@example.org/y",
                       "session-id", "s1", "request-id", G_GUINT64_CONSTANT (5), NULL);
}

/* Each begins an operation. The operations of a session that is open wait, as the server
 * is silent from here on. */
static void
begin_connect (Life *life, guint *n)
{
  bosh_connection_connect_async (life->connection, NULL, count_callback, n);
  bosh_client_connect_async (life->client, NULL, count_callback, n);
}

static void
begin_attach (Life *life, guint *n)
{
  g_autoptr(BoshSavedSession) saved = new_saved ();

  bosh_connection_attach_async (life->connection, saved, NULL, count_callback, n);
  bosh_client_attach_async (life->client, saved, NULL, count_callback, n);
}

static void
begin_deliver (Life *life, guint *n)
{
  g_autoptr(BoshElement) message = bosh_element_new_message ("a@example.org", NULL, "x");

  bosh_connection_deliver_async (life->connection, message, NULL, count_callback, n);
  bosh_client_deliver_async (life->client, message, NULL, count_callback, n);
}

static void
begin_pause (Life *life, guint *n)
{
  bosh_connection_pause_async (life->connection, 30, NULL, count_callback, n);
  bosh_client_pause_async (life->client, 30, NULL, count_callback, n);
}

static void
begin_disconnect (Life *life, guint *n)
{
  bosh_connection_disconnect_async (life->connection, NULL, NULL, count_callback, n);
  bosh_client_disconnect_async (life->client, NULL, count_callback, n);
}

static void
begin_detach (Life *life, guint *n)
{
  bosh_connection_detach_async (life->connection, NULL, count_callback, n);
  bosh_client_detach_async (life->client, NULL, count_callback, n);
}

/* These two have no counterpart on the other side. */
static void
begin_restart_and_iq (Life *life, guint *n)
{
  g_autoptr(BoshElement) iq = bosh_element_new_iq (NULL, "get", NULL);

  bosh_connection_restart_async (life->connection, NULL, count_callback, n);
  bosh_client_send_iq_async (life->client, iq, 0, NULL, count_callback, n);
}

static void
begin_stream_and_login (Life *life, guint *n)
{
  bosh_connection_open_stream_async (life->connection, "example.org", NULL, count_callback, n);
  bosh_client_login_anonymously_async (life->client, NULL, NULL, count_callback, n);
}

static void
begin_close_and_prebind (Life *life, guint *n)
{
  bosh_connection_close_stream_async (life->connection, "other", NULL, NULL, count_callback, n);
  bosh_client_prebind_async (life->client, NULL, NULL, NULL, NULL, count_callback, n);
}

static const struct
{
  const char *name;
  void      (*leave) (Life *life);   /* before */
  void      (*begin) (Life *life, guint *n_callbacks);
} operations[] = {
  { "connect", leave_new, begin_connect },
  { "attach", leave_new, begin_attach },
  { "deliver", log_in, begin_deliver },
  { "pause", log_in, begin_pause },
  { "disconnect", log_in, begin_disconnect },
  { "detach", log_in, begin_detach },
  { "restart, send_iq", log_in, begin_restart_and_iq },
  { "open_stream, login", leave_connected, begin_stream_and_login },
  { "close_stream, prebind", leave_new, begin_close_and_prebind },
};

static void
test_disposed (void)
{
  g_test_summary ("Each operation that is under way when its object is disposed of completes, and so "
                  "does each that begins later; nothing is left");

  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    {
      g_auto(Server) server = { NULL };
      guint n_callbacks = 0;
      Life life;

      g_test_message ("%s", operations[i].name);
      server_init (&server);
      life_begin (&life, &server);
      operations[i].leave (&life);
      server.is_silent = TRUE;
      operations[i].begin (&life, &n_callbacks);
      for (guint n = 0; n < i % 3; n++)
        g_main_context_iteration (NULL, FALSE);

      g_object_run_dispose (G_OBJECT (life.client));
      g_object_run_dispose (G_OBJECT (life.connection));
      bosh_test_await (n_callbacks == 2);
      for (guint n = 0; n < G_N_ELEMENTS (operations); n++)
        if (operations[n].leave == log_in)
          operations[n].begin (&life, &n_callbacks);
      bosh_test_await (n_callbacks == 12);
      bosh_test_run_dry ();
      g_assert_finalize_object (life.client);
      g_assert_finalize_object (life.connection);
    }
}

/* --- Contexts that are not run any more --- */

typedef struct
{
  BoshConnectionConfiguration *configuration;
  gboolean disconnects;
  gboolean drops;           /* its references itself, or leaves that to others */
  GMainContext *context;
  GMainLoop *loop;
  BoshClient *client;
  int *n_running;           /* atomic */
} Worker;

static void
on_worker_disconnected (GObject      *source_object,
                        GAsyncResult *result,
                        gpointer      user_data)
{
  Worker *self = user_data;

  g_main_loop_quit (self->loop);
}

static void
on_worker_connected (GObject      *source_object,
                     GAsyncResult *result,
                     gpointer      user_data)
{
  Worker *self = user_data;
  g_autoptr(GError) error = NULL;

  bosh_client_connect_finish (self->client, result, &error);
  g_assert_no_error (error);
  if (self->disconnects)
    bosh_client_disconnect_async (self->client, NULL, on_worker_disconnected, self);
}

static gpointer
run_worker (gpointer user_data)
{
  Worker *self = user_data;

  g_main_context_push_thread_default (self->context);
  self->client = bosh_client_new ("example.org", self->configuration);
  bosh_client_connect_async (self->client, NULL, on_worker_connected, self);
  g_main_loop_run (self->loop);
  if (self->drops)
    g_clear_object (&self->client);
  g_main_context_pop_thread_default (self->context);
  if (g_atomic_int_dec_and_test (self->n_running))
    g_main_context_wakeup (NULL);

  return NULL;
}

/* Lets @worker live its life in a thread of its own. */
static void
work (Worker *worker,
      Server *server)
{
  g_autoptr(BoshConnectionConfiguration) configuration =
    bosh_test_manager_configure (server->manager, NULL);
  int n_running = 1;
  GThread *thread;

  worker->context = g_main_context_new ();
  worker->loop = g_main_loop_new (worker->context, FALSE);
  worker->configuration = configuration;
  worker->n_running = &n_running;
  thread = g_thread_new ("worker", run_worker, worker);
  if (!worker->disconnects)
    {
      bosh_test_await (bosh_test_manager_get_n_held (server->manager) == 1);
      g_main_loop_quit (worker->loop);
    }
  bosh_test_await (g_atomic_int_get (&n_running) == 0);
  g_thread_join (thread);
  g_main_loop_unref (worker->loop);
}

static void
test_ended_threads (void)
{
  g_auto(Server) server = { NULL };
  guint n_descriptors = 0;

  g_test_summary ("A thread whose loop stops in the callback of disconnect_async() leaves nothing, "
                  "whoever drops the client");

  server_init (&server);
  for (guint i = 0; i < N_THREADS; i++)
    {
      Worker worker = { .disconnects = TRUE, .drops = i % 2 == 0 };

      work (&worker, &server);
      g_clear_object (&worker.client);
      g_main_context_unref (worker.context);
      bosh_test_run_dry ();
      if (i == 0)
        n_descriptors = count_descriptors ();
      else
        bosh_test_await (count_descriptors () <= n_descriptors);
    }
}

static void
test_stopped (void)
{
  g_auto(Server) server = { NULL };
  guint n_descriptors = 0;

  g_test_summary ("An open session whose context is not run comes down at once in the thread that "
                  "had run it, and in another when the context runs again");

  server_init (&server);
  for (guint i = 0; i < N_THREADS; i++)
    {
      Worker worker = { .drops = i % 2 == 0 };

      work (&worker, &server);
      g_clear_object (&worker.client);
      bosh_test_run_dry ();
      if (!worker.drops)
        g_assert_cmpuint (bosh_test_manager_get_n_held (server.manager), ==, 1);
      /* Without inner contexts libsoup ends in that of the application. */
      if (!worker.drops || g_getenv ("BOSH_DEBUG") != NULL)
        {
          g_main_context_push_thread_default (worker.context);
          bosh_test_run_dry ();
          g_main_context_pop_thread_default (worker.context);
        }
      g_main_context_unref (worker.context);
      bosh_test_await (bosh_test_manager_get_n_held (server.manager) == 0);
      bosh_test_run_dry ();
      if (i == 0)
        n_descriptors = count_descriptors ();
      else
        bosh_test_await (count_descriptors () <= n_descriptors);
    }
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    {
      g_autofree char *path = g_strconcat ("/bosh/last-reference/", states[i].name, NULL);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_state);
    }
  g_test_add_func ("/bosh/last-reference/disposed", test_disposed);
  g_test_add_func ("/bosh/last-reference/ended-threads", test_ended_threads);
  g_test_add_func ("/bosh/last-reference/stopped", test_stopped);

  return g_test_run ();
}
