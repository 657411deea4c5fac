/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "coverage.h"

#include <stdio.h>

static guint64 counters[N_COVERAGE];

static const char * const texts[N_COVERAGE] = {
#define X(NAME, text) text,
  COVERAGE_LIST (X)
    CLIENT_COVERAGE_LIST (X)
#undef X
};

void
coverage_hit (Coverage what)
{
  counters[what]++;
}

static guint
get_first (CoverageGroup group)
{
  return group == SESSION_COVERAGE ? 0 : COVERAGE_CONNECT_FAILS;
}

static guint
get_end (CoverageGroup group)
{
  return group == SESSION_COVERAGE ? COVERAGE_CONNECT_FAILS : N_COVERAGE;
}

void
coverage_print (CoverageGroup group)
{
  for (guint i = get_first (group); i < get_end (group); i++)
    printf ("# %10" G_GUINT64_FORMAT "  %s\n", counters[i], texts[i]);
}

gboolean
coverage_is_full (CoverageGroup group)
{
  gboolean is_full = TRUE;

  for (guint i = get_first (group); i < get_end (group); i++)
    if (counters[i] == 0)
      {
        printf ("# never met: %s\n", texts[i]);
        is_full = FALSE;
      }

  return is_full;
}
