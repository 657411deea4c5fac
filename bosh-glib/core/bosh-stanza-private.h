/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

/* TRUE if the element is part of an authentication, by RFC 6120 §6 or by
 * XEP-0388. */
gboolean    bosh_element_is_sasl              (BoshElement  *self);

/* Reads what an error element has in common with others (RFC 6120 §4.9.2, §6.5,
 * §8.3.2): a child in the namespace @ns whose name is the condition, and a text
 * beside it. Returns the condition, which belongs to @parent; NULL if there is
 * none. @text (nullable) receives the text, or NULL; free it with g_free(). */
const char *bosh_stanza_read_condition        (BoshElement  *parent,
                                               const char   *ns,
                                               char        **text);

/* The error for a SASL `<failure/>` (RFC 6120 §6.5, XEP-0388 §2.6.2). */
GError     *bosh_sasl_error_new_for_failure   (BoshElement  *failure);

/* The error for a stanza of type `error` (RFC 6120 §8.3). */
GError     *bosh_stanza_error_new_for_stanza  (BoshElement  *stanza);

/* The error for the element that holds the condition of a stream error, as a
 * rule `<stream:error/>` (RFC 6120 §4.9). NULL if there is no condition. */
GError     *bosh_stream_error_new_for_element (BoshElement  *element);

G_END_DECLS
