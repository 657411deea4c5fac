/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Logs in, and hands the session over: prints the JID, SID and RID with which
 * another program attaches to it.
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
  BoshSavedSession *session;
  GError *error;
} Prebind;

static void
on_prebound (GObject      *source,
             GAsyncResult *result,
             gpointer      user_data)
{
  Prebind *prebind = user_data;

  prebind->session = bosh_client_prebind_finish (BOSH_CLIENT (source), result, &prebind->error);
  g_main_loop_quit (prebind->loop);
}

static BoshClient *
create_client (const char  *uri,
               const char  *domain,
               GError     **error)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(GTlsDatabase) database = NULL;

  if (g_getenv ("BOSH_CA_FILE") != NULL)
    {
      database = g_tls_file_database_new (g_getenv ("BOSH_CA_FILE"), error);
      if (database == NULL)
        return NULL;
    }

  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", uri,
                                "use-key-sequence", g_getenv ("BOSH_KEY_SEQUENCE") != NULL,
                                "tls-database", database,
                                NULL);

  return bosh_client_new (domain, configuration);
}

int
main (int   argc,
      char *argv[])
{
  const char *username = argc > 3 ? argv[3] : NULL;
  const char *password = username != NULL ? g_getenv ("BOSH_PASSWORD") : NULL;
  g_autoptr(GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr(BoshClient) client = NULL;
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GError) error = NULL;
  Prebind prebind = { loop, NULL, NULL };

  if (argc < 3 || (username != NULL && password == NULL))
    {
      g_printerr ("Usage: BOSH_PASSWORD=… prebind URI DOMAIN [USERNAME [RESOURCE]]\n");
      return 2;
    }

  client = create_client (argv[1], argv[2], &prebind.error);
  if (client != NULL)
    {
      bosh_client_prebind_async (client, username, password, argc > 4 ? argv[4] : NULL,
                                 NULL, on_prebound, &prebind);
      g_main_loop_run (loop);
    }

  session = prebind.session;
  error = prebind.error;
  if (session == NULL)
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }

  g_print ("JID: %s\n", bosh_saved_session_get_jid (session));
  g_print ("SID: %s\n", bosh_saved_session_get_session_id (session));
  g_print ("RID: %" G_GUINT64_FORMAT "\n", bosh_saved_session_get_request_id (session));

  return 0;
}
