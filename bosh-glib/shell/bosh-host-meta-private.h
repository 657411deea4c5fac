/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The most bytes of a document, and the most addresses that are read from it. */
#define BOSH_HOST_META_MAX_SIZE (64 * 1024)
#define BOSH_HOST_META_MAX_URIS 16

/* Read the addresses of connection managers (XEP-0156 §3) from a host-meta document
 * (RFC 6415), an XRD or a JRD: an array of the URIs of its links, normalised, in the order
 * of the document and without duplicates. Links that are not https (§2), or that
 * bosh_uri_parse_http() refuses, are left out, so the array may be empty. Fail with
 * BOSH_ERROR_BAD_XML, BOSH_ERROR_TOO_LARGE or BOSH_ERROR_INVALID_DATA. */
GPtrArray *bosh_host_meta_parse_xml  (GBytes      *bytes,
                                      GError     **error);
GPtrArray *bosh_host_meta_parse_json (GBytes      *bytes,
                                      GError     **error);

/* For both: makes the array, and adds @uri if it is an address. */
GPtrArray *bosh_host_meta_new_uris   (void);
void       bosh_host_meta_add_uri    (GPtrArray   *uris,
                                      const char  *uri);

G_END_DECLS
