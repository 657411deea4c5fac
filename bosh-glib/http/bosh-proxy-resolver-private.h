/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

#include "bosh-connection-configuration.h"

G_BEGIN_DECLS

#define BOSH_TYPE_PROXY_RESOLVER (bosh_proxy_resolver_get_type ())

/* Asks the resolver of a configuration, or else that of the system, and keeps the user
 * names and passwords that it has in its URIs: libsoup would take an HTTP proxy with one
 * for the server. It offers them, or else those of the configuration, to a proxy that
 * asks. */
G_DECLARE_FINAL_TYPE (BoshProxyResolver, bosh_proxy_resolver, BOSH, PROXY_RESOLVER, GObject)

BoshProxyResolver *bosh_proxy_resolver_new          (BoshConnectionConfiguration *configuration);

/* FALSE once it is known that no proxy is used. */
gboolean           bosh_proxy_resolver_may_have_proxy (BoshProxyResolver *self);

/* Gives the user name and the password for the proxy to @auth. Returns FALSE if there are
 * none. */
gboolean           bosh_proxy_resolver_authenticate (BoshProxyResolver *self,
                                                     SoupAuth          *auth);

G_END_DECLS
