/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-json-private.h"

#include <string.h>

/* FALSE for what json-glib must not see: nesting that would exhaust its stack,
 * more values than memory is meant for, and the constructs that it takes though
 * they are no JSON (comments, assignments, strings in apostrophes), so that what
 * is counted here is what it reads. */
static gboolean
is_harmless (const char *json,
             gsize       length)
{
  gboolean in_string = FALSE;
  guint depth = 0;
  guint values = 0;

  for (gsize i = 0; i < length; i++)
    {
      char c = json[i];

      if (in_string)
        {
          if (c == '\\')
            i++;
          else if (c == '"')
            in_string = FALSE;
          continue;
        }

      if (c == '"')
        in_string = TRUE;
      else if (c == '{' || c == '[')
        depth++;
      else if ((c == '}' || c == ']') && depth > 0)
        depth--;
      else if (!g_ascii_isalnum (c) && strchr (" \t\r\n:,+-.", c) == NULL)
        return FALSE;

      if (c == '{' || c == '[' || c == ',')
        values++;
      if (depth > BOSH_JSON_MAX_DEPTH || values > BOSH_JSON_MAX_VALUES)
        return FALSE;
    }

  return TRUE;
}

JsonObject *
bosh_json_parse_object (const char *json,
                        gsize       length)
{
  g_autoptr(JsonParser) parser = NULL;
  JsonNode *root;

  if (!g_utf8_validate_len (json, length, NULL) || !is_harmless (json, length))
    return NULL;

  parser = json_parser_new_immutable ();
  if (!json_parser_load_from_data (parser, json, length, NULL))
    return NULL;

  root = json_parser_get_root (parser);

  return root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_dup_object (root) : NULL;
}
