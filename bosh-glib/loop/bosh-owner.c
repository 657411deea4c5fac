/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-owner-private.h"

#define GONE (-1)

struct _BoshOwner
{
  GObject *object;   /* not owned */
  int      n_holds;  /* atomic; or GONE */
};

BoshOwner *
bosh_owner_new (gpointer object)
{
  BoshOwner *self = g_atomic_rc_box_new0 (BoshOwner);

  self->object = object;

  return self;
}

BoshOwner *
bosh_owner_ref (BoshOwner *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
bosh_owner_unref (BoshOwner *self)
{
  g_atomic_rc_box_release (self);
}

BoshHeldOwner *
bosh_owner_hold (BoshOwner *self)
{
  int n_holds;

  /* From here on bosh_owner_leave() fails, so that the object is there, though taking the
   * reference may wait for another thread. */
  do
    {
      n_holds = g_atomic_int_get (&self->n_holds);
      if (n_holds == GONE)
        return NULL;
    }
  while (!g_atomic_int_compare_and_exchange (&self->n_holds, n_holds, n_holds + 1));

  g_object_ref (self->object);

  return self;
}

void
bosh_owner_release (BoshHeldOwner *self)
{
  GObject *object = self->object;

  g_atomic_int_add (&self->n_holds, -1);
  g_object_unref (object);
}

gboolean
bosh_owner_leave (BoshOwner *self)
{
  return g_atomic_int_compare_and_exchange (&self->n_holds, 0, GONE);
}
