/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-saved-session-json-private.h"

#include <string.h>

#include "bosh-body-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-json-private.h"
#include "bosh-key-sequence-private.h"
#include "bosh-limits-private.h"
#include "bosh-session-private.h"
#include "bosh-uri-private.h"
#include "bosh-xml-private.h"
#include "bosh-xml-text-private.h"

#define FORMAT_VERSION 1

/* The most bytes of a text that comes from an attribute of a response. */
#define MAX_TEXT_LENGTH BOSH_XML_MAX_START_TAG

/* --- Writing --- */

static void
add_string (JsonBuilder *builder,
            const char  *name,
            const char  *value)
{
  if (value == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_number (JsonBuilder *builder,
            const char  *name,
            guint64      value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64)value);
}

static void
add_boolean (JsonBuilder *builder,
             const char  *name,
             gboolean     value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

static void
add_unanswered (JsonBuilder               *builder,
                const BoshSessionSnapshot *snapshot)
{
  json_builder_set_member_name (builder, "unanswered");
  json_builder_begin_array (builder);
  for (guint i = 0; i < snapshot->unanswered->len; i++)
    {
      const BoshSnapshotRequest *request;
      g_autofree char *text = NULL;
      const char *data;
      gsize size;

      request = &g_array_index (snapshot->unanswered, BoshSnapshotRequest, i);
      data = g_bytes_get_data (request->body, &size);
      text = g_strndup (data, size);

      json_builder_begin_object (builder);
      add_number (builder, "rid", request->rid);
      add_string (builder, "body", text);
      add_boolean (builder, "payload", request->has_payload);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_stanzas (JsonBuilder *builder,
             const char  *name,
             GPtrArray   *stanzas,
             GPtrArray   *streams)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (guint i = 0; i < stanzas->len; i++)
    {
      BoshElement *stanza = g_ptr_array_index (stanzas, i);
      const char *stream = g_ptr_array_index (streams, i);
      g_autofree char *text = bosh_element_to_string (stanza);

      if (stream == NULL)
        {
          json_builder_add_string_value (builder, text);
          continue;
        }

      json_builder_begin_object (builder);
      add_string (builder, "stream", stream);
      add_string (builder, "stanza", text);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

/* Left out where there is only one stream, which has no name. */
static void
add_streams (JsonBuilder               *builder,
             const BoshSessionSnapshot *snapshot)
{
  if (snapshot->streams->len == 0 ||
      g_array_index (snapshot->streams, BoshSnapshotStream, 0).name == NULL)
    return;

  json_builder_set_member_name (builder, "streams");
  json_builder_begin_array (builder);
  for (guint i = 0; i < snapshot->streams->len; i++)
    {
      const BoshSnapshotStream *stream = &g_array_index (snapshot->streams, BoshSnapshotStream, i);

      json_builder_begin_object (builder);
      add_string (builder, "name", stream->name);
      add_boolean (builder, "closed", stream->closed);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  add_number (builder, "opening", snapshot->opening);
}

static void
add_key_sequence (JsonBuilder               *builder,
                  const BoshSessionSnapshot *snapshot)
{
  if (snapshot->key_seed == NULL)
    return;

  json_builder_set_member_name (builder, "key-sequence");
  json_builder_begin_object (builder);
  add_string (builder, "seed", snapshot->key_seed);
  add_number (builder, "length", snapshot->key_length);
  add_number (builder, "position", snapshot->key_position);
  json_builder_end_object (builder);
}

static void
add_cookies (JsonBuilder        *builder,
             const char * const *cookies)
{
  json_builder_set_member_name (builder, "cookies");
  json_builder_begin_array (builder);
  for (guint i = 0; cookies != NULL && cookies[i] != NULL; i++)
    json_builder_add_string_value (builder, cookies[i]);
  json_builder_end_array (builder);
}

char *
bosh_saved_session_write_json (const char                *uri,
                               const char                *jid,
                               const BoshSessionSnapshot *snapshot,
                               const char * const        *cookies)
{
  g_autoptr(JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr(JsonNode) root = NULL;

  json_builder_begin_object (builder);
  add_number (builder, "version", FORMAT_VERSION);
  add_string (builder, "uri", uri);
  add_string (builder, "domain", snapshot->domain);
  add_string (builder, "jid", jid);
  add_string (builder, "sid", snapshot->session_id);
  add_number (builder, "rid", bosh_session_snapshot_get_first_rid (snapshot));
  add_boolean (builder, "open-request", snapshot->unanswered->len > 0);
  add_number (builder, "next-rid", snapshot->next_rid);
  add_number (builder, "wait", snapshot->wait);
  add_number (builder, "hold", snapshot->hold);
  add_number (builder, "requests", snapshot->requests);
  add_number (builder, "inactivity", snapshot->inactivity);
  add_number (builder, "polling", snapshot->polling);
  add_number (builder, "maxpause", snapshot->max_pause);
  add_string (builder, "ver", snapshot->version);
  add_string (builder, "language", snapshot->language);
  add_boolean (builder, "acknowledges", snapshot->acknowledges);
  add_boolean (builder, "acknowledging", snapshot->acknowledging);
  add_boolean (builder, "sorts", snapshot->sorts);
  add_unanswered (builder, snapshot);
  add_stanzas (builder, "unsent", snapshot->unsent, snapshot->unsent_streams);
  add_stanzas (builder, "received", snapshot->received, snapshot->received_streams);
  add_string (builder, "accept", snapshot->accept);
  add_streams (builder, snapshot);
  add_key_sequence (builder, snapshot);
  add_cookies (builder, cookies);
  json_builder_end_object (builder);

  root = json_builder_get_root (builder);
  return bosh_json_to_string (root);
}

/* --- Reading --- */

static gboolean
set_invalid (GError     **error,
             const char  *name)
{
  g_set_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA,
               _("The member “%s” of the saved session is not valid"), name);
  return FALSE;
}

static JsonObject *
parse_json (const char  *json,
            GError     **error)
{
  JsonObject *object;
  gsize length = strlen (json);

  if (length > BOSH_JSON_MAX_SIZE)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA,
                           _("The data is too large for a saved session"));
      return NULL;
    }

  object = bosh_json_parse_object (json, length);
  if (object == NULL)
    g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA,
                         _("The data is not the JSON of a saved session"));

  return object;
}

/* NULL if the member is absent, or null. */
static JsonNode *
get_member (JsonObject *object,
            const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node == NULL || JSON_NODE_HOLDS_NULL (node) ? NULL : node;
}

/* The text of a node, or NULL if it is no string that XML could carry, or has more than
 * @max_length bytes. */
static const char *
get_text (JsonNode *node,
          gsize     max_length)
{
  const char *text;

  if (!JSON_NODE_HOLDS_VALUE (node) ||
      json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;

  text = json_node_get_string (node);
  if (strlen (text) > max_length || !bosh_xml_is_valid_text (text, -1))
    return NULL;

  return text;
}

/* @value stays as it is if the member is absent. */
static gboolean
read_string (JsonObject  *object,
             const char  *name,
             gsize        max_length,
             char       **value,
             GError     **error)
{
  JsonNode *node = get_member (object, name);
  const char *text;

  if (node == NULL)
    return TRUE;

  text = get_text (node, max_length);
  if (text == NULL)
    return set_invalid (error, name);

  g_free (*value);
  *value = g_strdup (text);
  return TRUE;
}

static gboolean
read_number (JsonObject  *object,
             const char  *name,
             guint64      minimum,
             guint64      maximum,
             guint64     *value,
             GError     **error)
{
  JsonNode *node = get_member (object, name);
  gint64 number;

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) ||
      json_node_get_value_type (node) != G_TYPE_INT64)
    return set_invalid (error, name);

  number = json_node_get_int (node);
  if (number < 0 || (guint64)number < minimum || (guint64)number > maximum)
    return set_invalid (error, name);

  *value = (guint64)number;
  return TRUE;
}

static gboolean
read_uint (JsonObject  *object,
           const char  *name,
           guint        maximum,
           guint       *value,
           GError     **error)
{
  guint64 number = *value;

  if (!read_number (object, name, 0, maximum, &number, error))
    return FALSE;

  *value = (guint)number;
  return TRUE;
}

static gboolean
read_boolean (JsonObject  *object,
              const char  *name,
              gboolean    *value,
              GError     **error)
{
  JsonNode *node = get_member (object, name);

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) ||
      json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return set_invalid (error, name);

  *value = json_node_get_boolean (node);
  return TRUE;
}

/* @array: (transfer none) (nullable): NULL if the member is absent */
static gboolean
read_array (JsonObject  *object,
            const char  *name,
            guint        max_length,
            JsonArray  **array,
            GError     **error)
{
  JsonNode *node = get_member (object, name);

  *array = NULL;
  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node) ||
      json_array_get_length (json_node_get_array (node)) > max_length)
    return set_invalid (error, name);

  *array = json_node_get_array (node);
  return TRUE;
}

/* A program in JavaScript may write the number as a string. */
static gboolean
read_rid (JsonObject  *object,
          guint64     *rid,
          GError     **error)
{
  JsonNode *node = get_member (object, "rid");
  const char *text = node == NULL ? NULL : get_text (node, MAX_TEXT_LENGTH);

  if (node == NULL)
    return set_invalid (error, "rid");
  if (text == NULL)
    return read_number (object, "rid", 1, BOSH_MAX_RID, rid, error);
  if (!g_ascii_string_to_unsigned (text, 10, 1, BOSH_MAX_RID, rid, NULL))
    return set_invalid (error, "rid");

  return TRUE;
}

/* The bytes will be sent as they are, so they must be a request of this session. */
static gboolean
is_request (GBytes     *bytes,
            guint64     rid,
            const char *session_id)
{
  g_autoptr(BoshResponseBody) body = bosh_body_read_request (bytes);
  const char *value;
  guint64 number;

  if (body == NULL || g_strcmp0 (body->sid, session_id) != 0)
    return FALSE;

  value = bosh_element_get_attribute (body->root, "rid");
  return value != NULL &&
         g_ascii_string_to_unsigned (value, 10, 1, BOSH_MAX_RID, &number, NULL) &&
         number == rid;
}

static gboolean
read_unanswered (JsonObject           *object,
                 BoshSessionSnapshot  *snapshot,
                 GError              **error)
{
  JsonArray *array;
  guint length;
  guint64 last_rid = 0;

  if (!read_array (object, "unanswered", G_MAXUINT, &array, error))
    return FALSE;

  length = array == NULL ? 0 : json_array_get_length (array);
  for (guint i = 0; i < length; i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      JsonObject *request;
      g_autofree char *body = NULL;
      g_autoptr(GBytes) bytes = NULL;
      gboolean has_payload = FALSE;
      gsize length_of_body;
      guint64 rid = 0;

      if (!JSON_NODE_HOLDS_OBJECT (node))
        return set_invalid (error, "unanswered");
      request = json_node_get_object (node);
      if (!read_number (request, "rid", 1, BOSH_MAX_RID, &rid, NULL) ||
          !read_string (request, "body", BOSH_JSON_MAX_SIZE, &body, NULL) ||
          !read_boolean (request, "payload", &has_payload, NULL) ||
          rid <= last_rid || body == NULL)
        return set_invalid (error, "unanswered");

      length_of_body = strlen (body);
      bytes = g_bytes_new_take (g_steal_pointer (&body), length_of_body);
      if (!is_request (bytes, rid, snapshot->session_id))
        return set_invalid (error, "unanswered");
      bosh_session_snapshot_add_unanswered (snapshot, rid, bytes, has_payload);
      last_rid = rid;
    }

  return TRUE;
}

static gboolean
has_stream (const BoshSessionSnapshot *snapshot,
            const char                *name)
{
  if (name == NULL || name[0] == '\0')
    return TRUE;

  for (guint i = 0; i < snapshot->streams->len; i++)
    if (g_strcmp0 (g_array_index (snapshot->streams, BoshSnapshotStream, i).name, name) == 0)
      return TRUE;

  return FALSE;
}

static gboolean
read_streams (JsonObject           *object,
              BoshSessionSnapshot  *snapshot,
              GError              **error)
{
  JsonArray *array;
  guint length;

  if (!read_array (object, "streams", BOSH_SESSION_MAX_STREAMS, &array, error))
    return FALSE;

  length = array == NULL ? 0 : json_array_get_length (array);
  for (guint i = 0; i < length; i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      g_autofree char *name = NULL;
      gboolean closed = FALSE;

      if (!JSON_NODE_HOLDS_OBJECT (node) ||
          !read_string (json_node_get_object (node), "name", BOSH_SESSION_MAX_NAME_LENGTH, &name,
                        NULL) ||
          !read_boolean (json_node_get_object (node), "closed", &closed, NULL) ||
          name == NULL || has_stream (snapshot, name))
        return set_invalid (error, "streams");
      bosh_session_snapshot_add_stream (snapshot, name, closed);
    }

  return read_uint (object, "opening", BOSH_SESSION_MAX_STREAMS, &snapshot->opening, error);
}

static BoshElement *
read_stanza (JsonNode *node)
{
  const char *text = node != NULL ? get_text (node, BOSH_JSON_MAX_SIZE) : NULL;

  return text != NULL ? bosh_xml_parse_own (text, strlen (text), NULL) : NULL;
}

typedef void (*AddStanza) (BoshSessionSnapshot *snapshot,
                           BoshElement      *stanza,
                           const char       *stream);

static gboolean
read_stanzas (JsonObject           *object,
              const char           *name,
              AddStanza             add,
              BoshSessionSnapshot  *snapshot,
              GError              **error)
{
  JsonArray *array;
  guint length;

  if (!read_array (object, name, G_MAXUINT, &array, error))
    return FALSE;

  length = array == NULL ? 0 : json_array_get_length (array);
  for (guint i = 0; i < length; i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      g_autofree char *stream = NULL;
      g_autoptr(BoshElement) stanza = NULL;

      if (!JSON_NODE_HOLDS_OBJECT (node))
        stanza = read_stanza (node);
      else if (read_string (json_node_get_object (node), "stream", BOSH_SESSION_MAX_NAME_LENGTH,
                            &stream, NULL))
        stanza = read_stanza (get_member (json_node_get_object (node), "stanza"));
      if (stanza == NULL || !has_stream (snapshot, stream) ||
          !bosh_session_check_payload (stanza, G_MAXSIZE, NULL))
        return set_invalid (error, name);
      add (snapshot, stanza, stream);
    }

  return TRUE;
}

static gboolean
read_key_sequence (JsonObject           *object,
                   BoshSessionSnapshot  *snapshot,
                   GError              **error)
{
  JsonNode *node = get_member (object, "key-sequence");
  JsonObject *keys;
  guint64 length = 0;
  guint64 position = 0;

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return set_invalid (error, "key-sequence");

  keys = json_node_get_object (node);
  if (!read_string (keys, "seed", MAX_TEXT_LENGTH, &snapshot->key_seed, NULL) ||
      !read_number (keys, "length", BOSH_KEY_SEQUENCE_MIN_LENGTH,
                    BOSH_KEY_SEQUENCE_MAX_LENGTH, &length, NULL) ||
      !read_number (keys, "position", 0, BOSH_KEY_SEQUENCE_MAX_LENGTH, &position, NULL) ||
      snapshot->key_seed == NULL || snapshot->key_seed[0] == '\0' || position >= length)
    return set_invalid (error, "key-sequence");

  snapshot->key_length = (guint)length;
  snapshot->key_position = (guint)position;
  return TRUE;
}

static gboolean
read_cookies (JsonObject  *object,
              GStrv       *cookies,
              GError     **error)
{
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new ();
  JsonArray *array;
  guint length;

  if (!read_array (object, "cookies", BOSH_SESSION_MAX_COOKIES, &array, error))
    return FALSE;

  length = array == NULL ? 0 : json_array_get_length (array);
  for (guint i = 0; i < length; i++)
    {
      const char *text = get_text (json_array_get_element (array, i),
                                   BOSH_SESSION_MAX_COOKIE_LENGTH);

      if (text == NULL || !bosh_session_is_cookie (text))
        return set_invalid (error, "cookies");
      g_strv_builder_add (builder, text);
    }

  *cookies = g_strv_builder_end (builder);

  return TRUE;
}

static gboolean
read_granted (JsonObject           *object,
              BoshSessionSnapshot  *snapshot,
              GError              **error)
{
  return read_uint (object, "wait", BOSH_MAX_SECONDS, &snapshot->wait, error) &&
         read_uint (object, "hold", BOSH_MAX_REQUESTS, &snapshot->hold, error) &&
         read_uint (object, "requests", BOSH_MAX_REQUESTS, &snapshot->requests, error) &&
         read_uint (object, "inactivity", BOSH_MAX_SECONDS, &snapshot->inactivity, error) &&
         read_uint (object, "polling", BOSH_MAX_SECONDS, &snapshot->polling, error) &&
         read_uint (object, "maxpause", BOSH_MAX_SECONDS, &snapshot->max_pause, error) &&
         read_string (object, "ver", MAX_TEXT_LENGTH, &snapshot->version, error) &&
         read_string (object, "accept", MAX_TEXT_LENGTH, &snapshot->accept, error) &&
         read_string (object, "language", BOSH_SESSION_MAX_TEXT_LENGTH, &snapshot->language, error) &&
         read_boolean (object, "acknowledges", &snapshot->acknowledges, error) &&
         read_boolean (object, "acknowledging", &snapshot->acknowledging, error) &&
         read_boolean (object, "sorts", &snapshot->sorts, error);
}

static gboolean
read_version (JsonObject  *object,
              GError     **error)
{
  guint64 version = FORMAT_VERSION;

  if (!read_number (object, "version", 0, G_MAXINT64, &version, error))
    return FALSE;
  if (version == FORMAT_VERSION)
    return TRUE;

  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA,
                       _("The saved session has a format that is not known"));

  return FALSE;
}

/* The numbers of the first request to send and of the next new one, which must fit the
 * unanswered requests. */
static gboolean
read_rids (JsonObject           *object,
           BoshSessionSnapshot  *snapshot,
           GError              **error)
{
  guint64 rid = 0;

  if (!read_rid (object, &rid, error))
    return FALSE;

  if (snapshot->unanswered->len == 0)
    {
      snapshot->next_rid = rid;

      return read_number (object, "next-rid", rid, rid, &rid, error);
    }

  if (bosh_session_snapshot_get_first_rid (snapshot) != rid)
    return set_invalid (error, "rid");

  /* There is none above the highest number, once that is used. */
  rid = g_array_index (snapshot->unanswered, BoshSnapshotRequest, snapshot->unanswered->len - 1).rid + 1;
  snapshot->next_rid = rid;

  return read_number (object, "next-rid", rid, MAX (rid, BOSH_MAX_RID), &snapshot->next_rid, error);
}

gboolean
bosh_saved_session_read_json (const char           *json,
                              BoshSessionSnapshot  *snapshot,
                              char                **uri,
                              char                **jid,
                              GStrv                *cookies,
                              GError              **error)
{
  g_autoptr(JsonObject) object = parse_json (json, error);

  return object != NULL &&
         read_version (object, error) &&
         read_string (object, "uri", BOSH_URI_MAX_LENGTH, uri, error) &&
         read_string (object, "domain", BOSH_SESSION_MAX_TEXT_LENGTH, &snapshot->domain, error) &&
         read_string (object, "jid", BOSH_JID_MAX_LENGTH, jid, error) &&
         read_string (object, "sid", BOSH_SESSION_MAX_NAME_LENGTH, &snapshot->session_id, error) &&
         read_granted (object, snapshot, error) &&
         read_unanswered (object, snapshot, error) &&
         read_rids (object, snapshot, error) &&
         read_streams (object, snapshot, error) &&
         read_stanzas (object, "unsent", bosh_session_snapshot_add_unsent, snapshot, error) &&
         read_stanzas (object, "received", bosh_session_snapshot_add_received, snapshot, error) &&
         read_key_sequence (object, snapshot, error) &&
         read_cookies (object, cookies, error);
}
