/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-test-manager.h"

G_BEGIN_DECLS

/* A connection to a scripted connection manager, with what it tells recorded. */
typedef struct
{
  BoshTestManager *manager;      /* not owned */
  BoshConnection  *connection;
  GQueue           stanzas;      /* of BoshElement, not yet taken */
  GString         *events;       /* words, separated by blanks */
  guint            n_closed;
  GError          *close_error;
} BoshTestWire;

/* @configuration is taken; NULL for one that leads to the manager. */
void              bosh_test_wire_init          (BoshTestWire                 *self,
                                                BoshTestManager              *manager,
                                                BoshConnectionConfiguration  *configuration);
/* Drops the connection, which must be the end of it. */
void              bosh_test_wire_clear         (BoshTestWire                 *self);

/* Opens the session by hand: the response to the creation request has @attributes;
 * the poll that follows is held and returned. */
BoshTestExchange *bosh_test_wire_open          (BoshTestWire                 *self,
                                                const char                   *attributes);
/* The same where the manager does it all by itself. */
void              bosh_test_wire_connect       (BoshTestWire                 *self);
/* Tries to open a session, which must fail with this error. */
void              bosh_test_wire_fail          (BoshTestWire                 *self,
                                                GQuark                        domain,
                                                int                           code);
/* Ends the session together with a manager that does it all by itself. */
void              bosh_test_wire_disconnect    (BoshTestWire                 *self);
/* Sends a message that must be accepted. */
void              bosh_test_wire_send          (BoshTestWire                 *self,
                                                const char                   *text);
/* Waits for the next stanza but features, which must be a message with this
 * body. */
void              bosh_test_wire_receive       (BoshTestWire                 *self,
                                                const char                   *text);
/* Compares the events, and forgets them: names of states, names of stanzas
 * with `<` before them, `closed`. */
void              bosh_test_wire_assert_events (BoshTestWire                 *self,
                                                const char                   *expected);
gboolean          bosh_test_wire_is            (BoshTestWire                 *self,
                                                BoshConnectionState           state);

/* A message as it is on the wire. */
#define BOSH_TEST_MESSAGE(text) \
  "<message xmlns='jabber:client'><body>" text "</body></message>"

/* Has the request exactly these messages in it? */
void              bosh_test_assert_messages    (BoshTestExchange             *exchange,
                                                const char                   *first,
                                                ...) G_GNUC_NULL_TERMINATED;

/* The error must be this one, with a message for people; it is freed. */
void              bosh_test_assert_failure     (GError                      **error,
                                                GQuark                        domain,
                                                int                           code);
/* The text of all that the operation @finish of the connection gave: TRUE, or
 * this error. */
typedef gboolean (*BoshTestFinish)             (BoshConnection               *connection,
                                                GAsyncResult                 *result,
                                                GError                      **error);
void              bosh_test_wire_succeeds      (BoshTestWire                 *self,
                                                GAsyncResult                **slot,
                                                BoshTestFinish                finish);
void              bosh_test_wire_fails         (BoshTestWire                 *self,
                                                GAsyncResult                **slot,
                                                BoshTestFinish                finish,
                                                GQuark                        domain,
                                                int                           code);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BoshTestWire, bosh_test_wire_clear)

G_END_DECLS
