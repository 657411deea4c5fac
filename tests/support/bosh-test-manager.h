/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <bosh-glib/bosh-glib.h>

G_BEGIN_DECLS

/* A connection manager under the control of a test: on a free port of 127.0.0.1,
 * in the thread-default main context in which it is made. It keeps every request
 * that it has received, and holds each until the test responds to it. */
typedef struct _BoshTestManager BoshTestManager;

/* One request, and what becomes of it. It belongs to its manager. */
typedef struct _BoshTestExchange BoshTestExchange;

/* Runs the thread-default context until @condition holds; aborts where that
 * takes too long. */
#define bosh_test_await(condition)                                            \
  G_STMT_START {                                                              \
    GSource *patience_ = bosh_test_lose_patience (G_STRLOC ": " #condition);  \
    while (!(condition))                                                      \
      g_main_context_iteration (g_main_context_get_thread_default (), TRUE);  \
    g_source_destroy (patience_);                                             \
    g_source_unref (patience_);                                               \
  } G_STMT_END

GSource           *bosh_test_lose_patience          (const char             *what);

/* Called first for each request. TRUE: it has responded, or the request stays held. */
typedef gboolean (*BoshTestScript) (BoshTestManager  *manager,
                                    BoshTestExchange *exchange,
                                    gpointer          user_data);

/* @certificate: https with it; nullable. */
BoshTestManager   *bosh_test_manager_new            (GTlsCertificate        *certificate);
void               bosh_test_manager_free           (BoshTestManager        *self);
guint              bosh_test_manager_get_port       (BoshTestManager        *self);
const char        *bosh_test_manager_get_uri        (BoshTestManager        *self,
                                                     gboolean                secure);
/* For connections that come after. */
void               bosh_test_manager_set_certificate (BoshTestManager       *self,
                                                     GTlsCertificate        *certificate);

/* A configuration that leads to the manager, with other properties after it,
 * ended by NULL. */
#define bosh_test_manager_configure(self, ...)                                \
  ((BoshConnectionConfiguration *)                                            \
   g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,                          \
                 "uri", bosh_test_manager_get_uri (self, FALSE),              \
                 __VA_ARGS__))
/* The same by https. */
#define bosh_test_manager_configure_secure(self, ...)                         \
  ((BoshConnectionConfiguration *)                                            \
   g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,                          \
                 "uri", bosh_test_manager_get_uri (self, TRUE),               \
                 __VA_ARGS__))

/* The attributes of the response to the creation request, and its content. */
#define BOSH_TEST_GRANTS                                                      \
  "sid='s1' wait='55' hold='1' requests='2' inactivity='30' polling='2' ver='1.11'"
#define BOSH_TEST_FEATURES "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>"
/* The same with a SASL mechanism. */
#define BOSH_TEST_MECHANISM(mechanism)                                        \
  "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"         \
  "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"                     \
  "<mechanism>" mechanism "</mechanism></mechanisms></stream:features>"

void               bosh_test_manager_set_script     (BoshTestManager        *self,
                                                     BoshTestScript          script,
                                                     gpointer                user_data);
/* While TRUE, requests that the script leaves alone are treated as servers treat
 * them: one is held until a newer one arrives or bosh_test_manager_deliver() is
 * called, and the retransmission of a request that has its response gets the same
 * response again. */
void               bosh_test_manager_set_automatic  (BoshTestManager        *self,
                                                     gboolean                automatic);
/* Attributes and content of the automatic responses to creation requests. */
void               bosh_test_manager_set_grants     (BoshTestManager        *self,
                                                     const char             *grants,
                                                     const char             *content);
/* Sends @content with the oldest request that is held, or with the next one. */
void               bosh_test_manager_deliver        (BoshTestManager        *self,
                                                     const char             *content);

/* Of BoshTestExchange, in the order of arrival. */
GPtrArray         *bosh_test_manager_get_exchanges  (BoshTestManager        *self);
guint              bosh_test_manager_get_n_held     (BoshTestManager        *self);
/* The first one that this function did not give yet; waits for it. */
BoshTestExchange  *bosh_test_manager_take           (BoshTestManager        *self);
/* Is there one that bosh_test_manager_take() would give without waiting? */
gboolean           bosh_test_manager_has_request    (BoshTestManager        *self);

/* `POST /http-bind/ HTTP/1.1`, for instance. */
const char        *bosh_test_exchange_get_line      (BoshTestExchange       *self);
/* NULL if there is no such header. */
char              *bosh_test_exchange_dup_header    (BoshTestExchange       *self,
                                                     const char             *name);
GBytes            *bosh_test_exchange_get_bytes     (BoshTestExchange       *self);
/* The `<body/>` of the request; its attributes by their plain names. */
BoshElement       *bosh_test_exchange_get_body      (BoshTestExchange       *self);
const char        *bosh_test_exchange_get_attribute (BoshTestExchange       *self,
                                                     const char             *name);
guint64            bosh_test_exchange_get_rid       (BoshTestExchange       *self);
/* Names the TCP connection. */
guint              bosh_test_exchange_get_connection (BoshTestExchange      *self);
gboolean           bosh_test_exchange_has_response  (BoshTestExchange       *self);
/* Is its connection at its end? */
gboolean           bosh_test_exchange_is_gone       (BoshTestExchange       *self);

/* `<body …>content</body>` with status 200. */
void               bosh_test_exchange_respond       (BoshTestExchange       *self,
                                                     const char             *attributes,
                                                     const char             *content);
/* Responds to a step of a login by RFC 6120 with one exchange of SASL, whatever its data
 * is, and gives the session @jid. FALSE if the request is none. */
gboolean           bosh_test_exchange_log_in        (BoshTestExchange       *self,
                                                     const char             *jid);
/* @headers (nullable) end with CRLF. */
void               bosh_test_exchange_reply         (BoshTestExchange       *self,
                                                     guint                   status,
                                                     const char             *headers,
                                                     const char             *text);
/* Writes raw bytes instead of a response, @times times. Further calls append. */
void               bosh_test_exchange_write         (BoshTestExchange       *self,
                                                     GBytes                 *bytes,
                                                     guint                   times);
void               bosh_test_exchange_write_text    (BoshTestExchange       *self,
                                                     const char             *text);
/* Closes the connection, after what is written. */
void               bosh_test_exchange_close         (BoshTestExchange       *self);
/* Now, and rudely. */
void               bosh_test_exchange_reset         (BoshTestExchange       *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshTestManager, bosh_test_manager_free)

G_END_DECLS
