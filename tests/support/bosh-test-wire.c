/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-wire.h"

#include "bosh-test-client.h"

static void
add_event (BoshTestWire *self,
           const char   *prefix,
           const char   *name)
{
  if (self->events->len > 0)
    g_string_append_c (self->events, ' ');
  g_string_append (self->events, prefix);
  g_string_append (self->events, name);
}

static void
on_state (GObject    *object,
          GParamSpec *pspec,
          gpointer    user_data)
{
  g_autoptr(GEnumClass) klass = g_type_class_ref (BOSH_TYPE_CONNECTION_STATE);
  int state = bosh_connection_get_state (BOSH_CONNECTION (object));

  add_event (user_data, "", g_enum_get_value (klass, state)->value_nick);
}

static void
on_stanza (BoshConnection *connection,
           BoshElement    *element,
           gpointer        user_data)
{
  BoshTestWire *self = user_data;

  g_assert_true (bosh_element_is_sealed (element));
  add_event (self, "<", bosh_element_get_name (element));
  g_queue_push_tail (&self->stanzas, bosh_element_ref (element));
}

static void
on_closed (BoshConnection *connection,
           const GError   *error,
           gpointer        user_data)
{
  BoshTestWire *self = user_data;

  g_assert_cmpint (bosh_connection_get_state (connection), ==, BOSH_CONNECTION_STATE_CLOSED);
  add_event (self, "", "closed!");
  self->n_closed++;
  self->close_error = error != NULL ? g_error_copy (error) : NULL;
}

void
bosh_test_wire_init (BoshTestWire                *self,
                     BoshTestManager             *manager,
                     BoshConnectionConfiguration *configuration)
{
  if (configuration == NULL)
    configuration = bosh_test_manager_configure (manager, NULL);

  self->manager = manager;
  self->connection = bosh_connection_new ("example.org", configuration);
  self->events = g_string_new (NULL);
  g_queue_init (&self->stanzas);
  self->n_closed = 0;
  self->close_error = NULL;
  g_signal_connect (self->connection, "notify::state", G_CALLBACK (on_state), self);
  g_signal_connect (self->connection, "stanza", G_CALLBACK (on_stanza), self);
  g_signal_connect (self->connection, "closed", G_CALLBACK (on_closed), self);

  g_object_unref (configuration);
}

void
bosh_test_wire_clear (BoshTestWire *self)
{
  /* Never made, or cleared before. */
  if (self->events == NULL)
    return;

  if (self->connection != NULL)
    {
      bosh_test_run_dry ();
      g_assert_finalize_object (self->connection);
      self->connection = NULL;
    }

  /* What was cancelled comes to its end. */
  bosh_test_run_dry ();
  bosh_test_clear_stanzas (&self->stanzas);
  g_clear_error (&self->close_error);
  g_string_free (self->events, TRUE);
  self->events = NULL;
}

BoshTestExchange *
bosh_test_wire_open (BoshTestWire *self,
                     const char   *attributes)
{
  g_autoptr(GAsyncResult) result = NULL;

  bosh_connection_connect_async (self->connection, NULL, bosh_test_keep_result, &result);
  bosh_test_exchange_respond (bosh_test_manager_take (self->manager), attributes, "");
  bosh_test_wire_succeeds (self, &result, bosh_connection_connect_finish);
  bosh_test_wire_assert_events (self, "connecting connected");

  return bosh_test_manager_take (self->manager);
}

void
bosh_test_wire_connect (BoshTestWire *self)
{
  g_autoptr(GAsyncResult) result = NULL;

  bosh_connection_connect_async (self->connection, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_succeeds (self, &result, bosh_connection_connect_finish);
}

void
bosh_test_wire_fail (BoshTestWire *self,
                     GQuark        domain,
                     int           code)
{
  g_autoptr(GAsyncResult) result = NULL;
  guint n_closed = self->n_closed;

  bosh_connection_connect_async (self->connection, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_fails (self, &result, bosh_connection_connect_finish, domain, code);
  g_assert_cmpuint (self->n_closed, ==, n_closed + 1);
  g_assert_error (self->close_error, domain, code);
  g_assert_true (bosh_test_wire_is (self, BOSH_CONNECTION_STATE_CLOSED));
}

void
bosh_test_wire_disconnect (BoshTestWire *self)
{
  g_autoptr(GAsyncResult) result = NULL;

  bosh_connection_disconnect_async (self->connection, NULL, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_succeeds (self, &result, bosh_connection_disconnect_finish);
  g_assert_true (bosh_test_wire_is (self, BOSH_CONNECTION_STATE_CLOSED));
  g_assert_cmpuint (self->n_closed, ==, 1);
  g_assert_no_error (self->close_error);
}

void
bosh_test_wire_send (BoshTestWire *self,
                     const char   *text)
{
  g_autoptr(BoshElement) message = bosh_element_new_message (NULL, NULL, text);
  g_autoptr(GError) error = NULL;

  bosh_connection_send (self->connection, message, &error);
  g_assert_no_error (error);
}

void
bosh_test_wire_receive (BoshTestWire *self,
                        const char   *text)
{
  g_autoptr(BoshElement) stanza = bosh_test_next_stanza (&self->stanzas);

  while (bosh_element_matches (stanza, "features", "http://etherx.jabber.org/streams"))
    {
      bosh_element_unref (stanza);
      stanza = bosh_test_next_stanza (&self->stanzas);
    }

  bosh_test_assert_body (stanza, text);
}

void
bosh_test_wire_assert_events (BoshTestWire *self,
                              const char   *expected)
{
  g_assert_cmpstr (self->events->str, ==, expected);
  g_string_truncate (self->events, 0);
}

gboolean
bosh_test_wire_is (BoshTestWire        *self,
                   BoshConnectionState  state)
{
  return bosh_connection_get_state (self->connection) == state;
}

void
bosh_test_assert_messages (BoshTestExchange *exchange,
                           const char       *first,
                           ...)
{
  g_autoptr(GString) expected = g_string_new (NULL);
  g_autoptr(GString) actual = g_string_new (NULL);
  BoshElement *body = bosh_test_exchange_get_body (exchange);
  va_list args;

  va_start (args, first);
  for (const char *text = first; text != NULL; text = va_arg (args, const char *))
    g_string_append_printf (expected, "%s ", text);
  va_end (args);

  for (guint i = 0; i < bosh_element_get_n_children (body); i++)
    {
      BoshElement *child = bosh_element_get_nth_child (body, i);
      g_autofree char *text = bosh_element_dup_child_text (child, "body", NULL);

      g_assert_true (bosh_element_matches (child, "message", "jabber:client"));
      g_string_append_printf (actual, "%s ", text);
    }

  g_assert_cmpstr (actual->str, ==, expected->str);
}

void
bosh_test_assert_failure (GError **error,
                          GQuark   domain,
                          int      code)
{
  g_assert_error (*error, domain, code);
  g_assert_cmpstr ((*error)->message, !=, "");
  g_assert_false (g_str_has_suffix ((*error)->message, "."));
  g_test_message ("%s", (*error)->message);
  g_clear_error (error);
}

void
bosh_test_wire_succeeds (BoshTestWire    *self,
                         GAsyncResult   **slot,
                         BoshTestFinish   finish)
{
  g_autoptr(GError) error = NULL;
  gboolean success = finish (self->connection, bosh_test_wait_for (slot), &error);

  g_assert_no_error (error);
  g_assert_true (success);
  g_clear_object (slot);
}

void
bosh_test_wire_fails (BoshTestWire    *self,
                      GAsyncResult   **slot,
                      BoshTestFinish   finish,
                      GQuark           domain,
                      int              code)
{
  g_autoptr(GError) error = NULL;

  g_assert_false (finish (self->connection, bosh_test_wait_for (slot), &error));
  bosh_test_assert_failure (&error, domain, code);
  g_clear_object (slot);
}
