/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 *              open                 answer with sid
 *   NEW ───────────────→ CREATING ─────────────────→ OPEN ←──────────┐
 *    │  (saved session)                               │ ↑           │
 *    └─────────────────→ ATTACHING ──────────────────→┤ └─ RETRYING ┤
 *                          answer, or held            │ failed twice│
 *                                                     ├─→ PAUSED ───┘
 *                                                     ├─→ TERMINATING ─→ CLOSED
 *                                                     └─→ DETACHED
 *
 * Any state but NEW and DETACHED may go to CLOSED.
 */

#include "config.h"

#include "bosh-session-internal.h"

#include "bosh-element-private.h"
#include "bosh-i18n-private.h"
#include "bosh-xml-private.h"

#include <string.h>

/* How long a termination waits for a free slot, and for the server; and how long
 * a hand-over waits. */
#define EXCEED_AFTER (2 * SECOND)
#define GIVE_UP_AFTER (15 * SECOND)
#define HAND_OVER_WITHIN (10 * SECOND)

/* How long it may take until a pause that an earlier owner asked for is over. */
#define RESTORED_PAUSE (30 * SECOND)

/* How long a caller may keep polls back by promising a reply. */
#define REPLY_EXPECTED_FOR (10 * SECOND)

/* What Prosody answers, and no other known server: one that sorts the requests
 * that arrive, as it ought to. */
#define SORTING_VERSION "1.6"

/* Bytes that most stanzas fit into. */
#define STANZA_SIZE 256

/* What a body takes beside its payloads, the longest attributes of ours and a
 * session id of some length counted. */
#define BODY_OVERHEAD 512

static void
stanza_free (Stanza *self)
{
  g_clear_pointer (&self->element, bosh_element_unref);
  g_free (self->to);
  g_free (self->from);
  g_free (self->xml);
  g_free (self);
}

static void
restart_free (Restart *self)
{
  g_free (self->from);
  g_free (self);
}

static Stanza *
stanza_new (BoshElement  *element,
            gsize         max_size,
            GError      **error)
{
  g_autoptr(GString) xml = g_string_sized_new (STANZA_SIZE);
  Stanza *stanza;

  if (!bosh_xml_append_element (xml, element, BOSH_NS_HTTPBIND, BOSH_NS_CLIENT, error))
    return NULL;

  if (xml->len > max_size)
    {
      g_set_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                   _("The stanza has %" G_GSIZE_FORMAT " bytes, more than a request may have"),
                   xml->len);
      return NULL;
    }

  bosh_element_seal (element);

  stanza = g_new0 (Stanza, 1);
  stanza->element = bosh_element_ref (element);
  stanza->length = xml->len;
  stanza->xml = g_string_free (g_steal_pointer (&xml), FALSE);

  return stanza;
}

static gsize
get_max_payload_size (gsize max_request_size)
{
  return MAX (max_request_size, 2 * BODY_OVERHEAD) - BODY_OVERHEAD;
}

gboolean
bosh_session_check_payload (BoshElement  *payload,
                            gsize         max_request_size,
                            GError      **error)
{
  Stanza *stanza = stanza_new (payload, get_max_payload_size (max_request_size), error);

  if (stanza == NULL)
    return FALSE;

  stanza_free (stanza);

  return TRUE;
}

static void
request_free (Request *self)
{
  g_bytes_unref (self->bytes);
  g_clear_pointer (&self->response, bosh_response_body_free);
  g_free (self);
}

static void
action_free (BoshAction *self)
{
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_clear_pointer (&self->element, bosh_element_unref);
  g_clear_error (&self->error);
  g_free (self->text);
  g_free (self);
}

/* Everything unpredictable comes from the entropy given at the start: hex text
 * of HMAC-SHA-256, another one at each call. */
char *
session_draw (BoshSession *self,
              const char  *purpose)
{
  g_autofree char *text = g_strdup_printf ("%s %u", purpose, self->entropy_counter++);

  return g_compute_hmac_for_string (G_CHECKSUM_SHA256, self->entropy, sizeof self->entropy,
                                    text, -1);
}

static guint64
draw_number (BoshSession *self,
             const char  *purpose,
             guint64      limit)
{
  g_autofree char *hex = session_draw (self, purpose);

  hex[15] = '\0';

  return g_ascii_strtoull (hex, NULL, 16) % limit;
}

/* Large and unpredictable, with 2^52 numbers left above it (§14.1, §19.3). */
void
session_draw_rid (BoshSession *self)
{
  self->next_rid = 1 + draw_number (self, "rid", G_GUINT64_CONSTANT (1) << 52);
}

BoshSession *
bosh_session_new (const BoshSessionParameters *parameters)
{
  BoshSession *self = g_new0 (BoshSession, 1);

  self->domain = g_strdup (parameters->domain);
  self->route = g_strdup (parameters->route);
  self->from = g_strdup (parameters->from);
  self->language = g_strdup (parameters->language);
  self->content = g_strdup (parameters->content);
  self->uri = g_strdup (parameters->uri);
  self->wait = parameters->wait;
  self->hold = parameters->hold;
  self->use_acknowledgements = parameters->use_acknowledgements;
  self->use_key_sequence = parameters->use_key_sequence;
  self->key_sequence_length = parameters->key_sequence_length;
  self->compress_requests = parameters->compress_requests;
  self->max_payload_size = get_max_payload_size (parameters->max_request_size);
  memcpy (self->entropy, parameters->entropy, sizeof self->entropy);

  session_draw_rid (self);
  self->jitter = 1 + draw_number (self, "jitter", G_MAXUINT32);

  g_queue_init (&self->window);
  g_queue_init (&self->forgotten);
  g_queue_init (&self->queue);
  g_queue_init (&self->sent);
  g_queue_init (&self->actions);
  g_queue_init (&self->restarts);
  g_queue_init (&self->opening);
  g_queue_init (&self->stranded);
  self->streams = session_streams_new ();
  self->probe_at = NEVER;
  self->probed_at = NEVER;
  self->paused_until = NEVER;
  self->round_trip = NEVER;
  self->last_new_at = NEVER;
  self->poll_at = NEVER;
  self->terminate_at = NEVER;
  self->exceed_at = NEVER;
  self->give_up_at = NEVER;
  self->hand_over_at = NEVER;
  self->reply_expected_until = NEVER;
  self->deadline = NEVER;

  return self;
}

static void
restore_stanza (BoshSession *self,
                BoshElement *element,
                Stream      *stream,
                GQueue      *queue)
{
  /* What is too large for us now was not when it was queued. */
  Stanza *stanza = stanza_new (element, G_MAXSIZE, NULL);

  if (stanza == NULL)
    return;

  stanza->stream = stream;
  stanza->serial = ++self->last_serial;
  g_queue_push_tail (queue, stanza);
}

/* What kind of request an unanswered one is, by its own words. */
static void
classify_restored (BoshSession      *self,
                   Request          *request,
                   BoshResponseBody *body)
{
  const char *restart = bosh_element_get_attribute_ns (body->root, "restart", BOSH_NS_XBOSH);

  request->stream = body->stream != NULL ? session_find_stream (self, body->stream) : NULL;
  if (restart != NULL)
    request->kind = REQUEST_RESTART;
  else if (body->type == BOSH_BODY_TERMINATE && request->stream != NULL)
    {
      request->kind = REQUEST_CLOSE_STREAM;
      request->stream->closing = TRUE;
    }
  else if (bosh_element_get_attribute (body->root, "to") != NULL)
    request->kind = REQUEST_OPEN_STREAM;

  /* It may never be answered, as by ejabberd: not to be waited for. */
  if (bosh_element_get_attribute (body->root, "pause") != NULL)
    {
      request->kind = REQUEST_PAUSE;
      self->pause_rid = request->rid;
    }
}

static void
restore_request (BoshSession               *self,
                 const BoshSnapshotRequest *unanswered)
{
  Request *request = g_new0 (Request, 1);
  BoshBodyVerdict verdict;
  g_autoptr(BoshResponseBody) body = NULL;

  request->rid = unanswered->rid;
  request->bytes = g_bytes_ref (unanswered->body);
  request->kind = unanswered->has_payload ? REQUEST_PAYLOAD : REQUEST_EMPTY;
  request->attempts = 1;
  request->written_at = NEVER;
  request->retry_at = 0;
  request->suspect_at = NEVER;
  request->doubted_at = NEVER;

  body = bosh_response_body_new (request->bytes, &verdict, NULL);
  if (body != NULL)
    {
      g_autoptr(GPtrArray) payloads = bosh_response_body_dup_payloads (body);

      classify_restored (self, request, body);
      for (guint i = 0; i < payloads->len; i++)
        restore_stanza (self, g_ptr_array_index (payloads, i), request->stream, &self->sent);
    }

  request->last_serial = self->last_serial;
  self->sent_serial = self->last_serial;
  session_mark_left (self, request);
  g_queue_push_tail (&self->window, request);
}

static void
restore_streams (BoshSession               *self,
                 const BoshSessionSnapshot *saved)
{
  for (guint i = 0; i < saved->streams->len; i++)
    {
      const BoshSnapshotStream *stream = &g_array_index (saved->streams, BoshSnapshotStream, i);

      if (i == 0)
        session_get_first_stream (self)->name = g_strdup (stream->name);
      else
        session_add_stream (self, stream->name);
      ((Stream *)g_ptr_array_index (self->streams, i))->closed = stream->closed;
    }

  for (guint i = 0; i < saved->opening; i++)
    g_queue_push_tail (&self->opening, GSIZE_TO_POINTER (0));
}

BoshSession *
bosh_session_new_from_saved (const BoshSessionSnapshot   *saved,
                             const BoshSessionParameters *parameters)
{
  BoshSession *self = bosh_session_new (parameters);

  g_free (self->domain);
  self->domain = g_strdup (saved->domain);
  g_free (self->language);
  self->language = g_strdup (saved->language);
  self->sid = g_strdup (saved->session_id);
  self->version = g_strdup (saved->version);
  self->next_rid = saved->next_rid;
  self->wait = saved->wait;
  self->hold = saved->hold;
  self->requests = saved->requests;
  self->inactivity = saved->inactivity;
  self->polling = saved->polling;
  self->max_pause = saved->max_pause;
  self->acknowledges = saved->acknowledges;
  self->use_acknowledgements = saved->acknowledging;
  self->use_key_sequence = saved->key_seed != NULL;
  if (saved->key_seed != NULL)
    self->keys = bosh_key_sequence_new (saved->key_seed, saved->key_length, saved->key_position);

  restore_streams (self, saved);
  self->accept = g_strdup (saved->accept);
  session_choose_coding (self);
  for (guint i = 0; i < saved->unanswered->len; i++)
    restore_request (self, &g_array_index (saved->unanswered, BoshSnapshotRequest, i));
  for (guint i = 0; i < saved->unsent->len; i++)
    {
      const char *name = g_ptr_array_index (saved->unsent_streams, i);
      Stream *stream = session_get_first_stream (self);

      if (name != NULL)
        stream = name[0] != '\0' ? session_find_stream (self, name) : NULL;
      restore_stanza (self, g_ptr_array_index (saved->unsent, i), stream, &self->queue);
    }
  for (guint i = 0; i < saved->received->len; i++)
    session_push_payload (self, g_ptr_array_index (saved->received, i),
                          g_ptr_array_index (saved->received_streams, i));

  return self;
}

void
bosh_session_free (BoshSession *self)
{
  g_queue_clear_full (&self->window, (GDestroyNotify)request_free);
  g_queue_clear_full (&self->forgotten, (GDestroyNotify)request_free);
  g_queue_clear_full (&self->queue, (GDestroyNotify)stanza_free);
  g_queue_clear_full (&self->sent, (GDestroyNotify)stanza_free);
  g_queue_clear_full (&self->stranded, (GDestroyNotify)stanza_free);
  g_queue_clear_full (&self->restarts, (GDestroyNotify)restart_free);
  g_queue_clear_full (&self->actions, (GDestroyNotify)action_free);
  g_queue_clear (&self->opening);
  g_ptr_array_unref (self->streams);
  g_clear_pointer (&self->last_stanza, stanza_free);
  g_clear_pointer (&self->keys, bosh_key_sequence_free);
  g_clear_error (&self->error);
  g_clear_error (&self->reason);
  g_free (self->domain);
  g_free (self->route);
  g_free (self->from);
  g_free (self->language);
  g_free (self->sid);
  g_free (self->version);
  g_free (self->content);
  g_free (self->uri);
  g_free (self->accept);
  g_free (self->charsets);
  explicit_bzero (self->entropy, sizeof self->entropy);
  g_free (self);
}

BoshAction *
session_push_action (BoshSession    *self,
                     BoshActionType  type)
{
  BoshAction *action = g_new0 (BoshAction, 1);

  action->type = type;
  g_queue_push_tail (&self->actions, action);

  return action;
}

void
session_push_payload (BoshSession *self,
                      BoshElement *element,
                      const char  *stream)
{
  BoshAction *action = session_push_action (self, BOSH_ACTION_PAYLOAD);

  action->element = bosh_element_ref (element);
  action->text = g_strdup (stream);
}

void
session_set_state (BoshSession      *self,
                   BoshSessionState  state)
{
  if (self->state == state)
    return;

  self->state = state;
  session_push_action (self, BOSH_ACTION_STATE)->state = state;
}

gboolean
session_is_live (BoshSession *self)
{
  return self->state != BOSH_SESSION_NEW && self->state != BOSH_SESSION_DETACHED &&
         self->state != BOSH_SESSION_CLOSED;
}

/* Announced by wait or hold of 0 (§12), or imposed by requests='1'. */
gboolean
session_is_polling (BoshSession *self)
{
  return self->wait == 0 || self->hold == 0 || self->requests == 1;
}

Request *
session_find_request (BoshSession *self,
                      guint64      rid)
{
  for (GList *link = self->window.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (request->rid == rid)
        return request;
    }

  return NULL;
}

guint
session_count_in_flight (BoshSession *self)
{
  guint count = 0;

  for (GList *link = self->window.head; link != NULL; link = link->next)
    count += ((Request *)link->data)->in_flight ? 1 : 0;

  return count;
}

gboolean
session_server_sorts (BoshSession *self)
{
  return g_strcmp0 (self->version, SORTING_VERSION) == 0;
}

void
session_remove_request (BoshSession *self,
                        Request     *request)
{
  g_queue_remove (&self->window, request);
  request_free (request);
}

void
session_forget_request (BoshSession *self,
                        Request     *request)
{
  g_queue_remove (&self->window, request);
  if (request->last_serial > self->delivered)
    g_queue_push_tail (&self->forgotten, request);
  else
    request_free (request);
}

void
session_mark_left (BoshSession *self,
                   Request     *request)
{
  request->left = TRUE;
  self->left_serial = MAX (self->left_serial, request->last_serial);
}

void
session_abandon (BoshSession *self,
                 Request     *request)
{
  if (!request->in_flight)
    return;

  request->in_flight = FALSE;
  session_mark_left (self, request);
  session_push_action (self, BOSH_ACTION_ABANDON)->rid = request->rid;
}

static void
abandon_all (BoshSession *self)
{
  for (GList *link = self->window.head; link != NULL; link = link->next)
    session_abandon (self, link->data);
}

void
session_deliver_up_to (BoshSession *self,
                       guint64      serial)
{
  if (serial <= self->delivered)
    return;

  self->delivered = serial;
  while (!g_queue_is_empty (&self->sent) &&
         ((Stanza *)g_queue_peek_head (&self->sent))->serial <= serial)
    stanza_free (g_queue_pop_head (&self->sent));
  while (!g_queue_is_empty (&self->forgotten) &&
         ((Request *)g_queue_peek_head (&self->forgotten))->last_serial <= serial)
    request_free (g_queue_pop_head (&self->forgotten));
  if (self->delivered == self->last_serial)
    self->hastened = FALSE;

  session_push_action (self, BOSH_ACTION_DELIVERED)->serial = serial;
}

/* Takes @error. */
void
session_close (BoshSession *self,
               GError      *error)
{
  abandon_all (self);
  session_set_state (self, BOSH_SESSION_CLOSED);
  self->error = self->reason != NULL ? g_steal_pointer (&self->reason) : error;
  if (self->error != error)
    g_clear_error (&error);
  session_push_action (self, BOSH_ACTION_CLOSED)->error =
    self->error != NULL ? g_error_copy (self->error) : NULL;
}

void
bosh_session_open (BoshSession *self,
                   gint64       now)
{
  g_return_if_fail (self->state == BOSH_SESSION_NEW);

  self->opened_at = now;
  self->last_contact = now;
  /* Whoever had the session before wanted to pause it; we want to go on. */
  if (self->pause_rid != 0)
    {
      self->paused_until = now + RESTORED_PAUSE;
      self->resume_wanted = TRUE;
    }
  session_set_state (self, self->sid == NULL ? BOSH_SESSION_CREATING : BOSH_SESSION_ATTACHING);
  /* Before the payloads that a saved session may bring along. */
  g_queue_push_head (&self->actions, g_queue_pop_tail (&self->actions));
}

/* Is the session in the hands of its owner, and to go on? */
static gboolean
check_live (BoshSession  *self,
            GError      **error)
{
  if (self->state == BOSH_SESSION_DETACHED)
    g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_DETACHED,
                         _("The session was handed over"));
  else if (self->state == BOSH_SESSION_CLOSED && self->error != NULL)
    g_set_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                 _("The session has ended: %s"), self->error->message);
  else if (self->state == BOSH_SESSION_CLOSED || self->state == BOSH_SESSION_TERMINATING ||
           self->terminate_wanted)
    g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                         _("The session has ended"));
  else if (self->state == BOSH_SESSION_NEW)
    g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                         _("There is no session yet"));
  else
    return TRUE;

  return FALSE;
}

gboolean
session_check_open (BoshSession  *self,
                    GError      **error)
{
  if (self->handing_over)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_DETACHED,
                           _("The session was handed over"));
      return FALSE;
    }

  return check_live (self, error);
}

void
session_queue_order (BoshSession *self,
                     Stanza      *order)
{
  order->serial = ++self->last_serial;
  g_queue_push_tail (&self->queue, order);
}

gboolean
session_queue_stanza (BoshSession  *self,
                      BoshElement  *payload,
                      Stream       *stream,
                      guint64      *serial,
                      GError      **error)
{
  Stanza *stanza = stanza_new (payload, self->max_payload_size, error);

  if (stanza == NULL)
    return FALSE;

  stanza->stream = stream;
  session_queue_order (self, stanza);
  if (serial != NULL)
    *serial = stanza->serial;

  return TRUE;
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
bosh_session_queue (BoshSession  *self,
                    BoshElement  *payload,
                    guint64      *serial,
                    GError      **error)
{
  Stream *first = session_get_first_stream (self);

  if (!session_check_open (self, error))
    return FALSE;

  return check_first_stream (self, error) &&
         session_queue_stanza (self, payload, first, serial, error);
}

void
bosh_session_hasten (BoshSession *self)
{
  self->hastened = self->delivered != self->last_serial;
}

guint64
session_queue_restart (BoshSession *self,
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
  if (!session_check_open (self, error) || !check_first_stream (self, error))
    return FALSE;

  session_queue_restart (self, session_get_first_stream (self), from);

  return TRUE;
}

gboolean
bosh_session_pause (BoshSession  *self,
                    guint         seconds,
                    GError      **error)
{
  if (!session_check_open (self, error))
    return FALSE;

  if (self->max_pause == 0)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_SUPPORTED,
                           _("The server does not offer to pause a session"));
      return FALSE;
    }

  /* The server names its maximum; more would end the session (§10). */
  self->pause_wanted = CLAMP (seconds, 1, self->max_pause);

  return TRUE;
}

void
bosh_session_resume (BoshSession *self)
{
  self->pause_wanted = 0;
  self->resume_wanted = self->state == BOSH_SESSION_PAUSED || self->pause_rid != 0;
}

gboolean
bosh_session_terminate (BoshSession  *self,
                        BoshElement  *payload,
                        GError      **error)
{
  if (!session_check_open (self, error))
    return FALSE;

  if (payload != NULL)
    {
      self->last_stanza = stanza_new (payload, self->max_payload_size, error);
      if (self->last_stanza == NULL)
        return FALSE;
    }

  self->terminate_wanted = TRUE;
  self->pause_wanted = 0;
  self->resume_wanted = FALSE;

  return TRUE;
}

guint64
bosh_session_detach (BoshSession *self)
{
  guint64 next = self->next_rid;

  /* The server has not seen what was never written: a request behind such a
   * number would wait for it in vain. */
  for (GList *link = self->window.tail; link != NULL; link = link->prev)
    {
      Request *request = link->data;

      if (request->left)
        break;
      next = request->rid;
    }

  abandon_all (self);
  session_set_state (self, BOSH_SESSION_DETACHED);

  return next;
}

gboolean
bosh_session_hand_over (BoshSession  *self,
                        GError      **error)
{
  if (!session_check_open (self, error))
    return FALSE;

  if (self->sid == NULL)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                           _("There is no session yet"));
      return FALSE;
    }

  self->handing_over = TRUE;

  return TRUE;
}

void
bosh_session_cancel_hand_over (BoshSession *self)
{
  if (self->state != BOSH_SESSION_DETACHED)
    {
      self->handing_over = FALSE;
      self->hand_over_at = NEVER;
    }
}

static void
save_stanza (BoshSession         *self,
             const Stanza        *stanza,
             BoshSessionSnapshot *saved)
{
  const char *name = NULL;

  if (stanza->kind != ORDER_STANZA)
    return;

  if (stanza->stream == NULL)
    name = "";
  else if (stanza->stream != session_get_first_stream (self))
    name = stanza->stream->name;
  bosh_session_snapshot_add_unsent (saved, stanza->element, name);
}

/* An answer that waits for an earlier one was not handed out either: the server
 * gives it again. */
static void
save_requests (const GQueue        *requests,
               BoshSessionSnapshot *saved)
{
  for (GList *link = requests->head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      bosh_session_snapshot_add_unanswered (saved, request->rid, request->bytes,
                                            request->kind != REQUEST_EMPTY && !request->confirmed);
    }
}

gboolean
bosh_session_check_savable (BoshSession  *self,
                            GError      **error)
{
  if (!check_live (self, error))
    return FALSE;
  if (self->sid != NULL)
    return TRUE;

  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                       _("There is no session yet"));

  return FALSE;
}

BoshSessionSnapshot *
bosh_session_save (BoshSession *self)
{
  BoshSessionSnapshot *saved = bosh_session_snapshot_new ();

  saved->domain = g_strdup (self->domain);
  saved->session_id = g_strdup (self->sid);
  saved->next_rid = self->next_rid;
  saved->language = g_strdup (self->language);
  saved->version = g_strdup (self->version);
  saved->wait = self->wait;
  saved->hold = self->hold;
  saved->requests = self->requests;
  saved->inactivity = self->inactivity;
  saved->polling = self->polling;
  saved->max_pause = self->max_pause;
  saved->acknowledges = self->acknowledges;
  saved->acknowledging = self->use_acknowledgements;
  if (self->keys != NULL)
    {
      saved->key_seed = g_strdup (bosh_key_sequence_get_seed (self->keys));
      saved->key_length = bosh_key_sequence_get_length (self->keys);
      saved->key_position = bosh_key_sequence_get_position (self->keys);
    }

  save_requests (&self->forgotten, saved);
  save_requests (&self->window, saved);
  for (GList *link = self->queue.head; link != NULL; link = link->next)
    save_stanza (self, link->data, saved);
  /* Their requests have left the window already, so nobody gives them again. */
  for (GList *link = self->actions.head; link != NULL; link = link->next)
    {
      BoshAction *action = link->data;

      if (action->type == BOSH_ACTION_PAYLOAD)
        bosh_session_snapshot_add_received (saved, action->element, action->text);
    }
  for (guint i = 0; i < self->streams->len; i++)
    {
      Stream *stream = g_ptr_array_index (self->streams, i);

      bosh_session_snapshot_add_stream (saved, stream->name, stream->closed);
    }
  saved->opening = self->opening.length;
  saved->accept = g_strdup (self->accept);

  return saved;
}

/* Takes @error. */
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

static gboolean
pop_action (BoshSession *self,
            BoshAction  *action)
{
  g_autofree BoshAction *first = g_queue_pop_head (&self->actions);

  if (first == NULL)
    return FALSE;

  *action = *first;

  return TRUE;
}

gboolean
bosh_session_has_action (BoshSession *self,
                         gint64       now)
{
  if (!g_queue_is_empty (&self->actions))
    return TRUE;

  /* Limits that an input set without knowing the time. */
  if (self->handing_over && self->hand_over_at == NEVER)
    self->hand_over_at = now + HAND_OVER_WITHIN;
  if (self->terminate_wanted && self->give_up_at == NEVER)
    {
      self->exceed_at = now + EXCEED_AFTER;
      self->give_up_at = now + GIVE_UP_AFTER;
    }
  if (self->reply_expected && self->reply_expected_until == NEVER)
    self->reply_expected_until = now + REPLY_EXPECTED_FOR;

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
  return bosh_session_has_action (self, now) && pop_action (self, action);
}

gint64
bosh_session_get_deadline (BoshSession *self)
{
  return self->deadline;
}

BoshSessionState
bosh_session_get_state (BoshSession *self)
{
  return self->state;
}

const char *
bosh_session_get_id (BoshSession *self)
{
  return self->sid;
}

guint64
bosh_session_get_last_rid (BoshSession *self)
{
  return self->next_rid - 1;
}

guint
bosh_session_get_wait (BoshSession *self)
{
  return self->wait;
}

guint
bosh_session_get_hold (BoshSession *self)
{
  return self->hold;
}

guint
bosh_session_get_requests (BoshSession *self)
{
  return self->requests;
}

guint
bosh_session_get_inactivity (BoshSession *self)
{
  return self->inactivity;
}

guint
bosh_session_get_polling (BoshSession *self)
{
  return self->polling;
}

guint
bosh_session_get_max_pause (BoshSession *self)
{
  return self->max_pause;
}

const char *
bosh_session_get_charsets (BoshSession *self)
{
  return self->charsets;
}

guint
bosh_session_get_n_queued (BoshSession *self)
{
  return self->queue.length;
}

guint
bosh_session_get_n_in_flight (BoshSession *self)
{
  return session_count_in_flight (self);
}

/* The last stanza of which bytes may have left this machine. */
static guint64
get_left_serial (BoshSession *self)
{
  guint64 serial = self->left_serial;

  for (GList *link = self->window.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (request->in_flight)
        serial = MAX (serial, request->last_serial);
    }

  return serial;
}

GPtrArray *
bosh_session_dup_undelivered (BoshSession *self)
{
  GPtrArray *stanzas = g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);
  guint64 left = get_left_serial (self);

  for (GList *link = self->sent.head; link != NULL; link = link->next)
    {
      Stanza *stanza = link->data;

      if (stanza->serial <= left && stanza->kind == ORDER_STANZA)
        g_ptr_array_add (stanzas, bosh_element_ref (stanza->element));
    }

  return stanzas;
}

static int
compare_serials (gconstpointer a,
                 gconstpointer b)
{
  const Stanza *first = *(Stanza * const *)a;
  const Stanza *second = *(Stanza * const *)b;

  return first->serial < second->serial ? -1 : first->serial > second->serial;
}

/* @stream: only what is for that one; NULL for all. */
static GPtrArray *
dup_unsent (BoshSession *self,
            Stream      *stream)
{
  GPtrArray *elements = g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);
  g_autoptr(GPtrArray) stanzas = g_ptr_array_new ();
  GQueue *queues[] = { &self->sent, &self->stranded, &self->queue };
  guint64 left = get_left_serial (self);

  for (guint i = 0; i < G_N_ELEMENTS (queues); i++)
    for (GList *link = queues[i]->head; link != NULL; link = link->next)
      {
        Stanza *stanza = link->data;

        if (stanza->kind == ORDER_STANZA && (stream == NULL || stanza->stream == stream) &&
            (queues[i] != &self->sent || stanza->serial > left))
          g_ptr_array_add (stanzas, stanza);
      }

  g_ptr_array_sort (stanzas, compare_serials);
  for (guint i = 0; i < stanzas->len; i++)
    g_ptr_array_add (elements, bosh_element_ref (((Stanza *)stanzas->pdata[i])->element));
  if (self->last_stanza != NULL)
    g_ptr_array_add (elements, bosh_element_ref (self->last_stanza->element));

  return elements;
}

GPtrArray *
bosh_session_dup_unsent (BoshSession *self)
{
  return dup_unsent (self, NULL);
}

GPtrArray *
bosh_session_dup_unsent_on_first (BoshSession *self)
{
  return dup_unsent (self, session_get_first_stream (self));
}
