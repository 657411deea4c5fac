/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-http-exchange-private.h"

#include "bosh-error.h"
#include "bosh-http-coding-private.h"
#include "bosh-http-error-private.h"
#include "bosh-i18n-private.h"
#include "bosh-source-private.h"
#include "bosh-uri-private.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* Bytes that are read from the stream at once. */
#define PIECE_SIZE (8 * 1024)
/* Reads in one turn of the main loop, for a server may send its response in chunks of one
 * byte, and always have another one ready. */
#define MAX_READS 64

/* Limits on what a server or a proxy could go on with for ever. */
#define MAX_INFORMATIONAL 16
#define MAX_PROXY_NEGOTIATIONS 8
/* Bytes of the body with which a proxy asks for a password, and that libsoup collects. */
#define MAX_CHALLENGE_SIZE (64 * 1024)

BoshExchange *
bosh_exchange_new (BoshExchangeOwner *owner,
                   guint64            id,
                   gboolean           is_urgent)
{
  BoshExchange *exchange = g_new0 (BoshExchange, 1);

  g_ref_count_init (&exchange->ref_count);
  exchange->id = id;
  exchange->owner = owner;
  exchange->cancellable = g_cancellable_new ();
  exchange->is_urgent = is_urgent;
  if (is_urgent)
    owner->n_urgent++;

  return exchange;
}

BoshExchange *
bosh_exchange_ref (BoshExchange *exchange)
{
  g_ref_count_inc (&exchange->ref_count);

  return exchange;
}

void
bosh_exchange_unref (BoshExchange *exchange)
{
  if (!g_ref_count_dec (&exchange->ref_count))
    return;

  g_clear_pointer (&exchange->request, g_bytes_unref);
  g_clear_object (&exchange->message);
  g_clear_object (&exchange->cancellable);
  g_clear_object (&exchange->stream);
  g_clear_object (&exchange->decoder);
  g_clear_pointer (&exchange->compressed, g_byte_array_unref);
  g_clear_pointer (&exchange->body, g_byte_array_unref);
  g_clear_error (&exchange->abort_error);
  g_free (exchange);
}

/* For error messages. */
static const char *
exchange_get_hostname (BoshExchange *exchange)
{
  GUri *uri = bosh_peer_get_uri (exchange->owner->peer);

  return uri != NULL ? g_uri_get_host (uri) : "";
}

/* --- The end --- */

static void
exchange_end_connecting (BoshExchange *exchange)
{
  bosh_source_clear (&exchange->timer);
  g_clear_pointer (&exchange->probe, bosh_plain_probe_free);
  if (!exchange->is_connecting)
    return;

  exchange->is_connecting = FALSE;
  bosh_inner_context_set_opening (exchange->owner->inner, FALSE);
}

void
bosh_exchange_orphan (BoshExchange *exchange)
{
  exchange_end_connecting (exchange);
  if (exchange->is_urgent)
    exchange->owner->n_urgent--;
  if (exchange->is_stalled)
    exchange->owner->n_stalled--;
  exchange->owner = NULL;
  if (exchange->link != NULL)
    exchange->link->exchange = NULL;
}

/* NULL before there is a connection. */
static GSocket *
exchange_get_socket (BoshExchange *exchange)
{
  return bosh_peer_get_socket (exchange->owner->peer,
                               soup_message_get_connection_id (exchange->message));
}

void
bosh_exchange_cancel_io (BoshExchange *exchange)
{
  /* The connection of a preconnect may be in use by another exchange already. */
  if (exchange->message != NULL && !exchange->is_preconnect)
    {
      GSocket *socket = exchange_get_socket (exchange);

      if (socket != NULL)
        g_socket_shutdown (socket, TRUE, TRUE, NULL);
    }

  g_cancellable_cancel (exchange->cancellable);
}

/* For use inside of a signal of libsoup: the exchange fails with @error (transfer full)
 * from the main loop, where the transport may be freed. */
static void
exchange_abort (BoshExchange *exchange,
                GError       *error)
{
  if (exchange->abort_error == NULL)
    exchange->abort_error = error;
  else
    g_error_free (error);
  bosh_exchange_cancel_io (exchange);
}

static GError *
exchange_new_timeout (BoshExchange *exchange)
{
  return g_error_new (BOSH_ERROR, BOSH_ERROR_TIMED_OUT, _("Could not connect to %s in time"),
                      exchange_get_hostname (exchange));
}

/* What responds to a handshake with something else, or with the end of the connection, may
 * have taken it for a request in plain HTTP. */
static GError *
exchange_translate (BoshExchange *exchange,
                    const GError *error)
{
  g_autoptr(GError) translated = NULL;

  translated = bosh_http_translate_error (exchange_get_hostname (exchange),
                                          exchange->certificate_errors, error);
  if (exchange->probe == NULL || error->domain != G_TLS_ERROR || exchange->certificate_errors != 0)
    return g_steal_pointer (&translated);

  return g_error_new (translated->domain, translated->code,
                      _("%s; the port may want http instead of https"), translated->message);
}

/* @error: (nullable) after exchange_abort(). */
static void
exchange_fail (BoshExchange *exchange,
               const GError *error)
{
  g_autoptr(GError) translated = NULL;

  /* libsoup had it wait for the connection of a preconnect, which timed out. */
  if (exchange->abort_error == NULL && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    exchange->abort_error = exchange_new_timeout (exchange);

  translated = exchange->abort_error != NULL
                 ? g_steal_pointer (&exchange->abort_error)
                 : exchange_translate (exchange, error);
  exchange->owner->failure (exchange, translated, exchange->was_started);
}

static gboolean
on_timer (gpointer user_data)
{
  BoshExchange *exchange = user_data;

  if (exchange->abort_error == NULL)
    exchange->abort_error = exchange_new_timeout (exchange);
  bosh_exchange_cancel_io (exchange);
  /* A preconnect ends with the callback of libsoup. */
  if (!exchange->is_preconnect)
    exchange_fail (exchange, NULL);

  return G_SOURCE_REMOVE;
}

static void
exchange_set_timer (BoshExchange *exchange,
                    guint         milliseconds)
{
  exchange->timer = g_timeout_source_new (milliseconds);
  g_source_set_static_name (exchange->timer, "[bosh] connect timeout");
  g_source_set_callback (exchange->timer, on_timer, exchange, NULL);
  g_source_attach (exchange->timer, bosh_inner_context_get (exchange->owner->inner));
}

void
bosh_exchange_fail_soon (BoshExchange *exchange,
                         GError       *error)
{
  exchange->abort_error = error;
  exchange_set_timer (exchange, 0);
}

/* --- The request --- */

/* libsoup begins with a new connection. */
static void
exchange_start_connecting (BoshExchange *exchange)
{
  BoshExchangeOwner *owner = exchange->owner;

  if (!exchange->is_connecting)
    bosh_inner_context_set_opening (owner->inner, TRUE);
  exchange->is_connecting = TRUE;

  bosh_source_clear (&exchange->timer);
  if (owner->connect_timeout != 0)
    exchange_set_timer (exchange, owner->connect_timeout * 1000);
}

/* With HTTP/2, libsoup 3.2 does not notice that a request was cancelled before the
 * server sends something, so it is not offered. */
static void
exchange_restrict_protocols (BoshExchange *exchange,
                             GIOStream    *connection)
{
  static const char * const protocols[] = { "http/1.1", NULL };

  if (G_IS_TLS_CONNECTION (connection))
    g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (connection), protocols);
}

/* The session goes on after a preconnect that has failed, with its own certificate. */
static void
exchange_note_refusal (BoshExchange         *exchange,
                       GTlsCertificate      *certificate,
                       GTlsCertificateFlags  errors)
{
  if (exchange->owner != NULL && !exchange->is_preconnect)
    bosh_peer_note_refusal (exchange->owner->peer, certificate, errors);
}

static void
on_plain_http (gpointer user_data)
{
  BoshExchange *exchange = user_data;
  GUri *uri = bosh_peer_get_uri (exchange->owner->peer);

  g_clear_pointer (&exchange->probe, bosh_plain_probe_free);
  exchange_abort (exchange, g_error_new (BOSH_ERROR, BOSH_ERROR_TLS,
                                         _("%s speaks http on port %d, and not https"),
                                         g_uri_get_host (uri), g_uri_get_port (uri)));
}

/* A preconnect follows a connection that works. */
static void
exchange_probe (BoshExchange *exchange,
                GIOStream    *connection)
{
  g_autoptr(BoshInnerScope) scope = bosh_inner_context_enter (exchange->owner->inner);

  g_clear_pointer (&exchange->probe, bosh_plain_probe_free);
  if (!exchange->is_preconnect && exchange->n_proxy_negotiations == 0)
    exchange->probe = bosh_plain_probe_new (connection, on_plain_http, exchange);
}

/* There is a new connection. */
static void
exchange_check_connection (BoshExchange *exchange,
                           GIOStream    *connection)
{
  BoshPeer *peer = exchange->owner->peer;

  bosh_peer_remember_socket (peer, soup_message_get_connection_id (exchange->message), connection);
  if (!G_IS_TLS_CONNECTION (connection) ||
      bosh_peer_check_certificate (peer, G_TLS_CONNECTION (connection)))
    return;

  exchange_note_refusal (exchange,
                         g_tls_connection_get_peer_certificate (G_TLS_CONNECTION (connection)),
                         g_tls_connection_get_peer_certificate_errors (G_TLS_CONNECTION (connection)));
  exchange_abort (exchange, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TLS,
                                                 _("The server shows another certificate "
                                                   "than before")));
}

void
bosh_exchange_handle_network_event (BoshExchange       *exchange,
                                    GSocketClientEvent  event,
                                    GIOStream          *connection)
{
  if (event == G_SOCKET_CLIENT_RESOLVING)
    exchange_start_connecting (exchange);
  else if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
    {
      exchange_restrict_protocols (exchange, connection);
      exchange_probe (exchange, connection);
    }
  else if (event == G_SOCKET_CLIENT_TLS_HANDSHAKED)
    g_clear_pointer (&exchange->probe, bosh_plain_probe_free);
  else if (event == G_SOCKET_CLIENT_COMPLETE)
    exchange_check_connection (exchange, connection);
  else if (event == G_SOCKET_CLIENT_PROXY_NEGOTIATING &&
           ++exchange->n_proxy_negotiations > MAX_PROXY_NEGOTIATIONS)
    exchange_abort (exchange, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PROXY_FAILED,
                                                   _("The proxy refuses to connect")));
}

/* The application may show a dialog, drop the transport, or both. */
static gboolean
exchange_ask (BoshExchange         *exchange,
              GTlsCertificate      *certificate,
              GTlsCertificateFlags  errors)
{
  BoshExchangeOwner *owner = exchange->owner;
  gboolean is_accepted;

  if (owner->accept_certificate == NULL)
    return FALSE;

  bosh_source_clear (&exchange->timer);
  is_accepted = owner->accept_certificate (owner, certificate, errors);
  if (!is_accepted || exchange->owner == NULL)
    return FALSE;

  bosh_peer_accept_certificate (owner->peer);
  exchange_start_connecting (exchange);

  return TRUE;
}

gboolean
bosh_exchange_handle_certificate (BoshExchange         *exchange,
                                  GTlsCertificate      *certificate,
                                  GTlsCertificateFlags  errors)
{
  /* The application may drop the transport and run the main loop while it is asked. */
  g_autoptr(BoshExchange) kept = bosh_exchange_ref (exchange);
  BoshPeerVerdict verdict = bosh_peer_judge_certificate (exchange->owner->peer, certificate,
                                                         errors);

  if (verdict == BOSH_PEER_ACCEPT ||
      (verdict == BOSH_PEER_ASK && exchange_ask (exchange, certificate, errors)))
    return TRUE;

  exchange->certificate_errors = errors != 0 ? errors : G_TLS_CERTIFICATE_GENERIC_ERROR;
  exchange_note_refusal (exchange, certificate, errors);

  return FALSE;
}

/* --- Proxies that ask for a password --- */

/* Has the proxy sent the response, and not the server? */
static gboolean
exchange_is_of_proxy (BoshExchange *exchange)
{
  /* libsoup shows the response to a CONNECT as if it were that to the message. */
  return !exchange->was_started ||
         G_IS_PROXY_ADDRESS (soup_message_get_remote_address (exchange->message));
}

gboolean
bosh_exchange_handle_authenticate (BoshExchange *exchange,
                                   SoupAuth     *auth,
                                   gboolean      retrying)
{
  if (!soup_auth_is_for_proxy (auth) || !exchange_is_of_proxy (exchange))
    return FALSE;

  exchange->proxy_asked = TRUE;
  if (retrying)
    return FALSE;

  exchange->gave_password = bosh_proxy_resolver_authenticate (exchange->owner->proxies, auth);

  return exchange->gave_password;
}

/* A challenge of a length that is not known beforehand, or where the proxy closes the
 * connection after it: libsoup gives the password with the next request, without being asked. */
static gboolean
exchange_repeat (BoshExchange *exchange)
{
  if (!exchange->gave_password || exchange->was_repeated ||
      soup_message_get_status (exchange->message) != SOUP_STATUS_PROXY_AUTHENTICATION_REQUIRED)
    return FALSE;

  exchange_end_connecting (exchange);
  if (exchange->link != NULL)
    exchange->link->exchange = NULL;
  g_clear_object (&exchange->message);
  g_clear_object (&exchange->stream);
  g_clear_object (&exchange->cancellable);
  exchange->cancellable = g_cancellable_new ();
  exchange->n_informational = 0;
  exchange->n_proxy_negotiations = 0;
  exchange->was_started = FALSE;
  exchange->is_bodyless = FALSE;
  exchange->was_repeated = TRUE;
  exchange->owner->repeat (exchange);

  return TRUE;
}

static void
exchange_fail_at_proxy (BoshExchange *exchange)
{
  guint status = soup_message_get_status (exchange->message);
  g_autoptr(GError) error = NULL;

  /* tinyproxy has 401 for a wrong password. */
  if (status == SOUP_STATUS_UNAUTHORIZED && exchange->gave_password)
    status = SOUP_STATUS_PROXY_AUTHENTICATION_REQUIRED;

  if (status != SOUP_STATUS_PROXY_AUTHENTICATION_REQUIRED)
    error = g_error_new (G_IO_ERROR, G_IO_ERROR_PROXY_FAILED,
                         _("The proxy refused to connect (HTTP status %u)"), status);
  else if (exchange->gave_password)
    error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PROXY_AUTH_FAILED,
                                 _("The proxy does not accept the user name and the password"));
  else
    error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PROXY_NEED_AUTH,
                                 _("The proxy asks for a user name and a password"));

  /* Nothing has reached the server. */
  exchange->was_started = FALSE;
  exchange_fail (exchange, error);
}

void
bosh_exchange_handle_starting (BoshExchange *exchange)
{
  exchange->was_started = TRUE;
  exchange_end_connecting (exchange);
  bosh_peer_note_start (exchange->owner->peer,
                        soup_message_get_remote_address (exchange->message));
}

void
bosh_exchange_handle_written (BoshExchange *exchange)
{
  if (exchange->owner->written != NULL)
    exchange->owner->written (exchange);
}

/* --- The response --- */

void
bosh_exchange_handle_informational (BoshExchange *exchange)
{
  if (++exchange->n_informational > MAX_INFORMATIONAL)
    exchange_abort (exchange, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                                                   _("The server sends no final response")));
}

/* libsoup would collect the body without a limit, and for 421 send the request again. */
static gboolean
is_unbounded (SoupMessage *message)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);
  guint status = soup_message_get_status (message);

  if (status == SOUP_STATUS_PROXY_AUTHENTICATION_REQUIRED)
    return soup_message_headers_get_encoding (headers) != SOUP_ENCODING_CONTENT_LENGTH ||
           soup_message_headers_get_content_length (headers) > MAX_CHALLENGE_SIZE;

  return status == SOUP_STATUS_MISDIRECTED_REQUEST || status == SOUP_STATUS_UNAUTHORIZED;
}

void
bosh_exchange_handle_headers (BoshExchange *exchange)
{
  guint status = soup_message_get_status (exchange->message);

  /* Before the request was sent, this may be the response of a proxy. */
  if (is_unbounded (exchange->message) ||
      (exchange->owner->needs_only_200 && exchange->was_started && status != SOUP_STATUS_OK))
    {
      exchange->is_bodyless = TRUE;
      bosh_exchange_cancel_io (exchange);
    }
}

/* RFC 9110 §10.2.3: Retry-After is a delay in seconds or a date. */
static int
parse_retry_after (const char *value)
{
  g_autoptr(GDateTime) date = NULL;
  g_autoptr(GDateTime) now = NULL;
  gint64 seconds;

  if (value == NULL || *value == '\0' || strlen (value) > 64)
    return -1;

  if (strspn (value, "0123456789") == strlen (value))
    return (int)MIN (g_ascii_strtoull (value, NULL, 10), BOSH_EXCHANGE_MAX_RETRY_AFTER);

  date = soup_date_time_new_from_http_string (value);
  if (date == NULL)
    return -1;

  /* Rounded up, so as not to come too early. */
  now = g_date_time_new_now_utc ();
  seconds = (g_date_time_difference (date, now) + G_TIME_SPAN_SECOND - 1) / G_TIME_SPAN_SECOND;

  return (int)CLAMP (seconds, 0, BOSH_EXCHANGE_MAX_RETRY_AFTER);
}

static char *
resolve_location (GUri       *base,
                  const char *value)
{
  g_autoptr(GUri) uri = value != NULL ? bosh_uri_parse_http (value, base, NULL) : NULL;

  return uri != NULL ? g_uri_to_string (uri) : NULL;
}

static void
exchange_respond (BoshExchange *exchange)
{
  BoshExchangeOwner *owner = exchange->owner;
  GUri *uri = bosh_peer_get_uri (owner->peer);
  SoupMessageHeaders *headers = soup_message_get_response_headers (exchange->message);
  guint status = soup_message_get_status (exchange->message);
  g_autoptr(GBytes) body = NULL;
  g_autofree char *location = NULL;
  BoshHttpResponse response;

  if (owner->cookies != NULL)
    bosh_cookies_take (owner->cookies, uri, exchange->message);
  if (exchange->body != NULL)
    body = g_byte_array_free_to_bytes (g_steal_pointer (&exchange->body));
  else
    body = g_bytes_new (NULL, 0);

  if (SOUP_STATUS_IS_REDIRECTION (status))
    location = resolve_location (uri, soup_message_headers_get_one (headers, "Location"));

  response = (BoshHttpResponse){
    .status = status,
    .body = body,
    .retry_after = parse_retry_after (soup_message_headers_get_one (headers, "Retry-After")),
    .location = location,
  };
  exchange->link->is_reusable = status == SOUP_STATUS_OK;
  owner->response (exchange, &response);
}

/* --- The body --- */

static gboolean
exchange_is_good (BoshExchange *exchange)
{
  return soup_message_get_status (exchange->message) == SOUP_STATUS_OK;
}

/* Where the next piece is read to, always PIECE_SIZE bytes, though less might do near the
 * limit: libsoup also uses the buffer for the lines after the last chunk, and fails if it
 * is too small for one of them. */
static GByteArray *
exchange_get_buffer (BoshExchange *exchange)
{
  return exchange->decoder != NULL ? exchange->compressed : exchange->body;
}

static guint8 *
exchange_add_space (BoshExchange *exchange)
{
  GByteArray *buffer = exchange_get_buffer (exchange);
  guint length = buffer->len;

  g_byte_array_set_size (buffer, length + PIECE_SIZE);

  return buffer->data + length;
}

/* Takes the result of a read. FALSE if that has failed; the transport may be gone then. */
static gboolean
exchange_take (BoshExchange *exchange,
               gssize        n_read,
               const GError *error)
{
  GByteArray *buffer = exchange_get_buffer (exchange);

  g_byte_array_set_size (buffer, buffer->len - PIECE_SIZE + (guint)MAX (n_read, 0));
  if (n_read < 0)
    {
      exchange_fail (exchange, error);
      return FALSE;
    }

  exchange->is_read = n_read == 0;
  exchange->n_read += n_read;

  return TRUE;
}

/* Decodes a piece of what was read. @has_more: (out): there may be another one. Of a
 * response with another status than 200, a body that can't be decoded is not needed. */
static gboolean
exchange_decode (BoshExchange  *exchange,
                 gboolean      *has_more,
                 GError       **error)
{
  guint length = exchange->body->len;

  *has_more = FALSE;
  if (exchange->decoder == NULL)
    return TRUE;

  if (!exchange->is_decoded &&
      !bosh_http_decode (exchange->decoder, exchange->compressed, exchange->is_read,
                         exchange->body, &exchange->is_decoded, error))
    {
      if (exchange_is_good (exchange))
        return FALSE;
      g_clear_error (error);
      exchange->is_decoded = TRUE;
    }

  /* What follows the compressed data is ignored. */
  if (exchange->is_decoded)
    g_byte_array_set_size (exchange->compressed, 0);
  else
    *has_more = exchange->is_read || exchange->body->len > length;

  return TRUE;
}

/* Whether the body may grow further. It may not, with @error not set, where nothing is
 * read for a time, or where no more of it is needed. */
static gboolean
exchange_may_grow (BoshExchange  *exchange,
                   GError       **error)
{
  BoshExchangeOwner *owner = exchange->owner;

  if (MAX (exchange->n_read, exchange->body->len) > owner->max_size)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                           _("The response of the server is too large"));
      return FALSE;
    }

  if (exchange->body->len < BOSH_EXCHANGE_PIECE || exchange->is_read)
    return TRUE;

  if (!exchange_is_good (exchange))
    {
      bosh_exchange_cancel_io (exchange);
      exchange->is_read = TRUE;
    }
  else if (owner->may_read != NULL && !owner->may_read (exchange))
    {
      exchange->is_stalled = TRUE;
      owner->n_stalled++;
      return FALSE;
    }

  return TRUE;
}

/* Does what follows from what was read. FALSE if nothing is to be read, for a time or for
 * ever; the transport may be gone then. */
static gboolean
exchange_process (BoshExchange *exchange)
{
  g_autoptr(GError) error = NULL;
  gboolean has_more;

  do
    {
      if (exchange_decode (exchange, &has_more, &error) && exchange_may_grow (exchange, &error))
        continue;
      if (error != NULL)
        {
          bosh_exchange_cancel_io (exchange);
          exchange->abort_error = g_steal_pointer (&error);
          exchange_fail (exchange, NULL);
        }
      return FALSE;
    }
  while (has_more);

  if (exchange->is_read)
    exchange_respond (exchange);

  return !exchange->is_read;
}

static void exchange_read (BoshExchange *exchange);

static void
on_read (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  g_autoptr(BoshExchange) exchange = user_data;
  g_autoptr(GError) error = NULL;
  gssize n_read;

  n_read = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);
  if (exchange->owner != NULL && exchange_take (exchange, n_read, error))
    exchange_read (exchange);
}

/* Reads without waiting, because the rest of the response is mostly there already, and
 * an iteration of the main loop costs as much as to parse it. Returns FALSE, having
 * done nothing, if it has to be waited for. */
static gboolean
exchange_read_now (BoshExchange  *exchange,
                   guint8        *space,
                   gssize        *n_read,
                   GError       **error)
{
  GPollableInputStream *stream = (GPollableInputStream *)exchange->stream;

  if (!G_IS_POLLABLE_INPUT_STREAM (stream) || !g_pollable_input_stream_can_poll (stream))
    return FALSE;

  *n_read = g_pollable_input_stream_read_nonblocking (stream, space, PIECE_SIZE,
                                                      exchange->cancellable, error);
  if (*n_read >= 0 || !g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return TRUE;

  g_clear_error (error);

  return FALSE;
}

/* With Nagle's algorithm a server keeps the rest of a response back until it knows that
 * the beginning has arrived, and Linux puts the acknowledgement off for 40 ms. So it is
 * asked to send it at once while a request with stanzas is open, that is, while somebody
 * may wait for the response. Other responses may take their time, and then carry more. */
static void
exchange_acknowledge (BoshExchange *exchange)
{
#ifdef TCP_QUICKACK
  GSocket *socket = NULL;

  if (exchange->owner != NULL && exchange->owner->n_urgent > 0)
    socket = exchange_get_socket (exchange);
  if (socket != NULL)
    g_socket_set_option (socket, IPPROTO_TCP, TCP_QUICKACK, 1, NULL);
#endif
}

static void
exchange_report (BoshExchange *exchange)
{
  if (exchange->n_read == exchange->n_reported || exchange->owner == NULL ||
      exchange->owner->progress == NULL)
    return;

  exchange->n_reported = exchange->n_read;
  exchange->owner->progress (exchange);
}

/* Goes on from what was read to the next time that the rest has to be waited for, or that
 * it is the turn of others. */
static void
exchange_read (BoshExchange *exchange)
{
  g_autoptr(BoshExchange) kept = bosh_exchange_ref (exchange);
  g_autoptr(GError) error = NULL;
  guint8 *space;
  gssize n_read;

  for (guint n = 0;; n++)
    {
      if (!exchange_process (exchange))
        return;
      space = exchange_add_space (exchange);
      if (n == MAX_READS || !exchange_read_now (exchange, space, &n_read, &error))
        break;
      if (exchange->owner == NULL || !exchange_take (exchange, n_read, error))
        return;
    }

  exchange_acknowledge (exchange);
  exchange_report (exchange);
  g_input_stream_read_async (exchange->stream, space, PIECE_SIZE,
                             bosh_inner_context_get_priority (exchange->owner->inner),
                             exchange->cancellable,
                             on_read,
                             bosh_exchange_ref (exchange));
}

void
bosh_exchange_read_on (BoshExchange *exchange)
{
  if (exchange->owner == NULL || !exchange->is_stalled)
    return;

  exchange->is_stalled = FALSE;
  exchange->owner->n_stalled--;
  exchange_read (exchange);
}

static void
exchange_begin_body (BoshExchange *exchange)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (exchange->message);
  const char *codings = soup_message_headers_get_list (headers, "Content-Encoding");
  g_autoptr(GError) error = NULL;

  if (!bosh_http_decoder_new (codings, &exchange->decoder, &error) && exchange_is_good (exchange))
    {
      exchange->abort_error = g_steal_pointer (&error);
      bosh_exchange_cancel_io (exchange);
      exchange_fail (exchange, NULL);
      return;
    }

  /* Most responses fit into one piece; the second one finds the end. */
  exchange->body = g_byte_array_sized_new (2 * PIECE_SIZE);
  if (exchange->decoder != NULL)
    exchange->compressed = g_byte_array_sized_new (2 * PIECE_SIZE);
  exchange_read (exchange);
}

void
bosh_exchange_on_sent (GObject      *source,
                       GAsyncResult *result,
                       gpointer      user_data)
{
  g_autoptr(BoshExchange) exchange = user_data;
  g_autoptr(GError) error = NULL;

  exchange->stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (exchange->owner == NULL)
    return;

  if (exchange_repeat (exchange))
    return;
  if (soup_message_get_status (exchange->message) == SOUP_STATUS_PROXY_AUTHENTICATION_REQUIRED &&
      exchange->abort_error == NULL && exchange_is_of_proxy (exchange))
    {
      exchange_fail_at_proxy (exchange);
    }
  else if (exchange->is_bodyless && exchange->was_started)
    {
      exchange_respond (exchange);
    }
  else if (exchange->abort_error != NULL || error != NULL)
    {
      exchange_fail (exchange, error);
    }
  else if (!exchange->was_started)
    {
      exchange_fail_at_proxy (exchange);
    }
  else
    {
      exchange_begin_body (exchange);
    }
}
