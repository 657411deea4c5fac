/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-http-message-private.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-error.h"
#include "bosh-http-coding-private.h"
#include "bosh-i18n-private.h"

/* Enough for the window of a session and the two extra requests of XEP-0124 §11. */
#define MAX_CONNECTIONS 10
/* Seconds that libsoup keeps a connection open which no request uses. */
#define IDLE_TIMEOUT 60

#define MAX_INFORMATIONAL 16
#define MAX_PROXY_NEGOTIATIONS 8

SoupSession *
bosh_http_session_new (BoshConnectionConfiguration *configuration)
{
  GProxyResolver *resolver = bosh_connection_configuration_get_proxy_resolver (configuration);
  GTlsDatabase *database = bosh_connection_configuration_get_tls_database (configuration);
  SoupSession *session = NULL;

  /* A long poll is silent for minutes: the BOSH session has the deadlines. */
  session = soup_session_new_with_options ("timeout", 0,
                                           "idle-timeout", IDLE_TIMEOUT,
                                           "max-conns", MAX_CONNECTIONS,
                                           "max-conns-per-host", MAX_CONNECTIONS,
                                           NULL);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  if (resolver != NULL)
    soup_session_set_proxy_resolver (session, resolver);
  if (database != NULL)
    soup_session_set_tls_database (session, database);

  return session;
}

SoupMessage *
bosh_http_message_new (const char                  *method,
                       GUri                        *uri,
                       SoupMessageFlags             flags,
                       BoshConnectionConfiguration *configuration)
{
  const char *user_agent = bosh_connection_configuration_get_user_agent (configuration);
  SoupMessage *message = soup_message_new_from_uri (method, uri);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  soup_message_set_flags (message, flags | SOUP_MESSAGE_NO_REDIRECT);
  /* There are no passwords for HTTP, and SoupAuthManager collects the bodies of 401
   * and 407 without a limit. */
  soup_message_disable_feature (message, SOUP_TYPE_AUTH_MANAGER);
  if (*user_agent != '\0')
    soup_message_headers_replace (headers, "User-Agent", user_agent);
  soup_message_headers_replace (headers, "Accept-Encoding", BOSH_HTTP_ACCEPTED_CODINGS);

  return message;
}

gboolean
bosh_http_check_network_event (BoshHttpCounts      *counts,
                               GSocketClientEvent   event,
                               GIOStream           *connection,
                               gboolean             allow_http2,
                               GError             **error)
{
  static const char * const protocols[] = { "http/1.1", NULL };

  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING && G_IS_TLS_CONNECTION (connection) && !allow_http2)
    {
      /* With HTTP/2, libsoup 3.2 does not notice that a request was cancelled before
       * the server sends something, so it is not offered. */
      g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (connection), protocols);
    }
  else if (event == G_SOCKET_CLIENT_PROXY_NEGOTIATING &&
           ++counts->n_proxy_negotiations > MAX_PROXY_NEGOTIATIONS)
    {
      /* libsoup 3.2 may offer the password of the proxy's URI for ever. */
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PROXY_FAILED,
                           _("The proxy refuses to connect"));
      return FALSE;
    }

  return TRUE;
}

gboolean
bosh_http_check_informational (BoshHttpCounts  *counts,
                               GError         **error)
{
  if (++counts->n_informational <= MAX_INFORMATIONAL)
    return TRUE;

  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                       _("The server sends no final response"));

  return FALSE;
}
