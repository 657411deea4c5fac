/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A main context for the sockets and timers of one connection. GLib looks at every
 * source of a context in each iteration. Of all inner contexts the application's context
 * sees a single source, however many connections there are, and only those in which
 * something happens are iterated.
 *
 * A plain inner context is the application's context itself. All functions work with it. */
typedef struct _BoshInnerContext BoshInnerContext;
typedef struct _BoshInnerContext BoshInnerScope;

typedef void (*BoshInnerFunc) (gpointer user_data);

/* @outer: the application's context, which must outlive the inner one. It is a plain one
 * where the system has no epoll or no descriptor left, where GLib does not work as
 * expected, and where BOSH_DEBUG=no-inner-context is set in the environment. */
BoshInnerContext *bosh_inner_context_new          (GMainContext     *outer);
BoshInnerContext *bosh_inner_context_new_plain    (GMainContext     *outer);
/* Operations that are under way in it complete all the same, but calls are not made. */
void              bosh_inner_context_free         (BoshInnerContext *self);

/* The context to attach sources to. Another connection may share it. */
GMainContext     *bosh_inner_context_get          (BoshInnerContext *self);
GMainContext     *bosh_inner_context_get_outer    (BoshInnerContext *self);

/* The priority of requests, and of sources that wait most of the time. It is behind the
 * default priority, in which libsoup goes on with a request in several steps, so that
 * GLib looks at these sources only after the last step. In a plain one it is the default
 * priority, because other sources of that one might always be ready. */
int               bosh_inner_context_get_priority (BoshInnerContext *self);

/* Operations that are started within the scope complete in the inner context:
 *
 *   g_autoptr(BoshInnerScope) scope = bosh_inner_context_enter (inner);
 */
BoshInnerScope   *bosh_inner_context_enter        (BoshInnerContext *self);
void              bosh_inner_context_leave        (BoshInnerScope   *scope);

/* TRUE while a user opens and closes file descriptors: epoll does not notice by itself
 * that a number means another descriptor. */
void              bosh_inner_context_set_opening  (BoshInnerContext *self,
                                                   gboolean          is_opening);

/* Calls @func, which may run code of the application, from a source of the outer context,
 * as soon as the caller has returned to the inner one. It is not called if the inner
 * context is freed before. */
void              bosh_inner_context_call         (BoshInnerContext *self,
                                                   BoshInnerFunc     func,
                                                   gpointer          user_data);

/* Has the inner context iterated in the next iteration of the outer one, because a
 * source of it has become ready without GLib's knowledge. */
void              bosh_inner_context_wake         (BoshInnerContext *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshInnerContext, bosh_inner_context_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshInnerScope, bosh_inner_context_leave)

G_END_DECLS
