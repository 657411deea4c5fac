/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The floor with libsoup. With SOUP_READ, the program reads the response from a
 * stream; without, libsoup collects it. */

#include "config.h"

#include "floor.h"

#include <libsoup/soup.h>
#include <string.h>

#define PIECE_SIZE (8 * 1024)

/* One for all: what a program would do that has many sessions. */
static SoupSession *soup;
static GCancellable *closing;  /* of the logins that are over */

typedef struct
{
  Floor *floor;
  GCancellable *cancellable;
  SoupMessage *message;
  GInputStream *stream;
  GByteArray *response;
} Exchange;

static void
exchange_free (Exchange *self)
{
  g_object_unref (self->message);
  g_object_unref (self->cancellable);
  g_clear_object (&self->stream);
  g_clear_pointer (&self->response, g_byte_array_unref);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Exchange, exchange_free)

/* Whether it is worth going on. */
static gboolean
check (Exchange *self,
       GError   *error)
{
  if (error == NULL)
    return TRUE;

  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    bench_failed (error->message);

  return FALSE;
}

#if SOUP_READ
static void read_more (Exchange *self);

static void
on_read (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  g_autoptr(Exchange) self = user_data;
  g_autoptr(GError) error = NULL;
  gssize length;

  length = g_input_stream_read_finish (self->stream, result, &error);
  if (!check (self, error))
    return;

  g_byte_array_set_size (self->response, self->response->len - PIECE_SIZE + length);
  if (length > 0)
    {
      read_more (g_steal_pointer (&self));
      return;
    }

  g_byte_array_append (self->response, (const guint8 *)"", 1);
  floor_respond (self->floor, (const char *)self->response->data);
}

static void
read_more (Exchange *self)
{
  guint length = self->response->len;

  g_byte_array_set_size (self->response, length + PIECE_SIZE);
  g_input_stream_read_async (self->stream, self->response->data + length, PIECE_SIZE,
                             G_PRIORITY_DEFAULT, self->cancellable, on_read, self);
}

static void
on_stream (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  g_autoptr(Exchange) self = user_data;
  g_autoptr(GError) error = NULL;

  self->stream = soup_session_send_finish (soup, result, &error);
  if (!check (self, error))
    return;

  self->response = g_byte_array_new ();
  read_more (g_steal_pointer (&self));
}

#else
static void
on_bytes (GObject      *source,
          GAsyncResult *result,
          gpointer      user_data)
{
  g_autoptr(Exchange) self = user_data;
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = NULL;
  g_autofree char *text = NULL;

  bytes = soup_session_send_and_read_finish (soup, result, &error);
  if (!check (self, error))
    return;

  text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  floor_respond (self->floor, text);
}

#endif

static void
set_up (void)
{
  soup = soup_session_new_with_options ("timeout", 0, "max-conns", 100000,
                                        "max-conns-per-host", 100000, NULL);
  closing = g_cancellable_new ();
}

void
floor_post (Floor   *self,
            GString *body)
{
  g_autoptr(GBytes) bytes = g_string_free_to_bytes (body);
  Exchange *exchange = g_new0 (Exchange, 1);

  if (soup == NULL)
    set_up ();
  if (self->transport == NULL)
    {
      const BenchAccount *account = &self->account;

      self->transport = g_uri_build (G_URI_FLAGS_NONE, "http", NULL, account->host,
                                     account->port, account->path, NULL, NULL);
    }

  exchange->floor = self;
  exchange->cancellable = g_object_ref (closing);
  exchange->message = soup_message_new_from_uri (SOUP_METHOD_POST, self->transport);
  /* Else every request would have a connection of its own. */
  soup_message_set_flags (exchange->message, SOUP_MESSAGE_IDEMPOTENT);
  soup_message_set_request_body_from_bytes (exchange->message, "text/xml; charset=utf-8", bytes);
#if SOUP_READ
  soup_session_send_async (soup, exchange->message, G_PRIORITY_DEFAULT,
                           exchange->cancellable, on_stream, exchange);
#else
  soup_session_send_and_read_async (soup, exchange->message, G_PRIORITY_DEFAULT,
                                    exchange->cancellable, on_bytes, exchange);
#endif
}

/* The next login has a session of libsoup of its own, as its own process would. */
static void
close_client (gpointer client)
{
  g_cancellable_cancel (closing);
  while (g_main_context_iteration (NULL, FALSE))
    continue;

  g_clear_object (&closing);
  g_clear_object (&soup);
  g_uri_unref (((Floor *)client)->transport);
  floor_free (client);
}

static void
iterate (void)
{
  g_main_context_iteration (NULL, TRUE);
}

int
main (int   argc,
      char *argv[])
{
  static const BenchDriver driver = { floor_login, floor_send, floor_flush, close_client, iterate };

  return bench_main (argc, argv, &driver);
}
