#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The interface that the GIR describes, as other languages see it.

Usage: check-gir.py GIR

Everything public is in it (the exported symbols are those of symbols.txt) and documented.
No name is a keyword of Python, JavaScript or Vala, or ends in _ not to be one. What
get_ returns belongs to the object, what dup_ returns to the caller. A getter has its
property. An asynchronous method takes one cancellable and one callback, and has its
finish function in the same class.
"""

import keyword
import os
import sys
from xml.etree import ElementTree

CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
GLIB = '{http://www.gtk.org/introspection/glib/1.0}'

# ECMAScript 2023 §12.7.2, with what strict code reserves; the scanner of valac 0.56.
JAVASCRIPT = set('''
    await break case catch class const continue debugger default delete do else enum export
    extends false finally for function if implements import in instanceof interface let new
    null package private protected public return static super switch this throw true try
    typeof var void while with yield'''.split())
VALA = set('''
    abstract as async base break case catch class const construct continue default delegate
    delete do dynamic else ensures enum errordomain extern false finally for foreach get global
    if in inline interface internal is lock namespace new null out override owned params
    partial private protected public ref requires return sealed set signal sizeof static
    struct switch this throw throws true try typeof unlock unowned using var virtual void
    volatile weak while with yield'''.split())
KEYWORDS = {**dict.fromkeys(VALA, 'Vala'), **dict.fromkeys(JAVASCRIPT, 'JavaScript'),
            **dict.fromkeys(keyword.kwlist, 'Python')}
# What becomes a name of its own in other languages. Constructors do not in JavaScript and
# Python, where bosh_element_new() is Bosh.Element.new(), and valac takes new away.
NAMED = {CORE + name for name in ('method', 'function', 'property', 'parameter', 'member')}
NAMED.add(GLIB + 'signal')

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


def bad_names(parent, owner):
    for element in parent:
        here = owner
        if element.tag in NAMED:
            here = f'{owner}.{element.get("name")}'
            name = element.get('name').replace('-', '_')
            # Values of enumerations are in capitals everywhere; ref is called by Vala alone.
            if element.tag == CORE + 'member':
                name = name.upper()
            if name in KEYWORDS and name != 'ref':
                yield f'{here} is a keyword of {KEYWORDS[name]}'
            elif name.endswith('_'):
                yield f'{here} ends in _'
        elif element.get('name') is not None and element.tag != CORE + 'type':
            here = element.get('name')
        yield from bad_names(element, here)


def bad_transfers(name, method):
    transfer = method.find(CORE + 'return-value').get('transfer-ownership')
    if method.get('name').startswith('get_') and transfer != 'none':
        yield f'{name}: what it returns belongs to the caller: call it dup_'
    if method.get('name').startswith('dup_') and transfer == 'none':
        yield f'{name}: what it returns does not belong to the caller: call it get_'


def bad_getters(name, class_, method):
    what = method.get('name').removeprefix('get_').replace('_', '-')
    properties = {child.get('name') for child in class_.findall(CORE + 'property')}
    if (method.get('name').startswith('get_') and method.find(f'{CORE}parameters/{CORE}parameter')
            is None and what not in properties and class_.tag == CORE + 'class'):
        yield f'{name}: there is no property {what}'


def bad_pairs(name, class_, method):
    if not method.get('name').endswith('_async'):
        return
    finish = method.get('name').removesuffix('_async') + '_finish'
    if finish not in {child.get('name') for child in class_.findall(method.tag)}:
        yield f'{name}: there is no {finish}'
    types = [child.get('name') for child in
             method.findall(f'{CORE}parameters/{CORE}parameter/{CORE}type')]
    for wanted in ('Gio.Cancellable', 'Gio.AsyncReadyCallback'):
        if types.count(wanted) != 1:
            yield f'{name}: {types.count(wanted)} times {wanted}'


def bad_methods(namespace):
    for class_ in namespace:
        for method in class_.findall(CORE + 'method') + class_.findall(CORE + 'function'):
            name = method.get(C + 'identifier')
            yield from bad_transfers(name, method)
            yield from bad_getters(name, class_, method)
            yield from bad_pairs(name, class_, method)


def main():
    root = ElementTree.parse(sys.argv[1]).getroot()
    namespace = root.find(CORE + 'namespace')
    problems = [f'not documented: {name}' for name in undocumented(namespace, '')]
    problems += bad_names(namespace, '')
    problems += bad_methods(namespace)

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
