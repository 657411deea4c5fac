/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Overwrites the text with zeros, frees it and sets @secret to NULL. Does
 * nothing where @secret is NULL already. For passwords, and for whatever else
 * lets somebody act in the name of the account: session ids, keys, the data of
 * SASL. */
void bosh_secret_clear (char **secret);

G_END_DECLS
