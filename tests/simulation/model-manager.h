/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection manager with one session, written from XEP-0124 alone: window,
 * hold, buffer of responses, order, keys, pause, inactivity, policy; and, where
 * the options say so, with the faults of real ones. No I/O, no clock and no
 * chance: requests and times are fed in, responses come out of a callback. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What becomes of a request that is repeated while the server holds it, and
 * has not noticed that its connection was closed. */
typedef enum
{
  MODEL_REPEAT_REPLACES,     /* the repeat is held instead */
  MODEL_REPEAT_EMPTIES_OLD,  /* the same, and the first returns empty: ejabberd, MongooseIM */
  MODEL_REPEAT_IGNORED,      /* the response goes to the first: Prosody */
  MODEL_REPEAT_EMPTIES_NEW,  /* the repeat returns empty: node-xmpp-bosh */
  N_MODEL_REPEATS
} ModelRepeat;

typedef struct
{
  /* What is granted, and whether the response to the creation names it. */
  guint       wait;            /* seconds */
  guint       hold;
  guint       requests;
  guint       inactivity;      /* seconds, 0: no limit */
  guint       polling;         /* seconds */
  guint       max_pause;       /* seconds, 0: not offered */
  gboolean    names_wait;
  gboolean    names_hold;
  gboolean    names_requests;
  gboolean    names_polling;
  gboolean    names_version;

  gboolean    polls;           /* a polling session (§12) */
  gboolean    polices_all;     /* as ejabberd: any request of it that comes too soon ends it */
  gboolean    never_holds;     /* returns at once what it ought to hold */
  gboolean    responds_on_newest; /* as ejabberd; else on the oldest that is held */
  gboolean    notices_closing; /* of the connection of a held request */
  ModelRepeat repeat;
  gboolean    echoes;          /* as ejabberd: a repeated request comes back in the response */
  gboolean    one_early;       /* as Prosody: one request may come before its turn */
  gboolean    forgets_closed;  /* as Prosody: held ones whose connection was closed */
  gboolean    two_responses;     /* as Prosody: whatever is granted, keeps the last two */
  gboolean    hangs_when_overtaken; /* as ejabberd: then only a repeat helps */
  gboolean    is_prosody;      /* sorts, and shows it by the features in its first response */
  gboolean    drops_overtaken; /* as Metronome, with the version of Prosody */
  gboolean    ignores_pause_request; /* as ejabberd: a pause has no response */

  gboolean    acknowledges;
  gboolean    announces_acks;  /* in the response to the creation; not node-xmpp-bosh */
  gboolean    odd_acks;        /* redundant, low, or no number at all */
  gboolean    trims_by_acks;   /* as Openfire: what is acknowledged can't be asked for again */
  gboolean    reports;         /* as MongooseIM: responses that seem to be lost (§9.2) */
  guint       error_every;     /* so many requests: a recoverable error (§17.3); 0: never */

  gboolean    checks_keys;
  gboolean    checks_keys_first; /* as Punjab: those of repeats too */
} ModelOptions;

/* Gives @status and @text as the response on @connection. */
typedef void (*ModelResponseFunc) (guint       connection,
                                   guint status,
                                   const char *text,
                                   gpointer user_data);
/* A stanza of the client was processed, or dropped because its request was overtaken; or a restart, where @id is NULL: what
 * model_manager_queue() is given then goes with its response. */
typedef void (*ModelStanzaFunc) (const char *id,
                                 gboolean    dropped,
                                 gpointer    user_data);

typedef struct _ModelManager ModelManager;

ModelManager *model_manager_new          (const ModelOptions *options,
                                          ModelResponseFunc   respond,
                                          ModelStanzaFunc     stanza,
                                          gpointer            user_data);
void          model_manager_free         (ModelManager       *self);
void          model_manager_request      (ModelManager *self,
                                          guint         connection,
                                          GBytes       *body,
                                          gint64        now);
/* The connection of an exchange was closed by the other side. */
void          model_manager_disconnected (ModelManager *self,
                                          guint         connection,
                                          gint64        now);
/* A stanza for the client, as XML. */
void          model_manager_send         (ModelManager *self,
                                          const char   *xml,
                                          gint64        now);
/* The same, without a response because of it. */
void          model_manager_queue        (ModelManager *self,
                                          const char   *xml);
/* Ends the session, with @condition ("" for none) and @content. */
void          model_manager_terminate    (ModelManager *self,
                                          const char   *condition,
                                          const char   *content,
                                          gint64        now);
/* Starts again, without the session. @status: what it says of sessions that it
 * does not know: 404, or 200 with a condition. */
void          model_manager_restart      (ModelManager *self,
                                          guint         status);
/* Does what is due. */
void          model_manager_advance      (ModelManager *self,
                                          gint64        now);
/* When something is due, or -1. */
gint64        model_manager_get_deadline (ModelManager       *self);
/* Why the session ended, as the manager sees it: NULL while it lives, "" when
 * the client terminated it. */
const char   *model_manager_get_end      (ModelManager       *self);
/* Did it end for the key of a request that a better server would have taken? */
gboolean      model_manager_was_strict   (ModelManager       *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ModelManager, model_manager_free)

G_END_DECLS
