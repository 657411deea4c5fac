/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Content codings (RFC 9110 §8.4.1), which XEP-0124 §7.2 has for requests too. */
typedef enum
{
  BOSH_CODING_IDENTITY,
  BOSH_CODING_GZIP,
  BOSH_CODING_DEFLATE,
} BoshCoding;

/* Returns the name that HTTP and `accept` have for @coding; NULL for
 * BOSH_CODING_IDENTITY. */
const char *bosh_coding_get_name (BoshCoding   coding);

/* Finds the coding that is called @name in any case, or by an alias of RFC 9110.
 * Returns FALSE if there is none. */
gboolean    bosh_coding_parse    (const char *name,
                                  BoshCoding *coding);

/* Chooses from the list in @accept (nullable), in which the server names the codings
 * that it can decode. */
BoshCoding  bosh_coding_choose   (const char  *accept);

G_END_DECLS
