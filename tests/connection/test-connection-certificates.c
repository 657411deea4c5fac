/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Certificates of the server that can't be verified, and what the application makes of
 * them. */

#include "config.h"

#include "bosh-test-client.h"
#include "bosh-test-tls.h"
#include "bosh-test-wire.h"

/* Made once: openssl takes its time. */
static BoshTestTls *tls;

/* What a handler of accept-certificate does and sees. */
typedef struct
{
  BoshTestManager *manager;
  GThread *thread;
  GMainContext *context;        /* of the application; NULL for the default one */
  gboolean accepts;
  gboolean runs_loop;
  guint n_asked;
  GTlsCertificateFlags errors;  /* of the last certificate */
} Judge;

static gboolean
on_accept_certificate (BoshConnection       *connection,
                       GTlsCertificate      *certificate,
                       GTlsCertificateFlags  errors,
                       gpointer              user_data)
{
  Judge *judge = user_data;
  guint n_requests = bosh_test_manager_get_exchanges (judge->manager)->len;

  g_assert_true (g_thread_self () == judge->thread);
  g_assert_true (g_main_context_get_thread_default () == judge->context);
  if (judge->runs_loop)
    bosh_test_run_dry ();
  g_assert_cmpuint (bosh_test_manager_get_exchanges (judge->manager)->len, ==, n_requests);
  judge->n_asked++;
  judge->errors = errors;

  return judge->accepts;
}

static void
count_notification (GObject    *object,
                    GParamSpec *pspec,
                    gpointer    user_data)
{
  guint *count = user_data;

  (*count)++;
}

/* A connection over https that trusts the authority of the tests. */
static void
wire_init (BoshTestWire    *wire,
           BoshTestManager *manager)
{
  bosh_test_wire_init (wire, manager,
                       bosh_test_manager_configure_secure (manager,
                                                           "tls-database", tls->database,
                                                           NULL));
}

static void
judge_init (Judge           *judge,
            BoshTestWire    *wire,
            BoshTestManager *manager,
            gboolean         accepts)
{
  *judge = (Judge){
    .manager = manager,
    .thread = g_thread_self (),
    .context = g_main_context_get_thread_default (),
    .accepts = accepts,
  };
  g_signal_connect (wire->connection, "accept-certificate", G_CALLBACK (on_accept_certificate),
                    judge);
}

static void
assert_peer (BoshConnection       *connection,
             GTlsCertificate      *expected,
             GTlsCertificateFlags  expected_errors)
{
  g_autoptr(GTlsCertificate) certificate = NULL;
  GTlsCertificateFlags errors;

  g_object_get (connection,
                "tls-peer-certificate", &certificate,
                "tls-peer-certificate-errors", &errors,
                NULL);
  g_assert_true (certificate == bosh_connection_get_tls_peer_certificate (connection));
  g_assert_cmpuint (errors, ==, bosh_connection_get_tls_peer_certificate_errors (connection));

  g_assert_cmpuint (errors, ==, expected_errors);
  if (expected != NULL)
    g_assert_true (g_tls_certificate_is_same (certificate, expected));
  else
    g_assert_null (certificate);
}

static void
test_accepted (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (tls->untrusted);
  g_auto(BoshTestWire) wire = { NULL };
  BoshTestExchange *poll;
  BoshTestExchange *repeat;
  Judge judge;
  guint n_certificates = 0;
  guint n_errors = 0;

  g_test_summary ("R99 (XEP-0124 §19.1): a certificate that is accepted is so for the session, "
                  "through retransmissions and new sockets");

  wire_init (&wire, manager);
  judge_init (&judge, &wire, manager, TRUE);
  g_signal_connect (wire.connection, "notify::tls-peer-certificate",
                    G_CALLBACK (count_notification), &n_certificates);
  g_signal_connect (wire.connection, "notify::tls-peer-certificate-errors",
                    G_CALLBACK (count_notification), &n_errors);
  assert_peer (wire.connection, NULL, 0);

  poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  g_assert_cmpuint (judge.n_asked, ==, 1);
  g_assert_cmpuint (judge.errors, ==, G_TLS_CERTIFICATE_UNKNOWN_CA);
  assert_peer (wire.connection, tls->untrusted, G_TLS_CERTIFICATE_UNKNOWN_CA);

  for (guint i = 0; i < 2; i++)
    {
      bosh_test_exchange_reset (poll);
      repeat = bosh_test_manager_take (manager);
      g_assert_cmpuint (bosh_test_exchange_get_rid (repeat), ==,
                        bosh_test_exchange_get_rid (poll));
      g_assert_cmpuint (bosh_test_exchange_get_connection (repeat), !=,
                        bosh_test_exchange_get_connection (poll));
      poll = repeat;
    }
  bosh_test_exchange_respond (poll, "", BOSH_TEST_MESSAGE ("hello"));
  bosh_test_wire_receive (&wire, "hello");
  g_assert_cmpuint (judge.n_asked, ==, 1);
  g_assert_cmpuint (n_certificates, ==, 1);
  g_assert_cmpuint (n_errors, ==, 1);
}

static void
test_refused (void)
{
  const struct
  {
    GTlsCertificate *certificate;
    GTlsCertificateFlags errors;
  } cases[] = {
    { tls->untrusted, G_TLS_CERTIFICATE_UNKNOWN_CA },
    { tls->other_host, G_TLS_CERTIFICATE_BAD_IDENTITY },
    { tls->expired, G_TLS_CERTIFICATE_EXPIRED },
  };

  g_test_summary ("R100 (XEP-0124 §19.1): nothing is sent to a server whose certificate is not "
                  "accepted, by a handler or because there is none; the certificate and "
                  "its errors can be read");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      for (guint asks = 0; asks <= 1; asks++)
        {
          g_autoptr(BoshTestManager) manager = bosh_test_manager_new (cases[i].certificate);
          g_auto(BoshTestWire) wire = { NULL };
          Judge judge = { NULL };

          wire_init (&wire, manager);
          if (asks)
            judge_init (&judge, &wire, manager, FALSE);
          bosh_test_wire_fail (&wire, BOSH_ERROR, BOSH_ERROR_TLS);
          g_assert_cmpuint (judge.n_asked, ==, asks);
          if (asks)
            g_assert_cmpuint (judge.errors, ==, cases[i].errors);
          assert_peer (wire.connection, cases[i].certificate, cases[i].errors);
          bosh_test_run_dry ();
          g_assert_cmpuint (bosh_test_manager_get_exchanges (manager)->len, ==, 0);
        }
    }
}

static void
test_not_asked (void)
{
  g_autoptr(BoshTestManager) trusted = bosh_test_manager_new (tls->server);
  g_autoptr(BoshTestManager) plain = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) wire = { NULL };
  g_auto(BoshTestWire) plain_wire = { NULL };
  Judge judge;

  g_test_summary ("R98 (XEP-0124 §19.1): a certificate that can be verified is shown, and not "
                  "asked about; http has none");

  wire_init (&wire, trusted);
  judge_init (&judge, &wire, trusted, FALSE);
  bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  g_assert_cmpuint (judge.n_asked, ==, 0);
  assert_peer (wire.connection, tls->server, 0);

  bosh_test_wire_init (&plain_wire, plain, NULL);
  bosh_test_wire_open (&plain_wire, BOSH_TEST_GRANTS);
  assert_peer (plain_wire.connection, NULL, 0);
}

static void
test_another_later (void)
{
  const struct
  {
    GTlsCertificate *first;
    GTlsCertificate *second;
    GTlsCertificateFlags errors;  /* of the second */
  } cases[] = {
    { tls->untrusted, tls->expired, G_TLS_CERTIFICATE_EXPIRED },
    { tls->untrusted, tls->server, 0 },
    { tls->server, tls->untrusted, G_TLS_CERTIFICATE_UNKNOWN_CA },
  };

  g_test_summary ("R99, R100 (XEP-0124 §19.1): another certificate on a later connection is "
                  "refused without asking, and shown when the session has failed");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(BoshTestManager) manager = bosh_test_manager_new (cases[i].first);
      g_auto(BoshTestWire) wire = { NULL };
      BoshTestExchange *poll;
      Judge judge;
      guint n_asked;
      guint n_requests;

      wire_init (&wire, manager);
      judge_init (&judge, &wire, manager, TRUE);
      poll = bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
      n_asked = judge.n_asked;
      n_requests = bosh_test_manager_get_exchanges (manager)->len;

      bosh_test_manager_set_certificate (manager, cases[i].second);
      bosh_test_exchange_reset (poll);
      bosh_test_await (wire.n_closed == 1);
      g_assert_error (wire.close_error, BOSH_ERROR, BOSH_ERROR_TLS);
      g_assert_cmpuint (judge.n_asked, ==, n_asked);
      g_assert_cmpuint (bosh_test_manager_get_exchanges (manager)->len, ==, n_requests);
      assert_peer (wire.connection, cases[i].second, cases[i].errors);
    }
}

static void
test_several_handlers (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (tls->untrusted);
  g_auto(BoshTestWire) wire = { NULL };
  Judge judges[3];

  g_test_summary ("Handlers are asked until one of them accepts the certificate");

  wire_init (&wire, manager);
  for (guint i = 0; i < G_N_ELEMENTS (judges); i++)
    judge_init (&judges[i], &wire, manager, i > 0);
  bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
  g_assert_cmpuint (judges[0].n_asked, ==, 1);
  g_assert_cmpuint (judges[1].n_asked, ==, 1);
  g_assert_cmpuint (judges[2].n_asked, ==, 0);
}

static void
test_redirect (void)
{
  g_autoptr(BoshTestManager) first = bosh_test_manager_new (tls->untrusted);
  g_autoptr(BoshTestManager) second = bosh_test_manager_new (tls->untrusted);
  g_auto(BoshTestWire) wire = { NULL };
  g_autoptr(GAsyncResult) result = NULL;
  g_autofree char *uri = NULL;
  BoshTestExchange *exchange;
  Judge judge;

  g_test_summary ("R90, R99: where the session is sent to another address, its certificate is "
                  "asked about again");

  wire_init (&wire, first);
  judge_init (&judge, &wire, second, TRUE);
  bosh_connection_connect_async (wire.connection, NULL, bosh_test_keep_result, &result);
  uri = g_strdup_printf ("<uri>https://127.0.0.1:%u/</uri>", bosh_test_manager_get_port (second));
  bosh_test_exchange_respond (bosh_test_manager_take (first),
                              "type='terminate' condition='see-other-uri'", uri);
  exchange = bosh_test_manager_take (second);
  g_assert_cmpuint (judge.n_asked, ==, 2);
  bosh_test_exchange_respond (exchange, BOSH_TEST_GRANTS, "");
  bosh_test_wire_succeeds (&wire, &result, bosh_connection_connect_finish);
}

static void
test_handed_over (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (tls->untrusted);
  g_autoptr(BoshSavedSession) session = NULL;
  g_autoptr(GError) error = NULL;

  g_test_summary ("The next owner of a session is asked anew, and refuses where it has no handler");

  {
    g_auto(BoshTestWire) wire = { NULL };
    Judge judge;

    wire_init (&wire, manager);
    judge_init (&judge, &wire, manager, TRUE);
    bosh_test_wire_open (&wire, BOSH_TEST_GRANTS);
    session = bosh_connection_save (wire.connection, &error);
    g_assert_no_error (error);
  }

  for (guint asks = 0; asks <= 1; asks++)
    {
      g_auto(BoshTestWire) wire = { NULL };
      g_autoptr(GAsyncResult) result = NULL;
      Judge judge;

      wire_init (&wire, manager);
      if (asks)
        judge_init (&judge, &wire, manager, TRUE);
      bosh_connection_attach_async (wire.connection, session, NULL, bosh_test_keep_result, &result);
      if (!asks)
        {
          bosh_test_wire_fails (&wire, &result, bosh_connection_attach_finish,
                                BOSH_ERROR, BOSH_ERROR_TLS);
          continue;
        }
      bosh_test_exchange_respond (bosh_test_manager_take (manager), "", "");
      bosh_test_wire_succeeds (&wire, &result, bosh_connection_attach_finish);
      g_assert_cmpuint (judge.n_asked, ==, 1);
    }
}

/* --- Handlers may do anything --- */

typedef enum
{
  DISCONNECT,
  CANCEL,
  DROP,
  DROP_AND_RUN_LOOP,
  RUN_LOOP,
  N_ACTIONS
} Action;

typedef struct
{
  BoshConnection *connection;  /* NULL once it was dropped */
  gpointer alive;              /* the same, NULL at its end */
  GCancellable *cancellable;
  Action action;
  gboolean accepts;
  gboolean was_asked;
  guint n_pending;
  GError *error;               /* of connect_async () */
} Life;

static void
on_disconnected (GObject      *source_object,
                 GAsyncResult *result,
                 gpointer      user_data)
{
  Life *life = user_data;

  bosh_connection_disconnect_finish (BOSH_CONNECTION (source_object), result, NULL);
  life->n_pending--;
}

static void
on_connected (GObject      *source_object,
              GAsyncResult *result,
              gpointer      user_data)
{
  Life *life = user_data;

  bosh_connection_connect_finish (BOSH_CONNECTION (source_object), result, &life->error);
  life->n_pending--;
}

static gboolean
on_question (BoshConnection       *connection,
             GTlsCertificate      *certificate,
             GTlsCertificateFlags  errors,
             gpointer              user_data)
{
  Life *life = user_data;

  life->was_asked = TRUE;
  switch (life->action)
    {
    case DISCONNECT:
      life->n_pending++;
      bosh_connection_disconnect_async (connection, NULL, NULL, on_disconnected, life);
      break;
    case CANCEL:
      g_cancellable_cancel (life->cancellable);
      break;
    case DROP:
      g_clear_object (&life->connection);
      break;
    case DROP_AND_RUN_LOOP:
      g_clear_object (&life->connection);
      bosh_test_run_dry ();
      break;
    case RUN_LOOP:
      bosh_test_run_dry ();
      break;
    case N_ACTIONS:
    default:
      g_assert_not_reached ();
    }

  return life->accepts;
}

static void
live (Action   action,
      gboolean accepts)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (tls->untrusted);
  g_autoptr(BoshConnectionConfiguration) configuration =
    bosh_test_manager_configure_secure (manager, NULL);
  g_autoptr(GCancellable) cancellable = g_cancellable_new ();
  Life life = { .action = action, .accepts = accepts, .cancellable = cancellable };

  bosh_test_manager_set_automatic (manager, TRUE);
  life.connection = bosh_connection_new ("example.org", configuration);
  life.alive = life.connection;
  g_object_add_weak_pointer (G_OBJECT (life.connection), &life.alive);
  g_signal_connect (life.connection, "accept-certificate", G_CALLBACK (on_question), &life);
  life.n_pending = 1;
  bosh_connection_connect_async (life.connection, cancellable, on_connected, &life);
  bosh_test_await (life.was_asked);
  /* The operation keeps the connection that was dropped alive. */
  bosh_test_await (life.n_pending == 0);

  if (action == CANCEL)
    g_assert_error (life.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  else if (accepts)
    g_assert_no_error (life.error);
  else
    g_assert_error (life.error, BOSH_ERROR, BOSH_ERROR_TLS);
  if (!accepts)
    g_assert_cmpuint (bosh_test_manager_get_exchanges (manager)->len, ==, 0);

  g_clear_object (&life.connection);
  bosh_test_run_dry ();
  g_assert_null (life.alive);
  g_clear_error (&life.error);
}

static void
test_reentrancy (void)
{
  g_autoptr(BoshTestManager) other_manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) other = { NULL };

  g_test_summary ("A handler may end the session, drop the connection or run the main loop, in "
                  "the context of the application and in an inner one");

  for (guint is_inner = 0; is_inner <= 1; is_inner++)
    {
      if (is_inner)
        {
          /* The first connection of a context has no inner one. */
          bosh_test_wire_init (&other, other_manager, NULL);
          bosh_test_wire_open (&other, BOSH_TEST_GRANTS);
        }
      for (guint action = 0; action < N_ACTIONS; action++)
        {
          for (guint accepts = 0; accepts <= 1; accepts++)
            {
              g_test_message ("action %u, accepts %u, inner %u", action, accepts, is_inner);
              live (action, accepts);
            }
        }
    }
}

typedef struct
{
  BoshConnection *connection;
  gboolean has_fallen;
} Falling;

static gboolean
on_last_question (BoshConnection       *connection,
                  GTlsCertificate      *certificate,
                  GTlsCertificateFlags  errors,
                  gpointer              user_data)
{
  Falling *falling = user_data;

  falling->has_fallen = TRUE;
  g_object_run_dispose (G_OBJECT (connection));
  bosh_test_run_dry ();

  return TRUE;
}

static void
test_disposed (void)
{
  g_autoptr(BoshTestManager) manager = bosh_test_manager_new (tls->untrusted);
  g_autoptr(BoshConnectionConfiguration) configuration =
    bosh_test_manager_configure_secure (manager, NULL);
  g_autoptr(BoshTestManager) other_manager = bosh_test_manager_new (NULL);
  g_auto(BoshTestWire) other = { NULL };

  g_test_summary ("A connection that comes to its end in the handler sends nothing, though the "
                  "certificate was accepted");

  for (guint is_inner = 0; is_inner <= 1; is_inner++)
    {
      g_autoptr(BoshConnection) connection = bosh_connection_new ("example.org", configuration);
      Falling falling = { NULL };

      if (is_inner)
        {
          bosh_test_wire_init (&other, other_manager, NULL);
          bosh_test_wire_open (&other, BOSH_TEST_GRANTS);
        }
      g_signal_connect (connection, "accept-certificate", G_CALLBACK (on_last_question), &falling);
      bosh_connection_connect_async (connection, NULL, NULL, NULL);
      bosh_test_await (falling.has_fallen);
      bosh_test_run_dry ();
      g_assert_cmpuint (bosh_test_manager_get_exchanges (manager)->len, ==, 0);
    }
}

/* --- Threads --- */

static guint
open_thoughtfully (BoshTestWire    *wire,
                   BoshTestManager *manager)
{
  Judge judge;

  wire_init (wire, manager);
  judge_init (&judge, wire, manager, TRUE);
  judge.runs_loop = TRUE;
  bosh_test_wire_open (wire, BOSH_TEST_GRANTS);

  return judge.n_asked;
}

static gpointer
run_thread (gpointer user_data)
{
  g_autoptr(GMainContext) context = g_main_context_new ();
  guint *n_asked = user_data;

  g_main_context_push_thread_default (context);
  {
    g_autoptr(BoshTestManager) manager = bosh_test_manager_new (tls->untrusted);
    g_auto(BoshTestWire) first = { NULL };
    g_auto(BoshTestWire) second = { NULL };

    *n_asked += open_thoughtfully (&first, manager);
    /* This one has an inner context. */
    *n_asked += open_thoughtfully (&second, manager);
  }
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
test_thread (void)
{
  g_autoptr(GThread) thread = NULL;
  guint n_asked = 0;

  g_test_summary ("The application is asked in the thread and in the context of the connection, "
                  "and nothing is sent while it thinks");

  thread = g_thread_new ("application", run_thread, &n_asked);
  g_thread_join (g_steal_pointer (&thread));
  g_assert_cmpuint (n_asked, ==, 2);
}

int
main (int   argc,
      char *argv[])
{
  int status;

  g_test_init (&argc, &argv, NULL);
  tls = bosh_test_tls_new ();

  g_test_add_func ("/bosh/connection-certificates/accepted", test_accepted);
  g_test_add_func ("/bosh/connection-certificates/refused", test_refused);
  g_test_add_func ("/bosh/connection-certificates/not-asked", test_not_asked);
  g_test_add_func ("/bosh/connection-certificates/another-later", test_another_later);
  g_test_add_func ("/bosh/connection-certificates/several-handlers", test_several_handlers);
  g_test_add_func ("/bosh/connection-certificates/redirect", test_redirect);
  g_test_add_func ("/bosh/connection-certificates/handed-over", test_handed_over);
  g_test_add_func ("/bosh/connection-certificates/reentrancy", test_reentrancy);
  g_test_add_func ("/bosh/connection-certificates/disposed", test_disposed);
  g_test_add_func ("/bosh/connection-certificates/thread", test_thread);

  status = g_test_run ();
  bosh_test_tls_free (tls);

  return status;
}
