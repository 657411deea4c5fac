/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the rest of the library may ask of a connection, beside its public
 * interface. */

#pragma once

#include "bosh-connection.h"

G_BEGIN_DECLS

/* Sees each element of the first stream before the application does, and returns
 * TRUE to keep it from the application. There is one filter at a time; NULL
 * removes it. */
typedef gboolean (*BoshConnectionFilter) (BoshElement *element,
                                          gpointer     user_data);
void          bosh_connection_set_filter          (BoshConnection              *self,
                                                   BoshConnectionFilter         filter,
                                                   gpointer                     user_data);

/* Replaces the configuration before the connection is opened. */
void          bosh_connection_set_configuration   (BoshConnection              *self,
                                                   BoshConnectionConfiguration *configuration);

/* Sets the JID that was bound, which goes into a saved session and into the `from`
 * of a restart. */
void          bosh_connection_set_jid             (BoshConnection              *self,
                                                   const char                  *jid);

/* While TRUE, no empty request is sent, because the caller is about to send
 * something (a response to a SASL challenge) that must not wait behind a poll. */
void          bosh_connection_set_reply_expected  (BoshConnection              *self,
                                                   gboolean                     expected);

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
