# SPDX-License-Identifier: LGPL-2.1-or-later
"""bosh-tool through a real proxy that asks for a password; its name is the first argument.

Prosody and nginx are behind it, for http and https."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
from tooling import PASSWORD, ToolTestCase


class Proxies(ToolTestCase):
    proxy = None

    def prebind(self, scheme, userinfo='', **variables):
        if scheme == 'https':
            address = ['--uri', os.environ['BOSH_TEST_NGINX_HTTPS_URI'],
                       '--ca-file', os.environ['BOSH_TEST_NGINX_CA_FILE']]
        else:
            address = ['--uri', os.environ['BOSH_TEST_NGINX_HTTP_URI']]
        return self.tool('prebind', '--proxy', f'http://{userinfo}{self.proxy}', *address,
                         'alice@localhost', BOSH_PASSWORD=PASSWORD, G_MESSAGES_DEBUG='all',
                         **variables)

    def test_password(self):
        """In the URI of the proxy, or beside it."""
        for scheme in ('http', 'https'):
            with self.subTest(scheme):
                tool = self.prebind(scheme, f'alice:{PASSWORD}@')
                self.assertEqual(tool.returncode, 0, tool.errors)
                tool = self.prebind(scheme, BOSH_PROXY_USERNAME='alice',
                                    BOSH_PROXY_PASSWORD=PASSWORD)
                self.assertEqual(tool.returncode, 0, tool.errors)
                self.assertNotIn(PASSWORD, tool.errors)

    def test_refused(self):
        """The proxy is named, and not the server."""
        for scheme in ('http', 'https'):
            with self.subTest(scheme):
                tool = self.prebind(scheme)
                self.assertNotEqual(tool.returncode, 0)
                self.assertIn('The proxy asks for a user name and a password', tool.errors)
                # Its fake lets everybody in. tinyproxy responds with 401 to a wrong password,
                # which over http looks like one of the server.
                if 'NTLM' in sys.argv or (scheme == 'http' and 'tinyproxy' in sys.argv):
                    continue
                tool = self.prebind(scheme, 'alice:wrong@')
                self.assertNotEqual(tool.returncode, 0)
                self.assertIn('The proxy does not accept the user name', tool.errors)


if __name__ == '__main__':
    Proxies.proxy = os.environ[f'BOSH_TEST_{sys.argv[1].upper()}_PROXY']
    unittest.main(argv=sys.argv[:1])
