/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "simulation.h"

#include <string.h>

/* Each exchange has two connections to the manager: its own, and one of a proxy
 * that sent the request already, and did not pass on the response. */
#define CONNECTION(index) (2 * (index))
#define HIDDEN_CONNECTION(index) (2 * (index) + 1)

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

void
event_free (Event *event)
{
  g_clear_pointer (&event->bytes, g_bytes_unref);
  g_free (event);
}

Event *
schedule (Simulation *self,
          EventType   type,
          gint64      delay)
{
  Event *event = g_new0 (Event, 1);

  event->type = type;
  event->at = self->now + delay;
  event->order = self->order++;
  event->retry_after = -1;
  g_sequence_insert_sorted (self->events, event, compare_events, NULL);

  return event;
}

static gint64
latency (Simulation *self)
{
  return g_rand_int_range (self->random, 200, chance (self, 10) ? 200000 : 20000);
}

static gint64
long_latency (Simulation *self)
{
  return g_rand_int_range (self->random, 500, 4000) * MILLISECOND;
}

/* A request that comes very late can make the next one seem to come too soon,
 * whatever the client does. */
static gint64
long_delay (Simulation *self)
{
  if (self->options.names_polling)
    return g_rand_int_range (self->random, 200, 450) * MILLISECOND;

  return long_latency (self);
}

Exchange *
get_exchange (Simulation *self,
              guint       index)
{
  return &g_array_index (self->exchanges, Exchange, index);
}

static void
schedule_arrival (Simulation *self,
                  guint       connection,
                  GBytes     *bytes,
                  gint64      delay)
{
  Event *event = schedule (self, EVENT_ARRIVES, delay);

  event->connection = connection;
  event->bytes = g_bytes_ref (bytes);
}

static void
schedule_break (Simulation *self,
                guint       index,
                gint64      delay,
                gboolean    maybe_sent)
{
  Event *event = schedule (self, EVENT_BREAKS, delay);

  event->connection = index;
  event->maybe_sent = maybe_sent;
}

static Event *
schedule_response (Simulation *self,
                   guint       index,
                   guint       status,
                   const char *text,
                   gsize       length,
                   gint64      delay)
{
  Event *event = schedule (self, EVENT_RESPONDED, delay);

  event->connection = index;
  event->status = status;
  event->bytes = g_bytes_new (text, length);

  return event;
}

/* It takes longer than most times that the client waits for, and comes in parts. */
static void
schedule_slow_response (Simulation *self,
                        guint       index,
                        guint       status,
                        const char *text)
{
  guint n_parts = g_rand_int_range (self->random, 0, 10);
  gint64 delay = latency (self);

  for (guint i = 0; i < n_parts; i++)
    {
      schedule (self, EVENT_PROGRESS, delay)->connection = index;
      delay += long_latency (self);
    }
  schedule_response (self, index, status, text, strlen (text), MAX (delay, long_latency (self)));
}

void
network_on_response (guint       connection,
                     guint       status,
                     const char *text,
                     gpointer    user_data)
{
  Simulation *self = user_data;
  guint index = connection / 2;
  Exchange *exchange = get_exchange (self, index);

  say (self, "manager responds %u (rid %" G_GUINT64_FORMAT ")%s: %s", index, exchange->rid,
       connection == HIDDEN_CONNECTION (index) ? ", unseen" : "", text);
  if (!exchange->open || connection == HIDDEN_CONNECTION (index))
    return;

  if (exchange->fate == FATE_RESET_AFTER)
    schedule_break (self, index, latency (self), TRUE);
  else if (exchange->fate == FATE_HALF_RESPONSE)
    schedule_response (self, index, status, text, strlen (text) / 2, latency (self));
  else if (exchange->fate == FATE_SLOW_RESPONSE)
    schedule_slow_response (self, index, status, text);
  else if (exchange->fate != FATE_BLACK_HOLE_AFTER)
    schedule_response (self, index, status, text, strlen (text), latency (self));
}

/* Responses that can't be used, or that a proxy gives, end a session when there
 * are too many of them to one request. */
static gboolean
is_bad_response (Fate fate)
{
  return fate == FATE_HALF_RESPONSE || fate == FATE_PROXY_STATUS;
}

static guint
count_bad_responses (Simulation *self,
                     guint64     rid)
{
  guint count = 0;

  for (guint i = 0; i < self->exchanges->len; i++)
    if (get_exchange (self, i)->rid == rid && is_bad_response (get_exchange (self, i)->fate))
      count++;

  return count;
}

static Fate
draw_fate (Simulation *self,
           BoshAction *action)
{
  Fate fate;

  if (self->outage)
    return FATE_UNREACHABLE;
  if (!chance (self, self->fault_percent))
    return FATE_WELL;

  self->had_faults = TRUE;
  fate = g_rand_int_range (self->random, FATE_WELL + 1, N_FATES);
  /* The end of a pause that is lost without a trace can't be helped: the server
   * drops the session before its silence can be noticed. Nor can a pause that
   * no attempt brings there, as the silence may be ejabberd's. */
  if (fate == FATE_BLACK_HOLE_BEFORE && (self->resuming || action->repeated))
    return FATE_WELL;
  /* The server would respond to the copy, and empty what the client waits for. */
  if (fate == FATE_LATE_COPY && self->options.repeat == MODEL_REPEAT_EMPTIES_OLD)
    return FATE_WELL;
  if (is_bad_response (fate) && count_bad_responses (self, action->rid) >= 2)
    return FATE_WELL;

  return fate;
}

static void
respond_as_proxy (Simulation *self,
                  guint       index)
{
  static const guint statuses[] = { 502, 503, 504, 408, 429, 500, 403, 400 };
  /* Without `ver` the last two would be the manager's (§17.2). */
  guint n = self->options.names_version ? G_N_ELEMENTS (statuses) : G_N_ELEMENTS (statuses) - 2;
  guint status = statuses[g_rand_int_range (self->random, 0, n)];
  Event *event = schedule_response (self, index, status, "<html>no</html>", 15, latency (self));

  coverage_hit (COVERAGE_PROXY_STATUS);
  if (chance (self, 30))
    event->retry_after = g_rand_int_range (self->random, 0, 10);
}

/* TRUE if the request goes on to the manager in spite of its fate. */
static gboolean
begin_fate (Simulation *self,
            guint       index,
            GBytes     *bytes)
{
  switch (get_exchange (self, index)->fate)
    {
    case FATE_UNREACHABLE:
      coverage_hit (COVERAGE_UNREACHABLE);
      schedule_break (self, index, latency (self), FALSE);
      return FALSE;

    case FATE_RESET_BEFORE:
      coverage_hit (COVERAGE_RESET_BEFORE);
      schedule_break (self, index, latency (self), TRUE);
      return FALSE;

    case FATE_PROXY_STATUS:
      respond_as_proxy (self, index);
      return FALSE;

    case FATE_TOO_LARGE:
      coverage_hit (COVERAGE_PATH_REFUSES);
      schedule_response (self, index, 413, "<html>too large</html>", 22, latency (self));
      return FALSE;

    case FATE_WEB_PAGE:
      coverage_hit (COVERAGE_WEB_PAGE);
      schedule_response (self, index, 200, "<!DOCTYPE html><p>hi", 20, latency (self));
      return FALSE;

    case FATE_EMPTY_RESPONSE:
      coverage_hit (COVERAGE_EMPTY_RESPONSE);
      schedule_response (self, index, 200, "", 0, latency (self));
      return FALSE;

    case FATE_BLACK_HOLE_BEFORE:
      coverage_hit (COVERAGE_BLACK_HOLE_BEFORE);
      return FALSE;

    case FATE_GATEWAY_TIMEOUT:
      coverage_hit (COVERAGE_GATEWAY_TIMEOUT);
      schedule_response (self, index, 504, "late", 4, long_latency (self));
      return TRUE;

    case FATE_DUPLICATED:
      coverage_hit (COVERAGE_DUPLICATED);
      schedule_arrival (self, HIDDEN_CONNECTION (index), bytes, 0);
      return TRUE;

    case FATE_LATE_COPY:
      coverage_hit (COVERAGE_LATE_COPY);
      schedule_arrival (self, HIDDEN_CONNECTION (index), bytes, latency (self) * 2);
      return TRUE;

    case FATE_RESET_AFTER:
      coverage_hit (COVERAGE_RESET_AFTER);
      return TRUE;

    case FATE_HALF_RESPONSE:
      coverage_hit (COVERAGE_HALF_RESPONSE);
      return TRUE;

    case FATE_BLACK_HOLE_AFTER:
      coverage_hit (COVERAGE_BLACK_HOLE_AFTER);
      return TRUE;

    case FATE_SLOW_REQUEST:
      coverage_hit (COVERAGE_SLOW_REQUEST);
      return TRUE;

    case FATE_SLOW_RESPONSE:
      coverage_hit (COVERAGE_SLOW_RESPONSE);
      return TRUE;

    case FATE_WELL:
    default:
      return TRUE;
    }
}

/* An HTTP request of the client meets the network. */
void
network_post (Simulation *self,
              BoshAction *action)
{
  Exchange exchange = {
    .rid = action->rid,
    .open = TRUE,
    .sent_at = self->now,
    .written_at = NEVER,
    .progress_at = NEVER,
  };
  guint index = self->exchanges->len;
  gboolean goes_on;
  Event *event;

  exchange.fate = draw_fate (self, action);
  if (exchange.fate != FATE_UNREACHABLE && self->size_limit > 0 &&
      g_bytes_get_size (action->bytes) > self->size_limit)
    exchange.fate = FATE_TOO_LARGE;
  if (!action->repeated)
    self->resuming = FALSE;
  say (self, "client sends %u (rid %" G_GUINT64_FORMAT ", fate %d)%s: %.*s", index, action->rid,
       exchange.fate, action->repeated ? " again" : "", (int)g_bytes_get_size (action->bytes),
       (const char *)g_bytes_get_data (action->bytes, NULL));
  ledger_check_request (self, action, &exchange);
  g_array_append_val (self->exchanges, exchange);

  goes_on = begin_fate (self, index, action->bytes);
  if (self->path_patience > 0)
    {
      event = schedule (self, EVENT_PATH_CUTS, self->path_patience * SECOND);
      event->connection = index;
    }
  /* A reset may come in the middle of the request. */
  if (exchange.fate != FATE_UNREACHABLE && (exchange.fate != FATE_RESET_BEFORE || chance (self, 50)))
    {
      event = schedule (self, EVENT_WRITTEN, g_rand_int_range (self->random, 0, 200));
      event->connection = index;
    }
  if (goes_on)
    schedule_arrival (self, CONNECTION (index), action->bytes,
                      exchange.fate == FATE_SLOW_REQUEST ? long_delay (self) : latency (self));
}

static void
close_exchange (Simulation *self,
                guint       index)
{
  Exchange *exchange = get_exchange (self, index);

  exchange->open = FALSE;
  ledger_note_maybe_sent (self, exchange->n_stanzas);
  model_manager_disconnected (self->manager, CONNECTION (index), self->now);
  model_manager_disconnected (self->manager, HIDDEN_CONNECTION (index), self->now);
}

void
network_abandon (Simulation *self,
                 guint64     rid)
{
  for (guint i = self->exchanges->len; i > 0; i--)
    {
      Exchange *exchange = get_exchange (self, i - 1);

      if (exchange->rid == rid && exchange->open)
        {
          say (self, "client abandons %u (rid %" G_GUINT64_FORMAT ")", i - 1, rid);
          ledger_check_abandoned (self, exchange);
          close_exchange (self, i - 1);
          return;
        }
    }
}

void
network_close_all (Simulation *self)
{
  for (guint i = 0; i < self->exchanges->len; i++)
    if (get_exchange (self, i)->open)
      close_exchange (self, i);
}

void
network_break_all (Simulation *self)
{
  for (guint i = 0; i < self->exchanges->len; i++)
    if (get_exchange (self, i)->open)
      schedule_break (self, i, latency (self), TRUE);
}

/* A copy that comes long after the response to the request would end the
 * session, and one that pushes its own repeat aside would take the response with
 * it: no client could prevent that. */
static gboolean
is_harmful (Simulation *self,
            guint       index)
{
  Exchange *exchange = get_exchange (self, index);

  /* The client knows that it has arrived, and waits for no response. */
  if (!exchange->open && bosh_window_find (&self->session->window, exchange->rid) == NULL)
    return TRUE;

  for (guint i = 0; i < self->exchanges->len && !exchange->open; i++)
    {
      Exchange *other = get_exchange (self, i);

      if (other->rid == exchange->rid &&
          (other->responded ||
           (i > index && other->arrived && self->options.repeat != MODEL_REPEAT_REPLACES)))
        return TRUE;
    }

  return FALSE;
}

static void
handle_arrival (Simulation *self,
                Event      *event)
{
  guint index = event->connection / 2;
  Exchange *exchange = get_exchange (self, index);

  if (is_harmful (self, index))
    return;

  /* The proxy has closed the connection to the manager before it tries again. */
  if (exchange->fate == FATE_DUPLICATED && event->connection == CONNECTION (index))
    model_manager_disconnected (self->manager, HIDDEN_CONNECTION (index), self->now);

  exchange->arrived = TRUE;
  if (exchange->rid < self->arrived_rid && self->options.drops_overtaken)
    self->disordered = TRUE;
  self->arrived_rid = MAX (self->arrived_rid, exchange->rid);
  model_manager_request (self->manager, event->connection, event->bytes, self->now);
  if (!exchange->open || (exchange->fate == FATE_LATE_COPY && event->connection != CONNECTION (index)))
    model_manager_disconnected (self->manager, event->connection, self->now);
}

static void
handle_response (Simulation *self,
                 Event      *event)
{
  Exchange *exchange = get_exchange (self, event->connection);
  BoshHttpResponse response = { event->status, event->bytes, event->retry_after, NULL };
  BoshBodyVerdict verdict;
  g_autoptr(BoshResponseBody) body = bosh_response_body_new (event->bytes, &verdict, NULL);

  exchange->open = FALSE;
  /* An empty body has no data. */
  if (g_bytes_get_size (event->bytes) > 0 &&
      g_strstr_len (g_bytes_get_data (event->bytes, NULL), g_bytes_get_size (event->bytes),
                    "<stream:error") != NULL)
    self->stream_error_arrived = TRUE;
  if (event->status != 413)
    ledger_note_maybe_sent (self, exchange->n_stanzas);
  exchange->responded = event->status == 200 && body != NULL && body->type != BOSH_BODY_ERROR;
  if (exchange->responded)
    ledger_note_responded (self, exchange->rid);
  else if (event->retry_after >= 0)
    ledger_note_retry_after (self, exchange->rid, event->retry_after);
  else if (event->status == 200 && body != NULL)
    ledger_note_error (self, exchange->rid);
  if (event->status == 413)
    ledger_note_refused (self, exchange->rid);
  /* Half a response, and others of which the manager does not know that they
   * were not read. */
  if (!exchange->responded)
    model_manager_disconnected (self->manager, CONNECTION (event->connection), self->now);
  bosh_session_handle_response (self->session, exchange->rid, &response, self->now);
}

static void
handle_break (Simulation *self,
              Event      *event)
{
  Exchange *exchange = get_exchange (self, event->connection);
  g_autoptr(GError) error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED, "broken");

  say (self, "exchange %u breaks", event->connection);
  if (event->maybe_sent)
    close_exchange (self, event->connection);
  exchange->open = FALSE;
  bosh_session_handle_failure (self->session, exchange->rid,
                               event->maybe_sent ? BOSH_FAILURE_BROKEN : BOSH_FAILURE_UNREACHABLE,
                               error, self->now);
}

/* A proxy gives up waiting for the server. */
static void
handle_path_cut (Simulation *self,
                 Event      *event)
{
  BoshHttpResponse response = { 504, event->bytes, -1, NULL };
  Exchange *exchange = get_exchange (self, event->connection);

  coverage_hit (COVERAGE_PATH_CUTS);
  /* It is learned from the first, when others may have been held for as long. */
  self->n_cuts++;
  if (self->fault_percent == 0 && self->hand_overs + self->pauses + self->restarts_asked == 0 && !self->has_struck &&
      !self->options.drops_overtaken && !self->options.hangs_when_overtaken)
    g_assert_cmpuint (self->n_cuts, <=, self->options.hold);
  say (self, "the path cuts %u", event->connection);
  close_exchange (self, event->connection);
  bosh_session_handle_response (self->session, exchange->rid, &response, self->now);
}

static void
handle_progress (Simulation *self,
                 Event      *event)
{
  Exchange *exchange = get_exchange (self, event->connection);

  coverage_hit (COVERAGE_PROGRESS);
  exchange->progress_at = self->now;
  bosh_session_handle_progress (self->session, exchange->rid, self->now);
}

static void
handle_written (Simulation *self,
                Event      *event)
{
  Exchange *exchange = get_exchange (self, event->connection);

  exchange->written_at = self->now;
  ledger_note_maybe_sent (self, exchange->n_stanzas);
  bosh_session_handle_written (self->session, exchange->rid, self->now);
}

void
network_handle_event (Simulation *self,
                      Event      *event)
{
  gboolean is_open = event->type != EVENT_ARRIVES && get_exchange (self, event->connection)->open;

  if (event->type == EVENT_ARRIVES)
    handle_arrival (self, event);
  else if (event->type == EVENT_WRITTEN && is_open)
    handle_written (self, event);
  else if (event->type == EVENT_PROGRESS && is_open)
    handle_progress (self, event);
  else if (event->type == EVENT_RESPONDED && is_open)
    handle_response (self, event);
  else if (event->type == EVENT_PATH_CUTS && is_open)
    handle_path_cut (self, event);
  else if (event->type == EVENT_BREAKS && is_open)
    handle_break (self, event);
}
