/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-tool-options.h"

#include <stdlib.h>
#include <string.h>

#include <glib/gi18n.h>

#define DEFAULT_TIMEOUT 60
#define MAX_TIMEOUT 86400
/* As BoshConnectionConfiguration:wait. */
#define DEFAULT_WAIT 55
#define MAX_WAIT 3600

typedef struct
{
  const char *name;
  const char *arguments;
  const char *summary;
} CommandInfo;

static const CommandInfo commands[] = {
  [TOOL_COMMAND_PREBIND] = {
    "prebind",
    N_("JID"),
    N_("Log in and hand the session over: print what another program needs to go on"),
  },
  [TOOL_COMMAND_SEND] = {
    "send",
    N_("JID TO TEXT"),
    N_("Send a message"),
  },
  [TOOL_COMMAND_LISTEN] = {
    "listen",
    N_("JID"),
    N_("Print the stanzas that arrive, until interrupted"),
  },
  [TOOL_COMMAND_DISCOVER] = {
    "discover",
    N_("DOMAIN"),
    N_("Print the addresses of the connection managers of a domain"),
  },
};

G_DEFINE_QUARK (tool-usage-error-quark, tool_usage_error)

static G_GNUC_PRINTF (2, 3) gboolean
set_usage_error (GError     **error,
                 const char  *format,
                 ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_propagate_error (error,
                     g_error_new_valist (TOOL_USAGE_ERROR, 0,
                                         format, arguments));
  va_end (arguments);

  return FALSE;
}

/* [user@]domain[/resource] */
static gboolean
parse_jid (ToolOptions  *options,
           const char   *jid,
           GError      **error)
{
  const char *slash = strchr (jid, '/');
  g_autofree char *bare = NULL;
  char *at;

  if (slash != NULL && options->resource != NULL)
    return set_usage_error (error, _("The resource is given twice, in the JID and with --resource"));
  if (slash != NULL)
    options->resource = g_strdup (slash + 1);
  if (options->resource != NULL && *options->resource == '\0')
    return set_usage_error (error, _("The resource is empty"));

  bare = slash != NULL ? g_strndup (jid, slash - jid) : g_strdup (jid);
  at = strchr (bare, '@');
  if (options->anonymous)
    {
      if (at != NULL)
        return set_usage_error (error, _("With --anonymous the JID is the domain alone"));
    }
  else
    {
      if (at == NULL || at == bare)
        return set_usage_error (error, _("“%s” is no JID of a user (user@domain)"), jid);
      options->username = g_strndup (bare, at - bare);
    }

  options->domain = g_strdup (at != NULL ? at + 1 : bare);
  if (*options->domain == '\0')
    return set_usage_error (error, _("“%s” has no domain"), jid);

  return TRUE;
}

static gboolean
parse_arguments (ToolOptions  *options,
                 char        **arguments,
                 GError      **error)
{
  guint given = arguments != NULL ? g_strv_length (arguments) : 0;
  guint expected = 0;

  if (options->session_file == NULL)
    expected++;
  if (options->command == TOOL_COMMAND_SEND)
    expected += 2;

  if (given < expected)
    return set_usage_error (error, _("Too few arguments; see bosh-tool %s --help"),
                            commands[options->command].name);
  if (given > expected)
    return set_usage_error (error, _("Too many arguments; see bosh-tool %s --help"),
                            commands[options->command].name);

  if (options->command == TOOL_COMMAND_SEND)
    {
      options->to = g_strdup (arguments[expected - 2]);
      options->text = g_strdup (arguments[expected - 1]);
      if (*options->to == '\0')
        return set_usage_error (error, _("The recipient is empty"));
    }

  if (options->command == TOOL_COMMAND_DISCOVER)
    {
      options->domain = g_strdup (arguments[0]);
      return *options->domain != '\0' || set_usage_error (error, _("The domain is empty"));
    }

  return options->session_file != NULL ||
         parse_jid (options, arguments[0], error);
}

static gboolean
parse_format (ToolOptions  *options,
              const char   *format,
              GError      **error)
{
  if (format == NULL || g_str_equal (format, "text"))
    options->json = FALSE;
  else if (g_str_equal (format, "json"))
    options->json = TRUE;
  else
    return set_usage_error (error, _("“%s” is no format: text or json"), format);

  return TRUE;
}

static gboolean
is_kind_of_stanza (const char *name)
{
  return g_str_equal (name, "message") || g_str_equal (name, "presence") || g_str_equal (name, "iq");
}

static gboolean
check_options (ToolOptions  *options,
               GError      **error)
{
  if (options->wait < 0 || options->wait > MAX_WAIT)
    return set_usage_error (error, _("The wait is a number of seconds from 0 to %d"), MAX_WAIT);
  if (options->timeout < 0 || options->timeout > MAX_TIMEOUT)
    return set_usage_error (error, _("The timeout is a number of seconds from 0 to %d"), MAX_TIMEOUT);
  if (options->count < 0)
    return set_usage_error (error, _("The count is negative"));
  if (options->only != NULL && !is_kind_of_stanza (options->only))
    return set_usage_error (error, _("“%s” is no kind of stanza: message, presence or iq"), options->only);
  if (options->detach_file != NULL && *options->detach_file == '\0')
    return set_usage_error (error, _("The name of the file for --detach is empty"));
  if (options->proxy != NULL && g_uri_peek_scheme (options->proxy) == NULL)
    return set_usage_error (error, _("What --proxy has is no URI"));
  if (options->anonymous &&
      (options->password_file != NULL || options->insecure_plain))
    return set_usage_error (error, _("--anonymous needs no password"));
  if (options->session_file != NULL &&
      (options->anonymous || options->insecure_plain ||
       options->key_sequence || options->password_file != NULL ||
       options->resource != NULL))
    return set_usage_error (error, _("With --session nobody logs in, so the options of a login don't fit"));

  return TRUE;
}

/* The options of the commands that have a session. */
static void
add_session_entries (GOptionContext *context,
                     ToolOptions    *options)
{
  const GOptionEntry connection[] = {
    { "uri", 'u', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &options->uri,
      N_("Address of the connection manager (default: the one that the domain announces)"), N_("URI") },
    { "wait", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_INT, &options->wait,
      N_("Ask the server to hold a request for so long"), N_("SECONDS") },
    { "verbose", 'v', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &options->verbose,
      N_("Show the bodies on the wire, without the secrets of the login"), NULL },
    G_OPTION_ENTRY_NULL
  };
  const GOptionEntry login[] = {
    { "password-file", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME, &options->password_file,
      N_("Read the password from this file (-: standard input)"), N_("FILE") },
    { "resource", 'r', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &options->resource,
      N_("Bind this resource (default: the server chooses)"), N_("RESOURCE") },
    { "anonymous", 'a', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &options->anonymous,
      N_("Log in anonymously; the JID is the domain"), NULL },
    { "insecure-plain", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &options->insecure_plain,
      N_("Show the password to the server even over an unencrypted connection"), NULL },
    { "key-sequence", 'k', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &options->key_sequence,
      N_("Protect the session with a key sequence"), NULL },
    G_OPTION_ENTRY_NULL
  };
  const GOptionEntry session[] = {
    { "session", 's', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME, &options->session_file,
      N_("Go on with the session in this file, which prebind --format=json wrote, in place of JID and login (-: standard input)"), N_("FILE") },
    G_OPTION_ENTRY_NULL
  };

  g_option_context_add_main_entries (context, connection, GETTEXT_PACKAGE);
  g_option_context_add_main_entries (context, login, GETTEXT_PACKAGE);
  if (options->command != TOOL_COMMAND_PREBIND)
    g_option_context_add_main_entries (context, session, GETTEXT_PACKAGE);
}

/* In the order in which --help shows them. */
static void
add_entries (GOptionContext  *context,
             ToolOptions     *options,
             char           **format)
{
  const GOptionEntry network[] = {
    { "ca-file", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME, &options->ca_file,
      N_("Trust the certificate authorities in this PEM file, and no others"), N_("FILE") },
    { "proxy", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &options->proxy,
      N_("Go through this proxy (http:, socks5:)"), N_("URI") },
    { "timeout", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_INT, &options->timeout,
      N_("Give up when logging in, attaching, sending or asking the domain takes longer (default: 60; 0: never)"), N_("SECONDS") },
    G_OPTION_ENTRY_NULL
  };
  const GOptionEntry output[] = {
    { "format", 'f', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, format,
      N_("What to print: text (default) or json"), N_("FORMAT") },
    G_OPTION_ENTRY_NULL
  };
  const GOptionEntry listen[] = {
    { "detach", 'd', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME, &options->detach_file,
      N_("Hand the session over into this file at the end (-: standard output)"), N_("FILE") },
    { "count", 'n', G_OPTION_FLAG_NONE, G_OPTION_ARG_INT, &options->count,
      N_("End after so many stanzas (0: never)"), N_("NUMBER") },
    { "only", 'o', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &options->only,
      N_("Print and count stanzas of this kind alone: message, presence or iq"), N_("KIND") },
    G_OPTION_ENTRY_NULL
  };
  const GOptionEntry send[] = {
    { "confirm", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &options->confirm,
      N_("Wait until the server has the message before the wait for an error begins"), NULL },
    G_OPTION_ENTRY_NULL
  };

  g_option_context_add_main_entries (context, network, GETTEXT_PACKAGE);
  if (options->command != TOOL_COMMAND_DISCOVER)
    add_session_entries (context, options);
  if (options->command != TOOL_COMMAND_SEND)
    g_option_context_add_main_entries (context, output, GETTEXT_PACKAGE);
  if (options->command == TOOL_COMMAND_LISTEN)
    g_option_context_add_main_entries (context, listen, GETTEXT_PACKAGE);
  if (options->command == TOOL_COMMAND_SEND)
    g_option_context_add_main_entries (context, send, GETTEXT_PACKAGE);
}

static char *
describe_exit (void)
{
  return g_strdup_printf ("%s\n  %d    %s\n  %d    %s\n  %d    %s\n  %d    %s\n  %d    %s\n"
                          "  %d  %s\n  %d  %s\n  %d  %s",
                          _("Exit status:"),
                          TOOL_EXIT_OK,
                          _("success"),
                          TOOL_EXIT_FAILURE,
                          _("the network, the server, the session or a file failed"),
                          TOOL_EXIT_USAGE,
                          _("wrong use of the command line"),
                          TOOL_EXIT_AUTHENTICATION,
                          _("authentication failed"),
                          TOOL_EXIT_REFUSED,
                          _("the message came back with an error"),
                          TOOL_EXIT_SIGNAL + 1,
                          _("interrupted by SIGHUP before the work was done"),
                          TOOL_EXIT_SIGNAL + 2,
                          _("interrupted by Ctrl-C before the work was done"),
                          TOOL_EXIT_SIGNAL + 15,
                          _("interrupted by SIGTERM before the work was done"));
}

static gboolean
parse_command_line (ToolOptions  *options,
                    char        **arguments,
                    GError      **error)
{
  const CommandInfo *command = &commands[options->command];
  g_autoptr(GOptionContext) context = NULL;
  g_autofree char *exit_description = describe_exit ();
  g_autofree char *description = NULL;
  g_autofree char *program = g_strconcat ("bosh-tool ", command->name, NULL);
  g_autofree char *format = NULL;
  g_auto(GStrv) rest = NULL;
  const GOptionEntry remaining[] = {
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING_ARRAY,
      &rest, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  /* The usage line of the help has the name of the program. */
  g_set_prgname (program);
  context = g_option_context_new (_(command->arguments));
  g_option_context_set_summary (context, _(command->summary));
  if (options->command == TOOL_COMMAND_DISCOVER)
    description = g_strdup_printf ("%s\n", exit_description);
  else
    description = g_strdup_printf ("%s\n\n%s\n",
                                   _("The password comes from --password-file, from the environment variable\n"
                                     "BOSH_PASSWORD, or from a question on the terminal."),
                                   exit_description);
  g_option_context_set_description (context, description);
  add_entries (context, options, &format);
  g_option_context_add_main_entries (context, remaining, GETTEXT_PACKAGE);

  if (!g_option_context_parse_strv (context, &arguments, error))
    return FALSE;

  return parse_format (options, format, error) &&
         check_options (options, error) &&
         parse_arguments (options, rest, error);
}

static void
print_help (void)
{
  g_autofree char *exit_description = describe_exit ();

  g_print ("%s\n  bosh-tool %s\n\n%s\n",
           _("Usage:"),
           _("COMMAND [OPTION…] ARGUMENT…"),
           _("Log in to an XMPP server over HTTP (BOSH)."));
  g_print ("\n%s\n", _("Commands:"));
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    g_print ("  %-8s %-12s %s\n",
             commands[i].name, _(commands[i].arguments), _(commands[i].summary));
  g_print ("\n%s\n  %-21s %s\n  %-21s %s\n\n%s\n\n%s\n",
           _("Options:"),
           "-h, --help", _("Show help and end; each command has its own"),
           "--version", _("Show the version and end"),
           exit_description,
           _("See bosh-tool COMMAND --help for the options of a command."));
}

gboolean
tool_options_parse (ToolOptions  *options,
                    char        **arguments,
                    GError      **error)
{
  g_auto(GStrv) copy = NULL;
  const char *name;
  guint i;

  /* One line of an error begins with the name, also before a command is known. */
  g_set_prgname ("bosh-tool");
  if (arguments[0] == NULL || arguments[1] == NULL)
    return set_usage_error (error, _("No command; see bosh-tool --help"));

  name = arguments[1];
  if (g_str_equal (name, "--help") || g_str_equal (name, "-h"))
    {
      print_help ();
      exit (TOOL_EXIT_OK);
    }
  if (g_str_equal (name, "--version"))
    {
      g_print ("bosh-tool %s\n", PACKAGE_VERSION);
      exit (TOOL_EXIT_OK);
    }

  for (i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (name, commands[i].name))
      break;
  if (i == G_N_ELEMENTS (commands))
    return set_usage_error (error, _("There is no command “%s”; see bosh-tool --help"), name);

  options->command = i;
  options->wait = DEFAULT_WAIT;
  options->timeout = DEFAULT_TIMEOUT;
  copy = g_strdupv (arguments + 1);

  return parse_command_line (options, copy, error);
}

void
tool_options_clear (ToolOptions *options)
{
  g_clear_pointer (&options->uri, g_free);
  g_clear_pointer (&options->ca_file, g_free);
  g_clear_pointer (&options->proxy, g_free);
  g_clear_pointer (&options->username, g_free);
  g_clear_pointer (&options->domain, g_free);
  g_clear_pointer (&options->resource, g_free);
  g_clear_pointer (&options->password_file, g_free);
  g_clear_pointer (&options->session_file, g_free);
  g_clear_pointer (&options->detach_file, g_free);
  g_clear_pointer (&options->to, g_free);
  g_clear_pointer (&options->text, g_free);
  g_clear_pointer (&options->only, g_free);
}
