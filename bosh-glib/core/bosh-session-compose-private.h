/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-session-state-private.h"

G_BEGIN_DECLS

/* Composes a request under the next number, and adds it to the window. What goes with
 * it is taken from the outbox, or from the restarts, which must have something of
 * this kind. Returns: (transfer none) */
Request *session_compose (BoshSession *self,
                          RequestKind  kind);

/* Puts stanzas of the same stream that are queued first, if there are any, into a request
 * that was emptied because it was refused. */
void     session_refill  (BoshSession *self,
                          Request     *request);

G_END_DECLS
