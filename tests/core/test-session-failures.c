/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Transcripts of the session machine on a network, and with servers, that fail. */

#include "config.h"

#include "bosh-test-session.h"

#include <string.h>

/* Those of a server that says nothing about itself. */
#define BARE_GRANTS "sid='s1' wait='60' hold='1' requests='2'"

static void
test_repeat_is_exact (void)
{
  BoshSessionParameters parameters;
  TestSession t;
  g_autoptr(GBytes) sent = NULL;
  g_autoptr(GBytes) repeated = NULL;
  guint64 rid;
  guint64 again;

  g_test_summary ("R64, R95: a broken request is sent again at once, byte by byte, with its key");

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

  test_session_respond (&t, rid, "", "");
  g_assert_cmpuint (t.delivered, ==, 1);
  /* A second response to the same number is ignored. */
  test_session_respond (&t, rid, "", "<message xmlns='jabber:client'/>");
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

  g_test_summary ("RETRYING ends with the first good response");

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
  test_session_respond (&t, rid, "", "");
  test_session_events (&t, "open");
  test_session_clear (&t);
}

static void
test_untrusted (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R100: if the server can't be trusted any more, nothing more is sent");

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

  g_test_summary ("R87: after the response of an intermediary the request is repeated, and nothing is lost");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TestSession t;
      guint64 rid;
      guint64 again;

      test_session_init (&t, NULL);
      test_session_open_quietly (&t, TEST_GRANTS);
      test_session_queue (&t, "precious");
      g_bytes_unref (test_session_take_bytes (&t, &rid));
      test_session_respond_http (&t, rid, cases[i].status, cases[i].text, -1);
      g_assert_null (t.error);
      g_bytes_unref (test_session_take_bytes (&t, &again));
      g_assert_cmpuint (again, ==, rid);
      test_session_respond (&t, rid, "", "");
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
  test_session_respond_http (&t, rid, 503, "", 7);
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
    guint       responses;
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
      for (guint j = 0; j < cases[i].responses; j++)
        {
          g_assert_null (t.error);
          test_session_advance (&t, 8 * TEST_SECOND);
          g_bytes_unref (test_session_take_bytes (&t, &rid));
          test_session_respond_http (&t, rid, cases[i].status, "", -1);
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
      test_session_respond (&t, rid, "", "<message xmlns='jabber:client'/><!-- no -->");
    }
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_BAD_XML);
  g_assert_cmpuint (t.payloads->len, ==, 0);
  test_session_clear (&t);
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
  test_session_respond (&t, second, "type='error'", "");
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

  /* The server has the second, though it responds to the first. */
  ack = g_strdup_printf ("ack='%" G_GUINT64_FORMAT "'", data);
  test_session_respond (&t, poll, ack, "<message xmlns='jabber:client'/>");
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
      test_session_respond (&t, poll, acks[i], "");
      test_session_respond (&t, data, acks[i], "");
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

  g_test_summary ("The early release of a held request is an implicit acknowledgement of the next one");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  t.now += 20000;
  test_session_respond (&t, poll, "", "");
  g_assert_cmpuint (t.delivered, ==, 1);
  test_session_clear (&t);

  /* Not if it may have returned because its time was over. */
  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, 60 * TEST_SECOND - 50000);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  t.now += 20000;
  test_session_respond (&t, poll, "", "");
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

  g_test_summary ("R55: a response is provoked after the polling interval where delivery is awaited");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  bosh_session_hasten (t.session);
  g_bytes_unref (test_session_take_bytes (&t, &data));
  /* A stanza happens to arrive, which proves nothing about the request. */
  test_session_respond (&t, poll, "", "<message xmlns='jabber:client'/>");
  g_assert_cmpuint (t.delivered, ==, 0);
  test_session_advance (&t, 4 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, 2 * TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &probe));
  test_session_respond (&t, data, "", "");
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

/* How long the third request waits after the response to the first, which came
 * while the second was on its way, sooner than any round trip. */
static gint64
get_third_delay (const char *grants,
                 gboolean    prosody)
{
  TestSession t;
  guint64 first;
  guint64 second;
  gint64 delay;

  test_session_init (&t, NULL);
  if (prosody)
    test_session_open_prosody (&t, grants);
  else
    test_session_open (&t, grants);
  g_bytes_unref (test_session_take_bytes (&t, &first));
  t.now += TEST_SECOND;
  test_session_queue (&t, "one");
  g_bytes_unref (test_session_take_bytes (&t, &second));
  test_session_queue (&t, "two");
  t.now += 1000;
  test_session_respond (&t, first, "", "<message xmlns='jabber:client'/>");
  delay = test_session_has_request (&t) ? 0 : bosh_session_get_deadline (t.session) - t.now;
  test_session_clear (&t);

  return delay;
}

/* How long what is queued behind a restart waits after it was written. */
static gint64
get_delay_after_restart (const char *grants,
                         gboolean    prosody)
{
  TestSession t;
  g_autoptr(BoshElement) restart = NULL;
  guint64 rid;
  gint64 delay;

  test_session_init (&t, NULL);
  bosh_session_set_reply_expected (t.session, TRUE);
  if (prosody)
    test_session_open_prosody (&t, grants);
  else
    test_session_open (&t, grants);
  g_assert_true (bosh_session_restart (t.session, NULL, NULL));
  test_session_queue (&t, "one");
  restart = test_session_take (&t, &rid);
  g_assert_cmpuint (bosh_element_get_n_children (restart), ==, 0);
  test_session_drain (&t);
  delay = test_session_has_request (&t) ? 0 : bosh_session_get_deadline (t.session) - t.now;
  test_session_clear (&t);

  return delay;
}

static void
test_overtaking_of_restarts (void)
{
  g_test_summary ("R116, R120 (XEP-0206 §5): the restart is empty; what follows has a request of its "
                  "own, which is sent at once if the server sorts requests");

  g_assert_cmpint (get_delay_after_restart (TEST_PROSODY_GRANTS, TRUE), ==, 0);
  g_assert_cmpint (get_delay_after_restart (TEST_PROSODY_GRANTS, FALSE), >, 0);
  g_assert_cmpint (get_delay_after_restart (TEST_GRANTS, FALSE), >, 0);
  g_assert_cmpint (get_delay_after_restart (BARE_GRANTS, FALSE), >, 0);
}

static void
test_overtaking_of_the_robust (void)
{
  g_test_summary ("If the server sorts requests, the response to an earlier one suffices");

  g_assert_cmpint (get_third_delay (TEST_PROSODY_GRANTS, TRUE), ==, 0);
  g_assert_cmpint (get_third_delay (TEST_PROSODY_GRANTS, FALSE), >, 0);
  g_assert_cmpint (get_third_delay (TEST_GRANTS, FALSE), >, 0);
  g_assert_cmpint (get_third_delay (BARE_GRANTS, FALSE), >, 0);
}

static void
test_hang_is_healed (void)
{
  TestSession t;
  guint64 poll;
  guint64 data;
  guint64 rid;

  g_test_summary ("If the server releases no request, though one too many is in flight, the oldest is sent again");

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
test_suspected_once (void)
{
  TestSession t;
  guint64 poll;
  guint64 data;
  guint64 rid;

  g_test_summary ("A request that may be held is sent again by suspicion only once: ejabberd returns "
                  "a second retransmission empty, and sends the next stanza to the connection of "
                  "the first");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  test_session_advance (&t, 2 * TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll);
  test_session_advance (&t, 50 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));

  /* It has its response, so the other one was lost: nothing new goes before it. */
  test_session_queue (&t, "still there?");
  test_session_respond (&t, poll, "", "<message xmlns='jabber:client'/>");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, data);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, TEST_SECOND / 2);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, data + 1);
  test_session_clear (&t);
}

static void
test_not_suspected_after_nothing (void)
{
  TestSession t;
  guint64 poll;
  guint64 rid;

  g_test_summary ("After an empty response to a suspicious request the next one is not sent again: if "
                  "that had overtaken a lost one, ejabberd would end the session");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_advance (&t, 2 * TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll);
  test_session_respond (&t, poll, "", "");
  test_session_advance (&t, 10 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_repeats_get_a_start (void)
{
  TestSession t;
  guint64 poll;
  guint64 rid;

  g_test_summary ("A quarter of a second passes between a retransmission and the next request: Prosody "
                  "ends the session if a retransmission of a held request arrives after that");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_fail (&t, poll, BOSH_FAILURE_BROKEN);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll);
  test_session_queue (&t, "hello");
  test_session_advance (&t, 240 * TEST_SECOND / 1000);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, 20 * TEST_SECOND / 1000);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll + 1);
  test_session_clear (&t);
}

static void
test_doubted (void)
{
  TestSession t;
  guint64 poll;
  guint64 rid;

  g_test_summary ("A request whose retransmission had an empty response is sent again when the next "
                  "one has arrived: ejabberd may have sent a stanza to the first copy, if that "
                  "arrived after the second");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_fail (&t, poll, BOSH_FAILURE_BROKEN);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll);
  test_session_respond (&t, poll, "", "");

  /* There is a request for what comes next. */
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll + 1);
  test_session_advance (&t, 10 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));

  test_session_respond (&t, poll + 1, "", "<message xmlns='jabber:client' id='2'/>");
  g_assert_cmpuint (t.payloads->len, ==, 0);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll);
  test_session_respond (&t, poll, "", "<message xmlns='jabber:client' id='1'/>");
  g_assert_cmpuint (t.payloads->len, ==, 2);
  test_session_attribute (t.payloads->pdata[0], "id", "1");
  test_session_attribute (t.payloads->pdata[1], "id", "2");
  test_session_clear (&t);
}

static void
test_doubted_in_a_hurry (void)
{
  TestSession t;
  guint64 poll;
  guint64 rid;

  g_test_summary ("A doubted response does not keep the window closed for long");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_fail (&t, poll, BOSH_FAILURE_BROKEN);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_respond (&t, poll, "", "");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll + 1);
  test_session_queue (&t, "in a hurry");
  test_session_advance (&t, 2 * TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll);
  test_session_respond (&t, poll, "", "");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll + 2);
  test_session_clear (&t);
}

static void
test_silence_is_suspicious (void)
{
  TestSession t;
  guint64 poll;
  guint64 data;
  guint64 rid;

  g_test_summary ("R41: when a later request has its response, the silent one is checked early");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  test_session_respond (&t, data, "", "");
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

  g_test_summary ("A request without a response is repeated after the granted wait and a grace");

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

  g_test_summary ("R45: after a report its request is sent again, if that has no response yet");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  t.now += 30000;
  report = g_strdup_printf ("report='%" G_GUINT64_FORMAT "' time='100'", poll - 1);
  test_session_respond (&t, poll, report, "");
  g_assert_false (test_session_has_request (&t));

  test_session_queue (&t, "more");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_advance (&t, TEST_SECOND);
  g_free (report);
  report = g_strdup_printf ("report='%" G_GUINT64_FORMAT "' time='1000'", rid);
  test_session_respond (&t, data, report, "");
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
  test_session_respond (&t, rid, echo,
                       "<message xmlns='jabber:client' to='to@example.org'><body>mine</body></message>"
                       "<message xmlns='jabber:client' id='other'/>");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  test_session_attribute (g_ptr_array_index (t.payloads, 0), "id", "other");
  test_session_clear (&t);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/session-failures/repeat-is-exact", test_repeat_is_exact);
  g_test_add_func ("/bosh/session-failures/backoff", test_backoff);
  g_test_add_func ("/bosh/session-failures/recovers", test_recovers);
  g_test_add_func ("/bosh/session-failures/untrusted", test_untrusted);
  g_test_add_func ("/bosh/session-failures/intermediaries", test_intermediaries);
  g_test_add_func ("/bosh/session-failures/retry-after", test_retry_after);
  g_test_add_func ("/bosh/session-failures/http-errors-that-end", test_http_errors_that_end);
  g_test_add_func ("/bosh/session-failures/bad-xml-ends", test_bad_xml_ends);
  g_test_add_func ("/bosh/session-failures/recoverable-error", test_recoverable_error);
  g_test_add_func ("/bosh/session-failures/acknowledgements", test_acknowledgements);
  g_test_add_func ("/bosh/session-failures/odd-acknowledgements", test_odd_acknowledgements);
  g_test_add_func ("/bosh/session-failures/release-confirms", test_release_confirms);
  g_test_add_func ("/bosh/session-failures/hastened", test_hastened);
  g_test_add_func ("/bosh/session-failures/no-overtaking", test_no_overtaking);
  g_test_add_func ("/bosh/session-failures/overtaking-of-restarts", test_overtaking_of_restarts);
  g_test_add_func ("/bosh/session-failures/overtaking-of-the-robust",
                   test_overtaking_of_the_robust);
  g_test_add_func ("/bosh/session-failures/hang-is-healed", test_hang_is_healed);
  g_test_add_func ("/bosh/session-failures/suspected-once", test_suspected_once);
  g_test_add_func ("/bosh/session-failures/not-suspected-after-nothing",
                   test_not_suspected_after_nothing);
  g_test_add_func ("/bosh/session-failures/repeats-get-a-start", test_repeats_get_a_start);
  g_test_add_func ("/bosh/session-failures/doubted", test_doubted);
  g_test_add_func ("/bosh/session-failures/doubted-in-a-hurry", test_doubted_in_a_hurry);
  g_test_add_func ("/bosh/session-failures/silence-is-suspicious", test_silence_is_suspicious);
  g_test_add_func ("/bosh/session-failures/timeout", test_timeout);
  g_test_add_func ("/bosh/session-failures/report", test_report);
  g_test_add_func ("/bosh/session-failures/echo", test_echo);

  return g_test_run ();
}
