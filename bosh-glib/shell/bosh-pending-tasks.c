/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-pending-tasks-private.h"

typedef struct
{
  BoshPendingTasks *owner;
  GTask            *task;
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

/* The task, to be returned by the caller. */
static GTask *
remove_pending (PendingTask *pending)
{
  GTask *task = pending->task;

  g_queue_remove (&pending->owner->tasks, pending);
  if (pending->cancel_source != NULL)
    {
      g_source_destroy (pending->cancel_source);
      g_source_unref (pending->cancel_source);
    }
  g_free (pending);

  return task;
}

static gboolean
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  PendingTask *pending = user_data;
  BoshPendingTasks *self = pending->owner;
  g_autoptr(GTask) task = remove_pending (pending);
  /* The task keeps the owner of all this alive. */
  gpointer tag = g_task_get_source_tag (task);
  BoshTaskCancelledFunc cancelled = self->cancelled;
  gpointer owner = self->user_data;

  g_task_return_error_if_cancelled (task);
  cancelled (tag, owner);

  return G_SOURCE_REMOVE;
}

void
bosh_pending_tasks_add (BoshPendingTasks *self,
                        GTask            *task,
                        guint64           serial,
                        GMainContext     *context)
{
  PendingTask *pending = g_new0 (PendingTask, 1);
  GCancellable *cancellable = g_task_get_cancellable (task);

  pending->owner = self;
  pending->task = task;
  pending->serial = serial;
  g_queue_push_tail (&self->tasks, pending);

  /* What has happened is told, though it was cancelled before that is heard. */
  g_task_set_check_cancellable (task, FALSE);

  if (cancellable != NULL)
    {
      pending->cancel_source = g_cancellable_source_new (cancellable);
      g_source_set_static_name (pending->cancel_source, "[bosh] cancellation");
      g_source_set_callback (pending->cancel_source, G_SOURCE_FUNC (on_cancelled), pending, NULL);
      g_source_attach (pending->cancel_source, context);
    }
}

static PendingTask *
find_pending (BoshPendingTasks *self,
              gpointer          tag)
{
  for (GList *link = self->tasks.head; link != NULL; link = link->next)
    {
      PendingTask *pending = link->data;

      if (g_task_get_source_tag (pending->task) == tag)
        return pending;
    }

  return NULL;
}

gboolean
bosh_pending_tasks_has (BoshPendingTasks *self,
                        gpointer          tag)
{
  return find_pending (self, tag) != NULL;
}

void
bosh_pending_tasks_succeed_up_to (BoshPendingTasks *self,
                                  gpointer          tag,
                                  guint64           serial)
{
  PendingTask *pending;

  while ((pending = find_pending (self, tag)) != NULL && pending->serial <= serial)
    {
      g_autoptr(GTask) task = remove_pending (pending);

      g_task_return_boolean (task, TRUE);
    }
}

void
bosh_pending_tasks_succeed (BoshPendingTasks *self,
                            gpointer          tag)
{
  bosh_pending_tasks_succeed_up_to (self, tag, G_MAXUINT64);
}

void
bosh_pending_tasks_give (BoshPendingTasks *self,
                         gpointer          tag,
                         GObject          *object)
{
  PendingTask *pending;

  while ((pending = find_pending (self, tag)) != NULL)
    {
      g_autoptr(GTask) task = remove_pending (pending);

      g_task_return_pointer (task, g_object_ref (object), g_object_unref);
    }
}

static GTask *
take_one (BoshPendingTasks *self,
          gpointer          tag,
          guint64           serial)
{
  for (GList *link = self->tasks.head; link != NULL; link = link->next)
    {
      PendingTask *pending = link->data;

      if (g_task_get_source_tag (pending->task) == tag && pending->serial == serial)
        return remove_pending (pending);
    }

  return NULL;
}

void
bosh_pending_tasks_give_text (BoshPendingTasks *self,
                              gpointer          tag,
                              guint64           serial,
                              const char       *text)
{
  g_autoptr(GTask) task = take_one (self, tag, serial);

  if (task != NULL)
    g_task_return_pointer (task, g_strdup (text), g_free);
}

void
bosh_pending_tasks_succeed_one (BoshPendingTasks *self,
                                gpointer          tag,
                                guint64           serial)
{
  g_autoptr(GTask) task = take_one (self, tag, serial);

  if (task != NULL)
    g_task_return_boolean (task, TRUE);
}

void
bosh_pending_tasks_fail_one (BoshPendingTasks *self,
                             gpointer          tag,
                             guint64           serial,
                             const GError     *error)
{
  g_autoptr(GTask) task = take_one (self, tag, serial);

  if (task != NULL)
    g_task_return_error (task, g_error_copy (error));
}

void
bosh_pending_tasks_fail (BoshPendingTasks *self,
                         const GError     *error)
{
  PendingTask *pending;

  while ((pending = g_queue_peek_head (&self->tasks)) != NULL)
    {
      g_autoptr(GTask) task = remove_pending (pending);

      g_task_return_error (task, g_error_copy (error));
    }
}
