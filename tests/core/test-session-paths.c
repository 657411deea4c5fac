/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a session learns about the server and the way to it, and what it does then. */

#include "config.h"

#include "bosh-test-session.h"

#include "bosh-session-state-private.h"
#include "bosh-xml-private.h"

#define MILLISECONDS(n) (TEST_SECOND / 1000 * (n))
#define MESSAGE "<message xmlns='jabber:client' from='peer@example.org'><body>hi</body></message>"

/* Lets time pass until a request is sent, and returns how much. */
static gint64
wait_for_request (TestSession *t,
                  guint64     *rid)
{
  gint64 start = t->now;

  while (!test_session_has_request (t))
    {
      gint64 deadline = bosh_session_get_deadline (t->session);

      g_assert_cmpint (deadline, !=, -1);
      g_assert_no_error (t->error);
      test_session_advance (t, deadline - t->now);
    }
  g_bytes_unref (test_session_take_bytes (t, rid));

  return t->now - start;
}

/* A session on a server that sends nothing, with a poll that was held for a second. */
static void
set_up_idle (TestSession *t,
             const char  *grants,
             guint64     *poll)
{
  test_session_init (t, NULL);
  test_session_open (t, grants);
  g_bytes_unref (test_session_take_bytes (t, poll));
  test_session_advance (t, TEST_SECOND);
}

static void
test_reply_takes_the_place_of_a_poll (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  guint64 poll;
  guint64 rid;

  g_test_summary ("After a stanza the poll is kept back for a moment, so a reply need not wait for it");

  set_up_idle (&t, TEST_GRANTS, &poll);
  test_session_respond (&t, poll, "", MESSAGE);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, MILLISECONDS (4));
  g_assert_false (test_session_has_request (&t));
  test_session_queue (&t, "reply");
  request = test_session_take (&t, &rid);
  g_assert_cmpuint (rid, ==, poll + 1);
  g_assert_cmpuint (bosh_element_get_n_children (request), ==, 1);
  g_assert_false (test_session_has_request (&t));

  /* Nobody replies. */
  test_session_respond (&t, rid, "", MESSAGE);
  g_assert_cmpint (wait_for_request (&t, &rid), ==, MILLISECONDS (5));

  /* Nothing was handed out, so no reply is to be expected. */
  test_session_advance (&t, 10 * TEST_SECOND);
  test_session_respond (&t, rid, "", "");
  g_assert_cmpint (wait_for_request (&t, &rid), ==, 0);
  test_session_clear (&t);
}

/* Sends stanzas one after the other, each when the one before is known to have arrived, to
 * a server that releases what it holds when the next request arrives. Returns the longest
 * time that one took. */
static gint64
send_awaited (gint64 round_trip,
              guint  count)
{
  BoshSessionParameters parameters;
  TestSession t;
  gint64 longest = 0;
  guint64 held;

  test_session_default (&parameters);
  parameters.use_acknowledgements = FALSE;
  test_session_init (&t, &parameters);
  bosh_session_open (t.session, t.now);
  g_bytes_unref (test_session_take_bytes (&t, &held));
  test_session_advance (&t, round_trip);
  test_session_respond (&t, held, TEST_GRANTS, "");
  g_bytes_unref (test_session_take_bytes (&t, &held));
  test_session_advance (&t, 10 * TEST_SECOND);

  for (guint i = 1; i <= count; i++)
    {
      gint64 start = t.now;
      guint64 rid;

      test_session_queue (&t, "text");
      bosh_session_hasten (t.session);
      wait_for_request (&t, &rid);
      g_assert_cmpuint (rid, ==, held + 1);
      test_session_advance (&t, round_trip);
      test_session_respond (&t, held, "", "");
      held = rid;
      while (t.delivered < i)
        {
          wait_for_request (&t, &rid);
          test_session_advance (&t, round_trip);
          test_session_respond (&t, held, "", "");
          held = rid;
        }
      longest = MAX (longest, t.now - start);
    }
  test_session_clear (&t);

  return longest;
}

static void
test_awaited_sends (void)
{
  g_test_summary ("Deliveries that are awaited one after the other take two round trips each");

  g_assert_cmpint (send_awaited (MILLISECONDS (200), 12), <=, MILLISECONDS (400));
  g_assert_cmpint (send_awaited (MILLISECONDS (30), 12), <=, MILLISECONDS (60));
  /* Less can't be told from a response that is on its way. */
  g_assert_cmpint (send_awaited (MILLISECONDS (1), 12), <=, MILLISECONDS (21));
}

static void
test_login_of_a_polling_session (void)
{
  BoshSessionParameters parameters;
  TestSession t;
  guint64 rid;

  g_test_summary ("R58: polls keep a long interval, requests with stanzas do not");

  test_session_default (&parameters);
  parameters.wait = 0;
  parameters.hold = 0;
  test_session_init (&t, &parameters);
  test_session_open (&t, "sid='s1' wait='0' hold='0' requests='1' inactivity='180' polling='35'");
  for (guint i = 0; i < 4; i++)
    {
      test_session_queue (&t, "step");
      g_assert_cmpint (wait_for_request (&t, &rid), <=, 2 * TEST_SECOND);
      test_session_respond (&t, rid, "", MESSAGE);
    }
  g_assert_cmpint (wait_for_request (&t, &rid), ==, 35 * TEST_SECOND);
  test_session_clear (&t);
}

typedef enum
{
  CUT_BREAKS,
  CUT_GATEWAY_TIMEOUT,
  CUT_REQUEST_TIMEOUT,
  N_CUTS
} Cut;

static void
cut (TestSession *t,
     guint64      rid,
     Cut          how)
{
  if (how == CUT_BREAKS)
    test_session_fail (t, rid, BOSH_FAILURE_BROKEN);
  else
    test_session_respond_http (t, rid, how == CUT_GATEWAY_TIMEOUT ? 504 : 408, "", -1);
}

/* A request that the server holds. */
typedef struct
{
  guint64 rid;
  gint64 since;
} Held;

/* An hour of silence behind a path that cuts each request after @patience seconds, from a
 * server that holds @hold of them. */
static void
check_impatient_path (guint patience,
                      guint hold,
                      Cut   how)
{
  g_autofree char *grants = g_strdup_printf ("sid='s1' wait='60' hold='%u' requests='%u' "
                                             "inactivity='30' polling='4' ver='1.11'",
                                             hold, hold + 1);
  BoshSessionParameters parameters;
  TestSession t;
  g_autoptr(GArray) held = g_array_new (FALSE, FALSE, sizeof (Held));
  guint n_cuts = 0;
  guint n_requests = 0;
  gint64 end;

  test_session_default (&parameters);
  parameters.hold = hold;
  test_session_init (&t, &parameters);
  test_session_open (&t, grants);
  for (end = t.now + 3600 * TEST_SECOND; t.now < end; test_session_advance (&t, TEST_SECOND / 2))
    {
      if (held->len > 0 &&
          t.now - g_array_index (held, Held, 0).since >= patience * TEST_SECOND)
        {
          guint64 rid = g_array_index (held, Held, 0).rid;

          n_cuts++;
          g_array_remove_index (held, 0);
          cut (&t, rid, how);
        }
      while (test_session_has_request (&t))
        {
          Held request = { .since = t.now };
          guint place = held->len;

          g_bytes_unref (test_session_take_bytes (&t, &request.rid));
          n_requests++;
          while (place > 0 && g_array_index (held, Held, place - 1).rid > request.rid)
            place--;
          g_array_insert_val (held, place, request);
          if (held->len <= hold)
            continue;
          test_session_respond (&t, g_array_index (held, Held, 0).rid, "", "");
          g_array_remove_index (held, 0);
        }
      g_assert_no_error (t.error);
    }

  /* It is learned from the first, when the others were held for long, too. */
  g_assert_cmpuint (n_cuts, >=, 1);
  g_assert_cmpuint (n_cuts, <=, hold);
  g_assert_cmpuint (n_requests, <=, hold * 3600 / (patience / 2));
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_OPEN);
  test_session_clear (&t);
}

static void
test_impatient_path (void)
{
  g_test_summary ("A proxy that cuts a request before the granted wait is over does so once");

  for (Cut how = CUT_BREAKS; how < N_CUTS; how++)
    {
      for (guint hold = 1; hold <= 2; hold++)
        {
          check_impatient_path (50, hold, how);
          check_impatient_path (30, hold, how);
          check_impatient_path (12, hold, how);
        }
    }
}

static void
test_patience_is_forgotten (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("The patience of a path is not learned from what breaks soon, and is forgotten "
                  "when the network changes");

  set_up_idle (&t, TEST_GRANTS, &rid);
  test_session_fail (&t, rid, BOSH_FAILURE_BROKEN);
  g_assert_cmpint (wait_for_request (&t, &rid), ==, 0);
  test_session_advance (&t, 30 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));

  test_session_fail (&t, rid, BOSH_FAILURE_BROKEN);
  g_assert_cmpint (wait_for_request (&t, &rid), <=, TEST_SECOND);
  bosh_session_handle_network (t.session, t.now);
  g_assert_cmpint (wait_for_request (&t, &rid), <=, TEST_SECOND);
  test_session_advance (&t, 50 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_clear (&t);
}

/* The sizes of the requests that carry stanzas of @size bytes of text. */
static void
check_batches (guint size,
               guint count,
               guint n_requests)
{
  BoshSessionParameters parameters;
  g_autofree char *text = g_strnfill (size, 'x');
  TestSession t;
  guint64 rid;

  test_session_default (&parameters);
  parameters.max_request_size = 512 * 1024;
  test_session_init (&t, &parameters);
  test_session_open_quietly (&t, TEST_GRANTS);
  for (guint i = 0; i < count; i++)
    test_session_queue (&t, text);
  for (guint i = 0; i < n_requests; i++)
    {
      g_autoptr(GBytes) bytes = test_session_take_bytes (&t, &rid);

      g_assert_cmpuint (g_bytes_get_size (bytes), <, MAX (size, 64 * 1024) + 1024);
      test_session_respond (&t, rid, "", "");
    }
  g_assert_cmpuint (t.delivered, ==, count);
  test_session_clear (&t);
}

static void
test_batches (void)
{
  g_test_summary ("Stanzas share a request up to 64 KiB; a larger one has its own");

  check_batches (5 * 1024, 30, 3);
  check_batches (200 * 1024, 2, 2);
}

/* What a server says of itself, and what that is worth. */
static void
test_who_sorts (void)
{
  static const struct
  {
    const char *grants;
    const char *content;
    gboolean    sorts;
    gboolean    may_drop;
  } cases[] = {
    /* Prosody since 0.10; Metronome, and Prosody before; Tigase, asked for
     * acknowledgements and not; Punjab; ejabberd. */
    { TEST_PROSODY_GRANTS, TEST_PROSODY_FEATURES, TRUE, FALSE },
    { TEST_PROSODY_GRANTS, "<stream:features xmlns:stream='" BOSH_NS_STREAMS "'/>", FALSE, TRUE },
    { TEST_PROSODY_GRANTS " ack='1' maxpause='30'", TEST_PROSODY_FEATURES, FALSE, TRUE },
    { TEST_PROSODY_GRANTS " maxpause='30'", TEST_PROSODY_FEATURES, FALSE, TRUE },
    { "sid='s1' wait='60' hold='1' requests='2'", TEST_PROSODY_FEATURES, FALSE, TRUE },
    { TEST_GRANTS, TEST_PROSODY_FEATURES, FALSE, FALSE },
  };

  g_test_summary ("Only what is certain counts as proof that a server sorts requests");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshSessionSnapshot) saved = NULL;
      BoshSessionParameters parameters;
      TestSession t;
      guint64 rid;

      test_session_init (&t, NULL);
      bosh_session_open (t.session, t.now);
      g_bytes_unref (test_session_take_bytes (&t, &rid));
      test_session_respond (&t, rid, cases[i].grants, cases[i].content);
      g_assert_cmpint (session_server_sorts (t.session), ==, cases[i].sorts);
      g_assert_cmpint (session_server_may_drop (t.session), ==, cases[i].may_drop);

      /* The next owner knows as much. */
      saved = bosh_session_save (t.session);
      test_session_default (&parameters);
      bosh_session_free (t.session);
      t.session = bosh_session_new_from_snapshot (saved, &parameters);
      g_assert_cmpint (session_server_sorts (t.session), ==, cases[i].sorts);
      g_assert_cmpint (session_server_may_drop (t.session), ==, cases[i].may_drop);
      test_session_clear (&t);
    }
}

/* As Metronome: nothing shows that it sorts. */
#define METRONOME_GRANTS TEST_PROSODY_GRANTS

static void
test_dropping_server_is_not_overtaken (void)
{
  TestSession t;
  guint64 poll;
  guint64 first;
  guint64 second;

  g_test_summary ("A server that may drop what is overtaken gets nothing new on a hint alone");

  set_up_idle (&t, METRONOME_GRANTS, &poll);
  test_session_queue (&t, "one");
  g_bytes_unref (test_session_take_bytes (&t, &first));
  test_session_queue (&t, "two");
  /* A stanza for us says nothing about ours. */
  test_session_advance (&t, MILLISECONDS (30));
  test_session_respond (&t, poll, "", MESSAGE);
  g_assert_cmpint (wait_for_request (&t, &second), ==, MILLISECONDS (70));
  g_assert_cmpuint (second, ==, first + 1);
  test_session_clear (&t);

  /* An early release shows that the request is there. */
  set_up_idle (&t, METRONOME_GRANTS, &poll);
  test_session_queue (&t, "one");
  g_bytes_unref (test_session_take_bytes (&t, &first));
  test_session_queue (&t, "two");
  test_session_advance (&t, MILLISECONDS (1));
  test_session_respond (&t, poll, "", "");
  g_assert_cmpuint (t.delivered, ==, 1);
  g_assert_cmpint (wait_for_request (&t, &second), ==, 0);
  test_session_clear (&t);

  /* The same after a poll, though that has nothing to lose: ejabberd would hang. */
  set_up_idle (&t, TEST_GRANTS, &poll);
  test_session_advance (&t, 5 * TEST_SECOND);
  test_session_respond (&t, poll, "", "");
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_queue (&t, "one");
  g_assert_cmpint (wait_for_request (&t, &first), ==, MILLISECONDS (100));
  test_session_clear (&t);
}

/* Two requests with a stanza each are out, the second without a proof that the first had
 * arrived, and the poll before them was held for long. */
static void
set_up_unproven (TestSession *t,
                 guint64     *first,
                 guint64     *second)
{
  guint64 poll;

  set_up_idle (t, METRONOME_GRANTS, &poll);
  test_session_queue (t, "one");
  g_bytes_unref (test_session_take_bytes (t, first));
  test_session_respond (t, poll, "", MESSAGE);
  test_session_queue (t, "two");
  wait_for_request (t, second);
}

static void
test_dropped_is_not_delivered (void)
{
  TestSession t;
  g_autoptr(GPtrArray) undelivered = NULL;
  guint64 first;
  guint64 second;

  g_test_summary ("What a server may have dropped does not count as delivered, though it responds");

  /* The first is released before anything new was sent: it was there first, and then the
   * second. */
  set_up_unproven (&t, &first, &second);
  test_session_advance (&t, MILLISECONDS (2));
  test_session_respond (&t, first, "", "");
  g_assert_cmpuint (t.delivered, ==, 2);
  test_session_events (&t, "");
  test_session_clear (&t);

  /* The second is released: that was there first. */
  set_up_unproven (&t, &first, &second);
  test_session_advance (&t, MILLISECONDS (2));
  test_session_respond (&t, second, "", "");
  test_session_advance (&t, MILLISECONDS (2));
  test_session_respond (&t, first, "", MESSAGE);
  test_session_events (&t, "FAILED(1)");
  g_assert_cmpuint (t.delivered, ==, 2);
  undelivered = bosh_session_dup_undelivered (t.session);
  g_assert_cmpuint (undelivered->len, ==, 1);
  test_session_clear (&t);

  /* A stanza for us says nothing about the order. */
  set_up_unproven (&t, &first, &second);
  test_session_advance (&t, MILLISECONDS (2));
  test_session_respond (&t, first, "", MESSAGE);
  test_session_events (&t, "FAILED(1)");
  test_session_respond (&t, second, "", MESSAGE);
  g_assert_cmpuint (t.delivered, ==, 2);
  test_session_clear (&t);
}

static void
test_restart_is_proven (void)
{
  TestSession t;
  guint64 restart;
  guint64 rid;

  g_test_summary ("Where a restart may be dropped, nothing follows it before its response but the "
                  "end of the session");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, METRONOME_GRANTS);
  g_assert_true (bosh_session_restart (t.session, NULL, NULL));
  test_session_queue (&t, "bind");
  g_bytes_unref (test_session_take_bytes (&t, &restart));
  test_session_advance (&t, 5 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_respond (&t, restart, "", TEST_PROSODY_FEATURES);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, restart + 1);
  test_session_clear (&t);

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, METRONOME_GRANTS);
  g_assert_true (bosh_session_restart (t.session, NULL, NULL));
  g_bytes_unref (test_session_take_bytes (&t, &restart));
  test_session_advance (&t, TEST_SECOND);
  g_assert_true (bosh_session_terminate (t.session, NULL, NULL));
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  g_assert_cmpuint (rid, ==, restart + 1);
  test_session_clear (&t);
}

/* The proxy of the tests takes bodies up to this size. */
#define PATH_LIMIT (20 * 1024)

/* Responds to a request as the proxy, or as a server behind it. Adds the stanzas that have
 * arrived to @bodies. Returns: whether it passed */
static gboolean
respond_behind_limit (TestSession *t,
                      guint64     *rid,
                      GPtrArray   *bodies)
{
  g_autoptr(GBytes) bytes = test_session_take_bytes (t, rid);
  g_autoptr(BoshElement) request = NULL;

  if (g_bytes_get_size (bytes) > PATH_LIMIT)
    {
      test_session_respond_http (t, *rid, 413, "<html>too large</html>", -1);
      return FALSE;
    }

  request = bosh_xml_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), NULL, NULL, NULL);
  g_assert_nonnull (request);
  for (guint i = 0; i < bosh_element_get_n_children (request); i++)
    {
      BoshElement *stanza = bosh_element_get_nth_child (request, i);

      g_ptr_array_add (bodies, bosh_element_dup_child_text (stanza, "body", BOSH_NS_CLIENT));
    }
  test_session_respond (t, *rid, "", "");

  return TRUE;
}

static void
test_refused_is_divided (void)
{
  g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func (g_free);
  BoshSessionParameters parameters;
  TestSession t;
  guint64 first = 0;
  guint n_refused = 0;

  g_test_summary ("A request that is too large for the path goes with less, under its number");

  test_session_default (&parameters);
  parameters.use_key_sequence = TRUE;
  test_session_init (&t, &parameters);
  test_session_open_quietly (&t, TEST_GRANTS);
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *filling = g_strnfill (1000, 'x');
      g_autofree char *text = g_strdup_printf ("%u %s", i, filling);

      test_session_queue (&t, text);
    }
  while (bodies->len < 100)
    {
      guint64 rid;

      if (!respond_behind_limit (&t, &rid, bodies))
        n_refused++;
      if (first == 0)
        first = rid;
      else if (bodies->len == 0)
        g_assert_cmpuint (rid, ==, first);
    }

  for (guint i = 0; i < bodies->len; i++)
    {
      g_autofree char *start = g_strdup_printf ("%u ", i);

      g_assert_true (g_str_has_prefix (g_ptr_array_index (bodies, i), start));
    }
  g_assert_cmpuint (n_refused, ==, 2);
  g_assert_cmpuint (t.delivered, ==, 100);
  g_assert_no_error (t.error);
  test_session_clear (&t);
}

static void
test_too_large_alone (void)
{
  g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *text = g_strnfill (30000, 'x');
  g_autoptr(BoshElement) large = bosh_element_new_message ("to@example.org", NULL, text);
  g_autoptr(GError) error = NULL;
  TestSession t;
  guint64 rid;
  guint64 next;

  g_test_summary ("A stanza that is too large for the path fails alone, and others like it at once");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, text);
  test_session_queue (&t, "small");
  test_session_queue (&t, text);
  test_session_queue (&t, "small, too");
  while (bodies->len < 2)
    respond_behind_limit (&t, &rid, bodies);
  test_session_events (&t, "FAILED(1) FAILED(3)");
  g_assert_cmpstr (g_ptr_array_index (bodies, 0), ==, "small");
  g_assert_cmpuint (t.delivered, ==, 4);

  g_assert_false (bosh_session_queue (t.session, large, NULL, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  test_session_queue (&t, "still");
  while (bodies->len < 3)
    respond_behind_limit (&t, &next, bodies);
  g_assert_cmpuint (next, ==, rid + 1);
  test_session_clear (&t);
}

static void
test_refused_copy (void)
{
  g_autofree char *text = g_strnfill (30000, 'x');
  g_autoptr(GPtrArray) undelivered = NULL;
  TestSession t;
  guint64 rid;

  g_test_summary ("R64: a request of which a copy may have arrived is not changed, and ends the "
                  "session if the path never takes it");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, text);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  test_session_fail (&t, rid, BOSH_FAILURE_BROKEN);
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr(GBytes) bytes = NULL;

      while (!test_session_has_request (&t))
        test_session_advance (&t, TEST_SECOND);
      bytes = test_session_take_bytes (&t, &rid);
      g_assert_cmpuint (g_bytes_get_size (bytes), >, 30000);
      test_session_respond_http (&t, rid, 413, "", -1);
    }
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  undelivered = bosh_session_dup_undelivered (t.session);
  g_assert_cmpuint (undelivered->len, ==, 1);
  test_session_clear (&t);
}

static void
test_refused_end (void)
{
  g_autofree char *text = g_strnfill (30000, 'x');
  g_autoptr(BoshElement) last = bosh_element_new_message ("to@example.org", NULL, text);
  g_autoptr(GPtrArray) bodies = g_ptr_array_new_with_free_func (g_free);
  g_autoptr(GPtrArray) unsent = NULL;
  TestSession t;
  guint64 rid;

  g_test_summary ("A last stanza that is too large for the path stays unsent, and the session ends all the same");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, "small");
  g_assert_true (bosh_session_terminate (t.session, last, NULL));
  g_assert_false (respond_behind_limit (&t, &rid, bodies));
  g_assert_true (respond_behind_limit (&t, &rid, bodies));
  test_session_events (&t, "terminating closed CLOSED");
  g_assert_no_error (t.error);
  g_assert_cmpuint (bodies->len, ==, 0);
  unsent = bosh_session_dup_unsent (t.session);
  g_assert_cmpuint (unsent->len, ==, 2);
  test_session_clear (&t);
}

static void
test_saved_while_refused (void)
{
  g_autofree char *text = g_strnfill (15000, 'x');
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  TestSession t;
  guint64 rid;
  g_autoptr(GBytes) bytes = NULL;

  g_test_summary ("A session that is saved while a request was refused has its stanzas once");

  test_session_init (&t, NULL);
  test_session_open_quietly (&t, TEST_GRANTS);
  test_session_queue (&t, text);
  test_session_queue (&t, text);
  g_bytes_unref (test_session_take_bytes (&t, &rid));
  bytes = g_bytes_new_static ("", 0);
  bosh_session_handle_response (t.session, rid, &(BoshHttpResponse){ 413, bytes, -1, NULL }, t.now);
  saved = bosh_session_save (t.session);
  g_assert_cmpuint (saved->unanswered->len, ==, 1);
  g_assert_false (g_array_index (saved->unanswered, BoshSnapshotRequest, 0).has_payload);
  g_assert_cmpuint (g_bytes_get_size (g_array_index (saved->unanswered, BoshSnapshotRequest, 0).body),
                    <, 500);
  g_assert_cmpuint (saved->unsent->len, ==, 2);
  test_session_clear (&t);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/session-paths/reply-takes-the-place-of-a-poll",
                   test_reply_takes_the_place_of_a_poll);
  g_test_add_func ("/bosh/session-paths/awaited-sends", test_awaited_sends);
  g_test_add_func ("/bosh/session-paths/login-of-a-polling-session", test_login_of_a_polling_session);
  g_test_add_func ("/bosh/session-paths/impatient-path", test_impatient_path);
  g_test_add_func ("/bosh/session-paths/patience-is-forgotten", test_patience_is_forgotten);
  g_test_add_func ("/bosh/session-paths/batches", test_batches);

  g_test_add_func ("/bosh/session-paths/who-sorts", test_who_sorts);
  g_test_add_func ("/bosh/session-paths/dropping-server-is-not-overtaken",
                   test_dropping_server_is_not_overtaken);
  g_test_add_func ("/bosh/session-paths/dropped-is-not-delivered", test_dropped_is_not_delivered);
  g_test_add_func ("/bosh/session-paths/restart-is-proven", test_restart_is_proven);
  g_test_add_func ("/bosh/session-paths/refused-is-divided", test_refused_is_divided);
  g_test_add_func ("/bosh/session-paths/too-large-alone", test_too_large_alone);
  g_test_add_func ("/bosh/session-paths/refused-copy", test_refused_copy);
  g_test_add_func ("/bosh/session-paths/refused-end", test_refused_end);
  g_test_add_func ("/bosh/session-paths/saved-while-refused", test_saved_while_refused);

  return g_test_run ();
}
