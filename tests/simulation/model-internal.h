/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the files of the model connection manager share:
 *   model-manager.c   requests: order, repeats, what they ask for
 *   model-responses.c   what is held, and which responses are kept for repeats
 *   model-policy.c    keys, over-activity, acknowledgements */

#pragma once

#include "coverage.h"
#include "model-manager.h"

#include "bosh-body-private.h"
#include "bosh-namespaces-private.h"

G_BEGIN_DECLS

#define MODEL_SECOND G_GINT64_CONSTANT (1000000)
#define MODEL_SID "model"

/* A request without a response. */
typedef struct
{
  guint64           rid;
  guint             connection;
  BoshResponseBody *body;
  gint64            arrived;
  gboolean          stuck;
  gboolean          gone;      /* its connection was closed, and that was noticed */
  gboolean          repeated;
} Held;

typedef struct
{
  guint64  rid;
  gint64   at;
  char    *text;
} SentResponse;

struct _ModelManager
{
  ModelOptions    options;
  ModelResponseFunc respond;
  ModelStanzaFunc stanza;
  gpointer        user_data;

  gboolean        exists;
  char           *end;
  gboolean        was_strict;
  guint           unknown_status; /* what a restarted server says */
  char           *farewell;    /* the end, while nobody was there to be told */
  guint64         next_rid;
  GQueue          held;        /* of Held, processed, by rid */
  GQueue          early;       /* of Held, beyond next_rid */
  GQueue          responded;    /* of SentResponse, in order */
  GString        *outgoing;
  gint64          idle_since;  /* when the last held request was released */
  gint64          pause;       /* allowed idle time while paused, 0: not paused */
  guint64         ignored_rid;

  /* policy */
  char           *key;         /* what the next key must hash to */
  gint64          last_request_at;
  gboolean        last_was_empty;
  gboolean        responded_with_payload; /* the last request */
  gboolean        client_acks;
  guint           ack_counter;
  guint64         report;      /* for the next response, 0: none */
  gint64          report_age;
  guint           error_counter;
};

/* model-manager.c */
Held     *model_find            (GQueue  *queue,
                                 guint64  rid);
void      model_held_free       (Held         *held);
void      model_refuse          (ModelManager *self,
                                 guint         connection,
                                 const char   *condition);

gboolean  model_is_restart      (BoshElement  *request);

/* model-responses.c */
void      model_respond          (ModelManager *self,
                                  Held         *held,
                                  const char   *attributes,
                                  const char   *payloads,
                                  gint64        now);
void      model_flush           (ModelManager *self,
                                 gint64        now);
void      model_end             (ModelManager *self,
                                 const char   *condition,
                                 const char   *content,
                                 gint64        now);
SentResponse *model_find_responded   (ModelManager *self,
                                      guint64       rid);
void      model_responded_free   (SentResponse     *responded);
/* The oldest held request that a response can still reach, or NULL. */
Held     *model_find_reachable  (ModelManager *self);

/* model-policy.c */
gboolean  model_check_key       (ModelManager *self,
                                 BoshElement  *request,
                                 gboolean      take);
/* FALSE: the request is one too many, or comes too soon. */
gboolean  model_check_activity  (ModelManager *self,
                                 Held         *held);
void      model_take_ack        (ModelManager *self,
                                 Held         *held,
                                 gint64        now);
/* The `ack` and `report` of a response. */
void      model_append_acks     (ModelManager *self,
                                 GString      *text,
                                 guint64       rid);

G_END_DECLS
