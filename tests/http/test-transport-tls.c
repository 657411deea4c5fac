/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-error.h"
#include "bosh-test-http.h"
#include "bosh-test-tls.h"
#include "bosh-test-transport.h"

#include <string.h>

/* Made once: openssl takes its time. */
static BoshTestTls *tls;

static void
respond_ok (BoshTestPeer          *peer,
            const BoshTestRequest *request,
            gpointer               user_data)
{
  bosh_test_peer_reply (peer, 200, NULL, "<body/>");
}

static void
respond_and_close (BoshTestPeer          *peer,
                   const BoshTestRequest *request,
                   gpointer               user_data)
{
  bosh_test_peer_reply (peer, 200, "Connection: close\r\n", "<body/>");
}

static void
respond_never (BoshTestPeer          *peer,
               const BoshTestRequest *request,
               gpointer               user_data)
{
}

/* https to localhost. */
static BoshTestPoster *
create_client (guint            port,
               GTlsDatabase    *database,
               GTlsCertificate *certificate,
               GProxyResolver  *resolver)
{
  g_autofree char *uri = g_strdup_printf ("https://localhost:%u/http-bind/", port);
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", uri,
                                "tls-database", database,
                                "tls-certificate", certificate,
                                "proxy-resolver", resolver,
                                NULL);

  return bosh_test_poster_new (configuration);
}

static BoshTestPoster *
create_plain_client (const char     *hostname,
                     guint           port,
                     GProxyResolver *resolver)
{
  g_autofree char *uri = g_strdup_printf ("http://%s:%u/http-bind/", hostname, port);
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", uri,
                                "proxy-resolver", resolver,
                                NULL);

  return bosh_test_poster_new (configuration);
}

static void
test_trusted (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (tls->server, respond_ok, NULL);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("R97, R98 (XEP-0124 §19.1): https, trusted by the database of the "
                  "configuration, on one connection");

  client = create_client (bosh_test_server_get_port (server), tls->database, NULL, NULL);
  g_assert_true (bosh_transport_is_private (client->transport));
  client->n_reposts = 2;
  bosh_test_poster_post (client, 1, "x");
  bosh_test_wait (client->outcomes->len == 3);
  for (guint i = 0; i < 3; i++)
    bosh_test_assert_body (bosh_test_poster_get_outcome (client, i), "<body/>");
  g_assert_cmpuint (bosh_test_server_get_n_accepted (server), ==, 1);
}

static void
test_distrusted (void)
{
  const struct
  {
    GTlsCertificate *certificate;
    GTlsDatabase *database;
    const char *text;
  } cases[] = {
    { tls->server, NULL, "unknown authority" },
    { tls->untrusted, tls->database, "unknown authority" },
    { tls->other_host, tls->database, "another host" },
    { tls->expired, tls->database, "expired" },
  };

  g_test_summary ("R100 (XEP-0124 §19.1): nothing is sent to a server that can't be trusted, "
                  "and the error says why");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshTestServer) server = NULL;
      g_autoptr(BoshTestPoster) client = NULL;
      const BoshTestOutcome *outcome;

      server = bosh_test_server_new (cases[i].certificate, respond_ok, NULL);
      client = create_client (bosh_test_server_get_port (server), cases[i].database, NULL, NULL);
      outcome = bosh_test_poster_exchange (client, 1, "x");
      bosh_test_assert_failed (outcome, BOSH_ERROR, BOSH_ERROR_TLS, FALSE);
      g_assert_nonnull (strstr (outcome->error->message, "localhost"));
      g_assert_nonnull (strstr (outcome->error->message, cases[i].text));
      g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 0);
      g_assert_cmpuint (client->n_written, ==, 0);
    }
}

static void
test_broken_handshake (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_ok, NULL);
  g_autoptr(BoshTestPoster) client = NULL;
  const BoshTestOutcome *outcome;

  g_test_summary ("A server that breaks off the handshake is unreachable, and may be tried "
                  "again");

  client = create_client (bosh_test_server_get_port (server), tls->database, NULL, NULL);
  bosh_test_poster_post (client, 1, "x");
  bosh_test_wait (bosh_test_server_get_n_accepted (server) == 1);
  g_clear_pointer (&server, bosh_test_server_free);
  bosh_test_wait (client->outcomes->len == 1);
  outcome = bosh_test_poster_get_outcome (client, 0);
  g_test_message ("%s", outcome->error->message);
  g_assert_cmpuint (outcome->error->domain, ==, G_IO_ERROR);
  g_assert_false (outcome->maybe_sent);
}

static gboolean
on_plain_incoming (GSocketService    *service,
                   GSocketConnection *connection,
                   GObject           *source_object,
                   gpointer           user_data)
{
  static const char response[] = "HTTP/1.1 400 TLS? What TLS?\r\nContent-Length: 0\r\n\r\n";
  GPtrArray *connections = user_data;

  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)),
                             response, strlen (response), NULL, NULL, NULL);
  g_ptr_array_add (connections, g_object_ref (connection));

  return TRUE;
}

static void
test_other_protocol (void)
{
  g_autoptr(GPtrArray) connections = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr(GSocketService) service = g_socket_service_new ();
  g_autoptr(BoshTestPoster) client = NULL;
  const BoshTestOutcome *outcome;
  guint port;

  g_test_summary ("A port that speaks something else than TLS is an error of TLS");

  port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (service), NULL, NULL);
  g_signal_connect (service, "incoming", G_CALLBACK (on_plain_incoming), connections);
  client = create_client (port, tls->database, NULL, NULL);
  outcome = bosh_test_poster_exchange (client, 1, "x");
  g_test_message ("%s", outcome->error->message);
  bosh_test_assert_failed (outcome, BOSH_ERROR, BOSH_ERROR_TLS, FALSE);
  g_socket_service_stop (service);
  g_socket_listener_close (G_SOCKET_LISTENER (service));
}

static void
test_changed_certificate (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (tls->server, respond_and_close, NULL);
  g_autoptr(BoshTestPoster) client = NULL;
  const BoshTestOutcome *outcome;

  g_test_summary ("R99, R100 (XEP-0124 §19.1): nothing is sent to a server that shows another "
                  "certificate later");

  client = create_client (bosh_test_server_get_port (server), tls->database, NULL, NULL);
  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "<body/>");
  bosh_test_assert_body (bosh_test_poster_exchange (client, 2, "x"), "<body/>");
  g_assert_cmpuint (bosh_test_server_get_n_accepted (server), ==, 2);

  bosh_test_server_set_certificate (server, tls->other_server);
  outcome = bosh_test_poster_exchange (client, 3, "x");
  bosh_test_assert_failed (outcome, BOSH_ERROR, BOSH_ERROR_TLS, FALSE);
  g_test_message ("%s", outcome->error->message);
  bosh_test_wait (bosh_test_server_get_n_closed (server) == 3);
  g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 2);
  g_assert_cmpuint (client->n_written, ==, 2);

  bosh_test_server_set_certificate (server, tls->server);
  bosh_test_assert_body (bosh_test_poster_exchange (client, 4, "x"), "<body/>");
}

static void
assert_peer_certificate (BoshTestPoster       *client,
                         GTlsCertificate      *certificate,
                         GTlsCertificateFlags  errors)
{
  GTlsCertificate *shown = bosh_transport_get_peer_certificate (client->transport);

  if (certificate == NULL)
    g_assert_null (shown);
  else
    g_assert_true (g_tls_certificate_is_same (shown, certificate));
  g_assert_cmpint (bosh_transport_get_peer_certificate_errors (client->transport), ==, errors);
}

static void
test_peer_certificate (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (tls->server, respond_ok, NULL);
  g_autoptr(BoshTestServer) plain = bosh_test_server_new (NULL, respond_ok, NULL);
  g_autoptr(BoshTestPoster) client = NULL;
  g_autoptr(BoshTestPoster) plain_client = NULL;

  g_test_summary ("The certificate of the server can be looked at, after the handshake");

  client = create_client (bosh_test_server_get_port (server), tls->database, NULL, NULL);
  assert_peer_certificate (client, NULL, 0);
  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "<body/>");
  assert_peer_certificate (client, tls->server, 0);
  g_assert_cmpuint (client->n_questions, ==, 0);

  plain_client = create_plain_client ("127.0.0.1", bosh_test_server_get_port (plain), NULL);
  bosh_test_assert_body (bosh_test_poster_exchange (plain_client, 1, "x"), "<body/>");
  assert_peer_certificate (plain_client, NULL, 0);
}

static void
test_accepted (void)
{
  const struct
  {
    GTlsCertificate *certificate;
    GTlsCertificateFlags errors;
  } cases[] = {
    { tls->untrusted, G_TLS_CERTIFICATE_UNKNOWN_CA },
    { tls->other_host, G_TLS_CERTIFICATE_BAD_IDENTITY },
    { tls->expired, G_TLS_CERTIFICATE_EXPIRED },
  };

  g_test_summary ("R100 (XEP-0124 §19.1): a certificate that can't be verified is used if the owner "
                  "accepts it, who is asked once, before anything is sent");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshTestServer) server = NULL;
      g_autoptr(BoshTestPoster) client = NULL;

      server = bosh_test_server_new (cases[i].certificate, respond_and_close, NULL);
      client = create_client (bosh_test_server_get_port (server), tls->database, NULL, NULL);
      client->accepts = TRUE;
      for (guint64 id = 1; id <= 3; id++)
        bosh_test_assert_body (bosh_test_poster_exchange (client, id, "x"), "<body/>");
      g_assert_cmpuint (bosh_test_server_get_n_accepted (server), ==, 3);

      g_assert_cmpuint (client->n_questions, ==, 1);
      g_assert_true (g_tls_certificate_is_same (client->asked_certificate, cases[i].certificate));
      g_assert_cmpint (client->asked_errors, ==, cases[i].errors);
      assert_peer_certificate (client, cases[i].certificate, cases[i].errors);

      /* A connection that breaks later is not reported as a matter of certificates. */
      g_clear_pointer (&server, bosh_test_server_free);
      g_assert_cmpuint (bosh_test_poster_exchange (client, 4, "x")->error->domain, ==, G_IO_ERROR);
    }
}

static void
test_accepted_then_another (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (tls->untrusted, respond_and_close, NULL);
  GTlsCertificate *others[] = { tls->expired, tls->server };
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("R99, R100 (XEP-0124 §19.1): after a certificate was accepted, no other is: neither "
                  "one that can't be verified, which is not asked about, nor one that can");

  client = create_client (bosh_test_server_get_port (server), tls->database, NULL, NULL);
  client->accepts = TRUE;
  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "<body/>");

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      bosh_test_server_set_certificate (server, others[i]);
      bosh_test_assert_failed (bosh_test_poster_exchange (client, i + 2, "x"),
                               BOSH_ERROR, BOSH_ERROR_TLS, FALSE);
    }
  g_assert_cmpuint (client->n_questions, ==, 1);
  g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 1);
  assert_peer_certificate (client, tls->untrusted, G_TLS_CERTIFICATE_UNKNOWN_CA);

  bosh_test_server_set_certificate (server, tls->untrusted);
  bosh_test_assert_body (bosh_test_poster_exchange (client, 4, "x"), "<body/>");
}

static void
test_verified_then_another (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (tls->server, respond_and_close, NULL);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("R99, R100 (XEP-0124 §19.1): after a certificate that was verified the owner is not "
                  "asked about another");

  client = create_client (bosh_test_server_get_port (server), tls->database, NULL, NULL);
  client->accepts = TRUE;
  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "<body/>");
  bosh_test_server_set_certificate (server, tls->untrusted);
  bosh_test_assert_failed (bosh_test_poster_exchange (client, 2, "x"),
                           BOSH_ERROR, BOSH_ERROR_TLS, FALSE);
  g_assert_cmpuint (client->n_questions, ==, 0);
  assert_peer_certificate (client, tls->server, 0);
}

static void
test_refused (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (tls->untrusted, respond_ok, NULL);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("R100 (XEP-0124 §19.1): a certificate that the owner does not accept is refused, and "
                  "again without asking; it can be looked at");

  client = create_client (bosh_test_server_get_port (server), tls->database, NULL, NULL);
  for (guint64 id = 1; id <= 2; id++)
    bosh_test_assert_failed (bosh_test_poster_exchange (client, id, "x"),
                             BOSH_ERROR, BOSH_ERROR_TLS, FALSE);
  g_assert_cmpuint (client->n_questions, ==, 1);
  g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 0);
  assert_peer_certificate (client, tls->untrusted, G_TLS_CERTIFICATE_UNKNOWN_CA);
}

static void
test_accepted_after_redirect (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (tls->untrusted, respond_ok, NULL);
  g_autoptr(BoshTestServer) other = bosh_test_server_new (tls->expired, respond_ok, NULL);
  g_autofree char *uri = g_strdup_printf ("https://localhost:%u/",
                                          bosh_test_server_get_port (other));
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("R99 (XEP-0124 §19.1): at another address the owner is asked anew");

  client = create_client (bosh_test_server_get_port (server), tls->database, NULL, NULL);
  client->accepts = TRUE;
  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "<body/>");
  bosh_transport_set_uri (client->transport, uri);
  assert_peer_certificate (client, NULL, 0);
  bosh_test_assert_body (bosh_test_poster_exchange (client, 2, "x"), "<body/>");
  g_assert_cmpuint (client->n_questions, ==, 2);
  assert_peer_certificate (client, tls->expired, G_TLS_CERTIFICATE_EXPIRED);
}

static void
test_free_in_question (void)
{
  g_test_summary ("The transport can be freed by the owner who is asked about a certificate");

  for (guint accepts = 0; accepts <= 1; accepts++)
    {
      g_autoptr(BoshTestServer) server = bosh_test_server_new (tls->untrusted, respond_ok, NULL);
      g_autoptr(BoshTestPoster) client = NULL;

      client = create_client (bosh_test_server_get_port (server), tls->database, NULL, NULL);
      client->accepts = accepts;
      client->free_in_question = TRUE;
      bosh_test_poster_post (client, 1, "x");
      bosh_test_wait (client->transport == NULL);
      bosh_test_wait (bosh_test_server_get_n_closed (server) == 1);
      bosh_test_drain ();
      g_assert_cmpuint (client->outcomes->len, ==, 0);
      g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 0);
    }
}

/* Holds the first request, and responds to the others. */
static void
hold_first (BoshTestPeer          *peer,
            const BoshTestRequest *request,
            gpointer               user_data)
{
  BoshTestPeer **held = user_data;

  if (*held == NULL)
    *held = peer;
  else
    bosh_test_peer_reply (peer, 200, NULL, "<body/>");
}

static void
test_preconnect (void)
{
  BoshTestPeer *held = NULL;
  g_autoptr(BoshTestServer) server = bosh_test_server_new (tls->server, hold_first, &held);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("R100 (XEP-0124 §19.1): the certificate of a preconnect is checked as well: with the "
                  "same one the connection is used, with another nothing is sent on it");

  client = create_client (bosh_test_server_get_port (server), tls->database, NULL, NULL);
  bosh_test_poster_post (client, 1, "x");
  bosh_test_wait (held != NULL);
  bosh_test_server_set_certificate (server, tls->other_server);
  bosh_transport_preconnect (client->transport);
  bosh_test_wait (bosh_test_server_get_n_accepted (server) == 2);
  bosh_test_wait (bosh_test_server_get_n_closed (server) == 1);
  g_assert_cmpuint (client->outcomes->len, ==, 0);

  bosh_test_assert_failed (bosh_test_poster_exchange (client, 2, "x"),
                           BOSH_ERROR, BOSH_ERROR_TLS, FALSE);
  g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 1);

  bosh_test_server_set_certificate (server, tls->server);
  bosh_transport_preconnect (client->transport);
  bosh_test_wait (bosh_test_server_get_n_accepted (server) == 4);
  bosh_test_assert_body (bosh_test_poster_exchange (client, 3, "x"), "<body/>");
  g_assert_cmpuint (bosh_test_server_get_n_accepted (server), ==, 4);
}

static BoshTestPoster *
create_impatient_client (BoshTestServer *server,
                         gboolean        secure)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", bosh_test_server_get_uri (server, secure),
                                "connect-timeout", 1,
                                NULL);

  return bosh_test_poster_new (configuration);
}

static void
test_connect_timeout (void)
{
  g_autoptr(BoshTestServer) holding = bosh_test_server_new (NULL, respond_never, NULL);
  g_autoptr(BoshTestServer) silent = bosh_test_server_new (tls->server, respond_never, NULL);
  g_autoptr(BoshTestPoster) held = NULL;
  g_autoptr(BoshTestPoster) client = NULL;
  const BoshTestOutcome *outcome;

  g_test_summary ("connect-timeout ends an exchange in the handshake, and not one that is held");

  /* This one is connected, and held for longer than the timeout of the next. */
  held = create_impatient_client (holding, FALSE);
  bosh_test_poster_post (held, 1, "hold");
  bosh_test_wait (held->n_written == 1);

  bosh_test_server_set_reading (silent, FALSE);
  client = create_impatient_client (silent, TRUE);
  outcome = bosh_test_poster_exchange (client, 2, "x");
  bosh_test_assert_failed (outcome, BOSH_ERROR, BOSH_ERROR_TIMED_OUT, FALSE);
  g_assert_nonnull (strstr (outcome->error->message, "127.0.0.1"));

  bosh_test_drain ();
  g_assert_cmpuint (client->outcomes->len, ==, 1);
  g_assert_cmpuint (held->outcomes->len, ==, 0);
}

static void
test_cancel (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (tls->server, respond_never, NULL);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("R64 (XEP-0124 §14.3): a held exchange over TLS is closed at once when it "
                  "is cancelled");

  client = create_client (bosh_test_server_get_port (server), tls->database, NULL, NULL);
  bosh_test_poster_post (client, 1, "hold");
  bosh_test_wait (bosh_test_server_get_requests (server)->len == 1);
  bosh_transport_cancel (client->transport, 1);
  bosh_test_wait (bosh_test_server_get_n_closed (server) == 1);
  g_assert_cmpuint (client->outcomes->len, ==, 0);
}

static void
on_first_request (BoshTestPeer          *peer,
                  const BoshTestRequest *request,
                  gpointer               user_data)
{
  BoshTestServer **server = user_data;

  bosh_test_peer_reply (peer, 200, NULL, "<body/>");
  bosh_test_server_set_reading (*server, FALSE);
}

static void
test_cancel_while_writing (void)
{
  BoshTestServer *server = NULL;
  gsize size = 8 * 1024 * 1024;
  g_autofree char *body = g_strnfill (size, 'x');
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("Cancelling does not block where the server reads nothing, and TLS wants to "
                  "say good-bye");

  server = bosh_test_server_new (tls->server, on_first_request, &server);
  client = create_client (bosh_test_server_get_port (server), tls->database, NULL, NULL);
  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "<body/>");

  bosh_test_poster_post (client, 2, body);
  bosh_test_drain ();
  g_assert_cmpuint (client->n_written, ==, 1);
  bosh_transport_cancel (client->transport, 2);
  bosh_test_drain ();
  g_assert_cmpuint (client->outcomes->len, ==, 1);

  bosh_test_server_free (server);
}

static void
test_client_certificate (void)
{
  g_autoptr(BoshTestNginx) nginx = NULL;
  g_autoptr(BoshTestPoster) client = NULL;
  g_autoptr(BoshTestPoster) nobody = NULL;

  g_test_summary ("tls-certificate is shown to a server that asks, and HTTP/1.1 spoken to one "
                  "that offers HTTP/2");

  nginx = bosh_test_nginx_new (tls, "return 200 \"$ssl_client_verify $ssl_client_s_dn "
                                    "$server_protocol\";");
  if (nginx == NULL)
    return;

  client = create_client (bosh_test_nginx_get_port (nginx), tls->database, tls->client, NULL);
  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "SUCCESS CN=romeo HTTP/1.1");
  bosh_test_assert_body (bosh_test_poster_exchange (client, 2, "x"), "SUCCESS CN=romeo HTTP/1.1");

  nobody = create_client (bosh_test_nginx_get_port (nginx), tls->database, NULL, NULL);
  bosh_test_assert_body (bosh_test_poster_exchange (nobody, 1, "x"), "NONE  HTTP/1.1");
}

static const char *
get_proxy_request (BoshTestProxy *proxy,
                   guint          index)
{
  g_assert_cmpuint (index, <, bosh_test_proxy_get_requests (proxy)->len);

  return g_ptr_array_index (bosh_test_proxy_get_requests (proxy), index);
}

static void
test_http_proxy (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_ok, NULL);
  g_autoptr(BoshTestProxy) proxy = bosh_test_proxy_new (BOSH_TEST_PROXY_HTTP);
  g_autoptr(GProxyResolver) resolver = bosh_test_proxy_new_resolver (proxy);
  g_autoptr(BoshTestPoster) client = NULL;
  g_autofree char *start = NULL;
  guint port = bosh_test_server_get_port (server);

  g_test_summary ("proxy-resolver: http through an HTTP proxy, in absolute form, which is not "
                  "private");

  client = create_plain_client ("localhost", port, resolver);
  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "<body/>");
  start = g_strdup_printf ("POST http://localhost:%u/http-bind/ HTTP/1.1\r\n", port);
  g_assert_true (g_str_has_prefix (get_proxy_request (proxy, 0), start));
  g_assert_false (bosh_transport_is_private (client->transport));
}

static void
test_connect_proxy (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (tls->server, respond_ok, NULL);
  g_autoptr(BoshTestProxy) proxy = bosh_test_proxy_new (BOSH_TEST_PROXY_HTTP);
  g_autoptr(GProxyResolver) resolver = bosh_test_proxy_new_resolver (proxy);
  g_autoptr(BoshTestPoster) client = NULL;
  g_autofree char *start = NULL;
  guint port = bosh_test_server_get_port (server);

  g_test_summary ("proxy-resolver: https through an HTTP proxy, by CONNECT");

  client = create_client (port, tls->database, NULL, resolver);
  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "<body/>");
  bosh_test_assert_body (bosh_test_poster_exchange (client, 2, "x"), "<body/>");
  g_assert_cmpuint (bosh_test_proxy_get_requests (proxy)->len, ==, 1);
  start = g_strdup_printf ("CONNECT localhost:%u HTTP/1.1\r\n", port);
  g_assert_true (g_str_has_prefix (get_proxy_request (proxy, 0), start));
}

static void
test_connect_changed_certificate (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (tls->server, respond_and_close, NULL);
  g_autoptr(BoshTestProxy) proxy = bosh_test_proxy_new (BOSH_TEST_PROXY_HTTP);
  g_autoptr(GProxyResolver) resolver = bosh_test_proxy_new_resolver (proxy);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("R99 (XEP-0124 §19.1): certificates are compared behind a proxy too");

  client = create_client (bosh_test_server_get_port (server), tls->database, NULL, resolver);
  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "<body/>");
  bosh_test_server_set_certificate (server, tls->other_server);
  bosh_test_assert_failed (bosh_test_poster_exchange (client, 2, "x"),
                           BOSH_ERROR, BOSH_ERROR_TLS, FALSE);
  g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 1);
}

static void
test_socks_proxy (void)
{
  g_autoptr(BoshTestProxy) proxy = bosh_test_proxy_new (BOSH_TEST_PROXY_SOCKS5);
  g_autoptr(GProxyResolver) resolver = bosh_test_proxy_new_resolver (proxy);

  g_test_summary ("proxy-resolver: http and https through a SOCKS5 proxy, which resolves the "
                  "name");

  for (guint secure = 0; secure <= 1; secure++)
    {
      g_autoptr(BoshTestServer) server = NULL;
      g_autoptr(BoshTestPoster) client = NULL;
      g_autofree char *target = NULL;
      guint port;

      server = bosh_test_server_new (secure ? tls->server : NULL, respond_ok, NULL);
      port = bosh_test_server_get_port (server);
      client = secure ? create_client (port, tls->database, NULL, resolver)
                      : create_plain_client ("localhost", port, resolver);
      bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "<body/>");
      target = g_strdup_printf ("localhost:%u", port);
      g_assert_cmpstr (get_proxy_request (proxy, secure), ==, target);
      g_assert_cmpint (bosh_transport_is_private (client->transport), ==, secure);
    }
}

static void
test_refusing_proxy (void)
{
  static const char * const refusals[] = {
    "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\nnope",
    "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 302 Elsewhere\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n",
  };

  g_test_summary ("The response of a proxy that refuses CONNECT is not taken for that of the server");

  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autoptr(BoshTestProxy) proxy = bosh_test_proxy_new (BOSH_TEST_PROXY_HTTP);
      g_autoptr(GProxyResolver) resolver = bosh_test_proxy_new_resolver (proxy);
      g_autoptr(BoshTestPoster) client = NULL;

      bosh_test_proxy_set_refusal (proxy, refusals[i]);
      client = create_client (5281, tls->database, NULL, resolver);
      bosh_test_assert_failed (bosh_test_poster_exchange (client, 1, "x"),
                               G_IO_ERROR, G_IO_ERROR_PROXY_FAILED, FALSE);
      g_assert_cmpuint (bosh_test_proxy_get_requests (proxy)->len, ==, 1);
    }
}

static void
test_missing_proxy (void)
{
  BoshTestProxy *proxy = bosh_test_proxy_new (BOSH_TEST_PROXY_HTTP);
  g_autoptr(GProxyResolver) resolver = bosh_test_proxy_new_resolver (proxy);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("A proxy that is not there: nothing was sent");

  bosh_test_proxy_free (proxy);
  client = create_plain_client ("localhost", 5280, resolver);
  bosh_test_assert_failed (bosh_test_poster_exchange (client, 1, "x"),
                           G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED, FALSE);
}

/* To localhost, through a proxy for which the resolver has @userinfo, and the properties
 * @username. */
static BoshTestPoster *
create_proxied_client (BoshTestProxy *proxy,
                       gboolean       secure,
                       guint          port,
                       const char    *userinfo,
                       const char    *username,
                       const char    *password)
{
  g_autoptr(GProxyResolver) plain = bosh_test_proxy_new_resolver (proxy);
  g_auto(GStrv) uris = g_proxy_resolver_lookup (plain, "http://localhost/", NULL, NULL);
  g_autofree char *proxy_uri = g_strconcat ("http://", userinfo, uris[0] + strlen ("http://"), NULL);
  g_autofree char *uri = g_strdup_printf ("%s://localhost:%u/http-bind/", secure ? "https" : "http",
                                          port);
  g_autoptr(GProxyResolver) resolver = g_simple_proxy_resolver_new (proxy_uri, NULL);
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", uri,
                                "tls-database", tls->database,
                                "proxy-resolver", resolver,
                                "proxy-username", username,
                                "proxy-password", password,
                                NULL);

  return bosh_test_poster_new (configuration);
}

#define WHO "HTTP/1.1 407 Who?\r\nProxy-Authenticate: "
#define BASIC WHO "Basic realm=\"x\"\r\n"
/* Of romeo with the password "rose: red". */
#define ROMEO "Basic cm9tZW86cm9zZTogcmVk"

static const struct
{
  const char *name;
  const char *challenge;
  const char *authorization;
  gboolean keeps;
} challenges[] = {
  { "kept", BASIC "Content-Length: 4\r\n\r\nwho?", ROMEO, TRUE },
  { "closed", BASIC "Connection: close\r\nContent-Length: 4\r\n\r\nwho?", ROMEO, FALSE },
  { "up to the end", BASIC "Connection: close\r\n\r\nwho?", ROMEO, FALSE },
  { "chunked", BASIC "Transfer-Encoding: chunked\r\n\r\n4\r\nwho?\r\n0\r\n\r\n", ROMEO, TRUE },
  { "Digest", WHO "Digest realm=\"x\", nonce=\"y\", algorithm=MD5, qop=\"auth\"\r\nContent-Length: 0\r\n\r\n",
    "Digest username=\"romeo\"", TRUE },
  { "NTLM and Basic", BASIC "Proxy-Authenticate: Unheard-of\r\nContent-Length: 0\r\n\r\n", ROMEO, TRUE },
};

static void
test_proxy_password (void)
{
  g_test_summary ("A proxy that asks for a password is given that of its URI, or else that of the "
                  "properties, for http and https, and is not asked by each request");

  for (gsize i = 0; i < G_N_ELEMENTS (challenges) * 4; i++)
    {
      gboolean secure = i % 2;
      gboolean in_uri = i / 2 % 2;
      gsize n = i / 4;
      g_autoptr(BoshTestServer) server = bosh_test_server_new (secure ? tls->server : NULL,
                                                                respond_ok, NULL);
      g_autoptr(BoshTestProxy) proxy = bosh_test_proxy_new (BOSH_TEST_PROXY_HTTP);
      g_autoptr(BoshTestPoster) client = NULL;

      g_test_message ("%s, %s", challenges[n].name, secure ? "https" : "http");
      bosh_test_proxy_set_challenge (proxy, challenges[n].authorization, challenges[n].challenge,
                                     challenges[n].keeps);
      client = create_proxied_client (proxy, secure, bosh_test_server_get_port (server),
                                      in_uri ? "romeo:rose%3A%20red@" : "",
                                      in_uri ? "juliet" : "romeo", in_uri ? "no" : "rose: red");
      for (guint id = 1; id <= 3; id++)
        bosh_test_assert_body (bosh_test_poster_exchange (client, id, "x"), "<body/>");
      g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 3);
      /* Those of a tunnel are not seen. */
      g_assert_cmpuint (bosh_test_proxy_get_requests (proxy)->len, <=, secure ? 2 : 4);
      for (guint index = 0; index < 3; index++)
        {
          const BoshTestRequest *request = bosh_test_server_get_request (server, index);

          bosh_test_assert_header (request, "Authorization", NULL);
          g_assert_cmpmem (g_bytes_get_data (request->body, NULL),
                           g_bytes_get_size (request->body), "x", 1);
        }
    }
}

static void
test_proxy_refuses_password (void)
{
  g_test_summary ("A 407 is blamed on the proxy: it wants a password, or another one; it is tried a "
                  "few times at most");

  for (gsize i = 0; i < G_N_ELEMENTS (challenges) * 4; i++)
    {
      gboolean secure = i % 2;
      gboolean has_password = i / 2 % 2;
      gsize n = i / 4;
      g_autoptr(BoshTestProxy) proxy = bosh_test_proxy_new (BOSH_TEST_PROXY_HTTP);
      g_autoptr(BoshTestPoster) client = NULL;
      const BoshTestOutcome *outcome;

      g_test_message ("%s, %s", challenges[n].name, secure ? "https" : "http");
      bosh_test_proxy_set_challenge (proxy, "none of these", challenges[n].challenge,
                                     challenges[n].keeps);
      client = create_proxied_client (proxy, secure, 5280, "", has_password ? "romeo" : NULL, "no");
      outcome = bosh_test_poster_exchange (client, 1, "x");
      bosh_test_assert_failed (outcome, G_IO_ERROR,
                               has_password ? G_IO_ERROR_PROXY_AUTH_FAILED
                                            : G_IO_ERROR_PROXY_NEED_AUTH,
                               FALSE);
      g_assert_null (strstr (outcome->error->message, "romeo"));
      g_assert_cmpuint (bosh_test_proxy_get_requests (proxy)->len, <=, has_password ? 4 : 1);
    }
}

static void
respond_unauthorized (BoshTestPeer          *peer,
                      const BoshTestRequest *request,
                      gpointer               user_data)
{
  bosh_test_peer_reply (peer, GPOINTER_TO_UINT (user_data),
                        "WWW-Authenticate: Basic realm=\"x\"\r\n"
                        "Proxy-Authenticate: Basic realm=\"x\"\r\n",
                        "who?");
}

static void
test_no_proxy_asks (void)
{
  static const guint statuses[] = { 401, 407 };

  g_test_summary ("The password for a proxy is not given to a server that asks for one");

  for (gsize i = 0; i < G_N_ELEMENTS (statuses) * 2; i++)
    {
      gboolean secure = i % 2;
      g_autoptr(BoshTestServer) server =
        bosh_test_server_new (secure ? tls->server : NULL, respond_unauthorized,
                              GUINT_TO_POINTER (statuses[i / 2]));
      g_autofree char *uri = g_strdup_printf ("%s://localhost:%u/", secure ? "https" : "http",
                                              bosh_test_server_get_port (server));
      g_autoptr(BoshConnectionConfiguration) configuration =
        g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                      "uri", uri,
                      "tls-database", tls->database,
                      "proxy-username", "romeo",
                      "proxy-password", "rose",
                      NULL);
      g_autoptr(BoshTestPoster) client = bosh_test_poster_new (configuration);

      for (guint id = 1; id <= 2; id++)
        {
          g_assert_cmpuint (bosh_test_poster_exchange (client, id, "x")->status, ==, statuses[i / 2]);
          g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, id);
          bosh_test_assert_header (bosh_test_server_get_request (server, id - 1),
                                   "Authorization", NULL);
          bosh_test_assert_header (bosh_test_server_get_request (server, id - 1),
                                   "Proxy-Authorization", NULL);
        }
    }
}

int
main (int   argc,
      char *argv[])
{
  int status;

  g_test_init (&argc, &argv, NULL);
  tls = bosh_test_tls_new ();

  g_test_add_func ("/bosh/transport/tls/trusted", test_trusted);
  g_test_add_func ("/bosh/transport/tls/distrusted", test_distrusted);
  g_test_add_func ("/bosh/transport/tls/handshake-broken-off", test_broken_handshake);
  g_test_add_func ("/bosh/transport/tls/other-protocol", test_other_protocol);
  g_test_add_func ("/bosh/transport/tls/changed-certificate", test_changed_certificate);
  g_test_add_func ("/bosh/transport/tls/peer-certificate", test_peer_certificate);
  g_test_add_func ("/bosh/transport/tls/accepted", test_accepted);
  g_test_add_func ("/bosh/transport/tls/accepted-then-another", test_accepted_then_another);
  g_test_add_func ("/bosh/transport/tls/verified-then-another", test_verified_then_another);
  g_test_add_func ("/bosh/transport/tls/refused", test_refused);
  g_test_add_func ("/bosh/transport/tls/accepted-after-redirect", test_accepted_after_redirect);
  g_test_add_func ("/bosh/transport/tls/free-in-question", test_free_in_question);
  g_test_add_func ("/bosh/transport/tls/preconnect", test_preconnect);
  g_test_add_func ("/bosh/transport/tls/connect-timeout", test_connect_timeout);
  g_test_add_func ("/bosh/transport/tls/cancel", test_cancel);
  g_test_add_func ("/bosh/transport/tls/cancel-while-writing", test_cancel_while_writing);
  g_test_add_func ("/bosh/transport/tls/client-certificate", test_client_certificate);
  g_test_add_func ("/bosh/transport/proxy/http", test_http_proxy);
  g_test_add_func ("/bosh/transport/proxy/connect", test_connect_proxy);
  g_test_add_func ("/bosh/transport/proxy/changed-certificate",
                   test_connect_changed_certificate);
  g_test_add_func ("/bosh/transport/proxy/socks", test_socks_proxy);
  g_test_add_func ("/bosh/transport/proxy/refusing", test_refusing_proxy);
  g_test_add_func ("/bosh/transport/proxy/missing", test_missing_proxy);
  g_test_add_func ("/bosh/transport/proxy/password", test_proxy_password);
  g_test_add_func ("/bosh/transport/proxy/refuses-password", test_proxy_refuses_password);
  g_test_add_func ("/bosh/transport/proxy/no-proxy-asks", test_no_proxy_asks);

  status = g_test_run ();
  bosh_test_tls_free (tls);

  return status;
}
