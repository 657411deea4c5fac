/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What an error of libsoup means to the user: G_IO_ERROR and G_RESOLVER_ERROR as
 * they are, the rest as BOSH_ERROR TLS or NOT_BOSH. */
GError *bosh_transport_translate_error (const char           *hostname,
                                        GTlsCertificateFlags  certificate_errors,
                                        const GError         *error);

G_END_DECLS
