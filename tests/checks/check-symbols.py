#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library exports what symbols.txt lists, no more and no less.

Usage: check-symbols.py [--update] LIBRARY
With --update the list is written anew: look at the difference.
"""

import argparse
import os
import subprocess
import sys

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'symbols.txt')


def exported(library):
    output = subprocess.run(['nm', '--dynamic', '--defined-only', '--format=posix', library],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    return sorted({line.split()[0] for line in output.splitlines()})


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--update', action='store_true')
    parser.add_argument('library')
    arguments = parser.parse_args()

    found = exported(arguments.library)
    if arguments.update:
        with open(LIST, 'w', encoding='ascii') as file:
            file.write('\n'.join(found) + '\n')
        return 0

    with open(LIST, encoding='ascii') as file:
        listed = file.read().split()
    for name in sorted(set(found) - set(listed)):
        print(f'exported, but not in symbols.txt: {name}')
    for name in sorted(set(listed) - set(found)):
        print(f'in symbols.txt, but not exported: {name}')
    return 0 if found == listed else 1


if __name__ == '__main__':
    sys.exit(main())
