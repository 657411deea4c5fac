/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Several XMPP streams in one session: XEP-0124 §16. The first is always there,
 * and has a name only if the connection manager supports others. A closed one
 * stays known, as payloads for it may still be on their way. */

#include "config.h"

#include "bosh-session-internal.h"

#include "bosh-element-private.h"
#include "bosh-error-private.h"
#include "bosh-i18n-private.h"

#include <string.h>

static void
stream_free (Stream *self)
{
  g_free (self->name);
  g_free (self);
}

GPtrArray *
session_streams_new (void)
{
  GPtrArray *streams = g_ptr_array_new_with_free_func ((GDestroyNotify)stream_free);

  g_ptr_array_add (streams, g_new0 (Stream, 1));

  return streams;
}

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

static guint
count_open (BoshSession *self)
{
  guint count = 0;

  for (guint i = 0; i < self->streams->len; i++)
    {
      Stream *stream = g_ptr_array_index (self->streams, i);

      count += stream->closing || stream->closed ? 0 : 1;
    }

  return count;
}

/* The name to put on a request: none as long as there was but one stream, and
 * none for all of them (§16.4). */
const char *
session_get_stream_name (BoshSession *self,
                         Stream      *stream)
{
  return stream != NULL && self->streams->len > 1 ? stream->name : NULL;
}

gboolean
session_has_streams (BoshSession *self)
{
  return self->streams->len > 1;
}

static gboolean
check_support (BoshSession  *self,
               GError      **error)
{
  if (session_get_first_stream (self)->name != NULL)
    return TRUE;

  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_SUPPORTED,
                       _("The server does not offer several streams in a session"));

  return FALSE;
}

/* The open stream of that name. */
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
  Stanza *order;
  guint count = self->streams->len + self->opening.length;

  if (!session_check_open (self, error) || !check_support (self, error))
    return FALSE;

  for (GList *link = self->queue.head; link != NULL; link = link->next)
    count += ((Stanza *)link->data)->kind == ORDER_OPEN_STREAM ? 1 : 0;
  if (count >= MAX_STREAMS)
    {
      g_set_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                   _("A session can't have more than %d streams"), MAX_STREAMS);
      return FALSE;
    }

  order = g_new0 (Stanza, 1);
  order->kind = ORDER_OPEN_STREAM;
  order->to = g_strdup (to);
  order->from = g_strdup (from);
  session_queue_order (self, order);
  bosh_session_hasten (self);
  *serial = order->serial;

  return TRUE;
}

gboolean
bosh_session_close_stream (BoshSession  *self,
                           const char   *name,
                           BoshElement  *payload,
                           guint64      *serial,
                           GError      **error)
{
  Stanza *order;
  Stream *stream;

  *serial = 0;
  if (!session_check_open (self, error) || !check_support (self, error))
    return FALSE;

  stream = get_open_stream (self, name, error);
  if (stream == NULL)
    return FALSE;

  /* The last one takes the session with it (§16.5). */
  if (count_open (self) == 1)
    return bosh_session_terminate (self, payload, error);

  if (payload != NULL && !bosh_session_queue_to (self, payload, name, NULL, error))
    return FALSE;

  stream->closing = TRUE;
  order = g_new0 (Stanza, 1);
  order->kind = ORDER_CLOSE_STREAM;
  order->stream = stream;
  session_queue_order (self, order);
  bosh_session_hasten (self);
  *serial = stream->order = order->serial;

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

  if (!session_check_open (self, error) || !check_support (self, error))
    return FALSE;

  if (name != NULL)
    {
      stream = get_open_stream (self, name, error);
      if (stream == NULL)
        return FALSE;
    }

  return session_queue_stanza (self, payload, stream, serial, error);
}

gboolean
bosh_session_restart_stream (BoshSession  *self,
                             const char   *name,
                             guint64      *serial,
                             GError      **error)
{
  Stream *stream;

  if (!session_check_open (self, error) || !check_support (self, error))
    return FALSE;

  stream = get_open_stream (self, name, error);
  if (stream == NULL)
    return FALSE;

  *serial = session_queue_restart (self, stream, NULL);

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

/* What waits for a stream that is no more can't be sent, but is not forgotten. */
static void
strand_stanzas (BoshSession *self,
                Stream      *stream)
{
  GList *link = self->queue.head;

  while (link != NULL)
    {
      GList *next = link->next;
      Stanza *stanza = link->data;

      if (stanza->stream == stream)
        {
          if (stanza->kind == ORDER_STANZA)
            session_push_action (self, BOSH_ACTION_STRANDED)->serial = stanza->serial;
          g_queue_unlink (&self->queue, link);
          g_queue_push_tail_link (&self->stranded, link);
        }
      link = next;
    }
}

/* The end of one stream, whoever wanted it. Takes @error. */
void
session_close_stream (BoshSession *self,
                      Stream      *stream,
                      GError      *error)
{
  BoshAction *action = session_push_action (self, BOSH_ACTION_STREAM_CLOSED);

  stream->closed = TRUE;
  strand_stanzas (self, stream);
  action->text = g_strdup (stream->name);
  action->serial = stream->order;
  action->error = error;
}

/* Does it end the session, and not one stream among several? */
gboolean
session_is_end (BoshSession      *self,
                BoshResponseBody *body)
{
  return body->type == BOSH_BODY_TERMINATE &&
         (body->stream == NULL || session_get_first_stream (self)->name == NULL);
}

/* A fatal error, or the end, of one stream among several (§16.5, §16.6). FALSE
 * if it is the end of the session. */
gboolean
session_handle_stream_end (BoshSession      *self,
                           BoshResponseBody *body)
{
  Stream *stream;
  g_autofree char *detail = NULL;
  GError *error = NULL;

  if (body->stream == NULL || session_get_first_stream (self)->name == NULL)
    return FALSE;

  detail = bosh_response_body_dup_detail (body);
  stream = session_find_stream (self, body->stream);
  if (stream == NULL && self->opening.length > 0)
    {
      /* It failed before it had a name that we knew. */
      BoshAction *action = session_push_action (self, BOSH_ACTION_STREAM_CLOSED);

      action->serial = GPOINTER_TO_SIZE (g_queue_pop_head (&self->opening));
      action->error = bosh_error_new_for_condition (body->condition, detail);
      return TRUE;
    }

  if (stream == NULL || (!stream->closing && !stream->closed && count_open (self) == 1))
    return FALSE;

  if (!stream->closed)
    {
      if (body->condition != NULL)
        error = bosh_error_new_for_condition (body->condition, detail);
      session_close_stream (self, stream, error);
    }

  return TRUE;
}

/* The stream of the payloads of @body, NULL if they are of none that is open.
 * @known: the session can go on (§16.4). */
Stream *
session_get_response_stream (BoshSession      *self,
                             BoshResponseBody *body,
                             gboolean         *known)
{
  Stream *first = session_get_first_stream (self);
  gboolean is_empty = bosh_element_get_n_children (body->root) == 0;
  Stream *stream;

  *known = TRUE;
  if (first->name == NULL || body->stream == NULL)
    return first;  /* even if it is closed */

  stream = session_find_stream (self, body->stream);
  if (stream != NULL)
    return stream->closed ? NULL : stream;

  if (self->opening.length > 0 && self->streams->len < MAX_STREAMS &&
      body->type != BOSH_BODY_TERMINATE)
    {
      BoshAction *action = session_push_action (self, BOSH_ACTION_STREAM_OPENED);

      stream = session_add_stream (self, body->stream);
      action->text = g_strdup (stream->name);
      action->serial = GPOINTER_TO_SIZE (g_queue_pop_head (&self->opening));
      return stream;
    }

  /* The end of one needs no name that we know, whatever it says. */
  *known = is_empty || body->type == BOSH_BODY_TERMINATE;

  return NULL;
}
