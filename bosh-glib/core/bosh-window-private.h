/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-body-private.h"
#include "bosh-session-types-private.h"

G_BEGIN_DECLS

typedef struct _Stream Stream;

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

/* One request, from its first sending until its response was handed out. Its bytes
 * never change: a retransmission is an exact copy (XEP-0124 §14.3). */
typedef struct
{
  guint64           rid;
  RequestKind       kind;
  GBytes           *bytes;
  gboolean          is_secret;      /* it has an element of SASL */
  gsize             payload_length; /* bytes of the payloads in it */
  guint64           serial_before;  /* of the last stanza in an earlier request */
  guint64           last_serial;    /* of the last stanza in this request or an earlier one */
  gboolean          exposed;        /* an earlier attempt may have reached the server */
  gboolean          refused;        /* was too large for the path, and is empty now */
  gboolean          in_flight;
  gboolean          maybe_sent;     /* bytes of it may have reached the server */
  gboolean          confirmed;      /* the server has it, with or without a response */
  gboolean          overtakable;    /* nothing shows yet that it has arrived */
  gboolean          unproven;       /* nothing showed that when the next one was sent */
  BoshCoding        coding;         /* of the last attempt */
  Stream           *stream;         /* PAYLOAD, RESTART, CLOSE_STREAM: the stream meant */
  guint64           restart_serial; /* RESTART: the number of the restart */
  guint             attempts;
  gboolean          suspected;      /* it was sent again because its silence was suspicious */
  gint64            doubted_at;     /* when a retransmission had an empty response, or NEVER */
  guint             bad_responses;  /* unusable ones, and demands to send it again */
  gint64            sent_at;        /* of the last attempt */
  gint64            written_at;     /* of the last attempt, or NEVER */
  gint64            retry_at;       /* when to send it again, or NEVER */
  gint64            suspect_at;     /* from when on its silence means a loss, or NEVER */
  gint64            progress_at;    /* when bytes of the response came last, or NEVER */
  BoshResponseBody *response;       /* not handed out, as an earlier one is missing; nullable */
} Request;

/* The requests whose responses were not handed out, by request id, and the number of
 * the next one. The requests are changed by the session. */
typedef struct
{
  guint64           next_rid;
  GQueue            requests;       /* of Request, by rid */
  GQueue            forgotten;      /* of Request that the server took and will not respond to */
} BoshWindow;

void         bosh_window_init                 (BoshWindow  *self);
void         bosh_window_clear                (BoshWindow  *self);

/* Adds a request under the next number. @bytes: (transfer full) */
Request     *bosh_window_add                  (BoshWindow  *self,
                                               RequestKind  kind,
                                               GBytes      *bytes);
/* Adds a request that another owner of the session has sent. @bytes: (transfer full) */
Request     *bosh_window_add_restored         (BoshWindow  *self,
                                               guint64      rid,
                                               RequestKind  kind,
                                               GBytes      *bytes);
void         bosh_window_remove               (BoshWindow *self,
                                               Request    *request);
/* Removes a request that will have no response. It is kept until it is known that
 * its stanzas have arrived, if @delivered does not cover them yet. */
void         bosh_window_forget               (BoshWindow *self,
                                               Request    *request,
                                               guint64     delivered);
/* All stanzas up to @serial have arrived: drops the forgotten requests with them. */
void         bosh_window_release              (BoshWindow *self,
                                               guint64     serial);

/* These return NULL if there is no such request. */
Request     *bosh_window_find                 (BoshWindow *self,
                                               guint64     rid);
Request     *bosh_window_get_oldest           (BoshWindow  *self);
Request     *bosh_window_get_newest           (BoshWindow  *self);
Request     *bosh_window_get_next             (BoshWindow *self,
                                               Request    *request);

/* The requests without a handed out response, in flight or not. */
guint        bosh_window_get_n_requests       (BoshWindow  *self);
guint        bosh_window_get_n_in_flight      (BoshWindow  *self);
/* Whether a request that may have a password is kept. */
gboolean     bosh_window_has_secret           (BoshWindow  *self);
/* The last stanza of which bytes may be on their way just now, or 0. */
guint64      bosh_window_get_in_flight_serial (BoshWindow  *self);
/* The number up to which all responses have arrived in order (§9.2), or 0 if they
 * all have. */
guint64      bosh_window_get_ack              (BoshWindow  *self);
/* The lowest number that the server has certainly not seen. */
guint64      bosh_window_get_unused_rid       (BoshWindow  *self);

G_END_DECLS
