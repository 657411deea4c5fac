/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How few requests a login takes of a real server. servers/run-with.py starts it
 * and says where it is; the name of the server is the argument. */

#include "config.h"

#include "bosh-test-client.h"

#include "bosh-client-private.h"

#include <string.h>
#include <time.h>

#define NS_XBOSH "urn:xmpp:xbosh"
#define MUNICH "m\xc3\xbcnchen.localhost"

/* Never in the time of a test; milliseconds. */
#define AGES (60 * 60 * 1000)

typedef struct
{
  const char *domain;
  const char *resource;  /* nullable */
  const char *mechanism;
  guint       n_requests;
} Login;

/* What a connection sends and receives. A slow server has nothing to say at first,
 * and is asked again; what is repeated does not count. */
typedef struct
{
  guint64 last_rid;
  guint   n_steps;     /* requests that say something */
  guint   n_polls;     /* and those that do not */
  guint   n_silences;  /* responses that say nothing */
} Tally;

static void
on_request_sent (BoshConnection *connection,
                 const char     *body,
                 gpointer        user_data)
{
  Tally *tally = user_data;
  g_autoptr(BoshElement) element = bosh_element_new_from_string (body, NULL);
  guint64 rid = g_ascii_strtoull (bosh_element_get_attribute (element, "rid"), NULL, 10);

  if (rid <= tally->last_rid)
    return;

  tally->last_rid = rid;
  if (bosh_element_get_n_children (element) > 0 ||
      bosh_element_get_attribute (element, "sid") == NULL ||
      bosh_element_get_attribute_ns (element, "restart", NS_XBOSH) != NULL)
    tally->n_steps++;
  else
    tally->n_polls++;
}

static void
on_response_received (BoshConnection *connection,
                      const char     *body,
                      gpointer        user_data)
{
  Tally *tally = user_data;
  g_autoptr(BoshElement) element = bosh_element_new_from_string (body, NULL);

  if (element != NULL && bosh_element_get_n_children (element) == 0)
    tally->n_silences++;
}

static void
on_connection (BoshClient *client,
               GParamSpec *pspec,
               gpointer    user_data)
{
  BoshConnection *connection = bosh_client_get_connection (client);
  Tally *tally = g_new0 (Tally, 1);

  g_object_set_data_full (G_OBJECT (connection), "tally", tally, g_free);
  g_signal_connect (connection, "request-sent", G_CALLBACK (on_request_sent), tally);
  g_signal_connect (connection, "response-received", G_CALLBACK (on_response_received), tally);
}

/* An empty request follows at once, which is not of the login. */
static void
on_state (BoshClient *client,
          GParamSpec *pspec,
          gpointer    user_data)
{
  const Login *login = user_data;
  BoshConnection *connection = bosh_client_get_connection (client);
  Tally *tally = g_object_get_data (G_OBJECT (connection), "tally");

  if (bosh_client_get_state (client) != BOSH_CLIENT_STATE_READY)
    return;

  g_assert_cmpuint (tally->n_steps, ==, login->n_requests);
  g_assert_cmpuint (tally->n_polls, <=, tally->n_silences);
}

static void
log_in (BoshClient  *client,
        const Login *login)
{
  g_autofree char *prefix = g_strdup_printf ("alice@%s/", login->domain);
  g_autoptr(GError) error = NULL;

  on_connection (client, NULL, NULL);
  g_signal_connect (client, "notify::connection", G_CALLBACK (on_connection), NULL);
  g_signal_connect (client, "notify::state", G_CALLBACK (on_state), (gpointer)login);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", login->resource, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bosh_client_get_mechanism (client), ==, login->mechanism);
  g_assert_true (g_str_has_prefix (bosh_client_get_jid (client), prefix));
  if (login->resource != NULL)
    g_assert_cmpstr (bosh_client_get_jid (client) + strlen (prefix), ==, login->resource);
}

/* Sends a message to itself. */
static void
assert_works (BoshClient *client)
{
  GQueue stanzas = G_QUEUE_INIT;
  g_autoptr(BoshElement) message = NULL;
  gulong handler;

  handler = g_signal_connect (client, "stanza::message",
                              G_CALLBACK (bosh_test_keep_stanza), &stanzas);
  bosh_test_send_message (client, bosh_client_get_jid (client), "hello");
  message = bosh_test_next_stanza (&stanzas);
  bosh_test_assert_body (message, "hello");
  g_signal_handler_disconnect (client, handler);
}

static void
test_classic (void)
{
  static const Login logins[] = {
    { "plainonly.localhost", NULL, "PLAIN", 4 },
    { "sha1.localhost", NULL, "SCRAM-SHA-1", 5 },
    { "sha256.localhost", "desk", "SCRAM-SHA-256", 5 },
  };

  g_test_summary ("RFC 6120 §6, §7 and XEP-0206 §5: one request for each step, and no other");

  for (gsize i = 0; i < G_N_ELEMENTS (logins); i++)
    {
      BoshClient *client = bosh_test_new_client (logins[i].domain);

      log_in (client, &logins[i]);
      bosh_test_close (client);
    }
}

static void
test_pipelined (void)
{
  static const Login logins[] = {
    { "plainonly.localhost", NULL, "PLAIN", 4 },
    { "sha1.localhost", "desk", "SCRAM-SHA-1", 5 },
    { "plainonly.localhost", "desk", "PLAIN", 4 },
    { "sha256.localhost", NULL, "SCRAM-SHA-256", 5 },
  };

  g_test_summary ("XEP-0305, though no server offers it: the request to bind follows the restart "
                  "without its response");

  for (gsize i = 0; i < 5 * G_N_ELEMENTS (logins); i++)
    {
      const Login *login = &logins[i % G_N_ELEMENTS (logins)];
      BoshClient *client;

      bosh_test_set_use_keys (i % 2 == 1);
      client = bosh_test_new_client (login->domain);
      bosh_client_set_pipeline_login (client, TRUE);
      log_in (client, login);
      assert_works (client);
      bosh_test_close (client);
    }
  bosh_test_set_use_keys (FALSE);
}

static void
assert_pinged (BoshClient *client,
               const char *to)
{
  g_autoptr(BoshElement) ping = bosh_test_new_request (to, "ping", BOSH_TEST_NS_PING);
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) response = bosh_test_send_iq (client, ping, 10, &error);

  g_assert_no_error (error);
  g_assert_nonnull (response);
}

static void
test_typed (void)
{
  static const struct
  {
    const char *domain;   /* as people type it */
    const char *prepared;
    const char *another;  /* spelling, with which the session is attached */
    const char *contact;  /* in a stanza, which is sent as it is: the server prepares it */
  } cases[] = {
    { "LocalHost", "localhost", "localhost", "LOCALHOST" },
    { "localhost.", "localhost", "LOCALHOST", "LocalHost" },
    { "PlainOnly.LocalHost", "plainonly.localhost", "plainonly.localhost", "plainonly.localhost" },
    { "SHA256.localhost", "sha256.localhost", "sha256.localhost.", "Sha256.Localhost" },
    { MUNICH, MUNICH, "xn--mnchen-3ya.localhost", "M\xc3\x9cNCHEN.LocalHost" },
    { "M\xc3\x9cNCHEN.LocalHost", MUNICH, MUNICH, MUNICH },
    { "XN--MNCHEN-3YA.localhost", MUNICH, "mu\xcc\x88nchen.localhost", MUNICH },
  };

  g_test_summary ("RFC 7622 §3.2, §3.3: name and domain may be written as people type them");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      BoshClient *client = bosh_test_new_client (cases[i].domain);
      BoshClient *other = bosh_test_new_client (cases[i].another);
      g_autofree char *prefix = g_strdup_printf ("alice@%s/", cases[i].prepared);
      g_autoptr(BoshSavedSession) session = NULL;
      g_autoptr(GAsyncResult) detached = NULL;
      g_autoptr(GAsyncResult) attached = NULL;
      g_autoptr(GError) error = NULL;

      g_test_message ("%s", cases[i].domain);
      g_assert_cmpstr (bosh_client_get_domain (client), ==, cases[i].prepared);
      bosh_test_connect (client, &error);
      g_assert_no_error (error);
      bosh_test_login (client, "Alice", "secret", NULL, &error);
      g_assert_no_error (error);
      g_assert_true (g_str_has_prefix (bosh_client_get_jid (client), prefix));
      assert_pinged (client, NULL);
      assert_pinged (client, cases[i].contact);

      bosh_client_detach_async (client, NULL, bosh_test_keep_result, &detached);
      session = bosh_client_detach_finish (client, bosh_test_wait_for (&detached), &error);
      g_assert_no_error (error);
      bosh_client_attach_async (other, session, NULL, bosh_test_keep_result, &attached);
      bosh_client_attach_finish (other, bosh_test_wait_for (&attached), &error);
      g_assert_no_error (error);
      assert_works (other);
      g_clear_object (&detached);
      bosh_test_assert_gone (client);
      g_clear_object (&attached);
      bosh_test_close (other);
    }
}

/* --- XEP-0388 and XEP-0386, which Debian's Prosody has from its community --- */

static gboolean
has_sasl2 (void)
{
  if (g_getenv ("BOSH_TEST_PROSODY_SASL2") != NULL)
    return TRUE;

  if (g_strcmp0 (g_getenv ("CI"), "true") == 0)
    g_error ("The modules of Prosody's community are not installed");
  g_test_skip ("The modules of Prosody's community are not installed");

  return FALSE;
}

static void
test_extensible (void)
{
  static const Login logins[] = {
    { "sasl2plain.localhost", NULL, "PLAIN", 2 },
    { "sasl2plain.localhost", "desk", "PLAIN", 3 },
    { "sasl2sha1.localhost", NULL, "SCRAM-SHA-1", 3 },
    { "sasl2sha1.localhost", "desk", "SCRAM-SHA-1", 4 },
    { "sasl2.localhost", NULL, "SCRAM-SHA-256", 3 },
    { "sasl2.localhost", "desk", "SCRAM-SHA-256", 4 },
  };

  if (!has_sasl2 ())
    return;

  g_test_summary ("XEP-0388, XEP-0386: no restart, and no request to bind where the resource is "
                  "the server's choice");

  for (gsize i = 0; i < 2 * G_N_ELEMENTS (logins); i++)
    {
      BoshClient *client;

      bosh_test_set_use_keys (i % 2 == 1);
      client = bosh_test_new_client (logins[i / 2].domain);
      log_in (client, &logins[i / 2]);
      assert_works (client);
      bosh_test_close (client);
    }
  bosh_test_set_use_keys (FALSE);
}

static void
test_extensible_anonymous (void)
{
  BoshClient *client;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  if (!has_sasl2 ())
    return;

  g_test_summary ("XEP-0388 §2.2: an empty response");

  client = bosh_test_new_client ("sasl2anon.localhost");
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_client_login_anonymously_async (client, NULL, NULL, bosh_test_keep_result, &result);
  bosh_client_login_anonymously_finish (client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (bosh_client_get_jid (client), "@sasl2anon.localhost/"));
  g_clear_object (&result);
  bosh_test_close (client);
}

static void
test_extensible_wrong_password (void)
{
  static const char * const domains[] = { "sasl2.localhost", "sasl2plain.localhost" };

  if (!has_sasl2 ())
    return;

  g_test_summary ("XEP-0388 §2.6.2: after a failure the login is tried again in the same session");

  for (gsize i = 0; i < G_N_ELEMENTS (domains); i++)
    {
      BoshClient *client = bosh_test_new_client (domains[i]);
      g_autoptr(GError) error = NULL;

      bosh_test_connect (client, &error);
      g_assert_no_error (error);
      bosh_test_login (client, "alice", "wrong", NULL, &error);
      g_assert_error (error, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
      g_clear_error (&error);
      g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CONNECTED);
      bosh_test_login (client, "nobody", "secret", "x", &error);
      g_assert_error (error, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
      g_clear_error (&error);
      bosh_test_login (client, "alice", "secret", NULL, &error);
      g_assert_no_error (error);
      assert_works (client);
      bosh_test_close (client);
    }
}

static void
test_extensible_prebind (void)
{
  g_autoptr(BoshClient) prebinder = NULL;
  g_autoptr(GAsyncResult) bound = NULL;
  g_autoptr(GAsyncResult) attached = NULL;
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GError) error = NULL;
  BoshClient *client;

  if (!has_sasl2 ())
    return;

  g_test_summary ("A session that was opened so is handed over like any other");

  prebinder = bosh_test_new_client ("sasl2.localhost");
  bosh_client_prebind_async (prebinder, "alice", "secret", NULL, NULL,
                             bosh_test_keep_result, &bound);
  session = bosh_client_prebind_finish (prebinder, bosh_test_wait_for (&bound), &error);
  g_assert_no_error (error);
  g_assert_false (bosh_saved_session_has_open_request (session));
  client = bosh_test_new_client ("sasl2.localhost");
  bosh_client_attach_async (client, session, NULL, bosh_test_keep_result, &attached);
  bosh_client_attach_finish (client, bosh_test_wait_for (&attached), &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (bosh_client_get_jid (client), "alice@sasl2.localhost/"));
  assert_works (client);
  g_clear_object (&attached);
  bosh_test_close (client);
}

/* --- Logging in again --- */

/* Ends the session of @client as somebody else would: the server forgets it.
 * Nobody reads the response, and the socket is to stay open until it has come. */
static GSocketConnection *
end_session (BoshClient *client)
{
  BoshConnection *connection = bosh_client_get_connection (client);
  g_autoptr(GUri) uri = g_uri_parse (bosh_test_get_variable ("HTTP_URI"), G_URI_FLAGS_NONE, NULL);
  g_autoptr(GSocketClient) socket_client = g_socket_client_new ();
  GSocketConnection *socket;
  g_autofree char *body = NULL;
  g_autofree char *request = NULL;
  g_autoptr(GError) error = NULL;

  body = g_strdup_printf ("<body rid='%" G_GUINT64_FORMAT "' sid='%s' type='terminate' "
                          "xmlns='http://jabber.org/protocol/httpbind'/>",
                          bosh_connection_get_request_id (connection) + 1,
                          bosh_connection_get_session_id (connection));
  request = g_strdup_printf ("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
                             "Connection: close\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s",
                             g_uri_get_path (uri), strlen (body), body);
  socket = g_socket_client_connect_to_host (socket_client, g_uri_get_host (uri),
                                            g_uri_get_port (uri), NULL, &error);
  g_assert_no_error (error);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (socket)), request,
                             strlen (request), NULL, NULL, &error);
  g_assert_no_error (error);

  return socket;
}

typedef struct
{
  BoshClient     *client;
  BoshConnection *lost;
} Loss;

static gboolean
is_back (gpointer data)
{
  Loss *loss = data;

  return bosh_client_get_state (loss->client) == BOSH_CLIENT_STATE_READY &&
         bosh_client_get_connection (loss->client) != loss->lost;
}

/* Ends the session and waits for the next one. Returns what it took of the
 * processor, in milliseconds. */
static double
lose (BoshClient *client)
{
  g_autoptr(BoshConnection) connection = g_object_ref (bosh_client_get_connection (client));
  g_autoptr(GSocketConnection) socket = NULL;
  clock_t begin = clock ();

  socket = end_session (client);
  bosh_test_wait_until (is_back, &(Loss){ client, connection });

  return (clock () - begin) * 1000.0 / CLOCKS_PER_SEC;
}

static gboolean
is_closed (gpointer data)
{
  return bosh_client_get_state (data) == BOSH_CLIENT_STATE_CLOSED;
}

static const char *
get_password (BoshClient *client)
{
  BoshCredentials *credentials = client_get_credentials_for_tests (client);

  return credentials != NULL ? bosh_credentials_get_password (credentials) : NULL;
}

static const char *
get_salted (BoshClient *client)
{
  BoshCredentials *credentials = client_get_credentials_for_tests (client);

  return credentials != NULL ? bosh_credentials_get_salted_password (credentials) : NULL;
}

/* Logged in, with the request out that the server holds. */
static BoshClient *
new_persistent (const Login *login)
{
  BoshClient *client = bosh_test_new_client (login->domain);

  bosh_client_set_auto_reconnect (client, TRUE);
  client_set_delays_for_tests (client, 1, 2, AGES);
  log_in (client, login);
  assert_works (client);

  return client;
}

static void
check_reconnect (const Login *logins,
                 gsize        n_logins)
{
  for (gsize i = 0; i < n_logins; i++)
    {
      BoshClient *client = new_persistent (&logins[i]);
      g_autofree char *salted = g_strdup (get_salted (client));
      double known;
      double unknown;

      g_assert_cmpint (salted != NULL, ==, strcmp (logins[i].mechanism, "PLAIN") != 0);
      known = lose (client);
      g_assert_cmpstr (get_salted (client), ==, salted);
      assert_works (client);

      /* As if it was not kept. */
      bosh_credentials_set_salted_password (client_get_credentials_for_tests (client), NULL);
      unknown = lose (client);
      g_assert_cmpstr (get_salted (client), ==, salted);
      g_test_message ("%s with %s: %.1f ms of the processor; without what is kept, %.1f ms",
                      logins[i].domain, logins[i].mechanism, known, unknown);
      assert_works (client);
      bosh_test_disconnect (client);
      g_assert_null (get_salted (client));
      bosh_test_assert_gone (client);
    }
}

static void
test_reconnect (void)
{
  static const Login logins[] = {
    { "plainonly.localhost", "desk", "PLAIN", 4 },
    { "sha1.localhost", "desk", "SCRAM-SHA-1", 5 },
    { "sha256.localhost", NULL, "SCRAM-SHA-256", 5 },
  };

  g_test_summary ("RFC 5802 §5.1: who logs in again uses what the first login has computed; it is "
                  "kept as long as the password");

  check_reconnect (logins, G_N_ELEMENTS (logins));
}

static void
test_extensible_reconnect (void)
{
  static const Login logins[] = {
    { "sasl2plain.localhost", NULL, "PLAIN", 2 },
    { "sasl2sha1.localhost", NULL, "SCRAM-SHA-1", 3 },
    { "sasl2sha1.localhost", "desk", "SCRAM-SHA-1", 4 },
  };

  if (!has_sasl2 ())
    return;

  g_test_summary ("The same by XEP-0388");

  check_reconnect (logins, G_N_ELEMENTS (logins));
}

static void
test_unaided (void)
{
  static const Login login = { "debian.localhost", "desk", "SCRAM-SHA-256", 5 };
  g_autofree char *release = g_get_os_info (G_OS_INFO_KEY_VERSION_ID);
  BoshClient *client;
  g_autoptr(GError) error = NULL;

  if (!has_sasl2 ())
    return;

  g_test_summary ("The mod_sasl2 of Debian 12 says nothing over BOSH: the login goes on by RFC "
                  "6120, which the client remembers. That of Debian 13 is used");

  client = bosh_test_new_client (login.domain);
  bosh_client_set_auto_reconnect (client, TRUE);
  client_set_delays_for_tests (client, 1, 2, AGES);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "wrong", NULL, &error);
  g_assert_error (error, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
  g_clear_error (&error);
  if (g_strcmp0 (release, "12") == 0)
    g_assert_false (bosh_client_get_use_sasl2 (client));
  bosh_test_login (client, "alice", "secret", "desk", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bosh_client_get_jid (client), ==, "alice@debian.localhost/desk");
  assert_works (client);

  /* From now on with as few requests as without it. */
  if (!bosh_client_get_use_sasl2 (client))
    {
      g_signal_connect (client, "notify::connection", G_CALLBACK (on_connection), NULL);
      g_signal_connect (client, "notify::state", G_CALLBACK (on_state), (gpointer)&login);
    }
  lose (client);
  assert_works (client);
  bosh_test_close (client);
}

static void
test_reconnect_looks_at_it (void)
{
  static const Login login = { "sha1.localhost", "desk", "SCRAM-SHA-1", 5 };
  BoshClient *client = new_persistent (&login);
  g_autoptr(GSocketConnection) socket = NULL;
  g_autofree char *wrong = g_strdup (get_salted (client));

  g_test_summary ("It is looked at: with another one in its place the server refuses us");

  wrong[strlen (wrong) - 1] = wrong[strlen (wrong) - 1] == '0' ? '1' : '0';
  bosh_credentials_set_salted_password (client_get_credentials_for_tests (client), wrong);
  socket = end_session (client);
  bosh_test_wait_until (is_closed, client);
  g_assert_null (get_salted (client));
  g_assert_null (get_password (client));
  bosh_test_assert_gone (client);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  bosh_test_set_server (argv[1]);

  g_test_add_func ("/bosh/logins/classic", test_classic);
  g_test_add_func ("/bosh/logins/pipelined", test_pipelined);
  g_test_add_func ("/bosh/logins/typed", test_typed);
  if (!bosh_test_is_ejabberd ())
    {
      /* ejabberd would hang where our farewell overtakes a request of the client;
       * bindings/test-reconnect.py restarts it. */
      g_test_add_func ("/bosh/logins/reconnect", test_reconnect);
      g_test_add_func ("/bosh/logins/reconnect-looks-at-it", test_reconnect_looks_at_it);
      g_test_add_func ("/bosh/logins/extensible", test_extensible);
      g_test_add_func ("/bosh/logins/extensible-anonymous", test_extensible_anonymous);
      g_test_add_func ("/bosh/logins/unaided", test_unaided);
      g_test_add_func ("/bosh/logins/extensible-prebind", test_extensible_prebind);
      g_test_add_func ("/bosh/logins/extensible-reconnect", test_extensible_reconnect);
      g_test_add_func ("/bosh/logins/extensible-wrong-password", test_extensible_wrong_password);
    }

  return g_test_run ();
}
