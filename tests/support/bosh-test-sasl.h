/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The server of GNU SASL, as the other side of SCRAM. The password is
 * "pencil"; it makes up the salt if there is none. */
typedef struct _BoshTestSaslServer BoshTestSaslServer;

BoshTestSaslServer *bosh_test_sasl_server_new      (const char *mechanism,
                                                    const char *salt);
void                bosh_test_sasl_server_free     (BoshTestSaslServer *self);
/* Its next message, as base64; @expected is what GNU SASL returns. */
char               *bosh_test_sasl_server_step     (BoshTestSaslServer *self,
                                                    const char         *input,
                                                    int                 expected);
char               *bosh_test_sasl_server_dup_salt (BoshTestSaslServer *self);

G_END_DECLS
