/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* The cookies of one session, by which load balancers route its requests to the same
 * back end. Their number and size are limited. */
typedef struct _BoshCookies BoshCookies;

BoshCookies *bosh_cookies_new        (void);
void         bosh_cookies_free       (BoshCookies        *self);

/* Takes the cookies that the response to @message, which came from @uri, sets. */
void         bosh_cookies_take       (BoshCookies *self,
                                      GUri        *uri,
                                      SoupMessage *message);
/* Returns the value of the header Cookie for a request to @uri, or NULL if there is
 * no cookie for it. */
char        *bosh_cookies_dup_header (BoshCookies *self,
                                      GUri        *uri);

/* The cookies that apply to @uri (nullable), as values of Set-Cookie. */
GStrv        bosh_cookies_dup_list   (BoshCookies *self,
                                      GUri        *uri);
void         bosh_cookies_add        (BoshCookies        *self,
                                      GUri               *uri,
                                      const char * const *cookies);

G_END_DECLS
