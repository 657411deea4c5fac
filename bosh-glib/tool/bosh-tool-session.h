/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <bosh-glib/bosh-glib.h>

#include "bosh-tool-options.h"

G_BEGIN_DECLS

/* One session on the default main context, from its start to its end. What
 * takes time runs the context until it is done; SIGINT, SIGTERM, SIGHUP or the timeout
 * break it off. A second SIGINT or SIGTERM ends the process at once. */
typedef struct _ToolSession ToolSession;

/* The message came back. */
#define TOOL_REFUSED_ERROR (tool_refused_error_quark ())
GQuark               tool_refused_error_quark     (void);

ToolSession         *tool_session_new             (const ToolOptions    *options);
void                 tool_session_free            (ToolSession          *self);

/* Connects @handler to BoshClient::stanza. To be called before the session is
 * opened, so that @handler sees the stanzas in the first response too. */
void                 tool_session_set_stanza_handler (ToolSession       *self,
                                                   GCallback             handler,
                                                   gpointer              user_data);

/* The addresses that the domain announces: BoshConnectionConfiguration. */
GPtrArray           *tool_session_discover        (ToolSession          *self,
                                                   GError              **error);

/* Logs in as the options say, and hands the session over before anything else happens in
 * it. */
BoshSavedSession    *tool_session_prebind         (ToolSession          *self,
                                                   const char           *password,
                                                   GError              **error);

/* Log in as the options say, or go on with @saved. */
gboolean             tool_session_log_in          (ToolSession          *self,
                                                   const char           *password,
                                                   GError              **error);
gboolean             tool_session_attach          (ToolSession          *self,
                                                   BoshSavedSession     *saved,
                                                   GError              **error);

/* Sends @message and terminates the session. Before that it waits a moment for an error
 * that the message comes back with, which is TOOL_REFUSED_ERROR; with --confirm the moment
 * begins when the server has the message. The termination does not wait for the response to
 * the request with the message, because a server that has nothing to send holds that request
 * until the next one arrives. Succeeds only if that response arrives in the end. */
gboolean             tool_session_send_last       (ToolSession          *self,
                                                   BoshElement          *message,
                                                   GError              **error);

/* Both stop after a few seconds; the end then is the server's own, after its
 * time of inactivity. */
BoshSavedSession    *tool_session_detach          (ToolSession          *self,
                                                   GError              **error);
void                 tool_session_end             (ToolSession          *self);

BoshClient          *tool_session_get_client      (ToolSession          *self);
/* The signal that asked for the end, or 0. */
int                  tool_session_get_signal      (ToolSession          *self);
/* Runs the context until there is something to do. FALSE with @error when the
 * session has ended; FALSE without when a signal came. */
gboolean             tool_session_iterate         (ToolSession          *self,
                                                   GError              **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolSession, tool_session_free)

G_END_DECLS
