/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

#include "bosh-connection-configuration.h"

G_BEGIN_DECLS

/* How the library uses libsoup, for POSTs and for documents alike. */

/* Counts what a server or a proxy could go on with for ever, and libsoup with
 * reading it. Starts as zeros, for each exchange. */
typedef struct
{
  guint n_informational;
  guint n_proxy_negotiations;
} BoshHttpCounts;

/* A session with the proxy resolver and the TLS database of @configuration, without
 * timeouts. It does not decode: see bosh-http-coding.c. */
SoupSession *bosh_http_session_new            (BoshConnectionConfiguration  *configuration);

/* A message with the user agent of @configuration, which reacts to nothing that the
 * response says: not to redirects, nor to challenges for a password. */
SoupMessage *bosh_http_message_new            (const char                  *method,
                                               GUri                        *uri,
                                               SoupMessageFlags             flags,
                                               BoshConnectionConfiguration *configuration);

/* For SoupMessage::network-event. Fails if the proxy asks for a password again and
 * again. */
gboolean     bosh_http_check_network_event    (BoshHttpCounts      *counts,
                                               GSocketClientEvent   event,
                                               GIOStream           *connection,
                                               gboolean             allow_http2,
                                               GError             **error);

/* For SoupMessage::got-informational. Fails if there are too many. */
gboolean     bosh_http_check_informational    (BoshHttpCounts  *counts,
                                               GError         **error);

G_END_DECLS
