# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples against a real server, of which the name is the first argument.

Each of them is in the environment: BOSH_EXAMPLE_C and so on is the command.
"""

import os
import shlex
import sys
import unittest

sys.dont_write_bytecode = True
from tooling import PASSWORD, ProgramTestCase, ServerAddress

PREFIX = 'BOSH_EXAMPLE_'


class Examples(ProgramTestCase):
    server = None

    def for_each_example(self, check):
        """Calls `check (command)` for each of them."""
        for name, command in sorted(os.environ.items()):
            if name.startswith(PREFIX):
                with self.subTest(name[len(PREFIX):].lower()):
                    check(shlex.split(command))

    def prebind(self, command, scheme, domain, *arguments, **environment):
        return self.run_program([*command, self.server.uris[scheme], domain, *arguments],
                                **{'BOSH_PASSWORD': PASSWORD,
                                   'BOSH_CA_FILE': self.server.ca_file, **environment})

    def assert_prebind(self, command, scheme, domain, *arguments, **environment):
        program = self.prebind(command, scheme, domain, *arguments, **environment)
        self.assert_success(program)
        lines = self.assert_three_lines(program.output)
        return lines['jid'], self.server.raw_session(lines['sid'], lines['rid'], scheme)

    def assert_alive(self, session):
        """The printed number is the next one (XEP-0124 §14.1)."""
        self.assertTrue(session.ping())
        session.terminate()

    def test_one_is_always_here(self):
        self.assertIn(PREFIX + 'C', os.environ)

    def test_prebind(self):
        def check(command):
            for scheme in ('http', 'https'):
                jid, session = self.assert_prebind(command, scheme, 'localhost', 'alice',
                                                   'example')
                self.assertEqual(jid, 'alice@localhost/example')
                self.assert_alive(session)

        self.for_each_example(check)

    def check_session(self, session, has_keys):
        # XEP-0124 §15: who does not know the key has no session.
        if has_keys and self.server.enforces_keys:
            self.assertFalse(session.ping())
        else:
            self.assert_alive(session)

    def for_each_way(self, check):
        """Calls `check (command, scheme, environment)`: http and https, with and
        without a key sequence."""
        def check_command(command):
            for scheme in ('http', 'https'):
                check(command, scheme, {})
                check(command, scheme, {'BOSH_KEY_SEQUENCE': '1'})

        self.for_each_example(check_command)

    def test_mechanisms(self):
        """SCRAM-SHA-1, SCRAM-SHA-256 and PLAIN, one in each domain."""
        def check(command, scheme, environment):
            for domain in ('sha1.localhost', 'sha256.localhost', 'plainonly.localhost'):
                jid, session = self.assert_prebind(command, scheme, domain, 'bob', **environment)
                self.assertRegex(jid, rf'^bob@{domain}/.')
                self.check_session(session, bool(environment))

        self.for_each_way(check)

    def test_anonymous(self):
        def check(command, scheme, environment):
            jid, session = self.assert_prebind(command, scheme, 'anon.localhost',
                                               BOSH_PASSWORD=None, **environment)
            self.assertRegex(jid, r'^[^@]+@anon\.localhost/.')
            self.check_session(session, bool(environment))

        self.for_each_way(check)

    def test_failures(self):
        def check(command):
            for domain, environment in (('localhost', {'BOSH_PASSWORD': 'wrong'}),
                                        ('unknown.localhost', {}),
                                        ('localhost', {'BOSH_CA_FILE': '/nonexistent'})):
                program = self.prebind(command, 'https', domain, 'alice', **environment)
                self.assertEqual((program.returncode, program.output), (1, ''), program.errors)
                self.assertNotEqual(program.errors, '')

        self.for_each_example(check)

    def test_usage(self):
        def check(command):
            program = self.run_program(command)
            self.assertEqual((program.returncode, program.output), (2, ''))
            self.assertIn('Usage', program.errors)

        self.for_each_example(check)


if __name__ == '__main__':
    Examples.server = ServerAddress(sys.argv.pop(1))
    unittest.main(verbosity=2)
