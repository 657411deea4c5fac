#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The server is restarted, and the client comes back by itself.

Run with the name of a server: prosody or ejabberd.
"""

import os
import sys
import unittest

# The source directory is not ours to write to.
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'servers'))
from sandbox import MissingProgram
from servers import Servers
from tooling import PASSWORD, PATIENCE

import gi

gi.require_version('Bosh', '1.0')
from gi.repository import Bosh, GLib


class Life:
    """A client that tells what happens to it."""

    def __init__(self, uri, domain='localhost'):
        self.events = []
        self.bodies = []
        self.lost = []
        self.repeated = []
        self.closed = []
        self.client = Bosh.Client.new(domain, Bosh.ConnectionConfiguration(uri=uri))
        self.client.props.auto_reconnect = True
        self.client.connect('notify::state', self.on_state)
        self.client.connect('session-lost', self.on_session_lost)
        self.client.connect('session-renewed', self.on_session_renewed)
        self.client.connect('stanza::presence', self.on_presence)
        self.client.connect('stanza::message', self.on_message)
        self.client.connect('closed', lambda _client, error: self.closed.append(error))

    def on_state(self, client, _pspec):
        self.events.append(client.get_state().value_nick)

    def on_session_lost(self, client, connection, error):
        self.lost.append(error)
        # What may have arrived is sent again here: rather twice than never.
        for stanza in connection.dup_undelivered():
            self.repeated.append(stanza.dup_child_text('body', None))
            client.send(stanza)
        return True

    def on_session_renewed(self, client):
        """What waits is held back until the server has reflected our presence."""
        self.events.append('renewed')
        client.send(Bosh.Element.new_presence(None, None))
        return True

    def on_presence(self, client, presence):
        if presence.get_attribute('from') == client.get_jid():
            self.events.append('presence')
            client.resend()

    def on_message(self, _client, message):
        self.bodies.append(message.dup_child_text('body', None))

    def wait(self, condition):
        context = GLib.MainContext.default()
        late = []
        timer = GLib.timeout_add_seconds(PATIENCE, late.append, True)
        while not condition():
            context.iteration(True)
            if late:
                raise AssertionError(f'took too long: {self.events}, {self.bodies}, {self.closed}')
        GLib.source_remove(timer)

    def log_in(self):
        done = []
        self.client.connect_async(None, lambda client, result: (
            client.connect_finish(result),
            client.login_async('alice', PASSWORD, 'home', None, lambda client, result: (
                client.login_finish(result), done.append(True)))))
        self.wait(lambda: done)

    def send(self, body):
        self.client.send(Bosh.Element.new_message(self.client.get_jid(), 'chat', body))

    def disconnect(self):
        done = []
        self.client.disconnect_async(None, lambda client, result: (
            client.disconnect_finish(result), done.append(True)))
        self.wait(lambda: done and self.closed)


class Reconnect(unittest.TestCase):
    name = None

    def setUp(self):
        servers = Servers([self.name])
        self.addCleanup(servers.stop)
        servers.start()
        self.server = servers[self.name]
        self.uri = servers.environment()[f'BOSH_TEST_{self.name.upper()}_HTTP_URI']

    def restart(self, kill):
        if kill:
            self.server.stop_signal = 9
        self.server.stop()
        self.server.relaunch()
        self.server.wait_until_ready()

    def check_restart(self, kill, domain='localhost', mechanism=None, pipeline=False):
        life = Life(self.uri, domain)
        life.client.props.pipeline_login = pipeline
        self.assertEqual(life.client.get_pipeline_login(), pipeline)
        life.log_in()
        jid = life.client.get_jid()
        first = life.client.get_connection()
        life.send('one')
        life.wait(lambda: life.bodies == ['one'])
        del life.events[:]

        self.restart(kill)
        life.send('two')
        life.wait(lambda: 'ready' in life.events)
        life.wait(lambda: 'two' in life.bodies)
        self.assertEqual(life.events, ['reconnecting', 'renewed', 'presence', 'ready'])
        self.assertEqual(len(life.lost), 1)
        if mechanism is not None:
            self.assertEqual(life.client.get_mechanism(), mechanism)
        self.assertEqual(life.client.get_jid(), jid)
        self.assertNotEqual(life.client.get_connection(), first)
        self.assertEqual(life.closed, [])

        life.send('three')
        life.wait(lambda: 'three' in life.bodies)
        self.assertEqual(list(dict.fromkeys(life.bodies)), ['one', 'two', 'three'])
        # Twice only what the handler has sent twice.
        for body in life.bodies:
            self.assertLessEqual(life.bodies.count(body), 1 + life.repeated.count(body))
        life.disconnect()
        self.assertEqual(life.closed, [None])
        self.assertEqual(life.events[-1], 'closed')

    def test_stopped(self):
        """E38: the server is stopped in order, and started again."""
        self.check_restart(False)

    def test_killed(self):
        """E38: the server dies without a word, and is started again."""
        self.check_restart(True)

    def test_salted_password(self):
        """RFC 5802 §5.1: the salt of the server outlives it, and so does what it was used for."""
        self.check_restart(False, 'sha1.localhost', 'SCRAM-SHA-1')
        self.check_restart(True, 'sha256.localhost', 'SCRAM-SHA-256', pipeline=True)

    def test_replaced(self):
        """E51: who is replaced by another client with the same resource does not come back."""
        first = Life(self.uri)
        second = Life(self.uri)
        first.log_in()
        second.log_in()
        if first.client.get_jid() != second.client.get_jid():
            self.skipTest('the server gave another resource')
        first.wait(lambda: first.closed)
        self.assertTrue(first.closed[0].matches(Bosh.stream_error_quark(),
                                                Bosh.StreamError.CONFLICT), first.closed[0])
        self.assertEqual(first.lost, [])
        self.assertEqual(second.client.get_state(), Bosh.ClientState.READY)
        second.disconnect()


if __name__ == '__main__':
    Reconnect.name = sys.argv.pop(1)
    try:
        Servers([Reconnect.name]).stop()
    except MissingProgram as error:
        print(error)
        sys.exit(1 if os.environ.get('CI') == 'true' else 77)
    unittest.main(verbosity=2)
