/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <gio/gio.h>

#include "bosh-error.h"
#include "bosh-iq-tracker-private.h"

#define DOMAIN "example.org"
#define JID "alice@example.org/home"

/* One request: what became of it. */
typedef struct
{
  guint        calls;
  BoshElement *response;
  GError      *error;
} Outcome;

static void
on_done (GObject      *source_object,
         GAsyncResult *result,
         gpointer      user_data)
{
  Outcome *outcome = user_data;

  outcome->calls++;
  outcome->response = g_task_propagate_pointer (G_TASK (result), &outcome->error);
}

static void
outcome_clear (Outcome *outcome)
{
  g_clear_pointer (&outcome->response, bosh_element_unref);
  g_clear_error (&outcome->error);
  outcome->calls = 0;
}

/* Times out after @timeout seconds, or never if that is 0. */
static void
add (BoshIqTracker *tracker,
     const char    *id,
     const char    *to,
     guint          timeout,
     GCancellable  *cancellable,
     Outcome       *outcome)
{
  g_autoptr(BoshElement) iq = bosh_element_new_iq (to, "get", NULL);

  bosh_element_set_attribute (iq, "id", id);
  bosh_iq_tracker_add (tracker, iq,
                       timeout > 0 ? g_get_monotonic_time () + timeout * G_TIME_SPAN_SECOND : -1,
                       g_task_new (NULL, cancellable, on_done, outcome));
}

static gboolean
respond (BoshIqTracker *tracker,
         const char    *id,
         const char    *from,
         const char    *type)
{
  g_autoptr(BoshElement) iq = bosh_element_new_iq (NULL, type, NULL);

  if (id != NULL)
    bosh_element_set_attribute (iq, "id", id);
  if (from != NULL)
    bosh_element_set_attribute (iq, "from", from);

  return bosh_iq_tracker_handle (tracker, iq, DOMAIN, JID);
}

static void
wait_for (Outcome *outcome)
{
  while (outcome->calls == 0)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (outcome->calls, ==, 1);
}

static void
test_addresses (void)
{
  static const struct
  {
    const char *to;
    const char *from;
    gboolean    accepted;
  } cases[] = {
    /* To our own account. */
    { NULL, NULL, TRUE },
    { NULL, "alice@example.org", TRUE },
    { NULL, "Alice@Example.ORG", TRUE },
    { NULL, JID, TRUE },
    { NULL, DOMAIN, TRUE },
    { NULL, "alice@example.org/work", FALSE },
    { NULL, "mallory@example.org", FALSE },
    { NULL, "mallory@example.org/home", FALSE },
    { NULL, "example.com", FALSE },
    { NULL, "", FALSE },
    /* To addresses for which the server responds. */
    { DOMAIN, NULL, TRUE },
    { DOMAIN, DOMAIN, TRUE },
    { DOMAIN, "EXAMPLE.org", TRUE },
    { DOMAIN, "alice@example.org", FALSE },
    { "alice@example.org", NULL, TRUE },
    { "alice@example.org", "alice@example.org", TRUE },
    { "alice@example.org", DOMAIN, FALSE },
    { JID, NULL, TRUE },
    { JID, JID, TRUE },
    { JID, "alice@example.org/HOME", FALSE },
    /* To others. */
    { "bob@example.org/x", "bob@example.org/x", TRUE },
    { "bob@example.org/x", "Bob@example.org/x", TRUE },
    { "bob@example.org/x", "bob@example.org/X", FALSE },
    { "bob@example.org/x", "bob@example.org", FALSE },
    { "bob@example.org/x", NULL, FALSE },
    { "bob@example.org/x", JID, FALSE },
    { "bob@example.org/x", DOMAIN, FALSE },
    { "conference.example.org", "conference.example.org", TRUE },
    { "conference.example.org", NULL, FALSE },
    { "conference.example.org", DOMAIN, FALSE },
  };

  g_test_summary ("RFC 6120 §8.1.2.1, §8.2.3: a response counts by its id and its sender");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshIqTracker) tracker = bosh_iq_tracker_new (g_main_context_default ());
      Outcome outcome = { 0 };

      add (tracker, "a", cases[i].to, 60, NULL, &outcome);
      g_assert_false (respond (tracker, "b", cases[i].from, "result"));
      g_assert_cmpint (respond (tracker, "a", cases[i].from, "result"), ==,
                       cases[i].accepted);
      if (!cases[i].accepted)
        {
          const char *from = cases[i].to;

          g_assert_true (bosh_iq_tracker_has (tracker, "a"));
          g_assert_true (respond (tracker, "a", from, "result"));
        }
      wait_for (&outcome);
      g_assert_no_error (outcome.error);
      g_assert_nonnull (outcome.response);
      g_assert_false (bosh_iq_tracker_has (tracker, "a"));
      /* Twice is once too often. */
      g_assert_false (respond (tracker, "a", cases[i].from, "result"));
      outcome_clear (&outcome);
    }
}

static void
test_types (void)
{
  g_autoptr(BoshIqTracker) tracker = bosh_iq_tracker_new (g_main_context_default ());
  Outcome outcome = { 0 };

  g_test_summary ("RFC 6120 §8.2.3: only `result` and `error` are responses; an error "
                  "is the error of the task");

  add (tracker, "a", NULL, 0, NULL, &outcome);
  g_assert_false (respond (tracker, "a", NULL, "get"));
  g_assert_false (respond (tracker, "a", NULL, "set"));
  g_assert_false (respond (tracker, "a", NULL, "odd"));
  g_assert_false (respond (tracker, NULL, NULL, "result"));
  g_assert_true (respond (tracker, "a", NULL, "error"));
  wait_for (&outcome);
  g_assert_null (outcome.response);
  g_assert_error (outcome.error, BOSH_STANZA_ERROR, BOSH_STANZA_ERROR_UNDEFINED_CONDITION);
  outcome_clear (&outcome);
}

static void
test_timeout (void)
{
  g_autoptr(BoshIqTracker) tracker = bosh_iq_tracker_new (g_main_context_default ());
  Outcome late = { 0 };
  Outcome endless = { 0 };
  Outcome early[3] = { 0 };
  gint64 begin = g_get_monotonic_time ();

  g_test_summary ("Each request ends at its own time, in whatever order they came");

  add (tracker, "endless", NULL, 0, NULL, &endless);
  add (tracker, "late", NULL, 3600, NULL, &late);
  for (guint i = 0; i < G_N_ELEMENTS (early); i++)
    {
      g_autofree char *id = g_strdup_printf ("early%u", i);

      add (tracker, id, NULL, 1, NULL, &early[i]);
    }

  for (guint i = 0; i < G_N_ELEMENTS (early); i++)
    {
      wait_for (&early[i]);
      g_assert_error (early[i].error, BOSH_ERROR, BOSH_ERROR_TIMED_OUT);
      outcome_clear (&early[i]);
    }
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, G_USEC_PER_SEC);
  g_assert_cmpuint (late.calls + endless.calls, ==, 0);
  g_assert_false (respond (tracker, "early0", NULL, "result"));

  g_assert_true (respond (tracker, "late", NULL, "result"));
  g_assert_true (respond (tracker, "endless", NULL, "result"));
  wait_for (&late);
  wait_for (&endless);
  outcome_clear (&late);
  outcome_clear (&endless);
}

typedef struct
{
  Outcome outcome;
  Outcome other;
} Nesting;

static void
wait_for_other (GObject      *source_object,
                GAsyncResult *result,
                gpointer      user_data)
{
  Nesting *nesting = user_data;

  on_done (source_object, result, &nesting->outcome);
  wait_for (&nesting->other);
}

static void
test_timeout_in_callback (void)
{
  g_autoptr(BoshIqTracker) tracker = bosh_iq_tracker_new (g_main_context_default ());
  g_autoptr(BoshElement) iq = bosh_element_new_iq (NULL, "get", NULL);
  Nesting nesting = { 0 };

  g_test_summary ("Requests time out in the main loop that a callback runs");

  bosh_element_set_attribute (iq, "id", "a");
  bosh_iq_tracker_add (tracker, iq, g_get_monotonic_time (),
                       g_task_new (NULL, NULL, wait_for_other, &nesting));
  add (tracker, "b", NULL, 1, NULL, &nesting.other);
  wait_for (&nesting.outcome);
  g_assert_error (nesting.other.error, BOSH_ERROR, BOSH_ERROR_TIMED_OUT);
  outcome_clear (&nesting.outcome);
  outcome_clear (&nesting.other);
}

static void
test_cancel (void)
{
  g_autoptr(BoshIqTracker) tracker = bosh_iq_tracker_new (g_main_context_default ());
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  Outcome cancelled = { 0 };
  Outcome other = { 0 };

  g_test_summary ("A request that is cancelled waits no more; others do");

  add (tracker, "a", NULL, 60, cancellable, &cancelled);
  add (tracker, "b", NULL, 60, NULL, &other);
  g_cancellable_cancel (cancellable);
  wait_for (&cancelled);
  g_assert_error (cancelled.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (respond (tracker, "a", NULL, "result"));
  g_assert_true (respond (tracker, "b", NULL, "result"));
  wait_for (&other);
  outcome_clear (&cancelled);
  outcome_clear (&other);
}

static void
test_fail_all (void)
{
  g_autoptr(BoshIqTracker) tracker = bosh_iq_tracker_new (g_main_context_default ());
  g_autoptr(GError) error = NULL;
  Outcome outcomes[100] = { 0 };

  g_test_summary ("When the session ends, every request fails with the reason");

  for (guint i = 0; i < G_N_ELEMENTS (outcomes); i++)
    {
      g_autofree char *id = g_strdup_printf ("%u", i);

      add (tracker, id, NULL, i % 2 == 0 ? 60 : 0, NULL, &outcomes[i]);
    }

  error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_SESSION_LOST, "Lost");
  bosh_iq_tracker_fail_all (tracker, error);
  for (guint i = 0; i < G_N_ELEMENTS (outcomes); i++)
    {
      wait_for (&outcomes[i]);
      g_assert_error (outcomes[i].error, BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
      outcome_clear (&outcomes[i]);
    }
  g_assert_false (bosh_iq_tracker_has (tracker, "0"));
}

static void
test_fail_sent (void)
{
  g_autoptr(BoshIqTracker) tracker = bosh_iq_tracker_new (g_main_context_default ());
  g_autoptr(GError) error = NULL;
  Outcome sent = { 0 };
  Outcome waiting = { 0 };

  g_test_summary ("A request that waits for a session does not fail with another one");

  add (tracker, "a", NULL, 60, NULL, &sent);
  add (tracker, "b", NULL, 60, NULL, &waiting);
  bosh_iq_tracker_sent (tracker, "a");
  bosh_iq_tracker_sent (tracker, "c");
  error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_SESSION_LOST, "Lost");
  bosh_iq_tracker_fail_sent (tracker, error);
  wait_for (&sent);
  g_assert_error (sent.error, BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
  g_assert_cmpuint (waiting.calls, ==, 0);

  bosh_iq_tracker_sent (tracker, "b");
  bosh_iq_tracker_fail_sent (tracker, error);
  wait_for (&waiting);
  g_assert_error (waiting.error, BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
  outcome_clear (&sent);
  outcome_clear (&waiting);
}

typedef struct
{
  BoshIqTracker *tracker;
  guint          calls;
} Dropper;

static void
drop_tracker (GObject      *source_object,
              GAsyncResult *result,
              gpointer      user_data)
{
  Dropper *dropper = user_data;

  dropper->calls++;
  g_clear_pointer (&dropper->tracker, bosh_iq_tracker_free);
}

static gboolean
respond_in_loop (gpointer user_data)
{
  Dropper *dropper = user_data;

  g_assert_true (respond (dropper->tracker, "a", NULL, "result"));

  return G_SOURCE_REMOVE;
}

static void
test_drop (void)
{
  Dropper dropper = { 0 };
  g_autoptr(GSource) source = g_timeout_source_new (0);
  g_autoptr(BoshElement) iq = bosh_element_new_iq (NULL, "get", NULL);

  g_test_summary ("A callback may free the tracker that called it");

  bosh_element_set_attribute (iq, "id", "a");
  dropper.tracker = bosh_iq_tracker_new (g_main_context_default ());
  bosh_iq_tracker_add (dropper.tracker, iq, -1,
                       g_task_new (NULL, NULL, drop_tracker, &dropper));
  g_source_set_callback (source, respond_in_loop, &dropper, NULL);
  g_source_attach (source, NULL);
  while (dropper.tracker != NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (dropper.calls, ==, 1);

  /* The same from the timer. */
  dropper.tracker = bosh_iq_tracker_new (g_main_context_default ());
  bosh_iq_tracker_add (dropper.tracker, iq, g_get_monotonic_time (),
                       g_task_new (NULL, NULL, drop_tracker, &dropper));
  while (dropper.tracker != NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (dropper.calls, ==, 2);
}

static void
test_idle (void)
{
  g_autoptr(BoshIqTracker) tracker = bosh_iq_tracker_new (g_main_context_default ());
  Outcome outcome = { 0 };

  g_test_summary ("The main loop has a source to check only while a request is open");

  for (guint n = 0; n < 2; n++)
    {
      g_assert_null (g_main_context_find_source_by_user_data (NULL, tracker));
      add (tracker, "i", NULL, 60, NULL, &outcome);
      g_assert_nonnull (g_main_context_find_source_by_user_data (NULL, tracker));
      g_assert_true (respond (tracker, "i", NULL, "result"));
      wait_for (&outcome);
      outcome_clear (&outcome);
    }
  g_assert_null (g_main_context_find_source_by_user_data (NULL, tracker));
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/iq-tracker/addresses", test_addresses);
  g_test_add_func ("/bosh/iq-tracker/types", test_types);
  g_test_add_func ("/bosh/iq-tracker/timeout", test_timeout);
  g_test_add_func ("/bosh/iq-tracker/timeout-in-callback", test_timeout_in_callback);
  g_test_add_func ("/bosh/iq-tracker/cancel", test_cancel);
  g_test_add_func ("/bosh/iq-tracker/fail-all", test_fail_all);
  g_test_add_func ("/bosh/iq-tracker/fail-sent", test_fail_sent);
  g_test_add_func ("/bosh/iq-tracker/drop", test_drop);
  g_test_add_func ("/bosh/iq-tracker/idle", test_idle);

  return g_test_run ();
}
