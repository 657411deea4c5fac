/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-json-private.h"

#include <string.h>

/* The quotation mark at the end of the string of which @text is the content, or
 * NULL where it has none, or an escape that is not valid (RFC 8259 §7). */
static const char *
find_string_end (const char *text,
                 const char *end)
{
  gboolean is_half = FALSE;

  for (const char *p = text; p < end; p++)
    {
      int unit = 0;

      if (*p == '"')
        return is_half ? NULL : p;

      if (*p == '\\')
        {
          guint n_digits;

          if (++p == end || *p == '\0' || strchr ("\"\\/bfnrtu", *p) == NULL)
            return NULL;

          n_digits = *p == 'u' ? 4 : 0;
          for (; n_digits > 0 && p + 1 < end && g_ascii_isxdigit (p[1]); n_digits--)
            unit = unit * 16 + g_ascii_xdigit_value (*++p);
          if (n_digits > 0)
            return NULL;
        }

      /* The halves of a surrogate pair come together or not at all. */
      if (is_half != ((unit & 0xfc00) == 0xdc00))
        return NULL;
      is_half = (unit & 0xfc00) == 0xd800;
    }

  return NULL;
}

/* FALSE for what json-glib must not see: nesting that would exhaust its stack,
 * more values than memory is meant for, and the constructs that it takes though
 * they are no JSON (comments, assignments, strings in apostrophes), so that what
 * is counted here is what it reads. Also strings with a bad escape, and what is
 * not one object alone: it leaks memory with them. */
static gboolean
is_harmless (const char *json,
             gsize       length)
{
  const char *end = json + length;
  guint depth = 0;
  guint values = 0;

  for (const char *p = json; p < end; p++)
    {
      if (depth == 0 && !g_ascii_isspace (*p) && (*p != '{' || values > 0))
        return FALSE;

      if (*p == '"')
        {
          p = find_string_end (p + 1, end);
          if (p == NULL)
            return FALSE;
        }
      else if (*p == '{' || *p == '[')
        depth++;
      else if (*p == '}' || *p == ']')
        depth--;
      else if (!g_ascii_isalnum (*p) && (*p == '\0' || strchr (" \t\r\n:,+-.", *p) == NULL))
        return FALSE;

      if (*p == '{' || *p == '[' || *p == ',')
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
