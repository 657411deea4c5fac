/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-pair.h"

#include "bosh-test-client.h"
#include "bosh-test-patience.h"

#include <string.h>

/* Most messages are short; now and then there is one that fills several
 * segments. */
#define MAX_SHORT 300
#define MAX_LONG 20000
#define LONG_EVERY 50

/* Nobody is so many messages ahead of the other: as long as one sends, there is
 * also something to receive. */
#define MAX_LEAD 50

typedef struct _Party Party;

struct _Party
{
  BoshTestPair *pair;
  Party *other;
  const char *name;
  BoshClient *client;
  GRand *own_texts;           /* of what is sent */
  GRand *other_texts;         /* the same as that of the other */
  guint n_wanted;             /* to send in all */
  guint n_sent;
  guint n_received;
  guint n_retrying;           /* how often it said so */
  guint n_key_switches;
};

struct _BoshTestPair
{
  Party alice;
  Party bob;
  guint window;
  gint64 started_at;
};

/* The text of message @number, the same from the same generator. */
static char *
make_text (GRand *rand,
           guint  number)
{
  guint limit = g_rand_int_range (rand, 0, LONG_EVERY) == 0 ? MAX_LONG : MAX_SHORT;
  guint size = g_rand_int_range (rand, 0, limit);
  GString *text = g_string_sized_new (size + 16);

  g_string_printf (text, "%u ", number);
  for (guint i = 0; i < size; i++)
    g_string_append_c (text, 'a' + (number + i) % 26);

  return g_string_free (text, FALSE);
}

static void
party_fill (Party *self)
{
  while (self->n_sent < self->n_wanted &&
         self->n_sent < self->other->n_sent + MAX_LEAD &&
         self->n_sent < self->other->n_received + self->pair->window)
    {
      g_autofree char *text = make_text (self->own_texts, self->n_sent);

      self->n_sent++;
      bosh_test_send_message (self->client, bosh_client_get_jid (self->other->client), text);
    }
}

static void
on_message (BoshClient  *client,
            BoshElement *stanza,
            gpointer     user_data)
{
  Party *self = user_data;
  const char *from = bosh_element_get_attribute (stanza, "from");
  g_autofree char *expected = NULL;

  /* Servers tell of themselves too. */
  if (g_strcmp0 (from, bosh_client_get_jid (self->other->client)) != 0)
    return;

  g_assert_cmpstr (bosh_element_get_attribute (stanza, "type"), ==, "chat");
  expected = make_text (self->other_texts, self->n_received);
  bosh_test_assert_body (stanza, expected);
  self->n_received++;

  /* Both go on together, so that there is always something for each. */
  party_fill (self->other);
  party_fill (self);
}

static void
on_closed (BoshClient   *client,
           const GError *error,
           gpointer      user_data)
{
  Party *self = user_data;

  if (error != NULL)
    g_error ("The session of %s has ended after %u messages sent and %u received: %s", self->name,
             self->n_sent, self->n_received, error->message);
}

static void
on_state (BoshConnection *connection,
          GParamSpec     *pspec,
          gpointer        user_data)
{
  Party *self = user_data;

  if (bosh_connection_get_state (connection) == BOSH_CONNECTION_STATE_RETRYING)
    self->n_retrying++;
}

static void
trace (Party      *self,
       const char *arrow,
       const char *body)
{
  if (g_getenv ("BOSH_TEST_TRACE") != NULL)
    g_printerr ("%.3f %s %s %.300s\n", g_get_monotonic_time () / 1e6, self->name, arrow, body);
}

static void
on_request_sent (BoshConnection *connection,
                 const char     *body,
                 gpointer        user_data)
{
  Party *self = user_data;

  trace (self, "->", body);
  if (strstr (body, " key='") != NULL && strstr (body, " newkey='") != NULL)
    self->n_key_switches++;
}

static void
on_response_received (BoshConnection *connection,
                      const char     *body,
                      gpointer        user_data)
{
  trace (user_data, "<-", body);
}

static void
party_init (Party                       *self,
            BoshTestPair                *pair,
            Party                       *other,
            const char                  *name,
            BoshConnectionConfiguration *configuration,
            guint32                      own_seed,
            guint32                      other_seed)
{
  BoshConnection *connection;
  g_autoptr(GError) error = NULL;

  self->pair = pair;
  self->other = other;
  self->name = name;
  self->own_texts = g_rand_new_with_seed (own_seed);
  self->other_texts = g_rand_new_with_seed (other_seed);
  self->client = bosh_client_new ("localhost", configuration);
  connection = bosh_client_get_connection (self->client);
  g_signal_connect (self->client, "stanza::message", G_CALLBACK (on_message), self);
  g_signal_connect (self->client, "closed", G_CALLBACK (on_closed), self);
  g_signal_connect (connection, "notify::state", G_CALLBACK (on_state), self);
  g_signal_connect (connection, "request-sent", G_CALLBACK (on_request_sent), self);
  g_signal_connect (connection, "response-received", G_CALLBACK (on_response_received), self);

  bosh_test_connect (self->client, &error);
  g_assert_no_error (error);
  bosh_test_login (self->client, name, "secret", NULL, &error);
  g_assert_no_error (error);
}

static void
party_clear (Party *self)
{
  bosh_test_close (self->client);
  g_assert_cmpuint (self->n_received, ==, self->other->n_sent);
  g_rand_free (self->own_texts);
  g_rand_free (self->other_texts);
}

BoshTestPair *
bosh_test_pair_new (BoshConnectionConfiguration *configuration,
                    guint                        window,
                    guint32                      seed)
{
  BoshTestPair *self = g_new0 (BoshTestPair, 1);

  self->window = window;
  party_init (&self->alice, self, &self->bob, "alice", configuration, seed, ~seed);
  party_init (&self->bob, self, &self->alice, "bob", configuration, ~seed, seed);

  return self;
}

void
bosh_test_pair_free (BoshTestPair *self)
{
  /* Behind this message nothing old can come. */
  bosh_test_pair_start (self, 1);
  bosh_test_pair_finish (self);

  party_clear (&self->alice);
  party_clear (&self->bob);
  g_free (self);
}

void
bosh_test_pair_start (BoshTestPair *self,
                      guint         n_messages)
{
  self->started_at = g_get_monotonic_time ();
  self->alice.n_wanted += n_messages;
  self->bob.n_wanted += n_messages;
  party_fill (&self->alice);
  party_fill (&self->bob);
}

guint
bosh_test_pair_get_n_received (BoshTestPair *self)
{
  return self->alice.n_received + self->bob.n_received;
}

static gboolean
on_impatient (gpointer user_data)
{
  BoshTestPair *self = user_data;

  g_error ("Nothing arrived for long: alice has sent %u and received %u, bob %u and %u",
           self->alice.n_sent, self->alice.n_received, self->bob.n_sent, self->bob.n_received);

  return G_SOURCE_REMOVE;
}

void
bosh_test_pair_wait (BoshTestPair *self,
                     guint         n_received)
{
  g_autoptr(GSource) patience = g_timeout_source_new_seconds (BOSH_TEST_PATIENCE);
  guint n_before;

  g_source_set_callback (patience, on_impatient, self, NULL);
  g_source_attach (patience, NULL);
  while ((n_before = bosh_test_pair_get_n_received (self)) < n_received)
    {
      g_main_context_iteration (NULL, TRUE);
      if (bosh_test_pair_get_n_received (self) > n_before)
        g_source_set_ready_time (patience, g_get_monotonic_time () + BOSH_TEST_PATIENCE * G_USEC_PER_SEC);
    }
  g_source_destroy (patience);
}

void
bosh_test_pair_finish (BoshTestPair *self)
{
  bosh_test_pair_wait (self, self->alice.n_wanted + self->bob.n_wanted);
}

static gboolean
on_time_over (gpointer user_data)
{
  gboolean *is_over = user_data;

  *is_over = TRUE;

  return G_SOURCE_REMOVE;
}

void
bosh_test_pair_go_on (BoshTestPair *self,
                      double        seconds)
{
  g_autoptr(GSource) source = g_timeout_source_new (seconds * 1000);
  gboolean is_over = FALSE;

  g_source_set_callback (source, on_time_over, &is_over, NULL);
  g_source_attach (source, NULL);
  while (!is_over)
    g_main_context_iteration (NULL, TRUE);
}

static void
party_report (Party *self)
{
  BoshConnection *connection = bosh_client_get_connection (self->client);

  g_test_message ("%s: %u messages sent, %u received; %" G_GUINT64_FORMAT " requests, "
                  "%" G_GUINT64_FORMAT " of them repeats; %u times retrying; %u key switches",
                  self->name, self->n_sent, self->n_received,
                  bosh_connection_get_n_requests_sent (connection),
                  bosh_connection_get_n_requests_repeated (connection),
                  self->n_retrying, self->n_key_switches);
}

guint
bosh_test_pair_report (BoshTestPair *self)
{
  party_report (&self->alice);
  party_report (&self->bob);
  g_test_message ("%.1f seconds", (g_get_monotonic_time () - self->started_at) / 1e6);

  return bosh_connection_get_n_requests_repeated (bosh_client_get_connection (self->alice.client)) +
         bosh_connection_get_n_requests_repeated (bosh_client_get_connection (self->bob.client));
}
