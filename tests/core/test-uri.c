/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "bosh-error.h"
#include "bosh-limits-private.h"
#include "bosh-uri-private.h"

static GUri *
parse_base (const char *text)
{
  g_autoptr(GError) error = NULL;
  GUri *uri = NULL;

  if (text == NULL)
    return NULL;

  uri = bosh_uri_parse_http (text, NULL, &error);
  g_assert_no_error (error);

  return uri;
}

/* @expected is NULL where @text is to be refused. */
static void
check (const char *text,
       const char *base_text,
       const char *expected)
{
  g_autoptr(GUri) base = parse_base (base_text);
  g_autoptr(GError) error = NULL;
  g_autoptr(GUri) uri = bosh_uri_parse_http (text, base, &error);
  g_autoptr(GUri) again = NULL;
  g_autofree char *written = NULL;
  g_autofree char *escaped = g_strescape (text, NULL);

  g_test_message ("“%.100s”", escaped);
  if (expected == NULL)
    {
      g_assert_null (uri);
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_URI);
      g_assert_null (strstr (error->message, "s3cret"));
      g_assert_null (bosh_uri_parse_http (text, base, NULL));
      return;
    }

  g_assert_no_error (error);
  written = g_uri_to_string (uri);
  g_assert_cmpstr (written, ==, expected);

  again = bosh_uri_parse_http (written, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (g_uri_get_scheme (again), ==, g_uri_get_scheme (uri));
  g_assert_cmpstr (g_uri_get_host (again), ==, g_uri_get_host (uri));
  g_assert_cmpint (g_uri_get_port (again), ==, g_uri_get_port (uri));
  g_assert_cmpstr (g_uri_get_path (again), ==, g_uri_get_path (uri));
  g_assert_cmpstr (g_uri_get_query (again), ==, g_uri_get_query (uri));
}

static void
test_absolute (void)
{
  g_test_summary ("RFC 9110 §4.2: http and https URIs, and their normal form");

  check ("http://h", NULL, "http://h/");
  check ("HTTPS://h:443/bosh", NULL, "https://h/bosh");
  check ("http://h:080/", NULL, "http://h/");
  check ("http://h:443/", NULL, "http://h:443/");
  check ("https://h:/", NULL, "https://h/");
  check ("http://h:65535/", NULL, "http://h:65535/");
  check ("http://h/?", NULL, "http://h/?");
  check ("http://h?a=%2F&b=?/", NULL, "http://h/?a=%2F&b=?/");
  check ("http://h//a;b:c@d/%41%2f", NULL, "http://h//a;b:c@d/A%2F");
  /* What cannot stand in a URI, and could break the request line. */
  check ("http://h/a b\r\nX: y\"<\xc3\xa9>[]", NULL,
         "http://h/a%20b%0D%0AX:%20y%22%3C%C3%A9%3E%5B%5D");

  check ("", NULL, NULL);
  check ("h", NULL, NULL);
  check ("//h/", NULL, NULL);
  check ("/bosh", NULL, NULL);
  check ("http:", NULL, NULL);
  check ("http:h", NULL, NULL);
  check ("http:/h", NULL, NULL);
  check ("http://", NULL, NULL);
  check ("http:///bosh", NULL, NULL);
  check (" http://h/", NULL, NULL);
  check ("ftp://h/", NULL, NULL);
  check ("httpss://h/", NULL, NULL);
  check ("http://h/#", NULL, NULL);
  check ("http://h/#x", NULL, NULL);
  check ("http://h/%", NULL, NULL);
  check ("http://h/%zz", NULL, NULL);
  check ("http://h/\xff", NULL, NULL);
  check ("http://h:0/", NULL, NULL);
  check ("http://h:65536/", NULL, NULL);
  check ("http://h:-1/", NULL, NULL);
  check ("http://h:+1/", NULL, NULL);
  check ("http://h:1x/", NULL, NULL);
  check ("http://@h/", NULL, NULL);
  check ("http://:@h/", NULL, NULL);
  check ("http://alice:s3cret@h/", NULL, NULL);
  check ("http://alice:s3cret@h:x/", NULL, NULL);
}

static void
test_hosts (void)
{
  g_test_summary ("RFC 3986 §3.2.2, RFC 1123 §2.1: what can be a host");

  check ("http://Xmpp.Example./", NULL, "http://Xmpp.Example./");
  check ("http://xn--bcher-kva.example/", NULL, "http://xn--bcher-kva.example/");
  check ("http://b\xc3\xbc"
         "cher.example/",
         NULL, "http://xn--bcher-kva.example/");
  check ("http://b%C3%BCcher.example/", NULL, "http://xn--bcher-kva.example/");
  check ("http://ex%61mple/", NULL, "http://example/");
  check ("http://chat_server/", NULL, "http://chat_server/");
  check ("http://3com.example/", NULL, "http://3com.example/");
  check ("http://1.2.example/", NULL, "http://1.2.example/");
  check ("http://a.0xg/", NULL, "http://a.0xg/");
  check ("http://127.0.0.1/", NULL, "http://127.0.0.1/");
  check ("http://%31%32%37.0.0.1/", NULL, "http://127.0.0.1/");
  /* IDNA of 2003 would make “ss” of it. */
  check ("http://fa\xc3\x9f.example/", NULL, "http://xn--fa-hia.example/");
  check ("http://[::1]:5280/", NULL, "http://[::1]:5280/");
  check ("http://[2001:DB8::1.2.3.4]/", NULL, "http://[2001:DB8::1.2.3.4]/");

  check ("http://h%25/", NULL, NULL);
  check ("http://h%2525/", NULL, NULL);
  check ("http://alice%40h/", NULL, NULL);
  check ("http://a%2fb/", NULL, NULL);
  check ("http://a%3fb/", NULL, NULL);
  check ("http://a%23b/", NULL, NULL);
  check ("http://a%3a80/", NULL, NULL);
  check ("http://%5b::1%5d/", NULL, NULL);
  check ("http://%3a%3a1/", NULL, NULL);
  check ("http://a%00b/", NULL, NULL);
  check ("http://a%0d%0ab/", NULL, NULL);
  check ("http://a%ff/", NULL, NULL);
  check ("http://a b/", NULL, NULL);
  check ("http://a\\b/", NULL, NULL);
  check ("http://a,b/", NULL, NULL);
  check ("http://*.example/", NULL, NULL);
  /* Fullwidth forms of “/” and “@”, which IDNA turns into these. */
  check ("http://a\xef\xbc\x8f"
         "b.example/",
         NULL, NULL);
  check ("http://a\xef\xbc\xa0"
         "b.example/",
         NULL, NULL);
  check ("http://./", NULL, NULL);
  check ("http://.a/", NULL, NULL);
  check ("http://a../", NULL, NULL);
  check ("http://a..b/", NULL, NULL);
  check ("http://-a/", NULL, NULL);
  check ("http://a-/", NULL, NULL);
  check ("http://a-.b/", NULL, NULL);
  /* Addresses in forms of old, or none at all. */
  check ("http://127.1/", NULL, NULL);
  check ("http://2130706433/", NULL, NULL);
  check ("http://0x7f000001/", NULL, NULL);
  check ("http://a.0x7F/", NULL, NULL);
  check ("http://127.0.0.1./", NULL, NULL);
  check ("http://127.0.0.256/", NULL, NULL);
  check ("http://::1/", NULL, NULL);
  check ("http://[::1/", NULL, NULL);
  check ("http://[::g]/", NULL, NULL);
  check ("http://[127.0.0.1]/", NULL, NULL);
  check ("http://[v1.a]/", NULL, NULL);
  /* RFC 9844 §5: a zone is no part of a URI. */
  check ("http://[::1%25lo]/", NULL, NULL);
  check ("http://[::1%lo]/", NULL, NULL);
  check ("http://[fe80::1%25eth0]/", NULL, NULL);
  check ("http://[fe80::1%2525eth0]/", NULL, NULL);
}

static void
test_references (void)
{
  const char *base = "https://h:5281/http-bind/?a";

  g_test_summary ("RFC 9110 §10.2.2: references are resolved, their fragments left out");

  check ("", base, "https://h:5281/http-bind/?a");
  check ("?b", base, "https://h:5281/http-bind/?b");
  check ("x", base, "https://h:5281/http-bind/x");
  check ("../x#y", base, "https://h:5281/x");
  check ("/x", base, "https://h:5281/x");
  check ("//other", base, "https://other/");
  check ("http://other/#", base, "http://other/");
  check ("/x", "http://[::1]", "http://[::1]/x");

  check ("//h%25/", base, NULL);
  check ("//alice:s3cret@h/", base, NULL);
  check ("ftp://h/", base, NULL);
  check ("//h:0", base, NULL);
  check ("%", base, NULL);
}

static void
test_limits (void)
{
  g_autofree char *label = g_strnfill (63, 'a');
  g_autofree char *long_label = g_strnfill (64, 'a');
  g_autofree char *part = g_strnfill (60, 'a');
  g_autofree char *long_name = g_strdup_printf ("http://%s.%s.%s.%sa/", label, label, label, part);
  g_autofree char *too_long_name =
    g_strdup_printf ("http://%s.%s.%s.%saa/", label, label, label, part);
  g_autofree char *too_long_label = g_strdup_printf ("http://%s/", long_label);
  g_autofree char *path = g_strnfill (BOSH_URI_MAX_LENGTH, 'p');
  g_autofree char *spaces = g_strnfill (BOSH_URI_MAX_LENGTH / 2, ' ');
  g_autofree char *long_uri = g_strdup_printf ("http://h/%s", path);
  g_autofree char *encoded = g_strdup_printf ("http://h/%s", spaces);

  g_test_summary ("RFC 1035 §2.3.4, RFC 9110 §4.1: limits of names, and of all");

  g_assert_cmpuint (strlen (long_name), ==, strlen ("http:///") + 253);
  check (long_name, NULL, long_name);
  check (too_long_name, NULL, NULL);
  check (too_long_label, NULL, NULL);
  check (long_uri, NULL, NULL);
  long_uri[BOSH_URI_MAX_LENGTH] = '\0';
  check (long_uri, NULL, long_uri);
  check (encoded, NULL, NULL);
}

static void
check_composed (gboolean    secure,
                const char *hostname,
                guint       port,
                const char *path,
                const char *expected)
{
  g_autofree char *text = bosh_uri_compose_http (secure, hostname, port, path);

  check (text, NULL, expected);
}

static void
test_compose (void)
{
  g_autoptr(GUri) uri = NULL;

  g_test_summary ("A URI of a host name, a port and a path: nothing in one becomes another");

  check_composed (FALSE, "h", 80, "/bosh", "http://h/bosh");
  check_composed (TRUE, "h", 5281, "bosh", "https://h:5281/bosh");
  check_composed (FALSE, "h", 5280, "", "http://h:5280/");
  check_composed (FALSE, "h", 5280, "/a%20b?c=d&e=%2F#?%zz%4", "http://h:5280/a%20b?c=d&e=%2F%23?%25zz%254");
  check_composed (FALSE, "b\xc3\xbc"
                         "cher.example",
                  5280, "/", "http://xn--bcher-kva.example:5280/");
  check_composed (FALSE, "::1", 5280, "/", "http://[::1]:5280/");
  check_composed (FALSE, "[::1]", 5280, "/", "http://[::1]:5280/");

  check_composed (FALSE, "h", 0, "/", NULL);
  check_composed (FALSE, "h", 65536, "/", NULL);
  check_composed (FALSE, "", 80, "/", NULL);
  check_composed (FALSE, "[]", 80, "/", NULL);
  check_composed (FALSE, "h:80", 80, "/", NULL);
  check_composed (FALSE, "h/x", 80, "/", NULL);
  check_composed (FALSE, "h?x", 80, "/", NULL);
  check_composed (FALSE, "h#x", 80, "/", NULL);
  check_composed (FALSE, "h%2fx", 80, "/", NULL);
  check_composed (FALSE, "alice@h", 80, "/", NULL);
  check_composed (FALSE, "alice:s3cret@h", 80, "/", NULL);
  check_composed (FALSE, "[::1]/[::1]", 80, "/", NULL);
  check_composed (FALSE, "fe80::1%eth0", 80, "/", NULL);
  check_composed (FALSE, "h\xff", 80, "/", NULL);

  uri = bosh_uri_parse_http ("https://h/", NULL, NULL);
  g_assert_true (bosh_uri_is_secure (uri));
  g_assert_cmpuint (bosh_uri_get_port (uri), ==, 443);
  g_clear_pointer (&uri, g_uri_unref);
  uri = bosh_uri_parse_http ("http://h/", NULL, NULL);
  g_assert_false (bosh_uri_is_secure (uri));
  g_assert_cmpuint (bosh_uri_get_port (uri), ==, 80);
  g_clear_pointer (&uri, g_uri_unref);
  uri = bosh_uri_parse_http ("http://h:5280/", NULL, NULL);
  g_assert_cmpuint (bosh_uri_get_port (uri), ==, 5280);
}

static void
check_userinfo (const char *text,
                const char *expected,
                const char *expected_userinfo)
{
  g_autofree char *userinfo = NULL;
  g_autofree char *written = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(GUri) uri = bosh_uri_parse_http_with_userinfo (text, &userinfo, &error);

  written = uri != NULL ? g_uri_to_string (uri) : NULL;
  g_assert_cmpstr (written, ==, expected);
  g_assert_cmpstr (userinfo, ==, expected_userinfo);
  if (uri == NULL)
    g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_URI);
}

static void
check_stripped (const char *text,
                const char *expected)
{
  g_autofree char *stripped = bosh_uri_strip_userinfo (text);

  g_assert_cmpstr (stripped, ==, expected);
}

static void
test_userinfo (void)
{
  g_autoptr(GUri) a = parse_base ("http://h/x");
  g_autoptr(GUri) b = parse_base ("http://H:80/y?z");
  g_autoptr(GUri) port = parse_base ("http://h:81/x");
  g_autoptr(GUri) scheme = parse_base ("https://h/x");
  g_autoptr(GUri) host = parse_base ("http://h.h/x");

  g_test_summary ("RFC 3986 §3.2.1: a user name and a password are kept apart where they are allowed");

  check_userinfo ("http://h/", "http://h/", NULL);
  check_userinfo ("http://alice:s3cret@h/", "http://h/", "alice:s3cret");
  check_userinfo ("http://alice%40x:%3a@h:81/", "http://h:81/", "alice%40x:%3A");
  check_userinfo ("http://@h/", "http://h/", "");
  check_userinfo ("http://alice:s3cret@h:x/", NULL, NULL);
  check_userinfo ("http://alice:%zz@h/", NULL, NULL);
  check_userinfo ("http://alice@/", NULL, NULL);

  check_stripped ("http://alice:s3cret@h/a@b", "http://h/a@b");
  check_stripped ("alice:s3@cret@h", "h");
  check_stripped ("http://h/a@b", "http://h/a@b");
  check_stripped ("", "");

  g_assert_true (bosh_uri_has_same_origin (a, b));
  g_assert_false (bosh_uri_has_same_origin (a, port));
  g_assert_false (bosh_uri_has_same_origin (a, scheme));
  g_assert_false (bosh_uri_has_same_origin (a, host));
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/uri/absolute", test_absolute);
  g_test_add_func ("/bosh/uri/hosts", test_hosts);
  g_test_add_func ("/bosh/uri/references", test_references);
  g_test_add_func ("/bosh/uri/limits", test_limits);
  g_test_add_func ("/bosh/uri/compose", test_compose);
  g_test_add_func ("/bosh/uri/userinfo", test_userinfo);

  return g_test_run ();
}
