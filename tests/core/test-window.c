/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-session-timing-private.h"
#include "bosh-window-private.h"

static Request *
add (BoshWindow *window,
     guint64     last_serial)
{
  Request *request = bosh_window_add (window, REQUEST_PAYLOAD, g_bytes_new_static ("x", 1));

  request->last_serial = last_serial;

  return request;
}

static void
test_empty (void)
{
  BoshWindow window;

  g_test_summary ("XEP-0124 §9.2: if no response is missing, there is nothing to acknowledge");

  bosh_window_init (&window);
  window.next_rid = 10;

  g_assert_null (bosh_window_get_oldest (&window));
  g_assert_null (bosh_window_get_newest (&window));
  g_assert_null (bosh_window_find (&window, 10));
  g_assert_cmpuint (bosh_window_get_n_requests (&window), ==, 0);
  g_assert_cmpuint (bosh_window_get_n_in_flight (&window), ==, 0);
  g_assert_cmpuint (bosh_window_get_in_flight_serial (&window), ==, 0);
  g_assert_cmpuint (bosh_window_get_ack (&window), ==, 0);
  g_assert_cmpuint (bosh_window_get_unused_rid (&window), ==, 10);

  bosh_window_clear (&window);
}

static void
test_numbers (void)
{
  BoshWindow window;
  Request *first;
  Request *second;
  Request *third;

  g_test_summary ("Requests are numbered one by one, found by number, and kept in order");

  bosh_window_init (&window);
  window.next_rid = 10;
  first = add (&window, 0);
  second = add (&window, 0);
  third = add (&window, 0);

  g_assert_cmpuint (first->rid, ==, 10);
  g_assert_cmpuint (second->rid, ==, 11);
  g_assert_cmpuint (third->rid, ==, 12);
  g_assert_cmpuint (window.next_rid, ==, 13);
  g_assert_cmpint (first->written_at, ==, NEVER);
  g_assert_cmpint (first->retry_at, ==, NEVER);
  g_assert_cmpint (first->suspect_at, ==, NEVER);
  g_assert_cmpint (first->doubted_at, ==, NEVER);

  g_assert_true (bosh_window_find (&window, 11) == second);
  g_assert_null (bosh_window_find (&window, 13));
  g_assert_true (bosh_window_get_oldest (&window) == first);
  g_assert_true (bosh_window_get_newest (&window) == third);
  g_assert_true (bosh_window_get_next (&window, first) == second);
  g_assert_null (bosh_window_get_next (&window, third));
  g_assert_cmpuint (bosh_window_get_ack (&window), ==, 9);

  bosh_window_remove (&window, second);
  g_assert_true (bosh_window_get_next (&window, first) == third);
  g_assert_cmpuint (bosh_window_get_n_requests (&window), ==, 2);
  bosh_window_remove (&window, first);
  g_assert_cmpuint (bosh_window_get_ack (&window), ==, 11);

  bosh_window_clear (&window);
}

static void
test_restored (void)
{
  BoshWindow window;
  Request *request;

  g_test_summary ("A restored request has its own number, and does not use up another");

  bosh_window_init (&window);
  window.next_rid = 10;
  request = bosh_window_add_restored (&window, 9, REQUEST_EMPTY, g_bytes_new_static ("x", 1));

  g_assert_cmpuint (request->rid, ==, 9);
  g_assert_cmpuint (window.next_rid, ==, 10);
  g_assert_cmpuint (add (&window, 0)->rid, ==, 10);

  bosh_window_clear (&window);
}

static void
test_in_flight (void)
{
  BoshWindow window;
  Request *first;
  Request *second;

  g_test_summary ("What is in flight counts, and what only waits to be sent again does not");

  bosh_window_init (&window);
  first = add (&window, 3);
  second = add (&window, 5);

  first->in_flight = TRUE;
  g_assert_cmpuint (bosh_window_get_n_in_flight (&window), ==, 1);
  g_assert_cmpuint (bosh_window_get_in_flight_serial (&window), ==, 3);
  second->in_flight = TRUE;
  g_assert_cmpuint (bosh_window_get_n_in_flight (&window), ==, 2);
  g_assert_cmpuint (bosh_window_get_in_flight_serial (&window), ==, 5);
  first->in_flight = FALSE;
  second->in_flight = FALSE;
  g_assert_cmpuint (bosh_window_get_n_in_flight (&window), ==, 0);
  g_assert_cmpuint (bosh_window_get_in_flight_serial (&window), ==, 0);

  bosh_window_clear (&window);
}

static void
test_unused_rid (void)
{
  BoshWindow window;
  Request *first;
  Request *second;

  g_test_summary ("The next owner of a session begins at the number that was never seen");

  bosh_window_init (&window);
  window.next_rid = 10;
  first = add (&window, 0);
  second = add (&window, 0);

  g_assert_cmpuint (bosh_window_get_unused_rid (&window), ==, 10);
  first->maybe_sent = TRUE;
  g_assert_cmpuint (bosh_window_get_unused_rid (&window), ==, 11);
  /* A number before one that was seen is not free, whether it was seen or not. */
  first->maybe_sent = FALSE;
  second->maybe_sent = TRUE;
  g_assert_cmpuint (bosh_window_get_unused_rid (&window), ==, 12);

  bosh_window_clear (&window);
}

static void
test_forgotten (void)
{
  BoshWindow window;

  g_test_summary ("A forgotten request is kept until its stanzas have arrived");

  bosh_window_init (&window);
  add (&window, 3);
  add (&window, 5);
  add (&window, 7);

  bosh_window_forget (&window, bosh_window_get_oldest (&window), 3);
  g_assert_cmpuint (window.forgotten.length, ==, 0);
  bosh_window_forget (&window, bosh_window_get_oldest (&window), 3);
  bosh_window_forget (&window, bosh_window_get_oldest (&window), 3);
  g_assert_cmpuint (window.forgotten.length, ==, 2);
  g_assert_cmpuint (bosh_window_get_n_requests (&window), ==, 0);

  bosh_window_release (&window, 4);
  g_assert_cmpuint (window.forgotten.length, ==, 2);
  bosh_window_release (&window, 5);
  g_assert_cmpuint (window.forgotten.length, ==, 1);

  bosh_window_clear (&window);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/window/empty", test_empty);
  g_test_add_func ("/bosh/window/numbers", test_numbers);
  g_test_add_func ("/bosh/window/restored", test_restored);
  g_test_add_func ("/bosh/window/in-flight", test_in_flight);
  g_test_add_func ("/bosh/window/unused-rid", test_unused_rid);
  g_test_add_func ("/bosh/window/forgotten", test_forgotten);

  return g_test_run ();
}
