/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-xml-private.h"

#include "bosh-element-private.h"
#include "bosh-error-private.h"
#include "bosh-i18n-private.h"
#include "bosh-limits-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-xml-text-private.h"

#include <libxml/parser.h>

#include <string.h>

/* Bytes that libxml2 is given at a time, so that its buffer stays small. */
#define PIECE_SIZE 32768

#define N_INLINE_ATTRIBUTES 16

typedef struct
{
  guint depth;
  gsize start_tag;
  guint attributes;
  guint namespaces;
  gsize namespace_length;
  int names;
  gsize child;
  gsize tree;
} Limits;

static const Limits server_limits = {
  .depth = BOSH_XML_MAX_DEPTH,
  .start_tag = BOSH_XML_MAX_START_TAG,
  .attributes = BOSH_XML_MAX_ATTRIBUTES,
  .namespaces = BOSH_XML_MAX_NAMESPACES,
  .namespace_length = BOSH_XML_MAX_NAMESPACE_LENGTH,
  .names = BOSH_XML_MAX_NAMES,
  .child = BOSH_XML_MAX_CHILD,
  .tree = BOSH_XML_MAX_TREE,
};

static const Limits own_limits = {
  .depth = BOSH_XML_MAX_OWN_DEPTH,
  .start_tag = BOSH_XML_MAX_OWN_START_TAG,
  .attributes = BOSH_XML_MAX_OWN_ATTRIBUTES,
  .namespaces = BOSH_XML_MAX_OWN_NAMESPACES,
  .namespace_length = G_MAXSIZE,
  .names = G_MAXINT,
  .child = G_MAXSIZE,
  .tree = G_MAXSIZE,
};

typedef struct
{
  const Limits        *limits;
  xmlParserCtxt       *context;
  gboolean             seals;
  gboolean             skips_remarks;  /* comments and processing instructions */
  gboolean             has_references; /* some value in a tag has an ampersand */
  char               **root_name;
  char               **root_namespace;
  GError              *error;  /* once it is set, the rest is ignored */
  GPtrArray           *left_out;     /* of BoshXmlLeftOut; NULL: nothing is left out */
  gboolean             leaves_out;   /* the error is about one child of the root */
  gboolean             begins_again; /* the root is read for another time */
  BoshElement         *root;
  guint                depth;
  gsize                budget;         /* for the child of the root, or for all of it */
  gsize                child_budget;   /* what it was at the beginning of the child */
  gsize                other_budget;   /* what is left for other children */
  gboolean             is_child_large; /* the child may take all that a single one may */
  gboolean             is_in_child;
  const char          *payload_namespace;  /* of children in that of the root; nullable */
  const xmlChar       *root_uri;       /* the namespace of the root */
  int                  n_names;        /* of which libxml2 knew before the child */
  /* From here on nothing is set at the beginning. The open elements, from the root; they
   * belong to their parents. */
  BoshElement         *open[BOSH_XML_MAX_OWN_DEPTH];
  /* The namespaces that are declared by each of them and those around it. */
  guint                n_declared[BOSH_XML_MAX_OWN_DEPTH];
  BoshAttributeSource  inline_attributes[N_INLINE_ATTRIBUTES];
} Parser;

static void
init_parser (Parser       *self,
             const Limits *limits)
{
  memset (self, 0, G_STRUCT_OFFSET (Parser, open));
  self->limits = limits;
}

static void
refuse (Parser     *self,
        BoshError   code,
        const char *message)
{
  if (self->error == NULL)
    self->error = g_error_new_literal (BOSH_ERROR, code, message);
  xmlStopParser (self->context);
}

/* What is too large is refused, and where it is in a child of the root that can be left
 * out, that child alone. */
static void
refuse_size (Parser     *self,
             gboolean    is_in_child,
             const char *message)
{
  self->leaves_out = self->error == NULL && is_in_child && self->left_out != NULL;
  refuse (self, BOSH_ERROR_TOO_LARGE, message);
}

static void
refuse_memory (Parser   *self,
               gboolean  is_in_child)
{
  refuse_size (self, is_in_child && self->is_child_large,
               _("The elements of the XML need too much memory"));
}

/* Returns FALSE, with the error set, if another element would be over a limit. */
static gboolean
check_limits (Parser         *self,
              guint           n_namespaces,
              const xmlChar **namespaces)
{
  guint n_declared = n_namespaces;

  gboolean is_in_child = self->depth > 0;

  if (self->depth == self->limits->depth)
    {
      refuse_size (self, is_in_child, _("The elements of the XML nest too deeply"));
      return FALSE;
    }

  if (self->depth > 0)
    n_declared += self->n_declared[self->depth - 1];
  self->n_declared[self->depth] = n_declared;
  if (n_declared > self->limits->namespaces)
    {
      refuse_size (self, is_in_child, _("The XML declares too many namespaces"));
      return FALSE;
    }

  for (guint i = 0; i < n_namespaces; i++)
    {
      if (strlen ((const char *)namespaces[2 * i + 1]) > self->limits->namespace_length)
        {
          refuse_size (self, is_in_child, _("A namespace of the XML is too long"));
          return FALSE;
        }
    }

  if (xmlDictSize (self->context->dict) - self->n_names > self->limits->names)
    {
      refuse_size (self, is_in_child, _("The XML has too many different names"));
      return FALSE;
    }

  return TRUE;
}

/* An attribute, in the layout in which SAX2 gives it. */
typedef struct
{
  const xmlChar *name;
  const xmlChar *prefix;
  const xmlChar *ns;
  const xmlChar *value;
  const xmlChar *end;
} SaxAttribute;

G_STATIC_ASSERT (sizeof (SaxAttribute) == 5 * sizeof (xmlChar *));

/* libxml2 leaves `&#38;` for each ampersand of a value, and of a namespace.
 * Returns @text itself if it has no ampersand, or else a copy that @decoded
 * takes. @length is in and out. */
static const char *
decode_value (const char  *text,
              gsize       *length,
              GPtrArray  **decoded)
{
  char *copy;
  char *end;

  if (memchr (text, '&', *length) == NULL)
    return text;

  copy = end = g_malloc (*length + 1);
  for (gsize i = 0; i < *length; i++)
    {
      *end++ = text[i];
      if (*length - i >= 5 && memcmp (text + i, "&#38;", 5) == 0)
        i += 4;
    }
  *end = '\0';
  *length = end - copy;

  if (*decoded == NULL)
    *decoded = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (*decoded, copy);

  return copy;
}

static const char *
decode_namespace (const char  *ns,
                  GPtrArray  **decoded)
{
  gsize length;

  if (ns == NULL)
    return NULL;

  length = strlen (ns);

  return decode_value (ns, &length, decoded);
}

static BoshElement *
new_element (Parser             *self,
             const char         *name,
             const char         *ns,
             const SaxAttribute *sax_attributes,
             guint               n_attributes)
{
  g_autofree BoshAttributeSource *allocated = NULL;
  g_autoptr(GPtrArray) decoded = NULL;
  BoshAttributeSource *attributes = self->inline_attributes;

  if (n_attributes > N_INLINE_ATTRIBUTES)
    attributes = allocated = g_new (BoshAttributeSource, n_attributes);

  for (guint i = 0; i < n_attributes; i++)
    {
      attributes[i].name = (const char *)sax_attributes[i].name;
      attributes[i].ns = (const char *)sax_attributes[i].ns;
      attributes[i].value = (const char *)sax_attributes[i].value;
      attributes[i].value_length = sax_attributes[i].end - sax_attributes[i].value;
    }

  if (self->has_references)
    {
      ns = decode_namespace (ns, &decoded);
      for (guint i = 0; i < n_attributes; i++)
        {
          attributes[i].ns = decode_namespace (attributes[i].ns, &decoded);
          attributes[i].value = decode_value (attributes[i].value, &attributes[i].value_length,
                                              &decoded);
        }
    }

  return bosh_element_new_with_attributes (name, ns, attributes, n_attributes, &self->budget);
}

static void
take_root (Parser      *self,
           BoshElement *element)
{
  self->root = element;
  if (self->root_name != NULL)
    *self->root_name = g_strdup (bosh_element_get_name (element));
  if (self->root_namespace != NULL)
    *self->root_namespace = g_strdup (bosh_element_get_namespace (element));
}

/* Is there an `xmlns=''`? */
static gboolean
undeclares_default (int             n_namespaces,
                    const xmlChar **namespaces)
{
  for (int i = 0; i < n_namespaces; i++)
    {
      if (namespaces[2 * i] == NULL)
        return namespaces[2 * i + 1][0] == '\0';
    }

  return FALSE;
}

/* A child of the root has a limit of its own, and all of them share another one. */
static void
begin_child (Parser *self)
{
  self->is_in_child = TRUE;
  self->n_names = xmlDictSize (self->context->dict);
  self->is_child_large = self->budget >= self->limits->child;
  self->child_budget = MIN (self->budget, self->limits->child);
  self->other_budget = self->budget - self->child_budget;
  self->budget = self->child_budget;
}

static void
end_child (Parser *self)
{
  self->is_in_child = FALSE;
  self->budget += self->other_budget;
}

static void
on_start_element (void           *user_data,
                  const xmlChar  *name,
                  const xmlChar  *prefix,
                  const xmlChar  *uri,
                  int             n_namespaces,
                  const xmlChar **namespaces,
                  int             n_attributes,
                  int             n_defaulted,
                  const xmlChar **attributes)
{
  Parser *self = user_data;
  BoshElement *parent = self->depth > 0 ? self->open[self->depth - 1] : NULL;
  const char *ns = (const char *)uri;
  BoshElement *element;

  if (self->error != NULL)
    return;

  if (self->begins_again)
    {
      self->begins_again = FALSE;
      self->root_uri = uri;
      self->depth = 1;
      return;
    }
  if (!check_limits (self, n_namespaces, namespaces))
    return;
  if (self->depth == 1 && self->left_out != NULL)
    begin_child (self);

  /* What a server leaves in the namespace of the body (XEP-0206 §2). libxml2 has one copy
   * of each namespace. */
  if (self->payload_namespace != NULL && self->depth > 0 && uri == self->root_uri &&
      (self->depth > 1 || strcmp ((const char *)name, "uri") != 0))
    ns = self->payload_namespace;
  else if (self->depth == 0)
    self->root_uri = uri;

  /* NULL would mean the namespace of the parent. */
  if (ns == NULL &&
      (undeclares_default (n_namespaces, namespaces) ||
       (parent != NULL && bosh_element_get_namespace (parent) != NULL)))
    ns = "";

  element = new_element (self, (const char *)name, ns,
                         (const SaxAttribute *)attributes, n_attributes);
  if (element == NULL)
    {
      refuse_memory (self, parent != NULL);
      return;
    }

  if (parent != NULL)
    bosh_element_take_child (parent, element);
  else
    take_root (self, element);
  self->open[self->depth++] = element;
}

static void
on_end_element (void          *user_data,
                const xmlChar *name,
                const xmlChar *prefix,
                const xmlChar *uri)
{
  Parser *self = user_data;

  if (self->error != NULL)
    return;

  self->depth--;
  if (self->depth == 1 && self->left_out != NULL)
    end_child (self);
  if (self->seals)
    bosh_element_seal (self->open[self->depth]);
}

static void
on_characters (void          *user_data,
               const xmlChar *text,
               int            length)
{
  Parser *self = user_data;
  gsize cost;

  if (self->error != NULL)
    return;

  cost = bosh_element_append_text (self->open[self->depth - 1], (const char *)text, length);
  if (cost > self->budget)
    {
      refuse_memory (self, self->depth > 1);
      return;
    }
  self->budget -= cost;
}

static void
on_document_type (void          *user_data,
                  const xmlChar *name,
                  const xmlChar *external_id,
                  const xmlChar *system_id)
{
  refuse (user_data, BOSH_ERROR_BAD_XML, _("The XML has a document type declaration"));
}

static void
on_comment (void          *user_data,
            const xmlChar *text)
{
  Parser *self = user_data;

  if (!self->skips_remarks)
    refuse (self, BOSH_ERROR_BAD_XML, _("The XML has a comment"));
}

static void
on_processing_instruction (void          *user_data,
                           const xmlChar *target,
                           const xmlChar *data)
{
  Parser *self = user_data;

  if (!self->skips_remarks)
    refuse (self, BOSH_ERROR_BAD_XML, _("The XML has a processing instruction"));
}

static void
on_error (void     *user_data,
          xmlError *error)
{
  Parser *self = user_data;
  g_autofree char *detail = NULL;
  g_autofree char *message = NULL;

  /* An undeclared prefix is a fatal error here (RFC 6120 §11.4), though not to
   * libxml2. A namespace that does not look like a URI is not an error: any
   * contact could end the session with such a stanza. */
  if (error->level != XML_ERR_FATAL &&
      !(error->code >= XML_NS_ERR_XML_NAMESPACE && error->code <= XML_NS_ERR_COLON))
    return;
  if (self->error != NULL)
    return;

  if (error->code == XML_ERR_DOCUMENT_END && (self->root == NULL || self->depth > 0))
    {
      /* The message of libxml2, "Extra content at the end", would mislead. */
      refuse (self, BOSH_ERROR_BAD_XML, _("The XML ends too early"));
      return;
    }

  detail = bosh_error_clean_text (error->message != NULL ? error->message : "", -1);
  message = g_strdup_printf (_("The XML is malformed: %s"), detail != NULL ? detail : "");
  refuse (self, BOSH_ERROR_BAD_XML, message);
}

static const xmlSAXHandler sax_handler = {
  .initialized = XML_SAX2_MAGIC,
  .startElementNs = on_start_element,
  .endElementNs = on_end_element,
  .characters = on_characters,
  .ignorableWhitespace = on_characters,
  .cdataBlock = on_characters,
  .internalSubset = on_document_type,
  .comment = on_comment,
  .processingInstruction = on_processing_instruction,
  .serror = (xmlStructuredErrorFunc)on_error,
};

static gboolean
skip_space (const char **cursor,
            const char  *end)
{
  const char *start = *cursor;

  while (*cursor < end && strchr (" \t\r\n", **cursor) != NULL)
    (*cursor)++;

  return *cursor > start;
}

/* Reads ` NAME='VALUE'` of the XML declaration. Returns NULL if it is not there. */
static char *
read_declared (const char **cursor,
               const char  *end,
               const char  *name)
{
  const char *p = *cursor;
  const char *value;
  char quote;

  if (!skip_space (&p, end) || (gsize)(end - p) < strlen (name) ||
      strncmp (p, name, strlen (name)) != 0)
    return NULL;

  p += strlen (name);
  skip_space (&p, end);
  if (p == end || *p++ != '=')
    return NULL;
  skip_space (&p, end);
  if (p == end || (*p != '\'' && *p != '"'))
    return NULL;

  quote = *p++;
  value = p;
  p = memchr (value, quote, end - value);
  if (p == NULL)
    return NULL;

  *cursor = p + 1;

  return g_strndup (value, p - value);
}

/* Checks an XML declaration and skips it (XML 1.0 §2.8). libxml2 is not given it,
 * as it would accept other versions, and convert from any encoding that it
 * names. */
static gboolean
skip_declaration (const char **cursor,
                  const char  *end,
                  GError     **error)
{
  const char *p = *cursor;
  g_autofree char *version = NULL;
  g_autofree char *encoding = NULL;
  g_autofree char *standalone = NULL;

  if (end - p < 6 || strncmp (p, "<?xml", 5) != 0 || strchr (" \t\r\n", p[5]) == NULL)
    return TRUE;

  p += 5;
  version = read_declared (&p, end, "version");
  encoding = read_declared (&p, end, "encoding");
  standalone = read_declared (&p, end, "standalone");
  skip_space (&p, end);

  if (version == NULL || end - p < 2 || strncmp (p, "?>", 2) != 0 ||
      (standalone != NULL && !g_str_equal (standalone, "yes") && !g_str_equal (standalone, "no")))
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_BAD_XML,
                           _("The XML declaration is malformed"));
      return FALSE;
    }

  if (!g_str_equal (version, "1.0"))
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_BAD_XML,
                           _("The XML is of another version than 1.0"));
      return FALSE;
    }

  if (encoding != NULL && g_ascii_strcasecmp (encoding, "UTF-8") != 0)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_BAD_XML,
                           _("The XML has another encoding than UTF-8"));
      return FALSE;
    }

  p += 2;
  if (end - p >= 5 && strncmp (p, "<?xml", 5) == 0)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_BAD_XML,
                           _("The XML has a processing instruction"));
      return FALSE;
    }

  *cursor = p;

  return TRUE;
}

/* Finds the `>` that ends the start tag at @tag: one within quotes does not.
 * Returns @end if there is none. @n_values receives the number of quoted values
 * before it. */
static const char *
find_tag_end (Parser     *self,
              const char *tag,
              const char *end,
              guint      *n_values)
{
  const char *p = tag;

  *n_values = 0;
  while (p < end && *p != '>')
    {
      if (*p == '\'' || *p == '"')
        {
          const char *value = p + 1;

          ++*n_values;
          p = memchr (value, *p, end - value);
          if (p == NULL)
            return end;
          if (memchr (value, '&', p - value) != NULL)
            self->has_references = TRUE;
        }
      p++;
    }

  return p;
}

/* Finds the end of the CDATA section that begins at @p, or of the comment or
 * processing instruction if these are skipped. Returns NULL if none begins there,
 * or if it does not end. */
static const char *
skip_section (const char *p,
              const char *end,
              gboolean    skips_remarks)
{
  static const char * const sections[][2] = {
    { "<![CDATA[", "]]>" },
    { "<!--", "-->" },
    { "<?", "?>" },
  };

  for (gsize i = 0; i < (skips_remarks ? G_N_ELEMENTS (sections) : 1); i++)
    {
      gsize length = strlen (sections[i][0]);

      if ((gsize)(end - p) >= length && memcmp (p, sections[i][0], length) == 0)
        return g_strstr_len (p + length, end - p - length, sections[i][1]);
    }

  return NULL;
}

/* Finds the end of the next piece of a document that can be given to libxml2: after a tag, or
 * between two characters. With @problem set, the tag that follows is too large. */
static const char *
find_piece_end (Parser      *self,
                const char  *data,
                const char  *end,
                const char **problem)
{
  const char *limit = data + MIN (end - data, PIECE_SIZE);
  const char *p = data;

  *problem = NULL;
  while ((p = memchr (p, '<', limit - p)) != NULL)
    {
      gsize left = end - p;

      if (left >= 2 && (p[1] == '!' || p[1] == '?'))
        {
          p = skip_section (p, end, self->skips_remarks);
          /* libxml2 will refuse the document at this place. */
          if (p == NULL)
            return end;
        }
      else if (left >= 2 && p[1] != '/')
        {
          const char *tag_limit = p + MIN (left, self->limits->start_tag);
          guint n_values;
          const char *tag_end = find_tag_end (self, p, tag_limit, &n_values);

          if (n_values > self->limits->attributes)
            *problem = _("A start tag of the XML has too many attributes");
          else if (tag_end == tag_limit && tag_limit < end)
            *problem = _("A start tag of the XML is too long");
          if (*problem != NULL)
            return p;
          if (tag_end == end)
            return end;
          p = tag_end;
        }

      p++;
      limit = MAX (limit, p);
    }

  while (limit < end && ((guchar)*limit & 0xc0) == 0x80)
    limit++;

  return limit;
}

/* Finds the beginning of the next child of the root, or NULL. */
static const char *
find_child (const char *p,
            const char *end)
{
  while ((p = memchr (p, '<', end - p)) != NULL && end - p >= 2 && p[1] == '!')
    {
      p = skip_section (p, end, FALSE);
      if (p == NULL)
        return NULL;
    }

  return p;
}

/* Finds the end of the child of the root that begins at @p, however large it is. NULL if it
 * does not end, or has what is forbidden. */
static const char *
skip_child (Parser     *self,
            const char *p,
            const char *end)
{
  guint depth = 0;

  while ((p = memchr (p, '<', end - p)) != NULL && end - p >= 2)
    {
      guint n_values;

      if (p[1] == '!' || p[1] == '?')
        {
          p = skip_section (p, end, FALSE);
          if (p == NULL)
            return NULL;
          continue;
        }

      depth += p[1] == '/' ? -1 : 1;
      p = find_tag_end (self, p, end, &n_values);
      if (p == end)
        return NULL;
      if (p[-1] == '/')
        depth--;
      p++;
      if (depth == 0)
        return p;
    }

  return NULL;
}

/* To make a parser of libxml2 costs as much as to parse a short response, so each
 * thread keeps one. As a parser remembers every name that it has seen, it is not
 * kept for ever, and not after an error. */
#define MAX_KEPT_NAMES 1024

static GPrivate kept_context = G_PRIVATE_INIT ((GDestroyNotify)xmlFreeParserCtxt);

static xmlParserCtxt *
take_context (Parser *self)
{
  xmlParserCtxt *context = g_private_get (&kept_context);

  if (context == NULL || xmlCtxtResetPush (context, NULL, 0, NULL, NULL) != 0)
    {
      g_clear_pointer (&context, xmlFreeParserCtxt);
      context = xmlCreatePushParserCtxt ((xmlSAXHandler *)&sax_handler, NULL, NULL, 0, NULL);
    }
  g_private_set (&kept_context, NULL);

  /* A reset leaves the encoding as it was, while a new parser does not know it. */
  context->charset = XML_CHAR_ENCODING_NONE;
  context->userData = self;
  /* The limits of libxml2 are lower than ours, for names and depth. */
  xmlCtxtUseOptions (context, XML_PARSE_NONET | XML_PARSE_HUGE);

  return context;
}

static void
give_context (xmlParserCtxt *context,
              gboolean       failed)
{
  if (failed || xmlDictSize (context->dict) > MAX_KEPT_NAMES)
    xmlFreeParserCtxt (context);
  else
    /* What is left out was read meanwhile, with another one. */
    g_private_replace (&kept_context, context);
}

/* Where the reading of a body is, between its children. */
typedef struct
{
  const char *root;      /* the start tag of the root */
  const char *root_end;  /* and its end */
  const char *place;     /* behind so many children */
  guint       n_children;
} Position;

/* What is known of a child that is left out, from its start tag at @tag: its name and
 * namespace, and the attributes by which it can have a reply. */
static BoshElement *
read_left_out (Parser         *self,
               const Position *position,
               const char     *tag,
               const char     *end)
{
  static const char * const names[] = { "from", "id", "to", "type" };
  g_autoptr(GString) text = g_string_new_len (position->root, position->root_end - position->root);
  g_autoptr(BoshElement) root = NULL;
  BoshElement *stub;
  BoshElement *child = NULL;
  guint n_values;
  const char *tag_end = find_tag_end (self, tag, end, &n_values);

  if (tag_end < end && n_values <= own_limits.attributes &&
      (gsize)(tag_end - tag) <= self->limits->start_tag)
    {
      gsize root_name_length = strcspn (position->root + 1, " \t\r\n>");

      g_string_append_len (text, tag, tag_end - tag);
      g_string_append (text, tag_end[-1] == '/' ? "></" : "/></");
      g_string_append_len (text, position->root + 1, root_name_length);
      g_string_append_c (text, '>');
      root = bosh_xml_parse_own (text->str, text->len, NULL);
    }
  if (root != NULL && bosh_element_get_n_children (root) == 1)
    child = bosh_element_get_nth_child (root, 0);

  stub = bosh_element_new (child != NULL ? bosh_element_get_name (child) : "unknown",
                           child != NULL ? bosh_element_get_namespace (child) : NULL);
  for (gsize i = 0; child != NULL && i < G_N_ELEMENTS (names); i++)
    {
      const char *value = bosh_element_get_attribute (child, names[i]);

      if (value != NULL && strlen (value) <= BOSH_JID_MAX_LENGTH)
        bosh_element_set_attribute (stub, names[i], value);
    }
  bosh_element_seal (stub);

  return stub;
}

/* Leaves out the child of the root that is refused, and has libxml2 begin again with the
 * root. Returns where to go on, or NULL, with the error set, if there is no such place. */
static const char *
leave_out_child (Parser     *self,
                 Position   *position,
                 const char *end)
{
  BoshXmlLeftOut *left_out = g_new0 (BoshXmlLeftOut, 1);
  const char *tag = position->place;

  left_out->reason = g_steal_pointer (&self->error);
  self->leaves_out = FALSE;
  if (self->depth > 1)
    bosh_element_drop_last_child (self->root);
  if (self->is_in_child)
    {
      self->budget = self->child_budget;
      end_child (self);
    }
  left_out->position = bosh_element_get_n_children (self->root);
  g_ptr_array_add (self->left_out, left_out);

  /* The children before it are whole. */
  do
    {
      tag = find_child (position->place, end);
      position->place = tag != NULL ? skip_child (self, tag, end) : NULL;
      position->n_children++;
    }
  while (position->place != NULL &&
         position->n_children < left_out->position + self->left_out->len);

  xmlFreeParserCtxt (self->context);
  self->context = take_context (self);
  if (position->place == NULL)
    {
      refuse (self, BOSH_ERROR_BAD_XML, _("The XML is malformed"));
      return NULL;
    }

  left_out->size = position->place - tag;
  left_out->stub = read_left_out (self, position, tag, position->place);
  self->begins_again = TRUE;
  self->depth = 0;
  xmlParseChunk (self->context, position->root, position->root_end - position->root, 0);

  return position->place;
}

/* The root begins at @data, behind white space. */
static void
find_root (Parser     *self,
           Position   *position,
           const char *data,
           const char *end)
{
  guint n_values;

  while (data < end && *data != '<')
    data++;
  position->root = data;
  data = find_tag_end (self, data, end, &n_values);
  position->root_end = data < end ? data + 1 : end;
  position->place = position->root_end;
  position->n_children = 0;
}

static void
parse_pieces (Parser     *self,
              const char *data,
              const char *end)
{
  Position position = {
    NULL,
  };
  const char *start = data;

  self->context = take_context (self);

  while (data != NULL && data < end && self->error == NULL)
    {
      const char *problem;
      const char *limit = find_piece_end (self, data, end, &problem);

      if (limit > data)
        xmlParseChunk (self->context, data, limit - data, 0);
      data = limit;
      if (self->error == NULL && problem != NULL)
        refuse_size (self, self->depth > 0, problem);
      if (self->error != NULL && self->leaves_out)
        {
          if (position.root == NULL)
            find_root (self, &position, start, end);
          data = leave_out_child (self, &position, end);
        }
    }

  if (self->error == NULL)
    xmlParseChunk (self->context, NULL, 0, 1);
  /* In case that libxml2 has failed without a call of on_error(). */
  if (self->error == NULL && !self->context->wellFormed)
    refuse (self, BOSH_ERROR_BAD_XML, _("The XML is malformed"));

  give_context (self->context, self->error != NULL);

  /* libxml2 would keep the last error of the thread. */
  if (self->error != NULL)
    xmlResetLastError ();
}

static BoshElement *
parse (Parser      *self,
       const char  *data,
       gsize        length,
       GError     **error)
{
  static gsize initialized = 0;
  const char *end;
  gsize n_ascii;

  if (g_once_init_enter (&initialized))
    {
      xmlInitParser ();
      g_once_init_leave (&initialized, 1);
    }

  if (length == 0)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_BAD_XML, _("The XML is empty"));
      return NULL;
    }

  n_ascii = bosh_xml_count_ascii (data, length, 1);
  if (!g_utf8_validate_len (data + n_ascii, length - n_ascii, NULL))
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_BAD_XML, _("The XML is not UTF-8"));
      return NULL;
    }

  end = data + length;
  /* There may be a byte order mark (XML 1.0 §4.3.3). */
  if (length >= 3 && memcmp (data, "\357\273\277", 3) == 0)
    data += 3;
  if (!skip_declaration (&data, end, error))
    return NULL;

  self->budget = self->limits->tree;
  parse_pieces (self, data, end);

  if (self->error != NULL)
    {
      g_clear_pointer (&self->root, bosh_element_unref);
      g_propagate_error (error, self->error);
    }

  return self->root;
}

BoshElement *
bosh_xml_parse (const char  *data,
                gsize        length,
                char       **root_name,
                char       **root_namespace,
                GError     **error)
{
  Parser parser;

  if (root_name != NULL)
    *root_name = NULL;
  if (root_namespace != NULL)
    *root_namespace = NULL;

  init_parser (&parser, &server_limits);
  parser.seals = TRUE;
  parser.root_name = root_name;
  parser.root_namespace = root_namespace;

  return parse (&parser, data, length, error);
}

static void
left_out_free (gpointer data)
{
  BoshXmlLeftOut *left_out = data;

  g_clear_pointer (&left_out->stub, bosh_element_unref);
  g_clear_error (&left_out->reason);
  g_free (left_out);
}

BoshElement *
bosh_xml_parse_body (const char  *data,
                     gsize        length,
                     char       **root_name,
                     char       **root_namespace,
                     GPtrArray  **left_out,
                     GError     **error)
{
  Parser parser;
  BoshElement *root;

  *root_name = NULL;
  *root_namespace = NULL;

  init_parser (&parser, &server_limits);
  parser.seals = TRUE;
  parser.root_name = root_name;
  parser.root_namespace = root_namespace;
  parser.left_out = g_ptr_array_new_with_free_func (left_out_free);
  parser.payload_namespace = BOSH_NS_CLIENT;

  root = parse (&parser, data, length, error);
  *left_out = root != NULL && parser.left_out->len > 0 ? g_ptr_array_ref (parser.left_out) : NULL;
  g_ptr_array_unref (parser.left_out);

  return root;
}

BoshElement *
bosh_xml_parse_own (const char  *data,
                    gsize        length,
                    GError     **error)
{
  Parser parser;

  init_parser (&parser, &own_limits);
  parser.seals = TRUE;

  return parse (&parser, data, length, error);
}

BoshElement *
bosh_xml_parse_document (const char  *data,
                         gsize        length,
                         GError     **error)
{
  Parser parser;

  init_parser (&parser, &server_limits);
  parser.seals = TRUE;
  parser.skips_remarks = TRUE;

  return parse (&parser, data, length, error);
}

/**
 * bosh_element_new_from_string:
 * @text: one XML element
 * @error: return location for an error
 *
 * Reads an element from XML.
 *
 * An element for which no namespace is declared has none set, so a stanza can be
 * written without `xmlns`.
 *
 * Fails with `BOSH_ERROR_BAD_XML` if the XML is malformed or has an undeclared
 * prefix, and if it has what XMPP forbids (RFC 6120 §11.1: a DTD, entities other
 * than the predefined ones, comments, processing instructions). Fails with
 * `BOSH_ERROR_TOO_LARGE` where it nests so deep, or has a tag so large, that the
 * element could not be sent.
 *
 * Returns: (transfer full): a mutable element, or `NULL` with @error set
 *
 * Since: 1.0
 */
BoshElement *
bosh_element_new_from_string (const char  *text,
                              GError     **error)
{
  Parser parser;

  g_return_val_if_fail (text != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  init_parser (&parser, &own_limits);

  return parse (&parser, text, strlen (text), error);
}
