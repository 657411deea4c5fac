/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-transport-private.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-transport-exchange-private.h"
#include "bosh-uri-private.h"

/* Enough for the window of a session and the spare requests of XEP-0124 §11. */
#define MAX_CONNECTIONS 10
/* Seconds that a connection is kept which nobody uses. */
#define IDLE_TIMEOUT 60
/* Of the exchange that only makes a connection: no request has it. */
#define SPARE_ID G_MAXUINT64

static gboolean
socket_is_closed (gpointer key,
                  gpointer value,
                  gpointer user_data)
{
  return g_socket_is_closed (value);
}

void
bosh_transport_remember_socket (BoshTransport *self,
                                guint64        connection_id,
                                GIOStream     *connection)
{
  g_autoptr(GIOStream) base = NULL;

  if (G_IS_TLS_CONNECTION (connection))
    g_object_get (connection, "base-io-stream", &base, NULL);
  else
    base = g_object_ref (connection);

  g_hash_table_foreach_remove (self->sockets, socket_is_closed, NULL);
  if (G_IS_SOCKET_CONNECTION (base))
    {
      GSocket *socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (base));

      g_hash_table_insert (self->sockets,
                           g_memdup2 (&connection_id, sizeof connection_id),
                           g_object_ref (socket));
    }
}

gboolean
bosh_transport_check_certificate (BoshTransport  *self,
                                  GTlsConnection *connection)
{
  GTlsCertificate *certificate = g_tls_connection_get_peer_certificate (connection);

  if (self->certificate == NULL)
    g_set_object (&self->certificate, certificate);

  return certificate != NULL && g_tls_certificate_is_same (self->certificate, certificate);
}

static gboolean
on_invalid_uri (gpointer user_data)
{
  BoshExchange *exchange = user_data;
  g_autoptr(GError) error = NULL;
  g_autoptr(GUri) uri = NULL;

  uri = bosh_connection_configuration_build_uri (exchange->transport->configuration, &error);
  bosh_exchange_fail (exchange, error);

  return G_SOURCE_REMOVE;
}

BoshTransport *
bosh_transport_new (BoshConnectionConfiguration *configuration,
                    BoshInnerContext            *inner,
                    BoshTransportWrittenFunc     written,
                    BoshTransportResponseFunc    response,
                    gpointer                     user_data)
{
  BoshTransport *self = g_new0 (BoshTransport, 1);
  GProxyResolver *resolver = bosh_connection_configuration_get_proxy_resolver (configuration);
  GTlsDatabase *database = bosh_connection_configuration_get_tls_database (configuration);

  self->configuration = g_object_ref (configuration);
  self->written = written;
  self->response = response;
  self->user_data = user_data;
  self->inner = inner;
  self->uri = bosh_connection_configuration_build_uri (configuration, NULL);
  self->exchanges = g_hash_table_new_full (g_int64_hash, g_int64_equal,
                                           NULL, (GDestroyNotify)bosh_exchange_unref);
  self->sockets = g_hash_table_new_full (g_int64_hash, g_int64_equal,
                                         g_free, g_object_unref);

  bosh_inner_context_enter (inner);
  /* A long poll is silent for minutes: deadlines are the session's. */
  self->session = soup_session_new_with_options ("timeout", 0,
                                                 "idle-timeout", IDLE_TIMEOUT,
                                                 "max-conns", MAX_CONNECTIONS,
                                                 "max-conns-per-host", MAX_CONNECTIONS,
                                                 NULL);
  /* It costs something in each exchange; bosh-transport-coding decodes. */
  soup_session_remove_feature_by_type (self->session, SOUP_TYPE_CONTENT_DECODER);
  g_signal_connect (self->session, "request-unqueued",
                    G_CALLBACK (bosh_exchange_on_unqueued), self);
  if (resolver != NULL)
    soup_session_set_proxy_resolver (self->session, resolver);
  if (database != NULL)
    soup_session_set_tls_database (self->session, database);

  bosh_inner_context_leave (inner);

  self->cookies = bosh_cookies_new ();

  return self;
}

void
bosh_transport_free (BoshTransport *self)
{
  bosh_transport_cancel_all (self);

  g_hash_table_unref (self->exchanges);
  g_hash_table_unref (self->sockets);
  g_clear_object (&self->certificate);
  bosh_cookies_free (self->cookies);
  bosh_inner_context_enter (self->inner);
  g_queue_clear_full (&self->spare, g_object_unref);
  g_signal_handlers_disconnect_by_data (self->session, self);
  g_object_unref (self->session);
  bosh_inner_context_leave (self->inner);
  g_clear_pointer (&self->uri, g_uri_unref);
  g_object_unref (self->configuration);
  g_free (self);
}

void
bosh_transport_set_uri (BoshTransport *self,
                        const char    *uri)
{
  gboolean was_private = bosh_transport_is_private (self);
  g_autoptr(GUri) before = g_steal_pointer (&self->uri);

  self->uri = bosh_uri_parse_http (uri, NULL, NULL);
  self->n_moves++;
  g_queue_clear_full (&self->spare, g_object_unref);
  /* Whoever listened to the old address may have named the new one: its
   * certificate is worth something only where the host is the one asked for. */
  if (!was_private && (before == NULL || self->uri == NULL ||
                       g_ascii_strcasecmp (g_uri_get_host (before), g_uri_get_host (self->uri)) != 0))
    self->may_be_misled = TRUE;
  g_clear_object (&self->certificate);
  self->was_used = FALSE;
  self->is_local = FALSE;
}

char *
bosh_transport_dup_uri (BoshTransport *self)
{
  return self->uri != NULL ? g_uri_to_string (self->uri) : NULL;
}

void
bosh_transport_post (BoshTransport *self,
                     guint64        id,
                     GBytes        *body,
                     const char    *coding,
                     gboolean       is_urgent)
{
  BoshExchange *exchange;

  g_return_if_fail (!g_hash_table_contains (self->exchanges, &id));

  exchange = bosh_exchange_new (self, id);
  exchange->is_urgent = is_urgent;
  bosh_inner_context_enter (self->inner);
  if (self->uri == NULL)
    {
      bosh_exchange_set_timer (exchange, 0, "[bosh] invalid URI", on_invalid_uri);
    }
  else
    {
      bosh_exchange_take_message (exchange, body, coding);
      soup_session_send_async (self->session,
                               exchange->message,
                               bosh_inner_context_get_priority (self->inner),
                               exchange->cancellable,
                               bosh_exchange_on_sent,
                               bosh_exchange_ref (exchange));
    }
  bosh_inner_context_leave (self->inner);
}

static void
on_prepared (GObject      *source,
             GAsyncResult *result,
             gpointer      user_data)
{
  g_autoptr(BoshExchange) exchange = user_data;

  soup_session_preconnect_finish (SOUP_SESSION (source), result, NULL);
  if (exchange->transport != NULL)
    bosh_exchange_detach (exchange);
}

void
bosh_transport_prepare (BoshTransport *self)
{
  static const guint64 id = SPARE_ID;
  g_autoptr(GBytes) nothing = NULL;
  BoshExchange *exchange;

  if (self->uri == NULL || g_hash_table_contains (self->exchanges, &id))
    return;

  nothing = g_bytes_new (NULL, 0);
  exchange = bosh_exchange_new (self, id);
  exchange->is_spare = TRUE;

  bosh_inner_context_enter (self->inner);
  bosh_exchange_take_message (exchange, nothing, NULL);
  soup_session_preconnect_async (self->session,
                                 exchange->message,
                                 G_PRIORITY_DEFAULT,
                                 exchange->cancellable,
                                 on_prepared,
                                 bosh_exchange_ref (exchange));
  bosh_inner_context_leave (self->inner);
}

void
bosh_transport_cancel (BoshTransport *self,
                       guint64        id)
{
  BoshExchange *exchange = g_hash_table_lookup (self->exchanges, &id);

  if (exchange == NULL)
    return;

  bosh_inner_context_enter (self->inner);
  bosh_exchange_break_off (exchange);
  bosh_exchange_detach (exchange);
  bosh_inner_context_leave (self->inner);
}

void
bosh_transport_cancel_all (BoshTransport *self)
{
  g_autofree gpointer *exchanges = NULL;
  guint n_exchanges;

  exchanges = g_hash_table_get_keys_as_array (self->exchanges, &n_exchanges);
  for (guint i = 0; i < n_exchanges; i++)
    bosh_transport_cancel (self, *(guint64 *)exchanges[i]);
}

GStrv
bosh_transport_dup_cookies (BoshTransport *self)
{
  return bosh_cookies_dup_list (self->cookies, self->uri);
}

void
bosh_transport_add_cookies (BoshTransport      *self,
                            const char * const *cookies)
{
  if (self->uri != NULL)
    bosh_cookies_add (self->cookies, self->uri, cookies);
}

gboolean
bosh_transport_is_private (BoshTransport *self)
{
  if (self->may_be_misled)
    return FALSE;

  return self->is_local ||
         (self->uri != NULL && bosh_uri_is_secure (self->uri));
}
