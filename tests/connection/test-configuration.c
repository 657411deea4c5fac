/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-error.h"

#include <string.h>

static void
test_defaults (void)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("R67 (XEP-0124 §15.1): defaults");

  configuration = bosh_connection_configuration_new ("http://xmpp.example", &error);
  g_assert_no_error (error);

  g_assert_cmpuint (bosh_connection_configuration_get_wait (configuration), ==, 55);
  g_assert_cmpuint (bosh_connection_configuration_get_hold (configuration), ==, 1);
  g_assert_null (bosh_connection_configuration_get_route (configuration));
  g_assert_null (bosh_connection_configuration_get_from_jid (configuration));
  g_assert_null (bosh_connection_configuration_get_language (configuration));
  g_assert_false (bosh_connection_configuration_get_use_key_sequence (configuration));
  g_assert_cmpuint (bosh_connection_configuration_get_key_sequence_length (configuration), ==, 0);
  g_assert_true (bosh_connection_configuration_get_use_acknowledgements (configuration));
  g_assert_false (bosh_connection_configuration_get_compress_requests (configuration));
  g_assert_false (bosh_connection_configuration_get_pause_on_detach (configuration));
  g_assert_cmpstr (bosh_connection_configuration_get_request_content_type (configuration), ==,
                   "text/xml; charset=utf-8");
  g_assert_null (bosh_connection_configuration_get_response_content_type (configuration));
  g_assert_cmpstr (bosh_connection_configuration_get_user_agent (configuration), ==,
                   "bosh-glib/" PACKAGE_VERSION);
  g_assert_cmpuint (bosh_connection_configuration_get_connect_timeout (configuration), ==, 30);
  g_assert_null (bosh_connection_configuration_get_proxy_resolver (configuration));
  g_assert_null (bosh_connection_configuration_get_tls_database (configuration));
  g_assert_null (bosh_connection_configuration_get_tls_certificate (configuration));
  g_assert_cmpuint (bosh_connection_configuration_get_max_request_size (configuration), ==,
                    512 * 1024);
  g_assert_cmpuint (bosh_connection_configuration_get_max_response_size (configuration), ==,
                    8 * 1024 * 1024);

  g_assert_finalize_object (g_steal_pointer (&configuration));
}

/* Values that differ from all defaults, as an application would give them. */
static BoshConnectionConfiguration *
create_unusual (GProxyResolver *resolver)
{
  return g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                       "uri", "https://xmpp.example:8443/bosh?a=b",
                       "wait", 3600,
                       "hold", 8,
                       "route", "xmpp:inner.example:5222",
                       "from-jid", "romeo@example",
                       "language", "de",
                       "use-key-sequence", TRUE,
                       "key-sequence-length", 16,
                       "use-acknowledgements", FALSE,
                       "compress-requests", TRUE,
                       "pause-on-detach", TRUE,
                       "request-content-type", "application/xml",
                       "response-content-type", "text/html",
                       "user-agent", "balcony/1",
                       "connect-timeout", 7,
                       "proxy-resolver", resolver,
                       "proxy-username", "romeo",
                       "proxy-password", "rose",
                       "max-request-size", 1024,
                       "max-response-size", 16 * 1024 * 1024,
                       NULL);
}

static void
assert_unusual (BoshConnectionConfiguration *configuration,
                GProxyResolver              *resolver)
{
  g_assert_cmpuint (bosh_connection_configuration_get_wait (configuration), ==, 3600);
  g_assert_cmpuint (bosh_connection_configuration_get_hold (configuration), ==, 8);
  g_assert_cmpstr (bosh_connection_configuration_get_route (configuration), ==,
                   "xmpp:inner.example:5222");
  g_assert_cmpstr (bosh_connection_configuration_get_from_jid (configuration), ==, "romeo@example");
  g_assert_cmpstr (bosh_connection_configuration_get_language (configuration), ==, "de");
  g_assert_true (bosh_connection_configuration_get_use_key_sequence (configuration));
  g_assert_cmpuint (bosh_connection_configuration_get_key_sequence_length (configuration), ==, 16);
  g_assert_false (bosh_connection_configuration_get_use_acknowledgements (configuration));
  g_assert_true (bosh_connection_configuration_get_compress_requests (configuration));
  g_assert_true (bosh_connection_configuration_get_pause_on_detach (configuration));
  g_assert_cmpstr (bosh_connection_configuration_get_request_content_type (configuration), ==,
                   "application/xml");
  g_assert_cmpstr (bosh_connection_configuration_get_response_content_type (configuration), ==,
                   "text/html");
  g_assert_cmpstr (bosh_connection_configuration_get_user_agent (configuration), ==, "balcony/1");
  g_assert_cmpuint (bosh_connection_configuration_get_connect_timeout (configuration), ==, 7);
  g_assert_true (bosh_connection_configuration_get_proxy_resolver (configuration) == resolver);
  g_assert_cmpstr (bosh_connection_configuration_get_proxy_username (configuration), ==, "romeo");
  g_assert_cmpstr (bosh_connection_configuration_get_proxy_password (configuration), ==, "rose");
  g_assert_cmpuint (bosh_connection_configuration_get_max_request_size (configuration), ==, 1024);
  g_assert_cmpuint (bosh_connection_configuration_get_max_response_size (configuration), ==,
                    16 * 1024 * 1024);
}

static void
test_properties (void)
{
  g_autoptr(GProxyResolver) resolver = g_simple_proxy_resolver_new ("direct://", NULL);
  g_autoptr(BoshConnectionConfiguration) configuration = create_unusual (resolver);
  g_autoptr(BoshConnectionConfiguration) copy = NULL;

  g_test_summary ("Every property keeps what it is given, also in a copy with another URI");

  assert_unusual (configuration, resolver);
  g_assert_cmpstr (bosh_connection_configuration_get_uri (configuration), ==,
                   "https://xmpp.example:8443/bosh?a=b");
  g_assert_cmpstr (bosh_connection_configuration_get_hostname (configuration), ==, "xmpp.example");
  g_assert_cmpuint (bosh_connection_configuration_get_port (configuration), ==, 8443);
  g_assert_cmpstr (bosh_connection_configuration_get_path (configuration), ==, "/bosh?a=b");
  g_assert_true (bosh_connection_configuration_get_secure (configuration));

  copy = bosh_connection_configuration_copy_with_uri (configuration, "http://other.example/");
  assert_unusual (copy, resolver);
  g_assert_cmpstr (bosh_connection_configuration_get_uri (copy), ==, "http://other.example/");
  g_assert_false (bosh_connection_configuration_get_secure (copy));
}

static void
test_generic_access (void)
{
  g_autoptr(BoshConnectionConfiguration) configuration = create_unusual (NULL);
  static const char * const secrets[] = { "http-password", "proxy-password", "request-headers", NULL };
  GObjectClass *klass = G_OBJECT_GET_CLASS (configuration);
  g_autofree GParamSpec **specs = NULL;
  g_autofree char *uri = NULL;
  g_autofree char *hostname = NULL;
  g_autofree char *path = NULL;
  gboolean secure;
  guint port;
  guint n_specs;

  g_test_summary ("All properties but secrets can be read by name, and none can be changed");

  specs = g_object_class_list_properties (klass, &n_specs);
  g_assert_cmpuint (n_specs, ==, 29);
  for (guint i = 0; i < n_specs; i++)
    {
      g_auto(GValue) value = G_VALUE_INIT;

      if (g_strv_contains (secrets, specs[i]->name))
        {
          g_assert_true ((specs[i]->flags & G_PARAM_READABLE) == 0);
          continue;
        }

      g_assert_true ((specs[i]->flags & G_PARAM_READABLE) != 0);
      g_assert_true ((specs[i]->flags & G_PARAM_WRITABLE) == 0 ||
                     (specs[i]->flags & G_PARAM_CONSTRUCT_ONLY) != 0);
      g_object_get_property (G_OBJECT (configuration), specs[i]->name, &value);
      g_assert_true (G_IS_VALUE (&value));
    }

  g_object_get (configuration,
                "uri", &uri,
                "hostname", &hostname,
                "port", &port,
                "path", &path,
                "secure", &secure,
                NULL);
  g_assert_cmpstr (uri, ==, "https://xmpp.example:8443/bosh?a=b");
  g_assert_cmpstr (hostname, ==, "xmpp.example");
  g_assert_cmpuint (port, ==, 8443);
  g_assert_cmpstr (path, ==, "/bosh?a=b");
  g_assert_true (secure);
}

static void
test_uri (void)
{
  static const struct
  {
    const char *uri;
    gboolean secure;
    const char *hostname;
    guint port;
    const char *path;
    const char *normalized;
  } cases[] = {
    { "https://xmpp.example/bosh", TRUE, "xmpp.example", 443, "/bosh",
      "https://xmpp.example/bosh" },
    { "http://xmpp.example", FALSE, "xmpp.example", 80, "/", "http://xmpp.example/" },
    { "HTTPS://xmpp.example:5281/http-bind", TRUE, "xmpp.example", 5281, "/http-bind",
      "https://xmpp.example:5281/http-bind" },
    { "https://[::1]:7443/", TRUE, "::1", 7443, "/", "https://[::1]:7443/" },
    { "http://h:5280/p/?key=a%2Fb", FALSE, "h", 5280, "/p/?key=a%2Fb",
      "http://h:5280/p/?key=a%2Fb" },
    { "http://h?q", FALSE, "h", 80, "/?q", "http://h/?q" },
    { "https://bücher.example/", TRUE, "xn--bcher-kva.example", 443, "/",
      "https://xn--bcher-kva.example/" },
    { "https://h:443/", TRUE, "h", 443, "/", "https://h/" },
    { "http://h:443/", FALSE, "h", 443, "/", "http://h:443/" },
  };

  g_test_summary ("RFC 3986, RFC 9110 §4.2: configurations from URIs");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshConnectionConfiguration) configuration = NULL;
      g_autoptr(BoshConnectionConfiguration) again = NULL;
      g_autoptr(GError) error = NULL;

      configuration = bosh_connection_configuration_new (cases[i].uri, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (bosh_connection_configuration_get_uri (configuration), ==, cases[i].normalized);
      g_assert_cmpint (bosh_connection_configuration_get_secure (configuration), ==, cases[i].secure);
      g_assert_cmpstr (bosh_connection_configuration_get_hostname (configuration), ==, cases[i].hostname);
      g_assert_cmpuint (bosh_connection_configuration_get_port (configuration), ==, cases[i].port);
      g_assert_cmpstr (bosh_connection_configuration_get_path (configuration), ==, cases[i].path);
      g_assert_nonnull (bosh_connection_configuration_get_address (configuration, &error));
      g_assert_no_error (error);

      again = bosh_connection_configuration_new (cases[i].normalized, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (bosh_connection_configuration_get_uri (again), ==, cases[i].normalized);
    }
}

static void
test_host (void)
{
  static const struct
  {
    const char *hostname;
    guint port;
    const char *path;
    gboolean secure;
    const char *uri;
  } cases[] = {
    { "xmpp.example", 0, NULL, FALSE, "http://xmpp.example:5280/http-bind/" },
    { "xmpp.example", 0, NULL, TRUE, "https://xmpp.example:5281/http-bind/" },
    { "xmpp.example", 80, "/bosh", FALSE, "http://xmpp.example/bosh" },
    { "xmpp.example", 443, "bosh", FALSE, "http://xmpp.example:443/bosh" },
    { "xmpp.example", 443, "bosh", TRUE, "https://xmpp.example/bosh" },
    { "xmpp.example", 5280, "", FALSE, "http://xmpp.example:5280/" },
    { "127.0.0.1", 0, "/a%20b?c=d&e=%2F", FALSE, "http://127.0.0.1:5280/a%20b?c=d&e=%2F" },
    { "::1", 0, "/", FALSE, "http://[::1]:5280/" },
    { "[2001:db8::1]", 0, "/", FALSE, "http://[2001:db8::1]:5280/" },
    { "bücher.example", 0, "/", FALSE, "http://xn--bcher-kva.example:5280/" },
    { "chat_server.example.", 0, "/", FALSE, "http://chat_server.example.:5280/" },
    /* What can't stand in a URI, and could break the request line. */
    { "h", 0, "/a b\r\nX: y#\"<é>%zz%4", FALSE,
      "http://h:5280/a%20b%0D%0AX:%20y%23%22%3C%C3%A9%3E%25zz%254" },
    { "h", 0, "/?", FALSE, "http://h:5280/?" },
  };

  g_test_summary ("R103 (XEP-0124 §20): a host name, a port, 5280 or 5281 with TLS, and a path");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshConnectionConfiguration) configuration = NULL;
      g_autoptr(GError) error = NULL;

      configuration = bosh_connection_configuration_new_for_host (cases[i].hostname, cases[i].port,
                                                                  cases[i].path, cases[i].secure);
      g_assert_true (bosh_connection_configuration_validate (configuration, &error));
      g_assert_no_error (error);
      g_assert_cmpstr (bosh_connection_configuration_get_uri (configuration), ==, cases[i].uri);
      g_assert_cmpint (bosh_connection_configuration_get_secure (configuration), ==, cases[i].secure);
    }
}

static void
assert_unusable (BoshConnectionConfiguration *configuration)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) same = NULL;

  g_assert_false (bosh_connection_configuration_validate (configuration, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_URI);
  g_assert_null (strstr (error->message, "secret"));
  g_assert_false (bosh_connection_configuration_validate (configuration, NULL));
  g_assert_null (bosh_connection_configuration_get_address (configuration, &same));
  g_assert_error (same, BOSH_ERROR, BOSH_ERROR_INVALID_URI);
  g_assert_cmpstr (same->message, ==, error->message);

  g_assert_null (bosh_connection_configuration_get_hostname (configuration));
  g_assert_cmpuint (bosh_connection_configuration_get_port (configuration), ==, 0);
  g_assert_null (bosh_connection_configuration_get_path (configuration));
  g_assert_false (bosh_connection_configuration_get_secure (configuration));
}

static void
test_invalid_uri (void)
{
  static const char * const cases[] = {
    "",
    "xmpp.example",
    "/http-bind/",
    "//xmpp.example/http-bind/",
    "xmpp:example",
    "ftp://xmpp.example/",
    "ws://xmpp.example/",
    "http://",
    "http:///path",
    "http://:5280/",
    "http://xmpp.example/#fragment",
    "http://xmpp.example/#",
    "http://xmpp.example:0/",
    "http://xmpp.example:65536/",
    "http://xmpp.example:port/",
    "http://xmpp.example:-1/",
    "http://[::1/",
    "http://[::g]/",
    "http://xmpp example/",
    "http://xmpp.example%0d%0aX/",
    "http://xmpp%2Fexample/",
    "http://-xmpp.example/",
    "http://a,b/",
    /* Not what they seem when they are written out again. */
    "http://h%25/",
    "http://h%2525/",
    "http://u%40host/",
    "http://a%2fb/",
    "http://xmpp\xef\xbc\x8fmple/",
    /* Zones are no part of a URI (RFC 3986 §3.2.2, RFC 9844 §5). */
    "http://[::1%25lo]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%2525eth0]/",
    /* RFC 1123 §2.1: labels, and no name that looks like an IPv4 address. */
    "http://a..b/",
    "http://.a/",
    "http://a-.example/",
    "http://127.1/",
    "http://127.0.0.1./",
    "http://1.2.3.256/",
    "http://0x7f.1/",
  };

  g_test_summary ("RFC 3986: what is no absolute http or https URI is kept as it is, and is an "
                  "error");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshConnectionConfiguration) configuration = NULL;
      g_autoptr(GError) error = NULL;

      g_test_message ("%s", cases[i]);
      g_assert_null (bosh_connection_configuration_new (cases[i], &error));
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_URI);
      g_assert_null (bosh_connection_configuration_new (cases[i], NULL));

      configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                    "uri", cases[i], "wait", 30, NULL);
      assert_unusable (configuration);
      g_assert_cmpstr (bosh_connection_configuration_get_uri (configuration), ==, cases[i]);
    }
}

static void
test_invalid_host (void)
{
  static const char * const cases[] = {
    "", "a b", "a/b", "a\r\nb", "user@host", "user:secret@host", "[::1", "::g", "a:80", "h%25",
    "fe80::1%eth0"
  };
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  g_test_summary ("A host name or port that can't be one is an error");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshConnectionConfiguration) for_host = NULL;

      for_host = bosh_connection_configuration_new_for_host (cases[i], 0, NULL, FALSE);
      assert_unusable (for_host);
    }

  configuration = bosh_connection_configuration_new_for_host ("h", 65536, NULL, FALSE);
  assert_unusable (configuration);
}

static void
test_missing_uri (void)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("A configuration may be without a URI, and then has no address");

  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION, NULL);
  g_assert_true (bosh_connection_configuration_validate (configuration, &error));
  g_assert_no_error (error);
  g_assert_null (bosh_connection_configuration_get_uri (configuration));
  g_assert_null (bosh_connection_configuration_get_hostname (configuration));
  g_assert_cmpuint (bosh_connection_configuration_get_port (configuration), ==, 0);
  g_assert_null (bosh_connection_configuration_get_path (configuration));
  g_assert_false (bosh_connection_configuration_get_secure (configuration));
  g_assert_null (bosh_connection_configuration_get_address (configuration, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_URI);
}

static void
test_wrong_header (void)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  g_test_summary ("RFC 9110 §5.5: nothing that ends a line gets into a header");

  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*is_header_value*");
  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*is_header_value*");
  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "request-content-type", "text/xml\r\nX-Evil: 1",
                                "user-agent", "balcony\n",
                                NULL);
  g_test_assert_expected_messages ();

  g_assert_cmpstr (bosh_connection_configuration_get_request_content_type (configuration), ==,
                   "text/xml; charset=utf-8");
  g_assert_cmpstr (bosh_connection_configuration_get_user_agent (configuration), ==,
                   "bosh-glib/" PACKAGE_VERSION);
}

static void
assert_headers (BoshConnectionConfiguration *configuration,
                const char                  *expected)
{
  const BoshRequestHeaders *headers = bosh_connection_configuration_get_headers (configuration);
  g_autoptr(GString) text = g_string_new (NULL);

  for (guint i = 0; i < bosh_request_headers_get_n (headers); i++)
    {
      const char *name;
      const char *value;

      bosh_request_headers_get (headers, i, &name, &value);
      g_string_append_printf (text, "%s=%s;", name, value);
    }
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_userinfo (void)
{
  static const struct
  {
    const char *uri;
    const char *username;
    const char *password;
    const char *headers;
  } cases[] = {
    { "https://a:b@h/x", NULL, NULL, "Authorization=Basic YTpi;" },
    { "https://a@h/x", NULL, NULL, "Authorization=Basic YTo=;" },
    { "https://:b@h/x", NULL, NULL, "Authorization=Basic OmI=;" },
    { "https://a:b:c@h/x", NULL, NULL, "Authorization=Basic YTpiOmM=;" },
    { "https://a%40b:%C3%BC%2f%3A@h/x", NULL, NULL, "Authorization=Basic YUBiOsO8Lzo=;" },
    { "https://h/x", "a", "b", "Authorization=Basic YTpi;" },
    { "https://h/x", NULL, "b", "Authorization=Basic OmI=;" },
    { "https://x:y@h/x", "a", "b", "Authorization=Basic YTpi;" },
    { "https://h/x", NULL, NULL, "" },
  };

  g_test_summary ("RFC 7617: user and password of a gateway, in the URI, which reads back without "
                  "them, or as properties");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshConnectionConfiguration) configuration = NULL;
      g_autoptr(GError) error = NULL;

      configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                    "uri", cases[i].uri,
                                    "http-username", cases[i].username,
                                    "http-password", cases[i].password,
                                    NULL);
      bosh_connection_configuration_validate (configuration, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (bosh_connection_configuration_get_uri (configuration), ==, "https://h/x");
      g_assert_cmpstr (bosh_connection_configuration_get_http_username (configuration), ==,
                       cases[i].username);
      assert_headers (configuration, cases[i].headers);
    }
}

static void
test_userinfo_elsewhere (void)
{
  static const char * const unusable[] = {
    "https://romeo:secret@h:0/",
    "https://romeo:secret@/",
    "ftp://romeo:secret@h/",
    "romeo:secret@h",
    "//romeo:se@cret@h/",
  };
  g_autoptr(BoshConnectionConfiguration) configuration =
    bosh_connection_configuration_new ("https://romeo:secret@h/", NULL);
  g_autoptr(BoshConnectionConfiguration) copy =
    bosh_connection_configuration_copy_with_uri (configuration, "https://other/");

  g_test_summary ("What the URI has does not go with the settings to another address, and is in no "
                  "message and no property");

  assert_headers (copy, "");
  for (gsize i = 0; i < G_N_ELEMENTS (unusable); i++)
    {
      g_autoptr(BoshConnectionConfiguration) broken =
        g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION, "uri", unusable[i], NULL);
      g_autoptr(GError) error = NULL;

      g_assert_false (bosh_connection_configuration_validate (broken, &error));
      g_assert_null (strstr (error->message, "ret"));
      g_assert_null (strstr (bosh_connection_configuration_get_uri (broken), "ret"));
    }
}

static void
test_request_headers (void)
{
  static const char * const lines[] = { "X-Token:secret", "authorization:  Bearer a=b ", "X-Empty:", NULL };
  g_autoptr(BoshConnectionConfiguration) configuration =
    g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                  "uri", "https://h/", "request-headers", lines, NULL);
  g_autoptr(BoshConnectionConfiguration) copy =
    bosh_connection_configuration_copy_with_uri (configuration, "https://other/");

  g_test_summary ("RFC 9110 §5: further headers, which go with the other settings to the address "
                  "that a domain announces");

  assert_headers (configuration, "X-Token=secret;authorization=Bearer a=b;X-Empty=;");
  assert_headers (copy, "X-Token=secret;authorization=Bearer a=b;X-Empty=;");
}

static void
test_bad_request_headers (void)
{
  static const struct
  {
    const char *lines[3];
    const char *username;
    const char *password;
  } cases[] = {
    { { "secret" } },
    { { ": secret" } },
    { { "X A: secret" } },
    { { "X-A : secret" } },
    { { "X\xc3\xa4: secret" } },
    { { "X-A: secret\r\nX-B: 1" } },
    { { "X-A: secret\n" } },
    { { "X-A\r\nX-B: secret" } },
    { { "X-A: secret\xc3\xa4" } },
    { { "X-A: secret\x7f" } },
    { { "Host: secret" } },
    { { "content-length: 5" } },
    { { "Transfer-Encoding: chunked" } },
    { { "Cookie: secret" } },
    { { "Proxy-Authorization: secret" } },
    { { "USER-AGENT: secret" } },
    { { "X-A: secret", "x-a: secret" } },
    { { "Authorization: secret" }, "a", "secret" },
    { { NULL }, "a:b", "secret" },
    { { NULL }, "a", "secret\n" },
    { { NULL }, "a\xff", "secret" },
  };
  g_autofree char *value = g_strnfill (BOSH_REQUEST_HEADERS_MAX_LENGTH - 4, 'x');
  g_autofree char *longest = g_strconcat ("X-A:", value, NULL);
  g_autofree char *too_long = g_strconcat (longest, "x", NULL);
  const char *limits[] = { longest, NULL };
  g_autoptr(BoshRequestHeaders) headers = bosh_request_headers_new (limits, NULL, NULL, NULL);
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new ();
  g_auto(GStrv) many = NULL;

  g_test_summary ("RFC 9110 §5: what is no header, or belongs to the library, is an error without "
                  "its value");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshConnectionConfiguration) configuration = NULL;
      g_autoptr(GError) error = NULL;

      g_test_message ("%" G_GSIZE_FORMAT, i);
      configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                    "uri", "https://h/",
                                    "request-headers", cases[i].lines,
                                    "http-username", cases[i].username,
                                    "http-password", cases[i].password,
                                    NULL);
      g_assert_null (bosh_connection_configuration_get_address (configuration, &error));
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_HEADER);
      g_assert_null (strstr (error->message, "secret"));
      g_assert_false (bosh_connection_configuration_validate (configuration, NULL));
    }

  g_assert_nonnull (headers);
  limits[0] = too_long;
  g_assert_null (bosh_request_headers_new (limits, NULL, NULL, NULL));
  for (guint i = 0; i <= BOSH_REQUEST_HEADERS_MAX; i++)
    {
      g_autofree char *line = g_strdup_printf ("X-%u: 1", i);

      g_strv_builder_add (builder, line);
    }
  many = g_strv_builder_end (builder);
  g_assert_null (bosh_request_headers_new ((const char * const *)many, NULL, NULL, NULL));
  g_clear_pointer (&many[BOSH_REQUEST_HEADERS_MAX], g_free);
  g_clear_pointer (&headers, bosh_request_headers_free);
  headers = bosh_request_headers_new ((const char * const *)many, NULL, NULL, NULL);
  g_assert_cmpuint (bosh_request_headers_get_n (headers), ==, BOSH_REQUEST_HEADERS_MAX);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/configuration/defaults", test_defaults);
  g_test_add_func ("/bosh/configuration/properties", test_properties);
  g_test_add_func ("/bosh/configuration/generic-access", test_generic_access);
  g_test_add_func ("/bosh/configuration/uri", test_uri);
  g_test_add_func ("/bosh/configuration/host", test_host);
  g_test_add_func ("/bosh/configuration/invalid-uri", test_invalid_uri);
  g_test_add_func ("/bosh/configuration/invalid-host", test_invalid_host);
  g_test_add_func ("/bosh/configuration/missing-uri", test_missing_uri);
  g_test_add_func ("/bosh/configuration/wrong-header", test_wrong_header);
  g_test_add_func ("/bosh/configuration/userinfo", test_userinfo);
  g_test_add_func ("/bosh/configuration/userinfo-elsewhere", test_userinfo_elsewhere);
  g_test_add_func ("/bosh/configuration/request-headers", test_request_headers);
  g_test_add_func ("/bosh/configuration/bad-request-headers", test_bad_request_headers);

  return g_test_run ();
}
