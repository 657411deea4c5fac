/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-test-site.h"

#include <string.h>

#define SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define BIND "urn:ietf:params:xml:ns:xmpp-bind"
#define BODY "<body xmlns='http://jabber.org/protocol/httpbind' "                  \
             "xmlns:stream='http://etherx.jabber.org/streams'"

gboolean
bosh_test_request_is_for (const BoshTestRequest *request,
                          const char            *path)
{
  g_autofree char *line = g_strdup_printf ("GET %s HTTP/1.1\r\n", path);

  return g_str_has_prefix (request->head, line);
}

static void
respond (BoshTestPeer *peer,
         const char   *content)
{
  g_autofree char *text = g_strconcat (BODY ">", content, "</body>", NULL);

  bosh_test_peer_reply (peer, 200, NULL, text);
}

static void
manage_connection (BoshTestPeer          *peer,
                   const BoshTestRequest *request)
{
  gsize length;
  const char *data = g_bytes_get_data (request->body, &length);
  g_autofree char *text = g_strndup (data, length);

  if (strstr (text, "type='terminate'") != NULL)
    bosh_test_peer_reply (peer, 200, NULL, BODY " type='terminate'/>");
  else if (strstr (text, "sid=") == NULL)
    bosh_test_peer_reply (peer, 200, NULL,
                          BODY " sid='s1' wait='60' hold='1' requests='2' inactivity='30' "
                               "ver='1.6'><stream:features><mechanisms xmlns='" SASL "'>"
                               "<mechanism>PLAIN</mechanism></mechanisms></stream:features></body>");
  else if (strstr (text, "<auth ") != NULL)
    respond (peer, "<success xmlns='" SASL "'/>");
  else if (strstr (text, "restart='true'") != NULL)
    respond (peer, "<stream:features><bind xmlns='" BIND "'/></stream:features>");
  else if (strstr (text, "<bind ") != NULL)
    respond (peer, "<iq xmlns='jabber:client' type='result' id='bosh-login-bind'><bind xmlns='" BIND "'>"
                   "<jid>alice@localhost/x</jid></bind></iq>");
  else if (strstr (text, "<iq ") != NULL || strstr (text, "<message ") != NULL)
    respond (peer, "");
}

static gboolean
is_post_to (const BoshTestRequest *request,
            const char            *path)
{
  g_autofree char *line = g_strdup_printf ("POST %s HTTP/1.1\r\n", path != NULL ? path : "");

  return path != NULL && g_str_has_prefix (request->head, line);
}

static void
on_request (BoshTestPeer          *peer,
            const BoshTestRequest *request,
            gpointer               user_data)
{
  BoshTestSite *site = user_data;

  if (is_post_to (request, site->slow))
    {
      site->waiting = peer;
      return;
    }
  if (is_post_to (request, site->dead))
    {
      bosh_test_peer_reply (peer, 404, NULL, "<html/>");
      return;
    }
  if (g_str_has_prefix (request->head, "POST "))
    {
      manage_connection (peer, request);
      return;
    }

  for (const BoshTestPage *page = site->pages; page->path != NULL; page++)
    {
      if (!bosh_test_request_is_for (request, page->path))
        continue;
      if (page->status == 1)
        {
          bosh_test_peer_write (peer, page->body);
          if (page->data != NULL)
            bosh_test_peer_write_bytes (peer, page->data, 1);
        }
      else if (page->status != 0)
        bosh_test_peer_reply (peer, page->status, page->headers,
                              page->body != NULL ? page->body : "");
      return;
    }

  bosh_test_peer_reply (peer, 404, NULL, "<html/>");
}

void
bosh_test_site_init (BoshTestSite       *site,
                     const BoshTestTls  *tls,
                     GTlsCertificate    *certificate,
                     const BoshTestPage *pages)
{
  site->tls = tls;
  site->pages = pages;
  site->server = bosh_test_server_new (certificate != NULL ? certificate : tls->server, on_request, site);
  site->proxy = bosh_test_proxy_new (BOSH_TEST_PROXY_HTTP);
  bosh_test_proxy_set_destination (site->proxy, bosh_test_server_get_port (site->server));
  site->resolver = bosh_test_proxy_new_resolver (site->proxy);
}

void
bosh_test_site_clear (BoshTestSite *site)
{
  g_clear_object (&site->resolver);
  g_clear_pointer (&site->proxy, bosh_test_proxy_free);
  g_clear_pointer (&site->server, bosh_test_server_free);
}

BoshConnectionConfiguration *
bosh_test_site_new_template (BoshTestSite *site)
{
  return g_object_new (BOSH_TYPE_CONNECTION_CONFIGURATION,
                       "tls-database", site->tls->database,
                       "proxy-resolver", site->resolver,
                       "language", "fr",
                       "wait", 33,
                       NULL);
}
