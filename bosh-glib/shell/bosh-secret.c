/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-secret-private.h"

#include <string.h>
#include <sys/mman.h>

struct _BoshSecret
{
  gsize size;    /* of all this */
  char  text[];
};

BoshSecret *
bosh_secret_new (const char *text)
{
  BoshSecret *self;
  gsize size;

  if (text == NULL)
    return NULL;

  size = sizeof (BoshSecret) + strlen (text) + 1;
  self = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (self == MAP_FAILED)
    g_error ("No memory for a secret");

  /* Best effort: a small limit on locked memory is no reason to fail. */
  (void)mlock (self, size);
#ifdef MADV_DONTDUMP
  (void)madvise (self, size, MADV_DONTDUMP);
#endif

  self->size = size;
  strcpy (self->text, text);

  return self;
}

void
bosh_secret_free (BoshSecret *self)
{
  gsize size;

  if (self == NULL)
    return;

  size = self->size;
  explicit_bzero (self, size);
  munmap (self, size);
}

const char *
bosh_secret_get_text (BoshSecret *self)
{
  return self != NULL ? self->text : NULL;
}
