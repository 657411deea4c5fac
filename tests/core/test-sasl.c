/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define _GNU_SOURCE /* for RTLD_NEXT */

#include "config.h"

#include <dlfcn.h>
#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

#include "bosh-error.h"
#include "bosh-sasl-private.h"
#include "bosh-secret-clear-private.h"

#define CLIENT_NONCE_BYTES 18

/* Taken as the nonce of the next client; NULL for a random one. */
static const char *next_nonce = NULL;
static guint n_finished = 0;
static Gsasl_session *last_session = NULL;

/* GNU SASL has no way to be given a nonce, as the vectors of the RFCs need. It
 * makes one by encoding random bytes with this function of its own, which the
 * dynamic linker takes from here. */
int
gsasl_base64_to (const char  *in,
                 size_t       inlen,
                 char       **out,
                 size_t      *outlen)
{
  g_autofree char *text = NULL;

  if (next_nonce != NULL && inlen == CLIENT_NONCE_BYTES)
    {
      text = g_strdup (next_nonce);
      next_nonce = NULL;
    }
  else
    text = g_base64_encode ((const guchar *)in, inlen);

  *out = strdup (text);
  if (outlen != NULL)
    *outlen = strlen (text);

  return GSASL_OK;
}

static void
assert_no_secrets (Gsasl_session *session)
{
  static const Gsasl_property secrets[] = {
    GSASL_PASSWORD,
    GSASL_SCRAM_SALTED_PASSWORD,
  };

  for (guint i = 0; i < G_N_ELEMENTS (secrets); i++)
    {
      const char *value = gsasl_property_fast (session, secrets[i]);

      if (value != NULL)
        g_assert_cmpstr (value, ==, "");
    }
}

/* Sees each session of GNU SASL at its beginning, and at its end. */

int
gsasl_client_start (Gsasl          *context,
                    const char     *mechanism,
                    Gsasl_session **session)
{
  int (*start) (Gsasl *, const char *, Gsasl_session **);
  int code;

  *(void **)&start = dlsym (RTLD_NEXT, "gsasl_client_start");
  code = start (context, mechanism, session);
  last_session = *session;

  return code;
}

void
gsasl_finish (Gsasl_session *session)
{
  void (*finish) (Gsasl_session *);

  assert_no_secrets (session);
  n_finished++;

  *(void **)&finish = dlsym (RTLD_NEXT, "gsasl_finish");
  finish (session);
}

/* A SCRAM server of its own, so that no fault of GNU SASL hides behind itself. */

static GBytes *
hmac (GChecksumType hash,
      gconstpointer key,
      gsize         key_length,
      gconstpointer data,
      gsize         data_length)
{
  g_autoptr(GHmac) context = g_hmac_new (hash, key, key_length);
  gsize length = g_checksum_type_get_length (hash);
  guint8 *digest = g_malloc (length);

  g_hmac_update (context, data, data_length);
  g_hmac_get_digest (context, digest, &length);

  return g_bytes_new_take (digest, length);
}

static GBytes *
hmac_text (GChecksumType  hash,
           GBytes        *key,
           const char    *text)
{
  return hmac (hash, g_bytes_get_data (key, NULL), g_bytes_get_size (key),
               text, strlen (text));
}

/* PBKDF2 with one block: Hi() of RFC 5802 §2.2. */
static GBytes *
salt_password (GChecksumType  hash,
               const char    *password,
               const char    *salt,
               guint          iterations)
{
  gsize length = g_checksum_type_get_length (hash);
  g_autoptr(GHmac) keyed = g_hmac_new (hash, (const guchar *)password, strlen (password));
  g_autofree guchar *decoded = NULL;
  g_autofree guint8 *digest = g_malloc (length);
  guint8 *result = g_malloc0 (length);
  gsize salt_length;

  decoded = g_base64_decode (salt, &salt_length);
  for (guint i = 0; i < iterations; i++)
    {
      g_autoptr(GHmac) context = g_hmac_copy (keyed);

      if (i == 0)
        {
          g_hmac_update (context, decoded, salt_length);
          g_hmac_update (context, (const guchar *)"\0\0\0\1", 4);
        }
      else
        g_hmac_update (context, digest, length);
      g_hmac_get_digest (context, digest, &length);

      for (gsize j = 0; j < length; j++)
        result[j] ^= digest[j];
    }

  return g_bytes_new_take (result, length);
}

static void
compute_scram (GChecksumType   hash,
               const char     *password,
               const char     *salt,
               guint           iterations,
               const char     *auth_message,
               char          **proof,
               char          **verifier)
{
  g_autoptr(GBytes) salted = salt_password (hash, password, salt, iterations);
  g_autoptr(GBytes) client_key = hmac_text (hash, salted, "Client Key");
  g_autoptr(GBytes) server_key = hmac_text (hash, salted, "Server Key");
  g_autoptr(GChecksum) checksum = g_checksum_new (hash);
  g_autoptr(GBytes) client_signature = NULL;
  g_autoptr(GBytes) server_signature = NULL;
  gsize length = g_bytes_get_size (client_key);
  g_autofree guint8 *stored_key = g_malloc (length);
  g_autofree guint8 *xored = g_memdup2 (g_bytes_get_data (client_key, NULL), length);
  const guint8 *signature;

  g_checksum_update (checksum, xored, length);
  g_checksum_get_digest (checksum, stored_key, &length);
  client_signature = hmac (hash, stored_key, length, auth_message, strlen (auth_message));
  server_signature = hmac_text (hash, server_key, auth_message);

  signature = g_bytes_get_data (client_signature, NULL);
  for (gsize i = 0; i < length; i++)
    xored[i] ^= signature[i];

  *proof = g_base64_encode (xored, length);
  *verifier = g_base64_encode (g_bytes_get_data (server_signature, NULL), length);
}

typedef struct
{
  const char    *mechanism;
  GChecksumType  hash;
} Scram;

static const Scram scrams[] = {
  { "SCRAM-SHA-1", G_CHECKSUM_SHA1 },
  { "SCRAM-SHA-256", G_CHECKSUM_SHA256 },
};

#define SALT "QSXCR+Q6sek8bf92"

static BoshSasl *
new_sasl (const char *mechanism,
          const char *username,
          const char *password)
{
  const char *offered[] = { mechanism, NULL };
  g_autoptr(GError) error = NULL;
  BoshSasl *sasl;

  sasl = bosh_sasl_new (offered, BOSH_SASL_CREDENTIALS_PASSWORD,
                        username, password, TRUE, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bosh_sasl_get_mechanism (sasl), ==, mechanism);

  return sasl;
}

static char *
decode (const char *text)
{
  gsize length;
  g_autofree guchar *data = g_base64_decode (text, &length);

  return g_strndup ((const char *)data, length);
}

static char *
encode (const char *text)
{
  return g_base64_encode ((const guchar *)text, strlen (text));
}

/* Gives the client's message as text. */
static char *
step (BoshSasl   *sasl,
      const char *input)
{
  g_autofree char *encoded = input != NULL ? encode (input) : NULL;
  g_autofree char *output = NULL;
  g_autoptr(GError) error = NULL;
  gboolean success;

  success = bosh_sasl_step (sasl, encoded, &output, &error);
  g_assert_no_error (error);
  g_assert_true (success);
  g_assert_nonnull (output);

  return decode (output);
}

static void
assert_step_fails (BoshSasl   *sasl,
                   const char *input,
                   GQuark      domain,
                   int         code)
{
  g_autofree char *encoded = encode (input);
  g_autofree char *output = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_false (bosh_sasl_step (sasl, encoded, &output, &error));
  g_assert_error (error, domain, code);
  g_assert_null (output);
}

static void
assert_succeed_fails (BoshSasl   *sasl,
                      const char *data)
{
  g_autofree char *encoded = data != NULL ? encode (data) : NULL;
  g_autoptr(GError) error = NULL;

  g_assert_false (bosh_sasl_succeed (sasl, encoded, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC);
}

/* The first two messages; returns the server's first message, which fits. */
static char *
begin_scram (BoshSasl    *sasl,
             const char  *iterations,
             char       **client_first_bare)
{
  g_autofree char *client_first = step (sasl, NULL);
  const char *nonce = strstr (client_first, ",r=");

  g_assert_true (g_str_has_prefix (client_first, "n,,n="));
  g_assert_nonnull (nonce);
  /* At least 18 random bytes. */
  g_assert_cmpuint (strlen (nonce + 3), >=, 24);
  g_assert_true (bosh_sasl_is_slow (sasl, ""));
  if (client_first_bare != NULL)
    *client_first_bare = g_strdup (client_first + 3);

  return g_strdup_printf ("r=%s3rfcNHYJY1ZVvWVs7j,s=" SALT ",i=%s", nonce + 3, iterations);
}

/* Everything up to the server's last message, which is returned. */
static char *
run_scram (const Scram *scram,
           BoshSasl    *sasl,
           const char  *prepared_password)
{
  g_autofree char *client_first_bare = NULL;
  g_autofree char *server_first = begin_scram (sasl, "4096", &client_first_bare);
  g_autofree char *client_final = step (sasl, server_first);
  g_autofree char *auth_message = NULL;
  g_autofree char *proof = NULL;
  g_autofree char *verifier = NULL;
  const char *proof_part = strstr (client_final, ",p=");

  g_assert_nonnull (proof_part);
  g_assert_false (bosh_sasl_is_slow (sasl, ""));
  auth_message = g_strdup_printf ("%s,%s,%.*s", client_first_bare, server_first,
                                  (int)(proof_part - client_final), client_final);
  compute_scram (scram->hash, prepared_password, SALT, 4096, auth_message,
                 &proof, &verifier);
  g_assert_cmpstr (proof_part + 3, ==, proof);

  return g_strconcat ("v=", verifier, NULL);
}

typedef struct
{
  const char          *offered;
  BoshSaslCredentials  credentials;
  gboolean             allow_plaintext;
  const char          *mechanism;
  int                  error;
} Choice;

static const Choice choices[] = {
  { "PLAIN SCRAM-SHA-1 SCRAM-SHA-256", BOSH_SASL_CREDENTIALS_PASSWORD, TRUE, "SCRAM-SHA-256", 0 },
  { "PLAIN SCRAM-SHA-1 X-OAUTH2", BOSH_SASL_CREDENTIALS_PASSWORD, TRUE, "SCRAM-SHA-1", 0 },
  { "PLAIN SCRAM-SHA-1 ANONYMOUS", BOSH_SASL_CREDENTIALS_PASSWORD, FALSE, "SCRAM-SHA-1", 0 },
  { "LOGIN PLAIN DIGEST-MD5", BOSH_SASL_CREDENTIALS_PASSWORD, TRUE, "PLAIN", 0 },
  { "LOGIN PLAIN NTLM", BOSH_SASL_CREDENTIALS_PASSWORD, FALSE, NULL, BOSH_ERROR_INSECURE_MECHANISM },
  { "PLAIN", BOSH_SASL_CREDENTIALS_PASSWORD, FALSE, NULL, BOSH_ERROR_INSECURE_MECHANISM },
  { "DIGEST-MD5 CRAM-MD5 LOGIN NTLM GSSAPI GS2-KRB5 SECURID SAML20 OPENID20",
    BOSH_SASL_CREDENTIALS_PASSWORD, TRUE, NULL, BOSH_ERROR_NO_MECHANISM },
  { "SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-512",
    BOSH_SASL_CREDENTIALS_PASSWORD, TRUE, NULL, BOSH_ERROR_NO_MECHANISM },
  { "ANONYMOUS EXTERNAL", BOSH_SASL_CREDENTIALS_PASSWORD, TRUE, NULL, BOSH_ERROR_NO_MECHANISM },
  { "plain scram-sha-1", BOSH_SASL_CREDENTIALS_PASSWORD, TRUE, NULL, BOSH_ERROR_NO_MECHANISM },
  { "", BOSH_SASL_CREDENTIALS_PASSWORD, TRUE, NULL, BOSH_ERROR_NO_MECHANISM },
  { "PLAIN ANONYMOUS", BOSH_SASL_CREDENTIALS_ANONYMOUS, FALSE, "ANONYMOUS", 0 },
  { "PLAIN EXTERNAL", BOSH_SASL_CREDENTIALS_ANONYMOUS, TRUE, NULL, BOSH_ERROR_NO_MECHANISM },
  { "PLAIN EXTERNAL ANONYMOUS", BOSH_SASL_CREDENTIALS_EXTERNAL, FALSE, "EXTERNAL", 0 },
  { "PLAIN ANONYMOUS", BOSH_SASL_CREDENTIALS_EXTERNAL, TRUE, NULL, BOSH_ERROR_NO_MECHANISM },
};

static void
test_choice (void)
{
  g_test_summary ("The best mechanism of our own list is taken, and no other "
                  "one ever (RFC 6120 §6.3.3, §13.8)");

  for (guint i = 0; i < G_N_ELEMENTS (choices); i++)
    {
      const Choice *choice = &choices[i];
      g_auto(GStrv) offered = g_strsplit (choice->offered, " ", -1);
      g_autoptr(GError) error = NULL;
      g_autoptr(BoshSasl) sasl = NULL;

      sasl = bosh_sasl_new ((const char * const *)offered, choice->credentials,
                            "user", "pencil", choice->allow_plaintext, &error);
      if (choice->mechanism != NULL)
        {
          g_assert_no_error (error);
          g_assert_cmpstr (bosh_sasl_get_mechanism (sasl), ==, choice->mechanism);
        }
      else
        {
          g_assert_error (error, BOSH_ERROR, choice->error);
          g_assert_null (sasl);
          for (guint j = 0; offered[j] != NULL; j++)
            g_assert_nonnull (strstr (error->message, offered[j]));
        }
    }
}

static void
test_choice_message (void)
{
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new ();
  g_auto(GStrv) offered = NULL;
  g_autofree char *long_name = g_strnfill (100000, 'A');
  g_autoptr(GError) error = NULL;

  g_test_summary ("What the server offered is quoted in bounds and without "
                  "control characters");

  g_strv_builder_add (builder, "BAD\033[31m\nNAME\xff");
  for (guint i = 0; i < 64; i++)
    g_strv_builder_add (builder, long_name);
  offered = g_strv_builder_end (builder);

  g_assert_null (bosh_sasl_new ((const char * const *)offered,
                                BOSH_SASL_CREDENTIALS_PASSWORD,
                                "user", "pencil", TRUE, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NO_MECHANISM);
  g_assert_cmpuint (strlen (error->message), <, 1000);
  g_assert_nonnull (strstr (error->message, "BAD [31m NAME"));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
test_plain (void)
{
  g_autoptr(BoshSasl) sasl = new_sasl ("PLAIN", "tim", "tan\xc3\xa9staan\xf0\x9f\x98\x80");
  static const char expected[] = "\0tim\0tan\xc3\xa9staan\xf0\x9f\x98\x80";
  g_autofree char *output = NULL;
  g_autofree guchar *data = NULL;
  g_autoptr(GError) error = NULL;
  gsize length;
  guint finished = n_finished;

  g_test_summary ("PLAIN sends no authorization identity, name and password "
                  "as they are (RFC 4616 §2)");

  g_assert_false (bosh_sasl_is_slow (sasl, ""));
  g_assert_true (bosh_sasl_step (sasl, NULL, &output, &error));
  g_assert_no_error (error);
  data = g_base64_decode (output, &length);
  g_assert_cmpmem (data, length, expected, sizeof expected - 1);
  /* The password is gone as soon as it was sent. */
  g_assert_cmpuint (n_finished, ==, finished + 1);

  g_assert_true (bosh_sasl_succeed (sasl, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (bosh_sasl_succeed (sasl, "Zm9v", &error));
  g_assert_no_error (error);
}

static void
test_plain_challenged (void)
{
  g_autoptr(BoshSasl) sasl = new_sasl ("PLAIN", "tim", "tanstaaftanstaaf");
  g_autofree char *output = step (sasl, NULL);

  g_test_summary ("PLAIN has no challenge (RFC 4616 §2), and a failed exchange "
                  "stays failed");

  assert_step_fails (sasl, "", BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED);
  assert_step_fails (sasl, "", BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED);
  assert_succeed_fails (sasl, NULL);
}

static void
test_no_password (void)
{
  static const struct
  {
    const char          *mechanism;
    BoshSaslCredentials  credentials;
    const char          *username;
    const char          *output;
  } cases[] = {
    { "ANONYMOUS", BOSH_SASL_CREDENTIALS_ANONYMOUS, NULL, "=" },
    { "ANONYMOUS", BOSH_SASL_CREDENTIALS_ANONYMOUS, "ignored", "=" },
    { "EXTERNAL", BOSH_SASL_CREDENTIALS_EXTERNAL, NULL, "=" },
    { "EXTERNAL", BOSH_SASL_CREDENTIALS_EXTERNAL, "juliet@im.example.com",
      "anVsaWV0QGltLmV4YW1wbGUuY29t" },
  };

  g_test_summary ("ANONYMOUS gives no trace information (RFC 4505 §2), EXTERNAL "
                  "an optional authorization identity (RFC 4422 §A); nothing "
                  "is sent as `=` (RFC 6120 §6.4.2)");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *offered[] = { cases[i].mechanism, NULL };
      g_autoptr(BoshSasl) sasl = NULL;
      g_autofree char *output = NULL;
      g_autoptr(GError) error = NULL;

      sasl = bosh_sasl_new (offered, cases[i].credentials, cases[i].username,
                            NULL, FALSE, &error);
      g_assert_no_error (error);
      g_assert_true (bosh_sasl_step (sasl, NULL, &output, &error));
      g_assert_no_error (error);
      g_assert_cmpstr (output, ==, cases[i].output);
      g_assert_true (bosh_sasl_succeed (sasl, NULL, &error));
      g_assert_no_error (error);
    }
}

typedef struct
{
  const char *mechanism;
  const char *client_nonce;
  const char *server_first;
  const char *client_final;
  const char *server_final;
} Vector;

static const Vector vectors[] = {
  /* RFC 5802 §5 */
  { "SCRAM-SHA-1",
    "fyko+d2lbbFgONRv9qkxdawL",
    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" },
  /* RFC 7677 §3 */
  { "SCRAM-SHA-256",
    "rOprNGfwEbeRWgbNEkqO",
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" },
};

static void
test_scram_vectors (gconstpointer data)
{
  const Vector *vector = data;
  g_autoptr(BoshSasl) sasl = NULL;
  g_autofree char *expected = NULL;
  g_autofree char *client_first = NULL;
  g_autofree char *client_final = NULL;
  g_autofree char *server_final = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("The examples of RFC 5802 §5 and RFC 7677 §3, byte by byte");

  next_nonce = vector->client_nonce;
  sasl = new_sasl (vector->mechanism, "user", "pencil");
  client_first = step (sasl, NULL);
  if (next_nonce != NULL)
    {
      next_nonce = NULL;
      g_test_skip ("This GNU SASL makes its nonce in another way");
      return;
    }

  expected = g_strconcat ("n,,n=user,r=", vector->client_nonce, NULL);
  g_assert_cmpstr (client_first, ==, expected);
  client_final = step (sasl, vector->server_first);
  g_assert_cmpstr (client_final, ==, vector->client_final);
  server_final = encode (vector->server_final);
  g_assert_true (bosh_sasl_succeed (sasl, server_final, &error));
  g_assert_no_error (error);
}

/* The server of this test, too, has to be right. */
static void
test_scram_server (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      const Vector *vector = &vectors[i];
      const char *proof_part = strstr (vector->client_final, ",p=");
      const char *salt = strstr (vector->server_first, ",s=") + 3;
      g_autofree char *salt_only = g_strndup (salt, strcspn (salt, ","));
      g_autofree char *auth_message = NULL;
      g_autofree char *proof = NULL;
      g_autofree char *verifier = NULL;

      auth_message = g_strdup_printf ("n=user,r=%s,%s,%.*s", vector->client_nonce,
                                      vector->server_first,
                                      (int)(proof_part - vector->client_final),
                                      vector->client_final);
      compute_scram (scrams[i].hash, "pencil", salt_only, 4096, auth_message,
                     &proof, &verifier);
      g_assert_cmpstr (proof, ==, proof_part + 3);
      g_assert_cmpstr (verifier, ==, vector->server_final + 2);
    }
}

static void
test_scram_success (gconstpointer data)
{
  const Scram *scram = data;
  g_autoptr(BoshSasl) sasl = new_sasl (scram->mechanism, "user", "pencil");
  g_autofree char *server_final = run_scram (scram, sasl, "pencil");
  g_autofree char *encoded = encode (server_final);
  g_autofree char *padded = g_strconcat ("\n  ", encoded, "\n", NULL);
  g_autoptr(GError) error = NULL;
  guint finished = n_finished;

  g_test_summary ("The signature of the server may come with the success "
                  "(RFC 6120 §6.4.6)");

  g_assert_true (bosh_sasl_succeed (sasl, padded, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_finished, ==, finished + 1);
}

static void
test_scram_extra_challenge (gconstpointer data)
{
  const Scram *scram = data;
  g_autoptr(BoshSasl) sasl = new_sasl (scram->mechanism, "user", "pencil");
  g_autofree char *server_final = run_scram (scram, sasl, "pencil");
  g_autofree char *encoded = encode (server_final);
  g_autofree char *output = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("The signature of the server may come in a challenge, which "
                  "has an empty response (RFC 5802 §9)");

  g_assert_true (bosh_sasl_step (sasl, encoded, &output, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (output, ==, "");
  g_assert_true (bosh_sasl_succeed (sasl, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (bosh_sasl_succeed (sasl, "=", &error));
  g_assert_no_error (error);
}

typedef enum
{
  TAMPERED,
  CUT,
  ANOTHER,
  EMPTY,
  ABSENT,
  REFUSED,
  N_WRONG_SIGNATURES,
} WrongSignature;

static void
test_scram_wrong_signature (gconstpointer data)
{
  const Scram *scram = data;
  g_test_summary ("Without the right signature the server is not believed "
                  "(RFC 5802 §9)");

  for (WrongSignature kind = TAMPERED; kind < N_WRONG_SIGNATURES; kind++)
    {
      for (int in_challenge = 0; in_challenge < 2; in_challenge++)
        {
          g_autoptr(BoshSasl) sasl = new_sasl (scram->mechanism, "user", "pencil");
          g_autofree char *server_final = run_scram (scram, sasl, "pencil");
          const char *wrong = server_final;

          switch (kind)
            {
            case TAMPERED:
              server_final[2] = server_final[2] == 'A' ? 'B' : 'A';
              break;
            case CUT:
              server_final[6] = '\0';
              break;
            case ANOTHER:
              wrong = "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=";
              break;
            case EMPTY:
              wrong = "v=";
              break;
            case ABSENT:
              wrong = in_challenge ? "" : NULL;
              break;
            case REFUSED:
            case N_WRONG_SIGNATURES:
            default:
              wrong = "e=invalid-proof\033";
              break;
            }

          if (!in_challenge)
            assert_succeed_fails (sasl, wrong);
          else if (kind == REFUSED)
            assert_step_fails (sasl, wrong, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
          else
            assert_step_fails (sasl, wrong, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC);

          assert_succeed_fails (sasl, NULL);
        }
    }
}

static void
test_scram_success_too_early (void)
{
  g_autoptr(BoshSasl) unused = new_sasl ("SCRAM-SHA-256", "user", "pencil");
  g_autoptr(BoshSasl) sasl = new_sasl ("SCRAM-SHA-256", "user", "pencil");
  g_autofree char *server_first = begin_scram (sasl, "4096", NULL);

  g_test_summary ("A success before the server has signed anything is refused");

  assert_succeed_fails (unused, NULL);
  assert_succeed_fails (sasl, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
}

static void
test_scram_nonce (void)
{
  g_test_summary ("The nonce of the server begins with ours (RFC 5802 §5.1)");

  for (guint shorter = 0; shorter < 2; shorter++)
    {
      g_autoptr(BoshSasl) sasl = new_sasl ("SCRAM-SHA-256", "user", "pencil");
      g_autofree char *server_first = begin_scram (sasl, "4096", NULL);
      g_autofree char *changed = NULL;
      const char *salt = strstr (server_first, ",s=");

      if (shorter)
        changed = g_strdup_printf ("%.20s%s", server_first, salt);
      else
        {
          changed = g_strdup (server_first);
          changed[2] = changed[2] == 'A' ? 'B' : 'A';
        }

      assert_step_fails (sasl, changed, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC);
      assert_succeed_fails (sasl, NULL);
    }
}

static void
test_scram_iterations (void)
{
  static const struct
  {
    const char *count;
    gboolean    accepted;
  } cases[] = {
    { "4095", FALSE },
    { "4096", TRUE },
    { "4096,x=extension", TRUE },
    { "1000000", TRUE },
    { "1000001", FALSE },
    { "0", FALSE },
    { "1", FALSE },
    { "", FALSE },
    { ",", FALSE },
    { "04096", FALSE },
    { "-4096", FALSE },
    { "+4096", FALSE },
    { " 4096", FALSE },
    { "4096x", FALSE },
    { "0x1000", FALSE },
    { "4294971392", FALSE },
    { "18446744073709555712", FALSE },
    { "99999999999999999999999999999999999999999999", FALSE },
  };

  g_test_summary ("The iteration count is bounded in both directions "
                  "(RFC 5802 §5.1, RFC 7677 §4)");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshSasl) sasl = new_sasl ("SCRAM-SHA-1", "user", "pencil");
      g_autofree char *server_first = begin_scram (sasl, cases[i].count, NULL);

      g_test_message ("i=%s", cases[i].count);
      if (cases[i].accepted)
        {
          g_autofree char *client_final = step (sasl, server_first);

          g_assert_nonnull (strstr (client_final, ",p="));
        }
      else
        {
          assert_step_fails (sasl, server_first, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED);
          assert_succeed_fails (sasl, NULL);
        }
    }
}

static void
test_scram_malformed (void)
{
  static const char * const raw[] = {
    "",
    "=",
    "====",
    "!!!!",
    "cj1h",
    "cj1",
    "cj1h cz1i",
    "cj1h\xc3\xa9",
    "AAAA",
  };
  static const char * const messages[] = {
    "r=",
    "r=a",
    "r=a,s=",
    "r=,s=QSXCR+Q6sek8bf92,i=4096",
    "r=a,i=4096",
    "r=a,i=4096,s=QSXCR+Q6sek8bf92",
    "s=QSXCR+Q6sek8bf92,r=a,i=4096",
    "m=required,r=a,s=QSXCR+Q6sek8bf92,i=4096",
    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    "e=other-error",
    "<challenge/>",
  };

  g_test_summary ("A challenge that is no server-first-message is refused "
                  "(RFC 5802 §7)");

  for (guint i = 0; i < G_N_ELEMENTS (raw); i++)
    {
      g_autoptr(BoshSasl) sasl = new_sasl ("SCRAM-SHA-1", "user", "pencil");
      g_autofree char *server_first = begin_scram (sasl, "4096", NULL);
      g_autofree char *output = NULL;
      g_autoptr(GError) error = NULL;

      g_assert_false (bosh_sasl_step (sasl, raw[i], &output, &error));
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED);
    }

  for (guint i = 0; i < G_N_ELEMENTS (messages); i++)
    {
      g_autoptr(BoshSasl) sasl = new_sasl ("SCRAM-SHA-1", "user", "pencil");
      g_autofree char *server_first = begin_scram (sasl, "4096", NULL);

      assert_step_fails (sasl, messages[i], BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED);
    }
}

static void
test_scram_bad_salt (void)
{
  static const char * const salts[] = { "*", "QSX", "QSXCR+Q6sek8bf9!" };

  g_test_summary ("A salt that is no base64 is refused (RFC 5802 §5.1)");

  for (guint i = 0; i < G_N_ELEMENTS (salts); i++)
    {
      g_autoptr(BoshSasl) sasl = new_sasl ("SCRAM-SHA-1", "user", "pencil");
      g_autofree char *server_first = begin_scram (sasl, "4096", NULL);
      g_autofree char *changed = NULL;

      changed = g_strdup_printf ("%.*s,s=%s,i=4096",
                                 (int)(strstr (server_first, ",s=") - server_first),
                                 server_first, salts[i]);
      assert_step_fails (sasl, changed, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED);
    }
}

static void
test_scram_length (void)
{
  g_test_summary ("The length of a challenge is bounded");

  for (guint over = 0; over < 2; over++)
    {
      g_autoptr(BoshSasl) sasl = new_sasl ("SCRAM-SHA-1", "user", "pencil");
      g_autofree char *server_first = begin_scram (sasl, "4096,x=", NULL);
      gsize limit = BOSH_SASL_MAX_CHALLENGE / 4 * 3 + over;
      g_autofree char *filler = g_strnfill (limit - strlen (server_first), 'y');
      g_autofree char *message = g_strconcat (server_first, filler, NULL);

      if (over == 0)
        {
          g_autofree char *client_final = step (sasl, message);

          g_assert_nonnull (strstr (client_final, ",p="));
        }
      else
        assert_step_fails (sasl, message, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED);
    }
}

static void
test_scram_unicode (gconstpointer data)
{
  const Scram *scram = data;
  static const struct
  {
    const char *password;
    const char *prepared;
  } cases[] = {
    /* RFC 4013 §3 */
    { "I\xc2\xadX", "IX" },
    { "USER", "USER" },
    { "\xc2\xaa", "a" },
    { "\xe2\x85\xa8", "IX" },
    /* Composed, other spaces, and beyond the first plane. */
    { "u\xcc\x88", "\xc3\xbc" },
    { "a\302\240b", "a b" },
    { "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c", "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c" },
    { "\xf0\x9d\x84\x9e", "\xf0\x9d\x84\x9e" },
  };

  g_test_summary ("Passwords are prepared with SASLprep (RFC 5802 §2.2, RFC 4013)");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshSasl) sasl = new_sasl (scram->mechanism, "user", cases[i].password);
      g_autofree char *server_final = run_scram (scram, sasl, cases[i].prepared);
      g_autofree char *encoded = encode (server_final);
      g_autoptr(GError) error = NULL;

      g_assert_true (bosh_sasl_succeed (sasl, encoded, &error));
      g_assert_no_error (error);
    }
}

static void
test_scram_username (void)
{
  static const struct
  {
    const char *username;
    const char *sent;
  } cases[] = {
    { "a,b=c", "n=a=2Cb=3Dc," },
    { "=2C", "n==3D2C," },
    { "I\xc2\xadX", "n=IX," },
    { "j\xc3\xbcrgen", "n=j\xc3\xbcrgen," },
  };

  g_test_summary ("The name is prepared, and `,` and `=` in it escaped "
                  "(RFC 5802 §5.1)");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshSasl) sasl = new_sasl ("SCRAM-SHA-1", cases[i].username, "pencil");
      g_autofree char *client_first = step (sasl, NULL);

      g_assert_true (g_str_has_prefix (client_first, "n,,"));
      g_assert_true (g_str_has_prefix (client_first + 3, cases[i].sent));
    }
}

static void
test_unusable_credentials (void)
{
  static const struct
  {
    const char *mechanism;
    const char *username;
    const char *password;
  } cases[] = {
    { "SCRAM-SHA-256", "", "pencil" },
    { "SCRAM-SHA-256", "\xc2\xad", "pencil" },
    { "SCRAM-SHA-256", "us\ner", "pencil" },
    { "SCRAM-SHA-256", "\xff", "pencil" },
    { "SCRAM-SHA-1", "user", "" },
    { "SCRAM-SHA-1", "user", "\xc2\xad" },
    { "SCRAM-SHA-1", "user", "pen\acil" },
    { "SCRAM-SHA-1", "user", "\330\2471" },
    { "SCRAM-SHA-1", "user", "\xff" },
    { "SCRAM-SHA-1", "user", "\xed\xa0\x80" },
    { "PLAIN", "", "pencil" },
    { "PLAIN", "user", "" },
    { "PLAIN", "us\xe9r", "pencil" },
    { "PLAIN", "user", "p\xe9ncil" },
  };

  g_test_summary ("A name or password that can't be prepared fails before "
                  "anything is sent (RFC 4013 §2.3 and §2.4)");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *offered[] = { cases[i].mechanism, NULL };
      g_autoptr(GError) error = NULL;

      g_assert_null (bosh_sasl_new (offered, BOSH_SASL_CREDENTIALS_PASSWORD,
                                    cases[i].username, cases[i].password, TRUE,
                                    &error));
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
}

static void
test_scram_unassigned (void)
{
  static const char * const texts[] = {
    "\xc8\xa1",
    "\xf0\x9f\x98\x80",
  };
  const char *offered[] = { "SCRAM-SHA-1", NULL };

  g_test_summary ("A character that Unicode 3.2 did not have is refused at once "
                  "or works: RFC 5802 §2.2 forbids it, and versions of GNU SASL "
                  "differ");

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      for (guint as_password = 0; as_password < 2; as_password++)
        {
          g_autoptr(BoshSasl) sasl = NULL;
          g_autoptr(GError) error = NULL;

          sasl = bosh_sasl_new (offered, BOSH_SASL_CREDENTIALS_PASSWORD,
                                as_password ? "user" : texts[i],
                                as_password ? texts[i] : "pencil", TRUE, &error);
          if (sasl != NULL)
            {
              g_autofree char *server_final = run_scram (&scrams[0], sasl,
                                                         as_password ? texts[i] : "pencil");
            }
          else
            g_assert_error (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED);
        }
    }
}

/* What a whole exchange leaves for the next. */
static char *
dup_salted (const Scram *scram)
{
  g_autoptr(BoshSasl) sasl = new_sasl (scram->mechanism, "user", "pencil");
  g_autofree char *server_final = run_scram (scram, sasl, "pencil");
  g_autofree char *encoded = encode (server_final);
  char *salted;

  g_assert_null (bosh_sasl_steal_salted_password (sasl));
  g_assert_true (bosh_sasl_succeed (sasl, encoded, NULL));
  salted = bosh_sasl_steal_salted_password (sasl);
  g_assert_nonnull (salted);
  g_assert_null (bosh_sasl_steal_salted_password (sasl));

  return salted;
}

static void
test_scram_salted (gconstpointer data)
{
  const Scram *scram = data;
  g_autofree char *salted = dup_salted (scram);
  g_autofree char *again = NULL;

  g_test_summary ("RFC 5802 §5.1: what was computed for a salt serves the next exchange, "
                  "which is fast and does not look at the password");

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr(BoshSasl) sasl = new_sasl (scram->mechanism, "user", i == 0 ? "pencil" : "other");
      g_autofree char *server_first = NULL;
      g_autofree char *encoded = NULL;

      bosh_sasl_set_salted_password (sasl, salted);
      server_first = begin_scram (sasl, "4096", NULL);
      encoded = encode (server_first);
      g_assert_false (bosh_sasl_is_slow (sasl, encoded));
    }

  {
    g_autoptr(BoshSasl) sasl = new_sasl (scram->mechanism, "user", "other");
    g_autofree char *server_final = NULL;
    g_autofree char *encoded = NULL;

    bosh_sasl_set_salted_password (sasl, salted);
    server_final = run_scram (scram, sasl, "pencil");
    assert_no_secrets (last_session);
    encoded = encode (server_final);
    g_assert_true (bosh_sasl_succeed (sasl, encoded, NULL));
    again = bosh_sasl_steal_salted_password (sasl);
    g_assert_cmpstr (again, ==, salted);
  }
}

static void
test_scram_salted_otherwise (gconstpointer data)
{
  const Scram *scram = data;
  const char *other = scram == &scrams[0] ? scrams[1].mechanism : scrams[0].mechanism;
  gsize n_digits = 2 * g_checksum_type_get_length (scram->hash);
  g_autofree char *zeros = g_strnfill (n_digits, '0');
  const struct
  {
    const char *mechanism;
    const char *iterations;
    const char *salt;
    const char *username;
    const char *digits;
  } cases[] = {
    { other, "4096", SALT, "user", zeros },
    { scram->mechanism, "4097", SALT, "user", zeros },
    { scram->mechanism, "409", SALT, "user", zeros },
    { scram->mechanism, "4096", SALT "=", "user", zeros },
    { scram->mechanism, "4096", "", "user", zeros },
    { scram->mechanism, "4096", SALT, "User", zeros },
    { scram->mechanism, "4096", SALT, "user,r", zeros },
    { scram->mechanism, "4096", SALT, "use", zeros },
    { scram->mechanism, "4096", SALT, "user", "guess" },
  };

  g_test_summary ("RFC 5802 §5.1: it serves no other hash, salt, number of iterations nor "
                  "user: then the password does");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshSasl) sasl = new_sasl (scram->mechanism, "user", "pencil");
      g_autofree char *salted = NULL;
      g_autofree char *server_final = NULL;

      salted = g_strjoin (",", cases[i].mechanism, cases[i].iterations, cases[i].salt,
                          cases[i].username, cases[i].digits, NULL);
      bosh_sasl_set_salted_password (sasl, salted);
      server_final = run_scram (scram, sasl, "pencil");
    }

  {
    static const char * const junk[] = { "", ",", "SCRAM-SHA-1" };

    for (guint i = 0; i < G_N_ELEMENTS (junk); i++)
      {
        g_autoptr(BoshSasl) sasl = new_sasl (scram->mechanism, "user", "pencil");
        g_autofree char *server_first = begin_scram (sasl, "4096", NULL);
        g_autofree char *encoded = encode (server_first);

        bosh_sasl_set_salted_password (sasl, junk[i]);
        g_assert_true (bosh_sasl_is_slow (sasl, encoded));
      }
  }
}

static void
test_scram_salted_failure (gconstpointer data)
{
  const Scram *scram = data;
  g_autoptr(BoshSasl) sasl = new_sasl (scram->mechanism, "user", "pencil");
  g_autofree char *server_final = run_scram (scram, sasl, "pencil");

  g_test_summary ("An exchange that the server does not end well leaves nothing for the next");

  assert_succeed_fails (sasl, "v=AAAA");
  g_assert_null (bosh_sasl_steal_salted_password (sasl));
}

/* gsasl_finish() above looks, too. */
static void
test_secrets (void)
{
  guint finished = n_finished;

  g_test_summary ("No password is left in GNU SASL once the proof was made, nor "
                  "when the exchange ends at an earlier step");

  for (guint steps = 0; steps < 4; steps++)
    {
      g_autoptr(BoshSasl) sasl = new_sasl ("SCRAM-SHA-256", "user", "pencil");

      if (steps == 3)
        {
          g_autofree char *server_final = run_scram (&scrams[1], sasl, "pencil");

          g_assert_nonnull (gsasl_property_fast (last_session, GSASL_PASSWORD));
          assert_no_secrets (last_session);
        }
      else if (steps > 0)
        {
          g_autofree char *server_first = begin_scram (sasl, "4096", NULL);

          if (steps == 2)
            assert_step_fails (sasl, "r=wrong,s=" SALT ",i=4096",
                               BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC);
        }
    }

  g_assert_cmpuint (n_finished, ==, finished + 4);
}

static void
add_scram_tests (void)
{
  static const struct
  {
    const char    *name;
    GTestDataFunc  function;
  } tests[] = {
    { "success", test_scram_success },
    { "extra-challenge", test_scram_extra_challenge },
    { "wrong-signature", test_scram_wrong_signature },
    { "unicode", test_scram_unicode },
    { "salted", test_scram_salted },
    { "salted-otherwise", test_scram_salted_otherwise },
    { "salted-failure", test_scram_salted_failure },
  };

  for (guint i = 0; i < G_N_ELEMENTS (scrams); i++)
    {
      g_autofree char *lower = g_ascii_strdown (scrams[i].mechanism, -1);
      g_autofree char *vector_path = g_strdup_printf ("/bosh/sasl/%s/vector", lower);

      g_test_add_data_func (vector_path, &vectors[i], test_scram_vectors);
      for (guint j = 0; j < G_N_ELEMENTS (tests); j++)
        {
          g_autofree char *path = g_strdup_printf ("/bosh/sasl/%s/%s", lower, tests[j].name);

          g_test_add_data_func (path, &scrams[i], tests[j].function);
        }
    }
}

static void
test_secret_clear (void)
{
  char *secret = g_strdup ("wonderland");
  char *empty = g_strdup ("");
  char *none = NULL;

  g_test_summary ("A secret is cleared once, and may be empty or missing");

  bosh_secret_clear (&secret);
  g_assert_null (secret);
  bosh_secret_clear (&secret);
  g_assert_null (secret);
  bosh_secret_clear (&empty);
  g_assert_null (empty);
  bosh_secret_clear (&none);
  g_assert_null (none);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/secret-clear/clear", test_secret_clear);
  g_test_add_func ("/bosh/sasl/choice", test_choice);
  g_test_add_func ("/bosh/sasl/choice-message", test_choice_message);
  g_test_add_func ("/bosh/sasl/plain", test_plain);
  g_test_add_func ("/bosh/sasl/plain-challenged", test_plain_challenged);
  g_test_add_func ("/bosh/sasl/no-password", test_no_password);
  g_test_add_func ("/bosh/sasl/unusable-credentials", test_unusable_credentials);
  g_test_add_func ("/bosh/sasl/secrets", test_secrets);
  g_test_add_func ("/bosh/sasl/scram/test-server", test_scram_server);
  g_test_add_func ("/bosh/sasl/scram/success-too-early", test_scram_success_too_early);
  g_test_add_func ("/bosh/sasl/scram/nonce", test_scram_nonce);
  g_test_add_func ("/bosh/sasl/scram/iterations", test_scram_iterations);
  g_test_add_func ("/bosh/sasl/scram/malformed", test_scram_malformed);
  g_test_add_func ("/bosh/sasl/scram/bad-salt", test_scram_bad_salt);
  g_test_add_func ("/bosh/sasl/scram/length", test_scram_length);
  g_test_add_func ("/bosh/sasl/scram/username", test_scram_username);
  g_test_add_func ("/bosh/sasl/scram/unassigned", test_scram_unassigned);
  add_scram_tests ();

  return g_test_run ();
}
