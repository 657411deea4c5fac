/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-reconnect-private.h"

G_BEGIN_DECLS

/* The addresses at which a client without a URI looks for a session. A round is one
 * attempt to get one: first the address that the client had before, then, if that does
 * not work any more, all that the domain announces now (XEP-0156), each once and in order.
 * Without I/O: it says what to do next, and is told what came of it. */
typedef struct _BoshAddresses BoshAddresses;

typedef enum
{
  /* Connect to the address. */
  BOSH_ADDRESSES_TRY,
  /* Ask the domain for its addresses. */
  BOSH_ADDRESSES_LOOK_UP,
  /* Nothing is left in this round. */
  BOSH_ADDRESSES_GIVE_UP,
} BoshAddressesStep;

BoshAddresses     *bosh_addresses_new          (const char         *domain);
void               bosh_addresses_free         (BoshAddresses      *self);

/* Begins a round. @current is the address that the client has, or NULL. */
void               bosh_addresses_begin        (BoshAddresses *self,
                                                const char    *current);
/* What to do next, with the address of TRY in @uri (transfer full). */
BoshAddressesStep  bosh_addresses_next         (BoshAddresses  *self,
                                                char          **uri);
/* After LOOK_UP: the domain announces @uri. */
void               bosh_addresses_add_found    (BoshAddresses *self,
                                                const char    *uri);
/* It did not work at @uri, or the domain could not be asked where that is NULL. */
void               bosh_addresses_take_failure (BoshAddresses *self,
                                                const char    *uri,
                                                BoshErrorKind  kind,
                                                const GError  *error);
/* After GIVE_UP: the error of the round, in which one more attempt has a chance if it has
 * one at any of the addresses. Its message names all that was tried. */
GError            *bosh_addresses_dup_error    (BoshAddresses *self,
                                                BoshErrorKind *kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshAddresses, bosh_addresses_free)

G_END_DECLS
