/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"
#include "bosh-sasl-private.h"

G_BEGIN_DECLS

typedef struct
{
  const char          *domain;
  BoshSaslCredentials  credentials;
  const char          *username;         /* for EXTERNAL the authorization id, nullable */
  const char          *password;         /* the copy is cleared as soon as it was used */
  /* From an earlier login with this name and password: see
   * bosh_login_get_salted_password(). Nullable, and cleared like the password. */
  const char          *salted_password;
  /* The mechanism of an earlier login (nullable, static): none that is weaker is used. */
  const char          *weakest;
  const char          *resource;         /* NULL: the server chooses it */
  gboolean             allow_plaintext;  /* PLAIN may be used */
  gboolean             pipeline;         /* bind behind the restart, even if XEP-0305 is
                                          * not offered */
  gboolean             avoid_sasl2;      /* XEP-0388 is not used, though it may be offered */
} BoshLoginParameters;

typedef enum
{
  /* Send @element. */
  BOSH_LOGIN_ACTION_SEND,
  /* Call bosh_login_compute() once, in any thread, and when it has returned
   * bosh_login_handle_computed() in the thread of the login. Until then elements
   * may be handled and actions be drained, but the login must not be freed, not
   * even after FAILED. */
  BOSH_LOGIN_ACTION_COMPUTE,
  /* Restart the stream (XEP-0206 §5) before anything else is sent. */
  BOSH_LOGIN_ACTION_RESTART,
  /* The login has succeeded. @jid is the full JID that the server bound. */
  BOSH_LOGIN_ACTION_READY,
  /* The login has failed with @error; the session is still open. If the server
   * was waiting in the middle of an authentication, `<abort/>` was sent before.
   * The server responds to it with `<failure/>` (RFC 6120 §6.4.4), which the
   * owner has to swallow if it has freed the login by then. */
  BOSH_LOGIN_ACTION_FAILED,
  /* The server offers XEP-0388 and does not carry it out. A login without it has to begin
   * in another session, as nobody knows what this one is in. */
  BOSH_LOGIN_ACTION_FALL_BACK,
} BoshLoginActionType;

/* Microseconds for which a server may keep silent in the middle of an authentication by
 * XEP-0388, before it is taken not to carry it out. */
#define BOSH_LOGIN_PATIENCE (5 * G_TIME_SPAN_SECOND)

typedef struct
{
  BoshLoginActionType  type;
  BoshElement         *element;  /* (transfer full), with SEND */
  char                *jid;      /* (transfer full), with READY */
  GError              *error;    /* (transfer full), with FAILED */
} BoshLoginAction;

/* The authentication and the binding of a resource (RFC 6120 §6 and §7, XEP-0388)
 * as a state machine without I/O: feed features and elements, then drain the
 * actions that follow. */
typedef struct _BoshLogin BoshLogin;

BoshLogin  *bosh_login_new                 (const BoshLoginParameters *parameters);
void        bosh_login_free                (BoshLogin                 *self);

/* Stream features arrived: those of the first stream, or those after the
 * restart. They may be given twice; and a new login in the same session is given
 * those that arrived for an earlier one. */
void        bosh_login_handle_features     (BoshLogin   *self,
                                            BoshElement *features);

/* Another element arrived. Returns TRUE if it is part of the login, so that the
 * application must not see it: the elements of SASL, also when the login is over,
 * and the responses to the requests of the login. */
gboolean    bosh_login_handle_element      (BoshLogin   *self,
                                            BoshElement *element);

/* Computes the slow step. This uses no member that the other functions use until
 * bosh_login_handle_computed(). */
void        bosh_login_compute             (BoshLogin                 *self);
void        bosh_login_handle_computed     (BoshLogin                 *self);

/* Whether the server is to say something, and a login without XEP-0388 is possible if it
 * does not; and begins that one. */
gboolean    bosh_login_can_fall_back       (BoshLogin                 *self);
void        bosh_login_fall_back           (BoshLogin                 *self);

/* Drains one action. Returns FALSE if there is none at the moment. READY, FAILED and
 * FALL_BACK are the last. */
gboolean    bosh_login_next_action         (BoshLogin       *self,
                                            BoshLoginAction *action);

/* The SASL mechanism in use, a static string, or NULL before one was chosen. */
const char *bosh_login_get_mechanism       (BoshLogin                 *self);

/* TRUE if the request to bind will follow the restart at once, so that two
 * requests are under way. Known from the first SEND on. */
gboolean    bosh_login_is_pipelined        (BoshLogin                 *self);

/* From READY on, the salted password of SCRAM, with which the next login of the
 * same account need not compute it again. It is as secret as the password. NULL
 * after a login by another mechanism. */
const char *bosh_login_get_salted_password (BoshLogin                 *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshLogin, bosh_login_free)

G_END_DECLS
