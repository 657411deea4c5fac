/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A response is read as a body, and shown without its secrets. */

#include "config.h"

#include "fuzz.h"

#include "bosh-body-private.h"
#include "bosh-error-private.h"
#include "bosh-limits-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-stanza-private.h"
#include "bosh-xml-private.h"

#include <string.h>

static void
check_numbers (BoshResponseBody *body)
{
  g_assert_true (body->wait >= -1 && body->wait <= BOSH_MAX_SECONDS);
  g_assert_true (body->hold >= -1 && body->hold <= 1000);
  g_assert_true (body->requests >= -1 && body->requests <= 1000);
  g_assert_true (body->inactivity >= -1 && body->inactivity <= BOSH_MAX_SECONDS);
  g_assert_true (body->polling >= -1 && body->polling <= BOSH_MAX_SECONDS);
  g_assert_true (body->max_pause >= -1 && body->max_pause <= BOSH_MAX_SECONDS);
  g_assert_true (body->ack >= -1 && body->ack <= (gint64)BOSH_MAX_RID);
  g_assert_true (body->report >= -1 && body->report <= (gint64)BOSH_MAX_RID);
}

static void
check_payloads (BoshResponseBody *body)
{
  g_autoptr(GPtrArray) payloads = bosh_response_body_dup_payloads (body);
  guint n_uris = 0;

  for (guint i = 0; i < bosh_element_get_n_children (body->root); i++)
    n_uris += bosh_element_matches (bosh_element_get_nth_child (body->root, i), "uri", BOSH_NS_HTTPBIND);
  g_assert_cmpuint (payloads->len, ==, bosh_element_get_n_children (body->root) - n_uris);
  for (guint i = 0; i < payloads->len; i++)
    {
      BoshElement *payload = g_ptr_array_index (payloads, i);
      g_autoptr(GError) stanza_error = NULL;
      g_autoptr(GError) sasl_error = NULL;

      g_assert_true (bosh_element_is_sealed (payload));
      g_assert_cmpstr (bosh_element_get_namespace (payload), !=, BOSH_NS_HTTPBIND);
      stanza_error = bosh_stanza_error_new_for_stanza (payload);
      g_assert_true (g_utf8_validate (stanza_error->message, -1, NULL));
      sasl_error = bosh_sasl_error_new_for_failure (payload);
      g_assert_true (g_utf8_validate (sasl_error->message, -1, NULL));
    }
}

static void
check_end (BoshResponseBody *body)
{
  g_autofree char *uri = bosh_response_body_dup_uri (body);
  g_autoptr(GError) error = bosh_response_body_new_error (body);

  g_assert_true (uri == NULL || g_utf8_validate (uri, -1, NULL));
  g_assert_true (error->domain == BOSH_ERROR || error->domain == BOSH_STREAM_ERROR);
  g_assert_true (error->domain == BOSH_ERROR ||
                 g_strcmp0 (body->condition, "remote-stream-error") == 0);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  /* What went wrong, a condition and a text. */
  g_assert_cmpint (g_utf8_strlen (error->message, -1), <, 200 + 2 * (BOSH_ERROR_MAX_TEXT + 1));
}

/* No element of SASL keeps its data. */
static void
check_redacted (GBytes *bytes)
{
  g_autofree char *text = bosh_body_redact (bytes);
  g_autoptr(BoshElement) root = NULL;

  g_assert_true (g_utf8_validate (text, -1, NULL));
  if (strstr (text, BOSH_NS_SASL) == NULL && strstr (text, BOSH_NS_SASL2) == NULL)
    return;

  root = bosh_xml_parse (text, strlen (text), NULL, NULL, NULL);
  for (guint i = 0; root != NULL && i < bosh_element_get_n_children (root); i++)
    {
      BoshElement *child = bosh_element_get_nth_child (root, i);
      g_autofree char *data = bosh_element_dup_text (child);
      g_autofree char *first = NULL;
      g_autofree char *last = NULL;

      if (!bosh_element_is_sasl (child))
        continue;

      g_assert_cmpstr (data, ==, bosh_element_get_n_children (child) == 0 ? "[…]" : "");
      first = bosh_element_dup_child_text (child, "initial-response", BOSH_NS_SASL2);
      g_assert_true (first == NULL || strcmp (first, "[…]") == 0);
      last = bosh_element_dup_child_text (child, "additional-data", BOSH_NS_SASL2);
      g_assert_true (last == NULL || strcmp (last, "[…]") == 0);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        gsize         size)
{
  g_autoptr(GBytes) bytes = g_bytes_new (data, size);
  g_autoptr(GError) error = NULL;
  BoshBodyVerdict verdict = BOSH_BODY_OK;
  g_autoptr(BoshResponseBody) body = bosh_response_body_new (bytes, &verdict, &error);

  check_redacted (bytes);
  g_assert_cmpint (body != NULL, ==, verdict == BOSH_BODY_OK);
  if (body == NULL)
    {
      g_assert_nonnull (error);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return 0;
    }

  g_assert_no_error (error);
  check_numbers (body);
  check_payloads (body);
  check_end (body);

  return 0;
}
