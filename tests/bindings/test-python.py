# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library from Python, through its typelib, against the server of which
the name is the first argument."""

import gc
import hashlib
import json
import os
import ssl
import sys
import threading
import unittest
import weakref

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from tooling import (JSON_PATH, NS_BODY, PASSWORD, PATIENCE, XML_PATH, DeafServer, Domain,
                     HttpServer, ServerAddress, jrd, xrd)

try:
    import gi
    gi.require_version('Bosh', '1.0')
    from gi.repository import Bosh, Gio, GLib, GObject
except (ImportError, ValueError) as error:
    print(error)
    sys.exit(1 if os.environ.get('CI') == 'true' else 77)

NS_CLIENT = 'jabber:client'


class Values(unittest.TestCase):
    """What needs no connection."""

    def test_version(self):
        self.assertEqual(
            (Bosh.get_major_version(), Bosh.get_minor_version(), Bosh.get_micro_version()),
            (Bosh.MAJOR_VERSION, Bosh.MINOR_VERSION, Bosh.MICRO_VERSION))

    def test_enums(self):
        self.assertEqual(int(Bosh.ConnectionState.NEW), 0)
        self.assertEqual(Bosh.ConnectionState.RETRYING.value_nick, 'retrying')
        self.assertEqual(Bosh.ClientState.READY.value_nick, 'ready')
        self.assertTrue(issubclass(Bosh.ConnectionState, GObject.GEnum))

    def test_configuration(self):
        configuration = Bosh.ConnectionConfiguration(uri='https://example.org/bosh', wait=20)
        self.assertTrue(configuration.validate())
        self.assertEqual(configuration.props.uri, 'https://example.org/bosh')
        self.assertEqual(configuration.get_hostname(), 'example.org')
        self.assertEqual(configuration.props.port, 443)
        self.assertTrue(configuration.props.secure)
        self.assertEqual(configuration.props.wait, 20)
        self.assertEqual(configuration.get_wait(), 20)
        configuration = Bosh.ConnectionConfiguration(proxy_username='alice', proxy_password='x')
        self.assertEqual(configuration.get_proxy_username(), 'alice')
        self.assertEqual(configuration.props.proxy_username, 'alice')
        self.assertRaises(TypeError, lambda: configuration.props.proxy_password)
        configuration = Bosh.ConnectionConfiguration.new_for_host('example.org', 0, None, False)
        self.assertEqual(configuration.get_uri(), 'http://example.org:5280/http-bind/')

    def test_banner(self):
        """What a banner shows binds well: text, an error or None, a number."""
        configuration = Bosh.ConnectionConfiguration(uri='http://127.0.0.1:1/http-bind')
        client = Bosh.Client(domain='localhost', configuration=configuration,
                             auto_reconnect=True, retry_connect=True)
        client.set_credentials('alice', 'secret', None)
        self.assertEqual(client.props.status, 'Not connected')
        self.assertIsNone(client.props.last_error)
        self.assertEqual(client.props.next_attempt, -1)

        context = GLib.MainContext.default()
        done = []
        changes = []
        for name in ('status', 'last-error', 'next-attempt'):
            client.connect(f'notify::{name}', lambda _client, pspec: changes.append(pspec.name))
        client.connect_async(None, lambda _client, result: done.append(result))
        while client.props.next_attempt < 0:
            context.iteration(True)
        self.assertEqual(sorted(set(changes)), ['last-error', 'next-attempt', 'status'])
        self.assertGreater(client.props.next_attempt, GLib.get_monotonic_time() - 1000000)
        self.assertTrue(client.get_last_error().matches(Gio.io_error_quark(),
                                                        Gio.IOErrorEnum.CONNECTION_REFUSED))
        self.assertIn(client.get_last_error().message, client.get_status())
        client.retry_now()
        self.assertEqual(client.get_next_attempt(), -1)
        client.disconnect_async(None, None)
        while not done:
            context.iteration(True)
        with self.assertRaises(GLib.Error):
            client.connect_finish(done[0])

    def test_bad_uri(self):
        for uri in ('', 'example.org', 'ftp://example.org/', 'http://h%25/'):
            configuration = Bosh.ConnectionConfiguration(uri=uri, wait=20)
            self.assertEqual(configuration.get_uri(), uri)
            client = Bosh.Client.new('example.org', configuration)
            for check in (configuration.validate, lambda: Loop().call(client, 'connect')):
                with self.assertRaises(GLib.Error) as raised:
                    check()
                self.assertTrue(raised.exception.matches(Bosh.error_quark(),
                                                         Bosh.Error.INVALID_URI))

    def test_error(self):
        with self.assertRaises(GLib.Error) as raised:
            Bosh.ConnectionConfiguration.new('ftp://example.org/')
        self.assertTrue(raised.exception.matches(Bosh.error_quark(), Bosh.Error.INVALID_URI))
        self.assertNotEqual(raised.exception.message, '')
        with self.assertRaises(GLib.Error) as raised:
            Bosh.Element.new_from_string('<a><b></a>')
        self.assertTrue(raised.exception.matches(Bosh.error_quark(), Bosh.Error.BAD_XML))

    def test_element(self):
        message = Bosh.Element.new_message('bob@localhost', 'chat', 'Grüße <&> \U0001f600')
        self.assertEqual(message.get_name(), 'message')
        self.assertEqual(message.get_attribute('to'), 'bob@localhost')
        self.assertIsNone(message.get_attribute('from'))
        self.assertEqual(message.dup_child_text('body', NS_CLIENT), 'Grüße <&> \U0001f600')
        self.assertTrue(message.equal(Bosh.Element.new_from_string(message.to_string())))
        copy = message.copy()
        copy.set_attribute('type', 'normal')
        self.assertEqual(message.get_attribute('type'), 'chat')
        self.assertEqual([child.get_name() for child in message.dup_children()], ['body'])

    def test_attributes(self):
        element = Bosh.Element.new('a', 'urn:example')
        element.set_attribute('one', '1')
        element.set_attribute_ns('two', 'urn:other', '2')
        self.assertEqual(element.get_n_attributes(), 2)
        name, namespace, value = element.get_nth_attribute(1)
        self.assertEqual((name, namespace, value), ('two', 'urn:other', '2'))

    def test_child_outlives_its_parent(self):
        text = '<a xmlns="urn:example"><b><c>' + 'x' * 10000 + '</c></b></a>'
        for get in (lambda parent: parent.get_child('b', 'urn:example'),
                    lambda parent: parent.get_nth_child(0),
                    lambda parent: parent.dup_children()[0]):
            child = get(Bosh.Element.new_from_string(text))
            gc.collect()
            # What takes the memory of the parent, if it was freed.
            others = [Bosh.Element.new_from_string(text.replace('x', 'y')) for _ in range(100)]
            self.assertEqual(child.get_name(), 'b')
            self.assertEqual(child.dup_child_text('c', 'urn:example'), 'x' * 10000)
            del others

    def test_built_child_outlives_its_parent(self):
        parent = Bosh.Element.new('a', 'urn:example')
        child = parent.add_new_child('b', None)
        del parent
        gc.collect()
        child.set_text('text')
        self.assertEqual(child.dup_text(), 'text')

    def test_saved_session(self):
        values = ('http://localhost:5280/http-bind/', 'alice@localhost/here', 'sid', 2 ** 53 - 1000)
        session = Bosh.SavedSession(uri=values[0], jid=values[1], session_id=values[2],
                                    request_id=values[3])
        self.assertTrue(session.validate())
        self.assertEqual(session.to_json(), Bosh.SavedSession.new(*values).to_json())
        session = Bosh.SavedSession.new_from_json(session.to_json())
        self.assertEqual(session.get_jid(), 'alice@localhost/here')
        self.assertEqual(session.get_session_id(), 'sid')
        self.assertEqual(session.get_request_id(), 2 ** 53 - 1000)
        with self.assertRaises(GLib.Error) as raised:
            Bosh.SavedSession.new_from_json('{}')
        self.assertTrue(raised.exception.matches(Bosh.error_quark(), Bosh.Error.INVALID_DATA))
        for bad in (Bosh.SavedSession(), Bosh.SavedSession(uri='http://h/', request_id=2 ** 60)):
            with self.assertRaises(GLib.Error) as raised:
                bad.validate()
            self.assertTrue(raised.exception.matches(Bosh.error_quark(), Bosh.Error.INVALID_DATA))


class Loop:
    """Runs the context until the callback of an asynchronous call was there."""

    def __init__(self, context=None):
        self.context = context or GLib.MainContext.default()

    def run_until(self, condition):
        source = GLib.timeout_source_new_seconds(PATIENCE)
        late = []
        source.set_callback(lambda *_: late.append(True))
        source.attach(self.context)
        while not condition():
            self.context.iteration(True)
            if late:
                raise TimeoutError()
        source.destroy()

    def call(self, object_, name, *arguments, cancellable=None):
        """`object_.name_async ()` and the matching `name_finish ()`."""
        results = []
        getattr(object_, name + '_async')(*arguments, cancellable,
                                          lambda _object, result: results.append(result))
        self.run_until(lambda: results)
        return getattr(object_, name + '_finish')(results[0])


class Discoveries(unittest.TestCase):
    """XEP-0156. All but what `direct` names goes to the web server of the domain."""

    def setUp(self):
        self.loop = Loop()

    def configuration(self, domain, *direct, **properties):
        return Bosh.ConnectionConfiguration(
            tls_database=Gio.TlsFileDatabase.new(domain.ca_file),
            proxy_resolver=Gio.SimpleProxyResolver.new(domain.proxy_uri, direct), **properties)

    def test_addresses(self):
        uris = ['https://b.example/bosh', 'https://a.example/']
        with Domain({JSON_PATH: (200, jrd(*uris, 'http://c.example/'))}) as domain:
            discovery = Bosh.Discovery.new('localhost', self.configuration(domain, wait=20))
            found = self.loop.call(discovery, 'lookup')
            self.assertEqual([configuration.get_uri() for configuration in found], uris)
            self.assertEqual({configuration.get_wait() for configuration in found}, {20})
            del discovery
            gc.collect()
            self.assertEqual(found[0].get_hostname(), 'b.example')

    def test_properties(self):
        discovery = Bosh.Discovery.new('example.org', None)
        self.assertEqual(discovery.get_domain(), 'example.org')
        self.assertEqual(discovery.get_timeout(), 20)
        self.assertEqual(discovery.get_configuration().get_wait(), 55)
        self.assertEqual(Bosh.Discovery(domain='a', timeout=7).props.timeout, 7)

    def test_nothing(self):
        with Domain({}) as domain:
            for object_, name in (
                    (Bosh.Discovery.new('localhost', self.configuration(domain)), 'lookup'),
                    (Bosh.Client.new('localhost', self.configuration(domain)), 'connect')):
                with self.assertRaises(GLib.Error) as raised:
                    self.loop.call(object_, name)
                self.assertTrue(raised.exception.matches(Bosh.error_quark(),
                                                         Bosh.Error.DISCOVERY_FAILED))
                self.assertIn('localhost', raised.exception.message)

    def test_login(self):
        server = Sessions.server
        uri = server.uris['https']
        with Domain({XML_PATH: (200, xrd(uri))}) as domain:
            address = Bosh.ConnectionConfiguration(uri=uri)
            address = f'{address.get_hostname()}:{address.get_port()}'
            # The authorities of both.
            with open(server.ca_file, encoding='ascii') as source:
                with open(domain.ca_file, 'a', encoding='ascii') as target:
                    target.write(source.read())
            client = Bosh.Client.new('localhost', self.configuration(domain, address))
            self.loop.call(client, 'connect')
            self.loop.call(client, 'login', 'alice', PASSWORD, None)
            self.assertEqual(client.get_state(), Bosh.ClientState.READY)
            self.assertEqual(client.props.configuration.get_uri(), uri)
            self.loop.call(client, 'disconnect')


class Failures(unittest.TestCase):
    """What a program can read after an error."""

    def connect(self, status, body, code):
        with HttpServer(lambda *_: (status, {'Content-Type': 'text/xml'}, body.encode())) as server:
            configuration = Bosh.ConnectionConfiguration(uri=server.uri)
            connection = Bosh.Connection(domain='localhost', configuration=configuration)
            with self.assertRaises(GLib.Error) as raised:
                Loop().call(connection, 'connect')
        self.assertTrue(raised.exception.matches(Bosh.error_quark(), code), raised.exception)
        return connection

    def test_http_status(self):
        connection = self.connect(403, '', Bosh.Error.HTTP)
        self.assertEqual(connection.props.http_status, 403)
        self.assertIsNone(connection.props.see_other_uri)
        connection = self.connect(200, '<html/>', Bosh.Error.NOT_BOSH)
        self.assertEqual(connection.get_http_status(), 200)

    def test_see_other_uri(self):
        connection = self.connect(
            200, f'<body xmlns="{NS_BODY}" type="terminate" condition="see-other-uri">'
            '<uri>ftp://other.example/</uri></body>', Bosh.Error.SEE_OTHER_URI)
        self.assertEqual(connection.props.see_other_uri, 'ftp://other.example/')
        self.assertEqual(connection.props.http_status, 0)

    def test_gateway(self):
        configuration = Bosh.ConnectionConfiguration(
            uri='https://romeo:secret@localhost/', request_headers=['X-Token: 1'])
        self.assertTrue(configuration.validate())
        self.assertEqual(configuration.props.uri, 'https://localhost/')
        self.assertEqual(
            Bosh.ConnectionConfiguration(http_username='a').get_http_username(), 'a')
        with self.assertRaises(GLib.Error) as raised:
            Bosh.ConnectionConfiguration(request_headers=['Host: x']).validate()
        self.assertTrue(raised.exception.matches(Bosh.error_quark(), Bosh.Error.INVALID_HEADER))

    def test_use_sasl2(self):
        client = Bosh.Client.new('localhost', None)
        self.assertTrue(client.get_use_sasl2())
        client.props.use_sasl2 = False
        self.assertFalse(client.get_use_sasl2())

    def test_domain(self):
        """As people type it; what is none is an error."""
        self.assertEqual(Bosh.Client.new('XN--MNCHEN-3YA.example.', None).props.domain,
                         'münchen.example')
        configuration = Bosh.ConnectionConfiguration(uri='http://localhost/')
        with self.assertRaises(GLib.Error) as raised:
            Loop().call(Bosh.Client.new('alice@localhost', configuration), 'connect')
        self.assertTrue(raised.exception.matches(Bosh.error_quark(), Bosh.Error.INVALID_JID))

    def test_no_configuration(self):
        with self.assertRaises(GLib.Error) as raised:
            Loop().call(Bosh.Connection(domain='localhost'), 'connect')
        self.assertTrue(raised.exception.matches(Bosh.error_quark(), Bosh.Error.INVALID_URI))


class Sessions(unittest.TestCase):
    server = None

    def setUp(self):
        self.loop = Loop()
        self.stanzas = []

    def client(self, scheme='http'):
        configuration = Bosh.ConnectionConfiguration(
            uri=self.server.uris[scheme],
            tls_database=Gio.TlsFileDatabase.new(self.server.ca_file))
        client = Bosh.Client.new('localhost', configuration)
        client.connect('stanza', lambda _client, stanza: self.stanzas.append(stanza))
        return client

    def logged_in(self, user='alice', scheme='http', resource=None):
        client = self.client(scheme)
        self.assertTrue(self.loop.call(client, 'connect'))
        self.assertTrue(self.loop.call(client, 'login', user, PASSWORD, resource))
        return client

    def assert_raises(self, quark, code, function, *arguments, **keywords):
        with self.assertRaises(GLib.Error) as raised:
            function(*arguments, **keywords)
        self.assertTrue(raised.exception.matches(quark, code), raised.exception)

    def test_reference_scenario(self):
        for scheme in ('http', 'https'):
            client = self.logged_in(scheme=scheme)
            self.assertEqual(client.get_state(), Bosh.ClientState.READY)
            self.assertTrue(client.props.jid.startswith('alice@localhost/'))
            connection = client.get_connection()
            sid = connection.get_session_id()
            rid = connection.detach()
            session = self.server.raw_session(sid, rid, scheme)
            self.assertTrue(session.ping())
            session.terminate()

    def test_accept_certificate(self):
        """Nobody vouches for the certificate; its fingerprint is known."""
        configuration = Bosh.ConnectionConfiguration(uri=self.server.uris['https'])
        pem = ssl.get_server_certificate((configuration.get_hostname(), configuration.get_port()))
        expected = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()

        def fingerprint(certificate):
            der = ssl.PEM_cert_to_DER_cert(certificate.props.certificate_pem)
            return hashlib.sha256(der).hexdigest()

        client = Bosh.Client.new('localhost', configuration)
        self.assert_raises(Bosh.error_quark(), Bosh.Error.TLS, self.loop.call, client, 'connect')
        self.assertEqual(fingerprint(client.get_tls_peer_certificate()), expected)
        self.assertTrue(client.props.tls_peer_certificate_errors
                        & Gio.TlsCertificateFlags.UNKNOWN_CA)

        asked = []

        def on_accept_certificate(_client, certificate, errors):
            asked.append(errors)
            return fingerprint(certificate) == expected

        client = Bosh.Client.new('localhost', configuration)
        client.connect('accept-certificate', on_accept_certificate)
        self.loop.call(client, 'connect')
        self.loop.call(client, 'login', 'alice', PASSWORD, None)
        self.assertEqual(asked, [Gio.TlsCertificateFlags.UNKNOWN_CA])
        self.assertEqual(client.get_connection().get_tls_peer_certificate_errors(), asked[0])
        self.loop.call(client, 'disconnect')

    def test_wrong_password(self):
        client = self.client()
        self.loop.call(client, 'connect')
        self.assert_raises(Bosh.sasl_error_quark(), Bosh.SaslError.NOT_AUTHORIZED,
                           self.loop.call, client, 'login', 'alice', 'wrong', None)

    def test_cancel(self):
        cancellable = Gio.Cancellable()
        with DeafServer() as server:
            configuration = Bosh.ConnectionConfiguration(uri=server.uri)
            client = Bosh.Client.new('localhost', configuration)
            GLib.idle_add(cancellable.cancel)
            self.assert_raises(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED,
                               self.loop.call, client, 'connect', cancellable=cancellable)

    def test_messages_and_iq(self):
        alice = self.logged_in()
        bob = self.logged_in('bob')
        message = Bosh.Element.new_message(bob.get_jid(), 'chat', 'Hello')
        self.assertTrue(alice.send(message))
        self.assertTrue(message.is_sealed())
        self.loop.run_until(lambda: self.stanzas)
        self.assertEqual(self.stanzas[0].dup_child_text('body', NS_CLIENT), 'Hello')
        self.assertEqual(self.stanzas[0].get_attribute('from'), alice.get_jid())

        ping = Bosh.Element.new('ping', 'urn:xmpp:ping')
        iq = Bosh.Element.new_iq(bob.get_jid(), 'get', ping)
        response = self.loop.call(alice, 'send_iq', iq, PATIENCE)
        self.assertEqual(response.get_attribute('type'), 'result')
        iq = Bosh.Element.new_iq(bob.get_jid(), 'get', Bosh.Element.new('query', 'urn:example'))
        self.assert_raises(Bosh.stanza_error_quark(), Bosh.StanzaError.SERVICE_UNAVAILABLE,
                           self.loop.call, alice, 'send_iq', iq, -1)
        self.assertTrue(self.loop.call(alice, 'deliver',
                                       Bosh.Element.new_message(bob.get_jid(), 'chat', 'There')))
        for client in (alice, bob):
            self.assertTrue(self.loop.call(client, 'disconnect'))
            self.assertEqual(client.get_state(), Bosh.ClientState.CLOSED)

    def test_error_of_a_message(self):
        alice = self.logged_in()
        messages = [Bosh.Element.new_message('nobody@localhost', 'chat', body)
                    for body in ('one', 'two')]
        self.assertIsNone(messages[0].get_attribute('id'))
        for message in messages:
            alice.send(message)
        self.loop.run_until(lambda: len(self.stanzas) == 2)
        for message, stanza in zip(messages, self.stanzas):
            self.assertIsNone(message.dup_error())
            self.assertEqual(stanza.get_attribute('id'), message.get_attribute('id'))
            error = stanza.dup_error()
            self.assertTrue(error.matches(Bosh.stanza_error_quark(),
                                          Bosh.StanzaError.SERVICE_UNAVAILABLE), error)
        self.loop.call(alice, 'disconnect')

    def test_left_out(self):
        """More namespaces in force than the client takes, which the servers pass on."""
        alice = self.logged_in()
        bob = self.logged_in('bob')
        connection = bob.get_connection()
        told = []
        for source in (bob, connection):
            source.connect('stanza-left-out',
                           lambda _source, name, sender, id_, size, reason:
                           told.append((name, sender, id_, size > 260 * 20, reason.code)))

        message = Bosh.Element.new_message(bob.get_jid(), 'chat', 'Deep')
        message.set_attribute('id', 'deep')
        inner = Bosh.Element.new('x', 'urn:example:0')
        for number in range(1, 260):
            outer = Bosh.Element.new('x', f'urn:example:{number}')
            outer.add_child(inner)
            inner = outer
        message.add_child(inner)
        alice.send(message)
        alice.send(Bosh.Element.new_message(bob.get_jid(), 'chat', 'After'))
        self.loop.run_until(lambda: self.stanzas)
        self.assertEqual(self.stanzas[0].dup_child_text('body', NS_CLIENT), 'After')
        self.assertEqual(told, 2 * [('message', alice.get_jid(), 'deep', True,
                                     Bosh.Error.TOO_LARGE)])
        self.assertEqual(connection.get_n_stanzas_left_out(), 1)
        self.assertEqual(connection.props.n_stanzas_left_out, 1)
        self.assertEqual(bob.get_state(), Bosh.ClientState.READY)
        for client in (alice, bob):
            self.loop.call(client, 'disconnect')

    def test_stanza_outlives_its_signal(self):
        alice = self.logged_in()
        for number in range(20):
            alice.send(Bosh.Element.new_message(alice.get_jid(), None, f'{number}' * 500))
        self.loop.run_until(lambda: len(self.stanzas) == 20)
        self.loop.call(alice, 'disconnect')
        del alice
        gc.collect()
        for number, stanza in enumerate(self.stanzas[:20]):
            self.assertEqual(stanza.dup_child_text('body', NS_CLIENT), f'{number}' * 500)

    def test_stanzas_of_unknown_fate(self):
        client = self.logged_in()
        connection = client.get_connection()
        for body in ('one', 'two'):
            client.send(Bosh.Element.new_message('bob@localhost', 'chat', body))
        for _ in range(2):
            stanzas = connection.dup_unsent() + connection.dup_undelivered()
            gc.collect()
            self.assertEqual([stanza.dup_child_text('body', None) for stanza in stanzas],
                             ['one', 'two'])
            del stanzas
            gc.collect()
        self.loop.call(client, 'disconnect')

    def test_closed_without_an_error(self):
        closed = []
        client = self.logged_in()
        client.connect('closed', lambda _client, error: closed.append(error))
        self.loop.call(client, 'disconnect')
        self.loop.run_until(lambda: closed)
        self.assertEqual(closed, [None])

    def test_closed_with_an_error(self):
        """RFC 6120 §4.9.3.3: a second session takes the resource of the first."""
        closed = []
        first = self.logged_in(resource='contested')
        first.connect('closed', lambda _client, error: closed.append(error))
        second = self.logged_in(resource='contested')
        self.loop.run_until(lambda: closed)
        self.assertEqual(len(closed), 1)
        self.assertIsInstance(closed[0], GLib.Error)
        self.assertTrue(closed[0].matches(Bosh.stream_error_quark(), Bosh.StreamError.CONFLICT),
                        closed[0])
        self.loop.call(second, 'disconnect')

    def test_handler_drops_the_last_reference(self):
        clients = [self.logged_in()]
        reference = weakref.ref(clients[0])
        jid = clients[0].get_jid()
        clients[0].connect('stanza', lambda *_: clients.clear())
        clients[0].send(Bosh.Element.new_message(jid, None, 'to myself'))
        self.loop.run_until(lambda: not clients)
        gc.collect()
        self.loop.run_until(lambda: reference() is None)

    def test_detach_and_attach(self):
        first = self.logged_in()
        jid = first.get_jid()
        detached = self.loop.call(first, 'detach')
        detached = Bosh.SavedSession.new_from_json(detached.to_json())
        second = self.client()
        self.loop.call(second, 'attach', detached)
        self.assertEqual(second.get_jid(), jid)
        second.send(Bosh.Element.new_message(jid, None, 'to myself'))
        self.loop.run_until(lambda: self.stanzas)
        self.loop.call(second, 'disconnect')
        self.assertEqual(first.get_state(), Bosh.ClientState.DETACHED)
        self.assert_raises(Bosh.error_quark(), Bosh.Error.DETACHED, first.send,
                           Bosh.Element.new_message(jid, None, 'too late'))

    def test_save_and_pause(self):
        client = self.logged_in()
        self.assertEqual(client.props.domain, client.get_domain())
        self.assertEqual(client.props.configuration, client.get_configuration())
        self.assertEqual(client.save().get_jid(), client.get_jid())
        if client.get_connection().get_max_pause() > 0:
            self.assertTrue(self.loop.call(client, 'pause', 60))
            client.resume()
        else:
            self.assert_raises(Bosh.error_quark(), Bosh.Error.NOT_SUPPORTED,
                               self.loop.call, client, 'pause', 60)
        self.loop.call(client, 'disconnect')

    def test_prebind(self):
        client = self.client()
        detached = self.loop.call(client, 'prebind', 'alice', PASSWORD, None)
        self.assertEqual(client.get_state(), Bosh.ClientState.DETACHED)
        self.assertFalse(detached.has_open_request())
        self.assertFalse(detached.props.has_open_request)
        self.assertIs(json.loads(detached.to_json())['open-request'], False)
        session = self.server.raw_session(detached.get_session_id(), detached.get_request_id())
        self.assertTrue(session.ping())
        session.terminate()

    def test_pause_on_detach(self):
        self.assertFalse(Bosh.ConnectionConfiguration().get_pause_on_detach())
        self.assertTrue(Bosh.ConnectionConfiguration(pause_on_detach=True).get_pause_on_detach())

    def test_notify_and_thread(self):
        """Signals come in the thread of the context, and no other."""
        seen = []

        def work():
            context = GLib.MainContext()
            context.push_thread_default()
            loop = Loop(context)
            client = self.client()
            client.connect('notify::state', lambda client, _property: seen.append(
                (client.get_state(), threading.get_ident())))
            loop.call(client, 'connect')
            loop.call(client, 'login', 'alice', PASSWORD, None)
            loop.call(client, 'disconnect')
            context.pop_thread_default()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(PATIENCE)
        self.assertFalse(thread.is_alive())
        self.assertEqual({identity for _, identity in seen}, {thread.ident})
        self.assertEqual([state for state, _ in seen], [
            Bosh.ClientState.CONNECTING, Bosh.ClientState.CONNECTED,
            Bosh.ClientState.LOGGING_IN, Bosh.ClientState.READY,
            Bosh.ClientState.DISCONNECTING, Bosh.ClientState.CLOSED])


if __name__ == '__main__':
    Sessions.server = ServerAddress(sys.argv.pop(1))
    unittest.main(verbosity=2)
