/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <bosh-glib/bosh-glib.h>

G_BEGIN_DECLS

/* Alice and bob, logged in to a real server, who send each other messages of
 * random sizes as fast as they arrive, with a few under way at a time. Each that
 * arrives must be the next one, letter by letter; nobody's session may end. */
typedef struct _BoshTestPair BoshTestPair;

/* Both connect with @configuration. @window: messages under way each way. */
BoshTestPair   *bosh_test_pair_new             (BoshConnectionConfiguration *configuration,
                                                guint                        window,
                                                guint32                      seed);
/* Ends both sessions, and looks for what came after the last message. */
void            bosh_test_pair_free            (BoshTestPair                *self);

/* Lets each send @n_messages more, without waiting. */
void            bosh_test_pair_start           (BoshTestPair                *self,
                                                guint                        n_messages);
/* How many arrived, of both. */
guint           bosh_test_pair_get_n_received  (BoshTestPair                *self);
/* Waits until so many have arrived, of both; until all have. Aborts if none
 * arrives for minutes. */
void            bosh_test_pair_wait            (BoshTestPair                *self,
                                                guint                        n_received);
void            bosh_test_pair_finish          (BoshTestPair                *self);
/* Goes on for so long, whatever arrives. */
void            bosh_test_pair_go_on           (BoshTestPair                *self,
                                                double                       seconds);

/* Says what was done since the start, and returns how many requests were repeats. */
guint           bosh_test_pair_report          (BoshTestPair                *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshTestPair, bosh_test_pair_free)

G_END_DECLS
