/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

/* The names and places of an authentication in XML, without any behaviour. */
typedef struct
{
  const char *ns;
  /* The stream feature that lists the mechanisms. */
  const char *feature;
  /* The element with the first message, and the child that has its data. NULL if
   * the element itself has it. */
  const char *start;
  const char *initial_response;
  /* The same for the data of `<success/>`. */
  const char *additional_data;
  /* The stream must be restarted after success. */
  gboolean    restarts;
} BoshLoginProfile;

/* RFC 6120 §6. */
extern const BoshLoginProfile bosh_login_profile_sasl;
/* XEP-0388: the new features follow success without a restart, and a resource can
 * be bound together with the authentication (XEP-0386). */
extern const BoshLoginProfile bosh_login_profile_sasl2;

/* The mechanisms that the features list for this profile; there may be none. */
GStrv        bosh_login_profile_dup_mechanisms (const BoshLoginProfile  *self,
                                                BoshElement             *features);
/* TRUE if the server offers to bind a resource together with the authentication. */
gboolean     bosh_login_profile_can_bind       (const BoshLoginProfile  *self,
                                                BoshElement             *features);

/* @data is the output of bosh_sasl_step() (transfer full), which is cleared. */
BoshElement *bosh_login_profile_new_start      (const BoshLoginProfile  *self,
                                                const char              *mechanism,
                                                char                    *data,
                                                gboolean                 bind);
BoshElement *bosh_login_profile_new_response   (const BoshLoginProfile  *self,
                                                char                    *data);
BoshElement *bosh_login_profile_new_abort      (const BoshLoginProfile  *self);

/* The data of @success, or NULL if it has none. */
char        *bosh_login_profile_dup_data       (const BoshLoginProfile  *self,
                                                BoshElement             *success);
/* TRUE if a resource was bound with the authentication. Then @jid receives the
 * address that the server gave (nullable). */
gboolean     bosh_login_profile_is_bound       (const BoshLoginProfile  *self,
                                                BoshElement             *success,
                                                char                   **jid);

G_END_DECLS
