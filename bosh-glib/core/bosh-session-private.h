/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The state machine of one BOSH session: XEP-0124 without I/O, clock or randomness.
 * Feed an input, drain the actions, ask for the deadline. Times are microseconds of a
 * clock that never goes backwards. See bosh-session-save-private.h for sessions that
 * outlive their process. */

#pragma once

#include "bosh-http-response-private.h"
#include "bosh-session-snapshot-private.h"
#include "bosh-session-types-private.h"

G_BEGIN_DECLS

BoshSession      *bosh_session_new                 (const BoshSessionParameters *parameters);
void              bosh_session_free                (BoshSession                 *self);

/* --- Inputs of the owner --- */

/* Creates the session, or resumes a saved one. */
void              bosh_session_open                (BoshSession *self,
                                                    gint64       now);
/* Whether a stanza could be queued in a session with this limit. Seals it if so. */
gboolean          bosh_session_check_payload       (BoshElement  *payload,
                                                    gsize         max_request_size,
                                                    GError      **error);
/* Queues a stanza and seals it. Fails, with nothing queued, if it can't be sent.
 * @serial: (out) (optional): its number in DELIVERED */
gboolean          bosh_session_queue               (BoshSession  *self,
                                                    BoshElement  *payload,
                                                    guint64      *serial,
                                                    GError      **error);
/* Queues a reply that the owner did not ask for. FALSE if it can't be sent, or if too much
 * waits already: such replies must not take more memory than there is to spare. */
gboolean          bosh_session_queue_automatic     (BoshSession *self,
                                                    BoshElement *reply);
/* Makes the server respond soon, because the delivery of what is queued is awaited. */
void              bosh_session_hasten              (BoshSession                 *self);
/* Restarts the first stream.
 * @from: (nullable): the JID after SASL EXTERNAL (XEP-0206 §5) */
gboolean          bosh_session_restart             (BoshSession  *self,
                                                    const char   *from,
                                                    GError      **error);
gboolean          bosh_session_pause               (BoshSession  *self,
                                                    guint         seconds,
                                                    GError      **error);
void              bosh_session_resume              (BoshSession                 *self);
/* @payload: (nullable): goes with the terminate request, after all that is queued */
gboolean          bosh_session_terminate           (BoshSession  *self,
                                                    BoshElement  *payload,
                                                    GError      **error);
/* Stops at once. Returns: the number with which another client may go on */
guint64           bosh_session_detach              (BoshSession                 *self);
/* Stops as soon as nothing can be lost by it; HANDED_OVER follows. */
gboolean          bosh_session_hand_over           (BoshSession  *self,
                                                    GError      **error);
/* Gives up the hand-over: the session goes on. */
void              bosh_session_cancel_hand_over    (BoshSession                 *self);
/* Ends the session at once, without telling the server. @error: (transfer full) */
void              bosh_session_abort               (BoshSession *self,
                                                    GError      *error);
/* While TRUE, no empty request is sent, as the caller is about to queue something. */
void              bosh_session_set_reply_expected  (BoshSession *self,
                                                    gboolean     expected);

/* --- Inputs of the network --- */

/* The last byte of the request has been written. */
void              bosh_session_handle_written      (BoshSession *self,
                                                    guint64      rid,
                                                    gint64       now);
/* Bytes of a response have come, and it is not complete. */
void              bosh_session_handle_progress     (BoshSession *self,
                                                    guint64      rid,
                                                    gint64       now);
void              bosh_session_handle_response     (BoshSession            *self,
                                                    guint64                 rid,
                                                    const BoshHttpResponse *response,
                                                    gint64                  now);
/* @error says what failed; the session may end by a copy of it. */
void              bosh_session_handle_failure      (BoshSession  *self,
                                                    guint64       rid,
                                                    BoshFailure   failure,
                                                    const GError *error,
                                                    gint64        now);
/* The network has changed: scheduled retransmissions are sent now, and what is in
 * flight is sent again in a moment, as its connections may be gone. */
void              bosh_session_handle_network      (BoshSession *self,
                                                    gint64       now);
/* The machine was asleep: the same without the moment. */
void              bosh_session_handle_wake         (BoshSession *self,
                                                    gint64       now);

/* --- Actions --- */

/* Decides what to do next. Returns: whether there are actions to be drained */
gboolean          bosh_session_advance             (BoshSession *self,
                                                    gint64       now);
/* Advances the session, and takes its first action. Payloads come before requests, so
 * that a reply to them goes with the next request. FALSE: there is nothing to do
 * until the next input, or until the deadline. */
gboolean          bosh_session_next_action         (BoshSession *self,
                                                    BoshAction  *action,
                                                    gint64       now);
/* When to advance the session without an input, or -1. To be asked for after one of
 * the two above has returned FALSE. */
gint64            bosh_session_get_deadline        (BoshSession                 *self);

/* The number of the request whose response is handed out next, for which the responses to
 * later ones have to wait; 0 if there is none. */
guint64           bosh_session_get_next_response   (BoshSession *self);

/* --- State --- */

BoshSessionState  bosh_session_get_state           (BoshSession                 *self);
const char       *bosh_session_get_id              (BoshSession                 *self);
guint64           bosh_session_get_last_rid        (BoshSession                 *self);
guint             bosh_session_get_wait            (BoshSession                 *self);
guint             bosh_session_get_hold            (BoshSession                 *self);
guint             bosh_session_get_requests        (BoshSession                 *self);
guint             bosh_session_get_inactivity      (BoshSession                 *self);
guint             bosh_session_get_polling         (BoshSession                 *self);
guint             bosh_session_get_max_pause       (BoshSession                 *self);
const char       *bosh_session_get_charsets        (BoshSession                 *self);
/* The status of the last HTTP response where that was no usable BOSH response, or 0. */
guint             bosh_session_get_http_status     (BoshSession                 *self);
/* The address that came with `see-other-uri`, unchecked; nullable. */
const char       *bosh_session_get_see_other_uri   (BoshSession                 *self);
guint             bosh_session_get_n_queued        (BoshSession                 *self);
guint             bosh_session_get_n_in_flight_for_tests (BoshSession           *self);
/* The stanzas, in order, that may have been sent and are not known to have arrived. */
GPtrArray        *bosh_session_dup_undelivered     (BoshSession                 *self);
/* The stanzas, in order, that were certainly not sent. */
GPtrArray        *bosh_session_dup_unsent          (BoshSession                 *self);
/* The same for the first stream only. */
GPtrArray        *bosh_session_dup_unsent_on_first (BoshSession                 *self);

/* --- Several streams (§16) --- */

/* Each of these fails with NOT_SUPPORTED if the server supports one stream only. */

/* STREAM_OPENED, or STREAM_CLOSED, with @serial follows. */
gboolean          bosh_session_open_stream         (BoshSession  *self,
                                                    const char   *to,
                                                    const char   *from,
                                                    guint64      *serial,
                                                    GError      **error);
/* STREAM_CLOSED with @serial follows. The last open stream ends the session with it:
 * then @serial is 0, and CLOSED follows. */
gboolean          bosh_session_close_stream        (BoshSession  *self,
                                                    const char   *name,
                                                    BoshElement  *payload,
                                                    guint64      *serial,
                                                    GError      **error);
/* Queues for one stream, or for all open ones if @name is NULL. */
gboolean          bosh_session_queue_to            (BoshSession  *self,
                                                    BoshElement  *payload,
                                                    const char   *name,
                                                    guint64      *serial,
                                                    GError      **error);
/* RESTARTED with @serial follows. */
gboolean          bosh_session_restart_stream      (BoshSession  *self,
                                                    const char   *name,
                                                    guint64      *serial,
                                                    GError      **error);
/* The names of the open streams, the first at index 0; empty if they have none. */
GStrv             bosh_session_dup_streams         (BoshSession                 *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshSession, bosh_session_free)

G_END_DECLS
