/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-body-private.h"
#include "bosh-element-private.h"
#include "bosh-error.h"
#include "bosh-jid-private.h"
#include "bosh-limits-private.h"
#include "bosh-saved-session-private.h"
#include "bosh-session-private.h"
#include "bosh-session-save-private.h"
#include "bosh-http-cookies-private.h"
#include "bosh-uri-private.h"
#include "bosh-xml-private.h"
#include "bosh-xml-text-private.h"

#include <string.h>
#include <time.h>

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
add_request (BoshSessionSnapshot *snapshot,
             guint64              rid,
             const char          *body,
             gboolean             has_payload)
{
  g_autoptr(GBytes) bytes = g_bytes_new (body, strlen (body));

  bosh_session_snapshot_add_unanswered (snapshot, rid, bytes, has_payload);
}

static BoshSessionSnapshot *
new_full (void)
{
  BoshSessionSnapshot *snapshot = bosh_session_snapshot_new ();
  g_autoptr(BoshElement) unsent = bosh_element_new_message ("bob@localhost", "chat", "„hi“ & <bye>");
  g_autoptr(BoshElement) received = bosh_element_new_message ("bob@localhost", "chat", "1 < 2");

  snapshot->domain = g_strdup ("localhost");
  snapshot->session_id = g_strdup ("s3cret");
  snapshot->next_rid = 43;
  add_request (snapshot, 41, BODY_41, FALSE);
  add_request (snapshot, 42, BODY_42, TRUE);
  bosh_session_snapshot_add_unsent (snapshot, unsent, NULL);
  bosh_session_snapshot_add_received (snapshot, received, NULL);
  snapshot->language = g_strdup ("de");
  snapshot->version = g_strdup ("1.11");
  snapshot->wait = 55;
  snapshot->hold = 1;
  snapshot->requests = 2;
  snapshot->inactivity = 30;
  snapshot->polling = 2;
  snapshot->max_pause = 120;
  snapshot->acknowledges = TRUE;
  snapshot->acknowledging = FALSE;
  snapshot->sorts = TRUE;
  snapshot->key_seed = g_strdup ("seed");
  snapshot->key_length = 5000;
  snapshot->key_position = 17;

  return snapshot;
}

static void
assert_request (const BoshSessionSnapshot *snapshot,
                guint                      index,
                guint64                    rid,
                const char                *body,
                gboolean                   has_payload)
{
  const BoshSnapshotRequest *request;

  request = &g_array_index (snapshot->unanswered, BoshSnapshotRequest, index);
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
  const BoshSessionSnapshot *snapshot = bosh_saved_session_get_snapshot (session);
  const char * const *cookies = bosh_saved_session_get_cookies (session);
  g_autoptr(BoshElement) stanza = NULL;

  g_assert_cmpstr (bosh_saved_session_get_uri (session), ==, URI);
  g_assert_cmpstr (bosh_saved_session_get_domain (session), ==, "localhost");
  g_assert_cmpstr (bosh_saved_session_get_jid (session), ==, JID);
  g_assert_cmpstr (bosh_saved_session_get_session_id (session), ==, "s3cret");
  g_assert_cmpuint (bosh_saved_session_get_request_id (session), ==, 41);
  g_assert_true (bosh_saved_session_has_key_sequence (session));
  g_assert_true (bosh_saved_session_has_open_request (session));

  g_assert_cmpuint (snapshot->next_rid, ==, 43);
  g_assert_cmpuint (snapshot->unanswered->len, ==, 2);
  assert_request (snapshot, 0, 41, BODY_41, FALSE);
  assert_request (snapshot, 1, 42, BODY_42, TRUE);
  g_assert_cmpuint (snapshot->unsent->len, ==, 1);
  stanza = bosh_element_new_message ("bob@localhost", "chat", "„hi“ & <bye>");
  g_assert_true (bosh_element_equal (g_ptr_array_index (snapshot->unsent, 0), stanza));
  g_clear_pointer (&stanza, bosh_element_unref);
  g_assert_cmpuint (snapshot->received->len, ==, 1);
  stanza = bosh_element_new_message ("bob@localhost", "chat", "1 < 2");
  g_assert_true (bosh_element_equal (g_ptr_array_index (snapshot->received, 0), stanza));
  g_assert_cmpstr (snapshot->language, ==, "de");
  g_assert_cmpstr (snapshot->version, ==, "1.11");
  g_assert_cmpuint (snapshot->wait, ==, 55);
  g_assert_cmpuint (snapshot->hold, ==, 1);
  g_assert_cmpuint (snapshot->requests, ==, 2);
  g_assert_cmpuint (snapshot->inactivity, ==, 30);
  g_assert_cmpuint (snapshot->polling, ==, 2);
  g_assert_cmpuint (snapshot->max_pause, ==, 120);
  g_assert_true (snapshot->acknowledges);
  g_assert_false (snapshot->acknowledging);
  g_assert_true (snapshot->sorts);
  g_assert_cmpstr (snapshot->key_seed, ==, "seed");
  g_assert_cmpuint (snapshot->key_length, ==, 5000);
  g_assert_cmpuint (snapshot->key_position, ==, 17);

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

  session = bosh_saved_session_new_from_snapshot (URI, JID, new_full (), cookies);
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
  BoshSessionSnapshot *snapshot = bosh_session_snapshot_new ();
  g_autoptr(BoshSavedSession) session = NULL;
  g_autofree char *json = NULL;

  g_test_summary ("The members come in the documented order; `rid` is the number "
                  "to send first");

  snapshot->domain = g_strdup ("localhost");
  snapshot->session_id = g_strdup ("s3cret");
  snapshot->next_rid = 42;
  add_request (snapshot, 41, BODY_41, FALSE);
  snapshot->wait = 55;
  snapshot->hold = 1;
  snapshot->requests = 2;
  snapshot->inactivity = 60;
  snapshot->polling = 5;
  snapshot->version = g_strdup ("1.6");
  session = bosh_saved_session_new_from_snapshot (URI, JID, snapshot, NULL);

  json = bosh_saved_session_to_json (session);
  g_assert_cmpstr (json, ==,
                   "{\"version\":1,\"uri\":\"" URI "\",\"domain\":\"localhost\","
                   "\"jid\":\"" JID "\",\"sid\":\"s3cret\",\"rid\":41,"
                   "\"open-request\":true,\"next-rid\":42,\"wait\":55,\"hold\":1,\"requests\":2,"
                   "\"inactivity\":60,\"polling\":5,\"maxpause\":0,"
                   "\"ver\":\"1.6\",\"acknowledges\":false,"
                   "\"acknowledging\":false,\"sorts\":false,\"unanswered\":[{\"rid\":41,"
                   "\"body\":\"" BODY_41 "\",\"payload\":false}],"
                   "\"unsent\":[],\"received\":[],\"cookies\":[]}");
}

static void
test_printable (void)
{
  /* What JSON must escape, C1, no-break space, directions, zero width, lines, a tag. */
  const char *sid = "\x1b\x7f\302\233\302\240\342\200\256\342\201\246\342\200\213"
                    "\342\200\250\342\200\251\357\273\277\363\240\201\201\303\274";
  g_autoptr(BoshSavedSession) session =
    g_object_new (BOSH_TYPE_SAVED_SESSION, "uri", URI, "jid", JID, "session-id", sid, NULL);
  g_autofree char *json = bosh_saved_session_to_json (session);

  g_test_summary ("What a server puts into a session shows as text on a terminal");

  g_assert_nonnull (strstr (json, "\"\\u001b\\u007f\\u009b\302\240\\u202e\\u2066\\u200b"
                                  "\\u2028\\u2029\\ufeff\\udb40\\udc41\303\274\""));
}

static void
assert_cautious (BoshSavedSession *session)
{
  const BoshSessionSnapshot *snapshot = bosh_saved_session_get_snapshot (session);
  const char * const *cookies = bosh_saved_session_get_cookies (session);

  g_assert_cmpstr (bosh_saved_session_get_uri (session), ==, URI);
  g_assert_cmpstr (bosh_saved_session_get_domain (session), ==, "localhost");
  g_assert_cmpstr (bosh_saved_session_get_jid (session), ==, JID);
  g_assert_cmpstr (bosh_saved_session_get_session_id (session), ==, "abc");
  g_assert_cmpuint (bosh_saved_session_get_request_id (session), ==, BOSH_MAX_RID);
  g_assert_false (bosh_saved_session_has_key_sequence (session));
  g_assert_true (cookies == NULL || cookies[0] == NULL);
  g_assert_cmpuint (snapshot->next_rid, ==, BOSH_MAX_RID);
  g_assert_cmpuint (snapshot->unanswered->len, ==, 0);
  g_assert_cmpuint (snapshot->unsent->len, ==, 0);
  g_assert_cmpuint (snapshot->wait, ==, 60);
  g_assert_cmpuint (snapshot->hold, ==, 1);
  g_assert_cmpuint (snapshot->requests, ==, 2);
  g_assert_cmpuint (snapshot->inactivity, ==, 60);
  g_assert_cmpuint (snapshot->polling, ==, 5);
  g_assert_cmpuint (snapshot->max_pause, ==, 0);
  g_assert_false (snapshot->acknowledges);
  g_assert_false (snapshot->acknowledging);
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

  made = bosh_saved_session_new (URI, JID, "abc", BOSH_MAX_RID, NULL);
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
  gboolean has_key_sequence = TRUE;
  gboolean has_open_request = TRUE;

  g_test_summary ("A session can be made with properties, and each reads as it was given");

  session = g_object_new (BOSH_TYPE_SAVED_SESSION,
                          "uri", "HTTP://localhost:5280/http-bind/",
                          "jid", "a@b.example/c/d@e",
                          "session-id", "abc",
                          "request-id", G_GUINT64_CONSTANT (7),
                          NULL);
  g_assert_true (bosh_saved_session_validate (session, NULL));
  g_object_get (session,
                "uri", &uri,
                "domain", &domain,
                "jid", &jid,
                "session-id", &session_id,
                "request-id", &request_id,
                "has-key-sequence", &has_key_sequence,
                "has-open-request", &has_open_request,
                NULL);
  g_assert_cmpstr (uri, ==, URI);
  g_assert_cmpstr (domain, ==, "b.example");
  g_assert_cmpstr (jid, ==, "a@b.example/c/d@e");
  g_assert_cmpstr (session_id, ==, "abc");
  g_assert_cmpuint (request_id, ==, 7);
  g_assert_false (has_key_sequence);
  g_assert_false (has_open_request);
}

static void
test_bad_properties (void)
{
  static const struct
  {
    const char *uri;
    const char *jid;
    const char *session_id;
    guint64 request_id;
  } cases[] = {
    { NULL, NULL, NULL, 0 },
    { "", JID, "abc", 7 },
    { "localhost", JID, "abc", 7 },
    { "http://u:s3cret@localhost/", JID, "abc", 7 },
    { "http://h%25/", JID, "abc", 7 },
    { URI, NULL, "abc", 7 },
    { URI, "", "abc", 7 },
    { URI, "alice@", "abc", 7 },
    { URI, "/home", "abc", 7 },
    { URI, "alice\x01@localhost/home", "abc", 7 },
    { URI, JID, NULL, 7 },
    { URI, JID, "", 7 },
    { URI, JID, "a\x01", 7 },
    { URI, JID, "a\xff", 7 },
    { URI, JID, "abc", 0 },
    { URI, JID, "abc", BOSH_MAX_RID + 1 },
    { URI, JID, "abc", G_MAXUINT64 },
  };
  g_autofree char *long_id = g_strnfill (BOSH_SESSION_MAX_NAME_LENGTH + 1, 'a');
  g_autofree char *long_jid = g_strnfill (BOSH_JID_MAX_LENGTH + 1, 'a');

  g_test_summary ("Values that can't name a session are an error, and no warning");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshSavedSession) session = NULL;
      g_autoptr(BoshSavedSession) again = NULL;
      g_autoptr(GError) error = NULL;
      g_autofree char *json = NULL;

      session = g_object_new (BOSH_TYPE_SAVED_SESSION,
                              "uri", cases[i].uri,
                              "jid", cases[i].jid,
                              "session-id", cases[i].session_id,
                              "request-id", cases[i].request_id,
                              NULL);
      g_assert_false (bosh_saved_session_validate (session, &error));
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA);
      g_assert_null (strstr (error->message, "s3cret"));
      g_assert_cmpstr (bosh_saved_session_get_uri (session), ==, cases[i].uri);
      if (cases[i].uri != NULL && cases[i].jid != NULL && cases[i].session_id != NULL)
        g_assert_null (bosh_saved_session_new (cases[i].uri, cases[i].jid, cases[i].session_id,
                                               cases[i].request_id, NULL));

      json = bosh_saved_session_to_json (session);
      again = bosh_saved_session_new_from_json (json, NULL);
      g_assert_null (again);
    }

  g_assert_null (bosh_saved_session_new (URI, JID, long_id, 7, NULL));
  g_assert_null (bosh_saved_session_new (URI, long_jid, "abc", 7, NULL));
}

static void
test_without_jid (void)
{
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(BoshSavedSession) again = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *json = NULL;

  g_test_summary ("A session in which nobody logged in can be handed over too");

  session = bosh_saved_session_new_from_snapshot (URI, NULL, new_full (), NULL);
  json = bosh_saved_session_to_json (session);
  again = bosh_saved_session_new_from_json (json, &error);
  g_assert_no_error (error);
  g_assert_null (bosh_saved_session_get_jid (again));
  g_assert_cmpstr (bosh_saved_session_get_domain (again), ==, "localhost");
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
    GOOD "\"sorts\":1",
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
  g_assert_cmpuint (bosh_saved_session_get_snapshot (session)->next_rid, ==, 43);

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
  g_autofree char *brackets = NULL;
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

  brackets = g_strnfill (5001, ']');
  brackets[5000] = '}';
  deep = repeat ("[", 5000, "{" GOOD "\"x\":", brackets);
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
  const guint n_stanzas = 1100000;
  g_autofree char *json = NULL;
  g_autofree char *queue = NULL;
  g_autofree char *large = NULL;
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(BoshSavedSession) long_queue = NULL;
  g_autoptr(BoshSavedSession) large_stanza = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("Brackets in strings do not count, and a queue may be as long as it likes");

  json = repeat ("[{\\\"", 100000, "{" GOOD "\"x\":\"", "\"}");
  session = bosh_saved_session_new_from_json (json, &error);
  g_assert_no_error (error);
  g_assert_nonnull (session);

  queue = repeat ("\"<a/>\",", n_stanzas - 1, "{" GOOD "\"unsent\":[", "\"<a/>\"]}");
  long_queue = bosh_saved_session_new_from_json (queue, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bosh_saved_session_get_snapshot (long_queue)->unsent->len, ==, n_stanzas);

  large = repeat ("0123456789abcdef", 5 * 1024 * 1024, "{" GOOD "\"unsent\":[\"<a>",
                  "</a>\"]}");
  large_stanza = bosh_saved_session_new_from_json (large, &error);
  g_assert_no_error (error);
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

/* --- What can be had can be read --- */

/* A text that XML can have, much of which must be escaped in XML or in JSON. */
static char *
random_text (GRand *rand,
             guint  max_length)
{
  static const char * const pieces[] = {
    "a", "7", " ", "&", "<", "'", "\"", "\\", "/", "\t", "\x7f", "\xc3\xa9", "\xf0\x9f\x8d\x80", "]]>"
  };
  /* Mostly short, sometimes as long as it may be. */
  guint length = g_rand_int (rand) % 4 != 0 ? g_rand_int (rand) % 20 : max_length;
  GString *text = g_string_new (NULL);

  for (;;)
    {
      const char *piece = pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))];

      if (text->len + strlen (piece) > length)
        return g_string_free (text, FALSE);
      g_string_append (text, piece);
    }
}

static void
append_attribute (GString    *output,
                  const char *name,
                  const char *value)
{
  g_string_append_printf (output, " %s='", name);
  bosh_xml_append_escaped (output, value, strlen (value), TRUE);
  g_string_append_c (output, '\'');
}

/* The response to the creation, with anything that a server may say. */
static GBytes *
random_grants (GRand *rand)
{
  static const char * const names[] = { "ver", "accept", "charsets", "stream" };
  static const char * const numbers[] = { "wait", "hold", "requests", "inactivity", "polling",
                                         "maxpause", "ack" };
  GString *text = g_string_new ("<body xmlns='http://jabber.org/protocol/httpbind'");
  g_autofree char *sid = random_text (rand, BOSH_SESSION_MAX_NAME_LENGTH);
  gsize length;

  append_attribute (text, "sid", sid[0] != '\0' ? sid : "s");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *value = random_text (rand, i < 2 ? 6000 : BOSH_SESSION_MAX_NAME_LENGTH);

      if (g_rand_boolean (rand))
        append_attribute (text, names[i], value);
    }
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (g_rand_boolean (rand))
      g_string_append_printf (text, " %s='%u'", numbers[i],
                              g_rand_boolean (rand) ? g_rand_int (rand) : g_rand_int (rand) % 5);
  g_string_append (text, "/>");
  length = text->len;

  return g_bytes_new_take (g_string_free (text, FALSE), length);
}

/* Adds attributes whose names differ, in some namespaces or in none. */
static void
add_attributes (GRand       *rand,
                BoshElement *element,
                guint        n)
{
  guint n_namespaces = g_rand_int_range (rand, 0, 300);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("a%u", i);
      g_autofree char *ns = g_strdup_printf ("urn:%u", n_namespaces > 0 ? i % n_namespaces : 0);
      g_autofree char *value = random_text (rand, 20);

      bosh_element_set_attribute_ns (element, name, n_namespaces > 0 ? ns : NULL, value);
    }
}

/* Each way in which an element can be large, just below a limit or above it. */
static BoshElement *
random_stanza (GRand *rand)
{
  g_autofree char *text = random_text (rand, 200);
  BoshElement *stanza = bosh_element_new_message ("bob@localhost", "chat", text);
  BoshElement *parent = stanza;
  guint shape = g_rand_int (rand) % 32;
  guint depth = shape == 0 ? g_rand_int_range (rand, BOSH_XML_MAX_DEPTH - 3, BOSH_XML_MAX_DEPTH + 2) : 0;
  g_autofree char *fill = NULL;

  for (guint i = 0; i < depth; i++)
    {
      BoshElement *child = bosh_element_new ("x", i % 2 == 0 ? "urn:x" : NULL);

      bosh_element_add_child (parent, child);
      add_attributes (rand, child, g_rand_int_range (rand, 0, 9));
      parent = child;
      bosh_element_unref (child);
    }

  if (shape == 1)
    add_attributes (rand, stanza, g_rand_int_range (rand, BOSH_XML_MAX_ATTRIBUTES - 9,
                                                    BOSH_XML_MAX_OWN_ATTRIBUTES + 9));
  if (shape == 2)
    {
      fill = g_strnfill (g_rand_int_range (rand, 50000, 300000), '"');
      bosh_element_set_attribute (stanza, "fill", fill);
    }
  if (shape == 3)
    {
      fill = g_strnfill (g_rand_int_range (rand, 20000, 60000), 'n');
      bosh_element_set_attribute (stanza, fill, "v");
    }
  for (guint i = 0; shape == 4 && i < BOSH_XML_MAX_NAMES; i++)
    {
      g_autofree char *name = g_strdup_printf ("n%u", i);
      g_autoptr(BoshElement) child = bosh_element_new (name, NULL);

      bosh_element_add_child (stanza, child);
    }

  return stanza;
}

/* A stanza that is near the limits as a server writes it, and over them as we do. */
static char *
random_payload (GRand *rand)
{
  GString *text = g_string_new ("<message xmlns='jabber:client'");
  guint n_namespaces = g_rand_int_range (rand, 0, BOSH_XML_MAX_NAMESPACES - 3);
  guint depth = g_rand_int_range (rand, 0, BOSH_XML_MAX_DEPTH - 2);

  for (guint i = 0; i < n_namespaces; i++)
    g_string_append_printf (text, " xmlns:p%u='urn:%0*u'", i, g_rand_int_range (rand, 1, 100), i);
  g_string_append_c (text, '>');
  for (guint i = 0; i < depth; i++)
    {
      g_string_append (text, "<x");
      for (guint k = 0; k < n_namespaces && i % 8 == 0; k++)
        g_string_append_printf (text, " p%u:a='\"\"'", k);
      g_string_append_c (text, '>');
    }
  for (guint i = 0; i < depth; i++)
    g_string_append (text, "</x>");
  if (g_rand_boolean (rand))
    {
      g_autofree char *fill = g_strnfill (BOSH_XML_MAX_START_TAG - 20, '"');

      g_string_append_printf (text, "<y z='%s'/>", fill);
    }
  g_string_append (text, "</message>");

  return g_string_free (text, FALSE);
}

static GBytes *
random_response (GRand *rand)
{
  g_autofree char *payload = g_rand_int (rand) % 8 == 0 ? random_payload (rand) : NULL;
  g_autofree char *plain = random_text (rand, 100);
  g_autofree char *escaped = g_markup_escape_text (plain, -1);
  char *text;

  text = g_strdup_printf ("<body xmlns='http://jabber.org/protocol/httpbind'>%s"
                          "<message xmlns='jabber:client'><body>%s</body></message></body>",
                          payload != NULL ? payload : "", escaped);

  return g_bytes_new_take (text, strlen (text));
}

/* The stanzas that are not known to have arrived, in order. */
static GPtrArray *
dup_pending (BoshSession *session)
{
  GPtrArray *pending = bosh_session_dup_undelivered (session);

  g_ptr_array_extend_and_steal (pending, bosh_session_dup_unsent (session));

  return pending;
}

static void
assert_equal_stanzas (GPtrArray *stanzas,
                      GPtrArray *expected)
{
  g_assert_cmpuint (stanzas->len, ==, expected->len);
  for (guint i = 0; i < stanzas->len; i++)
    g_assert_true (bosh_element_equal (g_ptr_array_index (stanzas, i),
                                       g_ptr_array_index (expected, i)));
}

/* g_assert_cmpstr() would show megabytes. */
static void
assert_same_json (const char *json,
                  const char *expected)
{
  gsize same = 0;

  while (json[same] != '\0' && json[same] == expected[same])
    same++;
  if (strcmp (json + same, expected + same) != 0)
    g_error ("“%.80s” in place of “%.80s”", json + same, expected + same);
}

/* The session that goes on has what the first one had, hands out what was received, and
 * sends what is to be sent first. */
static void
check_successor (BoshSession                 *first,
                 BoshSavedSession            *saved,
                 const BoshSessionParameters *parameters)
{
  const BoshSessionSnapshot *snapshot = bosh_saved_session_get_snapshot (saved);
  g_autoptr(BoshSession) session = bosh_session_new_from_snapshot (snapshot, parameters);
  g_autoptr(BoshSavedSession) again = NULL;
  g_autoptr(GPtrArray) pending = dup_pending (session);
  g_autoptr(GPtrArray) expected = dup_pending (first);
  g_autoptr(GPtrArray) received = g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);
  g_autofree char *json = bosh_saved_session_to_json (saved);
  g_autofree char *json_again = NULL;
  BoshAction action;
  gint64 now = 1;
  guint n_sent = 0;

  assert_equal_stanzas (pending, expected);
  again = bosh_saved_session_new_from_snapshot (URI, bosh_saved_session_get_jid (saved),
                                                bosh_session_save (session), NULL);
  json_again = bosh_saved_session_to_json (again);
  assert_same_json (json_again, json);

  bosh_session_open (session, now);
  while (n_sent == 0)
    {
      if (!bosh_session_next_action (session, &action, now))
        {
          now = bosh_session_get_deadline (session);
          g_assert_cmpint (now, >=, 0);
          continue;
        }
      if (action.type == BOSH_ACTION_PAYLOAD)
        g_ptr_array_add (received, g_steal_pointer (&action.element));
      if (action.type == BOSH_ACTION_SEND)
        {
          g_assert_cmpuint (action.rid, ==, bosh_saved_session_get_request_id (saved));
          if (snapshot->unanswered->len > 0)
            g_assert_true (g_bytes_equal (action.bytes, g_array_index (snapshot->unanswered,
                                                                       BoshSnapshotRequest, 0)
                                                          .body));
          n_sent++;
        }
      g_clear_pointer (&action.bytes, g_bytes_unref);
      g_clear_pointer (&action.text, g_free);
      g_clear_error (&action.error);
    }
  assert_equal_stanzas (received, snapshot->received);
}

static void
check_saved (BoshSession                 *session,
             const BoshSessionParameters *parameters)
{
  static const char * const jids[] = { NULL, JID };
  g_autoptr(GError) error = NULL;

  if (!bosh_session_check_savable (session, NULL))
    return;

  for (guint i = 0; i < G_N_ELEMENTS (jids); i++)
    {
      BoshSessionSnapshot *snapshot = bosh_session_save (session);
      g_autoptr(BoshSavedSession) saved = NULL;
      g_autoptr(BoshSavedSession) again = NULL;
      g_autofree char *json = NULL;
      g_autofree char *json_again = NULL;

      /* A connection without a domain has no user. */
      if (jids[i] != NULL && (snapshot->domain == NULL || snapshot->domain[0] == '\0'))
        {
          bosh_session_snapshot_free (snapshot);
          continue;
        }
      saved = bosh_saved_session_new_from_snapshot (URI, jids[i], snapshot, NULL);
      json = bosh_saved_session_to_json (saved);
      again = bosh_saved_session_new_from_json (json, &error);
      g_assert_no_error (error);
      json_again = bosh_saved_session_to_json (again);
      assert_same_json (json_again, json);
      g_assert_true (bosh_saved_session_validate (saved, &error));
      check_successor (session, again, parameters);
    }
}

typedef struct
{
  BoshSessionParameters parameters;
  BoshSession *session;
  GQueue sent;  /* numbers that have no response, as pointers */
  gint64 now;
} Life;

static void
drain (Life  *life,
       GRand *rand)
{
  BoshAction action;

  while (bosh_session_next_action (life->session, &action, life->now))
    {
      if (action.type == BOSH_ACTION_SEND)
        g_queue_push_tail (&life->sent, GSIZE_TO_POINTER (action.rid));
      else if (action.type == BOSH_ACTION_ABANDON)
        g_queue_remove (&life->sent, GSIZE_TO_POINTER (action.rid));
      if (g_rand_int (rand) % 4 == 0)
        check_saved (life->session, &life->parameters);
      g_clear_pointer (&action.bytes, g_bytes_unref);
      g_clear_pointer (&action.element, bosh_element_unref);
      g_clear_pointer (&action.text, g_free);
      g_clear_error (&action.error);
    }
}

static void
respond (Life   *life,
         GBytes *body)
{
  BoshHttpResponse response = { .status = 200, .body = body, .retry_after = -1 };
  guint64 rid = GPOINTER_TO_SIZE (g_queue_pop_head (&life->sent));

  bosh_session_handle_response (life->session, rid, &response, life->now);
}

/* What can't be sent, or not be saved, is refused at once. */
static void
queue_random (Life  *life,
              GRand *rand)
{
  g_autoptr(BoshElement) stanza = random_stanza (rand);
  g_autoptr(GError) error = NULL;

  if (!bosh_session_queue (life->session, stanza, NULL, &error) &&
      !g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE) &&
      !g_error_matches (error, BOSH_ERROR, BOSH_ERROR_INVALID_STANZA))
    g_assert_error (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED);
  bosh_session_hasten (life->session);
}

static void
step (Life  *life,
      GRand *rand)
{
  g_autoptr(GBytes) body = random_response (rand);
  g_autoptr(GError) error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED, "broken");
  gint64 deadline = bosh_session_get_deadline (life->session);
  guint64 serial;

  switch (g_rand_int_range (rand, 0, 7))
    {
    case 0:
    case 1:
      for (guint i = g_rand_int (rand) % 8 == 0 ? 20 : 1; i > 0; i--)
        queue_random (life, rand);
      break;
    case 2:
      bosh_session_open_stream (life->session, "other.example", NULL, &serial, NULL);
      break;
    case 3:
      if (deadline >= 0)
        life->now = MAX (life->now, deadline);
      break;
    case 4:
      if (life->sent.length > 0)
        bosh_session_handle_failure (life->session,
                                     GPOINTER_TO_SIZE (g_queue_pop_tail (&life->sent)),
                                     BOSH_FAILURE_BROKEN, error, life->now);
      break;
    case 5:
      bosh_session_pause (life->session, 60, NULL);
      break;
    default:
      if (life->sent.length > 0)
        respond (life, body);
    }
  life->now += g_rand_int_range (rand, 0, 1000000);
}

/* As many as take so many seconds of the processor: with valgrind one life takes thirty times
 * as long as without. */
#define FEWEST_LIVES 2
#define MOST_LIVES 100
#define LONGEST_TIME 20

static void
test_any_session (void)
{
  static const char * const domains[] = { "localhost", "b\xc3\xbc"
                                                      "cher.example",
                                         "", NULL };
  static const guint sizes[] = { BOSH_MIN_BODY_SIZE, 64 * 1024, 512 * 1024, BOSH_MAX_BODY_SIZE };
  clock_t end = clock () + LONGEST_TIME * CLOCKS_PER_SEC;

  g_test_summary ("R64: every session that can be had can be written and read, and goes on equal");

  for (guint i = 0; i < FEWEST_LIVES || (i < MOST_LIVES && clock () < end); i++)
    {
      guint32 seed = g_test_rand_int ();
      g_autoptr(GRand) rand = g_rand_new_with_seed (seed);
      g_autofree char *language = random_text (rand, BOSH_SESSION_MAX_TEXT_LENGTH);
      g_autoptr(GBytes) grants = random_grants (rand);
      Life life = {
        .parameters = {
          .domain = domains[g_rand_int_range (rand, 0, G_N_ELEMENTS (domains))],
          .language = g_rand_boolean (rand) ? language : NULL,
          .uri = URI,
          .wait = 60,
          .hold = 1,
          .use_acknowledgements = g_rand_boolean (rand),
          .use_key_sequence = g_rand_boolean (rand),
          .key_sequence_length = g_rand_int_range (rand, 2, 9),
          .max_request_size = sizes[g_rand_int_range (rand, 0, G_N_ELEMENTS (sizes))],
          .entropy = { i % 256, i / 256 },
        },
        .now = 1000,
      };

      g_test_message ("seed %u", seed);
      life.session = bosh_session_new (&life.parameters);
      bosh_session_open (life.session, life.now);
      drain (&life, rand);
      respond (&life, grants);
      drain (&life, rand);
      for (guint k = 0; k < 20; k++)
        {
          step (&life, rand);
          drain (&life, rand);
        }
      g_queue_clear (&life.sent);
      bosh_session_free (life.session);
    }
}

static void
test_long_names (void)
{
  g_autoptr(GRand) rand = g_rand_new_with_seed (1);

  g_test_summary ("A session id that could not be saved is refused when the session is created");

  for (guint i = 0; i < 2; i++)
    {
      Life life = {
        .parameters = { .domain = "localhost", .max_request_size = 65536 },
        .now = 1000,
      };
      g_autofree char *sid = g_strnfill (BOSH_SESSION_MAX_NAME_LENGTH + i, '\'');
      GString *text = g_string_new ("<body xmlns='http://jabber.org/protocol/httpbind' wait='60'");
      g_autoptr(GBytes) grants = NULL;

      append_attribute (text, "sid", sid);
      g_string_append (text, "/>");
      grants = g_string_free_to_bytes (text);
      life.session = bosh_session_new (&life.parameters);
      bosh_session_open (life.session, life.now);
      drain (&life, rand);
      respond (&life, grants);
      drain (&life, rand);
      g_assert_cmpint (bosh_session_get_state (life.session), ==,
                       i == 0 ? BOSH_SESSION_OPEN : BOSH_SESSION_CLOSED);
      g_queue_clear (&life.sent);
      bosh_session_free (life.session);
    }
}

static void
test_any_cookies (void)
{
  static const char * const strange[] = {
    "=",
    "",
    " ",
    "; path=/",
    "a",
    "=b",
    "a=",
    "a=b;=",
    "a=\"x;y\"",
    "\x01=2",
    "a=\x01",
    "a=\xff",
    "a=\xc3\xa9",
    "a=b\r\nX: y",
    "a=b; path=/http-bind/; HttpOnly; SameSite=Strict; Max-Age=100000",
  };
  g_autoptr(GUri) uri = bosh_uri_parse_http (URI, NULL, NULL);

  g_test_summary ("Every cookie that is kept can be written and read");

  for (guint i = 0; i <= G_N_ELEMENTS (strange) + 2; i++)
    {
      BoshCookies *jar = bosh_cookies_new ();
      guint length = BOSH_SESSION_MAX_COOKIE_SIZE - strlen ("a"
                                                            "/http-bind/") +
                     1;
      g_autofree char *value = g_strnfill (length - (i % 2), 'v');
      g_autofree char *large = g_strdup_printf ("a=%s; path=/http-bind/; Max-Age=100000; HttpOnly; "
                                                "SameSite=Strict",
                                                value);
      const char *one[] = { i < G_N_ELEMENTS (strange) ? strange[i] : large, NULL };
      g_auto(GStrv) kept = NULL;
      g_autoptr(BoshSavedSession) saved = NULL;
      g_autoptr(BoshSavedSession) again = NULL;
      g_autoptr(GError) error = NULL;
      g_autofree char *json = NULL;
      g_autofree char *json_again = NULL;

      bosh_cookies_add (jar, uri, one);
      kept = bosh_cookies_dup_list (jar, uri);
      if (one[0] == large)
        g_assert_cmpuint (g_strv_length (kept), ==, i % 2);
      bosh_cookies_free (jar);

      saved = bosh_saved_session_new_from_snapshot (URI, JID, new_full (),
                                                    (const char * const *)kept);
      json = bosh_saved_session_to_json (saved);
      again = bosh_saved_session_new_from_json (json, &error);
      g_assert_no_error (error);
      json_again = bosh_saved_session_to_json (again);
      g_assert_cmpstr (json_again, ==, json);
    }
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/saved-session/round-trip", test_round_trip);
  g_test_add_func ("/bosh/saved-session/member-order", test_member_order);
  g_test_add_func ("/bosh/saved-session/printable", test_printable);
  g_test_add_func ("/bosh/saved-session/foreign", test_foreign);
  g_test_add_func ("/bosh/saved-session/properties", test_properties);
  g_test_add_func ("/bosh/saved-session/without-jid", test_without_jid);
  g_test_add_func ("/bosh/saved-session/bad-properties", test_bad_properties);
  g_test_add_func ("/bosh/saved-session/bad-members", test_bad_members);
  g_test_add_func ("/bosh/saved-session/bad-requests", test_bad_requests);
  g_test_add_func ("/bosh/saved-session/hostile-json", test_hostile_json);
  g_test_add_func ("/bosh/saved-session/large", test_large);
  g_test_add_func ("/bosh/saved-session/last-number", test_last_number);
  g_test_add_func ("/bosh/saved-session/any-session", test_any_session);
  g_test_add_func ("/bosh/saved-session/long-names", test_long_names);
  g_test_add_func ("/bosh/saved-session/any-cookies", test_any_cookies);

  return g_test_run ();
}
