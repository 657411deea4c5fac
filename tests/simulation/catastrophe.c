/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "simulation.h"

#include "bosh-error-private.h"

static void
terminate_by_server (Simulation *self)
{
  static const char * const conditions[] = {
    "",
    "system-shutdown",
    "remote-stream-error",
    "internal-server-error",
    "policy-violation",
    "host-gone",
    "no-such-condition",
    "undefined-condition",
  };
  const char *condition = conditions[g_rand_int_range (self->random, 0, G_N_ELEMENTS (conditions))];
  const char *content = "";

  coverage_hit (COVERAGE_SERVER_TERMINATES);
  if (g_str_equal (condition, "remote-stream-error"))
    {
      content = "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>"
                "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
      self->expected_error = bosh_stream_error_new ("conflict", NULL);
    }
  else
    {
      self->expected_error = bosh_error_new_for_condition (condition, NULL);
    }
  model_manager_terminate (self->manager, condition, content, self->now);
}

void
catastrophe_abort (Simulation *self)
{
  coverage_hit (COVERAGE_ABORTED);
  self->aborted = TRUE;
  bosh_session_abort (self->session, NULL);
}

void
catastrophe_strike (Simulation *self)
{
  /* There must be a session to end. */
  if (bosh_session_get_state (self->session) == BOSH_SESSION_NEW || self->handing_over)
    {
      schedule (self, EVENT_CATASTROPHE, SECOND);
      return;
    }

  say (self, "catastrophe %d", self->catastrophe);
  self->has_struck = TRUE;
  self->struck_at = self->now;
  switch (self->catastrophe)
    {
    case CATASTROPHE_BLACKOUT:
      coverage_hit (COVERAGE_BLACKOUT);
      self->outage = TRUE;
      network_break_all (self);
      break;

    case CATASTROPHE_SERVER_RESTARTS:
      coverage_hit (COVERAGE_SERVER_RESTARTS);
      self->expected_error = bosh_error_new_for_condition ("item-not-found", NULL);
      model_manager_restart (self->manager, chance (self, 50) ? 404 : 200);
      network_break_all (self);
      break;

    case CATASTROPHE_SERVER_TERMINATES:
      terminate_by_server (self);
      break;

    case CATASTROPHE_TERMINATE:
      application_terminate (self);
      break;

    case CATASTROPHE_ABORT:
      catastrophe_abort (self);
      break;

    case CATASTROPHE_NONE:
    case N_CATASTROPHES:
    default:
      g_assert_not_reached ();
    }
}

void
catastrophe_check_end (Simulation *self)
{
  const char *end = model_manager_get_end (self->manager);

  say (self, "closed: %s (the manager: %s)", self->error != NULL ? self->error->message : "",
       end != NULL ? end : "lives");

  if (self->terminating || self->aborted)
    return;

  if (model_manager_was_strict (self->manager))
    {
      /* If the session learns of it. */
      if (self->attaching ||
          (self->fault_percent > 0 &&
           g_error_matches (self->error, BOSH_ERROR, BOSH_ERROR_SESSION_LOST)))
        return;
      g_assert_error (self->error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND);
      return;
    }

  /* An outage at the end of a pause can outlast what is left of it, and so can
   * the restart of a process. */
  if (self->pauses > 0 && (self->fault_percent > 0 || self->hand_overs > 0) &&
      g_strcmp0 (end, "inactive") == 0)
    return;

  if (self->has_struck && self->catastrophe == CATASTROPHE_BLACKOUT)
    {
      if (self->attaching)
        return;
      coverage_hit (COVERAGE_EXPIRES);
      g_assert_error (self->error, BOSH_ERROR, BOSH_ERROR_SESSION_LOST);
      /* Not before that is likely. */
      g_assert_cmpint (self->now - MAX (self->responded_at, self->renewed_at), >=,
                       (self->options.wait + self->options.inactivity) * SECOND);
      return;
    }

  if (self->has_struck && self->expected_error != NULL)
    {
      /* A hand-over may pause the session. */
      gboolean repeats = self->fault_percent > 0 || self->pauses > 0 || self->hand_overs > 0 ||
                         self->options.error_every > 0;

      /* The last response may be lost, or come while no session is attached, or after
       * the response to a retransmission. Only one response has the stream error: one of
       * another request, with the condition of XEP-0124 alone, may come before it. */
      if (self->expected_error->domain == BOSH_STREAM_ERROR && !self->stream_error_arrived &&
          g_error_matches (self->error, BOSH_ERROR, BOSH_ERROR_REMOTE_STREAM_ERROR))
        return;
      if (!self->attaching &&
          !(repeats && g_error_matches (self->error, BOSH_ERROR, BOSH_ERROR_ITEM_NOT_FOUND)))
        g_assert_error (self->error, self->expected_error->domain, self->expected_error->code);
      return;
    }

  g_error ("closed: %s (the manager: %s)", self->error != NULL ? self->error->message : "",
           end != NULL ? end : "lives");
}
