/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* No memory is freed with a password in it. free() and realloc() of this program look
 * at what they are given. */

#include "config.h"

#include "bosh-element-private.h"
#include "bosh-login-private.h"
#include "bosh-secret-clear-private.h"
#include "bosh-test-session.h"

#include <malloc.h>
#include <string.h>

/* So that it is not found by chance. */
#define PASSWORD "correct-horse-battery-staple-4711"
/* base64 of "\0user\0" and the password. */
#define TOKEN "AHVzZXIAY29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZS00NzEx"

void *__libc_malloc (size_t size);
void __libc_free (void *memory);

static gboolean is_looking;
static guint n_found;

static gboolean
has (const char *memory,
     size_t      size,
     const char *secret)
{
  size_t length = strlen (secret);

  for (size_t i = 0; i + length <= size; i++)
    {
      if (memory[i] == secret[0] && memcmp (memory + i, secret, length) == 0)
        return TRUE;
    }

  return FALSE;
}

void
free (void *memory)
{
  if (is_looking && memory != NULL)
    {
      size_t size = malloc_usable_size (memory);

      if (has (memory, size, PASSWORD) || has (memory, size, TOKEN))
        n_found++;
    }
  __libc_free (memory);
}

/* Always moves, as the one of the system may. */
void *
realloc (void   *memory,
         size_t  size)
{
  void *copy;

  if (size == 0)
    {
      free (memory);
      return NULL;
    }

  copy = __libc_malloc (size);
  if (copy != NULL && memory != NULL)
    {
      memcpy (copy, memory, MIN (size, malloc_usable_size (memory)));
      free (memory);
    }

  return copy;
}

/* FALSE where another program, such as valgrind, is in charge of the memory. */
static gboolean
look (void)
{
  char *volatile secret = g_strdup (PASSWORD);

  n_found = 0;
  is_looking = TRUE;
  g_free (secret);
  if (n_found == 1)
    {
      n_found = 0;
      return TRUE;
    }

  is_looking = FALSE;
  g_test_skip ("free() is not that of this program");

  return FALSE;
}

static void
assert_nothing_found (void)
{
  is_looking = FALSE;
  g_assert_cmpuint (n_found, ==, 0);
}

static BoshElement *
parse (const char *text)
{
  g_autoptr(GError) error = NULL;
  BoshElement *element = bosh_element_new_from_string (text, &error);

  g_assert_no_error (error);

  return element;
}

/* The element that the login sends first. */
static BoshElement *
begin_login (BoshLogin  *login,
             const char *features_text)
{
  g_autoptr(BoshElement) features = parse (features_text);
  BoshLoginAction action;

  bosh_login_handle_features (login, features);
  g_assert_true (bosh_login_next_action (login, &action));
  g_assert_cmpint (action.type, ==, BOSH_LOGIN_ACTION_SEND);

  return action.element;
}

/* Sends it in a session whose first attempts fail, in two ways, and shows it in a
 * debug console. */
static void
send (TestSession *t,
      BoshElement *element)
{
  guint64 rid;

  g_assert_true (bosh_session_queue (t->session, element, NULL, NULL));
  test_session_drain (t);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr(GBytes) bytes = test_session_take_bytes (t, &rid);
      g_autofree char *shown = bosh_body_redact_secret (bytes);

      g_assert_null (strstr (shown, TOKEN));
      g_assert_nonnull (strstr (shown, "PLAIN"));
      if (i < 2)
        test_session_fail (t, rid, i == 0 ? BOSH_FAILURE_UNREACHABLE : BOSH_FAILURE_BROKEN);
      test_session_advance (t, TEST_SECOND);
    }
  test_session_respond (t, rid, "", "");
}

static void
test_login (void)
{
  static const char * const features[] = {
    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms xmlns='" BOSH_NS_SASL
    "'><mechanism>PLAIN</mechanism></mechanisms></stream:features>",
    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><authentication xmlns='" BOSH_NS_SASL2
    "'><mechanism>PLAIN</mechanism></authentication></stream:features>",
  };
  BoshLoginParameters parameters = {
    .domain = "example.org",
    .credentials = BOSH_SASL_CREDENTIALS_PASSWORD,
    .username = "user",
    .password = PASSWORD,
    .allow_plaintext = TRUE,
  };

  g_test_summary ("What has the data of PLAIN is overwritten before it is freed: elements, XML, "
                  "requests and their retransmissions");

  for (guint i = 0; i < G_N_ELEMENTS (features); i++)
    {
      TestSession t;
      BoshLogin *login;
      BoshElement *element;

      test_session_init (&t, NULL);
      test_session_open_quietly (&t, TEST_GRANTS);
      if (!look ())
        {
          test_session_clear (&t);
          return;
        }

      login = bosh_login_new (&parameters);
      element = begin_login (login, features[i]);
      send (&t, element);
      bosh_element_unref (element);
      bosh_login_free (login);
      test_session_clear (&t);
      assert_nothing_found ();
    }
}

static void
test_ends_early (void)
{
  g_test_summary ("Nor is anything left of what could not be sent, was queued or under way when "
                  "the session ended, or was copied");

  for (guint i = 0; i < 4; i++)
    {
      TestSession t;
      g_autoptr(GError) error = NULL;
      BoshElement *element;
      guint64 rid;

      test_session_init (&t, NULL);
      test_session_open_quietly (&t, TEST_GRANTS);
      if (!look ())
        {
          test_session_clear (&t);
          return;
        }

      element = bosh_element_new ("auth", BOSH_NS_SASL);
      bosh_element_set_text (element, TOKEN);
      bosh_element_mark_secret (element);
      switch (i)
        {
        case 0:
          g_assert_true (bosh_session_queue (t.session, element, NULL, NULL));
          break;
        case 1:
          g_assert_true (bosh_session_queue (t.session, element, NULL, NULL));
          test_session_drain (&t);
          g_bytes_unref (test_session_take_bytes (&t, &rid));
          break;
        case 2:
          bosh_element_set_attribute (element, "x", "\001");
          g_assert_false (bosh_session_queue (t.session, element, NULL, &error));
          g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_STANZA);
          break;
        case 3:
        default:
          bosh_element_unref (bosh_element_copy (element));
          bosh_element_set_text (element, TOKEN TOKEN);
          bosh_element_set_text (element, NULL);
          break;
        }
      bosh_element_unref (element);
      test_session_clear (&t);
      assert_nothing_found ();
    }
}

static void
test_compose (void)
{
  g_test_summary ("A request with a secret is written without moving it, whatever is before it");

  if (!look ())
    return;

  for (guint i = 0; i < 1100; i++)
    {
      GString *payloads = g_string_sized_new (256);
      g_autofree char *sid = g_strnfill (i, 's');
      BoshRequestBody body = { .rid = 1, .sid = sid, .is_secret = TRUE };

      g_string_append (payloads, "<auth>" TOKEN "</auth>");
      g_bytes_unref (bosh_request_body_compose (&body, payloads));
      bosh_secret_clear_string (&payloads);
    }
  assert_nothing_found ();
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/secrets/login", test_login);
  g_test_add_func ("/bosh/secrets/ends-early", test_ends_early);
  g_test_add_func ("/bosh/secrets/compose", test_compose);

  return g_test_run ();
}
