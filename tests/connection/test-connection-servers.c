/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The connection against real servers. servers/run-with.py starts them and says
 * where they are; the name of the server is the argument. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-patience.h"
#include "bosh-test-wire.h"

#include <string.h>

#define NS_HTTPBIND "http://jabber.org/protocol/httpbind"

/* --- A user who sends messages to himself --- */

typedef struct
{
  BoshClient *client;
  GQueue arrived;        /* of BoshElement */
  guint n_switches;      /* of key sequences */
  guint n_carriers;      /* requests with messages, each counted once */
  guint64 last_rid;
  guint n_sent;
  guint n_received;
} Talker;

static BoshConnectionConfiguration *
new_configuration (guint key_sequence_length)
{
  return g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                       "uri", bosh_test_get_variable ("HTTP_URI"),
                       "use-key-sequence", key_sequence_length > 0,
                       "key-sequence-length", key_sequence_length,
                       NULL);
}

static void
on_request_sent (BoshConnection *connection,
                 const char     *body,
                 gpointer        user_data)
{
  Talker *self = user_data;
  const char *rid = strstr (body, " rid='");

  g_assert_nonnull (rid);
  if (g_ascii_strtoull (rid + strlen (" rid='"), NULL, 10) > self->last_rid)
    {
      self->last_rid = g_ascii_strtoull (rid + strlen (" rid='"), NULL, 10);
      self->n_carriers += strstr (body, "<message") != NULL ? 1 : 0;
    }
  if (strstr (body, " key='") != NULL && strstr (body, " newkey='") != NULL)
    self->n_switches++;
}

static void
on_message (BoshClient  *client,
            BoshElement *stanza,
            gpointer     user_data)
{
  Talker *self = user_data;
  g_autofree char *expected = NULL;

  /* Servers send messages of their own, too. */
  if (g_strcmp0 (bosh_element_get_attribute (stanza, "from"), bosh_client_get_jid (client)) != 0)
    return;

  expected = g_strdup_printf ("%u", self->n_received);
  bosh_test_assert_body (stanza, expected);
  self->n_received++;
}

static void
talker_init (Talker *self,
             guint   key_sequence_length)
{
  g_autoptr(BoshConnectionConfiguration) configuration = new_configuration (key_sequence_length);

  memset (self, 0, sizeof *self);
  self->client = bosh_client_new ("localhost", configuration);
  g_signal_connect (self->client, "stanza::message", G_CALLBACK (on_message), self);
  g_signal_connect (bosh_client_get_connection (self->client), "request-sent",
                    G_CALLBACK (on_request_sent), self);
}

static void
talker_log_in (Talker *self)
{
  g_autoptr(GError) error = NULL;

  bosh_test_connect (self->client, &error);
  g_assert_no_error (error);
  bosh_test_login (self->client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);
}

static void
talker_say (Talker *self)
{
  g_autofree char *text = g_strdup_printf ("%u", self->n_sent++);

  bosh_test_send_message (self->client, bosh_client_get_jid (self->client), text);
}

static void
talker_await_all (Talker *self)
{
  bosh_test_await (self->n_received == self->n_sent);
}

static BoshConnection *
talker_get_connection (Talker *self)
{
  return bosh_client_get_connection (self->client);
}

/* Hands the session of one over to the other, by way of JSON. */
static BoshSavedSession *
detach (BoshClient *client)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(BoshSavedSession) session = NULL;
  g_autofree char *json = NULL;
  g_autoptr(GError) error = NULL;
  BoshSavedSession *copy;

  bosh_client_detach_async (client, NULL, bosh_test_keep_result, &result);
  session = bosh_client_detach_finish (client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  json = bosh_saved_session_to_json (session);
  copy = bosh_saved_session_new_from_json (json, &error);
  g_assert_no_error (error);

  return copy;
}

static gboolean
attach (BoshClient        *client,
        BoshSavedSession  *session,
        GError           **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  bosh_client_attach_async (client, session, NULL, bosh_test_keep_result, &result);

  return bosh_client_attach_finish (client, bosh_test_wait_for (&result), error);
}

/* --- Tests --- */

static void
test_key_sequence (void)
{
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GError) error = NULL;
  Talker old;
  Talker new;

  g_test_summary ("XEP-0124 §15: 200 messages over many switches of the key sequence, "
                  "and across a hand-over");

  talker_init (&old, 8);
  talker_log_in (&old);
  for (guint i = 0; i < 150; i++)
    {
      talker_say (&old);
      talker_await_all (&old);
    }
  g_assert_cmpuint (old.n_switches, >, 10);

  session = detach (old.client);
  g_assert_true (bosh_saved_session_has_key_sequence (session));
  talker_init (&new, 8);
  attach (new.client, session, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 50; i++)
    {
      talker_say (&new);
      talker_await_all (&new);
    }
  g_assert_cmpuint (new.n_switches, >, 3);

  g_test_message ("%u and %u switches", old.n_switches, new.n_switches);
  bosh_test_assert_gone (old.client);
  bosh_test_close (new.client);
}

static void
test_all_at_once (void)
{
  Talker talker;
  BoshConnection *connection;
  guint64 n_requests;
  guint64 n_repeated;
  gint64 duration;

  g_test_summary ("2000 messages sent in one iteration: they leave in few requests of 64 KiB, and "
                  "each arrives once, in order");

  talker_init (&talker, 0);
  talker_log_in (&talker);
  connection = talker_get_connection (&talker);
  n_requests = bosh_connection_get_n_requests_sent (connection);
  n_repeated = bosh_connection_get_n_requests_repeated (connection);
  duration = -g_get_monotonic_time ();
  for (guint i = 0; i < 2000; i++)
    talker_say (&talker);
  talker_await_all (&talker);

  duration += g_get_monotonic_time ();
  n_requests = bosh_connection_get_n_requests_sent (connection) - n_requests;
  n_repeated = bosh_connection_get_n_requests_repeated (connection) - n_repeated;
  g_test_message ("%" G_GUINT64_FORMAT " requests, %u of them with messages, "
                  "%" G_GUINT64_FORMAT " repeats, in %.1f seconds",
                  n_requests, talker.n_carriers, n_repeated, duration / 1e6);
  g_assert_cmpuint (talker.n_carriers, <=, 6);
  /* No request is taken for lost before that. */
  if (duration < G_TIME_SPAN_SECOND)
    g_assert_cmpuint (n_repeated, ==, 0);
  bosh_test_close (talker.client);
}

typedef struct
{
  Talker *talker;
  guint n_left;
} Burst;

static gboolean
on_idle (gpointer user_data)
{
  Burst *burst = user_data;

  talker_say (burst->talker);

  return --burst->n_left > 0;
}

static void
burst (Talker *talker,
       guint   n_messages)
{
  Burst state = { talker, n_messages };
  g_autoptr(GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_idle, &state, NULL);
  g_source_attach (source, NULL);
  bosh_test_await (state.n_left == 0);
}

static void
test_one_by_one (void)
{
  Talker talker;
  BoshConnection *connection;
  guint64 n_requests;

  g_test_summary ("2000 messages, one in each iteration: each arrives once, in order");

  talker_init (&talker, 0);
  talker_log_in (&talker);
  connection = talker_get_connection (&talker);
  n_requests = bosh_connection_get_n_requests_sent (connection);
  burst (&talker, 2000);
  talker_await_all (&talker);

  n_requests = bosh_connection_get_n_requests_sent (connection) - n_requests;
  g_test_message ("%" G_GUINT64_FORMAT " requests, %" G_GUINT64_FORMAT " of them repeats",
                  n_requests, bosh_connection_get_n_requests_repeated (connection));
  bosh_test_close (talker.client);
}

static void
test_bursts (void)
{
  Talker talker;
  BoshConnection *connection;

  g_test_summary ("300 bursts of messages: no request overtakes another so that the session dies");

  talker_init (&talker, 0);
  talker_log_in (&talker);
  connection = talker_get_connection (&talker);
  for (guint i = 0; i < 300; i++)
    {
      burst (&talker, 1 + i % 5);
      talker_await_all (&talker);
    }

  g_test_message ("%" G_GUINT64_FORMAT " requests, %" G_GUINT64_FORMAT " of them repeats",
                  bosh_connection_get_n_requests_sent (connection),
                  bosh_connection_get_n_requests_repeated (connection));
  bosh_test_close (talker.client);
}

static void
expect (GQueue     *stanzas,
        const char *text)
{
  g_autoptr(BoshElement) next = bosh_test_next_stanza (stanzas);

  bosh_test_assert_body (next, text);
}

static void
test_pause (void)
{
  BoshClient *alice = bosh_test_new_ready ("localhost", "alice");
  BoshClient *bob = bosh_test_new_ready ("localhost", "bob");
  BoshConnection *connection = bosh_client_get_connection (alice);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  GQueue for_alice = G_QUEUE_INIT;
  GQueue for_bob = G_QUEUE_INIT;

  g_test_summary ("XEP-0124 §10: what arrives during a pause comes after it; NOT_SUPPORTED where "
                  "the server has no pauses");

  g_signal_connect (alice, "stanza::message", G_CALLBACK (bosh_test_keep_stanza), &for_alice);
  g_signal_connect (bob, "stanza::message", G_CALLBACK (bosh_test_keep_stanza), &for_bob);
  bosh_connection_pause_async (connection, 10, NULL, bosh_test_keep_result, &result);
  bosh_connection_pause_finish (connection, bosh_test_wait_for (&result), &error);
  g_clear_object (&result);
  if (bosh_connection_get_max_pause (connection) == 0)
    {
      bosh_test_assert_failure (&error, BOSH_ERROR, BOSH_ERROR_NOT_SUPPORTED);
    }
  else
    {
      g_assert_no_error (error);
      g_assert_cmpint (bosh_connection_get_state (connection), ==, BOSH_CONNECTION_STATE_PAUSED);
      bosh_test_send_message (bob, bosh_client_get_jid (alice), "1");
      bosh_test_send_message (bob, bosh_client_get_jid (alice), "2");
      bosh_test_send_message (bob, bosh_client_get_jid (bob), "done");
      expect (&for_bob, "done");
      g_assert_cmpint (bosh_connection_get_state (connection), ==, BOSH_CONNECTION_STATE_PAUSED);
      g_assert_true (g_queue_is_empty (&for_alice));
      bosh_connection_resume (connection);
      expect (&for_alice, "1");
      expect (&for_alice, "2");

      /* The pause ends by itself before the server drops the session. */
      bosh_connection_pause_async (connection, 10, NULL, bosh_test_keep_result, &result);
      bosh_connection_pause_finish (connection, bosh_test_wait_for (&result), &error);
      g_assert_no_error (error);
      g_clear_object (&result);
      bosh_test_await (bosh_connection_get_state (connection) == BOSH_CONNECTION_STATE_CONNECTED);
    }

  bosh_test_send_message (bob, bosh_client_get_jid (alice), "3");
  expect (&for_alice, "3");
  bosh_test_close (bob);
  bosh_test_close (alice);
}

/* POSTs a request that was written by hand. */
static char *
post (guint64     rid,
      const char *sid,
      const char *content)
{
  g_autoptr(GUri) uri = g_uri_parse (bosh_test_get_variable ("HTTP_URI"), G_URI_FLAGS_NONE, NULL);
  g_autoptr(GSocketClient) client = g_socket_client_new ();
  g_autoptr(GSocketConnection) connection = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *body = NULL;
  g_autofree char *request = NULL;
  g_autoptr(GString) response = g_string_new (NULL);
  char piece[4096];
  gssize size;

  body = g_strdup_printf ("<body xmlns='" NS_HTTPBIND "' rid='%" G_GUINT64_FORMAT "' sid='%s'>"
                          "%s</body>",
                          rid, sid, content);
  request = g_strdup_printf ("POST %s HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\n"
                             "Content-Type: text/xml\r\nContent-Length: %zu\r\n\r\n%s",
                             g_uri_get_path (uri), g_uri_get_host (uri), g_uri_get_port (uri),
                             strlen (body), body);
  connection = g_socket_client_connect_to_host (client, g_uri_get_host (uri), g_uri_get_port (uri),
                                                NULL, &error);
  g_assert_no_error (error);
  g_socket_set_timeout (g_socket_connection_get_socket (connection), BOSH_TEST_PATIENCE);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)),
                             request, strlen (request), NULL, NULL, &error);
  g_assert_no_error (error);
  while ((size = g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)),
                                      piece, sizeof piece, NULL, &error)) > 0)
    g_string_append_len (response, piece, size);
  g_assert_no_error (error);

  return g_string_free (g_steal_pointer (&response), FALSE);
}

static void
test_detach (void)
{
  BoshClient *client = bosh_test_new_ready ("localhost", "alice");
  BoshConnection *connection = bosh_client_get_connection (client);
  g_autofree char *sid = g_strdup (bosh_connection_get_session_id (connection));
  g_autofree char *response = NULL;
  guint64 rid;

  g_test_summary ("XEP-0124 §14.1: a request written by hand with the number that detach() "
                  "returned has its response, and the session goes on");

  rid = bosh_connection_detach (connection);
  g_assert_cmpuint (rid, >, 0);
  response = post (rid, sid, "<iq type='get' id='p1' xmlns='jabber:client'>"
                             "<ping xmlns='urn:xmpp:ping'/></iq>");
  g_test_message ("%s", response);
  g_assert_true (g_str_has_prefix (response, "HTTP/1.1 200 "));
  g_assert_nonnull (strstr (response, "<body"));
  g_assert_null (strstr (response, "terminate"));
  bosh_test_assert_gone (client);
}

/* --- A page that takes over --- */

typedef struct
{
  BoshClient *bob;
  GQueue for_bob;          /* of BoshElement */
  BoshSavedSession *session;
  guint64 rid;             /* of the next request of the page */
} Page;

static void
page_init (Page             *self,
           BoshSavedSession *session)
{
  self->bob = bosh_test_new_ready ("localhost", "bob");
  g_queue_init (&self->for_bob);
  g_signal_connect (self->bob, "stanza::message", G_CALLBACK (bosh_test_keep_stanza),
                    &self->for_bob);
  self->session = session;
  self->rid = bosh_saved_session_get_request_id (session);
}

static void
page_clear (Page *self)
{
  bosh_test_clear_stanzas (&self->for_bob);
  bosh_test_close (self->bob);
}

/* Bob writes to the session, and knows that the server has the message. */
static void
page_is_written_to (Page       *self,
                    const char *text)
{
  bosh_test_send_message (self->bob, bosh_saved_session_get_jid (self->session), text);
  bosh_test_send_message (self->bob, bosh_client_get_jid (self->bob), "through");
  expect (&self->for_bob, "through");
}

/* What a JavaScript library would send. Returns the response. */
static char *
page_post (Page       *self,
           const char *text)
{
  const char *sid = bosh_saved_session_get_session_id (self->session);
  g_autofree char *content = g_strdup ("");
  char *response;

  if (text != NULL)
    {
      g_free (content);
      content = g_strdup_printf ("<message xmlns='jabber:client' to='%s'><body>%s</body></message>",
                                 bosh_client_get_jid (self->bob), text);
    }
  response = post (self->rid++, sid, content);
  g_test_message ("%s", response);
  g_assert_null (strstr (response, "terminate"));

  return response;
}

static BoshSavedSession *
prebind (void)
{
  g_autoptr(BoshConnectionConfiguration) configuration = new_configuration (0);
  g_autoptr(BoshClient) client = bosh_client_new ("localhost", configuration);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  BoshSavedSession *session;

  bosh_client_prebind_async (client, "alice", "secret", NULL, NULL, bosh_test_keep_result, &result);
  session = bosh_client_prebind_finish (client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);

  return session;
}

/* The first request of the page brings a message of its own, and what arrived before. */
static void
check_free_start (BoshSavedSession *session)
{
  g_autofree char *response = NULL;
  Page page;

  g_assert_false (bosh_saved_session_has_open_request (session));
  page_init (&page, session);
  page_is_written_to (&page, "in the gap");
  response = page_post (&page, "from the page");
  g_assert_nonnull (strstr (response, "in the gap"));
  expect (&page.for_bob, "from the page");
  page_clear (&page);
}

static void
test_page_after_prebind (void)
{
  g_test_summary ("R50, R64: after a prebinding no request is open, so nothing is lost in either "
                  "direction, whatever the first request of the page holds");

  for (guint i = 0; i < 10; i++)
    {
      g_autoptr(BoshSavedSession) session = prebind ();

      check_free_start (session);
    }
}

static void
test_page_after_detach (void)
{
  g_autoptr(BoshClient) client = bosh_test_new_ready ("localhost", "alice");
  g_autoptr(BoshSavedSession) session = detach (client);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  Page page;

  g_test_summary ("R64: a session that says that a request is open is gone on with by an empty "
                  "request, and nothing is lost");

  /* The poll may be kept back for the moment in which the session was handed over. */
  if (!bosh_saved_session_has_open_request (session))
    {
      check_free_start (session);
      return;
    }

  page_init (&page, session);
  page_is_written_to (&page, "in the gap");
  first = page_post (&page, NULL);
  g_assert_nonnull (strstr (first, "in the gap"));
  page_is_written_to (&page, "later");
  second = page_post (&page, "from the page");
  g_assert_nonnull (strstr (second, "later"));
  expect (&page.for_bob, "from the page");
  page_clear (&page);
}

static void
test_page_after_pause (void)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(BoshClient) client = NULL;
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("R49, R51: a session that is paused to be handed over has no request open, where "
                  "the server allows pauses");

  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", bosh_test_get_variable ("HTTP_URI"),
                                "pause-on-detach", TRUE,
                                NULL);
  client = bosh_client_new ("localhost", configuration);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);
  session = detach (client);
  if (bosh_connection_get_max_pause (bosh_client_get_connection (client)) == 0)
    g_assert_true (bosh_saved_session_has_open_request (session));
  else
    check_free_start (session);
}

static void
test_unknown_host (void)
{
  g_autoptr(BoshConnectionConfiguration) configuration = new_configuration (0);
  g_autoptr(BoshConnection) connection = bosh_connection_new ("unknown.example", configuration);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("XEP-0124 §17.2: a domain that is not served, in the words of each server");

  bosh_connection_connect_async (connection, NULL, bosh_test_keep_result, &result);
  g_assert_false (bosh_connection_connect_finish (connection, bosh_test_wait_for (&result),
                                                  &error));
  bosh_test_assert_failure (&error, BOSH_ERROR,
                            bosh_test_is_ejabberd () ? BOSH_ERROR_INTERNAL_SERVER_ERROR
                                                     : BOSH_ERROR_IMPROPER_ADDRESSING);
  g_assert_cmpint (bosh_connection_get_state (connection), ==, BOSH_CONNECTION_STATE_CLOSED);
}

typedef struct
{
  guint n_closed;
  GError *error;
} End;

static void
on_closed (BoshConnection *connection,
           const GError   *error,
           gpointer        user_data)
{
  End *end = user_data;

  end->n_closed++;
  g_assert_null (end->error);
  end->error = g_error_copy (error);
}

static void
test_ended (void)
{
  BoshClient *first = bosh_test_new_ready ("localhost", "alice");
  BoshClient *second = bosh_test_new_client ("localhost");
  BoshClient *third = bosh_test_new_client ("localhost");
  BoshConnection *connection = bosh_client_get_connection (third);
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GError) error = NULL;
  End end = { 0 };
  gint64 since;

  g_test_summary ("XEP-0124 §17.2: a session that has ended is item-not-found, once");

  session = detach (first);
  bosh_test_assert_gone (first);
  attach (second, session, &error);
  g_assert_no_error (error);
  bosh_test_close (second);

  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), &end);
  since = g_get_monotonic_time ();
  if (attach (third, session, &error))
    {
      /* A server that sends nothing for so long is taken for one that holds the request. */
      g_assert_cmpint (g_get_monotonic_time () - since, >=, G_TIME_SPAN_SECOND);
      bosh_test_await (end.n_closed > 0);
    }
  else
    {
      bosh_test_assert_failure (&error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
      g_assert_cmpuint (bosh_connection_get_n_requests_sent (connection), ==, 1);
    }
  bosh_test_run_dry ();
  bosh_test_assert_failure (&end.error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  g_assert_cmpuint (end.n_closed, ==, 1);
  bosh_test_assert_gone (third);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  bosh_test_set_server (argv[1]);

  g_test_add_func ("/bosh/connection-servers/key-sequence", test_key_sequence);
  g_test_add_func ("/bosh/connection-servers/all-at-once", test_all_at_once);
  g_test_add_func ("/bosh/connection-servers/one-by-one", test_one_by_one);
  g_test_add_func ("/bosh/connection-servers/bursts", test_bursts);
  g_test_add_func ("/bosh/connection-servers/pause", test_pause);
  g_test_add_func ("/bosh/connection-servers/detach", test_detach);
  g_test_add_func ("/bosh/connection-servers/page-after-prebind", test_page_after_prebind);
  g_test_add_func ("/bosh/connection-servers/page-after-detach", test_page_after_detach);
  g_test_add_func ("/bosh/connection-servers/page-after-pause", test_page_after_pause);
  g_test_add_func ("/bosh/connection-servers/unknown-host", test_unknown_host);
  g_test_add_func ("/bosh/connection-servers/ended", test_ended);

  return g_test_run ();
}
