/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bench-work.h"

#include "bench-wire.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Logins that are under way at once where many sessions are wanted. */
#define MAX_LOGINS 64

struct _BenchSession
{
  BenchAccount account;
  gpointer client;
  char *jid;
};

typedef struct
{
  double cpu;   /* seconds of this process, all threads */
  double wall;
  long switches;
  BenchWire wire;
} Reading;

/* Times in microseconds. */
typedef struct
{
  const BenchDriver *driver;
  BenchAccount account;
  BenchSession **sessions;
  guint n_started;
  guint n_ready;
  guint n_messages;  /* to be sent, or awaited */
  guint n_sent;
  guint n_received;
  guint window;
  gint64 *sent_at;
  GArray *latencies;  /* of double */
} Work;

static Work work;
static volatile sig_atomic_t was_stopped;  /* since a message came last */

static double
get_seconds (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);

  return now.tv_sec + now.tv_nsec / 1e9;
}

static void
take_reading (Reading *reading)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  reading->cpu = get_seconds (CLOCK_PROCESS_CPUTIME_ID);
  reading->wall = get_seconds (CLOCK_MONOTONIC);
  reading->switches = usage.ru_nvcsw;
  reading->wire = bench_wire;
}

/* A line of /proc/self/status, in KB. */
static long
get_memory (const char *name)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return 0;

  line = strstr (text, name);

  return line != NULL ? strtol (line + strlen (name) + 1, NULL, 10) : 0;
}

static int
compare_doubles (gconstpointer a,
                 gconstpointer b)
{
  double difference = *(const double *)a - *(const double *)b;

  return (difference > 0) - (difference < 0);
}

static double
get_percentile (GArray *values,
                guint   percent)
{
  if (values->len == 0)
    return 0;

  g_array_sort (values, compare_doubles);

  return g_array_index (values, double, (values->len - 1) * percent / 100);
}

/* Prints what changed between two readings, as the last line of JSON. */
static void
print_report (const Reading *start,
              const Reading *end)
{
  printf ("{\"cpu\": %.6f, \"wall\": %.6f, \"switches\": %ld, \"connections\": %" G_GUINT64_FORMAT ", "
          "\"requests\": %" G_GUINT64_FORMAT ", \"sent\": %" G_GUINT64_FORMAT ", "
          "\"received\": %" G_GUINT64_FORMAT ", \"messages\": %u, \"p50\": %.1f, \"p99\": %.1f, "
          "\"rss\": %ld, \"peak\": %ld}\n",
          end->cpu - start->cpu, end->wall - start->wall, end->switches - start->switches,
          end->wire.connections - start->wire.connections,
          end->wire.requests - start->wire.requests,
          end->wire.sent - start->wire.sent,
          end->wire.received - start->wire.received,
          work.n_received,
          get_percentile (work.latencies, 50), get_percentile (work.latencies, 99),
          get_memory ("VmRSS:"), get_memory ("VmHWM:"));
  fflush (stdout);
}

void
bench_failed (const char *message)
{
  fprintf (stderr, "%s\n", message);
  exit (1);
}

void
bench_ready (BenchSession *session,
             const char   *jid)
{
  session->jid = g_strdup (jid);
  work.n_ready++;
}

static void
send_some (BenchSession *session)
{
  char text[32];
  gboolean sent = FALSE;

  while (work.n_sent < work.n_messages && work.n_sent - work.n_received < work.window)
    {
      g_snprintf (text, sizeof text, "message %u", work.n_sent);
      work.sent_at[work.n_sent++] = g_get_monotonic_time ();
      work.driver->send (session->client, text);
      sent = TRUE;
    }

  if (sent)
    work.driver->flush (session->client);
}

void
bench_received (BenchSession *session,
                guint         n_messages)
{
  /* In order, so the oldest are those that came. */
  for (guint i = 0; i < n_messages && work.sent_at != NULL; i++)
    {
      double latency = g_get_monotonic_time () - work.sent_at[work.n_received + i];

      if (!was_stopped)
        g_array_append_val (work.latencies, latency);
    }
  was_stopped = FALSE;
  work.n_received += n_messages;

  if (work.sent_at != NULL)
    send_some (session);
}

static void
on_continue (int number)
{
  was_stopped = TRUE;
}

/* Whoever has asked for it lets it go on when it is its turn. */
static void
stop_before_work (void)
{
  if (g_getenv ("BENCH_STOPS") == NULL)
    return;

  signal (SIGCONT, on_continue);
  raise (SIGSTOP);
}

static BenchSession *
start_session (guint number)
{
  BenchSession *session = g_new0 (BenchSession, 1);

  session->account = work.account;
  if (strchr (work.account.user, '%') != NULL)
    {
      g_autofree char *text = g_strdup_printf ("%u", number + 1);
      g_auto(GStrv) parts = g_strsplit (work.account.user, "%", 2);

      session->account.user = g_strconcat (parts[0], text, parts[1], NULL);
    }
  session->account.resource = g_strdup_printf ("bench-%u-%u", getpid (), number);
  work.n_started++;
  session->client = work.driver->login (&session->account, session);

  return session;
}

static BenchSession *
log_in (guint number)
{
  guint wanted = work.n_ready + 1;
  BenchSession *session = start_session (number);

  while (work.n_ready < wanted)
    work.driver->iterate ();

  return session;
}

/* One after the other in one process. The first one's cost is the wall and CPU
 * of the `cold` line. */
static void
do_logins (guint n_logins)
{
  Reading first, before, after;
  Reading sum = { 0 };

  stop_before_work ();
  take_reading (&first);
  first = (Reading){ 0 };
  for (guint i = 0; i < n_logins; i++)
    {
      BenchSession *session;
      double latency;

      take_reading (&before);
      session = log_in (i);
      take_reading (&after);
      work.driver->close (session->client);

      latency = (after.wall - before.wall) * 1e6;
      if (i == 0)
        {
          printf ("{\"cold\": {\"cpu\": %.6f, \"wall\": %.6f}}\n",
                  after.cpu - before.cpu, after.wall - before.wall);
          continue;
        }

      g_array_append_val (work.latencies, latency);
      sum.cpu += after.cpu - before.cpu;
      sum.wall += after.wall - before.wall;
      sum.switches += after.switches - before.switches;
      sum.wire.connections += after.wire.connections - before.wire.connections;
      sum.wire.requests += after.wire.requests - before.wire.requests;
      sum.wire.sent += after.wire.sent - before.wire.sent;
      sum.wire.received += after.wire.received - before.wire.received;
      work.n_received++;
    }

  print_report (&first, &sum);
}

static BenchSession *
log_in_many (guint n_sessions)
{
  BenchSession *first = start_session (0);

  while (work.n_ready < n_sessions)
    {
      while (work.n_started < n_sessions && work.n_started - work.n_ready < MAX_LOGINS)
        start_session (work.n_started);
      work.driver->iterate ();
    }

  return first;
}

/* Messages to itself, @window unanswered; 1 is ping-pong. More sessions do
 * nothing meanwhile. */
static void
do_echo (guint n_messages,
         guint window,
         guint n_sessions)
{
  BenchSession *session = log_in_many (n_sessions);
  Reading start, end;

  work.n_messages = n_messages;
  work.window = window;
  work.sent_at = g_new0 (gint64, n_messages);

  stop_before_work ();
  take_reading (&start);
  send_some (session);
  while (work.n_received < n_messages)
    work.driver->iterate ();
  take_reading (&end);

  print_report (&start, &end);
}

/* Says who it is, and waits for somebody to send the messages. */
static void
do_flood (guint n_messages)
{
  BenchSession *session = log_in (0);
  Reading start, end;

  take_reading (&start);
  printf ("{\"jid\": \"%s\"}\n", session->jid);
  fflush (stdout);
  while (work.n_received < n_messages)
    work.driver->iterate ();
  take_reading (&end);

  print_report (&start, &end);
}

static gboolean
set_flag (gpointer user_data)
{
  *(gboolean *)user_data = TRUE;

  return G_SOURCE_REMOVE;
}

/* Sessions that do nothing for some seconds. Drivers without a GLib loop of
 * their own return from iterate() often enough to see that time is up. */
static void
do_idle (guint n_sessions,
         guint seconds)
{
  g_autoptr(GSource) timer = NULL;
  gint64 settled_at = g_get_monotonic_time () + G_USEC_PER_SEC;
  gboolean done = FALSE;
  Reading start, end;

  take_reading (&start);
  log_in_many (n_sessions);
  take_reading (&end);
  printf ("{\"logins\": {\"cpu\": %.6f, \"wall\": %.6f}}\n",
          end.cpu - start.cpu, end.wall - start.wall);
  fflush (stdout);

  settled_at = g_get_monotonic_time () + G_USEC_PER_SEC;
  timer = g_timeout_source_new (1000);
  g_source_set_callback (timer, set_flag, &done, NULL);
  g_source_attach (timer, NULL);
  while (!done && g_get_monotonic_time () < settled_at)
    work.driver->iterate ();
  g_source_destroy (timer);

  g_clear_pointer (&timer, g_source_unref);
  done = FALSE;
  timer = g_timeout_source_new (seconds * 1000);
  g_source_set_callback (timer, set_flag, &done, NULL);
  g_source_attach (timer, NULL);
  settled_at = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  take_reading (&start);
  while (!done && g_get_monotonic_time () < settled_at)
    work.driver->iterate ();
  take_reading (&end);

  print_report (&start, &end);
}

static void
raise_file_limit (void)
{
  struct rlimit limit;

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
}

int
bench_main (int                argc,
            char              *argv[],
            const BenchDriver *driver)
{
  g_autoptr(GError) error = NULL;
  const char *name;
  guint count, more;

  if (argc != 8)
    bench_failed ("Usage: PROGRAM http://HOST:PORT/PATH DOMAIN USER PASSWORD "
                  "login|echo|crowd|flood|idle COUNT WINDOW|SESSIONS|SECONDS");

  raise_file_limit ();
  work.driver = driver;
  work.latencies = g_array_new (FALSE, FALSE, sizeof (double));
  if (!g_uri_split (argv[1], G_URI_FLAGS_NONE, NULL, NULL, (char **)&work.account.host,
                    (int *)&work.account.port, (char **)&work.account.path, NULL, NULL, &error))
    bench_failed (error->message);
  work.account.domain = argv[2];
  work.account.user = argv[3];
  work.account.password = argv[4];
  name = argv[5];
  count = strtoul (argv[6], NULL, 10);
  more = strtoul (argv[7], NULL, 10);

  if (g_str_equal (name, "login"))
    do_logins (count);
  else if (g_str_equal (name, "echo"))
    do_echo (count, more, 1);
  else if (g_str_equal (name, "crowd"))
    do_echo (count, 1, more);
  else if (g_str_equal (name, "flood"))
    do_flood (count);
  else if (g_str_equal (name, "idle"))
    do_idle (count, more);
  else
    bench_failed ("Unknown work");

  /* At once, without a goodbye: there may be thousands. */
  _exit (0);
}
