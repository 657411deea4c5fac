/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-version.h"

/**
 * bosh_get_major_version:
 *
 * The major version of bosh-glib at run time.
 *
 * Returns: the major version
 *
 * Since: 1.0
 */
guint
bosh_get_major_version (void)
{
  return BOSH_MAJOR_VERSION;
}

/**
 * bosh_get_minor_version:
 *
 * The minor version of bosh-glib at run time.
 *
 * Returns: the minor version
 *
 * Since: 1.0
 */
guint
bosh_get_minor_version (void)
{
  return BOSH_MINOR_VERSION;
}

/**
 * bosh_get_micro_version:
 *
 * The micro version of bosh-glib at run time.
 *
 * Returns: the micro version
 *
 * Since: 1.0
 */
guint
bosh_get_micro_version (void)
{
  return BOSH_MICRO_VERSION;
}
