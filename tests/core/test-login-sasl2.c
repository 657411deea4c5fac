/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Logins by XEP-0388, with and without XEP-0386. */

#include "config.h"

#include "bosh-test-login.h"

#include <gsasl.h>
#include <string.h>

#include "bosh-error.h"

#define JID "user@example.com/laptop"
#define MADE_JID "user@example.com/made-up"

#define SASL2(name, content) "<" name " xmlns='" BOSH_NS_SASL2 "'>" content "</" name ">"
#define AUTHENTICATION(content) SASL2 ("authentication", content)
#define INLINE_BIND "<inline><bind xmlns='" BOSH_NS_BIND2 "'><inline/></bind></inline>"
#define WANT_BIND "<bind xmlns='" BOSH_NS_BIND2 "'/>"
#define START(mechanism, content)                                             \
  "<authenticate xmlns='" BOSH_NS_SASL2 "' mechanism='" mechanism "'>" content "</authenticate>"
#define FIRST(data) "<initial-response>" data "</initial-response>"
#define PLAIN_DATA "AHVzZXIAcGVuY2ls"
#define IDENTIFIER(jid) "<authorization-identifier>" jid "</authorization-identifier>"
#define BOUND "<bound xmlns='" BOSH_NS_BIND2 "'/>"

/* Prosody's, for instance. */
#define BOTH(name)                                                            \
  FEATURES (MECHANISMS (MECHANISM (name)) AUTHENTICATION (MECHANISM (name) INLINE_BIND))

/* clang-format off */
/* A login by PLAIN that asked for a resource of the server's choice. */
#define ASKED_FOR_BOTH \
  { FEATURES_COME, BOTH ("PLAIN") }, \
  { SENT, START ("PLAIN", FIRST (PLAIN_DATA) WANT_BIND) }

/* One with a resource of its own. */
#define ASKED_FOR_ONE \
  { FEATURES_COME, BOTH ("PLAIN") }, \
  { SENT, START ("PLAIN", FIRST (PLAIN_DATA)) }

#define BINDS_WITHOUT_RESOURCE \
  { FEATURES_COME, FEATURES (BIND ("")) }, \
  { SENT, BIND_SET ("") }, \
  { TAKEN, BIND_RESULT (MADE_JID) }, \
  { READY, MADE_JID }

#define BINDS \
  { FEATURES_COME, FEATURES (BIND ("")) }, \
  { SENT, BIND_SET ("<resource>laptop</resource>") }, \
  { TAKEN, BIND_RESULT (JID) }, \
  { READY, JID }
/* clang-format on */

static const Transcript transcripts[] = {
  {
    .name = "bound",
    .summary = "XEP-0386 §3.2: one request authenticates and binds; features that follow are "
               "not waited for, and change nothing",
    .no_resource = TRUE,
    .steps = {
      ASKED_FOR_BOTH,
      { TAKEN, SASL2 ("success", IDENTIFIER (MADE_JID) BOUND) },
      { READY, MADE_JID },
      { FEATURES_COME, FEATURES (BIND ("")) },
      { TAKEN, SASL2 ("success", IDENTIFIER (MADE_JID) BOUND) },
      { TAKEN, SASL ("challenge", "") },
    },
  },
  {
    .name = "resource",
    .summary = "XEP-0386 §3.2.1 lets the server choose, so a resource of our own is bound by "
               "RFC 6120 §7, without a restart (XEP-0388 §2.6.1)",
    .steps = {
      ASKED_FOR_ONE,
      { TAKEN, SASL2 ("success", IDENTIFIER ("user@example.com")) },
      BINDS,
    },
  },
  {
    .name = "no-inline",
    .summary = "XEP-0386 §3.1: what is not offered is not asked for",
    .no_resource = TRUE,
    .steps = {
      { FEATURES_COME, FEATURES (AUTHENTICATION (MECHANISM ("PLAIN") "<inline/>")
                                 "<bind xmlns='" BOSH_NS_BIND2 "'/>") },
      { SENT, START ("PLAIN", FIRST (PLAIN_DATA)) },
      { TAKEN, SASL2 ("success", IDENTIFIER ("user@example.com")) },
      BINDS_WITHOUT_RESOURCE,
    },
  },
  {
    .name = "bind-failed",
    .summary = "Where no resource was bound, RFC 6120 §7 is tried",
    .no_resource = TRUE,
    .steps = {
      ASKED_FOR_BOTH,
      { TAKEN, SASL2 ("success", IDENTIFIER ("user@example.com")
                                 "<failed xmlns='" BOSH_NS_BIND2 "'/>") },
      BINDS_WITHOUT_RESOURCE,
    },
  },
  {
    .name = "bind-ignored",
    .summary = "The same where the server does not say why, whatever it calls us",
    .no_resource = TRUE,
    .steps = {
      ASKED_FOR_BOTH,
      { TAKEN, SASL2 ("success", IDENTIFIER (MADE_JID) "<bound xmlns='urn:x'/>") },
      BINDS_WITHOUT_RESOURCE,
    },
  },
  {
    .name = "bound-unasked",
    .summary = "What was not asked for is not believed",
    .steps = {
      ASKED_FOR_ONE,
      { TAKEN, SASL2 ("success", IDENTIFIER (MADE_JID) BOUND) },
      BINDS,
    },
  },
  {
    .name = "no-bind",
    .summary = "Binding is mandatory (RFC 6120 §7.3.1)",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      ASKED_FOR_ONE,
      { TAKEN, SASL2 ("success", IDENTIFIER ("user@example.com")) },
      { FEATURES_COME, FEATURES ("") },
      { FAILED, "binding" },
    },
  },
  {
    .name = "session-demanded",
    .summary = "RFC 3921 §3, where the server insists",
    .steps = {
      ASKED_FOR_ONE,
      { TAKEN, SASL2 ("success", IDENTIFIER ("user@example.com")) },
      { FEATURES_COME, FEATURES (BIND ("") SESSION ("")) },
      { SENT, BIND_SET ("<resource>laptop</resource>") },
      { TAKEN, BIND_RESULT (JID) },
      { SENT, SESSION_SET },
      { TAKEN, IQ ("type='result' id='bosh-login-session'", "") },
      { READY, JID },
    },
  },
  {
    .name = "features-twice",
    .summary = "Features that come again are ignored, as in any login (XEP-0206 §4)",
    .steps = {
      ASKED_FOR_ONE,
      { FEATURES_COME, BOTH ("PLAIN") },
      { TAKEN, SASL2 ("success", IDENTIFIER ("user@example.com")) },
      { NOT_TAKEN, "<message xmlns='jabber:client'/>" },
      { FEATURES_COME, FEATURES (BIND ("")) },
      { SENT, BIND_SET ("<resource>laptop</resource>") },
      { FEATURES_COME, FEATURES (BIND ("")) },
      { TAKEN, BIND_RESULT (JID) },
      { READY, JID },
    },
  },
  {
    .name = "only-sasl2",
    .summary = "A server may have left the list of RFC 6120 out",
    .steps = {
      { FEATURES_COME, FEATURES (AUTHENTICATION (MECHANISM ("DIGEST-MD5") MECHANISM ("\n PLAIN "))) },
      { SENT, START ("PLAIN", FIRST (PLAIN_DATA)) },
      { TAKEN, SASL2 ("success", IDENTIFIER ("user@example.com")) },
      BINDS,
    },
  },
  {
    .name = "other-mechanisms",
    .summary = "Where XEP-0388 is offered with nothing that we can, it is not used",
    .no_resource = TRUE,
    .steps = {
      { FEATURES_COME, FEATURES (MECHANISMS (MECHANISM ("PLAIN"))
                                 AUTHENTICATION (MECHANISM ("X-OAUTH2") INLINE_BIND)) },
      { SENT, AUTH ("PLAIN", PLAIN_DATA) },
      { TAKEN, SASL ("success", "") },
      { RESTARTED, NULL },
      BINDS_WITHOUT_RESOURCE,
    },
  },
  {
    .name = "better-mechanisms",
    .summary = "Where only XEP-0388 is offered with what we can, it is used",
    .steps = {
      { FEATURES_COME, FEATURES (MECHANISMS (MECHANISM ("X-OAUTH2"))
                                 AUTHENTICATION (MECHANISM ("PLAIN"))) },
      { SENT, START ("PLAIN", FIRST (PLAIN_DATA)) },
      { TAKEN, SASL2 ("success", IDENTIFIER ("user@example.com")) },
      BINDS,
    },
  },
  {
    .name = "misplaced-bind",
    .summary = "R116, R122: by RFC 6120 nothing is bound before the restart, whatever the server "
               "puts into its list",
    .no_resource = TRUE,
    .steps = {
      { FEATURES_COME, FEATURES (MECHANISMS (MECHANISM ("PLAIN")
                                 "<inline xmlns='" BOSH_NS_SASL2 "'>"
                                 "<bind xmlns='" BOSH_NS_BIND2 "'/></inline>")) },
      { SENT, AUTH ("PLAIN", PLAIN_DATA) },
      { TAKEN, SASL ("success", IDENTIFIER (MADE_JID) BOUND) },
      { RESTARTED, NULL },
      BINDS_WITHOUT_RESOURCE,
    },
  },
  {
    .name = "no-mechanism",
    .summary = "What is offered is told (RFC 6120 §6.3.3)",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_NO_MECHANISM,
    .steps = {
      { FEATURES_COME, FEATURES (AUTHENTICATION (MECHANISM ("DIGEST-MD5") MECHANISM ("HT-SHA-256-NONE"))) },
      { FAILED, "DIGEST-MD5, HT-SHA-256-NONE" },
    },
  },
  {
    .name = "plaintext",
    .summary = "RFC 6120 §13.8.1: the password is not shown by XEP-0388 either",
    .no_plaintext = TRUE,
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_INSECURE_MECHANISM,
    .steps = {
      { FEATURES_COME, BOTH ("PLAIN") },
      { FAILED, "PLAIN" },
    },
  },
  {
    .name = "plaintext-only-sasl2",
    .summary = "RFC 6120 §13.8.1, without the list of RFC 6120",
    .no_plaintext = TRUE,
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_INSECURE_MECHANISM,
    .steps = {
      { FEATURES_COME, FEATURES (AUTHENTICATION (MECHANISM ("PLAIN") INLINE_BIND)) },
      { FAILED, "PLAIN" },
    },
  },
  {
    .name = "anonymous",
    .summary = "XEP-0388 §2.2: an empty response is an empty element",
    .credentials = BOSH_SASL_CREDENTIALS_ANONYMOUS,
    .no_resource = TRUE,
    .steps = {
      { FEATURES_COME, BOTH ("ANONYMOUS") },
      { SENT, START ("ANONYMOUS", "<initial-response/>" WANT_BIND) },
      { TAKEN, SASL2 ("success", IDENTIFIER ("x1@anon.example.com/y") BOUND) },
      { READY, "x1@anon.example.com/y" },
    },
  },
  {
    .name = "external",
    .summary = "The authorization identity goes the same way (RFC 6120 §6.3.8)",
    .credentials = BOSH_SASL_CREDENTIALS_EXTERNAL,
    .steps = {
      { FEATURES_COME, BOTH ("EXTERNAL") },
      { SENT, START ("EXTERNAL", FIRST ("dXNlcg==")) },
      { TAKEN, SASL2 ("success", IDENTIFIER ("user@example.com")) },
      BINDS,
    },
  },
  {
    .name = "failure",
    .summary = "XEP-0388 §2.6.2: the condition is that of RFC 6120 §6.5, the text is not; what "
               "comes late is swallowed",
    .domain = bosh_sasl_error_quark,
    .code = BOSH_SASL_ERROR_NOT_AUTHORIZED,
    .no_resource = TRUE,
    .steps = {
      ASKED_FOR_BOTH,
      { TAKEN, SASL2 ("failure", "<x xmlns='urn:x'/><not-authorized xmlns='" BOSH_NS_SASL "'/>"
                                 "<text>Who are you?</text>") },
      { FAILED, "Who are you?" },
      { TAKEN, SASL2 ("failure", "") },
      { TAKEN, SASL2 ("success", IDENTIFIER (MADE_JID) BOUND) },
      { FEATURES_COME, BOTH ("PLAIN") },
    },
  },
  {
    .name = "failure-without-condition",
    .summary = "RFC 6120 §6.5",
    .domain = bosh_sasl_error_quark,
    .code = BOSH_SASL_ERROR_UNKNOWN,
    .steps = {
      ASKED_FOR_ONE,
      { TAKEN, SASL2 ("failure", "") },
      { FAILED, NULL },
    },
  },
  {
    .name = "continue",
    .summary = "XEP-0388 §2.6.3: further tasks are not done, and the server is told so",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      ASKED_FOR_ONE,
      { TAKEN, SASL2 ("continue", "<tasks><task>TOTP</task></tasks>") },
      { SENT, SASL2 ("abort", "") },
      { FAILED, "second factor" },
      { TAKEN, SASL2 ("failure", "<aborted xmlns='" BOSH_NS_SASL "'/>") },
    },
  },
  {
    .name = "challenge-of-plain",
    .summary = "An exchange that can't go on is aborted (XEP-0388 §3.5)",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      ASKED_FOR_ONE,
      { TAKEN, SASL2 ("challenge", "") },
      { SENT, SASL2 ("abort", "") },
      { FAILED, NULL },
    },
  },
  {
    .name = "sasl-success",
    .summary = "In XEP-0388, a success of RFC 6120 §6 breaks the rules",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      ASKED_FOR_ONE,
      { TAKEN, SASL ("success", "") },
      { SENT, SASL2 ("abort", "") },
      { FAILED, "where none belongs" },
    },
  },
  {
    .name = "sasl-failure",
    .summary = "In XEP-0388, a failure of RFC 6120 §6 breaks the rules",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      ASKED_FOR_ONE,
      { TAKEN, SASL ("failure", "<not-authorized/>") },
      { SENT, SASL2 ("abort", "") },
      { FAILED, "where none belongs" },
    },
  },
  {
    .name = "sasl2-success",
    .summary = "In RFC 6120 §6, a success of XEP-0388 breaks the rules",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .no_resource = TRUE,
    .steps = {
      { FEATURES_COME, OFFER ("PLAIN") },
      { SENT, AUTH ("PLAIN", PLAIN_DATA) },
      { TAKEN, SASL2 ("success", IDENTIFIER (MADE_JID) BOUND) },
      { SENT, SASL ("abort", "") },
      { FAILED, "where none belongs" },
    },
  },
  {
    .name = "success-too-early",
    .summary = "Nobody authenticates us before we asked",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      { TAKEN, SASL2 ("success", IDENTIFIER (MADE_JID) BOUND) },
      { FAILED, "where none belongs" },
    },
  },
  {
    .name = "success-twice",
    .summary = "Nor again afterwards",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      ASKED_FOR_ONE,
      { TAKEN, SASL2 ("success", IDENTIFIER ("user@example.com")) },
      { TAKEN, SASL2 ("success", IDENTIFIER (MADE_JID) BOUND) },
      { FAILED, "where none belongs" },
    },
  },
};

static BoshLogin *
new_login (const char *resource)
{
  BoshLoginParameters parameters = bosh_test_login_parameters;

  parameters.resource = resource;

  return bosh_login_new (&parameters);
}

static void
test_bound_jids (void)
{
  static const struct
  {
    const char *identifier;
    gboolean    accepted;
  } cases[] = {
    { IDENTIFIER (MADE_JID), TRUE },
    { IDENTIFIER ("j\xc3\xbcrgen@example.com/\xf0\x9f\x98\x80"), TRUE },
    { IDENTIFIER ("user@example.com"), FALSE },
    { IDENTIFIER ("user@example.com/"), FALSE },
    { IDENTIFIER ("us er@example.com/x"), FALSE },
    { IDENTIFIER (""), FALSE },
    { "<authorization-identifier xmlns='urn:x'>" MADE_JID "</authorization-identifier>", FALSE },
    { "", FALSE },
  };

  g_test_summary ("XEP-0388 §2.6.1: who has bound a resource names the full JID (RFC 7622 §3.1)");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshLogin) login = new_login (NULL);
      g_autofree char *success = g_strdup_printf (SASL2 ("success", "%s" BOUND), cases[i].identifier);

      bosh_test_give_features (login, BOTH ("PLAIN"));
      bosh_test_assert_action (login, BOSH_LOGIN_ACTION_SEND);
      g_assert_true (bosh_test_give_element (login, success));
      if (cases[i].accepted)
        bosh_test_assert_action (login, BOSH_LOGIN_ACTION_READY);
      else
        bosh_test_assert_failed (login, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED, "address");
    }
}

static void
test_bad_resource (void)
{
  g_autoptr(BoshLogin) login = new_login ("lap\x01top");

  g_test_summary ("A resource that XML can't hold fails before the password is sent");

  bosh_test_give_features (login, BOTH ("PLAIN"));
  bosh_test_assert_failed (login, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED, "resource");
}

static void
test_many_mechanisms (void)
{
  g_test_summary ("The number of mechanisms that are looked at is bounded");

  bosh_test_bounds_mechanisms ("<features xmlns='" BOSH_NS_STREAMS "'>"
                               "<authentication xmlns='" BOSH_NS_SASL2 "'>",
                               "</authentication></features>");
}

typedef struct
{
  BoshLogin          *login;
  BoshTestSaslServer *server;
  char               *server_final;
} ScramFixture;

static char *
take_first (BoshLogin *login)
{
  g_auto(BoshLoginAction) action = { 0 };

  bosh_test_take_action (login, BOSH_LOGIN_ACTION_SEND, &action);
  g_assert_true (bosh_element_matches (action.element, "authenticate", BOSH_NS_SASL2));

  return bosh_element_dup_child_text (action.element, "initial-response", BOSH_NS_SASL2);
}

static char *
take_response (BoshLogin *login)
{
  g_auto(BoshLoginAction) action = { 0 };

  bosh_test_take_action (login, BOSH_LOGIN_ACTION_SEND, &action);
  g_assert_true (bosh_element_matches (action.element, "response", BOSH_NS_SASL2));

  return bosh_element_dup_text (action.element);
}

/* Up to the proof. */
static void
set_up_scram (ScramFixture  *fixture,
              gconstpointer  data)
{
  g_autofree char *client_first = NULL;
  g_autofree char *server_first = NULL;
  g_autofree char *challenge = NULL;
  g_autofree char *proof = NULL;

  fixture->server = bosh_test_sasl_server_new ("SCRAM-SHA-256", NULL);
  fixture->login = new_login (NULL);
  bosh_test_give_features (fixture->login, BOTH ("SCRAM-SHA-256"));
  client_first = take_first (fixture->login);
  server_first = bosh_test_sasl_server_step (fixture->server, client_first, GSASL_NEEDS_MORE);
  challenge = g_strdup_printf (SASL2 ("challenge", "%s"), server_first);
  g_assert_true (bosh_test_give_element (fixture->login, challenge));
  bosh_test_assert_action (fixture->login, BOSH_LOGIN_ACTION_COMPUTE);
  bosh_test_assert_no_action (fixture->login);
  bosh_login_compute (fixture->login);
  bosh_login_handle_computed (fixture->login);
  proof = take_response (fixture->login);
  fixture->server_final = bosh_test_sasl_server_step (fixture->server, proof, GSASL_OK);
}

static void
tear_down_scram (ScramFixture  *fixture,
                 gconstpointer  data)
{
  bosh_login_free (fixture->login);
  bosh_test_sasl_server_free (fixture->server);
  g_free (fixture->server_final);
}

/* Success with a resource, and with @data (nullable). */
static void
give_success (ScramFixture *fixture,
              const char   *data)
{
  g_autoptr(BoshElement) success = bosh_element_new ("success", BOSH_NS_SASL2);
  BoshElement *child;

  if (data != NULL)
    {
      child = bosh_element_add_new_child (success, "additional-data", BOSH_NS_SASL2);
      bosh_element_set_text (child, data);
    }
  child = bosh_element_add_new_child (success, "authorization-identifier", BOSH_NS_SASL2);
  bosh_element_set_text (child, MADE_JID);
  bosh_element_add_new_child (success, "bound", BOSH_NS_BIND2);
  g_assert_true (bosh_login_handle_element (fixture->login, success));
}

static void
test_scram_success (ScramFixture  *fixture,
                    gconstpointer  data)
{
  g_test_summary ("XEP-0388 §2.6.1: the signature of the server is the additional data");

  give_success (fixture, fixture->server_final);
  bosh_test_assert_ready (fixture->login, MADE_JID);
  g_assert_nonnull (bosh_login_get_salted_password (fixture->login));
}

static void
test_scram_wrong_signature (ScramFixture  *fixture,
                            gconstpointer  data)
{
  g_test_summary ("A server without the right signature is not believed, and what it has bound "
                  "not taken (RFC 5802 §9)");

  fixture->server_final[8] = fixture->server_final[8] == 'A' ? 'B' : 'A';
  give_success (fixture, fixture->server_final);
  bosh_test_assert_failed (fixture->login, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC, NULL);
  g_assert_null (bosh_login_get_salted_password (fixture->login));
}

static void
test_scram_no_signature (ScramFixture  *fixture,
                         gconstpointer  data)
{
  g_test_summary ("Nor a server without any");

  give_success (fixture, NULL);
  bosh_test_assert_failed (fixture->login, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC, NULL);
}

static void
test_scram_signature_as_text (ScramFixture  *fixture,
                              gconstpointer  data)
{
  g_autofree char *success = g_strdup_printf (SASL2 ("success", "%s"), fixture->server_final);

  g_test_summary ("Nor one that puts it where RFC 6120 §6.4.6 has it");

  g_assert_true (bosh_test_give_element (fixture->login, success));
  bosh_test_assert_failed (fixture->login, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC, NULL);
}

static void
test_scram_refused (ScramFixture  *fixture,
                    gconstpointer  data)
{
  g_test_summary ("A wrong password is told by the server (RFC 6120 §6.5.10)");

  g_assert_true (bosh_test_give_element (fixture->login,
                                         SASL2 ("failure", "<not-authorized xmlns='" BOSH_NS_SASL "'/>")));
  bosh_test_assert_failed (fixture->login, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED, NULL);
}

static void
test_scram_known (void)
{
  ScramFixture fixture = { NULL };
  BoshLoginParameters parameters = bosh_test_login_parameters;
  g_autofree char *client_first = NULL;
  g_autofree char *server_first = NULL;
  g_autofree char *challenge = NULL;
  g_autofree char *proof = NULL;
  g_autofree char *salt = NULL;
  g_autoptr(BoshLogin) login = NULL;

  g_test_summary ("RFC 5802 §5.1: with the salted password of an earlier login nothing is left to "
                  "compute in a thread");

  set_up_scram (&fixture, NULL);
  give_success (&fixture, fixture.server_final);
  bosh_test_assert_action (fixture.login, BOSH_LOGIN_ACTION_READY);
  parameters.salted_password = bosh_login_get_salted_password (fixture.login);
  parameters.resource = NULL;
  salt = bosh_test_sasl_server_dup_salt (fixture.server);
  login = bosh_login_new (&parameters);

  bosh_test_sasl_server_free (fixture.server);
  fixture.server = bosh_test_sasl_server_new ("SCRAM-SHA-256", salt);
  bosh_test_give_features (login, BOTH ("SCRAM-SHA-256"));
  client_first = take_first (login);
  server_first = bosh_test_sasl_server_step (fixture.server, client_first, GSASL_NEEDS_MORE);
  challenge = g_strdup_printf (SASL2 ("challenge", "%s"), server_first);
  g_assert_true (bosh_test_give_element (login, challenge));
  proof = take_response (login);
  g_free (fixture.server_final);
  fixture.server_final = bosh_test_sasl_server_step (fixture.server, proof, GSASL_OK);

  bosh_login_free (fixture.login);
  fixture.login = g_steal_pointer (&login);
  give_success (&fixture, fixture.server_final);
  bosh_test_assert_ready (fixture.login, MADE_JID);
  tear_down_scram (&fixture, NULL);
}

/* --- Falling back to RFC 6120 --- */

#define OFFERS(in_sasl, in_sasl2)                                             \
  FEATURES (MECHANISMS (MECHANISM (in_sasl)) AUTHENTICATION (MECHANISM (in_sasl2)))

static BoshLogin *
new_started (const char *features)
{
  BoshLogin *login = bosh_login_new (&bosh_test_login_parameters);

  g_assert_false (bosh_login_can_fall_back (login));
  bosh_test_give_features (login, features);
  bosh_test_assert_action (login, BOSH_LOGIN_ACTION_SEND);

  return login;
}

static void
test_silence (void)
{
  g_autoptr(BoshLogin) login = new_started (BOTH ("PLAIN"));
  g_autoptr(BoshLogin) finished = new_started (BOTH ("PLAIN"));
  g_autoptr(BoshLogin) classic = new_started (OFFER ("PLAIN"));
  g_autoptr(BoshLogin) extensible = new_started (FEATURES (AUTHENTICATION (MECHANISM ("PLAIN"))));
  g_autoptr(BoshLogin) weaker = new_started (OFFERS ("PLAIN", "SCRAM-SHA-1"));

  g_test_summary ("A login by XEP-0388 gives way to one by RFC 6120 while the server is to say "
                  "something, if the same mechanism is offered there");

  g_assert_true (bosh_login_can_fall_back (login));
  bosh_login_fall_back (login);
  bosh_test_assert_action (login, BOSH_LOGIN_ACTION_FALL_BACK);
  bosh_test_assert_no_action (login);
  g_assert_false (bosh_login_can_fall_back (login));
  /* It comes after all. */
  g_assert_true (bosh_test_give_element (login, SASL2 ("success", IDENTIFIER (JID))));
  bosh_test_assert_no_action (login);

  bosh_test_give_element (finished, SASL2 ("success", IDENTIFIER ("user@example.com")));
  g_assert_false (bosh_login_can_fall_back (finished));
  g_assert_false (bosh_login_can_fall_back (classic));
  g_assert_false (bosh_login_can_fall_back (extensible));
  g_assert_false (bosh_login_can_fall_back (weaker));
}

static void
test_invalid_mechanism (void)
{
  static const char failure[] =
    SASL2 ("failure", "<invalid-mechanism xmlns='" BOSH_NS_SASL "'/>");
  g_autoptr(BoshLogin) login = new_started (BOTH ("PLAIN"));
  g_autoptr(BoshLogin) refused = new_started (BOTH ("PLAIN"));
  g_autoptr(BoshLogin) extensible = new_started (FEATURES (AUTHENTICATION (MECHANISM ("PLAIN"))));

  g_test_summary ("So does one whose mechanism is not valid, though it was offered; other "
                  "failures are failures");

  g_assert_true (bosh_test_give_element (login, failure));
  bosh_test_assert_action (login, BOSH_LOGIN_ACTION_FALL_BACK);
  bosh_test_assert_no_action (login);

  bosh_test_give_element (refused, SASL2 ("failure", "<not-authorized xmlns='" BOSH_NS_SASL "'/>"));
  bosh_test_assert_failed (refused, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED, "");
  bosh_test_give_element (extensible, failure);
  bosh_test_assert_failed (extensible, BOSH_SASL_ERROR, BOSH_SASL_ERROR_INVALID_MECHANISM, "");
}

static void
test_avoided (void)
{
  BoshLoginParameters parameters = bosh_test_login_parameters;
  g_autoptr(BoshLogin) login = NULL;
  g_autoptr(BoshLogin) none = NULL;

  g_test_summary ("XEP-0388 is not used where that is asked for");

  parameters.avoid_sasl2 = TRUE;
  login = bosh_login_new (&parameters);
  bosh_test_give_features (login, OFFERS ("PLAIN", "SCRAM-SHA-256"));
  bosh_test_assert_sent (login, AUTH ("PLAIN", PLAIN_DATA));

  none = bosh_login_new (&parameters);
  bosh_test_give_features (none, FEATURES (AUTHENTICATION (MECHANISM ("PLAIN"))));
  bosh_test_assert_failed (none, BOSH_ERROR, BOSH_ERROR_NO_MECHANISM, "");
}

int
main (int   argc,
      char *argv[])
{
  static const struct
  {
    const char *path;
    void      (*function) (ScramFixture *, gconstpointer);
  } scram_tests[] = {
    { "/bosh/login-sasl2/scram/success", test_scram_success },
    { "/bosh/login-sasl2/scram/wrong-signature", test_scram_wrong_signature },
    { "/bosh/login-sasl2/scram/no-signature", test_scram_no_signature },
    { "/bosh/login-sasl2/scram/signature-as-text", test_scram_signature_as_text },
    { "/bosh/login-sasl2/scram/refused", test_scram_refused },
  };

  g_test_init (&argc, &argv, NULL);

  bosh_test_add_transcripts ("login-sasl2/transcript", transcripts, G_N_ELEMENTS (transcripts));
  g_test_add_func ("/bosh/login-sasl2/bound-jids", test_bound_jids);
  g_test_add_func ("/bosh/login-sasl2/bad-resource", test_bad_resource);
  g_test_add_func ("/bosh/login-sasl2/many-mechanisms", test_many_mechanisms);
  g_test_add_func ("/bosh/login-sasl2/silence", test_silence);
  g_test_add_func ("/bosh/login-sasl2/invalid-mechanism", test_invalid_mechanism);
  g_test_add_func ("/bosh/login-sasl2/avoided", test_avoided);
  g_test_add_func ("/bosh/login-sasl2/scram/known", test_scram_known);
  for (gsize i = 0; i < G_N_ELEMENTS (scram_tests); i++)
    g_test_add (scram_tests[i].path, ScramFixture, NULL, set_up_scram,
                scram_tests[i].function, tear_down_scram);

  return g_test_run ();
}
