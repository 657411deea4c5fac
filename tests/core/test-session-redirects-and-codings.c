/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Transcripts of how requests reach the server: which URI they go to, how they
 * are compressed, and what is asked for again when the network has changed. */

#include "config.h"

#include "bosh-test-session.h"

#include <string.h>

#define SECURE "https://bosh.example.org/http-bind/"
#define PLAIN "http://bosh.example.org/http-bind/"

static void
init_at (TestSession *t,
         const char  *uri)
{
  BoshSessionParameters parameters;

  test_session_default (&parameters);
  parameters.uri = uri;
  parameters.use_key_sequence = TRUE;
  test_session_init (t, &parameters);
  bosh_session_open (t->session, t->now);
  test_session_drain (t);
}

static void
redirect (TestSession *t,
          guint64      rid,
          guint        status,
          const char  *location)
{
  g_autoptr(GBytes) body = g_bytes_new_static ("moved", 5);
  BoshHttpResponse response = { status, body, -1, location };

  bosh_session_handle_response (t->session, rid, &response, t->now);
  test_session_drain (t);
}

static void
see_other (TestSession *t,
           guint64      rid,
           const char  *uri)
{
  g_autofree char *content = g_strdup_printf ("<uri>%s</uri>", uri);

  test_session_respond (t, rid, "type='terminate' condition='see-other-uri'", content);
}

static void
test_see_other_uri (void)
{
  TestSession t;
  g_autoptr(BoshElement) first = NULL;
  g_autoptr(BoshElement) second = NULL;
  guint64 rid;
  guint64 second_rid;

  g_test_summary ("R90, R102: see-other-uri at creation is followed, with another request id "
                  "and other keys; its uri is no payload");

  init_at (&t, PLAIN);
  first = test_session_take (&t, &rid);
  see_other (&t, rid, " https://secure.example.org/xmppcm\n");
  test_session_events (&t, "creating REDIRECTED(https://secure.example.org/xmppcm)");
  second = test_session_take (&t, &second_rid);
  g_assert_cmpuint (second_rid, !=, rid);
  g_assert_cmpuint (second_rid, !=, rid + 1);
  test_session_attribute (second, "sid", NULL);
  test_session_attribute (second, "to", "example.org");
  g_assert_cmpstr (bosh_element_get_attribute (second, "newkey"), !=,
                   bosh_element_get_attribute (first, "newkey"));
  test_session_respond (&t, second_rid, TEST_GRANTS, "");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_OPEN);
  g_assert_cmpuint (t.payloads->len, ==, 0);
  test_session_clear (&t);
}

static void
test_see_other_uri_attribute (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R90: the URI is also taken from an attribute");

  init_at (&t, PLAIN);
  bosh_element_unref (test_session_take (&t, &rid));
  test_session_respond (&t, rid, "type='terminate' condition='see-other-uri' uri='/elsewhere?a=b'", "");
  test_session_events (&t, "creating REDIRECTED(http://bosh.example.org/elsewhere?a=b)");
  test_session_clear (&t);
}

static void
test_not_followed (void)
{
  static const struct
  {
    const char *from;
    const char *to;
  } cases[] = {
    { SECURE, "http://bosh.example.org/http-bind/" },
    { SECURE, "ftp://bosh.example.org/" },
    { SECURE, "https:///path" },
    { SECURE, "https://user:secret@bosh.example.org/" },
    { SECURE, "https://bosh.example.org:port/" },
    { PLAIN, "ftp://bosh.example.org/" },
    { PLAIN, "xmpp:bosh.example.org" },
    { PLAIN, "" },
    /* Parsed they look well, but written out again they are something else:
     * no URI, one with a user name, one with another path. */
    { PLAIN, "http://h%25/" },
    { PLAIN, "http://h%2525/" },
    { PLAIN, "http://[::1%25lo]/" },
    { PLAIN, "http://[fe80::1%2525eth0]/" },
    { SECURE, "https://[::1%25lo]/" },
    { PLAIN, "http://user%40bosh.example.org/" },
    { PLAIN, "http://a%2fb/" },
    { PLAIN, "//h%25/" },
    { PLAIN, "http://h%20/" },
    { PLAIN, "http://h\\evil/" },
    { PLAIN, "http://h:0/" },
    { PLAIN, "http://h:65536/" },
    { PLAIN, "http://-h/" },
    { PLAIN, "http://h..example/" },
    { PLAIN, "http://127.1/" },
    { PLAIN, "http://bosh\xef\xbc\x8f"
             "example.org/" },
  };

  g_test_summary ("R90, R98: never from https to http, nor to what is no http URI");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TestSession t;
      guint64 rid;

      g_test_message ("%s", cases[i].to);
      init_at (&t, cases[i].from);
      bosh_element_unref (test_session_take (&t, &rid));
      see_other (&t, rid, cases[i].to);
      g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_SEE_OTHER_URI);
      g_assert_false (test_session_has_request (&t));
      test_session_clear (&t);

      init_at (&t, cases[i].from);
      bosh_element_unref (test_session_take (&t, &rid));
      redirect (&t, rid, 307, cases[i].to[0] != '\0' ? cases[i].to : NULL);
      g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_HTTP);
      g_assert_false (test_session_has_request (&t));
      test_session_clear (&t);
    }
}

static void
test_redirects (void)
{
  static const guint followed[] = { 301, 302, 307, 308 };
  static const guint not_followed[] = { 300, 303, 304, 305 };

  g_test_summary ("R90, R04: HTTP redirects that keep the method are followed at creation");

  for (guint i = 0; i < G_N_ELEMENTS (followed); i++)
    {
      TestSession t;
      guint64 rid;

      init_at (&t, PLAIN);
      bosh_element_unref (test_session_take (&t, &rid));
      redirect (&t, rid, followed[i], "https://bosh.example.org/http-bind/");
      test_session_events (&t, "creating REDIRECTED(https://bosh.example.org/http-bind/)");
      g_assert_true (test_session_has_request (&t));
      test_session_clear (&t);
    }

  for (guint i = 0; i < G_N_ELEMENTS (not_followed); i++)
    {
      TestSession t;
      guint64 rid;

      init_at (&t, PLAIN);
      bosh_element_unref (test_session_take (&t, &rid));
      redirect (&t, rid, not_followed[i], "https://bosh.example.org/http-bind/");
      g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_HTTP);
      test_session_clear (&t);
    }
}

static void
test_hops (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R90: redirects in a circle end, and none leads back to http");

  init_at (&t, SECURE);
  for (guint i = 0; i < 5; i++)
    {
      bosh_element_unref (test_session_take (&t, &rid));
      if (i % 2 == 0)
        see_other (&t, rid, SECURE);
      else
        redirect (&t, rid, 302, SECURE);
    }
  bosh_element_unref (test_session_take (&t, &rid));
  see_other (&t, rid, SECURE);
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_SEE_OTHER_URI);
  test_session_clear (&t);

  init_at (&t, PLAIN);
  bosh_element_unref (test_session_take (&t, &rid));
  see_other (&t, rid, SECURE);
  bosh_element_unref (test_session_take (&t, &rid));
  see_other (&t, rid, PLAIN);
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_SEE_OTHER_URI);
  g_assert_nonnull (strstr (t.error->message, PLAIN));
  test_session_clear (&t);
}

static void
test_not_followed_later (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R90: an open session is not redirected: the redirect of an intermediary is tried "
                  "again, and see-other-uri ends the session");

  init_at (&t, PLAIN);
  bosh_element_unref (test_session_take (&t, &rid));
  test_session_respond (&t, rid, TEST_GRANTS, "");
  bosh_element_unref (test_session_take (&t, &rid));
  redirect (&t, rid, 302, "http://portal.example/login");
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_OPEN);
  bosh_element_unref (test_session_take (&t, &rid));
  see_other (&t, rid, SECURE);
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_SEE_OTHER_URI);
  test_session_clear (&t);
}

static BoshAction *
peek_send (TestSession *t)
{
  return g_queue_peek_head (&t->sends);
}

/* An open session that compresses, with a request in flight that is large enough. */
static void
send_large (TestSession *t,
            const char  *accept,
            gboolean     compress,
            BoshCoding   expected)
{
  BoshSessionParameters parameters;
  g_autofree char *grants = g_strdup_printf ("%s %s", TEST_GRANTS, accept);
  g_autofree char *text = g_strnfill (2000, 'x');

  test_session_default (&parameters);
  parameters.compress_requests = compress;
  test_session_init (t, &parameters);
  test_session_open_quietly (t, grants);
  test_session_queue (t, text);
  test_session_drain (t);
  g_assert_cmpint (peek_send (t)->coding, ==, expected);
}

static void
test_compression (void)
{
  static const struct
  {
    const char *accept;
    gboolean    compress;
    BoshCoding  expected;
  } cases[] = {
    { "accept='deflate,gzip'", TRUE, BOSH_CODING_GZIP },
    { "accept='gzip, deflate'", TRUE, BOSH_CODING_GZIP },
    { "accept='deflate'", TRUE, BOSH_CODING_DEFLATE },
    { "accept='br'", TRUE, BOSH_CODING_IDENTITY },
    { "accept=''", TRUE, BOSH_CODING_IDENTITY },
    { "", TRUE, BOSH_CODING_IDENTITY },
    { "accept='deflate,gzip'", FALSE, BOSH_CODING_IDENTITY },
  };

  g_test_summary ("R34: requests are compressed by what `accept` lists, if that was asked for");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TestSession t;

      send_large (&t, cases[i].accept, cases[i].compress, cases[i].expected);
      test_session_clear (&t);
    }
}

static void
test_creation_and_small_are_plain (void)
{
  g_autofree char *long_name = g_strnfill (600, 'f');
  BoshSessionParameters parameters;
  TestSession t;
  guint64 rid;

  g_test_summary ("R34: nothing is compressed before `accept` is known, and small requests never");

  test_session_default (&parameters);
  parameters.compress_requests = TRUE;
  parameters.content = "text/html; charset=utf-8";
  parameters.from = long_name;
  test_session_init (&t, &parameters);
  bosh_session_open (t.session, t.now);
  test_session_drain (&t);
  g_assert_cmpint (peek_send (&t)->coding, ==, BOSH_CODING_IDENTITY);
  bosh_element_unref (test_session_take (&t, &rid));
  test_session_respond (&t, rid, TEST_GRANTS " accept='gzip'", "");
  g_assert_cmpint (peek_send (&t)->coding, ==, BOSH_CODING_IDENTITY);
  test_session_clear (&t);
}

static void
check_fallback (guint       status,
                const char *response)
{
  TestSession t;
  g_autoptr(GBytes) first = NULL;
  g_autoptr(GBytes) second = NULL;
  g_autofree char *text = g_strnfill (2000, 'y');
  guint64 rid;
  guint64 repeat_rid;

  send_large (&t, "accept='gzip'", TRUE, BOSH_CODING_GZIP);
  first = test_session_take_bytes (&t, &rid);
  test_session_respond_http (&t, rid, status, response, -1);
  g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_OPEN);
  g_assert_cmpint (peek_send (&t)->coding, ==, BOSH_CODING_IDENTITY);
  second = test_session_take_bytes (&t, &repeat_rid);
  g_assert_cmpuint (repeat_rid, ==, rid);
  g_assert_true (g_bytes_equal (first, second));

  test_session_respond (&t, rid, "", "");
  test_session_queue (&t, text);
  test_session_drain (&t);
  g_assert_cmpint (peek_send (&t)->coding, ==, BOSH_CODING_IDENTITY);
  test_session_clear (&t);
}

static void
test_compression_falls_back (void)
{
  g_test_summary ("R34, R64: a server that lists codings and can't read them gets the same "
                  "request plain, and plain ones from then on");

  check_fallback (400, "");
  check_fallback (415, "<html/>");
  check_fallback (501, "");
  check_fallback (200, "<body xmlns='" BOSH_NS_HTTPBIND "' type='terminate' condition='bad-request'/>");
}

static void
test_plain_is_not_repeated_plain (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R34: the refusal of a plain request is no reason to send it again");

  send_large (&t, "accept='gzip'", FALSE, BOSH_CODING_IDENTITY);
  bosh_element_unref (test_session_take (&t, &rid));
  test_session_respond (&t, rid, "type='terminate' condition='bad-request'", "");
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_BAD_REQUEST);
  test_session_clear (&t);
}

static void
test_content (void)
{
  BoshSessionParameters parameters;
  TestSession t;
  g_autoptr(BoshElement) creation = NULL;
  g_autoptr(BoshElement) poll = NULL;
  guint64 rid;

  g_test_summary ("R24, R29: content is asked for at creation, and not later");

  test_session_default (&parameters);
  parameters.content = "text/html; charset=utf-8";
  test_session_init (&t, &parameters);
  bosh_session_open (t.session, t.now);
  test_session_drain (&t);
  creation = test_session_take (&t, &rid);
  test_session_attribute (creation, "content", "text/html; charset=utf-8");
  test_session_respond (&t, rid, TEST_GRANTS, "");
  poll = test_session_take (&t, &rid);
  test_session_attribute (poll, "content", NULL);
  test_session_clear (&t);
}

static void
test_charsets (void)
{
  TestSession t;

  g_test_summary ("R33, R36: the character sets of the server are reported, and UTF-8 is written");

  test_session_init (&t, NULL);
  g_assert_null (bosh_session_get_charsets (t.session));
  test_session_open (&t, TEST_GRANTS " charsets='ISO_8859-1 ISO-2022-JP'");
  g_assert_cmpstr (bosh_session_get_charsets (t.session), ==, "ISO_8859-1 ISO-2022-JP");
  test_session_clear (&t);
}

static void
test_network_change (void)
{
  TestSession t;
  g_autoptr(GBytes) first = NULL;
  g_autoptr(GBytes) second = NULL;
  guint64 rid;
  guint64 repeat_rid;

  g_test_summary ("R64: after a change of the network, what is in flight is sent again in a moment, "
                  "byte by byte, and not again and again");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  first = test_session_take_bytes (&t, &rid);
  test_session_advance (&t, 10 * TEST_SECOND);
  bosh_session_handle_network (t.session, t.now);
  bosh_session_handle_network (t.session, t.now);
  test_session_drain (&t);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, TEST_SECOND / 2);
  second = test_session_take_bytes (&t, &repeat_rid);
  g_assert_cmpuint (repeat_rid, ==, rid);
  g_assert_true (g_bytes_equal (first, second));
  g_assert_cmpuint (t.abandoned.length, ==, 1);

  bosh_session_handle_network (t.session, t.now);
  test_session_advance (&t, 9 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, TEST_SECOND);
  g_assert_true (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_network_change_spares_the_new (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R65: what was sent on the new network is not sent again");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  bosh_element_unref (test_session_take (&t, &rid));
  bosh_session_handle_network (t.session, t.now);
  test_session_advance (&t, TEST_SECOND / 4);
  test_session_respond (&t, rid, "", "<message xmlns='jabber:client'/>");
  test_session_advance (&t, TEST_SECOND / 100);
  bosh_element_unref (test_session_take (&t, &rid));
  test_session_advance (&t, 5 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_creation_is_not_repeated (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R65: a creation is not repeated when the network changes: it would make "
                  "another session");

  test_session_init (&t, NULL);
  bosh_session_open (t.session, t.now);
  test_session_drain (&t);
  bosh_element_unref (test_session_take (&t, &rid));
  test_session_advance (&t, 2 * TEST_SECOND);
  bosh_session_handle_network (t.session, t.now);
  bosh_session_handle_wake (t.session, t.now);
  test_session_advance (&t, 2 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_wake (void)
{
  TestSession t;
  guint64 rid;
  guint64 repeat_rid;

  g_test_summary ("R47, R64: after a sleep of the machine, what is in flight is sent again at once, and "
                  "a session that the server has dropped ends with its response");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  bosh_element_unref (test_session_take (&t, &rid));
  test_session_advance (&t, 2 * TEST_SECOND);
  bosh_session_handle_wake (t.session, t.now);
  test_session_drain (&t);
  bosh_element_unref (test_session_take (&t, &repeat_rid));
  g_assert_cmpuint (repeat_rid, ==, rid);
  test_session_respond (&t, rid, "type='terminate' condition='item-not-found'", "");
  g_assert_error (t.error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
  g_assert_false (test_session_has_request (&t));
  test_session_clear (&t);
}

static void
test_wake_hurries_repeats (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R64: scheduled retransmissions are sent at once after a sleep, and when the network "
                  "is back");

  for (guint i = 0; i < 2; i++)
    {
      test_session_init (&t, NULL);
      test_session_open (&t, TEST_GRANTS);
      for (guint j = 0; j < 6; j++)
        {
          bosh_element_unref (test_session_take (&t, &rid));
          test_session_fail (&t, rid, BOSH_FAILURE_BROKEN);
          if (!test_session_has_request (&t) && j < 5)
            test_session_advance (&t, 20 * TEST_SECOND);
        }
      g_assert_false (test_session_has_request (&t));
      g_assert_cmpint (bosh_session_get_state (t.session), ==, BOSH_SESSION_RETRYING);
      if (i == 0)
        bosh_session_handle_wake (t.session, t.now);
      else
        bosh_session_handle_network (t.session, t.now);
      test_session_drain (&t);
      g_assert_true (test_session_has_request (&t));
      test_session_clear (&t);
    }
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/session-redirects-and-codings/see-other-uri", test_see_other_uri);
  g_test_add_func ("/bosh/session-redirects-and-codings/see-other-uri-attribute", test_see_other_uri_attribute);
  g_test_add_func ("/bosh/session-redirects-and-codings/not-followed", test_not_followed);
  g_test_add_func ("/bosh/session-redirects-and-codings/redirects", test_redirects);
  g_test_add_func ("/bosh/session-redirects-and-codings/hops", test_hops);
  g_test_add_func ("/bosh/session-redirects-and-codings/not-followed-later", test_not_followed_later);
  g_test_add_func ("/bosh/session-redirects-and-codings/compression", test_compression);
  g_test_add_func ("/bosh/session-redirects-and-codings/creation-and-small-are-plain",
                   test_creation_and_small_are_plain);
  g_test_add_func ("/bosh/session-redirects-and-codings/compression-falls-back", test_compression_falls_back);
  g_test_add_func ("/bosh/session-redirects-and-codings/plain-is-not-repeated-plain",
                   test_plain_is_not_repeated_plain);
  g_test_add_func ("/bosh/session-redirects-and-codings/content", test_content);
  g_test_add_func ("/bosh/session-redirects-and-codings/charsets", test_charsets);
  g_test_add_func ("/bosh/session-redirects-and-codings/network-change", test_network_change);
  g_test_add_func ("/bosh/session-redirects-and-codings/network-change-spares-the-new",
                   test_network_change_spares_the_new);
  g_test_add_func ("/bosh/session-redirects-and-codings/creation-is-not-repeated", test_creation_is_not_repeated);
  g_test_add_func ("/bosh/session-redirects-and-codings/wake", test_wake);
  g_test_add_func ("/bosh/session-redirects-and-codings/wake-hurries-repeats", test_wake_hurries_repeats);

  return g_test_run ();
}
