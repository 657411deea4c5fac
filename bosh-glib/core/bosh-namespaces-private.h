/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* The namespaces of XML that the library reads or writes. */

/* BOSH: XEP-0124, XEP-0206. */
#define BOSH_NS_HTTPBIND "http://jabber.org/protocol/httpbind"
#define BOSH_NS_XBOSH "urn:xmpp:xbosh"

/* XMPP: RFC 6120, and RFC 3921 for the session. */
#define BOSH_NS_CLIENT "jabber:client"
#define BOSH_NS_STREAMS "http://etherx.jabber.org/streams"
#define BOSH_NS_STREAM_ERRORS "urn:ietf:params:xml:ns:xmpp-streams"
#define BOSH_NS_STANZA_ERRORS "urn:ietf:params:xml:ns:xmpp-stanzas"
#define BOSH_NS_SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define BOSH_NS_BIND "urn:ietf:params:xml:ns:xmpp-bind"
#define BOSH_NS_SESSION "urn:ietf:params:xml:ns:xmpp-session"

/* XEP-0388, XEP-0386, XEP-0305, XEP-0199. */
#define BOSH_NS_SASL2 "urn:xmpp:sasl:2"
#define BOSH_NS_BIND2 "urn:xmpp:bind:0"
#define BOSH_NS_PIPELINING "urn:xmpp:features:pipelining"
#define BOSH_NS_PING "urn:xmpp:ping"

/* Namespaces in XML 1.0 §3. */
#define BOSH_NS_XML "http://www.w3.org/XML/1998/namespace"
#define BOSH_NS_XMLNS "http://www.w3.org/2000/xmlns/"
