#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One style, one vocabulary: what format.py can't see.

Usage: check-style.py ROOT

Names each place that breaks a rule; CONTRIBUTING.md has the reasons.
"""

import glob
import os
import re
import sys

# Lines of code, comments and blank lines not counted. A function that names each property
# once, to declare it, to get it or to set it, is as long as their list.
MAX_FUNCTION = 60

# XEP-0124 has requests and responses.
WORDS = (
    (re.compile(r'(?<!un)answer(?:s|ed|ing)?(?![a-z])', re.IGNORECASE),
     'say response and respond, as XEP-0124 does'),
)
WORDED = ('bosh-glib/**/*.[ch]', 'tests/**/*.[ch]', 'tests/**/*.py', 'tests/**/*.js',
          'docs/*.md', 'docs/*.1', 'docs/examples/**/*', '*.md', 'NEWS', 'docs/*.sh', 'tests/*.sh')

CODE = (
    (re.compile(r'\bg_object_notify \('), 'notify by g_object_notify_by_pspec ()'),
    (re.compile(r'\bg_task_get_source_tag \('), 'compare tags by g_async_result_is_tagged ()'),
    (re.compile(r'\((?:getter|setter|get-property|set-property) '),
     'the scanner finds accessors by itself'),
    (re.compile(r'(?<!:)//(?!\w+\.)'), 'comments are /* */'),
    (re.compile(r'^ \* @error:(?! return location for an error$)'),
     'say “@error: return location for an error”'),
)
FUNCTION = re.compile(r'^(\w+) \((?:[^;{}]*?)\)\n\{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
DOC = re.compile(r'^/\*\*\n \* (bosh_\w+):\n(.*?)^ \*/', re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r'/\*.*?\*/', re.DOTALL)

problems = []


def report(path, text, position, message):
    problems.append(f'{path}:{text.count(chr(10), 0, position) + 1}: {message}')


def find_files(root, *patterns):
    """Files of the project as paths below the root, those of this folder left out."""
    for path in sorted({path for pattern in patterns
                        for path in glob.glob(os.path.join(root, pattern), recursive=True)}):
        name = os.path.relpath(path, root)
        if os.path.isfile(path) and name != 'tests/checks/check-style.py':
            yield name


def read(root, name):
    with open(os.path.join(root, name), encoding='utf-8') as file:
        return file.read()


def check_lines(name, text, rules):
    for pattern, message in rules:
        for match in re.finditer(pattern.pattern, text, pattern.flags | re.MULTILINE):
            report(name, text, match.start(), message)


def count_code(body):
    return sum(1 for line in COMMENT.sub('', body).split('\n') if line.strip())


def check_functions(name, text):
    for match in FUNCTION.finditer(text):
        lines = count_code(match[2])
        declares = re.search(r'_class_init$|^install_|_properties$|_[gs]et_property$', match[1])
        if lines > MAX_FUNCTION and not declares:
            report(name, text, match.start(), f'{match[1]} () has {lines} lines of code')


def check_docs(name, text):
    for match in DOC.finditer(text):
        parts = match[2].split('\n *\n')
        summary = parts[1].lstrip(' *') if len(parts) > 1 else ''
        if match[1].endswith('_finish') and not summary.startswith('Finishes ['):
            report(name, text, match.start(), f'{match[1]} (): say “Finishes [method@…]”')
        if 'Gets the value of' in summary or re.match(r'See \[property@', summary):
            report(name, text, match.start(), f'{match[1]} (): say “Gets [property@…]”')


def check_header(root, name):
    """A file has a header of its own, or belongs to a class whose header is public."""
    folder, base = os.path.split(name.removesuffix('.c'))
    for header in glob.glob(os.path.join(root, folder, '*.h')):
        stem = re.sub(r'(-private|-internal)?\.h$', '', os.path.basename(header))
        if base == stem or (folder == 'bosh-glib' and base.startswith(stem + '-')):
            return
    if base not in ('bosh-tool', 'bosh-version'):
        problems.append(f'{name}:1: no header of its own')


def main():
    root = sys.argv[1]
    for name in find_files(root, *WORDED):
        check_lines(name, read(root, name), WORDS)
    for name in find_files(root, 'bosh-glib/**/*.[ch]'):
        text = read(root, name)
        check_lines(name, text, CODE)
        check_functions(name, text)
        check_docs(name, text)
        if name.endswith('.c'):
            check_header(root, name)
    print('\n'.join(problems) or 'no problem')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
