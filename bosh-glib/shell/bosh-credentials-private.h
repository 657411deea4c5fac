/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-sasl-private.h"

G_BEGIN_DECLS

/* What a login is made with: the one place where a password is kept, for the
 * time of a login, or for as long as a client may have to log in again. Secrets
 * are kept in memory that is not swapped, and are cleared with the last
 * reference. It belongs to one thread. */
typedef struct _BoshCredentials BoshCredentials;

/* Names are prepared as those of JIDs; what can't be one stays as it is. */
BoshCredentials    *bosh_credentials_new_password        (const char *username,
                                                          const char *password,
                                                          const char *resource);
BoshCredentials    *bosh_credentials_new_anonymous       (const char          *resource);
/* @authorization_id: nullable */
BoshCredentials    *bosh_credentials_new_external        (const char *authorization_id,
                                                          const char *resource);
BoshCredentials    *bosh_credentials_ref                 (BoshCredentials     *self);
void                bosh_credentials_unref               (BoshCredentials     *self);

BoshSaslCredentials bosh_credentials_get_kind            (BoshCredentials     *self);
/* The authorization identity for EXTERNAL; nullable there. */
const char         *bosh_credentials_get_username        (BoshCredentials     *self);
/* NULL where the kind has none. */
const char         *bosh_credentials_get_password        (BoshCredentials     *self);
/* NULL where the server shall choose one. */
const char         *bosh_credentials_get_resource        (BoshCredentials     *self);

/* The result of the costly part of SCRAM (RFC 5802 §5.1), with which the next
 * login goes without it as long as the server keeps its salt. Nullable. */
const char         *bosh_credentials_get_salted_password (BoshCredentials     *self);
void                bosh_credentials_set_salted_password (BoshCredentials *self,
                                                          const char      *salted_password);

/* The mechanism of the last login that succeeded with these, a static string, or NULL
 * before the first. */
const char         *bosh_credentials_get_weakest         (BoshCredentials     *self);
void                bosh_credentials_set_weakest         (BoshCredentials *self,
                                                          const char      *mechanism);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshCredentials, bosh_credentials_unref)

G_END_DECLS
