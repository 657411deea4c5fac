/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Reads an object (RFC 8259) from text that cannot be trusted, of BOSH_JSON_MAX_SIZE at
 * most. NULL if it is none, is nested very deep, or has more values than such a text of ours. There is no error: that of the parser may
 * quote the text, which may be a secret. */
JsonObject *bosh_json_parse_object (const char *json,
                                    gsize       length);

G_END_DECLS
