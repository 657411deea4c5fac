/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Discovery as an application uses it. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-site.h"

#include <string.h>

/* Made once: openssl takes its time. */
static BoshTestTls *tls;

static BoshDiscovery *
new_discovery (BoshTestSite *site,
               const char   *first_property,
               gpointer      first_value)
{
  g_autoptr(BoshConnectionConfiguration) configuration = bosh_test_site_new_template (site);

  return g_object_new (BOSH_TYPE_DISCOVERY,
                       "domain", "localhost",
                       "configuration", configuration,
                       first_property, first_value,
                       NULL);
}

static GPtrArray *
look_up (BoshDiscovery  *discovery,
         GError        **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  bosh_discovery_lookup_async (discovery, NULL, bosh_test_keep_result, &result);
  g_assert_null (result);
  bosh_test_wait (result != NULL);

  return bosh_discovery_lookup_finish (discovery, result, error);
}

static char *
join_uris (GPtrArray *found)
{
  g_autoptr(GString) joined = g_string_new (NULL);

  for (guint i = 0; i < found->len; i++)
    g_string_append_printf (joined, "%s%s", i > 0 ? " " : "",
                            bosh_connection_configuration_get_uri (g_ptr_array_index (found, i)));

  return g_string_free (g_steal_pointer (&joined), FALSE);
}

static void
assert_found (BoshDiscovery *discovery,
              const char    *expected)
{
  g_autoptr(GPtrArray) found = NULL;
  g_autofree char *uris = NULL;
  g_autoptr(GError) error = NULL;

  found = look_up (discovery, &error);
  g_assert_no_error (error);
  uris = join_uris (found);
  g_assert_cmpstr (uris, ==, expected);
}

static void
assert_failed (BoshDiscovery *discovery,
               GQuark         domain,
               int            code,
               const char    *text)
{
  g_autoptr(GError) error = NULL;

  g_assert_null (look_up (discovery, &error));
  g_assert_error (error, domain, code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, bosh_discovery_get_domain (discovery)));
  if (strstr (error->message, text) == NULL)
    g_error ("no \"%s\" in: %s", text, error->message);
}

/* What was asked for, in order. */
static void
assert_requests (BoshTestSite *site,
                 const char   *expected)
{
  g_auto(GStrv) paths = g_strsplit (expected, " ", -1);
  GPtrArray *requests = bosh_test_server_get_requests (site->server);

  g_assert_cmpuint (requests->len, ==, g_strv_length (paths));
  for (guint i = 0; i < requests->len; i++)
    g_assert_true (bosh_test_request_is_for (g_ptr_array_index (requests, i), paths[i]));
}

/* --- The documents --- */

static void
test_formats (void)
{
  static const struct
  {
    BoshTestPage pages[3];
    const char *expected;
    const char *requests;
  } cases[] = {
    { { { BOSH_TEST_XML_PATH, 200, NULL, BOSH_TEST_XRD ("https://x.example/bosh") } },
      "https://x.example/bosh",
      BOSH_TEST_XML_PATH },
    { { { BOSH_TEST_JSON_PATH, 200, NULL, BOSH_TEST_JRD ("https://j.example/bosh") } },
      "https://j.example/bosh",
      BOSH_TEST_XML_PATH " " BOSH_TEST_JSON_PATH },
    { { { BOSH_TEST_XML_PATH, 200, NULL, BOSH_TEST_XRD ("https://x.example/bosh") },
        { BOSH_TEST_JSON_PATH, 200, NULL, BOSH_TEST_JRD ("https://j.example/bosh") } },
      "https://x.example/bosh",
      BOSH_TEST_XML_PATH },
    /* Broken, without BOSH, without https: the other one may do better. */
    { { { BOSH_TEST_XML_PATH, 200, NULL, "<XRD" },
        { BOSH_TEST_JSON_PATH, 200, NULL, BOSH_TEST_JRD ("https://j.example/bosh") } },
      "https://j.example/bosh",
      BOSH_TEST_XML_PATH " " BOSH_TEST_JSON_PATH },
    { { { BOSH_TEST_XML_PATH, 200, NULL, BOSH_TEST_XRD ("http://x.example/bosh") },
        { BOSH_TEST_JSON_PATH, 200, NULL, BOSH_TEST_JRD ("https://j.example/bosh") } },
      "https://j.example/bosh",
      BOSH_TEST_XML_PATH " " BOSH_TEST_JSON_PATH },
    { { { BOSH_TEST_XML_PATH, 200, NULL, BOSH_TEST_XRD ("https://[::1%25lo]/") },
        { BOSH_TEST_JSON_PATH, 200, NULL, BOSH_TEST_JRD ("https://j.example/bosh") } },
      "https://j.example/bosh",
      BOSH_TEST_XML_PATH " " BOSH_TEST_JSON_PATH },
    { { { BOSH_TEST_XML_PATH, 500, NULL, BOSH_TEST_XRD ("https://x.example/bosh") },
        { BOSH_TEST_JSON_PATH, 200, NULL, BOSH_TEST_JRD ("https://j.example/bosh") } },
      "https://j.example/bosh",
      BOSH_TEST_XML_PATH " " BOSH_TEST_JSON_PATH },
  };

  g_test_summary ("R124, R125 (XEP-0156 §2, §3): host-meta as XRD, and as JRD where that gives "
                  "nothing");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(BoshTestSite) site = { 0 };
      g_autoptr(BoshDiscovery) discovery = NULL;
      GPtrArray *requests;

      bosh_test_site_init (&site, tls, NULL, cases[i].pages);
      discovery = new_discovery (&site, NULL, NULL);
      assert_found (discovery, cases[i].expected);
      assert_requests (&site, cases[i].requests);

      requests = bosh_test_server_get_requests (site.server);
      for (guint k = 0; k < requests->len; k++)
        {
          const BoshTestRequest *request = g_ptr_array_index (requests, k);

          bosh_test_assert_header (request, "Host", "localhost");
          bosh_test_assert_header (request, "Accept",
                                   k == 0 ? "application/xrd+xml" : "application/json");
          bosh_test_assert_header (request, "Authorization", NULL);
          bosh_test_assert_header (request, "Cookie", NULL);
          g_assert_nonnull (strstr (request->head, "User-Agent: bosh-glib/"));
        }

      /* Nothing stays open. */
      bosh_test_wait (bosh_test_server_get_n_closed (site.server) ==
                      bosh_test_server_get_n_accepted (site.server));
    }
}

static void
test_several (void)
{
  static const BoshTestPage pages[] = {
    { BOSH_TEST_XML_PATH, 200, NULL,
      "<?xml version='1.0'?><!-- ours --><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>"
      "<Link rel='" BOSH_TEST_RELATION "' href='https://b.example:5281/http-bind?x'/>"
      "<Link rel='" BOSH_TEST_RELATION "' href='http://c.example/'/>"
      "<Link rel='" BOSH_TEST_RELATION "' href='https://a.example/'/>"
      "<Link rel='" BOSH_TEST_RELATION "' href='https://b.example:5281/http-bind?x'/></XRD>" },
    { NULL },
  };
  g_auto(BoshTestSite) site = { 0 };
  g_autoptr(BoshDiscovery) discovery = NULL;
  g_autoptr(GPtrArray) found = NULL;
  g_autofree char *uris = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("R124, R125 (XEP-0156 §2, §3): all https links, in order, each once, with all "
                  "else as in the configuration that was given");

  bosh_test_site_init (&site, tls, NULL, pages);
  discovery = new_discovery (&site, NULL, NULL);
  found = look_up (discovery, &error);
  g_assert_no_error (error);
  uris = join_uris (found);
  g_assert_cmpstr (uris, ==, "https://b.example:5281/http-bind?x https://a.example/");

  for (guint i = 0; i < found->len; i++)
    {
      BoshConnectionConfiguration *configuration = g_ptr_array_index (found, i);

      g_assert_true (bosh_connection_configuration_get_secure (configuration));
      g_assert_true (bosh_connection_configuration_get_tls_database (configuration) == tls->database);
      g_assert_true (bosh_connection_configuration_get_proxy_resolver (configuration) == site.resolver);
      g_assert_cmpstr (bosh_connection_configuration_get_language (configuration), ==, "fr");
      g_assert_cmpuint (bosh_connection_configuration_get_wait (configuration), ==, 33);
    }

  /* Again, with the same object. */
  assert_found (discovery, uris);
}

static void
test_nothing (void)
{
  static const struct
  {
    BoshTestPage pages[3];
    const char *text;
  } cases[] = {
    { { { NULL } },
      "https://localhost" BOSH_TEST_XML_PATH ": HTTP status 404; https://localhost" BOSH_TEST_JSON_PATH ": HTTP status 404" },
    { { { BOSH_TEST_XML_PATH, 200, NULL, BOSH_TEST_XRD ("http://x.example/") },
        { BOSH_TEST_JSON_PATH, 200, NULL, BOSH_TEST_JRD ("http://x.example/") } },
      BOSH_TEST_XML_PATH ": it announces no https address for BOSH" },
    { { { BOSH_TEST_XML_PATH, 200, NULL, BOSH_TEST_XRD ("wss://x.example/") },
        { BOSH_TEST_JSON_PATH, 200, NULL, "{}" } },
      BOSH_TEST_JSON_PATH ": it announces no https address for BOSH" },
    { { { BOSH_TEST_XML_PATH, 200, NULL, "<html/>" },
        { BOSH_TEST_JSON_PATH, 200, NULL, "<html/>" } },
      "XRD" },
  };

  g_test_summary ("R124, R125 (XEP-0156 §2, §3): where no https link is announced, the error names "
                  "the domain and what was tried");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(BoshTestSite) site = { 0 };
      g_autoptr(BoshDiscovery) discovery = NULL;

      bosh_test_site_init (&site, tls, NULL, cases[i].pages);
      discovery = new_discovery (&site, NULL, NULL);
      assert_failed (discovery, BOSH_ERROR, BOSH_ERROR_DISCOVERY_FAILED, cases[i].text);
    }
}

/* --- Redirects --- */

static void
test_redirect (void)
{
  static const struct
  {
    guint status;
    const char *location;
    const char *tunnel;
  } cases[] = {
    { 301, "Location: https://localhost/elsewhere\r\n", "CONNECT localhost:443 " },
    { 302, "Location: /elsewhere\r\n", "CONNECT localhost:443 " },
    { 303, "Location: ../elsewhere\r\n", "CONNECT localhost:443 " },
    { 307, "Location: https://127.0.0.1/elsewhere\r\n", "CONNECT 127.0.0.1:443 " },
    { 308, "Location: HTTPS://localhost:8443/elsewhere#x\r\n", "CONNECT localhost:8443 " },
  };

  g_test_summary ("R124 (XEP-0156 §2): redirects to https are followed");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const BoshTestPage pages[] = {
        { BOSH_TEST_XML_PATH, cases[i].status, cases[i].location, BOSH_TEST_XRD ("https://wrong.example/") },
        { "/elsewhere", 200, NULL, BOSH_TEST_XRD ("https://x.example/bosh") },
        { NULL },
      };
      g_auto(BoshTestSite) site = { 0 };
      g_autoptr(BoshDiscovery) discovery = NULL;
      GPtrArray *tunnels;

      bosh_test_site_init (&site, tls, NULL, pages);
      discovery = new_discovery (&site, NULL, NULL);
      assert_found (discovery, "https://x.example/bosh");
      assert_requests (&site, BOSH_TEST_XML_PATH " /elsewhere");
      tunnels = bosh_test_proxy_get_requests (site.proxy);
      g_assert_cmpuint (tunnels->len, ==, 2);
      g_assert_true (g_str_has_prefix (g_ptr_array_index (tunnels, 1), cases[i].tunnel));
    }
}

static void
test_bad_redirect (void)
{
  static const char * const headers[] = {
    "Location: http://localhost/elsewhere\r\n",
    "Location: HTTP://localhost/elsewhere\r\n",
    "Location: file:///etc/passwd\r\n",
    "Location: data:text/xml,x\r\n",
    "Location: https:///elsewhere\r\n",
    "Location: https://alice:secret@localhost/elsewhere\r\n",
    "Location: https://[::1/elsewhere\r\n",
    "Location: https://h%2525/elsewhere\r\n",
    "Location: https://alice%40localhost/elsewhere\r\n",
    "Location: https://[::1%25lo]/elsewhere\r\n",
    "Location: \r\n",
    "",
  };

  g_test_summary ("R124 (XEP-0156 §2): redirects to anything but https are not followed");

  for (gsize i = 0; i < G_N_ELEMENTS (headers); i++)
    {
      const BoshTestPage pages[] = {
        { BOSH_TEST_XML_PATH, 302, headers[i], "" },
        { BOSH_TEST_JSON_PATH, 302, headers[i], "" },
        { "/elsewhere", 200, NULL, BOSH_TEST_XRD ("https://x.example/bosh") },
        { NULL },
      };
      g_auto(BoshTestSite) site = { 0 };
      g_autoptr(BoshDiscovery) discovery = NULL;
      GPtrArray *tunnels;

      bosh_test_site_init (&site, tls, NULL, pages);
      discovery = new_discovery (&site, NULL, NULL);
      /* An empty one leads back, as often as it is followed. */
      assert_failed (discovery, BOSH_ERROR, BOSH_ERROR_DISCOVERY_FAILED,
                     g_str_equal (headers[i], "Location: \r\n") ? "edirect" : "redirect to an address");
      tunnels = bosh_test_proxy_get_requests (site.proxy);
      for (guint k = 0; k < tunnels->len; k++)
        g_assert_true (g_str_has_prefix (g_ptr_array_index (tunnels, k), "CONNECT localhost:443 "));
    }
}

static void
test_redirect_limit (void)
{
  static const BoshTestPage pages[] = {
    { BOSH_TEST_XML_PATH, 302, "Location: /1\r\n", "" },
    { "/1", 302, "Location: /2\r\n", "" },
    { "/2", 302, "Location: /3\r\n", "" },
    { "/3", 302, "Location: /4\r\n", "" },
    { "/4", 302, "Location: /5\r\n", "" },
    { "/5", 200, NULL, BOSH_TEST_XRD ("https://x.example/bosh") },
    { NULL },
  };
  static const BoshTestPage circle[] = {
    { BOSH_TEST_XML_PATH, 302, "Location: " BOSH_TEST_XML_PATH "\r\n", "" },
    { BOSH_TEST_JSON_PATH, 200, NULL, BOSH_TEST_JRD ("https://j.example/bosh") },
    { NULL },
  };
  g_auto(BoshTestSite) site = { 0 };
  g_auto(BoshTestSite) other_site = { 0 };
  g_autoptr(BoshDiscovery) discovery = NULL;
  g_autoptr(BoshDiscovery) other = NULL;

  g_test_summary ("R124 (XEP-0156 §2): five redirects are followed, the sixth is not");

  bosh_test_site_init (&site, tls, NULL, pages);
  discovery = new_discovery (&site, NULL, NULL);
  assert_found (discovery, "https://x.example/bosh");
  assert_requests (&site, BOSH_TEST_XML_PATH " /1 /2 /3 /4 /5");

  /* A circle, which comes to its end, and then the other document. */
  bosh_test_site_init (&other_site, tls, NULL, circle);
  other = new_discovery (&other_site, NULL, NULL);
  assert_found (other, "https://j.example/bosh");
  g_assert_cmpuint (bosh_test_server_get_requests (other_site.server)->len, ==, 6 + 1);
}

/* --- What a server may try --- */

static void
test_large (void)
{
  const gsize limit = 64 * 1024;
  g_autofree char *document = NULL;
  g_autofree char *larger = NULL;
  g_autofree char *chunked = NULL;
  gsize length = strlen (BOSH_TEST_XRD ("https://x.example/"));

  g_test_summary ("R125 (XEP-0156 §3): a document of 64 KiB is read, one of a byte more is given "
                  "up, whether its length is told or not");

  document = g_strdup_printf ("%s%*s", BOSH_TEST_XRD ("https://x.example/"), (int)(limit - length), "");
  g_assert_cmpuint (strlen (document), ==, limit);
  larger = g_strconcat (document, " ", NULL);
  chunked = g_strdup_printf ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "%zx\r\n%s\r\n%zx\r\n%s\r\n",
                             limit, document, limit, document);

  for (guint i = 0; i < 3; i++)
    {
      const BoshTestPage pages[] = {
        { BOSH_TEST_XML_PATH, i == 2 ? 1 : 200, NULL, i == 0 ? document : (i == 1 ? larger : chunked) },
        { BOSH_TEST_JSON_PATH, 200, NULL, BOSH_TEST_JRD ("https://j.example/") },
        { NULL },
      };
      g_auto(BoshTestSite) site = { 0 };
      g_autoptr(BoshDiscovery) discovery = NULL;

      bosh_test_site_init (&site, tls, NULL, pages);
      discovery = new_discovery (&site, NULL, NULL);
      assert_found (discovery, i == 0 ? "https://x.example/" : "https://j.example/");
    }
}

static GBytes *
compress (const char *document)
{
  g_autoptr(GZlibCompressor) compressor = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
  char data[4096];
  gsize n_read;
  gsize n_written;

  g_assert_cmpint (g_converter_convert (G_CONVERTER (compressor), document, strlen (document),
                                        data, sizeof data, G_CONVERTER_INPUT_AT_END,
                                        &n_read, &n_written, NULL),
                   ==, G_CONVERTER_FINISHED);

  return g_bytes_new (data, n_written);
}

static void
test_compressed (void)
{
  g_autoptr(GBytes) data = compress (BOSH_TEST_XRD ("https://x.example/"));
  g_autofree char *head = g_strdup_printf ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                                           "Content-Length: %zu\r\n\r\n",
                                           g_bytes_get_size (data));
  const BoshTestPage pages[] = {
    { BOSH_TEST_XML_PATH, 1, NULL, head, data },
    { NULL },
  };
  g_auto(BoshTestSite) site = { 0 };
  g_autoptr(BoshDiscovery) discovery = NULL;

  g_test_summary ("A document that is compressed is decoded");

  bosh_test_site_init (&site, tls, NULL, pages);
  discovery = new_discovery (&site, NULL, NULL);
  assert_found (discovery, "https://x.example/");
}

static void
test_strange_responses (void)
{
  g_autofree char *informational = NULL;
  const struct
  {
    const char *response;
    const char *text;
  } cases[] = {
    { "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip, gzip\r\nContent-Length: 1\r\n\r\nx", "more than once" },
    { "HTTP/1.1 421 Misdirected\r\nContent-Length: 10\r\n\r\n", "HTTP status 421" },
    { "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 10\r\n\r\n", "HTTP status 401" },
    { "HTTP/1.1 204 Nothing\r\n\r\n", "HTTP status 204" },
    { "HTTP/1.1 300 Choose\r\nLocation: /\r\nContent-Length: 10\r\n\r\n", "HTTP status 300" },
    { NULL, "no final response" },
    { "GARBAGE\r\n\r\n", "not HTTP" },
  };
  GString *many = g_string_new (NULL);

  g_test_summary ("R125 (XEP-0156 §3): a response without an end is not waited for");

  for (guint i = 0; i < 40; i++)
    g_string_append (many, "HTTP/1.1 103 Wait\r\n\r\n");
  informational = g_string_free (many, FALSE);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *response = cases[i].response != NULL ? cases[i].response : informational;
      const BoshTestPage pages[] = {
        { BOSH_TEST_XML_PATH, 1, NULL, response },
        { BOSH_TEST_JSON_PATH, 1, NULL, response },
        { NULL },
      };
      g_auto(BoshTestSite) site = { 0 };
      g_autoptr(BoshDiscovery) discovery = NULL;

      bosh_test_site_init (&site, tls, NULL, pages);
      discovery = new_discovery (&site, NULL, NULL);
      assert_failed (discovery, BOSH_ERROR, BOSH_ERROR_DISCOVERY_FAILED, cases[i].text);
    }
}

static void
test_certificates (void)
{
  static const BoshTestPage pages[] = {
    { BOSH_TEST_XML_PATH, 200, NULL, BOSH_TEST_XRD ("https://x.example/bosh") },
    { NULL },
  };
  const struct
  {
    GTlsCertificate *certificate;
    const char *text;
  } cases[] = {
    { tls->untrusted, "unknown authority" },
    { tls->other_host, "another host" },
    { tls->expired, "expired" },
  };

  g_test_summary ("R124, R126 (XEP-0156 §2): a domain whose certificate can't be trusted is told "
                  "nothing, and nothing is taken from it");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(BoshTestSite) site = { 0 };
      g_autoptr(BoshDiscovery) discovery = NULL;

      bosh_test_site_init (&site, tls, cases[i].certificate, pages);
      discovery = new_discovery (&site, NULL, NULL);
      assert_failed (discovery, BOSH_ERROR, BOSH_ERROR_TLS, cases[i].text);
      g_assert_cmpuint (bosh_test_server_get_requests (site.server)->len, ==, 0);
    }
}

static void
test_certificate_of_redirect (void)
{
  /* The host that it leads to shows the certificate of localhost. */
  static const BoshTestPage pages[] = {
    { BOSH_TEST_XML_PATH, 302, "Location: https://other.example/elsewhere\r\n", "" },
    { "/elsewhere", 200, NULL, BOSH_TEST_XRD ("https://x.example/bosh") },
    { NULL },
  };
  g_auto(BoshTestSite) site = { 0 };
  g_autoptr(BoshDiscovery) discovery = NULL;

  g_test_summary ("R124, R126 (XEP-0156 §2): the certificate is verified after a redirect too, for "
                  "the host that it leads to");

  bosh_test_site_init (&site, tls, NULL, pages);
  discovery = new_discovery (&site, NULL, NULL);
  assert_failed (discovery, BOSH_ERROR, BOSH_ERROR_DISCOVERY_FAILED, "another host");
  assert_requests (&site, BOSH_TEST_XML_PATH " " BOSH_TEST_JSON_PATH);
}

/* --- Not reached, and given up --- */

static void
test_unreachable (void)
{
  static const BoshTestPage pages[] = { { NULL } };
  g_auto(BoshTestSite) site = { 0 };
  g_autoptr(BoshDiscovery) discovery = NULL;

  g_test_summary ("R124 (XEP-0156 §2): where the domain can't be asked, the error says why");

  bosh_test_site_init (&site, tls, NULL, pages);
  bosh_test_proxy_set_refusal (site.proxy, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
  discovery = new_discovery (&site, NULL, NULL);
  assert_failed (discovery, G_IO_ERROR, G_IO_ERROR_PROXY_FAILED, "403");
}

static void
test_bad_domain (void)
{
  static const char * const domains[] = { "", "a b", "example.org/x", "alice@example.org", "a:443",
                                         "h%25", NULL };
  static const BoshTestPage pages[] = { { NULL } };
  g_auto(BoshTestSite) site = { 0 };

  g_test_summary ("R124 (XEP-0156 §2): what can't be a host name is not asked");

  bosh_test_site_init (&site, tls, NULL, pages);
  for (gsize i = 0; i < G_N_ELEMENTS (domains); i++)
    {
      g_autoptr(BoshConnectionConfiguration) configuration = bosh_test_site_new_template (&site);
      g_autoptr(BoshDiscovery) discovery = g_object_new (BOSH_TYPE_DISCOVERY,
                                                          "domain", domains[i],
                                                          "configuration", configuration,
                                                          NULL);
      g_autoptr(GError) error = NULL;

      g_assert_null (look_up (discovery, &error));
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_JID);
    }
  g_assert_cmpuint (bosh_test_proxy_get_requests (site.proxy)->len, ==, 0);
}

static void
test_timeout (void)
{
  static const BoshTestPage pages[] = {
    { BOSH_TEST_XML_PATH, 0, NULL, NULL },
    { BOSH_TEST_JSON_PATH, 200, NULL, BOSH_TEST_JRD ("https://j.example/") },
    { NULL },
  };
  g_auto(BoshTestSite) site = { 0 };
  g_autoptr(BoshDiscovery) discovery = NULL;

  g_test_summary ("R125 (XEP-0156 §3): a domain that does not respond is given up in time");

  bosh_test_site_init (&site, tls, NULL, pages);
  discovery = new_discovery (&site, "timeout", GUINT_TO_POINTER (1));
  g_assert_cmpuint (bosh_discovery_get_timeout (discovery), ==, 1);
  assert_failed (discovery, BOSH_ERROR, BOSH_ERROR_TIMED_OUT, "in time");
  bosh_test_wait (bosh_test_server_get_n_closed (site.server) ==
                  bosh_test_server_get_n_accepted (site.server));
}

static void
test_cancel (void)
{
  static const BoshTestPage pages[] = {
    { BOSH_TEST_XML_PATH, 302, "Location: /slow\r\n", "" },
    { "/slow", 1, NULL, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<XRD" },
    { NULL },
  };

  g_test_summary ("R125 (XEP-0156 §3): a lookup is given up at any moment, and closes what it opened");

  for (guint n_requests = 0; n_requests <= 2; n_requests++)
    {
      g_auto(BoshTestSite) site = { 0 };
      g_autoptr(BoshDiscovery) discovery = NULL;
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;

      bosh_test_site_init (&site, tls, NULL, pages);
      discovery = new_discovery (&site, NULL, NULL);
      bosh_discovery_lookup_async (discovery, cancellable, bosh_test_keep_result, &result);
      bosh_test_wait (bosh_test_server_get_requests (site.server)->len == n_requests);
      g_cancellable_cancel (cancellable);
      bosh_test_wait (result != NULL);
      g_assert_null (bosh_discovery_lookup_finish (discovery, result, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_object (&result);

      bosh_test_wait (bosh_test_server_get_n_closed (site.server) ==
                      bosh_test_server_get_n_accepted (site.server));
      g_assert_finalize_object (g_steal_pointer (&discovery));
    }
}

static void
test_cancelled_before (void)
{
  static const BoshTestPage pages[] = { { NULL } };
  g_auto(BoshTestSite) site = { 0 };
  g_autoptr(BoshDiscovery) discovery = NULL;
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("R125 (XEP-0156 §3): what was cancelled before asks nothing");

  bosh_test_site_init (&site, tls, NULL, pages);
  discovery = new_discovery (&site, NULL, NULL);
  g_cancellable_cancel (cancellable);
  bosh_discovery_lookup_async (discovery, cancellable, bosh_test_keep_result, &result);
  bosh_test_wait (result != NULL);
  g_assert_null (bosh_discovery_lookup_finish (discovery, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (bosh_test_proxy_get_requests (site.proxy)->len, ==, 0);
}

/* --- DNS --- */

/* Counts questions for other records than addresses. */
typedef struct
{
  GResolver parent_instance;
  guint n_asked;
} TestResolver;

typedef GResolverClass TestResolverClass;

static GType test_resolver_get_type (void);
G_DEFINE_TYPE (TestResolver, test_resolver, G_TYPE_RESOLVER)

static void
test_resolver_lookup_records_async (GResolver           *resolver,
                                    const char          *name,
                                    GResolverRecordType  type,
                                    GCancellable        *cancellable,
                                    GAsyncReadyCallback  callback,
                                    gpointer             user_data)
{
  g_autoptr(GTask) task = g_task_new (resolver, cancellable, callback, user_data);

  ((TestResolver *)resolver)->n_asked++;
  g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "no such record");
}

static GList *
test_resolver_lookup_records_finish (GResolver     *resolver,
                                     GAsyncResult  *result,
                                     GError       **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
test_resolver_class_init (TestResolverClass *klass)
{
  klass->lookup_records_async = test_resolver_lookup_records_async;
  klass->lookup_records_finish = test_resolver_lookup_records_finish;
}

static void
test_resolver_init (TestResolver *self)
{
}

static void
test_dns (void)
{
  static const BoshTestPage pages[] = { { NULL } };
  g_autoptr(GResolver) before = g_resolver_get_default ();
  g_autoptr(GResolver) resolver = g_object_new (test_resolver_get_type (), NULL);
  g_auto(BoshTestSite) site = { 0 };
  g_autoptr(BoshDiscovery) discovery = NULL;

  g_test_summary ("R124, R127 (XEP-0156 §2, §4): DNS is not asked for TXT records");

  g_resolver_set_default (resolver);
  bosh_test_site_init (&site, tls, NULL, pages);
  discovery = new_discovery (&site, NULL, NULL);
  assert_failed (discovery, BOSH_ERROR, BOSH_ERROR_DISCOVERY_FAILED, BOSH_TEST_JSON_PATH);
  g_assert_cmpuint (((TestResolver *)resolver)->n_asked, ==, 0);
  g_resolver_set_default (before);
}

static void
test_international (void)
{
  static const BoshTestPage pages[] = { { NULL } };
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(BoshDiscovery) discovery = NULL;
  g_auto(BoshTestSite) site = { 0 };
  GPtrArray *tunnels;

  g_test_summary ("R124 (XEP-0156 §2): an internationalised domain is asked for in ASCII");

  bosh_test_site_init (&site, tls, NULL, pages);
  configuration = bosh_test_site_new_template (&site);
  discovery = bosh_discovery_new ("b\303\274cher.example", configuration);
  /* The certificate is for another host. */
  assert_failed (discovery, BOSH_ERROR, BOSH_ERROR_TLS, "https://xn--bcher-kva.example/");
  tunnels = bosh_test_proxy_get_requests (site.proxy);
  g_assert_true (g_str_has_prefix (g_ptr_array_index (tunnels, 0),
                                   "CONNECT xn--bcher-kva.example:443 "));
}

/* --- The object --- */

static void
test_properties (void)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(BoshConnectionConfiguration) same = NULL;
  g_autoptr(BoshDiscovery) discovery = NULL;
  g_autofree char *domain = NULL;
  guint timeout;

  g_test_summary ("R127 (XEP-0156 §1): the defaults, and what is given at construction");

  discovery = bosh_discovery_new ("example.org", NULL);
  g_assert_cmpstr (bosh_discovery_get_domain (discovery), ==, "example.org");
  g_assert_nonnull (bosh_discovery_get_configuration (discovery));
  g_assert_cmpuint (bosh_discovery_get_timeout (discovery), ==, 20);
  g_assert_finalize_object (g_steal_pointer (&discovery));

  configuration = bosh_connection_configuration_new ("http://ignored/", NULL);
  discovery = g_object_new (BOSH_TYPE_DISCOVERY,
                            "domain", "example.org",
                            "configuration", configuration,
                            "timeout", 3600,
                            NULL);
  g_object_get (discovery,
                "domain", &domain,
                "configuration", &same,
                "timeout", &timeout,
                NULL);
  g_assert_cmpstr (domain, ==, "example.org");
  g_assert_true (same == configuration);
  g_assert_cmpuint (timeout, ==, 3600);
}

static gpointer
look_up_in_thread (gpointer data)
{
  g_autoptr(GMainContext) context = g_main_context_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GPtrArray) found = NULL;
  BoshDiscovery *discovery = data;

  g_main_context_push_thread_default (context);
  bosh_discovery_lookup_async (discovery, NULL, bosh_test_keep_result, &result);
  while (result == NULL)
    g_main_context_iteration (context, TRUE);
  found = bosh_discovery_lookup_finish (discovery, result, NULL);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);

  return found != NULL ? join_uris (found) : NULL;
}

static void
test_thread (void)
{
  static const BoshTestPage pages[] = {
    { BOSH_TEST_JSON_PATH, 200, NULL, BOSH_TEST_JRD ("https://j.example/bosh") },
    { NULL },
  };
  g_auto(BoshTestSite) site = { 0 };
  g_autoptr(BoshDiscovery) discovery = NULL;
  g_autofree char *uris = NULL;
  GThread *thread;

  g_test_summary ("R125 (XEP-0156 §3): a lookup runs in the context of its caller");

  bosh_test_site_init (&site, tls, NULL, pages);
  discovery = new_discovery (&site, NULL, NULL);
  thread = g_thread_new ("lookup", look_up_in_thread, discovery);
  bosh_test_wait (bosh_test_server_get_requests (site.server)->len == 2);
  bosh_test_wait (bosh_test_server_get_n_closed (site.server) == 2);
  uris = g_thread_join (thread);
  g_assert_cmpstr (uris, ==, "https://j.example/bosh");
}

int
main (int   argc,
      char *argv[])
{
  int status;

  g_test_init (&argc, &argv, NULL);
  tls = bosh_test_tls_new ();

  g_test_add_func ("/bosh/discovery/formats", test_formats);
  g_test_add_func ("/bosh/discovery/several", test_several);
  g_test_add_func ("/bosh/discovery/nothing", test_nothing);
  g_test_add_func ("/bosh/discovery/redirect", test_redirect);
  g_test_add_func ("/bosh/discovery/bad-redirect", test_bad_redirect);
  g_test_add_func ("/bosh/discovery/redirect-limit", test_redirect_limit);
  g_test_add_func ("/bosh/discovery/large", test_large);
  g_test_add_func ("/bosh/discovery/compressed", test_compressed);
  g_test_add_func ("/bosh/discovery/strange-responses", test_strange_responses);
  g_test_add_func ("/bosh/discovery/certificates", test_certificates);
  g_test_add_func ("/bosh/discovery/certificate-of-redirect", test_certificate_of_redirect);
  g_test_add_func ("/bosh/discovery/unreachable", test_unreachable);
  g_test_add_func ("/bosh/discovery/bad-domain", test_bad_domain);
  g_test_add_func ("/bosh/discovery/timeout", test_timeout);
  g_test_add_func ("/bosh/discovery/cancel", test_cancel);
  g_test_add_func ("/bosh/discovery/cancelled-before", test_cancelled_before);
  g_test_add_func ("/bosh/discovery/dns", test_dns);
  g_test_add_func ("/bosh/discovery/international", test_international);
  g_test_add_func ("/bosh/discovery/properties", test_properties);
  g_test_add_func ("/bosh/discovery/thread", test_thread);

  status = g_test_run ();
  bosh_test_tls_free (tls);

  return status;
}
