/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-connection-configuration-private.h"

#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-key-sequence-private.h"
#include "bosh-limits-private.h"
#include "bosh-secret-clear-private.h"
#include "bosh-uri-private.h"

#include <string.h>

/* XEP-0124 §20. */
#define DEFAULT_PORT 5280
#define DEFAULT_SECURE_PORT 5281
#define DEFAULT_PATH "/http-bind/"
#define DEFAULT_CONTENT_TYPE "text/xml; charset=utf-8"
#define DEFAULT_USER_AGENT "bosh-glib/" PACKAGE_VERSION

/* Less than the 60 seconds after which common proxies give up. */
#define DEFAULT_WAIT 55
#define DEFAULT_HOLD 1
#define DEFAULT_CONNECT_TIMEOUT 30
#define MAX_CONNECT_TIMEOUT 3600
#define DEFAULT_REQUEST_SIZE (512 * 1024)
#define DEFAULT_RESPONSE_SIZE (8 * 1024 * 1024)

enum
{
  PROP_0,
  PROP_URI,
  PROP_HOSTNAME,
  PROP_PORT,
  PROP_PATH,
  PROP_SECURE,
  PROP_WAIT,
  PROP_HOLD,
  PROP_ROUTE,
  PROP_FROM_JID,
  PROP_LANGUAGE,
  PROP_USE_KEY_SEQUENCE,
  PROP_KEY_SEQUENCE_LENGTH,
  PROP_USE_ACKNOWLEDGEMENTS,
  PROP_COMPRESS_REQUESTS,
  PROP_PAUSE_ON_DETACH,
  PROP_REQUEST_CONTENT_TYPE,
  PROP_RESPONSE_CONTENT_TYPE,
  PROP_USER_AGENT,
  PROP_HTTP_USERNAME,
  PROP_HTTP_PASSWORD,
  PROP_REQUEST_HEADERS,
  PROP_CONNECT_TIMEOUT,
  PROP_PROXY_RESOLVER,
  PROP_PROXY_USERNAME,
  PROP_PROXY_PASSWORD,
  PROP_TLS_DATABASE,
  PROP_TLS_CERTIFICATE,
  PROP_MAX_REQUEST_SIZE,
  PROP_MAX_RESPONSE_SIZE,
  N_PROPS
};

/**
 * BoshConnectionConfiguration:
 *
 * Where a connection manager is, and how to talk to it.
 *
 * [ctor@Bosh.ConnectionConfiguration.new] is enough where only the URI matters.
 * Other settings are properties, which are given to `g_object_new()` together with
 * the URI, or to the constructor of the language in use:
 *
 * ```c
 * configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
 *                               "uri", "https://example.org:5281/http-bind",
 *                               "wait", 30,
 *                               NULL);
 * ```
 *
 * A URI that can't be used does no harm until it is used: connecting then fails
 * with `BOSH_ERROR_INVALID_URI`. [method@Bosh.ConnectionConfiguration.validate]
 * tells earlier.
 *
 * A configuration never changes, so any number of connections can share it, also
 * between threads.
 *
 * Since: 1.0
 */
struct _BoshConnectionConfiguration
{
  GObject parent_instance;

  /* The settings, each at the number of its property; unset for the parts of the URI. */
  GValue values[N_PROPS];

  /* The URI taken apart; both are NULL if there is none or it can't be used. */
  GUri *address;
  char *path;
  /* Those of the URI, until the object is made; nullable. */
  char *username;
  char *password;
  BoshRequestHeaders *headers;
  /* Why the URI or the headers can't be used, or NULL. */
  GError *fault;
};

G_DEFINE_FINAL_TYPE (BoshConnectionConfiguration, bosh_connection_configuration, G_TYPE_OBJECT)

static GParamSpec *properties[N_PROPS];

/* Clears a text of ours. */
static void
clear_string (const char *text)
{
  if (text != NULL)
    explicit_bzero ((char *)text, strlen (text));
}

/* Clears the value of a property that can't be read. */
static void
clear_secret (GValue *value)
{
  if (G_VALUE_HOLDS_STRING (value))
    clear_string (g_value_get_string (value));
  else
    for (char **lines = g_value_get_boxed (value); lines != NULL && *lines != NULL; lines++)
      clear_string (*lines);
}

/* @userinfo: (transfer full) (nullable) */
static void
take_userinfo (BoshConnectionConfiguration *self,
               char                        *userinfo)
{
  char *colon = userinfo != NULL ? strchr (userinfo, ':') : NULL;

  if (userinfo == NULL)
    return;

  if (colon != NULL)
    *colon = '\0';
  /* What is not encoded rightly was refused with the URI. */
  self->username = g_uri_unescape_string (userinfo, NULL);
  if (colon != NULL)
    {
      self->password = g_uri_unescape_string (colon + 1, NULL);
      *colon = ':';
    }
  bosh_secret_clear (&userinfo);
}

/* Takes the URI apart and normalises it. One that can't be used stays as it is, but for
 * what may be a password. */
static void
read_uri (BoshConnectionConfiguration *self)
{
  GValue *value = &self->values[PROP_URI];
  const char *given = g_value_get_string (value);
  char *userinfo = NULL;
  const char *query;

  if (given == NULL)
    return;

  self->address = bosh_uri_parse_http_with_userinfo (given, &userinfo, &self->fault);
  take_userinfo (self, userinfo);
  if (self->address == NULL)
    {
      char *stripped = bosh_uri_strip_userinfo (given);

      clear_string (given);
      g_value_take_string (value, stripped);
      return;
    }

  clear_string (given);
  g_value_take_string (value, g_uri_to_string (self->address));
  query = g_uri_get_query (self->address);
  self->path = g_strconcat (g_uri_get_path (self->address),
                            query != NULL ? "?" : NULL, query, NULL);
}

static gboolean
is_content_type (const char *value)
{
  return bosh_request_headers_is_value (value) && strchr (value, '/') != NULL;
}

/* The default takes the place of NULL, and of what a header can't have. */
static void
set_header (GValue     *value,
            gboolean  (*is_valid) (const char *text),
            const char *fallback)
{
  const char *text = g_value_get_string (value);
  gboolean is_header_value = text == NULL || is_valid (text);

  if (text == NULL || !is_header_value)
    g_value_set_static_string (value, fallback);

  g_return_if_fail (is_header_value);
}

/* What is given as a property goes before what the URI has. */
static void
bosh_connection_configuration_constructed (GObject *object)
{
  BoshConnectionConfiguration *self = BOSH_CONNECTION_CONFIGURATION (object);
  const char *username = g_value_get_string (&self->values[PROP_HTTP_USERNAME]);
  const char *password = g_value_get_string (&self->values[PROP_HTTP_PASSWORD]);
  g_autoptr(GError) error = NULL;

  G_OBJECT_CLASS (bosh_connection_configuration_parent_class)->constructed (object);

  self->headers = bosh_request_headers_new (g_value_get_boxed (&self->values[PROP_REQUEST_HEADERS]),
                                            username != NULL ? username : self->username,
                                            password != NULL ? password : self->password,
                                            &error);
  if (self->headers == NULL && self->fault == NULL)
    self->fault = g_steal_pointer (&error);
  g_clear_pointer (&self->username, g_free);
  bosh_secret_clear (&self->password);
}

static void
bosh_connection_configuration_finalize (GObject *object)
{
  BoshConnectionConfiguration *self = BOSH_CONNECTION_CONFIGURATION (object);

  clear_secret (&self->values[PROP_HTTP_PASSWORD]);
  clear_secret (&self->values[PROP_REQUEST_HEADERS]);
  clear_secret (&self->values[PROP_PROXY_PASSWORD]);
  g_clear_pointer (&self->headers, bosh_request_headers_free);
  for (guint i = PROP_0 + 1; i < N_PROPS; i++)
    if (G_IS_VALUE (&self->values[i]))
      g_value_unset (&self->values[i]);
  g_clear_pointer (&self->address, g_uri_unref);
  g_free (self->path);
  g_clear_error (&self->fault);

  G_OBJECT_CLASS (bosh_connection_configuration_parent_class)->finalize (object);
}

static void
bosh_connection_configuration_get_property (GObject    *object,
                                            guint       prop_id,
                                            GValue     *value,
                                            GParamSpec *pspec)
{
  BoshConnectionConfiguration *self = BOSH_CONNECTION_CONFIGURATION (object);

  switch (prop_id)
    {
    case PROP_HOSTNAME:
      g_value_set_string (value, bosh_connection_configuration_get_hostname (self));
      break;
    case PROP_PORT:
      g_value_set_uint (value, bosh_connection_configuration_get_port (self));
      break;
    case PROP_PATH:
      g_value_set_string (value, self->path);
      break;
    case PROP_SECURE:
      g_value_set_boolean (value, bosh_connection_configuration_get_secure (self));
      break;
    default:
      g_value_copy (&self->values[prop_id], value);
    }
}

/* What can be written is construct-only, so each is set once, on a new object. */
static void
bosh_connection_configuration_set_property (GObject      *object,
                                            guint         prop_id,
                                            const GValue *value,
                                            GParamSpec   *pspec)
{
  BoshConnectionConfiguration *self = BOSH_CONNECTION_CONFIGURATION (object);
  GValue *setting = &self->values[prop_id];

  g_value_copy (value, g_value_init (setting, G_PARAM_SPEC_VALUE_TYPE (pspec)));

  if (prop_id == PROP_URI)
    read_uri (self);
  else if (prop_id == PROP_KEY_SEQUENCE_LENGTH && g_value_get_uint (setting) == 1)
    g_value_set_uint (setting, BOSH_KEY_SEQUENCE_MIN_LENGTH);
  else if (prop_id == PROP_REQUEST_CONTENT_TYPE)
    set_header (setting, is_content_type, DEFAULT_CONTENT_TYPE);
  else if (prop_id == PROP_USER_AGENT)
    set_header (setting, bosh_request_headers_is_value, DEFAULT_USER_AGENT);
}

#define READABLE (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)
#define CONSTRUCT_ONLY (G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS)
/* Whoever has the object does not have the secret. */
#define SECRET (G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS)

static void
define_address_properties (void)
{
  /**
   * BoshConnectionConfiguration:uri:
   *
   * The address of the connection manager: an absolute `http` or `https` URI without
   * a fragment.
   *
   * It may have a user name and a password, percent-encoded, for a gateway that wants them:
   * they are taken for [property@Bosh.ConnectionConfiguration:http-username] and
   * [property@Bosh.ConnectionConfiguration:http-password] where these are not given, and
   * the URI reads back without them.
   *
   * A URI without a port means the port of its scheme, 80 or 443. The path is used as
   * it is: `/http-bind` and `/http-bind/` are two paths. It reads back as it is
   * used: an internationalised name in ASCII, what can't stand in a URI
   * percent-encoded, and the path at least a slash. A URI that can't be used reads
   * back as it was given.
   *
   * `NULL` leaves it to a [class@Bosh.Client] to ask the domain for the address.
   *
   * Since: 1.0
   */
  properties[PROP_URI] =
    g_param_spec_string ("uri", NULL, NULL, NULL, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:hostname:
   *
   * The host name or IP address in the URI: in ASCII, an IPv6 address without
   * brackets.
   *
   * Since: 1.0
   */
  properties[PROP_HOSTNAME] =
    g_param_spec_string ("hostname", NULL, NULL, NULL, READABLE);

  /**
   * BoshConnectionConfiguration:port:
   *
   * The TCP port that is used, from 1 to 65535; 0 without a valid URI.
   *
   * Since: 1.0
   */
  properties[PROP_PORT] =
    g_param_spec_uint ("port", NULL, NULL, 0, G_MAXUINT16, 0, READABLE);

  /**
   * BoshConnectionConfiguration:path:
   *
   * The path in the URI, with the query if there is one.
   *
   * Since: 1.0
   */
  properties[PROP_PATH] =
    g_param_spec_string ("path", NULL, NULL, NULL, READABLE);

  /**
   * BoshConnectionConfiguration:secure:
   *
   * Whether the URI is `https`, so that everything is encrypted with TLS (XEP-0124
   * §19.1).
   *
   * Since: 1.0
   */
  properties[PROP_SECURE] =
    g_param_spec_boolean ("secure", NULL, NULL, FALSE, READABLE);
}

static void
define_session_properties (void)
{
  /**
   * BoshConnectionConfiguration:wait:
   *
   * The longest time in seconds, from 0 to 3600, that the connection manager is
   * asked to hold a request (XEP-0124 §7.1).
   *
   * Keep it below the time after which a proxy on the way gives up, which is
   * often 60 seconds. With 0 the session polls (XEP-0124 §12).
   *
   * Since: 1.0
   */
  properties[PROP_WAIT] =
    g_param_spec_uint ("wait", NULL, NULL, 0, BOSH_MAX_WAIT, DEFAULT_WAIT, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:hold:
   *
   * The number of requests, from 0 to 8, that the connection manager is asked to
   * hold at most (XEP-0124 §7.1).
   *
   * More than 1 has hardly any use; with 0 the session polls (XEP-0124 §12).
   *
   * Since: 1.0
   */
  properties[PROP_HOLD] =
    g_param_spec_uint ("hold", NULL, NULL, 0, BOSH_MAX_HOLD, DEFAULT_HOLD, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:route:
   *
   * The server that the connection manager is asked to connect to, as
   * `xmpp:host:port` (XEP-0124 §7.1).
   *
   * Connection managers that serve one server only ignore it.
   *
   * Since: 1.0
   */
  properties[PROP_ROUTE] =
    g_param_spec_string ("route", NULL, NULL, NULL, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:from-jid:
   *
   * The JID of the user, sent to the connection manager when the session is created
   * (XEP-0124 §7.1).
   *
   * Since: 1.0
   */
  properties[PROP_FROM_JID] =
    g_param_spec_string ("from-jid", NULL, NULL, NULL, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:language:
   *
   * The language of human-readable text in the session, sent as `xml:lang`
   * (XEP-0124 §7.1); `NULL` for that of the user.
   *
   * Since: 1.0
   */
  properties[PROP_LANGUAGE] =
    g_param_spec_string ("language", NULL, NULL, NULL, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:use-key-sequence:
   *
   * Whether each request proves by a key that it comes from the creator of the
   * session (XEP-0124 §15).
   *
   * It is of use where TLS is not used, and the connection manager must support
   * it.
   *
   * Since: 1.0
   */
  properties[PROP_USE_KEY_SEQUENCE] =
    g_param_spec_boolean ("use-key-sequence", NULL, NULL, FALSE, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:key-sequence-length:
   *
   * The number of keys, from 2 to 65536, after which another key sequence begins
   * (XEP-0124 §15.5); 0 lets the library choose some thousands each time.
   *
   * A short sequence costs little memory and time, but shows more often where a new
   * one begins. As one key opens a sequence and another leaves it, 1 counts as 2.
   *
   * Since: 1.0
   */
  properties[PROP_KEY_SEQUENCE_LENGTH] =
    g_param_spec_uint ("key-sequence-length", NULL, NULL,
                       0, BOSH_KEY_SEQUENCE_MAX_LENGTH, 0, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:use-acknowledgements:
   *
   * Whether requests and responses are acknowledged, where the connection manager
   * does it too (XEP-0124 §9).
   *
   * Since: 1.0
   */
  properties[PROP_USE_ACKNOWLEDGEMENTS] =
    g_param_spec_boolean ("use-acknowledgements", NULL, NULL, TRUE, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:compress-requests:
   *
   * Whether requests are compressed, where the `accept` of the connection manager
   * says that it takes compressed ones (XEP-0124 §7.2).
   *
   * Requests under 512 bytes are not. If the connection manager can't read the
   * compressed ones after all, they are repeated without compression, and no others
   * are compressed.
   *
   * Since: 1.0
   */
  properties[PROP_COMPRESS_REQUESTS] =
    g_param_spec_boolean ("compress-requests", NULL, NULL, FALSE, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:pause-on-detach:
   *
   * Whether a session that is handed over is paused first (XEP-0124 §10), where the
   * connection manager allows pauses and has a request open.
   *
   * It then releases the request, so that the next owner begins with nothing open
   * ([property@Bosh.SavedSession:has-open-request]), and waits for it as long as its
   * `maxpause` says.
   *
   * Since: 1.0
   */
  properties[PROP_PAUSE_ON_DETACH] =
    g_param_spec_boolean ("pause-on-detach", NULL, NULL, FALSE, CONSTRUCT_ONLY);
}

static void
define_transport_properties (void)
{
  /**
   * BoshConnectionConfiguration:request-content-type:
   *
   * The Content-Type of requests, in printable ASCII (XEP-0124 §5); `NULL` for
   * `text/xml; charset=utf-8`.
   *
   * Another one is only for proxies on the way that let nothing else through.
   *
   * Since: 1.0
   */
  properties[PROP_REQUEST_CONTENT_TYPE] =
    g_param_spec_string ("request-content-type", NULL, NULL, DEFAULT_CONTENT_TYPE,
                         CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:response-content-type:
   *
   * The Content-Type that the connection manager is asked to give its responses:
   * the attribute `content` of XEP-0124 §7.1. `NULL` asks for nothing.
   *
   * It is only for proxies on the way that let nothing else through; this library
   * reads responses of any type.
   *
   * Since: 1.0
   */
  properties[PROP_RESPONSE_CONTENT_TYPE] =
    g_param_spec_string ("response-content-type", NULL, NULL, NULL, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:user-agent:
   *
   * The User-Agent of requests, in printable ASCII; `NULL` for the name and version
   * of this library. With an empty string the header is left out.
   *
   * Since: 1.0
   */
  properties[PROP_USER_AGENT] =
    g_param_spec_string ("user-agent", NULL, NULL, DEFAULT_USER_AGENT, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:http-username:
   *
   * The user name for the connection manager, or for a gateway in front of it, that wants
   * HTTP authentication by Basic (RFC 7617); not that of XMPP. `NULL` for none.
   *
   * It must not have a colon. [property@Bosh.ConnectionConfiguration:request-headers] tells
   * where it is sent.
   *
   * Since: 1.0
   */
  properties[PROP_HTTP_USERNAME] =
    g_param_spec_string ("http-username", NULL, NULL, NULL, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:http-password:
   *
   * The password that goes with [property@Bosh.ConnectionConfiguration:http-username].
   *
   * It is sent with each request, without being asked for, so use it with `https`.
   *
   * Since: 1.0
   */
  properties[PROP_HTTP_PASSWORD] =
    g_param_spec_string ("http-password", NULL, NULL, NULL, SECRET);

  /**
   * BoshConnectionConfiguration:request-headers:
   *
   * Further headers of the requests, each of the form `Name: value`, in printable ASCII: a
   * token that a gateway in front of the connection manager wants, for instance. At most
   * 64 of 8192 bytes.
   *
   * Headers that the library or HTTP itself decides about can't be set, as `Host`,
   * `Content-Type` or `Cookie`, and none can be there twice. What can't be sent does no
   * harm until it is used: connecting then fails with `BOSH_ERROR_INVALID_HEADER`, and
   * [method@Bosh.ConnectionConfiguration.validate] tells earlier.
   *
   * As they may be secret, they can't be read back, and are sent to the scheme, host and
   * port of [property@Bosh.ConnectionConfiguration:uri] alone. If the session is redirected
   * elsewhere, requests go there without them, and so do those of [class@Bosh.Discovery]
   * for its documents. Without a URI they are meant for the address that the domain
   * announces.
   *
   * Since: 1.0
   */
  properties[PROP_REQUEST_HEADERS] =
    g_param_spec_boxed ("request-headers", NULL, NULL, G_TYPE_STRV, SECRET);

  /**
   * BoshConnectionConfiguration:connect-timeout:
   *
   * The time in seconds, from 0 to 3600, within which a connection to the connection
   * manager must be up, TLS and proxies included; 0 for the limits of the system.
   *
   * Since: 1.0
   */
  properties[PROP_CONNECT_TIMEOUT] =
    g_param_spec_uint ("connect-timeout", NULL, NULL,
                       0, MAX_CONNECT_TIMEOUT, DEFAULT_CONNECT_TIMEOUT, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:proxy-resolver:
   *
   * Chooses the HTTP or SOCKS proxies to go through; `NULL` for the default of the
   * system.
   *
   * A user name and a password in the URI of a proxy are used where the proxy asks for
   * them, and before [property@Bosh.ConnectionConfiguration:proxy-username].
   *
   * Since: 1.0
   */
  properties[PROP_PROXY_RESOLVER] =
    g_param_spec_object ("proxy-resolver", NULL, NULL, G_TYPE_PROXY_RESOLVER, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:proxy-username:
   *
   * The user name for a proxy that asks for one: by the HTTP schemes Basic, Digest and
   * NTLM, or by SOCKS 5. A proxy that takes Kerberos tickets (Negotiate) needs none.
   *
   * Where a proxy asks and there is none, or it does not accept what there is, the
   * error is `G_IO_ERROR_PROXY_NEED_AUTH` or `G_IO_ERROR_PROXY_AUTH_FAILED`. It is
   * offered to any proxy that the resolver names, Basic without encryption: so leave it
   * unset where you do not trust them.
   *
   * Since: 1.0
   */
  properties[PROP_PROXY_USERNAME] =
    g_param_spec_string ("proxy-username", NULL, NULL, NULL, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:proxy-password:
   *
   * The password for [property@Bosh.ConnectionConfiguration:proxy-username]; `NULL` for
   * an empty one. It can't be read.
   *
   * Since: 1.0
   */
  properties[PROP_PROXY_PASSWORD] =
    g_param_spec_string ("proxy-password", NULL, NULL, NULL, SECRET);

  /**
   * BoshConnectionConfiguration:tls-database:
   *
   * The certificate authorities to trust; `NULL` for those of the system.
   *
   * Since: 1.0
   */
  properties[PROP_TLS_DATABASE] =
    g_param_spec_object ("tls-database", NULL, NULL, G_TYPE_TLS_DATABASE, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:tls-certificate:
   *
   * The certificate, with its private key, that is shown to a server which asks for
   * one.
   *
   * Since: 1.0
   */
  properties[PROP_TLS_CERTIFICATE] =
    g_param_spec_object ("tls-certificate", NULL, NULL, G_TYPE_TLS_CERTIFICATE, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:max-request-size:
   *
   * The number of bytes, from 1024 to 16777216 (16 MiB), that the body of one
   * request has at most.
   *
   * More stanzas than fit are spread over several requests. A single stanza that
   * does not fit can't be sent.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_REQUEST_SIZE] =
    g_param_spec_uint ("max-request-size", NULL, NULL,
                       BOSH_MIN_BODY_SIZE, BOSH_MAX_BODY_SIZE, DEFAULT_REQUEST_SIZE, CONSTRUCT_ONLY);

  /**
   * BoshConnectionConfiguration:max-response-size:
   *
   * The number of bytes, from 1024 to 16777216 (16 MiB), that are read from one
   * response at most, before and after decompression.
   *
   * A larger response is an error. The limit keeps memory bounded, whatever a server
   * sends.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_RESPONSE_SIZE] =
    g_param_spec_uint ("max-response-size", NULL, NULL,
                       BOSH_MIN_BODY_SIZE, BOSH_MAX_BODY_SIZE, DEFAULT_RESPONSE_SIZE, CONSTRUCT_ONLY);
}

static void
bosh_connection_configuration_class_init (BoshConnectionConfigurationClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = bosh_connection_configuration_constructed;
  object_class->finalize = bosh_connection_configuration_finalize;
  object_class->get_property = bosh_connection_configuration_get_property;
  object_class->set_property = bosh_connection_configuration_set_property;

  define_address_properties ();
  define_session_properties ();
  define_transport_properties ();
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
bosh_connection_configuration_init (BoshConnectionConfiguration *self)
{
}

/**
 * bosh_connection_configuration_new:
 * @uri: the URI of the connection manager, for
 *   [property@Bosh.ConnectionConfiguration:uri]
 * @error: return location for an error
 *
 * Creates a configuration with the default settings.
 *
 * Returns: (transfer full): a new configuration, or `NULL` with
 *   `BOSH_ERROR_INVALID_URI`
 *
 * Since: 1.0
 */
BoshConnectionConfiguration *
bosh_connection_configuration_new (const char  *uri,
                                   GError     **error)
{
  g_autoptr(BoshConnectionConfiguration) self = NULL;

  g_return_val_if_fail (uri != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION, "uri", uri, NULL);

  return bosh_connection_configuration_validate (self, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * bosh_connection_configuration_new_for_host:
 * @hostname: a host name or IP address, for example `example.org`
 * @port: a TCP port, or 0 for that of XEP-0124 §20, which is 5281 with TLS and
 *   5280 without
 * @path: (nullable): a path, which may have a query, or `NULL` for `/http-bind/`
 * @secure: whether to use TLS
 *
 * Creates a configuration with the default settings, for where the address of the
 * connection manager is known in parts.
 *
 * A host name that is none makes
 * [method@Bosh.ConnectionConfiguration.validate] and connecting fail.
 *
 * Returns: (transfer full): a new configuration
 *
 * Since: 1.0
 */
BoshConnectionConfiguration *
bosh_connection_configuration_new_for_host (const char *hostname,
                                            guint       port,
                                            const char *path,
                                            gboolean    secure)
{
  g_autofree char *uri = NULL;

  g_return_val_if_fail (hostname != NULL, NULL);

  if (port == 0)
    port = secure ? DEFAULT_SECURE_PORT : DEFAULT_PORT;
  uri = bosh_uri_compose_http (secure, hostname, port, path != NULL ? path : DEFAULT_PATH);

  return g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION, "uri", uri, NULL);
}

BoshConnectionConfiguration *
bosh_connection_configuration_copy_with_uri (BoshConnectionConfiguration *self,
                                             const char                  *uri)
{
  const char *names[N_PROPS];
  GValue values[N_PROPS] = { G_VALUE_INIT };
  GObject *copy;
  guint n_values = 0;

  for (guint i = PROP_0 + 1; i < N_PROPS; i++)
    {
      if (!G_IS_VALUE (&self->values[i]))
        continue;

      names[n_values] = properties[i]->name;
      g_value_init (&values[n_values], G_PARAM_SPEC_VALUE_TYPE (properties[i]));
      if (i == PROP_URI)
        g_value_set_string (&values[n_values], uri);
      else
        g_value_copy (&self->values[i], &values[n_values]);
      n_values++;
    }

  copy = g_object_new_with_properties (BOSH_TYPE_CONNECTION_CONFIGURATION, n_values, names, values);
  for (guint i = 0; i < n_values; i++)
    {
      if ((g_object_class_find_property (G_OBJECT_GET_CLASS (self), names[i])->flags &
           G_PARAM_READABLE) == 0)
        clear_secret (&values[i]);
      g_value_unset (&values[i]);
    }

  return BOSH_CONNECTION_CONFIGURATION (copy);
}

/**
 * bosh_connection_configuration_validate:
 * @self: a configuration
 * @error: return location for an error
 *
 * Checks that the URI can be used, or that there is none, and that the headers can be sent.
 *
 * Whoever connects checks it again: it is for telling a user of a mistake at once.
 *
 * Returns: `TRUE`, or `FALSE` with `BOSH_ERROR_INVALID_URI` or `BOSH_ERROR_INVALID_HEADER`
 *
 * Since: 1.0
 */
gboolean
bosh_connection_configuration_validate (BoshConnectionConfiguration  *self,
                                        GError                      **error)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (self->fault == NULL)
    return TRUE;

  if (error != NULL)
    *error = g_error_copy (self->fault);

  return FALSE;
}

GUri *
bosh_connection_configuration_get_address (BoshConnectionConfiguration  *self,
                                           GError                      **error)
{
  if (!bosh_connection_configuration_validate (self, error))
    return NULL;

  if (self->address == NULL)
    g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_URI,
                         _("The configuration has no address of a connection manager"));

  return self->address;
}

const BoshRequestHeaders *
bosh_connection_configuration_get_headers (BoshConnectionConfiguration *self)
{
  return self->headers;
}

/**
 * bosh_connection_configuration_get_uri:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:uri].
 *
 * Returns: (nullable): the URI
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_uri (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return g_value_get_string (&self->values[PROP_URI]);
}

/**
 * bosh_connection_configuration_get_hostname:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:hostname].
 *
 * Returns: (nullable): the host name, or `NULL` without a valid URI
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_hostname (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return self->address != NULL ? g_uri_get_host (self->address) : NULL;
}

/**
 * bosh_connection_configuration_get_port:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:port].
 *
 * Returns: the port, or 0 without a valid URI
 *
 * Since: 1.0
 */
guint
bosh_connection_configuration_get_port (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  return self->address != NULL ? bosh_uri_get_port (self->address) : 0;
}

/**
 * bosh_connection_configuration_get_path:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:path].
 *
 * Returns: (nullable): the path, or `NULL` without a valid URI
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_path (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return self->path;
}

/**
 * bosh_connection_configuration_get_secure:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:secure].
 *
 * Returns: `TRUE` for `https`
 *
 * Since: 1.0
 */
gboolean
bosh_connection_configuration_get_secure (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), FALSE);

  return self->address != NULL && bosh_uri_is_secure (self->address);
}

/**
 * bosh_connection_configuration_get_wait:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:wait].
 *
 * Returns: the time in seconds
 *
 * Since: 1.0
 */
guint
bosh_connection_configuration_get_wait (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  return g_value_get_uint (&self->values[PROP_WAIT]);
}

/**
 * bosh_connection_configuration_get_hold:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:hold].
 *
 * Returns: the number of requests
 *
 * Since: 1.0
 */
guint
bosh_connection_configuration_get_hold (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  return g_value_get_uint (&self->values[PROP_HOLD]);
}

/**
 * bosh_connection_configuration_get_route:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:route].
 *
 * Returns: (nullable): the server, as `xmpp:host:port`
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_route (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return g_value_get_string (&self->values[PROP_ROUTE]);
}

/**
 * bosh_connection_configuration_get_from_jid:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:from-jid].
 *
 * Returns: (nullable): a JID
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_from_jid (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return g_value_get_string (&self->values[PROP_FROM_JID]);
}

/**
 * bosh_connection_configuration_get_language:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:language].
 *
 * Returns: (nullable): a language tag
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_language (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return g_value_get_string (&self->values[PROP_LANGUAGE]);
}

/**
 * bosh_connection_configuration_get_use_key_sequence:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:use-key-sequence].
 *
 * Returns: `TRUE` if each request carries a key
 *
 * Since: 1.0
 */
gboolean
bosh_connection_configuration_get_use_key_sequence (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), FALSE);

  return g_value_get_boolean (&self->values[PROP_USE_KEY_SEQUENCE]);
}

/**
 * bosh_connection_configuration_get_key_sequence_length:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:key-sequence-length].
 *
 * Returns: the number of keys, or 0 if the library chooses it
 *
 * Since: 1.0
 */
guint
bosh_connection_configuration_get_key_sequence_length (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  return g_value_get_uint (&self->values[PROP_KEY_SEQUENCE_LENGTH]);
}

/**
 * bosh_connection_configuration_get_use_acknowledgements:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:use-acknowledgements].
 *
 * Returns: `TRUE` if acknowledgements are asked for
 *
 * Since: 1.0
 */
gboolean
bosh_connection_configuration_get_use_acknowledgements (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), FALSE);

  return g_value_get_boolean (&self->values[PROP_USE_ACKNOWLEDGEMENTS]);
}

/**
 * bosh_connection_configuration_get_compress_requests:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:compress-requests].
 *
 * Returns: `TRUE` if requests may be compressed
 *
 * Since: 1.0
 */
gboolean
bosh_connection_configuration_get_compress_requests (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), FALSE);

  return g_value_get_boolean (&self->values[PROP_COMPRESS_REQUESTS]);
}

/**
 * bosh_connection_configuration_get_pause_on_detach:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:pause-on-detach].
 *
 * Returns: `TRUE` if a session that is handed over is paused first
 *
 * Since: 1.0
 */
gboolean
bosh_connection_configuration_get_pause_on_detach (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), FALSE);

  return g_value_get_boolean (&self->values[PROP_PAUSE_ON_DETACH]);
}

/**
 * bosh_connection_configuration_get_request_content_type:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:request-content-type].
 *
 * Returns: the content type
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_request_content_type (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return g_value_get_string (&self->values[PROP_REQUEST_CONTENT_TYPE]);
}

/**
 * bosh_connection_configuration_get_response_content_type:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:response-content-type].
 *
 * Returns: (nullable): the content type
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_response_content_type (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return g_value_get_string (&self->values[PROP_RESPONSE_CONTENT_TYPE]);
}

/**
 * bosh_connection_configuration_get_user_agent:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:user-agent].
 *
 * Returns: the user agent; empty if the header is left out
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_user_agent (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return g_value_get_string (&self->values[PROP_USER_AGENT]);
}

/**
 * bosh_connection_configuration_get_http_username:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:http-username].
 *
 * Returns: (nullable): the user name, as it was given as a property
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_http_username (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return g_value_get_string (&self->values[PROP_HTTP_USERNAME]);
}

/**
 * bosh_connection_configuration_get_connect_timeout:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:connect-timeout].
 *
 * Returns: the time in seconds, or 0 for the limits of the system
 *
 * Since: 1.0
 */
guint
bosh_connection_configuration_get_connect_timeout (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  return g_value_get_uint (&self->values[PROP_CONNECT_TIMEOUT]);
}

/**
 * bosh_connection_configuration_get_proxy_resolver:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:proxy-resolver].
 *
 * Returns: (transfer none) (nullable): the resolver
 *
 * Since: 1.0
 */
GProxyResolver *
bosh_connection_configuration_get_proxy_resolver (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return g_value_get_object (&self->values[PROP_PROXY_RESOLVER]);
}

/**
 * bosh_connection_configuration_get_proxy_username:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:proxy-username].
 *
 * Returns: (nullable): the user name for proxies, or `NULL`
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_proxy_username (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return g_value_get_string (&self->values[PROP_PROXY_USERNAME]);
}

const char *
bosh_connection_configuration_get_proxy_password (BoshConnectionConfiguration *self)
{
  return g_value_get_string (&self->values[PROP_PROXY_PASSWORD]);
}

/**
 * bosh_connection_configuration_get_tls_database:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:tls-database].
 *
 * Returns: (transfer none) (nullable): the database
 *
 * Since: 1.0
 */
GTlsDatabase *
bosh_connection_configuration_get_tls_database (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return g_value_get_object (&self->values[PROP_TLS_DATABASE]);
}

/**
 * bosh_connection_configuration_get_tls_certificate:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:tls-certificate].
 *
 * Returns: (transfer none) (nullable): the certificate
 *
 * Since: 1.0
 */
GTlsCertificate *
bosh_connection_configuration_get_tls_certificate (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return g_value_get_object (&self->values[PROP_TLS_CERTIFICATE]);
}

/**
 * bosh_connection_configuration_get_max_request_size:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:max-request-size].
 *
 * Returns: the size in bytes
 *
 * Since: 1.0
 */
guint
bosh_connection_configuration_get_max_request_size (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  return g_value_get_uint (&self->values[PROP_MAX_REQUEST_SIZE]);
}

/**
 * bosh_connection_configuration_get_max_response_size:
 * @self: a configuration
 *
 * Gets [property@Bosh.ConnectionConfiguration:max-response-size].
 *
 * Returns: the size in bytes
 *
 * Since: 1.0
 */
guint
bosh_connection_configuration_get_max_response_size (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  return g_value_get_uint (&self->values[PROP_MAX_RESPONSE_SIZE]);
}
