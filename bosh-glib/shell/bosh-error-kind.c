/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-error-kind-private.h"

#include "bosh-error-private.h"

#include <gio/gio.h>

/* Not among the temporary ones are those that find fault with what was sent, and what may
 * be another program in our place: with that nobody fights. */
static BoshErrorKind
get_stream_kind (int code)
{
  switch (code)
    {
    case BOSH_STREAM_ERROR_CONNECTION_TIMEOUT:
    /* The domain is moved, or not loaded yet: somebody was logged in there before. */
    case BOSH_STREAM_ERROR_HOST_GONE:
    case BOSH_STREAM_ERROR_HOST_UNKNOWN:
    case BOSH_STREAM_ERROR_INTERNAL_SERVER_ERROR:
    case BOSH_STREAM_ERROR_REMOTE_CONNECTION_FAILED:
    case BOSH_STREAM_ERROR_RESET:
    case BOSH_STREAM_ERROR_RESOURCE_CONSTRAINT:
    case BOSH_STREAM_ERROR_SEE_OTHER_HOST:
    case BOSH_STREAM_ERROR_SYSTEM_SHUTDOWN:
      return BOSH_ERROR_KIND_TEMPORARY;
    case BOSH_STREAM_ERROR_CONFLICT:
      return BOSH_ERROR_KIND_CONFLICT;
    case BOSH_STREAM_ERROR_NOT_AUTHORIZED:
      return BOSH_ERROR_KIND_CREDENTIALS;
    default:
      return BOSH_ERROR_KIND_PERMANENT;
    }
}

static BoshErrorKind
get_session_kind (int         code,
                  const char *stream_condition,
                  guint       http_status)
{
  switch ((BoshError)code)
    {
    /* An HTTP status in the place of a response comes from something between us, or from
     * a connection manager that is being restarted. In a response, the server finds fault
     * with what was sent. */
    case BOSH_ERROR_BAD_REQUEST:
    case BOSH_ERROR_POLICY_VIOLATION:
      return http_status != 0 ? BOSH_ERROR_KIND_TEMPORARY : BOSH_ERROR_KIND_PERMANENT;

    /* A gateway wants a password, or another one. */
    case BOSH_ERROR_HTTP:
      return http_status == 401 ? BOSH_ERROR_KIND_CREDENTIALS : BOSH_ERROR_KIND_TEMPORARY;

    case BOSH_ERROR_REMOTE_STREAM_ERROR:
      return stream_condition != NULL ? BOSH_ERROR_KIND_TEMPORARY : BOSH_ERROR_KIND_PERMANENT;

    /* The session is gone, and nothing is wrong with us. */
    case BOSH_ERROR_ITEM_NOT_FOUND:
    case BOSH_ERROR_SESSION_LOST:
    case BOSH_ERROR_TERMINATED:
    case BOSH_ERROR_UNDEFINED_CONDITION:
    case BOSH_ERROR_UNKNOWN_CONDITION:
    /* Trouble on their side. */
    case BOSH_ERROR_HOST_GONE:
    case BOSH_ERROR_HOST_UNKNOWN:
    case BOSH_ERROR_INTERNAL_SERVER_ERROR:
    case BOSH_ERROR_REMOTE_CONNECTION_FAILED:
    case BOSH_ERROR_SYSTEM_SHUTDOWN:
    /* A new session is created elsewhere. */
    case BOSH_ERROR_SEE_OTHER_URI:
    /* A response that could not be read, for which a new session may not ask again. */
    case BOSH_ERROR_BAD_XML:
    case BOSH_ERROR_TOO_LARGE:
    /* Something between us: a proxy whose server is away, a captive portal. */
    case BOSH_ERROR_NOT_BOSH:
    case BOSH_ERROR_TIMED_OUT:
    case BOSH_ERROR_DISCOVERY_FAILED:
    /* It had one before. */
    case BOSH_ERROR_NO_MECHANISM:
      return BOSH_ERROR_KIND_TEMPORARY;

    case BOSH_ERROR_TLS:
    case BOSH_ERROR_INSECURE_MECHANISM:
      return BOSH_ERROR_KIND_UNTRUSTED;

    /* A certificate that is trusted, and a server that does not know the password. */
    case BOSH_ERROR_SERVER_NOT_AUTHENTIC:
      return BOSH_ERROR_KIND_CREDENTIALS;

    case BOSH_ERROR_DETACHED:
      return BOSH_ERROR_KIND_REQUESTED;

    case BOSH_ERROR_FAILED:
    case BOSH_ERROR_IMPROPER_ADDRESSING:
    case BOSH_ERROR_OTHER_REQUEST:
    case BOSH_ERROR_NOT_CONNECTED:
    case BOSH_ERROR_NOT_SUPPORTED:
    case BOSH_ERROR_INVALID_STANZA:
    case BOSH_ERROR_INVALID_DATA:
    case BOSH_ERROR_INVALID_URI:
    case BOSH_ERROR_INVALID_HEADER:
    case BOSH_ERROR_INVALID_JID:
    case BOSH_ERROR_LOGIN_FAILED:
    case BOSH_ERROR_LOGGING_IN:
    default:
      return BOSH_ERROR_KIND_PERMANENT;
    }
}

/* Of a request to bind a resource. Those of type `wait` (RFC 6120 §8.3.2) are temporary. */
static BoshErrorKind
get_stanza_kind (int code)
{
  switch (code)
    {
    case BOSH_STANZA_ERROR_INTERNAL_SERVER_ERROR:
    case BOSH_STANZA_ERROR_RECIPIENT_UNAVAILABLE:
    case BOSH_STANZA_ERROR_REMOTE_SERVER_TIMEOUT:
    case BOSH_STANZA_ERROR_RESOURCE_CONSTRAINT:
    case BOSH_STANZA_ERROR_SERVICE_UNAVAILABLE:
    case BOSH_STANZA_ERROR_UNEXPECTED_REQUEST:
      return BOSH_ERROR_KIND_TEMPORARY;
    case BOSH_STANZA_ERROR_CONFLICT:
      return BOSH_ERROR_KIND_CONFLICT;
    default:
      return BOSH_ERROR_KIND_PERMANENT;
    }
}

BoshErrorKind
bosh_error_get_kind (const GError *error,
                     const char   *stream_condition,
                     guint         http_status)
{
  /* The stream error is the reason, whatever ended the session after it. */
  if (stream_condition != NULL)
    {
      BoshErrorKind kind = get_stream_kind (bosh_stream_error_get_code (stream_condition));

      if (kind != BOSH_ERROR_KIND_TEMPORARY)
        return kind;
    }

  if (error->domain == BOSH_ERROR)
    return get_session_kind (error->code, stream_condition, http_status);
  if (error->domain == BOSH_STREAM_ERROR)
    return get_stream_kind (error->code);
  if (error->domain == BOSH_SASL_ERROR)
    return error->code == BOSH_SASL_ERROR_TEMPORARY_AUTH_FAILURE ? BOSH_ERROR_KIND_TEMPORARY
                                                                 : BOSH_ERROR_KIND_CREDENTIALS;
  if (error->domain == BOSH_STANZA_ERROR)
    return get_stanza_kind (error->code);
  /* The proxy goes on to refuse until a person gives it another password. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PROXY_NEED_AUTH) ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PROXY_AUTH_FAILED))
    return BOSH_ERROR_KIND_PERMANENT;
  if (error->domain == G_TLS_ERROR)
    return BOSH_ERROR_KIND_UNTRUSTED;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return BOSH_ERROR_KIND_REQUESTED;

  /* The server can't be reached, or its name is not known at the moment. */
  return error->domain == G_IO_ERROR || error->domain == G_RESOLVER_ERROR
           ? BOSH_ERROR_KIND_TEMPORARY
           : BOSH_ERROR_KIND_PERMANENT;
}
