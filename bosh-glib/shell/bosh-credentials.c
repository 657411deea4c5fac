/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-credentials-private.h"

#include "bosh-jid-private.h"
#include "bosh-secret-private.h"

struct _BoshCredentials
{
  grefcount            ref_count;

  BoshSaslCredentials  kind;
  char                *username;
  BoshSecret          *password;
  BoshSecret          *salted_password;
  char                *resource;
  const char          *weakest;
};

/* @username: (transfer full) */
static BoshCredentials *
credentials_new (BoshSaslCredentials  kind,
                 char                *username,
                 const char          *password,
                 const char          *resource)
{
  BoshCredentials *self = g_new0 (BoshCredentials, 1);

  g_ref_count_init (&self->ref_count);
  self->kind = kind;
  self->username = username;
  self->password = bosh_secret_new (password);
  self->resource = g_strdup (resource);

  return self;
}

/* Takes @prepared, or copies @given where that is NULL. */
static char *
take_or_copy (char       *prepared,
              const char *given)
{
  return prepared != NULL ? prepared : g_strdup (given);
}

BoshCredentials *
bosh_credentials_new_password (const char *username,
                               const char *password,
                               const char *resource)
{
  /* RFC 6120 §6.3.7: as a rule the localpart, but a server may have names of its own kind. */
  return credentials_new (BOSH_SASL_CREDENTIALS_PASSWORD,
                          take_or_copy (bosh_jid_prepare_localpart (username), username),
                          password, resource);
}

BoshCredentials *
bosh_credentials_new_anonymous (const char *resource)
{
  return credentials_new (BOSH_SASL_CREDENTIALS_ANONYMOUS, NULL, NULL, resource);
}

BoshCredentials *
bosh_credentials_new_external (const char *authorization_id,
                               const char *resource)
{
  char *prepared = authorization_id != NULL ? bosh_jid_prepare (authorization_id) : NULL;

  return credentials_new (BOSH_SASL_CREDENTIALS_EXTERNAL,
                          take_or_copy (prepared, authorization_id), NULL, resource);
}

BoshCredentials *
bosh_credentials_ref (BoshCredentials *self)
{
  g_ref_count_inc (&self->ref_count);

  return self;
}

void
bosh_credentials_unref (BoshCredentials *self)
{
  if (!g_ref_count_dec (&self->ref_count))
    return;

  g_free (self->username);
  bosh_secret_free (self->password);
  bosh_secret_free (self->salted_password);
  g_free (self->resource);
  g_free (self);
}

BoshSaslCredentials
bosh_credentials_get_kind (BoshCredentials *self)
{
  return self->kind;
}

const char *
bosh_credentials_get_username (BoshCredentials *self)
{
  return self->username;
}

const char *
bosh_credentials_get_password (BoshCredentials *self)
{
  return bosh_secret_get_text (self->password);
}

const char *
bosh_credentials_get_resource (BoshCredentials *self)
{
  return self->resource;
}

const char *
bosh_credentials_get_salted_password (BoshCredentials *self)
{
  return bosh_secret_get_text (self->salted_password);
}

void
bosh_credentials_set_salted_password (BoshCredentials *self,
                                      const char      *salted_password)
{
  BoshSecret *secret = bosh_secret_new (salted_password);

  bosh_secret_free (self->salted_password);
  self->salted_password = secret;
}

const char *
bosh_credentials_get_weakest (BoshCredentials *self)
{
  return self->weakest;
}

void
bosh_credentials_set_weakest (BoshCredentials *self,
                              const char      *mechanism)
{
  self->weakest = mechanism;
}
