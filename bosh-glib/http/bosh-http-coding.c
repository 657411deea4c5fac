/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-http-coding-private.h"

#include "bosh-error.h"
#include "bosh-i18n-private.h"

#include <string.h>

/* SoupContentDecoder would do for well-behaved servers, at 1 % more instructions for each
 * exchange. There is a decoder here because of what that one accepts: it chains a decompressor for each name in Content-Encoding, of which there
 * may be thousands, and data that is not in the announced coding it hands out as it
 * came. Here the compressed and the decoded size are limited as well, each by itself.
 */

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

static GBytes *
decompress (GBytes                 *body,
            GZlibCompressorFormat   format,
            gsize                   max_size,
            GError                **error)
{
  g_autoptr(GZlibDecompressor) decompressor = g_zlib_decompressor_new (format);
  g_autoptr(GByteArray) output = g_byte_array_new ();
  gsize remaining;
  const guint8 *data = g_bytes_get_data (body, &remaining);
  GConverterResult result;

  do
    {
      guint length = output->len;
      gsize n_read = 0;
      gsize n_written = 0;

      g_byte_array_set_size (output, length + PIECE_SIZE);
      result = g_converter_convert (G_CONVERTER (decompressor), data, remaining,
                                    output->data + length, PIECE_SIZE, G_CONVERTER_INPUT_AT_END,
                                    &n_read, &n_written, NULL);
      if (result == G_CONVERTER_ERROR)
        {
          g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                               _("The response of the server can't be decompressed"));
          return NULL;
        }

      g_byte_array_set_size (output, length + (guint)n_written);
      if (output->len > max_size)
        {
          g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                               _("The response of the server is too large"));
          return NULL;
        }
      data += n_read;
      remaining -= n_read;
    }
  while (result != G_CONVERTER_FINISHED);

  return g_byte_array_free_to_bytes (g_steal_pointer (&output));
}

GBytes *
bosh_http_decode (GBytes      *body,
                  const char  *codings,
                  gsize        max_size,
                  GError     **error)
{
  BoshCoding coding;

  if (codings == NULL)
    return g_bytes_ref (body);

  if (strchr (codings, ',') != NULL)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                           _("The response of the server is compressed more than once"));
      return NULL;
    }

  return bosh_coding_parse (codings, &coding)
           ? decompress (body, get_format (coding), max_size, error)
           : g_bytes_ref (body);
}
