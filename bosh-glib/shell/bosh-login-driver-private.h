/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-connection.h"
#include "bosh-credentials-private.h"
#include "bosh-login-private.h"

G_BEGIN_DECLS

/* Carries out what a BoshLogin asks for, over a connection: sends elements,
 * computes in a thread, restarts the stream. */
typedef struct _BoshLoginDriver BoshLoginDriver;

typedef enum
{
  BOSH_LOGIN_NO_FLAGS = 0,
  /* PLAIN may be used over a connection that others can read. */
  BOSH_LOGIN_ALLOW_PLAINTEXT = 1 << 0,
  /* The request to bind follows the restart at once, whatever is offered. */
  BOSH_LOGIN_PIPELINE = 1 << 1,
  /* XEP-0388 is not used. */
  BOSH_LOGIN_AVOID_SASL2 = 1 << 2,
} BoshLoginFlags;

/* The login is over: @jid was bound, or it failed with @error. Both belong to
 * the driver. If both are NULL, it has to begin anew without XEP-0388, in another session.
 * Called once, and not after bosh_login_driver_stop(). */
typedef void (*BoshLoginDriverDone) (const char   *jid,
                                     const GError *error,
                                     gpointer      user_data);

/* @context: that of the application. @patience: microseconds for which a server may keep
 * silent, BOSH_LOGIN_PATIENCE at least, but in tests.
 *
 * The result of SCRAM's costly part is left in @credentials for the next login,
 * and removed from there if the login fails. After a success, or where the login has to
 * begin anew, the mechanism is left there, too: the next login uses none that is weaker. */
BoshLoginDriver *bosh_login_driver_new             (BoshConnection      *connection,
                                                    BoshCredentials     *credentials,
                                                    BoshLoginFlags       flags,
                                                    GMainContext        *context,
                                                    gint64               patience,
                                                    BoshLoginDriverDone  done,
                                                    gpointer             user_data);
/* Stops and frees. A thread that still computes ends by itself. */
void             bosh_login_driver_stop            (BoshLoginDriver     *self);

void             bosh_login_driver_handle_features (BoshLoginDriver *self,
                                                    BoshElement     *features);
/* TRUE if @element is part of the login. */
gboolean         bosh_login_driver_handle_element  (BoshLoginDriver *self,
                                                    BoshElement     *element);

BoshCredentials *bosh_login_driver_get_credentials (BoshLoginDriver     *self);
/* The SASL mechanism in use, or NULL before one was chosen. */
const char      *bosh_login_driver_get_mechanism   (BoshLoginDriver     *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshLoginDriver, bosh_login_driver_stop)

G_END_DECLS
