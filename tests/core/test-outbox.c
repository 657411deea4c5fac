/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-limits-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-outbox-private.h"
#include "bosh-xml-private.h"
#include "bosh-xml-writer-private.h"

#include <string.h>

#define MAX_REQUEST_SIZE 4096

/* The outbox only compares streams. */
static char streams[2];
#define FIRST ((Stream *)&streams[0])
#define SECOND ((Stream *)&streams[1])

static BoshElement *
new_message (const char *id)
{
  BoshElement *message = bosh_element_new_message ("peer@example.org", NULL, NULL);

  bosh_element_set_attribute (message, "id", id);

  return message;
}

static guint64
queue (BoshOutbox *outbox,
       const char *id,
       Stream     *stream)
{
  g_autoptr(BoshElement) message = new_message (id);
  g_autoptr(GError) error = NULL;
  guint64 serial = 0;

  g_assert_true (bosh_outbox_queue (outbox, message, stream, &serial, &error));
  g_assert_no_error (error);

  return serial;
}

static void
queue_sasl (BoshOutbox *outbox)
{
  g_autoptr(BoshElement) auth = bosh_element_new ("auth", BOSH_NS_SASL);

  g_assert_true (bosh_outbox_queue (outbox, auth, FIRST, NULL, NULL));
}

/* A message of so many bytes, as it is written in a request. */
static BoshElement *
new_message_of_size (gsize size)
{
  g_autoptr(BoshElement) message = bosh_element_new_message ("peer@example.org", NULL, "x");
  g_autoptr(GString) xml = g_string_new (NULL);
  g_autofree char *text = NULL;

  g_assert_true (bosh_xml_append_element (xml, message, BOSH_NS_HTTPBIND, BOSH_NS_CLIENT, NULL));
  g_assert_cmpuint (xml->len, <=, size);
  text = g_strnfill (size - xml->len + 1, 'x');

  return bosh_element_new_message ("peer@example.org", NULL, text);
}

/* The ids of @elements, which are freed. */
static void
assert_ids (GPtrArray  *elements,
            const char *expected)
{
  g_autoptr(GString) ids = g_string_new (NULL);

  for (guint i = 0; i < elements->len; i++)
    g_string_append (ids, bosh_element_get_attribute (g_ptr_array_index (elements, i), "id"));
  g_assert_cmpstr (ids->str, ==, expected);
  g_ptr_array_unref (elements);
}

/* What the next request takes along. */
static void
assert_take (BoshOutbox *outbox,
             Stream     *stream,
             guint       n_stanzas)
{
  g_autoptr(GString) payloads = g_string_new (NULL);
  guint n_sent = outbox->sent.length;

  g_assert_true (bosh_outbox_take_stanzas (outbox, payloads) == stream);
  g_assert_cmpuint (outbox->sent.length - n_sent, ==, n_stanzas);
  g_assert_cmpuint (payloads->len > 0, ==, n_stanzas > 0);
}

static void
test_order (void)
{
  BoshOutbox outbox;
  g_autoptr(GString) payloads = g_string_new (NULL);
  const char *a;
  const char *b;

  g_test_summary ("Stanzas are numbered, and leave in the order of queueing");

  bosh_outbox_init (&outbox, MAX_REQUEST_SIZE);
  g_assert_cmpuint (queue (&outbox, "a", FIRST), ==, 1);
  g_assert_cmpuint (queue (&outbox, "b", FIRST), ==, 2);
  g_assert_cmpuint (bosh_outbox_get_n_queued (&outbox), ==, 2);
  g_assert_cmpuint (outbox.sent_serial, ==, 0);

  g_assert_true (bosh_outbox_take_stanzas (&outbox, payloads) == FIRST);
  g_assert_cmpuint (bosh_outbox_get_n_queued (&outbox), ==, 0);
  g_assert_cmpuint (outbox.sent_serial, ==, 2);
  a = strstr (payloads->str, "id='a'");
  b = strstr (payloads->str, "id='b'");
  g_assert_nonnull (a);
  g_assert_nonnull (b);
  g_assert_true (a < b);

  /* Nothing is left. */
  assert_take (&outbox, NULL, 0);

  bosh_outbox_clear (&outbox);
}

static void
test_limit (void)
{
  BoshOutbox outbox;
  g_autoptr(BoshElement) fits = NULL;
  g_autoptr(BoshElement) too_large = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("A stanza of the size that a request may carry is queued, a larger one is not");

  bosh_outbox_init (&outbox, MAX_REQUEST_SIZE);
  g_assert_cmpuint (outbox.max_payload_size, <, MAX_REQUEST_SIZE);
  fits = new_message_of_size (outbox.max_payload_size);
  too_large = new_message_of_size (outbox.max_payload_size + 1);

  g_assert_false (bosh_outbox_check_payload (too_large, MAX_REQUEST_SIZE, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  g_clear_error (&error);
  g_assert_false (bosh_outbox_queue (&outbox, too_large, FIRST, NULL, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  g_clear_error (&error);
  g_assert_false (bosh_outbox_set_last (&outbox, too_large, &error));
  g_assert_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE);
  g_assert_cmpuint (bosh_outbox_get_n_queued (&outbox), ==, 0);
  g_assert_cmpuint (outbox.last_serial, ==, 0);

  g_assert_true (bosh_outbox_check_payload (fits, MAX_REQUEST_SIZE, NULL));
  g_assert_true (bosh_outbox_queue (&outbox, fits, FIRST, NULL, NULL));
  queue (&outbox, "b", FIRST);
  assert_take (&outbox, FIRST, 1);
  assert_take (&outbox, FIRST, 1);

  bosh_outbox_clear (&outbox);
}

/* @n attributes, each in a namespace of its own if @namespaces is TRUE. */
static BoshElement *
new_with_attributes (guint    n,
                     gboolean namespaces)
{
  BoshElement *element = bosh_element_new ("message", NULL);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("a%u", i);
      g_autofree char *ns = namespaces ? g_strdup_printf ("urn:%u", i) : NULL;

      bosh_element_set_attribute_ns (element, name, ns, "");
    }

  return element;
}

static void
test_readable (void)
{
  g_autofree char *value = g_strnfill (BOSH_XML_MAX_OWN_START_TAG - 100, 'v');
  g_autofree char *long_value = g_strnfill (BOSH_XML_MAX_OWN_START_TAG, 'v');
  struct
  {
    BoshElement *fits;
    BoshElement *refused;
    int          code;
  } cases[] = {
    { /* With the declaration of the namespace. */
      new_with_attributes (BOSH_XML_MAX_OWN_ATTRIBUTES - 1, FALSE),
      new_with_attributes (BOSH_XML_MAX_OWN_ATTRIBUTES, FALSE), BOSH_ERROR_TOO_LARGE },
    { new_with_attributes (BOSH_XML_MAX_OWN_ATTRIBUTES / 2 - 1, TRUE),
      new_with_attributes (BOSH_XML_MAX_OWN_ATTRIBUTES / 2, TRUE), BOSH_ERROR_TOO_LARGE },
    { bosh_element_new ("message", NULL), bosh_element_new ("message", NULL), BOSH_ERROR_TOO_LARGE },
  };

  g_test_summary ("R64: a stanza that could not be read again, in a saved session, is refused when "
                  "it is queued");

  bosh_element_set_attribute (cases[2].fits, "a", value);
  bosh_element_set_attribute (cases[2].refused, "a", long_value);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshElement) fits = cases[i].fits;
      g_autoptr(BoshElement) refused = cases[i].refused;
      g_autoptr(GString) payloads = g_string_new (NULL);
      g_autoptr(BoshElement) payload = NULL;
      g_autoptr(GError) error = NULL;
      BoshOutbox outbox;

      bosh_outbox_init (&outbox, BOSH_MAX_BODY_SIZE);
      g_assert_false (bosh_outbox_queue (&outbox, refused, FIRST, NULL, &error));
      g_assert_error (error, BOSH_ERROR, cases[i].code);
      g_clear_error (&error);
      g_assert_cmpuint (bosh_outbox_get_n_queued (&outbox), ==, 0);

      g_assert_true (bosh_outbox_queue (&outbox, fits, FIRST, NULL, &error));
      g_assert_no_error (error);
      bosh_outbox_take_stanzas (&outbox, payloads);
      payload = bosh_xml_parse_own (payloads->str, payloads->len, &error);
      g_assert_no_error (error);
      bosh_outbox_clear (&outbox);
    }
}

static void
test_sasl (void)
{
  BoshOutbox outbox;

  g_test_summary ("XEP-0206 §2: a body holds stanzas, or one element of SASL");

  bosh_outbox_init (&outbox, MAX_REQUEST_SIZE);
  queue (&outbox, "a", FIRST);
  queue_sasl (&outbox);
  g_assert_false (bosh_outbox_fits_in_request (&outbox));
  queue_sasl (&outbox);
  queue (&outbox, "b", FIRST);

  for (guint i = 0; i < 4; i++)
    assert_take (&outbox, FIRST, 1);
  assert_take (&outbox, NULL, 0);

  bosh_outbox_clear (&outbox);
}

static void
test_streams (void)
{
  BoshOutbox outbox;

  g_test_summary ("XEP-0124 §16.4: a request is for one stream, and orders have one of their own");

  bosh_outbox_init (&outbox, MAX_REQUEST_SIZE);
  queue (&outbox, "a", FIRST);
  queue (&outbox, "b", FIRST);
  queue (&outbox, "c", SECOND);
  g_assert_cmpuint (bosh_outbox_queue_opening (&outbox, "example.net", NULL), ==, 4);
  queue (&outbox, "d", NULL);
  g_assert_cmpuint (bosh_outbox_queue_closing (&outbox, SECOND), ==, 6);
  g_assert_cmpuint (bosh_outbox_get_n_openings (&outbox), ==, 1);
  g_assert_false (bosh_outbox_fits_in_request (&outbox));

  g_assert_cmpint (bosh_outbox_get_next_kind (&outbox), ==, ENTRY_STANZA);
  assert_take (&outbox, FIRST, 2);
  assert_take (&outbox, SECOND, 1);
  g_assert_cmpint (bosh_outbox_get_next_kind (&outbox), ==, ENTRY_OPEN_STREAM);
  assert_take (&outbox, NULL, 0);
  g_assert_cmpstr (bosh_outbox_take (&outbox)->to, ==, "example.net");
  g_assert_cmpuint (bosh_outbox_get_n_openings (&outbox), ==, 0);
  assert_take (&outbox, NULL, 1);
  g_assert_cmpint (bosh_outbox_get_next_kind (&outbox), ==, ENTRY_CLOSE_STREAM);
  g_assert_true (bosh_outbox_take (&outbox)->stream == SECOND);
  g_assert_cmpuint (outbox.sent_serial, ==, 6);

  /* Orders are no stanzas. */
  assert_ids (bosh_outbox_dup_undelivered (&outbox, 6), "abcd");

  bosh_outbox_clear (&outbox);
}

static void
test_delivery (void)
{
  BoshOutbox outbox;

  g_test_summary ("What has arrived is forgotten, once");

  bosh_outbox_init (&outbox, MAX_REQUEST_SIZE);
  g_assert_true (bosh_outbox_is_delivered (&outbox));
  queue (&outbox, "a", FIRST);
  queue (&outbox, "b", FIRST);
  queue (&outbox, "c", FIRST);
  assert_take (&outbox, FIRST, 3);

  g_assert_false (bosh_outbox_deliver_up_to (&outbox, 0));
  g_assert_true (bosh_outbox_deliver_up_to (&outbox, 2));
  g_assert_false (bosh_outbox_deliver_up_to (&outbox, 1));
  g_assert_false (bosh_outbox_deliver_up_to (&outbox, 2));
  g_assert_cmpuint (outbox.sent.length, ==, 1);
  g_assert_false (bosh_outbox_is_delivered (&outbox));
  assert_ids (bosh_outbox_dup_undelivered (&outbox, 3), "c");

  g_assert_true (bosh_outbox_deliver_up_to (&outbox, 3));
  g_assert_true (bosh_outbox_is_delivered (&outbox));

  bosh_outbox_clear (&outbox);
}

static void
test_fates (void)
{
  BoshOutbox outbox;

  g_test_summary ("Each stanza is delivered, of unknown fate, or certainly unsent");

  bosh_outbox_init (&outbox, MAX_REQUEST_SIZE);
  queue (&outbox, "a", FIRST);
  queue (&outbox, "b", FIRST);
  assert_take (&outbox, FIRST, 2);
  queue (&outbox, "c", FIRST);
  assert_take (&outbox, FIRST, 1);
  queue (&outbox, "d", FIRST);

  /* Sent means to have a request, but that may not have left yet. */
  assert_ids (bosh_outbox_dup_undelivered (&outbox, 0), "");
  assert_ids (bosh_outbox_dup_unsent (&outbox, 0, NULL), "abcd");
  assert_ids (bosh_outbox_dup_undelivered (&outbox, 2), "ab");
  assert_ids (bosh_outbox_dup_unsent (&outbox, 2, NULL), "cd");

  bosh_outbox_mark_maybe_sent (&outbox, 3);
  bosh_outbox_mark_maybe_sent (&outbox, 2);
  assert_ids (bosh_outbox_dup_undelivered (&outbox, 0), "abc");
  assert_ids (bosh_outbox_dup_unsent (&outbox, 0, NULL), "d");

  bosh_outbox_deliver_up_to (&outbox, 2);
  assert_ids (bosh_outbox_dup_undelivered (&outbox, 0), "c");
  assert_ids (bosh_outbox_dup_unsent (&outbox, 0, NULL), "d");

  bosh_outbox_clear (&outbox);
}

static void
test_last (void)
{
  BoshOutbox outbox;
  g_autoptr(BoshElement) last = new_message ("z");
  g_autoptr(GString) payloads = g_string_new (NULL);

  g_test_summary ("The stanza of the terminate request comes after all others");

  bosh_outbox_init (&outbox, MAX_REQUEST_SIZE);
  g_assert_true (bosh_outbox_set_last (&outbox, last, NULL));
  queue (&outbox, "a", FIRST);
  g_assert_true (bosh_outbox_fits_in_request (&outbox));
  assert_ids (bosh_outbox_dup_unsent (&outbox, 0, NULL), "az");

  bosh_outbox_take_stanzas (&outbox, payloads);
  bosh_outbox_take_last (&outbox, payloads);
  g_assert_nonnull (strstr (payloads->str, "id='z'"));
  g_assert_cmpuint (outbox.sent_serial, ==, 2);
  assert_ids (bosh_outbox_dup_undelivered (&outbox, 2), "az");
  assert_ids (bosh_outbox_dup_unsent (&outbox, 2, NULL), "");

  /* There is no other. */
  bosh_outbox_take_last (&outbox, payloads);
  g_assert_cmpuint (outbox.sent_serial, ==, 2);

  bosh_outbox_clear (&outbox);
}

static void
test_fits_in_request (void)
{
  BoshOutbox outbox;
  g_autoptr(BoshElement) large = NULL;
  g_autoptr(BoshElement) half = NULL;

  g_test_summary ("What is queued and the last stanza share a request up to its limit");

  bosh_outbox_init (&outbox, MAX_REQUEST_SIZE);
  g_assert_true (bosh_outbox_fits_in_request (&outbox));
  half = new_message_of_size (outbox.max_payload_size / 2);
  large = new_message_of_size (outbox.max_payload_size - outbox.max_payload_size / 2);

  g_assert_true (bosh_outbox_queue (&outbox, half, FIRST, NULL, NULL));
  g_assert_true (bosh_outbox_set_last (&outbox, large, NULL));
  g_assert_true (bosh_outbox_fits_in_request (&outbox));
  queue (&outbox, "a", FIRST);
  g_assert_false (bosh_outbox_fits_in_request (&outbox));

  bosh_outbox_clear (&outbox);
}

static void
test_strand (void)
{
  BoshOutbox outbox;
  g_autoptr(GArray) serials = NULL;

  g_test_summary ("What waits for a stream that has ended is set aside, and stays in order");

  bosh_outbox_init (&outbox, MAX_REQUEST_SIZE);
  queue (&outbox, "a", SECOND);
  queue (&outbox, "b", FIRST);
  queue (&outbox, "c", SECOND);
  queue (&outbox, "d", NULL);
  bosh_outbox_queue_closing (&outbox, SECOND);

  serials = bosh_outbox_strand (&outbox, SECOND);
  g_assert_cmpuint (serials->len, ==, 2);
  g_assert_cmpuint (g_array_index (serials, guint64, 0), ==, 1);
  g_assert_cmpuint (g_array_index (serials, guint64, 1), ==, 3);
  g_assert_cmpuint (bosh_outbox_get_n_queued (&outbox), ==, 2);
  assert_ids (bosh_outbox_dup_unsent (&outbox, 0, NULL), "abcd");
  assert_ids (bosh_outbox_dup_unsent (&outbox, 0, FIRST), "b");
  assert_ids (bosh_outbox_dup_unsent (&outbox, 0, SECOND), "ac");

  bosh_outbox_clear (&outbox);
}

static void
test_secrets (void)
{
  BoshOutbox outbox;
  g_autoptr(BoshElement) last = bosh_element_new ("abort", BOSH_NS_SASL);

  g_test_summary ("Elements of SASL are in no list of what has become of the stanzas");

  bosh_outbox_init (&outbox, MAX_REQUEST_SIZE);
  queue_sasl (&outbox);
  g_assert_true (bosh_outbox_is_next_sasl (&outbox));
  assert_take (&outbox, FIRST, 1);
  queue (&outbox, "a", FIRST);
  g_assert_false (bosh_outbox_is_next_sasl (&outbox));
  g_assert_false (bosh_outbox_has_sasl (&outbox));
  assert_take (&outbox, FIRST, 1);
  queue (&outbox, "b", FIRST);
  queue_sasl (&outbox);
  g_assert_true (bosh_outbox_has_sasl (&outbox));
  queue (&outbox, "c", FIRST);
  g_assert_true (bosh_outbox_set_last (&outbox, last, NULL));

  assert_ids (bosh_outbox_dup_undelivered (&outbox, 2), "a");
  assert_ids (bosh_outbox_dup_unsent (&outbox, 0, NULL), "abc");
  g_array_unref (bosh_outbox_strand (&outbox, FIRST));
  assert_ids (bosh_outbox_dup_unsent (&outbox, 0, FIRST), "abc");

  bosh_outbox_clear (&outbox);
}

static void
test_restore (void)
{
  BoshOutbox outbox;
  g_autoptr(BoshElement) a = new_message ("a");
  g_autoptr(BoshElement) large = new_message_of_size (2 * MAX_REQUEST_SIZE);

  g_test_summary ("What another owner has queued goes on, also if it is too large for this one");

  bosh_outbox_init (&outbox, MAX_REQUEST_SIZE);
  bosh_outbox_restore_sent (&outbox, a, FIRST);
  bosh_outbox_restore_unsent (&outbox, large, FIRST);
  g_assert_cmpuint (queue (&outbox, "b", FIRST), ==, 3);
  g_assert_cmpuint (outbox.sent_serial, ==, 1);
  g_assert_cmpuint (outbox.sent.length, ==, 1);

  assert_take (&outbox, FIRST, 1);
  assert_take (&outbox, FIRST, 1);
  g_assert_cmpuint (outbox.sent_serial, ==, 3);

  bosh_outbox_clear (&outbox);
}

/* Queues automatic replies until one is refused, and returns how many were not. */
static guint
count_automatic (BoshOutbox *outbox)
{
  guint count = 0;

  for (;;)
    {
      g_autoptr(BoshElement) reply = bosh_element_new_iq ("peer@example.org", "error", NULL);

      if (!bosh_outbox_queue_automatic (outbox, reply, FIRST))
        return count;
      count++;
      g_assert_cmpuint (count, <, 100000);
    }
}

static void
test_automatic (void)
{
  BoshOutbox outbox;
  g_autofree char *text = g_strnfill (3000, 'x');
  guint n_replies;
  guint n_beside;

  g_test_summary ("XEP-0124 §19: automatic replies stop when much waits, and what the "
                  "application sends does not");

  bosh_outbox_init (&outbox, MAX_REQUEST_SIZE);
  n_replies = count_automatic (&outbox);
  g_assert_cmpuint (n_replies, >, 100);
  g_assert_cmpuint (outbox.size, <, BOSH_MAX_WAITING + 2048);
  queue (&outbox, text, FIRST);
  g_assert_cmpuint (bosh_outbox_get_n_queued (&outbox), ==, n_replies + 1);

  /* What was sent and may have to be sent again counts, and what has arrived does not. */
  while (bosh_outbox_get_n_queued (&outbox) > 0)
    bosh_outbox_take (&outbox);
  g_assert_cmpuint (count_automatic (&outbox), ==, 0);
  bosh_outbox_deliver_up_to (&outbox, n_replies + 1);
  g_assert_cmpuint (outbox.size, ==, 0);
  g_assert_cmpuint (outbox.automatic_size, ==, 0);
  g_assert_cmpuint (count_automatic (&outbox), ==, n_replies);
  bosh_outbox_clear (&outbox);

  /* However much the application has queued, a few replies go along. */
  bosh_outbox_init (&outbox, MAX_REQUEST_SIZE);
  for (guint i = 0; i < 1000; i++)
    queue (&outbox, text, FIRST);
  g_assert_cmpuint (outbox.size, >, BOSH_MAX_WAITING);
  n_beside = count_automatic (&outbox);
  g_assert_cmpuint (n_beside, >, 10);
  g_assert_cmpuint (n_beside, <, n_replies);
  bosh_outbox_clear (&outbox);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/outbox/order", test_order);
  g_test_add_func ("/bosh/outbox/limit", test_limit);
  g_test_add_func ("/bosh/outbox/readable", test_readable);
  g_test_add_func ("/bosh/outbox/sasl", test_sasl);
  g_test_add_func ("/bosh/outbox/streams", test_streams);
  g_test_add_func ("/bosh/outbox/delivery", test_delivery);
  g_test_add_func ("/bosh/outbox/fates", test_fates);
  g_test_add_func ("/bosh/outbox/last", test_last);
  g_test_add_func ("/bosh/outbox/fits-in-request", test_fits_in_request);
  g_test_add_func ("/bosh/outbox/strand", test_strand);
  g_test_add_func ("/bosh/outbox/secrets", test_secrets);
  g_test_add_func ("/bosh/outbox/restore", test_restore);
  g_test_add_func ("/bosh/outbox/automatic", test_automatic);

  return g_test_run ();
}
