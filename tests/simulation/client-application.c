/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client-simulation.h"

#include "bosh-error.h"

/* How deep handlers may run main loops. */
#define LEVELS 3

Copy *
application_get_copy (Simulation *self,
                      guint64     serial)
{
  return &g_array_index (self->copies, Copy, serial - 1);
}

/* --- What it does --- */

void
application_connect (Simulation *self)
{
  self->operation = OPERATION_CONNECT;
  if (!self->attaches)
    bosh_reconnect_connect (self->reconnect);
  else
    {
      coverage_hit (COVERAGE_CLIENT_ATTACHED);
      bosh_reconnect_attach (self->reconnect, self->attaches_ready);
      /* Somebody else has logged in, but the application knows the password. */
      if (self->is_enabled && chance (self, 50))
        {
          coverage_hit (COVERAGE_REMEMBERED);
          self->has_credentials = TRUE;
          self->remembers = TRUE;
          bosh_reconnect_remember (self->reconnect);
        }
    }
}

static BoshElement *
new_stanza (guint64 serial)
{
  g_autofree char *id = g_strdup_printf ("%" G_GUINT64_FORMAT, serial);
  BoshElement *element = bosh_element_new ("message", NULL);

  bosh_element_set_attribute (element, "id", id);

  return element;
}

/* Sends a copy of the stanza @number. FALSE if neither the machine nor a session
 * takes it, of which the application learns at once. */
static gboolean
send_copy (Simulation *self,
           guint       number,
           gboolean    prepares)
{
  Copy copy = { .number = number, .place = PLACE_WAITING, .prepares = prepares };
  guint64 serial;

  g_array_append_val (self->copies, copy);
  serial = self->copies->len;
  if (bosh_reconnect_is_queueing (self->reconnect, prepares))
    {
      g_autoptr(BoshElement) element = new_stanza (serial);

      coverage_hit (COVERAGE_QUEUED);
      ledger_note_queued (self, serial);
      bosh_reconnect_queue (self->reconnect, element, serial);
    }
  else if (!world_send (self, serial))
    {
      g_array_set_size (self->copies, serial - 1);
      return FALSE;
    }

  return TRUE;
}

void
application_send (Simulation *self)
{
  for (guint n = chance (self, 20) ? 10 : 1; n > 0 && self->to_send > 0; n--)
    {
      if (!send_copy (self, self->n_numbers + 1, FALSE))
        return;

      self->n_numbers++;
      self->to_send--;
      if (self->is_lost)
        self->is_in_order = FALSE;
    }
}

static gboolean
can_login (Simulation *self)
{
  return bosh_reconnect_get_state (self->reconnect) == BOSH_RECONNECT_CONNECTED &&
         self->operation == OPERATION_NONE && self->session.has_features;
}

static void
login (Simulation *self)
{
  self->operation = OPERATION_LOGIN;
  self->has_credentials = TRUE;
  self->login_at = self->now;
  ledger_note_login (self);
  bosh_reconnect_login (self->reconnect, self->now);
}

void
application_disconnect (Simulation *self)
{
  say (self, "disconnect");
  ledger_note_disconnect (self);
  bosh_reconnect_disconnect (self->reconnect);
}

static void
detach (Simulation *self)
{
  BoshReconnectState state = bosh_reconnect_get_state (self->reconnect);

  if ((state == BOSH_RECONNECT_CONNECTED || state == BOSH_RECONNECT_READY) &&
      self->session.id != 0 && !self->session.is_leaving)
    {
      say (self, "detach");
      world_detach (self);
    }
}

static void
cancel (Simulation *self)
{
  GError *error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED, "cancelled");

  say (self, "cancel");
  ledger_note_cancel (self, error);
  bosh_reconnect_cancel (self->reconnect, error);
}

static void
enable (Simulation *self,
        gboolean    enabled)
{
  say (self, enabled ? "switch on" : "switch off");
  ledger_note_enabled (self, enabled);
  bosh_reconnect_set_enabled (self->reconnect, enabled);
}

static void
retry_connect (Simulation *self,
               gboolean    retries_connect)
{
  ledger_note_retries_connect (self, retries_connect);
  bosh_reconnect_set_retries_connect (self->reconnect, retries_connect);
}

void
application_behave (Simulation *self)
{
  guint what = draw (self, 0, 400);

  if (can_login (self) && chance (self, 80))
    login (self);
  else if (what < 1)
    application_disconnect (self);
  else if (what < 2)
    detach (self);
  else if (what < 3)
    cancel (self);
  else if (what < 6)
    enable (self, !self->is_enabled);
  else if (what < 8 || (self->waits_since != -1 && self->state == BOSH_RECONNECT_CONNECTING &&
                        chance (self, 30)))
    retry_connect (self, !self->retries_connect);
  else if (what < 40)
    {
      self->max_attempts = draw (self, 1, 20);
      bosh_reconnect_set_max_attempts (self->reconnect, self->max_attempts);
    }
  else if (what < 80)
    {
      ledger_note_retry (self);
      bosh_reconnect_retry_now (self->reconnect, self->now);
    }
}

/* --- What comes of an action --- */

/* What goes on in a main loop that a handler runs: the rest of the actions, too. */
static void
run_main_loop (Simulation *self)
{
  if (self->loop_level == LEVELS)
    return;

  self->loop_level++;
  application_drain (self);
  for (guint n = draw (self, 1, 20); n > 0 && !self->ended; n--)
    {
      coverage_hit (COVERAGE_NESTED_STEP);
      step (self);
    }
  self->loop_level--;
}

/* What handlers of the application may do in the middle of it all. */
static void
run_handlers (Simulation *self)
{
  if (self->is_silent || !chance (self, self->handler_percent))
    return;

  coverage_hit (COVERAGE_HANDLER);
  switch (draw (self, 0, 9))
    {
    case 0:
      application_disconnect (self);
      break;
    case 1:
      enable (self, FALSE);
      break;
    case 2:
      cancel (self);
      break;
    case 3:
      detach (self);
      break;
    case 4:
      if (self->session.id != 0)
        schedule (self, EVENT_LOSS, self->session.id, 0);
      if (chance (self, 50))
        run_main_loop (self);
      while (take_event (self))
        coverage_hit (COVERAGE_NESTED_EVENT);
      break;
    case 5:
      run_main_loop (self);
      break;
    case 6:
      ledger_note_retry (self);
      bosh_reconnect_retry_now (self->reconnect, self->now);
      break;
    default:
      application_send (self);
      break;
    }
}

/* The session was lost. */
static void
decide (Simulation *self)
{
  gboolean resend = chance (self, 70);
  gboolean repeats = chance (self, 50);
  gpointer serial;

  coverage_hit (COVERAGE_ASKED);
  run_handlers (self);
  while ((serial = g_queue_pop_head (&self->undelivered)) != NULL)
    {
      Copy *copy = application_get_copy (self, GPOINTER_TO_UINT (serial));

      if (repeats && send_copy (self, copy->number, copy->prepares))
        coverage_hit (COVERAGE_REPEATED);
    }
  ledger_note_verdict (self, resend);
  bosh_reconnect_handle_verdict (self->reconnect, resend, self->now);
}

/* There is another session. */
static void
prepare (Simulation *self)
{
  guint session = self->session.id;
  gboolean hold = chance (self, 50);

  run_handlers (self);
  for (guint n = draw (self, 0, 3); n > 0 && self->session.id == session; n--)
    {
      if (!send_copy (self, self->n_numbers + 1, TRUE))
        break;
      coverage_hit (COVERAGE_PREPARED);
      self->n_numbers++;
    }
  if (chance (self, 10))
    application_release (self);
  else if (hold && self->session.id == session && chance (self, 80))
    schedule (self, EVENT_RESEND, session, draw (self, 0, 35000) * MILLISECOND);
  ledger_note_prepared (self, session, hold);
  bosh_reconnect_handle_prepared (self->reconnect, hold, self->now);
}

void
application_release (Simulation *self)
{
  ledger_note_released (self);
  bosh_reconnect_resend (self->reconnect);
}

static void
resend (Simulation *self,
        guint64     serial)
{
  gboolean was_taken;

  run_handlers (self);
  if (self->session.id != 0 && chance (self, 2))
    {
      coverage_hit (COVERAGE_REFUSED);
      self->session.is_gone = TRUE;
      schedule (self, EVENT_LOSS, self->session.id, draw (self, 0, 1000) * MILLISECOND);
    }
  was_taken = world_send (self, serial);
  if (was_taken)
    {
      coverage_hit (COVERAGE_RESENT);
      ledger_note_resent (self, serial);
      run_handlers (self);
    }
  bosh_reconnect_handle_resent (self->reconnect, was_taken);
}

static void
change_state (Simulation                *self,
              const BoshReconnectAction *action)
{
  say (self, "state %u", action->state);
  self->state = action->state;
  if (action->finishes)
    self->operation = OPERATION_NONE;
  if (can_login (self) && chance (self, 70))
    login (self);
  run_handlers (self);
}

static void
carry_out (Simulation          *self,
           BoshReconnectAction *action)
{
  switch (action->type)
    {
    case BOSH_RECONNECT_ACTION_ABORT:
      world_abort (self);
      break;
    case BOSH_RECONNECT_ACTION_DISCONNECT:
      world_disconnect (self);
      break;
    case BOSH_RECONNECT_ACTION_STATE:
      change_state (self, action);
      break;
    case BOSH_RECONNECT_ACTION_ASK:
      decide (self);
      break;
    case BOSH_RECONNECT_ACTION_CONNECT:
      world_connect (self);
      run_handlers (self);
      break;
    case BOSH_RECONNECT_ACTION_LOGIN:
      world_login (self);
      break;
    case BOSH_RECONNECT_ACTION_PREPARE:
      prepare (self);
      break;
    case BOSH_RECONNECT_ACTION_RESEND:
      resend (self, action->serial);
      break;
    case BOSH_RECONNECT_ACTION_FORGET:
      self->has_credentials = FALSE;
      break;
    case BOSH_RECONNECT_ACTION_FAIL_REQUESTS:
    case BOSH_RECONNECT_ACTION_RENEW:
    case BOSH_RECONNECT_ACTION_PROGRESS:
      run_handlers (self);
      break;
    case BOSH_RECONNECT_ACTION_EXPECT_LOGIN:
    case BOSH_RECONNECT_ACTION_CLOSED:
    default:
      break;
    }
}

/* All that an action says, and when. */
static void
digest_action (Simulation                *self,
               const BoshReconnectAction *action)
{
  g_autofree char *line =
    g_strdup_printf ("%" G_GINT64_FORMAT " %d %d %d %d %d %" G_GUINT64_FORMAT " %s\n", self->now,
                     action->type, action->state, action->finishes, action->was_ready,
                     action->expected, action->serial,
                     action->error != NULL ? action->error->message : "");

  g_checksum_update (self->digest, (const guchar *)line, -1);
}

void
application_drain (Simulation *self)
{
  BoshReconnectAction action;

  if (self->drain_level > self->loop_level)
    return;

  self->drain_level++;
  while (bosh_reconnect_next_action (self->reconnect, &action, self->now))
    {
      if (self->digest != NULL)
        digest_action (self, &action);
      ledger_check_action (self, &action);
      carry_out (self, &action);
      bosh_reconnect_action_clear (&action);
    }
  self->drain_level--;
}
