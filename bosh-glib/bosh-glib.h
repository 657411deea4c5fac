/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#define BOSH_GLIB_INSIDE

#include "bosh-version-macros.h"
#include "bosh-version.h"

#include "bosh-enum-types.h"

#include "bosh-client.h"
#include "bosh-connection.h"
#include "bosh-connection-configuration.h"
#include "bosh-saved-session.h"
#include "bosh-discovery.h"
#include "bosh-element.h"
#include "bosh-error.h"

#undef BOSH_GLIB_INSIDE
