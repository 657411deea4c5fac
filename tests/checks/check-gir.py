#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything public is in the GIR, and everything in it is documented.

Usage: check-gir.py GIR
The exported symbols are those of symbols.txt.
"""

import os
import sys
from xml.etree import ElementTree

CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
GLIB = '{http://www.gtk.org/introspection/glib/1.0}'

DOCUMENTED = {CORE + name for name in (
    'class', 'interface', 'record', 'union', 'enumeration', 'bitfield', 'member', 'callback',
    'constant', 'constructor', 'method', 'function', 'function-macro', 'property')}
DOCUMENTED.add(GLIB + 'signal')


def describe(element):
    return (element.get(C + 'identifier') or element.get(C + 'type')
            or element.get('name')) + ' (' + element.tag.rpartition('}')[2] + ')'


# What the macros of the versions are made of.
INTERNAL = {'BOSH_UNAVAILABLE'}


def is_public(element):
    return (element.get(GLIB + 'is-gtype-struct-for') is None
            and element.get(C + 'identifier') not in INTERNAL)


def undocumented(parent, owner):
    for element in parent:
        if element.tag in DOCUMENTED and is_public(element):
            if element.find(CORE + 'doc') is None:
                yield f'{owner}{describe(element)}'
        if element.tag in DOCUMENTED or element.tag == CORE + 'namespace':
            yield from undocumented(element, describe(element) + ': '
                                    if element.get(C + 'type') else owner)


def main():
    root = ElementTree.parse(sys.argv[1]).getroot()
    problems = [f'not documented: {name}'
                for name in undocumented(root.find(CORE + 'namespace'), '')]

    known = {element.get(attribute) for element in root.iter()
             for attribute in (C + 'identifier', GLIB + 'get-type')}
    symbols = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'symbols.txt')
    with open(symbols, encoding='ascii') as file:
        problems += [f'exported, but not in the GIR: {name}'
                     for name in file.read().split() if name not in known]

    print('\n'.join(problems) or 'no problem')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
