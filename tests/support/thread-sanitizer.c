/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Preloaded where the tests run under ThreadSanitizer. GLib itself is not built
 * with it, so the sanitizer does not see that a GMutex keeps threads apart, that
 * a GTask hands its data to a thread and back, that a main context may run a source
 * that another thread has attached, and that the last reference comes after all
 * others. It is told so here; a suppression would hide real races. */

#define _GNU_SOURCE

#include "config.h"

#include <dlfcn.h>
#include <gio/gio.h>
#include <sanitizer/tsan_interface.h>
#include <stdlib.h>
#include <string.h>

typedef struct
{
  GAsyncReadyCallback callback;
  gpointer            user_data;
} Callback;

typedef struct
{
  GSource       *source;
  GSourceFunc    function;
  gpointer       data;
  GDestroyNotify notify;
} SourceCallback;

static GPrivate clear_func;

/* Programs that a test starts are none of ours. */
__attribute__ ((constructor)) static void
leave_children_alone (void)
{
  unsetenv ("LD_PRELOAD");
}

/* The locks that libraries share among themselves order threads by chance, and
 * would hide what we forgot to lock. */
static gboolean
is_ours (gconstpointer caller)
{
  Dl_info info;

  return dladdr (caller, &info) != 0 &&
         (strstr (info.dli_fname, "/libbosh") != NULL || strstr (info.dli_fname, "test-") != NULL);
}

void
g_mutex_lock (GMutex *mutex)
{
  void (*next) (GMutex *) = dlsym (RTLD_NEXT, "g_mutex_lock");

  next (mutex);
  if (is_ours (__builtin_return_address (0)))
    __tsan_acquire (mutex);
}

void
g_mutex_unlock (GMutex *mutex)
{
  void (*next) (GMutex *) = dlsym (RTLD_NEXT, "g_mutex_unlock");

  if (is_ours (__builtin_return_address (0)))
    __tsan_release (mutex);
  next (mutex);
}

static void
on_ready (GObject      *source_object,
          GAsyncResult *result,
          gpointer      user_data)
{
  g_autofree Callback *self = user_data;

  __tsan_acquire (result);
  self->callback (source_object, result, self->user_data);
}

GTask *
g_task_new (gpointer             source_object,
            GCancellable        *cancellable,
            GAsyncReadyCallback  callback,
            gpointer             user_data)
{
  GTask *(*next) (gpointer, GCancellable *, GAsyncReadyCallback, gpointer) = dlsym (RTLD_NEXT, "g_task_new");
  Callback *self;

  if (callback == NULL)
    return next (source_object, cancellable, NULL, user_data);

  self = g_new0 (Callback, 1);
  self->callback = callback;
  self->user_data = user_data;

  return next (source_object, cancellable, on_ready, self);
}

static void
run (GTask        *task,
     gpointer      source_object,
     gpointer      task_data,
     GCancellable *cancellable)
{
  GTaskThreadFunc function;

  __tsan_acquire (task);
  function = (GTaskThreadFunc)g_object_get_data (G_OBJECT (task), "thread-sanitizer");
  function (task, source_object, task_data, cancellable);
}

void
g_task_run_in_thread (GTask           *task,
                      GTaskThreadFunc  function)
{
  void (*next) (GTask *, GTaskThreadFunc) = dlsym (RTLD_NEXT, "g_task_run_in_thread");

  g_object_set_data (G_OBJECT (task), "thread-sanitizer", (gpointer)function);
  __tsan_release (task);
  next (task, run);
}

void
g_task_return_boolean (GTask    *task,
                       gboolean  result)
{
  void (*next) (GTask *, gboolean) = dlsym (RTLD_NEXT, "g_task_return_boolean");

  __tsan_release (task);
  next (task, result);
}

/* Each decrement of the count comes after those before. */
void
g_object_unref (gpointer object)
{
  void (*next) (gpointer) = dlsym (RTLD_NEXT, "g_object_unref");

  __tsan_acquire (object);
  __tsan_release (object);
  next (object);
}

static gboolean
on_source (gpointer user_data)
{
  SourceCallback *self = user_data;

  __tsan_acquire (self);
  __tsan_acquire (self->source);

  return self->function (self->data);
}

static void
on_source_gone (gpointer user_data)
{
  g_autofree SourceCallback *self = user_data;

  __tsan_acquire (self);
  if (self->notify != NULL)
    self->notify (self->data);
}

void
g_source_set_callback (GSource        *source,
                       GSourceFunc     function,
                       gpointer        data,
                       GDestroyNotify  notify)
{
  void (*next) (GSource *, GSourceFunc, gpointer, GDestroyNotify) =
    dlsym (RTLD_NEXT, "g_source_set_callback");
  SourceCallback *self;

  /* Others have callbacks of other types. */
  if (function == NULL || source->source_funcs != &g_idle_funcs)
    {
      next (source, function, data, notify);
      return;
    }

  self = g_new0 (SourceCallback, 1);
  self->source = source;
  self->function = function;
  self->data = data;
  self->notify = notify;
  __tsan_release (self);
  next (source, on_source, self, on_source_gone);
}

guint
g_source_attach (GSource      *source,
                 GMainContext *context)
{
  guint (*next) (GSource *, GMainContext *) = dlsym (RTLD_NEXT, "g_source_attach");

  __tsan_release (source);

  return next (source, context);
}

static void
clear (gpointer box)
{
  GDestroyNotify function = (GDestroyNotify)g_private_get (&clear_func);

  __tsan_acquire (box);
  if (function != NULL)
    function (box);
}

void
g_atomic_rc_box_release_full (gpointer       box,
                              GDestroyNotify function)
{
  void (*next) (gpointer, GDestroyNotify) = dlsym (RTLD_NEXT, "g_atomic_rc_box_release_full");

  g_private_set (&clear_func, (gpointer)function);
  __tsan_release (box);
  next (box, clear);
}
