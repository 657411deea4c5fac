/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-connection.h"

G_BEGIN_DECLS

/* Sees each payload before the application does; TRUE if it was consumed and
 * is no business of the application. One filter at a time; NULL removes it. */
typedef gboolean (*BoshConnectionFilter) (BoshElement *element,
                                          gpointer     user_data);
void         bosh_connection_set_filter          (BoshConnection       *self,
                                                  BoshConnectionFilter  filter,
                                                  gpointer              user_data);

/* While TRUE, no empty request is sent: the caller is about to send something
 * (the answer to a SASL challenge), which shall not wait behind a poll. */
void         bosh_connection_set_reply_expected  (BoshConnection       *self,
                                                  gboolean              expected);

/* The one who sends next will soon have two requests out at once: let the way for
 * the second be ready by then. */
void         bosh_connection_expect_two          (BoshConnection       *self);

/* May a password be shown to the server (https, or loopback)? */
gboolean     bosh_connection_is_private          (BoshConnection       *self);

/* Takes another configuration, before the connection is opened. */
void         bosh_connection_set_configuration   (BoshConnection              *self,
                                                  BoshConnectionConfiguration *configuration);

/* The JID that was bound, for a saved session, and for `from` of a restart. */
void         bosh_connection_set_jid             (BoshConnection       *self,
                                                  const char           *jid);

/* The error with which the connection closed: what is sent or asked for now gets a copy of it. */
GError      *bosh_connection_dup_close_error     (BoshConnection       *self);

/* Was it asked to end the session, or to hand it over? */
gboolean     bosh_connection_is_leaving          (BoshConnection       *self);

/* Of what bosh_connection_dup_unsent() gives, that which is for the first stream. */
GPtrArray   *bosh_connection_dup_unsent_on_first (BoshConnection       *self);

/* The context of the session, captured when it was opened. */
GMainContext *bosh_connection_get_main_context   (BoshConnection       *self);

G_END_DECLS
