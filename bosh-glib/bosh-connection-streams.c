/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-connection-internal.h"

#include "bosh-domain-private.h"
#include "bosh-stanza-id-private.h"

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
 * A connection manager tells when the session is created whether it supports
 * that: [method@Bosh.Connection.dup_streams] is empty if it does not. Prosody and
 * ejabberd do not.
 *
 * [signal@Bosh.Connection::stream-stanza] is emitted for what arrives on the
 * stream, the features of the new stream first. The application has to
 * authenticate and to bind a resource: [class@Bosh.Client] logs in on the first
 * stream only.
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
  g_autofree char *prepared = NULL;
  GError *error = NULL;
  guint64 serial = 0;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (domain != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_open_stream_async);
  if (!connection_begin_task (self, task, PENDING_OPEN_STREAM))
    return;

  prepared = bosh_domain_prepare (domain, &error);
  if (prepared != NULL)
    bosh_session_open_stream (self->session, prepared, NULL, &serial, &error);
  connection_await (self, g_steal_pointer (&task), serial, error);
}

/**
 * bosh_connection_open_stream_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.open_stream_async].
 *
 * The error is `BOSH_ERROR_NOT_SUPPORTED` if the connection manager allows only
 * one stream in a session, `BOSH_ERROR_TOO_LARGE` after 256 streams in one
 * session, `BOSH_ERROR_INVALID_JID` if the domain is none, and the terminal condition
 * that the connection manager gave if it could not open the stream.
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
  g_return_val_if_fail (g_async_result_is_tagged (result, bosh_connection_open_stream_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * bosh_connection_close_stream_async:
 * @self: an open connection
 * @stream: the name of an open stream, the first or another
 * @last_payload: (nullable): an element to go with the end
 * @cancellable: (nullable): to stop waiting; the stream is closed all the same
 * @callback: (scope async): called when the server has responded
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
  g_autoptr(BoshElement) payload = NULL;
  GError *error = NULL;
  guint64 serial = 0;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (stream != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_close_stream_async);
  if (!connection_begin_task (self, task, PENDING_CLOSE_STREAM))
    return;

  /* The last stream takes the session with it. */
  if (last_payload != NULL)
    payload = bosh_stanza_id_ensure (last_payload);
  if (bosh_session_close_stream (self->session, stream, payload, &serial, &error) &&
      serial == 0)
    self->is_leaving = TRUE;
  connection_await (self, g_steal_pointer (&task), serial, error);
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
  return connection_finish_boolean (self, result, bosh_connection_close_stream_async, error);
}

/**
 * bosh_connection_restart_stream_async:
 * @self: an open connection
 * @stream: the name of an open stream
 * @cancellable: (nullable): to stop waiting; the stream is restarted all the same
 * @callback: (scope async): called when the server has responded
 * @user_data: data for @callback
 *
 * Restarts one stream, as must be done after SASL has succeeded on it (XEP-0206
 * §5). The new features arrive as an element of that stream.
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
  if (!connection_begin_task (self, task, PENDING_RESTART_STREAM))
    return;

  bosh_session_restart_stream (self->session, stream, &serial, &error);
  connection_await (self, g_steal_pointer (&task), serial, error);
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
  return connection_finish_boolean (self, result, bosh_connection_restart_stream_async, error);
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
 * the first stream.
 *
 * The errors are those of [method@Bosh.Connection.send],
 * `BOSH_ERROR_NOT_SUPPORTED` if the connection manager allows only one stream in
 * a session, and `BOSH_ERROR_NOT_CONNECTED` if no stream of that name is open.
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
  g_autoptr(BoshElement) stanza = NULL;

  g_return_val_if_fail (BOSH_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (element != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!connection_check_session (self, error))
    return FALSE;
  stanza = bosh_stanza_id_ensure (element);
  if (!bosh_session_queue_to (self->session, stanza, stream, NULL, error))
    return FALSE;

  self->n_stanzas_sent++;
  bosh_session_driver_wake (self->driver);

  return TRUE;
}

/**
 * bosh_connection_dup_streams:
 * @self: a connection
 *
 * Gets the names of the open streams, in the order in which they were opened
 * (XEP-0124 §16).
 *
 * Returns: (transfer full) (array zero-terminated=1): the names; none before the
 *   session is open, and none if the connection manager allows only one stream in
 *   a session
 *
 * Since: 1.0
 */
char **
bosh_connection_dup_streams (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->session != NULL ? bosh_session_dup_streams (self->session) : g_new0 (char *, 1);
}
