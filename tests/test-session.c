/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Transcripts of the session machine: what it is fed, and what it does. */

#include "config.h"

#include "bosh-test-session.h"

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

  /* Nothing else goes out before the answer. */
  test_session_queue (&t, "early");
  g_assert_false (test_session_has_request (&t));

  test_session_clear (&t);
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

  g_test_summary ("R32, R33: what the creation answer grants, at most what was asked for");

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
    const char *answer;
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

  g_test_summary ("R09, R12-R15, R32, R86: an answer that is no session ends the one attempt");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TestSession t;
      guint64 rid;

      test_session_init (&t, NULL);
      bosh_session_open (t.session, t.now);
      g_bytes_unref (test_session_take_bytes (&t, &rid));
      test_session_answer_http (&t, rid, cases[i].status, cases[i].answer, -1);
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

  g_test_summary ("A creation request without an answer fails in bounded time");

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
  test_session_answer (&t, rid, "", "");
  g_bytes_unref (test_session_take_bytes (&t, &next));
  g_assert_cmpuint (next, ==, rid + 1);
  g_assert_false (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_fast_empty_answers (void)
{
  TestSession t;
  guint64 rid;
  guint polls = 0;
  gint64 end;

  g_test_summary ("A server that answers polls at once is not flooded with them");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  end = t.now + 60 * TEST_SECOND;
  while (t.now < end)
    {
      if (test_session_has_request (&t))
        {
          g_bytes_unref (test_session_take_bytes (&t, &rid));
          t.now += 1000;
          test_session_answer (&t, rid, "", "");
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

  g_test_summary ("R38, R53: payload takes the free slot, the rest waits and goes out whole");

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

  test_session_answer (&t, poll, "", "");
  second = test_session_take (&t, NULL);
  g_assert_cmpuint (bosh_element_get_n_children (second), ==, 3);
  g_assert_cmpuint (bosh_session_get_n_in_flight (t.session), ==, 2);
  test_session_clear (&t);
}

static void
test_payload_namespace (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  g_autoptr(BoshElement) plain = bosh_element_new ("message", NULL);
  BoshElement *message;

  g_test_summary ("R17, R104: a stanza goes out in jabber:client with its children");

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

  g_test_summary ("What is queued is cut into requests of the size allowed, between stanzas");

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
      test_session_answer (&t, rid, "", "");
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

  g_test_summary ("R63: answers are handed out in the order of requests");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &first));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &second));

  test_session_answer (&t, second, "", "<message xmlns='jabber:client' id='2'/>");
  g_assert_cmpuint (t.payloads->len, ==, 0);
  test_session_answer (&t, first, "", "<message xmlns='jabber:client' id='1'/>");
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
  g_autoptr(GBytes) answer = NULL;
  BoshHttpAnswer http = { 200, NULL, -1, NULL };
  guint64 rid;

  g_test_summary ("A reply of a handler rides in the next request, not behind a poll");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  answer = g_bytes_new_static ("<body xmlns='" BOSH_NS_HTTPBIND "'><message xmlns='jabber:client'/></body>",
                               strlen ("<body xmlns='" BOSH_NS_HTTPBIND "'><message xmlns='jabber:client'/></body>"));
  http.body = answer;
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
test_repeat_is_exact (void)
{
  BoshSessionParameters parameters;
  TestSession t;
  g_autoptr(GBytes) sent = NULL;
  g_autoptr(GBytes) repeated = NULL;
  guint64 rid;
  guint64 again;

  g_test_summary ("R64, R95: a broken request is repeated at once, byte by byte, key and all");

  test_session_default (&parameters);
  parameters.use_key_sequence = TRUE;
  parameters.key_sequence_length = 50;
  test_session_init (&t, &parameters);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, "precious");
  sent = test_session_take_bytes (&t, &rid);
  test_session_fail (&t, rid, BOSH_FAILURE_BROKEN);
  repeated = test_session_take_bytes (&t, &again);
  g_assert_cmpuint (again, ==, rid);
  g_assert_true (g_bytes_equal (sent, repeated));
  g_assert_cmpuint (t.delivered, ==, 0);

  test_session_answer (&t, rid, "", "");
  g_assert_cmpuint (t.delivered, ==, 1);
  /* A second answer to the same number is nobody's. */
  test_session_answer (&t, rid, "", "<message xmlns='jabber:client'/>");
  g_assert_cmpuint (t.payloads->len, ==, 0);
  test_session_clear (&t);
}

static void
test_backoff (void)
{
  TestSession t;
  guint64 rid;
  guint attempts = 0;
  gint64 start;

  g_test_summary ("R65: repeats slow down, are announced, and end when the session must be gone");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_queue (&t, "sent");
  test_session_advance (&t, TEST_SECOND);
  start = t.now;
  test_session_fail (&t, rid, BOSH_FAILURE_BROKEN);
  while (t.error == NULL)
    {
      while (test_session_has_request (&t))
        {
          guint64 failing;

          g_bytes_unref (test_session_take_bytes (&t, &failing));
          attempts++;
          test_session_fail (&t, failing, BOSH_FAILURE_UNREACHABLE);
        }
      test_session_advance (&t, TEST_SECOND);
      g_assert_cmpint (t.now - start, <, 600 * TEST_SECOND);
    }
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
  g_assert_nonnull (strstr (t.events->str, "retrying"));
  /* wait + inactivity = 90 s. */
  g_assert_cmpint (t.now - start, >, 90 * TEST_SECOND);
  g_assert_cmpint (t.now - start, <, 140 * TEST_SECOND);
  g_assert_cmpuint (attempts, <, 40);
  test_session_clear (&t);
}

static void
test_recovers (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("RETRYING ends with the first good answer");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_fail (&t, rid, BOSH_FAILURE_BROKEN);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_events (&t, "");
  test_session_fail (&t, rid, BOSH_FAILURE_UNREACHABLE);
  test_session_events (&t, "retrying");
  g_assert_false (test_session_has_request (&t));
  bosh_session_handle_network (t.session, t.now);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_answer (&t, rid, "", "");
  test_session_events (&t, "open");
  test_session_clear (&t);
}

static void
test_untrusted (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R100: when the server can't be trusted any more, nothing more is sent");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_fail (&t, rid, BOSH_FAILURE_UNTRUSTED);
  test_session_events (&t, "closed CLOSED");
  test_session_advance (&t, 100 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_intermediaries (void)
{
  static const struct
  {
    guint       status;
    const char *text;
  } cases[] = {
    { 502, "<html>Bad gateway</html>" },
    { 503, "" },
    { 504, "" },
    { 408, "" },
    { 429, "" },
    { 500, "" },
    { 302, "" },
    { 200, "<html>Sign in to this network</html>" },
    { 200, "" },
    { 200, "<body xmlns='" BOSH_NS_HTTPBIND "'><mess" },
  };

  g_test_summary ("R87: what an intermediary answers is repeated, and loses nothing");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TestSession t;
      guint64 rid;
      guint64 again;

      test_session_init (&t, NULL);
      test_session_open_quietly (&t, TEST_GRANTS);
      test_session_queue (&t, "precious");
      g_bytes_unref (test_session_take_bytes (&t, &rid));
      test_session_answer_http (&t, rid, cases[i].status, cases[i].text, -1);
      g_assert_null (t.error);
      g_bytes_unref (test_session_take_bytes (&t, &again));
      g_assert_cmpuint (again, ==, rid);
      test_session_answer (&t, rid, "", "");
      g_assert_cmpuint (t.delivered, ==, 1);
      test_session_clear (&t);
    }
}

static void
test_retry_after (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("Retry-After is kept");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_answer_http (&t, rid, 503, "", 7);
  test_session_advance (&t, 6900 * 1000);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, 200 * 1000);
  g_assert_true (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_http_errors_that_end (void)
{
  static const struct
  {
    const char *grants;
    guint       status;
    guint       answers;
    int         code;
  } cases[] = {
    { TEST_GRANTS, 404, 1, BOSH_ERROR_ITEM_NOT_FOUND },
    { TEST_GRANTS, 400, 5, BOSH_ERROR_BAD_REQUEST },
    { TEST_GRANTS, 403, 5, BOSH_ERROR_POLICY_VIOLATION },
    { "sid='s1' requests='2' wait='60'", 400, 1, BOSH_ERROR_BAD_REQUEST },
    { "sid='s1' requests='2' wait='60'", 403, 1, BOSH_ERROR_POLICY_VIOLATION },
    { "sid='s1' requests='2' wait='60'", 404, 1, BOSH_ERROR_ITEM_NOT_FOUND },
  };

  g_test_summary ("R86, R87, R89: HTTP codes of old connection managers end the session, once");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TestSession t;
      guint64 rid;

      test_session_init (&t, NULL);
      test_session_open (&t, cases[i].grants);
      for (guint j = 0; j < cases[i].answers; j++)
        {
          g_assert_null (t.error);
          test_session_advance (&t, 8 * TEST_SECOND);
          g_bytes_unref (test_session_take_bytes (&t, &rid));
          test_session_answer_http (&t, rid, cases[i].status, "", -1);
        }
      g_assert_error (t.error, BOSH_ERROR, cases[i].code);
      test_session_advance (&t, 100 * TEST_SECOND);
      g_assert_false (test_session_has_request (&t));
      test_session_clear (&t);
    }
}

static void
test_bad_xml_ends (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R12-R15: a server that keeps sending what is forbidden is given up");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  for (guint i = 0; i < 5; i++)
    {
      g_assert_null (t.error);
      test_session_advance (&t, 8 * TEST_SECOND);
      g_bytes_unref (test_session_take_bytes (&t, &rid));
      test_session_answer (&t, rid, "", "<message xmlns='jabber:client'/><!-- no -->");
    }
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_BAD_XML);
  g_assert_cmpuint (t.payloads->len, ==, 0);
  test_session_clear (&t);
}

static void
test_terminal_conditions (void)
{
  static const struct
  {
    const char *attributes;
    const char *content;
    int         code;
  } cases[] = {
    { "condition='bad-request'", "", BOSH_ERROR_BAD_REQUEST },
    { "condition='host-gone'", "", BOSH_ERROR_HOST_GONE },
    { "condition='host-unknown'", "", BOSH_ERROR_HOST_UNKNOWN },
    { "condition='improper-addressing'", "", BOSH_ERROR_IMPROPER_ADDRESSING },
    { "condition='internal-server-error'", "", BOSH_ERROR_INTERNAL_SERVER_ERROR },
    { "condition='item-not-found'", "", BOSH_ERROR_ITEM_NOT_FOUND },
    { "condition='other-request'", "", BOSH_ERROR_OTHER_REQUEST },
    { "condition='policy-violation'", "", BOSH_ERROR_POLICY_VIOLATION },
    { "condition='remote-connection-failed'", "", BOSH_ERROR_REMOTE_CONNECTION_FAILED },
    { "condition='remote-stream-error'",
      "<stream:error xmlns:stream='" BOSH_NS_STREAMS "'><conflict xmlns='" BOSH_NS_STREAM_ERRORS "'/>"
      "</stream:error>",
      BOSH_ERROR_REMOTE_STREAM_ERROR },
    { "condition='see-other-uri'", "<uri>https://other.example/bosh</uri>", BOSH_ERROR_SEE_OTHER_URI },
    { "condition='system-shutdown'", "", BOSH_ERROR_SYSTEM_SHUTDOWN },
    { "condition='undefined-condition'", "", BOSH_ERROR_UNDEFINED_CONDITION },
    { "condition='made-up'", "", BOSH_ERROR_UNKNOWN_CONDITION },
    { "", "", BOSH_ERROR_TERMINATED },
  };

  g_test_summary ("R88, R91, R92, R123: every terminal condition, with what came with it");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *attributes = g_strdup_printf ("type='terminate' %s", cases[i].attributes);
      g_autofree char *content = g_strdup_printf ("<message xmlns='jabber:client'/>%s", cases[i].content);
      TestSession t;
      guint64 rid;

      test_session_init (&t, NULL);
      test_session_open (&t, TEST_GRANTS);
      g_bytes_unref (test_session_take_bytes (&t, &rid));
      test_session_answer (&t, rid, attributes, content);
      g_assert_error (t.error, BOSH_ERROR, cases[i].code);
      g_assert_cmpuint (t.payloads->len, >=, 1);
      if (cases[i].code == BOSH_ERROR_REMOTE_STREAM_ERROR)
        g_assert_nonnull (strstr (t.error->message, "conflict"));
      test_session_advance (&t, 100 * TEST_SECOND);
      g_assert_false (test_session_has_request (&t));
      test_session_clear (&t);
    }
}

static void
test_recoverable_error (void)
{
  TestSession t;
  g_autoptr(GBytes) poll = NULL;
  g_autoptr(GBytes) data = NULL;
  g_autoptr(GBytes) poll_again = NULL;
  g_autoptr(GBytes) data_again = NULL;
  guint64 first;
  guint64 second;
  guint64 rid;

  g_test_summary ("R94, R95: a recoverable error repeats that request and those before it");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  poll = test_session_take_bytes (&t, &first);
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  data = test_session_take_bytes (&t, &second);
  test_session_answer (&t, second, "type='error'", "");
  poll_again = test_session_take_bytes (&t, &rid);
  g_assert_cmpuint (rid, ==, first);
  test_session_advance (&t, TEST_SECOND);
  data_again = test_session_take_bytes (&t, &rid);
  g_assert_cmpuint (rid, ==, second);
  g_assert_true (g_bytes_equal (poll, poll_again));
  g_assert_true (g_bytes_equal (data, data_again));
  g_assert_null (t.error);
  test_session_clear (&t);
}

static void
test_acknowledgements (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  guint64 poll;
  guint64 data;
  g_autofree char *expected = NULL;
  g_autofree char *ack = NULL;

  g_test_summary ("R40, R42, R44: acknowledgements both ways");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS " ack='1'");
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  request = test_session_take (&t, &data);
  expected = g_strdup_printf ("%" G_GUINT64_FORMAT, poll - 1);
  test_session_attribute (request, "ack", expected);

  /* The server has the second, though it answers the first. */
  ack = g_strdup_printf ("ack='%" G_GUINT64_FORMAT "'", data);
  test_session_answer (&t, poll, ack, "<message xmlns='jabber:client'/>");
  g_assert_cmpuint (t.delivered, ==, 1);
  test_session_clear (&t);
}

static void
test_odd_acknowledgements (void)
{
  static const char *acks[] = {
    "ack='0'",
    "ack='9007199254740991'",
    "ack='99999999999999999999'",
    "ack='-1'",
    "ack='x'",
    "",
  };

  g_test_summary ("R40: acknowledgements that make no sense do no harm");

  for (gsize i = 0; i < G_N_ELEMENTS (acks); i++)
    {
      TestSession t;
      guint64 poll;
      guint64 data;

      test_session_init (&t, NULL);
      test_session_open (&t, TEST_GRANTS " ack='77'");
      g_bytes_unref (test_session_take_bytes (&t, &poll));
      test_session_advance (&t, TEST_SECOND);
      test_session_queue (&t, "hello");
      g_bytes_unref (test_session_take_bytes (&t, &data));
      test_session_answer (&t, poll, acks[i], "");
      test_session_answer (&t, data, acks[i], "");
      g_assert_cmpuint (t.delivered, ==, 1);
      g_assert_null (t.error);
      g_assert_true (test_session_has_request (&t));
      test_session_clear (&t);
    }
}

static void
test_release_confirms (void)
{
  TestSession t;
  guint64 poll;
  guint64 data;

  g_test_summary ("A held request that is let go early tells that the next one has arrived");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  t.now += 20000;
  test_session_answer (&t, poll, "", "");
  g_assert_cmpuint (t.delivered, ==, 1);
  test_session_clear (&t);

  /* Not if it may have come back because its time was over. */
  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, 60 * TEST_SECOND - 50000);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  t.now += 20000;
  test_session_answer (&t, poll, "", "");
  g_assert_cmpuint (t.delivered, ==, 0);
  test_session_clear (&t);
}

static void
test_hastened (void)
{
  TestSession t;
  guint64 poll;
  guint64 data;
  guint64 probe;

  g_test_summary ("R55: who waits for delivery gets an answer after the polling interval");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  bosh_session_hasten (t.session);
  g_bytes_unref (test_session_take_bytes (&t, &data));
  /* A stanza happens to arrive, which tells nothing of the request. */
  test_session_answer (&t, poll, "", "<message xmlns='jabber:client'/>");
  g_assert_cmpuint (t.delivered, ==, 0);
  test_session_advance (&t, 4 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, 2 * TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &probe));
  test_session_answer (&t, data, "", "");
  g_assert_cmpuint (t.delivered, ==, 1);
  test_session_clear (&t);
}

static void
test_no_overtaking (void)
{
  TestSession t;
  g_autoptr(GBytes) bytes = NULL;
  BoshAction action = { 0 };
  guint64 poll;

  g_test_summary ("A request leaves when the one before it can't be overtaken any more");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, "one");
  /* Not written yet: the next one waits, however long it takes. */
  test_session_drain (&t);
  test_session_queue (&t, "two");
  test_session_advance (&t, 2 * TEST_SECOND);
  g_assert_cmpuint (t.sends.length, ==, 1);
  /* Written: it waits for a moment, and then goes. */
  bytes = test_session_take_bytes (&t, &poll);
  g_assert_false (bosh_session_next_action (t.session, &action, t.now));
  test_session_advance (&t, TEST_SECOND / 10);
  g_assert_cmpuint (t.sends.length, ==, 1);
  test_session_clear (&t);
}

static void
test_hang_is_healed (void)
{
  TestSession t;
  guint64 poll;
  guint64 data;
  guint64 rid;

  g_test_summary ("A server that lets go of no request, though one too many is out, gets the oldest again");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  test_session_advance (&t, TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll);
  g_assert_cmpuint (*(guint64 *)g_queue_peek_head (&t.abandoned), ==, poll);
  test_session_clear (&t);
}

static void
test_silence_is_suspicious (void)
{
  TestSession t;
  guint64 poll;
  guint64 data;
  guint64 rid;

  g_test_summary ("R41: when a later request was answered, the silent one is checked early");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  test_session_answer (&t, data, "", "");
  test_session_advance (&t, TEST_SECOND + TEST_SECOND / 2);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll);
  test_session_clear (&t);
}

static void
test_timeout (void)
{
  TestSession t;
  guint64 poll;
  guint64 rid;

  g_test_summary ("A request without an answer is repeated after the granted wait and a grace");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, 69 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, 3 * TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll);
  test_session_clear (&t);
}

static void
test_report (void)
{
  TestSession t;
  g_autofree char *report = NULL;
  guint64 poll;
  guint64 data;
  guint64 rid;

  g_test_summary ("R45: a report repeats the request that it names, and only if it is unanswered");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  t.now += 30000;
  report = g_strdup_printf ("report='%" G_GUINT64_FORMAT "' time='100'", poll - 1);
  test_session_answer (&t, poll, report, "");
  g_assert_false (test_session_has_request (&t));

  test_session_queue (&t, "more");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_advance (&t, TEST_SECOND);
  g_free (report);
  report = g_strdup_printf ("report='%" G_GUINT64_FORMAT "' time='1000'", rid);
  test_session_answer (&t, data, report, "");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  g_assert_cmpuint (data, ==, rid);
  test_session_clear (&t);
}

static void
test_echo (void)
{
  TestSession t;
  g_autofree char *echo = NULL;
  guint64 rid;

  g_test_summary ("Our own stanza, echoed by ejabberd after a repeat, is not handed out");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, "mine");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_fail (&t, rid, BOSH_FAILURE_BROKEN);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  echo = g_strdup_printf ("rid='%" G_GUINT64_FORMAT "' sid='s1'", rid);
  test_session_answer (&t, rid, echo,
                       "<message xmlns='jabber:client' to='to@example.org'><body>mine</body></message>"
                       "<message xmlns='jabber:client' id='other'/>");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  test_session_attribute (g_ptr_array_index (t.payloads, 0), "id", "other");
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
  test_session_answer (&t, rid, "", "<message id='1'><body>hi</body><x xmlns='y'/></message>");
  message = g_ptr_array_index (t.payloads, 0);
  g_assert_true (bosh_element_is (message, "message", BOSH_NS_CLIENT));
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
      g_assert_cmpint (t.now - last, >=, 5 * TEST_SECOND - 10000);
      last = t.now;
      g_bytes_unref (test_session_take_bytes (&t, &rid));
      g_assert_false (test_session_has_request (&t));
      test_session_answer (&t, rid, "", "");
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

  g_test_summary ("R108, R116-R121: nothing goes out between success and the restart");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, "auth");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  {
    g_autoptr(GBytes) bytes = g_bytes_new_static (
      "<body xmlns='" BOSH_NS_HTTPBIND "'><success xmlns='" BOSH_NS_SASL "'/></body>",
      strlen ("<body xmlns='" BOSH_NS_HTTPBIND "'><success xmlns='" BOSH_NS_SASL "'/></body>"));
    BoshHttpAnswer answer = { 200, bytes, -1, NULL };

    bosh_session_handle_response (t.session, rid, &answer, t.now);
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
  test_session_answer (&t, rid, "", "<stream:features xmlns:stream='" BOSH_NS_STREAMS "'/>");
  test_session_events (&t, "RESTARTED");
  test_session_clear (&t);
}

static void
test_reply_expected (void)
{
  TestSession t;

  g_test_summary ("No poll goes out while a reply is expected, for a bounded time");

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
test_pause (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  g_autoptr(GError) error = NULL;
  guint64 poll;
  guint64 pause;
  guint64 next;

  g_test_summary ("R49, R51, R52, R54: a pause, and the next request that ends it");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS " maxpause='120'");
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  g_assert_true (bosh_session_pause (t.session, 500, &error));
  request = test_session_take (&t, &pause);
  test_session_attribute (request, "pause", "120");
  test_session_answer (&t, poll, "", "<message xmlns='jabber:client'/>");
  test_session_events (&t, "");
  test_session_answer (&t, pause, "", "");
  test_session_events (&t, "paused PAUSED");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  test_session_advance (&t, 100 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));

  test_session_queue (&t, "back");
  g_bytes_unref (test_session_take_bytes (&t, &next));
  g_assert_cmpuint (next, ==, pause + 1);
  test_session_events (&t, "open");
  test_session_clear (&t);
}

static void
test_pause_unanswered (void)
{
  TestSession t;
  guint64 poll;
  guint64 pause;
  guint64 next;

  g_test_summary ("R50-R52: a pause that the server never answers, as ejabberd does, and its end");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS " maxpause='120'");
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  g_assert_true (bosh_session_pause (t.session, 60, NULL));
  g_bytes_unref (test_session_take_bytes (&t, &pause));
  t.now += 30000;
  test_session_answer (&t, poll, "", "");
  test_session_events (&t, "paused PAUSED");
  test_session_advance (&t, 54 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, 2 * TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &next));
  g_assert_cmpuint (next, ==, pause + 1);
  test_session_clear (&t);
}

static void
test_pause_not_offered (void)
{
  TestSession t;
  g_autoptr(GError) error = NULL;

  g_test_summary ("R49: without maxpause no pause is sent");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_assert_false (bosh_session_pause (t.session, 60, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_SUPPORTED);
  test_session_clear (&t);
}

static void
test_terminate (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  g_autoptr(BoshElement) presence = bosh_element_new_presence (NULL, "unavailable");
  g_autoptr(GError) error = NULL;
  guint64 poll;
  guint64 data;
  guint64 last;

  g_test_summary ("R54, R59, R60: the end takes the queue along, and other answers are honoured");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "one");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  test_session_queue (&t, "two");
  g_assert_true (bosh_session_terminate (t.session, presence, NULL));
  g_assert_false (bosh_session_queue (t.session, presence, NULL, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  test_session_advance (&t, TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &last));
  g_assert_cmpuint (last, ==, poll);
  request = test_session_take (&t, &last);
  test_session_attribute (request, "type", "terminate");
  g_assert_cmpuint (bosh_element_get_n_children (request), ==, 2);
  test_session_answer (&t, last, "type='terminate'", "<message xmlns='jabber:client' id='3'/>");
  test_session_answer (&t, poll, "", "<message xmlns='jabber:client' id='1'/>");
  test_session_answer (&t, data, "", "<message xmlns='jabber:client' id='2'/>");
  test_session_events (&t, "terminating closed CLOSED");
  g_assert_null (t.error);
  g_assert_cmpuint (t.payloads->len, ==, 3);
  g_assert_cmpuint (t.delivered, ==, 3);
  test_session_clear (&t);
}

static void
test_terminate_other_request (void)
{
  TestSession t;
  guint64 poll;
  guint64 last;

  g_test_summary ("R60: the held request that ejabberd ends with other-request is no failure");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "bye");
  g_assert_true (bosh_session_terminate (t.session, NULL, NULL));
  g_bytes_unref (test_session_take_bytes (&t, &last));
  test_session_answer (&t, poll, "type='terminate' condition='other-request'", "");
  test_session_answer (&t, last, "type='terminate'", "");
  test_session_events (&t, "terminating closed CLOSED");
  g_assert_no_error (t.error);
  g_assert_cmpuint (t.delivered, ==, 1);
  test_session_clear (&t);
}

static void
test_terminate_unanswered (void)
{
  TestSession t;
  g_autoptr(GPtrArray) undelivered = NULL;
  guint64 rid;

  g_test_summary ("R60: a server that does not confirm the end is not waited for without bound");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, "fate unknown");
  g_assert_true (bosh_session_terminate (t.session, NULL, NULL));
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_advance (&t, 60 * TEST_SECOND);
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_TIMED_OUT);
  undelivered = bosh_session_dup_undelivered (t.session);
  g_assert_cmpuint (undelivered->len, ==, 1);
  test_session_clear (&t);
}

static void
test_terminated_out_of_order (void)
{
  TestSession t;
  guint64 poll;
  guint64 data;

  g_test_summary ("R85: a terminate in answer to a later request waits a moment for earlier ones");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  test_session_answer (&t, data, "type='terminate' condition='item-not-found'", "");
  g_assert_null (t.error);
  test_session_advance (&t, TEST_SECOND);
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  test_session_clear (&t);
}

static void
test_undelivered (void)
{
  TestSession t;
  g_autoptr(GPtrArray) undelivered = NULL;
  g_autoptr(GPtrArray) unsent = NULL;
  guint64 rid;

  g_test_summary ("R39: after a loss it is known what may have arrived, and what can't have");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, "arrived");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_answer (&t, rid, "", "");
  test_session_queue (&t, "who knows");
  test_session_advance (&t, TEST_SECOND / 10);
  test_session_drain (&t);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  while (test_session_has_request (&t))
    g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_queue (&t, "here");
  test_session_queue (&t, "too");
  test_session_answer (&t, rid, "type='terminate' condition='system-shutdown'", "");
  test_session_advance (&t, TEST_SECOND);
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_SYSTEM_SHUTDOWN);
  undelivered = bosh_session_dup_undelivered (t.session);
  unsent = bosh_session_dup_unsent (t.session);
  g_assert_cmpuint (undelivered->len, ==, 1);
  g_assert_cmpuint (unsent->len, ==, 2);
  test_session_clear (&t);
}

static void
test_unreachable_is_unsent (void)
{
  TestSession t;
  g_autoptr(GPtrArray) undelivered = NULL;
  g_autoptr(GPtrArray) unsent = NULL;
  BoshAction action = { 0 };
  guint64 rid;

  g_test_summary ("A stanza whose request never found a connection certainly did not arrive");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, "stays");
  g_assert_true (bosh_session_next_action (t.session, &action, t.now));
  g_assert_cmpint (action.type, ==, BOSH_ACTION_SEND);
  rid = action.rid;
  g_bytes_unref (action.bytes);
  test_session_fail (&t, rid, BOSH_FAILURE_UNREACHABLE);
  bosh_session_abort (t.session, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED, "given up"));
  test_session_drain (&t);
  undelivered = bosh_session_dup_undelivered (t.session);
  unsent = bosh_session_dup_unsent (t.session);
  g_assert_cmpuint (undelivered->len, ==, 0);
  g_assert_cmpuint (unsent->len, ==, 1);
  test_session_clear (&t);
}

static void
test_detach (void)
{
  TestSession t;
  g_autoptr(BoshElement) stanza = bosh_element_new_message ("a@b", NULL, "x");
  g_autoptr(GError) error = NULL;
  guint64 rid;

  g_test_summary ("detach: all stops, and the next number is given");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (bosh_session_detach (t.session), ==, rid + 1);
  test_session_events (&t, "detached");
  g_assert_cmpuint (t.abandoned.length, ==, 1);
  test_session_advance (&t, 100 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  g_assert_false (bosh_session_queue (t.session, stanza, NULL, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_DETACHED);
  test_session_clear (&t);
}

static void
test_hand_over (void)
{
  TestSession t;
  TestSession u;
  BoshSessionParameters parameters;
  g_autoptr(BoshSavedSession) saved = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GBytes) again = NULL;
  guint64 poll;
  guint64 data;
  guint64 rid;

  g_test_summary ("A hand-over waits for payload to arrive, and goes on with the held request");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "last words");
  g_assert_true (bosh_session_hand_over (t.session, NULL));
  bytes = test_session_take_bytes (&t, &data);
  test_session_events (&t, "");
  t.now += 30000;
  test_session_answer (&t, poll, "", "");
  test_session_events (&t, "detached HANDED-OVER");
  g_assert_cmpuint (t.delivered, ==, 1);

  saved = bosh_session_save (t.session);
  g_assert_cmpuint (bosh_saved_session_get_first_rid (saved), ==, data);
  g_assert_cmpuint (saved->next_rid, ==, data + 1);
  g_assert_cmpuint (saved->unsent->len, ==, 0);

  test_session_default (&parameters);
  test_session_init (&u, NULL);
  bosh_session_free (u.session);
  u.session = bosh_session_new_from_saved (saved, &parameters);
  bosh_session_open (u.session, u.now);
  again = test_session_take_bytes (&u, &rid);
  g_assert_cmpuint (rid, ==, data);
  g_assert_true (g_bytes_equal (bytes, again));
  test_session_events (&u, "attaching");
  test_session_advance (&u, TEST_SECOND + 1000);
  test_session_events (&u, "open OPENED");
  test_session_answer (&u, rid, "", "<message xmlns='jabber:client' id='kept'/>");
  g_assert_cmpuint (u.payloads->len, ==, 1);
  g_bytes_unref (test_session_take_bytes (&u, &rid));
  g_assert_cmpuint (rid, ==, data + 1);

  test_session_clear (&t);
  test_session_clear (&u);
}

static void
test_hand_over_unreachable (void)
{
  TestSession t;
  g_autoptr(BoshSavedSession) saved = NULL;
  guint64 rid;

  g_test_summary ("A hand-over without a server takes the unanswered requests along");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, "one");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_fail (&t, rid, BOSH_FAILURE_BROKEN);
  g_assert_true (bosh_session_hand_over (t.session, NULL));
  for (guint i = 0; i < 20; i++)
    {
      while (test_session_has_request (&t))
        {
          g_bytes_unref (test_session_take_bytes (&t, &rid));
          test_session_fail (&t, rid, BOSH_FAILURE_UNREACHABLE);
        }
      test_session_advance (&t, TEST_SECOND);
    }
  g_assert_nonnull (strstr (t.events->str, "HANDED-OVER"));
  saved = bosh_session_save (t.session);
  g_assert_cmpuint (saved->unanswered->len, ==, 1);
  g_assert_true (g_array_index (saved->unanswered, BoshUnansweredRequest, 0).has_payload);
  test_session_clear (&t);
}

static void
test_attach_stale (void)
{
  TestSession t;
  TestSession u;
  BoshSessionParameters parameters;
  g_autoptr(BoshSavedSession) saved = NULL;
  guint64 rid;

  g_test_summary ("R66: a session that the server does not know fails once, without a storm");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  saved = bosh_session_save (t.session);
  test_session_default (&parameters);
  test_session_init (&u, NULL);
  bosh_session_free (u.session);
  u.session = bosh_session_new_from_saved (saved, &parameters);
  bosh_session_open (u.session, u.now);
  g_bytes_unref (test_session_take_bytes (&u, &rid));
  test_session_answer (&u, rid, "type='terminate' condition='item-not-found'", "");
  g_assert_error (u.error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  test_session_advance (&u, 100 * TEST_SECOND);
  g_assert_false (test_session_has_request (&u));
  test_session_clear (&t);
  test_session_clear (&u);
}

static void
check_key (const char *key,
           const char *expected)
{
  g_autofree char *hashed = g_compute_checksum_for_string (G_CHECKSUM_SHA1, key, -1);

  g_assert_cmpstr (hashed, ==, expected);
}

static void
test_keys (void)
{
  BoshSessionParameters parameters;
  TestSession t;
  g_autofree char *expected = NULL;
  guint64 rid;
  guint switches = 0;

  g_test_summary ("R68, R70, R71, R73: each key is what the last hashes from, over several switches");

  test_session_default (&parameters);
  parameters.use_key_sequence = TRUE;
  parameters.key_sequence_length = 5;
  test_session_init (&t, &parameters);
  bosh_session_open (t.session, t.now);

  for (guint i = 0; i < 40; i++)
    {
      g_autoptr(BoshElement) request = test_session_take (&t, &rid);
      const char *key = bosh_element_get_attribute (request, "key");
      const char *new_key = bosh_element_get_attribute (request, "newkey");

      if (i == 0)
        g_assert_null (key);
      else
        check_key (key, expected);
      if (i > 0 && new_key != NULL)
        switches++;
      g_free (expected);
      expected = g_strdup (new_key != NULL ? new_key : key);
      g_assert_cmpuint (strlen (expected), ==, 40);
      t.now += TEST_SECOND;
      test_session_answer (&t, rid, i == 0 ? TEST_GRANTS : "", "<message xmlns='jabber:client'/>");
    }
  g_assert_cmpuint (switches, >=, 7);
  test_session_clear (&t);
}

static void
test_keys_carried_over (void)
{
  BoshSessionParameters parameters;
  TestSession t;
  TestSession u;
  g_autoptr(BoshSavedSession) saved = NULL;
  g_autofree char *expected = NULL;
  guint64 rid;

  g_test_summary ("R71: the key sequence goes on after a hand-over");

  test_session_default (&parameters);
  parameters.use_key_sequence = TRUE;
  parameters.key_sequence_length = 200;
  test_session_init (&t, &parameters);
  test_session_open (&t, TEST_GRANTS);
  {
    g_autoptr(BoshElement) request = test_session_take (&t, &rid);

    expected = g_strdup (bosh_element_get_attribute (request, "key"));
  }
  test_session_answer (&t, rid, "", "<message xmlns='jabber:client'/>");
  {
    g_autoptr(BoshElement) request = test_session_take (&t, &rid);

    check_key (bosh_element_get_attribute (request, "key"), expected);
    g_free (expected);
    expected = g_strdup (bosh_element_get_attribute (request, "key"));
  }
  g_assert_true (bosh_session_hand_over (t.session, NULL));
  test_session_events (&t, "");
  test_session_advance (&t, TEST_SECOND / 2);
  test_session_events (&t, "detached HANDED-OVER");
  saved = bosh_session_save (t.session);

  parameters.entropy[3] = 99;
  test_session_init (&u, NULL);
  bosh_session_free (u.session);
  u.session = bosh_session_new_from_saved (saved, &parameters);
  bosh_session_open (u.session, u.now);
  g_bytes_unref (test_session_take_bytes (&u, &rid));
  test_session_answer (&u, rid, "", "<message xmlns='jabber:client'/>");
  {
    g_autoptr(BoshElement) request = test_session_take (&u, &rid);

    check_key (bosh_element_get_attribute (request, "key"), expected);
  }
  test_session_clear (&t);
  test_session_clear (&u);
}

static void
test_rid_limit (void)
{
  TestSession t;
  BoshSessionParameters parameters;
  BoshSavedSession *saved = bosh_saved_session_new ();
  guint64 rid;

  g_test_summary ("R62: the highest request id is never passed");

  saved->domain = g_strdup ("example.org");
  saved->session_id = g_strdup ("s1");
  saved->wait = 60;
  saved->hold = 1;
  saved->requests = 2;
  saved->next_rid = BOSH_MAX_RID;
  test_session_default (&parameters);
  test_session_init (&t, NULL);
  bosh_session_free (t.session);
  t.session = bosh_session_new_from_saved (saved, &parameters);
  bosh_session_open (t.session, t.now);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, BOSH_MAX_RID);
  test_session_answer (&t, rid, "", "<message xmlns='jabber:client'/>");
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
  g_assert_false (test_session_has_request (&t));
  test_session_clear (&t);
  bosh_saved_session_free (saved);
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
  static const struct
  {
    const char   *path;
    GTestFunc     function;
  } tests[] = {
    { "/bosh/session/creation-request", test_creation_request },
    { "/bosh/session/rid-is-unpredictable", test_rid_is_unpredictable },
    { "/bosh/session/grants", test_grants },
    { "/bosh/session/creation-fails", test_creation_fails },
    { "/bosh/session/creation-unanswered", test_creation_unanswered },
    { "/bosh/session/polls", test_polls },
    { "/bosh/session/fast-empty-answers", test_fast_empty_answers },
    { "/bosh/session/window", test_window },
    { "/bosh/session/payload-namespace", test_payload_namespace },
    { "/bosh/session/request-size", test_request_size },
    { "/bosh/session/order", test_order },
    { "/bosh/session/reply-rides-along", test_reply_rides_along },
    { "/bosh/session/repeat-is-exact", test_repeat_is_exact },
    { "/bosh/session/backoff", test_backoff },
    { "/bosh/session/recovers", test_recovers },
    { "/bosh/session/untrusted", test_untrusted },
    { "/bosh/session/intermediaries", test_intermediaries },
    { "/bosh/session/retry-after", test_retry_after },
    { "/bosh/session/http-errors-that-end", test_http_errors_that_end },
    { "/bosh/session/bad-xml-ends", test_bad_xml_ends },
    { "/bosh/session/terminal-conditions", test_terminal_conditions },
    { "/bosh/session/recoverable-error", test_recoverable_error },
    { "/bosh/session/acknowledgements", test_acknowledgements },
    { "/bosh/session/odd-acknowledgements", test_odd_acknowledgements },
    { "/bosh/session/release-confirms", test_release_confirms },
    { "/bosh/session/hastened", test_hastened },
    { "/bosh/session/no-overtaking", test_no_overtaking },
    { "/bosh/session/hang-is-healed", test_hang_is_healed },
    { "/bosh/session/silence-is-suspicious", test_silence_is_suspicious },
    { "/bosh/session/timeout", test_timeout },
    { "/bosh/session/report", test_report },
    { "/bosh/session/echo", test_echo },
    { "/bosh/session/httpbind-payload", test_httpbind_payload },
    { "/bosh/session/polling-session", test_polling_session },
    { "/bosh/session/restart", test_restart },
    { "/bosh/session/reply-expected", test_reply_expected },
    { "/bosh/session/pause", test_pause },
    { "/bosh/session/pause-unanswered", test_pause_unanswered },
    { "/bosh/session/pause-not-offered", test_pause_not_offered },
    { "/bosh/session/terminate", test_terminate },
    { "/bosh/session/terminate-other-request", test_terminate_other_request },
    { "/bosh/session/terminate-unanswered", test_terminate_unanswered },
    { "/bosh/session/terminated-out-of-order", test_terminated_out_of_order },
    { "/bosh/session/undelivered", test_undelivered },
    { "/bosh/session/unreachable-is-unsent", test_unreachable_is_unsent },
    { "/bosh/session/detach", test_detach },
    { "/bosh/session/hand-over", test_hand_over },
    { "/bosh/session/hand-over-unreachable", test_hand_over_unreachable },
    { "/bosh/session/attach-stale", test_attach_stale },
    { "/bosh/session/keys", test_keys },
    { "/bosh/session/keys-carried-over", test_keys_carried_over },
    { "/bosh/session/rid-limit", test_rid_limit },
    { "/bosh/session/queue-before-open", test_queue_before_open },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add_func (tests[i].path, tests[i].function);

  return g_test_run ();
}
