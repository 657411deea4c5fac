/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bench-work.h"

G_BEGIN_DECLS

/* The least that a client can do: bodies written by hand, and answers searched
 * for a word or two. It works while nothing goes wrong. */
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

/* By the program: floor_respond() or the like follows. @body is taken. */
void     floor_post     (Floor              *self,
                         GString            *body);

/* For it: an answer came; @text ends with a nul. */
void     floor_respond   (Floor              *self,
                         const char         *text);

gpointer floor_login    (const BenchAccount *account,
                         BenchSession       *session);
void     floor_send     (gpointer            client,
                         const char         *text);
void     floor_flush    (gpointer            client);
void     floor_free     (Floor              *self);

G_END_DECLS
