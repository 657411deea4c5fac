/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-key-sequence-private.h"

#include <string.h>

static void
test_vectors (void)
{
  /* SHA-1 of "abc" is the vector of FIPS 180-1; the rest follows by hashing. */
  const char *first = "a9993e364706816aba3e25717850c26c9cd0d89d";
  g_autoptr(BoshKeySequence) sequence = bosh_key_sequence_new ("abc", 2, 0);
  g_autofree char *second = g_compute_checksum_for_string (G_CHECKSUM_SHA1, first, -1);
  char key[BOSH_KEY_LENGTH + 1];

  g_test_summary ("R68, R69: K(1) = hex(SHA-1(seed)), K(2) = hex(SHA-1(K(1))), in lower case");

  bosh_key_sequence_take (sequence, key);
  g_assert_cmpstr (key, ==, second);
  bosh_key_sequence_take (sequence, key);
  g_assert_cmpstr (key, ==, first);
  g_assert_cmpuint (bosh_key_sequence_get_remaining (sequence), ==, 0);
}

/* Every key must hash to the one taken before it. */
static void
check_chain (const char *seed,
             guint       length,
             guint       position)
{
  g_autoptr(BoshKeySequence) sequence = bosh_key_sequence_new (seed, length, position);
  g_autofree char *first = g_compute_checksum_for_string (G_CHECKSUM_SHA1, seed, -1);
  char previous[BOSH_KEY_LENGTH + 1] = "";
  char key[BOSH_KEY_LENGTH + 1];

  g_assert_cmpuint (bosh_key_sequence_get_remaining (sequence), ==, length - position);
  for (guint i = position; i < length; i++)
    {
      bosh_key_sequence_take (sequence, key);
      g_assert_cmpuint (strlen (key), ==, BOSH_KEY_LENGTH);
      if (previous[0] != '\0')
        {
          g_autofree char *hashed = g_compute_checksum_for_string (G_CHECKSUM_SHA1, key, -1);

          g_assert_cmpstr (hashed, ==, previous);
        }
      memcpy (previous, key, sizeof key);
    }
  g_assert_cmpstr (previous, ==, first);
  g_assert_cmpuint (bosh_key_sequence_get_remaining (sequence), ==, 0);
}

static void
test_chain (void)
{
  static const guint lengths[] = { 2, 3, 127, 128, 129, 255, 256, 257, 1000, 4096, 65536 };

  g_test_summary ("R71: keys are given from K(n) down to K(1), whatever the length");

  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
    check_chain ("some seed", lengths[i], 0);
}

static void
test_resume (void)
{
  g_test_summary ("R71: a sequence goes on from any position, and gives what it would have given");

  for (guint position = 1; position < 300; position += 7)
    {
      g_autoptr(BoshKeySequence) whole = bosh_key_sequence_new ("seed", 300, 0);
      g_autoptr(BoshKeySequence) rest = bosh_key_sequence_new ("seed", 300, position);
      char expected[BOSH_KEY_LENGTH + 1];
      char key[BOSH_KEY_LENGTH + 1];

      for (guint i = 0; i <= position; i++)
        bosh_key_sequence_take (whole, expected);
      bosh_key_sequence_take (rest, key);
      g_assert_cmpstr (key, ==, expected);
      g_assert_cmpuint (bosh_key_sequence_get_position (rest), ==, position + 1);
      g_assert_cmpuint (bosh_key_sequence_get_length (rest), ==, 300);
      g_assert_cmpstr (bosh_key_sequence_get_seed (rest), ==, "seed");
    }
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/key-sequence/vectors", test_vectors);
  g_test_add_func ("/bosh/key-sequence/chain", test_chain);
  g_test_add_func ("/bosh/key-sequence/resume", test_resume);

  return g_test_run ();
}
