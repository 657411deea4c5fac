/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-http-error-private.h"

#include "bosh-error.h"
#include "bosh-i18n-private.h"

#include <libsoup/soup.h>

static char *
describe_certificate_errors (GTlsCertificateFlags flags)
{
  static const struct
  {
    GTlsCertificateFlags flag;
    const char *text;
  } reasons[] = {
    { G_TLS_CERTIFICATE_UNKNOWN_CA, N_("it was issued by an unknown authority") },
    { G_TLS_CERTIFICATE_BAD_IDENTITY, N_("it was issued for another host") },
    { G_TLS_CERTIFICATE_NOT_ACTIVATED, N_("it is not valid yet") },
    { G_TLS_CERTIFICATE_EXPIRED, N_("it has expired") },
    { G_TLS_CERTIFICATE_REVOKED, N_("it was revoked") },
    { G_TLS_CERTIFICATE_INSECURE, N_("its algorithm is insecure") },
  };
  g_autoptr(GString) text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
    {
      if ((flags & reasons[i].flag) == 0)
        continue;

      if (text->len > 0)
        g_string_append (text, _(", "));
      g_string_append (text, _(reasons[i].text));
    }

  if (text->len == 0)
    g_string_append (text, _("it could not be checked"));

  return g_string_free (g_steal_pointer (&text), FALSE);
}

GError *
bosh_http_translate_error (const char           *hostname,
                           GTlsCertificateFlags  certificate_errors,
                           const GError         *error)
{
  if (certificate_errors != 0)
    {
      g_autofree char *text = describe_certificate_errors (certificate_errors);

      return g_error_new (BOSH_ERROR, BOSH_ERROR_TLS,
                          _("The certificate of %s can't be trusted: %s"),
                          hostname, text);
    }

  /* These mean that the connection broke: NOT_TLS within the handshake, EOF after
   * it. */
  if (g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_NOT_TLS) ||
      g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_EOF))
    return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, error->message);

  if (error->domain == G_TLS_ERROR)
    return g_error_new (BOSH_ERROR, BOSH_ERROR_TLS,
                        _("The encrypted connection to %s failed: %s"),
                        hostname, error->message);

  if (error->domain == SOUP_SESSION_ERROR)
    return g_error_new (BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                        _("The response of %s is not HTTP: %s"),
                        hostname, error->message);

  return g_error_copy (error);
}
