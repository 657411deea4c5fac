/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-model.h"

/* Not SoupServer: that of libsoup 3.2.3 leaks the sockets that break, and can't
 * write half a response. */
#include "bosh-test-http.h"

#include <string.h>

#define FEATURES "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>"

typedef enum
{
  BREAK_NONE,
  BREAK_RESET_BEFORE,
  BREAK_RESET_AFTER,
  BREAK_HALF_RESPONSE,
  BREAK_BAD_GATEWAY,
  N_BREAKS
} Break;

typedef struct
{
  BoshTestPeer *peer;
  Break         how;
  gboolean      is_over;
} Exchange;

struct _BoshTestModel
{
  BoshTestServer *server;
  ModelManager   *manager;
  GArray         *exchanges;   /* of Exchange */
  GSource        *timer;
  guint           break_every;
  guint           n_broken;
  guint           n_sent;
  guint           n_received;
};

static Exchange *
get_exchange (BoshTestModel *self,
              guint          index)
{
  return &g_array_index (self->exchanges, Exchange, index);
}

/* Looks again when the manager wants to. */
static void
arm (BoshTestModel *self)
{
  g_source_set_ready_time (self->timer, model_manager_get_deadline (self->manager));
}

static gboolean
on_timer (gpointer user_data)
{
  BoshTestModel *self = user_data;

  model_manager_advance (self->manager, g_get_monotonic_time ());
  arm (self);

  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_timer (GSource     *source,
                GSourceFunc  callback,
                gpointer     user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = dispatch_timer };

static void
write_half (BoshTestPeer *peer,
            guint         status,
            const char   *text)
{
  g_autofree char *half =
    g_strdup_printf ("HTTP/1.1 %u Test\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%.*s", status,
                     strlen (text), (int)strlen (text) / 2, text);

  bosh_test_peer_write (peer, half);
  bosh_test_peer_close (peer);
}

static void
on_response (guint       connection,
             guint       status,
             const char *text,
             gpointer    user_data)
{
  BoshTestModel *self = user_data;
  Exchange *exchange = get_exchange (self, connection);

  if (exchange->is_over || bosh_test_peer_is_closed (exchange->peer))
    return;

  exchange->is_over = TRUE;
  if (exchange->how == BREAK_RESET_AFTER)
    bosh_test_peer_reset (exchange->peer);
  else if (exchange->how == BREAK_HALF_RESPONSE)
    write_half (exchange->peer, status, text);
  else
    bosh_test_peer_reply (exchange->peer, status, NULL, text);
}

static void
on_stanza (const char *id,
           gboolean    dropped,
           gpointer    user_data)
{
  BoshTestModel *self = user_data;

  if (id == NULL)
    {
      model_manager_queue (self->manager, FEATURES);
      return;
    }

  g_assert_cmpuint (g_ascii_strtoull (id, NULL, 10), ==, self->n_received);
  self->n_received++;
}

/* Tells the manager of connections that the client closed. */
static void
look_for_closed (BoshTestModel *self,
                 gint64         now)
{
  for (guint i = 0; i < self->exchanges->len; i++)
    if (!get_exchange (self, i)->is_over && bosh_test_peer_is_closed (get_exchange (self, i)->peer))
      {
        get_exchange (self, i)->is_over = TRUE;
        model_manager_disconnected (self->manager, i, now);
      }
}

static Break
choose_break (BoshTestModel *self)
{
  if (self->break_every == 0 || self->exchanges->len % self->break_every != 0)
    return BREAK_NONE;

  return BREAK_NONE + 1 + self->n_broken++ % (N_BREAKS - 1);
}

static void
on_request (BoshTestPeer          *peer,
            const BoshTestRequest *request,
            gpointer               user_data)
{
  BoshTestModel *self = user_data;
  gint64 now = g_get_monotonic_time ();
  Exchange exchange = { peer, choose_break (self), FALSE };

  look_for_closed (self, now);
  exchange.is_over = exchange.how == BREAK_RESET_BEFORE || exchange.how == BREAK_BAD_GATEWAY;
  g_array_append_val (self->exchanges, exchange);
  if (exchange.how == BREAK_RESET_BEFORE)
    bosh_test_peer_reset (peer);
  else if (exchange.how == BREAK_BAD_GATEWAY)
    bosh_test_peer_reply (peer, 502, NULL, "<html>no</html>");
  else
    model_manager_request (self->manager, self->exchanges->len - 1, request->body, now);
  arm (self);
}

BoshTestModel *
bosh_test_model_new (const ModelOptions *options)
{
  BoshTestModel *self = g_new0 (BoshTestModel, 1);

  self->exchanges = g_array_new (FALSE, TRUE, sizeof (Exchange));
  self->server = bosh_test_server_new (NULL, on_request, self);
  self->manager = model_manager_new (options, on_response, on_stanza, self);
  model_manager_queue (self->manager, FEATURES);
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_static_name (self->timer, "[bosh test] model");
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, NULL);

  return self;
}

void
bosh_test_model_free (BoshTestModel *self)
{
  bosh_test_server_free (self->server);
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  model_manager_free (self->manager);
  g_array_unref (self->exchanges);
  g_free (self);
}

guint
bosh_test_model_get_port (BoshTestModel *self)
{
  return bosh_test_server_get_port (self->server);
}

void
bosh_test_model_break_every (BoshTestModel *self,
                             guint          n)
{
  self->break_every = n;
}

guint
bosh_test_model_get_n_broken (BoshTestModel *self)
{
  return self->n_broken;
}

void
bosh_test_model_send (BoshTestModel *self,
                      guint          n)
{
  gint64 now = g_get_monotonic_time ();

  look_for_closed (self, now);
  for (; n > 0; n--)
    {
      g_autofree char *xml = g_strdup_printf ("<message xmlns='jabber:client' id='%u'/>", self->n_sent++);

      model_manager_send (self->manager, xml, now);
    }
  arm (self);
}

guint
bosh_test_model_get_n_sent (BoshTestModel *self)
{
  return self->n_sent;
}

guint
bosh_test_model_get_n_received (BoshTestModel *self)
{
  return self->n_received;
}

guint
bosh_test_model_get_n_requests (BoshTestModel *self)
{
  return self->exchanges->len;
}

const char *
bosh_test_model_get_end (BoshTestModel *self)
{
  return model_manager_get_end (self->manager);
}
