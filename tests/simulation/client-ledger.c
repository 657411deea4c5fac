/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client-simulation.h"

#include "bosh-error.h"

#include <string.h>

/* What the documentation promises. */
#define FIRST_DELAY (2 * SECOND)
#define LONGEST_DELAY (120 * SECOND)
#define STABLE_AFTER (60 * SECOND)
#define HURRY_INTERVAL (10 * SECOND)
#define LOGIN_EXPECTED (SECOND / 2)
#define FEATURES_TIMEOUT (30 * SECOND)
#define LOGIN_TIMEOUT (60 * SECOND)
#define ATTEMPT_TIMEOUT (120 * SECOND)
#define HOLD_LIMIT (30 * SECOND)

static void
set_error (GError       **place,
           const GError  *error)
{
  GError *copy = error != NULL ? g_error_copy (error) : NULL;

  g_clear_error (place);
  *place = copy;
}

static void
assert_same (const GError *error,
             const GError *expected)
{
  g_assert_cmpstr (error != NULL ? error->message : NULL, ==,
                   expected != NULL ? expected->message : NULL);
}

static void
place_all (Simulation *self,
           GQueue     *serials,
           Place       place)
{
  for (GList *link = serials->head; link != NULL; link = link->next)
    application_get_copy (self, GPOINTER_TO_UINT (link->data))->place = place;
}

/* --- What has to follow --- */

/* The client has to close, with @error. */
static void
expect_close (Simulation   *self,
              const GError *error)
{
  self->duty = DUTY_CLOSE;
  set_error (&self->end_error, error);
  self->remembers = FALSE;
  self->requests_fail = TRUE;
  self->waits_since = -1;
  self->attempt_at = -1;
  self->aborts = self->session.id != 0;
  /* The session that was lost goes on offering them. */
  place_all (self, &self->asked, PLACE_OFFERED);
  g_queue_clear (&self->asked);
  self->is_lost = FALSE;
}

/* Everything else must be mended by a person. */
static gboolean
may_pass (BoshErrorKind kind)
{
  return kind == BOSH_ERROR_KIND_TEMPORARY || kind == BOSH_ERROR_KIND_UNTRUSTED;
}

static void
fail_attempt (Simulation    *self,
              BoshErrorKind  kind,
              const GError  *error)
{
  self->attempt_at = -1;
  if (self->monitor_sees && !self->network_is_up)
    {
      coverage_hit (COVERAGE_OFFLINE);
      if (self->n_attempts > 0)
        self->n_attempts--;
    }

  set_error (&self->last_failure, error);
  if (!may_pass (kind))
    expect_close (self, error);
  else if (self->n_attempts >= self->max_attempts)
    {
      coverage_hit (COVERAGE_GIVEN_UP);
      expect_close (self, error);
    }
  else
    {
      self->aborts = self->session.id != 0;
      self->waits_since = self->now;
      self->allowed_attempts = self->max_attempts;
    }
}

static void
begin_attempt (Simulation *self,
               gboolean    is_cut)
{
  gint64 limit = FIRST_DELAY;
  gint64 delay = self->now - self->waits_since;

  g_assert_cmpint (self->waits_since, !=, -1);
  for (guint i = 0; i < self->n_tries && limit < LONGEST_DELAY; i++)
    limit *= 2;
  limit = MIN (limit, LONGEST_DELAY);
  if (!is_cut)
    {
      g_assert_cmpint (delay, >=, limit / 2);
      coverage_hit (delay < limit * 3 / 4 ? COVERAGE_SHORT_DELAY : COVERAGE_LONG_DELAY);
    }
  /* Drawn once, for a moment that may be late by what a drain takes: nothing. */
  g_assert_cmpint (delay, <=, limit);
  g_assert_cmpuint (self->n_attempts, <, self->allowed_attempts);

  self->waits_since = -1;
  self->attempt_at = self->now;
  self->n_attempts++;
  self->n_tries++;
}

/* --- What the application does --- */

void
ledger_note_queued (Simulation *self,
                    guint64     serial)
{
  if (self->is_lost)
    g_queue_push_nth (&self->waiting, GUINT_TO_POINTER (serial), (int)self->n_ahead++);
  else
    g_queue_push_tail (&self->waiting, GUINT_TO_POINTER (serial));
}

void
ledger_note_login (Simulation *self)
{
  self->remembers = self->is_enabled;
}

/* Is somebody logged in, though that was not told yet? */
static gboolean
is_resending (Simulation *self)
{
  return self->session.id != 0 && self->session.is_logged_in;
}

void
ledger_note_disconnect (Simulation *self)
{
  switch (bosh_reconnect_get_state (self->reconnect))
    {
    case BOSH_RECONNECT_CONNECTING:
    case BOSH_RECONNECT_CONNECTED:
    case BOSH_RECONNECT_LOGGING_IN:
    case BOSH_RECONNECT_READY:
      self->disconnects = TRUE;
      break;
    case BOSH_RECONNECT_RECONNECTING:
      self->disconnects = is_resending (self);
      if (!self->disconnects)
        {
          coverage_hit (COVERAGE_DISCONNECT_RECONNECTING);
          expect_close (self, NULL);
        }
      break;
    case BOSH_RECONNECT_NEW:
    case BOSH_RECONNECT_DISCONNECTING:
    case BOSH_RECONNECT_DETACHED:
    case BOSH_RECONNECT_CLOSED:
    default:
      return;
    }

  self->remembers = FALSE;
  if (self->disconnects && self->session.id == 0)
    {
      self->disconnects = FALSE;
      expect_close (self, NULL);
    }
}

void
ledger_note_cancel (Simulation   *self,
                    const GError *error)
{
  BoshReconnectState state = bosh_reconnect_get_state (self->reconnect);

  if (state != BOSH_RECONNECT_CONNECTING && state != BOSH_RECONNECT_LOGGING_IN)
    return;

  coverage_hit (COVERAGE_CANCELLED);
  ledger_note_disconnect (self);
  set_error (&self->end_error, error);
}

void
ledger_note_enabled (Simulation *self,
                     gboolean    enabled)
{
  g_autoptr(GError) error = NULL;

  self->is_enabled = enabled;
  if (enabled)
    return;

  self->remembers = FALSE;
  if (bosh_reconnect_get_state (self->reconnect) == BOSH_RECONNECT_RECONNECTING &&
      !is_resending (self))
    {
      coverage_hit (COVERAGE_SWITCHED_OFF);
      error = g_error_copy (self->last_failure);
      expect_close (self, error);
    }
}

void
ledger_note_retries_connect (Simulation *self,
                             gboolean    retries_connect)
{
  g_autoptr(GError) error = NULL;

  self->retries_connect = retries_connect;
  if (!retries_connect && self->waits_since != -1 &&
      bosh_reconnect_get_state (self->reconnect) == BOSH_RECONNECT_CONNECTING)
    {
      error = g_error_copy (self->last_failure);
      expect_close (self, error);
    }
}

void
ledger_note_retry (Simulation *self)
{
  if (self->waits_since == -1)
    return;

  coverage_hit (COVERAGE_RETRY_NOW);
  self->n_attempts = 0;
  begin_attempt (self, TRUE);
  self->n_tries = 1;
}

void
ledger_note_network (Simulation *self)
{
  if (self->waits_since == -1)
    return;
  if (self->now - self->hurried_at < HURRY_INTERVAL)
    {
      coverage_hit (COVERAGE_HURRIED_BEFORE);
      return;
    }

  coverage_hit (COVERAGE_HURRIED);
  self->hurried_at = self->now;
  begin_attempt (self, TRUE);
}

void
ledger_note_verdict (Simulation *self,
                     gboolean    resend)
{
  gpointer serial;

  if (!self->is_lost)
    return;

  self->is_lost = FALSE;
  place_all (self, &self->asked, resend ? PLACE_WAITING : PLACE_DROPPED);
  while (resend && (serial = g_queue_pop_tail (&self->asked)) != NULL)
    {
      coverage_hit (COVERAGE_SENT_AGAIN);
      g_queue_push_nth (&self->waiting, serial, (int)self->n_ahead);
    }
  if (!resend && self->asked.length > 0)
    coverage_hit (COVERAGE_DROPPED);
  g_queue_clear (&self->asked);
  self->waits_since = self->now;
}

void
ledger_note_prepared (Simulation *self,
                      guint       session,
                      gboolean    hold)
{
  /* It is gone, or was released before it was held back. */
  if (self->session.id != session || !self->session.is_prepared || self->session.is_released)
    return;

  self->session.is_released = !hold;
  if (hold)
    {
      coverage_hit (COVERAGE_HELD);
      self->session.holds_since = self->now;
    }
}

void
ledger_note_released (Simulation *self)
{
  if (!self->session.is_prepared || self->session.is_released)
    return;

  coverage_hit (COVERAGE_RELEASED);
  self->session.is_released = TRUE;
  self->session.holds_since = -1;
}

/* --- What becomes of the session --- */

void
ledger_note_opened (Simulation *self)
{
  if (!self->session.is_attempt)
    self->attempt_at = -1;
  if (self->attaches && !self->session.is_attempt && !self->session.is_leaving)
    {
      self->session.is_logged_in = self->attaches_ready;
      self->ready_at = self->now;
    }
}

void
ledger_note_features (Simulation *self)
{
  if (self->state == BOSH_RECONNECT_CONNECTING && !self->session.is_attempt)
    self->expected_until = self->now + LOGIN_EXPECTED;
}

void
ledger_note_logged_in (Simulation *self)
{
  self->ready_at = self->now;
  self->attempt_at = -1;
  g_clear_error (&self->last_failure);
}

void
ledger_note_login_failed (Simulation    *self,
                          BoshErrorKind  kind,
                          const GError  *error)
{
  if (self->session.is_attempt)
    fail_attempt (self, kind, error);
  else
    {
      coverage_hit (COVERAGE_LOGIN_REFUSED);
      self->remembers = FALSE;
      self->expected_until = self->now + LOGIN_EXPECTED;
      set_error (&self->last_failure, error);
    }
}

static void
note_loss (Simulation    *self,
           BoshErrorKind  kind,
           const GError  *error,
           GQueue        *unsent)
{
  if (self->now - self->ready_at >= STABLE_AFTER)
    {
      coverage_hit (COVERAGE_STABLE);
      self->n_attempts = self->n_tries = 0;
    }
  else
    coverage_hit (COVERAGE_SHORT_SESSION);

  if (!may_pass (kind) || !self->remembers ||
      self->n_attempts >= self->max_attempts)
    {
      place_all (self, unsent, PLACE_OFFERED);
      expect_close (self, error);
      return;
    }

  self->duty = DUTY_ASK;
  self->requests_fail = TRUE;
  self->allowed_attempts = self->max_attempts;
  self->is_lost = TRUE;
  self->n_ahead = 0;
  set_error (&self->last_failure, error);
  place_all (self, unsent, PLACE_ASKED);
  for (GList *link = unsent->head; link != NULL; link = link->next)
    g_queue_push_tail (&self->asked, link->data);
}

void
ledger_note_ended (Simulation    *self,
                   BoshErrorKind  kind,
                   const GError  *error,
                   GQueue        *unsent)
{
  Session *session = &self->session;
  g_autoptr(GError) end_error = g_steal_pointer (&self->end_error);
  guint id = session->id;

  /* It was given up before. */
  if (self->aborts)
    {
      self->aborts = FALSE;
      self->end_error = g_steal_pointer (&end_error);
      return;
    }

  /* The session is gone; nothing has to be aborted. */
  session->id = 0;
  self->expects_login = FALSE;
  self->disconnects = FALSE;
  if (bosh_reconnect_get_state (self->reconnect) == BOSH_RECONNECT_DISCONNECTING)
    {
      place_all (self, unsent, PLACE_OFFERED);
      expect_close (self, end_error != NULL ? end_error : error);
    }
  else if (session->is_logged_in)
    {
      if (self->state == BOSH_RECONNECT_RECONNECTING)
        coverage_hit (session->holds_since != -1 ? COVERAGE_LOST_HELD : COVERAGE_LOST_RESENDING);
      note_loss (self, kind, error, unsent);
    }
  else if (session->is_attempt)
    fail_attempt (self, kind, error);
  else if (!session->is_open && !self->attaches && self->retries_connect &&
           bosh_reconnect_get_state (self->reconnect) == BOSH_RECONNECT_CONNECTING)
    {
      coverage_hit (COVERAGE_CONNECT_RETRIED);
      fail_attempt (self, kind, error);
    }
  else
    {
      coverage_hit (COVERAGE_NEVER_READY);
      self->attempt_at = -1;
      place_all (self, unsent, PLACE_OFFERED);
      expect_close (self, error);
    }
  session->id = id;
}

void
ledger_note_detached (Simulation *self)
{
  if (self->aborts)
    return;

  self->remembers = FALSE;
  self->disconnects = FALSE;
  self->expects_login = FALSE;
  self->requests_fail = TRUE;
}

void
ledger_note_received (Simulation *self,
                      guint64     serial)
{
  Copy *copy = application_get_copy (self, serial);

  g_assert_cmpuint (copy->n_received, ==, 0);
  copy->n_received++;
  for (guint i = 0; i < self->copies->len; i++)
    {
      Copy *other = &g_array_index (self->copies, Copy, i);

      if (other != copy && other->number == copy->number && other->n_received > 0)
        {
          coverage_hit (COVERAGE_TWICE);
          return;
        }
    }

  if (copy->prepares)
    return;
  if (self->is_in_order)
    g_assert_cmpuint (copy->number, >, self->last_number);
  self->last_number = MAX (self->last_number, copy->number);
}

/* --- What the machine does --- */

/* It gives up an attempt that nothing has failed: then it took too long. */
static void
check_abort (Simulation *self)
{
  g_autoptr(GError) error = NULL;

  g_assert_cmpuint (self->session.id, !=, 0);
  if (!self->aborts)
    {
      coverage_hit (COVERAGE_ATTEMPT_TIMEOUT);
      g_assert_cmpint (self->attempt_at, !=, -1);
      g_assert_cmpint (self->now, ==, self->attempt_at + ATTEMPT_TIMEOUT);
      error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TIMED_OUT,
                                   "The login was not finished in time");
      fail_attempt (self, BOSH_ERROR_KIND_TEMPORARY, error);
    }
  self->aborts = FALSE;
}

static void
check_disconnect (Simulation *self)
{
  Session *session = &self->session;

  if (!self->disconnects)
    {
      const char *message;

      if (self->operation == OPERATION_CONNECT)
        {
          coverage_hit (COVERAGE_FEATURES_TIMEOUT);
          g_assert_false (session->has_features);
          g_assert_cmpint (self->now, ==, session->opened_at + FEATURES_TIMEOUT);
          message = "The server sent no stream features in time";
        }
      else
        {
          coverage_hit (COVERAGE_LOGIN_TIMEOUT);
          g_assert_cmpint (self->operation, ==, OPERATION_LOGIN);
          g_assert_cmpint (self->now, ==, self->login_at + LOGIN_TIMEOUT);
          message = "The login was not finished in time";
        }
      g_clear_error (&self->end_error);
      self->end_error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TIMED_OUT, message);
      self->remembers = FALSE;
    }
  self->disconnects = FALSE;
}

/* What waited may leave, as the session is prepared. */
static void
check_released (Simulation *self)
{
  Session *session = &self->session;

  /* The first is not prepared. */
  if (!session->is_attempt)
    return;

  g_assert_true (session->is_prepared);
  if (session->holds_since != -1)
    {
      coverage_hit (COVERAGE_HELD_TOO_LONG);
      g_assert_cmpint (self->now, ==, session->holds_since + HOLD_LIMIT);
      session->holds_since = -1;
      session->is_released = TRUE;
    }
  g_assert_true (session->is_released);
}

static void
check_state (Simulation                *self,
             const BoshReconnectAction *action)
{
  g_assert_cmpint (action->state, ==, bosh_reconnect_get_state (self->reconnect));
  g_assert_true (action->state != self->state || action->finishes);
  if (action->finishes)
    g_assert_cmpint (self->operation, !=, OPERATION_NONE);
  if (action->state == BOSH_RECONNECT_CONNECTED && action->error != NULL)
    assert_same (action->error, self->last_failure);
  if (action->state == BOSH_RECONNECT_READY)
    {
      g_assert_no_error (action->error);
      g_assert_true (self->session.id != 0 && self->session.is_logged_in);
      if (self->session.is_attempt)
        check_released (self);
    }
  if (action->state == BOSH_RECONNECT_DETACHED)
    self->ended = TRUE;
}

static void
check_closed (Simulation   *self,
              const GError *error)
{
  g_assert_cmpint (self->duty, ==, DUTY_CLOSE);
  g_assert_false (self->requests_fail);
  g_assert_false (self->has_credentials);
  g_assert_cmpint (self->state, ==, BOSH_RECONNECT_CLOSED);
  g_assert_cmpint (self->operation, ==, OPERATION_NONE);
  g_assert_cmpuint (self->session.id, ==, 0);
  assert_same (error, self->end_error);
  assert_same (bosh_reconnect_get_last_error (self->reconnect), self->end_error);
  self->duty = DUTY_NONE;
  self->ended = TRUE;
  self->is_silent = TRUE;
}

void
ledger_check_action (Simulation                *self,
                     const BoshReconnectAction *action)
{
  g_assert_false (self->is_silent);
  switch (action->type)
    {
    case BOSH_RECONNECT_ACTION_ABORT:
      check_abort (self);
      break;
    case BOSH_RECONNECT_ACTION_DISCONNECT:
      check_disconnect (self);
      break;
    case BOSH_RECONNECT_ACTION_STATE:
      check_state (self, action);
      break;
    case BOSH_RECONNECT_ACTION_FAIL_REQUESTS:
      g_assert_true (self->requests_fail);
      self->requests_fail = FALSE;
      break;
    case BOSH_RECONNECT_ACTION_ASK:
      g_assert_cmpint (self->duty, ==, DUTY_ASK);
      g_assert_false (self->requests_fail);
      assert_same (action->error, self->last_failure);
      self->duty = DUTY_NONE;
      break;
    case BOSH_RECONNECT_ACTION_RENEW:
      /* Its time has come, or it has begun already for another reason. */
      if (self->attempt_at == -1)
        begin_attempt (self, FALSE);
      break;
    case BOSH_RECONNECT_ACTION_CONNECT:
      g_assert_true (self->attempt_at != -1 || self->n_sessions == 0);
      break;
    case BOSH_RECONNECT_ACTION_LOGIN:
      g_assert_true (self->has_credentials);
      g_assert_true (self->remembers || self->operation == OPERATION_LOGIN);
      break;
    case BOSH_RECONNECT_ACTION_PREPARE:
      /* Once for each session, and not for the first. */
      g_assert_true (self->session.is_attempt && self->session.is_logged_in);
      g_assert_false (self->session.is_prepared);
      self->session.is_prepared = TRUE;
      break;
    case BOSH_RECONNECT_ACTION_RESEND:
      check_released (self);
      g_assert_cmpuint (action->serial, ==, GPOINTER_TO_UINT (g_queue_peek_head (&self->waiting)));
      break;
    case BOSH_RECONNECT_ACTION_FORGET:
      g_assert_true (self->has_credentials && !self->remembers);
      break;
    case BOSH_RECONNECT_ACTION_CLOSED:
      check_closed (self, action->error);
      break;
    case BOSH_RECONNECT_ACTION_EXPECT_LOGIN:
      g_assert_cmpuint (self->session.id, !=, 0);
      g_assert_cmpint (action->expected, !=, self->expects_login);
      self->expects_login = action->expected;
      break;
    case BOSH_RECONNECT_ACTION_PROGRESS:
      self->told_attempts = bosh_reconnect_get_n_attempts (self->reconnect);
      self->told_next = bosh_reconnect_get_next_attempt (self->reconnect);
      set_error (&self->told_error, bosh_reconnect_get_last_error (self->reconnect));
      break;
    default:
      break;
    }
}

void
ledger_note_resent (Simulation *self,
                    guint64     serial)
{
  g_queue_remove (&self->waiting, GUINT_TO_POINTER (serial));
}

/* All that waits, and in the order in which it was sent. */
static void
check_waiting (Simulation *self)
{
  g_autoptr(GPtrArray) elements = bosh_reconnect_dup_waiting (self->reconnect);
  GList *link = self->waiting.head;

  g_assert_cmpuint (elements->len, ==, self->waiting.length);
  for (guint i = 0; i < elements->len; i++, link = link->next)
    {
      const char *id = bosh_element_get_attribute (g_ptr_array_index (elements, i), "id");

      g_assert_cmpuint (g_ascii_strtoull (id, NULL, 10), ==, GPOINTER_TO_UINT (link->data));
      g_assert_cmpint (application_get_copy (self, GPOINTER_TO_UINT (link->data))->place, ==,
                       PLACE_WAITING);
    }
}

/* Nothing is waited for in vain. */
static void
check_deadline (Simulation         *self,
                BoshReconnectState  state)
{
  gint64 deadline = bosh_reconnect_get_deadline (self->reconnect);

  g_assert_true (deadline == -1 || deadline > self->now);
  if (state == BOSH_RECONNECT_RECONNECTING || state == BOSH_RECONNECT_LOGGING_IN)
    g_assert_cmpint (deadline, !=, -1);
  if (state == BOSH_RECONNECT_CONNECTING && self->session.is_open)
    g_assert_cmpint (deadline, !=, -1);
  g_assert_cmpint (bosh_reconnect_get_next_attempt (self->reconnect), ==,
                   self->waits_since != -1 ? deadline : -1);
}

/* The application knows everything that it can ask for. */
static void
check_told (Simulation         *self,
            BoshReconnectState  state)
{
  gboolean may_log_in = state == BOSH_RECONNECT_CONNECTING || state == BOSH_RECONNECT_CONNECTED;

  g_assert_cmpint (state, ==, self->state);
  g_assert_cmpint (self->expects_login, ==,
                   self->session.id != 0 && may_log_in && self->now < self->expected_until);
  g_assert_cmpuint (bosh_reconnect_get_n_attempts (self->reconnect), ==, self->n_attempts);
  g_assert_cmpuint (self->told_attempts, ==, self->n_attempts);
  g_assert_cmpint (self->told_next, ==, bosh_reconnect_get_next_attempt (self->reconnect));
  assert_same (bosh_reconnect_get_last_error (self->reconnect), self->told_error);
}

void
ledger_check_step (Simulation *self)
{
  BoshReconnectState state = bosh_reconnect_get_state (self->reconnect);
  gboolean connects_again = state == BOSH_RECONNECT_CONNECTING &&
                            (self->n_tries > 0 || self->waits_since != -1);

  g_assert_cmpint (self->duty, ==, DUTY_NONE);
  g_assert_false (self->requests_fail || self->disconnects || self->aborts);
  g_assert_cmpint (bosh_reconnect_is_queueing (self->reconnect, FALSE), ==,
                   state == BOSH_RECONNECT_RECONNECTING || connects_again);
  /* What prepares a session goes out as soon as there is one. */
  g_assert_cmpint (bosh_reconnect_is_queueing (self->reconnect, TRUE), ==,
                   connects_again ||
                     (state == BOSH_RECONNECT_RECONNECTING && !is_resending (self)));
  /* Nothing is held back any more that was released. */
  if (state == BOSH_RECONNECT_RECONNECTING && is_resending (self))
    g_assert_cmpint (self->session.holds_since, !=, -1);
  /* Credentials are kept exactly as long as a login may need them. */
  g_assert_cmpint (self->has_credentials, ==, self->remembers);
  check_waiting (self);

  check_deadline (self, state);
  check_told (self, state);
  if (self->ended)
    self->is_silent = TRUE;
}

void
ledger_check_end (Simulation *self)
{
  g_assert_cmpuint (self->session.id, ==, 0);
  g_assert_false (self->has_credentials);
  check_waiting (self);
  for (guint i = 0; i < self->copies->len; i++)
    {
      Copy *copy = &g_array_index (self->copies, Copy, i);

      g_assert_cmpuint (copy->n_received, <=, 1);
      switch (copy->place)
        {
        case PLACE_RECEIVED:
          g_assert_cmpuint (copy->n_received, ==, 1);
          break;
        case PLACE_UNDELIVERED:
        case PLACE_HANDED_OVER:
          break;
        case PLACE_WAITING:
          coverage_hit (COVERAGE_STILL_WAITING);
          g_assert_cmpuint (copy->n_received, ==, 0);
          break;
        case PLACE_OFFERED:
        case PLACE_DROPPED:
          g_assert_cmpuint (copy->n_received, ==, 0);
          break;
        case PLACE_UNSENT:
        case PLACE_IN_FLIGHT:
        case PLACE_ASKED:
        default:
          g_assert_not_reached ();
        }
    }
}
