/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "simulation.h"

#include "bosh-limits-private.h"
#include "bosh-namespaces-private.h"

/* The shortest time between the writing of a request and the next (see
 * "No overtaking" in docs/architecture.md). */
#define SHORTEST_GUARD (5 * MILLISECOND)
#define SHORTEST_LONG_GUARD (100 * MILLISECOND)

/* So many attempts of one request, or polls, in so long a time are a storm. */
#define STORM_ATTEMPTS 8
#define STORM_ATTEMPTS_WITHIN (1 * SECOND)
#define STORM_POLLS 150
#define STORM_POLLS_WITHIN (10 * SECOND)

static Record *
get_record (Simulation *self,
            guint64     rid)
{
  return &g_array_index (self->records, Record, rid - self->first_rid);
}

void
ledger_clear_record (Record *record)
{
  g_bytes_unref (record->bytes);
  g_array_unref (record->attempts);
}

/* So many things must not happen within so short a time. */
static void
check_storm (Simulation *self,
             GArray     *times,
             guint       limit,
             gint64      within)
{
  g_array_append_val (times, self->now);
  if (times->len > limit)
    g_assert_cmpint (self->now - g_array_index (times, gint64, times->len - 1 - limit), >, within);
}

static guint
get_id (BoshElement *stanza)
{
  return g_ascii_strtoull (bosh_element_get_attribute (stanza, "id"), NULL, 10);
}

static Stanza *
get_stanza (Simulation *self,
            guint       id)
{
  return &g_array_index (self->stanzas, Stanza, id);
}

guint
ledger_skip_failed (Simulation *self,
                    guint       id)
{
  while (id < self->sent && (get_stanza (self, id)->uncertain || get_stanza (self, id)->too_large))
    id++;

  return id;
}

/* Where the server may drop requests, some have their response and are in doubt for a
 * moment; a snapshot of that moment does not have them. */
void
ledger_note_base (Simulation *self,
                  guint       base)
{
  for (guint id = self->delivered; id < base; id++)
    {
      Stanza *stanza = get_stanza (self, id);

      if (stanza->uncertain || stanza->too_large)
        continue;
      g_assert_true (self->options.drops_overtaken || !self->options.names_version);
      stanza->uncertain = TRUE;
    }
  self->delivered = base;
}

void
ledger_note_sent (Simulation *self)
{
  Stanza stanza = { 0 };

  g_array_append_val (self->stanzas, stanza);
  g_array_append_val (self->serials, self->sent);
  self->sent++;
}

void
ledger_note_processed (Simulation *self,
                       guint       id,
                       gboolean    dropped)
{
  Stanza *stanza = get_stanza (self, id);

  /* A copy of a request that was dropped, or that was looked at before. */
  if (dropped && (stanza->dropped || stanza->processed))
    return;

  g_assert_false (stanza->processed);
  for (; self->server_received < id; self->server_received++)
    {
      Stanza *earlier_stanza = get_stanza (self, self->server_received);

      g_assert_true (earlier_stanza->too_large || self->options.drops_overtaken);
      earlier_stanza->dropped = !earlier_stanza->too_large;
    }
  g_assert_true (dropped || self->server_received == id);
  stanza->processed = !dropped;
  stanza->dropped = dropped;
  self->server_received = id + 1;
}

gboolean
ledger_is_all_processed (Simulation *self)
{
  guint id = self->server_received;

  while (id < self->sent && get_stanza (self, id)->too_large)
    id++;

  return id == self->sent;
}

/* The next stanza that is to be sent. */
static guint
take_posted (Simulation *self)
{
  while (get_stanza (self, self->posted)->too_large)
    self->posted++;

  return self->posted++;
}

static void
read_request (Exchange         *exchange,
              BoshResponseBody *body)
{
  BoshElement *root = body->root;

  exchange->may_exceed = body->type == BOSH_BODY_TERMINATE ||
                         bosh_element_get_attribute (root, "pause") != NULL;
  exchange->is_restart = bosh_element_get_attribute_ns (root, "restart", BOSH_NS_XBOSH) != NULL;
  exchange->is_empty = !exchange->may_exceed && body->sid != NULL && bosh_element_get_n_children (root) == 0 &&
                       bosh_element_get_attribute_ns (root, "restart", BOSH_NS_XBOSH) == NULL;
}

/* An acknowledgement is sent only if a response is missing, and then it is right
 * (§9.2). */
static void
check_ack (Simulation       *self,
           guint64           rid,
           BoshResponseBody *body)
{
  Request *oldest = bosh_window_get_oldest (&self->session->window);
  guint64 responded_rid = MIN (self->responded_rid, oldest->rid - 1);

  /* A doubted response is not acknowledged: the manager would forget the real one. */
  if (!self->parameters.use_acknowledgements || responded_rid == rid - 1)
    {
      g_assert_cmpint (body->ack, ==, -1);
      return;
    }

  g_assert_cmpint (body->ack, ==, (gint64)responded_rid);
  coverage_hit (COVERAGE_CLIENT_ACK);
}

/* A request must not be sent before the previous one has arrived, as far as the client
 * can know. */
static void
check_overtaking (Simulation *self,
                  Exchange   *before)
{
  /* An earlier attempt has arrived, and the client may know that. */
  for (guint i = 0; get_exchange (self, i) != before; i++)
    if (get_exchange (self, i)->rid == before->rid && get_exchange (self, i)->arrived)
      return;

  g_assert_cmpint (before->written_at, !=, NEVER);
  if (!self->options.is_prosody)
    {
      g_assert_true (self->now - before->written_at >= SHORTEST_LONG_GUARD || before->arrived);
      return;
    }

  g_assert_true (self->now - before->written_at >= SHORTEST_GUARD || before->is_restart ||
                 self->responded_at >= before->sent_at);
}

static void
check_new (Simulation       *self,
           BoshAction       *action,
           Exchange         *exchange,
           BoshResponseBody *body)
{
  Record record = {
    .bytes = g_bytes_ref (action->bytes),
    .first_stanza = self->posted,
    .attempts = g_array_new (FALSE, FALSE, sizeof (gint64)),
    .error_at = NEVER,
  };

  g_assert_false (action->repeated);
  if (self->records->len == 0)
    {
      g_assert_null (body->sid);
      self->first_rid = action->rid;
      self->responded_rid = action->rid - 1;
    }
  else
    {
      g_assert_nonnull (body->sid);
      check_ack (self, action->rid, body);
    }

  g_assert_cmpuint (action->rid, ==, self->first_rid + self->records->len);
  for (guint i = 0; i < bosh_element_get_n_children (body->root); i++)
    g_assert_cmpuint (get_id (bosh_element_get_nth_child (body->root, i)), ==, take_posted (self));
  record.n_stanzas = self->posted;
  self->renewed_at = self->now;
  g_array_append_val (self->records, record);

  if (!exchange->is_empty)
    return;

  /* An empty request leaves no stanza behind. */
  g_assert_cmpuint (bosh_session_get_n_queued (self->session), ==, 0);
  check_storm (self, self->polls, STORM_POLLS, STORM_POLLS_WITHIN);
}

/* A request that the manager wants again is sent after all earlier ones without a
 * response (§17.3). */
static void
check_order_of_repeats (Simulation *self,
                        guint64     rid)
{
  Record *record = get_record (self, rid);

  for (guint64 earlier = self->responded_rid + 1; earlier < rid && record->error_at != NEVER; earlier++)
    {
      GArray *attempts = get_record (self, earlier)->attempts;

      if (!get_record (self, earlier)->responded)
        g_assert_cmpint (g_array_index (attempts, gint64, attempts->len - 1), >=, record->error_at);
    }
  record->error_at = NEVER;
}

/* Whether there is no reason for any retransmission. */
static gboolean
is_clean (Simulation *self)
{
  return self->fault_percent == 0 && !self->had_faults && self->hand_overs == 0 && !self->has_struck && !self->outage &&
         !self->options.hangs_when_overtaken && !self->options.drops_overtaken &&
         self->path_patience == 0 && !self->options.ignores_pause_request &&
         self->options.error_every == 0 && !self->options.reports;
}

static void
check_repeat (Simulation *self,
              guint64     rid)
{
  coverage_hit (COVERAGE_REPEAT);
  g_assert_false (is_clean (self));
  g_assert_cmpint (self->now, >=, get_record (self, rid)->not_before);
  check_order_of_repeats (self, rid);
}

/* A request that was too large goes with less, under the same number. */
static void
check_divided (Simulation       *self,
               BoshAction       *action,
               BoshResponseBody *body)
{
  Record *record = get_record (self, action->rid);

  coverage_hit (COVERAGE_DIVIDED);
  g_assert_cmpuint (g_bytes_get_size (action->bytes), <, g_bytes_get_size (record->bytes));
  g_bytes_unref (record->bytes);
  record->bytes = g_bytes_ref (action->bytes);
  record->refused = FALSE;
  record->divided = TRUE;
  /* Another owner does not know that the server has never seen it. */
  if (!action->repeated)
    g_array_set_size (record->attempts, 0);
  for (guint i = 0; i < bosh_element_get_n_children (body->root); i++)
    g_assert_cmpuint (get_id (bosh_element_get_nth_child (body->root, i)), ==, take_posted (self));
  record->n_stanzas = self->posted;
}

/* A request that has its response is sent again only once, if that was the empty response
 * to a retransmission. */
static void
check_doubt (Simulation *self,
             guint64     rid,
             Record     *record)
{
  Request *request = bosh_window_find (&self->session->window, rid);

  g_assert_nonnull (request);
  g_assert_cmpint (request->doubted_at, !=, NEVER);
  g_assert_cmpuint (record->attempts->len, >, 1);
}

void
ledger_check_request (Simulation *self,
                      BoshAction *action,
                      Exchange   *exchange)
{
  BoshBodyVerdict verdict;
  g_autoptr(BoshResponseBody) body = bosh_response_body_new (action->bytes, &verdict, NULL);
  gboolean exceeds = FALSE;
  gboolean is_divided;
  guint open = 1;
  Record *record;

  ledger_note_paused (self);
  g_assert_nonnull (body);
  g_assert_cmpuint (action->rid, <=, BOSH_MAX_RID);
  g_assert_cmpuint (g_bytes_get_size (action->bytes), <=, self->parameters.max_request_size);
  read_request (exchange, body);
  is_divided = action->rid < self->first_rid + self->records->len &&
               get_record (self, action->rid)->refused;

  if (self->records->len == 0 || action->rid == self->first_rid + self->records->len)
    check_new (self, action, exchange, body);
  else if (is_divided)
    check_divided (self, action, body);
  else
    check_repeat (self, action->rid);

  record = get_record (self, action->rid);
  g_assert_true (g_bytes_equal (record->bytes, action->bytes));
  if (record->responded)
    check_doubt (self, action->rid, record);
  exchange->n_stanzas = record->n_stanzas;
  check_storm (self, record->attempts, STORM_ATTEMPTS, STORM_ATTEMPTS_WITHIN);
  g_assert_cmpint (action->repeated, ==, record->attempts->len > 1);

  exceeds = exchange->may_exceed;
  for (guint i = 0; i < self->exchanges->len; i++)
    {
      Exchange *other = get_exchange (self, i);

      if (!other->open)
        continue;

      /* The old exchange is closed before the request is repeated. */
      g_assert_cmpuint (other->rid, !=, action->rid);
      /* Two empty ones only where a doubted response to one of them is asked for again, or
       * where one was emptied because it was too large, or where the path cuts what is
       * held for long. */
      g_assert_false (other->is_empty && exchange->is_empty && !record->responded &&
                      !get_record (self, other->rid)->responded && !record->divided &&
                      !get_record (self, other->rid)->divided && self->path_patience == 0);
      if (other->rid == action->rid - 1)
        check_overtaking (self, other);
      exceeds = exceeds || other->may_exceed;
      open++;
    }
  g_assert_cmpuint (open, <=, self->records->len == 1 ? 1 : self->options.requests + (exceeds ? 1 : 0));
}

void
ledger_check_step (Simulation *self)
{
  guint open = 0;

  for (guint i = 0; i < self->exchanges->len; i++)
    open += get_exchange (self, i)->open ? 1 : 0;
  g_assert_cmpuint (open, ==, bosh_session_get_n_in_flight_for_tests (self->session));

  /* Nothing grows without bound. */
  g_assert_cmpuint (bosh_window_get_n_requests (&self->session->window), <=, self->options.requests + 1);
  g_assert_cmpuint (self->session->outbox.queue.length + self->session->outbox.sent.length, <=,
                    self->sent - self->delivered);
  g_assert_cmpuint (self->session->actions.length, ==, 0);

  /* The costly check is made now and then. */
  if (g_rand_int_range (self->spot_checks, 0, 100) < 5)
    ledger_check_classes (self);
}

/* As long as bytes come, the response is waited for, unless the session ends, the network
 * has changed since, or the server asks for the request again. The longest time between two parts is 4 seconds. */
void
ledger_check_abandoned (Simulation     *self,
                        const Exchange *exchange)
{
  BoshSessionState state = bosh_session_get_state (self->session);

  /* Pause and termination have times of their own. */
  if (exchange->progress_at == NEVER || exchange->may_exceed || (state != BOSH_SESSION_OPEN && state != BOSH_SESSION_RETRYING) ||
      self->terminating || self->has_struck || self->options.error_every > 0 ||
      self->session->network.changed_at >= exchange->progress_at)
    return;

  g_assert_cmpint (self->now - exchange->progress_at, >, 4 * SECOND);
}

void
ledger_check_delivered (Simulation *self,
                        guint64     serial)
{
  guint id = g_array_index (self->serials, guint, serial - 1);

  /* Never of what the server has not processed, nor twice. */
  g_assert_cmpuint (id, >=, self->delivered);
  for (; self->delivered <= id; self->delivered++)
    {
      Stanza *stanza = get_stanza (self, self->delivered);

      g_assert_true (stanza->processed || stanza->uncertain || stanza->too_large);
    }
}

void
ledger_check_failed (Simulation   *self,
                     guint64       serial,
                     const GError *error)
{
  guint id = g_array_index (self->serials, guint, serial - 1);
  Stanza *stanza = get_stanza (self, id);

  g_assert_cmpuint (id, >=, self->delivered);
  g_assert_false (stanza->uncertain || stanza->too_large);
  if (g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE))
    {
      coverage_hit (COVERAGE_UNSENDABLE);
      g_assert_cmpuint (self->size_limit, >, 0);
      g_assert_false (stanza->processed || stanza->dropped);
      stanza->too_large = TRUE;
    }
  else
    {
      coverage_hit (COVERAGE_UNCERTAIN);
      g_assert_true (self->options.drops_overtaken || !self->options.names_version);
      stanza->uncertain = TRUE;
    }
}

/* The session can only know it if no copy may have arrived, and nothing follows. */
void
ledger_note_refused (Simulation *self,
                     guint64     rid)
{
  Record *record = get_record (self, rid);
  Request *request = bosh_window_find (&self->session->window, rid);

  g_assert_nonnull (request);
  if (request->payload_length == 0 || request->exposed || self->posted != record->n_stanzas)
    return;

  record->refused = TRUE;
  self->posted = record->first_stanza;
  self->maybe_sent = MIN (self->maybe_sent, self->posted);
  for (guint i = 0; i < self->exchanges->len; i++)
    get_exchange (self, i)->n_stanzas = MIN (get_exchange (self, i)->n_stanzas, self->posted);
}

void
ledger_check_classes (Simulation *self)
{
  g_autoptr(GPtrArray) undelivered = bosh_session_dup_undelivered (self->session);
  g_autoptr(GPtrArray) unsent = bosh_session_dup_unsent (self->session);
  guint left = self->maybe_sent;
  guint next = ledger_skip_failed (self, self->delivered);

  for (guint i = 0; i < self->exchanges->len; i++)
    if (get_exchange (self, i)->open)
      left = MAX (left, get_exchange (self, i)->n_stanzas);

  /* In order, and none missing: those that have arrived, those of unknown fate, those
   * that were not sent. */
  for (guint i = 0; i < undelivered->len; i++)
    {
      guint id = get_id (g_ptr_array_index (undelivered, i));

      if (get_stanza (self, id)->uncertain)
        continue;
      g_assert_cmpuint (id, ==, next);
      g_assert_cmpuint (next, <, left);
      next = ledger_skip_failed (self, next + 1);
    }
  for (guint i = 0; i < unsent->len; i++)
    {
      g_assert_cmpuint (get_id (g_ptr_array_index (unsent, i)), ==, next);
      g_assert_cmpuint (next, >=, left);
      g_assert_cmpuint (next, >=, self->server_received);
      next = ledger_skip_failed (self, next + 1);
    }
  g_assert_cmpuint (next, ==, self->sent);

  if (self->closed && undelivered->len > 0)
    coverage_hit (COVERAGE_UNDELIVERED);
  if (self->closed && unsent->len > 0)
    coverage_hit (COVERAGE_UNSENT);
}

void
ledger_note_maybe_sent (Simulation *self,
                        guint       n_stanzas)
{
  self->maybe_sent = MAX (self->maybe_sent, n_stanzas);
}

void
ledger_note_retry_after (Simulation *self,
                         guint64     rid,
                         int         seconds)
{
  get_record (self, rid)->not_before = self->now + seconds * SECOND;
}

void
ledger_note_error (Simulation *self,
                   guint64     rid)
{
  get_record (self, rid)->error_at = self->now;
}

void
ledger_forget_waiting (Simulation *self)
{
  for (guint i = 0; i < self->records->len; i++)
    {
      g_array_index (self->records, Record, i).not_before = 0;
      g_array_index (self->records, Record, i).error_at = NEVER;
    }
}

void
ledger_note_responded (Simulation *self,
                       guint64     rid)
{
  get_record (self, rid)->responded = TRUE;
  self->responded_at = self->now;
  while (self->responded_rid - self->first_rid + 1 < self->records->len &&
         get_record (self, self->responded_rid + 1)->responded)
    self->responded_rid++;
}

void
ledger_note_paused (Simulation *self)
{
  for (guint64 rid = self->responded_rid + 1; rid < self->first_rid + self->records->len; rid++)
    {
      GBytes *bytes = get_record (self, rid)->bytes;

      if (bosh_window_find (&self->session->window, rid) != NULL ||
          get_record (self, rid)->responded ||
          g_strstr_len (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), " pause='") == NULL)
        return;
      ledger_note_responded (self, rid);
    }
}

void
ledger_note_restored (Simulation *self)
{
  Request *first = g_queue_peek_head (&self->session->window.forgotten);

  ledger_note_paused (self);
  if (first == NULL)
    first = bosh_window_get_oldest (&self->session->window);

  ledger_forget_waiting (self);
  /* If the first response is in doubt, the next owner sends the request again. */
  if (first != NULL)
    self->responded_rid = MIN (self->responded_rid, first->rid - 1);
  for (guint64 rid = self->responded_rid + 1; rid < self->first_rid + self->records->len; rid++)
    get_record (self, rid)->responded = FALSE;
}
