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
 * @BOSH_ERROR_BAD_REQUEST: terminal condition `bad-request`: the connection
 *   manager found the format of a request bad (XEP-0124 §17.2)
 * @BOSH_ERROR_HOST_GONE: terminal condition `host-gone`: the domain is no
 *   longer served (XEP-0124 §17.2)
 * @BOSH_ERROR_HOST_UNKNOWN: terminal condition `host-unknown`: the domain is
 *   not served (XEP-0124 §17.2)
 * @BOSH_ERROR_IMPROPER_ADDRESSING: terminal condition `improper-addressing`:
 *   the domain is missing or was not understood (XEP-0124 §17.2)
 * @BOSH_ERROR_INTERNAL_SERVER_ERROR: terminal condition
 *   `internal-server-error` (XEP-0124 §17.2)
 * @BOSH_ERROR_ITEM_NOT_FOUND: terminal condition `item-not-found`: the session
 *   is not known, the request id is outside the window, or the key is wrong
 *   (XEP-0124 §17.2)
 * @BOSH_ERROR_OTHER_REQUEST: terminal condition `other-request`: another
 *   request of the session ended it (XEP-0124 §17.2)
 * @BOSH_ERROR_POLICY_VIOLATION: terminal condition `policy-violation`: the
 *   client did what the connection manager does not allow (XEP-0124 §17.2)
 * @BOSH_ERROR_REMOTE_CONNECTION_FAILED: terminal condition
 *   `remote-connection-failed`: the connection manager lost or never had its
 *   connection to the server (XEP-0124 §17.2)
 * @BOSH_ERROR_REMOTE_STREAM_ERROR: terminal condition `remote-stream-error`:
 *   the XMPP stream ended with an error, which the message names
 *   (XEP-0124 §17.2)
 * @BOSH_ERROR_SEE_OTHER_URI: terminal condition `see-other-uri`: the
 *   connection manager works at another URI (XEP-0124 §17.2)
 * @BOSH_ERROR_SYSTEM_SHUTDOWN: terminal condition `system-shutdown`: the
 *   connection manager is being stopped (XEP-0124 §17.2)
 * @BOSH_ERROR_UNDEFINED_CONDITION: terminal condition `undefined-condition`
 *   (XEP-0124 §17.2)
 * @BOSH_ERROR_UNKNOWN_CONDITION: the connection manager ended the session with
 *   a condition that XEP-0124 does not know; the message names it
 * @BOSH_ERROR_TERMINATED: the connection manager ended the session without a
 *   condition (XEP-0124 §13)
 * @BOSH_ERROR_HTTP: an HTTP status that is no answer of a connection manager;
 *   the message has the status
 * @BOSH_ERROR_NOT_BOSH: what answers at the address does not speak BOSH: it
 *   is no HTTP, or the answer does not begin with a BOSH body (a web page, a
 *   DTD, nothing at all)
 * @BOSH_ERROR_BAD_XML: a BOSH body has XML that is malformed, or something that
 *   XEP-0124 §6 forbids (an entity, a comment, a processing instruction)
 * @BOSH_ERROR_TOO_LARGE: an answer or a stanza is over a limit of the
 *   configuration
 * @BOSH_ERROR_TLS: the encrypted connection can't be trusted
 * @BOSH_ERROR_TIMED_OUT: no answer came in the time given
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
 * @BOSH_ERROR_INSECURE_MECHANISM: the server offers only mechanisms that would
 *   show the password on an unencrypted connection
 * @BOSH_ERROR_NO_MECHANISM: the server offers no mechanism that fits the
 *   credentials
 * @BOSH_ERROR_SERVER_NOT_AUTHENTIC: the server could not prove that it knows
 *   the password (RFC 5802 §9)
 * @BOSH_ERROR_LOGIN_FAILED: the login broke off at another place than
 *   authentication (for instance at resource binding), or the exchange could
 *   not be understood
 * @BOSH_ERROR_DISCOVERY_FAILED: the domain does not tell where its connection
 *   managers are (XEP-0156); the message names what was tried
 *
 * What can go wrong with a session.
 *
 * Failures of name resolution and of sockets keep their own domains
 * (`GResolverError`, `GIOErrorEnum`), a cancelled operation gives
 * `G_IO_ERROR_CANCELLED`.
 *
 * Since: 1.0
 */
typedef enum {
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
  BOSH_ERROR_INSECURE_MECHANISM,
  BOSH_ERROR_NO_MECHANISM,
  BOSH_ERROR_SERVER_NOT_AUTHENTIC,
  BOSH_ERROR_LOGIN_FAILED,
  BOSH_ERROR_DISCOVERY_FAILED,
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
 * @BOSH_SASL_ERROR_UNKNOWN: a condition that RFC 6120 does not know; the
 *   message names it
 * @BOSH_SASL_ERROR_ABORTED: the exchange was aborted (RFC 6120 §6.5.1)
 * @BOSH_SASL_ERROR_ACCOUNT_DISABLED: the account is disabled (§6.5.2)
 * @BOSH_SASL_ERROR_CREDENTIALS_EXPIRED: the password has expired (§6.5.3)
 * @BOSH_SASL_ERROR_ENCRYPTION_REQUIRED: the server wants encryption for this
 *   mechanism (§6.5.4)
 * @BOSH_SASL_ERROR_INCORRECT_ENCODING: the server could not decode what was
 *   sent (§6.5.5)
 * @BOSH_SASL_ERROR_INVALID_AUTHZID: the authorization identity is not allowed
 *   (§6.5.6)
 * @BOSH_SASL_ERROR_INVALID_MECHANISM: the mechanism is not offered (§6.5.7)
 * @BOSH_SASL_ERROR_MALFORMED_REQUEST: the request was malformed (§6.5.8)
 * @BOSH_SASL_ERROR_MECHANISM_TOO_WEAK: the mechanism is too weak for this
 *   account (§6.5.9)
 * @BOSH_SASL_ERROR_NOT_AUTHORIZED: wrong name or password (§6.5.10)
 * @BOSH_SASL_ERROR_TEMPORARY_AUTH_FAILURE: try again later (§6.5.11)
 *
 * Why the server refused to authenticate, from RFC 6120 §6.5.
 *
 * Since: 1.0
 */
typedef enum {
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
 * @BOSH_STANZA_ERROR_UNDEFINED_CONDITION: `undefined-condition`, or a condition
 *   that RFC 6120 does not know
 * @BOSH_STANZA_ERROR_BAD_REQUEST: `bad-request`
 * @BOSH_STANZA_ERROR_CONFLICT: `conflict`
 * @BOSH_STANZA_ERROR_FEATURE_NOT_IMPLEMENTED: `feature-not-implemented`
 * @BOSH_STANZA_ERROR_FORBIDDEN: `forbidden`
 * @BOSH_STANZA_ERROR_GONE: `gone`
 * @BOSH_STANZA_ERROR_INTERNAL_SERVER_ERROR: `internal-server-error`
 * @BOSH_STANZA_ERROR_ITEM_NOT_FOUND: `item-not-found`
 * @BOSH_STANZA_ERROR_JID_MALFORMED: `jid-malformed`
 * @BOSH_STANZA_ERROR_NOT_ACCEPTABLE: `not-acceptable`
 * @BOSH_STANZA_ERROR_NOT_ALLOWED: `not-allowed`
 * @BOSH_STANZA_ERROR_NOT_AUTHORIZED: `not-authorized`
 * @BOSH_STANZA_ERROR_POLICY_VIOLATION: `policy-violation`
 * @BOSH_STANZA_ERROR_RECIPIENT_UNAVAILABLE: `recipient-unavailable`
 * @BOSH_STANZA_ERROR_REDIRECT: `redirect`
 * @BOSH_STANZA_ERROR_REGISTRATION_REQUIRED: `registration-required`
 * @BOSH_STANZA_ERROR_REMOTE_SERVER_NOT_FOUND: `remote-server-not-found`
 * @BOSH_STANZA_ERROR_REMOTE_SERVER_TIMEOUT: `remote-server-timeout`
 * @BOSH_STANZA_ERROR_RESOURCE_CONSTRAINT: `resource-constraint`
 * @BOSH_STANZA_ERROR_SERVICE_UNAVAILABLE: `service-unavailable`
 * @BOSH_STANZA_ERROR_SUBSCRIPTION_REQUIRED: `subscription-required`
 * @BOSH_STANZA_ERROR_UNEXPECTED_REQUEST: `unexpected-request`
 *
 * The defined conditions of stanza errors, from RFC 6120 §8.3.3.
 *
 * Since: 1.0
 */
typedef enum {
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

G_END_DECLS
