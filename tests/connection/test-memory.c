/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A server sends, as fast as it can, what makes a client keep much: the whole process of
 * the client takes at most 64 MiB. The server is this program, and the client another
 * process of it, of which the kernel knows how much memory it took at most. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-manager.h"

#include <stdlib.h>
#include <string.h>

#define NS_HTTPBIND "http://jabber.org/protocol/httpbind"
#define BODY "<body xmlns='" NS_HTTPBIND "'>"

#define MAX_MEMORY (64 * 1024 * 1024)

/* Responses while an earlier one is withheld, and those after that. */
#define MAX_LATE 30

/* Milliseconds between two messages of a client that sends some. */
#define MESSAGE_INTERVAL 10

/* --- The client, in a process of its own --- */

static GMainLoop *loop;

static void
on_closed (BoshClient   *client,
           const GError *error,
           gpointer      user_data)
{
  g_main_loop_quit (loop);
}

static gboolean
send_message (gpointer user_data)
{
  g_autoptr(BoshElement) message = bosh_element_new_message ("juliet@example.org", NULL, "Hello");

  bosh_client_send (user_data, message, NULL);

  return G_SOURCE_CONTINUE;
}

static void
on_text (BoshConnection *connection,
         const char     *text,
         gpointer        user_data)
{
  *(gsize *)user_data += strlen (text);
}

static guint64
get_peak_memory (void)
{
  g_autofree char *status = NULL;
  const char *line;

  g_assert_true (g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  line = strstr (status, "VmHWM:");
  g_assert_nonnull (line);

  return g_ascii_strtoull (line + strlen ("VmHWM:"), NULL, 10) * 1024;
}

/* Prints the peak of its memory when the session has ended. */
static int
run_client (const char *uri,
            gboolean    is_chatty,
            gboolean    is_watched)
{
  g_autoptr(BoshConnectionConfiguration) configuration = bosh_connection_configuration_new (uri, NULL);
  g_autoptr(BoshClient) client = bosh_client_new ("example.org", configuration);
  g_autoptr(GSource) timer = g_timeout_source_new (MESSAGE_INTERVAL);
  g_autoptr(GError) error = NULL;
  gsize shown = 0;

  loop = g_main_loop_new (NULL, FALSE);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  bosh_test_login (client, "romeo", "secret", NULL, &error);
  g_assert_no_error (error);

  g_signal_connect (client, "closed", G_CALLBACK (on_closed), NULL);
  if (is_watched)
    {
      BoshConnection *connection = bosh_client_get_connection (client);

      g_signal_connect (connection, "response-received", G_CALLBACK (on_text), &shown);
      g_signal_connect (connection, "request-sent", G_CALLBACK (on_text), &shown);
    }
  g_source_set_callback (timer, send_message, client, NULL);
  if (is_chatty)
    g_source_attach (timer, NULL);
  if (bosh_client_get_state (client) != BOSH_CLIENT_STATE_CLOSED)
    g_main_loop_run (loop);

  g_assert_true (!is_watched || shown > 0);
  g_print ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n", get_peak_memory (),
           bosh_connection_get_n_stanzas_received (bosh_client_get_connection (client)));
  g_source_destroy (timer);
  g_main_loop_unref (loop);

  return EXIT_SUCCESS;
}

/* --- The server --- */

typedef struct _Attack Attack;

typedef struct
{
  const char *name;
  const char *requests;  /* what the server grants */
  guint       n_stanzas; /* at least so many must arrive */
  gboolean    is_chatty; /* the client sends messages */
  guint       n_late;    /* so many responses come at most before that to an earlier request */
  guint       n_waiting; /* and so many at least */
  /* Responds to each request after the login. */
  void      (*respond)   (Attack           *attack,
                   BoshTestExchange *exchange);
} Case;

struct _Attack
{
  const Case *c;
  gboolean    has_begun;   /* the login is over */
  guint       n_responses; /* those of the attack */
  guint64     withheld;    /* the request that has no response until the end */
  guint       n_withheld;  /* how often it came */
  BoshTestExchange *last_withheld;
  gboolean    is_over;
};

static GBytes *
repeat_text (const char *text,
             guint       times)
{
  GString *block = g_string_sized_new (strlen (text) * times);

  for (guint i = 0; i < times; i++)
    g_string_append (block, text);

  return g_string_free_to_bytes (block);
}

/* A response with @text as its content, @times times. */
static void
respond_with (BoshTestExchange *exchange,
              const char       *headers,
              const char       *text,
              guint             times)
{
  g_autoptr(GBytes) content = repeat_text (text, times);
  g_autofree char *head = NULL;

  head = g_strdup_printf ("HTTP/1.1 200 OK\r\n%sContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n" BODY,
                          headers, strlen (BODY "</body>") + g_bytes_get_size (content));
  bosh_test_exchange_write_text (exchange, head);
  bosh_test_exchange_write (exchange, content, 1);
  bosh_test_exchange_write_text (exchange, "</body>");
}

static void
end_session (BoshTestExchange *exchange)
{
  bosh_test_exchange_respond (exchange, "type='terminate'", "");
}

/* Each of them has to have a reply. */
static void
respond_with_iqs (Attack           *attack,
                  BoshTestExchange *exchange)
{
  if (attack->n_responses++ == 40)
    end_session (exchange);
  else
    respond_with (exchange, "", "<iq xmlns='jabber:client'/>", 600000 / 27);
}

static void
respond_with_messages (Attack           *attack,
                       BoshTestExchange *exchange)
{
  if (attack->n_responses++ == 20)
    end_session (exchange);
  else
    respond_with (exchange, "", "<message xmlns='jabber:client'><body>Hello</body></message>", 30000);
}

/* Nearly all that one response may take in memory. */
#define ELEMENTS "<a xmlns='u' b='c'/>", 140000

/* Withholds the response to the first request until it comes again and as many others wait
 * as can, or there was enough of the others. TRUE if it has done so, and for those after
 * the attack, in which the client may handle what has come. Otherwise release() follows
 * the response. */
static gboolean
withhold (Attack           *attack,
          BoshTestExchange *exchange)
{
  guint64 rid = bosh_test_exchange_get_rid (exchange);

  if (attack->withheld == 0)
    attack->withheld = rid;

  if (attack->n_responses == attack->c->n_late + MAX_LATE)
    end_session (exchange);
  else if (attack->is_over)
    attack->n_responses++, bosh_test_exchange_respond (exchange, "", "");
  else if (rid != attack->withheld && attack->n_responses < attack->c->n_late)
    return attack->n_responses++, FALSE;
  else if (rid == attack->withheld &&
           (++attack->n_withheld == 1 || attack->n_responses < attack->c->n_waiting))
    attack->last_withheld = exchange;
  else
    attack->is_over = TRUE, bosh_test_exchange_respond (exchange, "", "");

  return TRUE;
}

static void
release (Attack *attack)
{
  if (attack->n_withheld < 2 || attack->n_responses < attack->c->n_waiting || attack->is_over ||
      bosh_test_exchange_is_gone (attack->last_withheld))
    return;

  attack->is_over = TRUE;
  bosh_test_exchange_respond (attack->last_withheld, "", "");
}

static void
respond_to_later (Attack           *attack,
                  BoshTestExchange *exchange)
{
  if (withhold (attack, exchange))
    return;

  respond_with (exchange, "", ELEMENTS);
  release (attack);
}

static void
respond_to_later_with_text (Attack           *attack,
                            BoshTestExchange *exchange)
{
  if (withhold (attack, exchange))
    return;

  respond_with (exchange, "", "<message><body>xxxxxxxxxxxxxxxxxxxxxxxxxxx</body></message>", 66000);
  release (attack);
}

static GBytes *
compress (GBytes *bytes)
{
  g_autoptr(GZlibCompressor) compressor = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
  g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr(GOutputStream) stream = g_converter_output_stream_new (memory, G_CONVERTER (compressor));
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);

  g_assert_true (g_output_stream_write_all (stream, data, length, NULL, NULL, NULL));
  g_assert_true (g_output_stream_close (stream, NULL, NULL));

  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

static void
respond_to_later_compressed (Attack           *attack,
                             BoshTestExchange *exchange)
{
  g_autoptr(GBytes) elements = NULL;
  g_autoptr(GString) body = g_string_new (BODY);
  g_autoptr(GBytes) plain = NULL;
  g_autoptr(GBytes) compressed = NULL;
  g_autofree char *head = NULL;

  if (withhold (attack, exchange))
    return;

  elements = repeat_text (ELEMENTS);
  g_string_append_len (body, g_bytes_get_data (elements, NULL), g_bytes_get_size (elements));
  g_string_append (body, "</body>");
  plain = g_string_free_to_bytes (g_steal_pointer (&body));
  compressed = compress (plain);
  head = g_strdup_printf ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                          "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n",
                          g_bytes_get_size (compressed));
  bosh_test_exchange_write_text (exchange, head);
  bosh_test_exchange_write (exchange, compressed, 1);
  release (attack);
}

/* A web page that does not end, in the place of each response. */
static void
respond_to_later_with_errors (Attack           *attack,
                              BoshTestExchange *exchange)
{
  g_autoptr(GBytes) block = repeat_text ("It does not work! ", 1000);

  if (withhold (attack, exchange))
    return;

  bosh_test_exchange_write_text (exchange, "HTTP/1.1 502 Bad Gateway\r\n\r\n");
  bosh_test_exchange_write (exchange, block, 1000);
  bosh_test_exchange_close (exchange);
  release (attack);
}

static void
respond_with_cookies (Attack           *attack,
                      BoshTestExchange *exchange)
{
  g_autoptr(GString) headers = g_string_new (NULL);
  g_autofree char *value = g_strnfill (3000, 'x');

  if (attack->n_responses++ == 200)
    {
      end_session (exchange);
      return;
    }

  for (guint i = 0; i < 20; i++)
    g_string_append_printf (headers, "Set-Cookie: c%u-%u=%s\r\n", attack->n_responses, i, value);
  respond_with (exchange, headers->str, "<message xmlns='jabber:client'/>", 1);
}

/* What is kept of each: names of features, and the last error. */
static void
respond_with_features (Attack           *attack,
                       BoshTestExchange *exchange)
{
  g_autoptr(GBytes) elements = NULL;
  g_autofree char *content = NULL;

  if (attack->n_responses++ == 10)
    {
      end_session (exchange);
      return;
    }

  elements = repeat_text ("<a b='c'/>", 60000);
  content = g_strdup_printf ("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>%.*s"
                             "</stream:features>",
                             (int)g_bytes_get_size (elements),
                             (const char *)g_bytes_get_data (elements, NULL));
  respond_with (exchange, "", content, 1);
}

/* What contacts can send, with something after it in the same response. */
static void
respond_with_poison (Attack           *attack,
                     BoshTestExchange *exchange)
{
  static const struct
  {
    const char *before;
    const char *piece;
    guint       times;
    const char *after;
  } poisons[] = {
    { "<img src='", "0123456789abcdef", 5000, "'/>" },
    { "", "<x xmlns='urn:x'>", 300, "" },
    { "<x ", "a#='1' ", 1100, "/>" },
    { "<x>", "<n#/>", 9000, "</x>" },
    { "<", "n", 51000, " xmlns='urn:x'/>" },
    /* 256 KiB in the most elements, the most levels, and the most attributes. */
    { "<x>", "<a/>", 65000, "</x>" },
    { "", "<x>", 37000, "" },
    { "<x ", "a#='' ", 29000, "/>" },
    { "<x>", "&lt;", 65000, "</x>" },
  };
  guint index = attack->n_responses++ % G_N_ELEMENTS (poisons);
  g_autoptr(GString) content = g_string_new (NULL);

  if (attack->n_responses == 2 * G_N_ELEMENTS (poisons))
    {
      end_session (exchange);
      return;
    }

  g_string_append (content, "<message xmlns='jabber:client'><body>poison</body>");
  g_string_append (content, poisons[index].before);
  for (guint i = 0; i < poisons[index].times; i++)
    {
      gsize length = strcspn (poisons[index].piece, "#");

      g_string_append_len (content, poisons[index].piece, length);
      if (poisons[index].piece[length] == '#')
        g_string_append_printf (content, "%u%s", i, poisons[index].piece + length + 1);
    }
  g_string_append (content, poisons[index].after);
  for (guint i = 0; i < poisons[index].times && g_str_has_prefix (poisons[index].piece, "<x"); i++)
    g_string_append (content, "</x>");
  g_string_append (content, "</message><presence xmlns='jabber:client'/>");
  respond_with (exchange, "", content->str, 1);
}

static void
respond_with_roster (Attack           *attack,
                     BoshTestExchange *exchange)
{
  g_autoptr(GString) content = g_string_new ("<iq xmlns='jabber:client' type='result' id='r'>"
                                              "<query xmlns='jabber:iq:roster'>");

  if (attack->n_responses++ == 2)
    {
      end_session (exchange);
      return;
    }

  for (guint i = 0; i < 50000; i++)
    g_string_append_printf (content,
                            "<item jid='user%u.surname%u@company.example.org' "
                            "name='Firstname%u Surname%u' subscription='both'>"
                            "<group>Department %u</group></item>",
                            i, i, i, i, i % 40);
  g_string_append (content, "</query></iq>");
  respond_with (exchange, "", content->str, 1);
}

static gboolean
attack (BoshTestManager  *manager,
        BoshTestExchange *exchange,
        gpointer          user_data)
{
  Attack *self = user_data;
  BoshElement *body = bosh_test_exchange_get_body (exchange);

  if (!self->has_begun)
    {
      /* The only iq is that which binds a resource. */
      self->has_begun = bosh_element_get_child (body, "iq", NULL) != NULL;
      return bosh_test_exchange_log_in (exchange, "romeo@example.org/desk");
    }

  self->c->respond (self, exchange);

  return TRUE;
}

static const Case cases[] = {
  { "iq-requests", "2", 40 * 20000, FALSE, 0, 0, respond_with_iqs },
  { "messages", "2", 20 * 30000, FALSE, 0, 0, respond_with_messages },
  { "late-response", "2", 140000, TRUE, MAX_LATE, 1, respond_to_later },
  { "late-response-of-20", "20", 7 * 140000, TRUE, MAX_LATE, 7, respond_to_later },
  { "late-response-of-1000", "1000", 7 * 140000, TRUE, MAX_LATE, 7, respond_to_later },
  { "late-response-text", "20", 7 * 66000, TRUE, MAX_LATE, 7, respond_to_later_with_text },
  { "late-response-compressed", "20", 7 * 140000, TRUE, MAX_LATE, 7, respond_to_later_compressed },
  { "late-response-errors", "20", 0, TRUE, 3, 0, respond_to_later_with_errors },
  { "cookies", "2", 200, FALSE, 0, 0, respond_with_cookies },
  { "features", "2", 10, FALSE, 0, 0, respond_with_features },
  { "poison", "2", 17, FALSE, 0, 0, respond_with_poison },
  { "roster", "2", 2, FALSE, 0, 0, respond_with_roster },
};

static gboolean
is_instrumented (void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return TRUE;
#else
  const char *preload = g_getenv ("LD_PRELOAD");

  return preload != NULL && strstr (preload, "valgrind") != NULL;
#endif
}

static void
check (const Case *c,
       gboolean    is_watched)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_autofree char *grants = g_strdup_printf ("sid='s1' wait='55' hold='1' requests='%s' "
                                             "inactivity='30' polling='2' ver='1.6'",
                                             c->requests);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  Attack state = { .c = c };
  g_autoptr(GSubprocess) client = NULL;
  g_autoptr(GAsyncResult) result = NULL;
  g_autofree char *output = NULL;
  g_autoptr(GError) error = NULL;
  guint64 peak;
  guint64 n_stanzas;

  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_manager_set_grants (manager, grants,
                                BOSH_TEST_MECHANISM ("PLAIN"));
  bosh_test_manager_set_script (manager, attack, &state);
  client = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                             program, bosh_test_manager_get_uri (manager, FALSE),
                             c->is_chatty ? "chatty" : "silent",
                             is_watched ? "watched" : "unwatched", NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8_async (client, NULL, NULL, bosh_test_keep_result, &result);
  bosh_test_await (result != NULL);
  g_subprocess_communicate_utf8_finish (client, result, &output, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_successful (client));

  peak = g_ascii_strtoull (output, NULL, 10);
  n_stanzas = g_ascii_strtoull (strchr (output, ' '), NULL, 10);
  g_test_message ("%s, %s: %.1f MiB, %" G_GUINT64_FORMAT " stanzas", c->name,
                  is_watched ? "watched" : "unwatched", peak / 1048576.0, n_stanzas);
  g_assert_cmpuint (n_stanzas, >=, c->n_stanzas);
  g_assert_cmpuint (peak, >, 1024 * 1024);
  if (!is_instrumented ())
    g_assert_cmpuint (peak, <=, MAX_MEMORY);
}

static void
test_memory (gconstpointer data)
{
  g_test_summary ("XEP-0124 §19: the memory of the process is bounded, whatever a server sends, "
                  "also where handlers look at all of it");

  check (data, FALSE);
  check (data, TRUE);
}

int
main (int   argc,
      char *argv[])
{
  if (argc == 4 && g_str_has_prefix (argv[1], "http://"))
    return run_client (argv[1], strcmp (argv[2], "chatty") == 0, strcmp (argv[3], "watched") == 0);

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/bosh/memory/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_memory);
    }

  return g_test_run ();
}
