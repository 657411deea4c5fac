/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the session wants to know of an HTTP response, whatever its status. */
typedef struct
{
  guint       status;
  GBytes     *body;
  int         retry_after;  /* seconds from the header Retry-After, or -1 */
  const char *location;     /* target of a redirect, nullable */
} BoshHttpResponse;

G_END_DECLS
