#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the compiler does not see: layers, licence lines, lists kept by hand.

Usage: check-sources.py [--update] ROOT
Names each place that breaks a rule. With --update po/POTFILES.in is written
anew first.
"""

import fnmatch
import os
import re
import sys

SPDX = 'SPDX-License-Identifier: LGPL-2.1-or-later'
SPDX_PATTERNS = ('*.c', '*.h', '*.h.in', '*.js', '*.lua', '*.py', '*.sh', '*.supp', '*.vala',
                 'meson.build', 'meson_options.txt', 'run')

# The core: no I/O, no clock, no randomness, nothing of the main loop.
CORE_HEADERS = re.compile(r'<(errno|gsasl|glib|glib-object|glib/gi18n-lib|idn2|idn-free|inttypes|'
                          r'libintl|libxml/\w+|stdint|string|stringprep)\.h>')
CORE_FORBIDDEN = re.compile(
    r'\b(g_get_monotonic_time|g_get_real_time|g_date_time_new_now\w*|clock_gettime|gettimeofday|'
    r'g_random_\w+|g_rand_\w+|g_uuid_string_random|getrandom|g_main_\w+|g_source_\w+|'
    r'g_timeout_\w+|g_idle_\w+|g_usleep|g_getenv|fopen|socket) \(')
FORBIDDEN = (
    (re.compile(r'\bg_(idle|timeout)_add\w* \('),
     'sources go to the captured context, not to the global one'),
    (re.compile(r'\b(g_intern_string|g_quark_from_string) \('),
     'names from the peer are never interned'),
    (re.compile(r'\b(gchar|gint)\b'), 'char and int, not their GLib names'),
    (re.compile(r'\b(TO[D]O|FIX[M]E|X[X]X)\b'), 'nothing is left for later'),
    (re.compile(r'^\t| +$'), 'tab or trailing space'),
)
# What alone may include a library: the start of the path in bosh-glib.
OWNERS = {'libxml': 'core/bosh-xml', 'gsasl': 'core/bosh-sasl', 'idn2': 'core/bosh-domain',
          'stringprep': 'core/bosh-jid', 'idn-free': 'core/bosh-jid', 'libsoup': 'http/'}

problems = []


def report(path, line, message):
    problems.append(f'{path}:{line}: {message}')


def read(root, *names):
    with open(os.path.join(root, *names), encoding='utf-8') as file:
        return file.read()


def source_files(root):
    """All files that belong to the project, as paths below the root."""
    for directory, directories, files in os.walk(root):
        directories[:] = sorted(
            name for name in directories
            if (not name.startswith('.') or name == '.ci')
            and name not in ('__pycache__', 'subprojects')
            and not os.path.exists(os.path.join(directory, name, 'build.ninja')))
        for name in sorted(files):
            yield os.path.relpath(os.path.join(directory, name), root)


def meson_list(text, name):
    """The files of a list such as core_headers."""
    match = re.search(rf'^{name} = files\((.*?)\)', text, re.MULTILINE | re.DOTALL)
    return re.findall(r"'([^']+)'", match.group(1))


def check_licence(root):
    for path in source_files(root):
        if any(fnmatch.fnmatch(os.path.basename(path), pattern) for pattern in SPDX_PATTERNS):
            if SPDX not in '\n'.join(read(root, path).split('\n')[:3]):
                report(path, 1, 'no SPDX line at the top')


def check_lines(root, path):
    lines = read(root, path).split('\n')
    if lines[-1] != '':
        report(path, len(lines), 'no newline at the end')
    for number, line in enumerate(lines, 1):
        for pattern, message in FORBIDDEN:
            if pattern.search(line):
                report(path, number, message)


def includes(text):
    """Yields the number of the line and what it includes, with its delimiters."""
    for number, line in enumerate(text.split('\n'), 1):
        match = re.match(r'#include ([<"][^>"]+[>"])', line)
        if match:
            yield number, match.group(1)


def stem(path):
    """bosh-session of bosh-session-private.h and the like."""
    return re.sub(r'(-private|-internal)?\.(c|h)$', '', os.path.basename(path))


def check_includes(root, path):
    text = read(root, path)
    found = list(includes(text))
    library = path.startswith('bosh-glib')
    if (path.endswith('.c')
            and (library or path.startswith('tests') and '/test-' in path)
            and (not found or found[0][1] != '"config.h"')):
        report(path, 1, 'config.h is not the first include')
    if path.endswith('.h') and '#pragma once' not in text:
        report(path, 1, 'no #pragma once')
    for number, name in found:
        owner = OWNERS.get(re.split(r'[/.]', name[1:])[0])
        if library and owner is not None and not path.startswith('bosh-glib/' + owner):
            report(path, number, f'{name} belongs to {owner} alone')


def check_core(root):
    files = [path for path in source_files(root)
             if os.path.dirname(path) == 'bosh-glib/core' and path.endswith(('.c', '.h'))]
    local = {stem(path) for path in files} | {'config', 'bosh-enum-types', 'bosh-version-macros'}
    for path in files:
        text = read(root, path)
        for number, name in includes(text):
            if not (CORE_HEADERS.fullmatch(name) if name[0] == '<'
                    else stem(name[1:-1]) in local):
                report(path, number, f'the core does not include {name}')
        for number, line in enumerate(text.split('\n'), 1):
            if CORE_FORBIDDEN.search(line):
                report(path, number, 'no clock, chance, source or I/O in the core')


def check_headers(root, public):
    umbrella = 'bosh-glib/bosh-glib.h'
    included = {name[1:-1] for _, name in includes(read(root, umbrella))}
    expected = set(public) - {'bosh-glib.h'} | {'bosh-version.h', 'bosh-enum-types.h'}
    for name in sorted(expected ^ included):
        report(umbrella, 1, f'{name}: in the umbrella or a public header, but not both')
    paths = {os.path.basename(path): path for path in source_files(root)
             if path.startswith('bosh-glib/')}
    for name in public:
        path = paths[name]
        for number, included in includes(read(root, path)):
            if re.search(r'-(private|internal)\.h|config\.h', included):
                report(path, number, f'a public header includes {included}')


def check_test_timeouts(root):
    """The 30 seconds that Meson gives by default are short on a busy machine."""
    for path in source_files(root):
        if os.path.basename(path) != 'meson.build':
            continue
        text = read(root, path)
        for call in re.finditer(r'^( *)test\(.*?^\1\)', text, re.MULTILINE | re.DOTALL):
            if 'timeout:' not in call[0]:
                report(path, text.count('\n', 0, call.start()) + 1, 'a test without a timeout')


def translatable_files(root):
    return sorted(path for path in source_files(root)
                  if path.endswith('.c') and path.startswith('bosh-glib/')
                  and re.search(r'\b(N?_|ngettext|g_dngettext|g_dpgettext2?) ?\(',
                                read(root, path)))


def check_translations(root, update):
    expected = f'# {SPDX}\n' + ''.join(path + '\n' for path in translatable_files(root))
    if update:
        with open(os.path.join(root, 'po', 'POTFILES.in'), 'w', encoding='utf-8') as file:
            file.write(expected)
    elif read(root, 'po', 'POTFILES.in') != expected:
        report('po/POTFILES.in', 1, 'not the files with translatable text: see --update')


def main():
    root = sys.argv[-1]
    core = read(root, 'bosh-glib', 'core', 'meson.build')
    meson = read(root, 'bosh-glib', 'meson.build')
    public = (meson_list(core, 'core_headers') + meson_list(meson, 'public_headers')
              + meson_list(meson, 'umbrella_headers'))

    check_licence(root)
    for path in source_files(root):
        if path.endswith(('.c', '.h')):
            check_lines(root, path)
            check_includes(root, path)
    check_core(root)
    check_headers(root, public)
    check_test_timeouts(root)
    check_translations(root, '--update' in sys.argv[1:-1])

    print('\n'.join(problems) or 'no problem')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
