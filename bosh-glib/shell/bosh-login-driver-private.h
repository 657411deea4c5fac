/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-connection.h"
#include "bosh-login-private.h"

G_BEGIN_DECLS

/* Carries out what a BoshLogin asks for, over a connection: sends, computes in
 * a thread, restarts the stream. */
typedef struct _BoshLoginDriver BoshLoginDriver;

/* The login is over: with @jid, or with @error. Nothing is given away. Called
 * once, and not after bosh_login_driver_stop(). */
typedef void (*BoshLoginDriverDone) (const char   *jid,
                                     const GError *error,
                                     gpointer      user_data);

BoshLoginDriver *bosh_login_driver_new             (BoshConnection            *connection,
                                                    const BoshLoginParameters *parameters,
                                                    BoshLoginDriverDone        done,
                                                    gpointer                   user_data);
/* Stops and frees. What still computes in a thread ends by itself. */
void             bosh_login_driver_stop            (BoshLoginDriver           *self);

void             bosh_login_driver_handle_features (BoshLoginDriver           *self,
                                                    BoshElement               *features);
/* TRUE if @element is part of the login. */
gboolean         bosh_login_driver_handle_element  (BoshLoginDriver           *self,
                                                    BoshElement               *element);

/* The SASL mechanism in use, or NULL. */
const char      *bosh_login_driver_get_mechanism   (BoshLoginDriver           *self);
/* When it was done with a JID: see bosh_login_get_salted_password(). */
const char      *bosh_login_driver_get_salted_password (BoshLoginDriver       *self);

G_END_DECLS
