/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-http-message-private.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-http-coding-private.h"
#include "bosh-uri-private.h"

/* Enough for the window of a session and the two extra requests of XEP-0124 §11. */
#define MAX_CONNECTIONS 10
/* Seconds that libsoup keeps a connection open which no request uses. */
#define IDLE_TIMEOUT 60
/* Messages in a pool. */
#define MAX_IDLE 2

struct _BoshMessagePool
{
  BoshProxyResolver *proxies;
  GQueue idle;       /* of SoupMessage */
  guint generation;  /* the number of resets */
};

SoupSession *
bosh_http_session_new (BoshConnectionConfiguration *configuration,
                       BoshProxyResolver           *proxies)
{
  GTlsDatabase *database = bosh_connection_configuration_get_tls_database (configuration);
  SoupSession *session = NULL;

  /* A long poll is silent for minutes: deadlines are the owner's. */
  session = soup_session_new_with_options ("timeout", 0,
                                           "idle-timeout", IDLE_TIMEOUT,
                                           "max-conns", MAX_CONNECTIONS,
                                           "max-conns-per-host", MAX_CONNECTIONS,
                                           NULL);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_set_proxy_resolver (session, G_PROXY_RESOLVER (proxies));
  /* For proxies, beside Basic and Digest. */
  soup_session_add_feature_by_type (session, SOUP_TYPE_AUTH_NTLM);
  soup_session_add_feature_by_type (session, SOUP_TYPE_AUTH_NEGOTIATE);
  if (database != NULL)
    soup_session_set_tls_database (session, database);

  return session;
}

/* @value: (nullable): removes the header. */
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
set_body (SoupMessage  *message,
          BoshExchange *exchange)
{
  const char *content_type =
    bosh_connection_configuration_get_request_content_type (exchange->owner->configuration);
  g_autoptr(GBytes) encoded = bosh_http_encode (exchange->request, exchange->coding);

  soup_message_set_request_body_from_bytes (message, content_type,
                                            encoded != NULL ? encoded : exchange->request);
  set_header (message, "Content-Encoding",
              encoded != NULL ? bosh_coding_get_name (exchange->coding) : NULL);
}

/* --- Signals ---
 *
 * Four signals are emitted for each exchange. One closure for all of them, connected by
 * id, saves three allocations and the look-up of the names. */

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
on_step (SoupMessage *message,
         gpointer     user_data)
{
  guint signal_id = g_signal_get_invocation_hint (message)->signal_id;
  BoshExchange *exchange = ((BoshMessageLink *)user_data)->exchange;

  if (exchange == NULL)
    return;

  if (signal_id == step_signals[STEP_STARTING])
    bosh_exchange_handle_starting (exchange);
  else if (signal_id == step_signals[STEP_WROTE_BODY])
    bosh_exchange_handle_written (exchange);
  else if (signal_id == step_signals[STEP_GOT_INFORMATIONAL])
    bosh_exchange_handle_informational (exchange);
  else
    bosh_exchange_handle_headers (exchange);
}

static void
on_network_event (SoupMessage        *message,
                  GSocketClientEvent  event,
                  GIOStream          *connection,
                  gpointer            user_data)
{
  BoshExchange *exchange = ((BoshMessageLink *)user_data)->exchange;

  if (exchange != NULL)
    bosh_exchange_handle_network_event (exchange, event, connection);
}

static gboolean
on_accept_certificate (SoupMessage          *message,
                       GTlsCertificate      *certificate,
                       GTlsCertificateFlags  errors,
                       gpointer              user_data)
{
  BoshExchange *exchange = ((BoshMessageLink *)user_data)->exchange;

  return exchange != NULL && bosh_exchange_handle_certificate (exchange, certificate, errors);
}

static gboolean
on_authenticate (SoupMessage *message,
                 SoupAuth    *auth,
                 gboolean     retrying,
                 gpointer     user_data)
{
  BoshExchange *exchange = ((BoshMessageLink *)user_data)->exchange;

  return exchange != NULL && bosh_exchange_handle_authenticate (exchange, auth, retrying);
}

/* libsoup sends a request again that the proxy has not passed on, but without its body. */
static void
on_restarted (SoupMessage *message,
              gpointer     user_data)
{
  BoshExchange *exchange = ((BoshMessageLink *)user_data)->exchange;

  if (exchange != NULL && exchange->request != NULL)
    set_body (message, exchange);
}

static gboolean
on_request_certificate (SoupMessage          *message,
                        GTlsClientConnection *connection,
                        gpointer              user_data)
{
  BoshExchange *exchange = ((BoshMessageLink *)user_data)->exchange;

  if (exchange == NULL || exchange->owner->client_certificate == NULL)
    return FALSE;

  soup_message_set_tls_client_certificate (message, exchange->owner->client_certificate);

  return TRUE;
}

static void
free_link (gpointer  user_data,
           GClosure *closure)
{
  g_free (user_data);
}

/* The closure owns @link. */
static void
connect_signals (SoupMessage     *message,
                 BoshMessageLink *link)
{
  GClosure *closure = g_cclosure_new (G_CALLBACK (on_step), link, free_link);

  look_up_steps ();
  for (guint i = 0; i < N_STEPS; i++)
    g_signal_connect_closure_by_id (message, step_signals[i], 0, closure, FALSE);

  g_signal_connect (message, "network-event", G_CALLBACK (on_network_event), link);
  if (bosh_uri_is_secure (bosh_peer_get_uri (link->exchange->owner->peer)))
    {
      g_signal_connect (message, "accept-certificate", G_CALLBACK (on_accept_certificate), link);
      g_signal_connect (message, "request-certificate", G_CALLBACK (on_request_certificate), link);
    }
}

/* --- Messages --- */

static GQuark
link_quark (void)
{
  static GQuark quark;

  if (quark == 0)
    quark = g_quark_from_static_string ("bosh-message-link");

  return quark;
}

static BoshMessageLink *
get_link (SoupMessage *message)
{
  return g_object_get_qdata (G_OBJECT (message), link_quark ());
}

SoupMessage *
bosh_message_create (BoshExchange     *exchange,
                     const char       *method,
                     SoupMessageFlags  flags)
{
  BoshExchangeOwner *owner = exchange->owner;
  const char *user_agent = bosh_connection_configuration_get_user_agent (owner->configuration);
  SoupMessage *message = soup_message_new_from_uri (method, bosh_peer_get_uri (owner->peer));
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);
  BoshMessageLink *link = g_new0 (BoshMessageLink, 1);

  link->exchange = exchange;
  exchange->link = link;
  exchange->message = message;

  soup_message_set_flags (message, flags | SOUP_MESSAGE_NO_REDIRECT);
  /* It connects to five signals each time that the message is queued. */
  link->may_authenticate = bosh_proxy_resolver_may_have_proxy (owner->proxies);
  if (link->may_authenticate)
    {
      g_signal_connect (message, "authenticate", G_CALLBACK (on_authenticate), link);
      g_signal_connect (message, "restarted", G_CALLBACK (on_restarted), link);
    }
  else
    soup_message_disable_feature (message, SOUP_TYPE_AUTH_MANAGER);
  if (*user_agent != '\0')
    soup_message_headers_replace (headers, "User-Agent", user_agent);
  soup_message_headers_replace (headers, "Accept-Encoding", BOSH_HTTP_ACCEPTED_CODINGS);

  g_object_set_qdata (G_OBJECT (message), link_quark (), link);
  connect_signals (message, link);

  return message;
}

/* What the application wants there is meant for the server that it has named. */
static void
add_configured_headers (SoupMessage       *message,
                        BoshExchangeOwner *owner)
{
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);
  const BoshRequestHeaders *configured =
    bosh_connection_configuration_get_headers (owner->configuration);
  GUri *address = bosh_connection_configuration_get_address (owner->configuration, NULL);

  if (address == NULL || !bosh_uri_has_same_origin (address, bosh_peer_get_uri (owner->peer)))
    return;

  for (guint i = 0; i < bosh_request_headers_get_n (configured); i++)
    {
      const char *name;
      const char *value;

      bosh_request_headers_get (configured, i, &name, &value);
      soup_message_headers_replace (headers, name, value);
    }
}

/* --- The pool --- */

BoshMessagePool *
bosh_message_pool_new (BoshProxyResolver *proxies)
{
  BoshMessagePool *self = g_new0 (BoshMessagePool, 1);

  self->proxies = g_object_ref (proxies);

  return self;
}

void
bosh_message_pool_free (BoshMessagePool *self)
{
  g_queue_clear_full (&self->idle, g_object_unref);
  g_object_unref (self->proxies);
  g_free (self);
}

void
bosh_message_pool_reset (BoshMessagePool *self)
{
  g_queue_clear_full (&self->idle, g_object_unref);
  self->generation++;
}

void
bosh_message_pool_take (BoshMessagePool *self,
                        BoshExchange    *exchange)
{
  BoshExchangeOwner *owner = exchange->owner;
  g_autofree char *cookies = NULL;
  SoupMessage *message = g_queue_pop_tail (&self->idle);

  /* A POST is not idempotent by HTTP, but a BOSH request is, by its rid. Without the
   * flag libsoup opens a new connection for each. */
  if (message == NULL)
    {
      message = bosh_message_create (exchange, SOUP_METHOD_POST, SOUP_MESSAGE_IDEMPOTENT);
      add_configured_headers (message, owner);
    }

  exchange->message = message;
  exchange->link = get_link (message);
  exchange->link->exchange = exchange;
  exchange->link->generation = self->generation;
  exchange->link->is_reusable = FALSE;

  /* libsoup clears everything else when a message is queued again. */
  set_body (message, exchange);
  cookies = bosh_cookies_dup_header (owner->cookies, bosh_peer_get_uri (owner->peer));
  set_header (message, "Cookie", cookies);
}

void
bosh_message_pool_give (BoshMessagePool *self,
                        SoupMessage     *message)
{
  BoshMessageLink *link = get_link (message);

  /* A CONNECT of libsoup has no link. */
  if (link == NULL || link->exchange != NULL || !link->is_reusable ||
      link->generation != self->generation || self->idle.length >= MAX_IDLE ||
      (link->may_authenticate && !bosh_proxy_resolver_may_have_proxy (self->proxies)))
    return;

  /* The body may contain a password. */
  soup_message_set_request_body (message, NULL, NULL, 0);
  g_queue_push_tail (&self->idle, g_object_ref (message));
}
