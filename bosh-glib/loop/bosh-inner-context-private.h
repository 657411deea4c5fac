/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A main context inside of that of the application, for the sockets and timers
 * of a connection. The main loop looks at every source of a context in each
 * iteration; this way it sees a single one, however many connections there are,
 * and only contexts in which something happens are run. */
typedef struct _BoshInnerContext BoshInnerContext;

typedef void (*BoshInnerFunc) (gpointer user_data);

/* Inside of @outer, which must outlive it. Where the system can't do that, it is
 * @outer itself. */
BoshInnerContext *bosh_inner_context_new   (GMainContext     *outer);
/* Is @outer itself, for rare work that may run beside the application's. */
BoshInnerContext *bosh_inner_context_new_plain (GMainContext *outer);
/* What is still under way in it is brought to its end all the same. */
void              bosh_inner_context_free  (BoshInnerContext *self);

/* Where to attach sources. Another connection may share it. */
GMainContext     *bosh_inner_context_get   (BoshInnerContext *self);

/* Of requests, and of sources that mostly wait: with it they cost nothing while libsoup
 * is busy with something else. */
int               bosh_inner_context_get_priority (BoshInnerContext *self);

/* The application's context. */
GMainContext     *bosh_inner_context_get_outer (BoshInnerContext *self);

/* Operations that are started before the scope is left complete in the inner context:
 *
 *   g_autoptr(BoshInnerScope) scope = bosh_inner_context_enter (inner);
 */
typedef BoshInnerContext BoshInnerScope;
BoshInnerScope   *bosh_inner_context_enter (BoshInnerContext *self);
void              bosh_inner_context_leave (BoshInnerScope   *scope);

/* While a user of it may open and close file descriptors: else they are not looked
 * at again as long as they have the same numbers. */
void              bosh_inner_context_set_opening (BoshInnerContext *self,
                                                  gboolean          is_opening);

/* For a source of the inner context that has to do with the application: calls
 * @func as a source of the outer one would, as soon as the caller has returned. */
void              bosh_inner_context_call  (BoshInnerContext *self,
                                            BoshInnerFunc     func,
                                            gpointer          user_data);

/* The inner context has something to do: it is run in the next iteration of the
 * outer one. */
void              bosh_inner_context_wake  (BoshInnerContext *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshInnerContext, bosh_inner_context_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshInnerScope, bosh_inner_context_leave)

G_END_DECLS
