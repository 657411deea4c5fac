/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of a client's sessions, as text: what one drain gives is compared with
 * what is expected of it. */

#include "config.h"

#include "bosh-element-private.h"
#include "bosh-error.h"
#include "bosh-reconnect-private.h"

#include <string.h>

#define SECOND G_GINT64_CONSTANT (1000000)

/* A client that follows a loss up to its new session, in one drain each. */
#define LOST "state:reconnecting fail-requests(lost) ask(lost)"
#define ATTEMPT "renew connect"

typedef struct _Fixture Fixture;

struct _Fixture
{
  BoshReconnect *reconnect;
  gint64         now;
  GString       *output;
  gboolean       with_progress;

  /* How the application and its session behave. */
  gboolean       resend;
  gboolean       is_undecided;   /* the verdict comes later */
  gboolean       is_refusing;    /* the session takes nothing */
  gboolean       holds;          /* what waits, while a session is prepared */
  /* Called within the action whose text begins with @trigger, once. */
  const char    *trigger;
  void         (*handler) (Fixture *fixture);
};

static void
fixture_init (Fixture *fixture)
{
  memset (fixture, 0, sizeof *fixture);
  fixture->reconnect = bosh_reconnect_new (1);
  fixture->now = 1000 * SECOND;
  fixture->output = g_string_new (NULL);
  fixture->resend = TRUE;
  bosh_reconnect_set_enabled (fixture->reconnect, TRUE);
}

static void
fixture_clear (Fixture *fixture)
{
  bosh_reconnect_free (fixture->reconnect);
  g_string_free (fixture->output, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static const char *
get_state_name (BoshReconnectState state)
{
  static const char * const names[] = {
    "new",
    "connecting",
    "connected",
    "logging-in",
    "ready",
    "reconnecting",
    "disconnecting",
    "detached",
    "closed",
  };

  return state < G_N_ELEMENTS (names) ? names[state] : "?";
}

static char *
describe (BoshReconnectAction *action)
{
  static const char * const names[] = {
    "abort",
    "disconnect",
    "state",
    "fail-requests",
    "ask",
    "renew",
    "connect",
    "login",
    "prepare",
    "resend",
    "expect-login",
    "forget",
    "progress",
    "closed",
  };
  GString *text = g_string_new (action->type < G_N_ELEMENTS (names) ? names[action->type] : "?");

  if (action->type == BOSH_RECONNECT_ACTION_STATE)
    g_string_append_printf (text, ":%s", get_state_name (action->state));
  if (action->finishes)
    g_string_append (text, action->error == NULL ? "(well)" : "!");
  if (action->was_ready)
    g_string_append (text, ":farewell");
  if (action->type == BOSH_RECONNECT_ACTION_EXPECT_LOGIN)
    g_string_append (text, action->expected ? ":yes" : ":no");
  if (action->element != NULL)
    {
      g_string_append_printf (text, ":%s", bosh_element_get_name (action->element));
      if (action->serial != 0)
        g_string_append_printf (text, "#%" G_GUINT64_FORMAT, action->serial);
    }
  if (action->error != NULL)
    g_string_append_printf (text, "(%s)", action->error->message);

  return g_string_free (text, FALSE);
}

/* What a client does. */
static void
carry_out (Fixture             *fixture,
           BoshReconnectAction *action,
           const char          *text)
{
  if (fixture->trigger != NULL && g_str_has_prefix (text, fixture->trigger))
    {
      fixture->trigger = NULL;
      fixture->handler (fixture);
    }

  if (action->type == BOSH_RECONNECT_ACTION_ASK && !fixture->is_undecided)
    bosh_reconnect_handle_verdict (fixture->reconnect, fixture->resend, fixture->now);
  else if (action->type == BOSH_RECONNECT_ACTION_PREPARE)
    bosh_reconnect_handle_prepared (fixture->reconnect, fixture->holds, fixture->now);
  else if (action->type == BOSH_RECONNECT_ACTION_RESEND)
    bosh_reconnect_handle_resent (fixture->reconnect, !fixture->is_refusing);
}

static const char *
drain (Fixture *fixture)
{
  BoshReconnectAction action;

  g_string_truncate (fixture->output, 0);
  while (bosh_reconnect_next_action (fixture->reconnect, &action, fixture->now))
    {
      g_autofree char *text = describe (&action);

      if (action.type != BOSH_RECONNECT_ACTION_PROGRESS || fixture->with_progress)
        g_string_append_printf (fixture->output, "%s%s", fixture->output->len > 0 ? " " : "", text);
      carry_out (fixture, &action, text);
      bosh_reconnect_action_clear (&action);
    }

  return fixture->output->str;
}

#define assert_actions(fixture, expected) g_assert_cmpstr (drain (fixture), ==, expected)

static void
assert_state (Fixture            *fixture,
              BoshReconnectState  state)
{
  g_assert_cmpstr (get_state_name (bosh_reconnect_get_state (fixture->reconnect)), ==,
                   get_state_name (state));
}

/* What happens at the deadline. */
static const char *
drain_at_deadline (Fixture *fixture)
{
  gint64 deadline = bosh_reconnect_get_deadline (fixture->reconnect);

  g_assert_cmpint (deadline, >, fixture->now);
  fixture->now = deadline - 1;
  assert_actions (fixture, "");
  fixture->now = deadline;

  return drain (fixture);
}

static void
fail_login (Fixture       *fixture,
            BoshErrorKind  kind)
{
  g_autoptr(GError) error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED, "refused");

  bosh_reconnect_handle_login_failed (fixture->reconnect, kind, error, fixture->now);
}

/* With the stanzas named in @unsent, separated by commas. */
static void
lose_with (Fixture       *fixture,
           BoshErrorKind  kind,
           const char    *unsent)
{
  g_autoptr(GError) error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_SESSION_LOST, "lost");
  g_auto(GStrv) names = g_strsplit (unsent, ",", -1);
  guint n = g_strv_length (names);
  g_autofree BoshReconnectStanza *stanzas = g_new0 (BoshReconnectStanza, n);

  for (guint i = 0; i < n; i++)
    {
      stanzas[i].element = bosh_element_new (names[i], NULL);
      stanzas[i].serial = i + 1;
    }
  bosh_reconnect_handle_ended (fixture->reconnect, kind, error, stanzas, n, fixture->now);
  for (guint i = 0; i < n; i++)
    bosh_element_unref (stanzas[i].element);
}

static void
lose (Fixture       *fixture,
      BoshErrorKind  kind)
{
  lose_with (fixture, kind, "");
}

static void
end_well (Fixture *fixture)
{
  bosh_reconnect_handle_ended (fixture->reconnect, BOSH_ERROR_KIND_REQUESTED, NULL, NULL, 0,
                               fixture->now);
}

static void
queue (Fixture    *fixture,
       const char *name)
{
  g_autoptr(BoshElement) element = bosh_element_new (name, NULL);

  bosh_reconnect_queue (fixture->reconnect, element, 0);
}

static void
assert_waiting (Fixture    *fixture,
                const char *expected)
{
  g_autoptr(GPtrArray) elements = bosh_reconnect_dup_waiting (fixture->reconnect);
  g_autoptr(GString) names = g_string_new (NULL);

  for (guint i = 0; i < elements->len; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? "," : "",
                            bosh_element_get_name (g_ptr_array_index (elements, i)));
  g_assert_cmpstr (names->str, ==, expected);
}

/* --- Ways to a state --- */

static void
go_to_connected (Fixture *fixture)
{
  bosh_reconnect_connect (fixture->reconnect);
  drain (fixture);
  bosh_reconnect_handle_opened (fixture->reconnect, fixture->now);
  bosh_reconnect_handle_features (fixture->reconnect, fixture->now);
  drain (fixture);
  assert_state (fixture, BOSH_RECONNECT_CONNECTED);
}

static void
go_to_logging_in (Fixture *fixture)
{
  go_to_connected (fixture);
  bosh_reconnect_login (fixture->reconnect, fixture->now);
  drain (fixture);
  assert_state (fixture, BOSH_RECONNECT_LOGGING_IN);
}

static void
go_to_ready (Fixture *fixture)
{
  go_to_logging_in (fixture);
  bosh_reconnect_handle_logged_in (fixture->reconnect, fixture->now);
  assert_actions (fixture, "state:ready(well)");
}

static void
go_to_lost (Fixture *fixture)
{
  go_to_ready (fixture);
  fixture->is_undecided = TRUE;
  lose (fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (fixture, LOST);
}

static void
go_to_waiting (Fixture *fixture)
{
  go_to_ready (fixture);
  lose (fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (fixture, LOST);
}

static void
go_to_attempting (Fixture *fixture)
{
  go_to_waiting (fixture);
  g_assert_cmpstr (drain_at_deadline (fixture), ==, ATTEMPT);
}

static void
go_to_relogin (Fixture *fixture)
{
  go_to_attempting (fixture);
  bosh_reconnect_handle_opened (fixture->reconnect, fixture->now);
  bosh_reconnect_handle_features (fixture->reconnect, fixture->now);
  assert_actions (fixture, "login");
}

/* --- The first session --- */

static void
test_first_session (void)
{
  g_auto(Fixture) fixture;

  fixture_init (&fixture);
  assert_actions (&fixture, "");
  bosh_reconnect_connect (fixture.reconnect);
  assert_actions (&fixture, "state:connecting connect");
  bosh_reconnect_handle_opened (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "");
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "state:connected(well) expect-login:yes");
  bosh_reconnect_login (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "state:logging-in login expect-login:no");
  bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "state:ready(well)");
  g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), ==, -1);

  bosh_reconnect_disconnect (fixture.reconnect);
  assert_actions (&fixture, "disconnect:farewell state:disconnecting forget");
  end_well (&fixture);
  assert_actions (&fixture, "state:closed fail-requests closed");
}

static void
test_features_first (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("Features may come with the response to the creation, before it is done");

  fixture_init (&fixture);
  bosh_reconnect_connect (fixture.reconnect);
  assert_actions (&fixture, "state:connecting connect");
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "expect-login:yes");
  bosh_reconnect_handle_opened (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "state:connected(well)");
}

static void
test_no_features (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("XEP-0206 §4: features may be late, but not by more than 30 seconds");

  fixture_init (&fixture);
  bosh_reconnect_connect (fixture.reconnect);
  drain (&fixture);
  g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), ==, -1);
  bosh_reconnect_handle_opened (fixture.reconnect, fixture.now);
  g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), ==, fixture.now + 30 * SECOND);
  g_assert_cmpstr (drain_at_deadline (&fixture), ==,
                   "disconnect state:disconnecting!(The server sent no stream features in time)");
  end_well (&fixture);
  assert_actions (&fixture, "state:closed fail-requests(The server sent no stream features in time) "
                            "closed(The server sent no stream features in time)");
}

static void
test_login_expected (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("A login is expected for half a second, and again after one that failed");

  fixture_init (&fixture);
  go_to_connected (&fixture);
  g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), ==, fixture.now + SECOND / 2);
  g_assert_cmpstr (drain_at_deadline (&fixture), ==, "expect-login:no");
  g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), ==, -1);
  bosh_reconnect_login (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "state:logging-in login");
  fail_login (&fixture, BOSH_ERROR_KIND_CREDENTIALS);
  assert_actions (&fixture, "state:connected!(refused) expect-login:yes forget");
}

static void
test_login_fails (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("The first login can be tried again, but not by the client itself");

  fixture_init (&fixture);
  for (guint i = 0; i < 3; i++)
    {
      if (i == 0)
        go_to_logging_in (&fixture);
      else
        {
          bosh_reconnect_login (fixture.reconnect, fixture.now);
          assert_actions (&fixture, "state:logging-in login expect-login:no");
        }
      fail_login (&fixture, BOSH_ERROR_KIND_TEMPORARY);
      assert_actions (&fixture, "state:connected!(refused) expect-login:yes forget");
    }
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&fixture, "state:closed fail-requests(lost) closed(lost)");
}

static void
test_login_times_out (void)
{
  g_auto(Fixture) fixture;

  fixture_init (&fixture);
  go_to_logging_in (&fixture);
  g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), ==, fixture.now + 60 * SECOND);
  g_assert_cmpstr (drain_at_deadline (&fixture), ==,
                   "disconnect state:disconnecting!(The login was not finished in time) forget");
  /* However the session ends then. */
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&fixture, "state:closed fail-requests(The login was not finished in time) "
                            "closed(The login was not finished in time)");
}

/* Another session is opened for the login that is under way. */
static void
go_to_reopening (Fixture *fixture)
{
  go_to_logging_in (fixture);
  fixture->now += 5 * SECOND;
  bosh_reconnect_handle_fall_back (fixture->reconnect);
  assert_actions (fixture, "abort fail-requests(The login begins anew in another session) renew "
                           "connect");
}

static void
test_fall_back (void)
{
  g_auto(Fixture) fixture;
  gint64 begin;

  g_test_summary ("A login that can't go on begins anew in another session, within its time");

  fixture_init (&fixture);
  begin = fixture.now;
  go_to_reopening (&fixture);
  g_assert_cmpint (bosh_reconnect_get_state (fixture.reconnect), ==, BOSH_RECONNECT_LOGGING_IN);
  bosh_reconnect_handle_fall_back (fixture.reconnect);
  bosh_reconnect_handle_opened (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "");
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "login");
  g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), ==, begin + 60 * SECOND);
  bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "state:ready(well)");
}

static void
test_fall_back_credentials (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("The credentials are kept until the login has begun anew");

  fixture_init (&fixture);
  bosh_reconnect_set_enabled (fixture.reconnect, FALSE);
  go_to_reopening (&fixture);
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "login forget");
}

static void
test_fall_back_fails (void)
{
  g_auto(Fixture) refused;
  g_auto(Fixture) lost;
  g_auto(Fixture) late;
  g_auto(Fixture) ended;
  g_auto(Fixture) early;

  g_test_summary ("What becomes of the other session becomes of the login");

  fixture_init (&refused);
  go_to_reopening (&refused);
  bosh_reconnect_handle_features (refused.reconnect, refused.now);
  assert_actions (&refused, "login");
  fail_login (&refused, BOSH_ERROR_KIND_CREDENTIALS);
  assert_actions (&refused, "state:connected!(refused) expect-login:yes forget");

  fixture_init (&lost);
  go_to_reopening (&lost);
  lose (&lost, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&lost, "state:closed!(lost) fail-requests(lost) forget closed(lost)");

  fixture_init (&late);
  go_to_reopening (&late);
  g_assert_cmpstr (drain_at_deadline (&late), ==,
                   "disconnect state:disconnecting!(The login was not finished in time) forget");

  fixture_init (&ended);
  go_to_reopening (&ended);
  bosh_reconnect_disconnect (ended.reconnect);
  assert_actions (&ended, "disconnect state:disconnecting!(The session is being ended) forget");

  /* Before the first session was given up. */
  fixture_init (&early);
  go_to_logging_in (&early);
  bosh_reconnect_handle_fall_back (early.reconnect);
  bosh_reconnect_disconnect (early.reconnect);
  assert_actions (&early, "abort state:closed!(The session is being ended) fail-requests forget "
                          "closed");
}

static void
test_fall_back_again (void)
{
  g_auto(Fixture) fixture;
  guint n_attempts;

  g_test_summary ("The same in an attempt to log in again, which stays one attempt");

  fixture_init (&fixture);
  go_to_relogin (&fixture);
  n_attempts = bosh_reconnect_get_n_attempts (fixture.reconnect);
  bosh_reconnect_handle_fall_back (fixture.reconnect);
  assert_actions (&fixture, "abort fail-requests(The login begins anew in another session) renew "
                            "connect");
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "login");
  g_assert_cmpuint (bosh_reconnect_get_n_attempts (fixture.reconnect), ==, n_attempts);
  bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
  g_assert_cmpstr (drain (&fixture), !=, "");
  g_assert_cmpint (bosh_reconnect_get_state (fixture.reconnect), ==, BOSH_RECONNECT_READY);
}

static GError *
new_cancelled (void)
{
  return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED, "cancelled");
}

static void
test_cancel (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_auto(Fixture) fixture;

      fixture_init (&fixture);
      if (i == 0)
        {
          bosh_reconnect_connect (fixture.reconnect);
          assert_actions (&fixture, "state:connecting connect");
        }
      else
        go_to_logging_in (&fixture);
      bosh_reconnect_cancel (fixture.reconnect, new_cancelled ());
      assert_actions (&fixture, i == 0 ? "disconnect state:disconnecting!(cancelled)"
                                       : "disconnect state:disconnecting!(cancelled) forget");
      bosh_reconnect_cancel (fixture.reconnect, new_cancelled ());
      end_well (&fixture);
      assert_actions (&fixture, "state:closed fail-requests(cancelled) closed(cancelled)");
    }
}

static void
test_cancel_nothing (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("What is over can't be cancelled any more");

  fixture_init (&fixture);
  go_to_ready (&fixture);
  bosh_reconnect_cancel (fixture.reconnect, new_cancelled ());
  assert_actions (&fixture, "");
}

static void
test_can_not_connect (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("The first session is not attempted twice, whatever went wrong");

  fixture_init (&fixture);
  bosh_reconnect_connect (fixture.reconnect);
  drain (&fixture);
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&fixture, "state:closed!(lost) fail-requests(lost) closed(lost)");
}

static void
test_retries_connect (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("Where that was asked for, connecting is tried again; what is sent meanwhile "
                  "waits for the session");

  fixture_init (&fixture);
  bosh_reconnect_set_retries_connect (fixture.reconnect, TRUE);
  g_assert_true (bosh_reconnect_get_retries_connect (fixture.reconnect));
  bosh_reconnect_connect (fixture.reconnect);
  assert_actions (&fixture, "state:connecting connect");
  g_assert_false (bosh_reconnect_is_queueing (fixture.reconnect, FALSE));
  for (guint i = 0; i < 3; i++)
    {
      lose_with (&fixture, BOSH_ERROR_KIND_TEMPORARY, i == 0 ? "u1,u2" : "");
      assert_actions (&fixture, "");
      assert_state (&fixture, BOSH_RECONNECT_CONNECTING);
      g_assert_true (bosh_reconnect_is_queueing (fixture.reconnect, TRUE));
      g_assert_cmpint (bosh_reconnect_get_next_attempt (fixture.reconnect), >, fixture.now);
      g_assert_cmpstr (bosh_reconnect_get_last_error (fixture.reconnect)->message, ==, "lost");
      if (i == 1)
        queue (&fixture, "n1");
      g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
    }
  assert_waiting (&fixture, "u1,u2,n1");
  g_assert_true (bosh_reconnect_is_queueing (fixture.reconnect, FALSE));
  bosh_reconnect_handle_opened (fixture.reconnect, fixture.now);
  g_assert_null (bosh_reconnect_get_last_error (fixture.reconnect));
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "state:connected(well) resend:u1#1 resend:u2#2 resend:n1 "
                            "expect-login:yes");
  g_assert_false (bosh_reconnect_is_queueing (fixture.reconnect, FALSE));
}

static void
test_connect_is_given_up (void)
{
  static const struct
  {
    BoshErrorKind kind;
    guint         n_attempts;
    gboolean      attaches;
    gboolean      opens;
  } cases[] = {
    { BOSH_ERROR_KIND_TEMPORARY, 2, FALSE, FALSE },
    { BOSH_ERROR_KIND_UNTRUSTED, 2, FALSE, FALSE },
    { BOSH_ERROR_KIND_PERMANENT, 0, FALSE, FALSE },
    { BOSH_ERROR_KIND_REQUESTED, 0, FALSE, FALSE },
    { BOSH_ERROR_KIND_TEMPORARY, 0, TRUE, FALSE },
    { BOSH_ERROR_KIND_TEMPORARY, 0, FALSE, TRUE },
  };

  g_test_summary ("But not for ever, not after what will not pass, and not a session that was open "
                  "or is attached");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(Fixture) fixture;

      fixture_init (&fixture);
      bosh_reconnect_set_retries_connect (fixture.reconnect, TRUE);
      bosh_reconnect_set_max_attempts (fixture.reconnect, 2);
      if (cases[i].attaches)
        bosh_reconnect_attach (fixture.reconnect, TRUE);
      else
        bosh_reconnect_connect (fixture.reconnect);
      assert_actions (&fixture, "state:connecting connect");
      for (guint n = 0; n < cases[i].n_attempts; n++)
        {
          lose (&fixture, cases[i].kind);
          assert_actions (&fixture, "");
          g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
        }
      if (cases[i].opens)
        bosh_reconnect_handle_opened (fixture.reconnect, fixture.now);
      lose (&fixture, cases[i].kind);
      assert_actions (&fixture, "state:closed!(lost) fail-requests(lost) closed(lost)");
    }
}

static void
test_connect_ends_while_pausing (void)
{
  g_test_summary ("The application gives it up, asks for the attempt at once, or the network is back");

  for (guint i = 0; i < 5; i++)
    {
      g_auto(Fixture) fixture;

      fixture_init (&fixture);
      bosh_reconnect_set_retries_connect (fixture.reconnect, TRUE);
      bosh_reconnect_connect (fixture.reconnect);
      drain (&fixture);
      bosh_reconnect_set_offline (fixture.reconnect, TRUE);
      lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
      assert_actions (&fixture, "");
      g_assert_cmpuint (bosh_reconnect_get_n_attempts (fixture.reconnect), ==, 0);
      switch (i)
        {
        case 0:
          bosh_reconnect_disconnect (fixture.reconnect);
          assert_actions (&fixture, "state:closed!(The session is being ended) fail-requests closed");
          break;
        case 1:
          bosh_reconnect_cancel (fixture.reconnect, new_cancelled ());
          assert_actions (&fixture, "state:closed!(cancelled) fail-requests(cancelled) "
                                    "closed(cancelled)");
          break;
        case 2:
          bosh_reconnect_set_retries_connect (fixture.reconnect, FALSE);
          assert_actions (&fixture, "state:closed!(lost) fail-requests(lost) closed(lost)");
          break;
        case 3:
          bosh_reconnect_retry_now (fixture.reconnect, fixture.now);
          assert_actions (&fixture, ATTEMPT);
          break;
        case 4:
        default:
          bosh_reconnect_handle_network (fixture.reconnect, fixture.now);
          assert_actions (&fixture, ATTEMPT);
          break;
        }
    }
}

static void
test_remember (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("A session that is attached is followed by others, if there are credentials");

  fixture_init (&fixture);
  bosh_reconnect_remember (fixture.reconnect);
  bosh_reconnect_attach (fixture.reconnect, TRUE);
  assert_actions (&fixture, "state:connecting connect");
  bosh_reconnect_handle_opened (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "state:ready(well)");
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&fixture, LOST);
  g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "login");
  bosh_reconnect_set_enabled (fixture.reconnect, FALSE);
  assert_actions (&fixture, "abort state:closed fail-requests(lost) forget closed(lost)");
}

static void
test_lost_in_login (void)
{
  g_auto(Fixture) fixture;

  fixture_init (&fixture);
  go_to_logging_in (&fixture);
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&fixture, "state:closed!(lost) fail-requests(lost) forget closed(lost)");
}

static void
test_ended_without_error (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("Where the application ends the connection itself, a login needs an error");

  fixture_init (&fixture);
  go_to_logging_in (&fixture);
  end_well (&fixture);
  assert_actions (&fixture, "state:closed!(The session has ended) fail-requests forget closed");
}

static void
test_attach (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_auto(Fixture) fixture;

      fixture_init (&fixture);
      bosh_reconnect_attach (fixture.reconnect, i == 1);
      assert_actions (&fixture, "state:connecting connect");
      bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
      assert_actions (&fixture, "");
      bosh_reconnect_handle_opened (fixture.reconnect, fixture.now);
      assert_actions (&fixture, i == 1 ? "state:ready(well)" : "state:connected(well)");
      g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), ==, -1);
      /* There are no credentials. */
      lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
      assert_actions (&fixture, "state:closed fail-requests(lost) closed(lost)");
    }
}

/* --- After a loss --- */

static void
test_comes_back (void)
{
  g_auto(Fixture) fixture;

  fixture_init (&fixture);
  go_to_ready (&fixture);
  for (guint i = 0; i < 3; i++)
    {
      fixture.now += 100 * SECOND;
      lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
      assert_actions (&fixture, LOST);
      g_assert_true (bosh_reconnect_is_queueing (fixture.reconnect, FALSE));
      g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
      bosh_reconnect_handle_opened (fixture.reconnect, fixture.now);
      assert_actions (&fixture, "");
      bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
      assert_actions (&fixture, "login");
      bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
      assert_actions (&fixture, "prepare state:ready");
      g_assert_false (bosh_reconnect_is_queueing (fixture.reconnect, FALSE));
    }
}

static void
test_kinds (void)
{
  static const BoshErrorKind kinds[] = {
    BOSH_ERROR_KIND_REQUESTED,
    BOSH_ERROR_KIND_CONFLICT,
    BOSH_ERROR_KIND_CREDENTIALS,
    BOSH_ERROR_KIND_PERMANENT,
  };

  g_test_summary ("E51: only what passes by itself is waited for; a conflict is not fought over");

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_auto(Fixture) ready;
      g_auto(Fixture) attempting;
      g_auto(Fixture) relogin;

      fixture_init (&ready);
      go_to_ready (&ready);
      lose (&ready, kinds[i]);
      assert_actions (&ready, "state:closed fail-requests(lost) forget closed(lost)");

      fixture_init (&attempting);
      go_to_attempting (&attempting);
      lose (&attempting, kinds[i]);
      assert_actions (&attempting, "state:closed fail-requests(lost) forget closed(lost)");

      fixture_init (&relogin);
      go_to_relogin (&relogin);
      fail_login (&relogin, kinds[i]);
      assert_actions (&relogin, "abort state:closed fail-requests(refused) forget closed(refused)");
    }
}

static void
test_untrusted (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("A server that is not trusted may be back at the next attempt");

  fixture_init (&fixture);
  bosh_reconnect_set_max_attempts (fixture.reconnect, 2);
  go_to_ready (&fixture);
  lose (&fixture, BOSH_ERROR_KIND_UNTRUSTED);
  assert_actions (&fixture, LOST);
  g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
  lose (&fixture, BOSH_ERROR_KIND_UNTRUSTED);
  assert_actions (&fixture, "");
  g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "login");
  fail_login (&fixture, BOSH_ERROR_KIND_UNTRUSTED);
  assert_actions (&fixture, "abort state:closed fail-requests(refused) forget closed(refused)");
}

static void
test_opt_in (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("Credentials are kept where that was asked for before the login");

  fixture_init (&fixture);
  bosh_reconnect_set_enabled (fixture.reconnect, FALSE);
  g_assert_false (bosh_reconnect_is_enabled (fixture.reconnect));
  go_to_connected (&fixture);
  bosh_reconnect_login (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "state:logging-in login expect-login:no forget");
  bosh_reconnect_set_enabled (fixture.reconnect, TRUE);
  bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "state:ready(well)");
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&fixture, "state:closed fail-requests(lost) closed(lost)");
}

static void
test_delays (void)
{
  static const int limits[] = { 2, 4, 8, 16, 32, 64, 120, 120, 120, 120 };
  guint n_low = 0;
  guint n_high = 0;

  g_test_summary ("The delays are doubled up to a limit, and are drawn from the upper half");

  for (guint seed = 0; seed < 100; seed++)
    {
      g_auto(Fixture) fixture;

      fixture_init (&fixture);
      bosh_reconnect_free (fixture.reconnect);
      fixture.reconnect = bosh_reconnect_new (seed);
      bosh_reconnect_set_enabled (fixture.reconnect, TRUE);
      go_to_waiting (&fixture);
      for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
        {
          gint64 delay = bosh_reconnect_get_deadline (fixture.reconnect) - fixture.now;

          g_assert_cmpint (delay, >=, limits[i] * SECOND / 2);
          g_assert_cmpint (delay, <=, limits[i] * SECOND);
          if (i == 0 && delay < limits[i] * SECOND * 5 / 8)
            n_low++;
          if (i == 0 && delay > limits[i] * SECOND * 7 / 8)
            n_high++;
          g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
          lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
          if (i + 1 < G_N_ELEMENTS (limits))
            assert_actions (&fixture, "");
        }
    }

  g_assert_cmpuint (n_low, >, 10);
  g_assert_cmpuint (n_high, >, 10);
}

static void
test_delays_have_limits (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("Neither many attempts nor large numbers make a delay wrong");

  fixture_init (&fixture);
  bosh_reconnect_set_max_attempts (fixture.reconnect, 1000);
  g_assert_cmpuint (bosh_reconnect_get_max_attempts (fixture.reconnect), ==, 1000);
  bosh_reconnect_set_delays (fixture.reconnect, SECOND, 3600 * SECOND, 60 * SECOND);
  go_to_attempting (&fixture);
  for (guint i = 0; i < 500; i++)
    {
      gint64 delay;

      lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
      assert_actions (&fixture, "");
      delay = bosh_reconnect_get_deadline (fixture.reconnect) - fixture.now;
      g_assert_cmpint (delay, >=, SECOND);
      g_assert_cmpint (delay, <=, 3600 * SECOND);
      g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
    }
}

static void
test_bounded (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("E05: after the last attempt the error is that of the attempt");

  fixture_init (&fixture);
  bosh_reconnect_set_max_attempts (fixture.reconnect, 3);
  go_to_waiting (&fixture);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
      if (i < 2)
        {
          lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
          assert_actions (&fixture, "");
        }
    }
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "login");
  fail_login (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&fixture, "abort state:closed fail-requests(refused) forget closed(refused)");
}

static void
come_back (Fixture *fixture)
{
  g_assert_cmpstr (drain_at_deadline (fixture), ==, ATTEMPT);
  bosh_reconnect_handle_features (fixture->reconnect, fixture->now);
  assert_actions (fixture, "login");
  bosh_reconnect_handle_logged_in (fixture->reconnect, fixture->now);
  assert_actions (fixture, "prepare state:ready");
}

static void
test_short_sessions (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("E24: sessions that last only for a moment use the attempts up");

  fixture_init (&fixture);
  bosh_reconnect_set_max_attempts (fixture.reconnect, 4);
  go_to_waiting (&fixture);
  for (guint i = 0; i < 4; i++)
    {
      come_back (&fixture);
      fixture.now += 60 * SECOND - 1;
      lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
      assert_actions (&fixture, i < 3 ? LOST
                                      : "state:closed fail-requests(lost) forget closed(lost)");
    }
}

static void
test_long_sessions (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("Attempts are counted anew when a session has lasted for a minute");

  fixture_init (&fixture);
  bosh_reconnect_set_max_attempts (fixture.reconnect, 1);
  go_to_waiting (&fixture);
  for (guint i = 0; i < 10; i++)
    {
      come_back (&fixture);
      fixture.now += 60 * SECOND;
      lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
      assert_actions (&fixture, LOST);
      g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), <=,
                       fixture.now + 2 * SECOND);
    }
}

static void
test_attempt_times_out (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_auto(Fixture) fixture;

      fixture_init (&fixture);
      if (i == 0)
        go_to_attempting (&fixture);
      else
        go_to_relogin (&fixture);
      g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), ==,
                       fixture.now + 120 * SECOND);
      g_assert_cmpstr (drain_at_deadline (&fixture), ==, "abort");
      g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
    }
}

static void
test_offline (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("E21: attempts that fail without a network do not count, but come less often");

  fixture_init (&fixture);
  bosh_reconnect_set_max_attempts (fixture.reconnect, 2);
  go_to_waiting (&fixture);
  bosh_reconnect_set_offline (fixture.reconnect, TRUE);
  for (guint i = 0; i < 20; i++)
    {
      g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
      g_assert_cmpuint (bosh_reconnect_get_n_attempts (fixture.reconnect), ==, 1);
      lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
      assert_actions (&fixture, "");
      g_assert_cmpuint (bosh_reconnect_get_n_attempts (fixture.reconnect), ==, 0);
    }
  g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), >=, fixture.now + 60 * SECOND);
  bosh_reconnect_set_offline (fixture.reconnect, FALSE);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
      lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
      assert_actions (&fixture, i == 0 ? ""
                                       : "state:closed fail-requests(lost) forget closed(lost)");
    }
}

static void
test_network (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("E21: a change of the network ends a delay, at most every ten seconds");

  fixture_init (&fixture);
  bosh_reconnect_set_delays (fixture.reconnect, 100 * SECOND, 100 * SECOND, SECOND);
  go_to_waiting (&fixture);
  bosh_reconnect_handle_network (fixture.reconnect, fixture.now);
  assert_actions (&fixture, ATTEMPT);
  bosh_reconnect_handle_network (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "");
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&fixture, "");
  g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&fixture, "");

  bosh_reconnect_handle_network (fixture.reconnect, fixture.now);
  assert_actions (&fixture, ATTEMPT);
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  fixture.now += 10 * SECOND - 1;
  bosh_reconnect_handle_network (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "");
  fixture.now += 1;
  bosh_reconnect_handle_network (fixture.reconnect, fixture.now);
  assert_actions (&fixture, ATTEMPT);
}

static void
test_retry_now (void)
{
  g_auto(Fixture) fixture;

  fixture_init (&fixture);
  bosh_reconnect_set_max_attempts (fixture.reconnect, 2);
  go_to_ready (&fixture);
  bosh_reconnect_retry_now (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "");
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&fixture, LOST);
  /* A person may ask as often as they like. */
  for (guint i = 0; i < 10; i++)
    {
      bosh_reconnect_retry_now (fixture.reconnect, fixture.now);
      assert_actions (&fixture, ATTEMPT);
      bosh_reconnect_retry_now (fixture.reconnect, fixture.now);
      assert_actions (&fixture, "");
      lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
      assert_actions (&fixture, "");
    }
  g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&fixture, "state:closed fail-requests(lost) forget closed(lost)");
}

static void
test_progress (void)
{
  g_auto(Fixture) fixture;

  fixture_init (&fixture);
  fixture.with_progress = TRUE;
  go_to_ready (&fixture);
  g_assert_cmpint (bosh_reconnect_get_next_attempt (fixture.reconnect), ==, -1);
  g_assert_null (bosh_reconnect_get_last_error (fixture.reconnect));
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&fixture, LOST " progress");
  g_assert_cmpint (bosh_reconnect_get_next_attempt (fixture.reconnect), ==,
                   bosh_reconnect_get_deadline (fixture.reconnect));
  g_assert_cmpstr (bosh_reconnect_get_last_error (fixture.reconnect)->message, ==, "lost");
  g_assert_cmpuint (bosh_reconnect_get_n_attempts (fixture.reconnect), ==, 0);

  g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT " progress");
  g_assert_cmpint (bosh_reconnect_get_next_attempt (fixture.reconnect), ==, -1);
  g_assert_cmpuint (bosh_reconnect_get_n_attempts (fixture.reconnect), ==, 1);
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "login progress");
  bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "prepare state:ready progress");
  g_assert_null (bosh_reconnect_get_last_error (fixture.reconnect));
  g_assert_cmpuint (bosh_reconnect_get_n_attempts (fixture.reconnect), ==, 1);
}

/* --- Stanzas --- */

static void
handler_repeats (Fixture *fixture)
{
  queue (fixture, "r1");
  queue (fixture, "r2");
}

static void
test_order (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("What a handler sends again, what never left, and what waited before, in the "
                  "order in which the application had sent it");

  fixture_init (&fixture);
  go_to_waiting (&fixture);
  queue (&fixture, "a1");
  queue (&fixture, "a2");
  g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
  queue (&fixture, "a3");
  queue (&fixture, "a4");
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "login");
  assert_waiting (&fixture, "a1,a2,a3,a4");
  fixture.is_refusing = TRUE;
  bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "prepare resend:a1 state:ready");
  assert_waiting (&fixture, "a1,a2,a3,a4");

  fixture.trigger = "ask";
  fixture.handler = handler_repeats;
  lose_with (&fixture, BOSH_ERROR_KIND_TEMPORARY, "u1,u2");
  assert_waiting (&fixture, "a1,a2,a3,a4");
  assert_actions (&fixture, LOST);
  assert_waiting (&fixture, "r1,r2,u1,u2,a1,a2,a3,a4");
  queue (&fixture, "a5");
  g_assert_cmpstr (drain_at_deadline (&fixture), ==, ATTEMPT);
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "login");
  fixture.is_refusing = FALSE;
  bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "prepare resend:r1 resend:r2 resend:u1#1 resend:u2#2 resend:a1 resend:a2 "
                            "resend:a3 resend:a4 resend:a5 state:ready");
  assert_waiting (&fixture, "");
}

static void
test_dropped (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("What is not to be sent again waits no more");

  fixture_init (&fixture);
  go_to_ready (&fixture);
  fixture.resend = FALSE;
  fixture.trigger = "ask";
  fixture.handler = handler_repeats;
  lose_with (&fixture, BOSH_ERROR_KIND_TEMPORARY, "u1,u2");
  assert_actions (&fixture, LOST);
  assert_waiting (&fixture, "r1,r2");
}

static void
log_in_again (Fixture *fixture)
{
  g_assert_cmpstr (drain_at_deadline (fixture), ==, ATTEMPT);
  bosh_reconnect_handle_features (fixture->reconnect, fixture->now);
  assert_actions (fixture, "login");
  bosh_reconnect_handle_logged_in (fixture->reconnect, fixture->now);
}

/* Somebody is logged in again, and a stanza is held back. */
static void
go_to_preparing (Fixture *fixture)
{
  go_to_waiting (fixture);
  queue (fixture, "a1");
  fixture->holds = TRUE;
  log_in_again (fixture);
  assert_actions (fixture, "prepare");
  assert_state (fixture, BOSH_RECONNECT_RECONNECTING);
}

static void
handler_prepares (Fixture *fixture)
{
  g_assert_true (bosh_reconnect_is_logged_in (fixture->reconnect));
  g_assert_false (bosh_reconnect_is_queueing (fixture->reconnect, TRUE));
  g_assert_true (bosh_reconnect_is_queueing (fixture->reconnect, FALSE));
}

static void
test_prepare (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("A new session is prepared before what waits is sent: what prepares it need not "
                  "wait, all else does");

  fixture_init (&fixture);
  go_to_waiting (&fixture);
  g_assert_true (bosh_reconnect_is_queueing (fixture.reconnect, TRUE));
  g_assert_false (bosh_reconnect_is_logged_in (fixture.reconnect));
  queue (&fixture, "a1");
  log_in_again (&fixture);
  fixture.trigger = "prepare";
  fixture.handler = handler_prepares;
  assert_actions (&fixture, "prepare resend:a1 state:ready");
  g_assert_null (fixture.trigger);
  g_assert_false (bosh_reconnect_is_queueing (fixture.reconnect, FALSE));
}

static void
test_hold (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("What waits is held back until the application says so, and what is sent "
                  "meanwhile takes its place behind it");

  fixture_init (&fixture);
  go_to_preparing (&fixture);
  handler_prepares (&fixture);
  queue (&fixture, "n1");
  bosh_reconnect_set_enabled (fixture.reconnect, FALSE);
  assert_actions (&fixture, "forget");
  assert_waiting (&fixture, "a1,n1");
  bosh_reconnect_resend (fixture.reconnect);
  assert_actions (&fixture, "resend:a1 resend:n1 state:ready");
  bosh_reconnect_resend (fixture.reconnect);
  assert_actions (&fixture, "");
}

static void
test_hold_has_limit (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("It is held back for 30 seconds");

  fixture_init (&fixture);
  go_to_preparing (&fixture);
  g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), ==, fixture.now + 30 * SECOND);
  g_assert_cmpstr (drain_at_deadline (&fixture), ==, "resend:a1 state:ready");
}

static void
handler_releases (Fixture *fixture)
{
  bosh_reconnect_resend (fixture->reconnect);
}

static void
test_released_at_once (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("A handler that releases what it holds back holds nothing back");

  fixture_init (&fixture);
  go_to_waiting (&fixture);
  queue (&fixture, "a1");
  fixture.holds = TRUE;
  log_in_again (&fixture);
  fixture.trigger = "prepare";
  fixture.handler = handler_releases;
  assert_actions (&fixture, "prepare resend:a1 state:ready");
}

static void
test_lost_while_held (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("If the session is lost meanwhile, what was held back waits for the next, which "
                  "is prepared as well");

  fixture_init (&fixture);
  go_to_preparing (&fixture);
  lose_with (&fixture, BOSH_ERROR_KIND_TEMPORARY, "u1");
  assert_actions (&fixture, "fail-requests(lost) ask(lost)");
  assert_waiting (&fixture, "u1,a1");
  bosh_reconnect_resend (fixture.reconnect);
  assert_actions (&fixture, "");
  fixture.holds = FALSE;
  log_in_again (&fixture);
  assert_actions (&fixture, "prepare resend:u1#1 resend:a1 state:ready");
}

static void
test_ends_while_held (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("The application may end the session instead");

  fixture_init (&fixture);
  go_to_preparing (&fixture);
  bosh_reconnect_disconnect (fixture.reconnect);
  assert_actions (&fixture, "disconnect:farewell state:disconnecting forget");
  end_well (&fixture);
  assert_actions (&fixture, "state:closed fail-requests closed");
  assert_waiting (&fixture, "a1");
}

/* A main loop in the handler, in which the session is lost and another one begins. */
static void
handler_is_lost (Fixture *fixture)
{
  BoshReconnectAction action;

  lose (fixture, BOSH_ERROR_KIND_TEMPORARY);
  while (bosh_reconnect_get_state (fixture->reconnect) == BOSH_RECONNECT_RECONNECTING &&
         !bosh_reconnect_is_logged_in (fixture->reconnect))
    {
      if (!bosh_reconnect_next_action (fixture->reconnect, &action, fixture->now))
        fixture->now = bosh_reconnect_get_deadline (fixture->reconnect);
      else if (action.type == BOSH_RECONNECT_ACTION_ASK)
        bosh_reconnect_handle_verdict (fixture->reconnect, TRUE, fixture->now);
      else if (action.type == BOSH_RECONNECT_ACTION_CONNECT)
        bosh_reconnect_handle_features (fixture->reconnect, fixture->now);
      else if (action.type == BOSH_RECONNECT_ACTION_LOGIN)
        bosh_reconnect_handle_logged_in (fixture->reconnect, fixture->now);
      bosh_reconnect_action_clear (&action);
    }
  /* The next is prepared when the handler of this one has returned. */
  while (bosh_reconnect_next_action (fixture->reconnect, &action, fixture->now))
    g_assert_cmpint (action.type, ==, BOSH_RECONNECT_ACTION_PROGRESS);
  bosh_reconnect_resend (fixture->reconnect);
}

static void
test_lost_in_handler (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("What a handler says is about the session for which it was called");

  fixture_init (&fixture);
  go_to_waiting (&fixture);
  queue (&fixture, "a1");
  log_in_again (&fixture);
  fixture.holds = TRUE;
  fixture.trigger = "prepare";
  fixture.handler = handler_is_lost;
  assert_actions (&fixture, "prepare prepare");
  bosh_reconnect_resend (fixture.reconnect);
  assert_actions (&fixture, "resend:a1 state:ready");
}

static void
handler_sends (Fixture *fixture)
{
  g_assert_true (bosh_reconnect_is_queueing (fixture->reconnect, FALSE));
  queue (fixture, "n1");
}

static void
test_sent_while_resending (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("Nothing overtakes what waits, not even when it is sent at the last moment");

  fixture_init (&fixture);
  go_to_relogin (&fixture);
  queue (&fixture, "a1");
  queue (&fixture, "a2");
  fixture.trigger = "resend:a2";
  fixture.handler = handler_sends;
  bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "prepare resend:a1 resend:a2 resend:n1 state:ready");
}

static void
handler_loses (Fixture *fixture)
{
  /* The session has taken it, and has not sent it. */
  lose_with (fixture, BOSH_ERROR_KIND_TEMPORARY, "a1");
}

static void
test_lost_while_resending (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("A stanza that is just being handed over waits once, not twice");

  fixture_init (&fixture);
  go_to_relogin (&fixture);
  queue (&fixture, "a1");
  queue (&fixture, "a2");
  fixture.trigger = "resend:a1";
  fixture.handler = handler_loses;
  bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "prepare resend:a1 fail-requests(lost) ask(lost)");
  assert_waiting (&fixture, "a1,a2");
}

static void
handler_loses_and_drains (Fixture *fixture)
{
  g_autofree char *output = g_strdup (fixture->output->str);

  lose_with (fixture, BOSH_ERROR_KIND_TEMPORARY, "u1");
  assert_actions (fixture, "fail-requests(lost)");
  fixture->now += 1000 * SECOND;
  assert_actions (fixture, "");
  g_string_assign (fixture->output, output);
}

static void
test_main_loop_while_resending (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("A handler may run a main loop: the verdict comes when it is known whether the "
                  "session took what was being handed over");

  fixture_init (&fixture);
  go_to_relogin (&fixture);
  queue (&fixture, "a1");
  queue (&fixture, "a2");
  fixture.trigger = "resend:a1";
  fixture.handler = handler_loses_and_drains;
  fixture.is_refusing = TRUE;
  bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "prepare resend:a1 ask(lost)");
  assert_waiting (&fixture, "u1,a1,a2");
}

static void
test_waiting_after_the_end (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("What waited is offered after the end");

  fixture_init (&fixture);
  bosh_reconnect_set_max_attempts (fixture.reconnect, 1);
  go_to_attempting (&fixture);
  queue (&fixture, "a1");
  queue (&fixture, "a2");
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  assert_actions (&fixture, "state:closed fail-requests(lost) forget closed(lost)");
  assert_waiting (&fixture, "a1,a2");
}

/* --- The application ends it --- */

static void
test_disconnect (void)
{
  static const struct
  {
    void       (*go) (Fixture *fixture);
    const char *expected;
  } cases[] = {
    { go_to_connected, "disconnect state:disconnecting expect-login:no" },
    { go_to_logging_in, "disconnect state:disconnecting!(The session is being ended) forget" },
    { go_to_ready, "disconnect:farewell state:disconnecting forget" },
    { go_to_lost, "state:closed fail-requests forget closed" },
    { go_to_waiting, "state:closed fail-requests forget closed" },
    { go_to_attempting, "abort state:closed fail-requests forget closed" },
    { go_to_relogin, "abort state:closed fail-requests forget closed" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(Fixture) fixture;

      fixture_init (&fixture);
      cases[i].go (&fixture);
      bosh_reconnect_disconnect (fixture.reconnect);
      assert_actions (&fixture, cases[i].expected);
      bosh_reconnect_disconnect (fixture.reconnect);
      bosh_reconnect_handle_verdict (fixture.reconnect, TRUE, fixture.now);
      assert_actions (&fixture, "");
      g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), ==, -1);
      if (bosh_reconnect_get_state (fixture.reconnect) == BOSH_RECONNECT_DISCONNECTING)
        {
          lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
          assert_actions (&fixture, "state:closed fail-requests(lost) closed(lost)");
        }
    }
}

static void
test_disconnect_early (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("Before anything has begun there is nothing to end");

  fixture_init (&fixture);
  bosh_reconnect_disconnect (fixture.reconnect);
  assert_actions (&fixture, "");
  assert_state (&fixture, BOSH_RECONNECT_NEW);
  bosh_reconnect_connect (fixture.reconnect);
  bosh_reconnect_disconnect (fixture.reconnect);
  assert_actions (&fixture, "state:closed!(The session is being ended) fail-requests closed");
}

static void
handler_disconnects (Fixture *fixture)
{
  bosh_reconnect_disconnect (fixture->reconnect);
}

static void
test_disconnect_in_handler (void)
{
  static const struct
  {
    void      (*go) (Fixture *fixture);
    const char *trigger;
    const char *expected;
  } cases[] = {
    { go_to_waiting, "renew", "renew state:closed fail-requests forget closed" },
    { go_to_waiting, "connect", "renew connect abort state:closed fail-requests forget closed" },
    { go_to_ready, "state", "state:reconnecting state:closed fail-requests forget closed" },
    { go_to_ready, "fail", "state:reconnecting fail-requests(lost) state:closed fail-requests "
                           "forget closed" },
    { go_to_ready, "ask", LOST " state:closed fail-requests forget closed" },
    { go_to_relogin, "state:ready", "prepare resend:a1 state:ready disconnect:farewell "
                                    "state:disconnecting forget" },
    { go_to_relogin, "resend", "prepare resend:a1 disconnect:farewell state:disconnecting forget" },
  };

  g_test_summary ("A handler may disconnect: what was to follow does not follow any more");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(Fixture) fixture;

      fixture_init (&fixture);
      cases[i].go (&fixture);
      fixture.trigger = cases[i].trigger;
      fixture.handler = handler_disconnects;
      if (cases[i].go == go_to_waiting)
        g_assert_cmpstr (drain_at_deadline (&fixture), ==, cases[i].expected);
      else
        {
          if (cases[i].go == go_to_relogin)
            {
              queue (&fixture, "a1");
              bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
            }
          else
            lose_with (&fixture, BOSH_ERROR_KIND_TEMPORARY, "u1");
          assert_actions (&fixture, cases[i].expected);
        }
      /* What was unsent is offered by the session that was lost. */
      assert_waiting (&fixture, "");
    }
}

static void
handler_logs_in (Fixture *fixture)
{
  bosh_reconnect_login (fixture->reconnect, fixture->now);
}

static void
test_login_in_handler (void)
{
  g_auto(Fixture) fixture;

  fixture_init (&fixture);
  bosh_reconnect_connect (fixture.reconnect);
  assert_actions (&fixture, "state:connecting connect");
  bosh_reconnect_handle_opened (fixture.reconnect, fixture.now);
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  fixture.trigger = "state:connected";
  fixture.handler = handler_logs_in;
  assert_actions (&fixture, "state:connected(well) state:logging-in login");
}

static void
test_switched_off (void)
{
  static const struct
  {
    void       (*go) (Fixture *fixture);
    const char *expected;
  } cases[] = {
    { go_to_connected, "" },
    { go_to_logging_in, "forget" },
    { go_to_ready, "forget" },
    { go_to_lost, "state:closed fail-requests(lost) forget closed(lost)" },
    { go_to_waiting, "state:closed fail-requests(lost) forget closed(lost)" },
    { go_to_attempting, "abort state:closed fail-requests(lost) forget closed(lost)" },
    { go_to_relogin, "abort state:closed fail-requests(lost) forget closed(lost)" },
  };

  g_test_summary ("Switching it off ends what it began, with the error of the loss");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(Fixture) fixture;

      fixture_init (&fixture);
      cases[i].go (&fixture);
      bosh_reconnect_set_enabled (fixture.reconnect, FALSE);
      assert_actions (&fixture, cases[i].expected);
      bosh_reconnect_set_enabled (fixture.reconnect, TRUE);
      assert_actions (&fixture, "");
    }
}

static void
test_detached (void)
{
  static const struct
  {
    void       (*go) (Fixture *fixture);
    const char *expected;
  } cases[] = {
    { go_to_connected, "state:detached fail-requests(The session was handed over)" },
    { go_to_logging_in, "state:detached!(The session was handed over) "
                        "fail-requests(The session was handed over) forget" },
    { go_to_ready, "state:detached fail-requests(The session was handed over) forget" },
    { go_to_waiting, "" },
  };

  g_test_summary ("A session that was handed over is no loss, and no end");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(Fixture) fixture;

      fixture_init (&fixture);
      cases[i].go (&fixture);
      bosh_reconnect_handle_detached (fixture.reconnect);
      assert_actions (&fixture, cases[i].expected);
      if (i == 3)
        continue;
      bosh_reconnect_disconnect (fixture.reconnect);
      lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
      assert_actions (&fixture, "");
      assert_state (&fixture, BOSH_RECONNECT_DETACHED);
    }
}

static void
test_late_news (void)
{
  g_auto(Fixture) fixture;

  g_test_summary ("What is still heard of a session that is to be aborted counts for nothing");

  fixture_init (&fixture);
  go_to_relogin (&fixture);
  fail_login (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  bosh_reconnect_retry_now (fixture.reconnect, fixture.now);
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
  lose (&fixture, BOSH_ERROR_KIND_PERMANENT);
  /* It has ended by itself, and need not be aborted. */
  assert_actions (&fixture, ATTEMPT);

  fail_login (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  assert_actions (&fixture, "login");
}

static void
test_nothing_after_the_end (void)
{
  g_auto(Fixture) fixture;

  fixture_init (&fixture);
  fixture.with_progress = TRUE;
  go_to_ready (&fixture);
  lose (&fixture, BOSH_ERROR_KIND_CONFLICT);
  assert_actions (&fixture, "state:closed fail-requests(lost) forget progress closed(lost)");

  bosh_reconnect_handle_opened (fixture.reconnect, fixture.now);
  bosh_reconnect_handle_features (fixture.reconnect, fixture.now);
  bosh_reconnect_handle_logged_in (fixture.reconnect, fixture.now);
  fail_login (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  lose (&fixture, BOSH_ERROR_KIND_TEMPORARY);
  bosh_reconnect_handle_detached (fixture.reconnect);
  bosh_reconnect_handle_verdict (fixture.reconnect, TRUE, fixture.now);
  bosh_reconnect_handle_network (fixture.reconnect, fixture.now);
  bosh_reconnect_retry_now (fixture.reconnect, fixture.now);
  bosh_reconnect_disconnect (fixture.reconnect);
  bosh_reconnect_cancel (fixture.reconnect, new_cancelled ());
  bosh_reconnect_set_enabled (fixture.reconnect, FALSE);
  bosh_reconnect_set_enabled (fixture.reconnect, TRUE);
  fixture.now += 1000 * SECOND;
  assert_actions (&fixture, "");
  g_assert_false (bosh_reconnect_is_queueing (fixture.reconnect, FALSE));
  g_assert_cmpint (bosh_reconnect_get_deadline (fixture.reconnect), ==, -1);
  assert_state (&fixture, BOSH_RECONNECT_CLOSED);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/reconnect/first-session", test_first_session);
  g_test_add_func ("/bosh/reconnect/features-first", test_features_first);
  g_test_add_func ("/bosh/reconnect/no-features", test_no_features);
  g_test_add_func ("/bosh/reconnect/login-expected", test_login_expected);
  g_test_add_func ("/bosh/reconnect/login-fails", test_login_fails);
  g_test_add_func ("/bosh/reconnect/login-times-out", test_login_times_out);
  g_test_add_func ("/bosh/reconnect/fall-back", test_fall_back);
  g_test_add_func ("/bosh/reconnect/fall-back-credentials", test_fall_back_credentials);
  g_test_add_func ("/bosh/reconnect/fall-back-fails", test_fall_back_fails);
  g_test_add_func ("/bosh/reconnect/fall-back-again", test_fall_back_again);
  g_test_add_func ("/bosh/reconnect/cancel", test_cancel);
  g_test_add_func ("/bosh/reconnect/cancel-nothing", test_cancel_nothing);
  g_test_add_func ("/bosh/reconnect/can-not-connect", test_can_not_connect);
  g_test_add_func ("/bosh/reconnect/retries-connect", test_retries_connect);
  g_test_add_func ("/bosh/reconnect/connect-is-given-up", test_connect_is_given_up);
  g_test_add_func ("/bosh/reconnect/connect-ends-while-pausing", test_connect_ends_while_pausing);
  g_test_add_func ("/bosh/reconnect/remember", test_remember);
  g_test_add_func ("/bosh/reconnect/lost-in-login", test_lost_in_login);
  g_test_add_func ("/bosh/reconnect/ended-without-error", test_ended_without_error);
  g_test_add_func ("/bosh/reconnect/attach", test_attach);
  g_test_add_func ("/bosh/reconnect/comes-back", test_comes_back);
  g_test_add_func ("/bosh/reconnect/kinds", test_kinds);
  g_test_add_func ("/bosh/reconnect/untrusted", test_untrusted);
  g_test_add_func ("/bosh/reconnect/opt-in", test_opt_in);
  g_test_add_func ("/bosh/reconnect/delays", test_delays);
  g_test_add_func ("/bosh/reconnect/delays-have-limits", test_delays_have_limits);
  g_test_add_func ("/bosh/reconnect/bounded", test_bounded);
  g_test_add_func ("/bosh/reconnect/short-sessions", test_short_sessions);
  g_test_add_func ("/bosh/reconnect/long-sessions", test_long_sessions);
  g_test_add_func ("/bosh/reconnect/attempt-times-out", test_attempt_times_out);
  g_test_add_func ("/bosh/reconnect/offline", test_offline);
  g_test_add_func ("/bosh/reconnect/network", test_network);
  g_test_add_func ("/bosh/reconnect/retry-now", test_retry_now);
  g_test_add_func ("/bosh/reconnect/progress", test_progress);
  g_test_add_func ("/bosh/reconnect/order", test_order);
  g_test_add_func ("/bosh/reconnect/dropped", test_dropped);
  g_test_add_func ("/bosh/reconnect/prepare", test_prepare);
  g_test_add_func ("/bosh/reconnect/hold", test_hold);
  g_test_add_func ("/bosh/reconnect/hold-has-limit", test_hold_has_limit);
  g_test_add_func ("/bosh/reconnect/released-at-once", test_released_at_once);
  g_test_add_func ("/bosh/reconnect/lost-while-held", test_lost_while_held);
  g_test_add_func ("/bosh/reconnect/ends-while-held", test_ends_while_held);
  g_test_add_func ("/bosh/reconnect/lost-in-handler", test_lost_in_handler);
  g_test_add_func ("/bosh/reconnect/sent-while-resending", test_sent_while_resending);
  g_test_add_func ("/bosh/reconnect/lost-while-resending", test_lost_while_resending);
  g_test_add_func ("/bosh/reconnect/main-loop-while-resending", test_main_loop_while_resending);
  g_test_add_func ("/bosh/reconnect/waiting-after-the-end", test_waiting_after_the_end);
  g_test_add_func ("/bosh/reconnect/disconnect", test_disconnect);
  g_test_add_func ("/bosh/reconnect/disconnect-early", test_disconnect_early);
  g_test_add_func ("/bosh/reconnect/disconnect-in-handler", test_disconnect_in_handler);
  g_test_add_func ("/bosh/reconnect/login-in-handler", test_login_in_handler);
  g_test_add_func ("/bosh/reconnect/switched-off", test_switched_off);
  g_test_add_func ("/bosh/reconnect/detached", test_detached);
  g_test_add_func ("/bosh/reconnect/late-news", test_late_news);
  g_test_add_func ("/bosh/reconnect/nothing-after-the-end", test_nothing_after_the_end);

  return g_test_run ();
}
