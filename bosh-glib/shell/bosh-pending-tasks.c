/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-pending-tasks-private.h"

#include "bosh-source-private.h"

typedef struct
{
  BoshPendingTasks *owner;
  GTask            *task;
  guint             kind;
  guint64           serial;
  GSource          *cancel_source;
} PendingTask;

struct _BoshPendingTasks
{
  GQueue                tasks;
  BoshTaskCancelledFunc cancelled;
  gpointer              user_data;
};

BoshPendingTasks *
bosh_pending_tasks_new (BoshTaskCancelledFunc cancelled,
                        gpointer              user_data)
{
  BoshPendingTasks *self = g_new0 (BoshPendingTasks, 1);

  g_queue_init (&self->tasks);
  self->cancelled = cancelled;
  self->user_data = user_data;

  return self;
}

void
bosh_pending_tasks_free (BoshPendingTasks *self)
{
  g_assert (g_queue_is_empty (&self->tasks));

  g_free (self);
}

/* Returns: (transfer full): the task, which the caller has to return */
static GTask *
remove_pending (PendingTask *pending)
{
  GTask *task = pending->task;

  g_queue_remove (&pending->owner->tasks, pending);
  bosh_source_clear (&pending->cancel_source);
  g_free (pending);

  return task;
}

static gboolean
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  PendingTask *pending = user_data;
  BoshPendingTasks *self = pending->owner;
  guint kind = pending->kind;
  /* The source object of the task is the owner, so it keeps @self alive. */
  g_autoptr(GTask) task = remove_pending (pending);

  g_task_return_error_if_cancelled (task);
  self->cancelled (kind, self->user_data);

  return G_SOURCE_REMOVE;
}

void
bosh_pending_tasks_add (BoshPendingTasks *self,
                        GTask            *task,
                        guint             kind,
                        guint64           serial,
                        GMainContext     *context)
{
  PendingTask *pending = g_new0 (PendingTask, 1);
  GCancellable *cancellable = g_task_get_cancellable (task);

  pending->owner = self;
  pending->task = task;
  pending->kind = kind;
  pending->serial = serial;
  g_queue_push_tail (&self->tasks, pending);

  /* A result is reported even if the task is cancelled before its callback runs:
   * what has happened can't be taken back. */
  g_task_set_check_cancellable (task, FALSE);

  if (cancellable != NULL)
    {
      pending->cancel_source = g_cancellable_source_new (cancellable);
      g_source_set_static_name (pending->cancel_source, "[bosh] cancellation");
      g_source_set_callback (pending->cancel_source, G_SOURCE_FUNC (on_cancelled), pending, NULL);
      g_source_attach (pending->cancel_source, context);
    }
}

/* A task that was cancelled and fails for another reason, of which the main loop tells
 * first, was cancelled all the same. */
static void
return_error (GTask        *task,
              const GError *error)
{
  if (!g_task_return_error_if_cancelled (task))
    g_task_return_error (task, g_error_copy (error));
}

static PendingTask *
find_pending (BoshPendingTasks *self,
              guint             kind)
{
  for (GList *link = self->tasks.head; link != NULL; link = link->next)
    {
      PendingTask *pending = link->data;

      if (pending->kind == kind)
        return pending;
    }

  return NULL;
}

gboolean
bosh_pending_tasks_has (BoshPendingTasks *self,
                        guint             kind)
{
  return find_pending (self, kind) != NULL;
}

void
bosh_pending_tasks_succeed_up_to (BoshPendingTasks *self,
                                  guint             kind,
                                  guint64           serial)
{
  PendingTask *pending;

  while ((pending = find_pending (self, kind)) != NULL && pending->serial <= serial)
    {
      g_autoptr(GTask) task = remove_pending (pending);

      g_task_return_boolean (task, TRUE);
    }
}

void
bosh_pending_tasks_succeed (BoshPendingTasks *self,
                            guint             kind)
{
  bosh_pending_tasks_succeed_up_to (self, kind, G_MAXUINT64);
}

void
bosh_pending_tasks_give (BoshPendingTasks *self,
                         guint             kind,
                         GObject          *object)
{
  PendingTask *pending;

  while ((pending = find_pending (self, kind)) != NULL)
    {
      g_autoptr(GTask) task = remove_pending (pending);

      g_task_return_pointer (task, g_object_ref (object), g_object_unref);
    }
}

static GTask *
take_one (BoshPendingTasks *self,
          guint             kind,
          guint64           serial)
{
  for (GList *link = self->tasks.head; link != NULL; link = link->next)
    {
      PendingTask *pending = link->data;

      if (pending->kind == kind && pending->serial == serial)
        return remove_pending (pending);
    }

  return NULL;
}

void
bosh_pending_tasks_give_text (BoshPendingTasks *self,
                              guint             kind,
                              guint64           serial,
                              const char       *text)
{
  g_autoptr(GTask) task = take_one (self, kind, serial);

  if (task != NULL)
    g_task_return_pointer (task, g_strdup (text), g_free);
}

void
bosh_pending_tasks_succeed_one (BoshPendingTasks *self,
                                guint             kind,
                                guint64           serial)
{
  g_autoptr(GTask) task = take_one (self, kind, serial);

  if (task != NULL)
    g_task_return_boolean (task, TRUE);
}

void
bosh_pending_tasks_fail_one (BoshPendingTasks *self,
                             guint             kind,
                             guint64           serial,
                             const GError     *error)
{
  g_autoptr(GTask) task = take_one (self, kind, serial);

  if (task != NULL)
    return_error (task, error);
}

void
bosh_pending_tasks_fail (BoshPendingTasks *self,
                         const GError     *error)
{
  PendingTask *pending;

  while ((pending = g_queue_peek_head (&self->tasks)) != NULL)
    {
      g_autoptr(GTask) task = remove_pending (pending);

      return_error (task, error);
    }
}
