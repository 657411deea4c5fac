/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "model-internal.h"

#include "bosh-xml-writer-private.h"

void
model_responded_free (SentResponse *responded)
{
  g_free (responded->text);
  g_free (responded);
}

SentResponse *
model_find_responded (ModelManager *self,
                      guint64       rid)
{
  for (GList *link = self->responded.head; link != NULL; link = link->next)
    {
      SentResponse *responded = link->data;

      if (responded->rid == rid)
        return responded;
    }

  return NULL;
}

/* ejabberd: the response to a request that was repeated while it was held has the
 * attributes of the request, and if it has nothing else, its stanzas. */
static void
append_echo (Held       *held,
             GString    *text,
             const char *payloads,
             GString    *content)
{
  BoshElement *root = held->body->root;

  for (guint i = 0; i < bosh_element_get_n_attributes (root); i++)
    {
      const char *ns;
      const char *value;
      const char *name = bosh_element_get_nth_attribute (root, i, &ns, &value);

      if (ns == NULL)
        g_string_append_printf (text, " %s='%s'", name, value);
    }

  coverage_hit (COVERAGE_ECHO);
  if (payloads[0] != '\0' || bosh_element_get_n_children (root) == 0)
    return;

  coverage_hit (COVERAGE_ECHO_PAYLOAD);
  for (guint i = 0; i < bosh_element_get_n_children (root); i++)
    bosh_xml_append_element (content, bosh_element_get_nth_child (root, i), BOSH_NS_HTTPBIND,
                             BOSH_NS_CLIENT, NULL);
}

static void
remember (ModelManager *self,
          guint64       rid,
          const char   *text,
          gint64        now)
{
  SentResponse *responded = g_new0 (SentResponse, 1);

  responded->rid = rid;
  responded->at = now;
  responded->text = g_strdup (text);
  g_queue_push_tail (&self->responded, responded);
  while (self->responded.length > (self->options.two_responses ? 2 : MAX (self->options.requests, 2)))
    model_responded_free (g_queue_pop_head (&self->responded));
}

/* Responds to the request and forgets it; the response is kept for repeats. */
void
model_respond (ModelManager *self,
               Held         *held,
               const char   *attributes,
               const char   *payloads,
               gint64        now)
{
  g_autoptr(GString) text = g_string_new ("<body xmlns='" BOSH_NS_HTTPBIND "'");
  g_autoptr(GString) content = g_string_new (payloads);

  if (held->repeated && self->options.echoes && attributes[0] == '\0')
    append_echo (held, text, payloads, content);
  else
    model_append_acks (self, text, held->rid);
  g_string_append_printf (text, "%s>%s</body>", attributes, content->str);
  remember (self, held->rid, text->str, now);

  if (held->rid == self->next_rid - 1)
    self->responded_with_payload = payloads[0] != '\0';
  g_queue_remove (&self->held, held);
  if (!held->gone)
    self->respond (held->connection, 200, text->str, self->user_data);
  model_held_free (held);
  if (self->held.length == 0)
    self->idle_since = now;
}

Held *
model_find_reachable (ModelManager *self)
{
  for (GList *link = self->held.head; link != NULL; link = link->next)
    if (!((Held *)link->data)->gone)
      return link->data;

  return NULL;
}

/* Gives the client what there is, and releases what is held too much. */
void
model_flush (ModelManager *self,
             gint64        now)
{
  Held *held = self->options.responds_on_newest ? g_queue_peek_tail (&self->held)
                                                : model_find_reachable (self);
  guint hold = self->options.never_holds ? 0 : self->options.hold;

  if (self->end != NULL)
    return;

  if (self->outgoing->len > 0 && held != NULL && !held->gone)
    {
      g_autofree char *payloads = g_strdup (self->outgoing->str);

      g_string_truncate (self->outgoing, 0);
      /* Responses are sent in order: the older one first. */
      while (g_queue_peek_head (&self->held) != held)
        model_respond (self, g_queue_peek_head (&self->held), "", "", now);
      model_respond (self, held, "", payloads, now);
    }

  while (self->held.length > hold && (hold > 0 || model_find_reachable (self) != NULL))
    {
      if (self->options.never_holds)
        coverage_hit (COVERAGE_NEVER_HOLDS);
      model_respond (self, g_queue_peek_head (&self->held), "", "", now);
    }
}

void
model_end (ModelManager *self,
           const char   *condition,
           const char   *content,
           gint64        now)
{
  g_autofree char *attributes = NULL;

  if (self->end != NULL)
    return;

  self->end = g_strdup (condition);
  attributes = condition[0] == '\0' ? g_strdup (" type='terminate'")
                                    : g_strdup_printf (" type='terminate' condition='%s'", condition);
  if (model_find_reachable (self) == NULL)
    self->farewell = g_strdup_printf ("<body xmlns='" BOSH_NS_HTTPBIND "'%s>%s%s</body>", attributes,
                                      self->outgoing->str, content);

  /* What could not be delivered goes with the first. */
  while (self->held.length > 0)
    {
      g_autofree char *all = g_strconcat (self->outgoing->str, content, NULL);

      g_string_truncate (self->outgoing, 0);
      model_respond (self, g_queue_peek_head (&self->held), attributes, all, now);
      content = "";
    }
}
