/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What XEP-0206 says of a login beyond RFC 6120. */

#include "config.h"

#include <string.h>

#include "bosh-error.h"
#include "bosh-login-private.h"
#include "bosh-namespaces-private.h"

#define FEATURES(content) "<features xmlns='" BOSH_NS_STREAMS "'>" content "</features>"
#define PLAIN \
  "<mechanisms xmlns='" BOSH_NS_SASL "'><mechanism>PLAIN</mechanism></mechanisms>"
#define BIND "<bind xmlns='" BOSH_NS_BIND "'/>"
#define COMPRESSION \
  "<compression xmlns='http://jabber.org/features/compress'><method>zlib</method></compression>"
#define RESUMPTION "<sm xmlns='urn:xmpp:sm:3'><required/></sm>"
#define OLD_AUTH "<auth xmlns='http://jabber.org/features/iq-auth'/>"

static BoshLogin *
new_login (void)
{
  static const BoshLoginParameters parameters = {
    .domain = "example.com",
    .credentials = BOSH_SASL_CREDENTIALS_PASSWORD,
    .username = "user",
    .password = "pencil",
    .allow_plaintext = TRUE,
  };

  return bosh_login_new (&parameters);
}

static BoshElement *
parse (const char *text)
{
  g_autoptr(GError) error = NULL;
  BoshElement *element = bosh_element_new_from_string (text, &error);

  g_assert_no_error (error);

  return element;
}

static void
give_features (BoshLogin  *login,
               const char *text)
{
  g_autoptr(BoshElement) element = parse (text);

  bosh_login_handle_features (login, element);
}

static void
give_element (BoshLogin  *login,
              const char *text)
{
  g_autoptr(BoshElement) element = parse (text);

  g_assert_true (bosh_login_handle_element (login, element));
}

/* All that the login does now: names of elements and their namespaces, and what
 * else, in words. */
static void
assert_actions (BoshLogin  *login,
                const char *expected)
{
  g_autoptr(GString) words = g_string_new (NULL);
  BoshLoginAction action = { 0 };

  while (bosh_login_next_action (login, &action))
    {
      static const char *names[] = { "send", "compute", "restart", "ready", "failed" };

      g_string_append_printf (words, "%s%s", words->len > 0 ? " " : "", names[action.type]);
      if (action.element != NULL)
        {
          BoshElement *child = bosh_element_get_nth_child (action.element, 0);

          g_string_append_printf (words, " %s", bosh_element_get_name (action.element));
          if (child != NULL)
            g_string_append_printf (words, "/%s", bosh_element_get_name (child));
        }
      g_clear_pointer (&action.element, bosh_element_unref);
      g_clear_pointer (&action.jid, g_free);
      g_clear_error (&action.error);
    }
  g_assert_cmpstr (words->str, ==, expected);
}

static void
test_features_to_ignore (void)
{
  static const char *first[] = {
    FEATURES (PLAIN),
    FEATURES ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" PLAIN),
    FEATURES ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>" PLAIN),
    FEATURES (PLAIN COMPRESSION),
    FEATURES (OLD_AUTH PLAIN RESUMPTION),
  };
  static const char *second[] = {
    FEATURES (BIND),
    FEATURES ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>" BIND),
    FEATURES (COMPRESSION BIND),
    FEATURES (RESUMPTION BIND),
    FEATURES (PLAIN OLD_AUTH BIND),
  };

  g_test_summary ("R106, R112, R113, R115: TLS, compression and resumption inside the session, and "
                  "authentication of old, are left alone");

  for (gsize i = 0; i < G_N_ELEMENTS (first); i++)
    {
      g_autoptr(BoshLogin) login = new_login ();

      give_features (login, first[i]);
      assert_actions (login, "send auth");
      give_element (login, "<success xmlns='" BOSH_NS_SASL "'/>");
      assert_actions (login, "restart");
      give_features (login, second[i]);
      assert_actions (login, "send iq/bind");
      give_element (login, "<iq xmlns='jabber:client' type='result' id='bosh-login-bind'>"
                           "<bind xmlns='" BOSH_NS_BIND "'><jid>user@example.com/a</jid></bind>"
                           "</iq>");
      assert_actions (login, "ready");
    }
}

static void
test_only_old_authentication (void)
{
  g_autoptr(BoshLogin) login = new_login ();

  g_test_summary ("R115: a server that has only the authentication of old gets no password");

  give_features (login, FEATURES (OLD_AUTH));
  assert_actions (login, "failed");
}

static void
test_features_again (void)
{
  g_autoptr(BoshLogin) login = new_login ();

  g_test_summary ("R116, R122: after success comes the restart; to bind waits for the features that "
                  "follow it");

  give_features (login, FEATURES (PLAIN BIND));
  assert_actions (login, "send auth");
  /* What was said before counts no more. */
  give_element (login, "<success xmlns='" BOSH_NS_SASL "'/>");
  assert_actions (login, "restart");
  assert_actions (login, "");
  give_features (login, FEATURES (BIND));
  assert_actions (login, "send iq/bind");
}

#define MECHANISM(name) "<mechanism>" name "</mechanism>"
#define MECHANISMS(names) FEATURES ("<mechanisms xmlns='" BOSH_NS_SASL "'>" names "</mechanisms>")

static void
test_never_weaker (void)
{
  static const struct
  {
    const char *weakest;
    const char *features;
    const char *chosen;    /* NULL: none */
    int         code;
  } cases[] = {
    { NULL, MECHANISMS (MECHANISM ("PLAIN")), "PLAIN", 0 },
    { "PLAIN", MECHANISMS (MECHANISM ("PLAIN")), "PLAIN", 0 },
    { "PLAIN", MECHANISMS (MECHANISM ("SCRAM-SHA-1")), "SCRAM-SHA-1", 0 },
    { "SCRAM-SHA-1", MECHANISMS (MECHANISM ("PLAIN") MECHANISM ("SCRAM-SHA-256")),
      "SCRAM-SHA-256", 0 },
    { "SCRAM-SHA-1", MECHANISMS (MECHANISM ("PLAIN") MECHANISM ("SCRAM-SHA-1")), "SCRAM-SHA-1", 0 },
    { "SCRAM-SHA-1", MECHANISMS (MECHANISM ("PLAIN")), NULL, BOSH_ERROR_INSECURE_MECHANISM },
    { "SCRAM-SHA-256", MECHANISMS (MECHANISM ("PLAIN") MECHANISM ("SCRAM-SHA-1")), NULL,
      BOSH_ERROR_INSECURE_MECHANISM },
    /* Both lists count. */
    { "SCRAM-SHA-1", FEATURES (PLAIN "<authentication xmlns='" BOSH_NS_SASL2 "'>"
                                     MECHANISM ("PLAIN") "</authentication>"),
      NULL, BOSH_ERROR_INSECURE_MECHANISM },
    { "SCRAM-SHA-1", MECHANISMS (MECHANISM ("X-OTHER")), NULL, BOSH_ERROR_NO_MECHANISM },
    { "SCRAM-SHA-1", FEATURES (BIND), NULL, BOSH_ERROR_NO_MECHANISM },
  };

  g_test_summary ("A login that follows another one never uses a weaker mechanism");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      BoshLoginParameters parameters = {
        .domain = "example.com",
        .credentials = BOSH_SASL_CREDENTIALS_PASSWORD,
        .username = "user",
        .password = "pencil",
        .weakest = cases[i].weakest,
        .allow_plaintext = TRUE,
      };
      g_autoptr(BoshLogin) login = bosh_login_new (&parameters);
      BoshLoginAction action = { 0 };

      give_features (login, cases[i].features);
      g_assert_true (bosh_login_next_action (login, &action));
      g_assert_cmpstr (bosh_login_get_mechanism (login), ==, cases[i].chosen);
      if (cases[i].chosen != NULL)
        g_assert_cmpint (action.type, ==, BOSH_LOGIN_ACTION_SEND);
      else
        g_assert_error (action.error, BOSH_ERROR, cases[i].code);
      g_clear_pointer (&action.element, bosh_element_unref);
      g_clear_error (&action.error);
    }
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/login-rules/features-to-ignore", test_features_to_ignore);
  g_test_add_func ("/bosh/login-rules/only-old-authentication", test_only_old_authentication);
  g_test_add_func ("/bosh/login-rules/features-again", test_features_again);
  g_test_add_func ("/bosh/login-rules/never-weaker", test_never_weaker);

  return g_test_run ();
}
