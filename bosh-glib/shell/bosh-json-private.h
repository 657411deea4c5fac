/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Reads an object (RFC 8259) from text that cannot be trusted, of BOSH_JSON_MAX_SIZE at
 * most. NULL if it is none, is nested very deep, or has more values than such a text of ours. There is no error: that of the parser may
 * quote the text, which may be a secret. */
JsonObject *bosh_json_parse_object (const char *json,
                                    gsize       length);

/* Writes what an application may print. Characters that a terminal or the reader of a log
 * may take for something else than text are escaped: control characters, what changes the
 * direction of the text or is not visible, and ends of lines. */
char       *bosh_json_to_string    (JsonNode   *root);

G_END_DECLS
