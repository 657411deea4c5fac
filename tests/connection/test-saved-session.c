/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <gio/gio.h>
#include <string.h>

#include "bosh-body-private.h"
#include "bosh-saved-session-private.h"
#include "bosh-element-private.h"
#include "bosh-error.h"
#include "bosh-jid-private.h"

#define URI "http://localhost:5280/http-bind/"
#define JID "alice@localhost/home"

#define BODY_41                                                               \
  "<body rid='41' sid='s3cret' xmlns='http://jabber.org/protocol/httpbind'/>"
/* With what JSON has to escape: quotes, a backslash, controls, a character
 * beyond the basic plane. */
#define BODY_42                                                               \
  "<body rid='42' sid='s3cret' xmlns='http://jabber.org/protocol/httpbind'>"  \
  "<message to=\"bob@localhost\" xmlns='jabber:client'><body>"                \
  "C:\\new\t\n\xf0\x9f\x8d\x80 \xc2\x85 \x7f / &lt;&#13;</body></message></body>"

static void
add_request (BoshSessionSnapshot *saved,
             guint64              rid,
             const char          *body,
             gboolean             has_payload)
{
  g_autoptr(GBytes) bytes = g_bytes_new (body, strlen (body));

  bosh_session_snapshot_add_unanswered (saved, rid, bytes, has_payload);
}

static BoshSessionSnapshot *
new_full (void)
{
  BoshSessionSnapshot *saved = bosh_session_snapshot_new ();
  g_autoptr(BoshElement) unsent = bosh_element_new_message ("bob@localhost", "chat", "„hi“ & <bye>");
  g_autoptr(BoshElement) received = bosh_element_new_message ("bob@localhost", "chat", "1 < 2");

  saved->domain = g_strdup ("localhost");
  saved->session_id = g_strdup ("s3cret");
  saved->next_rid = 43;
  add_request (saved, 41, BODY_41, FALSE);
  add_request (saved, 42, BODY_42, TRUE);
  bosh_session_snapshot_add_unsent (saved, unsent, NULL);
  bosh_session_snapshot_add_received (saved, received, NULL);
  saved->language = g_strdup ("de");
  saved->version = g_strdup ("1.11");
  saved->wait = 55;
  saved->hold = 1;
  saved->requests = 2;
  saved->inactivity = 30;
  saved->polling = 2;
  saved->max_pause = 120;
  saved->acknowledges = TRUE;
  saved->acknowledging = FALSE;
  saved->key_seed = g_strdup ("seed");
  saved->key_length = 5000;
  saved->key_position = 17;

  return saved;
}

static void
assert_request (const BoshSessionSnapshot *saved,
                guint                      index,
                guint64                    rid,
                const char                *body,
                gboolean                   has_payload)
{
  const BoshSnapshotRequest *request;

  request = &g_array_index (saved->unanswered, BoshSnapshotRequest, index);
  g_assert_cmpuint (request->rid, ==, rid);
  g_assert_cmpmem (g_bytes_get_data (request->body, NULL),
                   g_bytes_get_size (request->body),
                   body,
                   strlen (body));
  g_assert_cmpint (request->has_payload, ==, has_payload);
}

static void
assert_full (BoshSavedSession *session)
{
  const BoshSessionSnapshot *saved = bosh_saved_session_get_saved (session);
  const char * const *cookies = bosh_saved_session_get_cookies (session);
  g_autoptr(BoshElement) stanza = NULL;

  g_assert_cmpstr (bosh_saved_session_get_uri (session), ==, URI);
  g_assert_cmpstr (bosh_saved_session_get_domain (session), ==, "localhost");
  g_assert_cmpstr (bosh_saved_session_get_jid (session), ==, JID);
  g_assert_cmpstr (bosh_saved_session_get_session_id (session), ==, "s3cret");
  g_assert_cmpuint (bosh_saved_session_get_request_id (session), ==, 41);
  g_assert_true (bosh_saved_session_has_key_sequence (session));

  g_assert_cmpuint (saved->next_rid, ==, 43);
  g_assert_cmpuint (saved->unanswered->len, ==, 2);
  assert_request (saved, 0, 41, BODY_41, FALSE);
  assert_request (saved, 1, 42, BODY_42, TRUE);
  g_assert_cmpuint (saved->unsent->len, ==, 1);
  stanza = bosh_element_new_message ("bob@localhost", "chat", "„hi“ & <bye>");
  g_assert_true (bosh_element_equal (g_ptr_array_index (saved->unsent, 0), stanza));
  g_clear_pointer (&stanza, bosh_element_unref);
  g_assert_cmpuint (saved->received->len, ==, 1);
  stanza = bosh_element_new_message ("bob@localhost", "chat", "1 < 2");
  g_assert_true (bosh_element_equal (g_ptr_array_index (saved->received, 0), stanza));
  g_assert_cmpstr (saved->language, ==, "de");
  g_assert_cmpstr (saved->version, ==, "1.11");
  g_assert_cmpuint (saved->wait, ==, 55);
  g_assert_cmpuint (saved->hold, ==, 1);
  g_assert_cmpuint (saved->requests, ==, 2);
  g_assert_cmpuint (saved->inactivity, ==, 30);
  g_assert_cmpuint (saved->polling, ==, 2);
  g_assert_cmpuint (saved->max_pause, ==, 120);
  g_assert_true (saved->acknowledges);
  g_assert_false (saved->acknowledging);
  g_assert_cmpstr (saved->key_seed, ==, "seed");
  g_assert_cmpuint (saved->key_length, ==, 5000);
  g_assert_cmpuint (saved->key_position, ==, 17);

  g_assert_cmpuint (g_strv_length ((GStrv)cookies), ==, 2);
  g_assert_cmpstr (cookies[0], ==, "node=\"b\"; path=/");
  g_assert_cmpstr (cookies[1], ==, "x=1");
}

static void
test_round_trip (void)
{
  const char * const cookies[] = { "node=\"b\"; path=/", "x=1", NULL };
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(BoshSavedSession) again = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *json = NULL;
  g_autofree char *json_again = NULL;

  g_test_summary ("XEP-0124 §14.3: a request is repeated as an exact copy, so "
                  "its bytes pass through JSON unchanged");

  session = bosh_saved_session_new_from_saved (URI, JID, new_full (), cookies);
  assert_full (session);

  json = bosh_saved_session_to_json (session);
  again = bosh_saved_session_new_from_json (json, &error);
  g_assert_no_error (error);
  assert_full (again);

  json_again = bosh_saved_session_to_json (again);
  g_assert_cmpstr (json_again, ==, json);

  g_assert_finalize_object (g_steal_pointer (&session));
  g_assert_finalize_object (g_steal_pointer (&again));
}

static void
test_member_order (void)
{
  BoshSessionSnapshot *saved = bosh_session_snapshot_new ();
  g_autoptr(BoshSavedSession) session = NULL;
  g_autofree char *json = NULL;

  g_test_summary ("The members come in the documented order; `rid` is the number "
                  "to send first");

  saved->domain = g_strdup ("localhost");
  saved->session_id = g_strdup ("s3cret");
  saved->next_rid = 42;
  add_request (saved, 41, BODY_41, FALSE);
  saved->wait = 55;
  saved->hold = 1;
  saved->requests = 2;
  saved->inactivity = 60;
  saved->polling = 5;
  saved->version = g_strdup ("1.6");
  session = bosh_saved_session_new_from_saved (URI, JID, saved, NULL);

  json = bosh_saved_session_to_json (session);
  g_assert_cmpstr (json, ==,
                   "{\"version\":1,\"uri\":\"" URI "\",\"domain\":\"localhost\","
                   "\"jid\":\"" JID "\",\"sid\":\"s3cret\",\"rid\":41,"
                   "\"next-rid\":42,\"wait\":55,\"hold\":1,\"requests\":2,"
                   "\"inactivity\":60,\"polling\":5,\"maxpause\":0,"
                   "\"ver\":\"1.6\",\"acknowledges\":false,"
                   "\"acknowledging\":false,\"unanswered\":[{\"rid\":41,"
                   "\"body\":\"" BODY_41 "\",\"payload\":false}],"
                   "\"unsent\":[],\"received\":[],\"cookies\":[]}");
}

static void
assert_cautious (BoshSavedSession *session)
{
  const BoshSessionSnapshot *saved = bosh_saved_session_get_saved (session);

  g_assert_cmpstr (bosh_saved_session_get_uri (session), ==, URI);
  g_assert_cmpstr (bosh_saved_session_get_domain (session), ==, "localhost");
  g_assert_cmpstr (bosh_saved_session_get_jid (session), ==, JID);
  g_assert_cmpstr (bosh_saved_session_get_session_id (session), ==, "abc");
  g_assert_cmpuint (bosh_saved_session_get_request_id (session), ==, BOSH_MAX_RID);
  g_assert_false (bosh_saved_session_has_key_sequence (session));
  g_assert_null (bosh_saved_session_get_cookies (session)[0]);
  g_assert_cmpuint (saved->next_rid, ==, BOSH_MAX_RID);
  g_assert_cmpuint (saved->unanswered->len, ==, 0);
  g_assert_cmpuint (saved->unsent->len, ==, 0);
  g_assert_cmpuint (saved->wait, ==, 60);
  g_assert_cmpuint (saved->hold, ==, 1);
  g_assert_cmpuint (saved->requests, ==, 2);
  g_assert_cmpuint (saved->inactivity, ==, 60);
  g_assert_cmpuint (saved->polling, ==, 5);
  g_assert_cmpuint (saved->max_pause, ==, 0);
  g_assert_false (saved->acknowledges);
  g_assert_false (saved->acknowledging);
}

static void
test_foreign (void)
{
  static const char * const texts[] = {
    "{\"jid\":\"" JID "\",\"sid\":\"abc\",\"rid\":9007199254740991,\"uri\":\"" URI "\"}",
    "{\"jid\":\"" JID "\",\"sid\":\"abc\",\"rid\":\"9007199254740991\",\"uri\":\"" URI "\"}",
    " {\n\t\"rid\" : \"9007199254740991\" , \"extra\" : [ { \"a\" : [ null, -1.5e3, "
    "true ] } ], \"jid\":\"\\u0061lice@localhost\\/home\",\"sid\":\"abc\",\"domain\":null,"
    "\"uri\":\"" URI "\", \"unanswered\":[], \"key-sequence\":null} \r\n",
  };
  g_autoptr(BoshSavedSession) made = NULL;

  g_test_summary ("What a prebinding web server gives is enough: uri, jid, sid, "
                  "rid, the last also as a string");

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(BoshSavedSession) session = NULL;

      session = bosh_saved_session_new_from_json (texts[i], &error);
      g_assert_no_error (error);
      assert_cautious (session);
    }

  made = bosh_saved_session_new (URI, JID, "abc", BOSH_MAX_RID);
  assert_cautious (made);
}

static void
test_properties (void)
{
  g_autoptr(BoshSavedSession) session = NULL;
  g_autofree char *uri = NULL;
  g_autofree char *domain = NULL;
  g_autofree char *jid = NULL;
  g_autofree char *session_id = NULL;
  guint64 request_id = 0;

  g_test_summary ("Each property tells what its getter tells");

  session = bosh_saved_session_new (URI, "a@b.example/c/d@e", "abc", 7);
  g_object_get (session,
                "uri", &uri,
                "domain", &domain,
                "jid", &jid,
                "session-id", &session_id,
                "request-id", &request_id,
                NULL);
  g_assert_cmpstr (uri, ==, URI);
  g_assert_cmpstr (domain, ==, "b.example");
  g_assert_cmpstr (jid, ==, "a@b.example/c/d@e");
  g_assert_cmpstr (session_id, ==, "abc");
  g_assert_cmpuint (request_id, ==, 7);
}

static void
test_without_jid (void)
{
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(BoshSavedSession) again = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *json = NULL;

  g_test_summary ("A session in which nobody logged in can be handed over too");

  session = bosh_saved_session_new_from_saved (URI, NULL, new_full (), NULL);
  json = bosh_saved_session_to_json (session);
  again = bosh_saved_session_new_from_json (json, &error);
  g_assert_no_error (error);
  g_assert_null (bosh_saved_session_get_jid (again));
  g_assert_cmpstr (bosh_saved_session_get_domain (again), ==, "localhost");
}

static void
test_bare_object (void)
{
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(BoshSavedSession) again = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *json = NULL;

  g_test_summary ("An object made without a constructor is harmless");

  session = g_object_new (BOSH_TYPE_SAVED_SESSION, NULL);
  g_assert_cmpstr (bosh_saved_session_get_uri (session), ==, "");
  g_assert_cmpuint (bosh_saved_session_get_request_id (session), ==, 0);
  json = bosh_saved_session_to_json (session);
  again = bosh_saved_session_new_from_json (json, &error);
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA);
  g_assert_null (again);
}

static void
assert_refused (const char *json)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshSavedSession) session = NULL;

  session = bosh_saved_session_new_from_json (json, &error);
  if (session != NULL)
    g_error ("accepted: %.300s", json);
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA);
  g_assert_null (strstr (error->message, "s3cret"));
}

/* Members of an object that is right but for one of them. */
#define GOOD_JID "\"jid\":\"" JID "\","
#define GOOD_SID "\"sid\":\"s3cret\","
#define GOOD_RID "\"rid\":41,"
#define GOOD_URI "\"uri\":\"" URI "\","
#define GOOD GOOD_JID GOOD_SID GOOD_RID GOOD_URI

static void
test_bad_members (void)
{
  static const char * const members[] = {
    /* What names the session. */
    GOOD_SID GOOD_RID GOOD_URI "\"x\":1",
    GOOD_JID GOOD_RID GOOD_URI "\"x\":1",
    GOOD_JID GOOD_SID GOOD_URI "\"x\":1",
    GOOD_JID GOOD_SID GOOD_RID "\"x\":1",
    GOOD_JID GOOD_SID GOOD_RID "\"uri\":\"ftp://localhost/\"",
    GOOD_JID GOOD_SID GOOD_RID "\"uri\":\"http://\"",
    GOOD_JID GOOD_SID GOOD_RID "\"uri\":\"/http-bind\"",
    GOOD_JID GOOD_SID GOOD_RID "\"uri\":5",
    GOOD_JID GOOD_SID GOOD_RID "\"uri\":\"http://u:s3cret@localhost/\"",
    GOOD_JID GOOD_SID GOOD_RID "\"uri\":\"http://u%40localhost/\"",
    GOOD_JID GOOD_SID GOOD_RID "\"uri\":\"http://localhost:0/\"",
    GOOD_JID GOOD_SID GOOD_RID "\"uri\":\"http://localhost:65536/\"",
    GOOD_JID GOOD_SID GOOD_RID "\"uri\":\"http://h%25/\"",
    GOOD_JID GOOD_SID GOOD_RID "\"uri\":\"http://[::1%25lo]/\"",
    GOOD_SID GOOD_RID GOOD_URI "\"jid\":\"\"",
    GOOD_SID GOOD_RID GOOD_URI "\"jid\":\"alice@\"",
    GOOD_SID GOOD_RID GOOD_URI "\"jid\":\"/home\"",
    GOOD_SID GOOD_RID GOOD_URI "\"jid\":[]",
    GOOD_JID GOOD_RID GOOD_URI "\"sid\":\"\"",
    GOOD_JID GOOD_RID GOOD_URI "\"sid\":\"a\\u0001b\"",
    GOOD_JID GOOD_RID GOOD_URI "\"sid\":\"\\ud800\"",
    GOOD_JID GOOD_RID GOOD_URI "\"sid\":{}",
    GOOD "\"domain\":\"\"",
    GOOD "\"domain\":7",
    /* Numbers. */
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":0",
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":-1",
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":1.0",
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":1e3",
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":9007199254740992",
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":18446744073709551616",
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":99999999999999999999999999999",
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":\"\"",
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":\" 1\"",
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":\"0\"",
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":\"12x\"",
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":\"9007199254740992\"",
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":true",
    GOOD_JID GOOD_SID GOOD_URI "\"rid\":[41]",
    GOOD "\"next-rid\":40",
    GOOD "\"next-rid\":42",
    GOOD "\"next-rid\":9007199254740992",
    GOOD "\"next-rid\":\"41\"",
    GOOD "\"version\":2",
    GOOD "\"version\":0",
    GOOD "\"version\":\"1\"",
    GOOD "\"wait\":-1",
    GOOD "\"wait\":86401",
    GOOD "\"wait\":\"60\"",
    GOOD "\"hold\":4294967296",
    GOOD "\"requests\":1.5",
    GOOD "\"inactivity\":86401",
    GOOD "\"polling\":[]",
    GOOD "\"maxpause\":86401",
    GOOD "\"ver\":1.6",
    GOOD "\"language\":{}",
    GOOD "\"acknowledges\":1",
    GOOD "\"acknowledging\":\"false\"",
    /* Stanzas. */
    GOOD "\"received\":[\"<message>\"]",
    GOOD "\"unsent\":{}",
    GOOD "\"unsent\":[1]",
    GOOD "\"unsent\":[\"\"]",
    GOOD "\"unsent\":[\"<message>\"]",
    GOOD "\"unsent\":[\"<a/><b/>\"]",
    GOOD "\"unsent\":[\"<!--x--><a/>\"]",
    /* Keys. */
    GOOD "\"key-sequence\":\"seed\"",
    GOOD "\"key-sequence\":{}",
    GOOD "\"key-sequence\":{\"length\":10,\"position\":1}",
    GOOD "\"key-sequence\":{\"seed\":\"\",\"length\":10,\"position\":1}",
    GOOD "\"key-sequence\":{\"seed\":\"x\",\"length\":1,\"position\":0}",
    GOOD "\"key-sequence\":{\"seed\":\"x\",\"length\":65537,\"position\":0}",
    GOOD "\"key-sequence\":{\"seed\":\"x\",\"length\":10,\"position\":10}",
    GOOD "\"key-sequence\":{\"seed\":\"x\",\"length\":10,\"position\":-1}",
    /* Cookies. */
    GOOD "\"cookies\":\"a=b\"",
    GOOD "\"cookies\":[1]",
    GOOD "\"cookies\":[\"\"]",
    GOOD "\"cookies\":[\"a=b\\r\\nX: y\"]",
  };
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshSavedSession) session = NULL;

  g_test_summary ("Each member is checked for its type and range");

  session = bosh_saved_session_new_from_json ("{" GOOD "\"x\":1}", &error);
  g_assert_no_error (error);

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      g_autofree char *json = g_strdup_printf ("{%s}", members[i]);

      assert_refused (json);
    }
}

#define REQUEST(rid, body) "{\"rid\":" rid ",\"body\":\"" body "\"}"
#define PLAIN(rid)                                                            \
  "<body rid='" rid "' sid='s3cret' xmlns='http://jabber.org/protocol/httpbind'/>"

static void
test_bad_requests (void)
{
  static const char * const members[] = {
    "\"unanswered\":{}",
    "\"unanswered\":[1]",
    "\"unanswered\":[{}]",
    "\"unanswered\":[{\"rid\":41}]",
    "\"unanswered\":[" REQUEST ("0", PLAIN ("0")) "]",
    "\"unanswered\":[" REQUEST ("41", "") "]",
    "\"unanswered\":[" REQUEST ("41", "<body") "]",
    "\"unanswered\":[" REQUEST ("41", "<body rid='41' sid='s3cret'/>") "]",
    "\"unanswered\":[" REQUEST ("41", "<x rid='41' sid='s3cret' "
                                      "xmlns='http://jabber.org/protocol/httpbind'/>") "]",
    /* Of another session, or with another number. */
    "\"unanswered\":[" REQUEST ("41", "<body rid='41' sid='other' "
                                      "xmlns='http://jabber.org/protocol/httpbind'/>") "]",
    "\"unanswered\":[" REQUEST ("41", PLAIN ("42")) "]",
    /* Not the number to send first. */
    "\"unanswered\":[" REQUEST ("40", PLAIN ("40")) "]",
    /* Out of order, twice, not below the next. */
    "\"unanswered\":[" REQUEST ("41", PLAIN ("41")) "," REQUEST ("40", PLAIN ("40")) "]",
    "\"unanswered\":[" REQUEST ("41", PLAIN ("41")) "," REQUEST ("41", PLAIN ("41")) "]",
    "\"next-rid\":41,\"unanswered\":[" REQUEST ("41", PLAIN ("41")) "]",
    "\"unanswered\":[{\"rid\":41,\"body\":\"" PLAIN ("41") "\",\"payload\":1}]",
  };
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshSavedSession) session = NULL;

  g_test_summary ("XEP-0124 §14.3: only requests of this very session are repeated");

  session = bosh_saved_session_new_from_json ("{" GOOD "\"unanswered\":["
                                                 REQUEST ("41", PLAIN ("41")) ","
                                                 REQUEST ("42", PLAIN ("42")) "]}",
                                                 &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bosh_saved_session_get_saved (session)->next_rid, ==, 43);

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      g_autofree char *json = g_strdup_printf ("{" GOOD "%s}", members[i]);

      assert_refused (json);
    }
}

static char *
repeat (const char *text,
        guint       times,
        const char *before,
        const char *after)
{
  GString *result = g_string_new (before);

  for (guint i = 0; i < times; i++)
    g_string_append (result, text);
  g_string_append (result, after);

  return g_string_free (result, FALSE);
}

static void
test_hostile_json (void)
{
  static const char * const texts[] = {
    "",
    " ",
    "null",
    "41",
    "\"x\"",
    "[]",
    "{",
    "}",
    "{\"jid\"",
    "{\"jid\":\"" JID "\"",
    "{" GOOD "\"x\":1}{",
    "{" GOOD "\"x\":1}{" GOOD "\"x\":1}",
    "[]{" GOOD "\"x\":1}",
    "{" GOOD "\"x\":1} \"x\"",
    "\xff",
    "{\"jid\":\"\xff\"}",
    "{\"jid\":\"\\",
    "{" GOOD "\"x\":\"\\x41\"}",
    "{" GOOD "\"x\":\"\\u12\"}",
    "{" GOOD "\"x\":\"\\u12g4\"}",
    "{" GOOD "\"x\":\"\\ud83d\"}",
    "{" GOOD "\"x\":\"\\ud83d\\n\"}",
    "{" GOOD "\"x\":\"\\ude00\"}",
    "{" GOOD "\"x\":\"\\ud83d\\ud83d\"}",
    /* What json-glib reads though it is no JSON. */
    "var session = {" GOOD "\"x\":1};",
    "{/* \" */" GOOD "\"x\":1}",
    "{" GOOD "'x':1}",
    "// \"\n{" GOOD "\"x\":1}",
  };
  static const char * const units[] = {
    "[",
    "{\"a\":",
    "[{\"a\":",
    "[[],",
    "'\"',[",
    "]",
  };
  g_autofree char *wide = NULL;
  g_autofree char *deep = NULL;
  g_autofree char *long_jid = NULL;

  g_test_summary ("Data that is no JSON, too deep or too wide is refused at once");

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    assert_refused (texts[i]);

  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    {
      g_autofree char *plain = repeat (units[i], 100000, "", "");
      g_autofree char *inside = repeat (units[i], 100000, "{" GOOD "\"x\":", "}");

      assert_refused (plain);
      assert_refused (inside);
    }

  deep = repeat ("[", 17, "{" GOOD "\"x\":", "]]]]]]]]]]]]]]]]]}");
  assert_refused (deep);
  wide = repeat ("0,", 1000001, "{" GOOD "\"x\":[", "0]}");
  assert_refused (wide);
  long_jid = repeat ("a", BOSH_JID_MAX_LENGTH, "{" GOOD_SID GOOD_RID GOOD_URI "\"jid\":\"a",
                     "\"}");
  assert_refused (long_jid);
}

static void
test_large (void)
{
  g_autofree char *json = NULL;
  g_autofree char *too_long = NULL;
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("Brackets in strings do not count; 64 MiB and no more are read");

  json = repeat ("[{\\\"", 100000, "{" GOOD "\"x\":\"", "\"}");
  session = bosh_saved_session_new_from_json (json, &error);
  g_assert_no_error (error);
  g_assert_nonnull (session);

  too_long = g_malloc (64 * 1024 * 1024 + 2);
  memset (too_long, ' ', 64 * 1024 * 1024 + 1);
  too_long[64 * 1024 * 1024 + 1] = '\0';
  assert_refused (too_long);
}

static void
test_last_number (void)
{
  static const char json[] =
    "{\"uri\":\"" URI "\",\"jid\":\"" JID "\",\"sid\":\"abc\",\"rid\":9007199254740991,"
    "\"unanswered\":[{\"rid\":9007199254740991,\"body\":\"<body "
    "xmlns='http://jabber.org/protocol/httpbind' rid='9007199254740991' sid='abc'/>\"}]}";
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshSavedSession) detached = NULL;
  g_autoptr(BoshSavedSession) again = NULL;
  g_autofree char *text = NULL;

  g_test_summary ("XEP-0124 §14.1: a session whose last number is out can be written and read");

  detached = bosh_saved_session_new_from_json (json, &error);
  g_assert_no_error (error);
  text = bosh_saved_session_to_json (detached);
  again = bosh_saved_session_new_from_json (text, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bosh_saved_session_get_request_id (again), ==,
                    G_GUINT64_CONSTANT (9007199254740991));
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/saved-session/round-trip", test_round_trip);
  g_test_add_func ("/bosh/saved-session/member-order", test_member_order);
  g_test_add_func ("/bosh/saved-session/foreign", test_foreign);
  g_test_add_func ("/bosh/saved-session/properties", test_properties);
  g_test_add_func ("/bosh/saved-session/without-jid", test_without_jid);
  g_test_add_func ("/bosh/saved-session/bare-object", test_bare_object);
  g_test_add_func ("/bosh/saved-session/bad-members", test_bad_members);
  g_test_add_func ("/bosh/saved-session/bad-requests", test_bad_requests);
  g_test_add_func ("/bosh/saved-session/hostile-json", test_hostile_json);
  g_test_add_func ("/bosh/saved-session/large", test_large);
  g_test_add_func ("/bosh/saved-session/last-number", test_last_number);

  return g_test_run ();
}
