/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-owner-private.h"

/* What the lock of an interpreter is to its bindings: who has it drops references, and who
 * takes the second reference needs it. */
typedef struct
{
  BoshOwner *owner;
  GMutex interpreter;
  int is_locked;    /* atomic */
  int is_notified;  /* atomic */
  gboolean has_left;
} Interpreter;

static void
test_hold (void)
{
  g_autoptr(GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr(BoshOwner) owner = bosh_owner_new (object);
  BoshHeldOwner *first;
  BoshHeldOwner *second;

  g_test_summary ("What is held can't leave, and what has left can't be held");

  first = bosh_owner_hold (owner);
  second = bosh_owner_hold (owner);
  g_assert_nonnull (first);
  g_assert_nonnull (second);
  g_assert_cmpuint (object->ref_count, ==, 3);
  bosh_owner_release (first);
  g_assert_false (bosh_owner_leave (owner));
  bosh_owner_release (second);
  g_assert_cmpuint (object->ref_count, ==, 1);

  g_assert_true (bosh_owner_leave (owner));
  g_assert_null (bosh_owner_hold (owner));
  g_assert_cmpuint (object->ref_count, ==, 1);
}

static void
wait_for (int *condition)
{
  while (!g_atomic_int_get (condition))
    g_thread_yield ();
}

static void
on_toggle (gpointer  data,
           GObject  *object,
           gboolean  is_last)
{
  Interpreter *self = data;

  if (is_last)
    return;

  g_atomic_int_set (&self->is_notified, TRUE);
  g_mutex_lock (&self->interpreter);
  g_mutex_unlock (&self->interpreter);
}

static gpointer
collect (gpointer user_data)
{
  Interpreter *self = user_data;

  g_mutex_lock (&self->interpreter);
  g_atomic_int_set (&self->is_locked, TRUE);
  wait_for (&self->is_notified);
  self->has_left = bosh_owner_leave (self->owner);
  g_mutex_unlock (&self->interpreter);

  return NULL;
}

static void
test_toggle_reference (void)
{
  Interpreter self = { NULL };
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  GThread *thread;

  g_test_summary ("Who takes a reference waits for who drops another one, and not the other way "
                  "round");

  g_mutex_init (&self.interpreter);
  self.owner = bosh_owner_new (object);
  g_object_add_toggle_ref (object, on_toggle, &self);
  g_object_unref (object);
  thread = g_thread_new ("collector", collect, &self);
  wait_for (&self.is_locked);

  {
    g_autoptr(BoshHeldOwner) held = bosh_owner_hold (self.owner);

    g_assert_nonnull (held);
    g_thread_join (thread);
    g_assert_false (self.has_left);
  }

  g_object_remove_toggle_ref (object, on_toggle, &self);
  bosh_owner_unref (self.owner);
  g_mutex_clear (&self.interpreter);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bosh/owner/hold", test_hold);
  g_test_add_func ("/bosh/owner/toggle-reference", test_toggle_reference);

  return g_test_run ();
}
