/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-tool-output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

#define NS_CLIENT "jabber:client"

gboolean
tool_output_print (const char  *line,
                   GError     **error)
{
  if (fputs (line, stdout) == EOF ||
      fputc ('\n', stdout) == EOF ||
      fflush (stdout) == EOF)
    {
      int saved_errno = errno;

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno),
                   _("Can't write to the standard output: %s"),
                   g_strerror (saved_errno));
      return FALSE;
    }

  return TRUE;
}

char *
tool_output_escape (const char *xml)
{
  g_autofree char *valid = g_utf8_make_valid (xml, -1);
  GString *line = g_string_sized_new (strlen (valid));

  for (const char *position = valid; *position != '\0'; position = g_utf8_next_char (position))
    {
      gunichar character = g_utf8_get_char (position);

      if (g_unichar_iscntrl (character))
        g_string_append_printf (line, "&#%u;", character);
      else
        g_string_append_unichar (line, character);
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

  return json_generator_to_data (generator, NULL);
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

  return json_to_string (root, FALSE);
}
