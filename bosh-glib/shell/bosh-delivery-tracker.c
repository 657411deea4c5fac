/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-delivery-tracker-private.h"

#include "bosh-source-private.h"

typedef enum
{
  WAITING,
  SENT,
  LOST,
  UNSENT,  /* lost too, and the stanza never left this machine */
} DeliveryState;

typedef struct
{
  BoshDeliveryTracker *tracker;
  GList                link;       /* in the list of the tracker */
  guint64              id;
  DeliveryState        state;
  guint64              serial;     /* if SENT */
  BoshElement         *element;
  GTask               *task;
  GSource             *cancelled;  /* or NULL */
} Delivery;

struct _BoshDeliveryTracker
{
  GMainContext *context;
  guint64       last_id;
  GHashTable   *deliveries;  /* id → Delivery, owned */
  GQueue        list;        /* those that are SENT are in the order of their serials */
};

BoshDeliveryTracker *
bosh_delivery_tracker_new (GMainContext *context)
{
  BoshDeliveryTracker *self = g_new0 (BoshDeliveryTracker, 1);

  self->context = g_main_context_ref (context);
  self->deliveries = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_queue_init (&self->list);

  return self;
}

/* Returns: (transfer full): the task, which the caller lets return */
static GTask *
remove_delivery (Delivery *delivery)
{
  BoshDeliveryTracker *self = delivery->tracker;
  GTask *task = delivery->task;

  g_hash_table_remove (self->deliveries, &delivery->id);
  g_queue_unlink (&self->list, &delivery->link);
  bosh_source_clear (&delivery->cancelled);
  bosh_element_unref (delivery->element);
  g_free (delivery);

  return task;
}

void
bosh_delivery_tracker_free (BoshDeliveryTracker *self)
{
  while (self->list.head != NULL)
    g_object_unref (remove_delivery (self->list.head->data));
  g_hash_table_unref (self->deliveries);
  g_main_context_unref (self->context);
  g_free (self);
}

static gboolean
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  g_autoptr(GTask) task = remove_delivery (user_data);

  g_task_return_error_if_cancelled (task);

  return G_SOURCE_REMOVE;
}

guint64
bosh_delivery_tracker_add (BoshDeliveryTracker *self,
                           BoshElement         *element,
                           GTask               *task)
{
  Delivery *delivery = g_new0 (Delivery, 1);
  GCancellable *cancellable = g_task_get_cancellable (task);

  delivery->tracker = self;
  delivery->link.data = delivery;
  delivery->id = ++self->last_id;
  delivery->element = bosh_element_ref (element);
  delivery->task = task;
  g_hash_table_insert (self->deliveries, &delivery->id, delivery);
  g_queue_push_tail_link (&self->list, &delivery->link);

  /* A delivery that the server has confirmed succeeds, even if it was cancelled
   * in the same turn of the main loop. */
  g_task_set_check_cancellable (task, FALSE);
  if (cancellable != NULL)
    {
      delivery->cancelled = g_cancellable_source_new (cancellable);
      g_source_set_static_name (delivery->cancelled, "[bosh] delivery cancelled");
      g_source_set_callback (delivery->cancelled, G_SOURCE_FUNC (on_cancelled), delivery, NULL);
      g_source_attach (delivery->cancelled, self->context);
    }

  return delivery->id;
}

void
bosh_delivery_tracker_sent (BoshDeliveryTracker *self,
                            guint64              id,
                            guint64              serial)
{
  Delivery *delivery = g_hash_table_lookup (self->deliveries, &id);

  if (delivery == NULL)
    return;

  delivery->state = SENT;
  delivery->serial = serial;
  g_queue_unlink (&self->list, &delivery->link);
  g_queue_push_tail_link (&self->list, &delivery->link);
}

/* The first that was sent with a serial from @first to @last. */
static Delivery *
find_sent (BoshDeliveryTracker *self,
           guint64              first,
           guint64              last)
{
  for (GList *link = self->list.head; link != NULL; link = link->next)
    {
      Delivery *delivery = link->data;

      if (delivery->state == SENT && delivery->serial > last)
        return NULL;
      if (delivery->state == SENT && delivery->serial >= first)
        return delivery;
    }

  return NULL;
}

/* The tasks hold the owner of the tracker, so it lives until the last of them has
 * returned. */
void
bosh_delivery_tracker_succeed (BoshDeliveryTracker *self,
                               guint64              serial)
{
  g_autoptr(GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  Delivery *delivery;

  while ((delivery = find_sent (self, 0, serial)) != NULL)
    g_ptr_array_add (tasks, remove_delivery (delivery));
  for (guint i = 0; i < tasks->len; i++)
    g_task_return_boolean (g_ptr_array_index (tasks, i), TRUE);
}

void
bosh_delivery_tracker_fail (BoshDeliveryTracker *self,
                            guint64              serial,
                            const GError        *error)
{
  Delivery *delivery = find_sent (self, serial, serial);
  g_autoptr(GTask) task = delivery != NULL ? remove_delivery (delivery) : NULL;

  if (task != NULL)
    g_task_return_error (task, g_error_copy (error));
}

void
bosh_delivery_tracker_lose (BoshDeliveryTracker *self)
{
  for (GList *link = self->list.head; link != NULL; link = link->next)
    {
      Delivery *delivery = link->data;

      if (delivery->state == SENT)
        delivery->state = LOST;
    }
}

static gboolean
is_lost (Delivery *delivery)
{
  return delivery->state == LOST || delivery->state == UNSENT;
}

guint64
bosh_delivery_tracker_take_unsent (BoshDeliveryTracker *self,
                                   BoshElement         *element)
{
  /* Of several deliveries of the same element, those that were sent come first. */
  for (GList *link = self->list.tail; link != NULL; link = link->prev)
    {
      Delivery *delivery = link->data;

      if (delivery->state == LOST && delivery->element == element)
        {
          delivery->state = UNSENT;
          return delivery->id;
        }
    }

  return 0;
}

guint64
bosh_delivery_tracker_find_lost (BoshDeliveryTracker *self,
                                 BoshElement         *element)
{
  for (GList *link = self->list.head; link != NULL; link = link->next)
    {
      Delivery *delivery = link->data;

      if (is_lost (delivery) && delivery->element == element)
        return delivery->id;
    }

  return 0;
}

void
bosh_delivery_tracker_keep (BoshDeliveryTracker *self,
                            guint64              id)
{
  Delivery *delivery = g_hash_table_lookup (self->deliveries, &id);

  if (delivery != NULL)
    delivery->state = WAITING;
}

void
bosh_delivery_tracker_keep_unsent (BoshDeliveryTracker *self)
{
  for (GList *link = self->list.head; link != NULL; link = link->next)
    {
      Delivery *delivery = link->data;

      if (delivery->state == UNSENT)
        delivery->state = WAITING;
    }
}

static void
fail_many (BoshDeliveryTracker *self,
           gboolean             lost_only,
           const GError        *error)
{
  g_autoptr(GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  GList *next;

  for (GList *link = self->list.head; link != NULL; link = next)
    {
      Delivery *delivery = link->data;

      next = link->next;
      if (!lost_only || is_lost (delivery))
        g_ptr_array_add (tasks, remove_delivery (delivery));
    }
  for (guint i = 0; i < tasks->len; i++)
    g_task_return_error (g_ptr_array_index (tasks, i), g_error_copy (error));
}

void
bosh_delivery_tracker_fail_lost (BoshDeliveryTracker *self,
                                 const GError        *error)
{
  fail_many (self, TRUE, error);
}

void
bosh_delivery_tracker_fail_all (BoshDeliveryTracker *self,
                                const GError        *error)
{
  fail_many (self, FALSE, error);
}
