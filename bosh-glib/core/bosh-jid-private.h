/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* RFC 7622 §3.1: three parts of at most 1023 bytes, and two separators. */
#define BOSH_JID_MAX_LENGTH 3071

/* The parts of `local@domain/resource` (RFC 7622 §3.2). The domain may come out
 * empty where @jid is no JID. */
char     *bosh_jid_dup_domain (const char *jid);
char     *bosh_jid_dup_bare   (const char *jid);

/* TRUE if two JIDs name the same entity, as far as can be told without the
 * tables of PRECIS: the resource byte by byte, the rest without regard to
 * case and compatible forms. */
gboolean  bosh_jid_equal      (const char *a,
                               const char *b);

G_END_DECLS
