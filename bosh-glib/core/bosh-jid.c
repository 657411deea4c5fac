/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-jid-private.h"

#include "bosh-limits-private.h"

#include <string.h>

/* The first slash begins the resource, whatever follows it (RFC 7622 §3.2). */
static gsize
get_bare_length (const char *jid)
{
  return strcspn (jid, "/");
}

char *
bosh_jid_dup_bare (const char *jid)
{
  return g_strndup (jid, get_bare_length (jid));
}

char *
bosh_jid_dup_domain (const char *jid)
{
  gsize length = get_bare_length (jid);
  const char *at = memchr (jid, '@', length);

  if (at == NULL)
    return g_strndup (jid, length);

  return g_strndup (at + 1, length - (gsize)(at + 1 - jid));
}

static char *
fold_bare (const char *jid)
{
  g_autofree char *bare = bosh_jid_dup_bare (jid);
  g_autofree char *normalized = g_utf8_normalize (bare, -1, G_NORMALIZE_NFKC);

  /* It is not UTF-8, and so equal to nothing but itself. */
  if (normalized == NULL)
    return NULL;

  return g_utf8_casefold (normalized, -1);
}

gboolean
bosh_jid_equal (const char *a,
                const char *b)
{
  g_autofree char *bare_a = NULL;
  g_autofree char *bare_b = NULL;

  if (strcmp (a, b) == 0)
    return TRUE;
  if (strcmp (a + get_bare_length (a), b + get_bare_length (b)) != 0)
    return FALSE;
  if (strlen (a) > BOSH_JID_MAX_LENGTH || strlen (b) > BOSH_JID_MAX_LENGTH)
    return FALSE;

  bare_a = fold_bare (a);
  bare_b = fold_bare (b);

  return bare_a != NULL && bare_b != NULL && strcmp (bare_a, bare_b) == 0;
}

/* The server tells who sent a stanza, so no other entity can leave the address
 * out, or give one of ours. */
static gboolean
is_own (const char *address,
        const char *domain,
        const char *jid)
{
  g_autofree char *bare = NULL;

  if (address == NULL || bosh_jid_equal (address, domain))
    return TRUE;
  if (jid == NULL)
    return FALSE;

  bare = bosh_jid_dup_bare (jid);

  return bosh_jid_equal (address, bare) || bosh_jid_equal (address, jid);
}

gboolean
bosh_jid_may_respond (const char *from,
                      const char *to,
                      const char *domain,
                      const char *jid)
{
  if (to == NULL)
    return is_own (from, domain, jid);
  /* The server may leave the address out where it responds for the account. */
  if (from == NULL)
    return is_own (to, domain, jid);

  return bosh_jid_equal (to, from);
}
