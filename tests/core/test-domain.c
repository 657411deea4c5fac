/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <string.h>

#include "bosh-domain-private.h"
#include "bosh-error.h"

#define MUNICH "m\xc3\xbcnchen.example"

/* @expected is NULL where @domain is to be refused. */
static void
check (const char *domain,
       const char *expected)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *prepared = bosh_domain_prepare (domain, &error);
  g_autofree char *kept = bosh_domain_dup_prepared (domain);
  g_autofree char *again = NULL;
  g_autofree char *escaped = g_strescape (domain, NULL);

  g_test_message ("“%.100s”", escaped);
  g_assert_cmpstr (prepared, ==, expected);
  g_assert_cmpstr (kept, ==, expected != NULL ? expected : domain);
  g_assert_true (bosh_domain_equal (domain, kept));
  if (expected == NULL)
    {
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_JID);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_null (bosh_domain_prepare (domain, NULL));
      return;
    }

  g_assert_no_error (error);
  again = bosh_domain_prepare (prepared, NULL);
  g_assert_cmpstr (again, ==, prepared);
}

static void
test_prepared (void)
{
  g_test_summary ("RFC 7622 §3.2: domains as people type them, and what is prepared of them");

  check ("example.org", "example.org");
  check ("Example.ORG", "example.org");
  check ("example.org.", "example.org");
  check ("localhost", "localhost");
  check ("LocalHost.", "localhost");
  check ("chat_server.example", "chat_server.example");
  check ("r3---sn.example", "r3---sn.example");
  check ("3com.1und1.example", "3com.1und1.example");

  check (MUNICH, MUNICH);
  check ("M\xc3\x9cNCHEN.example", MUNICH);
  check ("mu\xcc\x88nchen.example", MUNICH);
  check ("xn--mnchen-3ya.example", MUNICH);
  check ("XN--MNCHEN-3YA.EXAMPLE.", MUNICH);
  check (MUNICH "\xe3\x80\x82", MUNICH);
  /* Another domain than with “ss”, by IDNA2008. */
  check ("fa\xc3\x9f.example", "fa\xc3\x9f.example");
  check ("xn--fa-hia.example", "fa\xc3\x9f.example");
  check ("\xef\xbc\xa5xample\xef\xbc\x8eorg", "example.org");
  check ("\xd9\x85\xd8\xab\xd8\xa7\xd9\x84.example", "\xd9\x85\xd8\xab\xd8\xa7\xd9\x84.example");

  check ("127.0.0.1", "127.0.0.1");
  check ("[::1]", "[::1]");
  check ("[2001:DB8::1]", "[2001:db8::1]");
}

static void
test_refused (void)
{
  g_test_summary ("RFC 7622 §3.2: what is no domain");

  check ("", NULL);
  check (" ", NULL);
  check (".", NULL);
  check (".example", NULL);
  check ("example..org", NULL);
  check ("example.org..", NULL);
  check ("alice@example.org", NULL);
  check ("example.org/x", NULL);
  check ("example.org:5222", NULL);
  check ("https://example.org", NULL);
  check ("a b", NULL);
  check (" example.org", NULL);
  check ("example.org\n", NULL);
  check ("a'b", NULL);
  check ("a\xff", NULL);
  check ("-a.example", NULL);
  check ("a-.example", NULL);
  check ("xn--a.example", NULL);
  check ("xn--.example", NULL);
  /* Of these nothing is encoded so. */
  check ("xn--mnkcya.example", NULL);
  check ("xn--mnchen-3yA\xc3\xbc.example", NULL);
  /* Fullwidth forms of “/” and “@”, and what no label may begin with. */
  check ("a\xef\xbc\x8f"
         "b.example",
         NULL);
  check ("a\xef\xbc\xa0"
         "b.example",
         NULL);
  check ("\xcc\x88"
         "a.example",
         NULL);
  check ("127.1", NULL);
  check ("127.0.0.1.", NULL);
  check ("::1", NULL);
  check ("[::1", NULL);
  check ("[", NULL);
  check ("[]", NULL);
  check ("[::g]", NULL);
  check ("[127.0.0.1]", NULL);
  check ("[fe80::1%eth0]", NULL);
}

static void
test_limits (void)
{
  g_autofree char *label = g_strnfill (63, 'a');
  g_autofree char *part = g_strnfill (60, 'a');
  g_autofree char *longest = g_strdup_printf ("%s.%s.%s.%sa", label, label, label, part);
  g_autofree char *too_long = g_strconcat (longest, "a", NULL);
  g_autofree char *long_label = g_strconcat (label, "a", NULL);
  g_autofree char *huge = g_strnfill (1000000, '.');

  g_test_summary ("RFC 1035 §2.3.4, RFC 7622 §3.1: limits of names");

  g_assert_cmpuint (strlen (longest), ==, 253);
  check (label, label);
  check (long_label, NULL);
  check (longest, longest);
  check (too_long, NULL);
  check (huge, NULL);
}

static void
test_equal (void)
{
  g_test_summary ("RFC 7622 §3.2: domains are equal when they are once prepared");

  g_assert_true (bosh_domain_equal ("Example.org", "example.ORG."));
  g_assert_true (bosh_domain_equal ("xn--mnchen-3ya.example", MUNICH));
  g_assert_false (bosh_domain_equal ("example.org", "example.com"));
  g_assert_false (bosh_domain_equal ("fa\xc3\x9f.example", "fass.example"));
  g_assert_false (bosh_domain_equal ("a b", "A B"));
  g_assert_false (bosh_domain_equal ("example.org", ""));
  g_assert_false (bosh_domain_equal ("", "example.org"));
}

static void
test_ascii (void)
{
  g_autofree char *munich = bosh_domain_to_ascii (MUNICH);
  g_autofree char *sharp = bosh_domain_to_ascii ("fa\xc3\x9f.example");

  g_test_summary ("RFC 5891 §4.4: the form in which DNS knows a domain");

  g_assert_cmpstr (munich, ==, "xn--mnchen-3ya.example");
  g_assert_cmpstr (sharp, ==, "xn--fa-hia.example");
  g_assert_null (bosh_domain_to_ascii ("\xcc\x88"
                                       "a"));
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/domain/prepared", test_prepared);
  g_test_add_func ("/bosh/domain/refused", test_refused);
  g_test_add_func ("/bosh/domain/limits", test_limits);
  g_test_add_func ("/bosh/domain/equal", test_equal);
  g_test_add_func ("/bosh/domain/ascii", test_ascii);

  return g_test_run ();
}
