/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(BOSH_GLIB_INSIDE) && !defined(BOSH_COMPILATION)
#error "Only <bosh-glib/bosh-glib.h> can be included directly."
#endif

#include <gio/gio.h>

#include "bosh-version-macros.h"

G_BEGIN_DECLS

#define BOSH_TYPE_CONNECTION_CONFIGURATION (bosh_connection_configuration_get_type ())

BOSH_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (BoshConnectionConfiguration, bosh_connection_configuration, BOSH, CONNECTION_CONFIGURATION, GObject)

BOSH_AVAILABLE_IN_1_0
BoshConnectionConfiguration *bosh_connection_configuration_new                       (const char  *uri,
                                                                                      GError     **error);
BOSH_AVAILABLE_IN_1_0
BoshConnectionConfiguration *bosh_connection_configuration_new_for_host              (const char *hostname,
                                                                                      guint       port,
                                                                                      const char *path,
                                                                                      gboolean    secure);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_configuration_validate                  (BoshConnectionConfiguration  *self,
                                                                                      GError                      **error);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_configuration_get_uri                   (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_configuration_get_hostname              (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_configuration_get_port                  (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_configuration_get_path                  (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_configuration_get_secure                (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_configuration_get_wait                  (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_configuration_get_hold                  (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_configuration_get_route                 (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_configuration_get_from_jid              (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_configuration_get_language              (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_configuration_get_use_key_sequence      (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_configuration_get_key_sequence_length   (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_configuration_get_use_acknowledgements  (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_configuration_get_compress_requests     (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_configuration_get_pause_on_detach       (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_configuration_get_request_content_type  (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_configuration_get_response_content_type (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_configuration_get_user_agent            (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_configuration_get_http_username         (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_configuration_get_connect_timeout       (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
GProxyResolver              *bosh_connection_configuration_get_proxy_resolver        (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_configuration_get_proxy_username        (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
GTlsDatabase                *bosh_connection_configuration_get_tls_database          (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
GTlsCertificate             *bosh_connection_configuration_get_tls_certificate       (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_configuration_get_max_request_size      (BoshConnectionConfiguration  *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_configuration_get_max_response_size     (BoshConnectionConfiguration  *self);

G_END_DECLS
