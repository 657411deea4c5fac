/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Destroys and releases the source that @source points to, if there is one, and
 * sets it to NULL: g_clear_pointer() for a source that is attached. */
void bosh_source_clear (GSource **source);

G_END_DECLS
