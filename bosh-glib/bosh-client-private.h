/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The client is one object with one state machine, BoshReconnect, in bosh-client.c.
 * What an application asks of it stands in three files above that one, of which each
 * calls only those that stand before it:
 *
 *   bosh-client-operations.c  opening, sending, handing over, ending
 *   bosh-client-login.c       the three logins
 *   bosh-client-prebind.c     opening, a login and a hand-over in one call
 */

#pragma once

#include "bosh-client.h"

#include "bosh-credentials-private.h"

G_BEGIN_DECLS

/* Opens the session, or goes on with @session (nullable). @task returns a boolean
 * when that is done. */
void             client_connect                   (BoshClient       *self,
                                                   BoshSavedSession *session,
                                                   GTask            *task);
/* @task returns a boolean when the login is over. */
void             client_log_in                    (BoshClient      *self,
                                                   BoshCredentials *credentials,
                                                   GTask           *task);
/* Ends the session, or the attempts to get another one. @task returns a boolean
 * when the client is closed. */
void             client_disconnect                (BoshClient *self,
                                                   GTask      *task);

/* Sends @element, or keeps it for the next session. @task is nullable; if @element
 * was taken, the client owns it, and it returns a boolean when the server has
 * @element. */
gboolean         client_send                      (BoshClient   *self,
                                                   BoshElement  *element,
                                                   GTask        *task,
                                                   GError      **error);
/* Does a request with @id wait for its response? */
gboolean         client_has_iq                    (BoshClient *self,
                                                   const char *id);
/* @task returns the response (a BoshElement) to @iq, which was sent. @deadline is in
 * monotonic time, or -1. @task: (transfer full) */
void             client_add_iq                    (BoshClient  *self,
                                                   BoshElement *iq,
                                                   gint64       deadline,
                                                   GTask       *task);

/* Times of reconnecting, in milliseconds. */
void             client_set_delays_for_tests      (BoshClient *self,
                                                   guint       first,
                                                   guint       longest,
                                                   guint       stable_after);
/* Those that are kept to log in again, or NULL. */
BoshCredentials *client_get_credentials_for_tests (BoshClient       *self);

G_END_DECLS
