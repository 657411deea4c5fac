/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All limits of what others give: the server, a contact, a saved session, and where it
 * goes into a request or a saved session, the application. They are in one place
 * because they depend on each other: what one part of the library accepts, a saved
 * session must be able to give to another. Sizes are in bytes. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* --- Numbers of the protocol --- */

/* The highest request id: what a double holds exactly (XEP-0124 §14.1). */
#define BOSH_MAX_RID G_GUINT64_CONSTANT (9007199254740991)
/* Seconds. A server that names more is taken to mean this. */
#define BOSH_MAX_SECONDS (24 * 60 * 60)
/* Requests at a time, held or under way. A server that names more is taken to mean this. */
#define BOSH_MAX_REQUESTS 1000
/* Requests that a session has open at a time, whatever the server allows: for as many,
 * and the two additional ones, a transport opens connections. */
#define BOSH_MAX_WINDOW 8
/* The `wait` and `hold` that can be asked for. The latter, with the two additional
 * requests of XEP-0124 §11, fits into the ten connections that a transport may open. */
#define BOSH_MAX_WAIT 3600
#define BOSH_MAX_HOLD 8
/* The keys of one sequence. */
#define BOSH_KEY_SEQUENCE_MIN_LENGTH 2
#define BOSH_KEY_SEQUENCE_MAX_LENGTH 65536

/* --- Names and addresses --- */

#define BOSH_URI_MAX_LENGTH 8192
/* RFC 7622 §3.1: three parts of at most 1023 bytes, and two separators. */
#define BOSH_JID_MAX_LENGTH 3071
/* The session id and the name of a stream. */
#define BOSH_SESSION_MAX_NAME_LENGTH 4096
/* Each text that the owner of a session puts into the start tag of a request: domain,
 * route, language and the like. */
#define BOSH_SESSION_MAX_TEXT_LENGTH BOSH_JID_MAX_LENGTH
/* The streams of a session, the first included. */
#define BOSH_SESSION_MAX_STREAMS 256

/* --- Cookies --- */

#define BOSH_SESSION_MAX_COOKIES 32
/* A cookie as in `Set-Cookie`: its name, value and path, and these with the other
 * attributes. */
#define BOSH_SESSION_MAX_COOKIE_SIZE 4096
#define BOSH_SESSION_MAX_COOKIE_LENGTH (BOSH_SESSION_MAX_COOKIE_SIZE + 1024)

/* --- JSON --- */

/* json-glib counts in numbers of 32 bits. A session with much in its queue can't be
 * larger than the memory of the process, and no other limit would be right. */
#define BOSH_JSON_MAX_SIZE ((gsize)G_MAXINT32)
/* Values in a document, of which json-glib makes a node each. Where there are many, they
 * are stanzas, and have so many bytes at least. */
#define BOSH_JSON_MAX_VALUES 1000000
#define BOSH_JSON_MIN_VALUE_SIZE 6

/* --- Bodies --- */

/* What a configuration may set as the limits of requests and responses. */
#define BOSH_MIN_BODY_SIZE 1024
#define BOSH_MAX_BODY_SIZE (16 * 1024 * 1024)

/* What a session has to send takes so many bytes in memory, roughly. While it takes more,
 * and automatic replies take more than their share of it, no further ones are queued. */
#define BOSH_MAX_WAITING (1024 * 1024)
#define BOSH_MAX_WAITING_REPLIES (64 * 1024)
/* As much of a request or response is shown on a debug console. */
#define BOSH_MAX_SHOWN (64 * 1024)

/* --- XML that a server sends --- */

/* Nesting of elements, the root counted. */
#define BOSH_XML_MAX_DEPTH 512
/* One start tag, from `<` to `>`. */
#define BOSH_XML_MAX_START_TAG (1024 * 1024)
/* Attributes of one start tag, declarations of namespaces included: libxml2
 * compares each with each, before it shows them to us. */
#define BOSH_XML_MAX_ATTRIBUTES 16384
/* Declarations of namespaces in force at one place: libxml2 searches them in a
 * row for each element. */
#define BOSH_XML_MAX_NAMESPACES 256
/* One namespace. */
#define BOSH_XML_MAX_NAMESPACE_LENGTH 1024
/* Different names (of elements, attributes, prefixes, namespaces) of one
 * document: libxml2 keeps them all. */
#define BOSH_XML_MAX_NAMES 65536
/* What one child of a body, or any other document's, may take in memory. */
#define BOSH_XML_MAX_CHILD (26 * 1024 * 1024)
/* What the elements of one document may take in memory. */
#define BOSH_XML_MAX_TREE (30 * 1024 * 1024)

/* --- XML that the library writes --- */

/* A request, and a stanza in a saved session, must be read again, and writing makes more
 * of what a server sent: a character of an attribute becomes a reference of up to six
 * bytes, a tag declares each namespace that it uses, and a stanza is in a `<body/>`. How
 * many names and elements there are depends on how much the application sends. */
#define BOSH_XML_MAX_REFERENCE 6
#define BOSH_XML_MAX_OWN_DEPTH (BOSH_XML_MAX_DEPTH + 1)
/* libxml2 gives up on a tag over 10 MB. */
#define BOSH_XML_MAX_OWN_START_TAG (8 * 1024 * 1024)
#define BOSH_XML_MAX_OWN_ATTRIBUTES 32768
#define BOSH_XML_MAX_OWN_NAMESPACES (BOSH_XML_MAX_OWN_DEPTH * (BOSH_XML_MAX_NAMESPACES + 1))

/* A stanza shorter than this can't be over any of the limits but that of depth, to which
 * the writer keeps: an attribute is five bytes at least, a declaration nine. */
#define BOSH_XML_MAX_HARMLESS_LENGTH (16 * 1024)

G_STATIC_ASSERT (BOSH_XML_MAX_OWN_ATTRIBUTES >
                 BOSH_XML_MAX_ATTRIBUTES + BOSH_XML_MAX_NAMESPACES);
G_STATIC_ASSERT (BOSH_XML_MAX_OWN_START_TAG >
                 BOSH_XML_MAX_REFERENCE *
                   (BOSH_XML_MAX_START_TAG +
                    BOSH_XML_MAX_NAMESPACES * (BOSH_XML_MAX_NAMESPACE_LENGTH + 16)));
G_STATIC_ASSERT (BOSH_XML_MAX_HARMLESS_LENGTH < 5 * BOSH_XML_MAX_OWN_ATTRIBUTES);
G_STATIC_ASSERT (BOSH_XML_MAX_HARMLESS_LENGTH < 9 * BOSH_XML_MAX_OWN_NAMESPACES);
/* The start tag of a request: two names, three texts of the owner, and the rest. */
G_STATIC_ASSERT (BOSH_XML_MAX_OWN_START_TAG >
                 BOSH_XML_MAX_REFERENCE *
                   (2 * BOSH_SESSION_MAX_NAME_LENGTH + 5 * BOSH_SESSION_MAX_TEXT_LENGTH + 1024));

G_END_DECLS
