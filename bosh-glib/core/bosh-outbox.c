/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-outbox-private.h"

#include "bosh-body-private.h"
#include "bosh-element-private.h"
#include "bosh-i18n-private.h"
#include "bosh-limits-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-secret-clear-private.h"
#include "bosh-stanza-private.h"
#include "bosh-xml-writer-private.h"

/* Bytes that most stanzas fit into. */
#define STANZA_SIZE 256

/* What an entry takes in memory beside its text. */
#define ENTRY_OVERHEAD 512

/* The payloads of a request with more than one. Many intermediaries take bodies up to
 * 100 KB only, and a stanza that is larger needs a request of its own anyway. */
#define MAX_BATCH_SIZE (64 * 1024)

/* Stanzas that may be lost of which a session keeps account. */
#define MAX_UNCERTAIN 100

/* What a body takes beside its payloads: the longest attributes that we write, with
 * a session id of usual length. */
#define BODY_OVERHEAD 512

static void
queue_entry_clear_xml (QueueEntry *self)
{
  if (self->is_sasl)
    bosh_secret_clear (&self->xml);
  g_clear_pointer (&self->xml, g_free);
}

static void
queue_entry_free (QueueEntry *self)
{
  queue_entry_clear_xml (self);
  g_clear_pointer (&self->element, bosh_element_unref);
  g_free (self->to);
  g_free (self->from);
  g_free (self);
}

/* At least what the XML of an element of SASL needs, whose data is its text or that of
 * a child: if the string grew, a copy of the data would be left in memory. */
static gsize
get_size_of_sasl (BoshElement *element)
{
  gsize length = STANZA_SIZE;
  BoshElement *child;
  const char *text;

  for (guint i = 0; bosh_element_get_nth_node (element, i, &child, &text); i++)
    {
      BoshElement *grandchild;

      if (text != NULL)
        length += strlen (text);
      for (guint j = 0; child != NULL && bosh_element_get_nth_node (child, j, &grandchild, &text); j++)
        length += STANZA_SIZE + (text != NULL ? strlen (text) : 0);
    }

  return length * strlen ("&quot;");
}

static QueueEntry *
queue_entry_new_stanza (BoshElement  *element,
                        gsize         max_size,
                        GError      **error)
{
  gboolean is_sasl = bosh_element_is_sasl (element);
  GString *xml = g_string_sized_new (is_sasl ? get_size_of_sasl (element) : STANZA_SIZE);
  gsize length;
  QueueEntry *self;

  if (!bosh_xml_append_element (xml, element, BOSH_NS_HTTPBIND, BOSH_NS_CLIENT, error) ||
      !bosh_body_check_payload (xml, error))
    {
      bosh_secret_clear_string (&xml);
      return NULL;
    }

  length = xml->len;
  self = g_new0 (QueueEntry, 1);
  self->kind = ENTRY_STANZA;
  self->is_sasl = is_sasl;
  self->length = length;
  self->xml = g_string_free (xml, FALSE);
  if (length > max_size)
    {
      queue_entry_free (self);
      g_set_error (error, BOSH_ERROR, BOSH_ERROR_TOO_LARGE,
                   _("The stanza has %" G_GSIZE_FORMAT " bytes, more than a request may have"),
                   length);
      return NULL;
    }

  if (is_sasl && !bosh_element_is_sealed (element))
    bosh_element_mark_secret (element);
  bosh_element_seal (element);
  self->element = bosh_element_ref (element);

  return self;
}

static gsize
get_max_payload_size (gsize max_request_size)
{
  return MAX (max_request_size, 2 * BODY_OVERHEAD) - BODY_OVERHEAD;
}

void
bosh_outbox_init (BoshOutbox *self,
                  gsize       max_request_size)
{
  gsize max_payload_size = get_max_payload_size (max_request_size);

  *self = (BoshOutbox){
    .max_payload_size = max_payload_size,
    .max_batch_size = MIN (max_payload_size, MAX_BATCH_SIZE),
  };
  g_queue_init (&self->queue);
  g_queue_init (&self->sent);
  g_queue_init (&self->stranded);
  g_queue_init (&self->uncertain);
}

void
bosh_outbox_clear (BoshOutbox *self)
{
  g_queue_clear_full (&self->queue, (GDestroyNotify)queue_entry_free);
  g_queue_clear_full (&self->sent, (GDestroyNotify)queue_entry_free);
  g_queue_clear_full (&self->stranded, (GDestroyNotify)queue_entry_free);
  g_queue_clear_full (&self->uncertain, (GDestroyNotify)queue_entry_free);
  g_clear_pointer (&self->last, queue_entry_free);
}

gboolean
bosh_outbox_check_payload (BoshElement  *payload,
                           gsize         max_request_size,
                           GError      **error)
{
  QueueEntry *entry =
    queue_entry_new_stanza (payload, get_max_payload_size (max_request_size), error);

  if (entry == NULL)
    return FALSE;

  queue_entry_free (entry);

  return TRUE;
}

/* What an entry takes in memory, roughly: its element several times the length. */
static gsize
get_size (const QueueEntry *entry)
{
  return ENTRY_OVERHEAD + 4 * entry->length;
}

static void
add_size (BoshOutbox       *self,
          const QueueEntry *entry)
{
  self->size += get_size (entry);
  if (entry->is_automatic)
    self->automatic_size += get_size (entry);
}

static void
remove_size (BoshOutbox       *self,
             const QueueEntry *entry)
{
  self->size -= get_size (entry);
  if (entry->is_automatic)
    self->automatic_size -= get_size (entry);
}

/* @entry: (transfer full) */
static guint64
push_entry (BoshOutbox *self,
            QueueEntry *entry)
{
  add_size (self, entry);
  entry->serial = ++self->last_serial;
  g_queue_push_tail (&self->queue, entry);

  return entry->serial;
}

gboolean
bosh_outbox_queue (BoshOutbox   *self,
                   BoshElement  *payload,
                   Stream       *stream,
                   guint64      *serial,
                   GError      **error)
{
  QueueEntry *entry = queue_entry_new_stanza (payload, self->max_payload_size, error);

  if (entry == NULL)
    return FALSE;

  entry->stream = stream;
  push_entry (self, entry);
  if (serial != NULL)
    *serial = entry->serial;

  return TRUE;
}

gboolean
bosh_outbox_queue_automatic (BoshOutbox  *self,
                             BoshElement *reply,
                             Stream      *stream)
{
  QueueEntry *entry;

  if (self->size >= BOSH_MAX_WAITING && self->automatic_size >= BOSH_MAX_WAITING_REPLIES)
    return FALSE;

  entry = queue_entry_new_stanza (reply, self->max_payload_size, NULL);
  if (entry == NULL)
    return FALSE;

  entry->stream = stream;
  entry->is_automatic = TRUE;
  push_entry (self, entry);

  return TRUE;
}

gboolean
bosh_outbox_set_last (BoshOutbox   *self,
                      BoshElement  *payload,
                      GError      **error)
{
  self->last = queue_entry_new_stanza (payload, self->max_payload_size, error);

  return self->last != NULL;
}

guint64
bosh_outbox_queue_opening (BoshOutbox *self,
                           const char *to,
                           const char *from)
{
  QueueEntry *entry = g_new0 (QueueEntry, 1);

  entry->kind = ENTRY_OPEN_STREAM;
  entry->to = g_strdup (to);
  entry->from = g_strdup (from);

  return push_entry (self, entry);
}

guint64
bosh_outbox_queue_closing (BoshOutbox *self,
                           Stream     *stream)
{
  QueueEntry *entry = g_new0 (QueueEntry, 1);

  entry->kind = ENTRY_CLOSE_STREAM;
  entry->stream = stream;

  return push_entry (self, entry);
}

void
bosh_outbox_restore_unsent (BoshOutbox  *self,
                            BoshElement *element,
                            Stream      *stream)
{
  /* It was queued under the limit of another owner, which may have been higher. */
  QueueEntry *entry = queue_entry_new_stanza (element, G_MAXSIZE, NULL);

  if (entry == NULL)
    return;

  entry->stream = stream;
  push_entry (self, entry);
}

void
bosh_outbox_restore_sent (BoshOutbox  *self,
                          BoshElement *element,
                          Stream      *stream)
{
  QueueEntry *entry = queue_entry_new_stanza (element, G_MAXSIZE, NULL);

  if (entry == NULL)
    return;

  entry->stream = stream;
  add_size (self, entry);
  entry->serial = self->sent_serial = ++self->last_serial;
  g_queue_push_tail (&self->sent, entry);
}

guint
bosh_outbox_get_n_queued (BoshOutbox *self)
{
  return self->queue.length;
}

guint
bosh_outbox_get_n_openings (BoshOutbox *self)
{
  guint count = 0;

  for (GList *link = self->queue.head; link != NULL; link = link->next)
    count += ((QueueEntry *)link->data)->kind == ENTRY_OPEN_STREAM ? 1 : 0;

  return count;
}

EntryKind
bosh_outbox_get_next_kind (BoshOutbox *self)
{
  return ((QueueEntry *)g_queue_peek_head (&self->queue))->kind;
}

gboolean
bosh_outbox_is_next_sasl (BoshOutbox *self)
{
  QueueEntry *entry = g_queue_peek_head (&self->queue);

  return entry != NULL && entry->is_sasl;
}

gboolean
bosh_outbox_has_sasl (BoshOutbox *self)
{
  for (GList *link = self->queue.head; link != NULL; link = link->next)
    {
      if (((QueueEntry *)link->data)->is_sasl)
        return TRUE;
    }

  return FALSE;
}

gboolean
bosh_outbox_fits_in_request (BoshOutbox *self)
{
  gsize length = self->last != NULL ? self->last->length : 0;
  guint count = self->queue.length + (self->last != NULL ? 1 : 0);

  for (GList *link = self->queue.head; link != NULL; link = link->next)
    {
      QueueEntry *entry = link->data;

      if (entry->kind != ENTRY_STANZA || entry->is_sasl)
        return FALSE;
      length += entry->length;
    }

  return count <= 1 || length <= self->max_batch_size;
}

gboolean
bosh_outbox_is_delivered (BoshOutbox *self)
{
  return self->queue.length == 0 && self->sent.length == 0;
}

QueueEntry *
bosh_outbox_take (BoshOutbox *self)
{
  QueueEntry *entry = g_queue_pop_head (&self->queue);

  queue_entry_clear_xml (entry);
  self->sent_serial = entry->serial;
  g_queue_push_tail (&self->sent, entry);

  return entry;
}

Stream *
bosh_outbox_take_stanzas (BoshOutbox *self,
                          GString    *payloads)
{
  QueueEntry *entry = g_queue_peek_head (&self->queue);
  Stream *stream = entry != NULL ? entry->stream : NULL;
  gboolean was_sasl = FALSE;
  gboolean is_sasl;

  for (; entry != NULL; entry = g_queue_peek_head (&self->queue))
    {
      gboolean is_first = payloads->len == 0;

      if (entry->kind != ENTRY_STANZA || entry->stream != stream ||
          (!is_first && payloads->len + entry->length > self->max_batch_size))
        break;
      /* A body holds stanzas, or one element of SASL (XEP-0206 §2). */
      is_sasl = entry->is_sasl;
      if (!is_first && (was_sasl || is_sasl))
        break;
      was_sasl = is_sasl;

      g_string_append_len (payloads, entry->xml, entry->length);
      bosh_outbox_take (self);
    }

  return stream;
}

guint
bosh_outbox_put_back (BoshOutbox *self,
                      guint64     serial)
{
  guint count = 0;
  QueueEntry *entry = g_queue_peek_tail (&self->sent);

  for (; entry != NULL && entry->serial > serial; entry = g_queue_peek_tail (&self->sent))
    {
      g_autoptr(GString) xml = g_string_sized_new (entry->length);

      bosh_xml_append_element (xml, entry->element, BOSH_NS_HTTPBIND, BOSH_NS_CLIENT, NULL);
      entry->xml = g_string_free (g_steal_pointer (&xml), FALSE);
      g_queue_push_head (&self->queue, g_queue_pop_tail (&self->sent));
      count++;
    }
  self->sent_serial = serial;
  self->maybe_sent_serial = MIN (self->maybe_sent_serial, serial);

  return count;
}

void
bosh_outbox_limit_batches (BoshOutbox *self,
                           gsize       length)
{
  self->max_batch_size = MIN (self->max_batch_size, length / 2);
}

GArray *
bosh_outbox_limit_payload (BoshOutbox *self,
                           gsize       length)
{
  GArray *serials = g_array_new (FALSE, FALSE, sizeof (guint64));
  GList *next;

  self->max_payload_size = MIN (self->max_payload_size, length - 1);
  self->max_batch_size = MIN (self->max_batch_size, self->max_payload_size);
  for (GList *link = self->queue.head; link != NULL; link = next)
    {
      QueueEntry *entry = link->data;

      next = link->next;
      if (entry->kind != ENTRY_STANZA || entry->length < length)
        continue;
      g_array_append_val (serials, entry->serial);
      g_queue_delete_link (&self->queue, link);
      remove_size (self, entry);
      queue_entry_free (entry);
    }

  return serials;
}

void
bosh_outbox_take_last (BoshOutbox *self,
                       GString    *payloads)
{
  QueueEntry *entry = g_steal_pointer (&self->last);

  if (entry == NULL)
    return;

  add_size (self, entry);
  entry->serial = self->sent_serial = ++self->last_serial;
  g_string_append_len (payloads, entry->xml, entry->length);
  queue_entry_clear_xml (entry);
  g_queue_push_tail (&self->sent, entry);
}

void
bosh_outbox_mark_maybe_sent (BoshOutbox *self,
                             guint64     serial)
{
  self->maybe_sent_serial = MAX (self->maybe_sent_serial, serial);
}

gboolean
bosh_outbox_deliver_up_to (BoshOutbox *self,
                           guint64     serial)
{
  if (serial <= self->delivered)
    return FALSE;

  self->delivered = serial;
  while (!g_queue_is_empty (&self->sent) &&
         ((QueueEntry *)g_queue_peek_head (&self->sent))->serial <= serial)
    {
      QueueEntry *entry = g_queue_pop_head (&self->sent);

      remove_size (self, entry);
      queue_entry_free (entry);
    }

  return TRUE;
}

GArray *
bosh_outbox_set_uncertain (BoshOutbox *self,
                           guint64     serial)
{
  GArray *serials = g_array_new (FALSE, FALSE, sizeof (guint64));
  QueueEntry *entry = g_queue_peek_head (&self->sent);

  for (; entry != NULL && entry->serial <= serial; entry = g_queue_peek_head (&self->sent))
    {
      if (entry->kind == ENTRY_STANZA)
        g_array_append_val (serials, entry->serial);
      self->delivered = entry->serial;
      g_queue_pop_head (&self->sent);
      remove_size (self, entry);
      if (entry->kind == ENTRY_STANZA)
        g_queue_push_tail (&self->uncertain, entry);
      else
        queue_entry_free (entry);
    }
  while (self->uncertain.length > MAX_UNCERTAIN)
    queue_entry_free (g_queue_pop_head (&self->uncertain));

  return serials;
}

GArray *
bosh_outbox_strand (BoshOutbox *self,
                    Stream     *stream)
{
  GArray *serials = g_array_new (FALSE, FALSE, sizeof (guint64));
  GList *next;

  for (GList *link = self->queue.head; link != NULL; link = next)
    {
      QueueEntry *entry = link->data;

      next = link->next;
      if (entry->stream != stream)
        continue;

      if (entry->kind == ENTRY_STANZA)
        g_array_append_val (serials, entry->serial);
      g_queue_unlink (&self->queue, link);
      g_queue_push_tail_link (&self->stranded, link);
    }

  return serials;
}

GPtrArray *
bosh_outbox_dup_undelivered (BoshOutbox *self,
                             guint64     in_flight_serial)
{
  GPtrArray *elements = g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);
  guint64 maybe_sent = MAX (self->maybe_sent_serial, in_flight_serial);

  for (GList *link = self->uncertain.head; link != NULL; link = link->next)
    g_ptr_array_add (elements, bosh_element_ref (((QueueEntry *)link->data)->element));
  for (GList *link = self->sent.head; link != NULL; link = link->next)
    {
      QueueEntry *entry = link->data;

      if (entry->serial <= maybe_sent && entry->kind == ENTRY_STANZA && !entry->is_sasl)
        g_ptr_array_add (elements, bosh_element_ref (entry->element));
    }

  return elements;
}

static int
compare_serials (gconstpointer a,
                 gconstpointer b)
{
  const QueueEntry *first = *(QueueEntry * const *)a;
  const QueueEntry *second = *(QueueEntry * const *)b;

  return first->serial < second->serial ? -1 : first->serial > second->serial;
}

GPtrArray *
bosh_outbox_dup_unsent (BoshOutbox *self,
                        guint64     in_flight_serial,
                        Stream     *stream)
{
  GPtrArray *elements = g_ptr_array_new_with_free_func ((GDestroyNotify)bosh_element_unref);
  g_autoptr(GPtrArray) entries = g_ptr_array_new ();
  GQueue *queues[] = { &self->sent, &self->stranded, &self->queue };
  guint64 maybe_sent = MAX (self->maybe_sent_serial, in_flight_serial);

  for (guint i = 0; i < G_N_ELEMENTS (queues); i++)
    for (GList *link = queues[i]->head; link != NULL; link = link->next)
      {
        QueueEntry *entry = link->data;

        if (entry->kind == ENTRY_STANZA && !entry->is_sasl && (stream == NULL || entry->stream == stream) &&
            (queues[i] != &self->sent || entry->serial > maybe_sent))
          g_ptr_array_add (entries, entry);
      }

  g_ptr_array_sort (entries, compare_serials);
  for (guint i = 0; i < entries->len; i++)
    g_ptr_array_add (elements, bosh_element_ref (((QueueEntry *)entries->pdata[i])->element));
  if (self->last != NULL && !self->last->is_sasl)
    g_ptr_array_add (elements, bosh_element_ref (self->last->element));

  return elements;
}
