/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One run of a client: the machine that decides its life, an application that
 * uses it, and a world of sessions that get lost, on one virtual clock, all drawn
 * from one seed.
 *   simulate-client.c     the seeds, and how a run goes and ends
 *   client-world.c        the network, the server, and the session of the moment
 *   client-application.c  carries out what the machine decides, and misbehaves
 *   client-ledger.c       what must hold */

#pragma once

#include "coverage.h"

#include "bosh-reconnect-private.h"

G_BEGIN_DECLS

#define SECOND G_GINT64_CONSTANT (1000000)
#define MILLISECOND (SECOND / 1000)

typedef enum
{
  EVENT_OPENED,      /* the session is created or attached */
  EVENT_FEATURES,
  EVENT_LOGIN_OVER,  /* the server has decided about the login */
  EVENT_TRANSFER,    /* stanzas leave the session, or arrive at the server */
  EVENT_LOSS,        /* the session ends without having been asked to */
  EVENT_ENDED,       /* the session ends as it was asked to */
  EVENT_DETACHED,    /* the hand-over is complete */
  EVENT_RESEND,      /* the application releases what it holds back */
  EVENT_SEND,        /* the application sends something */
  EVENT_BEHAVIOUR,   /* the application does something else */
  EVENT_NETWORK,     /* the network goes down or comes back */
  EVENT_SERVER,      /* the server goes down or comes back */
  EVENT_BETWEEN,     /* something between the two comes, or goes away */
} EventType;

typedef struct
{
  gint64    at;
  guint64   order;
  EventType type;
  guint     session;  /* the event is void if this is gone; 0: of no session */
} Event;

/* Where a copy of a stanza is. */
typedef enum
{
  PLACE_WAITING,      /* in the machine, for the next session */
  PLACE_UNSENT,       /* in the session */
  PLACE_IN_FLIGHT,    /* in the session, on the way */
  PLACE_RECEIVED,     /* the server has it, and the session knows */
  PLACE_ASKED,        /* unsent in a lost session, the verdict is awaited */
  PLACE_UNDELIVERED,  /* of a lost session, which offers it */
  PLACE_OFFERED,      /* never sent; a session that has ended offers it */
  PLACE_DROPPED,      /* never sent, and not to be sent again */
  PLACE_HANDED_OVER,  /* it goes on in the saved session */
} Place;

/* What the application sends once. When it sends a stanza again, that is another
 * copy with the same number. */
typedef struct
{
  guint    number;
  Place    place;
  guint    n_received;
  gboolean prepares;    /* it prepares a session, so it goes in front of what waits */
} Copy;

/* The session of the moment. */
typedef struct
{
  guint    id;          /* 0: there is none */
  gboolean is_attempt;
  gboolean is_open;
  gboolean has_features;
  gboolean is_logged_in;
  gboolean is_prepared; /* PREPARE was given */
  gint64   holds_since; /* what waits is held back, or -1 */
  gboolean is_released; /* it is not, or not any more */
  gboolean is_leaving;  /* the application ends it, or hands it over */
  gboolean is_gone;     /* it takes nothing any more, and is about to end */
  gint64   opened_at;
  GQueue   unsent;      /* of serials */
  GQueue   in_flight;   /* of serials */
} Session;

typedef enum
{
  OPERATION_NONE,
  OPERATION_CONNECT,
  OPERATION_LOGIN,
} Operation;

/* What the machine has to do, by what was fed to it. */
typedef enum
{
  DUTY_NONE,
  DUTY_ASK,    /* give ASK */
  DUTY_CLOSE,  /* give CLOSED with `end_error` */
} Duty;

typedef struct
{
  GRand              *random;
  gint64              now;
  guint64             order;
  GSequence          *events;
  gboolean            verbose;
  GChecksum          *digest;          /* of all actions of the machine, nullable */

  /* world */
  Session             session;
  guint               n_sessions;
  gboolean            network_is_up;
  gboolean            monitor_sees;    /* the system says when there is no network */
  gboolean            server_is_up;
  gboolean            something_between; /* and shows a certificate of its own */
  guint               loss_percent;    /* of sessions that end by themselves soon */
  guint               trouble_percent; /* of logins that fail */
  guint               n_failures;
  GQueue              undelivered;     /* of serials, in order: what the lost session offers */

  /* application */
  BoshReconnect      *reconnect;
  BoshReconnectState  state;           /* as it was told */
  Operation           operation;
  gint64              login_at;
  gboolean            attaches;
  gboolean            attaches_ready;  /* somebody is logged in there */
  gboolean            retries_connect;
  gboolean            has_credentials;
  guint               drain_level;     /* how many loops drain, one in the other */
  guint               loop_level;      /* how many main loops run, one in the other */
  guint               handler_percent; /* of handlers that do something */
  guint               to_send;
  guint               send_interval;   /* the longest, in milliseconds */
  guint               n_numbers;
  GArray             *copies;          /* of Copy, by serial from 1 on */

  /* ledger */
  Duty                duty;
  GError             *end_error;       /* of DUTY_CLOSE, nullable */
  GError             *last_failure;    /* nullable */
  gboolean            ended;           /* CLOSED or DETACHED was given */
  gboolean            is_silent;       /* nothing may come any more */
  gboolean            disconnects;     /* DISCONNECT is due */
  gboolean            aborts;          /* ABORT is due for the session */
  gboolean            is_enabled;
  gboolean            remembers;
  guint               max_attempts;
  guint               allowed_attempts; /* the maximum when it was decided to go on */
  guint               n_attempts;
  guint               n_tries;
  gint64              ready_at;
  gint64              waits_since;     /* or -1 */
  gint64              hurried_at;
  gint64              attempt_at;      /* or -1: no attempt is under way */
  gboolean            requests_fail;   /* FAIL_REQUESTS is due */
  gboolean            expects_login;   /* as it was told */
  gint64              expected_until;
  /* As the last PROGRESS gave them. */
  guint               told_attempts;
  gint64              told_next;
  GError             *told_error;      /* nullable */
  gboolean            is_lost;         /* from the loss until the verdict */
  guint               n_ahead;         /* how many were queued since the loss */
  GQueue              waiting;         /* of serials, in order */
  GQueue              asked;           /* of serials: PLACE_ASKED */
  gboolean            is_in_order;     /* the application kept its own order */
  guint               last_number;     /* the highest that the server has received */
} Simulation;

/* simulate-client.c */
G_GNUC_PRINTF (2, 3)
void      say                         (Simulation                *self,
          const char *format,
          ...);
guint     draw                        (Simulation *self,
                                       int         from,
                                       int         to);
gboolean  chance                      (Simulation *self,
                                       guint       percent);
void      schedule                    (Simulation *self,
                                       EventType   type,
                                       guint       session,
                                       gint64      delay);
void      handle_event                (Simulation  *self,
                                       const Event *event);
/* Takes the first event if it is due. */
gboolean  take_event                  (Simulation                *self);
/* Goes to what comes next. */
void      step                        (Simulation                *self);

/* client-world.c */
void      world_connect               (Simulation                *self);
void      world_login                 (Simulation                *self);
void      world_disconnect            (Simulation                *self);
void      world_detach                (Simulation                *self);
void      world_abort                 (Simulation                *self);
/* FALSE if there is no session that takes it. */
gboolean  world_send                  (Simulation *self,
                                       guint64     serial);
void      world_handle_event          (Simulation  *self,
                                       const Event *event);
void      world_clear_session         (Simulation                *self);

/* client-application.c */
void      application_connect         (Simulation                *self);
void      application_send            (Simulation                *self);
void      application_behave          (Simulation                *self);
void      application_disconnect      (Simulation                *self);
void      application_release         (Simulation                *self);
void      application_drain           (Simulation                *self);
Copy     *application_get_copy        (Simulation *self,
                                       guint64     serial);

/* client-ledger.c */
void      ledger_note_queued          (Simulation *self,
                                       guint64     serial);
/* The application has begun something. */
void      ledger_note_login           (Simulation                *self);
void      ledger_note_disconnect      (Simulation                *self);
void      ledger_note_cancel          (Simulation   *self,
                                       const GError *error);
void      ledger_note_enabled         (Simulation *self,
                                       gboolean    enabled);
void      ledger_note_retries_connect (Simulation                *self,
                                       gboolean                   retries_connect);
void      ledger_note_retry           (Simulation                *self);
void      ledger_note_network         (Simulation                *self);
void      ledger_note_verdict         (Simulation *self,
                                       gboolean    resend);
/* @session was prepared. */
void      ledger_note_prepared        (Simulation *self,
                                       guint       session,
                                       gboolean    hold);
void      ledger_note_released        (Simulation                *self);
/* Something is about to be fed. */
void      ledger_note_logged_in       (Simulation                *self);
void      ledger_note_opened          (Simulation                *self);
void      ledger_note_features        (Simulation                *self);
void      ledger_note_login_failed    (Simulation    *self,
                                       BoshErrorKind  kind,
                                       const GError  *error);
/* @unsent are serials, which move to where they belong. */
void      ledger_note_ended           (Simulation    *self,
                                       BoshErrorKind  kind,
                                       const GError  *error,
                                       GQueue        *unsent);
void      ledger_note_detached        (Simulation                *self);
void      ledger_note_received        (Simulation *self,
                                       guint64     serial);
/* An action was given, and is about to be carried out. */
void      ledger_check_action         (Simulation                *self,
                                       const BoshReconnectAction *action);
void      ledger_note_resent          (Simulation *self,
                                       guint64     serial);
/* After all actions were drained. */
void      ledger_check_step           (Simulation                *self);
/* After the end: each copy is in one place. */
void      ledger_check_end            (Simulation                *self);

G_END_DECLS
