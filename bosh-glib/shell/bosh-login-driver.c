/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-login-driver-private.h"

#include "bosh-connection-private.h"
#include "bosh-source-private.h"
#include "bosh-stanza-private.h"

/* The thread that computes has a reference of its own, so the login lives until
 * both the thread and the driver are done with it. */
typedef struct
{
  BoshLogin *login;
} LoginBox;

struct _BoshLoginDriver
{
  grefcount            ref_count;

  BoshConnection      *connection;
  BoshCredentials     *credentials;
  LoginBox            *box;
  const char          *mechanism;
  BoshLoginDriverDone  done;
  gpointer             user_data;

  /* While a thread computes it owns the login, and elements that arrive for the
   * login wait here. */
  gboolean             computing;
  GQueue               waiting;

  /* While the server is to say something. */
  GSource             *silence;
  GMainContext        *context;
  gint64               patience;

  gboolean             restarted;
  gboolean             draining;
  gboolean             stopped;
};

static void drain (BoshLoginDriver *self);

static void
clear_box (gpointer data)
{
  LoginBox *box = data;

  g_clear_pointer (&box->login, bosh_login_free);
}

static void
release_box (gpointer data)
{
  g_atomic_rc_box_release_full (data, clear_box);
}

static BoshLoginDriver *
driver_ref (BoshLoginDriver *self)
{
  g_ref_count_inc (&self->ref_count);
  return self;
}

static void
driver_unref (BoshLoginDriver *self)
{
  if (!g_ref_count_dec (&self->ref_count))
    return;

  bosh_source_clear (&self->silence);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_queue_clear_full (&self->waiting, (GDestroyNotify)bosh_element_unref);
  g_clear_pointer (&self->box, release_box);
  g_clear_pointer (&self->credentials, bosh_credentials_unref);
  g_clear_object (&self->connection);
  g_free (self);
}

static void
finish (BoshLoginDriver *self,
        const char      *jid,
        const GError    *error)
{
  if (self->stopped)
    return;

  self->stopped = TRUE;
  bosh_credentials_set_salted_password (self->credentials,
                                        jid != NULL ? bosh_login_get_salted_password (self->box->login)
                                                    : NULL);
  if (error == NULL)
    bosh_credentials_set_weakest (self->credentials, bosh_login_get_mechanism (self->box->login));
  bosh_connection_set_logging_in (self->connection, FALSE);
  bosh_connection_set_jid (self->connection, jid);
  self->done (jid, error, self->user_data);
}

static void
compute_in_thread (GTask        *task,
                   gpointer      source_object,
                   gpointer      task_data,
                   GCancellable *cancellable)
{
  LoginBox *box = task_data;

  bosh_login_compute (box->login);
  g_task_return_boolean (task, TRUE);
}

static void
on_computed (GObject      *source_object,
             GAsyncResult *result,
             gpointer      user_data)
{
  BoshLoginDriver *self = user_data;
  BoshElement *element;

  self->computing = FALSE;
  if (!self->stopped)
    {
      bosh_login_handle_computed (self->box->login);
      drain (self);
      while (!self->stopped && !self->computing &&
             (element = g_queue_pop_head (&self->waiting)) != NULL)
        {
          bosh_login_driver_handle_element (self, element);
          bosh_element_unref (element);
        }
      if (!self->computing)
        bosh_connection_set_reply_expected (self->connection, FALSE);
    }

  driver_unref (self);
}

static void
compute (BoshLoginDriver *self)
{
  g_autoptr(GTask) task = NULL;

  self->computing = TRUE;
  bosh_connection_set_reply_expected (self->connection, TRUE);

  task = g_task_new (NULL, NULL, on_computed, driver_ref (self));
  g_task_set_source_tag (task, compute);
  g_task_set_task_data (task, g_atomic_rc_box_acquire (self->box), release_box);
  g_task_run_in_thread (task, compute_in_thread);
}

static void
on_restarted (GObject      *source_object,
              GAsyncResult *result,
              gpointer      user_data)
{
  BoshLoginDriver *self = user_data;
  g_autoptr(GError) error = NULL;

  /* After a restart the server sends features, with which the login goes on. */
  if (!bosh_connection_restart_finish (self->connection, result, &error))
    finish (self, NULL, error);

  driver_unref (self);
}

static void
restart (BoshLoginDriver *self)
{
  /* XEP-0206 §5: after EXTERNAL, `from` says who restarts. */
  if (bosh_credentials_get_kind (self->credentials) == BOSH_SASL_CREDENTIALS_EXTERNAL &&
      bosh_credentials_get_username (self->credentials) != NULL)
    bosh_connection_set_jid (self->connection, bosh_credentials_get_username (self->credentials));

  self->restarted = TRUE;
  bosh_connection_restart_async (self->connection, NULL, on_restarted, driver_ref (self));
}

static void
carry_out (BoshLoginDriver *self,
           BoshLoginAction *action)
{
  g_autoptr(GError) error = NULL;

  switch (action->type)
    {
    case BOSH_LOGIN_ACTION_SEND:
      if (bosh_login_is_pipelined (self->box->login) && !self->restarted)
        bosh_connection_preconnect (self->connection);
      if (!bosh_connection_send (self->connection, action->element, &error))
        finish (self, NULL, error);
      break;
    case BOSH_LOGIN_ACTION_COMPUTE:
      compute (self);
      break;
    case BOSH_LOGIN_ACTION_RESTART:
      restart (self);
      break;
    case BOSH_LOGIN_ACTION_READY:
      finish (self, action->jid, NULL);
      break;
    case BOSH_LOGIN_ACTION_FAILED:
      finish (self, NULL, action->error);
      break;
    case BOSH_LOGIN_ACTION_FALL_BACK:
      finish (self, NULL, NULL);
      break;
    default:
      g_assert_not_reached ();
    }
}

/* A response that can't come because the server is out of reach is no silence. */
static gboolean
on_silence (gpointer user_data)
{
  BoshLoginDriver *self = user_data;

  if (bosh_connection_get_state (self->connection) == BOSH_CONNECTION_STATE_CONNECTED)
    bosh_login_fall_back (self->box->login);
  drain (self);

  return G_SOURCE_REMOVE;
}

/* Waits from now on, if the server is to say something. */
static void
watch_silence (BoshLoginDriver *self)
{
  bosh_source_clear (&self->silence);
  if (self->stopped || self->computing || !bosh_login_can_fall_back (self->box->login))
    return;

  self->silence = g_timeout_source_new ((guint)(self->patience / G_TIME_SPAN_MILLISECOND));
  g_source_set_static_name (self->silence, "[bosh] login silence");
  g_source_set_callback (self->silence, on_silence, self, NULL);
  g_source_attach (self->silence, self->context);
}

static void
drain (BoshLoginDriver *self)
{
  BoshLoginAction action = { 0 };

  if (self->draining)
    return;

  driver_ref (self);
  self->draining = TRUE;
  while (!self->stopped && !self->computing &&
         bosh_login_next_action (self->box->login, &action))
    {
      self->mechanism = bosh_login_get_mechanism (self->box->login);
      carry_out (self, &action);

      g_clear_pointer (&action.element, bosh_element_unref);
      g_clear_pointer (&action.jid, g_free);
      g_clear_error (&action.error);
    }
  self->draining = FALSE;
  watch_silence (self);
  driver_unref (self);
}

BoshLoginDriver *
bosh_login_driver_new (BoshConnection      *connection,
                       BoshCredentials     *credentials,
                       BoshLoginFlags       flags,
                       GMainContext        *context,
                       gint64               patience,
                       BoshLoginDriverDone  done,
                       gpointer             user_data)
{
  BoshLoginDriver *self = g_new0 (BoshLoginDriver, 1);
  BoshLoginParameters parameters = {
    .domain = bosh_connection_get_domain (connection),
    .credentials = bosh_credentials_get_kind (credentials),
    .username = bosh_credentials_get_username (credentials),
    .password = bosh_credentials_get_password (credentials),
    .salted_password = bosh_credentials_get_salted_password (credentials),
    .weakest = bosh_credentials_get_weakest (credentials),
    .resource = bosh_credentials_get_resource (credentials),
    .allow_plaintext = (flags & BOSH_LOGIN_ALLOW_PLAINTEXT) != 0 ||
                       bosh_connection_is_private (connection),
    .pipeline = (flags & BOSH_LOGIN_PIPELINE) != 0,
    .avoid_sasl2 = (flags & BOSH_LOGIN_AVOID_SASL2) != 0,
  };

  g_ref_count_init (&self->ref_count);
  self->connection = g_object_ref (connection);
  self->credentials = bosh_credentials_ref (credentials);
  self->box = g_atomic_rc_box_new0 (LoginBox);
  self->box->login = bosh_login_new (&parameters);
  self->context = g_main_context_ref (context);
  self->patience = patience;
  self->done = done;
  self->user_data = user_data;
  g_queue_init (&self->waiting);
  bosh_connection_set_logging_in (connection, TRUE);

  return self;
}

void
bosh_login_driver_stop (BoshLoginDriver *self)
{
  if (!self->stopped)
    bosh_connection_set_logging_in (self->connection, FALSE);
  self->stopped = TRUE;
  bosh_source_clear (&self->silence);
  if (self->computing)
    bosh_connection_set_reply_expected (self->connection, FALSE);
  driver_unref (self);
}

void
bosh_login_driver_handle_features (BoshLoginDriver *self,
                                   BoshElement     *features)
{
  /* No features belong between a challenge and the response to it. */
  if (self->stopped || self->computing)
    return;

  bosh_login_handle_features (self->box->login, features);
  drain (self);
}

gboolean
bosh_login_driver_handle_element (BoshLoginDriver *self,
                                  BoshElement     *element)
{
  gboolean is_ours;

  if (self->stopped)
    return FALSE;

  if (self->computing)
    {
      is_ours = bosh_element_is_sasl (element);
      if (is_ours)
        g_queue_push_tail (&self->waiting, bosh_element_ref (element));
      return is_ours;
    }

  is_ours = bosh_login_handle_element (self->box->login, element);
  drain (self);

  return is_ours;
}

BoshCredentials *
bosh_login_driver_get_credentials (BoshLoginDriver *self)
{
  return self->credentials;
}

const char *
bosh_login_driver_get_mechanism (BoshLoginDriver *self)
{
  return self->mechanism;
}
