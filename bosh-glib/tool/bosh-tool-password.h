/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The password for @jid: from the file @path (nullable; "-" is the standard
 * input), else from the environment, else asked for on the terminal. Never
 * empty; free with tool_password_free(), which wipes it. */
char     *tool_password_read (const char  *path,
                              const char  *jid,
                              GError     **error);
/* Takes a password out of the environment, where it is overwritten. NULL if there is none. */
gboolean  tool_password_take (const char  *variable,
                              char       **password,
                              GError     **error);
void      tool_password_free (char        *password);

typedef char ToolPassword;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolPassword, tool_password_free)

G_END_DECLS
