/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-iq-reply-private.h"
#include "bosh-namespaces-private.h"

#define IQ(attributes, content) "<iq xmlns='" BOSH_NS_CLIENT "' " attributes ">" content "</iq>"
#define FROM "id='1' from='a@b/c' to='d@e/f'"
#define QUERY "<query xmlns='urn:other'/>"

static BoshElement *
read_element (const char *xml)
{
  g_autoptr(GError) error = NULL;
  BoshElement *element = bosh_element_new_from_string (xml, &error);

  g_assert_no_error (error);

  return element;
}

static void
test_kinds (void)
{
  static const struct
  {
    const char *xml;
    BoshIqKind  kind;
  } cases[] = {
    { IQ (FROM " type='get'", QUERY), BOSH_IQ_REQUEST },
    { IQ (FROM " type='set'", QUERY), BOSH_IQ_REQUEST },
    { IQ ("id='' type='set'", QUERY), BOSH_IQ_REQUEST },
    { IQ (FROM " type='set'", "text" QUERY), BOSH_IQ_REQUEST },
    { "<iq id='1' type='get'><query/></iq>", BOSH_IQ_REQUEST },

    { IQ (FROM " type='result'", ""), BOSH_IQ_RESPONSE },
    { IQ (FROM " type='result'", QUERY), BOSH_IQ_RESPONSE },
    { IQ (FROM " type='error'", QUERY QUERY), BOSH_IQ_RESPONSE },
    { IQ ("type='error'", ""), BOSH_IQ_RESPONSE },

    { IQ (FROM, QUERY), BOSH_IQ_MALFORMED },
    { IQ (FROM " type='odd'", QUERY), BOSH_IQ_MALFORMED },
    { IQ (FROM " type='GET'", QUERY), BOSH_IQ_MALFORMED },
    { IQ ("from='a@b/c' type='get'", QUERY), BOSH_IQ_MALFORMED },
    { IQ (FROM " type='get'", ""), BOSH_IQ_MALFORMED },
    { IQ (FROM " type='get'", "text"), BOSH_IQ_MALFORMED },
    { IQ (FROM " type='get'", QUERY QUERY), BOSH_IQ_MALFORMED },

    { "<iq xmlns='urn:other' id='1' type='get'><query/></iq>", BOSH_IQ_NONE },
    { "<message xmlns='jabber:client' id='1' type='get'><query/></message>", BOSH_IQ_NONE },
    { "<IQ xmlns='jabber:client' id='1' type='get'><query/></IQ>", BOSH_IQ_NONE },
  };

  g_test_summary ("RFC 6120 §8.2.3: a request is of a known type, with an id and exactly one child");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshElement) element = read_element (cases[i].xml);

      g_test_message ("%s", cases[i].xml);
      g_assert_cmpint (bosh_iq_get_kind (element), ==, cases[i].kind);
    }
}

static void
test_replies (void)
{
  static const struct
  {
    const char *xml;
    const char *condition;  /* NULL: a result */
  } cases[] = {
    { IQ (FROM " type='get'", "<ping xmlns='urn:xmpp:ping'/>"), NULL },
    { IQ (FROM " type='set'", "<ping xmlns='urn:xmpp:ping'/>"), "service-unavailable" },
    { IQ (FROM " type='get'", "<ping xmlns='urn:other'/>"), "service-unavailable" },
    { IQ (FROM " type='get'", QUERY), "service-unavailable" },
    { IQ (FROM " type='get'", "<ping xmlns='urn:xmpp:ping'/>" QUERY), "bad-request" },
    { IQ (FROM " type='odd'", "<ping xmlns='urn:xmpp:ping'/>"), "bad-request" },
    { IQ (FROM " type='get'", ""), "bad-request" },
    { IQ (FROM, QUERY), "bad-request" },
  };

  g_test_summary ("RFC 6120 §8.2.3, §8.4, XEP-0199 §4.2: each request has a reply, a ping a result");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshElement) request = read_element (cases[i].xml);
      g_autoptr(BoshElement) reply = bosh_iq_reply_new_default (request);
      BoshElement *error = bosh_element_get_child (reply, "error", BOSH_NS_CLIENT);

      g_test_message ("%s", cases[i].xml);
      g_assert_true (bosh_element_matches (reply, "iq", BOSH_NS_CLIENT));
      g_assert_cmpint (bosh_iq_get_kind (reply), ==, BOSH_IQ_RESPONSE);
      g_assert_cmpstr (bosh_element_get_attribute (reply, "id"), ==, "1");
      g_assert_cmpstr (bosh_element_get_attribute (reply, "to"), ==, "a@b/c");
      g_assert_cmpstr (bosh_element_get_attribute (reply, "from"), ==, "d@e/f");
      g_assert_cmpstr (bosh_element_get_attribute (reply, "type"), ==,
                       cases[i].condition != NULL ? "error" : "result");
      if (cases[i].condition != NULL)
        g_assert_nonnull (bosh_element_get_child (error, cases[i].condition, BOSH_NS_STANZA_ERRORS));
      else
        g_assert_cmpuint (bosh_element_get_n_children (reply), ==, 0);
    }
}

static void
test_without_id (void)
{
  g_autoptr(BoshElement) request = read_element (IQ ("from='a@b/c' type='get'", QUERY));
  g_autoptr(BoshElement) reply = bosh_iq_reply_new_default (request);

  g_test_summary ("A request without an id has a reply without one");

  g_assert_null (bosh_element_get_attribute (reply, "id"));
  g_assert_cmpstr (bosh_element_get_attribute (reply, "type"), ==, "error");
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/iq-reply/kinds", test_kinds);
  g_test_add_func ("/bosh/iq-reply/replies", test_replies);
  g_test_add_func ("/bosh/iq-reply/without-id", test_without_id);

  return g_test_run ();
}
