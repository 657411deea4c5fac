/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each property of each class tells of its changes: lives of a client and of its
 * connections, in which every property changes that can, and nothing changes in silence. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-manager.h"
#include "bosh-test-tls.h"

#include "bosh-client-private.h"
#include "bosh-limits-private.h"

#include <string.h>

#define GRANTS                                                                \
  "sid='s1' wait='55' hold='1' requests='2' inactivity='30' polling='2' maxpause='60' "       \
  "charsets='UTF-8' ver='1.11'"

/* Made once: openssl takes its time. */
static BoshTestTls *tls;

/* --- Objects that are watched --- */

/* Counts of notifications by `Class:property`, of all objects. */
static GHashTable *counts;

typedef struct
{
  GObject    *object;
  GHashTable *values;  /* by name, as they were notified last */
} Watch;

static char *
describe (GObject    *object,
          GParamSpec *pspec)
{
  g_auto(GValue) value = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  g_object_get_property (object, pspec->name, &value);
  if (pspec->value_type == G_TYPE_ERROR)
    {
      GError *error = g_value_get_boxed (&value);

      return g_strdup (error != NULL ? error->message : "");
    }
  if (pspec->value_type == BOSH_TYPE_ELEMENT)
    {
      BoshElement *element = g_value_get_boxed (&value);

      return element != NULL ? bosh_element_to_string (element) : g_strdup ("");
    }

  return g_strdup_value_contents (&value);
}

static void
on_notify (GObject    *object,
           GParamSpec *pspec,
           gpointer    user_data)
{
  Watch *watch = user_data;
  g_autofree char *name = g_strdup_printf ("%s:%s", G_OBJECT_TYPE_NAME (object), pspec->name);
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (counts, name));

  g_hash_table_replace (counts, g_steal_pointer (&name), GUINT_TO_POINTER (count + 1));
  g_hash_table_replace (watch->values, g_strdup (pspec->name), describe (object, pspec));
}

static guint
get_count (GType       type,
           const char *property)
{
  g_autofree char *name = g_strdup_printf ("%s:%s", g_type_name (type), property);

  return GPOINTER_TO_UINT (g_hash_table_lookup (counts, name));
}

/* Compares each property with what was notified. */
static void
check_watch (Watch *watch)
{
  guint n = 0;
  g_autofree GParamSpec **pspecs =
    g_object_class_list_properties (G_OBJECT_GET_CLASS (watch->object), &n);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *value = NULL;

      if ((pspecs[i]->flags & G_PARAM_READABLE) == 0)
        continue;
      value = describe (watch->object, pspecs[i]);
      if (g_strcmp0 (value, g_hash_table_lookup (watch->values, pspecs[i]->name)) != 0)
        g_error ("%s:%s is %s and was not notified", G_OBJECT_TYPE_NAME (watch->object),
                 pspecs[i]->name, value);
    }
}

static void
watch_free (gpointer data)
{
  Watch *self = data;

  g_signal_handlers_disconnect_by_data (self->object, self);
  g_object_unref (self->object);
  g_hash_table_unref (self->values);
  g_free (self);
}

static Watch *
watch_new (gpointer object)
{
  Watch *self = g_new0 (Watch, 1);
  guint n = 0;
  g_autofree GParamSpec **pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n);

  self->object = g_object_ref (object);
  self->values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < n; i++)
    {
      if ((pspecs[i]->flags & G_PARAM_READABLE) != 0)
        g_hash_table_replace (self->values, g_strdup (pspecs[i]->name),
                              describe (object, pspecs[i]));
    }
  g_signal_connect (object, "notify", G_CALLBACK (on_notify), self);

  return self;
}

/* --- A life --- */

typedef struct
{
  BoshTestManager *manager;
  BoshClient      *client;
  GPtrArray       *watches;
  guint            n_unavailable;  /* requests to which a proxy responds with 503 */
  guint            n_bound;
} Life;

static gboolean
on_request (BoshTestManager  *manager,
            BoshTestExchange *exchange,
            gpointer          user_data)
{
  Life *life = user_data;
  g_autofree char *jid = NULL;

  if (life->n_unavailable > 0)
    {
      life->n_unavailable--;
      bosh_test_exchange_reply (exchange, 503, NULL, "<html>Away</html>");
      return TRUE;
    }

  /* The only one is that which binds a resource. */
  if (bosh_element_get_child (bosh_test_exchange_get_body (exchange), "iq", NULL) != NULL)
    life->n_bound++;
  jid = g_strdup_printf ("x@example.org/%u", life->n_bound);

  return bosh_test_exchange_log_in (exchange, jid);
}

static void
on_connection (BoshClient *client,
               GParamSpec *pspec,
               gpointer    user_data)
{
  Life *life = user_data;

  g_ptr_array_add (life->watches, watch_new (bosh_client_get_connection (client)));
}

static gboolean
on_accept_certificate (BoshClient           *client,
                       GTlsCertificate      *certificate,
                       GTlsCertificateFlags  errors,
                       gpointer              user_data)
{
  return TRUE;
}

/* Where nothing is left to do at once: the connection notifies when it acts. */
static void
check (Life *life)
{
  if (g_main_context_pending (NULL))
    return;

  for (guint i = 0; i < life->watches->len; i++)
    check_watch (g_ptr_array_index (life->watches, i));
}

/* Compares after each turn of the main loop. */
#define await(life, condition)                                                \
  G_STMT_START                                                \
  {                                                           \
    GSource *patience = bosh_test_lose_patience (#condition);                 \
    while (!(condition))                                                      \
      {                                                                       \
        g_main_context_iteration (NULL, TRUE);                                \
        check (life);                                                         \
      }                                                                       \
    g_source_destroy (patience);                                              \
    g_source_unref (patience);                                                \
  }                                                           \
  G_STMT_END

static void
life_init (Life *life)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  *life = (Life){ .manager = bosh_test_manager_new (tls->untrusted) };
  bosh_test_manager_set_automatic (life->manager, TRUE);
  bosh_test_manager_set_grants (life->manager, GRANTS, BOSH_TEST_MECHANISM ("ANONYMOUS"));
  bosh_test_manager_set_script (life->manager, on_request, life);
  configuration = bosh_test_manager_configure_secure (life->manager, NULL);
  life->client = bosh_client_new ("example.org", configuration);
  client_set_delays_for_tests (life->client, 100, 100, 1000);
  life->watches = g_ptr_array_new_with_free_func (watch_free);
  g_ptr_array_add (life->watches, watch_new (life->client));
  on_connection (life->client, NULL, life);
  g_signal_connect (life->client, "notify::connection", G_CALLBACK (on_connection), life);
  g_signal_connect (life->client, "accept-certificate", G_CALLBACK (on_accept_certificate), life);
}

static void
life_clear (Life *life)
{
  g_signal_handlers_disconnect_by_data (life->client, life);
  g_ptr_array_unref (life->watches);
  g_object_unref (life->client);
  bosh_test_manager_free (life->manager);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Life, life_clear)

static void
log_in (Life *life)
{
  g_autoptr(GAsyncResult) connected = NULL;
  g_autoptr(GAsyncResult) logged_in = NULL;
  g_autoptr(GError) error = NULL;

  bosh_client_connect_async (life->client, NULL, bosh_test_keep_result, &connected);
  check (life);
  await (life, connected != NULL);
  bosh_client_connect_finish (life->client, connected, &error);
  g_assert_no_error (error);
  bosh_client_login_anonymously_async (life->client, NULL, NULL, bosh_test_keep_result, &logged_in);
  check (life);
  await (life, logged_in != NULL);
  bosh_client_login_anonymously_finish (life->client, logged_in, &error);
  g_assert_no_error (error);
  await (life, bosh_test_manager_get_n_held (life->manager) > 0);
}

static BoshTestExchange *
get_held (Life *life)
{
  GPtrArray *exchanges = bosh_test_manager_get_exchanges (life->manager);

  await (life, bosh_test_manager_get_n_held (life->manager) > 0);
  for (guint i = 0; i < exchanges->len; i++)
    {
      BoshTestExchange *exchange = g_ptr_array_index (exchanges, i);

      if (!bosh_test_exchange_has_response (exchange) && !bosh_test_exchange_is_gone (exchange))
        return exchange;
    }

  g_assert_not_reached ();
}

/* Sends, and waits until the server has it. The queue fills and drains between two turns. */
static void
send (Life *life)
{
  BoshConnection *connection = bosh_client_get_connection (life->client);
  guint count = get_count (BOSH_TYPE_CONNECTION, "n-stanzas-queued");
  guint64 n_sent = bosh_connection_get_n_requests_sent (connection);

  bosh_test_send_message (life->client, "bob@example.org", "a");
  await (life, bosh_connection_get_n_requests_sent (connection) > n_sent &&
                 bosh_connection_get_n_stanzas_queued (connection) == 0);
  g_assert_cmpuint (get_count (BOSH_TYPE_CONNECTION, "n-stanzas-queued"), >, count);
  await (life, bosh_test_manager_get_n_held (life->manager) > 0);
}

static void
set_all (Life *life)
{
  bosh_client_set_auto_reconnect (life->client, TRUE);
  bosh_client_set_max_reconnect_attempts (life->client, 5);
  bosh_client_set_pipeline_login (life->client, TRUE);
  bosh_client_set_pipeline_login (life->client, FALSE);
  bosh_client_set_allow_plaintext_password (life->client, TRUE);
  bosh_client_set_use_sasl2 (life->client, FALSE);
  bosh_client_set_retry_connect (life->client, TRUE);
  check (life);
}

/* A message that is left out, because it nests too deeply. */
static void
deliver_too_deep (Life *life)
{
  BoshConnection *connection = bosh_client_get_connection (life->client);
  g_autoptr(GString) message = g_string_new ("<message xmlns='jabber:client'>");

  for (int i = 0; i < BOSH_XML_MAX_DEPTH; i++)
    g_string_append (message, "<x>");
  for (int i = 0; i < BOSH_XML_MAX_DEPTH; i++)
    g_string_append (message, "</x>");
  g_string_append (message, "</message>");

  bosh_test_manager_deliver (life->manager, message->str);
  await (life, bosh_connection_get_n_stanzas_left_out (connection) == 1);
  await (life, bosh_test_manager_get_n_held (life->manager) > 0);
}

static void
live (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  BoshConnection *connection;

  life_init (&life);
  set_all (&life);
  log_in (&life);
  connection = bosh_client_get_connection (life.client);
  for (guint i = 0; i < 3; i++)
    send (&life);
  bosh_test_manager_deliver (life.manager, "<message xmlns='jabber:client' from='a@b'/>");
  await (&life, bosh_test_manager_get_n_held (life.manager) > 0);
  deliver_too_deep (&life);

  /* What is between is away for two requests. */
  life.n_unavailable = 2;
  bosh_test_exchange_reset (get_held (&life));
  await (&life, bosh_connection_get_state (connection) == BOSH_CONNECTION_STATE_RETRYING);
  await (&life, life.n_unavailable == 0 && bosh_test_manager_get_n_held (life.manager) > 0);
  bosh_test_manager_deliver (life.manager, "<message xmlns='jabber:client' from='a@b'/>");
  await (&life, bosh_connection_get_state (connection) == BOSH_CONNECTION_STATE_CONNECTED);

  /* A loss, with an attempt that fails. */
  life.n_unavailable = 1;
  bosh_test_exchange_respond (get_held (&life), "type='terminate' condition='see-other-uri'",
                              "<uri>https://other.example/</uri>");
  await (&life, life.n_bound == 2 ||
                  bosh_client_get_state (life.client) == BOSH_CLIENT_STATE_CLOSED);
  if (life.n_bound == 2)
    {
      await (&life, bosh_client_get_state (life.client) == BOSH_CLIENT_STATE_READY);
      bosh_test_exchange_respond (get_held (&life), "type='terminate' condition='item-not-found'",
                                  "");
      await (&life, bosh_client_get_next_attempt (life.client) >= 0);
      g_assert_nonnull (bosh_client_get_last_error (life.client));
      bosh_client_retry_now (life.client);
      check (&life);
      await (&life, bosh_client_get_state (life.client) == BOSH_CLIENT_STATE_READY);
      g_assert_null (bosh_client_get_last_error (life.client));
      send (&life);
    }

  bosh_client_disconnect_async (life.client, NULL, bosh_test_keep_result, &result);
  check (&life);
  await (&life, result != NULL);
}

/* A session that is taken up brings its address with it. */
static void
live_again (void)
{
  g_auto(Life) life = { NULL };
  g_autoptr(BoshClient) next = NULL;
  g_autoptr(BoshSavedSession) saved = NULL;
  g_autoptr(GAsyncResult) detached = NULL;
  g_autoptr(GAsyncResult) attached = NULL;
  g_autoptr(GError) error = NULL;

  life_init (&life);
  log_in (&life);
  bosh_client_detach_async (life.client, NULL, bosh_test_keep_result, &detached);
  await (&life, detached != NULL);
  saved = bosh_client_detach_finish (life.client, detached, &error);
  g_assert_no_error (error);
  check (&life);

  next = bosh_client_new ("example.org", NULL);
  g_signal_connect (next, "accept-certificate", G_CALLBACK (on_accept_certificate), NULL);
  g_ptr_array_add (life.watches, watch_new (next));
  g_ptr_array_add (life.watches, watch_new (bosh_client_get_connection (next)));
  bosh_client_attach_async (next, saved, NULL, bosh_test_keep_result, &attached);
  check (&life);
  await (&life, attached != NULL);
  bosh_client_attach_finish (next, attached, &error);
  g_assert_no_error (error);
  bosh_client_disconnect_async (next, NULL, NULL, NULL);
  await (&life, bosh_client_get_state (next) == BOSH_CLIENT_STATE_CLOSED);
}

static void
test_all (void)
{
  GType types[] = {
    BOSH_TYPE_CLIENT,
    BOSH_TYPE_CONNECTION,
    BOSH_TYPE_CONNECTION_CONFIGURATION,
    BOSH_TYPE_DISCOVERY,
    BOSH_TYPE_SAVED_SESSION,
  };
  g_test_summary ("Each property that can change notifies, and none changes in silence; objects "
                  "without properties that can be set later do not change");

  live ();
  live_again ();
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr(GTypeClass) type_class = g_type_class_ref (types[i]);
      gboolean is_live = types[i] == BOSH_TYPE_CLIENT || types[i] == BOSH_TYPE_CONNECTION;
      guint n = 0;
      g_autofree GParamSpec **pspecs =
        g_object_class_list_properties (G_OBJECT_CLASS (type_class), &n);

      g_assert_cmpuint (n, >, 0);
      for (guint j = 0; j < n; j++)
        {
          gboolean is_fixed = (pspecs[j]->flags & G_PARAM_CONSTRUCT_ONLY) != 0;

          if (!is_live)
            g_assert_true (is_fixed || (pspecs[j]->flags & G_PARAM_WRITABLE) == 0);
          /* Discovery, or a session that is attached, brings another one. */
          else if ((!is_fixed || g_str_equal (pspecs[j]->name, "configuration")) &&
                   get_count (types[i], pspecs[j]->name) == 0)
            g_error ("%s:%s was never notified", g_type_name (types[i]), pspecs[j]->name);
        }
    }
}

int
main (int   argc,
      char *argv[])
{
  int result;

  g_test_init (&argc, &argv, NULL);
  tls = bosh_test_tls_new ();
  counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  g_test_add_func ("/bosh/notify/all", test_all);

  result = g_test_run ();
  g_hash_table_unref (counts);
  bosh_test_tls_free (tls);

  return result;
}
