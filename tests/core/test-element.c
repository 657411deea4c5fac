/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-element-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-xml-private.h"

#include <string.h>

#define DEPTH 100000

static BoshElement *
read_element (const char *xml)
{
  g_autoptr(GError) error = NULL;
  BoshElement *element = bosh_element_new_from_string (xml, &error);

  g_assert_no_error (error);

  return element;
}

static BoshElement *
read_sealed (const char *xml)
{
  g_autoptr(GError) error = NULL;
  BoshElement *element = bosh_xml_parse (xml, strlen (xml), NULL, NULL, &error);

  g_assert_no_error (error);

  return element;
}

static void
assert_xml (BoshElement *element,
            const char  *expected)
{
  g_autofree char *xml = bosh_element_to_string (element);

  g_assert_cmpstr (xml, ==, expected);
}

static void
test_new (void)
{
  g_autoptr(BoshElement) element = bosh_element_new ("a", "u");
  g_autoptr(BoshElement) unset = bosh_element_new ("b", NULL);
  g_autoptr(BoshElement) none = bosh_element_new ("c", "");
  g_autofree char *text = bosh_element_dup_text (element);

  g_assert_cmpstr (bosh_element_get_name (element), ==, "a");
  g_assert_cmpstr (bosh_element_get_namespace (element), ==, "u");
  g_assert_null (bosh_element_get_namespace (unset));
  g_assert_cmpstr (bosh_element_get_namespace (none), ==, "");
  g_assert_false (bosh_element_is_sealed (element));
  g_assert_cmpuint (bosh_element_get_n_attributes (element), ==, 0);
  g_assert_cmpuint (bosh_element_get_n_children (element), ==, 0);
  g_assert_cmpstr (text, ==, "");
  assert_xml (element, "<a xmlns='u'/>");
}

static void
test_references (void)
{
  BoshElement *parent = bosh_element_new ("a", NULL);
  BoshElement *child = bosh_element_new ("b", NULL);
  GValue value = G_VALUE_INIT;

  g_test_summary ("An element lives as long as somebody holds it");

  g_assert_true (bosh_element_ref (parent) == parent);
  bosh_element_unref (parent);

  bosh_element_add_child (parent, child);
  bosh_element_unref (child);
  g_assert_true (bosh_element_get_nth_child (parent, 0) == child);
  bosh_element_ref (child);
  bosh_element_unref (parent);
  g_assert_cmpstr (bosh_element_get_name (child), ==, "b");

  g_value_init (&value, BOSH_TYPE_ELEMENT);
  g_value_set_boxed (&value, child);
  g_assert_true (g_value_get_boxed (&value) == child);
  bosh_element_unref (child);
  g_assert_cmpstr (bosh_element_get_name (g_value_get_boxed (&value)), ==, "b");
  g_value_unset (&value);
}

static void
test_attributes (void)
{
  g_autoptr(BoshElement) element = bosh_element_new ("a", NULL);
  const char *ns = "unset";
  const char *value = "unset";

  bosh_element_set_attribute (element, "one", "1");
  bosh_element_set_attribute (element, "two", "");
  bosh_element_set_attribute_ns (element, "one", "u", "3");
  bosh_element_set_attribute_ns (element, "four", "", "4");

  g_assert_cmpuint (bosh_element_get_n_attributes (element), ==, 4);
  g_assert_cmpstr (bosh_element_get_attribute (element, "one"), ==, "1");
  g_assert_cmpstr (bosh_element_get_attribute (element, "two"), ==, "");
  g_assert_cmpstr (bosh_element_get_attribute (element, "four"), ==, "4");
  g_assert_cmpstr (bosh_element_get_attribute_ns (element, "one", "u"), ==, "3");
  g_assert_cmpstr (bosh_element_get_attribute_ns (element, "one", NULL), ==, "1");
  g_assert_cmpstr (bosh_element_get_attribute_ns (element, "one", ""), ==, "1");
  g_assert_null (bosh_element_get_attribute (element, "five"));
  g_assert_null (bosh_element_get_attribute_ns (element, "two", "u"));

  g_assert_cmpstr (bosh_element_get_nth_attribute (element, 2, &ns, &value), ==, "one");
  g_assert_cmpstr (ns, ==, "u");
  g_assert_cmpstr (value, ==, "3");
  g_assert_cmpstr (bosh_element_get_nth_attribute (element, 3, &ns, NULL), ==, "four");
  g_assert_null (ns);
  g_assert_null (bosh_element_get_nth_attribute (element, 4, &ns, &value));
  g_assert_null (ns);
  g_assert_null (value);
  g_assert_null (bosh_element_get_nth_attribute (element, G_MAXUINT, NULL, NULL));

  /* A place is kept; an argument may be the old value itself. */
  bosh_element_set_attribute (element, "one", "other");
  bosh_element_set_attribute (element, "one", bosh_element_get_attribute (element, "one") + 2);
  bosh_element_set_attribute (element, "two", NULL);
  bosh_element_set_attribute (element, "two", NULL);
  bosh_element_set_attribute_ns (element, "two", "v", NULL);
  g_assert_cmpuint (bosh_element_get_n_attributes (element), ==, 3);
  assert_xml (element, "<a one='her' xmlns:ns1='u' ns1:one='3' four='4'/>");
}

static void
test_many_attributes (void)
{
  g_autoptr(BoshElement) element = read_element ("<a p='1' q='2'/>");

  g_test_summary ("Attributes that were read and those that were set mix");

  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *name = g_strdup_printf ("a%u", i);

      bosh_element_set_attribute (element, name, name);
    }
  bosh_element_set_attribute (element, "p", "other");
  bosh_element_set_attribute (element, "p", "another");
  bosh_element_set_attribute (element, "q", NULL);
  for (guint i = 0; i < 100; i += 2)
    {
      g_autofree char *name = g_strdup_printf ("a%u", i);

      bosh_element_set_attribute (element, name, NULL);
    }

  g_assert_cmpuint (bosh_element_get_n_attributes (element), ==, 51);
  g_assert_cmpstr (bosh_element_get_attribute (element, "p"), ==, "another");
  g_assert_null (bosh_element_get_attribute (element, "a98"));
  g_assert_cmpstr (bosh_element_get_attribute (element, "a99"), ==, "a99");
}

static void
test_text (void)
{
  g_autoptr(BoshElement) element = bosh_element_new ("a", NULL);
  g_autofree char *all = NULL;
  g_autofree char *replaced = NULL;
  g_autofree char *none = NULL;

  g_test_summary ("Text is that of the element itself, in one");

  bosh_element_add_text (element, "one");
  bosh_element_add_text (element, "");
  bosh_element_add_text (element, " two");
  bosh_element_add_text (bosh_element_add_new_child (element, "b", NULL), "inner");
  bosh_element_add_text (element, " three");
  bosh_element_add_new_child (element, "c", NULL);
  bosh_element_add_new_child (element, "d", NULL);
  bosh_element_add_text (element, " \360\237\230\200");

  assert_xml (element, "<a>one two<b>inner</b> three<c/><d/> \360\237\230\200</a>");
  all = bosh_element_dup_text (element);
  g_assert_cmpstr (all, ==, "one two three \360\237\230\200");

  bosh_element_set_text (element, "new");
  replaced = bosh_element_dup_text (element);
  g_assert_cmpstr (replaced, ==, "new");
  assert_xml (element, "<a>new<b>inner</b><c/><d/></a>");

  bosh_element_set_text (element, "");
  bosh_element_set_text (element, NULL);
  none = bosh_element_dup_text (element);
  g_assert_cmpstr (none, ==, "");
  assert_xml (element, "<a><b>inner</b><c/><d/></a>");
}

static void
test_text_in_parts (void)
{
  g_autoptr(BoshElement) element = bosh_element_new ("a", NULL);
  g_autoptr(GString) expected = g_string_new (NULL);
  g_autofree char *text = NULL;

  for (guint i = 0; i < 5000; i++)
    {
      g_autofree char *part = g_strnfill (g_test_rand_int_range (0, 40), 'a' + i % 26);

      bosh_element_add_text (element, part);
      g_string_append (expected, part);
    }

  text = bosh_element_dup_text (element);
  g_assert_cmpstr (text, ==, expected->str);
}

static void
test_children (void)
{
  g_autoptr(BoshElement) element =
    read_sealed ("<a xmlns='u'>x<b>one</b> <b xmlns='v'>two</b><c/> </a>");
  g_autoptr(GPtrArray) children = bosh_element_dup_children (element);
  g_autofree char *text = bosh_element_dup_child_text (element, "b", NULL);
  g_autofree char *other_text = bosh_element_dup_child_text (element, NULL, "v");
  g_autofree char *empty = bosh_element_dup_child_text (element, "c", "u");

  g_assert_cmpuint (bosh_element_get_n_children (element), ==, 3);
  g_assert_cmpuint (children->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_true (g_ptr_array_index (children, i) == bosh_element_get_nth_child (element, i));
  g_assert_null (bosh_element_get_nth_child (element, 3));
  g_assert_null (bosh_element_get_nth_child (element, G_MAXUINT));

  g_assert_true (bosh_element_get_child (element, NULL, NULL) == children->pdata[0]);
  g_assert_true (bosh_element_get_child (element, "b", "v") == children->pdata[1]);
  g_assert_true (bosh_element_get_child (element, "c", NULL) == children->pdata[2]);
  g_assert_null (bosh_element_get_child (element, "c", "v"));
  g_assert_null (bosh_element_get_child (element, "d", NULL));
  g_assert_cmpstr (text, ==, "one");
  g_assert_cmpstr (other_text, ==, "two");
  g_assert_cmpstr (empty, ==, "");
  g_assert_null (bosh_element_dup_child_text (element, "d", NULL));

  /* The array keeps the children. */
  g_clear_pointer (&element, bosh_element_unref);
  g_assert_cmpstr (bosh_element_get_name (children->pdata[2]), ==, "c");
}

static void
test_many_children (void)
{
  g_autoptr(BoshElement) element = bosh_element_new ("a", NULL);

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *name = g_strdup_printf ("b%u", i);

      bosh_element_add_new_child (element, name, NULL);
      g_assert_cmpstr (bosh_element_get_name (bosh_element_get_nth_child (element, i)), ==, name);
    }

  g_assert_cmpuint (bosh_element_get_n_children (element), ==, 1000);
  g_assert_cmpstr (bosh_element_get_name (bosh_element_get_nth_child (element, 0)), ==, "b0");
}

static void
test_namespaces (void)
{
  g_autoptr(BoshElement) element = bosh_element_new ("a", "u");
  g_autoptr(BoshElement) unset = bosh_element_new ("b", NULL);
  BoshElement *child = bosh_element_add_new_child (unset, "c", NULL);

  g_test_summary ("A child without a namespace has that of its parent");

  bosh_element_add_new_child (element, "b", NULL);
  bosh_element_add_new_child (element, "c", "");
  g_assert_nonnull (bosh_element_get_child (element, "b", "u"));
  g_assert_null (bosh_element_get_child (element, "c", "u"));
  g_assert_nonnull (bosh_element_get_child (element, "c", ""));
  g_assert_true (bosh_element_get_child (unset, "c", NULL) == child);
  g_assert_null (bosh_element_get_child (unset, "c", "u"));

  g_assert_true (bosh_element_matches (element, "a", "u"));
  g_assert_true (bosh_element_matches (element, NULL, "u"));
  g_assert_true (bosh_element_matches (element, "a", NULL));
  g_assert_true (bosh_element_matches (element, NULL, NULL));
  g_assert_false (bosh_element_matches (element, "b", "u"));
  g_assert_false (bosh_element_matches (element, "a", "v"));
  g_assert_true (bosh_element_matches (unset, "b", NULL));
  g_assert_false (bosh_element_matches (unset, "b", "u"));

  g_assert_true (bosh_element_matches_or_inherits (element, "a", "u"));
  g_assert_true (bosh_element_matches_or_inherits (unset, "b", "u"));
  g_assert_false (bosh_element_matches_or_inherits (unset, "a", "u"));
  g_assert_false (bosh_element_matches_or_inherits (element, "a", "v"));
}

static void
test_nodes (void)
{
  g_autoptr(BoshElement) element = read_sealed ("<a>one<b/><c/>two</a>");
  static const char *expected[] = { "one", NULL, "", NULL, "two" };
  BoshElement *child;
  const char *text;

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_assert_true (bosh_element_get_nth_node (element, i, &child, &text));
      g_assert_cmpstr (text, ==, expected[i]);
      g_assert_true (child == (i % 2 == 1 ? bosh_element_get_nth_child (element, i / 2) : NULL));
    }
  g_assert_false (bosh_element_get_nth_node (element, 5, &child, &text));
  g_assert_false (bosh_element_get_nth_node (element, 6, &child, &text));
  g_assert_false (bosh_element_get_nth_node (element, G_MAXUINT, &child, &text));
}

static void
test_seal (void)
{
  g_autoptr(BoshElement) element = read_element ("<a b='c'>d<e><f/></e></a>");
  g_autoptr(BoshElement) other = bosh_element_new ("other", NULL);
  BoshElement *inner = bosh_element_get_nth_child (bosh_element_get_nth_child (element, 0), 0);
  BoshElement *added;

  g_test_summary ("A sealed element stays as it is, with all that it contains");

  g_assert_false (bosh_element_is_sealed (inner));
  bosh_element_seal (element);
  bosh_element_seal (element);
  g_assert_true (bosh_element_is_sealed (element));
  g_assert_true (bosh_element_is_sealed (inner));

  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*sealed*");
  bosh_element_set_attribute (element, "b", "other");
  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*sealed*");
  bosh_element_set_attribute_ns (inner, "b", "u", "other");
  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*sealed*");
  bosh_element_set_text (element, "other");
  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*sealed*");
  bosh_element_add_text (inner, "other");
  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*sealed*");
  bosh_element_add_child (element, other);
  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*sealed*");
  added = bosh_element_add_new_child (inner, "other", NULL);
  g_test_assert_expected_messages ();
  g_assert_null (added);
  assert_xml (element, "<a b='c'>d<e><f/></e></a>");

  /* What is sealed can still be a part of something else, of more than one. */
  bosh_element_add_child (other, element);
  bosh_element_add_child (other, element);
  g_assert_cmpuint (bosh_element_get_n_children (other), ==, 2);
}

static void
test_cycles (void)
{
  g_autoptr(BoshElement) a = bosh_element_new ("a", NULL);
  BoshElement *b = bosh_element_add_new_child (a, "b", NULL);
  BoshElement *c = bosh_element_add_new_child (b, "c", NULL);
  g_autoptr(BoshElement) shared = bosh_element_new ("shared", NULL);
  g_autoptr(BoshElement) sealed = read_sealed ("<sealed><x/></sealed>");

  g_test_summary ("An element can't contain itself");

  bosh_element_add_child (a, sealed);
  for (guint i = 0; i < 4; i++)
    g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*contains*");
  bosh_element_add_child (a, a);
  bosh_element_add_child (b, a);
  bosh_element_add_child (c, a);
  bosh_element_add_child (c, b);
  g_test_assert_expected_messages ();
  assert_xml (a, "<a><b><c/></b><sealed><x/></sealed></a>");

  /* In two places at once is no cycle. */
  bosh_element_add_child (b, shared);
  bosh_element_add_child (c, shared);
  bosh_element_add_child (a, shared);
  bosh_element_add_text (shared, "x");
  assert_xml (a, "<a><b><c><shared>x</shared></c><shared>x</shared></b><sealed><x/></sealed>"
                 "<shared>x</shared></a>");
  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*contains*");
  bosh_element_add_child (shared, b);
  g_test_assert_expected_messages ();
}

static void
test_copy (void)
{
  g_autoptr(BoshElement) element =
    read_element ("<a b='c' xml:lang='de'>one<d e='f'>two</d>three<g/></a>");
  g_autoptr(BoshElement) sealed = read_sealed ("<s><t/></s>");
  g_autoptr(BoshElement) copy = NULL;
  g_autoptr(BoshElement) second = NULL;

  g_test_summary ("A copy is mutable; it shares what is sealed");

  bosh_element_add_child (element, sealed);
  copy = bosh_element_copy (element);
  g_assert_true (bosh_element_equal (copy, element));
  g_assert_true (bosh_element_get_nth_child (copy, 0) != bosh_element_get_nth_child (element, 0));
  g_assert_true (bosh_element_get_nth_child (copy, 2) == sealed);

  bosh_element_set_attribute (copy, "b", "other");
  bosh_element_set_text (bosh_element_get_nth_child (copy, 0), "other");
  assert_xml (copy, "<a b='other' xml:lang='de'>one<d e='f'>other</d>three<g/><s><t/></s></a>");
  assert_xml (element, "<a b='c' xml:lang='de'>one<d e='f'>two</d>three<g/><s><t/></s></a>");

  bosh_element_seal (copy);
  second = bosh_element_copy (copy);
  g_assert_false (bosh_element_is_sealed (second));
  g_assert_true (bosh_element_get_nth_child (second, 0) == bosh_element_get_nth_child (copy, 0));
  bosh_element_set_attribute (second, "b", NULL);
  assert_xml (second, "<a xml:lang='de'>one<d e='f'>other</d>three<g/><s><t/></s></a>");
}

static void
test_copy_renamed (void)
{
  g_autoptr(BoshElement) element =
    read_sealed ("<a xmlns='u' b='u' p:c='d' xmlns:p='u'>x<e/>y<f xmlns='v'><p:g/></f></a>");
  g_autoptr(BoshElement) copy = bosh_element_copy_renamed (element, "u", "w");

  g_assert_false (bosh_element_is_sealed (copy));
  g_assert_false (bosh_element_is_sealed (bosh_element_get_nth_child (copy, 1)));
  assert_xml (copy, "<a xmlns='w' b='u' xmlns:ns1='u' ns1:c='d'>x<e/>y"
                    "<f xmlns='v'><g xmlns='w'/></f></a>");
}

static void
test_equal (void)
{
  static const struct
  {
    const char *a;
    const char *b;
    gboolean    is_equal;
  } cases[] = {
    { "<a/>", "<a/>", TRUE },
    { "<a/>", "<b/>", FALSE },
    { "<a/>", "<a xmlns='u'/>", FALSE },
    { "<a/>", "<a xmlns=''/>", FALSE },
    { "<a xmlns='u'/>", "<p:a xmlns:p='u'/>", TRUE },
    { "<a b='1' c='2'/>", "<a c='2' b='1'/>", TRUE },
    { "<a b='1'/>", "<a b='2'/>", FALSE },
    { "<a b='1'/>", "<a c='1'/>", FALSE },
    { "<a b='1'/>", "<a b='1' c='2'/>", FALSE },
    { "<a b='1' xmlns:p='u'/>", "<a p:b='1' xmlns:p='u'/>", FALSE },
    { "<a>x</a>", "<a>x</a>", TRUE },
    { "<a>x</a>", "<a>y</a>", FALSE },
    { "<a>x</a>", "<a>xy</a>", FALSE },
    { "<a>x</a>", "<a/>", FALSE },
    { "<a>x<b/></a>", "<a><b/>x</a>", FALSE },
    { "<a><b/>x<c/></a>", "<a><b/>x<c/></a>", TRUE },
    { "<a><b/><c/></a>", "<a><c/><b/></a>", FALSE },
    { "<a><b/></a>", "<a><b/><b/></a>", FALSE },
    { "<a><b><c d='e'>f</c></b></a>", "<a><b><c d='e'>f</c></b></a>", TRUE },
    { "<a><b><c d='e'>f</c></b></a>", "<a><b><c d='e'>g</c></b></a>", FALSE },
  };
  g_autoptr(BoshElement) unset = bosh_element_new ("a", "u");
  g_autoptr(BoshElement) set = bosh_element_new ("a", "u");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshElement) a = read_element (cases[i].a);
      g_autoptr(BoshElement) b = read_sealed (cases[i].b);

      g_assert_cmpint (bosh_element_equal (a, b), ==, cases[i].is_equal);
      g_assert_cmpint (bosh_element_equal (b, a), ==, cases[i].is_equal);
      g_assert_true (bosh_element_equal (a, a));
    }

  bosh_element_add_new_child (bosh_element_add_new_child (unset, "b", NULL), "c", NULL);
  bosh_element_add_new_child (bosh_element_add_new_child (set, "b", "u"), "c", "u");
  g_assert_true (bosh_element_equal (unset, set));
}

static void
test_deep (void)
{
  BoshElement *root = bosh_element_new ("a", NULL);
  BoshElement *other = bosh_element_new ("a", NULL);
  BoshElement *element = root;
  BoshElement *copy;

  g_test_summary ("Elements nested ever so deeply do not exhaust the stack");

  /* From the outside in, and from the inside out. */
  for (guint i = 1; i < DEPTH; i++)
    {
      BoshElement *parent = bosh_element_new ("a", NULL);

      element = bosh_element_add_new_child (element, "a", NULL);
      bosh_element_add_child (parent, other);
      bosh_element_unref (other);
      other = parent;
    }

  g_assert_true (bosh_element_equal (root, other));
  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*contains*");
  bosh_element_add_child (element, root);
  g_test_assert_expected_messages ();
  copy = bosh_element_copy (root);
  g_assert_true (bosh_element_equal (root, copy));
  bosh_element_seal (root);
  g_assert_true (bosh_element_is_sealed (element));

  bosh_element_unref (copy);
  bosh_element_unref (other);
  bosh_element_unref (root);
}

static void
test_message (void)
{
  g_autoptr(BoshElement) message =
    bosh_element_new_message ("romeo@example.net", "chat", "Hi & bye");
  g_autoptr(BoshElement) bare = bosh_element_new_message (NULL, NULL, NULL);
  g_autoptr(BoshElement) empty = bosh_element_new_message ("a", "", "");

  g_test_summary ("A message for sending (RFC 6121 §5)");

  assert_xml (message, "<message xmlns='jabber:client' to='romeo@example.net' type='chat'>"
                       "<body>Hi &amp; bye</body></message>");
  assert_xml (bare, "<message xmlns='jabber:client'/>");
  assert_xml (empty, "<message xmlns='jabber:client' to='a' type=''><body/></message>");
  g_assert_false (bosh_element_is_sealed (message));
  g_assert_nonnull (bosh_element_get_child (message, "body", "jabber:client"));
}

static void
test_presence (void)
{
  g_autoptr(BoshElement) presence = bosh_element_new_presence (NULL, NULL);
  g_autoptr(BoshElement) subscribe = bosh_element_new_presence ("romeo@example.net", "subscribe");

  g_test_summary ("A presence for sending (RFC 6121 §4)");

  assert_xml (presence, "<presence xmlns='jabber:client'/>");
  assert_xml (subscribe,
              "<presence xmlns='jabber:client' to='romeo@example.net' type='subscribe'/>");
}

static void
test_iq (void)
{
  g_autoptr(BoshElement) payload = bosh_element_new ("ping", BOSH_NS_PING);
  g_autoptr(BoshElement) iq = bosh_element_new_iq ("example.net", "get", payload);
  g_autoptr(BoshElement) bare = bosh_element_new_iq (NULL, "result", NULL);

  g_test_summary ("An iq for sending (RFC 6120 §8.2.3)");

  assert_xml (iq, "<iq xmlns='jabber:client' to='example.net' type='get'>"
                  "<ping xmlns='urn:xmpp:ping'/></iq>");
  assert_xml (bare, "<iq xmlns='jabber:client' type='result'/>");
  g_assert_null (bosh_element_get_attribute (iq, "id"));
}

static void
test_iq_result (void)
{
  g_autoptr(BoshElement) request =
    read_sealed ("<iq xmlns='jabber:client' from='a@b/c' to='d@e/f' id='1&lt;' type='get'>"
                 "<q xmlns='u'/></iq>");
  g_autoptr(BoshElement) bare = read_sealed ("<iq xmlns='http://jabber.org/protocol/httpbind'/>");
  g_autoptr(BoshElement) payload = bosh_element_new ("q", "u");
  g_autoptr(BoshElement) result = bosh_element_new_iq_result (request, payload);
  g_autoptr(BoshElement) empty = bosh_element_new_iq_result (bare, NULL);

  g_test_summary ("The response to an iq goes back to the sender with the same id (RFC 6120 §8.2.3)");

  assert_xml (result, "<iq xmlns='jabber:client' to='a@b/c' type='result' from='d@e/f' id='1&lt;'>"
                      "<q xmlns='u'/></iq>");
  assert_xml (empty, "<iq xmlns='jabber:client' type='result'/>");
}

static void
test_error_reply (void)
{
  g_autoptr(BoshElement) request =
    read_sealed ("<message xmlns='jabber:client' from='a@b/c' to='d@e/f' id='1' type='chat'>"
                 "<body>x</body></message>");
  g_autoptr(BoshElement) reply =
    bosh_element_new_error_reply (request, BOSH_STANZA_ERROR_SERVICE_UNAVAILABLE, NULL);
  g_autoptr(BoshElement) with_text =
    bosh_element_new_error_reply (request, BOSH_STANZA_ERROR_BAD_REQUEST, "No & never");
  BoshElement *bad;

  g_test_summary ("An error goes back to the sender with a condition and its type (RFC 6120 §8.3)");

  assert_xml (reply, "<message xmlns='jabber:client' to='a@b/c' type='error' from='d@e/f' id='1'>"
                     "<error type='cancel'>"
                     "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                     "</error></message>");
  assert_xml (with_text, "<message xmlns='jabber:client' to='a@b/c' type='error' from='d@e/f'"
                         " id='1'><error type='modify'>"
                         "<bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                         "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>No &amp; never</text>"
                         "</error></message>");

  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*condition*");
  bad = bosh_element_new_error_reply (request, BOSH_STANZA_ERROR_UNEXPECTED_REQUEST + 1, NULL);
  g_test_assert_expected_messages ();
  g_assert_null (bad);
}

static void
test_from_string (void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) element = read_element ("<message to='a'><body>b</body></message>");

  g_test_summary ("XML can be read, changed and sent");

  g_assert_null (bosh_element_get_namespace (element));
  bosh_element_set_attribute (element, "to", "c");
  bosh_element_set_text (bosh_element_get_child (element, "body", NULL), "d");
  assert_xml (element, "<message to='c'><body>d</body></message>");

  g_assert_null (bosh_element_new_from_string ("", &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_BAD_XML);
  g_clear_error (&error);
  g_assert_null (bosh_element_new_from_string ("<a><b></a>", &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_BAD_XML);
  g_assert_null (bosh_element_new_from_string ("<a", NULL));
}

static void
test_wrong_use (void)
{
  BoshElement *element;

  g_test_summary ("Missing arguments are told as programming errors");

  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*name != NULL*");
  element = bosh_element_new (NULL, NULL);
  g_test_assert_expected_messages ();
  g_assert_null (element);

  g_test_expect_message ("Bosh", G_LOG_LEVEL_CRITICAL, "*type != NULL*");
  element = bosh_element_new_iq (NULL, NULL, NULL);
  g_test_assert_expected_messages ();
  g_assert_null (element);
}

static gpointer
use_in_thread (gpointer data)
{
  BoshElement *shared = data;

  for (guint i = 0; i < 2000; i++)
    {
      g_autoptr(BoshElement) element = bosh_element_new ("a", NULL);
      g_autoptr(BoshElement) copy = NULL;

      bosh_element_add_child (element, shared);
      bosh_element_seal (element);
      copy = bosh_element_copy (element);
      assert_xml (copy, "<a><b c='d'>e<f/></b></a>");
    }

  return NULL;
}

static void
test_threads (void)
{
  g_autoptr(BoshElement) shared = read_sealed ("<b c='d'>e<f/></b>");
  GThread *threads[4];

  g_test_summary ("A sealed element can be used by several threads");

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("element", use_in_thread, shared);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/element/new", test_new);
  g_test_add_func ("/bosh/element/references", test_references);
  g_test_add_func ("/bosh/element/attributes", test_attributes);
  g_test_add_func ("/bosh/element/many-attributes", test_many_attributes);
  g_test_add_func ("/bosh/element/text", test_text);
  g_test_add_func ("/bosh/element/text-in-parts", test_text_in_parts);
  g_test_add_func ("/bosh/element/children", test_children);
  g_test_add_func ("/bosh/element/many-children", test_many_children);
  g_test_add_func ("/bosh/element/namespaces", test_namespaces);
  g_test_add_func ("/bosh/element/nodes", test_nodes);
  g_test_add_func ("/bosh/element/seal", test_seal);
  g_test_add_func ("/bosh/element/cycles", test_cycles);
  g_test_add_func ("/bosh/element/copy", test_copy);
  g_test_add_func ("/bosh/element/copy-renamed", test_copy_renamed);
  g_test_add_func ("/bosh/element/equal", test_equal);
  g_test_add_func ("/bosh/element/deep", test_deep);
  g_test_add_func ("/bosh/element/message", test_message);
  g_test_add_func ("/bosh/element/presence", test_presence);
  g_test_add_func ("/bosh/element/iq", test_iq);
  g_test_add_func ("/bosh/element/iq-result", test_iq_result);
  g_test_add_func ("/bosh/element/error-reply", test_error_reply);
  g_test_add_func ("/bosh/element/from-string", test_from_string);
  g_test_add_func ("/bosh/element/wrong-use", test_wrong_use);
  g_test_add_func ("/bosh/element/threads", test_threads);

  return g_test_run ();
}
