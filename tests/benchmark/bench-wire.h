/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What went over the sockets of this process, whatever library opened them: the
 * program has functions of the C library that the libraries call in its place. */
typedef struct
{
  guint64 connections;  /* TCP connections opened */
  guint64 requests;     /* HTTP requests: writes that begin with POST */
  guint64 sent;         /* bytes */
  guint64 received;
} BenchWire;

extern BenchWire bench_wire;

G_END_DECLS
