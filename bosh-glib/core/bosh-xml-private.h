/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

/* Nesting of elements, the root counted. */
#define BOSH_XML_MAX_DEPTH 64
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
 * encodings, and what is over the limits above, before memory grows.
 *
 * @root_name and @root_namespace (both nullable, no copies are given) receive
 * what the root is, as soon as it was seen, also where the document fails
 * later; NULL if no root was seen. Free with g_free(). */
BoshElement *bosh_xml_parse          (const char   *data,
                                      gsize         length,
                                      char        **root_name,
                                      char        **root_namespace,
                                      GError      **error);

/* The same, but the element is mutable. */
BoshElement *bosh_xml_parse_mutable  (const char   *data,
                                      gsize         length,
                                      GError      **error);

/* The same as bosh_xml_parse() for documents that people write: comments and
 * processing instructions are skipped. */
BoshElement *bosh_xml_parse_document (const char   *data,
                                      gsize         length,
                                      GError      **error);

/* Appends an element as XML. @parent_namespace is the default namespace in
 * force where it is written (nullable: not known); an element without a namespace of
 * its own gets @unset_namespace (nullable: @parent_namespace), a child without
 * one gets that of its parent. Fails with BOSH_ERROR_INVALID_STANZA, and leaves
 * @output as it was, where a name, namespace, attribute or text can't be
 * written in XML 1.0, or where elements nest deeper than BOSH_XML_MAX_DEPTH. */
gboolean     bosh_xml_append_element (GString      *output,
                                      BoshElement  *element,
                                      const char   *parent_namespace,
                                      const char   *unset_namespace,
                                      GError      **error);

/* The same for people to read: it never fails, what XML can't have is replaced
 * or left out. */
char        *bosh_xml_describe       (BoshElement  *element);

/* Appends @value quoted by ' for use as an attribute's value. @value is valid
 * XML text. */
void         bosh_xml_append_escaped (GString      *output,
                                      const char   *value,
                                      gssize        length);

/* TRUE if @text is UTF-8 made of characters that XML 1.0 allows (§2.2). */
gboolean     bosh_xml_is_valid_text  (const char   *text,
                                      gssize        length);

/* How many bytes from the start are ASCII and not less than @least, which is at
 * most 0x80: a fast look at most of what there is, a few bytes short of all. */
gsize        bosh_xml_count_ascii    (const char   *text,
                                      gsize         length,
                                      guint8        least);

G_END_DECLS
