/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 *   NEW ──→ CONNECTING ──→ CONNECTED ←──→ LOGGING_IN ──→ READY
 *            (attached while logged in: straight to READY) │ ↑
 *                                                          │ │
 *   loss that passes by itself ────────────────────────────┘ │
 *     ↓                                                      │
 *   LOST ──→ WAITING ──→ ATTEMPTING ──→ RELOGIN ──→ PREPARING ──→ RESENDING
 *    what       ↑ time,      │             │         presence,       │
 *    to send    │ network    │             │         rooms …         │ loss: LOST again
 *    again?     └────────────┴─────────────┘           ↓             ↓
 *                 failure that passes by itself
 *
 *   a first session that could not be opened, and is tried again:
 *     CONNECTING ──→ PAUSING ──→ CONNECTING
 *
 *   LOGGING_IN ←──→ REOPENING: the login begins anew in another session (in an attempt it
 *     is ATTEMPTING again)
 *   any other failure, too many attempts, or the end of the session ──→ CLOSED
 *   the application ends a session ──→ DISCONNECTING ──→ CLOSED
 *   the application hands the session over ──→ DETACHED
 *
 * To the application LOST to RESENDING are one state, RECONNECTING.
 *
 * What is to be done is kept as a set of action types, not as a queue: an input
 * that makes an action pointless takes it out again, and the order is always that of
 * the enumeration. STATE, FORGET and EXPECT_LOGIN are not even in the set but follow
 * from the difference between what is true and what was given last.
 */

#include "config.h"

#include "bosh-reconnect-private.h"

#include "bosh-error.h"
#include "bosh-i18n-private.h"

#define MILLISECOND G_GINT64_CONSTANT (1000)
#define SECOND (1000 * MILLISECOND)
#define NEVER G_GINT64_CONSTANT (-1)

/* Features may come after the session was opened (XEP-0206 §4); a server that
 * has not sent them by then will not. */
#define FEATURES_TIMEOUT (30 * SECOND)
#define LOGIN_TIMEOUT (60 * SECOND)
/* Connecting and logging in again, together. */
#define ATTEMPT_TIMEOUT (120 * SECOND)
/* Nothing has to be heard from the server before the login, and most applications
 * log in at once. For so long no empty request goes out: the login need not stand
 * behind it, and its steps follow each other with one request under way. That is
 * fewer of them, and no two can overtake each other, which stops some servers. */
#define LOGIN_EXPECTED (500 * MILLISECOND)

#define FIRST_DELAY (2 * SECOND)
#define LONGEST_DELAY (120 * SECOND)
/* A session that has lasted for so long was worth the login. */
#define STABLE_AFTER (60 * SECOND)
/* Changes of the network come in groups, and not each lets an attempt succeed. */
#define HURRY_INTERVAL (10 * SECOND)

typedef enum
{
  PHASE_NEW,
  PHASE_CONNECTING,
  PHASE_PAUSING,     /* for the time of the next attempt to connect */
  PHASE_CONNECTED,
  PHASE_LOGGING_IN,
  PHASE_REOPENING,   /* another session for the login of the application */
  PHASE_READY,
  PHASE_LOST,        /* the verdict of the application is awaited */
  PHASE_WAITING,     /* for the time of the next attempt */
  PHASE_ATTEMPTING,  /* a session is being opened */
  PHASE_RELOGIN,
  PHASE_PREPARING,   /* logged in; the application does what has to come first */
  PHASE_RESENDING,   /* what waited is sent before anything new */
  PHASE_DISCONNECTING,
  PHASE_DETACHED,
  PHASE_CLOSED,
} Phase;

struct _BoshReconnect
{
  Phase               phase;
  gint64              deadline;       /* of the phase, or NEVER */
  guint               due;            /* a set of action types */

  /* From CONNECT until the session has ended or ABORT was given. */
  gboolean            has_session;
  gboolean            attaching;
  gboolean            attached_ready; /* somebody is logged in there */
  gboolean            opened;
  gboolean            has_features;

  /* The caller has the credentials of the last login, and they may be needed. */
  gboolean            has_credentials;
  gboolean            remembered;
  gint64              expected_until; /* a login is about to begin */

  gboolean            enabled;
  gboolean            retries_connect;
  guint               max_attempts;
  gint64              first_delay;
  gint64              longest_delay;
  gint64              stable_after;
  guint64             jitter;

  guint               n_attempts;     /* since the last session that lasted */
  guint               n_tries;        /* with those that do not count */
  gint64              ready_at;
  gint64              hurried_at;     /* when a change of the network ended a delay */
  gboolean            offline;

  /* What the last such action gave. */
  BoshReconnectState  told_state;
  gboolean            told_expected;

  /* The operation of the application is over, which the next STATE tells. */
  gboolean            finishes;
  GError             *finish_error;   /* nullable */
  GError             *request_error;  /* of FAIL_REQUESTS, nullable */
  GError             *last_error;     /* nullable */
  /* Why the machine ends the session by itself, nullable. */
  GError             *end_error;
  gboolean            was_ready;      /* when the application disconnected */

  /* All of BoshReconnectStanza. */
  GQueue              waiting;
  GQueue              ahead;          /* while LOST: queued since the loss */
  GQueue              unsent;         /* while LOST: the verdict is about them */
  gboolean            is_preparing;   /* PREPARE was given, and had no reply */
  gboolean            is_released;    /* what waits is not to be held back, whatever it is */
  gboolean            is_refused;     /* the session takes nothing any more */
  BoshReconnectStanza *resending;     /* RESEND was given for it; nullable */
};

static BoshReconnectStanza *
stanza_new (BoshElement *element,
            guint64      serial)
{
  BoshReconnectStanza *self = g_new (BoshReconnectStanza, 1);

  self->element = bosh_element_ref (element);
  self->serial = serial;

  return self;
}

static void
stanza_free (gpointer data)
{
  BoshReconnectStanza *self = data;

  bosh_element_unref (self->element);
  g_free (self);
}

BoshReconnect *
bosh_reconnect_new (guint64 seed)
{
  BoshReconnect *self = g_new0 (BoshReconnect, 1);

  self->deadline = NEVER;
  self->expected_until = NEVER;
  self->max_attempts = BOSH_RECONNECT_MAX_ATTEMPTS;
  self->first_delay = FIRST_DELAY;
  self->longest_delay = LONGEST_DELAY;
  self->stable_after = STABLE_AFTER;
  self->hurried_at = G_MININT64 / 2;
  /* Small seeds are spread; the generator must not be zero. */
  self->jitter = seed * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) | 1;
  g_queue_init (&self->waiting);
  g_queue_init (&self->ahead);
  g_queue_init (&self->unsent);

  return self;
}

void
bosh_reconnect_free (BoshReconnect *self)
{
  g_clear_error (&self->finish_error);
  g_clear_error (&self->request_error);
  g_clear_error (&self->last_error);
  g_clear_error (&self->end_error);
  g_queue_clear_full (&self->waiting, stanza_free);
  g_queue_clear_full (&self->ahead, stanza_free);
  g_queue_clear_full (&self->unsent, stanza_free);
  g_clear_pointer (&self->resending, stanza_free);
  g_free (self);
}

void
bosh_reconnect_set_delays (BoshReconnect *self,
                           gint64         first,
                           gint64         longest,
                           gint64         stable_after)
{
  self->first_delay = first;
  self->longest_delay = longest;
  self->stable_after = stable_after;
}

/* --- State --- */

static BoshReconnectState
get_state_of (Phase phase)
{
  switch (phase)
    {
    case PHASE_NEW:
      return BOSH_RECONNECT_NEW;
    case PHASE_CONNECTING:
    case PHASE_PAUSING:
      return BOSH_RECONNECT_CONNECTING;
    case PHASE_CONNECTED:
      return BOSH_RECONNECT_CONNECTED;
    case PHASE_LOGGING_IN:
    case PHASE_REOPENING:
      return BOSH_RECONNECT_LOGGING_IN;
    case PHASE_READY:
      return BOSH_RECONNECT_READY;
    case PHASE_LOST:
    case PHASE_WAITING:
    case PHASE_ATTEMPTING:
    case PHASE_RELOGIN:
    case PHASE_PREPARING:
    case PHASE_RESENDING:
      return BOSH_RECONNECT_RECONNECTING;
    case PHASE_DISCONNECTING:
      return BOSH_RECONNECT_DISCONNECTING;
    case PHASE_DETACHED:
      return BOSH_RECONNECT_DETACHED;
    case PHASE_CLOSED:
    default:
      return BOSH_RECONNECT_CLOSED;
    }
}

static void
add_due (BoshReconnect           *self,
         BoshReconnectActionType  type)
{
  self->due |= 1u << type;
}

static void
remove_due (BoshReconnect           *self,
            BoshReconnectActionType  type)
{
  self->due &= ~(1u << type);
}

static gboolean
is_due (BoshReconnect           *self,
        BoshReconnectActionType  type)
{
  return (self->due & 1u << type) != 0;
}

/* Does the application wait for connecting, or for a login? */
static gboolean
has_operation (BoshReconnect *self)
{
  return self->phase == PHASE_CONNECTING || self->phase == PHASE_PAUSING ||
         self->phase == PHASE_LOGGING_IN || self->phase == PHASE_REOPENING;
}

static gboolean
is_waiting (BoshReconnect *self)
{
  return self->phase == PHASE_WAITING || self->phase == PHASE_PAUSING;
}

/* @error may be what is in @place. */
static void
set_error (GError       **place,
           const GError  *error)
{
  GError *copy = error != NULL ? g_error_copy (error) : NULL;

  g_clear_error (place);
  *place = copy;
}

static void
set_last_error (BoshReconnect *self,
                const GError  *error)
{
  if (error == NULL && self->last_error == NULL)
    return;

  set_error (&self->last_error, error);
  add_due (self, BOSH_RECONNECT_ACTION_PROGRESS);
}

static void
set_n_attempts (BoshReconnect *self,
                guint          n_attempts)
{
  if (self->n_attempts == n_attempts)
    return;

  self->n_attempts = n_attempts;
  add_due (self, BOSH_RECONNECT_ACTION_PROGRESS);
}

static void
fail_requests (BoshReconnect *self,
               const GError  *error)
{
  set_error (&self->request_error, error);
  add_due (self, BOSH_RECONNECT_ACTION_FAIL_REQUESTS);
}

/* What belonged to the phase before is not to be done any more. Where that was an
 * operation of the application, which sees another state now, it is over with @error, or
 * well. */
static void
enter (BoshReconnect *self,
       Phase          phase,
       gint64         deadline,
       const GError  *error)
{
  if (has_operation (self) && get_state_of (self->phase) != get_state_of (phase))
    {
      self->finishes = TRUE;
      set_error (&self->finish_error, error);
    }
  /* Else STATE tells of it. */
  if (get_state_of (self->phase) == get_state_of (phase))
    add_due (self, BOSH_RECONNECT_ACTION_PROGRESS);

  remove_due (self, BOSH_RECONNECT_ACTION_ASK);
  remove_due (self, BOSH_RECONNECT_ACTION_RENEW);
  remove_due (self, BOSH_RECONNECT_ACTION_CONNECT);
  remove_due (self, BOSH_RECONNECT_ACTION_LOGIN);
  remove_due (self, BOSH_RECONNECT_ACTION_PREPARE);
  self->phase = phase;
  self->deadline = deadline;
}

/* Is what comes about a session about the present one, and not one that is to be
 * aborted? */
static gboolean
has_current_session (BoshReconnect *self)
{
  return self->has_session && !is_due (self, BOSH_RECONNECT_ACTION_ABORT);
}

static void
abort_session (BoshReconnect *self)
{
  if (self->has_session)
    add_due (self, BOSH_RECONNECT_ACTION_ABORT);
}

/* The error for an operation that was under way at an end without one. */
static GError *
new_end_error (void)
{
  return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED, _("The session has ended"));
}

/* The end of it all, with @error, or NULL where the application asked for it. */
static void
close_with (BoshReconnect *self,
            const GError  *error)
{
  g_autoptr(GError) operation_error = error != NULL ? g_error_copy (error) : new_end_error ();

  abort_session (self);
  enter (self, PHASE_CLOSED, NEVER, operation_error);
  self->remembered = FALSE;
  /* The lost session offers these. */
  g_queue_clear_full (&self->unsent, stanza_free);
  fail_requests (self, error);
  set_last_error (self, error);
  add_due (self, BOSH_RECONNECT_ACTION_CLOSED);
}

/* Ends the session, and with it what is under way, which returns with @error. */
static void
end_session (BoshReconnect *self,
             const GError  *error)
{
  self->was_ready = bosh_reconnect_is_logged_in (self);
  set_last_error (self, NULL);
  enter (self, PHASE_DISCONNECTING, NEVER, error);
  self->remembered = FALSE;
  if (has_current_session (self))
    add_due (self, BOSH_RECONNECT_ACTION_DISCONNECT);
  else
    close_with (self, self->end_error);
}

/* Gives up an operation, and its session: the server may be in the middle of an
 * authentication that will not be finished. */
static void
abandon (BoshReconnect *self,
         const GError  *error)
{
  set_error (&self->end_error, error);
  end_session (self, error);
}

/* --- Attempts --- */

/* From 0 to 1. */
static double
draw (BoshReconnect *self)
{
  self->jitter ^= self->jitter << 13;
  self->jitter ^= self->jitter >> 7;
  self->jitter ^= self->jitter << 17;

  return (double)(self->jitter >> 11) / (double)(G_GUINT64_CONSTANT (1) << 53);
}

/* Twice as long each time, and somewhere in the upper half of that. */
static gint64
draw_delay (BoshReconnect *self)
{
  gint64 delay = self->first_delay;

  for (guint i = 0; i < self->n_tries && delay < self->longest_delay; i++)
    delay *= 2;
  delay = MIN (delay, self->longest_delay);

  return (gint64)((double)delay * (1 + draw (self)) / 2);
}

static void
start_attempt (BoshReconnect *self,
               gint64         now)
{
  if (self->phase == PHASE_PAUSING)
    enter (self, PHASE_CONNECTING, NEVER, NULL);
  else
    enter (self, PHASE_ATTEMPTING, now + ATTEMPT_TIMEOUT, NULL);
  set_n_attempts (self, self->n_attempts + 1);
  self->n_tries++;
  add_due (self, BOSH_RECONNECT_ACTION_RENEW);
  add_due (self, BOSH_RECONNECT_ACTION_CONNECT);
}

gboolean
bosh_error_kind_may_pass (BoshErrorKind kind)
{
  return kind == BOSH_ERROR_KIND_TEMPORARY || kind == BOSH_ERROR_KIND_UNTRUSTED;
}

static gboolean
may_try_again (BoshReconnect *self,
               BoshErrorKind  kind)
{
  return self->remembered && bosh_error_kind_may_pass (kind) && self->n_attempts < self->max_attempts;
}

static void
fail_attempt (BoshReconnect *self,
              BoshErrorKind  kind,
              const GError  *error,
              gint64         now)
{
  if (self->offline)
    set_n_attempts (self, self->n_attempts - 1);

  if (!may_try_again (self, kind))
    {
      close_with (self, error);
      return;
    }

  abort_session (self);
  set_last_error (self, error);
  enter (self, PHASE_WAITING, now + draw_delay (self), NULL);
}

/* The first session could not be opened. What the application has sent meanwhile waits. */
static void
fail_connecting (BoshReconnect             *self,
                 BoshErrorKind              kind,
                 const GError              *error,
                 const BoshReconnectStanza *unsent,
                 gsize                      n_unsent,
                 gint64                     now)
{
  gboolean is_wanted = self->retries_connect && !self->attaching && !self->opened;

  if (is_wanted && self->offline && self->n_attempts > 0)
    set_n_attempts (self, self->n_attempts - 1);

  if (!is_wanted || !bosh_error_kind_may_pass (kind) || self->n_attempts >= self->max_attempts)
    {
      close_with (self, error);
      return;
    }

  while (n_unsent-- > 0)
    g_queue_push_head (&self->waiting, stanza_new (unsent[n_unsent].element, unsent[n_unsent].serial));
  self->has_features = FALSE;
  set_last_error (self, error);
  enter (self, PHASE_PAUSING, now + draw_delay (self), NULL);
}

/* The session of somebody who was logged in. */
static void
handle_loss (BoshReconnect             *self,
             BoshErrorKind              kind,
             const GError              *error,
             const BoshReconnectStanza *unsent,
             gsize                      n_unsent,
             gint64                     now)
{
  if (now - self->ready_at >= self->stable_after)
    {
      set_n_attempts (self, 0);
      self->n_tries = 0;
    }
  if (!may_try_again (self, kind))
    {
      close_with (self, error);
      return;
    }

  enter (self, PHASE_LOST, NEVER, NULL);
  for (gsize i = 0; i < n_unsent; i++)
    g_queue_push_tail (&self->unsent, stanza_new (unsent[i].element, unsent[i].serial));
  set_last_error (self, error);
  fail_requests (self, error);
  add_due (self, BOSH_RECONNECT_ACTION_ASK);
}

/* Puts all of @source in front of what is in @target. */
static void
prepend_all (GQueue *target,
             GQueue *source)
{
  BoshReconnectStanza *stanza;

  while ((stanza = g_queue_pop_tail (source)) != NULL)
    g_queue_push_head (target, stanza);
}

/* In order: what was queued in its handlers, what had not left when the session
 * was lost, and what has waited since an earlier loss. */
void
bosh_reconnect_handle_verdict (BoshReconnect *self,
                               gboolean       resend,
                               gint64         now)
{
  if (self->phase != PHASE_LOST)
    return;

  if (!resend)
    g_queue_clear_full (&self->unsent, stanza_free);
  prepend_all (&self->waiting, &self->unsent);
  prepend_all (&self->waiting, &self->ahead);
  enter (self, PHASE_WAITING, now + draw_delay (self), NULL);
}

/* --- Sending again --- */

/* Between a login and this is the place of anything that an application has to send
 * before what waited, such as its presence. */
static void
resend_or_be_ready (BoshReconnect *self)
{
  if (self->waiting.length == 0)
    enter (self, PHASE_READY, NEVER, NULL);
  else if (self->phase != PHASE_RESENDING)
    enter (self, PHASE_RESENDING, NEVER, NULL);
}

void
bosh_reconnect_handle_resent (BoshReconnect *self,
                              gboolean       was_taken)
{
  BoshReconnectStanza *stanza = g_steal_pointer (&self->resending);

  g_return_if_fail (stanza != NULL);

  if (was_taken)
    stanza_free (stanza);
  else
    g_queue_push_head (&self->waiting, stanza);
  self->is_refused = !was_taken;
  if (self->phase != PHASE_RESENDING)
    return;

  if (was_taken)
    resend_or_be_ready (self);
  else
    enter (self, PHASE_READY, NEVER, NULL);
}

static void
prepare (BoshReconnect *self)
{
  enter (self, PHASE_PREPARING, NEVER, NULL);
  add_due (self, BOSH_RECONNECT_ACTION_PREPARE);
}

/* Is what comes about a preparation about the present one? A handler may have run a main
 * loop until the next. */
static gboolean
is_prepared_now (BoshReconnect *self)
{
  return self->phase == PHASE_PREPARING && !is_due (self, BOSH_RECONNECT_ACTION_PREPARE);
}

void
bosh_reconnect_handle_prepared (BoshReconnect *self,
                                gboolean       hold,
                                gint64         now)
{
  self->is_preparing = FALSE;
  if (!is_prepared_now (self))
    return;

  if (hold && !self->is_released)
    self->deadline = now + BOSH_RECONNECT_HOLD_LIMIT * SECOND;
  else
    resend_or_be_ready (self);
}

void
bosh_reconnect_resend (BoshReconnect *self)
{
  if (!is_prepared_now (self))
    return;

  if (self->is_preparing)
    self->is_released = TRUE;
  else
    resend_or_be_ready (self);
}

/* Does the first session still have to take what waited for it? */
static gboolean
has_leftovers (BoshReconnect *self)
{
  return (self->phase == PHASE_CONNECTED || self->phase == PHASE_LOGGING_IN ||
          self->phase == PHASE_READY) &&
         !self->is_refused && (self->waiting.length > 0 || self->resending != NULL);
}

gboolean
bosh_reconnect_is_queueing (BoshReconnect *self,
                            gboolean       prepares)
{
  switch (get_state_of (self->phase))
    {
    case BOSH_RECONNECT_RECONNECTING:
      return !(prepares && self->phase == PHASE_PREPARING);
    /* What was sent first waits for another attempt, or is about to be sent. */
    case BOSH_RECONNECT_CONNECTING:
      return self->phase == PHASE_PAUSING || self->n_tries > 0;
    case BOSH_RECONNECT_CONNECTED:
    case BOSH_RECONNECT_LOGGING_IN:
    case BOSH_RECONNECT_READY:
      return has_leftovers (self);
    case BOSH_RECONNECT_NEW:
    case BOSH_RECONNECT_DISCONNECTING:
    case BOSH_RECONNECT_DETACHED:
    case BOSH_RECONNECT_CLOSED:
    default:
      return FALSE;
    }
}

void
bosh_reconnect_queue (BoshReconnect *self,
                      BoshElement   *element,
                      guint64        serial)
{
  g_return_if_fail (bosh_reconnect_is_queueing (self, FALSE));

  g_queue_push_tail (self->phase == PHASE_LOST ? &self->ahead : &self->waiting,
                     stanza_new (element, serial));
}

static void
add_elements (GPtrArray *array,
              GQueue    *queue)
{
  for (GList *link = queue->head; link != NULL; link = link->next)
    {
      BoshReconnectStanza *stanza = link->data;

      g_ptr_array_add (array, bosh_element_ref (stanza->element));
    }
}

GPtrArray *
bosh_reconnect_dup_waiting (BoshReconnect *self)
{
  GPtrArray *array = g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);

  add_elements (array, &self->ahead);
  if (self->resending != NULL)
    g_ptr_array_add (array, bosh_element_ref (self->resending->element));
  add_elements (array, &self->waiting);

  return array;
}

/* --- What the application does --- */

void
bosh_reconnect_connect (BoshReconnect *self)
{
  g_return_if_fail (self->phase == PHASE_NEW);

  enter (self, PHASE_CONNECTING, NEVER, NULL);
  add_due (self, BOSH_RECONNECT_ACTION_CONNECT);
}

void
bosh_reconnect_attach (BoshReconnect *self,
                       gboolean       is_logged_in)
{
  g_return_if_fail (self->phase == PHASE_NEW);

  self->attaching = TRUE;
  self->attached_ready = is_logged_in;
  bosh_reconnect_connect (self);
}

void
bosh_reconnect_login (BoshReconnect *self,
                      gint64         now)
{
  g_return_if_fail (self->phase == PHASE_CONNECTED);

  self->has_credentials = TRUE;
  self->remembered = self->enabled;
  set_last_error (self, NULL);
  enter (self, PHASE_LOGGING_IN, now + LOGIN_TIMEOUT, NULL);
  add_due (self, BOSH_RECONNECT_ACTION_LOGIN);
}

void
bosh_reconnect_cancel (BoshReconnect *self,
                       GError        *error)
{
  if (has_operation (self))
    abandon (self, error);

  g_error_free (error);
}

void
bosh_reconnect_disconnect (BoshReconnect *self)
{
  g_autoptr(GError) error = NULL;

  switch (self->phase)
    {
    case PHASE_CONNECTING:
    case PHASE_PAUSING:
    case PHASE_CONNECTED:
    case PHASE_LOGGING_IN:
    case PHASE_REOPENING:
    case PHASE_READY:
    case PHASE_PREPARING:
    case PHASE_RESENDING:
      error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                                   _("The session is being ended"));
      end_session (self, error);
      break;
    case PHASE_LOST:
    case PHASE_WAITING:
    case PHASE_ATTEMPTING:
    case PHASE_RELOGIN:
      close_with (self, NULL);
      break;
    case PHASE_NEW:
    case PHASE_DISCONNECTING:
    case PHASE_DETACHED:
    case PHASE_CLOSED:
    default:
      break;
    }
}

void
bosh_reconnect_retry_now (BoshReconnect *self,
                          gint64         now)
{
  if (!is_waiting (self))
    return;

  set_n_attempts (self, 0);
  self->n_tries = 0;
  start_attempt (self, now);
}

void
bosh_reconnect_set_enabled (BoshReconnect *self,
                            gboolean       enabled)
{
  self->enabled = enabled;
  if (enabled)
    return;

  self->remembered = FALSE;
  /* Where somebody is logged in again the session goes on. */
  if (get_state_of (self->phase) == BOSH_RECONNECT_RECONNECTING &&
      !bosh_reconnect_is_logged_in (self))
    close_with (self, self->last_error);
}

void
bosh_reconnect_set_retries_connect (BoshReconnect *self,
                                    gboolean       retries_connect)
{
  self->retries_connect = retries_connect;
  if (!retries_connect && self->phase == PHASE_PAUSING)
    close_with (self, self->last_error);
}

gboolean
bosh_reconnect_get_retries_connect (BoshReconnect *self)
{
  return self->retries_connect;
}

void
bosh_reconnect_remember (BoshReconnect *self)
{
  self->has_credentials = TRUE;
  self->remembered = self->enabled;
}

gboolean
bosh_reconnect_is_enabled (BoshReconnect *self)
{
  return self->enabled;
}

void
bosh_reconnect_set_max_attempts (BoshReconnect *self,
                                 guint          max_attempts)
{
  self->max_attempts = max_attempts;
}

guint
bosh_reconnect_get_max_attempts (BoshReconnect *self)
{
  return self->max_attempts;
}

/* --- What becomes of the session --- */

static void
expect_login (BoshReconnect *self,
              gint64         now)
{
  self->expected_until = now + LOGIN_EXPECTED;
}

void
bosh_reconnect_handle_opened (BoshReconnect *self,
                              gint64         now)
{
  if (!has_current_session (self) || self->phase != PHASE_CONNECTING)
    return;

  self->opened = TRUE;
  set_last_error (self, NULL);
  if (self->attaching)
    {
      self->ready_at = now;
      enter (self, self->attached_ready ? PHASE_READY : PHASE_CONNECTED, NEVER, NULL);
    }
  else if (self->has_features)
    enter (self, PHASE_CONNECTED, NEVER, NULL);
  else
    self->deadline = now + FEATURES_TIMEOUT;
}

void
bosh_reconnect_handle_features (BoshReconnect *self,
                                gint64         now)
{
  if (!has_current_session (self))
    return;

  if (self->phase == PHASE_ATTEMPTING)
    {
      enter (self, PHASE_RELOGIN, self->deadline, NULL);
      add_due (self, BOSH_RECONNECT_ACTION_LOGIN);
    }
  else if (self->phase == PHASE_REOPENING)
    {
      enter (self, PHASE_LOGGING_IN, self->deadline, NULL);
      add_due (self, BOSH_RECONNECT_ACTION_LOGIN);
    }
  else if (self->phase == PHASE_CONNECTING && !self->attaching)
    {
      self->has_features = TRUE;
      if (self->opened)
        enter (self, PHASE_CONNECTED, NEVER, NULL);
      expect_login (self, now);
    }
}

void
bosh_reconnect_handle_logged_in (BoshReconnect *self,
                                 gint64         now)
{
  gboolean is_another = self->phase == PHASE_RELOGIN;

  if (self->phase != PHASE_LOGGING_IN && !is_another)
    return;

  self->ready_at = now;
  set_last_error (self, NULL);
  if (is_another)
    prepare (self);
  else
    enter (self, PHASE_READY, NEVER, NULL);
}

void
bosh_reconnect_handle_login_failed (BoshReconnect *self,
                                    BoshErrorKind  kind,
                                    const GError  *error,
                                    gint64         now)
{
  if (self->phase == PHASE_RELOGIN)
    fail_attempt (self, kind, error, now);
  else if (self->phase == PHASE_LOGGING_IN)
    {
      self->remembered = FALSE;
      set_last_error (self, error);
      enter (self, PHASE_CONNECTED, NEVER, error);
      expect_login (self, now);
    }
}

void
bosh_reconnect_handle_fall_back (BoshReconnect *self)
{
  g_autoptr(GError) error = NULL;

  if (self->phase != PHASE_LOGGING_IN && self->phase != PHASE_RELOGIN)
    return;

  error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                               _("The login begins anew in another session"));
  fail_requests (self, error);
  abort_session (self);
  self->has_credentials = TRUE;
  enter (self, self->phase == PHASE_RELOGIN ? PHASE_ATTEMPTING : PHASE_REOPENING, self->deadline,
         NULL);
  add_due (self, BOSH_RECONNECT_ACTION_RENEW);
  add_due (self, BOSH_RECONNECT_ACTION_CONNECT);
}

/* FALSE if it is not the present one that is gone. */
static gboolean
forget_session (BoshReconnect *self)
{
  gboolean was_current = has_current_session (self);

  self->has_session = FALSE;
  self->told_expected = FALSE;
  self->is_refused = FALSE;
  remove_due (self, BOSH_RECONNECT_ACTION_ABORT);
  remove_due (self, BOSH_RECONNECT_ACTION_DISCONNECT);

  return was_current;
}

void
bosh_reconnect_handle_ended (BoshReconnect             *self,
                             BoshErrorKind              kind,
                             const GError              *error,
                             const BoshReconnectStanza *unsent,
                             gsize                      n_unsent,
                             gint64                     now)
{
  if (!forget_session (self))
    return;
  if (error == NULL)
    kind = BOSH_ERROR_KIND_REQUESTED;

  switch (self->phase)
    {
    case PHASE_CONNECTING:
      fail_connecting (self, kind, error, unsent, n_unsent, now);
      break;
    case PHASE_CONNECTED:
    case PHASE_LOGGING_IN:
    case PHASE_REOPENING:
      close_with (self, error);
      break;
    case PHASE_READY:
    case PHASE_PREPARING:
    case PHASE_RESENDING:
      handle_loss (self, kind, error, unsent, n_unsent, now);
      break;
    case PHASE_ATTEMPTING:
    case PHASE_RELOGIN:
      fail_attempt (self, kind, error, now);
      break;
    case PHASE_DISCONNECTING:
      close_with (self, self->end_error != NULL ? self->end_error : error);
      break;
    case PHASE_NEW:
    case PHASE_PAUSING:
    case PHASE_LOST:
    case PHASE_WAITING:
    case PHASE_DETACHED:
    case PHASE_CLOSED:
    default:
      g_assert_not_reached ();
    }
}

void
bosh_reconnect_handle_detached (BoshReconnect *self)
{
  g_autoptr(GError) error = NULL;

  if (!forget_session (self))
    return;

  error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_DETACHED, _("The session was handed over"));
  enter (self, PHASE_DETACHED, NEVER, error);
  self->remembered = FALSE;
  fail_requests (self, error);
}

/* --- What becomes of the network --- */

void
bosh_reconnect_set_offline (BoshReconnect *self,
                            gboolean       offline)
{
  self->offline = offline;
}

void
bosh_reconnect_handle_network (BoshReconnect *self,
                               gint64         now)
{
  if (!is_waiting (self) || now - self->hurried_at < HURRY_INTERVAL)
    return;

  self->hurried_at = now;
  start_attempt (self, now);
}

/* --- What follows --- */

static void
handle_deadline (BoshReconnect *self,
                 gint64         now)
{
  g_autoptr(GError) error = NULL;

  if (self->deadline == NEVER || now < self->deadline)
    return;

  self->deadline = NEVER;
  switch (self->phase)
    {
    case PHASE_CONNECTING:
      error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TIMED_OUT,
                                   _("The server sent no stream features in time"));
      abandon (self, error);
      break;
    case PHASE_LOGGING_IN:
    case PHASE_REOPENING:
      error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TIMED_OUT,
                                   _("The login was not finished in time"));
      abandon (self, error);
      break;
    case PHASE_ATTEMPTING:
    case PHASE_RELOGIN:
      error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_TIMED_OUT,
                                   _("The login was not finished in time"));
      fail_attempt (self, BOSH_ERROR_KIND_TEMPORARY, error, now);
      break;
    case PHASE_WAITING:
    case PHASE_PAUSING:
      start_attempt (self, now);
      break;
    case PHASE_PREPARING:
      resend_or_be_ready (self);
      break;
    case PHASE_NEW:
    case PHASE_CONNECTED:
    case PHASE_READY:
    case PHASE_LOST:
    case PHASE_RESENDING:
    case PHASE_DISCONNECTING:
    case PHASE_DETACHED:
    case PHASE_CLOSED:
    default:
      g_assert_not_reached ();
    }
}

/* Is a login about to begin, as far as anybody can know? */
static gboolean
expects_login (BoshReconnect *self,
               gint64         now)
{
  return (self->phase == PHASE_CONNECTING || self->phase == PHASE_CONNECTED) &&
         now < self->expected_until;
}

static gboolean
wants (BoshReconnect           *self,
       BoshReconnectActionType  type,
       gint64                   now)
{
  switch (type)
    {
    case BOSH_RECONNECT_ACTION_STATE:
      return self->finishes || self->told_state != get_state_of (self->phase);
    case BOSH_RECONNECT_ACTION_PREPARE:
      return is_due (self, type) && !self->is_preparing;
    case BOSH_RECONNECT_ACTION_RESEND:
      return self->resending == NULL && (self->phase == PHASE_RESENDING || has_leftovers (self));
    /* A handler may run a main loop while a stanza is being handed over: what becomes
     * of that has to be known before anything is put in front of it. */
    case BOSH_RECONNECT_ACTION_ASK:
      return is_due (self, type) && self->resending == NULL;
    case BOSH_RECONNECT_ACTION_EXPECT_LOGIN:
      return self->has_session && self->told_expected != expects_login (self, now);
    case BOSH_RECONNECT_ACTION_FORGET:
      return self->has_credentials && !self->remembered && self->phase != PHASE_REOPENING;
    case BOSH_RECONNECT_ACTION_ABORT:
    case BOSH_RECONNECT_ACTION_DISCONNECT:
    case BOSH_RECONNECT_ACTION_FAIL_REQUESTS:
    case BOSH_RECONNECT_ACTION_RENEW:
    case BOSH_RECONNECT_ACTION_CONNECT:
    case BOSH_RECONNECT_ACTION_LOGIN:
    case BOSH_RECONNECT_ACTION_PROGRESS:
    case BOSH_RECONNECT_ACTION_CLOSED:
    default:
      return is_due (self, type);
    }
}

static void
give_resend (BoshReconnect       *self,
             BoshReconnectAction *action)
{
  self->resending = g_queue_pop_head (&self->waiting);
  action->element = bosh_element_ref (self->resending->element);
  action->serial = self->resending->serial;
}

static void
give (BoshReconnect       *self,
      BoshReconnectAction *action,
      gint64               now)
{
  remove_due (self, action->type);
  switch (action->type)
    {
    case BOSH_RECONNECT_ACTION_ABORT:
      self->has_session = FALSE;
      break;
    case BOSH_RECONNECT_ACTION_DISCONNECT:
      action->was_ready = self->was_ready;
      break;
    case BOSH_RECONNECT_ACTION_STATE:
      action->state = self->told_state = get_state_of (self->phase);
      action->finishes = self->finishes;
      action->error = g_steal_pointer (&self->finish_error);
      self->finishes = FALSE;
      break;
    case BOSH_RECONNECT_ACTION_FAIL_REQUESTS:
      action->error = g_steal_pointer (&self->request_error);
      break;
    case BOSH_RECONNECT_ACTION_ASK:
    case BOSH_RECONNECT_ACTION_CLOSED:
      set_error (&action->error, self->last_error);
      break;
    case BOSH_RECONNECT_ACTION_PREPARE:
      self->is_preparing = TRUE;
      self->is_released = FALSE;
      break;
    case BOSH_RECONNECT_ACTION_CONNECT:
      self->has_session = TRUE;
      break;
    case BOSH_RECONNECT_ACTION_RESEND:
      give_resend (self, action);
      break;
    case BOSH_RECONNECT_ACTION_EXPECT_LOGIN:
      action->expected = self->told_expected = expects_login (self, now);
      break;
    case BOSH_RECONNECT_ACTION_FORGET:
      self->has_credentials = FALSE;
      break;
    case BOSH_RECONNECT_ACTION_RENEW:
    case BOSH_RECONNECT_ACTION_LOGIN:
    case BOSH_RECONNECT_ACTION_PROGRESS:
    default:
      break;
    }
}

gboolean
bosh_reconnect_next_action (BoshReconnect       *self,
                            BoshReconnectAction *action,
                            gint64               now)
{
  *action = (BoshReconnectAction){ 0 };
  handle_deadline (self, now);
  for (guint i = BOSH_RECONNECT_ACTION_ABORT; i <= BOSH_RECONNECT_ACTION_CLOSED; i++)
    if (wants (self, i, now))
      {
        action->type = i;
        give (self, action, now);
        return TRUE;
      }

  return FALSE;
}

void
bosh_reconnect_action_clear (BoshReconnectAction *action)
{
  g_clear_pointer (&action->element, bosh_element_unref);
  g_clear_error (&action->error);
}

gint64
bosh_reconnect_get_deadline (BoshReconnect *self)
{
  if (!self->told_expected)
    return self->deadline;

  return self->deadline != NEVER ? MIN (self->deadline, self->expected_until)
                                 : self->expected_until;
}

BoshReconnectState
bosh_reconnect_get_state (BoshReconnect *self)
{
  return get_state_of (self->phase);
}

gboolean
bosh_reconnect_is_logged_in (BoshReconnect *self)
{
  return self->phase == PHASE_READY || self->phase == PHASE_PREPARING ||
         self->phase == PHASE_RESENDING;
}

guint
bosh_reconnect_get_n_attempts (BoshReconnect *self)
{
  return self->n_attempts;
}

gint64
bosh_reconnect_get_next_attempt (BoshReconnect *self)
{
  return is_waiting (self) ? self->deadline : NEVER;
}

const GError *
bosh_reconnect_get_last_error (BoshReconnect *self)
{
  return self->last_error;
}
