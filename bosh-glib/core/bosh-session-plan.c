/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the session does next, and when. Functions called get_…_at() say when something
 * may happen: AT_ONCE, at a time, or NEVER, if only an input can bring it about. They
 * change nothing. What happens waits for that time by wait_until(), which is the only
 * place that sets the deadline. */

#include "config.h"

#include "bosh-session-plan-private.h"

#include "bosh-i18n-private.h"
#include "bosh-limits-private.h"
#include "bosh-session-compose-private.h"
#include "bosh-session-responses-private.h"
#include "bosh-session-streams-private.h"
#include "bosh-session-timing-private.h"

/* Smaller requests are not worth compressing, and often do not get smaller. */
#define SMALLEST_COMPRESSED 512

/* TRUE if the time has come. Else the session plans again when it comes. */
static gboolean
wait_until (BoshSession *self,
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

/* For how long a request may be in flight before it is taken for lost. */
static gint64
get_patience (BoshSession *self,
              Request     *request)
{
  gint64 wait = self->granted.wait * SECOND;
  gint64 patience = wait + CLAMP (wait / 10, SHORTEST_GRACE, LONGEST_GRACE);
  gint64 limit = self->granted.inactivity * SECOND - INACTIVITY_MARGIN;

  /* If it never arrived, the server holds nothing, and the time of inactivity runs.
   * If that is longer than `wait`, a retransmission can arrive before its end. */
  if (limit >= wait + MAX (INACTIVITY_MARGIN, 4 * self->round_trip))
    patience = MIN (patience, limit);

  if (request->kind == REQUEST_TERMINATE)
    patience = TERMINATE_PATIENCE;

  return patience + (gint64)g_bytes_get_size (request->bytes) * SECOND / SLOWEST_UPLOAD;
}

/* When the silence of the oldest request in flight becomes suspicious because
 * others are in flight, too. */
static gint64
get_suspicion_at (BoshSession *self)
{
  Request *oldest = NULL;
  guint n_in_flight = 0;
  gint64 written_at = NEVER;

  if (session_is_polling (self) || self->state == BOSH_SESSION_CREATING)
    return NEVER;

  for (GList *link = self->window.requests.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (!request->in_flight)
        continue;
      if (request->written_at == NEVER)
        return NEVER;
      if (oldest == NULL)
        oldest = request;
      n_in_flight++;
      written_at = MAX (written_at, request->written_at);
    }

  if (n_in_flight <= MAX (self->granted.hold, 1) || oldest->suspected ||
      oldest->progress_at != NEVER)
    return NEVER;

  return written_at + MAX (SUSPICION_AFTER, 4 * self->round_trip);
}

/* After a change of the network, the connections of what is in flight may lead
 * nowhere. It is sent again, and the server responds or holds it as before. Not a
 * creation request, which would create another session. */
static gboolean
check_network (BoshSession *self,
               gint64       now)
{
  gboolean repeated = FALSE;

  if (!wait_until (self, self->network.probe_at, now))
    return FALSE;

  for (GList *link = self->window.requests.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (!request->in_flight || request->sent_at > self->network.changed_at ||
          request->progress_at > self->network.changed_at || request->kind == REQUEST_CREATION || request->kind == REQUEST_PAUSE)
        continue;
      session_repeat (self, request, now);
      repeated = TRUE;
    }
  self->network.probe_at = NEVER;
  if (repeated)
    self->network.probed_at = now;

  return repeated;
}

/* The request was in flight for too long. */
static void
time_out (BoshSession *self,
          Request     *request,
          gint64       now)
{
  g_autoptr(GError) error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TIMED_OUT,
                                                  _("The server did not respond in time"));

  session_abandon (self, request);
  session_fail_attempt (self, request, error, -1, now);
  /* That was enough waiting: no backoff. */
  request->retry_at = now;
}

/* Looks for exchanges that take too long. */
static gboolean
check_exchanges (BoshSession *self,
                 gint64       now)
{
  gint64 suspicion_at = get_suspicion_at (self);

  for (GList *link = self->window.requests.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (!request->in_flight)
        continue;

      if (wait_until (self, earlier (request->suspect_at, suspicion_at), now))
        {
          request->suspected = TRUE;
          session_repeat (self, request, now);
          return TRUE;
        }
      suspicion_at = NEVER;

      /* A pause may have no response at all: see check_pause(). A response that has begun
       * and waits for an earlier one is not read. */
      if (request->kind == REQUEST_PAUSE || (request->progress_at != NEVER && link->prev != NULL))
        continue;
      if (wait_until (self,
                      MAX (MAX (request->sent_at, request->written_at), request->progress_at) +
                        get_patience (self, request),
                      now))
        {
          time_out (self, request, now);
          return TRUE;
        }
    }

  return FALSE;
}

/* A server that does not know a session says so to the first request. */
static gboolean
check_attach (BoshSession *self,
              gint64       now)
{
  Request *first = bosh_window_get_oldest (&self->window);

  if (self->state != BOSH_SESSION_ATTACHING || first == NULL || !first->in_flight ||
      first->written_at == NEVER)
    return FALSE;
  if (!wait_until (self, first->written_at + ATTACHED_AFTER, now))
    return FALSE;

  session_set_state (self, BOSH_SESSION_OPEN);
  session_push_action (self, BOSH_ACTION_OPENED);

  return TRUE;
}

/* Whether a response that was not handed out yet ends the session. */
static gboolean
has_end (BoshSession *self)
{
  for (GList *link = self->window.requests.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (request->response != NULL &&
          (request->kind == REQUEST_TERMINATE || session_is_end (self, request->response)))
        return TRUE;
    }

  return FALSE;
}

/* Goes on to the response that ends the session, without those that are missing. */
static void
skip_to_end (BoshSession *self,
             gint64       now)
{
  while (session_is_live (self) && has_end (self))
    {
      Request *oldest = bosh_window_get_oldest (&self->window);

      if (oldest->response == NULL)
        {
          session_abandon (self, oldest);
          if (session_server_may_drop (self))
            session_doubt_delivery (self, oldest->last_serial);
          self->termination.skipped = TRUE;
          bosh_window_remove (&self->window, oldest);
        }
      session_process_responses (self, now);
    }
}

static gboolean
check_termination (BoshSession *self,
                   gint64       now)
{
  if (wait_until (self, self->termination.responses_until, now))
    {
      self->termination.responses_until = NEVER;
      if (self->termination.agreed)
        session_close (self, NULL);
      else
        skip_to_end (self, now);
      return TRUE;
    }

  if (wait_until (self, self->termination.give_up_at, now))
    {
      session_close (self, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TIMED_OUT,
                                                _("The server did not confirm the end of the session in time")));
      return TRUE;
    }

  return FALSE;
}

/* The end of a stream is not waited for when the server has the request, which it may hold
 * like any other. */
static gboolean
check_closed_streams (BoshSession *self)
{
  if (!session_has_streams (self))
    return FALSE;

  for (GList *link = self->window.requests.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (request->kind == REQUEST_CLOSE_STREAM && request->confirmed && !request->stream->closed)
        {
          session_close_stream (self, request->stream, NULL);
          return TRUE;
        }
    }

  return FALSE;
}

/* When no later request can overtake this one any more. */
static gint64
get_settled_at (BoshSession *self,
                Request     *request)
{
  gboolean repeated = request->attempts > 1;

  if (request->response != NULL || request->confirmed || request->doubted_at != NEVER)
    return AT_ONCE;
  if (!request->in_flight || request->written_at == NEVER)
    return NEVER;

  if (repeated)
    return request->written_at + CAREFUL_GUARD;
  if (!request->overtakable)
    return AT_ONCE;
  /* What follows a restart is sent at once to save its round trip, but a restart that is
   * dropped ends the login. At the end of the session that does not matter any more. */
  if (request->kind == REQUEST_RESTART && session_server_sorts (self))
    return AT_ONCE;
  if (request->kind == REQUEST_RESTART && session_server_may_drop (self))
    return self->termination.wanted ? request->written_at + LONGEST_GUARD : NEVER;

  if (!session_server_sorts (self))
    return request->written_at + LONGEST_GUARD;

  return request->written_at + CLAMP (2 * self->round_trip, SHORTEST_GUARD, LONGEST_GUARD);
}

/* Whether it is a pause request that was taken as in force without a sign that it has
 * arrived. */
static gboolean
is_doubtful_pause (BoshSession *self,
                   Request     *request)
{
  return request->kind == REQUEST_PAUSE && request->rid != self->pause.rid &&
         request->response == NULL;
}

/* Whether a pause would have the server release what it holds (§10), so that the next
 * owner begins with nothing open. If nothing is held it is of no use, and nothing would
 * show that it has arrived. */
static gboolean
is_pause_of_use (BoshSession *self)
{
  return self->pause_on_detach && self->granted.max_pause > 0 &&
         self->state == BOSH_SESSION_OPEN && bosh_window_get_n_requests (&self->window) > 0;
}

/* When to ask for it: when the newest request is held for so long that its release proves
 * the arrival of the pause. */
static gint64
get_detach_pause_at (BoshSession *self)
{
  Request *newest = bosh_window_get_newest (&self->window);

  if (!is_pause_of_use (self) || newest->written_at == NEVER)
    return NEVER;

  return session_get_held_at (self, newest);
}

/* When nothing is open but at most one request that the server has and holds: another
 * owner can send its number again, and loses nothing. */
static gint64
get_hand_over_at (BoshSession *self)
{
  Request *only = bosh_window_get_oldest (&self->window);

  if (bosh_outbox_get_n_queued (&self->outbox) > 0 || self->restarts.length > 0 ||
      bosh_window_get_n_requests (&self->window) > 1 || self->state == BOSH_SESSION_ATTACHING ||
      self->pause.wanted > 0 || self->pause.rid != 0 || is_pause_of_use (self))
    return NEVER;

  if (only == NULL || only->confirmed || only->doubted_at != NEVER ||
      self->state == BOSH_SESSION_PAUSED)
    return AT_ONCE;
  if ((only->kind != REQUEST_EMPTY && !is_doubtful_pause (self, only)) ||
      !only->in_flight || only->written_at == NEVER)
    return NEVER;

  return only->written_at + CAREFUL_GUARD;
}

static gboolean
check_hand_over (BoshSession *self,
                 gint64       now)
{
  if (!self->handing_over)
    return FALSE;
  if (self->pause_on_detach && self->pause.rid == 0)
    self->pause.wanted = wait_until (self, get_detach_pause_at (self), now)
                           ? self->granted.max_pause
                           : 0;
  if (!wait_until (self, earlier (get_hand_over_at (self), self->hand_over_at), now))
    return FALSE;

  session_abandon_all (self);
  session_set_state (self, BOSH_SESSION_DETACHED);
  session_push_action (self, BOSH_ACTION_HANDED_OVER);

  return TRUE;
}

/* Whether it is known without a response that the server has the request. It responds
 * in the order of the numbers (§14.2). */
static gboolean
has_arrived (BoshSession *self,
             Request     *request)
{
  Request *next = bosh_window_get_next (&self->window, request);

  for (; next != NULL; next = bosh_window_get_next (&self->window, next))
    if (next->response != NULL)
      return TRUE;

  return request->confirmed;
}

/* Whether a pause request of which nothing is heard is sent again. A short pause would
 * be over before it is sure to be in force. A pause that is over, or had to wait for
 * what was held, must have arrived, or its number would be missing. */
static gboolean
is_pause_repeated (BoshSession *self,
                   Request     *request,
                   gint64       now)
{
  if (has_arrived (self, request) || request->attempts >= MAX_PAUSE_ATTEMPTS)
    return FALSE;

  return self->pause.until - now >= 4 * PAUSE_SETTLES_WITHIN || self->pause.until <= now ||
         now - request->written_at >= 2 * PAUSE_SETTLES_WITHIN;
}

/* A pause is in force when everything that was held has returned and its own request
 * has a response, or is known to have arrived. Where neither can be known, because the
 * server never responds to it or the response was lost, the request is kept, for
 * check_doubtful_pause(). */
static gboolean
check_pause (BoshSession *self,
             gint64       now)
{
  Request *request;

  if (self->pause.rid == 0)
    return FALSE;

  request = bosh_window_find (&self->window, self->pause.rid);
  if (request != NULL)
    {
      if (request != bosh_window_get_oldest (&self->window) || !request->in_flight ||
          request->written_at == NEVER)
        return FALSE;
      if (!wait_until (self,
                       has_arrived (self, request) ? AT_ONCE
                                                   : MAX (request->written_at,
                                                          request->progress_at) +
                                                       PAUSE_SETTLES_WITHIN,
                       now))
        return FALSE;

      if (is_pause_repeated (self, request, now))
        {
          session_repeat (self, request, now);
          return TRUE;
        }
      session_abandon (self, request);
      if (has_arrived (self, request) || self->pause.resume_wanted)
        bosh_window_remove (&self->window, request);
      /* It may have arrived just now: polling must keep its distance. */
      self->last_new_at = now;
    }

  self->pause.rid = 0;
  session_set_state (self, BOSH_SESSION_PAUSED);
  session_push_action (self, BOSH_ACTION_PAUSED);
  session_process_responses (self, now);

  return TRUE;
}

/* When a pause request that was sent again is not waited for any longer: when it has
 * arrived, or had time enough. */
static gint64
get_pause_given_up_at (BoshSession *self,
                       Request     *request)
{
  Request *newest = bosh_window_get_newest (&self->window);

  if (has_arrived (self, request))
    return AT_ONCE;
  /* The next owner can ask for its response. */
  if ((self->handing_over && newest == request) || newest->written_at == NEVER)
    return NEVER;

  return newest->written_at + PAUSE_SETTLES_WITHIN;
}

/* The end of a pause begins with its own request once more, if that may not have
 * arrived: if its number were missing, the server would wait for it for ever. */
static gboolean
check_doubtful_pause (BoshSession *self,
                      gint64       now)
{
  Request *request = bosh_window_get_oldest (&self->window);

  if (self->state == BOSH_SESSION_PAUSED || request == NULL || !request->in_flight ||
      !is_doubtful_pause (self, request))
    return FALSE;
  if (!wait_until (self, get_pause_given_up_at (self, request), now))
    return FALSE;

  session_abandon (self, request);
  bosh_window_remove (&self->window, request);
  self->last_new_at = now;
  session_process_responses (self, now);

  return TRUE;
}

/* When to end the pause: when there is something to send, or before it expires. */
static gint64
get_resume_at (BoshSession *self)
{
  if (bosh_outbox_get_n_queued (&self->outbox) > 0 || self->restarts.length > 0 ||
      self->pause.resume_wanted || self->termination.wanted)
    return AT_ONCE;

  return self->pause.until;
}

static gboolean
check_resume (BoshSession *self,
              gint64       now)
{
  Request *request = bosh_window_get_oldest (&self->window);

  if (self->state != BOSH_SESSION_PAUSED)
    return FALSE;
  if (!wait_until (self, get_resume_at (self), now))
    return FALSE;

  self->pause.resume_wanted = FALSE;
  self->pause.until = NEVER;
  session_set_state (self, BOSH_SESSION_OPEN);
  if (request != NULL)
    {
      /* It is not to be sent once more because of its silence. */
      request->suspected = TRUE;
      session_repeat (self, request, now);
    }

  return TRUE;
}

static void
send_request (BoshSession *self,
              Request     *request,
              gint64       now)
{
  BoshAction *action = session_push_action (self, BOSH_ACTION_SEND);

  request->in_flight = TRUE;
  request->exposed = request->maybe_sent;
  request->coding = BOSH_CODING_IDENTITY;
  if (g_bytes_get_size (request->bytes) >= SMALLEST_COMPRESSED && !request->is_secret)
    request->coding = self->coding;
  request->overtakable = TRUE;
  request->attempts++;
  request->sent_at = now;
  request->written_at = NEVER;
  request->retry_at = NEVER;
  request->suspect_at = NEVER;
  request->progress_at = NEVER;

  action->rid = request->rid;
  action->bytes = g_bytes_ref (request->bytes);
  action->repeated = request->attempts > 1;
  action->coding = request->coding;
  action->has_payload = request->kind == REQUEST_PAYLOAD;
  action->is_secret = request->is_secret;
}

/* The interval of §11 between a request and an empty one that fills the window, as
 * the server will see it. */
static gint64
get_probe_interval (BoshSession *self)
{
  return MAX (self->granted.polling, 1) * SECOND + TRANSIT_SPREAD;
}

/* Whether the request shows if the session still exists. A server that does not know
 * the session says so to the first request, and need not be asked by others. */
static gboolean
is_trial (BoshSession *self,
          Request     *request)
{
  return self->state == BOSH_SESSION_ATTACHING && request->response == NULL;
}

/* Whether the owner wants something that is not sent yet. */
static gboolean
has_wishes (BoshSession *self)
{
  return bosh_outbox_get_n_queued (&self->outbox) > 0 || self->restarts.length > 0 ||
         self->termination.wanted || self->pause.wanted > 0 || self->handing_over;
}

/* When to send again a request with a doubted response: when the next one has
 * certainly arrived, or when it keeps back what the owner wants. */
static gint64
get_doubt_ends_at (BoshSession *self,
                   GList       *link)
{
  Request *request = link->data;
  Request *next = link->next != NULL ? link->next->data : NULL;

  /* A session that ends does without the responses. */
  if (next == NULL || self->state == BOSH_SESSION_TERMINATING || has_end (self))
    return NEVER;
  if (next->response != NULL || next->progress_at != NEVER || next->confirmed ||
      next->doubted_at != NEVER)
    return AT_ONCE;
  /* A path that is not patient would cut the next one before it has a response. */
  if (!has_wishes (self) && self->pause.rid == 0 && self->path_patience == NEVER)
    return NEVER;

  return later (get_settled_at (self, next), request->doubted_at + SUSPICION_AFTER);
}

/* When the request may be sent again, after @before. */
static gint64
get_repeat_at (BoshSession *self,
               Request     *request,
               Request     *before)
{
  gint64 at = request->retry_at;

  if (before == NULL)
    return at;
  if (is_trial (self, before))
    return NEVER;

  at = later (at, get_settled_at (self, before));
  /* The server may not have seen the first attempt of either. */
  if (before->in_flight && request->kind == REQUEST_EMPTY)
    at = later (at, before->sent_at + get_probe_interval (self));

  return at;
}

/* What was sent after the request has no stanzas. */
static void
refill (BoshSession *self,
        GList       *link)
{
  Request *request = link->data;

  session_refill (self, request);
  for (; link != NULL; link = link->next)
    ((Request *)link->data)->last_serial = request->last_serial;
}

/* Retransmissions are sent in the order of their numbers, each when it can't overtake
 * the one before it.
 * @blocked: (out): nothing new may be sent, because one is still to be sent again */
static gboolean
plan_repeats (BoshSession *self,
              gint64       now,
              gboolean    *blocked)
{
  *blocked = FALSE;
  for (GList *link = self->window.requests.head; link != NULL; link = link->next)
    {
      Request *request = link->data;
      Request *before = link->prev != NULL ? link->prev->data : NULL;

      if (request->in_flight || request->response != NULL)
        continue;
      if (request->doubted_at != NEVER)
        {
          if (!wait_until (self, get_doubt_ends_at (self, link), now))
            continue;
        }

      *blocked = TRUE;
      if (!wait_until (self, get_repeat_at (self, request, before), now))
        return FALSE;

      if (request->refused)
        refill (self, link);
      send_request (self, request, now);
      return TRUE;
    }

  return FALSE;
}

static void
send_new (BoshSession *self,
          RequestKind  kind,
          gint64       now)
{
  Request *newest = bosh_window_get_newest (&self->window);

  if (self->window.next_rid > BOSH_MAX_RID)
    {
      session_close (self, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_SESSION_LOST,
                                                _("The request ids of the session are used up")));
      return;
    }

  if (newest != NULL && session_server_may_drop (self))
    newest->unproven = newest->response == NULL && !newest->confirmed &&
                       newest->doubted_at == NEVER;
  self->last_new_at = now;
  send_request (self, session_compose (self, kind), now);
}

/* How many requests may be open. What counts is not how many are in flight, but how far
 * a new one would be from the oldest whose response was not handed out: the server
 * keeps its responses to the last few only, so a lost one must be asked for before it
 * is pushed out (§14.3). */
static guint
get_limit (BoshSession *self)
{
  /* The requests of a polling session have a response at once (§12). Two of them on
   * their way could arrive too soon after each other. */
  if (session_is_polling (self))
    return 1;

  /* No `requests` means no limit (§11); two are enough for us. */
  return MIN (self->granted.requests != 0 ? self->granted.requests : MAX (self->granted.hold + 1, 2),
              BOSH_MAX_WINDOW);
}

static void
send_pause (BoshSession *self,
            gint64       now)
{
  gint64 length = self->pause.wanted * SECOND;

  self->pause.rid = self->window.next_rid;
  self->pause.until = now + MAX (length / 2, length - PAUSE_MARGIN);
  send_new (self, REQUEST_PAUSE, now);
  self->pause.wanted = 0;
}

static RequestKind
get_queued_kind (BoshSession *self)
{
  switch (bosh_outbox_get_next_kind (&self->outbox))
    {
    case ENTRY_OPEN_STREAM:
      return REQUEST_OPEN_STREAM;
    case ENTRY_CLOSE_STREAM:
      return REQUEST_CLOSE_STREAM;
    case ENTRY_STANZA:
    default:
      return REQUEST_PAYLOAD;
    }
}

/* When the terminate request may be sent. It may be one more than the limit (§11).
 * That can push out a response that did not reach us, so it is done only when waiting
 * has not helped. */
static gint64
get_terminate_at (BoshSession *self)
{
  guint n_open = bosh_window_get_n_requests (&self->window);

  if (n_open < get_limit (self))
    return AT_ONCE;

  return n_open == get_limit (self) ? self->termination.exceed_at : NEVER;
}

/* Whether the terminate request can take along all that is queued. Its payload is for
 * all streams, and what is queued may not be. */
static gboolean
is_last_request (BoshSession *self)
{
  if (bosh_outbox_get_n_queued (&self->outbox) == 0)
    return TRUE;

  return !session_has_streams (self) && self->opening.length == 0 &&
         bosh_outbox_fits_in_request (&self->outbox);
}

/* When what is queued may be sent so that its delivery, which is awaited, is confirmed by
 * the early release of the only request that is open: when that one is certainly held.
 * Otherwise the release would prove nothing, and the proof would be a poll that has to
 * keep its interval. */
static gint64
get_provable_at (BoshSession *self)
{
  Request *only = bosh_window_get_newest (&self->window);

  if (!self->hastened || self->granted.acknowledges || self->holding == HOLDING_NEVER ||
      bosh_window_get_n_requests (&self->window) != 1 || only->written_at == NEVER ||
      only->attempts > 1)
    return AT_ONCE;

  return session_get_held_at (self, only);
}

/* When no request on its way can be refused for its size any more. If one is, its stanzas
 * go before any others. */
static gint64
get_passed_at (BoshSession *self)
{
  gsize safe_size = MAX (self->path_size, SAFE_SIZE);
  gint64 at = AT_ONCE;

  for (GList *link = self->window.requests.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (request->payload_length > safe_size && request->in_flight && !request->confirmed)
        at = MAX (at, request->sent_at + MAX (REFUSED_WITHIN, 4 * self->round_trip));
    }

  return at;
}

/* Everything but polls. TRUE if there is anything, sent or not. A pause, too, may be one
 * more than the limit (§11), but then a lost response could not be asked for again. */
static gboolean
plan_wanted (BoshSession *self,
             gint64       now)
{
  gboolean has_room = bosh_window_get_n_requests (&self->window) < get_limit (self);

  if (self->restarts.length > 0)
    {
      if (has_room)
        send_new (self, REQUEST_RESTART, now);
      return TRUE;
    }

  if (self->termination.wanted)
    {
      gboolean is_time = wait_until (self, get_terminate_at (self), now);

      if (is_time && is_last_request (self))
        {
          session_set_state (self, BOSH_SESSION_TERMINATING);
          send_new (self, REQUEST_TERMINATE, now);
          return TRUE;
        }
    }

  if (bosh_outbox_get_n_queued (&self->outbox) > 0)
    {
      if (has_room && wait_until (self, later (get_provable_at (self), get_passed_at (self)), now))
        send_new (self, get_queued_kind (self), now);
      return TRUE;
    }

  if (self->pause.wanted > 0 && has_room)
    {
      send_pause (self, now);
      return TRUE;
    }

  return FALSE;
}

/* Whether the server holds no request, and gets one only by a poll. */
static gboolean
is_idle (BoshSession *self)
{
  Request *newest = bosh_window_get_newest (&self->window);

  return newest == NULL || is_doubtful_pause (self, newest) ||
         (newest->doubted_at != NEVER &&
          bosh_window_get_n_in_flight (&self->window) == 0);
}

/* When the polling interval is over, or @longest, if that is shorter. The newest request
 * may have arrived as late as its response was sent. */
static gint64
get_spaced_at (BoshSession *self,
               gint64       longest)
{
  return MAX (self->last_new_at, self->last_contact) +
         MIN (self->granted.polling * SECOND, longest);
}

/* When an idle session polls: when nothing keeps polls back any more, or before the
 * server drops the session (§10). */
static gint64
get_poll_at (BoshSession *self)
{
  gint64 at = MAX (self->poll_at, AT_ONCE);

  if (self->handing_over)
    return NEVER;

  if (self->reply_expected)
    at = MAX (at, self->reply_expected_until);
  if (self->granted.inactivity > 0)
    at = MIN (at, self->last_contact + self->granted.inactivity * SECOND / INACTIVITY_PART);
  if (session_is_polling (self))
    at = MAX (at, get_spaced_at (self, G_MAXINT64));

  return at;
}

/* When to send an empty request so that the server releases the one that carries the
 * stanzas whose delivery is awaited. */
static gint64
get_probe_at (BoshSession *self)
{
  Request *newest = bosh_window_get_newest (&self->window);
  gboolean is_awaited = self->hastened || self->handing_over;

  if (!is_awaited || self->outbox.delivered >= self->outbox.sent_serial ||
      newest->kind == REQUEST_EMPTY || newest->confirmed)
    return NEVER;
  if (bosh_window_get_n_requests (&self->window) > 1 || get_limit (self) < 2)
    return NEVER;

  return newest->sent_at + get_probe_interval (self);
}

/* When to send an empty request so that the server releases what it holds before the path
 * cuts it. A new request releases the oldest as soon as `hold` others are open, so the more
 * it takes for a request to be that one, the earlier they begin. */
static gint64
get_refresh_at (BoshSession *self)
{
  Request *oldest = bosh_window_get_oldest (&self->window);
  Request *newest = bosh_window_get_newest (&self->window);
  gint64 n_needed = (gint64)MAX (self->granted.hold, 1) - bosh_window_get_n_requests (&self->window);
  gint64 interval;
  gint64 at = NEVER;

  if (self->path_patience == NEVER || !oldest->in_flight || oldest->written_at == NEVER ||
      bosh_window_get_n_requests (&self->window) >= get_limit (self))
    return NEVER;

  interval = get_probe_interval (self);
  for (GList *link = self->window.requests.head; link != NULL; link = link->next, n_needed++)
    {
      Request *request = link->data;

      if (request->in_flight && request->written_at != NEVER)
        at = earlier (at, request->written_at + PATH_PATIENCE_PART (self->path_patience) -
                            MAX (n_needed, 0) * interval);
    }

  return MAX (at, newest->sent_at + interval);
}

static gboolean
plan_poll (BoshSession *self,
           gint64       now)
{
  gint64 at = is_idle (self) ? get_poll_at (self)
                             : earlier (get_probe_at (self), get_refresh_at (self));

  if (!wait_until (self, at, now))
    return FALSE;

  send_new (self, REQUEST_EMPTY, now);

  return TRUE;
}

/* When a new request may be sent at all. */
static gint64
get_new_at (BoshSession *self)
{
  Request *newest = bosh_window_get_newest (&self->window);
  gint64 at = AT_ONCE;

  /* Spares the timers if there is nothing to send. */
  if (!is_idle (self) && !has_wishes (self) && !self->hastened && self->path_patience == NEVER)
    return NEVER;

  if (newest != NULL)
    {
      if (is_trial (self, newest))
        return NEVER;
      at = get_settled_at (self, newest);
    }

  /* Polls keep the whole interval: see get_poll_at(). */
  if (session_is_polling (self))
    at = later (at, get_spaced_at (self, POLICED_INTERVAL));

  return at;
}

static gboolean
plan_new (BoshSession *self,
          gint64       now)
{
  if (self->state == BOSH_SESSION_PAUSED || self->state == BOSH_SESSION_TERMINATING ||
      self->pause.rid != 0)
    return FALSE;

  if (self->state == BOSH_SESSION_CREATING)
    {
      gboolean is_first = bosh_window_get_n_requests (&self->window) == 0;

      if (is_first)
        send_new (self, REQUEST_CREATION, now);
      return is_first;
    }

  if (!wait_until (self, get_new_at (self), now))
    return FALSE;

  return plan_wanted (self, now) || plan_poll (self, now);
}

gboolean
session_plan (BoshSession *self,
              gint64       now)
{
  gboolean blocked;

  if (!session_is_live (self))
    return FALSE;

  /* Each of these does at most one thing. All are asked again after that, so in the end
   * all of them have set the deadline. */
  if (check_termination (self, now) || check_network (self, now) || check_exchanges (self, now) ||
      check_closed_streams (self) ||
      check_attach (self, now) || check_hand_over (self, now) || check_pause (self, now) ||
      check_doubtful_pause (self, now) || check_resume (self, now))
    return TRUE;

  if (plan_repeats (self, now, &blocked) || (!blocked && plan_new (self, now)))
    return self->actions.length > 0;

  return FALSE;
}
