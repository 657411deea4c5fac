/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Transcripts of the session machine with responses that are large: what has to wait for
 * others, and what is read first. */

#include "config.h"

#include "bosh-limits-private.h"
#include "bosh-test-session.h"

#include <string.h>

#define WIDE_GRANTS "sid='s1' wait='60' hold='1' requests='1000' inactivity='30' polling='5' ver='1.6'"

static guint64
take_rid (TestSession *t)
{
  guint64 rid;

  g_bytes_unref (test_session_take_bytes (t, &rid));

  return rid;
}

static void
progress (TestSession *t,
          guint64      rid)
{
  bosh_session_handle_progress (t->session, rid, t->now);
  test_session_drain (t);
}

static void
test_window (void)
{
  TestSession t;
  guint64 first;
  guint n_requests = 0;

  g_test_summary ("R53: a session has no more requests open than there are connections, whatever "
                  "the server allows");

  test_session_init (&t, NULL);
  test_session_open (&t, WIDE_GRANTS);
  g_assert_cmpuint (bosh_session_get_requests (t.session), ==, 1000);
  first = take_rid (&t);
  for (guint i = 0; i < 20; i++)
    {
      test_session_queue (&t, "hello");
      test_session_advance (&t, 30 * 1000);
      for (; test_session_has_request (&t); n_requests++)
        test_session_respond (&t, take_rid (&t), "", "<message xmlns='jabber:client'/>");
    }
  g_assert_cmpuint (n_requests, ==, BOSH_MAX_WINDOW - 1);
  g_assert_cmpuint (t.payloads->len, ==, 0);

  test_session_respond (&t, first, "", "");
  g_assert_cmpuint (t.payloads->len, ==, n_requests);
  test_session_clear (&t);
}

static void
test_order (void)
{
  TestSession t;
  guint64 rids[4];

  g_test_summary ("R63: responses that wait for an earlier one are handed out whole and in order");

  test_session_init (&t, NULL);
  test_session_open (&t, WIDE_GRANTS);
  for (guint i = 0; i < G_N_ELEMENTS (rids); i++)
    {
      rids[i] = take_rid (&t);
      test_session_queue (&t, "hello");
      test_session_advance (&t, TEST_SECOND / 10);
    }
  g_assert_cmpuint (bosh_session_get_next_response (t.session), ==, rids[0]);

  test_session_respond (&t, rids[2], "", "<message id='3' xmlns='jabber:client'>x<body/></message>");
  test_session_respond (&t, rids[1], "", "<message id='1'/><message id='2'/>");
  g_assert_cmpuint (t.payloads->len, ==, 0);
  test_session_respond (&t, rids[0], "", "<message id='0'/>");
  g_assert_cmpuint (t.payloads->len, ==, 4);
  for (guint i = 0; i < 4; i++)
    {
      g_autofree char *id = g_strdup_printf ("%u", i);

      test_session_attribute (t.payloads->pdata[i], "id", id);
      g_assert_true (bosh_element_matches (t.payloads->pdata[i], "message", BOSH_NS_CLIENT));
    }
  g_assert_cmpuint (bosh_session_get_next_response (t.session), ==, rids[3]);
  test_session_clear (&t);
}

static void
test_later_begins (void)
{
  TestSession t;
  guint64 first;
  guint64 second;

  g_test_summary ("R41: when the response to a later request begins, the silent one is checked "
                  "early, and the later one is not given up while it waits");

  test_session_init (&t, NULL);
  test_session_open (&t, WIDE_GRANTS);
  first = take_rid (&t);
  test_session_queue (&t, "hello");
  test_session_advance (&t, TEST_SECOND / 10);
  second = take_rid (&t);
  progress (&t, second);
  test_session_advance (&t, TEST_SECOND * 9 / 10);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, TEST_SECOND * 2 / 10);
  g_assert_cmpuint (take_rid (&t), ==, first);

  /* The first has its response after a time in which the second was not read. */
  test_session_advance (&t, 69 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  g_assert_cmpuint (t.abandoned.length, ==, 1);
  test_session_respond (&t, first, "", "");
  g_assert_cmpuint (bosh_session_get_next_response (t.session), ==, second);
  test_session_advance (&t, 50 * TEST_SECOND);
  g_assert_cmpuint (t.abandoned.length, ==, 1);

  /* When nothing of it comes any more, it is asked for again. */
  test_session_advance (&t, 50 * TEST_SECOND);
  g_assert_cmpuint (t.abandoned.length, ==, 2);
  test_session_clear (&t);
}

static void
test_doubt (void)
{
  TestSession t;
  guint64 poll;
  guint64 rid;

  g_test_summary ("A request with a doubted response is sent again when the response to the next "
                  "one begins, as that has to wait for it");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  poll = take_rid (&t);
  test_session_advance (&t, TEST_SECOND);
  test_session_fail (&t, poll, BOSH_FAILURE_BROKEN);
  g_assert_cmpuint (take_rid (&t), ==, poll);
  test_session_respond (&t, poll, "", "");
  rid = take_rid (&t);
  g_assert_cmpuint (rid, ==, poll + 1);
  test_session_advance (&t, 10 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));

  progress (&t, rid);
  g_assert_cmpuint (take_rid (&t), ==, poll);
  test_session_respond (&t, poll, "", "<message xmlns='jabber:client' id='1'/>");
  test_session_respond (&t, rid, "", "<message xmlns='jabber:client' id='2'/>");
  g_assert_cmpuint (t.payloads->len, ==, 2);
  test_session_attribute (t.payloads->pdata[0], "id", "1");
  test_session_clear (&t);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/session-large/window", test_window);
  g_test_add_func ("/bosh/session-large/order", test_order);
  g_test_add_func ("/bosh/session-large/later-begins", test_later_begins);
  g_test_add_func ("/bosh/session-large/doubt", test_doubt);

  return g_test_run ();
}
