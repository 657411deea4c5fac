/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 *              open                response with sid
 *   NEW ───────────────→ CREATING ─────────────────→ OPEN ←──────────┐
 *    │  (saved session)                               │ ↑           │
 *    └─────────────────→ ATTACHING ──────────────────→┤ └─ RETRYING ┤
 *                         response, or held           │ failed twice│
 *                                                     ├─→ PAUSED ───┘
 *                                                     ├─→ TERMINATING ─→ CLOSED
 *                                                     └─→ DETACHED
 *
 * Any state but NEW and DETACHED may change to CLOSED.
 */

#include "config.h"

#include "bosh-session-private.h"

#include "bosh-i18n-private.h"
#include "bosh-limits-private.h"
#include "bosh-session-plan-private.h"
#include "bosh-session-responses-private.h"
#include "bosh-session-state-private.h"
#include "bosh-session-streams-private.h"
#include "bosh-session-timing-private.h"
#include "bosh-xml-text-private.h"

#include <string.h>

BoshSession *
bosh_session_new (const BoshSessionParameters *parameters)
{
  return session_new (parameters);
}

void
bosh_session_free (BoshSession *self)
{
  session_free (self);
}

/* Whether a text of the owner can be in the start tag of a request. */
static gboolean
check_text (const char  *text,
            const char  *name,
            GError     **error)
{
  if (text == NULL ||
      (strlen (text) <= BOSH_SESSION_MAX_TEXT_LENGTH && bosh_xml_is_valid_text (text, -1)))
    return TRUE;

  g_set_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA,
               _("The “%s” of the session is too long, or no text that XML can have"), name);

  return FALSE;
}

static gboolean
check_texts (BoshSession  *self,
             GError      **error)
{
  return check_text (self->domain, "to", error) &&
         check_text (self->from, "from", error) &&
         check_text (self->route, "route", error) &&
         check_text (self->language, "xml:lang", error) &&
         check_text (self->content, "content", error);
}

void
bosh_session_open (BoshSession *self,
                   gint64       now)
{
  GError *error = NULL;

  g_return_if_fail (self->state == BOSH_SESSION_NEW);

  self->opened_at = now;
  self->last_contact = now;
  /* An earlier owner has asked for a pause; this one wants to go on. */
  if (self->pause.rid != 0)
    {
      self->pause.until = now + RESTORED_PAUSE;
      self->pause.resume_wanted = TRUE;
    }
  session_set_state (self, self->granted.sid == NULL ? BOSH_SESSION_CREATING
                                                     : BOSH_SESSION_ATTACHING);
  /* A saved session may already have payloads; the state comes before them. */
  g_queue_push_head (&self->actions, g_queue_pop_tail (&self->actions));

  if (!check_texts (self, &error))
    session_close (self, error);
}

/* Whether the owner can ask for something to be sent. */
static gboolean
check_open (BoshSession  *self,
            GError      **error)
{
  if (self->handing_over)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_DETACHED,
                           _("The session was handed over"));
      return FALSE;
    }

  return session_check_live (self, error);
}

static gboolean
check_first_stream (BoshSession  *self,
                    GError      **error)
{
  Stream *first = session_get_first_stream (self);

  if (!first->closing && !first->closed)
    return TRUE;

  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                       _("The first stream of the session was closed"));

  return FALSE;
}

gboolean
bosh_session_check_payload (BoshElement  *payload,
                            gsize         max_request_size,
                            GError      **error)
{
  return bosh_outbox_check_payload (payload, max_request_size, error);
}

gboolean
bosh_session_queue (BoshSession  *self,
                    BoshElement  *payload,
                    guint64      *serial,
                    GError      **error)
{
  if (!check_open (self, error) || !check_first_stream (self, error))
    return FALSE;

  return bosh_outbox_queue (&self->outbox, payload, session_get_first_stream (self), serial,
                            error);
}

gboolean
bosh_session_queue_automatic (BoshSession *self,
                              BoshElement *reply)
{
  return check_open (self, NULL) && check_first_stream (self, NULL) &&
         bosh_outbox_queue_automatic (&self->outbox, reply, session_get_first_stream (self));
}

void
bosh_session_hasten (BoshSession *self)
{
  self->hastened = !bosh_outbox_is_delivered (&self->outbox);
}

static guint64
queue_restart (BoshSession *self,
               Stream      *stream,
               const char  *from)
{
  Restart *restart = g_new0 (Restart, 1);

  restart->stream = stream;
  restart->from = g_strdup (from);
  restart->serial = ++self->last_restart;
  g_queue_push_tail (&self->restarts, restart);

  return restart->serial;
}

gboolean
bosh_session_restart (BoshSession  *self,
                      const char   *from,
                      GError      **error)
{
  if (!check_open (self, error) || !check_first_stream (self, error))
    return FALSE;

  queue_restart (self, session_get_first_stream (self), from);

  return TRUE;
}

gboolean
bosh_session_pause (BoshSession  *self,
                    guint         seconds,
                    GError      **error)
{
  if (!check_open (self, error))
    return FALSE;

  if (self->granted.max_pause == 0)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_SUPPORTED,
                           _("The server does not offer to pause a session"));
      return FALSE;
    }

  /* A request for more than the maximum would end the session (§10). */
  self->pause.wanted = CLAMP (seconds, 1, self->granted.max_pause);

  return TRUE;
}

void
bosh_session_resume (BoshSession *self)
{
  self->pause.wanted = 0;
  self->pause.resume_wanted = self->state == BOSH_SESSION_PAUSED || self->pause.rid != 0;
}

gboolean
bosh_session_terminate (BoshSession  *self,
                        BoshElement  *payload,
                        GError      **error)
{
  if (!check_open (self, error))
    return FALSE;
  if (payload != NULL && !bosh_outbox_set_last (&self->outbox, payload, error))
    return FALSE;

  self->termination.wanted = TRUE;
  self->pause.wanted = 0;
  self->pause.resume_wanted = FALSE;

  return TRUE;
}

guint64
bosh_session_detach (BoshSession *self)
{
  /* Not behind a number that was never written: the server would wait for that one,
   * and so respond to nothing. */
  guint64 next = bosh_window_get_unused_rid (&self->window);

  session_abandon_all (self);
  session_set_state (self, BOSH_SESSION_DETACHED);

  return next;
}

gboolean
bosh_session_hand_over (BoshSession  *self,
                        GError      **error)
{
  if (!check_open (self, error))
    return FALSE;

  if (self->granted.sid == NULL)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                           _("There is no session yet"));
      return FALSE;
    }
  if (!session_check_no_login (self, error))
    return FALSE;

  self->handing_over = TRUE;

  return TRUE;
}

void
bosh_session_cancel_hand_over (BoshSession *self)
{
  if (self->state == BOSH_SESSION_DETACHED)
    return;

  self->handing_over = FALSE;
  self->hand_over_at = NEVER;
  if (self->pause_on_detach)
    bosh_session_resume (self);
}

void
bosh_session_abort (BoshSession *self,
                    GError      *error)
{
  if (session_is_live (self))
    session_close (self, error);
  else
    g_clear_error (&error);
}

void
bosh_session_set_reply_expected (BoshSession *self,
                                 gboolean     expected)
{
  self->reply_expected = expected;
  self->reply_expected_until = NEVER;
}

/* The request, if it is in flight. An exchange that was abandoned does not count: its
 * retransmission brings the same response. */
static Request *
find_in_flight (BoshSession *self,
                guint64      rid)
{
  Request *request = bosh_window_find (&self->window, rid);

  return request != NULL && request->in_flight ? request : NULL;
}

void
bosh_session_handle_written (BoshSession *self,
                             guint64      rid,
                             gint64       now)
{
  Request *request = find_in_flight (self, rid);

  if (request == NULL)
    return;

  request->written_at = now;
  session_mark_maybe_sent (self, request);
}

void
bosh_session_handle_progress (BoshSession *self,
                              guint64      rid,
                              gint64       now)
{
  Request *request = find_in_flight (self, rid);

  if (request != NULL && session_is_live (self))
    session_handle_progress (self, request, now);
}

void
bosh_session_handle_response (BoshSession            *self,
                              guint64                 rid,
                              const BoshHttpResponse *response,
                              gint64                  now)
{
  Request *request = find_in_flight (self, rid);

  if (request != NULL && session_is_live (self))
    session_handle_response (self, request, response, now);
}

void
bosh_session_handle_failure (BoshSession  *self,
                             guint64       rid,
                             BoshFailure   failure,
                             const GError *error,
                             gint64        now)
{
  Request *request = find_in_flight (self, rid);

  if (request != NULL && session_is_live (self))
    session_handle_failure (self, request, failure, error, now);
}

static void
hurry_repeats (BoshSession *self,
               gint64       now)
{
  for (GList *link = self->window.requests.head; link != NULL; link = link->next)
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
  Network *network = &self->network;

  hurry_repeats (self, now);
  self->path_patience = NEVER;
  network->changed_at = now;
  network->probe_at = now + NETWORK_SETTLES_WITHIN;
  if (network->probed_at != NEVER)
    network->probe_at = MAX (network->probe_at, network->probed_at + PROBE_INTERVAL);
}

void
bosh_session_handle_wake (BoshSession *self,
                          gint64       now)
{
  hurry_repeats (self, now);
  self->network.changed_at = now;
  self->network.probe_at = now;
}

/* Sets the limits of what an input has begun without knowing the time. */
static void
set_limits (BoshSession *self,
            gint64       now)
{
  if (self->handing_over && self->hand_over_at == NEVER)
    self->hand_over_at = now + HAND_OVER_WITHIN;
  if (self->termination.wanted && self->termination.give_up_at == NEVER)
    {
      self->termination.exceed_at = now + EXCEED_AFTER;
      self->termination.give_up_at = now + GIVE_UP_AFTER;
    }
  if (self->reply_expected && self->reply_expected_until == NEVER)
    self->reply_expected_until = now + REPLY_EXPECTED_FOR;
}

gboolean
bosh_session_advance (BoshSession *self,
                      gint64       now)
{
  if (!g_queue_is_empty (&self->actions))
    return TRUE;

  set_limits (self, now);
  self->deadline = NEVER;
  while (session_plan (self, now))
    {
      if (!g_queue_is_empty (&self->actions))
        return TRUE;
    }

  return FALSE;
}

gboolean
bosh_session_next_action (BoshSession *self,
                          BoshAction  *action,
                          gint64       now)
{
  g_autofree BoshAction *first = NULL;

  if (!bosh_session_advance (self, now))
    return FALSE;

  first = g_queue_pop_head (&self->actions);
  *action = *first;

  return TRUE;
}

gint64
bosh_session_get_deadline (BoshSession *self)
{
  return self->deadline;
}

guint64
bosh_session_get_next_response (BoshSession *self)
{
  Request *oldest = bosh_window_get_oldest (&self->window);

  return oldest != NULL ? oldest->rid : 0;
}

BoshSessionState
bosh_session_get_state (BoshSession *self)
{
  return self->state;
}

const char *
bosh_session_get_id (BoshSession *self)
{
  return self->granted.sid;
}

guint64
bosh_session_get_last_rid (BoshSession *self)
{
  return self->window.next_rid - 1;
}

guint
bosh_session_get_wait (BoshSession *self)
{
  return self->granted.wait;
}

guint
bosh_session_get_hold (BoshSession *self)
{
  return self->granted.hold;
}

guint
bosh_session_get_requests (BoshSession *self)
{
  return self->granted.requests;
}

guint
bosh_session_get_inactivity (BoshSession *self)
{
  return self->granted.inactivity;
}

guint
bosh_session_get_polling (BoshSession *self)
{
  return self->granted.polling;
}

guint
bosh_session_get_max_pause (BoshSession *self)
{
  return self->granted.max_pause;
}

const char *
bosh_session_get_charsets (BoshSession *self)
{
  return self->granted.charsets;
}

guint
bosh_session_get_http_status (BoshSession *self)
{
  return self->http_status;
}

const char *
bosh_session_get_see_other_uri (BoshSession *self)
{
  return self->see_other_uri;
}

guint
bosh_session_get_n_queued (BoshSession *self)
{
  return bosh_outbox_get_n_queued (&self->outbox);
}

guint
bosh_session_get_n_in_flight_for_tests (BoshSession *self)
{
  return bosh_window_get_n_in_flight (&self->window);
}

GPtrArray *
bosh_session_dup_undelivered (BoshSession *self)
{
  return bosh_outbox_dup_undelivered (&self->outbox,
                                      bosh_window_get_in_flight_serial (&self->window));
}

GPtrArray *
bosh_session_dup_unsent (BoshSession *self)
{
  return bosh_outbox_dup_unsent (&self->outbox,
                                 bosh_window_get_in_flight_serial (&self->window), NULL);
}

GPtrArray *
bosh_session_dup_unsent_on_first (BoshSession *self)
{
  return bosh_outbox_dup_unsent (&self->outbox,
                                 bosh_window_get_in_flight_serial (&self->window),
                                 session_get_first_stream (self));
}

static gboolean
check_several_streams (BoshSession  *self,
                       GError      **error)
{
  if (!check_open (self, error))
    return FALSE;
  if (session_get_first_stream (self)->name != NULL)
    return TRUE;

  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_SUPPORTED,
                       _("The server does not offer several streams in a session"));

  return FALSE;
}

static Stream *
get_open_stream (BoshSession  *self,
                 const char   *name,
                 GError      **error)
{
  Stream *stream = session_find_stream (self, name);

  if (stream != NULL && !stream->closing && !stream->closed)
    return stream;

  g_set_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
               _("There is no open stream “%s”"), name);

  return NULL;
}

gboolean
bosh_session_open_stream (BoshSession  *self,
                          const char   *to,
                          const char   *from,
                          guint64      *serial,
                          GError      **error)
{
  if (!check_several_streams (self, error) || !check_text (to, "to", error) ||
      !check_text (from, "from", error))
    return FALSE;

  if (self->streams->len + self->opening.length + bosh_outbox_get_n_openings (&self->outbox) >=
      BOSH_SESSION_MAX_STREAMS)
    {
      g_set_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                   _("A session can't have more than %d streams"), BOSH_SESSION_MAX_STREAMS);
      return FALSE;
    }

  *serial = bosh_outbox_queue_opening (&self->outbox, to, from);
  bosh_session_hasten (self);

  return TRUE;
}

gboolean
bosh_session_close_stream (BoshSession  *self,
                           const char   *name,
                           BoshElement  *payload,
                           guint64      *serial,
                           GError      **error)
{
  Stream *stream;

  *serial = 0;
  if (!check_several_streams (self, error))
    return FALSE;

  stream = get_open_stream (self, name, error);
  if (stream == NULL)
    return FALSE;

  /* The last one ends the session (§16.5). */
  if (session_count_open_streams (self) == 1)
    return bosh_session_terminate (self, payload, error);

  if (payload != NULL && !bosh_outbox_queue (&self->outbox, payload, stream, NULL, error))
    return FALSE;

  stream->closing = TRUE;
  stream->close_serial = bosh_outbox_queue_closing (&self->outbox, stream);
  *serial = stream->close_serial;
  bosh_session_hasten (self);

  return TRUE;
}

gboolean
bosh_session_queue_to (BoshSession  *self,
                       BoshElement  *payload,
                       const char   *name,
                       guint64      *serial,
                       GError      **error)
{
  Stream *stream = NULL;

  if (!check_several_streams (self, error))
    return FALSE;

  if (name != NULL)
    {
      stream = get_open_stream (self, name, error);
      if (stream == NULL)
        return FALSE;
    }

  return bosh_outbox_queue (&self->outbox, payload, stream, serial, error);
}

gboolean
bosh_session_restart_stream (BoshSession  *self,
                             const char   *name,
                             guint64      *serial,
                             GError      **error)
{
  Stream *stream;

  if (!check_several_streams (self, error))
    return FALSE;

  stream = get_open_stream (self, name, error);
  if (stream == NULL)
    return FALSE;

  *serial = queue_restart (self, stream, NULL);

  return TRUE;
}

GStrv
bosh_session_dup_streams (BoshSession *self)
{
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; i < self->streams->len; i++)
    {
      Stream *stream = g_ptr_array_index (self->streams, i);

      if (stream->name != NULL && !stream->closed)
        g_strv_builder_add (builder, stream->name);
    }

  return g_strv_builder_end (builder);
}
