/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"
#include "bosh-sasl-private.h"

G_BEGIN_DECLS

typedef struct
{
  const char          *domain;
  BoshSaslCredentials  credentials;
  const char          *username;         /* authorization id for EXTERNAL, nullable there */
  const char          *password;         /* copied, and cleared as soon as it was used */
  /* What an earlier login with this name and password left; see
   * bosh_login_get_salted_password(). Nullable, and treated like the password. */
  const char          *salted_password;
  const char          *resource;         /* nullable: the server chooses */
  gboolean             allow_plaintext;  /* may PLAIN be used? */
  gboolean             pipeline;         /* bind behind the restart, whatever is offered? */
} BoshLoginParameters;

typedef enum
{
  /* Send @element. */
  BOSH_LOGIN_ACTION_SEND,
  /* Call bosh_login_compute() once, in any thread; when it has returned,
   * bosh_login_handle_computed() in the thread of the login. Elements may be
   * handled and actions drained meanwhile, but the login must not be freed, not
   * even after it FAILED. */
  BOSH_LOGIN_ACTION_COMPUTE,
  /* Restart the stream (XEP-0206 §5), in front of what is sent from now on. */
  BOSH_LOGIN_ACTION_RESTART,
  /* Logged in; @jid is the full JID that the server bound. */
  BOSH_LOGIN_ACTION_READY,
  /* The login is over with @error; the session is still open. Where the server
   * waits for us in the middle of an authentication, an `<abort/>` was sent
   * before; the `<failure/>` that answers it (RFC 6120 §6.4.4) comes later,
   * and whoever has no login left swallows it. */
  BOSH_LOGIN_ACTION_FAILED,
} BoshLoginActionType;

typedef struct
{
  BoshLoginActionType  type;
  BoshElement         *element;  /* owned by the receiver */
  char                *jid;      /* owned by the receiver */
  GError              *error;    /* owned by the receiver */
} BoshLoginAction;

typedef struct _BoshLogin BoshLogin;

BoshLogin  *bosh_login_new                 (const BoshLoginParameters *parameters);
void        bosh_login_free                (BoshLogin                 *self);

/* Stream features arrived: those of the first stream, or after the restart.
 * May be given again, and for a new login those of an earlier one. */
void        bosh_login_handle_features     (BoshLogin                 *self,
                                            BoshElement               *features);

/* Another element arrived. TRUE if it is part of the login (SASL elements, the
 * answers to bind and session), and no business of the application; also when
 * the login is over. */
gboolean    bosh_login_handle_element      (BoshLogin                 *self,
                                            BoshElement               *element);

/* The slow step. Touches nothing that the other functions use meanwhile. */
void        bosh_login_compute             (BoshLogin                 *self);
void        bosh_login_handle_computed     (BoshLogin                 *self);

/* FALSE if there is none at the moment. Behind READY and FAILED comes none. */
gboolean    bosh_login_next_action         (BoshLogin                 *self,
                                            BoshLoginAction           *action);

/* The SASL mechanism in use, or NULL before one was chosen. */
const char *bosh_login_get_mechanism       (BoshLogin                 *self);

/* Will there be two requests at once, the restart and that to bind? Known with
 * the first SEND. */
gboolean    bosh_login_is_pipelined        (BoshLogin                 *self);

/* With READY: what spares the next login of the same account the costly part of
 * SCRAM. As secret as the password. NULL where there is none. */
const char *bosh_login_get_salted_password (BoshLogin                 *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshLogin, bosh_login_free)

G_END_DECLS
