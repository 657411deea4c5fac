/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A text that is kept for long and that nobody else should see: in memory of
 * its own that is not swapped nor part of a core dump, as far as the system
 * allows, and that is cleared at the end. */
typedef struct _BoshSecret BoshSecret;

/* @text: nullable, which gives NULL. */
BoshSecret *bosh_secret_new      (const char *text);
/* @self: nullable. */
void        bosh_secret_free     (BoshSecret *self);
/* NULL for NULL. */
const char *bosh_secret_get_text (BoshSecret *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshSecret, bosh_secret_free)

G_END_DECLS
