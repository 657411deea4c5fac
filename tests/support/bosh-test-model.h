/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "simulation/model-manager.h"

G_BEGIN_DECLS

/* The connection manager of the simulation behind HTTP, in real time: on a free
 * port of 127.0.0.1, in the default main context. It checks that the messages
 * of the client come once and in order, by their ids: 0, 1, 2, … */
typedef struct _BoshTestModel BoshTestModel;

/* A creation request has features in its response. */
BoshTestModel *bosh_test_model_new            (const ModelOptions *options);
void           bosh_test_model_free           (BoshTestModel      *self);
guint          bosh_test_model_get_port       (BoshTestModel      *self);
/* From now on, breaks every @n-th exchange, in turn by a reset before the request
 * is looked at, a reset instead of the response, half a response, and status 502.
 * 0: breaks none. */
void           bosh_test_model_break_every    (BoshTestModel      *self,
                                               guint               n);
guint          bosh_test_model_get_n_broken   (BoshTestModel      *self);
/* Sends so many messages to the client, with ids as above. */
void           bosh_test_model_send           (BoshTestModel      *self,
                                               guint               n);
/* How many messages it ever sent and got, and how many requests came. */
guint          bosh_test_model_get_n_sent     (BoshTestModel      *self);
guint          bosh_test_model_get_n_received (BoshTestModel      *self);
guint          bosh_test_model_get_n_requests (BoshTestModel      *self);
/* As model_manager_get_end(). */
const char    *bosh_test_model_get_end        (BoshTestModel      *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshTestModel, bosh_test_model_free)

G_END_DECLS
