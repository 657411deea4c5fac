/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "model-internal.h"

#define PROSODY_FEATURES \
  "<stream:features xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'/>"

void
model_held_free (Held *held)
{
  bosh_response_body_free (held->body);
  g_free (held);
}

ModelManager *
model_manager_new (const ModelOptions *options,
                   ModelResponseFunc   respond,
                   ModelStanzaFunc     stanza,
                   gpointer            user_data)
{
  ModelManager *self = g_new0 (ModelManager, 1);

  self->options = *options;
  self->respond = respond;
  self->stanza = stanza;
  self->user_data = user_data;
  self->outgoing = g_string_new (NULL);
  g_queue_init (&self->held);
  g_queue_init (&self->early);
  g_queue_init (&self->responded);

  return self;
}

void
model_manager_free (ModelManager *self)
{
  g_queue_clear_full (&self->held, (GDestroyNotify)model_held_free);
  g_queue_clear_full (&self->early, (GDestroyNotify)model_held_free);
  g_queue_clear_full (&self->responded, (GDestroyNotify)model_responded_free);
  g_string_free (self->outgoing, TRUE);
  g_free (self->farewell);
  g_free (self->end);
  g_free (self->key);
  g_free (self);
}

Held *
model_find (GQueue  *queue,
            guint64  rid)
{
  for (GList *link = queue->head; link != NULL; link = link->next)
    if (((Held *)link->data)->rid == rid)
      return link->data;

  return NULL;
}

gboolean
model_is_restart (BoshElement *request)
{
  return g_strcmp0 (bosh_element_get_attribute_ns (request, "restart", BOSH_NS_XBOSH), "true") == 0;
}

void
model_refuse (ModelManager *self,
              guint         connection,
              const char   *condition)
{
  g_autofree char *text =
    g_strdup_printf ("<body xmlns='" BOSH_NS_HTTPBIND "' type='terminate' condition='%s'/>", condition);

  if (self->unknown_status != 0 && self->unknown_status != 200)
    self->respond (connection, self->unknown_status, "<html>no such session</html>", self->user_data);
  else
    self->respond (connection, 200, text, self->user_data);
}

static void
refuse_and_end (ModelManager *self,
                guint         connection,
                gint64        now)
{
  model_end (self, "item-not-found", "", now);
  g_clear_pointer (&self->farewell, g_free);
  model_refuse (self, connection, "item-not-found");
}

static void
pause_session (ModelManager *self,
               Held         *held,
               guint64       seconds,
               gint64        now)
{
  while (g_queue_peek_head (&self->held) != held)
    model_respond (self, g_queue_peek_head (&self->held), "", "", now);

  if (self->options.ignores_pause_request)
    {
      coverage_hit (COVERAGE_PAUSE_IGNORED);
      self->ignored_rid = held->rid;
      model_held_free (g_queue_pop_head (&self->held));
    }
  else
    {
      coverage_hit (COVERAGE_PAUSE_RESPONDED);
      model_respond (self, held, "", "", now);
    }

  self->pause = (gint64)seconds * MODEL_SECOND;
  self->idle_since = now;
}

static void
give_stanzas (ModelManager *self,
              BoshElement  *request,
              gboolean      dropped)
{
  for (guint i = 0; i < bosh_element_get_n_children (request); i++)
    self->stanza (bosh_element_get_attribute (bosh_element_get_nth_child (request, i), "id"),
                  dropped, self->user_data);
}

static void
process (ModelManager *self,
         Held         *held,
         gint64        now)
{
  BoshElement *root = held->body->root;
  const char *pause = bosh_element_get_attribute (root, "pause");
  gboolean is_end = held->body->type == BOSH_BODY_TERMINATE;

  model_take_ack (self, held, now);
  self->next_rid = held->rid + 1;
  self->pause = 0;
  self->error_counter++;
  g_queue_push_tail (&self->held, held);

  if (!model_check_key (self, root, TRUE))
    {
      model_end (self, "item-not-found", "", now);
      return;
    }

  if (!model_check_activity (self, held))
    {
      model_end (self, "policy-violation", "", now);
      return;
    }

  give_stanzas (self, root, FALSE);
  if (model_is_restart (root))
    self->stanza (NULL, FALSE, self->user_data);

  if (is_end)
    model_end (self, "", "", now);
  else if (pause == NULL)
    model_flush (self, now);
  else if (g_ascii_strtoull (pause, NULL, 10) > self->options.max_pause)
    model_end (self, "policy-violation", "", now);
  else
    pause_session (self, held, g_ascii_strtoull (pause, NULL, 10), now);
}

static void
handle_repeat_of_held (ModelManager *self,
                       Held         *held,
                       guint         connection,
                       gint64        now)
{
  coverage_hit (COVERAGE_REPEAT_OF_HELD);
  if (!held->gone && self->options.repeat == MODEL_REPEAT_IGNORED)
    return;

  if (!held->gone && self->options.repeat == MODEL_REPEAT_EMPTIES_NEW)
    {
      self->respond (connection, 200, "<body xmlns='" BOSH_NS_HTTPBIND "'/>", self->user_data);
      return;
    }

  if (!held->gone && self->options.repeat == MODEL_REPEAT_EMPTIES_OLD)
    {
      coverage_hit (COVERAGE_REPEAT_EMPTIES_OLD);
      self->respond (held->connection, 200, "<body xmlns='" BOSH_NS_HTTPBIND "'/>", self->user_data);
    }

  held->connection = connection;
  held->arrived = now;
  held->gone = FALSE;
  held->repeated = TRUE;
  model_flush (self, now);
}

/* Prosody: one of which nothing is left is held anew if it is the last, else refused;
 * the session goes on. */
static void
handle_repeat_of_forgotten (ModelManager     *self,
                            guint64           rid,
                            guint             connection,
                            BoshResponseBody *body,
                            gint64            now)
{
  Held *held;

  if (rid + 1 != self->next_rid)
    {
      coverage_hit (COVERAGE_FORGOTTEN_REFUSED);
      bosh_response_body_free (body);
      self->respond (connection, 200, "<body xmlns='" BOSH_NS_HTTPBIND "' type='terminate' "
                                      "condition='item-not-found'/>",
                     self->user_data);
      return;
    }

  coverage_hit (COVERAGE_FORGOTTEN_HELD);
  held = g_new0 (Held, 1);
  held->rid = rid;
  held->connection = connection;
  held->body = body;
  held->arrived = now;
  g_queue_push_tail (&self->held, held);
  model_flush (self, now);
}

/* Metronome: the number is below that of the last request, so its stanzas are not looked
 * at, but it is held like another. */
static void
hold_overtaken (ModelManager     *self,
                guint64           rid,
                guint             connection,
                BoshResponseBody *body,
                gint64            now)
{
  Held *held = g_new0 (Held, 1);

  coverage_hit (COVERAGE_DROPS_OVERTAKEN);
  give_stanzas (self, body->root, TRUE);
  held->rid = rid;
  held->connection = connection;
  held->body = body;
  held->arrived = now;
  g_queue_push_tail (&self->held, held);
  model_flush (self, now);
}

/* A number that was processed before (§14.3); takes @body. */
static void
handle_repeat (ModelManager     *self,
               guint64           rid,
               guint             connection,
               BoshResponseBody *body,
               gint64            now)
{
  g_autoptr(BoshResponseBody) taken = body;
  Held *held = model_find (&self->held, rid);
  SentResponse *responded = model_find_responded (self, rid);

  if (rid == self->ignored_rid)
    return;

  if (held != NULL)
    {
      handle_repeat_of_held (self, held, connection, now);
    }
  else if (responded != NULL)
    {
      coverage_hit (COVERAGE_REPEAT_FROM_CACHE);
      self->respond (connection, 200, responded->text, self->user_data);
      /* Contact, though nothing is held. */
      if (self->held.length == 0 && self->pause == 0)
        self->idle_since = now;
    }
  else if (self->options.drops_overtaken)
    {
      hold_overtaken (self, rid, connection, g_steal_pointer (&taken), now);
    }
  else if (self->options.forgets_closed)
    {
      handle_repeat_of_forgotten (self, rid, connection, g_steal_pointer (&taken), now);
    }
  else
    {
      refuse_and_end (self, connection, now);
    }
}

static void
append_grant (GString    *grants,
              const char *name,
              guint       value,
              gboolean    is_named,
              Coverage    absent)
{
  if (is_named)
    g_string_append_printf (grants, " %s='%u'", name, value);
  else
    coverage_hit (absent);
}

static void
create (ModelManager     *self,
        guint             connection,
        guint64           rid,
        BoshResponseBody *body,
        gint64            now)
{
  const ModelOptions *options = &self->options;
  g_autoptr(GString) grants = g_string_new (" sid='" MODEL_SID "'");
  Held *held = g_new0 (Held, 1);

  self->next_rid = rid + 1;
  self->last_request_at = now;
  self->client_acks = bosh_element_get_attribute (body->root, "ack") != NULL;
  model_check_key (self, body->root, TRUE);

  if (options->names_wait)
    g_string_append_printf (grants, " wait='%u'", options->wait);
  append_grant (grants, "hold", options->hold, options->names_hold, COVERAGE_NO_HOLD);
  append_grant (grants, "requests", options->requests, options->names_requests, COVERAGE_NO_REQUESTS);
  append_grant (grants, "inactivity", options->inactivity, options->inactivity > 0,
                COVERAGE_NO_INACTIVITY);
  append_grant (grants, "polling", options->polling, options->names_polling, COVERAGE_NO_POLLING);
  append_grant (grants, "maxpause", options->max_pause, options->max_pause > 0,
                COVERAGE_NO_MAX_PAUSE);
  if (options->names_version)
    g_string_append_printf (grants, " ver='%s'",
                            options->is_prosody || options->drops_overtaken ? "1.6" : "1.11");
  else
    coverage_hit (COVERAGE_NO_VERSION);
  if (options->acknowledges && options->announces_acks)
    g_string_append_printf (grants, " ack='%" G_GUINT64_FORMAT "'", options->odd_acks ? rid + 1 : rid);

  held->rid = rid;
  held->connection = connection;
  held->body = body;
  g_queue_push_tail (&self->held, held);
  model_respond (self, held, grants->str, options->is_prosody ? PROSODY_FEATURES : "", now);
  self->exists = TRUE;
}

/* Requests that waited for the one just processed. */
static void
process_early (ModelManager *self,
               gint64        now)
{
  Held *held;

  while (self->end == NULL && (held = model_find (&self->early, self->next_rid)) != NULL &&
         !held->stuck)
    {
      g_queue_remove (&self->early, held);
      process (self, held, now);
    }
}

/* Takes @body. */
static void
keep_early (ModelManager     *self,
            guint64           rid,
            guint             connection,
            BoshResponseBody *body,
            gint64            now)
{
  Held *held = model_find (&self->early, rid);

  coverage_hit (COVERAGE_OVERTAKEN);
  if (held != NULL)
    {
      held->connection = connection;
      held->gone = FALSE;
      bosh_response_body_free (body);
      return;
    }

  held = g_new0 (Held, 1);
  held->rid = rid;
  held->connection = connection;
  held->body = body;
  held->arrived = now;
  held->stuck = self->options.hangs_when_overtaken;
  coverage_hit (held->stuck ? COVERAGE_HANGS : COVERAGE_ONE_EARLY);
  g_queue_push_tail (&self->early, held);
}

/* The request whose turn it is; takes @body. */
static void
handle_next (ModelManager     *self,
             guint64           rid,
             guint             connection,
             BoshResponseBody *body,
             gint64            now)
{
  Held *held = model_find (&self->early, rid);

  if (held != NULL)
    {
      g_queue_remove (&self->early, held);
      model_held_free (held);
    }

  /* ejabberd: the first that was overtaken is not looked at either; its repeat
   * sets both free. */
  if (self->early.length > 0 && ((Held *)self->early.head->data)->stuck)
    {
      ((Held *)self->early.head->data)->stuck = FALSE;
      bosh_response_body_free (body);
      return;
    }

  if (self->options.error_every > 0 && self->error_counter >= self->options.error_every)
    {
      coverage_hit (COVERAGE_RECOVERABLE);
      self->error_counter = 0;
      bosh_response_body_free (body);
      self->respond (connection, 200, "<body xmlns='" BOSH_NS_HTTPBIND "' type='error'/>",
                     self->user_data);
      return;
    }

  held = g_new0 (Held, 1);
  held->rid = rid;
  held->connection = connection;
  held->body = body;
  held->arrived = now;
  process (self, held, now);
  process_early (self, now);
}

void
model_manager_request (ModelManager *self,
                       guint         connection,
                       GBytes       *bytes,
                       gint64        now)
{
  BoshBodyVerdict verdict;
  g_autoptr(BoshResponseBody) body = bosh_response_body_new (bytes, &verdict, NULL);
  guint64 rid;

  g_assert_nonnull (body);
  rid = g_ascii_strtoull (bosh_element_get_attribute (body->root, "rid"), NULL, 10);
  model_manager_advance (self, now);

  if (!self->exists)
    {
      create (self, connection, rid, g_steal_pointer (&body), now);
    }
  else if (self->farewell != NULL && model_find_responded (self, rid) != NULL)
    {
      self->respond (connection, 200, model_find_responded (self, rid)->text, self->user_data);
    }
  else if (self->farewell != NULL && rid == self->next_rid && body->type != BOSH_BODY_TERMINATE)
    {
      self->respond (connection, 200, self->farewell, self->user_data);
      g_clear_pointer (&self->farewell, g_free);
    }
  else if (self->end != NULL || g_strcmp0 (body->sid, MODEL_SID) != 0)
    {
      model_refuse (self, connection, "item-not-found");
    }
  else if (self->options.checks_keys_first && !model_check_key (self, body->root, FALSE))
    {
      coverage_hit (COVERAGE_STRICT_KEY);
      self->was_strict = TRUE;
      refuse_and_end (self, connection, now);
    }
  else if (rid < self->next_rid)
    {
      handle_repeat (self, rid, connection, g_steal_pointer (&body), now);
    }
  else if (self->options.one_early && rid > self->next_rid + 1)
    {
      model_refuse (self, connection, "item-not-found");
    }
  else if (rid > self->next_rid + self->options.requests)
    {
      refuse_and_end (self, connection, now);
    }
  else if (rid > self->next_rid && !self->options.drops_overtaken)
    {
      keep_early (self, rid, connection, g_steal_pointer (&body), now);
    }
  else
    {
      handle_next (self, rid, connection, g_steal_pointer (&body), now);
    }
}

/* Not restarts, to which Prosody responds at once. */
static void
forget (ModelManager *self,
        guint         connection)
{
  GList *next;

  for (GList *link = self->held.head; link != NULL; link = next)
    {
      Held *held = link->data;

      next = link->next;
      if (held->connection != connection || model_is_restart (held->body->root))
        continue;
      g_queue_delete_link (&self->held, link);
      model_held_free (held);
    }
}

static void
mark_gone (GQueue *queue,
           guint   connection)
{
  for (GList *link = queue->head; link != NULL; link = link->next)
    {
      Held *held = link->data;

      if (held->connection == connection && !held->gone)
        {
          coverage_hit (COVERAGE_NOTICED_CLOSING);
          held->gone = TRUE;
        }
    }
}

void
model_manager_disconnected (ModelManager *self,
                            guint         connection,
                            gint64        now)
{
  gboolean was_reachable;

  /* Where it is not noticed the request stays held, and the response to it
   * with goes nowhere. */
  if (!self->options.notices_closing)
    return;

  was_reachable = model_find_reachable (self) != NULL;
  mark_gone (&self->held, connection);
  mark_gone (&self->early, connection);
  if (self->options.forgets_closed)
    forget (self, connection);
  if (was_reachable && model_find_reachable (self) == NULL)
    self->idle_since = now;
}

void
model_manager_send (ModelManager *self,
                    const char   *xml,
                    gint64        now)
{
  model_manager_queue (self, xml);
  if (self->exists)
    model_flush (self, now);
}

void
model_manager_queue (ModelManager *self,
                     const char   *xml)
{
  g_string_append (self->outgoing, xml);
}

void
model_manager_terminate (ModelManager *self,
                         const char   *condition,
                         const char   *content,
                         gint64        now)
{
  model_end (self, condition, content, now);
}

void
model_manager_restart (ModelManager *self,
                       guint         status)
{
  self->unknown_status = status;
  if (self->end != NULL)
    return;

  self->end = g_strdup ("restarted");
  g_queue_clear_full (&self->held, (GDestroyNotify)model_held_free);
  g_queue_clear_full (&self->early, (GDestroyNotify)model_held_free);
}

gint64
model_manager_get_deadline (ModelManager *self)
{
  Held *oldest = model_find_reachable (self);

  if (!self->exists || self->end != NULL)
    return -1;

  if (oldest != NULL)
    return oldest->arrived + self->options.wait * MODEL_SECOND;

  if (self->pause != 0)
    return self->idle_since + self->pause;

  return self->options.inactivity > 0 ? self->idle_since + self->options.inactivity * MODEL_SECOND : -1;
}

void
model_manager_advance (ModelManager *self,
                       gint64        now)
{
  gint64 deadline;

  while ((deadline = model_manager_get_deadline (self)) != -1 && deadline <= now)
    {
      Held *oldest = model_find_reachable (self);

      if (oldest == NULL)
        {
          model_end (self, "inactive", "", now);
          break;
        }

      while (g_queue_peek_head (&self->held) != oldest)
        model_respond (self, g_queue_peek_head (&self->held), "", "", now);
      model_respond (self, oldest, "", "", now);
    }
}

const char *
model_manager_get_end (ModelManager *self)
{
  return self->end;
}

gboolean
model_manager_was_strict (ModelManager *self)
{
  return self->was_strict;
}
