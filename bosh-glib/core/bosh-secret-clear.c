/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-secret-clear-private.h"

#include <string.h>

void
bosh_secret_clear (char **secret)
{
  if (*secret != NULL)
    explicit_bzero (*secret, strlen (*secret));
  g_clear_pointer (secret, g_free);
}
