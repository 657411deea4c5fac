/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(BOSH_GLIB_INSIDE) && !defined(BOSH_COMPILATION)
#error "Only <bosh-glib/bosh-glib.h> can be included directly."
#endif

#include <gio/gio.h>

#include "bosh-version-macros.h"

G_BEGIN_DECLS

#define BOSH_TYPE_SAVED_SESSION (bosh_saved_session_get_type ())

BOSH_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (BoshSavedSession, bosh_saved_session, BOSH, SAVED_SESSION, GObject)

BOSH_AVAILABLE_IN_1_0
BoshSavedSession *bosh_saved_session_new              (const char        *uri,
                                                       const char        *jid,
                                                       const char        *session_id,
                                                       guint64            request_id,
                                                       GError           **error);
BOSH_AVAILABLE_IN_1_0
BoshSavedSession *bosh_saved_session_new_from_json    (const char        *json,
                                                       GError           **error);
BOSH_AVAILABLE_IN_1_0
gboolean          bosh_saved_session_validate         (BoshSavedSession  *self,
                                                       GError           **error);
BOSH_AVAILABLE_IN_1_0
char             *bosh_saved_session_to_json          (BoshSavedSession  *self);
BOSH_AVAILABLE_IN_1_0
const char       *bosh_saved_session_get_uri          (BoshSavedSession  *self);
BOSH_AVAILABLE_IN_1_0
const char       *bosh_saved_session_get_domain       (BoshSavedSession  *self);
BOSH_AVAILABLE_IN_1_0
const char       *bosh_saved_session_get_jid          (BoshSavedSession  *self);
BOSH_AVAILABLE_IN_1_0
const char       *bosh_saved_session_get_session_id   (BoshSavedSession  *self);
BOSH_AVAILABLE_IN_1_0
guint64           bosh_saved_session_get_request_id   (BoshSavedSession  *self);
BOSH_AVAILABLE_IN_1_0
gboolean          bosh_saved_session_has_key_sequence (BoshSavedSession  *self);
BOSH_AVAILABLE_IN_1_0
gboolean          bosh_saved_session_has_open_request (BoshSavedSession  *self);

G_END_DECLS
