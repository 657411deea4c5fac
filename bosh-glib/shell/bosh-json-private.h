/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What one document may have: json-glib parses by recursion, and makes a node of
 * each value. */
#define BOSH_JSON_MAX_DEPTH 16
#define BOSH_JSON_MAX_VALUES 1000000

/* Reads an object from text that nobody vouches for; NULL where it is none, or
 * is over the limits above. There is no error: that of the parser may quote what
 * it read, a secret perhaps. */
JsonObject *bosh_json_parse_object (const char *json,
                                    gsize       length);

G_END_DECLS
