/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-offline-private.h"

static void
test_needs_network (void)
{
  g_test_summary ("E21: without a network attempts do not count, unless the server is this very "
                  "machine");

  g_assert_false (bosh_host_needs_network (NULL));
  g_assert_false (bosh_host_needs_network ("localhost"));
  g_assert_false (bosh_host_needs_network ("127.0.0.2"));
  g_assert_false (bosh_host_needs_network ("::1"));
  g_assert_true (bosh_host_needs_network ("192.0.2.1"));
  g_assert_true (bosh_host_needs_network ("example.org"));

  g_assert_false (bosh_host_is_offline ("localhost"));
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/offline/needs-network", test_needs_network);

  return g_test_run ();
}
