/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-http-cookies-private.h"

#include "bosh-limits-private.h"
#include "bosh-session-snapshot-private.h"

#include <string.h>

struct _BoshCookies
{
  SoupCookieJar *jar;    /* not added to the SoupSession: a feature costs something in
                          * each exchange */
  gboolean has_cookies;  /* once there was a cookie; without one the jar isn't asked */
};

BoshCookies *
bosh_cookies_new (void)
{
  BoshCookies *self = g_new0 (BoshCookies, 1);

  self->jar = soup_cookie_jar_new ();

  return self;
}

void
bosh_cookies_free (BoshCookies *self)
{
  g_object_unref (self->jar);
  g_free (self);
}

/* SoupCookieJar has no limits. */
static void
drop_excess (BoshCookies *self)
{
  GSList *cookies = soup_cookie_jar_all_cookies (self->jar);
  guint n_kept = 0;

  for (GSList *l = cookies; l != NULL; l = l->next)
    {
      SoupCookie *cookie = l->data;
      const char *path = soup_cookie_get_path (cookie);
      gsize size = strlen (soup_cookie_get_name (cookie)) +
                   strlen (soup_cookie_get_value (cookie)) +
                   (path != NULL ? strlen (path) : 0);

      if (size > BOSH_SESSION_MAX_COOKIE_SIZE || n_kept >= BOSH_SESSION_MAX_COOKIES)
        soup_cookie_jar_delete_cookie (self->jar, cookie);
      else
        n_kept++;
    }

  soup_cookies_free (cookies);
}

void
bosh_cookies_take (BoshCookies *self,
                   GUri        *uri,
                   SoupMessage *message)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);
  g_autoptr(GSList) cookies = NULL;

  /* get_one() returns NULL if the header is there twice. */
  if (soup_message_headers_get_one (headers, "Set-Cookie") == NULL &&
      soup_message_headers_get_list (headers, "Set-Cookie") == NULL)
    return;

  /* The jar takes ownership of each cookie. */
  cookies = soup_cookies_from_response (message);
  for (GSList *l = cookies; l != NULL; l = l->next)
    soup_cookie_jar_add_cookie_full (self->jar, l->data, uri, NULL);

  drop_excess (self);
  self->has_cookies = TRUE;
}

char *
bosh_cookies_dup_header (BoshCookies *self,
                         GUri        *uri)
{
  return self->has_cookies ? soup_cookie_jar_get_cookies (self->jar, uri, TRUE) : NULL;
}

GStrv
bosh_cookies_dup_list (BoshCookies *self,
                       GUri        *uri)
{
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new ();
  GSList *cookies = NULL;

  if (uri != NULL)
    cookies = soup_cookie_jar_get_cookie_list (self->jar, uri, TRUE);

  for (GSList *l = cookies; l != NULL; l = l->next)
    {
      SoupCookie *cookie = l->data;
      const char *domain = soup_cookie_get_domain (cookie);
      g_autofree char *header = NULL;

      /* RFC 6265 §5.3: libsoup marks a cookie for subdomains by a dot. One without
       * it is for this host alone, and remains so only if no domain is written. */
      if (domain != NULL && *domain != '.')
        soup_cookie_set_domain (cookie, NULL);

      header = soup_cookie_to_set_cookie_header (cookie);
      if (bosh_session_is_cookie (header))
        g_strv_builder_add (builder, header);
    }

  soup_cookies_free (cookies);

  return g_strv_builder_end (builder);
}

void
bosh_cookies_add (BoshCookies        *self,
                  GUri               *uri,
                  const char * const *cookies)
{
  for (gsize i = 0; cookies[i] != NULL; i++)
    soup_cookie_jar_set_cookie (self->jar, uri, cookies[i]);

  drop_excess (self);
  self->has_cookies = TRUE;
}
