/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-body-private.h"
#include "bosh-session-state-private.h"

G_BEGIN_DECLS

Stream     *session_get_first_stream    (BoshSession       *self);
/* Returns: (nullable) */
Stream     *session_find_stream         (BoshSession *self,
                                         const char  *name);
Stream     *session_add_stream          (BoshSession *self,
                                         const char  *name);
gboolean    session_has_streams         (BoshSession       *self);
guint       session_count_open_streams  (BoshSession       *self);
/* The name to write in a request, if any (§16.4). */
const char *session_get_stream_name     (BoshSession *self,
                                         Stream      *stream);
/* One stream has ended. @error: (transfer full) (nullable) */
void        session_close_stream        (BoshSession *self,
                                         Stream      *stream,
                                         GError      *error);

/* Whether a response ends the session, and not one stream among several. */
gboolean    session_is_end              (BoshSession      *self,
                                         BoshResponseBody *body);
/* Handles the end of one stream among several, or its fatal error (§16.5, §16.6).
 * FALSE if the response ends the session. */
gboolean    session_handle_stream_end   (BoshSession      *self,
                                         BoshResponseBody *body);
/* The stream of the payloads of a response, or NULL if they are to be dropped.
 * @known: whether the session can go on (§16.4) */
Stream     *session_get_response_stream (BoshSession      *self,
                                         BoshResponseBody *body,
                                         gboolean         *known);

G_END_DECLS
