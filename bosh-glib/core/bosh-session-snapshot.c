/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-session-snapshot-private.h"

#include "bosh-element-private.h"
#include "bosh-limits-private.h"
#include "bosh-secret-clear-private.h"
#include "bosh-xml-text-private.h"

#include <string.h>

static void
clear_unanswered (gpointer data)
{
  BoshSnapshotRequest *request = data;

  g_clear_pointer (&request->body, g_bytes_unref);
}

static void
clear_stream (gpointer data)
{
  BoshSnapshotStream *stream = data;

  g_clear_pointer (&stream->name, g_free);
}

BoshSessionSnapshot *
bosh_session_snapshot_new (void)
{
  BoshSessionSnapshot *self = g_new0 (BoshSessionSnapshot, 1);

  self->unanswered = g_array_new (FALSE, FALSE, sizeof (BoshSnapshotRequest));
  g_array_set_clear_func (self->unanswered, clear_unanswered);
  self->unsent = g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);
  self->unsent_streams = g_ptr_array_new_with_free_func (g_free);
  self->received = g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);
  self->received_streams = g_ptr_array_new_with_free_func (g_free);
  self->streams = g_array_new (FALSE, FALSE, sizeof (BoshSnapshotStream));
  g_array_set_clear_func (self->streams, clear_stream);

  return self;
}

void
bosh_session_snapshot_free (BoshSessionSnapshot *self)
{
  g_free (self->domain);
  bosh_secret_clear (&self->session_id);
  g_array_unref (self->unanswered);
  g_ptr_array_unref (self->unsent);
  g_ptr_array_unref (self->unsent_streams);
  g_ptr_array_unref (self->received);
  g_ptr_array_unref (self->received_streams);
  g_array_unref (self->streams);
  g_free (self->accept);
  g_free (self->language);
  g_free (self->version);
  bosh_secret_clear (&self->key_seed);
  g_free (self);
}

guint64
bosh_session_snapshot_get_first_rid (const BoshSessionSnapshot *self)
{
  if (self->unanswered->len > 0)
    return g_array_index (self->unanswered, BoshSnapshotRequest, 0).rid;

  return self->next_rid;
}

void
bosh_session_snapshot_add_unanswered (BoshSessionSnapshot *self,
                                      guint64              rid,
                                      GBytes              *body,
                                      gboolean             has_payload)
{
  BoshSnapshotRequest request;

  request.rid = rid;
  request.body = g_bytes_ref (body);
  request.has_payload = has_payload;
  g_array_append_val (self->unanswered, request);
}

void
bosh_session_snapshot_add_unsent (BoshSessionSnapshot *self,
                                  BoshElement         *stanza,
                                  const char          *stream)
{
  g_ptr_array_add (self->unsent, bosh_element_ref (stanza));
  g_ptr_array_add (self->unsent_streams, g_strdup (stream));
}

void
bosh_session_snapshot_add_received (BoshSessionSnapshot *self,
                                    BoshElement         *stanza,
                                    const char          *stream)
{
  bosh_element_seal (stanza);
  g_ptr_array_add (self->received, bosh_element_ref (stanza));
  g_ptr_array_add (self->received_streams, g_strdup (stream));
}

void
bosh_session_snapshot_add_stream (BoshSessionSnapshot *self,
                                  const char          *name,
                                  gboolean             closed)
{
  BoshSnapshotStream stream = { g_strdup (name), closed };

  g_array_append_val (self->streams, stream);
}

gboolean
bosh_session_is_cookie (const char *text)
{
  return text[0] != '\0' && strlen (text) <= BOSH_SESSION_MAX_COOKIE_LENGTH &&
         strpbrk (text, "\r\n") == NULL && bosh_xml_is_valid_text (text, -1);
}
