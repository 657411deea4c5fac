/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(BOSH_GLIB_INSIDE) && !defined(BOSH_COMPILATION)
#error "Only <bosh-glib/bosh-glib.h> can be included directly."
#endif

#include <gio/gio.h>

#include "bosh-connection-configuration.h"
#include "bosh-element.h"
#include "bosh-saved-session.h"
#include "bosh-version-macros.h"

G_BEGIN_DECLS

/**
 * BoshConnectionState:
 * @BOSH_CONNECTION_STATE_NEW: no session was asked for yet
 * @BOSH_CONNECTION_STATE_CONNECTING: the session is being created or attached
 * @BOSH_CONNECTION_STATE_CONNECTED: the session is open
 * @BOSH_CONNECTION_STATE_RETRYING: the server can't be reached at the moment;
 *   the session may live, and requests are being sent again
 * @BOSH_CONNECTION_STATE_PAUSED: the session is paused (XEP-0124 §10)
 * @BOSH_CONNECTION_STATE_DISCONNECTING: the session is being ended
 * @BOSH_CONNECTION_STATE_DETACHED: the session was handed over, and goes on
 *   elsewhere
 * @BOSH_CONNECTION_STATE_CLOSED: the session has ended; a closed connection is
 *   not used again
 *
 * The life of a connection.
 *
 * Since: 1.0
 */
typedef enum
{
  BOSH_CONNECTION_STATE_NEW,
  BOSH_CONNECTION_STATE_CONNECTING,
  BOSH_CONNECTION_STATE_CONNECTED,
  BOSH_CONNECTION_STATE_RETRYING,
  BOSH_CONNECTION_STATE_PAUSED,
  BOSH_CONNECTION_STATE_DISCONNECTING,
  BOSH_CONNECTION_STATE_DETACHED,
  BOSH_CONNECTION_STATE_CLOSED,
} BoshConnectionState;

#define BOSH_TYPE_CONNECTION (bosh_connection_get_type ())

BOSH_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (BoshConnection, bosh_connection, BOSH, CONNECTION, GObject)

BOSH_AVAILABLE_IN_1_0
BoshConnection              *bosh_connection_new                     (const char                  *domain,
                                                                      BoshConnectionConfiguration *configuration);

BOSH_AVAILABLE_IN_1_0
void                         bosh_connection_connect_async           (BoshConnection      *self,
                                                                      GCancellable        *cancellable,
                                                                      GAsyncReadyCallback  callback,
                                                                      gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_connect_finish          (BoshConnection  *self,
                                                                      GAsyncResult    *result,
                                                                      GError         **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_connection_attach_async            (BoshConnection      *self,
                                                                      BoshSavedSession    *session,
                                                                      GCancellable        *cancellable,
                                                                      GAsyncReadyCallback  callback,
                                                                      gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_attach_finish           (BoshConnection  *self,
                                                                      GAsyncResult    *result,
                                                                      GError         **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_connection_restart_async           (BoshConnection      *self,
                                                                      GCancellable        *cancellable,
                                                                      GAsyncReadyCallback  callback,
                                                                      gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_restart_finish          (BoshConnection  *self,
                                                                      GAsyncResult    *result,
                                                                      GError         **error);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_send                    (BoshConnection  *self,
                                                                      BoshElement     *element,
                                                                      GError         **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_connection_deliver_async           (BoshConnection      *self,
                                                                      BoshElement         *element,
                                                                      GCancellable        *cancellable,
                                                                      GAsyncReadyCallback  callback,
                                                                      gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_deliver_finish          (BoshConnection  *self,
                                                                      GAsyncResult    *result,
                                                                      GError         **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_connection_pause_async             (BoshConnection      *self,
                                                                      guint                seconds,
                                                                      GCancellable        *cancellable,
                                                                      GAsyncReadyCallback  callback,
                                                                      gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_pause_finish            (BoshConnection  *self,
                                                                      GAsyncResult    *result,
                                                                      GError         **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_connection_resume                  (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
void                         bosh_connection_disconnect_async        (BoshConnection      *self,
                                                                      BoshElement         *last_payload,
                                                                      GCancellable        *cancellable,
                                                                      GAsyncReadyCallback  callback,
                                                                      gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_disconnect_finish       (BoshConnection  *self,
                                                                      GAsyncResult    *result,
                                                                      GError         **error);
BOSH_AVAILABLE_IN_1_0
guint64                      bosh_connection_detach                  (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
void                         bosh_connection_detach_async            (BoshConnection      *self,
                                                                      GCancellable        *cancellable,
                                                                      GAsyncReadyCallback  callback,
                                                                      gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
BoshSavedSession            *bosh_connection_detach_finish           (BoshConnection  *self,
                                                                      GAsyncResult    *result,
                                                                      GError         **error);
BOSH_AVAILABLE_IN_1_0
BoshSavedSession            *bosh_connection_save                    (BoshConnection  *self,
                                                                      GError         **error);

BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_get_domain              (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
BoshConnectionConfiguration *bosh_connection_get_configuration       (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
BoshConnectionState          bosh_connection_get_state               (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_get_session_id          (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
guint64                      bosh_connection_get_request_id          (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
BoshElement                 *bosh_connection_get_features            (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_get_wait                (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_get_hold                (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_get_requests            (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_get_inactivity          (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_get_polling             (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_get_max_pause           (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_get_charsets            (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_get_http_status         (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_connection_get_see_other_uri       (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
GTlsCertificate             *bosh_connection_get_tls_peer_certificate        (BoshConnection *self);
BOSH_AVAILABLE_IN_1_0
GTlsCertificateFlags         bosh_connection_get_tls_peer_certificate_errors (BoshConnection *self);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_connection_get_n_stanzas_queued    (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
guint64                      bosh_connection_get_n_stanzas_sent      (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
guint64                      bosh_connection_get_n_stanzas_received  (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
guint64                      bosh_connection_get_n_stanzas_left_out  (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
guint64                      bosh_connection_get_n_requests_sent     (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
guint64                      bosh_connection_get_n_requests_repeated (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
GPtrArray                   *bosh_connection_dup_undelivered         (BoshConnection              *self);
BOSH_AVAILABLE_IN_1_0
GPtrArray                   *bosh_connection_dup_unsent              (BoshConnection              *self);

/* Several streams in one session (XEP-0124 §16). */
BOSH_AVAILABLE_IN_1_0
void                         bosh_connection_open_stream_async       (BoshConnection      *self,
                                                                      const char          *domain,
                                                                      GCancellable        *cancellable,
                                                                      GAsyncReadyCallback  callback,
                                                                      gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
char                        *bosh_connection_open_stream_finish      (BoshConnection  *self,
                                                                      GAsyncResult    *result,
                                                                      GError         **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_connection_close_stream_async      (BoshConnection      *self,
                                                                      const char          *stream,
                                                                      BoshElement         *last_payload,
                                                                      GCancellable        *cancellable,
                                                                      GAsyncReadyCallback  callback,
                                                                      gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_close_stream_finish     (BoshConnection  *self,
                                                                      GAsyncResult    *result,
                                                                      GError         **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_connection_restart_stream_async    (BoshConnection      *self,
                                                                      const char          *stream,
                                                                      GCancellable        *cancellable,
                                                                      GAsyncReadyCallback  callback,
                                                                      gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_restart_stream_finish   (BoshConnection  *self,
                                                                      GAsyncResult    *result,
                                                                      GError         **error);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_connection_send_to_stream          (BoshConnection  *self,
                                                                      const char      *stream,
                                                                      BoshElement     *element,
                                                                      GError         **error);
BOSH_AVAILABLE_IN_1_0
char                       **bosh_connection_dup_streams             (BoshConnection              *self);

G_END_DECLS
