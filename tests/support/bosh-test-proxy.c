/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define PIECE_SIZE 16384

struct _BoshTestFaultProxy
{
  GThread *thread;
  GMainContext *context;
  GMainLoop *loop;
  GSocketService *service;
  GSocketAddress *server;
  GCancellable *cancellable;
  GPtrArray *links;           /* of Link, those that are open */
  GRand *rand;
  guint port;

  /* What both threads use. */
  GMutex mutex;
  guint every;
  BoshTestFault faults[BOSH_TEST_N_FAULTS];
  gsize n_faults;
  gsize next_fault;
  guint until_fault;          /* exchanges */
  guint black_hole;           /* milliseconds */
  guint latency;              /* milliseconds */
  guint n_exchanges;
  guint counts[BOSH_TEST_N_FAULTS];
};

/* A connection of the client, and the one to the server that belongs to it. */
typedef struct _Link Link;

/* One way of a link. */
typedef struct
{
  Link *link;
  GSocketConnection *from;
  GByteArray *bytes;          /* arrived, and not passed on */
  guint8 piece[PIECE_SIZE];
} Way;

struct _Link
{
  grefcount ref_count;
  BoshTestFaultProxy *proxy;
  GCancellable *cancellable;  /* of what is being read */
  Way request;
  Way response;
  gboolean is_busy;           /* an exchange is under way */
  gboolean is_closed;
  BoshTestFault fault;        /* of the exchange under way */
  gsize n_dribbled;
  GSource *timer;             /* nullable */
};

static const char * const fault_names[] = {
  [BOSH_TEST_FAULT_NONE] = "none",
  [BOSH_TEST_FAULT_RESET_BEFORE] = "reset-before",
  [BOSH_TEST_FAULT_RESET_DURING] = "reset-during",
  [BOSH_TEST_FAULT_BLACK_HOLE] = "black-hole",
  [BOSH_TEST_FAULT_GARBAGE] = "garbage",
  [BOSH_TEST_FAULT_BAD_GATEWAY] = "bad-gateway",
  [BOSH_TEST_FAULT_HTML] = "html",
  [BOSH_TEST_FAULT_RESET_AFTER] = "reset-after",
  [BOSH_TEST_FAULT_HALF_RESPONSE] = "half-response",
  [BOSH_TEST_FAULT_CUT_CHUNK] = "cut-chunk",
  [BOSH_TEST_FAULT_SILENCE] = "silence",
  [BOSH_TEST_FAULT_GATEWAY_TIMEOUT] = "gateway-timeout",
  [BOSH_TEST_FAULT_DRIBBLE] = "dribble",
};

G_STATIC_ASSERT (G_N_ELEMENTS (fault_names) == BOSH_TEST_N_FAULTS);

const char *
bosh_test_fault_get_name (BoshTestFault fault)
{
  return fault_names[fault];
}

BoshTestFault
bosh_test_fault_from_name (const char *name)
{
  for (guint i = 0; i < BOSH_TEST_N_FAULTS; i++)
    if (strcmp (fault_names[i], name) == 0)
      return i;

  return BOSH_TEST_FAULT_NONE;
}

/* --- HTTP --- */

/* The value of a header as it is in @head, up to the end of its line, or NULL. */
static const char *
find_header (const char *head,
             const char *name)
{
  gsize length = strlen (name);

  for (const char *line = strstr (head, "\r\n"); line != NULL; line = strstr (line + 2, "\r\n"))
    if (g_ascii_strncasecmp (line + 2, name, length) == 0 && line[2 + length] == ':')
      return line + 2 + length + 1 + strspn (line + 2 + length + 1, " ");

  return NULL;
}

/* The size of a chunked body, or 0 if it is not all there. @text ends with NUL. */
static gsize
measure_chunks (const char *text,
                gsize       size)
{
  gsize position = 0;

  while (TRUE)
    {
      const char *line = text + position;
      const char *end = g_strstr_len (line, size - position, "\r\n");
      gsize chunk;

      if (end == NULL)
        return 0;

      chunk = g_ascii_strtoull (line, NULL, 16);
      position = end + 2 - text + chunk + 2;
      if (position > size)
        return 0;
      if (chunk == 0)
        return position;
    }
}

/* The size of the HTTP message that @bytes begin with, or 0 if it is not all
 * there. */
static gsize
measure_message (GByteArray *bytes,
                 gsize      *head_size)
{
  g_autofree char *text = g_strndup (bytes->len > 0 ? (const char *)bytes->data : "", bytes->len);
  char *end = strstr (text, "\r\n\r\n");
  const char *length;
  const char *coding;
  gsize size;

  if (end == NULL)
    return 0;

  *head_size = end + 4 - text;
  end[2] = '\0';
  length = find_header (text, "Content-Length");
  coding = find_header (text, "Transfer-Encoding");
  if (coding != NULL && g_ascii_strncasecmp (coding, "chunked", strlen ("chunked")) == 0)
    {
      gsize chunks = measure_chunks (text + *head_size, bytes->len - *head_size);

      return chunks > 0 ? *head_size + chunks : 0;
    }

  size = *head_size + (length != NULL ? g_ascii_strtoull (length, NULL, 10) : 0);

  return size <= bytes->len ? size : 0;
}

/* --- Links --- */

static void link_advance (Link *self);

static Link *
link_ref (Link *self)
{
  g_ref_count_inc (&self->ref_count);

  return self;
}

static void
link_unref (gpointer data)
{
  Link *self = data;

  if (!g_ref_count_dec (&self->ref_count))
    return;

  g_object_unref (self->request.from);
  g_object_unref (self->response.from);
  g_byte_array_unref (self->request.bytes);
  g_byte_array_unref (self->response.bytes);
  g_object_unref (self->cancellable);
  g_free (self);
}

static void
link_clear_timer (Link *self)
{
  if (self->timer == NULL)
    return;

  g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static void
link_close (Link *self)
{
  if (self->is_closed)
    return;

  self->is_closed = TRUE;
  link_clear_timer (self);
  g_cancellable_cancel (self->cancellable);
  g_io_stream_close (G_IO_STREAM (self->request.from), NULL, NULL);
  g_io_stream_close (G_IO_STREAM (self->response.from), NULL, NULL);
  g_ptr_array_remove_fast (self->proxy->links, self);
}

/* Rudely, with RST. */
static void
link_reset (Link *self)
{
  const struct linger linger = { .l_onoff = 1, .l_linger = 0 };
  GSocket *socket = g_socket_connection_get_socket (self->request.from);

  if (self->is_closed)
    return;

  g_assert_cmpint (setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER,
                               &linger, sizeof linger),
                   ==, 0);
  link_close (self);
}

/* It may block: client and server read in other threads. */
static void
link_write (Link              *self,
            GSocketConnection *to,
            gconstpointer      data,
            gsize              size)
{
  if (!g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (to)),
                                  data, size, NULL, self->proxy->cancellable, NULL))
    link_close (self);
}

static void
link_tell (Link       *self,
           const char *text)
{
  link_write (self, self->request.from, text, strlen (text));
}

static void
link_set_timer (Link        *self,
                GSource     *source,
                GSourceFunc  callback)
{
  link_clear_timer (self);
  self->timer = source;
  g_source_set_callback (source, callback, link_ref (self), link_unref);
  g_source_attach (source, self->proxy->context);
}

static gboolean
on_black_hole_over (gpointer user_data)
{
  link_close (user_data);

  return G_SOURCE_REMOVE;
}

static void
link_fall_silent (Link *self)
{
  guint milliseconds;

  g_mutex_lock (&self->proxy->mutex);
  milliseconds = self->proxy->black_hole;
  g_mutex_unlock (&self->proxy->mutex);

  link_set_timer (self, g_timeout_source_new (milliseconds), on_black_hole_over);
}

/* A response of the proxy instead of the server's; @status with its phrase. */
static void
link_respond (Link       *self,
              const char *status)
{
  static const char page[] = "<!DOCTYPE html><html><head><title>Welcome</title></head>"
                             "<body><p>Please log in to the network.<br></p></body></html>";
  g_autofree char *text = NULL;

  text = g_strdup_printf ("HTTP/1.1 %s\r\nContent-Type: text/html\r\n"
                          "Content-Length: %zu\r\n\r\n%s",
                          status, strlen (page), page);
  link_tell (self, text);
}

/* --- What happens to a request --- */

/* The exchange is over, and another may come. */
static void
link_end_exchange (Link  *self,
                   gsize  response_size)
{
  if (self->is_closed)
    return;

  link_clear_timer (self);
  g_byte_array_remove_range (self->response.bytes, 0, response_size);
  self->is_busy = FALSE;
  link_advance (self);
}

static void
link_pass_request (Link  *self,
                   gsize  size)
{
  link_write (self, self->response.from, self->request.bytes->data, size);
}

static void
link_handle_request (Link *self)
{
  gsize head_size;
  gsize size = measure_message (self->request.bytes, &head_size);

  switch ((guint)self->fault)
    {
    case BOSH_TEST_FAULT_RESET_BEFORE:
      link_reset (self);
      break;

    case BOSH_TEST_FAULT_RESET_DURING:
      link_pass_request (self, size / 2);
      link_reset (self);
      break;

    case BOSH_TEST_FAULT_BLACK_HOLE:
      link_fall_silent (self);
      break;

    case BOSH_TEST_FAULT_GARBAGE:
      link_tell (self, "\x16\x03\x01 what is this?\r\n\r\n");
      link_close (self);
      break;

    case BOSH_TEST_FAULT_BAD_GATEWAY:
      link_respond (self, "502 Bad Gateway");
      break;

    case BOSH_TEST_FAULT_HTML:
      link_respond (self, "200 OK");
      break;

    default:
      link_pass_request (self, size);
      break;
    }

  if (!self->is_closed)
    g_byte_array_remove_range (self->request.bytes, 0, size);
  if (self->fault == BOSH_TEST_FAULT_BAD_GATEWAY || self->fault == BOSH_TEST_FAULT_HTML)
    link_end_exchange (self, 0);
}

static gboolean
on_request_due (gpointer user_data)
{
  Link *self = user_data;

  link_clear_timer (self);
  link_handle_request (self);

  return G_SOURCE_REMOVE;
}

/* --- What happens to a response --- */

static void
link_cut_response (Link  *self,
                   gsize  head_size,
                   gsize  size)
{
  gsize kept = g_rand_int_range (self->proxy->rand, head_size, MAX (size, head_size + 1));

  link_write (self, self->request.from, self->response.bytes->data, kept);
  link_close (self);
}

/* One chunk of the length of the response, of which only a part comes. */
static void
link_cut_chunk (Link  *self,
                gsize  head_size,
                gsize  size)
{
  gsize kept = g_rand_int_range (self->proxy->rand, 0, MAX (size - head_size, 1));
  g_autofree char *head = NULL;

  head = g_strdup_printf ("HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
                          size - head_size);
  link_tell (self, head);
  if (!self->is_closed)
    link_write (self, self->request.from, self->response.bytes->data + head_size, kept);
  link_close (self);
}

static gboolean
on_dribble (gpointer user_data)
{
  Link *self = user_data;
  gsize head_size;
  gsize size = measure_message (self->response.bytes, &head_size);

  link_write (self, self->request.from, self->response.bytes->data + self->n_dribbled++, 1);
  if (self->is_closed)
    return G_SOURCE_REMOVE;
  if (self->n_dribbled < size)
    return G_SOURCE_CONTINUE;

  link_end_exchange (self, size);

  return G_SOURCE_REMOVE;
}

static void
link_handle_response (Link *self)
{
  gsize head_size;
  gsize size = measure_message (self->response.bytes, &head_size);

  switch ((guint)self->fault)
    {
    case BOSH_TEST_FAULT_RESET_AFTER:
      link_reset (self);
      break;

    case BOSH_TEST_FAULT_HALF_RESPONSE:
      link_cut_response (self, head_size, size);
      break;

    case BOSH_TEST_FAULT_CUT_CHUNK:
      link_cut_chunk (self, head_size, size);
      break;

    case BOSH_TEST_FAULT_SILENCE:
      link_fall_silent (self);
      break;

    case BOSH_TEST_FAULT_GATEWAY_TIMEOUT:
      link_respond (self, "504 Gateway Timeout");
      link_end_exchange (self, size);
      break;

    case BOSH_TEST_FAULT_DRIBBLE:
      self->n_dribbled = 0;
      link_set_timer (self, g_idle_source_new (), on_dribble);
      break;

    default:
      link_write (self, self->request.from, self->response.bytes->data, size);
      link_end_exchange (self, size);
      break;
    }
}

static gboolean
on_response_due (gpointer user_data)
{
  Link *self = user_data;

  link_clear_timer (self);
  link_handle_response (self);

  return G_SOURCE_REMOVE;
}

/* --- The course of an exchange --- */

/* What the next exchange suffers. */
static BoshTestFault
count_exchange (BoshTestFaultProxy *self)
{
  BoshTestFault fault = BOSH_TEST_FAULT_NONE;

  g_mutex_lock (&self->mutex);
  self->n_exchanges++;
  if (self->every > 0 && --self->until_fault == 0)
    {
      fault = self->faults[self->next_fault];
      self->next_fault = (self->next_fault + 1) % self->n_faults;
      self->until_fault = self->every;
    }
  self->counts[fault]++;
  g_mutex_unlock (&self->mutex);

  return fault;
}

static void
link_run_later (Link        *self,
                GSourceFunc  callback)
{
  guint latency;

  g_mutex_lock (&self->proxy->mutex);
  latency = self->proxy->latency;
  g_mutex_unlock (&self->proxy->mutex);

  if (latency == 0)
    callback (self);
  else
    link_set_timer (self, g_timeout_source_new (latency), callback);
}

static void
link_advance (Link *self)
{
  gsize head_size;

  if (self->is_busy || self->is_closed || measure_message (self->request.bytes, &head_size) == 0)
    return;

  self->is_busy = TRUE;
  self->fault = count_exchange (self->proxy);
  link_run_later (self, on_request_due);
}

static void way_read (Way *way);

static void
on_read (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  Way *way = user_data;
  Link *link = way->link;
  gsize head_size;
  gssize n_read;

  n_read = g_input_stream_read_finish (G_INPUT_STREAM (source), result, NULL);
  if (n_read <= 0)
    {
      link_close (link);
    }
  else if (!link->is_closed)
    {
      g_byte_array_append (way->bytes, way->piece, n_read);
      if (way == &link->request)
        link_advance (link);
      else if (link->is_busy && link->timer == NULL && measure_message (way->bytes, &head_size) > 0)
        link_run_later (link, on_response_due);
    }

  if (!link->is_closed)
    way_read (way);
  link_unref (link);
}

static void
way_read (Way *way)
{
  link_ref (way->link);
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (way->from)),
                             way->piece, sizeof way->piece, G_PRIORITY_DEFAULT,
                             way->link->cancellable, on_read, way);
}

static void
way_init (Way               *way,
          Link              *link,
          GSocketConnection *from)
{
  way->link = link;
  way->from = g_object_ref (from);
  way->bytes = g_byte_array_new ();
  /* Each byte of a dribble is to travel alone. */
  g_socket_set_option (g_socket_connection_get_socket (from), IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
}

/* The connection to the server is made before anything is read, so that no
 * request is late because its connection is new. */
static gboolean
on_incoming (GSocketService    *service,
             GSocketConnection *client,
             GObject           *source_object,
             gpointer           user_data)
{
  BoshTestFaultProxy *self = user_data;
  g_autoptr(GSocketClient) connector = g_socket_client_new ();
  g_autoptr(GSocketConnection) server = NULL;
  Link *link;

  server = g_socket_client_connect (connector, G_SOCKET_CONNECTABLE (self->server),
                                    self->cancellable, NULL);
  if (server == NULL)
    return TRUE;

  link = g_new0 (Link, 1);
  g_ref_count_init (&link->ref_count);
  link->proxy = self;
  link->cancellable = g_cancellable_new ();
  way_init (&link->request, link, client);
  way_init (&link->response, link, server);
  g_ptr_array_add (self->links, link);
  way_read (&link->request);
  way_read (&link->response);

  return TRUE;
}

/* --- The proxy --- */

GSocket *
bosh_test_listen (const char *address)
{
  g_autoptr(GSocketAddress) any_port = g_inet_socket_address_new_from_string (address, 0);
  g_autoptr(GError) error = NULL;
  g_autoptr(GSocket) socket = NULL;

  socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  g_assert_no_error (error);
  g_socket_bind (socket, any_port, TRUE, &error);
  g_assert_no_error (error);
  g_socket_listen (socket, &error);
  g_assert_no_error (error);

  return g_steal_pointer (&socket);
}

static gpointer
run (gpointer data)
{
  BoshTestFaultProxy *self = data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);

  /* What is under way is cancelled, and comes to its end. */
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  while (self->links->len > 0)
    link_close (g_ptr_array_index (self->links, 0));
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);

  return NULL;
}

BoshTestFaultProxy *
bosh_test_fault_proxy_new_with_socket (GSocket *socket,
                                       guint    port,
                                       guint32  seed)
{
  BoshTestFaultProxy *self = g_new0 (BoshTestFaultProxy, 1);
  g_autoptr(GSocketAddress) address = NULL;
  g_autoptr(GError) error = NULL;

  g_mutex_init (&self->mutex);
  self->black_hole = 10000;
  self->rand = g_rand_new_with_seed (seed);
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->cancellable = g_cancellable_new ();
  self->links = g_ptr_array_new_with_free_func (link_unref);
  self->server = g_inet_socket_address_new_from_string ("127.0.0.1", port);

  address = g_socket_get_local_address (socket, &error);
  g_assert_no_error (error);
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));

  g_main_context_push_thread_default (self->context);
  self->service = g_socket_service_new ();
  g_signal_connect (self->service, "incoming", G_CALLBACK (on_incoming), self);
  g_socket_listener_add_socket (G_SOCKET_LISTENER (self->service), socket, NULL, &error);
  g_assert_no_error (error);
  g_main_context_pop_thread_default (self->context);

  self->thread = g_thread_new ("fault proxy", run, self);

  return self;
}

BoshTestFaultProxy *
bosh_test_fault_proxy_new (guint   port,
                           guint32 seed)
{
  g_autoptr(GSocket) socket = bosh_test_listen ("127.0.0.1");

  return bosh_test_fault_proxy_new_with_socket (socket, port, seed);
}

void
bosh_test_fault_proxy_free (BoshTestFaultProxy *self)
{
  g_cancellable_cancel (self->cancellable);
  g_main_loop_quit (self->loop);
  g_thread_join (self->thread);

  g_object_unref (self->service);
  g_object_unref (self->server);
  g_object_unref (self->cancellable);
  g_ptr_array_unref (self->links);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_rand_free (self->rand);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

guint
bosh_test_fault_proxy_get_port (BoshTestFaultProxy *self)
{
  return self->port;
}

void
bosh_test_fault_proxy_set_faults (BoshTestFaultProxy  *self,
                                  guint                every,
                                  const BoshTestFault *faults,
                                  gsize                n_faults)
{
  g_assert_cmpuint (n_faults, <=, BOSH_TEST_N_FAULTS);
  g_assert_true (every == 0 || n_faults > 0);

  g_mutex_lock (&self->mutex);
  self->every = every;
  self->until_fault = every;
  memcpy (self->faults, faults, n_faults * sizeof *faults);
  self->n_faults = n_faults;
  self->next_fault = 0;
  g_mutex_unlock (&self->mutex);
}

void
bosh_test_fault_proxy_set_black_hole (BoshTestFaultProxy *self,
                                      guint               milliseconds)
{
  g_mutex_lock (&self->mutex);
  self->black_hole = milliseconds;
  g_mutex_unlock (&self->mutex);
}

void
bosh_test_fault_proxy_set_latency (BoshTestFaultProxy *self,
                                   guint               milliseconds)
{
  g_mutex_lock (&self->mutex);
  self->latency = milliseconds;
  g_mutex_unlock (&self->mutex);
}

guint
bosh_test_fault_proxy_get_n_exchanges (BoshTestFaultProxy *self)
{
  guint n_exchanges;

  g_mutex_lock (&self->mutex);
  n_exchanges = self->n_exchanges;
  g_mutex_unlock (&self->mutex);

  return n_exchanges;
}

guint
bosh_test_fault_proxy_get_n_faults (BoshTestFaultProxy *self,
                                    BoshTestFault       fault)
{
  guint count;

  g_mutex_lock (&self->mutex);
  count = self->counts[fault];
  g_mutex_unlock (&self->mutex);

  return count;
}
