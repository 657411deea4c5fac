/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Several streams in one session, as an application sees them. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-wire.h"

#define GRANTS BOSH_TEST_GRANTS " stream='one'"

typedef struct
{
  GString *events;  /* `name:element` and `name!`, separated by blanks */
  GError  *error;
} Streams;

static void
on_stream_stanza (BoshConnection *connection,
                  const char     *stream,
                  BoshElement    *element,
                  gpointer        user_data)
{
  Streams *self = user_data;

  g_assert_true (bosh_element_is_sealed (element));
  g_string_append_printf (self->events, "%s:%s ", stream, bosh_element_get_name (element));
}

static void
on_stream_closed (BoshConnection *connection,
                  const char     *stream,
                  const GError   *error,
                  gpointer        user_data)
{
  Streams *self = user_data;

  g_string_append_printf (self->events, "%s! ", stream);
  g_clear_error (&self->error);
  self->error = error != NULL ? g_error_copy (error) : NULL;
}

static void
streams_init (Streams      *self,
              BoshTestWire *wire)
{
  self->events = g_string_new (NULL);
  self->error = NULL;
  g_signal_connect (wire->connection, "stream-stanza", G_CALLBACK (on_stream_stanza), self);
  g_signal_connect (wire->connection, "stream-closed", G_CALLBACK (on_stream_closed), self);
}

static void
streams_clear (Streams *self)
{
  g_string_free (self->events, TRUE);
  g_clear_error (&self->error);
}

static void
assert_events (Streams    *self,
               const char *expected)
{
  g_assert_cmpstr (self->events->str, ==, expected);
  g_string_truncate (self->events, 0);
}

/* Opens a session with the streams `one` and `two`. Returns the request that is held. */
static BoshTestExchange *
open_two (BoshTestWire    *wire,
          BoshTestManager *manager,
          Streams         *streams)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *name = NULL;
  BoshTestExchange *poll;
  BoshTestExchange *request;

  bosh_test_wire_init (wire, manager, NULL);
  streams_init (streams, wire);
  poll = bosh_test_wire_open (wire, GRANTS);
  bosh_connection_open_stream_async (wire->connection, "other.org", NULL,
                                     bosh_test_keep_result, &result);
  request = bosh_test_manager_take (manager);
  g_assert_cmpstr (bosh_test_exchange_get_attribute (request, "to"), ==, "other.org");
  g_assert_null (result);
  bosh_test_exchange_respond (poll, "", "");
  bosh_test_exchange_respond (request, "stream='two' from='other.org'", BOSH_TEST_FEATURES);
  bosh_test_await (result != NULL);
  name = bosh_connection_open_stream_finish (wire->connection, result, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (name, ==, "two");
  assert_events (streams, "two:features ");
  g_assert_null (bosh_connection_get_features (wire->connection));

  return bosh_test_manager_take (manager);
}

static void
test_use (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(BoshElement) presence = bosh_element_new ("presence", NULL);
  g_autoptr(BoshElement) message = bosh_element_new_message (NULL, NULL, "to two");
  g_auto(GStrv) names = NULL;
  g_autoptr(GError) error = NULL;
  Streams streams;
  BoshTestExchange *poll;
  BoshTestExchange *request;

  g_test_summary ("R76, R77, R81, R82: streams are opened and used by their names");

  poll = open_two (&wire, manager, &streams);
  names = bosh_connection_dup_streams (wire.connection);
  g_assert_cmpuint (g_strv_length (names), ==, 2);

  g_assert_true (bosh_connection_send_to_stream (wire.connection, "two", message, &error));
  g_assert_no_error (error);
  request = bosh_test_manager_take (manager);
  g_assert_cmpstr (bosh_test_exchange_get_attribute (request, "stream"), ==, "two");
  bosh_test_assert_messages (request, "to two", NULL);
  bosh_test_exchange_respond (poll, "stream='one'", BOSH_TEST_MESSAGE ("from one"));
  bosh_test_wire_receive (&wire, "from one");
  assert_events (&streams, "");
  bosh_test_exchange_respond (request, "stream='two'", BOSH_TEST_MESSAGE ("from two"));
  bosh_test_await (streams.events->len > 0);
  assert_events (&streams, "two:message ");
  bosh_test_manager_take (manager);

  g_assert_true (bosh_connection_send_to_stream (wire.connection, NULL, presence, &error));
  request = bosh_test_manager_take (manager);
  g_assert_null (bosh_test_exchange_get_attribute (request, "stream"));
  g_clear_object (&wire.connection);
  streams_clear (&streams);
}

static void
test_restart_and_close (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(BoshElement) presence = bosh_element_new ("presence", NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_auto(GStrv) names = NULL;
  Streams streams;
  BoshTestExchange *poll;
  BoshTestExchange *request;
  BoshTestExchange *last;

  g_test_summary ("R83, R116: one stream is restarted and closed by name, the session goes on");

  poll = open_two (&wire, manager, &streams);
  bosh_connection_restart_stream_async (wire.connection, "two", NULL,
                                        bosh_test_keep_result, &result);
  request = bosh_test_manager_take (manager);
  g_assert_cmpstr (bosh_test_exchange_get_attribute (request, "stream"), ==, "two");
  bosh_test_exchange_respond (poll, "", "");
  bosh_test_exchange_respond (request, "stream='two'", BOSH_TEST_FEATURES);
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_restart_stream_finish);
  assert_events (&streams, "two:features ");
  poll = bosh_test_manager_take (manager);

  bosh_connection_close_stream_async (wire.connection, "two", presence, NULL,
                                      bosh_test_keep_result, &result);
  request = bosh_test_manager_take (manager);
  g_assert_cmpstr (bosh_test_exchange_get_attribute (request, "stream"), ==, "two");
  g_assert_null (bosh_test_exchange_get_attribute (request, "type"));
  bosh_test_exchange_respond (poll, "", "");
  last = bosh_test_manager_take (manager);
  g_assert_cmpstr (bosh_test_exchange_get_attribute (last, "type"), ==, "terminate");
  g_assert_cmpstr (bosh_test_exchange_get_attribute (last, "stream"), ==, "two");
  bosh_test_exchange_respond (request, "", "");
  bosh_test_exchange_respond (last, "", "");
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_close_stream_finish);
  assert_events (&streams, "two! ");
  g_assert_no_error (streams.error);
  names = bosh_connection_dup_streams (wire.connection);
  g_assert_cmpuint (g_strv_length (names), ==, 1);
  g_assert_true (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_CONNECTED));

  bosh_connection_close_stream_async (wire.connection, "two", NULL, NULL,
                                      bosh_test_keep_result, &result);
  bosh_test_wire_fails (&wire, &result, bosh_connection_close_stream_finish,
                        BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_object (&wire.connection);
  streams_clear (&streams);
}

static void
test_close_last (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;

  g_test_summary ("R83: to close the last stream is to disconnect");

  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_manager_set_grants (manager, GRANTS, BOSH_TEST_FEATURES);
  bosh_test_wire_init (&wire, manager, NULL);
  bosh_test_wire_connect (&wire);
  bosh_connection_close_stream_async (wire.connection, "one", NULL, NULL,
                                      bosh_test_keep_result, &result);
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_close_stream_finish);
  g_assert_true (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_CLOSED));
  g_assert_no_error (wire.close_error);
}

static void
fail_to_open (BoshTestWire *wire,
              int           code)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  bosh_connection_open_stream_async (wire->connection, "other.org", NULL,
                                     bosh_test_keep_result, &result);
  bosh_test_await (result != NULL);
  g_assert_null (bosh_connection_open_stream_finish (wire->connection, result, &error));
  g_assert_error (error, BOSH_ERROR, code);
}

static void
test_errors (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(BoshElement) message = bosh_element_new_message (NULL, NULL, "hi");
  g_autoptr(GError) error = NULL;
  g_auto(GStrv) names = NULL;

  g_test_summary ("R74: errors before there is a session, and where it has one stream only");

  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_wire_init (&wire, manager, NULL);
  fail_to_open (&wire, BOSH_ERROR_NOT_CONNECTED);
  names = bosh_connection_dup_streams (wire.connection);
  g_assert_cmpuint (g_strv_length (names), ==, 0);
  g_assert_false (bosh_connection_send_to_stream (wire.connection, NULL, message, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_error (&error);

  bosh_test_wire_connect (&wire);
  fail_to_open (&wire, BOSH_ERROR_NOT_SUPPORTED);
  g_assert_false (bosh_connection_send_to_stream (wire.connection, "one", message, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_SUPPORTED);
  bosh_test_wire_disconnect (&wire);
}

static void
test_open_fails (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  BoshTestExchange *poll;
  BoshTestExchange *request;

  g_test_summary ("R84: a stream that can't be opened fails with the condition of the server");

  bosh_test_wire_init (&wire, manager, NULL);
  poll = bosh_test_wire_open (&wire, GRANTS);
  bosh_connection_open_stream_async (wire.connection, "other.org", NULL,
                                     bosh_test_keep_result, &result);
  request = bosh_test_manager_take (manager);
  bosh_test_exchange_respond (poll, "", "");
  bosh_test_exchange_respond (request, "type='terminate' condition='host-unknown' stream='two'", "");
  bosh_test_await (result != NULL);
  g_assert_null (bosh_connection_open_stream_finish (wire.connection, result, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_HOST_UNKNOWN);
  g_assert_true (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_CONNECTED));
  g_clear_object (&wire.connection);
}

static void
test_fatal_error (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  Streams streams;
  BoshTestExchange *poll;

  g_test_summary ("R84, R92: a fatal error of one stream is reported with its text");

  poll = open_two (&wire, manager, &streams);
  bosh_test_exchange_respond (poll, "type='terminate' stream='two' condition='remote-stream-error'",
                              "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>"
                              "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                              "</stream:error>");
  bosh_test_await (streams.error != NULL);
  assert_events (&streams, "two:error two! ");
  g_assert_error (streams.error, BOSH_STREAM_ERROR, BOSH_STREAM_ERROR_CONFLICT);
  g_assert_true (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_CONNECTED));
  g_clear_object (&wire.connection);
  streams_clear (&streams);
}

static void
test_hand_over (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_auto(BoshTestWire) other = { NULL };
  g_autoptr(BoshElement) message = bosh_element_new_message (NULL, NULL, "hi");
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(BoshSavedSession) detached = NULL;
  g_autoptr(BoshSavedSession) again = NULL;
  g_autofree char *json = NULL;
  g_auto(GStrv) names = NULL;
  Streams streams;
  BoshTestExchange *repeat;

  g_test_summary ("R77: a session that was handed over keeps its streams");

  open_two (&wire, manager, &streams);
  bosh_connection_detach_async (wire.connection, NULL, bosh_test_keep_result, &result);
  bosh_test_await (result != NULL);
  detached = bosh_connection_detach_finish (wire.connection, result, NULL);
  g_assert_nonnull (detached);
  json = bosh_saved_session_to_json (detached);
  again = bosh_saved_session_new_from_json (json, NULL);
  g_assert_nonnull (again);
  g_clear_object (&result);

  bosh_test_wire_init (&other, manager, NULL);
  bosh_connection_attach_async (other.connection, again, NULL, bosh_test_keep_result, &result);
  repeat = bosh_test_manager_take (manager);
  bosh_test_exchange_respond (repeat, "stream='one'", BOSH_TEST_MESSAGE ("welcome"));
  bosh_test_wire_succeeds (&other, &result, bosh_connection_attach_finish);
  names = bosh_connection_dup_streams (other.connection);
  g_assert_cmpuint (g_strv_length (names), ==, 2);
  g_assert_cmpstr (names[1], ==, "two");
  g_assert_true (bosh_connection_send_to_stream (other.connection, "two", message, NULL));
  g_clear_object (&wire.connection);
  g_clear_object (&other.connection);
  streams_clear (&streams);
}

static void
test_restart_first_by_name (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  Streams streams;
  BoshTestExchange *poll;
  BoshTestExchange *request;

  g_test_summary ("R116: the first stream is restarted by its name, too");

  poll = open_two (&wire, manager, &streams);
  bosh_connection_restart_stream_async (wire.connection, "one", NULL,
                                        bosh_test_keep_result, &result);
  request = bosh_test_manager_take (manager);
  bosh_test_exchange_respond (poll, "", "");
  bosh_test_exchange_respond (request, "stream='one'", BOSH_TEST_FEATURES);
  bosh_test_await (bosh_connection_get_features (wire.connection) != NULL);
  bosh_test_run_dry ();
  g_assert_nonnull (result);
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_restart_stream_finish);
  g_clear_object (&wire.connection);
  streams_clear (&streams);
}

static void
test_restart_fails (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  Streams streams;
  BoshTestExchange *poll;
  BoshTestExchange *request;

  g_test_summary ("R84, R116: a restart fails when the stream ends");

  poll = open_two (&wire, manager, &streams);
  bosh_connection_restart_stream_async (wire.connection, "two", NULL,
                                        bosh_test_keep_result, &result);
  request = bosh_test_manager_take (manager);
  bosh_test_exchange_respond (poll, "", "");
  bosh_test_exchange_respond (request, "type='terminate' condition='remote-connection-failed' stream='two'", "");
  bosh_test_wire_fails (&wire, &result, bosh_connection_restart_stream_finish,
                        BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_object (&wire.connection);
  streams_clear (&streams);
}

static void
test_stranded (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(BoshElement) a = bosh_element_new_message (NULL, NULL, "a");
  g_autoptr(BoshElement) b = bosh_element_new_message (NULL, NULL, "b");
  g_autoptr(BoshElement) c = bosh_element_new_message (NULL, NULL, "c");
  Streams streams;
  BoshTestExchange *poll;
  BoshTestExchange *request;

  g_test_summary ("R84: what a closed stream leaves unsent is not reported as delivered");

  poll = open_two (&wire, manager, &streams);
  g_assert_true (bosh_connection_send_to_stream (wire.connection, "two", a, NULL));
  request = bosh_test_manager_take (manager);
  /* The window is full: this one waits. */
  bosh_connection_deliver_async (wire.connection, b, NULL, bosh_test_keep_result, &result);
  bosh_test_run_dry ();
  bosh_test_exchange_respond (poll, "type='terminate' condition='remote-connection-failed' stream='one'", "");
  bosh_test_await (streams.error != NULL);
  g_assert_true (bosh_connection_send_to_stream (wire.connection, "two", c, NULL));
  poll = bosh_test_manager_take (manager);
  bosh_test_assert_messages (poll, "c", NULL);
  bosh_test_exchange_respond (request, "", "");
  bosh_test_exchange_respond (poll, "", "");
  bosh_test_wire_fails (&wire, &result, bosh_connection_deliver_finish,
                        BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_object (&wire.connection);
  streams_clear (&streams);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/connection-streams/use", test_use);
  g_test_add_func ("/bosh/connection-streams/restart-and-close", test_restart_and_close);
  g_test_add_func ("/bosh/connection-streams/close-last", test_close_last);
  g_test_add_func ("/bosh/connection-streams/errors", test_errors);
  g_test_add_func ("/bosh/connection-streams/open-fails", test_open_fails);
  g_test_add_func ("/bosh/connection-streams/fatal-error", test_fatal_error);
  g_test_add_func ("/bosh/connection-streams/hand-over", test_hand_over);

  g_test_add_func ("/bosh/connection-streams/restart-first-by-name", test_restart_first_by_name);
  g_test_add_func ("/bosh/connection-streams/restart-fails", test_restart_fails);
  g_test_add_func ("/bosh/connection-streams/stranded", test_stranded);

  return g_test_run ();
}
