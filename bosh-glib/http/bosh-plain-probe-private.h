/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Finds out why a TLS handshake gets nowhere: a server that speaks http waits for the end
 * of what it takes for a request, and is silent for ever. So after a second it is asked in
 * plain HTTP, over a connection of its own and without anything that belongs to the
 * session. */
typedef struct _BoshPlainProbe BoshPlainProbe;

/* The server speaks http. The probe may be freed. */
typedef void (*BoshPlainProbeFound) (gpointer user_data);

/* @connection is the one of the handshake; NULL is returned where it leads to a proxy. The
 * thread-default main context is that of the probe. */
BoshPlainProbe *bosh_plain_probe_new  (GIOStream           *connection,
                                       BoshPlainProbeFound  found,
                                       gpointer             user_data);
void            bosh_plain_probe_free (BoshPlainProbe      *self);

G_END_DECLS
