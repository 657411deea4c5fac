/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files of BoshClient, of which each calls only those that stand before it:
 *
 *   bosh-client.c             the object, its properties and signals
 *   bosh-client-operations.c  opening, sending, handing over, ending
 *   bosh-client-login.c       the three logins
 *   bosh-client-prebind.c     opening, a login and a hand-over in one call
 *
 * What they do is done by the driver, in shell/bosh-client-driver.c. */

#pragma once

#include "bosh-client-driver-private.h"
#include "bosh-client.h"

G_BEGIN_DECLS

BoshClientDriver *client_get_driver                (BoshClient *self);

/* Times of reconnecting, in milliseconds. */
void              client_set_delays_for_tests      (BoshClient *self,
                                                    guint       first,
                                                    guint       longest,
                                                    guint       stable_after);
/* With a server that says nothing in the middle of a login; milliseconds. */
void              client_set_patience_for_tests    (BoshClient *self,
                                                    guint       patience);
/* Those that are kept to log in again, or NULL. */
BoshCredentials  *client_get_credentials_for_tests (BoshClient *self);

G_END_DECLS
