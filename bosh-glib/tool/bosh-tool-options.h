/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <bosh-glib/bosh-glib.h>

G_BEGIN_DECLS

typedef enum {
  TOOL_COMMAND_PREBIND,
  TOOL_COMMAND_SEND,
  TOOL_COMMAND_LISTEN,
  TOOL_COMMAND_DISCOVER,
} ToolCommand;

/* What the process tells by its exit status. One that was interrupted adds the
 * number of the signal to TOOL_EXIT_SIGNAL, as a shell does. */
typedef enum {
  TOOL_EXIT_OK = 0,
  TOOL_EXIT_FAILURE = 1,
  TOOL_EXIT_USAGE = 2,
  TOOL_EXIT_AUTHENTICATION = 3,
  TOOL_EXIT_REFUSED = 4,
  TOOL_EXIT_SIGNAL = 128,
} ToolExit;

/* Wrong use of the command line, besides what GOption finds itself. */
#define TOOL_USAGE_ERROR (tool_usage_error_quark ())
GQuark tool_usage_error_quark (void);

typedef struct {
  ToolCommand command;

  /* Where and how to connect. */
  char *uri;
  char *ca_file;
  char *proxy;
  int wait;
  int timeout;
  gboolean verbose;

  /* Who logs in. */
  char *username;
  char *domain;
  char *resource;
  char *password_file;
  gboolean anonymous;
  gboolean insecure_plain;
  gboolean key_sequence;

  /* Or which session goes on. */
  char *session_file;
  char *detach_file;

  gboolean json;
  int count;

  /* Of send. */
  char *to;
  char *text;
  gboolean confirm;

  /* Of listen: the name of the stanzas to print, or NULL for all. */
  char *only;
} ToolOptions;

/* Prints and ends the process for --help and --version. */
gboolean tool_options_parse (ToolOptions   *options,
                             char         **arguments,
                             GError       **error);
void     tool_options_clear (ToolOptions   *options);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ToolOptions, tool_options_clear)

G_END_DECLS
