/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Handing over, cancelling and ending, against a real server. servers/run-with.py
 * starts it and says where it is; the name of the server is the argument. */

#include "config.h"

#include "bosh-test-client.h"

#include <string.h>

static void
wait_for_end (BoshClient *client)
{
  BoshConnection *connection = bosh_client_get_connection (client);
  guint changes = 0;
  gulong handler;

  handler = g_signal_connect (connection, "notify::state", G_CALLBACK (bosh_test_count_changes), &changes);
  while (bosh_connection_get_state (connection) != BOSH_CONNECTION_STATE_CLOSED &&
         bosh_connection_get_state (connection) != BOSH_CONNECTION_STATE_NEW)
    {
      changes = 0;
      bosh_test_wait_until (bosh_test_is_nonzero, &changes);
    }
  g_signal_handler_disconnect (connection, handler);
}

/* --- Handing over --- */

/* @messages: where those go that arrive, also while attaching; or NULL. */
static BoshClient *
new_attached (const char *json,
              GQueue     *messages)
{
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  BoshClient *client;

  session = bosh_saved_session_new_from_json (json, &error);
  g_assert_no_error (error);
  client = bosh_test_new_client (bosh_saved_session_get_domain (session));
  if (messages != NULL)
    g_signal_connect (client, "stanza::message", G_CALLBACK (bosh_test_keep_stanza), messages);
  bosh_client_attach_async (client, session, NULL, bosh_test_keep_result, &result);
  bosh_client_attach_finish (client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_READY);
  g_assert_cmpstr (bosh_client_get_jid (client), ==,
                   bosh_saved_session_get_jid (session));

  return client;
}

static char *
detach_to_json (BoshClient *client)
{
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  bosh_client_detach_async (client, NULL, bosh_test_keep_result, &result);
  session = bosh_client_detach_finish (client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_DETACHED);
  g_assert_cmpstr (bosh_saved_session_get_jid (session), ==,
                   bosh_client_get_jid (client));

  return bosh_saved_session_to_json (session);
}

static void
test_hand_over (gconstpointer data)
{
  gboolean use_keys = GPOINTER_TO_INT (data);
  BoshClient *alice;
  BoshClient *bob;
  g_autofree char *address = NULL;
  GQueue stanzas = G_QUEUE_INIT;

  g_test_summary ("A session goes on after each of five hand-overs, and no message "
                  "that was under way is lost; XEP-0124 §15: with keys too");

  bosh_test_set_use_keys (use_keys);
  alice = bosh_test_new_ready ("localhost", "alice");
  bob = bosh_test_new_ready ("localhost", "bob");
  address = g_strdup (bosh_client_get_jid (bob));
  g_signal_connect (bob, "stanza::message", G_CALLBACK (bosh_test_keep_stanza), &stanzas);
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *json = NULL;

      for (guint k = 0; k < 5; k++)
        {
          g_autofree char *text = g_strdup_printf ("%u", i * 5 + k);

          bosh_test_send_message (alice, address, text);
        }
      json = detach_to_json (bob);
      g_assert_cmpint (strstr (json, "\"key-sequence\"") != NULL, ==, use_keys);
      bosh_test_assert_gone (bob);
      bob = new_attached (json, &stanzas);
    }
  bosh_test_set_use_keys (FALSE);

  for (guint i = 0; i < 25; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u", i);
      g_autoptr(BoshElement) message = bosh_test_next_stanza (&stanzas);

      bosh_test_assert_body (message, text);
    }
  bosh_test_run_dry ();
  g_assert_true (g_queue_is_empty (&stanzas));
  bosh_test_close (bob);
  bosh_test_close (alice);
}

static void
test_hand_over_ends (void)
{
  BoshClient *alice = bosh_test_new_ready ("localhost", "alice");
  BoshClient *bob = bosh_test_new_ready ("localhost", "bob");
  g_autoptr(BoshElement) iq = NULL;
  g_autoptr(BoshElement) message = bosh_element_new_message ("bob@localhost", NULL, "x");
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *json = NULL;
  guint requests = 0;
  guint closed = 0;

  g_test_summary ("After a hand-over the old client can do nothing more, and what "
                  "waits there fails");

  g_signal_connect (bob, "iq-request", G_CALLBACK (bosh_test_ignore_request), &requests);
  g_signal_connect (alice, "closed", G_CALLBACK (bosh_test_count_closed), &closed);
  iq = bosh_test_new_request (bosh_client_get_jid (bob), "strange", BOSH_TEST_NS_STRANGE);
  bosh_client_send_iq_async (alice, iq, -1, NULL, bosh_test_keep_result, &result);
  bosh_test_wait_until (bosh_test_is_nonzero, &requests);

  json = detach_to_json (alice);
  g_assert_null (bosh_client_send_iq_finish (alice, bosh_test_wait_for (&result), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_DETACHED);
  g_clear_error (&error);
  g_assert_false (bosh_client_send (alice, message, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_DETACHED);
  g_clear_error (&error);
  bosh_test_login (alice, "alice", "secret", NULL, &error);
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_DETACHED);
  g_assert_cmpuint (closed, ==, 0);

  g_clear_object (&result);
  bosh_test_assert_gone (alice);
  bosh_test_close (new_attached (json, NULL));
  bosh_test_close (bob);
}

static void
test_prebind (void)
{
  g_autoptr(BoshClient) prebinder = NULL;
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) iq = bosh_test_new_request (NULL, "query", BOSH_TEST_NS_ROSTER);
  g_autoptr(BoshElement) response = NULL;
  g_autofree char *json = NULL;
  BoshClient *client;

  g_test_summary ("Connect, log in and hand over in one call; the session goes on");

  prebinder = bosh_test_new_client ("localhost");
  bosh_client_prebind_async (prebinder, "alice", "secret", "page",
                             NULL, bosh_test_keep_result, &result);
  session = bosh_client_prebind_finish (prebinder, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpint (bosh_client_get_state (prebinder), ==, BOSH_CLIENT_STATE_DETACHED);
  g_assert_cmpstr (bosh_saved_session_get_jid (session), ==, "alice@localhost/page");
  g_assert_cmpstr (bosh_saved_session_get_domain (session), ==, "localhost");
  g_assert_cmpstr (bosh_saved_session_get_uri (session), ==, bosh_test_get_variable ("HTTP_URI"));
  g_assert_cmpuint (bosh_saved_session_get_request_id (session), >, 0);
  g_assert_false (bosh_saved_session_has_open_request (session));

  json = bosh_saved_session_to_json (session);
  client = new_attached (json, NULL);
  response = bosh_test_send_iq (client, iq, -1, &error);
  g_assert_no_error (error);
  bosh_test_close (client);
}

static void
test_prebind_failure (void)
{
  static const struct
  {
    const char *domain;
    const char *username;
    const char *password;
  } cases[] = {
    { "localhost", "alice", "wrong" },
    { "localhost", "nobody", "secret" },
    { "nowhere.localhost", "alice", "secret" },
    { "anon.localhost", "alice", "secret" },
  };

  g_test_summary ("Whatever step fails gives its error");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      BoshClient *client = bosh_test_new_client (cases[i].domain);
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;

      bosh_client_prebind_async (client, cases[i].username, cases[i].password, NULL, NULL,
                                 bosh_test_keep_result, &result);
      g_assert_null (bosh_client_prebind_finish (client, bosh_test_wait_for (&result), &error));
      g_assert_nonnull (error);
      g_assert_true (error->domain == BOSH_ERROR || error->domain == BOSH_SASL_ERROR);
      g_clear_object (&result);
      wait_for_end (client);
      g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CLOSED);
      bosh_test_assert_gone (client);
    }
}

/* --- Cancelling --- */

static gboolean
on_cancel (gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return G_SOURCE_REMOVE;
}

/* Cancels after so many milliseconds, or now. */
static void
cancel_after (GCancellable *cancellable,
              int           delay)
{
  g_autoptr(GSource) source = NULL;

  if (delay < 0)
    {
      g_cancellable_cancel (cancellable);
      return;
    }

  source = g_timeout_source_new (delay);
  g_source_set_callback (source, on_cancel, g_object_ref (cancellable), g_object_unref);
  g_source_attach (source, g_main_context_get_thread_default ());
}

static void
test_cancel_connect (void)
{
  g_test_summary ("Connecting is cancelled before it begins, and at any time after");

  for (int delay = -1; delay < 4; delay++)
    {
      BoshClient *client = bosh_test_new_client ("localhost");
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;

      cancel_after (cancellable, delay);
      bosh_client_connect_async (client, cancellable, bosh_test_keep_result, &result);
      if (bosh_client_connect_finish (client, bosh_test_wait_for (&result), &error))
        bosh_test_disconnect (client);
      else
        {
          BoshClientState state = bosh_client_get_state (client);

          /* It depends on whether the session was open already. */
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
          if (delay < 0)
            g_assert_cmpint (state, ==, BOSH_CLIENT_STATE_NEW);
          else
            g_assert_true (state == BOSH_CLIENT_STATE_CLOSED ||
                           state == BOSH_CLIENT_STATE_DISCONNECTING);
        }
      g_clear_object (&result);
      wait_for_end (client);
      g_assert_true (bosh_client_get_state (client) == BOSH_CLIENT_STATE_CLOSED || delay < 0);
      bosh_test_assert_gone (client);
    }
}

static void
test_cancel_login (void)
{
  g_test_summary ("A login that was cancelled when it had begun ends the session; "
                  "before, nothing has happened");

  for (int delay = -1; delay < 20; delay += delay < 2 ? 1 : 6)
    {
      BoshClient *client = bosh_test_new_client ("plain.localhost");
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;

      bosh_test_connect (client, &error);
      g_assert_no_error (error);
      cancel_after (cancellable, delay);
      bosh_client_login_async (client, "alice", "secret", NULL, cancellable,
                               bosh_test_keep_result, &result);
      if (bosh_client_login_finish (client, bosh_test_wait_for (&result), &error))
        {
          g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_READY);
          bosh_test_disconnect (client);
        }
      else
        {
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
          if (delay < 0)
            {
              g_clear_error (&error);
              g_assert_cmpint (bosh_client_get_state (client), ==,
                               BOSH_CLIENT_STATE_CONNECTED);
              bosh_test_login (client, "alice", "secret", NULL, &error);
              g_assert_no_error (error);
              bosh_test_disconnect (client);
            }
          else
            g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_DISCONNECTING);
        }
      g_clear_object (&result);
      wait_for_end (client);
      g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CLOSED);
      bosh_test_assert_gone (client);
    }
}

static void
test_cancel_iq (void)
{
  BoshClient *client = bosh_test_new_ready ("localhost", "alice");
  BoshClient *bob = bosh_test_new_ready ("localhost", "bob");
  guint requests = 0;

  g_test_summary ("Waiting for a response is cancelled, and the session is as it was");

  g_signal_connect (bob, "iq-request", G_CALLBACK (bosh_test_ignore_request), &requests);
  for (int delay = -1; delay < 2; delay++)
    {
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;
      g_autoptr(BoshElement) iq = NULL;
      g_autoptr(BoshElement) ping = bosh_test_new_request ("localhost", "ping", BOSH_TEST_NS_PING);
      g_autoptr(BoshElement) response = NULL;

      iq = bosh_test_new_request (bosh_client_get_jid (bob), "strange", BOSH_TEST_NS_STRANGE);
      cancel_after (cancellable, delay);
      bosh_client_send_iq_async (client, iq, -1, cancellable, bosh_test_keep_result, &result);
      g_assert_null (bosh_client_send_iq_finish (client, bosh_test_wait_for (&result), &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&error);

      response = bosh_test_send_iq (client, ping, -1, &error);
      g_assert_no_error (error);
    }
  bosh_test_close (client);
  bosh_test_close (bob);
}

static void
test_cancel_prebind (void)
{
  g_test_summary ("Prebinding is cancelled at any step, and cleans up behind itself");

  for (int delay = -1; delay < 60; delay += delay < 4 ? 1 : 8)
    {
      g_autoptr(BoshClient) client = bosh_test_new_client ("plain.localhost");
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(BoshSavedSession) session = NULL;
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;

      cancel_after (cancellable, delay);
      bosh_client_prebind_async (client, "alice", "secret", NULL, cancellable,
                                 bosh_test_keep_result, &result);
      session = bosh_client_prebind_finish (client, bosh_test_wait_for (&result), &error);
      if (session == NULL)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      else
        {
          g_autofree char *json = bosh_saved_session_to_json (session);

          bosh_test_close (new_attached (json, NULL));
        }
      bosh_test_run_dry ();
    }
}

/* --- Ends --- */

static void
test_disconnect_early (void)
{
  BoshClient *fresh = bosh_test_new_client ("localhost");
  BoshClient *connecting = bosh_test_new_client ("localhost");
  BoshClient *logging_in = bosh_test_new_client ("plain.localhost");
  g_autoptr(GAsyncResult) fresh_result = NULL;
  g_autoptr(GAsyncResult) connect_result = NULL;
  g_autoptr(GAsyncResult) login_result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("Disconnecting is possible at any time; what was under way fails");

  bosh_client_disconnect_async (fresh, NULL, bosh_test_keep_result, &fresh_result);
  g_assert_false (bosh_client_disconnect_finish (fresh, bosh_test_wait_for (&fresh_result), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_error (&error);
  g_clear_object (&fresh_result);
  bosh_test_assert_gone (fresh);

  bosh_client_connect_async (connecting, NULL, bosh_test_keep_result, &connect_result);
  bosh_client_disconnect_async (connecting, NULL, NULL, NULL);
  g_assert_false (bosh_client_connect_finish (connecting, bosh_test_wait_for (&connect_result), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_error (&error);
  g_clear_object (&connect_result);
  wait_for_end (connecting);
  bosh_test_assert_gone (connecting);

  bosh_test_connect (logging_in, &error);
  g_assert_no_error (error);
  bosh_client_login_async (logging_in, "alice", "secret", NULL, NULL, bosh_test_keep_result,
                           &login_result);
  bosh_test_disconnect (logging_in);
  g_assert_false (bosh_client_login_finish (logging_in, bosh_test_wait_for (&login_result), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_object (&login_result);
  bosh_test_assert_gone (logging_in);
}

static void
test_closed (void)
{
  BoshClient *alice = bosh_test_new_ready ("localhost", "alice");
  BoshClient *bob = bosh_test_new_ready ("localhost", "bob");
  g_autoptr(BoshElement) iq = NULL;
  g_autoptr(BoshElement) late = bosh_test_new_request ("localhost", "ping", BOSH_TEST_NS_PING);
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  guint requests = 0;
  guint closed = 0;

  g_test_summary ("XEP-0124 §13: at the end all that waits fails, and nothing can be "
                  "sent any more");

  g_signal_connect (bob, "iq-request", G_CALLBACK (bosh_test_ignore_request), &requests);
  g_signal_connect (alice, "closed", G_CALLBACK (bosh_test_count_closed), &closed);
  iq = bosh_test_new_request (bosh_client_get_jid (bob), "strange", BOSH_TEST_NS_STRANGE);
  bosh_client_send_iq_async (alice, iq, 0, NULL, bosh_test_keep_result, &result);
  bosh_test_wait_until (bosh_test_is_nonzero, &requests);
  bosh_test_disconnect (alice);
  g_assert_null (bosh_client_send_iq_finish (alice, bosh_test_wait_for (&result), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_error (&error);
  g_assert_cmpuint (closed, ==, 1);

  g_assert_null (bosh_test_send_iq (alice, late, -1, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_error (&error);
  bosh_test_login (alice, "alice", "secret", NULL, &error);
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_object (&result);
  bosh_test_assert_gone (alice);
  bosh_test_close (bob);
}

static void
test_ended_by_server (void)
{
  BoshClient *first = bosh_test_new_client ("localhost");
  BoshClient *second = NULL;
  g_autoptr(GError) error = NULL;
  guint closed = 0;

  g_test_summary ("When the server ends the session, `closed` says so; a handler may "
                  "drop the last reference");

  /* Two clients of the same resource: RFC 6120 §7.7.2.2 lets the server end the
   * older one, and both servers do. */
  bosh_test_connect (first, &error);
  g_assert_no_error (error);
  bosh_test_login (first, "bob", "secret", "same", &error);
  g_assert_no_error (error);
  g_signal_connect (first, "closed", G_CALLBACK (bosh_test_count_closed), &closed);
  second = bosh_test_new_client ("localhost");
  bosh_test_connect (second, &error);
  g_assert_no_error (error);
  bosh_test_login (second, "bob", "secret", "same", &error);
  g_assert_no_error (error);
  bosh_test_wait_until (bosh_test_is_nonzero, &closed);
  g_assert_cmpint (bosh_client_get_state (first), ==, BOSH_CLIENT_STATE_CLOSED);
  bosh_test_assert_gone (first);
  bosh_test_close (second);
}

typedef struct
{
  BoshClient *client;
  guint       calls;
} Owner;

static void
drop_on_stanza (BoshClient  *client,
                BoshElement *stanza,
                gpointer     user_data)
{
  Owner *owner = user_data;

  owner->calls++;
  g_clear_object (&owner->client);
}

static void
drop_on_result (GObject      *source_object,
                GAsyncResult *result,
                gpointer      user_data)
{
  Owner *owner = user_data;

  owner->calls++;
  g_clear_object (&owner->client);
}

static gboolean
is_dropped (gpointer data)
{
  return *(gpointer *)data == NULL;
}

static void
test_drop (void)
{
  BoshClient *alice = bosh_test_new_ready ("localhost", "alice");
  g_autoptr(BoshElement) ping = bosh_test_new_request ("localhost", "ping", BOSH_TEST_NS_PING);
  Owner owner = { 0 };
  gpointer weak;

  g_test_summary ("A handler or a callback may drop the last reference");

  owner.client = bosh_test_new_ready ("localhost", "bob");
  weak = owner.client;
  g_object_add_weak_pointer (weak, &weak);
  g_signal_connect (owner.client, "stanza", G_CALLBACK (drop_on_stanza), &owner);
  bosh_test_send_message (alice, bosh_client_get_jid (owner.client), "1");
  bosh_test_send_message (alice, bosh_client_get_jid (owner.client), "2");
  bosh_test_wait_until (is_dropped, &weak);
  g_assert_cmpuint (owner.calls, ==, 1);

  owner.client = bosh_test_new_ready ("localhost", "bob");
  weak = owner.client;
  g_object_add_weak_pointer (weak, &weak);
  bosh_client_send_iq_async (owner.client, ping, -1, NULL, drop_on_result, &owner);
  bosh_test_wait_until (is_dropped, &weak);
  g_assert_cmpuint (owner.calls, ==, 2);

  owner.client = bosh_test_new_client ("plain.localhost");
  weak = owner.client;
  g_object_add_weak_pointer (weak, &weak);
  bosh_client_connect_async (owner.client, NULL, drop_on_result, &owner);
  bosh_test_wait_until (is_dropped, &weak);
  g_assert_cmpuint (owner.calls, ==, 3);

  owner.client = bosh_test_new_client ("plain.localhost");
  bosh_test_connect (owner.client, NULL);
  weak = owner.client;
  g_object_add_weak_pointer (weak, &weak);
  bosh_client_login_async (owner.client, "alice", "secret", NULL, NULL,
                           drop_on_result, &owner);
  bosh_test_wait_until (is_dropped, &weak);
  g_assert_cmpuint (owner.calls, ==, 4);

  bosh_test_close (alice);
}

static void
disconnect_on_stanza (BoshClient  *client,
                      BoshElement *stanza,
                      gpointer     user_data)
{
  GAsyncResult **result = user_data;

  bosh_client_disconnect_async (client, NULL, bosh_test_keep_result, result);
}

static void
disconnect_on_state (BoshClient *client,
                     GParamSpec *pspec,
                     gpointer    user_data)
{
  if (bosh_client_get_state (client) == *(BoshClientState *)user_data)
    bosh_client_disconnect_async (client, NULL, NULL, NULL);
}

static void
test_disconnect_in_handler (void)
{
  static const BoshClientState states[] = {
    BOSH_CLIENT_STATE_CONNECTING,
    BOSH_CLIENT_STATE_CONNECTED,
    BOSH_CLIENT_STATE_LOGGING_IN,
    BOSH_CLIENT_STATE_READY,
  };
  BoshClient *alice = bosh_test_new_ready ("localhost", "alice");
  BoshClient *bob = bosh_test_new_ready ("localhost", "bob");
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("A handler may disconnect");

  g_signal_connect (bob, "stanza::message", G_CALLBACK (disconnect_on_stanza), &result);
  bosh_test_send_message (alice, bosh_client_get_jid (bob), "go away");
  bosh_client_disconnect_finish (bob, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_clear_object (&result);
  bosh_test_assert_gone (bob);

  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    {
      BoshClient *client = bosh_test_new_client ("plain.localhost");
      BoshClientState state = states[i];

      g_signal_connect (client, "notify::state", G_CALLBACK (disconnect_on_state), &state);
      bosh_test_connect (client, NULL);
      bosh_test_login (client, "alice", "secret", NULL, NULL);
      wait_for_end (client);
      bosh_test_assert_gone (client);
    }
  bosh_test_close (alice);
}

/* --- Threads --- */

static gpointer
run_in_thread (gpointer data)
{
  const char *username = data;
  g_autoptr(GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  for (guint i = 0; i < 3; i++)
    {
      BoshClient *client = bosh_test_new_ready ("plain.localhost", username);
      g_autoptr(BoshElement) response = NULL;
      g_autoptr(GError) error = NULL;
      GQueue stanzas = G_QUEUE_INIT;

      g_signal_connect (client, "stanza::message", G_CALLBACK (bosh_test_keep_stanza), &stanzas);
      for (guint k = 0; k < 10; k++)
        {
          g_autoptr(BoshElement) ping = bosh_test_new_request ("plain.localhost", "ping", BOSH_TEST_NS_PING);
          g_autoptr(BoshElement) message = NULL;

          response = bosh_test_send_iq (client, ping, -1, &error);
          g_assert_no_error (error);
          g_clear_pointer (&response, bosh_element_unref);
          bosh_test_send_message (client, bosh_client_get_jid (client), "to myself");
          message = bosh_test_next_stanza (&stanzas);
          bosh_test_assert_body (message, "to myself");
        }
      bosh_test_close (client);
    }
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
test_threads (void)
{
  GThread *one;
  GThread *two;

  g_test_summary ("Two clients in two threads, each with its own main context, while "
                  "the default context is not run");

  one = g_thread_new ("one", run_in_thread, (gpointer) "alice");
  two = g_thread_new ("two", run_in_thread, (gpointer) "bob");
  g_thread_join (one);
  g_thread_join (two);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  bosh_test_set_server (argv[1]);

  g_test_add_data_func ("/bosh/client-ends/hand-over", GINT_TO_POINTER (FALSE), test_hand_over);
  g_test_add_data_func ("/bosh/client-ends/hand-over-keys", GINT_TO_POINTER (TRUE), test_hand_over);
  g_test_add_func ("/bosh/client-ends/hand-over-ends", test_hand_over_ends);
  g_test_add_func ("/bosh/client-ends/prebind", test_prebind);
  g_test_add_func ("/bosh/client-ends/prebind-failure", test_prebind_failure);
  g_test_add_func ("/bosh/client-ends/cancel-connect", test_cancel_connect);
  g_test_add_func ("/bosh/client-ends/cancel-login", test_cancel_login);
  g_test_add_func ("/bosh/client-ends/cancel-iq", test_cancel_iq);
  g_test_add_func ("/bosh/client-ends/cancel-prebind", test_cancel_prebind);
  g_test_add_func ("/bosh/client-ends/disconnect-early", test_disconnect_early);
  g_test_add_func ("/bosh/client-ends/closed", test_closed);
  g_test_add_func ("/bosh/client-ends/ended-by-server", test_ended_by_server);
  g_test_add_func ("/bosh/client-ends/drop", test_drop);
  g_test_add_func ("/bosh/client-ends/disconnect-in-handler", test_disconnect_in_handler);
  g_test_add_func ("/bosh/client-ends/threads", test_threads);

  return g_test_run ();
}
