/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-client-private.h"

/* @credentials: (transfer full) */
static void
begin_login (BoshClient          *self,
             BoshCredentials     *credentials,
             gpointer             source_tag,
             GCancellable        *cancellable,
             GAsyncReadyCallback  callback,
             gpointer             user_data)
{
  g_autoptr(BoshCredentials) owned = credentials;
  g_autoptr(GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, source_tag);
  bosh_client_driver_log_in (client_get_driver (self), owned, task);
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
 * @username: the name of the account, without domain; in whatever case, as servers do not
 *   tell `Alice` from `alice`
 * @password: the password
 * @resource: (nullable): the resource to bind, or `NULL` to let the server
 *   choose
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the login is over
 * @user_data: data for @callback
 *
 * Logs in with name and password: authenticates with the best of SCRAM-SHA-256,
 * SCRAM-SHA-1 and PLAIN (RFC 6120 §6), restarts the stream (XEP-0206 §5) and
 * binds a resource (RFC 6120 §7). [property@Bosh.Client:jid] has the address that
 * was bound; the server may have changed the resource.
 *
 * Where the server offers XEP-0388 the stream is not restarted. Where it offers
 * XEP-0386 as well, and @resource is `NULL`, the resource is bound together with
 * the authentication. PLAIN then takes two round trips instead of four, and SCRAM
 * three instead of five. If the server does not carry out what it offers, the login goes on
 * by RFC 6120 in another session: see [property@Bosh.Client:use-sasl2].
 *
 * The password is copied for the time of the login and cleared from memory
 * afterwards, unless [property@Bosh.Client:auto-reconnect] is set. The costly part
 * of SCRAM is computed in a thread.
 *
 * When the server refuses the credentials, the session stays open, and another
 * login can follow, with another password for instance. A login that takes more
 * than 60 seconds, or is cancelled after it has begun, ends the session, because
 * the client then does not know how far the server has come. A second login that
 * begins before the first has ended fails with `G_IO_ERROR_PENDING`.
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
  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (username != NULL);
  g_return_if_fail (password != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  begin_login (self, bosh_credentials_new_password (username, password, resource),
               bosh_client_login_async, cancellable, callback, user_data);
}

/**
 * bosh_client_login_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Client.login_async].
 *
 * The errors are [error@Bosh.SaslError] where the server refused the
 * credentials; `BOSH_ERROR_NO_MECHANISM`, `BOSH_ERROR_INSECURE_MECHANISM` and
 * `BOSH_ERROR_SERVER_NOT_AUTHENTIC` where the client refused the server;
 * `BOSH_ERROR_LOGIN_FAILED` or [error@Bosh.StanzaError] where no resource could be
 * bound; `BOSH_ERROR_TIMED_OUT`; and the error with which the session ended.
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
 * Logs in without an account, with the mechanism ANONYMOUS (RFC 4505): the server
 * gives the client an address for the time of the session.
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
  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  begin_login (self, bosh_credentials_new_anonymous (resource),
               bosh_client_login_anonymously_async, cancellable, callback, user_data);
}

/**
 * bosh_client_login_anonymously_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Client.login_anonymously_async]; the errors are those of
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
 *   server derive it from the credentials
 * @resource: (nullable): the resource to bind, or `NULL` to let the server
 *   choose
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the login is over
 * @user_data: data for @callback
 *
 * Logs in with credentials that the server has from outside of XMPP, most often
 * the [property@Bosh.ConnectionConfiguration:tls-certificate] of the client, with
 * the mechanism EXTERNAL (RFC 4422, appendix A).
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
  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  begin_login (self, bosh_credentials_new_external (authorization_id, resource),
               bosh_client_login_externally_async, cancellable, callback, user_data);
}

/**
 * bosh_client_login_externally_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Client.login_externally_async]; the errors are those of
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
 * bosh_client_set_credentials:
 * @self: a client with [property@Bosh.Client:auto-reconnect]
 * @username: the name of the account, without domain
 * @password: the password
 * @resource: (nullable): the resource to bind, or `NULL` to let the server
 *   choose
 *
 * Gives the client what it needs to log in again after a loss, where it did not log in
 * itself: for a session that is attached, or was, with
 * [method@Bosh.Client.attach_async].
 *
 * The password is copied, and kept and cleared as that of a login is, see
 * [property@Bosh.Client:auto-reconnect], which has to be set before. It takes the place of
 * what the client had, so it also helps where the password was changed meanwhile. A client
 * that has ended keeps nothing. A session of another account would not be the one that
 * was lost: @username is the account of [property@Bosh.Client:jid].
 *
 * Since: 1.0
 */
void
bosh_client_set_credentials (BoshClient *self,
                             const char *username,
                             const char *password,
                             const char *resource)
{
  g_autoptr(BoshCredentials) credentials = NULL;

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (username != NULL);
  g_return_if_fail (password != NULL);
  g_return_if_fail (bosh_client_get_auto_reconnect (self));

  credentials = bosh_credentials_new_password (username, password, resource);
  bosh_client_driver_set_credentials (client_get_driver (self), credentials);
}
