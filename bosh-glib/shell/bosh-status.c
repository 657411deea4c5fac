/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-status-private.h"

#include "bosh-i18n-private.h"

static const char *
get_ready_text (BoshConnectionState connection)
{
  if (connection == BOSH_CONNECTION_STATE_RETRYING)
    return _("The server can’t be reached, trying again…");
  if (connection == BOSH_CONNECTION_STATE_PAUSED)
    return _("Paused");

  return _("Online");
}

/* The text of a state for which nothing has gone wrong, or the reason does not matter. */
static const char *
get_text (BoshReconnect       *machine,
          BoshConnectionState  connection)
{
  switch (bosh_reconnect_get_state (machine))
    {
    case BOSH_RECONNECT_CONNECTING:
      return _("Connecting…");
    case BOSH_RECONNECT_CONNECTED:
      return _("Connected, not logged in");
    case BOSH_RECONNECT_LOGGING_IN:
      return _("Logging in…");
    case BOSH_RECONNECT_READY:
      return get_ready_text (connection);
    case BOSH_RECONNECT_RECONNECTING:
      return bosh_reconnect_is_logged_in (machine) ? _("Resuming…") : _("Reconnecting…");
    case BOSH_RECONNECT_DISCONNECTING:
      return _("Disconnecting…");
    case BOSH_RECONNECT_DETACHED:
      return _("Handed over");
    case BOSH_RECONNECT_CLOSED:
      return _("Disconnected");
    case BOSH_RECONNECT_NEW:
    default:
      return _("Not connected");
    }
}

char *
bosh_status_describe (BoshReconnect       *machine,
                      BoshConnectionState  connection)
{
  const GError *error = bosh_reconnect_get_last_error (machine);
  BoshReconnectState state = bosh_reconnect_get_state (machine);
  gboolean is_waiting = bosh_reconnect_get_next_attempt (machine) >= 0;

  /* Translators: %s is the reason, in all of these. */
  if (is_waiting && state == BOSH_RECONNECT_CONNECTING)
    return g_strdup_printf (_("Can’t connect, trying again soon: %s"), error->message);
  if (is_waiting)
    return g_strdup_printf (_("Connection lost, trying again soon: %s"), error->message);
  if (error != NULL && state == BOSH_RECONNECT_CONNECTED)
    return g_strdup_printf (_("Not logged in: %s"), error->message);
  if (error != NULL && state == BOSH_RECONNECT_CLOSED)
    return g_strdup_printf (_("Disconnected: %s"), error->message);

  return g_strdup (get_text (machine, connection));
}
