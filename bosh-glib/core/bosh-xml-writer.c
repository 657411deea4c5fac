/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-xml-writer-private.h"

#include "bosh-element-private.h"
#include "bosh-error-private.h"
#include "bosh-i18n-private.h"
#include "bosh-limits-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-xml-text-private.h"

#include <string.h>

/* An element whose start tag was written, but not its end tag. */
typedef struct
{
  BoshElement *element;
  const char  *ns;        /* set or inherited, nullable */
  const char  *declared;  /* the default namespace in force, nullable */
  guint        next_node;
} OpenElement;

typedef struct
{
  GString     *output;
  gboolean     is_lenient;  /* what can't be written is replaced */
  GError      *error;       /* for the first thing that can't be written */
  OpenElement  open[BOSH_XML_MAX_DEPTH];
  guint        depth;
} Writer;

/* @where is the name of what can't be written. */
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
      bosh_xml_append (self->output, name, strlen (name));
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

      g_string_append_unichar (self->output, bosh_xml_is_name_character (c, FALSE) ? c : '_');
    }
}

/* @where is the name of the element or attribute. */
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
      bosh_xml_append_escaped (self->output, text, length, is_attribute);
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

      if (bosh_xml_is_valid_text (p, size))
        bosh_xml_append_escaped (self->output, p, size, is_attribute);
      else
        g_string_append (self->output, "\357\277\275");
    }
}

static void
write_declaration (Writer     *self,
                   guint       prefix,
                   const char *ns)
{
  /* This namespace must not be declared (Namespaces in XML 1.0 §3). */
  if (g_str_equal (ns, BOSH_NS_XMLNS) && !self->is_lenient)
    fail (self, _("This namespace is reserved"), ns);

  if (prefix == 0)
    bosh_xml_append_literal (self->output, " xmlns='");
  else
    g_string_append_printf (self->output, " xmlns:ns%u='", prefix);
  write_text (self, ns, TRUE, "xmlns");
  g_string_append_c (self->output, '\'');
}

/* The number of the prefix of a namespace, which is declared if it was not before.
 * @declared: (inout) (nullable): the namespaces that this tag declares */
static guint
get_prefix (Writer      *self,
            const char  *ns,
            GPtrArray  **declared)
{
  if (*declared == NULL)
    *declared = g_ptr_array_new ();

  for (guint i = 0; i < (*declared)->len; i++)
    if (g_str_equal (g_ptr_array_index (*declared, i), ns))
      return i + 1;

  g_ptr_array_add (*declared, (gpointer)ns);
  write_declaration (self, (*declared)->len, ns);

  return (*declared)->len;
}

static void
write_attributes (Writer      *self,
                  BoshElement *element)
{
  guint n_attributes = bosh_element_get_n_attributes (element);
  g_autoptr(GPtrArray) declared = NULL;

  for (guint i = 0; i < n_attributes; i++)
    {
      const char *ns;
      const char *value;
      const char *name = bosh_element_get_nth_attribute (element, i, &ns, &value);
      gboolean is_valid = bosh_xml_is_name (name);

      if (ns == NULL)
        {
          /* It would declare a namespace. */
          is_valid = is_valid && !g_str_equal (name, "xmlns");
          g_string_append_c (self->output, ' ');
        }
      else if (g_str_equal (ns, BOSH_NS_XML))
        {
          bosh_xml_append_literal (self->output, " xml:");
        }
      else
        {
          guint prefix = get_prefix (self, ns, &declared);

          g_string_append_printf (self->output, " ns%u:", prefix);
        }

      write_name (self, name, is_valid);
      bosh_xml_append_literal (self->output, "='");
      write_text (self, value, TRUE, name);
      g_string_append_c (self->output, '\'');
    }
}

/* The XML namespace can't be a default one (Namespaces in XML 1.0 §3). */
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
    bosh_xml_append_literal (self->output, "xml:");
  write_name (self, name, bosh_xml_is_name (name));
}

/* Writes the start tag of an element, and opens the element if it is not empty.
 * @inherited is its namespace if it has none set, @declared the default namespace
 * in force. */
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
      bosh_xml_append_literal (self->output, "/>");
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
          bosh_xml_append_literal (self->output, "</");
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

/**
 * bosh_element_to_string:
 * @self: an element
 *
 * Writes the element as XML. Where no namespace is set at the top, none is
 * declared.
 *
 * If the element can be sent, [ctor@Element.new_from_string] reads the XML as an
 * equal element. If it can't, the XML is an approximation: a character that XML
 * does not have is replaced by U+FFFD, an invalid name gets `_` in front and in
 * the place of each invalid character, and elements that nest deeper than 64 are
 * left out.
 *
 * Returns: (transfer full): the XML
 *
 * Since: 1.0
 */
char *
bosh_element_to_string (BoshElement *self)
{
  Writer writer;

  g_return_val_if_fail (self != NULL, NULL);

  writer.output = g_string_new (NULL);
  writer.is_lenient = TRUE;
  writer.error = NULL;
  writer.depth = 0;
  write_element (&writer, self, NULL, NULL);

  return g_string_free (writer.output, FALSE);
}
