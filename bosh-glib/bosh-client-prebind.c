/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-client-private.h"

/* The session was opened for the caller of prebind, so it ends with the failure. */
static void
fail (GTask  *task,
      GError *error)
{
  bosh_client_disconnect_async (g_task_get_source_object (task), NULL, NULL, NULL);
  g_task_return_error (task, error);
}

static void
on_detached (GObject      *source_object,
             GAsyncResult *result,
             gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  BoshSavedSession *session;
  GError *error = NULL;

  session = bosh_client_detach_finish (BOSH_CLIENT (source_object), result, &error);
  if (session != NULL)
    g_task_return_pointer (task, session, g_object_unref);
  else
    fail (task, error);
}

static void
on_logged_in (GObject      *source_object,
              GAsyncResult *result,
              gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  GError *error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error))
    bosh_client_detach_async (BOSH_CLIENT (source_object), g_task_get_cancellable (task),
                              on_detached, g_object_ref (task));
  else
    fail (task, error);
}

static void
on_connected (GObject      *source_object,
              GAsyncResult *result,
              gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  g_autoptr(GTask) login = NULL;
  g_autoptr(BoshCredentials) credentials = bosh_credentials_ref (g_task_get_task_data (task));
  BoshClient *self = BOSH_CLIENT (source_object);
  GError *error = NULL;

  /* From here on the client has the password, as long as it needs it. */
  g_task_set_task_data (task, NULL, NULL);
  if (!bosh_client_connect_finish (self, result, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  login = g_task_new (self, g_task_get_cancellable (task), on_logged_in, g_object_ref (task));
  g_task_set_source_tag (login, on_logged_in);
  bosh_client_driver_log_in (client_get_driver (self), credentials, login);
}

/**
 * bosh_client_prebind_async:
 * @self: a client that was not connected before
 * @username: (nullable): the name of the account, without domain, or `NULL` to
 *   log in anonymously
 * @password: (nullable): the password, or `NULL` to log in anonymously
 * @resource: (nullable): the resource to bind, or `NULL` to let the server
 *   choose
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the session was handed over
 * @user_data: data for @callback
 *
 * Connects, logs in and hands the session over: for a program that logs in on
 * behalf of another one, such as a web server for a page.
 *
 * It is [method@Bosh.Client.connect_async],
 * [method@Bosh.Client.login_async] or
 * [method@Bosh.Client.login_anonymously_async], and
 * [method@Bosh.Client.detach_async] one after the other, with all settings of the
 * client, which is `DETACHED` afterwards. Where one of the steps fails, the
 * session is ended.
 *
 * When it is complete no request is open: what the server has to send it keeps, and the
 * first request of the other program may hold anything.
 *
 * The other program must attach to the session within the time of inactivity that
 * the server allows ([property@Bosh.Connection:inactivity]).
 *
 * Since: 1.0
 */
void
bosh_client_prebind_async (BoshClient          *self,
                           const char          *username,
                           const char          *password,
                           const char          *resource,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  BoshCredentials *credentials;

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail ((username == NULL) == (password == NULL));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  credentials = username != NULL ? bosh_credentials_new_password (username, password, resource)
                                 : bosh_credentials_new_anonymous (resource);
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_client_prebind_async);
  g_task_set_task_data (task, credentials, (GDestroyNotify)bosh_credentials_unref);
  /* A session that was detached would be lost if the caller did not get it. */
  g_task_set_check_cancellable (task, FALSE);

  bosh_client_driver_prepare_prebind (client_get_driver (self));
  bosh_client_connect_async (self, cancellable, on_connected, g_object_ref (task));
}

/**
 * bosh_client_prebind_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Client.prebind_async]. The errors are those of
 * [method@Bosh.Client.connect_finish], [method@Bosh.Client.login_finish] and
 * [method@Bosh.Client.detach_finish].
 *
 * Returns: (transfer full): all that is needed to go on with the session, or
 *   `NULL` on error
 *
 * Since: 1.0
 */
BoshSavedSession *
bosh_client_prebind_finish (BoshClient    *self,
                            GAsyncResult  *result,
                            GError       **error)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, bosh_client_prebind_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
