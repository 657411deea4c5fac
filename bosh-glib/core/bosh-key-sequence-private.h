/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A key is the hex form of a SHA-1 digest. */
#define BOSH_KEY_LENGTH 40

/* The keys of XEP-0124 §15: K(1) = hex(SHA-1(seed)), K(i) = hex(SHA-1(K(i-1))),
 * used from K(n) down to K(1). The seed and the keys are cleared when it is freed. */
typedef struct _BoshKeySequence BoshKeySequence;

/* @position: how many keys an earlier owner has taken */
BoshKeySequence *bosh_key_sequence_new           (const char *seed,
                                                  guint       length,
                                                  guint       position);
void             bosh_key_sequence_free          (BoshKeySequence *self);

/* Takes the next key, of which one must remain. */
void             bosh_key_sequence_take          (BoshKeySequence *self,
                             char key[BOSH_KEY_LENGTH + 1]);
guint            bosh_key_sequence_get_remaining (BoshKeySequence *self);

const char      *bosh_key_sequence_get_seed      (BoshKeySequence *self);
guint            bosh_key_sequence_get_length    (BoshKeySequence *self);
guint            bosh_key_sequence_get_position  (BoshKeySequence *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshKeySequence, bosh_key_sequence_free)

G_END_DECLS
