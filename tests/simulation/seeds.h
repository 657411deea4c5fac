/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program that runs simulations, each drawn from a seed. */

#pragma once

#include "coverage.h"

G_BEGIN_DECLS

/* One run. @digest, if it is not NULL, is to be updated with all that was decided. */
typedef void (*SeedFunc) (guint32    seed,
                          gboolean   verbose,
                          GChecksum *digest);

/* With --seeds, --first, --seed, --digest and --verbose. A seed that fails is named. A
 * run of 2000 seeds and more has to meet everything in @coverage. */
int seeds_main (int            argc,
                char          *argv[],
                const char    *name,
                SeedFunc       run,
                int            n_seeds,
                CoverageGroup  coverage);

G_END_DECLS
