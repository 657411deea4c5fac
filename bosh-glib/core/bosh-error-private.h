/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-error.h"

G_BEGIN_DECLS

/* Characters that an error message has of a peer's text. */
#define BOSH_ERROR_MAX_TEXT 200

/* Makes a text of a peer fit for an error message: valid UTF-8 on one line,
 * printable, and cut with an ellipsis behind BOSH_ERROR_MAX_TEXT characters.
 * NULL if nothing remains. @length is in bytes, or -1. */
char            *bosh_error_clean_text           (const char      *text,
                                                  gssize           length);

/* The errors below get @text or @detail as the peer wrote it (nullable): it is
 * cleaned here. */

/* The error for a `<body type='terminate'/>`. @condition is its attribute
 * (nullable). */
GError          *bosh_error_new_for_condition    (const char      *condition,
                                                  const char      *detail);

/* @condition is nullable. */
GError          *bosh_sasl_error_new             (const char      *condition,
                                                  const char      *text);
GError          *bosh_stanza_error_new           (const char      *condition,
                                                  const char      *text);

GError          *bosh_stream_error_new           (const char      *condition,
                                                  const char      *text);
/* UNDEFINED_CONDITION for what RFC 6120 §4.9.3 does not know. */
BoshStreamError  bosh_stream_error_get_code      (const char      *condition);

/* The element name of a condition, and the error type that RFC 6120 §8.3.3
 * recommends for it. */
const char      *bosh_stanza_error_get_condition (BoshStanzaError  condition);
const char      *bosh_stanza_error_get_type_name (BoshStanzaError  condition);

G_END_DECLS
