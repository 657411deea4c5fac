/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-session-internal.h"

#include "bosh-element-private.h"
#include "bosh-i18n-private.h"

/* A request may stay unanswered for the granted wait and a part of it more. */
#define SHORTEST_GRACE (10 * SECOND)
#define LONGEST_GRACE (30 * SECOND)
#define INACTIVITY_MARGIN (2 * SECOND)
/* The slowest upload that is not taken for a dead connection, bytes a second. */
#define SLOWEST_UPLOAD 4096

#define TERMINATE_PATIENCE (5 * SECOND)

/* Between the writing of a request and the sending of the next, if nothing
 * tells that the first has arrived: a later request must not overtake an
 * earlier one, as ejabberd then answers neither. */
#define SHORTEST_GUARD (5 * MILLISECOND)
#define LONGEST_GUARD (100 * MILLISECOND)

/* Between the last request of one owner of a session and the first of the next,
 * which nobody watches both, and between a repeat and what follows it: a busy
 * Prosody was seen to read sockets in another order than they were written to.
 * It answers on the old one of two, and refuses a repeat that comes late. */
#define CAREFUL_GUARD (250 * MILLISECOND)

/* With more requests out than are held, the server lets the oldest go at once;
 * if it does not, one of them is lost, or they were overtaken. The oldest is
 * repeated then, but once only: if it was held and the other is lost, ejabberd
 * answers a second repeat at once, and sends the next stanza to the connection
 * of the first repeat, where nobody listens any more. */
#define SUSPICION_AFTER (1500 * MILLISECOND)

/* ejabberd never answers a pause. One that nothing tells of is repeated after
 * this, and taken as in force when that was done so often. */
#define PAUSE_SETTLES_WITHIN (2 * SECOND)
#define MAX_PAUSE_ATTEMPTS 3
/* The end of a pause must be sent before the pause has expired. */
#define PAUSE_MARGIN (5 * SECOND)

/* A server that knows a session holds its request; one that does not answers
 * at once. */
#define ATTACHED_AFTER (1 * SECOND)

/* One request may take so much longer on its way than another. */
#define TRANSIT_SPREAD (500 * MILLISECOND)

#define MIN_KEY_SEQUENCE_LENGTH 4096

/* Less is not worth the work, and often does not get smaller. */
#define SMALLEST_COMPRESSED 512

/* No poll is kept back longer than this part of the inactivity limit. */
#define INACTIVITY_PART 2

/* TRUE if the time has come, else notes when it comes. */
static gboolean
is_due (BoshSession *self,
        gint64       at,
        gint64       now)
{
  if (at == NEVER)
    return FALSE;
  if (at <= now)
    return TRUE;

  self->deadline = earlier (self->deadline, at);

  return FALSE;
}

static gint64
get_patience (BoshSession *self,
              Request     *request)
{
  gint64 patience = self->wait * SECOND +
                    CLAMP (self->wait * SECOND / 10, SHORTEST_GRACE, LONGEST_GRACE);

  gint64 limit = self->inactivity * SECOND - INACTIVITY_MARGIN;

  /* If it never arrived, nothing is held, and the time of inactivity runs: where
   * it is longer than `wait`, the repeat can come before its end. */
  if (limit >= self->wait * SECOND + MAX (INACTIVITY_MARGIN, 4 * self->round_trip))
    patience = MIN (patience, limit);

  if (request->kind == REQUEST_TERMINATE)
    patience = TERMINATE_PATIENCE;

  return patience + (gint64)g_bytes_get_size (request->bytes) * SECOND / SLOWEST_UPLOAD;
}

/* When the silence of the oldest request in flight becomes suspicious because
 * others are in flight too, or NEVER. */
static gint64
get_suspicion (BoshSession *self)
{
  Request *oldest = NULL;
  guint in_flight = 0;
  gint64 written_at = NEVER;

  if (session_is_polling (self) || self->state == BOSH_SESSION_CREATING)
    return NEVER;

  for (GList *link = self->window.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (!request->in_flight)
        continue;
      if (request->written_at == NEVER)
        return NEVER;
      if (oldest == NULL)
        oldest = request;
      in_flight++;
      written_at = MAX (written_at, request->written_at);
    }

  if (in_flight <= MAX (self->hold, 1) || oldest->suspected)
    return NEVER;

  return written_at + MAX (SUSPICION_AFTER, 4 * self->round_trip);
}

/* The connections of what is under way may lead nowhere since the network has
 * changed: it is asked for again, which brings the same answer, or is held as
 * before. Not a creation, which would make another session. */
static gboolean
check_network (BoshSession *self,
               gint64       now)
{
  gboolean repeated = FALSE;

  if (!is_due (self, self->probe_at, now))
    return FALSE;

  for (GList *link = self->window.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (!request->in_flight || request->sent_at > self->changed_at ||
          request->kind == REQUEST_CREATION || request->kind == REQUEST_PAUSE)
        continue;
      session_repeat (self, request, now);
      repeated = TRUE;
    }
  self->probe_at = NEVER;
  if (repeated)
    self->probed_at = now;

  return repeated;
}

/* Looks for exchanges that take too long. */
static gboolean
check_exchanges (BoshSession *self,
                 gint64       now)
{
  gint64 suspicion = get_suspicion (self);

  for (GList *link = self->window.head; link != NULL; link = link->next)
    {
      Request *request = link->data;
      gint64 since = MAX (request->sent_at, request->written_at);

      if (!request->in_flight)
        continue;

      if (is_due (self, request->suspect_at, now) || is_due (self, suspicion, now))
        {
          request->suspected = TRUE;
          session_repeat (self, request, now);
          return TRUE;
        }
      suspicion = NEVER;

      if (request->kind != REQUEST_PAUSE && is_due (self, since + get_patience (self, request), now))
        {
          g_autoptr(GError) error = NULL;

          error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TIMED_OUT,
                                       _("The server did not answer in time"));
          session_abandon (self, request);
          session_fail_attempt (self, request, error, -1, now);
          /* It has waited long enough by now. */
          request->retry_at = now;
          return TRUE;
        }
    }

  return FALSE;
}

static void
finish_attach (BoshSession *self)
{
  session_set_state (self, BOSH_SESSION_OPEN);
  session_push_action (self, BOSH_ACTION_OPENED);
}

static gboolean
check_attach (BoshSession *self,
              gint64       now)
{
  Request *first = g_queue_peek_head (&self->window);

  if (self->state != BOSH_SESSION_ATTACHING || first == NULL || !first->in_flight ||
      first->written_at == NEVER || !is_due (self, first->written_at + ATTACHED_AFTER, now))
    return FALSE;

  finish_attach (self);

  return TRUE;
}

/* Does an answer that is not handed out yet end the session? */
static gboolean
has_end (BoshSession *self)
{
  for (GList *link = self->window.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (request->response != NULL &&
          (request->kind == REQUEST_TERMINATE || session_is_end (self, request->response)))
        return TRUE;
    }

  return FALSE;
}

/* Answers that were awaited after a terminate did not come: go on without. */
static gboolean
check_termination (BoshSession *self,
                   gint64       now)
{
  if (is_due (self, self->terminate_at, now))
    {
      self->terminate_at = NEVER;
      if (self->ended)
        {
          session_close (self, NULL);
          return TRUE;
        }

      while (session_is_live (self) && has_end (self))
        {
          Request *request = g_queue_peek_head (&self->window);

          if (request->response == NULL)
            {
              session_abandon (self, request);
              session_remove_request (self, request);
            }
          session_process_responses (self, now);
        }
      return TRUE;
    }

  if (is_due (self, self->give_up_at, now))
    {
      session_close (self, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TIMED_OUT,
                                                _("The server did not confirm the end of the session in time")));
      return TRUE;
    }

  return FALSE;
}

/* Can a later request no longer overtake this one? */
static gboolean
is_settled (BoshSession *self,
            Request     *request,
            gint64       now)
{
  gboolean repeated = request->attempts > 1;
  gint64 guard = repeated ? CAREFUL_GUARD
                          : CLAMP (2 * self->round_trip, SHORTEST_GUARD, LONGEST_GUARD);

  if (request->response != NULL || request->confirmed || request->doubted_at != NEVER)
    return TRUE;
  if (!request->in_flight || request->written_at == NEVER)
    return FALSE;
  /* What is sent behind a restart is sent to spare its round trip. */
  if (session_server_sorts (self) && request->kind == REQUEST_RESTART && !repeated)
    return TRUE;

  return (!repeated && !request->overtakable) || is_due (self, request->written_at + guard, now);
}

/* Nothing but at most one request that the server has and holds: whoever
 * repeats its number goes on without loss. */
static gboolean
can_hand_over (BoshSession *self,
               gint64       now)
{
  Request *only = g_queue_peek_head (&self->window);

  if (self->queue.length > 0 || self->window.length > 1 || self->restarts.length > 0 ||
      self->state == BOSH_SESSION_ATTACHING)
    return FALSE;

  return only == NULL || only->confirmed || only->doubted_at != NEVER ||
         (only->kind == REQUEST_EMPTY && only->in_flight && only->written_at != NEVER &&
          is_due (self, only->written_at + CAREFUL_GUARD, now));
}

static gboolean
check_hand_over (BoshSession *self,
                 gint64       now)
{
  if (!self->handing_over || (!can_hand_over (self, now) && !is_due (self, self->hand_over_at, now)))
    return FALSE;

  for (GList *link = self->window.head; link != NULL; link = link->next)
    session_abandon (self, link->data);
  session_set_state (self, BOSH_SESSION_DETACHED);
  session_push_action (self, BOSH_ACTION_HANDED_OVER);

  return TRUE;
}

static gboolean
check_resume (BoshSession *self,
              gint64       now)
{
  if (self->state != BOSH_SESSION_PAUSED)
    return FALSE;

  if (self->queue.length == 0 && !self->resume_wanted && !self->terminate_wanted &&
      self->restarts.length == 0 && !is_due (self, self->paused_until, now))
    return FALSE;

  self->resume_wanted = FALSE;
  self->paused_until = NEVER;
  session_set_state (self, BOSH_SESSION_OPEN);

  return TRUE;
}

/* A pause is in force when all that was held has come back and its own request
 * was answered, or is known to have arrived. */
static gboolean
check_pause (BoshSession *self,
             gint64       now)
{
  Request *request;

  if (self->pause_rid == 0)
    return FALSE;

  request = session_find_request (self, self->pause_rid);
  if (request != NULL)
    {
      if (g_queue_peek_head (&self->window) != request || !request->in_flight ||
          request->written_at == NEVER)
        return FALSE;
      if (!request->confirmed &&
          !is_due (self, request->written_at + PAUSE_SETTLES_WITHIN, now))
        return FALSE;

      /* A short pause would be over before it is sure; one that is over, or that
       * had to wait for what was held, must have arrived, too, or it leaves a
       * gap. */
      if (!request->confirmed && request->attempts < MAX_PAUSE_ATTEMPTS &&
          (self->paused_until - now >= 4 * PAUSE_SETTLES_WITHIN || self->paused_until <= now ||
           now - request->written_at >= 2 * PAUSE_SETTLES_WITHIN))
        {
          session_repeat (self, request, now);
          return TRUE;
        }
      session_abandon (self, request);
      session_remove_request (self, request);
      /* It may have arrived just now: what polls keeps its distance. */
      self->last_new_at = now;
    }

  self->pause_rid = 0;
  session_set_state (self, BOSH_SESSION_PAUSED);
  session_push_action (self, BOSH_ACTION_PAUSED);

  return TRUE;
}

void
session_choose_coding (BoshSession *self)
{
  self->coding = self->compress_requests ? bosh_coding_choose (self->accept)
                                         : BOSH_CODING_IDENTITY;
}

static void
send_request (BoshSession *self,
              Request     *request,
              gint64       now)
{
  BoshAction *action = session_push_action (self, BOSH_ACTION_SEND);

  request->in_flight = TRUE;
  request->coding = g_bytes_get_size (request->bytes) >= SMALLEST_COMPRESSED ? self->coding
                                                                             : BOSH_CODING_IDENTITY;
  request->overtakable = TRUE;
  request->attempts++;
  request->sent_at = now;
  request->written_at = NEVER;
  request->retry_at = NEVER;
  request->suspect_at = NEVER;

  action->rid = request->rid;
  action->bytes = g_bytes_ref (request->bytes);
  action->repeated = request->attempts > 1;
  action->coding = request->coding;
  action->has_payload = request->kind == REQUEST_PAYLOAD;
}

/* The time of §11 between a request and an empty one that fills the window, as
 * the server will see it. */
static gint64
get_probe_interval (BoshSession *self)
{
  return MAX (self->polling, 1) * SECOND + TRANSIT_SPREAD;
}

/* Does it find out whether the session lives? A server that does not know it any
 * more says so to the first request, and needs not be asked again. */
static gboolean
is_trial (BoshSession *self,
          Request     *request)
{
  return self->state == BOSH_SESSION_ATTACHING && request->response == NULL;
}

/* Does the owner want something that is not out yet? */
static gboolean
is_asked (BoshSession *self)
{
  return self->queue.length > 0 || self->restarts.length > 0 || self->terminate_wanted ||
         self->pause_wanted > 0 || self->handing_over;
}

/* Is it only asked for again when the next request is certainly there, or when
 * too much waits for it? */
static gboolean
is_set_aside (BoshSession *self,
              GList       *link,
              gint64       now)
{
  Request *request = link->data;
  Request *next = link->next != NULL ? link->next->data : NULL;

  if (request->doubted_at == NEVER)
    return FALSE;
  /* A session that ends forgets its answers. */
  if (next == NULL || self->state == BOSH_SESSION_TERMINATING || has_end (self))
    return TRUE;
  if (next->response != NULL || next->confirmed || next->doubted_at != NEVER)
    return FALSE;

  return (!is_asked (self) && self->pause_rid == 0) || !is_settled (self, next, now) || !is_due (self, request->doubted_at + SUSPICION_AFTER, now);
}

/* Repeats go out by number, each when the one before it can't be overtaken.
 * @blocked: nothing new may go out, because one is still to be repeated. */
static gboolean
plan_repeats (BoshSession *self,
              gint64       now,
              gboolean    *blocked)
{
  for (GList *link = self->window.head; link != NULL; link = link->next)
    {
      Request *request = link->data;
      Request *before = link->prev != NULL ? link->prev->data : NULL;

      if (request->in_flight || request->response != NULL || is_set_aside (self, link, now))
        continue;

      *blocked = TRUE;
      if (before != NULL && is_trial (self, before))
        return FALSE;
      if ((before != NULL && !is_settled (self, before, now)) ||
          !is_due (self, request->retry_at, now))
        return FALSE;
      /* The server may not have seen the first attempt of either. */
      if (before != NULL && before->in_flight && request->kind == REQUEST_EMPTY &&
          !is_due (self, before->sent_at + get_probe_interval (self), now))
        return FALSE;

      send_request (self, request, now);
      return TRUE;
    }

  return FALSE;
}

static void
renew_keys (BoshSession *self)
{
  g_autofree char *seed = session_draw (self, "key seed");
  g_autofree char *spread = session_draw (self, "key length");
  guint length = self->key_sequence_length;

  spread[3] = '\0';
  if (length == 0)
    length = MIN_KEY_SEQUENCE_LENGTH + g_ascii_strtoull (spread, NULL, 16);

  g_clear_pointer (&self->keys, bosh_key_sequence_free);
  self->keys = bosh_key_sequence_new (seed, length, 0);
}

/* The creation request gives K(n) of the first sequence; each later one the
 * next key, and the last key of a sequence comes with the first of another
 * (§15.4, §15.5). */
static void
take_keys (BoshSession *self,
           gboolean     creation,
           char         key[BOSH_KEY_LENGTH + 1],
           char         new_key[BOSH_KEY_LENGTH + 1])
{
  key[0] = '\0';
  new_key[0] = '\0';

  if (!creation && self->keys == NULL)
    return;

  if (!creation)
    bosh_key_sequence_take (self->keys, key);

  if (creation || bosh_key_sequence_get_remaining (self->keys) == 0)
    {
      renew_keys (self);
      bosh_key_sequence_take (self->keys, new_key);
    }
}

static gboolean
stanza_is_sasl (Stanza *self)
{
  return bosh_element_is_sasl (self->element);
}

/* Moves stanzas from the queue into @payloads, as many as a request may have,
 * all of one stream (§16.4). */
static void
take_stanzas (BoshSession     *self,
              BoshRequestBody *body,
              GString         *payloads)
{
  Stanza *first = g_queue_peek_head (&self->queue);
  Stream *stream = first != NULL ? first->stream : NULL;
  gboolean was_sasl = FALSE;

  if (first != NULL)
    body->stream = session_get_stream_name (self, stream);

  while (!g_queue_is_empty (&self->queue))
    {
      Stanza *stanza = g_queue_peek_head (&self->queue);

      if (stanza->kind != ORDER_STANZA || stanza->stream != stream ||
          (payloads->len > 0 && payloads->len + stanza->length > self->max_payload_size))
        break;
      /* A body holds stanzas, or one element of SASL (XEP-0206 §2). */
      if (payloads->len > 0 && (was_sasl || stanza_is_sasl (stanza)))
        break;
      was_sasl = stanza_is_sasl (stanza);

      g_string_append_len (payloads, stanza->xml, stanza->length);
      g_clear_pointer (&stanza->xml, g_free);
      self->sent_serial = stanza->serial;
      g_queue_push_tail (&self->sent, g_queue_pop_head (&self->queue));
    }
}

static void
fill_creation (BoshSession     *self,
               BoshRequestBody *body)
{
  body->creation = TRUE;
  body->to = self->domain;
  body->from = self->from;
  body->route = self->route;
  body->language = self->language;
  body->content = self->content;
  body->wait = self->wait;
  body->hold = self->hold;
  body->ack = self->use_acknowledgements ? 1 : 0;
}

/* A restart of another stream goes to where that one was opened. */
static void
fill_restart (BoshSession     *self,
              const Restart   *restart,
              BoshRequestBody *body)
{
  body->restart = TRUE;
  if (restart->stream == session_get_first_stream (self))
    body->to = self->domain;
  body->stream = session_get_stream_name (self, restart->stream);
  body->from = restart->from;
  body->language = self->language;
}

/* To open another stream, or to close one; the head of the queue tells (§16.3,
 * §16.5). */
static void
fill_order (BoshSession     *self,
            Stanza          *order,
            BoshRequestBody *body)
{
  if (order->kind == ORDER_OPEN_STREAM)
    {
      body->opens_stream = TRUE;
      body->to = order->to;
      body->from = order->from;
      body->language = self->language;
      g_queue_push_tail (&self->opening, GSIZE_TO_POINTER (order->serial));
    }
  else
    {
      body->terminate = TRUE;
      body->stream = session_get_stream_name (self, order->stream);
    }

  self->sent_serial = order->serial;
  g_queue_push_tail (&self->sent, g_queue_pop_head (&self->queue));
}

static void
fill_terminate (BoshSession     *self,
                BoshRequestBody *body,
                GString         *payloads)
{
  Stanza *stanza = g_steal_pointer (&self->last_stanza);

  body->terminate = TRUE;
  self->terminate_wanted = FALSE;
  if (stanza == NULL)
    return;

  stanza->serial = self->sent_serial = ++self->last_serial;
  g_string_append_len (payloads, stanza->xml, stanza->length);
  g_clear_pointer (&stanza->xml, g_free);
  g_queue_push_tail (&self->sent, stanza);
}

/* Acknowledges what was answered when not everything before this request was
 * (§9.2). */
static guint64
get_ack (BoshSession *self)
{
  Request *oldest = g_queue_peek_head (&self->window);

  return self->use_acknowledgements && oldest != NULL ? oldest->rid - 1 : 0;
}

static void
send_new (BoshSession *self,
          RequestKind  kind,
          gint64       now)
{
  g_autoptr(GString) payloads = g_string_new (NULL);
  char key[BOSH_KEY_LENGTH + 1];
  char new_key[BOSH_KEY_LENGTH + 1];
  BoshRequestBody body = { 0 };
  Stanza *head = g_queue_peek_head (&self->queue);
  Restart *restart = NULL;
  Request *request;

  if (self->next_rid > BOSH_MAX_RID)
    {
      session_close (self, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_SESSION_LOST,
                                                _("The request ids of the session are used up")));
      return;
    }

  body.rid = self->next_rid++;
  body.sid = self->sid;
  if (kind == REQUEST_CREATION)
    fill_creation (self, &body);
  else
    body.ack = get_ack (self);
  if (kind == REQUEST_PAYLOAD || kind == REQUEST_TERMINATE)
    take_stanzas (self, &body, payloads);
  if (kind == REQUEST_OPEN_STREAM || kind == REQUEST_CLOSE_STREAM)
    fill_order (self, head, &body);
  if (kind == REQUEST_RESTART)
    {
      restart = g_queue_pop_head (&self->restarts);
      fill_restart (self, restart, &body);
    }
  if (kind == REQUEST_TERMINATE)
    fill_terminate (self, &body, payloads);
  if (kind == REQUEST_PAUSE)
    body.pause = self->pause_wanted;
  if (self->use_key_sequence)
    {
      take_keys (self, kind == REQUEST_CREATION, key, new_key);
      body.key = key[0] != '\0' ? key : NULL;
      body.new_key = new_key[0] != '\0' ? new_key : NULL;
    }

  request = g_new0 (Request, 1);
  request->doubted_at = NEVER;
  request->rid = body.rid;
  request->kind = kind;
  request->bytes = bosh_request_body_compose (&body, payloads);
  request->last_serial = self->sent_serial;
  if (kind == REQUEST_CLOSE_STREAM)
    request->stream = head->stream;
  if (restart != NULL)
    {
      request->stream = restart->stream;
      request->order = restart->serial;
      g_free (restart->from);
      g_free (restart);
    }
  g_queue_push_tail (&self->window, request);

  self->last_new_at = now;
  send_request (self, request, now);
}

static guint
get_limit (BoshSession *self)
{
  /* What a polling session sends is answered at once (§12). Two on their way
   * could arrive too near to each other. */
  if (session_is_polling (self))
    return 1;

  /* No `requests` means no limit (§11): two are enough for us. */
  return self->requests != 0 ? self->requests : MAX (self->hold + 1, 2);
}

static void
send_pause (BoshSession *self,
            gint64       now)
{
  gint64 length = self->pause_wanted * SECOND;

  send_new (self, REQUEST_PAUSE, now);
  self->pause_rid = self->next_rid - 1;
  self->pause_wanted = 0;
  self->paused_until = now + MAX (length / 2, length - PAUSE_MARGIN);
}

static RequestKind
get_queued_kind (BoshSession *self)
{
  switch (((Stanza *)g_queue_peek_head (&self->queue))->kind)
    {
    case ORDER_OPEN_STREAM:
      return REQUEST_OPEN_STREAM;

    case ORDER_CLOSE_STREAM:
      return REQUEST_CLOSE_STREAM;

    case ORDER_STANZA:
    default:
      return REQUEST_PAYLOAD;
    }
}

/* Everything but polls. What counts is not how many requests are in flight, but
 * how far the next one would be from the oldest whose answer was not handed
 * out: the server keeps its answers to the last few only, so one that is lost
 * must be asked for again before it is pushed out (§14.3). */
static gboolean
plan_wanted (BoshSession *self,
             gint64       now)
{
  guint limit = get_limit (self);
  guint open = self->window.length;

  if (self->restarts.length > 0)
    {
      if (open < limit)
        send_new (self, REQUEST_RESTART, now);
      return TRUE;
    }

  /* Pause and terminate may be one more than the limit (§11). That can push out
   * an answer that did not reach us, so the end does it only when waiting has
   * not helped, and the pause never. */
  if (self->terminate_wanted &&
      (open < limit || (open == limit && is_due (self, self->exceed_at, now))))
    {
      gsize length = self->last_stanza != NULL ? self->last_stanza->length : 0;
      gboolean fits = TRUE;

      for (GList *link = self->queue.head; link != NULL; link = link->next)
        {
          Stanza *stanza = link->data;

          length += stanza->length;
          fits = fits && stanza->kind == ORDER_STANZA && !stanza_is_sasl (stanza);
        }
      fits = fits && length <= self->max_payload_size && !session_has_streams (self) &&
             self->opening.length == 0;
      /* The last payload is for all streams, what is queued may not be. */
      if (self->queue.length == 0 || fits)
        {
          session_set_state (self, BOSH_SESSION_TERMINATING);
          send_new (self, REQUEST_TERMINATE, now);
          return TRUE;
        }
    }

  if (self->queue.length > 0)
    {
      if (open < limit)
        send_new (self, get_queued_kind (self), now);
      return TRUE;
    }

  if (self->pause_wanted > 0 && open < limit)
    {
      send_pause (self, now);
      return TRUE;
    }

  return FALSE;
}

/* Must a request go out, or the server drops the session (§10)? */
static gboolean
is_inactive (BoshSession *self,
             gint64       now)
{
  return self->inactivity > 0 &&
         is_due (self, self->last_contact + self->inactivity * SECOND / INACTIVITY_PART, now);
}

/* Is there no request that the server could hold? */
static gboolean
is_idle (BoshSession *self)
{
  Request *last = g_queue_peek_tail (&self->window);

  return last == NULL || (last->doubted_at != NEVER && session_count_in_flight (self) == 0);
}

/* An empty request: to have one held, or to make the server let go of the one
 * that carries what somebody waits for. */
static gboolean
plan_poll (BoshSession *self,
           gint64       now)
{
  Request *last = g_queue_peek_tail (&self->window);

  if (is_idle (self))
    {
      gboolean kept_back = (self->reply_expected &&
                            !is_due (self, self->reply_expected_until, now)) ||
                           (self->poll_at != NEVER && !is_due (self, self->poll_at, now));

      if (self->handing_over || (kept_back && !is_inactive (self, now)))
        return FALSE;
    }
  else
    {
      if (self->window.length > 1 || get_limit (self) < 2 || session_is_polling (self) ||
          !(self->hastened || self->handing_over) || self->delivered >= self->sent_serial ||
          last->kind == REQUEST_EMPTY || last->confirmed ||
          !is_due (self, last->sent_at + get_probe_interval (self), now))
        return FALSE;
    }

  send_new (self, REQUEST_EMPTY, now);

  return TRUE;
}

/* Spares the timers of what follows where there is nothing to send. */
static gboolean
has_work (BoshSession *self)
{
  return is_idle (self) || is_asked (self) || self->hastened;
}

static gboolean
plan_new (BoshSession *self,
          gint64       now)
{
  Request *last = g_queue_peek_tail (&self->window);

  if (self->state == BOSH_SESSION_PAUSED || self->state == BOSH_SESSION_TERMINATING ||
      self->pause_rid != 0)
    return FALSE;

  if (self->state == BOSH_SESSION_CREATING)
    {
      if (last == NULL)
        send_new (self, REQUEST_CREATION, now);
      return last == NULL;
    }

  if (!has_work (self) ||
      (last != NULL && (is_trial (self, last) || !is_settled (self, last, now))))
    return FALSE;

  /* A polling session spaces all its requests: ejabberd ends it otherwise. The
   * last one may have arrived as late as its answer was sent. */
  if (session_is_polling (self) &&
      !is_due (self, MAX (self->last_new_at, self->last_contact) + self->polling * SECOND, now))
    return FALSE;

  return plan_wanted (self, now) || plan_poll (self, now);
}

gboolean
session_plan (BoshSession *self,
              gint64       now)
{
  gboolean blocked = FALSE;

  if (!session_is_live (self))
    return FALSE;

  if (check_termination (self, now) || check_network (self, now) || check_exchanges (self, now) ||
      check_attach (self, now) || check_hand_over (self, now) || check_pause (self, now) ||
      check_resume (self, now))
    return TRUE;

  if (plan_repeats (self, now, &blocked) || (!blocked && plan_new (self, now)))
    return self->actions.length > 0;

  return FALSE;
}
