/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-request-headers-private.h"

#include <string.h>

#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-secret-clear-private.h"

struct _BoshRequestHeaders
{
  GPtrArray *names;
  GPtrArray *values;  /* of the same length */
};

/* Those that the library sets, and those that belong to the connection (RFC 9110 §7.6.1). */
static const char * const owned_names[] = {
  "Accept-Encoding",
  "Connection",
  "Content-Encoding",
  "Content-Length",
  "Content-Type",
  "Cookie",
  "Expect",
  "Host",
  "HTTP2-Settings",
  "Keep-Alive",
  "Proxy-Authorization",
  "Proxy-Connection",
  "TE",
  "Trailer",
  "Transfer-Encoding",
  "Upgrade",
  "User-Agent",
};

static void
clear_text (gpointer data)
{
  char *text = data;

  bosh_secret_clear (&text);
}

gboolean
bosh_request_headers_is_value (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isprint (*p))
      return FALSE;

  return TRUE;
}

/* A token of RFC 9110 §5.6.2. */
static gboolean
is_name (const char *text)
{
  if (*text == '\0')
    return FALSE;

  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("!#$%&'*+-.^_`|~", *p) == NULL)
      return FALSE;

  return TRUE;
}

static gboolean
is_owned (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (owned_names); i++)
    if (g_ascii_strcasecmp (name, owned_names[i]) == 0)
      return TRUE;

  return FALSE;
}

static gboolean
has_name (BoshRequestHeaders *self,
          const char         *name)
{
  for (guint i = 0; i < self->names->len; i++)
    if (g_ascii_strcasecmp (name, g_ptr_array_index (self->names, i)) == 0)
      return TRUE;

  return FALSE;
}

static gboolean
fail (GError     **error,
      const char  *message)
{
  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_INVALID_HEADER, message);

  return FALSE;
}

/* @value: (transfer full) */
static gboolean
add (BoshRequestHeaders  *self,
     const char          *name,
     char                *value,
     GError             **error)
{
  if (has_name (self, name))
    {
      bosh_secret_clear (&value);
      g_set_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_HEADER,
                   _("The request header “%s” is there twice"), name);
      return FALSE;
    }

  g_ptr_array_add (self->names, g_strdup (name));
  g_ptr_array_add (self->values, value);

  return TRUE;
}

static gboolean
add_line (BoshRequestHeaders  *self,
          const char          *line,
          GError             **error)
{
  const char *colon = strchr (line, ':');
  g_autofree char *name = NULL;

  if (strlen (line) > BOSH_REQUEST_HEADERS_MAX_LENGTH ||
      self->names->len == BOSH_REQUEST_HEADERS_MAX)
    return fail (error, _("The request headers are too long"));
  if (colon == NULL)
    return fail (error, _("A request header is not of the form “Name: value”"));

  name = g_strndup (line, (gsize)(colon - line));
  if (!is_name (name))
    return fail (error, _("The name of a request header is not valid"));
  if (is_owned (name))
    {
      g_set_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_HEADER,
                   _("The request header “%s” can't be set"), name);
      return FALSE;
    }
  if (!bosh_request_headers_is_value (colon + 1))
    {
      g_set_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_HEADER,
                   _("The value of the request header “%s” has characters that are not "
                     "printable ASCII"),
                   name);
      return FALSE;
    }

  return add (self, name, g_strstrip (g_strdup (colon + 1)), error);
}

static gboolean
has_control_characters (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      return TRUE;

  return FALSE;
}

/* RFC 7617 §2: a colon ends the user name. */
static gboolean
add_basic (BoshRequestHeaders  *self,
           const char          *username,
           const char          *password,
           GError             **error)
{
  g_autofree char *value = NULL;
  char *pair = NULL;
  char *encoded = NULL;

  if (strchr (username, ':') != NULL || has_control_characters (username) ||
      has_control_characters (password) || !g_utf8_validate (username, -1, NULL) ||
      !g_utf8_validate (password, -1, NULL) ||
      strlen (username) + strlen (password) > BOSH_REQUEST_HEADERS_MAX_LENGTH)
    return fail (error, _("The user name or password for HTTP has characters that HTTP does not "
                          "allow, or is too long"));

  pair = g_strconcat (username, ":", password, NULL);
  encoded = g_base64_encode ((const guchar *)pair, strlen (pair));
  value = g_strconcat ("Basic ", encoded, NULL);
  bosh_secret_clear (&pair);
  bosh_secret_clear (&encoded);

  return add (self, "Authorization", g_steal_pointer (&value), error);
}

BoshRequestHeaders *
bosh_request_headers_new (const char * const  *lines,
                          const char          *username,
                          const char          *password,
                          GError             **error)
{
  g_autoptr(BoshRequestHeaders) self = g_new0 (BoshRequestHeaders, 1);

  self->names = g_ptr_array_new_with_free_func (g_free);
  self->values = g_ptr_array_new_with_free_func (clear_text);

  for (guint i = 0; lines != NULL && lines[i] != NULL; i++)
    if (!add_line (self, lines[i], error))
      return NULL;

  if ((username != NULL || password != NULL) &&
      !add_basic (self, username != NULL ? username : "", password != NULL ? password : "", error))
    return NULL;

  return g_steal_pointer (&self);
}

void
bosh_request_headers_free (BoshRequestHeaders *self)
{
  g_ptr_array_unref (self->names);
  g_ptr_array_unref (self->values);
  g_free (self);
}

guint
bosh_request_headers_get_n (const BoshRequestHeaders *self)
{
  return self->names->len;
}

void
bosh_request_headers_get (const BoshRequestHeaders  *self,
                          guint                      position,
                          const char               **name,
                          const char               **value)
{
  *name = g_ptr_array_index (self->names, position);
  *value = g_ptr_array_index (self->values, position);
}
