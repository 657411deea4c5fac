/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-client.h"

#include <string.h>

typedef struct
{
  BoshClient *client;
  char       *username;
  char       *password;  /* NULL once the login has it */
  char       *resource;
} Prebind;

static void
forget_password (Prebind *self)
{
  if (self->password != NULL)
    explicit_bzero (self->password, strlen (self->password));
  g_clear_pointer (&self->password, g_free);
}

static void
prebind_free (Prebind *self)
{
  forget_password (self);
  g_free (self->username);
  g_free (self->resource);
  g_object_unref (self->client);
  g_free (self);
}

/* Takes @error. Nobody has the client, so nobody else can end the session. */
static void
fail (GTask  *task,
      GError *error)
{
  Prebind *self = g_task_get_task_data (task);

  forget_password (self);
  if (bosh_client_get_state (self->client) != BOSH_CLIENT_STATE_CLOSED)
    bosh_client_disconnect_async (self->client, NULL, NULL, NULL);
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
  BoshClient *client = BOSH_CLIENT (source_object);
  GError *error = NULL;

  if (bosh_client_login_finish (client, result, &error))
    bosh_client_detach_async (client, g_task_get_cancellable (task), on_detached,
                              g_object_ref (task));
  else
    fail (task, error);
}

static void
on_connected (GObject      *source_object,
              GAsyncResult *result,
              gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  Prebind *self = g_task_get_task_data (task);
  GError *error = NULL;

  if (bosh_client_connect_finish (self->client, result, &error))
    {
      bosh_client_login_async (self->client, self->username, self->password,
                               self->resource, g_task_get_cancellable (task),
                               on_logged_in, g_object_ref (task));
      forget_password (self);
    }
  else
    fail (task, error);
}

/**
 * bosh_client_prebind_async:
 * @domain: the XMPP domain, in lower case
 * @configuration: (nullable): how to reach the connection manager, or `NULL` for
 *   the defaults, and the address that the domain announces
 * @username: the name of the account, without domain
 * @password: the password
 * @resource: (nullable): the resource to bind, or `NULL` to let the server
 *   choose
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the session was handed over
 * @user_data: data for @callback
 *
 * Connects, logs in and hands the session over at once: for a program that
 * logs in on behalf of another, a web page for instance.
 *
 * It is [method@Bosh.Client.connect_async], [method@Bosh.Client.login_async]
 * and [method@Bosh.Client.detach_async] one after the other, and all that is
 * said there is true here; the server must take up the session within its time
 * of inactivity ([property@Bosh.Connection:inactivity]). Where one of the steps
 * fails the session is ended.
 *
 * Since: 1.0
 */
void
bosh_client_prebind_async (const char                  *domain,
                           BoshConnectionConfiguration *configuration,
                           const char                  *username,
                           const char                  *password,
                           const char                  *resource,
                           GCancellable                *cancellable,
                           GAsyncReadyCallback          callback,
                           gpointer                     user_data)
{
  g_autoptr(GTask) task = NULL;
  Prebind *self;

  g_return_if_fail (domain != NULL);
  g_return_if_fail (configuration == NULL ||
                    BOSH_IS_CONNECTION_CONFIGURATION (configuration));
  g_return_if_fail (username != NULL);
  g_return_if_fail (password != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  self = g_new0 (Prebind, 1);
  self->client = bosh_client_new (domain, configuration);
  self->username = g_strdup (username);
  self->password = g_strdup (password);
  self->resource = g_strdup (resource);

  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_client_prebind_async);
  g_task_set_task_data (task, self, (GDestroyNotify)prebind_free);
  /* What was detached is lost if nobody gets it. */
  g_task_set_check_cancellable (task, FALSE);

  bosh_client_connect_async (self->client, cancellable, on_connected,
                             g_object_ref (task));
}

/**
 * bosh_client_prebind_finish:
 * @result: the result given to the callback
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends [func@Bosh.Client.prebind_async]. The errors are those of
 * [method@Bosh.Client.connect_finish], [method@Bosh.Client.login_finish] and
 * [method@Bosh.Client.detach_finish].
 *
 * Returns: (transfer full): what is needed to go on, or `NULL` on error
 *
 * Since: 1.0
 */
BoshSavedSession *
bosh_client_prebind_finish (GAsyncResult  *result,
                            GError       **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, bosh_client_prebind_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
