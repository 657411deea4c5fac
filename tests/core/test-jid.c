/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-jid-private.h"

#define DOMAIN "example.org"
#define JID "alice@example.org/home"

static void
test_parts_and_equality (void)
{
  static const struct
  {
    const char *jid;
    const char *bare;
    const char *domain;
  } parts[] = {
    { "alice@example.org/home", "alice@example.org", "example.org" },
    { "alice@example.org", "alice@example.org", "example.org" },
    { "example.org", "example.org", "example.org" },
    { "example.org/a@b/c", "example.org", "example.org" },
    { "alice@example.org/a@b/c", "alice@example.org", "example.org" },
    { "alice@", "alice@", "" },
    { "/x", "", "" },
    { "", "", "" },
  };

  g_test_summary ("RFC 7622 §3.2: the parts of a JID, and which JIDs are equal");

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *bare = bosh_jid_dup_bare (parts[i].jid);
      g_autofree char *domain = bosh_jid_dup_domain (parts[i].jid);

      g_assert_cmpstr (bare, ==, parts[i].bare);
      g_assert_cmpstr (domain, ==, parts[i].domain);
    }

  g_assert_true (bosh_jid_equal ("a@b/c", "a@b/c"));
  g_assert_true (bosh_jid_equal ("A@B.example/c", "a@b.EXAMPLE/c"));
  g_assert_true (bosh_jid_equal ("J\xc3\x96RG@b", "jo\xcc\x88rg@b"));
  g_assert_false (bosh_jid_equal ("a@b/c", "a@b/C"));
  g_assert_false (bosh_jid_equal ("a@b/c", "a@b"));
  g_assert_false (bosh_jid_equal ("a@b", "c@b"));
  g_assert_false (bosh_jid_equal ("a@b\xff", "A@b\xff"));
}

static void
test_may_respond (void)
{
  static const struct
  {
    const char *to;
    const char *from;
    gboolean    expected;
    gboolean    expected_before;  /* our own JID is known */
  } cases[] = {
    { NULL, NULL, TRUE, TRUE },
    { NULL, DOMAIN, TRUE, TRUE },
    { NULL, "EXAMPLE.org", TRUE, TRUE },
    { NULL, "alice@example.org", TRUE, FALSE },
    { NULL, "Alice@Example.ORG", TRUE, FALSE },
    { NULL, JID, TRUE, FALSE },
    { NULL, "alice@example.org/HOME", FALSE, FALSE },
    { NULL, "mallory@example.org", FALSE, FALSE },
    { NULL, "example.com", FALSE, FALSE },
    { NULL, "", FALSE, FALSE },
    { DOMAIN, NULL, TRUE, TRUE },
    { DOMAIN, DOMAIN, TRUE, TRUE },
    { DOMAIN, "alice@example.org", FALSE, FALSE },
    { "alice@example.org", NULL, TRUE, FALSE },
    { "alice@example.org", "alice@example.org", TRUE, TRUE },
    { "alice@example.org", DOMAIN, FALSE, FALSE },
    { JID, NULL, TRUE, FALSE },
    { JID, JID, TRUE, TRUE },
    { "bob@example.org/x", "Bob@example.org/x", TRUE, TRUE },
    { "bob@example.org/x", "bob@example.org/X", FALSE, FALSE },
    { "bob@example.org/x", NULL, FALSE, FALSE },
    { "bob@example.org/x", DOMAIN, FALSE, FALSE },
  };

  g_test_summary ("RFC 6120 §8.1.2.1: the server responds for the account, and for nobody else");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *from = cases[i].from;
      const char *to = cases[i].to;

      g_test_message ("to %s, from %s", to != NULL ? to : "nobody", from != NULL ? from : "nobody");
      g_assert_cmpint (bosh_jid_may_respond (from, to, DOMAIN, JID), ==, cases[i].expected);
      g_assert_cmpint (bosh_jid_may_respond (from, to, DOMAIN, NULL), ==, cases[i].expected_before);
    }
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/jid/parts-and-equality", test_parts_and_equality);
  g_test_add_func ("/bosh/jid/may-respond", test_may_respond);

  return g_test_run ();
}
