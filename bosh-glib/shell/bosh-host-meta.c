/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-host-meta-private.h"

#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-json-private.h"
#include "bosh-uri-private.h"
#include "bosh-xml-private.h"

#define NS_XRD "http://docs.oasis-open.org/ns/xri/xrd-1.0"
#define RELATION "urn:xmpp:alt-connections:xbosh"

GPtrArray *
bosh_host_meta_new_uris (void)
{
  return g_ptr_array_new_with_free_func (g_free);
}

void
bosh_host_meta_add_uri (GPtrArray  *uris,
                        const char *uri)
{
  g_autoptr(GUri) parsed = NULL;
  g_autofree char *address = NULL;

  if (uris->len == BOSH_HOST_META_MAX_URIS)
    return;

  parsed = bosh_uri_parse_http (uri, NULL, NULL);
  if (parsed == NULL || !bosh_uri_is_secure (parsed))
    return;

  address = g_uri_to_string (parsed);
  if (!g_ptr_array_find_with_equal_func (uris, address, g_str_equal, NULL))
    g_ptr_array_add (uris, g_steal_pointer (&address));
}

static gboolean
check_size (GBytes  *bytes,
            GError **error)
{
  if (g_bytes_get_size (bytes) <= BOSH_HOST_META_MAX_SIZE)
    return TRUE;

  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                       _("The host-meta document is too large"));

  return FALSE;
}

GPtrArray *
bosh_host_meta_parse_xml (GBytes  *bytes,
                          GError **error)
{
  g_autoptr(BoshElement) root = NULL;
  GPtrArray *uris;
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);

  if (!check_size (bytes, error))
    return NULL;

  root = bosh_xml_parse_document (data, length, error);
  if (root == NULL)
    return NULL;

  if (!bosh_element_matches (root, "XRD", NS_XRD))
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA,
                           _("The XML is not a host-meta document (XRD)"));
      return NULL;
    }

  uris = bosh_host_meta_new_uris ();
  for (guint i = 0; i < bosh_element_get_n_children (root); i++)
    {
      BoshElement *link = bosh_element_get_nth_child (root, i);
      const char *uri = bosh_element_get_attribute (link, "href");

      if (bosh_element_matches (link, "Link", NS_XRD) && uri != NULL &&
          g_strcmp0 (bosh_element_get_attribute (link, "rel"), RELATION) == 0)
        bosh_host_meta_add_uri (uris, uri);
    }

  return uris;
}

/* The text of a member, or NULL if there is none. */
static const char *
get_text (JsonObject *object,
          const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;

  return json_node_get_string (node);
}

static void
take_link (JsonArray *links,
           guint      position,
           JsonNode  *node,
           gpointer   user_data)
{
  GPtrArray *uris = user_data;
  JsonObject *link;
  const char *uri;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return;

  link = json_node_get_object (node);
  uri = get_text (link, "href");
  if (uri != NULL && g_strcmp0 (get_text (link, "rel"), RELATION) == 0)
    bosh_host_meta_add_uri (uris, uri);
}

GPtrArray *
bosh_host_meta_parse_json (GBytes  *bytes,
                           GError **error)
{
  g_autoptr(JsonObject) object = NULL;
  GPtrArray *uris;
  JsonNode *links;
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);

  if (!check_size (bytes, error))
    return NULL;

  object = length > 0 ? bosh_json_parse_object (data, length) : NULL;
  links = object != NULL ? json_object_get_member (object, "links") : NULL;
  if (object == NULL || (links != NULL && !JSON_NODE_HOLDS_ARRAY (links)))
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA,
                           _("The data is not a host-meta document (JRD)"));
      return NULL;
    }

  uris = bosh_host_meta_new_uris ();
  if (links != NULL)
    json_array_foreach_element (json_node_get_array (links), take_link, uris);

  return uris;
}
