/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-reconnect-private.h"

G_BEGIN_DECLS

/* What BoshReconnect needs to know of the error with which a session ended or a
 * login failed. @stream_condition is that of the stream error (RFC 6120 §4.9.3)
 * that arrived before, or NULL; @http_status that of the last HTTP response, if it was
 * no response of a connection manager, or 0. */
BoshErrorKind bosh_error_get_kind (const GError *error,
                                   const char   *stream_condition,
                                   guint         http_status);

G_END_DECLS
