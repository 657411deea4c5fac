/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-key-sequence-private.h"

#include <string.h>

/* Keys are used from the last to the first, but can only be made from the
 * first to the last. Keeping one in every STRIDE and remaking the STRIDE keys
 * in use costs two digests a key and little memory, whatever the length. */
#define STRIDE 128

typedef char Key[BOSH_KEY_LENGTH + 1];

struct _BoshKeySequence
{
  char  *seed;
  guint  length;
  guint  position;     /* keys taken so far */

  Key   *checkpoints;  /* K(1), K(1 + STRIDE), K(1 + 2 * STRIDE), … */
  Key   *block;        /* the STRIDE keys from checkpoint block_index on */
  guint  block_index;
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
  guint n_checkpoints = (length + STRIDE - 1) / STRIDE;
  Key key;

  g_assert (length >= BOSH_KEY_SEQUENCE_MIN_LENGTH);
  g_assert (length <= BOSH_KEY_SEQUENCE_MAX_LENGTH);
  g_assert (position <= length);

  self->seed = g_strdup (seed);
  self->length = length;
  self->position = position;
  self->checkpoints = g_new (Key, n_checkpoints);
  self->block = g_new (Key, STRIDE);
  self->block_index = n_checkpoints;

  digest (checksum, seed, key);
  for (guint i = 0; i < n_checkpoints; i++)
    {
      memcpy (self->checkpoints[i], key, sizeof (Key));
      for (guint j = 0; j < STRIDE && i + 1 < n_checkpoints; j++)
        {
          Key previous;

          memcpy (previous, key, sizeof (Key));
          digest (checksum, previous, key);
        }
    }

  return self;
}

void
bosh_key_sequence_free (BoshKeySequence *self)
{
  explicit_bzero (self->seed, strlen (self->seed));
  g_free (self->seed);
  g_free (self->checkpoints);
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
