#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs in README.md do what it says, with the library as it was built.

Usage: check-readme.py SOURCE_ROOT BUILD_ROOT
They log in to the Prosody that run-with.py has started.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from tooling import ProgramTestCase, ServerAddress

URI = 'https://example.org:5281/http-bind/'
DOMAIN = 'example.org'


class Readme(ProgramTestCase):
    root = build = None

    @classmethod
    def setUpClass(cls):
        with open(os.path.join(cls.root, 'README.md'), encoding='utf-8') as readme:
            cls.blocks = dict(re.findall(r'^```(c|python|javascript)\n(.*?)^```$', readme.read(),
                                         re.MULTILINE | re.DOTALL))

    def write(self, language, name):
        """The program, moved to the server of the test."""
        directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, directory)
        text = self.blocks[language]
        self.assertIn(URI, text)
        text = text.replace(URI, ServerAddress('prosody').uris['http'])
        path = os.path.join(directory, name)
        with open(path, 'w', encoding='utf-8') as program:
            program.write(text.replace(DOMAIN, 'localhost'))
        return path

    def check(self, *command):
        library = os.path.join(self.build, 'bosh-glib')
        program = self.run_program(command, LD_LIBRARY_PATH=library, GI_TYPELIB_PATH=library)
        self.assert_success(program)
        self.assertEqual(self.assert_three_lines(program.output)['jid'].split('/')[0],
                         'alice@localhost')

    def test_c(self):
        source = self.write('c', 'program.c')
        uninstalled = os.path.join(self.build, 'meson-uninstalled')
        flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'bosh-glib-1.0'], check=True,
                               stdout=subprocess.PIPE, encoding='utf-8',
                               env={**os.environ, 'PKG_CONFIG_PATH': uninstalled}).stdout.split()
        program = source.removesuffix('.c')
        subprocess.run(['cc', '-Wall', '-Werror', source, '-o', program, f'-I{self.root}',
                        f'-I{self.root}/bosh-glib/core', *flags], check=True)
        self.check(program)

    def test_python(self):
        if importlib.util.find_spec('gi') is None and os.environ.get('CI') != 'true':
            self.skipTest('PyGObject is not installed')
        self.check(sys.executable, self.write('python', 'program.py'))

    def test_javascript(self):
        if shutil.which('gjs') is None and os.environ.get('CI') != 'true':
            self.skipTest('gjs is not installed')
        self.check('gjs', '-m', self.write('javascript', 'program.js'))


if __name__ == '__main__':
    Readme.build = sys.argv.pop()
    Readme.root = sys.argv.pop()
    unittest.main(verbosity=2)
