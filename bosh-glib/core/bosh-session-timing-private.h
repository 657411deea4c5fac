/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All times and counts by which a session decides, in the order in which a request
 * meets them. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define MILLISECOND (G_GINT64_CONSTANT (1000))
#define SECOND (G_GINT64_CONSTANT (1000000))

/* Points in time besides those of the clock: no time at all, and the past. */
#define NEVER (-1)
#define AT_ONCE 0

/* --- Before a request is sent --- */

/* How long a caller may keep polls back by promising a reply. */
#define REPLY_EXPECTED_FOR (10 * SECOND)

/* For how long a poll is kept back after stanzas were handed out, where the server must
 * not be overtaken. The owner often sends something in return, which takes the place of
 * the poll, and would have to wait for one that has just left. */
#define REPLY_WITHIN (5 * MILLISECOND)

/* No poll is kept back longer than this part of the inactivity limit. */
#define INACTIVITY_PART 2

/* An empty response that came sooner than this was not held. A server that returns
 * polls like that gets them ever more slowly, up to this delay. */
#define HELD_AT_LEAST (1 * SECOND)
#define FIRST_POLL_DELAY (100 * MILLISECOND)
#define MAX_POLL_DOUBLINGS 8
#define LONGEST_POLL_DELAY (5 * SECOND)

/* The interval between requests with stanzas in a polling session: that of ejabberd, which
 * ends the session for any request that comes sooner. §12 speaks of empty requests only. */
#define POLICED_INTERVAL (2 * SECOND)

/* By how much the transit of one request may differ from that of another. */
#define TRANSIT_SPREAD (500 * MILLISECOND)

/* A request that is larger than this, and than any that has passed, may be refused by a
 * proxy. That comes within this time, and until then no other stanzas follow it. */
#define SAFE_SIZE (16 * 1024)
#define REFUSED_WITHIN (1 * SECOND)

/* --- While it may still be on its way --- */

/* Between the writing of a request and the sending of the next one, as long as nothing
 * shows that the first has arrived: the longest, unless the server certainly sorts
 * requests. When a later request overtakes an earlier one, ejabberd responds to neither,
 * and a busy machine was seen to need more than the shortest. */
#define SHORTEST_GUARD (5 * MILLISECOND)
#define LONGEST_GUARD (100 * MILLISECOND)

/* The same between the last request of one owner of a session and the first of the
 * next owner, and between a retransmission and what follows it. A busy Prosody was
 * seen to read sockets in another order than they were written to. It responds on
 * the old one of two connections, and refuses a retransmission that comes late. */
#define CAREFUL_GUARD (250 * MILLISECOND)

/* --- While the server holds it --- */

/* A request that was in flight for so long before the next one was sent was held; but at
 * least for two of the shortest round trips, or four if the server was not seen to hold
 * any yet. */
#define PROVABLY_HELD (20 * MILLISECOND)

/* A server that knows a session holds its request. One that does not know it
 * responds within this time. */
#define ATTACHED_AFTER (1 * SECOND)

/* With more requests in flight than the server holds, it lets the oldest go at
 * once. If it does not, one of them was lost, or they overtook each other. Then the
 * oldest is sent again, but only once: if it was held and the other one is lost,
 * ejabberd responds to a second retransmission at once, and sends the next stanza
 * to the connection of the first one, which is closed. */
#define SUSPICION_AFTER (1500 * MILLISECOND)

/* How much longer than the granted `wait` a request may be without a response. */
#define SHORTEST_GRACE (10 * SECOND)
#define LONGEST_GRACE (30 * SECOND)
#define INACTIVITY_MARGIN (2 * SECOND)

/* The slowest upload that is not taken for a dead connection, in bytes a second. */
#define SLOWEST_UPLOAD 4096

/* A proxy may be less patient than the granted `wait`. After it has cut a request that was
 * held, no request is held for longer than this part of that time. What breaks sooner than
 * the shortest time, breaks for another reason. */
#define PATH_PATIENCE_PART(patience) ((patience)*3 / 4)
#define SHORTEST_PATH_PATIENCE (10 * SECOND)

/* --- When it has failed --- */

/* Between retransmissions of a request. */
#define FIRST_BACKOFF (500 * MILLISECOND)
#define MAX_BACKOFF_DOUBLINGS 10
#define LONGEST_BACKOFF (30 * SECOND)

/* After the limits of the server, so that the session is not given up before them. */
#define EXPIRY_SLACK (5 * SECOND)

/* Attempts to attach to a session, and to end one, while the server can't be reached. */
#define MAX_ATTACH_FAILURES 4
#define MAX_TERMINATE_ATTEMPTS 3

/* Unusable responses to one request; half a response looks like one, so there is
 * more than one chance. And how often the connection manager may ask for the same
 * request again (§17.3). */
#define MAX_BAD_RESPONSES 5
#define MAX_REPEATS_ASKED 5

/* After a change of the network until the new one works, and between two times that
 * everything in flight is sent again. */
#define NETWORK_SETTLES_WITHIN (500 * MILLISECOND)
#define PROBE_INTERVAL (10 * SECOND)

/* --- Pause, hand-over and end --- */

/* ejabberd never responds to a pause. One of which nothing is heard is sent again
 * after this time, and taken as in force when that was done so often. */
#define PAUSE_SETTLES_WITHIN (2 * SECOND)
#define MAX_PAUSE_ATTEMPTS 3

/* The end of a pause must be sent before the pause expires. */
#define PAUSE_MARGIN (5 * SECOND)

/* How long a pause that an earlier owner requested may last. */
#define RESTORED_PAUSE (30 * SECOND)

/* How long a hand-over waits for the server. */
#define HAND_OVER_WITHIN (10 * SECOND)

/* How long a termination waits for room in the window, for its response, for the
 * responses to other requests after that, and for everything. */
#define EXCEED_AFTER (2 * SECOND)
#define TERMINATE_PATIENCE (5 * SECOND)
#define OTHER_RESPONSES_WITHIN (500 * MILLISECOND)
#define GIVE_UP_AFTER (15 * SECOND)

/* The earlier of two times; one that is NEVER does not count. */
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

/* When both times have come: NEVER if one of them is NEVER. */
static inline gint64
later (gint64 a,
       gint64 b)
{
  if (a == NEVER || b == NEVER)
    return NEVER;

  return MAX (a, b);
}

G_END_DECLS
