/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The library, as an application uses it. With BENCH_PIPELINE in the environment
 * it asks for BoshClient:pipeline-login, with BENCH_NO_RESOURCE it leaves the
 * resource to the server. */

#include "config.h"

#include "bench-work.h"

#include <bosh-glib.h>

typedef struct
{
  BoshClient *client;
  BenchSession *session;
  BenchAccount account;
} Client;

static void
on_message (BoshClient  *client,
            BoshElement *message,
            gpointer     user_data)
{
  Client *self = user_data;
  g_autofree char *text = bosh_element_dup_child_text (message, "body", NULL);

  if (text != NULL)
    bench_received (self->session, 1);
}

static void
on_logged_in (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  Client *self = user_data;
  g_autoptr(GError) error = NULL;

  if (!bosh_client_login_finish (self->client, result, &error))
    bench_failed (error->message);

  bench_ready (self->session, bosh_client_get_jid (self->client));
}

static void
on_connected (GObject      *source,
              GAsyncResult *result,
              gpointer      user_data)
{
  Client *self = user_data;
  g_autoptr(GError) error = NULL;

  if (!bosh_client_connect_finish (self->client, result, &error))
    bench_failed (error->message);

  bosh_client_login_async (self->client, self->account.user, self->account.password,
                           g_getenv ("BENCH_NO_RESOURCE") == NULL ? self->account.resource : NULL,
                           NULL, on_logged_in, self);
}

static gpointer
login (const BenchAccount *account,
       BenchSession       *session)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  Client *self = g_new0 (Client, 1);

  configuration = bosh_connection_configuration_new_for_host (account->host, account->port,
                                                              account->path, FALSE);
  self->client = bosh_client_new (account->domain, configuration);
  bosh_client_set_pipeline_login (self->client, g_getenv ("BENCH_PIPELINE") != NULL);
  self->session = session;
  self->account = *account;
  g_signal_connect (self->client, "stanza::message", G_CALLBACK (on_message), self);
  bosh_client_connect_async (self->client, NULL, on_connected, self);

  return self;
}

static void
send_message (gpointer    client,
              const char *text)
{
  Client *self = client;
  g_autoptr(BoshElement) message = NULL;
  g_autoptr(GError) error = NULL;

  message = bosh_element_new_message (bosh_client_get_jid (self->client), "chat", text);
  if (!bosh_client_send (self->client, message, &error))
    bench_failed (error->message);
}

static void
flush (gpointer client)
{
}

static void
close_client (gpointer client)
{
  Client *self = client;

  g_object_unref (self->client);
  g_free (self);
}

static void
iterate (void)
{
  g_main_context_iteration (NULL, TRUE);
}

int
main (int   argc,
      char *argv[])
{
  static const BenchDriver driver = { login, send_message, flush, close_client, iterate };

  return bench_main (argc, argv, &driver);
}
