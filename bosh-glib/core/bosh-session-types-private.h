/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The types in which a session and its owner talk: parameters, states, failures
 * and actions. */

#pragma once

#include "bosh-coding-private.h"
#include "bosh-element.h"

G_BEGIN_DECLS

typedef struct _BoshSession BoshSession;

#define BOSH_SESSION_ENTROPY 32

/* What to ask for when the session is created. The session copies everything. */
typedef struct
{
  const char *domain;
  const char *route;                /* nullable */
  const char *from;                 /* nullable */
  const char *language;             /* nullable */
  const char *content;              /* nullable */
  const char *uri;                  /* where requests go; NULL: no redirect is followed */
  guint       wait;                 /* seconds */
  guint       hold;
  gboolean    use_acknowledgements;
  gboolean    use_key_sequence;
  gboolean    compress_requests;    /* if the server accepts that */
  gboolean    pause_on_detach;      /* hand over with nothing open, where the server pauses */
  guint       key_sequence_length;  /* 0: some thousands, drawn from the entropy */
  gsize       max_request_size;     /* bytes */
  guint8      entropy[BOSH_SESSION_ENTROPY];  /* unpredictable, used for one session only */
} BoshSessionParameters;

typedef enum
{
  BOSH_SESSION_NEW,
  BOSH_SESSION_CREATING,   /* the creation request is in flight */
  BOSH_SESSION_ATTACHING,  /* a saved session is being resumed */
  BOSH_SESSION_OPEN,
  BOSH_SESSION_RETRYING,   /* open, but the server can't be reached */
  BOSH_SESSION_PAUSED,
  BOSH_SESSION_TERMINATING,
  BOSH_SESSION_DETACHED,
  BOSH_SESSION_CLOSED,
} BoshSessionState;

/* How an exchange failed. */
typedef enum
{
  /* No connection could be made; nothing was sent. */
  BOSH_FAILURE_UNREACHABLE,
  /* The connection broke before the response was complete. */
  BOSH_FAILURE_BROKEN,
  /* The response was over the limit. */
  BOSH_FAILURE_TOO_LARGE,
  /* The server can't be trusted, so nothing is sent to it again (XEP-0124 §19.1). */
  BOSH_FAILURE_UNTRUSTED,
} BoshFailure;

typedef enum
{
  BOSH_ACTION_SEND,          /* POST @bytes as the request @rid */
  BOSH_ACTION_ABANDON,       /* close the exchange of @rid, if there is one */
  BOSH_ACTION_PAYLOAD,       /* @element arrived: on the stream @text, or on the first if NULL */
  /* What arrived is too large, and left out: @element has its name, and the attributes by
   * which it can have a reply. It had @serial bytes, and @error says more. */
  BOSH_ACTION_LEFT_OUT,
  BOSH_ACTION_STATE,         /* the session has entered @state */
  BOSH_ACTION_OPENED,        /* the session was created, or attached to */
  BOSH_ACTION_REDIRECTED,    /* from now on, requests go to the URI @text */
  BOSH_ACTION_RESTARTED,     /* the restart @serial of the stream @text has its response */
  BOSH_ACTION_STREAM_OPENED, /* the stream requested as @serial is called @text */
  BOSH_ACTION_STREAM_CLOSED, /* the stream @text, or the one requested as @serial, has ended */
  BOSH_ACTION_PAUSED,        /* the pause is in force */
  BOSH_ACTION_DELIVERED,     /* the server has all stanzas up to @serial */
  BOSH_ACTION_STANZA_FAILED, /* the stanza @serial can't be sent, or may be lost: by @error */
  BOSH_ACTION_HANDED_OVER,   /* bosh_session_save() now gives what another owner needs */
  BOSH_ACTION_CLOSED,        /* the session has ended, by @error if that is set */
} BoshActionType;

typedef struct
{
  BoshActionType    type;
  guint64           rid;
  GBytes           *bytes;        /* (transfer full) */
  gboolean          repeated;     /* SEND: a retransmission of the same bytes */
  BoshCoding        coding;       /* SEND: how to compress them */
  gboolean          has_payload;  /* SEND: carries stanzas, so its response may be awaited */
  gboolean          is_secret;    /* SEND: @bytes may have a password */
  char             *text;         /* (transfer full) (nullable) */
  BoshElement      *element;      /* (transfer full) */
  guint64           serial;
  BoshSessionState  state;
  GError           *error;        /* (transfer full) (nullable) */
} BoshAction;

G_END_DECLS
