/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-transport-private.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"

#include <libsoup/soup.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* Enough for the window of a session and the spare requests of XEP-0124 §11. */
#define MAX_CONNECTIONS 10
/* Seconds that a connection is kept which nobody uses. */
#define IDLE_TIMEOUT 60
/* Bytes asked of the socket at once. */
#define PIECE_SIZE (8 * 1024)
/* Messages of libsoup that are kept for the next exchanges. */
#define MAX_SPARE 2

/* Limits on what a server can make us keep or do. */
#define MAX_COOKIES 32
#define MAX_COOKIE_SIZE 4096
#define MAX_LOCATION_LENGTH 2048
#define MAX_INFORMATIONAL 16
#define MAX_PROXY_NEGOTIATIONS 8

typedef struct _Exchange Exchange;

/* Of the exchange that only makes a connection: no request has it. */
#define SPARE_ID G_MAXUINT64

/* What a message is to us. It goes with the message. */
typedef struct
{
  Exchange *exchange;             /* NULL: its exchange is over */
  guint n_moves;                  /* of the transport, at the start */
  gboolean was_answered;
} Role;

struct _BoshTransport
{
  BoshConnectionConfiguration *configuration;
  BoshTransportWrittenFunc written;
  BoshTransportResponseFunc response;
  gpointer user_data;

  BoshInnerContext *inner;
  SoupSession *session;
  SoupCookieJar *cookies;         /* no feature of the session: that is costly */
  gboolean has_cookies;           /* were there ever any? */
  GUri *uri;                      /* NULL: the configuration has none */
  guint n_moves;                  /* how often it was changed */
  GHashTable *exchanges;          /* id → Exchange, those under way */
  GQueue spare;                   /* of SoupMessage, that come from the URI */
  GHashTable *sockets;            /* libsoup's id of a connection → GSocket */
  GTlsCertificate *certificate;   /* of the server, as first seen */
  gboolean was_used;
  gboolean is_local;              /* all connections used were direct and local */
  gboolean may_be_misled;         /* sent elsewhere by what nobody vouches for */
};

/* One POST. It outlives the transport while libsoup works on it: then its
 * transport is NULL, and it comes to its end without a word. */
struct _Exchange
{
  grefcount ref_count;
  guint64 id;
  BoshTransport *transport;
  SoupMessage *message;
  Role *role;                     /* of the message; valid as long as there is one */
  GCancellable *cancellable;
  GSource *timer;                 /* until the connection is up */
  GInputStream *stream;
  GByteArray *body;
  gsize max_size;
  GError *verdict;                /* why we broke it off */
  GTlsCertificateFlags certificate_errors;
  guint n_informational;
  guint n_proxy_negotiations;
  gboolean is_urgent;
  gboolean is_connecting;
  gboolean was_started;           /* a connection was had */
  gboolean is_bodyless;           /* broken off, but status and headers count */
  gboolean is_spare;              /* makes a connection, and nobody waits for it */
};

static void
exchange_unref (Exchange *exchange)
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

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Exchange, exchange_unref)

static Exchange *
exchange_ref (Exchange *exchange)
{
  g_ref_count_inc (&exchange->ref_count);

  return exchange;
}

static void
exchange_clear_timer (Exchange *exchange)
{
  if (exchange->timer != NULL)
    g_source_destroy (exchange->timer);
  g_clear_pointer (&exchange->timer, g_source_unref);
}

static void
exchange_set_connecting (Exchange *exchange,
                         gboolean  is_connecting)
{
  if (exchange->is_connecting == is_connecting)
    return;

  exchange->is_connecting = is_connecting;
  bosh_inner_context_set_opening (exchange->transport->inner, is_connecting);
}

/* NULL if it has none yet. */
static GSocket *
exchange_get_socket (Exchange *exchange)
{
  guint64 connection_id = soup_message_get_connection_id (exchange->message);

  return g_hash_table_lookup (exchange->transport->sockets, &connection_id);
}

/* Ends what libsoup does for it. Cancelling takes effect in the next iteration
 * of the main loop; the socket is closed now, so that the server sees the end
 * of this exchange before the start of the next. It also keeps the blocking
 * close of a TLS connection from waiting for room in the socket's buffer. */
static void
exchange_break_off (Exchange *exchange)
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

/* Parts it from its transport: no callback comes afterwards. */
static void
exchange_detach (Exchange *exchange)
{
  BoshTransport *transport;

  exchange_set_connecting (exchange, FALSE);
  exchange_clear_timer (exchange);
  transport = g_steal_pointer (&exchange->transport);
  if (exchange->message != NULL)
    exchange->role->exchange = NULL;
  g_hash_table_remove (transport->exchanges, &exchange->id);
}

/* The last that is done for an exchange: the callback may free the transport. */
static void
exchange_finish (Exchange                    *exchange,
                 const BoshTransportResponse *response)
{
  g_autoptr(Exchange) kept = exchange_ref (exchange);
  BoshTransport *transport = exchange->transport;
  BoshTransportResponseFunc callback = transport->response;
  gpointer user_data = transport->user_data;

  exchange_detach (exchange);

  callback (exchange->id, response, user_data);
}

/* What is wrong with a certificate, for people. */
static char *
describe_certificate_errors (GTlsCertificateFlags flags)
{
  static const struct
  {
    GTlsCertificateFlags flag;
    const char *text;
  } reasons[] = {
    { G_TLS_CERTIFICATE_UNKNOWN_CA, N_("it was issued by an unknown authority") },
    { G_TLS_CERTIFICATE_BAD_IDENTITY, N_("it was issued for another host") },
    { G_TLS_CERTIFICATE_NOT_ACTIVATED, N_("it is not valid yet") },
    { G_TLS_CERTIFICATE_EXPIRED, N_("it has expired") },
    { G_TLS_CERTIFICATE_REVOKED, N_("it was revoked") },
    { G_TLS_CERTIFICATE_INSECURE, N_("its algorithm is insecure") },
  };
  g_autoptr(GString) text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
    {
      if ((flags & reasons[i].flag) == 0)
        continue;

      if (text->len > 0)
        g_string_append (text, _(", "));
      g_string_append (text, _(reasons[i].text));
    }

  if (text->len == 0)
    g_string_append (text, _("it could not be checked"));

  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* For messages. */
static const char *
get_hostname (BoshTransport *self)
{
  return self->uri != NULL ? g_uri_get_host (self->uri)
                           : bosh_connection_configuration_get_hostname (self->configuration);
}

GError *
bosh_transport_translate_error (const char           *hostname,
                                GTlsCertificateFlags  certificate_errors,
                                const GError         *error)
{
  if (certificate_errors != 0)
    {
      g_autofree char *text = describe_certificate_errors (certificate_errors);

      return g_error_new (BOSH_ERROR, BOSH_ERROR_TLS,
                          _("The certificate of %s can't be trusted: %s"),
                          hostname, text);
    }

  /* The connection broke, and TLS is merely who noticed: in the handshake it
   * says NOT_TLS, and later EOF. */
  if (g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_NOT_TLS) ||
      g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_EOF))
    return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, error->message);

  if (error->domain == G_TLS_ERROR)
    return g_error_new (BOSH_ERROR, BOSH_ERROR_TLS,
                        _("The encrypted connection to %s failed: %s"),
                        hostname, error->message);

  if (error->domain == SOUP_SESSION_ERROR)
    return g_error_new (BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                        _("The answer of %s is not HTTP: %s"),
                        hostname, error->message);

  return g_error_copy (error);
}

static GError *
exchange_new_timeout (Exchange *exchange)
{
  return g_error_new (BOSH_ERROR, BOSH_ERROR_TIMED_OUT, _("Could not connect to %s in time"),
                      get_hostname (exchange->transport));
}

static void
exchange_fail (Exchange     *exchange,
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

/* Breaks off from inside a signal of libsoup; the callback follows from the
 * main loop, where everything may be done. */
static void
exchange_condemn (Exchange   *exchange,
                  GQuark      domain,
                  int         code,
                  const char *message)
{
  if (exchange->verdict == NULL)
    exchange->verdict = g_error_new_literal (domain, code, message);
  exchange_break_off (exchange);
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
  g_autoptr(GUri) uri = NULL;
  g_autofree char *location = NULL;

  if (value == NULL || strlen (value) > MAX_LOCATION_LENGTH ||
      !g_utf8_validate (value, -1, NULL))
    return NULL;

  uri = g_uri_parse_relative (base, value, G_URI_FLAGS_ENCODED, NULL);
  if (uri == NULL)
    return NULL;

  location = g_uri_to_string (uri);

  return g_utf8_validate (location, -1, NULL) ? g_steal_pointer (&location) : NULL;
}

/* libsoup's jar keeps whatever it is given. */
static void
limit_cookies (SoupCookieJar *jar)
{
  GSList *cookies = soup_cookie_jar_all_cookies (jar);
  guint n_kept = 0;

  for (GSList *l = cookies; l != NULL; l = l->next)
    {
      SoupCookie *cookie = l->data;
      const char *path = soup_cookie_get_path (cookie);
      gsize size = strlen (soup_cookie_get_name (cookie)) +
                   strlen (soup_cookie_get_value (cookie)) +
                   (path != NULL ? strlen (path) : 0);

      if (size > MAX_COOKIE_SIZE || n_kept >= MAX_COOKIES)
        soup_cookie_jar_delete_cookie (jar, cookie);
      else
        n_kept++;
    }

  soup_cookies_free (cookies);
}

static void
exchange_take_cookies (Exchange *exchange)
{
  BoshTransport *self = exchange->transport;
  g_autoptr(GSList) cookies = soup_cookies_from_response (exchange->message);

  /* The jar takes each cookie. */
  for (GSList *l = cookies; l != NULL; l = l->next)
    soup_cookie_jar_add_cookie_full (self->cookies, l->data, self->uri, NULL);

  limit_cookies (self->cookies);
  self->has_cookies = TRUE;
}

static void
exchange_answer (Exchange *exchange)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (exchange->message);
  g_autoptr(GBytes) body = NULL;
  g_autofree char *location = NULL;
  BoshTransportResponse response = { NULL };

  if (soup_message_headers_get_one (headers, "Set-Cookie") != NULL ||
      soup_message_headers_get_list (headers, "Set-Cookie") != NULL)
    exchange_take_cookies (exchange);

  response.status = soup_message_get_status (exchange->message);
  if (SOUP_STATUS_IS_REDIRECTION (response.status))
    location = resolve_location (exchange->transport->uri,
                                 soup_message_headers_get_one (headers, "Location"));
  body = exchange->body != NULL ? g_byte_array_free_to_bytes (g_steal_pointer (&exchange->body))
                                : g_bytes_new (NULL, 0);

  response.maybe_sent = TRUE;
  response.body = body;
  response.location = location;
  response.retry_after =
    parse_retry_after (soup_message_headers_get_one (headers, "Retry-After"));

  exchange->role->was_answered = response.status == SOUP_STATUS_OK;
  exchange_finish (exchange, &response);
}

static void exchange_read (Exchange *exchange);

/* Returns TRUE if there is more to read. */
static gboolean
exchange_take (Exchange     *exchange,
               gssize        n_read,
               const GError *error)
{
  g_byte_array_set_size (exchange->body,
                         exchange->body->len - PIECE_SIZE + (guint)MAX (n_read, 0));

  if (n_read < 0)
    {
      exchange_fail (exchange, error);
    }
  else if (n_read == 0)
    {
      exchange_answer (exchange);
    }
  else if (exchange->body->len > exchange->max_size)
    {
      exchange_condemn (exchange, BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                        _("The answer of the server is too large"));
      exchange_fail (exchange, NULL);
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
  g_autoptr(Exchange) exchange = user_data;
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
exchange_read_now (Exchange  *exchange,
                   guint      length,
                   gssize    *n_read,
                   GError   **error)
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
      if (((Exchange *)exchange)->is_urgent)
        return TRUE;
    }

  return FALSE;
}

/* By Nagle's algorithm a server keeps the rest of an answer back until it knows that
 * the beginning has arrived; the system takes 40 ms to tell, unless it is asked. What
 * comes unasked may take its time, and is more in each answer then. */
static void
exchange_acknowledge (Exchange *exchange)
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
exchange_read (Exchange *exchange)
{
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
                             G_PRIORITY_DEFAULT,
                             exchange->cancellable,
                             on_read,
                             exchange_ref (exchange));
}

/* The end of the request, and the head of the response. */
static void
on_sent (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  g_autoptr(Exchange) exchange = user_data;
  g_autoptr(GError) error = NULL;

  exchange->stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (exchange->transport == NULL)
    return;

  if (exchange->is_bodyless)
    {
      exchange_answer (exchange);
    }
  else if (exchange->verdict != NULL || error != NULL)
    {
      exchange_fail (exchange, error);
    }
  else if (!exchange->was_started)
    {
      /* libsoup shows the answer of a proxy to CONNECT as if it were ours. */
      error = g_error_new (G_IO_ERROR, G_IO_ERROR_PROXY_FAILED,
                           _("The proxy refused to connect (HTTP status %u)"),
                           soup_message_get_status (exchange->message));
      exchange_fail (exchange, error);
    }
  else
    {
      /* Most fit into the first piece, and the end is found with a second. */
      exchange->body = g_byte_array_sized_new (2 * PIECE_SIZE);
      exchange_read (exchange);
    }
}

static gboolean
socket_is_closed (gpointer key,
                  gpointer value,
                  gpointer user_data)
{
  return g_socket_is_closed (value);
}

static void
remember_socket (BoshTransport *self,
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

/* XEP-0124 §19.1: all connections of a session show the same certificate; on
 * one that does not, nothing is sent. */
static gboolean
check_certificate (BoshTransport  *self,
                   GTlsConnection *connection)
{
  GTlsCertificate *certificate = g_tls_connection_get_peer_certificate (connection);

  if (self->certificate == NULL)
    g_set_object (&self->certificate, certificate);

  return certificate != NULL && g_tls_certificate_is_same (self->certificate, certificate);
}

static void
exchange_set_timer (Exchange    *exchange,
                    guint        milliseconds,
                    const char  *name,
                    GSourceFunc  callback)
{
  exchange->timer = g_timeout_source_new (milliseconds);
  g_source_set_static_name (exchange->timer, name);
  g_source_set_callback (exchange->timer, callback, exchange, NULL);
  g_source_attach (exchange->timer, bosh_inner_context_get (exchange->transport->inner));
}

static gboolean
on_connect_timeout (gpointer user_data)
{
  Exchange *exchange = user_data;

  if (exchange->verdict == NULL)
    exchange->verdict = exchange_new_timeout (exchange);
  exchange_break_off (exchange);
  if (!exchange->is_spare)
    exchange_fail (exchange, NULL);

  return G_SOURCE_REMOVE;
}

/* libsoup has begun with a new connection. */
static void
exchange_start_connecting (Exchange *exchange)
{
  guint timeout =
    bosh_connection_configuration_get_connect_timeout (exchange->transport->configuration);

  exchange_set_connecting (exchange, TRUE);
  exchange_clear_timer (exchange);
  if (timeout != 0)
    exchange_set_timer (exchange, timeout * 1000, "[bosh] connect timeout", on_connect_timeout);
}

static void
on_network_event (SoupMessage        *message,
                  GSocketClientEvent  event,
                  GIOStream          *connection,
                  gpointer            user_data)
{
  /* HTTP/2 of libsoup 3.2 does not notice a cancelled request until the server
   * says something, so it is not offered. */
  static const char * const protocols[] = { "http/1.1", NULL };
  Exchange *exchange = ((Role *)user_data)->exchange;

  if (exchange == NULL)
    return;

  if (event == G_SOCKET_CLIENT_RESOLVING)
    {
      exchange_start_connecting (exchange);
    }
  else if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING && G_IS_TLS_CONNECTION (connection))
    {
      if (bosh_connection_configuration_get_allow_http2 (exchange->transport->configuration))
        return;
      g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (connection), protocols);
    }
  else if (event == G_SOCKET_CLIENT_PROXY_NEGOTIATING)
    {
      /* Where a proxy does not take the password of its URI, libsoup 3.2 may
       * offer it again and again. */
      if (++exchange->n_proxy_negotiations > MAX_PROXY_NEGOTIATIONS)
        exchange_condemn (exchange, G_IO_ERROR, G_IO_ERROR_PROXY_FAILED,
                          _("The proxy refuses to connect"));
    }
  else if (event == G_SOCKET_CLIENT_COMPLETE)
    {
      remember_socket (exchange->transport,
                       soup_message_get_connection_id (message),
                       connection);

      if (G_IS_TLS_CONNECTION (connection) &&
          !check_certificate (exchange->transport, G_TLS_CONNECTION (connection)))
        exchange_condemn (exchange, BOSH_ERROR, BOSH_ERROR_TLS,
                          _("The server shows another certificate than before"));
    }
}

static gboolean
on_accept_certificate (SoupMessage          *message,
                       GTlsCertificate      *certificate,
                       GTlsCertificateFlags  errors,
                       gpointer              user_data)
{
  Exchange *exchange = ((Role *)user_data)->exchange;

  if (exchange != NULL)
    exchange->certificate_errors = errors != 0 ? errors : G_TLS_CERTIFICATE_GENERIC_ERROR;

  return FALSE;
}

static gboolean
on_request_certificate (SoupMessage          *message,
                        GTlsClientConnection *connection,
                        gpointer              user_data)
{
  Exchange *exchange = ((Role *)user_data)->exchange;
  GTlsCertificate *certificate = NULL;

  if (exchange != NULL)
    certificate =
      bosh_connection_configuration_get_tls_certificate (exchange->transport->configuration);
  if (certificate == NULL)
    return FALSE;

  soup_message_set_tls_client_certificate (message, certificate);

  return TRUE;
}

static gboolean
is_local_address (GSocketAddress *address)
{
  GInetAddress *inet_address;

  if (!G_IS_INET_SOCKET_ADDRESS (address) || G_IS_PROXY_ADDRESS (address))
    return FALSE;

  inet_address = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address));

  return g_inet_address_get_is_loopback (inet_address);
}

/* A connection is up, and the request goes out next. */
static void
exchange_start (Exchange *exchange)
{
  BoshTransport *self = exchange->transport;

  exchange->was_started = TRUE;
  exchange_set_connecting (exchange, FALSE);
  exchange_clear_timer (exchange);

  self->is_local = (self->is_local || !self->was_used) &&
                   is_local_address (soup_message_get_remote_address (exchange->message));
  self->was_used = TRUE;
}

/* A server could go on with these for ever, and libsoup with reading them. */
static void
exchange_take_informational (Exchange *exchange)
{
  if (++exchange->n_informational > MAX_INFORMATIONAL)
    exchange_condemn (exchange, BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                      _("The server sends no final answer"));
}

static void
exchange_take_headers (Exchange *exchange)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (exchange->message);
  const char *codings = soup_message_headers_get_list (headers, "Content-Encoding");

  if (codings != NULL && strchr (codings, ',') != NULL)
    {
      /* A list becomes a chain of decoders, as long as the list, and before
       * libsoup sees that it was cancelled. */
      soup_message_headers_remove (headers, "Content-Encoding");
      exchange_condemn (exchange, BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                        _("The answer of the server is compressed more than once"));
    }
  else if (soup_message_get_status (exchange->message) == SOUP_STATUS_MISDIRECTED_REQUEST)
    {
      /* libsoup would collect its body, without a limit, and then try again. */
      exchange->is_bodyless = TRUE;
      exchange_break_off (exchange);
    }
}

/* What libsoup tells of a message, step by step. */
typedef enum
{
  STEP_STARTING,
  STEP_WROTE_BODY,
  STEP_GOT_INFORMATIONAL,
  STEP_GOT_HEADERS,
  N_STEPS,
} Step;

static guint step_signals[N_STEPS];

static void
on_step (SoupMessage *message,
         gpointer     user_data)
{
  guint signal_id = g_signal_get_invocation_hint (message)->signal_id;
  Exchange *exchange = ((Role *)user_data)->exchange;

  if (exchange == NULL)
    return;

  if (signal_id == step_signals[STEP_STARTING])
    exchange_start (exchange);
  else if (signal_id == step_signals[STEP_WROTE_BODY])
    exchange->transport->written (exchange->id, exchange->transport->user_data);
  else if (signal_id == step_signals[STEP_GOT_INFORMATIONAL])
    exchange_take_informational (exchange);
  else
    exchange_take_headers (exchange);
}

static void
look_up_steps (void)
{
  static const char * const names[N_STEPS] = {
    [STEP_STARTING] = "starting",
    [STEP_WROTE_BODY] = "wrote-body",
    [STEP_GOT_INFORMATIONAL] = "got-informational",
    [STEP_GOT_HEADERS] = "got-headers",
  };
  static gsize is_done;

  if (!g_once_init_enter (&is_done))
    return;

  for (guint i = 0; i < N_STEPS; i++)
    step_signals[i] = g_signal_lookup (names[i], SOUP_TYPE_MESSAGE);
  g_once_init_leave (&is_done, 1);
}

static void
free_role (gpointer  user_data,
           GClosure *closure)
{
  g_free (user_data);
}

/* One closure does for all steps, and frees the role in the end. */
static void
follow (SoupMessage *message,
        Role        *role)
{
  GClosure *closure = g_cclosure_new (G_CALLBACK (on_step), role, free_role);

  look_up_steps ();
  for (guint i = 0; i < N_STEPS; i++)
    g_signal_connect_closure_by_id (message, step_signals[i], 0, closure, FALSE);

  g_signal_connect (message, "network-event", G_CALLBACK (on_network_event), role);
  if (g_str_equal (g_uri_get_scheme (soup_message_get_uri (message)), "https"))
    {
      g_signal_connect (message, "accept-certificate", G_CALLBACK (on_accept_certificate), role);
      g_signal_connect (message, "request-certificate", G_CALLBACK (on_request_certificate), role);
    }
}

static GQuark
role_quark (void)
{
  return g_quark_from_static_string ("bosh-role");
}

/* libsoup is done with it. A new message costs as much as what it is used for, so
 * it is used again. */
static void
on_unqueued (SoupSession *session,
             SoupMessage *message,
             gpointer     user_data)
{
  BoshTransport *self = user_data;
  Role *role = g_object_get_qdata (G_OBJECT (message), role_quark ());

  if (role == NULL || role->exchange != NULL || !role->was_answered ||
      role->n_moves != self->n_moves || self->spare.length >= MAX_SPARE)
    return;

  /* There may be secrets in it. */
  soup_message_set_request_body (message, NULL, NULL, 0);
  g_queue_push_tail (&self->spare, g_object_ref (message));
}

static gboolean
on_invalid_uri (gpointer user_data)
{
  Exchange *exchange = user_data;
  g_autoptr(GError) error = NULL;
  g_autoptr(GUri) uri = NULL;

  uri = bosh_connection_configuration_build_uri (exchange->transport->configuration, &error);
  exchange_fail (exchange, error);

  return G_SOURCE_REMOVE;
}

/* RFC 9110 §8.4.1: what is called deflate is the format of zlib. NULL for no
 * compression. */
static GBytes *
compress (GBytes     *body,
          const char *coding)
{
  g_autoptr(GZlibCompressor) compressor = NULL;
  g_autoptr(GOutputStream) memory = NULL;
  g_autoptr(GOutputStream) stream = NULL;
  gsize length;
  const char *data = g_bytes_get_data (body, &length);

  if (coding == NULL)
    return NULL;

  compressor = g_zlib_compressor_new (strcmp (coding, "gzip") == 0 ? G_ZLIB_COMPRESSOR_FORMAT_GZIP
                                                                   : G_ZLIB_COMPRESSOR_FORMAT_ZLIB,
                                      -1);
  memory = g_memory_output_stream_new_resizable ();
  stream = g_converter_output_stream_new (memory, G_CONVERTER (compressor));
  if (!g_output_stream_write_all (stream, data, length, NULL, NULL, NULL) ||
      !g_output_stream_close (stream, NULL, NULL))
    return NULL;

  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

static SoupMessage *
create_message (BoshTransport *self)
{
  const char *user_agent = bosh_connection_configuration_get_user_agent (self->configuration);
  SoupMessage *message = soup_message_new_from_uri (SOUP_METHOD_POST, self->uri);
  Role *role = g_new0 (Role, 1);

  /* Not idempotent to HTTP, but it is to BOSH, by its number; without the flag
   * libsoup makes a new connection for every POST. */
  soup_message_set_flags (message, SOUP_MESSAGE_IDEMPOTENT | SOUP_MESSAGE_NO_REDIRECT);
  if (*user_agent != '\0')
    soup_message_headers_replace (soup_message_get_request_headers (message),
                                  "User-Agent", user_agent);
  /* There are no passwords for HTTP, and this collects the bodies of 401 and 407
   * without a limit. */
  soup_message_disable_feature (message, SOUP_TYPE_AUTH_MANAGER);
  g_object_set_qdata (G_OBJECT (message), role_quark (), role);
  follow (message, role);

  return message;
}

/* NULL for none. */
static void
set_header (SoupMessage *message,
            const char  *name,
            const char  *value)
{
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  if (value != NULL)
    soup_message_headers_replace (headers, name, value);
  else
    soup_message_headers_remove (headers, name);
}

static void
exchange_take_message (Exchange   *exchange,
                       GBytes     *body,
                       const char *coding)
{
  BoshTransport *self = exchange->transport;
  const char *content_type = bosh_connection_configuration_get_content_type (self->configuration);
  g_autoptr(GBytes) compressed = compress (body, coding);
  g_autofree char *cookies = NULL;
  SoupMessage *message = g_queue_pop_tail (&self->spare);

  if (message == NULL)
    message = create_message (self);

  soup_message_set_request_body_from_bytes (message, content_type,
                                            compressed != NULL ? compressed : body);
  set_header (message, "Content-Encoding", compressed != NULL ? coding : NULL);
  if (self->has_cookies)
    cookies = soup_cookie_jar_get_cookies (self->cookies, self->uri, TRUE);
  set_header (message, "Cookie", cookies);

  exchange->message = message;
  exchange->role = g_object_get_qdata (G_OBJECT (message), role_quark ());
  *exchange->role = (Role){ exchange, self->n_moves, FALSE };
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
                                           NULL, (GDestroyNotify)exchange_unref);
  self->sockets = g_hash_table_new_full (g_int64_hash, g_int64_equal,
                                         g_free, g_object_unref);

  bosh_inner_context_enter (inner);
  /* A long poll is silent for minutes: deadlines are the session's. */
  self->session = soup_session_new_with_options ("timeout", 0,
                                                 "idle-timeout", IDLE_TIMEOUT,
                                                 "max-conns", MAX_CONNECTIONS,
                                                 "max-conns-per-host", MAX_CONNECTIONS,
                                                 NULL);
  g_signal_connect (self->session, "request-unqueued", G_CALLBACK (on_unqueued), self);
  if (resolver != NULL)
    soup_session_set_proxy_resolver (self->session, resolver);
  if (database != NULL)
    soup_session_set_tls_database (self->session, database);

  bosh_inner_context_leave (inner);

  self->cookies = soup_cookie_jar_new ();

  return self;
}

void
bosh_transport_free (BoshTransport *self)
{
  bosh_transport_cancel_all (self);

  g_hash_table_unref (self->exchanges);
  g_hash_table_unref (self->sockets);
  g_clear_object (&self->certificate);
  g_object_unref (self->cookies);
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

  self->uri = g_uri_parse (uri, G_URI_FLAGS_ENCODED, NULL);
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

static Exchange *
add_exchange (BoshTransport *self,
              guint64        id)
{
  Exchange *exchange = g_new0 (Exchange, 1);

  g_ref_count_init (&exchange->ref_count);
  exchange->id = id;
  exchange->transport = self;
  exchange->cancellable = g_cancellable_new ();
  exchange->max_size = bosh_connection_configuration_get_max_response_size (self->configuration);
  g_hash_table_insert (self->exchanges, &exchange->id, exchange);

  return exchange;
}

void
bosh_transport_post (BoshTransport *self,
                     guint64        id,
                     GBytes        *body,
                     const char    *coding,
                     gboolean       is_urgent)
{
  Exchange *exchange;

  g_return_if_fail (!g_hash_table_contains (self->exchanges, &id));

  exchange = add_exchange (self, id);
  exchange->is_urgent = is_urgent;
  bosh_inner_context_enter (self->inner);
  if (self->uri == NULL)
    {
      exchange_set_timer (exchange, 0, "[bosh] invalid URI", on_invalid_uri);
    }
  else
    {
      exchange_take_message (exchange, body, coding);
      soup_session_send_async (self->session,
                               exchange->message,
                               G_PRIORITY_DEFAULT,
                               exchange->cancellable,
                               on_sent,
                               exchange_ref (exchange));
    }
  bosh_inner_context_leave (self->inner);
}

static void
on_prepared (GObject      *source,
             GAsyncResult *result,
             gpointer      user_data)
{
  g_autoptr(Exchange) exchange = user_data;

  soup_session_preconnect_finish (SOUP_SESSION (source), result, NULL);
  if (exchange->transport != NULL)
    exchange_detach (exchange);
}

void
bosh_transport_prepare (BoshTransport *self)
{
  static const guint64 id = SPARE_ID;
  g_autoptr(GBytes) nothing = NULL;
  Exchange *exchange;

  if (self->uri == NULL || g_hash_table_contains (self->exchanges, &id))
    return;

  nothing = g_bytes_new (NULL, 0);
  exchange = add_exchange (self, id);
  exchange->is_spare = TRUE;

  bosh_inner_context_enter (self->inner);
  exchange_take_message (exchange, nothing, NULL);
  soup_session_preconnect_async (self->session,
                                 exchange->message,
                                 G_PRIORITY_DEFAULT,
                                 exchange->cancellable,
                                 on_prepared,
                                 exchange_ref (exchange));
  bosh_inner_context_leave (self->inner);
}

void
bosh_transport_cancel (BoshTransport *self,
                       guint64        id)
{
  Exchange *exchange = g_hash_table_lookup (self->exchanges, &id);

  if (exchange == NULL)
    return;

  bosh_inner_context_enter (self->inner);
  exchange_break_off (exchange);
  exchange_detach (exchange);
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
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new ();
  GSList *cookies = NULL;

  if (self->uri != NULL)
    cookies = soup_cookie_jar_get_cookie_list (self->cookies, self->uri, TRUE);

  for (GSList *l = cookies; l != NULL; l = l->next)
    {
      SoupCookie *cookie = l->data;
      const char *domain = soup_cookie_get_domain (cookie);
      g_autofree char *header = NULL;

      /* RFC 6265 §5.3: without a dot it is for this host alone, and stays so
       * only if no domain is written. */
      if (domain != NULL && *domain != '.')
        soup_cookie_set_domain (cookie, NULL);

      header = soup_cookie_to_set_cookie_header (cookie);
      if (g_utf8_validate (header, -1, NULL))
        g_strv_builder_add (builder, header);
    }

  soup_cookies_free (cookies);

  return g_strv_builder_end (builder);
}

void
bosh_transport_add_cookies (BoshTransport      *self,
                            const char * const *cookies)
{
  if (self->uri == NULL)
    return;

  for (gsize i = 0; cookies[i] != NULL; i++)
    soup_cookie_jar_set_cookie (self->cookies, self->uri, cookies[i]);

  limit_cookies (self->cookies);
  self->has_cookies = TRUE;
}

gboolean
bosh_transport_is_private (BoshTransport *self)
{
  if (self->may_be_misled)
    return FALSE;

  return self->is_local ||
         (self->uri != NULL && strcmp (g_uri_get_scheme (self->uri), "https") == 0);
}
