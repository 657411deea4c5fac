/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The client against a connection manager that does what no real one does. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-http.h"

#include "bosh-client-private.h"

#include <string.h>

#define JID "alice@example.org/x"

#define BODY "<body xmlns='http://jabber.org/protocol/httpbind' "                  \
             "xmlns:stream='http://etherx.jabber.org/streams'"
#define GRANTS " sid='s1' wait='60' hold='1' requests='2' inactivity='30' ver='1.6'"
#define SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define BIND "urn:ietf:params:xml:ns:xmpp-bind"

#define SASL2 "urn:xmpp:sasl:2"
#define BIND2 "urn:xmpp:bind:0"
#define SECOND_FEATURES "<stream:features><bind xmlns='" BIND "'/></stream:features>"
#define EXTENSIBLE_FEATURES                                                   \
  "<stream:features><authentication xmlns='" SASL2 "'><mechanism>PLAIN</mechanism>"      \
  "<inline><bind xmlns='" BIND2 "'/></inline></authentication></stream:features>"

#define SILENT_FEATURES(mechanism)                                            \
  "<stream:features><authentication xmlns='" SASL2 "'><mechanism>" mechanism     \
  "</mechanism></authentication><mechanisms xmlns='" SASL "'><mechanism>" mechanism \
  "</mechanism></mechanisms></stream:features>"

#define FEATURES(mechanism)                                                   \
  "<stream:features xmlns='jabber:client'><mechanisms xmlns='" SASL "'><mechanism>" mechanism \
  "</mechanism></mechanisms></stream:features>"

typedef struct
{
  BoshTestServer *server;
  BoshTestPeer   *held;
  BoshTestPeer   *restarted;

  const char     *grants;
  /* NULL where the server sends none by itself. */
  const char     *features;
  const char     *response_to_auth;
  const char     *response_to_authenticate;  /* that of `<auth/>` where it is NULL */
  gboolean        ignores_authenticate;
  guint           n_resets;    /* of such requests */
  const char     *response_to_bind;
  guint           iterations;  /* SCRAM: of the challenge */
  gboolean        is_lazy;     /* responds to the restart when more has come */

  guint           n_auth;      /* requests with `<auth/>` */
  GString        *sent;        /* all payloads of the client */
} Script;

static void
respond (BoshTestPeer *peer,
         const char   *attributes,
         const char   *payload)
{
  g_autofree char *text = g_strconcat (BODY, attributes, ">", payload, "</body>", NULL);

  bosh_test_peer_reply (peer, 200, "Content-Type: text/xml\r\n", text);
}

/* Gives it to the client with the request that is held. */
static void
push (Script     *script,
      const char *payload)
{
  bosh_test_wait (script->held != NULL);
  respond (g_steal_pointer (&script->held), "", payload);
}

/* The value of what stands between @before and @after. */
static char *
dup_between (const char *text,
             const char *before,
             const char *after)
{
  const char *start = strstr (text, before);
  const char *end;

  g_assert_nonnull (start);
  start += strlen (before);
  end = strstr (start, after);
  g_assert_nonnull (end);

  return g_strndup (start, end - start);
}

static char *
encode (const char *text)
{
  return g_base64_encode ((const guint8 *)text, strlen (text));
}

/* RFC 5802 §7: the response of a server to `n,,n=name,r=nonce`. */
static void
challenge (Script       *script,
           BoshTestPeer *peer,
           const char   *request)
{
  g_autofree char *auth = dup_between (request, "<auth ", "</auth>");
  g_autofree guchar *first = NULL;
  g_autofree char *nonce = NULL;
  g_autofree char *message = NULL;
  g_autofree char *encoded = NULL;
  g_autofree char *payload = NULL;
  g_autofree char *text = NULL;
  gsize length;

  first = g_base64_decode (strchr (auth, '>') + 1, &length);
  text = g_strndup ((const char *)first, length);
  nonce = g_strdup (strstr (text, ",r=") + 3);
  message = g_strdup_printf ("r=%sserver,s=c2FsdA==,i=%u", nonce, script->iterations);
  encoded = encode (message);
  payload = g_strdup_printf ("<challenge xmlns='" SASL "'>%s</challenge>", encoded);
  respond (peer, "", payload);
}

static void
on_request (BoshTestPeer          *peer,
            const BoshTestRequest *request,
            gpointer               user_data)
{
  Script *script = user_data;
  gsize length;
  const char *data = g_bytes_get_data (request->body, &length);
  g_autofree char *text = g_strndup (data, length);
  if (strstr (text, "/>") == NULL || strstr (text, "</body>") != NULL)
    g_string_append (script->sent, text);

  if (script->restarted != NULL)
    respond (g_steal_pointer (&script->restarted), "", SECOND_FEATURES);
  /* Each request releases the one before it. */
  if (script->held != NULL)
    respond (g_steal_pointer (&script->held), "", "");

  if (strstr (text, "sid='s1'") == NULL)
    respond (peer, script->grants, script->features != NULL ? script->features : "");
  else if (strstr (text, "type='terminate'") != NULL)
    respond (peer, " type='terminate'", "");
  else if (strstr (text, " pause='") != NULL)
    respond (peer, "", "");
  else if (strstr (text, "<authenticate ") != NULL && script->n_resets > 0)
    {
      script->n_resets--;
      bosh_test_peer_reset (peer);
    }
  else if (strstr (text, "<authenticate ") != NULL && script->ignores_authenticate)
    script->held = peer;
  else if (strstr (text, "<authenticate ") != NULL && script->response_to_authenticate != NULL)
    respond (peer, "", script->response_to_authenticate);
  else if (strstr (text, "<auth ") != NULL && script->iterations > 0)
    challenge (script, peer, text);
  else if ((strstr (text, "<auth ") != NULL || strstr (text, "<authenticate ") != NULL) &&
           script->response_to_auth != NULL)
    respond (peer, "", script->response_to_auth);
  else if (strstr (text, "restart='true'") != NULL && script->is_lazy)
    script->restarted = peer;
  else if (strstr (text, "restart='true'") != NULL)
    respond (peer, "", SECOND_FEATURES);
  else if (strstr (text, BIND) != NULL && script->response_to_bind != NULL)
    respond (peer, "", script->response_to_bind);
  else
    script->held = peer;

  if (strstr (text, "<auth ") != NULL)
    script->n_auth++;
}

static void
script_init (Script *script)
{
  *script = (Script){ 0 };
  script->server = bosh_test_server_new (NULL, on_request, script);
  script->grants = GRANTS;
  script->features = FEATURES ("PLAIN");
  script->response_to_auth = "<success xmlns='" SASL "'/>";
  script->response_to_bind = "<iq xmlns='jabber:client' type='result' id='bosh-login-bind'>"
                             "<bind xmlns='" BIND "'><jid>" JID "</jid></bind></iq>";
  script->sent = g_string_new (NULL);
}

static void
script_clear (Script *script)
{
  g_clear_pointer (&script->server, bosh_test_server_free);
  g_string_free (script->sent, TRUE);
}

static BoshClient *
new_client (Script *script)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  configuration =
    bosh_connection_configuration_new (bosh_test_server_get_uri (script->server, FALSE), NULL);

  return bosh_client_new ("example.org", configuration);
}

static BoshClient *
new_ready (Script *script)
{
  BoshClient *client = new_client (script);
  g_autoptr(GError) error = NULL;

  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bosh_client_get_jid (client), ==, JID);

  return client;
}

static gboolean
is_closed (gpointer data)
{
  return bosh_connection_get_state (data) == BOSH_CONNECTION_STATE_CLOSED;
}

static void
wait_for_end (BoshClient *client)
{
  bosh_test_wait_until (is_closed, bosh_client_get_connection (client));
}

static void
test_late_features (void)
{
  Script script;
  BoshClient *client;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("XEP-0206 §4: features may come in any response; connecting waits for "
                  "them");

  script_init (&script);
  script.features = NULL;
  client = new_client (&script);
  bosh_client_connect_async (client, NULL, bosh_test_keep_result, &result);
  bosh_test_wait (script.held != NULL);
  bosh_test_drain ();
  g_assert_null (result);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CONNECTING);

  push (&script, FEATURES ("PLAIN"));
  bosh_client_connect_finish (client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CONNECTED);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);
  g_clear_object (&result);
  bosh_test_close (client);
  script_clear (&script);
}

static void
test_cancel_features (void)
{
  Script script;
  BoshClient *client;
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("The wait for features is cancelled, and the session ends");

  script_init (&script);
  script.features = NULL;
  client = new_client (&script);
  bosh_client_connect_async (client, cancellable, bosh_test_keep_result, &result);
  bosh_test_wait (script.held != NULL);
  g_cancellable_cancel (cancellable);
  g_assert_false (bosh_client_connect_finish (client, bosh_test_wait_for (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_DISCONNECTING);
  g_clear_object (&result);
  wait_for_end (client);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CLOSED);
  bosh_test_assert_gone (client);
  script_clear (&script);
}

static void
test_before_login (void)
{
  Script script;
  BoshClient *client;
  g_autoptr(BoshElement) shown = NULL;
  g_autoptr(GError) error = NULL;
  GQueue stanzas = G_QUEUE_INIT;
  guint requests = 0;

  g_test_summary ("Before a login no request has a response, and SASL elements are shown "
                  "neither before nor after it");

  script_init (&script);
  client = new_client (&script);
  g_signal_connect (client, "stanza", G_CALLBACK (bosh_test_keep_stanza), &stanzas);
  g_signal_connect (client, "iq-request", G_CALLBACK (bosh_test_ignore_request), &requests);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  push (&script, "<success xmlns='" SASL "'/><failure xmlns='" SASL "'/>"
                 "<challenge xmlns='" SASL "'>AAAA</challenge>"
                 "<iq xmlns='jabber:client' type='get' id='1' from='example.org'>"
                 "<ping xmlns='urn:xmpp:ping'/></iq>");
  shown = bosh_test_next_stanza (&stanzas);
  g_assert_cmpstr (bosh_element_get_name (shown), ==, "iq");
  bosh_test_wait (script.held != NULL);
  g_assert_cmpuint (requests, ==, 0);
  g_assert_null (strstr (script.sent->str, "<iq"));

  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);
  push (&script, "<success xmlns='" SASL "'/><x xmlns='y'/>");
  g_clear_pointer (&shown, bosh_element_unref);
  shown = bosh_test_next_stanza (&stanzas);
  g_assert_true (bosh_element_matches (shown, "x", "y"));
  g_assert_true (g_queue_is_empty (&stanzas));
  bosh_test_close (client);
  script_clear (&script);
}

static void
test_bad_requests (void)
{
  static const char * const bad[] = {
    "<iq xmlns='jabber:client' id='1' from='a@b/c' type='odd'><a xmlns='b'/></iq>",
    "<iq xmlns='jabber:client' id='1' from='a@b/c'><a xmlns='b'/></iq>",
    "<iq xmlns='jabber:client' id='1' from='a@b/c' type='get'/>",
    "<iq xmlns='jabber:client' id='1' from='a@b/c' type='set'>text</iq>",
    "<iq xmlns='jabber:client' id='1' from='a@b/c' type='set'><a xmlns='b'/><c/></iq>",
    "<iq xmlns='jabber:client' from='a@b/c' type='get'><a xmlns='b'/></iq>",
  };
  static const char * const silent[] = {
    "<iq xmlns='jabber:client' id='1' from='a@b/c' type='result'><a xmlns='b'/></iq>",
    "<iq xmlns='jabber:client' id='1' from='a@b/c' type='error'/>",
    "<message xmlns='jabber:client' id='1' from='a@b/c' type='get'><a xmlns='b'/></message>",
    "<iq xmlns='urn:other' id='1' from='a@b/c' type='get'><a xmlns='b'/></iq>",
  };
  Script script;
  BoshClient *client;
  GQueue stanzas = G_QUEUE_INIT;
  guint requests = 0;

  g_test_summary ("RFC 6120 §8.2.3, §8.3.1: what is no proper request gets "
                  "`bad-request`; responses have none");

  script_init (&script);
  client = new_ready (&script);
  g_signal_connect (client, "stanza", G_CALLBACK (bosh_test_keep_stanza), &stanzas);
  g_signal_connect (client, "iq-request", G_CALLBACK (bosh_test_ignore_request), &requests);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_string_truncate (script.sent, 0);
      push (&script, bad[i]);
      bosh_test_wait (strstr (script.sent->str, "<bad-request") != NULL);
      g_assert_nonnull (strstr (script.sent->str, "type='error'"));
      g_assert_nonnull (strstr (script.sent->str, "to='a@b/c'"));
    }

  g_string_truncate (script.sent, 0);
  for (guint i = 0; i < G_N_ELEMENTS (silent); i++)
    push (&script, silent[i]);
  bosh_test_wait (script.held != NULL);
  g_assert_cmpstr (script.sent->str, ==, "");
  g_assert_cmpuint (g_queue_get_length (&stanzas), ==,
                    G_N_ELEMENTS (bad) + G_N_ELEMENTS (silent));
  g_assert_cmpuint (requests, ==, 0);
  bosh_test_clear_stanzas (&stanzas);
  bosh_test_close (client);
  script_clear (&script);
}

static void
on_left_out (GObject      *object,
             const char   *name,
             const char   *from,
             const char   *id,
             guint64       size,
             const GError *reason,
             gpointer      user_data)
{
  g_assert_error (reason, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  g_string_append_printf (user_data, "%s %s %s %s %d\n", G_OBJECT_TYPE_NAME (object), name,
                          from != NULL ? from : "-", id != NULL ? id : "-", size > 2000000);
}

static void
test_left_out (void)
{
  g_autofree char *large = g_strnfill (2 * 1024 * 1024, 'x');
  g_autofree char *message =
    g_strdup_printf ("<message xmlns='jabber:client' from='a@b/c'><x a='%s'/></message>", large);
  g_autofree char *request =
    g_strdup_printf ("<iq xmlns='jabber:client' from='a@b/c' id='7' type='get'><x a='%s'/></iq>", large);
  g_autoptr(BoshElement) query = bosh_element_new ("query", BOSH_TEST_NS_ROSTER);
  g_autoptr(BoshElement) iq = bosh_element_new_iq (NULL, "get", query);
  g_autoptr(GString) told = g_string_new (NULL);
  g_autoptr(GAsyncResult) result = NULL;
  g_autofree char *id = NULL;
  g_autofree char *response = NULL;
  g_autofree char *expected = NULL;
  g_autoptr(GError) error = NULL;
  Script script;
  BoshClient *client;

  g_test_summary ("RFC 6120 §13.12: a stanza that is too large is told of and counted, a request "
                  "is refused, a response fails its request, and the session goes on");

  script_init (&script);
  client = new_ready (&script);
  g_signal_connect (client, "stanza-left-out", G_CALLBACK (on_left_out), told);
  g_signal_connect (bosh_client_get_connection (client), "stanza-left-out",
                    G_CALLBACK (on_left_out), told);

  push (&script, message);
  push (&script, request);
  bosh_test_wait (strstr (script.sent->str, "<policy-violation") != NULL);
  g_assert_nonnull (strstr (script.sent->str, "type='error'"));
  g_assert_nonnull (strstr (script.sent->str, "to='a@b/c'"));
  g_assert_nonnull (strstr (script.sent->str, "id='7'"));

  bosh_client_send_iq_async (client, iq, -1, NULL, bosh_test_keep_result, &result);
  id = g_strdup (bosh_element_get_attribute (iq, "id"));
  response = g_strdup_printf ("<iq xmlns='jabber:client' id='%s' type='result'><x a='%s'/></iq>",
                              id, large);
  bosh_test_wait (strstr (script.sent->str, id) != NULL);
  push (&script, response);
  g_assert_null (bosh_client_send_iq_finish (client, bosh_test_wait_for (&result), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  g_clear_object (&result);

  expected = g_strdup_printf ("BoshClient message a@b/c - 1\nBoshConnection message a@b/c - 1\n"
                              "BoshClient iq a@b/c 7 1\nBoshConnection iq a@b/c 7 1\n"
                              "BoshClient iq - %s 1\nBoshConnection iq - %s 1\n",
                              id, id);
  g_assert_cmpstr (told->str, ==, expected);
  g_assert_cmpuint (bosh_connection_get_n_stanzas_left_out (bosh_client_get_connection (client)),
                    ==, 3);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_READY);
  g_clear_object (&result);
  bosh_test_close (client);
  script_clear (&script);
}

static void
keep_error (BoshClient   *client,
            const GError *error,
            gpointer      user_data)
{
  GError **slot = user_data;

  g_assert_null (*slot);
  *slot = g_error_copy (error);
}

static void
test_terminated (void)
{
  Script script;
  BoshClient *client;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) closed = NULL;

  g_test_summary ("XEP-0124 §17.2: when the server ends the session in the middle of a "
                  "login, the login fails with the reason, and `closed` tells it");

  script_init (&script);
  script.response_to_auth = NULL;
  client = new_client (&script);
  g_signal_connect (client, "closed", G_CALLBACK (keep_error), &closed);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_client_login_async (client, "alice", "secret", NULL, NULL,
                           bosh_test_keep_result, &result);
  bosh_test_wait (script.n_auth == 1);
  respond (g_steal_pointer (&script.held), " type='terminate' condition='system-shutdown'", "");
  g_assert_false (bosh_client_login_finish (client, bosh_test_wait_for (&result), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_SYSTEM_SHUTDOWN);
  bosh_test_wait (closed != NULL);
  g_assert_error (closed, BOSH_ERROR, BOSH_ERROR_SYSTEM_SHUTDOWN);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CLOSED);
  g_clear_object (&result);
  bosh_test_assert_gone (client);
  script_clear (&script);
}

static void
test_bind_refused (void)
{
  Script script;
  BoshClient *client;
  g_autoptr(GError) error = NULL;

  g_test_summary ("RFC 6120 §7.7.2: a server that binds nothing fails the login");

  script_init (&script);
  script.response_to_bind = "<iq xmlns='jabber:client' type='error' id='bosh-login-bind'>"
                            "<error type='cancel'>"
                            "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                            "</error></iq>";
  client = new_client (&script);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", "x", &error);
  g_assert_error (error, BOSH_STANZA_ERROR, BOSH_STANZA_ERROR_CONFLICT);
  g_assert_null (bosh_client_get_jid (client));
  g_assert_cmpstr (bosh_client_get_mechanism (client), ==, "PLAIN");
  bosh_test_close (client);
  script_clear (&script);
}

static gboolean
is_null (gpointer data)
{
  return *(gpointer *)data == NULL;
}

static void
test_slow_proof (void)
{
  Script script;
  BoshClient *client;
  BoshConnection *connection;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  guint64 n_sent;
  gint64 begin;
  gint64 longest = 0;

  g_test_summary ("RFC 5802 §3: many iterations do not block the main loop, and no empty "
                  "request goes out before the response");

  script_init (&script);
  script.features = FEATURES ("SCRAM-SHA-256");
  script.iterations = 30000;
  client = new_client (&script);
  connection = bosh_client_get_connection (client);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_client_login_async (client, "alice", "secret", NULL, NULL,
                           bosh_test_keep_result, &result);
  bosh_test_wait (script.n_auth == 1);
  bosh_test_wait (bosh_connection_get_n_stanzas_received (connection) == 2);

  /* The response is to be the next request; each turn of the loop is short. */
  g_string_truncate (script.sent, 0);
  n_sent = bosh_connection_get_n_requests_sent (connection);
  while (strstr (script.sent->str, "<response") == NULL)
    {
      /* A poll that was on its way when the challenge came. */
      if (script.held != NULL)
        respond (g_steal_pointer (&script.held), "", "");
      begin = g_get_monotonic_time ();
      g_main_context_iteration (NULL, FALSE);
      longest = MAX (longest, g_get_monotonic_time () - begin);
    }
  g_assert_cmpuint (bosh_connection_get_n_requests_sent (connection), ==, n_sent + 1);
  g_test_message ("the longest turn took %d ms", (int)(longest / 1000));

  push (&script, "<failure xmlns='" SASL "'><not-authorized/></failure>");
  g_assert_false (bosh_client_login_finish (client, bosh_test_wait_for (&result), &error));
  g_assert_error (error, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
  g_clear_object (&result);
  bosh_test_close (client);
  script_clear (&script);
}

static void
test_cancel_proof (void)
{
  Script script;
  BoshClient *client;
  BoshConnection *connection;
  gpointer weak;
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("A login is cancelled while a thread computes: at once, and nothing "
                  "is freed under the thread");

  script_init (&script);
  script.features = FEATURES ("SCRAM-SHA-256");
  script.iterations = 200000;
  client = new_client (&script);
  connection = bosh_client_get_connection (client);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_client_login_async (client, "alice", "secret", NULL, cancellable,
                           bosh_test_keep_result, &result);
  bosh_test_wait (bosh_connection_get_n_stanzas_received (connection) == 2);
  g_cancellable_cancel (cancellable);
  g_assert_false (bosh_client_login_finish (client, bosh_test_wait_for (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_null (strstr (script.sent->str, "<response"));

  wait_for_end (client);
  g_clear_object (&result);
  weak = connection;
  g_object_add_weak_pointer (weak, &weak);
  g_assert_finalize_object (client);
  bosh_test_wait_until (is_null, &weak);
  script_clear (&script);
}

static void
keep_text (BoshConnection *connection,
           const char     *text,
           gpointer        user_data)
{
  g_string_append (user_data, text);
}

static void
test_extensible_bound (void)
{
  Script script;
  BoshClient *client;
  g_autoptr(GString) shown = g_string_new (NULL);
  g_autoptr(BoshElement) stanza = NULL;
  g_autoptr(GError) error = NULL;
  GQueue stanzas = G_QUEUE_INIT;

  g_test_summary ("XEP-0388, XEP-0386: one request, and what comes in the same body is of the new "
                  "session; the password is shown to nobody else");

  script_init (&script);
  script.features = EXTENSIBLE_FEATURES;
  script.response_to_auth = "<success xmlns='" SASL2 "'><authorization-identifier>" JID
                          "</authorization-identifier><bound xmlns='" BIND2 "'/></success>"
                          SECOND_FEATURES "<message xmlns='jabber:client'/>";
  client = new_client (&script);
  g_signal_connect (client, "stanza", G_CALLBACK (bosh_test_keep_stanza), &stanzas);
  g_signal_connect (bosh_client_get_connection (client), "request-sent", G_CALLBACK (keep_text), shown);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bosh_client_get_jid (client), ==, JID);
  stanza = bosh_test_next_stanza (&stanzas);
  g_assert_cmpstr (bosh_element_get_name (stanza), ==, "message");
  g_assert_true (g_queue_is_empty (&stanzas));
  g_assert_null (strstr (script.sent->str, "restart"));
  g_assert_null (strstr (script.sent->str, BIND));
  g_assert_nonnull (strstr (script.sent->str, "AGFsaWNlAHNlY3JldA=="));
  g_assert_nonnull (strstr (shown->str, "<initial-response>"));
  g_assert_null (strstr (shown->str, "AGFsaWNlAHNlY3JldA=="));
  bosh_test_close (client);
  script_clear (&script);
}

static void
test_extensible_resource (void)
{
  Script script;
  BoshClient *client;
  g_autoptr(GError) error = NULL;

  g_test_summary ("XEP-0388 §2.6.1: the features come with success, and no restart goes before the "
                  "request to bind");

  script_init (&script);
  script.features = EXTENSIBLE_FEATURES;
  script.response_to_auth = "<success xmlns='" SASL2 "'><authorization-identifier>alice@example.org"
                            "</authorization-identifier></success>" SECOND_FEATURES;
  client = new_client (&script);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", "x", &error);
  g_assert_no_error (error);
  g_assert_null (strstr (script.sent->str, "restart"));
  g_assert_null (strstr (script.sent->str, BIND2));
  g_assert_nonnull (strstr (script.sent->str, "<resource>x</resource>"));
  bosh_test_close (client);
  script_clear (&script);
}

static void
test_extensible_tasks (void)
{
  Script script;
  BoshClient *client;
  g_autoptr(GError) error = NULL;
  guint64 n_received;

  g_test_summary ("XEP-0388 §2.6.3: further tasks are refused, and another login may follow in the "
                  "same session");

  script_init (&script);
  script.features = EXTENSIBLE_FEATURES;
  script.response_to_auth = "<continue xmlns='" SASL2 "'><tasks><task>TOTP</task></tasks></continue>";
  client = new_client (&script);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED);
  g_clear_error (&error);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CONNECTED);
  bosh_test_wait (strstr (script.sent->str, "<abort xmlns='" SASL2 "'/>") != NULL);
  n_received = bosh_connection_get_n_stanzas_received (bosh_client_get_connection (client));
  push (&script, "<failure xmlns='" SASL2 "'><aborted xmlns='" SASL "'/></failure>");
  bosh_test_wait (bosh_connection_get_n_stanzas_received (bosh_client_get_connection (client)) > n_received);

  script.response_to_auth = "<success xmlns='" SASL2 "'><authorization-identifier>" JID
                            "</authorization-identifier><bound xmlns='" BIND2 "'/></success>";
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);
  bosh_test_close (client);
  script_clear (&script);
}

static guint
count (const char *text,
       const char *part)
{
  g_auto(GStrv) parts = g_strsplit (text, part, -1);

  return g_strv_length (parts) - 1;
}

static BoshClient *
new_impatient (Script *script,
               guint  *n_changes)
{
  BoshClient *client = new_client (script);
  g_autoptr(GError) error = NULL;

  client_set_patience_for_tests (client, 50);
  g_signal_connect (client, "notify::use-sasl2", G_CALLBACK (bosh_test_count_changes), n_changes);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);

  return client;
}

static void
test_extensible_silent (void)
{
  static const char * const responses[] = {
    NULL,
    "<failure xmlns='" SASL2 "'><invalid-mechanism xmlns='" SASL "'/></failure>",
  };

  g_test_summary ("Where a server offers XEP-0388 and does not carry it out, the login goes on by "
                  "RFC 6120 in another session");

  for (gsize i = 0; i < G_N_ELEMENTS (responses); i++)
    {
      Script script;
      BoshClient *client;
      guint n_changes = 0;
      guint n_connections = 0;
      g_autoptr(GError) error = NULL;

      script_init (&script);
      script.features = SILENT_FEATURES ("PLAIN");
      script.ignores_authenticate = responses[i] == NULL;
      script.response_to_authenticate = responses[i];
      client = new_impatient (&script, &n_changes);
      g_signal_connect (client, "notify::connection", G_CALLBACK (bosh_test_count_changes),
                        &n_connections);
      bosh_test_login (client, "alice", "secret", NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (bosh_client_get_jid (client), ==, JID);
      g_assert_cmpuint (n_changes, ==, 1);
      g_assert_cmpuint (n_connections, ==, 1);
      g_assert_false (bosh_client_get_use_sasl2 (client));
      g_assert_cmpuint (count (script.sent->str, "<authenticate "), ==, 1);
      g_assert_cmpuint (script.n_auth, ==, 1);
      bosh_test_close (client);
      script_clear (&script);
    }
}

static void
test_extensible_avoided (void)
{
  Script script;
  BoshClient *client;
  guint n_changes = 0;
  g_autoptr(GError) error = NULL;

  g_test_summary ("XEP-0388 is not used where the application does not want it");

  script_init (&script);
  script.features = SILENT_FEATURES ("PLAIN");
  client = new_impatient (&script, &n_changes);
  g_assert_true (bosh_client_get_use_sasl2 (client));
  bosh_client_set_use_sasl2 (client, FALSE);
  bosh_client_set_use_sasl2 (client, FALSE);
  g_assert_cmpuint (n_changes, ==, 1);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count (script.sent->str, "<authenticate "), ==, 0);
  bosh_test_close (client);
  script_clear (&script);
}

static void
test_extensible_out_of_reach (void)
{
  Script script;
  BoshClient *client;
  guint n_changes = 0;
  g_autoptr(GError) error = NULL;

  g_test_summary ("A server that is out of reach is not one that says nothing");

  script_init (&script);
  script.features = SILENT_FEATURES ("PLAIN");
  script.n_resets = 3;
  script.response_to_authenticate = "<success xmlns='" SASL2 "'><authorization-identifier>alice@example.org"
                                    "</authorization-identifier></success>" SECOND_FEATURES;
  client = new_impatient (&script, &n_changes);
  /* Less than it takes to send the request three times, and more than to respond to it. */
  client_set_patience_for_tests (client, 400);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (script.n_resets, ==, 0);
  g_assert_cmpuint (n_changes, ==, 0);
  g_assert_cmpuint (script.n_auth, ==, 0);
  bosh_test_close (client);
  script_clear (&script);
}

static void
weaken (BoshClient *client,
        GParamSpec *pspec,
        gpointer    user_data)
{
  Script *script = user_data;

  script->features = FEATURES ("PLAIN");
}

static void
test_extensible_weaker (void)
{
  Script script;
  BoshClient *client;
  guint n_changes = 0;
  g_autoptr(GError) error = NULL;

  g_test_summary ("The other session is not given a password that the first one would not have "
                  "been given");

  script_init (&script);
  script.features = SILENT_FEATURES ("SCRAM-SHA-256");
  script.ignores_authenticate = TRUE;
  client = new_impatient (&script, &n_changes);
  g_signal_connect (client, "notify::use-sasl2", G_CALLBACK (weaken), &script);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INSECURE_MECHANISM);
  g_assert_cmpuint (script.n_auth, ==, 0);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CONNECTED);
  bosh_test_close (client);
  script_clear (&script);
}

static void
cancel (BoshClient *client,
        GParamSpec *pspec,
        gpointer    user_data)
{
  g_cancellable_cancel (user_data);
}

static void
end (BoshClient *client,
     GParamSpec *pspec,
     gpointer    user_data)
{
  bosh_client_disconnect_async (client, NULL, NULL, NULL);
}

static void
test_extensible_given_up (void)
{
  static const char * const signals[] = { "notify::use-sasl2", "notify::connection" };

  g_test_summary ("A handler may cancel the login, or end the client, where another session follows");

  for (guint i = 0; i < 2 * G_N_ELEMENTS (signals); i++)
    {
      Script script;
      BoshClient *client;
      guint n_changes = 0;
      guint n_closed = 0;
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;

      g_test_message ("%u", i);
      script_init (&script);
      script.features = SILENT_FEATURES ("PLAIN");
      script.ignores_authenticate = TRUE;
      client = new_impatient (&script, &n_changes);
      g_signal_connect (client, "closed", G_CALLBACK (bosh_test_count_closed), &n_closed);
      if (i < G_N_ELEMENTS (signals))
        g_signal_connect (client, signals[i], G_CALLBACK (cancel), cancellable);
      else
        g_signal_connect (client, signals[i - G_N_ELEMENTS (signals)], G_CALLBACK (end), NULL);
      bosh_client_login_async (client, "alice", "secret", NULL, cancellable, bosh_test_keep_result,
                               &result);
      g_assert_false (bosh_client_login_finish (client, bosh_test_wait_for (&result), &error));
      g_assert_cmpint (error->code, ==,
                       i < G_N_ELEMENTS (signals) ? (int)G_IO_ERROR_CANCELLED
                                                  : (int)BOSH_ERROR_NOT_CONNECTED);
      bosh_test_wait_until (bosh_test_is_nonzero, &n_closed);
      g_assert_cmpuint (script.n_auth, ==, 0);
      g_clear_object (&result);
      bosh_test_assert_gone (client);
      script_clear (&script);
    }
}

static void
test_pipelined (void)
{
  g_test_summary ("XEP-0305: the request to bind goes out while the restart is under way, which has "
                  "nothing in it; asked for by the application, or offered by the server");

  for (guint i = 0; i < 2; i++)
    {
      Script script;
      BoshClient *client;
      g_autoptr(GError) error = NULL;

      script_init (&script);
      script.is_lazy = TRUE;
      if (i == 1)
        script.features = "<stream:features xmlns='jabber:client'><pipelining xmlns='urn:xmpp:features:pipelining'/>"
                          "<mechanisms xmlns='" SASL "'><mechanism>PLAIN</mechanism></mechanisms>"
                          "</stream:features>";
      client = new_client (&script);
      bosh_client_set_pipeline_login (client, i == 0);
      bosh_test_connect (client, &error);
      g_assert_no_error (error);
      bosh_test_login (client, "alice", "secret", "x", &error);
      g_assert_no_error (error);
      g_assert_cmpstr (bosh_client_get_jid (client), ==, JID);
      g_assert_null (script.restarted);
      bosh_test_close (client);
      script_clear (&script);
    }
}

static void
record_state (BoshClient *client,
              GParamSpec *pspec,
              gpointer    user_data)
{
  g_autoptr(GEnumClass) states = g_type_class_ref (BOSH_TYPE_CLIENT_STATE);
  GString *record = user_data;

  if (record->len > 0)
    g_string_append_c (record, ' ');
  g_string_append (record, g_enum_get_value (states, bosh_client_get_state (client))->value_nick);
}

static void
test_states (void)
{
  Script script;
  BoshClient *client;
  g_autoptr(GString) states = g_string_new (NULL);
  g_autoptr(GAsyncResult) login = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  guint n_closed = 0;

  g_test_summary ("The state is notified at each step of a client's life, and `closed` comes with "
                  "the last one");

  script_init (&script);
  script.response_to_auth = "<failure xmlns='" SASL "'><not-authorized/></failure>";
  client = new_client (&script);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_NEW);
  g_assert_cmpstr (bosh_client_get_domain (client), ==, "example.org");
  g_assert_true (bosh_client_get_configuration (client) ==
                 bosh_connection_get_configuration (bosh_client_get_connection (client)));
  g_signal_connect (client, "notify::state", G_CALLBACK (record_state), states);
  g_signal_connect (client, "closed", G_CALLBACK (bosh_test_count_closed), &n_closed);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "wrong", NULL, &error);
  g_assert_error (error, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
  g_clear_error (&error);
  script.response_to_auth = "<success xmlns='" SASL "'/>";
  bosh_client_login_async (client, "alice", "secret", NULL, NULL, bosh_test_keep_result, &login);
  bosh_client_login_async (client, "alice", "secret", NULL, NULL, bosh_test_keep_result, &result);
  g_assert_false (bosh_client_login_finish (client, bosh_test_wait_for (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);
  bosh_client_login_finish (client, bosh_test_wait_for (&login), &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_FAILED);
  g_clear_error (&error);
  bosh_test_disconnect (client);
  g_assert_cmpstr (states->str, ==,
                   "connecting connected logging-in connected logging-in ready "
                   "disconnecting closed");
  g_assert_cmpuint (n_closed, ==, 1);
  g_clear_object (&login);
  g_clear_object (&result);
  bosh_test_assert_gone (client);
  script_clear (&script);
}

/* None of these can be done in the present state. */
static void
assert_not_idle (BoshClient *client,
                 GQuark      domain,
                 int         code)
{
  g_autoptr(GAsyncResult) paused = NULL;
  g_autoptr(GAsyncResult) detached = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_null (bosh_client_save (client, &error));
  g_assert_error (error, domain, code);
  g_clear_error (&error);
  bosh_client_pause_async (client, 60, NULL, bosh_test_keep_result, &paused);
  g_assert_false (bosh_client_pause_finish (client, bosh_test_wait_for (&paused), &error));
  g_assert_error (error, domain, code);
  g_clear_error (&error);
  bosh_client_detach_async (client, NULL, bosh_test_keep_result, &detached);
  g_assert_null (bosh_client_detach_finish (client, bosh_test_wait_for (&detached), &error));
  g_assert_error (error, domain, code);
}

static void
test_pause_and_save (void)
{
  Script script;
  BoshClient *client;
  g_autoptr(BoshSavedSession) saved = NULL;
  g_autoptr(GAsyncResult) paused = NULL;
  g_autoptr(GAsyncResult) login = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("XEP-0124 §10: a client is paused, resumed and saved like its connection, but not "
                  "while a login is under way, which another program could not go on with");

  script_init (&script);
  script.grants = GRANTS " maxpause='60'";
  client = new_client (&script);
  assert_not_idle (client, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  bosh_client_resume (client);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_client_login_async (client, "alice", "secret", NULL, NULL, bosh_test_keep_result, &login);
  assert_not_idle (client, BOSH_ERROR, BOSH_ERROR_LOGGING_IN);
  bosh_client_login_finish (client, bosh_test_wait_for (&login), &error);
  g_assert_no_error (error);

  saved = bosh_client_save (client, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bosh_saved_session_get_jid (saved), ==, JID);
  bosh_client_pause_async (client, 60, NULL, bosh_test_keep_result, &paused);
  bosh_client_pause_finish (client, bosh_test_wait_for (&paused), &error);
  g_assert_no_error (error);
  g_assert_cmpint (bosh_connection_get_state (bosh_client_get_connection (client)), ==,
                   BOSH_CONNECTION_STATE_PAUSED);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_READY);
  bosh_client_resume (client);
  bosh_test_wait (script.held != NULL);
  g_clear_object (&paused);
  g_clear_object (&login);
  bosh_test_close (client);
  script_clear (&script);
}

typedef struct
{
  BoshClient *client;
  guint       n_saved;
  guint       n_refused;
} Saver;

static void
assert_no_secret (BoshSavedSession *saved)
{
  g_autofree char *json = bosh_saved_session_to_json (saved);

  g_assert_null (strstr (json, SASL));
  g_assert_null (strstr (json, SASL2));
}

/* As the manual says, and by the connection, too. */
static void
save (BoshConnection *connection,
      GParamSpec     *pspec,
      gpointer        user_data)
{
  Saver *saver = user_data;
  gboolean is_logging_in = bosh_client_get_state (saver->client) == BOSH_CLIENT_STATE_LOGGING_IN;
  g_autoptr(BoshSavedSession) saved = NULL;
  g_autoptr(BoshSavedSession) same = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) same_error = NULL;

  saved = bosh_client_save (saver->client, &error);
  same = bosh_connection_save (connection, &same_error);
  if (is_logging_in)
    {
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_LOGGING_IN);
      g_assert_error (same_error, BOSH_ERROR, BOSH_ERROR_LOGGING_IN);
      saver->n_refused++;
    }
  if (saved != NULL)
    {
      assert_no_secret (saved);
      assert_no_secret (same);
      saver->n_saved++;
    }
}

static void
test_save_always (void)
{
  static const char * const features[] = {
    FEATURES ("PLAIN"),
    "<stream:features><mechanisms xmlns='" SASL "'><mechanism>PLAIN</mechanism></mechanisms>"
    "<pipelining xmlns='urn:xmpp:features:pipelining'/></stream:features>",
    EXTENSIBLE_FEATURES,
  };

  g_test_summary ("What is saved at each request id never has the data of an authentication: while "
                  "a login is under way nothing is saved");

  for (guint i = 0; i < G_N_ELEMENTS (features); i++)
    {
      Script script;
      BoshClient *client;
      Saver saver = { NULL };
      g_autoptr(GError) error = NULL;

      script_init (&script);
      script.features = features[i];
      if (i == 2)
        script.response_to_auth = "<success xmlns='" SASL2 "'><authorization-identifier>" JID
                                  "</authorization-identifier><bound xmlns='" BIND2 "'/></success>";
      client = saver.client = new_client (&script);
      g_signal_connect (bosh_client_get_connection (client), "notify::request-id",
                        G_CALLBACK (save), &saver);
      bosh_test_connect (client, &error);
      g_assert_no_error (error);
      bosh_test_login (client, "alice", "secret", NULL, &error);
      g_assert_no_error (error);
      bosh_test_wait (script.held != NULL);
      g_assert_cmpuint (saver.n_refused, >, 0);
      g_assert_cmpuint (saver.n_saved, >, 0);
      g_signal_handlers_disconnect_by_data (bosh_client_get_connection (client), &saver);
      bosh_test_close (client);
      script_clear (&script);
    }
}

static void
test_broken_login (void)
{
  Script script;
  BoshClient *client;
  BoshConnection *connection;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) detached = NULL;
  g_autoptr(GPtrArray) undelivered = NULL;
  g_autoptr(GPtrArray) unsent = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("After a login that broke off, the data of the authentication is in no list, and "
                  "during it the session is not handed over by the connection either");

  script_init (&script);
  script.response_to_auth = NULL;
  client = new_client (&script);
  connection = bosh_client_get_connection (client);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_client_login_async (client, "alice", "secret", NULL, NULL, bosh_test_keep_result, &result);
  bosh_test_wait (script.n_auth == 1);
  bosh_connection_detach_async (connection, NULL, bosh_test_keep_result, &detached);
  g_assert_null (bosh_connection_detach_finish (connection, bosh_test_wait_for (&detached), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_LOGGING_IN);
  g_clear_error (&error);
  undelivered = bosh_connection_dup_undelivered (connection);
  g_assert_cmpuint (undelivered->len, ==, 0);
  g_clear_pointer (&undelivered, g_ptr_array_unref);

  respond (g_steal_pointer (&script.held), " type='terminate' condition='system-shutdown'", "");
  g_assert_false (bosh_client_login_finish (client, bosh_test_wait_for (&result), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_SYSTEM_SHUTDOWN);
  undelivered = bosh_connection_dup_undelivered (connection);
  g_assert_cmpuint (undelivered->len, ==, 0);
  unsent = bosh_connection_dup_unsent (connection);
  g_assert_cmpuint (unsent->len, ==, 0);
  g_clear_object (&result);
  g_clear_object (&detached);
  bosh_test_assert_gone (client);
  script_clear (&script);
}

static void
test_deliver (void)
{
  Script script;
  BoshClient *client;
  g_autoptr(BoshElement) early = bosh_element_new_message ("bob@example.org", NULL, "1");
  g_autoptr(BoshElement) message = bosh_element_new_message ("bob@example.org", NULL, "2");
  g_autoptr(BoshElement) late = bosh_element_new_message ("bob@example.org", NULL, "3");
  g_autoptr(GAsyncResult) early_result = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) late_result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("XEP-0124 §8: a delivery is complete when the server has the stanza");

  script_init (&script);
  client = new_client (&script);
  bosh_client_deliver_async (client, early, NULL, bosh_test_keep_result, &early_result);
  g_assert_false (bosh_client_deliver_finish (client, bosh_test_wait_for (&early_result), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_error (&error);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);

  bosh_client_deliver_async (client, message, NULL, bosh_test_keep_result, &result);
  bosh_test_wait (strstr (script.sent->str, "<body>2</body>") != NULL);
  g_assert_null (result);
  if (script.held != NULL)
    respond (g_steal_pointer (&script.held), "", "");
  bosh_client_deliver_finish (client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);

  bosh_test_disconnect (client);
  bosh_client_deliver_async (client, late, NULL, bosh_test_keep_result, &late_result);
  g_assert_false (bosh_client_deliver_finish (client, bosh_test_wait_for (&late_result), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_object (&early_result);
  g_clear_object (&result);
  g_clear_object (&late_result);
  bosh_test_assert_gone (client);
  script_clear (&script);
}

static void
test_prebind (void)
{
  Script script;
  BoshClient *client;
  g_autoptr(GString) states = g_string_new (NULL);
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GAsyncResult) first = NULL;
  g_autoptr(GAsyncResult) second = NULL;
  g_autoptr(GError) error = NULL;
  guint n_closed = 0;

  g_test_summary ("RFC 4505: prebinding without a name is anonymous; the client is DETACHED then, "
                  "without `closed`, and can't do it again");

  script_init (&script);
  script.features = FEATURES ("ANONYMOUS");
  client = new_client (&script);
  g_signal_connect (client, "notify::state", G_CALLBACK (record_state), states);
  g_signal_connect (client, "closed", G_CALLBACK (bosh_test_count_closed), &n_closed);
  bosh_client_prebind_async (client, NULL, NULL, NULL, NULL, bosh_test_keep_result, &first);
  session = bosh_client_prebind_finish (client, bosh_test_wait_for (&first), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bosh_saved_session_get_jid (session), ==, JID);
  g_assert_false (bosh_saved_session_has_open_request (session));
  g_assert_cmpstr (states->str, ==, "connecting connected logging-in ready detached");

  bosh_client_prebind_async (client, NULL, NULL, NULL, NULL, bosh_test_keep_result, &second);
  g_assert_null (bosh_client_prebind_finish (client, bosh_test_wait_for (&second), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_FAILED);
  g_assert_cmpuint (n_closed, ==, 0);
  g_clear_object (&first);
  g_clear_object (&second);
  bosh_test_assert_gone (client);
  script_clear (&script);
}

static void
test_prebind_of_used_client (void)
{
  Script script;
  BoshClient *client;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("A client that has a session already does not prebind, and keeps its session");

  script_init (&script);
  client = new_ready (&script);
  bosh_client_prebind_async (client, "alice", "secret", NULL, NULL, bosh_test_keep_result, &result);
  g_assert_null (bosh_client_prebind_finish (client, bosh_test_wait_for (&result), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_FAILED);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_READY);
  g_clear_object (&result);
  bosh_test_close (client);
  script_clear (&script);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/client-scripted/late-features", test_late_features);
  g_test_add_func ("/bosh/client-scripted/cancel-features", test_cancel_features);
  g_test_add_func ("/bosh/client-scripted/before-login", test_before_login);
  g_test_add_func ("/bosh/client-scripted/bad-requests", test_bad_requests);
  g_test_add_func ("/bosh/client-scripted/left-out", test_left_out);
  g_test_add_func ("/bosh/client-scripted/terminated", test_terminated);
  g_test_add_func ("/bosh/client-scripted/bind-refused", test_bind_refused);
  g_test_add_func ("/bosh/client-scripted/slow-proof", test_slow_proof);
  g_test_add_func ("/bosh/client-scripted/cancel-proof", test_cancel_proof);
  g_test_add_func ("/bosh/client-scripted/extensible-bound", test_extensible_bound);
  g_test_add_func ("/bosh/client-scripted/extensible-resource", test_extensible_resource);
  g_test_add_func ("/bosh/client-scripted/extensible-tasks", test_extensible_tasks);
  g_test_add_func ("/bosh/client-scripted/extensible-silent", test_extensible_silent);
  g_test_add_func ("/bosh/client-scripted/extensible-avoided", test_extensible_avoided);
  g_test_add_func ("/bosh/client-scripted/extensible-out-of-reach", test_extensible_out_of_reach);
  g_test_add_func ("/bosh/client-scripted/extensible-weaker", test_extensible_weaker);
  g_test_add_func ("/bosh/client-scripted/extensible-given-up", test_extensible_given_up);
  g_test_add_func ("/bosh/client-scripted/pipelined", test_pipelined);
  g_test_add_func ("/bosh/client-scripted/states", test_states);
  g_test_add_func ("/bosh/client-scripted/pause-and-save", test_pause_and_save);
  g_test_add_func ("/bosh/client-scripted/save-always", test_save_always);
  g_test_add_func ("/bosh/client-scripted/broken-login", test_broken_login);
  g_test_add_func ("/bosh/client-scripted/deliver", test_deliver);
  g_test_add_func ("/bosh/client-scripted/prebind", test_prebind);
  g_test_add_func ("/bosh/client-scripted/prebind-of-used-client", test_prebind_of_used_client);

  return g_test_run ();
}
