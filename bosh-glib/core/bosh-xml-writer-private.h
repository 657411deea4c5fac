/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

/* Appends an element as XML. @parent_namespace is the default namespace in
 * force where it is written (nullable: not known). An element without a
 * namespace of its own gets @unset_namespace (nullable: @parent_namespace), a
 * child without one that of its parent. Fails with BOSH_ERROR_INVALID_STANZA,
 * and leaves @output as it was, where a name, namespace, attribute or text can't
 * be written in XML 1.0, or where elements nest deeper than BOSH_XML_MAX_DEPTH. */
gboolean bosh_xml_append_element (GString      *output,
                                  BoshElement  *element,
                                  const char   *parent_namespace,
                                  const char   *unset_namespace,
                                  GError      **error);

G_END_DECLS
