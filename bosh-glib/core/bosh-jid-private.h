/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The parts of `local@domain/resource` (RFC 7622 §3.2). The domain is empty if
 * @jid is not a JID. */
char     *bosh_jid_dup_domain  (const char *jid);
char     *bosh_jid_dup_bare    (const char *jid);

/* TRUE if two JIDs name the same entity, as far as this can be found out without
 * the tables of PRECIS: resources are compared byte by byte, the rest without
 * regard to case and compatible forms. */
gboolean  bosh_jid_equal       (const char *a,
                                const char *b);

/* TRUE if the response to a request that went to @to may come from @from (RFC
 * 6120 §8.1.2.1). Both are attributes, so NULL is the own account, for which the
 * server responds. @domain is that of the server, @jid our own full JID, or NULL
 * before it is known. */
gboolean  bosh_jid_may_respond (const char *from,
                                const char *to,
                                const char *domain,
                                const char *jid);

G_END_DECLS
