/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(BOSH_GLIB_INSIDE) && !defined(BOSH_COMPILATION)
#error "Only <bosh-glib/bosh-glib.h> can be included directly."
#endif

#include <gio/gio.h>

#include "bosh-connection-configuration.h"
#include "bosh-version-macros.h"

G_BEGIN_DECLS

#define BOSH_TYPE_DISCOVERY (bosh_discovery_get_type ())

BOSH_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (BoshDiscovery, bosh_discovery, BOSH, DISCOVERY, GObject)

BOSH_AVAILABLE_IN_1_0
BoshDiscovery               *bosh_discovery_new               (const char                   *domain,
                                                               BoshConnectionConfiguration  *configuration);
BOSH_AVAILABLE_IN_1_0
void                         bosh_discovery_lookup_async      (BoshDiscovery                *self,
                                                               GCancellable                 *cancellable,
                                                               GAsyncReadyCallback           callback,
                                                               gpointer                      user_data);
BOSH_AVAILABLE_IN_1_0
GPtrArray                   *bosh_discovery_lookup_finish     (BoshDiscovery                *self,
                                                               GAsyncResult                 *result,
                                                               GError                      **error);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_discovery_get_domain        (BoshDiscovery                *self);
BOSH_AVAILABLE_IN_1_0
BoshConnectionConfiguration *bosh_discovery_get_configuration (BoshDiscovery                *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_discovery_get_timeout       (BoshDiscovery                *self);

G_END_DECLS
