/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

/* Bytes from `<` to `>` of one start tag. */
#define BOSH_XML_MAX_START_TAG (64 * 1024)
/* Attributes of one start tag, declarations of namespaces included: libxml2
 * compares each with each, before it shows them to us. */
#define BOSH_XML_MAX_ATTRIBUTES 1024
/* Declarations of namespaces in force at one place: libxml2 searches them in a
 * row for each element. */
#define BOSH_XML_MAX_NAMESPACES 256
/* Different names (of elements, attributes, prefixes, namespaces) of one
 * document: libxml2 keeps them all. */
#define BOSH_XML_MAX_NAMES 8192
/* Bytes that the elements of one document may take in memory. */
#define BOSH_XML_MAX_TREE (24 * 1024 * 1024)

/* Reads one document of UTF-8: a sealed element, or NULL with an error of
 * BOSH_ERROR (BAD_XML, TOO_LARGE). Refused are a DTD, entities other than the
 * predefined, comments, processing instructions, undeclared prefixes, other
 * encodings, and what is over the limits above or over BOSH_XML_MAX_DEPTH, before
 * memory grows.
 *
 * @root_name and @root_namespace (both nullable) receive the name and namespace
 * of the root as soon as it was seen, also if the document fails later; NULL if
 * no root was seen. Free with g_free(). */
BoshElement *bosh_xml_parse          (const char  *data,
                                      gsize        length,
                                      char       **root_name,
                                      char       **root_namespace,
                                      GError     **error);

/* Reads a document that people write: comments and processing instructions are
 * skipped, all else is as with bosh_xml_parse(). */
BoshElement *bosh_xml_parse_document (const char  *data,
                                      gsize        length,
                                      GError     **error);

G_END_DECLS
