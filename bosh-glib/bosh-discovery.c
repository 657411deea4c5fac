/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-discovery.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-enum-types.h"
#include "bosh-error.h"
#include "bosh-host-meta-private.h"
#include "bosh-https-get-private.h"
#include "bosh-i18n-private.h"
#include "bosh-uri-private.h"

#include <string.h>

#define DEFAULT_TIMEOUT 20
#define MAX_TIMEOUT 3600

#define TXT_PREFIX "_xmpp-client-xbosh="

/**
 * BoshDiscovery:
 *
 * Finds out where the connection managers of a domain are (XEP-0156).
 *
 * A domain announces them in a document on its own web server,
 * `https://DOMAIN/.well-known/host-meta` (RFC 6415). A [class@Bosh.Client] that
 * is given no host name looks there by itself, with the defaults; this class is
 * for who wants to see all that was announced, or wants it otherwise:
 *
 * ```c
 * static void
 * on_discovered (GObject      *source,
 *                GAsyncResult *result,
 *                gpointer      user_data)
 * {
 *   g_autoptr(GPtrArray) found = NULL;
 *   g_autoptr(GError) error = NULL;
 *   g_autoptr(BoshClient) client = NULL;
 *
 *   found = bosh_discovery_lookup_finish (BOSH_DISCOVERY (source), result, &error);
 *   if (found == NULL)
 *     g_printerr ("%s\n", error->message);
 *   else
 *     client = bosh_client_new ("example.org", g_ptr_array_index (found, 0));
 * }
 *
 * discovery = bosh_discovery_new ("example.org", NULL);
 * bosh_discovery_lookup_async (discovery, NULL, on_discovered, NULL);
 * ```
 *
 * All properties are set at construction and never change, so one discovery can
 * make any number of lookups, also at the same time.
 *
 * ## What is trusted
 *
 * Whoever can answer for the domain chooses where a password is sent. So a
 * document is fetched over https alone, with the certificate verified for the
 * domain; redirects are followed at most five times, and to https alone; and of
 * the addresses that are announced all that are not https are left out
 * (XEP-0156 §2). A document may have 64 KiB.
 *
 * ## The order
 *
 * The document in the [property@Bosh.Discovery:preferred-format] is fetched
 * first. The other one is fetched only if that fails, or announces nothing. DNS
 * is asked last, and only where [property@Bosh.Discovery:allow-dns-txt] says so.
 *
 * For programs that also speak XMPP over TCP: XEP-0156 wants this to be what is
 * done when the ways of RFC 6120 §3, port 5222 and its DNS records, have failed.
 * This library knows BOSH alone, so it can't see to that.
 *
 * Since: 1.0
 */
struct _BoshDiscovery
{
  GObject parent_instance;

  char *domain;
  BoshConnectionConfiguration *configuration;
  BoshDiscoveryFormat preferred_format;
  guint timeout;
  gboolean allow_dns_txt;
};

G_DEFINE_FINAL_TYPE (BoshDiscovery, bosh_discovery, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_DOMAIN,
  PROP_CONFIGURATION,
  PROP_PREFERRED_FORMAT,
  PROP_TIMEOUT,
  PROP_ALLOW_DNS_TXT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static const struct
{
  const char *path;
  const char *accept;
  GPtrArray *(*parse) (GBytes  *bytes,
                       GError **error);
} formats[] = {
  [BOSH_DISCOVERY_FORMAT_XML] = {
    "/.well-known/host-meta",
    "application/xrd+xml",
    bosh_host_meta_parse_xml,
  },
  [BOSH_DISCOVERY_FORMAT_JSON] = {
    "/.well-known/host-meta.json",
    "application/json",
    bosh_host_meta_parse_json,
  },
};

/* --- One lookup --- */

typedef struct
{
  guint n_fetched;
  gint64 deadline;
  /* Why nothing was found: each place, with what is wrong there. */
  GString *failures;
  GError *first_error;
  gboolean was_asked;  /* something of the domain has answered */
} Lookup;

static void
lookup_free (Lookup *lookup)
{
  g_string_free (lookup->failures, TRUE);
  g_clear_error (&lookup->first_error);
  g_free (lookup);
}

/* Did this keep us from asking? Then its code tells more than that nothing was
 * found. */
static gboolean
is_unreachable (const GError *error)
{
  return error->domain != BOSH_ERROR ||
         g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TLS) ||
         g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TIMED_OUT);
}

/* Takes @error. */
static void
take_failure (Lookup     *lookup,
              const char *place,
              GError     *error)
{
  if (lookup->failures->len > 0)
    g_string_append (lookup->failures, "; ");
  g_string_append_printf (lookup->failures, "%s: %s", place, error->message);

  lookup->was_asked = lookup->was_asked || !is_unreachable (error);
  if (lookup->first_error == NULL)
    lookup->first_error = error;
  else
    g_error_free (error);
}

static void
return_failure (GTask *task)
{
  BoshDiscovery *self = g_task_get_source_object (task);
  Lookup *lookup = g_task_get_task_data (task);

  if (lookup->was_asked)
    g_task_return_new_error (task, BOSH_ERROR, BOSH_ERROR_DISCOVERY_FAILED,
                             _("No BOSH address was found for %s (%s)"),
                             self->domain, lookup->failures->str);
  else
    g_task_return_new_error (task, lookup->first_error->domain, lookup->first_error->code,
                             _("Could not ask for the BOSH addresses of %s (%s)"),
                             self->domain, lookup->failures->str);
}

/* TRUE if @task has returned. */
static gboolean
return_found (GTask     *task,
              GPtrArray *uris)
{
  BoshDiscovery *self = g_task_get_source_object (task);
  GPtrArray *found;

  if (uris->len == 0)
    return FALSE;

  found = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < uris->len; i++)
    {
      g_autoptr(BoshConnectionConfiguration) address =
        bosh_connection_configuration_new_for_uri (g_ptr_array_index (uris, i), NULL);

      g_ptr_array_add (found, bosh_connection_configuration_readdress (self->configuration,
                                                                       address));
    }
  g_task_return_pointer (task, found, (GDestroyNotify)g_ptr_array_unref);

  return TRUE;
}

static GError *
new_empty_error (void)
{
  return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_DISCOVERY_FAILED,
                              _("it announces no https address for BOSH"));
}

static char *
build_txt_name (BoshDiscovery *self)
{
  g_autofree char *ascii = g_hostname_to_ascii (self->domain);

  return g_strconcat ("_xmppconnect.", ascii != NULL ? ascii : self->domain, NULL);
}

static GPtrArray *
read_records (GList *records)
{
  GPtrArray *uris = bosh_host_meta_new_uris ();

  for (GList *l = records; l != NULL; l = l->next)
    {
      g_autofree const char **strings = NULL;

      g_variant_get (l->data, "(^a&s)", &strings);
      for (gsize i = 0; strings[i] != NULL; i++)
        {
          if (g_str_has_prefix (strings[i], TXT_PREFIX))
            bosh_host_meta_add_uri (uris, strings[i] + strlen (TXT_PREFIX));
        }
    }

  return uris;
}

static void
on_records (GObject      *source,
            GAsyncResult *result,
            gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  g_autofree char *name = build_txt_name (g_task_get_source_object (task));
  g_autoptr(GPtrArray) uris = NULL;
  GError *error = NULL;
  GList *records;

  records = g_resolver_lookup_records_finish (G_RESOLVER (source), result, &error);
  if (error == NULL)
    {
      uris = read_records (records);
      g_list_free_full (records, (GDestroyNotify)g_variant_unref);
      if (return_found (task, uris))
        return;
      error = new_empty_error ();
    }

  take_failure (g_task_get_task_data (task), name, error);
  return_failure (task);
}

static void
ask_dns (GTask *task)
{
  g_autofree char *name = build_txt_name (g_task_get_source_object (task));
  g_autoptr(GResolver) resolver = g_resolver_get_default ();

  g_resolver_lookup_records_async (resolver, name, G_RESOLVER_RECORD_TXT,
                                   g_task_get_cancellable (task),
                                   on_records, g_object_ref (task));
}

/* The preferred format, then the other. */
static BoshDiscoveryFormat
get_format (GTask *task)
{
  BoshDiscovery *self = g_task_get_source_object (task);
  Lookup *lookup = g_task_get_task_data (task);

  return (self->preferred_format + lookup->n_fetched) % G_N_ELEMENTS (formats);
}

static GUri *
build_document_uri (GTask   *task,
                    GError **error)
{
  BoshDiscovery *self = g_task_get_source_object (task);
  g_autofree char *text = bosh_uri_compose_http (TRUE, self->domain, 443,
                                                 formats[get_format (task)].path);

  return bosh_uri_parse_http (text, NULL, error);
}

static void fetch_document (GTask *task);

static void
on_document (GObject      *source,
             GAsyncResult *result,
             gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  BoshDiscovery *self = g_task_get_source_object (task);
  Lookup *lookup = g_task_get_task_data (task);
  g_autoptr(GUri) uri = build_document_uri (task, NULL);
  g_autofree char *place = g_uri_to_string (uri);
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GPtrArray) uris = NULL;
  GError *error = NULL;

  bytes = bosh_https_get_finish (result, &error);
  if (bytes != NULL)
    uris = formats[get_format (task)].parse (bytes, &error);
  if (uris != NULL && return_found (task, uris))
    return;

  if (g_task_return_error_if_cancelled (task))
    {
      g_clear_error (&error);
      return;
    }

  take_failure (lookup, place, error != NULL ? error : new_empty_error ());
  if (++lookup->n_fetched < G_N_ELEMENTS (formats))
    fetch_document (task);
  else if (self->allow_dns_txt)
    ask_dns (task);
  else
    return_failure (task);
}

static void
fetch_document (GTask *task)
{
  BoshDiscovery *self = g_task_get_source_object (task);
  Lookup *lookup = g_task_get_task_data (task);
  g_autoptr(GUri) uri = NULL;
  GError *error = NULL;

  uri = build_document_uri (task, &error);
  if (uri == NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  bosh_https_get_async (uri, formats[get_format (task)].accept, self->configuration,
                        BOSH_HOST_META_MAX_SIZE, lookup->deadline,
                        g_task_get_cancellable (task),
                        on_document, g_object_ref (task));
}

/* --- The object --- */

static void
bosh_discovery_constructed (GObject *object)
{
  BoshDiscovery *self = BOSH_DISCOVERY (object);

  G_OBJECT_CLASS (bosh_discovery_parent_class)->constructed (object);

  if (self->configuration == NULL)
    self->configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION, NULL);
}

static void
bosh_discovery_finalize (GObject *object)
{
  BoshDiscovery *self = BOSH_DISCOVERY (object);

  g_free (self->domain);
  g_object_unref (self->configuration);

  G_OBJECT_CLASS (bosh_discovery_parent_class)->finalize (object);
}

static void
bosh_discovery_get_property (GObject    *object,
                             guint       prop_id,
                             GValue     *value,
                             GParamSpec *pspec)
{
  BoshDiscovery *self = BOSH_DISCOVERY (object);

  switch (prop_id)
    {
    case PROP_DOMAIN:
      g_value_set_string (value, self->domain);
      break;

    case PROP_CONFIGURATION:
      g_value_set_object (value, self->configuration);
      break;

    case PROP_PREFERRED_FORMAT:
      g_value_set_enum (value, self->preferred_format);
      break;

    case PROP_TIMEOUT:
      g_value_set_uint (value, self->timeout);
      break;

    case PROP_ALLOW_DNS_TXT:
      g_value_set_boolean (value, self->allow_dns_txt);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

/* Every property is construct-only, so each is set once, on a fresh object. */
static void
bosh_discovery_set_property (GObject      *object,
                             guint         prop_id,
                             const GValue *value,
                             GParamSpec   *pspec)
{
  BoshDiscovery *self = BOSH_DISCOVERY (object);

  switch (prop_id)
    {
    case PROP_DOMAIN:
      self->domain = g_value_dup_string (value);
      break;

    case PROP_CONFIGURATION:
      self->configuration = g_value_dup_object (value);
      break;

    case PROP_PREFERRED_FORMAT:
      self->preferred_format = g_value_get_enum (value);
      break;

    case PROP_TIMEOUT:
      self->timeout = g_value_get_uint (value);
      break;

    case PROP_ALLOW_DNS_TXT:
      self->allow_dns_txt = g_value_get_boolean (value);
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
bosh_discovery_class_init (BoshDiscoveryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->constructed = bosh_discovery_constructed;
  object_class->finalize = bosh_discovery_finalize;
  object_class->get_property = bosh_discovery_get_property;
  object_class->set_property = bosh_discovery_set_property;

  /**
   * BoshDiscovery:domain: (getter get_domain)
   *
   * The XMPP domain: the part of a JID after the `@`. An internationalised one
   * is asked for in its ASCII form.
   *
   * Since: 1.0
   */
  properties[PROP_DOMAIN] =
    g_param_spec_string ("domain", NULL, NULL, NULL, flags);

  /**
   * BoshDiscovery:configuration: (getter get_configuration)
   *
   * What the configurations that are found have in common; without one, the
   * defaults. Its host name, port, path and security do not matter.
   *
   * Its [property@Bosh.ConnectionConfiguration:proxy-resolver],
   * [property@Bosh.ConnectionConfiguration:tls-database] and
   * [property@Bosh.ConnectionConfiguration:user-agent] also count for the
   * documents. A proxy is not asked for DNS.
   *
   * Since: 1.0
   */
  properties[PROP_CONFIGURATION] =
    g_param_spec_object ("configuration", NULL, NULL,
                         BOSH_TYPE_CONNECTION_CONFIGURATION, flags);

  /**
   * BoshDiscovery:preferred-format: (getter get_preferred_format)
   *
   * The document that is fetched first.
   *
   * Since: 1.0
   */
  properties[PROP_PREFERRED_FORMAT] =
    g_param_spec_enum ("preferred-format", NULL, NULL,
                       BOSH_TYPE_DISCOVERY_FORMAT, BOSH_DISCOVERY_FORMAT_XML, flags);

  /**
   * BoshDiscovery:timeout: (getter get_timeout)
   *
   * The time in seconds, from 1 to 3600, in which the documents must be here,
   * both together. For DNS the limits of the system hold.
   *
   * Since: 1.0
   */
  properties[PROP_TIMEOUT] =
    g_param_spec_uint ("timeout", NULL, NULL, 1, MAX_TIMEOUT, DEFAULT_TIMEOUT, flags);

  /**
   * BoshDiscovery:allow-dns-txt: (getter get_allow_dns_txt)
   *
   * Whether DNS is asked too where the documents give nothing: the TXT records
   * of `_xmppconnect.DOMAIN` that begin with `_xmpp-client-xbosh=`.
   *
   * XEP-0156 has withdrawn this method as insecure: unless the domain is signed
   * by DNSSEC and the resolver of this machine verifies that, anybody on the way
   * can answer, and so have the password sent to a server of his own, whose
   * certificate is perfectly valid. Also here only https addresses are taken, but
   * they are not proven to be those of the domain.
   *
   * Since: 1.0
   */
  properties[PROP_ALLOW_DNS_TXT] =
    g_param_spec_boolean ("allow-dns-txt", NULL, NULL, FALSE, flags);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
bosh_discovery_init (BoshDiscovery *self)
{
}

/* --- Public interface --- */

/**
 * bosh_discovery_new:
 * @domain: the XMPP domain
 * @configuration: (nullable): what the configurations that are found have in
 *   common, or `NULL` for the defaults
 *
 * Makes a discovery. Nothing is sent before
 * [method@Bosh.Discovery.lookup_async].
 *
 * Returns: (transfer full): a new discovery
 *
 * Since: 1.0
 */
BoshDiscovery *
bosh_discovery_new (const char                  *domain,
                    BoshConnectionConfiguration *configuration)
{
  g_return_val_if_fail (domain != NULL, NULL);
  g_return_val_if_fail (configuration == NULL || BOSH_IS_CONNECTION_CONFIGURATION (configuration),
                        NULL);

  return g_object_new (BOSH_TYPE_DISCOVERY,
                       "domain", domain,
                       "configuration", configuration,
                       NULL);
}

/**
 * bosh_discovery_lookup_async:
 * @self: a discovery
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is known what is announced
 * @user_data: data for @callback
 *
 * Asks the domain for the addresses of its connection managers.
 *
 * Since: 1.0
 */
void
bosh_discovery_lookup_async (BoshDiscovery       *self,
                             GCancellable        *cancellable,
                             GAsyncReadyCallback  callback,
                             gpointer             user_data)
{
  g_autoptr(GTask) task = NULL;
  Lookup *lookup;

  g_return_if_fail (BOSH_IS_DISCOVERY (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, bosh_discovery_lookup_async);
  if (g_task_return_error_if_cancelled (task))
    return;

  lookup = g_new0 (Lookup, 1);
  lookup->deadline = g_get_monotonic_time () + self->timeout * G_TIME_SPAN_SECOND;
  lookup->failures = g_string_new (NULL);
  g_task_set_task_data (task, lookup, (GDestroyNotify)lookup_free);

  fetch_document (task);
}

/**
 * bosh_discovery_lookup_finish:
 * @self: a discovery
 * @result: the result given to the callback
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends [method@Bosh.Discovery.lookup_async].
 *
 * Each element is ready for [ctor@Bosh.Client.new]; its address in one piece is
 * [method@Bosh.ConnectionConfiguration.to_uri]. The order is that of the
 * document, though XEP-0156 §3 gives it no meaning; there are no duplicates, and
 * not more than 16.
 *
 * The error is `BOSH_ERROR_DISCOVERY_FAILED` where nothing is announced, with
 * all that was tried in its message. Where the domain could not even be asked,
 * it is the one that tells why: `BOSH_ERROR_TLS`, `BOSH_ERROR_TIMED_OUT`, or one of
 * `GResolverError` or `GIOErrorEnum`. `BOSH_ERROR_INVALID_URI` means that the
 * domain can't be a host name.
 *
 * Returns: (transfer container) (element-type BoshConnectionConfiguration): at
 *   least one configuration, or `NULL` on error
 *
 * Since: 1.0
 */
GPtrArray *
bosh_discovery_lookup_finish (BoshDiscovery  *self,
                              GAsyncResult   *result,
                              GError        **error)
{
  g_return_val_if_fail (BOSH_IS_DISCOVERY (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, bosh_discovery_lookup_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * bosh_discovery_get_domain: (get-property domain)
 * @self: a discovery
 *
 * Gets [property@Bosh.Discovery:domain].
 *
 * Returns: the XMPP domain
 *
 * Since: 1.0
 */
const char *
bosh_discovery_get_domain (BoshDiscovery *self)
{
  g_return_val_if_fail (BOSH_IS_DISCOVERY (self), NULL);

  return self->domain;
}

/**
 * bosh_discovery_get_configuration: (get-property configuration)
 * @self: a discovery
 *
 * Gets [property@Bosh.Discovery:configuration].
 *
 * Returns: (transfer none): what the configurations that are found have in
 *   common
 *
 * Since: 1.0
 */
BoshConnectionConfiguration *
bosh_discovery_get_configuration (BoshDiscovery *self)
{
  g_return_val_if_fail (BOSH_IS_DISCOVERY (self), NULL);

  return self->configuration;
}

/**
 * bosh_discovery_get_preferred_format: (get-property preferred-format)
 * @self: a discovery
 *
 * Gets [property@Bosh.Discovery:preferred-format].
 *
 * Returns: the format that is fetched first
 *
 * Since: 1.0
 */
BoshDiscoveryFormat
bosh_discovery_get_preferred_format (BoshDiscovery *self)
{
  g_return_val_if_fail (BOSH_IS_DISCOVERY (self), BOSH_DISCOVERY_FORMAT_XML);

  return self->preferred_format;
}

/**
 * bosh_discovery_get_timeout: (get-property timeout)
 * @self: a discovery
 *
 * Gets [property@Bosh.Discovery:timeout].
 *
 * Returns: the time in seconds, from 1 to 3600
 *
 * Since: 1.0
 */
guint
bosh_discovery_get_timeout (BoshDiscovery *self)
{
  g_return_val_if_fail (BOSH_IS_DISCOVERY (self), 0);

  return self->timeout;
}

/**
 * bosh_discovery_get_allow_dns_txt: (get-property allow-dns-txt)
 * @self: a discovery
 *
 * Gets [property@Bosh.Discovery:allow-dns-txt].
 *
 * Returns: `TRUE` if DNS is asked too
 *
 * Since: 1.0
 */
gboolean
bosh_discovery_get_allow_dns_txt (BoshDiscovery *self)
{
  g_return_val_if_fail (BOSH_IS_DISCOVERY (self), FALSE);

  return self->allow_dns_txt;
}
