/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-detached-session.h"
#include "bosh-session-private.h"

G_BEGIN_DECLS

/* Takes @saved. @jid is nullable, @cookies too. */
BoshDetachedSession    *bosh_detached_session_new_from_saved (const char           *uri,
                                                              const char           *jid,
                                                              BoshSavedSession     *saved,
                                                              const char * const   *cookies);
/* What the session machine resumes from; never NULL. */
const BoshSavedSession *bosh_detached_session_get_saved      (BoshDetachedSession  *self);
/* Never NULL. */
const char * const     *bosh_detached_session_get_cookies    (BoshDetachedSession  *self);

G_END_DECLS
