#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A session that wanders from process to process while messages arrive in it all
the time: each message must be seen once, in order, by one of the processes.

Run with the name of a server that run-with.py has started, it is the test. With
the name of a role, it is one of the processes of the test:

  send NAME URI COUNT RATE   logs in as NAME and sends COUNT numbered messages,
                             RATE a second
  carry                      takes the session from standard input, and prints
                             the numbers of what arrives, and the session, when
                             as many have arrived as were asked for
"""

import json
import os
import subprocess
import sys
import unittest

import gi

gi.require_version('Bosh', '1.0')
from gi.repository import Bosh, Gio, GLib

PASSWORD = 'secret'
RECIPIENT = 'bob@localhost/carried'
MESSAGES = 1000
RATE = 200
HAND_OVERS = 10
# Long enough for any machine; nothing waits for it when all goes well.
PATIENCE = 120


def configure(uri, key_sequence=False):
    address = Bosh.ConnectionConfiguration.new_for_uri(uri)
    return Bosh.ConnectionConfiguration(
        hostname=address.get_hostname(), port=address.get_port(), path=address.get_path(),
        secure=address.get_secure(), use_key_sequence=key_sequence,
        tls_database=Gio.TlsFileDatabase.new(os.environ['BOSH_TEST_CA_FILE']))


class Role:
    """A main loop with an end."""

    def __init__(self):
        self.loop = GLib.MainLoop()
        self.error = None

    def run(self):
        GLib.timeout_add_seconds(PATIENCE, self.fail, 'took too long')
        self.loop.run()
        if self.error is not None:
            sys.exit(f'{sys.argv[1]}: {self.error}')

    def fail(self, error):
        self.error = error
        self.loop.quit()

    def on_closed(self, client, error):
        if error is not None:
            self.fail(f'closed: {error.message}')


class Sender(Role):
    def __init__(self, name, uri, count, rate):
        super().__init__()
        self.count = count
        self.next = 0
        self.interval = 1000 // rate
        self.client = Bosh.Client.new('localhost', configure(uri))
        self.client.connect('closed', self.on_closed)
        self.client.connect_async(None, lambda client, result: (
            client.connect_finish(result),
            client.login_async(name, PASSWORD, None, None, self.on_login)))

    def on_login(self, client, result):
        client.login_finish(result)
        GLib.timeout_add(self.interval, self.send)

    def send(self):
        message = Bosh.Element.new_message(RECIPIENT, 'chat', str(self.next))
        self.client.send(message)
        self.next += 1
        if self.next < self.count:
            return GLib.SOURCE_CONTINUE
        self.client.disconnect_async(None, self.on_disconnected)
        return GLib.SOURCE_REMOVE

    def on_disconnected(self, client, result):
        client.disconnect_finish(result)
        self.loop.quit()


class Carrier(Role):
    def __init__(self):
        super().__init__()
        task = json.loads(sys.stdin.read())
        self.wanted = task['wanted']
        self.numbers = []
        self.detaching = False
        session = Bosh.SavedSession.new_from_json(task['session'])
        self.client = Bosh.Client.new(session.get_domain(), configure(task['uri']))
        self.client.connect('stanza::message', self.on_message)
        self.client.connect('closed', self.on_closed)
        self.client.attach_async(session, None, lambda client, result: client.attach_finish(result))

    def on_message(self, client, message):
        self.numbers.append(int(message.dup_child_text('body', None)))
        if len(self.numbers) >= self.wanted and not self.detaching:
            self.detaching = True
            # From a reply of our own, so that the last request has payload.
            client.send(Bosh.Element.new_message('alice@localhost', 'chat', 'carried'))
            client.detach_async(None, self.on_detached)

    def on_detached(self, client, result):
        session = client.detach_finish(result)
        json.dump({'numbers': self.numbers, 'session': session.to_json()}, sys.stdout)
        self.loop.quit()


class HandOver(unittest.TestCase):
    server = None

    def prebind(self, uri, key_sequence):
        configuration = configure(uri, key_sequence)
        result = []
        loop = GLib.MainLoop()

        def on_prebound(source, task):
            result.append(Bosh.Client.prebind_finish(task))
            loop.quit()

        Bosh.Client.prebind_async('localhost', configuration, 'bob', PASSWORD, 'carried', None,
                                  on_prebound)
        loop.run()
        return result[0].to_json()

    def carry(self, uri, session, wanted):
        task = json.dumps({'uri': uri, 'session': session, 'wanted': wanted})
        done = subprocess.run([sys.executable, __file__, 'carry'], input=task, text=True,
                              stdout=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0)
        return json.loads(done.stdout)

    def run_test(self, scheme, key_sequence):
        prefix = f'BOSH_TEST_{self.server.upper()}_'
        uri = os.environ[f'{prefix}{scheme.upper()}_URI']
        os.environ['BOSH_TEST_CA_FILE'] = os.environ[prefix + 'CA_FILE']
        session = self.prebind(uri, key_sequence)
        numbers = []
        sender = subprocess.Popen([sys.executable, __file__, 'send', 'alice', uri,
                                   str(MESSAGES), str(RATE)])
        try:
            for _ in range(HAND_OVERS):
                result = self.carry(uri, session, MESSAGES // (HAND_OVERS + 1))
                numbers += result['numbers']
                session = result['session']
            while len(numbers) < MESSAGES:
                result = self.carry(uri, session, MESSAGES - len(numbers))
                numbers += result['numbers']
                session = result['session']
            self.assertEqual(sender.wait(PATIENCE), 0)
        finally:
            if sender.poll() is None:
                sender.terminate()
                sender.wait()
        self.assertEqual(numbers, list(range(MESSAGES)))

    def test_http(self):
        """A hand-over loses nothing and repeats nothing."""
        self.run_test('http', False)

    def test_https(self):
        """The same through TLS."""
        self.run_test('https', False)

    def test_key_sequence(self):
        """R71: nor does one that carries a key sequence along."""
        self.run_test('http', True)


if __name__ == '__main__':
    if sys.argv[1] == 'send':
        Sender(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])).run()
    elif sys.argv[1] == 'carry':
        Carrier().run()
    else:
        HandOver.server = sys.argv.pop(1)
        unittest.main(verbosity=2)
