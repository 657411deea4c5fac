/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-manager.h"

#include "bosh-test-http.h"
#include "bosh-test-patience.h"

#include <string.h>

#define NS_HTTPBIND "http://jabber.org/protocol/httpbind"
#define NS_XBOSH "urn:xmpp:xbosh"
#define NS_SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define NS_BIND "urn:ietf:params:xml:ns:xmpp-bind"

struct _BoshTestManager
{
  BoshTestServer *server;
  GPtrArray *exchanges;      /* of BoshTestExchange */
  guint n_taken;
  BoshTestScript script;
  gpointer user_data;

  gboolean automatic;
  char *grants;
  char *creation_content;
  GString *undelivered;
};

struct _BoshTestExchange
{
  BoshTestPeer *peer;
  const BoshTestRequest *request;
  char *line;
  BoshElement *body;         /* NULL if it is none */
  char *response;            /* by bosh_test_exchange_respond(); nullable */
  gboolean has_response;
};

static gboolean
on_impatient (gpointer user_data)
{
  g_error ("Waited too long at %s", (const char *)user_data);

  return G_SOURCE_REMOVE;
}

GSource *
bosh_test_lose_patience (const char *what)
{
  GSource *source = g_timeout_source_new_seconds (BOSH_TEST_PATIENCE);

  g_source_set_callback (source, on_impatient, (gpointer)what, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());

  return source;
}

/* The text of a request, which may be compressed. */
static char *
dup_text (const BoshTestRequest *request)
{
  g_autofree char *coding = bosh_test_request_dup_header (request, "Content-Encoding");
  g_autoptr(GZlibDecompressor) decompressor = NULL;
  g_autoptr(GInputStream) memory = NULL;
  g_autoptr(GInputStream) stream = NULL;
  g_autofree char *text = g_new0 (char, 65536);

  if (coding == NULL)
    return g_strndup (g_bytes_get_data (request->body, NULL), g_bytes_get_size (request->body));

  decompressor = g_zlib_decompressor_new (strcmp (coding, "gzip") == 0 ? G_ZLIB_COMPRESSOR_FORMAT_GZIP
                                                                       : G_ZLIB_COMPRESSOR_FORMAT_ZLIB);
  memory = g_memory_input_stream_new_from_bytes (request->body);
  stream = g_converter_input_stream_new (memory, G_CONVERTER (decompressor));
  g_assert_true (g_input_stream_read_all (stream, text, 65535, NULL, NULL, NULL));

  return g_steal_pointer (&text);
}

static BoshTestExchange *
exchange_new (BoshTestPeer          *peer,
              const BoshTestRequest *request)
{
  BoshTestExchange *self = g_new0 (BoshTestExchange, 1);
  g_autofree char *text = dup_text (request);

  self->peer = peer;
  self->request = request;
  self->line = g_strndup (request->head, strcspn (request->head, "\r"));
  self->body = bosh_element_new_from_string (text, NULL);

  return self;
}

static void
exchange_free (gpointer data)
{
  BoshTestExchange *self = data;

  g_clear_pointer (&self->body, bosh_element_unref);
  g_free (self->line);
  g_free (self->response);
  g_free (self);
}

static gboolean
exchange_is_held (BoshTestExchange *self)
{
  return !self->has_response && !bosh_test_exchange_is_gone (self);
}

/* What servers do, in the simplest form. */

static BoshTestExchange *
find_responded (BoshTestManager  *self,
                BoshTestExchange *repeat)
{
  for (guint i = 0; i < self->exchanges->len; i++)
    {
      BoshTestExchange *exchange = g_ptr_array_index (self->exchanges, i);

      if (exchange != repeat && exchange->response != NULL &&
          g_bytes_equal (exchange->request->body, repeat->request->body))
        return exchange;
    }

  return NULL;
}

static BoshTestExchange *
find_held (BoshTestManager *self)
{
  for (guint i = 0; i < self->exchanges->len; i++)
    {
      BoshTestExchange *exchange = g_ptr_array_index (self->exchanges, i);

      if (exchange_is_held (exchange))
        return exchange;
    }

  return NULL;
}

static void
release_all_but (BoshTestManager *self,
                 guint            n_held)
{
  while (bosh_test_manager_get_n_held (self) > n_held)
    bosh_test_exchange_respond (find_held (self), "", "");
}

static void
handle_automatically (BoshTestManager  *self,
                      BoshTestExchange *exchange)
{
  BoshTestExchange *before = find_responded (self, exchange);
  const char *type = bosh_test_exchange_get_attribute (exchange, "type");

  if (before != NULL)
    {
      bosh_test_exchange_reply (exchange, 200, NULL, before->response);
    }
  else if (bosh_test_exchange_get_attribute (exchange, "sid") == NULL)
    {
      bosh_test_exchange_respond (exchange, self->grants, self->creation_content);
    }
  else if (g_strcmp0 (type, "terminate") == 0)
    {
      release_all_but (self, 1);
      bosh_test_exchange_respond (exchange, "type='terminate'", "");
    }
  else if (bosh_test_exchange_get_attribute (exchange, "pause") != NULL)
    {
      release_all_but (self, 0);
    }
  else if (bosh_element_get_attribute_ns (exchange->body, "restart", NS_XBOSH) != NULL)
    {
      release_all_but (self, 1);
      bosh_test_exchange_respond (exchange, "", BOSH_TEST_FEATURES);
    }
  else
    {
      if (self->undelivered->len > 0)
        {
          g_autofree char *content = g_strdup (self->undelivered->str);

          g_string_truncate (self->undelivered, 0);
          bosh_test_exchange_respond (find_held (self), "", content);
        }
      release_all_but (self, 1);
    }
}

static void
on_request (BoshTestPeer          *peer,
            const BoshTestRequest *request,
            gpointer               user_data)
{
  BoshTestManager *self = user_data;
  BoshTestExchange *exchange = exchange_new (peer, request);

  g_ptr_array_add (self->exchanges, exchange);
  if (self->script != NULL && self->script (self, exchange, self->user_data))
    return;

  if (self->automatic)
    handle_automatically (self, exchange);
}

BoshTestManager *
bosh_test_manager_new (GTlsCertificate *certificate)
{
  BoshTestManager *self = g_new0 (BoshTestManager, 1);

  self->server = bosh_test_server_new (certificate, on_request, self);
  self->exchanges = g_ptr_array_new_with_free_func (exchange_free);
  self->undelivered = g_string_new (NULL);
  bosh_test_manager_set_grants (self, BOSH_TEST_GRANTS, BOSH_TEST_FEATURES);

  return self;
}

void
bosh_test_manager_free (BoshTestManager *self)
{
  bosh_test_server_free (self->server);
  g_ptr_array_unref (self->exchanges);
  g_string_free (self->undelivered, TRUE);
  g_free (self->grants);
  g_free (self->creation_content);
  g_free (self);
}

guint
bosh_test_manager_get_port (BoshTestManager *self)
{
  return bosh_test_server_get_port (self->server);
}

const char *
bosh_test_manager_get_uri (BoshTestManager *self,
                           gboolean         secure)
{
  return bosh_test_server_get_uri (self->server, secure);
}

void
bosh_test_manager_set_certificate (BoshTestManager *self,
                                   GTlsCertificate *certificate)
{
  bosh_test_server_set_certificate (self->server, certificate);
}

void
bosh_test_manager_set_script (BoshTestManager *self,
                              BoshTestScript   script,
                              gpointer         user_data)
{
  self->script = script;
  self->user_data = user_data;
}

void
bosh_test_manager_set_automatic (BoshTestManager *self,
                                 gboolean         automatic)
{
  self->automatic = automatic;
}

void
bosh_test_manager_set_grants (BoshTestManager *self,
                              const char      *grants,
                              const char      *content)
{
  g_free (self->grants);
  self->grants = g_strdup (grants);
  g_free (self->creation_content);
  self->creation_content = g_strdup (content);
}

void
bosh_test_manager_deliver (BoshTestManager *self,
                           const char      *content)
{
  BoshTestExchange *held = find_held (self);

  if (held != NULL)
    bosh_test_exchange_respond (held, "", content);
  else
    g_string_append (self->undelivered, content);
}

GPtrArray *
bosh_test_manager_get_exchanges (BoshTestManager *self)
{
  return self->exchanges;
}

guint
bosh_test_manager_get_n_held (BoshTestManager *self)
{
  guint n_held = 0;

  for (guint i = 0; i < self->exchanges->len; i++)
    n_held += exchange_is_held (g_ptr_array_index (self->exchanges, i)) ? 1 : 0;

  return n_held;
}

gboolean
bosh_test_manager_has_request (BoshTestManager *self)
{
  return self->exchanges->len > self->n_taken;
}

BoshTestExchange *
bosh_test_manager_take (BoshTestManager *self)
{
  bosh_test_await (bosh_test_manager_has_request (self));

  return g_ptr_array_index (self->exchanges, self->n_taken++);
}

const char *
bosh_test_exchange_get_line (BoshTestExchange *self)
{
  return self->line;
}

char *
bosh_test_exchange_dup_header (BoshTestExchange *self,
                               const char       *name)
{
  return bosh_test_request_dup_header (self->request, name);
}

GBytes *
bosh_test_exchange_get_bytes (BoshTestExchange *self)
{
  return self->request->body;
}

BoshElement *
bosh_test_exchange_get_body (BoshTestExchange *self)
{
  return self->body;
}

const char *
bosh_test_exchange_get_attribute (BoshTestExchange *self,
                                  const char       *name)
{
  g_assert_nonnull (self->body);

  return bosh_element_get_attribute (self->body, name);
}

guint64
bosh_test_exchange_get_rid (BoshTestExchange *self)
{
  const char *rid = bosh_test_exchange_get_attribute (self, "rid");

  g_assert_nonnull (rid);

  return g_ascii_strtoull (rid, NULL, 10);
}

guint
bosh_test_exchange_get_connection (BoshTestExchange *self)
{
  return self->request->connection;
}

gboolean
bosh_test_exchange_has_response (BoshTestExchange *self)
{
  return self->has_response;
}

gboolean
bosh_test_exchange_is_gone (BoshTestExchange *self)
{
  return bosh_test_peer_is_closed (self->peer);
}

void
bosh_test_exchange_respond (BoshTestExchange *self,
                            const char       *attributes,
                            const char       *content)
{
  self->response = g_strdup_printf ("<body xmlns='" NS_HTTPBIND "' %s>%s</body>",
                                    attributes, content);
  bosh_test_exchange_reply (self, 200, NULL, self->response);
}

gboolean
bosh_test_exchange_log_in (BoshTestExchange *self,
                           const char       *jid)
{
  BoshElement *child = bosh_element_get_nth_child (self->body, 0);
  g_autofree char *content = NULL;

  if (bosh_element_get_attribute_ns (self->body, "restart", NS_XBOSH) != NULL)
    content = g_strdup ("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"
                        "<bind xmlns='" NS_BIND "'/></stream:features>");
  else if (child != NULL && bosh_element_matches (child, "auth", NS_SASL))
    content = g_strdup ("<success xmlns='" NS_SASL "'/>");
  else if (child != NULL && bosh_element_get_child (child, "bind", NS_BIND) != NULL)
    content = g_strdup_printf ("<iq xmlns='jabber:client' type='result' id='%s'>"
                               "<bind xmlns='" NS_BIND "'><jid>%s</jid></bind></iq>",
                               bosh_element_get_attribute (child, "id"), jid);
  if (content == NULL)
    return FALSE;

  bosh_test_exchange_respond (self, "", content);

  return TRUE;
}

void
bosh_test_exchange_reply (BoshTestExchange *self,
                          guint             status,
                          const char       *headers,
                          const char       *text)
{
  g_assert_false (self->has_response);

  self->has_response = TRUE;
  bosh_test_peer_reply (self->peer, status, headers, text);
}

void
bosh_test_exchange_write (BoshTestExchange *self,
                          GBytes           *bytes,
                          guint             times)
{
  self->has_response = TRUE;
  bosh_test_peer_write_bytes (self->peer, bytes, times);
}

void
bosh_test_exchange_write_text (BoshTestExchange *self,
                               const char       *text)
{
  self->has_response = TRUE;
  bosh_test_peer_write (self->peer, text);
}

void
bosh_test_exchange_close (BoshTestExchange *self)
{
  self->has_response = TRUE;
  bosh_test_peer_close (self->peer);
}

void
bosh_test_exchange_reset (BoshTestExchange *self)
{
  self->has_response = TRUE;
  bosh_test_peer_reset (self->peer);
}
