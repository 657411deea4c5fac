/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a connection sends, and what it reports. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-wire.h"

#include <string.h>

#define NS_CLIENT "jabber:client"
#define NS_STREAMS "http://etherx.jabber.org/streams"
#define NS_XBOSH "urn:xmpp:xbosh"
#define NS_XML "http://www.w3.org/XML/1998/namespace"

/* --- Opening --- */

static void
on_notify (GObject    *object,
           GParamSpec *pspec,
           gpointer    user_data)
{
  GString *names = user_data;

  g_string_append_printf (names, "%s ", pspec->name);
}

static void
test_open (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GString) names = g_string_new (NULL);
  static const char opened[] = "state request-id n-requests-sent state features session-id wait "
                               "hold requests inactivity polling max-pause charsets ";
  BoshTestExchange *creation;
  BoshTestExchange *poll;

  g_test_summary ("XEP-0124 §7: state, notifications and the completion of connect_async() in order; "
                  "features come before it");

  bosh_test_wire_init (&wire, manager, NULL);
  g_signal_connect (wire.connection, "notify", G_CALLBACK (on_notify), names);
  bosh_test_wire_assert_events (&wire, "");
  bosh_connection_connect_async (wire.connection, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_assert_events (&wire, "connecting");
  g_assert_true (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_CONNECTING));

  creation = bosh_test_manager_take (manager);
  g_assert_null (bosh_connection_get_session_id (wire.connection));
  bosh_test_exchange_respond (creation, BOSH_TEST_GRANTS, BOSH_TEST_FEATURES);
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_connect_finish);
  bosh_test_wire_assert_events (&wire, "connected <features");
  g_assert_true (g_str_has_prefix (names->str, opened));
  g_string_erase (names, 0, strlen (opened));

  /* The poll follows 5 ms later, which on a busy machine may be the same turn. */
  poll = bosh_test_manager_take (manager);
  g_assert_true (g_str_equal (names->str, "n-stanzas-received request-id n-requests-sent ") ||
                 g_str_equal (names->str, "request-id n-stanzas-received n-requests-sent "));
  g_assert_cmpuint (bosh_test_exchange_get_rid (poll), ==,
                    bosh_test_exchange_get_rid (creation) + 1);
  g_assert_cmpuint (bosh_test_exchange_get_connection (poll), ==,
                    bosh_test_exchange_get_connection (creation));
}

static void
test_properties (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  static const char * const numbers[] = { "wait", "hold", "requests", "inactivity", "polling",
                                         "max-pause", "http-status", "n-stanzas-queued" };
  static const char * const counters[] = { "request-id", "n-requests-sent", "n-requests-repeated",
                                          "n-stanzas-sent", "n-stanzas-received" };
  static const char * const texts[] = { "session-id", "charsets", "see-other-uri" };
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(BoshElement) features = NULL;
  g_autofree char *domain = NULL;
  g_autofree char *sid = NULL;
  g_autofree char *charsets = NULL;
  BoshConnectionState state;
  guint number;
  guint64 counter;

  g_test_summary ("XEP-0124 §7.2: what the server granted; zero before it did");

  bosh_test_wire_init (&wire, manager, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_object_get (wire.connection, numbers[i], &number, NULL);
      g_assert_cmpuint (number, ==, 0);
    }
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *text = NULL;

      g_object_get (wire.connection, texts[i], &text, NULL);
      g_assert_null (text);
    }
  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    {
      g_object_get (wire.connection, counters[i], &counter, NULL);
      g_assert_cmpuint (counter, ==, 0);
    }

  bosh_test_wire_open (&wire, "sid='s\xc3\xa9&amp;' wait='40' hold='1' requests='2' "
                              "inactivity='20' polling='3' maxpause='99' "
                              "charsets='ISO_8859-1 UTF-16' xmlns:x='y' x:z='1'");
  g_object_get (wire.connection,
                "domain", &domain, "configuration", &configuration, "state", &state,
                "session-id", &sid, "features", &features, "charsets", &charsets,
                NULL);
  g_assert_cmpstr (domain, ==, "example.org");
  g_assert_cmpstr (bosh_connection_get_domain (wire.connection), ==, "example.org");
  g_assert_true (configuration == bosh_connection_get_configuration (wire.connection));
  g_assert_cmpint (state, ==, BOSH_CONNECTION_STATE_CONNECTED);
  g_assert_cmpstr (sid, ==, "s\xc3\xa9&");
  g_assert_null (features);
  g_assert_cmpstr (charsets, ==, "ISO_8859-1 UTF-16");
  g_assert_cmpuint (bosh_connection_get_wait (wire.connection), ==, 40);
  g_assert_cmpuint (bosh_connection_get_hold (wire.connection), ==, 1);
  g_assert_cmpuint (bosh_connection_get_requests (wire.connection), ==, 2);
  g_assert_cmpuint (bosh_connection_get_inactivity (wire.connection), ==, 20);
  g_assert_cmpuint (bosh_connection_get_polling (wire.connection), ==, 3);
  g_assert_cmpuint (bosh_connection_get_max_pause (wire.connection), ==, 99);
  g_assert_cmpuint (bosh_connection_get_n_requests_sent (wire.connection), ==, 2);
  g_assert_cmpuint (bosh_connection_get_n_requests_repeated (wire.connection), ==, 0);
  g_object_get (wire.connection, "request-id", &counter, NULL);
  g_assert_cmpuint (counter, ==, bosh_connection_get_request_id (wire.connection));
}

static void
test_late_features (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  BoshTestExchange *poll;

  g_test_summary ("R109, R110 (XEP-0206 §4): features may come in a later response");

  bosh_test_wire_init (&wire, manager, NULL);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  g_assert_null (bosh_connection_get_features (wire.connection));
  bosh_test_exchange_respond (poll, "", BOSH_TEST_FEATURES);
  bosh_test_await (bosh_connection_get_features (wire.connection) != NULL);
  bosh_test_wire_assert_events (&wire, "<features");
  g_assert_true (bosh_element_matches (bosh_connection_get_features (wire.connection),
                                       "features", NS_STREAMS));
}

/* --- Sending --- */

static void
test_batch (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  BoshTestExchange *poll;

  g_test_summary ("What is sent during one iteration shares a request; the rest is queued");

  bosh_test_wire_init (&wire, manager, NULL);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_test_wire_send (&wire, "1");
  bosh_test_wire_send (&wire, "2");
  bosh_test_wire_send (&wire, "3");
  g_assert_cmpuint (bosh_connection_get_n_stanzas_queued (wire.connection), ==, 3);
  bosh_test_assert_messages (bosh_test_manager_take (manager), "1", "2", "3", NULL);
  g_assert_cmpuint (bosh_connection_get_n_stanzas_queued (wire.connection), ==, 0);

  /* The window is full now. */
  bosh_test_wire_send (&wire, "4");
  bosh_test_run_dry ();
  bosh_test_wire_send (&wire, "5");
  bosh_test_run_dry ();
  g_assert_false (bosh_test_manager_has_request (manager));
  g_assert_cmpuint (bosh_connection_get_n_stanzas_queued (wire.connection), ==, 2);
  bosh_test_exchange_respond (poll, "", "");
  bosh_test_assert_messages (bosh_test_manager_take (manager), "4", "5", NULL);
  g_assert_cmpuint (bosh_connection_get_n_stanzas_sent (wire.connection), ==, 5);
}

static void
on_queue (BoshConnection *connection,
          GParamSpec     *pspec,
          gpointer        user_data)
{
  GString *lengths = user_data;

  g_string_append_printf (lengths, "%u ", bosh_connection_get_n_stanzas_queued (connection));
}

static void
test_queue (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GString) lengths = g_string_new (NULL);
  BoshTestExchange *poll;

  g_test_summary ("n-stanzas-queued is notified, also if the queue was filled and sent in "
                  "between");

  bosh_test_wire_init (&wire, manager, NULL);
  g_signal_connect (wire.connection, "notify::n-stanzas-queued", G_CALLBACK (on_queue), lengths);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  g_assert_cmpstr (lengths->str, ==, "");
  bosh_test_wire_send (&wire, "1");
  bosh_test_manager_take (manager);
  g_assert_true (g_str_has_suffix (lengths->str, "0 "));
  g_string_truncate (lengths, 0);

  /* The window is full now. */
  bosh_test_wire_send (&wire, "2");
  bosh_test_wire_send (&wire, "3");
  bosh_test_run_dry ();
  g_assert_cmpstr (lengths->str, ==, "2 ");
  bosh_test_exchange_respond (poll, "", "");
  bosh_test_manager_take (manager);
  g_assert_cmpstr (lengths->str, ==, "2 0 ");
}

static void
test_namespaces (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(BoshElement) bare = bosh_element_new ("presence", NULL);
  g_autoptr(BoshElement) strange = bosh_element_new ("thing", "urn:example:thing");
  g_autoptr(GError) error = NULL;
  BoshElement *body;

  g_test_summary ("XEP-0206 §2: a stanza without a namespace is sent in jabber:client");

  bosh_test_wire_init (&wire, manager, NULL);
  bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_connection_send (wire.connection, bare, &error);
  g_assert_no_error (error);
  bosh_connection_send (wire.connection, strange, &error);
  g_assert_no_error (error);
  g_assert_true (bosh_element_is_sealed (bare));
  body = bosh_test_exchange_get_body (bosh_test_manager_take (manager));
  g_assert_true (bosh_element_matches (bosh_element_get_nth_child (body, 0), "presence", NS_CLIENT));
  g_assert_true (bosh_element_matches (bosh_element_get_nth_child (body, 1), "thing",
                                       "urn:example:thing"));
}

/* Sends @stanza, and returns what came of it (transfer none). Its request is held in the
 * place of @held. */
static BoshElement *
send_and_take (BoshTestWire      *wire,
               BoshTestExchange **held,
               BoshElement       *stanza)
{
  g_autoptr(GError) error = NULL;
  BoshTestExchange *request;

  bosh_connection_send (wire->connection, stanza, &error);
  g_assert_no_error (error);
  request = bosh_test_manager_take (wire->manager);
  bosh_test_exchange_respond (*held, "", "");
  *held = request;

  return bosh_element_get_nth_child (bosh_test_exchange_get_body (request), 0);
}

static void
test_ids (void)
{
  static const struct
  {
    const char *xml;
    gboolean    has_id;
  } cases[] = {
    { "<message xmlns='jabber:client'/>", TRUE },
    { "<message/>", TRUE },
    { "<message xmlns='jabber:client' type='groupchat'/>", TRUE },
    { "<iq xmlns='jabber:client' type='get'><q xmlns='u'/></iq>", TRUE },
    { "<iq xmlns='jabber:client' type='set'><q xmlns='u'/></iq>", TRUE },
    /* It would be that of another stanza. */
    { "<message xmlns='jabber:client' type='error'/>", FALSE },
    { "<iq xmlns='jabber:client' type='result'/>", FALSE },
    { "<iq xmlns='jabber:client' type='error'/>", FALSE },
    { "<iq xmlns='jabber:client'/>", FALSE },
    { "<presence xmlns='jabber:client'/>", FALSE },
    { "<message xmlns='urn:example'/>", FALSE },
    { "<other xmlns='jabber:client'/>", FALSE },
  };
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  BoshTestExchange *held;

  g_test_summary ("RFC 6120 §8.1.3: an error can be told from others by the id of its stanza");

  bosh_test_wire_init (&wire, manager, NULL);
  held = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshElement) stanza = bosh_element_new_from_string (cases[i].xml, NULL);
      BoshElement *sent = send_and_take (&wire, &held, stanza);
      const char *id = bosh_element_get_attribute (sent, "id");

      g_assert_cmpstr (bosh_element_get_attribute (stanza, "id"), ==, id);
      g_assert_cmpint (id != NULL, ==, cases[i].has_id);
      if (id == NULL)
        continue;
      g_assert_cmpuint (strlen (id), ==, 20);
      g_assert_true (g_hash_table_add (ids, g_strdup (id)));
    }
}

static void
test_id_of_the_application (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(BoshElement) own = bosh_element_new_message ("bob@localhost", "chat", "own");
  g_autoptr(BoshElement) received = NULL;
  BoshElement *sent;
  BoshTestExchange *held;

  g_test_summary ("The id of the application stays, and a sealed element too");

  bosh_test_wire_init (&wire, manager, NULL);
  held = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_element_set_attribute (own, "id", "");
  sent = send_and_take (&wire, &held, own);
  g_assert_cmpstr (bosh_element_get_attribute (sent, "id"), ==, "");

  bosh_test_exchange_respond (held, "", BOSH_TEST_MESSAGE ("forward"));
  held = bosh_test_manager_take (manager);
  bosh_test_await (!g_queue_is_empty (&wire.stanzas));
  received = g_queue_pop_head (&wire.stanzas);
  g_assert_true (bosh_element_is_sealed (received));
  sent = send_and_take (&wire, &held, received);
  g_assert_cmpstr (bosh_element_get_attribute (received, "id"), ==, NULL);
  g_assert_cmpuint (strlen (bosh_element_get_attribute (sent, "id")), ==, 20);
}

static void
test_ids_of_the_last (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(BoshElement) first = bosh_element_new_message ("bob@localhost", "chat", "first");
  g_autoptr(BoshElement) last = bosh_element_new_message ("bob@localhost", "chat", "last");
  g_autoptr(GAsyncResult) delivered = NULL;
  g_autoptr(GAsyncResult) ended = NULL;
  BoshElement *body;

  g_test_summary ("What is delivered and what goes with the end has an id too");

  bosh_test_wire_init (&wire, manager, NULL);
  bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_connection_deliver_async (wire.connection, first, NULL, bosh_test_keep_result, &delivered);
  bosh_connection_disconnect_async (wire.connection, last, NULL, bosh_test_keep_result, &ended);
  body = bosh_test_exchange_get_body (bosh_test_manager_take (manager));
  g_assert_cmpuint (bosh_element_get_n_children (body), ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      BoshElement *sent = bosh_element_get_nth_child (body, i);

      g_assert_nonnull (bosh_element_get_attribute (sent, "id"));
      g_assert_cmpstr (bosh_element_get_attribute (i == 0 ? first : last, "id"), ==,
                       bosh_element_get_attribute (sent, "id"));
    }
  g_clear_object (&wire.connection);
}

static void
test_invalid_stanza (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(BoshElement) message = bosh_element_new_message (NULL, NULL, "\x01");
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("XML 1.0 §2.2: what can't be written as XML is refused, and nothing is queued");

  bosh_test_wire_init (&wire, manager, NULL);
  bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  g_assert_false (bosh_connection_send (wire.connection, message, &error));
  bosh_test_assert_failure (&error, BOSH_ERROR, BOSH_ERROR_INVALID_STANZA);
  bosh_connection_deliver_async (wire.connection, message, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_fails (&wire, &result, bosh_connection_deliver_finish,
                        BOSH_ERROR, BOSH_ERROR_INVALID_STANZA);
  g_assert_false (bosh_element_is_sealed (message));
  g_assert_cmpuint (bosh_connection_get_n_stanzas_queued (wire.connection), ==, 0);
  g_assert_cmpuint (bosh_connection_get_n_stanzas_sent (wire.connection), ==, 0);
}

static void
on_stanza_reply (BoshConnection *connection,
                 BoshElement    *element,
                 gpointer        user_data)
{
  bosh_test_wire_send (user_data, "reply");
}

static void
test_reply (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  BoshTestExchange *poll;

  g_test_summary ("What a handler sends is in the next request; no empty one is sent before");

  bosh_test_wire_init (&wire, manager, NULL);
  g_signal_connect (wire.connection, "stanza::message", G_CALLBACK (on_stanza_reply), &wire);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_test_exchange_respond (poll, "", BOSH_TEST_MESSAGE ("a") "<presence xmlns='jabber:client'/>"
                                       BOSH_TEST_MESSAGE ("b"));
  bosh_test_assert_messages (bosh_test_manager_take (manager), "reply", "reply", NULL);
  bosh_test_wire_assert_events (&wire, "<message <presence <message");
}

static void
test_deliver (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) first = NULL;
  g_autoptr(GAsyncResult) second = NULL;
  g_autoptr(GAsyncResult) cancelled = NULL;
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  g_autoptr(BoshElement) message = bosh_element_new_message (NULL, NULL, "x");
  BoshTestExchange *poll;
  BoshTestExchange *payload;

  g_test_summary ("XEP-0124 §9.1: deliver_async() completes when the server has the stanza, not before; "
                  "cancelled, the stanza is sent all the same");

  bosh_test_wire_init (&wire, manager, NULL);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_connection_deliver_async (wire.connection, message, NULL, bosh_test_keep_result, &first);
  bosh_connection_deliver_async (wire.connection, message, cancellable,
                                 bosh_test_keep_result, &cancelled);
  bosh_connection_deliver_async (wire.connection, message, NULL, bosh_test_keep_result, &second);
  payload = bosh_test_manager_take (manager);
  bosh_test_assert_messages (payload, "x", "x", "x", NULL);
  g_cancellable_cancel (cancellable);
  bosh_test_wire_fails (&wire, &cancelled, bosh_connection_deliver_finish,
                        G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_null (first);
  g_assert_null (second);

  bosh_test_exchange_respond (poll, "", "");
  bosh_test_exchange_respond (payload, "", "");
  bosh_test_wire_succeeds (&wire, &first, bosh_connection_deliver_finish);
  bosh_test_wire_succeeds (&wire, &second, bosh_connection_deliver_finish);
}

static void
test_acknowledged (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(BoshElement) message = bosh_element_new_message (NULL, NULL, "x");
  BoshTestExchange *poll;
  g_autofree char *ack = NULL;

  g_test_summary ("XEP-0124 §9.1: an acknowledgement shows that a request has arrived "
                  "which has no response");

  bosh_test_wire_init (&wire, manager, NULL);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS " ack='1'");
  bosh_connection_deliver_async (wire.connection, message, NULL, bosh_test_keep_result, &result);
  ack = g_strdup_printf ("ack='%" G_GUINT64_FORMAT "'",
                         bosh_test_exchange_get_rid (bosh_test_manager_take (manager)));
  bosh_test_exchange_respond (poll, ack, "");
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_deliver_finish);
}

/* --- Receiving --- */

static void
count_text (BoshConnection *connection,
            const char     *text,
            gpointer        user_data)
{
  guint *count = user_data;

  *count += 1;
}

static void
test_order (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  BoshTestExchange *poll;
  BoshTestExchange *payload;
  guint n_responses = 0;

  g_test_summary ("XEP-0124 §14.2: responses are handed out in the order of the requests");

  bosh_test_wire_init (&wire, manager, NULL);
  g_signal_connect (wire.connection, "response-received", G_CALLBACK (count_text), &n_responses);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_test_wire_send (&wire, "x");
  payload = bosh_test_manager_take (manager);
  g_assert_cmpuint (bosh_test_exchange_get_connection (payload), !=,
                    bosh_test_exchange_get_connection (poll));
  bosh_test_exchange_respond (payload, "", BOSH_TEST_MESSAGE ("3"));
  bosh_test_await (n_responses == 2);
  bosh_test_wire_assert_events (&wire, "");
  bosh_test_exchange_respond (poll, "", BOSH_TEST_MESSAGE ("1") BOSH_TEST_MESSAGE ("2"));
  bosh_test_wire_receive (&wire, "1");
  bosh_test_wire_receive (&wire, "2");
  bosh_test_wire_receive (&wire, "3");
  g_assert_cmpuint (bosh_connection_get_n_stanzas_received (wire.connection), ==, 3);
}

static void
count_element (BoshConnection *connection,
               BoshElement    *element,
               gpointer        user_data)
{
  guint *count = user_data;

  *count += 1;
}

static void
test_details (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  BoshTestExchange *poll;
  guint all = 0;
  guint messages = 0;
  guint presences = 0;

  g_test_summary ("stanza::message is for messages alone; a name that no handler asked for "
                  "is no quark");

  bosh_test_wire_init (&wire, manager, NULL);
  g_signal_connect (wire.connection, "stanza", G_CALLBACK (count_element), &all);
  g_signal_connect (wire.connection, "stanza::message", G_CALLBACK (count_element), &messages);
  g_signal_connect (wire.connection, "stanza::presence", G_CALLBACK (count_element), &presences);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_test_exchange_respond (poll, "", BOSH_TEST_MESSAGE ("1") "<never-seen-name/>"
                                       "<presence xmlns='jabber:client'/>" BOSH_TEST_MESSAGE ("2"));
  bosh_test_await (all == 4);
  g_assert_cmpuint (messages, ==, 2);
  g_assert_cmpuint (presences, ==, 1);
  g_assert_cmpuint (g_quark_try_string ("never-seen-name"), ==, 0);
}

static void
keep_text (BoshConnection *connection,
           const char     *text,
           gpointer        user_data)
{
  g_ptr_array_add (user_data, g_strdup (text));
}

static void
test_console (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GPtrArray) sent = g_ptr_array_new_with_free_func (g_free);
  g_autoptr(GPtrArray) received = g_ptr_array_new_with_free_func (g_free);
  g_autoptr(BoshElement) auth = bosh_element_new ("auth", "urn:ietf:params:xml:ns:xmpp-sasl");
  g_autoptr(GError) error = NULL;
  BoshTestExchange *exchange;
  GBytes *bytes;

  g_test_summary ("request-sent and response-received have whole bodies, without the content of "
                  "SASL elements");

  bosh_test_wire_init (&wire, manager, NULL);
  g_signal_connect (wire.connection, "request-sent", G_CALLBACK (keep_text), sent);
  g_signal_connect (wire.connection, "response-received", G_CALLBACK (keep_text), received);
  exchange = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  g_assert_cmpuint (sent->len, ==, 2);
  bytes = bosh_test_exchange_get_bytes (exchange);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                   sent->pdata[1], strlen (sent->pdata[1]));
  g_assert_cmpuint (received->len, ==, 1);
  g_assert_nonnull (strstr (received->pdata[0], "sid='s1'"));

  bosh_element_set_attribute (auth, "mechanism", "PLAIN");
  bosh_element_set_text (auth, "c2VjcmV0");
  bosh_connection_send (wire.connection, auth, &error);
  g_assert_no_error (error);
  bosh_test_exchange_respond (exchange, "", "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                                            "c2VjcmV0</challenge>" BOSH_TEST_MESSAGE ("seen"));
  bosh_test_await (received->len == 2 && sent->len == 3);
  for (guint i = 0; i < 2; i++)
    {
      const char *text = ((GPtrArray *[]){ sent, received })[i]->pdata[2 - i];

      g_assert_null (strstr (text, "c2VjcmV0"));
      g_assert_nonnull (strstr (text, i == 0 ? "PLAIN" : "seen"));
    }
}

/* --- The stream, pauses --- */

static void
test_restart (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  BoshTestExchange *exchange;
  BoshElement *body;

  g_test_summary ("XEP-0206 §5: an empty request with xmpp:restart, to and xml:lang; "
                  "the old features are gone with its response");

  bosh_test_wire_init (&wire, manager,
                       bosh_test_manager_configure (manager, "language", "eo", NULL));
  exchange = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_test_exchange_respond (exchange, "", BOSH_TEST_FEATURES);
  bosh_test_await (bosh_connection_get_features (wire.connection) != NULL);
  exchange = bosh_test_manager_take (manager);

  bosh_connection_restart_async (wire.connection, NULL, bosh_test_keep_result, &result);
  bosh_test_exchange_respond (exchange, "", "");
  exchange = bosh_test_manager_take (manager);
  body = bosh_test_exchange_get_body (exchange);
  g_assert_cmpuint (bosh_element_get_n_children (body), ==, 0);
  g_assert_cmpstr (bosh_element_get_attribute_ns (body, "restart", NS_XBOSH), ==, "true");
  g_assert_cmpstr (bosh_element_get_attribute_ns (body, "lang", NS_XML), ==, "eo");
  g_assert_cmpstr (bosh_element_get_attribute (body, "to"), ==, "example.org");
  g_assert_cmpstr (bosh_element_get_attribute (body, "sid"), ==, "s1");
  g_assert_nonnull (strstr (g_bytes_get_data (bosh_test_exchange_get_bytes (exchange), NULL),
                            "xmpp:restart='true'"));

  g_assert_null (result);
  bosh_test_exchange_respond (exchange, "", "");
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_restart_finish);
  g_assert_null (bosh_connection_get_features (wire.connection));
  bosh_test_exchange_respond (bosh_test_manager_take (manager), "", BOSH_TEST_FEATURES);
  bosh_test_await (bosh_connection_get_features (wire.connection) != NULL);
}

static void
test_pause (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  BoshTestExchange *poll;
  BoshTestExchange *pause;

  g_test_summary ("XEP-0124 §10: no request is open in a pause; resume() ends it");

  bosh_test_wire_init (&wire, manager, NULL);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS " maxpause='60'");
  bosh_connection_pause_async (wire.connection, 3600, NULL, bosh_test_keep_result, &result);
  pause = bosh_test_manager_take (manager);
  g_assert_cmpstr (bosh_test_exchange_get_attribute (pause, "pause"), ==, "60");
  bosh_test_exchange_respond (poll, "", BOSH_TEST_MESSAGE ("before"));
  bosh_test_exchange_respond (pause, "", "");
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_pause_finish);
  bosh_test_wire_assert_events (&wire, "<message paused");
  bosh_test_run_dry ();
  g_assert_false (bosh_test_manager_has_request (manager));

  bosh_connection_resume (wire.connection);
  poll = bosh_test_manager_take (manager);
  g_assert_null (bosh_test_exchange_get_attribute (poll, "pause"));
  g_assert_cmpuint (bosh_test_exchange_get_rid (poll), ==, bosh_test_exchange_get_rid (pause) + 1);
  bosh_test_wire_assert_events (&wire, "connected");

  /* Nothing is paused: nothing happens. */
  bosh_connection_resume (wire.connection);
  bosh_test_run_dry ();
  g_assert_false (bosh_test_manager_has_request (manager));
  bosh_test_wire_assert_events (&wire, "");
}

static void
test_pause_without_response (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  BoshTestExchange *poll;
  BoshTestExchange *pause;
  BoshTestExchange *repeat;
  BoshTestExchange *message;

  g_test_summary ("A pause whose request never has a response is in force after a while; "
                  "the next stanza ends it");

  bosh_test_wire_init (&wire, manager, NULL);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS " maxpause='60'");
  bosh_connection_pause_async (wire.connection, 10, NULL, bosh_test_keep_result, &result);
  pause = bosh_test_manager_take (manager);
  g_assert_cmpstr (bosh_test_exchange_get_attribute (pause, "pause"), ==, "10");
  /* Not an early release, which would show that the pause has arrived. */
  bosh_test_exchange_respond (poll, "", BOSH_TEST_MESSAGE ("1"));
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_pause_finish);
  bosh_test_wire_assert_events (&wire, "<message paused");
  bosh_test_await (bosh_test_manager_get_n_held (manager) == 0);
  while (bosh_test_manager_has_request (manager))
    {
      repeat = bosh_test_manager_take (manager);
      g_assert_true (g_bytes_equal (bosh_test_exchange_get_bytes (repeat),
                                    bosh_test_exchange_get_bytes (pause)));
    }

  /* It may not have arrived, so it goes out once more, before the message; but over
   * another connection. */
  bosh_test_wire_send (&wire, "x");
  repeat = bosh_test_manager_take (manager);
  message = bosh_test_manager_take (manager);
  if (g_bytes_equal (bosh_test_exchange_get_bytes (message),
                     bosh_test_exchange_get_bytes (pause)))
    {
      BoshTestExchange *first = message;

      message = repeat;
      repeat = first;
    }
  g_assert_true (g_bytes_equal (bosh_test_exchange_get_bytes (repeat),
                                bosh_test_exchange_get_bytes (pause)));
  bosh_test_assert_messages (message, "x", NULL);
  bosh_test_wire_assert_events (&wire, "connected");
}

static void
test_no_pause (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;

  g_test_summary ("XEP-0124 §10: without maxpause no pause is asked for");

  bosh_test_wire_init (&wire, manager, NULL);
  bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_connection_pause_async (wire.connection, 10, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_fails (&wire, &result, bosh_connection_pause_finish,
                        BOSH_ERROR, BOSH_ERROR_NOT_SUPPORTED);
  g_assert_false (bosh_test_manager_has_request (manager));
  g_assert_true (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_CONNECTED));
}

/* --- The end --- */

static void
test_disconnect (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(BoshElement) last = bosh_element_new_message (NULL, NULL, "last");
  g_autoptr(GPtrArray) left = NULL;
  BoshTestExchange *poll;
  BoshTestExchange *terminate;

  g_test_summary ("XEP-0124 §13: what is queued goes before the last payload; closed once, "
                  "without an error");

  bosh_test_wire_init (&wire, manager, NULL);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_test_wire_send (&wire, "1");
  bosh_test_wire_send (&wire, "2");
  bosh_connection_disconnect_async (wire.connection, last, NULL, bosh_test_keep_result, &result);
  terminate = bosh_test_manager_take (manager);
  g_assert_cmpstr (bosh_test_exchange_get_attribute (terminate, "type"), ==, "terminate");
  bosh_test_assert_messages (terminate, "1", "2", "last", NULL);
  bosh_test_wire_assert_events (&wire, "disconnecting");
  g_assert_null (result);

  bosh_test_exchange_respond (poll, "", BOSH_TEST_MESSAGE ("farewell"));
  bosh_test_exchange_respond (terminate, "type='terminate'", "");
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_disconnect_finish);
  bosh_test_wire_assert_events (&wire, "<message closed closed!");
  g_assert_no_error (wire.close_error);
  left = bosh_connection_dup_undelivered (wire.connection);
  g_assert_cmpuint (left->len, ==, 0);
  bosh_test_run_dry ();
  g_assert_false (bosh_test_manager_has_request (manager));
}

static void
test_disconnect_again (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GAsyncResult) again = NULL;

  g_test_summary ("A session that is being ended is not ended twice");

  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_wire_init (&wire, manager, NULL);
  bosh_test_wire_connect (&wire);
  bosh_connection_disconnect_async (wire.connection, NULL, NULL, bosh_test_keep_result, &result);
  bosh_connection_disconnect_async (wire.connection, NULL, NULL, bosh_test_keep_result, &again);
  bosh_test_wire_fails (&wire, &again, bosh_connection_disconnect_finish,
                        BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_disconnect_finish);
  g_assert_cmpuint (wire.n_closed, ==, 1);
}

static void
test_terminated (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) sent = NULL;
  g_autoptr(GAsyncResult) paused = NULL;
  g_autoptr(BoshElement) message = bosh_element_new_message (NULL, NULL, "x");
  g_autoptr(GPtrArray) undelivered = NULL;
  g_autoptr(GPtrArray) unsent = NULL;
  BoshTestExchange *poll;

  g_test_summary ("XEP-0124 §17.2: the server ends the session: payloads first, then all that "
                  "waits fails with the condition, then closed");

  bosh_test_wire_init (&wire, manager, NULL);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS " maxpause='60'");
  bosh_connection_deliver_async (wire.connection, message, NULL, bosh_test_keep_result, &sent);
  bosh_test_manager_take (manager);
  bosh_test_wire_send (&wire, "unsent");
  bosh_connection_pause_async (wire.connection, 10, NULL, bosh_test_keep_result, &paused);
  bosh_test_exchange_respond (poll, "type='terminate' condition='system-shutdown'",
                              BOSH_TEST_MESSAGE ("farewell"));
  bosh_test_await (wire.n_closed == 1);
  bosh_test_wire_assert_events (&wire, "<message closed closed!");
  g_assert_error (wire.close_error, BOSH_ERROR, BOSH_ERROR_SYSTEM_SHUTDOWN);
  bosh_test_wire_fails (&wire, &sent, bosh_connection_deliver_finish,
                        BOSH_ERROR, BOSH_ERROR_SYSTEM_SHUTDOWN);
  bosh_test_wire_fails (&wire, &paused, bosh_connection_pause_finish,
                        BOSH_ERROR, BOSH_ERROR_SYSTEM_SHUTDOWN);

  undelivered = bosh_connection_dup_undelivered (wire.connection);
  g_assert_cmpuint (undelivered->len, ==, 1);
  bosh_test_assert_body (undelivered->pdata[0], "x");
  unsent = bosh_connection_dup_unsent (wire.connection);
  g_assert_cmpuint (unsent->len, ==, 1);
  bosh_test_assert_body (unsent->pdata[0], "unsent");
}

static void
test_repeat (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  BoshTestExchange *poll;
  BoshTestExchange *repeat;

  g_test_summary ("XEP-0124 §14.3: a request that broke is sent again byte by byte, at once, "
                  "then after a while; the state shows it");

  bosh_test_wire_init (&wire, manager,
                       bosh_test_manager_configure (manager, "use-key-sequence", TRUE, NULL));
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_test_exchange_reset (poll);
  repeat = bosh_test_manager_take (manager);
  g_assert_true (g_bytes_equal (bosh_test_exchange_get_bytes (repeat),
                                bosh_test_exchange_get_bytes (poll)));
  bosh_test_wire_assert_events (&wire, "");
  g_assert_cmpuint (bosh_connection_get_n_requests_repeated (wire.connection), ==, 1);

  bosh_test_exchange_reset (repeat);
  repeat = bosh_test_manager_take (manager);
  g_assert_true (g_bytes_equal (bosh_test_exchange_get_bytes (repeat),
                                bosh_test_exchange_get_bytes (poll)));
  bosh_test_wire_assert_events (&wire, "retrying");
  bosh_test_exchange_respond (repeat, "", BOSH_TEST_MESSAGE ("once"));
  bosh_test_wire_receive (&wire, "once");
  bosh_test_wire_assert_events (&wire, "connected <message");
  bosh_test_manager_take (manager);
  g_assert_cmpuint (bosh_connection_get_n_requests_repeated (wire.connection), ==, 2);
  g_assert_cmpuint (bosh_connection_get_n_requests_sent (wire.connection), ==, 5);
}

static void
on_http_status (BoshConnection *connection,
                GParamSpec     *pspec,
                gpointer        user_data)
{
  GString *statuses = user_data;

  g_string_append_printf (statuses, "%u ", bosh_connection_get_http_status (connection));
}

static void
test_http_status (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GString) statuses = g_string_new (NULL);
  BoshTestExchange *poll;

  g_test_summary ("The HTTP status of a response that could not be used, until one could");

  bosh_test_wire_init (&wire, manager, NULL);
  g_signal_connect (wire.connection, "notify::http-status", G_CALLBACK (on_http_status), statuses);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  g_assert_cmpuint (bosh_connection_get_http_status (wire.connection), ==, 0);
  bosh_test_exchange_reply (poll, 502, NULL, "");
  bosh_test_exchange_reply (bosh_test_manager_take (manager), 200, NULL, "<html/>");
  bosh_test_exchange_respond (bosh_test_manager_take (manager), "", BOSH_TEST_MESSAGE ("back"));
  bosh_test_wire_receive (&wire, "back");
  bosh_test_run_dry ();
  g_assert_cmpstr (statuses->str, ==, "502 200 0 ");
}

static void
read_http_status (GObject      *source,
                  GAsyncResult *result,
                  gpointer      user_data)
{
  g_autoptr(GError) error = NULL;
  guint *status = user_data;

  bosh_connection_connect_finish (BOSH_CONNECTION (source), result, &error);
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_HTTP);
  *status = bosh_connection_get_http_status (BOSH_CONNECTION (source));
}

static void
test_http_status_at_creation (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  guint status = 0;

  g_test_summary ("The HTTP status can be read where BOSH_ERROR_HTTP is reported");

  bosh_test_wire_init (&wire, manager, NULL);
  bosh_connection_connect_async (wire.connection, NULL, read_http_status, &status);
  bosh_test_exchange_reply (bosh_test_manager_take (manager), 503, NULL, "");
  bosh_test_await (status != 0);
  g_assert_cmpuint (status, ==, 503);
}

static void
test_network_is_back (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  BoshTestExchange *poll;
  BoshTestExchange *repeat;

  g_test_summary ("A retransmission that waits is sent at once when the network comes back");

  bosh_test_wire_init (&wire, manager, NULL);
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_test_exchange_reply (poll, 503, "Retry-After: 3000\r\n", "");
  bosh_test_await (bosh_connection_get_state (wire.connection) == BOSH_CONNECTION_STATE_RETRYING);

  g_signal_emit_by_name (g_network_monitor_get_default (), "network-changed", FALSE);
  g_signal_emit_by_name (g_network_monitor_get_default (), "network-changed", TRUE);
  repeat = bosh_test_manager_take (manager);
  g_assert_true (g_bytes_equal (bosh_test_exchange_get_bytes (repeat),
                                bosh_test_exchange_get_bytes (poll)));
}

static void
test_polling (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  BoshTestExchange *poll;
  gint64 since;

  g_test_summary ("XEP-0124 §12: a polling session keeps the interval");

  bosh_test_wire_init (&wire, manager, NULL);
  since = g_get_monotonic_time ();
  poll = bosh_test_wire_open (&wire, "sid='s1' wait='0' hold='0' requests='1' polling='1'");
  g_assert_cmpint (g_get_monotonic_time () - since, >=, G_TIME_SPAN_SECOND * 9 / 10);
  bosh_test_exchange_respond (poll, "", "");
  bosh_test_manager_take (manager);
  /* When the first poll has left is not known here: it may have been on the way for long. */
  g_assert_cmpint (g_get_monotonic_time () - since, >=, G_TIME_SPAN_SECOND * 19 / 10);
  g_assert_cmpuint (bosh_connection_get_wait (wire.connection), ==, 0);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/connection/open", test_open);
  g_test_add_func ("/bosh/connection/properties", test_properties);
  g_test_add_func ("/bosh/connection/late-features", test_late_features);
  g_test_add_func ("/bosh/connection/batch", test_batch);
  g_test_add_func ("/bosh/connection/queue", test_queue);
  g_test_add_func ("/bosh/connection/namespaces", test_namespaces);
  g_test_add_func ("/bosh/connection/ids", test_ids);
  g_test_add_func ("/bosh/connection/id-of-the-application", test_id_of_the_application);
  g_test_add_func ("/bosh/connection/ids-of-the-last", test_ids_of_the_last);
  g_test_add_func ("/bosh/connection/invalid-stanza", test_invalid_stanza);
  g_test_add_func ("/bosh/connection/reply", test_reply);
  g_test_add_func ("/bosh/connection/deliver", test_deliver);
  g_test_add_func ("/bosh/connection/acknowledged", test_acknowledged);
  g_test_add_func ("/bosh/connection/order", test_order);
  g_test_add_func ("/bosh/connection/details", test_details);
  g_test_add_func ("/bosh/connection/console", test_console);
  g_test_add_func ("/bosh/connection/restart", test_restart);
  g_test_add_func ("/bosh/connection/pause", test_pause);
  g_test_add_func ("/bosh/connection/pause-without-response", test_pause_without_response);
  g_test_add_func ("/bosh/connection/no-pause", test_no_pause);
  g_test_add_func ("/bosh/connection/disconnect", test_disconnect);
  g_test_add_func ("/bosh/connection/disconnect-again", test_disconnect_again);
  g_test_add_func ("/bosh/connection/terminated", test_terminated);
  g_test_add_func ("/bosh/connection/repeat", test_repeat);
  g_test_add_func ("/bosh/connection/http-status", test_http_status);
  g_test_add_func ("/bosh/connection/http-status-at-creation", test_http_status_at_creation);
  g_test_add_func ("/bosh/connection/network-is-back", test_network_is_back);
  g_test_add_func ("/bosh/connection/polling", test_polling);

  return g_test_run ();
}
