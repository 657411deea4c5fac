/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A certificate authority of our own, and what it has signed, made anew in a
 * temporary directory. */
typedef struct
{
  char            *directory;
  char            *authority_path;  /* PEM; for nginx, curl and the like */
  GTlsDatabase    *database;        /* trusts the authority */
  GTlsCertificate *server;          /* for localhost and 127.0.0.1 */
  char            *server_path;     /* PEM, and the key as server.key beside it */
  GTlsCertificate *other_server;    /* the same names, another certificate */
  GTlsCertificate *other_host;      /* for other.example */
  GTlsCertificate *expired;         /* for localhost and 127.0.0.1, in the past */
  GTlsCertificate *untrusted;       /* the same names, signed by itself */
  GTlsCertificate *client;          /* CN=romeo */
} BoshTestTls;

BoshTestTls   *bosh_test_tls_new         (void);
void           bosh_test_tls_free        (BoshTestTls    *self);

/* nginx with TLS on a free port of 127.0.0.1, with @location as the content of
 * `location /`. */
typedef struct _BoshTestNginx BoshTestNginx;

/* NULL, with the test marked as skipped, or as failed where CI is `true`, if
 * nginx is not installed. */
BoshTestNginx *bosh_test_nginx_new       (BoshTestTls    *tls,
                                          const char     *location);
void           bosh_test_nginx_free      (BoshTestNginx  *self);
guint          bosh_test_nginx_get_port  (BoshTestNginx  *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshTestTls, bosh_test_tls_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshTestNginx, bosh_test_nginx_free)

G_END_DECLS
