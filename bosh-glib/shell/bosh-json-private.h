/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The most values of one document: json-glib makes a node of each. */
#define BOSH_JSON_MAX_VALUES 1000000

/* Reads an object (RFC 8259) from text that cannot be trusted. NULL if it is none, is nested
 * very deep, or has more values than the limit. There is no error: that of the parser may
 * quote the text, which may be a secret. */
JsonObject *bosh_json_parse_object (const char *json,
                                    gsize       length);

G_END_DECLS
