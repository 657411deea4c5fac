/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A session against a model connection manager, in virtual time, over a network
 * that does everything wrong. One seed makes one run; a failing seed is named,
 * and `simulate --seed=N --verbose` shows it again. */

#include "config.h"

#include "model-manager.h"

#include "bosh-body-private.h"
#include "bosh-element-private.h"
#include "bosh-session-private.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLISECOND G_GINT64_CONSTANT (1000)
#define SECOND G_GINT64_CONSTANT (1000000)

typedef enum
{
  EVENT_ARRIVES,    /* a request reaches the manager */
  EVENT_WRITTEN,    /* a request is written whole */
  EVENT_ANSWERED,   /* an answer reaches the client */
  EVENT_BREAKS,     /* an exchange breaks */
  EVENT_CLIENT,     /* the application sends something */
  EVENT_SERVER,     /* the server has a stanza for the client */
  EVENT_BEHAVIOUR,  /* pause, hand-over */
  EVENT_OUTAGE,     /* the network goes down or comes back */
} EventType;

typedef struct
{
  gint64     at;
  guint64    order;
  EventType  type;
  guint      connection;
  guint64    rid;
  guint      status;
  GBytes    *bytes;
  gboolean   maybe_sent;
} Event;

/* How an exchange goes wrong. */
typedef enum
{
  FATE_WELL,
  FATE_UNREACHABLE,
  FATE_RESET_BEFORE,
  FATE_RESET_AFTER,
  FATE_HALF_ANSWER,
  FATE_BAD_GATEWAY,
  FATE_WEB_PAGE,
  FATE_BLACK_HOLE_BEFORE,
  FATE_BLACK_HOLE_AFTER,
  FATE_DUPLICATED,
  N_FATES
} Fate;

typedef struct
{
  guint64   rid;
  guint     connection;
  Fate      fate;
  gboolean  open;
  gboolean  answered;
} Exchange;

typedef struct
{
  GRand         *random;
  gint64         now;
  guint64        order;
  GSequence     *events;
  gboolean       verbose;

  ModelOptions   options;
  ModelManager  *manager;
  BoshSession   *session;
  gboolean       use_keys;
  GArray        *exchanges;   /* of Exchange, by connection */
  guint          fault_percent;
  gboolean       outage;

  guint          to_send;     /* stanzas that the client still sends */
  guint          to_receive;
  guint          sent;
  guint          received;
  guint          server_sent;
  guint          server_received;
  guint64        delivered;
  guint64        delivered_base;
  gboolean       handing_over;
  gboolean       attaching;
  gboolean       paused;
  gboolean       closed;
  GError        *error;
  guint          hand_overs;
  guint          pauses;
} Simulation;

G_GNUC_PRINTF (2, 3)
static void
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

static int
compare_events (gconstpointer a,
                gconstpointer b,
                gpointer      user_data)
{
  const Event *first = a;
  const Event *second = b;

  if (first->at != second->at)
    return first->at < second->at ? -1 : 1;

  return first->order < second->order ? -1 : 1;
}

static void
event_free (Event *event)
{
  g_clear_pointer (&event->bytes, g_bytes_unref);
  g_free (event);
}

static Event *
schedule (Simulation *self,
          EventType   type,
          gint64      delay)
{
  Event *event = g_new0 (Event, 1);

  event->type = type;
  event->at = self->now + delay;
  event->order = self->order++;
  g_sequence_insert_sorted (self->events, event, compare_events, NULL);

  return event;
}

static gboolean
chance (Simulation *self,
        guint       percent)
{
  return (guint)g_rand_int_range (self->random, 0, 100) < percent;
}

static gint64
latency (Simulation *self)
{
  return g_rand_int_range (self->random, 200, chance (self, 10) ? 200000 : 20000);
}

static Exchange *
get_exchange (Simulation *self,
              guint       connection)
{
  return &g_array_index (self->exchanges, Exchange, connection);
}

static void
schedule_break (Simulation *self,
                guint       connection,
                gint64      delay,
                gboolean    maybe_sent)
{
  Event *event = schedule (self, EVENT_BREAKS, delay);

  event->connection = connection;
  event->maybe_sent = maybe_sent;
}

static void
schedule_answer (Simulation *self,
                 guint       connection,
                 guint       status,
                 const char *text,
                 gsize       length)
{
  Event *event = schedule (self, EVENT_ANSWERED, latency (self));

  event->connection = connection;
  event->status = status;
  event->bytes = g_bytes_new (text, length);
}

static void
on_manager_answer (guint       connection,
                   guint       status,
                   const char *text,
                   gpointer    user_data)
{
  Simulation *self = user_data;
  Exchange *exchange = get_exchange (self, connection);

  say (self, "manager answers %u (rid %" G_GUINT64_FORMAT "): %s", connection, exchange->rid, text);
  if (!exchange->open)
    return;

  if (exchange->fate == FATE_RESET_AFTER)
    schedule_break (self, connection, latency (self), TRUE);
  else if (exchange->fate == FATE_HALF_ANSWER)
    schedule_answer (self, connection, status, text, strlen (text) / 2);
  else if (exchange->fate != FATE_BLACK_HOLE_AFTER)
    schedule_answer (self, connection, status, text, strlen (text));
}

static void
on_manager_stanza (const char *id,
                   gpointer    user_data)
{
  Simulation *self = user_data;

  g_assert_nonnull (id);
  g_assert_cmpuint (g_ascii_strtoull (id, NULL, 10), ==, self->server_received);
  self->server_received++;
}

/* An HTTP request of the client meets the network. */
static void
post (Simulation *self,
      BoshAction *action)
{
  Exchange exchange = { .rid = action->rid, .open = TRUE };
  guint connection = self->exchanges->len;
  Event *event;

  if (self->outage)
    exchange.fate = FATE_UNREACHABLE;
  else if (chance (self, self->fault_percent))
    exchange.fate = g_rand_int_range (self->random, FATE_UNREACHABLE, N_FATES);
  /* The end of a pause that is lost without a trace can't be helped: the server
   * drops the session before its silence can be noticed. Nor can a pause that
   * no attempt brings there, as the silence may be ejabberd's. */
  if ((self->paused || action->repeated) && exchange.fate == FATE_BLACK_HOLE_BEFORE)
    exchange.fate = FATE_WELL;
  self->paused = FALSE;
  g_array_append_val (self->exchanges, exchange);
  say (self, "client sends %u (rid %" G_GUINT64_FORMAT ", fate %d)%s: %s", connection, action->rid,
       exchange.fate, action->repeated ? " again" : "",
       (const char *)g_bytes_get_data (action->bytes, NULL));
  g_assert_cmpuint (action->rid, <=, BOSH_MAX_RID);

  if (exchange.fate == FATE_UNREACHABLE)
    {
      schedule_break (self, connection, latency (self), FALSE);
      return;
    }

  event = schedule (self, EVENT_WRITTEN, g_rand_int_range (self->random, 0, 200));
  event->connection = connection;

  switch (exchange.fate)
    {
    case FATE_RESET_BEFORE:
      schedule_break (self, connection, latency (self), TRUE);
      return;

    case FATE_BAD_GATEWAY:
      schedule_answer (self, connection, 502, "<html>no</html>", 15);
      return;

    case FATE_WEB_PAGE:
      schedule_answer (self, connection, 200, "<!DOCTYPE html><p>hi", 20);
      return;

    case FATE_BLACK_HOLE_BEFORE:
      return;

    case FATE_DUPLICATED:
      event = schedule (self, EVENT_ARRIVES, latency (self) * 2);
      event->connection = connection;
      event->bytes = g_bytes_ref (action->bytes);
      break;

    case FATE_WELL:
    case FATE_UNREACHABLE:
    case FATE_RESET_AFTER:
    case FATE_HALF_ANSWER:
    case FATE_BLACK_HOLE_AFTER:
    case N_FATES:
    default:
      break;
    }

  event = schedule (self, EVENT_ARRIVES, latency (self));
  event->connection = connection;
  event->bytes = g_bytes_ref (action->bytes);
}

static void
abandon (Simulation *self,
         guint64     rid)
{
  for (guint i = self->exchanges->len; i > 0; i--)
    {
      Exchange *exchange = get_exchange (self, i - 1);

      if (exchange->rid == rid && exchange->open)
        {
          say (self, "client abandons %u (rid %" G_GUINT64_FORMAT ")", i - 1, rid);
          exchange->open = FALSE;
          model_manager_disconnected (self->manager, i - 1, self->now);
          return;
        }
    }
}

static void
fill_entropy (Simulation *self,
              guint8     *entropy)
{
  for (guint i = 0; i < BOSH_SESSION_ENTROPY; i++)
    entropy[i] = g_rand_int_range (self->random, 0, 256);
}

static void
fill_parameters (Simulation            *self,
                 BoshSessionParameters *parameters)
{
  *parameters = (BoshSessionParameters){
    .domain = "example.org",
    .language = "en",
    .wait = 60,
    .hold = 1,
    .use_acknowledgements = TRUE,
    .use_key_sequence = self->use_keys,
    .key_sequence_length = g_rand_int_range (self->random, 2, 40),
    .max_request_size = 4096,
  };
  fill_entropy (self, parameters->entropy);
}

static void
hand_over (Simulation *self)
{
  g_autoptr (BoshSavedSession) saved = bosh_session_save (self->session);
  BoshSessionParameters parameters;

  say (self, "handed over");
  self->hand_overs++;
  self->handing_over = FALSE;
  self->attaching = TRUE;
  self->closed = FALSE;
  g_clear_error (&self->error);
  self->delivered_base = 0;
  bosh_session_free (self->session);
  fill_parameters (self, &parameters);
  self->session = bosh_session_new_from_saved (saved, &parameters);
  bosh_session_open (self->session, self->now);
}

static void
take_payload (Simulation  *self,
              BoshElement *element)
{
  const char *id = bosh_element_get_attribute (element, "id");

  g_assert_cmpuint (g_ascii_strtoull (id, NULL, 10), ==, self->received);
  self->received++;
}

/* TRUE if the session was replaced by another. */
static gboolean
take_action (Simulation *self,
             BoshAction *action)
{
  switch (action->type)
    {
    case BOSH_ACTION_SEND:
      post (self, action);
      g_bytes_unref (action->bytes);
      break;

    case BOSH_ACTION_ABANDON:
      abandon (self, action->rid);
      break;

    case BOSH_ACTION_PAYLOAD:
      take_payload (self, action->element);
      bosh_element_unref (action->element);
      break;

    case BOSH_ACTION_DELIVERED:
      /* Never said of what the server has not seen. */
      g_assert_cmpuint (action->serial, >, self->delivered_base);
      self->delivered_base = action->serial;
      break;

    case BOSH_ACTION_CLOSED:
      self->closed = TRUE;
      self->error = action->error;
      break;

    case BOSH_ACTION_HANDED_OVER:
      hand_over (self);
      return TRUE;

    case BOSH_ACTION_OPENED:
      self->attaching = FALSE;
      break;

    case BOSH_ACTION_PAUSED:
      self->paused = TRUE;
      break;

    case BOSH_ACTION_STATE:
    case BOSH_ACTION_RESTARTED:
    case BOSH_ACTION_REDIRECTED:
    case BOSH_ACTION_STREAM_OPENED:
    case BOSH_ACTION_STREAM_CLOSED:
    default:
      break;
    }

  return FALSE;
}

static void
check_window (Simulation *self)
{
  guint open = bosh_session_get_n_in_flight (self->session);
  guint limit = bosh_session_get_id (self->session) == NULL ? 1 : self->options.requests + 1;

  g_assert_cmpuint (open, <=, limit);
}

static void
drain (Simulation *self)
{
  BoshAction action = { 0 };
  gint64 deadline;

  while (bosh_session_next_action (self->session, &action, self->now))
    {
      take_action (self, &action);
      check_window (self);
    }

  deadline = bosh_session_get_deadline (self->session);
  g_assert_true (deadline == -1 || deadline > self->now);
}

static void
send_stanza (Simulation *self)
{
  g_autoptr (BoshElement) message = bosh_element_new_message ("peer@example.org", NULL, NULL);
  g_autofree char *id = g_strdup_printf ("%u", self->sent);

  bosh_element_set_attribute (message, "id", id);
  if (bosh_session_queue (self->session, message, NULL, NULL))
    {
      self->sent++;
      self->to_send--;
      if (chance (self, 10))
        bosh_session_hasten (self->session);
    }
}

static void
behave (Simulation *self)
{
  BoshSessionState state = bosh_session_get_state (self->session);

  if (state != BOSH_SESSION_OPEN || self->handing_over)
    return;

  if (chance (self, 50))
    {
      self->handing_over = bosh_session_hand_over (self->session, NULL);
    }
  else if (bosh_session_pause (self->session, g_rand_int_range (self->random, 20, 200), NULL))
    {
      self->pauses++;
      say (self, "pause");
    }
}

/* Was this request answered, by this exchange or by that of a repeat? */
static gboolean
was_answered (Simulation *self,
              Exchange   *exchange)
{
  for (guint i = self->exchanges->len; i > 0; i--)
    {
      Exchange *other = get_exchange (self, i - 1);

      if (other->rid == exchange->rid && other->answered)
        return TRUE;
    }

  return FALSE;
}

static void
handle_event (Simulation *self,
              Event      *event)
{
  Exchange *exchange = self->exchanges->len > 0 ? get_exchange (self, event->connection) : NULL;

  switch (event->type)
    {
    case EVENT_ARRIVES:
      /* A copy that comes when the request was answered long ago would end the
       * session, and nobody could help it. */
      if (!exchange->open && was_answered (self, exchange))
        break;
      model_manager_request (self->manager, event->connection, event->bytes, self->now);
      break;

    case EVENT_WRITTEN:
      if (exchange->open)
        bosh_session_handle_written (self->session, exchange->rid, self->now);
      break;

    case EVENT_ANSWERED:
      if (exchange->open)
        {
          BoshHttpAnswer answer = { event->status, event->bytes, -1, NULL };

          exchange->open = FALSE;
          exchange->answered = TRUE;
          bosh_session_handle_response (self->session, exchange->rid, &answer, self->now);
        }
      break;

    case EVENT_BREAKS:
      if (exchange->open)
        {
          g_autoptr (GError) error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED, "broken");

          say (self, "exchange %u breaks", event->connection);
          exchange->open = FALSE;
          bosh_session_handle_failure (self->session, exchange->rid,
                                       event->maybe_sent ? BOSH_FAILURE_BROKEN : BOSH_FAILURE_UNREACHABLE,
                                       error, self->now);
        }
      break;

    case EVENT_CLIENT:
      for (guint i = chance (self, 20) ? 20 : 1; i > 0 && self->to_send > 0; i--)
        send_stanza (self);
      if (self->to_send > 0)
        schedule (self, EVENT_CLIENT, g_rand_int_range (self->random, 0, 1000) * MILLISECOND);
      break;

    case EVENT_SERVER:
      for (guint i = chance (self, 20) ? 20 : 1; i > 0 && self->to_receive > 0; i--)
        {
          g_autofree char *xml = g_strdup_printf ("<message xmlns='jabber:client' id='%u'/>",
                                                  self->server_sent++);

          self->to_receive--;
          model_manager_send (self->manager, xml, self->now);
        }
      if (self->to_receive > 0)
        schedule (self, EVENT_SERVER, g_rand_int_range (self->random, 0, 1000) * MILLISECOND);
      break;

    case EVENT_BEHAVIOUR:
      behave (self);
      if (self->to_send > 0)
        schedule (self, EVENT_BEHAVIOUR, g_rand_int_range (self->random, 1, 20) * SECOND);
      break;

    case EVENT_OUTAGE:
      self->outage = !self->outage;
      if (!self->outage && chance (self, 50))
        bosh_session_handle_network (self->session, self->now);
      if (self->outage || self->to_send > 0)
        schedule (self, EVENT_OUTAGE, g_rand_int_range (self->random, 1, self->outage ? 15 : 60) * SECOND);
      break;

    default:
      g_assert_not_reached ();
    }
}

/* Goes to whatever comes next; FALSE if nothing comes any more. */
static gboolean
step (Simulation *self)
{
  gint64 manager_at = model_manager_get_deadline (self->manager);
  gint64 session_at = bosh_session_get_deadline (self->session);
  GSequenceIter *first = g_sequence_get_begin_iter (self->events);
  Event *event = g_sequence_iter_is_end (first) ? NULL : g_sequence_get (first);
  gint64 next = event != NULL ? event->at : G_MAXINT64;

  if (manager_at != -1)
    next = MIN (next, manager_at);
  if (session_at != -1)
    next = MIN (next, session_at);
  if (next == G_MAXINT64)
    return FALSE;

  self->now = MAX (self->now, next);
  model_manager_advance (self->manager, self->now);
  if (event != NULL && event->at <= self->now)
    {
      Event copy = *event;

      event->bytes = NULL;
      g_sequence_remove (first);
      handle_event (self, &copy);
      g_clear_pointer (&copy.bytes, g_bytes_unref);
    }
  drain (self);

  return TRUE;
}

static void
choose_options (Simulation *self)
{
  ModelOptions *options = &self->options;
  gboolean polls = chance (self, 10);

  options->wait = g_rand_int_range (self->random, 5, 30);
  options->hold = 1;
  options->requests = polls ? 1 : g_rand_int_range (self->random, 2, 4);
  /* Longer than all that the client can't know of: a black hole looks like a
   * held request until the wait is over. */
  options->inactivity = g_rand_int_range (self->random, 180, 300);
  options->polling = polls ? g_rand_int_range (self->random, 1, 3) : g_rand_int_range (self->random, 0, 6);
  options->max_pause = chance (self, 50) ? 200 : 0;
  options->acknowledges = chance (self, 40);
  options->checks_keys = self->use_keys = chance (self, 40);
  options->answers_on_newest = chance (self, 50);
  options->hangs_when_overtaken = options->requests == 2 && chance (self, 20);
  options->ignores_pause_request = chance (self, 30);
  self->fault_percent = chance (self, 20) ? 0 : g_rand_int_range (self->random, 1, 25);
}

static void
start (Simulation *self,
       guint32     seed,
       gboolean    verbose)
{
  BoshSessionParameters parameters;

  memset (self, 0, sizeof *self);
  self->random = g_rand_new_with_seed (seed);
  self->now = SECOND;
  self->verbose = verbose;
  self->events = g_sequence_new ((GDestroyNotify)event_free);
  self->exchanges = g_array_new (FALSE, TRUE, sizeof (Exchange));
  choose_options (self);
  self->manager = model_manager_new (&self->options, on_manager_answer, on_manager_stanza, self);
  fill_parameters (self, &parameters);
  self->session = bosh_session_new (&parameters);
  self->to_send = g_rand_int_range (self->random, 0, 60);
  self->to_receive = g_rand_int_range (self->random, 0, 60);
}

static void
stop (Simulation *self)
{
  g_clear_error (&self->error);
  bosh_session_free (self->session);
  model_manager_free (self->manager);
  g_sequence_free (self->events);
  g_array_unref (self->exchanges);
  g_rand_free (self->random);
}

static gboolean
is_done (Simulation *self)
{
  return self->to_send == 0 && self->to_receive == 0 && !self->handing_over &&
         self->server_received == self->sent && self->received == self->server_sent;
}

static void
run (guint32  seed,
     gboolean verbose)
{
  Simulation self;
  guint fault_percent;
  gint64 limit;

  start (&self, seed, verbose);
  fault_percent = self.fault_percent;
  self.fault_percent = 0;
  bosh_session_open (self.session, self.now);
  drain (&self);
  while (bosh_session_get_state (self.session) == BOSH_SESSION_CREATING)
    g_assert_true (step (&self));
  g_assert_false (self.closed);

  /* From here on things go wrong. */
  self.fault_percent = fault_percent;
  schedule (&self, EVENT_CLIENT, 0);
  schedule (&self, EVENT_SERVER, 0);
  schedule (&self, EVENT_BEHAVIOUR, 5 * SECOND);
  if (fault_percent > 0)
    schedule (&self, EVENT_OUTAGE, 10 * SECOND);

  limit = self.now + 7200 * SECOND;
  while (!is_done (&self))
    {
      g_assert_true (step (&self));
      /* Nobody was there to attach to: whoever has the state tries again. */
      if (self.closed && self.attaching && model_manager_get_end (self.manager) == NULL)
        {
          hand_over (&self);
          drain (&self);
        }
      /* An outage at the end of a pause can outlast what is left of it. */
      if (self.closed && self.pauses > 0 && fault_percent > 0 &&
          g_strcmp0 (model_manager_get_end (self.manager), "inactive") == 0)
        {
          stop (&self);
          return;
        }
      if (self.closed)
        g_error ("closed: %s (the manager: %s)", self.error != NULL ? self.error->message : "",
                 model_manager_get_end (self.manager));
      g_assert_cmpint (self.now, <, limit);
    }
  g_assert_null (model_manager_get_end (self.manager));

  /* The end is always reached. */
  g_assert_true (bosh_session_terminate (self.session, NULL, NULL));
  drain (&self);
  limit = self.now + 120 * SECOND;
  while (!self.closed)
    {
      g_assert_true (step (&self));
      g_assert_cmpint (self.now, <, limit);
    }
  say (&self, "done: %u sent, %u received, %u hand-overs, %u pauses, %u exchanges", self.sent,
       self.received, self.hand_overs, self.pauses, self.exchanges->len);
  stop (&self);
}

static guint32 current_seed;

static void
on_abort (int signal_number)
{
  printf ("# failing seed: %u\n", current_seed);
  fflush (stdout);
  signal (signal_number, SIG_DFL);
  raise (signal_number);
}

int
main (int   argc,
      char *argv[])
{
  int n_seeds = 2000;
  int first = 1;
  int only = -1;
  gboolean verbose = FALSE;
  GOptionEntry entries[] = {
    { "seeds", 0, 0, G_OPTION_ARG_INT, &n_seeds, "How many seeds to run", "N" },
    { "first", 0, 0, G_OPTION_ARG_INT, &first, "The first of them", "SEED" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &only, "Run this seed alone", "SEED" },
    { "verbose", 0, 0, G_OPTION_ARG_NONE, &verbose, "Show what happens", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return 2;
    }

  if (only >= 0)
    {
      first = only;
      n_seeds = 1;
    }

  signal (SIGABRT, on_abort);
  signal (SIGTRAP, on_abort);
  setvbuf (stdout, NULL, _IOLBF, 0);
  printf ("1..1\n");
  for (int i = 0; i < n_seeds; i++)
    {
      current_seed = first + i;
      run (current_seed, verbose);
    }
  printf ("ok 1 /bosh/simulation # %d seeds from %d\n", n_seeds, first);

  return 0;
}
