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
  X (HALF_RESPONSE, "network: half an answer")                                  \
  X (BLACK_HOLE_BEFORE, "network: request swallowed")                         \
  X (BLACK_HOLE_AFTER, "network: answer swallowed")                           \
  X (DUPLICATED, "network: request repeated by a proxy")                      \
  X (LATE_COPY, "network: copy of a request arrives late")                    \
  X (SLOW_REQUEST, "network: request delayed")                                \
  X (SLOW_RESPONSE, "network: answer delayed")                                  \
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
  X (REPEAT_FROM_CACHE, "server: repeat answered from the buffer")            \
  X (REPEAT_EMPTIES_OLD, "server: the held one is answered empty")            \
  X (HANGS, "server: hangs when overtaken")                                   \
  X (ONE_EARLY, "server: keeps one early request")                            \
  X (ECHO, "server: echo of a repeated request")                              \
  X (ECHO_PAYLOAD, "server: echo with the client's own stanzas")              \
  X (PAUSE_IGNORED, "server: pause never answered")                           \
  X (PAUSE_RESPONDED, "server: pause answered")                                \
  X (NOTICED_CLOSING, "server: notices a closed connection")                  \
  X (FORGOTTEN_HELD, "server: holds anew what it forgot with its connection") \
  X (FORGOTTEN_REFUSED, "server: refuses what it forgot with its connection") \
  X (ACK, "server: acknowledges")                                             \
  X (ODD_ACK, "server: odd acknowledgement")                                  \
  X (TRIMMED, "server: buffer trimmed by acknowledgements")                   \
  X (REPORT, "server: report of a lost answer")                               \
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
  X (REPLY, "client: reply out of a handler")                                 \
  X (REPLY_EXPECTED, "client: reply promised")                                \
  X (HASTEN, "client: hastens")                                               \
  X (PAUSE, "client: pause")                                                  \
  X (PAUSED, "client: pause in force")                                        \
  X (RESUME, "client: resume")                                                \
  X (RESTART, "client: restart")                                              \
  X (HAND_OVER, "client: hand-over")                                          \
  X (HAND_OVER_CANCELLED, "client: hand-over given up")                       \
  X (DETACH, "client: detach, and resume from the saved state")               \
  X (CRASH, "client: process restart")                                        \
  X (RESTORED_UNANSWERED, "client: restored with unanswered requests")        \
  X (RESTORED_UNSENT, "client: restored with unsent stanzas")                 \
  X (ATTACH_RETRIED, "client: attached again after a failure")                \
  X (TERMINATE, "client: terminate")                                          \
  X (TERMINATE_QUEUED, "client: terminate with stanzas queued")               \
  X (TERMINATE_PAYLOAD, "client: terminate with a last stanza")               \
  X (SERVER_TERMINATES, "end: by the server")                                 \
  X (SERVER_RESTARTS, "end: server restarted")                                \
  X (CREATION_FAILS, "end: creation fails")                                   \
  X (EXPIRES, "end: expired")                                                 \
  X (ABORTED, "end: aborted by the application")                              \
  X (UNDELIVERED, "end: stanzas of unknown fate")                             \
  X (UNSENT, "end: stanzas never sent")                                       \
  X (COMPLETE, "end: everything delivered, then terminated")

typedef enum
{
#define X(NAME, text) COVERAGE_##NAME,
  COVERAGE_LIST (X)
#undef X
  N_COVERAGE
} Coverage;

void     coverage_hit     (Coverage what);
/* Prints all counters as comments of TAP. */
void     coverage_print   (void);
/* Prints those that are zero; FALSE if there is one. */
gboolean coverage_is_full (void);

G_END_DECLS
