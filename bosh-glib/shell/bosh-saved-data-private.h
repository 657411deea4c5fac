/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-session-private.h"

G_BEGIN_DECLS

/* What a BoshSavedSession holds, and its form as JSON. */
typedef struct
{
  char             *uri;
  char             *jid;      /* nullable */
  BoshSessionSnapshot *saved;
  GStrv             cookies;
} BoshSavedData;

/* A session of which no more is known than this; the rest takes cautious
 * values. The domain is that of @jid. */
void      bosh_saved_data_init      (BoshSavedData        *self,
                                        const char              *uri,
                                        const char              *jid,
                                        const char              *session_id,
                                        guint64                  request_id);
void      bosh_saved_data_clear     (BoshSavedData        *self);

char     *bosh_saved_data_to_json   (const BoshSavedData  *self);
/* Fills what bosh_saved_data_init() made with what @json says; all of it is
 * checked. Fails with BOSH_ERROR_INVALID_DATA; @self is then half filled. */
gboolean  bosh_saved_data_read_json (BoshSavedData        *self,
                                        const char              *json,
                                        GError                 **error);

G_END_DECLS
