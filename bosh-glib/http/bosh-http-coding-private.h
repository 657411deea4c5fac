/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "bosh-coding-private.h"

G_BEGIN_DECLS

/* The value of Accept-Encoding. deflate is decoded but not asked for, because some
 * servers send raw deflate data under that name, without the zlib format. */
#define BOSH_HTTP_ACCEPTED_CODINGS "gzip"

/* Compresses the body of a request. Returns NULL for BOSH_CODING_IDENTITY, and if
 * it fails. */
GBytes *bosh_http_encode (GBytes     *body,
                          BoshCoding  coding);

/* Decodes the body of a response. @codings: (nullable): the value of
 * Content-Encoding. A body in an unknown coding is returned unchanged, and its
 * parser refuses it. Fails with BOSH_ERROR_NOT_BOSH if the body is not in the coding
 * that was announced, or in more than one, and with BOSH_ERROR_TOO_LARGE if more
 * than @max_size bytes come out. */
GBytes *bosh_http_decode (GBytes      *body,
                          const char  *codings,
                          gsize        max_size,
                          GError     **error);

G_END_DECLS
