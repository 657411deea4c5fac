/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the files of BoshConnection share. Each of them calls only those that stand
 * before it:
 *
 *   bosh-connection.c             the object, its properties and signals, and what
 *                                 the session driver reports
 *   bosh-connection-operations.c  opening, sending, pausing, ending, handing over
 *   bosh-connection-streams.c     several streams in one session (XEP-0124 §16)
 *
 * What the rest of the library calls is in bosh-connection-private.h. */

#pragma once

#include "bosh-connection-private.h"
#include "bosh-pending-tasks-private.h"
#include "bosh-session-driver-private.h"

G_BEGIN_DECLS

/* The operations, as kinds of pending tasks. */
typedef enum
{
  PENDING_CONNECT,
  PENDING_ATTACH,
  PENDING_RESTART,
  PENDING_DELIVER,
  PENDING_PAUSE,
  PENDING_DISCONNECT,
  PENDING_DETACH,
  PENDING_OPEN_STREAM,
  PENDING_CLOSE_STREAM,
  PENDING_RESTART_STREAM,
} PendingKind;

struct _BoshConnection
{
  GObject                      parent_instance;

  char                        *domain;
  BoshConnectionConfiguration *configuration;
  char                        *jid;               /* see bosh_connection_set_jid() */

  BoshConnectionState          state;
  BoshElement                 *features;
  GError                      *close_error;

  /* As they were last notified. */
  GTlsCertificate             *tls_peer_certificate;
  GTlsCertificateFlags         tls_peer_certificate_errors;

  /* Both are NULL until the connection is opened. */
  BoshSessionDriver           *driver;
  BoshSession                 *session;           /* of the driver */

  BoshPendingTasks            *tasks;

  gboolean                     was_opened;
  /* The application has asked to end the session, or to hand it over. */
  gboolean                     is_leaving;
  /* See bosh_connection_set_logging_in(). */
  gboolean                     is_logging_in;

  /* See bosh_connection_set_client(). */
  BoshOwner                   *client;  /* nullable */
  const BoshConnectionClientFuncs *client_funcs;
  gpointer                     client_data;

  guint64                      n_stanzas_sent;
  guint64                      n_stanzas_received;
  guint64                      n_stanzas_left_out;

  /* The values of properties when they were last notified. The session changes them
   * by itself, so they are compared. */
  struct
  {
    guint64 request_id;
    guint   http_status;
    char   *see_other_uri;
    guint   n_stanzas_queued;
    guint64 n_stanzas_sent;
    guint64 n_stanzas_received;
    guint64 n_requests_sent;
    guint64 n_requests_repeated;
  } notified;
};

/* Makes the driver of @session (transfer full). The thread-default main context
 * becomes that of the connection. */
void              connection_take_session   (BoshConnection *self,
                                             BoshSession    *session);

/* The session id is known, with all that was granted. */
void              connection_notify_granted (BoshConnection *self);

/* FALSE, with an error, where no session was ever opened. */
gboolean          connection_check_session  (BoshConnection  *self,
                                             GError         **error);
/* FALSE, with an error, while a login is under way. */
gboolean          connection_check_no_login (BoshConnection  *self,
                                             GError         **error);
/* What it takes to go on with the session as it is now; it must have an id. */
BoshSavedSession *connection_dup_saved      (BoshConnection *self);

/* Each operation makes its task, and begins with this one. FALSE if the task has
 * returned an error, because it was cancelled before, or because the connection
 * has no session, or already has one. */
gboolean          connection_begin_task     (BoshConnection *self,
                                             GTask          *task,
                                             PendingKind     kind);
/* And ends with this one, which takes @task and @error. The task returns @error if
 * that is set, or waits until the session reports its result. @serial is the number
 * that the session gave, or 0. */
void              connection_await          (BoshConnection *self,
                                             GTask          *task,
                                             guint64         serial,
                                             GError         *error);
gboolean          connection_finish_boolean (BoshConnection  *self,
                                             GAsyncResult    *result,
                                             gpointer         tag,
                                             GError         **error);

G_END_DECLS
