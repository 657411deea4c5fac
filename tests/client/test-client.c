/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The client against a real server. servers/run-with.py starts it and says
 * where it is; the name of the server is the argument. */

#include "config.h"

#include "bosh-test-client.h"

#include <string.h>

#define NS_DISCO "http://jabber.org/protocol/disco#info"

#define UNICODE "„Grüße“ \xf0\x9f\x8d\x80 <&>'\" \xe2\x80\xa8 e\xcc\x81\n\ttab"

static void
test_properties (void)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(BoshConnectionConfiguration) same = NULL;
  g_autoptr(BoshConnection) connection = NULL;
  g_autofree char *domain = NULL;
  g_autofree char *jid = NULL;
  g_autofree char *mechanism = NULL;
  BoshClientState state = BOSH_CLIENT_STATE_CLOSED;
  gboolean allow = FALSE;
  gboolean pipeline = FALSE;
  guint changes = 0;
  BoshClient *client;

  g_test_summary ("Each property tells what its getter tells");

  configuration = bosh_test_new_configuration ();
  client = bosh_client_new ("localhost", configuration);
  g_signal_connect (client, "notify::allow-plaintext-password",
                    G_CALLBACK (bosh_test_count_changes), &changes);
  g_object_set (client, "allow-plaintext-password", TRUE, NULL);
  bosh_client_set_allow_plaintext_password (client, 2);
  g_assert_cmpuint (changes, ==, 1);
  g_signal_connect (client, "notify::pipeline-login",
                    G_CALLBACK (bosh_test_count_changes), &changes);
  g_assert_false (bosh_client_get_pipeline_login (client));
  g_object_set (client, "pipeline-login", TRUE, NULL);
  bosh_client_set_pipeline_login (client, 2);
  g_assert_cmpuint (changes, ==, 2);
  g_object_get (client,
                "domain", &domain,
                "configuration", &same,
                "connection", &connection,
                "state", &state,
                "jid", &jid,
                "mechanism", &mechanism,
                "allow-plaintext-password", &allow,
                "pipeline-login", &pipeline,
                NULL);
  g_assert_true (pipeline);
  g_assert_cmpstr (domain, ==, "localhost");
  g_assert_true (same == configuration);
  g_assert_true (connection == bosh_client_get_connection (client));
  g_assert_cmpint (state, ==, BOSH_CLIENT_STATE_NEW);
  g_assert_null (jid);
  g_assert_null (mechanism);
  g_assert_true (allow);
  g_clear_object (&connection);
  bosh_test_assert_gone (client);

  client = bosh_client_new ("localhost", NULL);
  g_object_get (client, "configuration", &connection, NULL);
  g_assert_nonnull (connection);
  g_clear_object (&connection);
  bosh_test_assert_gone (client);
}

/* --- Logging in --- */

static void
test_mechanisms (void)
{
  static const struct
  {
    const char *domain;
    const char *mechanism;  /* or NULL: any */
  } cases[] = {
    { "localhost", NULL },
    { "plain.localhost", "SCRAM-SHA-256" },
    { "sha256.localhost", "SCRAM-SHA-256" },
    { "sha1.localhost", "SCRAM-SHA-1" },
    { "plainonly.localhost", "PLAIN" },
  };

  g_test_summary ("RFC 6120 §6: the best mechanism of the server is taken; "
                  "XEP-0206 §5: then restart and bind");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      BoshClient *client = bosh_test_new_ready (cases[i].domain, "alice");
      g_autofree char *prefix = g_strdup_printf ("alice@%s/", cases[i].domain);

      if (cases[i].mechanism != NULL)
        g_assert_cmpstr (bosh_client_get_mechanism (client), ==, cases[i].mechanism);
      g_assert_true (g_str_has_prefix (bosh_client_get_jid (client), prefix));
      bosh_test_close (client);
    }
}

static void
test_https (void)
{
  g_autoptr(GTlsDatabase) database = NULL;
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(GError) error = NULL;
  BoshClient *client;

  g_test_summary ("The same over https, with a certificate of a private authority");

  database = g_tls_file_database_new (bosh_test_get_variable ("CA_FILE"), &error);
  g_assert_no_error (error);
  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", bosh_test_get_variable ("HTTPS_URI"),
                                "tls-database", database,
                                NULL);
  client = bosh_client_new ("plainonly.localhost", configuration);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);
  bosh_test_close (client);
}

static void
test_anonymous (void)
{
  BoshClient *client = bosh_test_new_client ("anon.localhost");
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("RFC 4505: without an account; the server gives the address");

  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_client_login_anonymously_async (client, NULL, NULL, bosh_test_keep_result, &result);
  bosh_client_login_anonymously_finish (client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bosh_client_get_mechanism (client), ==, "ANONYMOUS");
  g_assert_nonnull (strstr (bosh_client_get_jid (client), "@anon.localhost/"));
  g_clear_object (&result);
  bosh_test_close (client);
}

static void
test_no_mechanism (void)
{
  BoshClient *client = bosh_test_new_client ("anon.localhost");
  g_autoptr(GAsyncResult) external = NULL;
  g_autoptr(GAsyncResult) anonymous = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("What the server does not offer fails at once, and the session "
                  "stays open for what it offers");

  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_client_login_externally_async (client, NULL, NULL, NULL, bosh_test_keep_result, &external);
  bosh_client_login_externally_finish (client, bosh_test_wait_for (&external), &error);
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NO_MECHANISM);
  g_clear_error (&error);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CONNECTED);

  bosh_client_login_anonymously_async (client, "x", NULL, bosh_test_keep_result, &anonymous);
  bosh_client_login_anonymously_finish (client, bosh_test_wait_for (&anonymous), &error);
  g_assert_no_error (error);
  g_clear_object (&anonymous);
  g_clear_object (&external);
  bosh_test_close (client);
}

static void
test_resource (void)
{
  BoshClient *client = bosh_test_new_client ("localhost");
  BoshClient *other = bosh_test_new_ready ("localhost", "alice");
  g_autoptr(GError) error = NULL;

  g_test_summary ("RFC 6120 §7.6, §7.7: the resource is the server's choice, or ours");

  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", "Zu Hause \xc3\xa4 \xe2\x98\x82", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bosh_client_get_jid (client), ==,
                   "alice@localhost/Zu Hause \xc3\xa4 \xe2\x98\x82");
  g_assert_true (g_str_has_prefix (bosh_client_get_jid (other), "alice@localhost/"));
  g_assert_cmpstr (bosh_client_get_jid (other), !=, "alice@localhost/");
  bosh_test_close (client);
  bosh_test_close (other);
}

static void
test_wrong_password (void)
{
  BoshClient *client = bosh_test_new_client ("plain.localhost");
  g_autoptr(GError) error = NULL;
  guint states = 0;

  g_test_summary ("RFC 6120 §6.4.5: after a failure the login is tried again in "
                  "the same session");

  g_signal_connect (client, "notify::state", G_CALLBACK (bosh_test_count_changes), &states);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (states, ==, 2);

  for (guint i = 0; i < 2; i++)
    {
      bosh_test_login (client, "alice", "wrong", NULL, &error);
      g_assert_error (error, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
      g_clear_error (&error);
      g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CONNECTED);
      g_assert_null (bosh_client_get_jid (client));
    }
  g_assert_cmpuint (states, ==, 6);

  bosh_test_login (client, "alice", "secret", "again", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bosh_client_get_jid (client), ==, "alice@plain.localhost/again");
  g_assert_cmpuint (states, ==, 8);
  bosh_test_close (client);
}

static void
test_unknown_user (void)
{
  BoshClient *client = bosh_test_new_client ("localhost");
  g_autoptr(GError) error = NULL;

  g_test_summary ("RFC 6120 §6.5.10: whoever is not known is not authorized");

  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "nobody", "secret", NULL, &error);
  g_assert_error (error, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
  bosh_test_close (client);
}

static void
test_unknown_host (void)
{
  BoshClient *client = bosh_test_new_client ("nowhere.localhost");
  g_autoptr(GError) error = NULL;

  g_test_summary ("XEP-0124 §17.2: a domain that is not served ends the session");

  g_assert_false (bosh_test_connect (client, &error));
  g_assert_nonnull (error);
  g_assert_true (error->domain == BOSH_ERROR);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CLOSED);
  g_clear_error (&error);

  /* It is over with this client. */
  g_assert_false (bosh_test_connect (client, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_FAILED);
  bosh_test_assert_gone (client);
}

static void
test_insecure (void)
{
  g_autoptr(GUri) uri = g_uri_parse (bosh_test_get_variable ("HTTP_URI"), G_URI_FLAGS_NONE, NULL);
  g_autofree char *proxy = g_strdup_printf ("http://127.0.0.1:%d", g_uri_get_port (uri));
  g_autoptr(GProxyResolver) resolver = g_simple_proxy_resolver_new (proxy, NULL);
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(GError) error = NULL;
  BoshClient *client;

  g_test_summary ("Through a proxy and without encryption, a password is sent in the "
                  "clear only where that was allowed");

  /* The servers take the requests that a proxy gets. */
  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", bosh_test_get_variable ("HTTP_URI"),
                                "proxy-resolver", resolver,
                                NULL);
  client = bosh_client_new ("plainonly.localhost", configuration);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INSECURE_MECHANISM);
  g_clear_error (&error);

  g_assert_false (bosh_client_get_allow_plaintext_password (client));
  bosh_client_set_allow_plaintext_password (client, TRUE);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);
  bosh_test_close (client);
}

static void
test_one_login (void)
{
  BoshClient *client = bosh_test_new_client ("plain.localhost");
  g_autoptr(GAsyncResult) first = NULL;
  g_autoptr(GAsyncResult) detach = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("A login needs an open session in which none is under way");

  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_error (&error);

  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_client_login_async (client, "alice", "secret", NULL, NULL, bosh_test_keep_result, &first);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);
  if (first == NULL)
    {
      bosh_client_detach_async (client, NULL, bosh_test_keep_result, &detach);
      g_assert_null (bosh_client_detach_finish (client, bosh_test_wait_for (&detach), &error));
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_LOGGING_IN);
      g_clear_error (&error);
    }

  bosh_client_login_finish (client, bosh_test_wait_for (&first), &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_FAILED);
  g_clear_object (&first);
  g_clear_object (&detach);
  bosh_test_close (client);
}

static void
test_external (void)
{
  g_autoptr(GTlsDatabase) database = NULL;
  g_autoptr(GTlsCertificate) certificate = NULL;
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(GError) error = NULL;
  const char * const identities[] = { NULL, "alice@external.localhost" };

  g_test_summary ("RFC 4422 appendix A, XEP-0206 §5: who shows a certificate is known "
                  "by it");

  if (g_getenv ("BOSH_TEST_NGINX_CLIENT_HTTPS_URI") == NULL)
    {
      g_test_skip ("nginx is not running");
      return;
    }

  database = g_tls_file_database_new (g_getenv ("BOSH_TEST_NGINX_CA_FILE"), &error);
  g_assert_no_error (error);
  certificate =
    g_tls_certificate_new_from_file (g_getenv ("BOSH_TEST_NGINX_CLIENT_CERTIFICATE"), &error);
  g_assert_no_error (error);
  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", g_getenv ("BOSH_TEST_NGINX_CLIENT_HTTPS_URI"),
                                "tls-database", database,
                                "tls-certificate", certificate,
                                NULL);

  for (guint i = 0; i < G_N_ELEMENTS (identities); i++)
    {
      BoshClient *client = bosh_client_new ("external.localhost", configuration);
      g_autoptr(GAsyncResult) result = NULL;

      bosh_test_connect (client, &error);
      g_assert_no_error (error);
      bosh_client_login_externally_async (client, identities[i], "card", NULL,
                                          bosh_test_keep_result, &result);
      bosh_client_login_externally_finish (client, bosh_test_wait_for (&result), &error);
      g_assert_no_error (error);
      g_assert_cmpstr (bosh_client_get_mechanism (client), ==, "EXTERNAL");
      g_assert_cmpstr (bosh_client_get_jid (client), ==, "alice@external.localhost/card");
      g_clear_object (&result);
      bosh_test_close (client);
    }
}

/* --- Stanzas --- */

static void
test_iq (void)
{
  BoshClient *client = bosh_test_new_ready ("localhost", "alice");
  static const char * const addresses[] = { "localhost", NULL, "LOCALHOST" };
  g_autoptr(GError) error = NULL;
  GQueue stanzas = G_QUEUE_INIT;

  g_test_summary ("RFC 6120 §8.2.3: a request gets its response, which no signal shows");

  g_signal_connect (client, "stanza", G_CALLBACK (bosh_test_keep_stanza), &stanzas);
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    {
      g_autoptr(BoshElement) iq = bosh_test_new_request (addresses[i], "query", NS_DISCO);
      g_autoptr(BoshElement) response = bosh_test_send_iq (client, iq, -1, &error);
      g_autoptr(BoshElement) again = NULL;

      g_assert_no_error (error);
      g_assert_cmpstr (bosh_element_get_attribute (response, "type"), ==, "result");
      g_assert_nonnull (bosh_element_get_child (response, "query", NS_DISCO));
      g_assert_nonnull (bosh_element_get_attribute (iq, "id"));

      /* Sealed, and with the same id. */
      again = bosh_test_send_iq (client, iq, 0, &error);
      g_assert_no_error (error);
    }
  bosh_test_run_dry ();
  g_assert_cmpuint (g_queue_get_length (&stanzas), ==, 0);
  bosh_test_close (client);
  bosh_test_clear_stanzas (&stanzas);
}

static void
test_iq_id (void)
{
  BoshClient *client = bosh_test_new_ready ("localhost", "alice");
  g_autoptr(BoshElement) request = bosh_test_new_request (NULL, "query", BOSH_TEST_NS_ROSTER);
  g_autoptr(BoshElement) sealed = bosh_test_new_request (NULL, "query", BOSH_TEST_NS_ROSTER);
  g_autoptr(BoshElement) parent = bosh_element_new_message (bosh_client_get_jid (client), NULL, "x");
  g_autoptr(BoshElement) response = NULL;
  g_autoptr(BoshElement) with_id = bosh_test_new_request (NULL, "query", BOSH_TEST_NS_ROSTER);
  g_autoptr(BoshElement) message = bosh_element_new_message ("localhost", NULL, "x");
  g_autoptr(BoshElement) result = bosh_element_new_iq ("localhost", "result", NULL);
  g_autoptr(GAsyncResult) first = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("RFC 6120 §8.1.3: each request has an id of its own");

  bosh_client_send (client, request, &error);
  g_assert_no_error (error);
  g_assert_nonnull (bosh_element_get_attribute (request, "id"));

  bosh_element_add_child (parent, sealed);
  bosh_client_send (client, parent, &error);
  g_assert_no_error (error);
  g_assert_true (bosh_element_is_sealed (sealed));
  response = bosh_test_send_iq (client, sealed, -1, &error);
  g_assert_no_error (error);
  g_assert_null (bosh_element_get_attribute (sealed, "id"));

  bosh_element_set_attribute (with_id, "id", "mine");
  bosh_client_send_iq_async (client, with_id, -1, NULL, bosh_test_keep_result, &first);
  g_assert_null (bosh_test_send_iq (client, with_id, -1, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_STANZA);
  g_clear_error (&error);
  g_clear_pointer (&response, bosh_element_unref);
  response = bosh_client_send_iq_finish (client, bosh_test_wait_for (&first), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bosh_element_get_attribute (response, "id"), ==, "mine");

  g_assert_null (bosh_test_send_iq (client, message, -1, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_STANZA);
  g_clear_error (&error);
  g_assert_null (bosh_test_send_iq (client, result, -1, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_STANZA);
  g_clear_object (&first);
  bosh_test_close (client);
}

static void
test_iq_error (void)
{
  BoshClient *client = bosh_test_new_ready ("localhost", "alice");
  g_autoptr(BoshElement) iq = bosh_test_new_request ("localhost", "strange", BOSH_TEST_NS_STRANGE);
  g_autoptr(GError) error = NULL;

  g_test_summary ("RFC 6120 §8.3: a response that is an error is the error of the task");

  g_assert_null (bosh_test_send_iq (client, iq, -1, &error));
  g_assert_error (error, BOSH_STANZA_ERROR, BOSH_STANZA_ERROR_SERVICE_UNAVAILABLE);
  bosh_test_close (client);
}

static void
test_iq_timeout (void)
{
  BoshClient *alice = bosh_test_new_ready ("localhost", "alice");
  BoshClient *bob = bosh_test_new_ready ("localhost", "bob");
  g_autoptr(BoshElement) iq = NULL;
  g_autoptr(BoshElement) late = NULL;
  g_autoptr(BoshElement) reply = NULL;
  g_autoptr(GError) error = NULL;
  GQueue stanzas = G_QUEUE_INIT;
  guint requests = 0;

  g_test_summary ("A request without a response ends after its time; what comes "
                  "later is a stanza like any other");

  g_signal_connect (bob, "iq-request", G_CALLBACK (bosh_test_ignore_request), &requests);
  g_signal_connect (alice, "stanza::iq", G_CALLBACK (bosh_test_keep_stanza), &stanzas);
  iq = bosh_test_new_request (bosh_client_get_jid (bob), "strange", BOSH_TEST_NS_STRANGE);
  bosh_element_set_attribute (iq, "from", bosh_client_get_jid (alice));
  g_assert_null (bosh_test_send_iq (alice, iq, 1, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TIMED_OUT);
  bosh_test_wait_until (bosh_test_is_nonzero, &requests);
  g_assert_cmpuint (requests, ==, 1);

  reply = bosh_element_new_iq_result (iq, NULL);
  g_clear_error (&error);
  bosh_element_set_attribute (reply, "to", bosh_client_get_jid (alice));
  bosh_client_send (bob, reply, &error);
  g_assert_no_error (error);
  late = bosh_test_next_stanza (&stanzas);
  g_assert_cmpstr (bosh_element_get_attribute (late, "id"), ==,
                   bosh_element_get_attribute (iq, "id"));
  bosh_test_close (alice);
  bosh_test_close (bob);
}

static gboolean
on_request_responded (BoshClient  *client,
                      BoshElement *request,
                      gpointer     user_data)
{
  g_autoptr(BoshElement) payload = bosh_element_new ("handled", BOSH_TEST_NS_STRANGE);
  g_autoptr(BoshElement) reply = NULL;
  g_autoptr(GError) error = NULL;

  if (bosh_element_get_child (request, "strange", BOSH_TEST_NS_STRANGE) == NULL)
    return FALSE;

  reply = bosh_element_new_iq_result (request, payload);
  bosh_client_send (client, reply, &error);
  g_assert_no_error (error);

  return TRUE;
}

static void
test_automatic_responses (void)
{
  BoshClient *alice = bosh_test_new_ready ("localhost", "alice");
  BoshClient *bob = bosh_test_new_ready ("localhost", "bob");
  const char *address = bosh_client_get_jid (bob);
  g_autoptr(BoshElement) ping = bosh_test_new_request (address, "ping", BOSH_TEST_NS_PING);
  g_autoptr(BoshElement) strange = bosh_test_new_request (address, "strange", BOSH_TEST_NS_STRANGE);
  g_autoptr(BoshElement) other = bosh_test_new_request (address, "other", BOSH_TEST_NS_STRANGE);
  g_autoptr(BoshElement) response = NULL;
  g_autoptr(GError) error = NULL;
  GQueue stanzas = G_QUEUE_INIT;
  gulong handler;

  g_test_summary ("RFC 6120 §8.2.3, XEP-0199 §4: every request has a response, from the "
                  "application or for it");

  g_signal_connect (bob, "stanza::iq", G_CALLBACK (bosh_test_keep_stanza), &stanzas);
  response = bosh_test_send_iq (alice, ping, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bosh_element_get_n_children (response), ==, 0);
  g_assert_null (bosh_test_send_iq (alice, strange, -1, &error));
  g_assert_error (error, BOSH_STANZA_ERROR, BOSH_STANZA_ERROR_SERVICE_UNAVAILABLE);
  g_clear_error (&error);
  /* They are shown all the same. */
  g_assert_cmpuint (g_queue_get_length (&stanzas), ==, 2);

  handler = g_signal_connect (bob, "iq-request", G_CALLBACK (on_request_responded), NULL);
  g_clear_pointer (&response, bosh_element_unref);
  response = bosh_test_send_iq (alice, strange, -1, &error);
  g_assert_no_error (error);
  g_assert_nonnull (bosh_element_get_child (response, "handled", BOSH_TEST_NS_STRANGE));
  g_assert_null (bosh_test_send_iq (alice, other, -1, &error));
  g_assert_error (error, BOSH_STANZA_ERROR, BOSH_STANZA_ERROR_SERVICE_UNAVAILABLE);
  g_signal_handler_disconnect (bob, handler);

  bosh_test_clear_stanzas (&stanzas);
  bosh_test_close (alice);
  bosh_test_close (bob);
}

static void
test_messages (void)
{
  BoshClient *alice = bosh_test_new_ready ("localhost", "alice");
  BoshClient *bob = bosh_test_new_ready ("localhost", "bob");
  GQueue at_alice = G_QUEUE_INIT;
  GQueue at_bob = G_QUEUE_INIT;

  g_test_summary ("Messages arrive once, in order, and as they were written");

  g_signal_connect (alice, "stanza::message", G_CALLBACK (bosh_test_keep_stanza), &at_alice);
  g_signal_connect (bob, "stanza::message", G_CALLBACK (bosh_test_keep_stanza), &at_bob);
  for (guint i = 0; i < 50; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u " UNICODE, i);

      bosh_test_send_message (alice, bosh_client_get_jid (bob), text);
      if (i % 7 == 0)
        bosh_test_send_message (bob, bosh_client_get_jid (alice), text);
    }

  for (guint i = 0; i < 50; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u " UNICODE, i);
      g_autoptr(BoshElement) message = bosh_test_next_stanza (&at_bob);

      bosh_test_assert_body (message, text);
      g_assert_cmpstr (bosh_element_get_attribute (message, "from"), ==,
                       bosh_client_get_jid (alice));
      g_assert_true (bosh_element_matches (message, "message", "jabber:client"));
      if (i % 7 == 0)
        {
          g_autoptr(BoshElement) other = bosh_test_next_stanza (&at_alice);

          bosh_test_assert_body (other, text);
        }
    }
  bosh_test_run_dry ();
  g_assert_true (g_queue_is_empty (&at_alice));
  g_assert_true (g_queue_is_empty (&at_bob));
  bosh_test_close (alice);
  bosh_test_close (bob);
}

static void
test_presence (void)
{
  BoshClient *one = bosh_test_new_ready ("localhost", "carol");
  BoshClient *two = bosh_test_new_ready ("localhost", "carol");
  g_autoptr(BoshElement) available = bosh_element_new_presence (NULL, NULL);
  g_autoptr(BoshElement) also = bosh_element_new_presence (NULL, NULL);
  g_autofree char *jid = g_strdup (bosh_client_get_jid (two));
  GQueue presences = G_QUEUE_INIT;
  g_autoptr(GError) error = NULL;
  gboolean seen = FALSE;

  g_test_summary ("RFC 6121 §4.5: whoever disconnects says that they are gone");

  g_signal_connect (one, "stanza::presence", G_CALLBACK (bosh_test_keep_stanza), &presences);
  bosh_client_send (one, available, &error);
  g_assert_no_error (error);
  bosh_client_send (two, also, &error);
  g_assert_no_error (error);
  while (!seen)
    {
      g_autoptr(BoshElement) presence = bosh_test_next_stanza (&presences);

      seen = strcmp (bosh_element_get_attribute (presence, "from"), jid) == 0;
    }

  bosh_test_close (two);
  for (seen = FALSE; !seen;)
    {
      g_autoptr(BoshElement) presence = bosh_test_next_stanza (&presences);

      seen = strcmp (bosh_element_get_attribute (presence, "from"), jid) == 0 &&
             g_strcmp0 (bosh_element_get_attribute (presence, "type"), "unavailable") == 0;
    }
  bosh_test_close (one);
  bosh_test_clear_stanzas (&presences);
}

static void
test_nothing_of_login (void)
{
  BoshClient *client = bosh_test_new_client ("plain.localhost");
  g_autoptr(GError) error = NULL;
  GQueue stanzas = G_QUEUE_INIT;

  g_test_summary ("Neither features nor SASL elements nor the response to bind are shown");

  g_signal_connect (client, "stanza", G_CALLBACK (bosh_test_keep_stanza), &stanzas);
  g_signal_connect (bosh_client_get_connection (client), "stanza",
                    G_CALLBACK (bosh_test_keep_element), &stanzas);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "wrong", NULL, &error);
  g_clear_error (&error);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_queue_get_length (&stanzas), ==, 0);
  bosh_test_close (client);
  /* A server may show us our own farewell. */
  bosh_test_clear_stanzas (&stanzas);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  bosh_test_set_server (argv[1]);

  g_test_add_func ("/bosh/client/properties", test_properties);
  g_test_add_func ("/bosh/client/mechanisms", test_mechanisms);
  g_test_add_func ("/bosh/client/https", test_https);
  g_test_add_func ("/bosh/client/anonymous", test_anonymous);
  g_test_add_func ("/bosh/client/no-mechanism", test_no_mechanism);
  if (!bosh_test_is_ejabberd ())
    g_test_add_func ("/bosh/client/external", test_external);
  g_test_add_func ("/bosh/client/resource", test_resource);
  g_test_add_func ("/bosh/client/wrong-password", test_wrong_password);
  g_test_add_func ("/bosh/client/unknown-user", test_unknown_user);
  g_test_add_func ("/bosh/client/unknown-host", test_unknown_host);
  g_test_add_func ("/bosh/client/insecure", test_insecure);
  g_test_add_func ("/bosh/client/one-login", test_one_login);
  g_test_add_func ("/bosh/client/nothing-of-login", test_nothing_of_login);
  g_test_add_func ("/bosh/client/iq", test_iq);
  g_test_add_func ("/bosh/client/iq-id", test_iq_id);
  g_test_add_func ("/bosh/client/iq-error", test_iq_error);
  g_test_add_func ("/bosh/client/iq-timeout", test_iq_timeout);
  g_test_add_func ("/bosh/client/automatic-responses", test_automatic_responses);
  g_test_add_func ("/bosh/client/messages", test_messages);
  g_test_add_func ("/bosh/client/presence", test_presence);

  return g_test_run ();
}
