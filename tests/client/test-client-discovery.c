/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A client that is given no address. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-site.h"

#include <string.h>

/* Made once: openssl takes its time. */
static BoshTestTls *tls;

static const BoshTestPage client_pages[] = {
  { BOSH_TEST_XML_PATH, 200, NULL,
    "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>"
    "<Link rel='" BOSH_TEST_RELATION "' href='https://127.0.0.1:7443/bosh'/>"
    "<Link rel='" BOSH_TEST_RELATION "' href='https://second.example/bosh'/></XRD>" },
  { NULL },
};

typedef struct
{
  guint n_notified;
  guint n_closed;
  GError *error;
} Observer;

static void
count_notify (GObject    *object,
              GParamSpec *pspec,
              gpointer    user_data)
{
  guint *n_notified = user_data;

  (*n_notified)++;
}

static void
on_closed (BoshClient   *client,
           const GError *error,
           gpointer      user_data)
{
  Observer *observer = user_data;

  observer->n_closed++;
  g_clear_error (&observer->error);
  observer->error = error != NULL ? g_error_copy (error) : NULL;
}

static BoshClient *
new_client (BoshTestSite *site,
            Observer     *observer)
{
  g_autoptr(BoshConnectionConfiguration) configuration = bosh_test_site_new_template (site);
  BoshClient *client = bosh_client_new ("localhost", configuration);

  g_signal_connect (client, "notify::configuration", G_CALLBACK (count_notify),
                    &observer->n_notified);
  g_signal_connect (client, "closed", G_CALLBACK (on_closed), observer);

  return client;
}

static gboolean
connect_client (BoshClient  *client,
                GError     **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  bosh_client_connect_async (client, NULL, bosh_test_keep_result, &result);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CONNECTING);
  bosh_test_wait (result != NULL);

  return bosh_client_connect_finish (client, result, error);
}

static void
disconnect_client (BoshClient *client)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  bosh_client_disconnect_async (client, NULL, bosh_test_keep_result, &result);
  bosh_test_wait (result != NULL);
  bosh_client_disconnect_finish (client, result, &error);
  g_assert_no_error (error);
}

static void
assert_uri (BoshConnectionConfiguration *configuration,
            const char                  *expected)
{
  g_assert_cmpstr (bosh_connection_configuration_get_uri (configuration), ==, expected);
}

static void
test_client (void)
{
  g_auto(BoshTestSite) site = { 0 };
  Observer observer = { 0 };
  guint n_notified = 0;
  g_autoptr(BoshClient) client = NULL;
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(GError) error = NULL;
  BoshConnection *connection;
  GPtrArray *tunnels;

  g_test_summary ("R124, R125 (XEP-0156 §2, §3): a client without a URI connects to the "
                  "first address that its domain announces");

  bosh_test_site_init (&site, tls, NULL, client_pages);
  client = new_client (&site, &observer);
  connection = bosh_client_get_connection (client);
  g_signal_connect (connection, "notify::configuration", G_CALLBACK (count_notify), &n_notified);
  assert_uri (bosh_connection_get_configuration (connection), NULL);

  connect_client (client, &error);
  g_assert_no_error (error);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CONNECTED);
  g_assert_true (bosh_client_get_connection (client) == connection);
  g_assert_cmpuint (observer.n_notified, ==, 1);
  g_assert_cmpuint (n_notified, ==, 1);
  g_object_get (client, "configuration", &configuration, NULL);
  g_assert_true (configuration == bosh_connection_get_configuration (connection));
  assert_uri (configuration, "https://127.0.0.1:7443/bosh");
  g_assert_cmpuint (bosh_connection_configuration_get_wait (configuration), ==, 33);
  g_assert_cmpstr (bosh_connection_configuration_get_language (configuration), ==, "fr");

  tunnels = bosh_test_proxy_get_requests (site.proxy);
  g_assert_true (g_str_has_prefix (g_ptr_array_index (tunnels, 0), "CONNECT localhost:443 "));
  g_assert_true (g_str_has_prefix (g_ptr_array_index (tunnels, 1), "CONNECT 127.0.0.1:7443 "));
  g_assert_true (bosh_test_request_is_for (bosh_test_server_get_request (site.server, 0), BOSH_TEST_XML_PATH));
  g_assert_true (g_str_has_prefix (bosh_test_server_get_request (site.server, 1)->head,
                                   "POST /bosh HTTP/1.1\r\n"));

  disconnect_client (client);
  g_assert_cmpuint (observer.n_closed, ==, 1);
  g_assert_null (observer.error);
  g_assert_finalize_object (g_steal_pointer (&client));
}

static void
test_client_secrets (void)
{
  static const char * const headers[] = { "X-Token: t0ken", NULL };
  g_auto(BoshTestSite) site = { 0 };
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(BoshClient) client = NULL;
  g_autoptr(GError) error = NULL;
  GPtrArray *requests;

  g_test_summary ("What a gateway wants goes to the address that is announced, and not to the web "
                  "server that announces it");

  bosh_test_site_init (&site, tls, NULL, client_pages);
  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "tls-database", tls->database,
                                "proxy-resolver", site.resolver,
                                "http-username", "romeo",
                                "http-password", "s3cret",
                                "request-headers", headers,
                                NULL);
  client = bosh_client_new ("localhost", configuration);
  connect_client (client, &error);
  g_assert_no_error (error);
  requests = bosh_test_server_get_requests (site.server);
  g_assert_cmpuint (requests->len, >=, 2);
  for (guint i = 0; i < requests->len; i++)
    {
      const BoshTestRequest *request = g_ptr_array_index (requests, i);
      gboolean is_post = g_str_has_prefix (request->head, "POST ");

      bosh_test_assert_header (request, "Authorization", is_post ? "Basic cm9tZW86czNjcmV0" : NULL);
      bosh_test_assert_header (request, "X-Token", is_post ? "t0ken" : NULL);
    }
  disconnect_client (client);
}

static gpointer
use_client_in_thread (gpointer data)
{
  g_autoptr(GMainContext) context = g_main_context_new ();
  g_autoptr(BoshClient) client = bosh_client_new ("localhost", data);
  g_autoptr(GAsyncResult) connected = NULL;
  g_autoptr(GAsyncResult) disconnected = NULL;

  g_main_context_push_thread_default (context);
  bosh_client_connect_async (client, NULL, bosh_test_keep_result, &connected);
  while (connected == NULL)
    g_main_context_iteration (context, TRUE);
  g_assert_true (bosh_client_connect_finish (client, connected, NULL));

  bosh_client_disconnect_async (client, NULL, bosh_test_keep_result, &disconnected);
  while (disconnected == NULL)
    g_main_context_iteration (context, TRUE);
  g_assert_true (bosh_client_disconnect_finish (client, disconnected, NULL));
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
test_client_in_thread (void)
{
  g_auto(BoshTestSite) site = { 0 };
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  GThread *thread;

  g_test_summary ("R125 (XEP-0156 §3): after the search, the session lives in the context in which "
                  "the client was told to connect");

  bosh_test_site_init (&site, tls, NULL, client_pages);
  configuration = bosh_test_site_new_template (&site);
  thread = g_thread_new ("client", use_client_in_thread, configuration);
  bosh_test_wait (bosh_test_server_get_requests (site.server)->len >= 3 &&
                  bosh_test_server_get_n_closed (site.server) ==
                    bosh_test_server_get_n_accepted (site.server));
  g_thread_join (thread);
}

static void
test_client_with_address (void)
{
  g_auto(BoshTestSite) site = { 0 };
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(BoshClient) client = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("R127 (XEP-0156 §1): a client that has an address does not look for another");

  bosh_test_site_init (&site, tls, NULL, client_pages);
  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", "https://127.0.0.1:5281/http-bind/",
                                "tls-database", tls->database,
                                "proxy-resolver", site.resolver,
                                NULL);
  client = bosh_client_new ("localhost", configuration);
  connect_client (client, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bosh_test_proxy_get_requests (site.proxy)->len, ==, 1);
  g_assert_true (g_str_has_prefix (bosh_test_server_get_request (site.server, 0)->head, "POST "));
  disconnect_client (client);
}

static void
test_client_finds_nothing (void)
{
  static const BoshTestPage pages[] = { { NULL } };
  g_auto(BoshTestSite) site = { 0 };
  Observer observer = { 0 };
  g_autoptr(BoshClient) client = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("R127 (XEP-0156 §1): a client that finds no address fails with an error that "
                  "names the domain and what was tried, and has ended");

  bosh_test_site_init (&site, tls, NULL, pages);
  client = new_client (&site, &observer);
  g_assert_false (connect_client (client, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_DISCOVERY_FAILED);
  g_assert_nonnull (strstr (error->message, "https://localhost" BOSH_TEST_XML_PATH));
  g_assert_nonnull (strstr (error->message, "https://localhost" BOSH_TEST_JSON_PATH));
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CLOSED);
  g_assert_cmpuint (observer.n_closed, ==, 1);
  g_assert_error (observer.error, BOSH_ERROR, BOSH_ERROR_DISCOVERY_FAILED);
  g_clear_error (&error);

  bosh_client_connect_async (client, NULL, bosh_test_keep_result, &result);
  bosh_test_wait (result != NULL);
  g_assert_false (bosh_client_connect_finish (client, result, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_FAILED);
  g_clear_error (&observer.error);
  g_clear_object (&result);
  g_assert_finalize_object (g_steal_pointer (&client));
}

static void
test_client_given_up (void)
{
  static const BoshTestPage pages[] = {
    { BOSH_TEST_XML_PATH, 0, NULL, NULL },
    { NULL },
  };

  g_test_summary ("R125 (XEP-0156 §3): a client that is disconnected, or whose task is cancelled, "
                  "while it looks for the address has ended");

  for (guint i = 0; i < 2; i++)
    {
      g_auto(BoshTestSite) site = { 0 };
      Observer observer = { 0 };
      g_autoptr(BoshClient) client = NULL;
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;
      gint64 start;

      bosh_test_site_init (&site, tls, NULL, pages);
      client = new_client (&site, &observer);
      bosh_client_connect_async (client, cancellable, bosh_test_keep_result, &result);
      bosh_test_wait (bosh_test_server_get_requests (site.server)->len == 1);
      start = g_get_monotonic_time ();
      if (i == 0)
        g_cancellable_cancel (cancellable);
      else
        disconnect_client (client);
      bosh_test_wait (result != NULL);
      g_assert_false (bosh_client_connect_finish (client, result, &error));
      g_assert_nonnull (error);
      g_assert_cmpint (error->code, ==, i == 0 ? (int)G_IO_ERROR_CANCELLED : (int)BOSH_ERROR_NOT_CONNECTED);
      g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CLOSED);
      g_assert_cmpuint (observer.n_closed, ==, 1);
      g_assert_true ((observer.error == NULL) == (i == 1));
      g_clear_error (&observer.error);
      g_clear_object (&result);

      bosh_test_wait (bosh_test_server_get_n_closed (site.server) == 1);
      /* Not only when the search has timed out. */
      g_assert_cmpint (g_get_monotonic_time (), <, start + 15 * G_TIME_SPAN_SECOND);
      bosh_test_drain ();
      g_assert_finalize_object (g_steal_pointer (&client));
    }
}

static void
end_client (GObject    *object,
            GParamSpec *pspec,
            gpointer    user_data)
{
  bosh_client_disconnect_async (BOSH_CLIENT (object), NULL, NULL, NULL);
}

static void
test_client_ended_by_handler (void)
{
  g_auto(BoshTestSite) site = { 0 };
  Observer observer = { 0 };
  g_autoptr(BoshClient) client = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("R125 (XEP-0156 §3): a handler of notify::configuration may end the client");

  bosh_test_site_init (&site, tls, NULL, client_pages);
  client = new_client (&site, &observer);
  g_signal_connect (client, "notify::configuration", G_CALLBACK (end_client), NULL);
  g_assert_false (connect_client (client, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_assert_cmpuint (observer.n_closed, ==, 1);
  bosh_test_drain ();
  g_assert_cmpuint (bosh_test_server_get_requests (site.server)->len, ==, 1);
  g_assert_finalize_object (g_steal_pointer (&client));
}

static void
test_client_attaches (void)
{
  g_auto(BoshTestSite) site = { 0 };
  Observer observer = { 0 };
  g_autoptr(BoshClient) client = NULL;
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GAsyncResult) result = NULL;

  g_test_summary ("A client without a URI takes up a session at the address of the session, "
                  "and does not look for another");

  bosh_test_site_init (&site, tls, NULL, client_pages);
  client = new_client (&site, &observer);
  session = bosh_saved_session_new ("https://localhost:9443/there", "alice@localhost/x", "s1", 7, NULL);
  bosh_client_attach_async (client, session, NULL, bosh_test_keep_result, &result);
  g_assert_cmpuint (observer.n_notified, ==, 1);
  assert_uri (bosh_connection_get_configuration (bosh_client_get_connection (client)),
              "https://localhost:9443/there");
  bosh_test_wait (bosh_test_server_get_requests (site.server)->len == 1);
  g_assert_true (g_str_has_prefix (bosh_test_server_get_request (site.server, 0)->head,
                                   "POST /there HTTP/1.1\r\n"));
  disconnect_client (client);
  bosh_test_wait (result != NULL);
}

int
main (int   argc,
      char *argv[])
{
  int status;

  g_test_init (&argc, &argv, NULL);
  tls = bosh_test_tls_new ();

  g_test_add_func ("/bosh/client-discovery/connects", test_client);
  g_test_add_func ("/bosh/client-discovery/secrets", test_client_secrets);
  g_test_add_func ("/bosh/client-discovery/thread", test_client_in_thread);
  g_test_add_func ("/bosh/client-discovery/with-address", test_client_with_address);
  g_test_add_func ("/bosh/client-discovery/finds-nothing", test_client_finds_nothing);
  g_test_add_func ("/bosh/client-discovery/given-up", test_client_given_up);
  g_test_add_func ("/bosh/client-discovery/ended-by-handler", test_client_ended_by_handler);
  g_test_add_func ("/bosh/client-discovery/attaches", test_client_attaches);

  status = g_test_run ();
  bosh_test_tls_free (tls);

  return status;
}
