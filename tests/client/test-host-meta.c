/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-error.h"
#include "bosh-host-meta-private.h"
#include "bosh-limits-private.h"
#include "bosh-uri-private.h"

#include <string.h>

#define XRD_START "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>"
#define XRD(content) XRD_START content "</XRD>"
#define RELATION "urn:xmpp:alt-connections:xbosh"
#define LINK(uri) "<Link rel='" RELATION "' href='" uri "'/>"
#define MEMBER(uri) "{\"rel\":\"" RELATION "\",\"href\":\"" uri "\"}"

typedef GPtrArray *(*ParseFunc) (GBytes  *bytes,
                                 GError **error);

typedef struct
{
  const char *text;
  const char *expected;  /* URIs, with a space between */
} GoodCase;

typedef struct
{
  const char *text;
  int code;
  const char *message;  /* a part of it */
} BadCase;

static GPtrArray *
parse (ParseFunc    function,
       const char  *text,
       gssize       length,
       GError     **error)
{
  g_autoptr(GBytes) bytes = NULL;

  /* A copy, so that reading beyond it is seen. */
  bytes = g_bytes_new (text, length >= 0 ? (gsize)length : strlen (text));

  return function (bytes, error);
}

static void
assert_uris (GPtrArray  *uris,
             const char *expected)
{
  g_autoptr(GString) joined = g_string_new (NULL);

  for (guint i = 0; i < uris->len; i++)
    g_string_append_printf (joined, "%s%s", i > 0 ? " " : "",
                            (const char *)g_ptr_array_index (uris, i));
  g_assert_cmpstr (joined->str, ==, expected);
}

static void
check_good (ParseFunc       function,
            const GoodCase *cases,
            gsize           n_cases)
{
  for (gsize i = 0; i < n_cases; i++)
    {
      g_autoptr(GPtrArray) uris = NULL;
      g_autoptr(GError) error = NULL;

      g_test_message ("case %" G_GSIZE_FORMAT, i);
      uris = parse (function, cases[i].text, -1, &error);
      g_assert_no_error (error);
      assert_uris (uris, cases[i].expected);
    }
}

static void
check_bad (ParseFunc      function,
           const BadCase *cases,
           gsize          n_cases)
{
  for (gsize i = 0; i < n_cases; i++)
    {
      g_autoptr(GPtrArray) uris = NULL;
      g_autoptr(GError) error = NULL;

      g_test_message ("case %" G_GSIZE_FORMAT, i);
      uris = parse (function, cases[i].text, -1, &error);
      g_assert_null (uris);
      g_assert_error (error, BOSH_ERROR, cases[i].code);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].message));
      g_assert_null (parse (function, cases[i].text, -1, NULL));
    }
}

static const GoodCase good_xml[] = {
  { XRD (""), "" },
  { XRD (LINK ("https://example.org/bosh")), "https://example.org/bosh" },
  /* XEP-0156 §3, example 1. */
  { "<?xml version='1.0' encoding='utf-8'?>\n" XRD ("\n  <Link rel='urn:xmpp:alt-connections:xbosh'\n"
                                                    "        href='https://web.example.com:5280/bosh'/>\n"
                                                    "  <Link rel='urn:xmpp:alt-connections:websocket'\n"
                                                    "        href='wss://web.example.com:443/ws'/>\n"),
    "https://web.example.com:5280/bosh" },
  /* In the order of the document, each once, also as a default port. */
  { XRD (LINK ("https://b.example/") LINK ("https://a.example/") LINK ("https://b.example:443/")
           LINK ("https://a.example/") LINK ("https://a.example/x?y=1")),
    "https://b.example/ https://a.example/ https://a.example/x?y=1" },
  /* What people write around it. */
  { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- by hand --><?xml-stylesheet href='x'?>\n" XRD_START
    "<!-- <Link rel='" RELATION "' href='https://wrong.example/'/> \"' -->"
    "<Subject>https://example.org</Subject><?php ?>" LINK ("https://example.org/bosh")
    "<Property type='x'>y<!-- z --></Property></XRD>\n<!-- end -->\n",
    "https://example.org/bosh" },
  { "<x:XRD xmlns:x='http://docs.oasis-open.org/ns/xri/xrd-1.0'>"
    "<x:Link rel='" RELATION "' href='https://example.org/bosh'><x:Title>B</x:Title></x:Link></x:XRD>",
    "https://example.org/bosh" },
  { XRD (LINK ("https://example.org/?a=1&amp;b=&#x32;")), "https://example.org/?a=1&b=2" },
  { XRD (LINK ("HTTPS://example.org")), "https://example.org/" },
  /* R124: no other scheme; and nothing that can't be posted to. */
  { XRD (LINK ("http://example.org/bosh") LINK ("wss://example.org/bosh")
           LINK ("https://") LINK ("https:///bosh") LINK ("/bosh") LINK ("") LINK ("bosh")
             LINK ("https://alice:secret@example.org/") LINK ("https://example.org/#x")
               LINK ("https://example.org:0/") LINK ("https://example.org:99999/")
                 LINK ("https://exa mple.org/") LINK ("javascript:alert(1)")
                   LINK ("https://h%25/") LINK ("https://u%40h/") LINK ("https://a%2fb/")
                     LINK ("https://[::1%25lo]/") LINK ("https://[fe80::1%25eth0]/")
                       LINK ("https://good.example/")),
    "https://good.example/" },
  /* Links of others, in the wrong place, or not whole. */
  { XRD ("<Link rel='" RELATION "'/><Link href='https://a.example/'/>"
         "<Link rel='lrdd' href='https://b.example/'/>"
         "<Link rel='" RELATION " x' href='https://c.example/'/>"
         "<Link xmlns='urn:other' rel='" RELATION "' href='https://d.example/'/>"
         "<Other>" LINK ("https://e.example/") "</Other>"
         "<link rel='" RELATION "' href='https://f.example/'/>"
         "text https://g.example/"),
    "" },
};

static const BadCase bad_xml[] = {
  { "", BOSH_ERROR_BAD_XML, "empty" },
  { "https://example.org/bosh", BOSH_ERROR_BAD_XML, "malformed" },
  { "<html><p></html>", BOSH_ERROR_BAD_XML, "malformed" },
  { "<html/>", BOSH_ERROR_INVALID_DATA, "XRD" },
  { "<XRD/>", BOSH_ERROR_INVALID_DATA, "XRD" },
  { "<XRD xmlns='urn:other'/>", BOSH_ERROR_INVALID_DATA, "XRD" },
  { "{\"links\":[]}", BOSH_ERROR_BAD_XML, "malformed" },
  { XRD_START LINK ("https://example.org/"), BOSH_ERROR_BAD_XML, "early" },
  { XRD_START "<!-- never closed", BOSH_ERROR_BAD_XML, "The XML" },
  { XRD_START "<!-- a -- b --></XRD>", BOSH_ERROR_BAD_XML, "malformed" },
  { XRD_START "<?never closed", BOSH_ERROR_BAD_XML, "The XML" },
  { XRD_START "<?xml version='1.0'?></XRD>", BOSH_ERROR_BAD_XML, "malformed" },
  { "<?xml version='1.0' encoding='ISO-8859-1'?>" XRD (""), BOSH_ERROR_BAD_XML, "UTF-8" },
  { XRD ("\xff"), BOSH_ERROR_BAD_XML, "UTF-8" },
  { XRD ("&x;"), BOSH_ERROR_BAD_XML, "malformed" },
  { "<!DOCTYPE XRD>" XRD (""), BOSH_ERROR_BAD_XML, "document type" },
  { "<!-- first --><!DOCTYPE XRD [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>" XRD ("&b;"),
    BOSH_ERROR_BAD_XML, "document type" },
  { "<!DOCTYPE XRD SYSTEM 'file:///etc/passwd'>" XRD (""), BOSH_ERROR_BAD_XML, "document type" },
};

static void
test_xml (void)
{
  g_test_summary ("R124, R125 (XEP-0156 §2, §3): the https links of an XRD document");

  check_good (bosh_host_meta_parse_xml, good_xml, G_N_ELEMENTS (good_xml));
}

static void
test_bad_xml (void)
{
  g_test_summary ("R125 (XEP-0156 §3): what is no XRD document is refused; DTD and entities too");

  check_bad (bosh_host_meta_parse_xml, bad_xml, G_N_ELEMENTS (bad_xml));
}

static const GoodCase good_json[] = {
  { "{}", "" },
  { "{\"links\":[]}", "" },
  /* XEP-0156 §3, example 2. */
  { "{\n  \"links\": [\n"
    "    { \"rel\": \"urn:xmpp:alt-connections:xbosh\",\n"
    "      \"href\": \"https://web.example.com:5280/bosh\" },\n"
    "    { \"rel\": \"urn:xmpp:alt-connections:websocket\",\n"
    "      \"href\": \"wss://web.example.com:443/ws\" }\n  ]\n}\n",
    "https://web.example.com:5280/bosh" },
  { "{\"subject\":\"https://example.org\",\"properties\":{\"a\":null,\"b\":1.5},\"links\":["
    MEMBER ("https://b.example/") "," MEMBER ("https:\\/\\/a.example\\/") ","
    MEMBER ("https://b.example/") "," MEMBER ("http://c.example/") "]}",
    "https://b.example/ https://a.example/" },
  { "{\"links\":[null,true,7,\"https://a.example/\",[" MEMBER ("https://b.example/") "],{},"
    "{\"rel\":\"" RELATION "\"},{\"href\":\"https://c.example/\"},"
    "{\"rel\":\"" RELATION "\",\"href\":null},{\"rel\":\"" RELATION "\",\"href\":7},"
    "{\"rel\":\"" RELATION "\",\"href\":[\"https://d.example/\"]},"
    "{\"rel\":[\"" RELATION "\"],\"href\":\"https://e.example/\"},"
    "{\"rel\":\"" RELATION "\",\"href\":{\"x\":\"https://f.example/\"}}]}",
    "" },
};

static const BadCase bad_json[] = {
  { "", BOSH_ERROR_INVALID_DATA, "JRD" },
  { "null", BOSH_ERROR_INVALID_DATA, "JRD" },
  { "[]", BOSH_ERROR_INVALID_DATA, "JRD" },
  { "\"https://example.org/\"", BOSH_ERROR_INVALID_DATA, "JRD" },
  { "{", BOSH_ERROR_INVALID_DATA, "JRD" },
  { "{\"links\":{}}", BOSH_ERROR_INVALID_DATA, "JRD" },
  { "{\"links\":\"https://example.org/\"}", BOSH_ERROR_INVALID_DATA, "JRD" },
  { "{\"links\":[" MEMBER ("https://example.org/"), BOSH_ERROR_INVALID_DATA, "JRD" },
  { "/* */ {\"links\":[]}", BOSH_ERROR_INVALID_DATA, "JRD" },
  { "{\"links\":[\"\xff\"]}", BOSH_ERROR_INVALID_DATA, "JRD" },
  { "<html/>", BOSH_ERROR_INVALID_DATA, "JRD" },
};

static void
test_json (void)
{
  g_test_summary ("R124, R125 (XEP-0156 §2, §3): the https links of a JRD document");

  check_good (bosh_host_meta_parse_json, good_json, G_N_ELEMENTS (good_json));
}

static void
test_bad_json (void)
{
  g_test_summary ("R125 (XEP-0156 §3): what is no JRD document is refused");

  check_bad (bosh_host_meta_parse_json, bad_json, G_N_ELEMENTS (bad_json));
}

/* `start`, `count` times `middle`, and `end`. */
static char *
repeat (const char *start,
        const char *middle,
        guint       count,
        const char *end)
{
  g_autoptr(GString) string = g_string_new (start);

  for (guint i = 0; i < count; i++)
    g_string_append (string, middle);
  g_string_append (string, end);

  return g_string_free (g_steal_pointer (&string), FALSE);
}

static void
test_size (void)
{
  static const struct
  {
    ParseFunc function;
    const char *text;
  } cases[] = {
    { bosh_host_meta_parse_xml, XRD (LINK ("https://example.org/")) },
    { bosh_host_meta_parse_json, "{\"links\":[" MEMBER ("https://example.org/") "]}" },
  };

  g_test_summary ("R125 (XEP-0156 §3): a document of 64 KiB is read, one of a byte more is not");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint space = BOSH_HOST_META_MAX_SIZE - strlen (cases[i].text);
      g_autofree char *largest = repeat (cases[i].text, " ", space, "");
      g_autofree char *larger = repeat (cases[i].text, " ", space + 1, "");
      g_autoptr(GPtrArray) uris = NULL;
      g_autoptr(GError) error = NULL;

      uris = parse (cases[i].function, largest, -1, &error);
      g_assert_no_error (error);
      assert_uris (uris, "https://example.org/");

      g_assert_null (parse (cases[i].function, larger, -1, &error));
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
    }
}

static void
test_number (void)
{
  g_autoptr(GString) xml = g_string_new (XRD_START);
  g_autoptr(GString) json = g_string_new ("{\"links\":[null");
  g_autoptr(GPtrArray) from_xml = NULL;
  g_autoptr(GPtrArray) from_json = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("R125 (XEP-0156 §3): no more than 16 links are taken, and none that is too long");

  for (guint i = 0; i < BOSH_HOST_META_MAX_URIS + 1; i++)
    {
      g_string_append_printf (xml, LINK ("https://example.org/%u"), i);
      g_string_append_printf (json, "," MEMBER ("https://example.org/%u"), i);
    }
  g_string_append (xml, "</XRD>");
  g_string_append (json, "]}");

  from_xml = parse (bosh_host_meta_parse_xml, xml->str, -1, &error);
  g_assert_no_error (error);
  from_json = parse (bosh_host_meta_parse_json, json->str, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (from_xml->len, ==, BOSH_HOST_META_MAX_URIS);
  g_assert_cmpuint (from_json->len, ==, BOSH_HOST_META_MAX_URIS);
  for (guint i = 0; i < BOSH_HOST_META_MAX_URIS; i++)
    {
      g_autofree char *uri = g_strdup_printf ("https://example.org/%u", i);

      g_assert_cmpstr (g_ptr_array_index (from_xml, i), ==, uri);
      g_assert_cmpstr (g_ptr_array_index (from_json, i), ==, uri);
    }
}

static void
test_length (void)
{
  const char *start = "https://example.org/";
  guint space = BOSH_URI_MAX_LENGTH - strlen (start);
  g_autofree char *longest = repeat (start, "a", space, "");
  g_autofree char *longer = repeat (start, "a", space + 1, "");
  g_autoptr(GPtrArray) uris = bosh_host_meta_new_uris ();

  g_test_summary ("R124 (XEP-0156 §2): an address that is too long is left out");

  bosh_host_meta_add_uri (uris, longer);
  g_assert_cmpuint (uris->len, ==, 0);
  bosh_host_meta_add_uri (uris, longest);
  assert_uris (uris, longest);
}

static void
test_hostile (void)
{
  g_autofree char *deep_xml = repeat (XRD_START, "<a>", 20000, "");
  g_autofree char *deep_json = repeat ("{\"links\":", "[", 60000, "");
  g_autofree char *comments = repeat (XRD_START, "<!--<!-->", 7000, LINK ("https://a.example/") "</XRD>");
  g_autofree char *open_comments = repeat (XRD_START, "<!--", 16000, "");
  g_autofree char *open_instructions = repeat (XRD_START, "<?", 32000, "");
  g_autofree char *values = repeat ("{\"links\":[", "1,", 32000, "1]}");
  g_autoptr(GPtrArray) uris = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("R125 (XEP-0156 §3): nesting and repetition cost neither the stack nor much time");

  g_assert_null (parse (bosh_host_meta_parse_xml, deep_xml, -1, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  g_clear_error (&error);
  g_assert_null (parse (bosh_host_meta_parse_json, deep_json, -1, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA);
  g_clear_error (&error);
  uris = parse (bosh_host_meta_parse_xml, comments, -1, &error);
  g_assert_no_error (error);
  assert_uris (uris, "https://a.example/");
  g_clear_pointer (&uris, g_ptr_array_unref);
  g_assert_null (parse (bosh_host_meta_parse_xml, open_comments, -1, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_BAD_XML);
  g_clear_error (&error);
  g_assert_null (parse (bosh_host_meta_parse_xml, open_instructions, -1, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_BAD_XML);
  g_clear_error (&error);

  uris = parse (bosh_host_meta_parse_json, values, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (uris->len, ==, 0);

  /* NUL within. */
  g_assert_null (parse (bosh_host_meta_parse_xml, "<XRD\0/>", 7, NULL));
  g_assert_null (parse (bosh_host_meta_parse_json, "{\0}", 3, NULL));
}

/* Every document that is cut off or has a wrong byte gives links that are https,
 * or an error: never a crash. */
static void
test_mangled (void)
{
  static const struct
  {
    ParseFunc function;
    const char *text;
  } cases[] = {
    { bosh_host_meta_parse_xml,
      "<?xml version='1.0'?><!-- c -->" XRD (LINK ("https://a.example/b") LINK ("http://a.example/")) },
    { bosh_host_meta_parse_json,
      "{\"links\":[" MEMBER ("https://a.example/b") "," MEMBER ("http://a.example/") "]}" },
  };

  g_test_summary ("R124 (XEP-0156 §2): damage makes no other link of one that is not https");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gsize length = strlen (cases[i].text);

      for (gsize at = 0; at < length; at++)
        {
          static const char bytes[] = { '\0', '"', '\'', '<', '>', '&', '!', '-', '{', '[', '\\', 's', '\xc3' };

          for (gsize b = 0; b <= G_N_ELEMENTS (bytes); b++)
            {
              g_autofree char *text = g_strdup (cases[i].text);
              g_autoptr(GPtrArray) uris = NULL;
              g_autoptr(GError) error = NULL;

              if (b < G_N_ELEMENTS (bytes))
                text[at] = bytes[b];
              uris = parse (cases[i].function, text,
                            b < G_N_ELEMENTS (bytes) ? length : at, &error);
              g_assert_true ((uris == NULL) == (error != NULL));
              for (guint k = 0; uris != NULL && k < uris->len; k++)
                g_assert_true (g_str_has_prefix (g_ptr_array_index (uris, k), "https://"));
            }
        }
    }
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/host-meta/xml", test_xml);
  g_test_add_func ("/bosh/host-meta/bad-xml", test_bad_xml);
  g_test_add_func ("/bosh/host-meta/json", test_json);
  g_test_add_func ("/bosh/host-meta/bad-json", test_bad_json);
  g_test_add_func ("/bosh/host-meta/size", test_size);
  g_test_add_func ("/bosh/host-meta/number", test_number);
  g_test_add_func ("/bosh/host-meta/length", test_length);
  g_test_add_func ("/bosh/host-meta/hostile", test_hostile);
  g_test_add_func ("/bosh/host-meta/mangled", test_mangled);

  return g_test_run ();
}
