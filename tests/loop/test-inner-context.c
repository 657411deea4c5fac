/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-inner-context-private.h"

#include <glib-unix.h>
#include <glib/gstdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Above the number of contexts that have a single user. */
#define N_MANY 300

typedef struct
{
  GMainContext *outer;
  BoshInnerContext *inner;
  guint n_calls;
  GMainContext *seen_default;  /* no reference */
  GMainContext *seen_source;   /* of the source that is dispatched; no reference */
  GThread *seen_thread;
} Fixture;

static void
set_up (Fixture       *self,
        gconstpointer  user_data)
{
  self->outer = g_main_context_new ();
  self->inner = bosh_inner_context_new (self->outer);
}

static void
tear_down (Fixture       *self,
           gconstpointer  user_data)
{
  bosh_inner_context_free (self->inner);
  g_main_context_unref (self->outer);
}

static void
look (gpointer user_data)
{
  Fixture *self = user_data;
  GSource *source = g_main_current_source ();

  self->n_calls++;
  self->seen_default = g_main_context_get_thread_default ();
  self->seen_source = source != NULL ? g_source_get_context (source) : NULL;
  self->seen_thread = g_thread_self ();
}

static gboolean
on_source (gpointer user_data)
{
  look (user_data);

  return G_SOURCE_REMOVE;
}

/* Takes @source. */
static void
attach (GSource      *source,
        GSourceFunc   callback,
        gpointer      user_data,
        GMainContext *context)
{
  g_source_set_callback (source, callback, user_data, NULL);
  g_source_attach (source, context);
  g_source_unref (source);
}

static void
wait_for_calls (Fixture *self,
                guint    n_calls)
{
  while (self->n_calls < n_calls)
    g_main_context_iteration (self->outer, TRUE);
  g_assert_cmpuint (self->n_calls, ==, n_calls);
}

/* Iterates @context until nothing is ready. */
static void
settle (GMainContext *context)
{
  guint n = 0;

  while (g_main_context_iteration (context, FALSE))
    g_assert_cmpuint (n++, <, 1000);
}

/* In another thread, while this one waits in the outer context. */
static void
run_in_thread (Fixture     *self,
               GThreadFunc  func,
               guint        n_calls)
{
  GThread *thread = g_thread_new ("other", func, self);

  wait_for_calls (self, n_calls);
  g_thread_join (thread);
}

static void
test_timer (Fixture       *self,
            gconstpointer  user_data)
{
  GMainContext *context = bosh_inner_context_get (self->inner);
  gint64 start = g_get_monotonic_time ();

  g_test_summary ("Iterations of the outer context run sources of the inner one");

  g_assert_true (context != self->outer);
  attach (g_timeout_source_new (20), on_source, self, context);
  wait_for_calls (self, 1);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 19 * 1000);
  g_assert_true (self->seen_default == context);
  g_assert_true (self->seen_source == context);

  attach (g_idle_source_new (), on_source, self, context);
  wait_for_calls (self, 2);
}

static void
test_timers (Fixture       *self,
             gconstpointer  user_data)
{
  GMainContext *context = bosh_inner_context_get (self->inner);
  GSource *never = g_timeout_source_new_seconds (3600);

  g_test_summary ("Timers run in the order of their times, and one that was destroyed does not run");

  attach (g_source_ref (never), on_source, self, context);
  settle (self->outer);
  attach (g_timeout_source_new (10), on_source, self, context);
  wait_for_calls (self, 1);
  g_source_destroy (never);
  g_source_unref (never);
  settle (self->outer);
  g_assert_cmpuint (self->n_calls, ==, 1);
}

static gboolean
call_look (gpointer user_data)
{
  Fixture *self = user_data;

  bosh_inner_context_call (self->inner, look, self);
  g_assert_cmpuint (self->n_calls, ==, 0);

  return G_SOURCE_REMOVE;
}

static void
test_call (Fixture       *self,
           gconstpointer  user_data)
{
  g_test_summary ("bosh_inner_context_call() calls the application as a source of the outer context would");

  g_main_context_push_thread_default (self->outer);
  attach (g_idle_source_new (), call_look, self, bosh_inner_context_get (self->inner));
  wait_for_calls (self, 1);
  g_assert_true (self->seen_default == self->outer);
  g_assert_true (self->seen_source == self->outer);
  g_main_context_pop_thread_default (self->outer);
}

static gboolean
call_and_go_on (gpointer user_data)
{
  Fixture *self = user_data;

  bosh_inner_context_call (self->inner, look, self);
  attach (g_idle_source_new (), on_source, self, bosh_inner_context_get (self->inner));

  return G_SOURCE_REMOVE;
}

static void
test_call_first (Fixture       *self,
                 gconstpointer  user_data)
{
  g_test_summary ("After a call of the application the outer context is iterated before the inner one "
                  "goes on, so that its loop may end");

  attach (g_idle_source_new (), call_and_go_on, self, bosh_inner_context_get (self->inner));
  g_main_context_iteration (self->outer, TRUE);
  while (self->n_calls == 0)
    g_main_context_iteration (self->outer, TRUE);
  g_assert_cmpuint (self->n_calls, ==, 1);
  wait_for_calls (self, 2);
}

static void
test_dropped_call (void)
{
  g_test_summary ("A call that is queued is not made once the inner context is freed");

  for (guint is_plain = 0; is_plain <= 1; is_plain++)
    {
      g_autoptr(GMainContext) outer = g_main_context_new ();
      BoshInnerContext *inner = is_plain ? bosh_inner_context_new_plain (outer)
                                         : bosh_inner_context_new (outer);
      g_autoptr(BoshInnerContext) other = bosh_inner_context_new (outer);
      Fixture fixture = { .outer = outer };

      bosh_inner_context_call (inner, look, &fixture);
      bosh_inner_context_call (other, look, &fixture);
      bosh_inner_context_free (inner);
      bosh_inner_context_wake (other);
      settle (outer);
      g_assert_cmpuint (fixture.n_calls, ==, 1);

      /* Nor when the outer one is freed. */
      bosh_inner_context_call (other, look, &fixture);
      g_clear_pointer (&other, bosh_inner_context_free);
      g_clear_pointer (&outer, g_main_context_unref);
      g_assert_cmpuint (fixture.n_calls, ==, 1);
    }
}

static void
test_closing (void)
{
  g_autoptr(GMainContext) outer = g_main_context_new ();
  BoshInnerContext *inner = bosh_inner_context_new (outer);
  g_autoptr(GMainContext) context = g_main_context_ref (bosh_inner_context_get (inner));
  Fixture fixture = { .outer = outer };

  g_test_summary ("What is ready when the last user leaves an inner context is done at once, as the "
                  "outer context may not be run any more");

  attach (g_idle_source_new (), on_source, &fixture, context);
  attach (g_timeout_source_new_seconds (3600), on_source, &fixture, context);
  bosh_inner_context_free (inner);
  g_assert_cmpuint (fixture.n_calls, ==, 1);
  g_assert_true (fixture.seen_default == context);
  g_clear_pointer (&outer, g_main_context_unref);
  g_assert_cmpuint (fixture.n_calls, ==, 1);
}

static void
run_nested (gpointer user_data)
{
  Fixture *self = user_data;

  /* The second call, then a source of the inner context. */
  attach (g_idle_source_new (), on_source, self, bosh_inner_context_get (self->inner));
  wait_for_calls (self, 2);
}

static gboolean
call_twice (gpointer user_data)
{
  Fixture *self = user_data;

  bosh_inner_context_call (self->inner, run_nested, self);
  bosh_inner_context_call (self->inner, look, self);

  return G_SOURCE_REMOVE;
}

static void
test_nested (Fixture       *self,
             gconstpointer  user_data)
{
  g_test_summary ("An application may run its main loop where it is called, and the rest goes on in that");

  attach (g_idle_source_new (), call_twice, self, bosh_inner_context_get (self->inner));
  wait_for_calls (self, 2);
  settle (self->outer);
  g_assert_cmpuint (self->n_calls, ==, 2);
}

static gboolean
attach_inside (gpointer user_data)
{
  Fixture *self = user_data;

  attach (g_idle_source_new (), on_source, self, bosh_inner_context_get (self->inner));

  return G_SOURCE_REMOVE;
}

static void
test_same_thread (Fixture       *self,
                  gconstpointer  user_data)
{
  g_test_summary ("A source that is added from another source of the outer context is run");

  settle (self->outer);
  attach (g_idle_source_new (), attach_inside, self, self->outer);
  wait_for_calls (self, 1);
}

static gpointer
attach_in_thread (gpointer user_data)
{
  attach_inside (user_data);

  return NULL;
}

static gpointer
invoke_in_thread (gpointer user_data)
{
  Fixture *self = user_data;

  g_main_context_invoke (bosh_inner_context_get (self->inner), on_source, self);

  return NULL;
}

static void
test_other_thread (Fixture       *self,
                   gconstpointer  user_data)
{
  g_test_summary ("Another thread wakes it up, and sources are run in the thread of the outer context");

  g_assert_true (g_main_context_acquire (self->outer));
  attach_inside (self);
  wait_for_calls (self, 1);
  settle (self->outer);
  g_assert_true (g_main_context_is_owner (bosh_inner_context_get (self->inner)));
  run_in_thread (self, attach_in_thread, 2);
  g_assert_true (self->seen_thread == g_thread_self ());
  run_in_thread (self, invoke_in_thread, 3);
  g_assert_true (self->seen_thread == g_thread_self ());
  settle (self->outer);
  g_main_context_release (self->outer);
}

static gpointer
iterate_in_thread (gpointer user_data)
{
  Fixture *self = user_data;

  attach (g_timeout_source_new (1), on_source, self, bosh_inner_context_get (self->inner));
  wait_for_calls (self, self->n_calls + 1);

  return NULL;
}

static void
test_outer_moves (Fixture       *self,
                  gconstpointer  user_data)
{
  GThread *thread;

  g_test_summary ("The inner context goes where the outer one does");

  for (guint n = 0; n < 3; n++)
    {
      iterate_in_thread (self);
      g_assert_true (self->seen_thread == g_thread_self ());
      thread = g_thread_new ("other", iterate_in_thread, self);
      g_thread_join (thread);
      g_assert_true (self->seen_thread == thread);
    }
}

static gboolean
on_readable (int          fd,
             GIOCondition condition,
             gpointer     user_data)
{
  g_assert_cmpint (condition & G_IO_IN, ==, G_IO_IN);
  look (user_data);

  return G_SOURCE_REMOVE;
}

static void
watch_fd (Fixture *self,
          int      fd)
{
  attach (g_unix_fd_source_new (fd, G_IO_IN), G_SOURCE_FUNC (on_readable), self,
          bosh_inner_context_get (self->inner));
}

static void
test_descriptor (Fixture       *self,
                 gconstpointer  user_data)
{
  int fds[2];

  g_test_summary ("A descriptor is polled each time that a source waits for it, and not after the last one");

  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  for (guint n = 1; n <= 3; n++)
    {
      char byte;

      watch_fd (self, fds[0]);
      settle (self->outer);
      g_assert_cmpuint (self->n_calls, ==, n - 1);
      g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
      wait_for_calls (self, n);
      g_assert_cmpint (read (fds[0], &byte, 1), ==, 1);
    }

  /* No source waits for this byte, which must not keep the main loop busy. */
  g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
  settle (self->outer);
  g_assert_cmpuint (self->n_calls, ==, 3);

  watch_fd (self, fds[0]);
  wait_for_calls (self, 4);
  close (fds[0]);
  close (fds[1]);
}

static void
test_descriptor_behind (Fixture       *self,
                        gconstpointer  user_data)
{
  GMainContext *context = bosh_inner_context_get (self->inner);
  GSource *source;
  int fds[2];

  g_test_summary ("An event of a descriptor is not lost to a source of a higher priority");

  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  source = g_unix_fd_source_new (fds[0], G_IO_IN);
  g_source_set_priority (source, bosh_inner_context_get_priority (self->inner));
  attach (source, G_SOURCE_FUNC (on_readable), self, context);
  settle (self->outer);

  g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  attach (source, on_source, self, context);
  g_assert_cmpint (bosh_inner_context_get_priority (self->inner), >, G_PRIORITY_DEFAULT);
  wait_for_calls (self, 2);
  close (fds[0]);
  close (fds[1]);
}

typedef struct
{
  Fixture *fixture;
  int fds[2];
} Reopened;

static gboolean
reopen (gpointer user_data)
{
  Reopened *self = user_data;
  int before = self->fds[0];
  int after[2];

  bosh_inner_context_set_opening (self->fixture->inner, TRUE);
  g_assert_true (g_unix_open_pipe (after, FD_CLOEXEC, NULL));
  close (self->fds[1]);
  g_assert_cmpint (dup2 (after[0], before), ==, before);
  close (after[0]);
  self->fds[1] = after[1];
  bosh_inner_context_set_opening (self->fixture->inner, FALSE);

  return G_SOURCE_REMOVE;
}

static void
test_reopened (Fixture       *self,
               gconstpointer  user_data)
{
  Reopened reopened = { self, { -1, -1 } };

  g_test_summary ("While descriptors are opened, a number that means another descriptor is watched anew");

  g_assert_true (g_unix_open_pipe (reopened.fds, FD_CLOEXEC, NULL));
  watch_fd (self, reopened.fds[0]);
  settle (self->outer);
  attach (g_idle_source_new (), reopen, &reopened, bosh_inner_context_get (self->inner));
  settle (self->outer);
  g_assert_cmpuint (self->n_calls, ==, 0);
  g_assert_cmpint (write (reopened.fds[1], "x", 1), ==, 1);
  wait_for_calls (self, 1);
  close (reopened.fds[0]);
  close (reopened.fds[1]);
}

static void
test_passed_on (Fixture       *self,
                gconstpointer  user_data)
{
  Fixture other = { .outer = self->outer, .inner = bosh_inner_context_new (self->outer) };
  Fixture *users[] = { self, &other, self, &other };
  int fds[2];

  g_test_summary ("The number of a descriptor that was closed in one context is used in another");

  g_assert_true (bosh_inner_context_get (other.inner) != bosh_inner_context_get (self->inner));
  for (guint n = 0; n < G_N_ELEMENTS (users); n++)
    {
      g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
      watch_fd (users[n], fds[0]);
      settle (self->outer);
      g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
      wait_for_calls (users[n], n / 2 + 1);
      close (fds[0]);
      close (fds[1]);
    }
  bosh_inner_context_free (other.inner);
}

static void
test_forked (Fixture       *self,
             gconstpointer  user_data)
{
  int fds[2];
  int ends[2];
  int status;
  pid_t child;

  g_test_summary ("A descriptor that a child process has kept open does not keep the main loop busy");

  g_assert_true (g_unix_open_pipe (ends, FD_CLOEXEC, NULL));
  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  watch_fd (self, fds[0]);
  settle (self->outer);
  g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
  wait_for_calls (self, 1);

  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      char byte;

      close (ends[1]);
      _exit (read (ends[0], &byte, 1) == 0 ? 0 : 1);
    }
  close (ends[0]);
  close (fds[0]);
  settle (self->outer);

  /* The number is used again for a descriptor that a source waits for. */
  close (fds[1]);
  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  watch_fd (self, fds[0]);
  settle (self->outer);
  g_assert_cmpuint (self->n_calls, ==, 1);
  g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
  wait_for_calls (self, 2);

  close (ends[1]);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  close (fds[0]);
  close (fds[1]);
}

static void
test_refused (Fixture       *self,
              gconstpointer  user_data)
{
  g_autofree char *path = NULL;
  int file = g_file_open_tmp (NULL, &path, NULL);
  int fds[2];

  g_test_summary ("A descriptor that epoll refuses is tried again");

  /* It never takes a file. */
  g_assert_cmpint (file, >=, 0);
  watch_fd (self, file);
  settle (self->outer);
  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  g_assert_cmpint (dup2 (fds[0], file), ==, file);
  g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
  wait_for_calls (self, 1);

  close (file);
  close (fds[0]);
  close (fds[1]);
  g_unlink (path);
}

typedef struct
{
  GSource source;
  guint n_prepared;
} Counter;

static gboolean
counter_prepare (GSource *source,
                 int     *timeout)
{
  ((Counter *)source)->n_prepared++;

  return FALSE;
}

static void
test_many (Fixture       *self,
           gconstpointer  user_data)
{
  static GSourceFuncs funcs = { .prepare = counter_prepare };
  BoshInnerContext *many[N_MANY];
  Counter *counters[N_MANY];
  guint before = 0;
  guint after = 0;

  g_test_summary ("A busy context costs nothing in the idle ones");

  for (guint n = 0; n < N_MANY; n++)
    {
      many[n] = bosh_inner_context_new (self->outer);
      counters[n] = (Counter *)g_source_new (&funcs, sizeof (Counter));
      g_source_attach (&counters[n]->source, bosh_inner_context_get (many[n]));
    }
  settle (self->outer);
  for (guint n = 0; n < N_MANY; n++)
    before += counters[n]->n_prepared;

  for (guint n = 1; n <= 100; n++)
    {
      attach (g_idle_source_new (), on_source, self, bosh_inner_context_get (self->inner));
      wait_for_calls (self, n);
    }
  settle (self->outer);

  for (guint n = 0; n < N_MANY; n++)
    after += counters[n]->n_prepared;
  g_assert_cmpuint (before, >=, N_MANY);
  g_assert_cmpuint (after, ==, before);

  for (guint n = 0; n < N_MANY; n++)
    {
      g_source_destroy (&counters[n]->source);
      g_source_unref (&counters[n]->source);
      bosh_inner_context_free (many[n]);
    }
}

static void
test_used_again (Fixture       *self,
                 gconstpointer  user_data)
{
  GMainContext *seen[8];
  BoshInnerContext *many[N_MANY];
  g_autoptr(GHashTable) contexts = g_hash_table_new (NULL, NULL);

  g_test_summary ("Each user has a context of its own, which is used again when it is free, and above "
                  "a number of them two users share one");

  for (guint n = 0; n < G_N_ELEMENTS (seen); n++)
    {
      g_autoptr(BoshInnerContext) other = bosh_inner_context_new (self->outer);

      seen[n] = bosh_inner_context_get (other);
      g_assert_true (seen[n] != bosh_inner_context_get (self->inner));
      g_assert_true (seen[n] == seen[0]);
    }

  for (guint n = 0; n < N_MANY; n++)
    {
      many[n] = bosh_inner_context_new (self->outer);
      g_hash_table_add (contexts, bosh_inner_context_get (many[n]));
      if (n < N_MANY / 2)
        g_assert_cmpuint (g_hash_table_size (contexts), ==, n + 1);
    }
  g_assert_cmpuint (g_hash_table_size (contexts), <, N_MANY - 10);
  for (guint n = 0; n < N_MANY; n++)
    bosh_inner_context_free (many[n]);
}

/* A plain inner context is @outer itself in all that can be done with it. */
static void
check_plain (BoshInnerContext *inner,
             GMainContext     *outer)
{
  Fixture self = { .outer = outer, .inner = inner };

  g_assert_true (bosh_inner_context_get (inner) == outer);
  g_assert_true (bosh_inner_context_get_outer (inner) == outer);
  g_assert_true (bosh_inner_context_enter (inner) == inner);
  g_assert_true (g_main_context_get_thread_default () == outer);
  bosh_inner_context_set_opening (inner, TRUE);
  bosh_inner_context_set_opening (inner, FALSE);
  bosh_inner_context_leave (inner);
  bosh_inner_context_wake (inner);
  g_assert_cmpint (bosh_inner_context_get_priority (inner), ==, G_PRIORITY_DEFAULT);
  bosh_inner_context_call (inner, look, &self);
  g_assert_cmpuint (self.n_calls, ==, 0);
  wait_for_calls (&self, 1);
  g_assert_true (self.seen_source == outer);
}

static void
test_plain (Fixture       *self,
            gconstpointer  user_data)
{
  g_autoptr(BoshInnerContext) plain = bosh_inner_context_new_plain (self->outer);

  g_test_summary ("A plain inner context is that of the application; others are not");

  check_plain (plain, self->outer);
  g_assert_true (bosh_inner_context_get (self->inner) != self->outer);
  g_assert_true (bosh_inner_context_get_outer (self->inner) == self->outer);
}

static void
run_nested_plain (gpointer user_data)
{
  wait_for_calls (user_data, 1);
}

static void
test_plain_nested (Fixture       *self,
                   gconstpointer  user_data)
{
  g_autoptr(BoshInnerContext) plain = bosh_inner_context_new_plain (self->outer);

  g_test_summary ("An application that runs its loop where it is called from a plain inner context "
                  "stops nothing");

  bosh_inner_context_call (plain, run_nested_plain, self);
  bosh_inner_context_call (plain, look, self);
  settle (self->outer);
  g_assert_cmpuint (self->n_calls, ==, 1);
}

static gboolean
on_busy (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* A source of @inner, of the priority of its users, beside one of @context that is always
 * ready. */
static void
check_turn (Fixture          *self,
            BoshInnerContext *inner,
            GMainContext     *context)
{
  GSource *busy = g_timeout_source_new (0);
  GSource *source = g_timeout_source_new (0);
  guint n_calls = self->n_calls;

  attach (g_source_ref (busy), on_busy, NULL, context);
  g_source_set_priority (source, bosh_inner_context_get_priority (inner));
  attach (source, on_source, self, bosh_inner_context_get (inner));
  for (guint n = 0; n < 100 && self->n_calls == n_calls; n++)
    g_main_context_iteration (self->outer, TRUE);
  g_assert_cmpuint (self->n_calls, ==, n_calls + 1);

  g_source_destroy (busy);
  g_source_unref (busy);
}

static void
test_busy (Fixture       *self,
           gconstpointer  user_data)
{
  g_autoptr(BoshInnerContext) plain = bosh_inner_context_new_plain (self->outer);

  g_test_summary ("Each has its turn beside what the application or another connection is busy "
                  "with in the default priority");

  check_turn (self, self->inner, self->outer);
  check_turn (self, plain, self->outer);
  check_turn (self, plain, bosh_inner_context_get (self->inner));
}

static void
check_debug (const char *value,
             gboolean    is_plain)
{
  g_autoptr(GMainContext) outer = g_main_context_new ();
  g_autofree char *before = g_strdup (g_getenv ("BOSH_DEBUG"));
  g_autoptr(BoshInnerContext) inner = NULL;

  g_setenv ("BOSH_DEBUG", value, TRUE);
  inner = bosh_inner_context_new (outer);
  g_assert_cmpint (bosh_inner_context_get (inner) == outer, ==, is_plain);

  if (before != NULL)
    g_setenv ("BOSH_DEBUG", before, TRUE);
  else
    g_unsetenv ("BOSH_DEBUG");
}

static void
test_debug (void)
{
  g_test_summary ("BOSH_DEBUG in the environment makes all inner contexts plain");

  check_debug ("", FALSE);
  check_debug ("something-else", FALSE);
  check_debug ("something-else,no-inner-context", TRUE);
}

static int
open_lowest (void)
{
  int fd = dup (STDIN_FILENO);

  close (fd);

  return fd;
}

static void
test_fallback (void)
{
  g_autoptr(GMainContext) outer = g_main_context_new ();
  g_autoptr(BoshInnerContext) inner = NULL;
  struct rlimit limit;
  rlim_t before;

  g_test_summary ("Where there are no descriptors left, the context of the application is used");

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  before = limit.rlim_cur;
  limit.rlim_cur = (rlim_t)open_lowest ();
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  inner = bosh_inner_context_new (outer);
  limit.rlim_cur = before;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);

  check_plain (inner, outer);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, function) \
  g_test_add ("/bosh/inner-context/" path, Fixture, NULL, set_up, function, tear_down)

  ADD ("timer", test_timer);
  ADD ("timers", test_timers);
  ADD ("call", test_call);
  ADD ("call-first", test_call_first);
  ADD ("nested", test_nested);
  ADD ("same-thread", test_same_thread);
  ADD ("other-thread", test_other_thread);
  ADD ("outer-moves", test_outer_moves);
  ADD ("descriptor", test_descriptor);
  ADD ("descriptor-behind", test_descriptor_behind);
  ADD ("reopened", test_reopened);
  ADD ("passed-on", test_passed_on);
  ADD ("many", test_many);
  ADD ("used-again", test_used_again);
  ADD ("forked", test_forked);
  ADD ("refused", test_refused);
  ADD ("plain", test_plain);
  ADD ("plain-nested", test_plain_nested);
  ADD ("busy", test_busy);
  g_test_add_func ("/bosh/inner-context/dropped-call", test_dropped_call);
  g_test_add_func ("/bosh/inner-context/closing", test_closing);
  g_test_add_func ("/bosh/inner-context/debug", test_debug);
  g_test_add_func ("/bosh/inner-context/fallback", test_fallback);

  return g_test_run ();
}
