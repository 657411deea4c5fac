# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the programs share: how to run them, a session written by
hand, and peers that do what no server does."""

import http.client
import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import sys
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
            process.kill()
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

    Each request with a payload gets what `reply (stanza)` returns for its stanzas, an empty
    one what is given to `deliver`, or waits until the next request comes.
    """

    JID = 'alice@localhost/home'

    def __init__(self, reply=lambda stanza: ''):
        self.requests = []
        self._reply = reply
        self._payloads = []
        self._newest = 0
        self._changed = threading.Condition()

    def __enter__(self):
        self._server = HttpServer(self._respond)
        self._server.__enter__()
        return self

    def __exit__(self, *_):
        with self._changed:
            self._newest = sys.maxsize
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

    def wait_for_request(self, is_wanted):
        """Until there is a request of which the <body/> is wanted."""
        with self._changed:
            if not self._changed.wait_for(lambda: any(map(is_wanted, self.requests)), PATIENCE):
                raise AssertionError('The request did not come')

    def _respond(self, _path, _headers, content):
        body = ElementTree.fromstring(content)
        rid = int(body.get('rid'))
        is_last = body.get('type') == 'terminate'
        with self._changed:
            self.requests.append(body)
            self._newest = max(self._newest, rid)
            self._payloads += filter(None, map(self._reply, body))
            self._changed.notify_all()
            self._changed.wait_for(lambda: is_last or self._payloads or self._newest > rid,
                                   PATIENCE)
            payload = ''.join(self._payloads)
            self._payloads.clear()
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
