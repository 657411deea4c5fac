/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Transcripts of the session machine: what it is fed, and what it does. */

#include "config.h"

#include "bosh-test-session.h"

#include "bosh-limits-private.h"
#include "bosh-xml-private.h"

#include <string.h>

static void
test_creation_request (void)
{
  BoshSessionParameters parameters;
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  guint64 rid;

  g_test_summary ("R19-R23, R26-R28, R30, R43, R61, R62, R107: the creation request");

  test_session_default (&parameters);
  parameters.route = "xmpp:example.org:5222";
  parameters.from = "me@example.org";
  test_session_init (&t, &parameters);
  bosh_session_open (t.session, t.now);
  request = test_session_take (&t, &rid);

  test_session_attribute (request, "to", "example.org");
  test_session_attribute (request, "route", "xmpp:example.org:5222");
  test_session_attribute (request, "from", "me@example.org");
  test_session_attribute (request, "ver", "1.11");
  test_session_attribute (request, "wait", "60");
  test_session_attribute (request, "hold", "1");
  test_session_attribute (request, "ack", "1");
  test_session_attribute (request, "sid", NULL);
  test_session_attribute (request, "key", NULL);
  g_assert_cmpstr (bosh_element_get_attribute_ns (request, "lang", BOSH_NS_XML), ==, "en");
  g_assert_cmpstr (bosh_element_get_attribute_ns (request, "version", BOSH_NS_XBOSH), ==, "1.0");
  g_assert_cmpuint (bosh_element_get_n_children (request), ==, 0);
  g_assert_cmpuint (rid, >, 1000);
  g_assert_cmpuint (rid, <, BOSH_MAX_RID / 2 + 2);
  g_assert_cmpuint (rid, ==, bosh_session_get_last_rid (t.session));

  /* Nothing else is sent before the response. */
  test_session_queue (&t, "early");
  g_assert_false (test_session_has_request (&t));

  test_session_clear (&t);
}

static void
test_texts (void)
{
  g_autofree char *longest = g_strnfill (BOSH_SESSION_MAX_TEXT_LENGTH, '\'');
  g_autofree char *too_long = g_strnfill (BOSH_SESSION_MAX_TEXT_LENGTH + 1, 'x');
  const char *bad[] = { too_long, "a\x01", "a\xff", "a\xef\xbf\xbf" };
  BoshSessionParameters parameters;
  TestSession t;

  g_test_summary ("R22, R64: what XML can't have, or a saved session, is in no request: the session "
                  "ends before one is sent");

  for (guint i = 0; i < 5 * G_N_ELEMENTS (bad); i++)
    {
      const char **texts[] = { &parameters.domain, &parameters.route, &parameters.from,
                               &parameters.language, &parameters.content };

      test_session_default (&parameters);
      *texts[i % 5] = bad[i / 5];
      test_session_init (&t, &parameters);
      bosh_session_open (t.session, t.now);
      g_assert_false (test_session_has_request (&t));
      test_session_events (&t, "creating closed CLOSED");
      g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA);
      test_session_clear (&t);

      *texts[i % 5] = longest;
      test_session_init (&t, &parameters);
      bosh_session_open (t.session, t.now);
      g_assert_true (test_session_has_request (&t));
      test_session_clear (&t);
    }
}

static void
test_rid_is_unpredictable (void)
{
  g_autoptr(GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);

  g_test_summary ("R61, R102: first request ids differ from session to session");

  for (guint i = 0; i < 64; i++)
    {
      BoshSessionParameters parameters;
      TestSession t;
      guint64 rid;

      test_session_default (&parameters);
      parameters.entropy[0] = i;
      test_session_init (&t, &parameters);
      bosh_session_open (t.session, t.now);
      g_bytes_unref (test_session_take_bytes (&t, &rid));
      g_assert_true (g_hash_table_add (seen, g_memdup2 (&rid, sizeof rid)));
      test_session_clear (&t);
    }
}

static void
test_grants (void)
{
  TestSession t;

  g_test_summary ("R32, R33: the response to the creation grants at most what was asked for");

  test_session_init (&t, NULL);
  test_session_open (&t, "sid='abc' wait='3600' hold='3' requests='5' inactivity='30' polling='5' "
                         "maxpause='120' ver='1.6'");
  g_assert_cmpstr (bosh_session_get_id (t.session), ==, "abc");
  g_assert_cmpuint (bosh_session_get_wait (t.session), ==, 60);
  g_assert_cmpuint (bosh_session_get_hold (t.session), ==, 1);
  g_assert_cmpuint (bosh_session_get_requests (t.session), ==, 5);
  g_assert_cmpuint (bosh_session_get_inactivity (t.session), ==, 30);
  g_assert_cmpuint (bosh_session_get_polling (t.session), ==, 5);
  g_assert_cmpuint (bosh_session_get_max_pause (t.session), ==, 120);
  test_session_clear (&t);
}

static void
test_creation_fails (void)
{
  static const struct
  {
    guint       status;
    const char *response;
    int         code;
  } cases[] = {
    { 200, "<body xmlns='" BOSH_NS_HTTPBIND "'/>", BOSH_ERROR_NOT_BOSH },
    { 200, "<body xmlns='" BOSH_NS_HTTPBIND "' sid=''/>", BOSH_ERROR_NOT_BOSH },
    { 200, "", BOSH_ERROR_NOT_BOSH },
    { 200, "It works! This is no XML", BOSH_ERROR_NOT_BOSH },
    { 200, "<!DOCTYPE html><html><body>Sign in</body></html>", BOSH_ERROR_NOT_BOSH },
    { 200, "<html><body>Sign in</body></html>", BOSH_ERROR_NOT_BOSH },
    { 200, "<body sid='a'/>", BOSH_ERROR_NOT_BOSH },
    { 200, "<body xmlns='wrong' sid='a'/>", BOSH_ERROR_NOT_BOSH },
    { 200, "<b:other xmlns:b='" BOSH_NS_HTTPBIND "' sid='a'/>", BOSH_ERROR_NOT_BOSH },
    { 200, "<body xmlns='" BOSH_NS_HTTPBIND "' sid='a'>", BOSH_ERROR_BAD_XML },
    { 200, "<body xmlns='" BOSH_NS_HTTPBIND "' sid='a'><!-- c --></body>", BOSH_ERROR_BAD_XML },
    { 200, "<body xmlns='" BOSH_NS_HTTPBIND "' sid='a'><?pi?></body>", BOSH_ERROR_BAD_XML },
    { 200, "<body xmlns='" BOSH_NS_HTTPBIND "' sid='a'>&unknown;</body>", BOSH_ERROR_BAD_XML },
    { 200, "<body xmlns='" BOSH_NS_HTTPBIND "' type='terminate' condition='host-unknown'/>",
      BOSH_ERROR_HOST_UNKNOWN },
    { 404, "<html>Not found</html>", BOSH_ERROR_HTTP },
    { 302, "", BOSH_ERROR_HTTP },
    { 503, "", BOSH_ERROR_HTTP },
  };

  g_test_summary ("R09, R12-R15, R32, R86: a response that is no session ends the one attempt");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TestSession t;
      guint64 rid;

      test_session_init (&t, NULL);
      bosh_session_open (t.session, t.now);
      g_bytes_unref (test_session_take_bytes (&t, &rid));
      test_session_respond_http (&t, rid, cases[i].status, cases[i].response, -1);
      test_session_events (&t, "creating closed CLOSED");
      g_assert_error (t.error, BOSH_ERROR, cases[i].code);
      g_assert_false (test_session_has_request (&t));
      test_session_clear (&t);
    }
}

static void
test_creation_unanswered (void)
{
  TestSession t;

  g_test_summary ("A creation request without a response fails in bounded time");

  test_session_init (&t, NULL);
  bosh_session_open (t.session, t.now);
  g_bytes_unref (test_session_take_bytes (&t, NULL));
  test_session_advance (&t, 60 * TEST_SECOND);
  g_assert_null (t.error);
  test_session_advance (&t, 60 * TEST_SECOND);
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_TIMED_OUT);
  test_session_clear (&t);
}

static void
test_polls (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  guint64 rid;
  guint64 next;

  g_test_summary ("R18, R24, R31, R38, R46, R61: one empty request is held at a time");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  request = test_session_take (&t, &rid);
  test_session_attribute (request, "sid", "s1");
  test_session_attribute (request, "wait", NULL);
  test_session_attribute (request, "hold", NULL);
  test_session_attribute (request, "ver", NULL);
  test_session_attribute (request, "ack", NULL);
  g_assert_cmpuint (bosh_element_get_n_children (request), ==, 0);

  test_session_advance (&t, 59 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_respond (&t, rid, "", "");
  g_bytes_unref (test_session_take_bytes (&t, &next));
  g_assert_cmpuint (next, ==, rid + 1);
  g_assert_false (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_fast_empty_responses (void)
{
  TestSession t;
  guint64 rid;
  guint polls = 0;
  gint64 end;

  g_test_summary ("A server that returns polls at once is not flooded with them");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  end = t.now + 60 * TEST_SECOND;
  while (t.now < end)
    {
      if (test_session_has_request (&t))
        {
          g_bytes_unref (test_session_take_bytes (&t, &rid));
          t.now += 1000;
          test_session_respond (&t, rid, "", "");
          polls++;
        }
      test_session_advance (&t, TEST_SECOND / 100);
    }
  g_assert_cmpuint (polls, >, 5);
  g_assert_cmpuint (polls, <, 30);
  test_session_clear (&t);
}

static void
test_window (void)
{
  TestSession t;
  g_autoptr(BoshElement) first = NULL;
  g_autoptr(BoshElement) second = NULL;
  guint64 poll;
  guint64 rid;

  g_test_summary ("R38, R53: a stanza takes the free slot, the rest waits and shares a request");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);

  test_session_queue (&t, "one");
  test_session_queue (&t, "two");
  first = test_session_take (&t, &rid);
  g_assert_cmpuint (bosh_element_get_n_children (first), ==, 2);
  test_session_queue (&t, "three");
  test_session_queue (&t, "four");
  test_session_queue (&t, "five");
  test_session_advance (&t, TEST_SECOND / 10);
  g_assert_false (test_session_has_request (&t));
  g_assert_cmpuint (bosh_session_get_n_queued (t.session), ==, 3);

  test_session_respond (&t, poll, "", "");
  second = test_session_take (&t, NULL);
  g_assert_cmpuint (bosh_element_get_n_children (second), ==, 3);
  g_assert_cmpuint (bosh_session_get_n_in_flight_for_tests (t.session), ==, 2);
  test_session_clear (&t);
}

static void
test_payload_namespace (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  g_autoptr(BoshElement) plain = bosh_element_new ("message", NULL);
  BoshElement *message;

  g_test_summary ("R17, R104: a stanza is sent in jabber:client with its children");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  bosh_element_add_new_child (plain, "body", NULL);
  bosh_element_add_new_child (plain, "active", "http://jabber.org/protocol/chatstates");
  g_assert_true (bosh_session_queue (t.session, plain, NULL, NULL));
  g_assert_true (bosh_element_is_sealed (plain));
  request = test_session_take (&t, NULL);
  message = bosh_element_get_nth_child (request, 0);
  g_assert_cmpstr (bosh_element_get_namespace (message), ==, BOSH_NS_CLIENT);
  g_assert_nonnull (bosh_element_get_child (message, "body", BOSH_NS_CLIENT));
  g_assert_nonnull (bosh_element_get_child (message, "active", "http://jabber.org/protocol/chatstates"));
  test_session_clear (&t);
}

static void
test_request_size (void)
{
  TestSession t;
  g_autofree char *text = g_strnfill (20000, 'x');
  g_autofree char *huge = g_strnfill (70000, 'x');
  g_autoptr(BoshElement) stanza = bosh_element_new_message ("a@b", NULL, huge);
  g_autoptr(GError) error = NULL;
  guint64 rid;
  gsize total = 0;

  g_test_summary ("R11: what is queued is divided into requests of the size allowed, between stanzas");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_assert_false (bosh_session_queue (t.session, stanza, NULL, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);

  for (guint i = 0; i < 7; i++)
    test_session_queue (&t, text);
  while (total < 7)
    {
      g_autoptr(GBytes) bytes = test_session_take_bytes (&t, &rid);
      g_autoptr(BoshElement) request = NULL;

      g_assert_cmpuint (g_bytes_get_size (bytes), <=, 66 * 1024);
      request = bosh_xml_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                                NULL, NULL, NULL);
      total += bosh_element_get_n_children (request);
      t.now += TEST_SECOND;
      test_session_respond (&t, rid, "", "");
    }
  g_assert_cmpuint (total, ==, 7);
  test_session_clear (&t);
}

static void
test_order (void)
{
  TestSession t;
  guint64 first;
  guint64 second;

  g_test_summary ("R63: responses are handed out in the order of requests");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &first));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &second));

  test_session_respond (&t, second, "", "<message xmlns='jabber:client' id='2'/>");
  g_assert_cmpuint (t.payloads->len, ==, 0);
  test_session_respond (&t, first, "", "<message xmlns='jabber:client' id='1'/>");
  g_assert_cmpuint (t.payloads->len, ==, 2);
  test_session_attribute (g_ptr_array_index (t.payloads, 0), "id", "1");
  test_session_attribute (g_ptr_array_index (t.payloads, 1), "id", "2");
  test_session_clear (&t);
}

static void
test_reply_rides_along (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  BoshAction action = { 0 };
  g_autoptr(GBytes) response = NULL;
  BoshHttpResponse http = { 200, NULL, -1, NULL };
  guint64 rid;

  g_test_summary ("A reply of a handler goes with the next request, not behind a poll");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  response = g_bytes_new_static ("<body xmlns='" BOSH_NS_HTTPBIND "'><message xmlns='jabber:client'/></body>",
                               strlen ("<body xmlns='" BOSH_NS_HTTPBIND "'><message xmlns='jabber:client'/></body>"));
  http.body = response;
  bosh_session_handle_response (t.session, rid, &http, t.now);
  g_assert_true (bosh_session_next_action (t.session, &action, t.now));
  g_assert_cmpint (action.type, ==, BOSH_ACTION_PAYLOAD);
  bosh_element_unref (action.element);
  test_session_queue (&t, "reply");
  request = test_session_take (&t, NULL);
  g_assert_cmpuint (bosh_element_get_n_children (request), ==, 1);
  test_session_clear (&t);
}

static void
test_httpbind_payload (void)
{
  TestSession t;
  BoshElement *message;
  guint64 rid;

  g_test_summary ("R105: a stanza left in the namespace of the body is taken as jabber:client");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_respond (&t, rid, "", "<message id='1'><body>hi</body><x xmlns='y'/></message>");
  message = g_ptr_array_index (t.payloads, 0);
  g_assert_true (bosh_element_matches (message, "message", BOSH_NS_CLIENT));
  g_assert_true (bosh_element_is_sealed (message));
  g_assert_nonnull (bosh_element_get_child (message, "body", BOSH_NS_CLIENT));
  g_assert_nonnull (bosh_element_get_child (message, "x", "y"));
  test_session_clear (&t);
}

static void
test_polling_session (void)
{
  TestSession t;
  guint64 rid;
  gint64 last;

  g_test_summary ("R47, R57, R58: a polling session keeps the interval, and the inactivity limit");

  test_session_init (&t, NULL);
  test_session_open (&t, "sid='s1' wait='60' hold='1' requests='1' inactivity='30' polling='5'");
  last = t.now - 10000;
  for (guint i = 0; i < 10; i++)
    {
      if (i % 3 == 2)
        test_session_queue (&t, "data");
      while (!test_session_has_request (&t))
        {
          test_session_advance (&t, TEST_SECOND / 10);
          g_assert_cmpint (t.now - last, <, 30 * TEST_SECOND);
        }
      /* Stanzas need only the interval of ejabberd. */
      g_assert_cmpint (t.now - last, >=, (i % 3 == 2 ? 2 : 5) * TEST_SECOND - 10000);
      last = t.now;
      g_bytes_unref (test_session_take_bytes (&t, &rid));
      g_assert_false (test_session_has_request (&t));
      test_session_respond (&t, rid, "", "");
    }
  test_session_clear (&t);
}

static void
test_restart (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  BoshAction action = { 0 };
  guint64 rid;

  g_test_summary ("R108, R116-R121: nothing is sent between success and the restart");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, "auth");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  {
    g_autoptr(GBytes) bytes = g_bytes_new_static (
      "<body xmlns='" BOSH_NS_HTTPBIND "'><success xmlns='" BOSH_NS_SASL "'/></body>",
      strlen ("<body xmlns='" BOSH_NS_HTTPBIND "'><success xmlns='" BOSH_NS_SASL "'/></body>"));
    BoshHttpResponse http = { 200, bytes, -1, NULL };

    bosh_session_handle_response (t.session, rid, &http, t.now);
  }
  g_assert_true (bosh_session_next_action (t.session, &action, t.now));
  while (action.type != BOSH_ACTION_PAYLOAD)
    g_assert_true (bosh_session_next_action (t.session, &action, t.now));
  bosh_element_unref (action.element);
  g_assert_true (bosh_session_restart (t.session, "me@example.org", NULL));
  request = test_session_take (&t, &rid);
  g_assert_cmpstr (bosh_element_get_attribute_ns (request, "restart", BOSH_NS_XBOSH), ==, "true");
  test_session_attribute (request, "to", "example.org");
  test_session_attribute (request, "from", "me@example.org");
  g_assert_cmpstr (bosh_element_get_attribute_ns (request, "lang", BOSH_NS_XML), ==, "en");
  g_assert_cmpuint (bosh_element_get_n_children (request), ==, 0);
  test_session_respond (&t, rid, "", "<stream:features xmlns:stream='" BOSH_NS_STREAMS "'/>");
  test_session_events (&t, "RESTARTED");
  test_session_clear (&t);
}

static void
test_reply_expected (void)
{
  TestSession t;

  g_test_summary ("No poll is sent while a reply is expected, for a bounded time");

  test_session_init (&t, NULL);
  bosh_session_set_reply_expected (t.session, TRUE);
  test_session_open (&t, TEST_GRANTS);
  test_session_advance (&t, 5 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, 6 * TEST_SECOND);
  g_assert_true (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_queue_before_open (void)
{
  TestSession t;
  g_autoptr(BoshElement) stanza = bosh_element_new_message ("a@b", NULL, "x");
  g_autoptr(GError) error = NULL;

  test_session_init (&t, NULL);
  g_assert_false (bosh_session_queue (t.session, stanza, NULL, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  test_session_clear (&t);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/session/creation-request", test_creation_request);
  g_test_add_func ("/bosh/session/texts", test_texts);
  g_test_add_func ("/bosh/session/rid-is-unpredictable", test_rid_is_unpredictable);
  g_test_add_func ("/bosh/session/grants", test_grants);
  g_test_add_func ("/bosh/session/creation-fails", test_creation_fails);
  g_test_add_func ("/bosh/session/creation-unanswered", test_creation_unanswered);
  g_test_add_func ("/bosh/session/polls", test_polls);
  g_test_add_func ("/bosh/session/fast-empty-responses", test_fast_empty_responses);
  g_test_add_func ("/bosh/session/window", test_window);
  g_test_add_func ("/bosh/session/payload-namespace", test_payload_namespace);
  g_test_add_func ("/bosh/session/request-size", test_request_size);
  g_test_add_func ("/bosh/session/order", test_order);
  g_test_add_func ("/bosh/session/reply-rides-along", test_reply_rides_along);
  g_test_add_func ("/bosh/session/httpbind-payload", test_httpbind_payload);
  g_test_add_func ("/bosh/session/polling-session", test_polling_session);
  g_test_add_func ("/bosh/session/restart", test_restart);
  g_test_add_func ("/bosh/session/reply-expected", test_reply_expected);
  g_test_add_func ("/bosh/session/queue-before-open", test_queue_before_open);

  return g_test_run ();
}
