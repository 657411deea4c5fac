/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

#include "bosh-transport-cookies-private.h"
#include "bosh-transport-private.h"

G_BEGIN_DECLS

typedef struct _BoshExchange BoshExchange;

/* What a message of libsoup is to us. It goes with the message. */
typedef struct
{
  BoshExchange *exchange;         /* NULL: its exchange is over */
  guint n_moves;                  /* of the transport, at the start */
  gboolean had_response;
} BoshRole;

struct _BoshTransport
{
  BoshConnectionConfiguration *configuration;
  BoshTransportWrittenFunc written;
  BoshTransportResponseFunc response;
  gpointer user_data;

  BoshInnerContext *inner;
  SoupSession *session;
  BoshCookies *cookies;
  GUri *uri;                      /* NULL: the configuration has none */
  guint n_moves;                  /* how often it was changed */
  GHashTable *exchanges;          /* id → BoshExchange, those under way */
  GQueue spare;                   /* of SoupMessage, that come from the URI */
  GHashTable *sockets;            /* libsoup's id of a connection → GSocket */
  GTlsCertificate *certificate;   /* of the server, as first seen */
  gboolean was_used;
  gboolean is_local;              /* all connections used were direct and local */
  gboolean may_be_misled;         /* sent elsewhere by what nobody vouches for */
};

/* One POST. It outlives the transport while libsoup works on it: then its
 * transport is NULL, and it comes to its end without a word. */
struct _BoshExchange
{
  grefcount ref_count;
  guint64 id;
  BoshTransport *transport;
  SoupMessage *message;
  BoshRole *role;                 /* of the message; valid as long as there is one */
  GCancellable *cancellable;
  GSource *timer;                 /* until the connection is up */
  GInputStream *stream;
  GByteArray *body;
  gsize max_size;
  GError *verdict;                /* why we broke it off */
  GTlsCertificateFlags certificate_errors;
  guint n_informational;
  guint n_proxy_negotiations;
  gboolean is_urgent;
  gboolean is_connecting;
  gboolean was_started;           /* a connection was had */
  gboolean is_bodyless;           /* broken off, but status and headers count */
  gboolean is_spare;              /* makes a connection, and nobody waits for it */
};

/* The transport has it until it is over, and gives no reference away. */
BoshExchange *bosh_exchange_new                (BoshTransport   *transport,
                                                guint64          id);
BoshExchange *bosh_exchange_ref                (BoshExchange    *exchange);
void          bosh_exchange_unref              (BoshExchange    *exchange);

/* Gives it a message to send; in bosh-transport-message.c. */
void          bosh_exchange_take_message       (BoshExchange    *exchange,
                                                GBytes          *body,
                                                const char      *coding);
/* For soup_session_send_async(), with a reference as @user_data. */
void          bosh_exchange_on_sent            (GObject         *source,
                                                GAsyncResult    *result,
                                                gpointer         user_data);
/* For SoupSession::request-unqueued, with the transport as @user_data. */
void          bosh_exchange_on_unqueued        (SoupSession     *session,
                                                SoupMessage     *message,
                                                gpointer         user_data);

/* libsoup has begun with a new connection, which must be up in time. */
void          bosh_exchange_start_connecting   (BoshExchange    *exchange);
void          bosh_exchange_end_connecting     (BoshExchange    *exchange);
void          bosh_exchange_set_timer          (BoshExchange    *exchange,
                                                guint            milliseconds,
                                                const char      *name,
                                                GSourceFunc      callback);

/* Ends what libsoup does for it. Cancelling takes effect in the next iteration
 * of the main loop; the socket is closed now, so that the server sees the end
 * of this exchange before the start of the next. It also keeps the blocking
 * close of a TLS connection from waiting for room in the socket's buffer. */
void          bosh_exchange_break_off          (BoshExchange    *exchange);
/* Breaks off from inside a signal of libsoup; the callback follows from the
 * main loop, where everything may be done. */
void          bosh_exchange_condemn            (BoshExchange    *exchange,
                                                GQuark           domain,
                                                int              code,
                                                const char      *message);
/* Tells the transport's user, who may free the transport. @error: nullable where
 * there is a verdict. */
void          bosh_exchange_fail               (BoshExchange    *exchange,
                                                const GError    *error);
/* Parts it from its transport: no callback comes afterwards. */
void          bosh_exchange_detach             (BoshExchange    *exchange);

/* What an exchange asks of its transport. */
void          bosh_transport_remember_socket   (BoshTransport   *self,
                                                guint64          connection_id,
                                                GIOStream       *connection);
/* XEP-0124 §19.1: all connections of a session show the same certificate; on
 * one that does not, nothing is sent. */
gboolean      bosh_transport_check_certificate (BoshTransport   *self,
                                                GTlsConnection  *connection);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshExchange, bosh_exchange_unref)

G_END_DECLS
