/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-connection.h"
#include "bosh-reconnect-private.h"

G_BEGIN_DECLS

/* Says in a few translated words how a client is. @connection: the state of its
 * connection */
char *bosh_status_describe (BoshReconnect       *machine,
                            BoshConnectionState  connection);

G_END_DECLS
