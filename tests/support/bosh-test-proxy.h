/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* An HTTP/1.1 proxy between a client and a real server that breaks exchanges as
 * bad networks and intermediaries do. It runs in a thread and a main context of
 * its own, so that it forwards each request at once and in the order of arrival,
 * even while the client is busy. Each connection of the client has one of its own
 * to the server, and both end together. */

typedef enum
{
  BOSH_TEST_FAULT_NONE,
  /* The server never sees the request. */
  BOSH_TEST_FAULT_RESET_BEFORE,
  BOSH_TEST_FAULT_RESET_DURING,   /* it sees the first half */
  BOSH_TEST_FAULT_BLACK_HOLE,     /* nothing for a while, then the end */
  BOSH_TEST_FAULT_GARBAGE,        /* a response that is no HTTP */
  BOSH_TEST_FAULT_BAD_GATEWAY,    /* 502 */
  BOSH_TEST_FAULT_HTML,           /* 200, but it is a page */
  /* The server has seen the request, and has responded. */
  BOSH_TEST_FAULT_RESET_AFTER,
  BOSH_TEST_FAULT_HALF_RESPONSE,  /* less than Content-Length says */
  BOSH_TEST_FAULT_CUT_CHUNK,      /* chunked, and cut short */
  BOSH_TEST_FAULT_SILENCE,        /* the response is swallowed */
  BOSH_TEST_FAULT_GATEWAY_TIMEOUT, /* 504 */
  BOSH_TEST_FAULT_DRIBBLE,        /* the response comes byte by byte, but whole */
  BOSH_TEST_N_FAULTS
} BoshTestFault;

const char         *bosh_test_fault_get_name                (BoshTestFault        fault);
/* NONE if there is none of that name. */
BoshTestFault       bosh_test_fault_from_name               (const char          *name);

/* A socket that listens on a free port. */
GSocket            *bosh_test_listen                        (const char          *address);

typedef struct _BoshTestFaultProxy BoshTestFaultProxy;

/* On a free port of 127.0.0.1, in front of the server at @port of the same. Where
 * it cuts is drawn from @seed. */
BoshTestFaultProxy *bosh_test_fault_proxy_new               (guint   port,
                                                             guint32 seed);
/* The same with a socket that listens already. */
BoshTestFaultProxy *bosh_test_fault_proxy_new_with_socket   (GSocket *socket,
                                                             guint    port,
                                                             guint32  seed);
void                bosh_test_fault_proxy_free              (BoshTestFaultProxy  *self);
guint               bosh_test_fault_proxy_get_port          (BoshTestFaultProxy  *self);

/* From now on every @every-th exchange, counted over all connections, has the
 * next fault of @faults, round and round. 0: none is broken. */
void                bosh_test_fault_proxy_set_faults        (BoshTestFaultProxy  *self,
                                                             guint                every,
                                                             const BoshTestFault *faults,
                                                             gsize                n_faults);
/* How long black hole and silence last. */
void                bosh_test_fault_proxy_set_black_hole    (BoshTestFaultProxy *self,
                                                             guint               milliseconds);
/* The time by which each request and each response is delayed. */
void                bosh_test_fault_proxy_set_latency       (BoshTestFaultProxy *self,
                                                             guint               milliseconds);

/* Requests that came whole. */
guint               bosh_test_fault_proxy_get_n_exchanges   (BoshTestFaultProxy  *self);
guint               bosh_test_fault_proxy_get_n_faults      (BoshTestFaultProxy *self,
                                                             BoshTestFault       fault);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshTestFaultProxy, bosh_test_fault_proxy_free)

G_END_DECLS
