#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program that is killed at random moments, and goes on each time from what it
kept in one file: each message, in both directions, must arrive exactly once.

The program does what the documentation of bosh_connection_save() asks for: at each
change of the request id, and sometimes in the middle of a response, it replaces its
file as a whole. The file contains the session, the messages that the program has
received, and the number of those that it has sent. Messages that it receives later
are lost with it, and arrive again; messages that it queues later have not left.

Run with the name of a server that run-with.py has started, it is the test. With
the name of a role, it is one of the processes of the test:

  peer URI          logs in as alice, sends its messages, and prints the numbers of
                    those that it got when it has got all
  mortal FILE KIND  goes on from the file, sends and receives, until it is killed
                    or kills itself where that may hurt ("brief"), or until
                    nothing is left ("last")
"""

import collections
import json
import os
import random
import signal
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
from tooling import PASSWORD, PATIENCE

import gi

gi.require_version('Bosh', '1.0')
from gi.repository import Bosh, Gio, GLib

PEER = 'alice@localhost/peer'
MORTAL = 'bob@localhost/mortal'
TO_MORTAL = 2000
TO_PEER = 1200
KILLS = 25
# Milliseconds.
LONGEST_LIFE = 500
INTERVAL = 8
# One in so many dangerous moments is the end.
DANGER = 60


def configure(uri, key_sequence=False):
    return Bosh.ConnectionConfiguration(
        uri=uri, use_key_sequence=key_sequence, key_sequence_length=20 if key_sequence else 0)


class Role:
    """A main loop with an end, and numbered messages."""

    def __init__(self):
        self.loop = GLib.MainLoop()
        self.error = None
        self.received = []
        self.sent = 0

    def run(self):
        GLib.timeout_add_seconds(PATIENCE, self.fail, 'took too long')
        self.loop.run()
        if self.error is not None:
            sys.exit(f'{sys.argv[1]}: {self.error}')

    def fail(self, error):
        self.error = error
        self.loop.quit()

    def on_closed(self, _client, error):
        if error is not None:
            self.fail(f'closed: {error.message}')

    def send(self, recipient):
        self.client.send(Bosh.Element.new_message(recipient, 'chat', str(self.sent)))
        self.sent += 1

    def disconnect(self):
        self.client.disconnect_async(None, self.on_disconnected)

    def on_disconnected(self, client, result):
        client.disconnect_finish(result)
        self.loop.quit()


class Peer(Role):
    def __init__(self, uri):
        super().__init__()
        self.client = Bosh.Client.new('localhost', configure(uri))
        self.client.connect('closed', self.on_closed)
        self.client.connect('stanza::message', self.on_message)
        self.client.connect_async(None, lambda client, result: (
            client.connect_finish(result),
            client.login_async('alice', PASSWORD, 'peer', None, self.on_login)))

    def on_login(self, client, result):
        client.login_finish(result)
        print('up', flush=True)
        GLib.timeout_add(INTERVAL, self.on_time)

    def on_time(self):
        for _ in range(random.choice((0, 1, 1, 4))):
            if self.sent < TO_MORTAL:
                self.send(MORTAL)
        self.end_if_done()
        return self.sent < TO_MORTAL

    def on_message(self, _client, message):
        self.received.append(int(message.dup_child_text('body', None)))
        self.end_if_done()

    def end_if_done(self):
        if self.sent >= TO_MORTAL and len(self.received) >= TO_PEER:
            json.dump(self.received, sys.stdout)
            self.disconnect()


class Mortal(Role):
    def __init__(self, path, kind):
        super().__init__()
        self.path = path
        self.brief = kind == 'brief'
        self.attached = False
        with open(path, encoding='utf-8') as file:
            state = json.load(file)
        self.uri = state['uri']
        self.received = state['received']
        self.sent = state['sent']
        self.ending = False
        # What it sees, kept or not, for the test alone.
        self.seen = open(path + '.seen', 'a', buffering=1, encoding='utf-8')
        self.seen.write(f'life {len(self.received)}\n')
        session = Bosh.SavedSession.new_from_json(state['session'])
        self.client = Bosh.Client.new(session.get_domain(), configure(self.uri))
        self.client.connect('closed', self.on_closed)
        self.client.connect('stanza::message', self.on_message)
        self.connection = self.client.get_connection()
        self.connection.connect('notify::request-id', self.save)
        print('up', flush=True)
        self.client.attach_async(session, None, self.on_attached)
        GLib.timeout_add(INTERVAL, self.on_time)

    def on_attached(self, client, result):
        client.attach_finish(result)
        self.attached = True

    def risk(self):
        if self.brief and random.randrange(DANGER) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def save(self, *_):
        if self.ending:
            return
        state = {'uri': self.uri, 'session': self.connection.save().to_json(),
                 'received': self.received, 'sent': self.sent}
        self.risk()
        write_state(self.path, state)
        self.risk()

    def on_time(self):
        for _ in range(random.choice((0, 1, 1, 5))):
            if self.sent < TO_PEER:
                self.send(PEER)
        self.end_if_done()
        return not self.ending

    def on_message(self, _client, message):
        number = int(message.dup_child_text('body', None))
        self.seen.write(f'{number}\n')
        self.received.append(number)
        self.risk()
        # In the middle of a response, too, whose other stanzas are not delivered yet.
        if number % 3 == 0:
            self.save()

    def end_if_done(self):
        if (self.brief or not self.attached or self.ending or self.sent < TO_PEER
                or len(self.received) < TO_MORTAL):
            return
        self.save()
        self.ending = True
        self.disconnect()


def write_state(path, state):
    descriptor = os.open(path + '.new', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, 'w', encoding='utf-8') as file:
        json.dump(state, file)
    os.replace(path + '.new', path)


def run_until(condition):
    """Runs the main loop."""
    context = GLib.MainContext.default()
    late = []
    timer = GLib.timeout_add_seconds(PATIENCE, late.append, True)
    while not condition():
        context.iteration(True)
        if late:
            raise AssertionError('took too long')
    GLib.source_remove(timer)


def run_async(begin, finish):
    """Returns what `finish` gives."""
    results = []
    begin(lambda _source, result: results.append(result))
    run_until(lambda: results)
    return finish(results[0])


class Restart(unittest.TestCase):
    server = None

    def prebind(self, uri, key_sequence):
        client = Bosh.Client.new('localhost', configure(uri, key_sequence))
        session = run_async(
            lambda done: client.prebind_async('bob', PASSWORD, 'mortal', None, done),
            client.prebind_finish)
        return session.to_json()

    def start(self, *arguments):
        process = subprocess.Popen([sys.executable, __file__, *arguments],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), 'up\n')
        return process

    def live(self, path, chance):
        """Starts the program over and over, the last time to its end."""
        for _ in range(KILLS):
            mortal = self.start('mortal', path, 'brief')
            try:
                mortal.wait(chance.uniform(0, LONGEST_LIFE) / 1000)
            except subprocess.TimeoutExpired:
                mortal.kill()
            self.assertEqual(mortal.wait(), -signal.SIGKILL)
        mortal = self.start('mortal', path, 'last')
        self.assertEqual(mortal.wait(PATIENCE), 0)

    def check_lives(self, path):
        """What each life saw begins with the first that its file did not have."""
        repeats = collections.Counter()
        with open(path + '.seen', encoding='utf-8') as file:
            for line in file:
                if line.startswith('life'):
                    expected = int(line.split()[1])
                    continue
                self.assertEqual(int(line), expected)
                repeats[expected] += 1
                expected += 1
        self.assertEqual(sorted(repeats), list(range(TO_MORTAL)))
        return sum(repeats.values()) - TO_MORTAL

    def check_stale(self, uri, session):
        """It fails once, with one request; Prosody is asked for each that has no response, as it
        may have forgotten one of them only."""
        closed = []
        client = Bosh.Client.new('localhost', configure(uri))
        client.connect('closed', lambda _client, error: closed.append(error))
        began = time.monotonic()
        try:
            run_async(lambda done: client.attach_async(
                Bosh.SavedSession.new_from_json(session), None, done), client.attach_finish)
        except GLib.Error as error:
            self.assertTrue(error.matches(Bosh.Error.quark(), Bosh.Error.ITEM_NOT_FOUND))
            self.assertEqual(len(closed), 1)
            unanswered = len(json.loads(session)['unanswered']) if self.server == 'prosody' else 1
            self.assertEqual(client.get_connection().get_n_requests_sent(), max(unanswered, 1))
        else:
            # A server that says nothing for so long is taken for one that holds the request.
            self.assertGreaterEqual(time.monotonic() - began, 1)
            run_until(lambda: closed)
        self.assertTrue(closed[0].matches(Bosh.Error.quark(), Bosh.Error.ITEM_NOT_FOUND))
        self.assertEqual(len(closed), 1)
        self.assertEqual(client.get_state(), Bosh.ClientState.CLOSED)

    def run_test(self, key_sequence):
        seed = random.randrange(2 ** 32)
        print(f'seed {seed}', file=sys.stderr)
        uri = os.environ[f'BOSH_TEST_{self.server.upper()}_HTTP_URI']
        path = os.path.join(os.environ['BOSH_TEST_DIRECTORY'], self.id())
        write_state(path, {'uri': uri, 'session': self.prebind(uri, key_sequence),
                           'received': [], 'sent': 0})
        peer = self.start('peer', uri)
        self.live(path, random.Random(seed))
        numbers = json.loads(peer.stdout.read())
        self.assertEqual(peer.wait(PATIENCE), 0)
        self.assertEqual(numbers, list(range(TO_PEER)))
        with open(path, encoding='utf-8') as file:
            state = json.load(file)
        self.assertEqual(state['received'], list(range(TO_MORTAL)))
        repeats = self.check_lives(path)
        print(f'{KILLS} deaths, {repeats} stanzas came again', file=sys.stderr)
        self.check_stale(uri, state['session'])

    def test_restart(self):
        """R64, R66: exactly once through 25 deaths; then a stale session fails once."""
        self.run_test(False)

    def test_key_sequence(self):
        """R71, R73: the same with keys, of which there are 20 in a sequence."""
        self.run_test(True)


if __name__ == '__main__':
    if sys.argv[1] == 'peer':
        Peer(sys.argv[2]).run()
    elif sys.argv[1] == 'mortal':
        Mortal(*sys.argv[2:]).run()
    else:
        Restart.server = sys.argv.pop(1)
        unittest.main(verbosity=2)
