/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A client whose domain announces several addresses, of which some do not work. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-site.h"

#include "bosh-client-private.h"

#include <string.h>

#define LINK(uri) "<Link rel='" BOSH_TEST_RELATION "' href='" uri "'/>"
#define XRD(links) "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>" links "</XRD>"

#define DEAD "https://127.0.0.1:7443/dead"
/* For which the certificate is not valid. */
#define UNTRUSTED "https://second.example/bosh"
#define GOOD "https://127.0.0.1:9443/bosh"

/* Made once: openssl takes its time. */
static BoshTestTls *tls;

static const BoshTestPage three_pages[] = {
  { BOSH_TEST_XML_PATH, 200, NULL, XRD (LINK (DEAD) LINK (UNTRUSTED) LINK (GOOD)) },
  { NULL },
};
static const BoshTestPage good_pages[] = {
  { BOSH_TEST_XML_PATH, 200, NULL, XRD (LINK (GOOD)) },
  { NULL },
};

typedef struct
{
  BoshTestSite site;
  BoshClient *client;
  guint n_connections;
  guint n_configurations;
  guint n_lost;
  guint n_closed;
  GError *error;
} Life;

static void
count (GObject    *object,
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
  Life *life = user_data;

  life->n_closed++;
  life->error = error != NULL ? g_error_copy (error) : NULL;
}

static gboolean
on_lost (BoshClient     *client,
         BoshConnection *connection,
         const GError   *error,
         gpointer        user_data)
{
  Life *life = user_data;

  life->n_lost++;

  return FALSE;
}

static void
life_begin (Life               *life,
            const BoshTestPage *pages)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  *life = (Life){ 0 };
  bosh_test_site_init (&life->site, tls, NULL, pages);
  life->site.dead = "/dead";
  configuration = bosh_test_site_new_template (&life->site);
  life->client = bosh_client_new ("localhost", configuration);
  client_set_delays_for_tests (life->client, 1, 1, 1000000);
  g_signal_connect (life->client, "notify::connection", G_CALLBACK (count), &life->n_connections);
  g_signal_connect (life->client, "notify::configuration", G_CALLBACK (count),
                    &life->n_configurations);
  g_signal_connect (life->client, "closed", G_CALLBACK (on_closed), life);
  g_signal_connect (life->client, "session-lost", G_CALLBACK (on_lost), life);
}

static void
life_end (Life *life)
{
  g_autoptr(GAsyncResult) result = NULL;

  if (bosh_client_get_state (life->client) != BOSH_CLIENT_STATE_CLOSED)
    {
      bosh_client_disconnect_async (life->client, NULL, bosh_test_keep_result, &result);
      bosh_test_wait (result != NULL);
      g_assert_true (bosh_client_disconnect_finish (life->client, result, NULL));
      g_clear_object (&result);
    }
  g_assert_cmpuint (life->n_closed, ==, 1);
  bosh_test_drain ();
  g_assert_finalize_object (life->client);
  g_clear_error (&life->error);
  bosh_test_site_clear (&life->site);
}

static void
life_connect (Life *life)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  bosh_client_connect_async (life->client, NULL, bosh_test_keep_result, &result);
  bosh_test_wait (result != NULL);
  bosh_client_connect_finish (life->client, result, &error);
  g_assert_no_error (error);
}

static void
life_log_in (Life *life)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  bosh_client_login_async (life->client, "alice", "secret", NULL, NULL, bosh_test_keep_result, &result);
  bosh_test_wait (result != NULL);
  bosh_client_login_finish (life->client, result, &error);
  g_assert_no_error (error);
}

static void
assert_uri (Life       *life,
            const char *expected)
{
  BoshConnectionConfiguration *configuration = bosh_client_get_configuration (life->client);

  g_assert_cmpstr (bosh_connection_configuration_get_uri (configuration), ==, expected);
  g_assert_true (configuration ==
                 bosh_connection_get_configuration (bosh_client_get_connection (life->client)));
  g_assert_cmpuint (bosh_connection_configuration_get_wait (configuration), ==, 33);
}

static void
test_next (void)
{
  Life life;

  g_test_summary ("R125 (XEP-0156 §3): each announced address is tried, in order, until a session "
                  "is opened at one");

  life_begin (&life, three_pages);
  life_connect (&life);
  assert_uri (&life, GOOD);
  g_assert_cmpuint (life.n_connections, ==, 2);
  g_assert_cmpuint (life.n_configurations, ==, 3);
  g_assert_cmpint (bosh_client_get_state (life.client), ==, BOSH_CLIENT_STATE_CONNECTED);
  life_log_in (&life);
  g_assert_cmpstr (bosh_client_get_jid (life.client), ==, "alice@localhost/x");
  life_end (&life);
  g_assert_null (life.error);
}

static void
test_none_works (void)
{
  static const BoshTestPage pages[] = {
    { BOSH_TEST_XML_PATH, 200, NULL, XRD (LINK (UNTRUSTED) LINK (DEAD)) },
    { NULL },
  };
  Life life;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("R127 (XEP-0156 §1): where no announced address works, the error names each of "
                  "them, and what is wrong there");

  life_begin (&life, pages);
  bosh_client_connect_async (life.client, NULL, bosh_test_keep_result, &result);
  bosh_test_wait (result != NULL);
  g_assert_false (bosh_client_connect_finish (life.client, result, &error));
  g_test_message ("%s", error->message);
  g_assert_cmpint (error->domain, ==, BOSH_ERROR);
  g_assert_nonnull (strstr (error->message, "localhost"));
  g_assert_nonnull (strstr (error->message, UNTRUSTED ": "));
  g_assert_nonnull (strstr (error->message, DEAD ": "));
  g_assert_error (life.error, error->domain, error->code);
  g_assert_cmpstr (life.error->message, ==, error->message);
  g_assert_cmpint (bosh_client_get_state (life.client), ==, BOSH_CLIENT_STATE_CLOSED);
  g_clear_object (&result);
  life_end (&life);
}

static void
test_waiting_stanzas (void)
{
  static const BoshTestPage pages[] = {
    { BOSH_TEST_XML_PATH, 200, NULL, XRD (LINK (DEAD) LINK (GOOD)) },
    { NULL },
  };
  Life life;
  g_autoptr(GAsyncResult) connected = NULL;
  g_autoptr(GAsyncResult) delivered = NULL;
  g_autoptr(GAsyncResult) responded = NULL;
  g_autoptr(BoshElement) iq = bosh_element_new_iq (NULL, "get", NULL);
  g_autoptr(BoshElement) message = bosh_element_new_message ("bob@localhost", "chat", "hello");
  g_autoptr(GError) error = NULL;
  GPtrArray *requests;
  GString *bodies = g_string_new (NULL);

  g_test_summary ("What waits for the session goes on waiting while the next address is tried");

  life_begin (&life, pages);
  life.site.slow = "/dead";
  bosh_client_connect_async (life.client, NULL, bosh_test_keep_result, &connected);
  bosh_test_wait (life.site.waiting != NULL);
  bosh_client_deliver_async (life.client, message, NULL, bosh_test_keep_result, &delivered);
  bosh_element_add_new_child (iq, "query", "jabber:iq:register");
  bosh_client_send_iq_async (life.client, iq, 0, NULL, bosh_test_keep_result, &responded);
  life.site.slow = NULL;
  bosh_test_peer_reply (life.site.waiting, 404, NULL, "<html/>");

  bosh_test_wait (connected != NULL && delivered != NULL);
  bosh_client_connect_finish (life.client, connected, &error);
  g_assert_no_error (error);
  bosh_client_deliver_finish (life.client, delivered, &error);
  g_assert_no_error (error);
  g_assert_null (responded);
  requests = bosh_test_server_get_requests (life.site.server);
  for (guint i = 0; i < requests->len; i++)
    {
      const BoshTestRequest *request = g_ptr_array_index (requests, i);

      if (g_str_has_prefix (request->head, "POST /bosh "))
        g_string_append_len (bodies, g_bytes_get_data (request->body, NULL),
                             (gssize)g_bytes_get_size (request->body));
    }
  g_assert_nonnull (strstr (bodies->str, "hello"));
  g_assert_nonnull (strstr (bodies->str, "jabber:iq:register"));
  g_string_free (bodies, TRUE);

  g_clear_object (&connected);
  g_clear_object (&delivered);
  bosh_client_disconnect_async (life.client, NULL, NULL, NULL);
  bosh_test_wait (responded != NULL);
  g_clear_object (&responded);
  life_end (&life);
}

static void
lose (Life *life)
{
  g_autoptr(BoshElement) message = bosh_element_new_message ("bob@localhost", "chat", "x");
  g_autoptr(GError) error = NULL;

  bosh_client_send (life->client, message, &error);
  g_assert_no_error (error);
  bosh_test_wait (bosh_client_get_state (life->client) == BOSH_CLIENT_STATE_RECONNECTING);
}

static void
test_ask_again (void)
{
  static const BoshTestPage moved[] = {
    { BOSH_TEST_XML_PATH, 200, NULL, XRD (LINK (GOOD) LINK ("https://127.0.0.1:9443/new")) },
    { NULL },
  };
  Life life;

  g_test_summary ("R125 (XEP-0156 §3): a client that logs in again asks the domain when its "
                  "address does not work any more");

  life_begin (&life, good_pages);
  bosh_client_set_auto_reconnect (life.client, TRUE);
  life_connect (&life);
  life_log_in (&life);
  assert_uri (&life, GOOD);

  life.site.dead = "/bosh";
  life.site.pages = moved;
  lose (&life);
  bosh_test_wait (bosh_client_get_state (life.client) == BOSH_CLIENT_STATE_READY);
  assert_uri (&life, "https://127.0.0.1:9443/new");
  g_assert_cmpuint (life.n_lost, ==, 1);

  /* And back, by way of an attempt in which nothing works. */
  life.site.dead = "/new";
  life.site.pages = &moved[1];
  lose (&life);
  bosh_test_wait (bosh_test_server_get_requests (life.site.server)->len > 24);
  g_assert_cmpint (bosh_client_get_state (life.client), ==, BOSH_CLIENT_STATE_RECONNECTING);
  life.site.pages = good_pages;
  bosh_test_wait (bosh_client_get_state (life.client) == BOSH_CLIENT_STATE_READY);
  assert_uri (&life, GOOD);
  life_end (&life);
  g_assert_null (life.error);
}

static void
end_client (GObject    *object,
            GParamSpec *pspec,
            gpointer    user_data)
{
  bosh_client_disconnect_async (BOSH_CLIENT (object), NULL, NULL, NULL);
}

static void
test_given_up (void)
{
  static const char * const signals[] = { "notify::connection", "notify::configuration" };

  g_test_summary ("A handler may end the client where it goes on to the next address");

  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      Life life;
      g_autoptr(GAsyncResult) result = NULL;
      guint n_requests;

      life_begin (&life, three_pages);
      life.site.slow = "/dead";
      bosh_client_connect_async (life.client, NULL, bosh_test_keep_result, &result);
      bosh_test_wait (life.site.waiting != NULL);
      g_signal_connect (life.client, signals[i], G_CALLBACK (end_client), NULL);
      n_requests = bosh_test_server_get_requests (life.site.server)->len;
      bosh_test_peer_reply (life.site.waiting, 404, NULL, "<html/>");
      bosh_test_wait (result != NULL);
      g_assert_false (bosh_client_connect_finish (life.client, result, NULL));
      g_assert_cmpint (bosh_client_get_state (life.client), ==, BOSH_CLIENT_STATE_CLOSED);
      g_assert_null (life.error);
      bosh_test_drain ();
      g_assert_cmpuint (bosh_test_server_get_requests (life.site.server)->len, ==, n_requests);
      g_clear_object (&result);
      life_end (&life);
    }
}

static void
test_dropped (void)
{
  static const BoshTestPage silent[] = {
    { BOSH_TEST_XML_PATH, 0, NULL, NULL },
    { NULL },
  };
  Life life;
  guint n_requests;

  g_test_summary ("A client that is dropped while it asks the domain again has ended");

  life_begin (&life, good_pages);
  bosh_client_set_auto_reconnect (life.client, TRUE);
  life_connect (&life);
  life_log_in (&life);
  life.site.dead = "/bosh";
  life.site.pages = silent;
  lose (&life);
  n_requests = bosh_test_server_get_requests (life.site.server)->len;
  bosh_test_wait (bosh_test_server_get_requests (life.site.server)->len >= n_requests + 2);
  g_assert_finalize_object (life.client);
  bosh_test_wait (bosh_test_server_get_n_closed (life.site.server) ==
                  bosh_test_server_get_n_accepted (life.site.server));
  bosh_test_drain ();
  bosh_test_site_clear (&life.site);
}

int
main (int   argc,
      char *argv[])
{
  int status;

  g_test_init (&argc, &argv, NULL);
  tls = bosh_test_tls_new ();

  g_test_add_func ("/bosh/client-addresses/next", test_next);
  g_test_add_func ("/bosh/client-addresses/none-works", test_none_works);
  g_test_add_func ("/bosh/client-addresses/waiting-stanzas", test_waiting_stanzas);
  g_test_add_func ("/bosh/client-addresses/ask-again", test_ask_again);
  g_test_add_func ("/bosh/client-addresses/given-up", test_given_up);
  g_test_add_func ("/bosh/client-addresses/dropped", test_dropped);

  status = g_test_run ();
  bosh_test_tls_free (tls);

  return status;
}
