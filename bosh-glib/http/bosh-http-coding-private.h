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

/* Makes what decodes the body of a response. @codings: (nullable): the value of
 * Content-Encoding. @decoder: (out) (nullable): NULL where nothing is to be decoded. That
 * is so for an unknown coding too, as the parser of the body will refuse it. Fails with
 * BOSH_ERROR_NOT_BOSH if there is more than one coding. */
gboolean bosh_http_decoder_new (const char  *codings,
                                GConverter **decoder,
                                GError     **error);

/* Takes bytes from the beginning of @input, and appends what they decode to, which is a
 * piece of bounded size, to @output. What is left of @input, and what the decoder holds
 * back, comes out of the next calls. @is_last: nothing follows @input. @is_finished:
 * (out): all was decoded, and the rest of @input is ignored. Fails with
 * BOSH_ERROR_NOT_BOSH if the body is not in its coding. */
gboolean bosh_http_decode (GConverter  *decoder,
                           GByteArray  *input,
                           gboolean     is_last,
                           GByteArray  *output,
                           gboolean    *is_finished,
                           GError     **error);

G_END_DECLS
