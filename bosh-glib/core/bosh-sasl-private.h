/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A SCRAM server names the iteration count, and each iteration costs time:
 * this many take most of a second, ten times as many would stall a login. */
#define BOSH_SASL_MAX_ITERATIONS 1000000u

/* The proof that we send lets whoever asked for it try passwords at leisure,
 * at the price of this many hashes for each. A server that only pretends to be
 * the right one would ask for a single iteration to make that cheap, so what
 * RFC 5802 §5.1 and RFC 7677 §4 tell servers to use at the least is what we
 * insist on. */
#define BOSH_SASL_MIN_ITERATIONS 4096u

/* Characters of base64 in one challenge, or in the data of a success. */
#define BOSH_SASL_MAX_CHALLENGE (16 * 1024)

typedef enum
{
  BOSH_SASL_CREDENTIALS_PASSWORD,
  BOSH_SASL_CREDENTIALS_ANONYMOUS,
  BOSH_SASL_CREDENTIALS_EXTERNAL,
} BoshSaslCredentials;

typedef struct _BoshSasl BoshSasl;

/* Chooses the best mechanism of @offered for the credentials, from our own
 * allow-list (SCRAM-SHA-256, SCRAM-SHA-1, PLAIN; ANONYMOUS; EXTERNAL) and
 * prepares it. PLAIN only if @allow_plaintext. @username and @password are not
 * NULL for a password; for EXTERNAL, @username is the authorization identity
 * (nullable); otherwise both are ignored. Errors: BOSH_ERROR_NO_MECHANISM,
 * BOSH_ERROR_INSECURE_MECHANISM, BOSH_ERROR_LOGIN_FAILED for a name or password
 * that can't be used at all. The password is copied once, and the copy cleared
 * when the last step that needs it is over, or with the object. */
BoshSasl   *bosh_sasl_new                   (const char * const   *offered,
                                             BoshSaslCredentials   credentials,
                                             const char           *username,
                                             const char           *password,
                                             gboolean              allow_plaintext,
                                             GError              **error);
void        bosh_sasl_free                  (BoshSasl             *self);

const char *bosh_sasl_get_mechanism         (BoshSasl             *self);

/* One step: what to send as base64 for the `<auth/>` or `<response/>`. @input
 * is the base64 of a challenge, NULL for the first step and only for that.
 * @output is "=" for an empty initial response (RFC 6120 §6.4.2), and "" for an
 * empty response to a challenge.
 *
 * Errors: BOSH_ERROR_LOGIN_FAILED for a challenge that is refused,
 * BOSH_ERROR_SERVER_NOT_AUTHENTIC, BOSH_SASL_ERROR where the challenge itself
 * tells of a failure. After an error the object is of no more use.
 *
 * May take long for SCRAM (PBKDF2): it may be called in another thread, as long
 * as the object is not used by two threads at once. */
gboolean    bosh_sasl_step                  (BoshSasl             *self,
                                             const char           *input,
                                             char                **output,
                                             GError              **error);

/* TRUE if the next step, with @input, may be the slow one. */
gboolean    bosh_sasl_is_slow               (BoshSasl             *self,
                                             const char           *input);

/* The server says success, with base64 data (nullable): checks that it proved
 * its own identity where the mechanism has that (BOSH_ERROR_SERVER_NOT_AUTHENTIC). */
gboolean    bosh_sasl_succeed               (BoshSasl             *self,
                                             const char           *data,
                                             GError              **error);

/* What costs time in SCRAM is the same as long as the password, the salt and
 * the number of iterations are, and may be kept (RFC 5802 §5.1). It is a text
 * that also tells what it was computed from, and as secret as the password.
 *
 * Gives what another exchange with the same password has computed (nullable;
 * copied). It is used where mechanism, user name, salt and iterations are the
 * same; else the password is. */
void        bosh_sasl_set_salted_password   (BoshSasl             *self,
                                             const char           *salted);
/* What this one has computed or used: to be cleared by its new owner. NULL
 * where there is none, and unless the exchange has ended with success. */
char       *bosh_sasl_steal_salted_password (BoshSasl             *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshSasl, bosh_sasl_free)

G_END_DECLS
