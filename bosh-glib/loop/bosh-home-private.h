/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-owner-private.h"

G_BEGIN_DECLS

/* The main context in which an object does its I/O, and the thread that uses it. All of
 * the object is used there. Only its last reference may be dropped in any thread, as
 * garbage collectors do. */
typedef struct
{
  GMainContext *context;
  GThread      *thread;   /* atomic; that was seen last in the context */
} BoshHome;

/* The thread-default main context of this thread becomes the home. */
void bosh_home_init  (BoshHome      *self);
void bosh_home_clear (BoshHome      *self);

/* To be called in the context, for its loop may be run by another thread than before. */
void bosh_home_enter (BoshHome      *self);

/* Calls @end with @data, which takes down what has its home here: at once in the thread
 * of the context, and from another thread by a source of the context. A context that is
 * not iterated any more keeps all that waits in it, and never calls @end. */
void bosh_home_leave (BoshHome       *self,
                      GDestroyNotify  end,
                      gpointer        data);

/* To be called when @object, which has its home here, is disposed of in another thread, with
 * what knows it here. FALSE if @object is being used here: then its last reference is
 * dropped in the context, and it is disposed of there. */
gboolean bosh_home_leave_owner (BoshHome  *self,
                                BoshOwner *owner,
                                gpointer   object);

/* Is this the thread that uses the context? */
gboolean bosh_home_is_here (BoshHome *self);

G_END_DECLS
