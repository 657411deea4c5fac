/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-saved-data-private.h"

#include <string.h>

#include "bosh-body-private.h"
#include "bosh-i18n-private.h"
#include "bosh-jid-private.h"
#include "bosh-json-private.h"
#include "bosh-key-sequence-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-uri-private.h"
#include "bosh-xml-private.h"
#include "bosh-xml-text-private.h"

#define FORMAT_VERSION 1

/* Limits of what is read. */
#define MAX_JSON_SIZE (64 * 1024 * 1024)
#define MAX_STRING_LENGTH 4096
#define MAX_UNANSWERED 1024
#define MAX_COOKIES 256
#define MAX_STREAMS 256

/* What is assumed where nothing was told: the values that servers have most
 * often, on the side that does no harm. */
#define DEFAULT_WAIT 60
#define DEFAULT_HOLD 1
#define DEFAULT_REQUESTS 2
#define DEFAULT_INACTIVITY 60
#define DEFAULT_POLLING 5

void
bosh_saved_data_init (BoshSavedData *self,
                      const char    *uri,
                      const char    *jid,
                      const char    *session_id,
                      guint64        request_id)
{
  BoshSessionSnapshot *saved = bosh_session_snapshot_new ();

  saved->domain = jid == NULL ? NULL : bosh_jid_dup_domain (jid);
  saved->session_id = g_strdup (session_id);
  saved->next_rid = request_id;
  saved->wait = DEFAULT_WAIT;
  saved->hold = DEFAULT_HOLD;
  saved->requests = DEFAULT_REQUESTS;
  saved->inactivity = DEFAULT_INACTIVITY;
  saved->polling = DEFAULT_POLLING;

  self->uri = g_strdup (uri);
  self->jid = g_strdup (jid);
  self->saved = saved;
  self->cookies = g_new0 (char *, 1);
}

void
bosh_saved_data_clear (BoshSavedData *self)
{
  g_clear_pointer (&self->uri, g_free);
  g_clear_pointer (&self->jid, g_free);
  g_clear_pointer (&self->saved, bosh_session_snapshot_free);
  g_clear_pointer (&self->cookies, g_strfreev);
}

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
                const BoshSessionSnapshot *saved)
{
  json_builder_set_member_name (builder, "unanswered");
  json_builder_begin_array (builder);
  for (guint i = 0; i < saved->unanswered->len; i++)
    {
      const BoshSnapshotRequest *request;
      g_autofree char *text = NULL;
      const char *data;
      gsize size;

      request = &g_array_index (saved->unanswered, BoshSnapshotRequest, i);
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

/* Of no use to anybody where there is one stream only. */
static void
add_streams (JsonBuilder               *builder,
             const BoshSessionSnapshot *saved)
{
  if (saved->streams->len == 0 ||
      g_array_index (saved->streams, BoshSnapshotStream, 0).name == NULL)
    return;

  json_builder_set_member_name (builder, "streams");
  json_builder_begin_array (builder);
  for (guint i = 0; i < saved->streams->len; i++)
    {
      const BoshSnapshotStream *stream = &g_array_index (saved->streams, BoshSnapshotStream, i);

      json_builder_begin_object (builder);
      add_string (builder, "name", stream->name);
      add_boolean (builder, "closed", stream->closed);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  add_number (builder, "opening", saved->opening);
}

static void
add_key_sequence (JsonBuilder               *builder,
                  const BoshSessionSnapshot *saved)
{
  if (saved->key_seed == NULL)
    return;

  json_builder_set_member_name (builder, "key-sequence");
  json_builder_begin_object (builder);
  add_string (builder, "seed", saved->key_seed);
  add_number (builder, "length", saved->key_length);
  add_number (builder, "position", saved->key_position);
  json_builder_end_object (builder);
}

static void
add_cookies (JsonBuilder *builder,
             GStrv        cookies)
{
  json_builder_set_member_name (builder, "cookies");
  json_builder_begin_array (builder);
  for (guint i = 0; cookies[i] != NULL; i++)
    json_builder_add_string_value (builder, cookies[i]);
  json_builder_end_array (builder);
}

char *
bosh_saved_data_to_json (const BoshSavedData *self)
{
  g_autoptr(JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr(JsonNode) root = NULL;
  const BoshSessionSnapshot *saved = self->saved;

  json_builder_begin_object (builder);
  add_number (builder, "version", FORMAT_VERSION);
  add_string (builder, "uri", self->uri);
  add_string (builder, "domain", saved->domain);
  add_string (builder, "jid", self->jid);
  add_string (builder, "sid", saved->session_id);
  add_number (builder, "rid", bosh_session_snapshot_get_first_rid (saved));
  add_number (builder, "next-rid", saved->next_rid);
  add_number (builder, "wait", saved->wait);
  add_number (builder, "hold", saved->hold);
  add_number (builder, "requests", saved->requests);
  add_number (builder, "inactivity", saved->inactivity);
  add_number (builder, "polling", saved->polling);
  add_number (builder, "maxpause", saved->max_pause);
  add_string (builder, "ver", saved->version);
  add_string (builder, "language", saved->language);
  add_boolean (builder, "acknowledges", saved->acknowledges);
  add_boolean (builder, "acknowledging", saved->acknowledging);
  add_unanswered (builder, saved);
  add_stanzas (builder, "unsent", saved->unsent, saved->unsent_streams);
  add_stanzas (builder, "received", saved->received, saved->received_streams);
  add_string (builder, "accept", saved->accept);
  add_streams (builder, saved);
  add_key_sequence (builder, saved);
  add_cookies (builder, self->cookies);
  json_builder_end_object (builder);

  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
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
  gsize length = strnlen (json, MAX_JSON_SIZE + 1);

  if (length > MAX_JSON_SIZE)
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

/* NULL where the member is absent, or null. */
static JsonNode *
get_member (JsonObject *object,
            const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node == NULL || JSON_NODE_HOLDS_NULL (node) ? NULL : node;
}

/* The text of a node, or NULL where it is no string that XML could carry, is
 * empty or is longer than @max_length. */
static const char *
get_text (JsonNode *node,
          gsize     max_length)
{
  const char *text;

  if (!JSON_NODE_HOLDS_VALUE (node) ||
      json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;

  text = json_node_get_string (node);
  if (text[0] == '\0' || strlen (text) > max_length ||
      !bosh_xml_is_valid_text (text, -1))
    return NULL;

  return text;
}

/* @value stays as it is where the member is absent. */
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

/* @array is NULL where the member is absent; it is not owned. */
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

/* A program in JavaScript may have kept the number as a string. */
static gboolean
read_rid (JsonObject  *object,
          guint64     *rid,
          GError     **error)
{
  JsonNode *node = get_member (object, "rid");
  const char *text = node == NULL ? NULL : get_text (node, MAX_STRING_LENGTH);

  if (node == NULL)
    return set_invalid (error, "rid");
  if (text == NULL)
    return read_number (object, "rid", 1, BOSH_MAX_RID, rid, error);
  if (!g_ascii_string_to_unsigned (text, 10, 1, BOSH_MAX_RID, rid, NULL))
    return set_invalid (error, "rid");

  return TRUE;
}

/* The bytes will be sent as they are: they must be a request of this session. */
static gboolean
is_request (const char *body,
            guint64     rid,
            const char *session_id)
{
  g_autoptr(BoshElement) root = NULL;
  const char *value;
  guint64 number;

  root = bosh_xml_parse (body, strlen (body), NULL, NULL, NULL);
  if (root == NULL || !bosh_element_matches (root, "body", BOSH_NS_HTTPBIND))
    return FALSE;

  value = bosh_element_get_attribute (root, "sid");
  if (g_strcmp0 (value, session_id) != 0)
    return FALSE;

  value = bosh_element_get_attribute (root, "rid");
  return value != NULL &&
         g_ascii_string_to_unsigned (value, 10, 1, BOSH_MAX_RID, &number, NULL) &&
         number == rid;
}

static gboolean
read_unanswered (JsonObject           *object,
                 BoshSessionSnapshot  *saved,
                 GError              **error)
{
  JsonArray *array;
  guint length;
  guint64 last_rid = 0;

  if (!read_array (object, "unanswered", MAX_UNANSWERED, &array, error))
    return FALSE;

  length = array == NULL ? 0 : json_array_get_length (array);
  for (guint i = 0; i < length; i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      JsonObject *request;
      g_autofree char *body = NULL;
      g_autoptr(GBytes) bytes = NULL;
      gboolean has_payload = FALSE;
      guint64 rid = 0;

      if (!JSON_NODE_HOLDS_OBJECT (node))
        return set_invalid (error, "unanswered");
      request = json_node_get_object (node);
      if (!read_number (request, "rid", 1, BOSH_MAX_RID, &rid, NULL) ||
          !read_string (request, "body", MAX_JSON_SIZE, &body, NULL) ||
          !read_boolean (request, "payload", &has_payload, NULL) ||
          rid <= last_rid || body == NULL ||
          !is_request (body, rid, saved->session_id))
        return set_invalid (error, "unanswered");

      bytes = g_bytes_new (body, strlen (body));
      bosh_session_snapshot_add_unanswered (saved, rid, bytes, has_payload);
      last_rid = rid;
    }

  return TRUE;
}

/* @value stays NULL where the member is absent; it may be empty. */
static gboolean
read_stream_name (JsonObject  *object,
                  const char  *name,
                  char       **value)
{
  JsonNode *node = get_member (object, name);

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node) &&
      json_node_get_value_type (node) == G_TYPE_STRING && json_node_get_string (node)[0] == '\0')
    *value = g_strdup ("");

  return *value != NULL || read_string (object, name, MAX_STRING_LENGTH, value, NULL);
}

static gboolean
has_stream (const BoshSessionSnapshot *saved,
            const char                *name)
{
  if (name == NULL || name[0] == '\0')
    return TRUE;

  for (guint i = 0; i < saved->streams->len; i++)
    if (g_strcmp0 (g_array_index (saved->streams, BoshSnapshotStream, i).name, name) == 0)
      return TRUE;

  return FALSE;
}

static gboolean
read_streams (JsonObject           *object,
              BoshSessionSnapshot  *saved,
              GError              **error)
{
  JsonArray *array;
  guint length;

  if (!read_array (object, "streams", MAX_STREAMS, &array, error))
    return FALSE;

  length = array == NULL ? 0 : json_array_get_length (array);
  for (guint i = 0; i < length; i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      g_autofree char *name = NULL;
      gboolean closed = FALSE;

      if (!JSON_NODE_HOLDS_OBJECT (node) ||
          !read_string (json_node_get_object (node), "name", MAX_STRING_LENGTH, &name, NULL) ||
          !read_boolean (json_node_get_object (node), "closed", &closed, NULL) ||
          name == NULL || has_stream (saved, name))
        return set_invalid (error, "streams");
      bosh_session_snapshot_add_stream (saved, name, closed);
    }

  return read_uint (object, "opening", MAX_STREAMS, &saved->opening, error);
}

static BoshElement *
read_stanza (JsonNode *node)
{
  const char *text = node != NULL ? get_text (node, MAX_JSON_SIZE) : NULL;

  return text != NULL ? bosh_element_new_from_string (text, NULL) : NULL;
}

typedef void (*AddStanza) (BoshSessionSnapshot *saved,
                           BoshElement      *stanza,
                           const char       *stream);

static gboolean
read_stanzas (JsonObject           *object,
              const char           *name,
              AddStanza             add,
              BoshSessionSnapshot  *saved,
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
      else if (read_stream_name (json_node_get_object (node), "stream", &stream))
        stanza = read_stanza (get_member (json_node_get_object (node), "stanza"));
      if (stanza == NULL || !has_stream (saved, stream))
        return set_invalid (error, name);
      add (saved, stanza, stream);
    }

  return TRUE;
}

static gboolean
read_key_sequence (JsonObject           *object,
                   BoshSessionSnapshot  *saved,
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
  if (!read_string (keys, "seed", MAX_STRING_LENGTH, &saved->key_seed, NULL) ||
      !read_number (keys, "length", BOSH_KEY_SEQUENCE_MIN_LENGTH,
                    BOSH_KEY_SEQUENCE_MAX_LENGTH, &length, NULL) ||
      !read_number (keys, "position", 0, BOSH_KEY_SEQUENCE_MAX_LENGTH, &position, NULL) ||
      saved->key_seed == NULL || position >= length)
    return set_invalid (error, "key-sequence");

  saved->key_length = (guint)length;
  saved->key_position = (guint)position;
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

  if (!read_array (object, "cookies", MAX_COOKIES, &array, error))
    return FALSE;

  length = array == NULL ? 0 : json_array_get_length (array);
  for (guint i = 0; i < length; i++)
    {
      const char *text = get_text (json_array_get_element (array, i), MAX_STRING_LENGTH);

      /* It becomes part of a header. */
      if (text == NULL || strpbrk (text, "\r\n") != NULL)
        return set_invalid (error, "cookies");
      g_strv_builder_add (builder, text);
    }

  g_strfreev (*cookies);
  *cookies = g_strv_builder_end (builder);
  return TRUE;
}

static gboolean
read_granted (JsonObject           *object,
              BoshSessionSnapshot  *saved,
              GError              **error)
{
  return read_uint (object, "wait", BOSH_MAX_SECONDS, &saved->wait, error) &&
         read_uint (object, "hold", G_MAXINT32, &saved->hold, error) &&
         read_uint (object, "requests", G_MAXINT32, &saved->requests, error) &&
         read_uint (object, "inactivity", BOSH_MAX_SECONDS, &saved->inactivity, error) &&
         read_uint (object, "polling", BOSH_MAX_SECONDS, &saved->polling, error) &&
         read_uint (object, "maxpause", BOSH_MAX_SECONDS, &saved->max_pause, error) &&
         read_string (object, "ver", MAX_STRING_LENGTH, &saved->version, error) &&
         read_string (object, "accept", MAX_STRING_LENGTH, &saved->accept, error) &&
         read_string (object, "language", MAX_STRING_LENGTH, &saved->language, error) &&
         read_boolean (object, "acknowledges", &saved->acknowledges, error) &&
         read_boolean (object, "acknowledging", &saved->acknowledging, error);
}

static gboolean
read_uri (JsonObject  *object,
          char       **value)
{
  g_autofree char *text = NULL;
  g_autoptr(GUri) uri = NULL;

  if (!read_string (object, "uri", BOSH_URI_MAX_LENGTH, &text, NULL) || text == NULL)
    return FALSE;

  uri = bosh_uri_parse_http (text, NULL, NULL);
  if (uri == NULL)
    return FALSE;

  *value = g_uri_to_string (uri);

  return TRUE;
}

/* The members that name the session. */
static gboolean
read_identity (JsonObject     *object,
               BoshSavedData  *self,
               GError        **error)
{
  BoshSessionSnapshot *saved = self->saved;
  g_autofree char *domain = NULL;

  if (!read_string (object, "domain", BOSH_JID_MAX_LENGTH, &saved->domain, error) ||
      !read_string (object, "jid", BOSH_JID_MAX_LENGTH, &self->jid, error) ||
      !read_string (object, "sid", MAX_STRING_LENGTH, &saved->session_id, error))
    return FALSE;

  if (!read_uri (object, &self->uri))
    return set_invalid (error, "uri");
  if (saved->session_id == NULL)
    return set_invalid (error, "sid");
  if (self->jid == NULL)
    return saved->domain != NULL || set_invalid (error, "jid");

  domain = bosh_jid_dup_domain (self->jid);
  if (domain[0] == '\0')
    return set_invalid (error, "jid");
  if (saved->domain == NULL)
    saved->domain = g_steal_pointer (&domain);

  return TRUE;
}

static gboolean
read_session (JsonObject     *object,
              BoshSavedData  *self,
              GError        **error)
{
  BoshSessionSnapshot *saved = self->saved;
  guint64 version = FORMAT_VERSION;
  guint64 rid = 0;

  if (!read_number (object, "version", 0, G_MAXINT64, &version, error))
    return FALSE;
  if (version != FORMAT_VERSION)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA,
                           _("The saved session has a format that is not known"));
      return FALSE;
    }

  if (!read_identity (object, self, error) ||
      !read_rid (object, &rid, error) ||
      !read_granted (object, saved, error) ||
      !read_unanswered (object, saved, error) ||
      !read_streams (object, saved, error) ||
      !read_stanzas (object, "unsent", bosh_session_snapshot_add_unsent, saved, error) ||
      !read_stanzas (object, "received", bosh_session_snapshot_add_received, saved, error) ||
      !read_key_sequence (object, saved, error) ||
      !read_cookies (object, &self->cookies, error))
    return FALSE;

  saved->next_rid = rid;
  if (saved->unanswered->len > 0)
    {
      guint last = saved->unanswered->len - 1;

      if (bosh_session_snapshot_get_first_rid (saved) != rid)
        return set_invalid (error, "rid");
      rid = g_array_index (saved->unanswered, BoshSnapshotRequest, last).rid + 1;
      saved->next_rid = rid;
    }
  /* One above the last number where that was used: then there is no next. */
  if (!read_number (object, "next-rid", rid, MAX (rid, BOSH_MAX_RID), &saved->next_rid, error))
    return FALSE;
  if (saved->unanswered->len == 0 && saved->next_rid != rid)
    return set_invalid (error, "next-rid");

  return TRUE;
}

gboolean
bosh_saved_data_read_json (BoshSavedData  *self,
                           const char     *json,
                           GError        **error)
{
  g_autoptr(JsonObject) object = parse_json (json, error);

  return object != NULL && read_session (object, self, error);
}
