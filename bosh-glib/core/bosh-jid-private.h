/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-domain-private.h"

G_BEGIN_DECLS

/* The parts of `local@domain/resource` (RFC 7622 §3.2). The domain is empty if
 * @jid is not a JID. */
char     *bosh_jid_dup_domain  (const char *jid);
char     *bosh_jid_dup_bare    (const char *jid);

/* The localpart of a JID in the form in which servers compare it, in lower case for
 * instance, or NULL if it can't be one. The rules are those of Nodeprep (RFC 6122), which
 * libidn has. RFC 7622 has replaced them by PRECIS, which differs for few characters:
 * “ß” becomes “ss” here. */
char     *bosh_jid_prepare_localpart (const char *localpart);

/* The same for a whole JID, with Resourceprep for the resource and
 * bosh_domain_prepare() for the domain. */
char     *bosh_jid_prepare           (const char *jid);

/* TRUE if two JIDs name the same entity: they are equal once they are prepared. What is
 * no JID is equal to itself alone. */
gboolean  bosh_jid_equal             (const char *a,
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
