/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The state of a session, and what all parts of the machine do with it. Each file
 * calls only those below it:
 *   bosh-session-save.c       saves a session, and restores one
 *   bosh-session.c            the inputs of the owner, actions, getters
 *   bosh-session-plan.c       what to do next, and when
 *   bosh-session-compose.c    the requests
 *   bosh-session-responses.c  what comes back from the network
 *   bosh-session-streams.c    several streams in one session
 *   bosh-session-state.c      this
 *   bosh-window.c, bosh-outbox.c, bosh-key-sequence.c, bosh-body.c */

#pragma once

#include "bosh-key-sequence-private.h"
#include "bosh-outbox-private.h"
#include "bosh-session-types-private.h"
#include "bosh-window-private.h"

G_BEGIN_DECLS

/* The `ver` of Prosody, and of servers that were made from it. */
#define BOSH_PROSODY_VERSION "1.6"

/* One XMPP stream of the session. It is kept until the session is freed. */
struct _Stream
{
  char     *name;                      /* NULL: the only one, of a server without others */
  gboolean  closing;                   /* its end was asked for */
  guint64   close_serial;              /* the number of that order */
  gboolean  closed;
};

/* A restart of a stream that was asked for and is not sent yet. */
typedef struct
{
  Stream  *stream;
  char    *from;                       /* nullable */
  guint64  serial;
} Restart;

/* What the response to the creation request grants. Until then, `wait` and `hold`
 * are what is asked for. */
typedef struct
{
  char     *sid;                       /* NULL: there is no session yet */
  char     *version;                   /* NULL: a legacy connection manager */
  guint     wait;                      /* seconds */
  guint     hold;
  guint     requests;                  /* 0: unlimited */
  guint     inactivity;                /* seconds; 0: no limit known */
  guint     polling;                   /* seconds */
  guint     max_pause;                 /* seconds; 0: no pauses */
  gboolean  acknowledges;
  gboolean  sorts;                     /* certainly processes requests by their numbers */
  char     *accept;                    /* codings of requests, nullable */
  char     *charsets;                  /* nullable */
} Grants;

typedef struct
{
  guint     wanted;                    /* seconds; 0: no pause is asked for */
  guint64   rid;                       /* of the pause request that has no effect yet, or 0 */
  gint64    until;                     /* when to end the pause, or NEVER */
  gboolean  resume_wanted;
} Pause;

typedef struct
{
  gboolean  wanted;                    /* asked for, and not sent yet */
  gboolean  agreed;                    /* the server has ended the session as asked for */
  guint64   sent_before;               /* the serial of the last stanza before its request */
  gboolean  skipped;                   /* an earlier request never had its response */
  gint64    exceed_at;                 /* from when on it may exceed the window, or NEVER */
  gint64    responses_until;           /* how long other responses are awaited, or NEVER */
  gint64    give_up_at;                /* when to close without the server, or NEVER */
} Termination;

/* Whether the server was seen to hold requests, as it should. */
typedef enum
{
  HOLDING_UNKNOWN,
  HOLDING,
  HOLDING_NEVER,                       /* it returns at once what it should hold */
} Holding;

/* Changes of the network, after which all connections may lead nowhere. */
typedef struct
{
  gint64    changed_at;                /* the last change */
  gint64    probe_at;                  /* when to send again what is older than that, or NEVER */
  gint64    probed_at;                 /* when that was last done, or NEVER */
} Network;

struct _BoshSession
{
  /* What the owner asked for. */
  char             *domain;
  char             *route;
  char             *from;
  char             *language;
  char             *content;
  char             *uri;               /* nullable */
  guint             hops;              /* redirects that were followed */
  gboolean          use_acknowledgements;
  gboolean          compress_requests;
  gboolean          pause_on_detach;
  gboolean          use_key_sequence;
  guint             key_sequence_length;
  BoshKeySequence  *keys;              /* nullable */
  guint8            entropy[BOSH_SESSION_ENTROPY];
  guint             entropy_counter;   /* how often something was drawn */
  guint64           jitter;

  Grants            granted;
  BoshCoding        coding;            /* of requests */

  BoshSessionState  state;
  GError           *error;             /* why the session closed, nullable */
  GError           *reason;            /* why the client terminates it, nullable */

  BoshWindow        window;
  BoshOutbox        outbox;
  GQueue            restarts;          /* of Restart */
  guint64           last_restart;      /* the number of the last one */
  GPtrArray        *streams;           /* of Stream, the first at index 0 */
  GQueue            opening;           /* the numbers of requested streams without a name */
  GQueue            actions;           /* of BoshAction that were not drained */

  /* What the owner wants, beside stanzas. */
  Pause             pause;
  Termination       termination;
  gboolean          handing_over;
  gint64            hand_over_at;      /* when to hand over without waiting longer, or NEVER */
  gboolean          hastened;          /* delivery is awaited: get the server to respond */
  gboolean          reply_expected;    /* something will be queued soon, so don't poll */
  gint64            reply_expected_until;

  /* What was observed. */
  gint64            opened_at;
  gint64            last_contact;      /* the last good response, or when it was opened */
  gint64            last_new_at;       /* when the last new request was sent */
  gint64            round_trip;        /* the shortest, or NEVER */
  gint64            poll_at;           /* no poll before this, or NEVER */
  gsize             path_size;         /* of the largest request that has reached the server */
  gint64            path_patience;     /* for how long the path lets a request be held, or NEVER
                                        * if it has not cut any */
  guint             fast_empty;        /* polls in a row that returned empty at once */
  Holding           holding;
  guint             failures;          /* attempts in a row */
  guint             http_status;       /* of the last response, if it was not usable, or 0 */
  char             *see_other_uri;     /* the address that came with it last, nullable */
  Network           network;

  gint64            deadline;          /* when to plan again, or NEVER */
};

BoshSession *session_new              (const BoshSessionParameters *parameters);
void         session_free             (BoshSession                 *self);

BoshAction  *session_push_action      (BoshSession    *self,
                                       BoshActionType  type);
/* @stream: (nullable): its name; NULL is the first one */
void         session_push_payload     (BoshSession *self,
                                       BoshElement *element,
                                       const char  *stream);
void         session_set_state        (BoshSession      *self,
                                       BoshSessionState  state);
/* Ends the session. @error: (transfer full) (nullable) */
void         session_close            (BoshSession *self,
                                       GError      *error);

/* Whether the session was opened and has not ended. */
gboolean     session_is_live          (BoshSession                 *self);
/* The same for the owner, who gets the reason. */
gboolean     session_check_live       (BoshSession  *self,
                                       GError      **error);
/* Whether nothing of SASL is queued, or without a response: that may have a password,
 * and does not leave this session. */
gboolean     session_check_no_login   (BoshSession  *self,
                                       GError      **error);
/* Whether the server holds no requests (§12). */
gboolean     session_is_polling       (BoshSession                 *self);
/* Whether the server certainly processes requests by number, also if they overtook each
 * other; and whether it may drop a request that was overtaken, and respond to it all the
 * same. */
gboolean     session_server_sorts     (BoshSession                 *self);
gboolean     session_server_may_drop  (BoshSession                 *self);

/* From when on @request, which was written, is certainly held by a server that holds
 * requests, if it has no response. */
gint64       session_get_held_at      (BoshSession *self,
                                       Request     *request);

/* Hex text that can't be predicted, another one at each call. (transfer full) */
char        *session_draw             (BoshSession *self,
                                       const char  *purpose);
/* Begins with another request id. */
void         session_draw_rid         (BoshSession                 *self);
/* Chooses a coding of requests that both sides support. */
void         session_choose_coding    (BoshSession                 *self);

/* Bytes of the request may have reached the server. */
void         session_mark_maybe_sent  (BoshSession *self,
                                       Request     *request);
/* Closes the exchange of the request, if it is in flight. */
void         session_abandon          (BoshSession *self,
                                       Request     *request);
void         session_abandon_all      (BoshSession                 *self);
/* The session goes on without the stanza. @error: (transfer full) */
void         session_fail_stanza      (BoshSession *self,
                                       guint64      serial,
                                       GError      *error);
/* The server has all stanzas up to @serial. */
void         session_deliver_up_to    (BoshSession *self,
                                       guint64      serial);

G_END_DECLS
