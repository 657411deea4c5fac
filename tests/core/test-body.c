/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-body-private.h"
#include "bosh-error-private.h"
#include "bosh-limits-private.h"
#include "bosh-namespaces-private.h"

#include <string.h>

#define BODY(attributes, content)                                             \
  "<body xmlns='" BOSH_NS_HTTPBIND "' " attributes ">" content "</body>"

static BoshResponseBody *
parse (const char *text)
{
  g_autoptr(GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr(GError) error = NULL;
  BoshBodyVerdict verdict;
  BoshResponseBody *body = bosh_response_body_new (bytes, &verdict, &error);

  g_assert_no_error (error);
  g_assert_cmpint (verdict, ==, BOSH_BODY_OK);

  return body;
}

static void
test_compose (void)
{
  g_autoptr(GString) payloads = g_string_new ("<message xmlns='jabber:client'/>");
  BoshRequestBody body = {
    .rid = 9007199254740991,
    .sid = "a'<&>\"b",
    .ack = 5,
    .pause = 60,
    .terminate = TRUE,
    .key = "k",
    .new_key = "n",
  };
  g_autoptr(GBytes) bytes = bosh_request_body_compose (&body, payloads);
  g_autoptr(BoshResponseBody) read = NULL;
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  g_test_summary ("R09, R10, R16, R18: a request is one well-formed body, values escaped");

  g_assert_true (g_str_has_prefix (text, "<body xmlns='" BOSH_NS_HTTPBIND "'"));
  read = parse (text);
  g_assert_cmpstr (read->sid, ==, "a'<&>\"b");
  g_assert_cmpstr (bosh_element_get_attribute (read->root, "rid"), ==, "9007199254740991");
  g_assert_cmpstr (bosh_element_get_attribute (read->root, "pause"), ==, "60");
  g_assert_cmpstr (bosh_element_get_attribute (read->root, "key"), ==, "k");
  g_assert_cmpstr (bosh_element_get_attribute (read->root, "newkey"), ==, "n");
  g_assert_cmpint (read->ack, ==, 5);
  g_assert_cmpint (read->type, ==, BOSH_BODY_TERMINATE);
  g_assert_cmpuint (bosh_element_get_n_children (read->root), ==, 1);
}

static void
test_literal_prefix (void)
{
  BoshRequestBody body = { .rid = 1, .sid = "s", .restart = TRUE };
  g_autoptr(GBytes) bytes = bosh_request_body_compose (&body, NULL);
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  g_test_summary ("R107, R117: the prefix xmpp is literal, as ejabberd compares it as text");

  g_assert_nonnull (strstr (text, " xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'"));
  g_assert_true (g_str_has_suffix (text, "/>"));
}

static void
test_numbers (void)
{
  static const struct
  {
    const char *value;
    gint64      expected;
  } cases[] = {
    { "0", 0 },
    { "60", 60 },
    { "007", 7 },
    { "", -1 },
    { "-1", -1 },
    { "+1", -1 },
    { " 1", -1 },
    { "1.5", -1 },
    { "abc", -1 },
    { "60s", -1 },
    { "86401", 86400 },
    { "18446744073709551616", 86400 },
    { "99999999999999999999999999", 86400 },
  };

  g_test_summary ("R33: numbers that are none are as good as absent, and large ones are bounded");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strdup_printf (BODY ("wait='%s'", ""), cases[i].value);
      g_autoptr(BoshResponseBody) body = parse (text);

      g_assert_cmpint (body->wait, ==, cases[i].expected);
      g_assert_cmpint (body->inactivity, ==, -1);
    }
}

static void
test_types (void)
{
  g_autoptr(BoshResponseBody) plain = parse (BODY ("type='unheard-of'", ""));
  g_autoptr(BoshResponseBody) error = parse (BODY ("type='error'", ""));
  g_autoptr(BoshResponseBody) end = parse (BODY ("type='terminate' condition='x'", "<a xmlns='b'/>"));

  g_test_summary ("R88, R94: the type of a body, whatever it contains");

  g_assert_cmpint (plain->type, ==, BOSH_BODY_PLAIN);
  g_assert_cmpint (error->type, ==, BOSH_BODY_ERROR);
  g_assert_cmpint (end->type, ==, BOSH_BODY_TERMINATE);
  g_assert_cmpstr (end->condition, ==, "x");
}

static void
test_verdicts (void)
{
  static const struct
  {
    const char      *text;
    BoshBodyVerdict  verdict;
    int              code;
  } cases[] = {
    { "", BOSH_BODY_FOREIGN, BOSH_ERROR_NOT_BOSH },
    { "plain text", BOSH_BODY_FOREIGN, BOSH_ERROR_NOT_BOSH },
    { "<html/>", BOSH_BODY_FOREIGN, BOSH_ERROR_NOT_BOSH },
    { "<!DOCTYPE html><html/>", BOSH_BODY_FOREIGN, BOSH_ERROR_NOT_BOSH },
    { "<body/>", BOSH_BODY_FOREIGN, BOSH_ERROR_NOT_BOSH },
    { BODY ("", "<!-- -->"), BOSH_BODY_REFUSED, BOSH_ERROR_BAD_XML },
    { BODY ("", "<?a b?>"), BOSH_BODY_REFUSED, BOSH_ERROR_BAD_XML },
    { BODY ("", "&a;"), BOSH_BODY_REFUSED, BOSH_ERROR_BAD_XML },
    { BODY ("", "<a"), BOSH_BODY_REFUSED, BOSH_ERROR_BAD_XML },
    { BODY ("", "<p:a/>"), BOSH_BODY_REFUSED, BOSH_ERROR_BAD_XML },
  };

  g_test_summary ("R09-R15: a web page is distinguished from a bad response of a connection manager");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(GBytes) bytes = g_bytes_new_static (cases[i].text, strlen (cases[i].text));
      g_autoptr(GError) error = NULL;
      BoshBodyVerdict verdict;

      g_assert_null (bosh_response_body_new (bytes, &verdict, &error));
      g_assert_error (error, BOSH_ERROR, cases[i].code);
      g_assert_cmpint (verdict, ==, cases[i].verdict);
    }
}

#define STREAM_ERROR(content) "<error xmlns='" BOSH_NS_STREAMS "'>" content "</error>"
#define CONFLICT "<conflict xmlns='" BOSH_NS_STREAM_ERRORS "'/>"
#define TEXT(text) "<text xmlns='" BOSH_NS_STREAM_ERRORS "'>" text "</text>"

static void
test_detail (void)
{
  static const struct
  {
    const char *attributes;
    const char *content;
    const char *detail;  /* NULL: none */
  } cases[] = {
    { "", "", NULL },
    { "", " \n ", NULL },
    { "", "bye", "bye" },
    { "message='bye'", "text", "bye" },
    { "uri='https://x/'", "", "https://x/" },
    { "message='bye'", "<uri> https://x/ </uri>", "https://x/" },
    { "", STREAM_ERROR (CONFLICT TEXT ("Replaced")), "conflict: Replaced" },
    { "", STREAM_ERROR (CONFLICT TEXT ("")), "conflict" },
    { "", STREAM_ERROR (TEXT ("Replaced")), "Replaced" },
    { "", STREAM_ERROR (""), NULL },
  };
  g_autofree char *long_text = g_strnfill (10000, 'x');
  g_autofree char *long_body = g_strdup_printf (BODY ("message='%s'", ""), long_text);
  g_autoptr(BoshResponseBody) bounded = parse (long_body);
  g_autoptr(BoshResponseBody) plain = parse (BODY ("", ""));
  g_autoptr(GError) bounded_error = bosh_response_body_new_error (bounded);
  g_autoptr(GError) plain_error = bosh_response_body_new_error (plain);

  g_test_summary ("R91, R92, R123: the error has what a terminal body tells besides its condition, "
                  "in bounds");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strdup_printf (BODY ("type='terminate' %s", "%s"),
                                               cases[i].attributes, cases[i].content);
      g_autoptr(BoshResponseBody) body = parse (text);
      g_autoptr(GError) error = bosh_response_body_new_error (body);
      g_autofree char *expected = NULL;

      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TERMINATED);
      if (cases[i].detail == NULL)
        expected = g_strdup (plain_error->message);
      else
        expected = g_strdup_printf ("%s: %s", plain_error->message, cases[i].detail);
      g_assert_cmpstr (error->message, ==, expected);
    }

  g_assert_cmpint (g_utf8_strlen (bounded_error->message, -1), ==,
                   g_utf8_strlen (plain_error->message, -1) + 2 + BOSH_ERROR_MAX_TEXT + 1);
}

static void
test_stream_error (void)
{
  static const struct
  {
    const char *content;
    int         code;    /* -1: REMOTE_STREAM_ERROR */
    const char *detail;  /* NULL: none */
  } cases[] = {
    { STREAM_ERROR (CONFLICT), BOSH_STREAM_ERROR_CONFLICT, NULL },
    { STREAM_ERROR (CONFLICT TEXT (" Re\nplaced ")), BOSH_STREAM_ERROR_CONFLICT, ": Re placed" },
    { STREAM_ERROR (TEXT ("Replaced") CONFLICT), BOSH_STREAM_ERROR_CONFLICT, ": Replaced" },
    { STREAM_ERROR (CONFLICT "<see xmlns='urn:other'/>"), BOSH_STREAM_ERROR_CONFLICT, NULL },
    { STREAM_ERROR ("<odd xmlns='" BOSH_NS_STREAM_ERRORS "'/>" TEXT ("why")),
      BOSH_STREAM_ERROR_UNDEFINED_CONDITION, "“odd”: why" },
    { CONFLICT, BOSH_STREAM_ERROR_CONFLICT, NULL },
    { "<a xmlns='b'/>" CONFLICT TEXT ("Replaced"), BOSH_STREAM_ERROR_CONFLICT, ": Replaced" },
    { STREAM_ERROR ("") CONFLICT, -1, NULL },
    { STREAM_ERROR (TEXT ("why")), -1, ": why" },
    { STREAM_ERROR ("<conflict/>"), -1, NULL },
    { TEXT ("why"), -1, ": why" },
    { "<conflict/>", -1, NULL },
    { "", -1, NULL },
  };
  g_autoptr(BoshResponseBody) other = NULL;
  g_autoptr(GError) other_error = NULL;

  g_test_summary ("R91, R123: a stream error with a condition has an error domain of its own, with "
                  "its element around it and without");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text =
        g_strdup_printf (BODY ("type='terminate' condition='remote-stream-error'", "%s"),
                         cases[i].content);
      g_autoptr(BoshResponseBody) body = parse (text);
      g_autoptr(GError) error = bosh_response_body_new_error (body);

      g_test_message ("%s", text);
      if (cases[i].code >= 0)
        g_assert_error (error, BOSH_STREAM_ERROR, cases[i].code);
      else
        g_assert_error (error, BOSH_ERROR, BOSH_ERROR_REMOTE_STREAM_ERROR);
      if (cases[i].detail == NULL)
        g_assert_null (strchr (error->message, ':'));
      else
        g_assert_true (g_str_has_suffix (error->message, cases[i].detail));
    }

  other = parse (BODY ("type='terminate' condition='host-gone'", STREAM_ERROR (CONFLICT)));
  other_error = bosh_response_body_new_error (other);
  g_assert_error (other_error, BOSH_ERROR, BOSH_ERROR_HOST_GONE);
  g_assert_true (g_str_has_suffix (other_error->message, ": conflict"));
}

static void
test_redact (void)
{
  static const char *secret = BODY ("rid='1'", "<auth xmlns='" BOSH_NS_SASL "' mechanism='PLAIN'>"
                                               "AGFsaWNlAHNlY3JldA==</auth>");
  static const char *open_text = BODY ("rid='1'", "<message xmlns='jabber:client'/>");
  static const char *broken = "<body><auth xmlns='" BOSH_NS_SASL "'>AGFsaWNl";
  static const char nul[] = "<body>\0<auth xmlns='" BOSH_NS_SASL "'>AGFsaWNl</auth></body>";
  g_autoptr(GBytes) secret_bytes = g_bytes_new_static (secret, strlen (secret));
  g_autoptr(GBytes) open_bytes = g_bytes_new_static (open_text, strlen (open_text));
  g_autoptr(GBytes) broken_bytes = g_bytes_new_static (broken, strlen (broken));
  g_autoptr(GBytes) nul_bytes = g_bytes_new_static (nul, sizeof nul - 1);
  g_autofree char *secret_text = bosh_body_redact (secret_bytes);
  g_autofree char *plain_text = bosh_body_redact (open_bytes);
  g_autofree char *broken_text = bosh_body_redact (broken_bytes);
  g_autofree char *nul_text = bosh_body_redact (nul_bytes);
  g_autoptr(GBytes) no_bytes = g_bytes_new (NULL, 0);
  g_autofree char *no_text = bosh_body_redact (no_bytes);

  g_test_summary ("What SASL elements hold is never shown");

  g_assert_null (strstr (secret_text, "AGFs"));
  g_assert_nonnull (strstr (secret_text, "PLAIN"));
  g_assert_cmpstr (plain_text, ==, open_text);
  g_assert_null (strstr (broken_text, "AGFs"));
  g_assert_null (strstr (nul_text, "AGFs"));
  g_assert_cmpstr (no_text, ==, "");
}

static void
test_redact_secret (void)
{
  static const char *text =
    "<body xmlns='" BOSH_NS_HTTPBIND "' sid='a&gt;b'><authenticate xmlns='" BOSH_NS_SASL2
    "' mechanism='PLAIN'><initial-response>AGFsaWNlAHNlY3JldA==</initial-response>"
    "<bind xmlns='" BOSH_NS_BIND2 "'/></authenticate></body>";
  static const char *expected =
    "<body xmlns='" BOSH_NS_HTTPBIND "' sid='a&gt;b'><authenticate xmlns='" BOSH_NS_SASL2
    "' mechanism='PLAIN'><initial-response>[…]</initial-response>"
    "<bind xmlns='" BOSH_NS_BIND2 "'/></authenticate></body>";
  g_autoptr(GBytes) bytes = g_bytes_new_static (text, strlen (text));
  g_autoptr(GBytes) cut = g_bytes_new_static (text, strstr (text, "JldA") - text);
  g_autofree char *shown = bosh_body_redact_secret (bytes);
  g_autofree char *cut_shown = bosh_body_redact_secret (cut);

  g_test_summary ("A request that may have a password is shown with all tags and without text");

  g_assert_cmpstr (shown, ==, expected);
  g_assert_true (g_str_has_suffix (cut_shown, "<initial-response>[…]"));
}

static void
test_redact_sasl2 (void)
{
  static const struct
  {
    const char *content;
    const char *shown;  /* nullable */
  } cases[] = {
    { "<authenticate xmlns='" BOSH_NS_SASL2 "' mechanism='PLAIN'>"
      "<initial-response>AGFsaWNlAHNlY3JldA==</initial-response>"
      "<bind xmlns='" BOSH_NS_BIND2 "'/></authenticate>",
      "PLAIN" },
    { "<challenge xmlns='" BOSH_NS_SASL2 "'>AGFsaWNl</challenge>", NULL },
    { "<response xmlns='" BOSH_NS_SASL2 "'>AGFsaWNl</response>", NULL },
    { "<success xmlns='" BOSH_NS_SASL2 "'><additional-data>AGFsaWNl</additional-data>"
      "<authorization-identifier>alice@b/c</authorization-identifier></success>",
      "alice@b/c" },
    { "<success xmlns='" BOSH_NS_SASL2 "'>AGFs<authorization-identifier>alice@b/c"
      "</authorization-identifier>aWNl</success>",
      "alice@b/c" },
    { "<failure xmlns='" BOSH_NS_SASL2 "'><not-authorized xmlns='" BOSH_NS_SASL "'/>"
      "<text>Who is that?</text></failure>",
      "Who is that?" },
    { "<auth xmlns='" BOSH_NS_SASL "'>AGFs<x/>aWNl</auth>", "auth" },
  };

  g_test_summary ("XEP-0388 §2: what SASL elements and their children hold is never shown, the "
                  "rest is");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *body = g_strdup_printf (BODY ("rid='1'", "%s"), cases[i].content);
      g_autoptr(GBytes) bytes = g_bytes_new_static (body, strlen (body));
      g_autofree char *text = bosh_body_redact (bytes);

      g_assert_null (strstr (text, "AGFs"));
      g_assert_null (strstr (text, "aWNl"));
      g_assert_true (cases[i].shown == NULL || strstr (text, cases[i].shown) != NULL);
    }
}

static void
test_redact_long (void)
{
  g_autofree char *text = g_strnfill (BOSH_MAX_SHOWN, 'x');
  g_autofree char *plain = g_strdup_printf (BODY ("", "<message><body>%s</body></message>"), text);
  g_autofree char *secret = g_strdup_printf (BODY ("", "<message/><auth mechanism='PLAIN' "
                                                   "xmlns='" BOSH_NS_SASL "'>AGFsaWNl</auth>%s"),
                                             text);
  g_autofree char *nul = g_strdup_printf (BODY ("", "%s"), text);
  const char *texts[] = { plain, secret, nul };
  gsize length = strlen (nul);

  g_test_summary ("What is long is cut, before the first element of SASL");

  nul[10] = '\0';
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr(GBytes) bytes = g_bytes_new_static (texts[i], i < 2 ? strlen (texts[i]) : length);
      g_autoptr(GBytes) shortened = bosh_body_shorten (bytes);
      g_autofree char *shown = bosh_body_redact (shortened);
      g_autofree char *same = bosh_body_redact (bytes);

      g_assert_cmpuint (g_bytes_get_size (shortened), ==, BOSH_MAX_SHOWN + 1);
      g_assert_cmpstr (shown, ==, same);
      g_assert_true (g_str_has_suffix (shown, "[…]"));
      g_assert_cmpuint (strlen (shown), <=, BOSH_MAX_SHOWN + strlen ("[…]"));
      g_assert_null (strstr (shown, "PLAIN"));
      if (i == 0)
        g_assert_cmpuint (strlen (shown), ==, BOSH_MAX_SHOWN + strlen ("[…]"));
      else if (i == 1)
        g_assert_true (g_str_has_suffix (shown, "<message/>[…]"));
    }
}

static void
test_set_aside (void)
{
  g_autoptr(BoshResponseBody) body = parse (BODY ("sid='s' ack='7'", "<a xmlns='b'>c</a><d/>"));
  g_autoptr(BoshResponseBody) empty = parse (BODY ("", ""));
  g_autoptr(GPtrArray) payloads = NULL;

  g_test_summary ("A body that has to wait keeps its attributes, and its payloads as bytes");

  bosh_response_body_set_aside (body);
  g_assert_cmpstr (body->sid, ==, "s");
  g_assert_cmpint (body->ack, ==, 7);
  g_assert_cmpuint (body->n_children, ==, 2);
  g_assert_cmpuint (bosh_element_get_n_children (body->root), ==, 0);

  bosh_response_body_recall (body);
  g_assert_cmpstr (body->sid, ==, "s");
  g_assert_cmpuint (body->n_children, ==, 2);
  payloads = bosh_response_body_dup_payloads (body);
  g_assert_cmpuint (payloads->len, ==, 2);
  g_assert_true (bosh_element_matches (payloads->pdata[0], "a", "b"));
  g_assert_true (bosh_element_is_sealed (payloads->pdata[0]));

  bosh_response_body_set_aside (empty);
  bosh_response_body_recall (empty);
  g_assert_cmpuint (bosh_element_get_n_children (empty->root), ==, 0);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/body/compose", test_compose);
  g_test_add_func ("/bosh/body/literal-prefix", test_literal_prefix);
  g_test_add_func ("/bosh/body/numbers", test_numbers);
  g_test_add_func ("/bosh/body/types", test_types);
  g_test_add_func ("/bosh/body/verdicts", test_verdicts);
  g_test_add_func ("/bosh/body/detail", test_detail);
  g_test_add_func ("/bosh/body/stream-error", test_stream_error);
  g_test_add_func ("/bosh/body/redact", test_redact);
  g_test_add_func ("/bosh/body/redact-sasl2", test_redact_sasl2);
  g_test_add_func ("/bosh/body/redact-secret", test_redact_secret);
  g_test_add_func ("/bosh/body/redact-long", test_redact_long);
  g_test_add_func ("/bosh/body/set-aside", test_set_aside);

  return g_test_run ();
}
