/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The client that logs in again by itself, against a connection manager that
 * loses sessions and refuses logins as it is told. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-manager.h"
#include "bosh-test-sasl.h"

#include "bosh-client-private.h"

#include <gsasl.h>
#include <string.h>

#define SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define BIND "urn:ietf:params:xml:ns:xmpp-bind"
#define STREAM "xmlns:stream='http://etherx.jabber.org/streams'"
#define STREAM_ERRORS "urn:ietf:params:xml:ns:xmpp-streams"
#define STANZA_ERRORS "urn:ietf:params:xml:ns:xmpp-stanzas"
#define FEATURES(mechanism)                                                   \
  "<stream:features " STREAM "><mechanisms xmlns='" SASL "'>"                 \
  "<mechanism>" mechanism "</mechanism></mechanisms></stream:features>"

#define SUCCESS "<success xmlns='" SASL "'/>"
#define NOT_AUTHORIZED "<failure xmlns='" SASL "'><not-authorized/></failure>"
#define BUSY "<failure xmlns='" SASL "'><temporary-auth-failure/></failure>"

#define LOST "type='terminate' condition='item-not-found'"

/* Never in the time of a test; milliseconds. */
#define AGES (60 * 60 * 1000)

typedef struct
{
  BoshTestManager *manager;
  BoshClient      *client;

  /* What it does from now on. */
  const char      *response_to_auth;
  BoshTestSaslServer *scram;        /* takes the place of that, nullable */
  const char      *bind_error;      /* condition, nullable */
  guint            n_unavailable;   /* creations to which a proxy responds with 503 */
  guint            status;          /* with which a proxy responds to all requests, or 0 */
  const char      *refusal;         /* the response to creations, nullable */
  gboolean         is_silent;       /* creations have no response */
  gboolean         keeps_payloads;  /* messages have no response */
  gboolean         loses_at_once;   /* sessions end as soon as they are bound */

  guint            n_creations;
  guint            n_auth;
  guint            n_bound;
  GString         *messages;        /* bodies that came in the last session */

  /* What the client told. */
  GString         *events;
  guint            n_lost;
  gboolean         resend;
  gboolean         disconnects;     /* in the handler of the loss */
  gboolean         repeats;         /* what is undelivered */
  GPtrArray       *undelivered;
  GPtrArray       *unsent;
  GError          *lost_error;
  guint            n_closed;
  GError          *close_error;
} Life;

static void
respond_held (Life             *life,
              BoshTestExchange *but)
{
  GPtrArray *exchanges = bosh_test_manager_get_exchanges (life->manager);

  for (guint i = 0; i < exchanges->len; i++)
    {
      BoshTestExchange *exchange = g_ptr_array_index (exchanges, i);

      if (exchange != but && !bosh_test_exchange_has_response (exchange) &&
          !bosh_test_exchange_is_gone (exchange))
        bosh_test_exchange_respond (exchange, "", "");
    }
}

static void
respond_bind (Life             *life,
              BoshTestExchange *exchange,
              BoshElement      *iq)
{
  const char *id = bosh_element_get_attribute (iq, "id");
  g_autofree char *text = NULL;

  if (life->bind_error != NULL)
    {
      text = g_strdup_printf ("<iq xmlns='jabber:client' type='error' id='%s'><error type='cancel'>"
                              "<%s xmlns='" STANZA_ERRORS "'/></error></iq>",
                              id, life->bind_error);
    }
  else
    {
      text = g_strdup_printf ("<iq xmlns='jabber:client' type='result' id='%s'><bind xmlns='" BIND "'>"
                              "<jid>alice@example.org/%u</jid></bind></iq>",
                              id, ++life->n_bound);
    }

  if (life->loses_at_once && life->n_bound > 1)
    {
      g_autofree char *all = g_strconcat (text, "", NULL);

      bosh_test_exchange_respond (exchange, LOST, all);
    }
  else
    bosh_test_exchange_respond (exchange, "", text);
}

static gboolean
on_creation (Life             *life,
             BoshTestExchange *exchange)
{
  life->n_creations++;
  g_string_truncate (life->messages, 0);
  if (life->status != 0 || life->refusal != NULL)
    {
      if (life->status != 0)
        bosh_test_exchange_reply (exchange, life->status, NULL, "<html>No</html>");
      else
        bosh_test_exchange_respond (exchange, life->refusal, "");
      return TRUE;
    }
  if (life->is_silent)
    return TRUE;

  if (life->n_unavailable > 0)
    {
      life->n_unavailable--;
      bosh_test_exchange_reply (exchange, 503, NULL, "<html>Away</html>");
      return TRUE;
    }

  return FALSE;
}

/* Both steps of SCRAM. */
static void
respond_scram (Life             *life,
               BoshTestExchange *exchange,
               BoshElement      *child)
{
  gboolean is_first = bosh_element_matches (child, "auth", NULL);
  g_autofree char *input = bosh_element_dup_text (child);
  g_autofree char *output = NULL;
  g_autofree char *content = NULL;

  output = bosh_test_sasl_server_step (life->scram, input, is_first ? GSASL_NEEDS_MORE : GSASL_OK);
  content = g_strdup_printf ("<%s xmlns='" SASL "'>%s</%s>", is_first ? "challenge" : "success",
                             output, is_first ? "challenge" : "success");
  bosh_test_exchange_respond (exchange, "", content);
}

static gboolean
on_request (BoshTestManager  *manager,
            BoshTestExchange *exchange,
            gpointer          user_data)
{
  Life *life = user_data;
  BoshElement *body = bosh_test_exchange_get_body (exchange);
  gboolean has_message = FALSE;

  if (bosh_test_exchange_get_attribute (exchange, "sid") == NULL)
    return on_creation (life, exchange);
  if (life->status != 0)
    {
      bosh_test_exchange_reply (exchange, life->status, NULL, "<html>No</html>");
      return TRUE;
    }

  for (guint i = 0; i < bosh_element_get_n_children (body); i++)
    {
      BoshElement *child = bosh_element_get_nth_child (body, i);
      const char *name = bosh_element_get_name (child);
      g_autofree char *text = bosh_element_dup_child_text (child, "body", NULL);

      if (life->scram != NULL && bosh_element_matches (child, NULL, SASL))
        {
          life->n_auth++;
          respond_held (life, exchange);
          respond_scram (life, exchange, child);
          return TRUE;
        }
      if (strcmp (name, "auth") == 0)
        {
          life->n_auth++;
          respond_held (life, exchange);
          bosh_test_exchange_respond (exchange, "", life->response_to_auth);
          return TRUE;
        }
      if (bosh_element_get_child (child, "bind", BIND) != NULL)
        {
          respond_held (life, exchange);
          respond_bind (life, exchange, child);
          return TRUE;
        }
      if (text != NULL || strcmp (name, "iq") == 0)
        {
          g_string_append (life->messages, text != NULL ? text : "<iq/>");
          has_message = TRUE;
        }
      if (strcmp (name, "presence") == 0 && bosh_element_get_attribute (child, "type") == NULL)
        g_string_append (life->messages, "<presence/>");
    }

  if (bosh_element_get_attribute_ns (body, "restart", "urn:xmpp:xbosh") != NULL)
    {
      respond_held (life, exchange);
      bosh_test_exchange_respond (exchange, "",
                                 "<stream:features " STREAM "><bind xmlns='" BIND "'/></stream:features>");
      return TRUE;
    }

  return has_message && life->keeps_payloads;
}

static const char *
get_state_name (BoshClientState state)
{
  static const char * const names[] = {
    "new",
    "connecting",
    "connected",
    "logging-in",
    "ready",
    "reconnecting",
    "disconnecting",
    "detached",
    "closed",
  };

  return names[state];
}

/* That is kept to log in again, or NULL. */
static const char *
get_password (BoshClient *client)
{
  BoshCredentials *credentials = client_get_credentials_for_tests (client);

  return credentials != NULL ? bosh_credentials_get_password (credentials) : NULL;
}

static void
record (Life       *life,
        const char *event)
{
  if (life->events->len > 0)
    g_string_append_c (life->events, ' ');
  g_string_append (life->events, event);
}

static void
on_state (BoshClient *client,
          GParamSpec *pspec,
          gpointer    user_data)
{
  record (user_data, get_state_name (bosh_client_get_state (client)));
}

static void
on_connection (BoshClient *client,
               GParamSpec *pspec,
               gpointer    user_data)
{
  BoshConnection *connection = bosh_client_get_connection (client);

  g_assert_cmpint (bosh_connection_get_state (connection), ==, BOSH_CONNECTION_STATE_NEW);
  record (user_data, "connection");
}

static gboolean
on_session_lost (BoshClient     *client,
                 BoshConnection *connection,
                 GError         *error,
                 gpointer        user_data)
{
  Life *life = user_data;

  g_assert_cmpint (bosh_connection_get_state (connection), ==, BOSH_CONNECTION_STATE_CLOSED);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_RECONNECTING);
  record (life, "lost");
  life->n_lost++;
  g_clear_error (&life->lost_error);
  life->lost_error = g_error_copy (error);
  g_clear_pointer (&life->undelivered, g_ptr_array_unref);
  life->undelivered = bosh_connection_dup_undelivered (connection);
  g_clear_pointer (&life->unsent, g_ptr_array_unref);
  life->unsent = bosh_connection_dup_unsent (connection);

  for (guint i = 0; life->repeats && i < life->undelivered->len; i++)
    g_assert_true (bosh_client_send (client, g_ptr_array_index (life->undelivered, i), NULL));
  if (life->disconnects)
    bosh_client_disconnect_async (client, NULL, NULL, NULL);

  return life->resend;
}

static void
on_closed (BoshClient   *client,
           const GError *error,
           gpointer      user_data)
{
  Life *life = user_data;

  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CLOSED);
  g_assert_null (get_password (client));
  record (life, "end");
  life->n_closed++;
  life->close_error = error != NULL ? g_error_copy (error) : NULL;
}

static void
life_init (Life *life)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  *life = (Life){ .response_to_auth = SUCCESS };
  life->manager = bosh_test_manager_new (NULL);
  bosh_test_manager_set_automatic (life->manager, TRUE);
  bosh_test_manager_set_grants (life->manager, BOSH_TEST_GRANTS, FEATURES ("PLAIN"));
  bosh_test_manager_set_script (life->manager, on_request, life);
  life->messages = g_string_new (NULL);
  life->events = g_string_new (NULL);

  configuration = bosh_test_manager_configure (life->manager, NULL);
  life->client = bosh_client_new ("example.org", configuration);
  client_set_delays_for_tests (life->client, 1, 2, AGES);
  g_signal_connect (life->client, "notify::state", G_CALLBACK (on_state), life);
  g_signal_connect (life->client, "notify::connection", G_CALLBACK (on_connection), life);
  g_signal_connect (life->client, "session-lost", G_CALLBACK (on_session_lost), life);
  g_signal_connect (life->client, "closed", G_CALLBACK (on_closed), life);
}

static void
life_clear (Life *life)
{
  if (life->client != NULL)
    {
      g_signal_handlers_disconnect_by_data (life->client, life);
      bosh_test_assert_gone (g_steal_pointer (&life->client));
    }
  g_clear_pointer (&life->manager, bosh_test_manager_free);
  g_clear_pointer (&life->undelivered, g_ptr_array_unref);
  g_clear_pointer (&life->unsent, g_ptr_array_unref);
  g_clear_error (&life->lost_error);
  g_clear_error (&life->close_error);
  g_string_free (life->messages, TRUE);
  g_string_free (life->events, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Life, life_clear)

static void
log_in (Life *life)
{
  g_autoptr(GError) error = NULL;

  bosh_test_connect (life->client, &error);
  g_assert_no_error (error);
  bosh_test_login (life->client, "alice", "secret", "home", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bosh_client_get_jid (life->client), ==, "alice@example.org/1");
  bosh_test_await (bosh_test_manager_get_n_held (life->manager) > 0);
}

/* Logged in, with the opt-in. */
static void
begin_with (Life       *life,
            const char *grants)
{
  life_init (life);
  bosh_test_manager_set_grants (life->manager, grants, FEATURES ("PLAIN"));
  bosh_client_set_auto_reconnect (life->client, TRUE);
  log_in (life);
  g_assert_cmpstr (get_password (life->client), ==, "secret");
  g_string_truncate (life->events, 0);
}

static void
begin (Life *life)
{
  begin_with (life, BOSH_TEST_GRANTS);
}

/* The request that is held ends the session. */
static void
lose (Life       *life,
      const char *attributes,
      const char *content)
{
  GPtrArray *exchanges = bosh_test_manager_get_exchanges (life->manager);

  bosh_test_await (bosh_test_manager_get_n_held (life->manager) > 0);
  for (guint i = 0; i < exchanges->len; i++)
    {
      BoshTestExchange *exchange = g_ptr_array_index (exchanges, i);

      if (!bosh_test_exchange_has_response (exchange) && !bosh_test_exchange_is_gone (exchange))
        {
          bosh_test_exchange_respond (exchange, attributes, content);
          return;
        }
    }
}

static gboolean
is_in (Life            *life,
       BoshClientState  state)
{
  return bosh_client_get_state (life->client) == state;
}

static void
assert_events (Life       *life,
               const char *expected)
{
  g_assert_cmpstr (life->events->str, ==, expected);
  g_string_truncate (life->events, 0);
}

static void
disconnect (Life *life)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  bosh_client_disconnect_async (life->client, NULL, bosh_test_keep_result, &result);
  g_assert_null (get_password (life->client));
  bosh_client_disconnect_finish (life->client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (life->n_closed, ==, 1);
  g_assert_no_error (life->close_error);
}

static void
test_comes_back (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(BoshConnection) first = NULL;
  guint n_creations;

  g_test_summary ("E38: after a loss that a new login can mend the client logs in again, with "
                  "another connection; `closed` comes when the application asks for the end");

  begin (&life);
  first = g_object_ref (bosh_client_get_connection (life.client));
  lose (&life, LOST, "");
  bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_RECONNECTING));
  g_assert_cmpstr (bosh_client_get_jid (life.client), ==, "alice@example.org/1");
  bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY));
  assert_events (&life, "reconnecting lost connection ready");
  g_assert_error (life.lost_error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  g_assert_cmpstr (bosh_client_get_jid (life.client), ==, "alice@example.org/2");
  g_assert_cmpstr (bosh_client_get_mechanism (life.client), ==, "PLAIN");
  g_assert_true (first != bosh_client_get_connection (life.client));
  g_assert_true (bosh_connection_get_configuration (first) ==
                 bosh_connection_get_configuration (bosh_client_get_connection (life.client)));
  g_assert_cmpuint (life.n_auth, ==, 2);
  g_assert_cmpuint (life.n_closed, ==, 0);

  /* It is as good as the first. */
  bosh_test_send_message (life.client, "bob@example.org", "hello");
  bosh_test_await (strcmp (life.messages->str, "hello") == 0);
  lose (&life, "type='terminate' condition='system-shutdown'", "");
  bosh_test_await (life.n_bound == 3 && is_in (&life, BOSH_CLIENT_STATE_READY));
  assert_events (&life, "reconnecting lost connection ready");

  n_creations = life.n_creations;
  disconnect (&life);
  assert_events (&life, "disconnecting closed end");
  bosh_test_run_dry ();
  g_assert_cmpuint (life.n_creations, ==, n_creations);
}

static void
test_opt_in (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("Nothing of this happens unless it was asked for before the login; then the "
                  "password is not kept either");

  life_init (&life);
  g_assert_false (bosh_client_get_auto_reconnect (life.client));
  g_assert_cmpuint (bosh_client_get_max_reconnect_attempts (life.client), ==, 10);
  log_in (&life);
  bosh_client_set_auto_reconnect (life.client, TRUE);
  g_assert_null (get_password (life.client));
  g_string_truncate (life.events, 0);
  lose (&life, LOST, "");
  bosh_test_await (life.n_closed == 1);
  g_assert_error (life.close_error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  assert_events (&life, "closed end");
  g_assert_cmpuint (life.n_creations, ==, 1);
}

/* One message is with the server, which does not respond, another waits. */
static void
send_two (Life *life)
{
  life->keeps_payloads = TRUE;
  bosh_test_send_message (life->client, "bob@example.org", "a");
  bosh_test_await (strcmp (life->messages->str, "a") == 0);
  bosh_test_send_message (life->client, "bob@example.org", "b");
}

static void
assert_one (GPtrArray  *stanzas,
            const char *body)
{
  g_assert_cmpuint (stanzas->len, ==, 1);
  bosh_test_assert_body (g_ptr_array_index (stanzas, 0), body);
}

static void
test_offers (void)
{
  static const struct
  {
    gboolean    resend;
    gboolean    repeats;
    const char *expected;
  } cases[] = {
    { FALSE, FALSE, "c" },
    { TRUE, FALSE, "bc" },
    { FALSE, TRUE, "ac" },
    { TRUE, TRUE, "abc" },
  };

  g_test_summary ("E38: what is undelivered and what was never sent is offered exactly; only "
                  "what the handler says is sent again, in order and before anything new");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(Life) life = { NULL };
      g_autoptr(GPtrArray) unsent = NULL;

      begin (&life);
      life.resend = cases[i].resend;
      life.repeats = cases[i].repeats;
      send_two (&life);
      lose (&life, LOST, "");
      bosh_test_await (life.n_lost == 1);
      assert_one (life.undelivered, "a");
      assert_one (life.unsent, "b");
      life.keeps_payloads = FALSE;
      bosh_test_send_message (life.client, "bob@example.org", "c");
      unsent = bosh_client_dup_unsent (life.client);
      g_assert_cmpuint (unsent->len, ==, strlen (cases[i].expected));
      bosh_test_await (strcmp (life.messages->str, cases[i].expected) == 0);
      disconnect (&life);
      g_assert_cmpstr (life.messages->str, ==, cases[i].expected);
    }
}

static GAsyncResult **
deliver (Life         *life,
         const char   *body,
         GCancellable *cancellable)
{
  g_autoptr(BoshElement) message = bosh_element_new_message ("bob@example.org", "chat", body);
  GAsyncResult **result = g_new0 (GAsyncResult *, 1);

  bosh_client_deliver_async (life->client, message, cancellable, bosh_test_keep_result, result);

  return result;
}

/* Waits for the result, and frees it. Returns the error, if it is one. */
static GError *
finish_delivery (Life          *life,
                 GAsyncResult **result)
{
  GError *error = NULL;

  bosh_client_deliver_finish (life->client, bosh_test_wait_for (result), &error);
  g_object_unref (*result);
  g_free (result);

  return error;
}

static void
assert_delivery (Life          *life,
                 GAsyncResult **result,
                 gboolean       is_delivered)
{
  g_autoptr(GError) error = finish_delivery (life, result);

  if (is_delivered)
    g_assert_no_error (error);
  else
    g_assert_error (error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
}

static void
test_deliveries (void)
{
  g_test_summary ("E38: a delivery outlives the session if its stanza is sent again, and fails with "
                  "the loss otherwise; a new one waits for the next session");

  for (guint i = 0; i < 4; i++)
    {
      g_auto(Life) life = { NULL };
      GAsyncResult **sent;
      GAsyncResult **unsent;
      GAsyncResult **later;

      /* Polling at will, the client learns at once whether a stanza has arrived. */
      begin_with (&life, "sid='s1' wait='55' hold='1' requests='2' inactivity='30' polling='0'");
      life.resend = (i & 1) != 0;
      life.repeats = (i & 2) != 0;
      life.keeps_payloads = TRUE;
      sent = deliver (&life, "a", NULL);
      bosh_test_await (strcmp (life.messages->str, "a") == 0);
      unsent = deliver (&life, "b", NULL);
      lose (&life, LOST, "");
      bosh_test_await (life.n_lost == 1);
      life.keeps_payloads = FALSE;
      later = deliver (&life, "c", NULL);
      assert_delivery (&life, sent, life.repeats);
      assert_delivery (&life, unsent, life.resend);
      assert_delivery (&life, later, TRUE);
      disconnect (&life);
    }
}

static void
test_deliveries_end (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(GPtrArray) unsent = NULL;
  g_autoptr(GError) cancelled_error = NULL;
  GAsyncResult **lost;
  GAsyncResult **cancelled;
  GAsyncResult **waiting;

  g_test_summary ("A delivery that waits for the next session is cancelled, or fails when there is "
                  "none");

  begin (&life);
  client_set_delays_for_tests (life.client, AGES, AGES, AGES);
  life.resend = TRUE;
  life.keeps_payloads = TRUE;
  send_two (&life);
  lost = deliver (&life, "x", NULL);
  lose (&life, LOST, "");
  bosh_test_await (life.n_lost == 1);
  cancelled = deliver (&life, "c", cancellable);
  waiting = deliver (&life, "d", NULL);
  g_cancellable_cancel (cancellable);
  cancelled_error = finish_delivery (&life, cancelled);
  g_assert_error (cancelled_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  disconnect (&life);
  assert_delivery (&life, lost, FALSE);
  assert_delivery (&life, waiting, FALSE);
  /* b, x, c and d. */
  unsent = bosh_client_dup_unsent (life.client);
  g_assert_cmpuint (unsent->len, ==, 4);
}

static void
test_deliveries_in_handler (void)
{
  g_auto(Life) life = { NULL };
  GAsyncResult **sent;

  g_test_summary ("Deliveries fail when the handler of the loss ends the client");

  begin (&life);
  life.disconnects = TRUE;
  life.keeps_payloads = TRUE;
  sent = deliver (&life, "a", NULL);
  bosh_test_await (strcmp (life.messages->str, "a") == 0);
  lose (&life, LOST, "");
  bosh_test_await (life.n_closed == 1);
  assert_delivery (&life, sent, FALSE);
}

typedef struct
{
  Life         *life;
  gboolean      hold;
  gboolean      releases;  /* at once */
  guint         n_emitted;
  GAsyncResult *result;    /* of the request that was sent there */
} Preparation;

/* Sends presence, a request, and a message. */
static gboolean
on_session_renewed (BoshClient *client,
                    gpointer    user_data)
{
  Preparation *preparation = user_data;
  g_autoptr(BoshElement) presence = bosh_element_new_presence (NULL, NULL);
  g_autoptr(BoshElement) iq = bosh_test_new_request (NULL, "query", BOSH_TEST_NS_ROSTER);

  preparation->n_emitted++;
  record (preparation->life, "renewed");
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_RECONNECTING);
  g_assert_cmpstr (bosh_client_get_jid (client), ==, "alice@example.org/2");
  bosh_test_send_message (client, "bob@example.org", "b");
  g_assert_true (bosh_client_send (client, presence, NULL));
  bosh_client_send_iq_async (client, iq, 0, NULL, bosh_test_keep_result, &preparation->result);
  if (preparation->releases)
    bosh_client_resend (client);

  return preparation->hold;
}

static gboolean
on_session_renewed_too (BoshClient *client,
                        gpointer    user_data)
{
  (*(guint *)user_data)++;

  return FALSE;
}

static void
test_prepared (void)
{
  g_test_summary ("A new session is prepared before what waits is sent; presences and requests go "
                  "in front of it, messages behind it");

  for (guint i = 0; i < 3; i++)
    {
      g_auto(Life) life = { NULL };
      Preparation preparation = { &life, .hold = i > 0, .releases = i == 2 };
      g_autoptr(GError) error = NULL;
      guint n_others = 0;

      begin (&life);
      g_signal_connect (life.client, "session-renewed", G_CALLBACK (on_session_renewed),
                        &preparation);
      g_signal_connect (life.client, "session-renewed", G_CALLBACK (on_session_renewed_too),
                        &n_others);
      lose (&life, LOST, "");
      bosh_test_await (life.n_lost == 1);
      bosh_test_send_message (life.client, "bob@example.org", "a");
      if (i == 1)
        {
          bosh_test_await (strcmp (life.messages->str, "<presence/><iq/>") == 0);
          g_assert_cmpint (bosh_client_get_state (life.client), ==, BOSH_CLIENT_STATE_RECONNECTING);
          bosh_test_send_message (life.client, "bob@example.org", "c");
          /* A request of the server has its response although the state is not READY yet. */
          bosh_test_manager_deliver (life.manager,
                                     "<iq xmlns='jabber:client' type='get' id='p' from='example.org'>"
                                     "<ping xmlns='urn:xmpp:ping'/></iq>");
          bosh_test_await (strcmp (life.messages->str, "<presence/><iq/><iq/>") == 0);
          bosh_client_resend (life.client);
        }
      bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY));
      bosh_test_await (strcmp (life.messages->str, i == 1 ? "<presence/><iq/><iq/>abc"
                                                          : "<presence/><iq/>ab") == 0);
      assert_events (&life, "reconnecting lost connection renewed ready");
      g_assert_cmpuint (preparation.n_emitted, ==, 1);
      g_assert_cmpuint (n_others, ==, 1);
      bosh_client_resend (life.client);
      disconnect (&life);
      g_assert_null (bosh_client_send_iq_finish (life.client,
                                                 bosh_test_wait_for (&preparation.result), &error));
      g_clear_object (&preparation.result);
    }
}

static void
test_lost_while_held (void)
{
  g_auto(Life) life = { NULL };
  Preparation preparation = { &life, .hold = TRUE };
  g_autoptr(GError) error = NULL;

  g_test_summary ("A session that is lost while what waits is held back is followed by another, "
                  "which is prepared, too");

  begin (&life);
  g_signal_connect (life.client, "session-renewed", G_CALLBACK (on_session_renewed), &preparation);
  lose (&life, LOST, "");
  bosh_test_await (life.n_lost == 1);
  bosh_test_send_message (life.client, "bob@example.org", "a");
  bosh_test_await (strcmp (life.messages->str, "<presence/><iq/>") == 0);
  g_signal_handlers_disconnect_by_func (life.client, on_session_renewed, &preparation);
  lose (&life, LOST, "");
  g_assert_null (bosh_client_send_iq_finish (life.client, bosh_test_wait_for (&preparation.result),
                                             &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  g_clear_object (&preparation.result);
  bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY));
  bosh_test_await (strcmp (life.messages->str, "ab") == 0);
  assert_events (&life, "reconnecting lost connection renewed lost connection ready");
  disconnect (&life);
}

static void
test_ids (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(BoshElement) message = bosh_element_new_message ("bob@example.org", "chat", "a");
  g_autoptr(BoshElement) sealed = bosh_element_copy (message);
  g_autoptr(BoshElement) parent = bosh_element_new_message ("bob@example.org", "chat", "b");
  g_autoptr(GPtrArray) unsent = NULL;
  const char *id;

  g_test_summary ("What waits for a session has the id with which it is sent there");

  begin (&life);
  client_set_delays_for_tests (life.client, AGES, AGES, AGES);
  bosh_element_add_child (parent, sealed);
  g_assert_true (bosh_client_send (life.client, parent, NULL));
  g_assert_true (bosh_element_is_sealed (sealed));
  lose (&life, LOST, "");
  bosh_test_await (life.n_lost == 1);
  g_assert_true (bosh_client_send (life.client, message, NULL));
  g_assert_true (bosh_client_send (life.client, sealed, NULL));

  unsent = bosh_client_dup_unsent (life.client);
  g_assert_cmpuint (unsent->len, ==, 2);
  g_assert_true (g_ptr_array_index (unsent, 0) == message);
  id = bosh_element_get_attribute (message, "id");
  g_assert_cmpuint (strlen (id), ==, 20);
  g_assert_null (bosh_element_get_attribute (sealed, "id"));
  g_assert_cmpstr (bosh_element_get_attribute (g_ptr_array_index (unsent, 1), "id"), !=, id);
  g_assert_nonnull (bosh_element_get_attribute (g_ptr_array_index (unsent, 1), "id"));
  disconnect (&life);
}

static void
test_refuses_bad_stanzas (void)
{
  g_auto(Life) life = { NULL };
  g_autofree char *text = g_strnfill (2 * 1024 * 1024, 'x');
  g_autoptr(BoshElement) large = bosh_element_new_message ("bob@example.org", NULL, text);
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) unsent = NULL;

  g_test_summary ("A stanza that could not be sent is refused at once, also when it would have "
                  "to wait");

  begin (&life);
  client_set_delays_for_tests (life.client, AGES, AGES, AGES);
  lose (&life, LOST, "");
  bosh_test_await (life.n_lost == 1);
  g_assert_false (bosh_client_send (life.client, large, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  unsent = bosh_client_dup_unsent (life.client);
  g_assert_cmpuint (unsent->len, ==, 0);
  disconnect (&life);
}

static void
test_requests (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(BoshElement) iq = bosh_test_new_request (NULL, "query", BOSH_TEST_NS_ROSTER);
  g_autoptr(BoshElement) second = bosh_test_new_request (NULL, "query", BOSH_TEST_NS_STRANGE);
  g_autoptr(BoshElement) third = bosh_test_new_request (NULL, "query", BOSH_TEST_NS_PING);
  g_autoptr(GAsyncResult) sent = NULL;
  g_autoptr(GAsyncResult) unsent = NULL;
  g_autoptr(GAsyncResult) later = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("RFC 6120 §8.2.3: requests that wait for a response fail with the loss, and are "
                  "not sent again; new ones wait for the new session");

  begin (&life);
  life.resend = TRUE;
  life.keeps_payloads = TRUE;
  bosh_client_send_iq_async (life.client, iq, 0, NULL, bosh_test_keep_result, &sent);
  bosh_test_await (strcmp (life.messages->str, "<iq/>") == 0);
  bosh_client_send_iq_async (life.client, second, 0, NULL, bosh_test_keep_result, &unsent);
  lose (&life, LOST, "");
  g_assert_null (bosh_client_send_iq_finish (life.client, bosh_test_wait_for (&sent), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (bosh_client_send_iq_finish (life.client, bosh_test_wait_for (&unsent), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  g_clear_error (&error);

  life.keeps_payloads = FALSE;
  g_assert_cmpint (bosh_client_get_state (life.client), ==, BOSH_CLIENT_STATE_RECONNECTING);
  bosh_client_send_iq_async (life.client, third, 0, NULL, bosh_test_keep_result, &later);
  bosh_test_await (strcmp (life.messages->str, "<iq/>") == 0);
  disconnect (&life);
  g_assert_cmpstr (life.messages->str, ==, "<iq/>");
  g_assert_null (bosh_client_send_iq_finish (life.client, bosh_test_wait_for (&later), &error));
  g_assert_nonnull (error);
}

static void
test_tries_again (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("E21: an attempt that fails is followed by another; stanzas that wait go on "
                  "waiting");

  begin (&life);
  life.n_unavailable = 3;
  lose (&life, LOST, "");
  bosh_test_await (life.n_lost == 1);
  bosh_test_send_message (life.client, "bob@example.org", "a");
  bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY));
  bosh_test_await (strcmp (life.messages->str, "a") == 0);
  g_assert_cmpuint (life.n_creations, ==, 1 + 4);
  assert_events (&life, "reconnecting lost connection connection connection connection ready");
  disconnect (&life);
}

static void
test_bounded (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(GPtrArray) unsent = NULL;

  g_test_summary ("E05, E24: the attempts are counted, and `closed` comes when none follows; "
                  "what waited can be had");

  begin (&life);
  bosh_client_set_max_reconnect_attempts (life.client, 3);
  life.n_unavailable = 100;
  lose (&life, LOST, "");
  bosh_test_await (life.n_lost == 1);
  bosh_test_send_message (life.client, "bob@example.org", "a");
  bosh_test_await (life.n_closed == 1);
  g_assert_error (life.close_error, BOSH_ERROR, BOSH_ERROR_HTTP);
  assert_events (&life, "reconnecting lost connection connection connection closed end");
  g_assert_cmpuint (life.n_creations, ==, 1 + 3);
  unsent = bosh_client_dup_unsent (life.client);
  assert_one (unsent, "a");
  bosh_test_run_dry ();
  g_assert_cmpuint (life.n_creations, ==, 1 + 3);
}

static void
test_short_sessions (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("E24: sessions that are lost as soon as they are open count as attempts, else "
                  "it would go on for ever");

  begin (&life);
  bosh_client_set_max_reconnect_attempts (life.client, 3);
  life.loses_at_once = TRUE;
  lose (&life, LOST, "");
  bosh_test_await (life.n_closed == 1);
  g_assert_error (life.close_error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  g_assert_cmpuint (life.n_creations, ==, 1 + 3);
}

static void
test_long_sessions (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("A session that has lasted sets the count back");

  begin (&life);
  client_set_delays_for_tests (life.client, 1, 2, 0);
  bosh_client_set_max_reconnect_attempts (life.client, 1);
  for (guint i = 0; i < 3; i++)
    {
      lose (&life, LOST, "");
      bosh_test_await (life.n_bound == i + 2 && is_in (&life, BOSH_CLIENT_STATE_READY));
    }
  g_assert_cmpuint (life.n_lost, ==, 3);
  disconnect (&life);
}

static void
test_not_mended (void)
{
  static const struct
  {
    const char *attributes;
    const char *content;
    GQuark (*domain) (void);
    int         code;
  } cases[] = {
    { "type='terminate' condition='policy-violation'", "",
      bosh_error_quark, BOSH_ERROR_POLICY_VIOLATION },
    { "type='terminate' condition='bad-request'", "", bosh_error_quark, BOSH_ERROR_BAD_REQUEST },
    { "type='terminate' condition='other-request'", "", bosh_error_quark, BOSH_ERROR_OTHER_REQUEST },
    { "type='terminate' condition='improper-addressing'", "",
      bosh_error_quark, BOSH_ERROR_IMPROPER_ADDRESSING },
    { "type='terminate' condition='remote-stream-error'", "",
      bosh_error_quark, BOSH_ERROR_REMOTE_STREAM_ERROR },
    { "type='terminate' condition='remote-stream-error'",
      "<stream:error " STREAM "><conflict xmlns='" STREAM_ERRORS "'/>"
      "<text xmlns='" STREAM_ERRORS "'>Replaced</text></stream:error>",
      bosh_stream_error_quark, BOSH_STREAM_ERROR_CONFLICT },
    { "type='terminate' condition='remote-stream-error'",
      "<conflict xmlns='" STREAM_ERRORS "'/>",
      bosh_stream_error_quark, BOSH_STREAM_ERROR_CONFLICT },
    { "type='terminate' condition='remote-stream-error'",
      "<stream:error " STREAM "><policy-violation xmlns='" STREAM_ERRORS "'/></stream:error>",
      bosh_stream_error_quark, BOSH_STREAM_ERROR_POLICY_VIOLATION },
    { "type='terminate' condition='remote-stream-error'",
      "<stream:error " STREAM "><not-authorized xmlns='" STREAM_ERRORS "'/></stream:error>",
      bosh_stream_error_quark, BOSH_STREAM_ERROR_NOT_AUTHORIZED },
  };

  g_test_summary ("E51: what a new login would not mend ends the client: a conflict of the "
                  "resource, a violation of policy, what finds fault with us");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(Life) life = { NULL };

      begin (&life);
      lose (&life, cases[i].attributes, cases[i].content);
      bosh_test_await (life.n_closed == 1);
      g_assert_error (life.close_error, cases[i].domain (), cases[i].code);
      assert_events (&life, "closed end");
      bosh_test_run_dry ();
      g_assert_cmpuint (life.n_creations, ==, 1);
    }
}

static void
test_refusals_that_pass (void)
{
  static const struct
  {
    guint       status;      /* of the requests that follow; 0: none */
    const char *attributes;  /* of the end of the session */
    const char *creation;    /* the response to the creations that follow, nullable */
  } cases[] = {
    { 400, NULL, NULL },
    { 403, NULL, NULL },
    { 404, NULL, NULL },
    { 0, "type='terminate' condition='host-unknown'",
      "type='terminate' condition='host-unknown'" },
    { 0, LOST, "type='terminate' condition='host-gone'" },
    { 0, LOST, "type='terminate' condition='internal-server-error'" },
  };

  g_test_summary ("What something in between refuses for a while, or a server that is not quite "
                  "there yet, ends the session, and not the account");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(Life) life = { NULL };

      begin (&life);
      bosh_client_set_max_reconnect_attempts (life.client, 1000);
      life.status = cases[i].status;
      life.refusal = cases[i].creation;
      if (cases[i].attributes != NULL)
        lose (&life, cases[i].attributes, "");
      else
        bosh_test_send_message (life.client, "bob@example.org", "a");
      bosh_test_await (life.n_creations >= 3);
      g_assert_cmpint (bosh_client_get_state (life.client), ==, BOSH_CLIENT_STATE_RECONNECTING);
      g_assert_cmpuint (life.n_auth, ==, 1);
      life.status = 0;
      life.refusal = NULL;
      bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY));
      g_assert_cmpuint (life.n_closed, ==, 0);
      disconnect (&life);
    }
}

static void
test_retries_connect (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  GAsyncResult **delivery;

  g_test_summary ("Connecting is tried again where that was asked for; what was sent meanwhile goes "
                  "to the session at last, each stanza once");

  life_init (&life);
  g_assert_false (bosh_client_get_retry_connect (life.client));
  bosh_client_set_retry_connect (life.client, TRUE);
  life.n_unavailable = 3;
  bosh_client_connect_async (life.client, NULL, bosh_test_keep_result, &result);
  bosh_test_send_message (life.client, "bob@example.org", "a");
  delivery = deliver (&life, "b", NULL);
  bosh_test_await (life.n_creations == 2);
  g_assert_null (result);
  g_assert_cmpint (bosh_client_get_state (life.client), ==, BOSH_CLIENT_STATE_CONNECTING);
  bosh_test_send_message (life.client, "bob@example.org", "c");
  bosh_client_connect_finish (life.client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (life.n_creations, ==, 4);
  bosh_test_await (strcmp (life.messages->str, "abc") == 0);
  assert_delivery (&life, delivery, TRUE);
  bosh_test_login (life.client, "alice", "secret", "home", &error);
  g_assert_no_error (error);
  assert_events (&life, "connecting connection connection connection connected logging-in ready");
  g_assert_null (bosh_client_get_last_error (life.client));
  disconnect (&life);
}

static void
test_retries_connect_in_vain (void)
{
  g_test_summary ("It ends with the error of the last attempt, or is cancelled between two of them");

  for (guint i = 0; i < 2; i++)
    {
      g_auto(Life) life = { NULL };
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GPtrArray) unsent = NULL;
      g_autoptr(GError) error = NULL;

      life_init (&life);
      bosh_client_set_retry_connect (life.client, TRUE);
      bosh_client_set_max_reconnect_attempts (life.client, 2);
      life.n_unavailable = 100;
      if (i == 1)
        client_set_delays_for_tests (life.client, AGES, AGES, AGES);
      bosh_client_connect_async (life.client, cancellable, bosh_test_keep_result, &result);
      bosh_test_send_message (life.client, "bob@example.org", "a");
      if (i == 1)
        {
          bosh_test_await (bosh_client_get_next_attempt (life.client) >= 0);
          g_assert_true (g_str_has_prefix (bosh_client_get_status (life.client),
                                           "Can’t connect, trying again soon: "));
          g_cancellable_cancel (cancellable);
        }
      g_assert_false (bosh_client_connect_finish (life.client, bosh_test_wait_for (&result), &error));
      if (i == 0)
        g_assert_error (error, BOSH_ERROR, BOSH_ERROR_HTTP);
      else
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      bosh_test_await (life.n_closed == 1);
      g_assert_cmpuint (life.n_creations, ==, i == 0 ? 3 : 1);
      unsent = bosh_client_dup_unsent (life.client);
      assert_one (unsent, "a");
    }
}

static void
test_attached_with_credentials (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(BoshSavedSession) saved = NULL;
  g_autoptr(GAsyncResult) detached = NULL;
  g_autoptr(GAsyncResult) attached = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("A client that was given the credentials comes back after the loss of a session "
                  "that it was attached to");

  life_init (&life);
  log_in (&life);
  bosh_client_detach_async (life.client, NULL, bosh_test_keep_result, &detached);
  saved = bosh_client_detach_finish (life.client, bosh_test_wait_for (&detached), &error);
  g_assert_no_error (error);
  bosh_client_set_auto_reconnect (life.client, TRUE);
  bosh_client_set_credentials (life.client, "alice", "secret", "home");
  g_assert_null (get_password (life.client));
  g_clear_object (&detached);
  g_signal_handlers_disconnect_by_data (life.client, &life);
  bosh_test_assert_gone (g_steal_pointer (&life.client));

  configuration = bosh_test_manager_configure (life.manager, NULL);
  life.client = bosh_client_new ("example.org", configuration);
  client_set_delays_for_tests (life.client, 1, 2, AGES);
  g_signal_connect (life.client, "closed", G_CALLBACK (on_closed), &life);
  bosh_client_set_auto_reconnect (life.client, TRUE);
  bosh_client_set_credentials (life.client, "alice", "wrong", NULL);
  bosh_client_set_auto_reconnect (life.client, FALSE);
  g_assert_null (get_password (life.client));
  bosh_client_set_auto_reconnect (life.client, TRUE);
  bosh_client_set_credentials (life.client, "alice", "secret", "home");
  bosh_client_attach_async (life.client, saved, NULL, bosh_test_keep_result, &attached);
  bosh_test_await (bosh_test_manager_get_n_held (life.manager) > 0);
  respond_held (&life, NULL);
  bosh_client_attach_finish (life.client, bosh_test_wait_for (&attached), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (get_password (life.client), ==, "secret");
  lose (&life, LOST, "");
  bosh_test_await (life.n_bound == 2 && is_in (&life, BOSH_CLIENT_STATE_READY));
  g_assert_cmpstr (bosh_client_get_jid (life.client), ==, "alice@example.org/2");
  disconnect (&life);
}

static void
test_never_weaker (void)
{
  static const char * const weaker[] = { FEATURES ("PLAIN"), FEATURES ("SCRAM-SHA-1") };

  g_test_summary ("A client that has logged in by SCRAM sends nothing to a server that offers only "
                  "what is weaker, and comes back when that is over");

  for (guint i = 0; i < G_N_ELEMENTS (weaker); i++)
    {
      g_auto(Life) life = { NULL };
      g_autoptr(GError) error = NULL;

      life_init (&life);
      bosh_test_manager_set_grants (life.manager, BOSH_TEST_GRANTS, FEATURES ("SCRAM-SHA-256"));
      bosh_client_set_auto_reconnect (life.client, TRUE);
      bosh_client_set_max_reconnect_attempts (life.client, 1000);
      life.scram = bosh_test_sasl_server_new ("SCRAM-SHA-256", NULL);
      bosh_test_connect (life.client, &error);
      g_assert_no_error (error);
      bosh_test_login (life.client, "user", "pencil", NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (life.n_auth, ==, 2);
      g_clear_pointer (&life.scram, bosh_test_sasl_server_free);

      bosh_test_manager_set_grants (life.manager, BOSH_TEST_GRANTS, weaker[i]);
      lose (&life, LOST, "");
      bosh_test_await (life.n_lost == 1);
      bosh_test_await (life.n_creations >= 4 || is_in (&life, BOSH_CLIENT_STATE_READY));
      g_assert_cmpint (bosh_client_get_state (life.client), ==, BOSH_CLIENT_STATE_RECONNECTING);
      g_assert_error (bosh_client_get_last_error (life.client), BOSH_ERROR,
                      BOSH_ERROR_INSECURE_MECHANISM);
      g_assert_cmpuint (life.n_auth, ==, 2);

      life.scram = bosh_test_sasl_server_new ("SCRAM-SHA-256", NULL);
      bosh_test_manager_set_grants (life.manager, BOSH_TEST_GRANTS, FEATURES ("SCRAM-SHA-256"));
      bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY));
      g_assert_cmpuint (life.n_auth, ==, 4);
      disconnect (&life);
      bosh_test_sasl_server_free (life.scram);
    }
}

static void
test_banner (void)
{
  g_auto(Life) life = { NULL };
  guint n_status = 0;

  g_test_summary ("Status, last error and the time of the next attempt are what a banner shows, "
                  "and its button makes the attempt at once");

  begin (&life);
  g_signal_connect (life.client, "notify::status", G_CALLBACK (bosh_test_count_changes), &n_status);
  g_assert_cmpstr (bosh_client_get_status (life.client), ==, "Online");
  g_assert_null (bosh_client_get_last_error (life.client));
  g_assert_cmpint (bosh_client_get_next_attempt (life.client), ==, -1);
  client_set_delays_for_tests (life.client, AGES, AGES, AGES);
  lose (&life, LOST, "");
  bosh_test_await (bosh_client_get_next_attempt (life.client) >= 0);
  g_assert_cmpint (bosh_client_get_next_attempt (life.client), >=,
                   g_get_monotonic_time () + AGES / 4 * G_TIME_SPAN_MILLISECOND);
  g_assert_true (g_str_has_prefix (bosh_client_get_status (life.client),
                                   "Connection lost, trying again soon: The server does not know"));
  g_assert_error (bosh_client_get_last_error (life.client), BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);

  life.n_unavailable = 1;
  bosh_client_retry_now (life.client);
  g_assert_cmpstr (bosh_client_get_status (life.client), ==, "Reconnecting…");
  g_assert_cmpint (bosh_client_get_next_attempt (life.client), ==, -1);
  bosh_test_await (bosh_client_get_next_attempt (life.client) >= 0);
  g_assert_error (bosh_client_get_last_error (life.client), BOSH_ERROR, BOSH_ERROR_HTTP);
  bosh_client_retry_now (life.client);
  bosh_client_retry_now (life.client);
  bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY));
  g_assert_cmpstr (bosh_client_get_status (life.client), ==, "Online");
  g_assert_null (bosh_client_get_last_error (life.client));
  g_assert_cmpuint (n_status, >=, 5);
  disconnect (&life);
  g_assert_cmpstr (bosh_client_get_status (life.client), ==, "Disconnected");
  g_assert_cmpuint (life.n_creations, ==, 3);
}

static void
test_stream_errors_that_pass (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("R91, R123: a stream that ends because the server does is worth a new login, "
                  "in both forms of the error");

  begin (&life);
  lose (&life, "type='terminate' condition='remote-stream-error'",
        "<stream:error " STREAM "><system-shutdown xmlns='" STREAM_ERRORS "'/></stream:error>");
  bosh_test_await (life.n_bound == 2 && is_in (&life, BOSH_CLIENT_STATE_READY));
  lose (&life, "type='terminate' condition='remote-stream-error'",
        "<system-shutdown xmlns='" STREAM_ERRORS "'/>");
  bosh_test_await (life.n_bound == 3 && is_in (&life, BOSH_CLIENT_STATE_READY));
  disconnect (&life);
}

static void
test_credentials_refused (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("A login that the server refuses is not tried again");

  begin (&life);
  life.response_to_auth = NOT_AUTHORIZED;
  lose (&life, LOST, "");
  bosh_test_await (life.n_closed == 1);
  g_assert_error (life.close_error, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
  assert_events (&life, "reconnecting lost connection closed end");
  g_assert_cmpuint (life.n_auth, ==, 2);
  /* The session that is open all the same comes to its end. */
  bosh_test_await (bosh_connection_get_state (bosh_client_get_connection (life.client)) ==
                   BOSH_CONNECTION_STATE_CLOSED);
  g_assert_cmpuint (life.n_creations, ==, 2);
}

static void
test_resource_conflict (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("E51: nor is one where the resource is in use");

  begin (&life);
  life.bind_error = "conflict";
  lose (&life, LOST, "");
  bosh_test_await (life.n_closed == 1);
  g_assert_error (life.close_error, BOSH_STANZA_ERROR, BOSH_STANZA_ERROR_CONFLICT);
  g_assert_cmpuint (life.n_creations, ==, 2);
  bosh_test_await (bosh_connection_get_state (bosh_client_get_connection (life.client)) ==
                   BOSH_CONNECTION_STATE_CLOSED);
}

static void
test_server_is_busy (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("RFC 6120 §6.5.11: temporary-auth-failure is worth another attempt");

  begin (&life);
  life.response_to_auth = BUSY;
  lose (&life, LOST, "");
  bosh_test_await (life.n_auth == 3);
  life.response_to_auth = SUCCESS;
  bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY));
  disconnect (&life);
}

static void
test_disconnect_while_waiting (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(GAsyncResult) detached = NULL;
  g_autoptr(GAsyncResult) login = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("The application ends it before the next attempt; meanwhile it can neither "
                  "log in nor hand over");

  begin (&life);
  client_set_delays_for_tests (life.client, AGES, AGES, AGES);
  lose (&life, LOST, "");
  bosh_test_await (life.n_lost == 1);

  bosh_client_detach_async (life.client, NULL, bosh_test_keep_result, &detached);
  g_assert_null (bosh_client_detach_finish (life.client, bosh_test_wait_for (&detached), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_clear_error (&error);
  bosh_client_login_async (life.client, "a", "b", NULL, NULL, bosh_test_keep_result, &login);
  g_assert_false (bosh_client_login_finish (life.client, bosh_test_wait_for (&login), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);

  disconnect (&life);
  assert_events (&life, "reconnecting lost closed end");
  bosh_test_run_dry ();
  g_assert_cmpuint (life.n_creations, ==, 1);
}

static void
test_disconnect_in_handler (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("The application ends it when it is told of the loss");

  begin (&life);
  life.disconnects = TRUE;
  lose (&life, LOST, "");
  bosh_test_await (life.n_closed == 1);
  g_assert_no_error (life.close_error);
  bosh_test_run_dry ();
  assert_events (&life, "reconnecting lost closed end");
  g_assert_cmpuint (life.n_creations, ==, 1);
}

static void
test_disconnect_while_attempting (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("The application ends it in the middle of an attempt");

  begin (&life);
  life.is_silent = TRUE;
  lose (&life, LOST, "");
  bosh_test_await (life.n_creations == 2);
  disconnect (&life);
  respond_held (&life, NULL);
  bosh_test_await (bosh_connection_get_state (bosh_client_get_connection (life.client)) ==
                   BOSH_CONNECTION_STATE_CLOSED);
  g_assert_cmpuint (life.n_auth, ==, 1);
}

static void
test_switched_off (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("Who switches it off forgets the password at once, and ends what is under way "
                  "with the error of the loss");

  begin (&life);
  client_set_delays_for_tests (life.client, AGES, AGES, AGES);
  lose (&life, LOST, "");
  bosh_test_await (life.n_lost == 1);
  bosh_client_set_auto_reconnect (life.client, FALSE);
  g_assert_null (get_password (life.client));
  g_assert_cmpuint (life.n_closed, ==, 1);
  g_assert_error (life.close_error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  assert_events (&life, "reconnecting lost closed end");
}

static void
test_dropped_while_waiting (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("The last reference is dropped before the next attempt");

  begin (&life);
  client_set_delays_for_tests (life.client, AGES, AGES, AGES);
  lose (&life, LOST, "");
  bosh_test_await (life.n_lost == 1);
  bosh_test_run_dry ();
  g_signal_handlers_disconnect_by_data (life.client, &life);
  g_assert_finalize_object (g_steal_pointer (&life.client));
}

static void
test_dropped_while_attempting (void)
{
  g_auto(Life) life = { NULL };
  gpointer connection;

  g_test_summary ("The last reference is dropped in the middle of an attempt: the session that "
                  "was asked for is ended");

  begin (&life);
  life.is_silent = TRUE;
  lose (&life, LOST, "");
  bosh_test_await (life.n_creations == 2);
  connection = bosh_client_get_connection (life.client);
  g_object_add_weak_pointer (connection, &connection);
  g_signal_handlers_disconnect_by_data (life.client, &life);
  g_assert_finalize_object (g_steal_pointer (&life.client));
  {
    GPtrArray *exchanges = bosh_test_manager_get_exchanges (life.manager);
    BoshTestExchange *creation = g_ptr_array_index (exchanges, exchanges->len - 1);

    bosh_test_exchange_respond (creation, BOSH_TEST_GRANTS, FEATURES ("PLAIN"));
    bosh_test_await (connection == NULL);
    g_assert_cmpstr (bosh_test_exchange_get_attribute (g_ptr_array_index (exchanges, exchanges->len - 1),
                                                       "type"),
                     ==, "terminate");
  }
  g_assert_cmpuint (life.n_auth, ==, 1);
}

static gboolean
drop_client (BoshClient     *client,
             BoshConnection *connection,
             GError         *error,
             gpointer        user_data)
{
  Life *life = user_data;

  g_signal_handlers_disconnect_by_data (life->client, life);
  g_clear_object (&life->client);

  return FALSE;
}

static void
test_dropped_in_handler (void)
{
  g_auto(Life) life = { NULL };
  gpointer client;

  g_test_summary ("The last reference is dropped in the handler of the loss");

  begin (&life);
  /* So that no attempt is due while the handlers are called. */
  client_set_delays_for_tests (life.client, AGES, AGES, AGES);
  g_signal_connect (life.client, "session-lost", G_CALLBACK (drop_client), &life);
  client = life.client;
  g_object_add_weak_pointer (client, &client);
  lose (&life, LOST, "");
  bosh_test_await (client == NULL);
  bosh_test_run_dry ();
  g_assert_cmpuint (life.n_creations, ==, 1);
}

static void
test_ended_by_application (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("An end that the application asked for is none to mend, whatever comes of it, "
                  "also when it asked the connection");

  begin (&life);
  bosh_connection_disconnect_async (bosh_client_get_connection (life.client), NULL, NULL,
                                    bosh_test_keep_result, &result);
  lose (&life, "type='terminate' condition='internal-server-error'", "");
  g_assert_false (bosh_connection_disconnect_finish (bosh_client_get_connection (life.client),
                                                     bosh_test_wait_for (&result), &error));
  bosh_test_await (life.n_closed == 1);
  g_assert_error (life.close_error, BOSH_ERROR, BOSH_ERROR_INTERNAL_SERVER_ERROR);
  assert_events (&life, "closed end");
  g_assert_cmpuint (life.n_creations, ==, 1);
}

static void
test_handed_over (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("A session that was handed over is not followed by another, and the password "
                  "is forgotten");

  begin (&life);
  bosh_client_detach_async (life.client, NULL, bosh_test_keep_result, &result);
  session = bosh_client_detach_finish (life.client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_null (get_password (life.client));
  assert_events (&life, "detached");
  bosh_test_run_dry ();
  g_assert_cmpuint (life.n_creations, ==, 1);
}

static void
test_network (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("E21: when the network is back, nothing is waited for");

  begin (&life);
  client_set_delays_for_tests (life.client, AGES, AGES, AGES);
  lose (&life, LOST, "");
  bosh_test_await (life.n_lost == 1);
  g_signal_emit_by_name (g_network_monitor_get_default (), "network-changed", FALSE);
  bosh_test_run_dry ();
  g_assert_cmpuint (life.n_creations, ==, 1);
  g_signal_emit_by_name (g_network_monitor_get_default (), "network-changed", TRUE);
  bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY));
  disconnect (&life);
}

static void
test_anonymous (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("RFC 4505: an anonymous login is repeated as well, and gives another address");

  life_init (&life);
  bosh_test_manager_set_grants (life.manager, BOSH_TEST_GRANTS, FEATURES ("ANONYMOUS"));
  g_object_set (life.client, "auto-reconnect", TRUE, "max-reconnect-attempts", 2u, NULL);
  bosh_test_connect (life.client, &error);
  g_assert_no_error (error);
  bosh_client_login_anonymously_async (life.client, NULL, NULL, bosh_test_keep_result, &result);
  bosh_client_login_anonymously_finish (life.client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_null (get_password (life.client));
  lose (&life, LOST, "");
  bosh_test_await (life.n_bound == 2 && is_in (&life, BOSH_CLIENT_STATE_READY));
  g_assert_cmpstr (bosh_client_get_jid (life.client), ==, "alice@example.org/2");
  g_assert_cmpstr (bosh_client_get_mechanism (life.client), ==, "ANONYMOUS");
  disconnect (&life);
}

static void
test_failed_login (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(GError) error = NULL;

  g_test_summary ("The first login is not repeated, and credentials that were refused are "
                  "forgotten");

  life_init (&life);
  bosh_client_set_auto_reconnect (life.client, TRUE);
  life.response_to_auth = NOT_AUTHORIZED;
  bosh_test_connect (life.client, &error);
  g_assert_no_error (error);
  g_assert_false (bosh_test_login (life.client, "alice", "wrong", NULL, &error));
  g_assert_error (error, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
  g_assert_null (get_password (life.client));
  lose (&life, LOST, "");
  bosh_test_await (life.n_closed == 1);
  g_assert_cmpuint (life.n_creations, ==, 1);
}

static void
test_conflict_in_any_form (void)
{
  static const char * const attributes[] = {
    "type='terminate'",
    "type='terminate' condition='undefined-condition'",
    "type='terminate' condition='item-not-found'",
  };

  g_test_summary ("No login after a conflict, whatever condition comes with it");

  for (guint i = 0; i < G_N_ELEMENTS (attributes); i++)
    {
      g_auto(Life) life = { NULL };

      begin (&life);
      lose (&life, attributes[i],
            "<stream:error " STREAM "><conflict xmlns='" STREAM_ERRORS "'/></stream:error>");
      bosh_test_await (life.n_closed == 1 || life.n_bound == 2);
      g_assert_cmpuint (life.n_closed, ==, 1);
    }
}

/* Shuts down when the second session asks for its restart. */
static gboolean
shut_down_at_restart (BoshTestManager  *manager,
                      BoshTestExchange *exchange,
                      gpointer          user_data)
{
  Life *life = user_data;
  BoshElement *body = bosh_test_exchange_get_body (exchange);

  if (life->n_lost == 0 ||
      bosh_element_get_attribute_ns (body, "restart", "urn:xmpp:xbosh") == NULL)
    return on_request (manager, exchange, user_data);

  bosh_test_manager_set_script (manager, on_request, life);
  respond_held (life, exchange);
  bosh_test_exchange_respond (exchange, "type='terminate' condition='system-shutdown'",
                             "<stream:features " STREAM "><bind xmlns='" BIND "'/></stream:features>");

  return TRUE;
}

static void
test_shutdown_in_attempt (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("A server that shuts down in the middle of an attempt is tried again");

  begin (&life);
  bosh_test_manager_set_script (life.manager, shut_down_at_restart, &life);
  lose (&life, LOST, "");
  bosh_test_await (life.n_closed == 1 || life.n_bound == 2);
  g_assert_cmpuint (life.n_closed, ==, 0);
}

static void
test_waiting_is_kept (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(GPtrArray) unsent = NULL;

  g_test_summary ("What waits for a session that ends with its login is not lost");

  begin (&life);
  life.loses_at_once = TRUE;
  life.resend = TRUE;
  bosh_client_set_max_reconnect_attempts (life.client, 2);
  lose (&life, LOST, "");
  bosh_test_await (life.n_lost == 1);
  bosh_test_send_message (life.client, "bob@example.org", "a");
  bosh_test_await (life.n_closed == 1);
  unsent = bosh_client_dup_unsent (life.client);
  g_assert_cmpuint (unsent->len, ==, 1);
}

static void
send_iq_on_connection (BoshClient *client,
                       GParamSpec *pspec,
                       gpointer    user_data)
{
  g_autoptr(BoshElement) query = bosh_element_new ("query", "jabber:iq:roster");
  g_autoptr(BoshElement) iq = bosh_element_new_iq (NULL, "get", query);

  bosh_client_send_iq_async (client, iq, 5, NULL, NULL, NULL);
}

static void
test_iq_before_the_session (void)
{
  g_auto(Life) life = { NULL };

  g_test_summary ("A request may be asked for when the new connection is told of");

  begin (&life);
  g_signal_connect (life.client, "notify::connection", G_CALLBACK (send_iq_on_connection), NULL);
  lose (&life, LOST, "");
  bosh_test_await (life.n_closed == 1 || life.n_bound == 2);
  g_assert_cmpuint (life.n_bound, ==, 2);
  disconnect (&life);
}

/* --- Handlers that run a main loop of their own --- */

static void
run_loop_on_state (BoshClient *client,
                   GParamSpec *pspec,
                   gpointer    user_data)
{
  Life *life = user_data;

  if (is_in (life, BOSH_CLIENT_STATE_RECONNECTING) && life->n_lost == 0)
    bosh_test_await (is_in (life, BOSH_CLIENT_STATE_READY));
  else if (is_in (life, BOSH_CLIENT_STATE_CLOSED))
    bosh_test_await (life->n_closed == 1);
}

static void
run_loop_on_connection (BoshClient *client,
                        GParamSpec *pspec,
                        gpointer    user_data)
{
  bosh_test_await (is_in (user_data, BOSH_CLIENT_STATE_READY));
}

static gboolean
run_loops_on_loss (BoshClient     *client,
                   BoshConnection *connection,
                   GError         *error,
                   gpointer        user_data)
{
  Life *life = user_data;

  bosh_test_run_dry ();
  bosh_client_disconnect_async (client, NULL, NULL, NULL);
  bosh_test_await (life->n_closed == 1);

  return FALSE;
}

static void
test_loop_in_handler (void)
{
  g_test_summary ("What is due goes on in the main loop that a handler runs");

  for (guint i = 0; i < 3; i++)
    {
      g_auto(Life) life = { NULL };

      begin (&life);
      if (i == 0)
        g_signal_connect (life.client, "notify::state", G_CALLBACK (run_loop_on_state), &life);
      else if (i == 1)
        g_signal_connect (life.client, "notify::connection", G_CALLBACK (run_loop_on_connection),
                          &life);
      else
        g_signal_connect (life.client, "session-lost", G_CALLBACK (run_loops_on_loss), &life);
      lose (&life, LOST, "");
      bosh_test_await (life.n_lost == 1);
      if (i < 2)
        {
          bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY));
          assert_events (&life, "reconnecting lost connection ready");
          disconnect (&life);
          assert_events (&life, "disconnecting closed end");
        }
      else
        {
          bosh_test_await (life.n_closed == 1);
          assert_events (&life, "reconnecting lost closed end");
        }
    }
}

typedef struct
{
  BoshElement  *iq;
  GAsyncResult *result;
} Request;

static void
send_iq_on_loss (BoshClient *client,
                 GParamSpec *pspec,
                 gpointer    user_data)
{
  Request *request = user_data;

  if (bosh_client_get_state (client) == BOSH_CLIENT_STATE_RECONNECTING)
    bosh_client_send_iq_async (client, request->iq, 0, NULL, bosh_test_keep_result,
                               &request->result);
}

static void
test_requests_that_wait (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(BoshElement) iq = bosh_test_new_request (NULL, "query", BOSH_TEST_NS_ROSTER);
  g_autoptr(GError) error = NULL;
  Request request = { .iq = iq };

  g_test_summary ("A request that was made after the loss, or waits for the session after the next, "
                  "does not fail with a loss of a session in which it was not sent");

  begin (&life);
  g_signal_connect (life.client, "notify::state", G_CALLBACK (send_iq_on_loss), &request);
  lose (&life, LOST, "");
  bosh_test_await (life.n_bound == 2);
  bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY));
  bosh_test_await (strcmp (life.messages->str, "<iq/>") == 0);
  g_assert_null (request.result);
  g_signal_handlers_disconnect_by_func (life.client, send_iq_on_loss, &request);

  /* It was sent in the session that is lost now. */
  lose (&life, LOST, "");
  g_assert_null (bosh_client_send_iq_finish (life.client, bosh_test_wait_for (&request.result),
                                             &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  g_clear_object (&request.result);
  bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY));
  disconnect (&life);
}

static void
test_delivered_twice (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(BoshElement) message = bosh_element_new_message ("bob@example.org", "chat", "b");
  GAsyncResult *results[2] = { NULL };
  GAsyncResult **sent;

  g_test_summary ("A stanza that was delivered twice and never sent has two deliveries, which "
                  "both return when it is sent again");

  begin_with (&life, "sid='s1' wait='55' hold='1' requests='2' inactivity='30' polling='0'");
  life.resend = TRUE;
  life.keeps_payloads = TRUE;
  sent = deliver (&life, "a", NULL);
  bosh_test_await (strcmp (life.messages->str, "a") == 0);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    bosh_client_deliver_async (life.client, message, NULL, bosh_test_keep_result, &results[i]);
  lose (&life, LOST, "");
  bosh_test_await (life.n_lost == 1);
  life.keeps_payloads = FALSE;
  assert_delivery (&life, sent, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autoptr(GError) error = NULL;

      bosh_client_deliver_finish (life.client, bosh_test_wait_for (&results[i]), &error);
      g_assert_no_error (error);
      g_clear_object (&results[i]);
    }
  g_assert_cmpstr (life.messages->str, ==, "bb");
  disconnect (&life);
}

static void
detach_in_handler (BoshClient *client,
                   GParamSpec *pspec,
                   gpointer    user_data)
{
  if (bosh_client_get_state (client) != BOSH_CLIENT_STATE_LOGGING_IN)
    return;

  bosh_client_disconnect_async (client, NULL, bosh_test_keep_result, user_data);
  bosh_connection_detach (bosh_client_get_connection (client));
}

static void
test_detached_before_the_end (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("To disconnect fails where the session is detached before its end has begun");

  life_init (&life);
  bosh_test_connect (life.client, &error);
  g_assert_no_error (error);
  g_signal_connect (life.client, "notify::state", G_CALLBACK (detach_in_handler), &result);
  g_assert_false (bosh_test_login (life.client, "alice", "secret", NULL, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_false (bosh_client_disconnect_finish (life.client, bosh_test_wait_for (&result), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_DETACHED);
  g_assert_true (is_in (&life, BOSH_CLIENT_STATE_DETACHED));
  g_clear_object (&result);
}

static void
disconnect_on_configuration (BoshClient *client,
                             GParamSpec *pspec,
                             gpointer    user_data)
{
  bosh_client_disconnect_async (client, NULL, NULL, NULL);
  bosh_test_await (bosh_client_get_state (client) == BOSH_CLIENT_STATE_CLOSED);
}

static void
test_attached_after_the_end (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GAsyncResult) detached = NULL;
  g_autoptr(GAsyncResult) attached = NULL;
  g_autoptr(GError) error = NULL;
  BoshClient *client;

  g_test_summary ("A session is not attached to a client that a handler of its address has ended");

  begin (&life);
  bosh_client_detach_async (life.client, NULL, bosh_test_keep_result, &detached);
  session = bosh_client_detach_finish (life.client, bosh_test_wait_for (&detached), &error);
  g_assert_no_error (error);

  client = bosh_client_new ("example.org", NULL);
  g_signal_connect (client, "notify::configuration", G_CALLBACK (disconnect_on_configuration), NULL);
  bosh_client_attach_async (client, session, NULL, bosh_test_keep_result, &attached);
  g_assert_false (bosh_client_attach_finish (client, bosh_test_wait_for (&attached), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  g_assert_cmpint (bosh_connection_get_state (bosh_client_get_connection (client)), ==,
                   BOSH_CONNECTION_STATE_NEW);
  g_clear_object (&attached);
  g_clear_object (&detached);
  bosh_test_run_dry ();
  g_assert_finalize_object (client);
}

typedef enum
{
  DO_DISCONNECT,
  DO_SWITCH_OFF,
  DO_DETACH,
  DO_SEND,
  N_DEEDS
} Deed;

typedef struct
{
  Life       *life;
  const char *event;   /* at which it does something, once */
  Deed        deed;
  gboolean    runs;    /* a main loop then */
  gboolean    is_done;
  guint       n_begun;
  guint       n_returned;
} Meddler;

static void
count_return (GObject      *source_object,
              GAsyncResult *result,
              gpointer      user_data)
{
  Meddler *meddler = user_data;

  meddler->n_returned++;
}

static void
meddle (Meddler    *meddler,
        const char *event)
{
  BoshClient *client = meddler->life->client;
  g_autoptr(BoshElement) message = bosh_element_new_message ("bob@example.org", NULL, "m");
  g_autoptr(BoshElement) iq = bosh_test_new_request (NULL, "query", BOSH_TEST_NS_ROSTER);

  if (meddler->is_done || strcmp (event, meddler->event) != 0)
    return;

  meddler->is_done = TRUE;
  if (meddler->runs)
    bosh_test_run_dry ();
  switch (meddler->deed)
    {
    case DO_DISCONNECT:
      bosh_client_disconnect_async (client, NULL, count_return, meddler);
      bosh_client_disconnect_async (client, NULL, count_return, meddler);
      meddler->n_begun += 2;
      break;
    case DO_SWITCH_OFF:
      bosh_client_set_auto_reconnect (client, FALSE);
      break;
    case DO_DETACH:
      bosh_client_detach_async (client, NULL, count_return, meddler);
      meddler->n_begun++;
      break;
    case DO_SEND:
      bosh_client_deliver_async (client, message, NULL, count_return, meddler);
      bosh_client_send_iq_async (client, iq, 0, NULL, count_return, meddler);
      meddler->n_begun += 2;
      break;
    case N_DEEDS:
    default:
      g_assert_not_reached ();
    }
  if (meddler->runs)
    bosh_test_run_dry ();
}

static void
meddle_with_state (BoshClient *client,
                   GParamSpec *pspec,
                   gpointer    user_data)
{
  meddle (user_data, get_state_name (bosh_client_get_state (client)));
}

static void
meddle_with_connection (BoshClient *client,
                        GParamSpec *pspec,
                        gpointer    user_data)
{
  meddle (user_data, "connection");
}

static gboolean
meddle_with_loss (BoshClient     *client,
                  BoshConnection *connection,
                  GError         *error,
                  gpointer        user_data)
{
  meddle (user_data, "lost");

  return TRUE;
}

static void
on_meddled_login (GObject      *source_object,
                  GAsyncResult *result,
                  gpointer      user_data)
{
  count_return (source_object, result, user_data);
  meddle (user_data, "login");
}

static void
on_meddled_connect (GObject      *source_object,
                    GAsyncResult *result,
                    gpointer      user_data)
{
  Meddler *meddler = user_data;

  count_return (source_object, result, user_data);
  meddle (user_data, "connect");
  bosh_client_login_async (BOSH_CLIENT (source_object), "alice", "secret", NULL, NULL,
                           on_meddled_login, meddler);
  meddler->n_begun++;
}

/* One life: it is lost once, if it comes to that, and then disconnected. */
static void
live (Meddler *meddler)
{
  g_auto(Life) life = { NULL };

  life_init (&life);
  meddler->life = &life;
  bosh_client_set_auto_reconnect (life.client, TRUE);
  g_signal_connect (life.client, "notify::state", G_CALLBACK (meddle_with_state), meddler);
  g_signal_connect (life.client, "notify::connection", G_CALLBACK (meddle_with_connection), meddler);
  g_signal_connect (life.client, "session-lost", G_CALLBACK (meddle_with_loss), meddler);
  meddler->n_begun++;
  bosh_client_connect_async (life.client, NULL, on_meddled_connect, meddler);
  bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY) || is_in (&life, BOSH_CLIENT_STATE_CLOSED) ||
                   is_in (&life, BOSH_CLIENT_STATE_DETACHED));
  bosh_test_run_dry ();
  if (is_in (&life, BOSH_CLIENT_STATE_READY))
    {
      lose (&life, LOST, "");
      bosh_test_await (life.n_bound == 2 || is_in (&life, BOSH_CLIENT_STATE_CLOSED));
      bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_READY) ||
                       is_in (&life, BOSH_CLIENT_STATE_CLOSED) ||
                       is_in (&life, BOSH_CLIENT_STATE_DETACHED));
    }
  bosh_client_disconnect_async (life.client, NULL, count_return, meddler);
  meddler->n_begun++;
  bosh_test_await (is_in (&life, BOSH_CLIENT_STATE_CLOSED) ||
                   is_in (&life, BOSH_CLIENT_STATE_DETACHED));
  bosh_test_await (meddler->n_returned == meddler->n_begun);
  bosh_test_run_dry ();
  g_assert_cmpuint (life.n_closed, ==, is_in (&life, BOSH_CLIENT_STATE_CLOSED) ? 1 : 0);
  g_assert_cmpuint (meddler->n_returned, ==, meddler->n_begun);
  g_assert_null (get_password (life.client));
  g_signal_handlers_disconnect_by_data (life.client, meddler);
}

static void
test_meddling (void)
{
  static const char * const events[] = {
    "connecting",
    "connect",
    "connected",
    "logging-in",
    "login",
    "ready",
    "reconnecting",
    "lost",
    "connection",
    "disconnecting",
    "closed",
  };

  g_test_summary ("Whatever a handler does, with a main loop of its own or without: every operation "
                  "returns once, `closed` comes once, and nothing is left behind");

  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    for (guint k = 0; k < 2 * N_DEEDS; k++)
      {
        Meddler meddler = { .event = events[i], .deed = k / 2, .runs = k % 2 };

        g_test_message ("%s: %u%s", events[i], meddler.deed, meddler.runs ? ", with a main loop" : "");
        live (&meddler);
        g_assert_true (meddler.is_done);
      }
}

typedef struct
{
  Life       *life;
  const char *event;  /* at which the last reference is dropped */
  gboolean    runs;   /* a main loop then */
} Dropper;

static void
drop (Dropper    *dropper,
      const char *event)
{
  if (dropper->life->client == NULL || strcmp (event, dropper->event) != 0)
    return;

  g_signal_handlers_disconnect_by_data (dropper->life->client, dropper->life);
  g_clear_object (&dropper->life->client);
  if (dropper->runs)
    bosh_test_run_dry ();
}

static void
drop_in_state (BoshClient *client,
               GParamSpec *pspec,
               gpointer    user_data)
{
  drop (user_data, get_state_name (bosh_client_get_state (client)));
}

static void
drop_at_connection (BoshClient *client,
                    GParamSpec *pspec,
                    gpointer    user_data)
{
  drop (user_data, "connection");
}

static gboolean
drop_at_loss (BoshClient     *client,
              BoshConnection *connection,
              GError         *error,
              gpointer        user_data)
{
  drop (user_data, "lost");

  return TRUE;
}

static void
test_dropped_anywhere (void)
{
  static const char * const events[] = { "reconnecting", "lost", "connection", "ready" };

  g_test_summary ("The last reference is dropped in any handler after a loss, with a main loop of "
                  "its own or without");

  for (guint i = 0; i < 2 * G_N_ELEMENTS (events); i++)
    {
      g_auto(Life) life = { NULL };
      Dropper dropper = { &life, events[i / 2], i % 2 };
      gpointer client;

      begin (&life);
      bosh_test_send_message (life.client, "bob@example.org", "a");
      client = life.client;
      g_object_add_weak_pointer (client, &client);
      g_signal_connect (client, "notify::state", G_CALLBACK (drop_in_state), &dropper);
      g_signal_connect (client, "notify::connection", G_CALLBACK (drop_at_connection), &dropper);
      g_signal_connect (client, "session-lost", G_CALLBACK (drop_at_loss), &dropper);
      lose (&life, LOST, "");
      bosh_test_await (client == NULL);
      bosh_test_run_dry ();
      g_assert_null (life.client);
    }
}

/* --- Prebinding --- */

typedef struct
{
  BoshClientState  state;
  GCancellable    *cancellable;
} Cancellation;

static void
cancel_on_state (BoshClient *client,
                 GParamSpec *pspec,
                 gpointer    user_data)
{
  Cancellation *cancellation = user_data;

  if (bosh_client_get_state (client) == cancellation->state)
    g_cancellable_cancel (cancellation->cancellable);
}

static void
test_cancelled_prebind (void)
{
  static const struct
  {
    BoshClientState  state;
    const char      *events;
  } cases[] = {
    { BOSH_CLIENT_STATE_CONNECTING, "connecting closed end" },
    { BOSH_CLIENT_STATE_CONNECTED, "connecting connected disconnecting closed end" },
    { BOSH_CLIENT_STATE_LOGGING_IN, "connecting connected logging-in disconnecting closed end" },
    { BOSH_CLIENT_STATE_READY, "connecting connected logging-in ready disconnecting closed end" },
  };

  g_test_summary ("A prebinding that is cancelled at any step ends the session and forgets the "
                  "password");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(Life) life = { NULL };
      g_autoptr(GCancellable) cancellable = g_cancellable_new ();
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;
      Cancellation cancellation = { cases[i].state, cancellable };

      life_init (&life);
      bosh_client_set_auto_reconnect (life.client, TRUE);
      g_signal_connect (life.client, "notify::state", G_CALLBACK (cancel_on_state), &cancellation);
      bosh_client_prebind_async (life.client, "alice", "secret", NULL, cancellable,
                                 bosh_test_keep_result, &result);
      g_assert_null (bosh_client_prebind_finish (life.client, bosh_test_wait_for (&result), &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      bosh_test_await (life.n_closed == 1);
      bosh_test_run_dry ();
      assert_events (&life, cases[i].events);
      g_assert_null (get_password (life.client));
      g_assert_null (g_task_get_task_data (G_TASK (result)));
      g_clear_object (&result);
    }
}

static void
test_failed_prebind (void)
{
  g_test_summary ("A prebinding fails with the error of the step that has failed, and ends the "
                  "session");

  for (guint i = 0; i < 4; i++)
    {
      g_auto(Life) life = { NULL };
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;

      life_init (&life);
      if (i == 0)
        life.n_unavailable = 1;
      else if (i == 1)
        life.response_to_auth = NOT_AUTHORIZED;
      else if (i == 2)
        life.bind_error = "conflict";
      bosh_client_prebind_async (life.client, i < 3 ? "alice" : NULL, i < 3 ? "secret" : NULL, NULL,
                                 NULL, bosh_test_keep_result, &result);
      g_assert_null (bosh_client_prebind_finish (life.client, bosh_test_wait_for (&result), &error));
      if (i == 0)
        g_assert_error (error, BOSH_ERROR, BOSH_ERROR_HTTP);
      else if (i == 1)
        g_assert_error (error, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
      else if (i == 2)
        g_assert_error (error, BOSH_STANZA_ERROR, BOSH_STANZA_ERROR_CONFLICT);
      else
        g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NO_MECHANISM);
      g_assert_null (get_password (life.client));
      g_assert_null (g_task_get_task_data (G_TASK (result)));
      bosh_test_await (life.n_closed == 1);
      g_clear_object (&result);
    }
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/client-reconnect/conflict-in-any-form", test_conflict_in_any_form);
  g_test_add_func ("/bosh/client-reconnect/shutdown-in-attempt", test_shutdown_in_attempt);
  g_test_add_func ("/bosh/client-reconnect/waiting-is-kept", test_waiting_is_kept);
  g_test_add_func ("/bosh/client-reconnect/iq-before-the-session", test_iq_before_the_session);
  g_test_add_func ("/bosh/client-reconnect/comes-back", test_comes_back);
  g_test_add_func ("/bosh/client-reconnect/opt-in", test_opt_in);
  g_test_add_func ("/bosh/client-reconnect/offers", test_offers);
  g_test_add_func ("/bosh/client-reconnect/deliveries", test_deliveries);
  g_test_add_func ("/bosh/client-reconnect/deliveries-end", test_deliveries_end);
  g_test_add_func ("/bosh/client-reconnect/deliveries-in-handler", test_deliveries_in_handler);
  g_test_add_func ("/bosh/client-reconnect/prepared", test_prepared);
  g_test_add_func ("/bosh/client-reconnect/lost-while-held", test_lost_while_held);
  g_test_add_func ("/bosh/client-reconnect/ids", test_ids);
  g_test_add_func ("/bosh/client-reconnect/refuses-bad-stanzas", test_refuses_bad_stanzas);
  g_test_add_func ("/bosh/client-reconnect/requests", test_requests);
  g_test_add_func ("/bosh/client-reconnect/tries-again", test_tries_again);
  g_test_add_func ("/bosh/client-reconnect/bounded", test_bounded);
  g_test_add_func ("/bosh/client-reconnect/short-sessions", test_short_sessions);
  g_test_add_func ("/bosh/client-reconnect/long-sessions", test_long_sessions);
  g_test_add_func ("/bosh/client-reconnect/not-mended", test_not_mended);
  g_test_add_func ("/bosh/client-reconnect/refusals-that-pass", test_refusals_that_pass);
  g_test_add_func ("/bosh/client-reconnect/never-weaker", test_never_weaker);
  g_test_add_func ("/bosh/client-reconnect/banner", test_banner);
  g_test_add_func ("/bosh/client-reconnect/retries-connect", test_retries_connect);
  g_test_add_func ("/bosh/client-reconnect/retries-connect-in-vain", test_retries_connect_in_vain);
  g_test_add_func ("/bosh/client-reconnect/attached-with-credentials",
                   test_attached_with_credentials);
  g_test_add_func ("/bosh/client-reconnect/stream-errors-that-pass",
                   test_stream_errors_that_pass);
  g_test_add_func ("/bosh/client-reconnect/credentials-refused", test_credentials_refused);
  g_test_add_func ("/bosh/client-reconnect/resource-conflict", test_resource_conflict);
  g_test_add_func ("/bosh/client-reconnect/server-is-busy", test_server_is_busy);
  g_test_add_func ("/bosh/client-reconnect/disconnect-while-waiting",
                   test_disconnect_while_waiting);
  g_test_add_func ("/bosh/client-reconnect/disconnect-in-handler", test_disconnect_in_handler);
  g_test_add_func ("/bosh/client-reconnect/disconnect-while-attempting",
                   test_disconnect_while_attempting);
  g_test_add_func ("/bosh/client-reconnect/switched-off", test_switched_off);
  g_test_add_func ("/bosh/client-reconnect/dropped-while-waiting", test_dropped_while_waiting);
  g_test_add_func ("/bosh/client-reconnect/dropped-while-attempting",
                   test_dropped_while_attempting);
  g_test_add_func ("/bosh/client-reconnect/dropped-in-handler", test_dropped_in_handler);
  g_test_add_func ("/bosh/client-reconnect/ended-by-application", test_ended_by_application);
  g_test_add_func ("/bosh/client-reconnect/handed-over", test_handed_over);
  g_test_add_func ("/bosh/client-reconnect/network", test_network);
  g_test_add_func ("/bosh/client-reconnect/anonymous", test_anonymous);
  g_test_add_func ("/bosh/client-reconnect/failed-login", test_failed_login);
  g_test_add_func ("/bosh/client-reconnect/loop-in-handler", test_loop_in_handler);
  g_test_add_func ("/bosh/client-reconnect/requests-that-wait", test_requests_that_wait);
  g_test_add_func ("/bosh/client-reconnect/delivered-twice", test_delivered_twice);
  g_test_add_func ("/bosh/client-reconnect/detached-before-the-end", test_detached_before_the_end);
  g_test_add_func ("/bosh/client-reconnect/attached-after-the-end", test_attached_after_the_end);
  g_test_add_func ("/bosh/client-reconnect/meddling", test_meddling);
  g_test_add_func ("/bosh/client-reconnect/dropped-anywhere", test_dropped_anywhere);
  g_test_add_func ("/bosh/client-reconnect/cancelled-prebind", test_cancelled_prebind);
  g_test_add_func ("/bosh/client-reconnect/failed-prebind", test_failed_prebind);

  return g_test_run ();
}
