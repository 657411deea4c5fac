/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-session-private.h"

#include <string.h>

static void
clear_unanswered (gpointer data)
{
  BoshUnansweredRequest *request = data;

  g_clear_pointer (&request->body, g_bytes_unref);
}

/* The session id and the seed of the keys are as good as a password. */
static void
free_secret (char *secret)
{
  if (secret == NULL)
    return;
  explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

BoshSavedSession *
bosh_saved_session_new (void)
{
  BoshSavedSession *self = g_new0 (BoshSavedSession, 1);

  self->unanswered = g_array_new (FALSE, FALSE, sizeof (BoshUnansweredRequest));
  g_array_set_clear_func (self->unanswered, clear_unanswered);
  self->unsent = g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);

  return self;
}

BoshSavedSession *
bosh_saved_session_copy (const BoshSavedSession *self)
{
  BoshSavedSession *copy = bosh_saved_session_new ();

  copy->domain = g_strdup (self->domain);
  copy->session_id = g_strdup (self->session_id);
  copy->next_rid = self->next_rid;
  for (guint i = 0; i < self->unanswered->len; i++)
    {
      const BoshUnansweredRequest *request;

      request = &g_array_index (self->unanswered, BoshUnansweredRequest, i);
      bosh_saved_session_add_unanswered (copy, request->rid, request->body,
                                         request->has_payload);
    }
  for (guint i = 0; i < self->unsent->len; i++)
    g_ptr_array_add (copy->unsent,
                     bosh_element_ref (g_ptr_array_index (self->unsent, i)));
  copy->language = g_strdup (self->language);
  copy->version = g_strdup (self->version);
  copy->wait = self->wait;
  copy->hold = self->hold;
  copy->requests = self->requests;
  copy->inactivity = self->inactivity;
  copy->polling = self->polling;
  copy->max_pause = self->max_pause;
  copy->acknowledges = self->acknowledges;
  copy->acknowledging = self->acknowledging;
  copy->key_seed = g_strdup (self->key_seed);
  copy->key_length = self->key_length;
  copy->key_position = self->key_position;

  return copy;
}

void
bosh_saved_session_free (BoshSavedSession *self)
{
  g_free (self->domain);
  free_secret (self->session_id);
  g_array_unref (self->unanswered);
  g_ptr_array_unref (self->unsent);
  g_free (self->language);
  g_free (self->version);
  free_secret (self->key_seed);
  g_free (self);
}

guint64
bosh_saved_session_get_first_rid (const BoshSavedSession *self)
{
  if (self->unanswered->len > 0)
    return g_array_index (self->unanswered, BoshUnansweredRequest, 0).rid;

  return self->next_rid;
}

void
bosh_saved_session_add_unanswered (BoshSavedSession *self,
                                   guint64           rid,
                                   GBytes           *body,
                                   gboolean          has_payload)
{
  BoshUnansweredRequest request;

  request.rid = rid;
  request.body = g_bytes_ref (body);
  request.has_payload = has_payload;
  g_array_append_val (self->unanswered, request);
}
