/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-sleep-watch-private.h"

#include <time.h>

#ifdef HAVE_TIMERFD
#include <sys/timerfd.h>
#include <unistd.h>
#endif

/* CLOCK_BOOTTIME and CLOCK_MONOTONIC can't be read at the same moment: a smaller
 * difference between them is no sleep. */
#define SHORTEST_SLEEP (G_USEC_PER_SEC)

/* One for each main context that has watches: a timer that never expires, but that
 * Linux makes readable when the wall clock jumps, as it does after a sleep. Without
 * a timerfd, a sleep is noticed only when the listener is dispatched for another
 * reason. */
typedef struct
{
  GSource    source;
  int        fd;
  GPtrArray *listeners;  /* of GSource, guarded by the lock */
} Alarm;

struct _BoshSleepWatch
{
  GSource *listener;
  Alarm   *alarm;        /* NULL without a timerfd */
  gint64   time_asleep;
};

G_LOCK_DEFINE_STATIC (alarms);
static GPtrArray *alarms;  /* of Alarm, one for each context; guarded by the lock */

static gint64
get_system_time_asleep (void)
{
#ifdef CLOCK_BOOTTIME
  struct timespec boot;
  struct timespec monotonic;

  if (clock_gettime (CLOCK_MONOTONIC, &monotonic) == 0 &&
      clock_gettime (CLOCK_BOOTTIME, &boot) == 0)
    return (boot.tv_sec - monotonic.tv_sec) * G_USEC_PER_SEC +
           (boot.tv_nsec - monotonic.tv_nsec) / 1000;
#endif

  return 0;
}

static BoshSleepClock get_time_asleep = get_system_time_asleep;

BoshSleepClock
bosh_sleep_watch_set_clock_for_tests (BoshSleepClock clock)
{
  BoshSleepClock before = get_time_asleep;

  get_time_asleep = clock;

  return before;
}

#ifdef HAVE_TIMERFD
static gboolean
alarm_dispatch (GSource     *source,
                GSourceFunc  callback,
                gpointer     user_data)
{
  Alarm *alarm = (Alarm *)source;
  guint64 expirations;

  /* This fails with ECANCELED, and so clears the mark that the clock has jumped. */
  if (read (alarm->fd, &expirations, sizeof expirations) == 0)
    return G_SOURCE_REMOVE;

  G_LOCK (alarms);
  for (guint i = 0; i < alarm->listeners->len; i++)
    g_source_set_ready_time (g_ptr_array_index (alarm->listeners, i), 0);
  G_UNLOCK (alarms);

  return G_SOURCE_CONTINUE;
}

static void
alarm_finalize (GSource *source)
{
  Alarm *alarm = (Alarm *)source;

  close (alarm->fd);
  g_ptr_array_unref (alarm->listeners);
}

static GSourceFuncs alarm_funcs = {
  .dispatch = alarm_dispatch,
  .finalize = alarm_finalize,
};

static Alarm *
alarm_new (GMainContext *context)
{
  struct itimerspec never = { .it_value = { .tv_sec = G_MAXINT32 } };
  int fd = timerfd_create (CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  Alarm *alarm;

  if (fd == -1)
    return NULL;
  if (timerfd_settime (fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) != 0)
    {
      close (fd);
      return NULL;
    }

  alarm = (Alarm *)g_source_new (&alarm_funcs, sizeof (Alarm));
  alarm->fd = fd;
  alarm->listeners = g_ptr_array_new ();
  g_source_set_static_name (&alarm->source, "[bosh] sleep");
  g_source_add_unix_fd (&alarm->source, fd, G_IO_IN);
  g_source_attach (&alarm->source, context);

  return alarm;
}
#else
static Alarm *
alarm_new (GMainContext *context)
{
  return NULL;
}
#endif

/* Call with the lock held. */
static Alarm *
find_alarm (GMainContext *context)
{
  Alarm *alarm;

  if (alarms == NULL)
    alarms = g_ptr_array_new ();

  for (guint i = 0; i < alarms->len; i++)
    {
      alarm = g_ptr_array_index (alarms, i);
      if (g_source_get_context (&alarm->source) == context)
        return alarm;
    }

  alarm = alarm_new (context);
  if (alarm != NULL)
    g_ptr_array_add (alarms, alarm);

  return alarm;
}

/* Call with the lock held. */
static void
leave_alarm (Alarm   *alarm,
             GSource *listener)
{
  g_ptr_array_remove_fast (alarm->listeners, listener);
  if (alarm->listeners->len > 0)
    return;

  g_ptr_array_remove_fast (alarms, alarm);
  if (alarms->len == 0)
    g_clear_pointer (&alarms, g_ptr_array_unref);
  g_source_destroy (&alarm->source);
  g_source_unref (&alarm->source);
}

BoshSleepWatch *
bosh_sleep_watch_new (GSource      *source,
                      GMainContext *context)
{
  BoshSleepWatch *self = g_new0 (BoshSleepWatch, 1);

  self->listener = g_source_ref (source);
  self->time_asleep = get_time_asleep ();

  G_LOCK (alarms);
  self->alarm = find_alarm (context);
  if (self->alarm != NULL)
    g_ptr_array_add (self->alarm->listeners, source);
  G_UNLOCK (alarms);

  return self;
}

void
bosh_sleep_watch_free (BoshSleepWatch *self)
{
  if (self->alarm != NULL)
    {
      G_LOCK (alarms);
      leave_alarm (self->alarm, self->listener);
      G_UNLOCK (alarms);
    }
  g_source_unref (self->listener);
  g_free (self);
}

gboolean
bosh_sleep_watch_take_wake (BoshSleepWatch *self)
{
  gint64 before = self->time_asleep;

  self->time_asleep = get_time_asleep ();

  return self->time_asleep - before >= SHORTEST_SLEEP;
}
