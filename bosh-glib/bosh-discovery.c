/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-discovery.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-domain-private.h"
#include "bosh-error.h"
#include "bosh-host-meta-private.h"
#include "bosh-https-get-private.h"
#include "bosh-i18n-private.h"
#include "bosh-uri-private.h"

#define DEFAULT_TIMEOUT 20
#define MAX_TIMEOUT 3600

/**
 * BoshDiscovery:
 *
 * Finds out where the connection managers of a domain are (XEP-0156).
 *
 * A domain announces them in a host-meta document on its own web server,
 * `https://DOMAIN/.well-known/host-meta` (RFC 6415). A [class@Bosh.Client] whose
 * configuration has no URI looks there by itself. This class shows all that was
 * announced, and lets a lookup have settings of its own:
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
 * A discovery never changes, and can make any number of lookups, also at the same
 * time.
 *
 * ## What is trusted
 *
 * Who announces the address decides where passwords are sent. So a document is fetched
 * over https alone, with a certificate that is valid for the domain. At most five
 * redirects are followed, to https alone. Announced addresses that are not https are
 * left out (XEP-0156 §2), and DNS is not asked: XEP-0156 has withdrawn its TXT records,
 * because anybody on the way can forge them. A document may have 64 KiB.
 *
 * ## The order
 *
 * The XRD document, which every domain must offer that announces anything (XEP-0156
 * §3), is fetched first. The JRD document, `host-meta.json`, is fetched only if the
 * first one can't be had or announces nothing.
 *
 * Programs that also speak XMPP over TCP: XEP-0156 wants a client to try the DNS
 * records and the port of RFC 6120 §3 before it looks for an alternative. This library
 * knows BOSH alone, and can't do that.
 *
 * Since: 1.0
 */
struct _BoshDiscovery
{
  GObject parent_instance;

  char *domain;
  BoshConnectionConfiguration *configuration;
  guint timeout;
};

G_DEFINE_FINAL_TYPE (BoshDiscovery, bosh_discovery, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_DOMAIN,
  PROP_CONFIGURATION,
  PROP_TIMEOUT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* In the order in which they are fetched. */
static const struct
{
  const char *path;
  const char *accept;
  GPtrArray *(*parse) (GBytes  *bytes,
                       GError **error);
} formats[] = {
  { "/.well-known/host-meta", "application/xrd+xml", bosh_host_meta_parse_xml },
  { "/.well-known/host-meta.json", "application/json", bosh_host_meta_parse_json },
};

/* --- One lookup --- */

typedef struct
{
  guint format;  /* which of the formats is being fetched */
  gint64 deadline;
  GString *failures;  /* each URI that was tried, with what is wrong there */
  GError *first_error;
  gboolean was_reached;  /* a server of the domain responded */
} Lookup;

static void
lookup_free (Lookup *lookup)
{
  g_string_free (lookup->failures, TRUE);
  g_clear_error (&lookup->first_error);
  g_free (lookup);
}

/* TRUE if the server was not even reached, so that the code of @error says more than
 * that nothing was found. */
static gboolean
is_unreachable (const GError *error)
{
  return error->domain != BOSH_ERROR ||
         g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TLS) ||
         g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TIMED_OUT);
}

/* @error: (transfer full) */
static void
take_failure (Lookup *lookup,
              GUri   *uri,
              GError *error)
{
  g_autofree char *text = g_uri_to_string (uri);

  if (lookup->failures->len > 0)
    g_string_append (lookup->failures, "; ");
  g_string_append_printf (lookup->failures, "%s: %s", text, error->message);

  if (!is_unreachable (error))
    lookup->was_reached = TRUE;
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

  if (lookup->was_reached)
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
    g_ptr_array_add (found,
                     bosh_connection_configuration_copy_with_uri (self->configuration,
                                                                  g_ptr_array_index (uris, i)));
  g_task_return_pointer (task, found, (GDestroyNotify)g_ptr_array_unref);

  return TRUE;
}

/* The URI of the document of the present format. */
static GUri *
build_document_uri (GTask   *task,
                    GError **error)
{
  BoshDiscovery *self = g_task_get_source_object (task);
  Lookup *lookup = g_task_get_task_data (task);
  g_autofree char *domain = bosh_domain_prepare (self->domain != NULL ? self->domain : "", error);
  g_autofree char *text = NULL;

  if (domain == NULL)
    return NULL;

  text = bosh_uri_compose_http (TRUE, domain, 443, formats[lookup->format].path);

  return bosh_uri_parse_http (text, NULL, error);
}

static void fetch_document (GTask *task);

static void
on_document (GObject      *source,
             GAsyncResult *result,
             gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  Lookup *lookup = g_task_get_task_data (task);
  g_autoptr(GUri) uri = build_document_uri (task, NULL);
  g_autoptr(GBytes) bytes = NULL;
  g_autoptr(GPtrArray) uris = NULL;
  g_autoptr(GError) error = NULL;

  bytes = bosh_https_get_finish (result, &error);
  if (bytes != NULL)
    uris = formats[lookup->format].parse (bytes, &error);
  if (uris != NULL && return_found (task, uris))
    return;

  if (g_task_return_error_if_cancelled (task))
    return;

  if (error == NULL)
    error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_DISCOVERY_FAILED,
                                 _("it announces no https address for BOSH"));
  take_failure (lookup, uri, g_steal_pointer (&error));
  if (++lookup->format < G_N_ELEMENTS (formats))
    fetch_document (task);
  else
    return_failure (task);
}

static void
fetch_document (GTask *task)
{
  BoshDiscovery *self = g_task_get_source_object (task);
  Lookup *lookup = g_task_get_task_data (task);
  g_autoptr(GUri) uri = NULL;
  g_autoptr(GError) error = NULL;

  uri = build_document_uri (task, &error);
  if (uri == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  bosh_https_get_async (uri, formats[lookup->format].accept, self->configuration,
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
    case PROP_TIMEOUT:
      g_value_set_uint (value, self->timeout);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

/* Every property is construct-only, so each is set once, on a new object. */
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
      if (g_value_get_string (value) != NULL)
        self->domain = bosh_domain_dup_prepared (g_value_get_string (value));
      break;
    case PROP_CONFIGURATION:
      self->configuration = g_value_dup_object (value);
      break;
    case PROP_TIMEOUT:
      self->timeout = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

#define CONSTRUCT_ONLY (G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS)

static void
bosh_discovery_class_init (BoshDiscoveryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = bosh_discovery_constructed;
  object_class->finalize = bosh_discovery_finalize;
  object_class->get_property = bosh_discovery_get_property;
  object_class->set_property = bosh_discovery_set_property;

  /**
   * BoshDiscovery:domain:
   *
   * The XMPP domain: the part of a JID after the `@`, prepared as that of
   * [property@Bosh.Connection:domain]. An internationalised one is asked in its ASCII form.
   *
   * Since: 1.0
   */
  properties[PROP_DOMAIN] =
    g_param_spec_string ("domain", NULL, NULL, NULL, CONSTRUCT_ONLY);

  /**
   * BoshDiscovery:configuration:
   *
   * The settings of the configurations that are found, apart from the URI; without
   * one, the defaults.
   *
   * Its [property@Bosh.ConnectionConfiguration:proxy-resolver],
   * [property@Bosh.ConnectionConfiguration:tls-database] and
   * [property@Bosh.ConnectionConfiguration:user-agent] are also used to fetch the
   * documents.
   *
   * Since: 1.0
   */
  properties[PROP_CONFIGURATION] =
    g_param_spec_object ("configuration", NULL, NULL,
                         BOSH_TYPE_CONNECTION_CONFIGURATION, CONSTRUCT_ONLY);

  /**
   * BoshDiscovery:timeout:
   *
   * The time in seconds, from 1 to 3600, that a lookup may take.
   *
   * Since: 1.0
   */
  properties[PROP_TIMEOUT] =
    g_param_spec_uint ("timeout", NULL, NULL, 1, MAX_TIMEOUT, DEFAULT_TIMEOUT, CONSTRUCT_ONLY);

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
 * @configuration: (nullable): the settings of the configurations that are found,
 *   or `NULL` for the defaults
 *
 * Creates a discovery. Nothing is sent before
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
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when the lookup is complete
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
 * @error: return location for an error
 *
 * Finishes [method@Bosh.Discovery.lookup_async].
 *
 * There is one configuration for each address, in the order of the document, though
 * XEP-0156 §3 gives it no meaning. There are no duplicates, and not more than 16. Each
 * is ready for [ctor@Bosh.Client.new].
 *
 * The error is `BOSH_ERROR_DISCOVERY_FAILED` where the domain announces nothing, with
 * all that was tried in its message. Where no server of the domain could be reached it is
 * the error of the attempt: `BOSH_ERROR_TLS`, `BOSH_ERROR_TIMED_OUT`, or one of
 * `GResolverError` or `GIOErrorEnum`. `BOSH_ERROR_INVALID_JID` means that the domain is
 * none.
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
 * bosh_discovery_get_domain:
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
 * bosh_discovery_get_configuration:
 * @self: a discovery
 *
 * Gets [property@Bosh.Discovery:configuration].
 *
 * Returns: (transfer none): the settings of the configurations that are found
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
 * bosh_discovery_get_timeout:
 * @self: a discovery
 *
 * Gets [property@Bosh.Discovery:timeout].
 *
 * Returns: the time in seconds
 *
 * Since: 1.0
 */
guint
bosh_discovery_get_timeout (BoshDiscovery *self)
{
  g_return_val_if_fail (BOSH_IS_DISCOVERY (self), 0);

  return self->timeout;
}
