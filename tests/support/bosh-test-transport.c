/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-transport.h"

#include "bosh-test-http.h"

#include <string.h>

static void
outcome_free (gpointer data)
{
  BoshTestOutcome *outcome = data;

  g_clear_error (&outcome->error);
  g_clear_pointer (&outcome->body, g_bytes_unref);
  g_free (outcome->location);
  g_free (outcome);
}

static void
on_written (guint64  id,
            gpointer user_data)
{
  BoshTestPoster *self = user_data;

  g_assert_true (g_thread_self () == self->thread);

  self->n_written++;
  if (self->free_in_written)
    g_clear_pointer (&self->transport, bosh_transport_free);
}

static void
on_progress (guint64  id,
             gpointer user_data)
{
  BoshTestPoster *self = user_data;

  self->n_progress++;
}

/* Takes @outcome. */
static void
add_outcome (BoshTestPoster  *self,
             BoshTestOutcome *outcome)
{
  g_assert_true (g_thread_self () == self->thread);

  g_ptr_array_add (self->outcomes, outcome);
  if (self->free_in_response)
    {
      g_clear_pointer (&self->transport, bosh_transport_free);
    }
  else if (self->n_reposts > 0)
    {
      self->n_reposts--;
      bosh_test_poster_post (self, outcome->id, "again");
    }
}

static void
on_response (guint64                 id,
             const BoshHttpResponse *response,
             gpointer                user_data)
{
  BoshTestOutcome *outcome = g_new0 (BoshTestOutcome, 1);

  g_assert_nonnull (response->body);

  outcome->id = id;
  outcome->maybe_sent = TRUE;
  outcome->status = response->status;
  outcome->body = g_bytes_ref (response->body);
  outcome->location = g_strdup (response->location);
  outcome->retry_after = response->retry_after;
  add_outcome (user_data, outcome);
}

static void
on_failure (guint64       id,
            const GError *error,
            gboolean      maybe_sent,
            gpointer      user_data)
{
  BoshTestOutcome *outcome = g_new0 (BoshTestOutcome, 1);

  g_assert_nonnull (error);

  outcome->id = id;
  outcome->error = g_error_copy (error);
  outcome->maybe_sent = maybe_sent;
  outcome->retry_after = -1;
  add_outcome (user_data, outcome);
}

static gboolean
on_accept_certificate (GTlsCertificate      *certificate,
                       GTlsCertificateFlags  errors,
                       gpointer              user_data)
{
  BoshTestPoster *self = user_data;
  g_autoptr(GMainContext) context = g_main_context_ref_thread_default ();

  g_assert_true (g_thread_self () == self->thread);
  g_assert_true (context == bosh_inner_context_get_outer (self->inner));

  self->n_questions++;
  self->asked_errors = errors;
  g_set_object (&self->asked_certificate, certificate);
  if (self->free_in_question)
    g_clear_pointer (&self->transport, bosh_transport_free);

  return self->accepts;
}

static const BoshTransportFuncs funcs = {
  .written = on_written,
  .progress = on_progress,
  .response = on_response,
  .failure = on_failure,
  .accept_certificate = on_accept_certificate,
};

BoshTestPoster *
bosh_test_poster_new (BoshConnectionConfiguration *configuration)
{
  g_autoptr(GMainContext) context = g_main_context_ref_thread_default ();
  BoshTestPoster *self = g_new0 (BoshTestPoster, 1);

  self->thread = g_thread_self ();
  self->outcomes = g_ptr_array_new_with_free_func (outcome_free);
  self->inner = bosh_inner_context_new (context);
  self->transport = bosh_transport_new (configuration, self->inner, &funcs, self);

  return self;
}

void
bosh_test_poster_free (BoshTestPoster *self)
{
  g_clear_pointer (&self->transport, bosh_transport_free);
  /* Operations that were cancelled complete. */
  bosh_test_drain ();
  bosh_inner_context_free (self->inner);
  g_ptr_array_unref (self->outcomes);
  g_clear_object (&self->asked_certificate);
  g_free (self);
}

BoshTestPoster *
bosh_test_poster_new_for_port (guint port)
{
  g_autoptr(BoshConnectionConfiguration) configuration = NULL;

  configuration = bosh_connection_configuration_new_for_host ("127.0.0.1", port, NULL, FALSE);

  return bosh_test_poster_new (configuration);
}

void
bosh_test_poster_post (BoshTestPoster *self,
                       guint64         id,
                       const char     *body)
{
  g_autoptr(GBytes) bytes = g_bytes_new (body, strlen (body));

  bosh_transport_post (self->transport, id, bytes, BOSH_CODING_IDENTITY, TRUE);
}

const BoshTestOutcome *
bosh_test_poster_exchange (BoshTestPoster *self,
                           guint64         id,
                           const char     *body)
{
  guint before = self->outcomes->len;

  bosh_test_poster_post (self, id, body);
  bosh_test_wait (self->outcomes->len > before);

  return bosh_test_poster_get_outcome (self, before);
}

const BoshTestOutcome *
bosh_test_poster_get_outcome (BoshTestPoster *self,
                              guint           index)
{
  g_assert_cmpuint (index, <, self->outcomes->len);

  return g_ptr_array_index (self->outcomes, index);
}

void
bosh_test_assert_body (const BoshTestOutcome *outcome,
                       const char            *expected)
{
  g_assert_no_error (outcome->error);
  g_assert_cmpmem (g_bytes_get_data (outcome->body, NULL), g_bytes_get_size (outcome->body),
                   expected, strlen (expected));
}

void
bosh_test_assert_failed (const BoshTestOutcome *outcome,
                         GQuark                 domain,
                         int                    code,
                         gboolean               maybe_sent)
{
  g_assert_error (outcome->error, domain, code);
  g_assert_cmpint (outcome->maybe_sent, ==, maybe_sent);
}

static gboolean
memory_says_nothing (void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return TRUE;
#else
  const char *preloaded = g_getenv ("LD_PRELOAD");

  return preloaded != NULL && strstr (preloaded, "valgrind") != NULL;
#endif
}

void
bosh_test_reset_peak_memory (void)
{
  g_autoptr(GFile) file = g_file_new_for_path ("/proc/self/clear_refs");
  g_autoptr(GFileIOStream) stream = g_file_open_readwrite (file, NULL, NULL);

  if (stream != NULL)
    g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (stream)),
                               "5", 1, NULL, NULL, NULL);
}

gsize
bosh_test_get_peak_memory (void)
{
  g_autofree char *status = NULL;
  const char *line;

  if (memory_says_nothing () ||
      !g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    return 0;

  line = strstr (status, "VmHWM:");

  return line != NULL ? g_ascii_strtoull (line + strlen ("VmHWM:"), NULL, 10) * 1024 : 0;
}
