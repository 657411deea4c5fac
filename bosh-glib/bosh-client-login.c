/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-client-private.h"

#include "bosh-connection-private.h"
#include "bosh-element-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"

#define LOGIN_TIMEOUT 60  /* seconds */

/* Can another login be tried? */
static gboolean
is_open (BoshClient *self)
{
  BoshConnectionState state = bosh_connection_get_state (self->connection);

  return state == BOSH_CONNECTION_STATE_CONNECTED ||
         state == BOSH_CONNECTION_STATE_RETRYING ||
         state == BOSH_CONNECTION_STATE_PAUSED;
}

static void
on_login_done (const char   *jid,
               const GError *error,
               gpointer      user_data)
{
  g_autoptr(BoshClient) self = g_object_ref (user_data);
  g_autofree char *mechanism = NULL;
  g_autoptr(GTask) task = NULL;

  mechanism = g_strdup (bosh_login_driver_get_mechanism (self->driver));
  if (jid != NULL)
    client_reconnect_keep_salted (self, bosh_login_driver_get_salted_password (self->driver));
  task = client_take_task (self);

  g_object_freeze_notify (G_OBJECT (self));
  if (jid == NULL)
    client_reconnect_forget (self);
  if (jid == NULL && is_open (self))
    client_expect_login (self);
  client_set_mechanism (self, mechanism);
  if (jid != NULL)
    {
      client_reconnect_note_ready (self);
      client_set_jid (self, jid);
      client_set_state (self, BOSH_CLIENT_STATE_READY);
    }
  else
    client_set_state (self, is_open (self) ? BOSH_CLIENT_STATE_CONNECTED
                                           : BOSH_CLIENT_STATE_CLOSED);
  g_object_thaw_notify (G_OBJECT (self));

  if (jid != NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_error_copy (error));
}

static GError *
new_login_error (BoshClient *self)
{
  switch (self->state)
    {
    case BOSH_CLIENT_STATE_CONNECTED:
      if (self->features != NULL)
        return NULL;
      return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED,
                                  _("A session that was taken up allows no login"));
    case BOSH_CLIENT_STATE_LOGGING_IN:
    case BOSH_CLIENT_STATE_RECONNECTING:
      return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PENDING,
                                  _("A login is under way"));
    case BOSH_CLIENT_STATE_READY:
      return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED,
                                  _("The client is logged in"));
    case BOSH_CLIENT_STATE_CLOSED:
      return client_dup_close_error (self);
    case BOSH_CLIENT_STATE_NEW:
    case BOSH_CLIENT_STATE_CONNECTING:
    default:
      return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                                  _("A login needs a session that is open"));
    }
}

static void
begin_login (BoshClient          *self,
             gpointer             source_tag,
             BoshLoginParameters *parameters,
             GCancellable        *cancellable,
             GAsyncReadyCallback  callback,
             gpointer             user_data)
{
  g_autoptr(GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr(BoshElement) features = NULL;
  GError *error = NULL;

  g_task_set_source_tag (task, source_tag);
  if (g_task_return_error_if_cancelled (task))
    return;
  error = new_login_error (self);
  if (error != NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  parameters->domain = self->domain;
  parameters->allow_plaintext = self->allow_plaintext_password ||
                                bosh_connection_is_private (self->connection);
  parameters->pipeline = self->pipeline_login;

  client_reconnect_remember (self, parameters);
  g_task_set_check_cancellable (task, FALSE);
  self->task = g_object_ref (task);
  self->driver = bosh_login_driver_new (self->connection, parameters,
                                        on_login_done, self);
  client_bound_task (self, LOGIN_TIMEOUT);
  features = bosh_element_ref (self->features);
  client_set_state (self, BOSH_CLIENT_STATE_LOGGING_IN);

  /* A handler may have ended it already. */
  if (self->task == task)
    bosh_login_driver_handle_features (self->driver, features);
  client_forget_login (self);
}

static gboolean
finish_login (BoshClient    *self,
              gpointer       source_tag,
              GAsyncResult  *result,
              GError       **error)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, source_tag), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * bosh_client_login_async:
 * @self: a client
 * @username: the name of the account, without domain
 * @password: the password
 * @resource: (nullable): the resource to bind, or `NULL` to let the server
 *   choose
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the login is over
 * @user_data: data for @callback
 *
 * Logs in with name and password: authenticates with the best of SCRAM-SHA-256,
 * SCRAM-SHA-1 and PLAIN (RFC 6120 §6), restarts the stream (XEP-0206 §5) and
 * binds a resource (RFC 6120 §7). [property@Bosh.Client:jid] is what was bound;
 * the server may have changed the resource.
 *
 * Where the server offers XEP-0388 it does without the restart, and where it
 * offers XEP-0386, too, and @resource is `NULL`, the resource is bound together
 * with the authentication. That makes two round trips of the four that PLAIN
 * takes, and three of the five of SCRAM.
 *
 * The password is copied for the time of the login and cleared from memory
 * afterwards, unless [property@Bosh.Client:auto-reconnect] is set. The costly part of SCRAM is computed in a thread.
 *
 * When the server refuses, the session stays open, and the login can be tried
 * again, with another password for instance. A login that takes more than 60
 * seconds, and one that is cancelled when it has begun, ends the session:
 * nobody knows then where the server stands. One login at a time.
 *
 * Since: 1.0
 */
void
bosh_client_login_async (BoshClient          *self,
                         const char          *username,
                         const char          *password,
                         const char          *resource,
                         GCancellable        *cancellable,
                         GAsyncReadyCallback  callback,
                         gpointer             user_data)
{
  BoshLoginParameters parameters = { 0 };

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (username != NULL);
  g_return_if_fail (password != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  parameters.credentials = BOSH_SASL_CREDENTIALS_PASSWORD;
  parameters.username = username;
  parameters.password = password;
  parameters.resource = resource;
  begin_login (self, bosh_client_login_async, &parameters, cancellable,
               callback, user_data);
}

/**
 * bosh_client_login_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends [method@Bosh.Client.login_async].
 *
 * The errors are [error@Bosh.SaslError] where the server refused the
 * credentials; `BOSH_ERROR_NO_MECHANISM`,
 * `BOSH_ERROR_INSECURE_MECHANISM` and
 * `BOSH_ERROR_SERVER_NOT_AUTHENTIC` where we refused;
 * `BOSH_ERROR_LOGIN_FAILED` or [error@Bosh.StanzaError] where no resource
 * could be bound; `BOSH_ERROR_TIMED_OUT`; and that with which the session
 * ended.
 *
 * Returns: `TRUE` if the client is logged in
 *
 * Since: 1.0
 */
gboolean
bosh_client_login_finish (BoshClient    *self,
                          GAsyncResult  *result,
                          GError       **error)
{
  return finish_login (self, bosh_client_login_async, result, error);
}

/**
 * bosh_client_login_anonymously_async:
 * @self: a client
 * @resource: (nullable): the resource to bind, or `NULL` to let the server
 *   choose
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the login is over
 * @user_data: data for @callback
 *
 * Logs in as nobody in particular, with the mechanism ANONYMOUS (RFC 4505):
 * the server gives an address for the time of the session.
 *
 * Apart from the credentials it is like [method@Bosh.Client.login_async].
 *
 * Since: 1.0
 */
void
bosh_client_login_anonymously_async (BoshClient          *self,
                                     const char          *resource,
                                     GCancellable        *cancellable,
                                     GAsyncReadyCallback  callback,
                                     gpointer             user_data)
{
  BoshLoginParameters parameters = { 0 };

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  parameters.credentials = BOSH_SASL_CREDENTIALS_ANONYMOUS;
  parameters.resource = resource;
  begin_login (self, bosh_client_login_anonymously_async, &parameters,
               cancellable, callback, user_data);
}

/**
 * bosh_client_login_anonymously_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends [method@Bosh.Client.login_anonymously_async]; the errors are those of
 * [method@Bosh.Client.login_finish].
 *
 * Returns: `TRUE` if the client is logged in
 *
 * Since: 1.0
 */
gboolean
bosh_client_login_anonymously_finish (BoshClient    *self,
                                      GAsyncResult  *result,
                                      GError       **error)
{
  return finish_login (self, bosh_client_login_anonymously_async, result, error);
}

/**
 * bosh_client_login_externally_async:
 * @self: a client
 * @authorization_id: (nullable): the bare JID to act as, or `NULL` to let the
 *   server take the one that it knows us by
 * @resource: (nullable): the resource to bind, or `NULL` to let the server
 *   choose
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the login is over
 * @user_data: data for @callback
 *
 * Logs in with what the server knows about us from elsewhere, with the
 * mechanism EXTERNAL (RFC 4422, appendix A): most often the
 * [property@Bosh.ConnectionConfiguration:tls-certificate] of the client.
 *
 * Apart from the credentials it is like [method@Bosh.Client.login_async].
 *
 * Since: 1.0
 */
void
bosh_client_login_externally_async (BoshClient          *self,
                                    const char          *authorization_id,
                                    const char          *resource,
                                    GCancellable        *cancellable,
                                    GAsyncReadyCallback  callback,
                                    gpointer             user_data)
{
  BoshLoginParameters parameters = { 0 };

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  parameters.credentials = BOSH_SASL_CREDENTIALS_EXTERNAL;
  parameters.username = authorization_id;
  parameters.resource = resource;
  begin_login (self, bosh_client_login_externally_async, &parameters,
               cancellable, callback, user_data);
}

/**
 * bosh_client_login_externally_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends [method@Bosh.Client.login_externally_async]; the errors are those of
 * [method@Bosh.Client.login_finish].
 *
 * Returns: `TRUE` if the client is logged in
 *
 * Since: 1.0
 */
gboolean
bosh_client_login_externally_finish (BoshClient    *self,
                                     GAsyncResult  *result,
                                     GError       **error)
{
  return finish_login (self, bosh_client_login_externally_async, result, error);
}

/**
 * bosh_client_get_pipeline_login:
 * @self: a client
 *
 * Gets the value of [property@Bosh.Client:pipeline-login].
 *
 * Returns: `TRUE` if a login binds without waiting for the features
 *
 * Since: 1.0
 */
gboolean
bosh_client_get_pipeline_login (BoshClient *self)
{
  g_return_val_if_fail (BOSH_IS_CLIENT (self), FALSE);

  return self->pipeline_login;
}

/**
 * bosh_client_set_pipeline_login:
 * @self: a client
 * @pipeline_login: whether to bind without waiting for the features
 *
 * Sets the value of [property@Bosh.Client:pipeline-login].
 *
 * Since: 1.0
 */
void
bosh_client_set_pipeline_login (BoshClient *self,
                                gboolean    pipeline_login)
{
  g_return_if_fail (BOSH_IS_CLIENT (self));

  pipeline_login = !!pipeline_login;
  if (self->pipeline_login == pipeline_login)
    return;

  self->pipeline_login = pipeline_login;
  g_object_notify (G_OBJECT (self), "pipeline-login");
}
