/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

#include "bosh-coding-private.h"
#include "bosh-connection-configuration.h"
#include "bosh-http-response-private.h"
#include "bosh-inner-context-private.h"

G_BEGIN_DECLS

/* POSTs to one URI at a time, with the connections, cookies and the certificate of one
 * BOSH session. It repeats nothing and follows no redirect. */
typedef struct _BoshTransport BoshTransport;

/* Called in the context of the transport, never before bosh_transport_post() has
 * returned, and not after bosh_transport_cancel(). The transport may be freed in each
 * of them. */
typedef struct
{
  /* The request was handed to the socket whole. */
  void     (*written)            (guint64  id,
                                  gpointer user_data);
  /* The response is there, whatever its status. Its body is decoded, if that is
   * possible, and at most max-response-size long; it is empty for 401 and 421. Its location is
   * an absolute URI. */
  void     (*response)           (guint64                 id,
                                  const BoshHttpResponse *response,
                                  gpointer                user_data);
  /* There will be no response. @error is of G_IO_ERROR or G_RESOLVER_ERROR, or
   * BOSH_ERROR with TLS, TOO_LARGE, TIMED_OUT (no connection in time), NOT_BOSH (no
   * HTTP, or not in the announced coding) or INVALID_URI. @maybe_sent: part of the
   * request may have reached the server; otherwise there was no connection. */
  void     (*failure)            (guint64       id,
                                  const GError *error,
                                  gboolean      maybe_sent,
                                  gpointer      user_data);
  /* (nullable): More of the body of a response has come, and the rest has to be waited
   * for. It may not free the transport. */
  void     (*progress)           (guint64  id,
                                  gpointer user_data);
  /* (nullable): Asks whether a large response with status 200 is read on, of which
   * BOSH_EXCHANGE_PIECE bytes are there. If not, nothing more of it is read until
   * bosh_transport_read_on(), so that memory stays bounded: the server has to wait. */
  gboolean (*may_read)           (guint64  id,
                                  gpointer user_data);
  /* (nullable): Asks, before anything is sent, whether the certificate of the server is
   * accepted although it can't be verified. It is asked once: the same certificate is
   * treated likewise on all connections, any other is refused, until the URI changes.
   * Without this function none is accepted. Called with the application's context as
   * the thread-default one. */
  gboolean (*accept_certificate) (GTlsCertificate      *certificate,
                                  GTlsCertificateFlags  errors,
                                  gpointer              user_data);
} BoshTransportFuncs;

/* Everything happens in @inner, which must outlive the transport. */
BoshTransport   *bosh_transport_new                         (BoshConnectionConfiguration *configuration,
                                                             BoshInnerContext            *inner,
                                                             const BoshTransportFuncs    *funcs,
                                                             gpointer                     user_data);
/* Cancels everything; no callback comes afterwards. */
void             bosh_transport_free                        (BoshTransport               *self);

/* Requests go to another URI, absolute and valid, from here on. What was learned of the
 * server is forgotten. */
void             bosh_transport_set_uri                     (BoshTransport *self,
                                                             const char    *uri);
/* Returns where requests go (nullable). */
char            *bosh_transport_dup_uri                     (BoshTransport               *self);

/* POSTs @body, compressed by @coding. @id names the exchange in the callbacks and for
 * bosh_transport_cancel(), and must not be in use. @is_urgent: somebody may wait for
 * the response. */
void             bosh_transport_post                        (BoshTransport *self,
                                                             guint64        id,
                                                             GBytes        *body,
                                                             BoshCoding     coding,
                                                             gboolean       is_urgent);
/* Reads on, if BoshTransportFuncs.may_read() has stopped this exchange. */
void             bosh_transport_read_on                     (BoshTransport *self,
                                                             guint64        id);
/* Makes a connection for the request after those that are under way, unless there is
 * one that is free. A failure is not reported. */
void             bosh_transport_preconnect                  (BoshTransport               *self);
/* Closes the exchange, and its socket, at once. Does nothing if @id is not in use. */
void             bosh_transport_cancel                      (BoshTransport *self,
                                                             guint64        id);
void             bosh_transport_cancel_all                  (BoshTransport               *self);

/* The cookies that apply to the URI, as values of Set-Cookie, for handing the session
 * over. */
GStrv            bosh_transport_dup_cookies                 (BoshTransport               *self);
void             bosh_transport_add_cookies                 (BoshTransport      *self,
                                                             const char * const *cookies);

/* The certificate of the server, or the one that was refused; and what is wrong with
 * it. NULL before the first handshake, and over http. */
GTlsCertificate *bosh_transport_get_peer_certificate        (BoshTransport               *self);
GTlsCertificateFlags
bosh_transport_get_peer_certificate_errors (BoshTransport *self);
/* The certificate for which a request has failed last, which may be another one than that
 * of the connections before; and what is wrong with it (nullable). */
GTlsCertificate *bosh_transport_get_refused_certificate     (BoshTransport               *self,
                                                             GTlsCertificateFlags        *errors);

/* Returns TRUE if a password may be sent: over https, or if all connections so far
 * went to this machine and not through a proxy. For http that is known only after the
 * first exchange. */
gboolean         bosh_transport_is_private                  (BoshTransport               *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshTransport, bosh_transport_free)

G_END_DECLS
