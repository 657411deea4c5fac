/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the files of the client share:
 *
 *   bosh-client.c             the object, and what the connection tells
 *   bosh-client-operations.c  connecting, handing over, sending, closing
 *   bosh-client-discovery.c   where to connect to, if nobody has said
 *   bosh-client-login.c       the three logins
 *   bosh-client-reconnect.c   logging in again after a loss
 *   bosh-client-iq.c          requests of ours, requests of others
 *   bosh-client-prebind.c     the whole way at once, on the public interface
 */

#pragma once

#include "bosh-client.h"
#include "bosh-iq-tracker-private.h"
#include "bosh-login-driver-private.h"

G_BEGIN_DECLS

/* Unless the application says something else. */
#define BOSH_CLIENT_MAX_RECONNECT_ATTEMPTS 10

typedef struct _ClientReconnect ClientReconnect;

struct _BoshClient
{
  GObject                      parent_instance;

  char                        *domain;
  BoshConnectionConfiguration *configuration;
  BoshConnection              *connection;
  BoshClientState              state;
  char                        *jid;        /* NULL until bound or attached */
  char                        *mechanism;
  gboolean                     allow_plaintext_password;
  gboolean                     pipeline_login;

  /* The last that came: a failed login is tried again with them. */
  BoshElement                 *features;
  /* The connection is open, and connect_async() waits for the features. */
  gboolean                     opened;

  /* What is under way, connecting or a login, and what bounds it. The task
   * keeps us alive. */
  GTask                       *task;
  GSource                     *timer;
  GSource                     *cancelled;
  BoshLoginDriver             *driver;
  /* While the address is looked for: cancels that. */
  GCancellable                *discovery;
  /* While a login is expected, or NULL: see client_expect_login(). */
  GSource                     *expectation;

  BoshIqTracker               *iqs;        /* NULL before the first request */

  ClientReconnect             *reconnect;
};

void      client_set_state       (BoshClient          *self,
                                  BoshClientState      state);
void      client_set_jid         (BoshClient          *self,
                                  const char          *jid);
void      client_set_mechanism   (BoshClient          *self,
                                  const char          *mechanism);

void      client_destroy_source  (GSource             *source);

/* Takes what is under way out of the client, which is then as if it had never
 * begun. */
GTask    *client_take_task       (BoshClient          *self);
/* Takes @error, with which what is under way, if anything is, returns. */
void      client_fail_task       (BoshClient          *self,
                                  GError              *error);
/* Ends it, and the session, after @seconds and when its task is cancelled. */
void      client_bound_task      (BoshClient          *self,
                                  guint                seconds);
/* The latter alone. */
void      client_watch_cancellable (BoshClient        *self);

/* Was an address given, or found? */
gboolean  client_has_address     (BoshClient          *self);
void      client_take_address    (BoshClient          *self,
                                  const char          *uri);
/* Looks for the address, and opens the connection if there is one. */
void      client_discover        (BoshClient          *self);
void      client_open            (BoshClient          *self);
/* Takes @error, with which connecting fails. There is no connection that could
 * tell of the end: this does, with @reason (nullable). */
void      client_end_discovery   (BoshClient          *self,
                                  GError              *error,
                                  const GError        *reason);
/* Nothing has to be heard from the server before somebody logs in, and most do so
 * at once. So for a moment no empty request goes out: the login needs not stand
 * behind it, and its steps follow each other with one request under way. That
 * is fewer of them, and no two can overtake each other on their way, which stops
 * some servers. */
void      client_expect_login    (BoshClient          *self);
void      client_forget_login    (BoshClient          *self);
/* The connection has no more to say to the client, or there is another one. */
void      client_release_connection (BoshClient       *self);
void      client_renew_connection (BoshClient         *self);
/* The end of it all, with @error, or NULL where the application asked for it. */
void      client_close           (BoshClient          *self,
                                  const GError        *error);
/* The error for what is asked for after the end. */
GError   *client_dup_close_error (BoshClient          *self);

void      client_handle_features (BoshClient          *self,
                                  BoshElement         *features);
/* TRUE if a handler of the application gives the answer. */
gboolean  client_emit_iq_request (BoshClient          *self,
                                  BoshElement         *request);
/* What the handler of the application says; see BoshClient::session-lost. */
gboolean  client_emit_session_lost (BoshClient        *self,
                                  BoshConnection      *connection,
                                  const GError        *error);
/* Is it a request that somebody waits for? */
gboolean  client_awaits_response   (BoshClient          *self,
                                  BoshElement         *element);
void      client_fail_requests   (BoshClient          *self,
                                  const GError        *error);
/* TRUE if @element answers a request of ours. */
gboolean  client_handle_response   (BoshClient          *self,
                                  BoshElement         *element);
/* Sees to it that a request, if @element is one, is answered. */
void      client_handle_request  (BoshClient          *self,
                                  BoshElement         *element);

/* bosh-client-reconnect.c */
ClientReconnect *client_reconnect_new (void);
void      client_reconnect_free  (ClientReconnect     *self);
/* Tests have less time than people; milliseconds. */
void      client_reconnect_set_delays (BoshClient     *client,
                                  guint                first,
                                  guint                longest,
                                  guint                stable_after);
/* That is kept, or NULL. */
const char *client_reconnect_get_password (BoshClient *client);
/* What a login is made with; it is kept where that was asked for. */
void      client_reconnect_remember (BoshClient       *client,
                                  const BoshLoginParameters *parameters);
void      client_reconnect_forget (BoshClient         *client);
/* With what is kept of a login: what spares the next one time (nullable). */
void      client_reconnect_keep_salted (BoshClient    *client,
                                  const char          *salted_password);
/* That is kept, or NULL. */
const char *client_reconnect_get_salted (BoshClient   *client);
/* Somebody is logged in. */
void      client_reconnect_note_ready (BoshClient     *client);
/* It arrived, and may tell why the stream ends. */
void      client_reconnect_note_element (BoshClient   *client,
                                  BoshElement         *element);
void      client_reconnect_handle_features (BoshClient *client);
/* The connection has closed, with @error or without. TRUE if that is taken care
 * of, and no end for the client. */
gboolean  client_reconnect_handle_end (BoshClient     *client,
                                  const GError        *error);
/* No attempt any more. The state stays as it is. */
void      client_reconnect_stop  (BoshClient          *client);
/* Sends, or keeps it for the next session. */
gboolean  client_send            (BoshClient          *self,
                                  BoshElement         *element,
                                  GError             **error);

G_END_DECLS
