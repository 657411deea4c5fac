/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-session-responses-private.h"

#include "bosh-error-private.h"
#include "bosh-i18n-private.h"
#include "bosh-limits-private.h"
#include "bosh-session-streams-private.h"
#include "bosh-session-timing-private.h"
#include "bosh-uri-private.h"
#include "bosh-xml-private.h"

#include <string.h>

/* How often a session that is being created follows a redirect. */
#define MAX_HOPS 5

/* Since version 0.10 Prosody processes requests by their numbers, and sends the features
 * in the same way as stanzas, that is with their namespace. Nothing else in the response
 * to the creation tells it from Metronome and older versions, which do neither. */
#define PROSODY_FEATURES "<stream:features xmlns='jabber:client'"

static gint64
next_jitter (BoshSession *self,
             gint64       limit)
{
  self->jitter ^= self->jitter << 13;
  self->jitter ^= self->jitter >> 7;
  self->jitter ^= self->jitter << 17;

  return limit > 0 ? (gint64)(self->jitter % (guint64)limit) : 0;
}

/* The first retransmission is sent at once, because a connection that was kept alive
 * often breaks when it is used again. Later ones are sent ever more slowly, and not
 * in step with those of other clients. */
static gint64
draw_backoff (BoshSession *self,
              gboolean     at_once)
{
  guint doublings = self->failures > 1 ? MIN (self->failures - 2, MAX_BACKOFF_DOUBLINGS) : 0;
  gint64 backoff = MIN (FIRST_BACKOFF << doublings, LONGEST_BACKOFF);

  if (self->failures <= 1 && at_once)
    return 0;

  return backoff - backoff / 4 + next_jitter (self, backoff / 2);
}

/* Whether the server must have dropped the session. It may have held a request for
 * the whole of `wait` before the inactivity began (§10). */
static gboolean
is_expired (BoshSession *self,
            gint64       now)
{
  if (self->granted.inactivity == 0)
    return FALSE;

  return now > MAX (self->last_contact, self->last_new_at) +
                 (self->granted.wait + self->granted.inactivity) * SECOND + EXPIRY_SLACK;
}

void
session_repeat (BoshSession *self,
                Request     *request,
                gint64       at)
{
  session_abandon (self, request);
  request->retry_at = at;
  request->suspect_at = NEVER;
}

static void
close_lost (BoshSession  *self,
            const GError *error)
{
  session_close (self, g_error_new (BOSH_ERROR, BOSH_ERROR_SESSION_LOST,
                                    _("The server could not be reached for so long that the session is lost: %s"),
                                    error->message));
}

void
session_fail_attempt (BoshSession  *self,
                      Request      *request,
                      const GError *error,
                      int           retry_after,
                      gint64        now)
{
  gboolean unreachable = !request->maybe_sent;
  gint64 delay;

  request->in_flight = FALSE;
  request->suspect_at = NEVER;
  self->failures++;

  if (request->kind == REQUEST_TERMINATE && self->termination.agreed)
    {
      session_close (self, NULL);
      return;
    }

  if (request->kind == REQUEST_CREATION ||
      (self->state == BOSH_SESSION_ATTACHING && self->failures >= MAX_ATTACH_FAILURES) ||
      (request->kind == REQUEST_TERMINATE && request->attempts >= MAX_TERMINATE_ATTEMPTS))
    {
      session_close (self, g_error_copy (error));
      return;
    }

  if (is_expired (self, now))
    {
      close_lost (self, error);
      return;
    }

  delay = draw_backoff (self, !unreachable);
  if (retry_after >= 0)
    delay = MAX (delay, retry_after * SECOND);
  request->retry_at = now + delay;

  if (delay > 0 && self->state == BOSH_SESSION_OPEN)
    session_set_state (self, BOSH_SESSION_RETRYING);
}

/* Whether a request only asks for what the server has to send, and perhaps brings
 * stanzas: the server may hold it. */
static gboolean
is_holdable (Request *request)
{
  return request->kind == REQUEST_EMPTY || request->kind == REQUEST_PAYLOAD;
}

/* Learns how patient the path is. A connection that broke by chance looks the same; then
 * some more requests are sent than necessary. */
static void
note_cut (BoshSession *self,
          Request     *request,
          gint64       now)
{
  gint64 patience = now - request->written_at;

  if (request->written_at == NEVER || request->kind == REQUEST_CREATION ||
      request->kind == REQUEST_PAUSE || request->kind == REQUEST_TERMINATE ||
      patience < SHORTEST_PATH_PATIENCE || patience >= self->granted.wait * SECOND)
    return;

  self->path_patience = earlier (self->path_patience, patience);
}

void
session_handle_failure (BoshSession  *self,
                        Request      *request,
                        BoshFailure   failure,
                        const GError *error,
                        gint64        now)
{
  if (failure != BOSH_FAILURE_UNREACHABLE)
    session_mark_maybe_sent (self, request);

  if (failure == BOSH_FAILURE_BROKEN)
    note_cut (self, request, now);

  request->in_flight = FALSE;
  if (failure == BOSH_FAILURE_TOO_LARGE || failure == BOSH_FAILURE_UNTRUSTED)
    session_close (self, g_error_copy (error));
  else
    session_fail_attempt (self, request, error, -1, now);
}

/* Follows a redirect while the session is being created, or returns FALSE. A redirect
 * over an insecure connection may be forged; but an attacker who can do that could
 * take over the session as well. From https, only https is followed. */
static gboolean
follow (BoshSession *self,
        Request     *request,
        const char  *target)
{
  g_autoptr(GUri) base = NULL;
  g_autoptr(GUri) uri = NULL;

  if (self->uri == NULL || target == NULL || request->kind != REQUEST_CREATION ||
      self->hops >= MAX_HOPS)
    return FALSE;

  base = bosh_uri_parse_http (self->uri, NULL, NULL);
  uri = base != NULL ? bosh_uri_parse_http (target, base, NULL) : NULL;
  if (uri == NULL || (bosh_uri_is_secure (base) && !bosh_uri_is_secure (uri)))
    return FALSE;

  /* Another connection manager, and so another session (§14.1, §15.4). */
  self->hops++;
  g_free (self->uri);
  self->uri = g_uri_to_string (uri);
  bosh_window_remove (&self->window, request);
  session_draw_rid (self);
  g_clear_pointer (&self->keys, bosh_key_sequence_free);
  session_push_action (self, BOSH_ACTION_REDIRECTED)->text = g_strdup (self->uri);

  return TRUE;
}

/* The condition that a legacy connection manager expresses by an HTTP status
 * (§17.2), or NULL. */
static const char *
get_legacy_condition (guint status)
{
  switch (status)
    {
    case 400:
      return "bad-request";
    case 403:
      return "policy-violation";
    case 404:
      return "item-not-found";
    default:
      return NULL;
    }
}

static GError *
new_http_error (const BoshHttpResponse *response)
{
  if (response->location != NULL && response->status / 100 == 3)
    return g_error_new (BOSH_ERROR, BOSH_ERROR_HTTP,
                        _("The server redirects to %s (HTTP status %u)"),
                        response->location, response->status);

  if (response->status == 401)
    return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_HTTP,
                                _("The server wants a user name and password for HTTP, or others "
                                  "than it was given (HTTP status 401)"));

  return g_error_new (BOSH_ERROR, BOSH_ERROR_HTTP,
                      _("The server responded with HTTP status %u"), response->status);
}

/* Whether the same request is to be sent elsewhere; 303 would ask for a GET. */
static gboolean
is_redirect (guint status)
{
  return status == 301 || status == 302 || status == 307 || status == 308;
}

/* The connection manager has announced that it accepts compressed requests, but does
 * not: from now on it gets plain ones. */
static void
repeat_plain (BoshSession *self,
              Request     *request,
              gint64       now)
{
  self->coding = BOSH_CODING_IDENTITY;
  session_repeat (self, request, now);
}

/* Whether a retransmission may have arrived after our terminate request. Only the response
 * to the latter shows whether all went well. */
static gboolean
is_repeat_after_end (BoshSession *self,
                     Request     *request,
                     const char  *condition)
{
  return self->state == BOSH_SESSION_TERMINATING && request->kind != REQUEST_TERMINATE &&
         g_strcmp0 (condition, "item-not-found") == 0;
}

/* Whether it only says that the session has ended, as was asked for, where the server does
 * not know the session that this request ends: the response to an earlier attempt was
 * lost. Or a proxy has sent this one twice; but not where stanzas that were sent before may
 * have been lost with the session, and not where an earlier request is missing, as the
 * number of this one may have been refused for that. */
static gboolean
is_refusal_of_end (BoshSession *self,
                   Request     *request,
                   const char  *condition)
{
  if (request->kind != REQUEST_TERMINATE || g_strcmp0 (condition, "item-not-found") != 0)
    return FALSE;
  if (self->termination.agreed || request->attempts > 1)
    return TRUE;

  return !self->termination.skipped && request == bosh_window_get_oldest (&self->window) &&
         self->outbox.delivered >= self->termination.sent_before;
}

/* Takes all stanzas out of a request that the server has not seen. */
static void
empty_request (BoshSession *self,
               Request     *request,
               gint64       now)
{
  GBytes *bytes = bosh_request_body_replace (request->bytes, request->payload_length, NULL);

  g_bytes_unref (request->bytes);
  request->bytes = bytes;
  request->refused = request->kind == REQUEST_PAYLOAD;
  if (request->refused)
    request->kind = REQUEST_EMPTY;
  request->payload_length = 0;
  request->maybe_sent = FALSE;
  request->attempts = 0;
  request->retry_at = now;
  for (GList *link = g_queue_find (&self->window.requests, request); link != NULL; link = link->next)
    ((Request *)link->data)->last_serial = request->serial_before;
}

/* Stanzas of @length bytes and more are too large for the path. */
static void
fail_large_stanzas (BoshSession *self,
                    gsize        length)
{
  g_autoptr(GArray) serials = bosh_outbox_limit_payload (&self->outbox, length);

  for (guint i = 0; i < serials->len; i++)
    session_fail_stanza (self, g_array_index (serials, guint64, i),
                         g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                                              _("The stanza is too large for something in front of the server")));
  if (bosh_outbox_is_delivered (&self->outbox))
    self->hastened = FALSE;
}

/* Something in front of the server takes no body of this size. The server has not seen
 * this one, so its number may go with less: with half of the stanzas, or with others if
 * it has only one, which is too large alone; the end of the session goes without any, and
 * they stay unsent. FALSE if a copy may have arrived before, or if later stanzas are on
 * their way already. */
static gboolean
divide (BoshSession *self,
        Request     *request,
        gint64       now)
{
  gsize length = request->payload_length;
  guint n_stanzas;

  if (length == 0 || request->is_secret || request->exposed ||
      request->last_serial != self->outbox.sent_serial)
    return FALSE;

  n_stanzas = bosh_outbox_put_back (&self->outbox, request->serial_before);
  if (request->kind == REQUEST_TERMINATE || n_stanzas > 1)
    bosh_outbox_limit_batches (&self->outbox, length);
  else
    fail_large_stanzas (self, length);
  empty_request (self, request, now);

  return TRUE;
}

static void
handle_http_error (BoshSession            *self,
                   Request                *request,
                   const BoshHttpResponse *response,
                   gint64                  now)
{
  const char *condition = get_legacy_condition (response->status);
  g_autoptr(GError) error = NULL;

  if (is_redirect (response->status) && follow (self, request, response->location))
    return;

  /* Bad request, unsupported media type, not implemented. */
  if (request->coding != BOSH_CODING_IDENTITY &&
      (response->status == 400 || response->status == 415 || response->status == 501))
    {
      repeat_plain (self, request, now);
      return;
    }

  if (response->status == 413 && divide (self, request, now))
    return;
  if (response->status == 413 && ++request->bad_responses >= MAX_BAD_RESPONSES)
    {
      session_close (self, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                                                _("Something in front of the server takes no request of this size")));
      return;
    }

  if (response->status == 408 || response->status / 100 == 5)
    note_cut (self, request, now);

  error = new_http_error (response);
  if (request->kind == REQUEST_CREATION || condition == NULL)
    {
      session_fail_attempt (self, request, error, response->retry_after, now);
      return;
    }

  /* A connection manager with a `ver` reports errors in bodies. So 400 and 403 come
   * from something in front of it, or from one that mixes both, such as ejabberd:
   * try again, but not for ever. A server that knows the session never sends 404. */
  request->bad_responses++;
  if (is_repeat_after_end (self, request, condition))
    {
      bosh_window_remove (&self->window, request);
      session_process_responses (self, now);
    }
  else if (is_refusal_of_end (self, request, condition))
    session_close (self, NULL);
  else if (self->granted.version == NULL || response->status == 404 ||
           request->bad_responses >= MAX_BAD_RESPONSES)
    session_close (self, bosh_error_new_for_condition (condition, error->message));
  else
    session_fail_attempt (self, request, error, response->retry_after, now);
}

/* Whether a response is empty although the server could still have held the request. */
static gboolean
is_early_release (BoshSession            *self,
                  Request                *request,
                  const BoshResponseBody *body,
                  gint64                  now)
{
  return body->type == BOSH_BODY_PLAIN && body->n_children == 0 &&
         now - request->sent_at < (self->granted.wait - 1) * SECOND;
}

/* Observes whether the server holds requests, as it should. It has no reason to release
 * the newest one early. */
static void
note_holding (BoshSession *self,
              Request     *request,
              gint64       now)
{
  if (now - request->sent_at >= HELD_AT_LEAST)
    self->holding = HOLDING;
  else if (request == bosh_window_get_newest (&self->window) && request->attempts == 1 &&
           is_holdable (request) && is_early_release (self, request, request->response, now))
    self->holding = HOLDING_NEVER;
}

/* Whether the early release of @request proves that the @next one has arrived. Only if
 * the server was seen to hold it, and releases no request without a reason. A server
 * with acknowledgements sends explicit ones (§9.1). */
static gboolean
is_implicit_ack (BoshSession *self,
                 Request     *request,
                 Request     *next,
                 gint64       now)
{
  if (session_is_polling (self) || self->granted.acknowledges || self->holding == HOLDING_NEVER ||
      request->attempts > 1 || request->written_at == NEVER || next->unproven)
    return FALSE;
  if (next->sent_at < session_get_held_at (self, request))
    return FALSE;
  /* One that was overtaken releases a later one when it arrives. */
  if (session_server_may_drop (self) && request != bosh_window_get_oldest (&self->window))
    return FALSE;

  return is_early_release (self, request, request->response, now);
}

/* Whether the response to @request, which has just come, shows that it arrived before the
 * next one, where it is dropped otherwise: if it had arrived later, that would have
 * released the next one, and only stanzas or a third request could release this one. The
 * oldest only, as one that is late itself releases others. */
static gboolean
is_in_order (BoshSession *self,
             Request     *request,
             gint64       now)
{
  Request *next = bosh_window_get_next (&self->window, request);

  return self->holding == HOLDING && request->attempts == 1 &&
         request == bosh_window_get_oldest (&self->window) &&
         is_early_release (self, request, request->response, now) && next != NULL &&
         next == bosh_window_get_newest (&self->window) && next->in_flight && next->attempts == 1;
}

/* Whether the server has the stanzas of @request and all before it. */
static gboolean
is_in_turn (BoshSession *self,
            Request     *request)
{
  return !session_server_may_drop (self) ||
         (request == bosh_window_get_oldest (&self->window) && !request->unproven);
}

/* What the response to @request shows about the next request. A connection manager that
 * holds a request releases it early when a newer one arrives (§11): an early release
 * is an implicit acknowledgement of the newer request. */
static void
conclude_for_next (BoshSession *self,
                   Request     *request,
                   gint64       now)
{
  Request *next = bosh_window_get_next (&self->window, request);

  if (next == NULL || !next->in_flight)
    return;

  /* The response may have crossed it on the way, which matters only to a server that does
   * not sort requests. */
  if (session_server_sorts (self))
    next->overtakable = FALSE;
  if (next->written_at == NEVER)
    return;

  if (!is_implicit_ack (self, request, next, now))
    return;

  next->confirmed = TRUE;
  if (is_in_turn (self, request))
    session_deliver_up_to (self, next->last_serial);
}

/* How long another response may still be on its way. */
static gint64
get_grace (BoshSession *self)
{
  return MAX (SECOND, 2 * self->round_trip);
}

/* A later request has its response, or the beginning of it, so the earlier ones of which
 * nothing comes were probably lost. */
static void
suspect_earlier (BoshSession *self,
                 Request     *request,
                 gint64       now)
{
  for (GList *link = self->window.requests.head; link->data != request; link = link->next)
    {
      Request *earlier_request = link->data;

      if (earlier_request->in_flight && earlier_request->suspect_at == NEVER &&
          earlier_request->progress_at == NEVER)
        earlier_request->suspect_at = now + get_grace (self);
    }
}

/* The response to @request ends the session: those that are missing are not awaited for
 * long. */
static void
hurry_earlier (BoshSession *self,
               Request     *request,
               gint64       now)
{
  if (request != bosh_window_get_oldest (&self->window) &&
      (request->kind == REQUEST_TERMINATE || session_is_end (self, request->response)))
    self->termination.responses_until =
      earlier (self->termination.responses_until, now + OTHER_RESPONSES_WITHIN);
}

/* The connection manager wants this request and those before it again (§17.3). */
static void
repeat_on_request (BoshSession *self,
                   Request     *request,
                   gint64       now)
{
  if (++request->bad_responses > MAX_REPEATS_ASKED)
    {
      session_close (self, g_error_new (BOSH_ERROR, BOSH_ERROR_SESSION_LOST,
                                        _("The server asked too often for the same request")));
      return;
    }

  for (GList *link = self->window.requests.head; link != NULL; link = link->next)
    {
      Request *earlier_request = link->data;

      /* A retransmission that is already scheduled keeps its time, because a proxy may
       * have asked for it by Retry-After. */
      if (earlier_request->response == NULL &&
          (earlier_request->in_flight || earlier_request->retry_at == NEVER))
        session_repeat (self, earlier_request,
                        now + draw_backoff (self, request->bad_responses == 1));
      if (earlier_request == request)
        break;
    }
}

/* A request that was sent again because of its silence has its response now, so the
 * next one may be the one that was lost; it must arrive before anything new is sent.
 * Not after an empty response: if the next one overtook the lost one, only a stanza
 * makes ejabberd look at it, and a retransmission before that ends the session. */
static void
suspect_next (BoshSession *self,
              Request     *request,
              gint64       now)
{
  Request *next = bosh_window_get_next (&self->window, request);

  if (!request->suspected || next == NULL || !next->in_flight || next->confirmed ||
      next->progress_at != NEVER || next->suspected || next->sent_at > request->sent_at ||
      request->response->n_children == 0)
    return;

  next->suspected = TRUE;
  session_repeat (self, next, now);
}

/* Whether the empty response to a retransmission may not be the real one, though it
 * shows that the server has the request. If the first copy arrives after the second,
 * ejabberd releases the second, and sends what comes next to the connection of the
 * first. It stops that when the next request arrives, and then sends the same again
 * to a further retransmission. A copy that was held for the whole of `wait` was the
 * last one. */
static gboolean
is_doubtful (BoshSession      *self,
             Request          *request,
             BoshResponseBody *body,
             gint64            now)
{
  if (self->state != BOSH_SESSION_OPEN || session_is_polling (self) || self->granted.acknowledges)
    return FALSE;

  return request->attempts > 1 && request->doubted_at == NEVER && is_holdable (request) &&
         is_early_release (self, request, body, now);
}

/* Prosody forgets a held request when its connection closes. If it processes the next
 * request before a retransmission, by us or by a proxy, it refuses the retransmission
 * although the session goes on: the stanzas in it were taken, and stanzas for us come
 * with the response to the next request, which also shows whether there is a session. */
static gboolean
is_forgotten (BoshSession      *self,
              Request          *request,
              BoshResponseBody *body)
{
  return session_server_sorts (self) &&
         (self->state == BOSH_SESSION_OPEN || self->state == BOSH_SESSION_ATTACHING) &&
         is_holdable (request) && bosh_window_get_n_requests (&self->window) > 1 &&
         request == bosh_window_get_oldest (&self->window) &&
         body->type == BOSH_BODY_TERMINATE && g_strcmp0 (body->condition, "item-not-found") == 0;
}

/* If there is no response to the next request either, that one is sent again. */
static void
forget (BoshSession *self,
        Request     *request,
        gint64       now)
{
  Request *next;

  bosh_window_forget (&self->window, request, self->outbox.delivered);
  next = bosh_window_get_oldest (&self->window);
  if (next->in_flight && next->suspect_at == NEVER && next->progress_at == NEVER)
    next->suspect_at = now + get_grace (self);
  session_process_responses (self, now);
}

/* The server has the request, but is asked for a response again. */
static void
doubt_response (BoshSession *self,
                Request     *request,
                gint64       now)
{
  if (is_in_turn (self, request))
    session_deliver_up_to (self, request->last_serial);
  request->doubted_at = now;
  request->retry_at = now;
  request->suspect_at = NEVER;
}

/* A connection manager has responded. @body: (transfer full) */
static void
accept_response (BoshSession      *self,
                 Request          *request,
                 BoshResponseBody *body,
                 gint64            now)
{
  self->failures = 0;
  self->http_status = 0;
  self->path_size = MAX (self->path_size, g_bytes_get_size (request->bytes));
  self->last_contact = now;
  if (request->written_at != NEVER)
    self->round_trip = earlier (self->round_trip, MAX (now - request->written_at, 1));
  if (self->state == BOSH_SESSION_RETRYING)
    session_set_state (self, BOSH_SESSION_OPEN);

  if (body->type == BOSH_BODY_ERROR)
    {
      bosh_response_body_free (body);
      repeat_on_request (self, request, now);
      return;
    }

  if (body->type == BOSH_BODY_TERMINATE && request->coding != BOSH_CODING_IDENTITY &&
      g_strcmp0 (body->condition, "bad-request") == 0)
    {
      bosh_response_body_free (body);
      repeat_plain (self, request, now);
      return;
    }

  if (is_doubtful (self, request, body, now))
    {
      bosh_response_body_free (body);
      doubt_response (self, request, now);
      return;
    }

  if (is_forgotten (self, request, body))
    {
      bosh_response_body_free (body);
      forget (self, request, now);
      return;
    }

  request->response = body;
  note_holding (self, request, now);
  if (request->unproven && is_in_order (self, request, now))
    request->unproven = FALSE;
  suspect_next (self, request, now);
  conclude_for_next (self, request, now);
  suspect_earlier (self, request, now);
  hurry_earlier (self, request, now);
  if (request != bosh_window_get_oldest (&self->window))
    bosh_response_body_set_aside (body);
  session_process_responses (self, now);
}

/* Tigase has the same `ver`, and offers acknowledgements and pauses. */
static gboolean
is_prosody (BoshResponseBody *body,
            GBytes           *bytes)
{
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);

  return g_strcmp0 (body->version, BOSH_PROSODY_VERSION) == 0 && body->ack < 0 &&
         body->max_pause < 0 && g_strstr_len (text, length, PROSODY_FEATURES) != NULL;
}

void
session_handle_progress (BoshSession *self,
                         Request     *request,
                         gint64       now)
{
  request->progress_at = now;
  request->suspect_at = NEVER;
  suspect_earlier (self, request, now);
}

void
session_handle_response (BoshSession            *self,
                         Request                *request,
                         const BoshHttpResponse *response,
                         gint64                  now)
{
  g_autoptr(GError) error = NULL;
  BoshResponseBody *body;
  BoshBodyVerdict verdict;

  request->in_flight = FALSE;
  session_mark_maybe_sent (self, request);
  request->suspect_at = NEVER;
  self->http_status = response->status;

  if (response->status != 200)
    {
      handle_http_error (self, request, response, now);
      return;
    }

  body = bosh_response_body_new (response->body, &verdict, &error);
  if (body != NULL && request->kind == REQUEST_CREATION)
    self->granted.sorts = is_prosody (body, response->body);
  if (body != NULL)
    accept_response (self, request, body, now);
  else if (verdict == BOSH_BODY_REFUSED &&
           (++request->bad_responses >= MAX_BAD_RESPONSES ||
            g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE)))
    session_close (self, g_steal_pointer (&error));
  else
    session_fail_attempt (self, request, error, response->retry_after, now);
}

/* Takes what the response to the creation grants. FALSE if it is no session (§7.2). */
static gboolean
take_grants (BoshSession      *self,
             BoshResponseBody *body)
{
  Grants *granted = &self->granted;

  if (body->sid == NULL || body->sid[0] == '\0')
    {
      session_close (self, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                                                _("The server's response has no session id")));
      return FALSE;
    }
  if (strlen (body->sid) > BOSH_SESSION_MAX_NAME_LENGTH ||
      (body->stream != NULL && strlen (body->stream) > BOSH_SESSION_MAX_NAME_LENGTH))
    {
      session_close (self, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                                                _("The server's session id or stream name is too long")));
      return FALSE;
    }

  granted->sid = g_strdup (body->sid);
  granted->version = g_strdup (body->version);
  if (body->wait >= 0)
    granted->wait = MIN (granted->wait, (guint)body->wait);
  if (body->hold >= 0)
    granted->hold = MIN (granted->hold, (guint)body->hold);
  granted->requests = MAX (body->requests, 0);
  granted->inactivity = MAX (body->inactivity, 0);
  granted->polling = MAX (body->polling, 0);
  granted->max_pause = MAX (body->max_pause, 0);
  granted->acknowledges = self->use_acknowledgements && body->ack >= 0;
  granted->accept = g_strdup (body->accept);
  granted->charsets = g_strdup (body->charsets);
  session_get_first_stream (self)->name = g_strdup (body->stream);
  session_choose_coding (self);

  return TRUE;
}

/* An acknowledgement covers all requests up to its number (§9.1). An explicit one counts
 * also where the response to the creation has not announced it, as that of node-xmpp-bosh;
 * but then the lack of one means nothing. What ejabberd echoes is our own. */
static void
take_ack (BoshSession      *self,
          BoshResponseBody *body)
{
  if (!self->use_acknowledgements || body->ack < 0 || body->is_echo)
    return;

  for (GList *link = self->window.requests.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (request->rid > (guint64)body->ack)
        break;
      request->confirmed = TRUE;
      session_deliver_up_to (self, request->last_serial);
    }
}

/* The server reports that we seem to lack its response to a request (§9.2). The request
 * is sent again, unless the response may still be on its way. */
static void
take_report (BoshSession      *self,
             BoshResponseBody *body,
             gint64            now)
{
  Request *request = body->report >= 0 ? bosh_window_find (&self->window, body->report) : NULL;

  if (request != NULL && request->in_flight && request->progress_at == NEVER &&
      now - request->sent_at >= get_grace (self))
    session_repeat (self, request, now);
}

/* ejabberd may respond to a retransmission, by us or by a proxy, with the request
 * itself. Our own stanzas are not handed out. */
static void
remove_echo (Request   *request,
             GPtrArray *payloads)
{
  g_autoptr(BoshResponseBody) own = bosh_body_read_request (request->bytes);
  g_autoptr(GPtrArray) own_payloads = NULL;

  if (own == NULL)
    return;

  own_payloads = bosh_response_body_dup_payloads (own);
  for (guint i = 0; i < own_payloads->len; i++)
    for (guint j = 0; j < payloads->len; j++)
      if (bosh_element_equal (g_ptr_array_index (own_payloads, i),
                              g_ptr_array_index (payloads, j)))
        {
          g_ptr_array_remove_index (payloads, j);
          break;
        }
}

/* The server has sent stanzas on a stream that was never opened, so it no longer
 * agrees with us on what the session is (§16.4): the session is terminated. */
static void
refuse_stream (BoshSession      *self,
               BoshResponseBody *body)
{
  if (self->reason == NULL)
    self->reason = g_error_new (BOSH_ERROR, BOSH_ERROR_FAILED,
                                _("The server sent stanzas of an unknown stream “%s”"),
                                body->stream);
  self->termination.wanted = TRUE;
}

/* Tells of those from *@index on that stood before so many payloads. */
static void
push_left_out (BoshSession      *self,
               BoshResponseBody *body,
               Stream           *stream,
               guint             n_payloads,
               guint            *index)
{
  for (; body->left_out != NULL && *index < body->left_out->len; ++*index)
    {
      BoshXmlLeftOut *left_out = g_ptr_array_index (body->left_out, *index);
      BoshAction *action;

      if (left_out->position > n_payloads)
        return;

      action = session_push_action (self, BOSH_ACTION_LEFT_OUT);
      action->element = bosh_element_ref (left_out->stub);
      action->serial = left_out->size;
      action->error = g_error_copy (left_out->reason);
      if (stream != session_get_first_stream (self))
        action->text = g_strdup (stream->name);
    }
}

static void
push_payloads (BoshSession      *self,
               Request          *request,
               BoshResponseBody *body)
{
  g_autoptr(GPtrArray) payloads = NULL;
  guint n_left_out = 0;
  gboolean known;
  Stream *stream = session_get_response_stream (self, body, &known);

  if (!known)
    refuse_stream (self, body);
  if (stream == NULL)
    return;

  payloads = bosh_response_body_dup_payloads (body);
  if (body->is_echo)
    remove_echo (request, payloads);

  for (guint i = 0; i < payloads->len; i++)
    {
      push_left_out (self, body, stream, i, &n_left_out);
      session_push_payload (self, g_ptr_array_index (payloads, i),
                            stream != session_get_first_stream (self) ? stream->name : NULL);
    }
  push_left_out (self, body, stream, G_MAXUINT, &n_left_out);
}

/* When the next poll may be sent: in general at once, or soon after stanzas, to which
 * the owner may reply; but at intervals in a polling session (§12), and ever more slowly
 * to a server that returns polls at once instead of holding them. */
static void
pace_polls (BoshSession      *self,
            Request          *request,
            BoshResponseBody *body,
            gint64            now)
{
  gboolean has_payload = body->n_children > 0;

  if (session_is_polling (self))
    {
      gint64 interval = MAX (self->granted.polling, 1) * SECOND;

      self->poll_at = has_payload ? NEVER : MAX (self->last_new_at, self->opened_at) + interval;
      return;
    }

  if (request->kind == REQUEST_EMPTY && !has_payload && request->attempts == 1 &&
      bosh_window_get_n_requests (&self->window) == 1 &&
      now - request->sent_at < HELD_AT_LEAST)
    {
      self->fast_empty++;
      self->poll_at = now + MIN (FIRST_POLL_DELAY << MIN (self->fast_empty, MAX_POLL_DOUBLINGS),
                                 LONGEST_POLL_DELAY);
    }
  else
    {
      self->fast_empty = 0;
      self->poll_at = has_payload && !session_server_sorts (self) ? now + REPLY_WITHIN : NEVER;
    }
}

static void
handle_terminate (BoshSession      *self,
                  Request          *request,
                  BoshResponseBody *body,
                  gint64            now)
{
  if (is_repeat_after_end (self, request, body->condition))
    return;

  if (is_refusal_of_end (self, request, body->condition))
    {
      session_close (self, NULL);
      return;
    }

  /* `other-request` (§17.2) means our own terminate request. */
  if (self->state == BOSH_SESSION_TERMINATING &&
      (body->condition == NULL || strcmp (body->condition, "other-request") == 0))
    {
      self->termination.agreed = TRUE;
      if (request->kind == REQUEST_TERMINATE)
        session_close (self, NULL);
      else
        self->termination.responses_until =
          earlier (self->termination.responses_until, now + OTHER_RESPONSES_WITHIN);
      return;
    }

  if (g_strcmp0 (body->condition, "see-other-uri") == 0)
    {
      g_free (self->see_other_uri);
      self->see_other_uri = bosh_response_body_dup_uri (body);
      if (follow (self, request, self->see_other_uri))
        return;
    }

  session_close (self, bosh_response_body_new_error (body));
}

static void
finish_restart (BoshSession *self,
                Request     *request)
{
  BoshAction *action = session_push_action (self, BOSH_ACTION_RESTARTED);
  Stream *stream = request->stream;

  action->serial = request->restart_serial;
  if (stream != NULL && stream->closed)
    action->error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                                         _("The stream was closed"));
  if (stream != NULL && stream != session_get_first_stream (self))
    action->text = g_strdup (stream->name);
}

/* An ordinary response confirms the end of a stream, too (§16.5). */
static void
finish_close (BoshSession *self,
              Request     *request)
{
  if (!request->stream->closed && request->response->type == BOSH_BODY_PLAIN)
    session_close_stream (self, request->stream, NULL);
}

/* Whether a response shows that its request was processed, and so all before it. A
 * server that ends the session may not have looked at them. */
static gboolean
proves_delivery (BoshSession      *self,
                 BoshResponseBody *body)
{
  if (body->type != BOSH_BODY_TERMINATE)
    return TRUE;

  return body->condition == NULL &&
         (body->stream != NULL || self->state == BOSH_SESSION_TERMINATING);
}

void
session_doubt_delivery (BoshSession *self,
                        guint64      serial)
{
  g_autoptr(GArray) uncertain = bosh_outbox_set_uncertain (&self->outbox, serial);

  for (guint i = 0; i < uncertain->len; i++)
    session_fail_stanza (self, g_array_index (uncertain, guint64, i),
                         g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED,
                                              _("It is not known whether the server has the stanza")));
  if (bosh_outbox_is_delivered (&self->outbox))
    self->hastened = FALSE;
}

/* Hands out one response, in its turn (§14.2). */
static void
handle_body (BoshSession *self,
             Request     *request,
             gint64       now)
{
  BoshResponseBody *body = request->response;
  gboolean is_terminate = body->type == BOSH_BODY_TERMINATE;
  gboolean is_created = request->kind == REQUEST_CREATION && !is_terminate;
  gboolean is_opened = is_created || (self->state == BOSH_SESSION_ATTACHING && !is_terminate);
  gboolean has_ended;

  if (is_created && !take_grants (self, body))
    return;

  bosh_response_body_recall (body);
  take_ack (self, body);
  if (proves_delivery (self, body) && is_in_turn (self, request))
    session_deliver_up_to (self, request->last_serial);
  else if (request->unproven)
    session_doubt_delivery (self, request->last_serial);
  take_report (self, body, now);
  pace_polls (self, request, body, now);

  if (is_opened)
    session_set_state (self, BOSH_SESSION_OPEN);
  /* Before the payloads, because the new features may be among them. */
  if (request->kind == REQUEST_RESTART && !is_terminate)
    finish_restart (self, request);
  push_payloads (self, request, body);
  if (request->kind == REQUEST_CLOSE_STREAM)
    finish_close (self, request);
  has_ended = is_terminate && !session_handle_stream_end (self, body);
  if (request->kind == REQUEST_RESTART && is_terminate && !has_ended)
    finish_restart (self, request);
  if (is_opened)
    session_push_action (self, BOSH_ACTION_OPENED);

  /* Any response to the terminate request ends the session (§13). */
  if (has_ended)
    handle_terminate (self, request, body, now);
  else if (request->kind == REQUEST_TERMINATE)
    session_close (self, NULL);
}

void
session_process_responses (BoshSession *self,
                           gint64       now)
{
  Request *request = bosh_window_get_oldest (&self->window);

  while (request != NULL && request->response != NULL && session_is_live (self))
    {
      handle_body (self, request, now);
      /* A redirect has removed it already. */
      if (bosh_window_get_oldest (&self->window) == request)
        bosh_window_remove (&self->window, request);
      request = bosh_window_get_oldest (&self->window);
    }

  /* Nothing of its response was read while it had to wait. */
  if (request != NULL && request->progress_at != NEVER)
    request->progress_at = now;
}
