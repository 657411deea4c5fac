/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-http.h"

#include <string.h>
#include <sys/socket.h>

#define PIECE_SIZE 4096

void
bosh_test_drain (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* A service on a free port of 127.0.0.1. */
static GSocketService *
listen_on_loopback (guint *port)
{
  g_autoptr(GSocketService) service = g_socket_service_new ();
  g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr(GSocketAddress) effective = NULL;
  g_autoptr(GError) error = NULL;

  g_socket_listener_add_address (G_SOCKET_LISTENER (service), address,
                                 G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                 NULL, &effective, &error);
  g_assert_no_error (error);
  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));

  return g_steal_pointer (&service);
}

/* Server */

struct _BoshTestServer
{
  GSocketService *service;
  GCancellable *cancellable;
  GTlsCertificate *certificate;
  BoshTestHandler handler;
  gpointer user_data;
  GPtrArray *requests;
  GPtrArray *peers;
  guint port;
  char *uris[2];  /* by http and by https */
  guint n_closed;
  gboolean reading;
};

typedef struct
{
  GBytes *bytes;
  guint times;
} Output;

struct _BoshTestPeer
{
  grefcount ref_count;
  BoshTestServer *server;     /* NULL after the end of the server */
  guint number;
  GSocketConnection *socket;
  GIOStream *stream;          /* TLS on the socket, or the socket */
  GByteArray *input;
  guint8 piece[PIECE_SIZE];
  GQueue output;              /* of Output; the head is being written */
  gboolean close_after_output;
  gboolean is_closed;
};

static void
output_free (gpointer data)
{
  Output *output = data;

  g_bytes_unref (output->bytes);
  g_free (output);
}

static void
peer_unref (BoshTestPeer *peer)
{
  if (!g_ref_count_dec (&peer->ref_count))
    return;

  g_queue_clear_full (&peer->output, output_free);
  g_byte_array_unref (peer->input);
  g_object_unref (peer->stream);
  g_object_unref (peer->socket);
  g_free (peer);
}

static BoshTestPeer *
peer_ref (BoshTestPeer *peer)
{
  g_ref_count_inc (&peer->ref_count);

  return peer;
}

static void
request_free (gpointer data)
{
  BoshTestRequest *request = data;

  g_free (request->head);
  g_bytes_unref (request->body);
  g_free (request);
}

/* The socket itself, so that nothing waits for TLS to say good-bye. */
static void
peer_shut (BoshTestPeer *peer)
{
  if (peer->is_closed)
    return;

  peer->is_closed = TRUE;
  g_io_stream_close (G_IO_STREAM (peer->socket), NULL, NULL);
}

/* Takes one whole request out of the input, or gives NULL. */
static BoshTestRequest *
peer_take_request (BoshTestPeer *peer)
{
  BoshTestRequest *request;
  g_autofree char *length = NULL;
  const char *end;
  gsize head_size;
  gsize body_size;

  if (peer->input->len == 0)
    return NULL;
  end = g_strstr_len ((const char *)peer->input->data, peer->input->len, "\r\n\r\n");
  if (end == NULL)
    return NULL;

  head_size = end - (const char *)peer->input->data + 4;
  request = g_new0 (BoshTestRequest, 1);
  request->head = g_strndup ((const char *)peer->input->data, head_size - 2);
  request->connection = peer->number;

  length = bosh_test_request_dup_header (request, "Content-Length");
  body_size = length != NULL ? g_ascii_strtoull (length, NULL, 10) : 0;
  if (peer->input->len < head_size + body_size)
    {
      request->body = g_bytes_new (NULL, 0);
      request_free (request);
      return NULL;
    }

  request->body = g_bytes_new (peer->input->data + head_size, body_size);
  g_byte_array_remove_range (peer->input, 0, head_size + body_size);

  return request;
}

static void peer_read (BoshTestPeer *peer);

static void
on_peer_read (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  BoshTestPeer *peer = user_data;
  BoshTestRequest *request;
  gssize n_read;

  n_read = g_input_stream_read_finish (G_INPUT_STREAM (source), result, NULL);

  if (peer->server != NULL && n_read <= 0)
    {
      peer->server->n_closed += !peer->is_closed;
      peer_shut (peer);
    }
  else if (peer->server != NULL)
    {
      g_byte_array_append (peer->input, peer->piece, n_read);
      while (peer->server != NULL && (request = peer_take_request (peer)) != NULL)
        {
          g_ptr_array_add (peer->server->requests, request);
          peer->server->handler (peer, request, peer->server->user_data);
        }
      peer_read (peer);
    }

  peer_unref (peer);
}

static void
peer_read (BoshTestPeer *peer)
{
  if (peer->is_closed || peer->server == NULL || !peer->server->reading)
    return;

  g_input_stream_read_async (g_io_stream_get_input_stream (peer->stream),
                             peer->piece, sizeof peer->piece,
                             G_PRIORITY_DEFAULT,
                             peer->server->cancellable,
                             on_peer_read,
                             peer_ref (peer));
}

static void peer_write (BoshTestPeer *peer);

static void
on_peer_written (GObject      *source,
                 GAsyncResult *result,
                 gpointer      user_data)
{
  BoshTestPeer *peer = user_data;
  Output *output = g_queue_peek_head (&peer->output);
  gboolean success;

  success = g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, NULL);
  if (--output->times == 0)
    output_free (g_queue_pop_head (&peer->output));

  if (success && peer->server != NULL)
    peer_write (peer);
  peer_unref (peer);
}

static void
peer_write (BoshTestPeer *peer)
{
  Output *output = g_queue_peek_head (&peer->output);

  if (peer->is_closed)
    return;

  if (output == NULL)
    {
      if (peer->close_after_output)
        peer_shut (peer);
      return;
    }

  g_output_stream_write_all_async (g_io_stream_get_output_stream (peer->stream),
                                   g_bytes_get_data (output->bytes, NULL),
                                   g_bytes_get_size (output->bytes),
                                   G_PRIORITY_DEFAULT,
                                   peer->server->cancellable,
                                   on_peer_written,
                                   peer_ref (peer));
}

static gboolean
on_incoming (GSocketService    *service,
             GSocketConnection *connection,
             GObject           *source_object,
             gpointer           user_data)
{
  BoshTestServer *self = user_data;
  BoshTestPeer *peer = g_new0 (BoshTestPeer, 1);
  g_autoptr(GError) error = NULL;

  g_ref_count_init (&peer->ref_count);
  peer->server = self;
  peer->socket = g_object_ref (connection);
  peer->input = g_byte_array_new ();
  g_queue_init (&peer->output);
  g_ptr_array_add (self->peers, peer);
  peer->number = self->peers->len;

  if (self->certificate != NULL)
    {
      peer->stream = g_tls_server_connection_new (G_IO_STREAM (connection),
                                                  self->certificate, &error);
      g_assert_no_error (error);
    }
  else
    {
      peer->stream = G_IO_STREAM (g_object_ref (connection));
    }

  peer_read (peer);

  return TRUE;
}

BoshTestServer *
bosh_test_server_new (GTlsCertificate *certificate,
                      BoshTestHandler  handler,
                      gpointer         user_data)
{
  BoshTestServer *self = g_new0 (BoshTestServer, 1);

  self->service = listen_on_loopback (&self->port);
  self->uris[FALSE] = g_strdup_printf ("http://127.0.0.1:%u/http-bind/", self->port);
  self->uris[TRUE] = g_strdup_printf ("https://127.0.0.1:%u/http-bind/", self->port);
  self->cancellable = g_cancellable_new ();
  g_set_object (&self->certificate, certificate);
  self->handler = handler;
  self->user_data = user_data;
  self->requests = g_ptr_array_new_with_free_func (request_free);
  self->peers = g_ptr_array_new_with_free_func ((GDestroyNotify)peer_unref);
  self->reading = TRUE;
  g_signal_connect (self->service, "incoming", G_CALLBACK (on_incoming), self);

  return self;
}

void
bosh_test_server_free (BoshTestServer *self)
{
  g_signal_handlers_disconnect_by_data (self->service, self);
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_cancellable_cancel (self->cancellable);

  for (guint i = 0; i < self->peers->len; i++)
    {
      BoshTestPeer *peer = g_ptr_array_index (self->peers, i);

      peer->server = NULL;
      peer_shut (peer);
    }

  /* The operations that were cancelled come to their end. */
  bosh_test_drain ();

  g_ptr_array_unref (self->peers);
  g_ptr_array_unref (self->requests);
  g_clear_object (&self->certificate);
  g_object_unref (self->cancellable);
  g_object_unref (self->service);
  g_free (self->uris[FALSE]);
  g_free (self->uris[TRUE]);
  g_free (self);
}

guint
bosh_test_server_get_port (BoshTestServer *self)
{
  return self->port;
}

const char *
bosh_test_server_get_uri (BoshTestServer *self,
                          gboolean        secure)
{
  return self->uris[secure];
}

void
bosh_test_server_set_certificate (BoshTestServer  *self,
                                  GTlsCertificate *certificate)
{
  g_set_object (&self->certificate, certificate);
}

void
bosh_test_server_set_reading (BoshTestServer *self,
                              gboolean        reading)
{
  if (self->reading == reading)
    return;

  self->reading = reading;
  for (guint i = 0; reading && i < self->peers->len; i++)
    peer_read (g_ptr_array_index (self->peers, i));
}

GPtrArray *
bosh_test_server_get_requests (BoshTestServer *self)
{
  return self->requests;
}

const BoshTestRequest *
bosh_test_server_get_request (BoshTestServer *self,
                              guint           index)
{
  g_assert_cmpuint (index, <, self->requests->len);

  return g_ptr_array_index (self->requests, index);
}

guint
bosh_test_server_get_n_accepted (BoshTestServer *self)
{
  return self->peers->len;
}

guint
bosh_test_server_get_n_closed (BoshTestServer *self)
{
  return self->n_closed;
}

char *
bosh_test_request_dup_header (const BoshTestRequest *request,
                              const char            *name)
{
  g_auto(GStrv) lines = g_strsplit (request->head, "\r\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *colon = strchr (lines[i], ':');

      if (colon == NULL || i == 0)
        continue;

      *colon = '\0';
      if (g_ascii_strcasecmp (lines[i], name) == 0)
        return g_strdup (g_strstrip (colon + 1));
    }

  return NULL;
}

void
bosh_test_assert_header (const BoshTestRequest *request,
                         const char            *name,
                         const char            *expected)
{
  g_autofree char *value = bosh_test_request_dup_header (request, name);

  g_assert_cmpstr (value, ==, expected);
}

void
bosh_test_respond_with (BoshTestPeer          *peer,
                        const BoshTestRequest *request,
                        gpointer               user_data)
{
  bosh_test_peer_write (peer, user_data);
}

void
bosh_test_peer_reply (BoshTestPeer *self,
                      guint         status,
                      const char   *headers,
                      const char   *body)
{
  g_autofree char *text = NULL;

  text = g_strdup_printf ("HTTP/1.1 %u Test\r\n"
                          "Content-Type: text/xml; charset=utf-8\r\n"
                          "Content-Length: %" G_GSIZE_FORMAT "\r\n"
                          "%s\r\n%s",
                          status, strlen (body), headers != NULL ? headers : "", body);
  bosh_test_peer_write (self, text);
}

void
bosh_test_peer_write (BoshTestPeer *self,
                      const char   *text)
{
  g_autoptr(GBytes) bytes = g_bytes_new (text, strlen (text));

  bosh_test_peer_write_bytes (self, bytes, 1);
}

void
bosh_test_peer_write_bytes (BoshTestPeer *self,
                            GBytes       *bytes,
                            guint         times)
{
  Output *output = g_new0 (Output, 1);

  output->bytes = g_bytes_ref (bytes);
  output->times = times;
  g_queue_push_tail (&self->output, output);
  if (self->output.length == 1)
    peer_write (self);
}

void
bosh_test_peer_close (BoshTestPeer *self)
{
  self->close_after_output = TRUE;
  if (self->output.length == 0)
    peer_write (self);
}

void
bosh_test_peer_reset (BoshTestPeer *self)
{
  const struct linger linger = { .l_onoff = 1, .l_linger = 0 };
  GSocket *socket = g_socket_connection_get_socket (self->socket);

  g_assert_cmpint (setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER,
                               &linger, sizeof linger),
                   ==, 0);
  peer_shut (self);
}

gboolean
bosh_test_peer_is_closed (BoshTestPeer *self)
{
  return self->is_closed;
}

gboolean
bosh_test_peer_sees_end (BoshTestPeer *self)
{
  GSocket *socket = g_socket_connection_get_socket (self->socket);
  char byte;

  return recv (g_socket_get_fd (socket), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Proxy */

struct _BoshTestProxy
{
  BoshTestProxyType type;
  GSocketService *service;
  GCancellable *cancellable;
  GPtrArray *requests;
  char *refusal;
  char *authorization;
  char *challenge;
  gboolean keeps;
  char *destination;
  guint port;
};

typedef struct
{
  grefcount ref_count;
  BoshTestProxy *proxy;          /* NULL after its end */
  GSocketConnection *client;
  GSocketConnection *server;
  GByteArray *input;
  guint8 piece[PIECE_SIZE];
  gboolean is_greeted;           /* SOCKS: the method is agreed */
} Tunnel;

static void
tunnel_unref (Tunnel *tunnel)
{
  if (!g_ref_count_dec (&tunnel->ref_count))
    return;

  g_io_stream_close (G_IO_STREAM (tunnel->client), NULL, NULL);
  g_object_unref (tunnel->client);
  g_clear_object (&tunnel->server);
  g_byte_array_unref (tunnel->input);
  g_free (tunnel);
}

static Tunnel *
tunnel_ref (Tunnel *tunnel)
{
  g_ref_count_inc (&tunnel->ref_count);

  return tunnel;
}

/* One direction has ended: so has the other. */
static void
on_spliced (GObject      *source,
            GAsyncResult *result,
            gpointer      user_data)
{
  Tunnel *tunnel = user_data;

  g_output_stream_splice_finish (G_OUTPUT_STREAM (source), result, NULL);
  g_socket_shutdown (g_socket_connection_get_socket (tunnel->client), TRUE, TRUE, NULL);
  g_socket_shutdown (g_socket_connection_get_socket (tunnel->server), TRUE, TRUE, NULL);
  tunnel_unref (tunnel);
}

static void
tunnel_splice (Tunnel            *tunnel,
               GSocketConnection *from,
               GSocketConnection *to)
{
  g_output_stream_splice_async (g_io_stream_get_output_stream (G_IO_STREAM (to)),
                                g_io_stream_get_input_stream (G_IO_STREAM (from)),
                                G_OUTPUT_STREAM_SPLICE_NONE,
                                G_PRIORITY_DEFAULT,
                                tunnel->proxy->cancellable,
                                on_spliced,
                                tunnel_ref (tunnel));
}

/* A few bytes, which always fit into the buffer of the socket. */
static void
send_bytes (GSocketConnection *connection,
            gconstpointer      data,
            gsize              size)
{
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)),
                             data, size, NULL, NULL, NULL);
}

static void
on_tunnel_connected (GObject      *source,
                     GAsyncResult *result,
                     gpointer      user_data)
{
  Tunnel *tunnel = user_data;
  GSocketClient *client = G_SOCKET_CLIENT (source);
  g_autoptr(GError) error = NULL;

  tunnel->server = g_socket_client_connect_to_host_finish (client, result, &error);
  if (tunnel->proxy != NULL && error == NULL)
    {
      if (tunnel->proxy->type == BOSH_TEST_PROXY_SOCKS5)
        send_bytes (tunnel->client, "\5\0\0\1\0\0\0\0\0\0", 10);
      else if (memcmp (tunnel->input->data, "CONNECT ", 8) == 0)
        send_bytes (tunnel->client, "HTTP/1.1 200 OK\r\n\r\n", 19);
      else
        send_bytes (tunnel->server, tunnel->input->data, tunnel->input->len);

      tunnel_splice (tunnel, tunnel->client, tunnel->server);
      tunnel_splice (tunnel, tunnel->server, tunnel->client);
    }

  tunnel_unref (tunnel);
}

static void
tunnel_connect (Tunnel     *tunnel,
                const char *host_and_port)
{
  g_autoptr(GSocketClient) client = g_socket_client_new ();

  g_socket_client_connect_to_host_async (client, host_and_port, 80,
                                         tunnel->proxy->cancellable,
                                         on_tunnel_connected,
                                         tunnel_ref (tunnel));
}

/* The length of the request, its body included. */
static gsize
get_request_length (const char *head)
{
  const char *end = strstr (head, "\r\n\r\n");
  const char *length = strstr (head, "Content-Length: ");

  return (gsize)(end - head) + 4 +
         (length != NULL && length < end ? g_ascii_strtoull (length + strlen ("Content-Length: "), NULL, 10)
                                         : 0);
}

/* These two give FALSE when they need more input. */
static gboolean
tunnel_advance_http (Tunnel *tunnel)
{
  BoshTestProxy *proxy = tunnel->proxy;
  g_auto(GStrv) words = NULL;
  g_autofree char *head = NULL;
  char *target;

  if (g_strstr_len ((const char *)tunnel->input->data, tunnel->input->len, "\r\n\r\n") == NULL)
    return FALSE;

  head = g_strndup ((const char *)tunnel->input->data, tunnel->input->len);
  if (proxy->challenge != NULL && tunnel->input->len < get_request_length (head))
    return FALSE;
  g_ptr_array_add (proxy->requests, g_strdup (head));
  if (proxy->challenge != NULL && strstr (head, proxy->authorization) == NULL)
    {
      send_bytes (tunnel->client, proxy->challenge, strlen (proxy->challenge));
      g_byte_array_set_size (tunnel->input, 0);
      return !proxy->keeps;
    }
  if (proxy->refusal != NULL)
    {
      send_bytes (tunnel->client, proxy->refusal, strlen (proxy->refusal));
      return TRUE;
    }

  words = g_strsplit (head, " ", 3);
  target = words[1];
  if (g_str_has_prefix (target, "http://"))
    {
      target += strlen ("http://");
      target[strcspn (target, "/")] = '\0';
    }
  tunnel_connect (tunnel, proxy->destination != NULL ? proxy->destination : target);

  return TRUE;
}

static gboolean
tunnel_advance_socks (Tunnel *tunnel)
{
  GByteArray *input = tunnel->input;
  g_autofree char *host = NULL;
  g_autofree char *target = NULL;
  gsize size;

  if (!tunnel->is_greeted)
    {
      if (input->len < 2 || input->len < 2u + input->data[1])
        return FALSE;

      g_byte_array_remove_range (input, 0, 2u + input->data[1]);
      tunnel->is_greeted = TRUE;
      send_bytes (tunnel->client, "\5\0", 2);
    }

  if (input->len < 5)
    return FALSE;
  size = input->data[3] == 3 ? 7u + input->data[4] : 10;
  if (input->len < size)
    return FALSE;

  host = input->data[3] == 3
           ? g_strndup ((const char *)input->data + 5, input->data[4])
           : g_strdup_printf ("%u.%u.%u.%u", input->data[4], input->data[5],
                              input->data[6], input->data[7]);
  target = g_strdup_printf ("%s:%u", host, input->data[size - 2] * 256u + input->data[size - 1]);
  g_ptr_array_add (tunnel->proxy->requests, g_strdup (target));
  tunnel_connect (tunnel, target);

  return TRUE;
}

static void tunnel_read (Tunnel *tunnel);

static void
on_tunnel_read (GObject      *source,
                GAsyncResult *result,
                gpointer      user_data)
{
  Tunnel *tunnel = user_data;
  gssize n_read;

  n_read = g_input_stream_read_finish (G_INPUT_STREAM (source), result, NULL);
  if (tunnel->proxy != NULL && n_read > 0)
    {
      g_byte_array_append (tunnel->input, tunnel->piece, n_read);
      if (!(tunnel->proxy->type == BOSH_TEST_PROXY_SOCKS5 ? tunnel_advance_socks (tunnel)
                                                          : tunnel_advance_http (tunnel)))
        tunnel_read (tunnel);
    }

  tunnel_unref (tunnel);
}

static void
tunnel_read (Tunnel *tunnel)
{
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (tunnel->client)),
                             tunnel->piece, sizeof tunnel->piece,
                             G_PRIORITY_DEFAULT,
                             tunnel->proxy->cancellable,
                             on_tunnel_read,
                             tunnel_ref (tunnel));
}

static gboolean
on_proxy_incoming (GSocketService    *service,
                   GSocketConnection *connection,
                   GObject           *source_object,
                   gpointer           user_data)
{
  Tunnel *tunnel = g_new0 (Tunnel, 1);

  g_ref_count_init (&tunnel->ref_count);
  tunnel->proxy = user_data;
  tunnel->client = g_object_ref (connection);
  tunnel->input = g_byte_array_new ();
  tunnel_read (tunnel);
  tunnel_unref (tunnel);

  return TRUE;
}

BoshTestProxy *
bosh_test_proxy_new (BoshTestProxyType type)
{
  BoshTestProxy *self = g_new0 (BoshTestProxy, 1);

  self->type = type;
  self->service = listen_on_loopback (&self->port);
  self->cancellable = g_cancellable_new ();
  self->requests = g_ptr_array_new_with_free_func (g_free);
  g_signal_connect (self->service, "incoming", G_CALLBACK (on_proxy_incoming), self);

  return self;
}

void
bosh_test_proxy_free (BoshTestProxy *self)
{
  g_signal_handlers_disconnect_by_data (self->service, self);
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));

  /* Every tunnel is in an operation that is cancelled by this, so none is left
   * after the drain. */
  g_cancellable_cancel (self->cancellable);
  bosh_test_drain ();

  g_ptr_array_unref (self->requests);
  g_object_unref (self->cancellable);
  g_object_unref (self->service);
  g_free (self->authorization);
  g_free (self->challenge);
  g_free (self->refusal);
  g_free (self->destination);
  g_free (self);
}

GProxyResolver *
bosh_test_proxy_new_resolver (BoshTestProxy *self)
{
  g_autofree char *uri = NULL;

  uri = g_strdup_printf ("%s://127.0.0.1:%u",
                         self->type == BOSH_TEST_PROXY_SOCKS5 ? "socks5" : "http",
                         self->port);

  return g_simple_proxy_resolver_new (uri, NULL);
}

void
bosh_test_proxy_set_refusal (BoshTestProxy *self,
                             const char    *head)
{
  g_free (self->refusal);
  self->refusal = g_strdup (head);
}

void
bosh_test_proxy_set_challenge (BoshTestProxy *self,
                               const char    *authorization,
                               const char    *challenge,
                               gboolean       keeps)
{
  g_free (self->authorization);
  g_free (self->challenge);
  self->authorization = g_strconcat ("Proxy-Authorization: ", authorization, NULL);
  self->challenge = g_strdup (challenge);
  self->keeps = keeps;
}

void
bosh_test_proxy_set_destination (BoshTestProxy *self,
                                 guint          port)
{
  g_free (self->destination);
  self->destination = g_strdup_printf ("127.0.0.1:%u", port);
}

GPtrArray *
bosh_test_proxy_get_requests (BoshTestProxy *self)
{
  return self->requests;
}
