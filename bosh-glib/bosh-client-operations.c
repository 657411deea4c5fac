/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-client-private.h"

#include "bosh-connection-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"

/* Features may come after the session was opened (XEP-0206 §4); a server that
 * has not sent them by then will not. Seconds. */
#define FEATURES_TIMEOUT 30

static void
finish_connect (BoshClient *self)
{
  g_autoptr(GTask) task = client_take_task (self);

  client_set_state (self, BOSH_CLIENT_STATE_CONNECTED);
  g_task_return_boolean (task, TRUE);
}

static void
on_connected (GObject      *source_object,
              GAsyncResult *result,
              gpointer      user_data)
{
  g_autoptr(BoshClient) self = user_data;
  GError *error = NULL;

  if (!bosh_connection_connect_finish (self->connection, result, &error))
    {
      client_set_state (self, BOSH_CLIENT_STATE_CLOSED);
      client_fail_task (self, error);
    }
  else if (self->task != NULL)
    {
      self->opened = TRUE;
      if (self->features != NULL)
        finish_connect (self);
      else
        client_bound_task (self, FEATURES_TIMEOUT);
    }
}

void
client_open (BoshClient *self)
{
  g_clear_pointer (&self->cancelled, client_destroy_source);
  bosh_connection_connect_async (self->connection, g_task_get_cancellable (self->task),
                                 on_connected, g_object_ref (self));
}

static void
on_attached (GObject      *source_object,
             GAsyncResult *result,
             gpointer      user_data)
{
  g_autoptr(BoshClient) self = user_data;
  GError *error = NULL;

  if (!bosh_connection_attach_finish (self->connection, result, &error))
    {
      client_set_state (self, BOSH_CLIENT_STATE_CLOSED);
      client_fail_task (self, error);
    }
  else if (self->task != NULL)
    {
      g_autoptr(GTask) task = client_take_task (self);

      client_set_state (self, self->jid != NULL ? BOSH_CLIENT_STATE_READY
                                                : BOSH_CLIENT_STATE_CONNECTED);
      g_task_return_boolean (task, TRUE);
    }
}

void
client_handle_features (BoshClient  *self,
                        BoshElement *features)
{
  g_clear_pointer (&self->features, bosh_element_unref);
  self->features = bosh_element_ref (features);

  if (self->driver != NULL)
    bosh_login_driver_handle_features (self->driver, features);
  else if (self->state == BOSH_CLIENT_STATE_CONNECTING)
    {
      client_expect_login (self);
      if (self->opened)
        finish_connect (self);
    }
  else if (self->state == BOSH_CLIENT_STATE_RECONNECTING)
    client_reconnect_handle_features (self);
}

/* FALSE if @task has returned. */
static gboolean
begin_connection (BoshClient *self,
                  GTask      *task)
{
  if (g_task_return_error_if_cancelled (task))
    return FALSE;
  if (self->state != BOSH_CLIENT_STATE_NEW)
    {
      g_task_return_new_error (task, BOSH_ERROR, BOSH_ERROR_FAILED,
                               _("A client connects only once"));
      return FALSE;
    }

  /* The state tells what became of it, whatever is cancelled at the last
   * moment. */
  g_task_set_check_cancellable (task, FALSE);
  self->task = g_object_ref (task);
  client_set_state (self, BOSH_CLIENT_STATE_CONNECTING);

  /* A handler may have ended it already. */
  return self->task == task;
}

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
 * If the configuration has no host name, the domain is asked first where its
 * connection managers are (XEP-0156), and the first of them is taken. Until
 * then the connection has no session, and nothing can be queued.
 *
 * A client connects once: after a failure, and after the end, make a new one.
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
  if (!begin_connection (self, task))
    return;

  if (client_has_address (self))
    client_open (self);
  else
    client_discover (self);
}

/**
 * bosh_client_connect_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends [method@Bosh.Client.connect_async].
 *
 * The errors are those of [method@Bosh.Connection.connect_async];
 * `BOSH_ERROR_TIMED_OUT` where the server sent no features; and where the domain
 * was asked for the address, those of [method@Bosh.Discovery.lookup_async], such
 * as `BOSH_ERROR_DISCOVERY_FAILED`.
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
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, bosh_client_connect_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
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
 * Requests that had no answer are repeated byte by byte (XEP-0124 §14.3), so
 * that nothing is lost; stanzas may arrive before it is complete. A session
 * without a JID is open afterwards, but nobody can log in to it.
 *
 * If the configuration has no host name, the session goes on at its own
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
  if (!begin_connection (self, task))
    return;

  if (!client_has_address (self))
    client_take_address (self, bosh_saved_session_get_uri (session));
  client_set_jid (self, bosh_saved_session_get_jid (session));
  /* A handler may have ended it. */
  if (self->task == task)
    bosh_connection_attach_async (self->connection, session, cancellable,
                                  on_attached, g_object_ref (self));
}

/**
 * bosh_client_attach_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends [method@Bosh.Client.attach_async]. The errors are those of
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
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, bosh_client_attach_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
on_detached (GObject      *source_object,
             GAsyncResult *result,
             gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  BoshClient *self = g_task_get_source_object (task);
  BoshSavedSession *session;
  GError *error = NULL;

  session = bosh_connection_detach_finish (self->connection, result, &error);
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
 * [method@Bosh.Connection.detach_async] does; the result knows the JID. The
 * client is at its end then, and requests without an answer fail with
 * `BOSH_ERROR_DETACHED`.
 *
 * While a login is under way it fails with `G_IO_ERROR_PENDING`, and with
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

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_client_detach_async);
  if (self->state == BOSH_CLIENT_STATE_LOGGING_IN)
    {
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_PENDING,
                               _("A login is under way"));
      return;
    }
  if (self->state == BOSH_CLIENT_STATE_RECONNECTING)
    {
      g_task_return_new_error (task, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                               _("The session was lost"));
      return;
    }

  /* What was detached is lost if nobody gets it. */
  g_task_set_check_cancellable (task, FALSE);
  bosh_connection_detach_async (self->connection, cancellable, on_detached,
                                g_steal_pointer (&task));
}

/**
 * bosh_client_detach_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends [method@Bosh.Client.detach_async]. The errors are those of
 * [method@Bosh.Connection.detach_async].
 *
 * Returns: (transfer full): what is needed to go on, or `NULL` on error
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
 * bosh_client_send:
 * @self: a client
 * @stanza: what to send
 * @error: return location for a [struct@GLib.Error]
 *
 * Queues a stanza, as [method@Bosh.Connection.send] does. It is sealed and can
 * not be changed any more. Nothing is added to it.
 *
 * While the client is reconnecting ([property@Bosh.Client:auto-reconnect]) it
 * waits for the next session, and is sent there before the state changes to
 * `READY`.
 *
 * Returns: `TRUE` if it will be sent
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

  return client_send (self, stanza, error);
}

static void
on_disconnected (GObject      *source_object,
                 GAsyncResult *result,
                 gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  BoshClient *self = g_task_get_source_object (task);
  GError *error = NULL;

  if (bosh_connection_disconnect_finish (self->connection, result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * bosh_client_disconnect_async:
 * @self: a client
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the session has ended
 * @user_data: data for @callback
 *
 * Ends the session (XEP-0124 §13), as
 * [method@Bosh.Connection.disconnect_async] does. Whoever is logged in says
 * good-bye with an unavailable presence (RFC 6121 §4.5).
 *
 * Connecting or a login that is under way fails with
 * `BOSH_ERROR_NOT_CONNECTED`. A client that is reconnecting stops that, and is
 * closed at once.
 *
 * Since: 1.0
 */
void
bosh_client_disconnect_async (BoshClient          *self,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data)
{
  g_autoptr(BoshElement) farewell = NULL;
  g_autoptr(GTask) task = NULL;

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_client_disconnect_async);
  if (self->discovery != NULL)
    {
      client_end_discovery (self,
                            g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                                                 _("The session is being ended")),
                            NULL);
      g_task_return_boolean (task, TRUE);
      return;
    }
  if (self->state == BOSH_CLIENT_STATE_RECONNECTING)
    {
      client_close (self, NULL);
      g_task_return_boolean (task, TRUE);
      return;
    }

  client_reconnect_forget (self);
  if (self->state == BOSH_CLIENT_STATE_READY)
    farewell = bosh_element_new_presence (NULL, "unavailable");
  bosh_connection_disconnect_async (self->connection, farewell, cancellable,
                                    on_disconnected, g_object_ref (task));

  if (self->task != NULL)
    {
      client_set_state (self, BOSH_CLIENT_STATE_CLOSED);
      client_fail_task (self, g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                                                   _("The session is being ended")));
    }
}

/**
 * bosh_client_disconnect_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends [method@Bosh.Client.disconnect_async]. The errors are those of
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
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, bosh_client_disconnect_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
