/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-xml-private.h"

#include "bosh-element-private.h"
#include "bosh-error-private.h"
#include "bosh-i18n-private.h"

#include <string.h>

/* A range of characters; those of the tables below are sorted. */
typedef struct
{
  gunichar first;
  gunichar last;
} CharacterRange;

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

/* What NameChar has besides. */
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

static gboolean
is_name_character (gunichar c,
                   gboolean is_first)
{
  return is_in_ranges (c, name_start_ranges, G_N_ELEMENTS (name_start_ranges)) ||
         (!is_first && is_in_ranges (c, name_more_ranges, G_N_ELEMENTS (name_more_ranges)));
}

static gboolean
is_name (const char *text)
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
      if (!is_name_character (g_utf8_get_char (p), p == start))
        return FALSE;
    }

  return TRUE;
}

/* Valid UTF-8 given: is there no character that XML lacks? */
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
      /* The high bit of a byte is set where it is not ASCII, or too small. */
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

/* As g_string_append_len(), which calls a function for each. */
static inline void
append (GString    *output,
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

#define append_literal(output, literal) append (output, literal, sizeof literal - 1)

static void
append_escaped (GString    *output,
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
          /* For "]]>" in a text. */
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
          /* White space in an attribute would be read as spaces (§3.3.3). */
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
          append (output, written, (gsize)(p - written));
          g_string_append (output, escape);
          written = p + 1;
        }
    }

  append (output, written, (gsize)(end - written));
}

void
bosh_xml_append_escaped (GString    *output,
                         const char *value,
                         gssize      length)
{
  g_string_append_c (output, '\'');
  append_escaped (output, value, length < 0 ? strlen (value) : (gsize)length, TRUE);
  g_string_append_c (output, '\'');
}

/* An element whose start tag is written, and its end tag is not. */
typedef struct
{
  BoshElement *element;
  const char  *ns;  /* its own, set or inherited, nullable */
  const char  *declared;    /* the default namespace in force, nullable */
  guint        next_node;
} OpenElement;

typedef struct
{
  GString     *output;
  gboolean     is_lenient;
  GError      *error;  /* the first thing that can't be written */
  OpenElement  open[BOSH_XML_MAX_DEPTH];
  guint        depth;
} Writer;

/* @where names what can't be written. */
static void
fail (Writer     *self,
      const char *message,
      const char *where)
{
  g_autofree char *clean = bosh_error_clean_text (where, -1);

  if (self->error == NULL)
    self->error = g_error_new (BOSH_ERROR, BOSH_ERROR_INVALID_STANZA, "%s: %s",
                               message, clean != NULL ? clean : "");
}

static void
write_name (Writer     *self,
            const char *name,
            gboolean    is_valid)
{
  g_autofree char *valid = NULL;

  if (is_valid)
    {
      append (self->output, name, strlen (name));
      return;
    }

  if (!self->is_lenient)
    {
      fail (self, _("This is no name that XML can have"), name);
      return;
    }

  valid = g_utf8_make_valid (name, -1);
  g_string_append_c (self->output, '_');
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      g_string_append_unichar (self->output, is_name_character (c, FALSE) ? c : '_');
    }
}

/* @where: the name of the element or attribute. */
static void
write_text (Writer     *self,
            const char *text,
            gboolean    is_attribute,
            const char *where)
{
  gsize length = strlen (text);
  g_autofree char *valid = NULL;

  if (bosh_xml_is_valid_text (text, length))
    {
      append_escaped (self->output, text, length, is_attribute);
      return;
    }

  if (!self->is_lenient)
    {
      fail (self, _("There is a character that XML can’t have"), where);
      return;
    }

  valid = g_utf8_make_valid (text, length);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gsize size = g_utf8_next_char (p) - p;

      if (has_only_xml_characters (p, size))
        append_escaped (self->output, p, size, is_attribute);
      else
        g_string_append (self->output, "\357\277\275");
    }
}

static void
write_declaration (Writer     *self,
                   guint       prefix,
                   const char *ns)
{
  /* This one must not be declared (Namespaces in XML §3). */
  if (g_str_equal (ns, BOSH_NS_XMLNS) && !self->is_lenient)
    fail (self, _("This namespace is reserved"), ns);

  if (prefix == 0)
    append_literal (self->output, " xmlns='");
  else
    g_string_append_printf (self->output, " xmlns:ns%u='", prefix);
  write_text (self, ns, TRUE, "xmlns");
  g_string_append_c (self->output, '\'');
}

static void
write_attributes (Writer      *self,
                  BoshElement *element)
{
  guint n_attributes = bosh_element_get_n_attributes (element);
  const char *last_namespace = NULL;
  guint n_prefixes = 0;

  for (guint i = 0; i < n_attributes; i++)
    {
      const char *ns;
      const char *value;
      const char *name = bosh_element_get_nth_attribute (element, i, &ns, &value);
      gboolean is_valid = is_name (name);

      if (ns == NULL)
        {
          /* It would declare a namespace. */
          is_valid = is_valid && !g_str_equal (name, "xmlns");
          g_string_append_c (self->output, ' ');
        }
      else if (g_str_equal (ns, BOSH_NS_XML))
        {
          append_literal (self->output, " xml:");
        }
      else
        {
          if (g_strcmp0 (ns, last_namespace) != 0)
            write_declaration (self, ++n_prefixes, ns);
          last_namespace = ns;
          g_string_append_printf (self->output, " ns%u:", n_prefixes);
        }

      write_name (self, name, is_valid);
      append_literal (self->output, "='");
      write_text (self, value, TRUE, name);
      g_string_append_c (self->output, '\'');
    }
}

/* An element of the XML namespace, which can't be a default one. */
static gboolean
needs_xml_prefix (const char *ns)
{
  return g_strcmp0 (ns, BOSH_NS_XML) == 0;
}

static void
write_tag_name (Writer     *self,
                const char *name,
                const char *ns)
{
  if (needs_xml_prefix (ns))
    append_literal (self->output, "xml:");
  write_name (self, name, is_name (name));
}

/* Writes the start tag, and opens the element if there is anything in it.
 * @inherited is its namespace if it has none set, @declared the default
 * namespace in force. */
static void
start_element (Writer      *self,
               BoshElement *element,
               const char  *inherited,
               const char  *declared)
{
  const char *name = bosh_element_get_name (element);
  const char *ns = bosh_element_get_namespace (element);
  BoshElement *child;
  const char *text;

  if (self->depth == BOSH_XML_MAX_DEPTH)
    {
      if (!self->is_lenient)
        fail (self, _("The elements nest too deeply"), name);
      return;
    }

  if (ns == NULL)
    ns = inherited;

  g_string_append_c (self->output, '<');
  write_tag_name (self, name, ns);
  if (ns != NULL && !needs_xml_prefix (ns) && g_strcmp0 (ns, declared) != 0)
    {
      write_declaration (self, 0, ns);
      declared = ns;
    }
  write_attributes (self, element);

  bosh_element_get_nth_node (element, 0, &child, &text);
  if (text[0] == '\0' && bosh_element_get_n_children (element) == 0)
    {
      append_literal (self->output, "/>");
      return;
    }

  g_string_append_c (self->output, '>');
  self->open[self->depth].element = element;
  self->open[self->depth].ns = ns;
  self->open[self->depth].declared = declared;
  self->open[self->depth].next_node = 0;
  self->depth++;
}

static void
write_element (Writer      *self,
               BoshElement *element,
               const char  *parent_namespace,
               const char  *unset_namespace)
{
  start_element (self, element, unset_namespace != NULL ? unset_namespace : parent_namespace,
                 parent_namespace);

  while (self->depth > 0 && self->error == NULL)
    {
      OpenElement *open = &self->open[self->depth - 1];
      const char *name = bosh_element_get_name (open->element);
      BoshElement *child;
      const char *text;

      if (!bosh_element_get_nth_node (open->element, open->next_node++, &child, &text))
        {
          append_literal (self->output, "</");
          write_tag_name (self, name, open->ns);
          g_string_append_c (self->output, '>');
          self->depth--;
        }
      else if (child != NULL)
        {
          start_element (self, child, open->ns, open->declared);
        }
      else
        {
          write_text (self, text, FALSE, name);
        }
    }
}

gboolean
bosh_xml_append_element (GString      *output,
                         BoshElement  *element,
                         const char   *parent_namespace,
                         const char   *unset_namespace,
                         GError      **error)
{
  gsize length = output->len;
  Writer writer;

  writer.output = output;
  writer.is_lenient = FALSE;
  writer.error = NULL;
  writer.depth = 0;
  write_element (&writer, element, parent_namespace, unset_namespace);

  if (writer.error != NULL)
    {
      g_string_truncate (output, length);
      g_propagate_error (error, writer.error);
      return FALSE;
    }

  return TRUE;
}

char *
bosh_xml_describe (BoshElement *element)
{
  Writer writer;

  writer.output = g_string_new (NULL);
  writer.is_lenient = TRUE;
  writer.error = NULL;
  writer.depth = 0;
  write_element (&writer, element, NULL, NULL);

  return g_string_free (writer.output, FALSE);
}
