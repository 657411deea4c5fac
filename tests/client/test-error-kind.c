/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-error-kind-private.h"

#include "bosh-error.h"

#include <gio/gio.h>

static void
test_kinds (void)
{
  static const struct
  {
    GQuark       (*domain) (void);
    int            code;
    const char    *condition;
    BoshErrorKind  expected;
  } cases[] = {
    { bosh_error_quark, BOSH_ERROR_SESSION_LOST, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_TIMED_OUT, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_TERMINATED, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_HTTP, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_REMOTE_STREAM_ERROR, NULL, BOSH_ERROR_KIND_PERMANENT },
    { bosh_error_quark, BOSH_ERROR_REMOTE_STREAM_ERROR, "reset", BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_REMOTE_STREAM_ERROR, "unheard-of", BOSH_ERROR_KIND_PERMANENT },
    { bosh_error_quark, BOSH_ERROR_REMOTE_STREAM_ERROR, "conflict", BOSH_ERROR_KIND_CONFLICT },
    { bosh_stream_error_quark, BOSH_STREAM_ERROR_RESET, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_stream_error_quark, BOSH_STREAM_ERROR_RESET, "conflict", BOSH_ERROR_KIND_CONFLICT },
    { bosh_stream_error_quark, BOSH_STREAM_ERROR_CONFLICT, NULL, BOSH_ERROR_KIND_CONFLICT },
    { bosh_stream_error_quark, BOSH_STREAM_ERROR_NOT_AUTHORIZED, NULL,
      BOSH_ERROR_KIND_CREDENTIALS },
    { bosh_stream_error_quark, BOSH_STREAM_ERROR_POLICY_VIOLATION, NULL,
      BOSH_ERROR_KIND_PERMANENT },
    { bosh_stream_error_quark, BOSH_STREAM_ERROR_UNDEFINED_CONDITION, NULL,
      BOSH_ERROR_KIND_PERMANENT },
    { bosh_error_quark, BOSH_ERROR_TERMINATED, "conflict", BOSH_ERROR_KIND_CONFLICT },
    { bosh_error_quark, BOSH_ERROR_TERMINATED, "not-authorized", BOSH_ERROR_KIND_CREDENTIALS },
    { bosh_error_quark, BOSH_ERROR_POLICY_VIOLATION, "reset", BOSH_ERROR_KIND_PERMANENT },
    { bosh_error_quark, BOSH_ERROR_TLS, NULL, BOSH_ERROR_KIND_UNTRUSTED },
    { bosh_error_quark, BOSH_ERROR_TLS, "reset", BOSH_ERROR_KIND_UNTRUSTED },
    { bosh_error_quark, BOSH_ERROR_INSECURE_MECHANISM, NULL, BOSH_ERROR_KIND_UNTRUSTED },
    { bosh_error_quark, BOSH_ERROR_SERVER_NOT_AUTHENTIC, NULL, BOSH_ERROR_KIND_CREDENTIALS },
    { bosh_error_quark, BOSH_ERROR_NO_MECHANISM, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_HOST_UNKNOWN, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_HOST_GONE, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_SEE_OTHER_URI, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_BAD_XML, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_TOO_LARGE, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_NOT_BOSH, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_DISCOVERY_FAILED, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_OTHER_REQUEST, NULL, BOSH_ERROR_KIND_PERMANENT },
    { bosh_error_quark, BOSH_ERROR_LOGIN_FAILED, NULL, BOSH_ERROR_KIND_PERMANENT },
    { bosh_stream_error_quark, BOSH_STREAM_ERROR_HOST_UNKNOWN, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { bosh_stream_error_quark, BOSH_STREAM_ERROR_SEE_OTHER_HOST, NULL,
      BOSH_ERROR_KIND_TEMPORARY },
    { bosh_stanza_error_quark, BOSH_STANZA_ERROR_SERVICE_UNAVAILABLE, NULL,
      BOSH_ERROR_KIND_TEMPORARY },
    { bosh_error_quark, BOSH_ERROR_DETACHED, NULL, BOSH_ERROR_KIND_REQUESTED },
    { bosh_error_quark, 12345, NULL, BOSH_ERROR_KIND_PERMANENT },
    { bosh_sasl_error_quark, BOSH_SASL_ERROR_ACCOUNT_DISABLED, NULL, BOSH_ERROR_KIND_CREDENTIALS },
    { bosh_sasl_error_quark, BOSH_SASL_ERROR_NOT_AUTHORIZED, NULL, BOSH_ERROR_KIND_CREDENTIALS },
    { bosh_sasl_error_quark, BOSH_SASL_ERROR_TEMPORARY_AUTH_FAILURE, NULL,
      BOSH_ERROR_KIND_TEMPORARY },
    { bosh_stanza_error_quark, BOSH_STANZA_ERROR_RESOURCE_CONSTRAINT, NULL,
      BOSH_ERROR_KIND_TEMPORARY },
    { bosh_stanza_error_quark, BOSH_STANZA_ERROR_CONFLICT, NULL, BOSH_ERROR_KIND_CONFLICT },
    { bosh_stanza_error_quark, BOSH_STANZA_ERROR_NOT_ALLOWED, NULL, BOSH_ERROR_KIND_PERMANENT },
    { g_io_error_quark, G_IO_ERROR_CONNECTION_REFUSED, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { g_io_error_quark, G_IO_ERROR_CANCELLED, NULL, BOSH_ERROR_KIND_REQUESTED },
    { g_io_error_quark, G_IO_ERROR_PROXY_FAILED, NULL, BOSH_ERROR_KIND_TEMPORARY },
    { g_io_error_quark, G_IO_ERROR_PROXY_NEED_AUTH, NULL, BOSH_ERROR_KIND_PERMANENT },
    { g_io_error_quark, G_IO_ERROR_PROXY_AUTH_FAILED, NULL, BOSH_ERROR_KIND_PERMANENT },
    { g_resolver_error_quark, G_RESOLVER_ERROR_TEMPORARY_FAILURE, NULL,
      BOSH_ERROR_KIND_TEMPORARY },
    { g_tls_error_quark, G_TLS_ERROR_BAD_CERTIFICATE, NULL, BOSH_ERROR_KIND_UNTRUSTED },
    { g_file_error_quark, G_FILE_ERROR_IO, NULL, BOSH_ERROR_KIND_PERMANENT },
  };

  g_test_summary ("R100: what passes by itself is on a list; all else must be mended by a "
                  "person, and is not tried again");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(GError) error = NULL;

      error = g_error_new_literal (cases[i].domain (), cases[i].code, "x");
      g_assert_cmpint (bosh_error_get_kind (error, cases[i].condition, 0), ==, cases[i].expected);
    }
}

static void
test_http_status (void)
{
  static const int codes[] = { BOSH_ERROR_BAD_REQUEST, BOSH_ERROR_POLICY_VIOLATION };
  g_autoptr(GError) unauthorized = NULL;

  g_test_summary ("A status of HTTP comes from something between, for a while, unless that wants a "
                  "password; the condition of a response finds fault with us");

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    {
      g_autoptr(GError) error = g_error_new_literal (BOSH_ERROR, codes[i], "x");

      g_assert_cmpint (bosh_error_get_kind (error, NULL, 403), ==, BOSH_ERROR_KIND_TEMPORARY);
      g_assert_cmpint (bosh_error_get_kind (error, NULL, 0), ==, BOSH_ERROR_KIND_PERMANENT);
    }

  unauthorized = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_HTTP, "x");
  g_assert_cmpint (bosh_error_get_kind (unauthorized, NULL, 503), ==, BOSH_ERROR_KIND_TEMPORARY);
  g_assert_cmpint (bosh_error_get_kind (unauthorized, NULL, 401), ==, BOSH_ERROR_KIND_CREDENTIALS);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/error-kind/kinds", test_kinds);
  g_test_add_func ("/bosh/error-kind/http-status", test_http_status);

  return g_test_run ();
}
