/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-xml-text-private.h"

typedef struct
{
  gunichar first;
  gunichar last;
} CharacterRange;

/* The ranges of each table are in ascending order. */

/* NameStartChar (XML 1.0 §2.3) without the colon (Namespaces in XML §3). */
static const CharacterRange name_start_ranges[] = {
  { 'A', 'Z' },
  { '_', '_' },
  { 'a', 'z' },
  { 0xc0, 0xd6 },
  { 0xd8, 0xf6 },
  { 0xf8, 0x2ff },
  { 0x370, 0x37d },
  { 0x37f, 0x1fff },
  { 0x200c, 0x200d },
  { 0x2070, 0x218f },
  { 0x2c00, 0x2fef },
  { 0x3001, 0xd7ff },
  { 0xf900, 0xfdcf },
  { 0xfdf0, 0xfffd },
  { 0x10000, 0xeffff },
};

/* NameChar has these as well. */
static const CharacterRange name_more_ranges[] = {
  { '-', '.' },
  { '0', '9' },
  { 0xb7, 0xb7 },
  { 0x300, 0x36f },
  { 0x203f, 0x2040 },
};

static gboolean
is_in_ranges (gunichar              c,
              const CharacterRange *ranges,
              gsize                 n_ranges)
{
  for (gsize i = 0; i < n_ranges && c >= ranges[i].first; i++)
    {
      if (c <= ranges[i].last)
        return TRUE;
    }

  return FALSE;
}

gboolean
bosh_xml_is_name_character (gunichar c,
                            gboolean is_first)
{
  return is_in_ranges (c, name_start_ranges, G_N_ELEMENTS (name_start_ranges)) ||
         (!is_first && is_in_ranges (c, name_more_ranges, G_N_ELEMENTS (name_more_ranges)));
}

gboolean
bosh_xml_is_name (const char *text)
{
  const char *start = text;

  while (g_ascii_isalpha (*text) || *text == '_' ||
         (text > start && (g_ascii_isdigit (*text) || *text == '-' || *text == '.')))
    text++;
  if (*text == '\0')
    return text > start;

  if (!g_utf8_validate (text, -1, NULL))
    return FALSE;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      if (!bosh_xml_is_name_character (g_utf8_get_char (p), p == start))
        return FALSE;
    }

  return TRUE;
}

/* @text is valid UTF-8. */
static gboolean
has_only_xml_characters (const char *text,
                         gsize       length)
{
  const guchar *end = (const guchar *)text + length;

  for (const guchar *p = (const guchar *)text; p < end; p++)
    {
      if (*p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r')
        return FALSE;
      /* U+FFFE and U+FFFF. */
      if (*p == 0xef && p[1] == 0xbf && p[2] >= 0xbe)
        return FALSE;
    }

  return TRUE;
}

gsize
bosh_xml_count_ascii (const char *text,
                      gsize       length,
                      guint8      least)
{
  const guint64 ones = G_GUINT64_CONSTANT (0x0101010101010101);
  gsize done = 0;

  while (length - done >= sizeof (guint64))
    {
      guint64 word;

      memcpy (&word, text + done, sizeof word);
      /* The high bit of each byte tells whether it is not ASCII, or too small. */
      if (((word | (word - ones * least)) & (ones * 0x80)) != 0)
        break;
      done += sizeof word;
    }

  return done;
}

gboolean
bosh_xml_is_valid_text (const char *text,
                        gssize      length)
{
  gsize size = length < 0 ? strlen (text) : (gsize)length;
  gsize n_plain = bosh_xml_count_ascii (text, size, ' ');

  text += n_plain;
  size -= n_plain;

  return g_utf8_validate_len (text, size, NULL) && has_only_xml_characters (text, size);
}

void
bosh_xml_append_escaped (GString    *output,
                         const char *text,
                         gsize       length,
                         gboolean    is_attribute)
{
  const char *end = text + length;
  const char *written = text;

  for (const char *p = text; p < end; p++)
    {
      const char *escape = NULL;

      if ((guchar)*p > '>')
        continue;

      switch (*p)
        {
        case '&':
          escape = "&amp;";
          break;
        case '<':
          escape = "&lt;";
          break;
        case '>':
          /* A text must not have "]]>" (§2.4). */
          escape = "&gt;";
          break;
        case '\r':
          /* It would be read as a line feed (XML 1.0 §2.11). */
          escape = "&#13;";
          break;
        case '\'':
          escape = is_attribute ? "&apos;" : NULL;
          break;
        case '"':
          escape = is_attribute ? "&quot;" : NULL;
          break;
        case '\t':
          /* White space of an attribute would be read as spaces (§3.3.3). */
          escape = is_attribute ? "&#9;" : NULL;
          break;
        case '\n':
          escape = is_attribute ? "&#10;" : NULL;
          break;
        default:
          break;
        }

      if (escape != NULL)
        {
          bosh_xml_append (output, written, (gsize)(p - written));
          g_string_append (output, escape);
          written = p + 1;
        }
    }

  bosh_xml_append (output, written, (gsize)(end - written));
}

void
bosh_xml_append_quoted (GString    *output,
                        const char *value)
{
  g_string_append_c (output, '\'');
  bosh_xml_append_escaped (output, value, strlen (value), TRUE);
  g_string_append_c (output, '\'');
}
