/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

#include "bosh-coding-private.h"
#include "bosh-connection-configuration.h"
#include "bosh-http-cookies-private.h"
#include "bosh-http-peer-private.h"
#include "bosh-http-response-private.h"
#include "bosh-inner-context-private.h"
#include "bosh-plain-probe-private.h"
#include "bosh-proxy-resolver-private.h"

G_BEGIN_DECLS

/* Bytes of a body that are kept in any case; see may_read(). */
#define BOSH_EXCHANGE_PIECE (64 * 1024)
/* Seconds of the header Retry-After that are respected. */
#define BOSH_EXCHANGE_MAX_RETRY_AFTER 3600

/* One request with its response, or a connection that is made for a later request. It
 * outlives its owner while libsoup works on it; nothing is reported then. */
typedef struct _BoshExchange BoshExchange;
typedef struct _BoshExchangeOwner BoshExchangeOwner;

/* What the exchanges of one owner share, which embeds it. */
struct _BoshExchangeOwner
{
  BoshConnectionConfiguration *configuration;
  BoshInnerContext *inner;
  BoshPeer *peer;
  BoshProxyResolver *proxies;
  BoshCookies *cookies;                 /* NULL: none are kept */
  GTlsCertificate *client_certificate;  /* for servers that ask for one; nullable */
  guint connect_timeout;                /* seconds, 0: none */
  gsize max_size;                       /* of a body, as it comes and decoded */
  gboolean needs_only_200;              /* no body is read of any other response */
  guint n_urgent;                       /* exchanges under way with is_urgent */
  guint n_stalled;                      /* exchanges that may_read() has stopped */

  /* The owner may be freed by each of these functions, and forgets the exchange in
   * response() and failure(). */
  void     (*written)            (BoshExchange           *exchange);  /* nullable */
  void     (*response)           (BoshExchange           *exchange,
                                  const BoshHttpResponse *response);
  void     (*failure)            (BoshExchange *exchange,
                                  const GError *error,
                                  gboolean      maybe_sent);
  /* (nullable): More of the body has come, and the rest has to be waited for. */
  void     (*progress)           (BoshExchange           *exchange);
  /* (nullable): Whether the body of a response with status 200 that has reached
   * BOSH_EXCHANGE_PIECE is read on. If not, nothing is read from the socket until
   * bosh_exchange_read_on(). */
  gboolean (*may_read)           (BoshExchange           *exchange);
  /* Sends the request once more in the same exchange: the proxy has asked for a password,
   * and is given it at once from here on. */
  void     (*repeat)             (BoshExchange           *exchange);
  gboolean (*accept_certificate) (BoshExchangeOwner      *owner,      /* nullable */
                                  GTlsCertificate        *certificate,
                                  GTlsCertificateFlags    errors);
};

/* Attached to each SoupMessage, which may be used by several exchanges, one after
 * another. */
typedef struct
{
  BoshExchange *exchange;         /* NULL after the exchange is over */
  guint generation;               /* of the pool, when the exchange began */
  gboolean is_reusable;           /* the response was 200 */
  gboolean may_authenticate;      /* libsoup watches for challenges of a proxy */
} BoshMessageLink;

struct _BoshExchange
{
  grefcount ref_count;
  guint64 id;
  BoshExchangeOwner *owner;       /* NULL: orphaned */
  GBytes *request;                /* what is sent; NULL for a GET */
  BoshCoding coding;              /* of the request */
  SoupMessage *message;
  BoshMessageLink *link;          /* of the message */
  GCancellable *cancellable;
  GSource *timer;                 /* it fails then; NULL once there is a connection */
  BoshPlainProbe *probe;          /* while a TLS handshake is under way; nullable */
  GInputStream *stream;
  GConverter *decoder;            /* NULL if the body is not compressed */
  GByteArray *compressed;         /* what was read and not decoded yet; NULL without decoder */
  GByteArray *body;
  gsize n_read;                   /* bytes of the body, as they came */
  gsize n_reported;               /* those of them that progress() knows of */
  GError *abort_error;            /* why it was aborted by us */
  GTlsCertificateFlags certificate_errors;
  guint n_informational;
  guint n_proxy_negotiations;
  gboolean proxy_asked;           /* for a password */
  gboolean gave_password;
  gboolean was_repeated;          /* because the proxy had asked */
  gboolean is_urgent;
  gboolean is_connecting;
  gboolean was_started;           /* the request was sent on some connection */
  gboolean is_bodyless;           /* aborted, but status and headers count */
  gboolean is_read;               /* there is no more to read */
  gboolean is_decoded;            /* the compressed data is at its end */
  gboolean is_stalled;            /* may_read() has stopped it */
  gboolean is_preconnect;
};

BoshExchange *bosh_exchange_new                  (BoshExchangeOwner *owner,
                                                  guint64            id,
                                                  gboolean           is_urgent);
BoshExchange *bosh_exchange_ref                  (BoshExchange          *exchange);
void          bosh_exchange_unref                (BoshExchange          *exchange);
/* Parts it from its owner and its message: nothing is reported afterwards. */
void          bosh_exchange_orphan               (BoshExchange          *exchange);

/* For soup_session_send_async(), with a reference as @user_data. */
void          bosh_exchange_on_sent              (GObject      *source,
                                                  GAsyncResult *result,
                                                  gpointer      user_data);

/* What libsoup reports while it works on the message. */
void          bosh_exchange_handle_network_event (BoshExchange       *exchange,
                                                  GSocketClientEvent  event,
                                                  GIOStream          *connection);
gboolean      bosh_exchange_handle_certificate   (BoshExchange         *exchange,
                                                  GTlsCertificate      *certificate,
                                                  GTlsCertificateFlags  errors);
gboolean      bosh_exchange_handle_authenticate  (BoshExchange *exchange,
                                                  SoupAuth     *auth,
                                                  gboolean      retrying);
void          bosh_exchange_handle_starting      (BoshExchange          *exchange);
void          bosh_exchange_handle_written       (BoshExchange          *exchange);
void          bosh_exchange_handle_informational (BoshExchange          *exchange);
void          bosh_exchange_handle_headers       (BoshExchange          *exchange);

/* Ends what libsoup does for it. Cancelling takes effect in the next iteration of the
 * main loop only, so the socket is shut down at once: the server sees the end of this
 * exchange before the start of the next one. A blocking close of the TLS connection
 * does not wait for room in the socket's buffer then. */
void          bosh_exchange_cancel_io            (BoshExchange          *exchange);

/* Asks may_read() again, if that has stopped the exchange. */
void          bosh_exchange_read_on              (BoshExchange          *exchange);

/* Fails with @error (transfer full) from the main loop, without sending anything. */
void          bosh_exchange_fail_soon            (BoshExchange *exchange,
                                                  GError       *error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshExchange, bosh_exchange_unref)

G_END_DECLS
