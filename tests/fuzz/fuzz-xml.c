/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bytes become an element, the element XML, and that the same element. */

#include "config.h"

#include "fuzz.h"

#include "bosh-element-private.h"
#include "bosh-limits-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-xml-private.h"
#include "bosh-xml-text-private.h"
#include "bosh-xml-writer-private.h"

#include <string.h>

/* Namespaces are declared anew on the way back, so what is near a limit may go
 * over it. */
#define SURELY_SMALL (8 * 1024)

static void
look_at (BoshElement *element,
         guint        depth)
{
  g_autofree char *text = bosh_element_dup_text (element);
  guint n_children = bosh_element_get_n_children (element);

  g_assert_cmpuint (depth, <=, BOSH_XML_MAX_DEPTH);
  g_assert_true (bosh_element_is_sealed (element));
  g_assert_true (bosh_xml_is_valid_text (text, -1));
  g_assert_true (bosh_xml_is_valid_text (bosh_element_get_name (element), -1));

  for (guint i = 0; i < bosh_element_get_n_attributes (element); i++)
    {
      const char *ns;
      const char *value;
      const char *name = bosh_element_get_nth_attribute (element, i, &ns, &value);

      g_assert_true (bosh_xml_is_valid_text (value, -1));
      g_assert_cmpstr (bosh_element_get_attribute_ns (element, name, ns), ==, value);
    }

  for (guint i = 0; i < n_children; i++)
    {
      BoshElement *child = bosh_element_get_nth_child (element, i);

      g_assert_nonnull (bosh_element_get_child (element, bosh_element_get_name (child),
                                                bosh_element_get_namespace (child)));
      look_at (child, depth + 1);
    }
}

static void
assert_read (const char  *data,
             gsize        length,
             gsize        original_length,
             BoshElement *expected)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) element = bosh_xml_parse (data, length, NULL, NULL, &error);

  if (original_length > SURELY_SMALL && error != NULL)
    {
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
      return;
    }

  g_assert_no_error (error);
  g_assert_true (bosh_element_equal (element, expected));
}

/* As a payload, in the default namespace of a body. */
static void
check_payload (BoshElement *element,
               gsize        original_length)
{
  g_autoptr(GString) xml = g_string_new ("<body xmlns='" BOSH_NS_HTTPBIND "'>");
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) body = NULL;
  gsize start = xml->len;

  g_assert_true (bosh_xml_append_element (xml, element, BOSH_NS_HTTPBIND, BOSH_NS_CLIENT, &error));
  g_assert_cmpuint (xml->len, >, start);
  g_string_append (xml, "</body>");

  body = bosh_xml_parse (xml->str, xml->len, NULL, NULL, &error);
  if (body == NULL)
    {
      /* The body is one level more. */
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
      return;
    }

  g_assert_cmpuint (bosh_element_get_n_children (body), ==, 1);
  if (bosh_element_get_namespace (element) != NULL)
    g_assert_true (bosh_element_equal (bosh_element_get_nth_child (body, 0), element));
}

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        gsize         size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_autofree char *name = NULL;
  g_autofree char *ns = NULL;
  g_autofree char *xml = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) mutable_error = NULL;
  g_autoptr(BoshElement) element = NULL;
  g_autoptr(BoshElement) mutable_element = NULL;
  g_autoptr(BoshElement) copy = NULL;
  g_autoptr(BoshElement) renamed = NULL;

  element = bosh_xml_parse ((const char *)data, size, &name, &ns, &error);
  if (strlen (text) < size)
    {
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_BAD_XML);
      return 0;
    }

  mutable_element = bosh_element_new_from_string (text, &mutable_error);
  if (element == NULL)
    {
      g_assert_true (g_error_matches (error, BOSH_ERROR, BOSH_ERROR_BAD_XML) ||
                     g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      /* What a server may not send because of its size is not too large to be built. */
      if (!g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE))
        g_assert_error (mutable_error, error->domain, error->code);
      return 0;
    }

  g_assert_no_error (error);
  g_assert_no_error (mutable_error);
  g_assert_cmpstr (bosh_element_get_name (element), ==, name);
  g_assert_true (bosh_element_equal (element, mutable_element));
  look_at (element, 1);

  copy = bosh_element_copy (element);
  g_assert_true (bosh_element_equal (element, copy));
  renamed = bosh_element_copy_renamed (element, BOSH_NS_HTTPBIND, BOSH_NS_CLIENT);
  g_assert_cmpuint (bosh_element_get_n_children (renamed), ==, bosh_element_get_n_children (element));

  xml = bosh_element_to_string (element);
  assert_read (xml, strlen (xml), size, element);
  check_payload (element, size);

  return 0;
}
