/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <gio/gio.h>

#include "bosh-delivery-tracker-private.h"
#include "bosh-error.h"

typedef struct
{
  guint   calls;
  GError *error;
} Outcome;

static void
on_done (GObject      *source_object,
         GAsyncResult *result,
         gpointer      user_data)
{
  Outcome *outcome = user_data;

  outcome->calls++;
  g_task_propagate_boolean (G_TASK (result), &outcome->error);
}

static BoshElement *
new_message (void)
{
  return bosh_element_new_message ("bob@example.org", NULL, "x");
}

static guint64
add (BoshDeliveryTracker *tracker,
     BoshElement         *element,
     GCancellable        *cancellable,
     Outcome             *outcome)
{
  return bosh_delivery_tracker_add (tracker, element,
                                    g_task_new (NULL, cancellable, on_done, outcome));
}

static void
run_dry (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
assert_open (Outcome *outcome)
{
  run_dry ();
  g_assert_cmpuint (outcome->calls, ==, 0);
}

static void
assert_delivered (Outcome *outcome)
{
  run_dry ();
  g_assert_cmpuint (outcome->calls, ==, 1);
  g_assert_no_error (outcome->error);
}

static void
assert_failed (Outcome *outcome,
               GQuark   domain,
               int      code)
{
  run_dry ();
  g_assert_cmpuint (outcome->calls, ==, 1);
  g_assert_error (outcome->error, domain, code);
  g_clear_error (&outcome->error);
}

static GError *
new_loss (void)
{
  return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_SESSION_LOST, "Lost");
}

static void
test_in_order (void)
{
  g_autoptr(BoshDeliveryTracker) tracker = bosh_delivery_tracker_new (g_main_context_default ());
  g_autoptr(BoshElement) message = new_message ();
  Outcome outcomes[4] = { 0 };
  guint64 ids[4];

  g_test_summary ("What the server has, and nothing else, is delivered");

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    ids[i] = add (tracker, message, NULL, &outcomes[i]);
  /* The last one waits for a session, the others were sent in another order. */
  bosh_delivery_tracker_sent (tracker, ids[2], 10);
  bosh_delivery_tracker_sent (tracker, ids[0], 12);
  bosh_delivery_tracker_sent (tracker, ids[1], 13);
  bosh_delivery_tracker_succeed (tracker, 9);
  assert_open (&outcomes[2]);
  bosh_delivery_tracker_succeed (tracker, 12);
  assert_delivered (&outcomes[2]);
  assert_delivered (&outcomes[0]);
  assert_open (&outcomes[1]);
  bosh_delivery_tracker_succeed (tracker, G_MAXUINT64);
  assert_delivered (&outcomes[1]);
  assert_open (&outcomes[3]);

  bosh_delivery_tracker_sent (tracker, ids[3], 1);
  bosh_delivery_tracker_succeed (tracker, 1);
  assert_delivered (&outcomes[3]);
}

static void
test_loss (void)
{
  g_autoptr(BoshDeliveryTracker) tracker = bosh_delivery_tracker_new (g_main_context_default ());
  g_autoptr(BoshElement) sent_again = new_message ();
  g_autoptr(BoshElement) dropped = new_message ();
  g_autoptr(BoshElement) unknown = new_message ();
  g_autoptr(GError) loss = new_loss ();
  Outcome outcomes[4] = { 0 };
  guint64 ids[4];

  g_test_summary ("A delivery outlives its session if the stanza does, and fails with it otherwise");

  ids[0] = add (tracker, sent_again, NULL, &outcomes[0]);
  ids[1] = add (tracker, sent_again, NULL, &outcomes[1]);
  ids[2] = add (tracker, dropped, NULL, &outcomes[2]);
  ids[3] = add (tracker, unknown, NULL, &outcomes[3]);
  for (guint i = 0; i < 3; i++)
    bosh_delivery_tracker_sent (tracker, ids[i], i + 1);

  g_assert_cmpuint (bosh_delivery_tracker_find_lost (tracker, sent_again), ==, 0);
  bosh_delivery_tracker_lose (tracker);
  bosh_delivery_tracker_succeed (tracker, G_MAXUINT64);
  g_assert_cmpuint (bosh_delivery_tracker_find_lost (tracker, unknown), ==, 0);
  g_assert_cmpuint (bosh_delivery_tracker_find_lost (tracker, dropped), ==, ids[2]);
  g_assert_cmpuint (bosh_delivery_tracker_find_lost (tracker, sent_again), ==, ids[0]);
  bosh_delivery_tracker_keep (tracker, ids[0]);
  g_assert_cmpuint (bosh_delivery_tracker_find_lost (tracker, sent_again), ==, ids[1]);
  bosh_delivery_tracker_keep (tracker, ids[1]);
  g_assert_cmpuint (bosh_delivery_tracker_find_lost (tracker, sent_again), ==, 0);

  bosh_delivery_tracker_fail_lost (tracker, loss);
  assert_failed (&outcomes[2], BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
  assert_open (&outcomes[0]);
  assert_open (&outcomes[3]);

  bosh_delivery_tracker_sent (tracker, ids[0], 1);
  bosh_delivery_tracker_succeed (tracker, 1);
  assert_delivered (&outcomes[0]);
  bosh_delivery_tracker_fail_all (tracker, loss);
  assert_failed (&outcomes[1], BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
  assert_failed (&outcomes[3], BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
}

static void
test_unsent (void)
{
  g_autoptr(BoshDeliveryTracker) tracker = bosh_delivery_tracker_new (g_main_context_default ());
  g_autoptr(BoshElement) message = new_message ();
  g_autoptr(GError) loss = new_loss ();
  Outcome outcomes[3] = { 0 };
  guint64 ids[3];

  g_test_summary ("Each copy of an element that was delivered several times has a delivery of its "
                  "own, whether it was sent or not");

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      ids[i] = add (tracker, message, NULL, &outcomes[i]);
      bosh_delivery_tracker_sent (tracker, ids[i], i + 1);
    }
  g_assert_cmpuint (bosh_delivery_tracker_take_unsent (tracker, message), ==, 0);
  bosh_delivery_tracker_lose (tracker);
  /* The first copy may have arrived. */
  g_assert_cmpuint (bosh_delivery_tracker_take_unsent (tracker, message), ==, ids[2]);
  g_assert_cmpuint (bosh_delivery_tracker_take_unsent (tracker, message), ==, ids[1]);
  g_assert_cmpuint (bosh_delivery_tracker_find_lost (tracker, message), ==, ids[0]);
  bosh_delivery_tracker_keep_unsent (tracker);
  bosh_delivery_tracker_fail_lost (tracker, loss);
  assert_failed (&outcomes[0], BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
  assert_open (&outcomes[1]);
  assert_open (&outcomes[2]);

  /* They are lost once more, and not sent again. */
  for (guint i = 1; i < G_N_ELEMENTS (ids); i++)
    bosh_delivery_tracker_sent (tracker, ids[i], i);
  bosh_delivery_tracker_lose (tracker);
  g_assert_cmpuint (bosh_delivery_tracker_take_unsent (tracker, message), ==, ids[2]);
  bosh_delivery_tracker_fail_lost (tracker, loss);
  assert_failed (&outcomes[1], BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
  assert_failed (&outcomes[2], BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
}

static void
test_one_fails (void)
{
  g_autoptr(BoshDeliveryTracker) tracker = bosh_delivery_tracker_new (g_main_context_default ());
  g_autoptr(BoshElement) message = new_message ();
  g_autoptr(GError) error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED, "Closed");
  Outcome outcomes[2] = { 0 };

  g_test_summary ("XEP-0124 §16: a stanza whose stream was closed fails alone");

  for (guint i = 0; i < G_N_ELEMENTS (outcomes); i++)
    bosh_delivery_tracker_sent (tracker, add (tracker, message, NULL, &outcomes[i]), i + 1);
  bosh_delivery_tracker_fail (tracker, 3, error);
  bosh_delivery_tracker_fail (tracker, 1, error);
  bosh_delivery_tracker_fail (tracker, 1, error);
  assert_failed (&outcomes[0], BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  assert_open (&outcomes[1]);
  bosh_delivery_tracker_succeed (tracker, 2);
  assert_delivered (&outcomes[1]);
}

static void
test_cancel (void)
{
  g_autoptr(BoshDeliveryTracker) tracker = bosh_delivery_tracker_new (g_main_context_default ());
  g_autoptr(BoshElement) message = new_message ();
  g_autoptr(GError) loss = new_loss ();

  g_test_summary ("A delivery is cancelled in whatever state it is, and others are not");

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      Outcome cancelled = { 0 };
      Outcome other = { 0 };
      guint64 id = add (tracker, message, cancellable, &cancelled);
      guint64 other_id = add (tracker, message, NULL, &other);

      if (i > 0)
        {
          bosh_delivery_tracker_sent (tracker, id, 1);
          bosh_delivery_tracker_sent (tracker, other_id, 2);
        }
      if (i > 1)
        bosh_delivery_tracker_lose (tracker);
      g_cancellable_cancel (cancellable);
      assert_failed (&cancelled, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      assert_open (&other);

      /* These find nothing any more. */
      bosh_delivery_tracker_sent (tracker, id, 3);
      bosh_delivery_tracker_keep (tracker, id);
      bosh_delivery_tracker_fail_all (tracker, loss);
      assert_failed (&other, BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
      g_assert_cmpuint (cancelled.calls, ==, 1);
    }
}

static void
test_delivered_and_cancelled (void)
{
  g_autoptr(BoshDeliveryTracker) tracker = bosh_delivery_tracker_new (g_main_context_default ());
  g_autoptr(BoshElement) message = new_message ();
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  Outcome outcome = { 0 };

  g_test_summary ("A stanza that the server has is delivered, even if it was cancelled just before");

  bosh_delivery_tracker_sent (tracker, add (tracker, message, cancellable, &outcome), 1);
  g_cancellable_cancel (cancellable);
  bosh_delivery_tracker_succeed (tracker, 1);
  assert_delivered (&outcome);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/delivery-tracker/in-order", test_in_order);
  g_test_add_func ("/bosh/delivery-tracker/loss", test_loss);
  g_test_add_func ("/bosh/delivery-tracker/unsent", test_unsent);
  g_test_add_func ("/bosh/delivery-tracker/one-fails", test_one_fails);
  g_test_add_func ("/bosh/delivery-tracker/cancel", test_cancel);
  g_test_add_func ("/bosh/delivery-tracker/delivered-and-cancelled",
                   test_delivered_and_cancelled);

  return g_test_run ();
}
