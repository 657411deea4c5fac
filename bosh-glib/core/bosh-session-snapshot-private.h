/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

/* A request whose response was not handed out. */
typedef struct
{
  guint64     rid;
  GBytes     *body;
  gboolean    has_payload;     /* that is not known to have arrived */
} BoshSnapshotRequest;

typedef struct
{
  char       *name;            /* NULL: the only stream, of a server that supports no others */
  gboolean    closed;
} BoshSnapshotStream;

/* The state of a session as plain data: what another process needs to go on with
 * it, and what an exporter may want to show. */
typedef struct
{
  char       *domain;
  char       *session_id;
  guint64     next_rid;        /* the first number that was never sent */
  GArray     *unanswered;      /* of BoshSnapshotRequest, by rid */
  GPtrArray  *unsent;          /* of BoshElement, in order */
  GPtrArray  *unsent_streams;  /* of nullable char *, one for each unsent stanza: NULL is the
                                * first stream, "" are all streams */
  GPtrArray  *received;        /* of BoshElement that arrived and were not handed out */
  GPtrArray  *received_streams; /* of nullable char *, one for each: NULL is the first stream */
  GArray     *streams;         /* of BoshSnapshotStream, the first at index 0 */
  guint       opening;         /* streams that were requested and have no name yet */
  char       *accept;          /* codings that the server accepts, nullable */
  char       *language;        /* nullable */
  char       *version;         /* `ver` of the connection manager, nullable */
  guint       wait;
  guint       hold;
  guint       requests;        /* 0: unlimited */
  guint       inactivity;      /* 0: no limit known */
  guint       polling;
  guint       max_pause;
  gboolean    acknowledges;    /* the server sends acknowledgements */
  gboolean    sorts;           /* the server certainly processes requests by number */
  gboolean    acknowledging;   /* the client sends acknowledgements */
  char       *key_seed;        /* NULL: no key sequence */
  guint       key_length;
  guint       key_position;
} BoshSessionSnapshot;

BoshSessionSnapshot *bosh_session_snapshot_new            (void);
void                 bosh_session_snapshot_free           (BoshSessionSnapshot       *self);
/* The number to send first: that of the oldest request without a response, or else
 * the next one. */
guint64              bosh_session_snapshot_get_first_rid  (const BoshSessionSnapshot *self);
void                 bosh_session_snapshot_add_unanswered (BoshSessionSnapshot *self,
                                                           guint64              rid,
                                                           GBytes              *body,
                                                           gboolean             has_payload);
void                 bosh_session_snapshot_add_unsent     (BoshSessionSnapshot *self,
                                                           BoshElement         *stanza,
                                                           const char          *stream);
void                 bosh_session_snapshot_add_received   (BoshSessionSnapshot *self,
                                                           BoshElement         *stanza,
                                                           const char          *stream);
void                 bosh_session_snapshot_add_stream     (BoshSessionSnapshot *self,
                                                           const char          *name,
                                                           gboolean             closed);

/* Whether @text is a cookie that can be saved: one line of text that is not empty. */
gboolean             bosh_session_is_cookie               (const char                *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshSessionSnapshot, bosh_session_snapshot_free)

G_END_DECLS
