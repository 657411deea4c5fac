/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The floor without any HTTP library: raw sockets and epoll. It understands the
 * responses of the servers of the benchmark, and nothing else. */

#include "config.h"

#include "floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define N_SOCKETS 2
#define PIECE_SIZE (16 * 1024)

typedef struct
{
  Floor *floor;
  int fd;
  gboolean busy;
  GString *response;
} Socket;

static int epoll_fd = -1;

static void
open_socket (Socket *self)
{
  const BenchAccount *account = &self->floor->account;
  struct sockaddr_in address = { .sin_family = AF_INET };
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = self };
  int on = 1;

  address.sin_port = htons (account->port);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  self->fd = socket (AF_INET, SOCK_STREAM, 0);
  if (connect (self->fd, (struct sockaddr *)&address, sizeof address) != 0)
    bench_failed (g_strerror (errno));
  setsockopt (self->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_ctl (epoll_fd, EPOLL_CTL_ADD, self->fd, &event);
}

static Socket *
find_free (Floor *self)
{
  Socket *sockets = self->transport;

  for (guint i = 0; i < N_SOCKETS; i++)
    if (!sockets[i].busy)
      return &sockets[i];

  bench_failed ("No free socket");

  return NULL;
}

void
floor_post (Floor   *self,
            GString *body)
{
  g_autoptr(GString) request = g_string_sized_new (body->len + 256);
  Socket *free_socket;

  if (epoll_fd < 0)
    epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  if (self->transport == NULL)
    {
      Socket *sockets = self->transport = g_new0 (Socket, N_SOCKETS);

      for (guint i = 0; i < N_SOCKETS; i++)
        sockets[i].fd = -1;
    }

  free_socket = find_free (self);
  free_socket->floor = self;
  if (free_socket->fd < 0)
    open_socket (free_socket);

  g_string_append_printf (request,
                          "POST %s HTTP/1.1\r\nHost: %s:%u\r\n"
                          "Content-Type: text/xml; charset=utf-8\r\n"
                          "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n",
                          self->account.path, self->account.host, self->account.port, body->len);
  g_string_append_len (request, body->str, body->len);
  g_string_free (body, TRUE);

  for (gsize sent = 0; sent < request->len;)
    {
      gssize length = send (free_socket->fd, request->str + sent, request->len - sent, 0);

      if (length < 0)
        bench_failed (g_strerror (errno));
      sent += length;
    }
  free_socket->busy = TRUE;
}

/* Hands the response over once it is complete. */
static void
look (Socket *self)
{
  const char *end = strstr (self->response->str, "\r\n\r\n");
  const char *header;
  gsize length;

  if (end == NULL)
    return;

  header = strcasestr (self->response->str, "\r\nContent-Length:");
  if (header == NULL || header > end)
    bench_failed (self->response->str);
  length = strtoul (header + strlen ("\r\nContent-Length:"), NULL, 10);
  if (end + 4 + length <= self->response->str + self->response->len)
    {
      g_autoptr(GString) response = g_steal_pointer (&self->response);

      self->busy = FALSE;
      floor_respond (self->floor, end + 4);
    }
}

static void
iterate (void)
{
  struct epoll_event events[64];
  /* With a limit, so that the caller notices when time is up. */
  int n_events = epoll_wait (epoll_fd, events, G_N_ELEMENTS (events), 1000);

  for (int i = 0; i < n_events; i++)
    {
      Socket *self = events[i].data.ptr;
      char piece[PIECE_SIZE];
      gssize length = recv (self->fd, piece, sizeof piece, 0);

      if (length <= 0)
        bench_failed ("A connection was closed");
      if (self->response == NULL)
        self->response = g_string_new (NULL);
      g_string_append_len (self->response, piece, length);
      look (self);
    }
}

static void
close_client (gpointer client)
{
  Floor *self = client;
  Socket *sockets = self->transport;

  for (guint i = 0; i < N_SOCKETS; i++)
    {
      if (sockets[i].fd >= 0)
        close (sockets[i].fd);
      if (sockets[i].response != NULL)
        g_string_free (sockets[i].response, TRUE);
    }
  g_free (sockets);
  floor_free (self);
}

int
main (int   argc,
      char *argv[])
{
  static const BenchDriver driver = { floor_login, floor_send, floor_flush, close_client, iterate };

  return bench_main (argc, argv, &driver);
}
