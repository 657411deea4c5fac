/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-connection-configuration.h"

G_BEGIN_DECLS

/* The URI that is POSTed to, as g_uri_build() with G_URI_FLAGS_ENCODED gives
 * it. NULL with BOSH_ERROR_INVALID_URI where the host name is missing or can't
 * be one. */
GUri *bosh_connection_configuration_build_uri (BoshConnectionConfiguration  *self,
                                               GError                      **error);

G_END_DECLS
