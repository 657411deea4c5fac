/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-session-save-private.h"

#include "bosh-i18n-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-session-state-private.h"
#include "bosh-session-streams-private.h"
#include "bosh-stanza-private.h"

/* Finds out what kind of request an unanswered one is from its attributes. */
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

  /* Servers such as ejabberd never respond to it, so it must not be waited for. */
  if (bosh_element_get_attribute (body->root, "pause") != NULL)
    {
      request->kind = REQUEST_PAUSE;
      self->pause.rid = request->rid;
    }
}

static void
restore_request (BoshSession               *self,
                 const BoshSnapshotRequest *unanswered)
{
  RequestKind kind = unanswered->has_payload ? REQUEST_PAYLOAD : REQUEST_EMPTY;
  Request *request = bosh_window_add_restored (&self->window, unanswered->rid, kind,
                                               g_bytes_ref (unanswered->body));
  g_autoptr(BoshResponseBody) body = bosh_body_read_request (request->bytes);

  request->attempts = 1;
  request->retry_at = 0;

  if (body != NULL)
    {
      g_autoptr(GPtrArray) payloads = bosh_response_body_dup_payloads (body);

      classify_restored (self, request, body);
      for (guint i = 0; i < payloads->len; i++)
        {
          BoshElement *payload = g_ptr_array_index (payloads, i);

          request->is_secret |= bosh_element_is_sasl (payload);
          if (unanswered->has_payload)
            bosh_outbox_restore_sent (&self->outbox, payload, request->stream);
        }
    }

  request->last_serial = self->outbox.sent_serial;
  session_mark_maybe_sent (self, request);
}

/* The earlier owner may have sent the later requests without a proof that those before had
 * arrived. */
static void
mark_unproven (BoshSession *self)
{
  for (GList *link = self->window.requests.head; link != NULL; link = link->next)
    ((Request *)link->data)->unproven = link->next != NULL && session_server_may_drop (self);
}

static void
restore_streams (BoshSession               *self,
                 const BoshSessionSnapshot *snapshot)
{
  for (guint i = 0; i < snapshot->streams->len; i++)
    {
      const BoshSnapshotStream *saved =
        &g_array_index (snapshot->streams, BoshSnapshotStream, i);
      Stream *stream;

      if (i == 0)
        {
          stream = session_get_first_stream (self);
          stream->name = g_strdup (saved->name);
        }
      else
        stream = session_add_stream (self, saved->name);
      stream->closed = saved->closed;
    }

  for (guint i = 0; i < snapshot->opening; i++)
    g_queue_push_tail (&self->opening, GSIZE_TO_POINTER (0));
}

/* The stream of an unsent stanza: NULL is the first stream, "" are all streams. */
static Stream *
find_saved_stream (BoshSession *self,
                   const char  *name)
{
  if (name == NULL)
    return session_get_first_stream (self);

  return name[0] != '\0' ? session_find_stream (self, name) : NULL;
}

static void
restore_stanzas (BoshSession               *self,
                 const BoshSessionSnapshot *snapshot)
{
  for (guint i = 0; i < snapshot->unsent->len; i++)
    {
      const char *name = g_ptr_array_index (snapshot->unsent_streams, i);

      bosh_outbox_restore_unsent (&self->outbox, g_ptr_array_index (snapshot->unsent, i),
                                  find_saved_stream (self, name));
    }

  for (guint i = 0; i < snapshot->received->len; i++)
    session_push_payload (self, g_ptr_array_index (snapshot->received, i),
                          g_ptr_array_index (snapshot->received_streams, i));
}

static void
restore_grants (BoshSession               *self,
                const BoshSessionSnapshot *snapshot)
{
  Grants *granted = &self->granted;

  granted->sid = g_strdup (snapshot->session_id);
  granted->version = g_strdup (snapshot->version);
  granted->wait = snapshot->wait;
  granted->hold = snapshot->hold;
  granted->requests = snapshot->requests;
  granted->inactivity = snapshot->inactivity;
  granted->polling = snapshot->polling;
  granted->max_pause = snapshot->max_pause;
  granted->acknowledges = snapshot->acknowledges;
  granted->sorts = snapshot->sorts;
  granted->accept = g_strdup (snapshot->accept);
  session_choose_coding (self);
}

BoshSession *
bosh_session_new_from_snapshot (const BoshSessionSnapshot   *snapshot,
                                const BoshSessionParameters *parameters)
{
  BoshSession *self = session_new (parameters);

  g_free (self->domain);
  self->domain = g_strdup (snapshot->domain);
  g_free (self->language);
  self->language = g_strdup (snapshot->language);
  self->window.next_rid = snapshot->next_rid;
  self->use_acknowledgements = snapshot->acknowledging;
  self->use_key_sequence = snapshot->key_seed != NULL;
  if (snapshot->key_seed != NULL)
    self->keys = bosh_key_sequence_new (snapshot->key_seed, snapshot->key_length,
                                        snapshot->key_position);

  restore_grants (self, snapshot);
  restore_streams (self, snapshot);
  for (guint i = 0; i < snapshot->unanswered->len; i++)
    restore_request (self, &g_array_index (snapshot->unanswered, BoshSnapshotRequest, i));
  mark_unproven (self);
  restore_stanzas (self, snapshot);

  return self;
}

gboolean
bosh_session_check_savable (BoshSession  *self,
                            GError      **error)
{
  if (!session_check_live (self, error) || !session_check_no_login (self, error))
    return FALSE;
  if (self->granted.sid != NULL)
    return TRUE;

  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                       _("There is no session yet"));

  return FALSE;
}

/* A response that waits for an earlier one was not handed out, so its request counts as
 * unanswered: the server sends the response again. */
static void
save_requests (BoshSession         *self,
               const GQueue        *requests,
               BoshSessionSnapshot *snapshot)
{
  for (GList *link = requests->head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      bosh_session_snapshot_add_unanswered (snapshot, request->rid, request->bytes,
                                            request->kind == REQUEST_PAYLOAD &&
                                              request->last_serial > self->outbox.delivered);
    }
}

static void
save_queue (BoshSession         *self,
            BoshSessionSnapshot *snapshot)
{
  for (GList *link = self->outbox.queue.head; link != NULL; link = link->next)
    {
      QueueEntry *entry = link->data;
      const char *name = NULL;

      if (entry->kind != ENTRY_STANZA)
        continue;

      if (entry->stream == NULL)
        name = "";
      else if (entry->stream != session_get_first_stream (self))
        name = entry->stream->name;
      bosh_session_snapshot_add_unsent (snapshot, entry->element, name);
    }
}

/* The requests of these payloads are not in the window any more, so the server will not
 * send them again. */
static void
save_received (BoshSession         *self,
               BoshSessionSnapshot *snapshot)
{
  for (GList *link = self->actions.head; link != NULL; link = link->next)
    {
      BoshAction *action = link->data;

      if (action->type == BOSH_ACTION_PAYLOAD)
        bosh_session_snapshot_add_received (snapshot, action->element, action->text);
    }
}

static void
save_grants (BoshSession         *self,
             BoshSessionSnapshot *snapshot)
{
  const Grants *granted = &self->granted;

  snapshot->session_id = g_strdup (granted->sid);
  snapshot->version = g_strdup (granted->version);
  snapshot->wait = granted->wait;
  snapshot->hold = granted->hold;
  snapshot->requests = granted->requests;
  snapshot->inactivity = granted->inactivity;
  snapshot->polling = granted->polling;
  snapshot->max_pause = granted->max_pause;
  snapshot->acknowledges = granted->acknowledges;
  snapshot->sorts = granted->sorts;
  snapshot->accept = g_strdup (granted->accept);
}

BoshSessionSnapshot *
bosh_session_save (BoshSession *self)
{
  BoshSessionSnapshot *snapshot = bosh_session_snapshot_new ();

  snapshot->domain = g_strdup (self->domain);
  snapshot->language = g_strdup (self->language);
  snapshot->next_rid = self->window.next_rid;
  snapshot->acknowledging = self->use_acknowledgements;
  if (self->keys != NULL)
    {
      snapshot->key_seed = g_strdup (bosh_key_sequence_get_seed (self->keys));
      snapshot->key_length = bosh_key_sequence_get_length (self->keys);
      snapshot->key_position = bosh_key_sequence_get_position (self->keys);
    }

  save_grants (self, snapshot);
  save_requests (self, &self->window.forgotten, snapshot);
  save_requests (self, &self->window.requests, snapshot);
  save_queue (self, snapshot);
  save_received (self, snapshot);
  for (guint i = 0; i < self->streams->len; i++)
    {
      Stream *stream = g_ptr_array_index (self->streams, i);

      bosh_session_snapshot_add_stream (snapshot, stream->name, stream->closed);
    }
  snapshot->opening = self->opening.length;

  return snapshot;
}
