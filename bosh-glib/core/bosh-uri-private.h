/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Decides what the address of an HTTP server is, wherever one comes from: an
 * application, a configuration, a redirect, a saved session, a host-meta document.
 *
 * The scheme is http or https. There is no user name and no password. The host is
 * an IPv4 address, an IPv6 address in brackets and without a zone, or a domain name,
 * internationalised or not. A port is between 1 and 65535.
 *
 * Without @base, @text is an absolute URI without a fragment. With it, @text is a
 * reference as an HTTP server gives it in `Location`: it is resolved against
 * @base, and its fragment is left out.
 *
 * What comes back is normalised: the host is in ASCII, the port is -1 where it is
 * that of the scheme, the path has at least a slash, and what cannot stand in a URI is
 * percent-encoded. Written with g_uri_to_string() it reads the same again.
 *
 * Fails with BOSH_ERROR_INVALID_URI. The message does not quote @text, which may
 * contain a password. */
GUri    *bosh_uri_parse_http   (const char  *text,
                                GUri        *base,
                                GError     **error);

/* The same for an absolute URI that a person or an application gives, which may have a user
 * name and a password. They are not in what comes back but in @userinfo, encoded as they
 * were given: (transfer full), NULL if there are none. */
GUri    *bosh_uri_parse_http_with_userinfo (const char  *text,
                                            char       **userinfo,
                                            GError     **error);

/* A copy of @text, which need not be a URI, without what may be a user name and a
 * password. */
char    *bosh_uri_strip_userinfo (const char *text);

/* Whether what is meant for the server of @a may be sent to that of @b: scheme, host and
 * port are the same (RFC 6454 §4). Both are from bosh_uri_parse_http(). */
gboolean bosh_uri_has_same_origin (GUri *a,
                                   GUri *b);

/* The URI of a path on a host, to be given to bosh_uri_parse_http(), which
 * refuses it if @hostname is no host. An IPv6 address may be in brackets, the path may
 * lack its slash and may have a query. */
char    *bosh_uri_compose_http (gboolean    secure,
                                const char *hostname,
                                guint       port,
                                const char *path);

/* Whether @uri, from bosh_uri_parse_http(), is https. */
gboolean bosh_uri_is_secure    (GUri        *uri);

/* The port that a connection to @uri, from bosh_uri_parse_http(), goes to. */
guint    bosh_uri_get_port     (GUri        *uri);

G_END_DECLS
