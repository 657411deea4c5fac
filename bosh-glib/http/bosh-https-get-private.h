/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "bosh-connection-configuration.h"

G_BEGIN_DECLS

/* Redirects that are followed. */
#define BOSH_HTTPS_GET_MAX_REDIRECTS 5

/* Fetches a small document over https. The certificate is always verified, for
 * the host of each URI; redirects are followed to https alone. Of
 * @configuration count the proxy resolver, the TLS database and the user agent;
 * a client certificate is not shown, as this need not be the host that it is for.
 * @deadline is in monotonic time. */
void    bosh_https_get_async  (GUri                         *uri,
                               const char                   *accept,
                               BoshConnectionConfiguration  *configuration,
                               gsize                         max_size,
                               gint64                        deadline,
                               GCancellable                 *cancellable,
                               GAsyncReadyCallback           callback,
                               gpointer                      user_data);

/* The document; or NULL with BOSH_ERROR: HTTP (the status, or the redirect),
 * TOO_LARGE, TIMED_OUT, TLS, NOT_BOSH (no HTTP), or with an error of GIO. */
GBytes *bosh_https_get_finish (GAsyncResult                 *result,
                               GError                      **error);

G_END_DECLS
