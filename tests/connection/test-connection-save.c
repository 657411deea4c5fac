/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Saved sessions, and going on with them when the process that saved them
 * has died. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-wire.h"

#include <string.h>

/* The saved session as it is read from a file. */
static BoshSavedSession *
save (BoshConnection *connection)
{
  g_autoptr(BoshSavedSession) snapshot = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *json = NULL;
  BoshSavedSession *copy;

  snapshot = bosh_connection_save (connection, &error);
  g_assert_no_error (error);
  json = bosh_saved_session_to_json (snapshot);
  copy = bosh_saved_session_new_from_json (json, &error);
  g_assert_no_error (error);

  return copy;
}

/* Keeps the session as it was saved at the last change of the request id. */
typedef struct
{
  BoshTestManager     *manager;
  BoshSavedSession *snapshot;
  guint                count;
} Keeper;

static void
on_request_id (BoshConnection *connection,
               GParamSpec     *pspec,
               gpointer        user_data)
{
  Keeper *keeper = user_data;

  if (bosh_connection_get_session_id (connection) == NULL)
    return;

  g_clear_object (&keeper->snapshot);
  keeper->snapshot = save (connection);
  keeper->count++;
}

static void
restore (BoshTestWire     *wire,
         BoshTestManager  *manager,
         BoshSavedSession *snapshot)
{
  bosh_test_wire_init (wire, manager, NULL);
  bosh_connection_attach_async (wire->connection, snapshot, NULL, NULL, NULL);
}

static void
assert_repeats (BoshTestExchange *repeat,
                BoshTestExchange *first)
{
  g_assert_true (g_bytes_equal (bosh_test_exchange_get_bytes (repeat),
                                bosh_test_exchange_get_bytes (first)));
}

static void
assert_no_snapshot (BoshConnection *connection,
                    int             code)
{
  g_autoptr(GError) error = NULL;

  g_assert_null (bosh_connection_save (connection, &error));
  bosh_test_assert_failure (&error, BOSH_ERROR, code);
}

static void
test_when (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_auto(BoshTestWire) detached = { NULL };
  g_autoptr(BoshSavedSession) snapshot = NULL;

  g_test_summary ("A session can be saved from its opening until its end is asked for");

  bosh_test_wire_init (&wire, manager, NULL);
  assert_no_snapshot (wire.connection, BOSH_ERROR_NOT_CONNECTED);
  bosh_connection_connect_async (wire.connection, NULL, NULL, NULL);
  assert_no_snapshot (wire.connection, BOSH_ERROR_NOT_CONNECTED);
  bosh_test_exchange_respond (bosh_test_manager_take (manager), BOSH_TEST_GRANTS,
                              BOSH_TEST_FEATURES);
  bosh_test_await (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_CONNECTED));
  snapshot = save (wire.connection);
  g_assert_cmpstr (bosh_saved_session_get_session_id (snapshot), ==, "s1");
  g_assert_cmpuint (bosh_saved_session_get_request_id (snapshot), ==,
                    bosh_test_exchange_get_rid (bosh_test_manager_take (manager)));
  g_assert_true (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_CONNECTED));

  bosh_connection_disconnect_async (wire.connection, NULL, NULL, NULL, NULL);
  assert_no_snapshot (wire.connection, BOSH_ERROR_NOT_CONNECTED);
  bosh_test_exchange_respond (bosh_test_manager_take (manager), "type='terminate'", "");
  bosh_test_await (wire.n_closed == 1);
  assert_no_snapshot (wire.connection, BOSH_ERROR_NOT_CONNECTED);

  bosh_test_wire_init (&detached, manager, NULL);
  bosh_test_wire_open (&detached, BOSH_TEST_GRANTS);
  bosh_connection_detach (detached.connection);
  assert_no_snapshot (detached.connection, BOSH_ERROR_DETACHED);
}

static void
test_repeats (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) old = { NULL };
  g_auto(BoshTestWire) new = { NULL };
  g_auto(BoshTestWire) third = { NULL };
  Keeper keeper = { manager };
  g_autoptr(BoshSavedSession) again = NULL;
  BoshTestExchange *poll;
  BoshTestExchange *payload;
  BoshTestExchange *repeat;
  BoshTestExchange *next;

  g_test_summary ("R64, R71, R95, E25: a process that died is followed by one that sends all "
                  "requests without a response again, byte by byte, with their keys, before "
                  "anything else");

  bosh_test_wire_init (&old, manager,
                       bosh_test_manager_configure (manager,
                                                    "use-key-sequence", TRUE,
                                                    "key-sequence-length", 3,
                                                    NULL));
  g_signal_connect (old.connection, "notify::request-id", G_CALLBACK (on_request_id), &keeper);
  poll = bosh_test_wire_open (&old, BOSH_TEST_GRANTS);
  g_assert_cmpuint (keeper.count, ==, 1);
  bosh_test_wire_send (&old, "sent");
  payload = bosh_test_manager_take (manager);
  g_assert_cmpuint (keeper.count, ==, 2);
  bosh_test_wire_clear (&old);
  bosh_test_await (bosh_test_exchange_is_gone (poll) && bosh_test_exchange_is_gone (payload));

  restore (&new, manager, keeper.snapshot);
  bosh_test_wire_send (&new, "new");
  repeat = bosh_test_manager_take (manager);
  assert_repeats (repeat, poll);
  /* The new process may be killed at once, too. */
  again = save (new.connection);
  bosh_test_exchange_respond (repeat, "", BOSH_TEST_MESSAGE ("a"));
  repeat = bosh_test_manager_take (manager);
  assert_repeats (repeat, payload);
  bosh_test_exchange_respond (repeat, "", BOSH_TEST_MESSAGE ("b"));
  bosh_test_wire_receive (&new, "a");
  bosh_test_wire_receive (&new, "b");
  next = bosh_test_manager_take (manager);
  g_assert_cmpuint (bosh_test_exchange_get_rid (next), ==, bosh_test_exchange_get_rid (payload) + 1);
  bosh_test_assert_messages (next, "new", NULL);
  g_assert_nonnull (bosh_test_exchange_get_attribute (next, "key"));
  bosh_test_wire_clear (&new);

  restore (&third, manager, again);
  repeat = bosh_test_manager_take (manager);
  assert_repeats (repeat, poll);
  bosh_test_exchange_respond (repeat, "", "");
  repeat = bosh_test_manager_take (manager);
  assert_repeats (repeat, payload);
  bosh_test_exchange_respond (repeat, "", "");
  bosh_test_assert_messages (bosh_test_manager_take (manager), "new", NULL);
  g_clear_object (&keeper.snapshot);
}

/* Checks, before the request leaves, that it is in the saved session already. */
static void
on_write_ahead (BoshConnection *connection,
                GParamSpec     *pspec,
                gpointer        user_data)
{
  Keeper *keeper = user_data;
  g_autofree char *json = NULL;

  on_request_id (connection, pspec, user_data);
  if (keeper->snapshot == NULL)
    return;

  json = bosh_saved_session_to_json (keeper->snapshot);
  g_assert_cmpuint (bosh_connection_get_n_requests_sent (connection), ==, keeper->count + 1);
  if (keeper->count == 2)
    {
      g_assert_nonnull (strstr (json, "<body>sent"));
      /* The process dies before the first byte has left. */
      bosh_connection_detach (connection);
    }
}

static void
test_write_ahead (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) old = { NULL };
  g_auto(BoshTestWire) new = { NULL };
  Keeper keeper = { manager };
  BoshTestExchange *poll;
  BoshTestExchange *repeat;

  g_test_summary ("E25: to save after each send: at notify::request-id "
                  "the new request is complete, and nothing of it has left");

  bosh_test_wire_init (&old, manager, NULL);
  g_signal_connect (old.connection, "notify::request-id", G_CALLBACK (on_write_ahead), &keeper);
  poll = bosh_test_wire_open (&old, BOSH_TEST_GRANTS);
  bosh_test_wire_send (&old, "sent");
  bosh_test_await (bosh_test_wire_is (&old, BOSH_CONNECTION_STATE_DETACHED));
  bosh_test_await (bosh_test_exchange_is_gone (poll));
  bosh_test_run_dry ();
  g_assert_false (bosh_test_manager_has_request (manager));

  restore (&new, manager, keeper.snapshot);
  repeat = bosh_test_manager_take (manager);
  assert_repeats (repeat, poll);
  bosh_test_exchange_respond (repeat, "", "");
  repeat = bosh_test_manager_take (manager);
  g_assert_cmpuint (bosh_test_exchange_get_rid (repeat), ==, bosh_test_exchange_get_rid (poll) + 1);
  bosh_test_assert_messages (repeat, "sent", NULL);
  g_clear_object (&keeper.snapshot);
}

static void
on_stanza (BoshConnection *connection,
           BoshElement    *stanza,
           gpointer        user_data)
{
  BoshSavedSession **snapshot = user_data;
  g_autofree char *body = bosh_element_dup_child_text (stanza, "body", NULL);

  if (g_strcmp0 (body, "b") == 0)
    *snapshot = save (connection);
}

static void
test_in_handler (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) old = { NULL };
  g_auto(BoshTestWire) new = { NULL };
  g_autoptr(BoshSavedSession) snapshot = NULL;
  BoshTestExchange *poll;
  BoshTestExchange *next;
  BoshTestExchange *repeat;

  g_test_summary ("R63: a session that is saved in the middle of a response has what was not "
                  "handed out yet, and not what was");

  bosh_test_wire_init (&old, manager, NULL);
  g_signal_connect (old.connection, "stanza::message", G_CALLBACK (on_stanza), &snapshot);
  poll = bosh_test_wire_open (&old, BOSH_TEST_GRANTS);
  bosh_test_exchange_respond (poll, "", BOSH_TEST_MESSAGE ("a") BOSH_TEST_MESSAGE ("b")
                             BOSH_TEST_MESSAGE ("c") BOSH_TEST_MESSAGE ("d"));
  bosh_test_await (snapshot != NULL);
  bosh_test_wire_receive (&old, "a");
  bosh_test_wire_receive (&old, "b");
  bosh_test_wire_receive (&old, "c");
  bosh_test_wire_receive (&old, "d");
  next = bosh_test_manager_take (manager);
  bosh_test_wire_clear (&old);

  restore (&new, manager, snapshot);
  bosh_test_wire_receive (&new, "c");
  bosh_test_wire_receive (&new, "d");
  /* To the server this is a new request, with the next request id. */
  repeat = bosh_test_manager_take (manager);
  assert_repeats (repeat, next);
  bosh_test_exchange_respond (repeat, "", "");
  bosh_test_await (bosh_test_wire_is (&new, BOSH_CONNECTION_STATE_CONNECTED));
  bosh_test_run_dry ();
  bosh_test_wire_assert_events (&new, "connecting <message <message connected");
}

static void
test_cookies (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) old = { NULL };
  g_auto(BoshTestWire) new = { NULL };
  g_autoptr(BoshSavedSession) snapshot = NULL;
  g_autofree char *cookie = NULL;
  BoshTestExchange *repeat;

  g_test_summary ("E32: a load balancer finds the session: its cookies are part of the "
                  "saved session");

  bosh_test_wire_init (&old, manager, NULL);
  bosh_connection_connect_async (old.connection, NULL, NULL, NULL);
  bosh_test_exchange_reply (bosh_test_manager_take (manager), 200,
                            "Content-Type: text/xml\r\nSet-Cookie: route=7; Path=/\r\n",
                            "<body xmlns='http://jabber.org/protocol/httpbind' " BOSH_TEST_GRANTS "/>");
  bosh_test_manager_take (manager);
  snapshot = save (old.connection);
  bosh_test_wire_clear (&old);

  restore (&new, manager, snapshot);
  repeat = bosh_test_manager_take (manager);
  cookie = bosh_test_exchange_dup_header (repeat, "Cookie");
  g_assert_cmpstr (cookie, ==, "route=7");
  bosh_test_exchange_respond (repeat, "", "");
  bosh_test_await (bosh_test_wire_is (&new, BOSH_CONNECTION_STATE_CONNECTED));
}

static void
fail_to_restore (BoshTestManager  *manager,
                 BoshSavedSession *snapshot,
                 guint             status)
{
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  BoshTestExchange *exchange;

  bosh_test_wire_init (&wire, manager, NULL);
  bosh_connection_attach_async (wire.connection, snapshot, NULL, bosh_test_keep_result, &result);
  exchange = bosh_test_manager_take (manager);
  if (status == 200)
    bosh_test_exchange_respond (exchange, "type='terminate' condition='item-not-found'", "");
  else
    bosh_test_exchange_reply (exchange, status, NULL, "<html>No such session</html>");
  bosh_test_wire_fails (&wire, &result, bosh_connection_attach_finish, BOSH_ERROR,
                        BOSH_ERROR_ITEM_NOT_FOUND);
  g_assert_error (wire.close_error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  g_assert_cmpuint (wire.n_closed, ==, 1);
  bosh_test_run_dry ();
  g_assert_false (bosh_test_manager_has_request (manager));
  g_assert_cmpuint (bosh_connection_get_n_requests_sent (wire.connection), ==, 1);
  bosh_test_wire_assert_events (&wire, "connecting closed closed!");
}

static void
test_stale (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) old = { NULL };
  g_autoptr(BoshSavedSession) snapshot = NULL;

  g_test_summary ("R66, R86, E05, E24: a saved "
                  "session that has ended fails once, with a single request");

  bosh_test_wire_init (&old, manager, NULL);
  bosh_test_wire_open (&old, BOSH_TEST_GRANTS);
  bosh_test_wire_send (&old, "sent");
  bosh_test_manager_take (manager);
  bosh_test_wire_send (&old, "unsent");
  snapshot = save (old.connection);
  bosh_test_wire_clear (&old);

  fail_to_restore (manager, snapshot, 200);
  fail_to_restore (manager, snapshot, 404);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/connection/save/when", test_when);
  g_test_add_func ("/bosh/connection/save/repeats", test_repeats);
  g_test_add_func ("/bosh/connection/save/write-ahead", test_write_ahead);
  g_test_add_func ("/bosh/connection/save/in-handler", test_in_handler);
  g_test_add_func ("/bosh/connection/save/cookies", test_cookies);
  g_test_add_func ("/bosh/connection/save/stale", test_stale);

  return g_test_run ();
}
