/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(BOSH_GLIB_INSIDE) && !defined(BOSH_COMPILATION)
#error "Only <bosh-glib/bosh-glib.h> can be included directly."
#endif

#include <glib.h>

#ifndef _BOSH_EXTERN
#define _BOSH_EXTERN extern
#endif

#define BOSH_AVAILABLE_IN_ALL _BOSH_EXTERN

/**
 * BOSH_VERSION_1_0:
 *
 * Version 1.0, for comparison with `BOSH_VERSION_MAX_ALLOWED`.
 *
 * Since: 1.0
 */
#define BOSH_VERSION_1_0 (G_ENCODE_VERSION (1, 0))

/**
 * BOSH_VERSION_MIN_REQUIRED:
 *
 * The oldest interface a program wants to use: define it before the header is
 * included to be warned of functions deprecated at that version.
 *
 * Since: 1.0
 */
#ifndef BOSH_VERSION_MIN_REQUIRED
#define BOSH_VERSION_MIN_REQUIRED (BOSH_VERSION_1_0)
#endif

/**
 * BOSH_VERSION_MAX_ALLOWED:
 *
 * The newest interface a program wants to use: define it before the header is
 * included to be warned of functions that came later.
 *
 * Since: 1.0
 */
#ifndef BOSH_VERSION_MAX_ALLOWED
#define BOSH_VERSION_MAX_ALLOWED (BOSH_VERSION_1_0)
#endif

#define BOSH_UNAVAILABLE(major, minor)                                        \
  G_UNAVAILABLE (major, minor) _BOSH_EXTERN

#if BOSH_VERSION_MAX_ALLOWED < BOSH_VERSION_1_0
#define BOSH_AVAILABLE_IN_1_0 BOSH_UNAVAILABLE (1, 0)
#else
#define BOSH_AVAILABLE_IN_1_0 _BOSH_EXTERN
#endif
