/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A host-meta document, of either form, gives addresses that can be used. */

#include "config.h"

#include "fuzz.h"

#include "bosh-connection-configuration.h"
#include "bosh-error.h"
#include "bosh-host-meta-private.h"

static void
check_uris (GPtrArray *uris,
            GError    *error)
{
  if (uris == NULL)
    {
      g_assert_true (g_error_matches (error, BOSH_ERROR, BOSH_ERROR_BAD_XML) ||
                     g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE) ||
                     g_error_matches (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return;
    }

  g_assert_no_error (error);
  g_assert_cmpuint (uris->len, <=, BOSH_HOST_META_MAX_URIS);
  for (guint i = 0; i < uris->len; i++)
    {
      const char *uri = g_ptr_array_index (uris, i);
      g_autoptr(BoshConnectionConfiguration) configuration = NULL;
      guint first;

      g_assert_true (g_str_has_prefix (uri, "https://"));
      g_assert_true (g_ptr_array_find_with_equal_func (uris, uri, g_str_equal, &first));
      g_assert_cmpuint (first, ==, i);

      configuration = bosh_connection_configuration_new (uri, &error);
      g_assert_no_error (error);
      g_assert_true (bosh_connection_configuration_get_secure (configuration));
      g_assert_cmpstr (bosh_connection_configuration_get_uri (configuration), ==, uri);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        gsize         size)
{
  g_autoptr(GBytes) bytes = g_bytes_new (data, size);
  g_autoptr(GError) xml_error = NULL;
  g_autoptr(GError) json_error = NULL;
  g_autoptr(GPtrArray) xml_uris = bosh_host_meta_parse_xml (bytes, &xml_error);
  g_autoptr(GPtrArray) json_uris = bosh_host_meta_parse_json (bytes, &json_error);

  check_uris (xml_uris, xml_error);
  check_uris (json_uris, json_error);
  g_assert_true (xml_uris == NULL || json_uris == NULL);

  return 0;
}
