/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-coding-private.h"

/* The names that are looked at in `accept`. */
#define MAX_ACCEPTED 32

/* The best one first, and of each the name before its alias. */
static const struct
{
  const char *name;
  BoshCoding coding;
} codings[] = {
  { "gzip", BOSH_CODING_GZIP },
  { "x-gzip", BOSH_CODING_GZIP },
  { "deflate", BOSH_CODING_DEFLATE },
};

const char *
bosh_coding_get_name (BoshCoding coding)
{
  for (gsize i = 0; i < G_N_ELEMENTS (codings); i++)
    {
      if (codings[i].coding == coding)
        return codings[i].name;
    }

  return NULL;
}

gboolean
bosh_coding_parse (const char *name,
                   BoshCoding *coding)
{
  for (gsize i = 0; i < G_N_ELEMENTS (codings); i++)
    {
      if (g_ascii_strcasecmp (name, codings[i].name) == 0)
        {
          *coding = codings[i].coding;
          return TRUE;
        }
    }

  return FALSE;
}

BoshCoding
bosh_coding_choose (const char *accept)
{
  static const BoshCoding best[] = { BOSH_CODING_GZIP, BOSH_CODING_DEFLATE };
  g_auto(GStrv) accepted = NULL;

  if (accept == NULL)
    return BOSH_CODING_IDENTITY;

  accepted = g_strsplit_set (accept, ", ", MAX_ACCEPTED);
  for (gsize i = 0; i < G_N_ELEMENTS (best); i++)
    {
      if (g_strv_contains ((const char * const *)accepted, bosh_coding_get_name (best[i])))
        return best[i];
    }

  return BOSH_CODING_IDENTITY;
}
