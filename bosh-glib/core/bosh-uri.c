/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-uri-private.h"

#include "bosh-domain-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-limits-private.h"

#include <string.h>

/* The host of @uri decoded and in ASCII, or NULL if that can't be done. GLib is kept from
 * it, as it knows the IDNA of 2003 alone, by which “ß” is “ss”: another host. */
static char *
read_host (GUri *uri)
{
  const char *given = g_uri_get_host (uri);
  g_autofree char *decoded = NULL;

  if (given == NULL || strchr (given, ':') != NULL)
    return g_strdup (given);

  decoded = g_uri_unescape_string (given, NULL);
  /* An IP address is not to be encoded. */
  if (decoded == NULL || (strcmp (decoded, given) != 0 && g_hostname_is_ip_address (decoded)))
    return NULL;

  return g_str_is_ascii (decoded) ? g_steal_pointer (&decoded) : bosh_domain_to_ascii (decoded);
}

/* @host is decoded, in ASCII, and without the brackets of an IPv6 address. A zone
 * (`fe80::1%eth0`) is no part of a URI (RFC 9844 §5), and GLib does not read
 * again what it writes for one. */
static gboolean
is_host (const char *host)
{
  if (strchr (host, ':') != NULL)
    return strchr (host, '%') == NULL && g_hostname_is_ip_address (host);

  return g_hostname_is_ip_address (host) || bosh_domain_is_name (host);
}

/* Appends a path or a query. What RFC 3986 §3.3 and §3.4 do not allow there is
 * percent-encoded; what is encoded already stays as it is. */
static void
append_encoded (GString    *string,
                const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    {
      if (g_ascii_isalnum (*p) || strchr ("-._~!$&'()*+,;=:@/?", *p) != NULL ||
          (*p == '%' && g_ascii_isxdigit (p[1]) && g_ascii_isxdigit (p[2])))
        g_string_append_c (string, *p);
      else
        g_string_append_printf (string, "%%%02X", (guint)(guchar)*p);
    }
}

/* What is wrong with the parts of an address, or NULL. @host is from read_host(). */
static const char *
find_fault (GUri       *uri,
            const char *host,
            gboolean    is_reference,
            gboolean    has_userinfo)
{
  const char *scheme = g_uri_get_scheme (uri);

  if (strcmp (scheme, "http") != 0 && strcmp (scheme, "https") != 0)
    return _("The URI is neither http nor https");

  if (g_uri_get_userinfo (uri) != NULL && !has_userinfo)
    return _("The URI contains a user name or password, which is not allowed");

  if (g_uri_get_fragment (uri) != NULL && !is_reference)
    return _("The URI contains a fragment, which is not allowed");

  if (g_uri_get_host (uri) == NULL || g_uri_get_host (uri)[0] == '\0')
    return _("The URI contains no host name");

  if (host == NULL || !is_host (host))
    return _("The host name in the URI is not valid");

  if (g_uri_get_port (uri) == 0)
    return _("The port in the URI is not valid");

  return NULL;
}

static char *
normalize (GUri       *uri,
           const char *host)
{
  const char *scheme = g_uri_get_scheme (uri);
  const char *path = g_uri_get_path (uri);
  const char *query = g_uri_get_query (uri);
  int default_port = strcmp (scheme, "https") == 0 ? 443 : 80;
  GString *text = g_string_new (scheme);

  g_string_append_printf (text, strchr (host, ':') != NULL ? "://[%s]" : "://%s", host);
  if (g_uri_get_port (uri) > 0 && g_uri_get_port (uri) != default_port)
    g_string_append_printf (text, ":%d", g_uri_get_port (uri));
  if (path[0] != '/')
    g_string_append_c (text, '/');
  append_encoded (text, path);
  if (query != NULL)
    {
      g_string_append_c (text, '?');
      append_encoded (text, query);
    }

  return g_string_free (text, FALSE);
}

static GUri *
fail (GError     **error,
      const char  *message)
{
  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_URI, message);

  return NULL;
}

/* @base and @userinfo: nullable. */
static GUri *
parse_http (const char  *text,
            GUri        *base,
            char       **userinfo,
            GError     **error)
{
  g_autoptr(GUri) given = NULL;
  g_autoptr(GUri) uri = NULL;
  g_autofree char *host = NULL;
  g_autofree char *normalized = NULL;
  g_autofree char *written = NULL;
  const char *fault;

  if (strlen (text) > BOSH_URI_MAX_LENGTH)
    return fail (error, _("The URI is too long"));

  if (g_utf8_validate (text, -1, NULL))
    given = g_uri_parse_relative (base, text, G_URI_FLAGS_ENCODED | G_URI_FLAGS_NON_DNS, NULL);
  if (given == NULL)
    return fail (error, _("This is no absolute URI"));

  host = read_host (given);
  fault = find_fault (given, host, base != NULL, userinfo != NULL);
  if (fault != NULL)
    return fail (error, fault);

  normalized = normalize (given, host);
  if (strlen (normalized) > BOSH_URI_MAX_LENGTH)
    return fail (error, _("The URI is too long"));

  /* GLib decodes the host when it reads and does not encode it when it writes. The
   * checks above allow for that; this proves that they are enough. */
  uri = g_uri_parse (normalized, G_URI_FLAGS_ENCODED, NULL);
  written = uri != NULL ? g_uri_to_string (uri) : NULL;
  if (g_strcmp0 (written, normalized) != 0)
    return fail (error, _("This is no absolute URI"));

  if (userinfo != NULL)
    *userinfo = g_strdup (g_uri_get_userinfo (given));

  return g_steal_pointer (&uri);
}

GUri *
bosh_uri_parse_http (const char  *text,
                     GUri        *base,
                     GError     **error)
{
  return parse_http (text, base, NULL, error);
}

GUri *
bosh_uri_parse_http_with_userinfo (const char  *text,
                                   char       **userinfo,
                                   GError     **error)
{
  *userinfo = NULL;

  return parse_http (text, NULL, userinfo, error);
}

char *
bosh_uri_strip_userinfo (const char *text)
{
  const char *scheme_end = strstr (text, "://");
  const char *start = scheme_end != NULL ? scheme_end + 1 : text;
  const char *authority = start + strspn (start, "/");
  const char *at = g_strrstr_len (authority, (gssize)strcspn (authority, "/?#"), "@");

  if (at == NULL)
    return g_strdup (text);

  return g_strdup_printf ("%.*s%s", (int)(authority - text), text, at + 1);
}

gboolean
bosh_uri_has_same_origin (GUri *a,
                          GUri *b)
{
  return strcmp (g_uri_get_scheme (a), g_uri_get_scheme (b)) == 0 &&
         g_ascii_strcasecmp (g_uri_get_host (a), g_uri_get_host (b)) == 0 &&
         bosh_uri_get_port (a) == bosh_uri_get_port (b);
}

char *
bosh_uri_compose_http (gboolean    secure,
                       const char *hostname,
                       guint       port,
                       const char *path)
{
  GString *text = g_string_new (secure ? "https://" : "http://");
  gsize length = strlen (hostname);
  gboolean has_brackets = length > 2 && hostname[0] == '[' && hostname[length - 1] == ']';
  gboolean is_literal = has_brackets || strchr (hostname, ':') != NULL;
  g_autofree char *bare = has_brackets ? g_strndup (hostname + 1, length - 2) : g_strdup (hostname);

  /* Encoded, nothing in the host name can be mistaken for what follows it. */
  if (is_literal)
    g_string_append_c (text, '[');
  g_string_append_uri_escaped (text, bare, is_literal ? ":" : NULL, TRUE);
  if (is_literal)
    g_string_append_c (text, ']');

  g_string_append_printf (text, ":%u", port);
  if (path[0] != '/')
    g_string_append_c (text, '/');
  append_encoded (text, path);

  return g_string_free (text, FALSE);
}

gboolean
bosh_uri_is_secure (GUri *uri)
{
  return strcmp (g_uri_get_scheme (uri), "https") == 0;
}

guint
bosh_uri_get_port (GUri *uri)
{
  if (g_uri_get_port (uri) > 0)
    return (guint)g_uri_get_port (uri);

  return bosh_uri_is_secure (uri) ? 443 : 80;
}
