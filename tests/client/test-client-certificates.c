/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A client whose server shows certificates that can't be verified, while sessions are
 * lost. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-manager.h"
#include "bosh-test-tls.h"

#include "bosh-client-private.h"

#include <string.h>

#define LOST "type='terminate' condition='item-not-found'"

/* Never in the time of a test; milliseconds. */
#define AGES (60 * 60 * 1000)

/* Made once: openssl takes its time. */
static BoshTestTls *tls;

typedef struct
{
  BoshTestManager *manager;
  BoshTestExchange *held;        /* the last request of the session */
  BoshClient *client;

  gboolean accepts;
  guint n_asked;
  GTlsCertificate *certificate;  /* that was asked about last; not owned */
  guint n_notified;              /* changes of tls-peer-certificate */
  guint n_closed;
  GError *close_error;
} Life;

static gboolean
on_request (BoshTestManager  *manager,
            BoshTestExchange *exchange,
            gpointer          user_data)
{
  Life *life = user_data;

  life->held = exchange;

  return bosh_test_exchange_log_in (exchange, "x@example.org/y");
}

static gboolean
on_accept_certificate (BoshClient           *client,
                       GTlsCertificate      *certificate,
                       GTlsCertificateFlags  errors,
                       gpointer              user_data)
{
  Life *life = user_data;

  g_assert_cmpuint (errors, !=, 0);
  life->n_asked++;
  life->certificate = certificate;

  return life->accepts;
}

static void
on_certificate (BoshClient *client,
                GParamSpec *pspec,
                gpointer    user_data)
{
  Life *life = user_data;

  life->n_notified++;
}

static void
on_closed (BoshClient   *client,
           const GError *error,
           gpointer      user_data)
{
  Life *life = user_data;

  life->n_closed++;
  life->close_error = error != NULL ? g_error_copy (error) : NULL;
}

static void
life_init (Life     *life,
           gboolean  accepts)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  *life = (Life){ .accepts = accepts };
  life->manager = bosh_test_manager_new (tls->untrusted);
  bosh_test_manager_set_automatic (life->manager, TRUE);
  bosh_test_manager_set_grants (life->manager, BOSH_TEST_GRANTS, BOSH_TEST_MECHANISM ("ANONYMOUS"));
  bosh_test_manager_set_script (life->manager, on_request, life);
  configuration = bosh_test_manager_configure_secure (life->manager,
                                                      "tls-database", tls->database,
                                                      NULL);
  life->client = bosh_client_new ("example.org", configuration);
  client_set_delays_for_tests (life->client, 1, 2, AGES);
  bosh_client_set_auto_reconnect (life->client, TRUE);
  g_signal_connect (life->client, "accept-certificate", G_CALLBACK (on_accept_certificate), life);
  g_signal_connect (life->client, "notify::tls-peer-certificate", G_CALLBACK (on_certificate), life);
  g_signal_connect (life->client, "closed", G_CALLBACK (on_closed), life);
}

static void
life_clear (Life *life)
{
  g_signal_handlers_disconnect_by_data (life->client, life);
  bosh_test_assert_gone (life->client);
  bosh_test_manager_free (life->manager);
  g_clear_error (&life->close_error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Life, life_clear)

static void
log_in (Life *life)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  bosh_test_connect (life->client, &error);
  g_assert_no_error (error);
  bosh_client_login_anonymously_async (life->client, NULL, NULL, bosh_test_keep_result, &result);
  bosh_client_login_anonymously_finish (life->client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
}

/* The session is lost, and the sockets with it. */
static void
lose (Life *life)
{
  bosh_test_await (bosh_test_manager_get_n_held (life->manager) > 0);
  bosh_test_exchange_respond (life->held, LOST, "");
  bosh_test_await (bosh_client_get_state (life->client) == BOSH_CLIENT_STATE_RECONNECTING);
}

static void
assert_peer (Life                 *life,
             GTlsCertificate      *expected,
             GTlsCertificateFlags  expected_errors)
{
  g_autoptr(GTlsCertificate) certificate = NULL;
  GTlsCertificateFlags errors;

  g_object_get (life->client,
                "tls-peer-certificate", &certificate,
                "tls-peer-certificate-errors", &errors,
                NULL);
  g_assert_true (certificate == bosh_client_get_tls_peer_certificate (life->client));
  g_assert_cmpuint (errors, ==, bosh_client_get_tls_peer_certificate_errors (life->client));

  g_assert_true (g_tls_certificate_is_same (certificate, expected));
  g_assert_cmpuint (errors, ==, expected_errors);
}

static void
test_comes_back (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("A certificate that the application has accepted is taken after a loss "
                  "without asking again");

  life_init (&life, TRUE);
  g_assert_null (bosh_client_get_tls_peer_certificate (life.client));
  log_in (&life);
  g_assert_cmpuint (life.n_asked, ==, 1);
  g_assert_cmpuint (life.n_notified, ==, 1);
  assert_peer (&life, tls->untrusted, G_TLS_CERTIFICATE_UNKNOWN_CA);

  lose (&life);
  bosh_test_await (bosh_client_get_state (life.client) == BOSH_CLIENT_STATE_READY);
  g_assert_cmpuint (life.n_asked, ==, 1);
  /* The new connection had none at first. */
  g_assert_cmpuint (life.n_notified, ==, 3);
  assert_peer (&life, tls->untrusted, G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static void
test_another (void)
{
  g_test_summary ("After a loss the application is asked about another certificate at each "
                  "attempt, and the client ends if it refuses that each time; nothing is sent there");

  for (guint accepts = 0; accepts <= 1; accepts++)
    {
      g_auto(Life) life = { NULL };
      guint n_requests;

      life_init (&life, TRUE);
      log_in (&life);
      life.accepts = accepts;
      bosh_client_set_max_reconnect_attempts (life.client, 3);
      bosh_test_manager_set_certificate (life.manager, tls->expired);
      lose (&life);
      n_requests = bosh_test_manager_get_exchanges (life.manager)->len;
      bosh_test_await (life.n_closed == 1 ||
                       bosh_client_get_state (life.client) == BOSH_CLIENT_STATE_READY);
      g_assert_cmpuint (life.n_asked, ==, accepts ? 2 : 1 + 3);
      g_assert_cmpuint (life.n_closed, ==, !accepts);
      assert_peer (&life, tls->expired, G_TLS_CERTIFICATE_EXPIRED);
      if (accepts)
        continue;

      g_assert_error (life.close_error, BOSH_ERROR, BOSH_ERROR_TLS);
      g_assert_cmpuint (bosh_test_manager_get_exchanges (life.manager)->len, ==, n_requests);
    }
}

/* The session goes on over another HTTP connection. */
static void
cut (Life *life)
{
  bosh_test_await (bosh_test_manager_get_n_held (life->manager) > 0);
  bosh_test_exchange_reset (life->held);
}

static void
test_portal (void)
{
  g_auto(Life) life = { NULL };
  guint n_requests;

  g_test_summary ("Something that intercepts TLS for a while ends the session, not the account; "
                  "nothing is sent to it, and the certificate is verified as before");

  life_init (&life, FALSE);
  bosh_test_manager_set_certificate (life.manager, tls->server);
  bosh_client_set_max_reconnect_attempts (life.client, 1000);
  log_in (&life);
  bosh_test_manager_set_certificate (life.manager, tls->untrusted);
  cut (&life);
  bosh_test_await (bosh_client_get_state (life.client) == BOSH_CLIENT_STATE_RECONNECTING);
  n_requests = bosh_test_manager_get_exchanges (life.manager)->len;
  bosh_test_await (life.n_asked >= 3);
  g_assert_cmpint (bosh_client_get_state (life.client), ==, BOSH_CLIENT_STATE_RECONNECTING);
  g_assert_error (bosh_client_get_last_error (life.client), BOSH_ERROR, BOSH_ERROR_TLS);
  g_assert_cmpuint (bosh_test_manager_get_exchanges (life.manager)->len, ==, n_requests);

  bosh_test_manager_set_certificate (life.manager, tls->server);
  bosh_test_await (bosh_client_get_state (life.client) == BOSH_CLIENT_STATE_READY);
  assert_peer (&life, tls->server, 0);
  g_assert_cmpuint (life.n_closed, ==, 0);
}

static void
test_renewed (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("XEP-0124 §19.1: a certificate that is renewed in the middle ends the session, "
                  "and the next one begins with it, without a question");

  life_init (&life, FALSE);
  bosh_test_manager_set_certificate (life.manager, tls->server);
  log_in (&life);
  bosh_test_manager_set_certificate (life.manager, tls->other_server);
  cut (&life);
  bosh_test_await (bosh_client_get_state (life.client) == BOSH_CLIENT_STATE_RECONNECTING);
  bosh_test_await (bosh_client_get_state (life.client) == BOSH_CLIENT_STATE_READY);
  assert_peer (&life, tls->other_server, 0);
  g_assert_cmpuint (life.n_asked, ==, 0);
  g_assert_cmpuint (life.n_closed, ==, 0);
}

/* --- Addresses at which there is no connection manager --- */

typedef enum
{
  WAITS,     /* for the end of the request, as Prosody does */
  RESPONDS,  /* with an error, as nginx does */
  CLOSES,    /* as ejabberd does */
} PlainServer;

static gboolean
on_plain_connection (GThreadedSocketService *service,
                     GSocketConnection      *connection,
                     GObject                *source_object,
                     gpointer                user_data)
{
  PlainServer kind = GPOINTER_TO_UINT (user_data);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  const char *response = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
  char buffer[2048];
  gssize n_read = g_input_stream_read (input, buffer, sizeof buffer, NULL, NULL);

  if (n_read > 0 && (buffer[0] == 'H' || kind == RESPONDS))
    g_output_stream_write_all (output, response, strlen (response), NULL, NULL, NULL);
  /* Until the client gives up. */
  else if (kind == WAITS)
    while (g_input_stream_read (input, buffer, sizeof buffer, NULL, NULL) > 0)
      ;

  return TRUE;
}

static void
test_plain_server (void)
{
  g_test_summary ("A port that speaks http is told from one for https at once, whatever the server "
                  "makes of the handshake; the error names the address");

  for (guint kind = WAITS; kind <= CLOSES; kind++)
    {
      g_autoptr(GSocketService) service = g_threaded_socket_service_new (4);
      guint port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (service), NULL, NULL);
      g_autofree char *uri = g_strdup_printf ("https://127.0.0.1:%u/http-bind", port);
      g_autoptr(BoshConnectionConfiguration) configuration =
        bosh_connection_configuration_new (uri, NULL);
      g_autoptr(BoshClient) client = bosh_client_new ("example.org", configuration);
      g_autoptr(GError) error = NULL;

      g_signal_connect (service, "run", G_CALLBACK (on_plain_connection), GUINT_TO_POINTER (kind));
      bosh_test_connect (client, &error);
      g_assert_nonnull (error);
      g_assert_false (g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TIMED_OUT));
      g_assert_true (g_str_has_prefix (error->message, uri));
      if (kind == WAITS)
        {
          g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TLS);
          g_assert_nonnull (strstr (error->message, "127.0.0.1 speaks http on port"));
        }
      else
        g_assert_nonnull (strstr (error->message, "; the port may want http instead of https"));
      g_socket_service_stop (service);
      g_socket_listener_close (G_SOCKET_LISTENER (service));
    }
}

static gboolean
on_wrong_address (BoshTestManager  *manager,
                  BoshTestExchange *exchange,
                  gpointer          user_data)
{
  if (g_str_equal (user_data, "404"))
    bosh_test_exchange_reply (exchange, 404, NULL, "<html>Nothing</html>");
  else if (g_str_equal (user_data, "page"))
    bosh_test_exchange_reply (exchange, 200, NULL, "<html>Welcome</html>");
  else
    bosh_test_exchange_respond (exchange, user_data, "");

  return TRUE;
}

static void
test_wrong_address (void)
{
  static const struct
  {
    const char *response;
    int         code;
    const char *advice;
  } cases[] = {
    { "404", BOSH_ERROR_HTTP, "Its path is often /http-bind or /bosh)" },
    { "page", BOSH_ERROR_NOT_BOSH, "Its path is often /http-bind or /bosh)" },
    { "type='terminate' condition='host-unknown'", BOSH_ERROR_HOST_UNKNOWN,
      "(is the domain right?)" },
  };

  g_test_summary ("The error of a session that can't be opened names the address and what to do");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
      g_autoptr(BoshConnectionConfiguration) configuration = NULL;
      g_autoptr(BoshClient) client = NULL;
      g_autoptr(GError) error = NULL;

      bosh_test_manager_set_script (manager, on_wrong_address, (gpointer)cases[i].response);
      configuration = bosh_test_manager_configure (manager, NULL);
      client = bosh_client_new ("example.org", configuration);
      bosh_test_connect (client, &error);
      g_assert_error (error, BOSH_ERROR, cases[i].code);
      g_assert_true (g_str_has_prefix (error->message, bosh_test_manager_get_uri (manager, FALSE)));
      g_assert_true (g_str_has_suffix (error->message, cases[i].advice));
    }
}

static void
test_refused (void)
{
  g_test_summary ("A client does not connect if no handler accepts the certificate, or none is "
                  "connected; the certificate can be read");

  for (guint asks = 0; asks <= 1; asks++)
    {
      g_auto(Life) life = { NULL };
      g_autoptr(GError) error = NULL;

      life_init (&life, FALSE);
      if (!asks)
        g_signal_handlers_disconnect_by_func (life.client, on_accept_certificate, &life);
      bosh_test_connect (life.client, &error);
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TLS);
      g_assert_error (life.close_error, BOSH_ERROR, BOSH_ERROR_TLS);
      g_assert_cmpuint (life.n_asked, ==, asks);
      g_assert_cmpuint (bosh_test_manager_get_exchanges (life.manager)->len, ==, 0);
      assert_peer (&life, tls->untrusted, G_TLS_CERTIFICATE_UNKNOWN_CA);
    }
}

static gboolean
accept_on_connection (BoshConnection       *connection,
                      GTlsCertificate      *certificate,
                      GTlsCertificateFlags  errors,
                      gpointer              user_data)
{
  return TRUE;
}

static void
test_by_the_connection (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(GError) error = NULL;

  g_test_summary ("The signal of the client's connection is emitted where no handler of the "
                  "client accepts");

  life_init (&life, FALSE);
  g_signal_connect (bosh_client_get_connection (life.client), "accept-certificate",
                    G_CALLBACK (accept_on_connection), NULL);
  bosh_test_connect (life.client, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (life.n_asked, ==, 1);
}

static gboolean
drop_client (BoshClient           *client,
             GTlsCertificate      *certificate,
             GTlsCertificateFlags  errors,
             gpointer              user_data)
{
  g_clear_object ((BoshClient **)user_data);

  return TRUE;
}

static gboolean
disconnect_client (BoshClient           *client,
                   GTlsCertificate      *certificate,
                   GTlsCertificateFlags  errors,
                   gpointer              user_data)
{
  bosh_client_disconnect_async (client, NULL, NULL, NULL);

  return FALSE;
}

static void
test_handlers (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (tls->untrusted);
  BoshClient *client = NULL;
  gpointer alive = NULL;

  g_test_summary ("A handler may disconnect the client, or drop the last reference to it");

  for (guint drops = 0; drops <= 1; drops++)
    {
      g_autoptr(BoshConnectionConfiguration) configuration =
        bosh_test_manager_configure_secure (manager, NULL);
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;

      bosh_test_manager_set_automatic (manager, TRUE);
      client = alive = bosh_client_new ("example.org", configuration);
      g_object_add_weak_pointer (alive, &alive);
      g_signal_connect (client, "accept-certificate",
                        drops ? G_CALLBACK (drop_client) : G_CALLBACK (disconnect_client),
                        &client);
      bosh_client_connect_async (client, NULL, bosh_test_keep_result, &result);
      bosh_test_wait_for (&result);
      bosh_client_connect_finish (alive, result, &error);
      if (!drops)
        {
          g_assert_nonnull (error);
          g_assert_cmpuint (bosh_test_manager_get_exchanges (manager)->len, ==, 0);
          bosh_test_await (bosh_client_get_state (client) == BOSH_CLIENT_STATE_CLOSED);
        }
      g_clear_object (&result);
      g_clear_object (&client);
      bosh_test_run_dry ();
      g_assert_null (alive);
    }
}

int
main (int   argc,
      char *argv[])
{
  int status;

  g_test_init (&argc, &argv, NULL);
  tls = bosh_test_tls_new ();

  g_test_add_func ("/bosh/client-certificates/comes-back", test_comes_back);
  g_test_add_func ("/bosh/client-certificates/another", test_another);
  g_test_add_func ("/bosh/client-certificates/plain-server", test_plain_server);
  g_test_add_func ("/bosh/client-certificates/wrong-address", test_wrong_address);
  g_test_add_func ("/bosh/client-certificates/portal", test_portal);
  g_test_add_func ("/bosh/client-certificates/renewed", test_renewed);
  g_test_add_func ("/bosh/client-certificates/refused", test_refused);
  g_test_add_func ("/bosh/client-certificates/by-the-connection", test_by_the_connection);
  g_test_add_func ("/bosh/client-certificates/handlers", test_handlers);

  status = g_test_run ();
  bosh_test_tls_free (tls);

  return status;
}
