/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-session-internal.h"

#include "bosh-error-private.h"
#include "bosh-i18n-private.h"
#include "bosh-uri-private.h"

#include <string.h>

/* Waiting times between repeats of what failed. */
#define FIRST_BACKOFF (500 * MILLISECOND)
#define LONGEST_BACKOFF (30 * SECOND)

/* After the server's own limits, so that we do not give up before it. */
#define EXPIRY_SLACK (5 * SECOND)

/* Attempts to attach, and to end, when the server can't be reached. */
#define MAX_ATTACH_FAILURES 4
#define MAX_TERMINATE_ATTEMPTS 3

/* Answers to one request that can't be used: half an answer looks like that too,
 * so there is more than one chance. And how often the connection manager may
 * ask for the same request again (§17.3). */
#define MAX_BAD_RESPONSES 5
#define MAX_REPEATS_ASKED 5

/* How long after a terminate the answers to other requests are awaited. */
#define OTHER_RESPONSES_WITHIN (500 * MILLISECOND)

/* An empty answer that came sooner was not held. */
#define HELD_AT_LEAST (1 * SECOND)
#define LONGEST_POLL_DELAY (5 * SECOND)

/* How often a session that is being created is sent to another URI. */
#define MAX_HOPS 5

/* After a change of the network, until the new one works; and between two times
 * that everything under way is asked for again. */
#define NETWORK_SETTLES_WITHIN (500 * MILLISECOND)
#define PROBE_INTERVAL (10 * SECOND)

/* A request that was out for so long before the next one was sent was held. */
#define PROVABLY_HELD (20 * MILLISECOND)

static gint64
next_jitter (BoshSession *self,
             gint64       limit)
{
  self->jitter ^= self->jitter << 13;
  self->jitter ^= self->jitter >> 7;
  self->jitter ^= self->jitter << 17;

  return limit > 0 ? (gint64)(self->jitter % (guint64)limit) : 0;
}

/* The first repeat comes at once, as a connection that was kept alive may break
 * when it is used again; later ones ever more slowly, and not in step with
 * those of other clients. */
static gint64
get_backoff (BoshSession *self,
             gboolean     at_once)
{
  guint doublings = self->failures > 1 ? MIN (self->failures - 2, 10) : 0;
  gint64 backoff = MIN (FIRST_BACKOFF << doublings, LONGEST_BACKOFF);

  if (self->failures <= 1 && at_once)
    return 0;

  return backoff - backoff / 4 + next_jitter (self, backoff / 2);
}

/* Must the server have dropped the session? It may have held a request for the
 * whole of `wait` before inactivity began (§10). */
static gboolean
is_expired (BoshSession *self,
            gint64       now)
{
  if (self->inactivity == 0)
    return FALSE;

  return now > MAX (self->last_contact, self->last_new_at) +
                 (self->wait + self->inactivity) * SECOND + EXPIRY_SLACK;
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

/* An attempt has failed without an answer of the connection manager. */
void
session_fail_attempt (BoshSession  *self,
                      Request      *request,
                      const GError *error,
                      int           retry_after,
                      gint64        now)
{
  gboolean unreachable = !request->left;
  gint64 delay;

  request->in_flight = FALSE;
  request->suspect_at = NEVER;
  self->failures++;

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

  delay = get_backoff (self, !unreachable);
  if (retry_after >= 0)
    delay = MAX (delay, retry_after * SECOND);
  request->retry_at = now + delay;

  if (delay > 0 && self->state == BOSH_SESSION_OPEN)
    session_set_state (self, BOSH_SESSION_RETRYING);
}

void
bosh_session_handle_failure (BoshSession  *self,
                             guint64       rid,
                             BoshFailure   failure,
                             const GError *error,
                             gint64        now)
{
  Request *request = session_find_request (self, rid);

  if (!session_is_live (self) || request == NULL || !request->in_flight)
    return;

  if (failure != BOSH_FAILURE_UNREACHABLE)
    session_mark_left (self, request);

  request->in_flight = FALSE;
  if (failure == BOSH_FAILURE_TOO_LARGE || failure == BOSH_FAILURE_UNTRUSTED)
    session_close (self, g_error_copy (error));
  else
    session_fail_attempt (self, request, error, -1, now);
}

void
bosh_session_handle_written (BoshSession *self,
                             guint64      rid,
                             gint64       now)
{
  Request *request = session_find_request (self, rid);

  if (request == NULL || !request->in_flight)
    return;

  request->written_at = now;
  session_mark_left (self, request);
}

static void
hurry_repeats (BoshSession *self,
               gint64       now)
{
  for (GList *link = self->window.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (!request->in_flight && request->response == NULL)
        request->retry_at = MIN (request->retry_at, now);
    }
}

void
bosh_session_handle_network (BoshSession *self,
                             gint64       now)
{
  hurry_repeats (self, now);

  self->changed_at = now;
  self->probe_at = now + NETWORK_SETTLES_WITHIN;
  if (self->probed_at != NEVER)
    self->probe_at = MAX (self->probe_at, self->probed_at + PROBE_INTERVAL);
}

void
bosh_session_handle_wake (BoshSession *self,
                          gint64       now)
{
  hurry_repeats (self, now);
  self->changed_at = now;
  self->probe_at = now;
}

/* Sends the session that is being created to where it is said to be. What is
 * told over an insecure connection may be a lie, but who could tell it could do
 * the same to the session; from a secure one, only another secure one is
 * trusted. FALSE if it is not followed. */
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
  session_remove_request (self, request);
  session_draw_rid (self);
  g_clear_pointer (&self->keys, bosh_key_sequence_free);
  session_push_action (self, BOSH_ACTION_REDIRECTED)->text = g_strdup (self->uri);

  return TRUE;
}

/* What an HTTP status other than 200 means when it comes from a connection
 * manager of old (§17.2), or NULL. */
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
new_http_error (const BoshHttpResponse *answer)
{
  if (answer->location != NULL && answer->status / 100 == 3)
    return g_error_new (BOSH_ERROR, BOSH_ERROR_HTTP,
                        _("The server redirects to %s (HTTP status %u)"),
                        answer->location, answer->status);

  return g_error_new (BOSH_ERROR, BOSH_ERROR_HTTP,
                      _("The server answered with HTTP status %u"), answer->status);
}

/* Those that mean the same request at another place; 303 would be a GET there. */
static gboolean
is_redirect (guint status)
{
  return status == 301 || status == 302 || status == 307 || status == 308;
}

/* The connection manager said that it takes compressed requests, and does not:
 * from here on it gets plain ones. */
static void
repeat_plain (BoshSession *self,
              Request     *request,
              gint64       now)
{
  self->coding = BOSH_CODING_IDENTITY;
  session_repeat (self, request, now);
}

static void
handle_http_error (BoshSession            *self,
                   Request                *request,
                   const BoshHttpResponse *answer,
                   gint64                  now)
{
  const char *condition = get_legacy_condition (answer->status);
  g_autoptr(GError) error = NULL;

  if (is_redirect (answer->status) && follow (self, request, answer->location))
    return;

  /* Bad request, unsupported media type, not implemented. */
  if (request->coding != BOSH_CODING_IDENTITY &&
      (answer->status == 400 || answer->status == 415 || answer->status == 501))
    {
      repeat_plain (self, request, now);
      return;
    }

  error = new_http_error (answer);
  if (request->kind == REQUEST_CREATION || condition == NULL)
    {
      session_fail_attempt (self, request, error, answer->retry_after, now);
      return;
    }

  /* A connection manager that gives `ver` reports errors in bodies, so 400 and
   * 403 come from something before it, or from one like ejabberd that mixes
   * both: try again, but not for ever. No server that knows the session
   * answers 404. */
  request->bad_responses++;
  if (self->version == NULL || answer->status == 404 || request->bad_responses >= MAX_BAD_RESPONSES)
    session_close (self, bosh_error_new_for_condition (condition, error->message));
  else
    session_fail_attempt (self, request, error, answer->retry_after, now);
}

/* Does the server hold requests, as it should? The last one that is out has no
 * reason to come back early and empty. */
static void
note_holding (BoshSession *self,
              Request     *request,
              gint64       now)
{
  gint64 age = now - request->sent_at;

  if (age >= HELD_AT_LEAST)
    self->never_holds = FALSE;
  else if (request == g_queue_peek_tail (&self->window) && request->attempts == 1 &&
           (request->kind == REQUEST_EMPTY || request->kind == REQUEST_PAYLOAD) &&
           request->response->type == BOSH_BODY_PLAIN &&
           bosh_element_get_n_children (request->response->root) == 0 &&
           age < (self->wait - 1) * SECOND)
    self->never_holds = TRUE;
}

/* An answer to @request tells of the next one: a connection manager that holds
 * a request lets it go early when a newer one comes (§11), so the newer one
 * has arrived. One that acknowledges says so itself (§9.1). */
static void
conclude_for_next (BoshSession *self,
                   Request     *request,
                   gint64       now)
{
  GList *link = g_queue_find (&self->window, request);
  Request *next = link->next != NULL ? link->next->data : NULL;
  gboolean held;

  if (next == NULL || !next->in_flight)
    return;

  /* An answer may have crossed it on the way. That matters to a server that
   * hangs after a swap. */
  if (session_server_sorts (self))
    next->overtakable = FALSE;
  if (next->written_at == NEVER)
    return;

  if (self->round_trip != NEVER && now - next->written_at >= self->round_trip)
    next->overtakable = FALSE;

  held = request->written_at != NEVER && !session_is_polling (self) && !self->acknowledges &&
         !self->never_holds &&
         next->sent_at - request->written_at >= MAX (PROVABLY_HELD, 4 * self->round_trip);
  if (held && request->attempts == 1 && request->response->type == BOSH_BODY_PLAIN &&
      bosh_element_get_n_children (request->response->root) == 0 &&
      now - request->sent_at < (self->wait - 1) * SECOND)
    {
      next->confirmed = TRUE;
      session_deliver_up_to (self, next->last_serial);
    }
}

/* How long another answer may be on its way. */
static gint64
get_grace (BoshSession *self)
{
  return MAX (SECOND, 2 * self->round_trip);
}

/* A later request was answered: this one is probably lost. */
static void
suspect_earlier (BoshSession *self,
                 Request     *request,
                 gint64       now)
{
  for (GList *link = self->window.head; link != NULL && link->data != request; link = link->next)
    {
      Request *earlier_request = link->data;

      if (earlier_request->in_flight && earlier_request->suspect_at == NEVER)
        earlier_request->suspect_at = now + get_grace (self);
      if (earlier_request->response == NULL &&
          (request->kind == REQUEST_TERMINATE || session_is_end (self, request->response)))
        self->terminate_at = earlier (self->terminate_at, now + OTHER_RESPONSES_WITHIN);
    }
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

  for (GList *link = self->window.head; link != NULL; link = link->next)
    {
      Request *earlier_request = link->data;

      /* What waits to be repeated anyway keeps its time: a proxy may have named it. */
      if (earlier_request->response == NULL &&
          (earlier_request->in_flight || earlier_request->retry_at == NEVER))
        session_repeat (self, earlier_request, now + get_backoff (self, request->bad_responses == 1));
      if (earlier_request == request)
        break;
    }
}

/* A request was silent although the one after it was out, and now something came
 * for it: so the next one may be the one that was lost. Nothing new may go out
 * before it is there. Not after an empty answer: where the next one came before a
 * lost one, only a stanza makes ejabberd look at it, and a repeat before that
 * ends the session. */
static void
suspect_next (BoshSession *self,
              Request     *request,
              gint64       now)
{
  GList *link = g_queue_find (&self->window, request);
  Request *next = link->next != NULL ? link->next->data : NULL;

  if (!request->suspected || next == NULL || !next->in_flight || next->confirmed ||
      next->suspected || next->sent_at > request->sent_at ||
      bosh_element_get_n_children (request->response->root) == 0)
    return;

  next->suspected = TRUE;
  session_repeat (self, next, now);
}

/* An empty answer to a repeat says that the server has the request, but may not
 * be all: where an earlier copy of it arrives after the repeat, ejabberd lets go
 * of the repeat and sends what comes next to the copy. When the next request is
 * there it does no more, and tells what it sent to whoever asks again. What was
 * held for the whole of `wait` was the last copy. */
static gboolean
is_doubtful (BoshSession      *self,
             Request          *request,
             BoshResponseBody *body,
             gint64            now)
{
  return request->attempts > 1 && request->doubted_at == NEVER &&
         now - request->sent_at < (self->wait - 1) * SECOND &&
         (request->kind == REQUEST_EMPTY || request->kind == REQUEST_PAYLOAD) &&
         self->state == BOSH_SESSION_OPEN && !session_is_polling (self) && !self->acknowledges &&
         body->type == BOSH_BODY_PLAIN && bosh_element_get_n_children (body->root) == 0;
}

/* Prosody forgets a request that it holds when the connection closes. If the next one
 * is processed before a repeat, ours or one of a proxy, it refuses that, though the
 * session goes on: what the request has brought is taken, and what there is to say goes
 * to the next one, which also tells whether there is a session. */
static gboolean
is_forgotten (BoshSession      *self,
              Request          *request,
              BoshResponseBody *body)
{
  return session_server_sorts (self) &&
         (self->state == BOSH_SESSION_OPEN || self->state == BOSH_SESSION_ATTACHING) &&
         (request->kind == REQUEST_EMPTY || request->kind == REQUEST_PAYLOAD) &&
         self->window.length > 1 && request == g_queue_peek_head (&self->window) &&
         body->type == BOSH_BODY_TERMINATE && g_strcmp0 (body->condition, "item-not-found") == 0;
}

/* The next request must tell whether there is a session: if it says nothing, it is
 * asked again. */
static void
forget (BoshSession *self,
        Request     *request,
        gint64       now)
{
  Request *next;

  session_forget_request (self, request);
  next = g_queue_peek_head (&self->window);
  if (next->in_flight && next->suspect_at == NEVER)
    next->suspect_at = now + get_grace (self);
  session_process_responses (self, now);
}

static void
accept_response (BoshSession      *self,
                 Request          *request,
                 BoshResponseBody *body,
                 gint64            now)
{
  self->failures = 0;
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
      session_deliver_up_to (self, request->last_serial);
      request->doubted_at = now;
      request->retry_at = now;
      request->suspect_at = NEVER;
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
  suspect_next (self, request, now);
  conclude_for_next (self, request, now);
  suspect_earlier (self, request, now);
  session_process_responses (self, now);
}

void
bosh_session_handle_response (BoshSession            *self,
                              guint64                 rid,
                              const BoshHttpResponse *answer,
                              gint64                  now)
{
  Request *request = session_find_request (self, rid);
  g_autoptr(GError) error = NULL;
  BoshResponseBody *body;
  BoshBodyVerdict verdict;

  /* Also a late answer to an attempt that was given up: its repeat counts. */
  if (!session_is_live (self) || request == NULL || !request->in_flight)
    return;

  request->in_flight = FALSE;
  session_mark_left (self, request);
  request->suspect_at = NEVER;

  if (answer->status != 200)
    {
      handle_http_error (self, request, answer, now);
      return;
    }

  body = bosh_response_body_new (answer->body, &verdict, &error);
  if (body != NULL)
    accept_response (self, request, body, now);
  else if (verdict == BOSH_BODY_REFUSED &&
           (++request->bad_responses >= MAX_BAD_RESPONSES ||
            g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE)))
    session_close (self, g_steal_pointer (&error));
  else
    session_fail_attempt (self, request, error, answer->retry_after, now);
}

/* Takes what the creation answer grants; FALSE if that is no session (§7.2). */
static gboolean
take_grants (BoshSession      *self,
             BoshResponseBody *body)
{
  if (body->sid == NULL || body->sid[0] == '\0')
    {
      session_close (self, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                                                _("The server's answer has no session id")));
      return FALSE;
    }

  self->sid = g_strdup (body->sid);
  self->version = g_strdup (body->version);
  if (body->wait >= 0)
    self->wait = MIN (self->wait, (guint)body->wait);
  if (body->hold >= 0)
    self->hold = MIN (self->hold, (guint)body->hold);
  self->requests = MAX (body->requests, 0);
  self->inactivity = MAX (body->inactivity, 0);
  self->polling = MAX (body->polling, 0);
  self->max_pause = MAX (body->max_pause, 0);
  self->acknowledges = self->use_acknowledgements && body->ack >= 0;
  self->accept = g_strdup (body->accept);
  self->charsets = g_strdup (body->charsets);
  session_get_first_stream (self)->name = g_strdup (body->stream);
  session_choose_coding (self);

  return TRUE;
}

/* The highest stanza that an acknowledgement covers (§9.1). */
static void
take_ack (BoshSession      *self,
          BoshResponseBody *body)
{
  if (!self->acknowledges || body->ack < 0)
    return;

  for (GList *link = self->window.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (request->rid > (guint64)body->ack)
        break;
      request->confirmed = TRUE;
      session_deliver_up_to (self, request->last_serial);
    }
}

/* The server misses nothing, but its answer to a request did not reach us, it
 * thinks (§9.2): worth a repeat if that is so, and not more often than that. */
static void
take_report (BoshSession      *self,
             BoshResponseBody *body,
             gint64            now)
{
  Request *request = body->report >= 0 ? session_find_request (self, body->report) : NULL;

  if (request != NULL && request->in_flight && now - request->sent_at >= get_grace (self))
    session_repeat (self, request, now);
}

/* ejabberd may answer a repeat, be it ours or one of a proxy, with the very body
 * that it was sent. */
static void
remove_echo (Request   *request,
             GPtrArray *payloads)
{
  BoshBodyVerdict verdict;
  g_autoptr(BoshResponseBody) own = bosh_response_body_new (request->bytes, &verdict, NULL);
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

/* Payloads of a stream that nobody opened: server and client no longer agree on
 * what the session is (§16.4). */
static void
refuse_stream (BoshSession      *self,
               BoshResponseBody *body)
{
  if (self->reason == NULL)
    self->reason = g_error_new (BOSH_ERROR, BOSH_ERROR_FAILED,
                                _("The server sent stanzas of an unknown stream “%s”"),
                                body->stream);
  self->terminate_wanted = TRUE;
}

static void
push_payloads (BoshSession      *self,
               Request          *request,
               BoshResponseBody *body)
{
  g_autoptr(GPtrArray) payloads = NULL;
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
    session_push_payload (self, g_ptr_array_index (payloads, i),
                          stream != session_get_first_stream (self) ? stream->name : NULL);
}

/* When the next poll may go out: at once in general, but at intervals in a
 * polling session (§12), and slower and slower where the server answers polls
 * at once instead of holding them. */
static void
pace_polls (BoshSession      *self,
            Request          *request,
            BoshResponseBody *body,
            gint64            now)
{
  gboolean has_payload = bosh_element_get_n_children (body->root) > 0;

  if (session_is_polling (self))
    {
      gint64 interval = MAX (self->polling, 1) * SECOND;

      self->poll_at = has_payload ? NEVER : MAX (self->last_new_at, self->opened_at) + interval;
      return;
    }

  if (request->kind == REQUEST_EMPTY && !has_payload && request->attempts == 1 &&
      self->window.length == 1 && now - request->sent_at < HELD_AT_LEAST)
    {
      self->fast_empty++;
      self->poll_at = now + MIN (100 * MILLISECOND << MIN (self->fast_empty, 8), LONGEST_POLL_DELAY);
    }
  else
    {
      self->fast_empty = 0;
      self->poll_at = NEVER;
    }
}

static void
handle_terminate (BoshSession      *self,
                  Request          *request,
                  BoshResponseBody *body,
                  gint64            now)
{
  g_autofree char *detail = NULL;

  /* A repeat may come when our end of the session has come already: what that
   * one is answered tells whether all went well. */
  if (self->state == BOSH_SESSION_TERMINATING && request->kind != REQUEST_TERMINATE &&
      g_strcmp0 (body->condition, "item-not-found") == 0)
    return;

  /* `other-request` (§17.2): the other request is ours, that ends the session. */
  if (self->state == BOSH_SESSION_TERMINATING &&
      (body->condition == NULL || strcmp (body->condition, "other-request") == 0))
    {
      self->ended = TRUE;
      if (request->kind == REQUEST_TERMINATE)
        session_close (self, NULL);
      else
        self->terminate_at = earlier (self->terminate_at, now + OTHER_RESPONSES_WITHIN);
      return;
    }

  if (g_strcmp0 (body->condition, "see-other-uri") == 0)
    {
      g_autofree char *uri = bosh_response_body_dup_uri (body);

      if (follow (self, request, uri))
        return;
    }

  detail = bosh_response_body_dup_detail (body);
  session_close (self, bosh_error_new_for_condition (body->condition, detail));
}

static void
finish_restart (BoshSession *self,
                Request     *request)
{
  BoshAction *action = session_push_action (self, BOSH_ACTION_RESTARTED);
  Stream *stream = request->stream;

  action->serial = request->order;
  if (stream != NULL && stream->closed)
    action->error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                                         _("The stream was closed"));
  if (stream != NULL && stream != session_get_first_stream (self))
    action->text = g_strdup (stream->name);
}

/* An ordinary answer to the end of a stream is one too (§16.5); a terminate is
 * looked at with all others. */
static void
finish_close (BoshSession *self,
              Request     *request)
{
  if (!request->stream->closed && request->response->type == BOSH_BODY_PLAIN)
    session_close_stream (self, request->stream, NULL);
}

/* Hands out what one answer says, in its turn (§14.2). */
static void
handle_body (BoshSession *self,
             Request     *request,
             gint64       now)
{
  BoshResponseBody *body = request->response;
  gboolean created = request->kind == REQUEST_CREATION && body->type != BOSH_BODY_TERMINATE;
  gboolean ended;
  gboolean opened = created || self->state == BOSH_SESSION_ATTACHING;

  if (created && !take_grants (self, body))
    return;

  take_ack (self, body);
  /* Requests are processed in order, so the answered one and all before it
   * have arrived. A server that ends the session may not have looked at it. */
  if (body->type != BOSH_BODY_TERMINATE || (body->condition == NULL && body->stream != NULL) ||
      (body->condition == NULL && self->state == BOSH_SESSION_TERMINATING))
    session_deliver_up_to (self, request->last_serial);
  take_report (self, body, now);
  pace_polls (self, request, body, now);

  if (opened && body->type != BOSH_BODY_TERMINATE)
    session_set_state (self, BOSH_SESSION_OPEN);
  /* First, as the new features may come with the answer. */
  if (request->kind == REQUEST_RESTART && body->type != BOSH_BODY_TERMINATE)
    finish_restart (self, request);
  push_payloads (self, request, body);
  if (request->kind == REQUEST_CLOSE_STREAM)
    finish_close (self, request);
  ended = body->type == BOSH_BODY_TERMINATE && !session_handle_stream_end (self, body);
  if (request->kind == REQUEST_RESTART && body->type == BOSH_BODY_TERMINATE && !ended)
    finish_restart (self, request);
  if (opened && body->type != BOSH_BODY_TERMINATE)
    session_push_action (self, BOSH_ACTION_OPENED);

  /* Whatever the answer to a termination is, the session has ended (§13). */
  if (ended)
    handle_terminate (self, request, body, now);
  else if (request->kind == REQUEST_TERMINATE)
    session_close (self, NULL);
}

void
session_process_responses (BoshSession *self,
                           gint64       now)
{
  Request *request = g_queue_peek_head (&self->window);

  while (request != NULL && request->response != NULL && session_is_live (self))
    {
      handle_body (self, request, now);
      /* It is gone already where the session was sent elsewhere. */
      if (g_queue_peek_head (&self->window) == request)
        session_remove_request (self, request);
      request = g_queue_peek_head (&self->window);
    }
}
