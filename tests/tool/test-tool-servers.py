# SPDX-License-Identifier: LGPL-2.1-or-later
"""bosh-tool against a real server, of which the name is the first argument."""

import base64
import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from tooling import (PASSWORD, PATIENCE, XML_PATH, Domain, HttpServer, ServerAddress, ToolTestCase,
                     forward_to, manual, xrd)

# Domain → the mechanism of the login there.
MECHANISMS = {
    'plain.localhost': 'SCRAM-SHA-256',
    'sha256.localhost': 'SCRAM-SHA-256',
    'sha1.localhost': 'SCRAM-SHA-1',
    'plainonly.localhost': 'PLAIN',
    'anon.localhost': 'ANONYMOUS',
}
# What SASL says is between these.
SASL_PAYLOAD = re.compile(r"<(auth|challenge|response|success)\b[^>]*>([^<]*)<")
# A session that has ended may say so later, by a presence.
LISTEN = ('listen', '--only', 'message')


class ServerTestCase(ToolTestCase):
    server = None

    def address(self, scheme='http'):
        return ['--uri', self.server.uris[scheme], '--ca-file', self.server.ca_file]

    def call(self, command, *arguments, scheme='http', **options):
        return self.tool(command, *self.address(scheme), *arguments,
                         **{'BOSH_PASSWORD': PASSWORD, **options})

    def begin(self, command, *arguments, scheme='http', **options):
        return self.start_tool(command, *self.address(scheme), *arguments,
                               **{'BOSH_PASSWORD': PASSWORD, **options})

    def send(self, to, text, *arguments):
        """The server keeps it until `to` is there."""
        self.assert_success(self.call('send', *arguments, '--', 'alice@localhost', to, text))

    def prebind_json(self, *arguments):
        tool = self.call('prebind', '--format', 'json', *arguments)
        self.assert_success(tool)
        return tool.output

    def assert_bodies(self, output, bodies):
        """JSON lines, one for each message in order."""
        stanzas = [json.loads(line) for line in output.splitlines()]
        self.assertEqual([stanza['body'] for stanza in stanzas
                          if stanza['name'] == 'message'], bodies)


class Prebind(ServerTestCase):
    def assert_prebind(self, domain, scheme, keys):
        anonymous = domain == 'anon.localhost'
        who = [domain, '--anonymous'] if anonymous else ['alice@' + domain]
        options = ['--key-sequence'] if keys else []
        tool = self.call('prebind', '--verbose', *options, *who, scheme=scheme,
                         BOSH_PASSWORD=None if anonymous else PASSWORD)
        self.assertEqual(tool.returncode, 0, tool.errors)
        self.assertIn(MECHANISMS[domain], tool.errors)
        lines = self.assert_three_lines(tool.output)
        self.assertTrue(lines['jid'].partition('/')[0].endswith('@' + domain))
        self.assertEqual('newkey=' in tool.errors, keys)

        session = self.server.raw_session(lines['sid'], lines['rid'], scheme)
        if keys and self.server.enforces_keys:
            # XEP-0124 §15: who does not know the key has no session.
            self.assertEqual(session.ping(), False)
        else:
            self.assert_alive(lines['jid'], session)

    def assert_alive(self, jid, session):
        """Both ways, from the printed number on."""
        self.assert_success(self.call('send', '--', 'bob@localhost', jid, 'are you there?'))
        self.assertEqual(session.receive(), ['are you there?'])
        self.assertEqual(session.ping(), True)
        session.terminate()

    def test_mechanisms(self):
        for domain in MECHANISMS:
            for scheme in ('http', 'https'):
                for keys in (False, True):
                    with self.subTest(domain=domain, scheme=scheme, keys=keys):
                        self.assert_prebind(domain, scheme, keys)

    def test_resource(self):
        tool = self.call('prebind', 'alice@localhost/from-jid')
        self.assertEqual(self.assert_three_lines(tool.output)['jid'], 'alice@localhost/from-jid')
        tool = self.call('prebind', '--resource', 'from-option', 'alice@localhost')
        self.assertEqual(self.assert_three_lines(tool.output)['jid'],
                         'alice@localhost/from-option')
        tool = self.call('prebind', 'alice@localhost')
        self.assertRegex(self.assert_three_lines(tool.output)['jid'], r'^alice@localhost/.+')

    def test_password_file(self):
        tool = self.call('prebind', '--password-file', '-', 'alice@localhost',
                         text=PASSWORD + '\n', BOSH_PASSWORD='wrong')
        self.assert_success(tool)
        self.assert_three_lines(tool.output)

    def test_json(self):
        session = json.loads(self.prebind_json('--resource', 'here', 'alice@localhost'))
        self.assertEqual(session['jid'], 'alice@localhost/here')
        self.assert_alive(session['jid'],
                          self.server.raw_session(session['sid'], session['rid']))

    def test_first_request_may_hold_anything(self):
        """A page that sends at once loses nothing."""
        for options in ([], ['--format', 'json']):
            tool = self.call('prebind', *options, 'alice@localhost')
            self.assert_success(tool)
            numbers = json.loads(tool.output) if options else self.assert_three_lines(tool.output)
            session = self.server.raw_session(numbers['sid'], numbers['rid'])
            self.assertTrue(session.ping())
            session.terminate()

    def test_wait(self):
        tool = self.call('prebind', '--verbose', '--wait', '7', 'alice@localhost')
        self.assertEqual(tool.returncode, 0)
        self.assertRegex(tool.errors, r"""(?m)^> .*\bwait=['"]7['"]""")


class Failures(ServerTestCase):
    def test_wrong_password(self):
        for domain in ('plain.localhost', 'sha1.localhost', 'plainonly.localhost'):
            for command in (['prebind'], ['listen']):
                tool = self.call(*command, 'alice@' + domain, BOSH_PASSWORD='wrong')
                self.assert_failure(tool, 3, '.')

    def test_unknown_user(self):
        self.assert_failure(self.call('prebind', 'nobody@localhost'), 3, '.')

    def test_no_anonymous_login(self):
        self.assert_failure(self.call('prebind', '--anonymous', 'localhost'), 3, '.')

    def test_unknown_domain(self):
        self.assert_failure(self.call('prebind', 'alice@unknown.localhost'), 1, '.')

    def test_untrusted_certificate(self):
        tool = self.tool('prebind', '--uri', self.server.uris['https'], 'alice@localhost',
                         BOSH_PASSWORD=PASSWORD)
        self.assert_failure(tool, 1, '.')

    def test_wrong_path(self):
        for scheme in ('http', 'https'):
            tool = self.tool('prebind', '--uri', self.server.uris[scheme] + '-not', '--ca-file',
                             self.server.ca_file, 'alice@localhost', BOSH_PASSWORD=PASSWORD)
            self.assert_failure(tool, 1, '.')

    def test_plain_over_the_network_is_refused(self):
        """RFC 6120 §13.9.2: no password in the clear, if nobody allows it."""
        path = '/' + self.server.uris['http'].rpartition('/')[2]
        with HttpServer(forward_to(self.server.uris['http'])) as proxy:
            command = ['prebind', '--uri', 'http://server.example' + path, '--proxy', proxy.uri,
                       'alice@plainonly.localhost']
            self.assert_failure(self.tool(*command, BOSH_PASSWORD=PASSWORD), 3, '.')
            tool = self.tool(*command, '--insecure-plain', BOSH_PASSWORD=PASSWORD)
            self.assert_success(tool)
            self.assert_three_lines(tool.output)


class Messages(ServerTestCase):
    def test_arrive(self):
        texts = ['Hello', '', ' one\ntwo\t<&>"\' ', 'Grüße \U0001f600']
        for text in texts:
            self.send('bob@localhost', text or 'empty')
        tool = self.call(*LISTEN, '--format', 'json', '--count', str(len(texts)),
                         'bob@localhost')
        self.assert_success(tool)
        self.assert_bodies(tool.output, [text or 'empty' for text in texts])

    def test_json(self):
        self.send('bob@localhost', 'Hello', '--resource', 'sender')
        tool = self.call(*LISTEN, '--format', 'json', '--count', '1', 'bob@localhost/here')
        self.assert_success(tool)
        stanza = json.loads(tool.output)
        self.assertEqual(list(stanza), ['name', 'from', 'to', 'type', 'id', 'body', 'xml'])
        self.assertEqual((stanza['name'], stanza['from'], stanza['type'], stanza['body']),
                         ('message', 'alice@localhost/sender', 'chat', 'Hello'))
        self.assertIn('<body>Hello</body>', stanza['xml'])

    def test_text(self):
        self.send('bob@localhost', 'one\ntwo')
        tool = self.call(*LISTEN, '--count', '1', 'bob@localhost')
        self.assert_success(tool)
        self.assertRegex(tool.output, r'\A<message [^\n]*one&#10;two[^\n]*</message>\n\Z')

    def test_comes_back(self):
        """RFC 6121 §8.5.1: nobody has the address."""
        for options in ([], ['--confirm']):
            tool = self.call('send', *options, 'alice@localhost', 'nobody@localhost', 'Hello')
            self.assert_failure(tool, 4, 'came back')

    def test_text_that_xml_has_not(self):
        tool = self.call('send', 'alice@localhost', 'bob@localhost', 'a\x01b')
        self.assert_failure(tool, 1, '.')

    def test_reader_that_goes_away(self):
        self.send('carol@localhost', 'Hello')
        read_end, write_end = os.pipe()
        os.close(read_end)
        tool = subprocess.run(
            [os.environ['BOSH_TOOL'], 'listen', *self.address(), 'carol@localhost'],
            stdin=subprocess.DEVNULL, stdout=write_end, stderr=subprocess.PIPE,
            encoding='utf-8', env=self.environment(BOSH_PASSWORD=PASSWORD),
            timeout=PATIENCE, check=False)
        os.close(write_end)
        self.assertEqual(tool.returncode, 1)
        self.assertRegex(tool.stderr, r'\Abosh-tool: [^\n]+\n\Z')


class HandOver(ServerTestCase):
    def session_file(self, text=''):
        handle = tempfile.NamedTemporaryFile('w', encoding='utf-8')
        self.addCleanup(handle.close)
        handle.write(text)
        handle.flush()
        return handle.name

    def listen(self, *arguments, **options):
        tool = self.tool(*LISTEN, '--ca-file', self.server.ca_file, '--format', 'json',
                         '--count', '1', *arguments, **options)
        self.assert_success(tool)
        return tool.output

    def assert_hand_over(self, *options, scheme='http'):
        tool = self.call('prebind', '--format', 'json', *options, 'carol@localhost',
                         scheme=scheme)
        self.assert_success(tool)
        self.send('carol@localhost', 'first')
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = os.path.join(directory.name, 'session.json')
        self.assert_bodies(self.listen('--session', '-', '--detach', path, text=tool.output),
                           ['first'])
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.send('carol@localhost', 'second')
        self.assert_bodies(self.listen('--session', path), ['second'])

    def test_goes_on(self):
        self.assert_hand_over()

    def test_goes_on_with_a_key_sequence(self):
        self.assert_hand_over('--key-sequence')

    def test_goes_on_over_https(self):
        self.assert_hand_over(scheme='https')

    def test_overwrites_its_file(self):
        path = self.session_file(self.prebind_json('carol@localhost'))
        os.chmod(path, 0o644)
        self.send('carol@localhost', 'first')
        self.assert_bodies(self.listen('--session', path, '--detach', path), ['first'])
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.send('carol@localhost', 'second')
        self.assert_bodies(self.listen('--session', path), ['second'])

    def test_to_standard_output(self):
        self.send('carol@localhost', 'first')
        tool = self.call(*LISTEN, '--count', '1', '--detach', '-', 'carol@localhost')
        self.assert_success(tool)
        stanza, _, session = tool.output.partition('\n')
        self.assertIn('first', stanza)
        self.send('carol@localhost', 'second')
        self.assert_bodies(self.listen('--session', '-', text=session), ['second'])

    def test_interrupt_hands_over_too(self):
        path = self.session_file()
        self.send('carol@localhost', 'first')
        tool = self.begin(*LISTEN, '--detach', path, 'carol@localhost')
        self.assertIn('first', tool.stdout.readline())
        tool.send_signal(signal.SIGINT)
        self.assertEqual(tool.wait(PATIENCE), 0, tool.stderr.read())
        self.send('carol@localhost', 'second')
        self.assert_bodies(self.listen('--session', path), ['second'])

    def test_send(self):
        session = self.prebind_json('--resource', 'handed-over', 'carol@localhost')
        tool = self.tool('send', '--session', '-', 'bob@localhost', 'from carol', text=session)
        self.assert_success(tool)
        tool = self.call(*LISTEN, '--format', 'json', '--count', '1', 'bob@localhost')
        self.assert_success(tool)
        self.assert_bodies(tool.output, ['from carol'])
        # It had its end.
        self.assert_failure(self.tool('listen', '--session', '-', text=session), 1, '.')


class Interrupts(ServerTestCase):
    def test_ends_politely(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            self.send('carol@localhost', 'go')
            tool = self.begin(*LISTEN, '--verbose', 'carol@localhost')
            self.assertIn('go', tool.stdout.readline())
            tool.send_signal(number)
            _, errors = tool.communicate(timeout=PATIENCE)
            self.assertEqual(tool.returncode, 0, errors)
            self.assertRegex(errors, r"""(?m)^> .*\btype=['"]terminate['"]""")
            sid = re.search(r"""\bsid=['"]([^'"]+)['"]""", errors)[1]
            rid = int(re.findall(r"""(?m)^> .*?\brid=['"]([0-9]+)['"]""", errors)[-1])
            self.assertEqual(self.server.raw_session(sid, rid + 1).ping(), False)

    def test_before_the_count(self):
        self.send('carol@localhost', 'go')
        tool = self.begin(*LISTEN, '--count', '2', 'carol@localhost')
        self.assertIn('go', tool.stdout.readline())
        tool.send_signal(signal.SIGINT)
        self.assertEqual(tool.wait(PATIENCE), 130)
        self.assertEqual(tool.stderr.read(), '')


class Manuals(ServerTestCase):
    """What the manuals show works, in a shell and in this order."""

    BLOCKS = {'bosh-tool.1': r'(?m)^\.EX\n((?:.*\n)*?)\.EE$',
              'bosh-tool.md': r'(?m)^```\n((?:.*\n)*?)```$'}
    # With where the test has its server, and the domain its documents.
    WRAPPER = '''#!/bin/sh
command=$1
shift
case "$command $*" in
  discover*) exec "$BOSH_TOOL" discover --proxy "$PROXY" --ca-file "$DOMAIN_CA" "$@" ;;
  *--session*) exec "$BOSH_TOOL" "$command" --ca-file "$CA" "$@" ;;
  *) exec "$BOSH_TOOL" "$command" --uri "$URI" --ca-file "$CA" "$@" ;;
esac
'''

    def run_block(self, block, domain):
        """In the directory of the test."""
        return self.run_program(
            ['sh', '-e', '-c', f'cd "$DIRECTORY"\n{block}'], DIRECTORY=self.directory,
            PATH=f'{self.directory}:{os.environ["PATH"]}', BOSH_PASSWORD=PASSWORD,
            URI=self.server.uris['https'], CA=self.server.ca_file,
            PROXY=domain.proxy_uri, DOMAIN_CA=domain.ca_file)

    def check(self, name):
        examples = re.split(r'(?im)^(?:\.SH|##) examples$', manual(name))[1]
        blocks = re.findall(self.BLOCKS[name], examples)
        self.assertGreater(len(blocks), 3)
        with tempfile.TemporaryDirectory() as self.directory, \
                Domain({XML_PATH: (200, xrd('https://example.org/bosh'))}) as domain:
            wrapper = os.path.join(self.directory, 'bosh-tool')
            with open(wrapper, 'w', encoding='utf-8') as file:
                file.write(self.WRAPPER)
            os.chmod(wrapper, 0o755)
            n_messages = 0
            for block in blocks:
                if 'listen' in block:
                    self.assert_success(self.call('send', 'bob@localhost', 'alice@localhost',
                                                  f'to {block}'))
                program = self.run_block(block.replace('example.org', 'localhost'), domain)
                with self.subTest(block):
                    self.assert_success(program)
                    self.assertEqual('</message>' in program.output, 'listen' in block)
                    self.assertEqual('https://example.org/bosh' in program.output,
                                     'discover' in block)
                n_messages += block.count('bob@example.org')
            # It was handed over, and would take the messages of the next test.
            self.assert_success(self.tool('send', '--ca-file', self.server.ca_file, '--session',
                                          os.path.join(self.directory, 'session.json'),
                                          'bob@localhost', 'The end'))
        tool = self.call(*LISTEN, '--format', 'json', '--count', str(n_messages + 1),
                         'bob@localhost')
        self.assert_bodies(tool.output, ['Dinner is ready'] * n_messages + ['The end'])

    def test_manual_page(self):
        self.check('bosh-tool.1')

    def test_reference(self):
        self.check('bosh-tool.md')


class Verbose(ServerTestCase):
    def test_shows_no_secret(self):
        for domain in MECHANISMS:
            anonymous = domain == 'anon.localhost'
            who = [domain, '--anonymous'] if anonymous else ['alice@' + domain]
            tool = self.call('prebind', '--verbose', *who,
                             BOSH_PASSWORD=None if anonymous else PASSWORD)
            self.assertEqual(tool.returncode, 0)
            self.assertRegex(tool.errors, r'\A([<>] [^\n]*\n)+\Z')
            self.assertNotIn(PASSWORD, tool.errors)
            payloads = SASL_PAYLOAD.findall(tool.errors)
            self.assertNotEqual(payloads, [])
            for _, payload in payloads:
                self.assertNotRegex(payload, r'^[A-Za-z0-9+/]{4,}={0,2}$')
            for secret in (f'\0alice\0{PASSWORD}', 'n,,n=alice'):
                self.assertNotIn(base64.b64encode(secret.encode()).decode()[:10], tool.errors)


if __name__ == '__main__':
    ServerTestCase.server = ServerAddress(sys.argv.pop(1))
    unittest.main(verbosity=2)
