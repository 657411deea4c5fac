/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A main context that is iterated from a source of an outer one: see
 * bosh-inner-context-private.h, which alone uses it. */
typedef struct _BoshEpollContext BoshEpollContext;

typedef void (*BoshEpollFunc) (gpointer user_data);

/* Returns NULL where the system has no epoll or no descriptor left, and where GLib does
 * not work as expected. */
BoshEpollContext *bosh_epoll_context_new         (GMainContext     *outer);
/* Calls of @user are not made any more. */
void              bosh_epoll_context_free        (BoshEpollContext *self,
                                                  gconstpointer     user);
GMainContext     *bosh_epoll_context_get         (BoshEpollContext *self);

/* The thread that runs the outer context owns this one, also while it sleeps. Otherwise
 * g_main_context_invoke() would run a function in the thread that calls it, as
 * GTlsConnection does from its handshake thread to ask about a certificate. */
void              bosh_epoll_context_own         (BoshEpollContext *self);
void              bosh_epoll_context_disown      (BoshEpollContext *self);

void              bosh_epoll_context_set_opening (BoshEpollContext *self,
                                                  gboolean          is_opening);
/* Calls @func when the iteration that is under way has ended. @user: for
 * bosh_epoll_context_free(). */
void              bosh_epoll_context_call        (BoshEpollContext *self,
                                                  gconstpointer     user,
                                                  BoshEpollFunc     func,
                                                  gpointer          user_data);
/* Has it iterated in the next iteration of the outer context. */
void              bosh_epoll_context_wake        (BoshEpollContext *self);

G_END_DECLS
