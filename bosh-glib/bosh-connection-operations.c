/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-connection-internal.h"

#include "bosh-saved-session-private.h"
#include "bosh-session-save-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"

#include <string.h>
#include <unistd.h>

/**
 * bosh_connection_new:
 * @domain: the XMPP domain to talk to
 * @configuration: (nullable): where the connection manager is, and what to ask
 *   of it; `NULL` for the defaults on the host @domain
 *
 * Makes a connection that is not open yet.
 *
 * Returns: (transfer full): a new connection
 *
 * Since: 1.0
 */
BoshConnection *
bosh_connection_new (const char                  *domain,
                     BoshConnectionConfiguration *configuration)
{
  g_return_val_if_fail (domain != NULL, NULL);
  g_return_val_if_fail (configuration == NULL || BOSH_IS_CONNECTION_CONFIGURATION (configuration),
                        NULL);

  return g_object_new (BOSH_TYPE_CONNECTION,
                       "domain", domain,
                       "configuration", configuration,
                       NULL);
}

/* The language of the user, as XML names it. */
static char *
dup_language (BoshConnection *self)
{
  const char *configured = bosh_connection_configuration_get_language (self->configuration);
  const char * const *names = g_get_language_names ();
  char *language;

  if (configured != NULL)
    return g_strdup (configured);

  if (names[0] == NULL || g_str_has_prefix (names[0], "C") || names[0][0] == 'P')
    return g_strdup ("en");

  language = g_strdup (names[0]);
  language[strcspn (language, ".@")] = '\0';

  return g_strdelimit (language, "_", '-');
}

static void
open_session (BoshConnection            *self,
              const BoshSessionSnapshot *saved)
{
  BoshConnectionConfiguration *configuration = self->configuration;
  g_autofree char *language = dup_language (self);
  g_autofree char *uri = bosh_connection_configuration_to_uri (configuration);
  BoshSessionParameters parameters = {
    .domain = self->domain,
    .route = bosh_connection_configuration_get_route (configuration),
    .from = bosh_connection_configuration_get_from_jid (configuration),
    .language = language,
    .content = bosh_connection_configuration_get_response_content_type (configuration),
    .uri = uri,
    .compress_requests = bosh_connection_configuration_get_compress_requests (configuration),
    .wait = bosh_connection_configuration_get_wait (configuration),
    .hold = bosh_connection_configuration_get_hold (configuration),
    .use_acknowledgements = bosh_connection_configuration_get_use_acknowledgements (configuration),
    .use_key_sequence = bosh_connection_configuration_get_use_key_sequence (configuration),
    .key_sequence_length = bosh_connection_configuration_get_key_sequence_length (configuration),
    .max_request_size = bosh_connection_configuration_get_max_request_size (configuration),
  };

  if (getentropy (parameters.entropy, sizeof parameters.entropy) != 0)
    g_error ("No randomness: %s", g_strerror (errno));

  connection_start (self);
  self->session = saved != NULL ? bosh_session_new_from_snapshot (saved, &parameters)
                                : bosh_session_new (&parameters);
  explicit_bzero (parameters.entropy, sizeof parameters.entropy);
}

/* Returns an error through @task where the connection was used before. */
static gboolean
check_unused (BoshConnection *self,
              GTask          *task)
{
  if (g_task_return_error_if_cancelled (task))
    return FALSE;

  if (self->session == NULL)
    return TRUE;

  g_task_return_new_error (task, BOSH_ERROR, BOSH_ERROR_FAILED,
                           _("The connection was opened before"));

  return FALSE;
}

gboolean
connection_check_session (BoshConnection  *self,
                          GError         **error)
{
  if (self->session != NULL)
    return TRUE;

  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                       _("There is no session yet"));

  return FALSE;
}

static gboolean
finish_boolean (BoshConnection  *self,
                GAsyncResult    *result,
                gpointer         tag,
                GError         **error)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_task_get_source_tag (G_TASK (result)) == tag, FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * bosh_connection_connect_async:
 * @self: a connection that was not opened before
 * @cancellable: (nullable): to give up; the connection is closed then
 * @callback: (scope async): called when the session is open, or failed
 * @user_data: data for @callback
 *
 * Opens a session (XEP-0124 §7).
 *
 * The thread-default main context of the caller becomes that of the
 * connection.
 *
 * Since: 1.0
 */
void
bosh_connection_connect_async (BoshConnection      *self,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_connect_async);

  if (!check_unused (self, task))
    return;

  open_session (self, NULL);
  bosh_pending_tasks_add (self->tasks, g_steal_pointer (&task), 0, self->context);
  bosh_session_open (self->session, g_get_monotonic_time ());
  connection_drain (self);
}

/**
 * bosh_connection_connect_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.connect_async].
 *
 * The error is one of [error@Bosh.Error] where the connection manager refused
 * or is none, of `GIOErrorEnum` or `GResolverError` where it can't be reached.
 * The connection is closed then.
 *
 * Returns: `TRUE` if the session is open
 *
 * Since: 1.0
 */
gboolean
bosh_connection_connect_finish (BoshConnection  *self,
                                GAsyncResult    *result,
                                GError         **error)
{
  return finish_boolean (self, result, bosh_connection_connect_async, error);
}

/**
 * bosh_connection_attach_async:
 * @self: a connection that was not opened before
 * @session: the session to go on with
 * @cancellable: (nullable): to give up; the connection is closed then, without
 *   a word to the server
 * @callback: (scope async): called when the session is open, or failed
 * @user_data: data for @callback
 *
 * Goes on with a session that was handed over.
 *
 * Requests that were not answered before are repeated first, byte by byte
 * (XEP-0124 §14.3). The operation completes when the server has answered one,
 * or holds it for a second: a session that it does not know it would refuse at
 * once.
 *
 * A session has one owner: what another one sends in it ends it.
 *
 * Since: 1.0
 */
void
bosh_connection_attach_async (BoshConnection      *self,
                              BoshSavedSession    *session,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  const BoshSessionSnapshot *saved;
  const char *domain;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (BOSH_IS_SAVED_SESSION (session));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_attach_async);

  if (!check_unused (self, task))
    return;

  saved = bosh_saved_session_get_saved (session);
  if (saved->session_id[0] == '\0')
    {
      g_task_return_new_error (task, BOSH_ERROR, BOSH_ERROR_INVALID_DATA, "%s",
                               _("The saved session has no session id"));
      return;
    }

  domain = self->domain != NULL ? self->domain : "";
  if (g_ascii_strcasecmp (saved->domain, domain) != 0)
    {
      g_task_return_new_error (task, BOSH_ERROR, BOSH_ERROR_INVALID_DATA,
                               _("The session belongs to the domain %s, not %s"),
                               saved->domain, domain);
      return;
    }

  open_session (self, saved);
  bosh_connection_set_jid (self, bosh_saved_session_get_jid (session));
  bosh_transport_add_cookies (self->transport, bosh_saved_session_get_cookies (session));
  bosh_pending_tasks_add (self->tasks, g_steal_pointer (&task), 0, self->context);
  bosh_session_open (self->session, g_get_monotonic_time ());
  connection_drain (self);
}

/**
 * bosh_connection_attach_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.attach_async].
 *
 * `BOSH_ERROR_ITEM_NOT_FOUND` means that the server does not know the session
 * any more.
 *
 * Returns: `TRUE` if the session goes on here
 *
 * Since: 1.0
 */
gboolean
bosh_connection_attach_finish (BoshConnection  *self,
                               GAsyncResult    *result,
                               GError         **error)
{
  return finish_boolean (self, result, bosh_connection_attach_async, error);
}

/**
 * bosh_connection_restart_async:
 * @self: an open connection
 * @cancellable: (nullable): to stop waiting
 * @callback: (scope async): called when the server has answered
 * @user_data: data for @callback
 *
 * Restarts the XMPP stream inside the session, as must be done after SASL has
 * succeeded (XEP-0206 §5). The new features come as an element.
 *
 * [class@Bosh.Client] does it by itself.
 *
 * Since: 1.0
 */
void
bosh_connection_restart_async (BoshConnection      *self,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  g_autoptr(GError) error = NULL;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_restart_async);

  if (g_task_return_error_if_cancelled (task))
    return;

  if (!connection_check_session (self, &error) || !bosh_session_restart (self->session, self->jid, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  bosh_pending_tasks_add (self->tasks, g_steal_pointer (&task), 0, self->context);
  connection_wake (self);
}

/**
 * bosh_connection_restart_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.restart_async].
 *
 * Returns: `TRUE` if the stream was restarted
 *
 * Since: 1.0
 */
gboolean
bosh_connection_restart_finish (BoshConnection  *self,
                                GAsyncResult    *result,
                                GError         **error)
{
  return finish_boolean (self, result, bosh_connection_restart_async, error);
}

static gboolean
queue (BoshConnection  *self,
       BoshElement     *element,
       guint64         *serial,
       GError         **error)
{
  if (!connection_check_session (self, error) ||
      !bosh_session_queue (self->session, element, serial, error))
    return FALSE;

  self->stanzas_sent++;
  connection_wake (self);

  return TRUE;
}

/**
 * bosh_connection_send:
 * @self: a connection
 * @element: (transfer none): what to send; it becomes immutable
 * @error: return location for an error
 *
 * Queues an element, to be sent with the next request. An element without a
 * namespace goes out in `jabber:client`.
 *
 * It is repeated until the server has it. If the session ends before that is
 * known, [method@Bosh.Connection.dup_undelivered] or
 * [method@Bosh.Connection.dup_unsent] has it.
 *
 * The error is `BOSH_ERROR_NOT_CONNECTED` before the session is opened and
 * after its end, `BOSH_ERROR_DETACHED` when it was or is being handed over,
 * `BOSH_ERROR_TOO_LARGE` if the element does not fit into a request, and
 * `BOSH_ERROR_INVALID_STANZA` if it can't be written as XML. Nothing was
 * queued then.
 *
 * Returns: `TRUE` if the element was queued
 *
 * Since: 1.0
 */
gboolean
bosh_connection_send (BoshConnection  *self,
                      BoshElement     *element,
                      GError         **error)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (element != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return queue (self, element, NULL, error);
}

/**
 * bosh_connection_deliver_async:
 * @self: a connection
 * @element: what to send; it becomes immutable
 * @cancellable: (nullable): to stop waiting; the element is sent all the same
 * @callback: (scope async): called when the server has the element
 * @user_data: data for @callback
 *
 * Sends like [method@Bosh.Connection.send], and completes when the server has
 * the element. That it reached its recipient is another matter (XEP-0124 §8).
 *
 * Since: 1.0
 */
void
bosh_connection_deliver_async (BoshConnection      *self,
                               BoshElement         *element,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  g_autoptr(GError) error = NULL;
  guint64 serial;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (element != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_deliver_async);

  if (g_task_return_error_if_cancelled (task))
    return;

  if (!queue (self, element, &serial, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  bosh_session_hasten (self->session);
  bosh_pending_tasks_add (self->tasks, g_steal_pointer (&task), serial, self->context);
}

/**
 * bosh_connection_deliver_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.deliver_async].
 *
 * Returns: `TRUE` if the server has the element
 *
 * Since: 1.0
 */
gboolean
bosh_connection_deliver_finish (BoshConnection  *self,
                                GAsyncResult    *result,
                                GError         **error)
{
  return finish_boolean (self, result, bosh_connection_deliver_async, error);
}

/**
 * bosh_connection_pause_async:
 * @self: an open connection
 * @seconds: for how long, at most [property@Bosh.Connection:max-pause]; more is
 *   taken as that
 * @cancellable: (nullable): to resume at once
 * @callback: (scope async): called when the pause is in force
 * @user_data: data for @callback
 *
 * Pauses the session: no request is open, and the server keeps what arrives
 * (XEP-0124 §10). For a program that can't do I/O for a while.
 *
 * The pause ends with [method@Bosh.Connection.resume], with the next element
 * that is sent, and by itself shortly before the server would drop the
 * session.
 *
 * Since: 1.0
 */
void
bosh_connection_pause_async (BoshConnection      *self,
                             guint                seconds,
                             GCancellable        *cancellable,
                             GAsyncReadyCallback  callback,
                             gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  g_autoptr(GError) error = NULL;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (seconds > 0);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_pause_async);

  if (g_task_return_error_if_cancelled (task))
    return;

  if (!connection_check_session (self, &error) || !bosh_session_pause (self->session, seconds, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  bosh_pending_tasks_add (self->tasks, g_steal_pointer (&task), 0, self->context);
  connection_wake (self);
}

/**
 * bosh_connection_pause_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.pause_async]. The error is
 * `BOSH_ERROR_NOT_SUPPORTED` if the connection manager allows no pause.
 *
 * Returns: `TRUE` if the session is paused
 *
 * Since: 1.0
 */
gboolean
bosh_connection_pause_finish (BoshConnection  *self,
                              GAsyncResult    *result,
                              GError         **error)
{
  return finish_boolean (self, result, bosh_connection_pause_async, error);
}

/**
 * bosh_connection_resume:
 * @self: a connection
 *
 * Ends a pause; nothing happens if there is none.
 *
 * Since: 1.0
 */
void
bosh_connection_resume (BoshConnection *self)
{
  g_return_if_fail (BOSH_IS_CONNECTION (self));

  if (self->session == NULL)
    return;

  bosh_session_resume (self->session);
  connection_wake (self);
}

/**
 * bosh_connection_disconnect_async:
 * @self: an open connection
 * @last_payload: (nullable): an element to go with the end, which needs no
 *   answer, such as unavailable presence
 * @cancellable: (nullable): to end at once, without waiting for the server
 * @callback: (scope async): called when the session has ended
 * @user_data: data for @callback
 *
 * Ends the session (XEP-0124 §13), after all that is queued was sent.
 *
 * The server is given a bounded time to confirm; the connection is closed in
 * any case.
 *
 * Since: 1.0
 */
void
bosh_connection_disconnect_async (BoshConnection      *self,
                                  BoshElement         *last_payload,
                                  GCancellable        *cancellable,
                                  GAsyncReadyCallback  callback,
                                  gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  g_autoptr(GError) error = NULL;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_disconnect_async);

  if (!connection_check_session (self, &error) ||
      !bosh_session_terminate (self->session, last_payload, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  self->leaving = TRUE;

  bosh_pending_tasks_add (self->tasks, g_steal_pointer (&task), 0, self->context);
  connection_wake (self);
}

/**
 * bosh_connection_disconnect_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.disconnect_async].
 *
 * An error means that the server did not confirm, so that the fate of what was
 * sent last is unknown: see [method@Bosh.Connection.dup_undelivered].
 *
 * Returns: `TRUE` if the server ended the session
 *
 * Since: 1.0
 */
gboolean
bosh_connection_disconnect_finish (BoshConnection  *self,
                                   GAsyncResult    *result,
                                   GError         **error)
{
  return finish_boolean (self, result, bosh_connection_disconnect_async, error);
}

/**
 * bosh_connection_detach:
 * @self: an open connection
 *
 * Leaves the session to somebody else, at once: all I/O stops, and the session
 * lives on in the server until its time of inactivity is over.
 *
 * What the server was about to answer is not waited for, and what was queued
 * is not sent: [method@Bosh.Connection.dup_undelivered] and
 * [method@Bosh.Connection.dup_unsent] have it.
 * [method@Bosh.Connection.detach_async] loses nothing.
 *
 * Operations that wait fail with `BOSH_ERROR_DETACHED`.
 *
 * Returns: the request id to go on with, one above the last that was sent
 *   (XEP-0124 §14.1), or 0 if there is no session
 *
 * Since: 1.0
 */
guint64
bosh_connection_detach (BoshConnection *self)
{
  g_autoptr(GError) error = NULL;
  guint64 next;

  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  if (bosh_connection_get_session_id (self) == NULL ||
      bosh_session_get_state (self->session) == BOSH_SESSION_CLOSED)
    return 0;

  /* Also while detach_async() is about to give its result. */
  if (bosh_session_get_state (self->session) == BOSH_SESSION_DETACHED)
    return bosh_session_get_last_rid (self->session) + 1;

  g_object_ref (self);
  next = bosh_session_detach (self->session);
  connection_stop (self);
  connection_drain (self);
  error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_DETACHED, _("The session was handed over"));
  bosh_pending_tasks_fail (self->tasks, error);
  g_object_unref (self);

  return next;
}

/**
 * bosh_connection_detach_async:
 * @self: an open connection
 * @cancellable: (nullable): to keep the session after all
 * @callback: (scope async): called when the session can go on elsewhere
 * @user_data: data for @callback
 *
 * Leaves the session to somebody else without losing anything.
 *
 * Nothing more can be sent. What is queued is sent, and the server's answers
 * are awaited, until one request at most is out, which the server has and
 * holds. That one is closed, and its number is the first that the new owner
 * sends: the server answers the repeat with what it meant for the first
 * (XEP-0124 §14.3), so what arrives meanwhile is kept. If the server can't be
 * reached, the result is given after a while with the unanswered requests in
 * it.
 *
 * Since: 1.0
 */
void
bosh_connection_detach_async (BoshConnection      *self,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  g_autoptr(GError) error = NULL;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_detach_async);

  if (g_task_return_error_if_cancelled (task))
    return;

  if (!connection_check_session (self, &error) || !bosh_session_hand_over (self->session, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  self->leaving = TRUE;

  bosh_pending_tasks_add (self->tasks, g_steal_pointer (&task), 0, self->context);
  connection_wake (self);
}

/**
 * bosh_connection_detach_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.detach_async].
 *
 * Returns: (transfer full): everything needed to go on with the session
 *
 * Since: 1.0
 */
BoshSavedSession *
bosh_connection_detach_finish (BoshConnection  *self,
                               GAsyncResult    *result,
                               GError         **error)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_task_get_source_tag (G_TASK (result)) == bosh_connection_detach_async,
                        NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
