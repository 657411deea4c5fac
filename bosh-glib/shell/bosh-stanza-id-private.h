/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

/* The stanza to be sent: with an id, where that is needed to tell which stanza an error or a
 * response belongs to (RFC 6120 §8.1.3), and the application gave none. It is @stanza itself,
 * or a copy if that is sealed. Returns: (transfer full) */
BoshElement *bosh_stanza_id_ensure (BoshElement *stanza);

G_END_DECLS
