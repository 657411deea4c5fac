/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-connection-internal.h"

#include "bosh-error.h"
#include "bosh-i18n-private.h"

/* TRUE if @task has returned, with an error. */
static gboolean
is_hopeless (BoshConnection *self,
             GTask          *task)
{
  GError *error = NULL;

  if (g_task_return_error_if_cancelled (task))
    return TRUE;
  if (connection_check_session (self, &error))
    return FALSE;

  g_task_return_error (task, error);

  return TRUE;
}

/* Waits for what has the number @serial; or returns @error, which it takes. */
static void
wait_for (BoshConnection *self,
          GTask          *task,
          guint64         serial,
          GError         *error)
{
  if (error != NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  bosh_pending_tasks_add (self->tasks, g_object_ref (task), serial, self->context);
  connection_wake (self);
}

void
connection_close_stream (BoshConnection *self,
                         const char     *name,
                         guint64         serial,
                         const GError   *error)
{
  if (name == NULL)
    {
      bosh_pending_tasks_fail_one (self->tasks, bosh_connection_open_stream_async, serial, error);
      return;
    }

  bosh_pending_tasks_succeed_one (self->tasks, bosh_connection_close_stream_async, serial);
  connection_emit_stream_closed (self, name, error);
}

/**
 * bosh_connection_open_stream_async:
 * @self: an open connection
 * @domain: the XMPP domain to talk to on the new stream
 * @cancellable: (nullable): to stop waiting; the stream may be opened all the
 *   same
 * @callback: (scope async): called when the server has named the stream
 * @user_data: data for @callback
 *
 * Opens another XMPP stream in the same session, so that a program talks to
 * several domains, or for several users, with the requests of one (XEP-0124
 * §16.3).
 *
 * A connection manager tells when the session is created whether it can do
 * that: [method@Bosh.Connection.dup_streams] is empty where it can't. Prosody
 * and ejabberd can't.
 *
 * What arrives on the stream is given by
 * [signal@Bosh.Connection::stream-stanza], the features of the new stream
 * first. To authenticate and to bind a resource is left to the application:
 * [class@Bosh.Client] logs in on the first stream.
 *
 * Since: 1.0
 */
void
bosh_connection_open_stream_async (BoshConnection      *self,
                                   const char          *domain,
                                   GCancellable        *cancellable,
                                   GAsyncReadyCallback  callback,
                                   gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  GError *error = NULL;
  guint64 serial = 0;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (domain != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_open_stream_async);

  if (is_hopeless (self, task))
    return;

  bosh_session_open_stream (self->session, domain, NULL, &serial, &error);
  wait_for (self, task, serial, error);
}

/**
 * bosh_connection_open_stream_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.open_stream_async].
 *
 * The error is `BOSH_ERROR_NOT_SUPPORTED` if the connection manager has one
 * stream in a session only, `BOSH_ERROR_TOO_LARGE` after 256 streams in one
 * session, and the terminal condition that the connection manager gave if it
 * could not open the stream.
 *
 * Returns: (transfer full): the name of the stream
 *
 * Since: 1.0
 */
char *
bosh_connection_open_stream_finish (BoshConnection  *self,
                                    GAsyncResult    *result,
                                    GError         **error)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_task_get_source_tag (G_TASK (result)) ==
                          bosh_connection_open_stream_async,
                        NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * bosh_connection_close_stream_async:
 * @self: an open connection
 * @stream: the name of an open stream, the first or another
 * @last_payload: (nullable): an element to go with the end
 * @cancellable: (nullable): to stop waiting; the stream is closed all the same
 * @callback: (scope async): called when the server has answered
 * @user_data: data for @callback
 *
 * Closes one stream after all that is queued for it was sent (XEP-0124 §16.5).
 * What the server sends on it until then still arrives.
 *
 * The last open stream takes the session with it, as
 * [method@Bosh.Connection.disconnect_async] does.
 *
 * Since: 1.0
 */
void
bosh_connection_close_stream_async (BoshConnection      *self,
                                    const char          *stream,
                                    BoshElement         *last_payload,
                                    GCancellable        *cancellable,
                                    GAsyncReadyCallback  callback,
                                    gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  GError *error = NULL;
  guint64 serial = 0;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (stream != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_close_stream_async);

  if (is_hopeless (self, task))
    return;

  if (bosh_session_close_stream (self->session, stream, last_payload, &serial, &error) && serial == 0)
    self->leaving = TRUE;
  wait_for (self, task, serial, error);
}

/**
 * bosh_connection_close_stream_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.close_stream_async].
 *
 * The error is `BOSH_ERROR_NOT_CONNECTED` if no stream of that name is open.
 *
 * Returns: `TRUE` if the stream was closed
 *
 * Since: 1.0
 */
gboolean
bosh_connection_close_stream_finish (BoshConnection  *self,
                                     GAsyncResult    *result,
                                     GError         **error)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_task_get_source_tag (G_TASK (result)) ==
                          bosh_connection_close_stream_async,
                        FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * bosh_connection_restart_stream_async:
 * @self: an open connection
 * @stream: the name of an open stream
 * @cancellable: (nullable): to stop waiting
 * @callback: (scope async): called when the server has answered
 * @user_data: data for @callback
 *
 * Restarts one stream, as must be done after SASL has succeeded on it (XEP-0206
 * §5). The new features come as an element of that stream.
 *
 * Since: 1.0
 */
void
bosh_connection_restart_stream_async (BoshConnection      *self,
                                      const char          *stream,
                                      GCancellable        *cancellable,
                                      GAsyncReadyCallback  callback,
                                      gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  GError *error = NULL;
  guint64 serial = 0;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (stream != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_restart_stream_async);

  if (is_hopeless (self, task))
    return;

  bosh_session_restart_stream (self->session, stream, &serial, &error);
  wait_for (self, task, serial, error);
}

/**
 * bosh_connection_restart_stream_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.restart_stream_async].
 *
 * The error is `BOSH_ERROR_NOT_CONNECTED` if no stream of that name is open.
 *
 * Returns: `TRUE` if the stream was restarted
 *
 * Since: 1.0
 */
gboolean
bosh_connection_restart_stream_finish (BoshConnection  *self,
                                       GAsyncResult    *result,
                                       GError         **error)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_task_get_source_tag (G_TASK (result)) ==
                          bosh_connection_restart_stream_async,
                        FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * bosh_connection_send_to_stream:
 * @self: a connection
 * @stream: (nullable): the name of an open stream, or `NULL` for all of them
 * @element: (transfer none): what to send; it becomes immutable
 * @error: return location for an error
 *
 * Queues an element for one stream, or for every stream that is open when it
 * arrives at the server (XEP-0124 §16.4). [method@Bosh.Connection.send] is for
 * the first.
 *
 * The errors are those of [method@Bosh.Connection.send],
 * `BOSH_ERROR_NOT_SUPPORTED` if the connection manager has one stream in a
 * session only, and `BOSH_ERROR_NOT_CONNECTED` if no stream of that name is
 * open.
 *
 * Returns: `TRUE` if the element was queued
 *
 * Since: 1.0
 */
gboolean
bosh_connection_send_to_stream (BoshConnection  *self,
                                const char      *stream,
                                BoshElement     *element,
                                GError         **error)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (element != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!connection_check_session (self, error) ||
      !bosh_session_queue_to (self->session, element, stream, NULL, error))
    return FALSE;

  self->stanzas_sent++;
  connection_wake (self);

  return TRUE;
}

/**
 * bosh_connection_dup_streams:
 * @self: a connection
 *
 * Gets the names of the open streams, in the order in which they were opened
 * (XEP-0124 §16).
 *
 * Returns: (transfer full) (array zero-terminated=1): the names; there is none
 *   before the session is open, and where the connection manager has one stream
 *   in a session only
 *
 * Since: 1.0
 */
char **
bosh_connection_dup_streams (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->session != NULL ? bosh_session_dup_streams (self->session) : g_new0 (char *, 1);
}
