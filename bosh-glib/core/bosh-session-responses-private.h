/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-http-response-private.h"
#include "bosh-session-state-private.h"

G_BEGIN_DECLS

/* Bytes of a response have come. @request was in flight. */
void session_handle_progress   (BoshSession *self,
                                Request     *request,
                                gint64       now);
/* An exchange has brought an HTTP response. @request was in flight. */
void session_handle_response   (BoshSession            *self,
                                Request                *request,
                                const BoshHttpResponse *response,
                                gint64                  now);
/* An exchange has failed. @request was in flight. */
void session_handle_failure    (BoshSession  *self,
                                Request      *request,
                                BoshFailure   failure,
                                const GError *error,
                                gint64        now);

/* An attempt has failed without a response of the connection manager: schedules a
 * retransmission, or ends the session by @error.
 * @retry_after: the seconds that an HTTP response asks to wait, or -1 */
void session_fail_attempt      (BoshSession  *self,
                                Request      *request,
                                const GError *error,
                                int           retry_after,
                                gint64        now);
/* Closes the exchange of the request and schedules a retransmission. */
void session_repeat            (BoshSession *self,
                                Request     *request,
                                gint64       at);
/* It can't be known whether the server has the stanzas up to @serial. */
void session_doubt_delivery    (BoshSession *self,
                                guint64      serial);
/* Hands out the responses of which no earlier one is missing (§14.2). */
void session_process_responses (BoshSession *self,
                                gint64       now);

G_END_DECLS
