/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-connection-internal.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-jid-private.h"
#include "bosh-saved-session-private.h"
#include "bosh-session-save-private.h"
#include "bosh-stanza-id-private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* --- Opening --- */

/* The language of the user, as a tag of RFC 5646. */
static char *
dup_language (BoshConnection *self)
{
  const char *configured = bosh_connection_configuration_get_language (self->configuration);
  const char * const *names = g_get_language_names ();
  char *language;

  if (configured != NULL)
    return g_strdup (configured);

  /* The locales C and POSIX name no language. */
  if (names[0] == NULL || g_str_has_prefix (names[0], "C") || names[0][0] == 'P')
    return g_strdup ("en");

  language = g_strdup (names[0]);
  language[strcspn (language, ".@")] = '\0';

  return g_strdelimit (language, "_", '-');
}

/* Makes the session, with what the configuration asks for. @saved is nullable. */
static void
make_session (BoshConnection            *self,
              const BoshSessionSnapshot *saved)
{
  BoshConnectionConfiguration *configuration = self->configuration;
  const char *from_jid = bosh_connection_configuration_get_from_jid (configuration);
  g_autofree char *prepared_jid = from_jid != NULL ? bosh_jid_prepare (from_jid) : NULL;
  g_autofree char *language = dup_language (self);
  BoshSessionParameters parameters = {
    .domain = self->domain,
    .route = bosh_connection_configuration_get_route (configuration),
    .from = prepared_jid != NULL ? prepared_jid : from_jid,
    .language = language,
    .content = bosh_connection_configuration_get_response_content_type (configuration),
    .uri = bosh_connection_configuration_get_uri (configuration),
    .compress_requests = bosh_connection_configuration_get_compress_requests (configuration),
    .pause_on_detach = bosh_connection_configuration_get_pause_on_detach (configuration),
    .wait = bosh_connection_configuration_get_wait (configuration),
    .hold = bosh_connection_configuration_get_hold (configuration),
    .use_acknowledgements = bosh_connection_configuration_get_use_acknowledgements (configuration),
    .use_key_sequence = bosh_connection_configuration_get_use_key_sequence (configuration),
    .key_sequence_length = bosh_connection_configuration_get_key_sequence_length (configuration),
    .max_request_size = bosh_connection_configuration_get_max_request_size (configuration),
  };
  BoshSession *session;

  if (getentropy (parameters.entropy, sizeof parameters.entropy) != 0)
    g_error ("No randomness: %s", g_strerror (errno));

  session = saved != NULL ? bosh_session_new_from_snapshot (saved, &parameters)
                          : bosh_session_new (&parameters);
  explicit_bzero (parameters.entropy, sizeof parameters.entropy);
  connection_take_session (self, session);
}

/* A connection without a domain is one to whatever server there is. */
static gboolean
check_domain (BoshConnection  *self,
              GError         **error)
{
  g_autofree char *prepared = NULL;

  if (self->domain == NULL)
    return TRUE;

  prepared = bosh_domain_prepare (self->domain, error);

  return prepared != NULL;
}

/**
 * bosh_connection_connect_async:
 * @self: a connection that was not opened before
 * @cancellable: (nullable): to give up, which closes the connection
 * @callback: (scope async): called when the session is open, or opening it failed
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
  g_autoptr(GError) error = NULL;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_connect_async);
  if (!connection_begin_task (self, task, PENDING_CONNECT))
    return;

  if (!check_domain (self, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  make_session (self, NULL);
  connection_await (self, g_steal_pointer (&task), 0, NULL);
  bosh_session_driver_start (self->driver);
}

/**
 * bosh_connection_connect_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.connect_async].
 *
 * The error is one of [error@Bosh.Error] if the connection manager refused, if
 * there is none at the address, if the configuration has no address
 * (`BOSH_ERROR_INVALID_URI`), or if the domain or a text of the configuration can't be in
 * a request (`BOSH_ERROR_INVALID_DATA`). It is one of `GIOErrorEnum` or `GResolverError` if
 * the connection manager can't be reached. The connection is closed in each of
 * these cases. With `BOSH_ERROR_INVALID_JID`, for a domain that is none, nothing was
 * begun.
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
  return connection_finish_boolean (self, result, bosh_connection_connect_async, error);
}

/* Whether @session can go on over this connection. */
static gboolean
check_saved (BoshConnection    *self,
             BoshSavedSession  *session,
             GError           **error)
{
  const char *domain = self->domain != NULL ? self->domain : "";

  if (!bosh_saved_session_validate (session, error) || !check_domain (self, error))
    return FALSE;

  if (!bosh_domain_equal (bosh_saved_session_get_domain (session), domain))
    {
      g_set_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA,
                   _("The session belongs to the domain %s, not %s"),
                   bosh_saved_session_get_domain (session), domain);
      return FALSE;
    }

  return bosh_connection_configuration_get_address (self->configuration, error) != NULL;
}

/**
 * bosh_connection_attach_async:
 * @self: a connection that was not opened before
 * @session: the session to go on with
 * @cancellable: (nullable): to give up, which closes the connection; the
 *   connection manager is not notified
 * @callback: (scope async): called when the session is open, or attaching failed
 * @user_data: data for @callback
 *
 * Goes on with a saved session.
 *
 * Requests without a response are sent again first, byte by byte (XEP-0124
 * §14.3). The operation completes when the connection manager has responded to
 * one, or has held one for a second: a session that it does not know it would
 * refuse at once.
 *
 * A session has one owner at a time. If two programs send in the same session,
 * it ends.
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
  g_autoptr(GError) error = NULL;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (BOSH_IS_SAVED_SESSION (session));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_attach_async);
  if (!connection_begin_task (self, task, PENDING_ATTACH))
    return;

  if (!check_saved (self, session, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  make_session (self, bosh_saved_session_get_snapshot (session));
  bosh_connection_set_jid (self, bosh_saved_session_get_jid (session));
  if (bosh_saved_session_get_cookies (session) != NULL)
    bosh_session_driver_add_cookies (self->driver, bosh_saved_session_get_cookies (session));
  connection_await (self, g_steal_pointer (&task), 0, NULL);
  connection_notify_granted (self);
  bosh_session_driver_start (self->driver);
}

/**
 * bosh_connection_attach_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.attach_async].
 *
 * `BOSH_ERROR_ITEM_NOT_FOUND` means that the connection manager does not know the
 * session any more.
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
  return connection_finish_boolean (self, result, bosh_connection_attach_async, error);
}

/**
 * bosh_connection_restart_async:
 * @self: an open connection
 * @cancellable: (nullable): to stop waiting; the stream is restarted all the same
 * @callback: (scope async): called when the server has responded
 * @user_data: data for @callback
 *
 * Restarts the XMPP stream inside the session, as must be done after SASL has
 * succeeded (XEP-0206 §5). The new features arrive as an element.
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
  GError *error = NULL;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_restart_async);
  if (!connection_begin_task (self, task, PENDING_RESTART))
    return;

  bosh_session_restart (self->session, self->jid, &error);
  connection_await (self, g_steal_pointer (&task), 0, error);
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
  return connection_finish_boolean (self, result, bosh_connection_restart_async, error);
}

/* --- Sending --- */

static gboolean
queue (BoshConnection  *self,
       BoshElement     *element,
       guint64         *serial,
       GError         **error)
{
  g_autoptr(BoshElement) stanza = NULL;

  if (!connection_check_session (self, error))
    return FALSE;
  stanza = bosh_stanza_id_ensure (element);
  if (!bosh_session_queue (self->session, stanza, serial, error))
    return FALSE;

  self->n_stanzas_sent++;
  bosh_session_driver_wake (self->driver);

  return TRUE;
}

void
bosh_connection_reply (BoshConnection *self,
                       BoshElement    *reply)
{
  if (self->session == NULL || !bosh_session_queue_automatic (self->session, reply))
    return;

  self->n_stanzas_sent++;
  bosh_session_driver_wake (self->driver);
}

gboolean
bosh_connection_queue (BoshConnection  *self,
                       BoshElement     *element,
                       guint64         *serial,
                       GError         **error)
{
  if (!queue (self, element, serial, error))
    return FALSE;

  bosh_session_hasten (self->session);

  return TRUE;
}

/**
 * bosh_connection_send:
 * @self: a connection
 * @element: (transfer none): what to send; it becomes immutable
 * @error: return location for an error
 *
 * Queues an element, to be sent with the next request. An element without a
 * namespace is sent in `jabber:client`.
 *
 * A message, and an iq of type `get` or `set`, that has no `id` is given one that nobody
 * can guess, and has it afterwards: an error that comes for it has the same one (RFC 6120
 * §8.1.3), see [method@Bosh.Element.dup_error]. An element that is sealed already is not
 * changed; a copy with the id is sent. Nothing else is added to what is sent.
 *
 * The request is sent again until the server has it. If the session ends before
 * that is known, the element is in [method@Bosh.Connection.dup_undelivered] or
 * [method@Bosh.Connection.dup_unsent].
 *
 * The error is `BOSH_ERROR_NOT_CONNECTED` before the session is opened and
 * after its end, `BOSH_ERROR_DETACHED` when it was or is being handed over,
 * `BOSH_ERROR_TOO_LARGE` if the element does not fit into a request, or has a tag with
 * thousands of attributes or of some megabytes, and `BOSH_ERROR_INVALID_STANZA` if it
 * can't be written as XML. The element was not
 * queued in these cases.
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
 * Queues an element as [method@Bosh.Connection.send] does, and completes when the
 * server has it. Whether it reached its recipient is another matter (XEP-0124
 * §8).
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
  GError *error = NULL;
  guint64 serial = 0;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (element != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_deliver_async);
  if (!connection_begin_task (self, task, PENDING_DELIVER))
    return;

  bosh_connection_queue (self, element, &serial, &error);
  connection_await (self, g_steal_pointer (&task), serial, error);
}

/**
 * bosh_connection_deliver_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.deliver_async].
 *
 * The errors are those of [method@Bosh.Connection.send], and that with which the
 * session ended before the server was known to have the element.
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
  return connection_finish_boolean (self, result, bosh_connection_deliver_async, error);
}

/* --- Pausing --- */

/**
 * bosh_connection_pause_async:
 * @self: an open connection
 * @seconds: for how long; more than [property@Bosh.Connection:max-pause] is taken
 *   as that
 * @cancellable: (nullable): to resume at once
 * @callback: (scope async): called when the pause is in force
 * @user_data: data for @callback
 *
 * Pauses the session: no request is open, and the server keeps what arrives
 * (XEP-0124 §10). It is meant for a program that can't do I/O for a while.
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
  GError *error = NULL;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (seconds > 0);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_pause_async);
  if (!connection_begin_task (self, task, PENDING_PAUSE))
    return;

  bosh_session_pause (self->session, seconds, &error);
  connection_await (self, g_steal_pointer (&task), 0, error);
}

/**
 * bosh_connection_pause_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.pause_async].
 *
 * The error is `BOSH_ERROR_NOT_SUPPORTED` if the connection manager allows no
 * pause.
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
  return connection_finish_boolean (self, result, bosh_connection_pause_async, error);
}

/**
 * bosh_connection_resume:
 * @self: a connection
 *
 * Ends a pause. If there is none, nothing happens.
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
  bosh_session_driver_wake (self->driver);
}

/* --- Ending --- */

/**
 * bosh_connection_disconnect_async:
 * @self: an open connection
 * @last_payload: (nullable): an element to go with the end that needs no
 *   response, such as unavailable presence
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
  g_autoptr(BoshElement) payload = NULL;
  GError *error = NULL;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_disconnect_async);
  if (!connection_begin_task (self, task, PENDING_DISCONNECT))
    return;

  if (last_payload != NULL)
    payload = bosh_stanza_id_ensure (last_payload);
  if (bosh_session_terminate (self->session, payload, &error))
    self->is_leaving = TRUE;
  connection_await (self, g_steal_pointer (&task), 0, error);
}

/**
 * bosh_connection_disconnect_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.disconnect_async].
 *
 * An error means that the server did not confirm the end, so the fate of what was
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
  return connection_finish_boolean (self, result, bosh_connection_disconnect_async, error);
}

/* --- Handing over --- */

/**
 * bosh_connection_detach:
 * @self: an open connection
 *
 * Stops at once, so that another program can go on with the session. The
 * session lives on in the server until its time of inactivity is over.
 *
 * The result is the next request id, and any first request of the next owner may
 * carry it. This can lose stanzas:
 *
 * - Where an empty request is open, the server may send stanzas in response to
 *   it before it notices that nobody reads them. They are lost, as the next owner
 *   does not send that request again.
 * - What was queued and not sent stays here:
 *   [method@Bosh.Connection.dup_unsent] returns it, and
 *   [method@Bosh.Connection.dup_undelivered] what may not have arrived.
 *
 * So it suits a session in which nothing happens yet, right after a login for
 * instance. [method@Bosh.Connection.detach_async] loses nothing.
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

  /* The session was handed over before, or is about to be the result of
   * detach_async(). */
  if (bosh_session_get_state (self->session) == BOSH_SESSION_DETACHED)
    return bosh_session_get_last_rid (self->session) + 1;

  g_object_ref (self);
  next = bosh_session_detach (self->session);
  bosh_session_driver_stop (self->driver);
  bosh_session_driver_drain (self->driver);
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
 * Hands the session over to another program without losing anything.
 *
 * Nothing more can be sent. What is queued is sent, and the responses are
 * awaited, until at most one request is open, which the server holds. Its HTTP
 * connection is closed, and its request id is the first that the next owner
 * sends: the server responds to the retransmission with what it meant for the
 * original (XEP-0124 §14.3), so what arrives in between is kept. If the server
 * can't be reached, the operation completes after a while, and the saved session
 * contains the requests that had no response.
 *
 * While a login is under way it fails with `BOSH_ERROR_LOGGING_IN`: no other program
 * could go on with that.
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
  GError *error = NULL;

  g_return_if_fail (BOSH_IS_CONNECTION (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_connection_detach_async);
  if (!connection_begin_task (self, task, PENDING_DETACH))
    return;

  if (connection_check_no_login (self, &error) && bosh_session_hand_over (self->session, &error))
    self->is_leaving = TRUE;
  connection_await (self, g_steal_pointer (&task), 0, error);
}

/**
 * bosh_connection_detach_finish:
 * @self: a connection
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Connection.detach_async].
 *
 * Returns: (transfer full): the saved session
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
  g_return_val_if_fail (g_async_result_is_tagged (result, bosh_connection_detach_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* --- Saving --- */

/**
 * bosh_connection_save:
 * @self: an open connection
 * @error: return location for an error
 *
 * Makes a saved session, with which another process can go on after this one has
 * died. The session goes on here, and nothing changes.
 *
 * The saved session contains the requests that have no response, which are then
 * sent again byte by byte (XEP-0124 §14.3), the position in the key sequence
 * (§15), what was queued and not sent, what arrived and was not handed out yet,
 * and the cookies of the connection manager.
 *
 * ## When to save
 *
 * Each time that [property@Bosh.Connection:request-id] changes, in the handler
 * of `notify::request-id` itself: it is called when a new request is complete
 * and before the first byte of it leaves. A session that was saved there is
 * never behind what the server has seen. One that is older by a request may be
 * of no use any more, because the server keeps only its last responses.
 *
 * Save also when a stanza was dealt with, in the handler of
 * [signal@Bosh.Connection::stanza] for instance, if that stanza must not come
 * again.
 *
 * Keep the text of [method@Bosh.SavedSession.to_json] in a file that is
 * replaced as a whole ([func@GLib.file_set_contents_full] with
 * `G_FILE_SET_CONTENTS_CONSISTENT` and the mode 0600, because it contains
 * secrets), and give it to [method@Bosh.Connection.attach_async] or
 * [method@Bosh.Client.attach_async] in the new process.
 *
 * ## What is certain
 *
 * - What was queued when the session was saved arrives, once. What was queued
 *   later is not in the saved session, and did not leave either if the session
 *   was saved at each new request id: send it again.
 * - What was handed out before the session was saved does not come again. What
 *   was handed out later comes again, in the same order. So an application that
 *   keeps what it did with a stanza in the same file as the saved session, or in
 *   the same transaction, deals with each stanza exactly once.
 *
 * ## What is not
 *
 * - The session must be taken up within
 *   [property@Bosh.Connection:inactivity] seconds. When it is too late, or the
 *   session has ended in another way, the attempt fails once with
 *   `BOSH_ERROR_ITEM_NOT_FOUND`: throw the saved session away and log in anew.
 * - That a stream is to be opened, closed or restarted is not in the saved
 *   session before the request for it is made.
 * - A session has one owner at a time. The process that saved it must be dead
 *   when another one takes it up; lock the file (`flock`) to be sure. Throw the
 *   file away before the call that ends the session or hands it over.
 *
 * It can be called at any time, from any handler, also while the server can't
 * be reached. It fails with `BOSH_ERROR_NOT_CONNECTED` if there is no session,
 * not yet or not any more, with `BOSH_ERROR_DETACHED` if it was handed over, and with
 * `BOSH_ERROR_LOGGING_IN` while a login is under way: no other program could go on
 * with that, and what is under way may have the password. There is nothing to save
 * from the session then.
 *
 * Returns: (transfer full): the saved session, or `NULL` on error
 *
 * Since: 1.0
 */
BoshSavedSession *
bosh_connection_save (BoshConnection  *self,
                      GError         **error)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!connection_check_session (self, error) || !connection_check_no_login (self, error) ||
      !bosh_session_check_savable (self->session, error))
    return NULL;

  return connection_dup_saved (self);
}
