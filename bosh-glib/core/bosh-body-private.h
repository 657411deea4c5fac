/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

/* The attributes of a request. Strings are not owned. An attribute is left out
 * where its string is NULL, or its number is 0 and the comment says so. */
typedef struct
{
  guint64     rid;
  const char *sid;
  const char *to;
  const char *from;
  const char *route;
  const char *language;
  const char *stream;
  const char *content;
  gboolean    creation;     /* writes ver, wait, hold, content, xmpp:version */
  gboolean    opens_stream; /* writes xmpp:version */
  guint       wait;
  guint       hold;
  guint64     ack;          /* 0: left out */
  guint       pause;        /* 0: left out */
  gboolean    restart;
  gboolean    terminate;
  const char *key;
  const char *new_key;
  gboolean    is_secret;    /* the payload is cleared when the bytes are freed */
} BoshRequestBody;

/* @payloads is the XML of the payloads, one after the other (nullable). */
GBytes           *bosh_request_body_compose       (const BoshRequestBody *self,
                                                   const GString         *payloads);

/* The same request with other payloads (nullable). @payload_length: bytes of those that it
 * has now */
GBytes           *bosh_request_body_replace       (GBytes        *bytes,
                                                   gsize          payload_length,
                                                   const GString *payloads);

typedef enum
{
  BOSH_BODY_PLAIN,
  BOSH_BODY_TERMINATE,
  BOSH_BODY_ERROR,
} BoshBodyType;

/* The attributes of a response. Strings belong to @root. A number that is absent,
 * or that is none, is -1. */
typedef struct
{
  BoshElement  *root;
  GBytes       *bytes;       /* what it was read from */
  guint         n_children;  /* those that were left out, too */
  GPtrArray    *left_out;    /* of BoshXmlLeftOut; NULL if there is none */
  gboolean      is_aside;    /* the children are not there */
  BoshBodyType  type;
  const char   *sid;
  const char   *condition;
  const char   *version;
  const char   *accept;      /* the codings that requests may have */
  const char   *charsets;
  const char   *stream;
  /* It has a rid, so it is a request of ours that ejabberd has sent back. */
  gboolean      is_echo;
  gint64        wait;
  gint64        hold;
  gint64        requests;
  gint64        inactivity;
  gint64        polling;
  gint64        max_pause;
  gint64        ack;
  gint64        report;
} BoshResponseBody;

typedef enum
{
  BOSH_BODY_OK,
  /* It is not from a connection manager: a web page, nothing, half a response. */
  BOSH_BODY_FOREIGN,
  /* It is from a connection manager, and has what XEP-0124 §6 forbids. */
  BOSH_BODY_REFUSED,
} BoshBodyVerdict;

/* Reads the bytes of a response. Returns NULL with @error set where @verdict is
 * not OK. */
BoshResponseBody *bosh_response_body_new          (GBytes           *bytes,
                                                   BoshBodyVerdict  *verdict,
                                                   GError          **error);
void              bosh_response_body_free         (BoshResponseBody       *self);

/* Reads the bytes of a request of ours, which has the same attributes and more. NULL if
 * they are none. */
BoshResponseBody *bosh_body_read_request          (GBytes                 *bytes);

/* Whether a request with this payload could be read again, as it must be where the
 * session is saved. Fails with BOSH_ERROR_TOO_LARGE or BOSH_ERROR_INVALID_STANZA. */
gboolean          bosh_body_check_payload         (const GString          *payload,
                                                   GError                **error);

/* Frees the children of the root, which take many times the memory of the bytes: for a
 * body that has to wait. */
void              bosh_response_body_set_aside    (BoshResponseBody       *self);
/* Reads them again, if they were set aside. */
void              bosh_response_body_recall       (BoshResponseBody       *self);

/* The payloads in order. Those that the server left in the namespace of the body
 * are put in jabber:client, which it means (XEP-0206 §2). */
GPtrArray        *bosh_response_body_dup_payloads (BoshResponseBody       *self);

/* The URI of `see-other-uri`, nullable. */
char             *bosh_response_body_dup_uri      (BoshResponseBody       *self);

/* The error for a body that ends the session or a stream: a BOSH_STREAM_ERROR
 * where the server gave one with a condition, or else a BOSH_ERROR for the
 * terminal condition. */
GError           *bosh_response_body_new_error    (BoshResponseBody       *self);

/* The beginning of a request or response, as much as bosh_body_redact() needs of it. */
GBytes           *bosh_body_shorten               (GBytes                 *bytes);
/* The text of a request or response for a debug console, without the data of SASL. What is
 * longer than BOSH_MAX_SHOWN is cut, at the latest before the first element of SASL. */
char             *bosh_body_redact                (GBytes                 *bytes);
/* The same for a request with SASL that we wrote, and without a copy of the data. */
char             *bosh_body_redact_secret         (GBytes                 *bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshResponseBody, bosh_response_body_free)

G_END_DECLS
