/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-https-get-private.h"

#include "bosh-error.h"
#include "bosh-http-message-private.h"
#include "bosh-i18n-private.h"
#include "bosh-source-private.h"
#include "bosh-uri-private.h"

/* The data of the task. Each exchange has a SoupSession and a peer of its own, so that
 * nothing of it remains: neither cookies nor connections. */
typedef struct
{
  BoshExchangeOwner owner;        /* first, so that its functions find this */
  GTask *task;                    /* the reference that is held until it completes */
  char *accept;
  guint n_redirects;
  GSource *timeout_source;
  GSource *cancelled_source;
  SoupSession *session;
  BoshExchange *exchange;
} Get;

static void
end_exchange (Get *get)
{
  if (get->exchange != NULL)
    bosh_exchange_orphan (get->exchange);
  g_clear_pointer (&get->exchange, bosh_exchange_unref);
  g_clear_object (&get->session);
  g_clear_pointer (&get->owner.peer, bosh_peer_free);
}

static void
get_free (Get *get)
{
  bosh_inner_context_free (get->owner.inner);
  g_object_unref (get->owner.proxies);
  g_object_unref (get->owner.configuration);
  g_free (get->accept);
  g_free (get);
}

/* Ends the task with @document or with @error (transfer full). */
static void
complete (Get    *get,
          GBytes *document,
          GError *error)
{
  g_autoptr(GTask) task = g_steal_pointer (&get->task);

  end_exchange (get);
  bosh_source_clear (&get->timeout_source);
  bosh_source_clear (&get->cancelled_source);

  if (document != NULL)
    g_task_return_pointer (task, document, (GDestroyNotify)g_bytes_unref);
  else
    g_task_return_error (task, error);
}

static gboolean
is_redirect (guint status)
{
  return status == SOUP_STATUS_MOVED_PERMANENTLY || status == SOUP_STATUS_FOUND ||
         status == SOUP_STATUS_SEE_OTHER || status == SOUP_STATUS_TEMPORARY_REDIRECT ||
         status == SOUP_STATUS_PERMANENT_REDIRECT;
}

static void start_exchange (Get  *get,
                            GUri *uri);

/* XEP-0156 §2: https, and nothing else, on the whole way. */
static void
follow_redirect (Get        *get,
                 const char *location)
{
  g_autoptr(GUri) uri = NULL;
  GError *error = NULL;

  if (location != NULL)
    uri = bosh_uri_parse_http (location, NULL, NULL);

  if (++get->n_redirects > BOSH_HTTPS_GET_MAX_REDIRECTS)
    g_set_error_literal (&error, BOSH_ERROR, BOSH_ERROR_HTTP, _("Too many redirects"));
  else if (uri == NULL || !bosh_uri_is_secure (uri))
    g_set_error_literal (&error, BOSH_ERROR, BOSH_ERROR_HTTP,
                         _("A redirect to an address that is not https"));

  end_exchange (get);
  if (error == NULL)
    start_exchange (get, uri);
  else
    complete (get, NULL, error);
}

static void
on_response (BoshExchange           *exchange,
             const BoshHttpResponse *response)
{
  Get *get = (Get *)exchange->owner;

  if (is_redirect (response->status))
    follow_redirect (get, response->location);
  else if (response->status == SOUP_STATUS_OK)
    complete (get, g_bytes_ref (response->body), NULL);
  else
    complete (get, NULL, g_error_new (BOSH_ERROR, BOSH_ERROR_HTTP, _("HTTP status %u"),
                                      response->status));
}

static void
on_failure (BoshExchange *exchange,
            const GError *error,
            gboolean      maybe_sent)
{
  complete ((Get *)exchange->owner, NULL, g_error_copy (error));
}

static void
send_message (BoshExchange *exchange)
{
  Get *get = (Get *)exchange->owner;
  SoupMessage *message;

  message = bosh_message_create (get->exchange, SOUP_METHOD_GET, 0);
  soup_message_headers_replace (soup_message_get_request_headers (message), "Accept", get->accept);

  soup_session_send_async (get->session,
                           message,
                           g_task_get_priority (get->task),
                           get->exchange->cancellable,
                           bosh_exchange_on_sent,
                           bosh_exchange_ref (get->exchange));
}

static void
start_exchange (Get  *get,
                GUri *uri)
{
  get->owner.peer = bosh_peer_new (uri);
  get->session = bosh_http_session_new (get->owner.configuration, get->owner.proxies);
  get->exchange = bosh_exchange_new (&get->owner, 0, FALSE);
  send_message (get->exchange);
}

static gboolean
on_timeout (gpointer user_data)
{
  Get *get = user_data;
  GUri *uri = bosh_peer_get_uri (get->owner.peer);

  bosh_exchange_cancel_io (get->exchange);
  complete (get, NULL, g_error_new (BOSH_ERROR, BOSH_ERROR_TIMED_OUT, _("No response of %s in time"),
                                    g_uri_get_host (uri)));

  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  Get *get = user_data;

  bosh_exchange_cancel_io (get->exchange);
  complete (get, NULL, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                            _("The operation was cancelled")));

  return G_SOURCE_REMOVE;
}

/* Takes @source. */
static GSource *
attach_source (GTask       *task,
               GSource     *source,
               const char  *name,
               GSourceFunc  callback)
{
  g_source_set_static_name (source, name);
  g_source_set_callback (source, callback, g_task_get_task_data (task), NULL);
  g_source_attach (source, g_task_get_context (task));

  return source;
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
  get->owner = (BoshExchangeOwner){
    .configuration = g_object_ref (configuration),
    .proxies = bosh_proxy_resolver_new (configuration),
    .inner = bosh_inner_context_new_plain (g_task_get_context (task)),
    .max_size = max_size,
    .needs_only_200 = TRUE,
    .response = on_response,
    .failure = on_failure,
    .repeat = send_message,
  };
  get->task = g_object_ref (task);
  get->accept = g_strdup (accept);
  g_task_set_task_data (task, get, (GDestroyNotify)get_free);

  get->timeout_source = attach_source (task, g_timeout_source_new (0), "[bosh] discovery timeout",
                                       on_timeout);
  g_source_set_ready_time (get->timeout_source, deadline);
  if (cancellable != NULL)
    get->cancelled_source = attach_source (task, g_cancellable_source_new (cancellable),
                                           "[bosh] discovery cancelled",
                                           G_SOURCE_FUNC (on_cancelled));

  start_exchange (get, uri);
}

GBytes *
bosh_https_get_finish (GAsyncResult  *result,
                       GError       **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, bosh_https_get_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
