/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The asynchronous operations of an object that wait for something, each known
 * by the source tag of its task. Every task in it returns exactly once. */
typedef struct _BoshPendingTasks BoshPendingTasks;

/* The caller cancelled an operation, whose task has returned by now. */
typedef void (*BoshTaskCancelledFunc) (gpointer tag,
                                       gpointer user_data);

BoshPendingTasks *bosh_pending_tasks_new         (BoshTaskCancelledFunc  cancelled,
                                                  gpointer               user_data);
/* None may be left. */
void              bosh_pending_tasks_free        (BoshPendingTasks      *self);

/* Takes @task; @serial: for bosh_pending_tasks_succeed_up_to(), else 0. */
void              bosh_pending_tasks_add         (BoshPendingTasks      *self,
                                                  GTask                 *task,
                                                  guint64                serial,
                                                  GMainContext          *context);
gboolean          bosh_pending_tasks_has         (BoshPendingTasks      *self,
                                                  gpointer               tag);
/* All with @tag return TRUE. */
void              bosh_pending_tasks_succeed     (BoshPendingTasks      *self,
                                                  gpointer               tag);
/* All with @tag and at most @serial return TRUE; they were added in order. */
void              bosh_pending_tasks_succeed_up_to (BoshPendingTasks    *self,
                                                  gpointer               tag,
                                                  guint64                serial);
/* All with @tag return a reference to @object. */
void              bosh_pending_tasks_give        (BoshPendingTasks      *self,
                                                  gpointer               tag,
                                                  GObject               *object);
/* The one with @tag and @serial, if it is there, returns a copy of @text. */
void              bosh_pending_tasks_give_text   (BoshPendingTasks      *self,
                                                  gpointer               tag,
                                                  guint64                serial,
                                                  const char            *text);
/* The one with @tag and @serial, if it is there, returns TRUE. */
void              bosh_pending_tasks_succeed_one (BoshPendingTasks      *self,
                                                  gpointer               tag,
                                                  guint64                serial);
/* The same, with @error. */
void              bosh_pending_tasks_fail_one    (BoshPendingTasks      *self,
                                                  gpointer               tag,
                                                  guint64                serial,
                                                  const GError          *error);
/* All return @error. */
void              bosh_pending_tasks_fail        (BoshPendingTasks      *self,
                                                  const GError          *error);

G_END_DECLS
