/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Returns what an error of libsoup means to the user: errors of G_IO_ERROR and
 * G_RESOLVER_ERROR unchanged, others as BOSH_ERROR_TLS or BOSH_ERROR_NOT_BOSH.
 * @certificate_errors: what was wrong with a certificate that was refused. */
GError *bosh_http_translate_error (const char           *hostname,
                                   GTlsCertificateFlags  certificate_errors,
                                   const GError         *error);

G_END_DECLS
