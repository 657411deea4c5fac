/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-saved-session-private.h"

#include <string.h>

#include "bosh-body-private.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-jid-private.h"
#include "bosh-limits-private.h"
#include "bosh-saved-session-json-private.h"
#include "bosh-secret-clear-private.h"
#include "bosh-uri-private.h"
#include "bosh-xml-text-private.h"

/* What is assumed where another program did not say what the server granted: the values
 * that servers have most often, chosen so that they do no harm. */
#define DEFAULT_WAIT 60
#define DEFAULT_HOLD 1
#define DEFAULT_REQUESTS 2
#define DEFAULT_INACTIVITY 60
#define DEFAULT_POLLING 5

/**
 * BoshSavedSession:
 *
 * Everything that is needed to go on with a session in another object, in another
 * process, or in a web page.
 *
 * It comes from [method@Bosh.Connection.save], from
 * [method@Bosh.Connection.detach_async] or [method@Bosh.Client.detach_async], from JSON
 * ([ctor@Bosh.SavedSession.new_from_json]), or from the values that another program
 * gives ([ctor@Bosh.SavedSession.new], or properties). The session goes on with
 * [method@Bosh.Connection.attach_async] or [method@Bosh.Client.attach_async]. A saved
 * session never changes.
 *
 * A session has one owner at a time. As soon as another one has attached, the object and
 * its JSON are out of date and should be thrown away.
 *
 * ## Properties
 *
 * URI, JID, session id and request id can be given as properties:
 *
 * ```c
 * session = g_object_new (BOSH_TYPE_SAVED_SESSION,
 *                         "uri", "https://example.org:5281/http-bind",
 *                         "jid", "alice@example.org/web",
 *                         "session-id", sid,
 *                         "request-id", rid,
 *                         NULL);
 * ```
 *
 * What else the server granted is not known then, so cautious values take its place:
 * two requests, one of them held, for at most 60 seconds, 60 seconds of inactivity,
 * 5 seconds between two polls, no pause, no acknowledgements and no key sequence.
 * Values that can't name a session show as `BOSH_ERROR_INVALID_DATA` when it is attached,
 * or earlier in [method@Bosh.SavedSession.validate].
 *
 * ## Secrets
 *
 * The session id lets anybody use the session, so a saved session and its JSON are as
 * secret as a password: give a file with it the mode 0600, and keep it out of logs.
 *
 * ## The JSON
 *
 * The text of [method@Bosh.SavedSession.to_json] is one object. Converse.js
 * and Strophe.js attach with its members `jid`, `sid` and `rid`; they can't
 * go on with a session that has a key sequence
 * ([method@Bosh.SavedSession.has_key_sequence]). Characters that are not printable are
 * escaped, because the server has chosen some of the text, and might deceive the reader
 * of a terminal with them.
 *
 * | member | meaning |
 * | --- | --- |
 * | `version` | 1, the version of this format |
 * | `uri` | the URI of the connection manager |
 * | `domain` | the XMPP domain |
 * | `jid` | the JID that was bound, absent before a login |
 * | `sid` | the session id (XEP-0124 §7.2) |
 * | `rid` | the number of the request to send first (XEP-0124 §14.1) |
 * | `open-request` | whether a request is open, so that the first one must be empty |
 * | `next-rid` | the first number that was never sent |
 * | `wait`, `inactivity`, `polling`, `maxpause` | seconds that the server granted |
 * | `hold`, `requests` | requests that the server granted |
 * | `ver` | the version of XEP-0124 that the server named |
 * | `language` | the `xml:lang` of the session |
 * | `acknowledges`, `acknowledging` | who sends acknowledgements (XEP-0124 §9): the server, the client |
 * | `sorts` | whether the server certainly processes requests by their numbers, also if they overtake each other |
 * | `unanswered` | the requests without a response: their `rid`, their `body` as it was sent, and whether it has a `payload` that is not known to have arrived |
 * | `unsent` | stanzas that were not sent yet: XML, or an object with the `stanza` and its `stream`, which is empty for all streams |
 * | `received` | stanzas that arrived and were not handed out yet, in the same form |
 * | `accept` | codings of requests that the server accepts (XEP-0124 §7.2) |
 * | `streams`, `opening` | if the server supports several streams (XEP-0124 §16): the `name` of each, in order, and whether it is `closed`; and how many were requested and have no name yet |
 * | `key-sequence` | `seed`, `length` and `position` of the keys (XEP-0124 §15) |
 * | `cookies` | cookies of the connection manager, as in `Set-Cookie` |
 *
 * Since: 1.0
 */
struct _BoshSavedSession
{
  GObject parent_instance;

  /* Normalised if it is valid, else as it was given. */
  char *uri;
  char *jid;
  GStrv cookies;
  BoshSessionSnapshot *snapshot;
};

enum
{
  PROP_0,
  PROP_URI,
  PROP_DOMAIN,
  PROP_JID,
  PROP_SESSION_ID,
  PROP_REQUEST_ID,
  PROP_HAS_KEY_SEQUENCE,
  PROP_HAS_OPEN_REQUEST,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (BoshSavedSession, bosh_saved_session, G_TYPE_OBJECT)

static void
take_uri (BoshSavedSession *self,
          const char       *text)
{
  g_autoptr(GUri) uri = text != NULL ? bosh_uri_parse_http (text, NULL, NULL) : NULL;

  self->uri = uri != NULL ? g_uri_to_string (uri) : g_strdup (text);
}

/* @domain: (transfer full) */
static void
take_domain (BoshSavedSession *self,
             char             *domain)
{
  g_autofree char *given = domain;

  g_free (self->snapshot->domain);
  self->snapshot->domain = bosh_domain_dup_prepared (given);
}

static void
take_jid (BoshSavedSession *self,
          const char       *jid)
{
  self->jid = g_strdup (jid);
  if (jid != NULL)
    take_domain (self, bosh_jid_dup_domain (jid));
}

static void
bosh_saved_session_finalize (GObject *object)
{
  BoshSavedSession *self = BOSH_SAVED_SESSION (object);

  g_free (self->uri);
  g_free (self->jid);
  g_strfreev (self->cookies);
  bosh_session_snapshot_free (self->snapshot);

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
      g_value_set_string (value, self->uri);
      break;
    case PROP_DOMAIN:
      g_value_set_string (value, self->snapshot->domain);
      break;
    case PROP_JID:
      g_value_set_string (value, self->jid);
      break;
    case PROP_SESSION_ID:
      g_value_set_string (value, self->snapshot->session_id);
      break;
    case PROP_REQUEST_ID:
      g_value_set_uint64 (value, bosh_saved_session_get_request_id (self));
      break;
    case PROP_HAS_KEY_SEQUENCE:
      g_value_set_boolean (value, bosh_saved_session_has_key_sequence (self));
      break;
    case PROP_HAS_OPEN_REQUEST:
      g_value_set_boolean (value, bosh_saved_session_has_open_request (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

/* What can be written is construct-only, so each is set once, on a new object. */
static void
bosh_saved_session_set_property (GObject      *object,
                                 guint         prop_id,
                                 const GValue *value,
                                 GParamSpec   *pspec)
{
  BoshSavedSession *self = BOSH_SAVED_SESSION (object);

  switch (prop_id)
    {
    case PROP_URI:
      take_uri (self, g_value_get_string (value));
      break;
    case PROP_JID:
      take_jid (self, g_value_get_string (value));
      break;
    case PROP_SESSION_ID:
      self->snapshot->session_id = g_value_dup_string (value);
      break;
    case PROP_REQUEST_ID:
      self->snapshot->next_rid = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

#define READABLE (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)
#define CONSTRUCT_ONLY (G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS)

static void
bosh_saved_session_class_init (BoshSavedSessionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = bosh_saved_session_finalize;
  object_class->get_property = bosh_saved_session_get_property;
  object_class->set_property = bosh_saved_session_set_property;

  /**
   * BoshSavedSession:uri:
   *
   * The URI of the connection manager, `http` or `https`.
   *
   * Since: 1.0
   */
  properties[PROP_URI] =
    g_param_spec_string ("uri", NULL, NULL, NULL, CONSTRUCT_ONLY);

  /**
   * BoshSavedSession:domain:
   *
   * The XMPP domain of the session, prepared as that of [property@Bosh.Connection:domain].
   * Where only a JID was given it is that of the JID.
   *
   * Since: 1.0
   */
  properties[PROP_DOMAIN] =
    g_param_spec_string ("domain", NULL, NULL, NULL, READABLE);

  /**
   * BoshSavedSession:jid:
   *
   * The full JID that was bound, or `NULL` if nobody had logged in.
   *
   * Since: 1.0
   */
  properties[PROP_JID] =
    g_param_spec_string ("jid", NULL, NULL, NULL, CONSTRUCT_ONLY);

  /**
   * BoshSavedSession:session-id:
   *
   * The session id of XEP-0124 §7.2: a secret.
   *
   * Since: 1.0
   */
  properties[PROP_SESSION_ID] =
    g_param_spec_string ("session-id", NULL, NULL, NULL, CONSTRUCT_ONLY);

  /**
   * BoshSavedSession:request-id:
   *
   * The number of the request to send first (XEP-0124 §14.1), from 1 to
   * 9007199254740991.
   *
   * If requests have no response yet, it is the number of the oldest of them, which is
   * to be sent again: the server then gives the response that was under way, and nothing
   * is lost. Otherwise it is the next number.
   *
   * Since: 1.0
   */
  properties[PROP_REQUEST_ID] =
    g_param_spec_uint64 ("request-id", NULL, NULL, 0, G_MAXUINT64, 0, CONSTRUCT_ONLY);

  /**
   * BoshSavedSession:has-key-sequence:
   *
   * Whether requests of the session carry a key sequence (XEP-0124 §15).
   *
   * Only this library can go on with such a session: JavaScript libraries for web pages
   * do not know the keys.
   *
   * Since: 1.0
   */
  properties[PROP_HAS_KEY_SEQUENCE] =
    g_param_spec_boolean ("has-key-sequence", NULL, NULL, FALSE, READABLE);

  /**
   * BoshSavedSession:has-open-request:
   *
   * Whether a request of the session has no response yet.
   *
   * Then the first request of the next owner counts as that one sent again (XEP-0124
   * §14.3), and the server does not look at what is in it: a page that goes on with the
   * session must send an empty one first. This library does so by itself. Otherwise the
   * first request may hold anything. After [method@Bosh.Client.prebind_async] no request
   * is open.
   *
   * Since: 1.0
   */
  properties[PROP_HAS_OPEN_REQUEST] =
    g_param_spec_boolean ("has-open-request", NULL, NULL, FALSE, READABLE);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
bosh_saved_session_init (BoshSavedSession *self)
{
  self->snapshot = bosh_session_snapshot_new ();
  self->snapshot->wait = DEFAULT_WAIT;
  self->snapshot->hold = DEFAULT_HOLD;
  self->snapshot->requests = DEFAULT_REQUESTS;
  self->snapshot->inactivity = DEFAULT_INACTIVITY;
  self->snapshot->polling = DEFAULT_POLLING;
}

/**
 * bosh_saved_session_new:
 * @uri: the URI of the connection manager, `http` or `https`
 * @jid: the full JID that is logged in
 * @session_id: the session id
 * @request_id: the number of the request to send first, from 1 to
 *   9007199254740991
 * @error: return location for an error
 *
 * Creates a saved session of the values that another program gives, for example a web
 * server that logs in for a page ("prebind").
 *
 * Returns: (transfer full): a new saved session, or `NULL` with
 *   `BOSH_ERROR_INVALID_DATA` if a value can't be right
 *
 * Since: 1.0
 */
BoshSavedSession *
bosh_saved_session_new (const char  *uri,
                        const char  *jid,
                        const char  *session_id,
                        guint64      request_id,
                        GError     **error)
{
  g_autoptr(BoshSavedSession) self = NULL;

  g_return_val_if_fail (uri != NULL, NULL);
  g_return_val_if_fail (jid != NULL, NULL);
  g_return_val_if_fail (session_id != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (BOSH_TYPE_SAVED_SESSION,
                       "uri", uri,
                       "jid", jid,
                       "session-id", session_id,
                       "request-id", request_id,
                       NULL);

  return bosh_saved_session_validate (self, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * bosh_saved_session_new_from_json:
 * @json: the text of [method@Bosh.SavedSession.to_json], or of another
 *   program
 * @error: return location for an error
 *
 * Reads a saved session from JSON.
 *
 * The members `uri`, `jid`, `sid` and `rid` are enough; the others then have cautious
 * values. `rid` may be a string of digits. Unknown members are ignored. Everything else
 * is checked, because much of it is sent to the server as it is.
 *
 * Returns: (transfer full): a new saved session, or `NULL` with
 *   `BOSH_ERROR_INVALID_DATA`
 *
 * Since: 1.0
 */
BoshSavedSession *
bosh_saved_session_new_from_json (const char  *json,
                                  GError     **error)
{
  g_autoptr(BoshSavedSession) self = NULL;
  g_autofree char *uri = NULL;

  g_return_val_if_fail (json != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (BOSH_TYPE_SAVED_SESSION, NULL);
  if (!bosh_saved_session_read_json (json, self->snapshot, &uri, &self->jid, &self->cookies,
                                     error))
    return NULL;

  take_uri (self, uri);
  if (self->snapshot->domain != NULL)
    take_domain (self, g_strdup (self->snapshot->domain));
  else if (self->jid != NULL)
    take_domain (self, bosh_jid_dup_domain (self->jid));

  return bosh_saved_session_validate (self, error) ? g_steal_pointer (&self) : NULL;
}

BoshSavedSession *
bosh_saved_session_new_from_snapshot (const char          *uri,
                                      const char          *jid,
                                      BoshSessionSnapshot *snapshot,
                                      const char * const  *cookies)
{
  BoshSavedSession *self = g_object_new (BOSH_TYPE_SAVED_SESSION, "uri", uri, "jid", jid, NULL);

  bosh_session_snapshot_free (self->snapshot);
  self->snapshot = snapshot;
  if (snapshot->domain == NULL)
    snapshot->domain = g_strdup ("");
  self->cookies = g_strdupv ((GStrv)cookies);

  return self;
}

/* The name of the property that can't be right, or NULL. A connection without a domain
 * has sessions with an empty one. */
static const char *
find_fault (BoshSavedSession *self)
{
  const BoshSessionSnapshot *snapshot = self->snapshot;
  const char *id = snapshot->session_id;
  guint64 rid = bosh_saved_session_get_request_id (self);
  g_autoptr(GUri) uri = self->uri != NULL ? bosh_uri_parse_http (self->uri, NULL, NULL) : NULL;

  if (uri == NULL)
    return "uri";
  if (self->jid != NULL &&
      (strlen (self->jid) > BOSH_JID_MAX_LENGTH || !bosh_xml_is_valid_text (self->jid, -1)))
    return "jid";
  if (snapshot->domain == NULL || (self->jid != NULL && snapshot->domain[0] == '\0'))
    return "jid";
  if (id == NULL || id[0] == '\0' || strlen (id) > BOSH_SESSION_MAX_NAME_LENGTH ||
      !bosh_xml_is_valid_text (id, -1))
    return "session-id";
  if (rid == 0 || rid > BOSH_MAX_RID)
    return "request-id";

  return NULL;
}

/**
 * bosh_saved_session_validate:
 * @self: a saved session
 * @error: return location for an error
 *
 * Checks that URI, JID, session id and request id can name a session.
 *
 * A session that comes from this library is valid, and so is what was read from JSON.
 * The values are checked again when the session is attached.
 *
 * Returns: `TRUE`, or `FALSE` with `BOSH_ERROR_INVALID_DATA`
 *
 * Since: 1.0
 */
gboolean
bosh_saved_session_validate (BoshSavedSession  *self,
                             GError           **error)
{
  const char *fault;

  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  fault = find_fault (self);
  if (fault == NULL)
    return TRUE;

  g_set_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA,
               _("The “%s” of the saved session is not valid"), fault);

  return FALSE;
}

/**
 * bosh_saved_session_to_json:
 * @self: a saved session
 *
 * Writes the session as JSON, without line breaks, with its members always in the same
 * order; see the description of the class for them.
 *
 * The text contains secrets: store it in a file of mode 0600.
 *
 * Returns: (transfer full): the JSON
 *
 * Since: 1.0
 */
char *
bosh_saved_session_to_json (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), NULL);

  return bosh_saved_session_write_json (self->uri, self->jid, self->snapshot,
                                        (const char * const *)self->cookies);
}

const BoshSessionSnapshot *
bosh_saved_session_get_snapshot (BoshSavedSession *self)
{
  return self->snapshot;
}

const char * const *
bosh_saved_session_get_cookies (BoshSavedSession *self)
{
  return (const char * const *)self->cookies;
}

/**
 * bosh_saved_session_get_uri:
 * @self: a saved session
 *
 * Gets [property@Bosh.SavedSession:uri].
 *
 * Returns: (nullable): the URI of the connection manager
 *
 * Since: 1.0
 */
const char *
bosh_saved_session_get_uri (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), NULL);

  return self->uri;
}

/**
 * bosh_saved_session_get_domain:
 * @self: a saved session
 *
 * Gets [property@Bosh.SavedSession:domain].
 *
 * Returns: (nullable): the XMPP domain
 *
 * Since: 1.0
 */
const char *
bosh_saved_session_get_domain (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), NULL);

  return self->snapshot->domain;
}

/**
 * bosh_saved_session_get_jid:
 * @self: a saved session
 *
 * Gets [property@Bosh.SavedSession:jid].
 *
 * Returns: (nullable): the JID that was bound
 *
 * Since: 1.0
 */
const char *
bosh_saved_session_get_jid (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), NULL);

  return self->jid;
}

/**
 * bosh_saved_session_get_session_id:
 * @self: a saved session
 *
 * Gets [property@Bosh.SavedSession:session-id].
 *
 * Returns: (nullable): the session id
 *
 * Since: 1.0
 */
const char *
bosh_saved_session_get_session_id (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), NULL);

  return self->snapshot->session_id;
}

/**
 * bosh_saved_session_get_request_id:
 * @self: a saved session
 *
 * Gets [property@Bosh.SavedSession:request-id].
 *
 * Returns: the number of the request to send first
 *
 * Since: 1.0
 */
guint64
bosh_saved_session_get_request_id (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), 0);

  return bosh_session_snapshot_get_first_rid (self->snapshot);
}

/**
 * bosh_saved_session_has_key_sequence:
 * @self: a saved session
 *
 * Gets [property@Bosh.SavedSession:has-key-sequence].
 *
 * Returns: `TRUE` if there is a key sequence
 *
 * Since: 1.0
 */
gboolean
bosh_saved_session_has_key_sequence (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), FALSE);

  return self->snapshot->key_seed != NULL;
}

/**
 * bosh_saved_session_has_open_request:
 * @self: a saved session
 *
 * Gets [property@Bosh.SavedSession:has-open-request].
 *
 * Returns: `TRUE` if a request is open
 *
 * Since: 1.0
 */
gboolean
bosh_saved_session_has_open_request (BoshSavedSession *self)
{
  g_return_val_if_fail (BOSH_IS_SAVED_SESSION (self), FALSE);

  return self->snapshot->unanswered->len > 0;
}
