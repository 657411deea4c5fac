/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The connection manager that a transport talks to, as its connections have shown
 * it: their sockets, its certificate, and whether a password may be sent there. */
typedef struct _BoshPeer BoshPeer;

/* What is to be done in the handshake with a certificate that can't be verified. */
typedef enum
{
  BOSH_PEER_REFUSE,
  BOSH_PEER_ACCEPT,
  BOSH_PEER_ASK,     /* the owner: it is the first one of this peer */
} BoshPeerVerdict;

/* @uri: (nullable): where requests go. */
BoshPeer        *bosh_peer_new                  (GUri                 *uri);
void             bosh_peer_free                 (BoshPeer             *self);

/* (transfer none) (nullable) */
GUri            *bosh_peer_get_uri              (BoshPeer             *self);
/* Requests go to @uri (nullable) from here on. All that was learned is forgotten,
 * but not that the way to the new address was not safe. */
void             bosh_peer_move_to              (BoshPeer *self,
                                                 GUri     *uri);

/* @connection_id: that of soup_message_get_connection_id(). */
void             bosh_peer_remember_socket      (BoshPeer  *self,
                                                 guint64    connection_id,
                                                 GIOStream *connection);
/* (transfer none) (nullable) */
GSocket         *bosh_peer_get_socket           (BoshPeer *self,
                                                 guint64   connection_id);

/* A request is about to be sent to @remote_address (nullable). */
void             bosh_peer_note_start           (BoshPeer       *self,
                                                 GSocketAddress *remote_address);

/* The owner is asked for the first certificate only, which is refused until
 * bosh_peer_accept_certificate() is called. The same one is treated likewise on later
 * connections, and any other is refused. */
BoshPeerVerdict  bosh_peer_judge_certificate    (BoshPeer             *self,
                                                 GTlsCertificate      *certificate,
                                                 GTlsCertificateFlags  errors);
void             bosh_peer_accept_certificate   (BoshPeer             *self);
/* A request has failed because of @certificate (nullable), be it the one of all
 * connections or another. */
void             bosh_peer_note_refusal         (BoshPeer             *self,
                                                 GTlsCertificate      *certificate,
                                                 GTlsCertificateFlags  errors);
/* XEP-0124 §19.1: all connections of a session show the same certificate. Returns
 * FALSE for a connection, after its handshake, that shows another one than the first
 * connection; nothing may be sent there. */
gboolean         bosh_peer_check_certificate    (BoshPeer       *self,
                                                 GTlsConnection *connection);

/* The certificate that all connections show, or else the one that was refused
 * (transfer none) (nullable); and what is wrong with it. */
GTlsCertificate *bosh_peer_get_certificate      (BoshPeer             *self,
                                                 GTlsCertificateFlags *errors);
/* The certificate for which a request has failed last (transfer none) (nullable). */
GTlsCertificate *bosh_peer_get_refused_certificate
                                                (BoshPeer             *self,
                                                 GTlsCertificateFlags *errors);

/* Returns TRUE if a password may be sent: over https, or if all connections so far
 * went to this machine and not through a proxy. For http that is known only after
 * the first exchange. */
gboolean         bosh_peer_is_private           (BoshPeer             *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshPeer, bosh_peer_free)

G_END_DECLS
