/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the core costs, for callgrind to count: each part is a dump of its own,
 * named in its description. Between the parts nothing is counted, so that a
 * long way to one is quick. Usage: counts [MESSAGES], the age of the old
 * session. Started without valgrind it merely runs. See counts.py. */

#include "config.h"

#include "bosh-body-private.h"
#include "bosh-key-sequence-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-session-private.h"
#include "bosh-xml-writer-private.h"

#include <valgrind/callgrind.h>

#include <stdlib.h>
#include <string.h>

#define SECOND G_GINT64_CONSTANT (1000000)

#define GRANTS "sid='s1' wait='60' hold='1' requests='2' inactivity='30' polling='5' ver='1.11'"

/* As a contact's client writes it. */
#define MESSAGE                                                                    \
  "<message xmlns='jabber:client' type='chat' to='alice@localhost/desk' "         \
  "from='bob@localhost/phone' id='a1b2c3d4'><body>The quick brown fox jumps "     \
  "over the lazy dog</body><active xmlns='http://jabber.org/protocol/chatstates'" \
  "/></message>"

/* The smallest, for the way to old age. */
#define SMALL_MESSAGE "<message xmlns='jabber:client'/>"
#define N_SMALL 100

/* Steps of a session that are counted together. */
#define N_STEPS 64

static void
start_counting (void)
{
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
}

static void
stop_counting (const char *name)
{
  CALLGRIND_DUMP_STATS_AT (name);
  CALLGRIND_STOP_INSTRUMENTATION;
}

static GBytes *
build_response (const char *payload,
                guint       n_payloads)
{
  GString *text = g_string_new ("<body xmlns='" BOSH_NS_HTTPBIND "' "
                                "xmlns:stream='http://etherx.jabber.org/streams' sid='s1'>");

  for (guint i = 0; i < n_payloads; i++)
    g_string_append (text, payload);
  g_string_append (text, "</body>");

  return g_string_free_to_bytes (text);
}

/* Parsing */

static void
parse (GBytes *response)
{
  BoshBodyVerdict verdict;
  g_autoptr(BoshResponseBody) body = bosh_response_body_new (response, &verdict, NULL);
  g_autoptr(GPtrArray) payloads = bosh_response_body_dup_payloads (body);

  g_assert_cmpuint (verdict, ==, BOSH_BODY_OK);
}

static void
count_parsing (const char *name,
               guint       n_payloads)
{
  g_autoptr(GBytes) response = build_response (MESSAGE, n_payloads);

  parse (response);
  start_counting ();
  parse (response);
  stop_counting (name);
}

static void
count_parsing_text (const char *name,
                    gsize       length)
{
  g_autofree char *text = g_strnfill (length, 'x');
  g_autofree char *payload = NULL;
  g_autoptr(GBytes) response = NULL;

  payload = g_strdup_printf ("<message xmlns='jabber:client'><body>%s</body></message>", text);
  response = build_response (payload, 1);

  parse (response);
  start_counting ();
  parse (response);
  stop_counting (name);
}

/* Writing */

static void
serialise (BoshElement *element)
{
  g_autoptr(GString) output = g_string_new (NULL);
  gboolean ok;

  ok = bosh_xml_append_element (output, element, BOSH_NS_HTTPBIND, BOSH_NS_CLIENT, NULL);
  g_assert_true (ok);
}

static void
count_writing (const char  *name,
               BoshElement *element)
{
  serialise (element);
  start_counting ();
  serialise (element);
  stop_counting (name);
}

static void
count_writing_all (void)
{
  g_autoptr(BoshElement) message = bosh_element_new_from_string (MESSAGE, NULL);
  g_autofree char *text = g_strnfill (100000, 'x');
  g_autoptr(BoshElement) large = bosh_element_new_message ("bob@localhost", "chat", text);

  count_writing ("serialise-1", message);
  count_writing ("serialise-100k", large);
}

static void
count_building (void)
{
  bosh_element_unref (bosh_element_new_message ("bob@localhost", "chat", "Hello"));
  start_counting ();
  bosh_element_unref (bosh_element_new_message ("bob@localhost", "chat", "Hello"));
  stop_counting ("build-1");
}

/* Key sequence */

static void
take_all_keys (void)
{
  g_autoptr(BoshKeySequence) keys = bosh_key_sequence_new ("a seed of some length", 1024, 0);
  char key[BOSH_KEY_LENGTH + 1];

  while (bosh_key_sequence_get_remaining (keys) > 0)
    bosh_key_sequence_take (keys, key);
}

static void
count_keys (void)
{
  take_all_keys ();
  start_counting ();
  take_all_keys ();
  stop_counting ("keys-1024");
}

/* Sessions */

typedef struct
{
  BoshSession *session;
  gint64       now;
  guint64      rid;      /* of the request that was sent last */
  guint64      held;     /* the one before it, if unanswered, or 0 */
  guint        n_received;
} Driver;

static void
drain (Driver *self)
{
  BoshAction action = { 0 };

  while (bosh_session_next_action (self->session, &action, self->now))
    {
      if (action.type == BOSH_ACTION_SEND)
        {
          self->held = self->rid;
          self->rid = action.rid;
          g_clear_pointer (&action.bytes, g_bytes_unref);
        }
      else if (action.type == BOSH_ACTION_PAYLOAD)
        {
          self->n_received++;
          g_clear_pointer (&action.element, bosh_element_unref);
        }
      g_assert_cmpint (action.type, !=, BOSH_ACTION_CLOSED);
    }
}

static void
respond (Driver  *self,
         guint64  rid,
         GBytes  *body)
{
  BoshHttpResponse http = { .status = 200, .body = body, .retry_after = -1 };

  self->now += 1000;
  bosh_session_handle_response (self->session, rid, &http, self->now);
  drain (self);
}

static void
written (Driver *self)
{
  bosh_session_handle_written (self->session, self->rid, self->now);
  drain (self);
}

static void
driver_open (Driver   *self,
             gboolean  use_keys)
{
  static const char grants[] = "<body xmlns='" BOSH_NS_HTTPBIND "' " GRANTS "/>";
  g_autoptr(GBytes) body = g_bytes_new_static (grants, sizeof grants - 1);
  BoshSessionParameters parameters = {
    .domain = "localhost",
    .language = "en",
    .wait = 60,
    .hold = 1,
    .use_acknowledgements = TRUE,
    .use_key_sequence = use_keys,
    .key_sequence_length = 256,
    .max_request_size = 8 * 1024 * 1024,
  };

  memset (self, 0, sizeof *self);
  memset (parameters.entropy, 7, sizeof parameters.entropy);
  self->session = bosh_session_new (&parameters);
  self->now = 1000 * SECOND;
  bosh_session_open (self->session, self->now);
  drain (self);
  written (self);
  respond (self, self->rid, body);
  /* The first poll, which is held. */
  written (self);
}

static void
queue (Driver      *self,
       BoshElement *element)
{
  g_autoptr(GError) error = NULL;

  bosh_session_queue (self->session, element, NULL, &error);
  g_assert_no_error (error);
}

/* One message out and one in: the new request goes out beside the held one,
 * which comes back with the message. */
static void
step (Driver *self,
      GBytes *body)
{
  g_autoptr(BoshElement) message = bosh_element_new_message ("bob@localhost", "chat", "Hello");

  self->now += SECOND;
  queue (self, message);
  drain (self);
  written (self);
  respond (self, self->held, body);
}

static void
steps (Driver *self,
       guint   n_steps)
{
  g_autoptr(GBytes) body = build_response (MESSAGE, 1);

  for (guint i = 0; i < n_steps; i++)
    step (self, body);
}

static void
count_steps (const char *name,
             Driver     *self,
             guint       n_steps)
{
  start_counting ();
  steps (self, n_steps);
  stop_counting (name);
}

/* Half of the messages go out, half come in. */
static void
grow_old (Driver *self,
          guint   n_messages)
{
  g_autoptr(GBytes) body = build_response (SMALL_MESSAGE, N_SMALL);
  g_autoptr(BoshElement) message = bosh_element_new ("message", NULL);

  guint n_received = self->n_received + n_messages / (2 * N_SMALL) * N_SMALL;

  for (guint n = 0; n + 2 * N_SMALL <= n_messages; n += 2 * N_SMALL)
    {
      self->now += SECOND;
      for (guint i = 0; i < N_SMALL; i++)
        queue (self, message);
      drain (self);
      written (self);
      respond (self, self->held, body);
    }

  g_assert_cmpuint (self->n_received, ==, n_received);
}

static void
count_sessions (guint n_messages)
{
  Driver driver;

  driver_open (&driver, FALSE);
  steps (&driver, N_STEPS);
  count_steps ("step-young", &driver, N_STEPS);
  grow_old (&driver, n_messages);
  steps (&driver, N_STEPS);
  count_steps ("step-old", &driver, N_STEPS);
  bosh_session_free (driver.session);

  driver_open (&driver, TRUE);
  steps (&driver, N_STEPS);
  count_steps ("step-keys", &driver, 256);
  bosh_session_free (driver.session);
}

/* Many sessions side by side, each with a message out and one in. */
static void
count_many_sessions (void)
{
  g_autofree Driver *drivers = g_new (Driver, 1000);

  for (guint i = 0; i < 1000; i++)
    {
      driver_open (&drivers[i], FALSE);
      steps (&drivers[i], 2);
    }

  start_counting ();
  for (guint i = 0; i < 1000; i++)
    steps (&drivers[i], 1);
  stop_counting ("step-1000-sessions");

  for (guint i = 0; i < 1000; i++)
    bosh_session_free (drivers[i].session);
}

/* The same stanzas queued at once, sent in as few requests as may be, and delivered. */
static void
send_many (Driver *self,
           guint   n_messages)
{
  g_autoptr(GBytes) body = build_response ("", 0);
  g_autoptr(BoshElement) message = bosh_element_new_message ("bob@localhost", "chat", "Hello");

  self->now += SECOND;
  for (guint i = 0; i < n_messages; i++)
    queue (self, message);
  do
    {
      drain (self);
      written (self);
      self->now += SECOND;
      respond (self, self->held, body);
    }
  while (bosh_session_get_n_queued (self->session) > 0);
  written (self);
}

static void
count_queue (const char *name,
             guint       n_messages)
{
  Driver driver;

  driver_open (&driver, FALSE);
  send_many (&driver, n_messages);
  start_counting ();
  send_many (&driver, n_messages);
  stop_counting (name);
  bosh_session_free (driver.session);
}

/* A session receives, and the application asks each stanza what it says. */
static void
count_receiving (const char *name,
                 guint       n_payloads)
{
  g_autoptr(GBytes) body = build_response (MESSAGE, n_payloads);
  Driver driver;

  driver_open (&driver, FALSE);
  respond (&driver, driver.rid, body);
  /* The owner does not reply, so the next poll is sent. */
  driver.now += SECOND;
  drain (&driver);
  written (&driver);
  start_counting ();
  respond (&driver, driver.rid, body);
  stop_counting (name);
  g_assert_cmpuint (driver.n_received, ==, 2 * n_payloads);
  bosh_session_free (driver.session);
}

int
main (int   argc,
      char *argv[])
{
  guint age = argc > 1 ? strtoul (argv[1], NULL, 10) : 1000000;

  count_parsing ("parse-1", 1);
  count_parsing ("parse-50", 50);
  count_parsing ("parse-1000", 1000);
  count_parsing_text ("parse-100k", 100000);
  count_parsing_text ("parse-200k", 200000);
  count_building ();
  count_writing_all ();
  count_keys ();
  count_sessions (age);
  count_many_sessions ();
  count_queue ("send-1", 1);
  count_queue ("send-500", 500);
  /* As much as takes several requests. */
  count_queue ("send-1500", 1500);
  count_queue ("send-5000", 5000);
  count_receiving ("receive-1", 1);
  count_receiving ("receive-500", 500);
  count_receiving ("receive-5000", 5000);

  return 0;
}
