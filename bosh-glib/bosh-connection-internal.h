/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the files of the connection share:
 *   bosh-connection.c             the object, and the drain that drives a session
 *   bosh-connection-operations.c  what an application asks for
 *   bosh-connection-save.c        the session as it is, to go on after a crash
 *   bosh-connection-streams.c     several streams in the session */

#pragma once

#include "bosh-connection-private.h"
#include "bosh-inner-context-private.h"
#include "bosh-network-watch-private.h"
#include "bosh-pending-tasks-private.h"
#include "bosh-session-private.h"
#include "bosh-sleep-watch-private.h"
#include "bosh-transport-private.h"

G_BEGIN_DECLS

struct _BoshConnection
{
  GObject                      parent_instance;

  char                        *domain;
  BoshConnectionConfiguration *configuration;
  char                        *jid;

  BoshConnectionState          state;
  BoshElement                 *features;
  GError                      *close_error;

  BoshSession                 *session;
  BoshTransport               *transport;
  GMainContext                *context;        /* of the application */
  BoshInnerContext            *inner;          /* of all I/O and timers */
  GSource                     *source;         /* wakes the session; the only timer */
  BoshNetworkWatch            *network;        /* tells when the network is back */
  BoshSleepWatch              *sleep;          /* tells when the machine woke */
  GPtrArray                   *answers;        /* bodies that nobody was shown yet; nullable */
  gboolean                     is_called;      /* it will act when the inner context is done */
  int                          drain_level;    /* depth of the loop that drains, + 1; or 0 */
  BoshPendingTasks            *tasks;

  gboolean                     wants_spare;    /* with the next request */
  gboolean                     leaving;        /* asked to end or hand over */

  BoshConnectionFilter         filter;
  gpointer                     filter_data;

  /* what was notified last */
  guint64                      known_rid;
  guint                        known_queued;

  guint64                      requests_sent;
  guint64                      requests_repeated;
  guint64                      stanzas_sent;
  guint64                      stanzas_received;
};

/* Captures the context of the caller, and makes what is needed for I/O. */
void connection_start (BoshConnection *self);
/* FALSE, with an error, where there never was a session. */
gboolean connection_check_session (BoshConnection  *self,
                                   GError         **error);
/* The end of the stream @name, or of what was asked for as @serial. */
void connection_close_stream (BoshConnection *self,
                              const char     *name,
                              guint64         serial,
                              const GError   *error);
void connection_emit_stream_closed (BoshConnection *self,
                                    const char     *stream,
                                    const GError   *error);
/* No I/O and no timer any more. */
void connection_stop  (BoshConnection *self);
/* Does what the session wants done, now. */
void connection_drain (BoshConnection *self);
/* The same in the next iteration, with all that is asked for until then. */
void connection_wake  (BoshConnection *self);

/* bosh-connection-save.c */
/* What is needed to go on with the session as it is now; it must have an id. */
BoshSavedSession *connection_dup_saved (BoshConnection *self);

G_END_DECLS
