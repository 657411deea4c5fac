/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-iq-tracker-private.h"

#include <string.h>

#include "bosh-i18n-private.h"
#include "bosh-jid-private.h"
#include "bosh-stanza-private.h"

/* One timer serves all requests and is ready at the earliest deadline, so the
 * main loop has one source to check however many requests are open. */
struct _BoshIqTracker
{
  GMainContext *context;
  GHashTable   *requests;   /* id → Request, owned */
  GSequence    *deadlines;  /* of Request, not owned, the earliest first */
  GSource      *timer;      /* NULL while there is no deadline */
};

typedef struct
{
  BoshIqTracker *tracker;
  char          *id;
  char          *to;        /* nullable */
  GTask         *task;
  gboolean       is_sent;   /* or waits for a session */
  gint64         deadline;  /* or -1 */
  GSequenceIter *position;  /* in the deadlines, or NULL */
  GSource       *cancelled; /* or NULL */
} Request;

static gboolean
dispatch_timer (GSource     *source,
                GSourceFunc  callback,
                gpointer     user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = dispatch_timer };

static void
destroy_source (GSource *source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

static void
request_free (Request *self)
{
  g_clear_pointer (&self->cancelled, destroy_source);
  g_clear_pointer (&self->position, g_sequence_remove);
  g_clear_object (&self->task);
  g_free (self->to);
  g_free (self->id);
  g_free (self);
}

static int
compare_deadlines (gconstpointer a,
                   gconstpointer b,
                   gpointer      user_data)
{
  const Request *request_a = a;
  const Request *request_b = b;

  return (request_a->deadline > request_b->deadline) -
         (request_a->deadline < request_b->deadline);
}

static Request *
get_earliest (BoshIqTracker *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->deadlines);

  return g_sequence_iter_is_end (first) ? NULL : g_sequence_get (first);
}

static gboolean on_timer (gpointer user_data);

/* Without a request there is no timer: the main loop checks every source in each
 * iteration, and a process may have many clients. */
static void
arm_timer (BoshIqTracker *self)
{
  Request *earliest = get_earliest (self);

  if (earliest == NULL)
    {
      g_clear_pointer (&self->timer, destroy_source);
      return;
    }

  if (self->timer == NULL)
    {
      self->timer = g_source_new (&timer_funcs, sizeof (GSource));
      g_source_set_static_name (self->timer, "[bosh] iq timeout");
      g_source_set_callback (self->timer, on_timer, self, NULL);
      g_source_set_can_recurse (self->timer, TRUE);
      g_source_attach (self->timer, self->context);
    }
  g_source_set_ready_time (self->timer, earliest->deadline);
}

/* Removes the request from the table, and frees it. Returns: (transfer full): its
 * task, which the caller lets return */
static GTask *
take_task (Request *request)
{
  BoshIqTracker *self = request->tracker;
  GTask *task = g_steal_pointer (&request->task);

  g_hash_table_remove (self->requests, request->id);
  arm_timer (self);

  return task;
}

static gboolean
on_timer (gpointer user_data)
{
  BoshIqTracker *self = user_data;
  gint64 now = g_source_get_time (self->timer);
  g_autoptr(GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  Request *request;

  while ((request = get_earliest (self)) != NULL && request->deadline <= now)
    g_ptr_array_add (tasks, take_task (request));

  /* A callback of a task may free the tracker. */
  for (guint i = 0; i < tasks->len; i++)
    g_task_return_new_error (g_ptr_array_index (tasks, i),
                             BOSH_ERROR, BOSH_ERROR_TIMED_OUT,
                             _("The request had no response in time"));

  return G_SOURCE_CONTINUE;
}

static gboolean
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  g_autoptr(GTask) task = take_task (user_data);

  g_task_return_error_if_cancelled (task);

  return G_SOURCE_REMOVE;
}

BoshIqTracker *
bosh_iq_tracker_new (GMainContext *context)
{
  BoshIqTracker *self = g_new0 (BoshIqTracker, 1);

  self->context = g_main_context_ref (context);
  self->requests = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                          (GDestroyNotify)request_free);
  self->deadlines = g_sequence_new (NULL);

  return self;
}

void
bosh_iq_tracker_free (BoshIqTracker *self)
{
  g_hash_table_unref (self->requests);
  g_sequence_free (self->deadlines);
  g_clear_pointer (&self->timer, destroy_source);
  g_main_context_unref (self->context);
  g_free (self);
}

gboolean
bosh_iq_tracker_has (BoshIqTracker *self,
                     const char    *id)
{
  return g_hash_table_contains (self->requests, id);
}

void
bosh_iq_tracker_add (BoshIqTracker *self,
                     BoshElement   *iq,
                     gint64         deadline,
                     GTask         *task)
{
  Request *request = g_new0 (Request, 1);
  GCancellable *cancellable = g_task_get_cancellable (task);

  request->tracker = self;
  request->id = g_strdup (bosh_element_get_attribute (iq, "id"));
  request->to = g_strdup (bosh_element_get_attribute (iq, "to"));
  request->task = task;
  request->deadline = deadline;
  g_hash_table_insert (self->requests, request->id, request);

  if (deadline >= 0)
    {
      request->position = g_sequence_insert_sorted (self->deadlines, request,
                                                    compare_deadlines, NULL);
      arm_timer (self);
    }

  if (cancellable != NULL)
    {
      request->cancelled = g_cancellable_source_new (cancellable);
      g_source_set_static_name (request->cancelled, "[bosh] iq cancelled");
      g_source_set_callback (request->cancelled, G_SOURCE_FUNC (on_cancelled),
                             request, NULL);
      g_source_attach (request->cancelled, self->context);
    }
}

void
bosh_iq_tracker_sent (BoshIqTracker *self,
                      const char    *id)
{
  Request *request = g_hash_table_lookup (self->requests, id);

  if (request != NULL)
    request->is_sent = TRUE;
}

/* Takes the task to which @iq is the response. Returns: (transfer full) (nullable) */
static GTask *
take_response (BoshIqTracker *self,
               BoshElement   *iq,
               const char    *domain,
               const char    *jid)
{
  const char *id = bosh_element_get_attribute (iq, "id");
  const char *type = bosh_element_get_attribute (iq, "type");
  Request *request;

  if (id == NULL || (g_strcmp0 (type, "error") != 0 && g_strcmp0 (type, "result") != 0))
    return NULL;

  request = g_hash_table_lookup (self->requests, id);
  if (request == NULL ||
      !bosh_jid_may_respond (bosh_element_get_attribute (iq, "from"), request->to, domain, jid))
    return NULL;

  return take_task (request);
}

void
bosh_iq_tracker_fail (BoshIqTracker *self,
                      BoshElement   *stub,
                      const char    *domain,
                      const char    *jid,
                      const GError  *error)
{
  g_autoptr(GTask) task = take_response (self, stub, domain, jid);

  if (task != NULL)
    g_task_return_error (task, g_error_copy (error));
}

gboolean
bosh_iq_tracker_handle (BoshIqTracker *self,
                        BoshElement   *iq,
                        const char    *domain,
                        const char    *jid)
{
  gboolean is_error = g_strcmp0 (bosh_element_get_attribute (iq, "type"), "error") == 0;
  g_autoptr(GTask) task = take_response (self, iq, domain, jid);

  if (task == NULL)
    return FALSE;

  if (is_error)
    g_task_return_error (task, bosh_stanza_error_new_for_stanza (iq));
  else
    g_task_return_pointer (task, bosh_element_ref (iq),
                           (GDestroyNotify)bosh_element_unref);

  return TRUE;
}

static void
fail_many (BoshIqTracker *self,
           gboolean       sent_only,
           const GError  *error)
{
  g_autoptr(GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->requests);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Request *request = value;

      if (sent_only && !request->is_sent)
        continue;
      g_ptr_array_add (tasks, g_steal_pointer (&request->task));
      g_hash_table_iter_remove (&iter);
    }
  arm_timer (self);

  /* A callback of a task may free the tracker. */
  for (guint i = 0; i < tasks->len; i++)
    g_task_return_error (g_ptr_array_index (tasks, i), g_error_copy (error));
}

void
bosh_iq_tracker_fail_sent (BoshIqTracker *self,
                           const GError  *error)
{
  fail_many (self, TRUE, error);
}

void
bosh_iq_tracker_fail_all (BoshIqTracker *self,
                          const GError  *error)
{
  fail_many (self, FALSE, error);
}
