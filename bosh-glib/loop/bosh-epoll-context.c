/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* For dup3(). */
#define _GNU_SOURCE

#include "config.h"

#include "bosh-epoll-context-private.h"

#ifdef HAVE_EPOLL
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

/* The contexts are iterated from a source of the outer context, by means of the public
 * functions g_main_context_prepare(), _query(), _check() and _dispatch(). They sleep in
 * between, and epoll waits for their descriptors. This relies on details of GLib that are
 * not promised:
 *
 * 1. A context without sources has one descriptor. It is the one that wakes the context
 *    up: an eventfd or the end of a pipe, and it doesn't block.
 * 2. With G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING this descriptor becomes readable when a
 *    source is added, or becomes ready by g_source_set_ready_time(), while no thread owns
 *    the context. (Of a context that a thread owns, this is so for other threads.)
 * 3. To read from it until it is empty takes the signal back, so g_main_context_check()
 *    need not be called for it.
 * 4. The owner of a context may change from one iteration to the next, and may own it
 *    while it sleeps.
 * 5. The flags of GPollFD are those of poll(), and so of epoll.
 *
 * glib_is_as_expected() tries the first three, and without them there are no such
 * contexts. The fourth one is documented, and the fifth is how GLib defines them.
 *
 * Only speed depends on this: g_main_context_query() leaves out the sources behind the
 * priority of one that is ready, and a thread doesn't signal a context that it owns. */

/* So many contexts have a single user. Of those above, two users share one, because each
 * context has a file descriptor, of which a process may not have many; but when something
 * happens to one user, the other is looked at too. */
#define MAX_ALONE 256
/* Iterations of a context in one of the outer context, so that it does not take all the
 * time. libsoup needs about ten for an exchange. */
#define MAX_ROUNDS 100
#define MAX_EVENTS 64
/* Microseconds that timers differ by from one iteration to the next, because GLib counts
 * in milliseconds. */
#define TIMER_JITTER 1000
/* Milliseconds until a descriptor is tried again that epoll has refused. */
#define RETRY_AFTER 100

typedef struct _Poller Poller;

/* A file descriptor, as epoll knows it. It remains with epoll while no source waits for
 * it, because the connections wait for theirs again in the next exchange. */
typedef struct
{
  BoshEpollContext *owner;       /* NULL: none */
  guint32           generation;  /* tells events from those of a former descriptor with
                                  * the same number */
  gushort           events;
  gushort           revents;     /* that the owner has not processed yet */
} Watch;

typedef struct
{
  gconstpointer user;
  BoshEpollFunc func;
  gpointer      user_data;
} Call;

/* It is freed together with the poller only, because operations of libsoup and GIO may
 * be under way in the context after its last user has gone. */
struct _BoshEpollContext
{
  GMainContext *context;
  GMainContext *outer;        /* no reference: it lives longer */
  Poller       *poller;
  guint         number;       /* in the poller */
  guint         n_users;
  GThread      *owner;        /* that has acquired the context; nullable */
  GList         available;    /* link, while there is room for another user */
  GList         ready;        /* link, while is_ready */
  gboolean      is_ready;
  gint64        expiry;       /* of its first timer, in monotonic time; 0: none */
  GQueue        calls;        /* of Call */
  int           wakeup_fd;
  GArray       *poll_fds;     /* of GPollFD, from g_main_context_query() */
  guint         n_opening;    /* users who open and close descriptors */
  guint         n_running;    /* iterations, one inside of the other */
  gboolean      is_doubtful;  /* the numbers of poll_fds may mean other descriptors */
};

/* The one source in an outer context. */
struct _Poller
{
  GSource       source;
  GMainContext *outer;      /* no reference: it owns this source */
  GPollFD       epoll;
  GArray       *watches;    /* of Watch, by descriptor */
  GPtrArray    *all;        /* of BoshEpollContext, by number */
  GQueue        available;
  GQueue        ready;
  GTree        *timers;     /* of BoshEpollContext, those with an expiry, in its order */
};

G_LOCK_DEFINE_STATIC (pollers);
static GHashTable *pollers;  /* GMainContext → Poller; guarded by the lock */

/* --- What is to be iterated, and when --- */

static int
compare_expiries (gconstpointer a,
                  gconstpointer b)
{
  const BoshEpollContext *self = a;
  const BoshEpollContext *other = b;

  if (self->expiry != other->expiry)
    return self->expiry < other->expiry ? -1 : 1;

  return (self->number > other->number) - (self->number < other->number);
}

static void
set_expiry (BoshEpollContext *self,
            gint64            expiry)
{
  /* An iteration that comes too early costs less than to sort it anew each time. */
  if (self->expiry != 0 && expiry >= self->expiry && expiry - self->expiry <= TIMER_JITTER)
    return;

  if (self->expiry != 0)
    g_tree_remove (self->poller->timers, self);
  self->expiry = expiry;
  if (expiry != 0)
    g_tree_insert (self->poller->timers, self, self);
}

static BoshEpollContext *
get_first_timer (Poller *poller)
{
  GTreeNode *node = g_tree_node_first (poller->timers);

  return node != NULL ? g_tree_node_key (node) : NULL;
}

static void
set_ready (BoshEpollContext *self,
           gboolean          is_ready)
{
  if (self->is_ready == is_ready)
    return;

  self->is_ready = is_ready;
  if (is_ready)
    g_queue_push_tail_link (&self->poller->ready, &self->ready);
  else
    g_queue_unlink (&self->poller->ready, &self->ready);
}

/* --- File descriptors --- */

static gboolean
control (Poller      *self,
         int          operation,
         int          fd,
         const Watch *watch)
{
  struct epoll_event event = {
    .events = watch->events,
    .data.u64 = (guint64)watch->generation << 32 | (guint32)fd,
  };

  return epoll_ctl (self->epoll.fd, operation, fd, &event) == 0;
}

static Watch *
get_watch (Poller *self,
           int     fd)
{
  if (self->watches->len <= (guint)fd)
    g_array_set_size (self->watches, (guint)fd + 1);

  return &g_array_index (self->watches, Watch, fd);
}

/* Returns the milliseconds until the first timer, 0 if a source is ready, and -1 if
 * there is no timer. */
static int
query (BoshEpollContext *self)
{
  int timeout;
  int n_fds;

  while ((n_fds = g_main_context_query (self->context, G_MAXINT, &timeout,
                                        (GPollFD *)(void *)self->poll_fds->data,
                                        (int)self->poll_fds->len)) > (int)self->poll_fds->len)
    g_array_set_size (self->poll_fds, (guint)n_fds);
  g_array_set_size (self->poll_fds, (guint)n_fds);

  return timeout;
}

static gboolean
wants (BoshEpollContext *self,
       int               fd)
{
  for (guint i = 0; i < self->poll_fds->len; i++)
    if (g_array_index (self->poll_fds, GPollFD, i).fd == fd)
      return TRUE;

  return FALSE;
}

/* Adds a descriptor to epoll, or changes what it is watched for. One that was closed is
 * gone from epoll, and another descriptor may have its number. Returns FALSE if epoll
 * refuses it. */
static gboolean
watch_descriptor (BoshEpollContext *self,
                  const GPollFD    *wanted)
{
  Watch *watch = get_watch (self->poller, wanted->fd);
  gboolean was_watched = watch->owner != NULL;

  if (watch->owner == self && watch->events == wanted->events &&
      (!self->is_doubtful || wanted->fd == self->wakeup_fd))
    return TRUE;

  *watch = (Watch){ self, watch->generation + 1, wanted->events, 0 };
  if ((was_watched && control (self->poller, EPOLL_CTL_MOD, wanted->fd, watch)) ||
      control (self->poller, EPOLL_CTL_ADD, wanted->fd, watch))
    return TRUE;

  watch->owner = NULL;

  return FALSE;
}

/* Returns FALSE if epoll refuses a descriptor. */
static gboolean
watch_all (BoshEpollContext *self)
{
  gboolean has_all = TRUE;

  for (guint i = 0; i < self->poll_fds->len; i++)
    {
      if (!watch_descriptor (self, &g_array_index (self->poll_fds, GPollFD, i)))
        has_all = FALSE;
    }
  self->is_doubtful = self->n_opening > 0;

  return has_all;
}

/* Passes the events that epoll has reported on to poll_fds. They are dropped even if a
 * source of a higher priority comes first, because epoll reports them again. Returns
 * FALSE if there are none. */
static gboolean
fill_in (BoshEpollContext *self)
{
  gboolean has_events = FALSE;

  for (guint i = 0; i < self->poll_fds->len; i++)
    {
      GPollFD *poll_fd = &g_array_index (self->poll_fds, GPollFD, i);
      Watch *watch = get_watch (self->poller, poll_fd->fd);

      poll_fd->revents = 0;
      if (watch->owner != self || watch->revents == 0)
        continue;

      poll_fd->revents = watch->revents;
      watch->revents = 0;
      has_events = TRUE;
    }

  return has_events;
}

/* Takes back the signal that wakes a context up. Mostly this thread has sent it, before
 * the context was iterated. */
static void
take_signal (int wakeup_fd)
{
  /* More than the 8 bytes of an eventfd, so that one call is enough. */
  char buffer[16];

  while (read (wakeup_fd, buffer, sizeof buffer) == sizeof buffer)
    ;
}

/* --- Iterations --- */

/* Iterates the context once. Returns FALSE if it can sleep, for @timeout milliseconds,
 * and poll_fds are those to wait for. */
static gboolean
iterate (BoshEpollContext *self,
         gboolean         *took_signal,
         int              *timeout)
{
  int priority;

  set_ready (self, FALSE);
  g_main_context_prepare (self->context, &priority);
  *timeout = query (self);
  if (!fill_in (self) && *timeout != 0)
    {
      if (*took_signal)
        return FALSE;
    }
  else if (g_main_context_check (self->context, priority,
                                 (GPollFD *)(void *)self->poll_fds->data,
                                 (int)self->poll_fds->len))
    {
      g_main_context_dispatch (self->context);
    }

  /* Behind the default priority, in which libsoup works, there is mostly nothing left to
   * do, and the next iteration is the last one. It sees what was added before the signal
   * was taken. */
  *took_signal = priority > G_PRIORITY_DEFAULT && self->calls.length == 0;
  if (*took_signal)
    take_signal (self->wakeup_fd);

  return TRUE;
}

/* The function that is called may run the outer context, and so come here again: the
 * inner call goes on with the rest of the queue. */
static void
make_calls (BoshEpollContext *self)
{
  Call *call;

  while ((call = g_queue_pop_head (&self->calls)) != NULL)
    {
      call->func (call->user_data);
      g_free (call);
    }
}

/* Iterates the context until no source is ready, or until the application is to be
 * called. What the application asks for is done in the next iteration of its main loop,
 * unless it quits that: a session that is detached where its login has ended has sent
 * nothing since. */
static void
run (BoshEpollContext *self)
{
  gboolean took_signal = FALSE;
  gboolean is_finished = FALSE;
  int timeout;

  bosh_epoll_context_own (self);
  self->n_running++;
  g_main_context_push_thread_default (self->context);
  for (guint n = 0; n < MAX_ROUNDS && !is_finished && self->calls.length == 0; n++)
    is_finished = !iterate (self, &took_signal, &timeout);
  g_main_context_pop_thread_default (self->context);
  self->n_running--;
  make_calls (self);

  if (!is_finished)
    {
      timeout = query (self);
      set_ready (self, TRUE);
    }
  if (!watch_all (self))
    timeout = timeout < 0 ? RETRY_AFTER : MIN (timeout, RETRY_AFTER);
  set_expiry (self, timeout > 0 ? g_get_monotonic_time () + timeout * G_GINT64_CONSTANT (1000) : 0);
}

/* Completes what was cancelled or closed, as the outer context may not be run again. */
static void
run_dry (BoshEpollContext *self)
{
  g_main_context_push_thread_default (self->context);
  for (guint n = 0; n < MAX_ROUNDS && g_main_context_iteration (self->context, FALSE); n++)
    ;
  g_main_context_pop_thread_default (self->context);
}

/* --- The source of the outer context --- */

static gboolean
poller_prepare (GSource *source,
                int     *timeout)
{
  Poller *self = (Poller *)source;
  BoshEpollContext *first;
  gint64 left;

  if (self->ready.length > 0)
    return TRUE;

  first = get_first_timer (self);
  if (first == NULL)
    return FALSE;

  left = first->expiry - g_source_get_time (source);
  if (left <= 0)
    return TRUE;

  *timeout = (int)MIN (left / 1000 + 1, G_MAXINT);

  return FALSE;
}

static gboolean
poller_check (GSource *source)
{
  Poller *self = (Poller *)source;
  BoshEpollContext *first;

  if (self->ready.length > 0 || self->epoll.revents != 0)
    return TRUE;

  first = get_first_timer (self);

  return first != NULL && first->expiry <= g_source_get_time (source);
}

/* A child process has copies of our descriptors. As long as it has them open, epoll goes
 * on to report events of those that we have closed, which can't be removed any more. So
 * the epoll instance is replaced. */
static void
renew_epoll (Poller *self)
{
  int fd = epoll_create1 (EPOLL_CLOEXEC);

  if (fd == -1)
    return;
  dup3 (fd, self->epoll.fd, O_CLOEXEC);
  close (fd);

  for (guint i = 0; i < self->watches->len; i++)
    {
      Watch *watch = &g_array_index (self->watches, Watch, i);

      if (watch->owner == NULL)
        continue;
      /* Its descriptors are added to the new instance when it was iterated. */
      set_ready (watch->owner, TRUE);
      watch->owner = NULL;
    }
}

/* Returns FALSE if the event is of a descriptor that was closed. */
static gboolean
take_event (Poller                   *self,
            const struct epoll_event *event)
{
  int fd = (int)(guint32)event->data.u64;
  Watch *watch = get_watch (self, fd);
  BoshEpollContext *owner = watch->owner;

  if (owner == NULL || watch->generation != event->data.u64 >> 32)
    return FALSE;

  if (!wants (owner, fd))
    {
      watch->owner = NULL;
      return control (self, EPOLL_CTL_DEL, fd, watch);
    }

  /* The signal is taken after the last iteration. */
  if (fd != owner->wakeup_fd)
    watch->revents |= (gushort)event->events;
  set_ready (owner, TRUE);

  return TRUE;
}

static void
take_events (Poller *self)
{
  struct epoll_event events[MAX_EVENTS];
  gboolean is_stale = FALSE;
  int n_events = 0;

  if (self->epoll.revents != 0)
    n_events = epoll_wait (self->epoll.fd, events, MAX_EVENTS, 0);
  for (int i = 0; i < n_events; i++)
    {
      if (!take_event (self, &events[i]))
        is_stale = TRUE;
    }
  if (is_stale)
    renew_epoll (self);
}

static void
take_timers (Poller *self)
{
  gint64 now = g_source_get_time (&self->source);
  BoshEpollContext *first;

  while ((first = get_first_timer (self)) != NULL && first->expiry <= now)
    {
      set_expiry (first, 0);
      set_ready (first, TRUE);
    }
}

static gboolean
poller_dispatch (GSource     *source,
                 GSourceFunc  callback,
                 gpointer     user_data)
{
  Poller *self = (Poller *)source;

  take_events (self);
  take_timers (self);
  /* Those that become ready meanwhile are left to the next iteration. */
  for (guint n = self->ready.length; n > 0 && self->ready.length > 0; n--)
    run (self->ready.head->data);

  return G_SOURCE_CONTINUE;
}

static void
epoll_context_destroy (gpointer data)
{
  BoshEpollContext *self = data;

  bosh_epoll_context_own (self);
  run_dry (self);
  bosh_epoll_context_disown (self);
  g_queue_clear_full (&self->calls, g_free);
  g_main_context_unref (self->context);
  g_array_unref (self->poll_fds);
  g_free (self);
}

/* The outer context is freed, and another one may get its address. */
static void
forget_poller (gpointer user_data)
{
  Poller *self = user_data;

  G_LOCK (pollers);
  g_hash_table_remove (pollers, self->outer);
  if (g_hash_table_size (pollers) == 0)
    g_clear_pointer (&pollers, g_hash_table_unref);
  G_UNLOCK (pollers);
}

static void
poller_finalize (GSource *source)
{
  Poller *self = (Poller *)source;

  g_tree_unref (self->timers);
  g_ptr_array_unref (self->all);
  g_array_unref (self->watches);
  close (self->epoll.fd);
}

static GSourceFuncs poller_funcs = {
  .prepare = poller_prepare,
  .check = poller_check,
  .dispatch = poller_dispatch,
  .finalize = poller_finalize,
};

static Poller *
poller_new (GMainContext *outer)
{
  int fd = epoll_create1 (EPOLL_CLOEXEC);
  Poller *self;

  if (fd == -1)
    return NULL;

  self = (Poller *)g_source_new (&poller_funcs, sizeof (Poller));
  self->outer = outer;
  self->epoll.fd = fd;
  self->epoll.events = G_IO_IN;
  self->watches = g_array_new (FALSE, TRUE, sizeof (Watch));
  self->all = g_ptr_array_new_with_free_func (epoll_context_destroy);
  self->timers = g_tree_new (compare_expiries);
  g_source_set_static_name (&self->source, "[bosh] epoll");
  g_source_set_can_recurse (&self->source, TRUE);
  g_source_add_poll (&self->source, &self->epoll);
  /* There is no callback; its data is released when the outer context is freed. */
  g_source_set_callback (&self->source, NULL, self, forget_poller);
  g_source_attach (&self->source, outer);
  g_source_unref (&self->source);

  return self;
}

static Poller *
find_poller (GMainContext *outer)
{
  Poller *poller;

  G_LOCK (pollers);
  if (pollers == NULL)
    pollers = g_hash_table_new (NULL, NULL);
  poller = g_hash_table_lookup (pollers, outer);
  if (poller == NULL)
    {
      poller = poller_new (outer);
      if (poller != NULL)
        g_hash_table_insert (pollers, outer, poller);
    }
  G_UNLOCK (pollers);

  return poller;
}

static BoshEpollContext *
epoll_context_create (void)
{
  BoshEpollContext *self = g_new0 (BoshEpollContext, 1);

  self->context = g_main_context_new_with_flags (G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
  self->available.data = self;
  self->ready.data = self;
  self->poll_fds = g_array_new (FALSE, FALSE, sizeof (GPollFD));

  /* See 1. at the top. */
  g_main_context_acquire (self->context);
  query (self);
  self->wakeup_fd = self->poll_fds->len == 1 ? g_array_index (self->poll_fds, GPollFD, 0).fd : -1;
  g_main_context_release (self->context);

  return self;
}

static gboolean
is_readable (int fd)
{
  GPollFD poll_fd = { .fd = fd, .events = G_IO_IN };

  return g_poll (&poll_fd, 1, 0) == 1;
}

/* See 2. and 3. at the top. */
static gboolean
signals_work (BoshEpollContext *self)
{
  g_autoptr(GSource) source = g_timeout_source_new (G_MAXUINT);
  gboolean attaching;
  gboolean ready_time;

  if (self->wakeup_fd == -1 || (fcntl (self->wakeup_fd, F_GETFL) & O_NONBLOCK) == 0)
    return FALSE;

  g_source_attach (source, self->context);
  attaching = is_readable (self->wakeup_fd);
  take_signal (self->wakeup_fd);
  if (is_readable (self->wakeup_fd))
    attaching = FALSE;

  g_source_set_ready_time (source, 0);
  ready_time = is_readable (self->wakeup_fd);
  g_source_destroy (source);

  return attaching && ready_time;
}

static gboolean
glib_is_as_expected (void)
{
  static gsize result;

  if (g_once_init_enter (&result))
    {
      BoshEpollContext *probe = epoll_context_create ();
      gboolean is_good = signals_work (probe);

      if (!is_good)
        g_debug ("No inner contexts: GMainContext does not work as expected");
      epoll_context_destroy (probe);
      g_once_init_leave (&result, is_good ? 2 : 1);
    }

  return result == 2;
}

static void
add_context (Poller *poller)
{
  BoshEpollContext *self;
  int fd;

  /* GLib aborts the program if there is no descriptor for a new context. */
  fd = fcntl (poller->epoll.fd, F_DUPFD_CLOEXEC, 0);
  if (fd == -1)
    return;
  close (fd);

  self = epoll_context_create ();
  self->outer = poller->outer;
  self->poller = poller;
  self->number = poller->all->len;
  g_ptr_array_add (poller->all, self);
  g_queue_push_head_link (&poller->available, &self->available);
  watch_all (self);
}

static gboolean
is_full (BoshEpollContext *self)
{
  return self->n_users == (self->number < MAX_ALONE ? 1 : 2);
}

BoshEpollContext *
bosh_epoll_context_new (GMainContext *outer)
{
  Poller *poller = glib_is_as_expected () ? find_poller (outer) : NULL;
  BoshEpollContext *self;

  if (poller == NULL)
    return NULL;
  if (poller->available.length == 0)
    add_context (poller);
  if (poller->available.length == 0)
    return NULL;

  self = poller->available.head->data;
  self->n_users++;
  if (is_full (self))
    g_queue_unlink (&poller->available, &self->available);

  return self;
}

static void
drop_calls (BoshEpollContext *self,
            gconstpointer     user)
{
  GList *next;

  for (GList *link = self->calls.head; link != NULL; link = next)
    {
      Call *call = link->data;

      next = link->next;
      if (call->user != user)
        continue;

      g_queue_delete_link (&self->calls, link);
      g_free (call);
    }
}

void
bosh_epoll_context_free (BoshEpollContext *self,
                         gconstpointer     user)
{
  drop_calls (self, user);
  if (is_full (self))
    g_queue_push_head_link (&self->poller->available, &self->available);
  self->n_users--;
  if (self->n_users > 0 || self->n_running > 0)
    return;

  bosh_epoll_context_own (self);
  run_dry (self);
  if (!g_main_context_is_owner (self->outer))
    bosh_epoll_context_disown (self);
  set_ready (self, TRUE);
}

GMainContext *
bosh_epoll_context_get (BoshEpollContext *self)
{
  return self->context;
}

void
bosh_epoll_context_own (BoshEpollContext *self)
{
  if (self->owner == g_thread_self ())
    return;

  /* The outer context is run by another thread now. */
  if (self->owner != NULL)
    g_main_context_release (self->context);
  if (!g_main_context_acquire (self->context))
    g_critical ("A connection is used outside of the thread that runs its main context");
  self->owner = g_thread_self ();
}

void
bosh_epoll_context_disown (BoshEpollContext *self)
{
  if (self->owner == NULL)
    return;

  self->owner = NULL;
  g_main_context_release (self->context);
}

void
bosh_epoll_context_set_opening (BoshEpollContext *self,
                                gboolean          is_opening)
{
  self->n_opening += is_opening ? 1 : -1;
  self->is_doubtful = TRUE;
}

void
bosh_epoll_context_call (BoshEpollContext *self,
                         gconstpointer     user,
                         BoshEpollFunc     func,
                         gpointer          user_data)
{
  Call *call = g_new (Call, 1);

  call->user = user;
  call->func = func;
  call->user_data = user_data;
  g_queue_push_tail (&self->calls, call);
}

void
bosh_epoll_context_wake (BoshEpollContext *self)
{
  set_ready (self, TRUE);
}

#else

BoshEpollContext *
bosh_epoll_context_new (GMainContext *outer)
{
  return NULL;
}

/* Of the others none is called then. */

void
bosh_epoll_context_free (BoshEpollContext *self,
                         gconstpointer     user)
{
}

GMainContext *
bosh_epoll_context_get (BoshEpollContext *self)
{
  return NULL;
}

void
bosh_epoll_context_own (BoshEpollContext *self)
{
}

void
bosh_epoll_context_disown (BoshEpollContext *self)
{
}

void
bosh_epoll_context_set_opening (BoshEpollContext *self,
                                gboolean          is_opening)
{
}

void
bosh_epoll_context_call (BoshEpollContext *self,
                         gconstpointer     user,
                         BoshEpollFunc     func,
                         gpointer          user_data)
{
}

void
bosh_epoll_context_wake (BoshEpollContext *self)
{
}

#endif
