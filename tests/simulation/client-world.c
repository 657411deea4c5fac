/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client-simulation.h"

#include "bosh-error.h"

static const BoshErrorKind kinds[] = {
  BOSH_ERROR_KIND_CONFLICT,
  BOSH_ERROR_KIND_CREDENTIALS,
  BOSH_ERROR_KIND_PERMANENT,
};

/* Mostly what passes by itself. */
static BoshErrorKind
draw_kind (Simulation *self)
{
  BoshErrorKind kind = chance (self, 85) ? BOSH_ERROR_KIND_TEMPORARY
                                         : kinds[draw (self, 0, G_N_ELEMENTS (kinds))];

  if (self->something_between || chance (self, 5))
    {
      coverage_hit (COVERAGE_OTHER_CERTIFICATE);
      return BOSH_ERROR_KIND_UNTRUSTED;
    }
  if (kind == BOSH_ERROR_KIND_TEMPORARY)
    coverage_hit (COVERAGE_TEMPORARY);
  if (kind == BOSH_ERROR_KIND_CONFLICT)
    coverage_hit (COVERAGE_CONFLICT);
  if (kind == BOSH_ERROR_KIND_CREDENTIALS)
    coverage_hit (COVERAGE_CREDENTIALS);

  return kind;
}

/* No two failures are the same, so that it can be told which one an end names. */
static GError *
new_failure (Simulation *self)
{
  return g_error_new (BOSH_ERROR, BOSH_ERROR_SESSION_LOST, "failure %u", ++self->n_failures);
}

static gboolean
is_reachable (Simulation *self)
{
  return self->network_is_up && self->server_is_up && !self->something_between;
}

void
world_clear_session (Simulation *self)
{
  g_queue_clear (&self->session.unsent);
  g_queue_clear (&self->session.in_flight);
  self->session = (Session){
    .holds_since = -1,
    .unsent = G_QUEUE_INIT,
    .in_flight = G_QUEUE_INIT,
  };
}

void
world_connect (Simulation *self)
{
  Session *session = &self->session;

  /* Never two sessions at once. */
  g_assert_cmpuint (session->id, ==, 0);

  session->id = ++self->n_sessions;
  session->is_attempt = self->state == BOSH_RECONNECT_RECONNECTING;
  say (self, "session %u", session->id);
  if (!is_reachable (self))
    {
      coverage_hit (COVERAGE_CONNECT_FAILS);
      schedule (self, EVENT_LOSS, session->id, draw (self, 0, 30000) * MILLISECOND);
      return;
    }

  if (!self->attaches || session->is_attempt)
    {
      if (chance (self, 95))
        schedule (self, EVENT_FEATURES, session->id, draw (self, 0, 5000) * MILLISECOND);
      else
        coverage_hit (COVERAGE_NO_FEATURES);
    }
  if (chance (self, 97))
    schedule (self, EVENT_OPENED, session->id, draw (self, 0, 2000) * MILLISECOND);
  else
    {
      /* The connection itself has patience for no longer. */
      coverage_hit (COVERAGE_CONNECT_HANGS);
      schedule (self, EVENT_LOSS, session->id, 200 * SECOND);
    }
  if (chance (self, self->loss_percent))
    schedule (self, EVENT_LOSS, session->id, draw (self, 0, 10000) * MILLISECOND);
}

void
world_login (Simulation *self)
{
  g_assert_cmpuint (self->session.id, !=, 0);
  g_assert_true (self->session.has_features);

  if (chance (self, 97))
    schedule (self, EVENT_LOGIN_OVER, self->session.id, draw (self, 0, 3000) * MILLISECOND);
  else
    coverage_hit (COVERAGE_LOGIN_HANGS);
}

void
world_disconnect (Simulation *self)
{
  g_assert_cmpuint (self->session.id, !=, 0);

  self->session.is_leaving = TRUE;
  schedule (self, EVENT_ENDED, self->session.id, draw (self, 0, 5000) * MILLISECOND);
}

void
world_detach (Simulation *self)
{
  self->session.is_leaving = TRUE;
  schedule (self, EVENT_DETACHED, self->session.id, draw (self, 0, 5000) * MILLISECOND);
}

void
world_abort (Simulation *self)
{
  g_assert_cmpuint (self->session.id, !=, 0);
  g_assert_cmpuint (self->session.unsent.length + self->session.in_flight.length, ==, 0);

  world_clear_session (self);
}

gboolean
world_send (Simulation *self,
            guint64     serial)
{
  Session *session = &self->session;

  if (session->id == 0 || !session->is_open || session->is_leaving || session->is_gone)
    return FALSE;

  if (session->unsent.length + session->in_flight.length == 0)
    schedule (self, EVENT_TRANSFER, session->id, draw (self, 0, 500) * MILLISECOND);
  g_queue_push_tail (&session->unsent, GUINT_TO_POINTER (serial));
  application_get_copy (self, serial)->place = PLACE_UNSENT;

  return TRUE;
}

/* --- The session --- */

static void
receive (Simulation *self,
         guint64     serial)
{
  application_get_copy (self, serial)->place = PLACE_RECEIVED;
  ledger_note_received (self, serial);
}

static void
transfer (Simulation *self)
{
  Session *session = &self->session;

  if (is_reachable (self))
    {
      for (guint n = draw (self, 0, 4); n > 0 && session->in_flight.length > 0; n--)
        receive (self, GPOINTER_TO_UINT (g_queue_pop_head (&session->in_flight)));
      for (guint n = draw (self, 0, 4); n > 0 && session->unsent.length > 0; n--)
        {
          gpointer serial = g_queue_pop_head (&session->unsent);

          application_get_copy (self, GPOINTER_TO_UINT (serial))->place = PLACE_IN_FLIGHT;
          g_queue_push_tail (&session->in_flight, serial);
        }
    }

  if (session->unsent.length + session->in_flight.length > 0)
    schedule (self, EVENT_TRANSFER, session->id, draw (self, 0, 2000) * MILLISECOND);
}

/* The session ends with @error, or well. What it has then is as uncertain as can be:
 * some of what was in flight has arrived. */
static void
end_session (Simulation    *self,
             BoshErrorKind  kind,
             const GError  *error)
{
  Session *session = &self->session;
  g_autoptr(GArray) unsent = g_array_new (FALSE, FALSE, sizeof (BoshReconnectStanza));
  guint n_received = draw (self, 0, session->in_flight.length + 1);
  GQueue left = session->unsent;
  gpointer serial;

  say (self, "session %u ends: %s", session->id, error != NULL ? error->message : "well");
  g_queue_clear (&self->undelivered);
  while ((serial = g_queue_pop_head (&session->in_flight)) != NULL)
    {
      if (n_received > 0)
        {
          n_received--;
          ledger_note_received (self, GPOINTER_TO_UINT (serial));
        }
      application_get_copy (self, GPOINTER_TO_UINT (serial))->place = PLACE_UNDELIVERED;
      g_queue_push_tail (&self->undelivered, serial);
      coverage_hit (COVERAGE_CLIENT_UNDELIVERED);
    }

  for (GList *link = left.head; link != NULL; link = link->next)
    {
      BoshReconnectStanza stanza = { bosh_element_new ("message", NULL),
                                     GPOINTER_TO_UINT (link->data) };
      g_autofree char *id = g_strdup_printf ("%" G_GUINT64_FORMAT, stanza.serial);

      bosh_element_set_attribute (stanza.element, "id", id);
      g_array_append_val (unsent, stanza);
    }
  g_queue_init (&session->unsent);
  ledger_note_ended (self, kind, error, &left);
  g_queue_clear (&left);
  world_clear_session (self);
  bosh_reconnect_handle_ended (self->reconnect, kind, error, (BoshReconnectStanza *)unsent->data,
                               unsent->len, self->now);
  for (guint i = 0; i < unsent->len; i++)
    bosh_element_unref (g_array_index (unsent, BoshReconnectStanza, i).element);
}

static void
lose_session (Simulation *self)
{
  g_autoptr(GError) error = new_failure (self);
  BoshErrorKind kind = draw_kind (self);

  if (self->session.is_leaving)
    {
      coverage_hit (COVERAGE_LOST_LEAVING);
      kind = BOSH_ERROR_KIND_REQUESTED;
    }
  end_session (self, kind, error);
}

/* All that is left is sent with the last request. */
static void
end_well (Simulation *self)
{
  Session *session = &self->session;
  gpointer serial;

  if (!is_reachable (self))
    {
      lose_session (self);
      return;
    }

  while ((serial = g_queue_pop_head (&session->in_flight)) != NULL ||
         (serial = g_queue_pop_head (&session->unsent)) != NULL)
    receive (self, GPOINTER_TO_UINT (serial));
  end_session (self, BOSH_ERROR_KIND_REQUESTED, NULL);
}

static void
detach_session (Simulation *self)
{
  Session *session = &self->session;
  gpointer serial;

  coverage_hit (COVERAGE_DETACHED);
  say (self, "session %u is handed over", session->id);
  while ((serial = g_queue_pop_head (&session->in_flight)) != NULL ||
         (serial = g_queue_pop_head (&session->unsent)) != NULL)
    application_get_copy (self, GPOINTER_TO_UINT (serial))->place = PLACE_HANDED_OVER;
  ledger_note_detached (self);
  world_clear_session (self);
  bosh_reconnect_handle_detached (self->reconnect);
}

static void
open_session (Simulation *self)
{
  Session *session = &self->session;

  session->is_open = TRUE;
  session->opened_at = self->now;
  ledger_note_opened (self);
  bosh_reconnect_handle_opened (self->reconnect, self->now);
  if (chance (self, 50))
    schedule (self, EVENT_LOSS, session->id, draw (self, 1, 2000) * SECOND);
}

static void
decide_login (Simulation *self)
{
  Session *session = &self->session;
  g_autoptr(GError) error = NULL;
  BoshErrorKind kind = BOSH_ERROR_KIND_TEMPORARY;

  /* It was given up. */
  if (session->is_leaving || self->aborts)
    return;

  /* Features may come before the session is open, but nobody is logged in then. */
  if (!session->is_open)
    {
      schedule (self, EVENT_LOGIN_OVER, session->id, SECOND);
      return;
    }

  if (chance (self, self->trouble_percent))
    {
      error = new_failure (self);
      kind = draw_kind (self);
      say (self, "login refused: %s", error->message);
      ledger_note_login_failed (self, kind, error);
      bosh_reconnect_handle_login_failed (self->reconnect, kind, error, self->now);
      return;
    }

  session->is_logged_in = TRUE;
  ledger_note_logged_in (self);
  bosh_reconnect_handle_logged_in (self->reconnect, self->now);
}

/* --- The network and the server --- */

static void
change_network (Simulation *self)
{
  self->network_is_up = !self->network_is_up;
  bosh_reconnect_set_offline (self->reconnect, self->monitor_sees && !self->network_is_up);
  say (self, "network %s", self->network_is_up ? "up" : "down");
  if (!self->network_is_up)
    {
      coverage_hit (COVERAGE_CLIENT_OUTAGE);
      if (self->session.id != 0)
        schedule (self, EVENT_LOSS, self->session.id, draw (self, 1, 90) * SECOND);
    }
  if (self->network_is_up || chance (self, 10))
    {
      ledger_note_network (self);
      bosh_reconnect_handle_network (self->reconnect, self->now);
    }
  /* Changes come in groups. */
  if (chance (self, 50))
    schedule (self, EVENT_NETWORK, 0, draw (self, 1, 8000) * MILLISECOND);
  else
    schedule (self, EVENT_NETWORK, 0, draw (self, 1, self->network_is_up ? 2000 : 400) * SECOND);
}

/* Something in between refuses requests, or intercepts TLS, for a while. */
static void
change_between (Simulation *self)
{
  self->something_between = !self->something_between;
  say (self, "something between: %d", self->something_between);
  if (self->something_between)
    {
      coverage_hit (COVERAGE_PASSING_REFUSALS);
      if (self->session.id != 0)
        schedule (self, EVENT_LOSS, self->session.id, draw (self, 0, 10) * SECOND);
    }
  schedule (self, EVENT_BETWEEN, 0, draw (self, 1, self->something_between ? 60 : 5000) * SECOND);
}

static void
change_server (Simulation *self)
{
  self->server_is_up = !self->server_is_up;
  say (self, "server %s", self->server_is_up ? "up" : "down");
  if (!self->server_is_up && self->session.id != 0)
    {
      coverage_hit (COVERAGE_CLIENT_SERVER_RESTARTS);
      schedule (self, EVENT_LOSS, self->session.id, draw (self, 0, 30) * SECOND);
    }
  schedule (self, EVENT_SERVER, 0, draw (self, 1, self->server_is_up ? 5000 : 300) * SECOND);
}

void
world_handle_event (Simulation  *self,
                    const Event *event)
{
  switch (event->type)
    {
    case EVENT_OPENED:
      open_session (self);
      break;
    case EVENT_FEATURES:
      self->session.has_features = TRUE;
      ledger_note_features (self);
      bosh_reconnect_handle_features (self->reconnect, self->now);
      break;
    case EVENT_LOGIN_OVER:
      decide_login (self);
      break;
    case EVENT_TRANSFER:
      transfer (self);
      break;
    case EVENT_LOSS:
      lose_session (self);
      break;
    case EVENT_ENDED:
      end_well (self);
      break;
    case EVENT_DETACHED:
      detach_session (self);
      break;
    case EVENT_NETWORK:
      change_network (self);
      break;
    case EVENT_SERVER:
      change_server (self);
      break;
    case EVENT_BETWEEN:
      change_between (self);
      break;
    case EVENT_RESEND:
    case EVENT_SEND:
    case EVENT_BEHAVIOUR:
    default:
      g_assert_not_reached ();
    }
}
