/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Small servers for tests, on free ports of 127.0.0.1, in the thread-default
 * main context in which they are made. */

/* Runs the default context until @condition holds; the limit on time is that
 * of the test program. */
#define bosh_test_wait(condition)                                             \
  G_STMT_START                               \
  {                                          \
    while (!(condition))                                                      \
      g_main_context_iteration (NULL, TRUE);                                  \
  }                                          \
  G_STMT_END

/* Runs what is ready in the default context. */
void             bosh_test_drain                  (void);

/* An HTTP/1.1 server of which each byte is under the control of the test: it
 * reads requests, and a handler writes what it likes. */
typedef struct _BoshTestServer BoshTestServer;
/* One connection to it. It lives as long as the server. */
typedef struct _BoshTestPeer BoshTestPeer;

typedef struct
{
  char   *head;        /* request line and headers, as they came */
  GBytes *body;
  guint   connection;  /* from 1, in the order of arrival */
} BoshTestRequest;

typedef void (*BoshTestHandler) (BoshTestPeer          *peer,
                                 const BoshTestRequest *request,
                                 gpointer               user_data);

/* @certificate: speak TLS with it; nullable. */
BoshTestServer  *bosh_test_server_new             (GTlsCertificate *certificate,
                                                   BoshTestHandler  handler,
                                                   gpointer         user_data);
void             bosh_test_server_free            (BoshTestServer   *self);
guint            bosh_test_server_get_port        (BoshTestServer   *self);
/* The URI of the server, with the path /http-bind/. */
const char      *bosh_test_server_get_uri         (BoshTestServer *self,
                                                   gboolean        secure);
/* For connections that come after. */
void             bosh_test_server_set_certificate (BoshTestServer  *self,
                                                   GTlsCertificate *certificate);
/* While FALSE, connections are accepted, and nothing is read from them. */
void             bosh_test_server_set_reading     (BoshTestServer *self,
                                                   gboolean        reading);
/* Of BoshTestRequest, in the order of arrival. */
GPtrArray       *bosh_test_server_get_requests    (BoshTestServer   *self);
const BoshTestRequest *
bosh_test_server_get_request (BoshTestServer *self,
                              guint           index);
guint            bosh_test_server_get_n_accepted  (BoshTestServer   *self);
/* How many the other side has closed first. */
guint            bosh_test_server_get_n_closed    (BoshTestServer   *self);

/* The value of a header, or NULL. */
char            *bosh_test_request_dup_header     (const BoshTestRequest *request,
                                                   const char            *name);

/* @expected: NULL for a header that shall be missing. */
void             bosh_test_assert_header          (const BoshTestRequest *request,
                                                   const char            *name,
                                                   const char            *expected);

/* A handler that writes the string @user_data, a whole response. */
void             bosh_test_respond_with           (BoshTestPeer          *peer,
                                                   const BoshTestRequest *request,
                                                   gpointer               user_data);

/* A whole response; @headers (nullable) ends with CRLF. */
void             bosh_test_peer_reply             (BoshTestPeer *self,
                                                   guint         status,
                                                   const char   *headers,
                                                   const char   *body);
void             bosh_test_peer_write             (BoshTestPeer *self,
                                                   const char   *text);
void             bosh_test_peer_write_bytes       (BoshTestPeer *self,
                                                   GBytes       *bytes,
                                                   guint         times);
/* After what is written. */
void             bosh_test_peer_close             (BoshTestPeer     *self);
/* Now, and rudely. */
void             bosh_test_peer_reset             (BoshTestPeer     *self);

/* Has either side closed it? */
gboolean         bosh_test_peer_is_closed         (BoshTestPeer     *self);
/* Has the other side closed its end? Looks at the socket, whatever was read. */
gboolean         bosh_test_peer_sees_end          (BoshTestPeer     *self);

/* A proxy. */
typedef enum
{
  BOSH_TEST_PROXY_HTTP,    /* CONNECT and absolute-form */
  BOSH_TEST_PROXY_SOCKS5,
} BoshTestProxyType;

typedef struct _BoshTestProxy BoshTestProxy;

BoshTestProxy   *bosh_test_proxy_new              (BoshTestProxyType  type);
void             bosh_test_proxy_free             (BoshTestProxy     *self);
GProxyResolver  *bosh_test_proxy_new_resolver     (BoshTestProxy     *self);
/* HTTP: respond to each request with this, and close; nullable. */
void             bosh_test_proxy_set_refusal      (BoshTestProxy *self,
                                                   const char    *head);
/* HTTP: respond with @challenge to each request without the header Proxy-Authorization that
 * begins with @authorization, and close, unless it @keeps the connection. */
void             bosh_test_proxy_set_challenge    (BoshTestProxy *self,
                                                   const char    *authorization,
                                                   const char    *challenge,
                                                   gboolean       keeps);
/* HTTP: tunnels lead to this port of 127.0.0.1, whatever was asked for. */
void             bosh_test_proxy_set_destination  (BoshTestProxy *self,
                                                   guint          port);
/* Of strings: the heads of HTTP requests, or `host:port` of SOCKS requests. */
GPtrArray       *bosh_test_proxy_get_requests     (BoshTestProxy     *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshTestServer, bosh_test_server_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshTestProxy, bosh_test_proxy_free)

G_END_DECLS
