/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "model-internal.h"

/* A report is sent for responses that are older than this. */
#define REPORT_AFTER (MODEL_SECOND / 2)

/* @take: and expect the next one from now on. */
gboolean
model_check_key (ModelManager *self,
                 BoshElement  *request,
                 gboolean      take)
{
  const char *key = bosh_element_get_attribute (request, "key");
  const char *new_key = bosh_element_get_attribute (request, "newkey");

  if (!self->options.checks_keys)
    return TRUE;

  if (self->key != NULL)
    {
      g_autofree char *hashed = NULL;

      if (key == NULL)
        return FALSE;
      hashed = g_compute_checksum_for_string (G_CHECKSUM_SHA1, key, -1);
      if (!g_str_equal (hashed, self->key))
        return FALSE;
      coverage_hit (COVERAGE_KEY);
    }

  if (!take)
    return TRUE;

  if (self->key != NULL && new_key != NULL)
    coverage_hit (COVERAGE_KEY_SWITCH);
  g_free (self->key);
  self->key = g_strdup (new_key != NULL ? new_key : key);

  return self->key != NULL;
}

static gboolean
comes_too_soon (ModelManager *self,
                Held         *held,
                gboolean      is_empty)
{
  gint64 interval = self->options.names_polling ? self->options.polling * MODEL_SECOND : 0;
  gint64 since = held->arrived - self->last_request_at;

  /* Early ones came before the last that was processed: that was the network. */
  if (since < 0 || since >= interval)
    return FALSE;

  if (!self->options.polls)
    return is_empty && self->options.requests > 1 && self->held.length == self->options.requests;

  return self->options.polices_all ||
         (is_empty && self->last_was_empty && !self->responded_with_payload);
}

/* §11, §12 */
gboolean
model_check_activity (ModelManager *self,
                      Held         *held)
{
  BoshElement *root = held->body->root;
  gboolean may_exceed = bosh_element_get_attribute (root, "pause") != NULL ||
                        held->body->type == BOSH_BODY_TERMINATE;
  gboolean is_empty = bosh_element_get_n_children (root) == 0 && !may_exceed &&
                      !model_is_restart (root);

  if (self->held.length > self->options.requests + (may_exceed ? 1 : 0) ||
      (!may_exceed && comes_too_soon (self, held, is_empty)))
    return FALSE;

  self->last_request_at = held->arrived;
  self->last_was_empty = is_empty;
  self->responded_with_payload = FALSE;

  return TRUE;
}

/* Which responses have reached the client (§9.2)? */
void
model_take_ack (ModelManager *self,
                Held         *held,
                gint64        now)
{
  const char *text = bosh_element_get_attribute (held->body->root, "ack");
  guint64 acked = text != NULL ? g_ascii_strtoull (text, NULL, 10) : held->rid - 1;
  SentResponse *next;

  if (!self->client_acks)
    {
      g_assert_null (text);
      return;
    }

  /* Never of a response that was not even sent, and never where it says nothing. */
  g_assert_cmpuint (acked, <, held->rid);
  g_assert_true (text == NULL || acked < held->rid - 1);
  for (GList *link = self->held.head; link != NULL; link = link->next)
    g_assert_true (link->data == held || ((Held *)link->data)->rid > acked);

  next = model_find_responded (self, acked + 1);
  if (text != NULL && self->options.reports && next != NULL && now - next->at > REPORT_AFTER)
    {
      self->report = acked + 1;
      self->report_age = now - next->at;
    }

  while (self->options.trims_by_acks && self->responded.length > 0 &&
         ((SentResponse *)self->responded.head->data)->rid <= acked)
    {
      coverage_hit (COVERAGE_TRIMMED);
      model_responded_free (g_queue_pop_head (&self->responded));
    }
}

static void
append_odd_ack (ModelManager *self,
                GString      *text,
                guint64       rid)
{
  coverage_hit (COVERAGE_ODD_ACK);
  switch (self->ack_counter++ % 6)
    {
    case 0: /* redundant */
      g_string_append_printf (text, " ack='%" G_GUINT64_FORMAT "'", rid);
      break;

    case 1: /* low */
      g_string_append_printf (text, " ack='%" G_GUINT64_FORMAT "'", rid - 7);
      break;

    case 2:
      g_string_append (text, " ack='0'");
      break;

    case 3:
      g_string_append (text, " ack='-1'");
      break;

    case 4:
      g_string_append (text, " ack=''");
      break;

    default: /* missing */
      break;
    }
}

void
model_append_acks (ModelManager *self,
                   GString      *text,
                   guint64       rid)
{
  if (!self->exists)
    return;

  /* Only if it is not the request of the response (§9.1). */
  if (self->options.acknowledges && self->options.odd_acks && self->ack_counter++ % 2 == 0)
    {
      append_odd_ack (self, text, rid);
    }
  else if (self->options.acknowledges && self->next_rid - 1 != rid)
    {
      coverage_hit (COVERAGE_ACK);
      g_string_append_printf (text, " ack='%" G_GUINT64_FORMAT "'", self->next_rid - 1);
    }

  if (self->report != 0)
    {
      coverage_hit (COVERAGE_REPORT);
      g_string_append_printf (text, " report='%" G_GUINT64_FORMAT "' time='%" G_GINT64_FORMAT "'",
                              self->report, self->report_age / 1000);
      self->report = 0;
    }
}
