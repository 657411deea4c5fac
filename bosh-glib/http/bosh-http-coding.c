/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-http-coding-private.h"

#include "bosh-error.h"
#include "bosh-i18n-private.h"

#include <string.h>

/* SoupContentDecoder would do for well-behaved servers, at 1 % more instructions for each
 * exchange. There is a decoder here because of what that one accepts: it chains a
 * decompressor for each name in Content-Encoding, of which there may be thousands, and
 * data that is not in the announced coding it hands out as it came. */

#define PIECE_SIZE (8 * 1024)

/* RFC 9110 §8.4.1.2: the coding deflate is the zlib format. */
static GZlibCompressorFormat
get_format (BoshCoding coding)
{
  return coding == BOSH_CODING_GZIP ? G_ZLIB_COMPRESSOR_FORMAT_GZIP
                                    : G_ZLIB_COMPRESSOR_FORMAT_ZLIB;
}

GBytes *
bosh_http_encode (GBytes     *body,
                  BoshCoding  coding)
{
  g_autoptr(GZlibCompressor) compressor = NULL;
  g_autoptr(GOutputStream) memory = NULL;
  g_autoptr(GOutputStream) stream = NULL;
  gsize length;
  const char *data = g_bytes_get_data (body, &length);

  if (coding == BOSH_CODING_IDENTITY)
    return NULL;

  compressor = g_zlib_compressor_new (get_format (coding), -1);
  memory = g_memory_output_stream_new_resizable ();
  stream = g_converter_output_stream_new (memory, G_CONVERTER (compressor));
  if (!g_output_stream_write_all (stream, data, length, NULL, NULL, NULL) ||
      !g_output_stream_close (stream, NULL, NULL))
    return NULL;

  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

gboolean
bosh_http_decoder_new (const char  *codings,
                       GConverter **decoder,
                       GError     **error)
{
  BoshCoding coding;

  *decoder = NULL;
  if (codings == NULL)
    return TRUE;

  if (strchr (codings, ',') != NULL)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                           _("The response of the server is compressed more than once"));
      return FALSE;
    }

  if (bosh_coding_parse (codings, &coding))
    *decoder = G_CONVERTER (g_zlib_decompressor_new (get_format (coding)));

  return TRUE;
}

gboolean
bosh_http_decode (GConverter  *decoder,
                  GByteArray  *input,
                  gboolean     is_last,
                  GByteArray  *output,
                  gboolean    *is_finished,
                  GError     **error)
{
  guint length = output->len;
  gsize n_read = 0;
  gsize n_written = 0;
  GConverterResult result;
  g_autoptr(GError) problem = NULL;

  g_byte_array_set_size (output, length + PIECE_SIZE);
  result = g_converter_convert (decoder, input->data, input->len, output->data + length, PIECE_SIZE,
                                is_last ? G_CONVERTER_INPUT_AT_END : G_CONVERTER_NO_FLAGS,
                                &n_read, &n_written, &problem);
  g_byte_array_set_size (output, length + (guint)n_written);
  if (n_read > 0)
    g_byte_array_remove_range (input, 0, (guint)n_read);

  *is_finished = result == G_CONVERTER_FINISHED;
  if (result != G_CONVERTER_ERROR)
    return TRUE;
  /* It needs more than there is. */
  if (!is_last && g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT))
    return TRUE;

  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                       _("The response of the server can't be decompressed"));

  return FALSE;
}
