/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The bytes that a document may have. */
#define BOSH_HOST_META_MAX_SIZE (64 * 1024)
/* The addresses that are taken from one place; more are not looked at. */
#define BOSH_HOST_META_MAX_URIS 16

/* Both read a host-meta document (RFC 6415), as XRD or as JRD, for the addresses
 * of BOSH connection managers (XEP-0156 §3): char *, the https URIs of its links,
 * in the order of the document, without duplicates, written as
 * bosh_uri_parse_http() normalises them. Links that are not https, or that
 * no request can be sent to, are left out (§2), so the array may be empty. NULL
 * with BOSH_ERROR_BAD_XML, BOSH_ERROR_TOO_LARGE, or BOSH_ERROR_INVALID_DATA. */
GPtrArray *bosh_host_meta_parse_xml  (GBytes      *bytes,
                                      GError     **error);
GPtrArray *bosh_host_meta_parse_json (GBytes      *bytes,
                                      GError     **error);

/* The array, and what both do with an address: it is added if it is one. */
GPtrArray *bosh_host_meta_new_uris   (void);
void       bosh_host_meta_add_uri    (GPtrArray   *uris,
                                      const char  *uri);

G_END_DECLS
