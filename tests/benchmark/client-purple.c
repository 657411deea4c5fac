/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libpurple, the library of Pidgin, where Debian has it. */

#include "config.h"

#include "bench-work.h"

#include <glib/gstdio.h>
#include <purple.h>
#include <string.h>

typedef struct
{
  PurpleAccount *account;
  PurpleConversation *conversation;
  BenchSession *session;
} Client;

typedef struct
{
  PurpleInputFunction function;
  gpointer user_data;
} Watch;

static char *directory;

/* The main loop that libpurple asks its program for. */

static gboolean
on_input (GIOChannel   *channel,
          GIOCondition  condition,
          gpointer      user_data)
{
  Watch *watch = user_data;
  PurpleInputCondition seen = 0;

  if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR))
    seen |= PURPLE_INPUT_READ;
  if (condition & (G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL))
    seen |= PURPLE_INPUT_WRITE;
  watch->function (watch->user_data, g_io_channel_unix_get_fd (channel), seen);

  return G_SOURCE_CONTINUE;
}

static guint
add_input (int                  fd,
           PurpleInputCondition condition,
           PurpleInputFunction  function,
           gpointer             user_data)
{
  GIOChannel *channel = g_io_channel_unix_new (fd);
  GIOCondition wanted = 0;
  Watch *watch = g_new (Watch, 1);
  guint id;

  watch->function = function;
  watch->user_data = user_data;
  if (condition & PURPLE_INPUT_READ)
    wanted |= G_IO_IN | G_IO_HUP | G_IO_ERR;
  if (condition & PURPLE_INPUT_WRITE)
    wanted |= G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL;
  id = g_io_add_watch_full (channel, G_PRIORITY_DEFAULT, wanted, on_input, watch, g_free);
  g_io_channel_unref (channel);

  return id;
}

static guint
attach_timer (GSource     *source,
              GSourceFunc  function,
              gpointer     user_data)
{
  guint id;

  g_source_set_callback (source, function, user_data, NULL);
  id = g_source_attach (source, NULL);
  g_source_unref (source);

  return id;
}

static guint
add_timer (guint       milliseconds,
           GSourceFunc function,
           gpointer    user_data)
{
  return attach_timer (g_timeout_source_new (milliseconds), function, user_data);
}

static guint
add_seconds_timer (guint       seconds,
                   GSourceFunc function,
                   gpointer    user_data)
{
  return attach_timer (g_timeout_source_new_seconds (seconds), function, user_data);
}

static PurpleEventLoopUiOps event_loop = {
  .timeout_add = add_timer,
  .timeout_remove = g_source_remove,
  .input_add = add_input,
  .input_remove = g_source_remove,
  .timeout_add_seconds = add_seconds_timer,
};

static PurpleCoreUiOps core = { NULL };

static Client *
get_client (PurpleAccount *account)
{
  return account->ui_data;
}

static void
on_signed_on (PurpleConnection *connection,
              gpointer          user_data)
{
  Client *self = get_client (purple_connection_get_account (connection));

  self->conversation = purple_conversation_new (PURPLE_CONV_TYPE_IM, self->account,
                                                purple_account_get_username (self->account));
  bench_ready (self->session, purple_account_get_username (self->account));
}

static void
on_error (PurpleConnection      *connection,
          PurpleConnectionError  reason,
          const char            *description,
          gpointer               user_data)
{
  bench_failed (description);
}

static void
on_message (PurpleAccount      *account,
            char               *sender,
            char               *message,
            PurpleConversation *conversation,
            PurpleMessageFlags  flags,
            gpointer            user_data)
{
  bench_received (get_client (account)->session, 1);
}

static void
set_up (void)
{
  static int handle;

  directory = g_dir_make_tmp ("bench-purple-XXXXXX", NULL);
  purple_util_set_user_dir (directory);
  purple_core_set_ui_ops (&core);
  purple_eventloop_set_ui_ops (&event_loop);
  if (!purple_core_init ("bench"))
    bench_failed ("libpurple can't start");
  purple_set_blist (purple_blist_new ());
  purple_prefs_set_bool ("/purple/logging/log_ims", FALSE);
  purple_prefs_set_bool ("/purple/logging/log_system", FALSE);
  purple_prefs_set_bool ("/purple/away/away_when_idle", FALSE);
  purple_prefs_set_bool ("/purple/conversations/im/send_typing", FALSE);

  purple_signal_connect (purple_connections_get_handle (), "signed-on", &handle,
                         PURPLE_CALLBACK (on_signed_on), NULL);
  purple_signal_connect (purple_connections_get_handle (), "connection-error", &handle,
                         PURPLE_CALLBACK (on_error), NULL);
  purple_signal_connect (purple_conversations_get_handle (), "received-im-msg", &handle,
                         PURPLE_CALLBACK (on_message), NULL);
}

static gpointer
login (const BenchAccount *account,
       BenchSession       *session)
{
  Client *self = g_new0 (Client, 1);
  g_autofree char *jid = NULL;
  g_autofree char *uri = NULL;

  if (directory == NULL)
    set_up ();

  jid = g_strdup_printf ("%s@%s/%s", account->user, account->domain, account->resource);
  uri = g_strdup_printf ("http://%s:%u%s", account->host, account->port, account->path);
  self->session = session;
  self->account = purple_account_new (jid, "prpl-jabber");
  self->account->ui_data = self;
  purple_account_set_password (self->account, account->password);
  purple_account_set_string (self->account, "bosh_url", uri);
  purple_account_set_string (self->account, "connection_security", "opportunistic_tls");
  purple_account_set_bool (self->account, "auth_plain_in_clear", TRUE);
  purple_account_set_enabled (self->account, "bench", TRUE);
  purple_account_connect (self->account);

  return self;
}

static void
send_message (gpointer    client,
              const char *text)
{
  Client *self = client;

  purple_conv_im_send (PURPLE_CONV_IM (self->conversation), text);
}

static void
flush (gpointer client)
{
}

static void
close_client (gpointer client)
{
  Client *self = client;

  purple_account_set_enabled (self->account, "bench", FALSE);
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
