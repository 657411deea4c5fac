/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-sasl.h"

#include <gsasl.h>

struct _BoshTestSaslServer
{
  Gsasl         *context;
  Gsasl_session *session;
};

BoshTestSaslServer *
bosh_test_sasl_server_new (const char *mechanism,
                           const char *salt)
{
  BoshTestSaslServer *self = g_new0 (BoshTestSaslServer, 1);

  g_assert_cmpint (gsasl_init (&self->context), ==, GSASL_OK);
  g_assert_cmpint (gsasl_server_start (self->context, mechanism, &self->session), ==, GSASL_OK);
  gsasl_property_set (self->session, GSASL_PASSWORD, "pencil");
  gsasl_property_set (self->session, GSASL_SCRAM_ITER, "4096");
  if (salt != NULL)
    gsasl_property_set (self->session, GSASL_SCRAM_SALT, salt);

  return self;
}

void
bosh_test_sasl_server_free (BoshTestSaslServer *self)
{
  gsasl_finish (self->session);
  gsasl_done (self->context);
  g_free (self);
}

char *
bosh_test_sasl_server_step (BoshTestSaslServer *self,
                            const char         *input,
                            int                 expected)
{
  char *output = NULL;
  char *copy;

  g_assert_cmpint (gsasl_step64 (self->session, input, &output), ==, expected);
  copy = g_strdup (output);
  gsasl_free (output);

  return copy;
}

char *
bosh_test_sasl_server_dup_salt (BoshTestSaslServer *self)
{
  return g_strdup (gsasl_property_fast (self->session, GSASL_SCRAM_SALT));
}
