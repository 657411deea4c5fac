/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "bosh-element.h"

G_BEGIN_DECLS

/* The iq requests that have no response yet. Each has a task, which returns exactly
 * once: with the response (a BoshElement), with a BOSH_STANZA_ERROR, or with the
 * error that cancelled it, timed it out or ended the session. A request waits for a
 * session until it is sent in one. */
typedef struct _BoshIqTracker BoshIqTracker;

/* @context is where the tasks time out. */
BoshIqTracker *bosh_iq_tracker_new       (GMainContext  *context);
/* Tasks that have not returned are dropped. */
void           bosh_iq_tracker_free      (BoshIqTracker *self);

gboolean       bosh_iq_tracker_has       (BoshIqTracker *self,
                                          const char    *id);
/* A request that waits for a session. @iq has an id that is not in use. @deadline is
 * in monotonic time, or -1 for a request that does not time out. @task: (transfer
 * full) */
void           bosh_iq_tracker_add       (BoshIqTracker *self,
                                          BoshElement   *iq,
                                          gint64         deadline,
                                          GTask         *task);
/* The session has the request with @id, which may have returned since it waited. */
void           bosh_iq_tracker_sent      (BoshIqTracker *self,
                                          const char    *id);
/* TRUE if @iq is the response to a request, whose task then returns. @jid is our
 * own full JID (nullable). A callback of the task may free the tracker. */
gboolean       bosh_iq_tracker_handle    (BoshIqTracker *self,
                                          BoshElement   *iq,
                                          const char    *domain,
                                          const char    *jid);
/* The response to a request can't be handed out, of which @stub has the attributes: its
 * task, if there is one, returns @error. */
void           bosh_iq_tracker_fail      (BoshIqTracker *self,
                                          BoshElement   *stub,
                                          const char    *domain,
                                          const char    *jid,
                                          const GError  *error);
/* The tasks of those that were sent return a copy of @error. */
void           bosh_iq_tracker_fail_sent (BoshIqTracker *self,
                                          const GError  *error);
/* All tasks return a copy of @error. */
void           bosh_iq_tracker_fail_all  (BoshIqTracker *self,
                                          const GError  *error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshIqTracker, bosh_iq_tracker_free)

G_END_DECLS
