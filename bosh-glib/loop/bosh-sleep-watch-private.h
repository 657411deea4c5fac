/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Tells when the machine has slept, which stops the monotonic clock of GLib and
 * leaves connections that lead nowhere. */
typedef struct _BoshSleepWatch BoshSleepWatch;

/* Makes @source, which is or will be in @context, ready after a sleep. */
BoshSleepWatch *bosh_sleep_watch_new         (GSource        *source,
                                              GMainContext   *context);
void            bosh_sleep_watch_free        (BoshSleepWatch *self);
/* TRUE once after each sleep. */
gboolean        bosh_sleep_watch_take_wake   (BoshSleepWatch *self);

/* The time that the machine has been asleep since some moment, in microseconds.
 * Tests put their own here. */
extern gint64 (*bosh_sleep_watch_get_time_asleep) (void);

G_END_DECLS
