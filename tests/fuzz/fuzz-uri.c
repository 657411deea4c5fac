/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is accepted as the address of an HTTP server parses, is written, and parses
 * again as the same; what is refused has an error. The same of domains and JIDs. The input is a base, or an empty
 * line, then a line break and a reference. */

#include "config.h"

#include "fuzz.h"

#include <string.h>

#include "bosh-error.h"
#include "bosh-jid-private.h"
#include "bosh-limits-private.h"
#include "bosh-uri-private.h"

static void
check_host (const char *host)
{
  static const char allowed[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

  g_assert_cmpuint (strlen (host), >, 0);
  if (strchr (host, ':') != NULL)
    g_assert_true (g_hostname_is_ip_address (host));
  else
    g_assert_cmpuint (strspn (host, allowed), ==, strlen (host));
}

static void
check_accepted (GUri *uri)
{
  g_autofree char *text = g_uri_to_string (uri);
  g_autoptr(GError) error = NULL;
  g_autoptr(GUri) again = bosh_uri_parse_http (text, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (strlen (text), <=, BOSH_URI_MAX_LENGTH);
  for (const char *p = text; *p != '\0'; p++)
    g_assert_true (g_ascii_isgraph (*p));
  check_host (g_uri_get_host (uri));
  g_assert_null (g_uri_get_userinfo (uri));
  g_assert_null (g_uri_get_fragment (uri));
  g_assert_cmpint (g_uri_get_path (uri)[0], ==, '/');
  g_assert_cmpuint (bosh_uri_get_port (uri), >=, 1);
  g_assert_cmpuint (bosh_uri_get_port (uri), <=, G_MAXUINT16);

  g_assert_cmpstr (g_uri_get_scheme (again), ==, g_uri_get_scheme (uri));
  g_assert_cmpint (bosh_uri_is_secure (again), ==, bosh_uri_is_secure (uri));
  g_assert_cmpstr (g_uri_get_host (again), ==, g_uri_get_host (uri));
  g_assert_cmpint (g_uri_get_port (again), ==, g_uri_get_port (uri));
  g_assert_cmpstr (g_uri_get_path (again), ==, g_uri_get_path (uri));
  g_assert_cmpstr (g_uri_get_query (again), ==, g_uri_get_query (uri));
}

/* The same address, put together from its parts. */
static void
check_composed (GUri *uri)
{
  g_autofree char *text = g_uri_to_string (uri);
  g_autofree char *path = g_strdup (strchr (strstr (text, "://") + 3, '/'));
  g_autofree char *composed = bosh_uri_compose_http (bosh_uri_is_secure (uri),
                                                     g_uri_get_host (uri),
                                                     bosh_uri_get_port (uri), path);
  g_autoptr(GError) error = NULL;
  g_autoptr(GUri) again = NULL;
  g_autofree char *written = NULL;

  /* The port of the scheme makes it longer. */
  if (strlen (composed) > BOSH_URI_MAX_LENGTH)
    return;

  again = bosh_uri_parse_http (composed, NULL, &error);
  g_assert_no_error (error);
  written = g_uri_to_string (again);
  g_assert_cmpstr (written, ==, text);
}

/* As a host name, the text must not become anything else. */
static void
check_hostname (const char *hostname)
{
  g_autofree char *text = bosh_uri_compose_http (TRUE, hostname, 5281, "/path");
  g_autoptr(GUri) uri = bosh_uri_parse_http (text, NULL, NULL);

  if (uri == NULL)
    return;

  check_accepted (uri);
  g_assert_cmpstr (g_uri_get_path (uri), ==, "/path");
  g_assert_null (g_uri_get_query (uri));
  g_assert_cmpint (g_uri_get_port (uri), ==, 5281);
}

/* What is prepared is prepared again as the same, and equal to what it came from. */
static void
check_jid (const char *text)
{
  g_autofree char *domain = bosh_domain_prepare (text, NULL);
  g_autofree char *jid = bosh_jid_prepare (text);

  if (domain != NULL)
    {
      g_autofree char *again = bosh_domain_prepare (domain, NULL);

      g_assert_cmpstr (again, ==, domain);
      g_assert_true (bosh_domain_equal (domain, text));
    }
  if (jid != NULL)
    {
      g_autofree char *again = bosh_jid_prepare (jid);

      g_assert_cmpstr (again, ==, jid);
      g_assert_true (bosh_jid_equal (jid, text));
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        gsize         size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  char *reference = strchr (text, '\n');
  g_autoptr(GUri) base = NULL;
  g_autoptr(GUri) uri = NULL;
  g_autoptr(GError) error = NULL;

  if (reference == NULL)
    return 0;

  *reference++ = '\0';
  base = bosh_uri_parse_http (text, NULL, NULL);
  uri = bosh_uri_parse_http (reference, base, &error);
  if (uri != NULL)
    {
      g_assert_no_error (error);
      check_accepted (uri);
      check_composed (uri);
    }
  else
    {
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_URI);
    }

  check_hostname (reference);
  check_jid (reference);

  return 0;
}
