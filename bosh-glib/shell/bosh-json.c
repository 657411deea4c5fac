/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JsonParser of json-glib before 1.10 has no strict mode: it reads comments, assignments
 * and strings in apostrophes, recurses as deep as the text says, and leaks memory where
 * more follows the first value. There, a scanner of our own refuses such text before the
 * parser sees it. It can go when json-glib 1.10 is required. */

#include "config.h"

#include "bosh-json-private.h"

#include "bosh-limits-private.h"

#include <string.h>

static gsize
get_max_values (gsize length)
{
  return MAX (BOSH_JSON_MAX_VALUES, length / BOSH_JSON_MIN_VALUE_SIZE);
}

#if JSON_CHECK_VERSION(1, 10, 0)

/* JsonParser has a limit of nesting, but none of values. */
static gboolean
is_harmless (const char *json,
             gsize       length)
{
  gsize max_values = get_max_values (length);
  gboolean in_string = FALSE;
  gsize n_values = 0;

  for (gsize i = 0; i < length && n_values <= max_values; i++)
    {
      if (json[i] == '"')
        in_string = !in_string;
      else if (in_string && json[i] == '\\')
        i++;
      else if (!in_string && (json[i] == '{' || json[i] == '[' || json[i] == ','))
        n_values++;
    }

  return n_values <= max_values;
}

#else

#define MAX_DEPTH 16

/* The quotation mark at the end of the string whose content starts at @text, or NULL if it
 * has no end, or an escape that is not valid (RFC 8259 §7). */
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

/* FALSE for anything but one object within the limits. Outside of strings only those
 * characters pass with which the parser reads what is counted here. */
static gboolean
is_harmless (const char *json,
             gsize       length)
{
  const char *end = json + length;
  gsize max_values = get_max_values (length);
  guint depth = 0;
  gsize n_values = 0;

  for (const char *p = json; p < end; p++)
    {
      if (depth == 0 && !g_ascii_isspace (*p) && (*p != '{' || n_values > 0))
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
        n_values++;
      if (depth > MAX_DEPTH || n_values > max_values)
        return FALSE;
    }

  return TRUE;
}

#endif

JsonObject *
bosh_json_parse_object (const char *json,
                        gsize       length)
{
  g_autoptr(JsonParser) parser = NULL;
  JsonNode *root;

  if (!g_utf8_validate_len (json, length, NULL) || !is_harmless (json, length))
    return NULL;

  parser = json_parser_new_immutable ();
#if JSON_CHECK_VERSION(1, 10, 0)
  json_parser_set_strict (parser, TRUE);
#endif
  if (!json_parser_load_from_data (parser, json, length, NULL))
    return NULL;

  root = json_parser_get_root (parser);

  return root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_dup_object (root) : NULL;
}

static gboolean
is_plain (gunichar character)
{
  return g_unichar_isprint (character) &&
         g_unichar_type (character) != G_UNICODE_LINE_SEPARATOR &&
         g_unichar_type (character) != G_UNICODE_PARAGRAPH_SEPARATOR;
}

char *
bosh_json_to_string (JsonNode *root)
{
  g_autofree char *json = json_to_string (root, FALSE);
  GString *text = g_string_sized_new (strlen (json));
  const char *end;

  /* An application can make a session of bytes that are no text. They stay, so that it is
   * not valid when it is read. */
  for (const char *p = json; *p != '\0'; p = end)
    {
      gunichar c = g_utf8_get_char_validated (p, -1);
      gboolean is_text = c < 0x110000;

      end = is_text ? g_utf8_next_char (p) : p + 1;
      /* Outside of strings, and in what json-glib has escaped, all is ASCII. */
      if (!is_text || is_plain (c))
        g_string_append_len (text, p, end - p);
      else if (c < 0x10000)
        g_string_append_printf (text, "\\u%04x", c);
      /* RFC 8259 §7: the two surrogates of UTF-16. */
      else
        g_string_append_printf (text, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
    }

  return g_string_free (text, FALSE);
}
