/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-limits-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-xml-private.h"
#include "bosh-xml-text-private.h"
#include "bosh-xml-writer-private.h"

#include <string.h>

#define MIB (1024 * 1024)

static BoshElement *
parse (const char  *text,
       GError     **error)
{
  return bosh_xml_parse (text, strlen (text), NULL, NULL, error);
}

static char *
repeat (const char *text,
        gsize       size)
{
  GString *all = g_string_new (NULL);
  gsize length = strlen (text);

  while (all->len + length <= size)
    g_string_append_len (all, text, length);

  return g_string_free (all, FALSE);
}

static void
test_accept (void)
{
  static const struct
  {
    const char *xml;
    const char *written;
  } cases[] = {
    { "<a/>", "<a/>" },
    { "<a></a>", "<a/>" },
    { "  \n<a/>\n ", "<a/>" },
    { "\357\273\277<a/>", "<a/>" },
    { "<?xml version='1.0'?><a/>", "<a/>" },
    { "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<a/>", "<a/>" },
    { "\357\273\277<?xml\tversion = '1.0'\n encoding='UTF-8' standalone='yes' ?><a/>", "<a/>" },
    { "<?xml version='1.0' standalone='no'?><a/>", "<a/>" },
    { "<a>&lt;&gt;&amp;&quot;&apos;</a>", "<a>&lt;&gt;&amp;\"'</a>" },
    { "<a>&#65;&#x1F600;&#x9;&#10;&#13;</a>", "<a>A\360\237\230\200\t\n&#13;</a>" },
    { "<a b='&lt;&#65;&#10;&#9;&#13;'/>", "<a b='&lt;A&#10;&#9;&#13;'/>" },
    { "<a b='&amp;&#38;&#x26;&amp;#38;x&amp;'/>", "<a b='&amp;&amp;&amp;&amp;#38;x&amp;'/>" },
    { "<a xmlns='&amp;u' xmlns:p='&#38;&amp;#38;' p:c='&amp;'/>",
      "<a xmlns='&amp;u' xmlns:ns1='&amp;&amp;#38;' ns1:c='&amp;'/>" },
    { "<a b='x\n\ty'/>", "<a b='x  y'/>" },
    { "<a>x\r\ny\rz</a>", "<a>x\ny\nz</a>" },
    { "<a><![CDATA[<b>&amp;'\"]]]]><![CDATA[></b>]]></a>",
      "<a>&lt;b&gt;&amp;amp;'\"]]&gt;&lt;/b&gt;</a>" },
    { "<a><![CDATA[]]></a>", "<a/>" },
    { "<a>x<b/>y<c>z</c></a>", "<a>x<b/>y<c>z</c></a>" },
    { "<a b='>' c=\"'/>\"/>", "<a b='&gt;' c='&apos;/&gt;'/>" },
    { "<a xmlns='u'><b/><c xmlns='v'/><d xmlns=''><e/></d></a>",
      "<a xmlns='u'><b/><c xmlns='v'/><d xmlns=''><e/></d></a>" },
    { "<a xmlns=''><b/></a>", "<a xmlns=''><b/></a>" },
    { "<p:a xmlns:p='u'><b/><p:c/></p:a>", "<a xmlns='u'><b xmlns=''/><c/></a>" },
    { "<a xmlns:p='u' p:b='1' b='2' xml:lang='de'/>",
      "<a xmlns:ns1='u' ns1:b='1' b='2' xml:lang='de'/>" },
    { "<a xmlns='not a URI \303\244'/>", "<a xmlns='not a URI \303\244'/>" },
    { "<a xmlns='relative/uri'/>", "<a xmlns='relative/uri'/>" },
    { "<xml:a/>", "<xml:a/>" },
    { "<\303\244\302\267-.1/>", "<\303\244\302\267-.1/>" },
    { "<a>\302\205\356\200\200\357\277\275\364\217\277\277\177</a>",
      "<a>\302\205\356\200\200\357\277\275\364\217\277\277\177</a>" },
  };

  g_test_summary ("Well-formed XML is read, with character references and the "
                  "predefined entities (RFC 6120 §11)");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(BoshElement) element = parse (cases[i].xml, &error);
      g_autoptr(BoshElement) again = NULL;
      g_autofree char *written = NULL;

      g_assert_no_error (error);
      g_assert_true (bosh_element_is_sealed (element));
      written = bosh_element_to_string (element);
      g_assert_cmpstr (written, ==, cases[i].written);
      again = parse (written, &error);
      g_assert_no_error (error);
      g_assert_true (bosh_element_equal (element, again));
    }
}

static const struct
{
  const char *xml;
  gssize      length;
  const char *message;
} refused[] = {
  { "", 0, "empty" },
  { "  ", -1, "too early" },
  { "\357\273\277", -1, "too early" },
  { "no XML", -1, "malformed" },
  { "<a", -1, "too early" },
  { "<a>", -1, "too early" },
  { "<a><b/>", -1, "too early" },
  { "<a b='c", -1, "malformed" },
  { "<a><b></a>", -1, "malformed: Opening and ending tag mismatch" },
  { "<a/><b/>", -1, "malformed: Extra content" },
  { "<a/>text", -1, "malformed: Extra content" },
  { "<a b='1' b='2'/>", -1, "malformed: Attribute b redefined" },
  { "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", -1, "malformed: Namespaced Attribute b" },
  { "<a b='<'/>", -1, "malformed" },
  { "<a b=c/>", -1, "malformed" },
  { "<1/>", -1, "malformed" },
  { "<a>]]></a>", -1, "malformed" },
  { "<a>&foo;</a>", -1, "malformed: Entity 'foo' not defined" },
  { "<a b='&foo;'/>", -1, "malformed: Entity 'foo' not defined" },
  { "<a>&#0;</a>", -1, "malformed" },
  { "<a>&#1;</a>", -1, "malformed" },
  { "<a>&#xD800;</a>", -1, "malformed" },
  { "<a>&#xFFFF;</a>", -1, "malformed" },
  { "<a>&#x110000;</a>", -1, "malformed" },
  { "<a>&amp</a>", -1, "malformed" },
  { "<a>\001</a>", -1, "malformed" },
  { "<a>\357\277\276</a>", -1, "malformed" },
  { "<p:a/>", -1, "prefix p on a is not defined" },
  { "<a p:b='c'/>", -1, "prefix p for b on a is not defined" },
  { "<a><p:b/></a>", -1, "prefix p on b is not defined" },
  { "<a xmlns:p=''/>", -1, "malformed: xmlns:p" },
  { "<a xmlns:xmlns='u'/>", -1, "malformed" },
  { "<a xmlns='http://www.w3.org/2000/xmlns/'/>", -1, "malformed" },
  { "<a xmlns='http://www.w3.org/XML/1998/namespace'/>", -1, "malformed" },
  { "<p:q:a xmlns:p='u'/>", -1, "malformed" },
  { "<!-- x --><a/>", -1, "has a comment" },
  { "<a><!-- x --></a>", -1, "has a comment" },
  { "<a/><!-- x -->", -1, "has a comment" },
  { "<?x y?><a/>", -1, "has a processing instruction" },
  { "<a><?x?></a>", -1, "has a processing instruction" },
  { "<a/><?x y?>", -1, "has a processing instruction" },
  { "<?xml-stylesheet href='x'?><a/>", -1, "has a processing instruction" },
  { "<!DOCTYPE a><a/>", -1, "document type declaration" },
  { "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", -1, "document type declaration" },
  { "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", -1, "document type declaration" },
  { "<!DOCTYPE a [<!ENTITY % x SYSTEM 'file:///etc/passwd'> %x;]><a/>", -1,
    "document type declaration" },
  { "<?xml version='1.0'?><!DOCTYPE html><html/>", -1, "document type declaration" },
  { "<a><!DOCTYPE a></a>", -1, "malformed" },
  { "<?xml version='1.1'?><a/>", -1, "another version than 1.0" },
  { "<?xml version='1.0' encoding='ISO-8859-1'?><a/>", -1, "another encoding than UTF-8" },
  { "<?xml version='1.0' encoding='UTF-16'?><a/>", -1, "another encoding than UTF-8" },
  { "<?xml version='1.0' encoding=''?><a/>", -1, "another encoding than UTF-8" },
  { "<?xml?><a/>", -1, "malformed" },
  { "<?xml ?><a/>", -1, "declaration is malformed" },
  { "<?xml encoding='UTF-8'?><a/>", -1, "declaration is malformed" },
  { "<?xml version='1.0' standalone='maybe'?><a/>", -1, "declaration is malformed" },
  { "<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>", -1, "declaration is malformed" },
  { "<?xml version='1.0'encoding='UTF-8'?><a/>", -1, "declaration is malformed" },
  { "<?xml version='1.0' other='x'?><a/>", -1, "declaration is malformed" },
  { "<?xml version 1.0?><a/>", -1, "declaration is malformed" },
  { "<?xml version=1.0?><a/>", -1, "declaration is malformed" },
  { "<?xml version='1.0", -1, "declaration is malformed" },
  { "<?xml version=", -1, "declaration is malformed" },
  { "<?xml version='1.0'?", -1, "declaration is malformed" },
  { "<?xml version='1.0'>", -1, "declaration is malformed" },
  { "<?xml ", -1, "declaration is malformed" },
  { "<?xml version='1.0'?><?xml version='1.0' encoding='ISO-8859-1'?><a/>", -1,
    "has a processing instruction" },
  { " <?xml version='1.0'?><a/>", -1, "malformed" },
  { "<a><?xml version='1.0'?></a>", -1, "malformed" },
  { "<a>\344</a>", -1, "not UTF-8" },
  { "<a>\303</a>", -1, "not UTF-8" },
  { "<a>\355\240\200</a>", -1, "not UTF-8" },
  { "<a>\300\200</a>", -1, "not UTF-8" },
  { "<a>\364\220\200\200</a>", -1, "not UTF-8" },
  { "<a>x\0</a>", 9, "not UTF-8" },
  { "\377\376<\0a\0/\0>\0", 10, "not UTF-8" },
  { "\376\377\0<\0a\0/\0>", 10, "not UTF-8" },
  { "<\0a\0/\0>\0", 8, "not UTF-8" },
  { "\0\0\0<\0\0\0a", 8, "not UTF-8" },
};

static void
test_refuse (void)
{
  g_test_summary ("R10-R15: what XEP-0124 §6 and RFC 6120 §11 forbid is refused, and the error names it");

  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr(GError) error = NULL;
      gsize length = refused[i].length < 0 ? strlen (refused[i].xml) : (gsize)refused[i].length;
      /* An exact copy, so that a sanitizer sees a read behind the end. */
      g_autofree char *data = g_memdup2 (refused[i].xml, length);

      g_assert_null (bosh_xml_parse (data, length, NULL, NULL, &error));
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_BAD_XML);
      if (strstr (error->message, refused[i].message) == NULL)
        g_test_fail_printf ("“%s” gave “%s”", refused[i].xml, error->message);
      g_assert_cmpint (error->message[strlen (error->message) - 1], !=, '.');
      g_assert_null (bosh_xml_parse (data, length, NULL, NULL, NULL));
    }
}

static void
test_quiet (void)
{
  g_test_summary ("Bad XML writes nothing to standard error");

  if (g_test_subprocess ())
    {
      for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
        bosh_xml_parse (refused[i].xml, strlen (refused[i].xml), NULL, NULL, NULL);
      return;
    }

  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("");
}

static void
test_prefixes_of_documents (void)
{
  const char *xml = "<?xml version='1.0' encoding=\"utf-8\"?>"
                    "<body xmlns='u' xmlns:p='v' a='&amp;>'>t\303\244<p:x p:y='1' z=\"'\">&#65;"
                    "<![CDATA[]]>]]></p:x>\360\237\230\200</body>";
  gsize length = strlen (xml);

  g_test_summary ("A document that is cut short anywhere is refused");

  for (gsize i = 0; i < length; i++)
    {
      g_autoptr(GError) error = NULL;
      g_autofree char *data = g_memdup2 (xml, i);

      g_assert_null (bosh_xml_parse (data, i, NULL, NULL, &error));
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_BAD_XML);
    }
}

static void
test_root (void)
{
  static const struct
  {
    const char *xml;
    const char *name;
    const char *ns;
    gboolean    is_good;
  } cases[] = {
    { "<body xmlns='u'/>", "body", "u", TRUE },
    { "<p:body xmlns:p='u'/>", "body", "u", TRUE },
    { "<body/>", "body", NULL, TRUE },
    { "<body xmlns='u'><x/>", "body", "u", FALSE },
    { "<html><br></html>", "html", NULL, FALSE },
    { "<body xmlns='u'><!-- x --></body>", "body", "u", FALSE },
    { "<body xmlns='u'><p:x/></body>", "body", "u", FALSE },
    { "<!DOCTYPE html><html/>", NULL, NULL, FALSE },
    { "nothing", NULL, NULL, FALSE },
    { "<p:body/>", NULL, NULL, FALSE },
    { "\377", NULL, NULL, FALSE },
    { "", NULL, NULL, FALSE },
  };

  g_test_summary ("The root is told also where the document fails behind it");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = NULL;
      g_autofree char *ns = NULL;
      g_autoptr(BoshElement) element = NULL;

      element = bosh_xml_parse (cases[i].xml, strlen (cases[i].xml), &name, &ns, NULL);
      g_assert_cmpstr (name, ==, cases[i].name);
      g_assert_cmpstr (ns, ==, cases[i].ns);
      g_assert_cmpint (element != NULL, ==, cases[i].is_good);
    }
}

static void
test_root_before_large_tag (void)
{
  g_autofree char *value = repeat ("x", BOSH_XML_MAX_START_TAG);
  g_autofree char *xml = g_strdup_printf ("<body xmlns='u'><a b='%s'/></body>", value);
  g_autofree char *name = NULL;
  g_autofree char *ns = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("The root is told also where a later start tag is too long");

  g_assert_null (bosh_xml_parse (xml, strlen (xml), &name, &ns, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  g_assert_cmpstr (name, ==, "body");
  g_assert_cmpstr (ns, ==, "u");
}

/* The start tags behind a comment are measured too. */
static void
test_document (void)
{
  g_autofree char *fill = repeat ("x", BOSH_XML_MAX_START_TAG);
  g_autofree char *small =
    g_strconcat ("<?xml version='1.0'?><!-- <a b='", fill, "'/> --><?x '", fill, " <b c='?>"
                 "<r>1<!-- ' -->2<?y?>3</r><?z?><!---->", NULL);
  g_autofree char *large = g_strconcat ("<r><!-- ' --><?x '?><a b='", fill, "'/></r>", NULL);
  g_autofree char *text = NULL;
  g_autoptr(BoshElement) element = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("R125 (XEP-0156 §3): in documents of people, comments and processing "
                  "instructions are skipped; a DTD is not");

  element = bosh_xml_parse_document (small, strlen (small), &error);
  g_assert_no_error (error);
  g_assert_true (bosh_element_is_sealed (element));
  text = bosh_element_dup_text (element);
  g_assert_cmpstr (text, ==, "123");

  g_assert_null (bosh_xml_parse_document (large, strlen (large), &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  g_clear_error (&error);
  g_assert_null (bosh_xml_parse_document ("<!DOCTYPE a><a/>", 16, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_BAD_XML);
}

static void
test_mutable (void)
{
  const char *xml = "<a><b c='d'>e</b></a>";
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) element = bosh_element_new_from_string (xml, &error);
  BoshElement *child;

  g_assert_no_error (error);
  g_assert_false (bosh_element_is_sealed (element));
  child = bosh_element_get_nth_child (element, 0);
  g_assert_false (bosh_element_is_sealed (child));
  bosh_element_set_attribute (child, "c", "other");
  g_assert_cmpstr (bosh_element_get_attribute (child, "c"), ==, "other");
}

static void
test_namespaces_read (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) element =
    parse ("<a xmlns='u' xmlns:p='v'><b/><p:c/><d xmlns=''><e/></d></a>", &error);
  g_autoptr(BoshElement) bare = parse ("<a><b/></a>", &error);

  g_test_summary ("Each received element has its namespace, or the empty one "
                  "(Namespaces in XML §6)");

  g_assert_cmpstr (bosh_element_get_namespace (element), ==, "u");
  g_assert_true (bosh_element_matches (bosh_element_get_nth_child (element, 0), "b", "u"));
  g_assert_true (bosh_element_matches (bosh_element_get_nth_child (element, 1), "c", "v"));
  g_assert_true (bosh_element_matches (bosh_element_get_nth_child (element, 2), "d", ""));
  g_assert_null (bosh_element_get_child (element, "d", "u"));
  g_assert_null (bosh_element_get_namespace (bare));
  g_assert_null (bosh_element_get_namespace (bosh_element_get_nth_child (bare, 0)));
}

static char *
nest (guint       depth,
      const char *open,
      const char *close)
{
  GString *xml = g_string_new (NULL);

  for (guint i = 0; i < depth; i++)
    g_string_append (xml, open);
  for (guint i = 0; i < depth; i++)
    g_string_append (xml, close);

  return g_string_free (xml, FALSE);
}

static void
assert_too_large (const char *xml,
                  const char *message)
{
  g_autoptr(GError) error = NULL;

  g_assert_null (parse (xml, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (error->message, message));
}

static void
assert_accepted (const char *xml)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) element = parse (xml, &error);

  g_assert_no_error (error);
  g_assert_nonnull (element);
}

static void
test_depth (void)
{
  g_autofree char *deepest = nest (BOSH_XML_MAX_DEPTH, "<a>", "</a>");
  g_autofree char *deeper = nest (BOSH_XML_MAX_DEPTH + 1, "<a>", "</a>");
  g_autofree char *wide = NULL;
  g_autofree char *middle = nest (BOSH_XML_MAX_DEPTH - 1, "<a>", "</a>");

  g_test_summary ("512 levels of elements are read, 513 refused");

  assert_accepted (deepest);
  assert_too_large (deeper, "too deeply");

  /* Depth is counted down again. */
  wide = g_strdup_printf ("<r>%s%s%s</r>", middle, middle, middle);
  assert_accepted (wide);
}

static void
test_start_tag_limit (void)
{
  static const struct
  {
    const char *before;
    const char *tag;
    const char *tag_end;
    const char *after;
    char        fill;
  } cases[] = {
    { "", "<a b='", "'/>", "", 'x' },
    { "", "<a b='", "'>", "</a>", 'x' },
    { "<r>text<b/>", "<a b='", "'/>", "</r>", 'x' },
    { "<r>", "<a b=\"'", "\">", "</a></r>", '>' },
    { "<r c='>'>", "<a b='\"", "'/>", "</r>", '>' },
    { "<r><![CDATA[<a b='>]]>", "<a b='", "'/>", "</r>", 'x' },
    { "<?xml version='1.0'?><r></r   ", "", "", ">", ' ' },
    { "", "<a ", "/>", "", ' ' },
  };

  g_test_summary ("A start tag of 1 MiB is read, one byte more refused, whatever is in quotes");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gsize rest = strlen (cases[i].tag) + strlen (cases[i].tag_end);

      for (guint more = 0; more < 2; more++)
        {
          g_autofree char *fill = g_strnfill (BOSH_XML_MAX_START_TAG - rest + more, cases[i].fill);
          g_autofree char *xml = g_strconcat (cases[i].before, cases[i].tag, fill, cases[i].tag_end,
                                              cases[i].after, NULL);

          /* End tags have no such limit. */
          if (more == 0 || cases[i].tag[0] == '\0')
            assert_accepted (xml);
          else
            assert_too_large (xml, "start tag of the XML is too long");
        }
    }
}

static char *
make_attributes (guint       n,
                 const char *prefix)
{
  GString *attributes = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (attributes, " %sa%u='v'", prefix, i);

  return g_string_free (attributes, FALSE);
}

static void
test_attribute_limit (void)
{
  g_autofree char *most = make_attributes (BOSH_XML_MAX_ATTRIBUTES, "");
  g_autofree char *more = make_attributes (BOSH_XML_MAX_ATTRIBUTES + 1, "");
  g_autofree char *good = g_strdup_printf ("<r><a%s/><b%s/></r>", most, most);
  g_autofree char *bad = g_strdup_printf ("<r><a%s/></r>", more);
  g_autofree char *cut = g_strdup_printf ("<r><a%s", more);
  g_autoptr(BoshElement) element = parse (good, NULL);
  BoshElement *child = bosh_element_get_nth_child (element, 1);

  g_test_summary ("16384 attributes in a tag are read, one more refused");

  g_assert_cmpuint (bosh_element_get_n_attributes (child), ==, BOSH_XML_MAX_ATTRIBUTES);
  g_assert_cmpstr (bosh_element_get_nth_attribute (child, BOSH_XML_MAX_ATTRIBUTES - 1, NULL, NULL),
                   ==, "a16383");
  assert_too_large (bad, "too many attributes");
  assert_too_large (cut, "too many attributes");
}

static void
test_namespace_limit (void)
{
  g_autofree char *most = make_attributes (BOSH_XML_MAX_NAMESPACES - 1, "xmlns:");
  g_autofree char *good = g_strdup_printf ("<r%s><a xmlns='u'/><b xmlns='v'/></r>", most);
  g_autofree char *bad = g_strdup_printf ("<r%s><a xmlns='u'><b xmlns='v'/></a></r>", most);

  g_autofree char *longest = g_strnfill (BOSH_XML_MAX_NAMESPACE_LENGTH, 'u');
  g_autofree char *fitting = g_strdup_printf ("<r><p:a xmlns:p='%s'/></r>", longest);
  g_autofree char *too_long = g_strdup_printf ("<r><a xmlns='%sv'/></r>", longest);

  g_test_summary ("256 namespaces declared at a place are read, of 1024 bytes each, and no more");

  assert_accepted (good);
  assert_too_large (bad, "too many namespaces");
  assert_accepted (fitting);
  assert_too_large (too_long, "namespace of the XML is too long");
}

static char *
make_names (guint n)
{
  GString *xml = g_string_new ("<r>");

  for (guint i = 0; i < n; i++)
    g_string_append_printf (xml, "<n%u/>", i);
  g_string_append (xml, "</r>");

  return g_string_free (xml, FALSE);
}

static void
test_name_limit (void)
{
  /* The parser knows a few names from the beginning. */
  g_autofree char *good = make_names (BOSH_XML_MAX_NAMES - 10);
  g_autofree char *bad = make_names (BOSH_XML_MAX_NAMES + 1);

  g_test_summary ("65536 different names in a document are read, more refused");

  assert_accepted (good);
  assert_too_large (bad, "too many different names");
}

static void
test_tree_limit (void)
{
  g_autofree char *fitting = repeat ("x", BOSH_XML_MAX_TREE - MIB);
  g_autofree char *large = repeat ("x", BOSH_XML_MAX_TREE + 1);
  /* Each element takes a copy of its long namespace. */
  g_autofree char *name = repeat ("u", BOSH_XML_MAX_NAMESPACE_LENGTH);
  g_autofree char *few = repeat ("<a/>", 4 * 27000);
  g_autofree char *many = repeat ("<a/>", 4 * 29000);
  g_autofree char *text = g_strdup_printf ("<r>%.*s</r>", BOSH_XML_MAX_TREE / 2, fitting);
  g_autofree char *large_text = g_strdup_printf ("<r>%s</r>", large);
  g_autofree char *elements = g_strdup_printf ("<r xmlns='%s'>%s</r>", name, few);
  g_autofree char *too_many = g_strdup_printf ("<r xmlns='%s'>%s</r>", name, many);

  g_test_summary ("Elements of a document take no more than 30 MiB");

  assert_accepted (text);
  assert_too_large (large_text, "too much memory");
  assert_accepted (elements);
  assert_too_large (too_many, "too much memory");
}

/* Puts @part at each distance from the ends of the pieces in which libxml2 gets
 * the document. */
static void
check_at_piece_ends (const char *part,
                     const char *expected)
{
  gsize length = strlen (part);

  for (gsize piece = 4096; piece <= 65536; piece *= 2)
    {
      g_autofree char *padding = g_strnfill (piece, '.');

      for (gsize i = 0; i < length + 8; i++)
        {
          g_autofree char *xml = g_strdup_printf ("<r>%.*s<x/>%s</r>",
                                                  (int)(piece - i - 4), padding, part);
          g_autoptr(GError) error = NULL;
          g_autoptr(BoshElement) element = parse (xml, &error);
          g_autofree char *written = NULL;

          g_assert_no_error (error);
          written = bosh_element_to_string (element);
          g_assert_true (g_str_has_suffix (written, "</r>"));
          written[strlen (written) - 4] = '\0';
          g_assert_cmpstr (strstr (written, "<x/>"), ==, expected);
          g_assert_cmpuint (strspn (written + 3, "."), ==, piece - i - 4);
        }
    }
}

static void
test_piece_ends (void)
{
  g_test_summary ("It does not matter where a long document is cut for the parser");

  check_at_piece_ends ("<a b='>/\">' c=\"'>'\">d</a>",
                       "<x/><a b='&gt;/&quot;&gt;' c='&apos;&gt;&apos;'>d</a>");
  check_at_piece_ends ("\303\244\360\237\230\200\342\202\254",
                       "<x/>\303\244\360\237\230\200\342\202\254");
  check_at_piece_ends ("<\303\244\303\266 \303\274='\360\237\230\200'/>",
                       "<x/><\303\244\303\266 \303\274='\360\237\230\200'/>");
  check_at_piece_ends ("a\r\nb\rc\r\r\nd", "<x/>a\nb\nc\n\nd");
  check_at_piece_ends ("&lt;&#65;&#x1F600;&amp;", "<x/>&lt;A\360\237\230\200&amp;");
  check_at_piece_ends ("<![CDATA[a<b>]]]]>]]&gt;<y/>", "<x/>a&lt;b&gt;]]]]&gt;<y/>");
  check_at_piece_ends ("<y  xmlns = 'u'  ><z/></y  >", "<x/><y xmlns='u'><z/></y>");
}

/* Any character of XML, with those more often that need care. */
static void
append_random_text (GString *text,
                    guint    length)
{
  static const char *special[] = {
    "&",
    "<",
    ">",
    "'",
    "\"",
    "\t",
    "\n",
    "\r",
    " ",
    "]]>",
    "&amp;",
    "&#38;",
    "#38;",
    "<!--",
    "\r\n",
    "\302\205",
    "\342\200\250",
    "\357\277\275",
    "\364\217\277\277",
    "\356\200\200",
  };

  for (guint i = 0; i < length; i++)
    {
      gunichar c;

      if (g_test_rand_bit ())
        {
          g_string_append (text, special[g_test_rand_int_range (0, G_N_ELEMENTS (special))]);
          continue;
        }

      do
        c = g_test_rand_int_range (0x20, g_test_rand_bit () ? 0x110000 : 0x250);
      while ((c >= 0xd800 && c < 0xe000) || c == 0xfffe || c == 0xffff);
      g_string_append_unichar (text, c);
    }
}

static char *
random_text (guint max_length)
{
  GString *text = g_string_new (NULL);

  append_random_text (text, g_test_rand_int_range (0, max_length + 1));

  return g_string_free (text, FALSE);
}

static const char *
random_namespace (void)
{
  static const char *namespaces[] = {
    NULL,
    NULL,
    "",
    "jabber:client",
    "urn:a",
    "urn:b'&\"<>",
    "not a \360\237\230\200 URI",
    BOSH_NS_XML,
  };

  return namespaces[g_test_rand_int_range (0, G_N_ELEMENTS (namespaces))];
}

static const char *
random_name (void)
{
  static const char *names[] = {
    "a",
    "b",
    "body",
    "_x.1-2",
    "\303\244\302\267",
    "xmlfoo",
    "ns1",
    "\360\220\200\200",
  };

  return names[g_test_rand_int_range (0, G_N_ELEMENTS (names))];
}

static BoshElement *
random_element (guint depth)
{
  BoshElement *element = bosh_element_new (random_name (), random_namespace ());
  guint n_nodes = depth > 0 ? g_test_rand_int_range (0, 6) : 0;

  for (int i = g_test_rand_int_range (0, 4); i > 0; i--)
    {
      g_autofree char *value = random_text (8);

      bosh_element_set_attribute_ns (element, random_name (), random_namespace (), value);
    }

  for (guint i = 0; i < n_nodes; i++)
    {
      if (g_test_rand_bit ())
        {
          g_autofree char *text = random_text (20);

          bosh_element_add_text (element, text);
        }
      else
        {
          g_autoptr(BoshElement) child = random_element (depth - 1);

          bosh_element_add_child (element, child);
        }
    }

  return element;
}

static void
test_round_trip (void)
{
  g_test_summary ("What is written is read as an equal element, whatever characters it has "
                  "(XML 1.0 §2.2, §2.11, §3.3.3)");

  for (guint i = 0; i < 2000; i++)
    {
      g_autoptr(BoshElement) element = random_element (5);
      g_autoptr(BoshElement) again = NULL;
      g_autoptr(BoshElement) public = NULL;
      g_autoptr(GString) xml = g_string_new (NULL);
      g_autoptr(GError) error = NULL;
      g_autofree char *text = NULL;
      g_autofree char *text_again = NULL;

      g_assert_true (bosh_xml_append_element (xml, element, NULL, "jabber:client", &error));
      g_assert_no_error (error);
      again = bosh_xml_parse (xml->str, xml->len, NULL, NULL, &error);
      g_assert_no_error (error);
      text_again = bosh_element_to_string (again);
      g_assert_true (g_str_equal (text_again, xml->str));

      text = bosh_element_to_string (element);
      public = bosh_element_new_from_string (text, &error);
      g_assert_no_error (error);
      g_assert_true (bosh_element_equal (element, public));
      if (bosh_element_get_namespace (element) != NULL)
        g_assert_true (bosh_element_equal (element, again));
    }
}

static void
assert_written (const char *xml,
                const char *parent_namespace,
                const char *unset_namespace,
                const char *expected)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) element = bosh_element_new_from_string (xml, &error);
  g_autoptr(GString) output = g_string_new ("before");

  g_assert_no_error (error);
  g_assert_true (bosh_xml_append_element (output, element, parent_namespace, unset_namespace,
                                          &error));
  g_assert_no_error (error);
  g_assert_cmpstr (output->str + strlen ("before"), ==, expected);
}

static void
test_write_namespaces (void)
{
  g_test_summary ("A namespace is declared where it is needed, and nowhere else "
                  "(Namespaces in XML §6)");

  assert_written ("<a><b/></a>", NULL, NULL, "<a><b/></a>");
  assert_written ("<a><b/></a>", "u", NULL, "<a><b/></a>");
  assert_written ("<a><b/></a>", "u", "jabber:client", "<a xmlns='jabber:client'><b/></a>");
  assert_written ("<a><b/></a>", "u", "u", "<a><b/></a>");
  assert_written ("<a><b/></a>", NULL, "", "<a xmlns=''><b/></a>");
  assert_written ("<a><b xmlns=''/></a>", NULL, NULL, "<a><b xmlns=''/></a>");
  assert_written ("<a><b xmlns=''/></a>", NULL, "u", "<a xmlns='u'><b xmlns=''/></a>");
  assert_written ("<a xmlns=''><b/></a>", NULL, "jabber:client", "<a xmlns=''><b/></a>");
  assert_written ("<a><b/></a>", "u", "", "<a xmlns=''><b/></a>");
  assert_written ("<a xmlns='v'><b/><c xmlns='w'/></a>", "u", "jabber:client",
                  "<a xmlns='v'><b/><c xmlns='w'/></a>");
  assert_written ("<a xmlns='u'><b xmlns='w'><c xmlns='u'/></b></a>", "u", "jabber:client",
                  "<a><b xmlns='w'><c xmlns='u'/></b></a>");
  assert_written ("<a xmlns='u'><b xmlns=''><c/></b></a>", NULL, NULL,
                  "<a xmlns='u'><b xmlns=''><c/></b></a>");
  assert_written ("<xml:a xmlns:p='v'><b xmlns='u'/><p:c/></xml:a>", "u", NULL,
                  "<xml:a><b/><c xmlns='v'/></xml:a>");
}

static void
test_write_attributes (void)
{
  g_autoptr(BoshElement) element = bosh_element_new ("a", NULL);
  g_autofree char *xml = NULL;

  g_test_summary ("An attribute with a namespace gets a prefix of its own");

  bosh_element_set_attribute_ns (element, "one", "urn:a", "1");
  bosh_element_set_attribute_ns (element, "two", "urn:a", "2");
  bosh_element_set_attribute (element, "three", "3\t\n\r<>&'\"");
  bosh_element_set_attribute_ns (element, "four", "urn:b'", "4");
  bosh_element_set_attribute_ns (element, "lang", BOSH_NS_XML, "de");
  bosh_element_set_attribute_ns (element, "xmlns", "urn:b'", "5");
  bosh_element_set_attribute_ns (element, "six", "", "6");
  xml = bosh_element_to_string (element);
  g_assert_cmpstr (xml, ==,
                   "<a xmlns:ns1='urn:a' ns1:one='1' ns1:two='2'"
                   " three='3&#9;&#10;&#13;&lt;&gt;&amp;&apos;&quot;'"
                   " xmlns:ns2='urn:b&apos;' ns2:four='4' xml:lang='de' ns2:xmlns='5' six='6'/>");
}

static void
assert_unwritable (BoshElement *element,
                   const char  *message,
                   const char  *described)
{
  g_autoptr(BoshElement) outer = bosh_element_new ("outer", NULL);
  g_autoptr(GString) output = g_string_new ("before");
  g_autoptr(GError) error = NULL;
  g_autofree char *text = bosh_element_to_string (element);

  g_assert_cmpstr (text, ==, described);

  bosh_element_add_child (outer, element);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_false (bosh_xml_append_element (output, i == 0 ? element : outer, NULL, NULL,
                                               &error));
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_STANZA);
      g_assert_nonnull (strstr (error->message, message));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_cmpstr (output->str, ==, "before");
      g_clear_error (&error);
    }
  g_assert_false (bosh_xml_append_element (output, element, NULL, NULL, NULL));
}

static void
test_write_bad_text (void)
{
  static const struct
  {
    const char *text;
    const char *described;
  } cases[] = {
    { "\001", "\357\277\275" },
    { "a\013b", "a\357\277\275b" },
    { "\037<", "\357\277\275&lt;" },
    { "plain text, then \033[0m", "plain text, then \357\277\275[0m" },
    { "\303\244\010", "\303\244\357\277\275" },
    { "\357\277\276", "\357\277\275" },
    { "x\357\277\277y", "x\357\277\275y" },
    { "\377", "\357\277\275" },
    { "eight bytes\303", "eight bytes\357\277\275" },
    { "\355\240\200", "\357\277\275\357\277\275\357\277\275" },
  };

  g_test_summary ("Text that XML can't have is not sent (XML 1.0 §2.2)");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshElement) element = bosh_element_new ("a", NULL);
      g_autoptr(BoshElement) other = bosh_element_new ("b", NULL);
      g_autoptr(BoshElement) third = bosh_element_new ("c", cases[i].text);
      g_autofree char *described = g_strdup_printf ("<a>%s</a>", cases[i].described);
      g_autofree char *described_other = g_strdup_printf ("<b attribute='%s'/>",
                                                          cases[i].described);
      g_autofree char *described_third = g_strdup_printf ("<c xmlns='%s'/>", cases[i].described);

      bosh_element_add_text (element, cases[i].text);
      assert_unwritable (element, "character that XML can’t have: a", described);
      bosh_element_set_attribute (other, "attribute", cases[i].text);
      assert_unwritable (other, "character that XML can’t have: attribute", described_other);
      assert_unwritable (third, "character that XML can’t have: xmlns", described_third);
      g_assert_false (bosh_xml_is_valid_text (cases[i].text, -1));
    }
}

static void
test_write_bad_names (void)
{
  static const struct
  {
    const char *name;
    const char *described;
  } cases[] = {
    { "", "_" },
    { "a:b", "_a_b" },
    { "1", "_1" },
    { "-a", "_-a" },
    { "a b", "_a_b" },
    { "a>", "_a_" },
    { "a'", "_a_" },
    { "\302\267a", "_\302\267a" },
    { "\303\227", "__" },
    { "a\344", "_a\357\277\275" },
    { "a\342\200\250", "_a_" },
  };

  g_test_summary ("Only an NCName is sent as a name (Namespaces in XML §3)");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshElement) element = bosh_element_new (cases[i].name, NULL);
      g_autoptr(BoshElement) other = bosh_element_new ("b", NULL);
      g_autoptr(BoshElement) third = bosh_element_new ("c", NULL);
      g_autofree char *described = g_strdup_printf ("<%s>x</%s>", cases[i].described,
                                                    cases[i].described);
      g_autofree char *described_other = g_strdup_printf ("<b %s='v'/>", cases[i].described);
      g_autofree char *described_third = g_strdup_printf ("<c xmlns:ns1='u' ns1:%s='v'/>",
                                                          cases[i].described);

      bosh_element_add_text (element, "x");
      assert_unwritable (element, "no name", described);
      bosh_element_set_attribute (other, cases[i].name, "v");
      assert_unwritable (other, "no name", described_other);
      bosh_element_set_attribute_ns (third, cases[i].name, "u", "v");
      assert_unwritable (third, "no name", described_third);
    }
}

static void
test_write_reserved (void)
{
  g_autoptr(BoshElement) attribute = bosh_element_new ("a", NULL);
  g_autoptr(BoshElement) element = bosh_element_new ("b", BOSH_NS_XMLNS);
  g_autoptr(BoshElement) prefixed = bosh_element_new ("c", NULL);

  g_test_summary ("Declarations of namespaces can't be forged (Namespaces in XML §3)");

  bosh_element_set_attribute (attribute, "xmlns", "urn:other");
  assert_unwritable (attribute, "no name", "<a _xmlns='urn:other'/>");
  assert_unwritable (element, "namespace is reserved",
                     "<b xmlns='http://www.w3.org/2000/xmlns/'/>");
  bosh_element_set_attribute_ns (prefixed, "d", BOSH_NS_XMLNS, "e");
  assert_unwritable (prefixed, "namespace is reserved",
                     "<c xmlns:ns1='http://www.w3.org/2000/xmlns/' ns1:d='e'/>");
}

static BoshElement *
build_nested (guint depth)
{
  BoshElement *root = bosh_element_new ("a", NULL);
  BoshElement *element = root;

  for (guint i = 1; i < depth; i++)
    element = bosh_element_add_new_child (element, "a", NULL);

  return root;
}

static void
test_write_depth (void)
{
  g_autoptr(BoshElement) deepest = build_nested (BOSH_XML_MAX_DEPTH);
  g_autoptr(BoshElement) deeper = build_nested (BOSH_XML_MAX_DEPTH + 1);
  g_autoptr(BoshElement) much_deeper = build_nested (100000);
  g_autoptr(GString) output = g_string_new (NULL);
  g_autoptr(GError) error = NULL;
  g_autofree char *xml = NULL;
  g_autofree char *deeper_xml = NULL;
  g_autofree char *much_deeper_xml = NULL;

  g_test_summary ("Elements that nest too deeply are not sent, and do not exhaust the stack");

  g_assert_true (bosh_xml_append_element (output, deepest, NULL, NULL, &error));
  g_assert_no_error (error);
  xml = nest (BOSH_XML_MAX_DEPTH - 1, "<a>", "</a>");
  g_assert_cmpuint (output->len, ==, strlen (xml) + strlen ("<a/>"));

  g_assert_false (bosh_xml_append_element (output, deeper, NULL, NULL, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_STANZA);
  g_assert_nonnull (strstr (error->message, "too deeply"));
  g_clear_error (&error);
  g_assert_false (bosh_xml_append_element (output, much_deeper, NULL, NULL, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_STANZA);

  deeper_xml = bosh_element_to_string (deeper);
  much_deeper_xml = bosh_element_to_string (much_deeper);
  g_assert_cmpstr (deeper_xml, ==, much_deeper_xml);
  assert_accepted (deeper_xml);
}

static void
test_append_escaped (void)
{
  g_autoptr(GString) output = g_string_new ("a=");

  bosh_xml_append_quoted (output, "<'\"&>\t\r\n\303\244");
  bosh_xml_append_quoted (output, "");
  g_assert_cmpstr (output->str, ==, "a='&lt;&apos;&quot;&amp;&gt;&#9;&#13;&#10;\303\244'''");
  g_string_truncate (output, 0);
  bosh_xml_append_escaped (output, "ab'\n<c", 5, FALSE);
  g_assert_cmpstr (output->str, ==, "ab'\n&lt;");
}

static void
test_valid_text (void)
{
  g_test_summary ("Each character of Unicode is allowed or not as XML 1.0 §2.2 says");

  for (gunichar c = 1; c < 0x110000; c++)
    {
      gboolean is_char = c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0xd7ff) ||
                         (c >= 0xe000 && c <= 0xfffd) || c >= 0x10000;
      char utf8[16] = "eight by";

      utf8[8 + g_unichar_to_utf8 (c, utf8 + 8)] = '\0';
      if (bosh_xml_is_valid_text (utf8 + 8, -1) != is_char ||
          bosh_xml_is_valid_text (utf8, -1) != is_char)
        g_test_fail_printf ("U+%04X", c);
    }

  g_assert_true (bosh_xml_is_valid_text ("", -1));
  g_assert_true (bosh_xml_is_valid_text ("\001", 0));
  g_assert_true (bosh_xml_is_valid_text ("a\001", 1));
  g_assert_false (bosh_xml_is_valid_text ("a\0b", 3));
  g_assert_false (bosh_xml_is_valid_text ("\303\244", 1));
}

static void
test_count_ascii (void)
{
  const char *text = "abcdefgh01234567\t\303\244.....";

  g_assert_cmpuint (bosh_xml_count_ascii (text, 16, 1), ==, 16);
  g_assert_cmpuint (bosh_xml_count_ascii (text, 15, 1), ==, 8);
  g_assert_cmpuint (bosh_xml_count_ascii (text, 24, 1), ==, 16);
  g_assert_cmpuint (bosh_xml_count_ascii (text + 9, 8, ' '), ==, 0);
  g_assert_cmpuint (bosh_xml_count_ascii (text + 9, 8, 1), ==, 8);
  g_assert_cmpuint (bosh_xml_count_ascii ("\0bcdefgh", 8, 1), ==, 0);
  g_assert_cmpuint (bosh_xml_count_ascii ("", 0, 1), ==, 0);
}

typedef enum
{
  ACCEPTED,
  BAD_XML,
  TOO_LARGE
} Outcome;

static gboolean
is_under_valgrind (void)
{
  const char *preload = g_getenv ("LD_PRELOAD");

  return preload != NULL && strstr (preload, "vgpreload") != NULL;
}

static void
check_shape (const char *what,
             GString    *xml,
             Outcome     expected)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) element = NULL;
  gint64 start = g_get_monotonic_time ();
  double seconds;

  element = bosh_xml_parse (xml->str, xml->len, NULL, NULL, &error);
  g_clear_pointer (&element, bosh_element_unref);
  seconds = (g_get_monotonic_time () - start) / 1e6;

  g_test_message ("%s: %" G_GSIZE_FORMAT " bytes, %.3f s, %s", what, xml->len, seconds,
                  error != NULL ? error->message : "accepted");
  switch (expected)
    {
    case BAD_XML:
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_BAD_XML);
      break;
    case TOO_LARGE:
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
      break;
    case ACCEPTED:
    default:
      g_assert_no_error (error);
      break;
    }
  /* It is far less; but machines differ, and valgrind slows all of it. */
  g_assert_cmpfloat (seconds, <, is_under_valgrind () ? 100 : 10);
}

static void
test_large_repeated (void)
{
  static const struct
  {
    const char *start;
    const char *part;
    const char *end;
    Outcome     outcome;
  } shapes[] = {
    { "<r>", "<a/>", "</r>", TOO_LARGE },
    { "<r>", "<a/> ", "</r>", TOO_LARGE },
    { "<r>", "<a>b</a>", "</r>", TOO_LARGE },
    { "<r xmlns='u'>", "<x xmlns='http://example.org/a/b'/>", "</r>", ACCEPTED },
    { "", "<a>", "", TOO_LARGE },
    { "<r>", "some text ", "</r>", ACCEPTED },
    { "<r>", "\360\237\230\200\303\244", "</r>", ACCEPTED },
    { "<r>", "\r\n", "</r>", ACCEPTED },
    { "<r>", "&amp;", "</r>", ACCEPTED },
    { "<r>", "&#65;", "</r>", ACCEPTED },
    { "<r>", "&foo;", "</r>", BAD_XML },
    { "<r>&", "name", ";</r>", BAD_XML },
    { "<r>&#", "0000", "65;</r>", ACCEPTED },
    { "<r><![CDATA[", "]] <x y='>", "]]></r>", ACCEPTED },
    { "<r>", "<![CDATA[]]>", "</r>", ACCEPTED },
    { "<r><![CDATA[", "]]]]]", "", BAD_XML },
    { "<r a='", "value", "'/>", TOO_LARGE },
    { "<r a='", "&amp;", "'/>", TOO_LARGE },
    { "<r", " a='b'", "/>", TOO_LARGE },
    { "<r ", "a ", "", TOO_LARGE },
    { "<r a='", "<b>", "", TOO_LARGE },
    { "", "<", "", TOO_LARGE },
    { "<r>", ">", "", BAD_XML },
    { "<r>", "'\"", "", BAD_XML },
    { "<r>", "]]", "", BAD_XML },
    { "", " \n", "<r/>", ACCEPTED },
    { "<r/>", " \n", "", ACCEPTED },
    { "<r></r", " ", ">", ACCEPTED },
    { "<r></r", "r", ">", BAD_XML },
    { "<", "r", "/>", TOO_LARGE },
    { "<r><!--", " - ", "--></r>", BAD_XML },
    { "<r><?x ", " ? ", "?></r>", BAD_XML },
    { "<!DOCTYPE r [", "<!ENTITY x 'y'>", "]><r/>", BAD_XML },
    { "<!DOCTYPE r SYSTEM '", "x", "'><r/>", BAD_XML },
    { "<?xml version='1.0' encoding='", "x", "'?><r/>", BAD_XML },
  };

  g_test_summary ("Documents of 4 MiB are accepted or refused soon, whatever they consist of");

  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++)
    {
      g_autofree char *middle = repeat (shapes[i].part, 4 * MIB);
      g_autoptr(GString) xml = g_string_new (shapes[i].start);
      g_autofree char *part = g_strescape (shapes[i].part, NULL);
      g_autofree char *what = g_strdup_printf ("%s %s", shapes[i].start, part);

      g_string_append (xml, middle);
      g_string_append (xml, shapes[i].end);
      check_shape (what, xml, shapes[i].outcome);
    }
}

static void
test_large_attributes (void)
{
  g_autoptr(GString) one_tag = g_string_new ("<r");
  g_autoptr(GString) tags = g_string_new ("<r>");
  g_autoptr(GString) namespaces = g_string_new ("<r xmlns:z='u'");
  g_autoptr(GString) declarations = g_string_new ("<r>");
  g_autofree char *attributes = make_attributes (BOSH_XML_MAX_ATTRIBUTES, "");
  g_autofree char *declared = make_attributes (BOSH_XML_MAX_NAMESPACES - 1, "xmlns:");
  g_autofree char *elements = repeat ("<z:x z:y=''/>", MIB);

  g_test_summary ("Many attributes and namespaces do not take quadratic time");

  for (guint i = 0; i < 100000; i++)
    g_string_append_printf (one_tag, " a%u=''", i);
  g_string_append (one_tag, "/>");
  check_shape ("100000 attributes", one_tag, TOO_LARGE);

  while (tags->len < 4 * MIB)
    g_string_append_printf (tags, "<a%s/>", attributes);
  g_string_append (tags, "</r>");
  check_shape ("many tags with many attributes", tags, ACCEPTED);

  g_string_append_printf (namespaces, "%s>%s</r>", declared, elements);
  check_shape ("many namespaces in force", namespaces, ACCEPTED);

  while (declarations->len < 4 * MIB)
    g_string_append_printf (declarations, "<a%s/>", declared);
  g_string_append (declarations, "</r>");
  check_shape ("many tags with many namespaces", declarations, ACCEPTED);
}

static void
test_large_names (void)
{
  g_autoptr(GString) names = g_string_new ("<r>");
  g_autoptr(GString) long_names = g_string_new ("<r>");
  g_autofree char *name = g_strnfill (40000, 'n');

  g_test_summary ("Many different names do not take memory without bound");

  for (guint i = 0; names->len < 4 * MIB; i++)
    g_string_append_printf (names, "<a%x/>", i);
  g_string_append (names, "</r>");
  check_shape ("many names", names, TOO_LARGE);

  for (guint i = 0; long_names->len < 4 * MIB; i++)
    g_string_append_printf (long_names, "<a%x%s/>", i, name);
  g_string_append (long_names, "</r>");
  check_shape ("long names", long_names, ACCEPTED);
}

static gpointer
parse_in_thread (gpointer data)
{
  for (guint i = 0; i < 500; i++)
    {
      assert_accepted ("<a xmlns='u'><b c='d'>e</b></a>");
      g_assert_null (parse ("<a><b></a>", NULL));
    }

  return NULL;
}

static void
test_threads (void)
{
  GThread *threads[4];

  g_test_summary ("XML can be read in several threads at once");

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("parse", parse_in_thread, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* What one document leaves behind in the thread is no business of the next. */
static void
test_one_after_another (void)
{
  g_test_summary ("Thousands of documents with ever new names, good and bad ones in turn");

  for (guint i = 0; i < 5000; i++)
    {
      g_autofree char *good = g_strdup_printf ("<e%u xmlns='u:%u' a%u='1'><b/>t</e%u>", i, i, i, i);
      g_autofree char *bad = g_strdup_printf ("<f%u><g>", i);
      g_autofree char *name = g_strdup_printf ("e%u", i);
      g_autofree char *ns = g_strdup_printf ("u:%u", i);
      g_autoptr(BoshElement) element = bosh_xml_parse (good, strlen (good), NULL, NULL, NULL);

      g_assert_nonnull (element);
      g_assert_true (bosh_element_matches (element, name, ns));
      g_assert_cmpuint (bosh_element_get_n_children (element), ==, 1);
      g_assert_null (bosh_xml_parse (bad, i % 3 == 0 ? strlen (bad) : 0, NULL, NULL, NULL));
    }
}

static void
test_no_memory (void)
{
  static const char * const documents[] = {
    "<?xml version='1.0'?>\xef\xbb\xbf<a xmlns='x'/>",
    "\xef\xbb\xbf<a xmlns='x'/>",
    "<?xml version='1.0' encoding='UTF-8'?><a xmlns='x'/>",
    "<a xmlns='x'>",
    "<a/>",
  };

  g_test_summary ("What was read before makes no difference");

  for (guint i = 0; i < G_N_ELEMENTS (documents); i++)
    {
      gboolean first = FALSE;

      for (guint j = 0; j < 2 * G_N_ELEMENTS (documents); j++)
        {
          const char *text = j % 2 == 0 ? documents[i] : documents[j / 2];
          g_autoptr(BoshElement) element = bosh_xml_parse (text, strlen (text), NULL, NULL, NULL);

          if (j == 0)
            first = element != NULL;
          else if (j % 2 == 0)
            g_assert_cmpint (element != NULL, ==, first);
        }
    }
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/xml/accept", test_accept);
  g_test_add_func ("/bosh/xml/refuse", test_refuse);
  g_test_add_func ("/bosh/xml/quiet", test_quiet);
  g_test_add_func ("/bosh/xml/prefixes-of-documents", test_prefixes_of_documents);
  g_test_add_func ("/bosh/xml/root", test_root);
  g_test_add_func ("/bosh/xml/root-before-large-tag", test_root_before_large_tag);
  g_test_add_func ("/bosh/xml/document", test_document);
  g_test_add_func ("/bosh/xml/mutable", test_mutable);
  g_test_add_func ("/bosh/xml/namespaces-read", test_namespaces_read);
  g_test_add_func ("/bosh/xml/depth", test_depth);
  g_test_add_func ("/bosh/xml/start-tag-limit", test_start_tag_limit);
  g_test_add_func ("/bosh/xml/attribute-limit", test_attribute_limit);
  g_test_add_func ("/bosh/xml/namespace-limit", test_namespace_limit);
  g_test_add_func ("/bosh/xml/name-limit", test_name_limit);
  g_test_add_func ("/bosh/xml/tree-limit", test_tree_limit);
  g_test_add_func ("/bosh/xml/piece-ends", test_piece_ends);
  g_test_add_func ("/bosh/xml/round-trip", test_round_trip);
  g_test_add_func ("/bosh/xml/write/namespaces", test_write_namespaces);
  g_test_add_func ("/bosh/xml/write/attributes", test_write_attributes);
  g_test_add_func ("/bosh/xml/write/bad-text", test_write_bad_text);
  g_test_add_func ("/bosh/xml/write/bad-names", test_write_bad_names);
  g_test_add_func ("/bosh/xml/write/reserved", test_write_reserved);
  g_test_add_func ("/bosh/xml/write/depth", test_write_depth);
  g_test_add_func ("/bosh/xml/append-escaped", test_append_escaped);
  g_test_add_func ("/bosh/xml/valid-text", test_valid_text);
  g_test_add_func ("/bosh/xml/count-ascii", test_count_ascii);
  g_test_add_func ("/bosh/xml/large/repeated", test_large_repeated);
  g_test_add_func ("/bosh/xml/large/attributes", test_large_attributes);
  g_test_add_func ("/bosh/xml/large/names", test_large_names);
  g_test_add_func ("/bosh/xml/threads", test_threads);
  g_test_add_func ("/bosh/xml/one-after-another", test_one_after_another);

  g_test_add_func ("/bosh/xml/no-memory", test_no_memory);

  return g_test_run ();
}
