/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What an application wants to have in the head of each request, besides what belongs
 * there: tokens and passwords of a gateway, as a rule, so the memory is cleared with it. */
typedef struct _BoshRequestHeaders BoshRequestHeaders;

#define BOSH_REQUEST_HEADERS_MAX 64
#define BOSH_REQUEST_HEADERS_MAX_LENGTH 8192

/* @lines (nullable) are of the form `Name: value`. With @username or @password (both
 * nullable) there is an Authorization by Basic (RFC 7617), too.
 *
 * Fails with BOSH_ERROR_INVALID_HEADER for what would not be one header (RFC 9110 §5), for
 * one that the library or HTTP itself decides about, and for one that is there twice. The
 * message has no value in it. */
BoshRequestHeaders *bosh_request_headers_new     (const char * const  *lines,
                                                  const char          *username,
                                                  const char          *password,
                                                  GError             **error);
void                bosh_request_headers_free    (BoshRequestHeaders        *self);

guint               bosh_request_headers_get_n   (const BoshRequestHeaders  *self);
/* Both belong to the headers. */
void                bosh_request_headers_get     (const BoshRequestHeaders  *self,
                                                  guint                      position,
                                                  const char               **name,
                                                  const char               **value);

/* Whether @text is a field value of RFC 9110 §5.5 in ASCII, in which nothing ends the
 * line. */
gboolean            bosh_request_headers_is_value (const char               *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshRequestHeaders, bosh_request_headers_free)

G_END_DECLS
