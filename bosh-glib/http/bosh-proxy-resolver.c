/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-proxy-resolver-private.h"

#include "bosh-connection-configuration-private.h"
#include "bosh-secret-clear-private.h"

#include <string.h>

typedef struct
{
  char *username;
  char *password;
} Credentials;

struct _BoshProxyResolver
{
  GObject parent_instance;

  GProxyResolver *base;
  BoshConnectionConfiguration *configuration;
  GHashTable *credentials;  /* host:port of a proxy → Credentials */
  gboolean was_asked;
  gboolean has_proxy;       /* one of the URIs was not direct:// */
};

static void bosh_proxy_resolver_iface_init (GProxyResolverInterface *iface);

/* clang-format off */
G_DEFINE_FINAL_TYPE_WITH_CODE (BoshProxyResolver, bosh_proxy_resolver, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_PROXY_RESOLVER,
                                                      bosh_proxy_resolver_iface_init))
/* clang-format on */

static void
credentials_free (gpointer data)
{
  Credentials *self = data;

  bosh_secret_clear (&self->password);
  g_free (self->username);
  g_free (self);
}

static char *
dup_authority (GUri *uri)
{
  int port = g_uri_get_port (uri);

  if (port == -1)
    port = strcmp (g_uri_get_scheme (uri), "https") == 0 ? 443 : 80;

  return g_strdup_printf ("%s:%d", g_uri_get_host (uri), port);
}

/* Takes the userinfo out of the URI of an HTTP proxy. */
static char *
keep_credentials (BoshProxyResolver *self,
                  GUri              *uri)
{
  Credentials *credentials = g_new0 (Credentials, 1);

  credentials->username = g_strdup (g_uri_get_user (uri));
  credentials->password = g_strdup (g_uri_get_password (uri) != NULL ? g_uri_get_password (uri) : "");
  g_hash_table_replace (self->credentials, dup_authority (uri), credentials);

  return g_uri_to_string_partial (uri, G_URI_HIDE_USERINFO);
}

/* GIO has the user name and the password for a SOCKS proxy from its URI. */
static char *
add_credentials (BoshProxyResolver *self,
                 GUri              *uri)
{
  const char *username = bosh_connection_configuration_get_proxy_username (self->configuration);
  g_autoptr(GUri) result = NULL;

  if (username == NULL)
    return NULL;

  result = g_uri_build_with_user (G_URI_FLAGS_HAS_PASSWORD, g_uri_get_scheme (uri), username,
                                  bosh_connection_configuration_get_proxy_password (self->configuration),
                                  NULL, g_uri_get_host (uri), g_uri_get_port (uri),
                                  g_uri_get_path (uri), NULL, NULL);

  return g_uri_to_string (result);
}

/* @text: where a proxy is; replaced by what libsoup can use */
static void
take_uri (BoshProxyResolver  *self,
          char              **text)
{
  g_autoptr(GUri) uri = g_uri_parse (*text, G_URI_FLAGS_HAS_PASSWORD, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  char *replacement = NULL;

  if (strcmp (scheme, "direct") == 0)
    return;

  self->has_proxy = TRUE;
  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return;

  if (g_str_has_prefix (scheme, "http") && g_uri_get_user (uri) != NULL)
    replacement = keep_credentials (self, uri);
  else if (g_str_has_prefix (scheme, "socks") && g_uri_get_user (uri) == NULL)
    replacement = add_credentials (self, uri);
  if (replacement == NULL)
    return;

  g_free (*text);
  *text = replacement;
}

static char **
take_uris (BoshProxyResolver  *self,
           char              **uris)
{
  self->was_asked = TRUE;
  for (guint i = 0; uris != NULL && uris[i] != NULL; i++)
    take_uri (self, &uris[i]);

  return uris;
}

static gboolean
bosh_proxy_resolver_is_supported (GProxyResolver *resolver)
{
  return g_proxy_resolver_is_supported (BOSH_PROXY_RESOLVER (resolver)->base);
}

static char **
bosh_proxy_resolver_lookup (GProxyResolver  *resolver,
                            const char      *uri,
                            GCancellable    *cancellable,
                            GError         **error)
{
  BoshProxyResolver *self = BOSH_PROXY_RESOLVER (resolver);

  return take_uris (self, g_proxy_resolver_lookup (self->base, uri, cancellable, error));
}

static void
on_looked_up (GObject      *source_object,
              GAsyncResult *result,
              gpointer      user_data)
{
  g_autoptr(GTask) task = user_data;
  GError *error = NULL;
  char **uris = g_proxy_resolver_lookup_finish (G_PROXY_RESOLVER (source_object), result, &error);

  if (uris != NULL)
    g_task_return_pointer (task, take_uris (g_task_get_source_object (task), uris),
                           (GDestroyNotify)g_strfreev);
  else
    g_task_return_error (task, error);
}

static void
bosh_proxy_resolver_lookup_async (GProxyResolver      *resolver,
                                  const char          *uri,
                                  GCancellable        *cancellable,
                                  GAsyncReadyCallback  callback,
                                  gpointer             user_data)
{
  GTask *task = g_task_new (resolver, cancellable, callback, user_data);

  g_task_set_source_tag (task, bosh_proxy_resolver_lookup_async);
  g_proxy_resolver_lookup_async (BOSH_PROXY_RESOLVER (resolver)->base, uri, cancellable,
                                 on_looked_up, task);
}

static char **
bosh_proxy_resolver_lookup_finish (GProxyResolver  *resolver,
                                   GAsyncResult    *result,
                                   GError         **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
bosh_proxy_resolver_iface_init (GProxyResolverInterface *iface)
{
  iface->is_supported = bosh_proxy_resolver_is_supported;
  iface->lookup = bosh_proxy_resolver_lookup;
  iface->lookup_async = bosh_proxy_resolver_lookup_async;
  iface->lookup_finish = bosh_proxy_resolver_lookup_finish;
}

static void
bosh_proxy_resolver_finalize (GObject *object)
{
  BoshProxyResolver *self = BOSH_PROXY_RESOLVER (object);

  g_hash_table_unref (self->credentials);
  g_clear_object (&self->configuration);
  g_clear_object (&self->base);

  G_OBJECT_CLASS (bosh_proxy_resolver_parent_class)->finalize (object);
}

static void
bosh_proxy_resolver_class_init (BoshProxyResolverClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = bosh_proxy_resolver_finalize;
}

static void
bosh_proxy_resolver_init (BoshProxyResolver *self)
{
  self->credentials = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, credentials_free);
}

BoshProxyResolver *
bosh_proxy_resolver_new (BoshConnectionConfiguration *configuration)
{
  BoshProxyResolver *self = g_object_new (BOSH_TYPE_PROXY_RESOLVER, NULL);
  GProxyResolver *base = bosh_connection_configuration_get_proxy_resolver (configuration);

  self->configuration = g_object_ref (configuration);
  self->base = g_object_ref (base != NULL ? base : g_proxy_resolver_get_default ());

  return self;
}

gboolean
bosh_proxy_resolver_may_have_proxy (BoshProxyResolver *self)
{
  return self->has_proxy || !self->was_asked;
}

gboolean
bosh_proxy_resolver_authenticate (BoshProxyResolver *self,
                                  SoupAuth          *auth)
{
  const Credentials *credentials = g_hash_table_lookup (self->credentials,
                                                        soup_auth_get_authority (auth));
  const char *username = bosh_connection_configuration_get_proxy_username (self->configuration);
  const char *password = bosh_connection_configuration_get_proxy_password (self->configuration);

  if (credentials != NULL)
    soup_auth_authenticate (auth, credentials->username, credentials->password);
  else if (username != NULL)
    soup_auth_authenticate (auth, username, password != NULL ? password : "");

  return credentials != NULL || username != NULL;
}
