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

void
bosh_secret_clear_string (GString **string)
{
  GString *self = g_steal_pointer (string);

  if (self == NULL)
    return;

  explicit_bzero (self->str, self->allocated_len);
  g_string_free (self, TRUE);
}

static void
free_secret (gpointer data)
{
  char *secret = data;

  bosh_secret_clear (&secret);
}

GBytes *
bosh_secret_string_to_bytes (GString *string)
{
  gsize length = string->len;
  char *text = g_string_free (string, FALSE);

  return g_bytes_new_with_free_func (text, length, free_secret, text);
}
