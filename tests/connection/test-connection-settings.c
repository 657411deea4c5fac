/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What each property of a configuration changes in requests and connections. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-http.h"
#include "bosh-test-tls.h"
#include "bosh-test-wire.h"

#include <string.h>

#define NS_HTTPBIND "http://jabber.org/protocol/httpbind"
#define NS_XBOSH "urn:xmpp:xbosh"
#define NS_XML "http://www.w3.org/XML/1998/namespace"

static BoshTestTls *tls;

/* The creation request that a configuration leads to. A session is opened with it
 * and ended. @configuration is taken. */
static BoshTestExchange *
create (BoshTestManager             *manager,
        BoshConnectionConfiguration *configuration)
{
  g_auto(BoshTestWire) wire = { NULL };
  guint first = bosh_test_manager_get_exchanges (manager)->len;

  bosh_test_wire_init (&wire, manager, configuration);
  bosh_test_wire_connect (&wire);
  bosh_test_wire_disconnect (&wire);

  return g_ptr_array_index (bosh_test_manager_get_exchanges (manager), first);
}

static BoshTestManager *
new_automatic (void)
{
  BoshTestManager *manager = bosh_test_manager_new (NULL);

  bosh_test_manager_set_automatic (manager, TRUE);

  return manager;
}

static void
assert_attribute (BoshTestExchange *exchange,
                  const char       *name,
                  const char       *expected)
{
  g_assert_cmpstr (bosh_test_exchange_get_attribute (exchange, name), ==, expected);
}

/* @expected: NULL if there must be no such header. */
static void
assert_header (BoshTestExchange *exchange,
               const char       *name,
               const char       *expected)
{
  g_autofree char *value = bosh_test_exchange_dup_header (exchange, name);

  g_assert_cmpstr (value, ==, expected);
}

static const char *
get_language (BoshTestExchange *exchange)
{
  return bosh_element_get_attribute_ns (bosh_test_exchange_get_body (exchange), "lang", NS_XML);
}

static void
test_language (void)
{
  static const char * const cases[][2] = {
    { "C", "en" },
    { "C.UTF-8", "en" },
    { "POSIX", "en" },
    { "de_AT.UTF-8@euro", "de-AT" },
    { "pt_BR", "pt-BR" },
  };
  g_autoptr(BoshTestManager) manager = new_automatic ();

  g_test_summary ("R20 (XEP-0124 §7.1): xml:lang as configured, else as the locale says");

  g_unsetenv ("LANGUAGE");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_setenv ("LC_ALL", cases[i][0], TRUE);
      g_assert_cmpstr (get_language (create (manager, bosh_test_manager_configure (manager, NULL))),
                       ==, cases[i][1]);
      g_assert_cmpstr (get_language (create (manager,
                                             bosh_test_manager_configure (manager,
                                                                          "language", "eo",
                                                                          NULL))),
                       ==, "eo");
    }
  g_setenv ("LC_ALL", "C.UTF-8", TRUE);
}

static void
test_defaults (void)
{
  g_autoptr(BoshTestManager) manager = new_automatic ();
  BoshTestExchange *creation = create (manager, bosh_test_manager_configure (manager, NULL));
  BoshElement *body = bosh_test_exchange_get_body (creation);
  g_autofree char *host = g_strdup_printf ("127.0.0.1:%u", bosh_test_manager_get_port (manager));
  GBytes *bytes = bosh_test_exchange_get_bytes (creation);
  g_autofree char *length = g_strdup_printf ("%" G_GSIZE_FORMAT, g_bytes_get_size (bytes));

  g_test_summary ("XEP-0124 §5, §7.1: the creation request without any setting");

  g_assert_cmpstr (bosh_test_exchange_get_line (creation), ==, "POST /http-bind/ HTTP/1.1");
  assert_header (creation, "Host", host);
  assert_header (creation, "Content-Length", length);
  assert_header (creation, "Transfer-Encoding", NULL);
  assert_header (creation, "Content-Encoding", NULL);
  assert_header (creation, "Content-Type", "text/xml; charset=utf-8");
  assert_header (creation, "User-Agent", "bosh-glib/" PACKAGE_VERSION);

  g_assert_true (bosh_element_matches (body, "body", NS_HTTPBIND));
  g_assert_cmpuint (bosh_element_get_n_children (body), ==, 0);
  g_assert_cmpuint (bosh_test_exchange_get_rid (creation), >, 0);
  g_assert_cmpuint (bosh_test_exchange_get_rid (creation), <, G_GUINT64_CONSTANT (1) << 53);
  assert_attribute (creation, "to", "example.org");
  assert_attribute (creation, "ver", "1.11");
  assert_attribute (creation, "wait", "55");
  assert_attribute (creation, "hold", "1");
  assert_attribute (creation, "ack", "1");
  assert_attribute (creation, "sid", NULL);
  assert_attribute (creation, "from", NULL);
  assert_attribute (creation, "route", NULL);
  assert_attribute (creation, "key", NULL);
  assert_attribute (creation, "newkey", NULL);
  assert_attribute (creation, "content", NULL);
  g_assert_cmpstr (bosh_element_get_attribute_ns (body, "version", NS_XBOSH), ==, "1.0");
}

static void
test_only_at_creation (void)
{
  g_autoptr(BoshTestManager) manager = new_automatic ();
  static const char * const names[] = { "to", "wait", "hold", "ver", "from", "route", "newkey" };
  GPtrArray *exchanges;

  g_test_summary ("R24, R31 (XEP-0124 §7.1): the other requests have sid, and nothing of the creation");

  create (manager, bosh_test_manager_configure (manager,
                                                "from-jid", "romeo@example.org",
                                                "route", "xmpp:inner.example:5222",
                                                NULL));
  exchanges = bosh_test_manager_get_exchanges (manager);
  g_assert_cmpuint (exchanges->len, >=, 2);
  for (guint i = 1; i < exchanges->len; i++)
    {
      BoshTestExchange *exchange = g_ptr_array_index (exchanges, i);
      BoshElement *body = bosh_test_exchange_get_body (exchange);

      assert_attribute (exchange, "sid", "s1");
      for (guint j = 0; j < G_N_ELEMENTS (names); j++)
        assert_attribute (exchange, names[j], NULL);
      g_assert_null (get_language (exchange));
      g_assert_null (bosh_element_get_attribute_ns (body, "version", NS_XBOSH));
      g_assert_cmpuint (bosh_test_exchange_get_rid (exchange), ==,
                        bosh_test_exchange_get_rid (exchanges->pdata[0]) + i);
    }
}

static void
test_attributes (void)
{
  g_autoptr(BoshTestManager) manager = new_automatic ();
  BoshTestExchange *creation;

  g_test_summary ("R22, R23, R26-R28 (XEP-0124 §7.1): wait, hold, route, from and ack as configured");

  creation = create (manager,
                     bosh_test_manager_configure (manager,
                                                  "wait", 10,
                                                  "hold", 3,
                                                  "route", "xmpp:inner.example:5222",
                                                  "from-jid", "romeo@example.org",
                                                  "use-acknowledgements", FALSE,
                                                  NULL));
  assert_attribute (creation, "wait", "10");
  assert_attribute (creation, "hold", "3");
  assert_attribute (creation, "route", "xmpp:inner.example:5222");
  assert_attribute (creation, "from", "romeo@example.org");
  assert_attribute (creation, "ack", NULL);
}

static void
test_address (void)
{
  g_autoptr(BoshTestManager) manager = new_automatic ();
  guint port = bosh_test_manager_get_port (manager);
  g_autofree char *host = g_strdup_printf ("localhost:%u", port);
  BoshConnectionConfiguration *configuration;
  BoshTestExchange *creation;

  g_test_summary ("RFC 9112 §3: host name, port, path and query are where they belong");

  configuration = bosh_connection_configuration_new_for_host ("localhost", port,
                                                              "bosh/a b?x=1&y=%20", FALSE);
  creation = create (manager, configuration);
  assert_header (creation, "Host", host);
  g_assert_cmpstr (bosh_test_exchange_get_line (creation), ==,
                   "POST /bosh/a%20b?x=1&y=%20 HTTP/1.1");
}

static void
test_uri (void)
{
  g_autoptr(BoshTestManager) manager = new_automatic ();
  g_autoptr(GError) error = NULL;
  g_autofree char *uri = g_strdup_printf ("http://127.0.0.1:%u/some/where?a=b",
                                          bosh_test_manager_get_port (manager));
  BoshConnectionConfiguration *configuration;
  BoshTestExchange *creation;

  g_test_summary ("A URI is used as it is given");

  configuration = bosh_connection_configuration_new (uri, &error);
  g_assert_no_error (error);
  creation = create (manager, configuration);
  g_assert_cmpstr (bosh_test_exchange_get_line (creation), ==, "POST /some/where?a=b HTTP/1.1");
}

static void
test_headers (void)
{
  g_autoptr(BoshTestManager) manager = new_automatic ();
  BoshTestExchange *creation;

  g_test_summary ("XEP-0124 §5: User-Agent and Content-Type as configured; "
                  "an empty User-Agent is none");

  creation = create (manager, bosh_test_manager_configure (manager,
                                                           "user-agent", "balcony/1",
                                                           "request-content-type", "application/xml",
                                                           NULL));
  assert_header (creation, "User-Agent", "balcony/1");
  assert_header (creation, "Content-Type", "application/xml");

  creation = create (manager, bosh_test_manager_configure (manager, "user-agent", "", NULL));
  assert_header (creation, "User-Agent", NULL);
}

static void
assert_domain (BoshTestManager *manager,
               const char      *domain,
               const char      *prepared)
{
  g_autoptr(BoshConnectionConfiguration) configuration =
    bosh_test_manager_configure (manager, "from-jid", "Alice@Example.ORG", NULL);
  g_autoptr(BoshConnection) connection = bosh_connection_new (domain, configuration);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  BoshTestExchange *creation;

  g_assert_cmpstr (bosh_connection_get_domain (connection), ==, prepared);
  bosh_connection_connect_async (connection, NULL, bosh_test_keep_result, &result);
  bosh_connection_connect_finish (connection, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  creation = bosh_test_manager_take (manager);
  while (bosh_test_exchange_get_attribute (creation, "sid") != NULL)
    creation = bosh_test_manager_take (manager);
  g_assert_cmpstr (bosh_test_exchange_get_attribute (creation, "to"), ==, prepared);
  g_assert_cmpstr (bosh_test_exchange_get_attribute (creation, "from"), ==, "alice@example.org");

  g_clear_object (&result);
  bosh_connection_disconnect_async (connection, NULL, NULL, bosh_test_keep_result, &result);
  bosh_connection_disconnect_finish (connection, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
}

static void
test_domain (void)
{
  g_autoptr(BoshTestManager) manager = new_automatic ();

  g_test_summary ("RFC 7622 §3.2: the domain is sent prepared, however it was written");

  assert_domain (manager, "Example.ORG.", "example.org");
  assert_domain (manager, "XN--MNCHEN-3YA.example", "m\xc3\xbcnchen.example");
  assert_domain (manager, "M\xc3\x9cNCHEN.example", "m\xc3\xbcnchen.example");
}

static void
assert_not_opened (BoshConnection *connection,
                   BoshError       code)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  bosh_connection_connect_async (connection, NULL, bosh_test_keep_result, &result);
  g_assert_false (bosh_connection_connect_finish (connection, bosh_test_wait_for (&result),
                                                  &error));
  bosh_test_assert_failure (&error, BOSH_ERROR, (int)code);
  g_clear_object (&result);
  bosh_test_run_dry ();
  g_assert_finalize_object (connection);
}

static void
assert_not_attached (BoshConnection *connection)
{
  g_autoptr(BoshSavedSession) session =
    bosh_saved_session_new ("http://localhost/", "alice@example.org/a", "s1", 7, NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  bosh_connection_attach_async (connection, session, NULL, bosh_test_keep_result, &result);
  g_assert_false (bosh_connection_attach_finish (connection, bosh_test_wait_for (&result),
                                                 &error));
  bosh_test_assert_failure (&error, BOSH_ERROR, BOSH_ERROR_INVALID_URI);
  g_clear_object (&result);
  bosh_test_run_dry ();
  g_assert_finalize_object (connection);
}

static void
test_no_domain (void)
{
  static const char * const domains[] = { "", "a b", "alice@example.org", "example.org/x", "a..b" };
  g_autoptr(BoshTestManager) manager = new_automatic ();

  g_test_summary ("RFC 7622 §3.2: what is no domain is refused before anything is sent");

  for (gsize i = 0; i < G_N_ELEMENTS (domains); i++)
    {
      g_autoptr(BoshConnectionConfiguration) configuration = bosh_test_manager_configure (manager, NULL);
      BoshConnection *connection = bosh_connection_new (domains[i], configuration);

      g_assert_cmpstr (bosh_connection_get_domain (connection), ==, domains[i]);
      assert_not_opened (connection, BOSH_ERROR_INVALID_JID);
    }
  g_assert_false (bosh_test_manager_has_request (manager));
}

static void
test_no_address (void)
{
  static const char * const uris[] = { NULL, "", "localhost", "ftp://localhost/", "http://h%25/" };

  g_test_summary ("A connection does not guess where the connection manager is, and a URI that "
                  "can't be used is an error");

  for (gsize i = 0; i < G_N_ELEMENTS (uris); i++)
    {
      g_autoptr(BoshConnectionConfiguration) configuration = NULL;

      configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                    "uri", uris[i], "wait", 30, NULL);
      assert_not_opened (bosh_connection_new ("example.org", configuration), BOSH_ERROR_INVALID_URI);
      assert_not_attached (bosh_connection_new ("example.org", configuration));
    }
  /* A binding can leave out what bosh_connection_new() asks for. */
  assert_not_opened (g_object_new (BOSH_TYPE_CONNECTION, "domain", "example.org", NULL),
                     BOSH_ERROR_INVALID_URI);
  assert_not_opened (g_object_new (BOSH_TYPE_CONNECTION, NULL), BOSH_ERROR_INVALID_URI);
}

static void
test_no_configuration (void)
{
  g_test_summary ("bosh_connection_new() requires a configuration");

  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*CONFIGURATION*");
  g_assert_null (bosh_connection_new ("example.org", NULL));
  g_test_assert_expected_messages ();
}

/* Follows the keys through all requests; returns how often the sequence was
 * switched. */
static guint
check_keys (GPtrArray *exchanges)
{
  g_autofree char *next = NULL;
  guint n_switches = 0;

  for (guint i = 0; i < exchanges->len; i++)
    {
      BoshTestExchange *exchange = g_ptr_array_index (exchanges, i);
      const char *key = bosh_test_exchange_get_attribute (exchange, "key");
      const char *new_key = bosh_test_exchange_get_attribute (exchange, "newkey");

      if (i == 0)
        {
          g_assert_null (key);
          g_assert_nonnull (new_key);
        }
      else
        {
          g_autofree char *digest = NULL;

          g_assert_nonnull (key);
          digest = g_compute_checksum_for_string (G_CHECKSUM_SHA1, key, -1);
          g_assert_cmpstr (digest, ==, next);
          n_switches += new_key != NULL ? 1 : 0;
        }

      g_assert_cmpuint (strlen (new_key != NULL ? new_key : key), ==, 40);
      g_free (next);
      next = g_strdup (new_key != NULL ? new_key : key);
    }

  return n_switches;
}

static void
test_key_sequence (void)
{
  static const guint lengths[] = { 0, 1, 2, 3, 8 };

  g_test_summary ("XEP-0124 §15.4, §15.5: each request has the next key, and the last key of "
                  "a sequence comes with the first of another");

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_autoptr(BoshTestManager) manager = new_automatic ();
      g_auto(BoshTestWire) wire = { NULL };
      GPtrArray *exchanges = bosh_test_manager_get_exchanges (manager);
      guint length = MAX (lengths[i], 2);

      bosh_test_wire_init (&wire, manager,
                           bosh_test_manager_configure (manager,
                                                        "use-key-sequence", TRUE,
                                                        "key-sequence-length", lengths[i],
                                                        NULL));
      bosh_test_wire_connect (&wire);
      while (exchanges->len < 20)
        {
          guint before = exchanges->len;

          bosh_test_wire_send (&wire, "x");
          bosh_test_await (exchanges->len > before);
        }
      bosh_test_wire_disconnect (&wire);

      /* The first key opens the sequence, so one less than its length remains. */
      g_assert_cmpuint (check_keys (exchanges), ==,
                        lengths[i] == 0 ? 0 : (exchanges->len - 1) / (length - 1));
    }
}

static void
test_max_request_size (void)
{
  g_autoptr(BoshTestManager) manager = new_automatic ();
  g_auto(BoshTestWire) wire = { NULL };
  g_autofree char *text = g_strnfill (1000, 'x');
  g_autofree char *long_text = g_strnfill (4096, 'x');
  g_autoptr(BoshElement) large = bosh_element_new_message (NULL, NULL, long_text);
  g_autoptr(BoshElement) last = bosh_element_new_message (NULL, NULL, text);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  GPtrArray *exchanges = bosh_test_manager_get_exchanges (manager);
  guint n_messages = 0;

  g_test_summary ("No request is over max-request-size; a stanza that does not fit is refused");

  bosh_test_wire_init (&wire, manager,
                       bosh_test_manager_configure (manager,
                                                    "max-request-size", 4096,
                                                    "use-key-sequence", TRUE,
                                                    NULL));
  bosh_test_wire_connect (&wire);
  for (guint i = 0; i < 21; i++)
    bosh_test_wire_send (&wire, text);
  g_assert_false (bosh_connection_send (wire.connection, large, &error));
  bosh_test_assert_failure (&error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  g_assert_false (bosh_element_is_sealed (large));
  g_assert_cmpuint (bosh_connection_get_n_stanzas_queued (wire.connection), ==, 21);
  bosh_connection_disconnect_async (wire.connection, large, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_fails (&wire, &result, bosh_connection_disconnect_finish,
                        BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  bosh_connection_disconnect_async (wire.connection, last, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_disconnect_finish);

  for (guint i = 0; i < exchanges->len; i++)
    {
      BoshTestExchange *exchange = g_ptr_array_index (exchanges, i);

      g_assert_cmpuint (g_bytes_get_size (bosh_test_exchange_get_bytes (exchange)), <=, 4096);
      n_messages += bosh_element_get_n_children (bosh_test_exchange_get_body (exchange));
    }
  g_assert_cmpuint (n_messages, ==, 22);
  /* Three stanzas fit into a request. */
  g_assert_cmpuint (exchanges->len, <=, 2 + 22 / 3 + 1);
}

static void
test_smallest_request_size (void)
{
  g_autoptr(BoshTestManager) manager = new_automatic ();
  g_auto(BoshTestWire) wire = { NULL };
  GPtrArray *exchanges = bosh_test_manager_get_exchanges (manager);
  g_autofree char *text = g_strnfill (400, 'x');
  guint n_messages = 0;

  g_test_summary ("The smallest max-request-size lets stanzas of some hundred bytes pass");

  bosh_test_wire_init (&wire, manager,
                       bosh_test_manager_configure (manager,
                                                    "max-request-size", 1024,
                                                    "use-key-sequence", TRUE,
                                                    "key-sequence-length", 2,
                                                    NULL));
  bosh_test_wire_connect (&wire);
  for (guint i = 0; i < 5; i++)
    bosh_test_wire_send (&wire, text);
  bosh_test_wire_disconnect (&wire);

  for (guint i = 0; i < exchanges->len; i++)
    {
      BoshTestExchange *exchange = g_ptr_array_index (exchanges, i);

      g_assert_cmpuint (g_bytes_get_size (bosh_test_exchange_get_bytes (exchange)), <=, 1024);
      n_messages += bosh_element_get_n_children (bosh_test_exchange_get_body (exchange));
    }
  g_assert_cmpuint (n_messages, ==, 5);
}

static void
test_max_response_size (void)
{
  g_autoptr(BoshTestManager) manager = new_automatic ();
  g_autofree char *text = g_strnfill (1024, ' ');
  g_auto(BoshTestWire) wire = { NULL };
  g_auto(BoshTestWire) generous = { NULL };

  g_test_summary ("A response over max-response-size ends the session");

  bosh_test_manager_set_grants (manager, BOSH_TEST_GRANTS, text);
  bosh_test_wire_init (&wire, manager,
                       bosh_test_manager_configure (manager,
                                                    "max-response-size", 1024,
                                                    NULL));
  bosh_test_wire_fail (&wire, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);

  bosh_test_wire_init (&generous, manager,
                       bosh_test_manager_configure (manager,
                                                    "max-response-size", 2048,
                                                    NULL));
  bosh_test_wire_connect (&generous);
  bosh_test_wire_disconnect (&generous);
}

/* --- Proxies and TLS --- */

static void
test_http_proxy (void)
{
  g_autoptr(BoshTestProxy) proxy = bosh_test_proxy_new (BOSH_TEST_PROXY_HTTP);
  g_autoptr(GProxyResolver) resolver = bosh_test_proxy_new_resolver (proxy);
  g_autoptr(BoshTestManager) manager = new_automatic ();
  g_autofree char *line = g_strdup_printf ("POST http://127.0.0.1:%u/http-bind/ HTTP/1.1\r\n",
                                           bosh_test_manager_get_port (manager));
  GPtrArray *requests = bosh_test_proxy_get_requests (proxy);

  g_test_summary ("RFC 9112 §3.2.2: http goes through a proxy in absolute form");

  create (manager, bosh_test_manager_configure (manager, "proxy-resolver", resolver, NULL));
  g_assert_cmpuint (requests->len, >=, 1);
  g_assert_true (g_str_has_prefix (requests->pdata[0], line));
}

static void
test_connect_proxy (void)
{
  g_autoptr(BoshTestProxy) proxy = bosh_test_proxy_new (BOSH_TEST_PROXY_HTTP);
  g_autoptr(GProxyResolver) resolver = bosh_test_proxy_new_resolver (proxy);
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (tls->server);
  g_autofree char *line = g_strdup_printf ("CONNECT 127.0.0.1:%u HTTP/1.",
                                           bosh_test_manager_get_port (manager));
  GPtrArray *requests = bosh_test_proxy_get_requests (proxy);

  g_test_summary ("RFC 9110 §9.3.6: https goes through a proxy by CONNECT");

  bosh_test_manager_set_automatic (manager, TRUE);
  create (manager, bosh_test_manager_configure_secure (manager,
                                                       "tls-database", tls->database,
                                                       "proxy-resolver", resolver,
                                                       NULL));
  g_assert_cmpuint (requests->len, >=, 1);
  g_assert_true (g_str_has_prefix (requests->pdata[0], line));
}

static void
test_socks_proxy (void)
{
  g_autoptr(BoshTestProxy) proxy = bosh_test_proxy_new (BOSH_TEST_PROXY_SOCKS5);
  g_autoptr(GProxyResolver) resolver = bosh_test_proxy_new_resolver (proxy);
  g_autoptr(BoshTestManager) manager = new_automatic ();
  g_autofree char *target = g_strdup_printf ("localhost:%u", bosh_test_manager_get_port (manager));
  g_autofree char *uri = g_strdup_printf ("http://%s/", target);
  GPtrArray *requests = bosh_test_proxy_get_requests (proxy);

  g_test_summary ("RFC 1928: the host name is left to a SOCKS proxy");

  create (manager, g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                 "uri", uri,
                                 "proxy-resolver", resolver,
                                 NULL));
  g_assert_cmpuint (requests->len, >=, 1);
  g_assert_cmpstr (requests->pdata[0], ==, target);
}

static void
test_tls (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (tls->server);
  g_auto(BoshTestWire) wire = { NULL };

  g_test_summary ("XEP-0124 §19.1: https with a private authority, which must be configured");

  bosh_test_manager_set_automatic (manager, TRUE);
  create (manager, bosh_test_manager_configure_secure (manager,
                                                       "tls-database", tls->database,
                                                       NULL));

  bosh_test_wire_init (&wire, manager, bosh_test_manager_configure_secure (manager, NULL));
  bosh_test_wire_fail (&wire, BOSH_ERROR, BOSH_ERROR_TLS);
}

static void
test_client_certificate (void)
{
  g_autoptr(BoshTestManager) manager = new_automatic ();
  g_autoptr(BoshTestNginx) nginx = NULL;
  g_autofree char *location = NULL;
  g_autofree char *uri = NULL;

  g_test_summary ("RFC 8446 §4.4.2: a server that asks gets the configured certificate");

  location = g_strdup_printf ("proxy_pass http://127.0.0.1:%u;"
                              "proxy_set_header X-Client $ssl_client_verify:$ssl_client_s_dn;",
                              bosh_test_manager_get_port (manager));
  nginx = bosh_test_nginx_new (tls, location);
  if (nginx == NULL)
    return;

  uri = g_strdup_printf ("https://127.0.0.1:%u/", bosh_test_nginx_get_port (nginx));
  assert_header (create (manager, g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                                "uri", uri,
                                                "tls-database", tls->database,
                                                "tls-certificate", tls->client,
                                                NULL)),
                 "X-Client", "SUCCESS:CN=romeo");
  assert_header (create (manager, g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                                "uri", uri,
                                                "tls-database", tls->database,
                                                NULL)),
                 "X-Client", "NONE:");
}

static void
test_gateway (void)
{
  g_autoptr(BoshTestManager) manager = new_automatic ();
  g_autoptr(BoshTestNginx) nginx = NULL;
  g_autofree char *location = NULL;
  g_autofree char *uri = NULL;
  g_auto(BoshTestWire) wire = { NULL };

  g_test_summary ("RFC 7617: a gateway that wants a password gets it; without it, the error says so");

  location = g_strdup_printf ("if ($http_authorization != \"Basic cm9tZW86czNjcmV0\") { return 401; }"
                              "proxy_pass http://127.0.0.1:%u;",
                              bosh_test_manager_get_port (manager));
  nginx = bosh_test_nginx_new (tls, location);
  if (nginx == NULL)
    return;

  uri = g_strdup_printf ("https://127.0.0.1:%u/", bosh_test_nginx_get_port (nginx));
  assert_header (create (manager, g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                                "uri", uri,
                                                "tls-database", tls->database,
                                                "http-username", "romeo",
                                                "http-password", "s3cret",
                                                NULL)),
                 "Authorization", "Basic cm9tZW86czNjcmV0");

  bosh_test_wire_init (&wire, manager,
                       g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                     "uri", uri, "tls-database", tls->database, NULL));
  bosh_test_wire_fail (&wire, BOSH_ERROR, BOSH_ERROR_HTTP);
  g_assert_cmpuint (bosh_connection_get_http_status (wire.connection), ==, 401);
}

static void
ignore_request (BoshTestPeer          *peer,
                const BoshTestRequest *request,
                gpointer               user_data)
{
}

static void
test_connect_timeout (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (tls->server, ignore_request, NULL);
  g_auto(BoshTestWire) wire = { NULL };

  g_test_summary ("A connection that is not up in connect-timeout fails");

  bosh_test_server_set_reading (server, FALSE);
  bosh_test_wire_init (&wire, NULL,
                       g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                     "uri", bosh_test_server_get_uri (server, TRUE),
                                     "connect-timeout", 1,
                                     NULL));
  bosh_test_wire_fail (&wire, BOSH_ERROR, BOSH_ERROR_TIMED_OUT);
}

int
main (int   argc,
      char *argv[])
{
  int status;

  g_test_init (&argc, &argv, NULL);
  tls = bosh_test_tls_new ();

  g_test_add_func ("/bosh/connection-settings/language", test_language);
  g_test_add_func ("/bosh/connection-settings/defaults", test_defaults);
  g_test_add_func ("/bosh/connection-settings/only-at-creation", test_only_at_creation);
  g_test_add_func ("/bosh/connection-settings/attributes", test_attributes);
  g_test_add_func ("/bosh/connection-settings/address", test_address);
  g_test_add_func ("/bosh/connection-settings/uri", test_uri);
  g_test_add_func ("/bosh/connection-settings/headers", test_headers);
  g_test_add_func ("/bosh/connection-settings/domain", test_domain);
  g_test_add_func ("/bosh/connection-settings/no-domain", test_no_domain);
  g_test_add_func ("/bosh/connection-settings/no-address", test_no_address);
  g_test_add_func ("/bosh/connection-settings/no-configuration", test_no_configuration);
  g_test_add_func ("/bosh/connection-settings/key-sequence", test_key_sequence);
  g_test_add_func ("/bosh/connection-settings/max-request-size", test_max_request_size);
  g_test_add_func ("/bosh/connection-settings/smallest-request-size", test_smallest_request_size);
  g_test_add_func ("/bosh/connection-settings/max-response-size", test_max_response_size);
  g_test_add_func ("/bosh/connection-settings/http-proxy", test_http_proxy);
  g_test_add_func ("/bosh/connection-settings/connect-proxy", test_connect_proxy);
  g_test_add_func ("/bosh/connection-settings/socks-proxy", test_socks_proxy);
  g_test_add_func ("/bosh/connection-settings/tls", test_tls);
  g_test_add_func ("/bosh/connection-settings/client-certificate", test_client_certificate);
  g_test_add_func ("/bosh/connection-settings/gateway", test_gateway);
  g_test_add_func ("/bosh/connection-settings/connect-timeout", test_connect_timeout);

  status = g_test_run ();
  bosh_test_tls_free (tls);

  return status;
}
