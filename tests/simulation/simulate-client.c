/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of a client in virtual time: sessions that get lost, logins that fail,
 * networks and servers that go away, and an application that does the worst at any
 * moment. One seed makes one run; a failing seed is named, and
 * `simulate-client --seed=N --verbose` shows it again. */

#include "config.h"

#include "client-simulation.h"
#include "seeds.h"

#include <stdio.h>
#include <string.h>

/* Then the application has enough. */
#define LONGEST_LIFE (4 * 3600 * SECOND)
/* The end of a session takes no longer, and that of the run neither. */
#define LONGEST_END (300 * SECOND)

void
say (Simulation *self,
     const char *format,
     ...)
{
  va_list arguments;
  g_autofree char *text = NULL;

  if (!self->verbose)
    return;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  printf ("# %10.3f %s\n", (double)self->now / SECOND, text);
}

guint
draw (Simulation *self,
      int         from,
      int         to)
{
  return (guint)g_rand_int_range (self->random, from, to);
}

gboolean
chance (Simulation *self,
        guint       percent)
{
  return draw (self, 0, 100) < percent;
}

static int
compare_events (gconstpointer a,
                gconstpointer b,
                gpointer      user_data)
{
  const Event *first = a;
  const Event *second = b;

  if (first->at != second->at)
    return first->at < second->at ? -1 : 1;

  return first->order < second->order ? -1 : first->order > second->order;
}

void
schedule (Simulation *self,
          EventType   type,
          guint       session,
          gint64      delay)
{
  Event *event = g_new (Event, 1);

  *event = (Event){ self->now + delay, self->order++, type, session };
  g_sequence_insert_sorted (self->events, event, compare_events, NULL);
}

void
handle_event (Simulation  *self,
              const Event *event)
{
  if (event->session != 0 && event->session != self->session.id)
    return;

  if (event->type == EVENT_SEND)
    {
      application_send (self);
      if (self->to_send > 0)
        schedule (self, EVENT_SEND, 0, draw (self, 1, (int)self->send_interval + 1) * MILLISECOND);
    }
  else if (event->type == EVENT_RESEND)
    application_release (self);
  else if (event->type == EVENT_BEHAVIOUR)
    {
      application_behave (self);
      schedule (self, EVENT_BEHAVIOUR, 0, draw (self, 1, 300) * SECOND);
    }
  else
    world_handle_event (self, event);
}

static gint64
get_next_event (Simulation *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->events);

  return g_sequence_iter_is_end (first) ? G_MAXINT64 : ((Event *)g_sequence_get (first))->at;
}

gboolean
take_event (Simulation *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->events);
  Event event;

  if (get_next_event (self) > self->now)
    return FALSE;

  event = *(Event *)g_sequence_get (first);
  g_sequence_remove (first);
  handle_event (self, &event);

  return TRUE;
}

void
step (Simulation *self)
{
  gint64 deadline = bosh_reconnect_get_deadline (self->reconnect);
  gint64 next = get_next_event (self);

  if (deadline != -1)
    next = MIN (next, deadline);
  g_assert_cmpint (next, <, G_MAXINT64);
  self->now = MAX (self->now, next);
  take_event (self);
  application_drain (self);
}

static void
choose (Simulation *self)
{
  self->is_enabled = chance (self, 90);
  self->attaches = chance (self, 5);
  self->attaches_ready = chance (self, 80);
  self->monitor_sees = chance (self, 80);
  self->loss_percent = chance (self, 50) ? 0 : draw (self, 0, 60);
  self->trouble_percent = chance (self, 30) ? 0 : draw (self, 0, 50);
  self->handler_percent = chance (self, 50) ? 0 : draw (self, 1, 30);
  self->to_send = draw (self, 0, 300);
  self->send_interval = draw (self, 1, chance (self, 50) ? 1000 : 100000);
  self->max_attempts = chance (self, 50) ? BOSH_RECONNECT_MAX_ATTEMPTS : draw (self, 1, 20);
  self->retries_connect = chance (self, 50);
  bosh_reconnect_set_retries_connect (self->reconnect, self->retries_connect);
  bosh_reconnect_set_enabled (self->reconnect, self->is_enabled);
  bosh_reconnect_set_max_attempts (self->reconnect, self->max_attempts);
}

static void
start (Simulation *self,
       guint32     seed,
       gboolean    verbose,
       GChecksum  *digest)
{
  memset (self, 0, sizeof *self);
  self->digest = digest;
  self->random = g_rand_new_with_seed (seed);
  self->now = SECOND;
  self->verbose = verbose;
  self->events = g_sequence_new (g_free);
  self->copies = g_array_new (FALSE, TRUE, sizeof (Copy));
  self->reconnect = bosh_reconnect_new (seed);
  self->network_is_up = TRUE;
  self->server_is_up = TRUE;
  self->waits_since = -1;
  self->attempt_at = -1;
  self->hurried_at = -3600 * SECOND;
  self->told_next = -1;
  self->session.holds_since = -1;
  self->is_in_order = TRUE;
  choose (self);
}

static void
stop (Simulation *self)
{
  say (self, "done: %u stanzas, %u sessions, %u failures", self->copies->len, self->n_sessions,
       self->n_failures);
  world_clear_session (self);
  bosh_reconnect_free (self->reconnect);
  g_clear_error (&self->end_error);
  g_clear_error (&self->last_failure);
  g_clear_error (&self->told_error);
  g_queue_clear (&self->undelivered);
  g_queue_clear (&self->waiting);
  g_queue_clear (&self->asked);
  g_sequence_free (self->events);
  g_array_unref (self->copies);
  g_rand_free (self->random);
}

/* Nothing comes after the end, whatever still happens. */
static void
outlive (Simulation *self)
{
  for (guint i = 0; i < 20; i++)
    {
      self->now += draw (self, 0, 100000) * MILLISECOND;
      application_behave (self);
      bosh_reconnect_handle_network (self->reconnect, self->now);
      bosh_reconnect_handle_features (self->reconnect, self->now);
      bosh_reconnect_handle_ended (self->reconnect, BOSH_ERROR_KIND_TEMPORARY, NULL, NULL, 0,
                                   self->now);
      application_drain (self);
    }
}

static void
run (guint32    seed,
     gboolean   verbose,
     GChecksum *digest)
{
  Simulation self;
  gint64 limit;

  start (&self, seed, verbose, digest);
  schedule (&self, EVENT_SEND, 0, draw (&self, 0, 20000) * MILLISECOND);
  schedule (&self, EVENT_BEHAVIOUR, 0, draw (&self, 1, 300) * SECOND);
  if (chance (&self, 50))
    schedule (&self, EVENT_NETWORK, 0, draw (&self, 0, 2000) * SECOND);
  self.server_is_up = chance (&self, 95);
  if (chance (&self, 50))
    schedule (&self, EVENT_SERVER, 0, draw (&self, 0, 2000) * SECOND);
  if (chance (&self, 30))
    schedule (&self, EVENT_BETWEEN, 0, draw (&self, 0, 2000) * SECOND);
  application_connect (&self);
  application_drain (&self);
  while (!self.ended && self.now < LONGEST_LIFE)
    {
      step (&self);
      ledger_check_step (&self);
    }

  if (!self.ended)
    coverage_hit (COVERAGE_LONG_LIFE);
  application_disconnect (&self);
  application_drain (&self);
  limit = self.now + LONGEST_END;
  while (!self.ended)
    {
      step (&self);
      ledger_check_step (&self);
      g_assert_cmpint (self.now, <=, limit);
    }

  outlive (&self);
  ledger_check_end (&self);
  stop (&self);
}

int
main (int   argc,
      char *argv[])
{
  return seeds_main (argc, argv, "client-simulation", run, 10000, CLIENT_COVERAGE);
}
