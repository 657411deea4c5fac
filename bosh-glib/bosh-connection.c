/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-connection-internal.h"

#include "bosh-body-private.h"
#include "bosh-domain-private.h"
#include "bosh-enum-types.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"
#include "bosh-limits-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-saved-session-private.h"
#include "bosh-session-save-private.h"

/**
 * BoshConnection:
 *
 * A BOSH session: XMPP elements over HTTP (XEP-0124, XEP-0206).
 *
 * A connection carries elements, in order and each exactly once. It knows
 * nothing of accounts; [class@Bosh.Client] logs in over a connection.
 *
 * [method@Bosh.Connection.connect_async] opens a session. From then on
 * [signal@Bosh.Connection::stanza] is emitted for each element that arrives, and
 * [method@Bosh.Connection.send] sends one. All that is sent during one iteration
 * of the main loop shares a request. Requests that fail are sent again under
 * their own request ids; [property@Bosh.Connection:state] shows when the
 * connection manager can't be reached. When the session has ended,
 * [signal@Bosh.Connection::closed] is emitted, once. A closed connection can't be
 * opened again: make a new one.
 *
 * A session can outlive the connection: [method@Bosh.Connection.detach_async]
 * returns all that is needed to go on elsewhere.
 *
 * Everything happens in the thread-default main context that was current when
 * the connection was opened or attached: call all methods there. If the last
 * reference to an open connection is dropped, which may be done in any thread, the
 * connection manager is not notified, and drops the session after its time of
 * inactivity.
 *
 * Since: 1.0
 */

G_DEFINE_FINAL_TYPE (BoshConnection, bosh_connection, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_DOMAIN,
  PROP_CONFIGURATION,
  PROP_STATE,
  PROP_SESSION_ID,
  PROP_REQUEST_ID,
  PROP_FEATURES,
  PROP_WAIT,
  PROP_HOLD,
  PROP_REQUESTS,
  PROP_INACTIVITY,
  PROP_POLLING,
  PROP_MAX_PAUSE,
  PROP_CHARSETS,
  PROP_HTTP_STATUS,
  PROP_SEE_OTHER_URI,
  PROP_TLS_PEER_CERTIFICATE,
  PROP_TLS_PEER_CERTIFICATE_ERRORS,
  PROP_N_STANZAS_QUEUED,
  PROP_N_STANZAS_SENT,
  PROP_N_STANZAS_RECEIVED,
  PROP_N_STANZAS_LEFT_OUT,
  PROP_N_REQUESTS_SENT,
  PROP_N_REQUESTS_REPEATED,
  N_PROPS
};

enum
{
  SIGNAL_STANZA,
  SIGNAL_STANZA_LEFT_OUT,
  SIGNAL_CLOSED,
  SIGNAL_REQUEST_SENT,
  SIGNAL_RESPONSE_RECEIVED,
  SIGNAL_STREAM_STANZA,
  SIGNAL_STREAM_CLOSED,
  SIGNAL_ACCEPT_CERTIFICATE,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

/* --- What the session driver reports --- */

static BoshConnectionState
translate_state (BoshSessionState state)
{
  switch (state)
    {
    case BOSH_SESSION_CREATING:
    case BOSH_SESSION_ATTACHING:
      return BOSH_CONNECTION_STATE_CONNECTING;
    case BOSH_SESSION_OPEN:
      return BOSH_CONNECTION_STATE_CONNECTED;
    case BOSH_SESSION_RETRYING:
      return BOSH_CONNECTION_STATE_RETRYING;
    case BOSH_SESSION_PAUSED:
      return BOSH_CONNECTION_STATE_PAUSED;
    case BOSH_SESSION_TERMINATING:
      return BOSH_CONNECTION_STATE_DISCONNECTING;
    case BOSH_SESSION_DETACHED:
      return BOSH_CONNECTION_STATE_DETACHED;
    case BOSH_SESSION_CLOSED:
      return BOSH_CONNECTION_STATE_CLOSED;
    case BOSH_SESSION_NEW:
    default:
      return BOSH_CONNECTION_STATE_NEW;
    }
}

static void
notify (BoshConnection *self,
        guint           property)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

/* NULL if there is no client, or its last reference was dropped. */
static BoshHeldOwner *
hold_client (BoshConnection *self)
{
  return self->client != NULL ? bosh_owner_hold (self->client) : NULL;
}

static void
notify_http_status (BoshConnection *self)
{
  guint status = bosh_session_get_http_status (self->session);

  if (status == self->notified.http_status)
    return;

  self->notified.http_status = status;
  notify (self, PROP_HTTP_STATUS);
}

static void
notify_see_other_uri (BoshConnection *self)
{
  const char *uri = bosh_session_get_see_other_uri (self->session);

  if (g_strcmp0 (uri, self->notified.see_other_uri) == 0)
    return;

  g_free (self->notified.see_other_uri);
  self->notified.see_other_uri = g_strdup (uri);
  notify (self, PROP_SEE_OTHER_URI);
}

static void
notify_certificate (BoshConnection *self)
{
  GTlsCertificateFlags errors;
  GTlsCertificate *certificate = bosh_session_driver_get_peer_certificate (self->driver, &errors);
  gboolean has_other_errors = errors != self->tls_peer_certificate_errors;
  gboolean is_another = g_set_object (&self->tls_peer_certificate, certificate);
  g_autoptr(BoshHeldOwner) client = NULL;

  self->tls_peer_certificate_errors = errors;
  if (is_another)
    notify (self, PROP_TLS_PEER_CERTIFICATE);
  if (has_other_errors)
    notify (self, PROP_TLS_PEER_CERTIFICATE_ERRORS);
  if (is_another || has_other_errors)
    client = hold_client (self);
  if (client != NULL)
    self->client_funcs->certificate_changed (self->client_data);
}

static void
perform_state (BoshConnection   *self,
               BoshSessionState  state)
{
  g_autoptr(BoshHeldOwner) client = NULL;

  self->state = translate_state (state);
  /* Before the state, so that a handler of the end can show the certificate for which
   * the session has failed. */
  notify_certificate (self);
  notify (self, PROP_STATE);
  notify_http_status (self);
  notify_see_other_uri (self);
  client = hold_client (self);
  if (client != NULL)
    self->client_funcs->state_changed (self->client_data);
}

void
connection_notify_granted (BoshConnection *self)
{
  notify (self, PROP_SESSION_ID);
  for (guint property = PROP_WAIT; property <= PROP_CHARSETS; property++)
    notify (self, property);
}

static void
perform_opened (BoshConnection *self)
{
  g_autoptr(BoshHeldOwner) client = NULL;

  self->was_opened = TRUE;
  /* A session that is attached to had all of this before. */
  if (!bosh_pending_tasks_has (self->tasks, PENDING_ATTACH))
    connection_notify_granted (self);
  client = hold_client (self);
  if (client != NULL)
    self->client_funcs->opened (self->client_data);
  bosh_pending_tasks_succeed (self->tasks, PENDING_CONNECT);
  bosh_pending_tasks_succeed (self->tasks, PENDING_ATTACH);
}

static void
set_features (BoshConnection *self,
              BoshElement    *features)
{
  g_clear_pointer (&self->features, bosh_element_unref);
  if (features != NULL)
    self->features = bosh_element_ref (features);
  notify (self, PROP_FEATURES);
}

static void
perform_payload (BoshConnection *self,
                 BoshElement    *element,
                 const char     *stream)
{
  g_autoptr(BoshHeldOwner) client = NULL;

  self->n_stanzas_received++;
  if (stream != NULL)
    {
      g_signal_emit (self, signals[SIGNAL_STREAM_STANZA], 0, stream, element);
      return;
    }

  if (bosh_element_matches (element, "features", BOSH_NS_STREAMS))
    set_features (self, element);

  client = hold_client (self);
  if (client != NULL && self->client_funcs->element (element, self->client_data))
    return;

  /* A name that no handler asked for has no quark, because names from the network
   * are never interned. */
  g_signal_emit (self, signals[SIGNAL_STANZA],
                 g_quark_try_string (bosh_element_get_name (element)), element);
}

static void
perform_left_out (BoshConnection   *self,
                  const BoshAction *action)
{
  g_autoptr(BoshHeldOwner) client = hold_client (self);

  self->n_stanzas_left_out++;
  notify (self, PROP_N_STANZAS_LEFT_OUT);
  if (client != NULL && action->text == NULL)
    self->client_funcs->left_out (action->element, action->serial, action->error,
                                  self->client_data);
  g_signal_emit (self, signals[SIGNAL_STANZA_LEFT_OUT], 0,
                 bosh_element_get_name (action->element),
                 bosh_element_get_attribute (action->element, "from"),
                 bosh_element_get_attribute (action->element, "id"),
                 action->serial, action->error);
}

static void
perform_restarted (BoshConnection   *self,
                   const BoshAction *action)
{
  gboolean is_first = action->text == NULL;

  if (action->error != NULL)
    {
      if (is_first)
        bosh_pending_tasks_fail_one (self->tasks, PENDING_RESTART, 0, action->error);
      bosh_pending_tasks_fail_one (self->tasks, PENDING_RESTART_STREAM, action->serial,
                                   action->error);
      return;
    }

  if (is_first)
    {
      set_features (self, NULL);
      bosh_pending_tasks_succeed (self->tasks, PENDING_RESTART);
    }
  /* The first stream may have been restarted by its name, too. */
  bosh_pending_tasks_succeed_one (self->tasks, PENDING_RESTART_STREAM, action->serial);
}

static void
perform_stream_closed (BoshConnection   *self,
                       const BoshAction *action)
{
  /* The stream could not be opened, so it never had a name. */
  if (action->text == NULL)
    {
      bosh_pending_tasks_fail_one (self->tasks, PENDING_OPEN_STREAM, action->serial,
                                   action->error);
      return;
    }

  bosh_pending_tasks_succeed_one (self->tasks, PENDING_CLOSE_STREAM, action->serial);
  g_signal_emit (self, signals[SIGNAL_STREAM_CLOSED], 0, action->text, action->error);
}

static void
perform_delivered (BoshConnection *self,
                   guint64         serial)
{
  g_autoptr(BoshHeldOwner) client = hold_client (self);

  if (client != NULL)
    self->client_funcs->delivered (serial, self->client_data);
  bosh_pending_tasks_succeed_up_to (self->tasks, PENDING_DELIVER, serial);
}

static void
perform_stanza_failed (BoshConnection *self,
                       guint64         serial,
                       const GError   *error)
{
  g_autoptr(BoshHeldOwner) client = hold_client (self);

  if (client != NULL)
    self->client_funcs->stanza_failed (serial, error, self->client_data);
  bosh_pending_tasks_fail_one (self->tasks, PENDING_DELIVER, serial, error);
}

static void
perform_hand_over (BoshConnection *self)
{
  g_autoptr(BoshSavedSession) saved = connection_dup_saved (self);
  g_autoptr(GError) error = NULL;

  bosh_session_driver_stop (self->driver);
  bosh_pending_tasks_give (self->tasks, PENDING_DETACH, G_OBJECT (saved));

  error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_DETACHED, _("The session was handed over"));
  bosh_pending_tasks_fail (self->tasks, error);
}

/* What to look at first, for a person who has just entered an address, or NULL. */
static const char *
get_advice (const GError *error)
{
  if (g_error_matches (error, BOSH_ERROR, BOSH_ERROR_NOT_BOSH) ||
      g_error_matches (error, BOSH_ERROR, BOSH_ERROR_HTTP))
    return _("is this the address of the connection manager? Its path is often /http-bind or /bosh");
  if (g_error_matches (error, BOSH_ERROR, BOSH_ERROR_HOST_UNKNOWN) ||
      g_error_matches (error, BOSH_ERROR, BOSH_ERROR_IMPROPER_ADDRESSING))
    return _("is the domain right?");
  if (g_error_matches (error, BOSH_ERROR, BOSH_ERROR_TIMED_OUT) ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    return _("is the port right, and does the server run?");
  if (error->domain == G_RESOLVER_ERROR)
    return _("is the name of the host right, and is there a network?");

  return NULL;
}

/* The error of a session that could not be opened names the address, as it is at the
 * moment. */
static GError *
describe_failure (BoshConnection *self,
                  const GError   *error)
{
  g_autofree char *uri = bosh_session_driver_dup_uri (self->driver);
  const char *advice = get_advice (error);

  if (self->was_opened || uri == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return g_error_copy (error);
  if (advice == NULL)
    return g_error_new (error->domain, error->code, "%s: %s", uri, error->message);

  /* Translators: an address, what went wrong there, and advice. */
  return g_error_new (error->domain, error->code, _("%s: %s (%s)"), uri, error->message, advice);
}

static void
perform_close (BoshConnection *self,
               const GError   *cause)
{
  g_autoptr(BoshHeldOwner) client = NULL;
  g_autoptr(GError) reason = NULL;
  g_autoptr(GError) error = cause != NULL ? describe_failure (self, cause) : NULL;

  self->close_error = error != NULL ? g_error_copy (error) : NULL;
  bosh_session_driver_stop (self->driver);

  /* An end that was asked for is a success for those who asked, and a failure for
   * all others. */
  if (error == NULL)
    {
      bosh_pending_tasks_succeed (self->tasks, PENDING_DISCONNECT);
      bosh_pending_tasks_succeed (self->tasks, PENDING_CLOSE_STREAM);
    }
  reason = bosh_connection_dup_close_error (self);
  bosh_pending_tasks_fail (self->tasks, reason);

  client = hold_client (self);
  if (client != NULL)
    self->client_funcs->closed (error, self->client_data);
  g_signal_emit (self, signals[SIGNAL_CLOSED], 0, error);
}

static void
perform (const BoshAction *action,
         gpointer          owner)
{
  BoshConnection *self = owner;

  switch (action->type)
    {
    case BOSH_ACTION_PAYLOAD:
      perform_payload (self, action->element, action->text);
      break;
    case BOSH_ACTION_LEFT_OUT:
      perform_left_out (self, action);
      break;
    case BOSH_ACTION_STATE:
      perform_state (self, action->state);
      break;
    case BOSH_ACTION_OPENED:
      perform_opened (self);
      break;
    case BOSH_ACTION_RESTARTED:
      perform_restarted (self, action);
      break;
    case BOSH_ACTION_STREAM_OPENED:
      bosh_pending_tasks_give_text (self->tasks, PENDING_OPEN_STREAM, action->serial, action->text);
      break;
    case BOSH_ACTION_STREAM_CLOSED:
      perform_stream_closed (self, action);
      break;
    case BOSH_ACTION_PAUSED:
      bosh_pending_tasks_succeed (self->tasks, PENDING_PAUSE);
      break;
    case BOSH_ACTION_DELIVERED:
      perform_delivered (self, action->serial);
      break;
    case BOSH_ACTION_STANZA_FAILED:
      perform_stanza_failed (self, action->serial, action->error);
      break;
    case BOSH_ACTION_HANDED_OVER:
      perform_hand_over (self);
      break;
    case BOSH_ACTION_CLOSED:
      perform_close (self, action->error);
      break;
    case BOSH_ACTION_SEND:
    case BOSH_ACTION_ABANDON:
    case BOSH_ACTION_REDIRECTED:
    default:
      g_assert_not_reached ();
    }
}

static void
notify_count (BoshConnection *self,
              guint           property,
              guint64        *notified,
              guint64         value)
{
  if (value == *notified)
    return;

  *notified = value;
  notify (self, property);
}

static void
notify_queue (BoshConnection *self)
{
  guint n_queued = bosh_session_get_n_queued (self->session);

  /* The queue may be as long as before and have been longer since. */
  if (n_queued == self->notified.n_stanzas_queued &&
      self->n_stanzas_sent == self->notified.n_stanzas_sent)
    return;

  self->notified.n_stanzas_queued = n_queued;
  notify (self, PROP_N_STANZAS_QUEUED);
}

static void
changed (gpointer owner)
{
  BoshConnection *self = owner;

  notify_count (self, PROP_REQUEST_ID, &self->notified.request_id,
                bosh_session_get_last_rid (self->session));
  notify_http_status (self);
  notify_see_other_uri (self);
  notify_certificate (self);
  notify_queue (self);
  notify_count (self, PROP_N_STANZAS_SENT, &self->notified.n_stanzas_sent, self->n_stanzas_sent);
  notify_count (self, PROP_N_STANZAS_RECEIVED, &self->notified.n_stanzas_received,
                self->n_stanzas_received);
  notify_count (self, PROP_N_REQUESTS_SENT, &self->notified.n_requests_sent,
                bosh_session_driver_get_n_requests_sent (self->driver));
  notify_count (self, PROP_N_REQUESTS_REPEATED, &self->notified.n_requests_repeated,
                bosh_session_driver_get_n_requests_repeated (self->driver));
}

/* For a debug console; costs nothing if no handler is connected. */
static void
shown (BoshDirection  direction,
       GBytes        *body,
       gboolean       is_secret,
       gpointer       owner)
{
  BoshConnection *self = owner;
  guint signal = signals[direction == BOSH_DIRECTION_SENT ? SIGNAL_REQUEST_SENT
                                                          : SIGNAL_RESPONSE_RECEIVED];
  g_autofree char *text = NULL;

  if (!g_signal_has_handler_pending (self, signal, 0, FALSE))
    return;

  text = is_secret ? bosh_body_redact_secret (body) : bosh_body_redact (body);
  g_signal_emit (self, signal, 0, text);
}

static gboolean
accept_certificate (GTlsCertificate      *certificate,
                    GTlsCertificateFlags  errors,
                    gpointer              owner)
{
  BoshConnection *self = owner;
  g_autoptr(BoshHeldOwner) client = hold_client (self);
  gboolean is_accepted = FALSE;

  if (client != NULL)
    is_accepted = self->client_funcs->accept_certificate (certificate, errors, self->client_data);
  if (!is_accepted)
    g_signal_emit (self, signals[SIGNAL_ACCEPT_CERTIFICATE], 0, certificate, errors, &is_accepted);

  return is_accepted;
}

static const BoshSessionDriverCallbacks driver_callbacks = {
  .perform = perform,
  .changed = changed,
  .shown = shown,
  .accept_certificate = accept_certificate,
};

static void
on_task_cancelled (guint    kind,
                   gpointer user_data)
{
  BoshConnection *self = user_data;

  switch ((PendingKind)kind)
    {
    case PENDING_CONNECT:
    case PENDING_ATTACH:
    case PENDING_DISCONNECT:
      bosh_session_abort (self->session,
                          g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                               _("The operation was cancelled")));
      break;
    case PENDING_PAUSE:
      bosh_session_resume (self->session);
      break;
    case PENDING_DETACH:
      if (!bosh_pending_tasks_has (self->tasks, PENDING_DETACH))
        {
          bosh_session_cancel_hand_over (self->session);
          self->is_leaving = FALSE;
        }
      break;
    case PENDING_RESTART:
    case PENDING_DELIVER:
    case PENDING_OPEN_STREAM:
    case PENDING_CLOSE_STREAM:
    case PENDING_RESTART_STREAM:
    default:
      break;
    }

  bosh_session_driver_drain (self->driver);
}

/* --- What the operations share --- */

void
connection_take_session (BoshConnection *self,
                         BoshSession    *session)
{
  self->session = session;
  self->driver = bosh_session_driver_new (session, self->configuration, &driver_callbacks, self);
}

gboolean
connection_check_session (BoshConnection  *self,
                          GError         **error)
{
  if (self->session != NULL)
    return TRUE;

  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED,
                       _("There is no session yet"));

  return FALSE;
}

gboolean
connection_check_no_login (BoshConnection  *self,
                           GError         **error)
{
  if (!self->is_logging_in)
    return TRUE;

  g_set_error_literal (error, BOSH_ERROR, BOSH_ERROR_LOGGING_IN, _("A login is under way"));

  return FALSE;
}

BoshSavedSession *
connection_dup_saved (BoshConnection *self)
{
  g_autofree char *uri = bosh_session_driver_dup_uri (self->driver);
  g_auto(GStrv) cookies = bosh_session_driver_dup_cookies (self->driver);

  return bosh_saved_session_new_from_snapshot (uri, self->jid,
                                               bosh_session_save (self->session),
                                               (const char * const *)cookies);
}

gboolean
connection_begin_task (BoshConnection *self,
                       GTask          *task,
                       PendingKind     kind)
{
  gboolean is_opening = kind == PENDING_CONNECT || kind == PENDING_ATTACH;
  g_autoptr(GError) error = NULL;

  g_task_set_task_data (task, GUINT_TO_POINTER (kind), NULL);

  /* To cancel a disconnection is to end the session at once. */
  if (kind != PENDING_DISCONNECT && g_task_return_error_if_cancelled (task))
    return FALSE;

  if (is_opening && self->session != NULL)
    error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_FAILED,
                                 _("The connection was opened before"));
  else if (!is_opening)
    connection_check_session (self, &error);

  if (error == NULL)
    return TRUE;

  g_task_return_error (task, g_steal_pointer (&error));

  return FALSE;
}

void
connection_await (BoshConnection *self,
                  GTask          *task,
                  guint64         serial,
                  GError         *error)
{
  if (error != NULL)
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }

  bosh_pending_tasks_add (self->tasks, task, GPOINTER_TO_UINT (g_task_get_task_data (task)), serial,
                          bosh_session_driver_get_context (self->driver));
  bosh_session_driver_wake (self->driver);
}

gboolean
connection_finish_boolean (BoshConnection  *self,
                           GAsyncResult    *result,
                           gpointer         tag,
                           GError         **error)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, tag), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* --- The object --- */

static void
bosh_connection_constructed (GObject *object)
{
  BoshConnection *self = BOSH_CONNECTION (object);

  G_OBJECT_CLASS (bosh_connection_parent_class)->constructed (object);

  /* Without an address: opening fails. */
  if (self->configuration == NULL)
    self->configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION, NULL);
}

/* No signal is emitted, as an object that is disposed of has no handlers any more. Tasks
 * are only left if it was g_object_run_dispose(), because each has a reference. */
static void
end_silently (BoshConnection *self)
{
  g_autoptr(GError) reason = NULL;

  bosh_session_driver_stop (self->driver);
  bosh_session_abort (self->session, NULL);
  self->state = translate_state (bosh_session_get_state (self->session));
  reason = bosh_connection_dup_close_error (self);
  bosh_pending_tasks_fail (self->tasks, reason);
}

static void
bosh_connection_dispose (GObject *object)
{
  BoshConnection *self = BOSH_CONNECTION (object);

  /* Where the last reference is dropped in another thread, nothing is left but the driver,
   * and finalizing frees it in the thread of its context. */
  if (self->driver != NULL && bosh_session_driver_is_here (self->driver))
    end_silently (self);
  else if (self->driver != NULL && !bosh_session_driver_leave (self->driver))
    return;

  G_OBJECT_CLASS (bosh_connection_parent_class)->dispose (object);
}

static void
bosh_connection_finalize (GObject *object)
{
  BoshConnection *self = BOSH_CONNECTION (object);

  g_clear_pointer (&self->driver, bosh_session_driver_free);
  g_clear_pointer (&self->tasks, bosh_pending_tasks_free);
  g_clear_pointer (&self->client, bosh_owner_unref);
  g_clear_pointer (&self->features, bosh_element_unref);
  g_clear_object (&self->configuration);
  g_clear_error (&self->close_error);
  g_clear_object (&self->tls_peer_certificate);
  g_free (self->domain);
  g_free (self->jid);
  g_free (self->notified.see_other_uri);

  G_OBJECT_CLASS (bosh_connection_parent_class)->finalize (object);
}

static void
bosh_connection_get_property (GObject    *object,
                              guint       prop_id,
                              GValue     *value,
                              GParamSpec *pspec)
{
  BoshConnection *self = BOSH_CONNECTION (object);

  switch (prop_id)
    {
    case PROP_DOMAIN:
      g_value_set_string (value, bosh_connection_get_domain (self));
      break;
    case PROP_CONFIGURATION:
      g_value_set_object (value, bosh_connection_get_configuration (self));
      break;
    case PROP_STATE:
      g_value_set_enum (value, bosh_connection_get_state (self));
      break;
    case PROP_SESSION_ID:
      g_value_set_string (value, bosh_connection_get_session_id (self));
      break;
    case PROP_REQUEST_ID:
      g_value_set_uint64 (value, bosh_connection_get_request_id (self));
      break;
    case PROP_FEATURES:
      g_value_set_boxed (value, bosh_connection_get_features (self));
      break;
    case PROP_WAIT:
      g_value_set_uint (value, bosh_connection_get_wait (self));
      break;
    case PROP_HOLD:
      g_value_set_uint (value, bosh_connection_get_hold (self));
      break;
    case PROP_REQUESTS:
      g_value_set_uint (value, bosh_connection_get_requests (self));
      break;
    case PROP_INACTIVITY:
      g_value_set_uint (value, bosh_connection_get_inactivity (self));
      break;
    case PROP_POLLING:
      g_value_set_uint (value, bosh_connection_get_polling (self));
      break;
    case PROP_MAX_PAUSE:
      g_value_set_uint (value, bosh_connection_get_max_pause (self));
      break;
    case PROP_CHARSETS:
      g_value_set_string (value, bosh_connection_get_charsets (self));
      break;
    case PROP_HTTP_STATUS:
      g_value_set_uint (value, bosh_connection_get_http_status (self));
      break;
    case PROP_SEE_OTHER_URI:
      g_value_set_string (value, bosh_connection_get_see_other_uri (self));
      break;
    case PROP_TLS_PEER_CERTIFICATE:
      g_value_set_object (value, bosh_connection_get_tls_peer_certificate (self));
      break;
    case PROP_TLS_PEER_CERTIFICATE_ERRORS:
      g_value_set_flags (value, bosh_connection_get_tls_peer_certificate_errors (self));
      break;
    case PROP_N_STANZAS_QUEUED:
      g_value_set_uint (value, bosh_connection_get_n_stanzas_queued (self));
      break;
    case PROP_N_STANZAS_SENT:
      g_value_set_uint64 (value, bosh_connection_get_n_stanzas_sent (self));
      break;
    case PROP_N_STANZAS_RECEIVED:
      g_value_set_uint64 (value, bosh_connection_get_n_stanzas_received (self));
      break;
    case PROP_N_STANZAS_LEFT_OUT:
      g_value_set_uint64 (value, bosh_connection_get_n_stanzas_left_out (self));
      break;
    case PROP_N_REQUESTS_SENT:
      g_value_set_uint64 (value, bosh_connection_get_n_requests_sent (self));
      break;
    case PROP_N_REQUESTS_REPEATED:
      g_value_set_uint64 (value, bosh_connection_get_n_requests_repeated (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
bosh_connection_set_property (GObject      *object,
                              guint         prop_id,
                              const GValue *value,
                              GParamSpec   *pspec)
{
  BoshConnection *self = BOSH_CONNECTION (object);

  switch (prop_id)
    {
    case PROP_DOMAIN:
      if (g_value_get_string (value) != NULL)
        self->domain = bosh_domain_dup_prepared (g_value_get_string (value));
      break;
    case PROP_CONFIGURATION:
      self->configuration = g_value_dup_object (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

#define READABLE (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)
#define CONSTRUCT_ONLY (G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS)

static void
define_session_properties (void)
{
  /**
   * BoshConnection:domain:
   *
   * The XMPP domain of the session, without a localpart or a resource: `to` of
   * the first request (XEP-0124 §7.1). It need not be the host of the connection
   * manager, which the configuration names.
   *
   * It may be given as people type it: with capitals, an internationalised name in either
   * form, with a dot at the end. It reads back prepared (RFC 7622 §3.2), as `münchen.example` for
   * `XN--MNCHEN-3YA.example.`. What is no domain reads back as it was given, and opening
   * the connection fails with `BOSH_ERROR_INVALID_JID`.
   *
   * Since: 1.0
   */
  properties[PROP_DOMAIN] =
    g_param_spec_string ("domain", NULL, NULL, NULL, CONSTRUCT_ONLY);

  /**
   * BoshConnection:configuration:
   *
   * Where the connection manager is, and what to ask of it. Without an address
   * opening the connection fails with `BOSH_ERROR_INVALID_URI`.
   *
   * Since: 1.0
   */
  properties[PROP_CONFIGURATION] =
    g_param_spec_object ("configuration", NULL, NULL, BOSH_TYPE_CONNECTION_CONFIGURATION,
                         CONSTRUCT_ONLY);

  /**
   * BoshConnection:state:
   *
   * The state of the connection. It changes, and is notified, before the signals
   * and callbacks that belong to the change.
   *
   * Since: 1.0
   */
  properties[PROP_STATE] =
    g_param_spec_enum ("state", NULL, NULL, BOSH_TYPE_CONNECTION_STATE,
                       BOSH_CONNECTION_STATE_NEW, READABLE);

  /**
   * BoshConnection:session-id:
   *
   * The session id that the connection manager gave (XEP-0124 §7.2), or `NULL`
   * before it did. Anyone who knows it can take over the session, unless a key
   * sequence protects it. It is notified when the session is open, or begins to be
   * attached, with all that was granted.
   *
   * Since: 1.0
   */
  properties[PROP_SESSION_ID] =
    g_param_spec_string ("session-id", NULL, NULL, NULL, READABLE);

  /**
   * BoshConnection:request-id:
   *
   * The request id that was used last (XEP-0124 §14.1), or 0 before the first.
   *
   * A change is notified when the new request is complete, and before its first
   * byte leaves. This is the moment for [method@Bosh.Connection.save].
   *
   * Since: 1.0
   */
  properties[PROP_REQUEST_ID] =
    g_param_spec_uint64 ("request-id", NULL, NULL, 0, BOSH_MAX_RID, 0, READABLE);

  /**
   * BoshConnection:features:
   *
   * The `<stream:features/>` that arrived last, or `NULL` if none arrived since
   * the session was opened or the stream restarted (XEP-0206 §4).
   *
   * Since: 1.0
   */
  properties[PROP_FEATURES] =
    g_param_spec_boxed ("features", NULL, NULL, BOSH_TYPE_ELEMENT, READABLE);
}

static void
define_granted_properties (void)
{
  /**
   * BoshConnection:wait:
   *
   * The granted `wait`: how long the connection manager may hold a request, in
   * seconds (XEP-0124 §7.2). 0 before the session is open, and for a polling
   * session.
   *
   * Since: 1.0
   */
  properties[PROP_WAIT] =
    g_param_spec_uint ("wait", NULL, NULL, 0, G_MAXUINT, 0, READABLE);

  /**
   * BoshConnection:hold:
   *
   * The granted `hold`: how many requests the connection manager may keep waiting
   * at a time (XEP-0124 §7.2).
   *
   * Since: 1.0
   */
  properties[PROP_HOLD] =
    g_param_spec_uint ("hold", NULL, NULL, 0, G_MAXUINT, 0, READABLE);

  /**
   * BoshConnection:requests:
   *
   * The granted `requests`: how many requests may be open at a time, or 0 if the
   * connection manager names no limit (XEP-0124 §11).
   *
   * Since: 1.0
   */
  properties[PROP_REQUESTS] =
    g_param_spec_uint ("requests", NULL, NULL, 0, G_MAXUINT, 0, READABLE);

  /**
   * BoshConnection:inactivity:
   *
   * The time without a request after which the connection manager drops the
   * session, in seconds, or 0 if it names none (XEP-0124 §10).
   *
   * Since: 1.0
   */
  properties[PROP_INACTIVITY] =
    g_param_spec_uint ("inactivity", NULL, NULL, 0, G_MAXUINT, 0, READABLE);

  /**
   * BoshConnection:polling:
   *
   * The shortest time between two empty requests, in seconds, or 0 if the
   * connection manager names none (XEP-0124 §11, §12).
   *
   * Since: 1.0
   */
  properties[PROP_POLLING] =
    g_param_spec_uint ("polling", NULL, NULL, 0, G_MAXUINT, 0, READABLE);

  /**
   * BoshConnection:max-pause:
   *
   * The longest pause that the connection manager allows, in seconds, or 0 if it
   * allows none (XEP-0124 §10).
   *
   * Since: 1.0
   */
  properties[PROP_MAX_PAUSE] =
    g_param_spec_uint ("max-pause", NULL, NULL, 0, G_MAXUINT, 0, READABLE);

  /**
   * BoshConnection:charsets:
   *
   * The character sets that the connection manager understands beside UTF-8, as
   * it lists them, separated by spaces (XEP-0124 §7.2), or `NULL` if it gave no
   * list. This library writes UTF-8, which every connection manager understands.
   *
   * Since: 1.0
   */
  properties[PROP_CHARSETS] =
    g_param_spec_string ("charsets", NULL, NULL, NULL, READABLE);
}

static void
define_current_properties (void)
{
  /**
   * BoshConnection:http-status:
   *
   * The HTTP status of the last response, where that could not be used: 502 of a
   * proxy for instance, or 200 with a web page. 0 if there was none, and after a
   * response of the connection manager.
   *
   * It tells more of `BOSH_ERROR_HTTP` and `BOSH_ERROR_NOT_BOSH`, and of why
   * [property@Bosh.Connection:state] is `BOSH_CONNECTION_STATE_RETRYING`.
   *
   * Since: 1.0
   */
  properties[PROP_HTTP_STATUS] =
    g_param_spec_uint ("http-status", NULL, NULL, 0, G_MAXUINT, 0, READABLE);

  /**
   * BoshConnection:see-other-uri:
   *
   * The address that the connection manager named last with the condition
   * `see-other-uri` (XEP-0124 §17.2), or `NULL` if it named none.
   *
   * While a session is created the address is followed. Where it is not, the
   * session ends with `BOSH_ERROR_SEE_OTHER_URI`, and the application decides
   * whether to trust the address: it was not checked.
   *
   * Since: 1.0
   */
  properties[PROP_SEE_OTHER_URI] =
    g_param_spec_string ("see-other-uri", NULL, NULL, NULL, READABLE);

  /**
   * BoshConnection:tls-peer-certificate:
   *
   * The certificate of the connection manager, or `NULL` before the first TLS
   * handshake, and over http.
   *
   * All HTTP connections of a session show the same certificate (XEP-0124 §19.1).
   * Where the session has failed with `BOSH_ERROR_TLS` because of a certificate, this
   * is the one that was refused. It is not set yet while
   * [signal@Bosh.Connection::accept-certificate] is emitted, and remains when the
   * session has ended.
   *
   * Since: 1.0
   */
  properties[PROP_TLS_PEER_CERTIFICATE] =
    g_param_spec_object ("tls-peer-certificate", NULL, NULL, G_TYPE_TLS_CERTIFICATE, READABLE);

  /**
   * BoshConnection:tls-peer-certificate-errors:
   *
   * What is wrong with [property@Bosh.Connection:tls-peer-certificate]. There are
   * errors where the certificate was accepted by a handler of
   * [signal@Bosh.Connection::accept-certificate], or refused. A certificate without
   * errors is refused only if it is not the one that the session began with.
   *
   * Since: 1.0
   */
  properties[PROP_TLS_PEER_CERTIFICATE_ERRORS] =
    g_param_spec_flags ("tls-peer-certificate-errors", NULL, NULL, G_TYPE_TLS_CERTIFICATE_FLAGS,
                        0, READABLE);

  /**
   * BoshConnection:n-stanzas-queued:
   *
   * How many elements wait for a request that may carry them.
   *
   * A change is notified when the connection acts on it, which is after the call
   * that made it. The same is true of the other counts.
   *
   * Since: 1.0
   */
  properties[PROP_N_STANZAS_QUEUED] =
    g_param_spec_uint ("n-stanzas-queued", NULL, NULL, 0, G_MAXUINT, 0, READABLE);

  /**
   * BoshConnection:n-stanzas-sent:
   *
   * How many elements were accepted for sending.
   *
   * Since: 1.0
   */
  properties[PROP_N_STANZAS_SENT] =
    g_param_spec_uint64 ("n-stanzas-sent", NULL, NULL, 0, G_MAXUINT64, 0, READABLE);

  /**
   * BoshConnection:n-stanzas-received:
   *
   * How many elements arrived, those of a login included.
   *
   * Since: 1.0
   */
  properties[PROP_N_STANZAS_RECEIVED] =
    g_param_spec_uint64 ("n-stanzas-received", NULL, NULL, 0, G_MAXUINT64, 0, READABLE);

  /**
   * BoshConnection:n-stanzas-left-out:
   *
   * How many elements arrived that were too large to be handed out: see
   * [signal@Bosh.Connection::stanza-left-out].
   *
   * Since: 1.0
   */
  properties[PROP_N_STANZAS_LEFT_OUT] =
    g_param_spec_uint64 ("n-stanzas-left-out", NULL, NULL, 0, G_MAXUINT64, 0, READABLE);

  /**
   * BoshConnection:n-requests-sent:
   *
   * How many requests were sent, retransmissions included.
   *
   * Since: 1.0
   */
  properties[PROP_N_REQUESTS_SENT] =
    g_param_spec_uint64 ("n-requests-sent", NULL, NULL, 0, G_MAXUINT64, 0, READABLE);

  /**
   * BoshConnection:n-requests-repeated:
   *
   * How many requests were retransmissions of an earlier one (XEP-0124 §14.3).
   *
   * Since: 1.0
   */
  properties[PROP_N_REQUESTS_REPEATED] =
    g_param_spec_uint64 ("n-requests-repeated", NULL, NULL, 0, G_MAXUINT64, 0, READABLE);
}

static void
install_signals (GType type)
{
  /**
   * BoshConnection::stanza:
   * @self: the connection
   * @element: what arrived; it is immutable
   *
   * An element has arrived. The detail is its name: connect to
   * `stanza::message` for messages alone.
   *
   * What a handler sends goes out with the next request.
   *
   * Since: 1.0
   */
  signals[SIGNAL_STANZA] =
    g_signal_new ("stanza", type, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 1, BOSH_TYPE_ELEMENT);

  /**
   * BoshConnection::stanza-left-out:
   * @self: the connection
   * @name: the name of the element, `message` for instance, or `unknown`
   * @from_jid: (nullable): its `from`, or `NULL` if it has none that could be read
   * @id: (nullable): its `id`, or `NULL` if it has none that could be read
   * @size: bytes of its XML
   * @reason: `BOSH_ERROR_TOO_LARGE`, with what is too large
   *
   * An element has arrived that is over a limit, and was left out as a whole. What came
   * with it, and what comes later, is handed out, so no contact can end the session by
   * what the server lets through. [property@Bosh.Connection:n-stanzas-left-out] counts
   * these elements.
   *
   * Since: 1.0
   */
  signals[SIGNAL_STANZA_LEFT_OUT] =
    g_signal_new ("stanza-left-out", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 5, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_UINT64,
                  G_TYPE_ERROR);

  /**
   * BoshConnection::closed:
   * @self: the connection
   * @error: (nullable): why, or `NULL` if the application ended the session
   *
   * The session has ended. The operations that waited have failed before. It is
   * not emitted for a session that was handed over.
   *
   * Since: 1.0
   */
  signals[SIGNAL_CLOSED] =
    g_signal_new ("closed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 1, G_TYPE_ERROR);

  /**
   * BoshConnection::request-sent:
   * @self: the connection
   * @body: the text of the request
   *
   * A request is sent: for a debug console. The content of SASL elements is left
   * out; the session id and the keys are not. Of what is longer than 64 KiB, the
   * beginning is shown.
   *
   * Since: 1.0
   */
  signals[SIGNAL_REQUEST_SENT] =
    g_signal_new ("request-sent", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 1, G_TYPE_STRING);

  /**
   * BoshConnection::response-received:
   * @self: the connection
   * @body: the text of the response
   *
   * An HTTP response has arrived, and nothing in it was acted on yet: for a
   * debug console. The content of SASL elements is left out. Of what is longer than
   * 64 KiB, the beginning is shown.
   *
   * Since: 1.0
   */
  signals[SIGNAL_RESPONSE_RECEIVED] =
    g_signal_new ("response-received", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 1, G_TYPE_STRING);

  /**
   * BoshConnection::stream-stanza:
   * @self: the connection
   * @stream: the name of the stream
   * @element: what arrived; it is immutable
   *
   * An element has arrived on another stream than the first (XEP-0124 §16.4).
   * [signal@Bosh.Connection::stanza] is emitted for those of the first.
   *
   * Since: 1.0
   */
  signals[SIGNAL_STREAM_STANZA] =
    g_signal_new ("stream-stanza", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 2, G_TYPE_STRING, BOSH_TYPE_ELEMENT);

  /**
   * BoshConnection::stream-closed:
   * @self: the connection
   * @stream: the name of the stream
   * @error: (nullable): why, or `NULL` if the application closed the stream
   *
   * A stream has ended, the first or another, and the session goes on with the
   * others (XEP-0124 §16.5, §16.6). What was queued for it and not sent is among
   * [method@Bosh.Connection.dup_unsent].
   *
   * Since: 1.0
   */
  signals[SIGNAL_STREAM_CLOSED] =
    g_signal_new ("stream-closed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_ERROR);

  /**
   * BoshConnection::accept-certificate:
   * @self: the connection
   * @certificate: the certificate of the connection manager
   * @errors: what is wrong with it
   *
   * The certificate of the connection manager can't be verified, and nothing was sent
   * there yet. The handlers decide, as with
   * [signal@Gio.TlsConnection::accept-certificate]; where none is connected, the
   * certificate is refused.
   *
   * The decision holds for the life of the session (XEP-0124 §19.1): later HTTP
   * connections with the same certificate are treated likewise without another
   * emission, and those with any other are refused. It is asked again only where the
   * connection manager sends the session to another address, and by the next owner
   * of a session that was handed over.
   *
   * The handshake waits for the handlers. One that has to ask the user first
   * returns `FALSE`: the session fails with `BOSH_ERROR_TLS`, and
   * [property@Bosh.Connection:tls-peer-certificate] and
   * [property@Bosh.Connection:tls-peer-certificate-errors] say why. If the user agrees,
   * open a new connection whose handler returns `TRUE` for this certificate
   * ([method@Gio.TlsCertificate.is_same]).
   *
   * For a client connect to [signal@Bosh.Client::accept-certificate] instead.
   *
   * Returns: `TRUE` to accept @certificate, `FALSE` to leave that to other handlers,
   *   and at last to refuse it
   *
   * Since: 1.0
   */
  signals[SIGNAL_ACCEPT_CERTIFICATE] =
    g_signal_new ("accept-certificate", type, G_SIGNAL_RUN_LAST, 0,
                  g_signal_accumulator_true_handled, NULL, NULL,
                  G_TYPE_BOOLEAN, 2, G_TYPE_TLS_CERTIFICATE, G_TYPE_TLS_CERTIFICATE_FLAGS);
}

static void
bosh_connection_class_init (BoshConnectionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = bosh_connection_constructed;
  object_class->dispose = bosh_connection_dispose;
  object_class->finalize = bosh_connection_finalize;
  object_class->get_property = bosh_connection_get_property;
  object_class->set_property = bosh_connection_set_property;

  define_session_properties ();
  define_granted_properties ();
  define_current_properties ();
  g_object_class_install_properties (object_class, N_PROPS, properties);

  install_signals (G_OBJECT_CLASS_TYPE (object_class));
}

static void
bosh_connection_init (BoshConnection *self)
{
  self->tasks = bosh_pending_tasks_new (on_task_cancelled, self);
}

/**
 * bosh_connection_new:
 * @domain: the XMPP domain to talk to, as [property@Bosh.Connection:domain] describes
 * @configuration: where the connection manager is, and what to ask of it
 *
 * Makes a connection that is not open yet.
 *
 * Returns: (transfer full): a new connection
 *
 * Since: 1.0
 */
BoshConnection *
bosh_connection_new (const char                  *domain,
                     BoshConnectionConfiguration *configuration)
{
  g_return_val_if_fail (domain != NULL, NULL);
  g_return_val_if_fail (BOSH_IS_CONNECTION_CONFIGURATION (configuration), NULL);

  return g_object_new (BOSH_TYPE_CONNECTION,
                       "domain", domain,
                       "configuration", configuration,
                       NULL);
}

/* --- Properties --- */

/**
 * bosh_connection_get_domain:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:domain].
 *
 * Returns: the XMPP domain
 *
 * Since: 1.0
 */
const char *
bosh_connection_get_domain (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->domain;
}

/**
 * bosh_connection_get_configuration:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:configuration].
 *
 * Returns: (transfer none): the configuration
 *
 * Since: 1.0
 */
BoshConnectionConfiguration *
bosh_connection_get_configuration (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->configuration;
}

/**
 * bosh_connection_get_state:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:state].
 *
 * Returns: the state of the connection
 *
 * Since: 1.0
 */
BoshConnectionState
bosh_connection_get_state (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), BOSH_CONNECTION_STATE_NEW);

  return self->state;
}

/**
 * bosh_connection_get_session_id:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:session-id].
 *
 * Returns: (nullable): the session id, or `NULL` if there is none yet
 *
 * Since: 1.0
 */
const char *
bosh_connection_get_session_id (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->session != NULL ? bosh_session_get_id (self->session) : NULL;
}

/**
 * bosh_connection_get_request_id:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:request-id].
 *
 * Returns: the request id that was used last, or 0 before the first
 *
 * Since: 1.0
 */
guint64
bosh_connection_get_request_id (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->session != NULL ? bosh_session_get_last_rid (self->session) : 0;
}

/**
 * bosh_connection_get_features:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:features].
 *
 * Returns: (transfer none) (nullable): the stream features, or `NULL` if none
 *   are known
 *
 * Since: 1.0
 */
BoshElement *
bosh_connection_get_features (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->features;
}

/* A number that the connection manager granted, 0 before it did. */
static guint
get_granted (BoshConnection *self,
             guint         (*getter) (BoshSession *session))
{
  if (self->session == NULL || bosh_session_get_id (self->session) == NULL)
    return 0;

  return getter (self->session);
}

/**
 * bosh_connection_get_wait:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:wait].
 *
 * Returns: the granted `wait` in seconds
 *
 * Since: 1.0
 */
guint
bosh_connection_get_wait (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return get_granted (self, bosh_session_get_wait);
}

/**
 * bosh_connection_get_hold:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:hold].
 *
 * Returns: the granted number of held requests
 *
 * Since: 1.0
 */
guint
bosh_connection_get_hold (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return get_granted (self, bosh_session_get_hold);
}

/**
 * bosh_connection_get_requests:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:requests].
 *
 * Returns: how many requests may be open at a time, or 0 for no limit
 *
 * Since: 1.0
 */
guint
bosh_connection_get_requests (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return get_granted (self, bosh_session_get_requests);
}

/**
 * bosh_connection_get_inactivity:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:inactivity].
 *
 * Returns: the allowed time of inactivity in seconds, or 0 for no limit
 *
 * Since: 1.0
 */
guint
bosh_connection_get_inactivity (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return get_granted (self, bosh_session_get_inactivity);
}

/**
 * bosh_connection_get_polling:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:polling].
 *
 * Returns: the shortest polling interval in seconds, or 0 for none
 *
 * Since: 1.0
 */
guint
bosh_connection_get_polling (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return get_granted (self, bosh_session_get_polling);
}

/**
 * bosh_connection_get_max_pause:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:max-pause].
 *
 * Returns: the longest pause in seconds, or 0 if pauses are not allowed
 *
 * Since: 1.0
 */
guint
bosh_connection_get_max_pause (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return get_granted (self, bosh_session_get_max_pause);
}

/**
 * bosh_connection_get_charsets:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:charsets].
 *
 * Returns: (nullable): the list, or `NULL` if none was given
 *
 * Since: 1.0
 */
const char *
bosh_connection_get_charsets (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->session != NULL ? bosh_session_get_charsets (self->session) : NULL;
}

/**
 * bosh_connection_get_http_status:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:http-status].
 *
 * Returns: the HTTP status of a response that could not be used, or 0
 *
 * Since: 1.0
 */
guint
bosh_connection_get_http_status (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->session != NULL ? bosh_session_get_http_status (self->session) : 0;
}

/**
 * bosh_connection_get_see_other_uri:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:see-other-uri].
 *
 * Returns: (nullable): the address, or `NULL` if none was named
 *
 * Since: 1.0
 */
const char *
bosh_connection_get_see_other_uri (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->session != NULL ? bosh_session_get_see_other_uri (self->session) : NULL;
}

/**
 * bosh_connection_get_tls_peer_certificate:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:tls-peer-certificate].
 *
 * Returns: (transfer none) (nullable): the certificate of the connection manager, or
 *   `NULL` if there is none
 *
 * Since: 1.0
 */
GTlsCertificate *
bosh_connection_get_tls_peer_certificate (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return self->tls_peer_certificate;
}

/**
 * bosh_connection_get_tls_peer_certificate_errors:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:tls-peer-certificate-errors].
 *
 * Returns: what is wrong with the certificate
 *
 * Since: 1.0
 */
GTlsCertificateFlags
bosh_connection_get_tls_peer_certificate_errors (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->tls_peer_certificate_errors;
}

/**
 * bosh_connection_get_n_stanzas_queued:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:n-stanzas-queued].
 *
 * Returns: how many elements wait to be sent
 *
 * Since: 1.0
 */
guint
bosh_connection_get_n_stanzas_queued (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->session != NULL ? bosh_session_get_n_queued (self->session) : 0;
}

/**
 * bosh_connection_get_n_stanzas_sent:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:n-stanzas-sent].
 *
 * Returns: how many elements were accepted for sending
 *
 * Since: 1.0
 */
guint64
bosh_connection_get_n_stanzas_sent (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->n_stanzas_sent;
}

/**
 * bosh_connection_get_n_stanzas_received:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:n-stanzas-received].
 *
 * Returns: how many elements arrived
 *
 * Since: 1.0
 */
guint64
bosh_connection_get_n_stanzas_received (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->n_stanzas_received;
}

/**
 * bosh_connection_get_n_stanzas_left_out:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:n-stanzas-left-out].
 *
 * Returns: how many elements were too large
 *
 * Since: 1.0
 */
guint64
bosh_connection_get_n_stanzas_left_out (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->n_stanzas_left_out;
}

/**
 * bosh_connection_get_n_requests_sent:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:n-requests-sent].
 *
 * Returns: how many requests were sent
 *
 * Since: 1.0
 */
guint64
bosh_connection_get_n_requests_sent (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->driver != NULL ? bosh_session_driver_get_n_requests_sent (self->driver) : 0;
}

/**
 * bosh_connection_get_n_requests_repeated:
 * @self: a connection
 *
 * Gets [property@Bosh.Connection:n-requests-repeated].
 *
 * Returns: how many requests were retransmissions
 *
 * Since: 1.0
 */
guint64
bosh_connection_get_n_requests_repeated (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), 0);

  return self->driver != NULL ? bosh_session_driver_get_n_requests_repeated (self->driver) : 0;
}

/* --- Stanzas of unknown fate --- */

static GPtrArray *
dup_stanzas (BoshConnection *self,
             GPtrArray     *(*getter) (BoshSession *session))
{
  if (self->session == NULL)
    return g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);

  return getter (self->session);
}

/**
 * bosh_connection_dup_undelivered:
 * @self: a connection
 *
 * Gets the elements that were sent and are not known to have reached the server.
 * After the session was lost, the fate of these is unknown.
 *
 * Returns: (transfer container) (element-type BoshElement): the elements, in the
 *   order in which they were sent
 *
 * Since: 1.0
 */
GPtrArray *
bosh_connection_dup_undelivered (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return dup_stanzas (self, bosh_session_dup_undelivered);
}

/**
 * bosh_connection_dup_unsent:
 * @self: a connection
 *
 * Gets the elements of which nothing has left this machine. After the session
 * was lost, these certainly did not arrive.
 *
 * Returns: (transfer container) (element-type BoshElement): the elements, in the
 *   order in which they were to be sent
 *
 * Since: 1.0
 */
GPtrArray *
bosh_connection_dup_unsent (BoshConnection *self)
{
  g_return_val_if_fail (BOSH_IS_CONNECTION (self), NULL);

  return dup_stanzas (self, bosh_session_dup_unsent);
}

/* --- For the rest of the library --- */

GPtrArray *
bosh_connection_dup_unsent_on_first (BoshConnection *self)
{
  return dup_stanzas (self, bosh_session_dup_unsent_on_first);
}

void
bosh_connection_set_client (BoshConnection                  *self,
                            BoshOwner                       *client,
                            const BoshConnectionClientFuncs *funcs,
                            gpointer                         user_data)
{
  g_clear_pointer (&self->client, bosh_owner_unref);
  self->client = client != NULL ? bosh_owner_ref (client) : NULL;
  self->client_funcs = funcs;
  self->client_data = user_data;
}

void
bosh_connection_set_configuration (BoshConnection              *self,
                                   BoshConnectionConfiguration *configuration)
{
  g_return_if_fail (self->session == NULL);

  if (g_set_object (&self->configuration, configuration))
    notify (self, PROP_CONFIGURATION);
}

void
bosh_connection_set_jid (BoshConnection *self,
                         const char     *jid)
{
  char *copy = g_strdup (jid);

  g_free (self->jid);
  self->jid = copy;
}

void
bosh_connection_set_logging_in (BoshConnection *self,
                                gboolean        is_logging_in)
{
  self->is_logging_in = is_logging_in;
}

void
bosh_connection_set_reply_expected (BoshConnection *self,
                                    gboolean        expected)
{
  if (self->session == NULL)
    return;

  bosh_session_set_reply_expected (self->session, expected);
  bosh_session_driver_wake (self->driver);
}

void
bosh_connection_preconnect (BoshConnection *self)
{
  if (self->driver != NULL)
    bosh_session_driver_preconnect (self->driver);
}

gboolean
bosh_connection_is_private (BoshConnection *self)
{
  return self->driver != NULL && bosh_session_driver_is_private (self->driver);
}

gboolean
bosh_connection_is_leaving (BoshConnection *self)
{
  return self->is_leaving;
}

GError *
bosh_connection_dup_close_error (BoshConnection *self)
{
  if (self->close_error != NULL)
    return g_error_copy (self->close_error);

  return g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED, _("The session has ended"));
}

GMainContext *
bosh_connection_get_main_context (BoshConnection *self)
{
  return self->driver != NULL ? bosh_session_driver_get_context (self->driver) : NULL;
}
