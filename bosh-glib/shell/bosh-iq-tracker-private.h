/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "bosh-element.h"

G_BEGIN_DECLS

/* The iq requests that were sent and have no answer yet. A task that waits here
 * returns once: the answer (a BoshElement), a BOSH_STANZA_ERROR, or what
 * cancelled it, timed it out or closed the session. */
typedef struct _BoshIqTracker BoshIqTracker;

/* @context is where the tasks time out. */
BoshIqTracker *bosh_iq_tracker_new      (GMainContext  *context);
/* Tasks that still wait are dropped. */
void           bosh_iq_tracker_free     (BoshIqTracker *self);

gboolean       bosh_iq_tracker_has      (BoshIqTracker *self,
                                         const char    *id);
/* Takes @task. @iq has an id that is not in use. @timeout is in seconds,
 * G_MAXUINT: without limit. */
void           bosh_iq_tracker_add      (BoshIqTracker *self,
                                         BoshElement   *iq,
                                         guint          timeout,
                                         GTask         *task);
/* TRUE if @iq answers a request, whose task then returns. @jid is our own full
 * JID (nullable). The tracker may be gone afterwards. */
gboolean       bosh_iq_tracker_handle   (BoshIqTracker *self,
                                         BoshElement   *iq,
                                         const char    *domain,
                                         const char    *jid);
/* Every task returns a copy of @error. */
void           bosh_iq_tracker_fail_all (BoshIqTracker *self,
                                         const GError  *error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshIqTracker, bosh_iq_tracker_free)

G_END_DECLS
