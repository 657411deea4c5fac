/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-session-snapshot-private.h"

G_BEGIN_DECLS

/* Writes a saved session as JSON: the form that BoshSavedSession describes. @uri, @jid
 * and @cookies are nullable. */
char *   bosh_saved_session_write_json (const char                *uri,
                                        const char                *jid,
                                        const BoshSessionSnapshot *snapshot,
                                        const char * const        *cookies);

/* Reads it again. What is absent leaves its place in @snapshot as it was, and @uri and @jid
 * NULL. The types, ranges and texts of all members are checked, as are the requests and
 * stanzas; whether URI, JID, session id and request id can name a session is left to the
 * caller. Fails with BOSH_ERROR_INVALID_DATA. */
gboolean bosh_saved_session_read_json  (const char                *json,
                                        BoshSessionSnapshot       *snapshot,
                                        char                     **uri,
                                        char                     **jid,
                                        GStrv                     *cookies,
                                        GError                   **error);

G_END_DECLS
