/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(BOSH_GLIB_INSIDE) && !defined(BOSH_COMPILATION)
#error "Only <bosh-glib/bosh-glib.h> can be included directly."
#endif

#include <gio/gio.h>

#include "bosh-connection.h"
#include "bosh-version-macros.h"

G_BEGIN_DECLS

/**
 * BoshClientState:
 * @BOSH_CLIENT_STATE_NEW: the client was not told to connect yet
 * @BOSH_CLIENT_STATE_CONNECTING: the session is being opened or attached
 * @BOSH_CLIENT_STATE_CONNECTED: the session is open, and nobody is logged in
 * @BOSH_CLIENT_STATE_LOGGING_IN: a login is under way
 * @BOSH_CLIENT_STATE_READY: logged in, with a resource bound
 * @BOSH_CLIENT_STATE_RECONNECTING: the session was lost, and the client is about
 *   to log in again ([property@Bosh.Client:auto-reconnect])
 * @BOSH_CLIENT_STATE_DISCONNECTING: the session is being ended
 * @BOSH_CLIENT_STATE_DETACHED: the session was handed over, and goes on elsewhere
 * @BOSH_CLIENT_STATE_CLOSED: the session has ended
 *
 * The life of a client. A client that is `DETACHED` or `CLOSED` is not used again.
 *
 * Whether the server can be reached at the moment is another matter, and is told
 * by [property@Bosh.Connection:state].
 *
 * Since: 1.0
 */
typedef enum
{
  BOSH_CLIENT_STATE_NEW,
  BOSH_CLIENT_STATE_CONNECTING,
  BOSH_CLIENT_STATE_CONNECTED,
  BOSH_CLIENT_STATE_LOGGING_IN,
  BOSH_CLIENT_STATE_READY,
  BOSH_CLIENT_STATE_RECONNECTING,
  BOSH_CLIENT_STATE_DISCONNECTING,
  BOSH_CLIENT_STATE_DETACHED,
  BOSH_CLIENT_STATE_CLOSED,
} BoshClientState;

#define BOSH_TYPE_CLIENT (bosh_client_get_type ())

BOSH_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (BoshClient, bosh_client, BOSH, CLIENT, GObject)

BOSH_AVAILABLE_IN_1_0
BoshClient                  *bosh_client_new                          (const char                  *domain,
                                                                       BoshConnectionConfiguration *configuration);

BOSH_AVAILABLE_IN_1_0
void                         bosh_client_connect_async                (BoshClient          *self,
                                                                       GCancellable        *cancellable,
                                                                       GAsyncReadyCallback  callback,
                                                                       gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_connect_finish               (BoshClient    *self,
                                                                       GAsyncResult  *result,
                                                                       GError       **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_login_async                  (BoshClient          *self,
                                                                       const char          *username,
                                                                       const char          *password,
                                                                       const char          *resource,
                                                                       GCancellable        *cancellable,
                                                                       GAsyncReadyCallback  callback,
                                                                       gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_login_finish                 (BoshClient    *self,
                                                                       GAsyncResult  *result,
                                                                       GError       **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_login_anonymously_async      (BoshClient          *self,
                                                                       const char          *resource,
                                                                       GCancellable        *cancellable,
                                                                       GAsyncReadyCallback  callback,
                                                                       gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_login_anonymously_finish     (BoshClient    *self,
                                                                       GAsyncResult  *result,
                                                                       GError       **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_login_externally_async       (BoshClient          *self,
                                                                       const char          *authorization_id,
                                                                       const char          *resource,
                                                                       GCancellable        *cancellable,
                                                                       GAsyncReadyCallback  callback,
                                                                       gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_login_externally_finish      (BoshClient    *self,
                                                                       GAsyncResult  *result,
                                                                       GError       **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_set_credentials              (BoshClient                   *self,
                                                                       const char                   *username,
                                                                       const char                   *password,
                                                                       const char                   *resource);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_disconnect_async             (BoshClient          *self,
                                                                       GCancellable        *cancellable,
                                                                       GAsyncReadyCallback  callback,
                                                                       gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_disconnect_finish            (BoshClient    *self,
                                                                       GAsyncResult  *result,
                                                                       GError       **error);

BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_send                         (BoshClient   *self,
                                                                       BoshElement  *stanza,
                                                                       GError      **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_deliver_async                (BoshClient          *self,
                                                                       BoshElement         *stanza,
                                                                       GCancellable        *cancellable,
                                                                       GAsyncReadyCallback  callback,
                                                                       gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_deliver_finish               (BoshClient    *self,
                                                                       GAsyncResult  *result,
                                                                       GError       **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_send_iq_async                (BoshClient          *self,
                                                                       BoshElement         *iq,
                                                                       int                  timeout,
                                                                       GCancellable        *cancellable,
                                                                       GAsyncReadyCallback  callback,
                                                                       gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
BoshElement                 *bosh_client_send_iq_finish               (BoshClient    *self,
                                                                       GAsyncResult  *result,
                                                                       GError       **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_retry_now                    (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_resend                       (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
GPtrArray                   *bosh_client_dup_unsent                   (BoshClient                   *self);

BOSH_AVAILABLE_IN_1_0
void                         bosh_client_prebind_async                (BoshClient          *self,
                                                                       const char          *username,
                                                                       const char          *password,
                                                                       const char          *resource,
                                                                       GCancellable        *cancellable,
                                                                       GAsyncReadyCallback  callback,
                                                                       gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
BoshSavedSession            *bosh_client_prebind_finish               (BoshClient    *self,
                                                                       GAsyncResult  *result,
                                                                       GError       **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_attach_async                 (BoshClient          *self,
                                                                       BoshSavedSession    *session,
                                                                       GCancellable        *cancellable,
                                                                       GAsyncReadyCallback  callback,
                                                                       gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_attach_finish                (BoshClient    *self,
                                                                       GAsyncResult  *result,
                                                                       GError       **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_detach_async                 (BoshClient          *self,
                                                                       GCancellable        *cancellable,
                                                                       GAsyncReadyCallback  callback,
                                                                       gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
BoshSavedSession            *bosh_client_detach_finish                (BoshClient    *self,
                                                                       GAsyncResult  *result,
                                                                       GError       **error);
BOSH_AVAILABLE_IN_1_0
BoshSavedSession            *bosh_client_save                         (BoshClient  *self,
                                                                       GError     **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_pause_async                  (BoshClient          *self,
                                                                       guint                seconds,
                                                                       GCancellable        *cancellable,
                                                                       GAsyncReadyCallback  callback,
                                                                       gpointer             user_data);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_pause_finish                 (BoshClient    *self,
                                                                       GAsyncResult  *result,
                                                                       GError       **error);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_resume                       (BoshClient                   *self);

BOSH_AVAILABLE_IN_1_0
const char                  *bosh_client_get_domain                   (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
BoshConnectionConfiguration *bosh_client_get_configuration            (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
BoshConnection              *bosh_client_get_connection               (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
BoshClientState              bosh_client_get_state                    (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_client_get_jid                      (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_client_get_mechanism                (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
const char                  *bosh_client_get_status                   (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
const GError                *bosh_client_get_last_error               (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
gint64                       bosh_client_get_next_attempt             (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
GTlsCertificate             *bosh_client_get_tls_peer_certificate     (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
GTlsCertificateFlags         bosh_client_get_tls_peer_certificate_errors (BoshClient                *self);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_get_allow_plaintext_password (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_set_allow_plaintext_password (BoshClient *self,
                                                                       gboolean    allow_plaintext_password);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_get_pipeline_login           (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_set_pipeline_login           (BoshClient *self,
                                                                       gboolean    pipeline_login);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_get_use_sasl2                (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_set_use_sasl2                (BoshClient *self,
                                                                       gboolean    use_sasl2);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_get_auto_reconnect           (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_set_auto_reconnect           (BoshClient *self,
                                                                       gboolean    auto_reconnect);
BOSH_AVAILABLE_IN_1_0
gboolean                     bosh_client_get_retry_connect            (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_set_retry_connect            (BoshClient                   *self,
                                                                       gboolean                      retry_connect);
BOSH_AVAILABLE_IN_1_0
guint                        bosh_client_get_max_reconnect_attempts   (BoshClient                   *self);
BOSH_AVAILABLE_IN_1_0
void                         bosh_client_set_max_reconnect_attempts   (BoshClient *self,
                                                                       guint       max_reconnect_attempts);

G_END_DECLS
