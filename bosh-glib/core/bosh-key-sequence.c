/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-key-sequence-private.h"

#include "bosh-limits-private.h"
#include "bosh-secret-clear-private.h"

#include <string.h>

/* Keys are used from the last to the first, but can only be computed from the first to
 * the last. One key in every STRIDE is kept, and the STRIDE keys in use are computed
 * again from it: that costs two digests for each key, and little memory. */
#define STRIDE 128

typedef char Key[BOSH_KEY_LENGTH + 1];

struct _BoshKeySequence
{
  char  *seed;
  guint  length;
  guint  position;       /* keys that were taken */

  Key   *checkpoints;    /* K(1), K(1 + STRIDE), K(1 + 2 * STRIDE), … */
  guint  n_checkpoints;
  Key   *block;          /* the STRIDE keys from the checkpoint block_index on */
  guint  block_index;    /* n_checkpoints: there is no block yet */
};

static void
digest (GChecksum  *checksum,
        const char *text,
        Key         key)
{
  g_checksum_reset (checksum);
  g_checksum_update (checksum, (const guchar *)text, -1);
  memcpy (key, g_checksum_get_string (checksum), BOSH_KEY_LENGTH + 1);
}

BoshKeySequence *
bosh_key_sequence_new (const char *seed,
                       guint       length,
                       guint       position)
{
  g_autoptr(GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);
  BoshKeySequence *self = g_new0 (BoshKeySequence, 1);
  Key key;
  Key previous;

  g_assert (length >= BOSH_KEY_SEQUENCE_MIN_LENGTH);
  g_assert (length <= BOSH_KEY_SEQUENCE_MAX_LENGTH);
  g_assert (position <= length);

  self->seed = g_strdup (seed);
  self->length = length;
  self->position = position;
  self->n_checkpoints = (length + STRIDE - 1) / STRIDE;
  self->checkpoints = g_new (Key, self->n_checkpoints);
  self->block = g_new0 (Key, STRIDE);
  self->block_index = self->n_checkpoints;

  digest (checksum, seed, key);
  for (guint i = 0; i < self->n_checkpoints; i++)
    {
      memcpy (self->checkpoints[i], key, sizeof (Key));
      for (guint j = 0; j < STRIDE && i + 1 < self->n_checkpoints; j++)
        {
          memcpy (previous, key, sizeof (Key));
          digest (checksum, previous, key);
        }
    }
  explicit_bzero (key, sizeof key);
  explicit_bzero (previous, sizeof previous);

  return self;
}

void
bosh_key_sequence_free (BoshKeySequence *self)
{
  bosh_secret_clear (&self->seed);
  explicit_bzero (self->checkpoints, self->n_checkpoints * sizeof (Key));
  g_free (self->checkpoints);
  explicit_bzero (self->block, STRIDE * sizeof (Key));
  g_free (self->block);
  g_free (self);
}

static void
fill_block (BoshKeySequence *self,
            guint            index)
{
  g_autoptr(GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);

  memcpy (self->block[0], self->checkpoints[index], sizeof (Key));
  for (guint i = 1; i < STRIDE; i++)
    digest (checksum, self->block[i - 1], self->block[i]);
  self->block_index = index;
}

void
bosh_key_sequence_take (BoshKeySequence *self,
                        char             key[BOSH_KEY_LENGTH + 1])
{
  guint index;

  g_assert (self->position < self->length);

  index = self->length - self->position - 1;
  if (self->block_index != index / STRIDE)
    fill_block (self, index / STRIDE);

  memcpy (key, self->block[index % STRIDE], sizeof (Key));
  self->position++;
}

guint
bosh_key_sequence_get_remaining (BoshKeySequence *self)
{
  return self->length - self->position;
}

const char *
bosh_key_sequence_get_seed (BoshKeySequence *self)
{
  return self->seed;
}

guint
bosh_key_sequence_get_length (BoshKeySequence *self)
{
  return self->length;
}

guint
bosh_key_sequence_get_position (BoshKeySequence *self)
{
  return self->position;
}
