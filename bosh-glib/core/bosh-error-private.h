/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"
#include "bosh-error.h"

G_BEGIN_DECLS

/* Characters of what a peer wrote that an error message may have. */
#define BOSH_ERROR_MAX_TEXT 200

/* What a peer wrote, fit for an error message: valid UTF-8 on one line,
 * printable, not longer than BOSH_ERROR_MAX_TEXT. NULL if nothing remains.
 * @length is in bytes, or -1. */
char       *bosh_error_clean_text               (const char       *text,
                                                 gssize            length);

/* The error for a `<body type='terminate'/>`: @condition is its attribute
 * (nullable), @detail what the body tells besides (nullable). */
GError     *bosh_error_new_for_condition        (const char       *condition,
                                                 const char       *detail);

/* The error for a SASL `<failure/>` (RFC 6120 §6.5, XEP-0388 §2.6.2). */
GError     *bosh_sasl_error_new_for_failure     (BoshElement      *failure);

/* The error for a stanza of type `error` (RFC 6120 §8.3). */
GError     *bosh_stanza_error_new_for_stanza    (BoshElement      *stanza);

/* The element name of a condition, and the error type that RFC 6120 §8.3.3
 * recommends for it. */
const char *bosh_stanza_error_get_condition     (BoshStanzaError   condition);
const char *bosh_stanza_error_get_type_name     (BoshStanzaError   condition);

G_END_DECLS
