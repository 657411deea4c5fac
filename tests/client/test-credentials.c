/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-credentials-private.h"
#include "bosh-secret-private.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* The page that holds a secret text is gone with it. */
static void
assert_gone (const char *text)
{
  gsize page_size = (gsize)sysconf (_SC_PAGESIZE);
  char *page = (char *)((gsize)text & ~(page_size - 1));
  unsigned char residency;

  g_assert_cmpint (mincore (page, page_size, &residency), ==, -1);
  g_assert_cmpint (errno, ==, ENOMEM);
}

static void
test_secret (void)
{
  gsize page_size = (gsize)sysconf (_SC_PAGESIZE);
  BoshSecret *secret = bosh_secret_new ("wonderland");
  char *page = (char *)secret;
  unsigned char residency;

  g_test_summary ("A text that is kept secret has pages of its own, which are gone with it");

  g_assert_cmpstr (bosh_secret_get_text (secret), ==, "wonderland");
  g_assert_cmpuint ((gsize)page % page_size, ==, 0);
  g_assert_cmpint (mincore (page, page_size, &residency), ==, 0);
  bosh_secret_free (secret);
  assert_gone (page);

  g_assert_null (bosh_secret_new (NULL));
  g_assert_null (bosh_secret_get_text (NULL));
  bosh_secret_free (NULL);
}

static void
test_password (void)
{
  char password[] = "wonderland";
  BoshCredentials *credentials = bosh_credentials_new_password ("alice", password, "home");
  BoshCredentials *other = bosh_credentials_ref (credentials);
  const char *kept;
  const char *salted;

  g_test_summary ("Credentials have a copy of the password, which is gone with the last reference");

  password[0] = 'W';
  g_assert_cmpint (bosh_credentials_get_kind (credentials), ==, BOSH_SASL_CREDENTIALS_PASSWORD);
  g_assert_cmpstr (bosh_credentials_get_username (credentials), ==, "alice");
  g_assert_cmpstr (bosh_credentials_get_resource (credentials), ==, "home");
  g_assert_null (bosh_credentials_get_salted_password (credentials));

  bosh_credentials_set_salted_password (credentials, "first");
  salted = bosh_credentials_get_salted_password (credentials);
  g_assert_cmpstr (salted, ==, "first");
  bosh_credentials_set_salted_password (credentials, salted);
  g_assert_cmpstr (bosh_credentials_get_salted_password (credentials), ==, "first");
  bosh_credentials_set_salted_password (credentials, NULL);
  g_assert_null (bosh_credentials_get_salted_password (credentials));
  bosh_credentials_set_salted_password (credentials, "second");
  salted = bosh_credentials_get_salted_password (credentials);

  bosh_credentials_unref (credentials);
  kept = bosh_credentials_get_password (other);
  g_assert_cmpstr (kept, ==, "wonderland");
  bosh_credentials_unref (other);
  assert_gone (kept);
  assert_gone (salted);
}

static void
test_others (void)
{
  g_autoptr(BoshCredentials) anonymous = bosh_credentials_new_anonymous (NULL);
  g_autoptr(BoshCredentials) external = bosh_credentials_new_external ("alice@example.org", "x");

  g_test_summary ("Not every login has a name or a password");

  g_assert_cmpint (bosh_credentials_get_kind (anonymous), ==, BOSH_SASL_CREDENTIALS_ANONYMOUS);
  g_assert_null (bosh_credentials_get_username (anonymous));
  g_assert_null (bosh_credentials_get_password (anonymous));
  g_assert_null (bosh_credentials_get_resource (anonymous));
  g_assert_cmpint (bosh_credentials_get_kind (external), ==, BOSH_SASL_CREDENTIALS_EXTERNAL);
  g_assert_cmpstr (bosh_credentials_get_username (external), ==, "alice@example.org");
  g_assert_null (bosh_credentials_get_password (external));
}

static void
assert_name (BoshCredentials *credentials,
             const char      *expected)
{
  g_assert_cmpstr (bosh_credentials_get_username (credentials), ==, expected);
  bosh_credentials_unref (credentials);
}

static void
test_names (void)
{
  g_test_summary ("RFC 7622 §3.3: names are prepared as those of JIDs, if they can be such");

  assert_name (bosh_credentials_new_password ("Alice", "x", NULL), "alice");
  assert_name (bosh_credentials_new_password ("Jo\xcc\x88rg", "x", NULL), "j\xc3\xb6rg");
  assert_name (bosh_credentials_new_password ("Alice@Example.org", "x", NULL), "Alice@Example.org");
  assert_name (bosh_credentials_new_password ("Alice B", "x", NULL), "Alice B");
  assert_name (bosh_credentials_new_password ("Alice\xff", "x", NULL), "Alice\xff");
  assert_name (bosh_credentials_new_password ("", "x", NULL), "");
  assert_name (bosh_credentials_new_external ("Alice@Example.org.", NULL), "alice@example.org");
  assert_name (bosh_credentials_new_external ("Alice@", NULL), "Alice@");
  assert_name (bosh_credentials_new_external (NULL, NULL), NULL);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/credentials/secret", test_secret);
  g_test_add_func ("/bosh/credentials/password", test_password);
  g_test_add_func ("/bosh/credentials/others", test_others);
  g_test_add_func ("/bosh/credentials/names", test_names);

  return g_test_run ();
}
