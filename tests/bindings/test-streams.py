# SPDX-License-Identifier: LGPL-2.1-or-later
"""Several streams in one session, from Python, against a connection manager of
this file: common servers have one stream in a session only."""

import http.server
import os
import sys
import threading
import unittest
import xml.etree.ElementTree as ElementTree

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


class Manager(http.server.ThreadingHTTPServer):
    """Opens streams, sends each payload back on its own stream, and a payload
    without a stream on all of them."""

    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.lock = threading.Condition()
        self.streams = ['one']
        self.responses = []
        self.waiting = []

    def take(self, rid):
        """The next response, for the oldest request that is held; an empty one as soon
        as another request is held behind it."""
        with self.lock:
            self.waiting.append(rid)
            self.lock.notify_all()
            self.lock.wait_for(lambda: min(self.waiting) == rid and
                               (self.responses or len(self.waiting) > 1), PATIENCE)
            self.waiting.remove(rid)
            self.lock.notify_all()
            return self.responses.pop(0) if self.responses else ('', '')

    def put(self, attributes, content=''):
        with self.lock:
            self.responses.append((attributes, content))
            self.lock.notify_all()

    def handle_body(self, body):
        stream = body.get('stream')
        if body.get('sid') is None:
            return f"{GRANTS} stream='one'", ''
        if body.get('type') == 'terminate' and stream is None:
            return "type='terminate'", ''
        if body.get('type') == 'terminate':
            self.streams.remove(stream)
            self.put('')
        elif body.get('to') is not None:
            self.streams.append('two')
            self.put("stream='two' from='other.example'")
        for child in body:
            text = ElementTree.tostring(child, encoding='unicode')
            for name in [stream] if stream is not None else self.streams:
                self.put(f"stream='{name}'", text)
        return self.take(int(body.get('rid')))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        body = ElementTree.fromstring(self.rfile.read(int(self.headers['Content-Length'])))
        attributes, content = self.server.handle_body(body)
        text = (f"<body xmlns='http://jabber.org/protocol/httpbind' {attributes}>"
                f'{content}</body>').encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        pass


class Streams(unittest.TestCase):
    def setUp(self):
        self.manager = Manager()
        threading.Thread(target=self.manager.serve_forever, daemon=True).start()
        self.context = GLib.MainContext.default()
        configuration = Bosh.ConnectionConfiguration.new_for_host(
            '127.0.0.1', self.manager.server_port, None, False)
        self.connection = Bosh.Connection.new('example.org', configuration)
        self.events = []
        self.connection.connect('stanza', lambda _, element: self.note('first', element))
        self.connection.connect('stream-stanza', lambda _, stream, element: self.note(stream, element))
        self.connection.connect('stream-closed', lambda _, stream, error: self.events.append((stream, error)))

    def tearDown(self):
        self.manager.shutdown()
        self.manager.server_close()

    def note(self, stream, element):
        self.events.append((stream, element.dup_child_text('body', 'jabber:client')))

    def run_until(self, condition):
        late = []
        patience = GLib.timeout_add_seconds(PATIENCE, late.append, True)
        while not condition():
            self.context.iteration(True)
            self.assertFalse(late, 'waited too long')
        GLib.source_remove(patience)

    def call(self, begin, finish, *arguments):
        results = []
        begin(*arguments, None, lambda _, result: results.append(result))
        self.run_until(lambda: results)
        return finish(results[0])

    def test_streams(self):
        """R75-R77, R83: opened, used, spread over and closed."""
        connection = self.connection
        self.call(connection.connect_async, connection.connect_finish)
        self.assertEqual(connection.dup_streams(), ['one'])
        name = self.call(connection.open_stream_async, connection.open_stream_finish,
                         'other.example')
        self.assertEqual(name, 'two')
        self.assertEqual(connection.dup_streams(), ['one', 'two'])

        connection.send_to_stream('two', Bosh.Element.new_message(None, None, 'for two'))
        self.run_until(lambda: self.events)
        self.assertEqual(self.events, [('two', 'for two')])
        connection.send(Bosh.Element.new_message(None, None, 'for one'))
        self.run_until(lambda: len(self.events) == 2)
        self.assertEqual(self.events[1:], [('first', 'for one')])
        connection.send_to_stream(None, Bosh.Element.new_message(None, None, 'for all'))
        self.run_until(lambda: len(self.events) == 4)
        self.assertEqual(self.events[2:], [('first', 'for all'), ('two', 'for all')])

        self.assertTrue(self.call(connection.close_stream_async, connection.close_stream_finish,
                                  'two', None))
        self.assertEqual(self.events[4:], [('two', None)])
        self.assertEqual(connection.dup_streams(), ['one'])
        with self.assertRaises(GLib.Error) as raised:
            connection.send_to_stream('two', Bosh.Element.new_message(None, None, 'too late'))
        self.assertTrue(raised.exception.matches(Bosh.error_quark(), Bosh.Error.NOT_CONNECTED))
        self.call(connection.disconnect_async, connection.disconnect_finish, None)
        self.assertEqual(connection.get_state(), Bosh.ConnectionState.CLOSED)


if __name__ == '__main__':
    unittest.main(verbosity=2)
