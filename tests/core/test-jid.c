/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-jid-private.h"

#include <string.h>

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
  g_assert_true (bosh_jid_equal ("a@xn--mnchen-3ya.example", "A@M\xc3\x9cNCHEN.example."));
  g_assert_false (bosh_jid_equal ("a@b/c", "a@b/C"));
  g_assert_false (bosh_jid_equal ("a@b/c", "a@b"));
  g_assert_false (bosh_jid_equal ("a@b", "c@b"));
  g_assert_false (bosh_jid_equal ("a@b\xff", "A@b\xff"));
}

static void
test_prepared (void)
{
  static const struct
  {
    const char *jid;
    const char *prepared;  /* NULL if it is no JID */
  } cases[] = {
    { "alice@example.org/home", "alice@example.org/home" },
    { "Alice@Example.org/Home", "alice@example.org/Home" },
    { "example.org/x", "example.org/x" },
    { "J\xc3\x96RG@M\xc3\x9cNCHEN.example", "j\xc3\xb6rg@m\xc3\xbcnchen.example" },
    { "jo\xcc\x88rg@xn--mnchen-3ya.example.", "j\xc3\xb6rg@m\xc3\xbcnchen.example" },
    { "\xef\xbc\xa1lice@example.org/\xef\xbc\xa1", "alice@example.org/A" },
    { "d\\27artagnan@[::1]/x@y/z", "d\\27artagnan@[::1]/x@y/z" },
    /* Characters that are younger than the tables of Nodeprep. */
    { "\xf0\x9f\x8e\x88@example.org", "\xf0\x9f\x8e\x88@example.org" },
    { "", NULL },
    { "@example.org", NULL },
    { "alice@", NULL },
    { "alice@/x", NULL },
    { "alice@example.org/", NULL },
    { "a b@example.org", NULL },
    { "a'b@example.org", NULL },
    { "a@b@example.org", NULL },
    { "alice\xff@example.org", NULL },
    { "alice@example.org/\xff", NULL },
    { "alice@a b", NULL },
  };
  g_autofree char *part = g_strnfill (BOSH_JID_MAX_PART, 'a');
  g_autofree char *long_name = g_strconcat (part, "@h", NULL);
  g_autofree char *too_long_name = g_strconcat ("a", part, "@h", NULL);
  g_autofree char *long_resource = g_strconcat ("h/", part, NULL);
  g_autofree char *too_long_resource = g_strconcat ("h/a", part, NULL);
  g_autofree char *prepared_name = bosh_jid_prepare (long_name);
  g_autofree char *prepared_resource = bosh_jid_prepare (long_resource);

  g_test_summary ("RFC 7622 §3: what a JID is, and the form in which it is compared");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *prepared = bosh_jid_prepare (cases[i].jid);
      g_autofree char *again = prepared != NULL ? bosh_jid_prepare (prepared) : NULL;
      g_autofree char *escaped = g_strescape (cases[i].jid, NULL);

      g_test_message ("“%s”", escaped);
      g_assert_cmpstr (prepared, ==, cases[i].prepared);
      g_assert_cmpstr (again, ==, prepared);
    }

  g_assert_cmpstr (prepared_name, ==, long_name);
  g_assert_null (bosh_jid_prepare (too_long_name));
  g_assert_cmpstr (prepared_resource, ==, long_resource);
  g_assert_null (bosh_jid_prepare (too_long_resource));
}

static void
test_each_character (void)
{
  guint n_refused = 0;
  guint n_changed = 0;

  g_test_summary ("RFC 7622 §3: what is prepared stays as it is, whatever character it has");

  /* Chinese and Korean characters are thousands of the same kind. */
  for (gunichar c = 1; c < 0x20000; c += c < 0x3400 || c > 0xf900 ? 1 : 31)
    {
      char character[7] = "";
      g_autofree char *jid = NULL;
      g_autofree char *prepared = NULL;
      g_autofree char *again = NULL;

      if (!g_unichar_isdefined (c))
        continue;

      g_unichar_to_utf8 (c, character);
      jid = g_strdup_printf ("a%sb@c%sd/e%sf", character, character, character);
      prepared = bosh_jid_prepare (jid);
      if (prepared == NULL)
        {
          n_refused++;
          continue;
        }
      n_changed += strcmp (prepared, jid) != 0;
      again = bosh_jid_prepare (prepared);
      g_assert_cmpstr (again, ==, prepared);
    }

  g_test_message ("%u refused, %u changed", n_refused, n_changed);
  g_assert_cmpuint (n_refused, >, 0);
  g_assert_cmpuint (n_changed, >, 0);
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
  g_test_add_func ("/bosh/jid/prepared", test_prepared);
  g_test_add_func ("/bosh/jid/each-character", test_each_character);
  g_test_add_func ("/bosh/jid/may-respond", test_may_respond);

  return g_test_run ();
}
