# SPDX-License-Identifier: LGPL-2.1-or-later
"""bosh-tool without an XMPP server: its options, its failures, its signals,
and where it takes the password from."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import stat
import sys
import tempfile
import termios
import unittest
import xml.etree.ElementTree as ElementTree

sys.dont_write_bytecode = True
from tooling import (JSON_PATH, NS_CLIENT, PASSWORD, PATIENCE, XML_PATH, DeafServer, Domain,
                     HttpServer, Manager, ToolTestCase, jrd, manual, xrd)

ALICE = 'alice@localhost'
COMMANDS = ('prebind', 'send', 'listen', 'discover')


class Help(ToolTestCase):
    def test_version(self):
        tool = self.tool('--version')
        self.assert_success(tool)
        self.assertRegex(tool.output, r'\Abosh-tool [0-9]+\.[0-9]+\.[0-9]+\n\Z')

    def test_help_names_the_commands(self):
        for option in ('--help', '-h'):
            tool = self.tool(option)
            self.assert_success(tool)
            for command in COMMANDS:
                self.assertIn(f'  {command} ', tool.output)

    def test_help_documents_the_exit_status(self):
        statuses = ('0', '1', '2', '3', '4', '129', '130', '143')
        for arguments in ([], *([command] for command in COMMANDS)):
            tool = self.tool(*arguments, '--help')
            self.assert_success(tool)
            for status in statuses:
                self.assertRegex(tool.output, rf'(?m)^  {status} +\S')
        for name, pattern in (('bosh-tool.1', r'^\.BR? .*\b{}\b'), ('bosh-tool.md', r'^\| {} \|')):
            for status in statuses:
                self.assertTrue(re.search(pattern.format(status), manual(name), re.MULTILINE),
                                f'{name} lacks {status}')

    def test_manuals_have_all_options(self):
        option = r'--([a-z][a-z-]*)'
        options = {'version'}
        for command in COMMANDS:
            options |= set(re.findall(option, self.tool(command, '--help').output))
        described = set(re.findall(rf'(?m)^\.B.*{option}', manual('bosh-tool.1')))
        self.assertEqual(options - described, {'help', 'version'})
        self.assertEqual(described - options, set())
        for name in ('bosh-tool.1', 'bosh-tool.md'):
            named = set(re.findall(rf'(?<!\w){option}', manual(name)))
            self.assertEqual(named - options, set())
            self.assertEqual(options - named - {'help', 'version'}, set())

    def test_help_of_a_command_names_its_options(self):
        common = ('--ca-file', '--proxy', '--timeout')
        login = ('--uri', '--password-file', '--resource', '--key-sequence', '--insecure-plain',
                 '--verbose', '--anonymous', '--wait')
        own = {'prebind': (*login, '--format'), 'send': (*login, '--session', '--confirm'),
               'listen': (*login, '--format', '--session', '--count', '--detach', '--only'),
               'discover': ('--format',)}
        for command in COMMANDS:
            tool = self.tool(command, '--help')
            self.assert_success(tool)
            self.assertRegex(tool.output, rf'(?m)^  bosh-tool {command} \[')
            for option in common + own[command]:
                self.assertRegex(tool.output, rf'(?m)^  (-\w, )?{option}\b')


class Usage(ToolTestCase):
    def assert_usage(self, pattern, *arguments, **options):
        self.assert_failure(self.tool(*arguments, **options), 2, pattern)

    def test_no_command(self):
        self.assert_usage('--help')

    def test_unknown_command(self):
        self.assert_usage('frobnicate', 'frobnicate')

    def test_unknown_option(self):
        for command in COMMANDS:
            self.assert_usage('--frobnicate', command, '--frobnicate', ALICE)

    def test_a_password_is_no_option(self):
        self.assert_usage('--password', 'prebind', '--password', PASSWORD, ALICE)

    def test_number_of_arguments(self):
        self.assert_usage('prebind --help', 'prebind')
        self.assert_usage('prebind --help', 'prebind', ALICE, ALICE)
        self.assert_usage('listen --help', 'listen')
        self.assert_usage('send --help', 'send', ALICE, ALICE)
        self.assert_usage('send --help', 'send', '--session', 'file', ALICE)
        self.assert_usage('listen --help', 'listen', '--session', 'file', ALICE)
        self.assert_usage('discover --help', 'discover')
        self.assert_usage('discover --help', 'discover', 'localhost', 'localhost')

    def test_jid(self):
        for jid in ('localhost', '@localhost', 'alice@', 'alice@/resource', '', 'alice@localhost/'):
            self.assert_usage('JID|domain|resource', 'prebind', jid, BOSH_PASSWORD=PASSWORD)
        self.assert_usage('--resource', 'prebind', '--resource', 'one', ALICE + '/two')
        self.assert_usage('resource', 'prebind', '--resource', '', ALICE)
        self.assert_usage('recipient', 'send', ALICE, '', 'text')

    def test_anonymous_has_no_user(self):
        self.assert_usage('--anonymous', 'prebind', '--anonymous', ALICE)
        self.assert_usage('--anonymous', 'prebind', '--anonymous', '--password-file', '-',
                          'localhost')

    def test_session_excludes_a_login(self):
        for option in (['--anonymous'], ['--key-sequence'], ['--insecure-plain'],
                       ['--password-file', '-'], ['--resource', 'here']):
            self.assert_usage('--session', 'listen', '--session', '-', *option)

    def test_values(self):
        self.assert_usage('format', 'prebind', '--format', 'yaml', ALICE)
        self.assert_usage('many', 'prebind', '--wait', 'many', ALICE)
        self.assert_usage('wait', 'prebind', '--wait', '-2', ALICE)
        self.assert_usage('wait', 'prebind', '--wait', '3601', ALICE)
        self.assert_usage('timeout', 'prebind', '--timeout', '-1', ALICE)
        self.assert_usage('timeout', 'prebind', '--timeout', '86401', ALICE)
        self.assert_usage('count', 'listen', '--count', '-1', ALICE)
        self.assert_usage('--detach', 'listen', '--detach', '', ALICE)
        self.assert_usage('messages', 'listen', '--only', 'messages', ALICE)
        self.assert_usage('proxy', 'prebind', '--proxy', f'//alice:{PASSWORD}@proxy', ALICE)
        self.assert_usage('domain', 'discover', '')
        self.assert_usage('--uri', 'discover', '--uri', 'https://localhost/', 'localhost')

    def test_uri(self):
        for uri in ('ftp://localhost/', 'localhost', '/http-bind', 'http://', 'not a uri',
                    f'http://{"x" * 64}.example/'):
            self.assert_usage('.', 'prebind', '--uri', uri, ALICE, BOSH_PASSWORD=PASSWORD)


class Password(ToolTestCase):
    """Where there is a password, the connection is tried, and refused."""

    def setUp(self):
        # A port that is taken, and on which nobody listens.
        self.socket = socket.socket()
        self.addCleanup(self.socket.close)
        self.socket.bind(('127.0.0.1', 0))
        self.uri = f'http://127.0.0.1:{self.socket.getsockname()[1]}/'

    def prebind(self, *arguments, **options):
        return self.tool('prebind', '--uri', self.uri, *arguments, ALICE, **options)

    def file(self, contents):
        handle = tempfile.NamedTemporaryFile()
        self.addCleanup(handle.close)
        handle.write(contents)
        handle.flush()
        return handle.name

    def assert_used(self, tool):
        self.assert_failure(tool, 1, '(?i)refused|could not connect|connect to')

    def test_password_of_the_address(self):
        """It is for the HTTP server, and shows nowhere."""
        uri = self.uri.replace('//', f'//alice:{PASSWORD}@')
        self.assert_used(self.tool('prebind', '--uri', uri, ALICE, BOSH_PASSWORD='other'))

    def test_file(self):
        for contents in (b'secret', b'secret\n', b'secret\r\n', 'geheim\u00fc\n'.encode()):
            self.assert_used(self.prebind('--password-file', self.file(contents)))

    def test_standard_input(self):
        self.assert_used(self.prebind('--password-file', '-', text=PASSWORD + '\n'))

    def test_environment(self):
        self.assert_used(self.prebind(BOSH_PASSWORD=PASSWORD))

    def test_none(self):
        self.assert_failure(self.prebind(BOSH_PASSWORD=None), 2, '--password-file')

    def test_missing_file(self):
        tool = self.prebind('--password-file', '/nonexistent/password')
        self.assert_failure(tool, 1, '/nonexistent/password')
        self.assert_failure(self.prebind('--password-file', '/'), 1, '“/”')

    def test_unusable(self):
        for contents in (b'', b'\n'):
            self.assert_failure(self.prebind('--password-file', self.file(contents)), 2, 'empty')
        self.assert_failure(self.prebind('--password-file', self.file(b'\xff\xfe')), 1, 'UTF-8')
        self.assert_failure(self.prebind('--password-file', self.file(b'se\0cret')), 1, 'UTF-8')
        self.assert_failure(self.prebind('--password-file', '/dev/zero'), 1, 'long')
        self.assert_failure(self.prebind(BOSH_PASSWORD=''), 2, 'empty')
        self.assert_failure(self.prebind(BOSH_PASSWORD='s' * 2000), 2, 'long')
        self.assert_failure(self.prebind(BOSH_PASSWORD=PASSWORD, BOSH_PROXY_PASSWORD='s' * 2000),
                            2, 'BOSH_PROXY_PASSWORD.*long')

    def test_is_taken_out_of_the_environment(self):
        with DeafServer() as server:
            tool = self.start_tool('prebind', '--uri', server.uri, ALICE, BOSH_PASSWORD=PASSWORD,
                                   BOSH_PROXY_PASSWORD='Geheimnis')
            server.accept()
            with open(f'/proc/{tool.pid}/environ', 'rb') as environment:
                content = environment.read()
            for secret in (PASSWORD, 'Geheimnis'):
                self.assertNotIn(secret.encode(), content)


class Terminal(ToolTestCase):
    """The question on the terminal, on a pseudo-terminal.

    readpassphrase() misses a signal that comes between its question and its wait for the
    reply. What interrupts it does so `again` and again, as a person would.
    """

    def start_on_terminal(self, uri, jid=ALICE):
        tool = os.environ['BOSH_TOOL']
        environment = self.environment(BOSH_PASSWORD=None)
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            # In the background some are ignored, and that is inherited.
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
                signal.signal(number, signal.SIG_DFL)
            os.execve(tool, [tool, 'prebind', '--uri', uri, jid], environment)
        self.output = ''
        self.addCleanup(os.close, self.master)

    def echoes(self):
        return termios.tcgetattr(self.master)[3] & termios.ECHO != 0

    def read(self, again=lambda: None):
        """FALSE at the end."""
        for _ in range(PATIENCE):
            if select.select([self.master], [], [], 1)[0]:
                break
            again()
        else:
            self.fail(self.output)
        try:
            data = os.read(self.master, 1000)
        except OSError:
            return False
        self.output += data.decode()
        return len(data) > 0

    def read_question(self, number=1, **options):
        while self.output.count('Password of alice@localhost: ') < number:
            self.assertTrue(self.read(**options), self.output)

    def read_to_the_end(self, **options):
        while self.read(**options):
            pass
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def test_shows_nothing(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            self.start_on_terminal(f'http://127.0.0.1:{taken.getsockname()[1]}/')
            self.read_question()
            self.assertFalse(self.echoes())
            os.write(self.master, b'secret\n')
            self.assertEqual(self.read_to_the_end(), 1)
        self.assertNotIn(PASSWORD, self.output)
        self.assertTrue(self.echoes())

    def test_interrupt_restores_the_terminal(self):
        for key, number in ((b'\x03', signal.SIGINT), (b'\x1c', signal.SIGQUIT)):
            self.start_on_terminal('http://127.0.0.1:1/')
            self.read_question()
            os.write(self.master, b'secr' + key)
            self.assertEqual(self.read_to_the_end(again=lambda: os.write(self.master, key)),
                             -number)
            self.assertNotIn('secr', self.output)
            self.assertTrue(self.echoes())

    def test_kill_restores_the_terminal(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            self.start_on_terminal('http://127.0.0.1:1/')
            self.read_question()
            os.kill(self.pid, number)
            self.assertEqual(self.read_to_the_end(again=lambda: os.kill(self.pid, number)),
                             -number)
            self.assertTrue(self.echoes())

    def test_asks_again_after_a_stop(self):
        # The leader of a session is not stopped, but all else is the same.
        self.start_on_terminal('http://127.0.0.1:1/')
        self.read_question()
        os.write(self.master, b'\x1a')
        self.read_question(2, again=lambda: os.write(self.master, b'\x1a'))
        self.assertFalse(self.echoes())
        os.write(self.master, b'\x03')
        self.assertEqual(self.read_to_the_end(again=lambda: os.write(self.master, b'\x03')),
                         -signal.SIGINT)

    def test_question_is_text(self):
        self.start_on_terminal('http://127.0.0.1:1/', 'al\x9b\u202eice@localhost')
        while '@localhost: ' not in self.output:
            self.assertTrue(self.read(), self.output)
        self.assertIn('Password of al&#155;&#8238;ice@localhost: ', self.output)
        os.write(self.master, b'\x04')
        self.assertEqual(self.read_to_the_end(), 2)

    def test_end_of_input(self):
        self.start_on_terminal('http://127.0.0.1:1/')
        self.read_question()
        os.write(self.master, b'\x04')
        self.assertEqual(self.read_to_the_end(), 2)
        self.assertIn('bosh-tool: The password is empty', self.output)


class Discovery(ToolTestCase):
    """XEP-0156: where a domain has its connection managers."""

    def discover(self, domain, *arguments):
        return self.tool('discover', '--proxy', domain.proxy_uri, '--ca-file', domain.ca_file,
                         *arguments, 'localhost')

    def test_text(self):
        uris = ('https://b.example/bosh', 'https://a.example:5281/http-bind/')
        with Domain({XML_PATH: (200, xrd(*uris, 'http://c.example/'))}) as domain:
            tool = self.discover(domain)
            self.assert_success(tool)
            self.assertEqual(tool.output, ''.join(uri + '\n' for uri in uris))
            self.assertEqual(domain.requests, [XML_PATH])

    def test_json(self):
        uris = ['https://b.example/bosh', 'https://a.example/']
        with Domain({JSON_PATH: (200, jrd(*uris))}) as domain:
            tool = self.discover(domain, '--format=json')
            self.assert_success(tool)
            self.assertEqual(tool.output.count('\n'), 1)
            self.assertEqual(json.loads(tool.output), uris)
            self.assertEqual(domain.requests, [XML_PATH, JSON_PATH])

    def test_nothing(self):
        with Domain({XML_PATH: (200, xrd('http://c.example/'))}) as domain:
            tool = self.discover(domain)
            self.assert_failure(tool, 1, f'localhost.*{XML_PATH}:.*{JSON_PATH}: .*404')
            self.assertEqual(tool.output, '')

    def test_untrusted(self):
        with Domain({XML_PATH: (200, xrd('https://x.example/'))}) as domain:
            tool = self.tool('discover', '--proxy', domain.proxy_uri, 'localhost')
            self.assert_failure(tool, 1, 'unknown authority')
            self.assertEqual(domain.requests, [])

    def test_timeout_and_interrupt(self):
        with DeafServer() as server:
            tool = self.tool('discover', '--proxy', server.uri, '--timeout', '1', 'localhost')
            self.assert_failure(tool, 1, '1 second')
        with DeafServer() as server:
            process = self.start_tool('discover', '--proxy', server.uri, 'localhost')
            server.accept()
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE), 128 + signal.SIGINT)

    def test_login_without_address(self):
        with Domain({}) as domain:
            for command in (['prebind', ALICE], ['send', ALICE, ALICE, 'text'], ['listen', ALICE]):
                tool = self.tool(*command[:1], '--proxy', domain.proxy_uri,
                                 '--ca-file', domain.ca_file, *command[1:], BOSH_PASSWORD=PASSWORD)
                self.assert_failure(tool, 1, f'--uri.*localhost.*{XML_PATH}')

    def test_login_at_the_address(self):
        with Domain({XML_PATH: (200, xrd('https://localhost:7443/bosh'))}) as domain:
            tool = self.tool('prebind', '--proxy', domain.proxy_uri, '--ca-file', domain.ca_file,
                             ALICE, BOSH_PASSWORD=PASSWORD)
            # There is no connection manager.
            self.assert_failure(tool, 1, '404')
            self.assertNotIn('--uri', tool.errors)
            self.assertEqual(domain.requests, [XML_PATH, '/bosh'])


class Failures(ToolTestCase):
    def prebind(self, uri, *arguments):
        return self.tool('prebind', '--uri', uri, *arguments, ALICE, BOSH_PASSWORD=PASSWORD)

    def assert_response_is_refused(self, status, headers, body, pattern='.'):
        with HttpServer(lambda *_: (status, headers, body)) as server:
            self.assert_failure(self.prebind(server.uri), 1, pattern)

    def test_unknown_host(self):
        # RFC 6761 §6.4: a name that is nobody's.
        self.assert_failure(self.prebind('http://bosh.invalid/'), 1, '.')

    def test_web_page(self):
        self.assert_response_is_refused(200, {'Content-Type': 'text/html'},
                                      b'<!DOCTYPE html><html><body>Welcome</body></html>')

    def test_not_found(self):
        self.assert_response_is_refused(404, {'Content-Type': 'text/html'}, b'<h1>Not Found</h1>')

    def test_empty_response(self):
        self.assert_response_is_refused(200, {}, b'')

    def test_redirect(self):
        self.assert_response_is_refused(302, {'Location': 'http://127.0.0.1:1/'}, b'')

    def test_text_of_the_server_is_harmless(self):
        body = ('<body xmlns="http://jabber.org/protocol/httpbind" type="terminate"'
                ' condition="remote-stream-error"><stream:error'
                ' xmlns:stream="http://etherx.jabber.org/streams">'
                '<undefined-condition xmlns="urn:ietf:params:xml:ns:xmpp-streams"/>'
                '<text xmlns="urn:ietf:params:xml:ns:xmpp-streams">one\ntwo &#155;31m</text>'
                '</stream:error></body>')
        self.assert_response_is_refused(200, {'Content-Type': 'text/xml'}, body.encode(),
                                      r'\A[^\x00-\x09\x0b-\x1f\x7f-\x9f]*\Z')

    def test_certificates(self):
        for path in ('/nonexistent/ca.pem', '/'):
            self.assert_failure(self.prebind('https://127.0.0.1:1/', '--ca-file', path), 1, path)

    def test_relative_ca_file(self):
        self.assert_failure(self.prebind('https://127.0.0.1:1/', '--ca-file', 'nonexistent.pem'),
                            1, 'nonexistent.pem')

    def test_proxy_that_is_not_there(self):
        tool = self.prebind('http://server.example/', '--proxy', 'http://127.0.0.1:1/')
        self.assert_failure(tool, 1, '.')

    def test_timeout(self):
        with DeafServer() as server:
            self.assert_failure(self.prebind(server.uri, '--timeout', '1'), 1, '1 second')

    def test_session_file(self):
        self.assert_failure(self.tool('listen', '--session', '/nonexistent/session.json'),
                            1, '/nonexistent/session.json')
        for text in ('', 'JID: alice@localhost\n', '[]', '{"sid": 1}'):
            self.assert_failure(self.tool('listen', '--session', '-', text=text), 1, '.')

    def test_session_file_has_one_owner(self):
        """E28: two programs with one session: the file of a session is locked."""
        with tempfile.NamedTemporaryFile('w', suffix='.json') as file, DeafServer() as server:
            json.dump({'uri': server.uri, 'jid': ALICE, 'sid': 'a', 'rid': 7}, file)
            file.flush()
            first = self.start_tool('listen', '--session', file.name)
            server.accept()
            for command in (['listen'], ['send', 'bob@localhost', 'Hello']):
                self.assert_failure(self.tool(*command, '--session', file.name), 1, file.name)
            first.send_signal(signal.SIGKILL)
            first.wait(PATIENCE)
            # The lock has died with its owner.
            second = self.start_tool('listen', '--session', file.name)
            server.accept()
            second.send_signal(signal.SIGKILL)
            second.wait(PATIENCE)


def setUpModule():
    # What is ignored here, in the background for instance, would be so in the tool.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def message(text):
    return f'<message xmlns="{NS_CLIENT}" from="bob@localhost"><body>{text}</body></message>'


def is_presence(body):
    return body.find(f'{{{NS_CLIENT}}}presence') is not None


def is_message(body):
    return body.find(f'{{{NS_CLIENT}}}message') is not None


def is_terminate(body):
    return body.get('type') == 'terminate'


class SessionTestCase(ToolTestCase):
    """Goes on with a session of Manager, in a directory of its own."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.manager = Manager()
        self.manager.__enter__()
        self.addCleanup(self.manager.__exit__)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)
        return self.path(name)

    def shell(self, command, *arguments, **options):
        """`command` has "$@" for the tool with `arguments`."""
        return self.run_program(['sh', '-c', command, 'sh', os.environ['BOSH_TOOL'], *arguments],
                                **options)

    def listen(self, *arguments):
        """A process that is there, and listens."""
        session = self.write('session.json', self.manager.session())
        tool = self.start_tool('listen', '--session', session, *arguments)
        self.manager.wait_for_request(is_presence)
        return tool

    def assert_session(self, name):
        """Written as a whole, for the user alone, with nothing left beside it."""
        with open(self.path(name), encoding='utf-8') as file:
            self.assertEqual(json.load(file)['sid'], 'a')
        self.assertEqual(stat.S_IMODE(os.lstat(self.path(name)).st_mode), 0o600)
        self.assert_no_temporary_file()

    def assert_no_temporary_file(self):
        self.assertEqual([name for name in os.listdir(self.directory) if name[0] == '.'], [])


class Detach(SessionTestCase):
    def detach(self, name, **options):
        self.manager.deliver(message('Hello'))
        return self.tool('listen', '--session', '-', '--count', '1', '--detach', self.path(name),
                         text=self.manager.session(), **options)

    def assert_refused(self, name, pattern):
        """The session is not touched."""
        tool = self.tool('listen', '--session', '-', '--detach', self.path(name),
                         text=self.manager.session())
        self.assert_failure(tool, 1, pattern)
        self.assertEqual(self.manager.requests, [])
        self.assert_no_temporary_file()

    def test_new_file(self):
        self.assert_success(self.detach('new.json'))
        self.assert_session('new.json')

    def test_old_file(self):
        os.chmod(self.write('old.json', 'x' * 100000), 0o644)
        self.assert_success(self.detach('old.json'))
        self.assert_session('old.json')

    def test_link(self):
        os.chmod(self.write('old.json', ''), 0o644)
        os.symlink('old.json', self.path('link.json'))
        self.assert_success(self.detach('link.json'))
        self.assertEqual(os.readlink(self.path('link.json')), 'old.json')
        self.assert_session('old.json')

    def test_long_name(self):
        self.assert_success(self.detach('n' * 255))
        self.assert_session('n' * 255)

    def test_link_to_nothing(self):
        os.symlink('nothing.json', self.path('link.json'))
        self.assert_refused('link.json', 'link.json.*No such file')
        self.assertEqual(os.listdir(self.directory), ['link.json'])

    def test_missing_folder(self):
        self.assert_refused('folder/session.json', 'folder/session.json.*No such file')

    def test_folder(self):
        self.assert_refused('', 'no regular file')

    def test_pipe(self):
        os.mkfifo(self.path('pipe'))
        self.assert_refused('pipe', 'no regular file')

    def test_device(self):
        os.symlink('/dev/null', self.path('device'))
        self.assert_refused('device', 'no regular file')

    def test_socket(self):
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(self.path('socket'))
            self.assert_refused('socket', 'no regular file')

    @unittest.skipIf(os.geteuid() == 0, 'all files are writable for root')
    def test_no_permission(self):
        os.chmod(self.write('old.json', ''), 0o400)
        self.assert_refused('old.json', 'old.json.*Permission')
        os.chmod(self.directory, 0o500)
        self.assert_refused('new.json', 'new.json.*Permission')

    def test_no_space(self):
        """At the start, and not when there is a session that would be lost."""
        tool = self.shell('ulimit -f 8; exec "$@"', 'listen', '--session', '-', '--detach',
                          self.path('session.json'), text=self.manager.session())
        self.assert_failure(tool, 1, 'session.json.*[Ff]ile too large')
        self.assertEqual(self.manager.requests, [])
        self.assertEqual(os.listdir(self.directory), [])

    def test_failure_leaves_all_as_it_was(self):
        self.write('old.json', 'old')
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            tool = self.tool('listen', '--uri', f'http://127.0.0.1:{taken.getsockname()[1]}/',
                             '--detach', self.path('old.json'), ALICE, BOSH_PASSWORD=PASSWORD)
        self.assert_failure(tool, 1, '.')
        self.assertEqual(os.listdir(self.directory), ['old.json'])
        with open(self.path('old.json'), encoding='utf-8') as file:
            self.assertEqual(file.read(), 'old')


class SessionFile(SessionTestCase):
    def assert_refused(self, path, pattern, **options):
        tool = self.tool('listen', '--session', path, **options)
        self.assert_failure(tool, 1, pattern)

    def test_kinds(self):
        for path in ('/dev/zero', '/dev/null', '/dev/tty', self.directory):
            self.assert_refused(path, f'{path}.*no regular file')

    def test_has_a_limit(self):
        tool = self.shell('exec "$@" < /dev/zero', 'listen', '--session', '-')
        self.assert_failure(tool, 1, 'no session')
        tool = self.shell('yes | "$@"', 'listen', '--session', '-')
        self.assert_failure(tool, 1, 'no session')

    def test_nul_does_not_end_it(self):
        self.assert_refused(self.write('session.json', self.manager.session() + '\0'), 'no session')

    def test_pipe(self):
        self.manager.deliver(message('Hello'))
        os.mkfifo(self.path('pipe'))
        tool = self.start_tool('listen', '--session', self.path('pipe'), '--count', '1')
        self.write('pipe', self.manager.session())
        self.assertEqual(tool.wait(PATIENCE), 0, tool.stderr.read())
        self.assertIn('Hello', tool.stdout.read())

    def test_interrupt_while_it_is_read(self):
        read_end, write_end = os.pipe()
        self.addCleanup(os.close, write_end)
        tool = self.start_tool('listen', '--session', '-', input_=read_end)
        os.close(read_end)
        # All this fits into the pipe only when some of it was read.
        os.write(write_end, b' ' * (fcntl.fcntl(write_end, fcntl.F_GETPIPE_SZ) + 1))
        tool.send_signal(signal.SIGTERM)
        self.assertEqual(tool.wait(PATIENCE), -signal.SIGTERM)


class Terminals(SessionTestCase):
    """What a contact writes shows as text."""

    # Both sets of control characters that XML has, directions, zero width, lines, tags.
    HOSTILE = '\x7f\x85\x9b31m\u202egpj\u2066\u200b\u2028\u2029\ufeff\U000e0041'

    def listen_to(self, text, *arguments):
        self.manager.deliver(message(text))
        tool = self.tool('listen', '--session', '-', '--count', '1', *arguments,
                         text=self.manager.session())
        self.assertEqual(tool.returncode, 0, tool.errors)
        return tool

    def assert_plain(self, text):
        for character in self.HOSTILE:
            if not character.isalnum():
                self.assertNotIn(character, text)

    def test_text(self):
        tool = self.listen_to(self.HOSTILE)
        self.assert_plain(tool.output)
        self.assertIn(self.HOSTILE, ElementTree.fromstring(tool.output).itertext())

    def test_json(self):
        tool = self.listen_to(self.HOSTILE, '--format', 'json')
        self.assert_plain(tool.output)
        self.assertEqual(json.loads(tool.output)['body'], self.HOSTILE)

    def test_readable(self):
        for options in ([], ['--format', 'json']):
            self.assertIn('Grüße 日本 😀', self.listen_to('Grüße 日本 😀', *options).output)

    def test_trace(self):
        tool = self.listen_to(self.HOSTILE, '--verbose')
        self.assert_plain(tool.errors)

    def test_session(self):
        session = self.manager.session().replace('"a"', f'"a{self.HOSTILE}"')
        self.manager.deliver(message('Hello'))
        tool = self.tool('listen', '--session', '-', '--count', '1', '--detach', '-', text=session)
        self.assert_success(tool)
        self.assert_plain(tool.output)
        self.assertEqual(json.loads(tool.output.splitlines()[-1])['sid'], f'a{self.HOSTILE}')


class Send(ToolTestCase):
    """Whether the message has arrived, and what the status says of it."""

    @staticmethod
    def error(stanza, id_=None):
        return (f'<message xmlns="{NS_CLIENT}" type="error" from="{stanza.get("to")}"'
                f' id="{id_ or stanza.get("id")}"><error type="cancel">'
                '<service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>'
                '<text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas">No such user</text>'
                '</error></message>')

    def send(self, manager, *arguments, text='Hello'):
        return self.tool('send', '--session', '-', *arguments, 'bob@localhost', text,
                         text=manager.session())

    def start_send(self, manager, *arguments):
        file = tempfile.NamedTemporaryFile('w', suffix='.json')
        self.addCleanup(file.close)
        file.write(manager.session())
        file.flush()
        tool = self.start_tool('send', '--session', file.name, *arguments, 'bob@localhost', 'Hello')
        manager.wait_for_request(is_message)
        return tool

    def test_succeeds(self):
        for arguments in ([], ['--confirm']):
            with Manager() as manager:
                self.assert_success(self.send(manager, *arguments))
                self.assertEqual([is_terminate(body) for body in manager.requests].count(True), 1)

    def test_comes_back(self):
        def reply(stanza):
            return self.error(stanza) if stanza.tag.endswith('}message') else ''

        for arguments in ([], ['--confirm']):
            with Manager(reply) as manager:
                self.assert_failure(self.send(manager, *arguments), 4, 'No such user')
                self.assertTrue(manager.has_request(is_terminate))

    def test_the_error_of_another_message(self):
        def reply(stanza):
            return self.error(stanza, 'other') if stanza.tag.endswith('}message') else ''

        with Manager(reply) as manager:
            self.assert_success(self.send(manager))

    def test_confirm(self):
        """The moment for an error begins later."""
        with Manager(holds=True) as slow, Manager(holds=True) as other:
            confirming = self.start_send(slow, '--confirm')
            self.start_send(other)
            other.wait_for_request(is_terminate)
            # A moment has passed since both messages were sent.
            self.assertFalse(slow.has_request(is_terminate))
            message_ = next(filter(is_message, slow.requests))[0]
            slow.deliver(self.error(message_))
            slow.wait_for_request(is_terminate)
            slow.release()
            self.assertEqual(confirming.wait(PATIENCE), 4, confirming.stderr.read())

    def test_no_confirmation(self):
        for arguments in ([], ['--confirm']):
            with Manager(holds=True) as manager:
                tool = self.send(manager, '--timeout', '2', *arguments)
                self.assert_failure(tool, 1, '2 seconds')

    def test_interrupt(self):
        for arguments in ([], ['--confirm']):
            with Manager() as manager:
                tool = self.start_send(manager, *arguments)
                tool.send_signal(signal.SIGINT)
                self.assertEqual(tool.wait(PATIENCE), 128 + signal.SIGINT)
                self.assertTrue(manager.has_request(is_terminate))

    def test_text_that_xml_has_not(self):
        with Manager() as manager:
            self.assert_failure(self.send(manager, text='a\x01b'), 1, '.')
            self.assertTrue(manager.has_request(is_terminate))


class Only(SessionTestCase):
    def listen_to(self, kind, count):
        self.manager.deliver(
            f'<presence xmlns="{NS_CLIENT}" from="bob@localhost/x"/>' + message('one') +
            f'<iq xmlns="{NS_CLIENT}" type="result" id="1" from="bob@localhost"/>' + message('two'))
        tool = self.tool('listen', '--session', '-', '--only', kind, '--count', str(count),
                         text=self.manager.session())
        self.assert_success(tool)
        return [ElementTree.fromstring(line).tag.split('}')[1]
                for line in tool.output.splitlines()]

    def test_kinds(self):
        self.assertEqual(self.listen_to('message', 2), ['message', 'message'])
        self.assertEqual(self.listen_to('presence', 1), ['presence'])
        self.assertEqual(self.listen_to('iq', 1), ['iq'])


class LeftOut(SessionTestCase):
    """A stanza that is over a limit of the library."""

    def test_is_named(self):
        deep = '<x xmlns="urn:example">' * 600 + '</x>' * 600
        self.manager.deliver(message('one') + message('').replace('<body>', deep + '<body>') +
                             message('two'))
        tool = self.tool('listen', '--session', '-', '--count', '2', text=self.manager.session())
        self.assertEqual(tool.returncode, 0, tool.errors)
        self.assertEqual([ElementTree.fromstring(line).findtext(f'{{{NS_CLIENT}}}body')
                          for line in tool.output.splitlines()], ['one', 'two'])
        self.assertRegex(tool.errors, r'\Abosh-tool: .*message.*bob@localhost.*\n\Z')


class Descriptors(SessionTestCase):
    """Where standard input, output and error are closed, or can't be written."""

    def test_closed_output(self):
        self.manager.deliver(message('Hello'))
        tool = self.shell('exec "$@" >&-', 'listen', '--session', '-', '--detach',
                          self.path('session.json'), text=self.manager.session())
        self.assert_failure(tool, 1, 'standard output.*Bad file descriptor')
        # What could not be printed does not get elsewhere, and the session is not lost.
        self.assert_session('session.json')

    def test_closed_error(self):
        self.manager.deliver(message('Hello'))
        tool = self.shell('exec "$@" 2>&-', 'listen', '--verbose', '--count', '1', '--session', '-',
                          '--detach', self.path('session.json'), text=self.manager.session())
        self.assertEqual((tool.returncode, tool.errors), (0, ''))
        self.assert_session('session.json')

    def test_closed_input(self):
        tool = self.shell('exec "$@" <&-', 'listen', '--session', '-')
        self.assert_failure(tool, 1, 'Bad file descriptor')
        tool = self.shell('exec "$@" <&-', 'prebind', '--password-file', '-', ALICE)
        self.assert_failure(tool, 1, 'Bad file descriptor')

    def test_all_closed(self):
        session = self.write('old.json', self.manager.session())
        tool = self.start(['sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh', os.environ['BOSH_TOOL'],
                           'listen', '--verbose', '--session', session, '--detach',
                           self.path('session.json')])
        self.manager.wait_for_request(is_presence)
        self.assertEqual([os.readlink(f'/proc/{tool.pid}/fd/{i}') for i in range(3)],
                         ['/dev/null'] * 3)
        self.manager.deliver(message('Hello'))
        self.assertEqual(tool.wait(PATIENCE), 1)
        self.assert_session('session.json')

    def test_full_disk(self):
        for arguments in (['--version'], ['--help'], ['listen', '--help']):
            tool = self.shell('exec "$@" > /dev/full', *arguments)
            self.assert_failure(tool, 1, 'standard output')
        self.manager.deliver(message('Hello'))
        tool = self.shell('exec "$@" > /dev/full', 'listen', '--session', '-',
                          text=self.manager.session())
        self.assert_failure(tool, 1, 'standard output.*No space')
        self.assertTrue(is_terminate(self.manager.requests[-1]))

    def test_output_that_does_not_block(self):
        """Another program may have set that on the pipe or terminal that both have."""
        text = 'x' * 200000
        self.manager.deliver(message(text))
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        session = self.write('session.json', self.manager.session())
        tool = self.start([os.environ['BOSH_TOOL'], 'listen', '--session', session, '--count', '1'],
                          output=write_end)
        os.close(write_end)
        with open(read_end, encoding='utf-8') as output:
            self.assertIn(text, output.read())
        self.assertEqual(tool.wait(PATIENCE), 0, tool.stderr.read())


class HangUp(SessionTestCase):
    """SIGHUP: the terminal has gone away."""

    def test_ends_politely(self):
        tool = self.listen()
        tool.send_signal(signal.SIGHUP)
        self.assertEqual(tool.wait(PATIENCE), 0, tool.stderr.read())
        self.assertTrue(is_terminate(self.manager.requests[-1]))

    def test_before_the_count(self):
        tool = self.listen('--count', '1')
        tool.send_signal(signal.SIGHUP)
        self.assertEqual(tool.wait(PATIENCE), 128 + signal.SIGHUP)

    def test_hands_over(self):
        """Shell, terminal and system may send several."""
        tool = self.listen('--detach', self.path('session.json'))
        for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):
            tool.send_signal(number)
        self.assertEqual(tool.wait(PATIENCE), 0, tool.stderr.read())
        self.assert_session('session.json')

    def test_nohup(self):
        session = self.write('session.json', self.manager.session())
        tool = self.start(['nohup', os.environ['BOSH_TOOL'], 'listen', '--count', '1', '--session',
                           session])
        self.manager.wait_for_request(is_presence)
        tool.send_signal(signal.SIGHUP)
        self.manager.deliver(message('Hello'))
        self.assertEqual(tool.wait(PATIENCE), 0, tool.stderr.read())
        self.assertIn('Hello', tool.stdout.read())


class Interrupts(ToolTestCase):
    def assert_ends(self, number, status, *arguments):
        with DeafServer() as server:
            tool = self.start_tool(*arguments[:1], '--uri', server.uri, *arguments[1:],
                                   BOSH_PASSWORD=PASSWORD)
            server.accept()
            tool.send_signal(number)
            self.assertEqual(tool.wait(PATIENCE), status)
            self.assertEqual(tool.stdout.read(), '')
            self.assertEqual(tool.stderr.read(), '')

    def test_interrupt(self):
        self.assert_ends(signal.SIGINT, 130, 'prebind', ALICE)
        self.assert_ends(signal.SIGINT, 130, 'send', ALICE, 'bob@localhost', 'Hello')
        self.assert_ends(signal.SIGINT, 130, 'listen', ALICE)

    def test_terminate(self):
        self.assert_ends(signal.SIGTERM, 143, 'prebind', ALICE)

    def test_hang_up(self):
        self.assert_ends(signal.SIGHUP, 129, 'prebind', ALICE)


if __name__ == '__main__':
    unittest.main(verbosity=2)
