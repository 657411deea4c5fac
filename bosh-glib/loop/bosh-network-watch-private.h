/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Watches for changes of the network. GNetworkMonitor emits network-changed in the
 * main context of its first user, which may run in another thread; so the handler
 * only sets a mark and makes a source ready, both of which are thread-safe. */
typedef struct _BoshNetworkWatch BoshNetworkWatch;

BoshNetworkWatch *bosh_network_watch_new         (GSource          *source);
void              bosh_network_watch_free        (BoshNetworkWatch *self);
/* Returns TRUE once after changes that left the network available. */
gboolean          bosh_network_watch_take_change (BoshNetworkWatch *self);

G_END_DECLS
