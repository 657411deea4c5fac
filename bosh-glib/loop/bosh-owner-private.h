/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* A pointer from what runs in a main context to the object that owns it, whose last
 * reference may be dropped in any thread.
 *
 * GWeakRef would do, but before GLib 2.80 it takes the reference under a lock of the whole
 * process, and under that lock a toggle reference is notified. PyGObject waits there for
 * the lock of the interpreter, which the thread may have that drops the last reference and
 * waits for the lock of GWeakRef. Here nothing waits. */
typedef struct _BoshOwner BoshOwner;

/* The object while it is held: at least until bosh_owner_release(). */
typedef struct _BoshOwner BoshHeldOwner;

BoshOwner     *bosh_owner_new     (gpointer       object);
BoshOwner     *bosh_owner_ref     (BoshOwner     *self);
void           bosh_owner_unref   (BoshOwner     *self);

/* Takes a reference to the object, in the thread of the context. Returns: (nullable): NULL
 * if its last reference was dropped */
BoshHeldOwner *bosh_owner_hold    (BoshOwner     *self);
void           bosh_owner_release (BoshHeldOwner *self);

/* Lets nobody hold the object any more. To be called when the object is disposed of in
 * another thread. FALSE if it is held just then: it must not be disposed of there. */
gboolean       bosh_owner_leave   (BoshOwner     *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshOwner, bosh_owner_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshHeldOwner, bosh_owner_release)

G_END_DECLS
