/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-transport-coding-private.h"

#include "bosh-error.h"
#include "bosh-i18n-private.h"

#include <string.h>

#define PIECE_SIZE (8 * 1024)

/* RFC 9110 §8.4.1: what is called deflate is the format of zlib, and x-gzip is gzip. */
static gboolean
find_format (const char            *coding,
             GZlibCompressorFormat *format)
{
  static const struct
  {
    const char *coding;
    GZlibCompressorFormat format;
  } formats[] = {
    { "gzip", G_ZLIB_COMPRESSOR_FORMAT_GZIP },
    { "x-gzip", G_ZLIB_COMPRESSOR_FORMAT_GZIP },
    { "deflate", G_ZLIB_COMPRESSOR_FORMAT_ZLIB },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      if (g_ascii_strcasecmp (coding, formats[i].coding) == 0)
        {
          *format = formats[i].format;
          return TRUE;
        }
    }

  return FALSE;
}

GBytes *
bosh_coding_encode (GBytes     *body,
                    const char *coding)
{
  g_autoptr(GZlibCompressor) compressor = NULL;
  g_autoptr(GOutputStream) memory = NULL;
  g_autoptr(GOutputStream) stream = NULL;
  GZlibCompressorFormat format;
  gsize length;
  const char *data = g_bytes_get_data (body, &length);

  if (coding == NULL || !find_format (coding, &format))
    return NULL;

  compressor = g_zlib_compressor_new (format, -1);
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
  gsize left;
  const guint8 *data = g_bytes_get_data (body, &left);
  GConverterResult result;

  do
    {
      guint length = output->len;
      gsize n_read = 0;
      gsize n_written = 0;

      g_byte_array_set_size (output, length + PIECE_SIZE);
      result = g_converter_convert (G_CONVERTER (decompressor), data, left,
                                    output->data + length, PIECE_SIZE, G_CONVERTER_INPUT_AT_END,
                                    &n_read, &n_written, NULL);
      if (result == G_CONVERTER_ERROR)
        {
          g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                               _("The answer of the server can't be decompressed"));
          return NULL;
        }

      g_byte_array_set_size (output, length + (guint)n_written);
      if (output->len > max_size)
        {
          g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                               _("The answer of the server is too large"));
          return NULL;
        }
      data += n_read;
      left -= n_read;
    }
  while (result != G_CONVERTER_FINISHED);

  return g_byte_array_free_to_bytes (g_steal_pointer (&output));
}

GBytes *
bosh_coding_decode (GBytes      *body,
                    const char  *codings,
                    gsize        max_size,
                    GError     **error)
{
  GZlibCompressorFormat format;

  if (codings == NULL)
    return g_bytes_ref (body);

  if (strchr (codings, ',') != NULL)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_BOSH,
                           _("The answer of the server is compressed more than once"));
      return NULL;
    }

  return find_format (codings, &format) ? decompress (body, format, max_size, error)
                                        : g_bytes_ref (body);
}
