/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two sessions on a real server, both through a proxy that breaks every so many
 * exchanges: nothing may be lost, repeated or out of order.
 *
 *   run-with.py --server prosody -- test-faults prosody [OPTION]...
 *
 * The suite runs it with the options below as they are; the long run is
 *
 *   --messages=20000 --every=10 --black-hole=10
 *   --faults=reset-before,reset-after,half-response,cut-chunk,bad-gateway,html,black-hole
 *
 * BOSH_TEST_TRACE=1 in the environment shows all requests and responses. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-pair.h"
#include "bosh-test-proxy.h"

/* So short that the sequence is switched all the time. */
#define KEY_SEQUENCE_LENGTH 50

/* Each way, after the faults. */
#define CALM_MESSAGES 100

static int n_messages = 1000;
static int every = 15;
static int window = 4;
static double black_hole = 2;
static int latency;
static char *fault_list;

static const GOptionEntry entries[] = {
  { "messages", 0, 0, G_OPTION_ARG_INT, &n_messages, "Messages each way", "N" },
  { "every", 0, 0, G_OPTION_ARG_INT, &every, "Break every Nth exchange (0: none)", "N" },
  { "window", 0, 0, G_OPTION_ARG_INT, &window, "Messages under way each way", "N" },
  { "black-hole", 0, 0, G_OPTION_ARG_DOUBLE, &black_hole, "How long black holes last", "SECONDS" },
  { "latency", 0, 0, G_OPTION_ARG_INT, &latency, "Added to each way", "MILLISECONDS" },
  { "faults", 0, 0, G_OPTION_ARG_STRING, &fault_list, "In turn (default: all)", "NAME,..." },
  { NULL }
};

static void
arm (BoshTestFaultProxy *proxy)
{
  g_autoptr(GArray) faults = g_array_new (FALSE, FALSE, sizeof (BoshTestFault));

  if (fault_list != NULL)
    {
      g_auto(GStrv) names = g_strsplit (fault_list, ",", -1);

      for (guint i = 0; names[i] != NULL; i++)
        {
          BoshTestFault fault = bosh_test_fault_from_name (names[i]);

          if (fault == BOSH_TEST_FAULT_NONE)
            g_error ("No fault has the name %s", names[i]);
          g_array_append_val (faults, fault);
        }
    }
  else
    {
      for (BoshTestFault fault = BOSH_TEST_FAULT_NONE + 1; fault < BOSH_TEST_N_FAULTS; fault++)
        g_array_append_val (faults, fault);
    }

  bosh_test_fault_proxy_set_faults (proxy, every, (BoshTestFault *)faults->data, faults->len);
}

static void
report (BoshTestPair       *pair,
        BoshTestFaultProxy *proxy)
{
  g_autoptr(GString) counts = g_string_new (NULL);
  guint n_exchanges = bosh_test_fault_proxy_get_n_exchanges (proxy);
  guint n_faults = 0;
  guint n_repeats;

  for (BoshTestFault fault = BOSH_TEST_FAULT_NONE + 1; fault < BOSH_TEST_N_FAULTS; fault++)
    {
      guint count = bosh_test_fault_proxy_get_n_faults (proxy, fault);

      n_faults += count;
      if (count > 0)
        g_string_append_printf (counts, ", %u %s", count, bosh_test_fault_get_name (fault));
    }
  g_test_message ("%u exchanges, %u broken%s", n_exchanges, n_faults, counts->str);
  n_repeats = bosh_test_pair_report (pair);

  /* It was no calm journey: a dribble costs no repeat, nor does what hits an
   * exchange that was given up. */
  if (every > 0)
    {
      g_assert_cmpuint (n_exchanges, >=, n_messages / 2);
      g_assert_cmpuint (n_faults + 10, >=, n_exchanges / every);
      g_assert_cmpuint (n_repeats, >=, n_faults / 2);
    }
}

static void
run (guint key_sequence_length)
{
  g_autoptr(GUri) uri = g_uri_parse (bosh_test_get_variable ("HTTP_URI"), G_URI_FLAGS_NONE, NULL);
  BoshTestFaultProxy *proxy;
  g_autofree char *proxied = NULL;
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  BoshTestPair *pair;

  proxy = bosh_test_fault_proxy_new (g_uri_get_port (uri), g_test_rand_int ());
  bosh_test_fault_proxy_set_black_hole (proxy, black_hole * 1000);
  bosh_test_fault_proxy_set_latency (proxy, latency);
  proxied = g_strdup_printf ("http://localhost:%u%s", bosh_test_fault_proxy_get_port (proxy),
                             g_uri_get_path (uri));
  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", proxied,
                                "use-key-sequence", key_sequence_length > 0,
                                "key-sequence-length", key_sequence_length,
                                NULL);
  pair = bosh_test_pair_new (configuration, window, g_test_rand_int ());

  /* What opens a session is not repeated, and the end is not what is tested.
   * Both still have something to send when all is well again: ejabberd needs a
   * stanza for a client to get over a request that overtook a lost one. */
  arm (proxy);
  bosh_test_pair_start (pair, n_messages + CALM_MESSAGES);
  bosh_test_pair_wait (pair, 2 * n_messages);
  report (pair, proxy);
  bosh_test_fault_proxy_set_faults (proxy, 0, NULL, 0);
  bosh_test_pair_finish (pair);

  bosh_test_pair_free (pair);
  bosh_test_fault_proxy_free (proxy);
}

static void
test_plain (void)
{
  g_test_summary ("XEP-0124 §14.3: whatever happens to the exchanges, each message arrives once "
                  "and in order");

  run (0);
}

static void
test_keys (void)
{
  g_test_summary ("XEP-0124 §15: the same with key sequences that are switched again and again");

  run (KEY_SEQUENCE_LENGTH);
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

  g_test_add_func ("/faults/plain", test_plain);
  /* Prosody knows no keys. */
  if (bosh_test_is_ejabberd ())
    g_test_add_func ("/faults/keys", test_keys);

  return g_test_run ();
}
