/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "coverage.h"

#include <stdio.h>

static guint64 counters[N_COVERAGE];

static const char * const texts[N_COVERAGE] = {
#define X(NAME, text) text,
  COVERAGE_LIST (X)
#undef X
};

void
coverage_hit (Coverage what)
{
  counters[what]++;
}

void
coverage_print (void)
{
  for (guint i = 0; i < N_COVERAGE; i++)
    printf ("# %10" G_GUINT64_FORMAT "  %s\n", counters[i], texts[i]);
}

gboolean
coverage_is_full (void)
{
  gboolean is_full = TRUE;

  for (guint i = 0; i < N_COVERAGE; i++)
    if (counters[i] == 0)
      {
        printf ("# never met: %s\n", texts[i]);
        is_full = FALSE;
      }

  return is_full;
}
