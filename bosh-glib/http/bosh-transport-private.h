/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "bosh-connection-configuration.h"
#include "bosh-inner-context-private.h"

G_BEGIN_DECLS

/* What came back from one POST. Either @error is set, or the rest. */
typedef struct
{
  GError  *error;        /* G_IO_ERROR and G_RESOLVER_ERROR from below, BOSH_ERROR
                          * TLS, TOO_LARGE, TIMED_OUT (no connection in time),
                          * NOT_BOSH (no HTTP, or not what its coding says),
                          * INVALID_URI */
  gboolean maybe_sent;   /* on error: part of the request may have reached the
                          * server (FALSE: no connection was had) */
  guint    status;       /* HTTP status */
  GBytes  *body;         /* decoded if that works, at most max-response-size; empty
                          * for 421 */
  char    *location;     /* of a redirect, absolute; nullable */
  int      retry_after;  /* seconds (Retry-After as delay or date), at most
                          * BOSH_TRANSPORT_MAX_RETRY_AFTER, or -1 */
} BoshTransportResponse;

#define BOSH_TRANSPORT_MAX_RETRY_AFTER 3600

typedef struct _BoshTransport BoshTransport;

/* Called in the context of the transport, never before bosh_transport_post() has
 * returned. @written: the request was handed to the socket whole. Neither is
 * called after bosh_transport_cancel(). The transport may be freed in both. */
typedef void (*BoshTransportWrittenFunc)  (guint64                      id,
                                           gpointer                     user_data);
/* @response is owned by the transport. */
typedef void (*BoshTransportResponseFunc) (guint64                      id,
                                           const BoshTransportResponse *response,
                                           gpointer                     user_data);

/* Everything happens in @inner, which must outlive it. */
BoshTransport *bosh_transport_new            (BoshConnectionConfiguration  *configuration,
                                              BoshInnerContext             *inner,
                                              BoshTransportWrittenFunc      written,
                                              BoshTransportResponseFunc     response,
                                              gpointer                      user_data);
/* Cancels everything; no callback comes afterwards. */
void           bosh_transport_free           (BoshTransport                *self);

/* Goes to another URI, absolute and valid, from here on, as if nothing had been
 * sent before. */
void           bosh_transport_set_uri        (BoshTransport                *self,
                                              const char                   *uri);
/* Where requests go, nullable. */
char          *bosh_transport_dup_uri        (BoshTransport                *self);

/* POSTs @body; @id names the exchange in the callbacks and in _cancel(). One id
 * is in use once at a time. @coding is how to compress it: `gzip`, `deflate` or
 * NULL. While one with @is_urgent is open, answers are hurried. */
void           bosh_transport_post           (BoshTransport                *self,
                                              guint64                       id,
                                              GBytes                       *body,
                                              const char                   *coding,
                                              gboolean                      is_urgent);
/* After a POST: makes a second connection for the one that follows it, if there is
 * none that is free. Whether that succeeds is seen when it is used. */
void           bosh_transport_prepare        (BoshTransport                *self);
/* Closes the exchange at once: the server sees its socket closed. No-op for
 * an id that is not under way. */
void           bosh_transport_cancel         (BoshTransport                *self,
                                              guint64                       id);
void           bosh_transport_cancel_all     (BoshTransport                *self);

/* The cookies that apply to the URI, as values for `Set-Cookie`; for handing a
 * session over. */
GStrv          bosh_transport_dup_cookies    (BoshTransport                *self);
void           bosh_transport_add_cookies    (BoshTransport                *self,
                                              const char * const           *cookies);

/* TRUE if a password can be shown on this connection: https, or every connection
 * so far went to this machine and not to a proxy. Judged by the sockets that
 * were used, so for http it is FALSE before the first exchange. */
gboolean       bosh_transport_is_private     (BoshTransport                *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshTransport, bosh_transport_free)

G_END_DECLS
