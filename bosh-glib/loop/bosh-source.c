/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-source-private.h"

void
bosh_source_clear (GSource **source)
{
  if (*source == NULL)
    return;

  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}
