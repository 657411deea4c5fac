/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-connection-configuration.h"

G_BEGIN_DECLS

/* The address as bosh_uri_parse_http() gives it (transfer none), or NULL with
 * BOSH_ERROR_INVALID_URI: there is none, or what was given is none. */
GUri                        *bosh_connection_configuration_get_address   (BoshConnectionConfiguration  *self,
                                                                          GError                      **error);

/* A configuration for @uri, with everything else as it is in @self. */
BoshConnectionConfiguration *bosh_connection_configuration_copy_with_uri (BoshConnectionConfiguration *self,
                                                                          const char                  *uri);

/* (nullable) */
const char                  *bosh_connection_configuration_get_proxy_password (BoshConnectionConfiguration *self);

G_END_DECLS
