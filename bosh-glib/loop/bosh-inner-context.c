/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* For dup3(). */
#define _GNU_SOURCE

#include "config.h"

#include "bosh-inner-context-private.h"

#ifdef HAVE_EPOLL
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

/* So many main contexts have a single user. Where there are more, two share one:
 * that saves file descriptors, of which each has one, but when something happens to
 * one user the other is looked at too. */
#define MAX_ALONE 256
/* Iterations of an inner context in one of the outer, so that none takes all the
 * time. libsoup needs about ten for an exchange. */
#define MAX_ROUNDS 100
#define MAX_EVENTS 64
/* Microseconds that timers differ by from one iteration to the next, because the
 * main loop counts in milliseconds. */
#define TIMER_JITTER 1000
/* Of what waits for answers. libsoup goes on with what has come in steps of the default
 * priority, and as long as one of these is ready GLib does not look at what is behind. */
#define WAITING_PRIORITY (G_PRIORITY_DEFAULT + 1)
/* Milliseconds until what the system has no room for is tried again. */
#define RETRY_AFTER 100

typedef struct _Poller Poller;

/* One file descriptor, as epoll knows it. It stays there when nobody waits for
 * it, as those of connections do between two exchanges. */
typedef struct
{
  BoshInnerContext *owner;       /* NULL: nobody */
  guint32           generation;  /* tells it from what had the number before */
  gushort           events;
  gushort           revents;     /* seen, and not yet told to the owner */
} Watch;

typedef struct
{
  BoshInnerFunc func;
  gpointer      user_data;
} Call;

/* A main context with all that its poller has to know. It is never freed before
 * the poller: somebody else's task in it may not have come to its end. */
struct _BoshInnerContext
{
  GMainContext *context;
  GMainContext *outer;      /* no reference: it lives longer */
  Poller       *poller;     /* NULL: the context is that of the application */
  guint         number;     /* in the poller */
  guint         n_users;
  GThread      *owner;      /* who has acquired it, as long as it is nobody else's turn */
  GList         available;  /* link, while there is room for another user */
  GList         ready;      /* link, while it has something to do */
  gboolean      is_ready;
  gint64        expiry;     /* of its first timer, monotonic; 0: none */
  GQueue        calls;      /* of Call */
  int           wakeup_fd;  /* readable when another thread wants something */
  GArray       *poll_fds;   /* of GPollFD, as the context wants it */
  guint         n_opening;  /* users who open and close descriptors */
  gboolean      is_doubtful;  /* one may not be what it was, though it has its number */
};

/* The one source in the outer context. */
struct _Poller
{
  GSource       source;
  GMainContext *outer;      /* no reference: it owns the source */
  GPollFD       epoll;
  GArray       *watches;    /* of Watch, by descriptor */
  GPtrArray    *all;        /* of BoshInnerContext, by number */
  GQueue        available;
  GQueue        ready;
  GTree        *timers;     /* BoshInnerContexts with an expiry, by that */
};

G_LOCK_DEFINE_STATIC (pollers);
static GHashTable *pollers;  /* GMainContext → Poller, guarded by the lock */

/* Timers */

static int
compare_expiries (gconstpointer a,
                  gconstpointer b)
{
  const BoshInnerContext *self = a;
  const BoshInnerContext *other = b;

  if (self->expiry != other->expiry)
    return self->expiry < other->expiry ? -1 : 1;

  return (self->number > other->number) - (self->number < other->number);
}

static void
set_expiry (BoshInnerContext *self,
            gint64            expiry)
{
  /* Better once too early than to sort it anew each time. */
  if (self->expiry != 0 && expiry >= self->expiry && expiry - self->expiry <= TIMER_JITTER)
    return;

  if (self->expiry != 0)
    g_tree_remove (self->poller->timers, self);
  self->expiry = expiry;
  if (expiry != 0)
    g_tree_insert (self->poller->timers, self, self);
}

static BoshInnerContext *
get_first_timer (Poller *poller)
{
  GTreeNode *node = g_tree_node_first (poller->timers);

  return node != NULL ? g_tree_node_key (node) : NULL;
}

static void
set_ready (BoshInnerContext *self,
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

/* Whoever owns the outer context owns the inner one, also while that sleeps: what
 * another thread invokes in it would run in that thread otherwise, as GLib's TLS
 * does when it asks about a certificate. */
static void
own (BoshInnerContext *self)
{
  if (self->owner == g_thread_self ())
    return;

  /* The outer context has come to another thread, so the former one is done. */
  if (self->owner != NULL)
    g_main_context_release (self->context);
  if (!g_main_context_acquire (self->context))
    g_critical ("A connection is used outside of the thread that runs its main context");
  self->owner = g_thread_self ();
}

static void
disown (BoshInnerContext *self)
{
  if (self->owner == NULL)
    return;

  self->owner = NULL;
  g_main_context_release (self->context);
}

/* File descriptors. The flags of poll(), which GLib uses, are those of epoll. */

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

/* Returns in how many milliseconds the context has something to do, 0 if it has, and
 * -1 if there is no timer. */
static int
query (BoshInnerContext *self)
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
wants (BoshInnerContext *self,
       int               fd)
{
  for (guint i = 0; i < self->poll_fds->len; i++)
    if (g_array_index (self->poll_fds, GPollFD, i).fd == fd)
      return TRUE;

  return FALSE;
}

/* Lets epoll watch a descriptor. One that was closed is gone from there, though
 * another may have its number by now. */
static gboolean
watch_descriptor (BoshInnerContext *self,
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

/* Returns FALSE if the system has no room for some. */
static gboolean
watch_all (BoshInnerContext *self)
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

/* Tells the context what epoll has seen, once: where something else comes first, epoll
 * tells it again. Returns FALSE if that is nothing. */
static gboolean
fill_in (BoshInnerContext *self)
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

/* The signal by which the context is woken is taken away before it sleeps: mostly
 * this very thread has sent it. */
static void
take_signal (BoshInnerContext *self)
{
  /* Longer than the counter, so one call does. */
  char buffer[16];

  while (read (self->wakeup_fd, buffer, sizeof buffer) == sizeof buffer)
    ;
}

/* One iteration. Returns FALSE if it can sleep, for @timeout milliseconds; then
 * nothing was called since the last descriptors were asked for. */
static gboolean
iterate (BoshInnerContext *self,
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

  /* Unless that was a step of libsoup there is mostly nothing left to do. What was
   * added before the signal is seen in the next iteration. */
  *took_signal = priority >= WAITING_PRIORITY && self->calls.length == 0;
  if (*took_signal)
    take_signal (self);

  return TRUE;
}

/* What is called may run the outer loop, and so come here again, only deeper:
 * that one goes on with the rest. */
static void
make_calls (BoshInnerContext *self)
{
  Call *call;

  while ((call = g_queue_pop_head (&self->calls)) != NULL)
    {
      call->func (call->user_data);
      g_free (call);
    }
}

/* Until nothing is left to do, or the application was called: what it has asked
 * for then goes on in the next iteration of its loop, if it does not end that. So
 * a session which is let go of where a login has ended has not sent a request
 * since. */
static void
run (BoshInnerContext *self)
{
  gboolean took_signal = FALSE;
  gboolean is_finished = FALSE;
  int timeout;

  own (self);
  g_main_context_push_thread_default (self->context);
  for (guint n = 0; n < MAX_ROUNDS && !is_finished && self->calls.length == 0; n++)
    is_finished = !iterate (self, &took_signal, &timeout);
  g_main_context_pop_thread_default (self->context);
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

/* The source of the outer context */

static gboolean
poller_prepare (GSource *source,
                int     *timeout)
{
  Poller *self = (Poller *)source;
  BoshInnerContext *first;
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
  BoshInnerContext *first;

  if (self->ready.length > 0 || self->epoll.revents != 0)
    return TRUE;

  first = get_first_timer (self);

  return first != NULL && first->expiry <= g_source_get_time (source);
}

/* A process that was forked off has copies of our descriptors, so epoll goes on
 * with what we have closed, and does not let it be removed. */
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
      /* It looks again at what it wants. */
      set_ready (watch->owner, TRUE);
      watch->owner = NULL;
    }
}

/* Returns FALSE if it is of something that was closed. */
static gboolean
take_event (Poller                   *self,
            const struct epoll_event *event)
{
  int fd = (int)(guint32)event->data.u64;
  Watch *watch = get_watch (self, fd);
  BoshInnerContext *owner = watch->owner;

  if (owner == NULL || watch->generation != event->data.u64 >> 32)
    return FALSE;

  if (!wants (owner, fd))
    {
      watch->owner = NULL;
      return control (self, EPOLL_CTL_DEL, fd, watch);
    }

  /* The signal is taken when there is nothing else. */
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
  BoshInnerContext *first;

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
  /* Those that become ready meanwhile have their turn in the next iteration. */
  for (guint n = self->ready.length; n > 0 && self->ready.length > 0; n--)
    run (self->ready.head->data);

  return G_SOURCE_CONTINUE;
}

static void
inner_context_destroy (gpointer data)
{
  BoshInnerContext *self = data;

  g_main_context_unref (self->context);
  g_array_unref (self->poll_fds);
  g_free (self);
}

/* The outer context goes, and another may soon be where it was. */
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
  self->all = g_ptr_array_new_with_free_func (inner_context_destroy);
  self->timers = g_tree_new (compare_expiries);
  g_source_set_static_name (&self->source, "[bosh] inner contexts");
  g_source_set_can_recurse (&self->source, TRUE);
  g_source_add_poll (&self->source, &self->epoll);
  /* Never called; its end tells when the context goes. */
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

static void
add_context (Poller *poller)
{
  BoshInnerContext *self;
  int spare;

  /* GLib ends the program where there is no descriptor for a context. */
  spare = fcntl (poller->epoll.fd, F_DUPFD_CLOEXEC, 0);
  if (spare == -1)
    return;
  close (spare);

  self = g_new0 (BoshInnerContext, 1);
  /* So it tells of what is added while nobody runs it, by whatever thread. */
  self->context = g_main_context_new_with_flags (G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
  self->outer = poller->outer;
  self->poller = poller;
  self->number = poller->all->len;
  self->available.data = self;
  self->ready.data = self;
  self->poll_fds = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  g_ptr_array_add (poller->all, self);
  g_queue_push_head_link (&poller->available, &self->available);

  /* A new context has one descriptor. */
  query (self);
  self->wakeup_fd = g_array_index (self->poll_fds, GPollFD, 0).fd;
  watch_all (self);
}

/* One that has room for a user, or NULL. */
static BoshInnerContext *
find_context (GMainContext *outer)
{
  Poller *poller = find_poller (outer);

  if (poller == NULL)
    return NULL;
  if (poller->available.length == 0)
    add_context (poller);

  return poller->available.length > 0 ? poller->available.head->data : NULL;
}

static void
add_call (BoshInnerContext *self,
          BoshInnerFunc     func,
          gpointer          user_data)
{
  Call *call = g_new (Call, 1);

  call->func = func;
  call->user_data = user_data;
  g_queue_push_tail (&self->calls, call);
}

static gboolean
is_full (BoshInnerContext *self)
{
  return self->n_users == (self->number < MAX_ALONE ? 1 : 2);
}

static void
add_user (BoshInnerContext *self)
{
  self->n_users++;
  if (is_full (self))
    g_queue_unlink (&self->poller->available, &self->available);
}

static void
add_opening (BoshInnerContext *self,
             int               n)
{
  self->n_opening += n;
  self->is_doubtful = TRUE;
}

static void
remove_user (BoshInnerContext *self)
{
  if (is_full (self))
    g_queue_push_head_link (&self->poller->available, &self->available);
  self->n_users--;
}

#else

/* Without epoll, sources are in the context of the application. */

typedef void Poller;

struct _BoshInnerContext
{
  GMainContext *context;
  GMainContext *outer;
  Poller       *poller;
};

static BoshInnerContext *
find_context (GMainContext *outer)
{
  return NULL;
}

static void
add_call (BoshInnerContext *self,
          BoshInnerFunc     func,
          gpointer          user_data)
{
}

static void
add_user (BoshInnerContext *self)
{
}

static void
remove_user (BoshInnerContext *self)
{
}

static void
add_opening (BoshInnerContext *self,
             int               n)
{
}

static void
set_ready (BoshInnerContext *self,
           gboolean          is_ready)
{
}

static void
own (BoshInnerContext *self)
{
}

static void
disown (BoshInnerContext *self)
{
}

#endif

BoshInnerContext *
bosh_inner_context_new_plain (GMainContext *outer)
{
  BoshInnerContext *self = g_new0 (BoshInnerContext, 1);

  self->context = g_main_context_ref (outer);
  self->outer = outer;

  return self;
}

BoshInnerContext *
bosh_inner_context_new (GMainContext *outer)
{
  BoshInnerContext *self = find_context (outer);

  if (self == NULL)
    return bosh_inner_context_new_plain (outer);

  add_user (self);

  return self;
}

void
bosh_inner_context_free (BoshInnerContext *self)
{
  if (self->poller != NULL)
    {
      remove_user (self);
      return;
    }

  g_main_context_unref (self->context);
  g_free (self);
}

GMainContext *
bosh_inner_context_get (BoshInnerContext *self)
{
  return self->context;
}

int
bosh_inner_context_get_priority (BoshInnerContext *self)
{
  return self->poller != NULL ? WAITING_PRIORITY : G_PRIORITY_DEFAULT;
}

GMainContext *
bosh_inner_context_get_outer (BoshInnerContext *self)
{
  return self->outer;
}

BoshInnerScope *
bosh_inner_context_enter (BoshInnerContext *self)
{
  if (self->poller != NULL)
    own (self);
  g_main_context_push_thread_default (self->context);

  return self;
}

void
bosh_inner_context_leave (BoshInnerScope *scope)
{
  BoshInnerContext *self = scope;

  g_main_context_pop_thread_default (self->context);
  if (self->poller != NULL && !g_main_context_is_owner (self->outer))
    disown (self);
  bosh_inner_context_wake (self);
}

void
bosh_inner_context_set_opening (BoshInnerContext *self,
                                gboolean          is_opening)
{
  if (self->poller != NULL)
    add_opening (self, is_opening ? 1 : -1);
}

void
bosh_inner_context_wake (BoshInnerContext *self)
{
  if (self->poller != NULL)
    set_ready (self, TRUE);
  /* The loop that we were called from looks at it before it waits again. */
  if (!g_main_context_is_owner (self->outer))
    g_main_context_wakeup (self->outer);
}

void
bosh_inner_context_call (BoshInnerContext *self,
                         BoshInnerFunc     func,
                         gpointer          user_data)
{
  if (self->poller != NULL)
    add_call (self, func, user_data);
  else
    func (user_data);
}
