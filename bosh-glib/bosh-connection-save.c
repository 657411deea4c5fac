/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-connection-internal.h"

#include "bosh-saved-session-private.h"
#include "bosh-session-save-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"

BoshSavedSession *
connection_dup_saved (BoshConnection *self)
{
  g_autofree char *uri = bosh_transport_dup_uri (self->transport);
  g_auto(GStrv) cookies = bosh_transport_dup_cookies (self->transport);

  return bosh_saved_session_new_from_saved (uri, self->jid,
                                            bosh_session_save (self->session),
                                            (const char * const *)cookies);
}

/**
 * bosh_connection_save:
 * @self: an open connection
 * @error: return location for an error
 *
 * Takes a snapshot of the session, with which another process goes on after
 * this one has died. The session goes on here, and nothing changes.
 *
 * The snapshot has all that is needed: the requests that have no answer, which
 * are then repeated byte by byte (XEP-0124 §14.3), the position in the key
 * sequence (§15), what was queued and not sent, what arrived and was not
 * handed out yet, and the cookies of the connection manager.
 *
 * ## When to save
 *
 * Each time that [property@Bosh.Connection:request-id] changes, in the handler
 * of `notify::request-id` itself: it is called when a new request is complete
 * and before the first byte of it leaves. A snapshot that was kept there is
 * never behind what the server has seen. One that is older by a request may be
 * of no use any more, because the server keeps only its last answers.
 *
 * Save also when a stanza was dealt with, in the handler of
 * [signal@Bosh.Connection::stanza] for instance, if that stanza must not come
 * again.
 *
 * Keep the text of [method@Bosh.SavedSession.to_json] in a file that is
 * replaced as a whole ([func@GLib.file_set_contents_full] with
 * `G_FILE_SET_CONTENTS_CONSISTENT` and the mode 0600, as it has secrets), and
 * give it to [method@Bosh.Connection.attach_async] or
 * [method@Bosh.Client.attach_async] in the new process.
 *
 * ## What is certain
 *
 * - What was queued when the snapshot was taken arrives, once. What was queued
 *   after it is not known to it, and did not leave either if each new request
 *   id was saved: send it again.
 * - What was handed out before the snapshot does not come again; what was
 *   handed out after it comes again, in the same order. So an application that
 *   keeps what it did with a stanza in the same file as the snapshot, or in
 *   the same transaction, deals with each stanza exactly once.
 *
 * ## What is not
 *
 * - The session must be taken up within
 *   [property@Bosh.Connection:inactivity] seconds. When it is too late, or the
 *   session has ended in another way, the attempt fails once with
 *   `BOSH_ERROR_ITEM_NOT_FOUND`: throw the snapshot away and log in anew.
 * - That a stream is to be opened, closed or restarted is not in the snapshot
 *   before the request for it is made.
 * - A snapshot that was taken while a login is under way is of no use, as
 *   nobody can go on with the login.
 * - A session has one owner. The process that saved must be dead when another
 *   one takes the session up; lock the file (`flock`) to be sure. Throw the
 *   file away, before the call, when the session is to be ended or handed
 *   over.
 *
 * It can be called at any time, from any handler, also while the server can't
 * be reached. It fails with `BOSH_ERROR_NOT_CONNECTED` where there is no
 * session, not yet or not any more, and with `BOSH_ERROR_DETACHED` when it was
 * handed over.
 *
 * Returns: (transfer full): what is needed to go on, or `NULL` on error
 *
 * Since: 1.0
 */
BoshSavedSession *
bosh_connection_save (BoshConnection  *self,
                      GError         **error)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (self->session == NULL)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                           _("There is no session yet"));
      return NULL;
    }
  if (!bosh_session_check_savable (self->session, error))
    return NULL;

  return connection_dup_saved (self);
}
