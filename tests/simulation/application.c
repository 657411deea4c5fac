/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "simulation.h"

#include "bosh-element-private.h"

#include <string.h>

static BoshElement *
new_stanza (Simulation *self)
{
  BoshElement *message = bosh_element_new_message ("peer@example.org", NULL, NULL);
  g_autofree char *id = g_strdup_printf ("%u", self->sent);

  bosh_element_set_attribute (message, "id", id);
  if (chance (self, 5))
    {
      guint factor = self->size_limit > 0 ? 20 : 1;
      g_autofree char *text = g_strnfill (g_rand_int_range (self->random, 500, 2500) * factor, 'x');

      coverage_hit (COVERAGE_LARGE_STANZA);
      bosh_element_set_text (message, text);
    }

  return message;
}

void
application_send (Simulation *self)
{
  g_autoptr(BoshElement) message = new_stanza (self);

  if (!bosh_session_queue (self->session, message, NULL, NULL))
    return;

  ledger_note_sent (self);
  self->to_send--;
  if (chance (self, 10))
    {
      coverage_hit (COVERAGE_HASTEN);
      bosh_session_hasten (self->session);
    }
}

static void
add_serial (Simulation  *self,
            BoshElement *stanza)
{
  guint id = g_ascii_strtoull (bosh_element_get_attribute (stanza, "id"), NULL, 10);

  g_array_append_val (self->serials, id);
}

static void
add_serials (Simulation *self,
             GBytes     *request)
{
  BoshBodyVerdict verdict;
  g_autoptr(BoshResponseBody) body = bosh_response_body_new (request, &verdict, NULL);

  for (guint i = 0; i < bosh_element_get_n_children (body->root); i++)
    add_serial (self, bosh_element_get_nth_child (body->root, i));
}

void
application_restore (Simulation *self,
                     gint64      delay)
{
  g_autoptr(BoshSessionSnapshot) saved = bosh_session_save (self->session);
  guint n_unanswered;
  guint base;

  g_array_set_size (self->serials, 0);
  for (guint i = 0; i < saved->unanswered->len; i++)
    {
      BoshSnapshotRequest *request = &g_array_index (saved->unanswered, BoshSnapshotRequest, i);

      if (request->has_payload)
        add_serials (self, request->body);
    }
  n_unanswered = self->serials->len;
  for (guint i = 0; i < saved->unsent->len; i++)
    add_serial (self, g_ptr_array_index (saved->unsent, i));
  if (saved->unanswered->len > 0)
    coverage_hit (COVERAGE_RESTORED_UNANSWERED);
  if (saved->unsent->len > 0)
    coverage_hit (COVERAGE_RESTORED_UNSENT);

  /* What is not in the snapshot has arrived, or was said to be lost. */
  base = self->serials->len > 0 ? g_array_index (self->serials, guint, 0) : self->sent;
  ledger_note_base (self, base);
  network_close_all (self);
  if (n_unanswered > 0)
    ledger_note_maybe_sent (self, g_array_index (self->serials, guint, n_unanswered - 1) + 1);
  ledger_note_restored (self);

  self->hand_overs++;
  self->handing_over = FALSE;
  self->attaching = TRUE;
  self->closed = FALSE;
  self->restarts_asked = self->restarts_done;
  g_clear_error (&self->error);
  bosh_session_free (self->session);
  draw_entropy (self);
  self->session = bosh_session_new_from_snapshot (saved, &self->parameters);
  if (delay > 0)
    schedule (self, EVENT_OPEN, delay);
  else
    bosh_session_open (self->session, self->now);
}

void
application_terminate (Simulation *self)
{
  g_autoptr(BoshElement) last = chance (self, 50) ? new_stanza (self) : NULL;

  say (self, "terminate%s", last != NULL ? " with a stanza" : "");
  /* The stanza may be larger than what has turned out to be possible. */
  if (!bosh_session_terminate (self->session, last, NULL))
    {
      g_clear_pointer (&last, bosh_element_unref);
      if (!bosh_session_terminate (self->session, NULL, NULL))
        return;
    }

  coverage_hit (COVERAGE_TERMINATE);
  if (bosh_session_get_n_queued (self->session) > 0)
    coverage_hit (COVERAGE_TERMINATE_QUEUED);
  if (last != NULL)
    {
      coverage_hit (COVERAGE_TERMINATE_PAYLOAD);
      ledger_note_sent (self);
    }
  self->terminating = TRUE;
}

/* Replies at once, or promises to. */
static void
react (Simulation *self)
{
  if (self->to_send == 0 || self->terminating)
    return;

  if (chance (self, 10))
    {
      coverage_hit (COVERAGE_REPLY);
      application_send (self);
    }
  else if (chance (self, 5))
    {
      coverage_hit (COVERAGE_REPLY_EXPECTED);
      bosh_session_set_reply_expected (self->session, TRUE);
      schedule (self, EVENT_REPLY, g_rand_int_range (self->random, 0, 3000) * MILLISECOND);
    }
}

static void
take_payload (Simulation  *self,
              BoshElement *element)
{
  const char *id = bosh_element_get_attribute (element, "id");

  /* The stream error at the end has none. */
  if (id == NULL)
    return;

  /* At the end, a missing response is not awaited for long; and who drops requests may
   * respond to them in another order. */
  if (!self->terminating && model_manager_get_end (self->manager) == NULL && !self->disordered)
    g_assert_cmpuint (g_ascii_strtoull (id, NULL, 10), ==, self->received);
  if (!self->disordered)
    g_assert_cmpuint (g_ascii_strtoull (id, NULL, 10), >=, self->received);
  self->received = MAX (self->received, g_ascii_strtoull (id, NULL, 10) + 1);
  react (self);
}

/* Adds everything that an action says, and the time. */
static void
digest_action (Simulation *self,
               BoshAction *action)
{
  g_autofree char *line =
    g_strdup_printf ("%" G_GINT64_FORMAT " %d %" G_GUINT64_FORMAT " %d %d %d %" G_GUINT64_FORMAT " %d %s %d\n",
                     self->now, action->type, action->rid, action->repeated, action->coding,
                     action->has_payload, action->serial, action->state,
                     action->text != NULL ? action->text : "",
                     action->error != NULL ? action->error->code : -1);

  g_checksum_update (self->digest, (const guchar *)line, -1);
  if (action->bytes != NULL)
    {
      gsize size;
      const guchar *data = g_bytes_get_data (action->bytes, &size);

      g_checksum_update (self->digest, data, size);
    }
}

static void
take_action (Simulation *self,
             BoshAction *action)
{
  if (self->digest != NULL)
    digest_action (self, action);

  switch (action->type)
    {
    case BOSH_ACTION_SEND:
      network_post (self, action);
      g_bytes_unref (action->bytes);
      break;

    case BOSH_ACTION_ABANDON:
      network_abandon (self, action->rid);
      break;

    case BOSH_ACTION_PAYLOAD:
      take_payload (self, action->element);
      bosh_element_unref (action->element);
      break;

    case BOSH_ACTION_LEFT_OUT:
      self->n_left_out++;
      take_payload (self, action->element);
      bosh_element_unref (action->element);
      g_error_free (action->error);
      break;

    case BOSH_ACTION_DELIVERED:
      ledger_check_delivered (self, action->serial);
      break;

    case BOSH_ACTION_CLOSED:
      g_assert_false (self->closed);
      self->closed = TRUE;
      self->error = action->error;
      break;

    case BOSH_ACTION_STANZA_FAILED:
      ledger_check_failed (self, action->serial, action->error);
      g_clear_error (&action->error);
      break;

    case BOSH_ACTION_HANDED_OVER:
      say (self, "handed over");
      coverage_hit (COVERAGE_HAND_OVER);
      if (self->parameters.pause_on_detach && self->resuming)
        coverage_hit (COVERAGE_HAND_OVER_PAUSED);
      application_restore (self, 0);
      break;

    case BOSH_ACTION_OPENED:
      self->attaching = FALSE;
      break;

    case BOSH_ACTION_PAUSED:
      coverage_hit (COVERAGE_PAUSED);
      self->resuming = TRUE;
      ledger_note_paused (self);
      break;

    case BOSH_ACTION_RESTARTED:
      self->restarts_done++;
      g_assert_cmpuint (self->restarts_done, <=, self->restarts);
      break;

    case BOSH_ACTION_STATE:
    case BOSH_ACTION_REDIRECTED:
    case BOSH_ACTION_STREAM_OPENED:
    case BOSH_ACTION_STREAM_CLOSED:
    default:
      break;
    }
}

void
application_drain (Simulation *self)
{
  BoshAction action = { 0 };
  gint64 deadline;

  while (bosh_session_next_action (self->session, &action, self->now))
    take_action (self, &action);

  ledger_check_step (self);
  deadline = bosh_session_get_deadline (self->session);
  g_assert_true (deadline == -1 || deadline > self->now);
}

/* Detaching itself gives only a number; here a snapshot is used to go on. */
static void
detach (Simulation *self)
{
  guint64 next;

  say (self, "detach");
  coverage_hit (COVERAGE_DETACH);
  next = bosh_session_detach (self->session);
  g_assert_cmpuint (next, <=, bosh_session_get_last_rid (self->session) + 1);
  for (guint i = 0; i < self->exchanges->len; i++)
    g_assert_true (get_exchange (self, i)->rid < next || !get_exchange (self, i)->arrived);
  application_drain (self);
  application_restore (self, g_rand_int_range (self->random, 0, 3000) * MILLISECOND);
}

static void
crash (Simulation *self)
{
  say (self, "process restart");
  coverage_hit (COVERAGE_CRASH);
  application_restore (self, g_rand_int_range (self->random, 0, 10000) * MILLISECOND);
}

static void
pause (Simulation *self)
{
  if (!bosh_session_pause (self->session, g_rand_int_range (self->random, 20, 200), NULL))
    return;

  say (self, "pause");
  coverage_hit (COVERAGE_PAUSE);
  self->pauses++;
  if (chance (self, 50))
    self->quiet_until = self->now + g_rand_int_range (self->random, 5, 250) * SECOND;
}

static void
restart (Simulation *self)
{
  if (self->restarts_asked != self->restarts_done ||
      !bosh_session_restart (self->session, NULL, NULL))
    return;

  say (self, "restart");
  coverage_hit (COVERAGE_RESTART);
  self->restarts_asked++;
}

static void
resume (Simulation *self)
{
  say (self, "resume");
  coverage_hit (COVERAGE_RESUME);
  bosh_session_resume (self->session);
}

void
application_behave (Simulation *self)
{
  BoshSessionState state = bosh_session_get_state (self->session);
  guint choice = g_rand_int_range (self->random, 0, 100);

  if (self->handing_over && chance (self, 20))
    {
      say (self, "hand-over given up");
      coverage_hit (COVERAGE_HAND_OVER_CANCELLED);
      bosh_session_cancel_hand_over (self->session);
      self->handing_over = FALSE;
    }

  if (self->terminating || state == BOSH_SESSION_NEW || state == BOSH_SESSION_CLOSED)
    return;
  /* A session learns that its server does not hold; another one would have to
   * learn it again. */
  if (self->options.never_holds)
    return;
  /* Another owner can't know that a request was too large for the path. */
  if (self->size_limit > 0 && choice < 40)
    return;

  /* A restart belongs to a login, and that can't be saved. */
  if (choice < 15 && self->restarts_asked == self->restarts_done)
    crash (self);
  else if (self->handing_over)
    return;
  else if (choice < 20 && self->restarts_asked == self->restarts_done)
    detach (self);
  else if (choice < 40)
    self->handing_over = bosh_session_hand_over (self->session, NULL);
  else if (choice < 60)
    pause (self);
  else if (choice < 75 && state == BOSH_SESSION_PAUSED)
    resume (self);
  else if (choice < 85)
    restart (self);
  else if (choice < 90)
    bosh_session_hasten (self->session);
}
