/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two sessions on a real server that stands still for a while, or behind nginx
 * that is reloaded again and again: nothing may be lost, repeated or out of
 * order.
 *
 *   run-with.py --server prosody --server nginx -- test-outages prosody [OPTION]...
 *
 * The suite runs it with the options below as they are; the long run is
 * --messages=5000 --seconds=20. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-pair.h"

#include <signal.h>

#define WINDOW 4
#define N_RELOADS 20

static int n_messages = 1000;
static double seconds = 5;

static const GOptionEntry entries[] = {
  { "messages", 0, 0, G_OPTION_ARG_INT, &n_messages, "Messages each way", "N" },
  { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "How long the server stands still", "SECONDS" },
  { NULL }
};

static GPid
get_pid (const char *variable)
{
  return g_ascii_strtoll (variable, NULL, 10);
}

static void
send_signal (GPid pid,
             int  number)
{
  g_assert_cmpint (pid, >, 1);
  g_assert_cmpint (kill (pid, number), ==, 0);
}

static void
test_stopped (void)
{
  g_autoptr(BoshConnectionConfiguration) configuration = bosh_test_new_configuration ();
  GPid server = get_pid (bosh_test_get_variable ("PID"));
  BoshTestPair *pair;
  guint n_received;

  g_test_summary ("The server stands still under load, and goes on: each message arrives once and "
                  "in order");

  pair = bosh_test_pair_new (configuration, WINDOW, g_test_rand_int ());
  bosh_test_pair_start (pair, n_messages);
  bosh_test_pair_wait (pair, n_messages / 2);

  send_signal (server, SIGSTOP);
  /* What is on the way may still arrive. */
  bosh_test_pair_go_on (pair, seconds / 2);
  n_received = bosh_test_pair_get_n_received (pair);
  bosh_test_pair_go_on (pair, seconds / 2);
  g_assert_cmpuint (bosh_test_pair_get_n_received (pair), ==, n_received);
  g_assert_cmpuint (n_received, <, 2 * n_messages);
  send_signal (server, SIGCONT);

  bosh_test_pair_finish (pair);
  bosh_test_pair_report (pair);
  bosh_test_pair_free (pair);
}

static BoshConnectionConfiguration *
new_nginx_configuration (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GTlsDatabase) database = NULL;

  database = g_tls_file_database_new (g_getenv ("BOSH_TEST_NGINX_CA_FILE"), &error);
  g_assert_no_error (error);

  return g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                       "uri", g_getenv ("BOSH_TEST_NGINX_HTTPS_URI"),
                       "tls-database", database,
                       NULL);
}

static void
test_reloaded (void)
{
  g_autoptr(BoshConnectionConfiguration) configuration = new_nginx_configuration ();
  GPid nginx = get_pid (g_getenv ("BOSH_TEST_NGINX_PID"));
  BoshTestPair *pair;

  g_test_summary ("The front is reloaded under load: each message arrives once and in order");

  pair = bosh_test_pair_new (configuration, WINDOW, g_test_rand_int ());
  bosh_test_pair_start (pair, n_messages);
  for (guint i = 1; i <= N_RELOADS; i++)
    {
      bosh_test_pair_wait (pair, 2 * n_messages * i / (N_RELOADS + 1));
      send_signal (nginx, SIGHUP);
    }
  bosh_test_pair_finish (pair);
  g_test_message ("%u reloads", N_RELOADS);
  bosh_test_pair_report (pair);
  bosh_test_pair_free (pair);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr(GOptionContext) context = g_option_context_new ("SERVER");
  g_autoptr(GError) error = NULL;

  g_test_init (&argc, &argv, NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 2)
    g_error ("%s", error != NULL ? error->message : "Which server?");
  bosh_test_set_server (argv[1]);

  g_test_add_func ("/outages/stopped", test_stopped);
  if (g_getenv ("BOSH_TEST_NGINX_HTTPS_URI") != NULL)
    g_test_add_func ("/outages/reloaded", test_reloaded);

  return g_test_run ();
}
