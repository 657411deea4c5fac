/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-https-get-private.h"

#include "bosh-error.h"
#include "bosh-http-coding-private.h"
#include "bosh-http-error-private.h"
#include "bosh-http-message-private.h"
#include "bosh-i18n-private.h"
#include "bosh-source-private.h"

#include <string.h>

#define MAX_LOCATION_LENGTH 2048
/* libsoup also reads the lines after the last chunk into the buffer for the body, and
 * fails if it is too small for one of them. */
#define ROOM_FOR_TRAILERS (8 * 1024)

/* The data of the task. */
typedef struct
{
  BoshConnectionConfiguration *configuration;
  char *accept;
  gsize max_size;
  guint n_redirects;
  GSource *timer;
  GCancellable *cancellable;      /* cancelled by the one of the caller, and by abort */
  gulong forwarding;
  GError *abort_error;            /* why it was aborted by us */

  /* The exchange with one host. Each has a session of its own, so that neither cookies
   * nor connections remain. */
  GUri *uri;
  SoupSession *session;
  SoupMessage *message;
  GInputStream *stream;
  char *buffer;
  BoshHttpCounts counts;
  GTlsCertificateFlags certificate_errors;
  gboolean was_started;           /* the request was sent on some connection */
} Get;

static void
end_exchange (Get *get)
{
  if (get->message != NULL)
    g_signal_handlers_disconnect_by_data (get->message, get);
  g_clear_object (&get->stream);
  g_clear_object (&get->message);
  g_clear_object (&get->session);
  g_clear_pointer (&get->buffer, g_free);
  g_clear_pointer (&get->uri, g_uri_unref);
  get->counts = (BoshHttpCounts){ 0 };
  get->certificate_errors = 0;
  get->was_started = FALSE;
}

static void
get_free (Get *get)
{
  end_exchange (get);
  g_clear_error (&get->abort_error);
  g_object_unref (get->cancellable);
  g_object_unref (get->configuration);
  g_free (get->accept);
  g_free (get);
}

/* Ends the task with @document or with @error (both transfer full). */
static void
complete (GTask  *task,
          GBytes *document,
          GError *error)
{
  Get *get = g_task_get_task_data (task);

  bosh_source_clear (&get->timer);
  g_cancellable_disconnect (g_task_get_cancellable (task), get->forwarding);
  end_exchange (get);

  if (document != NULL)
    g_task_return_pointer (task, document, (GDestroyNotify)g_bytes_unref);
  else
    g_task_return_error (task, error);
}

/* Fails because of @error of libsoup, or because of what had us abort it. */
static void
fail (GTask        *task,
      const GError *error)
{
  Get *get = g_task_get_task_data (task);

  complete (task, NULL,
            get->abort_error != NULL
              ? g_steal_pointer (&get->abort_error)
              : bosh_http_translate_error (g_uri_get_host (get->uri), get->certificate_errors,
                                           error));
}

/* The callback of libsoup follows, and fails with @error (transfer full). */
static void
abort_exchange (Get    *get,
                GError *error)
{
  if (get->abort_error == NULL)
    get->abort_error = error;
  else
    g_error_free (error);
  g_cancellable_cancel (get->cancellable);
}

static GError *
new_status_error (guint status)
{
  return g_error_new (BOSH_ERROR, BOSH_ERROR_HTTP, _("HTTP status %u"), status);
}

/* --- Signals of the message --- */

static void
on_network_event (SoupMessage        *message,
                  GSocketClientEvent  event,
                  GIOStream          *connection,
                  gpointer            user_data)
{
  Get *get = user_data;
  GError *error = NULL;

  if (!bosh_http_check_network_event (&get->counts, event, connection, FALSE, &error))
    abort_exchange (get, error);
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
  GError *error = NULL;

  if (!bosh_http_check_informational (&get->counts, &error))
    abort_exchange (get, error);
}

/* libsoup would collect the body of 421 without a limit, and send the request again. */
static void
on_got_headers (SoupMessage *message,
                gpointer     user_data)
{
  if (soup_message_get_status (message) == SOUP_STATUS_MISDIRECTED_REQUEST)
    abort_exchange (user_data, new_status_error (SOUP_STATUS_MISDIRECTED_REQUEST));
}

/* --- The exchange --- */

static void
on_read (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  Get *get = g_task_get_task_data (task);
  SoupMessageHeaders *headers = soup_message_get_response_headers (get->message);
  g_autoptr(GBytes) body = NULL;
  GBytes *document;
  GError *error = NULL;
  gsize size;

  if (!g_input_stream_read_all_finish (G_INPUT_STREAM (source), result, &size, &error))
    {
      fail (task, error);
      g_error_free (error);
      return;
    }

  if (size > get->max_size)
    {
      complete (task, NULL, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                                                 _("The response of the server is too large")));
      return;
    }

  body = g_bytes_new_take (g_steal_pointer (&get->buffer), size);
  document = bosh_http_decode (body, soup_message_headers_get_list (headers, "Content-Encoding"),
                               get->max_size, &error);
  complete (task, document, error);
}

static gboolean
is_redirect (guint status)
{
  return status == SOUP_STATUS_MOVED_PERMANENTLY || status == SOUP_STATUS_FOUND ||
         status == SOUP_STATUS_SEE_OTHER || status == SOUP_STATUS_TEMPORARY_REDIRECT ||
         status == SOUP_STATUS_PERMANENT_REDIRECT;
}

static gboolean
is_address (GUri *uri)
{
  return g_ascii_strcasecmp (g_uri_get_scheme (uri), "https") == 0 &&
         g_uri_get_userinfo (uri) == NULL &&
         g_uri_get_host (uri) != NULL && *g_uri_get_host (uri) != '\0';
}

/* XEP-0156 §2: https, and nothing else, on the whole way. */
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

  if (location != NULL && strlen (location) <= MAX_LOCATION_LENGTH)
    uri = g_uri_parse_relative (get->uri, location, G_URI_FLAGS_ENCODED, NULL);
  if (uri == NULL || !is_address (uri))
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
follow_redirect (GTask *task)
{
  Get *get = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr(GUri) uri = resolve_location (get, &error);

  if (uri == NULL)
    {
      complete (task, NULL, error);
      return;
    }

  get->n_redirects++;
  start_exchange (task, uri);
}

static void
on_sent (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  Get *get = g_task_get_task_data (task);
  guint status = soup_message_get_status (get->message);
  g_autoptr(GError) error = NULL;

  get->stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);

  if (get->abort_error != NULL || error != NULL)
    {
      fail (task, error);
    }
  else if (!get->was_started)
    {
      complete (task, NULL, bosh_http_new_proxy_error (status));
    }
  else if (is_redirect (status))
    {
      follow_redirect (task);
    }
  else if (status != SOUP_STATUS_OK)
    {
      complete (task, NULL, new_status_error (status));
    }
  else
    {
      /* A byte more than is allowed tells that it is too large. */
      get->buffer = g_malloc (get->max_size + 1 + ROOM_FOR_TRAILERS);
      g_input_stream_read_all_async (get->stream,
                                     get->buffer,
                                     get->max_size + 1 + ROOM_FOR_TRAILERS,
                                     g_task_get_priority (task),
                                     get->cancellable,
                                     on_read,
                                     g_object_ref (task));
    }
}

static void
start_exchange (GTask *task,
                GUri  *uri)
{
  Get *get = g_task_get_task_data (task);

  end_exchange (get);
  get->uri = g_uri_ref (uri);
  get->session = bosh_http_session_new (get->configuration);
  get->message = bosh_http_message_new (SOUP_METHOD_GET, uri, 0, get->configuration);
  soup_message_headers_replace (soup_message_get_request_headers (get->message), "Accept",
                                get->accept);

  g_object_connect (get->message,
                    "signal::network-event", on_network_event, get,
                    "signal::accept-certificate", on_accept_certificate, get,
                    "signal::starting", on_starting, get,
                    "signal::got-informational", on_got_informational, get,
                    "signal::got-headers", on_got_headers, get,
                    NULL);

  soup_session_send_async (get->session,
                           get->message,
                           g_task_get_priority (task),
                           get->cancellable,
                           on_sent,
                           g_object_ref (task));
}

/* --- The task --- */

static gboolean
on_timeout (gpointer user_data)
{
  Get *get = user_data;

  abort_exchange (get, g_error_new (BOSH_ERROR, BOSH_ERROR_TIMED_OUT,
                                    _("No response of %s in time"), g_uri_get_host (get->uri)));

  return G_SOURCE_REMOVE;
}

static void
on_cancelled (GCancellable *cancellable,
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
    get->forwarding = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
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
