/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

typedef enum
{
  /* It is no iq at all. */
  BOSH_IQ_NONE,
  /* Of type `result` or `error`. It must not have a reply (RFC 6120 §8.2.3). */
  BOSH_IQ_RESPONSE,
  /* Of type `get` or `set`, with an id and exactly one child. */
  BOSH_IQ_REQUEST,
  /* Any other. An application does not see it, but it has a reply. */
  BOSH_IQ_MALFORMED,
} BoshIqKind;

/* What kind of iq an element is, by RFC 6120 §8.2.3. An element without a
 * namespace is taken to be in jabber:client. */
BoshIqKind   bosh_iq_get_kind          (BoshElement *element);

/* Makes the reply to a request, or to a malformed one, that the application did
 * not reply to itself: a ping has a result (XEP-0199), all others an error. */
BoshElement *bosh_iq_reply_new_default (BoshElement *request);

/* Makes the reply to a request of which only the attributes are known, as the rest was too
 * large. Returns NULL if @stub is no request. */
BoshElement *bosh_iq_reply_new_refusal (BoshElement  *stub,
                                        const GError *reason);

G_END_DECLS
