/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

/* Reads one document of UTF-8: a sealed element, or NULL with an error of
 * BOSH_ERROR (BAD_XML, TOO_LARGE). Refused are a DTD, entities other than the
 * predefined, comments, processing instructions, undeclared prefixes, other
 * encodings, and what is over the limits of bosh-limits-private.h, before memory
 * grows.
 *
 * @root_name and @root_namespace (both nullable) receive the name and namespace
 * of the root as soon as it was seen, also if the document fails later; NULL if
 * no root was seen. Free with g_free(). */
BoshElement *bosh_xml_parse          (const char  *data,
                                      gsize        length,
                                      char       **root_name,
                                      char       **root_namespace,
                                      GError     **error);

/* A child of the root that was too large. */
typedef struct
{
  BoshElement *stub;      /* its name and namespace, and of its attributes from, id, to, type */
  gsize        size;      /* bytes of its XML */
  guint        position;  /* how many children that are there stood before it */
  GError      *reason;    /* BOSH_ERROR_TOO_LARGE */
} BoshXmlLeftOut;

/* Reads the body of a response. A child of the root that is over a limit is left out as a
 * whole: the server has passed on what somebody else has sent.
 * @left_out: (out) (transfer full) (nullable): of BoshXmlLeftOut, or NULL if there is none */
BoshElement *bosh_xml_parse_body     (const char  *data,
                                      gsize        length,
                                      char       **root_name,
                                      char       **root_namespace,
                                      GPtrArray  **left_out,
                                      GError     **error);

/* Reads a document that this library has written, or that must be like one: with the
 * wider limits of BOSH_XML_MAX_OWN_…, all else is as with bosh_xml_parse(). */
BoshElement *bosh_xml_parse_own      (const char  *data,
                                      gsize        length,
                                      GError     **error);

/* Reads a document that people write: comments and processing instructions are
 * skipped, all else is as with bosh_xml_parse(). */
BoshElement *bosh_xml_parse_document (const char  *data,
                                      gsize        length,
                                      GError     **error);

G_END_DECLS
