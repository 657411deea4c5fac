/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(BOSH_GLIB_INSIDE) && !defined(BOSH_COMPILATION)
#error "Only <bosh-glib/bosh-glib.h> can be included directly."
#endif

#include <gio/gio.h>

#include "bosh-version-macros.h"

G_BEGIN_DECLS

#define BOSH_TYPE_DETACHED_SESSION (bosh_detached_session_get_type ())

BOSH_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (BoshDetachedSession, bosh_detached_session, BOSH, DETACHED_SESSION, GObject)

BOSH_AVAILABLE_IN_1_0
BoshDetachedSession *bosh_detached_session_new_from_json  (const char           *json,
                                                           GError              **error);
BOSH_AVAILABLE_IN_1_0
BoshDetachedSession *bosh_detached_session_new            (const char           *uri,
                                                           const char           *jid,
                                                           const char           *session_id,
                                                           guint64               request_id);
BOSH_AVAILABLE_IN_1_0
char                *bosh_detached_session_to_json        (BoshDetachedSession  *self);
BOSH_AVAILABLE_IN_1_0
const char          *bosh_detached_session_get_uri        (BoshDetachedSession  *self);
BOSH_AVAILABLE_IN_1_0
const char          *bosh_detached_session_get_domain     (BoshDetachedSession  *self);
BOSH_AVAILABLE_IN_1_0
const char          *bosh_detached_session_get_jid        (BoshDetachedSession  *self);
BOSH_AVAILABLE_IN_1_0
const char          *bosh_detached_session_get_session_id (BoshDetachedSession  *self);
BOSH_AVAILABLE_IN_1_0
guint64              bosh_detached_session_get_request_id (BoshDetachedSession  *self);
BOSH_AVAILABLE_IN_1_0
gboolean             bosh_detached_session_has_key_sequence (BoshDetachedSession *self);

G_END_DECLS
