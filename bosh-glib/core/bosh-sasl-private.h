/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The server names the iteration count of SCRAM, and each iteration costs time:
 * this many take most of a second, ten times as many would stall a login. */
#define BOSH_SASL_MAX_ITERATIONS 1000000u

/* With the proof of SCRAM, a server that does not know the password can try out
 * passwords, at the price of this many hashes for each. It would ask for a single
 * iteration to make that cheap, so fewer than what RFC 5802 §5.1 and RFC 7677 §4
 * tell servers to use are refused. */
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

/* Chooses the best mechanism of @offered for the credentials, and prepares it.
 * Only SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, ANONYMOUS and EXTERNAL are ever chosen,
 * and PLAIN only if @allow_plaintext. With a password, @username and @password
 * are not NULL; for EXTERNAL, @username is the authorization identity (nullable);
 * otherwise both are ignored.
 *
 * The password is copied once. The copy is cleared when the last step that needs
 * it is over, or with the object.
 *
 * Errors: BOSH_ERROR_NO_MECHANISM, BOSH_ERROR_INSECURE_MECHANISM, and
 * BOSH_ERROR_LOGIN_FAILED for a name or password that can't be used at all. */
BoshSasl   *bosh_sasl_new                   (const char * const   *offered,
                                             BoshSaslCredentials   credentials,
                                             const char           *username,
                                             const char           *password,
                                             gboolean              allow_plaintext,
                                             GError              **error);
void        bosh_sasl_free                  (BoshSasl             *self);
/* Whether @mechanism would protect the password less than @other does: PLAIN shows it
 * to the server, and SHA-1 makes it cheaper to guess than SHA-256. One that is not
 * known is never used, so it does not count as weaker. */
gboolean    bosh_sasl_is_weaker             (const char *mechanism,
                                             const char *other);

const char *bosh_sasl_get_mechanism         (BoshSasl             *self);

/* Takes one step. @output receives the content of `<auth/>` or `<response/>` in
 * base64: "=" for an empty initial response (RFC 6120 §6.4.2), and "" for an empty
 * response to a challenge. @input is the base64 of a challenge, or NULL for the
 * first step.
 *
 * Errors: BOSH_ERROR_LOGIN_FAILED for a challenge that is refused,
 * BOSH_ERROR_SERVER_NOT_AUTHENTIC, BOSH_SASL_ERROR if the challenge itself reports
 * a failure. After an error the object can't be used any more.
 *
 * The step in which SCRAM computes PBKDF2 takes long. It may be taken in another
 * thread, as long as the object is not used by two threads at once. */
gboolean    bosh_sasl_step                  (BoshSasl    *self,
                                             const char  *input,
                                             char       **output,
                                             GError     **error);

/* TRUE if the next step, with @input, may be the slow one of SCRAM. */
gboolean    bosh_sasl_is_slow               (BoshSasl   *self,
                                             const char *input);

/* The server reports success, with base64 data (nullable). Fails with
 * BOSH_ERROR_SERVER_NOT_AUTHENTIC unless it has proved its own identity, where the
 * mechanism has that. */
gboolean    bosh_sasl_succeed               (BoshSasl    *self,
                                             const char  *data,
                                             GError     **error);

/* The salted password, which SCRAM takes long to compute, is the same as long as
 * the password, the salt and the number of iterations are, and may be kept (RFC
 * 5802 §5.1). It is a text that also says what it was computed from, and as secret
 * as the password.
 *
 * Sets the one of another exchange with the same password (nullable), which is
 * copied. It is used if mechanism, user name, salt and iterations are the same. */
void        bosh_sasl_set_salted_password   (BoshSasl   *self,
                                             const char *salted);
/* The one that this exchange has computed or used (transfer full): clear it with
 * bosh_secret_clear(). NULL if there is none, and unless the exchange has ended
 * with success. */
char       *bosh_sasl_steal_salted_password (BoshSasl             *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshSasl, bosh_sasl_free)

G_END_DECLS
