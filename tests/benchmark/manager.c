/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection manager for measuring clients: it lets everybody in, holds one
 * request of each session for ever, and gives messages back to who sent them.
 * It understands the clients of the benchmark, and spares itself everything
 * else. Prints its port, and ends when its standard input does. */

#define _GNU_SOURCE

#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define HTTPBIND "http://jabber.org/protocol/httpbind"
#define PIECE_SIZE (64 * 1024)

#define SASL_FEATURES                                                        \
  "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"  \
  "<mechanism>PLAIN</mechanism></mechanisms></stream:features>"
#define BIND_FEATURES \
  "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"
#define SUCCESS "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"

typedef struct
{
  int fd;
  GString *input;  /* NULL while there is nothing */
} Peer;

/* Of -1: none. */
typedef struct
{
  int held_fd;
} Session;

static int epoll_fd;
static GArray *sessions;

static void
fail (const char *what)
{
  fprintf (stderr, "%s: %s\n", what, g_strerror (errno));
  exit (1);
}

static void
reply (int         fd,
       const char *attributes,
       const char *payload,
       gsize       length)
{
  g_autoptr(GString) body = g_string_new ("<body xmlns='" HTTPBIND "' "
                                           "xmlns:stream='http://etherx.jabber.org/streams'");
  g_autoptr(GString) output = g_string_new (NULL);

  g_string_append_printf (body, "%s>", attributes);
  g_string_append_len (body, payload, length);
  g_string_append (body, "</body>");
  g_string_append_printf (output,
                          "HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\n"
                          "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s",
                          body->len, body->str);
  if (send (fd, output->str, output->len, MSG_NOSIGNAL) != (gssize)output->len)
    fprintf (stderr, "A client does not read\n");
}

static void
reply_text (int         fd,
            const char *text)
{
  reply (fd, "", text, strlen (text));
}

static void
create_session (int fd)
{
  g_autofree char *attributes = NULL;
  Session session = { -1 };

  attributes = g_strdup_printf (" sid='s%u' wait='3600' hold='1' requests='2' inactivity='3600' "
                                "polling='5' ver='1.6'",
                                sessions->len);
  g_array_append_val (sessions, session);
  reply (fd, attributes, SASL_FEATURES, strlen (SASL_FEATURES));
}

static void
bind_resource (int         fd,
               guint       number,
               const char *body)
{
  g_autofree char *payload = NULL;
  const char *id = strstr (body, " id=");
  g_autofree char *name = NULL;

  if (id == NULL)
    {
      reply_text (fd, "");
      return;
    }

  name = g_strndup (id + 5, strchr (id + 5, id[4]) - (id + 5));
  payload = g_strdup_printf ("<iq xmlns='jabber:client' type='result' id='%s'>"
                             "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                             "<jid>user%u@localhost/bench</jid></bind></iq>",
                             name, number);
  reply_text (fd, payload);
}

/* The older of two requests comes back, with the messages of the newer one. */
static void
exchange (Session    *session,
          int         fd,
          const char *body)
{
  const char *first = strstr (body, "<message ");
  const char *last = first != NULL ? g_strrstr (body, "</body></message>") : NULL;
  gsize length = last != NULL ? last + strlen ("</body></message>") - first : 0;

  if (session->held_fd < 0 && length == 0)
    {
      session->held_fd = fd;
      return;
    }

  if (session->held_fd < 0)
    session->held_fd = fd;
  reply (session->held_fd, "", first, length);
  session->held_fd = session->held_fd == fd ? -1 : fd;
}

static void
handle (int         fd,
        const char *body)
{
  const char *sid = strstr (body, " sid='s");
  guint number = sid != NULL ? strtoul (sid + strlen (" sid='s"), NULL, 10) : 0;

  if (sid == NULL)
    create_session (fd);
  else if (strstr (body, "<auth ") != NULL)
    reply_text (fd, SUCCESS);
  else if (strstr (body, "restart='true'") != NULL)
    reply_text (fd, BIND_FEATURES);
  else if (strstr (body, "<bind ") != NULL)
    bind_resource (fd, number, body);
  else if (number < sessions->len)
    exchange (&g_array_index (sessions, Session, number), fd, body);
  else
    reply_text (fd, "");
}

/* One request at a time, as no client here pipelines. */
static void
look (Peer *peer)
{
  const char *end = strstr (peer->input->str, "\r\n\r\n");
  const char *header;
  gsize length;

  if (end == NULL)
    return;

  header = strcasestr (peer->input->str, "\r\nContent-Length:");
  length = header != NULL ? strtoul (header + strlen ("\r\nContent-Length:"), NULL, 10) : 0;
  if (end + 4 + length <= peer->input->str + peer->input->len)
    {
      handle (peer->fd, end + 4);
      g_string_free (g_steal_pointer (&peer->input), TRUE);
    }
}

static void
watch (int   fd,
       void *data)
{
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = data };

  if (epoll_ctl (epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
    fail ("epoll_ctl");
}

static void
read_peer (Peer *peer)
{
  static char piece[PIECE_SIZE];
  gssize length = recv (peer->fd, piece, sizeof piece, 0);

  if (length <= 0)
    {
      close (peer->fd);
      if (peer->input != NULL)
        g_string_free (peer->input, TRUE);
      g_free (peer);
      return;
    }

  if (peer->input == NULL)
    peer->input = g_string_new (NULL);
  g_string_append_len (peer->input, piece, length);
  look (peer);
}

static void
accept_peer (int listener)
{
  Peer *peer = g_new0 (Peer, 1);
  int on = 1;

  peer->fd = accept (listener, NULL, NULL);
  if (peer->fd < 0)
    fail ("accept");
  setsockopt (peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  watch (peer->fd, peer);
}

static int
start_listening (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM, 0);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (bind (listener, (struct sockaddr *)&address, sizeof address) != 0 ||
      listen (listener, 4096) != 0 ||
      getsockname (listener, (struct sockaddr *)&address, &length) != 0)
    fail ("listen");

  printf ("%u\n", ntohs (address.sin_port));
  fflush (stdout);

  return listener;
}

int
main (void)
{
  struct rlimit limit;
  struct epoll_event events[256];
  int listener;
  Peer input = { STDIN_FILENO, NULL };
  Peer door = { -1, NULL };

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);

  sessions = g_array_new (FALSE, FALSE, sizeof (Session));
  epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  listener = start_listening ();
  watch (listener, &door);
  watch (STDIN_FILENO, &input);

  for (;;)
    {
      int n_events = epoll_wait (epoll_fd, events, G_N_ELEMENTS (events), -1);

      for (int i = 0; i < n_events; i++)
        {
          if (events[i].data.ptr == &input)
            return 0;
          if (events[i].data.ptr == &door)
            accept_peer (listener);
          else
            read_peer (events[i].data.ptr);
        }
    }
}
