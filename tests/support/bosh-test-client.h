/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <bosh-glib/bosh-glib.h>

G_BEGIN_DECLS

/* Steps of a client against a real server, each run to its end in the
 * thread-default main context. All users have the password "secret". */

#define BOSH_TEST_NS_PING "urn:xmpp:ping"
#define BOSH_TEST_NS_ROSTER "jabber:iq:roster"
/* Nobody knows it. */
#define BOSH_TEST_NS_STRANGE "urn:example:strange"

/* The server to use: "prosody" or "ejabberd". */
void            bosh_test_set_server      (const char          *name);
gboolean        bosh_test_is_ejabberd     (void);
/* What servers/run-with.py says about the server: HTTP_URI, for instance. */
const char     *bosh_test_get_variable    (const char          *suffix);

/* Aborts where it takes too long. */
void            bosh_test_wait_until      (gboolean           (*done) (gpointer data),
                                           gpointer             data);
/* For wait_until(): is the `guint` more than 0? */
gboolean        bosh_test_is_nonzero      (gpointer             data);
/* What is ready to run. */
void            bosh_test_run_dry         (void);

/* A GAsyncReadyCallback that keeps the result in a GAsyncResult *, NULL until
 * then. */
void            bosh_test_keep_result     (GObject             *source_object,
                                           GAsyncResult        *result,
                                           gpointer             user_data);
GAsyncResult   *bosh_test_wait_for        (GAsyncResult       **slot);

/* Whether clients made from now on use a key sequence (XEP-0124 §15). */
void            bosh_test_set_use_keys    (gboolean             use_keys);
BoshConnectionConfiguration *
                bosh_test_new_configuration (void);
BoshClient     *bosh_test_new_client      (const char          *domain);
gboolean        bosh_test_connect         (BoshClient          *client,
                                           GError             **error);
gboolean        bosh_test_login           (BoshClient          *client,
                                           const char          *username,
                                           const char          *password,
                                           const char          *resource,
                                           GError             **error);
/* Connected and logged in, with a resource of its own. */
BoshClient     *bosh_test_new_ready       (const char          *domain,
                                           const char          *username);
void            bosh_test_disconnect      (BoshClient          *client);
/* Drops the client, which must be the end of it and of its connection. */
void            bosh_test_assert_gone     (BoshClient          *client);
/* Both. */
void            bosh_test_close           (BoshClient          *client);

BoshElement    *bosh_test_new_request     (const char          *to,
                                           const char          *name,
                                           const char          *ns);
BoshElement    *bosh_test_send_iq         (BoshClient          *client,
                                           BoshElement         *iq,
                                           int                  timeout,
                                           GError             **error);
void            bosh_test_send_message    (BoshClient          *client,
                                           const char          *to,
                                           const char          *body);

/* Handlers for `stanza` of a client and of a connection, with a GQueue. */
void            bosh_test_keep_stanza     (BoshClient          *client,
                                           BoshElement         *stanza,
                                           gpointer             user_data);
void            bosh_test_keep_element    (BoshConnection      *connection,
                                           BoshElement         *element,
                                           gpointer             user_data);
/* What arrives next in the queue. */
BoshElement    *bosh_test_next_stanza     (GQueue              *stanzas);
void            bosh_test_clear_stanzas   (GQueue              *stanzas);
void            bosh_test_assert_body     (BoshElement         *message,
                                           const char          *expected);

/* Handlers that count in a `guint`: for `notify`, for `closed`, and for
 * `iq-request`, which then never has a response. */
void            bosh_test_count_changes   (GObject             *object,
                                           GParamSpec          *pspec,
                                           gpointer             user_data);
void            bosh_test_count_closed    (BoshClient          *client,
                                           const GError        *error,
                                           gpointer             user_data);
gboolean        bosh_test_ignore_request  (BoshClient          *client,
                                           BoshElement         *request,
                                           gpointer             user_data);

G_END_DECLS
