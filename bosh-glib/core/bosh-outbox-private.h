/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

typedef struct _Stream Stream;

typedef enum
{
  ENTRY_STANZA,
  ENTRY_OPEN_STREAM,
  ENTRY_CLOSE_STREAM,
} EntryKind;

/* What waits to be sent: in general a stanza. */
typedef struct
{
  EntryKind    kind;
  BoshElement *element;           /* STANZA */
  Stream      *stream;            /* STANZA, CLOSE_STREAM; NULL: all open streams */
  char        *to;                /* OPEN_STREAM */
  char        *from;              /* OPEN_STREAM, nullable */
  guint64      serial;
  char        *xml;               /* STANZA; freed once it was sent */
  gsize        length;            /* of the XML */
  gboolean     is_sasl;           /* it may have a password: kept from the owner and from
                                   * saved sessions, and cleared when it is freed */
  gboolean     is_automatic;      /* a reply that the application did not ask for */
} QueueEntry;

/* The stanzas of the application, and its orders to open or close a stream, from the
 * queueing until it is known that the server has them. Entries are numbered in the
 * order of queueing, and are sent in that order. */
typedef struct
{
  GQueue       queue;             /* of QueueEntry that were not sent */
  GQueue       sent;              /* of QueueEntry that are not known to have arrived */
  GQueue       stranded;          /* of QueueEntry whose stream was closed before they were sent */
  GQueue       uncertain;         /* of QueueEntry that may be lost, the last ones only */
  QueueEntry  *last;              /* goes with the terminate request, nullable */
  gsize        max_payload_size;  /* of the only payload of a request, in bytes */
  gsize        max_batch_size;    /* of all payloads of a request with several */
  gsize        size;              /* of all entries in memory, roughly */
  gsize        automatic_size;    /* of the automatic ones among them */
  guint64      last_serial;       /* the last entry that was queued */
  guint64      sent_serial;       /* the last entry that was sent */
  guint64      maybe_sent_serial; /* the last entry of which bytes may have reached the server */
  guint64      delivered;         /* the last entry that is known to have arrived */
} BoshOutbox;

void       bosh_outbox_init             (BoshOutbox *self,
                                         gsize       max_request_size);
void       bosh_outbox_clear            (BoshOutbox        *self);

/* Whether @payload could be queued in an outbox with this limit. Seals it if so. */
gboolean   bosh_outbox_check_payload    (BoshElement  *payload,
                                         gsize         max_request_size,
                                         GError      **error);

/* Queues a stanza and seals it. Fails, with nothing queued, if it can't be sent.
 * @serial: (out) (optional): its number */
gboolean   bosh_outbox_queue            (BoshOutbox   *self,
                                         BoshElement  *payload,
                                         Stream       *stream,
                                         guint64      *serial,
                                         GError      **error);
/* Queues a reply that the application did not ask for, as long as it and what waits already
 * do not take too much memory: a peer may ask for replies faster than they can be sent.
 * Returns whether it was queued. */
gboolean   bosh_outbox_queue_automatic  (BoshOutbox   *self,
                                         BoshElement  *reply,
                                         Stream       *stream);
/* Sets the stanza that goes with the terminate request, after all others. */
gboolean   bosh_outbox_set_last         (BoshOutbox   *self,
                                         BoshElement  *payload,
                                         GError      **error);
/* Queue the order to open or to close a stream, and return its number. */
guint64    bosh_outbox_queue_opening    (BoshOutbox *self,
                                         const char *to,
                                         const char *from);
guint64    bosh_outbox_queue_closing    (BoshOutbox *self,
                                         Stream     *stream);
/* Queue, or take as sent, what a saved session had. An element that can't be written
 * as XML is left out. */
void       bosh_outbox_restore_unsent   (BoshOutbox  *self,
                                         BoshElement *element,
                                         Stream      *stream);
void       bosh_outbox_restore_sent     (BoshOutbox  *self,
                                         BoshElement *element,
                                         Stream      *stream);

guint      bosh_outbox_get_n_queued     (BoshOutbox        *self);
/* How many orders to open a stream are queued. */
guint      bosh_outbox_get_n_openings   (BoshOutbox        *self);
/* What is sent next. The queue must not be empty. */
EntryKind  bosh_outbox_get_next_kind    (BoshOutbox        *self);
/* Whether the next request will have an element of SASL. */
gboolean   bosh_outbox_is_next_sasl     (BoshOutbox        *self);
/* Whether one is queued. */
gboolean   bosh_outbox_has_sasl         (BoshOutbox        *self);
/* Whether everything that is queued, and the last stanza, may go in one request. */
gboolean   bosh_outbox_fits_in_request  (BoshOutbox        *self);
/* Whether nothing is to be sent or to be confirmed. */
gboolean   bosh_outbox_is_delivered     (BoshOutbox        *self);

/* Takes the next entry, which must exist, as sent. Returns: (transfer none) */
QueueEntry *bosh_outbox_take            (BoshOutbox        *self);
/* Takes as many stanzas as one request may carry, all of one stream (XEP-0124 §16.4),
 * as sent, and appends their XML. Returns: (nullable): their stream */
Stream    *bosh_outbox_take_stanzas     (BoshOutbox *self,
                                         GString    *payloads);
/* Puts what was sent after @serial back to the head of the queue: it never left. Returns:
 * how many entries */
guint      bosh_outbox_put_back         (BoshOutbox *self,
                                         guint64     serial);
/* The path does not take several payloads of @length bytes in a request. */
void       bosh_outbox_limit_batches    (BoshOutbox *self,
                                         gsize       length);
/* Nor does it take one payload of that size. What is queued and has that size is dropped.
 * Returns: (transfer full): the numbers of these stanzas, as guint64 */
GArray    *bosh_outbox_limit_payload    (BoshOutbox *self,
                                         gsize       length);
/* Takes the last stanza as sent, if there is one, and appends its XML. */
void       bosh_outbox_take_last        (BoshOutbox *self,
                                         GString    *payloads);
/* Bytes of everything up to @serial may have reached the server. */
void       bosh_outbox_mark_maybe_sent  (BoshOutbox *self,
                                         guint64     serial);
/* Everything up to @serial has arrived. FALSE if that was known before. */
gboolean   bosh_outbox_deliver_up_to    (BoshOutbox *self,
                                         guint64     serial);
/* It can't be known whether what was sent up to @serial has arrived. Returns: (transfer
 * full): the numbers of the stanzas, as guint64 */
GArray    *bosh_outbox_set_uncertain    (BoshOutbox *self,
                                         guint64     serial);
/* Sets aside what is queued for a stream that has ended: it can't be sent, but is not
 * forgotten. Returns: (transfer full): the numbers of the stanzas, as guint64 */
GArray    *bosh_outbox_strand           (BoshOutbox *self,
                                         Stream     *stream);

/* The stanzas, in order, that may have been sent and are not known to have arrived;
 * and those that were certainly not sent, for @stream only unless that is NULL. Elements
 * of SASL are in neither.
 * @in_flight_serial: the last one that is in flight now */
GPtrArray *bosh_outbox_dup_undelivered  (BoshOutbox *self,
                                         guint64     in_flight_serial);
GPtrArray *bosh_outbox_dup_unsent       (BoshOutbox *self,
                                         guint64     in_flight_serial,
                                         Stream     *stream);

G_END_DECLS
