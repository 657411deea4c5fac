/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the rest of the library may ask of a connection, beside its public
 * interface. */

#pragma once

#include "bosh-connection.h"
#include "bosh-owner-private.h"

G_BEGIN_DECLS

/* What a BoshClient needs to know of the first stream. It connects no handler to a signal
 * or a property: while an object has none, to notify costs next to nothing, and a client
 * that is freed in another thread has nothing to disconnect. */
typedef struct
{
  /* Sees each element before the handlers of the connection do, and returns TRUE to keep
   * it from them. */
  gboolean (*element)             (BoshElement *element,
                                   gpointer     user_data);
  /* An element was left out, as it is too large; @stub has its name and some attributes. */
  void     (*left_out)            (BoshElement  *stub,
                                   guint64       size,
                                   const GError *reason,
                                   gpointer      user_data);
  /* The session is open. Called before connect_async() or attach_async() completes. */
  void     (*opened)              (gpointer              user_data);
  /* The state has changed, and was notified. */
  void     (*state_changed)       (gpointer              user_data);
  /* The server has all that was queued up to @serial. */
  void     (*delivered)           (guint64  serial,
                                   gpointer user_data);
  /* The element that was queued as @serial is not sent, or may be lost; the session
   * goes on. */
  void     (*stanza_failed)       (guint64       serial,
                                   const GError *error,
                                   gpointer      user_data);
  /* Is asked before BoshConnection::accept-certificate is emitted, which is not done
   * if it returns TRUE. */
  gboolean (*accept_certificate)  (GTlsCertificate      *certificate,
                                   GTlsCertificateFlags  errors,
                                   gpointer              user_data);
  /* tls-peer-certificate or tls-peer-certificate-errors was notified. */
  void     (*certificate_changed) (gpointer              user_data);
  /* Called before BoshConnection::closed is emitted. */
  void     (*closed)              (const GError *error,
                                   gpointer      user_data);
} BoshConnectionClientFuncs;

/* There is one client at a time; NULL as @client removes it. The connection has a
 * reference to @client while it calls a function, and calls none without. */
void          bosh_connection_set_client          (BoshConnection                  *self,
                                                   BoshOwner                       *client,
                                                   const BoshConnectionClientFuncs *funcs,
                                                   gpointer                         user_data);

/* Queues an element as bosh_connection_send() does, and sees to it that the server
 * responds soon. BoshConnectionClientFuncs reports on it by @serial. */
gboolean      bosh_connection_queue               (BoshConnection  *self,
                                                   BoshElement     *element,
                                                   guint64         *serial,
                                                   GError         **error);

/* Sends a reply for which no handler has asked, unless so much waits to be sent that
 * memory would not be bounded. */
void          bosh_connection_reply               (BoshConnection              *self,
                                                   BoshElement                 *reply);

/* Replaces the configuration before the connection is opened. */
void          bosh_connection_set_configuration   (BoshConnection              *self,
                                                   BoshConnectionConfiguration *configuration);

/* Sets the JID that was bound, which goes into a saved session and into the `from`
 * of a restart. */
void          bosh_connection_set_jid             (BoshConnection *self,
                                                   const char     *jid);

/* While TRUE, the session can't be saved or handed over. */
void          bosh_connection_set_logging_in      (BoshConnection *self,
                                                   gboolean        is_logging_in);

/* While TRUE, no empty request is sent, because the caller is about to send
 * something (a response to a SASL challenge) that must not wait behind a poll. */
void          bosh_connection_set_reply_expected  (BoshConnection *self,
                                                   gboolean        expected);

/* Opens a second HTTP connection along with the next request, because another
 * request will follow while that one is still open. */
void          bosh_connection_preconnect          (BoshConnection              *self);

/* TRUE if a password can be shown to the server: over https, or on this machine. */
gboolean      bosh_connection_is_private          (BoshConnection              *self);

/* TRUE if the application has asked to end the session, or to hand it over. */
gboolean      bosh_connection_is_leaving          (BoshConnection              *self);

/* The error with which a closed connection fails operations and sending. */
GError       *bosh_connection_dup_close_error     (BoshConnection              *self);

/* Those of bosh_connection_dup_unsent() that are for the first stream. */
GPtrArray    *bosh_connection_dup_unsent_on_first (BoshConnection              *self);

/* The context that was captured when the connection was opened, NULL before. */
GMainContext *bosh_connection_get_main_context    (BoshConnection              *self);

G_END_DECLS
