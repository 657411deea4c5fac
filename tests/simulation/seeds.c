/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "seeds.h"

#include <signal.h>
#include <stdio.h>

static guint32 current_seed;

static void
on_abort (int signal_number)
{
  printf ("# failing seed: %u\n", current_seed);
  fflush (stdout);
  signal (signal_number, SIG_DFL);
  raise (signal_number);
}

int
seeds_main (int            argc,
            char          *argv[],
            const char    *name,
            SeedFunc       run,
            int            n_seeds,
            CoverageGroup  coverage)
{
  int first = 1;
  int only = -1;
  gboolean verbose = FALSE;
  gboolean with_digest = FALSE;
  gboolean is_full;
  GOptionEntry entries[] = {
    { "seeds", 0, 0, G_OPTION_ARG_INT, &n_seeds, "How many seeds to run", "N" },
    { "first", 0, 0, G_OPTION_ARG_INT, &first, "The first of them", "SEED" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &only, "Run this seed alone", "SEED" },
    { "digest", 0, 0, G_OPTION_ARG_NONE, &with_digest, "Print a digest of all actions", NULL },
    { "verbose", 0, 0, G_OPTION_ARG_NONE, &verbose, "Show what happens", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr(GOptionContext) context = g_option_context_new (NULL);
  g_autoptr(GChecksum) digest = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr(GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return 2;
    }

  if (only >= 0)
    {
      first = only;
      n_seeds = 1;
    }

  signal (SIGABRT, on_abort);
  signal (SIGTRAP, on_abort);
  signal (SIGSEGV, on_abort);
  signal (SIGTERM, on_abort);
  setvbuf (stdout, NULL, _IOLBF, 0);
  printf ("1..2\n");
  for (int i = 0; i < n_seeds; i++)
    {
      current_seed = first + i;
      run (current_seed, verbose, with_digest ? digest : NULL);
    }
  printf ("ok 1 /bosh/%s/runs # %d seeds from %d\n", name, n_seeds, first);

  if (with_digest)
    printf ("# digest of all actions: %s\n", g_checksum_get_string (digest));
  if (verbose || n_seeds > 1)
    coverage_print (coverage);
  is_full = n_seeds < 2000 || coverage_is_full (coverage);
  printf ("%s 2 /bosh/%s/coverage\n", is_full ? "ok" : "not ok", name);

  return is_full ? 0 : 1;
}
