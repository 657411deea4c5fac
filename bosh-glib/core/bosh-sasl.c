/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-sasl-private.h"

#include <gsasl.h>
#include <string.h>

#include "bosh-error-private.h"
#include "bosh-i18n-private.h"
#include "bosh-secret-clear-private.h"

typedef enum
{
  /* Nothing was sent yet. */
  STATE_INITIAL,
  /* SCRAM: the nonce was sent; salt and iteration count are awaited. */
  STATE_FIRST_SENT,
  /* SCRAM: the proof was sent; the signature of the server is awaited. */
  STATE_PROOF_SENT,
  /* Nothing is left to send or to check. */
  STATE_DONE,
  STATE_FAILED,
} BoshSaslState;

typedef struct
{
  const char          *name;
  BoshSaslCredentials  credentials;
  gboolean             is_scram;
} BoshSaslMechanism;

/* All mechanisms that are ever used, the best first. GNU SASL would also pick
 * mechanisms that are broken or obsolete. The -PLUS variants need data of the TLS
 * channel, which the HTTP library does not give. */
static const BoshSaslMechanism mechanisms[] = {
  { "SCRAM-SHA-256", BOSH_SASL_CREDENTIALS_PASSWORD, TRUE },
  { "SCRAM-SHA-1", BOSH_SASL_CREDENTIALS_PASSWORD, TRUE },
  { "PLAIN", BOSH_SASL_CREDENTIALS_PASSWORD, FALSE },
  { "ANONYMOUS", BOSH_SASL_CREDENTIALS_ANONYMOUS, FALSE },
  { "EXTERNAL", BOSH_SASL_CREDENTIALS_EXTERNAL, FALSE },
};

struct _BoshSasl
{
  const BoshSaslMechanism *mechanism;
  BoshSaslState            state;
  /* NULL once nothing is left to compute. */
  Gsasl                   *context;
  Gsasl_session           *session;

  /* SCRAM. */
  char                    *username;
  char                    *known;   /* the salted password of another exchange, nullable */
  char                    *salted;  /* the one of this exchange, once the proof was made */
};

/* The parts of a server-first-message (RFC 5802 §7), as pointers into it. */
typedef struct
{
  const char *salt;
  gsize       salt_length;
  guint       iterations;
} ServerFirst;

static const BoshSaslMechanism *
choose_mechanism (const char * const   *offered,
                  BoshSaslCredentials   credentials,
                  gboolean              allow_plaintext,
                  GError              **error)
{
  g_autofree char *joined = NULL;
  g_autofree char *list = NULL;
  gboolean is_insecure = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (mechanisms); i++)
    {
      gboolean shows_password;

      if (mechanisms[i].credentials != credentials ||
          !g_strv_contains (offered, mechanisms[i].name))
        continue;

      shows_password = credentials == BOSH_SASL_CREDENTIALS_PASSWORD &&
                       !mechanisms[i].is_scram;
      if (!shows_password || allow_plaintext)
        return &mechanisms[i];

      is_insecure = TRUE;
    }

  joined = g_strjoinv (", ", (char **)offered);
  list = bosh_error_clean_text (joined, -1);
  if (list == NULL)
    g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NO_MECHANISM,
                         _("The server offers no authentication mechanism"));
  else if (is_insecure)
    g_set_error (error, BOSH_ERROR, BOSH_ERROR_INSECURE_MECHANISM,
                 _("The server offers only authentication that would show the "
                   "password on an unencrypted connection (offered: %s)"),
                 list);
  else
    g_set_error (error, BOSH_ERROR, BOSH_ERROR_NO_MECHANISM,
                 _("The server offers no authentication mechanism that can be "
                   "used (offered: %s)"),
                 list);

  return NULL;
}

static guint
get_rank (const char *mechanism)
{
  guint rank = 0;

  while (rank < G_N_ELEMENTS (mechanisms) && strcmp (mechanisms[rank].name, mechanism) != 0)
    rank++;

  return rank;
}

gboolean
bosh_sasl_is_weaker (const char *mechanism,
                     const char *other)
{
  guint rank = get_rank (mechanism);
  guint other_rank = get_rank (other);

  return rank < G_N_ELEMENTS (mechanisms) && other_rank < rank &&
         mechanisms[rank].credentials == mechanisms[other_rank].credentials;
}

/* Prepares @text as GNU SASL does for names and passwords. If that failed inside
 * the exchange, the error would not say which of them is wrong. */
static gboolean
is_usable (const char *text,
           gboolean    is_scram)
{
  char *prepared = NULL;
  gboolean usable;

  if (!is_scram)
    return text[0] != '\0' && g_utf8_validate (text, -1, NULL);

  if (gsasl_saslprep (text, GSASL_ALLOW_UNASSIGNED, &prepared, NULL) != GSASL_OK)
    return FALSE;

  usable = prepared[0] != '\0';
  explicit_bzero (prepared, strlen (prepared));
  gsasl_free (prepared);

  return usable;
}

static gboolean
check_credentials (const BoshSaslMechanism  *mechanism,
                   const char               *username,
                   const char               *password,
                   GError                  **error)
{
  if (username != NULL && !is_usable (username, mechanism->is_scram))
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED,
                           _("The user name is empty or has characters that "
                             "authentication does not allow"));
      return FALSE;
    }

  if (password != NULL && !is_usable (password, mechanism->is_scram))
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED,
                           _("The password is empty or has characters that "
                             "authentication does not allow"));
      return FALSE;
    }

  return TRUE;
}

static void
set_gsasl_error (GError **error,
                 int      code)
{
  const char *name = gsasl_strerror_name (code);

  g_set_error (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED,
               _("Authentication failed: %s"), name != NULL ? name : "?");
}

static int
set_properties (BoshSasl   *self,
                const char *username,
                const char *password)
{
  int code = GSASL_OK;

  switch (self->mechanism->credentials)
    {
    case BOSH_SASL_CREDENTIALS_PASSWORD:
      code = gsasl_property_set (self->session, GSASL_AUTHID, username);
      if (code == GSASL_OK)
        code = gsasl_property_set (self->session, GSASL_PASSWORD, password);
      break;

    case BOSH_SASL_CREDENTIALS_ANONYMOUS:
      /* The trace information is optional (RFC 4505 §2): none is given. */
      code = gsasl_property_set (self->session, GSASL_ANONYMOUS_TOKEN, "");
      break;

    case BOSH_SASL_CREDENTIALS_EXTERNAL:
      if (username != NULL)
        code = gsasl_property_set (self->session, GSASL_AUTHZID, username);
      break;

    default:
      break;
    }

  return code;
}

/* GNU SASL frees its copies without clearing them. The pointer that it gives is
 * to its own memory, which is writable. */
static void
clear_property (Gsasl_session  *session,
                Gsasl_property  property)
{
  const char *value = gsasl_property_fast (session, property);

  if (value != NULL)
    explicit_bzero ((char *)value, strlen (value));
}

static void
clear_secrets (BoshSasl *self)
{
  clear_property (self->session, GSASL_PASSWORD);
  clear_property (self->session, GSASL_SCRAM_SALTED_PASSWORD);
}

/* Clears all secrets: nothing is left to compute. */
static void
finish (BoshSasl      *self,
        BoshSaslState  state)
{
  self->state = state;
  bosh_secret_clear (&self->known);
  if (state == STATE_FAILED)
    bosh_secret_clear (&self->salted);

  if (self->session != NULL)
    {
      clear_secrets (self);
      g_clear_pointer (&self->session, gsasl_finish);
    }
  g_clear_pointer (&self->context, gsasl_done);
}

BoshSasl *
bosh_sasl_new (const char * const   *offered,
               BoshSaslCredentials   credentials,
               const char           *username,
               const char           *password,
               gboolean              allow_plaintext,
               GError              **error)
{
  g_autoptr(BoshSasl) self = NULL;
  const BoshSaslMechanism *mechanism;
  int code;

  g_return_val_if_fail (offered != NULL, NULL);
  g_return_val_if_fail (credentials != BOSH_SASL_CREDENTIALS_PASSWORD ||
                          (username != NULL && password != NULL),
                        NULL);

  mechanism = choose_mechanism (offered, credentials, allow_plaintext, error);
  if (mechanism == NULL)
    return NULL;

  if (credentials == BOSH_SASL_CREDENTIALS_ANONYMOUS)
    username = NULL;
  if (credentials != BOSH_SASL_CREDENTIALS_PASSWORD)
    password = NULL;
  if (!check_credentials (mechanism, username, password, error))
    return NULL;

  self = g_new0 (BoshSasl, 1);
  self->mechanism = mechanism;
  if (mechanism->is_scram)
    self->username = g_strdup (username);

  code = gsasl_init (&self->context);
  if (code == GSASL_OK)
    code = gsasl_client_start (self->context, mechanism->name, &self->session);
  if (code == GSASL_OK)
    code = set_properties (self, username, password);
  if (code != GSASL_OK)
    {
      set_gsasl_error (error, code);
      return NULL;
    }

  return g_steal_pointer (&self);
}

void
bosh_sasl_free (BoshSasl *self)
{
  finish (self, STATE_FAILED);
  g_free (self->username);
  g_free (self);
}

const char *
bosh_sasl_get_mechanism (BoshSasl *self)
{
  return self->mechanism->name;
}

/* Returns a string, as no challenge of the mechanisms above may have a nul. */
static char *
decode (const char  *input,
        GError     **error)
{
  g_autofree char *stripped = NULL;
  g_autofree char *text = NULL;
  char *data = NULL;
  gsize length = 0;

  if (strnlen (input, BOSH_SASL_MAX_CHALLENGE + 1) > BOSH_SASL_MAX_CHALLENGE)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED,
                           _("The server sent an authentication challenge that "
                             "is too long"));
      return NULL;
    }

  stripped = g_strstrip (g_strdup (input));
  /* A single equals sign stands for no data (RFC 6120 §6.4.6). */
  if (strcmp (stripped, "=") == 0)
    return g_strdup ("");

  if (gsasl_base64_from (stripped, strlen (stripped), &data, &length) == GSASL_OK &&
      (length == 0 || memchr (data, '\0', length) == NULL))
    text = g_strndup (data, length);
  gsasl_free (data);

  if (text == NULL)
    g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED,
                         _("The server sent an authentication challenge that "
                           "can't be decoded"));

  return g_steal_pointer (&text);
}

static char *
encode (char  *data,
        gsize  length)
{
  char *text = g_base64_encode ((const guchar *)data, length);

  explicit_bzero (data, length);

  return text;
}

/* Reads the server-first-message (RFC 5802 §7), `r=nonce,s=salt,i=count` and
 * perhaps extensions, before GNU SASL does, which would compute any number of
 * iterations. A mandatory extension (`m=`) in front is refused (§5.1). */
static gboolean
read_server_first (const char   *message,
                   ServerFirst  *first,
                   GError      **error)
{
  const char *salt = g_str_has_prefix (message, "r=") ? strchr (message, ',') : NULL;
  const char *count = NULL;
  guint64 iterations = 0;

  if (salt != NULL && g_str_has_prefix (salt, ",s="))
    count = strchr (salt + 1, ',');

  if (count != NULL && g_str_has_prefix (count, ",i="))
    {
      gsize n_digits = strspn (count + 3, "0123456789");

      if (count[3] != '0' && (count[3 + n_digits] == '\0' || count[3 + n_digits] == ','))
        /* Too many digits give G_MAXUINT64. */
        iterations = g_ascii_strtoull (count + 3, NULL, 10);
    }

  if (iterations == 0)
    g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED,
                         _("The server sent a malformed SCRAM challenge"));
  else if (iterations > BOSH_SASL_MAX_ITERATIONS)
    g_set_error (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED,
                 _("The server asks for too many SCRAM iterations (%u, at most "
                   "%u are computed)"),
                 (guint)MIN (iterations, G_MAXUINT), BOSH_SASL_MAX_ITERATIONS);
  else if (iterations < BOSH_SASL_MIN_ITERATIONS)
    g_set_error (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED,
                 _("The server asks for too few SCRAM iterations to protect the "
                   "password (%u, at least %u are needed)"),
                 (guint)iterations, BOSH_SASL_MIN_ITERATIONS);
  else
    {
      first->salt = salt + strlen (",s=");
      first->salt_length = count - first->salt;
      first->iterations = iterations;
      return TRUE;
    }

  return FALSE;
}

/* Describes what a salted password was computed from, besides the password: the
 * prefix of the text in which it is kept. The name comes last, as it alone may
 * have commas. */
static char *
dup_salting (BoshSasl          *self,
             const ServerFirst *first)
{
  return g_strdup_printf ("%s,%u,%.*s,%s,", self->mechanism->name, first->iterations,
                          (int)first->salt_length, first->salt, self->username);
}

/* The salted password in hexadecimal digits, as GNU SASL wants it, or NULL if it
 * is not known. */
static const char *
find_known (BoshSasl          *self,
            const ServerFirst *first)
{
  g_autofree char *salting = dup_salting (self, first);
  const char *digits;

  if (self->known == NULL || !g_str_has_prefix (self->known, salting))
    return NULL;

  digits = self->known + strlen (salting);

  return digits[strspn (digits, "0123456789abcdef")] == '\0' ? digits : NULL;
}

/* Keeps the salted password with which the proof was made. */
static void
keep_salted (BoshSasl          *self,
             const ServerFirst *first)
{
  g_autofree char *salting = dup_salting (self, first);
  const char *digits = gsasl_property_fast (self->session, GSASL_SCRAM_SALTED_PASSWORD);

  if (digits != NULL)
    self->salted = g_strconcat (salting, digits, NULL);
}

static gboolean
step_initial (BoshSasl  *self,
              char     **output,
              GError   **error)
{
  char *data = NULL;
  gsize length = 0;
  int code;

  code = gsasl_step (self->session, NULL, 0, &data, &length);
  if (code != (self->mechanism->is_scram ? GSASL_NEEDS_MORE : GSASL_OK))
    {
      gsasl_free (data);
      set_gsasl_error (error, code);
      return FALSE;
    }

  *output = length > 0 ? encode (data, length) : g_strdup ("=");
  gsasl_free (data);

  if (self->mechanism->is_scram)
    self->state = STATE_FIRST_SENT;
  else
    finish (self, STATE_DONE);

  return TRUE;
}

static gboolean
step_proof (BoshSasl    *self,
            const char  *input,
            char       **output,
            GError     **error)
{
  g_autofree char *message = decode (input, error);
  ServerFirst first = { NULL };
  const char *known;
  char *data = NULL;
  gsize length = 0;
  int code = GSASL_OK;

  if (message == NULL || !read_server_first (message, &first, error))
    return FALSE;

  known = find_known (self, &first);
  if (known != NULL)
    code = gsasl_property_set (self->session, GSASL_SCRAM_SALTED_PASSWORD, known);
  if (code == GSASL_OK)
    code = gsasl_step (self->session, message, strlen (message), &data, &length);
  switch (code)
    {
    case GSASL_NEEDS_MORE:
      *output = encode (data, length);
      gsasl_free (data);
      /* The signature that the server must send was computed with the proof. */
      keep_salted (self, &first);
      bosh_secret_clear (&self->known);
      clear_secrets (self);
      self->state = STATE_PROOF_SENT;
      return TRUE;

    case GSASL_AUTHENTICATION_ERROR:
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC,
                           _("The server responded with the nonce of another "
                             "authentication"));
      break;

    case GSASL_MECHANISM_PARSE_ERROR:
    case GSASL_BASE64_ERROR:
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED,
                           _("The server sent a malformed SCRAM challenge"));
      break;

    default:
      set_gsasl_error (error, code);
      break;
    }

  gsasl_free (data);

  return FALSE;
}

/* Checks the server-final-message. */
static gboolean
verify_server (BoshSasl    *self,
               const char  *message,
               GError     **error)
{
  char *data = NULL;
  gsize length = 0;
  int code = GSASL_MECHANISM_PARSE_ERROR;

  if (message != NULL)
    code = gsasl_step (self->session, message, strlen (message), &data, &length);
  gsasl_free (data);

  if (code != GSASL_OK)
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC,
                           _("The server could not prove that it knows the "
                             "password"));
      return FALSE;
    }

  finish (self, STATE_DONE);

  return TRUE;
}

/* The signature may come in a challenge of its own, to which the response is empty
 * (RFC 5802 §9), and so may the reason why the proof was not accepted (§7). */
static gboolean
step_final (BoshSasl    *self,
            const char  *input,
            char       **output,
            GError     **error)
{
  g_autofree char *message = decode (input, NULL);

  if (message != NULL && g_str_has_prefix (message, "e="))
    {
      g_autofree char *reason = bosh_error_clean_text (message + 2, -1);

      g_set_error (error, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED,
                   _("The server did not accept the user name or password: %s"),
                   reason != NULL ? reason : "");
      return FALSE;
    }

  if (!verify_server (self, message, error))
    return FALSE;

  *output = g_strdup ("");

  return TRUE;
}

gboolean
bosh_sasl_step (BoshSasl    *self,
                const char  *input,
                char       **output,
                GError     **error)
{
  gboolean success = FALSE;

  g_return_val_if_fail ((input == NULL) == (self->state == STATE_INITIAL), FALSE);

  *output = NULL;
  switch (self->state)
    {
    case STATE_INITIAL:
      success = step_initial (self, output, error);
      break;

    case STATE_FIRST_SENT:
      success = step_proof (self, input, output, error);
      break;

    case STATE_PROOF_SENT:
      success = step_final (self, input, output, error);
      break;

    case STATE_DONE:
    case STATE_FAILED:
    default:
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED,
                           _("The server sent an authentication challenge where "
                             "the mechanism has none"));
      break;
    }

  if (!success)
    finish (self, STATE_FAILED);

  return success;
}

gboolean
bosh_sasl_is_slow (BoshSasl   *self,
                   const char *input)
{
  g_autofree char *message = NULL;
  ServerFirst first = { NULL };

  if (self->state != STATE_FIRST_SENT)
    return FALSE;
  if (self->known == NULL)
    return TRUE;

  message = decode (input, NULL);

  return message == NULL || !read_server_first (message, &first, NULL) ||
         find_known (self, &first) == NULL;
}

void
bosh_sasl_set_salted_password (BoshSasl   *self,
                               const char *salted)
{
  bosh_secret_clear (&self->known);
  if (self->mechanism->is_scram)
    self->known = g_strdup (salted);
}

char *
bosh_sasl_steal_salted_password (BoshSasl *self)
{
  return self->state == STATE_DONE ? g_steal_pointer (&self->salted) : NULL;
}

gboolean
bosh_sasl_succeed (BoshSasl    *self,
                   const char  *data,
                   GError     **error)
{
  g_autofree char *message = NULL;
  gboolean success;

  /* The server has proved its identity, or the mechanism has no such proof. */
  if (self->state == STATE_DONE)
    return TRUE;

  if (self->state == STATE_PROOF_SENT)
    {
      if (data != NULL)
        message = decode (data, NULL);
      success = verify_server (self, message, error);
    }
  else
    {
      g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC,
                           _("The server reported success before the "
                             "authentication was over"));
      success = FALSE;
    }

  if (!success)
    finish (self, STATE_FAILED);

  return success;
}
