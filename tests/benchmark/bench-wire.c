/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define _GNU_SOURCE

#include "config.h"

#include "bench-wire.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

BenchWire bench_wire;

/* libpurple also uses read() and write(), as others do for what is no socket. */
#define MAX_FD 65536

static gboolean is_internet[MAX_FD];

static gboolean
is_counted (int fd)
{
  return fd >= 0 && fd < MAX_FD && is_internet[fd];
}

/* The one behind ours. */
#define REAL(name)                                            \
  static __typeof__ (&name) real;                             \
  if (real == NULL)                                           \
  real = (__typeof__ (&name))dlsym (RTLD_NEXT, #name)

static void
count_sent (int         fd,
            gssize      length,
            const void *data,
            gsize       size)
{
  if (length <= 0 || !is_counted (fd))
    return;

  bench_wire.sent += length;
  if (size >= 5 && memcmp (data, "POST ", 5) == 0)
    bench_wire.requests++;
}

static gssize
count_received (int    fd,
                gssize length)
{
  if (length > 0 && is_counted (fd))
    bench_wire.received += length;

  return length;
}

int
connect (int                    fd,
         const struct sockaddr *address,
         socklen_t              length)
{
  REAL (connect);

  if (address->sa_family == AF_INET || address->sa_family == AF_INET6)
    bench_wire.connections++;
  if (fd < MAX_FD)
    is_internet[fd] = address->sa_family == AF_INET || address->sa_family == AF_INET6;

  return real (fd, address, length);
}

ssize_t
send (int         fd,
      const void *data,
      size_t      size,
      int         flags)
{
  ssize_t length;
  REAL (send);

  length = real (fd, data, size, flags);
  count_sent (fd, length, data, size);

  return length;
}

ssize_t
sendmsg (int                  fd,
         const struct msghdr *message,
         int                  flags)
{
  ssize_t length;
  REAL (sendmsg);

  length = real (fd, message, flags);
  count_sent (fd, length, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len);

  return length;
}

ssize_t
recv (int     fd,
      void   *data,
      size_t  size,
      int     flags)
{
  REAL (recv);

  return count_received (fd, real (fd, data, size, flags));
}

ssize_t
recvmsg (int            fd,
         struct msghdr *message,
         int            flags)
{
  REAL (recvmsg);

  return count_received (fd, real (fd, message, flags));
}

ssize_t
write (int         fd,
       const void *data,
       size_t      size)
{
  ssize_t length;
  REAL (write);

  length = real (fd, data, size);
  count_sent (fd, length, data, size);

  return length;
}

ssize_t
read (int     fd,
      void   *data,
      size_t  size)
{
  REAL (read);

  return count_received (fd, real (fd, data, size));
}

int
close (int fd)
{
  REAL (close);

  if (is_counted (fd))
    is_internet[fd] = FALSE;

  return real (fd);
}
