/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* XEP-0124 §5: the headers of a response. */

#include "config.h"

#include "bosh-test-http.h"
#include "bosh-test-transport.h"

#include <string.h>

#define BODY "<body xmlns='http://jabber.org/protocol/httpbind'>é</body>"

static void
respond_with_headers (BoshTestPeer          *peer,
                      const BoshTestRequest *request,
                      gpointer               user_data)
{
  const char **headers = user_data;

  bosh_test_peer_reply (peer, 200, *headers, BODY);
}

/* Each response is read as if it had no such headers, and the connection is used
 * again. */
static void
check_headers (const char * const *headers,
               gsize               n_headers)
{
  const char *current = NULL;
  g_autoptr(BoshTestServer) server = bosh_test_server_new (NULL, respond_with_headers, &current);
  g_autoptr(BoshTestPoster) client = NULL;

  client = bosh_test_poster_new_for_port (bosh_test_server_get_port (server));
  for (gsize i = 0; i < n_headers; i++)
    {
      const BoshTestOutcome *outcome;

      current = headers[i];
      outcome = bosh_test_poster_exchange (client, i + 1, "x");
      bosh_test_assert_body (outcome, BODY);
      g_assert_cmpuint (outcome->status, ==, 200);
      g_assert_cmpint (outcome->retry_after, ==, -1);
      g_assert_null (outcome->location);
    }
  g_assert_cmpuint (bosh_test_server_get_n_accepted (server), ==, 1);
}

static void
test_unknown_headers (void)
{
  static const char * const headers[] = {
    "X-Powered-By: a phone box\r\n",
    "Access-Control-Allow-Origin: *\r\nAccess-Control-Max-Age: 86400\r\n",
    "Unheard-Of:\r\nUnheard-Of: twice\r\nunheard-of: three times\r\n",
    "Connection: keep-alive\r\nKeep-Alive: timeout=5, max=100\r\n",
    "Content-Language: tlh\r\nWarning: 299 - \"strange\"\r\nLink: </x>; rel=y\r\n",
    "Refresh: 0; url=http://127.0.0.1:9/\r\nUpgrade-Insecure-Requests: 1\r\n",
    "WWW-Authenticate: Basic realm=\"not asked for\"\r\n",
  };

  g_test_summary ("R02 (XEP-0124 §5): headers that are not known are ignored");

  check_headers (headers, G_N_ELEMENTS (headers));
}

static void
test_content_type (void)
{
  static const char * const headers[] = {
    "",
    "Content-Type: text/xml; charset=utf-8\r\n",
    "Content-Type: text/xml; charset=iso-8859-1\r\n",
    "Content-Type: text/html\r\n",
    "Content-Type: application/json; charset=utf-16\r\n",
    "Content-Type: multipart/mixed; boundary=body\r\n",
    "Content-Type: image/png\r\n",
    "Content-Type: ;;;\r\n",
  };

  g_test_summary ("R08 (XEP-0124 §5): the Content-Type of a response is ignored");

  check_headers (headers, G_N_ELEMENTS (headers));
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/transport/rules/unknown-headers", test_unknown_headers);
  g_test_add_func ("/bosh/transport/rules/content-type", test_content_type);

  return g_test_run ();
}
