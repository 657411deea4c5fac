/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Transcripts of several streams in one session: XEP-0124 §16. */

#include "config.h"

#include "bosh-test-session.h"

#include <string.h>

#define GRANTS TEST_GRANTS " stream='one'"
#define FATAL "<body xmlns='" BOSH_NS_HTTPBIND "' type='terminate' condition='host-gone' stream='two'/>"

static BoshElement *
new_message (const char *body)
{
  return bosh_element_new_message ("someone@example.org", NULL, body);
}

static void
queue_to (TestSession *t,
          const char  *stream,
          const char  *body)
{
  g_autoptr(BoshElement) message = new_message (body);

  g_assert_true (bosh_session_queue_to (t->session, message, stream, NULL, NULL));
}

/* An open session with a second stream; nothing is under way. */
static void
open_two (TestSession *t)
{
  guint64 serial;
  guint64 rid;
  g_autoptr(BoshElement) request = NULL;

  test_session_init (t, NULL);
  test_session_open_quietly (t, GRANTS);
  g_assert_true (bosh_session_open_stream (t->session, "other.org", NULL, &serial, NULL));
  test_session_drain (t);
  request = test_session_take (t, &rid);
  test_session_respond (t, rid, "stream='two' from='other.org'", "");
  test_session_events (t, "STREAM-OPENED(two)");
}

static void
test_unsupported (void)
{
  TestSession t;
  g_autoptr(BoshElement) message = new_message ("hi");
  g_autoptr(GError) error = NULL;
  g_auto(GStrv) streams = NULL;
  guint64 serial;

  g_test_summary ("R74: without a name in the response to the creation there is one stream only");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_assert_false (bosh_session_open_stream (t.session, "other.org", NULL, &serial, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  g_assert_false (bosh_session_queue_to (t.session, message, NULL, NULL, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  g_assert_false (bosh_session_close_stream (t.session, "one", NULL, &serial, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  g_assert_false (bosh_session_restart_stream (t.session, "one", &serial, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_SUPPORTED);

  streams = bosh_session_dup_streams (t.session);
  g_assert_cmpuint (g_strv_length (streams), ==, 0);
  test_session_clear (&t);
}

static void
test_names_mean_nothing_without_support (void)
{
  TestSession t;
  g_autoptr(BoshElement) poll = NULL;
  guint64 rid;

  g_test_summary ("R74: if there is one stream only, names of streams are ignored");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  poll = test_session_take (&t, &rid);
  test_session_respond (&t, rid, "stream='strange'", "<message xmlns='jabber:client'/>");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_OPEN);
  test_session_clear (&t);
}

static void
test_open (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  g_auto(GStrv) streams = NULL;
  guint64 serial;
  guint64 rid;
  guint64 created;

  g_test_summary ("R75, R76, R114: another stream is asked for by an empty request with to, "
                  "xml:lang and xmpp:version, and without what creates a session");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, GRANTS);
  created = bosh_session_get_last_rid (t.session);
  g_assert_true (bosh_session_open_stream (t.session, "other.org", "me@other.org", &serial, NULL));
  test_session_drain (&t);

  request = test_session_take (&t, &rid);
  g_assert_cmpuint (rid, ==, created + 1);
  test_session_attribute (request, "sid", "s1");
  test_session_attribute (request, "to", "other.org");
  test_session_attribute (request, "from", "me@other.org");
  g_assert_cmpstr (bosh_element_get_attribute_ns (request, "lang", BOSH_NS_XML), ==, "en");
  g_assert_cmpstr (bosh_element_get_attribute_ns (request, "version", BOSH_NS_XBOSH), ==, "1.0");
  test_session_attribute (request, "stream", NULL);
  test_session_attribute (request, "ver", NULL);
  test_session_attribute (request, "content", NULL);
  test_session_attribute (request, "hold", NULL);
  test_session_attribute (request, "wait", NULL);
  g_assert_cmpuint (bosh_element_get_n_children (request), ==, 0);

  test_session_respond (&t, rid, "stream='two' from='other.org'", "");
  test_session_events (&t, "STREAM-OPENED(two)");
  streams = bosh_session_dup_streams (t.session);
  g_assert_cmpuint (g_strv_length (streams), ==, 2);
  g_assert_cmpstr (streams[0], ==, "one");
  g_assert_cmpstr (streams[1], ==, "two");
  test_session_clear (&t);
}

static void
test_name_comes_later (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  g_autoptr(BoshElement) poll = NULL;
  guint64 serial;
  guint64 rid;

  g_test_summary ("R76: the name of the stream may come with another response, its features too");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, GRANTS);
  g_assert_true (bosh_session_open_stream (t.session, "other.org", NULL, &serial, NULL));
  test_session_drain (&t);
  request = test_session_take (&t, &rid);
  test_session_respond (&t, rid, "", "");
  bosh_session_set_reply_expected (t.session, FALSE);
  test_session_drain (&t);
  poll = test_session_take (&t, &rid);
  test_session_respond (&t, rid, "stream='two' from='other.org'",
                        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>");
  test_session_events (&t, "STREAM-OPENED(two) ON(two)");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  test_session_clear (&t);
}

static void
test_payloads_are_not_mixed (void)
{
  TestSession t;
  g_autoptr(BoshElement) first = NULL;
  g_autoptr(BoshElement) second = NULL;
  g_autoptr(BoshElement) third = NULL;
  guint64 rids[3];

  g_test_summary ("R77, R78: a request has payloads of one stream, which it names; "
                  "without a name they are for all");

  open_two (&t);
  test_session_queue (&t, "a");
  queue_to (&t, "one", "b");
  queue_to (&t, "two", "c");
  queue_to (&t, NULL, "d");
  test_session_drain (&t);

  first = test_session_take (&t, &rids[0]);
  test_session_attribute (first, "stream", "one");
  g_assert_cmpuint (bosh_element_get_n_children (first), ==, 2);
  test_session_advance (&t, TEST_SECOND / 2);
  second = test_session_take (&t, &rids[1]);
  test_session_attribute (second, "stream", "two");
  g_assert_cmpuint (bosh_element_get_n_children (second), ==, 1);
  test_session_respond (&t, rids[0], "", "");
  test_session_respond (&t, rids[1], "", "");
  test_session_advance (&t, TEST_SECOND / 2);
  third = test_session_take (&t, &rids[2]);
  test_session_attribute (third, "stream", NULL);
  g_assert_cmpuint (bosh_element_get_n_children (third), ==, 1);
  test_session_clear (&t);
}

static void
test_first_is_not_named_alone (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  guint64 rid;

  g_test_summary ("R77: as long as there is but one stream no request names it");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, GRANTS);
  test_session_queue (&t, "a");
  test_session_drain (&t);
  request = test_session_take (&t, &rid);
  test_session_attribute (request, "stream", NULL);
  test_session_clear (&t);
}

static void
test_responses_of_streams (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  guint64 rid;

  g_test_summary ("R80, R81, R82: a response names its own stream, whatever the request was for; "
                  "no name is the first; an empty one names nothing");

  open_two (&t);
  queue_to (&t, "two", "a");
  test_session_drain (&t);
  request = test_session_take (&t, &rid);
  test_session_respond (&t, rid, "stream='one'", "<message xmlns='jabber:client'/>");
  test_session_events (&t, "");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  g_clear_pointer (&request, bosh_element_unref);

  queue_to (&t, "one", "b");
  test_session_drain (&t);
  request = test_session_take (&t, &rid);
  test_session_respond (&t, rid, "", "<message xmlns='jabber:client'/>");
  test_session_events (&t, "");
  g_clear_pointer (&request, bosh_element_unref);

  queue_to (&t, "one", "c");
  test_session_drain (&t);
  request = test_session_take (&t, &rid);
  test_session_respond (&t, rid, "stream='two'", "<message xmlns='jabber:client'/>");
  test_session_events (&t, "ON(two)");
  g_clear_pointer (&request, bosh_element_unref);

  queue_to (&t, "one", "d");
  test_session_drain (&t);
  request = test_session_take (&t, &rid);
  test_session_respond (&t, rid, "stream='never-heard-of'", "");
  test_session_events (&t, "");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_OPEN);
  g_assert_cmpuint (t.payloads->len, ==, 3);
  test_session_clear (&t);
}

static void
test_polls_name_no_stream (void)
{
  TestSession t;
  g_autoptr(BoshElement) poll = NULL;
  guint64 rid;

  g_test_summary ("R80: a request without payload names no stream");

  open_two (&t);
  bosh_session_set_reply_expected (t.session, FALSE);
  test_session_drain (&t);
  poll = test_session_take (&t, &rid);
  test_session_attribute (poll, "stream", NULL);
  test_session_clear (&t);
}

static void
test_unknown_stream_ends (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  g_autoptr(BoshElement) end = NULL;
  guint64 rid;

  g_test_summary ("R79: payloads of a stream that was never opened end the session, and are dropped");

  open_two (&t);
  queue_to (&t, "two", "a");
  test_session_drain (&t);
  request = test_session_take (&t, &rid);
  test_session_respond (&t, rid, "stream='three'", "<message xmlns='jabber:client'/>");
  g_assert_cmpuint (t.payloads->len, ==, 0);
  end = test_session_take (&t, &rid);
  test_session_attribute (end, "type", "terminate");
  test_session_attribute (end, "stream", NULL);
  test_session_respond (&t, rid, "type='terminate'", "");
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_FAILED);
  test_session_clear (&t);
}

static void
test_close_one (void)
{
  TestSession t;
  g_autoptr(BoshElement) last = new_message ("bye");
  g_autoptr(BoshElement) payload = NULL;
  g_autoptr(BoshElement) end = NULL;
  g_autoptr(BoshElement) late = NULL;
  g_autoptr(BoshElement) message = new_message ("too late");
  g_autoptr(GError) error = NULL;
  g_auto(GStrv) streams = NULL;
  guint64 serial;
  guint64 rid;
  guint64 end_rid;

  g_test_summary ("R83, R79: one stream is closed by name after what was queued for it; what is "
                  "on its way until then arrives, what comes later is ignored");

  open_two (&t);
  queue_to (&t, "two", "before");
  g_assert_true (bosh_session_close_stream (t.session, "two", last, &serial, NULL));
  g_assert_cmpuint (serial, >, 0);
  g_assert_false (bosh_session_queue_to (t.session, message, "two", NULL, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  test_session_drain (&t);

  payload = test_session_take (&t, &rid);
  test_session_attribute (payload, "stream", "two");
  test_session_attribute (payload, "type", NULL);
  g_assert_cmpuint (bosh_element_get_n_children (payload), ==, 2);
  test_session_advance (&t, TEST_SECOND / 2);
  end = test_session_take (&t, &end_rid);
  test_session_attribute (end, "type", "terminate");
  test_session_attribute (end, "stream", "two");
  test_session_respond (&t, rid, "stream='two'", "<message xmlns='jabber:client'/>");
  test_session_events (&t, "ON(two)");
  test_session_respond (&t, end_rid, "", "");
  test_session_events (&t, "STREAM-CLOSED(two)");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_OPEN);
  streams = bosh_session_dup_streams (t.session);
  g_assert_cmpuint (g_strv_length (streams), ==, 1);

  test_session_queue (&t, "on one");
  test_session_drain (&t);
  late = test_session_take (&t, &rid);
  test_session_attribute (late, "stream", "one");
  test_session_respond (&t, rid, "stream='two'", "<message xmlns='jabber:client'/>");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_OPEN);
  test_session_clear (&t);
}

static void
test_close_responded_by_terminate (void)
{
  TestSession t;
  g_autoptr(BoshElement) end = NULL;
  guint64 serial;
  guint64 rid;

  g_test_summary ("R83: the response to the end of one stream may be a terminate with its name");

  open_two (&t);
  g_assert_true (bosh_session_close_stream (t.session, "two", NULL, &serial, NULL));
  test_session_drain (&t);
  end = test_session_take (&t, &rid);
  test_session_respond (&t, rid, "type='terminate' stream='two'", "");
  test_session_events (&t, "STREAM-CLOSED(two)");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_OPEN);
  test_session_clear (&t);
}

static void
test_held_close (void)
{
  TestSession t;
  g_autoptr(BoshElement) end = NULL;
  g_autoptr(BoshElement) poll = NULL;
  guint64 serial;
  guint64 rid;
  guint64 poll_rid;

  g_test_summary ("R83: a server that holds the end of a stream is made to release it");

  open_two (&t);
  g_assert_true (bosh_session_close_stream (t.session, "two", NULL, &serial, NULL));
  test_session_drain (&t);
  end = test_session_take (&t, &rid);
  test_session_advance (&t, 6 * TEST_SECOND);
  poll = test_session_take (&t, &poll_rid);
  g_assert_cmpuint (poll_rid, ==, rid + 1);
  test_session_respond (&t, rid, "", "");
  test_session_events (&t, "STREAM-CLOSED(two)");
  test_session_clear (&t);
}

static void
test_acknowledged_close (void)
{
  TestSession t;
  g_autofree char *ack = NULL;
  guint64 serial;
  guint64 poll;
  guint64 rid;

  g_test_summary ("R42, R83: the end of a stream that the server has, and holds, is the end; what came "
                  "before it on the stream is handed out");

  open_two (&t);
  bosh_session_set_reply_expected (t.session, FALSE);
  test_session_drain (&t);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  g_assert_true (bosh_session_close_stream (t.session, "two", NULL, &serial, NULL));
  test_session_drain (&t);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  ack = g_strdup_printf ("stream='two' ack='%" G_GUINT64_FORMAT "'", rid);
  test_session_respond (&t, poll, ack, "<message xmlns='jabber:client'/>");
  test_session_events (&t, "ON(two) STREAM-CLOSED(two)");
  test_session_respond (&t, rid, "", "");
  test_session_events (&t, "");
  test_session_clear (&t);
}

static void
test_close_last (void)
{
  TestSession t;
  g_autoptr(BoshElement) end = NULL;
  guint64 serial;
  guint64 rid;

  g_test_summary ("R83: the last open stream ends the session, even if it is not the first");

  open_two (&t);
  g_assert_true (bosh_session_close_stream (t.session, "one", NULL, &serial, NULL));
  test_session_drain (&t);
  g_clear_pointer (&end, bosh_element_unref);
  end = test_session_take (&t, &rid);
  test_session_respond (&t, rid, "", "");
  test_session_events (&t, "STREAM-CLOSED(one)");

  g_assert_true (bosh_session_close_stream (t.session, "two", NULL, &serial, NULL));
  g_assert_cmpuint (serial, ==, 0);
  test_session_drain (&t);
  g_clear_pointer (&end, bosh_element_unref);
  end = test_session_take (&t, &rid);
  test_session_attribute (end, "type", "terminate");
  test_session_attribute (end, "stream", NULL);
  test_session_respond (&t, rid, "type='terminate'", "");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_CLOSED);
  g_assert_no_error (t.error);
  test_session_clear (&t);
}

static void
test_first_closed (void)
{
  TestSession t;
  g_autoptr(BoshElement) end = NULL;
  g_autoptr(BoshElement) other = NULL;
  g_autoptr(BoshElement) message = new_message ("too late");
  g_autoptr(GError) error = NULL;
  guint64 serial;
  guint64 rid;

  g_test_summary ("R81: payloads without a name belong to the first stream even when it is closed");

  open_two (&t);
  g_assert_true (bosh_session_close_stream (t.session, "one", NULL, &serial, NULL));
  test_session_drain (&t);
  end = test_session_take (&t, &rid);
  test_session_respond (&t, rid, "", "");
  g_assert_false (bosh_session_queue (t.session, message, NULL, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);

  queue_to (&t, "two", "a");
  test_session_drain (&t);
  other = test_session_take (&t, &rid);
  test_session_events (&t, "STREAM-CLOSED(one)");
  test_session_respond (&t, rid, "", "<message xmlns='jabber:client'/>");
  test_session_events (&t, "");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  test_session_clear (&t);
}

static void
test_fatal_error_of_one (void)
{
  TestSession t;
  g_autoptr(BoshElement) poll = NULL;
  g_autoptr(BoshElement) request = NULL;
  g_autoptr(GPtrArray) unsent = NULL;
  guint64 rid;
  guint64 other_rid;

  g_test_summary ("R84: a fatal error with the name of one stream ends that one alone, "
                  "and reports what was not sent on it");

  open_two (&t);
  queue_to (&t, "one", "a");
  test_session_drain (&t);
  request = test_session_take (&t, &rid);
  test_session_advance (&t, TEST_SECOND / 2);
  queue_to (&t, "one", "b");
  test_session_drain (&t);
  poll = test_session_take (&t, &other_rid);
  queue_to (&t, "two", "waits");
  test_session_drain (&t);
  g_assert_false (test_session_has_request (&t));

  test_session_respond (&t, rid, "type='terminate' condition='remote-connection-failed' stream='two'", "");
  test_session_events (&t, "STREAM-CLOSED(two) FAILED(4)");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_OPEN);
  unsent = bosh_session_dup_unsent (t.session);
  g_assert_cmpuint (unsent->len, ==, 1);
  test_session_clear (&t);
}

static void
test_fatal_error_out_of_order (void)
{
  TestSession t;
  guint64 first;
  guint64 second;

  g_test_summary ("R84, R63: the end of one stream gives up no response that is still to come");

  open_two (&t);
  queue_to (&t, "one", "a");
  test_session_drain (&t);
  bosh_element_unref (test_session_take (&t, &first));
  test_session_advance (&t, TEST_SECOND / 2);
  queue_to (&t, "one", "b");
  test_session_drain (&t);
  bosh_element_unref (test_session_take (&t, &second));
  test_session_respond (&t, second, "type='terminate' condition='host-gone' stream='two'", "");
  test_session_advance (&t, TEST_SECOND * 3 / 4);
  test_session_events (&t, "");
  test_session_respond (&t, first, "stream='two'", "<message xmlns='jabber:client'/>");
  test_session_events (&t, "ON(two) STREAM-CLOSED(two)");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  test_session_clear (&t);
}

static void
test_open_fails (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  guint64 serial;
  guint64 rid;

  g_test_summary ("R84: a stream that can't be opened does not harm the session");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, GRANTS);
  g_assert_true (bosh_session_open_stream (t.session, "other.org", NULL, &serial, NULL));
  test_session_drain (&t);
  request = test_session_take (&t, &rid);
  test_session_respond (&t, rid, "type='terminate' condition='host-unknown' stream='two'", "");
  test_session_events (&t, "STREAM-CLOSED()");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_OPEN);
  test_session_clear (&t);
}

static void
test_fatal_error_of_all (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  guint64 rid;

  g_test_summary ("R85: a fatal error without a name ends all streams and the session");

  open_two (&t);
  queue_to (&t, "two", "a");
  test_session_drain (&t);
  request = test_session_take (&t, &rid);
  test_session_respond (&t, rid, "type='terminate' condition='system-shutdown'", "");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_CLOSED);
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_SYSTEM_SHUTDOWN);
  test_session_clear (&t);
}

static void
test_open_fails_with_words (void)
{
  TestSession t;
  guint64 serial;
  guint64 rid;

  g_test_summary ("R84, R91: a stream that can't be opened may say why, and does not harm the session");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, GRANTS);
  g_assert_true (bosh_session_open_stream (t.session, "other.org", NULL, &serial, NULL));
  test_session_drain (&t);
  bosh_element_unref (test_session_take (&t, &rid));
  test_session_respond (&t, rid, "type='terminate' condition='remote-stream-error' stream='two'",
                       "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>"
                       "<not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
  test_session_events (&t, "STREAM-CLOSED()");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_OPEN);
  g_assert_false (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_restart_of_closed (void)
{
  TestSession t;
  guint64 serial;
  guint64 rid;

  g_test_summary ("R116: a stream that is closed is not restarted");

  open_two (&t);
  g_assert_true (bosh_session_close_stream (t.session, "one", NULL, &serial, NULL));
  test_session_drain (&t);
  bosh_element_unref (test_session_take (&t, &rid));
  test_session_respond (&t, rid, "", "");
  g_assert_false (bosh_session_restart (t.session, NULL, NULL));
  test_session_clear (&t);
}

static void
test_saved_while_closing (void)
{
  TestSession t;
  TestSession other;
  BoshSessionParameters parameters;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  guint64 serial;
  guint64 rid;

  g_test_summary ("R83: what comes on a stream that is being closed arrives, also after a hand-over");

  open_two (&t);
  g_assert_true (bosh_session_close_stream (t.session, "two", NULL, &serial, NULL));
  test_session_drain (&t);
  bosh_element_unref (test_session_take (&t, &rid));
  saved = bosh_session_save (t.session);
  test_session_clear (&t);

  test_session_default (&parameters);
  test_session_init (&other, &parameters);
  bosh_session_free (other.session);
  other.session = bosh_session_new_from_snapshot (saved, &parameters);
  bosh_session_open (other.session, other.now);
  test_session_drain (&other);
  bosh_element_unref (test_session_take (&other, &rid));
  test_session_respond (&other, rid, "stream='two'", "<message xmlns='jabber:client'/>");
  test_session_events (&other, "attaching open ON(two) STREAM-CLOSED(two) OPENED");
  g_assert_cmpuint (other.payloads->len, ==, 1);
  test_session_clear (&other);
}

static void
test_unsent_in_order (void)
{
  TestSession t;
  static const char * const texts[] = { "a", "b", "c" };
  g_autoptr(GBytes) body = g_bytes_new_static (FATAL, strlen (FATAL));
  BoshHttpResponse response = { 200, body, -1, NULL };
  g_autoptr(GPtrArray) unsent = NULL;
  g_autoptr(GPtrArray) first = NULL;
  guint64 rid;
  guint64 other;

  g_test_summary ("R84: what was not sent is reported in the order in which it was queued");

  open_two (&t);
  queue_to (&t, "one", "under way");
  test_session_drain (&t);
  bosh_element_unref (test_session_take (&t, &rid));
  test_session_advance (&t, TEST_SECOND / 2);
  queue_to (&t, "one", "too");
  test_session_drain (&t);
  bosh_element_unref (test_session_take (&t, &other));
  queue_to (&t, "one", "a");
  queue_to (&t, "two", "b");
  queue_to (&t, "one", "c");
  bosh_session_handle_response (t.session, rid, &response, t.now);

  unsent = bosh_session_dup_unsent (t.session);
  g_assert_cmpuint (unsent->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *text = bosh_element_dup_child_text (unsent->pdata[i], "body", NULL);

      g_assert_cmpstr (text, ==, texts[i]);
    }
  first = bosh_session_dup_unsent_on_first (t.session);
  g_assert_cmpuint (first->len, ==, 2);
  test_session_clear (&t);
}

static void
test_restart (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  guint64 serial;
  guint64 rid;

  g_test_summary ("R116: a stream is restarted by its name, because SASL succeeds on each one alone");

  open_two (&t);
  g_assert_true (bosh_session_restart_stream (t.session, "two", &serial, NULL));
  test_session_drain (&t);
  request = test_session_take (&t, &rid);
  test_session_attribute (request, "stream", "two");
  test_session_attribute (request, "to", NULL);
  g_assert_cmpstr (bosh_element_get_attribute_ns (request, "restart", BOSH_NS_XBOSH), ==, "true");
  g_assert_cmpuint (bosh_element_get_n_children (request), ==, 0);
  test_session_respond (&t, rid, "stream='two'",
                        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>");
  test_session_events (&t, "RESTARTED ON(two)");
  test_session_clear (&t);
}

static void
test_terminate_after_streams (void)
{
  TestSession t;
  g_autoptr(BoshElement) last = new_message ("bye");
  g_autoptr(BoshElement) first = NULL;
  g_autoptr(BoshElement) end = NULL;
  guint64 rid;

  g_test_summary ("R83: before the end of the session, each stream gets what was queued for it");

  open_two (&t);
  queue_to (&t, "two", "a");
  g_assert_true (bosh_session_terminate (t.session, last, NULL));
  test_session_drain (&t);
  first = test_session_take (&t, &rid);
  test_session_attribute (first, "stream", "two");
  test_session_attribute (first, "type", NULL);
  test_session_respond (&t, rid, "", "");
  end = test_session_take (&t, &rid);
  test_session_attribute (end, "type", "terminate");
  test_session_attribute (end, "stream", NULL);
  g_assert_cmpuint (bosh_element_get_n_children (end), ==, 1);
  test_session_respond (&t, rid, "type='terminate'", "");
  g_assert_no_error (t.error);
  test_session_clear (&t);
}

static void
test_saved (void)
{
  TestSession t;
  TestSession other;
  BoshSessionParameters parameters;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  g_autoptr(BoshElement) request = NULL;
  g_autoptr(BoshElement) repeat = NULL;
  g_autoptr(BoshElement) next = NULL;
  g_auto(GStrv) streams = NULL;
  guint64 rid;
  guint64 repeat_rid;

  g_test_summary ("R77: the next owner of a session keeps its streams, and what is queued for each");

  open_two (&t);
  queue_to (&t, "two", "sent");
  test_session_drain (&t);
  request = test_session_take (&t, &rid);
  queue_to (&t, "two", "later");
  saved = bosh_session_save (t.session);

  test_session_default (&parameters);
  test_session_init (&other, &parameters);
  bosh_session_free (other.session);
  other.session = bosh_session_new_from_snapshot (saved, &parameters);
  bosh_session_open (other.session, other.now);
  test_session_drain (&other);
  repeat = test_session_take (&other, &repeat_rid);
  g_assert_cmpuint (repeat_rid, ==, rid);
  g_assert_true (bosh_element_equal (repeat, request));
  test_session_respond (&other, rid, "stream='two'", "<message xmlns='jabber:client'/>");
  test_session_events (&other, "attaching open ON(two) OPENED");
  test_session_advance (&other, TEST_SECOND);
  next = test_session_take (&other, &rid);
  test_session_attribute (next, "stream", "two");
  streams = bosh_session_dup_streams (other.session);
  g_assert_cmpuint (g_strv_length (streams), ==, 2);
  test_session_clear (&other);
  test_session_clear (&t);
}

static void
test_limit (void)
{
  TestSession t;
  g_autoptr(GError) error = NULL;
  guint64 serial;

  g_test_summary ("R75: the streams of a session are bounded");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, GRANTS);
  for (guint i = 0; i < 255; i++)
    {
      g_autofree char *name = g_strdup_printf ("stream='x%u'", i);
      guint64 rid;

      g_assert_true (bosh_session_open_stream (t.session, "other.org", NULL, &serial, NULL));
      test_session_drain (&t);
      bosh_element_unref (test_session_take (&t, &rid));
      test_session_respond (&t, rid, name, "");
    }
  g_assert_false (bosh_session_open_stream (t.session, "other.org", NULL, &serial, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  test_session_clear (&t);

  /* Also of those that were asked for at once. */
  test_session_init (&t, NULL);
  test_session_open_quietly (&t, GRANTS);
  for (guint i = 0; i < 255; i++)
    g_assert_true (bosh_session_open_stream (t.session, "other.org", NULL, &serial, NULL));
  g_assert_false (bosh_session_open_stream (t.session, "other.org", NULL, &serial, NULL));
  test_session_clear (&t);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/session-streams/unsupported", test_unsupported);
  g_test_add_func ("/bosh/session-streams/names-mean-nothing-without-support",
                   test_names_mean_nothing_without_support);
  g_test_add_func ("/bosh/session-streams/open", test_open);
  g_test_add_func ("/bosh/session-streams/name-comes-later", test_name_comes_later);
  g_test_add_func ("/bosh/session-streams/payloads-are-not-mixed", test_payloads_are_not_mixed);
  g_test_add_func ("/bosh/session-streams/first-is-not-named-alone", test_first_is_not_named_alone);
  g_test_add_func ("/bosh/session-streams/responses", test_responses_of_streams);
  g_test_add_func ("/bosh/session-streams/polls-name-no-stream", test_polls_name_no_stream);
  g_test_add_func ("/bosh/session-streams/unknown-stream-ends", test_unknown_stream_ends);
  g_test_add_func ("/bosh/session-streams/close-one", test_close_one);
  g_test_add_func ("/bosh/session-streams/close-responded-by-terminate",
                   test_close_responded_by_terminate);
  g_test_add_func ("/bosh/session-streams/held-close", test_held_close);
  g_test_add_func ("/bosh/session-streams/acknowledged-close", test_acknowledged_close);
  g_test_add_func ("/bosh/session-streams/close-last", test_close_last);
  g_test_add_func ("/bosh/session-streams/first-closed", test_first_closed);
  g_test_add_func ("/bosh/session-streams/fatal-error-of-one", test_fatal_error_of_one);
  g_test_add_func ("/bosh/session-streams/fatal-error-out-of-order",
                   test_fatal_error_out_of_order);
  g_test_add_func ("/bosh/session-streams/open-fails", test_open_fails);
  g_test_add_func ("/bosh/session-streams/fatal-error-of-all", test_fatal_error_of_all);
  g_test_add_func ("/bosh/session-streams/open-fails-with-words", test_open_fails_with_words);
  g_test_add_func ("/bosh/session-streams/restart-of-closed", test_restart_of_closed);
  g_test_add_func ("/bosh/session-streams/saved-while-closing", test_saved_while_closing);
  g_test_add_func ("/bosh/session-streams/unsent-in-order", test_unsent_in_order);
  g_test_add_func ("/bosh/session-streams/restart", test_restart);
  g_test_add_func ("/bosh/session-streams/terminate-after-streams", test_terminate_after_streams);
  g_test_add_func ("/bosh/session-streams/saved", test_saved);
  g_test_add_func ("/bosh/session-streams/limit", test_limit);

  return g_test_run ();
}
