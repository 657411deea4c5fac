/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The same work for every client, and how it is measured. A program is a
 * driver and a call of bench_main(). */

typedef struct
{
  const char *host;
  guint       port;
  const char *path;
  const char *domain;
  char       *user;
  const char *password;
  char       *resource;
} BenchAccount;

/* One session, as the work knows it. */
typedef struct _BenchSession BenchSession;

typedef struct
{
  /* Starts a login; bench_ready() follows. Returns the client's own handle. */
  gpointer (*login)   (const BenchAccount *account,
                       BenchSession       *session);
  /* Sends a chat message to the session itself, with @text in it. It may wait
   * for flush(). */
  void     (*send)    (gpointer    client,
                       const char *text);
  void     (*flush)   (gpointer            client);
  /* Forgets the session, in whatever way is quick. */
  void     (*close)   (gpointer            client);
  /* Waits for something to happen, and does it. */
  void     (*iterate) (void);
} BenchDriver;

void bench_ready    (BenchSession      *session,
                     const char        *jid);
/* So many messages came in. */
void bench_received (BenchSession      *session,
                     guint              n_messages);
void bench_failed   (const char        *message);

int  bench_main     (int                argc,
                     char              *argv[],
                     const BenchDriver *driver);

G_END_DECLS
