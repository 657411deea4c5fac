/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-iq-reply-private.h"

#include "bosh-element-private.h"
#include "bosh-namespaces-private.h"

BoshIqKind
bosh_iq_get_kind (BoshElement *element)
{
  const char *type = bosh_element_get_attribute (element, "type");

  if (!bosh_element_matches_or_inherits (element, "iq", BOSH_NS_CLIENT))
    return BOSH_IQ_NONE;
  if (g_strcmp0 (type, "result") == 0 || g_strcmp0 (type, "error") == 0)
    return BOSH_IQ_RESPONSE;

  if ((g_strcmp0 (type, "get") != 0 && g_strcmp0 (type, "set") != 0) ||
      bosh_element_get_attribute (element, "id") == NULL ||
      bosh_element_get_n_children (element) != 1)
    return BOSH_IQ_MALFORMED;

  return BOSH_IQ_REQUEST;
}

static gboolean
is_ping (BoshElement *request)
{
  return g_strcmp0 (bosh_element_get_attribute (request, "type"), "get") == 0 &&
         bosh_element_get_child (request, "ping", BOSH_NS_PING) != NULL;
}

BoshElement *
bosh_iq_reply_new_default (BoshElement *request)
{
  if (bosh_iq_get_kind (request) != BOSH_IQ_REQUEST)
    return bosh_element_new_error_reply (request, BOSH_STANZA_ERROR_BAD_REQUEST, NULL);
  if (is_ping (request))
    return bosh_element_new_iq_result (request, NULL);

  /* RFC 6120 §8.4. */
  return bosh_element_new_error_reply (request, BOSH_STANZA_ERROR_SERVICE_UNAVAILABLE, NULL);
}

BoshElement *
bosh_iq_reply_new_refusal (BoshElement  *stub,
                           const GError *reason)
{
  const char *type = bosh_element_get_attribute (stub, "type");

  if (!bosh_element_matches_or_inherits (stub, "iq", BOSH_NS_CLIENT) ||
      (g_strcmp0 (type, "get") != 0 && g_strcmp0 (type, "set") != 0))
    return NULL;

  return bosh_element_new_error_reply (stub, BOSH_STANZA_ERROR_POLICY_VIOLATION, reason->message);
}
