/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-jid-private.h"

#include "bosh-limits-private.h"

#include <idn-free.h>
#include <string.h>
#include <stringprep.h>

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

/* The servers of today prepare with the profiles of RFC 6122, so what comes out is what
 * they make of it too. What Unicode 3.2 did not know passes as it is. */
static char *
apply_profile (const char *text,
               const char *profile)
{
  char *prepared = NULL;
  g_autofree char *copy = NULL;

  if (strlen (text) > BOSH_JID_MAX_PART || !g_utf8_validate (text, -1, NULL) ||
      stringprep_profile (text, &prepared, profile, 0) != STRINGPREP_OK)
    return NULL;

  copy = g_strdup (prepared);
  idn_free (prepared);

  return copy[0] != '\0' && strlen (copy) <= BOSH_JID_MAX_PART ? g_steal_pointer (&copy) : NULL;
}

char *
bosh_jid_prepare_localpart (const char *localpart)
{
  return apply_profile (localpart, "Nodeprep");
}

char *
bosh_jid_prepare (const char *jid)
{
  gsize length = get_bare_length (jid);
  const char *at = memchr (jid, '@', length);
  g_autofree char *given_domain = bosh_jid_dup_domain (jid);
  g_autofree char *domain = bosh_domain_prepare (given_domain, NULL);
  g_autofree char *localpart = NULL;
  g_autofree char *resource = NULL;

  if (domain == NULL)
    return NULL;

  if (at != NULL)
    {
      g_autofree char *given = g_strndup (jid, (gsize)(at - jid));

      localpart = bosh_jid_prepare_localpart (given);
      if (localpart == NULL)
        return NULL;
    }
  if (jid[length] == '/')
    {
      resource = apply_profile (jid + length + 1, "Resourceprep");
      if (resource == NULL)
        return NULL;
    }

  return g_strconcat (localpart != NULL ? localpart : "", localpart != NULL ? "@" : "", domain,
                      resource != NULL ? "/" : NULL, resource, NULL);
}

gboolean
bosh_jid_equal (const char *a,
                const char *b)
{
  g_autofree char *prepared_a = NULL;
  g_autofree char *prepared_b = NULL;

  if (strcmp (a, b) == 0)
    return TRUE;

  prepared_a = bosh_jid_prepare (a);
  prepared_b = prepared_a != NULL ? bosh_jid_prepare (b) : NULL;

  return prepared_b != NULL && strcmp (prepared_a, prepared_b) == 0;
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
