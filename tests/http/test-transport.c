/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-error.h"
#include "bosh-test-http.h"
#include "bosh-test-transport.h"

#include <string.h>

/* A delayed acknowledgement takes 40 ms or more; the test's own work far less. Microseconds. */
#define ACKNOWLEDGEMENT_DELAY (35 * 1000)

static void
respond_ok (BoshTestPeer          *peer,
            const BoshTestRequest *request,
            gpointer               user_data)
{
  bosh_test_peer_reply (peer, 200, NULL, "<body/>");
}

static void
respond_never (BoshTestPeer          *peer,
               const BoshTestRequest *request,
               gpointer               user_data)
{
}

/* Holds the request "hold", and responds to others; @user_data receives the peer of the
 * one that is held. */
static void
respond_or_hold (BoshTestPeer          *peer,
                 const BoshTestRequest *request,
                 gpointer               user_data)
{
  BoshTestPeer **held = user_data;

  if (g_bytes_get_size (request->body) == 4 &&
      memcmp (g_bytes_get_data (request->body, NULL), "hold", 4) == 0)
    *held = peer;
  else
    bosh_test_peer_reply (peer, 200, NULL, "now");
}

static void
test_request (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_ok, NULL);
  g_autoptr(BoshTestPoster) client = NULL;
  const BoshTestOutcome *outcome;
  const BoshTestRequest *request;
  g_autofree char *host = NULL;

  g_test_summary ("R01, R04, R05, R07 (XEP-0124 §5): a POST with the right headers, not "
                  "chunked");

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  outcome = bosh_test_poster_exchange (client, 7, "<body rid='1'>é</body>");
  bosh_test_assert_body (outcome, "<body/>");
  g_assert_cmpuint (outcome->id, ==, 7);
  g_assert_cmpuint (outcome->status, ==, 200);
  g_assert_cmpint (outcome->retry_after, ==, -1);
  g_assert_null (outcome->location);
  g_assert_cmpuint (client->n_written, ==, 1);

  request = bosh_test_server_get_request (server, 0);
  host = g_strdup_printf ("127.0.0.1:%u", bosh_test_server_get_port (server));
  g_assert_true (g_str_has_prefix (request->head, "POST /http-bind/ HTTP/1.1\r\n"));
  g_assert_cmpmem (g_bytes_get_data (request->body, NULL), g_bytes_get_size (request->body),
                   "<body rid='1'>é</body>", 23);
  bosh_test_assert_header (request, "Host", host);
  bosh_test_assert_header (request, "Content-Length", "23");
  bosh_test_assert_header (request, "Content-Type", "text/xml; charset=utf-8");
  bosh_test_assert_header (request, "User-Agent", "bosh-glib/" PACKAGE_VERSION);
  bosh_test_assert_header (request, "Transfer-Encoding", NULL);
  bosh_test_assert_header (request, "Expect", NULL);
  bosh_test_assert_header (request, "Accept-Language", NULL);
  bosh_test_assert_header (request, "Cookie", NULL);
}

static void
test_request_configured (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_ok, NULL);
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(BoshConnectionConfiguration) silent = NULL;
  g_autoptr(BoshTestPoster) client = NULL;
  g_autoptr(BoshTestPoster) silent_client = NULL;
  const BoshTestRequest *request;
  g_autofree char *uri = g_strdup_printf ("http://127.0.0.1:%u/a%%2Fb?c=d",
                                          bosh_test_server_get_port (server));

  g_test_summary ("R03, R07 (XEP-0124 §5): path, Content-Type and User-Agent of the "
                  "configuration");

  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", uri,
                                "request-content-type", "application/xml",
                                "user-agent", "balcony/1 ",
                                NULL);
  client = bosh_test_poster_new (configuration);
  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, ""), "<body/>");
  request = bosh_test_server_get_request (server, 0);
  g_assert_true (g_str_has_prefix (request->head, "POST /a%2Fb?c=d HTTP/1.1\r\n"));
  bosh_test_assert_header (request, "Content-Type", "application/xml");
  bosh_test_assert_header (request, "Content-Length", "0");
  bosh_test_assert_header (request, "User-Agent", "balcony/1");

  silent = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION, "uri", uri, "user-agent", "", NULL);
  silent_client = bosh_test_poster_new (silent);
  bosh_test_assert_body (bosh_test_poster_exchange (silent_client, 1, "x"), "<body/>");
  bosh_test_assert_header (bosh_test_server_get_request (server, 1), "User-Agent", NULL);
}

static void
test_reuse (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_ok, NULL);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("R04 (XEP-0124 §5): one connection serves request after request");

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  client->n_reposts = 4;
  bosh_test_poster_post (client, 1, "first");
  bosh_test_wait (client->outcomes->len == 5);

  g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 5);
  g_assert_cmpuint (bosh_test_server_get_n_accepted (server), ==, 1);
  g_assert_cmpuint (client->n_written, ==, 5);
}

/* The first response sets a cookie, and the second deletes it. */
static void
respond_in_turn (BoshTestPeer          *peer,
                 const BoshTestRequest *request,
                 gpointer               user_data)
{
  static const char * const headers[] = {
    "Retry-After: 7\r\nSet-Cookie: node=a1\r\n",
    "Set-Cookie: node=a1; Max-Age=0\r\n",
  };
  guint *n_responses = user_data;

  bosh_test_peer_reply (peer, 200,
                        *n_responses < G_N_ELEMENTS (headers) ? headers[*n_responses] : NULL, "<body/>");
  (*n_responses)++;
}

static void
test_nothing_stays (void)
{
  guint n_responses = 0;
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_in_turn, &n_responses);
  guint port = bosh_test_server_get_port (server);
  g_autoptr(BoshTestPoster) client = bosh_test_poster_new_for_port (port);
  g_autoptr(GBytes) body = g_bytes_new_static ("first", 5);
  g_autofree char *uri = g_strdup_printf ("http://127.0.0.1:%u/moved/", port);
  const BoshTestRequest *request;

  g_test_summary ("R03, R07: nothing of an exchange is left in the next one");

  bosh_transport_post (client->transport, 1, body, BOSH_CODING_GZIP, TRUE);
  bosh_test_wait (client->outcomes->len == 1);
  g_assert_cmpint (bosh_test_poster_get_outcome (client, 0)->retry_after, ==, 7);
  bosh_test_assert_header (bosh_test_server_get_request (server, 0), "Content-Encoding", "gzip");
  bosh_test_drain ();

  g_assert_cmpint (bosh_test_poster_exchange (client, 2, "second one")->retry_after, ==, -1);
  request = bosh_test_server_get_request (server, 1);
  bosh_test_assert_header (request, "Content-Encoding", NULL);
  bosh_test_assert_header (request, "Content-Length", "10");
  bosh_test_assert_header (request, "Content-Type", "text/xml; charset=utf-8");
  bosh_test_assert_header (request, "Cookie", "node=a1");
  bosh_test_assert_header (request, "User-Agent", "bosh-glib/" PACKAGE_VERSION);
  bosh_test_drain ();

  bosh_test_poster_exchange (client, 3, "third");
  bosh_test_assert_header (bosh_test_server_get_request (server, 2), "Cookie", NULL);
  bosh_test_drain ();

  bosh_transport_set_uri (client->transport, uri);
  bosh_test_poster_exchange (client, 4, "");
  request = bosh_test_server_get_request (server, 3);
  g_assert_true (g_str_has_prefix (request->head, "POST /moved/ HTTP/1.1\r\n"));
  bosh_test_assert_header (request, "Content-Length", "0");
}

static void
respond_in_pieces (BoshTestPeer          *peer,
                   const BoshTestRequest *request,
                   gpointer               user_data)
{
  bosh_test_peer_write (peer, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
  bosh_test_peer_write (peer, "<bo");
  bosh_test_peer_write (peer, "dy/>");
}

static void
test_nagle (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_in_pieces, NULL);
  g_autoptr(BoshTestPoster) client = NULL;
  gint64 shortest = G_MAXINT64;

  g_test_summary ("E52: a server that waits for the acknowledgement of the beginning of its response "
                  "gets it at once");

  /* On a new connection the kernel acknowledges at once, for some dozen segments. On a
   * busy machine it may take some tries to get the processor for a whole exchange. */
  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  for (guint64 id = 1; id <= 40 || (id <= 400 && shortest >= ACKNOWLEDGEMENT_DELAY); id++)
    {
      gint64 start = g_get_monotonic_time ();

      bosh_test_assert_body (bosh_test_poster_exchange (client, id, "x"), "<body/>");
      if (id > 30)
        shortest = MIN (shortest, g_get_monotonic_time () - start);
    }
  g_assert_cmpuint (bosh_test_server_get_n_accepted (server), ==, 1);
#ifdef __linux__
  g_assert_cmpint (shortest, <, ACKNOWLEDGEMENT_DELAY);
#endif
}

static void
test_parallel (void)
{
  BoshTestPeer *held = NULL;
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_or_hold, &held);
  g_autoptr(BoshTestPoster) client = NULL;
  const BoshTestOutcome *outcome;

  g_test_summary ("R96 (XEP-0124 §18.1): a request does not wait for one that is held, nor "
                  "follow it on its connection");

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  bosh_test_poster_post (client, 1, "hold");
  bosh_test_wait (held != NULL);

  outcome = bosh_test_poster_exchange (client, 2, "x");
  bosh_test_assert_body (outcome, "now");
  g_assert_cmpuint (outcome->id, ==, 2);
  g_assert_cmpuint (bosh_test_server_get_request (server, 1)->connection, ==, 2);

  bosh_test_peer_reply (held, 200, NULL, "later");
  bosh_test_wait (client->outcomes->len == 2);
  bosh_test_assert_body (bosh_test_poster_get_outcome (client, 1), "later");
}

static void
test_preconnect (void)
{
  BoshTestPeer *held = NULL;
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_or_hold, &held);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("XEP-0124 §18.1: the connection for the second of two requests is made while the "
                  "first is under way, and nothing is reported of it");

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  bosh_test_poster_post (client, 1, "hold");
  bosh_transport_preconnect (client->transport);
  bosh_transport_preconnect (client->transport);
  bosh_test_wait (held != NULL && bosh_test_server_get_n_accepted (server) == 2);
  bosh_test_drain ();
  g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 1);
  g_assert_cmpuint (client->outcomes->len, ==, 0);

  bosh_test_assert_body (bosh_test_poster_exchange (client, 2, "x"), "now");
  g_assert_cmpuint (bosh_test_server_get_n_accepted (server), ==, 2);
  g_assert_cmpuint (client->n_written, ==, 2);

  /* It is given up with everything else. */
  bosh_test_poster_post (client, 3, "hold");
  bosh_test_wait (bosh_test_server_get_requests (server)->len == 3);
  bosh_test_poster_post (client, 4, "hold");
  bosh_transport_preconnect (client->transport);
  bosh_transport_cancel_all (client->transport);
  bosh_test_drain ();
  g_assert_cmpuint (client->outcomes->len, ==, 1);
}

static void
test_preconnect_in_vain (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_never, NULL);
  guint port = bosh_test_server_get_port (server);
  g_autoptr(BoshTestPoster) client = NULL;
  const BoshTestOutcome *outcome;

  g_test_summary ("A preconnect that fails is not reported; the requests that need it are");

  g_clear_pointer (&server, bosh_test_server_free);
  client = bosh_test_poster_new_for_port (port);
  bosh_test_poster_post (client, 1, "x");
  bosh_transport_preconnect (client->transport);
  bosh_test_wait (client->outcomes->len == 1);
  outcome = bosh_test_poster_get_outcome (client, 0);
  g_assert_cmpuint (outcome->id, ==, 1);
  g_assert_nonnull (outcome->error);
  bosh_test_drain ();
  g_assert_cmpuint (client->outcomes->len, ==, 1);
}

static void
test_window (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_never, NULL);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("R53, R54 (XEP-0124 §11): room for a window of eight, with two to spare");

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  for (guint64 id = 1; id <= 10; id++)
    bosh_test_poster_post (client, id, "hold");
  bosh_test_wait (bosh_test_server_get_requests (server)->len == 10);

  bosh_transport_cancel_all (client->transport);
  bosh_test_wait (bosh_test_server_get_n_closed (server) == 10);
  g_assert_cmpuint (client->outcomes->len, ==, 0);
}

static void
test_cancel (void)
{
  BoshTestPeer *held = NULL;
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_or_hold, &held);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("R64 (XEP-0124 §14.3): the socket of an abandoned exchange is closed at "
                  "once, before anything is repeated");

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  bosh_test_poster_post (client, 1, "hold");
  bosh_test_wait (held != NULL);
  /* A second connection, idle, which the repetition will use. */
  bosh_test_poster_exchange (client, 2, "x");
  bosh_test_drain ();
  g_assert_false (bosh_test_peer_sees_end (held));

  bosh_transport_cancel (client->transport, 1);
  g_assert_true (bosh_test_peer_sees_end (held));
  bosh_transport_cancel (client->transport, 1);
  bosh_transport_cancel (client->transport, 99);

  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "now");
  bosh_test_wait (bosh_test_server_get_n_closed (server) == 1);
  bosh_test_drain ();
  g_assert_cmpuint (client->outcomes->len, ==, 2);
  g_assert_cmpuint (bosh_test_server_get_n_accepted (server), ==, 2);
}

/* Runs one exchange, and breaks it off after @steps turns of the main loop.
 * Gives TRUE if it was through by then. */
static gboolean
break_off_after (guint    steps,
                 gboolean by_free)
{
  static char response[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n";
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, bosh_test_respond_with, response);
  g_autoptr(BoshTestPoster) client = NULL;
  guint n_written;

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  bosh_test_poster_post (client, 1, "x");
  for (guint i = 0; i < steps; i++)
    g_main_context_iteration (NULL, TRUE);

  if (client->outcomes->len > 0)
    {
      bosh_test_assert_body (bosh_test_poster_get_outcome (client, 0), "helloworld");
      return TRUE;
    }

  n_written = client->n_written;
  if (by_free)
    g_clear_pointer (&client->transport, bosh_transport_free);
  else
    bosh_transport_cancel (client->transport, 1);

  bosh_test_drain ();
  g_assert_cmpuint (client->outcomes->len, ==, 0);
  g_assert_cmpuint (client->n_written, ==, n_written);

  if (!by_free)
    bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "helloworld");

  return FALSE;
}

static void
test_cancel_anywhere (void)
{
  guint steps = 0;

  g_test_summary ("An exchange can be cancelled at any point: no callback follows, and the "
                  "next one works");

  while (!break_off_after (steps, FALSE))
    steps++;
  g_assert_cmpuint (steps, >, 3);
}

static void
test_free_anywhere (void)
{
  guint steps = 0;

  g_test_summary ("A transport can be freed at any point of an exchange, and no callback "
                  "follows");

  while (!break_off_after (steps, TRUE))
    steps++;
  g_assert_cmpuint (steps, >, 3);
}

static void
test_free_in_callback (void)
{
  BoshTestPeer *held = NULL;
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_or_hold, &held);
  guint port = bosh_test_server_get_port (server);

  g_test_summary ("A transport can be freed by its own callbacks");

  for (guint in_written = 0; in_written <= 1; in_written++)
    {
      g_autoptr(BoshTestPoster) client = bosh_test_poster_new_for_port (port);
      guint n_closed = bosh_test_server_get_n_closed (server);

      held = NULL;
      bosh_test_poster_post (client, 1, "hold");
      bosh_test_wait (held != NULL && client->n_written == 1);

      client->free_in_response = in_written == 0;
      client->free_in_written = in_written == 1;
      bosh_test_poster_post (client, 2, "x");
      bosh_test_wait (client->transport == NULL);
      bosh_test_wait (bosh_test_server_get_n_closed (server) == n_closed + 2);
      g_assert_cmpuint (client->outcomes->len, ==, in_written == 0 ? 1 : 0);
    }
}

/* Resets the connection of the request "x", and responds to others. */
static void
respond_with_reset (BoshTestPeer          *peer,
                    const BoshTestRequest *request,
                    gpointer               user_data)
{
  if (memcmp (g_bytes_get_data (request->body, NULL), "x", 1) == 0)
    bosh_test_peer_reset (peer);
  else
    bosh_test_peer_reply (peer, 200, NULL, "fine");
}

static void
test_reset (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_with_reset, NULL);
  g_autoptr(BoshTestPoster) client = NULL;
  const BoshTestOutcome *outcome;

  g_test_summary ("R64 (XEP-0124 §14.3): a request on a connection that breaks is reported, "
                  "and not repeated behind our back");

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));

  /* A connection that was used before: the one that libsoup might repeat on. */
  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "fine"), "fine");
  outcome = bosh_test_poster_exchange (client, 2, "x");
  bosh_test_assert_failed (outcome, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, TRUE);
  bosh_test_drain ();
  g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 2);

  /* And a new one. */
  outcome = bosh_test_poster_exchange (client, 3, "x");
  g_assert_error (outcome->error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
  bosh_test_drain ();
  g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 3);
}

static void
on_halfway (BoshTestPeer          *peer,
            const BoshTestRequest *request,
            gpointer               user_data)
{
  BoshTestPeer **held = user_data;

  bosh_test_peer_write (peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  *held = peer;
}

static void
test_reset_halfway (void)
{
  BoshTestPeer *held = NULL;
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, on_halfway, &held);
  g_autoptr(BoshTestPoster) client = NULL;
  const BoshTestOutcome *outcome;

  g_test_summary ("A connection that breaks in the middle of a response is reported");

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  bosh_test_poster_post (client, 1, "x");
  bosh_test_wait (held != NULL);
  bosh_test_drain ();
  g_assert_cmpuint (client->outcomes->len, ==, 0);

  bosh_test_peer_reset (held);
  bosh_test_wait (client->outcomes->len == 1);
  outcome = bosh_test_poster_get_outcome (client, 0);
  bosh_test_assert_failed (outcome, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, TRUE);
}

static void
test_cancel_halfway (void)
{
  BoshTestPeer *held = NULL;
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, on_halfway, &held);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("A response that is being read can be cancelled");

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  bosh_test_poster_post (client, 1, "x");
  bosh_test_wait (held != NULL);
  bosh_test_drain ();

  bosh_transport_cancel (client->transport, 1);
  g_assert_true (bosh_test_peer_sees_end (held));
  bosh_test_wait (bosh_test_server_get_n_closed (server) == 1);
  bosh_test_drain ();
  g_assert_cmpuint (client->outcomes->len, ==, 0);
}

static void
test_unreachable (void)
{
  BoshTestServer *server = bosh_test_server_new (NULL, respond_never, NULL);
  g_autoptr(BoshTestPoster) client = NULL;
  const BoshTestOutcome *outcome;

  g_test_summary ("Where nobody listens, nothing was sent");

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  bosh_test_server_free (server);

  outcome = bosh_test_poster_exchange (client, 1, "x");
  bosh_test_assert_failed (outcome, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED, FALSE);
  g_assert_cmpuint (client->n_written, ==, 0);
}

/* A resolver that knows nobody. */
typedef GResolver EmptyResolver;
typedef GResolverClass EmptyResolverClass;

GType empty_resolver_get_type (void);
G_DEFINE_TYPE (EmptyResolver, empty_resolver, G_TYPE_RESOLVER)

static void
empty_resolver_lookup_async (GResolver                *resolver,
                             const char               *hostname,
                             GResolverNameLookupFlags  flags,
                             GCancellable             *cancellable,
                             GAsyncReadyCallback       callback,
                             gpointer                  user_data)
{
  g_autoptr(GTask) task = g_task_new (resolver, cancellable, callback, user_data);

  g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "Nobody");
}

static GList *
empty_resolver_lookup_finish (GResolver     *resolver,
                              GAsyncResult  *result,
                              GError       **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
empty_resolver_class_init (EmptyResolverClass *klass)
{
  klass->lookup_by_name_with_flags_async = empty_resolver_lookup_async;
  klass->lookup_by_name_with_flags_finish = empty_resolver_lookup_finish;
}

static void
empty_resolver_init (EmptyResolver *self)
{
}

static void
test_unknown_host (void)
{
  g_autoptr(GResolver) usual = g_resolver_get_default ();
  g_autoptr(GResolver) resolver = g_object_new (empty_resolver_get_type (), NULL);
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("A host that is not known keeps the error of the resolver, and nothing was "
                  "sent");

  g_resolver_set_default (resolver);
  configuration = bosh_connection_configuration_new ("http://nobody.example/", NULL);
  client = bosh_test_poster_new (configuration);
  bosh_test_assert_failed (bosh_test_poster_exchange (client, 1, "x"),
                           G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, FALSE);
  g_resolver_set_default (usual);
}

static void
test_invalid_uri (void)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(BoshTestPoster) client = NULL;
  const BoshTestOutcome *outcome;

  g_test_summary ("A configuration without a URI fails each exchange, from the main loop");

  configuration = bosh_connection_configuration_new_for_host ("a b", 0, NULL, FALSE);
  client = bosh_test_poster_new (configuration);
  bosh_test_poster_post (client, 1, "x");
  bosh_test_poster_post (client, 2, "x");
  g_assert_cmpuint (client->outcomes->len, ==, 0);
  bosh_transport_cancel (client->transport, 2);
  bosh_test_wait (client->outcomes->len == 1);
  bosh_test_drain ();

  outcome = bosh_test_poster_get_outcome (client, 0);
  bosh_test_assert_failed (outcome, BOSH_ERROR, BOSH_ERROR_INVALID_URI, FALSE);
  g_assert_cmpuint (client->outcomes->len, ==, 1);
  g_assert_false (bosh_transport_is_private (client->transport));
}

static void
test_cookies (void)
{
  static char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                           "Set-Cookie: node=a1; Path=/; HttpOnly; SameSite=Strict\r\n"
                           "Set-Cookie: elsewhere=b2; Path=/other\r\n"
                           "Set-Cookie: foreign=c3; Domain=other.example\r\n\r\n";
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, bosh_test_respond_with, response);
  guint port = bosh_test_server_get_port (server);
  g_autoptr(BoshTestPoster) client = bosh_test_poster_new_for_port (port);
  g_autoptr(BoshTestPoster) stranger = bosh_test_poster_new_for_port (port);
  g_autoptr(BoshTestPoster) heir = bosh_test_poster_new_for_port (port);
  g_auto(GStrv) cookies = NULL;
  g_auto(GStrv) none = NULL;

  g_test_summary ("Cookies for load balancers: kept for one session, and handed over with it");

  bosh_test_poster_exchange (client, 1, "x");
  bosh_test_poster_exchange (client, 2, "x");
  bosh_test_assert_header (bosh_test_server_get_request (server, 0), "Cookie", NULL);
  bosh_test_assert_header (bosh_test_server_get_request (server, 1), "Cookie", "node=a1");

  none = bosh_transport_dup_cookies (stranger->transport);
  g_assert_cmpuint (g_strv_length (none), ==, 0);
  bosh_test_poster_exchange (stranger, 1, "x");
  bosh_test_assert_header (bosh_test_server_get_request (server, 2), "Cookie", NULL);

  cookies = bosh_transport_dup_cookies (client->transport);
  g_assert_cmpuint (g_strv_length (cookies), ==, 1);
  g_assert_true (g_str_has_prefix (cookies[0], "node=a1"));
  g_assert_null (strstr (cookies[0], "domain"));
  bosh_transport_add_cookies (heir->transport, (const char * const *)cookies);
  bosh_test_poster_exchange (heir, 1, "x");
  bosh_test_assert_header (bosh_test_server_get_request (server, 3), "Cookie", "node=a1");
}

static void
test_cookie_limits (void)
{
  g_autoptr(GString) response = g_string_new ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
  g_autofree char *large = g_strnfill (5000, 'x');
  g_autofree char *header = NULL;
  g_autoptr(BoshTestServer) server = NULL;
  g_autoptr(BoshTestPoster) client = NULL;
  g_auto(GStrv) cookies = NULL;
  const char *broken[] = { "", "=", ";;;", "a", "\xff\xfe=x", "a=b; expires=never", NULL };

  g_test_summary ("The number and the size of cookies are limited, and nonsense does no harm");

  for (guint i = 0; i < 200; i++)
    g_string_append_printf (response, "Set-Cookie: c%u=v\r\n", i);
  g_string_append_printf (response, "Set-Cookie: large=%s\r\n\r\n", large);

  server = bosh_test_server_new (NULL, bosh_test_respond_with, response->str);
  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  bosh_transport_add_cookies (client->transport, broken);
  bosh_test_poster_exchange (client, 1, "x");
  bosh_test_poster_exchange (client, 2, "x");

  header = bosh_test_request_dup_header (bosh_test_server_get_request (server, 1), "Cookie");
  g_assert_cmpuint (strlen (header), <, 32 * 10);
  cookies = bosh_transport_dup_cookies (client->transport);
  g_assert_cmpuint (g_strv_length (cookies), <=, 32);
  for (guint i = 0; cookies[i] != NULL; i++)
    g_assert_true (g_utf8_validate (cookies[i], -1, NULL));
}

static void
hold (BoshTestPeer          *peer,
      const BoshTestRequest *request,
      gpointer               user_data)
{
  BoshTestPeer **held = user_data;

  *held = peer;
}

static void
test_written (void)
{
  BoshTestPeer *held = NULL;
  gsize size = 16 * 1024 * 1024;
  g_autofree char *body = g_strnfill (size, 'x');
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, hold, &held);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("A request counts as written when the socket has taken all of it");

  bosh_test_server_set_reading (server, FALSE);
  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  bosh_test_poster_post (client, 1, body);
  bosh_test_wait (bosh_test_server_get_n_accepted (server) == 1);
  bosh_test_drain ();
  g_assert_cmpuint (client->n_written, ==, 0);

  bosh_test_server_set_reading (server, TRUE);
  bosh_test_wait (client->n_written == 1 && held != NULL);
  g_assert_cmpuint (client->outcomes->len, ==, 0);
  bosh_test_peer_reply (held, 200, NULL, "<body/>");
  bosh_test_wait (client->outcomes->len == 1);
  g_assert_cmpuint (g_bytes_get_size (bosh_test_server_get_request (server, 0)->body), ==, size);
}

static void
test_private (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_ok, NULL);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("R97 (XEP-0124 §19.1): http is private if it has not left this machine");

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  g_assert_false (bosh_transport_is_private (client->transport));
  bosh_test_poster_exchange (client, 1, "x");
  g_assert_true (bosh_transport_is_private (client->transport));
  bosh_test_poster_exchange (client, 2, "x");
  g_assert_true (bosh_transport_is_private (client->transport));
}

static gpointer
run_in_thread (gpointer data)
{
  g_autoptr(GMainContext) context = g_main_context_new ();
  BoshTestPoster *client;
  GBytes *bytes = g_bytes_new_static ("x", 1);

  g_main_context_push_thread_default (context);
  client = bosh_test_poster_new_for_port (GPOINTER_TO_UINT (data));
  g_main_context_pop_thread_default (context);

  /* Outside of its context, as an application may call. */
  client->n_reposts = 4;
  bosh_transport_post (client->transport, 1, bytes, BOSH_CODING_IDENTITY, FALSE);

  g_main_context_push_thread_default (context);
  while (client->outcomes->len < 5)
    g_main_context_iteration (context, TRUE);
  for (guint i = 0; i < 5; i++)
    bosh_test_assert_body (bosh_test_poster_get_outcome (client, i), "<body/>");
  g_assert_cmpuint (client->n_written, ==, 5);

  g_clear_pointer (&client->transport, bosh_transport_free);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);

  bosh_inner_context_free (client->inner);
  g_ptr_array_unref (client->outcomes);
  g_free (client);
  g_bytes_unref (bytes);
  g_main_context_wakeup (NULL);

  return NULL;
}

static void
test_thread (void)
{
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_ok, NULL);
  GThread *thread;

  g_test_summary ("Everything happens in the context in which the transport was made");

  thread = g_thread_new ("client", run_in_thread,
                         GUINT_TO_POINTER (bosh_test_server_get_port (server)));
  bosh_test_wait (bosh_test_server_get_n_closed (server) == 1);
  g_thread_join (thread);
  g_assert_cmpuint (bosh_test_server_get_n_accepted (server), ==, 1);
}

static gboolean
is_private_after (const char *uri)
{
  g_autoptr(BoshConnectionConfiguration) configuration =
    bosh_connection_configuration_new ("http://chat.example.org:5280/http-bind/", NULL);
  g_autoptr(BoshTestPoster) client = bosh_test_poster_new (configuration);

  bosh_transport_set_uri (client->transport, uri);

  return bosh_transport_is_private (client->transport);
}

static void
test_misled (void)
{
  g_test_summary ("R90, R97: no password is sent to another host that a redirect over http has led to");

  g_assert_true (is_private_after ("https://chat.example.org/http-bind/"));
  g_assert_true (is_private_after ("https://CHAT.example.org:443/"));
  g_assert_false (is_private_after ("https://evil.example/http-bind/"));
  g_assert_false (is_private_after ("http://chat.example.org/http-bind/"));
  g_assert_false (is_private_after ("http://127.0.0.1:4711/"));
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/transport/request", test_request);
  g_test_add_func ("/bosh/transport/request-configured", test_request_configured);
  g_test_add_func ("/bosh/transport/reuse", test_reuse);
  g_test_add_func ("/bosh/transport/nothing-stays", test_nothing_stays);
  g_test_add_func ("/bosh/transport/nagle", test_nagle);
  g_test_add_func ("/bosh/transport/parallel", test_parallel);
  g_test_add_func ("/bosh/transport/preconnect", test_preconnect);
  g_test_add_func ("/bosh/transport/preconnect-in-vain", test_preconnect_in_vain);
  g_test_add_func ("/bosh/transport/window", test_window);
  g_test_add_func ("/bosh/transport/cancel", test_cancel);
  g_test_add_func ("/bosh/transport/cancel-anywhere", test_cancel_anywhere);
  g_test_add_func ("/bosh/transport/cancel-halfway", test_cancel_halfway);
  g_test_add_func ("/bosh/transport/free-anywhere", test_free_anywhere);
  g_test_add_func ("/bosh/transport/free-in-callback", test_free_in_callback);
  g_test_add_func ("/bosh/transport/reset", test_reset);
  g_test_add_func ("/bosh/transport/reset-halfway", test_reset_halfway);
  g_test_add_func ("/bosh/transport/unreachable", test_unreachable);
  g_test_add_func ("/bosh/transport/unknown-host", test_unknown_host);
  g_test_add_func ("/bosh/transport/invalid-uri", test_invalid_uri);
  g_test_add_func ("/bosh/transport/cookies", test_cookies);
  g_test_add_func ("/bosh/transport/cookie-limits", test_cookie_limits);
  g_test_add_func ("/bosh/transport/written", test_written);
  g_test_add_func ("/bosh/transport/private", test_private);
  g_test_add_func ("/bosh/transport/thread", test_thread);

  g_test_add_func ("/bosh/transport/misled", test_misled);

  return g_test_run ();
}
