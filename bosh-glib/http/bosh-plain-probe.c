/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-plain-probe-private.h"

#include "bosh-source-private.h"

#include <string.h>

/* Milliseconds in which a handshake has mostly come further. */
#define PATIENCE 1000

#define REQUEST "HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
/* `HTTP/1.1 404` */
#define STATUS_LENGTH 12

struct _BoshPlainProbe
{
  grefcount            ref_count;
  BoshPlainProbeFound  found;       /* NULL once it was freed */
  gpointer             user_data;
  GSocketAddress      *address;
  GMainContext        *context;
  GSource             *timer;
  GCancellable        *cancellable;
  GIOStream           *stream;      /* nullable */
  char                 status[STATUS_LENGTH];
};

static BoshPlainProbe *
probe_ref (BoshPlainProbe *self)
{
  g_ref_count_inc (&self->ref_count);

  return self;
}

static void
probe_unref (BoshPlainProbe *self)
{
  if (!g_ref_count_dec (&self->ref_count))
    return;

  g_clear_object (&self->stream);
  g_object_unref (self->address);
  g_object_unref (self->cancellable);
  g_main_context_unref (self->context);
  g_free (self);
}

/* A port for https says 400 to plain HTTP. */
static gboolean
is_http (const char *status)
{
  return memcmp (status, "HTTP/1.", strlen ("HTTP/1.")) == 0 &&
         memcmp (status + strlen ("HTTP/1.1 "), "400", 3) != 0;
}

static void
on_read (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  BoshPlainProbe *self = user_data;
  gsize n_read = 0;

  if (g_input_stream_read_all_finish (G_INPUT_STREAM (source), result, &n_read, NULL) &&
      n_read == STATUS_LENGTH && self->found != NULL && is_http (self->status))
    self->found (self->user_data);
  probe_unref (self);
}

static void
on_written (GObject      *source,
            GAsyncResult *result,
            gpointer      user_data)
{
  BoshPlainProbe *self = user_data;

  if (g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, NULL))
    g_input_stream_read_all_async (g_io_stream_get_input_stream (self->stream), self->status,
                                   STATUS_LENGTH, G_PRIORITY_DEFAULT, self->cancellable, on_read,
                                   self);
  else
    probe_unref (self);
}

static void
on_connected (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  BoshPlainProbe *self = user_data;
  GSocketConnection *connection =
    g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, NULL);

  if (connection == NULL)
    {
      probe_unref (self);
      return;
    }

  self->stream = G_IO_STREAM (connection);
  g_output_stream_write_all_async (g_io_stream_get_output_stream (self->stream), REQUEST,
                                   strlen (REQUEST), G_PRIORITY_DEFAULT, self->cancellable,
                                   on_written, self);
}

static gboolean
on_timer (gpointer user_data)
{
  BoshPlainProbe *self = user_data;
  g_autoptr(GSocketClient) client = g_socket_client_new ();

  g_socket_client_set_enable_proxy (client, FALSE);
  g_main_context_push_thread_default (self->context);
  g_socket_client_connect_async (client, G_SOCKET_CONNECTABLE (self->address), self->cancellable,
                                 on_connected, probe_ref (self));
  g_main_context_pop_thread_default (self->context);

  return G_SOURCE_REMOVE;
}

/* Where the connection leads, or NULL if that is not the server. */
static GSocketAddress *
dup_address (GIOStream *connection)
{
  g_autoptr(GIOStream) base = NULL;
  g_autoptr(GSocketAddress) address = NULL;

  if (G_IS_TLS_CONNECTION (connection))
    g_object_get (connection, "base-io-stream", &base, NULL);
  if (base == NULL || !G_IS_SOCKET_CONNECTION (base))
    return NULL;

  address = g_socket_connection_get_remote_address (G_SOCKET_CONNECTION (base), NULL);
  if (address == NULL || G_IS_PROXY_ADDRESS (address))
    return NULL;

  return g_steal_pointer (&address);
}

BoshPlainProbe *
bosh_plain_probe_new (GIOStream           *connection,
                      BoshPlainProbeFound  found,
                      gpointer             user_data)
{
  GSocketAddress *address = dup_address (connection);
  BoshPlainProbe *self;

  if (address == NULL)
    return NULL;

  self = g_new0 (BoshPlainProbe, 1);
  g_ref_count_init (&self->ref_count);
  self->found = found;
  self->user_data = user_data;
  self->address = address;
  self->context = g_main_context_ref_thread_default ();
  self->cancellable = g_cancellable_new ();
  self->timer = g_timeout_source_new (PATIENCE);
  g_source_set_static_name (self->timer, "[bosh] plain probe");
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, self->context);

  return self;
}

void
bosh_plain_probe_free (BoshPlainProbe *self)
{
  self->found = NULL;
  bosh_source_clear (&self->timer);
  g_cancellable_cancel (self->cancellable);
  probe_unref (self);
}
