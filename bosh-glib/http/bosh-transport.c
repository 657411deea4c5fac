/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-transport-private.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-http-message-private.h"
#include "bosh-uri-private.h"

/* The exchange of a preconnect; no request has this number. */
#define PRECONNECT_ID G_MAXUINT64

struct _BoshTransport
{
  BoshExchangeOwner owner;        /* first, so that its functions find the transport */
  const BoshTransportFuncs *funcs;
  gpointer user_data;
  SoupSession *session;
  BoshMessagePool *messages;
  GHashTable *exchanges;          /* id → BoshExchange, those under way */
};

/* --- What exchanges report --- */

static BoshTransport *
get_transport (BoshExchange *exchange)
{
  return (BoshTransport *)exchange->owner;
}

/* The exchange may be freed by it. */
static void
transport_remove (BoshTransport *self,
                  BoshExchange  *exchange)
{
  bosh_exchange_orphan (exchange);
  g_hash_table_remove (self->exchanges, &exchange->id);
}

static void
on_written (BoshExchange *exchange)
{
  BoshTransport *self = get_transport (exchange);

  self->funcs->written (exchange->id, self->user_data);
}

static void
on_response (BoshExchange           *exchange,
             const BoshHttpResponse *response)
{
  BoshTransport *self = get_transport (exchange);
  guint64 id = exchange->id;

  transport_remove (self, exchange);
  self->funcs->response (id, response, self->user_data);
}

static void
on_failure (BoshExchange *exchange,
            const GError *error,
            gboolean      maybe_sent)
{
  BoshTransport *self = get_transport (exchange);
  guint64 id = exchange->id;

  transport_remove (self, exchange);
  self->funcs->failure (id, error, maybe_sent, self->user_data);
}

static void
on_progress (BoshExchange *exchange)
{
  BoshTransport *self = get_transport (exchange);

  if (self->funcs->progress != NULL)
    self->funcs->progress (exchange->id, self->user_data);
}

static gboolean
on_may_read (BoshExchange *exchange)
{
  BoshTransport *self = get_transport (exchange);

  return self->funcs->may_read == NULL || self->funcs->may_read (exchange->id, self->user_data);
}

static gboolean
on_accept_certificate (BoshExchangeOwner    *owner,
                       GTlsCertificate      *certificate,
                       GTlsCertificateFlags  errors)
{
  BoshTransport *self = (BoshTransport *)owner;
  GMainContext *outer = bosh_inner_context_get_outer (owner->inner);
  gboolean is_accepted;

  if (self->funcs->accept_certificate == NULL)
    return FALSE;

  g_main_context_push_thread_default (outer);
  is_accepted = self->funcs->accept_certificate (certificate, errors, self->user_data);
  g_main_context_pop_thread_default (outer);

  return is_accepted;
}

static void
on_unqueued (SoupSession *session,
             SoupMessage *message,
             gpointer     user_data)
{
  bosh_message_pool_give (user_data, message);
}

static void on_repeat (BoshExchange *exchange);

/* --- The object --- */

BoshTransport *
bosh_transport_new (BoshConnectionConfiguration *configuration,
                    BoshInnerContext            *inner,
                    const BoshTransportFuncs    *funcs,
                    gpointer                     user_data)
{
  BoshTransport *self = g_new0 (BoshTransport, 1);

  self->owner = (BoshExchangeOwner){
    .configuration = g_object_ref (configuration),
    .inner = inner,
    .peer = bosh_peer_new (bosh_connection_configuration_get_address (configuration, NULL)),
    .proxies = bosh_proxy_resolver_new (configuration),
    .cookies = bosh_cookies_new (),
    .client_certificate = bosh_connection_configuration_get_tls_certificate (configuration),
    .connect_timeout = bosh_connection_configuration_get_connect_timeout (configuration),
    .max_size = bosh_connection_configuration_get_max_response_size (configuration),
    .written = on_written,
    .response = on_response,
    .failure = on_failure,
    .repeat = on_repeat,
    .progress = on_progress,
    .may_read = on_may_read,
    .accept_certificate = on_accept_certificate,
  };
  self->funcs = funcs;
  self->user_data = user_data;
  self->messages = bosh_message_pool_new (self->owner.proxies);
  self->exchanges = g_hash_table_new_full (g_int64_hash, g_int64_equal,
                                           NULL, (GDestroyNotify)bosh_exchange_unref);

  return self;
}

void
bosh_transport_free (BoshTransport *self)
{
  g_autoptr(BoshInnerScope) scope = bosh_inner_context_enter (self->owner.inner);

  bosh_transport_cancel_all (self);
  g_hash_table_unref (self->exchanges);
  if (self->session != NULL)
    g_signal_handlers_disconnect_by_func (self->session, on_unqueued, self->messages);
  g_clear_object (&self->session);
  bosh_message_pool_free (self->messages);
  bosh_cookies_free (self->owner.cookies);
  g_object_unref (self->owner.proxies);
  bosh_peer_free (self->owner.peer);
  g_object_unref (self->owner.configuration);
  g_free (self);
}

void
bosh_transport_set_uri (BoshTransport *self,
                        const char    *uri)
{
  g_autoptr(GUri) parsed = bosh_uri_parse_http (uri, NULL, NULL);

  bosh_peer_move_to (self->owner.peer, parsed);
  bosh_message_pool_reset (self->messages);
}

char *
bosh_transport_dup_uri (BoshTransport *self)
{
  GUri *uri = bosh_peer_get_uri (self->owner.peer);

  return uri != NULL ? g_uri_to_string (uri) : NULL;
}

/* --- Exchanges --- */

static void
on_preconnected (GObject      *source,
                 GAsyncResult *result,
                 gpointer      user_data)
{
  g_autoptr(BoshExchange) exchange = user_data;

  soup_session_preconnect_finish (SOUP_SESSION (source), result, NULL);
  if (exchange->owner != NULL)
    transport_remove (get_transport (exchange), exchange);
}

/* The session belongs to the main context in which it is created. */
static SoupSession *
transport_get_session (BoshTransport *self)
{
  if (self->session == NULL)
    {
      self->session = bosh_http_session_new (self->owner.configuration, self->owner.proxies);
      g_signal_connect (self->session, "request-unqueued", G_CALLBACK (on_unqueued),
                        self->messages);
    }

  return self->session;
}

static void
transport_send (BoshTransport *self,
                BoshExchange  *exchange)
{
  bosh_message_pool_take (self->messages, exchange);
  if (exchange->is_preconnect)
    soup_session_preconnect_async (transport_get_session (self),
                                   exchange->message,
                                   G_PRIORITY_DEFAULT,
                                   exchange->cancellable,
                                   on_preconnected,
                                   bosh_exchange_ref (exchange));
  else
    soup_session_send_async (transport_get_session (self),
                             exchange->message,
                             bosh_inner_context_get_priority (self->owner.inner),
                             exchange->cancellable,
                             bosh_exchange_on_sent,
                             bosh_exchange_ref (exchange));
}

static void
on_repeat (BoshExchange *exchange)
{
  transport_send (get_transport (exchange), exchange);
}

/* Takes @exchange. */
static void
transport_start (BoshTransport *self,
                 BoshExchange  *exchange,
                 GBytes        *body,
                 BoshCoding     coding)
{
  g_autoptr(BoshInnerScope) scope = bosh_inner_context_enter (self->owner.inner);
  GError *error = NULL;

  g_hash_table_insert (self->exchanges, &exchange->id, exchange);
  if (bosh_peer_get_uri (self->owner.peer) == NULL)
    {
      bosh_connection_configuration_get_address (self->owner.configuration, &error);
      bosh_exchange_fail_soon (exchange, error);
      return;
    }

  exchange->request = g_bytes_ref (body);
  exchange->coding = coding;
  transport_send (self, exchange);
}

void
bosh_transport_post (BoshTransport *self,
                     guint64        id,
                     GBytes        *body,
                     BoshCoding     coding,
                     gboolean       is_urgent)
{
  g_return_if_fail (!g_hash_table_contains (self->exchanges, &id));

  transport_start (self, bosh_exchange_new (&self->owner, id, is_urgent), body, coding);
}

void
bosh_transport_read_on (BoshTransport *self,
                        guint64        id)
{
  BoshExchange *exchange = NULL;
  g_autoptr(BoshInnerScope) scope = NULL;

  if (self->owner.n_stalled > 0)
    exchange = g_hash_table_lookup (self->exchanges, &id);
  if (exchange == NULL)
    return;

  scope = bosh_inner_context_enter (self->owner.inner);
  bosh_exchange_read_on (exchange);
}

void
bosh_transport_preconnect (BoshTransport *self)
{
  static const guint64 id = PRECONNECT_ID;
  g_autoptr(GBytes) nothing = NULL;
  BoshExchange *exchange;

  if (bosh_peer_get_uri (self->owner.peer) == NULL ||
      g_hash_table_contains (self->exchanges, &id))
    return;

  nothing = g_bytes_new (NULL, 0);
  exchange = bosh_exchange_new (&self->owner, id, FALSE);
  exchange->is_preconnect = TRUE;
  transport_start (self, exchange, nothing, BOSH_CODING_IDENTITY);
}

void
bosh_transport_cancel (BoshTransport *self,
                       guint64        id)
{
  BoshExchange *exchange = g_hash_table_lookup (self->exchanges, &id);
  g_autoptr(BoshInnerScope) scope = NULL;

  if (exchange == NULL)
    return;

  scope = bosh_inner_context_enter (self->owner.inner);
  bosh_exchange_cancel_io (exchange);
  transport_remove (self, exchange);
}

void
bosh_transport_cancel_all (BoshTransport *self)
{
  g_autofree gpointer *ids = NULL;
  guint n_ids;

  ids = g_hash_table_get_keys_as_array (self->exchanges, &n_ids);
  for (guint i = 0; i < n_ids; i++)
    bosh_transport_cancel (self, *(guint64 *)ids[i]);
}

/* --- The peer --- */

GStrv
bosh_transport_dup_cookies (BoshTransport *self)
{
  return bosh_cookies_dup_list (self->owner.cookies, bosh_peer_get_uri (self->owner.peer));
}

void
bosh_transport_add_cookies (BoshTransport      *self,
                            const char * const *cookies)
{
  GUri *uri = bosh_peer_get_uri (self->owner.peer);

  if (uri != NULL)
    bosh_cookies_add (self->owner.cookies, uri, cookies);
}

GTlsCertificate *
bosh_transport_get_peer_certificate (BoshTransport *self)
{
  GTlsCertificateFlags errors;

  return bosh_peer_get_certificate (self->owner.peer, &errors);
}

GTlsCertificateFlags
bosh_transport_get_peer_certificate_errors (BoshTransport *self)
{
  GTlsCertificateFlags errors;

  bosh_peer_get_certificate (self->owner.peer, &errors);

  return errors;
}

GTlsCertificate *
bosh_transport_get_refused_certificate (BoshTransport        *self,
                                        GTlsCertificateFlags *errors)
{
  return bosh_peer_get_refused_certificate (self->owner.peer, errors);
}

gboolean
bosh_transport_is_private (BoshTransport *self)
{
  return bosh_peer_is_private (self->owner.peer);
}
