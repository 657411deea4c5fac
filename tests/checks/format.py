#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Formats C sources: clang-format, then what it cannot do.

Usage: format.py [--check] [FILE...]
Without files: all of bosh-glib, tests and docs/examples. With --check
nothing is written, and differences are shown. Headers are left alone: their
columns go across prototypes.

clang-format knows no columns inside a line; so where it changes nothing but
the width of the spaces in one, the line stays as it was, and the columns of
parameters are set here. It also has its own mind about g_autoptr(), _() and
`* const`. Its versions 14 and 19, of Debian 12 and 13, agree on the sources.
"""

import argparse
import difflib
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATTERNS = ('bosh-glib/**/*.c', 'tests/**/*.c', 'docs/examples/*.c')
PROGRAM = 'clang-format'
MAX_WIDTH = 100

# The start of the parameter list of a definition or a forward declaration,
# with the first parameter and a comma at the end.
LIST_START = re.compile(r'^(?P<head>(?:[A-Za-z_][\w *]*?)?\w+ +\()(?P<first>[^()]+),$')
PARAMETER = re.compile(r'^(?P<type>.*?[\w*]) *?(?P<stars>\**)(?P<name>\w+(?:\[\w*\])?)'
                       r'(?P<end>,|\).*)$')


def collapse(line):
    indent = line[:len(line) - len(line.lstrip(' '))]
    return indent + re.sub(r' +', ' ', line.strip())


def keep_columns(original, formatted):
    """Takes lines of the original where only inner spaces differ.

    Also where clang-format has joined lines into one that is too long.
    """
    collapsed = [collapse(line) for line in original]
    other_collapsed = [collapse(line) for line in formatted]
    if collapsed == other_collapsed:
        return original
    matcher = difflib.SequenceMatcher(None, collapsed, other_collapsed, autojunk=False)
    result = []
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        old, new = original[start:end], formatted[other_start:other_end]
        too_long = max(map(len, new), default=0) > max(MAX_WIDTH, max(map(len, old), default=0))
        result += old if tag == 'equal' or too_long else new
    return result


def undo_spaces(lines):
    """What clang-format does to macros that look like something else."""
    result = []
    in_text = False
    for line in lines:
        if in_text and line.lstrip().startswith('"'):
            line = line[1:]
        else:
            in_text = False
        line = re.sub(r'\b(g_auto\w*) \((?=[A-Z]\w*\))', r'\1(', line)
        line, count = re.subn(r'\b(N?_) \(', r'\1(', line)
        in_text = line.endswith('"') and (in_text or count > 0)
        line = re.sub(r'(?<=\w) \*const\b', ' * const', line)
        line = re.sub(r'\bG_GNUC_PRINTF_(\d)_(\d)\b', r'G_GNUC_PRINTF (\1, \2)', line)
        if line.startswith('G_DEFINE_QUARK'):
            line = line.replace(' - ', '-')
        result.append(line)
    return result


def align(lines):
    """Types to the left, names in one column, stars against the names."""
    result = list(lines)
    number = 0
    while number < len(result):
        start = LIST_START.match(result[number])
        end = number
        if start:
            end = align_list(result, number, start)
        number = max(end, number) + 1
    return result


def align_list(lines, first, start):
    """Aligns the list that starts at a line, if it is one; returns its end."""
    parameters = []
    last = first
    text = start['first'] + ','
    while True:
        parameter = PARAMETER.match(text)
        if parameter is None or '(' in parameter['type']:
            return first
        parameters.append(parameter)
        if parameter['end'] != ',':
            break
        last += 1
        if last == len(lines):
            return first
        text = lines[last].strip()
    types = [re.sub(r' +', ' ', parameter['type'].rstrip()) for parameter in parameters]
    width = max(map(len, types))
    stars = max(len(parameter['stars']) for parameter in parameters)
    for offset, parameter in enumerate(parameters):
        head = start['head'] if offset == 0 else ' ' * len(start['head'])
        lines[first + offset] = (head + types[offset].ljust(width) + ' '
                                 + parameter['stars'].rjust(stars)
                                 + parameter['name'] + parameter['end'])
    return last


def prepare(text):
    """Operators go to the ends of lines: clang-format would join the lines."""
    text = re.sub(r'\n( +)(&&|\|\|) ', r' \2\n\1', text)
    return re.sub(r'\bG_GNUC_PRINTF \((\d), (\d)\)', r'G_GNUC_PRINTF_\1_\2', text)


def clang_format(texts, program):
    """Formats the texts in one run: to start it takes longer than to format a file."""
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy(os.path.join(ROOT, '.clang-format'), directory)
        paths = [os.path.join(directory, f'{number}.c') for number in range(len(texts))]
        for path, text in zip(paths, texts):
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text)
        subprocess.run([program, '--style=file', '-i', *paths], check=True)
        return [read(path) for path in paths]


def format_texts(texts, program):
    for text, formatted in zip(texts, clang_format(list(map(prepare, texts)), program)):
        lines = undo_spaces(formatted.split('\n'))
        yield '\n'.join(align(keep_columns(text.split('\n'), lines)))


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--check', action='store_true')
    parser.add_argument('file', nargs='*')
    arguments = parser.parse_args()

    program = shutil.which(PROGRAM)
    if program is None:
        print(f'{PROGRAM} is not installed')
        return 1 if os.environ.get('CI') == 'true' else 77

    status = 0
    paths = arguments.file or sorted(
        path for pattern in PATTERNS for path in glob.glob(os.path.join(ROOT, pattern),
                                                      recursive=True))
    texts = [read(path) for path in paths]
    for path, before, after in zip(paths, texts, format_texts(texts, program)):
        if after == before:
            continue
        name = os.path.relpath(path, ROOT)
        if arguments.check:
            status = 1
            sys.stdout.writelines(difflib.unified_diff(
                before.splitlines(True), after.splitlines(True), name, name + ' formatted'))
        else:
            with open(path, 'w', encoding='utf-8') as file:
                file.write(after)
            print(name)
    return status


if __name__ == '__main__':
    sys.exit(main())
