/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-network-watch-private.h"

/* The data of the signal handler, which may still run in another thread while the
 * watch is being freed. It is an atomic reference counted box. */
typedef struct
{
  GSource *source;
  int changed;
} Mark;

struct _BoshNetworkWatch
{
  Mark *mark;
  gulong handler;
};

static void
mark_clear (gpointer data)
{
  g_source_unref (((Mark *)data)->source);
}

static void
mark_unref (gpointer  data,
            GClosure *closure)
{
  g_atomic_rc_box_release_full (data, mark_clear);
}

static void
on_network_changed (GNetworkMonitor *monitor,
                    gboolean         available,
                    gpointer         user_data)
{
  Mark *mark = user_data;

  if (!available)
    return;

  g_atomic_int_set (&mark->changed, TRUE);
  g_source_set_ready_time (mark->source, 0);
}

BoshNetworkWatch *
bosh_network_watch_new (GSource *source)
{
  BoshNetworkWatch *self = g_new0 (BoshNetworkWatch, 1);

  self->mark = g_atomic_rc_box_new0 (Mark);
  self->mark->source = g_source_ref (source);
  self->handler = g_signal_connect_data (g_network_monitor_get_default (), "network-changed",
                                         G_CALLBACK (on_network_changed),
                                         g_atomic_rc_box_acquire (self->mark), mark_unref, 0);

  return self;
}

void
bosh_network_watch_free (BoshNetworkWatch *self)
{
  g_signal_handler_disconnect (g_network_monitor_get_default (), self->handler);
  mark_unref (self->mark, NULL);
  g_free (self);
}

gboolean
bosh_network_watch_take_change (BoshNetworkWatch *self)
{
  return g_atomic_int_compare_and_exchange (&self->mark->changed, TRUE, FALSE);
}
