/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection against the connection manager of the simulation, over HTTP that
 * breaks: what neither real servers nor scripts do, hundreds of times. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-http.h"
#include "bosh-test-model.h"

/* What a usual connection manager grants, with times that a test can wait
 * for. */
static const ModelOptions ordinary = {
  .wait = 20,
  .hold = 1,
  .requests = 2,
  .inactivity = 60,
  .polling = 1,
  .max_pause = 30,
  .names_wait = TRUE,
  .names_hold = TRUE,
  .names_requests = TRUE,
  .names_polling = TRUE,
  .names_version = TRUE,
  .notices_closing = TRUE,
};

typedef struct
{
  BoshTestModel               *model;
  BoshConnectionConfiguration *configuration;
  BoshConnection              *connection;
  guint                        n_sent;
  guint                        n_received;
  guint                        n_closed;
} Fixture;

static void
on_stanza (BoshConnection *connection,
           BoshElement    *stanza,
           gpointer        user_data)
{
  Fixture *self = user_data;
  const char *id = bosh_element_get_attribute (stanza, "id");

  /* Features have no body. */
  if (id == NULL)
    return;

  g_assert_cmpuint (g_ascii_strtoull (id, NULL, 10), ==, self->n_received);
  self->n_received++;
}

static void
on_closed (BoshConnection *connection,
           const GError   *error,
           gpointer        user_data)
{
  Fixture *self = user_data;

  g_assert_no_error (error);
  self->n_closed++;
}

/* Another connection takes the place of the one before. */
static void
fixture_renew (Fixture *self)
{
  if (self->connection != NULL)
    g_assert_finalize_object (self->connection);

  self->connection = bosh_connection_new ("example.org", self->configuration);
  g_signal_connect (self->connection, "stanza", G_CALLBACK (on_stanza), self);
  g_signal_connect (self->connection, "closed", G_CALLBACK (on_closed), self);
}

/* @key_length: of the key sequence, 0 for none. */
static void
fixture_open (Fixture            *self,
              const ModelOptions *options,
              guint               wait,
              guint               hold,
              guint               key_length)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *uri = NULL;

  *self = (Fixture){ NULL };
  self->model = bosh_test_model_new (options);
  uri = g_strdup_printf ("http://127.0.0.1:%u/http-bind/", bosh_test_model_get_port (self->model));
  self->configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                      "uri", uri,
                                      "wait", wait,
                                      "hold", hold,
                                      "use-key-sequence", key_length > 0,
                                      "key-sequence-length", key_length,
                                      NULL);
  fixture_renew (self);
  bosh_connection_connect_async (self->connection, NULL, bosh_test_keep_result, &result);
  bosh_connection_connect_finish (self->connection, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
}

/* Ends the session, which must have lived until now. */
static void
fixture_close (Fixture *self)
{
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_null (bosh_test_model_get_end (self->model));
  bosh_test_model_break_every (self->model, 0);
  bosh_connection_disconnect_async (self->connection, NULL, NULL, bosh_test_keep_result, &result);
  bosh_connection_disconnect_finish (self->connection, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (self->n_closed, ==, 1);
  g_assert_cmpstr (bosh_test_model_get_end (self->model), ==, "");

  g_clear_object (&result);
  bosh_test_run_dry ();
  g_assert_finalize_object (self->connection);
  bosh_test_drain ();
  g_object_unref (self->configuration);
  bosh_test_model_free (self->model);
}

static BoshElement *
new_message (Fixture *self)
{
  BoshElement *message = bosh_element_new_message ("peer@example.org", NULL, NULL);
  g_autofree char *id = g_strdup_printf ("%u", self->n_sent++);

  bosh_element_set_attribute (message, "id", id);

  return message;
}

static void
send_messages (Fixture *self,
               guint    n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autoptr(BoshElement) message = new_message (self);
      g_autoptr(GError) error = NULL;

      bosh_connection_send (self->connection, message, &error);
      g_assert_no_error (error);
    }
}

/* Everything that was sent arrives, once and in order. */
static void
settle (Fixture *self)
{
  bosh_test_wait (self->n_closed > 0 || bosh_test_model_get_end (self->model) != NULL ||
                  (bosh_test_model_get_n_received (self->model) == self->n_sent &&
                   self->n_received == bosh_test_model_get_n_sent (self->model)));
  g_assert_cmpuint (self->n_closed, ==, 0);
  g_assert_null (bosh_test_model_get_end (self->model));
}

/* @n rounds, in each of which some messages go both ways at the same time. */
static void
exchange_messages (Fixture *self,
                   guint    n)
{
  for (guint i = 0; i < n; i++)
    {
      send_messages (self, 1 + i % 7);
      bosh_test_model_send (self->model, 1 + i % 5);
      if (i % 3 == 0)
        settle (self);
      else
        bosh_test_wait (bosh_test_model_get_n_received (self->model) + 10 > self->n_sent);
    }
  settle (self);
}

static void
test_acknowledgements (void)
{
  ModelOptions options = ordinary;
  Fixture self;

  g_test_summary ("R40, R42-R45: acknowledgements and reports both ways, with broken exchanges");

  options.acknowledges = TRUE;
  options.announces_acks = TRUE;
  options.trims_by_acks = TRUE;
  options.reports = TRUE;
  fixture_open (&self, &options, 20, 1, 0);
  bosh_test_model_break_every (self.model, 5);
  exchange_messages (&self, 100);
  g_assert_cmpuint (self.n_sent, >=, 390);
  g_assert_cmpuint (self.n_received, ==, 300);
  g_assert_cmpuint (bosh_test_model_get_n_broken (self.model), >=, 8);
  g_assert_cmpuint (bosh_connection_get_n_requests_repeated (self.connection), >=, 8);
  fixture_close (&self);
}

static void
test_keys (void)
{
  ModelOptions options = ordinary;
  Fixture self;

  g_test_summary ("R71, R73: keys through switches, each with its repeats");

  options.checks_keys = TRUE;
  options.echoes = TRUE;
  options.repeat = MODEL_REPEAT_EMPTIES_OLD;
  fixture_open (&self, &options, 20, 1, 8);
  bosh_test_model_break_every (self.model, 7);
  exchange_messages (&self, 80);
  g_assert_cmpuint (bosh_test_model_get_n_broken (self.model), >=, 4);
  fixture_close (&self);
}

static void
test_pause (void)
{
  ModelOptions options = ordinary;
  Fixture self;
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;
  guint n_requests;

  g_test_summary ("R49, R51, R52: a pause has its response, is never longer than allowed, and loses nothing");

  fixture_open (&self, &options, 20, 1, 0);
  exchange_messages (&self, 5);
  bosh_connection_pause_async (self.connection, 1000, NULL, bosh_test_keep_result, &result);
  bosh_connection_pause_finish (self.connection, bosh_test_wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpint (bosh_connection_get_state (self.connection), ==, BOSH_CONNECTION_STATE_PAUSED);
  g_clear_object (&result);

  n_requests = bosh_test_model_get_n_requests (self.model);
  bosh_test_model_send (self.model, 20);
  bosh_test_run_dry ();
  g_assert_cmpuint (bosh_test_model_get_n_requests (self.model), ==, n_requests);
  bosh_connection_resume (self.connection);
  settle (&self);
  exchange_messages (&self, 5);
  fixture_close (&self);
}

static void
test_polling_asked_for (void)
{
  ModelOptions options = ordinary;
  Fixture self;

  g_test_summary ("R25, R56, R58: a polling session with a server that ends it for any request that comes too soon");

  options.wait = 0;
  options.hold = 0;
  options.polls = TRUE;
  options.polices_all = TRUE;
  fixture_open (&self, &options, 0, 0, 0);
  bosh_test_model_break_every (self.model, 3);
  for (guint i = 0; i < 4; i++)
    {
      send_messages (&self, 50);
      bosh_test_model_send (self.model, 50);
      settle (&self);
    }
  fixture_close (&self);
}

static void
test_polling_imposed (void)
{
  ModelOptions options = ordinary;
  Fixture self;

  g_test_summary ("R57: requests='1' makes a polling session");

  options.requests = 1;
  options.polls = TRUE;
  options.never_holds = TRUE;
  fixture_open (&self, &options, 20, 1, 0);
  for (guint i = 0; i < 4; i++)
    {
      send_messages (&self, 50);
      bosh_test_model_send (self.model, 50);
      settle (&self);
    }
  fixture_close (&self);
}

static void
test_inactivity (void)
{
  ModelOptions options = ordinary;
  Fixture self;
  guint n_requests;

  g_test_summary ("R46, R47: with nothing to send, there is always a request before inactivity is over");

  options.wait = 1;
  options.inactivity = 1;
  fixture_open (&self, &options, 20, 1, 0);
  n_requests = bosh_test_model_get_n_requests (self.model);
  bosh_test_wait (bosh_test_model_get_n_requests (self.model) >= n_requests + 3);
  exchange_messages (&self, 3);
  fixture_close (&self);
}

/* Detaches, and goes on with another connection. */
static void
hand_over (Fixture *self)
{
  g_autoptr(GAsyncResult) detached = NULL;
  g_autoptr(GAsyncResult) attached = NULL;
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GError) error = NULL;

  bosh_connection_detach_async (self->connection, NULL, bosh_test_keep_result, &detached);
  session = bosh_connection_detach_finish (self->connection, bosh_test_wait_for (&detached), &error);
  g_assert_no_error (error);
  g_clear_object (&detached);
  bosh_test_run_dry ();

  fixture_renew (self);
  bosh_connection_attach_async (self->connection, session, NULL, bosh_test_keep_result, &attached);
  bosh_connection_attach_finish (self->connection, bosh_test_wait_for (&attached), &error);
  g_assert_no_error (error);
}

static void
test_hand_over (void)
{
  ModelOptions options = ordinary;
  Fixture self;

  g_test_summary ("A session with keys goes from hand to hand under traffic, with broken exchanges");

  options.checks_keys = TRUE;
  fixture_open (&self, &options, 20, 1, 50);
  bosh_test_model_break_every (self.model, 9);
  for (guint i = 0; i < 4; i++)
    {
      exchange_messages (&self, 10);
      send_messages (&self, 20);
      bosh_test_model_send (self.model, 20);
      hand_over (&self);
    }
  settle (&self);
  self.n_closed = 0;
  fixture_close (&self);
}

static void
test_over_activity (void)
{
  ModelOptions options = ordinary;
  Fixture self;

  g_test_summary ("R53, R55: an application that waits for each delivery keeps the rules of the server");

  fixture_open (&self, &options, 20, 1, 0);
  for (guint i = 0; i < 8; i++)
    {
      g_autoptr(BoshElement) message = new_message (&self);
      g_autoptr(GAsyncResult) result = NULL;
      g_autoptr(GError) error = NULL;

      /* Some of these faults take the proof of delivery away. */
      bosh_connection_deliver_async (self.connection, message, NULL, bosh_test_keep_result, &result);
      if (i % 4 == 0)
        bosh_test_model_send (self.model, 1);
      bosh_connection_deliver_finish (self.connection, bosh_test_wait_for (&result), &error);
      g_assert_no_error (error);
      g_assert_cmpuint (bosh_test_model_get_n_received (self.model), ==, self.n_sent);
    }
  settle (&self);
  fixture_close (&self);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/connection-model/acknowledgements", test_acknowledgements);
  g_test_add_func ("/bosh/connection-model/keys", test_keys);
  g_test_add_func ("/bosh/connection-model/pause", test_pause);
  g_test_add_func ("/bosh/connection-model/polling-asked-for", test_polling_asked_for);
  g_test_add_func ("/bosh/connection-model/polling-imposed", test_polling_imposed);
  g_test_add_func ("/bosh/connection-model/inactivity", test_inactivity);
  g_test_add_func ("/bosh/connection-model/hand-over", test_hand_over);
  g_test_add_func ("/bosh/connection-model/over-activity", test_over_activity);

  return g_test_run ();
}
