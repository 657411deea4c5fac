/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-login.h"

#include <string.h>

const BoshLoginParameters bosh_test_login_parameters = {
  .domain = "example.com",
  .credentials = BOSH_SASL_CREDENTIALS_PASSWORD,
  .username = "user",
  .password = "pencil",
  .resource = "laptop",
  .allow_plaintext = TRUE,
};

BoshElement *
bosh_test_parse (const char *text)
{
  g_autoptr(GError) error = NULL;
  BoshElement *element = bosh_element_new_from_string (text, &error);

  g_assert_no_error (error);

  return element;
}

void
bosh_test_give_features (BoshLogin  *login,
                         const char *text)
{
  g_autoptr(BoshElement) element = bosh_test_parse (text);

  bosh_login_handle_features (login, element);
}

gboolean
bosh_test_give_element (BoshLogin  *login,
                        const char *text)
{
  g_autoptr(BoshElement) element = bosh_test_parse (text);

  return bosh_login_handle_element (login, element);
}

void
bosh_test_clear_action (BoshLoginAction *action)
{
  g_clear_pointer (&action->element, bosh_element_unref);
  g_clear_pointer (&action->jid, g_free);
  g_clear_error (&action->error);
}

void
bosh_test_assert_no_action (BoshLogin *login)
{
  g_auto(BoshLoginAction) action = { 0 };

  g_assert_false (bosh_login_next_action (login, &action));
}

void
bosh_test_take_action (BoshLogin           *login,
                       BoshLoginActionType  type,
                       BoshLoginAction     *action)
{
  g_assert_true (bosh_login_next_action (login, action));
  g_assert_no_error (type == BOSH_LOGIN_ACTION_FAILED ? NULL : action->error);
  g_assert_cmpint (action->type, ==, type);
  g_assert_true ((action->element != NULL) == (type == BOSH_LOGIN_ACTION_SEND));
  g_assert_true ((action->jid != NULL) == (type == BOSH_LOGIN_ACTION_READY));
  g_assert_true ((action->error != NULL) == (type == BOSH_LOGIN_ACTION_FAILED));
}

void
bosh_test_assert_action (BoshLogin           *login,
                         BoshLoginActionType  type)
{
  g_auto(BoshLoginAction) action = { 0 };

  bosh_test_take_action (login, type, &action);
}

void
bosh_test_assert_sent (BoshLogin  *login,
                       const char *text)
{
  g_auto(BoshLoginAction) action = { 0 };
  g_autoptr(BoshElement) expected = bosh_test_parse (text);
  g_autofree char *sent_text = NULL;
  g_autofree char *expected_text = NULL;

  bosh_test_take_action (login, BOSH_LOGIN_ACTION_SEND, &action);
  sent_text = bosh_element_to_string (action.element);
  expected_text = bosh_element_to_string (expected);
  if (!bosh_element_equal (action.element, expected))
    g_assert_cmpstr (sent_text, ==, expected_text);
}

void
bosh_test_assert_ready (BoshLogin  *login,
                        const char *jid)
{
  g_auto(BoshLoginAction) action = { 0 };

  bosh_test_take_action (login, BOSH_LOGIN_ACTION_READY, &action);
  g_assert_cmpstr (action.jid, ==, jid);
}

/* Nothing comes after it. */
void
bosh_test_assert_failed (BoshLogin  *login,
                         GQuark      domain,
                         int         code,
                         const char *part)
{
  g_auto(BoshLoginAction) action = { 0 };

  bosh_test_take_action (login, BOSH_LOGIN_ACTION_FAILED, &action);
  g_assert_error (action.error, domain, code);
  if (part != NULL && strstr (action.error->message, part) == NULL)
    g_error ("“%s” is not in “%s”", part, action.error->message);
  bosh_test_assert_no_action (login);
}

static void
run_step (BoshLogin        *login,
          const Transcript *transcript,
          const Step       *step)
{
  switch (step->type)
    {
    case FEATURES_COME:
      bosh_test_give_features (login, step->text);
      break;
    case TAKEN:
      g_assert_true (bosh_test_give_element (login, step->text));
      break;
    case NOT_TAKEN:
      g_assert_false (bosh_test_give_element (login, step->text));
      break;
    case SENT:
      bosh_test_assert_sent (login, step->text);
      break;
    case RESTARTED:
      bosh_test_assert_action (login, BOSH_LOGIN_ACTION_RESTART);
      break;
    case READY:
      bosh_test_assert_ready (login, step->text);
      break;
    case FAILED:
      bosh_test_assert_failed (login, transcript->domain (), transcript->code, step->text);
      break;
    case END:
    default:
      g_assert_not_reached ();
    }
}

static void
run_transcript (gconstpointer data)
{
  const Transcript *transcript = data;
  BoshLoginParameters parameters = bosh_test_login_parameters;
  g_autoptr(BoshLogin) login = NULL;

  g_test_summary (transcript->summary);

  parameters.credentials = transcript->credentials;
  if (transcript->no_resource)
    parameters.resource = NULL;
  if (transcript->no_plaintext)
    parameters.allow_plaintext = FALSE;
  parameters.pipeline = transcript->pipeline;
  login = bosh_login_new (&parameters);
  g_assert_null (bosh_login_get_mechanism (login));

  for (guint i = 0; transcript->steps[i].type != END; i++)
    {
      const Step *step = &transcript->steps[i];

      /* All actions are expected before the next thing happens. */
      if (step->type <= NOT_TAKEN)
        bosh_test_assert_no_action (login);
      run_step (login, transcript, step);
    }
  bosh_test_assert_no_action (login);
}

void
bosh_test_add_transcripts (const char       *prefix,
                           const Transcript *transcripts,
                           gsize             n_transcripts)
{
  for (gsize i = 0; i < n_transcripts; i++)
    {
      g_autofree char *path = g_strdup_printf ("/bosh/%s/%s", prefix, transcripts[i].name);

      g_test_add_data_func (path, &transcripts[i], run_transcript);
    }
}

void
bosh_test_bounds_mechanisms (const char *start,
                             const char *end)
{
  for (guint n_before = 63; n_before <= 64; n_before++)
    {
      g_autoptr(BoshLogin) login = bosh_login_new (&bosh_test_login_parameters);
      g_autoptr(GString) features = g_string_new (start);

      for (guint i = 0; i < n_before; i++)
        g_string_append (features, MECHANISM ("X-OTHER"));
      g_string_append (features, MECHANISM ("PLAIN"));
      g_string_append (features, end);

      bosh_test_give_features (login, features->str);
      if (n_before < 64)
        bosh_test_assert_action (login, BOSH_LOGIN_ACTION_SEND);
      else
        bosh_test_assert_failed (login, BOSH_ERROR, BOSH_ERROR_NO_MECHANISM, "X-OTHER");
    }
}
