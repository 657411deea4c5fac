#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Python's collector runs in whatever thread trips over it, and drops clients and
connections there that are garbage: a handler that mentions its object is enough."""

import gc
import http.server
import os
import re
import sys
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from tooling import PATIENCE

try:
    import gi
    gi.require_version('Bosh', '1.0')
    from gi.repository import Bosh, GLib
except (ImportError, ValueError) as error:
    print(error)
    sys.exit(1 if os.environ.get('CI') == 'true' else 77)

GRANTS = "sid='s1' wait='5' hold='1' requests='2' inactivity='30' polling='0' ver='1.11'"
FEATURES = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>"
MESSAGE = "<message xmlns='jabber:client'><body>again</body></message>"
N_LIVES = 15


class Manager(http.server.ThreadingHTTPServer):
    """Has always something to say, so that the main loop is busy with each session."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        request = self.rfile.read(int(self.headers['Content-Length']))
        if b' sid=' not in request:
            attributes, content = GRANTS, FEATURES
        elif re.search(rb"type=['\"]terminate", request):
            attributes, content = "type='terminate'", ''
        else:
            attributes, content = '', MESSAGE
        body = (f"<body xmlns='http://jabber.org/protocol/httpbind' {attributes}>"
                f'{content}</body>').encode()
        self.send_response(200)
        self.send_header('Content-Type', 'text/xml; charset=utf-8')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Collector(threading.Thread):
    """Collects all the time, and counts the objects that are gone, and those of them that
    it dropped itself."""

    def __init__(self):
        super().__init__(daemon=True)
        self.n_gone = 0
        self.n_dropped = 0
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.wait(0.001):
            gc.collect()

    def watch(self, thing):
        thing.weak_ref(self.count)

    def count(self):
        self.n_gone += 1
        self.n_dropped += threading.get_ident() == self.ident


class CollectorTest(unittest.TestCase):
    def setUp(self):
        self.manager = Manager(('127.0.0.1', 0), Handler)
        threading.Thread(target=self.manager.serve_forever, daemon=True).start()
        self.configuration = Bosh.ConnectionConfiguration(
            uri=f'http://127.0.0.1:{self.manager.server_address[1]}/')
        self.collector = Collector()
        # Else the main thread may collect before it.
        gc.disable()
        self.collector.start()

    def tearDown(self):
        self.collector.is_over.set()
        self.collector.join()
        gc.enable()
        self.manager.shutdown()
        self.manager.server_close()

    def wait(self, condition):
        late = []
        timer = GLib.timeout_add_seconds(PATIENCE, late.append, True)
        while not condition():
            GLib.MainContext.default().iteration(True)
            self.assertFalse(late)
        GLib.source_remove(timer)

    def live(self, thing):
        """Opens a session, and forgets it in the middle of what arrives."""
        main = threading.get_ident()
        opened, arrived = [], []
        # A cycle that only the collector finds.
        thing.myself = [thing]
        thing.connect('stanza', lambda source, _stanza: (
            arrived.append(source.props.state), self.assertEqual(threading.get_ident(), main)))
        self.collector.watch(thing)
        thing.connect_async(None, lambda source, result: opened.append(source.connect_finish(result)))
        self.wait(lambda: opened and len(arrived) >= 2)

    def run_lives(self, make):
        for _ in range(N_LIVES):
            self.live(make())
        timer = GLib.timeout_add(1, lambda: True)
        self.wait(lambda: self.collector.n_gone == N_LIVES)
        GLib.source_remove(timer)
        self.assertGreater(self.collector.n_dropped, 0)

    def test_clients(self):
        """Clients are dropped by the collector's thread while their loop runs."""
        def make():
            client = Bosh.Client.new('example.org', self.configuration)
            client.props.auto_reconnect = True
            return client
        self.run_lives(make)

    def test_connections(self):
        """The same with connections."""
        self.run_lives(lambda: Bosh.Connection.new('example.org', self.configuration))

    def test_elements(self):
        """Elements that were sent are freed in the other thread."""
        connection = Bosh.Connection.new('example.org', self.configuration)
        opened = []
        connection.connect_async(None, lambda source, result: opened.append(
            source.connect_finish(result)))
        self.wait(lambda: opened)
        for _ in range(N_LIVES):
            cycle = [Bosh.Element.new_message('a@example.org', 'chat', 'x' * 1000)]
            connection.send(cycle[0])
            cycle.append(cycle)
            del cycle
            GLib.MainContext.default().iteration(False)
        self.wait(lambda: connection.props.n_stanzas_queued == 0)


if __name__ == '__main__':
    unittest.main()
