/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-client.h"

#include "bosh-test-patience.h"

#include <string.h>

static const char *server;
static gboolean use_keys;

static gboolean
on_impatient (gpointer user_data)
{
  g_error ("Waited too long");
  return G_SOURCE_REMOVE;
}

void
bosh_test_wait_until (gboolean (*done) (gpointer data),
                      gpointer   data)
{
  GMainContext *context = g_main_context_get_thread_default ();
  g_autoptr(GSource) patience = g_timeout_source_new_seconds (BOSH_TEST_PATIENCE);

  g_source_set_callback (patience, on_impatient, NULL, NULL);
  g_source_attach (patience, context);
  while (!done (data))
    g_main_context_iteration (context, TRUE);
  g_source_destroy (patience);
}

void
bosh_test_run_dry (void)
{
  GMainContext *context = g_main_context_get_thread_default ();

  while (g_main_context_iteration (context, FALSE))
    ;
}

void
bosh_test_keep_result (GObject      *source_object,
                       GAsyncResult *result,
                       gpointer      user_data)
{
  GAsyncResult **slot = user_data;

  g_assert_null (*slot);
  *slot = g_object_ref (result);
}

static gboolean
has_result (gpointer data)
{
  return *(GAsyncResult **)data != NULL;
}

GAsyncResult *
bosh_test_wait_for (GAsyncResult **slot)
{
  bosh_test_wait_until (has_result, slot);
  return *slot;
}

gboolean
bosh_test_is_nonzero (gpointer data)
{
  return *(guint *)data != 0;
}

static gboolean
has_stanza (gpointer data)
{
  return !g_queue_is_empty (data);
}

void
bosh_test_set_server (const char *name)
{
  server = name;
}

const char *
bosh_test_get_variable (const char *suffix)
{
  g_autofree char *upper = g_ascii_strup (server, -1);
  g_autofree char *name = g_strconcat ("BOSH_TEST_", upper, "_", suffix, NULL);
  const char *value = g_getenv (name);

  if (value == NULL)
    g_error ("%s is not set", name);
  return value;
}

gboolean
bosh_test_is_ejabberd (void)
{
  return strcmp (server, "ejabberd") == 0;
}

void
bosh_test_set_use_keys (gboolean value)
{
  use_keys = value;
}

BoshConnectionConfiguration *
bosh_test_new_configuration (void)
{
  return g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                       "uri", bosh_test_get_variable ("HTTP_URI"),
                       "use-key-sequence", use_keys,
                       NULL);
}

BoshClient *
bosh_test_new_client (const char *domain)
{
  g_autoptr(BoshConnectionConfiguration) configuration = bosh_test_new_configuration ();

  return bosh_client_new (domain, configuration);
}

gboolean
bosh_test_connect (BoshClient  *client,
                   GError     **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  bosh_client_connect_async (client, NULL, bosh_test_keep_result, &result);

  return bosh_client_connect_finish (client, bosh_test_wait_for (&result), error);
}

gboolean
bosh_test_login (BoshClient  *client,
                 const char  *username,
                 const char  *password,
                 const char  *resource,
                 GError     **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  bosh_client_login_async (client, username, password, resource, NULL,
                           bosh_test_keep_result, &result);

  return bosh_client_login_finish (client, bosh_test_wait_for (&result), error);
}

BoshClient *
bosh_test_new_ready (const char *domain,
                     const char *username)
{
  BoshClient *client = bosh_test_new_client (domain);
  g_autoptr(GError) error = NULL;

  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, username, "secret", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_READY);
  g_assert_nonnull (bosh_client_get_jid (client));

  return client;
}

void
bosh_test_disconnect (BoshClient *client)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  bosh_client_disconnect_async (client, NULL, bosh_test_keep_result, &result);
  bosh_client_disconnect_finish (client, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpint (bosh_client_get_state (client), ==, BOSH_CLIENT_STATE_CLOSED);
}

static gboolean
is_null (gpointer data)
{
  return *(gpointer *)data == NULL;
}

void
bosh_test_assert_gone (BoshClient *client)
{
  gpointer connection = bosh_client_get_connection (client);

  bosh_test_run_dry ();
  g_object_add_weak_pointer (connection, &connection);
  g_assert_finalize_object (client);
  /* A thread may still compute for a login that was given up. */
  bosh_test_wait_until (is_null, &connection);
}

void
bosh_test_close (BoshClient *client)
{
  bosh_test_disconnect (client);
  bosh_test_assert_gone (client);
}

BoshElement *
bosh_test_send_iq (BoshClient   *client,
                   BoshElement  *iq,
                   int           timeout,
                   GError      **error)
{
  g_autoptr(GAsyncResult) result = NULL;

  bosh_client_send_iq_async (client, iq, timeout, NULL, bosh_test_keep_result, &result);

  return bosh_client_send_iq_finish (client, bosh_test_wait_for (&result), error);
}

BoshElement *
bosh_test_new_request (const char *to,
                       const char *name,
                       const char *ns)
{
  g_autoptr(BoshElement) payload = bosh_element_new (name, ns);

  return bosh_element_new_iq (to, "get", payload);
}

void
bosh_test_send_message (BoshClient *client,
                        const char *to,
                        const char *body)
{
  g_autoptr(BoshElement) message = bosh_element_new_message (to, "chat", body);
  g_autoptr(GError) error = NULL;

  bosh_client_send (client, message, &error);
  g_assert_no_error (error);
}

void
bosh_test_keep_stanza (BoshClient  *client,
                       BoshElement *stanza,
                       gpointer     user_data)
{
  g_queue_push_tail (user_data, bosh_element_ref (stanza));
}

void
bosh_test_keep_element (BoshConnection *connection,
                        BoshElement    *element,
                        gpointer        user_data)
{
  g_queue_push_tail (user_data, bosh_element_ref (element));
}

BoshElement *
bosh_test_next_stanza (GQueue *stanzas)
{
  bosh_test_wait_until (has_stanza, stanzas);
  return g_queue_pop_head (stanzas);
}

void
bosh_test_clear_stanzas (GQueue *stanzas)
{
  g_queue_clear_full (stanzas, (GDestroyNotify)bosh_element_unref);
}

void
bosh_test_assert_body (BoshElement *message,
                       const char  *expected)
{
  g_autofree char *body = bosh_element_dup_child_text (message, "body", NULL);

  g_assert_cmpstr (bosh_element_get_name (message), ==, "message");
  g_assert_cmpstr (body, ==, expected);
}

void
bosh_test_count_changes (GObject    *object,
                         GParamSpec *pspec,
                         gpointer    user_data)
{
  guint *count = user_data;

  *count += 1;
}

void
bosh_test_count_closed (BoshClient   *client,
                        const GError *error,
                        gpointer      user_data)
{
  guint *count = user_data;

  *count += 1;
}

gboolean
bosh_test_ignore_request (BoshClient  *client,
                          BoshElement *request,
                          gpointer     user_data)
{
  guint *count = user_data;

  *count += 1;
  return TRUE;
}
