/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-client-private.h"

#include "bosh-connection-private.h"
#include "bosh-element-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"

#define DEFAULT_TIMEOUT 60  /* seconds */

static gboolean
is_iq (BoshElement *element)
{
  return bosh_element_matches_or_inherits (element, "iq", BOSH_NS_CLIENT);
}

static void
reply_with_error (BoshClient      *self,
                  BoshElement     *request,
                  BoshStanzaError  condition)
{
  g_autoptr(BoshElement) reply = NULL;

  /* Where it can't be sent any more, nobody waits for it any more. */
  reply = bosh_element_new_error_reply (request, condition, NULL);
  bosh_connection_send (self->connection, reply, NULL);
}

static gboolean
is_ping (BoshElement *request)
{
  return g_strcmp0 (bosh_element_get_attribute (request, "type"), "get") == 0 &&
         bosh_element_get_child (request, "ping", BOSH_NS_PING) != NULL;
}

gboolean
client_handle_response (BoshClient  *self,
                        BoshElement *element)
{
  return self->iqs != NULL && is_iq (element) &&
         bosh_iq_tracker_handle (self->iqs, element, self->domain, self->jid);
}

gboolean
client_awaits_response (BoshClient  *self,
                        BoshElement *element)
{
  const char *id = bosh_element_get_attribute (element, "id");
  const char *type = bosh_element_get_attribute (element, "type");

  /* An answer of ours may have the same id. */
  return self->iqs != NULL && id != NULL && is_iq (element) &&
         (g_strcmp0 (type, "get") == 0 || g_strcmp0 (type, "set") == 0) &&
         bosh_iq_tracker_has (self->iqs, id);
}

void
client_fail_requests (BoshClient   *self,
                      const GError *error)
{
  if (self->iqs != NULL)
    bosh_iq_tracker_fail_all (self->iqs, error);
}

void
client_handle_request (BoshClient  *self,
                       BoshElement *request)
{
  const char *type = bosh_element_get_attribute (request, "type");

  /* Whoever has no JID yet can't be asked for anything. */
  if (!is_iq (request) || self->jid == NULL || self->state == BOSH_CLIENT_STATE_CLOSED ||
      self->state == BOSH_CLIENT_STATE_RECONNECTING)
    return;
  if (g_strcmp0 (type, "result") == 0 || g_strcmp0 (type, "error") == 0)
    return;

  /* RFC 6120 §8.2.3: of a known type, with an id and exactly one child. */
  if ((g_strcmp0 (type, "get") != 0 && g_strcmp0 (type, "set") != 0) ||
      bosh_element_get_attribute (request, "id") == NULL ||
      bosh_element_get_n_children (request) != 1)
    {
      reply_with_error (self, request, BOSH_STANZA_ERROR_BAD_REQUEST);
      return;
    }

  if (client_emit_iq_request (self, request))
    return;

  if (is_ping (request))
    {
      g_autoptr(BoshElement) reply = bosh_element_new_iq_result (request, NULL);

      bosh_connection_send (self->connection, reply, NULL);
    }
  else
    reply_with_error (self, request, BOSH_STANZA_ERROR_SERVICE_UNAVAILABLE);
}

/* The request with an id that no other has that waits. */
static BoshElement *
prepare_iq (BoshClient   *self,
            BoshElement  *iq,
            GError      **error)
{
  const char *type = bosh_element_get_attribute (iq, "type");
  const char *id = bosh_element_get_attribute (iq, "id");
  g_autoptr(BoshElement) prepared = NULL;
  g_autofree char *new_id = NULL;

  if (!is_iq (iq) || (g_strcmp0 (type, "get") != 0 && g_strcmp0 (type, "set") != 0))
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_STANZA,
                           _("Only an iq of type get or set has an answer"));
      return NULL;
    }

  if (id != NULL)
    {
      if (self->iqs == NULL || !bosh_iq_tracker_has (self->iqs, id))
        return bosh_element_ref (iq);
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_STANZA,
                           _("Another request with the same id waits for its answer"));
      return NULL;
    }

  /* Nobody shall guess it: RFC 6120 §8.1.3. */
  new_id = g_uuid_string_random ();
  prepared = bosh_element_is_sealed (iq) ? bosh_element_copy (iq) : bosh_element_ref (iq);
  bosh_element_set_attribute (prepared, "id", new_id);

  return g_steal_pointer (&prepared);
}

/**
 * bosh_client_send_iq_async:
 * @self: a client
 * @iq: an iq of type `get` or `set`
 * @timeout: how long to wait for the answer, in seconds; 0 for 60 seconds,
 *   `G_MAXUINT` for as long as the session lives
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the answer came
 * @user_data: data for @callback
 *
 * Sends a request and waits for its answer (RFC 6120 §8.2.3).
 *
 * A request without an id gets one that nobody can guess; if it is sealed
 * already, a copy is sent. The answer is the one with the same id that comes
 * from the address that the request went to; a request without `to` goes to
 * our own account, for which the server answers (RFC 6120 §8.1.2.1).
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
                           guint                timeout,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  g_autoptr(BoshElement) request = NULL;
  GError *error = NULL;

  g_return_if_fail (BOSH_IS_CLIENT (self));
  g_return_if_fail (iq != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_client_send_iq_async);
  if (g_task_return_error_if_cancelled (task))
    return;

  request = prepare_iq (self, iq, &error);
  if (request == NULL || !client_send (self, request, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  if (self->iqs == NULL)
    self->iqs = bosh_iq_tracker_new (g_task_get_context (task));
  bosh_iq_tracker_add (self->iqs, request,
                       timeout == 0 ? DEFAULT_TIMEOUT : timeout,
                       g_steal_pointer (&task));
}

/**
 * bosh_client_send_iq_finish:
 * @self: a client
 * @result: the result given to the callback
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends [method@Bosh.Client.send_iq_async].
 *
 * An answer of type `error` is a [error@Bosh.StanzaError]. Other errors are
 * `BOSH_ERROR_TIMED_OUT`, `BOSH_ERROR_INVALID_STANZA` for what is
 * no request, those of [method@Bosh.Connection.send], and that with which the
 * session ended.
 *
 * Returns: (transfer full): the answer, an iq of type `result`, or `NULL` on
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
