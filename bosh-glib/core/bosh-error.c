/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-error-private.h"

#include "bosh-i18n-private.h"

#include <string.h>

/**
 * bosh_error_quark:
 *
 * Gets the error domain of [error@Bosh.Error].
 *
 * Returns: the error domain
 *
 * Since: 1.0
 */
G_DEFINE_QUARK (bosh-error-quark, bosh_error)

/**
 * bosh_sasl_error_quark:
 *
 * Gets the error domain of [error@Bosh.SaslError].
 *
 * Returns: the error domain
 *
 * Since: 1.0
 */
G_DEFINE_QUARK (bosh-sasl-error-quark, bosh_sasl_error)

/**
 * bosh_stanza_error_quark:
 *
 * Gets the error domain of [error@Bosh.StanzaError].
 *
 * Returns: the error domain
 *
 * Since: 1.0
 */
G_DEFINE_QUARK (bosh-stanza-error-quark, bosh_stanza_error)

/**
 * bosh_stream_error_quark:
 *
 * Gets the error domain of [error@Bosh.StreamError].
 *
 * Returns: the error domain
 *
 * Since: 1.0
 */
G_DEFINE_QUARK (bosh-stream-error-quark, bosh_stream_error)

typedef struct
{
  const char *condition;
  int         code;
  const char *message;
} Condition;

/* XEP-0124 §17.2. */
static const Condition terminal_conditions[] = {
  { "bad-request", BOSH_ERROR_BAD_REQUEST,
    N_("The server found the format of a request bad") },
  { "host-gone", BOSH_ERROR_HOST_GONE,
    N_("The domain is no longer served here") },
  { "host-unknown", BOSH_ERROR_HOST_UNKNOWN,
    N_("The domain is not served here") },
  { "improper-addressing", BOSH_ERROR_IMPROPER_ADDRESSING,
    N_("The server did not understand the domain") },
  { "internal-server-error", BOSH_ERROR_INTERNAL_SERVER_ERROR,
    N_("The server has an internal error") },
  { "item-not-found", BOSH_ERROR_ITEM_NOT_FOUND,
    N_("The server does not know the session, or refused the number or key of a request") },
  { "other-request", BOSH_ERROR_OTHER_REQUEST,
    N_("Another request ended the session") },
  { "policy-violation", BOSH_ERROR_POLICY_VIOLATION,
    N_("The server does not allow what was done in the session") },
  { "remote-connection-failed", BOSH_ERROR_REMOTE_CONNECTION_FAILED,
    N_("The connection manager has no connection to the server") },
  { "remote-stream-error", BOSH_ERROR_REMOTE_STREAM_ERROR,
    N_("The server ended the stream with an error") },
  { "see-other-uri", BOSH_ERROR_SEE_OTHER_URI,
    N_("The connection manager works at another address") },
  { "system-shutdown", BOSH_ERROR_SYSTEM_SHUTDOWN,
    N_("The connection manager is being shut down") },
  { "undefined-condition", BOSH_ERROR_UNDEFINED_CONDITION,
    N_("The server ended the session for a reason of its own") },
};

/* RFC 6120 §4.9.3. */
static const Condition stream_conditions[] = {
  { "bad-format", BOSH_STREAM_ERROR_BAD_FORMAT,
    N_("The server could not process the XML of the stream") },
  { "bad-namespace-prefix", BOSH_STREAM_ERROR_BAD_NAMESPACE_PREFIX,
    N_("The server did not accept the prefix of a namespace") },
  { "conflict", BOSH_STREAM_ERROR_CONFLICT,
    N_("Another session of the account took the place of this one") },
  { "connection-timeout", BOSH_STREAM_ERROR_CONNECTION_TIMEOUT,
    N_("The server ended the stream because nothing came for too long") },
  { "host-gone", BOSH_STREAM_ERROR_HOST_GONE,
    N_("The server no longer serves the domain") },
  { "host-unknown", BOSH_STREAM_ERROR_HOST_UNKNOWN,
    N_("The server does not serve the domain") },
  { "improper-addressing", BOSH_STREAM_ERROR_IMPROPER_ADDRESSING,
    N_("The server did not understand an address") },
  { "internal-server-error", BOSH_STREAM_ERROR_INTERNAL_SERVER_ERROR,
    N_("The server has an internal error") },
  { "invalid-from", BOSH_STREAM_ERROR_INVALID_FROM,
    N_("The server did not accept the address of the sender") },
  { "invalid-namespace", BOSH_STREAM_ERROR_INVALID_NAMESPACE,
    N_("The server did not accept the namespace of the stream") },
  { "invalid-xml", BOSH_STREAM_ERROR_INVALID_XML,
    N_("The server found XML that is not valid") },
  { "not-authorized", BOSH_STREAM_ERROR_NOT_AUTHORIZED,
    N_("The server wants an authentication for what was done in the stream") },
  { "not-well-formed", BOSH_STREAM_ERROR_NOT_WELL_FORMED,
    N_("The server found XML that is malformed") },
  { "policy-violation", BOSH_STREAM_ERROR_POLICY_VIOLATION,
    N_("The server does not allow what was done in the stream") },
  { "remote-connection-failed", BOSH_STREAM_ERROR_REMOTE_CONNECTION_FAILED,
    N_("The server has no connection to another server that it needs") },
  { "reset", BOSH_STREAM_ERROR_RESET,
    N_("The server wants the stream to be opened anew") },
  { "resource-constraint", BOSH_STREAM_ERROR_RESOURCE_CONSTRAINT,
    N_("The server lacks the resources for the stream") },
  { "restricted-xml", BOSH_STREAM_ERROR_RESTRICTED_XML,
    N_("The server found XML that XMPP does not allow") },
  { "see-other-host", BOSH_STREAM_ERROR_SEE_OTHER_HOST,
    N_("The server works at another address") },
  { "system-shutdown", BOSH_STREAM_ERROR_SYSTEM_SHUTDOWN,
    N_("The server is being shut down") },
  { "undefined-condition", BOSH_STREAM_ERROR_UNDEFINED_CONDITION,
    N_("The server ended the stream for a reason of its own") },
  { "unsupported-encoding", BOSH_STREAM_ERROR_UNSUPPORTED_ENCODING,
    N_("The server does not support the encoding of the stream") },
  { "unsupported-feature", BOSH_STREAM_ERROR_UNSUPPORTED_FEATURE,
    N_("The server demands a feature that is not supported") },
  { "unsupported-stanza-type", BOSH_STREAM_ERROR_UNSUPPORTED_STANZA_TYPE,
    N_("The server does not support the kind of a stanza") },
  { "unsupported-version", BOSH_STREAM_ERROR_UNSUPPORTED_VERSION,
    N_("The server does not support the version of XMPP") },
};

G_STATIC_ASSERT (G_N_ELEMENTS (stream_conditions) == BOSH_STREAM_ERROR_UNSUPPORTED_VERSION + 1);

/* RFC 6120 §6.5. */
static const Condition sasl_conditions[] = {
  { "aborted", BOSH_SASL_ERROR_ABORTED,
    N_("The authentication was aborted") },
  { "account-disabled", BOSH_SASL_ERROR_ACCOUNT_DISABLED,
    N_("The account is disabled") },
  { "credentials-expired", BOSH_SASL_ERROR_CREDENTIALS_EXPIRED,
    N_("The password has expired") },
  { "encryption-required", BOSH_SASL_ERROR_ENCRYPTION_REQUIRED,
    N_("The server wants an encrypted connection for this way to authenticate") },
  { "incorrect-encoding", BOSH_SASL_ERROR_INCORRECT_ENCODING,
    N_("The server could not decode the authentication") },
  { "invalid-authzid", BOSH_SASL_ERROR_INVALID_AUTHZID,
    N_("The server does not accept this identity") },
  { "invalid-mechanism", BOSH_SASL_ERROR_INVALID_MECHANISM,
    N_("The server does not offer this way to authenticate") },
  { "malformed-request", BOSH_SASL_ERROR_MALFORMED_REQUEST,
    N_("The server found the authentication malformed") },
  { "mechanism-too-weak", BOSH_SASL_ERROR_MECHANISM_TOO_WEAK,
    N_("The server wants a stronger way to authenticate for this account") },
  { "not-authorized", BOSH_SASL_ERROR_NOT_AUTHORIZED,
    N_("The user name or the password is wrong") },
  { "temporary-auth-failure", BOSH_SASL_ERROR_TEMPORARY_AUTH_FAILURE,
    N_("The server can’t authenticate now, try again later") },
};

/* RFC 6120 §8.3.3, in the order of BoshStanzaError. */
static const struct
{
  const char *condition;
  const char *type;
  const char *message;
} stanza_conditions[] = {
  { "undefined-condition", "cancel", N_("The request failed for a reason of its own") },
  { "bad-request", "modify", N_("The request is malformed") },
  { "conflict", "cancel", N_("Something with the same name or address exists") },
  { "feature-not-implemented", "cancel", N_("The feature is not implemented") },
  { "forbidden", "auth", N_("The permission is missing") },
  { "gone", "cancel", N_("The recipient is no longer at this address") },
  { "internal-server-error", "cancel", N_("The server has an internal error") },
  { "item-not-found", "cancel", N_("The address or item does not exist") },
  { "jid-malformed", "modify", N_("The address is malformed") },
  { "not-acceptable", "modify", N_("The request does not meet the criteria of the recipient") },
  { "not-allowed", "cancel", N_("Nobody is allowed to do this") },
  { "not-authorized", "auth", N_("It needs an authentication") },
  { "policy-violation", "modify", N_("The request violates a policy of the service") },
  { "recipient-unavailable", "wait", N_("The recipient is not available now") },
  { "redirect", "modify", N_("The recipient is at another address for now") },
  { "registration-required", "auth", N_("It needs a registration") },
  { "remote-server-not-found", "cancel",
    N_("The server of the recipient does not exist or can’t be reached") },
  { "remote-server-timeout", "wait", N_("The server of the recipient did not respond in time") },
  { "resource-constraint", "wait", N_("The server is too busy or lacks the resources") },
  { "service-unavailable", "cancel", N_("The service is not available") },
  { "subscription-required", "auth", N_("It needs a subscription") },
  { "unexpected-request", "wait", N_("The request was not expected at this time") },
};

G_STATIC_ASSERT (G_N_ELEMENTS (stanza_conditions) == BOSH_STANZA_ERROR_UNEXPECTED_REQUEST + 1);

/* Bytes of a peer's text that are looked at, with the white space that is left
 * out. */
#define MAX_BYTES (BOSH_ERROR_MAX_TEXT * 16)

char *
bosh_error_clean_text (const char *text,
                       gssize      length)
{
  gsize used = length < 0 ? strnlen (text, MAX_BYTES) : MIN ((gsize)length, MAX_BYTES);
  g_autofree char *valid = g_utf8_make_valid (text, used);
  GString *clean = g_string_new (NULL);
  gboolean has_gap = FALSE;
  guint n_characters = 0;

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (g_unichar_isspace (c) || !g_unichar_isprint (c))
        {
          has_gap = clean->len > 0;
          continue;
        }

      n_characters += has_gap ? 2 : 1;
      if (n_characters > BOSH_ERROR_MAX_TEXT)
        {
          g_string_append (clean, "…");
          break;
        }

      if (has_gap)
        g_string_append_c (clean, ' ');
      has_gap = FALSE;
      g_string_append_unichar (clean, c);
    }

  return g_string_free (clean, clean->len == 0);
}

static const Condition *
find_condition (const Condition *conditions,
                gsize            n_conditions,
                const char      *name)
{
  for (gsize i = 0; i < n_conditions; i++)
    {
      if (g_str_equal (conditions[i].condition, name))
        return &conditions[i];
    }

  return NULL;
}

/* @detail is the text of the peer (nullable). */
static GError *
new_error (GQuark      domain,
           int         code,
           const char *message,
           const char *detail)
{
  g_autofree char *clean = detail != NULL ? bosh_error_clean_text (detail, -1) : NULL;

  if (clean == NULL)
    return g_error_new_literal (domain, code, message);

  /* Translators: what went wrong, and the explanation of the server. */
  return g_error_new (domain, code, _("%s: %s"), message, clean);
}

static GError *
new_error_with_name (GQuark      domain,
                     int         code,
                     const char *message,
                     const char *condition,
                     const char *detail)
{
  g_autofree char *clean = bosh_error_clean_text (condition, -1);
  g_autofree char *full_message = NULL;

  /* Translators: what went wrong, and the name that the server has for it. */
  full_message = g_strdup_printf (_("%s “%s”"), message, clean != NULL ? clean : "");

  return new_error (domain, code, full_message, detail);
}

GError *
bosh_error_new_for_condition (const char *condition,
                              const char *detail)
{
  const Condition *known;

  if (condition == NULL || condition[0] == '\0')
    return new_error (BOSH_ERROR, BOSH_ERROR_TERMINATED,
                      _("The server ended the session without giving a reason"), detail);

  known = find_condition (terminal_conditions, G_N_ELEMENTS (terminal_conditions), condition);
  if (known != NULL)
    return new_error (BOSH_ERROR, known->code, _(known->message), detail);

  return new_error_with_name (BOSH_ERROR, BOSH_ERROR_UNKNOWN_CONDITION,
                              _("The server ended the session with an unknown condition"),
                              condition, detail);
}

GError *
bosh_sasl_error_new (const char *condition,
                     const char *text)
{
  const Condition *known;

  if (condition == NULL)
    return new_error (BOSH_SASL_ERROR, BOSH_SASL_ERROR_UNKNOWN,
                      _("The server refused the authentication without giving a reason"), text);

  known = find_condition (sasl_conditions, G_N_ELEMENTS (sasl_conditions), condition);
  if (known != NULL)
    return new_error (BOSH_SASL_ERROR, known->code, _(known->message), text);

  return new_error_with_name (BOSH_SASL_ERROR, BOSH_SASL_ERROR_UNKNOWN,
                              _("The server refused the authentication with an unknown condition"),
                              condition, text);
}

static const Condition *
find_stream_condition (const char *condition)
{
  return find_condition (stream_conditions, G_N_ELEMENTS (stream_conditions), condition);
}

BoshStreamError
bosh_stream_error_get_code (const char *condition)
{
  const Condition *known = find_stream_condition (condition);

  return known != NULL ? (BoshStreamError)known->code : BOSH_STREAM_ERROR_UNDEFINED_CONDITION;
}

GError *
bosh_stream_error_new (const char *condition,
                       const char *text)
{
  const Condition *known = find_stream_condition (condition);

  if (known != NULL)
    return new_error (BOSH_STREAM_ERROR, known->code, _(known->message), text);

  return new_error_with_name (BOSH_STREAM_ERROR, BOSH_STREAM_ERROR_UNDEFINED_CONDITION,
                              _("The server ended the stream with an unknown condition"),
                              condition, text);
}

GError *
bosh_stanza_error_new (const char *condition,
                       const char *text)
{
  BoshStanzaError code = BOSH_STANZA_ERROR_UNDEFINED_CONDITION;
  g_autofree char *clean = text != NULL ? bosh_error_clean_text (text, -1) : NULL;

  for (gsize i = 0; condition != NULL && i < G_N_ELEMENTS (stanza_conditions); i++)
    {
      if (g_str_equal (stanza_conditions[i].condition, condition))
        code = i;
    }

  return g_error_new_literal (BOSH_STANZA_ERROR, code,
                              clean != NULL ? clean : _(stanza_conditions[code].message));
}

const char *
bosh_stanza_error_get_condition (BoshStanzaError condition)
{
  return condition < G_N_ELEMENTS (stanza_conditions) ? stanza_conditions[condition].condition
                                                      : NULL;
}

const char *
bosh_stanza_error_get_type_name (BoshStanzaError condition)
{
  return condition < G_N_ELEMENTS (stanza_conditions) ? stanza_conditions[condition].type
                                                      : NULL;
}
