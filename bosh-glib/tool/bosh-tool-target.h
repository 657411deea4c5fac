/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A file that is written at the end, of which it is certain at the start that this will
 * succeed: a session that can't be written would be lost. What is written goes to a
 * temporary file beside it, which takes its place as a whole. */
typedef struct _ToolTarget ToolTarget;

/* Refuses a path that leads to something else than a regular file, or to one that the user
 * may not write. A symbolic link is followed. */
ToolTarget *tool_target_open  (const char  *path,
                               GError     **error);
/* Removes the temporary file, unless it was written. */
void        tool_target_free  (ToolTarget  *self);

/* Puts @text into the file, which the user alone can read then. To be called once. */
gboolean    tool_target_write (ToolTarget  *self,
                               const char  *text,
                               GError     **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ToolTarget, tool_target_free)

G_END_DECLS
