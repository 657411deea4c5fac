/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Watches for sleeps of the machine (suspend). GLib's monotonic clock stands still
 * meanwhile, and connections are often dead afterwards. */
typedef struct _BoshSleepWatch BoshSleepWatch;

/* Makes @source ready after each sleep. @source is, or will be, attached to
 * @context. */
BoshSleepWatch *bosh_sleep_watch_new                 (GSource      *source,
                                                      GMainContext *context);
void            bosh_sleep_watch_free                (BoshSleepWatch *self);
/* Returns TRUE once after each sleep. */
gboolean        bosh_sleep_watch_take_wake           (BoshSleepWatch *self);

/* Returns the time that the machine has been asleep since some moment, in
 * microseconds. */
typedef gint64 (*BoshSleepClock) (void);

/* Replaces the clock of the system, and returns the one before. */
BoshSleepClock  bosh_sleep_watch_set_clock_for_tests (BoshSleepClock  clock);

G_END_DECLS
