/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "bosh-element.h"

G_BEGIN_DECLS

/* The stanzas of which somebody wants to know when the server has them. Each has
 * a task, which returns exactly once: with TRUE, or with the error that cancelled
 * it or decided about the stanza.
 *
 * A delivery waits for a session until it is sent in one. When that session is
 * lost, the delivery is lost with it, unless the stanza is sent again in the next
 * session: then the same task waits for the second copy. */
typedef struct _BoshDeliveryTracker BoshDeliveryTracker;

/* @context is where the tasks are cancelled. */
BoshDeliveryTracker *bosh_delivery_tracker_new         (GMainContext        *context);
/* Tasks that have not returned are dropped. */
void                 bosh_delivery_tracker_free        (BoshDeliveryTracker *self);

/* A delivery that waits for a session. @task: (transfer full). Returns: its id,
 * which is not 0. */
guint64              bosh_delivery_tracker_add         (BoshDeliveryTracker *self,
                                                        BoshElement         *element,
                                                        GTask               *task);
/* The session has the stanza, as number @serial, which is above those before it. */
void                 bosh_delivery_tracker_sent        (BoshDeliveryTracker *self,
                                                        guint64              id,
                                                        guint64              serial);
/* The server has all stanzas of the session up to @serial. */
void                 bosh_delivery_tracker_succeed     (BoshDeliveryTracker *self,
                                                        guint64              serial);
/* The session lives on, but does not send the stanza with @serial, or may have lost it. */
void                 bosh_delivery_tracker_fail        (BoshDeliveryTracker *self,
                                                        guint64              serial,
                                                        const GError        *error);

/* The session has ended, and with it all deliveries that were sent are lost. */
void                 bosh_delivery_tracker_lose        (BoshDeliveryTracker *self);
/* Of the lost deliveries of @element, one is of a copy that never left this machine.
 * Returns: its id, or 0 if there is none but those that were taken before */
guint64              bosh_delivery_tracker_take_unsent (BoshDeliveryTracker *self,
                                                        BoshElement         *element);
/* The id of the first lost delivery of @element, or 0. */
guint64              bosh_delivery_tracker_find_lost   (BoshDeliveryTracker *self,
                                                        BoshElement         *element);
/* The stanza will be sent again, so the delivery waits for the next session. */
void                 bosh_delivery_tracker_keep        (BoshDeliveryTracker *self,
                                                        guint64              id);
/* The same for all that were taken as unsent. */
void                 bosh_delivery_tracker_keep_unsent (BoshDeliveryTracker *self);
/* Those that are lost return a copy of @error. */
void                 bosh_delivery_tracker_fail_lost   (BoshDeliveryTracker *self,
                                                        const GError        *error);
/* All return a copy of @error. */
void                 bosh_delivery_tracker_fail_all    (BoshDeliveryTracker *self,
                                                        const GError        *error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshDeliveryTracker, bosh_delivery_tracker_free)

G_END_DECLS
