/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-login.h"

#include <gsasl.h>
#include <string.h>

#include "bosh-error.h"

#define JID "user@example.com/laptop"
#define PLAIN_AUTH AUTH ("PLAIN", "AHVzZXIAcGVuY2ls")

/* clang-format off */
/* A login by PLAIN up to the second stream. */
#define AUTHENTICATED \
  { FEATURES_COME, OFFER ("PLAIN") }, \
  { SENT, PLAIN_AUTH }, \
  { TAKEN, SASL ("success", "") }, \
  { RESTARTED, NULL }

#define BOUND \
  AUTHENTICATED, \
  { FEATURES_COME, FEATURES (BIND ("")) }, \
  { SENT, BIND_SET ("<resource>laptop</resource>") }
/* clang-format on */

static const Transcript transcripts[] = {
  {
    .name = "plain",
    .summary = "The whole way: RFC 6120 §6.4, XEP-0206 §5, RFC 6120 §7",
    .steps = {
      BOUND,
      { TAKEN, BIND_RESULT (JID) },
      { READY, JID },
    },
  },
  {
    .name = "anonymous",
    .summary = "Nothing to send is sent as `=` (RFC 6120 §6.4.2)",
    .credentials = BOSH_SASL_CREDENTIALS_ANONYMOUS,
    .steps = {
      { FEATURES_COME, FEATURES (MECHANISMS (MECHANISM ("PLAIN") MECHANISM ("ANONYMOUS"))) },
      { SENT, AUTH ("ANONYMOUS", "=") },
      { TAKEN, SASL ("success", "") },
      { RESTARTED, NULL },
      { FEATURES_COME, FEATURES (BIND ("")) },
      { SENT, BIND_SET ("<resource>laptop</resource>") },
      { TAKEN, BIND_RESULT ("6b51c1@anon.example.com/6b51c1") },
      { READY, "6b51c1@anon.example.com/6b51c1" },
    },
  },
  {
    .name = "external",
    .summary = "The authorization identity is optional (RFC 6120 §6.3.8)",
    .credentials = BOSH_SASL_CREDENTIALS_EXTERNAL,
    .steps = {
      { FEATURES_COME, FEATURES (MECHANISMS (MECHANISM ("PLAIN") MECHANISM ("EXTERNAL"))) },
      { SENT, AUTH ("EXTERNAL", "dXNlcg==") },
      { TAKEN, SASL ("success", "") },
      { RESTARTED, NULL },
      { FEATURES_COME, FEATURES (BIND ("")) },
      { SENT, BIND_SET ("<resource>laptop</resource>") },
      { TAKEN, BIND_RESULT (JID) },
      { READY, JID },
    },
  },
  {
    .name = "session-demanded",
    .summary = "RFC 3921 §3, where the server insists",
    .steps = {
      AUTHENTICATED,
      { FEATURES_COME, FEATURES (BIND ("") SESSION ("")) },
      { SENT, BIND_SET ("<resource>laptop</resource>") },
      { TAKEN, BIND_RESULT (JID) },
      { SENT, SESSION_SET },
      { TAKEN, IQ ("type='result' id='bosh-login-session'", "") },
      { READY, JID },
    },
  },
  {
    .name = "session-optional",
    .summary = "A session that is marked as optional is left out",
    .steps = {
      AUTHENTICATED,
      { FEATURES_COME, FEATURES (BIND ("<required/>") SESSION ("<optional/>")) },
      { SENT, BIND_SET ("<resource>laptop</resource>") },
      { TAKEN, BIND_RESULT (JID) },
      { READY, JID },
    },
  },
  {
    .name = "session-refused",
    .summary = "The stanza error is kept (RFC 6120 §8.3.3)",
    .domain = bosh_stanza_error_quark,
    .code = BOSH_STANZA_ERROR_FORBIDDEN,
    .steps = {
      AUTHENTICATED,
      { FEATURES_COME, FEATURES (BIND ("") SESSION ("")) },
      { SENT, BIND_SET ("<resource>laptop</resource>") },
      { TAKEN, BIND_RESULT (JID) },
      { SENT, SESSION_SET },
      { TAKEN, IQ ("type='error' id='bosh-login-session'", STANZA_ERROR ("forbidden")) },
      { FAILED, "session: " },
    },
  },
  {
    .name = "session-response-of-stranger",
    .summary = "Once bound, others can reach us: only the server and the "
               "account itself respond (RFC 6120 §8.1.2.1)",
    .steps = {
      AUTHENTICATED,
      { FEATURES_COME, FEATURES (BIND ("") SESSION ("")) },
      { SENT, BIND_SET ("<resource>laptop</resource>") },
      { TAKEN, BIND_RESULT (JID) },
      { SENT, SESSION_SET },
      { NOT_TAKEN, IQ ("type='result' id='bosh-login-session' from='mallory@example.com/x'", "") },
      { NOT_TAKEN, IQ ("type='result' id='bosh-login-session' from='user@example.com/other'", "") },
      { NOT_TAKEN, IQ ("type='result' id='bosh-login-session' from='example.org'", "") },
      { TAKEN, IQ ("type='result' id='bosh-login-session' from='user@example.com'", "") },
      { READY, JID },
    },
  },
  {
    .name = "session-response-of-resource",
    .summary = "RFC 6120 §8.1.2.1",
    .steps = {
      AUTHENTICATED,
      { FEATURES_COME, FEATURES (BIND ("") SESSION ("")) },
      { SENT, BIND_SET ("<resource>laptop</resource>") },
      { TAKEN, BIND_RESULT (JID) },
      { SENT, SESSION_SET },
      { TAKEN, IQ ("type='result' id='bosh-login-session' from='" JID "'", "") },
      { READY, JID },
      /* A second time, and it still is no business of the application. */
      { TAKEN, IQ ("type='result' id='bosh-login-session' from='" JID "'", "") },
    },
  },
  {
    .name = "features-late",
    .summary = "Features of other kinds are ignored, STARTTLS among them "
               "(XEP-0206 §4), and those that come again, too",
    .steps = {
      { NOT_TAKEN, "<message xmlns='jabber:client'/>" },
      { FEATURES_COME, FEATURES ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
                                 MECHANISMS ("\n" MECHANISM ("\n PLAIN\n") "<x xmlns='urn:x'/>")) },
      { SENT, PLAIN_AUTH },
      { FEATURES_COME, OFFER ("PLAIN") },
      { TAKEN, SASL ("success", "") },
      { RESTARTED, NULL },
      { NOT_TAKEN, "<message xmlns='jabber:client'/>" },
      { FEATURES_COME, FEATURES ("<ver xmlns='urn:xmpp:features:rosterver'/>" BIND ("")) },
      { SENT, BIND_SET ("<resource>laptop</resource>") },
      { FEATURES_COME, FEATURES (BIND ("")) },
      { TAKEN, BIND_RESULT (JID) },
      { READY, JID },
      { FEATURES_COME, FEATURES (BIND ("")) },
    },
  },
  {
    .name = "no-mechanisms",
    .summary = "There is no way around authentication, not even where the "
               "server would let us bind (RFC 6120 §6.2)",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_NO_MECHANISM,
    .steps = {
      { FEATURES_COME, FEATURES (BIND ("")) },
      { FAILED, "no authentication mechanism" },
      { FEATURES_COME, OFFER ("PLAIN") },
    },
  },
  {
    .name = "empty-features",
    .summary = "RFC 6120 §4.3.2",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_NO_MECHANISM,
    .steps = {
      { FEATURES_COME, FEATURES ("") },
      { FAILED, "no authentication mechanism" },
    },
  },
  {
    .name = "unknown-mechanisms",
    .summary = "What is offered is told (RFC 6120 §6.3.3)",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_NO_MECHANISM,
    .steps = {
      { FEATURES_COME, FEATURES (MECHANISMS (MECHANISM ("DIGEST-MD5") MECHANISM ("X-OAUTH2"))) },
      { FAILED, "DIGEST-MD5, X-OAUTH2" },
    },
  },
  {
    .name = "failure-then-nothing",
    .summary = "After a failure the login is over, and late elements are "
               "swallowed (RFC 6120 §6.4.5)",
    .domain = bosh_sasl_error_quark,
    .code = BOSH_SASL_ERROR_NOT_AUTHORIZED,
    .steps = {
      { FEATURES_COME, OFFER ("PLAIN") },
      { SENT, PLAIN_AUTH },
      { TAKEN, SASL ("failure", "<not-authorized/>") },
      { FAILED, NULL },
      { TAKEN, SASL ("failure", "<not-authorized/>") },
      { TAKEN, SASL ("success", "") },
      { FEATURES_COME, OFFER ("PLAIN") },
      { NOT_TAKEN, BIND_RESULT (JID) },
    },
  },
  {
    .name = "challenge-of-plain",
    .summary = "An exchange that can't go on is aborted, and the response to that "
               "swallowed (RFC 6120 §6.4.4)",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      { FEATURES_COME, OFFER ("PLAIN") },
      { SENT, PLAIN_AUTH },
      { TAKEN, SASL ("challenge", "") },
      { SENT, SASL ("abort", "") },
      { FAILED, NULL },
      { TAKEN, SASL ("failure", "<aborted/>") },
    },
  },
  {
    .name = "unknown-sasl-element",
    .summary = "RFC 6120 §6.4",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      { FEATURES_COME, OFFER ("PLAIN") },
      { SENT, PLAIN_AUTH },
      { TAKEN, SASL ("response", "") },
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
      { TAKEN, SASL ("success", "") },
      { FAILED, "where none belongs" },
    },
  },
  {
    .name = "success-twice",
    .summary = "Nor again afterwards",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      AUTHENTICATED,
      { TAKEN, SASL ("success", "") },
      { FAILED, "where none belongs" },
    },
  },
  {
    .name = "challenge-while-binding",
    .summary = "Nor while we bind",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      BOUND,
      { TAKEN, SASL ("challenge", "") },
      { FAILED, "where none belongs" },
      { TAKEN, BIND_RESULT (JID) },
    },
  },
  {
    .name = "sasl-when-ready",
    .summary = "A login that is over swallows what is late",
    .steps = {
      BOUND,
      { TAKEN, BIND_RESULT (JID) },
      { READY, JID },
      { TAKEN, SASL ("challenge", "") },
      { TAKEN, BIND_RESULT (JID) },
      { NOT_TAKEN, IQ ("type='result' id='other'", "") },
    },
  },
  {
    .name = "no-bind",
    .summary = "Binding is mandatory (RFC 6120 §7.3.1)",
    .domain = bosh_error_quark,
    .code = BOSH_ERROR_LOGIN_FAILED,
    .steps = {
      AUTHENTICATED,
      { FEATURES_COME, FEATURES (SESSION ("")) },
      { FAILED, "binding" },
    },
  },
  {
    .name = "bind-conflict",
    .summary = "RFC 6120 §7.7.2.2",
    .domain = bosh_stanza_error_quark,
    .code = BOSH_STANZA_ERROR_CONFLICT,
    .steps = {
      BOUND,
      { TAKEN, IQ ("type='error' id='bosh-login-bind'", BIND ("") STANZA_ERROR ("conflict")) },
      { FAILED, "resource: " },
    },
  },
  {
    .name = "bind-constraint",
    .summary = "RFC 6120 §7.6.2.1",
    .domain = bosh_stanza_error_quark,
    .code = BOSH_STANZA_ERROR_RESOURCE_CONSTRAINT,
    .steps = {
      BOUND,
      { TAKEN, IQ ("type='error' id='bosh-login-bind'", STANZA_ERROR ("resource-constraint")) },
      { FAILED, "resource: " },
    },
  },
  {
    .name = "bind-error-without-condition",
    .summary = "RFC 6120 §8.3.3.21",
    .domain = bosh_stanza_error_quark,
    .code = BOSH_STANZA_ERROR_UNDEFINED_CONDITION,
    .steps = {
      BOUND,
      { TAKEN, IQ ("type='error' id='bosh-login-bind'", "") },
      { FAILED, "resource: " },
    },
  },
  {
    .name = "bind-other-stanzas",
    .summary = "Only the response to our own request is taken (RFC 6120 §8.1.3, §8.2.3)",
    .steps = {
      BOUND,
      { NOT_TAKEN, IQ ("type='get' id='bosh-login-bind'", "<ping xmlns='urn:xmpp:ping'/>") },
      { NOT_TAKEN, IQ ("type='result' id='bosh-login-session'", "") },
      { NOT_TAKEN, IQ ("type='result'", "") },
      { NOT_TAKEN, IQ ("id='bosh-login-bind'", "") },
      { NOT_TAKEN, "<message xmlns='jabber:client' type='error' id='bosh-login-bind'/>" },
      { NOT_TAKEN, "<iq xmlns='urn:x' type='result' id='bosh-login-bind'/>" },
      { NOT_TAKEN, IQ ("type='result' id='bosh-login-bind' from='user@example.org'", "") },
      { TAKEN, BIND_RESULT (JID) },
      { READY, JID },
    },
  },
};

static void
test_failures (void)
{
  static const struct
  {
    const char *content;
    int         code;
  } cases[] = {
    { "<aborted/>", BOSH_SASL_ERROR_ABORTED },
    { "<account-disabled/><text xml:lang='en'>Call us</text>", BOSH_SASL_ERROR_ACCOUNT_DISABLED },
    { "<credentials-expired/>", BOSH_SASL_ERROR_CREDENTIALS_EXPIRED },
    { "<encryption-required/>", BOSH_SASL_ERROR_ENCRYPTION_REQUIRED },
    { "<incorrect-encoding/>", BOSH_SASL_ERROR_INCORRECT_ENCODING },
    { "<invalid-authzid/>", BOSH_SASL_ERROR_INVALID_AUTHZID },
    { "<invalid-mechanism/>", BOSH_SASL_ERROR_INVALID_MECHANISM },
    { "<malformed-request/>", BOSH_SASL_ERROR_MALFORMED_REQUEST },
    { "<mechanism-too-weak/>", BOSH_SASL_ERROR_MECHANISM_TOO_WEAK },
    { "<not-authorized/>", BOSH_SASL_ERROR_NOT_AUTHORIZED },
    { "<temporary-auth-failure/>", BOSH_SASL_ERROR_TEMPORARY_AUTH_FAILURE },
    { "<bad-hair-day/>", BOSH_SASL_ERROR_UNKNOWN },
    { "", BOSH_SASL_ERROR_UNKNOWN },
  };

  g_test_summary ("Each condition of RFC 6120 §6.5 has its error, without an "
                  "abort");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshLogin) login = bosh_login_new (&bosh_test_login_parameters);
      g_autofree char *failure = NULL;

      bosh_test_give_features (login, OFFER ("PLAIN"));
      bosh_test_assert_sent (login, PLAIN_AUTH);
      g_assert_cmpstr (bosh_login_get_mechanism (login), ==, "PLAIN");
      failure = g_strdup_printf (SASL ("failure", "%s"), cases[i].content);
      g_assert_true (bosh_test_give_element (login, failure));
      bosh_test_assert_failed (login, BOSH_SASL_ERROR, cases[i].code, NULL);
    }
}

/* Up to the request to bind. */
static BoshLogin *
new_authenticated (const BoshLoginParameters *parameters)
{
  BoshLogin *login = bosh_login_new (parameters);

  bosh_test_give_features (login, OFFER ("PLAIN"));
  bosh_test_assert_action (login, BOSH_LOGIN_ACTION_SEND);
  g_assert_true (bosh_test_give_element (login, SASL ("success", "")));
  bosh_test_assert_action (login, BOSH_LOGIN_ACTION_RESTART);
  bosh_test_give_features (login, FEATURES (BIND ("")));

  return login;
}

static void
test_jids (void)
{
  g_autofree char *resource = g_strnfill (3071 - strlen ("a@b/"), 'r');
  g_autofree char *longest = g_strconcat ("a@b/", resource, NULL);
  g_autofree char *too_long = g_strconcat ("a@b/", resource, "r", NULL);
  const struct
  {
    const char *jid;
    gboolean    accepted;
  } cases[] = {
    { "user@example.com/laptop", TRUE },
    { "example.com/laptop", TRUE },
    { "user@example.com/a/b@c", TRUE },
    { "user@example.com/two words", TRUE },
    { "j\xc3\xbcrgen@example.com/\xf0\x9f\x98\x80", TRUE },
    { longest, TRUE },
    { too_long, FALSE },
    { "", FALSE },
    { "user@example.com", FALSE },
    { "user@example.com/", FALSE },
    { "user@/laptop", FALSE },
    { "@example.com/laptop", FALSE },
    { "@/laptop", FALSE },
    { "/laptop", FALSE },
    { "us er@example.com/laptop", FALSE },
    { "user@example.com\n/laptop", FALSE },
  };

  g_test_summary ("What is bound must be a full JID (RFC 6120 §7.6.1, RFC 7622 "
                  "§3.1)");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshLogin) login = new_authenticated (&bosh_test_login_parameters);
      g_autofree char *result = g_strdup_printf (BIND_RESULT ("%s"), cases[i].jid);

      bosh_test_assert_action (login, BOSH_LOGIN_ACTION_SEND);
      g_assert_true (bosh_test_give_element (login, result));
      if (cases[i].accepted)
        bosh_test_assert_ready (login, cases[i].jid);
      else
        bosh_test_assert_failed (login, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED, "address");

      /* Which one it was plays no part afterwards. */
      g_assert_true (bosh_test_give_element (login, result));
      bosh_test_assert_no_action (login);
    }
}

static void
test_bind_without_jid (void)
{
  static const char * const contents[] = {
    "",
    BIND (""),
    "<bind><jid>" JID "</jid></bind>",
    BIND ("<jid xmlns='urn:x'>" JID "</jid>"),
  };

  g_test_summary ("A result without a JID binds nothing (RFC 6120 §7.6.1)");

  for (guint i = 0; i < G_N_ELEMENTS (contents); i++)
    {
      g_autoptr(BoshLogin) login = new_authenticated (&bosh_test_login_parameters);
      g_autofree char *result = NULL;

      bosh_test_assert_action (login, BOSH_LOGIN_ACTION_SEND);
      result = g_strdup_printf (IQ ("type='result' id='bosh-login-bind'", "%s"), contents[i]);
      g_assert_true (bosh_test_give_element (login, result));
      bosh_test_assert_failed (login, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED, "address");
    }
}

static void
test_bind_from (void)
{
  static const char * const senders[] = {
    "",
    "example.com",
    "EXAMPLE.com",
    "user@example.com",
    "user@Example.Com/laptop",
    "example.com/x",
  };

  g_test_summary ("The server responds for itself or for the account "
                  "(RFC 6120 §8.1.2.1)");

  for (guint i = 0; i < G_N_ELEMENTS (senders); i++)
    {
      g_autoptr(BoshLogin) login = new_authenticated (&bosh_test_login_parameters);
      g_autofree char *result = NULL;

      bosh_test_assert_action (login, BOSH_LOGIN_ACTION_SEND);
      result = g_strdup_printf (IQ ("type='result' id='bosh-login-bind' from='%s'",
                                    BIND ("<jid>" JID "</jid>")),
                                senders[i]);
      g_assert_true (bosh_test_give_element (login, result));
      bosh_test_assert_ready (login, JID);
    }
}

static void
test_bind_without_namespace (void)
{
  g_autoptr(BoshLogin) login = new_authenticated (&bosh_test_login_parameters);

  g_test_summary ("A stanza without a namespace is one of jabber:client "
                  "(XEP-0206 §2)");

  bosh_test_assert_action (login, BOSH_LOGIN_ACTION_SEND);
  g_assert_true (bosh_test_give_element (login, "<iq type='result' id='bosh-login-bind'>"
                                      BIND ("<jid>" JID "</jid>") "</iq>"));
  bosh_test_assert_ready (login, JID);
}

static void
test_resources (void)
{
  BoshLoginParameters parameters = bosh_test_login_parameters;
  const char *no_resource[] = { NULL, "" };

  g_test_summary ("Without a resource the server makes one (RFC 6120 §7.6)");

  for (guint i = 0; i < G_N_ELEMENTS (no_resource); i++)
    {
      g_autoptr(BoshLogin) login = NULL;

      parameters.resource = no_resource[i];
      login = new_authenticated (&parameters);
      bosh_test_assert_sent (login, BIND_SET (""));
    }

  {
    g_autoptr(BoshLogin) login = NULL;

    parameters.resource = "<&'\"> \xf0\x9f\x98\x80";
    login = new_authenticated (&parameters);
    bosh_test_assert_sent (login, BIND_SET ("<resource>&lt;&amp;'\"&gt; \xf0\x9f\x98\x80</resource>"));
  }
}

static void
test_bad_resource (void)
{
  static const char * const resources[] = { "lap\x01top", "lap\xfftop" };
  BoshLoginParameters parameters = bosh_test_login_parameters;

  g_test_summary ("A resource that XML can't hold fails before the password "
                  "is sent");

  for (guint i = 0; i < G_N_ELEMENTS (resources); i++)
    {
      g_autoptr(BoshLogin) login = NULL;

      parameters.resource = resources[i];
      login = bosh_login_new (&parameters);
      bosh_test_give_features (login, OFFER ("PLAIN"));
      bosh_test_assert_failed (login, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED, "resource");
    }
}

static void
test_plaintext (void)
{
  BoshLoginParameters parameters = bosh_test_login_parameters;
  g_autoptr(BoshLogin) login = NULL;
  g_autoptr(BoshLogin) again = NULL;

  g_test_summary ("Where the password must not be shown PLAIN is not used "
                  "(RFC 6120 §13.8.1), and another login may follow in the "
                  "same session");

  parameters.allow_plaintext = FALSE;
  login = bosh_login_new (&parameters);
  bosh_test_give_features (login, OFFER ("PLAIN"));
  bosh_test_assert_failed (login, BOSH_ERROR, BOSH_ERROR_INSECURE_MECHANISM, "PLAIN");
  g_assert_null (bosh_login_get_mechanism (login));

  again = bosh_login_new (&bosh_test_login_parameters);
  bosh_test_give_features (again, OFFER ("PLAIN"));
  bosh_test_assert_sent (again, PLAIN_AUTH);
}

static void
test_external_without_id (void)
{
  BoshLoginParameters parameters = bosh_test_login_parameters;
  g_autoptr(BoshLogin) login = NULL;

  g_test_summary ("The server takes the identity from the certificate where "
                  "none is given (RFC 6120 §6.4.2)");

  parameters.credentials = BOSH_SASL_CREDENTIALS_EXTERNAL;
  parameters.username = NULL;
  parameters.password = NULL;
  login = bosh_login_new (&parameters);
  bosh_test_give_features (login, OFFER ("EXTERNAL"));
  bosh_test_assert_sent (login, AUTH ("EXTERNAL", "="));
}

static void
test_many_mechanisms (void)
{
  g_test_summary ("The number of mechanisms that are looked at is bounded");

  bosh_test_bounds_mechanisms ("<features xmlns='" BOSH_NS_STREAMS "'>"
                               "<mechanisms xmlns='" BOSH_NS_SASL "'>",
                               "</mechanisms></features>");
}

typedef struct
{
  BoshLogin          *login;
  BoshTestSaslServer *server;
} ScramFixture;

/* What the client sends next, as base64. */
static char *
take_sasl_text (BoshLogin  *login,
                const char *name)
{
  g_auto(BoshLoginAction) action = { 0 };

  bosh_test_take_action (login, BOSH_LOGIN_ACTION_SEND, &action);
  g_assert_true (bosh_element_matches (action.element, name, BOSH_NS_SASL));

  return bosh_element_dup_text (action.element);
}

static void
set_up_scram (ScramFixture  *fixture,
              gconstpointer  data)
{
  const char *mechanism = data;
  BoshLoginParameters parameters = bosh_test_login_parameters;
  g_autofree char *features = g_strdup_printf (OFFER ("%s"), mechanism);

  fixture->server = bosh_test_sasl_server_new (mechanism, NULL);

  parameters.allow_plaintext = FALSE;
  fixture->login = bosh_login_new (&parameters);
  bosh_test_give_features (fixture->login, features);
  g_assert_cmpstr (bosh_login_get_mechanism (fixture->login), ==, mechanism);
}

static void
tear_down_scram (ScramFixture  *fixture,
                 gconstpointer  data)
{
  bosh_login_free (fixture->login);
  bosh_test_sasl_server_free (fixture->server);
}

static void
give_sasl (BoshLogin  *login,
           const char *name,
           const char *text)
{
  g_autoptr(BoshElement) element = bosh_element_new (name, BOSH_NS_SASL);

  if (text != NULL)
    bosh_element_set_text (element, text);
  g_assert_true (bosh_login_handle_element (login, element));
}

static gpointer
compute_thread (gpointer data)
{
  bosh_login_compute (data);

  return NULL;
}

/* Up to the proof; gives the server's last message. */
static char *
prove (ScramFixture *fixture)
{
  g_autofree char *client_first = take_sasl_text (fixture->login, "auth");
  g_autofree char *server_first =
    bosh_test_sasl_server_step (fixture->server, client_first, GSASL_NEEDS_MORE);
  g_autofree char *proof = NULL;
  g_autoptr(GThread) thread = NULL;

  give_sasl (fixture->login, "challenge", server_first);
  bosh_test_assert_action (fixture->login, BOSH_LOGIN_ACTION_COMPUTE);
  bosh_test_assert_no_action (fixture->login);

  thread = g_thread_new ("compute", compute_thread, fixture->login);
  g_thread_join (g_steal_pointer (&thread));
  bosh_test_assert_no_action (fixture->login);
  bosh_login_handle_computed (fixture->login);
  proof = take_sasl_text (fixture->login, "response");

  return bosh_test_sasl_server_step (fixture->server, proof, GSASL_OK);
}

static void
finish_login (BoshLogin *login)
{
  bosh_test_assert_action (login, BOSH_LOGIN_ACTION_RESTART);
  bosh_test_give_features (login, FEATURES (BIND ("")));
  bosh_test_assert_action (login, BOSH_LOGIN_ACTION_SEND);
  g_assert_true (bosh_test_give_element (login, BIND_RESULT (JID)));
  bosh_test_assert_ready (login, JID);
  bosh_test_assert_no_action (login);
}

static void
test_scram_success (ScramFixture  *fixture,
                    gconstpointer  data)
{
  g_autofree char *server_final = prove (fixture);

  g_test_summary ("The signature of the server comes with the success "
                  "(RFC 6120 §6.4.6), the proof from another thread");

  give_sasl (fixture->login, "success", server_final);
  finish_login (fixture->login);
}

static void
test_scram_extra_challenge (ScramFixture  *fixture,
                            gconstpointer  data)
{
  g_autofree char *server_final = prove (fixture);

  g_test_summary ("The signature of the server comes in a challenge: that is "
                  "fast, and the response empty (RFC 5802 §9)");

  give_sasl (fixture->login, "challenge", server_final);
  bosh_test_assert_sent (fixture->login, SASL ("response", ""));
  give_sasl (fixture->login, "success", NULL);
  finish_login (fixture->login);
}

static void
test_scram_wrong_signature (ScramFixture  *fixture,
                            gconstpointer  data)
{
  g_autofree char *server_final = prove (fixture);

  g_test_summary ("A server without the right signature is not believed "
                  "(RFC 5802 §9)");

  server_final[8] = server_final[8] == 'A' ? 'B' : 'A';
  give_sasl (fixture->login, "success", server_final);
  bosh_test_assert_failed (fixture->login, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC, NULL);
}

static void
test_scram_wrong_signature_challenge (ScramFixture  *fixture,
                                      gconstpointer  data)
{
  g_autofree char *server_final = prove (fixture);

  g_test_summary ("Nor when the signature comes in a challenge: that exchange "
                  "is aborted");

  server_final[8] = server_final[8] == 'A' ? 'B' : 'A';
  give_sasl (fixture->login, "challenge", server_final);
  bosh_test_assert_sent (fixture->login, SASL ("abort", ""));
  bosh_test_assert_failed (fixture->login, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC, NULL);
}

static void
test_scram_no_signature (ScramFixture  *fixture,
                         gconstpointer  data)
{
  g_autofree char *server_final = prove (fixture);

  g_test_summary ("Nor a server without any");

  give_sasl (fixture->login, "success", NULL);
  bosh_test_assert_failed (fixture->login, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC, NULL);
}

static void
test_scram_early_success (ScramFixture  *fixture,
                          gconstpointer  data)
{
  g_autofree char *client_first = take_sasl_text (fixture->login, "auth");

  g_test_summary ("Nor one that wants no proof of us");

  give_sasl (fixture->login, "success", NULL);
  bosh_test_assert_failed (fixture->login, BOSH_ERROR, BOSH_ERROR_SERVER_NOT_AUTHENTIC, NULL);
}

static void
test_scram_refused (ScramFixture  *fixture,
                    gconstpointer  data)
{
  g_autofree char *server_final = prove (fixture);

  g_test_summary ("A wrong password is told by the server (RFC 6120 §6.5.10)");

  g_assert_true (bosh_test_give_element (fixture->login, SASL ("failure", "<not-authorized/>")));
  bosh_test_assert_failed (fixture->login, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED, NULL);
}

static void
test_scram_iterations (ScramFixture  *fixture,
                       gconstpointer  data)
{
  g_autofree char *client_first = take_sasl_text (fixture->login, "auth");
  g_autofree char *challenge = NULL;

  g_test_summary ("An iteration count that is refused aborts the exchange "
                  "(RFC 6120 §6.4.4)");

  challenge = g_base64_encode ((const guchar *)"r=x,s=QUJD,i=1000001", 20);
  give_sasl (fixture->login, "challenge", challenge);
  bosh_test_assert_action (fixture->login, BOSH_LOGIN_ACTION_COMPUTE);
  bosh_login_compute (fixture->login);
  bosh_login_handle_computed (fixture->login);
  bosh_test_assert_sent (fixture->login, SASL ("abort", ""));
  bosh_test_assert_failed (fixture->login, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED, "iterations");

  g_assert_true (bosh_test_give_element (fixture->login, SASL ("failure", "<aborted/>")));
  bosh_test_assert_no_action (fixture->login);
}

static void
test_scram_computing (ScramFixture  *fixture,
                      gconstpointer  data)
{
  g_autofree char *client_first = take_sasl_text (fixture->login, "auth");
  g_autofree char *server_first =
    bosh_test_sasl_server_step (fixture->server, client_first, GSASL_NEEDS_MORE);
  GThread *thread;

  g_test_summary ("The server may lose patience while we compute");

  give_sasl (fixture->login, "challenge", server_first);
  bosh_test_assert_action (fixture->login, BOSH_LOGIN_ACTION_COMPUTE);
  thread = g_thread_new ("compute", compute_thread, fixture->login);

  bosh_test_give_features (fixture->login, OFFER ("PLAIN"));
  g_assert_false (bosh_test_give_element (fixture->login, "<message xmlns='jabber:client'/>"));
  bosh_test_assert_no_action (fixture->login);
  g_assert_true (bosh_test_give_element (fixture->login, SASL ("failure", "<temporary-auth-failure/>")));
  bosh_test_assert_failed (fixture->login, BOSH_SASL_ERROR, BOSH_SASL_ERROR_TEMPORARY_AUTH_FAILURE, NULL);

  g_thread_join (thread);
  bosh_login_handle_computed (fixture->login);
  bosh_test_assert_no_action (fixture->login);
}

static void
test_scram_computing_challenged (ScramFixture  *fixture,
                                 gconstpointer  data)
{
  g_autofree char *client_first = take_sasl_text (fixture->login, "auth");
  g_autofree char *server_first =
    bosh_test_sasl_server_step (fixture->server, client_first, GSASL_NEEDS_MORE);

  g_test_summary ("A second challenge before the response to the first is refused");

  give_sasl (fixture->login, "challenge", server_first);
  bosh_test_assert_action (fixture->login, BOSH_LOGIN_ACTION_COMPUTE);
  give_sasl (fixture->login, "challenge", server_first);
  bosh_test_assert_sent (fixture->login, SASL ("abort", ""));
  bosh_test_assert_failed (fixture->login, BOSH_ERROR, BOSH_ERROR_LOGIN_FAILED, "where none belongs");

  bosh_login_compute (fixture->login);
  bosh_login_handle_computed (fixture->login);
  bosh_test_assert_no_action (fixture->login);
}

static void
test_free (void)
{
  g_test_summary ("A login may be dropped at any point, with actions left or "
                  "a computation that was never begun");

  for (guint n_inputs = 0; n_inputs < 4; n_inputs++)
    {
      g_autoptr(BoshLogin) login = bosh_login_new (&bosh_test_login_parameters);

      if (n_inputs > 0)
        bosh_test_give_features (login, OFFER ("SCRAM-SHA-256"));
      if (n_inputs > 1)
        give_sasl (login, "challenge", "cj14");
      if (n_inputs > 2)
        give_sasl (login, "failure", NULL);
    }
}

static void
add_scram_tests (void)
{
  static const char * const mechanisms[] = { "SCRAM-SHA-1", "SCRAM-SHA-256" };
  static const struct
  {
    const char *name;
    void      (*function) (ScramFixture *, gconstpointer);
  } tests[] = {
    { "success", test_scram_success },
    { "extra-challenge", test_scram_extra_challenge },
    { "wrong-signature", test_scram_wrong_signature },
    { "wrong-signature-challenge", test_scram_wrong_signature_challenge },
    { "no-signature", test_scram_no_signature },
    { "early-success", test_scram_early_success },
    { "refused", test_scram_refused },
    { "iterations", test_scram_iterations },
    { "computing", test_scram_computing },
    { "computing-challenged", test_scram_computing_challenged },
  };

  for (guint i = 0; i < G_N_ELEMENTS (mechanisms); i++)
    {
      g_autofree char *lower = g_ascii_strdown (mechanisms[i], -1);

      for (guint j = 0; j < G_N_ELEMENTS (tests); j++)
        {
          g_autofree char *path = g_strdup_printf ("/bosh/login/%s/%s", lower, tests[j].name);

          g_test_add (path, ScramFixture, mechanisms[i], set_up_scram,
                      tests[j].function, tear_down_scram);
        }
    }
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  bosh_test_add_transcripts ("login/transcript", transcripts, G_N_ELEMENTS (transcripts));
  g_test_add_func ("/bosh/login/failures", test_failures);
  g_test_add_func ("/bosh/login/jids", test_jids);
  g_test_add_func ("/bosh/login/bind-without-jid", test_bind_without_jid);
  g_test_add_func ("/bosh/login/bind-from", test_bind_from);
  g_test_add_func ("/bosh/login/bind-without-namespace", test_bind_without_namespace);
  g_test_add_func ("/bosh/login/resources", test_resources);
  g_test_add_func ("/bosh/login/bad-resource", test_bad_resource);
  g_test_add_func ("/bosh/login/plaintext", test_plaintext);
  g_test_add_func ("/bosh/login/external-without-id", test_external_without_id);
  g_test_add_func ("/bosh/login/many-mechanisms", test_many_mechanisms);
  g_test_add_func ("/bosh/login/free", test_free);
  add_scram_tests ();

  return g_test_run ();
}
