/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-http-peer-private.h"

#include "bosh-uri-private.h"

struct _BoshPeer
{
  GUri *uri;                      /* nullable */
  GHashTable *sockets;            /* connection id → GSocket */
  GTlsCertificate *certificate;   /* that the first connection has shown */
  GTlsCertificate *questioned;    /* the first one that can't be verified */
  GTlsCertificateFlags errors;    /* of @questioned */
  gboolean is_accepted;           /* @questioned, by the owner */
  GTlsCertificate *refused;       /* that made a request fail */
  GTlsCertificateFlags refused_errors;
  gboolean was_used;
  gboolean is_local;              /* all connections were direct and local */
  gboolean may_be_misled;         /* a response that anybody could forge led here */
};

BoshPeer *
bosh_peer_new (GUri *uri)
{
  BoshPeer *self = g_new0 (BoshPeer, 1);

  if (uri != NULL)
    self->uri = g_uri_ref (uri);
  self->sockets = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_object_unref);

  return self;
}

void
bosh_peer_free (BoshPeer *self)
{
  g_clear_object (&self->refused);
  g_clear_object (&self->questioned);
  g_clear_object (&self->certificate);
  g_hash_table_unref (self->sockets);
  g_clear_pointer (&self->uri, g_uri_unref);
  g_free (self);
}

GUri *
bosh_peer_get_uri (BoshPeer *self)
{
  return self->uri;
}

static gboolean
has_same_host (GUri *uri,
               GUri *other)
{
  return uri != NULL && other != NULL &&
         g_ascii_strcasecmp (g_uri_get_host (uri), g_uri_get_host (other)) == 0;
}

void
bosh_peer_move_to (BoshPeer *self,
                   GUri     *uri)
{
  gboolean was_private = bosh_peer_is_private (self);
  g_autoptr(GUri) before = g_steal_pointer (&self->uri);

  if (uri != NULL)
    self->uri = g_uri_ref (uri);

  /* An attacker on the way to the old address may have named the new one. A
   * certificate proves something only if the host is the one that was asked for. */
  if (!was_private && !has_same_host (before, uri))
    self->may_be_misled = TRUE;

  g_clear_object (&self->certificate);
  g_clear_object (&self->questioned);
  self->errors = 0;
  self->is_accepted = FALSE;
  g_clear_object (&self->refused);
  self->refused_errors = 0;
  self->was_used = FALSE;
  self->is_local = FALSE;
}

static gboolean
socket_is_closed (gpointer key,
                  gpointer value,
                  gpointer user_data)
{
  return g_socket_is_closed (value);
}

void
bosh_peer_remember_socket (BoshPeer  *self,
                           guint64    connection_id,
                           GIOStream *connection)
{
  g_autoptr(GIOStream) base = NULL;
  GSocket *socket;

  if (G_IS_TLS_CONNECTION (connection))
    g_object_get (connection, "base-io-stream", &base, NULL);
  else
    base = g_object_ref (connection);

  g_hash_table_foreach_remove (self->sockets, socket_is_closed, NULL);
  if (!G_IS_SOCKET_CONNECTION (base))
    return;

  socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (base));
  g_hash_table_insert (self->sockets,
                       g_memdup2 (&connection_id, sizeof connection_id),
                       g_object_ref (socket));
}

GSocket *
bosh_peer_get_socket (BoshPeer *self,
                      guint64   connection_id)
{
  return g_hash_table_lookup (self->sockets, &connection_id);
}

static gboolean
is_local_address (GSocketAddress *address)
{
  GInetAddress *inet_address;

  if (!G_IS_INET_SOCKET_ADDRESS (address) || G_IS_PROXY_ADDRESS (address))
    return FALSE;

  inet_address = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address));

  return g_inet_address_get_is_loopback (inet_address);
}

void
bosh_peer_note_start (BoshPeer       *self,
                      GSocketAddress *remote_address)
{
  self->is_local = (self->is_local || !self->was_used) && is_local_address (remote_address);
  self->was_used = TRUE;
}

BoshPeerVerdict
bosh_peer_judge_certificate (BoshPeer             *self,
                             GTlsCertificate      *certificate,
                             GTlsCertificateFlags  errors)
{
  if (self->questioned != NULL)
    return self->is_accepted && g_tls_certificate_is_same (self->questioned, certificate)
             ? BOSH_PEER_ACCEPT
             : BOSH_PEER_REFUSE;

  /* A connection before has shown one that could be verified. */
  if (self->certificate != NULL && !g_tls_certificate_is_same (self->certificate, certificate))
    return BOSH_PEER_REFUSE;

  self->questioned = g_object_ref (certificate);
  self->errors = errors;

  return BOSH_PEER_ASK;
}

void
bosh_peer_accept_certificate (BoshPeer *self)
{
  self->is_accepted = TRUE;
}

void
bosh_peer_note_refusal (BoshPeer             *self,
                        GTlsCertificate      *certificate,
                        GTlsCertificateFlags  errors)
{
  g_set_object (&self->refused, certificate);
  self->refused_errors = errors;
}

gboolean
bosh_peer_check_certificate (BoshPeer       *self,
                             GTlsConnection *connection)
{
  GTlsCertificate *certificate = g_tls_connection_get_peer_certificate (connection);

  if (self->certificate == NULL)
    g_set_object (&self->certificate, certificate);

  return certificate != NULL && g_tls_certificate_is_same (self->certificate, certificate);
}

GTlsCertificate *
bosh_peer_get_certificate (BoshPeer             *self,
                           GTlsCertificateFlags *errors)
{
  GTlsCertificate *certificate = self->certificate != NULL ? self->certificate : self->questioned;

  *errors = certificate != NULL && self->questioned != NULL &&
                g_tls_certificate_is_same (certificate, self->questioned)
              ? self->errors
              : 0;

  return certificate;
}

GTlsCertificate *
bosh_peer_get_refused_certificate (BoshPeer             *self,
                                   GTlsCertificateFlags *errors)
{
  *errors = self->refused_errors;

  return self->refused;
}

gboolean
bosh_peer_is_private (BoshPeer *self)
{
  if (self->may_be_misled)
    return FALSE;

  return self->is_local ||
         (self->uri != NULL && bosh_uri_is_secure (self->uri));
}
