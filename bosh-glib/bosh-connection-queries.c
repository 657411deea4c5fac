/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-connection-internal.h"

#include "bosh-error.h"
#include "bosh-i18n-private.h"

/**
 * bosh_connection_get_state:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:state].
 *
 * Returns: how the session is
 *
 * Since: 1.0
 */
BoshConnectionState
bosh_connection_get_state (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), BOSH_CONNECTION_STATE_NEW);

  return self->state;
}

/**
 * bosh_connection_get_domain:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:domain].
 *
 * Returns: the XMPP domain
 *
 * Since: 1.0
 */
const char *
bosh_connection_get_domain (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->domain;
}

/**
 * bosh_connection_get_configuration:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:configuration].
 *
 * Returns: (transfer none): the configuration
 *
 * Since: 1.0
 */
BoshConnectionConfiguration *
bosh_connection_get_configuration (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->configuration;
}

/**
 * bosh_connection_get_session_id:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:session-id].
 *
 * Returns: (nullable): the session id, or `NULL` if there is none yet
 *
 * Since: 1.0
 */
const char *
bosh_connection_get_session_id (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->session != NULL ? bosh_session_get_id (self->session) : NULL;
}

/**
 * bosh_connection_get_features:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:features].
 *
 * Returns: (transfer none) (nullable): the stream features, or `NULL` if none
 *   are known
 *
 * Since: 1.0
 */
BoshElement *
bosh_connection_get_features (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->features;
}

/* A number that the server granted: 0 before it did. */
static guint
get_granted (BoshConnection *self,
             guint         (*getter) (BoshSession *session))
{
  if (self->session == NULL || bosh_session_get_id (self->session) == NULL)
    return 0;

  return getter (self->session);
}

/**
 * bosh_connection_get_wait:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:wait].
 *
 * Returns: the granted wait in seconds
 *
 * Since: 1.0
 */
guint
bosh_connection_get_wait (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return get_granted (self, bosh_session_get_wait);
}

/**
 * bosh_connection_get_hold:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:hold].
 *
 * Returns: the granted number of held requests
 *
 * Since: 1.0
 */
guint
bosh_connection_get_hold (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return get_granted (self, bosh_session_get_hold);
}

/**
 * bosh_connection_get_requests:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:requests].
 *
 * Returns: how many requests may be open at a time, 0 for no limit
 *
 * Since: 1.0
 */
guint
bosh_connection_get_requests (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return get_granted (self, bosh_session_get_requests);
}

/**
 * bosh_connection_get_inactivity:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:inactivity].
 *
 * Returns: the allowed time of inactivity in seconds, 0 for no limit
 *
 * Since: 1.0
 */
guint
bosh_connection_get_inactivity (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return get_granted (self, bosh_session_get_inactivity);
}

/**
 * bosh_connection_get_polling:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:polling].
 *
 * Returns: the shortest polling interval in seconds, 0 for none
 *
 * Since: 1.0
 */
guint
bosh_connection_get_polling (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return get_granted (self, bosh_session_get_polling);
}

/**
 * bosh_connection_get_max_pause:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:max-pause].
 *
 * Returns: the longest pause in seconds, 0 if there is none
 *
 * Since: 1.0
 */
guint
bosh_connection_get_max_pause (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return get_granted (self, bosh_session_get_max_pause);
}

/**
 * bosh_connection_get_charsets:
 * @self: a connection
 *
 * Gets the character sets that the connection manager takes beside UTF-8, as it
 * lists them, separated by spaces (XEP-0124 §7.2). This library writes UTF-8,
 * which every connection manager takes.
 *
 * Returns: (nullable): the list, or `NULL` if none was given
 *
 * Since: 1.0
 */
const char *
bosh_connection_get_charsets (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->session != NULL ? bosh_session_get_charsets (self->session) : NULL;
}

/**
 * bosh_connection_get_request_id:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:request-id].
 *
 * Returns: the request id used last, 0 before the first
 *
 * Since: 1.0
 */
guint64
bosh_connection_get_request_id (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->session != NULL ? bosh_session_get_last_rid (self->session) : 0;
}

/**
 * bosh_connection_get_n_stanzas_queued:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:n-stanzas-queued].
 *
 * Returns: how many elements wait to be sent
 *
 * Since: 1.0
 */
guint
bosh_connection_get_n_stanzas_queued (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->session != NULL ? bosh_session_get_n_queued (self->session) : 0;
}

/**
 * bosh_connection_get_n_requests_sent:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:n-requests-sent].
 *
 * Returns: how many requests were sent
 *
 * Since: 1.0
 */
guint64
bosh_connection_get_n_requests_sent (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->requests_sent;
}

/**
 * bosh_connection_get_n_requests_repeated:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:n-requests-repeated].
 *
 * Returns: how many requests were repeats
 *
 * Since: 1.0
 */
guint64
bosh_connection_get_n_requests_repeated (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->requests_repeated;
}

/**
 * bosh_connection_get_n_stanzas_sent:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:n-stanzas-sent].
 *
 * Returns: how many elements were accepted for sending
 *
 * Since: 1.0
 */
guint64
bosh_connection_get_n_stanzas_sent (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->stanzas_sent;
}

/**
 * bosh_connection_get_n_stanzas_received:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:n-stanzas-received].
 *
 * Returns: how many elements arrived
 *
 * Since: 1.0
 */
guint64
bosh_connection_get_n_stanzas_received (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->stanzas_received;
}

/**
 * bosh_connection_dup_undelivered:
 * @self: a connection
 *
 * The elements that were sent and are not known to have reached the server.
 * After the session was lost, these are the ones whose fate is unknown.
 *
 * Returns: (transfer container) (element-type BoshElement): the elements, in the
 *   order in which they were sent
 *
 * Since: 1.0
 */
GPtrArray *
bosh_connection_dup_undelivered (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  if (self->session == NULL)
    return g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);

  return bosh_session_dup_undelivered (self->session);
}

GPtrArray *
bosh_connection_dup_unsent_on_first (BoshConnection *self)
{
  if (self->session == NULL)
    return g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);

  return bosh_session_dup_unsent_on_first (self->session);
}

/**
 * bosh_connection_dup_unsent:
 * @self: a connection
 *
 * The elements of which nothing left this machine. After the session was lost,
 * these certainly did not arrive.
 *
 * Returns: (transfer container) (element-type BoshElement): the elements, in the
 *   order in which they were to be sent
 *
 * Since: 1.0
 */
GPtrArray *
bosh_connection_dup_unsent (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  if (self->session == NULL)
    return g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);

  return bosh_session_dup_unsent (self->session);
}

void
bosh_connection_set_configuration (BoshConnection              *self,
                                   BoshConnectionConfiguration *configuration)
{
  g_return_if_fail (self->session == NULL);

  if (g_set_object (&self->configuration, configuration))
    g_object_notify (G_OBJECT (self), "configuration");
}

void
bosh_connection_set_filter (BoshConnection       *self,
                            BoshConnectionFilter  filter,
                            gpointer              user_data)
{
  self->filter = filter;
  self->filter_data = user_data;
}

void
bosh_connection_set_reply_expected (BoshConnection *self,
                                    gboolean        expected)
{
  if (self->session == NULL)
    return;

  bosh_session_set_reply_expected (self->session, expected);
  connection_wake (self);
}

void
bosh_connection_expect_two (BoshConnection *self)
{
  self->wants_spare = TRUE;
}

gboolean
bosh_connection_is_private (BoshConnection *self)
{
  return self->transport != NULL && bosh_transport_is_private (self->transport);
}

void
bosh_connection_set_jid (BoshConnection *self,
                         const char     *jid)
{
  char *copy = g_strdup (jid);

  g_free (self->jid);
  self->jid = copy;
}

GError *
bosh_connection_dup_close_error (BoshConnection *self)
{
  if (self->close_error != NULL)
    return g_error_copy (self->close_error);

  return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED, _("The session has ended"));
}

gboolean
bosh_connection_is_leaving (BoshConnection *self)
{
  return self->leaving;
}

GMainContext *
bosh_connection_get_main_context (BoshConnection *self)
{
  return self->context;
}
