/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-addresses-private.h"

#include "bosh-i18n-private.h"

struct _BoshAddresses
{
  char          *domain;

  /* All of this round. */
  GPtrArray     *uris;        /* of char *, those that were tried first */
  guint          n_tried;
  gboolean       was_asked;   /* the domain */
  GString       *failures;    /* each address that was tried, with what is wrong there */
  guint          n_failures;
  GError        *error;       /* that of the round, or NULL */
  BoshErrorKind  kind;
};

BoshAddresses *
bosh_addresses_new (const char *domain)
{
  BoshAddresses *self = g_new0 (BoshAddresses, 1);

  self->domain = g_strdup (domain != NULL ? domain : "");
  self->uris = g_ptr_array_new_with_free_func (g_free);
  self->failures = g_string_new (NULL);

  return self;
}

void
bosh_addresses_free (BoshAddresses *self)
{
  g_clear_error (&self->error);
  g_string_free (self->failures, TRUE);
  g_ptr_array_unref (self->uris);
  g_free (self->domain);
  g_free (self);
}

void
bosh_addresses_begin (BoshAddresses *self,
                      const char    *current)
{
  g_ptr_array_set_size (self->uris, 0);
  self->n_tried = 0;
  self->was_asked = FALSE;
  g_string_truncate (self->failures, 0);
  self->n_failures = 0;
  g_clear_error (&self->error);

  if (current != NULL)
    g_ptr_array_add (self->uris, g_strdup (current));
}

BoshAddressesStep
bosh_addresses_next (BoshAddresses  *self,
                     char          **uri)
{
  if (self->n_tried < self->uris->len)
    {
      *uri = g_strdup (g_ptr_array_index (self->uris, self->n_tried++));
      return BOSH_ADDRESSES_TRY;
    }

  if (self->was_asked)
    return BOSH_ADDRESSES_GIVE_UP;

  self->was_asked = TRUE;

  return BOSH_ADDRESSES_LOOK_UP;
}

void
bosh_addresses_add_found (BoshAddresses *self,
                          const char    *uri)
{
  if (!g_ptr_array_find_with_equal_func (self->uris, uri, g_str_equal, NULL))
    g_ptr_array_add (self->uris, g_strdup (uri));
}

/* How much another attempt promises. */
static guint
get_chance (BoshErrorKind kind)
{
  if (kind == BOSH_ERROR_KIND_TEMPORARY)
    return 2;

  return bosh_error_kind_may_pass (kind) ? 1 : 0;
}

void
bosh_addresses_take_failure (BoshAddresses *self,
                             const char    *uri,
                             BoshErrorKind  kind,
                             const GError  *error)
{
  if (self->failures->len > 0)
    g_string_append (self->failures, "; ");
  if (uri != NULL && !g_str_has_prefix (error->message, uri))
    g_string_append_printf (self->failures, "%s: ", uri);
  g_string_append (self->failures, error->message);
  self->n_failures++;

  /* What passes by itself at one address is worth another attempt. */
  if (self->error != NULL &&
      get_chance (self->kind) >= get_chance (kind))
    return;

  g_clear_error (&self->error);
  self->error = g_error_copy (error);
  self->kind = kind;
}

GError *
bosh_addresses_dup_error (BoshAddresses *self,
                          BoshErrorKind *kind)
{
  g_return_val_if_fail (self->error != NULL, NULL);

  *kind = self->kind;
  if (self->n_failures == 1)
    return g_error_copy (self->error);

  return g_error_new (self->error->domain, self->error->code, _("Could not connect to %s (%s)"),
                      self->domain, self->failures->str);
}
