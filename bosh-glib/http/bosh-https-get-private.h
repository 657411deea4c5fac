/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "bosh-connection-configuration.h"

G_BEGIN_DECLS

#define BOSH_HTTPS_GET_MAX_REDIRECTS 5

/* Fetches a small document over https, with connections that are closed afterwards. The
 * certificate is verified for the host of each URI, and redirects are followed to https
 * alone. Of @configuration, the proxy resolver, the TLS database and the user agent are
 * used, but not the client certificate: this need not be the host that it is for.
 * @deadline: in monotonic time. */
void    bosh_https_get_async  (GUri                        *uri,
                               const char                  *accept,
                               BoshConnectionConfiguration *configuration,
                               gsize                        max_size,
                               gint64                       deadline,
                               GCancellable                *cancellable,
                               GAsyncReadyCallback          callback,
                               gpointer                     user_data);

/* Returns the document. Fails with an error of GIO or with BOSH_ERROR: HTTP (any status
 * but 200, or a redirect that is not followed), TOO_LARGE, TIMED_OUT, TLS or NOT_BOSH (no
 * HTTP). */
GBytes *bosh_https_get_finish (GAsyncResult  *result,
                               GError       **error);

G_END_DECLS
