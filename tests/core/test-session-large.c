/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Transcripts of the session machine with responses that are large: what has to wait for
 * others, and what is read first. */

#include "config.h"

#include "bosh-limits-private.h"
#include "bosh-test-session.h"

#include <string.h>
#include <time.h>

#define WIDE_GRANTS "sid='s1' wait='60' hold='1' requests='1000' inactivity='30' polling='5' ver='1.6'"

static guint64
take_rid (TestSession *t)
{
  guint64 rid;

  g_bytes_unref (test_session_take_bytes (t, &rid));

  return rid;
}

static void
progress (TestSession *t,
          guint64      rid)
{
  bosh_session_handle_progress (t->session, rid, t->now);
  test_session_drain (t);
}

static void
test_window (void)
{
  TestSession t;
  guint64 first;
  guint n_requests = 0;

  g_test_summary ("R53: a session has no more requests open than there are connections, whatever "
                  "the server allows");

  test_session_init (&t, NULL);
  test_session_open (&t, WIDE_GRANTS);
  g_assert_cmpuint (bosh_session_get_requests (t.session), ==, 1000);
  first = take_rid (&t);
  for (guint i = 0; i < 20; i++)
    {
      test_session_queue (&t, "hello");
      test_session_advance (&t, 30 * 1000);
      for (; test_session_has_request (&t); n_requests++)
        test_session_respond (&t, take_rid (&t), "", "<message xmlns='jabber:client'/>");
    }
  g_assert_cmpuint (n_requests, ==, BOSH_MAX_WINDOW - 1);
  g_assert_cmpuint (t.payloads->len, ==, 0);

  test_session_respond (&t, first, "", "");
  g_assert_cmpuint (t.payloads->len, ==, n_requests);
  test_session_clear (&t);
}

static void
test_order (void)
{
  TestSession t;
  guint64 rids[4];

  g_test_summary ("R63: responses that wait for an earlier one are handed out whole and in order");

  test_session_init (&t, NULL);
  test_session_open (&t, WIDE_GRANTS);
  for (guint i = 0; i < G_N_ELEMENTS (rids); i++)
    {
      rids[i] = take_rid (&t);
      test_session_queue (&t, "hello");
      test_session_advance (&t, TEST_SECOND / 10);
    }
  g_assert_cmpuint (bosh_session_get_next_response (t.session), ==, rids[0]);

  test_session_respond (&t, rids[2], "", "<message id='3' xmlns='jabber:client'>x<body/></message>");
  test_session_respond (&t, rids[1], "", "<message id='1'/><message id='2'/>");
  g_assert_cmpuint (t.payloads->len, ==, 0);
  test_session_respond (&t, rids[0], "", "<message id='0'/>");
  g_assert_cmpuint (t.payloads->len, ==, 4);
  for (guint i = 0; i < 4; i++)
    {
      g_autofree char *id = g_strdup_printf ("%u", i);

      test_session_attribute (t.payloads->pdata[i], "id", id);
      g_assert_true (bosh_element_matches (t.payloads->pdata[i], "message", BOSH_NS_CLIENT));
    }
  g_assert_cmpuint (bosh_session_get_next_response (t.session), ==, rids[3]);
  test_session_clear (&t);
}

static void
test_later_begins (void)
{
  TestSession t;
  guint64 first;
  guint64 second;

  g_test_summary ("R41: when the response to a later request begins, the silent one is checked "
                  "early, and the later one is not given up while it waits");

  test_session_init (&t, NULL);
  test_session_open (&t, WIDE_GRANTS);
  first = take_rid (&t);
  test_session_queue (&t, "hello");
  test_session_advance (&t, TEST_SECOND / 10);
  second = take_rid (&t);
  progress (&t, second);
  test_session_advance (&t, TEST_SECOND * 9 / 10);
  g_assert_false (test_session_has_request (&t));
  test_session_advance (&t, TEST_SECOND * 2 / 10);
  g_assert_cmpuint (take_rid (&t), ==, first);

  /* The first has its response after a time in which the second was not read. */
  test_session_advance (&t, 69 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));
  g_assert_cmpuint (t.abandoned.length, ==, 1);
  test_session_respond (&t, first, "", "");
  g_assert_cmpuint (bosh_session_get_next_response (t.session), ==, second);
  test_session_advance (&t, 50 * TEST_SECOND);
  g_assert_cmpuint (t.abandoned.length, ==, 1);

  /* When nothing of it comes any more, it is asked for again. */
  test_session_advance (&t, 50 * TEST_SECOND);
  g_assert_cmpuint (t.abandoned.length, ==, 2);
  test_session_clear (&t);
}

static void
test_slow (void)
{
  TestSession t;
  guint64 rid;

  g_test_summary ("R32: a response that comes slowly is not asked for again, however long it "
                  "takes, and one that stops coming is");

  test_session_init (&t, NULL);
  test_session_open (&t, "sid='s1' wait='5' hold='1' requests='2' inactivity='30' polling='5'");
  rid = take_rid (&t);
  for (guint i = 0; i < 400; i++)
    {
      test_session_advance (&t, TEST_SECOND);
      progress (&t, rid);
      g_assert_false (test_session_has_request (&t));
    }
  g_assert_cmpuint (t.abandoned.length, ==, 0);
  test_session_events (&t, "");

  /* It is read to its end. */
  test_session_respond (&t, rid, "", "<message xmlns='jabber:client'/>");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  g_assert_null (t.error);

  test_session_advance (&t, TEST_SECOND / 10);
  rid = take_rid (&t);
  progress (&t, rid);
  test_session_advance (&t, 20 * TEST_SECOND);
  g_assert_cmpuint (t.abandoned.length, ==, 1);
  g_assert_cmpuint (take_rid (&t), ==, rid);
  test_session_clear (&t);
}

static void
test_slow_and_busy (void)
{
  TestSession t;
  guint64 poll;
  guint64 rid;

  g_test_summary ("A response under way is not suspected because another request is out, nor "
                  "because the network has changed before it went on");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  poll = take_rid (&t);
  test_session_advance (&t, TEST_SECOND);
  progress (&t, poll);
  test_session_queue (&t, "hello");
  test_session_advance (&t, TEST_SECOND / 2);
  rid = take_rid (&t);
  for (guint i = 0; i < 8; i++)
    {
      test_session_advance (&t, TEST_SECOND);
      progress (&t, poll);
    }
  g_assert_cmpuint (t.abandoned.length, ==, 0);

  /* The request that is held may lead nowhere, and is sent again. */
  bosh_session_handle_network (t.session, t.now);
  test_session_advance (&t, TEST_SECOND / 10);
  progress (&t, poll);
  test_session_advance (&t, TEST_SECOND);
  g_assert_cmpuint (t.abandoned.length, ==, 1);
  g_assert_cmpuint (*(guint64 *)g_queue_peek_head (&t.abandoned), ==, rid);
  test_session_respond (&t, poll, "", "<message xmlns='jabber:client'/>");
  g_assert_cmpuint (t.payloads->len, ==, 1);
  test_session_clear (&t);
}

static void
test_doubt (void)
{
  TestSession t;
  guint64 poll;
  guint64 rid;

  g_test_summary ("A request with a doubted response is sent again when the response to the next "
                  "one begins, as that has to wait for it");

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  poll = take_rid (&t);
  test_session_advance (&t, TEST_SECOND);
  test_session_fail (&t, poll, BOSH_FAILURE_BROKEN);
  g_assert_cmpuint (take_rid (&t), ==, poll);
  test_session_respond (&t, poll, "", "");
  rid = take_rid (&t);
  g_assert_cmpuint (rid, ==, poll + 1);
  test_session_advance (&t, 10 * TEST_SECOND);
  g_assert_false (test_session_has_request (&t));

  progress (&t, rid);
  g_assert_cmpuint (take_rid (&t), ==, poll);
  test_session_respond (&t, poll, "", "<message xmlns='jabber:client' id='1'/>");
  test_session_respond (&t, rid, "", "<message xmlns='jabber:client' id='2'/>");
  g_assert_cmpuint (t.payloads->len, ==, 2);
  test_session_attribute (t.payloads->pdata[0], "id", "1");
  test_session_clear (&t);
}

/* Appends a text, with a number in the place of `#`. */
static void
append_numbered (GString    *output,
                 const char *text,
                 guint       number)
{
  gsize length = strcspn (text, "#");

  g_string_append_len (output, text, length);
  if (text[length] == '#')
    g_string_append_printf (output, "%u%s", number, text + length + 1);
}

static void
test_left_out (void)
{
  static const struct
  {
    const char *name;
    const char *before;   /* of the piece that is repeated */
    const char *piece;    /* with a number in the place of `#` */
    const char *after;
    guint       times;
  } cases[] = {
    { "levels", "", "<x>", "", BOSH_XML_MAX_DEPTH },
    { "attributes", "<x ", "a#='' ", "/>", BOSH_XML_MAX_ATTRIBUTES + 1 },
    { "names", "", "<n#/>", "", BOSH_XML_MAX_NAMES + 1 },
    { "tag", "<x a='", "0123456789abcdef", "'/>", BOSH_XML_MAX_START_TAG / 16 },
    { "memory", "", "<x/>", "", BOSH_XML_MAX_CHILD / 100 },
    { "namespace", "<x xmlns='", "0123456789abcdef", "'/>", BOSH_XML_MAX_NAMESPACE_LENGTH / 16 + 1 },
    { "namespaces", "<x ", "xmlns:p#='u' ", "/>", BOSH_XML_MAX_NAMESPACES + 1 },
  };

  g_test_summary ("RFC 6120 §13.12: a stanza that is over a limit is left out as a whole, and "
                  "nothing else");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(GString) content = g_string_new (NULL);
      TestSession t;

      g_string_append (content, "<message id='before'>a<b/></message>"
                                "<iq xmlns='jabber:client' type='get' id='i&apos;1' from='a@b/c' "
                                "xml:lang='en'>");
      g_string_append (content, cases[i].before);
      for (guint j = 0; j < cases[i].times; j++)
        append_numbered (content, cases[i].piece, j);
      g_string_append (content, cases[i].after);
      for (guint j = 0; j < cases[i].times && i == 0; j++)
        g_string_append (content, "</x>");
      g_string_append (content, "<![CDATA[</iq>]]></iq> <message id='after'>c</message>");

      g_test_message ("%s", cases[i].name);
      test_session_init (&t, NULL);
      test_session_open (&t, TEST_GRANTS);
      test_session_respond (&t, take_rid (&t), "", content->str);
      test_session_events (&t, "LEFT-OUT(iq)");
      g_assert_null (t.error);
      g_assert_cmpuint (t.payloads->len, ==, 2);
      test_session_attribute (t.payloads->pdata[0], "id", "before");
      test_session_attribute (t.payloads->pdata[1], "id", "after");
      g_assert_true (bosh_element_matches (t.payloads->pdata[1], "message", BOSH_NS_CLIENT));
      test_session_attribute (t.left_out->pdata[0], "id", "i'1");
      test_session_attribute (t.left_out->pdata[0], "from", "a@b/c");
      test_session_attribute (t.left_out->pdata[0], "type", "get");
      test_session_clear (&t);
    }
}

/* Returns: the time of the processor that it takes to leave out @count stanzas */
static clock_t
leave_out (guint count)
{
  TestSession t;
  g_autoptr(GString) content = g_string_new (NULL);
  g_autoptr(GString) deep = g_string_new (NULL);
  clock_t since;

  for (guint i = 0; i < BOSH_XML_MAX_DEPTH; i++)
    g_string_append (deep, "<x>");
  for (guint i = 0; i < BOSH_XML_MAX_DEPTH; i++)
    g_string_append (deep, "</x>");
  for (guint i = 0; i < count; i++)
    g_string_append_printf (content, "<message>%s</message><presence/>", deep->str);

  test_session_init (&t, NULL);
  test_session_open (&t, TEST_GRANTS);
  since = clock ();
  test_session_respond (&t, take_rid (&t), "", content->str);
  since = clock () - since;
  g_assert_cmpuint (t.payloads->len, ==, count);
  g_assert_cmpuint (t.left_out->len, ==, count);
  test_session_clear (&t);

  return since;
}

static void
test_many_left_out (void)
{
  g_test_summary ("As many stanzas as there are may be left out, and each takes as much time as "
                  "the others");

  g_assert_cmpint (leave_out (1000), <, 30 * leave_out (100));
}

static void
test_left_out_waits (void)
{
  TestSession t;
  g_autofree char *large = g_strnfill (BOSH_XML_MAX_START_TAG, 'x');
  g_autofree char *content = g_strdup_printf ("<message id='%s'/><presence/>", large);
  guint64 rids[2];

  g_test_summary ("R63: so may those of a response that has to wait for an earlier one");

  test_session_init (&t, NULL);
  test_session_open (&t, WIDE_GRANTS);
  rids[0] = take_rid (&t);
  test_session_queue (&t, "hello");
  test_session_advance (&t, TEST_SECOND / 10);
  rids[1] = take_rid (&t);
  test_session_respond (&t, rids[1], "", content);
  g_assert_cmpuint (t.left_out->len, ==, 0);
  test_session_respond (&t, rids[0], "", "");
  g_assert_cmpuint (t.left_out->len, ==, 1);
  g_assert_cmpuint (t.payloads->len, ==, 1);
  test_session_attribute (t.left_out->pdata[0], "id", NULL);
  test_session_clear (&t);
}

static void
test_unreadable (void)
{
  static const char * const ends[] = {
    "<message>",
    "<message></message></message>",
    "<message><!-- --></message>",
    "<p:message/>",
  };
  g_autofree char *large = g_strnfill (BOSH_XML_MAX_START_TAG, 'x');

  g_test_summary ("R12-R15: what is left out does not make a body readable that is not");

  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_autofree char *content = g_strdup_printf ("<message id='%s'/>%s", large, ends[i]);
      TestSession t;

      test_session_init (&t, NULL);
      test_session_open (&t, TEST_GRANTS);
      test_session_respond (&t, take_rid (&t), "", content);
      g_assert_cmpuint (t.payloads->len + t.left_out->len, ==, 0);
      g_assert_true (test_session_has_request (&t));
      test_session_clear (&t);
    }
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/session-large/window", test_window);
  g_test_add_func ("/bosh/session-large/order", test_order);
  g_test_add_func ("/bosh/session-large/later-begins", test_later_begins);
  g_test_add_func ("/bosh/session-large/slow", test_slow);
  g_test_add_func ("/bosh/session-large/slow-and-busy", test_slow_and_busy);
  g_test_add_func ("/bosh/session-large/doubt", test_doubt);
  g_test_add_func ("/bosh/session-large/left-out", test_left_out);
  g_test_add_func ("/bosh/session-large/many-left-out", test_many_left_out);
  g_test_add_func ("/bosh/session-large/left-out-waits", test_left_out_waits);
  g_test_add_func ("/bosh/session-large/unreadable", test_unreadable);

  return g_test_run ();
}
