/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* What the parser and the writer have in common: which names and characters
 * XML 1.0 has, and how text is escaped. */

/* TRUE if @text is a name without a prefix (Namespaces in XML 1.0 §3). */
gboolean bosh_xml_is_name           (const char *text);
gboolean bosh_xml_is_name_character (gunichar    c,
                                     gboolean    is_first);

/* TRUE if @text is UTF-8 made of characters that XML 1.0 has (§2.2). @length is
 * in bytes, or -1. */
gboolean bosh_xml_is_valid_text     (const char *text,
                                     gssize      length);

/* Counts bytes of ASCII that are not less than @least, from the start of @text.
 * The count may fall short of the true number, by less than eight where nothing
 * else follows: it is a fast look at what most text consists of. @least is 0x80
 * at most. */
gsize    bosh_xml_count_ascii       (const char *text,
                                     gsize       length,
                                     guint8      least);

/* Appends @text, which is valid, with references in the place of what is markup
 * or would be normalized by a parser. */
void     bosh_xml_append_escaped    (GString    *output,
                                     const char *text,
                                     gsize       length,
                                     gboolean    is_attribute);

/* Appends @value, which is valid, as the value of an attribute in quotes. */
void     bosh_xml_append_quoted     (GString    *output,
                                     const char *value);

/* Does the work of g_string_append_len(), but inline: an element is written in
 * many small pieces. */
static inline void
bosh_xml_append (GString    *output,
                 const char *text,
                 gsize       length)
{
  if (length >= output->allocated_len - output->len)
    {
      g_string_append_len (output, text, (gssize)length);
      return;
    }

  memcpy (output->str + output->len, text, length);
  output->len += length;
  output->str[output->len] = '\0';
}

#define bosh_xml_append_literal(output, literal) \
  bosh_xml_append (output, literal, sizeof literal - 1)

G_END_DECLS
