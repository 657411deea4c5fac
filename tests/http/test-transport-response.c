/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-error.h"
#include "bosh-test-http.h"
#include "bosh-test-transport.h"
#include "bosh-http-exchange-private.h"

#include <string.h>

/* Less than the 64 MiB that are promised: a program needs some for itself. */
#define MAX_MEMORY (40 * 1024 * 1024)

static void
assert_memory_bounded (void)
{
  g_assert_cmpuint (bosh_test_get_peak_memory (), <, MAX_MEMORY);
}

/* @size bytes as the body of a response. */
static char *
create_response (gsize    size,
                 gboolean chunked)
{
  g_autofree char *body = g_strnfill (size, 'x');

  return chunked
           ? g_strdup_printf ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "%zx\r\n%s\r\n0\r\n\r\n",
                              size, body)
           : g_strdup_printf ("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", size, body);
}

static BoshTestPoster *
create_limited_poster (BoshTestServer *server,
                       gsize           limit)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                "uri", bosh_test_server_get_uri (server, FALSE),
                                "max-response-size", (guint)limit,
                                NULL);

  return bosh_test_poster_new (configuration);
}

static void
test_response_size (void)
{
  const gsize limits[] = { 1024, 10000, 8192 * 3 };

  g_test_summary ("max-response-size: at the limit, and one byte over it");

  for (gsize i = 0; i < G_N_ELEMENTS (limits) * 2; i++)
    {
      gsize limit = limits[i / 2];

      for (gsize size = limit; size <= limit + 1; size++)
        {
          g_autofree char *response = create_response (size, i % 2);
          g_autoptr(BoshTestServer) server = NULL;
          g_autoptr(BoshTestPoster) client = NULL;
          const BoshTestOutcome *outcome;

          server = bosh_test_server_new (NULL, bosh_test_respond_with, response);
          client = create_limited_poster (server, limit);
          outcome = bosh_test_poster_exchange (client, 1, "x");
          if (size == limit)
            {
              g_assert_no_error (outcome->error);
              g_assert_cmpuint (g_bytes_get_size (outcome->body), ==, size);
            }
          else
            {
              bosh_test_assert_failed (outcome, BOSH_ERROR, BOSH_ERROR_TOO_LARGE, TRUE);
              bosh_test_wait (bosh_test_server_get_n_closed (server) == 1);
            }
        }
    }
}

/* A response of which a block is repeated after the head. */
typedef struct
{
  const char *head;
  GBytes *first;
  GBytes *block;
  guint times;
} Flood;

static void
respond_with_flood (BoshTestPeer          *peer,
                    const BoshTestRequest *request,
                    gpointer               user_data)
{
  Flood *flood = user_data;

  bosh_test_peer_write (peer, flood->head);
  if (flood->first != NULL)
    bosh_test_peer_write_bytes (peer, flood->first, 1);
  bosh_test_peer_write_bytes (peer, flood->block, flood->times);
}

static gboolean
count_turn (gpointer user_data)
{
  guint *n_turns = user_data;

  (*n_turns)++;

  return G_SOURCE_CONTINUE;
}

static void
test_tiny_chunks (void)
{
  const guint n_chunks = 300000;
  g_autoptr(GString) response = g_string_new ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  g_autoptr(BoshTestServer) server = NULL;
  g_autoptr(BoshTestPoster) client = NULL;
  g_autoptr(GSource) source = g_idle_source_new ();
  const BoshTestOutcome *outcome;
  guint n_turns = 0;

  g_test_summary ("A response in chunks of one byte, which are always there already, leaves the "
                  "main loop to others");

  for (guint i = 0; i < n_chunks; i++)
    g_string_append (response, "1\r\nx\r\n");
  g_string_append (response, "0\r\n\r\n");
  server = bosh_test_server_new (NULL, bosh_test_respond_with, response->str);
  client = create_limited_poster (server, n_chunks);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, count_turn, &n_turns, NULL);
  g_source_attach (source, NULL);

  outcome = bosh_test_poster_exchange (client, 1, "x");
  g_source_destroy (source);
  g_assert_no_error (outcome->error);
  g_assert_cmpuint (g_bytes_get_size (outcome->body), ==, n_chunks);
  /* Some milliseconds for each. */
  g_test_message ("%u turns", n_turns);
  g_assert_cmpuint (n_turns, >, n_chunks / 10000);
}

static void
test_large_body (void)
{
  static const char * const heads[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n",
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 500 Oops\r\nContent-Length: 104857600\r\n\r\n",
    "HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n",
  };
  g_autofree char *block = g_strnfill (64 * 1024, 'x');
  g_autoptr(GBytes) bytes = g_bytes_new (block, 64 * 1024);

  g_test_summary ("100 MB of response: refused, in bounded memory; of an HTTP error the "
                  "beginning is enough");

  bosh_test_reset_peak_memory ();
  for (gsize i = 0; i < G_N_ELEMENTS (heads); i++)
    {
      Flood flood = { heads[i], NULL, bytes, 1600 };
      g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_with_flood, &flood);
      g_autoptr(BoshTestPoster) client = NULL;
      const BoshTestOutcome *outcome;

      client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
      outcome = bosh_test_poster_exchange (client, 1, "x");
      if (i < 2)
        {
          bosh_test_assert_failed (outcome, BOSH_ERROR, BOSH_ERROR_TOO_LARGE, TRUE);
        }
      else
        {
          g_assert_no_error (outcome->error);
          g_assert_cmpuint (outcome->status, ==, 500);
          g_assert_cmpuint (g_bytes_get_size (outcome->body), <, 2 * BOSH_EXCHANGE_PIECE);
        }
      bosh_test_wait (bosh_test_server_get_n_closed (server) == 1);
    }
  assert_memory_bounded ();
}

/* Compresses @size zeros, and more where @flags leave it open. */
static GBytes *
compress (GZlibCompressor *compressor,
          gsize            size,
          GConverterFlags  flags)
{
  g_autofree char *zeros = g_malloc0 (size);
  g_autoptr(GByteArray) output = g_byte_array_new ();
  g_autoptr(GError) error = NULL;
  GConverterResult result;
  gsize done = 0;

  do
    {
      guint8 piece[4096];
      gsize n_read;
      gsize n_written;

      result = g_converter_convert (G_CONVERTER (compressor), zeros + done, size - done,
                                    piece, sizeof piece, flags, &n_read, &n_written, &error);
      g_assert_no_error (error);
      g_byte_array_append (output, piece, n_written);
      done += n_read;
    }
  while (result == G_CONVERTER_CONVERTED);

  return g_byte_array_free_to_bytes (g_steal_pointer (&output));
}

static char *
create_coded_head (const char *coding,
                   gsize       length)
{
  return g_strdup_printf ("HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n"
                          "Content-Length: %zu\r\n\r\n",
                          coding, length);
}

static void
check_coding (GZlibCompressorFormat  format,
              const char            *coding)
{
  g_autoptr(GZlibCompressor) compressor = g_zlib_compressor_new (format, 9);
  g_autoptr(GBytes) compressed = compress (compressor, 100000, G_CONVERTER_INPUT_AT_END);
  g_autofree char *head = NULL;
  Flood flood = { NULL, NULL, compressed, 1 };
  g_autoptr(BoshTestServer) server = NULL;
  g_autoptr(BoshTestPoster) client = NULL;
  const BoshTestOutcome *outcome;

  head = create_coded_head (coding, g_bytes_get_size (compressed));
  flood.head = head;
  server = bosh_test_server_new (NULL, respond_with_flood, &flood);
  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));

  outcome = bosh_test_poster_exchange (client, 1, "x");
  g_assert_no_error (outcome->error);
  g_assert_cmpuint (g_bytes_get_size (outcome->body), ==, 100000);
  bosh_test_assert_header (bosh_test_server_get_request (server, 0),
                           "Accept-Encoding", "gzip");
}

static void
test_codings (void)
{
  g_test_summary ("R06 (XEP-0124 §5): a compressed response is decoded");

  check_coding (G_ZLIB_COMPRESSOR_FORMAT_GZIP, "gzip");
  check_coding (G_ZLIB_COMPRESSOR_FORMAT_GZIP, "X-GZip");
  check_coding (G_ZLIB_COMPRESSOR_FORMAT_ZLIB, "deflate");
}

static void
test_decoded_size (void)
{
  const gsize limit = 100000;

  g_test_summary ("max-response-size: decoded to the limit, and one byte over it");

  for (gsize size = limit; size <= limit + 1; size++)
    {
      g_autoptr(GZlibCompressor) compressor = NULL;
      g_autoptr(GBytes) compressed = NULL;
      g_autofree char *head = NULL;
      Flood flood = { NULL, NULL, NULL, 1 };
      g_autoptr(BoshTestServer) server = NULL;
      g_autoptr(BoshTestPoster) client = NULL;
      const BoshTestOutcome *outcome;

      compressor = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
      compressed = compress (compressor, size, G_CONVERTER_INPUT_AT_END);
      head = create_coded_head ("gzip", g_bytes_get_size (compressed));
      flood.head = head;
      flood.block = compressed;
      server = bosh_test_server_new (NULL, respond_with_flood, &flood);
      client = create_limited_poster (server, limit);
      outcome = bosh_test_poster_exchange (client, 1, "x");
      if (size == limit)
        {
          g_assert_no_error (outcome->error);
          g_assert_cmpuint (g_bytes_get_size (outcome->body), ==, limit);
        }
      else
        {
          bosh_test_assert_failed (outcome, BOSH_ERROR, BOSH_ERROR_TOO_LARGE, TRUE);
        }
    }
}

static void
test_bad_codings (void)
{
  static const char * const responses[] = {
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
    /* The beginning of a good one. */
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\37\213\10\10",
  };

  g_test_summary ("R06 (XEP-0124 §5): a response that is not in the coding it names is refused");

  for (gsize i = 0; i < G_N_ELEMENTS (responses); i++)
    {
      g_autoptr(BoshTestServer) server = NULL;
      g_autoptr(BoshTestPoster) client = NULL;

      server = bosh_test_server_new (NULL, bosh_test_respond_with, (gpointer)responses[i]);
      client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
      bosh_test_assert_failed (bosh_test_poster_exchange (client, 1, "x"),
                               BOSH_ERROR, BOSH_ERROR_NOT_BOSH, TRUE);
    }
}

static void
test_coded_error (void)
{
  static char response[] =
    "HTTP/1.1 404 Gone\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello";
  g_autoptr(BoshTestServer) server = NULL;
  g_autoptr(BoshTestPoster) client = NULL;
  const BoshTestOutcome *outcome;

  g_test_summary ("Of an HTTP error the status is reported, even if its body can't be decoded");

  server = bosh_test_server_new (NULL, bosh_test_respond_with, response);
  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  outcome = bosh_test_poster_exchange (client, 1, "x");
  g_assert_no_error (outcome->error);
  g_assert_cmpuint (outcome->status, ==, 404);
}

static void
test_gzip_bomb (void)
{
  g_autoptr(GZlibCompressor) compressor = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
  g_autoptr(GBytes) first = compress (compressor, 1024 * 1024, G_CONVERTER_FLUSH);
  g_autoptr(GBytes) block = compress (compressor, 1024 * 1024, G_CONVERTER_FLUSH);
  g_autofree char *head = NULL;
  /* 2 GiB, in blocks of which each makes one mebibyte of zeros. */
  Flood flood = { NULL, first, block, 2047 };
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_with_flood, &flood);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("2 GiB out of 2 MiB of gzip: refused, in bounded memory");

  head = create_coded_head ("gzip",
                            g_bytes_get_size (first) + 2047 * g_bytes_get_size (block));
  flood.head = head;
  bosh_test_reset_peak_memory ();
  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  bosh_test_assert_failed (bosh_test_poster_exchange (client, 1, "x"),
                           BOSH_ERROR, BOSH_ERROR_TOO_LARGE, TRUE);
  assert_memory_bounded ();
}

static void
test_stacked_codings (void)
{
  g_autoptr(GString) response = g_string_new ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip");
  g_autoptr(BoshTestServer) server = NULL;
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("Thousands of codings on one response: refused without a decoder");

  for (guint i = 0; i < 9000; i++)
    g_string_append (response, ",gzip");
  g_string_append (response, "\r\nContent-Length: 1\r\n\r\nx");

  bosh_test_reset_peak_memory ();
  server = bosh_test_server_new (NULL, bosh_test_respond_with, response->str);
  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  bosh_test_assert_failed (bosh_test_poster_exchange (client, 1, "x"),
                           BOSH_ERROR, BOSH_ERROR_NOT_BOSH, TRUE);
  assert_memory_bounded ();
}

static void
test_challenge (void)
{
  static const struct
  {
    const char *head;
    guint status;
  } cases[] = {
    { "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n", 401 },
    { "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\nConnection: close\r\n\r\n", 407 },
    { "HTTP/1.1 421 No\r\nContent-Length: 104857600\r\n\r\n", 421 },
  };
  g_autofree char *block = g_strnfill (64 * 1024, 'x');
  g_autoptr(GBytes) bytes = g_bytes_new (block, 64 * 1024);

  g_test_summary ("Responses that libsoup would react to: no memory for their bodies, and no "
                  "second try");

  bosh_test_reset_peak_memory ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Flood flood = { cases[i].head, NULL, bytes, 1600 };
      g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_with_flood, &flood);
      g_autoptr(BoshTestPoster) client = NULL;
      const BoshTestOutcome *outcome;

      client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
      outcome = bosh_test_poster_exchange (client, 1, "x");
      g_assert_no_error (outcome->error);
      g_assert_cmpuint (g_bytes_get_size (outcome->body), <, 2 * BOSH_EXCHANGE_PIECE);
      g_assert_cmpuint (outcome->status, ==, cases[i].status);
      bosh_test_wait (bosh_test_server_get_n_closed (server) == 1);
      bosh_test_drain ();
      g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 1);
      g_assert_cmpuint (client->outcomes->len, ==, 1);
    }
  assert_memory_bounded ();
}

static void
test_statuses (void)
{
  static const guint statuses[] = {
    200, 204, 400, 401, 403, 404, 407, 408, 429, 500, 502, 503, 504, 599
  };

  g_test_summary ("R86, R87 (XEP-0124 §17.1): every HTTP status is reported, with its body but for "
                  "401, of which libsoup would collect it");

  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++)
    {
      g_autofree char *response = NULL;
      g_autoptr(BoshTestServer) server = NULL;
      g_autoptr(BoshTestPoster) client = NULL;
      const BoshTestOutcome *outcome;

      response = statuses[i] == 204
        ? g_strdup ("HTTP/1.1 204 No\r\n\r\n")
        : g_strdup_printf ("HTTP/1.1 %u X\r\nContent-Length: 4\r\n\r\ntext", statuses[i]);
      server = bosh_test_server_new (NULL, bosh_test_respond_with, response);
      client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
      outcome = bosh_test_poster_exchange (client, 1, "x");
      bosh_test_assert_body (outcome, statuses[i] == 204 || statuses[i] == 401 ? "" : "text");
      g_assert_cmpuint (outcome->status, ==, statuses[i]);
    }
}

static void
test_informational (void)
{
  static char few[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  g_autoptr(GBytes) block = g_bytes_new_static ("HTTP/1.1 102 Processing\r\n\r\n", 27);
  Flood flood = { "", NULL, block, 100000 };
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, bosh_test_respond_with, few);
  g_autoptr(BoshTestServer) endless = bosh_test_server_new (NULL, respond_with_flood, &flood);
  g_autoptr(BoshTestPoster) client = NULL;
  g_autoptr(BoshTestPoster) other = NULL;

  g_test_summary ("RFC 9110 §15.2: interim responses are skipped, but not for ever");

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  bosh_test_assert_body (bosh_test_poster_exchange (client, 1, "x"), "ok");

  other = bosh_test_poster_new_for_port (bosh_test_server_get_port (endless));
  bosh_test_assert_failed (bosh_test_poster_exchange (other, 1, "x"),
                           BOSH_ERROR, BOSH_ERROR_NOT_BOSH, TRUE);
}

/* Sends @user_data and closes. */
static void
respond_and_close (BoshTestPeer          *peer,
                   const BoshTestRequest *request,
                   gpointer               user_data)
{
  bosh_test_peer_write (peer, user_data);
  bosh_test_peer_close (peer);
}

static void
test_cut (void)
{
  static const struct
  {
    const char *response;
    GQuark (*domain) (void);
    int code;
  } cases[] = {
    { "", g_io_error_quark, G_IO_ERROR_PARTIAL_INPUT },
    { "HTTP/1.1 200 OK\r\nContent-", bosh_error_quark, BOSH_ERROR_NOT_BOSH },
    { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
      g_io_error_quark, G_IO_ERROR_PARTIAL_INPUT },
    { "garbage\r\n\r\n", bosh_error_quark, BOSH_ERROR_NOT_BOSH },
    { "\1\2\3\4\r\n\r\n", bosh_error_quark, BOSH_ERROR_NOT_BOSH },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: tulip\r\n\r\nx",
      bosh_error_quark, BOSH_ERROR_NOT_BOSH },
  };

  g_test_summary ("A response that is cut short, or is no HTTP, is an error");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshTestServer) server = NULL;
      g_autoptr(BoshTestPoster) client = NULL;
      const BoshTestOutcome *outcome;

      server = bosh_test_server_new (NULL, respond_and_close, (gpointer)cases[i].response);
      client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
      outcome = bosh_test_poster_exchange (client, 1, "x");
      g_test_message ("%s: %s", cases[i].response, outcome->error->message);
      bosh_test_assert_failed (outcome, cases[i].domain (), cases[i].code, TRUE);
      g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 1);
    }
}

static void
test_bad_framing (void)
{
  static const struct
  {
    const char *response;
    const char *body;
  } cases[] = {
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwo", "hellowo" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer", "hello" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ntulip\r\nhello\r\n", "" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n", "" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nhello", "" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nhello", "hello" },
    { "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello", "hello" },
    { "HTTP/1.1 200 OK\r\nContent-Length: tulip\r\n\r\nhello", "hello" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello", "hello" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nhello", "hello" },
    { "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhello", "hello" },
    { "HTTP/1.1 200 OK\r\nContent-Encoding: tulip\r\n\r\nhello", "hello" },
  };

  g_test_summary ("R10 (XEP-0124 §6): a response that is cut short, which HTTP does not always "
                  "notice, is passed on as it came; the XML parser refuses it");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshTestServer) server = NULL;
      g_autoptr(BoshTestPoster) client = NULL;
      const BoshTestOutcome *outcome;

      server = bosh_test_server_new (NULL, respond_and_close, (gpointer)cases[i].response);
      client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
      outcome = bosh_test_poster_exchange (client, 1, "x");
      g_test_message ("%s: %s", cases[i].response,
                      outcome->error != NULL ? outcome->error->message : "no error");
      if (outcome->error == NULL)
        bosh_test_assert_body (outcome, cases[i].body);
      else if (outcome->error->domain == BOSH_ERROR)
        bosh_test_assert_failed (outcome, BOSH_ERROR, BOSH_ERROR_NOT_BOSH, TRUE);
      else
        bosh_test_assert_failed (outcome, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, TRUE);
    }
}

static void
test_large_header (void)
{
  g_autofree char *value = g_strnfill (200000, 'x');
  g_autofree char *response = g_strdup_printf ("HTTP/1.1 200 OK\r\nX: %s\r\n\r\n", value);
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, bosh_test_respond_with, response);
  g_autoptr(BoshTestPoster) client = NULL;

  g_test_summary ("A head without end is an error");

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  bosh_test_assert_failed (bosh_test_poster_exchange (client, 1, "x"),
                           G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, TRUE);
}

static void
test_redirect (void)
{
  g_autofree char *long_path = g_strnfill (9000, 'a');
  const struct
  {
    const char *location;
    const char *expected;  /* NULL: none */
  } cases[] = {
    { "https://other.example/bosh", "https://other.example/bosh" },
    { "/elsewhere?a=b", "http://127.0.0.1:%u/elsewhere?a=b" },
    { "http://[bad", NULL },
    { "http://h%25/", NULL },
    { "http://h%2525/", NULL },
    { "http://[::1%25lo]/", NULL },
    { "http://u%40host/", NULL },
    { "http://a%2fb/", NULL },
    { "ftp://other.example/", NULL },
    { "", "http://127.0.0.1:%u/http-bind/" },
    { long_path, NULL },
  };

  g_test_summary ("A redirect is reported, and not followed by the transport");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *response = NULL;
      g_autofree char *expected = NULL;
      g_autoptr(BoshTestServer) server = NULL;
      g_autoptr(BoshTestPoster) client = NULL;
      const BoshTestOutcome *outcome;
      g_auto(GStrv) parts = NULL;

      response = g_strdup_printf ("HTTP/1.1 %u Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                                  i % 2 == 0 ? 302 : 307, cases[i].location);
      server = bosh_test_server_new (NULL, bosh_test_respond_with, response);
      client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
      if (cases[i].expected != NULL)
        {
          g_autofree char *port = g_strdup_printf ("%u", bosh_test_server_get_port (server));

          parts = g_strsplit (cases[i].expected, "%u", -1);
          expected = g_strjoinv (port, parts);
        }

      outcome = bosh_test_poster_exchange (client, 1, "x");
      bosh_test_assert_body (outcome, "");
      g_assert_cmpuint (outcome->status, ==, i % 2 == 0 ? 302 : 307);
      g_assert_cmpstr (outcome->location, ==, expected);
      g_assert_cmpuint (bosh_test_server_get_requests (server)->len, ==, 1);
    }
}

static int
get_retry_after (const char *value)
{
  g_autofree char *response = NULL;
  g_autoptr(BoshTestServer) server = NULL;
  g_autoptr(BoshTestPoster) client = NULL;

  response = g_strdup_printf ("HTTP/1.1 503 Later\r\nRetry-After: %s\r\n"
                              "Content-Length: 0\r\n\r\n",
                              value);
  server = bosh_test_server_new (NULL, bosh_test_respond_with, response);
  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));

  return bosh_test_poster_exchange (client, 1, "x")->retry_after;
}

static void
test_retry_after (void)
{
  g_autoptr(GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr(GDateTime) soon = g_date_time_add_seconds (now, 100);
  g_autofree char *date = g_date_time_format (soon, "%a, %d %b %Y %H:%M:%S GMT");

  g_test_summary ("RFC 9110 §10.2.3: Retry-After as seconds and as a date, bounded");

  g_assert_cmpint (get_retry_after ("0"), ==, 0);
  g_assert_cmpint (get_retry_after ("120"), ==, 120);
  g_assert_cmpint (get_retry_after ("3601"), ==, BOSH_EXCHANGE_MAX_RETRY_AFTER);
  g_assert_cmpint (get_retry_after ("99999999999999999999999999"), ==,
                   BOSH_EXCHANGE_MAX_RETRY_AFTER);
  g_assert_cmpint (get_retry_after ("-5"), ==, -1);
  g_assert_cmpint (get_retry_after ("soon"), ==, -1);
  g_assert_cmpint (get_retry_after (""), ==, -1);
  g_assert_cmpint (get_retry_after ("Wed, 99 Foo 2026 99:99:99 GMT"), ==, -1);
  g_assert_cmpint (get_retry_after ("Fri, 31 Dec 1999 23:59:59 GMT"), ==, 0);
  g_assert_cmpint (get_retry_after ("Fri, 31 Dec 2199 23:59:59 GMT"), ==,
                   BOSH_EXCHANGE_MAX_RETRY_AFTER);
  g_assert_cmpint (get_retry_after (date), >, 40);
  g_assert_cmpint (get_retry_after (date), <=, 100);
}

/* Writes the beginning of a response, and keeps the peer. */
static void
respond_in_part (BoshTestPeer          *peer,
                 const BoshTestRequest *request,
                 gpointer               user_data)
{
  bosh_test_peer_write (peer, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
  *(BoshTestPeer **)user_data = peer;
}

static void
test_progress (void)
{
  BoshTestPeer *peer = NULL;
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_in_part, &peer);
  g_autoptr(BoshTestPoster) client =
    bosh_test_poster_new_for_port (bosh_test_server_get_port (server));

  g_test_summary ("A response that comes in parts is reported with each of them");

  bosh_test_poster_post (client, 1, "x");
  bosh_test_wait (client->n_progress == 1);
  bosh_test_peer_write (peer, "def");
  bosh_test_wait (client->n_progress == 2);
  g_assert_cmpuint (client->outcomes->len, ==, 0);
  bosh_test_peer_write (peer, "ghi");
  bosh_test_wait (client->outcomes->len == 1);
  g_assert_cmpuint (client->n_progress, ==, 2);
  bosh_test_assert_body (client->outcomes->pdata[0], "abcdefghi");
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/transport/response/response-size", test_response_size);
  g_test_add_func ("/bosh/transport/response/tiny-chunks", test_tiny_chunks);
  g_test_add_func ("/bosh/transport/response/large-body", test_large_body);
  g_test_add_func ("/bosh/transport/response/codings", test_codings);
  g_test_add_func ("/bosh/transport/response/decoded-size", test_decoded_size);
  g_test_add_func ("/bosh/transport/response/bad-codings", test_bad_codings);
  g_test_add_func ("/bosh/transport/response/coded-error", test_coded_error);
  g_test_add_func ("/bosh/transport/response/gzip-bomb", test_gzip_bomb);
  g_test_add_func ("/bosh/transport/response/stacked-codings", test_stacked_codings);
  g_test_add_func ("/bosh/transport/response/challenge", test_challenge);
  g_test_add_func ("/bosh/transport/response/progress", test_progress);
  g_test_add_func ("/bosh/transport/response/statuses", test_statuses);
  g_test_add_func ("/bosh/transport/response/informational", test_informational);
  g_test_add_func ("/bosh/transport/response/cut", test_cut);
  g_test_add_func ("/bosh/transport/response/bad-framing", test_bad_framing);
  g_test_add_func ("/bosh/transport/response/large-header", test_large_header);
  g_test_add_func ("/bosh/transport/response/redirect", test_redirect);
  g_test_add_func ("/bosh/transport/response/retry-after", test_retry_after);

  return g_test_run ();
}
