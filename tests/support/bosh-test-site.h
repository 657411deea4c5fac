/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <bosh-glib/bosh-glib.h>

#include "bosh-test-http.h"
#include "bosh-test-tls.h"

G_BEGIN_DECLS

/* What a domain announces (XEP-0156 §3). */
#define BOSH_TEST_XML_PATH "/.well-known/host-meta"
#define BOSH_TEST_JSON_PATH "/.well-known/host-meta.json"

#define BOSH_TEST_RELATION "urn:xmpp:alt-connections:xbosh"
#define BOSH_TEST_XRD(uri)                                                    \
  "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>"                   \
  "<Link rel='" BOSH_TEST_RELATION "' href='" uri "'/></XRD>"
#define BOSH_TEST_JRD(uri) "{\"links\":[{\"rel\":\"" BOSH_TEST_RELATION "\",\"href\":\"" uri "\"}]}"

/* The response to a GET request. */
typedef struct
{
  const char *path;
  guint       status;   /* 0: no response */
  const char *headers;
  const char *body;     /* with status 1: the response with its head */
  GBytes     *data;     /* with status 1: bytes that follow; nullable */
} BoshTestPage;

/* The web server of localhost, and a connection manager at all other paths, which lets
 * everybody in by PLAIN, as alice. A
 * domain is asked on port 443, so all goes through a proxy, of which all tunnels
 * lead to a server on the loopback interface; what is in them is TLS, as
 * everywhere. */
typedef struct
{
  BoshTestServer     *server;
  BoshTestProxy      *proxy;
  GProxyResolver     *resolver;
  const BoshTestTls  *tls;
  const BoshTestPage *pages;  /* up to one without a path */
  const char         *dead;   /* the path where no connection manager is any more; nullable */
  const char         *slow;   /* the path where the next request waits; nullable */
  BoshTestPeer       *waiting;  /* whose request that is, or NULL */
} BoshTestSite;

/* @certificate: nullable, for a good one. */
void                         bosh_test_site_init         (BoshTestSite       *site,
                                                          const BoshTestTls  *tls,
                                                          GTlsCertificate    *certificate,
                                                          const BoshTestPage *pages);
void                         bosh_test_site_clear        (BoshTestSite          *site);
/* What trusts it, and goes through its proxy; without a URI. */
BoshConnectionConfiguration *bosh_test_site_new_template (BoshTestSite          *site);

/* Is it a GET of this path? */
gboolean                     bosh_test_request_is_for    (const BoshTestRequest *request,
                                                          const char            *path);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BoshTestSite, bosh_test_site_clear)

G_END_DECLS
