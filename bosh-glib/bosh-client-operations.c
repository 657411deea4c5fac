/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-client-private.h"

#include "bosh-element-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-stanza-id-private.h"

/* For a request of which the application does not say it, in seconds. */
#define IQ_TIMEOUT 60

static gboolean
finish_boolean (BoshClient    *self,
                GAsyncResult  *result,
                gpointer       source_tag,
                GError       **error)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, source_tag), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* --- Opening and ending the session --- */

/**
 * bosh_client_connect_async:
 * @self: a client
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the session is open
 * @user_data: data for @callback
 *
 * Opens a session (XEP-0124 §7). It is complete when the session is open and
 * the features of the server are known, for which the client waits at most 30
 * seconds (XEP-0206 §4).
 *
 * If the configuration has no address, the client first asks the domain where its
 * connection managers are (XEP-0156), and takes the first of them. Until then the
 * connection has no session, and nothing can be queued.
 *
 * Where no session can be opened, that is the end of the client, unless
 * [property@Bosh.Client:retry-connect] is set. A client connects once: after a failure, and
 * after the end, make a new one.
 * Cancelling ends the session.
 *
 * Since: 1.0
 */
void
bosh_client_connect_async (BoshClient          *self,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_client_connect_async);
  bosh_client_driver_connect (client_get_driver (self), NULL, task);
}

/**
 * bosh_client_connect_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Client.connect_async].
 *
 * The errors are those of [method@Bosh.Connection.connect_async];
 * `BOSH_ERROR_TIMED_OUT` where the server sent no features; and where the domain
 * was asked for the address, those of [method@Bosh.Discovery.lookup_async], such
 * as `BOSH_ERROR_DISCOVERY_FAILED`. If several addresses were tried, the message names
 * each of them.
 *
 * Returns: `TRUE` if the session is open
 *
 * Since: 1.0
 */
gboolean
bosh_client_connect_finish (BoshClient    *self,
                            GAsyncResult  *result,
                            GError       **error)
{
  return finish_boolean (self, result, bosh_client_connect_async, error);
}

/**
 * bosh_client_disconnect_async:
 * @self: a client
 * @cancellable: (nullable): to end at once, without waiting for the server
 * @callback: (scope async): called when the session has ended
 * @user_data: data for @callback
 *
 * Ends the session (XEP-0124 §13), as
 * [method@Bosh.Connection.disconnect_async] does. A client that is logged in sends
 * an unavailable presence with the end (RFC 6121 §4.5).
 *
 * The state is `DISCONNECTING` until the session has ended. Connecting or a login
 * that is under way fails with `BOSH_ERROR_NOT_CONNECTED`. A client that is
 * reconnecting gives that up, and is `CLOSED` at once.
 *
 * Since: 1.0
 */
void
bosh_client_disconnect_async (BoshClient          *self,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_client_disconnect_async);
  bosh_client_driver_disconnect (client_get_driver (self), task);
}

/**
 * bosh_client_disconnect_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Client.disconnect_async]. The errors are those of
 * [method@Bosh.Connection.disconnect_async].
 *
 * Returns: `TRUE` if the session ended in good order
 *
 * Since: 1.0
 */
gboolean
bosh_client_disconnect_finish (BoshClient    *self,
                               GAsyncResult  *result,
                               GError       **error)
{
  return finish_boolean (self, result, bosh_client_disconnect_async, error);
}

/* --- Sending --- */

/**
 * bosh_client_send:
 * @self: a client
 * @stanza: what to send
 * @error: return location for an error
 *
 * Queues a stanza, as [method@Bosh.Connection.send] does, which gives it an `id` where
 * that is missing. It is sealed and can not be changed any more.
 *
 * While the client is reconnecting ([property@Bosh.Client:auto-reconnect]) the
 * stanza waits for the next session, and is sent there before the state changes to
 * `READY`. What is no message goes out at once from
 * [signal@Bosh.Client::session-renewed] on.
 *
 * [method@Bosh.Client.deliver_async] does the same, and tells when the server has
 * the stanza.
 *
 * Returns: `TRUE` if the stanza will be sent
 *
 * Since: 1.0
 */
gboolean
bosh_client_send (BoshClient   *self,
                  BoshElement  *stanza,
                  GError      **error)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (stanza != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return bosh_client_driver_send (client_get_driver (self), stanza, NULL, error);
}

/**
 * bosh_client_deliver_async:
 * @self: a client
 * @stanza: what to send
 * @cancellable: (nullable): to stop waiting; the stanza is sent all the same
 * @callback: (scope async): called when the server has the stanza
 * @user_data: data for @callback
 *
 * Sends like [method@Bosh.Client.send], and completes when the server has the
 * stanza. That it reached its recipient is another matter (XEP-0124 §8).
 *
 * The operation outlives the session where the stanza does: while the client is
 * reconnecting it waits for the next session, and a stanza that was lost and that
 * [signal@Bosh.Client::session-lost] has sent again, by its return value or by
 * [method@Bosh.Client.send], is waited for in the next session. A stanza that is
 * not sent again fails with the error of the loss.
 *
 * Since: 1.0
 */
void
bosh_client_deliver_async (BoshClient          *self,
                           BoshElement         *stanza,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  GError *error = NULL;

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (stanza != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_client_deliver_async);
  if (g_task_return_error_if_cancelled (task))
    return;

  if (bosh_client_driver_send (client_get_driver (self), stanza, task, &error))
    g_steal_pointer (&task);
  else
    g_task_return_error (task, error);
}

/**
 * bosh_client_deliver_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Client.deliver_async].
 *
 * The errors are those of [method@Bosh.Connection.send], and the error with which
 * the session ended: then [method@Bosh.Connection.dup_undelivered],
 * [method@Bosh.Connection.dup_unsent] or [method@Bosh.Client.dup_unsent] has the
 * stanza.
 *
 * Returns: `TRUE` if the server has the stanza
 *
 * Since: 1.0
 */
gboolean
bosh_client_deliver_finish (BoshClient    *self,
                            GAsyncResult  *result,
                            GError       **error)
{
  return finish_boolean (self, result, bosh_client_deliver_async, error);
}

/**
 * bosh_client_retry_now:
 * @self: a client
 *
 * Makes the attempt at once for which the client waits
 * ([property@Bosh.Client:next-attempt]), because a person asks for it. All attempts are
 * counted anew from then on. Nothing happens if the client does not wait.
 *
 * Since: 1.0
 */
void
bosh_client_retry_now (BoshClient *self)
{
  g_return_if_fail (BOSH_IS_CLIENT (self));

  bosh_client_driver_retry_now (client_get_driver (self));
}

/**
 * bosh_client_resend:
 * @self: a client
 *
 * Sends what a handler of [signal@Bosh.Client::session-renewed] holds back. Nothing
 * happens if nothing is held back.
 *
 * Since: 1.0
 */
void
bosh_client_resend (BoshClient *self)
{
  g_return_if_fail (BOSH_IS_CLIENT (self));

  bosh_client_driver_resend (client_get_driver (self));
}

/* The request, with an id that no other open request has. */
static BoshElement *
prepare_iq (BoshClient   *self,
            BoshElement  *iq,
            GError      **error)
{
  const char *type = bosh_element_get_attribute (iq, "type");
  const char *id = bosh_element_get_attribute (iq, "id");

  if (!bosh_element_matches_or_inherits (iq, "iq", BOSH_NS_CLIENT) ||
      (g_strcmp0 (type, "get") != 0 && g_strcmp0 (type, "set") != 0))
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_STANZA,
                           _("Only an iq of type get or set has a response"));
      return NULL;
    }

  if (id != NULL && bosh_client_driver_has_iq (client_get_driver (self), id))
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_STANZA,
                           _("Another request with the same id waits for its response"));
      return NULL;
    }

  return bosh_stanza_id_ensure (iq);
}

/**
 * bosh_client_send_iq_async:
 * @self: a client
 * @iq: an iq of type `get` or `set`
 * @timeout: how long to wait for the response, in seconds; -1 for the default of 60
 *   seconds, 0 for as long as the session lives
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the response has arrived
 * @user_data: data for @callback
 *
 * Sends a request and waits for its response (RFC 6120 §8.2.3).
 *
 * A request without an id gets one that cannot be guessed; if it is sealed
 * already, a copy is sent. The response is the one with the same id that comes
 * from the address to which the request went. A request without `to` goes to our
 * own account, for which the server responds (RFC 6120 §8.1.2.1).
 *
 * Cancelling stops the waiting; the request was sent all the same. While the
 * client is reconnecting, the request waits for the next session. A loss of the
 * session makes all requests fail that were sent in it.
 *
 * Since: 1.0
 */
void
bosh_client_send_iq_async (BoshClient          *self,
                           BoshElement         *iq,
                           int                  timeout,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  g_autoptr(BoshElement) request = NULL;
  GError *error = NULL;
  gint64 deadline = -1;

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (iq != NULL);
  g_return_if_fail (timeout >= -1);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_client_send_iq_async);
  if (g_task_return_error_if_cancelled (task))
    return;

  request = prepare_iq (self, iq, &error);
  if (request == NULL || !bosh_client_driver_send (client_get_driver (self), request, NULL, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  if (timeout == -1)
    timeout = IQ_TIMEOUT;
  if (timeout > 0)
    deadline = g_get_monotonic_time () + timeout * G_TIME_SPAN_SECOND;
  bosh_client_driver_add_iq (client_get_driver (self), request, deadline, g_steal_pointer (&task));
}

/**
 * bosh_client_send_iq_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Client.send_iq_async].
 *
 * A response of type `error` is a [error@Bosh.StanzaError]. Other errors are
 * `BOSH_ERROR_TIMED_OUT`; `BOSH_ERROR_INVALID_STANZA` for an element that is no
 * request; those of [method@Bosh.Connection.send]; and the error with which the
 * session ended.
 *
 * Returns: (transfer full): the response, an iq of type `result`, or `NULL` on
 *   error
 *
 * Since: 1.0
 */
BoshElement *
bosh_client_send_iq_finish (BoshClient    *self,
                            GAsyncResult  *result,
                            GError       **error)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, bosh_client_send_iq_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* --- Handing over --- */

/* FALSE, with an error, where there is no session that could be handed over, saved
 * or paused, or where a login is under way in it, which nobody else could go on
 * with. */
static gboolean
check_session (BoshClient  *self,
               GError     **error)
{
  if (bosh_client_get_connection (self) == NULL)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED, _("The session has ended"));
      return FALSE;
    }

  switch (bosh_client_get_state (self))
    {
    case BOSH_CLIENT_STATE_LOGGING_IN:
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_LOGGING_IN, _("A login is under way"));
      return FALSE;
    case BOSH_CLIENT_STATE_RECONNECTING:
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED, _("The session was lost"));
      return FALSE;
    case BOSH_CLIENT_STATE_NEW:
    case BOSH_CLIENT_STATE_CONNECTING:
    case BOSH_CLIENT_STATE_CONNECTED:
    case BOSH_CLIENT_STATE_READY:
    case BOSH_CLIENT_STATE_DISCONNECTING:
    case BOSH_CLIENT_STATE_DETACHED:
    case BOSH_CLIENT_STATE_CLOSED:
    default:
      return TRUE;
    }
}

/**
 * bosh_client_attach_async:
 * @self: a client
 * @session: a session that was handed over
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the session goes on
 * @user_data: data for @callback
 *
 * Goes on with a session that was detached elsewhere, in place of
 * [method@Bosh.Client.connect_async] and a login.
 *
 * Requests that had no response are repeated byte by byte (XEP-0124 §14.3), so
 * that nothing is lost; stanzas may arrive before the operation is complete. A
 * session without a JID is `CONNECTED` afterwards and allows no login; one with a
 * JID is `READY`.
 *
 * If the configuration has no address, the session goes on at its own
 * [property@Bosh.SavedSession:uri].
 *
 * Since: 1.0
 */
void
bosh_client_attach_async (BoshClient          *self,
                          BoshSavedSession    *session,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (BOSH_IS_SAVED_SESSION (session));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_client_attach_async);
  bosh_client_driver_connect (client_get_driver (self), session, task);
}

/**
 * bosh_client_attach_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Client.attach_async]. The errors are those of
 * [method@Bosh.Connection.attach_async].
 *
 * Returns: `TRUE` if the session goes on
 *
 * Since: 1.0
 */
gboolean
bosh_client_attach_finish (BoshClient    *self,
                           GAsyncResult  *result,
                           GError       **error)
{
  return finish_boolean (self, result, bosh_client_attach_async, error);
}

static void
on_detached (GObject      *source_object,
             GAsyncResult *result,
             gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  BoshSavedSession *session;
  GError *error = NULL;

  session = bosh_connection_detach_finish (BOSH_CONNECTION (source_object), result, &error);
  if (session != NULL)
    g_task_return_pointer (task, session, g_object_unref);
  else
    g_task_return_error (task, error);
}

/**
 * bosh_client_detach_async:
 * @self: a client
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the session was handed over
 * @user_data: data for @callback
 *
 * Hands the session over without losing a stanza, as
 * [method@Bosh.Connection.detach_async] does; the result knows the JID.
 *
 * The client is `DETACHED` then, requests without a response fail with
 * `BOSH_ERROR_DETACHED`, and [signal@Bosh.Client::closed] is not emitted, because
 * the session has not ended.
 *
 * While a login is under way it fails with `BOSH_ERROR_LOGGING_IN`, and with
 * `BOSH_ERROR_NOT_CONNECTED` while the client is reconnecting.
 *
 * Since: 1.0
 */
void
bosh_client_detach_async (BoshClient          *self,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  GError *error = NULL;

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_client_detach_async);
  if (!check_session (self, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  /* A session that was detached would be lost if the caller did not get it. */
  g_task_set_check_cancellable (task, FALSE);
  bosh_connection_detach_async (bosh_client_get_connection (self), cancellable, on_detached,
                                g_steal_pointer (&task));
}

/**
 * bosh_client_detach_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Client.detach_async]. The errors are those of
 * [method@Bosh.Connection.detach_async].
 *
 * Returns: (transfer full): all that is needed to go on with the session, or
 *   `NULL` on error
 *
 * Since: 1.0
 */
BoshSavedSession *
bosh_client_detach_finish (BoshClient    *self,
                           GAsyncResult  *result,
                           GError       **error)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, bosh_client_detach_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * bosh_client_save:
 * @self: a client
 * @error: return location for an error
 *
 * Takes a snapshot of the session, with which another process goes on after this
 * one has died, as [method@Bosh.Connection.save] does. The session goes on here.
 *
 * It fails with `BOSH_ERROR_LOGGING_IN` while a login is under way, as no other
 * process could go on with that, and with `BOSH_ERROR_NOT_CONNECTED` while the client
 * is reconnecting.
 *
 * Returns: (transfer full): all that is needed to go on with the session, or
 *   `NULL` on error
 *
 * Since: 1.0
 */
BoshSavedSession *
bosh_client_save (BoshClient  *self,
                  GError     **error)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!check_session (self, error))
    return NULL;

  return bosh_connection_save (bosh_client_get_connection (self), error);
}

static void
on_paused (GObject      *source_object,
           GAsyncResult *result,
           gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  GError *error = NULL;

  if (bosh_connection_pause_finish (BOSH_CONNECTION (source_object), result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * bosh_client_pause_async:
 * @self: a client
 * @seconds: for how long, at most [property@Bosh.Connection:max-pause]; more is
 *   taken as that
 * @cancellable: (nullable): to resume at once
 * @callback: (scope async): called when the pause is in force
 * @user_data: data for @callback
 *
 * Pauses the session, as [method@Bosh.Connection.pause_async] does: no request is
 * open, and nothing arrives, until [method@Bosh.Client.resume] or the next stanza
 * that is sent (XEP-0124 §10).
 *
 * It fails with `BOSH_ERROR_LOGGING_IN` while a login is under way, and with
 * `BOSH_ERROR_NOT_CONNECTED` while the client is reconnecting.
 *
 * Since: 1.0
 */
void
bosh_client_pause_async (BoshClient          *self,
                         guint                seconds,
                         GCancellable        *cancellable,
                         GAsyncReadyCallback  callback,
                         gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  GError *error = NULL;

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (seconds > 0);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_client_pause_async);
  if (!check_session (self, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  g_task_set_check_cancellable (task, FALSE);
  bosh_connection_pause_async (bosh_client_get_connection (self), seconds, cancellable, on_paused,
                               g_steal_pointer (&task));
}

/**
 * bosh_client_pause_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Client.pause_async]. The errors are those of
 * [method@Bosh.Connection.pause_async].
 *
 * Returns: `TRUE` if the session is paused
 *
 * Since: 1.0
 */
gboolean
bosh_client_pause_finish (BoshClient    *self,
                          GAsyncResult  *result,
                          GError       **error)
{
  return finish_boolean (self, result, bosh_client_pause_async, error);
}

/**
 * bosh_client_resume:
 * @self: a client
 *
 * Ends a pause; nothing happens if there is none.
 *
 * Since: 1.0
 */
void
bosh_client_resume (BoshClient *self)
{
  g_return_if_fail (BOSH_IS_CLIENT (self));

  if (bosh_client_get_connection (self) != NULL)
    bosh_connection_resume (bosh_client_get_connection (self));
}
