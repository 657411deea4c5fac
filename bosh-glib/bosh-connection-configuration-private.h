/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-connection-configuration.h"

G_BEGIN_DECLS

/* The URI that is POSTed to, as g_uri_build() with G_URI_FLAGS_ENCODED gives
 * it. NULL with BOSH_ERROR_INVALID_URI where the host name is missing or can't
 * be one. */
GUri *bosh_connection_configuration_build_uri (BoshConnectionConfiguration  *self,
                                               GError                      **error);

/* A configuration with the host name, port, path and security of @address, and
 * all else as in @self (nullable: by default). */
BoshConnectionConfiguration *
      bosh_connection_configuration_readdress (BoshConnectionConfiguration  *self,
                                               BoshConnectionConfiguration  *address);

G_END_DECLS
