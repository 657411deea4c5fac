/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Counts what a simulation has met, so that it can't silently stop testing
 * something. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define COVERAGE_LIST(X)                                                      \
  X (UNREACHABLE, "network: unreachable")                                     \
  X (RESET_BEFORE, "network: reset before the request arrived")               \
  X (RESET_AFTER, "network: reset after the request arrived")                 \
  X (HALF_RESPONSE, "network: half a response")                                \
  X (BLACK_HOLE_BEFORE, "network: request swallowed")                         \
  X (BLACK_HOLE_AFTER, "network: response swallowed")                         \
  X (DUPLICATED, "network: request repeated by a proxy")                      \
  X (LATE_COPY, "network: copy of a request arrives late")                    \
  X (SLOW_REQUEST, "network: request delayed")                                \
  X (SLOW_RESPONSE, "network: response delayed")                               \
  X (PROXY_STATUS, "proxy: an HTTP status of its own")                        \
  X (GATEWAY_TIMEOUT, "proxy: 504 though the request arrived")                \
  X (WEB_PAGE, "proxy: captive portal")                                       \
  X (EMPTY_RESPONSE, "proxy: 200 with nothing in it")                           \
  X (OUTAGE, "network: outage")                                               \
  X (BLACKOUT, "network: down for ever")                                      \
  X (NETWORK_NEWS, "network: news of its return")                             \
  X (OVERTAKEN, "network: a request overtook another")                        \
  X (REPEAT, "client: repeat")                                                \
  X (REPEAT_OF_HELD, "server: repeat of a request that is held")              \
  X (REPEAT_FROM_CACHE, "server: repeat served from the buffer")            \
  X (REPEAT_EMPTIES_OLD, "server: the held one is returned empty")            \
  X (HANGS, "server: hangs when overtaken")                                   \
  X (DROPS_OVERTAKEN, "server: drops what was overtaken")                     \
  X (UNCERTAIN, "client: says that a stanza may be lost")                     \
  X (PATH_CUTS, "proxy: less patient than wait")                              \
  X (PATH_REFUSES, "proxy: refuses a large body")                             \
  X (DIVIDED, "client: divides a request that was refused")                   \
  X (UNSENDABLE, "client: drops a stanza that is too large for the path")      \
  X (ONE_EARLY, "server: keeps one early request")                            \
  X (ECHO, "server: echo of a repeated request")                              \
  X (ECHO_PAYLOAD, "server: echo with the client's own stanzas")              \
  X (PAUSE_IGNORED, "server: no response to a pause")                        \
  X (PAUSE_RESPONDED, "server: response to a pause")                            \
  X (NOTICED_CLOSING, "server: notices a closed connection")                  \
  X (FORGOTTEN_HELD, "server: holds anew what it forgot with its connection") \
  X (FORGOTTEN_REFUSED, "server: refuses what it forgot with its connection") \
  X (ACK, "server: acknowledges")                                             \
  X (UNANNOUNCED_ACKS, "server: acknowledges, and does not announce it")      \
  X (ODD_ACK, "server: odd acknowledgement")                                  \
  X (TRIMMED, "server: buffer trimmed by acknowledgements")                   \
  X (REPORT, "server: report of a lost response")                            \
  X (RECOVERABLE, "server: recoverable error")                                \
  X (NEVER_HOLDS, "server: never holds")                                      \
  X (POLLING_ASKED, "session: polling, asked for")                            \
  X (POLLING_IMPOSED, "session: polling, imposed")                            \
  X (POLICED_POLLING, "session: polling, every request policed")              \
  X (NO_HOLD, "grant absent: hold")                                           \
  X (NO_REQUESTS, "grant absent: requests")                                   \
  X (NO_INACTIVITY, "grant absent: inactivity")                               \
  X (NO_POLLING, "grant absent: polling")                                     \
  X (NO_MAX_PAUSE, "grant absent: maxpause")                                  \
  X (NO_VERSION, "grant absent: ver")                                         \
  X (KEY, "keys: checked")                                                    \
  X (KEY_SWITCH, "keys: switched")                                            \
  X (STRICT_KEY, "keys: repeat refused, as by Punjab")                        \
  X (CLIENT_ACK, "client: acknowledges")                                      \
  X (BURST, "client: burst")                                                  \
  X (LARGE_STANZA, "client: large stanza")                                    \
  X (LEFT_OUT, "server: stanza that is too large")                            \
  X (PROGRESS, "network: part of a response")                                 \
  X (REPLY, "client: reply out of a handler")                                 \
  X (REPLY_EXPECTED, "client: reply promised")                                \
  X (HASTEN, "client: hastens")                                               \
  X (PAUSE, "client: pause")                                                  \
  X (PAUSED, "client: pause in force")                                        \
  X (RESUME, "client: resume")                                                \
  X (RESTART, "client: restart")                                              \
  X (HAND_OVER, "client: hand-over")                                          \
  X (HAND_OVER_PAUSED, "client: hand-over of a paused session")               \
  X (HAND_OVER_CANCELLED, "client: hand-over given up")                       \
  X (DETACH, "client: detach, and resume from the saved state")               \
  X (CRASH, "client: process restart")                                        \
  X (RESTORED_UNANSWERED, "client: restored with unanswered requests")        \
  X (RESTORED_UNSENT, "client: restored with unsent stanzas")                 \
  X (ATTACH_RETRIED, "client: attached again after a failure")                \
  X (TERMINATE, "client: terminate")                                          \
  X (TERMINATE_QUEUED, "client: terminate with stanzas queued")               \
  X (TERMINATE_DISTURBED, "client: terminate over a network with faults")     \
  X (TERMINATE_PAYLOAD, "client: terminate with a last stanza")               \
  X (SERVER_TERMINATES, "end: by the server")                                 \
  X (SERVER_RESTARTS, "end: server restarted")                                \
  X (CREATION_FAILS, "end: creation fails")                                   \
  X (EXPIRES, "end: expired")                                                 \
  X (ABORTED, "end: aborted by the application")                              \
  X (UNDELIVERED, "end: stanzas of unknown fate")                             \
  X (UNSENT, "end: stanzas never sent")                                       \
  X (COMPLETE, "end: everything delivered, then terminated")

/* The same for the simulation of a client. */
#define CLIENT_COVERAGE_LIST(X)                                               \
  X (CONNECT_FAILS, "world: server can't be reached")                         \
  X (CONNECT_HANGS, "world: creation never done")                             \
  X (NO_FEATURES, "world: no features")                                       \
  X (LOGIN_HANGS, "world: login never done")                                  \
  X (LOGIN_REFUSED, "world: first login refused")                             \
  X (CLIENT_OUTAGE, "world: network goes down")                               \
  X (CLIENT_SERVER_RESTARTS, "world: server goes down")                       \
  X (PASSING_REFUSALS, "world: something between refuses for a while")        \
  X (OTHER_CERTIFICATE, "failure: another certificate")                       \
  X (TEMPORARY, "failure: passes by itself")                                  \
  X (CONFLICT, "failure: conflict")                                           \
  X (CREDENTIALS, "failure: credentials")                                     \
  X (NEVER_READY, "session: ended before anybody was logged in")              \
  X (SHORT_SESSION, "session: lost soon")                                     \
  X (STABLE, "session: lost after it had lasted")                             \
  X (LOST_RESENDING, "session: lost while what waited was sent")              \
  X (LOST_HELD, "session: lost while what waited was held back")              \
  X (LOST_LEAVING, "session: lost while it was being ended")                  \
  X (CLIENT_UNDELIVERED, "session: lost with stanzas of unknown fate")        \
  X (REFUSED, "session: takes nothing any more")                              \
  X (CLIENT_ATTACHED, "session: taken up")                                    \
  X (DETACHED, "session: handed over")                                        \
  X (SHORT_DELAY, "attempt: after a short delay")                             \
  X (LONG_DELAY, "attempt: after a long delay")                               \
  X (HURRIED, "attempt: at once because of the network")                      \
  X (HURRIED_BEFORE, "attempt: not at once again because of the network")     \
  X (RETRY_NOW, "attempt: at once because a person asked")                    \
  X (OFFLINE, "attempt: failed offline")                                      \
  X (ATTEMPT_TIMEOUT, "attempt: took too long")                               \
  X (GIVEN_UP, "attempt: the last")                                           \
  X (CONNECT_RETRIED, "attempt: the first session could not be opened")       \
  X (REMEMBERED, "session: taken up, and the password is known")              \
  X (FEATURES_TIMEOUT, "connecting: took too long")                           \
  X (LOGIN_TIMEOUT, "login: took too long")                                   \
  X (QUEUED, "stanza: waits for a session")                                   \
  X (RESENT, "stanza: sent in the next session")                              \
  X (PREPARED, "session: prepared before what waits is sent")                 \
  X (HELD, "session: what waits is held back")                                \
  X (RELEASED, "session: what was held back is released")                     \
  X (HELD_TOO_LONG, "session: what was held back for too long is sent")       \
  X (ASKED, "loss: the application was asked")                                \
  X (SENT_AGAIN, "loss: what was unsent is sent again")                       \
  X (DROPPED, "loss: what was unsent is dropped")                             \
  X (REPEATED, "loss: what was undelivered is repeated")                      \
  X (TWICE, "stanza: received twice, as the application repeated it")         \
  X (STILL_WAITING, "stanza: waits at the end")                               \
  X (CANCELLED, "application: cancels")                                       \
  X (SWITCHED_OFF, "application: switches off while reconnecting")            \
  X (DISCONNECT_RECONNECTING, "application: disconnects while reconnecting")  \
  X (HANDLER, "application: a handler does something")                        \
  X (NESTED_EVENT, "application: something happens in a handler")             \
  X (NESTED_STEP, "application: a handler runs a main loop")                  \
  X (LONG_LIFE, "end: the application has enough")

typedef enum
{
#define X(NAME, text) COVERAGE_##NAME,
  COVERAGE_LIST (X)
    CLIENT_COVERAGE_LIST (X)
#undef X
      N_COVERAGE
} Coverage;

/* The lists, each of which belongs to a program. */
typedef enum
{
  SESSION_COVERAGE,
  CLIENT_COVERAGE,
} CoverageGroup;

void     coverage_hit     (Coverage      what);
/* Prints all counters as comments of TAP. */
void     coverage_print   (CoverageGroup group);
/* Prints those that are zero; FALSE if there is one. */
gboolean coverage_is_full (CoverageGroup group);

G_END_DECLS
