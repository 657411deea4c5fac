/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How connections end: handed over, cancelled, dropped, from anywhere; and what
 * is refused before and after. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-wire.h"

#include <string.h>

/* --- Handing over --- */

static void
test_detach (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) sent = NULL;
  g_autoptr(BoshElement) message = bosh_element_new_message (NULL, NULL, "sent");
  g_autoptr(GPtrArray) undelivered = NULL;
  g_autoptr(GPtrArray) unsent = NULL;
  BoshTestExchange *poll;
  BoshTestExchange *payload;

  g_test_summary ("XEP-0124 §14.1: detach() returns the last request id + 1, and nothing "
                  "happens any more; what was not sent can be asked for");

  bosh_test_wire_init (&wire, manager, NULL);
  g_assert_cmpuint (bosh_connection_detach (wire.connection), ==, 0);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_connection_deliver_async (wire.connection, message, NULL, bosh_test_keep_result, &sent);
  payload = bosh_test_manager_take (manager);
  bosh_test_wire_send (&wire, "unsent");
  /* On the loopback interface the server has the request before the client knows. */
  bosh_test_run_dry ();

  g_assert_cmpuint (bosh_connection_detach (wire.connection), ==,
                    bosh_test_exchange_get_rid (payload) + 1);
  bosh_test_wire_assert_events (&wire, "detached");
  bosh_test_wire_fails (&wire, &sent, bosh_connection_deliver_finish, BOSH_ERROR, BOSH_ERROR_DETACHED);
  bosh_test_await (bosh_test_exchange_is_gone (poll) && bosh_test_exchange_is_gone (payload));
  bosh_test_run_dry ();
  g_assert_false (bosh_test_manager_has_request (manager));
  bosh_test_wire_assert_events (&wire, "");

  undelivered = bosh_connection_dup_undelivered (wire.connection);
  g_assert_cmpuint (undelivered->len, ==, 1);
  bosh_test_assert_body (undelivered->pdata[0], "sent");
  unsent = bosh_connection_dup_unsent (wire.connection);
  g_assert_cmpuint (unsent->len, ==, 1);
  bosh_test_assert_body (unsent->pdata[0], "unsent");
}

/* Hands the session over. Returns it as it is read from its JSON. */
static BoshSavedSession *
hand_over (BoshTestWire *wire)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *json = NULL;
  BoshSavedSession *copy;

  bosh_connection_detach_async (wire->connection, NULL, bosh_test_keep_result, &result);
  session = bosh_connection_detach_finish (wire->connection, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_true (bosh_test_wire_is (wire, BOSH_CONNECTION_STATE_DETACHED));
  json = bosh_saved_session_to_json (session);
  copy = bosh_saved_session_new_from_json (json, &error);
  g_assert_no_error (error);

  return copy;
}

static void
attach (BoshTestWire     *wire,
        BoshTestManager  *manager,
        BoshSavedSession *session)
{
  g_autoptr(GAsyncResult) result = NULL;

  bosh_test_wire_init (wire, manager, bosh_test_manager_configure (manager,
                                                                   "key-sequence-length", 3,
                                                                   NULL));
  bosh_connection_attach_async (wire->connection, session, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_succeeds (wire, &result, bosh_connection_attach_finish);
  bosh_test_wire_assert_events (wire, "connecting connected");
}

static void
test_attach (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) old = { NULL };
  g_auto(BoshTestWire) new = { NULL };
  g_autoptr(BoshSavedSession) session = NULL;
  BoshTestExchange *poll;
  BoshTestExchange *repeat;

  g_test_summary ("XEP-0124 §14.3: the next owner of a session sends its empty request again, "
                  "byte by byte, and receives what arrived in between");

  bosh_test_wire_init (&old, manager,
                       bosh_test_manager_configure (manager,
                                                    "use-key-sequence", TRUE,
                                                    "key-sequence-length", 3,
                                                    NULL));
  poll = bosh_test_wire_open (&old, BOSH_TEST_GRANTS);
  session = hand_over (&old);
  bosh_test_wire_assert_events (&old, "detached");
  g_assert_cmpuint (bosh_saved_session_get_request_id (session), ==,
                    bosh_test_exchange_get_rid (poll));
  g_assert_true (bosh_saved_session_has_key_sequence (session));
  bosh_test_await (bosh_test_exchange_is_gone (poll));

  attach (&new, manager, session);
  repeat = bosh_test_manager_take (manager);
  g_assert_true (g_bytes_equal (bosh_test_exchange_get_bytes (repeat),
                                bosh_test_exchange_get_bytes (poll)));
  g_assert_cmpstr (bosh_connection_get_session_id (new.connection), ==, "s1");
  g_assert_cmpuint (bosh_connection_get_inactivity (new.connection), ==, 30);
  bosh_test_exchange_respond (repeat, "", BOSH_TEST_MESSAGE ("between"));
  bosh_test_wire_receive (&new, "between");

  poll = bosh_test_manager_take (manager);
  g_assert_cmpuint (bosh_test_exchange_get_rid (poll), ==,
                    bosh_test_exchange_get_rid (repeat) + 1);
  g_assert_nonnull (bosh_test_exchange_get_attribute (poll, "key"));
  g_assert_cmpuint (old.n_closed, ==, 0);
}

static void
test_no_response (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) old = { NULL };
  g_auto(BoshTestWire) new = { NULL };
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  BoshTestExchange *poll;
  BoshTestExchange *payload;
  BoshTestExchange *repeats[2];

  g_test_summary ("A server that does not respond: the session is handed over after a while "
                  "with all that has no response or was not sent, and nothing is lost or doubled");

  bosh_test_wire_init (&old, manager, NULL);
  poll = bosh_test_wire_open (&old, BOSH_TEST_GRANTS);
  bosh_test_wire_send (&old, "1");
  payload = bosh_test_manager_take (manager);
  bosh_test_wire_send (&old, "2");
  session = hand_over (&old);
  /* Retransmissions, because nothing came. */
  while (bosh_test_manager_has_request (manager))
    bosh_test_manager_take (manager);

  bosh_test_wire_init (&new, manager, NULL);
  bosh_connection_attach_async (new.connection, session, NULL, bosh_test_keep_result, &result);
  for (guint i = 0; i < 2; i++)
    {
      repeats[i] = bosh_test_manager_take (manager);
      g_assert_true (g_bytes_equal (bosh_test_exchange_get_bytes (repeats[i]),
                                    bosh_test_exchange_get_bytes (i == 0 ? poll : payload)));
    }
  bosh_test_exchange_respond (repeats[0], "", "");
  bosh_test_wire_succeeds (&new, &result, bosh_connection_attach_finish);

  /* There may be more behind an empty response to a retransmission. */
  repeats[0] = bosh_test_manager_take (manager);
  g_assert_true (g_bytes_equal (bosh_test_exchange_get_bytes (repeats[0]),
                                bosh_test_exchange_get_bytes (poll)));
  bosh_test_exchange_respond (repeats[0], "", "");
  bosh_test_assert_messages (bosh_test_manager_take (manager), "2", NULL);
}

static void
test_attach_unknown (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GAsyncResult) result = NULL;

  g_test_summary ("XEP-0124 §17.2: a session that the server does not know ends at once, "
                  "and once");

  session = bosh_saved_session_new ("http://127.0.0.1/", "romeo@example.org/x", "s1", 1000, NULL);
  bosh_test_wire_init (&wire, manager, NULL);
  bosh_connection_attach_async (wire.connection, session, NULL, bosh_test_keep_result, &result);
  bosh_test_exchange_respond (bosh_test_manager_take (manager),
                              "type='terminate' condition='item-not-found'", "");
  bosh_test_wire_fails (&wire, &result, bosh_connection_attach_finish,
                        BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  bosh_test_wire_assert_events (&wire, "connecting closed closed!");
  bosh_test_run_dry ();
  g_assert_false (bosh_test_manager_has_request (manager));
}

/* The stanza was within the limit of the old owner when it was queued. */
static void
test_attach_with_lower_limit (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) old = { NULL };
  g_auto(BoshTestWire) new = { NULL };
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(BoshSavedSession) loaded = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *json = NULL;
  g_autofree char *text = g_strnfill (3000, 'x');
  g_autofree char *unsent = NULL;
  g_auto(GStrv) parts = NULL;

  g_test_summary ("An unsent stanza is sent after a hand-over, whatever its size");

  bosh_test_wire_init (&old, manager, NULL);
  bosh_test_wire_open (&old, BOSH_TEST_GRANTS);
  session = hand_over (&old);
  json = bosh_saved_session_to_json (session);
  unsent = g_strdup_printf ("\"unsent\":[\"<message><body>%s</body></message>\"]", text);
  parts = g_strsplit (json, "\"unsent\":[]", 2);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  g_free (json);
  json = g_strjoinv (unsent, parts);
  loaded = bosh_saved_session_new_from_json (json, &error);
  g_assert_no_error (error);

  bosh_test_wire_init (&new, manager,
                       bosh_test_manager_configure (manager,
                                                    "max-request-size", 2048,
                                                    NULL));
  bosh_connection_attach_async (new.connection, loaded, NULL, bosh_test_keep_result, &result);
  bosh_test_exchange_respond (bosh_test_manager_take (manager), "", "");
  bosh_test_wire_succeeds (&new, &result, bosh_connection_attach_finish);
  bosh_test_assert_messages (bosh_test_manager_take (manager), text, NULL);
}

/* --- What is refused --- */

static void
assert_refused (BoshTestWire *wire,
                int           code)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(BoshElement) message = bosh_element_new_message (NULL, NULL, "x");
  g_autoptr(GPtrArray) unsent = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_false (bosh_connection_send (wire->connection, message, &error));
  bosh_test_assert_failure (&error, BOSH_ERROR, code);
  g_assert_false (bosh_connection_send (wire->connection, message, NULL));
  bosh_connection_deliver_async (wire->connection, message, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_fails (wire, &result, bosh_connection_deliver_finish, BOSH_ERROR, code);
  bosh_connection_restart_async (wire->connection, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_fails (wire, &result, bosh_connection_restart_finish, BOSH_ERROR, code);
  bosh_connection_pause_async (wire->connection, 1, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_fails (wire, &result, bosh_connection_pause_finish, BOSH_ERROR, code);
  bosh_connection_disconnect_async (wire->connection, message, NULL,
                                    bosh_test_keep_result, &result);
  bosh_test_wire_fails (wire, &result, bosh_connection_disconnect_finish, BOSH_ERROR, code);
  bosh_connection_detach_async (wire->connection, NULL, bosh_test_keep_result, &result);
  g_assert_null (bosh_connection_detach_finish (wire->connection, bosh_test_wait_for (&result),
                                                &error));
  bosh_test_assert_failure (&error, BOSH_ERROR, code);
  bosh_connection_resume (wire->connection);

  /* Stanzas that were queued before may have left by now. */
  g_assert_false (bosh_element_is_sealed (message));
  unsent = bosh_connection_dup_unsent (wire->connection);
  g_assert_false (g_ptr_array_find (unsent, message, NULL));
}

static void
assert_not_opened (BoshTestWire *wire)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(BoshSavedSession) session = NULL;

  session = bosh_saved_session_new ("http://127.0.0.1/", "romeo@example.org/x", "s1", 1000, NULL);
  bosh_connection_connect_async (wire->connection, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_fails (wire, &result, bosh_connection_connect_finish,
                        BOSH_ERROR, BOSH_ERROR_FAILED);
  bosh_connection_attach_async (wire->connection, session, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_fails (wire, &result, bosh_connection_attach_finish,
                        BOSH_ERROR, BOSH_ERROR_FAILED);
}

static void
test_refused (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_auto(BoshTestWire) other = { NULL };
  g_autoptr(GPtrArray) none = NULL;

  g_test_summary ("Before the session, after its end and after the hand-over everything fails, "
                  "and nothing is queued; a connection is opened once");

  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_wire_init (&wire, manager, NULL);
  assert_refused (&wire, BOSH_ERROR_NOT_CONNECTED);
  none = bosh_connection_dup_undelivered (wire.connection);
  g_assert_cmpuint (none->len, ==, 0);

  bosh_test_wire_connect (&wire);
  assert_not_opened (&wire);
  g_assert_true (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_CONNECTED));
  bosh_test_wire_disconnect (&wire);
  assert_refused (&wire, BOSH_ERROR_NOT_CONNECTED);
  assert_not_opened (&wire);
  g_assert_cmpuint (bosh_connection_detach (wire.connection), ==, 0);
  g_assert_cmpuint (wire.n_closed, ==, 1);

  bosh_test_wire_init (&other, manager, NULL);
  bosh_test_wire_connect (&other);
  g_assert_cmpuint (bosh_connection_detach (other.connection), >, 0);
  assert_refused (&other, BOSH_ERROR_DETACHED);
  assert_not_opened (&other);
  g_assert_cmpuint (other.n_closed, ==, 0);
}

static void
test_while_handing_over (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GError) error = NULL;
  BoshTestExchange *poll;

  g_test_summary ("While a session is being handed over nothing more is accepted; "
                  "where that is cancelled it goes on");

  bosh_test_wire_init (&wire, manager, NULL);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_test_wire_send (&wire, "1");
  bosh_connection_detach_async (wire.connection, cancellable, bosh_test_keep_result, &result);
  assert_refused (&wire, BOSH_ERROR_DETACHED);
  bosh_test_assert_messages (bosh_test_manager_take (manager), "1", NULL);
  g_cancellable_cancel (cancellable);
  g_assert_null (bosh_connection_detach_finish (wire.connection, bosh_test_wait_for (&result),
                                                &error));
  bosh_test_assert_failure (&error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  bosh_test_wire_send (&wire, "2");
  bosh_test_exchange_respond (poll, "", "");
  bosh_test_assert_messages (bosh_test_manager_take (manager), "2", NULL);
  bosh_test_wire_assert_events (&wire, "");
}

static void
test_wrong_domain (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(BoshConnection) nowhere = g_object_new (BOSH_TYPE_CONNECTION, NULL);
  g_autoptr(BoshSavedSession) other = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("A session of another domain can't be attached; the connection stays usable");

  other = bosh_saved_session_new ("http://127.0.0.1/", "romeo@other.example/x", "s1", 1000, NULL);
  bosh_test_wire_init (&wire, manager, NULL);
  bosh_connection_attach_async (wire.connection, other, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_fails (&wire, &result, bosh_connection_attach_finish,
                        BOSH_ERROR, BOSH_ERROR_INVALID_DATA);
  bosh_test_wire_assert_events (&wire, "");
  g_assert_false (bosh_test_manager_has_request (manager));
  bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);

  bosh_connection_attach_async (nowhere, other, NULL, bosh_test_keep_result, &result);
  g_assert_false (bosh_connection_attach_finish (nowhere, bosh_test_wait_for (&result), &error));
  bosh_test_assert_failure (&error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA);
}

/* --- Cancelling --- */

typedef void (*Start) (BoshTestWire  *wire,
                       GCancellable  *cancellable,
                       GAsyncResult **slot);

static void
start_connect (BoshTestWire  *wire,
               GCancellable  *cancellable,
               GAsyncResult **slot)
{
  bosh_connection_connect_async (wire->connection, cancellable, bosh_test_keep_result, slot);
}

static void
start_attach (BoshTestWire  *wire,
              GCancellable  *cancellable,
              GAsyncResult **slot)
{
  g_autoptr(BoshSavedSession) session = NULL;

  session = bosh_saved_session_new ("http://127.0.0.1/", "romeo@example.org/x", "s1", 1000, NULL);
  bosh_connection_attach_async (wire->connection, session, cancellable,
                                bosh_test_keep_result, slot);
}

static void
start_restart (BoshTestWire  *wire,
               GCancellable  *cancellable,
               GAsyncResult **slot)
{
  bosh_connection_restart_async (wire->connection, cancellable, bosh_test_keep_result, slot);
}

static void
start_send (BoshTestWire  *wire,
            GCancellable  *cancellable,
            GAsyncResult **slot)
{
  g_autoptr(BoshElement) message = bosh_element_new_message (NULL, NULL, "x");

  bosh_connection_deliver_async (wire->connection, message, cancellable, bosh_test_keep_result, slot);
}

static void
start_pause (BoshTestWire  *wire,
             GCancellable  *cancellable,
             GAsyncResult **slot)
{
  bosh_connection_pause_async (wire->connection, 10, cancellable, bosh_test_keep_result, slot);
}

static void
start_disconnect (BoshTestWire  *wire,
                  GCancellable  *cancellable,
                  GAsyncResult **slot)
{
  bosh_connection_disconnect_async (wire->connection, NULL, cancellable,
                                    bosh_test_keep_result, slot);
}

/* A request without a response must be out, or the operation would complete at once. */
static void
start_detach (BoshTestWire  *wire,
              GCancellable  *cancellable,
              GAsyncResult **slot)
{
  bosh_test_wire_send (wire, "x");
  bosh_connection_detach_async (wire->connection, cancellable, bosh_test_keep_result, slot);
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

typedef struct
{
  const char *name;
  Start start;
  BoshTestFinish finish;
  gboolean opens;        /* it opens the session, and ends it if it is cancelled */
  gboolean ends;         /* it ends the session if it is cancelled */
} Operation;

static const Operation operations[] = {
  { "connect", start_connect, bosh_connection_connect_finish, TRUE, TRUE },
  { "attach", start_attach, bosh_connection_attach_finish, TRUE, TRUE },
  { "restart", start_restart, bosh_connection_restart_finish, FALSE, FALSE },
  { "send", start_send, bosh_connection_deliver_finish, FALSE, FALSE },
  { "pause", start_pause, bosh_connection_pause_finish, FALSE, FALSE },
  { "disconnect", start_disconnect, bosh_connection_disconnect_finish, FALSE, TRUE },
  { "detach", start_detach, finish_detach, FALSE, FALSE },
};

typedef enum
{
  BEFORE,
  RIGHT_AFTER,
  LATER,
  N_MOMENTS
} Moment;

static void
cancel_operation (const Operation *operation,
                  Moment           moment)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  gboolean does_nothing = moment == BEFORE && operation->start != start_disconnect;

  bosh_test_wire_init (&wire, manager, NULL);
  if (!operation->opens)
    bosh_test_wire_open (&wire, BOSH_TEST_GRANTS " maxpause='60'");

  if (moment == BEFORE)
    g_cancellable_cancel (cancellable);
  operation->start (&wire, cancellable, &result);
  if (moment == LATER)
    bosh_test_manager_take (manager);
  g_assert_null (result);
  g_cancellable_cancel (cancellable);
  bosh_test_wire_fails (&wire, &result, operation->finish, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  bosh_test_run_dry ();
  if (does_nothing && operation->start != start_detach)
    {
      g_assert_false (bosh_test_manager_has_request (manager));
      bosh_test_wire_assert_events (&wire, "");
      if (operation->opens)
        bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
      bosh_test_wire_send (&wire, "next");
      bosh_test_assert_messages (bosh_test_manager_take (manager), "next", NULL);
    }
  else if (operation->ends && !does_nothing)
    {
      g_assert_cmpuint (wire.n_closed, ==, 1);
      g_assert_error (wire.close_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_true (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_CLOSED));
      bosh_test_await (bosh_test_manager_get_n_held (manager) == 0);
    }
  else
    {
      g_assert_cmpuint (wire.n_closed, ==, 0);
      g_assert_true (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_CONNECTED));
    }
}

static void
test_cancel (gconstpointer data)
{
  const Operation *operation = data;

  g_test_summary ("An operation fails with CANCELLED whenever it is cancelled; if that is before it "
                  "begins, nothing happens; nothing leaks");

  for (Moment moment = BEFORE; moment < N_MOMENTS; moment++)
    cancel_operation (operation, moment);
}

/* The other operations of an open session fail with it. */
static void
test_cancel_all (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) sent = NULL;
  g_autoptr(GAsyncResult) restarted = NULL;
  g_autoptr(GAsyncResult) disconnected = NULL;

  g_test_summary ("One cancellable for all: each fails once, and the session is closed once");

  bosh_test_wire_init (&wire, manager, NULL);
  bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  start_send (&wire, cancellable, &sent);
  start_restart (&wire, cancellable, &restarted);
  start_disconnect (&wire, cancellable, &disconnected);
  g_cancellable_cancel (cancellable);
  bosh_test_wire_fails (&wire, &sent, bosh_connection_deliver_finish,
                        G_IO_ERROR, G_IO_ERROR_CANCELLED);
  bosh_test_wire_fails (&wire, &restarted, bosh_connection_restart_finish,
                        G_IO_ERROR, G_IO_ERROR_CANCELLED);
  bosh_test_wire_fails (&wire, &disconnected, bosh_connection_disconnect_finish,
                        G_IO_ERROR, G_IO_ERROR_CANCELLED);
  bosh_test_await (wire.n_closed == 1);
}

/* --- Contexts --- */

static gboolean
note_iteration (gpointer user_data)
{
  gboolean *was_iterated = user_data;

  *was_iterated = TRUE;

  return G_SOURCE_REMOVE;
}

static gpointer
run_in_thread (gpointer user_data)
{
  gboolean *was_iterated = user_data;
  g_autoptr(GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  {
    g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
    g_auto(BoshTestWire) wire = { NULL };
    g_autoptr(GAsyncResult) result = NULL;

    bosh_test_manager_set_automatic (manager, TRUE);
    bosh_test_wire_init (&wire, manager, NULL);
    bosh_test_wire_connect (&wire);
    start_send (&wire, NULL, &result);
    bosh_test_await (bosh_connection_get_n_requests_sent (wire.connection) == 3);
    bosh_test_manager_deliver (manager, BOSH_TEST_MESSAGE ("x"));
    bosh_test_wire_receive (&wire, "x");
    bosh_test_wire_succeeds (&wire, &result, bosh_connection_deliver_finish);
    bosh_test_wire_disconnect (&wire);
    bosh_test_wire_clear (&wire);
    g_assert_false (*was_iterated);
  }
  bosh_test_run_dry ();
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
test_thread (void)
{
  g_autoptr(GSource) source = g_idle_source_new ();
  gboolean was_iterated = FALSE;

  g_test_summary ("Everything happens in the context of the caller; the default one is not needed");

  g_source_set_callback (source, note_iteration, &was_iterated, NULL);
  g_source_attach (source, NULL);
  g_thread_join (g_thread_new ("connection", run_in_thread, &was_iterated));
  g_source_destroy (source);
}

/* Which context is current later does not matter. */
static void
test_other_context (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GMainContext) context = g_main_context_new ();

  g_test_summary ("A connection stays in the context in which it was opened");

  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_wire_init (&wire, manager, NULL);
  bosh_test_wire_connect (&wire);
  g_main_context_push_thread_default (context);
  bosh_test_wire_send (&wire, "x");
  g_main_context_pop_thread_default (context);
  bosh_test_manager_deliver (manager, BOSH_TEST_MESSAGE ("y"));
  bosh_test_wire_receive (&wire, "y");
  bosh_test_wire_disconnect (&wire);
  g_assert_false (g_main_context_pending (context));
}

/* The features are handed out when the session is open. */
static void
cancel_at_features (BoshConnection *connection,
                    GParamSpec     *pspec,
                    gpointer        user_data)
{
  g_assert_nonnull (bosh_connection_get_session_id (connection));
  g_cancellable_cancel (user_data);
}

static void
test_cancel_too_late (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;

  g_test_summary ("An operation that is cancelled when it has succeeded has succeeded: no open "
                  "session is reported as closed");

  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_wire_init (&wire, manager, NULL);
  g_signal_connect (wire.connection, "notify::features", G_CALLBACK (cancel_at_features),
                    cancellable);
  bosh_connection_connect_async (wire.connection, cancellable, bosh_test_keep_result, &result);
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_connect_finish);
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  g_assert_true (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_CONNECTED));
  bosh_test_wire_disconnect (&wire);
}

static void
test_disposed (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_auto(BoshTestWire) unopened = { NULL };
  g_autoptr(GAsyncResult) pause = NULL;
  g_autoptr(GAsyncResult) disconnection = NULL;
  g_autoptr(GAsyncResult) connecting = NULL;
  g_autoptr(BoshElement) message = bosh_element_new_message (NULL, NULL, "too late");
  g_autoptr(BoshSavedSession) saved = NULL;
  g_autoptr(GError) error = NULL;
  BoshTestExchange *poll;

  g_test_summary ("A connection that is disposed of while others hold it is closed: what waits "
                  "fails, and so does what comes later");

  bosh_test_wire_init (&wire, manager, NULL);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS " maxpause='120'");
  bosh_connection_pause_async (wire.connection, 60, NULL, bosh_test_keep_result, &pause);
  g_object_run_dispose (G_OBJECT (wire.connection));
  bosh_test_wire_fails (&wire, &pause, bosh_connection_pause_finish,
                        BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  bosh_test_await (bosh_test_exchange_is_gone (poll));
  g_assert_true (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_CLOSED));
  g_assert_nonnull (bosh_connection_get_configuration (wire.connection));

  bosh_connection_disconnect_async (wire.connection, NULL, NULL, bosh_test_keep_result,
                                    &disconnection);
  bosh_test_wire_fails (&wire, &disconnection, bosh_connection_disconnect_finish,
                        BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_assert_false (bosh_connection_send (wire.connection, message, &error));
  bosh_test_assert_failure (&error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  saved = bosh_connection_save (wire.connection, &error);
  g_assert_null (saved);
  bosh_test_assert_failure (&error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  bosh_connection_resume (wire.connection);
  g_assert_cmpuint (bosh_connection_detach (wire.connection), ==, 0);

  /* One that was not opened is as before. */
  bosh_test_wire_init (&unopened, manager, NULL);
  g_object_run_dispose (G_OBJECT (unopened.connection));
  bosh_connection_connect_async (unopened.connection, NULL, bosh_test_keep_result, &connecting);
  bosh_test_exchange_respond (bosh_test_manager_take (manager), BOSH_TEST_GRANTS, "");
  bosh_test_wire_succeeds (&unopened, &connecting, bosh_connection_connect_finish);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/connection-ends/detach", test_detach);
  g_test_add_func ("/bosh/connection-ends/attach", test_attach);
  g_test_add_func ("/bosh/connection-ends/no-response", test_no_response);
  g_test_add_func ("/bosh/connection-ends/attach-unknown", test_attach_unknown);
  g_test_add_func ("/bosh/connection-ends/attach-with-lower-limit", test_attach_with_lower_limit);
  g_test_add_func ("/bosh/connection-ends/refused", test_refused);
  g_test_add_func ("/bosh/connection-ends/while-handing-over", test_while_handing_over);
  g_test_add_func ("/bosh/connection-ends/wrong-domain", test_wrong_domain);
  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    {
      g_autofree char *path = NULL;

      path = g_strconcat ("/bosh/connection-ends/cancel/", operations[i].name, NULL);
      g_test_add_data_func (path, &operations[i], test_cancel);
    }
  g_test_add_func ("/bosh/connection-ends/cancel-all", test_cancel_all);
  g_test_add_func ("/bosh/connection-ends/disposed", test_disposed);
  g_test_add_func ("/bosh/connection-ends/thread", test_thread);
  g_test_add_func ("/bosh/connection-ends/other-context", test_other_context);

  g_test_add_func ("/bosh/connection-ends/cancel-too-late", test_cancel_too_late);

  return g_test_run ();
}
