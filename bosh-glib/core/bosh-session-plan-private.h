/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-session-state-private.h"

G_BEGIN_DECLS

/* Does what is due, and sends the next request if its time has come. TRUE if something
 * was done; else self->deadline is when to plan again. */
gboolean session_plan (BoshSession *self,
                       gint64       now);

G_END_DECLS
