/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-saved-session.h"
#include "bosh-session-private.h"

G_BEGIN_DECLS

/* Takes @saved. @jid is nullable, @cookies too. */
BoshSavedSession    *bosh_saved_session_new_from_saved (const char           *uri,
                                                              const char           *jid,
                                                              BoshSessionSnapshot     *saved,
                                                              const char * const   *cookies);
/* What the session machine resumes from; never NULL. */
const BoshSessionSnapshot *bosh_saved_session_get_saved      (BoshSavedSession  *self);
/* Never NULL. */
const char * const     *bosh_saved_session_get_cookies    (BoshSavedSession  *self);

G_END_DECLS
