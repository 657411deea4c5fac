/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Logins that bind without waiting for the features. */

#include "config.h"

#include "bosh-test-login.h"

#include "bosh-error.h"

#define JID "user@example.com/laptop"
#define PLAIN_DATA "AHVzZXIAcGVuY2ls"
#define PIPELINING "<pipelining xmlns='urn:xmpp:features:pipelining'/>"

/* clang-format off */
#define SENT_ALL \
  { FEATURES_COME, OFFER ("PLAIN") }, \
  { SENT, AUTH ("PLAIN", PLAIN_DATA) }, \
  { TAKEN, SASL ("success", "") }, \
  { RESTARTED, NULL }, \
  { SENT, BIND_SET ("<resource>laptop</resource>") }
/* clang-format on */

static const Transcript transcripts[] = {
  {
    .name = "features-first",
    .summary = "XEP-0305 §4: the request to bind follows the restart; the features are awaited, too",
    .pipeline = TRUE,
    .steps = {
      SENT_ALL,
      { FEATURES_COME, FEATURES (BIND ("")) },
      { TAKEN, BIND_RESULT (JID) },
      { READY, JID },
    },
  },
  {
    .name = "features-last",
    .summary = "The same where the features come late (XEP-0206 §4), or twice",
    .pipeline = TRUE,
    .steps = {
      SENT_ALL,
      { TAKEN, BIND_RESULT (JID) },
      { NOT_TAKEN, "<message xmlns='jabber:client'/>" },
      { FEATURES_COME, FEATURES (BIND ("")) },
      { READY, JID },
      { FEATURES_COME, FEATURES ("") },
    },
  },
  {
    .name = "offered",
    .summary = "XEP-0305 §4: it is done where the server offers it",
    .steps = {
      { FEATURES_COME, FEATURES (PIPELINING MECHANISMS (MECHANISM ("PLAIN"))) },
      { SENT, AUTH ("PLAIN", PLAIN_DATA) },
      { TAKEN, SASL ("success", "") },
      { RESTARTED, NULL },
      { SENT, BIND_SET ("<resource>laptop</resource>") },
      { FEATURES_COME, FEATURES (BIND ("") PIPELINING) },
      { TAKEN, BIND_RESULT (JID) },
      { READY, JID },
    },
  },
  {
    .name = "offered-late",
    .summary = "R122: an offer that comes with what allows us to bind is too late, and one of "
               "another name is none",
    .steps = {
      { FEATURES_COME, FEATURES ("<pipelining xmlns='urn:x'/>" MECHANISMS (MECHANISM ("PLAIN"))) },
      { SENT, AUTH ("PLAIN", PLAIN_DATA) },
      { TAKEN, SASL ("success", "") },
      { RESTARTED, NULL },
      { FEATURES_COME, FEATURES (BIND ("") PIPELINING) },
      { SENT, BIND_SET ("<resource>laptop</resource>") },
      { TAKEN, BIND_RESULT (JID) },
      { READY, JID },
    },
  },
  {
    .name = "no-resource",
    .summary = "RFC 6120 §7.6",
    .pipeline = TRUE,
    .no_resource = TRUE,
    .steps = {
      { FEATURES_COME, OFFER ("PLAIN") },
      { SENT, AUTH ("PLAIN", PLAIN_DATA) },
      { TAKEN, SASL ("success", "") },
      { RESTARTED, NULL },
      { SENT, BIND_SET ("") },
      { TAKEN, BIND_RESULT ("user@example.com/made-up") },
      { FEATURES_COME, FEATURES (BIND ("")) },
      { READY, "user@example.com/made-up" },
    },
  },
  {
    .name = "session-demanded",
    .summary = "RFC 3921 §3, where the features demand it",
    .pipeline = TRUE,
    .steps = {
      SENT_ALL,
      { TAKEN, BIND_RESULT (JID) },
      { FEATURES_COME, FEATURES (BIND ("") SESSION ("")) },
      { SENT, SESSION_SET },
      { TAKEN, IQ ("type='result' id='bosh-login-session'", "") },
      { READY, JID },
    },
  },
  {
    .name = "session-demanded-first",
    .summary = "RFC 3921 §3, the features first",
    .pipeline = TRUE,
    .steps = {
      SENT_ALL,
      { FEATURES_COME, FEATURES (BIND ("") SESSION ("")) },
      { TAKEN, BIND_RESULT (JID) },
      { SENT, SESSION_SET },
      { TAKEN, IQ ("type='result' id='bosh-login-session'", "") },
      { READY, JID },
    },
  },
  {
    .name = "bound-twice",
    .summary = "The response to bind counts once (RFC 6120 §8.1.3)",
    .pipeline = TRUE,
    .steps = {
      SENT_ALL,
      { TAKEN, BIND_RESULT (JID) },
      { TAKEN, BIND_RESULT ("user@example.com/other") },
      { TAKEN, IQ ("type='error' id='bosh-login-bind'", STANZA_ERROR ("conflict")) },
      { FEATURES_COME, FEATURES (BIND ("")) },
      { READY, JID },
    },
  },
  {
    .name = "no-bind",
    .summary = "Binding is mandatory (RFC 6120 §7.3.1)",
    .pipeline = TRUE,
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      SENT_ALL,
      { FEATURES_COME, FEATURES ("") },
      { FAILED, "binding" },
      { TAKEN, BIND_RESULT (JID) },
    },
  },
  {
    .name = "no-bind-though-bound",
    .summary = "Also where the server has bound all the same",
    .pipeline = TRUE,
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      SENT_ALL,
      { TAKEN, BIND_RESULT (JID) },
      { FEATURES_COME, FEATURES ("") },
      { FAILED, "binding" },
    },
  },
  {
    .name = "bind-refused",
    .summary = "RFC 6120 §7.6.2: one that wants us to wait says so",
    .pipeline = TRUE,
    .domain = bosh_stanza_error_quark,
    .code = BOSH_STANZA_ERROR_NOT_ALLOWED,
    .steps = {
      SENT_ALL,
      { TAKEN, IQ ("type='error' id='bosh-login-bind'", STANZA_ERROR ("not-allowed")) },
      { FAILED, "resource: " },
      { FEATURES_COME, FEATURES (BIND ("")) },
    },
  },
  {
    .name = "bad-jid",
    .summary = "What is bound must be a full JID (RFC 6120 §7.6.1)",
    .pipeline = TRUE,
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      SENT_ALL,
      { TAKEN, BIND_RESULT ("user@example.com") },
      { FAILED, "address" },
    },
  },
  {
    .name = "bind-other-stanzas",
    .summary = "Only the response to our own request is taken (RFC 6120 §8.1.3)",
    .pipeline = TRUE,
    .steps = {
      SENT_ALL,
      { NOT_TAKEN, IQ ("type='get' id='bosh-login-bind'", "<ping xmlns='urn:xmpp:ping'/>") },
      { NOT_TAKEN, IQ ("type='result' id='bosh-login-session'", "") },
      { FEATURES_COME, FEATURES (BIND ("")) },
      { TAKEN, BIND_RESULT (JID) },
      { READY, JID },
    },
  },
  {
    .name = "challenge-afterwards",
    .summary = "Nobody authenticates us again",
    .pipeline = TRUE,
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      SENT_ALL,
      { TAKEN, SASL ("challenge", "") },
      { FAILED, "where none belongs" },
    },
  },
  {
    .name = "failure",
    .summary = "Nothing is pipelined with the authentication itself (RFC 6120 §6.4.5)",
    .pipeline = TRUE,
    .domain = bosh_sasl_error_quark,
    .code = BOSH_SASL_ERROR_NOT_AUTHORIZED,
    .steps = {
      { FEATURES_COME, OFFER ("PLAIN") },
      { SENT, AUTH ("PLAIN", PLAIN_DATA) },
      { TAKEN, SASL ("failure", "<not-authorized/>") },
      { FAILED, NULL },
    },
  },
  {
    .name = "sasl2",
    .summary = "XEP-0388 §2.6.1: where no restart is needed the features come with success, and "
               "are waited for",
    .pipeline = TRUE,
    .steps = {
      { FEATURES_COME, FEATURES ("<authentication xmlns='" BOSH_NS_SASL2 "'>" MECHANISM ("PLAIN")
                                 "</authentication>") },
      { SENT, "<authenticate xmlns='" BOSH_NS_SASL2 "' mechanism='PLAIN'><initial-response>" PLAIN_DATA
              "</initial-response></authenticate>" },
      { TAKEN, "<success xmlns='" BOSH_NS_SASL2 "'/>" },
      { FEATURES_COME, FEATURES (BIND ("")) },
      { SENT, BIND_SET ("<resource>laptop</resource>") },
      { TAKEN, BIND_RESULT (JID) },
      { READY, JID },
    },
  },
};

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  bosh_test_add_transcripts ("login-pipelined", transcripts, G_N_ELEMENTS (transcripts));

  return g_test_run ();
}
