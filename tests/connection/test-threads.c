/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connections in several threads at once, each with its own main context. What
 * they share is what may be shared: a configuration, sealed elements, and a
 * saved session that goes from one thread to another. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-manager.h"
#include "bosh-test-wire.h"

#define N_THREADS 4
#define N_MESSAGES 25

typedef struct
{
  guint64           newest;
  BoshTestExchange *held;
} ServedSession;

typedef struct
{
  /* Of the main thread. */
  BoshTestManager             *manager;
  GPtrArray                   *sessions;       /* of ServedSession */

  /* Of all threads. */
  BoshConnectionConfiguration *configuration;
  BoshElement                 *message;        /* sealed */
  int                          n_running;      /* atomic */
} Shared;

/* --- The server, in the main thread --- */

static void
create (Shared           *shared,
        BoshTestExchange *exchange)
{
  ServedSession *session = g_new0 (ServedSession, 1);
  g_autofree char *grants = NULL;

  grants = g_strdup_printf ("sid='%u' wait='55' hold='1' requests='2' inactivity='30' "
                            "polling='2' ver='1.11'",
                            shared->sessions->len);
  g_ptr_array_add (shared->sessions, session);
  bosh_test_exchange_respond (exchange, grants, "");
}

static gboolean
serve (BoshTestManager  *manager,
       BoshTestExchange *exchange,
       gpointer          user_data)
{
  Shared *shared = user_data;
  const char *sid = bosh_test_exchange_get_attribute (exchange, "sid");
  guint64 rid = bosh_test_exchange_get_rid (exchange);
  ServedSession *session;

  if (sid == NULL)
    {
      create (shared, exchange);
      return TRUE;
    }

  session = g_ptr_array_index (shared->sessions, g_ascii_strtoull (sid, NULL, 10));
  if (session->held != NULL && !bosh_test_exchange_is_gone (session->held))
    bosh_test_exchange_respond (session->held, "", "");
  session->held = NULL;

  if (bosh_test_exchange_get_attribute (exchange, "type") != NULL)
    bosh_test_exchange_respond (exchange, "type='terminate'", "");
  else if (bosh_element_get_n_children (bosh_test_exchange_get_body (exchange)) > 0)
    bosh_test_exchange_respond (exchange, "", BOSH_TEST_MESSAGE ("echo"));
  else if (rid < session->newest)
    /* A later request overtook it: connections may be read in any order. */
    bosh_test_exchange_respond (exchange, "", "");
  else
    session->held = exchange;
  session->newest = MAX (session->newest, rid);

  return TRUE;
}

/* --- The clients, in their threads --- */

static GMainContext *
enter_thread (void)
{
  GMainContext *context = g_main_context_new ();

  g_main_context_push_thread_default (context);

  return context;
}

static void
leave_thread (Shared       *shared,
              GMainContext *context)
{
  bosh_test_run_dry ();
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  if (g_atomic_int_dec_and_test (&shared->n_running))
    g_main_context_wakeup (NULL);
}

static void
exchange_messages (Shared       *shared,
                   BoshTestWire *wire)
{
  for (guint i = 0; i < N_MESSAGES; i++)
    {
      g_autoptr(GError) error = NULL;

      bosh_connection_send (wire->connection, shared->message, &error);
      g_assert_no_error (error);
      bosh_test_wire_receive (wire, "echo");
    }
}

typedef struct
{
  Shared              *shared;
  BoshSavedSession *detached;
} Heritage;

static gpointer
run_heir (gpointer data)
{
  g_autofree Heritage *heritage = data;
  g_autoptr(BoshSavedSession) detached = heritage->detached;
  Shared *shared = heritage->shared;
  GMainContext *context = enter_thread ();
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;

  bosh_test_wire_init (&wire, NULL, g_object_ref (shared->configuration));
  bosh_connection_attach_async (wire.connection, detached, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_attach_finish);
  exchange_messages (shared, &wire);
  bosh_test_wire_disconnect (&wire);
  bosh_test_wire_clear (&wire);
  leave_thread (shared, context);

  return NULL;
}

static gpointer
run_first (gpointer data)
{
  Shared *shared = data;
  GMainContext *context = enter_thread ();
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  Heritage *heritage = g_new0 (Heritage, 1);
  GThread *heir;

  bosh_test_wire_init (&wire, NULL, g_object_ref (shared->configuration));
  bosh_test_wire_connect (&wire);
  exchange_messages (shared, &wire);
  bosh_connection_detach_async (wire.connection, NULL, bosh_test_keep_result, &result);
  heritage->shared = shared;
  heritage->detached = bosh_connection_detach_finish (wire.connection, bosh_test_wait_for (&result),
                                                      &error);
  g_assert_no_error (error);
  g_clear_object (&result);
  bosh_test_wire_clear (&wire);

  g_atomic_int_inc (&shared->n_running);
  heir = g_thread_new ("heir", run_heir, heritage);
  leave_thread (shared, context);

  return heir;
}

/* Sending seals an element, and only a sealed one may be shared by threads. */
static BoshElement *
new_sealed (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  BoshElement *message = bosh_element_new_message ("peer@example.org", NULL, "hello");
  g_autoptr(GError) error = NULL;

  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_wire_init (&wire, manager, NULL);
  bosh_test_wire_connect (&wire);
  bosh_connection_send (wire.connection, message, &error);
  g_assert_no_error (error);
  g_assert_true (bosh_element_is_sealed (message));
  bosh_test_wire_disconnect (&wire);

  return message;
}

static void
test_connections (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_autoptr(BoshConnectionConfiguration) configuration = bosh_test_manager_configure (manager, NULL);
  g_autoptr(GPtrArray) sessions = g_ptr_array_new_with_free_func (g_free);
  Shared shared = { manager, sessions, configuration, NULL, N_THREADS };
  GThread *threads[N_THREADS];

  g_test_summary ("Threads share a configuration and sealed elements, and hand sessions over");

  shared.message = new_sealed ();
  bosh_test_manager_set_script (manager, serve, &shared);
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("first", run_first, &shared);

  bosh_test_await (g_atomic_int_get (&shared.n_running) == 0);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (g_thread_join (threads[i]));
  g_assert_cmpuint (sessions->len, ==, N_THREADS);
  bosh_element_unref (shared.message);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/threads/connections", test_connections);

  return g_test_run ();
}
