/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-https-get-private.h"

#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-transport-coding-private.h"
#include "bosh-transport-error-private.h"
#include "bosh-uri-private.h"

#include <libsoup/soup.h>

/* Bytes asked of the socket at once. */
#define PIECE_SIZE (8 * 1024)

/* Limits on what a server can make us do: see bosh-transport.c. */
#define MAX_INFORMATIONAL 16
#define MAX_PROXY_NEGOTIATIONS 8

/* One document, and what is under way for it: the exchange with one host, each
 * with a session of its own, so that nothing is left of it afterwards. */
typedef struct
{
  BoshConnectionConfiguration *configuration;
  char *accept;
  gsize max_size;
  guint n_redirects;
  GSource *timer;
  /* Ours, so that we can break off; the one of the caller goes through to it. */
  GCancellable *cancellable;
  gulong forwarding;
  GError *verdict;                /* why we broke it off */

  GUri *uri;
  SoupSession *session;
  SoupMessage *message;
  GInputStream *stream;
  GByteArray *body;
  GTlsCertificateFlags certificate_errors;
  guint n_informational;
  guint n_proxy_negotiations;
  gboolean was_started;           /* a connection was had */
} Get;

static void
end_exchange (Get *get)
{
  if (get->message != NULL)
    g_signal_handlers_disconnect_by_data (get->message, get);
  g_clear_object (&get->stream);
  g_clear_object (&get->message);
  g_clear_object (&get->session);
  g_clear_pointer (&get->body, g_byte_array_unref);
  g_clear_pointer (&get->uri, g_uri_unref);
}

static void
get_free (Get *get)
{
  end_exchange (get);
  g_clear_error (&get->verdict);
  g_object_unref (get->cancellable);
  g_object_unref (get->configuration);
  g_free (get->accept);
  g_free (get);
}

/* Before the task returns. */
static void
stop (GTask *task)
{
  Get *get = g_task_get_task_data (task);

  g_source_destroy (get->timer);
  g_clear_pointer (&get->timer, g_source_unref);
  g_cancellable_disconnect (g_task_get_cancellable (task), get->forwarding);
  end_exchange (get);
}

/* Takes @error. */
static void
fail (GTask  *task,
      GError *error)
{
  stop (task);
  g_task_return_error (task, error);
}

static void
fail_with_soup (GTask        *task,
                const GError *error)
{
  Get *get = g_task_get_task_data (task);

  if (get->verdict != NULL)
    fail (task, g_steal_pointer (&get->verdict));
  else
    fail (task, bosh_transport_translate_error (g_uri_get_host (get->uri),
                                                get->certificate_errors, error));
}

/* Breaks off, from anywhere; the callback of libsoup follows. Takes @verdict. */
static void
condemn (Get    *get,
         GError *verdict)
{
  if (get->verdict == NULL)
    get->verdict = verdict;
  else
    g_error_free (verdict);
  g_cancellable_cancel (get->cancellable);
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
  Get *get = user_data;

  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING && G_IS_TLS_CONNECTION (connection))
    g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (connection), protocols);
  else if (event == G_SOCKET_CLIENT_PROXY_NEGOTIATING &&
           ++get->n_proxy_negotiations > MAX_PROXY_NEGOTIATIONS)
    condemn (get, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PROXY_FAILED,
                                       _("The proxy refuses to connect")));
}

static gboolean
on_accept_certificate (SoupMessage          *message,
                       GTlsCertificate      *certificate,
                       GTlsCertificateFlags  errors,
                       gpointer              user_data)
{
  Get *get = user_data;

  get->certificate_errors = errors != 0 ? errors : G_TLS_CERTIFICATE_GENERIC_ERROR;

  return FALSE;
}

static void
on_starting (SoupMessage *message,
             gpointer     user_data)
{
  Get *get = user_data;

  get->was_started = TRUE;
}

static void
on_got_informational (SoupMessage *message,
                      gpointer     user_data)
{
  Get *get = user_data;

  if (++get->n_informational > MAX_INFORMATIONAL)
    condemn (get, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                                       _("The server sends no final answer")));
}

static GError *
new_status_error (guint status)
{
  return g_error_new (BOSH_ERROR, BOSH_ERROR_HTTP, _("HTTP status %u"), status);
}

/* What libsoup would do without a limit. */
static void
on_got_headers (SoupMessage *message,
                gpointer     user_data)
{
  if (soup_message_get_status (message) == SOUP_STATUS_MISDIRECTED_REQUEST)
    condemn (user_data, new_status_error (SOUP_STATUS_MISDIRECTED_REQUEST));
}

static void
take_body (GTask *task)
{
  Get *get = g_task_get_task_data (task);
  SoupMessageHeaders *headers = soup_message_get_response_headers (get->message);
  g_autoptr(GBytes) body = g_byte_array_free_to_bytes (g_steal_pointer (&get->body));
  GBytes *decoded;
  GError *error = NULL;

  decoded = bosh_coding_decode (body, soup_message_headers_get_list (headers, "Content-Encoding"),
                                get->max_size, &error);
  if (decoded == NULL)
    {
      fail (task, error);
      return;
    }

  stop (task);
  g_task_return_pointer (task, decoded, (GDestroyNotify)g_bytes_unref);
}

static void read_body (GTask *task);

static void
on_read (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  g_autoptr(GError) error = NULL;
  Get *get = g_task_get_task_data (task);
  gssize n_read;

  n_read = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);
  g_byte_array_set_size (get->body, get->body->len - PIECE_SIZE + (guint)MAX (n_read, 0));

  if (n_read < 0)
    {
      fail_with_soup (task, error);
    }
  else if (get->body->len > get->max_size)
    {
      fail (task, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                                       _("The answer of the server is too large")));
    }
  else if (n_read > 0)
    {
      read_body (task);
    }
  else
    {
      take_body (task);
    }
}

/* Always a whole piece: libsoup also uses the buffer for the lines after the last
 * chunk, and complains when it is too small for one. */
static void
read_body (GTask *task)
{
  Get *get = g_task_get_task_data (task);
  guint length = get->body->len;

  g_byte_array_set_size (get->body, length + PIECE_SIZE);
  g_input_stream_read_async (get->stream,
                             get->body->data + length,
                             PIECE_SIZE,
                             g_task_get_priority (task),
                             get->cancellable,
                             on_read,
                             g_object_ref (task));
}

static gboolean
is_redirect (guint status)
{
  return status == SOUP_STATUS_MOVED_PERMANENTLY || status == SOUP_STATUS_FOUND ||
         status == SOUP_STATUS_SEE_OTHER || status == SOUP_STATUS_TEMPORARY_REDIRECT ||
         status == SOUP_STATUS_PERMANENT_REDIRECT;
}

/* R124 (XEP-0156 §2): https, and nothing else, on the whole way. */
static GUri *
resolve_location (Get     *get,
                  GError **error)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (get->message);
  const char *location = soup_message_headers_get_one (headers, "Location");
  g_autoptr(GUri) uri = NULL;

  if (get->n_redirects == BOSH_HTTPS_GET_MAX_REDIRECTS)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_HTTP, _("Too many redirects"));
      return NULL;
    }

  if (location != NULL)
    uri = bosh_uri_parse_http (location, get->uri, NULL);
  if (uri == NULL || !bosh_uri_is_secure (uri))
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_HTTP,
                           _("A redirect to an address that is not https"));
      return NULL;
    }

  return g_steal_pointer (&uri);
}

static void start_exchange (GTask *task,
                            GUri  *uri);

static void
on_sent (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  Get *get = g_task_get_task_data (task);
  g_autoptr(GUri) uri = NULL;
  g_autoptr(GError) error = NULL;
  guint status = soup_message_get_status (get->message);

  get->stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);

  if (get->verdict != NULL || error != NULL)
    {
      fail_with_soup (task, error);
    }
  else if (!get->was_started)
    {
      /* libsoup shows the answer of a proxy to CONNECT as if it were ours. */
      fail (task, g_error_new (G_IO_ERROR, G_IO_ERROR_PROXY_FAILED,
                               _("The proxy refused to connect (HTTP status %u)"), status));
    }
  else if (is_redirect (status))
    {
      uri = resolve_location (get, &error);
      if (uri != NULL)
        {
          get->n_redirects++;
          start_exchange (task, uri);
        }
      else
        fail (task, g_steal_pointer (&error));
    }
  else if (status != SOUP_STATUS_OK)
    {
      fail (task, new_status_error (status));
    }
  else
    {
      get->body = g_byte_array_new ();
      read_body (task);
    }
}

static SoupSession *
create_session (BoshConnectionConfiguration *configuration)
{
  GProxyResolver *resolver = bosh_connection_configuration_get_proxy_resolver (configuration);
  GTlsDatabase *database = bosh_connection_configuration_get_tls_database (configuration);
  SoupSession *session = soup_session_new_with_options ("timeout", 0, NULL);

  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  if (resolver != NULL)
    soup_session_set_proxy_resolver (session, resolver);
  if (database != NULL)
    soup_session_set_tls_database (session, database);

  return session;
}

static void
start_exchange (GTask *task,
                GUri  *uri)
{
  Get *get = g_task_get_task_data (task);
  const char *user_agent = bosh_connection_configuration_get_user_agent (get->configuration);
  SoupMessageHeaders *headers;

  end_exchange (get);
  get->uri = g_uri_ref (uri);
  get->was_started = FALSE;
  get->certificate_errors = 0;
  get->session = create_session (get->configuration);
  get->message = soup_message_new_from_uri (SOUP_METHOD_GET, uri);
  soup_message_set_flags (get->message, SOUP_MESSAGE_NO_REDIRECT);
  /* There are no passwords for HTTP, and this collects the bodies of 401 and 407
   * without a limit. */
  soup_message_disable_feature (get->message, SOUP_TYPE_AUTH_MANAGER);

  headers = soup_message_get_request_headers (get->message);
  soup_message_headers_replace (headers, "Accept", get->accept);
  soup_message_headers_replace (headers, "Accept-Encoding", BOSH_CODINGS);
  if (*user_agent != '\0')
    soup_message_headers_replace (headers, "User-Agent", user_agent);

  g_signal_connect (get->message, "network-event", G_CALLBACK (on_network_event), get);
  g_signal_connect (get->message, "accept-certificate", G_CALLBACK (on_accept_certificate), get);
  g_signal_connect (get->message, "starting", G_CALLBACK (on_starting), get);
  g_signal_connect (get->message, "got-informational", G_CALLBACK (on_got_informational), get);
  g_signal_connect (get->message, "got-headers", G_CALLBACK (on_got_headers), get);

  soup_session_send_async (get->session,
                           get->message,
                           g_task_get_priority (task),
                           get->cancellable,
                           on_sent,
                           g_object_ref (task));
}

static gboolean
on_timeout (gpointer user_data)
{
  Get *get = user_data;

  condemn (get, g_error_new (BOSH_ERROR, BOSH_ERROR_TIMED_OUT, _("No answer of %s in time"),
                             g_uri_get_host (get->uri)));

  return G_SOURCE_REMOVE;
}

static void
forward_cancellation (GCancellable *cancellable,
                      gpointer      user_data)
{
  g_cancellable_cancel (user_data);
}

void
bosh_https_get_async (GUri                        *uri,
                      const char                  *accept,
                      BoshConnectionConfiguration *configuration,
                      gsize                        max_size,
                      gint64                       deadline,
                      GCancellable                *cancellable,
                      GAsyncReadyCallback          callback,
                      gpointer                     user_data)
{
  g_autoptr(GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  Get *get;

  g_task_set_source_tag (task, bosh_https_get_async);
  if (g_task_return_error_if_cancelled (task))
    return;

  get = g_new0 (Get, 1);
  get->configuration = g_object_ref (configuration);
  get->accept = g_strdup (accept);
  get->max_size = max_size;
  get->cancellable = g_cancellable_new ();
  g_task_set_task_data (task, get, (GDestroyNotify)get_free);

  get->timer = g_timeout_source_new (0);
  g_source_set_ready_time (get->timer, deadline);
  g_source_set_static_name (get->timer, "[bosh] discovery timeout");
  g_source_set_callback (get->timer, on_timeout, get, NULL);
  g_source_attach (get->timer, g_task_get_context (task));

  start_exchange (task, uri);
  if (cancellable != NULL)
    get->forwarding = g_cancellable_connect (cancellable, G_CALLBACK (forward_cancellation),
                                             g_object_ref (get->cancellable), g_object_unref);
}

GBytes *
bosh_https_get_finish (GAsyncResult  *result,
                       GError       **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, bosh_https_get_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
