/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Logs in, and hands the session over: prints the numbers by which another
 * program goes on with it.
 *
 *   prebind URI DOMAIN [USERNAME [RESOURCE]]
 *
 * Without a user name the login is anonymous. Environment: BOSH_PASSWORD;
 * BOSH_KEY_SEQUENCE, if set, asks for one; BOSH_CA_FILE is who is trusted.
 */

#include <bosh-glib/bosh-glib.h>

typedef struct
{
  GMainLoop *loop;
  const char *username;
  const char *resource;
  GError *error;
} Prebind;

static void
on_logged_in (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  Prebind *prebind = user_data;
  BoshClient *client = BOSH_CLIENT (source);
  BoshConnection *connection = bosh_client_get_connection (client);

  if (prebind->username != NULL
        ? bosh_client_login_finish (client, result, &prebind->error)
        : bosh_client_login_anonymously_finish (client, result, &prebind->error))
    {
      g_print ("JID: %s\n", bosh_client_get_jid (client));
      g_print ("SID: %s\n", bosh_connection_get_session_id (connection));
      /* The session lives on in the server. */
      g_print ("RID: %" G_GUINT64_FORMAT "\n", bosh_connection_detach (connection));
    }
  g_main_loop_quit (prebind->loop);
}

static void
on_connected (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  Prebind *prebind = user_data;
  BoshClient *client = BOSH_CLIENT (source);

  if (!bosh_client_connect_finish (client, result, &prebind->error))
    g_main_loop_quit (prebind->loop);
  else if (prebind->username != NULL)
    bosh_client_login_async (client, prebind->username, g_getenv ("BOSH_PASSWORD"),
                             prebind->resource, NULL, on_logged_in, prebind);
  else
    bosh_client_login_anonymously_async (client, NULL, NULL, on_logged_in, prebind);
}

static BoshClient *
create_client (const char  *address,
               const char  *domain,
               GError     **error)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(GTlsDatabase) database = NULL;
  g_autoptr(GUri) uri = NULL;

  uri = g_uri_parse (address, G_URI_FLAGS_SCHEME_NORMALIZE, error);
  if (uri == NULL)
    return NULL;
  if (g_getenv ("BOSH_CA_FILE") != NULL)
    {
      database = g_tls_file_database_new (g_getenv ("BOSH_CA_FILE"), error);
      if (database == NULL)
        return NULL;
    }

  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "hostname", g_uri_get_host (uri),
                                "port", g_uri_get_port (uri),
                                "path", g_uri_get_path (uri),
                                "secure", g_str_equal (g_uri_get_scheme (uri), "https"),
                                "use-key-sequence", g_getenv ("BOSH_KEY_SEQUENCE") != NULL,
                                "tls-database", database,
                                NULL);

  return bosh_client_new (domain, configuration);
}

int
main (int   argc,
      char *argv[])
{
  g_autoptr(GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr(BoshClient) client = NULL;
  g_autoptr(GError) error = NULL;
  Prebind prebind = { loop, argc > 3 ? argv[3] : NULL, argc > 4 ? argv[4] : NULL, NULL };

  if (argc < 3 || (argc > 3 && g_getenv ("BOSH_PASSWORD") == NULL))
    {
      g_printerr ("Usage: BOSH_PASSWORD=… prebind URI DOMAIN [USERNAME [RESOURCE]]\n");
      return 2;
    }

  client = create_client (argv[1], argv[2], &prebind.error);
  if (client != NULL)
    {
      bosh_client_connect_async (client, NULL, on_connected, &prebind);
      g_main_loop_run (loop);
    }

  error = prebind.error;
  if (error != NULL)
    g_printerr ("%s\n", error->message);

  return error == NULL ? 0 : 1;
}
