/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the requests of a connection reach the server: redirects, compression,
 * HTTP/2, and what happens when the machine was asleep. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-tls.h"
#include "bosh-test-wire.h"

#include "bosh-sleep-watch-private.h"

#include <string.h>

static BoshTestTls *tls;

static char *
dup_uri (BoshTestManager *manager,
         const char      *scheme)
{
  return g_strdup_printf ("%s://127.0.0.1:%u/elsewhere", scheme, bosh_test_manager_get_port (manager));
}

/* Opens a session that @first redirects to @second. */
static void
follow (BoshTestManager             *first,
        BoshTestManager             *second,
        BoshConnectionConfiguration *configuration,
        const char                  *location,
        gboolean                     by_http)
{
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) detaching = NULL;
  g_autoptr(BoshSavedSession) detached = NULL;
  g_autofree char *header = g_strdup_printf ("Location: %s\r\n", location);
  g_autofree char *uri = g_strdup_printf ("<uri>%s</uri>", location);
  BoshTestExchange *exchange;

  bosh_test_wire_init (&wire, first, configuration);
  bosh_connection_connect_async (wire.connection, NULL, bosh_test_keep_result, &result);
  exchange = bosh_test_manager_take (first);
  if (by_http)
    bosh_test_exchange_reply (exchange, 308, header, "moved");
  else
    bosh_test_exchange_respond (exchange, "type='terminate' condition='see-other-uri'", uri);

  exchange = bosh_test_manager_take (second);
  g_assert_cmpstr (bosh_test_exchange_get_line (exchange), ==, "POST /elsewhere HTTP/1.1");
  bosh_test_exchange_respond (exchange, BOSH_TEST_GRANTS, "");
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_connect_finish);
  g_assert_cmpuint (bosh_connection_get_http_status (wire.connection), ==, 0);
  g_assert_cmpstr (bosh_connection_get_see_other_uri (wire.connection), ==,
                   by_http ? NULL : location);
  g_assert_cmpstr (bosh_test_exchange_get_attribute (bosh_test_manager_take (second), "sid"),
                   ==, "s1");

  bosh_connection_detach_async (wire.connection, NULL, bosh_test_keep_result, &detaching);
  bosh_test_await (detaching != NULL);
  detached = bosh_connection_detach_finish (wire.connection, detaching, NULL);
  g_assert_cmpstr (bosh_saved_session_get_uri (detached), ==, location);
}

static void
test_redirects (void)
{
  g_autoptr(BoshTestManager) first = bosh_test_manager_new (NULL);
  g_autoptr(BoshTestManager) second = bosh_test_manager_new (NULL);
  g_autofree char *location = dup_uri (second, "http");

  g_test_summary ("R90: a session is created where see-other-uri or a redirect leads, and "
                  "handed over with that URI");

  follow (first, second, NULL, location, FALSE);
  follow (first, second, NULL, location, TRUE);
}

/* A configuration for @manager with a user name and a password in the URI, and a header. */
static BoshConnectionConfiguration *
configure_secrets (BoshTestManager *manager)
{
  static const char * const headers[] = { "X-Token: t0ken", NULL };
  g_autofree char *uri = g_strdup_printf ("http://romeo:s3cret@127.0.0.1:%u/first",
                                          bosh_test_manager_get_port (manager));

  return g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                       "uri", uri, "request-headers", headers, NULL);
}

static void
assert_secrets (BoshTestManager *manager,
                gboolean         expected)
{
  GPtrArray *exchanges = bosh_test_manager_get_exchanges (manager);

  g_assert_cmpuint (exchanges->len, >, 0);
  for (guint i = 0; i < exchanges->len; i++)
    {
      g_autofree char *basic =
        bosh_test_exchange_dup_header (g_ptr_array_index (exchanges, i), "Authorization");
      g_autofree char *token =
        bosh_test_exchange_dup_header (g_ptr_array_index (exchanges, i), "X-Token");

      g_assert_cmpstr (basic, ==, expected ? "Basic cm9tZW86czNjcmV0" : NULL);
      g_assert_cmpstr (token, ==, expected ? "t0ken" : NULL);
    }
}

static void
test_secrets (void)
{
  g_test_summary ("RFC 7617: what a gateway wants is in each request to it, also where it redirects "
                  "to itself, and in none to another host");

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr(BoshTestManager) first = bosh_test_manager_new (NULL);
      g_autoptr(BoshTestManager) second = bosh_test_manager_new (NULL);
      g_autofree char *same = dup_uri (first, "http");
      g_autofree char *other = dup_uri (second, "http");

      follow (first, first, configure_secrets (first), same, i == 0);
      assert_secrets (first, TRUE);
      follow (first, second, configure_secrets (first), other, i == 0);
      assert_secrets (first, TRUE);
      assert_secrets (second, FALSE);
    }
}

static void
test_redirect_to_tls (void)
{
  g_autoptr(BoshTestManager) first = bosh_test_manager_new (NULL);
  g_autoptr(BoshTestManager) second = bosh_test_manager_new (tls->server);
  g_autofree char *location = dup_uri (second, "https");

  g_test_summary ("R90, R97: from http to https, whose certificate counts");

  follow (first, second,
          bosh_test_manager_configure (first, "tls-database", tls->database, NULL),
          location, TRUE);
}

static void
test_no_downgrade (void)
{
  g_autoptr(BoshTestManager) first = bosh_test_manager_new (tls->server);
  g_autoptr(BoshTestManager) second = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autofree char *location = dup_uri (second, "http");
  g_autofree char *uri = g_strdup_printf ("<uri>%s</uri>", location);

  g_test_summary ("R90, R98: nothing goes to http where https was asked for");

  bosh_test_wire_init (&wire, first,
                       bosh_test_manager_configure_secure (first,
                                                           "tls-database", tls->database,
                                                           NULL));
  bosh_connection_connect_async (wire.connection, NULL, bosh_test_keep_result, &result);
  bosh_test_exchange_respond (bosh_test_manager_take (first),
                              "type='terminate' condition='see-other-uri'", uri);
  bosh_test_wire_fails (&wire, &result, bosh_connection_connect_finish,
                        BOSH_ERROR, BOSH_ERROR_SEE_OTHER_URI);
  g_assert_cmpstr (bosh_connection_get_see_other_uri (wire.connection), ==, location);
  bosh_test_run_dry ();
  g_assert_false (bosh_test_manager_has_request (second));
}

static void
test_bad_addresses (void)
{
  static const char * const addresses[] = {
    "http://h%25/", "http://h%2525/", "http://[::1%25lo]/", "http://u%40host/", "http://h:0/"
  };
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);

  g_test_summary ("R90: a redirect to what only looks like an address ends in an error");

  for (gsize i = 0; i < 2 * G_N_ELEMENTS (addresses); i++)
    {
      g_auto(BoshTestWire) wire = { NULL };
      g_autoptr(GAsyncResult) result = NULL;
      const char *address = addresses[i / 2];
      gboolean by_http = i % 2 == 0;
      g_autofree char *header = g_strdup_printf ("Location: %s\r\n", address);
      g_autofree char *uri = g_strdup_printf ("<uri>%s</uri>", address);
      BoshTestExchange *exchange;

      bosh_test_wire_init (&wire, manager, NULL);
      bosh_connection_connect_async (wire.connection, NULL, bosh_test_keep_result, &result);
      exchange = bosh_test_manager_take (manager);
      if (by_http)
        bosh_test_exchange_reply (exchange, 308, header, "moved");
      else
        bosh_test_exchange_respond (exchange, "type='terminate' condition='see-other-uri'", uri);
      bosh_test_wire_fails (&wire, &result, bosh_connection_connect_finish, BOSH_ERROR,
                            by_http ? BOSH_ERROR_HTTP : BOSH_ERROR_SEE_OTHER_URI);
    }
}

static void
check_compression (const char *accept,
                   const char *coding)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autofree char *grants = g_strdup_printf (BOSH_TEST_GRANTS " accept='%s'", accept);
  g_autofree char *text = g_strnfill (4000, 'z');
  g_autofree char *header = NULL;
  g_autofree char *plain_header = NULL;
  g_autofree char *length = NULL;
  BoshTestExchange *poll;
  BoshTestExchange *exchange;

  bosh_test_wire_init (&wire, manager,
                       bosh_test_manager_configure (manager, "compress-requests", TRUE, NULL));
  poll = bosh_test_wire_open (&wire, grants);
  plain_header = bosh_test_exchange_dup_header (poll, "Content-Encoding");
  g_assert_null (plain_header);

  bosh_test_wire_send (&wire, text);
  exchange = bosh_test_manager_take (manager);
  header = bosh_test_exchange_dup_header (exchange, "Content-Encoding");
  g_assert_cmpstr (header, ==, coding);
  length = bosh_test_exchange_dup_header (exchange, "Content-Length");
  g_assert_cmpint (atoi (length), <, 1000);
  bosh_test_assert_messages (exchange, text, NULL);

  /* The server can't decompress it after all. */
  bosh_test_exchange_respond (poll, "", "");
  bosh_test_exchange_reply (exchange, 415, NULL, "");
  exchange = bosh_test_manager_take (manager);
  plain_header = bosh_test_exchange_dup_header (exchange, "Content-Encoding");
  g_assert_null (plain_header);
  bosh_test_assert_messages (exchange, text, NULL);
  g_clear_object (&wire.connection);
}

static void
test_compression (void)
{
  g_test_summary ("R34: requests are compressed as the server takes them, and plain when it "
                  "can't read them");

  check_compression ("deflate,gzip", "gzip");
  check_compression ("deflate", "deflate");
}

/* nginx that offers HTTP/2 before @manager. */
static BoshTestNginx *
start_nginx (BoshTestManager *manager)
{
  g_autofree char *location = NULL;

  location = g_strdup_printf ("proxy_pass http://127.0.0.1:%u;"
                              "proxy_buffering off;"
                              "proxy_set_header X-Protocol $server_protocol;",
                              bosh_test_manager_get_port (manager));

  return bosh_test_nginx_new (tls, location);
}

static void
test_http_version (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_autoptr(BoshTestNginx) nginx = NULL;
  g_auto(BoshTestWire) wire = { NULL };
  g_autofree char *uri = NULL;
  g_autofree char *protocol = NULL;
  GPtrArray *exchanges = bosh_test_manager_get_exchanges (manager);

  g_test_summary ("R05, R96: HTTP/1.1 even where HTTP/2 is offered");

  bosh_test_manager_set_automatic (manager, TRUE);
  nginx = start_nginx (manager);
  if (nginx == NULL)
    return;

  uri = g_strdup_printf ("https://127.0.0.1:%u/", bosh_test_nginx_get_port (nginx));
  bosh_test_wire_init (&wire, manager,
                       g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                     "uri", uri,
                                     "tls-database", tls->database,
                                     NULL));
  bosh_test_wire_connect (&wire);
  for (guint i = 0; i < 20; i++)
    {
      g_autofree char *text = g_strdup_printf ("message %u", i);
      g_autofree char *stanza = g_strdup_printf ("<message xmlns='jabber:client'><body>%s</body></message>",
                                                 text);

      bosh_test_wire_send (&wire, text);
      bosh_test_manager_deliver (manager, stanza);
      bosh_test_wire_receive (&wire, text);
    }
  protocol = bosh_test_exchange_dup_header (g_ptr_array_index (exchanges, exchanges->len - 1),
                                            "X-Protocol");
  g_assert_cmpstr (protocol, ==, "HTTP/1.1");
  bosh_test_wire_disconnect (&wire);
}

static gint64 time_asleep;

static gint64
get_time_asleep (void)
{
  return time_asleep;
}

static void
test_sleep (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  BoshTestExchange *poll;
  BoshTestExchange *repeat;
  BoshSleepClock clock = bosh_sleep_watch_set_clock_for_tests (get_time_asleep);

  g_test_summary ("R64: after a sleep of the machine the request under way is repeated, "
                  "byte by byte, and its old connection closed");

  g_assert_cmpint (clock (), >=, 0);
  bosh_test_wire_init (&wire, manager, NULL);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);

  time_asleep += 1000;
  bosh_connection_resume (wire.connection);
  bosh_test_run_dry ();
  g_assert_false (bosh_test_manager_has_request (manager));

  time_asleep += G_TIME_SPAN_HOUR;
  bosh_connection_resume (wire.connection);
  repeat = bosh_test_manager_take (manager);
  g_assert_cmpuint (bosh_test_exchange_get_rid (repeat), ==, bosh_test_exchange_get_rid (poll));
  g_assert_true (g_bytes_equal (bosh_test_exchange_get_bytes (repeat),
                                bosh_test_exchange_get_bytes (poll)));
  bosh_test_await (bosh_test_exchange_is_gone (poll));
  bosh_test_exchange_respond (repeat, "", BOSH_TEST_MESSAGE ("good morning"));
  bosh_test_wire_receive (&wire, "good morning");
  bosh_sleep_watch_set_clock_for_tests (clock);
  g_clear_object (&wire.connection);
}

int
main (int   argc,
      char *argv[])
{
  int status;

  g_test_init (&argc, &argv, NULL);
  tls = bosh_test_tls_new ();

  g_test_add_func ("/bosh/connection-paths/redirects", test_redirects);
  g_test_add_func ("/bosh/connection-paths/secrets", test_secrets);
  g_test_add_func ("/bosh/connection-paths/redirect-to-tls", test_redirect_to_tls);
  g_test_add_func ("/bosh/connection-paths/bad-addresses", test_bad_addresses);
  g_test_add_func ("/bosh/connection-paths/no-downgrade", test_no_downgrade);
  g_test_add_func ("/bosh/connection-paths/compression", test_compression);
  g_test_add_func ("/bosh/connection-paths/http-version", test_http_version);
  g_test_add_func ("/bosh/connection-paths/sleep", test_sleep);

  status = g_test_run ();
  bosh_test_tls_free (tls);

  return status;
}
