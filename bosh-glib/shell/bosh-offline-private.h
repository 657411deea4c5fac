/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Is the host another machine, as far as its name tells? @hostname is nullable. */
gboolean bosh_host_needs_network (const char *hostname);

/* Can't the host be reached because this machine has no network at the moment? */
gboolean bosh_host_is_offline    (const char *hostname);

G_END_DECLS
