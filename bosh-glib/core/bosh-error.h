/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(BOSH_GLIB_INSIDE) && !defined(BOSH_COMPILATION)
#error "Only <bosh-glib/bosh-glib.h> can be included directly."
#endif

#include <glib.h>

#include "bosh-version-macros.h"

G_BEGIN_DECLS

/**
 * BoshError:
 * @BOSH_ERROR_FAILED: a failure that no other code describes
 * @BOSH_ERROR_BAD_REQUEST: `bad-request`: the connection manager found the
 *   format of a request bad (XEP-0124 §17.2)
 * @BOSH_ERROR_HOST_GONE: `host-gone`: the domain is no longer served (§17.2)
 * @BOSH_ERROR_HOST_UNKNOWN: `host-unknown`: the domain is not served (§17.2)
 * @BOSH_ERROR_IMPROPER_ADDRESSING: `improper-addressing`: the domain is missing
 *   or was not understood (§17.2)
 * @BOSH_ERROR_INTERNAL_SERVER_ERROR: `internal-server-error`: the connection
 *   manager has an internal error (§17.2)
 * @BOSH_ERROR_ITEM_NOT_FOUND: `item-not-found`: the session is not known, the
 *   request id is outside the window, or the key is wrong (§17.2)
 * @BOSH_ERROR_OTHER_REQUEST: `other-request`: another request of the session
 *   ended it (§17.2)
 * @BOSH_ERROR_POLICY_VIOLATION: `policy-violation`: the client did what the
 *   connection manager does not allow (§17.2)
 * @BOSH_ERROR_REMOTE_CONNECTION_FAILED: `remote-connection-failed`: the
 *   connection manager lost or never had its connection to the server (§17.2)
 * @BOSH_ERROR_REMOTE_STREAM_ERROR: `remote-stream-error`: the XMPP stream ended
 *   with an error that has no condition; one with a condition is a
 *   [error@Bosh.StreamError] (§17.2)
 * @BOSH_ERROR_SEE_OTHER_URI: `see-other-uri`: the connection manager works at
 *   another URI (§17.2)
 * @BOSH_ERROR_SYSTEM_SHUTDOWN: `system-shutdown`: the connection manager is
 *   being shut down (§17.2)
 * @BOSH_ERROR_UNDEFINED_CONDITION: `undefined-condition`: the connection manager
 *   has a reason of its own (§17.2)
 * @BOSH_ERROR_UNKNOWN_CONDITION: the connection manager ended the session with
 *   a condition that XEP-0124 does not know; the message names it
 * @BOSH_ERROR_TERMINATED: the connection manager ended the session without a
 *   condition (XEP-0124 §13)
 * @BOSH_ERROR_HTTP: the HTTP status is none with which a connection manager
 *   responds; the message has the status
 * @BOSH_ERROR_NOT_BOSH: what responds at the address does not speak BOSH: it is
 *   not HTTP, or the response does not begin with a BOSH body (it is a web page,
 *   has a DTD, or is empty)
 * @BOSH_ERROR_BAD_XML: a BOSH body has XML that is malformed, or something that
 *   XEP-0124 §6 forbids (an entity, a comment, a processing instruction)
 * @BOSH_ERROR_TOO_LARGE: a response or a stanza is over a limit of the
 *   configuration
 * @BOSH_ERROR_TLS: the encrypted connection can't be trusted
 * @BOSH_ERROR_TIMED_OUT: no response came in the time given
 * @BOSH_ERROR_SESSION_LOST: the server could not be reached for so long that
 *   it must have dropped the session
 * @BOSH_ERROR_NOT_CONNECTED: the operation needs a session, and there is none
 *   (not yet, or not any more)
 * @BOSH_ERROR_DETACHED: the session was handed over, so this connection can
 *   send nothing more in it
 * @BOSH_ERROR_NOT_SUPPORTED: the connection manager does not offer what the
 *   operation needs
 * @BOSH_ERROR_INVALID_STANZA: a stanza can't be sent as XML
 * @BOSH_ERROR_INVALID_DATA: a saved session, or a document of another kind,
 *   can't be read
 * @BOSH_ERROR_INVALID_URI: a URI is no absolute http or https URI
 * @BOSH_ERROR_INVALID_HEADER: a header that the configuration adds to requests is none,
 *   or belongs to the library
 * @BOSH_ERROR_INVALID_JID: a domain or a JID is none (RFC 7622)
 * @BOSH_ERROR_INSECURE_MECHANISM: the server offers only mechanisms that would
 *   show the password on an unencrypted connection, or that are weaker than the one
 *   of the login before
 * @BOSH_ERROR_NO_MECHANISM: the server offers no mechanism that fits the
 *   credentials
 * @BOSH_ERROR_SERVER_NOT_AUTHENTIC: the server could not prove that it knows
 *   the password (RFC 5802 §9)
 * @BOSH_ERROR_LOGIN_FAILED: the login failed elsewhere than in the
 *   authentication (for instance in resource binding), or the exchange could not
 *   be understood
 * @BOSH_ERROR_DISCOVERY_FAILED: the domain does not announce where its
 *   connection managers are (XEP-0156); the message names what was tried
 * @BOSH_ERROR_LOGGING_IN: a login is under way, with which no other program could
 *   go on, so the session can't be saved, handed over or paused
 *
 * What can go wrong with a session.
 *
 * Where the XMPP server, rather than the connection manager, gave a condition,
 * the error is a [error@Bosh.StreamError]. Failures of name resolution and of
 * sockets keep their own domains (`GResolverError`, `GIOErrorEnum`);
 * a cancelled operation gives `G_IO_ERROR_CANCELLED`.
 *
 * Since: 1.0
 */
typedef enum
{
  BOSH_ERROR_FAILED,
  BOSH_ERROR_BAD_REQUEST,
  BOSH_ERROR_HOST_GONE,
  BOSH_ERROR_HOST_UNKNOWN,
  BOSH_ERROR_IMPROPER_ADDRESSING,
  BOSH_ERROR_INTERNAL_SERVER_ERROR,
  BOSH_ERROR_ITEM_NOT_FOUND,
  BOSH_ERROR_OTHER_REQUEST,
  BOSH_ERROR_POLICY_VIOLATION,
  BOSH_ERROR_REMOTE_CONNECTION_FAILED,
  BOSH_ERROR_REMOTE_STREAM_ERROR,
  BOSH_ERROR_SEE_OTHER_URI,
  BOSH_ERROR_SYSTEM_SHUTDOWN,
  BOSH_ERROR_UNDEFINED_CONDITION,
  BOSH_ERROR_UNKNOWN_CONDITION,
  BOSH_ERROR_TERMINATED,
  BOSH_ERROR_HTTP,
  BOSH_ERROR_NOT_BOSH,
  BOSH_ERROR_BAD_XML,
  BOSH_ERROR_TOO_LARGE,
  BOSH_ERROR_TLS,
  BOSH_ERROR_TIMED_OUT,
  BOSH_ERROR_SESSION_LOST,
  BOSH_ERROR_NOT_CONNECTED,
  BOSH_ERROR_DETACHED,
  BOSH_ERROR_NOT_SUPPORTED,
  BOSH_ERROR_INVALID_STANZA,
  BOSH_ERROR_INVALID_DATA,
  BOSH_ERROR_INVALID_URI,
  BOSH_ERROR_INVALID_HEADER,
  BOSH_ERROR_INVALID_JID,
  BOSH_ERROR_INSECURE_MECHANISM,
  BOSH_ERROR_NO_MECHANISM,
  BOSH_ERROR_SERVER_NOT_AUTHENTIC,
  BOSH_ERROR_LOGIN_FAILED,
  BOSH_ERROR_DISCOVERY_FAILED,
  BOSH_ERROR_LOGGING_IN,
} BoshError;

/**
 * BOSH_ERROR:
 *
 * The error domain of [error@Bosh.Error].
 *
 * Since: 1.0
 */
#define BOSH_ERROR (bosh_error_quark ())

BOSH_AVAILABLE_IN_1_0
GQuark bosh_error_quark (void);

/**
 * BoshSaslError:
 * @BOSH_SASL_ERROR_UNKNOWN: no condition, or one that RFC 6120 does not know; the
 *   message names it
 * @BOSH_SASL_ERROR_ABORTED: `aborted`: the exchange was aborted (RFC 6120
 *   §6.5.1)
 * @BOSH_SASL_ERROR_ACCOUNT_DISABLED: `account-disabled`: the account is disabled
 *   (§6.5.2)
 * @BOSH_SASL_ERROR_CREDENTIALS_EXPIRED: `credentials-expired`: the password has
 *   expired (§6.5.3)
 * @BOSH_SASL_ERROR_ENCRYPTION_REQUIRED: `encryption-required`: the server wants
 *   encryption for this mechanism (§6.5.4)
 * @BOSH_SASL_ERROR_INCORRECT_ENCODING: `incorrect-encoding`: the server could not
 *   decode what was sent (§6.5.5)
 * @BOSH_SASL_ERROR_INVALID_AUTHZID: `invalid-authzid`: the authorization identity
 *   is not allowed (§6.5.6)
 * @BOSH_SASL_ERROR_INVALID_MECHANISM: `invalid-mechanism`: the mechanism is not
 *   offered (§6.5.7)
 * @BOSH_SASL_ERROR_MALFORMED_REQUEST: `malformed-request`: the request was
 *   malformed (§6.5.8)
 * @BOSH_SASL_ERROR_MECHANISM_TOO_WEAK: `mechanism-too-weak`: the mechanism is too
 *   weak for this account (§6.5.9)
 * @BOSH_SASL_ERROR_NOT_AUTHORIZED: `not-authorized`: the name or the password is
 *   wrong (§6.5.10)
 * @BOSH_SASL_ERROR_TEMPORARY_AUTH_FAILURE: `temporary-auth-failure`: the server
 *   can't authenticate now; try again later (§6.5.11)
 *
 * Why the server refused to authenticate, from RFC 6120 §6.5.
 *
 * Since: 1.0
 */
typedef enum
{
  BOSH_SASL_ERROR_UNKNOWN,
  BOSH_SASL_ERROR_ABORTED,
  BOSH_SASL_ERROR_ACCOUNT_DISABLED,
  BOSH_SASL_ERROR_CREDENTIALS_EXPIRED,
  BOSH_SASL_ERROR_ENCRYPTION_REQUIRED,
  BOSH_SASL_ERROR_INCORRECT_ENCODING,
  BOSH_SASL_ERROR_INVALID_AUTHZID,
  BOSH_SASL_ERROR_INVALID_MECHANISM,
  BOSH_SASL_ERROR_MALFORMED_REQUEST,
  BOSH_SASL_ERROR_MECHANISM_TOO_WEAK,
  BOSH_SASL_ERROR_NOT_AUTHORIZED,
  BOSH_SASL_ERROR_TEMPORARY_AUTH_FAILURE,
} BoshSaslError;

/**
 * BOSH_SASL_ERROR:
 *
 * The error domain of [error@Bosh.SaslError].
 *
 * Since: 1.0
 */
#define BOSH_SASL_ERROR (bosh_sasl_error_quark ())

BOSH_AVAILABLE_IN_1_0
GQuark bosh_sasl_error_quark (void);

/**
 * BoshStanzaError:
 * @BOSH_STANZA_ERROR_UNDEFINED_CONDITION: `undefined-condition`: the request
 *   failed for a reason of its own, or with a condition that RFC 6120 does not
 *   know (RFC 6120 §8.3.3.21)
 * @BOSH_STANZA_ERROR_BAD_REQUEST: `bad-request`: the request is malformed
 *   (§8.3.3.1)
 * @BOSH_STANZA_ERROR_CONFLICT: `conflict`: something with the same name or
 *   address exists (§8.3.3.2)
 * @BOSH_STANZA_ERROR_FEATURE_NOT_IMPLEMENTED: `feature-not-implemented`: the
 *   feature is not implemented (§8.3.3.3)
 * @BOSH_STANZA_ERROR_FORBIDDEN: `forbidden`: the permission is missing (§8.3.3.4)
 * @BOSH_STANZA_ERROR_GONE: `gone`: the recipient is no longer at this address
 *   (§8.3.3.5)
 * @BOSH_STANZA_ERROR_INTERNAL_SERVER_ERROR: `internal-server-error`: the server
 *   has an internal error (§8.3.3.6)
 * @BOSH_STANZA_ERROR_ITEM_NOT_FOUND: `item-not-found`: the address or item does
 *   not exist (§8.3.3.7)
 * @BOSH_STANZA_ERROR_JID_MALFORMED: `jid-malformed`: the address is malformed
 *   (§8.3.3.8)
 * @BOSH_STANZA_ERROR_NOT_ACCEPTABLE: `not-acceptable`: the request does not meet
 *   the criteria of the recipient (§8.3.3.9)
 * @BOSH_STANZA_ERROR_NOT_ALLOWED: `not-allowed`: nobody is allowed to do this
 *   (§8.3.3.10)
 * @BOSH_STANZA_ERROR_NOT_AUTHORIZED: `not-authorized`: it needs an authentication
 *   (§8.3.3.11)
 * @BOSH_STANZA_ERROR_POLICY_VIOLATION: `policy-violation`: the request violates a
 *   policy of the service (§8.3.3.12)
 * @BOSH_STANZA_ERROR_RECIPIENT_UNAVAILABLE: `recipient-unavailable`: the
 *   recipient is not available now (§8.3.3.13)
 * @BOSH_STANZA_ERROR_REDIRECT: `redirect`: the recipient is at another address
 *   for now (§8.3.3.14)
 * @BOSH_STANZA_ERROR_REGISTRATION_REQUIRED: `registration-required`: it needs a
 *   registration (§8.3.3.15)
 * @BOSH_STANZA_ERROR_REMOTE_SERVER_NOT_FOUND: `remote-server-not-found`: the
 *   server of the recipient does not exist or can't be reached (§8.3.3.16)
 * @BOSH_STANZA_ERROR_REMOTE_SERVER_TIMEOUT: `remote-server-timeout`: the server
 *   of the recipient did not respond in time (§8.3.3.17)
 * @BOSH_STANZA_ERROR_RESOURCE_CONSTRAINT: `resource-constraint`: the server is
 *   too busy or lacks the resources (§8.3.3.18)
 * @BOSH_STANZA_ERROR_SERVICE_UNAVAILABLE: `service-unavailable`: the service is
 *   not available (§8.3.3.19)
 * @BOSH_STANZA_ERROR_SUBSCRIPTION_REQUIRED: `subscription-required`: it needs a
 *   subscription (§8.3.3.20)
 * @BOSH_STANZA_ERROR_UNEXPECTED_REQUEST: `unexpected-request`: the request was
 *   not expected at this time (§8.3.3.22)
 *
 * Why a stanza failed, from RFC 6120 §8.3.3.
 *
 * Since: 1.0
 */
typedef enum
{
  BOSH_STANZA_ERROR_UNDEFINED_CONDITION,
  BOSH_STANZA_ERROR_BAD_REQUEST,
  BOSH_STANZA_ERROR_CONFLICT,
  BOSH_STANZA_ERROR_FEATURE_NOT_IMPLEMENTED,
  BOSH_STANZA_ERROR_FORBIDDEN,
  BOSH_STANZA_ERROR_GONE,
  BOSH_STANZA_ERROR_INTERNAL_SERVER_ERROR,
  BOSH_STANZA_ERROR_ITEM_NOT_FOUND,
  BOSH_STANZA_ERROR_JID_MALFORMED,
  BOSH_STANZA_ERROR_NOT_ACCEPTABLE,
  BOSH_STANZA_ERROR_NOT_ALLOWED,
  BOSH_STANZA_ERROR_NOT_AUTHORIZED,
  BOSH_STANZA_ERROR_POLICY_VIOLATION,
  BOSH_STANZA_ERROR_RECIPIENT_UNAVAILABLE,
  BOSH_STANZA_ERROR_REDIRECT,
  BOSH_STANZA_ERROR_REGISTRATION_REQUIRED,
  BOSH_STANZA_ERROR_REMOTE_SERVER_NOT_FOUND,
  BOSH_STANZA_ERROR_REMOTE_SERVER_TIMEOUT,
  BOSH_STANZA_ERROR_RESOURCE_CONSTRAINT,
  BOSH_STANZA_ERROR_SERVICE_UNAVAILABLE,
  BOSH_STANZA_ERROR_SUBSCRIPTION_REQUIRED,
  BOSH_STANZA_ERROR_UNEXPECTED_REQUEST,
} BoshStanzaError;

/**
 * BOSH_STANZA_ERROR:
 *
 * The error domain of [error@Bosh.StanzaError].
 *
 * Since: 1.0
 */
#define BOSH_STANZA_ERROR (bosh_stanza_error_quark ())

BOSH_AVAILABLE_IN_1_0
GQuark bosh_stanza_error_quark (void);

/**
 * BoshStreamError:
 * @BOSH_STREAM_ERROR_UNDEFINED_CONDITION: `undefined-condition`: the server has a
 *   reason of its own, or one that RFC 6120 does not know; then the message names
 *   it (RFC 6120 §4.9.3.21)
 * @BOSH_STREAM_ERROR_BAD_FORMAT: `bad-format`: the server could not process the
 *   XML (§4.9.3.1)
 * @BOSH_STREAM_ERROR_BAD_NAMESPACE_PREFIX: `bad-namespace-prefix`: the server
 *   did not accept the prefix of a namespace (§4.9.3.2)
 * @BOSH_STREAM_ERROR_CONFLICT: `conflict`: another session took the place of this
 *   one, as a rule because it has the same resource (§4.9.3.3)
 * @BOSH_STREAM_ERROR_CONNECTION_TIMEOUT: `connection-timeout`: the server
 *   received nothing for too long (§4.9.3.4)
 * @BOSH_STREAM_ERROR_HOST_GONE: `host-gone`: the domain is no longer served
 *   (§4.9.3.5)
 * @BOSH_STREAM_ERROR_HOST_UNKNOWN: `host-unknown`: the domain is not served
 *   (§4.9.3.6)
 * @BOSH_STREAM_ERROR_IMPROPER_ADDRESSING: `improper-addressing`: a stanza lacks
 *   an address, or has one that the server did not understand (§4.9.3.7)
 * @BOSH_STREAM_ERROR_INTERNAL_SERVER_ERROR: `internal-server-error`: the server
 *   has an internal error (§4.9.3.8)
 * @BOSH_STREAM_ERROR_INVALID_FROM: `invalid-from`: the server did not accept the
 *   sender of a stanza or of the stream (§4.9.3.9)
 * @BOSH_STREAM_ERROR_INVALID_NAMESPACE: `invalid-namespace`: the server did not
 *   accept the namespace of the stream or of its content (§4.9.3.10)
 * @BOSH_STREAM_ERROR_INVALID_XML: `invalid-xml`: the server found XML that is not
 *   valid (§4.9.3.11)
 * @BOSH_STREAM_ERROR_NOT_AUTHORIZED: `not-authorized`: something was sent that
 *   needs an authentication first (§4.9.3.12)
 * @BOSH_STREAM_ERROR_NOT_WELL_FORMED: `not-well-formed`: the server found XML
 *   that is malformed (§4.9.3.13)
 * @BOSH_STREAM_ERROR_POLICY_VIOLATION: `policy-violation`: the client did what
 *   the server does not allow (§4.9.3.14)
 * @BOSH_STREAM_ERROR_REMOTE_CONNECTION_FAILED: `remote-connection-failed`: the
 *   server has no connection to another that it needs (§4.9.3.15)
 * @BOSH_STREAM_ERROR_RESET: `reset`: the server wants the stream to be opened
 *   anew (§4.9.3.16)
 * @BOSH_STREAM_ERROR_RESOURCE_CONSTRAINT: `resource-constraint`: the server lacks
 *   the resources for the stream (§4.9.3.17)
 * @BOSH_STREAM_ERROR_RESTRICTED_XML: `restricted-xml`: the server found XML that
 *   XMPP does not allow (§4.9.3.18)
 * @BOSH_STREAM_ERROR_SEE_OTHER_HOST: `see-other-host`: the server works at
 *   another address (§4.9.3.19)
 * @BOSH_STREAM_ERROR_SYSTEM_SHUTDOWN: `system-shutdown`: the server is being shut
 *   down (§4.9.3.20)
 * @BOSH_STREAM_ERROR_UNSUPPORTED_ENCODING: `unsupported-encoding`: the server does
 *   not support the encoding of the stream (§4.9.3.22)
 * @BOSH_STREAM_ERROR_UNSUPPORTED_FEATURE: `unsupported-feature`: the server
 *   demands a feature that is not supported (§4.9.3.23)
 * @BOSH_STREAM_ERROR_UNSUPPORTED_STANZA_TYPE: `unsupported-stanza-type`: the
 *   server does not support the kind of a stanza (§4.9.3.24)
 * @BOSH_STREAM_ERROR_UNSUPPORTED_VERSION: `unsupported-version`: the server does
 *   not support the version of XMPP (§4.9.3.25)
 *
 * Why the XMPP server ended the stream, and with it the session, from RFC 6120
 * §4.9.3.
 *
 * The message has the text that the server gave, if it gave one.
 *
 * Since: 1.0
 */
typedef enum
{
  BOSH_STREAM_ERROR_UNDEFINED_CONDITION,
  BOSH_STREAM_ERROR_BAD_FORMAT,
  BOSH_STREAM_ERROR_BAD_NAMESPACE_PREFIX,
  BOSH_STREAM_ERROR_CONFLICT,
  BOSH_STREAM_ERROR_CONNECTION_TIMEOUT,
  BOSH_STREAM_ERROR_HOST_GONE,
  BOSH_STREAM_ERROR_HOST_UNKNOWN,
  BOSH_STREAM_ERROR_IMPROPER_ADDRESSING,
  BOSH_STREAM_ERROR_INTERNAL_SERVER_ERROR,
  BOSH_STREAM_ERROR_INVALID_FROM,
  BOSH_STREAM_ERROR_INVALID_NAMESPACE,
  BOSH_STREAM_ERROR_INVALID_XML,
  BOSH_STREAM_ERROR_NOT_AUTHORIZED,
  BOSH_STREAM_ERROR_NOT_WELL_FORMED,
  BOSH_STREAM_ERROR_POLICY_VIOLATION,
  BOSH_STREAM_ERROR_REMOTE_CONNECTION_FAILED,
  BOSH_STREAM_ERROR_RESET,
  BOSH_STREAM_ERROR_RESOURCE_CONSTRAINT,
  BOSH_STREAM_ERROR_RESTRICTED_XML,
  BOSH_STREAM_ERROR_SEE_OTHER_HOST,
  BOSH_STREAM_ERROR_SYSTEM_SHUTDOWN,
  BOSH_STREAM_ERROR_UNSUPPORTED_ENCODING,
  BOSH_STREAM_ERROR_UNSUPPORTED_FEATURE,
  BOSH_STREAM_ERROR_UNSUPPORTED_STANZA_TYPE,
  BOSH_STREAM_ERROR_UNSUPPORTED_VERSION,
} BoshStreamError;

/**
 * BOSH_STREAM_ERROR:
 *
 * The error domain of [error@Bosh.StreamError].
 *
 * Since: 1.0
 */
#define BOSH_STREAM_ERROR (bosh_stream_error_quark ())

BOSH_AVAILABLE_IN_1_0
GQuark bosh_stream_error_quark (void);

G_END_DECLS
