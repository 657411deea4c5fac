/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* The cookies of one session, which route its requests to the same back end. Of what
 * a server sends only so much is kept. */
typedef struct _BoshCookies BoshCookies;

BoshCookies *bosh_cookies_new        (void);
void         bosh_cookies_free       (BoshCookies        *self);

/* Takes what the answer to @message, which came from @uri, sets. */
void         bosh_cookies_take       (BoshCookies        *self,
                                      GUri               *uri,
                                      SoupMessage        *message);
/* The value of `Cookie` for a request to @uri; NULL for none. */
char        *bosh_cookies_dup_header (BoshCookies        *self,
                                      GUri               *uri);

/* Those that apply to @uri (nullable), as values for `Set-Cookie`. */
GStrv        bosh_cookies_dup_list   (BoshCookies        *self,
                                      GUri               *uri);
void         bosh_cookies_add        (BoshCookies        *self,
                                      GUri               *uri,
                                      const char * const *cookies);

G_END_DECLS
