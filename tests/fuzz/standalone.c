/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The place of libFuzzer where there is none: runs each file that is named, and
 * each of each directory that is named. */

#include "config.h"

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

static guint n_runs;

static void
run_file (const char *path)
{
  g_autofree char *data = NULL;
  g_autoptr(GError) error = NULL;
  guint8 *exact;
  gsize size;

  if (!g_file_get_contents (path, &data, &size, &error))
    g_error ("%s", error->message);

  /* Said before, so that the one that crashes is known. */
  printf ("# %s\n", path);
  fflush (stdout);
  /* Without the nul that follows the data, so that reading it is seen. */
  exact = g_memdup2 (data, size);
  LLVMFuzzerTestOneInput (exact, size);
  g_free (exact);
  n_runs++;
}

static void
run_path (const char *path)
{
  g_autoptr(GDir) directory = NULL;
  g_autoptr(GError) error = NULL;
  const char *name;

  if (!g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      run_file (path);
      return;
    }

  directory = g_dir_open (path, 0, &error);
  if (directory == NULL)
    g_error ("%s", error->message);
  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      run_path (child);
    }
}

int
main (int   argc,
      char *argv[])
{
  LLVMFuzzerInitialize (&argc, &argv);
  for (int i = 1; i < argc; i++)
    run_path (argv[i]);
  printf ("# %u files\n", n_runs);

  return n_runs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
