/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-connection-configuration.h"
#include "bosh-request-headers-private.h"

G_BEGIN_DECLS

/* The address as bosh_uri_parse_http() gives it (transfer none), or NULL with
 * BOSH_ERROR_INVALID_URI or BOSH_ERROR_INVALID_HEADER: there is none, or the configuration
 * is not valid. */
GUri                        *bosh_connection_configuration_get_address   (BoshConnectionConfiguration  *self,
                                                                          GError                      **error);

/* What is meant for the address, and for no other; NULL if it can't be sent. */
const BoshRequestHeaders    *bosh_connection_configuration_get_headers   (BoshConnectionConfiguration  *self);

/* A configuration for @uri, with everything else as it is in @self. */
BoshConnectionConfiguration *bosh_connection_configuration_copy_with_uri (BoshConnectionConfiguration *self,
                                                                          const char                  *uri);

/* (nullable) */
const char                  *bosh_connection_configuration_get_proxy_password (BoshConnectionConfiguration *self);

G_END_DECLS
