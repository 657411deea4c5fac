/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What comes too late for a session, or is not what it waits for. */

#include "config.h"

#include "bosh-test-session.h"

#include "bosh-error-private.h"

static void
test_end_confirmed_plainly (void)
{
  TestSession t;
  g_autoptr(BoshElement) request = NULL;
  guint64 poll;
  guint64 last;

  g_test_summary ("XEP-0124 §13: whatever the response to a termination is, the session has ended");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  test_session_advance (&t, TEST_SECOND);
  g_assert_true (bosh_session_terminate (t.session, NULL, NULL));
  request = test_session_take (&t, &last);
  test_session_attribute (request, "type", "terminate");
  test_session_events (&t, "terminating");
  test_session_respond (&t, poll, "", "");
  test_session_respond (&t, last, "", "<message xmlns='jabber:client'/>");
  test_session_events (&t, "closed CLOSED");
  g_assert_no_error (t.error);
  g_assert_cmpuint (t.payloads->len, ==, 1);
  test_session_clear (&t);
}

static void
test_after_the_end (void)
{
  TestSession t;
  guint64 poll;

  g_test_summary ("Late news of a request, and another end after the end, change nothing");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  g_bytes_unref (test_session_take_bytes (&t, &poll));
  bosh_session_handle_written (t.session, poll + 1, t.now);
  test_session_fail (&t, poll + 1, BOSH_FAILURE_BROKEN);
  test_session_respond (&t, poll + 1, "", "<message xmlns='jabber:client'/>");
  test_session_events (&t, "");

  test_session_respond (&t, poll, "type='terminate' condition='system-shutdown'", "");
  test_session_events (&t, "closed CLOSED");
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_SYSTEM_SHUTDOWN);
  bosh_session_handle_written (t.session, poll, t.now);
  test_session_fail (&t, poll, BOSH_FAILURE_UNTRUSTED);
  test_session_respond (&t, poll, "", "<message xmlns='jabber:client'/>");
  bosh_session_abort (t.session, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED, "again"));
  test_session_events (&t, "");
  g_assert_cmpuint (t.payloads->len, ==, 0);
  test_session_clear (&t);
}

/* Actions that were not drained are freed, as the sanitizers and valgrind check. */
static void
test_dropped (void)
{
  BoshSessionParameters parameters;
  BoshSession *session;
  BoshAction action = { 0 };

  g_test_summary ("A session can be dropped with actions in it");

  test_session_default (&parameters);
  session = bosh_session_new (&parameters);
  bosh_session_open (session, TEST_SECOND);
  g_assert_true (bosh_session_next_action (session, &action, TEST_SECOND));
  g_assert_cmpint (action.type, ==, BOSH_ACTION_STATE);
  g_assert_true (bosh_session_next_action (session, &action, TEST_SECOND));
  g_assert_cmpint (action.type, ==, BOSH_ACTION_SEND);
  g_bytes_unref (action.bytes);
  bosh_session_abort (session, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED, "dropped"));
  g_assert_cmpint (bosh_session_get_state (session), ==, BOSH_SESSION_CLOSED);
  bosh_session_free (session);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/session-unexpected-input/end-confirmed-plainly", test_end_confirmed_plainly);
  g_test_add_func ("/bosh/session-unexpected-input/after-the-end", test_after_the_end);
  g_test_add_func ("/bosh/session-unexpected-input/dropped", test_dropped);

  return g_test_run ();
}
