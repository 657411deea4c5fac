/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What to ask for with Accept-Encoding. Some servers mean something else by deflate. */
#define BOSH_CODINGS "gzip"

/* NULL for no compression, and where that fails. */
GBytes *bosh_coding_encode (GBytes      *body,
                            const char  *coding);

/* @codings: (nullable): of Content-Encoding. What has an unknown one is returned as it
 * is: it is not XML either. Fails if it is not what the coding says, if there are
 * several codings, and if it is longer than @max_size. */
GBytes *bosh_coding_decode (GBytes      *body,
                            const char  *codings,
                            gsize        max_size,
                            GError     **error);

G_END_DECLS
