/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two sessions on a real server whose network goes down and comes up again:
 * nothing may be lost, repeated or out of order. Needs root, for network
 * namespaces:
 *
 *   home   the server, and the end of the proxy that leads to it
 *   far    the other end of the proxy, at 198.18.0.1, and one end of the cable
 *   near   the other end of the cable, and the sessions
 *
 * Home sees nothing of it. A namespace goes when the last socket in it does.
 *
 *   run-with.py --server prosody -- test-network-down prosody [OPTION]...
 *
 * The suite runs it with the options below as they are; the long run is
 * --messages=5000 --seconds=15. */

#include "config.h"

#define _GNU_SOURCE

#include "bosh-test-client.h"
#include "bosh-test-pair.h"
#include "bosh-test-proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#define WINDOW 4

/* RFC 2544: never on the Internet. */
#define FAR_ADDRESS "198.18.0.1"
#define NEAR_ADDRESS "198.18.0.2"

static int n_messages = 1000;
static double seconds = 5;

static const GOptionEntry entries[] = {
  { "messages", 0, 0, G_OPTION_ARG_INT, &n_messages, "Messages each way", "N" },
  { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "How long the network is down", "SECONDS" },
  { NULL }
};

static void run_command (const char *format, ...) G_GNUC_PRINTF (1, 2);

static void
run_command (const char *format,
             ...)
{
  g_autofree char *command = NULL;
  g_autoptr(GError) error = NULL;
  int status;
  va_list args;

  va_start (args, format);
  command = g_strdup_vprintf (format, args);
  va_end (args);

  g_spawn_command_line_sync (command, NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_spawn_check_wait_status (status, &error);
  g_assert_no_error (error);
}

static int
open_namespace (void)
{
  int fd = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);

  return fd;
}

/* Moves this thread to a new namespace. */
static void
enter_new_namespace (void)
{
  g_assert_cmpint (unshare (CLONE_NEWNET), ==, 0);
  run_command ("ip link set lo up");
}

/* Ends in the near one. */
static BoshTestFaultProxy *
lay_cable (guint port)
{
  g_autoptr(GSocket) socket = NULL;
  BoshTestFaultProxy *proxy;
  int home = open_namespace ();
  int far;

  enter_new_namespace ();
  far = open_namespace ();
  run_command ("ip link add far type veth peer name near");
  run_command ("ip address add " FAR_ADDRESS "/30 dev far");
  run_command ("ip link set far up");
  socket = bosh_test_listen (FAR_ADDRESS);

  /* The thread of the proxy stays at home. */
  g_assert_cmpint (setns (home, CLONE_NEWNET), ==, 0);
  proxy = bosh_test_fault_proxy_new_with_socket (socket, port, 0);

  enter_new_namespace ();
  run_command ("nsenter --net=/proc/%d/fd/%d ip link set near netns %d", getpid (), far, getpid ());
  run_command ("ip address add " NEAR_ADDRESS "/30 dev near");
  run_command ("ip link set near up");
  close (far);
  close (home);

  return proxy;
}

static void
test_down (void)
{
  g_autoptr(GUri) uri = g_uri_parse (bosh_test_get_variable ("HTTP_URI"), G_URI_FLAGS_NONE, NULL);
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  BoshTestFaultProxy *proxy;
  BoshTestPair *pair;
  guint n_received;

  g_test_summary ("The network goes down under load, and comes back: each message arrives once and "
                  "in order");

  proxy = lay_cable (g_uri_get_port (uri));
  configuration =
    bosh_connection_configuration_new_for_host (FAR_ADDRESS, bosh_test_fault_proxy_get_port (proxy),
                                                g_uri_get_path (uri), FALSE);
  pair = bosh_test_pair_new (configuration, WINDOW, g_test_rand_int ());
  bosh_test_pair_start (pair, n_messages);
  bosh_test_pair_wait (pair, n_messages / 2);

  run_command ("ip link set near down");
  /* What has arrived here may still be read. */
  bosh_test_pair_go_on (pair, seconds / 2);
  n_received = bosh_test_pair_get_n_received (pair);
  bosh_test_pair_go_on (pair, seconds / 2);
  g_assert_cmpuint (bosh_test_pair_get_n_received (pair), ==, n_received);
  g_assert_cmpuint (n_received, <, 2 * n_messages);
  run_command ("ip link set near up");

  bosh_test_pair_finish (pair);
  bosh_test_pair_report (pair);
  bosh_test_pair_free (pair);
  bosh_test_fault_proxy_free (proxy);
}

/* Why this can't be tested here, or NULL. */
static const char *
find_obstacle (void)
{
  g_autofree char *path = g_strconcat ("/usr/sbin:/sbin:", g_getenv ("PATH"), NULL);
  g_autofree char *ip = NULL;
  g_autofree char *nsenter = NULL;
  int home = open_namespace ();
  gboolean may_enter;

  /* The tools may be in sbin. */
  g_setenv ("PATH", path, TRUE);
  ip = g_find_program_in_path ("ip");
  nsenter = g_find_program_in_path ("nsenter");
  may_enter = unshare (CLONE_NEWNET) == 0;
  if (may_enter)
    g_assert_cmpint (setns (home, CLONE_NEWNET), ==, 0);
  close (home);

  if (!may_enter)
    return "network namespaces need root";
  if (ip == NULL || nsenter == NULL)
    return "ip (iproute2) or nsenter (util-linux) is not installed";

  return NULL;
}

static void
test_skipped (gconstpointer reason)
{
  g_test_skip (reason);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr(GOptionContext) context = g_option_context_new ("SERVER");
  g_autoptr(GError) error = NULL;
  const char *obstacle;

  g_test_init (&argc, &argv, NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 2)
    g_error ("%s", error != NULL ? error->message : "Which server?");
  bosh_test_set_server (argv[1]);

  obstacle = find_obstacle ();
  if (obstacle != NULL)
    g_test_add_data_func ("/network/down", obstacle, test_skipped);
  else
    g_test_add_func ("/network/down", test_down);

  return g_test_run ();
}
