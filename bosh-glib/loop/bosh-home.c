/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-home-private.h"

typedef struct
{
  GDestroyNotify end;
  gpointer data;
} Leaving;

void
bosh_home_init (BoshHome *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->thread = g_thread_ref (g_thread_self ());
}

void
bosh_home_clear (BoshHome *self)
{
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_pointer (&self->thread, g_thread_unref);
}

void
bosh_home_enter (BoshHome *self)
{
  GThread *before = self->thread;

  if (before == g_thread_self ())
    return;

  g_atomic_pointer_set (&self->thread, g_thread_ref (g_thread_self ()));
  g_thread_unref (before);
}

/* Between two iterations no thread owns a context, so that it could be acquired by any,
 * but only one of them uses the objects in it. */
gboolean
bosh_home_is_here (BoshHome *self)
{
  if (g_main_context_is_owner (self->context))
    return TRUE;
  if (g_atomic_pointer_get (&self->thread) != g_thread_self () ||
      !g_main_context_acquire (self->context))
    return FALSE;

  g_main_context_release (self->context);

  return TRUE;
}

static gboolean
on_leaving (gpointer user_data)
{
  Leaving *leaving = user_data;

  leaving->end (leaving->data);

  return G_SOURCE_REMOVE;
}

static void
end_at_home (BoshHome       *self,
             GDestroyNotify  end,
             gpointer        data)
{
  /* @end may have been called and have cleared the home before this returns. */
  g_autoptr(GMainContext) context = g_main_context_ref (self->context);
  g_autoptr(GSource) source = NULL;
  Leaving *leaving = g_new (Leaving, 1);

  leaving->end = end;
  leaving->data = data;
  source = g_idle_source_new ();
  g_source_set_static_name (source, "[bosh] end");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_leaving, leaving, g_free);
  g_source_attach (source, context);
}

void
bosh_home_leave (BoshHome       *self,
                 GDestroyNotify  end,
                 gpointer        data)
{
  if (bosh_home_is_here (self))
    end (data);
  else
    end_at_home (self, end, data);
}

gboolean
bosh_home_leave_owner (BoshHome  *self,
                       BoshOwner *owner,
                       gpointer   object)
{
  if (bosh_owner_leave (owner))
    return TRUE;

  end_at_home (self, g_object_unref, g_object_ref (object));

  return FALSE;
}
