#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Looks into programs and libraries for what the linker and the compiler do against
attacks: a stack that is not executable and is guarded, functions of the C library that
check the size of a buffer, and tables that can't be written once the program runs.

Usage: check-hardening.py FILE...
"""

import re
import subprocess
import sys

# Those of the C library that have a checking twin, as far as this project calls them with
# buffers of which the compiler knows the size.
FORTIFIED = ('memcpy', 'memmove', 'memset', 'read', 'recv', 'strcpy', 'strncpy', 'sprintf',
             'snprintf', 'explicit_bzero', 'vsnprintf')


def readelf(option, path):
    return subprocess.run(['readelf', '-W', option, path], check=True,
                          capture_output=True, text=True).stdout


def find_faults(path):
    segments = readelf('-l', path)
    dynamic = readelf('-d', path)
    symbols = set(re.findall(r' UND (\w+)', readelf('--dyn-syms', path)))
    header = readelf('-h', path)

    if 'GNU_RELRO' not in segments:
        yield 'its tables stay writable (no RELRO)'
    if not re.search(r'\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*NOW', dynamic):
        yield 'functions are bound late, so their table stays writable (no BIND_NOW)'
    if not re.search(r'GNU_STACK.* RW ', segments):
        yield 'its stack is executable'
    if '__stack_chk_fail' not in symbols:
        yield 'its stack is not guarded (no stack protector)'
    if not re.search(r'Type: +DYN', header):
        yield 'it is always at the same address (no PIE)'
    if not any(f'__{name}_chk' in symbols for name in FORTIFIED):
        yield 'no function checks the size of its buffer (no _FORTIFY_SOURCE)'


def main():
    n_faults = 0
    for path in sys.argv[1:]:
        for fault in find_faults(path):
            print(f'{path}: {fault}')
            n_faults += 1
    print(f'{n_faults} problems' if n_faults else 'no problem')
    return 1 if n_faults else 0


sys.exit(main())
