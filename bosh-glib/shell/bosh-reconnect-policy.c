/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-reconnect-policy-private.h"

#include "bosh-error.h"

#include <gio/gio.h>

/* RFC 6120 §4.9.3: what passes by itself. Not among them are those that a new
 * login would only bring about again: conflict, not-authorized, policy-violation
 * and all that finds fault with what we do. */
static const char * const passing_conditions[] = {
  "connection-timeout",
  "internal-server-error",
  "remote-connection-failed",
  "reset",
  "resource-constraint",
  "system-shutdown",
  NULL,
};

static gboolean
can_mend_session (int         code,
                  const char *stream_condition)
{
  switch ((BoshError)code)
    {
    case BOSH_ERROR_REMOTE_STREAM_ERROR:
      return stream_condition != NULL;

    /* The session is gone, and nothing is wrong with us. */
    case BOSH_ERROR_ITEM_NOT_FOUND:
    case BOSH_ERROR_SESSION_LOST:
    case BOSH_ERROR_TERMINATED:
    case BOSH_ERROR_UNDEFINED_CONDITION:
    case BOSH_ERROR_UNKNOWN_CONDITION:
    /* Trouble on their side. */
    case BOSH_ERROR_INTERNAL_SERVER_ERROR:
    case BOSH_ERROR_REMOTE_CONNECTION_FAILED:
    case BOSH_ERROR_SYSTEM_SHUTDOWN:
    /* Something between us: a proxy whose server is away, a captive portal. */
    case BOSH_ERROR_HTTP:
    case BOSH_ERROR_NOT_BOSH:
    case BOSH_ERROR_TIMED_OUT:
      return TRUE;

    case BOSH_ERROR_FAILED:
    case BOSH_ERROR_BAD_REQUEST:
    case BOSH_ERROR_HOST_GONE:
    case BOSH_ERROR_HOST_UNKNOWN:
    case BOSH_ERROR_IMPROPER_ADDRESSING:
    case BOSH_ERROR_OTHER_REQUEST:
    case BOSH_ERROR_POLICY_VIOLATION:
    case BOSH_ERROR_SEE_OTHER_URI:
    case BOSH_ERROR_BAD_XML:
    case BOSH_ERROR_TOO_LARGE:
    case BOSH_ERROR_TLS:
    case BOSH_ERROR_NOT_CONNECTED:
    case BOSH_ERROR_DETACHED:
    case BOSH_ERROR_NOT_SUPPORTED:
    case BOSH_ERROR_INVALID_STANZA:
    case BOSH_ERROR_INVALID_DATA:
    case BOSH_ERROR_INVALID_URI:
    case BOSH_ERROR_INSECURE_MECHANISM:
    case BOSH_ERROR_NO_MECHANISM:
    case BOSH_ERROR_SERVER_NOT_AUTHENTIC:
    case BOSH_ERROR_LOGIN_FAILED:
    case BOSH_ERROR_DISCOVERY_FAILED:
    default:
      return FALSE;
    }
}

gboolean
bosh_reconnect_can_mend (const GError *error,
                         const char   *stream_condition)
{
  /* Whatever ended the session after that. */
  if (stream_condition != NULL && !g_strv_contains (passing_conditions, stream_condition))
    return FALSE;

  if (error->domain == BOSH_ERROR)
    return can_mend_session (error->code, stream_condition);
  if (error->domain == BOSH_SASL_ERROR)
    return error->code == BOSH_SASL_ERROR_TEMPORARY_AUTH_FAILURE;
  if (error->domain == BOSH_STANZA_ERROR)
    return error->code == BOSH_STANZA_ERROR_INTERNAL_SERVER_ERROR ||
           error->code == BOSH_STANZA_ERROR_RESOURCE_CONSTRAINT;

  /* The server can't be reached, or its name is not known at the moment. */
  if (error->domain == G_IO_ERROR)
    return error->code != G_IO_ERROR_CANCELLED;

  return error->domain == G_RESOLVER_ERROR;
}

gboolean
bosh_reconnect_needs_network (const char *hostname)
{
  g_autoptr(GInetAddress) address = NULL;

  if (hostname == NULL || g_ascii_strcasecmp (hostname, "localhost") == 0)
    return FALSE;

  address = g_inet_address_new_from_string (hostname);

  return address == NULL || !g_inet_address_get_is_loopback (address);
}

guint
bosh_reconnect_get_delay (guint  tries,
                          guint  first,
                          guint  longest,
                          double random)
{
  guint64 delay = MIN ((guint64)first << MIN (tries, 31), (guint64)longest);

  return (guint)((double)delay * (1 + random) / 2);
}
