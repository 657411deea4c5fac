/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-coding-private.h"
#include "bosh-element.h"
#include "bosh-http-response-private.h"

G_BEGIN_DECLS

/* The state machine of one BOSH session: XEP-0124 without I/O, clock or
 * randomness. Feed an input, drain the actions, ask for the deadline. Times are
 * microseconds of any clock that does not go backwards. */
typedef struct _BoshSession BoshSession;

#define BOSH_SESSION_ENTROPY 32

/* What is asked for at creation; everything is copied. */
typedef struct
{
  const char *domain;
  const char *route;                /* nullable */
  const char *from;                 /* nullable */
  const char *language;             /* nullable */
  const char *content;              /* nullable */
  const char *uri;                  /* where requests go; nullable: redirects end it */
  guint       wait;                 /* seconds */
  guint       hold;
  gboolean    use_acknowledgements;
  gboolean    use_key_sequence;
  gboolean    compress_requests;    /* where the server takes them */
  guint       key_sequence_length;  /* 0: thousands, drawn from the entropy */
  gsize       max_request_size;     /* bytes */
  guint8      entropy[BOSH_SESSION_ENTROPY];  /* unpredictable, never used before */
} BoshSessionParameters;

typedef enum
{
  BOSH_SESSION_NEW,
  BOSH_SESSION_CREATING,   /* the creation request is out */
  BOSH_SESSION_ATTACHING,  /* a handed-over session is being resumed */
  BOSH_SESSION_OPEN,
  BOSH_SESSION_RETRYING,   /* open, but the server can't be reached */
  BOSH_SESSION_PAUSED,
  BOSH_SESSION_TERMINATING,
  BOSH_SESSION_DETACHED,
  BOSH_SESSION_CLOSED,
} BoshSessionState;

typedef enum
{
  /* No connection was had: the request did not leave. */
  BOSH_FAILURE_UNREACHABLE,
  /* The connection broke before the answer was whole. */
  BOSH_FAILURE_BROKEN,
  /* The answer was over the limit. */
  BOSH_FAILURE_TOO_LARGE,
  /* The server can't be trusted: never repeated (XEP-0124 §19.1). */
  BOSH_FAILURE_UNTRUSTED,
} BoshFailure;

typedef enum
{
  BOSH_ACTION_SEND,         /* POST @bytes as @rid */
  BOSH_ACTION_ABANDON,      /* close the exchange @rid, if it is under way */
  BOSH_ACTION_PAYLOAD,      /* @element arrived, on the stream @text if that is set */
  BOSH_ACTION_STATE,        /* the session is in @state now */
  BOSH_ACTION_OPENED,       /* created, or attached */
  BOSH_ACTION_REDIRECTED,   /* requests go to the URI @text from here on */
  BOSH_ACTION_RESTARTED,    /* the restart @serial of the stream @text was answered */
  BOSH_ACTION_STREAM_OPENED, /* @text is what was asked for as @serial */
  BOSH_ACTION_STREAM_CLOSED, /* @text, or what was asked for as @serial, is over */
  BOSH_ACTION_PAUSED,       /* the pause is in force */
  BOSH_ACTION_DELIVERED,    /* the server has all stanzas up to @serial */
  BOSH_ACTION_STRANDED,     /* the stanza @serial can't be sent: its stream is closed */
  BOSH_ACTION_HANDED_OVER,  /* bosh_session_save() has what goes on elsewhere */
  BOSH_ACTION_CLOSED,       /* over, with @error, or without */
} BoshActionType;

typedef struct
{
  BoshActionType    type;
  guint64           rid;
  GBytes           *bytes;     /* owned by the receiver */
  gboolean          repeated;  /* SEND: these bytes were sent before */
  BoshCoding        coding;    /* SEND: how to compress them on the way */
  gboolean          has_payload;  /* SEND: somebody may wait for an answer */
  char             *text;      /* owned by the receiver, nullable */
  BoshElement      *element;   /* owned by the receiver */
  guint64           serial;
  BoshSessionState  state;
  GError           *error;     /* owned by the receiver, nullable */
} BoshAction;

/* What the session needs to go on elsewhere, and after that everything that an
 * exporter may want to tell. */
typedef struct
{
  guint64     rid;
  GBytes     *body;
  gboolean    has_payload;
} BoshSnapshotRequest;

typedef struct
{
  char       *name;            /* nullable: the first, and the only one that can be */
  gboolean    closed;
} BoshSnapshotStream;

typedef struct
{
  char       *domain;
  char       *session_id;
  guint64     next_rid;        /* the first number never sent */
  GArray     *unanswered;      /* of BoshSnapshotRequest, by rid */
  GPtrArray  *unsent;          /* of BoshElement, in order */
  GPtrArray  *unsent_streams;  /* of nullable char *, as many: NULL is the first
                                * stream, "" stands for all of them */
  GPtrArray  *received;        /* of BoshElement: arrived, and not handed out yet */
  GPtrArray  *received_streams; /* of nullable char *, as many: NULL is the first */
  GArray     *streams;         /* of BoshSnapshotStream, the first at first */
  guint       opening;         /* streams that were asked for and have no name yet */
  char       *accept;          /* codings that the server takes, nullable */
  char       *language;        /* nullable */
  char       *version;         /* `ver` of the server, nullable */
  guint       wait;
  guint       hold;
  guint       requests;        /* 0: unlimited */
  guint       inactivity;      /* 0: no limit known */
  guint       polling;
  guint       max_pause;
  gboolean    acknowledges;    /* the server sends acks */
  gboolean    acknowledging;   /* we send acks */
  char       *key_seed;        /* nullable: no key sequence */
  guint       key_length;
  guint       key_position;
} BoshSessionSnapshot;

BoshSessionSnapshot *bosh_session_snapshot_new         (void);
void              bosh_session_snapshot_free        (BoshSessionSnapshot            *self);
void              bosh_session_snapshot_add_unsent  (BoshSessionSnapshot            *self,
                                                  BoshElement                 *stanza,
                                                  const char                  *stream);
void              bosh_session_snapshot_add_received (BoshSessionSnapshot          *self,
                                                  BoshElement                 *stanza,
                                                  const char                  *stream);
void              bosh_session_snapshot_add_stream  (BoshSessionSnapshot            *self,
                                                  const char                  *name,
                                                  gboolean                     closed);
/* The number to send first: that of the oldest unanswered request, else the next. */
guint64           bosh_session_snapshot_get_first_rid (const BoshSessionSnapshot    *self);
void              bosh_session_snapshot_add_unanswered (BoshSessionSnapshot         *self,
                                                  guint64                      rid,
                                                  GBytes                      *body,
                                                  gboolean                     has_payload);

BoshSession      *bosh_session_new               (const BoshSessionParameters *parameters);
/* @parameters gives what the saved session lacks: entropy, limits. */
BoshSession      *bosh_session_new_from_saved    (const BoshSessionSnapshot      *saved,
                                                  const BoshSessionParameters *parameters);
void              bosh_session_free              (BoshSession                 *self);

/* Opens a new session, or resumes a saved one. */
void              bosh_session_open              (BoshSession                 *self,
                                                  gint64                       now);
/* Could it be queued in a session with this limit? It is sealed then. */
gboolean          bosh_session_check_payload     (BoshElement                 *payload,
                                                  gsize                        max_request_size,
                                                  GError                     **error);
/* Queues a stanza; it is sealed. @serial is its number for DELIVERED. Fails,
 * with nothing queued, where it can't be sent. */
gboolean          bosh_session_queue             (BoshSession                 *self,
                                                  BoshElement                 *payload,
                                                  guint64                     *serial,
                                                  GError                     **error);
/* Somebody waits for the delivery of what is queued: see to it that the server
 * answers soon. */
void              bosh_session_hasten            (BoshSession                 *self);
/* @from: the JID for a restart after EXTERNAL, nullable (XEP-0206 §5). */
gboolean          bosh_session_restart           (BoshSession                 *self,
                                                  const char                  *from,
                                                  GError                     **error);
/* Several streams (§16). Each operation fails with NOT_SUPPORTED where the server
 * offers no more than one. */
/* STREAM_OPENED, or STREAM_CLOSED, with @serial follows. */
gboolean          bosh_session_open_stream       (BoshSession                 *self,
                                                  const char                  *to,
                                                  const char                  *from,
                                                  guint64                     *serial,
                                                  GError                     **error);
/* STREAM_CLOSED with @serial follows. The last open stream takes the session
 * with it: then @serial is 0, and CLOSED follows. */
gboolean          bosh_session_close_stream      (BoshSession                 *self,
                                                  const char                  *name,
                                                  BoshElement                 *payload,
                                                  guint64                     *serial,
                                                  GError                     **error);
/* Queues for one stream, or for all that are open where @name is NULL. */
gboolean          bosh_session_queue_to          (BoshSession                 *self,
                                                  BoshElement                 *payload,
                                                  const char                  *name,
                                                  guint64                     *serial,
                                                  GError                     **error);
gboolean          bosh_session_restart_stream    (BoshSession                 *self,
                                                  const char                  *name,
                                                  guint64                     *serial,
                                                  GError                     **error);
/* Names of the open streams, the first at first; empty where there are no names. */
GStrv             bosh_session_dup_streams       (BoshSession                 *self);
gboolean          bosh_session_pause             (BoshSession                 *self,
                                                  guint                        seconds,
                                                  GError                     **error);
void              bosh_session_resume            (BoshSession                 *self);
gboolean          bosh_session_terminate         (BoshSession                 *self,
                                                  BoshElement                 *payload,
                                                  GError                     **error);
/* Stops at once; the next number. */
guint64           bosh_session_detach            (BoshSession                 *self);
/* Stops without loss: HANDED_OVER follows. */
gboolean          bosh_session_hand_over         (BoshSession                 *self,
                                                  GError                     **error);
/* The hand-over is given up; the session goes on. */
void              bosh_session_cancel_hand_over  (BoshSession                 *self);
/* The session as it is now: whoever goes on from there loses nothing, as long as
 * no request leaves after it. Nothing changes. The session must have an id. */
BoshSessionSnapshot *bosh_session_save              (BoshSession                 *self);
/* Can somebody go on from here? Not before the session has an id, nor when it
 * ends, was handed over or is at its end. */
gboolean          bosh_session_check_savable     (BoshSession                 *self,
                                                  GError                     **error);
/* Ends it here and now without a word to the server. */
void              bosh_session_abort             (BoshSession                 *self,
                                                  GError                      *error);
/* While TRUE no empty request is sent: the caller is about to queue something. */
void              bosh_session_set_reply_expected (BoshSession                *self,
                                                  gboolean                     expected);

void              bosh_session_handle_written    (BoshSession                 *self,
                                                  guint64                      rid,
                                                  gint64                       now);
void              bosh_session_handle_response   (BoshSession                 *self,
                                                  guint64                      rid,
                                                  const BoshHttpResponse        *answer,
                                                  gint64                       now);
/* @error says what failed; it is kept for the case that the session ends by it. */
void              bosh_session_handle_failure    (BoshSession                 *self,
                                                  guint64                      rid,
                                                  BoshFailure                  failure,
                                                  const GError                *error,
                                                  gint64                       now);
/* The network has changed: what waits is tried again now, and what is under way
 * is asked for again in a moment, as its connections may have gone. */
void              bosh_session_handle_network    (BoshSession                 *self,
                                                  gint64                       now);
/* The machine was asleep: the same, at once. */
void              bosh_session_handle_wake       (BoshSession                 *self,
                                                  gint64                       now);

/* Payloads come before requests, so that what a handler sends rides in the next
 * request. FALSE: there is nothing to do until the next input, or until @now
 * has reached the deadline. */
gboolean          bosh_session_next_action       (BoshSession                 *self,
                                                  BoshAction                  *action,
                                                  gint64                       now);
/* Whether that would give one. */
gboolean          bosh_session_has_action        (BoshSession                 *self,
                                                  gint64                       now);
/* When to drain the actions again without an input, or -1; asked for after
 * one of the two gave FALSE. */
gint64            bosh_session_get_deadline      (BoshSession                 *self);

BoshSessionState  bosh_session_get_state         (BoshSession                 *self);
const char       *bosh_session_get_id            (BoshSession                 *self);
guint64           bosh_session_get_last_rid      (BoshSession                 *self);
guint             bosh_session_get_wait          (BoshSession                 *self);
guint             bosh_session_get_hold          (BoshSession                 *self);
guint             bosh_session_get_requests      (BoshSession                 *self);
guint             bosh_session_get_inactivity    (BoshSession                 *self);
guint             bosh_session_get_polling       (BoshSession                 *self);
guint             bosh_session_get_max_pause     (BoshSession                 *self);
const char       *bosh_session_get_charsets      (BoshSession                 *self);
guint             bosh_session_get_n_queued      (BoshSession                 *self);
guint             bosh_session_get_n_in_flight   (BoshSession                 *self);
/* Sent, and not known to have arrived, in order. */
GPtrArray        *bosh_session_dup_undelivered   (BoshSession                 *self);
/* Queued, and never sent, in order. */
GPtrArray        *bosh_session_dup_unsent        (BoshSession                 *self);
/* The same without what is for other streams than the first. */
GPtrArray        *bosh_session_dup_unsent_on_first (BoshSession               *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshSession, bosh_session_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshSessionSnapshot, bosh_session_snapshot_free)

G_END_DECLS
