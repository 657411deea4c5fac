/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A session on a real server behind HAProxy, which gives up sooner than the server
 * that holds a request: as with the settings of Debian's sample, which are scaled
 * down here.
 *
 *   run-with.py --server prosody --server haproxy --option haproxy:patience=11s \
 *               --option prosody:bosh_max_inactivity=5 -- test-impatient-path prosody */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-manager.h"

#include <string.h>

/* Seconds. Longer than HAProxy is patient; and a session in which all requests are cut
 * off is given up so long after the last response: this, the inactivity and 5. */
#define WAIT 12

/* So many in a row show that the path is known. */
#define N_CALM 3

typedef struct
{
  guint64 last_rid;
  guint n_repeats;
  guint n_calm;      /* new requests since the last repeat */
  guint n_received;
} Traveller;

static void
on_request_sent (BoshConnection *connection,
                 const char     *body,
                 gpointer        user_data)
{
  Traveller *self = user_data;
  const char *attribute = strstr (body, " rid='");
  guint64 rid;

  g_assert_nonnull (attribute);
  rid = g_ascii_strtoull (attribute + strlen (" rid='"), NULL, 10);
  if (rid > self->last_rid)
    self->n_calm++;
  else
    {
      self->n_repeats++;
      self->n_calm = 0;
    }
  self->last_rid = MAX (self->last_rid, rid);
}

static void
on_message (BoshClient  *client,
            BoshElement *stanza,
            gpointer     user_data)
{
  Traveller *self = user_data;

  if (g_strcmp0 (bosh_element_get_attribute (stanza, "from"), bosh_client_get_jid (client)) == 0)
    self->n_received++;
}

static void
on_closed (BoshClient   *client,
           const GError *error,
           gpointer      user_data)
{
  Traveller *self = user_data;

  if (error != NULL)
    g_error ("The session has ended after %u repeats: %s", self->n_repeats, error->message);
}

static void
test_idle (void)
{
  g_autoptr(BoshConnectionConfiguration) configuration =
    g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                  "uri", g_getenv ("BOSH_TEST_HAPROXY_HTTP_URI"),
                  "wait", WAIT,
                  NULL);
  g_autoptr(GError) error = NULL;
  Traveller traveller = { 0 };
  BoshClient *client;

  g_test_summary ("A proxy is less patient than the server: after the first cut, requests end before "
                  "the next, and the session goes on");

  client = bosh_client_new ("localhost", configuration);
  g_signal_connect (client, "stanza::message", G_CALLBACK (on_message), &traveller);
  g_signal_connect (client, "closed", G_CALLBACK (on_closed), &traveller);
  g_signal_connect (bosh_client_get_connection (client), "request-sent",
                    G_CALLBACK (on_request_sent), &traveller);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "alice", "secret", NULL, &error);
  g_assert_no_error (error);

  bosh_test_await (traveller.n_repeats > 0);
  bosh_test_await (traveller.n_calm >= N_CALM);
  g_test_message ("%u repeats", traveller.n_repeats);

  bosh_test_send_message (client, bosh_client_get_jid (client), "still here");
  bosh_test_await (traveller.n_received == 1);
  bosh_test_close (client);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (argc != 2)
    g_error ("Which server?");
  bosh_test_set_server (argv[1]);

  g_test_add_func ("/impatient-path/idle", test_idle);

  return g_test_run ();
}
