/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-client-private.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-connection-private.h"
#include "bosh-discovery.h"

gboolean
client_has_address (BoshClient *self)
{
  return bosh_connection_configuration_get_hostname (self->configuration) != NULL;
}

static void
set_configuration (BoshClient                  *self,
                   BoshConnectionConfiguration *configuration)
{
  bosh_connection_set_configuration (self->connection, configuration);
  if (g_set_object (&self->configuration, configuration))
    g_object_notify (G_OBJECT (self), "configuration");
}

void
client_take_address (BoshClient *self,
                     const char *uri)
{
  g_autoptr(BoshConnectionConfiguration) address = NULL;
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  address = bosh_connection_configuration_new_for_uri (uri, NULL);
  if (address == NULL)
    return;

  configuration = bosh_connection_configuration_readdress (self->configuration, address);
  set_configuration (self, configuration);
}

static void
on_discovered (GObject      *source,
               GAsyncResult *result,
               gpointer      user_data)
{
  g_autoptr(BoshClient) self = user_data;
  g_autoptr(GPtrArray) found = NULL;
  g_autoptr(GError) error = NULL;

  found = bosh_discovery_lookup_finish (BOSH_DISCOVERY (source), result, &error);
  /* Somebody has ended it, and knows. */
  if (self->discovery == NULL)
    return;

  if (found != NULL)
    g_cancellable_set_error_if_cancelled (g_task_get_cancellable (self->task), &error);
  if (error != NULL)
    {
      client_end_discovery (self, g_error_copy (error), error);
      return;
    }

  set_configuration (self, g_ptr_array_index (found, 0));
  /* A handler may have ended it. */
  if (self->discovery != NULL)
    {
      g_clear_object (&self->discovery);
      client_open (self);
    }
}

void
client_discover (BoshClient *self)
{
  g_autoptr(BoshDiscovery) discovery = bosh_discovery_new (self->domain, self->configuration);

  self->discovery = g_cancellable_new ();
  client_watch_cancellable (self);
  bosh_discovery_lookup_async (discovery, self->discovery, on_discovered, g_object_ref (self));
}
