/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Reads a saved session, from standard input for "-". A file stays locked as
 * long as *@lock is open, so that the session has one owner; -1 if nothing could
 * be locked. */
char *tool_file_read_session (const char  *path,
                              int         *lock,
                              GError     **error);

G_END_DECLS
