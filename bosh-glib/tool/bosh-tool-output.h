/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <bosh-glib/bosh-glib.h>

G_BEGIN_DECLS

/* Puts something in the place of standard descriptors that are closed, and lets the process
 * fail if its output could not be written. To be called before any file is opened. */
void      tool_output_init          (void);

/* One line on the standard output, at once. Text of the server must go through
 * tool_output_escape() before. */
gboolean  tool_output_print         (const char   *line,
                                     GError      **error);
/* The message on one line of the standard error. */
void      tool_output_print_error   (const char   *message);
/* A body on the wire, on one line of the standard error. */
void      tool_output_trace         (const char   *direction,
                                     const char   *body);

/* XML that means the same, on one line, in which all is visible and stands in its order. */
char     *tool_output_escape        (const char   *xml);
char     *tool_output_stanza_to_xml (BoshElement  *stanza);
/* One JSON array of strings on one line. */
char     *tool_output_strings_to_json (const char * const *strings);
/* One JSON object on one line. */
char     *tool_output_stanza_to_json (BoshElement *stanza);

G_END_DECLS
