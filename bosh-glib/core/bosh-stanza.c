/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-stanza-private.h"

#include "bosh-element-private.h"
#include "bosh-error-private.h"
#include "bosh-namespaces-private.h"

#include <string.h>

static BoshElement *
new_stanza (const char *name,
            const char *to,
            const char *type)
{
  BoshAttributeSource attributes[2];
  guint n_attributes = 0;

  if (to != NULL)
    attributes[n_attributes++] = (BoshAttributeSource){ "to", NULL, to, strlen (to) };
  if (type != NULL)
    attributes[n_attributes++] = (BoshAttributeSource){ "type", NULL, type, strlen (type) };

  return bosh_element_new_with_attributes (name, BOSH_NS_CLIENT, attributes, n_attributes, NULL);
}

/**
 * bosh_element_new_message:
 * @to: (nullable): the JID to send it to, or `NULL` for the own account
 * @type: (nullable): `chat`, `groupchat`, `headline`, `normal` or `error`, or
 *   `NULL`, which means `normal` (RFC 6121 §5.2.2)
 * @body: (nullable): the text of the message, or `NULL` for a message without a
 *   `<body/>`
 *
 * Makes a message (RFC 6121 §5) in the namespace `jabber:client`.
 *
 * It has no `id` yet: [method@Client.send] and the like give it one.
 *
 * Returns: (transfer full): a mutable element
 *
 * Since: 1.0
 */
BoshElement *
bosh_element_new_message (const char *to,
                          const char *type,
                          const char *body)
{
  BoshElement *self = new_stanza ("message", to, type);

  if (body != NULL)
    bosh_element_add_text (bosh_element_add_new_child (self, "body", BOSH_NS_CLIENT), body);

  return self;
}

/**
 * bosh_element_new_presence:
 * @to: (nullable): the JID to send it to, or `NULL` to broadcast it
 * @type: (nullable): `unavailable`, `subscribe`, `subscribed`, `unsubscribe`,
 *   `unsubscribed`, `probe` or `error`, or `NULL` for "available"
 *   (RFC 6121 §4.7.1)
 *
 * Makes a presence (RFC 6121 §4) in the namespace `jabber:client`.
 *
 * Returns: (transfer full): a mutable element
 *
 * Since: 1.0
 */
BoshElement *
bosh_element_new_presence (const char *to,
                           const char *type)
{
  return new_stanza ("presence", to, type);
}

/**
 * bosh_element_new_iq:
 * @to: (nullable): the JID to send it to, or `NULL` for the own account
 * @type: `get` or `set` for a request, `result` or `error` for a response
 * @payload: (nullable): the one child of a request, which is added without a
 *   copy
 *
 * Makes an iq (RFC 6120 §8.2.3) in the namespace `jabber:client`.
 *
 * It has no `id` yet: [method@Client.send_iq_async] gives it one. The response
 * to a request is made by [method@Element.new_iq_result] and
 * [method@Element.new_error_reply].
 *
 * Returns: (transfer full): a mutable element
 *
 * Since: 1.0
 */
BoshElement *
bosh_element_new_iq (const char  *to,
                     const char  *type,
                     BoshElement *payload)
{
  BoshElement *self;

  g_return_val_if_fail (type != NULL, NULL);

  self = new_stanza ("iq", to, type);
  if (payload != NULL)
    bosh_element_add_child (self, payload);

  return self;
}

/* A reply has the id of the request, and goes back to its sender (RFC 6120
 * §8.2.3). */
static BoshElement *
new_reply (BoshElement *request,
           const char  *name,
           const char  *type)
{
  BoshElement *self = new_stanza (name, bosh_element_get_attribute (request, "from"), type);

  bosh_element_set_attribute (self, "from", bosh_element_get_attribute (request, "to"));
  bosh_element_set_attribute (self, "id", bosh_element_get_attribute (request, "id"));

  return self;
}

/**
 * bosh_element_new_iq_result:
 * @request: an iq of type `get` or `set`
 * @payload: (nullable): the one child of the result, which is added without a
 *   copy
 *
 * Makes the successful response to an iq request: of type `result`, back to the
 * sender, with the same `id` (RFC 6120 §8.2.3).
 *
 * Returns: (transfer full): a mutable element
 *
 * Since: 1.0
 */
BoshElement *
bosh_element_new_iq_result (BoshElement *request,
                            BoshElement *payload)
{
  BoshElement *self;

  g_return_val_if_fail (request != NULL, NULL);

  self = new_reply (request, "iq", "result");
  if (payload != NULL)
    bosh_element_add_child (self, payload);

  return self;
}

/**
 * bosh_element_new_error_reply:
 * @request: a stanza that is not itself of type `error`
 * @condition: what is wrong with it
 * @text: (nullable): an explanation for people to read
 *
 * Makes the response that a stanza failed: of type `error`, back to the sender,
 * with the same `id` (RFC 6120 §8.3). The error type is the one that RFC 6120
 * §8.3.3 recommends for the condition.
 *
 * Returns: (transfer full): a mutable element
 *
 * Since: 1.0
 */
BoshElement *
bosh_element_new_error_reply (BoshElement     *request,
                              BoshStanzaError  condition,
                              const char      *text)
{
  BoshElement *self;
  BoshElement *error;

  g_return_val_if_fail (request != NULL, NULL);
  g_return_val_if_fail (bosh_stanza_error_get_condition (condition) != NULL, NULL);

  self = new_reply (request, bosh_element_get_name (request), "error");
  error = bosh_element_add_new_child (self, "error", BOSH_NS_CLIENT);
  bosh_element_set_attribute (error, "type", bosh_stanza_error_get_type_name (condition));
  bosh_element_add_new_child (error, bosh_stanza_error_get_condition (condition),
                              BOSH_NS_STANZA_ERRORS);
  if (text != NULL)
    bosh_element_add_text (bosh_element_add_new_child (error, "text", BOSH_NS_STANZA_ERRORS), text);

  return self;
}

/**
 * bosh_element_dup_error:
 * @self: a stanza
 *
 * Gets why a stanza failed, if this one is of type `error` (RFC 6120 §8.3). It belongs to
 * the stanza that was sent with the same `id` to the address from which it comes.
 *
 * Returns: (transfer full) (nullable): one of [error@Bosh.StanzaError], or `NULL` if the
 *   stanza is not of type `error`
 *
 * Since: 1.0
 */
GError *
bosh_element_dup_error (BoshElement *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (g_strcmp0 (bosh_element_get_attribute (self, "type"), "error") != 0)
    return NULL;

  return bosh_stanza_error_new_for_stanza (self);
}

gboolean
bosh_element_is_sasl (BoshElement *self)
{
  const char *ns = bosh_element_get_namespace (self);

  return g_strcmp0 (ns, BOSH_NS_SASL) == 0 || g_strcmp0 (ns, BOSH_NS_SASL2) == 0;
}

const char *
bosh_stanza_read_condition (BoshElement  *parent,
                            const char   *ns,
                            char        **text)
{
  if (text != NULL)
    *text = bosh_element_dup_child_text (parent, "text", ns);

  for (guint i = 0; i < bosh_element_get_n_children (parent); i++)
    {
      BoshElement *child = bosh_element_get_nth_child (parent, i);

      if (bosh_element_matches (child, NULL, ns) && !bosh_element_matches (child, "text", NULL))
        return bosh_element_get_name (child);
    }

  return NULL;
}

GError *
bosh_sasl_error_new_for_failure (BoshElement *failure)
{
  g_autofree char *text = NULL;
  const char *condition = bosh_stanza_read_condition (failure, BOSH_NS_SASL, &text);

  /* XEP-0388 §2.6.2 has the text in its own namespace. */
  if (text == NULL)
    text = bosh_element_dup_child_text (failure, "text", BOSH_NS_SASL2);

  return bosh_sasl_error_new (condition, text);
}

GError *
bosh_stanza_error_new_for_stanza (BoshElement *stanza)
{
  BoshElement *error = bosh_element_get_child (stanza, "error", NULL);
  const char *condition = NULL;
  g_autofree char *text = NULL;

  if (error != NULL)
    condition = bosh_stanza_read_condition (error, BOSH_NS_STANZA_ERRORS, &text);

  return bosh_stanza_error_new (condition, text);
}

GError *
bosh_stream_error_new_for_element (BoshElement *element)
{
  g_autofree char *text = NULL;
  const char *condition = bosh_stanza_read_condition (element, BOSH_NS_STREAM_ERRORS, &text);

  return condition != NULL ? bosh_stream_error_new (condition, text) : NULL;
}
