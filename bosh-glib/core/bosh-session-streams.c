/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Several XMPP streams in one session: XEP-0124 §16. The first stream always exists,
 * and has a name only if the connection manager supports others. A closed stream
 * stays in the table, because payloads for it may still be on their way. */

#include "config.h"

#include "bosh-session-streams-private.h"

#include "bosh-i18n-private.h"
#include "bosh-limits-private.h"

#include <string.h>

Stream *
session_get_first_stream (BoshSession *self)
{
  return g_ptr_array_index (self->streams, 0);
}

Stream *
session_find_stream (BoshSession *self,
                     const char  *name)
{
  for (guint i = 0; i < self->streams->len; i++)
    {
      Stream *stream = g_ptr_array_index (self->streams, i);

      if (g_strcmp0 (stream->name, name) == 0)
        return stream;
    }

  return NULL;
}

Stream *
session_add_stream (BoshSession *self,
                    const char  *name)
{
  Stream *stream = g_new0 (Stream, 1);

  stream->name = g_strdup (name);
  g_ptr_array_add (self->streams, stream);

  return stream;
}

gboolean
session_has_streams (BoshSession *self)
{
  return self->streams->len > 1;
}

guint
session_count_open_streams (BoshSession *self)
{
  guint count = 0;

  for (guint i = 0; i < self->streams->len; i++)
    {
      Stream *stream = g_ptr_array_index (self->streams, i);

      count += stream->closing || stream->closed ? 0 : 1;
    }

  return count;
}

/* A request has no name of a stream while there was only one, nor if it is for all
 * of them. */
const char *
session_get_stream_name (BoshSession *self,
                         Stream      *stream)
{
  return stream != NULL && session_has_streams (self) ? stream->name : NULL;
}

void
session_close_stream (BoshSession *self,
                      Stream      *stream,
                      GError      *error)
{
  BoshAction *action = session_push_action (self, BOSH_ACTION_STREAM_CLOSED);
  g_autoptr(GArray) stranded = bosh_outbox_strand (&self->outbox, stream);

  for (guint i = 0; i < stranded->len; i++)
    session_fail_stanza (self, g_array_index (stranded, guint64, i),
                         g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                                              _("The stream was closed")));
  stream->closed = TRUE;
  action->text = g_strdup (stream->name);
  action->serial = stream->close_serial;
  action->error = error;
}

/* A stream that was requested has ended before the response with its name. */
static void
fail_opening (BoshSession *self,
              GError      *error)
{
  BoshAction *action = session_push_action (self, BOSH_ACTION_STREAM_CLOSED);

  action->serial = GPOINTER_TO_SIZE (g_queue_pop_head (&self->opening));
  action->error = error;
}

gboolean
session_is_end (BoshSession      *self,
                BoshResponseBody *body)
{
  return body->type == BOSH_BODY_TERMINATE &&
         (body->stream == NULL || session_get_first_stream (self)->name == NULL);
}

gboolean
session_handle_stream_end (BoshSession      *self,
                           BoshResponseBody *body)
{
  Stream *stream;
  GError *error = NULL;

  if (body->stream == NULL || session_get_first_stream (self)->name == NULL)
    return FALSE;

  stream = session_find_stream (self, body->stream);
  if (stream == NULL && self->opening.length > 0)
    {
      fail_opening (self, bosh_response_body_new_error (body));
      return TRUE;
    }

  if (stream == NULL ||
      (!stream->closing && !stream->closed && session_count_open_streams (self) == 1))
    return FALSE;

  if (!stream->closed)
    {
      if (body->condition != NULL)
        error = bosh_response_body_new_error (body);
      session_close_stream (self, stream, error);
    }

  return TRUE;
}

Stream *
session_get_response_stream (BoshSession      *self,
                             BoshResponseBody *body,
                             gboolean         *known)
{
  Stream *first = session_get_first_stream (self);
  Stream *stream;

  *known = TRUE;
  if (first->name == NULL || body->stream == NULL)
    return first;  /* even if it is closed */

  stream = session_find_stream (self, body->stream);
  if (stream != NULL)
    return stream->closed ? NULL : stream;

  /* An unknown name is that of the oldest stream that has none yet. */
  if (self->opening.length > 0 && self->streams->len < BOSH_SESSION_MAX_STREAMS &&
      strlen (body->stream) <= BOSH_SESSION_MAX_NAME_LENGTH && body->type != BOSH_BODY_TERMINATE)
    {
      BoshAction *action = session_push_action (self, BOSH_ACTION_STREAM_OPENED);

      stream = session_add_stream (self, body->stream);
      action->text = g_strdup (stream->name);
      action->serial = GPOINTER_TO_SIZE (g_queue_pop_head (&self->opening));
      return stream;
    }

  /* The end of a stream may name one that we never knew. */
  *known = body->n_children == 0 || body->type == BOSH_BODY_TERMINATE;

  return NULL;
}
