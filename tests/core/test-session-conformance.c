/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Transcripts of the session machine, one for each rule that no other proves. */

#include "config.h"

#include "bosh-limits-private.h"
#include "bosh-test-session.h"

#include <string.h>

/* Responses without `ver`, with acknowledgements, and with a wide window. */
#define ACK_GRANTS "sid='s1' wait='60' hold='1' requests='4' inactivity='30' ver='1.11' ack='1'"

static char *
format_ack (guint64 rid)
{
  return g_strdup_printf ("ack='%" G_GUINT64_FORMAT "'", rid);
}

static guint64
take_rid (TestSession *t)
{
  guint64 rid;

  g_bytes_unref (test_session_take_bytes (t, &rid));

  return rid;
}

/* Lets time pass until a request is there, and returns how much. */
static gint64
wait_for_request (TestSession *t)
{
  gint64 start = t->now;

  while (!test_session_has_request (t))
    {
      test_session_advance (t, TEST_SECOND / 100);
      g_assert_null (t->error);
      g_assert_cmpint (t->now - start, <, 1000 * TEST_SECOND);
    }

  return t->now - start;
}

static void
test_versions (void)
{
  static const char *versions[] = { "1.6", "1.06", "1.11", "1.100", "2.0", "1", "new" };

  g_test_summary ("R21: a server with any version reports errors in bodies");

  for (gsize i = 0; i < G_N_ELEMENTS (versions); i++)
    {
      g_autofree char *grants = g_strdup_printf ("sid='s1' wait='60' requests='2' ver='%s'",
                                                 versions[i]);
      TestSession t;
      guint64 rid;

      test_session_init (&t, NULL);
      test_session_open (&t, grants);
      rid = take_rid (&t);
      test_session_respond_http (&t, rid, 400, "", -1);
      g_assert_no_error (t.error);
      wait_for_request (&t);
      g_assert_cmpuint (take_rid (&t), ==, rid);
      test_session_clear (&t);
    }
}

static void
test_polling_asked (void)
{
  static const struct
  {
    guint       wait;
    guint       hold;
    const char *grants;
  } cases[] = {
    { 0, 1, "sid='s1' wait='0' hold='1' requests='2' inactivity='30' polling='5'" },
    { 60, 0, "sid='s1' wait='0' hold='0' requests='1' inactivity='30' polling='5'" },
    { 0, 0, "sid='s1' wait='0' hold='0' requests='1' inactivity='30' polling='5'" },
    /* Prosody grants what was not asked for. */
    { 60, 0, "sid='s1' wait='60' hold='1' requests='2' inactivity='30' polling='5'" },
  };

  g_test_summary ("R25, R56: polling is announced by wait or hold of 0, and done regularly");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      BoshSessionParameters parameters;
      g_autoptr(BoshElement) creation = NULL;
      g_autofree char *wait = g_strdup_printf ("%u", cases[i].wait);
      g_autofree char *hold = g_strdup_printf ("%u", cases[i].hold);
      TestSession t;
      guint64 rid;

      test_session_default (&parameters);
      parameters.wait = cases[i].wait;
      parameters.hold = cases[i].hold;
      test_session_init (&t, &parameters);
      bosh_session_open (t.session, t.now);
      creation = test_session_take (&t, &rid);
      test_session_attribute (creation, "wait", wait);
      test_session_attribute (creation, "hold", hold);
      test_session_respond (&t, rid, cases[i].grants, "");

      for (guint j = 0; j < 10; j++)
        {
          /* A poll, and then stanzas. */
          g_assert_cmpint (wait_for_request (&t), >=, (j == 0 ? 49 : 19) * TEST_SECOND / 10);
          g_assert_cmpint (t.now, <, (1000 + 6 * (j + 1)) * TEST_SECOND);
          rid = take_rid (&t);
          /* Not even a stanza is sent in between. */
          test_session_queue (&t, "patience");
          g_assert_false (test_session_has_request (&t));
          test_session_respond (&t, rid, "", "");
        }
      test_session_clear (&t);
    }
}

static void
test_absent_ack (void)
{
  TestSession t;
  g_autofree char *ack = NULL;
  guint64 poll;
  guint64 data;

  g_test_summary ("R35, R40: from a server with acknowledgements, a response without `ack` says "
                  "that nothing after its request has arrived");

  test_session_init (&t, NULL);
  test_session_open (&t, ACK_GRANTS);
  poll = take_rid (&t);
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "lost on the way");
  data = take_rid (&t);
  t.now += 30000;
  test_session_respond (&t, poll, "", "");
  g_assert_cmpuint (t.delivered, ==, 0);
  test_session_respond (&t, data, "", "");
  g_assert_cmpuint (t.delivered, ==, 1);
  test_session_clear (&t);

  /* From a server that did not offer acknowledgements only the lack means nothing. */
  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  poll = take_rid (&t);
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "who knows");
  data = take_rid (&t);
  ack = format_ack (data);
  test_session_respond (&t, poll, ack, "<message xmlns='jabber:client'/>");
  g_assert_cmpuint (t.delivered, ==, 1);
  test_session_clear (&t);
}

static void
test_redundant_ack (void)
{
  TestSession t;

  g_test_summary ("R40: a server may acknowledge the very request of the response");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, ACK_GRANTS);
  for (guint i = 1; i <= 5; i++)
    {
      g_autofree char *ack = NULL;
      guint64 rid;

      test_session_queue (&t, "hello");
      rid = take_rid (&t);
      ack = format_ack (rid);
      test_session_respond (&t, rid, ack, "");
      g_assert_cmpuint (t.delivered, ==, i);
    }
  g_assert_no_error (t.error);
  test_session_clear (&t);
}

static void
test_acks_throughout (void)
{
  TestSession t;
  guint64 poll;
  guint64 first;
  g_autofree char *expected = NULL;

  g_test_summary ("R42-R44: each request names the highest response with all before it, "
                  "and none if no response is missing");

  test_session_init (&t, NULL);
  test_session_open (&t, ACK_GRANTS);
  poll = take_rid (&t);
  expected = g_strdup_printf ("%" G_GUINT64_FORMAT, poll - 1);
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "one");
  first = take_rid (&t);
  test_session_respond (&t, first, "", "");
  {
    g_autoptr(BoshElement) request = NULL;
    guint64 rid;

    /* The response to the first was not seen, though that to the second was. */
    test_session_queue (&t, "two");
    request = test_session_take (&t, &rid);
    test_session_attribute (request, "ack", expected);
    test_session_respond (&t, rid, "", "");
  }
  test_session_respond (&t, poll, "", "");
  {
    g_autoptr(BoshElement) request = NULL;

    test_session_queue (&t, "three");
    request = test_session_take (&t, NULL);
    test_session_attribute (request, "ack", NULL);
  }
  test_session_clear (&t);
}

static void
test_no_acks (void)
{
  BoshSessionParameters parameters;
  g_autoptr(BoshElement) creation = NULL;
  g_autoptr(BoshElement) request = NULL;
  TestSession t;
  guint64 rid;

  g_test_summary ("R43: acknowledgements that were not announced at creation are never sent");

  test_session_default (&parameters);
  parameters.use_acknowledgements = FALSE;
  test_session_init (&t, &parameters);
  bosh_session_open (t.session, t.now);
  creation = test_session_take (&t, &rid);
  test_session_attribute (creation, "ack", NULL);
  t.now += 10000;
  test_session_respond (&t, rid, ACK_GRANTS, "");
  take_rid (&t);
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "the poll is unanswered");
  request = test_session_take (&t, NULL);
  test_session_attribute (request, "ack", NULL);
  test_session_clear (&t);
}

static void
test_attributes_of_later_responses (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R37, R109, R110: from, version and features may come in any response; "
                  "empty requests are sent until then, and after");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr(BoshElement) request = test_session_take (&t, &rid);

      g_assert_cmpuint (bosh_element_get_n_children (request), ==, 0);
      test_session_advance (&t, 60 * TEST_SECOND);
      test_session_respond (&t, rid, i == 0 ? "" : "from='example.org'", "");
    }
  rid = take_rid (&t);
  test_session_respond (&t, rid,
                        "from='example.org' sid='s1' xmpp:version='1.0' "
                        "xmlns:xmpp='" BOSH_NS_XBOSH "'",
                        "<features xmlns='" BOSH_NS_STREAMS "'/>");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  g_assert_true (bosh_element_matches (g_ptr_array_index (t.payloads, 0), "features",
                                       BOSH_NS_STREAMS));
  wait_for_request (&t);
  g_assert_cmpuint (take_rid (&t), ==, rid + 1);
  test_session_events (&t, "");
  test_session_clear (&t);
}

static void
test_sid_of_later_responses (void)
{
  TestSession t;

  g_test_summary ("R31: a session id in a later response, as many servers send it, begins nothing new");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr(BoshElement) request = NULL;
      guint64 rid;

      test_session_queue (&t, "hello");
      request = test_session_take (&t, &rid);
      test_session_attribute (request, "sid", "s1");
      test_session_respond (&t, rid, "sid='s2' wait='1' requests='9' inactivity='1'", "");
    }
  test_session_events (&t, "");
  g_assert_cmpstr (bosh_session_get_id (t.session), ==, "s1");
  g_assert_cmpuint (bosh_session_get_wait (t.session), ==, 60);
  g_assert_cmpuint (bosh_session_get_requests (t.session), ==, 2);
  test_session_clear (&t);
}

static void
test_before_inactivity (void)
{
  TestSession t;

  g_test_summary ("R47: an empty request is sent before the inactivity limit, even if it is kept back");

  /* A server that responds at once is polled ever more slowly. */
  test_session_init (&t, NULL);
  test_session_open (&t, "sid='s1' wait='60' hold='1' requests='2' inactivity='4' ver='1.11'");
  for (guint i = 0; i < 20; i++)
    {
      g_assert_cmpint (wait_for_request (&t), <, 4 * TEST_SECOND);
      test_session_respond (&t, take_rid (&t), "", "");
    }
  test_session_clear (&t);

  /* The caller has promised to send something. */
  test_session_init (&t, NULL);
  test_session_open_quietly (&t, "sid='s1' wait='60' hold='1' requests='2' inactivity='4'");
  g_assert_cmpint (wait_for_request (&t), <, 4 * TEST_SECOND);
  test_session_clear (&t);
}

static void
test_no_inactivity (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R48: without a limit of inactivity the session is never given up");

  test_session_init (&t, NULL);
  test_session_open (&t, "sid='s1' wait='60' hold='1' requests='2' polling='5' ver='1.11'");
  for (gint64 end = t.now + 24 * 3600 * TEST_SECOND; t.now < end;)
    {
      if (test_session_has_request (&t))
        test_session_fail (&t, take_rid (&t), BOSH_FAILURE_UNREACHABLE);
      test_session_advance (&t, TEST_SECOND);
    }
  g_assert_no_error (t.error);
  wait_for_request (&t);
  rid = take_rid (&t);
  test_session_respond (&t, rid, "", "");
  test_session_events (&t, "retrying open");
  test_session_clear (&t);
}

static void
test_no_limit_of_requests (void)
{
  TestSession t;
  guint64 first;

  g_test_summary ("R53: no `requests` is no limit, and no reason to send more than two");

  test_session_init (&t, NULL);
  test_session_open (&t, "sid='s1' wait='60' hold='1' inactivity='30' ver='1.11'");
  first = take_rid (&t);
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "one");
  g_assert_cmpuint (take_rid (&t), ==, first + 1);
  test_session_advance (&t, TEST_SECOND / 10);
  test_session_queue (&t, "two");
  test_session_advance (&t, TEST_SECOND / 10);
  g_assert_false (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_long_keys (void)
{
  g_autoptr(GHashTable) seeds = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GHashTable) lengths = g_hash_table_new (NULL, NULL);

  g_test_summary ("R68, R72: a key sequence has thousands of keys, and another number and seed "
                  "in each session");

  for (guint i = 0; i < 16; i++)
    {
      BoshSessionParameters parameters;
      g_autoptr(BoshSessionSnapshot) saved = NULL;
      TestSession t;

      test_session_default (&parameters);
      parameters.use_key_sequence = TRUE;
      parameters.entropy[31] = i;
      test_session_init (&t, &parameters);
      test_session_open (&t, TEST_GRANTS);
      saved = bosh_session_save (t.session);
      g_assert_cmpuint (saved->key_length, >=, 4096);
      g_assert_true (g_hash_table_add (seeds, g_strdup (saved->key_seed)));
      g_hash_table_add (lengths, GUINT_TO_POINTER (saved->key_length));
      test_session_clear (&t);
    }
  g_assert_cmpuint (g_hash_table_size (lengths), >, 8);
}

static void
test_recoverable_creation (void)
{
  TestSession t;
  g_autoptr(GBytes) sent = NULL;
  guint64 rid;

  g_test_summary ("R94, R95: a creation request, too, is sent again if the server asks for it, "
                  "but not for ever");

  test_session_init (&t, NULL);
  bosh_session_open (t.session, t.now);
  sent = test_session_take_bytes (&t, &rid);
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr(GBytes) repeated = NULL;

      test_session_respond (&t, rid, "type='error'", "");
      wait_for_request (&t);
      repeated = test_session_take_bytes (&t, NULL);
      g_assert_true (g_bytes_equal (sent, repeated));
    }
  test_session_respond (&t, rid, "type='error'", "");
  test_session_events (&t, "creating closed CLOSED");
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
  test_session_clear (&t);
}

static void
test_no_report_of_errors (void)
{
  TestSession t;
  g_autoptr(GBytes) sent = NULL;
  g_autoptr(GBytes) repeated = NULL;
  guint64 rid;

  g_test_summary ("R93: an unusable response is not reported: the request is repeated as it was");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  sent = test_session_take_bytes (&t, &rid);
  test_session_respond (&t, rid, "", "<?bad response?>");
  wait_for_request (&t);
  repeated = test_session_take_bytes (&t, NULL);
  g_assert_true (g_bytes_equal (sent, repeated));
  g_assert_false (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
queue_element (TestSession *t,
               const char  *name,
               const char  *ns)
{
  g_autoptr(BoshElement) element = bosh_element_new (name, ns);
  g_autoptr(GError) error = NULL;

  bosh_session_queue (t->session, element, NULL, &error);
  g_assert_no_error (error);
}

static void
run_one_kind (const char *sasl)
{
  static const char *names[] = { "message", "auth", "presence" };
  TestSession t;

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  queue_element (&t, "message", BOSH_NS_CLIENT);
  queue_element (&t, "auth", sasl);
  queue_element (&t, "presence", BOSH_NS_CLIENT);
  queue_element (&t, "iq", BOSH_NS_CLIENT);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr(BoshElement) request = NULL;
      guint64 rid;

      request = test_session_take (&t, &rid);
      g_assert_cmpuint (bosh_element_get_n_children (request), ==, i == 2 ? 2u : 1u);
      g_assert_cmpstr (bosh_element_get_name (bosh_element_get_nth_child (request, 0)), ==,
                       names[i]);
      test_session_respond (&t, rid, "", "");
    }

  /* Nor does the end of the session leave anything behind. */
  queue_element (&t, "message", BOSH_NS_CLIENT);
  queue_element (&t, "abort", sasl);
  g_assert_true (bosh_session_terminate (t.session, NULL, NULL));
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr(BoshElement) request = NULL;
      guint64 rid;

      request = test_session_take (&t, &rid);
      test_session_attribute (request, "type", i == 2 ? "terminate" : NULL);
      g_assert_cmpuint (bosh_element_get_n_children (request), ==, i == 2 ? 0u : 1u);
      test_session_respond (&t, rid, "", "");
    }
  test_session_events (&t, "terminating closed CLOSED");
  g_assert_cmpuint (t.delivered, ==, 6);
  test_session_clear (&t);
}

static void
test_one_kind (void)
{
  g_test_summary ("R104: elements of SASL and stanzas do not share a body");

  run_one_kind (BOSH_NS_SASL);
  run_one_kind (BOSH_NS_SASL2);
}

static void
test_mixed_response (void)
{
  TestSession t;

  g_test_summary ("R16, R104: all elements of a mixed body are handed out in order, and its text is ignored");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  test_session_respond (&t, take_rid (&t), "",
                       "\n<success xmlns='" BOSH_NS_SASL "'/> text <features xmlns='" BOSH_NS_STREAMS "'/>"
                       "<message xmlns='jabber:client'/><message xmlns='jabber:server'/>");
  g_assert_cmpuint (t.payloads->len, ==, 4);
  g_assert_true (bosh_element_matches (g_ptr_array_index (t.payloads, 0), "success", BOSH_NS_SASL));
  g_assert_true (bosh_element_matches (g_ptr_array_index (t.payloads, 3), "message", "jabber:server"));
  test_session_clear (&t);
}

static void
test_restart_logic (void)
{
  static const char *attributes[] = {
    "",
    "xmpp:restartlogic='true'",
    "xmpp:restartlogic='false'",
    "restartlogic='0'",
  };

  g_test_summary ("R111: the stream is restarted whatever the server announces");

  for (gsize i = 0; i < G_N_ELEMENTS (attributes); i++)
    {
      g_autofree char *grants = g_strdup_printf (TEST_GRANTS " xmlns:xmpp='" BOSH_NS_XBOSH "' %s",
                                                 attributes[i]);
      g_autoptr(BoshElement) request = NULL;
      TestSession t;

      test_session_init (&t, NULL);
      test_session_open_quietly (&t, grants);
      g_assert_true (bosh_session_restart (t.session, NULL, NULL));
      request = test_session_take (&t, NULL);
      g_assert_cmpstr (bosh_element_get_attribute_ns (request, "restart", BOSH_NS_XBOSH), ==,
                       "true");
      test_session_clear (&t);
    }
}

static void
test_bare_stream_error (void)
{
  TestSession t;

  g_test_summary ("R123: the conditions of a stream error are reported also without the element around them");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  test_session_respond (&t, take_rid (&t), "type='terminate' condition='remote-stream-error'",
                        "<message xmlns='jabber:client'/>"
                        "<not-well-formed xmlns='" BOSH_NS_STREAM_ERRORS "'/>"
                        "<text xmlns='" BOSH_NS_STREAM_ERRORS "'>A tag is missing</text>");
  g_assert_error (t.error, BOSH_STREAM_ERROR, BOSH_STREAM_ERROR_NOT_WELL_FORMED);
  g_assert_nonnull (strstr (t.error->message, ": A tag is missing"));
  test_session_attribute (g_ptr_array_index (t.payloads, 0), "id", NULL);
  g_assert_true (bosh_element_matches (g_ptr_array_index (t.payloads, 0), "message", BOSH_NS_CLIENT));
  test_session_clear (&t);
}

static void
test_old_authentication (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;

  g_test_summary ("R115: an authid has no effect");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS " authid='ServerStreamID'");
  request = test_session_take (&t, NULL);
  g_assert_cmpuint (bosh_element_get_n_children (request), ==, 0);
  test_session_attribute (request, "sid", "s1");
  test_session_attribute (request, "authid", NULL);
  test_session_clear (&t);
}

/* How long an unanswered poll is waited for before it is repeated. */
static gint64
measure_patience (const char *grants)
{
  TestSession t;
  guint64 rid;
  gint64 start;

  test_session_init (&t, NULL);
  test_session_open (&t, grants);
  rid = take_rid (&t);
  start = t.now;
  wait_for_request (&t);
  g_assert_cmpuint (*(guint64 *)g_queue_peek_head (&t.abandoned), ==, rid);
  g_assert_cmpuint (take_rid (&t), ==, rid);
  test_session_clear (&t);

  return t.now - start;
}

static void
test_granted_wait (void)
{
  g_test_summary ("R32: the granted wait counts, not the one that was asked for, with a margin; "
                  "the old exchange is closed before a retransmission");

  g_assert_cmpint (measure_patience ("sid='s1' wait='20' hold='1' requests='2'"), >,
                   25 * TEST_SECOND);
  g_assert_cmpint (measure_patience ("sid='s1' wait='20' hold='1' requests='2'"), <,
                   40 * TEST_SECOND);
  g_assert_cmpint (measure_patience ("sid='s1' wait='3600' hold='1' requests='2'"), >,
                   66 * TEST_SECOND);
  g_assert_cmpint (measure_patience ("sid='s1' wait='3600' hold='1' requests='2'"), <,
                   100 * TEST_SECOND);
}

static void
test_attached_polls (void)
{
  TestSession t;
  TestSession u;
  BoshSessionParameters parameters;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  guint n_requests = 0;
  guint64 previous;

  g_test_summary ("R46, R64: after a hand-over one request is held, as before it, and each number "
                  "is sent once");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  saved = bosh_session_save (t.session);
  previous = bosh_session_snapshot_get_first_rid (saved) - 1;
  test_session_default (&parameters);
  test_session_init (&u, NULL);
  bosh_session_free (u.session);
  u.session = bosh_session_new_from_snapshot (saved, &parameters);
  bosh_session_open (u.session, u.now);
  for (gint64 end = u.now + 600 * TEST_SECOND; u.now < end;)
    {
      guint64 rid = take_rid (&u);

      g_assert_cmpuint (rid, ==, previous + 1);
      previous = rid;
      n_requests++;
      test_session_advance (&u, 60 * TEST_SECOND);
      g_assert_false (test_session_has_request (&u));
      test_session_respond (&u, rid, "", "");
    }
  g_assert_cmpuint (n_requests, ==, 10);
  g_assert_cmpuint (bosh_session_get_wait (u.session), ==, 60);
  test_session_clear (&t);
  test_session_clear (&u);
}

static void
test_late_result (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R46: a reply may come with any later response, so there is always a request for it");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  rid = take_rid (&t);
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "bind, please");
  test_session_respond (&t, rid, "", "");
  for (guint i = 0; i < 5; i++)
    {
      wait_for_request (&t);
      rid = take_rid (&t);
      test_session_advance (&t, 10 * TEST_SECOND);
      test_session_respond (&t, rid, "", "");
    }
  wait_for_request (&t);
  test_session_respond (&t, take_rid (&t), "", "<iq xmlns='jabber:client' type='result'/>");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  test_session_clear (&t);
}

static void
test_report_without_end (void)
{
  TestSession t;
  guint64 rids[BOSH_MAX_WINDOW - 1];
  guint64 silent;
  g_autofree char *report = NULL;
  guint repeats = 0;

  g_test_summary ("R45: a server that reports the same request again and again gets it "
                  "once in a while");

  test_session_init (&t, NULL);
  test_session_open (&t, "sid='s1' wait='60' hold='30' requests='40' ver='1.11' ack='1'");
  for (guint i = 0; i < G_N_ELEMENTS (rids); i++)
    {
      rids[i] = take_rid (&t);
      test_session_queue (&t, "hello");
      test_session_advance (&t, TEST_SECOND / 10);
    }
  silent = take_rid (&t);
  test_session_advance (&t, TEST_SECOND);

  /* All the others have a response, two in a second. */
  report = g_strdup_printf ("report='%" G_GUINT64_FORMAT "' time='5000'", silent);
  for (guint i = 0; i < G_N_ELEMENTS (rids); i++)
    {
      test_session_respond (&t, rids[i], report, "");
      test_session_advance (&t, TEST_SECOND / 2);
      while (test_session_has_request (&t))
        repeats += take_rid (&t) == silent ? 1 : 0;
    }
  g_assert_cmpuint (repeats, >=, 2);
  g_assert_cmpuint (repeats, <=, 4);
  test_session_clear (&t);
}

static void
test_huge_inactivity (void)
{
  TestSession t;

  g_test_summary ("R47, R56: a server that grants a wait of days is polled all the same");

  test_session_init (&t, NULL);
  test_session_open (&t, "sid='s1' wait='0' hold='1' requests='2' inactivity='86400' polling='5'");
  for (guint i = 0; i < 20; i++)
    {
      g_assert_cmpint (wait_for_request (&t), <=, 6 * TEST_SECOND);
      test_session_respond (&t, take_rid (&t), "", "");
    }
  test_session_clear (&t);
}

static void
test_no_delay (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  gint64 now;

  g_test_summary ("R38: with room in the window a stanza is sent at once, without a timer");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  take_rid (&t);
  test_session_advance (&t, TEST_SECOND);
  now = t.now;
  test_session_queue (&t, "now");
  request = test_session_take (&t, NULL);
  g_assert_cmpuint (bosh_element_get_n_children (request), ==, 1);
  g_assert_cmpint (t.now, ==, now);
  test_session_clear (&t);
}

static void
test_many_replies (void)
{
  TestSession t;
  guint n_sent = 0;
  guint64 held;

  g_test_summary ("R53: many replies at once keep the limit, too, and share requests");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  held = take_rid (&t);
  for (guint i = 0; i < 50; i++)
    {
      g_autoptr(BoshElement) first = NULL;
      g_autoptr(BoshElement) second = NULL;
      guint64 rid;

      test_session_respond (&t, held, "", "<iq xmlns='jabber:client' type='get' id='a'/>");
      wait_for_request (&t);
      held = take_rid (&t);
      test_session_advance (&t, TEST_SECOND);
      test_session_queue (&t, "reply");
      test_session_queue (&t, "query");
      first = test_session_take (&t, &rid);
      test_session_queue (&t, "another reply");
      test_session_queue (&t, "another query");
      test_session_advance (&t, TEST_SECOND / 10);
      g_assert_false (test_session_has_request (&t));
      g_assert_cmpuint (bosh_session_get_n_in_flight_for_tests (t.session), ==, 2);

      test_session_respond (&t, held, "", "");
      second = test_session_take (&t, &held);
      test_session_respond (&t, rid, "", "");
      n_sent += bosh_element_get_n_children (first) + bosh_element_get_n_children (second);
    }
  g_assert_cmpuint (n_sent, ==, 200);
  test_session_clear (&t);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/session-conformance/versions", test_versions);
  g_test_add_func ("/bosh/session-conformance/polling-asked", test_polling_asked);
  g_test_add_func ("/bosh/session-conformance/absent-ack", test_absent_ack);
  g_test_add_func ("/bosh/session-conformance/redundant-ack", test_redundant_ack);
  g_test_add_func ("/bosh/session-conformance/acks-throughout", test_acks_throughout);
  g_test_add_func ("/bosh/session-conformance/no-acks", test_no_acks);
  g_test_add_func ("/bosh/session-conformance/attributes-of-later-responses", test_attributes_of_later_responses);
  g_test_add_func ("/bosh/session-conformance/sid-of-later-responses", test_sid_of_later_responses);
  g_test_add_func ("/bosh/session-conformance/before-inactivity", test_before_inactivity);
  g_test_add_func ("/bosh/session-conformance/no-inactivity", test_no_inactivity);
  g_test_add_func ("/bosh/session-conformance/no-limit-of-requests", test_no_limit_of_requests);
  g_test_add_func ("/bosh/session-conformance/long-keys", test_long_keys);
  g_test_add_func ("/bosh/session-conformance/recoverable-creation", test_recoverable_creation);
  g_test_add_func ("/bosh/session-conformance/no-report-of-errors", test_no_report_of_errors);
  g_test_add_func ("/bosh/session-conformance/one-kind", test_one_kind);
  g_test_add_func ("/bosh/session-conformance/mixed-response", test_mixed_response);
  g_test_add_func ("/bosh/session-conformance/restart-logic", test_restart_logic);
  g_test_add_func ("/bosh/session-conformance/bare-stream-error", test_bare_stream_error);
  g_test_add_func ("/bosh/session-conformance/old-authentication", test_old_authentication);
  g_test_add_func ("/bosh/session-conformance/granted-wait", test_granted_wait);
  g_test_add_func ("/bosh/session-conformance/attached-polls", test_attached_polls);
  g_test_add_func ("/bosh/session-conformance/late-result", test_late_result);
  g_test_add_func ("/bosh/session-conformance/report-without-end", test_report_without_end);
  g_test_add_func ("/bosh/session-conformance/huge-inactivity", test_huge_inactivity);
  g_test_add_func ("/bosh/session-conformance/no-delay", test_no_delay);
  g_test_add_func ("/bosh/session-conformance/many-replies", test_many_replies);

  return g_test_run ();
}
