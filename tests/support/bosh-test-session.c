/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-session.h"

#include "bosh-xml-private.h"

#include <string.h>

void
test_session_default (BoshSessionParameters *parameters)
{
  *parameters = (BoshSessionParameters){
    .domain = "example.org",
    .language = "en",
    .wait = 60,
    .hold = 1,
    .use_acknowledgements = TRUE,
    .max_request_size = 64 * 1024,
  };
  memset (parameters->entropy, 7, sizeof parameters->entropy);
}

void
test_session_init (TestSession                 *self,
                   const BoshSessionParameters *parameters)
{
  BoshSessionParameters defaults;

  memset (self, 0, sizeof *self);
  test_session_default (&defaults);
  self->session = bosh_session_new (parameters != NULL ? parameters : &defaults);
  self->now = 1000 * TEST_SECOND;
  self->payloads = g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);
  self->left_out = g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);
  self->events = g_string_new (NULL);
  g_queue_init (&self->sends);
  g_queue_init (&self->abandoned);
}

static void
free_send (BoshAction *action)
{
  g_bytes_unref (action->bytes);
  g_free (action);
}

void
test_session_clear (TestSession *self)
{
  g_queue_clear_full (&self->sends, (GDestroyNotify)free_send);
  g_queue_clear_full (&self->abandoned, g_free);
  g_ptr_array_unref (self->payloads);
  g_ptr_array_unref (self->left_out);
  g_string_free (self->events, TRUE);
  g_clear_error (&self->error);
  bosh_session_free (self->session);
}

static const char *
get_state_name (BoshSessionState state)
{
  static const char *names[] = {
    "new",
    "creating",
    "attaching",
    "open",
    "retrying",
    "paused",
    "terminating",
    "detached",
    "closed",
  };

  return names[state];
}

static void
record (TestSession *self,
        const char  *event)
{
  if (self->events->len > 0)
    g_string_append_c (self->events, ' ');
  g_string_append (self->events, event);
}

/* Takes @text. */
static void
record_text (TestSession *self,
             const char  *event,
             char        *text)
{
  g_autofree char *line = g_strdup_printf ("%s(%s)", event, text != NULL ? text : "");

  record (self, line);
  g_free (text);
}

static void
record_serial (TestSession *self,
               const char  *event,
               guint64      serial)
{
  record_text (self, event, g_strdup_printf ("%" G_GUINT64_FORMAT, serial));
}

static void
forget_send (TestSession *self,
             guint64      rid)
{
  for (GList *link = self->sends.head; link != NULL; link = link->next)
    if (((BoshAction *)link->data)->rid == rid)
      {
        free_send (link->data);
        g_queue_delete_link (&self->sends, link);
        return;
      }
}

static void
take_action (TestSession *self,
             BoshAction  *action)
{
  switch (action->type)
    {
    case BOSH_ACTION_SEND:
      g_queue_push_tail (&self->sends, g_memdup2 (action, sizeof *action));
      break;

    case BOSH_ACTION_ABANDON:
      forget_send (self, action->rid);
      g_queue_push_tail (&self->abandoned, g_memdup2 (&action->rid, sizeof action->rid));
      break;

    case BOSH_ACTION_REDIRECTED:
      record_text (self, "REDIRECTED", action->text);
      break;

    case BOSH_ACTION_STREAM_OPENED:
      record_text (self, "STREAM-OPENED", action->text);
      break;

    case BOSH_ACTION_STREAM_CLOSED:
      record_text (self, "STREAM-CLOSED", action->text);
      g_clear_error (&action->error);
      break;

    case BOSH_ACTION_PAYLOAD:
      if (action->text != NULL)
        record_text (self, "ON", action->text);
      g_ptr_array_add (self->payloads, action->element);
      break;

    case BOSH_ACTION_LEFT_OUT:
      g_assert_error (action->error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
      g_assert_cmpuint (action->serial, >, 0);
      record_text (self, "LEFT-OUT", g_strdup (bosh_element_get_name (action->element)));
      g_ptr_array_add (self->left_out, action->element);
      g_clear_error (&action->error);
      g_free (action->text);
      break;

    case BOSH_ACTION_STATE:
      record (self, get_state_name (action->state));
      break;

    case BOSH_ACTION_OPENED:
      record (self, "OPENED");
      break;

    case BOSH_ACTION_RESTARTED:
      record (self, "RESTARTED");
      g_free (action->text);
      break;

    case BOSH_ACTION_PAUSED:
      record (self, "PAUSED");
      break;

    case BOSH_ACTION_DELIVERED:
      g_assert_cmpuint (action->serial, >, self->delivered);
      self->delivered = action->serial;
      break;

    case BOSH_ACTION_STANZA_FAILED:
      record_serial (self, "FAILED", action->serial);
      g_clear_error (&action->error);
      break;

    case BOSH_ACTION_HANDED_OVER:
      record (self, "HANDED-OVER");
      break;

    case BOSH_ACTION_CLOSED:
      record (self, "CLOSED");
      g_assert_null (self->error);
      self->error = action->error;
      break;

    default:
      g_assert_not_reached ();
    }
}

void
test_session_drain (TestSession *self)
{
  BoshAction action = { 0 };
  gint64 deadline;

  while (bosh_session_next_action (self->session, &action, self->now))
    take_action (self, &action);

  /* A deadline that is not in the future would keep a main loop spinning. */
  deadline = bosh_session_get_deadline (self->session);
  g_assert_true (deadline == -1 || deadline > self->now);
}

void
test_session_advance (TestSession *self,
                      gint64       microseconds)
{
  gint64 end = self->now + microseconds;

  test_session_drain (self);
  for (;;)
    {
      gint64 deadline = bosh_session_get_deadline (self->session);

      if (deadline == -1 || deadline > end)
        break;
      self->now = deadline;
      test_session_drain (self);
    }
  self->now = end;
  test_session_drain (self);
}

gboolean
test_session_has_request (TestSession *self)
{
  test_session_drain (self);

  return !g_queue_is_empty (&self->sends);
}

GBytes *
test_session_take_bytes (TestSession *self,
                         guint64     *rid)
{
  g_autofree BoshAction *action = NULL;

  test_session_drain (self);
  action = g_queue_pop_head (&self->sends);
  g_assert_nonnull (action);
  if (rid != NULL)
    *rid = action->rid;
  bosh_session_handle_written (self->session, action->rid, self->now);

  return action->bytes;
}

BoshElement *
test_session_take (TestSession *self,
                   guint64     *rid)
{
  g_autoptr(GBytes) bytes = test_session_take_bytes (self, rid);
  g_autoptr(GError) error = NULL;
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  BoshElement *element = bosh_xml_parse (data, length, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (bosh_element_matches (element, "body", BOSH_NS_HTTPBIND));

  return element;
}

void
test_session_respond_http (TestSession *self,
                           guint64      rid,
                           guint        status,
                           const char  *text,
                           int          retry_after)
{
  g_autoptr(GBytes) bytes = g_bytes_new (text, strlen (text));
  BoshHttpResponse response = { status, bytes, retry_after, NULL };

  bosh_session_handle_response (self->session, rid, &response, self->now);
  test_session_drain (self);
}

void
test_session_respond (TestSession *self,
                      guint64      rid,
                      const char  *attributes,
                      const char  *content)
{
  g_autofree char *text = g_strdup_printf ("<body xmlns='" BOSH_NS_HTTPBIND "' %s>%s</body>",
                                           attributes, content);

  test_session_respond_http (self, rid, 200, text, -1);
}

void
test_session_fail (TestSession *self,
                   guint64      rid,
                   BoshFailure  failure)
{
  g_autoptr(GError) error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED, "test failure");

  bosh_session_handle_failure (self->session, rid, failure, error, self->now);
  test_session_drain (self);
}

static void
open_with (TestSession *self,
           const char  *attributes,
           const char  *content)
{
  g_autoptr(BoshElement) creation = NULL;
  guint64 rid;

  bosh_session_open (self->session, self->now);
  creation = test_session_take (self, &rid);
  self->now += 10000;
  test_session_respond (self, rid, attributes, content);
  test_session_events (self, "creating open OPENED");
  g_ptr_array_set_size (self->payloads, 0);
}

void
test_session_open (TestSession *self,
                   const char  *attributes)
{
  open_with (self, attributes, "");
}

void
test_session_open_prosody (TestSession *self,
                           const char  *attributes)
{
  open_with (self, attributes, TEST_PROSODY_FEATURES);
}

void
test_session_open_quietly (TestSession *self,
                           const char  *attributes)
{
  bosh_session_set_reply_expected (self->session, TRUE);
  test_session_open (self, attributes);
}

void
test_session_queue (TestSession *self,
                    const char  *body)
{
  g_autoptr(BoshElement) message = bosh_element_new_message ("to@example.org", NULL, body);
  g_autoptr(GError) error = NULL;

  bosh_session_queue (self->session, message, NULL, &error);
  g_assert_no_error (error);
}

void
test_session_attribute (BoshElement *request,
                        const char  *name,
                        const char  *expected)
{
  g_assert_cmpstr (bosh_element_get_attribute (request, name), ==, expected);
}

void
test_session_events (TestSession *self,
                     const char  *expected)
{
  test_session_drain (self);
  g_assert_cmpstr (self->events->str, ==, expected);
  g_string_truncate (self->events, 0);
}
