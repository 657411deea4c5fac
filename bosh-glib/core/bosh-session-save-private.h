/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-session-snapshot-private.h"
#include "bosh-session-types-private.h"

G_BEGIN_DECLS

/* @parameters gives what a snapshot does not contain: entropy and limits. */
BoshSession         *bosh_session_new_from_snapshot (const BoshSessionSnapshot   *snapshot,
                                                     const BoshSessionParameters *parameters);

/* Whether another owner could go on from here. Not before the session has an id, nor
 * while it ends, nor after that or after a hand-over. */
gboolean             bosh_session_check_savable     (BoshSession  *self,
                                                     GError      **error);
/* The session as it is now; it must have an id. Another owner loses nothing as long as
 * no request is sent after this. The session does not change. */
BoshSessionSnapshot *bosh_session_save              (BoshSession                 *self);

G_END_DECLS
