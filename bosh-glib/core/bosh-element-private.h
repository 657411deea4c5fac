/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-element.h"

G_BEGIN_DECLS

#define BOSH_NS_HTTPBIND "http://jabber.org/protocol/httpbind"
#define BOSH_NS_XBOSH "urn:xmpp:xbosh"
#define BOSH_NS_CLIENT "jabber:client"
#define BOSH_NS_STREAMS "http://etherx.jabber.org/streams"
#define BOSH_NS_STREAM_ERRORS "urn:ietf:params:xml:ns:xmpp-streams"
#define BOSH_NS_STANZA_ERRORS "urn:ietf:params:xml:ns:xmpp-stanzas"
#define BOSH_NS_SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define BOSH_NS_SASL2 "urn:xmpp:sasl:2"
#define BOSH_NS_BIND2 "urn:xmpp:bind:0"
#define BOSH_NS_PIPELINING "urn:xmpp:features:pipelining"
#define BOSH_NS_BIND "urn:ietf:params:xml:ns:xmpp-bind"
#define BOSH_NS_SESSION "urn:ietf:params:xml:ns:xmpp-session"
#define BOSH_NS_PING "urn:xmpp:ping"
#define BOSH_NS_XML "http://www.w3.org/XML/1998/namespace"
#define BOSH_NS_XMLNS "http://www.w3.org/2000/xmlns/"

/* One attribute of an element that is being parsed; nothing is owned. The
 * value need not end with a nul. In it and in namespaces, `&#38;` stands for
 * each ampersand, as libxml2 has it. */
typedef struct
{
  const char *name;
  const char *ns;
  const char *value;
  gsize       value_length;
} BoshParsedAttribute;

/* For the parser: an element with its strings in one block, not sealed yet.
 * The memory it takes, its place in a parent included, is taken off @budget;
 * NULL, with nothing made, where @budget does not suffice. */
BoshElement *bosh_element_new_parsed       (const char                *name,
                                            const char                *ns,
                                            const BoshParsedAttribute *attributes,
                                            guint                      n_attributes,
                                            gsize                     *budget);
/* One with attributes, mutable: these take no memory of their own. */
BoshElement *bosh_element_new_with         (const char                *name,
                                            const char                *ns,
                                            const BoshParsedAttribute *attributes,
                                            guint                      n_attributes);
/* For the parser: text with its length. Returns the memory that it took. */
gsize        bosh_element_append_text      (BoshElement               *self,
                                            const char                *text,
                                            gsize                      length);
/* @child is taken, not copied, and is in no other element unless sealed. */
void         bosh_element_take_child       (BoshElement               *self,
                                            BoshElement               *child);

/* Makes an element and all that it contains immutable, for good. */
void         bosh_element_seal             (BoshElement               *self);

/* A mutable copy of the whole tree in which the namespace @to stands for
 * @from. */
BoshElement *bosh_element_copy_renamed     (BoshElement               *self,
                                            const char                *from,
                                            const char                *to);

/* What the element contains, in document order: exactly one of @child and
 * @text is set; texts and children alternate, so a text may be empty. Returns
 * FALSE behind the last. Nothing is given away. */
gboolean     bosh_element_get_nth_node     (BoshElement               *self,
                                            guint                      position,
                                            BoshElement              **child,
                                            const char               **text);

/* TRUE if the element is in @ns, or its namespace is not set (so that
 * it is the one of the place where it will stand). */
gboolean     bosh_element_matches_or_inherits       (BoshElement               *self,
                                            const char                *name,
                                            const char                *ns);

/* Is it part of an authentication, by RFC 6120 §6 or by XEP-0388? */
gboolean     bosh_element_is_sasl          (BoshElement               *self);

G_END_DECLS
