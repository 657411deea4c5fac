/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bench-work.h"

G_BEGIN_DECLS

/* The least that a client can do: bodies written by hand, and responses
 * searched for a word or two. It works as long as nothing goes wrong. */
typedef struct _Floor Floor;

struct _Floor
{
  BenchSession *session;
  BenchAccount  account;
  gpointer      transport;  /* of the program */
  guint         stage;
  guint         in_flight;
  guint64       rid;
  char         *sid;
  char         *jid;
  GString      *queue;
};

/* Implemented by each program, which calls floor_respond() with the response.
 * Takes @body. */
void     floor_post     (Floor              *self,
                         GString            *body);

/* To be called by the program when a response has arrived; @text is
 * nul-terminated. */
void     floor_respond  (Floor              *self,
                         const char         *text);

gpointer floor_login    (const BenchAccount *account,
                         BenchSession       *session);
void     floor_send     (gpointer            client,
                         const char         *text);
void     floor_flush    (gpointer            client);
void     floor_free     (Floor              *self);

G_END_DECLS
