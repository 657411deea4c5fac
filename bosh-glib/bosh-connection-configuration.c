/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-connection-configuration-private.h"

#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-uri-private.h"

#include <string.h>

/* XEP-0124 §20. */
#define DEFAULT_PORT 5280
#define DEFAULT_SECURE_PORT 5281
#define DEFAULT_PATH "/http-bind/"
#define DEFAULT_CONTENT_TYPE "text/xml; charset=utf-8"
#define DEFAULT_USER_AGENT "bosh-glib/" PACKAGE_VERSION

/* Under the 60 seconds after which common proxies give up. */
#define DEFAULT_WAIT 55
#define MAX_WAIT 3600
#define DEFAULT_HOLD 1
/* With the two spare requests of XEP-0124 §11 it fits into the ten connections
 * that a transport may open. */
#define MAX_HOLD 8
#define MAX_KEY_SEQUENCE_LENGTH 65536
#define DEFAULT_CONNECT_TIMEOUT 30
#define MAX_CONNECT_TIMEOUT 3600
#define MIN_SIZE 1024
#define MAX_SIZE (16 * 1024 * 1024)
#define DEFAULT_REQUEST_SIZE (512 * 1024)
#define DEFAULT_RESPONSE_SIZE (4 * 1024 * 1024)

/**
 * BoshConnectionConfiguration:
 *
 * Where a connection manager is, and how to talk to it.
 *
 * All properties are set at construction and never change, so one
 * configuration can be shared by any number of connections, and between
 * threads.
 *
 * [ctor@Bosh.ConnectionConfiguration.new] takes what is needed most often,
 * [ctor@Bosh.ConnectionConfiguration.new_for_uri] takes an address in one
 * piece. Other properties are given to `g_object_new()`, or to the
 * constructor of the language in use:
 *
 * ```c
 * g_autoptr(BoshConnectionConfiguration) configuration =
 *   g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
 *                 "hostname", "xmpp.example",
 *                 "secure", TRUE,
 *                 "wait", 30,
 *                 NULL);
 * ```
 *
 * Since: 1.0
 */
struct _BoshConnectionConfiguration
{
  GObject parent_instance;

  char *hostname;       /* ASCII, IPv6 without brackets; nullable */
  char *path;           /* with the query; only what can stand in a URI */
  char *route;
  char *from;
  char *language;
  char *content_type;
  char *response_content_type;
  char *user_agent;
  GProxyResolver *proxy_resolver;
  GTlsDatabase *tls_database;
  GTlsCertificate *tls_certificate;
  guint64 max_request_size;
  guint64 max_response_size;
  guint port;           /* 0: the conventional one */
  guint wait;
  guint hold;
  guint key_sequence_length;
  guint connect_timeout;
  gboolean secure;
  gboolean use_key_sequence;
  gboolean use_acknowledgements;
  gboolean compress_requests;
  gboolean allow_http2;
};

G_DEFINE_FINAL_TYPE (BoshConnectionConfiguration, bosh_connection_configuration, G_TYPE_OBJECT)

enum
{
  PROP_0,
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
  PROP_RESPONSE_CONTENT_TYPE,
  PROP_CONNECT_TIMEOUT,
  PROP_PROXY_RESOLVER,
  PROP_TLS_DATABASE,
  PROP_TLS_CERTIFICATE,
  PROP_ALLOW_HTTP2,
  PROP_COMPRESS_REQUESTS,
  PROP_CONTENT_TYPE,
  PROP_USER_AGENT,
  PROP_MAX_REQUEST_SIZE,
  PROP_MAX_RESPONSE_SIZE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* The name as it is resolved and put on the wire. What can't be a host name
 * stays as it is, and is refused when a URI is made of it: a property can't
 * fail. */
static char *
normalize_hostname (const char *hostname)
{
  gsize length;
  char *ascii;

  if (hostname == NULL)
    return NULL;

  length = strlen (hostname);
  if (length > 2 && hostname[0] == '[' && hostname[length - 1] == ']')
    return g_strndup (hostname + 1, length - 2);

  ascii = g_hostname_is_non_ascii (hostname) ? g_hostname_to_ascii (hostname) : NULL;

  return ascii != NULL ? ascii : g_strdup (hostname);
}

/* Path and query for a request line: a slash comes first, and what RFC 3986
 * §3.3 and §3.4 don't allow is percent-encoded. Nothing else changes. */
static char *
normalize_path (const char *path)
{
  g_autoptr(GString) string = g_string_new (NULL);

  if (path == NULL)
    return g_strdup (DEFAULT_PATH);

  if (path[0] != '/')
    g_string_append_c (string, '/');

  for (const char *p = path; *p != '\0'; p++)
    {
      if (g_ascii_isalnum (*p) || strchr ("-._~!$&'()*+,;=:@/?", *p) != NULL ||
          (*p == '%' && g_ascii_isxdigit (p[1]) && g_ascii_isxdigit (p[2])))
        g_string_append_c (string, *p);
      else
        g_string_append_printf (string, "%%%02X", (guint)(guchar)*p);
    }

  return g_string_free (g_steal_pointer (&string), FALSE);
}

/* A field value of RFC 9110 §5.5, in ASCII: nothing that could end the line. */
static gboolean
is_field_value (const char *value)
{
  for (const char *p = value; *p != '\0'; p++)
    {
      if (!g_ascii_isprint (*p))
        return FALSE;
    }

  return TRUE;
}

static char *
dup_content_type (const char *value)
{
  if (value == NULL)
    return g_strdup (DEFAULT_CONTENT_TYPE);

  g_return_val_if_fail (is_field_value (value) && strchr (value, '/') != NULL,
                        g_strdup (DEFAULT_CONTENT_TYPE));

  return g_strdup (value);
}

static char *
dup_user_agent (const char *value)
{
  if (value == NULL)
    return g_strdup (DEFAULT_USER_AGENT);

  g_return_val_if_fail (is_field_value (value), g_strdup (DEFAULT_USER_AGENT));

  return g_strdup (value);
}

GUri *
bosh_connection_configuration_build_uri (BoshConnectionConfiguration  *self,
                                         GError                      **error)
{
  g_autofree char *text = NULL;

  if (self->hostname == NULL)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_URI, _("No host name was given"));
      return NULL;
    }

  text = bosh_uri_compose_http (self->secure, self->hostname,
                                bosh_connection_configuration_get_port (self), self->path);

  return bosh_uri_parse_http (text, NULL, error);
}

static void
bosh_connection_configuration_finalize (GObject *object)
{
  BoshConnectionConfiguration *self = BOSH_CONNECTION_CONFIGURATION (object);

  g_free (self->hostname);
  g_free (self->path);
  g_free (self->route);
  g_free (self->from);
  g_free (self->language);
  g_free (self->content_type);
  g_free (self->response_content_type);
  g_free (self->user_agent);
  g_clear_object (&self->proxy_resolver);
  g_clear_object (&self->tls_database);
  g_clear_object (&self->tls_certificate);

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
      g_value_set_string (value, self->hostname);
      break;

    case PROP_PORT:
      g_value_set_uint (value, bosh_connection_configuration_get_port (self));
      break;

    case PROP_PATH:
      g_value_set_string (value, self->path);
      break;

    case PROP_SECURE:
      g_value_set_boolean (value, self->secure);
      break;

    case PROP_WAIT:
      g_value_set_uint (value, self->wait);
      break;

    case PROP_HOLD:
      g_value_set_uint (value, self->hold);
      break;

    case PROP_ROUTE:
      g_value_set_string (value, self->route);
      break;

    case PROP_FROM_JID:
      g_value_set_string (value, self->from);
      break;

    case PROP_LANGUAGE:
      g_value_set_string (value, self->language);
      break;

    case PROP_USE_KEY_SEQUENCE:
      g_value_set_boolean (value, self->use_key_sequence);
      break;

    case PROP_KEY_SEQUENCE_LENGTH:
      g_value_set_uint (value, self->key_sequence_length);
      break;

    case PROP_USE_ACKNOWLEDGEMENTS:
      g_value_set_boolean (value, self->use_acknowledgements);
      break;

    case PROP_RESPONSE_CONTENT_TYPE:
      g_value_set_string (value, self->response_content_type);
      break;

    case PROP_CONNECT_TIMEOUT:
      g_value_set_uint (value, self->connect_timeout);
      break;

    case PROP_PROXY_RESOLVER:
      g_value_set_object (value, self->proxy_resolver);
      break;

    case PROP_TLS_DATABASE:
      g_value_set_object (value, self->tls_database);
      break;

    case PROP_TLS_CERTIFICATE:
      g_value_set_object (value, self->tls_certificate);
      break;

    case PROP_ALLOW_HTTP2:
      g_value_set_boolean (value, self->allow_http2);
      break;

    case PROP_COMPRESS_REQUESTS:
      g_value_set_boolean (value, self->compress_requests);
      break;

    case PROP_CONTENT_TYPE:
      g_value_set_string (value, self->content_type);
      break;

    case PROP_USER_AGENT:
      g_value_set_string (value, self->user_agent);
      break;

    case PROP_MAX_REQUEST_SIZE:
      g_value_set_uint64 (value, self->max_request_size);
      break;

    case PROP_MAX_RESPONSE_SIZE:
      g_value_set_uint64 (value, self->max_response_size);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

/* Every property is construct-only, so each is set once, on a fresh object. */
static void
bosh_connection_configuration_set_property (GObject      *object,
                                            guint         prop_id,
                                            const GValue *value,
                                            GParamSpec   *pspec)
{
  BoshConnectionConfiguration *self = BOSH_CONNECTION_CONFIGURATION (object);

  switch (prop_id)
    {
    case PROP_HOSTNAME:
      self->hostname = normalize_hostname (g_value_get_string (value));
      break;

    case PROP_PORT:
      self->port = g_value_get_uint (value);
      break;

    case PROP_PATH:
      self->path = normalize_path (g_value_get_string (value));
      break;

    case PROP_SECURE:
      self->secure = g_value_get_boolean (value);
      break;

    case PROP_WAIT:
      self->wait = g_value_get_uint (value);
      break;

    case PROP_HOLD:
      self->hold = g_value_get_uint (value);
      break;

    case PROP_ROUTE:
      self->route = g_value_dup_string (value);
      break;

    case PROP_FROM_JID:
      self->from = g_value_dup_string (value);
      break;

    case PROP_LANGUAGE:
      self->language = g_value_dup_string (value);
      break;

    case PROP_USE_KEY_SEQUENCE:
      self->use_key_sequence = g_value_get_boolean (value);
      break;

    case PROP_KEY_SEQUENCE_LENGTH:
      self->key_sequence_length = g_value_get_uint (value);
      /* One key opens the sequence, another one is needed to leave it. */
      if (self->key_sequence_length == 1)
        self->key_sequence_length = 2;
      break;

    case PROP_USE_ACKNOWLEDGEMENTS:
      self->use_acknowledgements = g_value_get_boolean (value);
      break;

    case PROP_RESPONSE_CONTENT_TYPE:
      self->response_content_type = g_value_dup_string (value);
      break;

    case PROP_CONNECT_TIMEOUT:
      self->connect_timeout = g_value_get_uint (value);
      break;

    case PROP_PROXY_RESOLVER:
      self->proxy_resolver = g_value_dup_object (value);
      break;

    case PROP_TLS_DATABASE:
      self->tls_database = g_value_dup_object (value);
      break;

    case PROP_TLS_CERTIFICATE:
      self->tls_certificate = g_value_dup_object (value);
      break;

    case PROP_ALLOW_HTTP2:
      self->allow_http2 = g_value_get_boolean (value);
      break;

    case PROP_COMPRESS_REQUESTS:
      self->compress_requests = g_value_get_boolean (value);
      break;

    case PROP_CONTENT_TYPE:
      self->content_type = dup_content_type (g_value_get_string (value));
      break;

    case PROP_USER_AGENT:
      self->user_agent = dup_user_agent (g_value_get_string (value));
      break;

    case PROP_MAX_REQUEST_SIZE:
      self->max_request_size = g_value_get_uint64 (value);
      break;

    case PROP_MAX_RESPONSE_SIZE:
      self->max_response_size = g_value_get_uint64 (value);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
install_address_properties (void)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  /**
   * BoshConnectionConfiguration:hostname: (getter get_hostname)
   *
   * The host name or IP address of the connection manager.
   *
   * An internationalised name is turned into its ASCII form, and the brackets
   * around an IPv6 address are taken off. What can't be a host name is
   * refused with `BOSH_ERROR_INVALID_URI` when it is used.
   *
   * A [class@Bosh.Client] that is given none asks the domain for the address.
   *
   * Since: 1.0
   */
  properties[PROP_HOSTNAME] =
    g_param_spec_string ("hostname", NULL, NULL, NULL, flags);

  /**
   * BoshConnectionConfiguration:port: (getter get_port)
   *
   * The TCP port, from 1 to 65535.
   *
   * When it is set, 0 stands for the port of the convention of XEP-0124 §20:
   * 5281 with TLS, and 5280 without. It reads back as the port that is used,
   * so never as 0.
   *
   * Since: 1.0
   */
  properties[PROP_PORT] =
    g_param_spec_uint ("port", NULL, NULL, 0, G_MAXUINT16, 0, flags);

  /**
   * BoshConnectionConfiguration:path: (getter get_path)
   *
   * The path of the URI, and the query if there is one.
   *
   * A slash is put in front if there is none, and what can't stand in a URI is
   * percent-encoded. Else it is used exactly as it is: `/http-bind` and
   * `/http-bind/` are two paths. `NULL` stands for `/http-bind/`.
   *
   * Since: 1.0
   */
  properties[PROP_PATH] =
    g_param_spec_string ("path", NULL, NULL, DEFAULT_PATH, flags);

  /**
   * BoshConnectionConfiguration:secure: (getter get_secure)
   *
   * Whether HTTP is encrypted with TLS (https, XEP-0124 §19.1).
   *
   * Since: 1.0
   */
  properties[PROP_SECURE] =
    g_param_spec_boolean ("secure", NULL, NULL, FALSE, flags);
}

static void
install_session_properties (void)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  /**
   * BoshConnectionConfiguration:wait: (getter get_wait)
   *
   * The longest time in seconds, from 0 to 3600, that the connection manager
   * is asked to hold a request (XEP-0124 §7.1).
   *
   * Keep it below the time after which a proxy on the way gives up, which is
   * often 60 seconds. With 0 the session polls (XEP-0124 §12).
   *
   * Since: 1.0
   */
  properties[PROP_WAIT] =
    g_param_spec_uint ("wait", NULL, NULL, 0, MAX_WAIT, DEFAULT_WAIT, flags);

  /**
   * BoshConnectionConfiguration:hold: (getter get_hold)
   *
   * The number of requests, from 0 to 8, that the connection manager is asked
   * to hold at most (XEP-0124 §7.1).
   *
   * More than 1 has hardly any use; with 0 the session polls (XEP-0124 §12).
   *
   * Since: 1.0
   */
  properties[PROP_HOLD] =
    g_param_spec_uint ("hold", NULL, NULL, 0, MAX_HOLD, DEFAULT_HOLD, flags);

  /**
   * BoshConnectionConfiguration:route: (getter get_route)
   *
   * The server that the connection manager is asked to connect to, as
   * `xmpp:host:port` (XEP-0124 §7.1).
   *
   * Connection managers that serve one server only ignore it.
   *
   * Since: 1.0
   */
  properties[PROP_ROUTE] =
    g_param_spec_string ("route", NULL, NULL, NULL, flags);

  /**
   * BoshConnectionConfiguration:from-jid: (getter get_from_jid)
   *
   * The JID of the user, told to the connection manager when the session is
   * created (XEP-0124 §7.1).
   *
   * Since: 1.0
   */
  properties[PROP_FROM_JID] =
    g_param_spec_string ("from-jid", NULL, NULL, NULL, flags);

  /**
   * BoshConnectionConfiguration:language: (getter get_language)
   *
   * The language of human-readable text in the session, sent as `xml:lang`
   * (XEP-0124 §7.1).
   *
   * Since: 1.0
   */
  properties[PROP_LANGUAGE] =
    g_param_spec_string ("language", NULL, NULL, NULL, flags);

  /**
   * BoshConnectionConfiguration:use-key-sequence: (getter get_use_key_sequence)
   *
   * Whether each request proves by a key that it comes from who created the
   * session (XEP-0124 §15).
   *
   * It is of use where TLS is not used, and the connection manager must
   * support it.
   *
   * Since: 1.0
   */
  properties[PROP_USE_KEY_SEQUENCE] =
    g_param_spec_boolean ("use-key-sequence", NULL, NULL, FALSE, flags);

  /**
   * BoshConnectionConfiguration:key-sequence-length: (getter get_key_sequence_length)
   *
   * The number of keys, from 2 to 65536, after which another key sequence is
   * begun (XEP-0124 §15.5), where key sequences are used; 1 is taken as 2.
   *
   * 0 lets the library choose some thousands each time. A short sequence costs
   * little memory and time, but shows more often where a new one begins.
   *
   * Since: 1.0
   */
  properties[PROP_KEY_SEQUENCE_LENGTH] =
    g_param_spec_uint ("key-sequence-length", NULL, NULL, 0, MAX_KEY_SEQUENCE_LENGTH, 0, flags);

  /**
   * BoshConnectionConfiguration:use-acknowledgements: (getter get_use_acknowledgements)
   *
   * Whether requests and responses are acknowledged, where the connection
   * manager does it too (XEP-0124 §9).
   *
   * Since: 1.0
   */
  properties[PROP_USE_ACKNOWLEDGEMENTS] =
    g_param_spec_boolean ("use-acknowledgements", NULL, NULL, TRUE, flags);

  /**
   * BoshConnectionConfiguration:response-content-type: (getter get_response_content_type)
   *
   * The Content-Type that the connection manager is asked to give its answers:
   * the attribute `content` of XEP-0124 §7.1.
   *
   * It is for proxies on the way that let nothing else through; this library
   * reads the answers whatever they are called. `NULL` asks for nothing.
   *
   * Since: 1.0
   */
  properties[PROP_RESPONSE_CONTENT_TYPE] =
    g_param_spec_string ("response-content-type", NULL, NULL, NULL, flags);
}

static void
install_transport_properties (void)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  /**
   * BoshConnectionConfiguration:connect-timeout: (getter get_connect_timeout)
   *
   * The time in seconds, from 0 to 3600, in which a connection to the
   * connection manager must be up, TLS and proxies included.
   *
   * 0 stands for no limit of our own.
   *
   * Since: 1.0
   */
  properties[PROP_CONNECT_TIMEOUT] =
    g_param_spec_uint ("connect-timeout", NULL, NULL,
                       0, MAX_CONNECT_TIMEOUT, DEFAULT_CONNECT_TIMEOUT, flags);

  /**
   * BoshConnectionConfiguration:proxy-resolver: (getter get_proxy_resolver)
   *
   * Chooses the proxies to go through; `NULL` stands for the default of the
   * system.
   *
   * HTTP proxies and SOCKS proxies are understood.
   *
   * Since: 1.0
   */
  properties[PROP_PROXY_RESOLVER] =
    g_param_spec_object ("proxy-resolver", NULL, NULL, G_TYPE_PROXY_RESOLVER, flags);

  /**
   * BoshConnectionConfiguration:tls-database: (getter get_tls_database)
   *
   * The certificate authorities to trust; `NULL` stands for those of the
   * system.
   *
   * Since: 1.0
   */
  properties[PROP_TLS_DATABASE] =
    g_param_spec_object ("tls-database", NULL, NULL, G_TYPE_TLS_DATABASE, flags);

  /**
   * BoshConnectionConfiguration:tls-certificate: (getter get_tls_certificate)
   *
   * The certificate, with its private key, that is shown to a server which
   * asks for one.
   *
   * Since: 1.0
   */
  properties[PROP_TLS_CERTIFICATE] =
    g_param_spec_object ("tls-certificate", NULL, NULL, G_TYPE_TLS_CERTIFICATE, flags);

  /**
   * BoshConnectionConfiguration:allow-http2: (getter get_allow_http2)
   *
   * Whether HTTP/2 may be used with a server that offers it over TLS.
   *
   * With HTTP/1.1 each request under way has a connection of its own, and an
   * answer that is no longer waited for is closed at once without touching the
   * others. With HTTP/2 they share one connection: it is broken to give one of
   * them up, and what else was under way on it is repeated. So it is not used
   * unless asked for.
   *
   * Since: 1.0
   */
  properties[PROP_ALLOW_HTTP2] =
    g_param_spec_boolean ("allow-http2", NULL, NULL, FALSE, flags);

  /**
   * BoshConnectionConfiguration:compress-requests: (getter get_compress_requests)
   *
   * Whether requests are compressed, where the connection manager says in its
   * `accept` that it takes compressed ones (XEP-0124 §7.2).
   *
   * Requests under 512 bytes go out as they are. If the connection manager
   * can't read the compressed ones after all, they are repeated plain, and no
   * others are compressed.
   *
   * Since: 1.0
   */
  properties[PROP_COMPRESS_REQUESTS] =
    g_param_spec_boolean ("compress-requests", NULL, NULL, FALSE, flags);

  /**
   * BoshConnectionConfiguration:content-type: (getter get_content_type)
   *
   * The Content-Type of requests, in printable ASCII (XEP-0124 §5).
   *
   * `NULL` stands for `text/xml; charset=utf-8`, which is right for everyone
   * who is not forced to use another.
   *
   * Since: 1.0
   */
  properties[PROP_CONTENT_TYPE] =
    g_param_spec_string ("content-type", NULL, NULL, DEFAULT_CONTENT_TYPE, flags);

  /**
   * BoshConnectionConfiguration:user-agent: (getter get_user_agent)
   *
   * The User-Agent of requests, in printable ASCII.
   *
   * `NULL` stands for the name and version of this library; with an empty
   * string the header is left out.
   *
   * Since: 1.0
   */
  properties[PROP_USER_AGENT] =
    g_param_spec_string ("user-agent", NULL, NULL, DEFAULT_USER_AGENT, flags);

  /**
   * BoshConnectionConfiguration:max-request-size: (getter get_max_request_size)
   *
   * The number of bytes, from 1024 to 16777216 (16 MiB), that one request
   * brings to the connection manager at most, HTTP headers not counted.
   *
   * More stanzas than that are spread over several requests. A single stanza
   * that does not fit can't be sent.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_REQUEST_SIZE] =
    g_param_spec_uint64 ("max-request-size", NULL, NULL,
                         MIN_SIZE, MAX_SIZE, DEFAULT_REQUEST_SIZE, flags);

  /**
   * BoshConnectionConfiguration:max-response-size: (getter get_max_response_size)
   *
   * The number of bytes, from 1024 to 16777216 (16 MiB), that are taken in
   * from one response at most, before and after decompression.
   *
   * A response that is larger is an error. The limit keeps memory bounded,
   * whatever a server sends.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_RESPONSE_SIZE] =
    g_param_spec_uint64 ("max-response-size", NULL, NULL,
                         MIN_SIZE, MAX_SIZE, DEFAULT_RESPONSE_SIZE, flags);
}

static void
bosh_connection_configuration_class_init (BoshConnectionConfigurationClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = bosh_connection_configuration_finalize;
  object_class->get_property = bosh_connection_configuration_get_property;
  object_class->set_property = bosh_connection_configuration_set_property;

  install_address_properties ();
  install_session_properties ();
  install_transport_properties ();
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
bosh_connection_configuration_init (BoshConnectionConfiguration *self)
{
}

/**
 * bosh_connection_configuration_new:
 * @hostname: the host name or IP address of the connection manager
 * @port: the TCP port, or 0 for the conventional one
 * @path: (nullable): the path of the URI, or `NULL` for `/http-bind/`
 *
 * Creates a configuration for unencrypted HTTP.
 *
 * See [property@Bosh.ConnectionConfiguration:hostname],
 * [property@Bosh.ConnectionConfiguration:port] and
 * [property@Bosh.ConnectionConfiguration:path] for what is made of the
 * arguments. Where TLS or anything else is wanted, use
 * [ctor@Bosh.ConnectionConfiguration.new_for_uri] or set properties at
 * construction.
 *
 * Returns: (transfer full): a new configuration
 *
 * Since: 1.0
 */
BoshConnectionConfiguration *
bosh_connection_configuration_new (const char *hostname,
                                   guint16     port,
                                   const char *path)
{
  g_return_val_if_fail (hostname != NULL, NULL);

  return g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                       "hostname", hostname,
                       "port", (guint)port,
                       "path", path,
                       NULL);
}

/**
 * bosh_connection_configuration_new_for_uri:
 * @uri: an absolute http or https URI
 * @error: return location for an error, or `NULL`
 *
 * Creates a configuration for the address of a connection manager.
 *
 * An https URI makes the configuration
 * [property@Bosh.ConnectionConfiguration:secure]. A URI without a port means
 * the port of its scheme, 80 or 443, and one without a path means `/`. A query
 * is kept. A user name, a password and a fragment are refused.
 *
 * Returns: (transfer full): a new configuration, or `NULL` with
 *   `BOSH_ERROR_INVALID_URI`
 *
 * Since: 1.0
 */
BoshConnectionConfiguration *
bosh_connection_configuration_new_for_uri (const char  *uri,
                                           GError     **error)
{
  g_autoptr(GUri) parsed = NULL;
  g_autofree char *path = NULL;

  g_return_val_if_fail (uri != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  parsed = bosh_uri_parse_http (uri, NULL, error);
  if (parsed == NULL)
    return NULL;

  path = g_uri_get_query (parsed) != NULL
           ? g_strconcat (g_uri_get_path (parsed), "?", g_uri_get_query (parsed), NULL)
           : g_strdup (g_uri_get_path (parsed));

  return g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                       "hostname", g_uri_get_host (parsed),
                       "port", bosh_uri_get_port (parsed),
                       "path", path,
                       "secure", bosh_uri_is_secure (parsed),
                       NULL);
}

static gboolean
is_of_address (guint prop_id)
{
  return prop_id == PROP_HOSTNAME || prop_id == PROP_PORT ||
         prop_id == PROP_PATH || prop_id == PROP_SECURE;
}

BoshConnectionConfiguration *
bosh_connection_configuration_readdress (BoshConnectionConfiguration *self,
                                         BoshConnectionConfiguration *address)
{
  const char *names[N_PROPS];
  GValue values[N_PROPS] = { G_VALUE_INIT };
  BoshConnectionConfiguration *copy;
  guint n_values = 0;

  for (guint i = PROP_0 + 1; i < N_PROPS; i++)
    {
      BoshConnectionConfiguration *source = is_of_address (i) ? address : self;

      if (source == NULL)
        continue;

      names[n_values] = properties[i]->name;
      g_object_get_property (G_OBJECT (source), names[n_values], &values[n_values]);
      n_values++;
    }

  copy = BOSH_CONNECTION_CONFIGURATION (g_object_new_with_properties (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                                                      n_values, names, values));
  for (guint i = 0; i < n_values; i++)
    g_value_unset (&values[i]);

  return copy;
}

/**
 * bosh_connection_configuration_to_uri:
 * @self: a configuration
 *
 * Gives the address of the connection manager as one URI.
 *
 * [ctor@Bosh.ConnectionConfiguration.new_for_uri] makes the same address of
 * it again.
 *
 * Returns: (transfer full) (nullable): an absolute http or https URI, or `NULL`
 *   if [property@Bosh.ConnectionConfiguration:hostname] is missing or can't be
 *   a host name
 *
 * Since: 1.0
 */
char *
bosh_connection_configuration_to_uri (BoshConnectionConfiguration *self)
{
  g_autoptr(GUri) uri = NULL;

  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  uri = bosh_connection_configuration_build_uri (self, NULL);

  return uri != NULL ? g_uri_to_string (uri) : NULL;
}

/**
 * bosh_connection_configuration_get_hostname: (get-property hostname)
 * @self: a configuration
 *
 * Gets the host name or IP address of the connection manager.
 *
 * See [property@Bosh.ConnectionConfiguration:hostname].
 *
 * Returns: (nullable): the name in ASCII, an IPv6 address without brackets
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_hostname (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return self->hostname;
}

/**
 * bosh_connection_configuration_get_port: (get-property port)
 * @self: a configuration
 *
 * Gets the TCP port of the connection manager.
 *
 * See [property@Bosh.ConnectionConfiguration:port].
 *
 * Returns: the port that is used, from 1 to 65535; never 0
 *
 * Since: 1.0
 */
guint
bosh_connection_configuration_get_port (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  if (self->port != 0)
    return self->port;

  return self->secure ? DEFAULT_SECURE_PORT : DEFAULT_PORT;
}

/**
 * bosh_connection_configuration_get_path: (get-property path)
 * @self: a configuration
 *
 * Gets the path of the URI.
 *
 * See [property@Bosh.ConnectionConfiguration:path].
 *
 * Returns: the path, with the query if there is one; it begins with a slash
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
 * bosh_connection_configuration_get_secure: (get-property secure)
 * @self: a configuration
 *
 * Tells whether HTTP is encrypted with TLS.
 *
 * See [property@Bosh.ConnectionConfiguration:secure].
 *
 * Returns: `TRUE` for https, `FALSE` for http
 *
 * Since: 1.0
 */
gboolean
bosh_connection_configuration_get_secure (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), FALSE);

  return self->secure;
}

/**
 * bosh_connection_configuration_get_wait: (get-property wait)
 * @self: a configuration
 *
 * Gets the longest time that the connection manager is asked to hold a
 * request (XEP-0124 §7.1).
 *
 * See [property@Bosh.ConnectionConfiguration:wait].
 *
 * Returns: the time in seconds, from 0 to 3600
 *
 * Since: 1.0
 */
guint
bosh_connection_configuration_get_wait (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  return self->wait;
}

/**
 * bosh_connection_configuration_get_hold: (get-property hold)
 * @self: a configuration
 *
 * Gets the number of requests that the connection manager is asked to hold at
 * most (XEP-0124 §7.1).
 *
 * See [property@Bosh.ConnectionConfiguration:hold].
 *
 * Returns: the number, from 0 to 8
 *
 * Since: 1.0
 */
guint
bosh_connection_configuration_get_hold (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  return self->hold;
}

/**
 * bosh_connection_configuration_get_route: (get-property route)
 * @self: a configuration
 *
 * Gets the server that the connection manager is asked to connect to
 * (XEP-0124 §7.1).
 *
 * See [property@Bosh.ConnectionConfiguration:route].
 *
 * Returns: (nullable): the server, as `xmpp:host:port`
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_route (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return self->route;
}

/**
 * bosh_connection_configuration_get_from_jid: (get-property from-jid)
 * @self: a configuration
 *
 * Gets the JID that is told to the connection manager when the session is
 * created (XEP-0124 §7.1).
 *
 * See [property@Bosh.ConnectionConfiguration:from-jid].
 *
 * Returns: (nullable): a JID
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_from_jid (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return self->from;
}

/**
 * bosh_connection_configuration_get_language: (get-property language)
 * @self: a configuration
 *
 * Gets the language of the session, the `xml:lang` of XEP-0124 §7.1.
 *
 * See [property@Bosh.ConnectionConfiguration:language].
 *
 * Returns: (nullable): a language tag
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_language (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return self->language;
}

/**
 * bosh_connection_configuration_get_use_key_sequence: (get-property use-key-sequence)
 * @self: a configuration
 *
 * Tells whether the session is protected by a key sequence (XEP-0124 §15).
 *
 * See [property@Bosh.ConnectionConfiguration:use-key-sequence].
 *
 * Returns: `TRUE` if each request carries a key
 *
 * Since: 1.0
 */
gboolean
bosh_connection_configuration_get_use_key_sequence (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), FALSE);

  return self->use_key_sequence;
}

/**
 * bosh_connection_configuration_get_key_sequence_length: (get-property key-sequence-length)
 * @self: a configuration
 *
 * Gets how many keys a key sequence has (XEP-0124 §15).
 *
 * See [property@Bosh.ConnectionConfiguration:key-sequence-length].
 *
 * Returns: the number of keys, 0 if the library chooses it
 *
 * Since: 1.0
 */
guint
bosh_connection_configuration_get_key_sequence_length (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  return self->key_sequence_length;
}

/**
 * bosh_connection_configuration_get_use_acknowledgements: (get-property use-acknowledgements)
 * @self: a configuration
 *
 * Tells whether acknowledgements are asked for (XEP-0124 §9).
 *
 * See [property@Bosh.ConnectionConfiguration:use-acknowledgements].
 *
 * Returns: `TRUE` if they are
 *
 * Since: 1.0
 */
gboolean
bosh_connection_configuration_get_use_acknowledgements (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), FALSE);

  return self->use_acknowledgements;
}

/**
 * bosh_connection_configuration_get_response_content_type: (get-property response-content-type)
 * @self: a configuration
 *
 * Gets the Content-Type that is asked for (XEP-0124 §7.1).
 *
 * See [property@Bosh.ConnectionConfiguration:response-content-type].
 *
 * Returns: (nullable): the content type
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_response_content_type (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return self->response_content_type;
}

/**
 * bosh_connection_configuration_get_connect_timeout: (get-property connect-timeout)
 * @self: a configuration
 *
 * Gets the time in which a connection must be up.
 *
 * See [property@Bosh.ConnectionConfiguration:connect-timeout].
 *
 * Returns: the time in seconds, from 0 to 3600, 0 for no limit
 *
 * Since: 1.0
 */
guint
bosh_connection_configuration_get_connect_timeout (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  return self->connect_timeout;
}

/**
 * bosh_connection_configuration_get_proxy_resolver: (get-property proxy-resolver)
 * @self: a configuration
 *
 * Gets what chooses the proxies.
 *
 * See [property@Bosh.ConnectionConfiguration:proxy-resolver].
 *
 * Returns: (transfer none) (nullable): the resolver, or `NULL` for the default
 *   of the system
 *
 * Since: 1.0
 */
GProxyResolver *
bosh_connection_configuration_get_proxy_resolver (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return self->proxy_resolver;
}

/**
 * bosh_connection_configuration_get_tls_database: (get-property tls-database)
 * @self: a configuration
 *
 * Gets the certificate authorities to trust.
 *
 * See [property@Bosh.ConnectionConfiguration:tls-database].
 *
 * Returns: (transfer none) (nullable): the database, or `NULL` for that of the
 *   system
 *
 * Since: 1.0
 */
GTlsDatabase *
bosh_connection_configuration_get_tls_database (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return self->tls_database;
}

/**
 * bosh_connection_configuration_get_tls_certificate: (get-property tls-certificate)
 * @self: a configuration
 *
 * Gets the certificate that is shown to a server which asks for one.
 *
 * See [property@Bosh.ConnectionConfiguration:tls-certificate].
 *
 * Returns: (transfer none) (nullable): a certificate with its private key
 *
 * Since: 1.0
 */
GTlsCertificate *
bosh_connection_configuration_get_tls_certificate (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return self->tls_certificate;
}

/**
 * bosh_connection_configuration_get_allow_http2: (get-property allow-http2)
 * @self: a configuration
 *
 * Tells whether HTTP/2 may be used.
 *
 * See [property@Bosh.ConnectionConfiguration:allow-http2].
 *
 * Returns: `TRUE` if HTTP/2 may be used
 *
 * Since: 1.0
 */
gboolean
bosh_connection_configuration_get_allow_http2 (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), FALSE);

  return self->allow_http2;
}

/**
 * bosh_connection_configuration_get_compress_requests: (get-property compress-requests)
 * @self: a configuration
 *
 * Tells whether requests are compressed where the server allows it (XEP-0124
 * §7.2).
 *
 * See [property@Bosh.ConnectionConfiguration:compress-requests].
 *
 * Returns: `TRUE` if requests may be compressed
 *
 * Since: 1.0
 */
gboolean
bosh_connection_configuration_get_compress_requests (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), FALSE);

  return self->compress_requests;
}

/**
 * bosh_connection_configuration_get_content_type: (get-property content-type)
 * @self: a configuration
 *
 * Gets the Content-Type of requests (XEP-0124 §5).
 *
 * See [property@Bosh.ConnectionConfiguration:content-type].
 *
 * Returns: the content type
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_content_type (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return self->content_type;
}

/**
 * bosh_connection_configuration_get_user_agent: (get-property user-agent)
 * @self: a configuration
 *
 * Gets the User-Agent of requests.
 *
 * See [property@Bosh.ConnectionConfiguration:user-agent].
 *
 * Returns: the user agent; an empty string if the header is left out
 *
 * Since: 1.0
 */
const char *
bosh_connection_configuration_get_user_agent (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), NULL);

  return self->user_agent;
}

/**
 * bosh_connection_configuration_get_max_request_size: (get-property max-request-size)
 * @self: a configuration
 *
 * Gets how large one request may be.
 *
 * See [property@Bosh.ConnectionConfiguration:max-request-size].
 *
 * Returns: the size in bytes, from 1024 to 16777216
 *
 * Since: 1.0
 */
guint64
bosh_connection_configuration_get_max_request_size (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  return self->max_request_size;
}

/**
 * bosh_connection_configuration_get_max_response_size: (get-property max-response-size)
 * @self: a configuration
 *
 * Gets how large one response may be, before and after decompression.
 *
 * See [property@Bosh.ConnectionConfiguration:max-response-size].
 *
 * Returns: the size in bytes, from 1024 to 16777216
 *
 * Since: 1.0
 */
guint64
bosh_connection_configuration_get_max_response_size (BoshConnectionConfiguration *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (self), 0);

  return self->max_response_size;
}
