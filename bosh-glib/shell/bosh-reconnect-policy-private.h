/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* When a lost session is worth a new login, and how long to wait before it. */

/* Can a new login mend what @error tells of? @stream_condition is that of the
 * stream error (RFC 6120 §4.9.3) that came with it, nullable. */
gboolean bosh_reconnect_can_mend  (const GError *error,
                                   const char   *stream_condition);

/* Is the host another machine, as far as its name tells? */
gboolean bosh_reconnect_needs_network (const char *hostname);

/* Milliseconds before the next attempt, when @tries came before it: from
 * @first on twice as long each time, @longest at most, and between half of that
 * and all of it by @random, which is from 0 to 1. */
guint    bosh_reconnect_get_delay (guint         tries,
                                   guint         first,
                                   guint         longest,
                                   double        random);

G_END_DECLS
