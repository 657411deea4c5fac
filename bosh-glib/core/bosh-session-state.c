/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-session-state-private.h"

#include "bosh-i18n-private.h"
#include "bosh-secret-clear-private.h"
#include "bosh-session-timing-private.h"

#include <string.h>

static void
stream_free (Stream *self)
{
  g_free (self->name);
  g_free (self);
}

static void
restart_free (Restart *self)
{
  g_free (self->from);
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

/* Everything unpredictable comes from the entropy given at the start, by
 * HMAC-SHA-256 over a text that occurs only once. */
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
  self->window.next_rid = 1 + draw_number (self, "rid", G_GUINT64_CONSTANT (1) << 52);
}

static void
init_times (BoshSession *self)
{
  self->pause.until = NEVER;
  self->termination.exceed_at = NEVER;
  self->termination.responses_until = NEVER;
  self->termination.give_up_at = NEVER;
  self->network.probe_at = NEVER;
  self->network.probed_at = NEVER;
  self->hand_over_at = NEVER;
  self->reply_expected_until = NEVER;
  self->last_new_at = NEVER;
  self->round_trip = NEVER;
  self->poll_at = NEVER;
  self->path_patience = NEVER;
  self->deadline = NEVER;
}

BoshSession *
session_new (const BoshSessionParameters *parameters)
{
  BoshSession *self = g_new0 (BoshSession, 1);

  self->domain = g_strdup (parameters->domain);
  self->route = g_strdup (parameters->route);
  self->from = g_strdup (parameters->from);
  self->language = g_strdup (parameters->language);
  self->content = g_strdup (parameters->content);
  self->uri = g_strdup (parameters->uri);
  self->granted.wait = parameters->wait;
  self->granted.hold = parameters->hold;
  self->use_acknowledgements = parameters->use_acknowledgements;
  self->use_key_sequence = parameters->use_key_sequence;
  self->key_sequence_length = parameters->key_sequence_length;
  self->compress_requests = parameters->compress_requests;
  self->pause_on_detach = parameters->pause_on_detach;
  memcpy (self->entropy, parameters->entropy, sizeof self->entropy);

  bosh_window_init (&self->window);
  bosh_outbox_init (&self->outbox, parameters->max_request_size);
  session_draw_rid (self);
  self->jitter = 1 + draw_number (self, "jitter", G_MAXUINT32);

  g_queue_init (&self->restarts);
  g_queue_init (&self->opening);
  g_queue_init (&self->actions);
  self->streams = g_ptr_array_new_with_free_func ((GDestroyNotify)stream_free);
  g_ptr_array_add (self->streams, g_new0 (Stream, 1));
  init_times (self);

  return self;
}

void
session_free (BoshSession *self)
{
  bosh_window_clear (&self->window);
  bosh_outbox_clear (&self->outbox);
  g_queue_clear_full (&self->restarts, (GDestroyNotify)restart_free);
  g_queue_clear_full (&self->actions, (GDestroyNotify)action_free);
  g_queue_clear (&self->opening);
  g_ptr_array_unref (self->streams);
  g_clear_pointer (&self->keys, bosh_key_sequence_free);
  g_clear_error (&self->error);
  g_clear_error (&self->reason);
  g_free (self->domain);
  g_free (self->route);
  g_free (self->from);
  g_free (self->language);
  g_free (self->content);
  g_free (self->uri);
  g_free (self->see_other_uri);
  bosh_secret_clear (&self->granted.sid);
  g_free (self->granted.version);
  g_free (self->granted.accept);
  g_free (self->granted.charsets);
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

void
session_close (BoshSession *self,
               GError      *error)
{
  session_abandon_all (self);
  session_set_state (self, BOSH_SESSION_CLOSED);
  self->error = self->reason != NULL ? g_steal_pointer (&self->reason) : error;
  if (self->error != error)
    g_clear_error (&error);
  session_push_action (self, BOSH_ACTION_CLOSED)->error =
    self->error != NULL ? g_error_copy (self->error) : NULL;
}

gboolean
session_is_live (BoshSession *self)
{
  return self->state != BOSH_SESSION_NEW && self->state != BOSH_SESSION_DETACHED &&
         self->state != BOSH_SESSION_CLOSED;
}

gboolean
session_check_live (BoshSession  *self,
                    GError      **error)
{
  if (self->state == BOSH_SESSION_DETACHED)
    g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_DETACHED,
                         _("The session was handed over"));
  else if (self->state == BOSH_SESSION_CLOSED && self->error != NULL)
    g_set_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                 _("The session has ended: %s"), self->error->message);
  else if (self->state == BOSH_SESSION_CLOSED || self->state == BOSH_SESSION_TERMINATING ||
           self->termination.wanted)
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
session_check_no_login (BoshSession  *self,
                        GError      **error)
{
  if (!bosh_outbox_has_sasl (&self->outbox) && !bosh_window_has_secret (&self->window))
    return TRUE;

  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_LOGGING_IN, _("A login is under way"));

  return FALSE;
}

/* Asked for by wait or hold of 0, or imposed by requests='1'. */
gboolean
session_is_polling (BoshSession *self)
{
  return self->granted.wait == 0 || self->granted.hold == 0 || self->granted.requests == 1;
}

gboolean
session_server_sorts (BoshSession *self)
{
  return self->granted.sorts;
}

/* Metronome, Tigase and Prosody before 0.10 have the `ver` of Prosody, and Punjab has none. */
gboolean
session_server_may_drop (BoshSession *self)
{
  return !self->granted.sorts && (self->granted.version == NULL ||
                                  strcmp (self->granted.version, BOSH_PROSODY_VERSION) == 0);
}

gint64
session_get_held_at (BoshSession *self,
                     Request     *request)
{
  gint64 n_round_trips = self->holding == HOLDING ? 2 : 4;

  return request->written_at + MAX (PROVABLY_HELD, n_round_trips * self->round_trip);
}

void
session_choose_coding (BoshSession *self)
{
  self->coding = self->compress_requests ? bosh_coding_choose (self->granted.accept)
                                         : BOSH_CODING_IDENTITY;
}

void
session_mark_maybe_sent (BoshSession *self,
                         Request     *request)
{
  request->maybe_sent = TRUE;
  bosh_outbox_mark_maybe_sent (&self->outbox, request->last_serial);
}

void
session_abandon (BoshSession *self,
                 Request     *request)
{
  if (!request->in_flight)
    return;

  request->in_flight = FALSE;
  session_mark_maybe_sent (self, request);
  session_push_action (self, BOSH_ACTION_ABANDON)->rid = request->rid;
}

void
session_abandon_all (BoshSession *self)
{
  for (GList *link = self->window.requests.head; link != NULL; link = link->next)
    session_abandon (self, link->data);
}

void
session_fail_stanza (BoshSession *self,
                     guint64      serial,
                     GError      *error)
{
  BoshAction *action = session_push_action (self, BOSH_ACTION_STANZA_FAILED);

  action->serial = serial;
  action->error = error;
}

void
session_deliver_up_to (BoshSession *self,
                       guint64      serial)
{
  if (!bosh_outbox_deliver_up_to (&self->outbox, serial))
    return;

  bosh_window_release (&self->window, serial);
  if (bosh_outbox_is_delivered (&self->outbox))
    self->hastened = FALSE;
  session_push_action (self, BOSH_ACTION_DELIVERED)->serial = serial;
}
