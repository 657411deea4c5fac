/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Tells when the network has come back. GNetworkMonitor emits its signal in
 * the context of whoever used it first; this one only marks the change there,
 * and makes a source ready, which both may be done from any thread. */
typedef struct _BoshNetworkWatch BoshNetworkWatch;

BoshNetworkWatch *bosh_network_watch_new         (GSource          *source);
void              bosh_network_watch_free        (BoshNetworkWatch *self);
/* TRUE once after each change that leaves the network available. */
gboolean          bosh_network_watch_take_change (BoshNetworkWatch *self);

G_END_DECLS
