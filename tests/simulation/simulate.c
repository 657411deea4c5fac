/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A session against a model connection manager, in virtual time, over a network
 * that does everything wrong. One seed makes one run; a failing seed is named,
 * and `simulate --seed=N --verbose` shows it again. Two builds whose sessions
 * behave alike print the same text with --digest. */

#include "config.h"

#include "seeds.h"
#include "simulation.h"

#include "bosh-limits-private.h"

#include <stdio.h>
#include <string.h>

/* A run that takes longer gets nowhere. */
#define LONGEST_RUN (7200 * SECOND)
/* What a termination may take, and what finding out may that the server has
 * dropped the session. */
#define LONGEST_END (16 * SECOND)
#define LONGEST_DOUBT (120 * SECOND)
/* A session without `inactivity` never expires: its owner loses patience. */
#define PATIENCE (900 * SECOND)

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

gboolean
chance (Simulation *self,
        guint       percent)
{
  return (guint)g_rand_int_range (self->random, 0, 100) < percent;
}

static void
on_manager_stanza (const char *id,
                   gboolean    dropped,
                   gpointer    user_data)
{
  Simulation *self = user_data;

  if (id == NULL)
    {
      /* The features that follow a restart. */
      g_autofree char *xml = g_strdup_printf ("<features xmlns='http://etherx.jabber.org/streams' id='%u'/>",
                                              self->server_sent++);

      self->restarts++;
      model_manager_queue (self->manager, xml);
      return;
    }

  ledger_note_processed (self, g_ascii_strtoull (id, NULL, 10), dropped);
}

static guint
draw_burst (Simulation *self)
{
  if (!chance (self, 20))
    return 1;

  coverage_hit (COVERAGE_BURST);

  return 20;
}

/* Until somebody sends something again; sometimes long enough for a path to lose patience. */
static gint64
draw_gap (Simulation *self)
{
  if (self->path_patience > 0 && chance (self, 50))
    return g_rand_int_range (self->random, 20, 90) * SECOND;

  return g_rand_int_range (self->random, 0, 1000) * MILLISECOND;
}

static void
handle_client (Simulation *self)
{
  guint n = self->now < self->quiet_until ? 0 : draw_burst (self);

  for (; n > 0 && self->to_send > 0; n--)
    application_send (self);
  if (self->to_send > 0)
    schedule (self, EVENT_CLIENT, draw_gap (self));
}

/* The next stanza for the client, which may be too large for it. */
static char *
new_stanza (Simulation *self)
{
  g_autoptr(GString) content = g_string_new (NULL);

  if (chance (self, 2))
    {
      coverage_hit (COVERAGE_LEFT_OUT);
      for (guint i = 0; i < BOSH_XML_MAX_DEPTH; i++)
        g_string_append (content, "<x>");
      for (guint i = 0; i < BOSH_XML_MAX_DEPTH; i++)
        g_string_append (content, "</x>");
      self->n_too_large++;
    }

  return g_strdup_printf ("<message xmlns='jabber:client' id='%u'>%s</message>",
                          self->server_sent++, content->str);
}

static void
handle_server (Simulation *self)
{
  for (guint i = draw_burst (self); i > 0 && self->to_receive > 0; i--)
    {
      g_autofree char *xml = new_stanza (self);

      self->to_receive--;
      model_manager_send (self->manager, xml, self->now);
    }
  if (self->to_receive > 0)
    schedule (self, EVENT_SERVER, draw_gap (self));
}

static void
handle_outage (Simulation *self)
{
  if (self->has_struck && self->catastrophe == CATASTROPHE_BLACKOUT)
    return;

  self->outage = !self->outage;
  if (self->outage)
    coverage_hit (COVERAGE_OUTAGE);
  if (!self->outage && chance (self, 50))
    {
      coverage_hit (COVERAGE_NETWORK_NEWS);
      ledger_forget_waiting (self);
      bosh_session_handle_network (self->session, self->now);
    }
  if (self->outage || self->to_send > 0)
    schedule (self, EVENT_OUTAGE, g_rand_int_range (self->random, 1, self->outage ? 15 : 60) * SECOND);
}

static void
handle_event (Simulation *self,
              Event      *event)
{
  switch (event->type)
    {
    case EVENT_ARRIVES:
    case EVENT_WRITTEN:
    case EVENT_PROGRESS:
    case EVENT_RESPONDED:
    case EVENT_BREAKS:
    case EVENT_PATH_CUTS:
      network_handle_event (self, event);
      break;

    case EVENT_CLIENT:
      handle_client (self);
      break;

    case EVENT_SERVER:
      handle_server (self);
      break;

    case EVENT_BEHAVIOUR:
      application_behave (self);
      if (self->to_send > 0)
        schedule (self, EVENT_BEHAVIOUR, g_rand_int_range (self->random, 1, 20) * SECOND);
      break;

    case EVENT_REPLY:
      if (self->to_send > 0)
        application_send (self);
      bosh_session_set_reply_expected (self->session, FALSE);
      break;

    case EVENT_OPEN:
      bosh_session_open (self->session, self->now);
      break;

    case EVENT_OUTAGE:
      handle_outage (self);
      break;

    case EVENT_CATASTROPHE:
      catastrophe_strike (self);
      break;

    default:
      g_assert_not_reached ();
    }
}

/* Takes the first event if it is due. */
static gboolean
take_event (Simulation *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->events);
  Event copy;

  if (g_sequence_iter_is_end (first) || ((Event *)g_sequence_get (first))->at > self->now)
    return FALSE;

  copy = *(Event *)g_sequence_get (first);
  ((Event *)g_sequence_get (first))->bytes = NULL;
  g_sequence_remove (first);
  handle_event (self, &copy);
  g_clear_pointer (&copy.bytes, g_bytes_unref);

  return TRUE;
}

/* Goes to whatever comes next; FALSE if nothing comes any more. */
static gboolean
step (Simulation *self)
{
  gint64 manager_at = model_manager_get_deadline (self->manager);
  gint64 session_at = bosh_session_get_deadline (self->session);
  GSequenceIter *first = g_sequence_get_begin_iter (self->events);
  gint64 next = G_MAXINT64;

  if (!g_sequence_iter_is_end (first))
    next = ((Event *)g_sequence_get (first))->at;
  if (manager_at != -1)
    next = MIN (next, manager_at);
  if (session_at != -1)
    next = MIN (next, session_at);
  if (next == G_MAXINT64)
    return FALSE;

  self->now = MAX (self->now, next);
  model_manager_advance (self->manager, self->now);
  take_event (self);
  application_drain (self);

  return TRUE;
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
  self->spot_checks = g_rand_new_with_seed (seed);
  self->now = SECOND;
  self->verbose = verbose;
  self->responded_at = NEVER;
  self->events = g_sequence_new ((GDestroyNotify)event_free);
  self->exchanges = g_array_new (FALSE, TRUE, sizeof (Exchange));
  self->records = g_array_new (FALSE, TRUE, sizeof (Record));
  g_array_set_clear_func (self->records, (GDestroyNotify)ledger_clear_record);
  self->polls = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->stanzas = g_array_new (FALSE, TRUE, sizeof (Stanza));
  self->serials = g_array_new (FALSE, FALSE, sizeof (guint));
  choose_parameters (self);
  choose_options (self);
  self->manager = model_manager_new (&self->options, network_on_response, on_manager_stanza, self);
  self->session = bosh_session_new (&self->parameters);
  self->to_send = g_rand_int_range (self->random, 0, 60);
  self->to_receive = g_rand_int_range (self->random, 0, 60);
}

static void
stop (Simulation *self)
{
  say (self, "done: %u sent, %u received, %u hand-overs, %u pauses, %u exchanges", self->sent,
       self->received, self->hand_overs, self->pauses, self->exchanges->len);
  g_clear_error (&self->error);
  g_clear_error (&self->expected_error);
  bosh_session_free (self->session);
  model_manager_free (self->manager);
  g_sequence_free (self->events);
  g_array_unref (self->exchanges);
  g_array_unref (self->records);
  g_array_unref (self->polls);
  g_array_unref (self->stanzas);
  g_array_unref (self->serials);
  g_rand_free (self->random);
  g_rand_free (self->spot_checks);
}

static gboolean
is_done (Simulation *self)
{
  return self->to_send == 0 && self->to_receive == 0 && !self->handing_over && !self->attaching &&
         ledger_is_all_processed (self) && self->received == self->server_sent &&
         self->n_left_out == self->n_too_large;
}

/* Whatever is still on its way arrives. */
static void
settle (Simulation *self)
{
  GSequenceIter *iter = g_sequence_get_begin_iter (self->events);

  for (; !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
    {
      Event *event = g_sequence_get (iter);

      if (event->type != EVENT_ARRIVES)
        continue;
      self->now = MAX (self->now, event->at);
      network_handle_event (self, event);
    }
}

/* FALSE if the session could not be created. */
static gboolean
create (Simulation *self)
{
  guint fault_percent = self->fault_percent;

  self->fault_percent = chance (self, 3) && !self->options.never_holds ? 50 : 0;
  bosh_session_open (self->session, self->now);
  for (guint i = chance (self, 20) ? 3 : 0; i > 0 && self->to_send > 0; i--)
    application_send (self);
  application_drain (self);
  while (bosh_session_get_state (self->session) == BOSH_SESSION_CREATING)
    g_assert_true (step (self));

  if (self->closed)
    {
      coverage_hit (COVERAGE_CREATION_FAILS);
      g_assert_cmpuint (self->fault_percent, >, 0);
      g_assert_nonnull (self->error);
      return FALSE;
    }

  self->fault_percent = fault_percent;

  return TRUE;
}

/* How long the session may take to notice that the network is down for ever. */
static gint64
get_expiry (Simulation *self)
{
  /* A pause lasts before that. */
  return (self->options.wait + self->options.inactivity + self->options.max_pause) * SECOND +
         LONGEST_DOUBT;
}

static void
check_duration (Simulation *self,
                gint64      limit)
{
  g_assert_cmpint (self->now, <, limit);
  if (!self->has_struck || self->closed)
    return;

  if (self->catastrophe == CATASTROPHE_TERMINATE)
    g_assert_cmpint (self->now - self->struck_at, <=, LONGEST_END);
  else if (self->catastrophe != CATASTROPHE_BLACKOUT || self->attaching)
    return;
  else if (self->options.inactivity > 0)
    g_assert_cmpint (self->now - self->struck_at, <=, get_expiry (self));
  else if (self->now - self->struck_at > PATIENCE)
    {
      catastrophe_abort (self);
      application_drain (self);
    }
}

/* Things go wrong until everything has arrived, or the session has ended. */
static void
live (Simulation *self)
{
  gint64 limit = self->now + LONGEST_RUN;

  schedule (self, EVENT_CLIENT, self->options.never_holds ? 2 * SECOND : 0);
  schedule (self, EVENT_SERVER, self->options.never_holds ? 2 * SECOND : 0);
  schedule (self, EVENT_BEHAVIOUR, 5 * SECOND);
  if (self->fault_percent > 0)
    schedule (self, EVENT_OUTAGE, 10 * SECOND);
  if (self->catastrophe != CATASTROPHE_NONE)
    schedule (self, EVENT_CATASTROPHE, g_rand_int_range (self->random, 0, 30000) * MILLISECOND);

  while (!self->closed && (self->terminating || !is_done (self)))
    {
      g_assert_true (step (self));
      check_duration (self, limit);

      /* Nobody was there to attach to: whoever has the state tries again. */
      if (self->closed && self->attaching && !self->terminating && !self->has_struck &&
          model_manager_get_end (self->manager) == NULL)
        {
          coverage_hit (COVERAGE_ATTACH_RETRIED);
          application_restore (self, 0);
          application_drain (self);
        }
    }
}

static gboolean
was_end_repeated (Simulation *self)
{
  guint64 last = self->first_rid + self->records->len - 1;
  guint n_attempts = 0;

  for (guint i = 0; i < self->exchanges->len; i++)
    n_attempts += get_exchange (self, i)->rid == last ? 1 : 0;

  return n_attempts > 1;
}

/* Without faults nothing is left open. */
static void
check_complete (Simulation *self)
{
  g_autoptr(GPtrArray) undelivered = bosh_session_dup_undelivered (self->session);
  g_autoptr(GPtrArray) unsent = bosh_session_dup_unsent (self->session);

  if (self->error != NULL || undelivered->len > 0 || unsent->len > 0)
    return;

  coverage_hit (COVERAGE_COMPLETE);
  g_assert_true (ledger_is_all_processed (self));
  /* By us, or before, with nothing lost by it. Of a terminate request that had to be sent
   * again it can't be known whether the first attempt has arrived. */
  g_assert_true (model_manager_get_end (self->manager) != NULL || was_end_repeated (self));
}

/* A session that has ended as was asked for is not said to be unknown, whatever became of
 * the response, unless stanzas of unknown fate are at stake, or a proxy has sent the
 * terminate request twice. */
static void
check_asked_end (Simulation *self)
{
  g_autoptr(GPtrArray) undelivered = bosh_session_dup_undelivered (self->session);

  if (!self->terminating || g_strcmp0 (model_manager_get_end (self->manager), "") != 0 ||
      undelivered->len > 0 || !was_end_repeated (self))
    return;

  if (self->had_faults)
    coverage_hit (COVERAGE_TERMINATE_DISTURBED);
  g_assert_false (g_error_matches (self->error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND));
}

static void
end (Simulation *self)
{
  gint64 limit;

  if (!self->closed)
    {
      g_assert_true (self->has_struck || model_manager_was_strict (self->manager) ||
                     model_manager_get_end (self->manager) == NULL);
      application_terminate (self);
      application_drain (self);
    }

  limit = self->now + LONGEST_END;
  while (!self->closed)
    {
      g_assert_true (step (self));
      g_assert_cmpint (self->now, <=, limit);
    }

  catastrophe_check_end (self);
  check_asked_end (self);
  settle (self);
  ledger_check_classes (self);
  if (self->terminating && !self->aborted)
    {
      gboolean is_smooth = self->fault_percent == 0 && !self->options.polls &&
                           self->options.error_every == 0 && self->hand_overs == 0 &&
                           (!self->has_struck || self->catastrophe == CATASTROPHE_TERMINATE) &&
                           !self->options.hangs_when_overtaken &&
                           !model_manager_was_strict (self->manager);

      if (is_smooth)
        g_assert_no_error (self->error);
      check_complete (self);
    }
}

static void
run (guint32    seed,
     gboolean   verbose,
     GChecksum *digest)
{
  Simulation self;

  start (&self, seed, verbose, digest);
  if (create (&self))
    {
      live (&self);
      end (&self);
    }
  else
    {
      settle (&self);
      ledger_check_classes (&self);
    }
  stop (&self);
}

int
main (int   argc,
      char *argv[])
{
  return seeds_main (argc, argv, "simulation", run, 3000, SESSION_COVERAGE);
}
