/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON becomes a saved session, which becomes the same JSON again, and from which a
 * session goes on. */

#include "config.h"

#include "fuzz.h"

#include "bosh-body-private.h"
#include "bosh-error.h"
#include "bosh-limits-private.h"
#include "bosh-saved-session-private.h"
#include "bosh-session-private.h"
#include "bosh-session-save-private.h"

#include <string.h>

/* The first request is the one that was promised, and what is saved again is
 * what was given. */
static void
check_attach (BoshSavedSession *saved)
{
  const BoshSessionSnapshot *snapshot = bosh_saved_session_get_snapshot (saved);
  BoshSessionParameters parameters = {
    .wait = 60,
    .hold = 1,
    .max_request_size = 4096,
    .entropy = { 7 },
  };
  g_autoptr(BoshSession) session = bosh_session_new_from_snapshot (snapshot, &parameters);
  g_autoptr(BoshSessionSnapshot) again = bosh_session_save (session);
  BoshAction action = { 0 };
  guint64 first = 0;
  gint64 now = 1000;

  g_assert_cmpuint (again->next_rid, ==, snapshot->next_rid);
  g_assert_cmpuint (again->unanswered->len, ==, snapshot->unanswered->len);
  for (guint i = 0; i < snapshot->unanswered->len; i++)
    {
      BoshSnapshotRequest *a = &g_array_index (snapshot->unanswered, BoshSnapshotRequest, i);
      BoshSnapshotRequest *b = &g_array_index (again->unanswered, BoshSnapshotRequest, i);

      g_assert_cmpuint (a->rid, ==, b->rid);
      g_assert_true (g_bytes_equal (a->body, b->body));
    }
  g_assert_cmpuint (again->unsent->len, ==, snapshot->unsent->len);

  /* A polling session keeps its interval after what the owner before has sent. */
  bosh_session_open (session, now);
  do
    {
      while (bosh_session_next_action (session, &action, now))
        {
          if (action.type == BOSH_ACTION_SEND && first == 0)
            first = action.rid;
          g_clear_pointer (&action.bytes, g_bytes_unref);
          g_clear_pointer (&action.element, bosh_element_unref);
          g_clear_pointer (&action.text, g_free);
          g_clear_error (&action.error);
        }
      now = bosh_session_get_deadline (session);
    }
  while (first == 0 && now != -1);
  g_assert_cmpuint (first, ==, bosh_saved_session_get_request_id (saved));
}

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        gsize         size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_autofree char *json = NULL;
  g_autofree char *json_again = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(BoshSavedSession) again = NULL;

  session = bosh_saved_session_new_from_json (text, &error);
  if (session == NULL)
    {
      g_assert_error (error, BOSH_ERROR, BOSH_ERROR_INVALID_DATA);
      return 0;
    }

  g_assert_no_error (error);
  g_assert_cmpuint (bosh_saved_session_get_request_id (session), >, 0);
  g_assert_cmpuint (bosh_saved_session_get_request_id (session), <=, BOSH_MAX_RID);
  g_assert_nonnull (bosh_saved_session_get_domain (session));
  g_assert_true (bosh_saved_session_validate (session, &error));
  g_assert_no_error (error);

  json = bosh_saved_session_to_json (session);
  again = bosh_saved_session_new_from_json (json, &error);
  g_assert_no_error (error);
  json_again = bosh_saved_session_to_json (again);
  g_assert_cmpstr (json_again, ==, json);

  check_attach (again);

  return 0;
}
