/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-saved-session-private.h"

#include "bosh-body-private.h"
#include "bosh-saved-data-private.h"

/**
 * BoshSavedSession:
 *
 * A session that was handed over: everything that is needed to go on with it in
 * another object, in another process, or in a web page.
 *
 * It comes from [method@Bosh.Connection.detach_async],
 * [method@Bosh.Client.detach_async] or [method@Bosh.Client.prebind_async], from
 * JSON that one of these gave ([ctor@Bosh.SavedSession.new_from_json]), or
 * from another program ([ctor@Bosh.SavedSession.new]), and it is taken up
 * with [method@Bosh.Connection.attach_async] or
 * [method@Bosh.Client.attach_async]. A saved session never changes.
 *
 * A session has one owner. Once it was taken up, here or elsewhere, the object
 * and its JSON are out of date and should be thrown away.
 *
 * ## Secrets
 *
 * Whoever has the session id can use the session, so a saved session and its
 * JSON are as secret as a password: give a file with it the mode 0600, show it
 * to nobody, and keep it out of logs.
 *
 * ## The JSON
 *
 * The text of [method@Bosh.SavedSession.to_json] is one object. Converse.js
 * and Strophe.js attach with its members `jid`, `sid` and `rid`; they can't
 * go on with a session that has a key sequence
 * ([method@Bosh.SavedSession.has_key_sequence]).
 *
 * | member | what it is |
 * | --- | --- |
 * | `version` | 1, the version of this format |
 * | `uri` | the URI of the connection manager |
 * | `domain` | the XMPP domain |
 * | `jid` | the JID that was bound, absent before a login |
 * | `sid` | the session id (XEP-0124 §7.2) |
 * | `rid` | the number of the request to send first (XEP-0124 §14.1) |
 * | `next-rid` | the first number that was never sent |
 * | `wait`, `inactivity`, `polling`, `maxpause` | seconds that the server granted |
 * | `hold`, `requests` | requests that the server granted |
 * | `ver` | the version of XEP-0124 that the server named |
 * | `language` | the `xml:lang` of the session |
 * | `acknowledges`, `acknowledging` | who sends acknowledgements (XEP-0124 §9): the server, the client |
 * | `unanswered` | the requests without an answer: their `rid`, their `body` as it was sent, and whether it has a `payload` |
 * | `unsent` | stanzas that were not sent yet: XML, or an object of the `stanza` and its `stream`, which is empty for all |
 * | `received` | stanzas that arrived and were not handed out yet, in the same form |
 * | `accept` | codings of requests that the server takes (XEP-0124 §7.2) |
 * | `streams`, `opening` | where the server supports several (XEP-0124 §16): the `name` of each and whether it is `closed`, the first at first; and how many were asked for and have no name yet |
 * | `key-sequence` | `seed`, `length` and `position` of the keys (XEP-0124 §15) |
 * | `cookies` | cookies of the connection manager, as in `Set-Cookie` |
 *
 * Since: 1.0
 */

struct _BoshSavedSession
{
  GObject          parent_instance;

  BoshSavedData data;
};

enum
{
  PROP_0,
  PROP_URI,
  PROP_DOMAIN,
  PROP_JID,
  PROP_SESSION_ID,
  PROP_REQUEST_ID,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (BoshSavedSession, bosh_saved_session, G_TYPE_OBJECT)

static void
bosh_saved_session_finalize (GObject *object)
{
  BoshSavedSession *self = BOSH_SAVED_SESSION (object);

  bosh_saved_data_clear (&self->data);

  G_OBJECT_CLASS (bosh_saved_session_parent_class)->finalize (object);
}

static void
bosh_saved_session_get_property (GObject    *object,
                                 guint       prop_id,
                                 GValue     *value,
                                 GParamSpec *pspec)
{
  BoshSavedSession *self = BOSH_SAVED_SESSION (object);

  switch (prop_id)
    {
    case PROP_URI:
      g_value_set_string (value, bosh_saved_session_get_uri (self));
      break;
    case PROP_DOMAIN:
      g_value_set_string (value, bosh_saved_session_get_domain (self));
      break;
    case PROP_JID:
      g_value_set_string (value, bosh_saved_session_get_jid (self));
      break;
    case PROP_SESSION_ID:
      g_value_set_string (value, bosh_saved_session_get_session_id (self));
      break;
    case PROP_REQUEST_ID:
      g_value_set_uint64 (value, bosh_saved_session_get_request_id (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
bosh_saved_session_class_init (BoshSavedSessionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = bosh_saved_session_finalize;
  object_class->get_property = bosh_saved_session_get_property;

  /**
   * BoshSavedSession:uri:
   *
   * The URI of the connection manager, `http` or `https`.
   *
   * Since: 1.0
   */
  properties[PROP_URI] =
    g_param_spec_string ("uri", NULL, NULL, NULL,
                         (G_PARAM_READABLE |
                          G_PARAM_STATIC_STRINGS));

  /**
   * BoshSavedSession:domain:
   *
   * The XMPP domain that the session is with.
   *
   * Since: 1.0
   */
  properties[PROP_DOMAIN] =
    g_param_spec_string ("domain", NULL, NULL, NULL,
                         (G_PARAM_READABLE |
                          G_PARAM_STATIC_STRINGS));

  /**
   * BoshSavedSession:jid:
   *
   * The full JID that was bound, or `NULL` where nobody had logged in.
   *
   * Since: 1.0
   */
  properties[PROP_JID] =
    g_param_spec_string ("jid", NULL, NULL, NULL,
                         (G_PARAM_READABLE |
                          G_PARAM_STATIC_STRINGS));

  /**
   * BoshSavedSession:session-id:
   *
   * The session id of XEP-0124 §7.2: a secret.
   *
   * Since: 1.0
   */
  properties[PROP_SESSION_ID] =
    g_param_spec_string ("session-id", NULL, NULL, NULL,
                         (G_PARAM_READABLE |
                          G_PARAM_STATIC_STRINGS));

  /**
   * BoshSavedSession:request-id:
   *
   * The number of the request to send first (XEP-0124 §14.1), from 1 to
   * 9007199254740991.
   *
   * Where a request has no answer yet, it is the number of the oldest such
   * request, which is to be repeated: the server then gives the answer that
   * was under way, and nothing is lost. Else it is the next number.
   *
   * Since: 1.0
   */
  properties[PROP_REQUEST_ID] =
    g_param_spec_uint64 ("request-id", NULL, NULL, 0, BOSH_MAX_RID, 0,
                         (G_PARAM_READABLE |
                          G_PARAM_STATIC_STRINGS));

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
bosh_saved_session_init (BoshSavedSession *self)
{
  /* Bindings can make an object without a constructor: it names no session. */
  bosh_saved_data_init (&self->data, "", "", "", 0);
}

/**
 * bosh_saved_session_new_from_json:
 * @json: the text of [method@Bosh.SavedSession.to_json], or of another
 *   program
 * @error: return location for a [struct@GLib.Error]
 *
 * Reads a saved session from JSON.
 *
 * Four members are enough: `uri`, `jid`, `sid` and `rid`; what is missing
 * besides takes cautious values. `rid` may be a string of digits. Members that
 * are not known are ignored. Everything else is checked, because much of it is
 * sent to the server as it is; data that does not pass gives
 * `BOSH_ERROR_INVALID_DATA`.
 *
 * Returns: (transfer full): a new saved session, or `NULL` on error
 *
 * Since: 1.0
 */
BoshSavedSession *
bosh_saved_session_new_from_json (const char  *json,
                                  GError     **error)
{
  g_autoptr(BoshSavedSession) self = NULL;

  g_return_val_if_fail (json != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (BOSH_TYPE_SAVED_SESSION, NULL);
  bosh_saved_data_clear (&self->data);
  bosh_saved_data_init (&self->data, NULL, NULL, NULL, 0);
  if (!bosh_saved_data_read_json (&self->data, json, error))
    return NULL;

  return g_steal_pointer (&self);
}

/**
 * bosh_saved_session_new:
 * @uri: the URI of the connection manager, `http` or `https`
 * @jid: the full JID that is logged in
 * @session_id: the session id, not empty
 * @request_id: the number of the request to send first, from 1 to
 *   9007199254740991
 *
 * Makes a saved session of the values that another program gives who logged
 * in, as a web server does for a page ("prebind").
 *
 * The domain is that of the JID. What else the server granted is not known,
 * so cautious values take its place: two requests, one of them held, for at
 * most 60 seconds, 60 seconds of inactivity, 5 seconds between two polls, no
 * pause, no acknowledgements and no key sequence.
 *
 * Returns: (transfer full): a new saved session
 *
 * Since: 1.0
 */
BoshSavedSession *
bosh_saved_session_new (const char *uri,
                        const char *jid,
                        const char *session_id,
                        guint64     request_id)
{
  BoshSavedSession *self;

  g_return_val_if_fail (uri != NULL, NULL);
  g_return_val_if_fail (jid != NULL, NULL);
  g_return_val_if_fail (session_id != NULL && session_id[0] != '\0', NULL);
  g_return_val_if_fail (request_id > 0 && request_id <= BOSH_MAX_RID, NULL);

  self = g_object_new (BOSH_TYPE_SAVED_SESSION, NULL);
  bosh_saved_data_clear (&self->data);
  bosh_saved_data_init (&self->data, uri, jid, session_id, request_id);

  return self;
}

/**
 * bosh_saved_session_to_json:
 * @self: a saved session
 *
 * Writes the session as JSON, without line breaks, with its members always in
 * the same order; see the description of the class for them.
 *
 * The text has secrets in it: store it in a file of mode 0600.
 *
 * Returns: (transfer full): the JSON
 *
 * Since: 1.0
 */
char *
bosh_saved_session_to_json (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), NULL);

  return bosh_saved_data_to_json (&self->data);
}

BoshSavedSession *
bosh_saved_session_new_from_saved (const char          *uri,
                                   const char          *jid,
                                   BoshSessionSnapshot *saved,
                                   const char * const  *cookies)
{
  BoshSavedSession *self = g_object_new (BOSH_TYPE_SAVED_SESSION, NULL);

  bosh_saved_data_clear (&self->data);
  self->data.uri = g_strdup (uri);
  self->data.jid = g_strdup (jid);
  self->data.saved = saved;
  self->data.cookies = cookies != NULL ? g_strdupv ((GStrv)cookies) : g_new0 (char *, 1);

  return self;
}

const BoshSessionSnapshot *
bosh_saved_session_get_saved (BoshSavedSession *self)
{
  return self->data.saved;
}

const char * const *
bosh_saved_session_get_cookies (BoshSavedSession *self)
{
  return (const char * const *)self->data.cookies;
}

/**
 * bosh_saved_session_get_uri:
 * @self: a saved session
 *
 * Gets the value of [property@Bosh.SavedSession:uri].
 *
 * Returns: the URI of the connection manager
 *
 * Since: 1.0
 */
const char *
bosh_saved_session_get_uri (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), NULL);

  return self->data.uri;
}

/**
 * bosh_saved_session_get_domain:
 * @self: a saved session
 *
 * Gets the value of [property@Bosh.SavedSession:domain].
 *
 * Returns: the XMPP domain
 *
 * Since: 1.0
 */
const char *
bosh_saved_session_get_domain (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), NULL);

  return self->data.saved->domain;
}

/**
 * bosh_saved_session_get_jid:
 * @self: a saved session
 *
 * Gets the value of [property@Bosh.SavedSession:jid].
 *
 * Returns: (nullable): the JID that was bound
 *
 * Since: 1.0
 */
const char *
bosh_saved_session_get_jid (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), NULL);

  return self->data.jid;
}

/**
 * bosh_saved_session_get_session_id:
 * @self: a saved session
 *
 * Gets the value of [property@Bosh.SavedSession:session-id].
 *
 * Returns: the session id
 *
 * Since: 1.0
 */
const char *
bosh_saved_session_get_session_id (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), NULL);

  return self->data.saved->session_id;
}

/**
 * bosh_saved_session_get_request_id:
 * @self: a saved session
 *
 * Gets the value of [property@Bosh.SavedSession:request-id].
 *
 * Returns: the number of the request to send first
 *
 * Since: 1.0
 */
guint64
bosh_saved_session_get_request_id (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), 0);

  return bosh_session_snapshot_get_first_rid (self->data.saved);
}

/**
 * bosh_saved_session_has_key_sequence:
 * @self: a saved session
 *
 * Tells whether requests of the session carry a key sequence (XEP-0124 §15).
 *
 * Such a session can be taken up with this library only: JavaScript libraries
 * for web pages do not know the keys.
 *
 * Returns: `TRUE` if there is a key sequence
 *
 * Since: 1.0
 */
gboolean
bosh_saved_session_has_key_sequence (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), FALSE);

  return self->data.saved->key_seed != NULL;
}
