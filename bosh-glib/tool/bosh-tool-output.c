/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-tool-output.h"
#include "bosh-tool-file.h"
#include "bosh-tool-options.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

#define NS_CLIENT "jabber:client"

/* The next file that is opened would get the number of a closed descriptor, and what is
 * printed would go there. What comes in its place fails in the same way when it is used. */
static void
fill_gaps (void)
{
  static const int flags[] = {
    [STDIN_FILENO] = O_WRONLY,
    [STDOUT_FILENO] = O_RDONLY,
    [STDERR_FILENO] = O_RDONLY,
  };

  for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
    if (fcntl (i, F_GETFD) < 0 && open ("/dev/null", flags[i]) != i)
      _exit (TOOL_EXIT_FAILURE);
}

/* GLib prints help and version, and does not look whether that succeeds. */
static void
close_output (void)
{
  gboolean has_failed = ferror (stdout) != 0;

  if (fclose (stdout) == 0 && !has_failed)
    return;

  tool_output_print_error (_("Can't write to the standard output"));
  _exit (TOOL_EXIT_FAILURE);
}

void
tool_output_init (void)
{
  fill_gaps ();
  atexit (close_output);
}

gboolean
tool_output_print (const char  *line,
                   GError     **error)
{
  g_autofree char *text = g_strconcat (line, "\n", NULL);

  /* Not by way of stdout, which can't wait where the descriptor does not block. */
  return tool_file_write (STDOUT_FILENO, text, _("standard output"), error);
}

/* What a terminal or the reader of a log may take for something else than text: control
 * characters of both sets, what changes the direction of the text or is not visible, ends
 * of lines. */
static gboolean
is_plain (gunichar character)
{
  return g_unichar_isprint (character) &&
         g_unichar_type (character) != G_UNICODE_LINE_SEPARATOR &&
         g_unichar_type (character) != G_UNICODE_PARAGRAPH_SEPARATOR;
}

char *
tool_output_escape (const char *xml)
{
  g_autofree char *valid = g_utf8_make_valid (xml, -1);
  GString *line = g_string_sized_new (strlen (valid));

  for (const char *position = valid; *position != '\0'; position = g_utf8_next_char (position))
    {
      gunichar character = g_utf8_get_char (position);

      if (is_plain (character))
        g_string_append_unichar (line, character);
      else
        g_string_append_printf (line, "&#%u;", character);
    }

  return g_string_free (line, FALSE);
}

/* Takes the ownership of @json, in which such characters stand in strings only. */
static char *
escape_json (char *json)
{
  g_autofree char *text = json;
  GString *line = g_string_sized_new (strlen (text));

  for (const char *position = text; *position != '\0'; position = g_utf8_next_char (position))
    {
      gunichar character = g_utf8_get_char (position);

      if (is_plain (character))
        g_string_append_unichar (line, character);
      /* RFC 8259 §7: beyond 16 bits, the two surrogates of UTF-16. */
      else if (character < 0x10000)
        g_string_append_printf (line, "\\u%04x", character);
      else
        g_string_append_printf (line, "\\u%04x\\u%04x", 0xd7c0 + (character >> 10),
                                0xdc00 + (character & 0x3ff));
    }

  return g_string_free (line, FALSE);
}

void
tool_output_print_error (const char *message)
{
  g_autofree char *valid = g_utf8_make_valid (message, -1);
  g_autofree char *text = NULL;

  /* What a server says in it must not reach the terminal as commands. */
  for (char *position = valid; *position != '\0'; position = g_utf8_next_char (position))
    if (g_ascii_iscntrl (*position))
      *position = ' ';
  text = tool_output_escape (valid);
  g_printerr ("bosh-tool: %s\n", text);
}

void
tool_output_trace (const char *direction,
                   const char *body)
{
  g_autofree char *line = tool_output_escape (body);

  g_printerr ("%s%s\n", direction, line);
}

char *
tool_output_stanza_to_xml (BoshElement *stanza)
{
  g_autofree char *xml = bosh_element_to_string (stanza);

  return tool_output_escape (xml);
}

static void
add_member (JsonBuilder *builder,
            const char  *name,
            const char  *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

char *
tool_output_stanza_to_json (BoshElement *stanza)
{
  static const char * const attributes[] = { "from", "to", "type", "id" };
  g_autoptr(JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr(JsonGenerator) generator = json_generator_new ();
  g_autoptr(JsonNode) root = NULL;
  g_autofree char *body = bosh_element_dup_child_text (stanza, "body", NS_CLIENT);
  g_autofree char *xml = bosh_element_to_string (stanza);

  json_builder_begin_object (builder);
  add_member (builder, "name", bosh_element_get_name (stanza));
  for (guint i = 0; i < G_N_ELEMENTS (attributes); i++)
    add_member (builder, attributes[i],
                bosh_element_get_attribute (stanza, attributes[i]));
  add_member (builder, "body", body);
  add_member (builder, "xml", xml);
  json_builder_end_object (builder);

  root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);

  return escape_json (json_generator_to_data (generator, NULL));
}

char *
tool_output_strings_to_json (const char * const *strings)
{
  g_autoptr(JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr(JsonNode) root = NULL;

  json_builder_begin_array (builder);
  for (gsize i = 0; strings[i] != NULL; i++)
    json_builder_add_string_value (builder, strings[i]);
  json_builder_end_array (builder);
  root = json_builder_get_root (builder);

  return escape_json (json_to_string (root, FALSE));
}
