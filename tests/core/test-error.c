/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-error-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-stanza-private.h"

#include <string.h>

static void
check_message (const GError *error)
{
  gsize length = strlen (error->message);

  g_assert_cmpuint (length, >, 0);
  g_assert_cmpint (error->message[length - 1], !=, '.');
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static const struct
{
  const char *condition;
  BoshError   code;
} terminal_conditions[] = {
  { "bad-request", BOSH_ERROR_BAD_REQUEST },
  { "host-gone", BOSH_ERROR_HOST_GONE },
  { "host-unknown", BOSH_ERROR_HOST_UNKNOWN },
  { "improper-addressing", BOSH_ERROR_IMPROPER_ADDRESSING },
  { "internal-server-error", BOSH_ERROR_INTERNAL_SERVER_ERROR },
  { "item-not-found", BOSH_ERROR_ITEM_NOT_FOUND },
  { "other-request", BOSH_ERROR_OTHER_REQUEST },
  { "policy-violation", BOSH_ERROR_POLICY_VIOLATION },
  { "remote-connection-failed", BOSH_ERROR_REMOTE_CONNECTION_FAILED },
  { "remote-stream-error", BOSH_ERROR_REMOTE_STREAM_ERROR },
  { "see-other-uri", BOSH_ERROR_SEE_OTHER_URI },
  { "system-shutdown", BOSH_ERROR_SYSTEM_SHUTDOWN },
  { "undefined-condition", BOSH_ERROR_UNDEFINED_CONDITION },
};

static void
test_terminal_conditions (void)
{
  g_autoptr(GHashTable) messages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  g_test_summary ("Each of the 13 terminal conditions has an error code (XEP-0124 §17.2)");

  g_assert_cmpuint (G_N_ELEMENTS (terminal_conditions), ==, 13);
  for (gsize i = 0; i < G_N_ELEMENTS (terminal_conditions); i++)
    {
      const char *condition = terminal_conditions[i].condition;
      g_autoptr(GError) error = bosh_error_new_for_condition (condition, NULL);
      g_autoptr(GError) detailed = bosh_error_new_for_condition (condition, "see there");
      g_autofree char *expected = g_strdup_printf ("%s: see there", error->message);

      g_assert_error (error, BOSH_ERROR, (int)terminal_conditions[i].code);
      check_message (error);
      g_assert_true (g_hash_table_add (messages, g_strdup (error->message)));

      g_assert_error (detailed, BOSH_ERROR, (int)terminal_conditions[i].code);
      g_assert_cmpstr (detailed->message, ==, expected);
    }
}

static void
test_no_condition (void)
{
  g_autoptr(GError) error = bosh_error_new_for_condition (NULL, NULL);
  g_autoptr(GError) empty = bosh_error_new_for_condition ("", " ");
  g_autoptr(GError) detailed = bosh_error_new_for_condition (NULL, "bye");

  g_test_summary ("A session can end without a condition (XEP-0124 §13)");

  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TERMINATED);
  check_message (error);
  g_assert_error (empty, BOSH_ERROR, BOSH_ERROR_TERMINATED);
  g_assert_cmpstr (empty->message, ==, error->message);
  g_assert_error (detailed, BOSH_ERROR, BOSH_ERROR_TERMINATED);
  g_assert_true (g_str_has_suffix (detailed->message, ": bye"));
}

static void
test_unknown_condition (void)
{
  static const char *conditions[] = { "gone-fishing", "Bad-Request", "bad-request ", "100%s%n" };
  g_autofree char *large = g_strnfill (1024 * 1024, 'x');
  g_autoptr(GError) blank = bosh_error_new_for_condition ("\t", NULL);
  g_autoptr(GError) long_error = NULL;

  g_test_summary ("An unknown condition is named, but not at any length (XEP-0124 §17.2)");

  for (gsize i = 0; i < G_N_ELEMENTS (conditions); i++)
    {
      g_autoptr(GError) error = bosh_error_new_for_condition (conditions[i], NULL);
      g_autofree char *name = g_strstrip (g_strdup (conditions[i]));

      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_UNKNOWN_CONDITION);
      check_message (error);
      g_assert_nonnull (strstr (error->message, name));
    }

  g_assert_error (blank, BOSH_ERROR, BOSH_ERROR_UNKNOWN_CONDITION);
  check_message (blank);

  long_error = bosh_error_new_for_condition (large, large);
  g_assert_error (long_error, BOSH_ERROR, BOSH_ERROR_UNKNOWN_CONDITION);
  check_message (long_error);
  g_assert_cmpuint (strlen (long_error->message), <, 600);
}

static void
test_clean_text (void)
{
  static const struct
  {
    const char *text;
    gssize      length;
    const char *clean;
  } cases[] = {
    { "", -1, NULL },
    { " \t\r\n", -1, NULL },
    { "\001\002", -1, NULL },
    { "plain", -1, "plain" },
    { "plain", 3, "pla" },
    { "plain", 0, NULL },
    { "  one\n\ttwo \001 three\n", -1, "one two three" },
    { "\033[31mred\033[0m", -1, "[31mred [0m" },
    { "\303\244\360\237\230\200", -1, "\303\244\360\237\230\200" },
    { "a\377b", -1, "a\357\277\275b" },
    /* RIGHT-TO-LEFT OVERRIDE would turn the rest of the message around. */
    { "a\342\200\256b", -1, "a b" },
    { "a\0b", 3, "a\357\277\275b" },
  };
  g_autofree char *fitting = g_strnfill (BOSH_ERROR_MAX_TEXT, 'x');
  g_autofree char *longer = g_strnfill (BOSH_ERROR_MAX_TEXT + 1, 'x');
  g_autofree char *cut = g_strdup_printf ("%s…", fitting);
  g_autofree char *spaced = g_strdup_printf ("%s \n ", fitting);
  g_autofree char *clean_fitting = bosh_error_clean_text (fitting, -1);
  g_autofree char *clean_longer = bosh_error_clean_text (longer, -1);
  g_autofree char *clean_spaced = bosh_error_clean_text (spaced, -1);
  g_autoptr(GString) wide = g_string_new (NULL);
  g_autofree char *clean_wide = NULL;

  g_test_summary ("Text of a peer is fit for a message: one line, printable, of bounded length");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *clean = bosh_error_clean_text (cases[i].text, cases[i].length);

      g_assert_cmpstr (clean, ==, cases[i].clean);
    }

  g_assert_cmpstr (clean_fitting, ==, fitting);
  g_assert_cmpstr (clean_longer, ==, cut);
  g_assert_cmpstr (clean_spaced, ==, fitting);

  for (guint i = 0; i < 1000; i++)
    g_string_append (wide, "\360\237\230\200");
  clean_wide = bosh_error_clean_text (wide->str, -1);
  g_assert_true (g_utf8_validate (clean_wide, -1, NULL));
  g_assert_cmpint (g_utf8_strlen (clean_wide, -1), ==, BOSH_ERROR_MAX_TEXT + 1);
}

static GError *
sasl_error (const char *contents)
{
  g_autofree char *xml =
    g_strdup_printf ("<failure xmlns='" BOSH_NS_SASL "'>%s</failure>", contents);
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) failure = bosh_element_new_from_string (xml, &error);

  g_assert_no_error (error);

  return bosh_sasl_error_new_for_failure (failure);
}

static void
test_sasl_conditions (void)
{
  static const struct
  {
    const char    *condition;
    BoshSaslError  code;
  } cases[] = {
    { "aborted", BOSH_SASL_ERROR_ABORTED },
    { "account-disabled", BOSH_SASL_ERROR_ACCOUNT_DISABLED },
    { "credentials-expired", BOSH_SASL_ERROR_CREDENTIALS_EXPIRED },
    { "encryption-required", BOSH_SASL_ERROR_ENCRYPTION_REQUIRED },
    { "incorrect-encoding", BOSH_SASL_ERROR_INCORRECT_ENCODING },
    { "invalid-authzid", BOSH_SASL_ERROR_INVALID_AUTHZID },
    { "invalid-mechanism", BOSH_SASL_ERROR_INVALID_MECHANISM },
    { "malformed-request", BOSH_SASL_ERROR_MALFORMED_REQUEST },
    { "mechanism-too-weak", BOSH_SASL_ERROR_MECHANISM_TOO_WEAK },
    { "not-authorized", BOSH_SASL_ERROR_NOT_AUTHORIZED },
    { "temporary-auth-failure", BOSH_SASL_ERROR_TEMPORARY_AUTH_FAILURE },
  };

  g_test_summary ("Each SASL condition has an error code (RFC 6120 §6.5)");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *contents = g_strdup_printf ("<%s/>", cases[i].condition);
      g_autofree char *with_text =
        g_strdup_printf ("<text xml:lang='en'>Sorry\n&lt;you&gt;</text><%s/>", cases[i].condition);
      g_autoptr(GError) error = sasl_error (contents);
      g_autoptr(GError) detailed = sasl_error (with_text);
      g_autofree char *expected = g_strdup_printf ("%s: Sorry <you>", error->message);

      g_assert_error (error, BOSH_SASL_ERROR, (int)cases[i].code);
      check_message (error);
      g_assert_error (detailed, BOSH_SASL_ERROR, (int)cases[i].code);
      g_assert_cmpstr (detailed->message, ==, expected);
    }
}

static void
test_sasl_unknown (void)
{
  g_autoptr(GError) empty = sasl_error ("");
  g_autoptr(GError) text = sasl_error ("<text>why</text>");
  g_autoptr(GError) foreign = sasl_error ("<not-authorized xmlns='urn:other'/>");
  g_autoptr(GError) unknown = sasl_error ("<bad-moon/><not-authorized/>");
  g_autoptr(GError) behind = sasl_error ("<x xmlns='urn:other'/><not-authorized/>");
  g_autofree char *expected = g_strdup_printf ("%s: why", empty->message);

  g_assert_error (empty, BOSH_SASL_ERROR, BOSH_SASL_ERROR_UNKNOWN);
  check_message (empty);
  g_assert_error (text, BOSH_SASL_ERROR, BOSH_SASL_ERROR_UNKNOWN);
  g_assert_cmpstr (text->message, ==, expected);
  g_assert_error (foreign, BOSH_SASL_ERROR, BOSH_SASL_ERROR_UNKNOWN);
  g_assert_error (unknown, BOSH_SASL_ERROR, BOSH_SASL_ERROR_UNKNOWN);
  g_assert_nonnull (strstr (unknown->message, "bad-moon"));
  g_assert_error (behind, BOSH_SASL_ERROR, BOSH_SASL_ERROR_NOT_AUTHORIZED);
}

/* RFC 6120 §8.3.3. */
static const struct
{
  BoshStanzaError  code;
  const char      *condition;
  const char      *type;
} stanza_conditions[] = {
  { BOSH_STANZA_ERROR_BAD_REQUEST, "bad-request", "modify" },
  { BOSH_STANZA_ERROR_CONFLICT, "conflict", "cancel" },
  { BOSH_STANZA_ERROR_FEATURE_NOT_IMPLEMENTED, "feature-not-implemented", "cancel" },
  { BOSH_STANZA_ERROR_FORBIDDEN, "forbidden", "auth" },
  { BOSH_STANZA_ERROR_GONE, "gone", "cancel" },
  { BOSH_STANZA_ERROR_INTERNAL_SERVER_ERROR, "internal-server-error", "cancel" },
  { BOSH_STANZA_ERROR_ITEM_NOT_FOUND, "item-not-found", "cancel" },
  { BOSH_STANZA_ERROR_JID_MALFORMED, "jid-malformed", "modify" },
  { BOSH_STANZA_ERROR_NOT_ACCEPTABLE, "not-acceptable", "modify" },
  { BOSH_STANZA_ERROR_NOT_ALLOWED, "not-allowed", "cancel" },
  { BOSH_STANZA_ERROR_NOT_AUTHORIZED, "not-authorized", "auth" },
  { BOSH_STANZA_ERROR_POLICY_VIOLATION, "policy-violation", "modify" },
  { BOSH_STANZA_ERROR_RECIPIENT_UNAVAILABLE, "recipient-unavailable", "wait" },
  { BOSH_STANZA_ERROR_REDIRECT, "redirect", "modify" },
  { BOSH_STANZA_ERROR_REGISTRATION_REQUIRED, "registration-required", "auth" },
  { BOSH_STANZA_ERROR_REMOTE_SERVER_NOT_FOUND, "remote-server-not-found", "cancel" },
  { BOSH_STANZA_ERROR_REMOTE_SERVER_TIMEOUT, "remote-server-timeout", "wait" },
  { BOSH_STANZA_ERROR_RESOURCE_CONSTRAINT, "resource-constraint", "wait" },
  { BOSH_STANZA_ERROR_SERVICE_UNAVAILABLE, "service-unavailable", "cancel" },
  { BOSH_STANZA_ERROR_SUBSCRIPTION_REQUIRED, "subscription-required", "auth" },
  { BOSH_STANZA_ERROR_UNDEFINED_CONDITION, "undefined-condition", "cancel" },
  { BOSH_STANZA_ERROR_UNEXPECTED_REQUEST, "unexpected-request", "wait" },
};

static GError *
stanza_error (const char *contents)
{
  g_autofree char *xml =
    g_strdup_printf ("<iq xmlns='jabber:client' type='error'>%s</iq>", contents);
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) stanza = bosh_element_new_from_string (xml, &error);

  g_assert_no_error (error);

  return bosh_stanza_error_new_for_stanza (stanza);
}

static void
test_error_of_a_stanza (void)
{
  g_autoptr(BoshElement) message = bosh_element_new_message ("bob@localhost", "chat", "Hello");
  g_autoptr(BoshElement) reply = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("RFC 6120 §8.3: a stanza of type error says why the one with its id failed");

  bosh_element_set_attribute (message, "id", "a1");
  g_assert_null (bosh_element_dup_error (message));
  reply = bosh_element_new_error_reply (message, BOSH_STANZA_ERROR_GONE, "Moved");
  error = bosh_element_dup_error (reply);
  g_assert_error (error, BOSH_STANZA_ERROR, BOSH_STANZA_ERROR_GONE);
  g_assert_cmpstr (error->message, ==, "Moved");
  g_assert_cmpstr (bosh_element_get_attribute (reply, "id"), ==, "a1");
}

static void
test_stanza_conditions (void)
{
  g_test_summary ("Each condition of a stanza error has a code, a name and a type "
                  "(RFC 6120 §8.3.3)");

  for (gsize i = 0; i < G_N_ELEMENTS (stanza_conditions); i++)
    {
      const char *condition = stanza_conditions[i].condition;
      g_autofree char *contents =
        g_strdup_printf ("<error type='x'><%s xmlns='" BOSH_NS_STANZA_ERRORS "'/></error>",
                         condition);
      g_autofree char *with_text =
        g_strdup_printf ("<query xmlns='u'/><error><%s xmlns='" BOSH_NS_STANZA_ERRORS "'/>"
                         "<text xmlns='" BOSH_NS_STANZA_ERRORS "'>No\nway</text>"
                         "<other xmlns='urn:other'/></error>",
                         condition);
      g_autoptr(GError) error = stanza_error (contents);
      g_autoptr(GError) detailed = stanza_error (with_text);
      BoshStanzaError code = stanza_conditions[i].code;

      g_assert_error (error, BOSH_STANZA_ERROR, (int)code);
      check_message (error);
      g_assert_error (detailed, BOSH_STANZA_ERROR, (int)code);
      g_assert_cmpstr (detailed->message, ==, "No way");
      g_assert_cmpstr (bosh_stanza_error_get_condition (code), ==, condition);
      g_assert_cmpstr (bosh_stanza_error_get_type_name (code), ==, stanza_conditions[i].type);
    }

  g_assert_null (bosh_stanza_error_get_condition (BOSH_STANZA_ERROR_UNEXPECTED_REQUEST + 1));
  g_assert_null (bosh_stanza_error_get_type_name (BOSH_STANZA_ERROR_UNEXPECTED_REQUEST + 1));
}

static void
test_stanza_odd (void)
{
  static const char *odd[] = {
    "",
    "<error/>",
    "<error><conflict/></error>",
    "<error><conflict xmlns='urn:other'/></error>",
    "<error><unknown-thing xmlns='" BOSH_NS_STANZA_ERRORS "'/></error>",
    "<error><text xmlns='" BOSH_NS_STANZA_ERRORS "'/></error>",
    "<error><text xmlns='" BOSH_NS_STANZA_ERRORS "'>  </text></error>",
  };
  g_autofree char *text = g_strnfill (100000, 'x');
  g_autofree char *large =
    g_strdup_printf ("<error><text xmlns='" BOSH_NS_STANZA_ERRORS "'>%s</text></error>", text);
  g_autoptr(GError) large_error = stanza_error (large);

  g_test_summary ("An error stanza without a known condition is an undefined condition "
                  "(RFC 6120 §8.3.2)");

  for (gsize i = 0; i < G_N_ELEMENTS (odd); i++)
    {
      g_autoptr(GError) error = stanza_error (odd[i]);

      g_assert_error (error, BOSH_STANZA_ERROR, BOSH_STANZA_ERROR_UNDEFINED_CONDITION);
      check_message (error);
    }

  g_assert_error (large_error, BOSH_STANZA_ERROR, BOSH_STANZA_ERROR_UNDEFINED_CONDITION);
  g_assert_cmpint (g_utf8_strlen (large_error->message, -1), ==, BOSH_ERROR_MAX_TEXT + 1);
}

/* RFC 6120 §4.9.3. */
static const struct
{
  const char      *condition;
  BoshStreamError  code;
} stream_conditions[] = {
  { "bad-format", BOSH_STREAM_ERROR_BAD_FORMAT },
  { "bad-namespace-prefix", BOSH_STREAM_ERROR_BAD_NAMESPACE_PREFIX },
  { "conflict", BOSH_STREAM_ERROR_CONFLICT },
  { "connection-timeout", BOSH_STREAM_ERROR_CONNECTION_TIMEOUT },
  { "host-gone", BOSH_STREAM_ERROR_HOST_GONE },
  { "host-unknown", BOSH_STREAM_ERROR_HOST_UNKNOWN },
  { "improper-addressing", BOSH_STREAM_ERROR_IMPROPER_ADDRESSING },
  { "internal-server-error", BOSH_STREAM_ERROR_INTERNAL_SERVER_ERROR },
  { "invalid-from", BOSH_STREAM_ERROR_INVALID_FROM },
  { "invalid-namespace", BOSH_STREAM_ERROR_INVALID_NAMESPACE },
  { "invalid-xml", BOSH_STREAM_ERROR_INVALID_XML },
  { "not-authorized", BOSH_STREAM_ERROR_NOT_AUTHORIZED },
  { "not-well-formed", BOSH_STREAM_ERROR_NOT_WELL_FORMED },
  { "policy-violation", BOSH_STREAM_ERROR_POLICY_VIOLATION },
  { "remote-connection-failed", BOSH_STREAM_ERROR_REMOTE_CONNECTION_FAILED },
  { "reset", BOSH_STREAM_ERROR_RESET },
  { "resource-constraint", BOSH_STREAM_ERROR_RESOURCE_CONSTRAINT },
  { "restricted-xml", BOSH_STREAM_ERROR_RESTRICTED_XML },
  { "see-other-host", BOSH_STREAM_ERROR_SEE_OTHER_HOST },
  { "system-shutdown", BOSH_STREAM_ERROR_SYSTEM_SHUTDOWN },
  { "undefined-condition", BOSH_STREAM_ERROR_UNDEFINED_CONDITION },
  { "unsupported-encoding", BOSH_STREAM_ERROR_UNSUPPORTED_ENCODING },
  { "unsupported-feature", BOSH_STREAM_ERROR_UNSUPPORTED_FEATURE },
  { "unsupported-stanza-type", BOSH_STREAM_ERROR_UNSUPPORTED_STANZA_TYPE },
  { "unsupported-version", BOSH_STREAM_ERROR_UNSUPPORTED_VERSION },
};

static GError *
stream_error (const char *contents)
{
  g_autofree char *xml =
    g_strdup_printf ("<error xmlns='" BOSH_NS_STREAMS "'>%s</error>", contents);
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) element = bosh_element_new_from_string (xml, &error);

  g_assert_no_error (error);

  return bosh_stream_error_new_for_element (element);
}

static void
test_stream_conditions (void)
{
  g_autoptr(GHashTable) messages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  g_test_summary ("Each condition of a stream error has a code (RFC 6120 §4.9.3)");

  g_assert_cmpuint (G_N_ELEMENTS (stream_conditions), ==, 25);
  for (gsize i = 0; i < G_N_ELEMENTS (stream_conditions); i++)
    {
      const char *condition = stream_conditions[i].condition;
      g_autofree char *contents =
        g_strdup_printf ("<%s xmlns='" BOSH_NS_STREAM_ERRORS "'/>", condition);
      g_autofree char *with_text =
        g_strdup_printf ("<other xmlns='urn:other'/><text xmlns='" BOSH_NS_STREAM_ERRORS "'>No\nway"
                         "</text><%s xmlns='" BOSH_NS_STREAM_ERRORS "'>somewhere</%s>",
                         condition, condition);
      g_autoptr(GError) error = stream_error (contents);
      g_autoptr(GError) detailed = stream_error (with_text);
      g_autofree char *expected = g_strdup_printf ("%s: No way", error->message);

      g_assert_error (error, BOSH_STREAM_ERROR, (int)stream_conditions[i].code);
      check_message (error);
      g_assert_true (g_hash_table_add (messages, g_strdup (error->message)));
      g_assert_error (detailed, BOSH_STREAM_ERROR, (int)stream_conditions[i].code);
      g_assert_cmpstr (detailed->message, ==, expected);
      g_assert_cmpint (bosh_stream_error_get_code (condition), ==, stream_conditions[i].code);
    }
}

static void
test_stream_odd (void)
{
  g_autofree char *text = g_strnfill (100000, 'x');
  g_autofree char *large =
    g_strdup_printf ("<conflict xmlns='" BOSH_NS_STREAM_ERRORS "'/>"
                     "<text xmlns='" BOSH_NS_STREAM_ERRORS "'>%s</text>",
                     text);
  g_autoptr(GError) large_error = stream_error (large);
  g_autoptr(GError) unknown = stream_error ("<bad-moon xmlns='" BOSH_NS_STREAM_ERRORS "'/>");

  g_test_summary ("A condition of a stream error that is not known is an undefined condition, and "
                  "is named (RFC 6120 §4.9.3.21)");

  g_assert_error (unknown, BOSH_STREAM_ERROR, BOSH_STREAM_ERROR_UNDEFINED_CONDITION);
  g_assert_nonnull (strstr (unknown->message, "bad-moon"));
  check_message (unknown);
  g_assert_cmpint (bosh_stream_error_get_code ("bad-moon"), ==, BOSH_STREAM_ERROR_UNDEFINED_CONDITION);

  g_assert_null (stream_error (""));
  g_assert_null (stream_error ("<conflict/>"));
  g_assert_null (stream_error ("<text xmlns='" BOSH_NS_STREAM_ERRORS "'>why</text>"));

  g_assert_error (large_error, BOSH_STREAM_ERROR, BOSH_STREAM_ERROR_CONFLICT);
  g_assert_cmpint (g_utf8_strlen (large_error->message, -1), <, 100 + BOSH_ERROR_MAX_TEXT);
}

static void
test_domains (void)
{
  g_assert_cmpstr (g_quark_to_string (BOSH_ERROR), ==, "bosh-error-quark");
  g_assert_cmpstr (g_quark_to_string (BOSH_SASL_ERROR), ==, "bosh-sasl-error-quark");
  g_assert_cmpstr (g_quark_to_string (BOSH_STANZA_ERROR), ==, "bosh-stanza-error-quark");
  g_assert_cmpstr (g_quark_to_string (BOSH_STREAM_ERROR), ==, "bosh-stream-error-quark");
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/error/terminal-conditions", test_terminal_conditions);
  g_test_add_func ("/bosh/error/no-condition", test_no_condition);
  g_test_add_func ("/bosh/error/unknown-condition", test_unknown_condition);
  g_test_add_func ("/bosh/error/clean-text", test_clean_text);
  g_test_add_func ("/bosh/error/sasl-conditions", test_sasl_conditions);
  g_test_add_func ("/bosh/error/sasl-unknown", test_sasl_unknown);
  g_test_add_func ("/bosh/error/of-a-stanza", test_error_of_a_stanza);
  g_test_add_func ("/bosh/error/stanza-conditions", test_stanza_conditions);
  g_test_add_func ("/bosh/error/stanza-odd", test_stanza_odd);
  g_test_add_func ("/bosh/error/stream-conditions", test_stream_conditions);
  g_test_add_func ("/bosh/error/stream-odd", test_stream_odd);
  g_test_add_func ("/bosh/error/domains", test_domains);

  return g_test_run ();
}
