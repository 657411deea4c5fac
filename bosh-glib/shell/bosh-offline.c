/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-offline-private.h"

#include <gio/gio.h>

gboolean
bosh_host_needs_network (const char *hostname)
{
  g_autoptr(GInetAddress) address = NULL;

  if (hostname == NULL || g_ascii_strcasecmp (hostname, "localhost") == 0)
    return FALSE;

  address = g_inet_address_new_from_string (hostname);

  return address == NULL || !g_inet_address_get_is_loopback (address);
}

gboolean
bosh_host_is_offline (const char *hostname)
{
  return bosh_host_needs_network (hostname) &&
         !g_network_monitor_get_network_available (g_network_monitor_get_default ());
}
