/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-session-private.h"

G_BEGIN_DECLS

/* What a BoshDetachedSession holds, and its form as JSON. */
typedef struct
{
  char             *uri;
  char             *jid;      /* nullable */
  BoshSavedSession *saved;
  GStrv             cookies;
} BoshDetachedData;

/* A session of which no more is known than this; the rest takes cautious
 * values. The domain is that of @jid. */
void      bosh_detached_data_init      (BoshDetachedData        *self,
                                        const char              *uri,
                                        const char              *jid,
                                        const char              *session_id,
                                        guint64                  request_id);
void      bosh_detached_data_clear     (BoshDetachedData        *self);

char     *bosh_detached_data_to_json   (const BoshDetachedData  *self);
/* Fills what bosh_detached_data_init() made with what @json says; all of it is
 * checked. Fails with BOSH_ERROR_INVALID_DATA; @self is then half filled. */
gboolean  bosh_detached_data_read_json (BoshDetachedData        *self,
                                        const char              *json,
                                        GError                 **error);

G_END_DECLS
