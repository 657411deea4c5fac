/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "model-manager.h"

#include "bosh-body-private.h"
#include "bosh-element-private.h"

#include <string.h>

#define SECOND G_GINT64_CONSTANT (1000000)
#define SID "model"

/* One request that has not been answered. */
typedef struct
{
  guint64           rid;
  guint             connection;
  BoshResponseBody *body;
  gint64            arrived;
  gboolean          stuck;
} Held;

typedef struct
{
  guint64  rid;
  char    *text;
} Answered;

struct _ModelManager
{
  ModelOptions    options;
  ModelAnswerFunc answer;
  ModelStanzaFunc stanza;
  gpointer        user_data;

  gboolean        exists;
  char           *end;
  guint64         next_rid;
  GQueue          held;       /* of Held, processed, by rid */
  GQueue          early;      /* of Held, beyond next_rid */
  GQueue          answered;   /* of Answered: the last `requests` */
  GString        *outgoing;
  char           *key;        /* what the next key must hash to */
  gint64          idle_since; /* -1 while a request is held */
  gint64          pause;      /* allowed idle time while paused, 0: not paused */
  guint64         ignored_rid;
  gint64          last_request_at;
};

static void
held_free (Held *held)
{
  bosh_response_body_free (held->body);
  g_free (held);
}

static void
answered_free (Answered *answered)
{
  g_free (answered->text);
  g_free (answered);
}

ModelManager *
model_manager_new (const ModelOptions *options,
                   ModelAnswerFunc     answer,
                   ModelStanzaFunc     stanza,
                   gpointer            user_data)
{
  ModelManager *self = g_new0 (ModelManager, 1);

  self->options = *options;
  self->answer = answer;
  self->stanza = stanza;
  self->user_data = user_data;
  self->outgoing = g_string_new (NULL);
  self->idle_since = -1;
  g_queue_init (&self->held);
  g_queue_init (&self->early);
  g_queue_init (&self->answered);

  return self;
}

void
model_manager_free (ModelManager *self)
{
  g_queue_clear_full (&self->held, (GDestroyNotify)held_free);
  g_queue_clear_full (&self->early, (GDestroyNotify)held_free);
  g_queue_clear_full (&self->answered, (GDestroyNotify)answered_free);
  g_string_free (self->outgoing, TRUE);
  g_free (self->end);
  g_free (self->key);
  g_free (self);
}

/* Answers and forgets the request, keeping the answer for repeats. */
static void
answer_held (ModelManager *self,
             Held         *held,
             const char   *attributes,
             const char   *payloads,
             gint64        now)
{
  Answered *answered = g_new0 (Answered, 1);
  g_autofree char *ack = NULL;

  /* Only where it is not the request that is answered (§9.1). */
  if (self->options.acknowledges && self->exists && self->next_rid - 1 != held->rid)
    ack = g_strdup_printf (" ack='%" G_GUINT64_FORMAT "'", self->next_rid - 1);

  answered->rid = held->rid;
  answered->text = g_strdup_printf ("<body xmlns='" BOSH_NS_HTTPBIND "'%s%s>%s</body>",
                                    ack != NULL ? ack : "", attributes, payloads);
  g_queue_push_tail (&self->answered, answered);
  while (self->answered.length > MAX (self->options.requests, 2))
    answered_free (g_queue_pop_head (&self->answered));

  g_queue_remove (&self->held, held);
  self->answer (held->connection, 200, answered->text, self->user_data);
  held_free (held);
  if (self->held.length == 0)
    self->idle_since = now;
}

static void
end_session (ModelManager *self,
             const char   *condition,
             gint64        now)
{
  g_autofree char *attributes = NULL;

  if (self->end != NULL)
    return;

  self->end = g_strdup (condition);
  attributes = condition[0] == '\0' ? g_strdup (" type='terminate'")
                                    : g_strdup_printf (" type='terminate' condition='%s'", condition);
  while (self->held.length > 0)
    answer_held (self, g_queue_peek_head (&self->held), attributes, "", now);
}

static void
flush (ModelManager *self,
       gint64        now)
{
  if (self->end != NULL)
    return;

  if (self->outgoing->len > 0 && self->held.length > 0)
    {
      Held *held = self->options.answers_on_newest ? g_queue_peek_tail (&self->held)
                                                   : g_queue_peek_head (&self->held);

      /* Answers go in order: what is older goes first. */
      while (g_queue_peek_head (&self->held) != held)
        answer_held (self, g_queue_peek_head (&self->held), "", "", now);
      answer_held (self, held, "", self->outgoing->str, now);
      g_string_truncate (self->outgoing, 0);
    }

  while (self->held.length > self->options.hold)
    answer_held (self, g_queue_peek_head (&self->held), "", "", now);
}

static gboolean
check_key (ModelManager *self,
           BoshElement  *request)
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
    }

  g_free (self->key);
  self->key = g_strdup (new_key != NULL ? new_key : key);

  return self->key != NULL;
}

static void
process (ModelManager *self,
         Held         *held,
         gint64        now)
{
  BoshElement *root = held->body->root;
  const char *pause = bosh_element_get_attribute (root, "pause");
  gboolean is_empty = bosh_element_get_n_children (root) == 0;
  gboolean is_end = held->body->type == BOSH_BODY_TERMINATE;

  self->next_rid = held->rid + 1;
  self->idle_since = -1;
  self->pause = 0;
  g_queue_push_tail (&self->held, held);

  if (!check_key (self, root))
    {
      end_session (self, "item-not-found", now);
      return;
    }

  /* Over-activity (§11); not where the network changed the order. */
  if (self->held.length > self->options.requests + (pause != NULL || is_end ? 1 : 0) ||
      (self->held.length == self->options.requests && is_empty && pause == NULL && !is_end &&
       self->options.requests > 1 && held->arrived >= self->last_request_at &&
       held->arrived - self->last_request_at < self->options.polling * SECOND))
    {
      end_session (self, "policy-violation", now);
      return;
    }
  self->last_request_at = held->arrived;

  for (guint i = 0; i < bosh_element_get_n_children (root); i++)
    self->stanza (bosh_element_get_attribute (bosh_element_get_nth_child (root, i), "id"),
                  self->user_data);

  if (is_end)
    {
      end_session (self, "", now);
    }
  else if (pause != NULL && g_ascii_strtoull (pause, NULL, 10) > self->options.max_pause)
    {
      end_session (self, "policy-violation", now);
    }
  else if (pause != NULL)
    {
      guint64 seconds = g_ascii_strtoull (pause, NULL, 10);

      while (self->held.length > 1)
        answer_held (self, g_queue_peek_head (&self->held), "", "", now);
      if (self->options.ignores_pause_request)
        {
          self->ignored_rid = held->rid;
          held_free (g_queue_pop_head (&self->held));
        }
      else
        answer_held (self, g_queue_peek_head (&self->held), "", "", now);
      self->pause = seconds * SECOND;
      self->idle_since = now;
    }
  else
    {
      flush (self, now);
    }
}

static Held *
find (GQueue  *queue,
      guint64  rid)
{
  for (GList *link = queue->head; link != NULL; link = link->next)
    if (((Held *)link->data)->rid == rid)
      return link->data;

  return NULL;
}

static void
refuse (ModelManager *self,
        guint         connection,
        const char   *condition)
{
  g_autofree char *text =
    g_strdup_printf ("<body xmlns='" BOSH_NS_HTTPBIND "' type='terminate' condition='%s'/>", condition);

  self->answer (connection, 200, text, self->user_data);
}

/* A number that was processed before (§14.3). */
static void
handle_repeat (ModelManager *self,
               guint64       rid,
               guint         connection,
               gint64        now)
{
  Held *held = find (&self->held, rid);

  if (rid == self->ignored_rid)
    return;

  if (held != NULL)
    {
      held->connection = connection;
      held->arrived = now;
      flush (self, now);
      return;
    }

  for (GList *link = self->answered.head; link != NULL; link = link->next)
    {
      Answered *answered = link->data;

      if (answered->rid == rid)
        {
          self->answer (connection, 200, answered->text, self->user_data);
          /* Contact, though nothing is held. */
          if (self->held.length == 0 && self->pause == 0)
            self->idle_since = now;
          return;
        }
    }

  end_session (self, "item-not-found", now);
  refuse (self, connection, "item-not-found");
}

static void
create (ModelManager     *self,
        guint             connection,
        guint64           rid,
        BoshResponseBody *body,
        gint64            now)
{
  Held *held = g_new0 (Held, 1);
  g_autofree char *grants = NULL;

  self->exists = TRUE;
  self->next_rid = rid + 1;
  self->last_request_at = now;
  check_key (self, body->root);
  grants = g_strdup_printf (" sid='" SID "' wait='%u' hold='%u' requests='%u' inactivity='%u' "
                            "polling='%u' maxpause='%u' ver='1.11'%s",
                            self->options.wait, self->options.hold, self->options.requests,
                            self->options.inactivity, self->options.polling,
                            self->options.max_pause,
                            self->options.acknowledges ? " ack='1'" : "");
  held->rid = rid;
  held->connection = connection;
  held->body = body;
  g_queue_push_tail (&self->held, held);
  answer_held (self, held, grants, "", now);
}

/* Requests that waited for the one just processed. */
static void
process_early (ModelManager *self,
               gint64        now)
{
  Held *held;

  while (self->end == NULL && (held = find (&self->early, self->next_rid)) != NULL && !held->stuck)
    {
      g_queue_remove (&self->early, held);
      process (self, held, now);
    }
}

void
model_manager_request (ModelManager *self,
                       guint         connection,
                       GBytes       *bytes,
                       gint64        now)
{
  BoshBodyVerdict verdict;
  BoshResponseBody *body = bosh_response_body_new (bytes, &verdict, NULL);
  guint64 rid;
  Held *held;

  g_assert_nonnull (body);
  rid = g_ascii_strtoull (bosh_element_get_attribute (body->root, "rid"), NULL, 10);
  model_manager_advance (self, now);

  if (!self->exists)
    {
      create (self, connection, rid, body, now);
      return;
    }

  if (self->end != NULL || g_strcmp0 (body->sid, SID) != 0)
    {
      bosh_response_body_free (body);
      refuse (self, connection, "item-not-found");
      return;
    }

  if (rid < self->next_rid)
    {
      bosh_response_body_free (body);
      handle_repeat (self, rid, connection, now);
      return;
    }

  if (rid > self->next_rid + self->options.requests)
    {
      bosh_response_body_free (body);
      end_session (self, "item-not-found", now);
      refuse (self, connection, "item-not-found");
      return;
    }

  held = find (&self->early, rid);
  if (held != NULL && rid > self->next_rid)
    {
      held->connection = connection;
      bosh_response_body_free (body);
      return;
    }
  if (held != NULL)
    {
      g_queue_remove (&self->early, held);
      held_free (held);
    }

  held = g_new0 (Held, 1);
  held->rid = rid;
  held->connection = connection;
  held->body = body;
  held->arrived = now;
  if (rid > self->next_rid)
    {
      g_queue_push_tail (&self->early, held);
      held->stuck = self->options.hangs_when_overtaken;
      return;
    }

  /* ejabberd: the first that was overtaken is not looked at either; its repeat
   * sets both free. */
  if (self->early.length > 0 && ((Held *)self->early.head->data)->stuck)
    {
      ((Held *)self->early.head->data)->stuck = FALSE;
      held_free (held);
      return;
    }

  process (self, held, now);
  process_early (self, now);
}

void
model_manager_disconnected (ModelManager *self,
                            guint         connection,
                            gint64        now)
{
  /* A connection manager may notice or not; the request stays held, and what it
   * is answered with goes nowhere. */
}

void
model_manager_send (ModelManager *self,
                    const char   *xml,
                    gint64        now)
{
  g_string_append (self->outgoing, xml);
  if (self->exists)
    flush (self, now);
}

gint64
model_manager_get_deadline (ModelManager *self)
{
  Held *oldest = g_queue_peek_head (&self->held);

  if (!self->exists || self->end != NULL)
    return -1;

  if (oldest != NULL)
    return oldest->arrived + self->options.wait * SECOND;

  return self->idle_since + (self->pause != 0 ? self->pause : self->options.inactivity * SECOND);
}

void
model_manager_advance (ModelManager *self,
                       gint64        now)
{
  gint64 deadline;

  while ((deadline = model_manager_get_deadline (self)) != -1 && deadline <= now)
    {
      if (self->held.length > 0)
        answer_held (self, g_queue_peek_head (&self->held), "", "", now);
      else
        end_session (self, "inactive", now);
    }
}

const char *
model_manager_get_end (ModelManager *self)
{
  return self->end;
}
