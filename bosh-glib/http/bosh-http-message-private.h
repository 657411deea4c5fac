/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-coding-private.h"
#include "bosh-http-exchange-private.h"

G_BEGIN_DECLS

/* Creates a SoupSession as exchanges need it, for the thread-default main context. It
 * has no timeouts, and decodes nothing: see bosh-http-coding.c. */
SoupSession     *bosh_http_session_new   (BoshConnectionConfiguration *configuration,
                                          BoshProxyResolver           *proxies);

/* Gives @exchange a new message to the URI of its peer (transfer none). Its signals go to
 * the exchange, and libsoup reacts neither to redirects nor, but for those of a
 * proxy, to challenges for a password. */
SoupMessage     *bosh_message_create     (BoshExchange     *exchange,
                                          const char       *method,
                                          SoupMessageFlags  flags);

/* Messages that POST to one URI and are used again. To create a SoupMessage, to connect
 * to its signals and to free it is a twelfth of what an exchange costs in the client:
 * 435 000 instructions with a new message each time, 402 000 with a pool. */
typedef struct _BoshMessagePool BoshMessagePool;

BoshMessagePool *bosh_message_pool_new   (BoshProxyResolver           *proxies);
void             bosh_message_pool_free  (BoshMessagePool             *self);

/* Drops the idle messages, and will not take back those in use: requests go to another
 * URI from here on. */
void             bosh_message_pool_reset (BoshMessagePool             *self);

/* Gives @exchange a message that POSTs its request. */
void             bosh_message_pool_take  (BoshMessagePool *self,
                                          BoshExchange    *exchange);
/* Takes a message back that libsoup is done with (SoupSession::request-unqueued). */
void             bosh_message_pool_give  (BoshMessagePool *self,
                                          SoupMessage     *message);

G_END_DECLS
