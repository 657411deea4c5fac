/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-domain-private.h"

#include <idn2.h>
#include <string.h>

#include "bosh-error-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"

/* RFC 1035 §2.3.4. */
#define MAX_NAME_LENGTH 253
#define MAX_LABEL_LENGTH 63

/* As browsers and servers do; the transitional mapping would make another domain of one
 * with “ß”. */
#define IDNA_FLAGS (IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)

/* One label of a domain name, without its dot. RFC 1123 §2.1 has no underscores,
 * but names of machines in private networks do. */
static gboolean
is_label (const char *label,
          gsize       length)
{
  if (length == 0 || length > MAX_LABEL_LENGTH || label[0] == '-' || label[length - 1] == '-')
    return FALSE;

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (label[i]) && label[i] != '-' && label[i] != '_')
      return FALSE;

  return TRUE;
}

/* RFC 1123 §2.1: the last label of a name is never a number. The system takes what
 * ends in one for an IPv4 address in a form of old, such as 127.1 or 0x7f000001. */
static gboolean
is_number (const char *label,
           gsize       length)
{
  if (length > 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
    return strspn (label + 2, "0123456789abcdefABCDEF") >= length - 2;

  return strspn (label, "0123456789") >= length;
}

gboolean
bosh_domain_is_name (const char *name)
{
  gsize length = strlen (name);
  const char *label = name;

  if (length > 0 && name[length - 1] == '.')
    length--;
  if (length > MAX_NAME_LENGTH)
    return FALSE;

  for (;;)
    {
      gsize rest = length - (gsize)(label - name);
      gsize label_length = MIN (strcspn (label, "."), rest);

      if (!is_label (label, label_length))
        return FALSE;
      if (label_length == rest)
        return !is_number (label, label_length);
      label += label_length + 1;
    }
}

/* Copies what libidn2 has allocated. */
static char *
take_idn2 (char *text)
{
  char *copy = g_strdup (text);

  idn2_free (text);

  return copy;
}

/* A label in the ASCII form of an internationalised one is `xn--` and what encodes it. */
static gboolean
has_encoded_label (const char *name)
{
  for (const char *label = name; label != NULL; label = strchr (label, '.'))
    {
      label += label[0] == '.';
      if (g_ascii_strncasecmp (label, "xn--", 4) == 0)
        return TRUE;
    }

  return FALSE;
}

char *
bosh_domain_to_ascii (const char *name)
{
  char *ascii = NULL;

  if (strlen (name) > BOSH_JID_MAX_PART)
    return NULL;
  /* No matter of IDNA, which would reserve more hyphens than DNS does. */
  if (g_str_is_ascii (name) && !has_encoded_label (name))
    return g_ascii_strdown (name, -1);
  if (!g_utf8_validate (name, -1, NULL) ||
      idn2_to_ascii_8z (name, &ascii, IDNA_FLAGS) != IDN2_OK)
    return NULL;

  return take_idn2 (ascii);
}

/* @ascii is a domain name. Returns NULL if it is not the ASCII form of what it encodes:
 * libidn2 also decodes what IDNA would never encode. */
static char *
to_unicode (const char *ascii)
{
  g_autofree char *name = NULL;
  g_autofree char *again = NULL;
  char *decoded = NULL;

  if (!has_encoded_label (ascii))
    return g_strdup (ascii);
  if (idn2_to_unicode_8z8z (ascii, &decoded, IDNA_FLAGS) != IDN2_OK)
    return NULL;

  name = take_idn2 (decoded);
  again = bosh_domain_to_ascii (name);

  return g_strcmp0 (again, ascii) == 0 ? g_steal_pointer (&name) : NULL;
}

/* Returns NULL if @domain is none. */
static char *
prepare_literal (const char *domain)
{
  gsize length = strlen (domain);
  g_autofree char *address = NULL;

  if (length < 2 || domain[length - 1] != ']')
    return NULL;

  address = g_strndup (domain + 1, length - 2);

  return strchr (address, ':') != NULL && strchr (address, '%') == NULL &&
             g_hostname_is_ip_address (address)
           ? g_ascii_strdown (domain, -1)
           : NULL;
}

/* Returns NULL if @domain is none. */
static char *
prepare_name (const char *domain)
{
  g_autofree char *ascii = bosh_domain_to_ascii (domain);
  gsize length = ascii != NULL ? strlen (ascii) : 0;

  if (length == 0)
    return NULL;
  /* An IPv6 address would have to be in brackets. */
  if (strchr (ascii, ':') == NULL && g_hostname_is_ip_address (ascii))
    return g_steal_pointer (&ascii);
  if (!bosh_domain_is_name (ascii))
    return NULL;

  if (ascii[length - 1] == '.')
    ascii[length - 1] = '\0';

  return to_unicode (ascii);
}

char *
bosh_domain_prepare (const char  *domain,
                     GError     **error)
{
  char *prepared = domain[0] == '[' ? prepare_literal (domain) : prepare_name (domain);
  g_autofree char *shown = NULL;

  if (prepared != NULL)
    return prepared;

  shown = bosh_error_clean_text (domain, -1);
  if (shown == NULL)
    g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_JID, _("The domain is empty"));
  else
    g_set_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_JID, _("“%s” is no domain"), shown);

  return NULL;
}

char *
bosh_domain_dup_prepared (const char *domain)
{
  char *prepared = bosh_domain_prepare (domain, NULL);

  return prepared != NULL ? prepared : g_strdup (domain);
}

gboolean
bosh_domain_equal (const char *a,
                   const char *b)
{
  g_autofree char *prepared_a = NULL;
  g_autofree char *prepared_b = NULL;

  if (strcmp (a, b) == 0)
    return TRUE;

  prepared_a = bosh_domain_prepare (a, NULL);
  prepared_b = prepared_a != NULL ? bosh_domain_prepare (b, NULL) : NULL;

  return prepared_b != NULL && strcmp (prepared_a, prepared_b) == 0;
}
