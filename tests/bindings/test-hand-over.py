#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A session that wanders from process to process while messages arrive in it all
the time: each message must be seen once, in order, by one of the processes.

Run with the name of a server that run-with.py has started, it is the test. With
the name of a role, it is one of the processes of the test:

  send NAME URI RATE   logs in as NAME and sends numbered messages, RATE a second,
                       until its standard input ends; then it prints how many
  carry                takes the session from standard input, and prints the
                       numbers of what arrives, and the session, when as many
                       have arrived as were asked for
"""

import json
import os
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
from tooling import PASSWORD, PATIENCE

import gi

gi.require_version('Bosh', '1.0')
from gi.repository import Bosh, Gio, GLib

RECIPIENT = 'bob@localhost/carried'
RATE = 200
HAND_OVERS = 10
# What each process carries at least, however fast the messages come.
MESSAGES = 90


def configure(uri, key_sequence=False):
    return Bosh.ConnectionConfiguration(
        uri=uri, use_key_sequence=key_sequence,
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
    def __init__(self, name, uri, rate):
        super().__init__()
        self.count = 0
        self.enough = False
        self.interval = 1000 // rate
        self.client = Bosh.Client.new('localhost', configure(uri))
        self.client.connect('closed', self.on_closed)
        self.client.connect_async(None, lambda client, result: (
            client.connect_finish(result),
            client.login_async(name, PASSWORD, None, None, self.on_login)))

    def on_login(self, client, result):
        client.login_finish(result)
        GLib.timeout_add(self.interval, self.send)
        GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, sys.stdin.fileno(), GLib.IOCondition.HUP,
                              self.on_enough)

    def on_enough(self, *_):
        self.enough = True
        return GLib.SOURCE_REMOVE

    def send(self):
        if self.enough:
            self.client.disconnect_async(None, self.on_disconnected)
            return GLib.SOURCE_REMOVE
        self.client.send(Bosh.Element.new_message(RECIPIENT, 'chat', str(self.count)))
        self.count += 1
        return GLib.SOURCE_CONTINUE

    def on_disconnected(self, client, result):
        client.disconnect_finish(result)
        print(self.count)
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
        client = Bosh.Client.new('localhost', configure(uri, key_sequence))
        result = []
        loop = GLib.MainLoop()

        def on_prebound(client, task):
            result.append(client.prebind_finish(task))
            loop.quit()

        client.prebind_async('bob', PASSWORD, 'carried', None, on_prebound)
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
        sender = subprocess.Popen([sys.executable, __file__, 'send', 'alice', uri, str(RATE)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            for _ in range(HAND_OVERS):
                result = self.carry(uri, session, MESSAGES)
                numbers += result['numbers']
                session = result['session']
            count = int(sender.communicate(timeout=PATIENCE)[0])
            self.assertEqual(sender.returncode, 0)
        finally:
            sender.kill()
            sender.communicate()
        while len(numbers) < count:
            result = self.carry(uri, session, count - len(numbers))
            numbers += result['numbers']
            session = result['session']
        self.assertEqual(numbers, list(range(count)))

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
        Sender(sys.argv[2], sys.argv[3], int(sys.argv[4])).run()
    elif sys.argv[1] == 'carry':
        Carrier().run()
    else:
        HandOver.server = sys.argv.pop(1)
        unittest.main(verbosity=2)
