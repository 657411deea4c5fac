/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A session on a virtual clock, with what it did recorded: for transcripts. */

#pragma once

#include "bosh-body-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-session-private.h"
#include "bosh-session-save-private.h"

G_BEGIN_DECLS

#define TEST_SECOND G_GINT64_CONSTANT (1000000)

/* What an ordinary connection manager grants. */
#define TEST_GRANTS "sid='s1' wait='60' hold='1' requests='2' inactivity='30' polling='5' ver='1.11'"

#define TEST_PROSODY_GRANTS "sid='s1' wait='60' hold='1' requests='2' inactivity='60' polling='5' ver='1.6'"
#define TEST_PROSODY_FEATURES "<stream:features xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'/>"

typedef struct
{
  BoshSession *session;
  gint64       now;
  GQueue       sends;       /* of BoshAction: SEND, not yet taken */
  GQueue       abandoned;   /* of guint64 */
  GPtrArray   *payloads;    /* of BoshElement */
  GPtrArray   *left_out;    /* of BoshElement */
  GString     *events;      /* names of the other actions, separated by blanks */
  guint64      delivered;
  GError      *error;       /* of CLOSED */
} TestSession;

void         test_session_init        (TestSession                 *self,
                                       const BoshSessionParameters *parameters);
void         test_session_clear       (TestSession                 *self);
/* The parameters of the tests: domain example.org, wait 60, hold 1. */
void         test_session_default     (BoshSessionParameters       *parameters);
/* Lets the session act now. */
void         test_session_drain       (TestSession                 *self);
/* Lets time pass, with all deadlines in it. */
void         test_session_advance     (TestSession *self,
                                       gint64       microseconds);
/* The next request that was sent, which must exist, as an element; it is
 * written at once. */
BoshElement *test_session_take        (TestSession *self,
                                       guint64     *rid);
/* The same as bytes. */
GBytes      *test_session_take_bytes  (TestSession *self,
                                       guint64     *rid);
gboolean     test_session_has_request (TestSession                 *self);
/* Responds with `<body …>content</body>`. */
void         test_session_respond      (TestSession *self,
                                        guint64      rid,
                                        const char  *attributes,
                                        const char  *content);
/* Responds with any status and text. */
void         test_session_respond_http (TestSession *self,
                                        guint64      rid,
                                        guint        status,
                                        const char  *text,
                                        int          retry_after);
void         test_session_fail        (TestSession *self,
                                       guint64      rid,
                                       BoshFailure  failure);
/* Opens the session by a response with @attributes; the poll that follows is
 * there to be taken. */
void         test_session_open        (TestSession *self,
                                       const char  *attributes);
/* The same on Prosody, which sorts requests and sends features. */
void         test_session_open_prosody (TestSession *self,
                                        const char  *attributes);
/* The same, with polls kept back for some seconds. */
void         test_session_open_quietly (TestSession *self,
                                        const char  *attributes);
void         test_session_queue       (TestSession *self,
                                       const char  *body);
void         test_session_attribute   (BoshElement *request,
                                       const char  *name,
                                       const char  *expected);
/* Forgets the recorded events after comparing them. */
void         test_session_events      (TestSession *self,
                                       const char  *expected);

G_END_DECLS
