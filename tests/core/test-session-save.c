/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Snapshots of the session machine, and how another one goes on from them. */

#include "config.h"

#include "bosh-test-session.h"

#include <string.h>

#define MESSAGE(id) "<message xmlns='jabber:client' id='" id "'/>"

/* Another process takes the place of the first, which has died. */
static void
restore (TestSession                 *t,
         const BoshSessionSnapshot   *saved,
         const BoshSessionParameters *parameters)
{
  BoshSessionParameters defaults;

  test_session_default (&defaults);
  defaults.entropy[0] = 99;
  test_session_init (t, parameters);
  bosh_session_free (t->session);
  t->session = bosh_session_new_from_snapshot (saved, parameters != NULL ? parameters : &defaults);
  bosh_session_open (t->session, t->now);
}

static void
assert_ids (GPtrArray  *stanzas,
            const char *expected)
{
  g_autoptr(GString) ids = g_string_new (NULL);

  for (guint i = 0; i < stanzas->len; i++)
    {
      BoshElement *stanza = g_ptr_array_index (stanzas, i);
      g_autofree char *body = bosh_element_dup_child_text (stanza, "body", NULL);
      const char *id = bosh_element_get_attribute (stanza, "id");

      g_string_append (ids, body != NULL ? body : id);
    }

  g_assert_cmpstr (ids->str, ==, expected);
}

static void
test_savable (void)
{
  TestSession t;
  g_autoptr(GError) error = NULL;
  guint64 rid;

  g_test_summary ("A session can be saved from its first response on, also while it is being "
                  "handed over or retries, and not when it ends");

  test_session_init (&t, NULL);
  g_assert_false (bosh_session_check_savable (t.session, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_error (&error);
  bosh_session_open (t.session, t.now);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_false (bosh_session_check_savable (t.session, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_error (&error);
  test_session_clear (&t);

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_assert_true (bosh_session_check_savable (t.session, &error));
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_fail (&t, rid, BOSH_FAILURE_BROKEN);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_fail (&t, rid, BOSH_FAILURE_BROKEN);
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_RETRYING);
  g_assert_true (bosh_session_check_savable (t.session, &error));
  test_session_queue (&t, "a");
  g_assert_true (bosh_session_hand_over (t.session, NULL));
  g_assert_true (bosh_session_check_savable (t.session, &error));
  bosh_session_detach (t.session);
  g_assert_false (bosh_session_check_savable (t.session, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_DETACHED);
  g_clear_error (&error);
  test_session_clear (&t);

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_assert_true (bosh_session_terminate (t.session, NULL, NULL));
  g_assert_false (bosh_session_check_savable (t.session, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  test_session_clear (&t);
}

static void
assert_logging_in (BoshSession *session)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) undelivered = bosh_session_dup_undelivered (session);
  g_autoptr(GPtrArray) unsent = bosh_session_dup_unsent (session);

  g_assert_false (bosh_session_check_savable (session, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_LOGGING_IN);
  g_clear_error (&error);
  g_assert_false (bosh_session_hand_over (session, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_LOGGING_IN);
  g_assert_cmpuint (undelivered->len, ==, 0);
  g_assert_cmpuint (unsent->len, ==, 0);
}

static void
test_logging_in (void)
{
  TestSession t;
  g_autoptr(BoshElement) auth = bosh_element_new ("auth", BOSH_NS_SASL);
  guint64 rid;

  g_test_summary ("While the data of an authentication is queued or has no response, the session "
                  "is neither saved nor handed over, and the data is in no list");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  g_assert_true (bosh_session_queue (t.session, auth, NULL, NULL));
  assert_logging_in (t.session);
  test_session_drain (&t);
  assert_logging_in (t.session);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  assert_logging_in (t.session);
  test_session_fail (&t, rid, BOSH_FAILURE_BROKEN);
  assert_logging_in (t.session);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_respond (&t, rid, "", "<success xmlns='" BOSH_NS_SASL "'/>");
  g_assert_true (bosh_session_check_savable (t.session, NULL));
  g_assert_true (bosh_session_hand_over (t.session, NULL));
  test_session_clear (&t);
}

static void
test_exact_repeats (void)
{
  TestSession t;
  TestSession other;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  g_autoptr(GBytes) poll = NULL;
  g_autoptr(GBytes) data = NULL;
  g_autoptr(GPtrArray) undelivered = NULL;
  guint64 rids[2];

  g_test_summary ("R64, R95, E25: requests in flight are "
                  "repeated byte by byte, the oldest first, and before anything new; the first "
                  "owner goes on undisturbed by the snapshot");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  poll = test_session_take_bytes (&t, &rids[0]);
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "a");
  test_session_drain (&t);
  data = test_session_take_bytes (&t, &rids[1]);
  test_session_queue (&t, "b");
  test_session_drain (&t);
  g_assert_false (test_session_has_request (&t));
  saved = bosh_session_save (t.session);
  g_assert_cmpuint (bosh_session_get_last_rid (t.session), ==, rids[1]);
  g_assert_cmpuint (bosh_session_get_n_in_flight_for_tests (t.session), ==, 2);

  restore (&other, saved, NULL);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr(GBytes) bytes = NULL;
      guint64 rid;

      bytes = test_session_take_bytes (&other, &rid);
      g_assert_cmpuint (rid, ==, rids[i]);
      g_assert_true (g_bytes_equal (bytes, i == 0 ? poll : data));
      /* A server that knows the session no more gets one request. */
      g_assert_false (test_session_has_request (&other));
      if (i == 0)
        {
          undelivered = bosh_session_dup_undelivered (other.session);
          assert_ids (undelivered, "a");
        }
      test_session_respond (&other, rid, "", i == 0 ? MESSAGE ("1") : "");
    }
  assert_ids (other.payloads, "1");
  test_session_events (&other, "attaching open OPENED");
  {
    g_autoptr(BoshElement) next = NULL;
    g_autofree char *text = NULL;
    guint64 rid;

    next = test_session_take (&other, &rid);
    g_assert_cmpuint (rid, ==, rids[1] + 1);
    text = bosh_element_dup_child_text (bosh_element_get_nth_child (next, 0), "body", NULL);
    g_assert_cmpstr (text, ==, "b");
  }
  test_session_clear (&other);

  /* The first. */
  test_session_respond (&t, rids[0], "", "");
  test_session_respond (&t, rids[1], "", "");
  g_assert_true (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_delivered (void)
{
  TestSession t;
  TestSession other;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  guint64 rids[2];

  g_test_summary ("R44, R64: a stanza that the server has does not count as undelivered in the "
                  "session that goes on, though its request has no response");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &rids[0]));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "a");
  test_session_drain (&t);
  g_bytes_unref (test_session_take_bytes (&t, &rids[1]));
  /* The early release says that the next one has arrived. */
  test_session_respond (&t, rids[0], "", "");
  g_assert_cmpuint (t.delivered, ==, 1);
  saved = bosh_session_save (t.session);
  g_assert_cmpuint (saved->unanswered->len, ==, 1);
  test_session_clear (&t);

  restore (&other, saved, NULL);
  {
    g_autoptr(GPtrArray) undelivered = bosh_session_dup_undelivered (other.session);
    g_autoptr(GPtrArray) unsent = bosh_session_dup_unsent (other.session);

    g_assert_cmpuint (undelivered->len, ==, 0);
    g_assert_cmpuint (unsent->len, ==, 0);
  }
  test_session_clear (&other);
}

static void
test_held_first (void)
{
  TestSession t;
  TestSession other;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  guint64 rid;

  g_test_summary ("R53, R64: if the server holds the first retransmission, the second follows when the "
                  "session is known to exist");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "a");
  test_session_drain (&t);
  g_assert_true (test_session_has_request (&t));
  saved = bosh_session_save (t.session);
  test_session_clear (&t);

  restore (&other, saved, NULL);
  g_bytes_unref (test_session_take_bytes (&other, &rid));
  g_assert_false (test_session_has_request (&other));
  test_session_advance (&other, 900 * 1000);
  g_assert_false (test_session_has_request (&other));
  test_session_advance (&other, 300 * 1000);
  g_assert_true (test_session_has_request (&other));
  test_session_events (&other, "attaching open OPENED");
  test_session_clear (&other);
}

static void
test_received (void)
{
  BoshSessionParameters parameters;
  BoshAction action;
  TestSession other;
  g_autoptr(BoshSession) session = NULL;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  g_autoptr(GBytes) body = NULL;
  static const char response[] = "<body xmlns='" BOSH_NS_HTTPBIND "' sid='s1' wait='60' "
                                 "requests='2' ver='1.6'>" MESSAGE ("1") MESSAGE ("2")
                                   MESSAGE ("3") "</body>";
  guint64 rid = 0;
  guint payloads = 0;

  g_test_summary ("R63: what arrived and was not handed out yet is part of the snapshot, and "
                  "comes once; what was handed out does not come again");

  test_session_default (&parameters);
  session = bosh_session_new (&parameters);
  bosh_session_open (session, 0);
  while (bosh_session_next_action (session, &action, 0))
    if (action.type == BOSH_ACTION_SEND)
      {
        rid = action.rid;
        g_bytes_unref (action.bytes);
      }
  body = g_bytes_new_static (response, strlen (response));
  bosh_session_handle_response (session, rid, &(BoshHttpResponse){ 200, body, -1, NULL }, 10);
  while (payloads == 0 && bosh_session_next_action (session, &action, 10))
    if (action.type == BOSH_ACTION_PAYLOAD)
      {
        bosh_element_unref (action.element);
        payloads++;
      }

  /* In the handler of the first. */
  saved = bosh_session_save (session);
  g_assert_cmpuint (saved->unanswered->len, ==, 0);
  g_assert_cmpuint (saved->next_rid, ==, rid + 1);
  assert_ids (saved->received, "23");
  while (bosh_session_next_action (session, &action, 10))
    {
      g_clear_pointer (&action.element, bosh_element_unref);
      g_clear_pointer (&action.bytes, g_bytes_unref);
    }

  restore (&other, saved, NULL);
  test_session_events (&other, "attaching");
  assert_ids (other.payloads, "23");
  g_assert_true (test_session_has_request (&other));
  test_session_clear (&other);
}

/* Checks that SHA-1 of @key is @previous: §15.4. */
static void
assert_follows (const char *key,
                const char *previous)
{
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA1, key, -1);

  g_assert_cmpstr (digest, ==, previous);
}

static void
test_keys (void)
{
  BoshSessionParameters parameters;
  g_autoptr(BoshElement) creation = NULL;
  g_autofree char *previous = NULL;
  TestSession t;
  guint64 rid;

  g_test_summary ("R71, R73, R95: the position in the key sequence is saved, also when the "
                  "sequence is switched; a repeat has the key that it had");

  test_session_default (&parameters);
  parameters.use_key_sequence = TRUE;
  parameters.key_sequence_length = 3;
  test_session_init (&t, &parameters);
  bosh_session_open (t.session, t.now);
  creation = test_session_take (&t, &rid);
  previous = g_strdup (bosh_element_get_attribute (creation, "newkey"));
  test_session_respond (&t, rid, TEST_GRANTS, "");

  for (guint i = 0; i < 12; i++)
    {
      g_autoptr(BoshSessionSnapshot) saved = NULL;
      g_autoptr(BoshElement) request = NULL;
      g_autoptr(BoshElement) repeat = NULL;
      const char *new_key;
      guint64 repeated_rid;

      request = test_session_take (&t, &rid);
      saved = bosh_session_save (t.session);
      test_session_clear (&t);
      restore (&t, saved, &parameters);
      repeat = test_session_take (&t, &repeated_rid);
      g_assert_cmpuint (repeated_rid, ==, rid);
      g_assert_true (bosh_element_equal (repeat, request));

      assert_follows (bosh_element_get_attribute (repeat, "key"), previous);
      new_key = bosh_element_get_attribute (repeat, "newkey");
      g_assert_true ((i % 2 == 1) == (new_key != NULL));
      g_free (previous);
      previous = g_strdup (new_key != NULL ? new_key : bosh_element_get_attribute (repeat, "key"));

      test_session_queue (&t, "x");
      test_session_respond (&t, rid, "", "");
    }
  test_session_clear (&t);
}

static void
test_acks (void)
{
  TestSession t;
  TestSession other;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  g_autoptr(BoshElement) next = NULL;
  guint64 rids[3];

  g_test_summary ("R40, R42, R44: acknowledgements go on in both directions after a restart");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS " ack='1'");
  g_bytes_unref (test_session_take_bytes (&t, &rids[0]));
  test_session_advance (&t, TEST_SECOND);
  test_session_queue (&t, "a");
  test_session_drain (&t);
  g_bytes_unref (test_session_take_bytes (&t, &rids[1]));
  saved = bosh_session_save (t.session);
  g_assert_true (saved->acknowledges);
  g_assert_true (saved->acknowledging);
  test_session_clear (&t);

  restore (&other, saved, NULL);
  g_bytes_unref (test_session_take_bytes (&other, &rids[0]));
  {
    g_autofree char *ack = g_strdup_printf ("ack='%" G_GUINT64_FORMAT "'", rids[1]);

    test_session_respond (&other, rids[0], ack, "");
  }
  /* It covers the second, whose response is still to come. */
  g_assert_cmpuint (other.delivered, >, 0);
  g_bytes_unref (test_session_take_bytes (&other, &rids[1]));
  test_session_advance (&other, TEST_SECOND);
  test_session_queue (&other, "b");
  test_session_drain (&other);
  next = test_session_take (&other, &rids[2]);
  {
    g_autofree char *ack = g_strdup_printf ("%" G_GUINT64_FORMAT, rids[0]);

    test_session_attribute (next, "ack", ack);
  }
  test_session_clear (&other);
}

static void
test_stale (void)
{
  static const struct
  {
    guint       status;
    const char *response;
  } cases[] = {
    { 200, "<body xmlns='" BOSH_NS_HTTPBIND "' type='terminate' condition='item-not-found'/>" },
    { 200, "<body xmlns='" BOSH_NS_HTTPBIND "' type='terminate' condition='item-not-found'/>" },
    { 404, "<html>No such session</html>" },
    { 404, "<html>No such session</html>" },
  };

  g_test_summary ("R66, R86, E05, E24: a snapshot "
                  "of a session that has ended fails once, with one request");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TestSession t;
      TestSession other;
      g_autoptr(BoshSessionSnapshot) saved = NULL;
      guint64 rid;

      test_session_init (&t, NULL);
      test_session_open (&t, TEST_GRANTS);
      g_bytes_unref (test_session_take_bytes (&t, &rid));
      test_session_advance (&t, TEST_SECOND);
      if (i % 2 == 0)
        {
          test_session_queue (&t, "a");
          test_session_drain (&t);
        }
      test_session_queue (&t, "b");
      saved = bosh_session_save (t.session);
      test_session_clear (&t);

      restore (&other, saved, NULL);
      test_session_queue (&other, "c");
      g_bytes_unref (test_session_take_bytes (&other, &rid));
      test_session_advance (&other, 500 * 1000);
      g_assert_false (test_session_has_request (&other));
      test_session_respond_http (&other, rid, cases[i].status, cases[i].response, -1);
      test_session_advance (&other, 600 * TEST_SECOND);
      g_assert_false (test_session_has_request (&other));
      test_session_events (&other, "attaching closed CLOSED");
      g_assert_error (other.error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
      test_session_clear (&other);
    }
}

static void
test_paused (void)
{
  TestSession t;
  TestSession other;
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  g_autoptr(BoshElement) pause = NULL;
  g_autoptr(BoshElement) next = NULL;
  guint64 rid;
  guint64 pause_rid;

  g_test_summary ("R51, R52: the next owner sends an open pause request again, and ends the pause, "
                  "also if the server never responds to it");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS " maxpause='120'");
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_advance (&t, TEST_SECOND);
  g_assert_true (bosh_session_pause (t.session, 60, NULL));
  test_session_drain (&t);
  g_bytes_unref (test_session_take_bytes (&t, &pause_rid));
  saved = bosh_session_save (t.session);
  test_session_clear (&t);

  restore (&other, saved, NULL);
  g_bytes_unref (test_session_take_bytes (&other, &rid));
  test_session_respond (&other, rid, "", "");
  pause = test_session_take (&other, &rid);
  g_assert_cmpuint (rid, ==, pause_rid);
  test_session_attribute (pause, "pause", "60");
  /* Some times, as there is no response. */
  for (guint i = 0; i < 4 && rid == pause_rid; i++)
    {
      g_clear_pointer (&next, bosh_element_unref);
      test_session_advance (&other, 4 * TEST_SECOND);
      next = test_session_take (&other, &rid);
    }
  g_assert_cmpuint (rid, ==, pause_rid + 1);
  test_session_attribute (next, "pause", NULL);
  g_assert_cmpint (bosh_session_get_state (other.session), ==, BOSH_SESSION_OPEN);
  test_session_clear (&other);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/session/save/savable", test_savable);
  g_test_add_func ("/bosh/session-save/logging-in", test_logging_in);
  g_test_add_func ("/bosh/session/save/exact-repeats", test_exact_repeats);
  g_test_add_func ("/bosh/session/save/delivered", test_delivered);
  g_test_add_func ("/bosh/session/save/held-first", test_held_first);
  g_test_add_func ("/bosh/session/save/received", test_received);
  g_test_add_func ("/bosh/session/save/keys", test_keys);
  g_test_add_func ("/bosh/session/save/acks", test_acks);
  g_test_add_func ("/bosh/session/save/stale", test_stale);
  g_test_add_func ("/bosh/session/save/paused", test_paused);

  return g_test_run ();
}
