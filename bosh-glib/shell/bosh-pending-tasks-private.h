/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The tasks of an object that wait for something. Each has a kind, which is a
 * number of the owner's choice, and a serial where several of a kind must be told
 * apart. Every task that is added returns exactly once. */
typedef struct _BoshPendingTasks BoshPendingTasks;

/* A task of this kind was cancelled, and has returned the error already. */
typedef void (*BoshTaskCancelledFunc) (guint    kind,
                                       gpointer user_data);

BoshPendingTasks *bosh_pending_tasks_new           (BoshTaskCancelledFunc cancelled,
                                                    gpointer              user_data);
/* No task may be left. */
void              bosh_pending_tasks_free          (BoshPendingTasks     *self);

/* @task: (transfer full)
 * @serial: 0 where it does not matter
 * @context: where to notice that the task is cancelled */
void              bosh_pending_tasks_add           (BoshPendingTasks     *self,
                                                    GTask                *task,
                                                    guint                 kind,
                                                    guint64               serial,
                                                    GMainContext         *context);
gboolean          bosh_pending_tasks_has           (BoshPendingTasks     *self,
                                                    guint                 kind);

/* All tasks of the kind return TRUE. */
void              bosh_pending_tasks_succeed       (BoshPendingTasks     *self,
                                                    guint                 kind);
/* All tasks of the kind with at most this serial return TRUE. They must have been
 * added in the order of their serials. */
void              bosh_pending_tasks_succeed_up_to (BoshPendingTasks     *self,
                                                    guint                 kind,
                                                    guint64               serial);
/* All tasks of the kind return a reference to @object. */
void              bosh_pending_tasks_give          (BoshPendingTasks     *self,
                                                    guint                 kind,
                                                    GObject              *object);
/* The task of the kind with this serial, if there is one, returns TRUE, a copy of
 * @text, or a copy of @error. */
void              bosh_pending_tasks_succeed_one   (BoshPendingTasks     *self,
                                                    guint                 kind,
                                                    guint64               serial);
void              bosh_pending_tasks_give_text     (BoshPendingTasks     *self,
                                                    guint                 kind,
                                                    guint64               serial,
                                                    const char           *text);
void              bosh_pending_tasks_fail_one      (BoshPendingTasks     *self,
                                                    guint                 kind,
                                                    guint64               serial,
                                                    const GError         *error);
/* All tasks return a copy of @error. */
void              bosh_pending_tasks_fail          (BoshPendingTasks     *self,
                                                    const GError         *error);

G_END_DECLS
