/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the fuzzers share. Each is one function of bytes, which libFuzzer calls,
 * or standalone.c with the seeds. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

int         LLVMFuzzerInitialize   (int            *argc,
                                    char         ***argv);
int         LLVMFuzzerTestOneInput (const guint8   *data,
                                    gsize           size);

/* The bytes of the input, from which a fuzzer takes its decisions. */
typedef struct
{
  const guint8 *data;
  gsize         size;
} FuzzInput;

/* 0 at the end of the input. */
guint       fuzz_take_byte         (FuzzInput      *self);
/* Up to the next nul or the end, at most @limit bytes. The nul is taken too. */
GBytes     *fuzz_take_text         (FuzzInput      *self,
                                    gsize           limit);

G_END_DECLS
