/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Reads a saved session, from standard input for "-". A path leads to a regular file or a
 * pipe: others may have no end. A file stays locked as long as *@lock is open, so that the
 * session has one owner; -1 if nothing could be locked. */
char     *tool_file_read_session    (const char  *path,
                                     int         *lock,
                                     GError     **error);

/* Writes all of @text. @path is what the error calls the file. */
gboolean  tool_file_write           (int          descriptor,
                                     const char  *text,
                                     const char  *path,
                                     GError     **error);
void      tool_file_set_write_error (GError     **error,
                                     int          error_number,
                                     const char  *path);

G_END_DECLS
