/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

/* The state machine of one client: the first session of an account, the login,
 * and all sessions that follow after a loss. Without I/O, clock or randomness,
 * like BoshSession and BoshLogin: feed an input, drain the actions, ask for the
 * deadline. Times are microseconds of any clock that does not go backwards.
 *
 * The machine also owns the stanzas that wait for the next session. It never
 * looks into them.
 *
 * An input never calls back. It changes the state at once, so that
 * bosh_reconnect_get_state() tells the truth inside every handler of the
 * application, and what follows from it is given by the next drain. Inputs may be
 * fed while actions are carried out; an action that has lost its sense by that,
 * such as a LOGIN after the application has disconnected, is not given any more.
 * Therefore the caller need not check anything after it has emitted a signal. */
typedef struct _BoshReconnect BoshReconnect;

#define BOSH_RECONNECT_MAX_ATTEMPTS 10  /* unless the application sets another limit */
/* Seconds. */
#define BOSH_RECONNECT_HOLD_LIMIT 30

/* One to one those of BoshClientState. */
typedef enum
{
  BOSH_RECONNECT_NEW,
  BOSH_RECONNECT_CONNECTING,     /* until the session is open and has features; perhaps
                                  * after several attempts */
  BOSH_RECONNECT_CONNECTED,      /* the application may log in */
  BOSH_RECONNECT_LOGGING_IN,
  BOSH_RECONNECT_READY,
  BOSH_RECONNECT_RECONNECTING,   /* from the loss until READY again, or the end */
  BOSH_RECONNECT_DISCONNECTING,  /* the session is being ended */
  BOSH_RECONNECT_DETACHED,       /* the session was handed over */
  BOSH_RECONNECT_CLOSED,
} BoshReconnectState;

/* What is known of the reason why a session ended or a login failed, as far as
 * it decides what comes next. Only after TEMPORARY and UNTRUSTED another login is
 * tried: the others must be mended by a person. */
typedef enum
{
  BOSH_ERROR_KIND_REQUESTED,    /* the application has ended, cancelled or handed over */
  BOSH_ERROR_KIND_TEMPORARY,    /* passes by itself: the server restarts, can't be
                                 * reached, has forgotten the session, is busy … */
  BOSH_ERROR_KIND_CONFLICT,     /* another client has the resource: never fought over */
  BOSH_ERROR_KIND_CREDENTIALS,  /* wrong password, account disabled, a server that does
                                 * not know the password … */
  BOSH_ERROR_KIND_UNTRUSTED,    /* what responds there is not the server, or not sure to be:
                                 * another certificate, weaker mechanisms; it got nothing */
  BOSH_ERROR_KIND_PERMANENT,    /* a new login would only bring it about again */
} BoshErrorKind;

/* Whether another attempt may have more success. A server that is not trusted gets nothing,
 * so nothing is lost by looking whether the right one is back: a captive portal goes away,
 * and a certificate is renewed. */
gboolean            bosh_error_kind_may_pass           (BoshErrorKind               kind);

/* Given in the order of this enumeration where several are due. Everything below
 * STATE is given after handlers of the new state have run, and only if it still
 * makes sense then. */
typedef enum
{
  /* Give up the session of an attempt: stop its login, disconnect its signals, and
   * end it without waiting. The machine counts it as gone: no input about it
   * may follow. */
  BOSH_RECONNECT_ACTION_ABORT,
  /* End the session (or the search for its address): stop its login, and say
   * good-bye with an unavailable presence where @was_ready.
   * bosh_reconnect_handle_ended() follows. */
  BOSH_RECONNECT_ACTION_DISCONNECT,
  /* The state is @state now. Where @finishes, the connect, attach or login of the
   * application is over with that: with @error, or well if that is NULL. Take its
   * task out first, then notify, then let the task return, because a handler may
   * begin the next operation. */
  BOSH_RECONNECT_ACTION_STATE,
  /* Requests that wait for a response fail with @error, or with one that fits the
   * state if that is NULL. */
  BOSH_RECONNECT_ACTION_FAIL_REQUESTS,
  /* The session was lost with @error: emit session-lost, and tell by
   * bosh_reconnect_handle_verdict() what a handler decided. */
  BOSH_RECONNECT_ACTION_ASK,
  /* Make another connection for an attempt, and notify. */
  BOSH_RECONNECT_ACTION_RENEW,
  /* Open the connection, or attach the session that was given. */
  BOSH_RECONNECT_ACTION_CONNECT,
  /* Log in with the credentials, and the features that arrived last. */
  BOSH_RECONNECT_ACTION_LOGIN,
  /* Somebody is logged in again, in another session: the application may prepare it
   * before what waits is sent there. Tell by bosh_reconnect_handle_prepared() whether
   * it holds that back. */
  BOSH_RECONNECT_ACTION_PREPARE,
  /* Queue @element, with @serial, in the session, and tell by
   * bosh_reconnect_handle_resent() whether it took it. It stays the first of those
   * that wait until then. */
  BOSH_RECONNECT_ACTION_RESEND,
  /* While @expected a login is about to begin: see
   * bosh_connection_set_reply_expected(). */
  BOSH_RECONNECT_ACTION_EXPECT_LOGIN,
  /* Clear the credentials: no login will need them. */
  BOSH_RECONNECT_ACTION_FORGET,
  /* What bosh_reconnect_get_n_attempts(), _get_next_attempt(), _is_logged_in() or
   * _get_last_error() give has changed, perhaps without the state. */
  BOSH_RECONNECT_ACTION_PROGRESS,
  /* The end, with @error, or without where the application asked for it. Nothing
   * comes after it, ever. It is not given after DETACHED. */
  BOSH_RECONNECT_ACTION_CLOSED,
} BoshReconnectActionType;

typedef struct
{
  BoshReconnectActionType  type;
  BoshReconnectState       state;      /* STATE */
  gboolean                 finishes;   /* STATE */
  gboolean                 was_ready;  /* DISCONNECT */
  gboolean                 expected;   /* EXPECT_LOGIN */
  BoshElement             *element;    /* owned by the receiver */
  guint64                  serial;
  GError                  *error;      /* owned by the receiver, nullable */
} BoshReconnectAction;

/* A stanza, and the number by which the caller knows it again, or 0. */
typedef struct
{
  BoshElement *element;
  guint64      serial;
} BoshReconnectStanza;

/* @seed: drawn at random, so that clients that lost the same server do not
 * come back together. */
BoshReconnect      *bosh_reconnect_new                 (guint64                     seed);
void                bosh_reconnect_free                (BoshReconnect              *self);

/* Tests have less time than people; microseconds. */
void                bosh_reconnect_set_delays          (BoshReconnect *self,
                                                        gint64         first,
                                                        gint64         longest,
                                                        gint64         stable_after);

/* --- What the application does --- */

/* In state NEW only: CONNECT follows. */
void                bosh_reconnect_connect             (BoshReconnect              *self);
/* The same for a session that is taken up, in which somebody @is_logged_in or
 * not. No login can follow in it, as features do not come. */
void                bosh_reconnect_attach              (BoshReconnect *self,
                                                        gboolean       is_logged_in);
/* In state CONNECTED only, and not before STATE has told of it: LOGIN follows. The
 * caller has stored the credentials before, and keeps them until FORGET. */
void                bosh_reconnect_login               (BoshReconnect *self,
                                                        gint64         now);
/* Connecting, or the login, that is under way is cancelled, which ends the
 * session; it returns with @error (transfer full). */
void                bosh_reconnect_cancel              (BoshReconnect *self,
                                                        GError        *error);
/* A session is ended by DISCONNECT, attempts are given up at once. Ignored before
 * anything has begun and where the end has begun already. */
void                bosh_reconnect_disconnect          (BoshReconnect              *self);
/* Attempt it at once where an attempt waits for its time, with all attempts
 * counted anew. */
void                bosh_reconnect_retry_now           (BoshReconnect *self,
                                                        gint64         now);
/* FALSE ends what is under way after a loss, with the error of that loss, and
 * forgets the credentials. */
void                bosh_reconnect_set_enabled         (BoshReconnect *self,
                                                        gboolean       enabled);
gboolean            bosh_reconnect_is_enabled          (BoshReconnect              *self);
/* Is the first session tried again, too, while it could not be opened? FALSE ends what is
 * under way after a failure. */
void                bosh_reconnect_set_retries_connect (BoshReconnect              *self,
                                                        gboolean                    retries_connect);
gboolean            bosh_reconnect_get_retries_connect (BoshReconnect              *self);
/* Before the end: the caller was given credentials for the logins after a loss, and keeps
 * them until FORGET. */
void                bosh_reconnect_remember            (BoshReconnect              *self);
void                bosh_reconnect_set_max_attempts    (BoshReconnect *self,
                                                        guint          max_attempts);
guint               bosh_reconnect_get_max_attempts    (BoshReconnect              *self);

/* Does what is sent now have to wait? Else it goes to the connection directly. What
 * @prepares a session is everything but a message: presences and requests that go in
 * front of what waits once somebody is logged in. */
gboolean            bosh_reconnect_is_queueing         (BoshReconnect *self,
                                                        gboolean       prepares);
/* While that is so. @element (transfer none) is sealed, and small enough. */
void                bosh_reconnect_queue               (BoshReconnect *self,
                                                        BoshElement   *element,
                                                        guint64        serial);
/* Ends the preparation of a session: what was held back is sent. Nothing happens if
 * nothing is held back. */
void                bosh_reconnect_resend              (BoshReconnect              *self);
/* Those that wait, in the order in which they are to be sent; also after the end. */
GPtrArray          *bosh_reconnect_dup_waiting         (BoshReconnect              *self);

/* --- What becomes of the session --- */

/* The session was created, or attached. */
void                bosh_reconnect_handle_opened       (BoshReconnect *self,
                                                        gint64         now);
/* Features arrived, and no login is under way to which they would belong. */
void                bosh_reconnect_handle_features     (BoshReconnect *self,
                                                        gint64         now);
void                bosh_reconnect_handle_logged_in    (BoshReconnect *self,
                                                        gint64         now);
/* The login failed, and the session is still open. Not to be fed where the session
 * has ended: bosh_reconnect_handle_ended() then tells why. */
void                bosh_reconnect_handle_login_failed (BoshReconnect *self,
                                                        BoshErrorKind  kind,
                                                        const GError  *error,
                                                        gint64         now);
/* The login that is under way can't go on: ABORT, CONNECT and LOGIN follow, without delay
 * and as part of the same login or attempt. The caller has stored the credentials again,
 * and keeps them until FORGET. */
void                bosh_reconnect_handle_fall_back    (BoshReconnect              *self);
/* The session has ended, or could not be created or found: with @error, or without,
 * which is always REQUESTED. It may be fed from within CONNECT or DISCONNECT.
 * @unsent are its stanzas that never left this machine, in order, without requests
 * that fail now; the machine keeps them only where it asks whether to send them
 * again. */
void                bosh_reconnect_handle_ended        (BoshReconnect             *self,
                                                        BoshErrorKind              kind,
                                                        const GError              *error,
                                                        const BoshReconnectStanza *unsent,
                                                        gsize                      n_unsent,
                                                        gint64                     now);
void                bosh_reconnect_handle_detached     (BoshReconnect              *self);
/* After ASK: is what was unsent to be sent again, or forgotten? It follows what was
 * queued since the loss, and precedes what waited before it. */
void                bosh_reconnect_handle_verdict      (BoshReconnect *self,
                                                        gboolean       resend,
                                                        gint64         now);
/* After PREPARE: is what waits to be held back until bosh_reconnect_resend()? Not for
 * longer than BOSH_RECONNECT_HOLD_LIMIT. */
void                bosh_reconnect_handle_prepared     (BoshReconnect *self,
                                                        gboolean       hold,
                                                        gint64         now);
/* After RESEND: did the session take it? If not it has ended, and the rest waits for
 * the next one. */
void                bosh_reconnect_handle_resent       (BoshReconnect *self,
                                                        gboolean       was_taken);

/* --- What becomes of the network --- */

/* Has this machine no network, without which the host can't be reached? To be kept
 * up to date, at least before an input or a drain while RECONNECTING: an attempt
 * that fails offline does not count. */
void                bosh_reconnect_set_offline         (BoshReconnect *self,
                                                        gboolean       offline);
/* The network has changed, and is available: an attempt that waits is made at once,
 * but no more than one in ten seconds for this reason. */
void                bosh_reconnect_handle_network      (BoshReconnect *self,
                                                        gint64         now);

/* --- What follows --- */

/* FALSE if there is nothing to do until the next input, or until @now has reached the
 * deadline. */
gboolean            bosh_reconnect_next_action         (BoshReconnect       *self,
                                                        BoshReconnectAction *action,
                                                        gint64               now);
/* Frees what is in it. */
void                bosh_reconnect_action_clear        (BoshReconnectAction        *action);
/* When to drain the actions again without an input, or -1. */
gint64              bosh_reconnect_get_deadline        (BoshReconnect              *self);

BoshReconnectState  bosh_reconnect_get_state           (BoshReconnect              *self);
/* Is somebody logged in, in a session that goes on? That is so before the state is READY
 * again: while a session is prepared, and what waited is sent. */
gboolean            bosh_reconnect_is_logged_in        (BoshReconnect              *self);
/* Attempts that count, since the last session that lasted. */
guint               bosh_reconnect_get_n_attempts      (BoshReconnect              *self);
/* When the next attempt is due, or -1 where none waits. */
gint64              bosh_reconnect_get_next_attempt    (BoshReconnect              *self);
/* (transfer none) (nullable): of the loss, or the last attempt, while RECONNECTING; of a
 * login that was refused, until the next; after the end, that of CLOSED. */
const GError       *bosh_reconnect_get_last_error      (BoshReconnect              *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshReconnect, bosh_reconnect_free)

G_END_DECLS
