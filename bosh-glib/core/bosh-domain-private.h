/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* RFC 7622 §3.1: the most bytes of each part of a JID. */
#define BOSH_JID_MAX_PART 1023

/* Decides what a domain is, in a JID and in the host of a URI. The rules of IDNA2008
 * with the mapping of UTS 46, non-transitional, are those of libidn2. */

/* The domainpart of a JID as RFC 7622 §3.2 wants it: in lower case, Unicode in NFC, with
 * the labels that came as `xn--` decoded, without a dot at the end. It is a domain name,
 * an IPv4 address, or an IPv6 address in brackets. Prepared again it is the same.
 *
 * Fails with BOSH_ERROR_INVALID_JID. */
char     *bosh_domain_prepare      (const char  *domain,
                                    GError     **error);

/* The same, or a copy of @domain if it is none. */
char     *bosh_domain_dup_prepared (const char  *domain);

/* Whether two domains are the same one, in whatever form they are written. What is no
 * domain is equal to itself alone. */
gboolean  bosh_domain_equal        (const char *a,
                                    const char *b);

/* The form of @name in which DNS and TLS know it: in ASCII. NULL if IDNA does not allow
 * the name. The result may still be no domain name: see bosh_domain_is_name(). */
char     *bosh_domain_to_ascii     (const char  *name);

/* Whether @name, in ASCII, is a domain name of RFC 1035 and RFC 1123. It may have a dot at
 * the end, which makes it absolute. */
gboolean  bosh_domain_is_name      (const char  *name);

G_END_DECLS
