# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the programs share: how to run them, a session written by
hand, and peers that do what no server does."""

import http.client
import http.server
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

PASSWORD = 'secret'
# How many seconds a test waits for what must happen before it fails. Nothing is proved by a short
# wait, and the machine may be busy. The same as in bosh-test-patience.h.
PATIENCE = 300

NS_BODY = 'http://jabber.org/protocol/httpbind'
NS_CLIENT = 'jabber:client'
PING = '<iq xmlns="jabber:client" type="get" id="hand"><ping xmlns="urn:xmpp:ping"/></iq>'

# The documents of XEP-0156, and an address in them.
XML_PATH = '/.well-known/host-meta'
JSON_PATH = '/.well-known/host-meta.json'
BOSH_RELATION = 'urn:xmpp:alt-connections:xbosh'


def xrd(*uris):
    links = ''.join(f'<Link rel="{BOSH_RELATION}" href="{uri}"/>' for uri in uris)
    return f'<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">{links}</XRD>'


def jrd(*uris):
    return json.dumps({'links': [{'rel': BOSH_RELATION, 'href': uri} for uri in uris]})


LINES = re.compile(r'JID: (?P<jid>\S+)\nSID: (?P<sid>\S+)\nRID: (?P<rid>[0-9]+)\n')


def manual(name):
    """A page of docs/, in which options are written plainly."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(root, 'docs', name), encoding='utf-8') as file:
        return file.read().replace('\\-', '-')


class ServerAddress:
    """A server that run-with.py started."""

    def __init__(self, name):
        prefix = f'BOSH_TEST_{name.upper()}_'
        self.name = name
        self.uris = {'http': os.environ[prefix + 'HTTP_URI'],
                     'https': os.environ[prefix + 'HTTPS_URI']}
        self.ca_file = os.environ[prefix + 'CA_FILE']
        self.enforces_keys = name == 'ejabberd'

    def raw_session(self, sid, rid, scheme='http'):
        context = ssl.create_default_context(cafile=self.ca_file)
        return RawSession(self.uris[scheme], context, sid, rid)


class RawSession:
    """A session gone on with by hand, from its numbers alone."""

    def __init__(self, uri, context, sid, rid):
        self.uri = uri
        self.context = context
        self.sid = sid
        self.rid = int(rid)

    def post(self, payload='', attributes=''):
        """Returns the <body/> of the response."""
        body = (f'<body xmlns="{NS_BODY}" rid="{self.rid}" sid="{self.sid}"{attributes}>'
                f'{payload}</body>')
        self.rid += 1
        request = urllib.request.Request(self.uri, body.encode(),
                                         {'Content-Type': 'text/xml; charset=utf-8'})
        is_secure = self.uri.startswith('https:')
        with urllib.request.urlopen(request, timeout=PATIENCE,
                                    **({'context': self.context} if is_secure else {})) as response:
            return ElementTree.fromstring(response.read())

    def ping(self):
        """Whether the session lives: the server replies to an iq request in it."""
        body = self.post(PING)
        # The reply may come in the response to the next request only.
        for _ in range(3):
            if body.get('type') == 'terminate':
                return False
            for iq in body.iter(f'{{{NS_CLIENT}}}iq'):
                if iq.get('id') == 'hand':
                    return True
            body = self.post(PING.replace('hand', 'again'))
        return False

    def receive(self):
        """The texts of the messages that wait. There must be one."""
        return [message.findtext(f'{{{NS_CLIENT}}}body')
                for message in self.post().iter(f'{{{NS_CLIENT}}}message')]

    def terminate(self):
        return self.post(attributes=' type="terminate"')


class ProgramTestCase(unittest.TestCase):
    """Runs programs, and leaves none behind."""

    maxDiff = None

    def environment(self, **changes):
        # The translations are not under test.
        merged = {**os.environ, 'LC_ALL': 'C.UTF-8', 'LANGUAGE': '', **changes}
        return {name: value for name, value in merged.items() if value is not None}

    def start(self, command, input_=subprocess.DEVNULL, output=subprocess.PIPE, **environment):
        process = subprocess.Popen(
            command, stdin=input_, stdout=output, stderr=subprocess.PIPE,
            encoding='utf-8', env=self.environment(**environment),
            # No terminal, so nothing asks for a password there.
            start_new_session=True)
        self.addCleanup(self._end, process)
        return process

    def _end(self, process):
        if process.poll() is None:
            # With all that it has started.
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def run_program(self, command, text=None, **environment):
        process = self.start(command, subprocess.DEVNULL if text is None else subprocess.PIPE,
                             **environment)
        process.output, process.errors = process.communicate(text, timeout=PATIENCE)
        return process

    def assert_success(self, process):
        self.assertEqual((process.returncode, process.errors), (0, ''))

    def assert_three_lines(self, output):
        self.assertRegex(output, '^' + LINES.pattern + '$')
        return LINES.fullmatch(output)


class ToolTestCase(ProgramTestCase):
    """Runs bosh-tool."""

    def tool(self, *arguments, **options):
        return self.run_program([os.environ['BOSH_TOOL'], *arguments], **options)

    def start_tool(self, *arguments, **options):
        return self.start([os.environ['BOSH_TOOL'], *arguments], **options)

    def assert_failure(self, process, status, pattern):
        """One line says why, on the standard error."""
        self.assertEqual(process.returncode, status, process.errors)
        self.assertRegex(process.errors, r'\Abosh-tool: [^\n]+\n\Z')
        self.assertRegex(process.errors, pattern)
        self.assertNotIn(PASSWORD, process.errors)


class DeafServer:
    """Accepts connections, and never responds."""

    def __enter__(self):
        self._socket = socket.create_server(('127.0.0.1', 0))
        self._socket.settimeout(PATIENCE)
        self.uri = f'http://127.0.0.1:{self._socket.getsockname()[1]}/'
        self._peers = []
        return self

    def accept(self):
        """Waits for a request."""
        peer, _ = self._socket.accept()
        peer.settimeout(PATIENCE)
        peer.recv(1)
        self._peers.append(peer)

    def __exit__(self, *_):
        for peer in self._peers:
            peer.close()
        self._socket.close()


class HttpServer:
    """Responds to each POST with what `respond (path, headers, body)` returns:
    (status, headers, bytes)."""

    def __init__(self, respond):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                status, headers, content = respond(self.path, self.headers, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header('Content-Length', str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """A client may go away whenever it likes."""

        self._server = Server(('127.0.0.1', 0), Handler)
        self.uri = f'http://127.0.0.1:{self._server.server_port}/'

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


class Manager:
    """A connection manager that knows one session, which goes on with `session ()`.

    What is given to `deliver`, and what `reply (stanza)` returns for the stanzas that come,
    goes out in the response to the oldest request. That waits for it until the next request
    comes; with `holds` until there is something.
    """

    JID = 'alice@localhost/home'

    def __init__(self, reply=lambda stanza: '', holds=False):
        self.requests = []
        self._reply = reply
        self._holds = holds
        self._payloads = []
        # Request id → the attempt that gets its response.
        self._open = {}
        self._is_over = False
        self._changed = threading.Condition()

    def __enter__(self):
        self._server = HttpServer(self._respond)
        self._server.__enter__()
        return self

    def __exit__(self, *_):
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._server.__exit__()

    def session(self):
        """The JSON of the session, before its first request."""
        return json.dumps({'uri': self._server.uri, 'jid': self.JID, 'sid': 'a', 'rid': 7,
                           'wait': 60, 'hold': 1, 'requests': 2, 'inactivity': 60})

    def deliver(self, payload):
        with self._changed:
            self._payloads.append(payload)
            self._changed.notify_all()

    def release(self):
        """From now on requests have responses as they come."""
        with self._changed:
            self._holds = False
            self._changed.notify_all()

    def has_request(self, is_wanted):
        """Whether there was a request of which the <body/> is wanted."""
        return any(map(is_wanted, self.requests))

    def wait_for_request(self, is_wanted):
        with self._changed:
            if not self._changed.wait_for(lambda: self.has_request(is_wanted), PATIENCE):
                raise AssertionError('The request did not come')

    def _has_response(self, rid, attempt, is_last):
        if self._is_over or self._open.get(rid) is not attempt:
            return True
        if rid != min(self._open):
            return False
        return self._payloads or (not self._holds and (is_last or rid != max(self._open)))

    def _respond(self, _path, _headers, content):
        body = ElementTree.fromstring(content)
        rid = int(body.get('rid'))
        is_last = body.get('type') == 'terminate'
        attempt = object()
        with self._changed:
            self.requests.append(body)
            self._open[rid] = attempt
            self._payloads += filter(None, map(self._reply, body))
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._has_response(rid, attempt, is_last), PATIENCE)
            if self._open.get(rid) is attempt:
                del self._open[rid]
            payload = ''.join(self._payloads)
            self._payloads.clear()
            self._changed.notify_all()
        kind = ' type="terminate"' if is_last else ''
        return 200, {'Content-Type': 'text/xml'}, (
            f'<body xmlns="{NS_BODY}"{kind}>{payload}</body>'.encode())


class Domain:
    """The web server of a domain, with the pages `path: (status, text)`, behind a
    proxy (`proxy_uri`) of which all tunnels lead to it. Its certificate, for the
    name `localhost`, is trusted with `ca_file`."""

    def __init__(self, pages):
        self.pages = {path: (status, text.encode()) for path, (status, text) in pages.items()}
        self.requests = []

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory()
        self.ca_file = os.path.join(self._directory.name, 'certificate.pem')
        key = os.path.join(self._directory.name, 'key.pem')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                        'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
                        '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost',
                        '-keyout', key, '-out', self.ca_file],
                       check=True, stderr=subprocess.DEVNULL)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.ca_file, key)
        self._socket = socket.create_server(('127.0.0.1', 0))
        self.proxy_uri = f'http://127.0.0.1:{self._socket.getsockname()[1]}'
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_):
        # Wakes the thread up; closing alone would not.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        self._directory.cleanup()

    def _serve(self):
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            peer.settimeout(PATIENCE)
            try:
                self._response(peer)
            except OSError:
                pass
            finally:
                peer.close()

    def _response(self, peer):
        self._read_head(peer)
        peer.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
        with self._context.wrap_socket(peer, server_side=True) as stream:
            head, body = self._read_head(stream)
            length = re.search(r'(?im)^content-length: *([0-9]+)', head)
            while length is not None and len(body) < int(length.group(1)):
                body += stream.recv(4096)
            path = head.split(' ')[1]
            self.requests.append(path)
            status, text = self.pages.get(path, (404, b''))
            stream.sendall(b'HTTP/1.1 %d Test\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b'
                           % (status, len(text), text))

    @staticmethod
    def _read_head(stream):
        head = b''
        while b'\r\n\r\n' not in head:
            piece = stream.recv(4096)
            if not piece:
                raise OSError('The client has gone away')
            head += piece
        head, _, rest = head.partition(b'\r\n\r\n')
        return head.decode(), rest


def forward_to(uri):
    """For HttpServer: a proxy, of which all names lead to one server."""
    target = urllib.parse.urlsplit(uri)

    def respond(path, headers, body):
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=PATIENCE)
        try:
            connection.request('POST', urllib.parse.urlsplit(path).path, body,
                               {'Content-Type': headers['Content-Type']})
            response = connection.getresponse()
            return response.status, {'Content-Type': 'text/xml'}, response.read()
        finally:
            connection.close()

    return respond
