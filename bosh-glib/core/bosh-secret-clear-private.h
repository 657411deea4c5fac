/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Overwrites the text with zeros, frees it and sets @secret to NULL. Does
 * nothing where @secret is NULL already. For passwords, and for whatever else
 * lets somebody act in the name of the account: session ids, keys, the data of
 * SASL. */
void     bosh_secret_clear            (char          **secret);
/* The same for all memory of a string. What it had before it grew is not reached, so
 * it has to be made large enough. */
void     bosh_secret_clear_string     (GString       **string);
/* Makes bytes of a text that are overwritten with zeros when they are freed.
 * @string: (transfer full) */
GBytes  *bosh_secret_string_to_bytes  (GString        *string);

G_END_DECLS
