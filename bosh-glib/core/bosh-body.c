/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-body-private.h"

#include "bosh-element-private.h"
#include "bosh-error-private.h"
#include "bosh-i18n-private.h"
#include "bosh-limits-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-secret-clear-private.h"
#include "bosh-stanza-private.h"
#include "bosh-xml-private.h"
#include "bosh-xml-text-private.h"

#include <string.h>

/* Shown in the place of a secret. */
#define REDACTED "[…]"

/* How a request ends, without payloads and with some. */
#define EMPTY_END "/>"
#define BODY_END "</body>"

static void
append_attribute (GString    *output,
                  const char *name,
                  const char *value)
{
  if (value == NULL)
    return;

  g_string_append_c (output, ' ');
  g_string_append (output, name);
  g_string_append_c (output, '=');
  bosh_xml_append_quoted (output, value);
}

static void
append_number (GString    *output,
               const char *name,
               guint64     value)
{
  g_string_append_printf (output, " %s='%" G_GUINT64_FORMAT "'", name, value);
}

/* ejabberd compares the names of attributes as text, so the prefix must be
 * `xmpp`. */
static void
append_xbosh_attributes (GString               *output,
                         const BoshRequestBody *self)
{
  if (!self->creation && !self->restart && !self->opens_stream)
    return;

  append_attribute (output, "xmlns:xmpp", BOSH_NS_XBOSH);
  if (self->creation || self->opens_stream)
    append_attribute (output, "xmpp:version", "1.0");
  if (self->restart)
    append_attribute (output, "xmpp:restart", "true");
}

/* What is appended then up to @size bytes does not move to other memory. */
static void
reserve (GString *output,
         gsize    size)
{
  gsize length = output->len;

  g_string_set_size (output, length + size);
  g_string_truncate (output, length);
}

/* What follows the attributes. */
static void
append_payloads (GString       *output,
                 const GString *payloads,
                 gboolean       is_secret)
{
  if (payloads == NULL || payloads->len == 0)
    {
      g_string_append (output, EMPTY_END);
      return;
    }

  g_string_append_c (output, '>');
  if (is_secret)
    reserve (output, payloads->len + strlen (BODY_END));
  g_string_append_len (output, payloads->str, payloads->len);
  g_string_append (output, BODY_END);
}

GBytes *
bosh_request_body_compose (const BoshRequestBody *self,
                           const GString         *payloads)
{
  GString *output = g_string_sized_new (256 + (payloads != NULL ? payloads->len : 0));

  g_string_append (output, "<body xmlns='" BOSH_NS_HTTPBIND "'");
  append_number (output, "rid", self->rid);
  append_attribute (output, "sid", self->sid);
  append_attribute (output, "to", self->to);
  append_attribute (output, "from", self->from);
  append_attribute (output, "route", self->route);
  append_attribute (output, "xml:lang", self->language);
  if (self->creation)
    {
      append_attribute (output, "ver", "1.11");
      append_number (output, "wait", self->wait);
      append_number (output, "hold", self->hold);
      append_attribute (output, "content", self->content);
    }
  append_attribute (output, "stream", self->stream);
  if (self->ack != 0)
    append_number (output, "ack", self->ack);
  if (self->pause != 0)
    append_number (output, "pause", self->pause);
  if (self->terminate)
    append_attribute (output, "type", "terminate");
  append_attribute (output, "key", self->key);
  append_attribute (output, "newkey", self->new_key);
  append_xbosh_attributes (output, self);

  append_payloads (output, payloads, self->is_secret);

  return self->is_secret ? bosh_secret_string_to_bytes (output) : g_string_free_to_bytes (output);
}

GBytes *
bosh_request_body_replace (GBytes        *bytes,
                           gsize          payload_length,
                           const GString *payloads)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  gsize end = strlen (payload_length > 0 ? BODY_END : EMPTY_END);
  GString *output = g_string_new_len (data, length - payload_length - end);

  /* With payloads there is the end of the start tag, too. */
  if (payload_length > 0)
    g_string_truncate (output, output->len - 1);
  append_payloads (output, payloads, FALSE);

  return g_string_free_to_bytes (output);
}

static gint64
get_number (BoshElement *root,
            const char  *name,
            guint64      maximum)
{
  const char *value = bosh_element_get_attribute (root, name);
  guint64 number;

  if (value == NULL || !g_ascii_isdigit (value[0]))
    return -1;

  if (!g_ascii_string_to_unsigned (value, 10, 0, G_MAXINT64, &number, NULL))
    return strspn (value, "0123456789") == strlen (value) ? (gint64)maximum : -1;

  return (gint64)MIN (number, maximum);
}

static BoshBodyType
get_body_type (BoshElement *root)
{
  const char *type = bosh_element_get_attribute (root, "type");

  if (g_strcmp0 (type, "terminate") == 0)
    return BOSH_BODY_TERMINATE;
  if (g_strcmp0 (type, "error") == 0)
    return BOSH_BODY_ERROR;

  return BOSH_BODY_PLAIN;
}

/* @root: (transfer full) */
static void
set_root (BoshResponseBody *self,
          BoshElement      *root)
{
  g_clear_pointer (&self->root, bosh_element_unref);
  self->root = root;
  self->type = get_body_type (root);
  self->sid = bosh_element_get_attribute (root, "sid");
  self->condition = bosh_element_get_attribute (root, "condition");
  self->version = bosh_element_get_attribute (root, "ver");
  self->accept = bosh_element_get_attribute (root, "accept");
  self->charsets = bosh_element_get_attribute (root, "charsets");
  self->stream = bosh_element_get_attribute (root, "stream");
  if (self->stream != NULL && self->stream[0] == '\0')
    self->stream = NULL;
  self->is_echo = bosh_element_get_attribute (root, "rid") != NULL;
  self->wait = get_number (root, "wait", BOSH_MAX_SECONDS);
  self->hold = get_number (root, "hold", BOSH_MAX_REQUESTS);
  self->requests = get_number (root, "requests", BOSH_MAX_REQUESTS);
  self->inactivity = get_number (root, "inactivity", BOSH_MAX_SECONDS);
  self->polling = get_number (root, "polling", BOSH_MAX_SECONDS);
  self->max_pause = get_number (root, "maxpause", BOSH_MAX_SECONDS);
  self->ack = get_number (root, "ack", BOSH_MAX_RID);
  self->report = get_number (root, "report", BOSH_MAX_RID);
}

/* @root: (transfer full) */
static BoshResponseBody *
new_for_root (GBytes      *bytes,
              BoshElement *root)
{
  BoshResponseBody *self = g_new0 (BoshResponseBody, 1);

  self->bytes = g_bytes_ref (bytes);
  self->n_children = bosh_element_get_n_children (root);
  set_root (self, root);

  return self;
}

BoshResponseBody *
bosh_response_body_new (GBytes           *bytes,
                        BoshBodyVerdict  *verdict,
                        GError          **error)
{
  g_autofree char *name = NULL;
  g_autofree char *ns = NULL;
  g_autoptr(GPtrArray) left_out = NULL;
  g_autoptr(GError) local_error = NULL;
  g_autoptr(BoshElement) root = NULL;
  BoshResponseBody *self;
  gboolean is_body;
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);

  *verdict = BOSH_BODY_FOREIGN;

  if (length == 0)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                           _("The response of the server is empty, which is not BOSH"));
      return NULL;
    }

  root = bosh_xml_parse_body (data, length, &name, &ns, &left_out, &local_error);
  is_body = g_strcmp0 (name, "body") == 0 &&
            g_strcmp0 (ns, BOSH_NS_HTTPBIND) == 0;

  if (!is_body && (name != NULL || local_error == NULL ||
                   !g_error_matches (local_error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE)))
    {
      g_set_error (error, BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                   _("The response is no BOSH body: %s"),
                   local_error != NULL ? local_error->message
                                       : _("wrong root element or namespace"));
      return NULL;
    }

  if (root == NULL)
    {
      *verdict = BOSH_BODY_REFUSED;
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }

  *verdict = BOSH_BODY_OK;
  self = new_for_root (bytes, g_steal_pointer (&root));
  if (left_out != NULL)
    self->n_children += left_out->len;
  self->left_out = g_steal_pointer (&left_out);

  return self;
}

BoshResponseBody *
bosh_body_read_request (GBytes *bytes)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  g_autoptr(BoshElement) root = bosh_xml_parse_own (data, length, NULL);

  if (root == NULL || !bosh_element_matches (root, "body", BOSH_NS_HTTPBIND))
    return NULL;

  return new_for_root (bytes, g_steal_pointer (&root));
}

gboolean
bosh_body_check_payload (const GString  *payload,
                         GError        **error)
{
  static const char start[] = "<body xmlns='" BOSH_NS_HTTPBIND "'>";
  static const char end[] = "</body>";
  g_autoptr(GString) body = NULL;
  g_autoptr(BoshElement) root = NULL;
  g_autoptr(GError) local_error = NULL;

  if (payload->len <= BOSH_XML_MAX_HARMLESS_LENGTH)
    return TRUE;

  body = g_string_sized_new (payload->len + sizeof start + sizeof end);
  g_string_append (body, start);
  g_string_append_len (body, payload->str, payload->len);
  g_string_append (body, end);
  root = bosh_xml_parse_own (body->str, body->len, &local_error);
  if (root != NULL)
    return TRUE;

  g_set_error (error, BOSH_ERROR,
               g_error_matches (local_error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE)
                 ? BOSH_ERROR_TOO_LARGE
                 : BOSH_ERROR_INVALID_STANZA,
               _("The stanza can't be sent: %s"), local_error->message);

  return FALSE;
}

void
bosh_response_body_free (BoshResponseBody *self)
{
  bosh_element_unref (self->root);
  g_bytes_unref (self->bytes);
  g_clear_pointer (&self->left_out, g_ptr_array_unref);
  g_free (self);
}

static BoshElement *
copy_without_content (BoshElement *element)
{
  BoshElement *copy = bosh_element_new (bosh_element_get_name (element),
                                        bosh_element_get_namespace (element));

  for (guint i = 0; i < bosh_element_get_n_attributes (element); i++)
    {
      const char *ns;
      const char *value;
      const char *name = bosh_element_get_nth_attribute (element, i, &ns, &value);

      bosh_element_set_attribute_ns (copy, name, ns, value);
    }

  return copy;
}

void
bosh_response_body_set_aside (BoshResponseBody *self)
{
  if (self->n_children == 0)
    return;

  self->is_aside = TRUE;
  g_clear_pointer (&self->left_out, g_ptr_array_unref);
  set_root (self, copy_without_content (self->root));
}

void
bosh_response_body_recall (BoshResponseBody *self)
{
  g_autofree char *name = NULL;
  g_autofree char *ns = NULL;
  BoshElement *root;
  gsize length;
  const char *data;

  if (!self->is_aside)
    return;

  data = g_bytes_get_data (self->bytes, &length);
  root = bosh_xml_parse_body (data, length, &name, &ns, &self->left_out, NULL);
  g_return_if_fail (root != NULL);
  self->is_aside = FALSE;
  set_root (self, root);
}

GPtrArray *
bosh_response_body_dup_payloads (BoshResponseBody *self)
{
  guint n_children = bosh_element_get_n_children (self->root);
  GPtrArray *payloads = g_ptr_array_new_full (n_children,
                                              (GDestroyNotify)bosh_element_unref);

  for (guint i = 0; i < n_children; i++)
    {
      BoshElement *child = bosh_element_get_nth_child (self->root, i);
      BoshElement *payload;

      /* It belongs to `see-other-uri`, and is no payload. */
      if (bosh_element_matches (child, "uri", BOSH_NS_HTTPBIND))
        continue;

      if (g_strcmp0 (bosh_element_get_namespace (child), BOSH_NS_HTTPBIND) != 0)
        {
          payload = bosh_element_ref (child);
        }
      else
        {
          payload = bosh_element_copy_renamed (child, BOSH_NS_HTTPBIND, BOSH_NS_CLIENT);
          bosh_element_seal (payload);
        }

      g_ptr_array_add (payloads, payload);
    }

  return payloads;
}

/* XEP-0124 §17.2 has the URI in a child element, some servers in an attribute. */
char *
bosh_response_body_dup_uri (BoshResponseBody *self)
{
  g_autofree char *uri = bosh_element_dup_child_text (self->root, "uri", BOSH_NS_HTTPBIND);

  if (uri == NULL)
    uri = g_strdup (bosh_element_get_attribute (self->root, "uri"));

  return uri != NULL && g_strstrip (uri)[0] != '\0' ? g_steal_pointer (&uri) : NULL;
}

/* The element whose children are the condition and text of a stream error, or
 * NULL. Old connection managers leave out the `<stream:error/>` around them
 * (XEP-0206 §6). */
static BoshElement *
get_stream_error (BoshResponseBody *self)
{
  BoshElement *error = bosh_element_get_child (self->root, "error", BOSH_NS_STREAMS);

  if (error == NULL && g_strcmp0 (self->condition, "remote-stream-error") == 0)
    error = self->root;

  return error;
}

static char *
describe_stream_error (BoshElement *error)
{
  g_autofree char *text = NULL;
  const char *condition = bosh_stanza_read_condition (error, BOSH_NS_STREAM_ERRORS, &text);

  if (text == NULL || text[0] == '\0')
    return g_strdup (condition);

  return condition != NULL ? g_strdup_printf ("%s: %s", condition, text) : g_steal_pointer (&text);
}

/* What the response has besides the name of the terminal condition, nullable. */
static char *
dup_detail (BoshResponseBody *self)
{
  BoshElement *stream_error = get_stream_error (self);
  char *detail = NULL;

  if (stream_error != NULL)
    detail = describe_stream_error (stream_error);
  if (detail == NULL)
    detail = bosh_response_body_dup_uri (self);
  if (detail == NULL)
    detail = g_strdup (bosh_element_get_attribute (self->root, "message"));
  if (detail == NULL)
    detail = bosh_element_dup_text (self->root);

  return detail;
}

GError *
bosh_response_body_new_error (BoshResponseBody *self)
{
  g_autofree char *detail = NULL;

  if (g_strcmp0 (self->condition, "remote-stream-error") == 0)
    {
      GError *error = bosh_stream_error_new_for_element (get_stream_error (self));

      if (error != NULL)
        return error;
    }

  detail = dup_detail (self);

  return bosh_error_new_for_condition (self->condition, detail);
}

/* The data of an authentication is the text of its element (RFC 6120 §6.4), or
 * of two kinds of children (XEP-0388 §2.3, §2.6.1). */
static BoshElement *
copy_redacted (BoshElement *payload)
{
  BoshElement *copy;

  if (!bosh_element_is_sasl (payload))
    return bosh_element_copy (payload);

  copy = copy_without_content (payload);
  if (bosh_element_get_n_children (payload) == 0)
    bosh_element_set_text (copy, REDACTED);
  for (guint i = 0; i < bosh_element_get_n_children (payload); i++)
    {
      BoshElement *original = bosh_element_get_nth_child (payload, i);
      g_autoptr(BoshElement) child = bosh_element_copy (original);

      if (bosh_element_matches (child, "initial-response", BOSH_NS_SASL2) ||
          bosh_element_matches (child, "additional-data", BOSH_NS_SASL2))
        bosh_element_set_text (child, REDACTED);
      bosh_element_add_child (copy, child);
    }

  return copy;
}

/* No parser, whose buffers would keep the data. As we wrote the request ourselves, a
 * `>` stands at the end of a tag only. */
char *
bosh_body_redact_secret (GBytes *bytes)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  const char *end = data + length;
  GString *output = g_string_new (NULL);

  while (data < end)
    {
      const char *text = memchr (data, '>', end - data);
      const char *tag;

      text = text != NULL ? text + 1 : end;
      g_string_append_len (output, data, text - data);
      tag = memchr (text, '<', end - text);
      data = tag != NULL ? tag : end;
      if (data > text)
        g_string_append (output, REDACTED);
    }

  return g_string_free (output, FALSE);
}

GBytes *
bosh_body_shorten (GBytes *bytes)
{
  if (g_bytes_get_size (bytes) <= BOSH_MAX_SHOWN)
    return g_bytes_ref (bytes);

  /* One byte more, by which it is known that it is cut. */
  return g_bytes_new (g_bytes_get_data (bytes, NULL), BOSH_MAX_SHOWN + 1);
}

/* Where a namespace of SASL occurs first, or NULL. */
static const char *
find_sasl (const char *data,
           gsize       length)
{
  const char *first = g_strstr_len (data, length, BOSH_NS_SASL);
  const char *second = g_strstr_len (data, length, BOSH_NS_SASL2);

  if (first == NULL || second == NULL)
    return first != NULL ? first : second;

  return MIN (first, second);
}

/* What is cut can't be parsed. */
static char *
redact_beginning (const char *data,
                  gsize       length)
{
  const char *sasl;
  g_autofree char *text = NULL;

  /* The search for a namespace would stop at a nul. */
  if (memchr (data, '\0', length) != NULL)
    return g_strdup (REDACTED);

  sasl = find_sasl (data, length);
  while (sasl != NULL && sasl > data && *sasl != '<')
    sasl--;
  text = g_utf8_make_valid (data, sasl != NULL ? (gsize)(sasl - data) : length);

  return g_strconcat (text, REDACTED, NULL);
}

char *
bosh_body_redact (GBytes *bytes)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  g_autoptr(BoshElement) root = NULL;
  g_autoptr(BoshElement) copy = NULL;

  /* The data of empty bytes is NULL. */
  if (length == 0)
    return g_strdup ("");

  if (length > BOSH_MAX_SHOWN)
    return redact_beginning (data, BOSH_MAX_SHOWN);
  if (memchr (data, '\0', length) == NULL && find_sasl (data, length) == NULL)
    return g_utf8_make_valid (data, length);

  root = bosh_xml_parse (data, length, NULL, NULL, NULL);
  if (root == NULL)
    return g_strdup (REDACTED);

  copy = copy_without_content (root);
  for (guint i = 0; i < bosh_element_get_n_children (root); i++)
    {
      g_autoptr(BoshElement) child = copy_redacted (bosh_element_get_nth_child (root, i));

      bosh_element_add_child (copy, child);
    }

  return bosh_element_to_string (copy);
}
