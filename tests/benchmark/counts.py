#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the instructions of the core, and compares them with the record.

Usage: counts.py [--update] --build DESCRIPTION PROGRAM
Speaks TAP. A count that is more than 5 % over the one in counts.json fails;
--update writes the record of this environment anew. How cost grows with the
age of a session, with its queue and with the number of sessions is compared
within the run, so that needs no record.

What a compiler and the libraries below make of the same source differs by more
than that, so there is one record for each environment, by their versions; in
one without a record the comparison is skipped, and says so.
"""

import argparse
import glob
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'counts.json')
TOLERANCE = 1.05

# What may not grow: a count per unit, another per unit, what it shows.
GROWTH = (
    ('step-old', 64, 'step-young', 64, 'age: after 1 000 000 messages'),
    ('step-1000-sessions', 1000, 'step-young', 64, '1000 sessions side by side'),
    ('send-500', 500, 'send-1', 1, 'queue: 500 stanzas after 1'),
    ('send-5000', 5000, 'send-1500', 1500, 'queue: 5000 stanzas after 1500'),
    ('receive-500', 500, 'receive-1', 1, 'response: 500 stanzas after 1'),
    ('receive-5000', 5000, 'receive-500', 500, 'response: 5000 stanzas after 500'),
    ('parse-200k', 200000, 'parse-100k', 100000, 'bytes: 200 kB of text after 100 kB'),
)


def skip_all(reason):
    print(f'1..0 # SKIP {reason}')
    return 0


def describe_environment(build):
    libc = '-'.join(platform.libc_ver())
    return f'{platform.machine()}, {build}, {libc}'


def count(program):
    """Returns name → instructions."""
    counts = {}
    with tempfile.TemporaryDirectory() as directory:
        # Nothing of ours: Meson sets MALLOC_PERTURB_, for one.
        environment = {
            'PATH': os.environ['PATH'],
            # The dynamic linker shall do its work before, and glibc use the
            # same functions for text on every processor.
            'LD_BIND_NOW': '1',
            'GLIBC_TUNABLES': 'glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL',
            'G_SLICE': 'always-malloc',
        }
        subprocess.run(['valgrind', '-q', '--tool=callgrind', '--instr-atstart=no',
                        f'--callgrind-out-file={directory}/out', program],
                       env=environment, check=True)
        for path in glob.glob(f'{directory}/out.*'):
            with open(path, encoding='utf-8') as file:
                text = file.read()
            name = re.search(r'^desc: Trigger: Client Request: (.+)$', text, re.MULTILINE)
            if name is not None:
                total = re.search(r'^summary: (\d+)$', text, re.MULTILINE)
                counts[name.group(1)] = int(total.group(1))
    return counts


class Tap:
    def __init__(self, total):
        self.number = 0
        self.failed = False
        print(f'1..{total}')

    def result(self, passed, text):
        self.number += 1
        self.failed = self.failed or not passed
        print(f'{"ok" if passed else "not ok"} {self.number} {text}')


def check_growth(tap, counts):
    for name, units, base, base_units, text in GROWTH:
        ratio = (counts[name] / units) / (counts[base] / base_units)
        tap.result(ratio <= TOLERANCE, f'{text}: {ratio:.3f} times the cost each')


def check_record(tap, counts, record):
    for name, value in sorted(counts.items()):
        if name not in record:
            tap.result(False, f'{name}: {value}, not in the record')
            continue
        ratio = value / record[name]
        tap.result(ratio <= TOLERANCE, f'{name}: {value}, {100 * (ratio - 1):+.1f} %')
        if ratio < 1 / TOLERANCE:
            print(f'# {name} costs less than the record says: update it')


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--update', action='store_true')
    parser.add_argument('--build', required=True, help='compiler, its options, and libraries')
    parser.add_argument('program')
    arguments = parser.parse_args()

    if shutil.which('valgrind') is None:
        return skip_all('valgrind is not installed')
    environment = describe_environment(arguments.build)
    with open(RECORD, encoding='utf-8') as file:
        records = json.load(file)
    counts = count(arguments.program)

    if arguments.update:
        records[environment] = dict(sorted(counts.items()))
        with open(RECORD, 'w', encoding='utf-8') as file:
            json.dump(dict(sorted(records.items())), file, indent=2)
            file.write('\n')

    record = records.get(environment)
    tap = Tap(len(GROWTH) + (1 if record is None else len(counts)))
    check_growth(tap, counts)
    if record is None:
        tap.result(True, f'counts # SKIP no record of {environment}')
        for name, value in sorted(counts.items()):
            print(f'# {name}: {value}')
    else:
        check_record(tap, counts, record)

    return 1 if tap.failed else 0


if __name__ == '__main__':
    sys.exit(main())
