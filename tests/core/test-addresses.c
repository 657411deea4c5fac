/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-addresses-private.h"
#include "bosh-error.h"

#include <string.h>

/* @uri is NULL where nothing is to be tried. */
static void
assert_step (BoshAddresses     *addresses,
             BoshAddressesStep  expected,
             const char        *expected_uri)
{
  g_autofree char *uri = NULL;

  g_assert_cmpint (bosh_addresses_next (addresses, &uri), ==, expected);
  g_assert_cmpstr (uri, ==, expected_uri);
}

static void
fail (BoshAddresses *addresses,
      const char    *uri,
      BoshErrorKind  kind,
      BoshError      code,
      const char    *message)
{
  g_autoptr(GError) error = g_error_new_literal (BOSH_ERROR, (int)code, message);

  bosh_addresses_take_failure (addresses, uri, kind, error);
}

static void
assert_error (BoshAddresses *addresses,
              BoshErrorKind  kind,
              BoshError      code,
              const char    *message)
{
  BoshErrorKind given = BOSH_ERROR_KIND_REQUESTED;
  g_autoptr(GError) error = bosh_addresses_dup_error (addresses, &given);

  g_assert_error (error, BOSH_ERROR, (int)code);
  g_assert_cmpstr (error->message, ==, message);
  g_assert_cmpint (given, ==, kind);
}

static void
test_first (void)
{
  g_autoptr(BoshAddresses) addresses = bosh_addresses_new ("example.org");

  g_test_summary ("R125 (XEP-0156 §3): the domain is asked, and each address is tried once");

  bosh_addresses_begin (addresses, NULL);
  assert_step (addresses, BOSH_ADDRESSES_LOOK_UP, NULL);
  bosh_addresses_add_found (addresses, "https://a/");
  bosh_addresses_add_found (addresses, "https://b/");
  bosh_addresses_add_found (addresses, "https://a/");
  assert_step (addresses, BOSH_ADDRESSES_TRY, "https://a/");
  fail (addresses, "https://a/", BOSH_ERROR_KIND_UNTRUSTED, BOSH_ERROR_TLS, "not trusted");
  assert_step (addresses, BOSH_ADDRESSES_TRY, "https://b/");
  fail (addresses, "https://b/", BOSH_ERROR_KIND_TEMPORARY, BOSH_ERROR_HTTP, "status 503");
  assert_step (addresses, BOSH_ADDRESSES_GIVE_UP, NULL);
  assert_error (addresses, BOSH_ERROR_KIND_TEMPORARY, BOSH_ERROR_HTTP,
                "Could not connect to example.org (https://a/: not trusted; https://b/: status 503)");
}

static void
test_untrusted (void)
{
  g_autoptr(BoshAddresses) addresses = bosh_addresses_new ("example.org");

  g_test_summary ("A server that is not trusted may be back, however little the others promise");

  bosh_addresses_begin (addresses, "https://a/");
  assert_step (addresses, BOSH_ADDRESSES_TRY, "https://a/");
  fail (addresses, "https://a/", BOSH_ERROR_KIND_PERMANENT, BOSH_ERROR_INVALID_URI, "no address");
  fail (addresses, "https://b/", BOSH_ERROR_KIND_UNTRUSTED, BOSH_ERROR_TLS, "not trusted");
  fail (addresses, "https://c/", BOSH_ERROR_KIND_PERMANENT, BOSH_ERROR_INVALID_URI, "no address");
  assert_error (addresses, BOSH_ERROR_KIND_UNTRUSTED, BOSH_ERROR_TLS,
                "Could not connect to example.org (https://a/: no address; https://b/: not "
                "trusted; https://c/: no address)");
}

static void
test_later (void)
{
  g_autoptr(BoshAddresses) addresses = bosh_addresses_new ("example.org");

  g_test_summary ("R125 (XEP-0156 §3): an address that worked comes first, and is not tried twice");

  bosh_addresses_begin (addresses, "https://a/");
  assert_step (addresses, BOSH_ADDRESSES_TRY, "https://a/");
  fail (addresses, "https://a/", BOSH_ERROR_KIND_TEMPORARY, BOSH_ERROR_HTTP, "status 503");
  assert_step (addresses, BOSH_ADDRESSES_LOOK_UP, NULL);
  bosh_addresses_add_found (addresses, "https://a/");
  bosh_addresses_add_found (addresses, "https://b/");
  assert_step (addresses, BOSH_ADDRESSES_TRY, "https://b/");

  /* Another attempt; the domain can't be asked. */
  bosh_addresses_begin (addresses, "https://a/");
  assert_step (addresses, BOSH_ADDRESSES_TRY, "https://a/");
  fail (addresses, "https://a/", BOSH_ERROR_KIND_TEMPORARY, BOSH_ERROR_HTTP, "status 503");
  assert_step (addresses, BOSH_ADDRESSES_LOOK_UP, NULL);
  fail (addresses, NULL, BOSH_ERROR_KIND_PERMANENT, BOSH_ERROR_DISCOVERY_FAILED, "nothing found");
  assert_step (addresses, BOSH_ADDRESSES_GIVE_UP, NULL);
  assert_error (addresses, BOSH_ERROR_KIND_TEMPORARY, BOSH_ERROR_HTTP,
                "Could not connect to example.org (https://a/: status 503; nothing found)");
}

static void
test_single (void)
{
  g_autoptr(BoshAddresses) addresses = bosh_addresses_new (NULL);

  g_test_summary ("R127 (XEP-0156 §1): the error of a single failure is given as it is");

  bosh_addresses_begin (addresses, NULL);
  assert_step (addresses, BOSH_ADDRESSES_LOOK_UP, NULL);
  fail (addresses, NULL, BOSH_ERROR_KIND_PERMANENT, BOSH_ERROR_DISCOVERY_FAILED, "nothing found");
  assert_step (addresses, BOSH_ADDRESSES_GIVE_UP, NULL);
  assert_step (addresses, BOSH_ADDRESSES_GIVE_UP, NULL);
  assert_error (addresses, BOSH_ERROR_KIND_PERMANENT, BOSH_ERROR_DISCOVERY_FAILED, "nothing found");
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/addresses/first", test_first);
  g_test_add_func ("/bosh/addresses/untrusted", test_untrusted);
  g_test_add_func ("/bosh/addresses/later", test_later);
  g_test_add_func ("/bosh/addresses/single", test_single);

  return g_test_run ();
}
