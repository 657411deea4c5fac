/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the files of the session machine share, and nobody else sees:
 *   bosh-session.c          inputs of the owner, state, actions
 *   bosh-session-responses.c  what comes back from the network
 *   bosh-session-plan.c     what goes out next, and when
 *   bosh-session-streams.c  several streams in one session */

#pragma once

#include "bosh-body-private.h"
#include "bosh-key-sequence-private.h"
#include "bosh-session-private.h"

G_BEGIN_DECLS

#define MILLISECOND (G_GINT64_CONSTANT (1000))
#define SECOND (G_GINT64_CONSTANT (1000000))

/* No time set. */
#define NEVER (-1)

typedef enum
{
  REQUEST_EMPTY,
  REQUEST_PAYLOAD,
  REQUEST_CREATION,
  REQUEST_RESTART,
  REQUEST_PAUSE,
  REQUEST_TERMINATE,
  REQUEST_OPEN_STREAM,
  REQUEST_CLOSE_STREAM,
} RequestKind;

/* One XMPP stream of the session. Freed with the session only. */
typedef struct
{
  char     *name;              /* NULL: the first, where there are no others */
  gboolean  closing;           /* its end was asked for */
  guint64   order;             /* the number of that */
  gboolean  closed;
} Stream;

/* One request, from its first sending until its answer was handed out. Its
 * bytes never change: a repeat is an exact copy (XEP-0124 §14.3). */
typedef struct
{
  guint64           rid;
  RequestKind       kind;
  GBytes           *bytes;
  guint64           last_serial;   /* of the last stanza up to this request */
  gboolean          in_flight;
  gboolean          left;          /* bytes of it may have reached the server */
  gboolean          confirmed;     /* the server has it, answered or not */
  gboolean          overtakable;   /* nothing yet hints that it arrived */
  BoshCoding        coding;        /* of the last attempt */
  Stream           *stream;        /* RESTART, CLOSE_STREAM: which */
  guint64           order;         /* RESTART, OPEN_STREAM: its number */
  guint             attempts;
  gboolean          suspected;     /* was repeated because its silence was suspicious */
  gint64            doubted_at;    /* when a repeat of it was answered by nothing, or NEVER */
  guint             bad_responses;   /* that could not be used */
  gint64            sent_at;       /* of the last attempt */
  gint64            written_at;    /* of the last attempt, or NEVER */
  gint64            retry_at;      /* when to repeat it, or NEVER */
  gint64            suspect_at;    /* when its silence means a loss, or NEVER */
  BoshResponseBody *response;      /* waits for those before it, nullable */
} Request;

typedef enum
{
  ORDER_STANZA,
  ORDER_OPEN_STREAM,
  ORDER_CLOSE_STREAM,
} OrderKind;

/* What is queued: a stanza in general. */
typedef struct
{
  OrderKind    kind;
  BoshElement *element;            /* STANZA */
  Stream      *stream;             /* NULL: all of them */
  char        *to;                 /* OPEN_STREAM */
  char        *from;               /* OPEN_STREAM, nullable */
  guint64      serial;
  char        *xml;                /* NULL once it was sent */
  gsize        length;
} Stanza;

typedef struct
{
  Stream  *stream;
  char    *from;                   /* nullable */
  guint64  serial;
} Restart;

#define MAX_STREAMS 256

struct _BoshSession
{
  /* asked for */
  char             *domain;
  char             *route;
  char             *from;
  char             *language;
  char             *content;
  char             *uri;           /* nullable */
  guint             hops;          /* redirects that were followed */
  gboolean          use_acknowledgements;
  gboolean          compress_requests;
  gboolean          use_key_sequence;
  guint             key_sequence_length;
  gsize             max_payload_size;  /* of all payloads of one request */
  guint8            entropy[BOSH_SESSION_ENTROPY];
  guint             entropy_counter;

  /* granted */
  char             *sid;
  char             *version;       /* nullable: a legacy connection manager */
  guint             wait;
  guint             hold;
  guint             requests;
  guint             inactivity;    /* 0: no limit known */
  guint             polling;
  guint             max_pause;
  gboolean          acknowledges;
  char             *accept;        /* nullable */
  char             *charsets;      /* nullable */
  BoshCoding        coding;        /* of requests */

  BoshSessionState  state;
  GError           *error;         /* why it closed */
  GError           *reason;        /* why we terminate, nullable */

  /* requests */
  guint64           next_rid;
  GQueue            window;        /* of Request, by rid */
  GQueue            forgotten;     /* of Request that the server no longer knows, but has taken */
  BoshKeySequence  *keys;          /* nullable */

  /* stanzas */
  GQueue            queue;         /* of Stanza, not sent */
  GQueue            sent;          /* of Stanza, sent and not known to have arrived */
  guint64           last_serial;   /* queued last */
  guint64           last_restart;  /* asked for last */
  guint64           sent_serial;   /* sent last */
  guint64           left_serial;   /* bytes of which may have reached the server */
  guint64           delivered;     /* known to have arrived */

  GPtrArray        *streams;       /* of Stream, the first at first */
  GQueue            opening;       /* numbers of streams that have no name yet */
  GQueue            stranded;      /* of Stanza, whose stream was closed before they were sent */

  GQueue            actions;       /* of BoshAction */

  /* what the owner asked for and is not out yet */
  GQueue            restarts;      /* of Restart */
  guint             pause_wanted;  /* seconds */
  gboolean          terminate_wanted;
  Stanza           *last_stanza;   /* goes with the terminate request */
  gboolean          handing_over;
  gint64            hand_over_at;  /* when to hand over whatever is unanswered */
  gboolean          hastened;
  gboolean          reply_expected;
  gint64            reply_expected_until;
  gboolean          resume_wanted;

  /* pause */
  guint64           pause_rid;     /* 0: none under way */
  gint64            paused_until;

  /* timing */
  gint64            opened_at;
  gint64            last_contact;  /* the last good answer, or a first sending */
  gint64            round_trip;    /* the shortest seen, or NEVER */
  gint64            last_new_at;   /* when the last new request went out */
  gint64            poll_at;       /* not before this, or NEVER */
  gint64            changed_at;    /* when the network changed last */
  gint64            probe_at;      /* when to ask again for what went out before that, or NEVER */
  gint64            probed_at;     /* when that was done last, or NEVER */
  gboolean          ended;         /* the server agreed to our termination */
  gint64            terminate_at;  /* until when other answers are awaited after a terminate */
  gint64            exceed_at;     /* when a termination no longer waits for a free slot */
  gint64            give_up_at;    /* when a termination is no longer waited for */
  guint             fast_empty;    /* empty answers in a row that came at once */
  gboolean          never_holds;   /* the server answers at once what it ought to hold */
  guint             failures;      /* in a row */
  guint64           jitter;
  gint64            deadline;
};

/* bosh-session.c */
BoshAction *session_push_action     (BoshSession     *self,
                                     BoshActionType   type);
/* @stream: NULL for the first. */
void        session_push_payload    (BoshSession     *self,
                                     BoshElement     *element,
                                     const char      *stream);
void        session_set_state       (BoshSession     *self,
                                     BoshSessionState state);
void        session_close           (BoshSession     *self,
                                     GError          *error);
void        session_deliver_up_to   (BoshSession     *self,
                                     guint64          serial);
void        session_draw_rid        (BoshSession     *self);
char       *session_draw            (BoshSession     *self,
                                     const char      *purpose);
gboolean    session_is_live         (BoshSession     *self);
gboolean    session_is_polling      (BoshSession     *self);
Request    *session_find_request    (BoshSession     *self,
                                     guint64          rid);
guint       session_count_in_flight (BoshSession     *self);
/* Does the server put requests in order that overtook each other? */
gboolean    session_server_sorts    (BoshSession     *self);
void        session_remove_request  (BoshSession     *self,
                                     Request         *request);
/* It will not be answered; the answer to a later one tells of its stanzas. */
void        session_forget_request  (BoshSession     *self,
                                     Request         *request);
/* Bytes of the request may have reached the server. */
void        session_mark_left       (BoshSession     *self,
                                     Request         *request);
void        session_abandon         (BoshSession     *self,
                                     Request         *request);

/* Can the owner ask for something to be sent? */
gboolean    session_check_open      (BoshSession     *self,
                                     GError         **error);
gboolean    session_queue_stanza    (BoshSession     *self,
                                     BoshElement     *payload,
                                     Stream          *stream,
                                     guint64         *serial,
                                     GError         **error);
/* Takes @order and gives it its number. */
void        session_queue_order     (BoshSession     *self,
                                     Stanza          *order);
/* Its number. */
guint64     session_queue_restart   (BoshSession     *self,
                                     Stream          *stream,
                                     const char      *from);

/* bosh-session-responses.c */
void        session_repeat          (BoshSession     *self,
                                     Request         *request,
                                     gint64           at);
void        session_fail_attempt    (BoshSession     *self,
                                     Request         *request,
                                     const GError    *error,
                                     int              retry_after,
                                     gint64           now);
void        session_process_responses (BoshSession     *self,
                                     gint64           now);

/* Compression as both sides like it. */
void        session_choose_coding   (BoshSession     *self);

/* bosh-session-streams.c */
GPtrArray  *session_streams_new     (void);
Stream     *session_get_first_stream (BoshSession    *self);
Stream     *session_find_stream     (BoshSession     *self,
                                     const char      *name);
Stream     *session_add_stream      (BoshSession     *self,
                                     const char      *name);
gboolean    session_has_streams     (BoshSession     *self);
const char *session_get_stream_name (BoshSession     *self,
                                     Stream          *stream);
void        session_close_stream    (BoshSession     *self,
                                     Stream          *stream,
                                     GError          *error);
gboolean    session_is_end          (BoshSession     *self,
                                     BoshResponseBody *body);
gboolean    session_handle_stream_end (BoshSession   *self,
                                     BoshResponseBody *body);
Stream     *session_get_response_stream (BoshSession   *self,
                                     BoshResponseBody *body,
                                     gboolean        *known);

/* bosh-session-plan.c */
/* Does what is due, and lets the next request out if its time has come. TRUE if
 * actions were added; else self->deadline is when to ask again. */
gboolean    session_plan            (BoshSession     *self,
                                     gint64           now);

static inline gint64
earlier (gint64 a,
         gint64 b)
{
  if (a == NEVER)
    return b;
  if (b == NEVER)
    return a;

  return MIN (a, b);
}

G_END_DECLS
