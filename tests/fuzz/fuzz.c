/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz.h"

#include <string.h>

int
LLVMFuzzerInitialize (int    *argc,
                      char ***argv)
{
  /* No input may make the library complain about its caller. */
  g_log_set_always_fatal (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);

  return 0;
}

guint
fuzz_take_byte (FuzzInput *self)
{
  if (self->size == 0)
    return 0;

  self->size--;

  return *self->data++;
}

GBytes *
fuzz_take_text (FuzzInput *self,
                gsize      limit)
{
  gsize available = MIN (self->size, limit);
  const guint8 *end = available > 0 ? memchr (self->data, 0, available) : NULL;
  gsize length = end != NULL ? (gsize)(end - self->data) : available;
  GBytes *text = g_bytes_new (self->data, length);

  self->data += length + (end != NULL ? 1 : 0);
  self->size -= length + (end != NULL ? 1 : 0);

  return text;
}
