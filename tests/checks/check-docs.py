#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What README.md, CONTRIBUTING.md and the pages and manuals in docs name is there.

Usage: check-docs.py ROOT

Looked for are, in `code spans` and in blocks of code: files and folders, identifiers
of the library, options of its programs and of its build, and whatever else is written
as a name in the code. What belongs to others is in FOREIGN.
"""

import glob
import os
import re
import sys

PAGES = ('README.md', 'CONTRIBUTING.md', 'docs/*.md')
MANUALS = ('docs/*.1',)
# Where a name may come from. This file is not among them.
SOURCES = ('bosh-glib/**/*', 'tests/**/*', 'docs/examples/*', 'docs/*.sh', 'docs/*.in', '.ci/*',
           'meson.build', 'meson_options.txt', 'data/**/*')
TOP = ('.ci', 'bosh-glib', 'data', 'docs', 'po', 'tests')

# Names of other projects and of protocols, of files that a reader makes, and of
# what stands for something.
FOREIGN = frozenset('''
    add_project_arguments client-login connection-manager default_options get_option gi-docgen
    glib-networking gnome-keyring gobject-introspection internal-error json-glib key_exists
    libgsasl meson_version mod_http_altconnect not-well-formed pkg-config
'''.split())
# Commands whose options are their own.
FOREIGN_COMMANDS = frozenset(('apt-get', 'cc', 'curl', 'git', 'gjs', 'meson', 'ninja', 'pkg-config',
                              'python3', 'valac', 'xmllint'))

# With which names of other libraries begin; bosh_ has a check of its own.
PREFIXES = ('bosh_', 'g_', 'G_', 'soup_', 'SOUP_', 'json_', 'xml', 'TCP_', 'CLOCK_')

BLOCK = re.compile(r'^```(\w*)\n(.*?)^```', re.MULTILINE | re.DOTALL)
SPAN = re.compile(r'`([^`\n]+)`')
EXTENSION = re.compile(r'\.(?:[ch]|py|sh|js|json|md|svg|vala|lua|build|txt|supp|in)$')
IDENTIFIER = re.compile(r'\b(?:_?bosh_\w+|BOSH_\w+|Bosh[A-Z]\w*)')
PAIR = re.compile(r'\b(\w+_(?:async|finish))\b')
OPTION = re.compile(r'(?<![\w-])--([a-z][\w-]*)')
BUILD_OPTION = re.compile(r'-D([\w-]+)=')

problems = []


def report(page, text, position, message):
    line = text.count('\n', 0, position) + 1
    problems.append(f'{page}:{line}: {message}')


def read(path):
    with open(path, encoding='utf-8', errors='replace') as file:
        return file.read()


class Tree:
    """All names that the project has."""

    def __init__(self, root):
        self.root = root
        paths = {path for pattern in SOURCES
                 for path in glob.glob(os.path.join(root, pattern), recursive=True)
                 if os.path.isfile(path) and not path.endswith('check-docs.py')
                 and '__pycache__' not in path}
        self.text = '\n'.join(read(path) for path in sorted(paths))
        self.words = set(re.findall(r'[A-Za-z_]\w*', self.text))
        self.suffixes = self.find_suffixes(self.words)
        self.methods = self.find_suffixes(word for word in self.words
                                          if word.startswith(('bosh_', 'tool_')))
        self.files = {os.path.basename(path) for path in paths}
        self.files |= {name for pattern in ('*', 'docs/*', 'po/*')
                       for name in map(os.path.basename, glob.glob(os.path.join(root, pattern)))}
        self.stems = {re.sub(r'(-private|-internal)?\.\w+(\.in)?$', '', name)
                      for name in self.files}
        options = read(os.path.join(root, 'meson_options.txt'))
        self.build_options = set(re.findall(r"^option\('([\w-]+)'", options, re.MULTILINE))

    @staticmethod
    def find_suffixes(words):
        return {word[match.end():] for word in words for match in re.finditer('_', word)}

    def has_path(self, path):
        """Also with * and with NAME or FILE for a part."""
        pattern = re.sub(r'\b[A-Z]{2,}\b', '*', path.rstrip('/'))
        # A program of the tests is named by its path in the build directory.
        return (bool(glob.glob(os.path.join(self.root, pattern)))
                or os.path.dirname(path) == 'tests' and os.path.basename(path) in self.stems)

    def has_name(self, name):
        return name in self.words or name in self.suffixes or name in self.stems

    def has_option(self, option):
        return (f'--{option}' in self.text or f'"{option}"' in self.text
                or f"'{option}'" in self.text)


def is_kind_of_name(token):
    """Words joined by - or _, as no prose has them in code spans."""
    return re.fullmatch(r'[a-z][a-z0-9]*(?:[-_][a-z0-9]+)+|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+', token)


def check_token(tree, page, text, position, token):
    """One word of a code span."""
    token = token.strip('.,;:…()').removesuffix(' ()')
    first = token.split('/')[0]
    if '/' in token and first in TOP:
        if not tree.has_path(token):
            report(page, text, position, f'there is no {token}')
    elif EXTENSION.search(token) and re.fullmatch(r'[\w.-]+', token):
        if token not in tree.files and not re.search(r'[A-Z]{2,}|^program\.|^session\.', token):
            report(page, text, position, f'there is no file {token}')
    elif re.fullmatch(r'bosh-[a-z0-9-]+', token):
        if token not in tree.stems and token not in tree.text:
            report(page, text, position, f'nothing is called {token}')
    elif token.startswith(PREFIXES):
        return
    elif is_kind_of_name(token) and token not in FOREIGN:
        if not tree.has_name(token) and token not in tree.text:
            report(page, text, position, f'nothing is called {token}')


def check_code(tree, page, text, position, code):
    """Identifiers, options and the like, wherever they stand in code."""
    for match in IDENTIFIER.finditer(code):
        if match[0] not in tree.words:
            report(page, text, position + match.start(), f'nothing is called {match[0]}')
    for match in PAIR.finditer(code):
        if match[1] not in tree.methods and not match[1].startswith(PREFIXES):
            report(page, text, position + match.start(), f'nothing is called {match[1]}')
    for match in BUILD_OPTION.finditer(code):
        if match[1] not in tree.build_options and not match[1].startswith(('b_', 'buildtype')):
            report(page, text, position + match.start(), f'the build has no option {match[1]}')
    offset = position
    for line in code.split('\n'):
        words = line.split()
        if not words or words[0] not in FOREIGN_COMMANDS:
            for match in OPTION.finditer(line.split('$(')[0]):
                if not tree.has_option(match[1]):
                    report(page, text, offset + match.start(), f'no option is called --{match[1]}')
        offset += len(line) + 1


def check_page(tree, page):
    text = read(os.path.join(tree.root, page))
    prose = text
    for match in BLOCK.finditer(text):
        check_code(tree, page, text, match.start(2), match[2])
        for word in re.finditer(r'\S+', match[2]):
            if word[0].split('/')[0] in TOP and '/' in word[0]:
                check_token(tree, page, text, match.start(2) + word.start(), word[0])
        prose = prose[:match.start()] + re.sub(r'[^\n]', ' ', match[0]) + prose[match.end():]
    for match in SPAN.finditer(prose):
        check_code(tree, page, text, match.start(1), match[1])
        for word in re.finditer(r'\S+', match[1]):
            check_token(tree, page, text, match.start(1) + word.start(), word[0])


def check_manual(tree, page):
    text = read(os.path.join(tree.root, page)).replace('\\-', '-')
    for match in OPTION.finditer(text):
        if not tree.has_option(match[1]):
            report(page, text, match.start(), f'no option is called --{match[1]}')


def find_pages(root, patterns):
    return sorted(os.path.relpath(path, root) for pattern in patterns
                  for path in glob.glob(os.path.join(root, pattern)))


def main():
    tree = Tree(sys.argv[1])
    pages, manuals = find_pages(tree.root, PAGES), find_pages(tree.root, MANUALS)
    for page in pages:
        check_page(tree, page)
    for page in manuals:
        check_manual(tree, page)
    print('\n'.join(problems) or f'{len(pages) + len(manuals)} pages, no problem')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
