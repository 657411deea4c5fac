/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection manager with one session, written from XEP-0124 alone: window,
 * hold, buffer of answers, order, keys, pause, inactivity, policy. No I/O and
 * no clock: requests and times are fed in, answers come out of a callback. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint    wait;            /* seconds */
  guint    hold;
  guint    requests;
  guint    inactivity;      /* seconds */
  guint    polling;         /* seconds */
  guint    max_pause;       /* seconds, 0: not offered */
  gboolean acknowledges;
  gboolean checks_keys;
  gboolean answers_on_newest; /* else on the oldest that is held */
  gboolean hangs_when_overtaken; /* as ejabberd: then only a repeat helps */
  gboolean ignores_pause_request; /* as ejabberd: a pause is never answered */
} ModelOptions;

/* Answers the exchange @connection with @status and @text. */
typedef void (*ModelAnswerFunc) (guint       connection,
                                 guint       status,
                                 const char *text,
                                 gpointer    user_data);
/* A stanza of the client was processed. */
typedef void (*ModelStanzaFunc) (const char *id,
                                 gpointer    user_data);

typedef struct _ModelManager ModelManager;

ModelManager *model_manager_new          (const ModelOptions *options,
                                          ModelAnswerFunc     answer,
                                          ModelStanzaFunc     stanza,
                                          gpointer            user_data);
void          model_manager_free         (ModelManager       *self);
void          model_manager_request      (ModelManager       *self,
                                          guint               connection,
                                          GBytes             *body,
                                          gint64              now);
/* The socket of an exchange was closed by the client. */
void          model_manager_disconnected (ModelManager       *self,
                                          guint               connection,
                                          gint64              now);
/* A stanza for the client, as XML. */
void          model_manager_send         (ModelManager       *self,
                                          const char         *xml,
                                          gint64              now);
/* Does what is due. */
void          model_manager_advance      (ModelManager       *self,
                                          gint64              now);
/* When something is due, or -1. */
gint64        model_manager_get_deadline (ModelManager       *self);
/* Why the session ended, as the manager sees it: NULL while it lives, "" when
 * the client terminated it. */
const char   *model_manager_get_end      (ModelManager       *self);

G_END_DECLS
