/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a connection makes of responses that are none: a clear error or a
 * repeat, in little time and memory. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-tls.h"
#include "bosh-test-wire.h"

#include <string.h>
#include <time.h>

#define NS_HTTPBIND "http://jabber.org/protocol/httpbind"
#define BODY "<body xmlns='" NS_HTTPBIND "' " BOSH_TEST_GRANTS ">"

/* Newer versions of libsoup tell where a chunk is cut short; in older ones the body just ends. */
#ifdef SOUP_TELLS_OF_CUT_CHUNKS
#define CUT_CHUNK(code, later_code) g_io_error_quark, G_IO_ERROR_PARTIAL_INPUT, -1
#else
#define CUT_CHUNK(code, later_code) bosh_error_quark, code, later_code
#endif

#define MAX_MEMORY (64 * 1024 * 1024)
/* Of the processor, as the machine may be busy; what ends by a timeout has another error. */
#define MAX_SECONDS 25

static BoshTestTls *tls;

/* --- Memory and time --- */

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

/* Resets the peak that the kernel keeps. */
static void
reset_peak_memory (void)
{
  g_autoptr(GFile) file = g_file_new_for_path ("/proc/self/clear_refs");
  g_autoptr(GFileIOStream) stream = g_file_open_readwrite (file, NULL, NULL);

  if (stream != NULL)
    g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (stream)),
                               "5", 1, NULL, NULL, NULL);
}

static gint64
get_time_used (void)
{
  struct timespec used;

  g_assert_cmpint (clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &used), ==, 0);

  return used.tv_sec * G_TIME_SPAN_SECOND + used.tv_nsec / 1000;
}

static void
assert_modest (gint64 since)
{
  g_autofree char *status = NULL;
  const char *line;

  if (is_instrumented ())
    return;

  g_assert_cmpint (get_time_used () - since, <, MAX_SECONDS * G_TIME_SPAN_SECOND);
  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    return;

  line = strstr (status, "VmHWM:");
  g_assert_nonnull (line);
  g_assert_cmpuint (g_ascii_strtoull (line + strlen ("VmHWM:"), NULL, 10) * 1024, <, MAX_MEMORY);
}

/* --- Responses --- */

static void
response_text (BoshTestExchange *exchange,
               const char       *text)
{
  bosh_test_exchange_reply (exchange, 200, NULL, text);
}

static void
response_status (BoshTestExchange *exchange,
                 const char       *status)
{
  bosh_test_exchange_reply (exchange, g_ascii_strtoull (status, NULL, 10),
                            "Location: ftp://127.0.0.1/elsewhere\r\n",
                            "<html><body>Sorry</body></html>");
}

/* Writes the bytes as they are, and closes the connection. */
static void
respond_raw (BoshTestExchange *exchange,
             const char       *text)
{
  bosh_test_exchange_write_text (exchange, text);
  bosh_test_exchange_close (exchange);
}

static void
respond_nothing (BoshTestExchange *exchange,
                 const char       *text)
{
  bosh_test_exchange_close (exchange);
}

static void
respond_reset (BoshTestExchange *exchange,
               const char       *text)
{
  bosh_test_exchange_reset (exchange);
}

static void
respond_nested (BoshTestExchange *exchange,
                const char       *levels)
{
  guint n_levels = g_ascii_strtoull (levels, NULL, 10) - 1;
  g_autoptr(GString) text = g_string_new (BODY);

  for (guint i = 0; i < n_levels; i++)
    g_string_append (text, "<a>");
  for (guint i = 0; i < n_levels; i++)
    g_string_append (text, "</a>");
  g_string_append (text, "</body>");
  bosh_test_exchange_reply (exchange, 200, NULL, text->str);
}

static void
response_attributes (BoshTestExchange *exchange,
                     const char       *where)
{
  g_autoptr(GString) text = g_string_new (NULL);

  g_string_append (text, strcmp (where, "root") == 0 ? "<body xmlns='" NS_HTTPBIND "' sid='s1'"
                                                     : BODY "<message");
  for (guint i = 0; i < 100000; i++)
    g_string_append_printf (text, " a%u=''", i);
  g_string_append (text, strcmp (where, "root") == 0 ? "/>" : "/></body>");
  bosh_test_exchange_reply (exchange, 200, NULL, text->str);
}

/* Makes the bytes while they are sent, so that the server keeps none. */
static void
respond_flood (BoshTestExchange *exchange,
               const char       *head,
               const char       *piece,
               gsize             size)
{
  g_autoptr(GString) block = g_string_new (NULL);
  g_autoptr(GBytes) bytes = NULL;
  gsize block_size;

  while (block->len < 64 * 1024)
    g_string_append (block, piece);
  block_size = block->len;
  bytes = g_string_free_to_bytes (g_steal_pointer (&block));

  bosh_test_exchange_write_text (exchange, head);
  bosh_test_exchange_write (exchange, bytes, size / block_size);
  bosh_test_exchange_close (exchange);
}

static void
respond_large (BoshTestExchange *exchange,
               const char       *piece)
{
  respond_flood (exchange, "HTTP/1.1 200 OK\r\n\r\n" BODY, piece, 100 * 1024 * 1024);
}

static void
respond_header_flood (BoshTestExchange *exchange,
                      const char       *piece)
{
  respond_flood (exchange, "HTTP/1.1 200 OK\r\n", piece, 100 * 1024 * 1024);
}

static GBytes *
compress (GZlibCompressor *compressor,
          const char      *data,
          gsize            size,
          GConverterFlags  flags)
{
  g_autofree char *output = g_malloc (size + 1024);
  gsize n_read;
  gsize n_written;
  g_autoptr(GError) error = NULL;

  g_converter_convert (G_CONVERTER (compressor), data, size, output, size + 1024, flags,
                       &n_read, &n_written, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_read, ==, size);

  return g_bytes_new (output, n_written);
}

/* 2 GiB of blanks, in blocks of which each stands for 64 KiB of them. */
static void
respond_bomb (BoshTestExchange *exchange,
              const char       *text)
{
  g_autoptr(GZlibCompressor) compressor = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
  g_autofree char *blanks = g_strnfill (64 * 1024, ' ');
  g_autoptr(GBytes) start = compress (compressor, BODY, strlen (BODY), G_CONVERTER_FLUSH);
  g_autoptr(GBytes) first = compress (compressor, blanks, 64 * 1024, G_CONVERTER_FLUSH);
  g_autoptr(GBytes) block = compress (compressor, blanks, 64 * 1024, G_CONVERTER_FLUSH);

  bosh_test_exchange_write_text (exchange, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
  bosh_test_exchange_write (exchange, start, 1);
  bosh_test_exchange_write (exchange, first, 1);
  bosh_test_exchange_write (exchange, block, 32 * 1024);
  bosh_test_exchange_close (exchange);
}

/* --- Cases --- */

typedef struct
{
  const char *name;
  void (*respond) (BoshTestExchange *exchange,
                   const char *argument);
  const char *argument;
  /* as the response to the creation request */
  GQuark (*domain) (void);
  int code;
  /* as the response to each request of an open session; -1: it is sent again until
   * a good response comes */
  int later_code;
} Case;

#define LAUGH(m) "&l" #m ";&l" #m ";&l" #m ";&l" #m ";&l" #m ";"
#define LAUGHS(n, m) "<!ENTITY l" #n " '" LAUGH (m) LAUGH (m) "'>"

static const Case cases[] = {
  { "web-page", response_text, "<!DOCTYPE html><html><body><p>Welcome<br></body></html>",
    bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "plain-text", response_text, "It works!", bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "empty", response_text, "", bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "400", response_status, "400", bosh_error_quark, BOSH_ERROR_HTTP, BOSH_ERROR_BAD_REQUEST },
  { "401", response_status, "401", bosh_error_quark, BOSH_ERROR_HTTP, -1 },
  { "403", response_status, "403", bosh_error_quark, BOSH_ERROR_HTTP, BOSH_ERROR_POLICY_VIOLATION },
  { "404", response_status, "404", bosh_error_quark, BOSH_ERROR_HTTP, BOSH_ERROR_ITEM_NOT_FOUND },
  { "500", response_status, "500", bosh_error_quark, BOSH_ERROR_HTTP, -1 },
  { "502", response_status, "502", bosh_error_quark, BOSH_ERROR_HTTP, -1 },
  { "301", response_status, "301", bosh_error_quark, BOSH_ERROR_HTTP, -1 },
  { "302", response_status, "302", bosh_error_quark, BOSH_ERROR_HTTP, -1 },
  { "307", response_status, "307", bosh_error_quark, BOSH_ERROR_HTTP, -1 },

  { "malformed", response_text, BODY "<message></body>",
    bosh_error_quark, BOSH_ERROR_BAD_XML, BOSH_ERROR_BAD_XML },
  { "cut", response_text, BODY "<message>",
    bosh_error_quark, BOSH_ERROR_BAD_XML, BOSH_ERROR_BAD_XML },
  { "two-roots", response_text, BODY "</body>" BODY "</body>",
    bosh_error_quark, BOSH_ERROR_BAD_XML, BOSH_ERROR_BAD_XML },
  { "dtd", response_text, "<!DOCTYPE body>" BODY "</body>",
    bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "external-dtd", response_text, "<!DOCTYPE body SYSTEM 'file:///etc/passwd'>" BODY "</body>",
    bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "external-entity", response_text,
    "<!DOCTYPE body [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"
    BODY "<message>&e;</message></body>",
    bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "billion-laughs", response_text,
    "<!DOCTYPE body [<!ENTITY l0 'ha'>" LAUGHS (1, 0) LAUGHS (2, 1) LAUGHS (3, 2) LAUGHS (4, 3)
    LAUGHS (5, 4) LAUGHS (6, 5) LAUGHS (7, 6) LAUGHS (8, 7) LAUGHS (9, 8) "]>"
    BODY "<message>&l9;</message></body>",
    bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "unknown-entity", response_text, BODY "<message>&e;</message></body>",
    bosh_error_quark, BOSH_ERROR_BAD_XML, BOSH_ERROR_BAD_XML },
  { "comment", response_text, BODY "<!-- a comment --></body>",
    bosh_error_quark, BOSH_ERROR_BAD_XML, BOSH_ERROR_BAD_XML },
  { "processing-instruction", response_text, BODY "<?php echo 1 ?></body>",
    bosh_error_quark, BOSH_ERROR_BAD_XML, BOSH_ERROR_BAD_XML },
  { "undeclared-prefix", response_text, BODY "<x:message/></body>",
    bosh_error_quark, BOSH_ERROR_BAD_XML, BOSH_ERROR_BAD_XML },
  { "wrong-namespace", response_text, "<body xmlns='jabber:client' sid='s1'/>",
    bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "no-namespace", response_text, "<body sid='s1' wait='60'/>",
    bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "wrong-root", response_text, "<html xmlns='" NS_HTTPBIND "'/>",
    bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "bad-utf-8", response_text, BODY "<message>\xc3\x28</message></body>",
    bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "other-encoding", response_text, "<?xml version='1.0' encoding='ISO-8859-1'?>" BODY "\xe9</body>",
    bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },

  { "100000-attributes-of-the-root", response_attributes, "root",
    bosh_error_quark, BOSH_ERROR_TOO_LARGE, BOSH_ERROR_TOO_LARGE },
  { "100-megabytes-of-text", respond_large, "x",
    bosh_error_quark, BOSH_ERROR_TOO_LARGE, BOSH_ERROR_TOO_LARGE },
  { "100-megabytes-of-elements", respond_large, "<a b='c'/>",
    bosh_error_quark, BOSH_ERROR_TOO_LARGE, BOSH_ERROR_TOO_LARGE },
  { "gzip-bomb", respond_bomb, NULL, bosh_error_quark, BOSH_ERROR_TOO_LARGE, BOSH_ERROR_TOO_LARGE },

  { "not-http", respond_raw, "220 mail.example ESMTP\r\n",
    bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "garbage", respond_raw, "\x16\x03\x01\x02\x00\x01\xff\xff\r\n\r\n",
    bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "chunked-cut", respond_raw, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "7\r\n<body x\r\n",
    CUT_CHUNK (BOSH_ERROR_NOT_BOSH, -1) },
  { "chunked-cut-later", respond_raw, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3e\r\n<body xmlns='http://jabber.org/protocol/httpbind' sid='s1'> <a>\r\n",
    CUT_CHUNK (BOSH_ERROR_BAD_XML, BOSH_ERROR_BAD_XML) },
  { "length-cut", respond_raw, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" BODY,
    g_io_error_quark, G_IO_ERROR_PARTIAL_INPUT, -1 },
  { "head-cut", respond_raw, "HTTP/1.1 200 OK\r\nContent-Le",
    bosh_error_quark, BOSH_ERROR_NOT_BOSH, -1 },
  { "no-response", respond_nothing, NULL, g_io_error_quark, G_IO_ERROR_PARTIAL_INPUT, -1 },
  { "reset", respond_reset, NULL, g_io_error_quark, G_IO_ERROR_CONNECTION_CLOSED, -1 },
  { "header-flood", respond_header_flood, "X-Nothing: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
    g_io_error_quark, G_IO_ERROR_PARTIAL_INPUT, -1 },
};

static void
test_creation (gconstpointer data)
{
  const Case *c = data;
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  gint64 since;

  g_test_summary ("XEP-0124 §5, §6: it is no response to a creation request; the attempt fails at once");

  reset_peak_memory ();
  since = get_time_used ();
  bosh_test_wire_init (&wire, manager, NULL);
  bosh_connection_connect_async (wire.connection, NULL, bosh_test_keep_result, &result);
  c->respond (bosh_test_manager_take (manager), c->argument);
  bosh_test_wire_fails (&wire, &result, bosh_connection_connect_finish, c->domain (), c->code);
  bosh_test_wire_assert_events (&wire, "connecting closed closed!");
  g_assert_error (wire.close_error, c->domain (), c->code);
  bosh_test_run_dry ();
  g_assert_false (bosh_test_manager_has_request (manager));
  g_assert_null (bosh_connection_get_session_id (wire.connection));
  assert_modest (since);
}

typedef struct
{
  const Case *c;
  guint n_bad;      /* how many requests get a bad response */
} Weather;

static gboolean
respond_badly (BoshTestManager  *manager,
               BoshTestExchange *exchange,
               gpointer          user_data)
{
  Weather *weather = user_data;

  if (weather->n_bad == 0 || bosh_test_exchange_get_attribute (exchange, "sid") == NULL)
    return FALSE;

  weather->n_bad--;
  weather->c->respond (exchange, weather->c->argument);

  return TRUE;
}

static void
test_later (gconstpointer data)
{
  const Case *c = data;
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  Weather weather = { c, c->later_code < 0 ? 2 : G_MAXUINT };
  gint64 since;

  g_test_summary ("XEP-0124 §6, §14.3: in an open session it ends the session, or is taken for "
                  "a fault on the way, which retransmissions mend");

  reset_peak_memory ();
  since = get_time_used ();
  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_manager_set_script (manager, respond_badly, &weather);
  bosh_test_wire_init (&wire, manager, NULL);
  bosh_test_wire_connect (&wire);

  if (c->later_code < 0)
    {
      bosh_test_await (bosh_test_wire_is (&wire, BOSH_CONNECTION_STATE_RETRYING));
      g_assert_cmpuint (weather.n_bad, ==, 0);
      bosh_test_await (bosh_test_manager_get_n_held (manager) > 0);
      bosh_test_manager_deliver (manager, BOSH_TEST_MESSAGE ("healed"));
      bosh_test_wire_receive (&wire, "healed");
      bosh_test_wire_assert_events (&wire, "connecting connected <features retrying connected "
                                           "<message");
      bosh_test_wire_disconnect (&wire);
    }
  else
    {
      bosh_test_await (wire.n_closed > 0);
      g_assert_cmpuint (wire.n_closed, ==, 1);
      bosh_test_assert_failure (&wire.close_error, BOSH_ERROR, c->later_code);
    }
  assert_modest (since);
}

static void
test_left_out (void)
{
  static const struct
  {
    void (*respond) (BoshTestExchange *exchange,
                     const char       *argument);
    const char *argument;
    guint       n_left_out;
  } left_out[] = {
    { respond_nested, "512", 0 },
    { respond_nested, "513", 1 },
    { respond_nested, "100000", 1 },
    { response_attributes, "child", 1 },
  };

  g_test_summary ("A stanza that nests too deeply, or has too many attributes, is left out");

  for (gsize i = 0; i < G_N_ELEMENTS (left_out); i++)
    {
      g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
      g_auto(BoshTestWire) wire = { NULL };
      g_autoptr(GAsyncResult) result = NULL;
      gint64 since = g_get_monotonic_time ();

      reset_peak_memory ();
      bosh_test_wire_init (&wire, manager, NULL);
      bosh_connection_connect_async (wire.connection, NULL, bosh_test_keep_result, &result);
      left_out[i].respond (bosh_test_manager_take (manager), left_out[i].argument);
      bosh_test_wire_succeeds (&wire, &result, bosh_connection_connect_finish);
      bosh_test_wire_assert_events (&wire, left_out[i].n_left_out == 0 ? "connecting connected <a"
                                                                       : "connecting connected");
      g_assert_cmpuint (bosh_connection_get_n_stanzas_left_out (wire.connection), ==,
                        left_out[i].n_left_out);
      assert_modest (since);
    }
}

static void
test_lost (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(BoshElement) message = bosh_element_new_message (NULL, NULL, "x");
  Weather weather = { &cases[0], G_MAXUINT };
  g_autoptr(GPtrArray) undelivered = NULL;

  g_test_summary ("XEP-0124 §10: retransmissions end when the server must have dropped the session");

  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_manager_set_grants (manager,
                                "sid='s1' wait='1' hold='1' requests='2' inactivity='1'", "");
  bosh_test_manager_set_script (manager, respond_badly, &weather);
  bosh_test_wire_init (&wire, manager, NULL);
  bosh_test_wire_connect (&wire);
  bosh_connection_deliver_async (wire.connection, message, NULL, bosh_test_keep_result, &result);
  bosh_test_wire_fails (&wire, &result, bosh_connection_deliver_finish,
                        BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
  bosh_test_wire_assert_events (&wire, "connecting connected retrying closed closed!");
  undelivered = bosh_connection_dup_undelivered (wire.connection);
  g_assert_cmpuint (undelivered->len + bosh_connection_get_n_stanzas_queued (wire.connection), ==, 1);
}

/* --- No server, or another one --- */

static void
test_nobody (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  BoshConnectionConfiguration *configuration = bosh_test_manager_configure (manager, NULL);

  g_test_summary ("Nothing listens");

  g_clear_pointer (&manager, bosh_test_manager_free);
  bosh_test_wire_init (&wire, NULL, configuration);
  bosh_test_wire_fail (&wire, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

static void
test_unknown_host (void)
{
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("RFC 6761 §6.4: a name that does not exist; errors of the resolver are "
                  "passed on");

  bosh_test_wire_init (&wire, NULL, bosh_connection_configuration_new ("http://bosh.invalid/", NULL));
  bosh_connection_connect_async (wire.connection, NULL, bosh_test_keep_result, &result);
  g_assert_false (bosh_connection_connect_finish (wire.connection, bosh_test_wait_for (&result),
                                                  &error));
  g_assert_true (error->domain == G_RESOLVER_ERROR);
  g_assert_cmpuint (wire.n_closed, ==, 1);
}

static void
fail_with_certificate (GTlsCertificate *certificate)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (certificate);
  g_auto(BoshTestWire) wire = { NULL };

  bosh_test_wire_init (&wire, manager, bosh_test_manager_configure_secure (manager,
                                                                           "tls-database", tls->database,
                                                                           NULL));
  bosh_test_wire_fail (&wire, BOSH_ERROR, BOSH_ERROR_TLS);
  g_assert_false (bosh_test_manager_has_request (manager));
}

static void
test_certificates (void)
{
  g_test_summary ("XEP-0124 §19.1: a certificate that can't be trusted; nothing is sent");

  fail_with_certificate (tls->untrusted);
  fail_with_certificate (tls->other_host);
  fail_with_certificate (tls->expired);
}

static void
test_no_tls (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(BoshTestManager) secure = bosh_test_manager_new (tls->server);
  g_auto(BoshTestWire) open = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("https to a server without TLS, and http to one with TLS: an error soon");

  bosh_test_wire_init (&open, secure, NULL);
  bosh_connection_connect_async (open.connection, NULL, bosh_test_keep_result, &result);
  g_assert_false (bosh_connection_connect_finish (open.connection, bosh_test_wait_for (&result),
                                                  &error));
  g_assert_cmpstr (error->message, !=, "");
  g_clear_object (&result);
  g_clear_error (&error);

  /* The server waits for the end of a request line, so a timeout must end this. */
  bosh_test_wire_init (&wire, manager, bosh_test_manager_configure_secure (manager,
                                                                           "connect-timeout", 1,
                                                                           NULL));
  bosh_test_wire_fail (&wire, BOSH_ERROR, BOSH_ERROR_TIMED_OUT);
}

/* Another certificate in the middle of the session. */
static void
test_changed_certificate (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (tls->server);
  g_auto(BoshTestWire) wire = { NULL };
  BoshTestExchange *poll;

  g_test_summary ("XEP-0124 §19.1: another certificate later ends the session; nothing is "
                  "sent there");

  bosh_test_wire_init (&wire, manager, bosh_test_manager_configure_secure (manager,
                                                                           "tls-database", tls->database,
                                                                           NULL));
  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  bosh_test_manager_set_certificate (manager, tls->other_server);
  bosh_test_exchange_close (poll);
  bosh_test_await (wire.n_closed == 1);
  bosh_test_assert_failure (&wire.close_error, BOSH_ERROR, BOSH_ERROR_TLS);
  g_assert_false (bosh_test_manager_has_request (manager));
}

/* --- Passwords --- */

#define NS_SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define PLAIN_ONLY "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>" \
                   "<mechanisms xmlns='" NS_SASL "'><mechanism>PLAIN</mechanism></mechanisms>" \
                   "</stream:features>"

/* Refuses each login, and keeps what the client sent. */
static gboolean
refuse_password (BoshTestManager  *manager,
                 BoshTestExchange *exchange,
                 gpointer          user_data)
{
  char **said = user_data;
  BoshElement *body = bosh_test_exchange_get_body (exchange);
  BoshElement *auth = bosh_element_get_child (body, "auth", NS_SASL);

  if (auth == NULL)
    return FALSE;

  g_assert_cmpstr (bosh_element_get_attribute (auth, "mechanism"), ==, "PLAIN");
  g_assert_null (*said);
  *said = bosh_element_dup_text (auth);
  bosh_test_exchange_respond (exchange, "",
                              "<failure xmlns='" NS_SASL "'><not-authorized/></failure>");

  return TRUE;
}

/* Logs in, by way of the manager as a proxy where @uri is not NULL; returns
 * what was said as a password. */
static char *
log_in (const char *uri,
        gboolean    allow,
        GQuark      domain,
        int         code)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (NULL);
  guint port = bosh_test_manager_get_port (manager);
  g_autofree char *proxy = g_strdup_printf ("http://127.0.0.1:%u", port);
  g_autoptr(GProxyResolver) resolver = g_simple_proxy_resolver_new (proxy, NULL);
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;
  g_autoptr(GError) error = NULL;
  BoshClient *client;
  char *said = NULL;

  bosh_test_manager_set_automatic (manager, TRUE);
  bosh_test_manager_set_grants (manager, BOSH_TEST_GRANTS, PLAIN_ONLY);
  bosh_test_manager_set_script (manager, refuse_password, &said);
  if (uri != NULL)
    configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                  "uri", uri,
                                  "proxy-resolver", resolver,
                                  NULL);
  else
    configuration = bosh_test_manager_configure (manager, NULL);

  client = bosh_client_new ("example.org", configuration);
  bosh_client_set_allow_plaintext_password (client, allow);
  bosh_test_connect (client, &error);
  g_assert_no_error (error);
  g_assert_false (bosh_test_login (client, "romeo", "secret", NULL, &error));
  bosh_test_assert_failure (&error, domain, code);
  bosh_test_close (client);

  return said;
}

static void
test_plain (void)
{
  g_autofree char *refused = NULL;
  g_autofree char *allowed = NULL;
  g_autofree char *local = NULL;
  const char *expected = "AHJvbWVvAHNlY3JldA==";

  g_test_summary ("RFC 4616 §6: PLAIN over http to another host only if it is "
                  "allowed");

  refused = log_in ("http://xmpp.example:5280/http-bind/", FALSE, BOSH_ERROR, BOSH_ERROR_INSECURE_MECHANISM);
  g_assert_null (refused);
  allowed = log_in ("http://xmpp.example:5280/http-bind/", TRUE, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
  g_assert_cmpstr (allowed, ==, expected);
  local = log_in (NULL, FALSE, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
  g_assert_cmpstr (local, ==, expected);
  g_clear_pointer (&refused, g_free);
  refused = log_in ("http://127.0.0.1:5280/http-bind/", FALSE, BOSH_ERROR, BOSH_ERROR_INSECURE_MECHANISM);
  g_assert_null (refused);
}

int
main (int   argc,
      char *argv[])
{
  int status;

  g_test_init (&argc, &argv, NULL);
  tls = bosh_test_tls_new ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *creation = g_strconcat ("/bosh/bad-input/creation/", cases[i].name, NULL);
      g_autofree char *later = g_strconcat ("/bosh/bad-input/later/", cases[i].name, NULL);

      g_test_add_data_func (creation, &cases[i], test_creation);
      g_test_add_data_func (later, &cases[i], test_later);
    }
  g_test_add_func ("/bosh/bad-input/left-out", test_left_out);
  g_test_add_func ("/bosh/bad-input/lost", test_lost);
  g_test_add_func ("/bosh/bad-input/nobody", test_nobody);
  g_test_add_func ("/bosh/bad-input/unknown-host", test_unknown_host);
  g_test_add_func ("/bosh/bad-input/certificates", test_certificates);
  g_test_add_func ("/bosh/bad-input/no-tls", test_no_tls);
  g_test_add_func ("/bosh/bad-input/changed-certificate", test_changed_certificate);
  g_test_add_func ("/bosh/bad-input/plain", test_plain);

  status = g_test_run ();
  bosh_test_tls_free (tls);

  return status;
}
