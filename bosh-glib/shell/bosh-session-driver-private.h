/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-connection-configuration.h"
#include "bosh-session-private.h"

G_BEGIN_DECLS

/* Runs a BoshSession over a transport, as BoshLoginDriver runs a BoshLogin over
 * a connection: it feeds the session with what happens on the network, drains
 * it, carries out the actions that are I/O and passes the others up, and wakes
 * the session at its deadline. */
typedef struct _BoshSessionDriver BoshSessionDriver;

typedef enum
{
  BOSH_DIRECTION_SENT,
  BOSH_DIRECTION_RECEIVED,
} BoshDirection;

/* What the driver tells its owner. All of these are called in the context of the
 * application while the driver holds a reference to the owner, so a handler may
 * call anything, stop the driver, or drop the last reference of its own. */
typedef struct
{
  /* Carries out an action that is no I/O; @action is the driver's. */
  void     (*perform)            (const BoshAction *action,
                                  gpointer          owner);
  /* What the session can be asked for may have changed. Called after each request,
   * and when all actions were carried out. */
  void     (*changed)            (gpointer              owner);
  /* @body was sent, or was received and is about to be acted on. What was sent may be
   * @is_secret, see BoshAction. */
  void     (*shown)              (BoshDirection  direction,
                                  GBytes        *body,
                                  gboolean       is_secret,
                                  gpointer       owner);
  /* Asks, before anything is sent, whether the certificate of the server is accepted
   * although it can't be verified; see BoshTransportFuncs. */
  gboolean (*accept_certificate) (GTlsCertificate      *certificate,
                                  GTlsCertificateFlags  errors,
                                  gpointer              owner);
} BoshSessionDriverCallbacks;

/* Takes @session, which was not opened yet. The thread-default main context
 * becomes that of the application. @owner is a GObject that frees the driver
 * when it is finalized; @callbacks must outlive it, too. */
BoshSessionDriver *bosh_session_driver_new         (BoshSession                      *session,
                                                    BoshConnectionConfiguration      *configuration,
                                                    const BoshSessionDriverCallbacks *callbacks,
                                                    gpointer                          owner);
/* In any thread: what is left of I/O and timers ends in the context. */
void               bosh_session_driver_free        (BoshSessionDriver                *self);
/* Is this the thread of the context? */
gboolean           bosh_session_driver_is_here     (BoshSessionDriver                *self);
/* To be called when the owner is disposed of in another thread. FALSE if it must not be: it
 * is in use, and will be disposed of once more, in the thread of the context. */
gboolean           bosh_session_driver_leave       (BoshSessionDriver                *self);
/* Opens the session, or resumes a saved one. */
void               bosh_session_driver_start       (BoshSessionDriver                *self);
/* Ends all I/O and timers. The session remains, and can still be drained. */
void               bosh_session_driver_stop        (BoshSessionDriver                *self);

/* Carries out all that the session wants done, now. */
void               bosh_session_driver_drain       (BoshSessionDriver                *self);
/* Does the same in the next iteration of the main loop, so that all that is asked
 * of the session until then shares a request. */
void               bosh_session_driver_wake        (BoshSessionDriver                *self);
/* Opens a second HTTP connection along with the next request, because another
 * request will follow while that one is still open. */
void               bosh_session_driver_preconnect  (BoshSessionDriver                *self);

/* (transfer none) */
GMainContext      *bosh_session_driver_get_context (BoshSessionDriver                *self);
guint64            bosh_session_driver_get_n_requests_sent (BoshSessionDriver *self);
guint64            bosh_session_driver_get_n_requests_repeated (BoshSessionDriver *self);

/* See the functions of BoshTransport. After bosh_session_driver_stop() there is
 * neither an address nor a cookie, and nothing is private. */
char              *bosh_session_driver_dup_uri     (BoshSessionDriver                *self);
GStrv              bosh_session_driver_dup_cookies (BoshSessionDriver                *self);
void               bosh_session_driver_add_cookies (BoshSessionDriver  *self,
                                                    const char * const *cookies);
gboolean           bosh_session_driver_is_private  (BoshSessionDriver                *self);
/* The certificate of the server, or the one for which the session has failed (transfer
 * none) (nullable); and what is wrong with it. It remains after
 * bosh_session_driver_stop(). */
GTlsCertificate   *bosh_session_driver_get_peer_certificate (BoshSessionDriver    *self,
                                                             GTlsCertificateFlags *errors);

G_END_DECLS
