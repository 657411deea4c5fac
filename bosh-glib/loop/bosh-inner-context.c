/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-inner-context-private.h"

#include "bosh-epoll-context-private.h"

/* The users of an outer context that get a plain inner context. A single connection gains
 * nothing by an epoll context: a message costs it 0.7 % more instructions, and no system
 * call less. But each plain one adds about ten sources to every iteration of the outer
 * context, for all other connections too. */
#define MAX_PLAIN 1

struct _BoshInnerContext
{
  GMainContext *context;
  GMainContext *outer;
  BoshEpollContext *epoll;  /* NULL: plain */
  gboolean is_counted;      /* in plain_users */
};

G_LOCK_DEFINE_STATIC (plain_users);
static GHashTable *plain_users;  /* GMainContext → number; guarded by the lock */

/* Changes the number by @difference. Returns FALSE, having done nothing, if there would be
 * too many. */
static gboolean
count_plain_users (GMainContext *outer,
                   int           difference)
{
  int n_users;

  G_LOCK (plain_users);
  if (plain_users == NULL)
    plain_users = g_hash_table_new (NULL, NULL);

  n_users = GPOINTER_TO_INT (g_hash_table_lookup (plain_users, outer)) + difference;
  if (n_users == 0)
    g_hash_table_remove (plain_users, outer);
  else if (n_users <= MAX_PLAIN)
    g_hash_table_insert (plain_users, outer, GINT_TO_POINTER (n_users));

  if (g_hash_table_size (plain_users) == 0)
    g_clear_pointer (&plain_users, g_hash_table_unref);
  G_UNLOCK (plain_users);

  return n_users <= MAX_PLAIN;
}

typedef enum
{
  DEBUG_NO_INNER_CONTEXT = 1 << 0,   /* all are plain */
  DEBUG_NO_PLAIN_CONTEXT = 1 << 1,   /* none is, if that is possible */
} DebugFlags;

static DebugFlags
get_debug_flags (void)
{
  static const GDebugKey keys[] = {
    { "no-inner-context", DEBUG_NO_INNER_CONTEXT },
    { "no-plain-context", DEBUG_NO_PLAIN_CONTEXT },
  };

  return g_parse_debug_string (g_getenv ("BOSH_DEBUG"), keys, G_N_ELEMENTS (keys));
}

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
  BoshInnerContext *self = bosh_inner_context_new_plain (outer);
  DebugFlags flags = get_debug_flags ();

  self->is_counted = (flags & DEBUG_NO_PLAIN_CONTEXT) == 0 && count_plain_users (outer, 1);
  if (self->is_counted || (flags & DEBUG_NO_INNER_CONTEXT) != 0)
    return self;

  self->epoll = bosh_epoll_context_new (outer);
  if (self->epoll != NULL)
    {
      g_main_context_unref (self->context);
      self->context = g_main_context_ref (bosh_epoll_context_get (self->epoll));
    }

  return self;
}

void
bosh_inner_context_free (BoshInnerContext *self)
{
  if (self->is_counted)
    count_plain_users (self->outer, -1);
  if (self->epoll != NULL)
    bosh_epoll_context_free (self->epoll);
  g_main_context_unref (self->context);
  g_free (self);
}

GMainContext *
bosh_inner_context_get (BoshInnerContext *self)
{
  return self->context;
}

GMainContext *
bosh_inner_context_get_outer (BoshInnerContext *self)
{
  return self->outer;
}

int
bosh_inner_context_get_priority (BoshInnerContext *self)
{
  return G_PRIORITY_DEFAULT + 1;
}

BoshInnerScope *
bosh_inner_context_enter (BoshInnerContext *self)
{
  if (self->epoll != NULL)
    bosh_epoll_context_own (self->epoll);
  g_main_context_push_thread_default (self->context);

  return self;
}

void
bosh_inner_context_leave (BoshInnerScope *scope)
{
  g_main_context_pop_thread_default (scope->context);
  if (scope->epoll != NULL && !g_main_context_is_owner (scope->outer))
    bosh_epoll_context_disown (scope->epoll);
  bosh_inner_context_wake (scope);
}

void
bosh_inner_context_set_opening (BoshInnerContext *self,
                                gboolean          is_opening)
{
  if (self->epoll != NULL)
    bosh_epoll_context_set_opening (self->epoll, is_opening);
}

void
bosh_inner_context_call (BoshInnerContext *self,
                         BoshInnerFunc     func,
                         gpointer          user_data)
{
  if (self->epoll != NULL)
    bosh_epoll_context_call (self->epoll, func, user_data);
  else
    func (user_data);
}

void
bosh_inner_context_wake (BoshInnerContext *self)
{
  if (self->epoll != NULL)
    bosh_epoll_context_wake (self->epoll);
  /* A loop that runs in this thread prepares its sources before it waits again. */
  if (!g_main_context_is_owner (self->outer))
    g_main_context_wakeup (self->outer);
}
