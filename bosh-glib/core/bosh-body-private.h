/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

/* The highest request id: what a double holds exactly (XEP-0124 §14.1). */
#define BOSH_MAX_RID G_GUINT64_CONSTANT (9007199254740991)

/* Seconds; what a server names beyond this is taken as this. */
#define BOSH_MAX_SECONDS (24 * 60 * 60)

/* The attributes of a request. Strings are not owned; NULL, 0 or -1 leaves an
 * attribute out, as said. */
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
  gboolean    creation;     /* write ver, wait, hold, xmpp:version */
  gboolean    opens_stream; /* write xmpp:version */
  guint       wait;
  guint       hold;
  guint64     ack;          /* 0: none */
  guint       pause;        /* 0: none */
  gboolean    restart;
  gboolean    terminate;
  const char *key;
  const char *new_key;
} BoshRequestBody;

/* @payloads: XML of the payloads, one after the other. */
GBytes           *bosh_request_body_compose (const BoshRequestBody  *self,
                                             const GString          *payloads);

typedef enum
{
  BOSH_BODY_PLAIN,
  BOSH_BODY_TERMINATE,
  BOSH_BODY_ERROR,
} BoshBodyType;

/* The attributes of an answer. Strings belong to @root. Numbers that are
 * absent, or no number, are -1. */
typedef struct
{
  BoshElement  *root;
  BoshBodyType  type;
  const char   *sid;
  const char   *condition;
  const char   *version;
  const char   *accept;      /* codings of requests that it takes */
  const char   *charsets;
  const char   *stream;
  const char   *from;
  gboolean      is_echo;     /* has a rid: ejabberd repeats our own request */
  gint64        wait;
  gint64        hold;
  gint64        requests;
  gint64        inactivity;
  gint64        polling;
  gint64        max_pause;
  gint64        ack;
  gint64        report;
} BoshResponseBody;

/* What is wrong with an answer that can't be used. */
typedef enum
{
  BOSH_BODY_OK,
  /* No connection manager wrote this: a web page, nothing, half an answer. */
  BOSH_BODY_FOREIGN,
  /* A connection manager's answer, with something that XEP-0124 §6 forbids. */
  BOSH_BODY_REFUSED,
} BoshBodyVerdict;

/* Reads the bytes of an answer. Where the verdict is not OK, @error is set. */
BoshResponseBody *bosh_response_body_new    (GBytes                 *bytes,
                                             BoshBodyVerdict        *verdict,
                                             GError                **error);
void              bosh_response_body_free   (BoshResponseBody       *self);

/* The payloads in order, in the namespaces that they mean: what was left in
 * the namespace of the body is jabber:client (XEP-0206 §2). */
GPtrArray        *bosh_response_body_dup_payloads (BoshResponseBody *self);
/* What the answer tells about a terminal condition besides its name. */
char             *bosh_response_body_dup_detail   (BoshResponseBody *self);
/* The URI of `see-other-uri`, nullable. */
char             *bosh_response_body_dup_uri      (BoshResponseBody *self);

/* The text of a body for a debug console: what SASL elements hold is left out. */
char             *bosh_body_redact          (GBytes                 *bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoshResponseBody, bosh_response_body_free)

G_END_DECLS
