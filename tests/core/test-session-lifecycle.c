/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Transcripts of the session machine: pauses, ends, hand-overs, keys. */

#include "config.h"

#include "bosh-test-session.h"

#include "bosh-limits-private.h"

#include <string.h>

static void
test_terminal_conditions (void)
{
  static const struct
  {
    const char *attributes;
    const char *content;
    int         code;
    const char *text;  /* of a stream error */
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
      "<text xmlns='" BOSH_NS_STREAM_ERRORS "'>Replaced</text></stream:error>",
      BOSH_STREAM_ERROR_CONFLICT, "Replaced" },
    { "condition='remote-stream-error'", "", BOSH_ERROR_REMOTE_STREAM_ERROR },
    { "condition='see-other-uri'", "<uri>https://other.example/bosh</uri>", BOSH_ERROR_SEE_OTHER_URI },
    { "condition='system-shutdown'", "", BOSH_ERROR_SYSTEM_SHUTDOWN },
    { "condition='undefined-condition'", "", BOSH_ERROR_UNDEFINED_CONDITION },
    { "condition='made-up'", "", BOSH_ERROR_UNKNOWN_CONDITION },
    { "", "", BOSH_ERROR_TERMINATED },
  };

  g_test_summary ("R88, R91, R92, R123: every terminal condition, with its text");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *attributes = g_strdup_printf ("type='terminate' %s", cases[i].attributes);
      g_autofree char *content = g_strdup_printf ("<message xmlns='jabber:client'/>%s", cases[i].content);
      TestSession t;
      guint64 rid;

      test_session_init (&t, NULL);
      test_session_open (&t, TEST_GRANTS);
      g_bytes_unref (test_session_take_bytes (&t, &rid));
      test_session_respond (&t, rid, attributes, content);
      if (cases[i].text != NULL)
        {
          g_assert_error (t.error, BOSH_STREAM_ERROR, cases[i].code);
          g_assert_nonnull (strstr (t.error->message, cases[i].text));
        }
      else
        {
          g_assert_error (t.error, BOSH_ERROR, cases[i].code);
        }
      g_assert_cmpuint (t.payloads->len, >=, 1);
      test_session_advance (&t, 100 * TEST_SECOND);
      g_assert_false (test_session_has_request (&t));
      test_session_clear (&t);
    }
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
  test_session_respond (&t, poll, "", "<message xmlns='jabber:client'/>");
  test_session_events (&t, "");
  test_session_respond (&t, pause, "", "");
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

  g_test_summary ("R50-R52: a pause without a response, as by ejabberd, and its end");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS " maxpause='120'");
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  g_assert_true (bosh_session_pause (t.session, 60, NULL));
  g_bytes_unref (test_session_take_bytes (&t, &pause));
  t.now += 30000;
  test_session_respond (&t, poll, "", "");
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

  g_test_summary ("R54, R59, R60: the terminate request takes along what is queued, and other responses count");

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
  test_session_respond (&t, last, "type='terminate'", "<message xmlns='jabber:client' id='3'/>");
  test_session_respond (&t, poll, "", "<message xmlns='jabber:client' id='1'/>");
  test_session_respond (&t, data, "", "<message xmlns='jabber:client' id='2'/>");
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
  test_session_respond (&t, poll, "type='terminate' condition='other-request'", "");
  test_session_respond (&t, last, "type='terminate'", "");
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

  g_test_summary ("R60: the confirmation of the end is awaited for a bounded time");

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

  g_test_summary ("R60: a terminate in the response to a later request waits a moment for earlier ones");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "hello");
  g_bytes_unref (test_session_take_bytes (&t, &data));
  test_session_respond (&t, data, "type='terminate' condition='item-not-found'", "");
  g_assert_null (t.error);
  test_session_advance (&t, TEST_SECOND);
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  test_session_clear (&t);
}

static void
test_terminated_behind_gaps (void)
{
  TestSession t;
  guint64 rids[4];

  g_test_summary ("R63: the end is not awaited behind several lost responses, and nothing new is sent "
                  "before it");

  test_session_init (&t, NULL);
  test_session_open (&t, "sid='s1' wait='60' hold='1' requests='4' inactivity='30' ver='1.11'");
  g_bytes_unref (test_session_take_bytes (&t, &rids[0]));
  for (guint i = 1; i < 4; i++)
    {
      test_session_advance (&t, TEST_SECOND / 2);
      test_session_queue (&t, "hello");
      test_session_drain (&t);
      g_bytes_unref (test_session_take_bytes (&t, &rids[i]));
    }
  test_session_respond (&t, rids[1], "", "<message xmlns='jabber:client'/>");
  test_session_respond (&t, rids[3], "type='terminate' condition='item-not-found'", "");
  test_session_queue (&t, "too late");
  test_session_advance (&t, TEST_SECOND * 3 / 4);
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  g_assert_cmpuint (t.payloads->len, ==, 1);
  g_assert_cmpuint (bosh_session_get_last_rid (t.session), ==, rids[3]);
  test_session_clear (&t);
}

static void
test_end_behind_doubt (void)
{
  TestSession t;
  guint64 poll;
  guint64 end;

  g_test_summary ("R60: a doubted earlier response does not delay the end");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_fail (&t, poll, BOSH_FAILURE_BROKEN);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  bosh_session_set_reply_expected (t.session, TRUE);
  test_session_respond (&t, poll, "", "");
  g_assert_true (bosh_session_terminate (t.session, NULL, NULL));
  test_session_drain (&t);
  g_bytes_unref (test_session_take_bytes (&t, &end));
  test_session_respond (&t, end, "", "");
  test_session_advance (&t, TEST_SECOND);
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_CLOSED);
  g_assert_no_error (t.error);
  test_session_clear (&t);
}

/* A stanza that is repeated, and the end of the session behind it. */
static void
begin_end (TestSession *t,
           guint64     *data,
           guint64     *end)
{
  test_session_init (t, NULL);
  test_session_open_quietly (t, TEST_GRANTS);
  test_session_queue (t, "hello");
  test_session_drain (t);
  g_bytes_unref (test_session_take_bytes (t, data));
  test_session_fail (t, *data, BOSH_FAILURE_BROKEN);
  g_bytes_unref (test_session_take_bytes (t, data));
  g_assert_true (bosh_session_terminate (t->session, NULL, NULL));
  test_session_advance (t, TEST_SECOND);
  g_bytes_unref (test_session_take_bytes (t, end));
}

static void
test_repeat_after_the_end (void)
{
  TestSession t;
  guint64 data;
  guint64 end;

  g_test_summary ("R60: a retransmission that arrives after the terminate request makes no failure of "
                  "the end, whichever response comes first");

  begin_end (&t, &data, &end);
  test_session_respond (&t, end, "type='terminate'", "");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_TERMINATING);
  test_session_respond (&t, data, "type='terminate' condition='item-not-found'", "");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_CLOSED);
  g_assert_no_error (t.error);
  test_session_clear (&t);

  begin_end (&t, &data, &end);
  test_session_respond (&t, data, "type='terminate' condition='item-not-found'", "");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_TERMINATING);
  test_session_respond (&t, end, "type='terminate'", "");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_CLOSED);
  g_assert_no_error (t.error);
  test_session_clear (&t);

  /* Also in the words of a legacy connection manager. */
  begin_end (&t, &data, &end);
  test_session_respond (&t, end, "type='terminate'", "");
  test_session_respond_http (&t, data, 404, "No such session", -1);
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_CLOSED);
  g_assert_no_error (t.error);
  test_session_clear (&t);

  /* But this session was gone before. */
  begin_end (&t, &data, &end);
  test_session_respond (&t, data, "type='terminate' condition='item-not-found'", "");
  test_session_respond (&t, end, "type='terminate' condition='item-not-found'", "");
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  test_session_clear (&t);
}

/* The terminate request is in flight for the second time, as its first response was lost. */
static void
begin_lost_end (TestSession *t,
                const char  *grants,
                guint64     *end)
{
  g_autoptr(BoshElement) farewell = bosh_element_new_presence (NULL, "unavailable");
  guint64 poll;

  test_session_init (t, NULL);
  test_session_open (t, grants);
  g_bytes_unref (test_session_take_bytes (t, &poll));
  test_session_advance (t, TEST_SECOND);
  g_assert_true (bosh_session_terminate (t->session, farewell, NULL));
  test_session_drain (t);
  g_bytes_unref (test_session_take_bytes (t, end));
  test_session_respond (t, poll, "type='terminate'", "");
  test_session_fail (t, *end, BOSH_FAILURE_BROKEN);
}

static void
test_lost_end (void)
{
  static const char refusal[] = "<body xmlns='" BOSH_NS_HTTPBIND "' type='terminate' "
                                "condition='item-not-found'/>";

  g_test_summary ("R60, R66: a server that does not know the session any more, when the terminate request "
                  "is sent again, has ended it as was asked for");

  for (guint i = 0; i < 4; i++)
    {
      TestSession t;
      guint64 poll;
      guint64 end;

      test_session_init (&t, NULL);
      test_session_open (&t, TEST_GRANTS);
      g_bytes_unref (test_session_take_bytes (&t, &poll));
      test_session_advance (&t, TEST_SECOND);
      g_assert_true (bosh_session_terminate (t.session, NULL, NULL));
      test_session_drain (&t);
      g_bytes_unref (test_session_take_bytes (&t, &end));
      test_session_respond (&t, poll, "", "");
      /* Or a proxy has sent it twice, and passes the second response on. */
      if (i < 2)
        {
          test_session_fail (&t, end, BOSH_FAILURE_BROKEN);
          g_bytes_unref (test_session_take_bytes (&t, &end));
        }
      if (i % 2 == 0)
        test_session_respond_http (&t, end, 200, refusal, -1);
      else
        test_session_respond_http (&t, end, 404, "No such session", -1);
      g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_CLOSED);
      g_assert_no_error (t.error);
      test_session_clear (&t);
    }
}

static void
test_refused_end (void)
{
  TestSession t;
  guint64 data;
  guint64 poll;
  guint64 end;

  g_test_summary ("R60: a server that refuses the number of the terminate request, because an earlier one is "
                  "missing, has not ended the session");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  g_assert_true (bosh_session_terminate (t.session, NULL, NULL));
  test_session_drain (&t);
  g_bytes_unref (test_session_take_bytes (&t, &end));
  test_session_respond (&t, end, "type='terminate' condition='item-not-found'", "");
  while (test_session_has_request (&t))
    g_bytes_unref (test_session_take_bytes (&t, &data));
  test_session_advance (&t, 3 * TEST_SECOND);
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  test_session_clear (&t);
}

static void
test_agreed_end (void)
{
  TestSession t;
  guint64 end;

  g_test_summary ("R60: where another response has said that the session ended as was asked for, a terminate "
                  "request that fails is no error");

  begin_lost_end (&t, TEST_GRANTS, &end);
  test_session_advance (&t, TEST_SECOND);
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_CLOSED);
  g_assert_no_error (t.error);
  test_session_clear (&t);
}

static void
test_undelivered (void)
{
  TestSession t;
  g_autoptr(GPtrArray) undelivered = NULL;
  g_autoptr(GPtrArray) unsent = NULL;
  guint64 rid;

  g_test_summary ("R39: after a loss it is known which stanzas may have arrived");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, "arrived");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_respond (&t, rid, "", "");
  test_session_queue (&t, "who knows");
  test_session_advance (&t, TEST_SECOND / 10);
  test_session_drain (&t);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  while (test_session_has_request (&t))
    g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_queue (&t, "here");
  test_session_queue (&t, "too");
  test_session_respond (&t, rid, "type='terminate' condition='system-shutdown'", "");
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

  g_test_summary ("Detaching stops everything, and gives the next number");

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
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GBytes) again = NULL;
  guint64 poll;
  guint64 data;
  guint64 rid;

  g_test_summary ("A hand-over waits until stanzas have arrived, and goes on with the held request");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "last words");
  g_assert_true (bosh_session_hand_over (t.session, NULL));
  bytes = test_session_take_bytes (&t, &data);
  test_session_events (&t, "");
  t.now += 30000;
  test_session_respond (&t, poll, "", "");
  test_session_events (&t, "detached HANDED-OVER");
  g_assert_cmpuint (t.delivered, ==, 1);

  saved = bosh_session_save (t.session);
  g_assert_cmpuint (bosh_session_snapshot_get_first_rid (saved), ==, data);
  g_assert_cmpuint (saved->next_rid, ==, data + 1);
  g_assert_cmpuint (saved->unsent->len, ==, 0);

  test_session_default (&parameters);
  test_session_init (&u, NULL);
  bosh_session_free (u.session);
  u.session = bosh_session_new_from_snapshot (saved, &parameters);
  bosh_session_open (u.session, u.now);
  again = test_session_take_bytes (&u, &rid);
  g_assert_cmpuint (rid, ==, data);
  g_assert_true (g_bytes_equal (bytes, again));
  test_session_events (&u, "attaching");
  test_session_advance (&u, TEST_SECOND + 1000);
  test_session_events (&u, "open OPENED");
  test_session_respond (&u, rid, "", "<message xmlns='jabber:client' id='kept'/>");
  g_assert_cmpuint (u.payloads->len, ==, 1);
  test_session_advance (&u, TEST_SECOND / 100);
  g_bytes_unref (test_session_take_bytes (&u, &rid));
  g_assert_cmpuint (rid, ==, data + 1);

  test_session_clear (&t);
  test_session_clear (&u);
}

static void
test_pause_on_detach (void)
{
  BoshSessionParameters parameters;
  TestSession t;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  g_autoptr(BoshElement) request = NULL;
  guint64 poll;
  guint64 pause;
  guint64 next;

  g_test_summary ("R49, R51: a hand-over that pauses has the held request released first, and "
                  "begins with nothing open; if it is given up the pause ends");

  test_session_default (&parameters);
  parameters.pause_on_detach = TRUE;

  for (guint i = 0; i < 2; i++)
    {
      test_session_init (&t, &parameters);
      test_session_open (&t, TEST_GRANTS " maxpause='120'");
      g_bytes_unref (test_session_take_bytes (&t, &poll));
      test_session_advance (&t, TEST_SECOND);
      g_assert_true (bosh_session_hand_over (t.session, NULL));
      request = test_session_take (&t, &pause);
      test_session_attribute (request, "pause", "120");
      g_clear_pointer (&request, bosh_element_unref);
      test_session_events (&t, "");
      t.now += 30000;
      if (i == 1)
        bosh_session_cancel_hand_over (t.session);
      test_session_respond (&t, poll, "", "<message xmlns='jabber:client'/>");
      g_assert_cmpuint (t.payloads->len, ==, 1);
      if (i == 1)
        {
          test_session_respond (&t, pause, "", "");
          test_session_events (&t, "paused PAUSED open");
          g_bytes_unref (test_session_take_bytes (&t, &next));
          g_assert_cmpuint (next, ==, pause + 1);
        }
      else
        {
          test_session_respond (&t, pause, "", "");
          test_session_events (&t, "paused PAUSED detached HANDED-OVER");
          saved = bosh_session_save (t.session);
          g_assert_cmpuint (saved->unanswered->len, ==, 0);
          g_assert_cmpuint (saved->next_rid, ==, pause + 1);
        }
      test_session_clear (&t);
    }

  /* Nothing is open, or the server has no pauses. */
  test_session_init (&t, &parameters);
  test_session_open_quietly (&t, TEST_GRANTS " maxpause='120'");
  g_assert_true (bosh_session_hand_over (t.session, NULL));
  test_session_drain (&t);
  test_session_events (&t, "detached HANDED-OVER");
  test_session_clear (&t);
  test_session_init (&t, &parameters);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  g_assert_true (bosh_session_hand_over (t.session, NULL));
  test_session_advance (&t, TEST_SECOND);
  test_session_events (&t, "detached HANDED-OVER");
  test_session_clear (&t);
}

static void
test_hand_over_unreachable (void)
{
  TestSession t;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
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
  g_assert_true (g_array_index (saved->unanswered, BoshSnapshotRequest, 0).has_payload);
  test_session_clear (&t);
}

static void
test_attach_stale (void)
{
  TestSession t;
  TestSession u;
  BoshSessionParameters parameters;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  guint64 rid;

  g_test_summary ("R66: a session that the server does not know fails once, without a storm");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  saved = bosh_session_save (t.session);
  test_session_default (&parameters);
  test_session_init (&u, NULL);
  bosh_session_free (u.session);
  u.session = bosh_session_new_from_snapshot (saved, &parameters);
  bosh_session_open (u.session, u.now);
  g_bytes_unref (test_session_take_bytes (&u, &rid));
  test_session_respond (&u, rid, "type='terminate' condition='item-not-found'", "");
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
      test_session_respond (&t, rid, i == 0 ? TEST_GRANTS : "", "<message xmlns='jabber:client'/>");
      test_session_advance (&t, TEST_SECOND);
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
  g_autoptr(BoshSessionSnapshot) saved = NULL;
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
  test_session_respond (&t, rid, "", "<message xmlns='jabber:client'/>");
  test_session_advance (&t, TEST_SECOND / 100);
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
  u.session = bosh_session_new_from_snapshot (saved, &parameters);
  bosh_session_open (u.session, u.now);
  g_bytes_unref (test_session_take_bytes (&u, &rid));
  test_session_respond (&u, rid, "", "<message xmlns='jabber:client'/>");
  test_session_advance (&u, TEST_SECOND / 100);
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
  BoshSessionSnapshot *saved = bosh_session_snapshot_new ();
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
  t.session = bosh_session_new_from_snapshot (saved, &parameters);
  bosh_session_open (t.session, t.now);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, BOSH_MAX_RID);
  test_session_respond (&t, rid, "", "<message xmlns='jabber:client'/>");
  test_session_advance (&t, TEST_SECOND / 100);
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
  g_assert_false (test_session_has_request (&t));
  test_session_clear (&t);
  bosh_session_snapshot_free (saved);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/session-lifecycle/terminal-conditions", test_terminal_conditions);
  g_test_add_func ("/bosh/session-lifecycle/pause", test_pause);
  g_test_add_func ("/bosh/session-lifecycle/pause-unanswered", test_pause_unanswered);
  g_test_add_func ("/bosh/session-lifecycle/pause-not-offered", test_pause_not_offered);
  g_test_add_func ("/bosh/session-lifecycle/terminate", test_terminate);
  g_test_add_func ("/bosh/session-lifecycle/terminate-other-request", test_terminate_other_request);
  g_test_add_func ("/bosh/session-lifecycle/terminate-unanswered", test_terminate_unanswered);
  g_test_add_func ("/bosh/session-lifecycle/terminated-out-of-order", test_terminated_out_of_order);
  g_test_add_func ("/bosh/session-lifecycle/terminated-behind-gaps", test_terminated_behind_gaps);
  g_test_add_func ("/bosh/session-lifecycle/end-behind-doubt", test_end_behind_doubt);
  g_test_add_func ("/bosh/session-lifecycle/repeat-after-the-end", test_repeat_after_the_end);
  g_test_add_func ("/bosh/session-lifecycle/lost-end", test_lost_end);
  g_test_add_func ("/bosh/session-lifecycle/refused-end", test_refused_end);
  g_test_add_func ("/bosh/session-lifecycle/agreed-end", test_agreed_end);
  g_test_add_func ("/bosh/session-lifecycle/undelivered", test_undelivered);
  g_test_add_func ("/bosh/session-lifecycle/unreachable-is-unsent", test_unreachable_is_unsent);
  g_test_add_func ("/bosh/session-lifecycle/detach", test_detach);
  g_test_add_func ("/bosh/session-lifecycle/hand-over", test_hand_over);
  g_test_add_func ("/bosh/session-lifecycle/pause-on-detach", test_pause_on_detach);
  g_test_add_func ("/bosh/session-lifecycle/hand-over-unreachable", test_hand_over_unreachable);
  g_test_add_func ("/bosh/session-lifecycle/attach-stale", test_attach_stale);
  g_test_add_func ("/bosh/session-lifecycle/keys", test_keys);
  g_test_add_func ("/bosh/session-lifecycle/keys-carried-over", test_keys_carried_over);
  g_test_add_func ("/bosh/session-lifecycle/rid-limit", test_rid_limit);

  return g_test_run ();
}
