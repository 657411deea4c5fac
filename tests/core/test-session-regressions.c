/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the simulation found in the session machine, as short transcripts. */

#include "config.h"

#include "bosh-test-session.h"

#include <string.h>

#define POLLING_GRANTS "sid='s1' wait='60' hold='1' requests='1' inactivity='30' polling='3'"
#define MESSAGE(text) "<message xmlns='jabber:client' to='to@example.org'><body>" text "</body></message>"

static void
test_polling_after_slow_response (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R58: the polling interval counts from when the last request may have arrived");

  test_session_init (&t, NULL);
  test_session_open (&t, POLLING_GRANTS);
  test_session_advance (&t, 3 * TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  /* It breaks, and its repeat comes to the server much later. */
  test_session_fail (&t, rid, BOSH_FAILURE_BROKEN);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_advance (&t, 10 * TEST_SECOND);
  test_session_queue (&t, "data");
  test_session_respond (&t, rid, "", "");
  test_session_advance (&t, 2 * TEST_SECOND - 1000);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, 1000);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_clear (&t);
}

static void
test_polling_is_serial (void)
{
  BoshSessionParameters parameters;
  TestSession t;
  guint64 rid;

  g_test_summary ("R56: a polling session that was asked for has one open request, whatever is granted");

  test_session_default (&parameters);
  parameters.wait = 0;
  parameters.hold = 0;
  test_session_init (&t, &parameters);
  test_session_open (&t, "sid='s1' wait='0' hold='0' requests='2' inactivity='30' polling='3'");
  test_session_advance (&t, 3 * TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_queue (&t, "data");
  test_session_advance (&t, 4 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_respond (&t, rid, "", "");
  test_session_advance (&t, 3 * TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_clear (&t);
}

static void
test_polling_after_restoring (void)
{
  BoshSessionParameters parameters;
  TestSession t;
  g_autoptr(BoshSessionSnapshot) saved = NULL;

  g_test_summary ("R58: a polling session keeps the interval under another owner");

  test_session_default (&parameters);
  test_session_init (&t, NULL);
  test_session_open (&t, POLLING_GRANTS);
  saved = bosh_session_save (t.session);
  bosh_session_free (t.session);
  t.session = bosh_session_new_from_snapshot (saved, &parameters);
  bosh_session_open (t.session, t.now);
  test_session_drain (&t);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, 3 * TEST_SECOND);
  g_assert_true (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_polling_after_silent_pause (void)
{
  TestSession t;
  guint64 rid;
  guint64 again;

  g_test_summary ("R58, R64: a pause without a response is sent once more before it ends, and may "
                  "have arrived late, too");

  test_session_init (&t, NULL);
  test_session_open (&t, POLLING_GRANTS " maxpause='120'");
  g_assert_true (bosh_session_pause (t.session, 10, NULL));
  test_session_advance (&t, 3 * TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_advance (&t, 2 * TEST_SECOND);
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_PAUSED);
  test_session_queue (&t, "data");
  g_bytes_unref (test_session_take_bytes (&t, &again));
  g_assert_cmpuint (again, ==, rid);
  test_session_advance (&t, 4 * TEST_SECOND - 1000);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, 1000);
  g_assert_true (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_echo_after_a_repeat_by_a_proxy (void)
{
  TestSession t;
  g_autofree char *echo = NULL;
  guint64 rid;

  g_test_summary ("Our own stanza, echoed after a repeat that a proxy made, is not handed out");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, "mine");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  echo = g_strdup_printf ("rid='%" G_GUINT64_FORMAT "' sid='s1'", rid);
  test_session_respond (&t, rid, echo, MESSAGE ("mine"));
  g_assert_cmpuint (t.payloads->len, ==, 0);
  test_session_clear (&t);
}

static void
test_no_proof_without_holding (void)
{
  TestSession t;
  guint64 poll;
  guint64 data;
  guint64 rid;

  g_test_summary ("R39: if the server never holds, an early release proves nothing about the next request");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  t.now += 5000;
  test_session_respond (&t, poll, "", "");
  test_session_advance (&t, TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND / 10);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  t.now += 5000;
  test_session_respond (&t, poll, "", "");
  g_assert_cmpuint (t.delivered, ==, 0);

  /* It does hold, after all. */
  test_session_advance (&t, 5 * TEST_SECOND);
  test_session_respond (&t, data, "", "<message xmlns='jabber:client'/>");
  g_assert_cmpuint (t.delivered, ==, 1);
  test_session_advance (&t, TEST_SECOND / 10);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND / 10);
  test_session_queue (&t, "again");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  t.now += 5000;
  test_session_respond (&t, poll, "", "");
  g_assert_cmpuint (t.delivered, ==, 2);
  test_session_clear (&t);
}

static void
test_end_proves_nothing (void)
{
  TestSession t;
  g_autoptr(GPtrArray) undelivered = NULL;
  guint64 rid;

  g_test_summary ("R39: a server that ends the session on its own may not have looked at the request");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_respond (&t, rid, "type='terminate'", "");
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_TERMINATED);
  g_assert_cmpuint (t.delivered, ==, 0);
  undelivered = bosh_session_dup_undelivered (t.session);
  g_assert_cmpuint (undelivered->len, ==, 1);
  test_session_clear (&t);
}

static void
test_restart_that_ends (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R88: a restart whose response is the end of the session did not succeed");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  g_assert_true (bosh_session_restart (t.session, NULL, NULL));
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_events (&t, "");
  test_session_respond (&t, rid, "type='terminate' condition='item-not-found'", "");
  test_session_events (&t, "closed CLOSED");
  test_session_clear (&t);
}

static void
test_detach_after_restoring (void)
{
  BoshSessionParameters parameters;
  TestSession t;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  guint64 poll;
  guint64 data;

  g_test_summary ("What an earlier owner has sent counts as sent: the next number is above it");

  test_session_default (&parameters);
  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  saved = bosh_session_save (t.session);
  bosh_session_free (t.session);
  t.session = bosh_session_new_from_snapshot (saved, &parameters);
  bosh_session_open (t.session, t.now);
  g_assert_cmpuint (bosh_session_detach (t.session), ==, data + 1);
  test_session_clear (&t);
}

/* A pause without a sign that it has arrived, and its end, with which it is sent again. */
static void
set_up_doubtful_pause (TestSession *t,
                       const char  *grants,
                       guint64     *pause)
{
  guint64 rid;

  test_session_init (t, NULL);
  test_session_open_quietly (t, grants);
  g_assert_true (bosh_session_pause (t->session, 10, NULL));
  g_bytes_unref (test_session_take_bytes (t, pause));
  test_session_advance (t, 2 * TEST_SECOND);
  g_assert_cmpint (bosh_session_get_state (t->session), ==, BOSH_SESSION_PAUSED);
  bosh_session_set_reply_expected (t->session, FALSE);
  test_session_queue (t, "data");
  g_bytes_unref (test_session_take_bytes (t, &rid));
  g_assert_cmpuint (rid, ==, *pause);
  g_assert_false (test_session_has_request (t));
}

static void
test_doubtful_pause (void)
{
  TestSession t;
  guint64 pause;
  guint64 rid;

  g_test_summary ("R62, R64, R94: a pause that may not have arrived is sent again when it ends, until it "
                  "has a response; the server would wait for its number for ever");

  set_up_doubtful_pause (&t, TEST_GRANTS " maxpause='120'", &pause);
  test_session_respond (&t, pause, "type='error'", "");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, pause);
  test_session_respond (&t, pause, "", "");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, pause + 1);
  test_session_clear (&t);
}

static void
test_doubtful_pause_without_response (void)
{
  TestSession t;
  guint64 pause;
  guint64 data;
  guint64 rid;

  g_test_summary ("R50, R63: what follows a pause that never has a response is not kept back by it");

  set_up_doubtful_pause (&t, TEST_GRANTS " maxpause='120'", &pause);
  test_session_advance (&t, TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &data));
  g_assert_cmpuint (data, ==, pause + 1);
  test_session_respond (&t, data, "", MESSAGE ("1"));
  g_assert_cmpuint (t.payloads->len, ==, 1);
  test_session_advance (&t, TEST_SECOND / 100);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, data + 1);
  test_session_clear (&t);

  /* The same where the next one is held. */
  set_up_doubtful_pause (&t, TEST_GRANTS " maxpause='120'", &pause);
  test_session_advance (&t, TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &data));
  test_session_advance (&t, 2 * TEST_SECOND);
  test_session_queue (&t, "more");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, data + 1);
  test_session_clear (&t);
}

static void
test_doubtful_pause_is_handed_over (void)
{
  TestSession t;
  guint64 pause;
  guint64 rid;
  g_autoptr(BoshSessionSnapshot) saved = NULL;

  g_test_summary ("R64: who goes on with a pause that may not have arrived sends it first");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS " maxpause='120'");
  g_assert_true (bosh_session_pause (t.session, 5, NULL));
  g_bytes_unref (test_session_take_bytes (&t, &pause));
  test_session_advance (&t, 2 * TEST_SECOND);
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_PAUSED);
  g_assert_true (bosh_session_hand_over (t.session, NULL));
  test_session_advance (&t, 0);
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_DETACHED);
  saved = bosh_session_save (t.session);
  g_assert_cmpuint (bosh_session_snapshot_get_first_rid (saved), ==, pause);
  g_assert_cmpuint (saved->next_rid, ==, pause + 1);
  test_session_clear (&t);

  test_session_init (&t, NULL);
  bosh_session_free (t.session);
  t.session = bosh_session_new_from_snapshot (saved, &(BoshSessionParameters){ .max_request_size = 4096 });
  bosh_session_open (t.session, t.now);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, pause);
  test_session_respond (&t, rid, "", "");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, pause + 1);
  test_session_clear (&t);
}

static void
test_late_pause_is_repeated (void)
{
  TestSession t;
  guint64 poll;
  guint64 pause;
  guint64 rid;

  g_test_summary ("A pause that is over before the held request returns is sent again all the same");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS " maxpause='120'");
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  g_assert_true (bosh_session_pause (t.session, 10, NULL));
  g_bytes_unref (test_session_take_bytes (&t, &pause));
  t.now += 20 * TEST_SECOND;
  test_session_respond (&t, poll, "", "<message xmlns='jabber:client'/>");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, pause);
  test_session_clear (&t);
}

static void
test_pause_that_waited_is_repeated (void)
{
  TestSession t;
  guint64 poll;
  guint64 pause;
  guint64 rid;

  g_test_summary ("A pause that waited for held requests is sent again, though little of it is left");

  test_session_init (&t, NULL);
  test_session_open (&t, "sid='s1' wait='20' hold='1' requests='2' inactivity='30' polling='5' "
                         "maxpause='120'");
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  g_assert_true (bosh_session_pause (t.session, 30, NULL));
  test_session_drain (&t);
  g_bytes_unref (test_session_take_bytes (&t, &pause));
  test_session_advance (&t, 3 * TEST_SECOND / 2);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll);
  test_session_advance (&t, 19 * TEST_SECOND);
  test_session_respond (&t, poll, "", "");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, pause);
  test_session_clear (&t);
}

static void
test_retry_after_outlasts_an_error (void)
{
  TestSession t;
  guint64 first;
  guint64 second;
  guint64 rid;

  g_test_summary ("R94: a proxy's Retry-After holds also when the server asks for a later request");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &first));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  test_session_drain (&t);
  g_bytes_unref (test_session_take_bytes (&t, &second));
  test_session_respond_http (&t, first, 503, "busy", 5);
  test_session_respond (&t, second, "type='error'", "");
  test_session_advance (&t, 4 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, first);
  test_session_clear (&t);
}

static void
test_silence_before_inactivity (void)
{
  TestSession t;
  guint64 poll;
  guint64 rid;

  g_test_summary ("R47: a silent request is sent again before the server drops the session, if its limit "
                  "of inactivity is longer than the wait");

  test_session_init (&t, NULL);
  test_session_open (&t, "sid='s1' wait='55' hold='1' requests='2' inactivity='60' ver='1.6'");
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, 57 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, 2 * TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, poll);
  test_session_clear (&t);
}

static void
test_pause_is_restored (void)
{
  BoshSessionParameters parameters;
  TestSession t;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  guint64 poll;
  guint64 pause;
  guint64 rid;

  g_test_summary ("A restored session does not wait for ever for the response to a pause");

  test_session_default (&parameters);
  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS " maxpause='120'");
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  g_assert_true (bosh_session_pause (t.session, 60, NULL));
  g_bytes_unref (test_session_take_bytes (&t, &pause));
  saved = bosh_session_save (t.session);
  bosh_session_free (t.session);
  t.session = bosh_session_new_from_snapshot (saved, &parameters);
  bosh_session_open (t.session, t.now);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_respond (&t, poll, "", "");
  for (guint i = 0; i < 2; i++)
    {
      g_bytes_unref (test_session_take_bytes (&t, &rid));
      g_assert_cmpuint (rid, ==, pause);
      test_session_advance (&t, 2 * TEST_SECOND);
    }
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, pause + 1);
  test_session_clear (&t);
}

#define REFUSAL "type='terminate' condition='item-not-found'"

/* Two requests with a stanza each are in flight, and the first is sent again after a
 * long silence. */
static void
set_up_stalled (TestSession *t,
                gboolean     prosody,
                guint64     *first)
{
  guint64 poll;
  guint64 rid;

  test_session_init (t, NULL);
  if (prosody)
    test_session_open_prosody (t, TEST_PROSODY_GRANTS);
  else
    test_session_open (t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (t, &poll));
  test_session_queue (t, "1");
  test_session_advance (t, TEST_SECOND / 10);
  g_bytes_unref (test_session_take_bytes (t, first));
  /* Not an early release, which would show that the first has arrived. */
  test_session_respond (t, poll, "", MESSAGE ("other"));
  g_ptr_array_set_size (t->payloads, 0);
  test_session_queue (t, "2");
  test_session_advance (t, TEST_SECOND / 10);
  g_bytes_unref (test_session_take_bytes (t, &rid));
  g_assert_cmpuint (rid, ==, *first + 1);
  test_session_advance (t, 2 * TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (t, &rid));
  g_assert_cmpuint (rid, ==, *first);
}

static void
assert_lost (TestSession *t,
             guint        n_undelivered)
{
  g_autoptr(GPtrArray) undelivered = bosh_session_dup_undelivered (t->session);

  g_assert_error (t->error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  g_assert_cmpuint (undelivered->len, ==, n_undelivered);
  test_session_clear (t);
}

static void
test_forgotten (void)
{
  TestSession t;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  guint64 first;
  guint64 rid;

  g_test_summary ("R66: a request that Prosody forgot when its connection closed is refused, and the "
                  "session goes on");

  set_up_stalled (&t, TRUE, &first);
  test_session_respond (&t, first + 1, "", MESSAGE ("reply"));
  g_assert_cmpuint (t.payloads->len, ==, 0);
  test_session_respond (&t, first, REFUSAL, "");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  g_assert_cmpuint (t.delivered, ==, 2);
  g_assert_true (test_session_has_request (&t));
  test_session_clear (&t);

  /* The next request is held, so its response is still to come. What is queued then is
   * not kept back, and a snapshot has the forgotten request. */
  set_up_stalled (&t, TRUE, &first);
  test_session_respond (&t, first, REFUSAL, "");
  g_assert_cmpuint (t.delivered, ==, 0);
  test_session_queue (&t, "3");
  test_session_advance (&t, TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, first + 2);
  saved = bosh_session_save (t.session);
  g_assert_cmpuint (saved->unanswered->len, ==, 3);
  g_assert_cmpuint (g_array_index (saved->unanswered, BoshSnapshotRequest, 0).rid, ==, first);
  test_session_respond (&t, first + 1, "", MESSAGE ("reply"));
  g_assert_cmpuint (t.delivered, ==, 2);
  g_assert_no_error (t.error);
  test_session_clear (&t);
}

static void
test_not_forgotten (void)
{
  TestSession t;
  guint64 first;
  guint64 rid;

  g_test_summary ("R66: a refusal ends the session if the next request is refused, too, or there is "
                  "none, and on other servers; what may be lost is reported");

  set_up_stalled (&t, TRUE, &first);
  test_session_respond (&t, first, REFUSAL, "");
  g_assert_no_error (t.error);
  test_session_advance (&t, TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, first + 1);
  test_session_respond (&t, first + 1, REFUSAL, "");
  assert_lost (&t, 2);

  test_session_init (&t, NULL);
  test_session_open_prosody (&t, TEST_PROSODY_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &first));
  test_session_respond (&t, first, REFUSAL, "");
  assert_lost (&t, 0);

  set_up_stalled (&t, FALSE, &first);
  test_session_respond (&t, first, REFUSAL, "");
  test_session_advance (&t, 5 * TEST_SECOND);
  assert_lost (&t, 2);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/session-regressions/polling-after-slow-response", test_polling_after_slow_response);
  g_test_add_func ("/bosh/session-regressions/polling-is-serial", test_polling_is_serial);
  g_test_add_func ("/bosh/session-regressions/polling-after-restoring", test_polling_after_restoring);
  g_test_add_func ("/bosh/session-regressions/polling-after-silent-pause",
                   test_polling_after_silent_pause);
  g_test_add_func ("/bosh/session-regressions/echo-after-a-repeat-by-a-proxy",
                   test_echo_after_a_repeat_by_a_proxy);
  g_test_add_func ("/bosh/session-regressions/no-proof-without-holding", test_no_proof_without_holding);

  g_test_add_func ("/bosh/session-regressions/end-proves-nothing", test_end_proves_nothing);
  g_test_add_func ("/bosh/session-regressions/restart-that-ends", test_restart_that_ends);
  g_test_add_func ("/bosh/session-regressions/detach-after-restoring", test_detach_after_restoring);

  g_test_add_func ("/bosh/session-regressions/doubtful-pause", test_doubtful_pause);
  g_test_add_func ("/bosh/session-regressions/doubtful-pause-without-response",
                   test_doubtful_pause_without_response);
  g_test_add_func ("/bosh/session-regressions/doubtful-pause-is-handed-over",
                   test_doubtful_pause_is_handed_over);
  g_test_add_func ("/bosh/session-regressions/late-pause-is-repeated", test_late_pause_is_repeated);
  g_test_add_func ("/bosh/session-regressions/pause-that-waited-is-repeated",
                   test_pause_that_waited_is_repeated);
  g_test_add_func ("/bosh/session-regressions/retry-after-outlasts-an-error",
                   test_retry_after_outlasts_an_error);
  g_test_add_func ("/bosh/session-regressions/silence-before-inactivity",
                   test_silence_before_inactivity);
  g_test_add_func ("/bosh/session-regressions/pause-is-restored", test_pause_is_restored);
  g_test_add_func ("/bosh/session-regressions/forgotten", test_forgotten);
  g_test_add_func ("/bosh/session-regressions/not-forgotten", test_not_forgotten);

  return g_test_run ();
}
