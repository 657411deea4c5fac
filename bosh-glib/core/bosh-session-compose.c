/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-session-compose-private.h"

#include "bosh-secret-clear-private.h"
#include "bosh-session-streams-private.h"

#include <string.h>

/* The shortest key sequence, unless the owner of the session asks for another. */
#define MIN_KEY_SEQUENCE_LENGTH 4096

static void
renew_keys (BoshSession *self)
{
  char *seed = session_draw (self, "key seed");
  g_autofree char *spread = session_draw (self, "key length");
  guint length = self->key_sequence_length;

  spread[3] = '\0';
  if (length == 0)
    length = MIN_KEY_SEQUENCE_LENGTH + g_ascii_strtoull (spread, NULL, 16);

  g_clear_pointer (&self->keys, bosh_key_sequence_free);
  self->keys = bosh_key_sequence_new (seed, length, 0);
  bosh_secret_clear (&seed);
}

/* The creation request has the last key of the first sequence as `newkey`; each later
 * request has the key before. The request with the first key of a sequence introduces
 * another sequence (§15.4, §15.5). */
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

/* Completes @body, and adds the request with it to the window.
 * @payloads: (nullable) */
static Request *
add_request (BoshSession     *self,
             RequestKind      kind,
             BoshRequestBody *body,
             const GString   *payloads)
{
  char key[BOSH_KEY_LENGTH + 1];
  char new_key[BOSH_KEY_LENGTH + 1];
  Request *request;

  body->rid = self->window.next_rid;
  body->sid = self->granted.sid;
  if (self->use_key_sequence)
    {
      take_keys (self, kind == REQUEST_CREATION, key, new_key);
      body->key = key[0] != '\0' ? key : NULL;
      body->new_key = new_key[0] != '\0' ? new_key : NULL;
    }
  /* The creation request only announces acknowledgements (§9.1). */
  if (self->use_acknowledgements)
    body->ack = kind == REQUEST_CREATION ? 1 : bosh_window_get_ack (&self->window);

  request = bosh_window_add (&self->window, kind, bosh_request_body_compose (body, payloads));
  request->payload_length = payloads != NULL ? payloads->len : 0;
  request->last_serial = self->outbox.sent_serial;
  request->is_secret = body->is_secret;

  return request;
}

static Request *
compose_empty (BoshSession *self)
{
  BoshRequestBody body = { 0 };

  return add_request (self, REQUEST_EMPTY, &body, NULL);
}

static Request *
compose_payload (BoshSession *self)
{
  GString *payloads = g_string_new (NULL);
  BoshRequestBody body = { .is_secret = bosh_outbox_is_next_sasl (&self->outbox) };
  Stream *stream = bosh_outbox_take_stanzas (&self->outbox, payloads);
  Request *request;

  body.stream = session_get_stream_name (self, stream);
  request = add_request (self, REQUEST_PAYLOAD, &body, payloads);
  request->stream = stream;

  if (body.is_secret)
    bosh_secret_clear_string (&payloads);
  else
    g_string_free (payloads, TRUE);

  return request;
}

static Request *
compose_creation (BoshSession *self)
{
  BoshRequestBody body = { 0 };

  body.creation = TRUE;
  body.to = self->domain;
  body.from = self->from;
  body.route = self->route;
  body.language = self->language;
  body.content = self->content;
  body.wait = self->granted.wait;
  body.hold = self->granted.hold;

  return add_request (self, REQUEST_CREATION, &body, NULL);
}

/* The restart of another stream than the first has no `to`: it goes to the domain for
 * which that stream was opened. */
static Request *
compose_restart (BoshSession *self)
{
  Restart *restart = g_queue_pop_head (&self->restarts);
  BoshRequestBody body = { 0 };
  Request *request;

  body.restart = TRUE;
  if (restart->stream == session_get_first_stream (self))
    body.to = self->domain;
  body.stream = session_get_stream_name (self, restart->stream);
  body.from = restart->from;
  body.language = self->language;

  request = add_request (self, REQUEST_RESTART, &body, NULL);
  request->stream = restart->stream;
  request->restart_serial = restart->serial;
  g_free (restart->from);
  g_free (restart);

  return request;
}

static Request *
compose_pause (BoshSession *self)
{
  BoshRequestBody body = { 0 };

  body.pause = self->pause.wanted;

  return add_request (self, REQUEST_PAUSE, &body, NULL);
}

/* It takes along what is queued, and the last stanza. */
static Request *
compose_terminate (BoshSession *self)
{
  g_autoptr(GString) payloads = g_string_new (NULL);
  BoshRequestBody body = { 0 };

  self->termination.sent_before = self->outbox.sent_serial;
  body.terminate = TRUE;
  body.stream = session_get_stream_name (self, bosh_outbox_take_stanzas (&self->outbox, payloads));
  bosh_outbox_take_last (&self->outbox, payloads);
  self->termination.wanted = FALSE;

  return add_request (self, REQUEST_TERMINATE, &body, payloads);
}

/* §16.3 */
static Request *
compose_open_stream (BoshSession *self)
{
  QueueEntry *order = bosh_outbox_take (&self->outbox);
  BoshRequestBody body = { 0 };

  body.opens_stream = TRUE;
  body.to = order->to;
  body.from = order->from;
  body.language = self->language;
  g_queue_push_tail (&self->opening, GSIZE_TO_POINTER (order->serial));

  return add_request (self, REQUEST_OPEN_STREAM, &body, NULL);
}

/* §16.5 */
static Request *
compose_close_stream (BoshSession *self)
{
  QueueEntry *order = bosh_outbox_take (&self->outbox);
  BoshRequestBody body = { 0 };
  Request *request;

  body.terminate = TRUE;
  body.stream = session_get_stream_name (self, order->stream);

  request = add_request (self, REQUEST_CLOSE_STREAM, &body, NULL);
  request->stream = order->stream;

  return request;
}

static Request *
compose (BoshSession *self,
         RequestKind  kind)
{
  switch (kind)
    {
    case REQUEST_PAYLOAD:
      return compose_payload (self);
    case REQUEST_CREATION:
      return compose_creation (self);
    case REQUEST_RESTART:
      return compose_restart (self);
    case REQUEST_PAUSE:
      return compose_pause (self);
    case REQUEST_TERMINATE:
      return compose_terminate (self);
    case REQUEST_OPEN_STREAM:
      return compose_open_stream (self);
    case REQUEST_CLOSE_STREAM:
      return compose_close_stream (self);
    case REQUEST_EMPTY:
    default:
      return compose_empty (self);
    }
}

Request *
session_compose (BoshSession *self,
                 RequestKind  kind)
{
  guint64 serial_before = self->outbox.sent_serial;
  Request *request = compose (self, kind);

  request->serial_before = serial_before;

  return request;
}

void
session_refill (BoshSession *self,
                Request     *request)
{
  QueueEntry *next = g_queue_peek_head (&self->outbox.queue);
  g_autoptr(GString) payloads = g_string_new (NULL);
  GBytes *bytes;

  request->refused = FALSE;
  if (next == NULL || next->kind != ENTRY_STANZA || next->is_sasl || next->stream != request->stream)
    return;

  bosh_outbox_take_stanzas (&self->outbox, payloads);
  bytes = bosh_request_body_replace (request->bytes, 0, payloads);
  g_bytes_unref (request->bytes);
  request->bytes = bytes;
  request->kind = REQUEST_PAYLOAD;
  request->payload_length = payloads->len;
  request->last_serial = self->outbox.sent_serial;
}
