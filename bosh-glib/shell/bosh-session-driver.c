/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-session-driver-private.h"

#include "bosh-body-private.h"
#include "bosh-error.h"
#include "bosh-home-private.h"
#include "bosh-inner-context-private.h"
#include "bosh-network-watch-private.h"
#include "bosh-owner-private.h"
#include "bosh-sleep-watch-private.h"
#include "bosh-source-private.h"
#include "bosh-transport-private.h"

struct _BoshSessionDriver
{
  BoshSession                      *session;
  const BoshSessionDriverCallbacks *callbacks;
  gpointer                          owner;         /* not owned */
  BoshOwner                        *living;        /* the same, unless it is at its end */

  BoshHome                          home;          /* the context of the application */

  /* All of these are NULL once the driver is stopped. */
  BoshInnerContext                 *inner;         /* of all I/O and timers */
  BoshTransport                    *transport;
  GSource                          *source;        /* a DriverSource, the only timer */
  BoshNetworkWatch                 *network;
  BoshSleepWatch                   *sleep;

  /* Bodies that arrived since the last turn and were not shown yet, in the length in which
   * they are shown. */
  GPtrArray                        *responses;

  /* A call of act () is on its way to the context of the application. */
  gboolean                          act_queued;

  /* Depth of the main loop that drains, plus 1, or 0 if none does. */
  int                               drain_level;

  gboolean                          preconnect_next;

  /* As the transport has seen it, once the driver is stopped. */
  GTlsCertificate                  *peer_certificate;
  GTlsCertificateFlags              peer_certificate_errors;

  guint64                           n_requests_sent;
  guint64                           n_requests_repeated;
};

/* --- The source --- */

/* The source is ready when the session has something to do, or its deadline has
 * come. A ready time would do the same, but each change of that wakes the main
 * loop up, and there are several for each message. The watches do set the ready
 * time, because they may run in other threads. */
typedef struct
{
  GSource            source;
  BoshSessionDriver *driver;
  gint64             deadline;  /* 0: now; -1: never */
} DriverSource;

static void act_soon (BoshSessionDriver *self);

static gboolean
source_prepare (GSource *source,
                int     *timeout)
{
  gint64 deadline = ((DriverSource *)source)->deadline;
  gint64 remaining;

  if (deadline <= 0)
    return deadline == 0;

  remaining = deadline - g_source_get_time (source);
  if (remaining <= 0)
    return TRUE;

  /* Rounded up, so that the source is not dispatched before the deadline. */
  *timeout = (int)MIN (remaining / 1000 + 1, G_MAXINT);

  return FALSE;
}

static gboolean
source_dispatch (GSource     *source,
                 GSourceFunc  callback,
                 gpointer     user_data)
{
  BoshSessionDriver *self = ((DriverSource *)source)->driver;

  g_source_set_ready_time (source, -1);
  ((DriverSource *)source)->deadline = -1;
  if (bosh_network_watch_take_change (self->network))
    bosh_session_handle_network (self->session, g_get_monotonic_time ());
  if (bosh_sleep_watch_take_wake (self->sleep))
    bosh_session_handle_wake (self->session, g_get_monotonic_time ());
  act_soon (self);

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = {
  .prepare = source_prepare,
  .dispatch = source_dispatch,
};

static void
set_deadline (BoshSessionDriver *self,
              gint64             deadline)
{
  if (self->source == NULL)
    return;

  ((DriverSource *)self->source)->deadline = deadline;
  bosh_inner_context_wake (self->inner);
}

void
bosh_session_driver_wake (BoshSessionDriver *self)
{
  set_deadline (self, 0);
}

/* --- Actions --- */

static void
send_request (BoshSessionDriver *self,
              const BoshAction  *action)
{
  if (self->transport == NULL)
    return;

  self->n_requests_sent++;
  if (action->repeated)
    self->n_requests_repeated++;
  bosh_transport_post (self->transport, action->rid, action->bytes, action->coding,
                       action->has_payload);
  if (self->preconnect_next)
    bosh_transport_preconnect (self->transport);
  self->preconnect_next = FALSE;

  /* Nothing leaves before the main loop runs, so a handler that saves the session
   * does that in time. The request is posted before, because a handler that runs
   * a main loop of its own may wait for the response. */
  self->callbacks->changed (self->owner);
  self->callbacks->shown (BOSH_DIRECTION_SENT, action->bytes, action->is_secret, self->owner);
}

static void
carry_out (BoshSessionDriver *self,
           const BoshAction  *action)
{
  switch (action->type)
    {
    case BOSH_ACTION_SEND:
      send_request (self, action);
      break;
    case BOSH_ACTION_ABANDON:
      if (self->transport != NULL)
        bosh_transport_cancel (self->transport, action->rid);
      break;
    case BOSH_ACTION_REDIRECTED:
      if (self->transport != NULL)
        bosh_transport_set_uri (self->transport, action->text);
      break;
    case BOSH_ACTION_PAYLOAD:
    case BOSH_ACTION_LEFT_OUT:
    case BOSH_ACTION_STATE:
    case BOSH_ACTION_OPENED:
    case BOSH_ACTION_RESTARTED:
    case BOSH_ACTION_STREAM_OPENED:
    case BOSH_ACTION_STREAM_CLOSED:
    case BOSH_ACTION_PAUSED:
    case BOSH_ACTION_DELIVERED:
    case BOSH_ACTION_STANZA_FAILED:
    case BOSH_ACTION_HANDED_OVER:
    case BOSH_ACTION_CLOSED:
    default:
      self->callbacks->perform (action, self->owner);
    }
}

/* A handler that asks something of the session has it done by the loop that
 * called the handler. Only where the handler runs a main loop of its own, which
 * is deeper then, does that one go on with the remaining actions. */
void
bosh_session_driver_drain (BoshSessionDriver *self)
{
  int level = g_main_depth () + 1;
  int outer_level = self->drain_level;
  gpointer owner = self->owner;
  BoshAction action;

  if (level <= outer_level)
    return;

  g_object_ref (owner);
  self->drain_level = level;
  bosh_home_enter (&self->home);
  /* For the main loop that a handler may run. */
  bosh_session_driver_wake (self);

  while (bosh_session_next_action (self->session, &action, g_get_monotonic_time ()))
    {
      carry_out (self, &action);
      g_clear_pointer (&action.bytes, g_bytes_unref);
      g_clear_pointer (&action.element, bosh_element_unref);
      g_clear_pointer (&action.text, g_free);
      g_clear_error (&action.error);
    }

  self->drain_level = outer_level;
  set_deadline (self, bosh_session_get_deadline (self->session));
  self->callbacks->changed (owner);

  g_object_unref (owner);
}

/* The response that the session needs next may have been stopped while it was not that. */
static void
read_on (BoshSessionDriver *self)
{
  if (self->transport != NULL)
    bosh_transport_read_on (self->transport, bosh_session_get_next_response (self->session));
}

static void
show_responses (BoshSessionDriver *self)
{
  /* A handler may run the main loop, in which more of them arrive. */
  while (self->responses->len > 0)
    {
      g_autoptr(GBytes) body = g_ptr_array_steal_index (self->responses, 0);

      self->callbacks->shown (BOSH_DIRECTION_RECEIVED, body, FALSE, self->owner);
    }
}

/* It is not called any more once the driver is stopped. */
static void
act (gpointer user_data)
{
  BoshSessionDriver *self = user_data;
  g_autoptr(BoshHeldOwner) held = bosh_owner_hold (self->living);

  self->act_queued = FALSE;
  /* Its last reference was dropped in another thread: the driver is about to be freed. */
  if (held == NULL)
    return;

  bosh_session_driver_wake (self);
  show_responses (self);
  bosh_session_driver_drain (self);
  read_on (self);
}

/* The session has taken its input in the inner context. The actions that follow
 * may call handlers of the application, so they are left to its own context. */
static void
act_soon (BoshSessionDriver *self)
{
  if (self->act_queued)
    return;

  self->act_queued = TRUE;
  bosh_inner_context_call (self->inner, act, self);
}

/* --- Inputs --- */

/* After an input of which mostly nothing follows: then the main loop of the application
 * need not be asked for a turn. */
static void
advance (BoshSessionDriver *self,
         gint64             now)
{
  if (bosh_session_advance (self->session, now))
    act_soon (self);
  else
    set_deadline (self, bosh_session_get_deadline (self->session));
}

static void
on_written (guint64  id,
            gpointer user_data)
{
  BoshSessionDriver *self = user_data;
  gint64 now = g_get_monotonic_time ();

  bosh_session_handle_written (self->session, id, now);
  advance (self, now);
}

static void
on_response (guint64                 id,
             const BoshHttpResponse *response,
             gpointer                user_data)
{
  BoshSessionDriver *self = user_data;

  bosh_session_handle_response (self->session, id, response, g_get_monotonic_time ());
  g_ptr_array_add (self->responses, bosh_body_shorten (response->body));
  act_soon (self);
}

static void
on_progress (guint64  id,
             gpointer user_data)
{
  BoshSessionDriver *self = user_data;
  gint64 now = g_get_monotonic_time ();

  bosh_session_handle_progress (self->session, id, now);
  advance (self, now);
}

/* Only the response that the session needs next may take much memory. That the others
 * have begun tells the session something, too. */
static gboolean
on_may_read (guint64  id,
             gpointer user_data)
{
  BoshSessionDriver *self = user_data;

  if (bosh_session_get_next_response (self->session) == id)
    return TRUE;

  on_progress (id, user_data);

  return FALSE;
}

static BoshFailure
classify_failure (const GError *error,
                  gboolean      maybe_sent)
{
  if (g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TLS))
    return BOSH_FAILURE_UNTRUSTED;
  if (g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE))
    return BOSH_FAILURE_TOO_LARGE;

  return maybe_sent ? BOSH_FAILURE_BROKEN : BOSH_FAILURE_UNREACHABLE;
}

static void
on_failure (guint64       id,
            const GError *error,
            gboolean      maybe_sent,
            gpointer      user_data)
{
  BoshSessionDriver *self = user_data;

  bosh_session_handle_failure (self->session, id, classify_failure (error, maybe_sent), error,
                               g_get_monotonic_time ());
  act_soon (self);
}

static gboolean
on_accept_certificate (GTlsCertificate      *certificate,
                       GTlsCertificateFlags  errors,
                       gpointer              user_data)
{
  BoshSessionDriver *self = user_data;
  g_autoptr(BoshHeldOwner) held = bosh_owner_hold (self->living);

  return held != NULL && self->callbacks->accept_certificate (certificate, errors, self->owner);
}

static const BoshTransportFuncs transport_funcs = {
  .written = on_written,
  .response = on_response,
  .failure = on_failure,
  .progress = on_progress,
  .may_read = on_may_read,
  .accept_certificate = on_accept_certificate,
};

/* --- Life --- */

static void
add_source (BoshSessionDriver *self)
{
  self->source = g_source_new (&source_funcs, sizeof (DriverSource));
  ((DriverSource *)self->source)->driver = self;
  ((DriverSource *)self->source)->deadline = -1;
  g_source_set_static_name (self->source, "[bosh] session");
  g_source_set_priority (self->source, bosh_inner_context_get_priority (self->inner));
  g_source_set_can_recurse (self->source, TRUE);
  g_source_attach (self->source, bosh_inner_context_get (self->inner));
}

BoshSessionDriver *
bosh_session_driver_new (BoshSession                      *session,
                         BoshConnectionConfiguration      *configuration,
                         const BoshSessionDriverCallbacks *callbacks,
                         gpointer                          owner)
{
  BoshSessionDriver *self = g_new0 (BoshSessionDriver, 1);

  self->session = session;
  self->callbacks = callbacks;
  self->owner = owner;
  self->living = bosh_owner_new (owner);
  self->responses = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  bosh_home_init (&self->home);
  self->inner = bosh_inner_context_new (self->home.context);
  self->transport = bosh_transport_new (configuration, self->inner, &transport_funcs, self);
  add_source (self);
  self->network = bosh_network_watch_new (self->source);
  self->sleep = bosh_sleep_watch_new (self->source, self->home.context);

  return self;
}

void
bosh_session_driver_start (BoshSessionDriver *self)
{
  bosh_session_open (self->session, g_get_monotonic_time ());
  bosh_session_driver_drain (self);
}

void
bosh_session_driver_stop (BoshSessionDriver *self)
{
  if (self->transport != NULL)
    g_set_object (&self->peer_certificate,
                  bosh_session_driver_get_peer_certificate (self, &self->peer_certificate_errors));
  g_clear_pointer (&self->transport, bosh_transport_free);
  g_clear_pointer (&self->network, bosh_network_watch_free);
  g_clear_pointer (&self->sleep, bosh_sleep_watch_free);
  bosh_source_clear (&self->source);
  g_clear_pointer (&self->inner, bosh_inner_context_free);
}

static void
end (gpointer data)
{
  BoshSessionDriver *self = data;

  bosh_session_driver_stop (self);
  bosh_session_free (self->session);
  g_clear_object (&self->peer_certificate);
  g_ptr_array_unref (self->responses);
  bosh_owner_unref (self->living);
  bosh_home_clear (&self->home);
  g_free (self);
}

void
bosh_session_driver_free (BoshSessionDriver *self)
{
  /* A driver that was stopped has nothing in the context any more. */
  if (self->inner == NULL)
    end (self);
  else
    bosh_home_leave (&self->home, end, self);
}

gboolean
bosh_session_driver_is_here (BoshSessionDriver *self)
{
  return bosh_home_is_here (&self->home);
}

gboolean
bosh_session_driver_leave (BoshSessionDriver *self)
{
  return bosh_home_leave_owner (&self->home, self->living, self->owner);
}

/* --- What the owner asks for --- */

void
bosh_session_driver_preconnect (BoshSessionDriver *self)
{
  self->preconnect_next = TRUE;
}

GMainContext *
bosh_session_driver_get_context (BoshSessionDriver *self)
{
  return self->home.context;
}

guint64
bosh_session_driver_get_n_requests_sent (BoshSessionDriver *self)
{
  return self->n_requests_sent;
}

guint64
bosh_session_driver_get_n_requests_repeated (BoshSessionDriver *self)
{
  return self->n_requests_repeated;
}

char *
bosh_session_driver_dup_uri (BoshSessionDriver *self)
{
  return self->transport != NULL ? bosh_transport_dup_uri (self->transport) : NULL;
}

GStrv
bosh_session_driver_dup_cookies (BoshSessionDriver *self)
{
  return self->transport != NULL ? bosh_transport_dup_cookies (self->transport) : NULL;
}

void
bosh_session_driver_add_cookies (BoshSessionDriver  *self,
                                 const char * const *cookies)
{
  if (self->transport != NULL)
    bosh_transport_add_cookies (self->transport, cookies);
}

gboolean
bosh_session_driver_is_private (BoshSessionDriver *self)
{
  return self->transport != NULL && bosh_transport_is_private (self->transport);
}

GTlsCertificate *
bosh_session_driver_get_peer_certificate (BoshSessionDriver    *self,
                                          GTlsCertificateFlags *errors)
{
  GTlsCertificate *refused;

  if (self->transport == NULL)
    {
      *errors = self->peer_certificate_errors;
      return self->peer_certificate;
    }

  /* The session ends with the request that has failed. */
  refused = bosh_transport_get_refused_certificate (self->transport, errors);
  if (refused != NULL)
    return refused;

  *errors = bosh_transport_get_peer_certificate_errors (self->transport);

  return bosh_transport_get_peer_certificate (self->transport);
}
