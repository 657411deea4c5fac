/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-transport-exchange-private.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-transport-coding-private.h"
#include "bosh-transport-error-private.h"
#include "bosh-uri-private.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* Bytes asked of the socket at once. */
#define PIECE_SIZE (8 * 1024)

BoshExchange *
bosh_exchange_new (BoshTransport *transport,
                   guint64        id)
{
  BoshExchange *exchange = g_new0 (BoshExchange, 1);

  g_ref_count_init (&exchange->ref_count);
  exchange->id = id;
  exchange->transport = transport;
  exchange->cancellable = g_cancellable_new ();
  exchange->max_size =
    bosh_connection_configuration_get_max_response_size (transport->configuration);
  g_hash_table_insert (transport->exchanges, &exchange->id, exchange);

  return exchange;
}

void
bosh_exchange_unref (BoshExchange *exchange)
{
  if (!g_ref_count_dec (&exchange->ref_count))
    return;

  g_clear_object (&exchange->message);
  g_clear_object (&exchange->cancellable);
  g_clear_object (&exchange->stream);
  g_clear_pointer (&exchange->body, g_byte_array_unref);
  g_clear_error (&exchange->verdict);
  g_free (exchange);
}

BoshExchange *
bosh_exchange_ref (BoshExchange *exchange)
{
  g_ref_count_inc (&exchange->ref_count);

  return exchange;
}

void
bosh_exchange_set_timer (BoshExchange *exchange,
                         guint         milliseconds,
                         const char   *name,
                         GSourceFunc   callback)
{
  exchange->timer = g_timeout_source_new (milliseconds);
  g_source_set_static_name (exchange->timer, name);
  g_source_set_callback (exchange->timer, callback, exchange, NULL);
  g_source_attach (exchange->timer, bosh_inner_context_get (exchange->transport->inner));
}

static void
exchange_clear_timer (BoshExchange *exchange)
{
  if (exchange->timer != NULL)
    g_source_destroy (exchange->timer);
  g_clear_pointer (&exchange->timer, g_source_unref);
}

static void
exchange_set_connecting (BoshExchange *exchange,
                         gboolean      is_connecting)
{
  if (exchange->is_connecting == is_connecting)
    return;

  exchange->is_connecting = is_connecting;
  bosh_inner_context_set_opening (exchange->transport->inner, is_connecting);
}

/* NULL if it has none yet. */
static GSocket *
exchange_get_socket (BoshExchange *exchange)
{
  guint64 connection_id = soup_message_get_connection_id (exchange->message);

  return g_hash_table_lookup (exchange->transport->sockets, &connection_id);
}

void
bosh_exchange_break_off (BoshExchange *exchange)
{
  /* What was to be only a connection may be another one's by now. */
  if (exchange->message != NULL && !exchange->is_spare)
    {
      GSocket *socket = exchange_get_socket (exchange);

      if (socket != NULL)
        g_socket_shutdown (socket, TRUE, TRUE, NULL);
    }

  g_cancellable_cancel (exchange->cancellable);
}

void
bosh_exchange_detach (BoshExchange *exchange)
{
  BoshTransport *transport;

  bosh_exchange_end_connecting (exchange);
  transport = g_steal_pointer (&exchange->transport);
  if (exchange->message != NULL)
    exchange->role->exchange = NULL;
  g_hash_table_remove (transport->exchanges, &exchange->id);
}

/* The last that is done for an exchange: the callback may free the transport. */
static void
exchange_finish (BoshExchange                *exchange,
                 const BoshTransportResponse *response)
{
  g_autoptr(BoshExchange) kept = bosh_exchange_ref (exchange);
  BoshTransport *transport = exchange->transport;
  BoshTransportResponseFunc callback = transport->response;
  gpointer user_data = transport->user_data;

  bosh_exchange_detach (exchange);

  callback (exchange->id, response, user_data);
}

/* For messages. */
static const char *
get_hostname (BoshTransport *self)
{
  return self->uri != NULL ? g_uri_get_host (self->uri)
                           : bosh_connection_configuration_get_hostname (self->configuration);
}

static GError *
exchange_new_timeout (BoshExchange *exchange)
{
  return g_error_new (BOSH_ERROR, BOSH_ERROR_TIMED_OUT, _("Could not connect to %s in time"),
                      get_hostname (exchange->transport));
}

void
bosh_exchange_fail (BoshExchange *exchange,
                    const GError *error)
{
  const char *hostname = get_hostname (exchange->transport);
  g_autoptr(GError) translated = NULL;
  BoshTransportResponse response = { .retry_after = -1 };

  /* It waited for a connection that was begun for nobody, and not ended by us. */
  if (exchange->verdict == NULL && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    exchange->verdict = exchange_new_timeout (exchange);
  translated = exchange->verdict != NULL
                 ? g_steal_pointer (&exchange->verdict)
                 : bosh_transport_translate_error (hostname, exchange->certificate_errors, error);
  response.error = translated;
  response.maybe_sent = exchange->was_started;

  exchange_finish (exchange, &response);
}

void
bosh_exchange_condemn (BoshExchange *exchange,
                       GQuark        domain,
                       int           code,
                       const char   *message)
{
  if (exchange->verdict == NULL)
    exchange->verdict = g_error_new_literal (domain, code, message);
  bosh_exchange_break_off (exchange);
}

static gboolean
on_connect_timeout (gpointer user_data)
{
  BoshExchange *exchange = user_data;

  if (exchange->verdict == NULL)
    exchange->verdict = exchange_new_timeout (exchange);
  bosh_exchange_break_off (exchange);
  if (!exchange->is_spare)
    bosh_exchange_fail (exchange, NULL);

  return G_SOURCE_REMOVE;
}

void
bosh_exchange_start_connecting (BoshExchange *exchange)
{
  guint timeout =
    bosh_connection_configuration_get_connect_timeout (exchange->transport->configuration);

  exchange_set_connecting (exchange, TRUE);
  exchange_clear_timer (exchange);
  if (timeout != 0)
    bosh_exchange_set_timer (exchange, timeout * 1000, "[bosh] connect timeout",
                             on_connect_timeout);
}

void
bosh_exchange_end_connecting (BoshExchange *exchange)
{
  exchange_set_connecting (exchange, FALSE);
  exchange_clear_timer (exchange);
}

/* Retry-After of RFC 9110 §10.2.3: a delay or a date. */
static int
parse_retry_after (const char *value)
{
  g_autoptr(GDateTime) date = NULL;
  g_autoptr(GDateTime) now = NULL;
  gint64 seconds;

  if (value == NULL || *value == '\0' || strlen (value) > 64)
    return -1;

  if (strspn (value, "0123456789") == strlen (value))
    return (int)MIN (g_ascii_strtoull (value, NULL, 10), BOSH_TRANSPORT_MAX_RETRY_AFTER);

  date = soup_date_time_new_from_http_string (value);
  if (date == NULL)
    return -1;

  /* Rounded up, so that the time has truly come. */
  now = g_date_time_new_now_utc ();
  seconds = (g_date_time_difference (date, now) + G_TIME_SPAN_SECOND - 1) / G_TIME_SPAN_SECOND;

  return (int)CLAMP (seconds, 0, BOSH_TRANSPORT_MAX_RETRY_AFTER);
}

static char *
resolve_location (GUri       *base,
                  const char *value)
{
  g_autoptr(GUri) uri = value != NULL ? bosh_uri_parse_http (value, base, NULL) : NULL;

  return uri != NULL ? g_uri_to_string (uri) : NULL;
}

static GBytes *
exchange_steal_body (BoshExchange  *exchange,
                     GError       **error)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (exchange->message);
  g_autoptr(GBytes) body = NULL;
  GBytes *decoded;

  if (exchange->body == NULL)
    return g_bytes_new (NULL, 0);

  body = g_byte_array_free_to_bytes (g_steal_pointer (&exchange->body));
  decoded = bosh_coding_decode (body, soup_message_headers_get_list (headers, "Content-Encoding"),
                                exchange->max_size, error);
  if (decoded != NULL || soup_message_get_status (exchange->message) == SOUP_STATUS_OK)
    return decoded;

  /* Of an error the status counts. */
  g_clear_error (error);

  return g_steal_pointer (&body);
}

static void
exchange_response (BoshExchange *exchange)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (exchange->message);
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) body = exchange_steal_body (exchange, &error);
  g_autofree char *location = NULL;
  BoshTransportResponse response = { NULL };

  bosh_cookies_take (exchange->transport->cookies, exchange->transport->uri, exchange->message);
  if (body == NULL)
    {
      bosh_exchange_fail (exchange, error);
      return;
    }

  response.status = soup_message_get_status (exchange->message);
  if (SOUP_STATUS_IS_REDIRECTION (response.status))
    location = resolve_location (exchange->transport->uri,
                                 soup_message_headers_get_one (headers, "Location"));

  response.maybe_sent = TRUE;
  response.body = body;
  response.location = location;
  response.retry_after =
    parse_retry_after (soup_message_headers_get_one (headers, "Retry-After"));

  exchange->role->had_response = response.status == SOUP_STATUS_OK;
  exchange_finish (exchange, &response);
}

static void exchange_read (BoshExchange *exchange);

/* Returns TRUE if there is more to read. */
static gboolean
exchange_take (BoshExchange *exchange,
               gssize        n_read,
               const GError *error)
{
  g_byte_array_set_size (exchange->body,
                         exchange->body->len - PIECE_SIZE + (guint)MAX (n_read, 0));

  if (n_read < 0)
    {
      bosh_exchange_fail (exchange, error);
    }
  else if (n_read == 0)
    {
      exchange_response (exchange);
    }
  else if (exchange->body->len > exchange->max_size)
    {
      bosh_exchange_condemn (exchange, BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                             _("The answer of the server is too large"));
      bosh_exchange_fail (exchange, NULL);
    }
  else
    {
      return TRUE;
    }

  return FALSE;
}

static void
on_read (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  g_autoptr(BoshExchange) exchange = user_data;
  g_autoptr(GError) error = NULL;
  gssize n_read;

  n_read = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);
  if (exchange->transport != NULL && exchange_take (exchange, n_read, error))
    exchange_read (exchange);
}

/* Reads what is there at once: mostly that is the rest of the answer, and each
 * round through the main loop costs as much as parsing it. Returns FALSE, with
 * nothing done, where it has to be waited for. */
static gboolean
exchange_read_now (BoshExchange  *exchange,
                   guint          length,
                   gssize        *n_read,
                   GError       **error)
{
  GPollableInputStream *stream = (GPollableInputStream *)exchange->stream;

  if (!G_IS_POLLABLE_INPUT_STREAM (stream) || !g_pollable_input_stream_can_poll (stream))
    return FALSE;

  *n_read = g_pollable_input_stream_read_nonblocking (stream,
                                                      exchange->body->data + length,
                                                      PIECE_SIZE,
                                                      exchange->cancellable,
                                                      error);
  if (*n_read >= 0 || !g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return TRUE;

  g_clear_error (error);

  return FALSE;
}

static gboolean
has_urgent (BoshTransport *self)
{
  GHashTableIter iter;
  gpointer exchange;

  g_hash_table_iter_init (&iter, self->exchanges);
  while (g_hash_table_iter_next (&iter, NULL, &exchange))
    {
      if (((BoshExchange *)exchange)->is_urgent)
        return TRUE;
    }

  return FALSE;
}

/* By Nagle's algorithm a server keeps the rest of an answer back until it knows that
 * the beginning has arrived; the system takes 40 ms to tell, unless it is asked. What
 * comes unasked may take its time, and is more in each answer then. */
static void
exchange_acknowledge (BoshExchange *exchange)
{
#ifdef TCP_QUICKACK
  GSocket *socket = NULL;

  if (exchange->transport != NULL && has_urgent (exchange->transport))
    socket = exchange_get_socket (exchange);
  if (socket != NULL)
    g_socket_set_option (socket, IPPROTO_TCP, TCP_QUICKACK, 1, NULL);
#endif
}

/* Reads the next pieces right behind what is there. Always whole ones, though
 * less might do near the limit: libsoup also uses the buffer for the lines after
 * the last chunk, and complains when it is too small for one. */
static void
exchange_read (BoshExchange *exchange)
{
  int priority = bosh_inner_context_get_priority (exchange->transport->inner);
  g_autoptr(GError) error = NULL;
  guint length;
  gssize n_read;

  for (;;)
    {
      length = exchange->body->len;
      g_byte_array_set_size (exchange->body, length + PIECE_SIZE);
      if (!exchange_read_now (exchange, length, &n_read, &error))
        break;
      if (exchange->transport == NULL || !exchange_take (exchange, n_read, error))
        return;
    }

  exchange_acknowledge (exchange);
  g_input_stream_read_async (exchange->stream,
                             exchange->body->data + length,
                             PIECE_SIZE,
                             priority,
                             exchange->cancellable,
                             on_read,
                             bosh_exchange_ref (exchange));
}

/* The end of the request, and the head of the response. */
void
bosh_exchange_on_sent (GObject      *source,
                       GAsyncResult *result,
                       gpointer      user_data)
{
  g_autoptr(BoshExchange) exchange = user_data;
  g_autoptr(GError) error = NULL;

  exchange->stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (exchange->transport == NULL)
    return;

  if (exchange->is_bodyless)
    {
      exchange_response (exchange);
    }
  else if (exchange->verdict != NULL || error != NULL)
    {
      bosh_exchange_fail (exchange, error);
    }
  else if (!exchange->was_started)
    {
      /* libsoup shows the answer of a proxy to CONNECT as if it were ours. */
      error = g_error_new (G_IO_ERROR, G_IO_ERROR_PROXY_FAILED,
                           _("The proxy refused to connect (HTTP status %u)"),
                           soup_message_get_status (exchange->message));
      bosh_exchange_fail (exchange, error);
    }
  else
    {
      /* Most fit into the first piece, and the end is found with a second. */
      exchange->body = g_byte_array_sized_new (2 * PIECE_SIZE);
      exchange_read (exchange);
    }
}
