/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-connection-internal.h"

#include "bosh-body-private.h"
#include "bosh-saved-session-private.h"
#include "bosh-element-private.h"
#include "bosh-enum-types.h"
#include "bosh-error.h"
#include "bosh-i18n-private.h"

/**
 * BoshConnection:
 *
 * A BOSH session: XMPP elements over HTTP (XEP-0124, XEP-0206).
 *
 * A connection carries elements, in order and each exactly once, and knows
 * nothing of accounts; [class@Bosh.Client] logs in over a connection.
 *
 * [method@Bosh.Connection.connect_async] opens a session. From then on each
 * element that arrives is given by [signal@Bosh.Connection::stanza], and
 * [method@Bosh.Connection.send] sends. What is sent during one iteration of
 * the main loop shares a request. Broken requests are repeated under their
 * numbers; while the server can't be reached, [property@Bosh.Connection:state]
 * says so. When the session has ended, [signal@Bosh.Connection::closed] is
 * emitted, once; the connection is not used again after that.
 *
 * A session can outlive the connection: [method@Bosh.Connection.detach_async]
 * gives all that is needed to go on elsewhere.
 *
 * Everything happens in the thread-default main context that was current when
 * the connection was opened or attached: call all methods there. A connection
 * that is dropped while open ends without a word to the server, which drops
 * the session after its time of inactivity.
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
  PROP_N_STANZAS_QUEUED,
  PROP_N_REQUESTS_SENT,
  PROP_N_REQUESTS_REPEATED,
  PROP_N_STANZAS_SENT,
  PROP_N_STANZAS_RECEIVED,
  N_PROPS
};

enum
{
  SIGNAL_STANZA,
  SIGNAL_STREAM_STANZA,
  SIGNAL_STREAM_CLOSED,
  SIGNAL_CLOSED,
  SIGNAL_REQUEST_SENT,
  SIGNAL_RESPONSE_RECEIVED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

/* The one source of the connection. It is ready when the session has something
 * to do, or its deadline has come. A ready time would do the same, but each
 * change of that wakes the main loop up, and there are several for a message;
 * the network watch sets it, from other threads too. */

typedef struct
{
  GSource         source;
  BoshConnection *connection;
  gint64          deadline;  /* 0: now; -1: never */
} ConnectionSource;

static void connection_act_soon (BoshConnection *self);

static gboolean
connection_source_prepare (GSource *source,
                           int     *timeout)
{
  gint64 deadline = ((ConnectionSource *)source)->deadline;
  gint64 left;

  if (deadline <= 0)
    return deadline == 0;

  left = deadline - g_source_get_time (source);
  if (left <= 0)
    return TRUE;

  /* Rounded up, not to come back before it is time. */
  *timeout = (int)MIN (left / 1000 + 1, G_MAXINT);

  return FALSE;
}

static gboolean
connection_source_dispatch (GSource     *source,
                            GSourceFunc  callback,
                            gpointer     user_data)
{
  BoshConnection *self = ((ConnectionSource *)source)->connection;

  g_source_set_ready_time (source, -1);
  ((ConnectionSource *)source)->deadline = -1;
  if (bosh_network_watch_take_change (self->network))
    bosh_session_handle_network (self->session, g_get_monotonic_time ());
  if (bosh_sleep_watch_take_wake (self->sleep))
    bosh_session_handle_wake (self->session, g_get_monotonic_time ());
  connection_act_soon (self);

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs connection_source_funcs = {
  .prepare = connection_source_prepare,
  .dispatch = connection_source_dispatch,
};

static void
connection_set_deadline (BoshConnection *self,
                         gint64          deadline)
{
  if (self->source == NULL)
    return;

  ((ConnectionSource *)self->source)->deadline = deadline;
  bosh_inner_context_wake (self->inner);
}

/* Lets the session act in the next iteration, with all that is asked of it
 * until then. */
void
connection_wake (BoshConnection *self)
{
  connection_set_deadline (self, 0);
}

void
connection_stop (BoshConnection *self)
{
  g_clear_pointer (&self->transport, bosh_transport_free);
  g_clear_pointer (&self->network, bosh_network_watch_free);
  g_clear_pointer (&self->sleep, bosh_sleep_watch_free);
  if (self->source != NULL)
    {
      g_source_destroy (self->source);
      g_clear_pointer (&self->source, g_source_unref);
    }
  g_clear_pointer (&self->inner, bosh_inner_context_free);
}

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
connection_set_features (BoshConnection *self,
                         BoshElement    *features)
{
  g_clear_pointer (&self->features, bosh_element_unref);
  if (features != NULL)
    self->features = bosh_element_ref (features);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FEATURES]);
}

/* For a debug console; costs nothing where none listens. */
static void
emit_body (BoshConnection *self,
           guint           signal,
           GBytes         *bytes)
{
  g_autofree char *text = NULL;

  if (!g_signal_has_handler_pending (self, signals[signal], 0, FALSE))
    return;

  text = bosh_body_redact (bytes);
  g_signal_emit (self, signals[signal], 0, text);
}

static const char *
get_coding (BoshCoding coding)
{
  switch (coding)
    {
    case BOSH_CODING_GZIP:
      return "gzip";

    case BOSH_CODING_DEFLATE:
      return "deflate";

    case BOSH_CODING_IDENTITY:
    default:
      return NULL;
    }
}

static void
notify_request_id (BoshConnection *self)
{
  guint64 rid = bosh_session_get_last_rid (self->session);

  if (rid == self->known_rid)
    return;

  self->known_rid = rid;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_REQUEST_ID]);
}

static void
perform_send (BoshConnection *self,
              BoshAction     *action)
{
  if (self->transport == NULL)
    return;

  self->requests_sent++;
  if (action->repeated)
    self->requests_repeated++;
  bosh_transport_post (self->transport, action->rid, action->bytes, get_coding (action->coding),
                       action->has_payload);
  if (self->wants_spare)
    bosh_transport_prepare (self->transport);
  self->wants_spare = FALSE;
  /* Nothing leaves before the main loop runs: what bosh_connection_save()
   * promises. A handler that runs it waits for the request in vain otherwise. */
  notify_request_id (self);
  emit_body (self, SIGNAL_REQUEST_SENT, action->bytes);
}

static void
perform_payload (BoshConnection *self,
                 BoshElement    *element,
                 const char     *stream)
{
  const char *name = bosh_element_get_name (element);

  self->stanzas_received++;
  if (stream != NULL)
    {
      g_signal_emit (self, signals[SIGNAL_STREAM_STANZA], 0, stream, element);
      return;
    }

  if (bosh_element_matches (element, "features", BOSH_NS_STREAMS))
    connection_set_features (self, element);

  if (self->filter != NULL && self->filter (element, self->filter_data))
    return;

  /* A name that no handler asked for is no quark: names from the network are
   * never interned. */
  g_signal_emit (self, signals[SIGNAL_STANZA], g_quark_try_string (name), element);
}

void
connection_emit_stream_closed (BoshConnection *self,
                               const char     *stream,
                               const GError   *error)
{
  g_signal_emit (self, signals[SIGNAL_STREAM_CLOSED], 0, stream, error);
}

static void
perform_hand_over (BoshConnection *self)
{
  g_autoptr(BoshSavedSession) detached = connection_dup_saved (self);
  g_autoptr(GError) error = NULL;

  connection_stop (self);
  bosh_pending_tasks_give (self->tasks, bosh_connection_detach_async, G_OBJECT (detached));

  error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_DETACHED, _("The session was handed over"));
  bosh_pending_tasks_fail (self->tasks, error);
}

static void
perform_close (BoshConnection *self,
               const GError   *error)
{
  g_autoptr(GError) reason = NULL;

  self->close_error = error != NULL ? g_error_copy (error) : NULL;
  connection_stop (self);

  /* A disconnection that went well is no failure; everything else that still
   * waits has failed. */
  if (error == NULL)
    {
      bosh_pending_tasks_succeed (self->tasks, bosh_connection_disconnect_async);
      bosh_pending_tasks_succeed (self->tasks, bosh_connection_close_stream_async);
    }
  reason = bosh_connection_dup_close_error (self);
  bosh_pending_tasks_fail (self->tasks, reason);

  g_signal_emit (self, signals[SIGNAL_CLOSED], 0, error);
}

static void
fail_stranded (BoshConnection *self,
               guint64         serial)
{
  g_autoptr(GError) error = NULL;

  error = g_error_new_literal (BOSH_ERROR, BOSH_ERROR_NOT_CONNECTED, _("The stream was closed"));
  bosh_pending_tasks_fail_one (self->tasks, bosh_connection_deliver_async, serial, error);
}

static void
perform_restarted (BoshConnection *self,
                   BoshAction     *action)
{
  if (action->error != NULL)
    {
      if (action->text == NULL)
        bosh_pending_tasks_fail_one (self->tasks, bosh_connection_restart_async, 0, action->error);
      bosh_pending_tasks_fail_one (self->tasks, bosh_connection_restart_stream_async,
                                   action->serial, action->error);
      return;
    }

  if (action->text == NULL)
    {
      connection_set_features (self, NULL);
      bosh_pending_tasks_succeed (self->tasks, bosh_connection_restart_async);
    }
  /* The first stream may have been restarted by its name, too. */
  bosh_pending_tasks_succeed_one (self->tasks, bosh_connection_restart_stream_async,
                                  action->serial);
}

static void
perform (BoshConnection *self,
         BoshAction     *action)
{
  switch (action->type)
    {
    case BOSH_ACTION_SEND:
      perform_send (self, action);
      break;

    case BOSH_ACTION_ABANDON:
      if (self->transport != NULL)
        bosh_transport_cancel (self->transport, action->rid);
      break;

    case BOSH_ACTION_PAYLOAD:
      perform_payload (self, action->element, action->text);
      break;

    case BOSH_ACTION_STATE:
      self->state = translate_state (action->state);
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
      break;

    case BOSH_ACTION_OPENED:
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SESSION_ID]);
      bosh_pending_tasks_succeed (self->tasks, bosh_connection_connect_async);
      bosh_pending_tasks_succeed (self->tasks, bosh_connection_attach_async);
      break;

    case BOSH_ACTION_REDIRECTED:
      if (self->transport != NULL)
        bosh_transport_set_uri (self->transport, action->text);
      break;

    case BOSH_ACTION_RESTARTED:
      perform_restarted (self, action);
      break;

    case BOSH_ACTION_STREAM_OPENED:
      bosh_pending_tasks_give_text (self->tasks, bosh_connection_open_stream_async,
                                    action->serial, action->text);
      break;

    case BOSH_ACTION_STREAM_CLOSED:
      connection_close_stream (self, action->text, action->serial, action->error);
      break;

    case BOSH_ACTION_PAUSED:
      bosh_pending_tasks_succeed (self->tasks, bosh_connection_pause_async);
      break;

    case BOSH_ACTION_DELIVERED:
      bosh_pending_tasks_succeed_up_to (self->tasks, bosh_connection_deliver_async, action->serial);
      break;

    case BOSH_ACTION_STRANDED:
      fail_stranded (self, action->serial);
      break;

    case BOSH_ACTION_HANDED_OVER:
      perform_hand_over (self);
      break;

    case BOSH_ACTION_CLOSED:
      perform_close (self, action->error);
      break;

    default:
      g_assert_not_reached ();
    }
}

static void
notify_changes (BoshConnection *self)
{
  guint queued = bosh_session_get_n_queued (self->session);

  notify_request_id (self);
  if (queued != self->known_queued)
    {
      self->known_queued = queued;
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_STANZAS_QUEUED]);
    }
}

/* Does what the session wants done. A handler may call anything here, or drop
 * the last reference: what it asks of the session is done by the loop that it
 * was called from. Only if it runs a main loop of its own, which is deeper then,
 * that one goes on with the rest. */
void
connection_drain (BoshConnection *self)
{
  int level = g_main_depth () + 1;
  int outer_level = self->drain_level;
  BoshAction action;

  if (level <= outer_level)
    return;

  g_object_ref (self);
  self->drain_level = level;
  connection_wake (self);

  while (bosh_session_next_action (self->session, &action, g_get_monotonic_time ()))
    {
      perform (self, &action);
      g_clear_pointer (&action.bytes, g_bytes_unref);
      g_clear_pointer (&action.element, bosh_element_unref);
      g_clear_pointer (&action.text, g_free);
      g_clear_error (&action.error);
    }

  self->drain_level = outer_level;
  connection_set_deadline (self, bosh_session_get_deadline (self->session));
  notify_changes (self);

  g_object_unref (self);
}

/* For a debug console, if there is one. */
static void
keep_response (BoshConnection *self,
               GBytes         *body)
{
  if (!g_signal_has_handler_pending (self, signals[SIGNAL_RESPONSE_RECEIVED], 0, FALSE))
    return;

  if (self->answers == NULL)
    self->answers = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_ptr_array_add (self->answers, g_bytes_ref (body));
}

static void
show_responses (BoshConnection *self)
{
  g_autoptr(GPtrArray) answers = g_steal_pointer (&self->answers);

  for (guint i = 0; answers != NULL && i < answers->len; i++)
    emit_body (self, SIGNAL_RESPONSE_RECEIVED, g_ptr_array_index (answers, i));
}

static void
act (gpointer user_data)
{
  g_autoptr(BoshConnection) self = user_data;

  self->is_called = FALSE;
  /* Somebody has dropped or disposed of it meanwhile. */
  if (self->source == NULL)
    return;

  connection_wake (self);
  show_responses (self);
  connection_drain (self);
}

/* The session knows of what has happened; what follows from that may run code of
 * the application. */
static void
connection_act_soon (BoshConnection *self)
{
  if (self->is_called)
    return;

  self->is_called = TRUE;
  bosh_inner_context_call (self->inner, act, g_object_ref (self));
}

static void
on_written (guint64  id,
            gpointer user_data)
{
  BoshConnection *self = user_data;
  gint64 now = g_get_monotonic_time ();

  bosh_session_handle_written (self->session, id, now);
  /* Mostly nothing follows, and it is cheaper not to ask the application's loop
   * for a turn. */
  if (bosh_session_advance (self->session, now))
    connection_act_soon (self);
  else
    connection_set_deadline (self, bosh_session_get_deadline (self->session));
}

static BoshFailure
classify_failure (const BoshTransportResponse *response)
{
  if (g_error_matches (response->error, BOSH_ERROR, BOSH_ERROR_TLS))
    return BOSH_FAILURE_UNTRUSTED;
  if (g_error_matches (response->error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE))
    return BOSH_FAILURE_TOO_LARGE;

  return response->maybe_sent ? BOSH_FAILURE_BROKEN : BOSH_FAILURE_UNREACHABLE;
}

static void
on_response (guint64                      id,
             const BoshTransportResponse *response,
             gpointer                     user_data)
{
  BoshConnection *self = user_data;
  gint64 now = g_get_monotonic_time ();

  if (response->error != NULL)
    {
      bosh_session_handle_failure (self->session, id, classify_failure (response),
                                   response->error, now);
    }
  else
    {
      BoshHttpResponse answer = {
        .status = response->status,
        .body = response->body,
        .retry_after = response->retry_after,
        .location = response->location,
      };

      bosh_session_handle_response (self->session, id, &answer, now);
      keep_response (self, response->body);
    }
  connection_act_soon (self);
}

void
connection_start (BoshConnection *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->inner = bosh_inner_context_new (self->context);
  self->transport = bosh_transport_new (self->configuration, self->inner, on_written, on_response,
                                        self);

  self->source = g_source_new (&connection_source_funcs, sizeof (ConnectionSource));
  ((ConnectionSource *)self->source)->connection = self;
  ((ConnectionSource *)self->source)->deadline = -1;
  g_source_set_static_name (self->source, "[bosh] connection");
  g_source_set_priority (self->source, bosh_inner_context_get_priority (self->inner));
  g_source_set_can_recurse (self->source, TRUE);
  g_source_attach (self->source, bosh_inner_context_get (self->inner));
  self->network = bosh_network_watch_new (self->source);
  self->sleep = bosh_sleep_watch_new (self->source, self->context);
}

static void
on_task_cancelled (gpointer tag,
                   gpointer user_data)
{
  BoshConnection *self = user_data;

  if (tag == bosh_connection_connect_async || tag == bosh_connection_attach_async ||
      tag == bosh_connection_disconnect_async)
    bosh_session_abort (self->session,
                        g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                             _("The operation was cancelled")));
  else if (tag == bosh_connection_pause_async)
    bosh_session_resume (self->session);
  else if (tag == bosh_connection_detach_async &&
           !bosh_pending_tasks_has (self->tasks, bosh_connection_detach_async))
    {
      bosh_session_cancel_hand_over (self->session);
      self->leaving = FALSE;
    }

  connection_drain (self);
}

static void
bosh_connection_constructed (GObject *object)
{
  BoshConnection *self = BOSH_CONNECTION (object);

  G_OBJECT_CLASS (bosh_connection_parent_class)->constructed (object);

  if (self->configuration == NULL)
    self->configuration = g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                                        "hostname", self->domain,
                                        NULL);
}

static void
bosh_connection_dispose (GObject *object)
{
  BoshConnection *self = BOSH_CONNECTION (object);

  connection_stop (self);
  g_clear_object (&self->configuration);

  G_OBJECT_CLASS (bosh_connection_parent_class)->dispose (object);
}

static void
bosh_connection_finalize (GObject *object)
{
  BoshConnection *self = BOSH_CONNECTION (object);

  g_clear_pointer (&self->session, bosh_session_free);
  g_clear_pointer (&self->tasks, bosh_pending_tasks_free);
  g_clear_pointer (&self->features, bosh_element_unref);
  g_clear_pointer (&self->answers, g_ptr_array_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_error (&self->close_error);
  g_free (self->domain);
  g_free (self->jid);

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
      g_value_set_string (value, self->domain);
      break;

    case PROP_CONFIGURATION:
      g_value_set_object (value, self->configuration);
      break;

    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;

    case PROP_SESSION_ID:
      g_value_set_string (value, bosh_connection_get_session_id (self));
      break;

    case PROP_REQUEST_ID:
      g_value_set_uint64 (value, bosh_connection_get_request_id (self));
      break;

    case PROP_FEATURES:
      g_value_set_boxed (value, self->features);
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

    case PROP_N_STANZAS_QUEUED:
      g_value_set_uint (value, bosh_connection_get_n_stanzas_queued (self));
      break;

    case PROP_N_REQUESTS_SENT:
      g_value_set_uint64 (value, self->requests_sent);
      break;

    case PROP_N_REQUESTS_REPEATED:
      g_value_set_uint64 (value, self->requests_repeated);
      break;

    case PROP_N_STANZAS_SENT:
      g_value_set_uint64 (value, self->stanzas_sent);
      break;

    case PROP_N_STANZAS_RECEIVED:
      g_value_set_uint64 (value, self->stanzas_received);
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
      self->domain = g_value_dup_string (value);
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
   * The XMPP domain of the session, without a resource or a node: `to` of the
   * first request (XEP-0124 §7.1). It need not be the host of the connection
   * manager, which the configuration names.
   *
   * Since: 1.0
   */
  properties[PROP_DOMAIN] =
    g_param_spec_string ("domain", NULL, NULL, NULL, CONSTRUCT_ONLY);

  /**
   * BoshConnection:configuration:
   *
   * Where the connection manager is, and what to ask of it. Without one, the
   * defaults are taken, with the domain as the host name.
   *
   * Since: 1.0
   */
  properties[PROP_CONFIGURATION] =
    g_param_spec_object ("configuration", NULL, NULL, BOSH_TYPE_CONNECTION_CONFIGURATION,
                         CONSTRUCT_ONLY);

  /**
   * BoshConnection:state:
   *
   * How the session is. It changes before anything else tells of the change.
   *
   * Since: 1.0
   */
  properties[PROP_STATE] =
    g_param_spec_enum ("state", NULL, NULL, BOSH_TYPE_CONNECTION_STATE,
                       BOSH_CONNECTION_STATE_NEW, READABLE);

  /**
   * BoshConnection:session-id:
   *
   * The session id that the connection manager gave (XEP-0124 §7.2), `NULL`
   * before it did. Who knows it can take over the session, unless a key
   * sequence protects it.
   *
   * Since: 1.0
   */
  properties[PROP_SESSION_ID] =
    g_param_spec_string ("session-id", NULL, NULL, NULL, READABLE);

  /**
   * BoshConnection:request-id:
   *
   * The request id that was used last (XEP-0124 §14.1), 0 before the first.
   *
   * A change is notified when the new request is complete, and before its
   * first byte leaves: the moment for [method@Bosh.Connection.save].
   *
   * Since: 1.0
   */
  properties[PROP_REQUEST_ID] =
    g_param_spec_uint64 ("request-id", NULL, NULL, 0, BOSH_MAX_RID, 0, READABLE);

  /**
   * BoshConnection:features:
   *
   * The `<stream:features/>` that arrived last, `NULL` when there were none
   * yet since the session was opened or the stream restarted (XEP-0206 §4).
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
   * The granted `hold`: how many requests the connection manager keeps waiting
   * (XEP-0124 §7.2).
   *
   * Since: 1.0
   */
  properties[PROP_HOLD] =
    g_param_spec_uint ("hold", NULL, NULL, 0, G_MAXUINT, 0, READABLE);

  /**
   * BoshConnection:requests:
   *
   * The granted `requests`: how many requests may be open at a time, 0 if the
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
   * session, in seconds, 0 if it names none (XEP-0124 §10).
   *
   * Since: 1.0
   */
  properties[PROP_INACTIVITY] =
    g_param_spec_uint ("inactivity", NULL, NULL, 0, G_MAXUINT, 0, READABLE);

  /**
   * BoshConnection:polling:
   *
   * The shortest time between two empty requests, in seconds, 0 if the
   * connection manager names none (XEP-0124 §11, §12).
   *
   * Since: 1.0
   */
  properties[PROP_POLLING] =
    g_param_spec_uint ("polling", NULL, NULL, 0, G_MAXUINT, 0, READABLE);

  /**
   * BoshConnection:max-pause:
   *
   * The longest pause that the connection manager allows, in seconds, 0 if it
   * allows none (XEP-0124 §10).
   *
   * Since: 1.0
   */
  properties[PROP_MAX_PAUSE] =
    g_param_spec_uint ("max-pause", NULL, NULL, 0, G_MAXUINT, 0, READABLE);
}

static void
define_counting_properties (void)
{
  /**
   * BoshConnection:n-stanzas-queued:
   *
   * How many elements wait for a request that may carry them.
   *
   * Since: 1.0
   */
  properties[PROP_N_STANZAS_QUEUED] =
    g_param_spec_uint ("n-stanzas-queued", NULL, NULL, 0, G_MAXUINT, 0, READABLE);

  /**
   * BoshConnection:n-requests-sent:
   *
   * How many requests were sent, repeats counted. Changes are not notified.
   *
   * Since: 1.0
   */
  properties[PROP_N_REQUESTS_SENT] =
    g_param_spec_uint64 ("n-requests-sent", NULL, NULL, 0, G_MAXUINT64, 0, READABLE);

  /**
   * BoshConnection:n-requests-repeated:
   *
   * How many requests were repeats of an earlier one (XEP-0124 §14.3). Changes
   * are not notified.
   *
   * Since: 1.0
   */
  properties[PROP_N_REQUESTS_REPEATED] =
    g_param_spec_uint64 ("n-requests-repeated", NULL, NULL, 0, G_MAXUINT64, 0, READABLE);

  /**
   * BoshConnection:n-stanzas-sent:
   *
   * How many elements were accepted for sending. Changes are not notified.
   *
   * Since: 1.0
   */
  properties[PROP_N_STANZAS_SENT] =
    g_param_spec_uint64 ("n-stanzas-sent", NULL, NULL, 0, G_MAXUINT64, 0, READABLE);

  /**
   * BoshConnection:n-stanzas-received:
   *
   * How many elements arrived, those of a login counted. Changes are not
   * notified.
   *
   * Since: 1.0
   */
  properties[PROP_N_STANZAS_RECEIVED] =
    g_param_spec_uint64 ("n-stanzas-received", NULL, NULL, 0, G_MAXUINT64, 0, READABLE);
}

static void
install_signals (GObjectClass *object_class)
{
  GType type = G_OBJECT_CLASS_TYPE (object_class);

  /**
   * BoshConnection::stanza:
   * @self: the connection
   * @element: what arrived; it is immutable
   *
   * An element has arrived. The detail is its name: connect to
   * `stanza::message` for messages alone.
   *
   * What a handler sends rides in the next request.
   *
   * Since: 1.0
   */
  signals[SIGNAL_STANZA] =
    g_signal_new ("stanza", type, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 1, BOSH_TYPE_ELEMENT);

  /**
   * BoshConnection::stream-stanza:
   * @self: the connection
   * @stream: the name of the stream
   * @element: what arrived; it is immutable
   *
   * An element has arrived on another stream than the first, whose elements
   * [signal@Bosh.Connection::stanza] gives (XEP-0124 §16.4).
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
   * @error: (nullable): why, or `NULL` if it was asked for
   *
   * A stream has ended, the first or another, and the session goes on with
   * those that are left (XEP-0124 §16.5, §16.6). What was queued for it and not
   * sent is among [method@Bosh.Connection.dup_unsent].
   *
   * Since: 1.0
   */
  signals[SIGNAL_STREAM_CLOSED] =
    g_signal_new ("stream-closed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_ERROR);

  /**
   * BoshConnection::closed:
   * @self: the connection
   * @error: (nullable): why, or `NULL` if it was asked for
   *
   * The session has ended, whoever ended it. Operations that waited have
   * failed by now. It is not emitted for a session that was handed over.
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
   * A request goes out: for a debug console. What SASL elements hold is left
   * out; the session id and keys are not.
   *
   * Since: 1.0
   */
  signals[SIGNAL_REQUEST_SENT] =
    g_signal_new ("request-sent", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 1, G_TYPE_STRING);

  /**
   * BoshConnection::response-received:
   * @self: the connection
   * @body: the text of the answer
   *
   * An HTTP answer came in, before anything in it is acted on: for a debug
   * console. What SASL elements hold is left out.
   *
   * Since: 1.0
   */
  signals[SIGNAL_RESPONSE_RECEIVED] =
    g_signal_new ("response-received", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                  G_TYPE_NONE, 1, G_TYPE_STRING);
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
  define_counting_properties ();
  g_object_class_install_properties (object_class, N_PROPS, properties);

  install_signals (object_class);
}

static void
bosh_connection_init (BoshConnection *self)
{
  self->tasks = bosh_pending_tasks_new (on_task_cancelled, self);
}
