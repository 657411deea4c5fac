/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* How many seconds a test waits for what must happen before it fails. Nothing is
 * proved by a short wait, and the machine may be busy. A test program may take
 * longer than this: see test_timeout in tests/meson.build. */
#define BOSH_TEST_PATIENCE 300
