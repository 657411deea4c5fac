/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-transport-private.h"

G_BEGIN_DECLS

/* What one callback of the transport has reported. */
typedef struct
{
  guint64   id;
  GError   *error;
  gboolean  maybe_sent;
  guint     status;
  GBytes   *body;
  char     *location;
  int       retry_after;
} BoshTestOutcome;

/* A transport that keeps account of its callbacks, which must come in the thread
 * that made it. */
typedef struct
{
  BoshTransport *transport;
  BoshInnerContext *inner;
  GThread       *thread;
  GPtrArray     *outcomes;         /* of BoshTestOutcome */
  guint          n_written;
  guint          n_progress;
  guint          n_reposts;        /* times to post again from the callback */
  gboolean       free_in_response;
  gboolean       free_in_written;

  gboolean       accepts;          /* certificates that can't be verified */
  gboolean       free_in_question;
  guint          n_questions;
  GTlsCertificate *asked_certificate;
  GTlsCertificateFlags asked_errors;
} BoshTestPoster;

BoshTestPoster        *bosh_test_poster_new           (BoshConnectionConfiguration *configuration);
void                   bosh_test_poster_free          (BoshTestPoster              *self);
/* http to 127.0.0.1, all else as by default. */
BoshTestPoster        *bosh_test_poster_new_for_port  (guint                        port);
void                   bosh_test_poster_post          (BoshTestPoster *self,
                                                       guint64         id,
                                                       const char     *body);
/* Posts, and runs the default context until there is one more outcome. */
const BoshTestOutcome *bosh_test_poster_exchange      (BoshTestPoster *self,
                                                       guint64         id,
                                                       const char     *body);
const BoshTestOutcome *bosh_test_poster_get_outcome   (BoshTestPoster *self,
                                                       guint           index);

void                   bosh_test_assert_body          (const BoshTestOutcome *outcome,
                                                       const char            *expected);

void                   bosh_test_assert_failed        (const BoshTestOutcome *outcome,
                                                       GQuark                 domain,
                                                       int                    code,
                                                       gboolean               maybe_sent);

/* The most memory that the process had since the last reset, in bytes: 0 where
 * it is not to be had, or says nothing (under valgrind or with ASan). */
void                   bosh_test_reset_peak_memory    (void);
gsize                  bosh_test_get_peak_memory      (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshTestPoster, bosh_test_poster_free)

G_END_DECLS
