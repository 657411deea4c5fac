/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

/* How an authentication is written in XML: names and places, no behaviour. */
typedef struct
{
  const char *ns;
  /* The stream feature that has the mechanisms. */
  const char *feature;
  /* The element with the first message, and the child that has its data; NULL:
   * the element has it itself. */
  const char *start;
  const char *initial_response;
  /* The same for the data of `<success/>`. */
  const char *additional_data;
  /* Must the stream be restarted after success? */
  gboolean    restarts;
} BoshLoginProfile;

/* RFC 6120 §6. */
extern const BoshLoginProfile bosh_login_profile_sasl;
/* XEP-0388: the new features follow success without a restart, and a resource
 * can be bound with it (XEP-0386). */
extern const BoshLoginProfile bosh_login_profile_sasl2;

/* Those that the features have for this profile; perhaps none. */
GStrv        bosh_login_profile_dup_mechanisms (const BoshLoginProfile  *self,
                                                BoshElement             *features);
/* Can a resource be bound together with the authentication? */
gboolean     bosh_login_profile_can_bind       (const BoshLoginProfile  *self,
                                                BoshElement             *features);

/* @data is as bosh_sasl_step() gives it: it is taken, and cleared. */
BoshElement *bosh_login_profile_new_start      (const BoshLoginProfile  *self,
                                                const char              *mechanism,
                                                char                    *data,
                                                gboolean                 bind);
BoshElement *bosh_login_profile_new_response   (const BoshLoginProfile  *self,
                                                char                    *data);
BoshElement *bosh_login_profile_new_abort      (const BoshLoginProfile  *self);

/* The data of @success, or NULL where it has none. */
char        *bosh_login_profile_dup_data       (const BoshLoginProfile  *self,
                                                BoshElement             *success);
/* Was a resource bound with it? @jid (nullable) is what the server calls us then. */
gboolean     bosh_login_profile_is_bound       (const BoshLoginProfile  *self,
                                                BoshElement             *success,
                                                char                   **jid);

G_END_DECLS
