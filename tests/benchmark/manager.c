/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection manager for measuring clients: it lets everybody in, holds one
 * request of each session, and gives messages back to who sent them.
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
/* Seconds that a request is held: no more than any of the clients asks for. */
#define WAIT 55

/* As Prosody, which sorts requests, writes them. */
#define SASL_FEATURES                                                        \
  "<stream:features xmlns='jabber:client'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"  \
  "<mechanism>PLAIN</mechanism></mechanisms></stream:features>"
#define BIND_FEATURES \
  "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"
#define SUCCESS "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"

typedef struct _Peer Peer;

typedef struct
{
  Peer *held;      /* whose request is held, or NULL */
  gint64 held_at;  /* monotonic */
  GList link;      /* in the queue, while there is one */
} Session;

struct _Peer
{
  int fd;
  GString *input;    /* NULL while there is nothing */
  Session *session;  /* that holds its request */
};

static int epoll_fd;
static GPtrArray *sessions;  /* of Session */
static GQueue held;          /* of Session, the longest first */

static void
fail (const char *what)
{
  fprintf (stderr, "%s: %s\n", what, g_strerror (errno));
  exit (1);
}

static void
reply (Peer       *peer,
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
  if (send (peer->fd, output->str, output->len, MSG_NOSIGNAL) != (gssize)output->len)
    fprintf (stderr, "A client does not read\n");
}

static void
reply_text (Peer       *peer,
            const char *text)
{
  reply (peer, "", text, strlen (text));
}

static void
create_session (Peer *peer)
{
  g_autofree char *attributes = NULL;
  Session *session = g_new0 (Session, 1);

  attributes = g_strdup_printf (" sid='s%u' wait='%d' hold='1' requests='2' inactivity='3600' "
                                "polling='5' ver='1.6'",
                                sessions->len, WAIT);
  session->link.data = session;
  g_ptr_array_add (sessions, session);
  reply (peer, attributes, SASL_FEATURES, strlen (SASL_FEATURES));
}

static void
bind_resource (Peer       *peer,
               guint       number,
               const char *body)
{
  g_autofree char *payload = NULL;
  const char *id = strstr (body, " id=");
  g_autofree char *name = NULL;

  if (id == NULL)
    {
      reply_text (peer, "");
      return;
    }

  name = g_strndup (id + 5, strchr (id + 5, id[4]) - (id + 5));
  payload = g_strdup_printf ("<iq xmlns='jabber:client' type='result' id='%s'>"
                             "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                             "<jid>user%u@localhost/bench</jid></bind></iq>",
                             name, number);
  reply_text (peer, payload);
}

static void
hold (Session *session,
      Peer    *peer)
{
  session->held = peer;
  session->held_at = g_get_monotonic_time ();
  peer->session = session;
  g_queue_push_tail_link (&held, &session->link);
}

static Peer *
let_go (Session *session)
{
  g_queue_unlink (&held, &session->link);
  session->held->session = NULL;

  return g_steal_pointer (&session->held);
}

/* Returns the milliseconds until the next one has been held for long enough. */
static int
respond_held (void)
{
  gint64 now = g_get_monotonic_time ();

  while (held.head != NULL)
    {
      Session *session = held.head->data;
      gint64 left = session->held_at + WAIT * G_USEC_PER_SEC - now;

      if (left > 0)
        return (int)(left / 1000) + 1;
      reply_text (let_go (session), "");
    }

  return -1;
}

/* The older of two requests comes back, with the messages of the newer one. */
static void
exchange (Session    *session,
          Peer       *peer,
          const char *body)
{
  const char *first = strstr (body, "<message ");
  const char *last = first != NULL ? g_strrstr (body, "</body></message>") : NULL;
  gsize length = last != NULL ? last + strlen ("</body></message>") - first : 0;

  if (session->held != NULL)
    {
      reply (let_go (session), "", first, length);
      hold (session, peer);
    }
  else if (length > 0)
    {
      reply (peer, "", first, length);
    }
  else
    {
      hold (session, peer);
    }
}

static void
handle (Peer       *peer,
        const char *body)
{
  const char *sid = strstr (body, " sid='s");
  guint number = sid != NULL ? strtoul (sid + strlen (" sid='s"), NULL, 10) : 0;

  if (sid == NULL)
    create_session (peer);
  else if (strstr (body, "<auth ") != NULL)
    reply_text (peer, SUCCESS);
  else if (strstr (body, "restart='true'") != NULL)
    reply_text (peer, BIND_FEATURES);
  else if (strstr (body, "<bind ") != NULL)
    bind_resource (peer, number, body);
  else if (number < sessions->len)
    exchange (g_ptr_array_index (sessions, number), peer, body);
  else
    reply_text (peer, "");
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
      handle (peer, end + 4);
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
      if (peer->session != NULL)
        let_go (peer->session);
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
  Peer input = { STDIN_FILENO, NULL, NULL };
  Peer door = { -1, NULL, NULL };

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);

  sessions = g_ptr_array_new ();
  epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  listener = start_listening ();
  watch (listener, &door);
  watch (STDIN_FILENO, &input);

  for (;;)
    {
      int n_events = epoll_wait (epoll_fd, events, G_N_ELEMENTS (events), respond_held ());

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
