/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-login-driver-private.h"
#include "bosh-reconnect-private.h"

G_BEGIN_DECLS

/* Runs a BoshReconnect over connections and logins, as BoshSessionDriver runs a
 * BoshSession over a transport: it feeds the machine with what the application asks
 * for and what the connection reports, drains it, carries out its actions and passes
 * up what an application sees. The tasks of the application wait in it. */
typedef struct _BoshClientDriver BoshClientDriver;

/* What the driver tells its owner, in the context of the application. A handler may
 * call anything, or drop the last reference to the owner. */
typedef struct
{
  /* The state has changed, or with it or without it the JID, the mechanism, the state of
   * the connection, or what the machine says of attempts and errors. */
  void     (*changed)             (gpointer              owner);
  /* The address was found, and is in the configuration. */
  void     (*located)             (gpointer              owner);
  /* There is another connection, which is not open yet. */
  void     (*renewed)             (gpointer              owner);
  /* The session of @connection was lost, and another one will follow. TRUE to send
   * the stanzas again that never left this machine. */
  gboolean (*lost)                (BoshConnection *connection,
                                   const GError   *error,
                                   gpointer        owner);
  /* Somebody is logged in again, in another session. TRUE to hold back what waits, until
   * bosh_client_driver_resend(). */
  gboolean (*session_renewed)     (gpointer              owner);
  /* Asks whether the certificate of the server is accepted although it can't be
   * verified. */
  gboolean (*accept_certificate)  (GTlsCertificate      *certificate,
                                   GTlsCertificateFlags  errors,
                                   gpointer              owner);
  /* The connection has another certificate, or knows other errors of it. */
  void     (*certificate_changed) (gpointer              owner);
  /* XEP-0388 is not used any more. */
  void     (*fell_back)           (gpointer              owner);
  /* A stanza arrived for the application. */
  void     (*stanza)              (BoshElement *stanza,
                                   gpointer     owner);
  /* A stanza was left out, as it is too large; @stub has its name and some attributes. */
  void     (*left_out)            (BoshElement  *stub,
                                   guint64       size,
                                   const GError *reason,
                                   gpointer      owner);
  /* All is over. @error is NULL where the application asked for the end. */
  void     (*closed)              (const GError *error,
                                   gpointer      owner);
} BoshClientDriverCallbacks;

/* @owner is a GObject that frees the driver when it is finalized; @callbacks must
 * outlive it, too. @configuration: nullable */
BoshClientDriver            *bosh_client_driver_new                       (const char                      *domain,
                                                                           BoshConnectionConfiguration     *configuration,
                                                                           const BoshClientDriverCallbacks *callbacks,
                                                                           gpointer                         owner);
/* In any thread: what is left of I/O and timers ends in the context. */
void                         bosh_client_driver_free                      (BoshClientDriver                *self);
/* Is this the thread of the context? */
gboolean                     bosh_client_driver_is_here                   (BoshClientDriver                *self);
/* To be called when the owner is disposed of in another thread. FALSE if it must not be: it
 * is in use, and will be disposed of once more, in the thread of the context. */
gboolean                     bosh_client_driver_leave                     (BoshClientDriver                *self);
/* Lets go of the connection. The operations that are under way fail, and so do those
 * that follow. */
void                         bosh_client_driver_stop                      (BoshClientDriver                *self);

/* Opens the session, or goes on with @session (nullable). @task returns a boolean
 * when that is done. */
void                         bosh_client_driver_connect                   (BoshClientDriver *self,
                                                                           BoshSavedSession *session,
                                                                           GTask            *task);
/* To be called before connecting where the session is handed over as soon as somebody has
 * logged in: no empty request is left open in between. */
void                         bosh_client_driver_prepare_prebind           (BoshClientDriver                *self);
/* @task returns a boolean when the login is over. */
void                         bosh_client_driver_log_in                    (BoshClientDriver *self,
                                                                           BoshCredentials  *credentials,
                                                                           GTask            *task);
/* Ends the session, or the attempts to get another one. @task returns a boolean
 * when the client is closed. */
void                         bosh_client_driver_disconnect                (BoshClientDriver *self,
                                                                           GTask            *task);
/* Sends @element, or keeps it for the next session. @task is nullable; if @element
 * was taken, the driver owns it, and it returns a boolean when the server has
 * @element. */
gboolean                     bosh_client_driver_send                      (BoshClientDriver  *self,
                                                                           BoshElement       *element,
                                                                           GTask             *task,
                                                                           GError           **error);
/* The next attempt is made now, if one waits. */
void                         bosh_client_driver_retry_now                 (BoshClientDriver                *self);
/* What was held back is sent now. */
void                         bosh_client_driver_resend                    (BoshClientDriver                *self);
/* Does a request with @id wait for its response? */
gboolean                     bosh_client_driver_has_iq                    (BoshClientDriver *self,
                                                                           const char       *id);
/* @task returns the response (a BoshElement) to @iq, which was sent. @deadline is in
 * monotonic time, or -1. @task: (transfer full) */
void                         bosh_client_driver_add_iq                    (BoshClientDriver *self,
                                                                           BoshElement      *iq,
                                                                           gint64            deadline,
                                                                           GTask            *task);

/* To ask it; what changes its state is fed by the driver alone. */
BoshReconnect               *bosh_client_driver_get_machine               (BoshClientDriver                *self);
void                         bosh_client_driver_set_retry_connect         (BoshClientDriver                *self,
                                                                           gboolean                         retry_connect);
/* Those with which it logs in again after a loss. */
void                         bosh_client_driver_set_credentials           (BoshClientDriver                *self,
                                                                           BoshCredentials                 *credentials);
void                         bosh_client_driver_set_auto_reconnect        (BoshClientDriver *self,
                                                                           gboolean          auto_reconnect);
BoshLoginFlags               bosh_client_driver_get_login_flags           (BoshClientDriver                *self);
void                         bosh_client_driver_set_login_flags           (BoshClientDriver *self,
                                                                           BoshLoginFlags    flags);

const char                  *bosh_client_driver_get_domain                (BoshClientDriver                *self);
BoshConnectionConfiguration *bosh_client_driver_get_configuration         (BoshClientDriver                *self);
/* NULL once it was stopped. */
BoshConnection              *bosh_client_driver_get_connection            (BoshClientDriver                *self);
const char                  *bosh_client_driver_get_jid                   (BoshClientDriver                *self);
const char                  *bosh_client_driver_get_mechanism             (BoshClientDriver                *self);
/* With a server that says nothing in the middle of a login; microseconds. */
void                         bosh_client_driver_set_patience_for_tests    (BoshClientDriver *self,
                                                                           gint64            patience);
/* Those that are kept to log in again, or NULL. */
BoshCredentials             *bosh_client_driver_get_credentials_for_tests (BoshClientDriver                *self);

G_END_DECLS
