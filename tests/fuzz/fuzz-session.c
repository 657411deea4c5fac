/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A session whose owner, network, server and clock do what the input says. The
 * first bytes are its parameters; then comes one byte for each step, with what
 * the step needs behind it. Whatever happens, the session keeps its promises,
 * and in the end it closes. */

#include "config.h"

#include "fuzz.h"

#include "bosh-body-private.h"
#include "bosh-limits-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-session-private.h"
#include "bosh-session-save-private.h"
#include "bosh-xml-private.h"

#include <string.h>

#define MILLISECOND G_GINT64_CONSTANT (1000)
#define SECOND G_GINT64_CONSTANT (1000000)

#define MAX_STEPS 400
/* Actions of one input, and deadlines of one stretch of time. */
#define MAX_ACTIONS 20000
#define MAX_DEADLINES 20000
#define MAX_RESPONSE 4096

#define BODY "<body xmlns='" BOSH_NS_HTTPBIND "' xmlns:stream='" BOSH_NS_STREAMS "'"
#define MESSAGE "<message xmlns='jabber:client'><body>hello</body></message>"

/* Responses of servers and of what is in front of them; NULL stands for raw bytes. */
static const char * const responses[] = {
  BODY " sid='s1' wait='60' hold='1' requests='2' inactivity='30' polling='5' ver='1.11'/>",
  BODY " sid='s1' wait='60' hold='1' requests='2' inactivity='60' polling='2' maxpause='120' "
       "ack='1' ver='1.6'><stream:features/></body>",
  BODY " sid='s1' wait='20' hold='0' requests='1' polling='1'/>",
  BODY " sid='s1' wait='0' requests='4' maxpause='4000000000'/>",
  BODY "/>",
  BODY ">" MESSAGE "</body>",
  BODY ">" MESSAGE MESSAGE "<presence/></body>",
  BODY " type='terminate'/>",
  BODY " type='terminate' condition='item-not-found'/>",
  BODY " type='terminate' condition='remote-stream-error'><stream:error><conflict "
       "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></body>",
  BODY " type='terminate' condition='see-other-uri'><uri>https://example.org/b</uri></body>",
  BODY " type='terminate' condition='other-request'>" MESSAGE "</body>",
  BODY " type='error'/>",
  BODY " ack='9007199254740991'/>",
  BODY " report='1' time='2000'/>",
  BODY " rid='1'>" MESSAGE "</body>",
  BODY " ack='1' requests='1000' sid='s2'/>",
  "<html><body>Sign in to this network</body></html>",
  "",
  BODY ">" MESSAGE "<mess",
  BODY "><!-- comment --></body>",
  NULL,
  BODY " sid='s1' wait='60' hold='1' requests='3' ack='1' ver='1.11' stream='a' "
       "accept='gzip,deflate' charsets='UTF-8' inactivity='60' maxpause='60'/>",
  BODY " stream='b' from='b.example.org'><stream:features/></body>",
  BODY " stream='a'>" MESSAGE "</body>",
  BODY " stream='b'>" MESSAGE "</body>",
  BODY " stream='b' type='terminate'/>",
  BODY " stream='a' type='terminate' condition='remote-stream-error'/>",
  BODY " stream='c' type='terminate' condition='host-unknown'/>",
  BODY " type='terminate' condition='see-other-uri'><uri>http://example.org/</uri></body>",
  BODY " type='terminate' condition='see-other-uri' uri='//b.example.org:443/a b?c#d'/>",
};

static const guint statuses[] = { 200, 400, 403, 404, 408, 429, 500, 502, 503, 504, 302, 413, 0, 204 };

static const gint64 stretches[] = {
  0,
  1,
  1 * MILLISECOND,
  10 * MILLISECOND,
  300 * MILLISECOND,
  1 * SECOND,
  2 * SECOND,
  6 * SECOND,
  30 * SECOND,
  61 * SECOND,
  100 * SECOND,
  3600 * SECOND,
};

typedef struct
{
  BoshSession           *session;
  BoshSessionParameters  parameters;
  gint64                 now;
  guint                  n_actions;

  GHashTable            *sent;        /* GBytes of each rid */
  GHashTable            *refused;     /* rids of requests that were too large once */
  GArray                *in_flight;   /* of guint64 */
  guint64                newest;      /* the last new rid */
  char                  *next_key;    /* the digest of the next key is this, nullable */
  guint64                queued;      /* serials go up to this */
  guint64                delivered;
  gboolean               has_failed;   /* a stanza was given up, or may be lost */
  gboolean               has_orders;   /* streams take numbers of stanzas too */
  gboolean               last_pending; /* a stanza goes with the terminate request */
  gboolean               terminated;   /* that request is out */
  gboolean               handed_over;
  gboolean               closed;
  gboolean               detached;
} Run;

/* --- The promises --- */

/* Each key has the one before it as its digest (XEP-0124 §15). */
static void
check_key (Run         *run,
           BoshElement *body)
{
  const char *key = bosh_element_get_attribute (body, "key");
  const char *new_key = bosh_element_get_attribute (body, "newkey");

  if (!run->parameters.use_key_sequence)
    {
      g_assert_null (key);
      g_assert_null (new_key);
      return;
    }

  if (run->next_key != NULL)
    {
      g_autofree char *digest = NULL;

      g_assert_nonnull (key);
      digest = g_compute_checksum_for_string (G_CHECKSUM_SHA1, key, -1);
      g_assert_cmpstr (digest, ==, run->next_key);
    }
  g_free (run->next_key);
  run->next_key = g_strdup (new_key != NULL ? new_key : key);
}

static void
check_new_request (Run        *run,
                   BoshAction *action)
{
  gsize length;
  const char *data = g_bytes_get_data (action->bytes, &length);
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshElement) body = bosh_xml_parse (data, length, NULL, NULL, &error);
  g_autofree char *rid = g_strdup_printf ("%" G_GUINT64_FORMAT, action->rid);

  g_assert_no_error (error);
  g_assert_true (bosh_element_matches (body, "body", BOSH_NS_HTTPBIND));
  g_assert_cmpstr (bosh_element_get_attribute (body, "rid"), ==, rid);
  g_assert_cmpstr (bosh_element_get_attribute (body, "sid"), ==, bosh_session_get_id (run->session));
  g_assert_cmpuint (length, <=, MAX (run->parameters.max_request_size, 1024) + MAX_RESPONSE);
  g_assert_cmpuint (action->rid, <=, BOSH_MAX_RID);
  if (run->newest != 0)
    g_assert_cmpuint (action->rid, ==, run->newest + 1);
  run->newest = action->rid;
  check_key (run, body);

  /* Nothing comes behind it. */
  g_assert_false (run->terminated);
  if (g_strcmp0 (bosh_element_get_attribute (body, "type"), "terminate") == 0 &&
      bosh_element_get_attribute (body, "stream") == NULL)
    {
      run->terminated = TRUE;
      run->last_pending = FALSE;
    }
}

static void
check_window (Run *run)
{
  guint requests = bosh_session_get_requests (run->session);
  guint limit = requests != 0 ? requests : MAX (bosh_session_get_hold (run->session) + 1, 2);

  if (bosh_session_get_id (run->session) == NULL)
    limit = 0;

  g_assert_cmpuint (run->in_flight->len, <=, limit + 1);
  g_assert_cmpuint (run->in_flight->len, ==, bosh_session_get_n_in_flight_for_tests (run->session));
}

/* Every stanza is delivered, or accounted for. */
static void
check_stanzas (Run *run)
{
  g_autoptr(GPtrArray) undelivered = bosh_session_dup_undelivered (run->session);
  g_autoptr(GPtrArray) unsent = bosh_session_dup_unsent (run->session);

  if (run->has_orders || run->has_failed)
    g_assert_cmpuint (undelivered->len + unsent->len, <=, run->queued);
  else
    g_assert_cmpuint (undelivered->len + unsent->len, ==, run->queued - run->delivered);
}

/* --- What the session does --- */

static void
forget_in_flight (Run     *run,
                  guint64  rid)
{
  for (guint i = 0; i < run->in_flight->len; i++)
    if (g_array_index (run->in_flight, guint64, i) == rid)
      {
        g_array_remove_index (run->in_flight, i);
        return;
      }
}

static void
take_send (Run        *run,
           BoshAction *action)
{
  GBytes *before = g_hash_table_lookup (run->sent, &action->rid);

  g_assert_false (run->closed || run->detached || run->handed_over);
  g_assert_true (action->coding == BOSH_CODING_IDENTITY || run->parameters.compress_requests);
  if (before == NULL)
    {
      g_assert_false (action->repeated);
      check_new_request (run, action);
      g_hash_table_insert (run->sent, g_memdup2 (&action->rid, sizeof action->rid),
                           g_bytes_ref (action->bytes));
    }
  else if (action->repeated && !g_hash_table_contains (run->refused, &action->rid))
    {
      g_assert_true (g_bytes_equal (before, action->bytes));
    }
  else
    {
      /* The server has not seen it, so it may go with less. */
      g_assert_true (g_hash_table_contains (run->refused, &action->rid));
      g_assert_cmpuint (g_bytes_get_size (action->bytes), <=, g_bytes_get_size (before));
      g_hash_table_insert (run->sent, g_memdup2 (&action->rid, sizeof action->rid),
                           g_bytes_ref (action->bytes));
    }
  g_array_append_val (run->in_flight, action->rid);
}

/* Another connection manager creates another session. */
static void
take_redirect (Run        *run,
               const char *text)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GUri) uri = g_uri_parse (text, G_URI_FLAGS_ENCODED, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (g_uri_get_scheme (uri), ==, "https");
  g_assert_null (bosh_session_get_id (run->session));
  for (const char *p = text; *p != '\0'; p++)
    g_assert_false (g_ascii_iscntrl (*p));
  run->newest = 0;
  g_clear_pointer (&run->next_key, g_free);
  g_hash_table_remove_all (run->sent);
}

static void
take_action (Run        *run,
             BoshAction *action)
{
  switch (action->type)
    {
    case BOSH_ACTION_SEND:
      take_send (run, action);
      break;

    case BOSH_ACTION_ABANDON:
      /* It may have come to its end meanwhile. */
      forget_in_flight (run, action->rid);
      break;

    case BOSH_ACTION_PAYLOAD:
      g_assert_true (bosh_element_is_sealed (action->element));
      break;

    case BOSH_ACTION_LEFT_OUT:
      g_assert_true (bosh_element_is_sealed (action->element));
      g_assert_error (action->error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
      g_assert_cmpuint (bosh_element_get_n_children (action->element), ==, 0);
      break;

    case BOSH_ACTION_DELIVERED:
      g_assert_cmpuint (action->serial, >, run->delivered);
      g_assert_true (run->has_orders || action->serial <= run->queued);
      run->delivered = action->serial;
      break;

    case BOSH_ACTION_STANZA_FAILED:
      g_assert_nonnull (action->error);
      run->has_failed = TRUE;
      break;

    case BOSH_ACTION_HANDED_OVER:
      g_assert_false (run->handed_over || run->closed);
      run->handed_over = TRUE;
      break;

    case BOSH_ACTION_CLOSED:
      g_assert_false (run->closed || run->detached || run->handed_over);
      run->closed = TRUE;
      break;

    case BOSH_ACTION_REDIRECTED:
      take_redirect (run, action->text);
      break;

    case BOSH_ACTION_STREAM_OPENED:
    case BOSH_ACTION_STREAM_CLOSED:
      g_assert_true (run->has_orders || action->type == BOSH_ACTION_STREAM_CLOSED);
      break;

    case BOSH_ACTION_STATE:
    case BOSH_ACTION_OPENED:
    case BOSH_ACTION_RESTARTED:
    case BOSH_ACTION_PAUSED:
    default:
      break;
    }

  g_clear_pointer (&action->bytes, g_bytes_unref);
  g_clear_pointer (&action->element, bosh_element_unref);
  g_clear_pointer (&action->text, g_free);
  g_clear_error (&action->error);
}

static gboolean
is_over (Run *run)
{
  return run->closed || run->detached || run->handed_over;
}

static void
drain (Run *run)
{
  BoshAction action = { 0 };
  gint64 deadline;

  while (bosh_session_next_action (run->session, &action, run->now))
    {
      take_action (run, &action);
      g_assert_cmpuint (++run->n_actions, <, MAX_ACTIONS);
    }

  deadline = bosh_session_get_deadline (run->session);
  g_assert_true (deadline == -1 || deadline > run->now);
  check_window (run);
  check_stanzas (run);
  if (is_over (run))
    {
      g_assert_cmpint (deadline, ==, -1);
      g_assert_cmpuint (run->in_flight->len, ==, 0);
    }
}

static void
advance (Run    *run,
         gint64  stretch)
{
  gint64 end = run->now + stretch;
  guint n_deadlines = 0;

  drain (run);
  for (;;)
    {
      gint64 deadline = bosh_session_get_deadline (run->session);

      if (deadline == -1 || deadline > end)
        break;
      g_assert_cmpuint (++n_deadlines, <, MAX_DEADLINES);
      run->now = deadline;
      drain (run);
    }
  run->now = end;
}

/* --- What is done to it --- */

static guint64
choose_in_flight (Run       *run,
                  FuzzInput *input)
{
  guint choice = fuzz_take_byte (input);

  /* Or one that is not under way at all. */
  if (run->in_flight->len == 0 || choice == 255)
    return run->newest - (choice & 7);

  return g_array_index (run->in_flight, guint64, choice % run->in_flight->len);
}

static void
respond (Run       *run,
         FuzzInput *input,
         guint      status)
{
  guint64 rid = choose_in_flight (run, input);
  const char *text = responses[fuzz_take_byte (input) % G_N_ELEMENTS (responses)];
  g_autoptr(GBytes) bytes = NULL;
  BoshHttpResponse http = { .status = status, .retry_after = -1 };

  bytes = text == NULL ? fuzz_take_text (input, MAX_RESPONSE) : g_bytes_new_static (text, strlen (text));
  http.body = bytes;
  if (status != 200)
    {
      guint wait = fuzz_take_byte (input);

      http.retry_after = wait == 255 ? G_MAXINT : (int)wait - 1;
      http.location = wait & 1 ? "https://example.org/" : NULL;
    }

  if (status == 413)
    g_hash_table_add (run->refused, g_memdup2 (&rid, sizeof rid));
  bosh_session_handle_response (run->session, rid, &http, run->now);
  forget_in_flight (run, rid);
}

static void
fail (Run       *run,
      FuzzInput *input)
{
  guint64 rid = choose_in_flight (run, input);
  BoshFailure failure = fuzz_take_byte (input) % (BOSH_FAILURE_UNTRUSTED + 1);
  g_autoptr(GError) error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED, "failure");

  bosh_session_handle_failure (run->session, rid, failure, error, run->now);
  forget_in_flight (run, rid);
}

static void
queue (Run       *run,
       FuzzInput *input)
{
  guint size = fuzz_take_byte (input);
  g_autofree char *body = g_strnfill (size * 8, 'x');
  g_autoptr(BoshElement) message = bosh_element_new_message ("peer@example.org", NULL, body);
  g_autoptr(GError) error = NULL;
  guint64 serial;

  if (!bosh_session_queue (run->session, message, &serial, &error))
    {
      g_assert_nonnull (error);
      return;
    }

  g_assert_cmpuint (serial, >, run->delivered);
  run->queued++;
}

static void
terminate (Run       *run,
           FuzzInput *input)
{
  g_autoptr(BoshElement) presence = bosh_element_new_presence (NULL, "unavailable");
  gboolean with_payload = (fuzz_take_byte (input) & 1) != 0;

  if (bosh_session_terminate (run->session, with_payload ? presence : NULL, NULL) && with_payload)
    {
      run->queued++;
      run->last_pending = TRUE;
    }
}

static void
detach (Run *run)
{
  /* The caller looks before: there is nothing to detach from. */
  if (is_over (run) || bosh_session_get_id (run->session) == NULL ||
      bosh_session_get_state (run->session) == BOSH_SESSION_CLOSED)
    return;

  g_assert_cmpuint (bosh_session_detach (run->session), <=, bosh_session_get_last_rid (run->session) + 1);
  run->detached = TRUE;
  drain (run);
}

/* Another process takes the session up, wherever it stands. */
static void
restore (Run *run)
{
  g_autoptr(BoshSessionSnapshot) saved = NULL;
  g_autoptr(GPtrArray) undelivered = NULL;
  g_autoptr(GPtrArray) unsent = NULL;
  guint64 open_stanzas;

  drain (run);
  if (run->closed || bosh_session_get_id (run->session) == NULL ||
      bosh_session_get_state (run->session) == BOSH_SESSION_CLOSED)
    return;

  open_stanzas = run->queued - run->delivered - (run->last_pending ? 1 : 0);
  saved = bosh_session_save (run->session);
  g_assert_cmpuint (bosh_session_snapshot_get_first_rid (saved), <=, saved->next_rid);
  bosh_session_free (run->session);
  g_array_set_size (run->in_flight, 0);

  run->session = bosh_session_new_from_snapshot (saved, &run->parameters);
  undelivered = bosh_session_dup_undelivered (run->session);
  unsent = bosh_session_dup_unsent (run->session);
  run->queued = undelivered->len + unsent->len;
  run->delivered = 0;
  /* What is known to have arrived may be among it, in a request without a response. A
   * session that ends can't be resumed. */
  if (!run->terminated && !run->has_orders && !run->has_failed)
    g_assert_cmpuint (run->queued, >=, open_stanzas);
  run->last_pending = run->terminated = FALSE;
  run->handed_over = run->detached = FALSE;
  bosh_session_open (run->session, run->now);
}

/* Several streams, and what is as rare. */
static void
do_rare_step (Run       *run,
              FuzzInput *input,
              guint      step)
{
  g_autoptr(BoshElement) presence = bosh_element_new_presence (NULL, NULL);
  g_auto(GStrv) names = bosh_session_dup_streams (run->session);
  guint choice = fuzz_take_byte (input);
  const char *name = choice < g_strv_length (names) ? names[choice] : "b";
  guint64 serial = 0;

  switch (step % 6)
    {
    case 0:
      run->has_orders |= bosh_session_open_stream (run->session, "b.example.org",
                                                   choice & 1 ? "user@example.org" : NULL,
                                                   &serial, NULL);
      break;

    case 1:
      if (bosh_session_close_stream (run->session, name, choice & 128 ? presence : NULL, &serial, NULL))
        {
          run->has_orders = TRUE;
          run->queued += choice & 128 ? 1 : 0;
        }
      break;

    case 2:
      run->queued += bosh_session_queue_to (run->session, presence, choice == 255 ? NULL : name,
                                            &serial, NULL);
      break;

    case 3:
      bosh_session_restart_stream (run->session, name, &serial, NULL);
      break;

    case 4:
      bosh_session_handle_wake (run->session, run->now);
      break;

    case 5:
    default:
      respond (run, input, statuses[choice % G_N_ELEMENTS (statuses)]);
      break;
    }

  drain (run);
}

static void
do_step (Run       *run,
         FuzzInput *input)
{
  guint step = fuzz_take_byte (input);

  if (step >= 240)
    {
      do_rare_step (run, input, step);
      return;
    }

  switch (step % 20)
    {
    case 0:
    case 1:
      respond (run, input, 200);
      break;

    case 2:
      respond (run, input, statuses[fuzz_take_byte (input) % G_N_ELEMENTS (statuses)]);
      break;

    case 3:
      fail (run, input);
      break;

    case 4:
      bosh_session_handle_written (run->session, choose_in_flight (run, input), run->now);
      break;

    case 5:
      advance (run, stretches[fuzz_take_byte (input) % G_N_ELEMENTS (stretches)]);
      break;

    case 6:
      bosh_session_handle_progress (run->session, choose_in_flight (run, input), run->now);
      advance (run, stretches[fuzz_take_byte (input) % G_N_ELEMENTS (stretches)]);
      break;

    case 7:
      if (bosh_session_get_deadline (run->session) != -1)
        run->now = MAX (run->now, bosh_session_get_deadline (run->session));
      break;

    case 8:
    case 9:
      queue (run, input);
      break;

    case 10:
      bosh_session_hasten (run->session);
      break;

    case 11:
      bosh_session_restart (run->session, fuzz_take_byte (input) & 1 ? "user@example.org" : NULL, NULL);
      break;

    case 12:
      bosh_session_pause (run->session, fuzz_take_byte (input) * 4, NULL);
      break;

    case 13:
      bosh_session_resume (run->session);
      break;

    case 14:
      terminate (run, input);
      break;

    case 15:
      bosh_session_hand_over (run->session, NULL);
      break;

    case 16:
      bosh_session_cancel_hand_over (run->session);
      break;

    case 17:
      bosh_session_set_reply_expected (run->session, fuzz_take_byte (input) & 1);
      break;

    case 18:
      bosh_session_handle_network (run->session, run->now);
      break;

    case 19:
      if (step < 128)
        restore (run);
      else
        detach (run);
      break;

    default:
      g_assert_not_reached ();
    }

  /* Several things may happen before the session acts. */
  if (step < 200)
    drain (run);
}

static void
start (Run       *run,
       FuzzInput *input)
{
  guint flags = fuzz_take_byte (input);

  run->now = 1000 * SECOND;
  run->parameters = (BoshSessionParameters){
    .domain = "example.org",
    .route = flags & 1 ? "xmpp:example.org:5222" : NULL,
    .from = flags & 2 ? "user@example.org" : NULL,
    .language = flags & 4 ? "en" : NULL,
    .wait = fuzz_take_byte (input),
    .hold = fuzz_take_byte (input) % 4,
    .use_acknowledgements = (flags & 8) != 0,
    .use_key_sequence = (flags & 16) != 0,
    .key_sequence_length = 2 + fuzz_take_byte (input) % 8,
    .max_request_size = flags & 32 ? 600 : 4096,
    .uri = flags & 64 ? "https://example.org/http-bind/" : NULL,
    .compress_requests = (flags & 128) != 0,
  };
  memset (run->parameters.entropy, fuzz_take_byte (input), BOSH_SESSION_ENTROPY);
  run->refused = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  run->sent = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
                                     (GDestroyNotify)g_bytes_unref);
  run->in_flight = g_array_new (FALSE, FALSE, sizeof (guint64));
  run->session = bosh_session_new (&run->parameters);
  bosh_session_open (run->session, run->now);
  drain (run);
}

/* Nothing comes back from the network any more. */
static void
finish (Run *run)
{
  gint64 start_of_end = run->now;

  drain (run);
  if (!is_over (run))
    {
      bosh_session_cancel_hand_over (run->session);
      bosh_session_terminate (run->session, NULL, NULL);
      drain (run);
    }
  while (!is_over (run))
    {
      gint64 deadline = bosh_session_get_deadline (run->session);

      g_assert_cmpint (deadline, !=, -1);
      g_assert_cmpint (deadline, <=, start_of_end + 60 * SECOND);
      run->now = deadline;
      drain (run);
    }

  bosh_session_free (run->session);
  g_hash_table_unref (run->sent);
  g_hash_table_unref (run->refused);
  g_array_unref (run->in_flight);
  g_free (run->next_key);
}

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        gsize         size)
{
  FuzzInput input = { data, size };
  Run run = { NULL };

  start (&run, &input);
  for (guint i = 0; i < MAX_STEPS && input.size > 0; i++)
    do_step (&run, &input);
  finish (&run);

  return 0;
}
