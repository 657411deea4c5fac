/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-window-private.h"

#include "bosh-session-timing-private.h"

static void
request_free (Request *self)
{
  g_bytes_unref (self->bytes);
  g_clear_pointer (&self->response, bosh_response_body_free);
  g_free (self);
}

void
bosh_window_init (BoshWindow *self)
{
  self->next_rid = 0;
  g_queue_init (&self->requests);
  g_queue_init (&self->forgotten);
}

void
bosh_window_clear (BoshWindow *self)
{
  g_queue_clear_full (&self->requests, (GDestroyNotify)request_free);
  g_queue_clear_full (&self->forgotten, (GDestroyNotify)request_free);
}

Request *
bosh_window_add_restored (BoshWindow  *self,
                          guint64      rid,
                          RequestKind  kind,
                          GBytes      *bytes)
{
  Request *request = g_new0 (Request, 1);

  request->rid = rid;
  request->kind = kind;
  request->bytes = bytes;
  request->doubted_at = NEVER;
  request->written_at = NEVER;
  request->retry_at = NEVER;
  request->suspect_at = NEVER;
  request->progress_at = NEVER;
  g_queue_push_tail (&self->requests, request);

  return request;
}

Request *
bosh_window_add (BoshWindow  *self,
                 RequestKind  kind,
                 GBytes      *bytes)
{
  return bosh_window_add_restored (self, self->next_rid++, kind, bytes);
}

void
bosh_window_remove (BoshWindow *self,
                    Request    *request)
{
  g_queue_remove (&self->requests, request);
  request_free (request);
}

void
bosh_window_forget (BoshWindow *self,
                    Request    *request,
                    guint64     delivered)
{
  g_queue_remove (&self->requests, request);
  if (request->last_serial > delivered)
    g_queue_push_tail (&self->forgotten, request);
  else
    request_free (request);
}

void
bosh_window_release (BoshWindow *self,
                     guint64     serial)
{
  while (!g_queue_is_empty (&self->forgotten) &&
         ((Request *)g_queue_peek_head (&self->forgotten))->last_serial <= serial)
    request_free (g_queue_pop_head (&self->forgotten));
}

Request *
bosh_window_find (BoshWindow *self,
                  guint64     rid)
{
  for (GList *link = self->requests.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (request->rid == rid)
        return request;
    }

  return NULL;
}

Request *
bosh_window_get_oldest (BoshWindow *self)
{
  return g_queue_peek_head (&self->requests);
}

Request *
bosh_window_get_newest (BoshWindow *self)
{
  return g_queue_peek_tail (&self->requests);
}

Request *
bosh_window_get_next (BoshWindow *self,
                      Request    *request)
{
  GList *link = g_queue_find (&self->requests, request);

  return link != NULL && link->next != NULL ? link->next->data : NULL;
}

guint
bosh_window_get_n_requests (BoshWindow *self)
{
  return self->requests.length;
}

guint
bosh_window_get_n_in_flight (BoshWindow *self)
{
  guint count = 0;

  for (GList *link = self->requests.head; link != NULL; link = link->next)
    count += ((Request *)link->data)->in_flight ? 1 : 0;

  return count;
}

gboolean
bosh_window_has_secret (BoshWindow *self)
{
  GQueue *queues[] = { &self->requests, &self->forgotten };

  for (guint i = 0; i < G_N_ELEMENTS (queues); i++)
    for (GList *link = queues[i]->head; link != NULL; link = link->next)
      {
        if (((Request *)link->data)->is_secret)
          return TRUE;
      }

  return FALSE;
}

guint64
bosh_window_get_in_flight_serial (BoshWindow *self)
{
  guint64 serial = 0;

  for (GList *link = self->requests.head; link != NULL; link = link->next)
    {
      Request *request = link->data;

      if (request->in_flight)
        serial = MAX (serial, request->last_serial);
    }

  return serial;
}

guint64
bosh_window_get_ack (BoshWindow *self)
{
  Request *oldest = bosh_window_get_oldest (self);

  return oldest != NULL ? oldest->rid - 1 : 0;
}

guint64
bosh_window_get_unused_rid (BoshWindow *self)
{
  guint64 rid = self->next_rid;

  for (GList *link = self->requests.tail; link != NULL; link = link->prev)
    {
      Request *request = link->data;

      if (request->maybe_sent)
        break;
      rid = request->rid;
    }

  return rid;
}
