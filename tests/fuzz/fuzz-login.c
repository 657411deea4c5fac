/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A login meets a server that says anything. The first byte chooses the
 * credentials; behind it comes a document whose children are what the server
 * sends. An attribute `plain` of a SASL element, or of a child of one, is its data
 * before base64, and `@` in it the client's nonce, which nobody could guess. */

#include "config.h"

#include "fuzz.h"

#include "bosh-element-private.h"
#include "bosh-login-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-stanza-private.h"
#include "bosh-xml-private.h"
#include "bosh-xml-writer-private.h"

#include <string.h>

/* Digits of a count of iterations; more of them only take longer. */
#define MAX_DIGITS 4

typedef struct
{
  BoshLogin *login;
  char      *nonce;     /* nullable */
  gboolean   over;
  guint      n_sent;
  guint      n_computed;
} Run;

static char *
dup_nonce (BoshElement *auth)
{
  g_autofree char *text = NULL;
  g_autofree char *data = NULL;
  const char *nonce;
  gsize length;

  text = bosh_element_dup_child_text (auth, "initial-response", BOSH_NS_SASL2);
  if (text == NULL)
    text = bosh_element_dup_text (auth);
  data = (char *)g_base64_decode (text, &length);
  data = g_realloc (data, length + 1);
  data[length] = '\0';
  nonce = strstr (data, ",r=");

  return nonce != NULL ? g_strdup (nonce + strlen (",r=")) : NULL;
}

static void
take_action (Run             *run,
             BoshLoginAction *action)
{
  g_autoptr(GString) xml = g_string_new (NULL);

  g_assert_false (run->over);
  switch (action->type)
    {
    case BOSH_LOGIN_ACTION_SEND:
      g_assert_true (bosh_xml_append_element (xml, action->element, NULL, NULL, NULL));
      if (run->nonce == NULL && bosh_element_is_sasl (action->element))
        run->nonce = dup_nonce (action->element);
      run->n_sent++;
      bosh_element_unref (action->element);
      break;

    case BOSH_LOGIN_ACTION_COMPUTE:
      run->n_computed++;
      bosh_login_compute (run->login);
      bosh_login_handle_computed (run->login);
      break;

    case BOSH_LOGIN_ACTION_READY:
      g_assert_nonnull (strchr (action->jid, '/'));
      g_free (action->jid);
      run->over = TRUE;
      break;

    case BOSH_LOGIN_ACTION_FAILED:
      g_assert_nonnull (action->error);
      g_assert_true (g_utf8_validate (action->error->message, -1, NULL));
      g_error_free (action->error);
      run->over = TRUE;
      break;

    case BOSH_LOGIN_ACTION_FALL_BACK:
      run->over = TRUE;
      break;

    case BOSH_LOGIN_ACTION_RESTART:
    default:
      break;
    }
}

static void
drain (Run *run)
{
  BoshLoginAction action = { 0 };

  while (bosh_login_next_action (run->login, &action))
    {
      take_action (run, &action);
      memset (&action, 0, sizeof action);
    }
}

static gboolean
is_slow (const char *text)
{
  const char *count = strstr (text, "i=");

  return count != NULL && strspn (count + strlen ("i="), "0123456789") > MAX_DIGITS;
}

static void
set_encoded (Run         *run,
             BoshElement *element,
             const char  *plain)
{
  g_auto(GStrv) parts = g_strsplit (plain, "@", -1);
  g_autofree char *text = g_strjoinv (run->nonce != NULL ? run->nonce : "", parts);
  g_autofree char *data = g_base64_encode ((const guint8 *)text, strlen (text));

  bosh_element_set_text (element, data);
}

static BoshElement *
encode (Run         *run,
        BoshElement *element)
{
  const char *plain = bosh_element_get_attribute (element, "plain");
  BoshElement *copy = bosh_element_new (bosh_element_get_name (element),
                                        bosh_element_get_namespace (element));

  if (plain != NULL)
    set_encoded (run, copy, plain);
  for (guint i = 0; plain == NULL && i < bosh_element_get_n_children (element); i++)
    {
      g_autoptr(BoshElement) child = bosh_element_copy (bosh_element_get_nth_child (element, i));

      plain = bosh_element_get_attribute (child, "plain");
      if (plain != NULL)
        set_encoded (run, child, plain);
      bosh_element_add_child (copy, child);
      plain = NULL;
    }
  bosh_element_seal (copy);

  return copy;
}

static void
handle (Run         *run,
        BoshElement *element)
{
  g_autoptr(BoshElement) encoded = NULL;
  g_autofree char *text = bosh_element_dup_text (element);
  const char *plain = bosh_element_get_attribute (element, "plain");
  g_autofree char *decoded = NULL;
  gsize length;

  decoded = (char *)g_base64_decode (text, &length);
  decoded = g_realloc (decoded, length + 1);
  decoded[length] = '\0';
  if (is_slow (decoded) || (plain != NULL && is_slow (plain)))
    return;

  if (bosh_element_matches (element, "features", BOSH_NS_STREAMS))
    bosh_login_handle_features (run->login, element);
  else if (plain != NULL || bosh_element_matches (element, "success", BOSH_NS_SASL2))
    bosh_login_handle_element (run->login, encoded = encode (run, element));
  else
    bosh_login_handle_element (run->login, element);
  drain (run);
}

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        gsize         size)
{
  FuzzInput input = { data, size };
  guint choice = fuzz_take_byte (&input);
  BoshLoginParameters parameters = {
    .domain = "example.org",
    .credentials = choice % 3,
    .username = "user",
    .password = "pencil",
    .resource = choice & 16 ? "desk" : NULL,
    .allow_plaintext = (choice & 32) != 0,
    .pipeline = (choice & 64) != 0,
  };
  g_autoptr(BoshElement) root = NULL;
  Run run = { NULL };

  root = bosh_xml_parse ((const char *)input.data, input.size, NULL, NULL, NULL);
  if (root == NULL)
    return 0;

  run.login = bosh_login_new (&parameters);
  for (guint i = 0; i < bosh_element_get_n_children (root); i++)
    handle (&run, bosh_element_get_nth_child (root, i));

  /* A few words and one computation are all that a login ever needs. */
  g_assert_cmpuint (run.n_computed, <=, 1);
  g_assert_cmpuint (run.n_sent, <=, 8 + 2 * bosh_element_get_n_children (root));
  g_assert_cmpint (bosh_login_get_mechanism (run.login) == NULL && run.n_sent > 0, ==, FALSE);
  bosh_login_free (run.login);
  g_free (run.nonce);

  return 0;
}
