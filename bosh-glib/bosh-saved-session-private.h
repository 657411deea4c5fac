/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-saved-session.h"
#include "bosh-session-snapshot-private.h"

G_BEGIN_DECLS

/* @snapshot: (transfer full). @jid and @cookies are nullable. */
BoshSavedSession          *bosh_saved_session_new_from_snapshot (const char          *uri,
                                                                 const char          *jid,
                                                                 BoshSessionSnapshot *snapshot,
                                                                 const char * const  *cookies);

/* What the core goes on from. Where bosh_saved_session_validate() succeeds, it has a
 * session id and a domain. */
const BoshSessionSnapshot *bosh_saved_session_get_snapshot      (BoshSavedSession    *self);

/* As values for `Set-Cookie`; nullable. */
const char * const        *bosh_saved_session_get_cookies       (BoshSavedSession    *self);

G_END_DECLS
