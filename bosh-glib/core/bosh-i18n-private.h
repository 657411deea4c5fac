/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Translates with the library's own domain, bound on first use. */
const char *bosh_gettext (const char *message) G_GNUC_FORMAT (1);

#define _(message) bosh_gettext (message)
#define N_(message) (message)

G_END_DECLS
