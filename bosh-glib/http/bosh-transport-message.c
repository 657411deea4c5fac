/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-transport-exchange-private.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-transport-coding-private.h"

/* Messages of libsoup that are kept for the next exchanges. */
#define MAX_SPARE 2

/* Limits on what a server can make us do. */
#define MAX_INFORMATIONAL 16
#define MAX_PROXY_NEGOTIATIONS 8

static void
on_network_event (SoupMessage        *message,
                  GSocketClientEvent  event,
                  GIOStream          *connection,
                  gpointer            user_data)
{
  /* HTTP/2 of libsoup 3.2 does not notice a cancelled request until the server
   * says something, so it is not offered. */
  static const char * const protocols[] = { "http/1.1", NULL };
  BoshExchange *exchange = ((BoshRole *)user_data)->exchange;

  if (exchange == NULL)
    return;

  if (event == G_SOCKET_CLIENT_RESOLVING)
    {
      bosh_exchange_start_connecting (exchange);
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
        bosh_exchange_condemn (exchange, G_IO_ERROR, G_IO_ERROR_PROXY_FAILED,
                               _("The proxy refuses to connect"));
    }
  else if (event == G_SOCKET_CLIENT_COMPLETE)
    {
      bosh_transport_remember_socket (exchange->transport,
                                      soup_message_get_connection_id (message),
                                      connection);

      if (G_IS_TLS_CONNECTION (connection) &&
          !bosh_transport_check_certificate (exchange->transport, G_TLS_CONNECTION (connection)))
        bosh_exchange_condemn (exchange, BOSH_ERROR, BOSH_ERROR_TLS,
                               _("The server shows another certificate than before"));
    }
}

static gboolean
on_accept_certificate (SoupMessage          *message,
                       GTlsCertificate      *certificate,
                       GTlsCertificateFlags  errors,
                       gpointer              user_data)
{
  BoshExchange *exchange = ((BoshRole *)user_data)->exchange;

  if (exchange != NULL)
    exchange->certificate_errors = errors != 0 ? errors : G_TLS_CERTIFICATE_GENERIC_ERROR;

  return FALSE;
}

static gboolean
on_request_certificate (SoupMessage          *message,
                        GTlsClientConnection *connection,
                        gpointer              user_data)
{
  BoshExchange *exchange = ((BoshRole *)user_data)->exchange;
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
exchange_start (BoshExchange *exchange)
{
  BoshTransport *self = exchange->transport;

  exchange->was_started = TRUE;
  bosh_exchange_end_connecting (exchange);

  self->is_local = (self->is_local || !self->was_used) &&
                   is_local_address (soup_message_get_remote_address (exchange->message));
  self->was_used = TRUE;
}

/* A server could go on with these for ever, and libsoup with reading them. */
static void
exchange_take_informational (BoshExchange *exchange)
{
  if (++exchange->n_informational > MAX_INFORMATIONAL)
    bosh_exchange_condemn (exchange, BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                           _("The server sends no final answer"));
}

static void
exchange_take_headers (BoshExchange *exchange)
{
  if (soup_message_get_status (exchange->message) != SOUP_STATUS_MISDIRECTED_REQUEST)
    return;

  /* libsoup would collect its body, without a limit, and then try again. */
  exchange->is_bodyless = TRUE;
  bosh_exchange_break_off (exchange);
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
  BoshExchange *exchange = ((BoshRole *)user_data)->exchange;

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
        BoshRole    *role)
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
  static GQuark quark;

  if (quark == 0)
    quark = g_quark_from_static_string ("bosh-role");

  return quark;
}

/* libsoup is done with it. A new message costs as much as what it is used for, so
 * it is used again. */
void
bosh_exchange_on_unqueued (SoupSession *session,
                           SoupMessage *message,
                           gpointer     user_data)
{
  BoshTransport *self = user_data;
  BoshRole *role = g_object_get_qdata (G_OBJECT (message), role_quark ());

  if (role == NULL || role->exchange != NULL || !role->had_response ||
      role->n_moves != self->n_moves || self->spare.length >= MAX_SPARE)
    return;

  /* There may be secrets in it. */
  soup_message_set_request_body (message, NULL, NULL, 0);
  g_queue_push_tail (&self->spare, g_object_ref (message));
}

static SoupMessage *
create_message (BoshTransport *self)
{
  const char *user_agent = bosh_connection_configuration_get_user_agent (self->configuration);
  SoupMessage *message = soup_message_new_from_uri (SOUP_METHOD_POST, self->uri);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);
  BoshRole *role = g_new0 (BoshRole, 1);

  /* Not idempotent to HTTP, but it is to BOSH, by its number; without the flag
   * libsoup makes a new connection for every POST. */
  soup_message_set_flags (message, SOUP_MESSAGE_IDEMPOTENT | SOUP_MESSAGE_NO_REDIRECT);
  if (*user_agent != '\0')
    soup_message_headers_replace (headers, "User-Agent", user_agent);
  soup_message_headers_replace (headers, "Accept-Encoding", BOSH_CODINGS);
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

void
bosh_exchange_take_message (BoshExchange *exchange,
                            GBytes       *body,
                            const char   *coding)
{
  BoshTransport *self = exchange->transport;
  const char *content_type = bosh_connection_configuration_get_content_type (self->configuration);
  g_autoptr(GBytes) compressed = bosh_coding_encode (body, coding);
  g_autofree char *cookies = NULL;
  SoupMessage *message = g_queue_pop_tail (&self->spare);

  if (message == NULL)
    message = create_message (self);

  soup_message_set_request_body_from_bytes (message, content_type,
                                            compressed != NULL ? compressed : body);
  set_header (message, "Content-Encoding", compressed != NULL ? coding : NULL);
  cookies = bosh_cookies_dup_header (self->cookies, self->uri);
  set_header (message, "Cookie", cookies);

  exchange->message = message;
  exchange->role = g_object_get_qdata (G_OBJECT (message), role_quark ());
  *exchange->role = (BoshRole){ exchange, self->n_moves, FALSE };
}
