/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-inner-context-private.h"

#include "bosh-epoll-context-private.h"

struct _BoshInnerContext
{
  GMainContext *context;
  GMainContext *outer;
  BoshEpollContext *epoll;  /* NULL: plain */
  GQueue calls;             /* of Call, in a plain one */
};

typedef struct
{
  BoshInnerContext *owner;
  BoshInnerFunc func;
  gpointer user_data;
  GSource *source;          /* no reference: it owns the call */
} Call;

typedef enum
{
  DEBUG_NO_INNER_CONTEXT = 1 << 0,   /* all are plain */
} DebugFlags;

static DebugFlags
get_debug_flags (void)
{
  static const GDebugKey keys[] = {
    { "no-inner-context", DEBUG_NO_INNER_CONTEXT },
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

  if ((get_debug_flags () & DEBUG_NO_INNER_CONTEXT) != 0)
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
  Call *call;

  while ((call = g_queue_pop_head (&self->calls)) != NULL)
    g_source_destroy (call->source);
  if (self->epoll != NULL)
    bosh_epoll_context_free (self->epoll, self);
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
  /* Sources of the application compete with those in a plain one. */
  return self->epoll != NULL ? G_PRIORITY_DEFAULT + 1 : G_PRIORITY_DEFAULT;
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

static gboolean
on_call (gpointer user_data)
{
  Call *call = user_data;

  g_queue_remove (&call->owner->calls, call);
  call->func (call->user_data);

  return G_SOURCE_REMOVE;
}

/* Not at once: the caller may be a callback of libsoup, which must return before libsoup
 * can go on with the request. */
static void
call_from_source (BoshInnerContext *self,
                  BoshInnerFunc     func,
                  gpointer          user_data)
{
  g_autoptr(GSource) source = g_idle_source_new ();
  Call *call = g_new (Call, 1);

  call->owner = self;
  call->func = func;
  call->user_data = user_data;
  call->source = source;
  g_queue_push_tail (&self->calls, call);
  g_source_set_static_name (source, "[bosh] call");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_call, call, g_free);
  g_source_attach (source, self->outer);
}

void
bosh_inner_context_call (BoshInnerContext *self,
                         BoshInnerFunc     func,
                         gpointer          user_data)
{
  if (self->epoll != NULL)
    bosh_epoll_context_call (self->epoll, self, func, user_data);
  else
    call_from_source (self, func, user_data);
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
