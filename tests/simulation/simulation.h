/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One run: a session, its application, a network and a server, on one virtual
 * clock, all drawn from one seed.
 *   simulate.c      the seeds, and how a run goes and ends
 *   options.c       what is drawn for a run
 *   network.c       events, exchanges and what goes wrong with them
 *   application.c   who uses the session, and what comes out of it
 *   catastrophe.c   what ends a session before its time
 *   ledger.c        what must hold */

#pragma once

#include "coverage.h"
#include "model-manager.h"

#include "bosh-session-private.h"
#include "bosh-session-save-private.h"
#include "bosh-session-state-private.h"
#include "bosh-session-timing-private.h"

G_BEGIN_DECLS

typedef enum
{
  EVENT_ARRIVES,    /* a request reaches the manager */
  EVENT_WRITTEN,    /* a request is written whole */
  EVENT_PROGRESS,   /* a part of a response reaches the client */
  EVENT_RESPONDED,  /* a response reaches the client */
  EVENT_BREAKS,     /* an exchange breaks */
  EVENT_PATH_CUTS,  /* a proxy has waited long enough */
  EVENT_CLIENT,     /* the application sends something */
  EVENT_SERVER,     /* the server has a stanza for the client */
  EVENT_BEHAVIOUR,  /* the application does something else */
  EVENT_REPLY,      /* a reply that was promised is ready */
  EVENT_OPEN,       /* a restored session is opened */
  EVENT_OUTAGE,     /* the network goes down or comes back */
  EVENT_CATASTROPHE,
} EventType;

typedef struct
{
  gint64     at;
  guint64    order;
  EventType  type;
  guint      connection;
  guint      status;
  int        retry_after;
  GBytes    *bytes;
  gboolean   maybe_sent;
} Event;

/* How an exchange goes wrong. */
typedef enum
{
  FATE_WELL,
  FATE_UNREACHABLE,
  FATE_RESET_BEFORE,
  FATE_RESET_AFTER,
  FATE_HALF_RESPONSE,
  FATE_PROXY_STATUS,
  FATE_GATEWAY_TIMEOUT,
  FATE_WEB_PAGE,
  FATE_EMPTY_RESPONSE,
  FATE_BLACK_HOLE_BEFORE,
  FATE_BLACK_HOLE_AFTER,
  FATE_DUPLICATED,
  FATE_LATE_COPY,
  FATE_SLOW_REQUEST,
  FATE_SLOW_RESPONSE,
  N_FATES,
  FATE_TOO_LARGE = N_FATES, /* that of all such requests */
} Fate;

typedef struct
{
  guint64   rid;
  Fate      fate;
  gboolean  open;
  gboolean  responded;     /* the client has read the response of the manager */
  gboolean  is_empty;     /* asks for nothing */
  gboolean  is_restart;
  gboolean  may_exceed;   /* pause or terminate (§11) */
  gboolean  arrived;
  gint64    sent_at;
  gint64    written_at;   /* or NEVER */
  gint64    progress_at;  /* when a part of the response has come, or NEVER */
  guint     n_stanzas;    /* how many stanzas were sent up to this */
} Exchange;

/* A stanza of the client. */
typedef struct
{
  gboolean  processed;    /* by the server */
  gboolean  dropped;      /* by the server */
  gboolean  uncertain;    /* the session says that it may be lost */
  gboolean  too_large;    /* the session says that it can't be sent */
} Stanza;

/* What is known of a request id. */
typedef struct
{
  GBytes   *bytes;        /* of the first sending */
  guint     first_stanza;
  gboolean  refused;      /* for its size, before the server saw it */
  gboolean  divided;      /* sent with less after that, perhaps with nothing */
  guint     n_stanzas;
  gboolean  responded;     /* this session has the response */
  GArray   *attempts;     /* of gint64: when it was sent */
  gint64    not_before;   /* when it may be repeated (Retry-After) */
  gint64    error_at;     /* when the manager wanted it again (§17.3), or NEVER */
} Record;

/* What ends a session that the application does not end. */
typedef enum
{
  CATASTROPHE_NONE,
  CATASTROPHE_BLACKOUT,         /* the network is down for ever */
  CATASTROPHE_SERVER_RESTARTS,
  CATASTROPHE_SERVER_TERMINATES,
  CATASTROPHE_TERMINATE,        /* the application terminates in the middle */
  CATASTROPHE_ABORT,            /* the same, without telling the server */
  N_CATASTROPHES
} Catastrophe;

typedef struct
{
  GRand         *random;      /* decides about the run */
  GRand         *spot_checks; /* decides when to check what is costly to check */
  gint64         now;
  guint64        order;
  GSequence     *events;
  gboolean       verbose;
  GChecksum     *digest;      /* of all actions of the session, nullable */

  /* network */
  GArray        *exchanges;   /* of Exchange */
  guint          fault_percent;
  guint          path_patience; /* seconds that the path lets a request wait, or 0 */
  guint          size_limit;    /* bytes that the path lets through, or 0 */
  guint          n_cuts;
  guint64        arrived_rid;   /* the highest */
  gboolean       disordered;    /* a request arrived late at a server that does not wait for it */
  gboolean       outage;
  gboolean       had_faults;

  /* ledger */
  GArray        *records;     /* of Record, by rid from first_rid on */
  guint64        first_rid;   /* of the creation */
  guint64        responded_rid; /* the client has the responses up to this */
  gint64         responded_at; /* when the last response came */
  gint64         renewed_at;  /* when the last new request was sent */
  guint          posted;      /* stanzas that were sent */
  GArray        *polls;       /* of gint64: when empty new requests were sent */

  /* server */
  ModelOptions   options;
  ModelManager  *manager;
  guint          to_receive;
  guint          server_sent;
  guint          n_too_large;     /* those of them that are too large for the client */
  guint          server_received; /* stanzas of the client that were processed */
  guint          restarts;        /* that were processed */

  /* application */
  BoshSession   *session;
  BoshSessionParameters parameters;
  guint          to_send;     /* stanzas that the client still sends */
  guint          sent;
  guint          received;    /* those that are too large among them */
  guint          n_left_out;
  GArray        *stanzas;     /* of Stanza, by their ids */
  GArray        *serials;     /* of guint: the ids of the stanzas of this session */
  guint          delivered;   /* stanzas that are known to have arrived */
  guint          maybe_sent;  /* stanzas that may have arrived */
  guint          restarts_asked;
  guint          restarts_done;
  gboolean       handing_over;
  gboolean       attaching;
  gboolean       resuming;    /* the next request ends a pause */
  gint64         quiet_until; /* nothing is sent, so that a pause may last */
  gboolean       terminating;
  gboolean       closed;
  GError        *error;
  guint          pauses;
  guint          hand_overs;

  /* the end */
  Catastrophe    catastrophe;
  gboolean       has_struck;
  gint64         struck_at;
  gboolean       aborted;
  GError        *expected_error;  /* NULL: none in particular */
  gboolean       stream_error_arrived;
} Simulation;

/* simulate.c */
G_GNUC_PRINTF (2, 3)
void      say                       (Simulation  *self,
          const char *format,
          ...);
gboolean  chance                    (Simulation *self,
                                     guint       percent);

/* options.c */
void      choose_options            (Simulation  *self);
void      choose_parameters         (Simulation  *self);
void      draw_entropy              (Simulation  *self);

/* network.c */
Event    *schedule                  (Simulation *self,
                                     EventType   type,
                                     gint64      delay);
void      event_free                (Event       *event);
Exchange *get_exchange              (Simulation *self,
                                     guint       index);
void      network_post              (Simulation *self,
                                     BoshAction *action);
void      network_abandon           (Simulation *self,
                                     guint64     rid);
/* The process or the server is gone, and all connections with it. */
void      network_close_all         (Simulation  *self);
void      network_break_all         (Simulation  *self);
void      network_handle_event      (Simulation *self,
                                     Event      *event);
void      network_on_response         (guint       connection,
                                       guint       status,
                                       const char *text,
                                       gpointer    user_data);

/* application.c */
void      application_drain         (Simulation  *self);
void      application_send          (Simulation  *self);
void      application_behave        (Simulation  *self);
/* Goes on with another session from a snapshot of this one. */
void      application_restore       (Simulation *self,
                                     gint64      delay);
void      application_terminate     (Simulation  *self);

/* catastrophe.c */
void      catastrophe_strike        (Simulation  *self);
void      catastrophe_abort         (Simulation  *self);
/* Checks that the session has ended for a reason, and by the error that names it. */
void      catastrophe_check_end     (Simulation  *self);

/* ledger.c */
void      ledger_check_request      (Simulation *self,
                                     BoshAction *action,
                                     Exchange   *exchange);
/* After all actions were drained. */
void      ledger_check_step         (Simulation  *self);
/* A request is given up whose response has begun. */
void      ledger_check_abandoned    (Simulation     *self,
                                     const Exchange *exchange);
void      ledger_check_delivered    (Simulation *self,
                                     guint64     serial);
/* The first stanza from @id on that is neither lost nor too large. */
guint     ledger_skip_failed        (Simulation *self,
                                     guint       id);
/* A snapshot has no stanzas before @base. */
void      ledger_note_base          (Simulation *self,
                                     guint       base);
/* The application sends a stanza. */
void      ledger_note_sent          (Simulation  *self);
/* The server has processed the stanza, or dropped it. */
void      ledger_note_processed     (Simulation *self,
                                     guint       id,
                                     gboolean    dropped);
/* Whether the server has all that could be sent. */
gboolean  ledger_is_all_processed   (Simulation  *self);
/* The session can't send a stanza, or does not know whether it has arrived. */
void      ledger_check_failed       (Simulation   *self,
                                     guint64       serial,
                                     const GError *error);
/* The client has read that the request is too large. */
void      ledger_note_refused       (Simulation *self,
                                     guint64     rid);
/* Checks that every stanza is delivered, of unknown fate, or unsent, as it should be. */
void      ledger_check_classes      (Simulation  *self);
void      ledger_note_maybe_sent          (Simulation *self,
                                           guint       n_stanzas);
/* The client has read that it should wait, or that it should repeat. */
void      ledger_note_retry_after   (Simulation *self,
                                     guint64     rid,
                                     int         seconds);
void      ledger_note_error         (Simulation *self,
                                     guint64     rid);
/* Nothing has to be waited for any more. */
void      ledger_forget_waiting     (Simulation  *self);
/* The client has read a good response. */
void      ledger_note_responded      (Simulation *self,
                                      guint64     rid);
/* The response to a pause request itself is no longer awaited, if the session says so. */
void      ledger_note_paused        (Simulation  *self);
/* Another session goes on. A response that was not handed out counts as missing. */
void      ledger_note_restored      (Simulation  *self);
void      ledger_clear_record       (Record      *record);

G_END_DECLS
