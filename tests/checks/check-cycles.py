#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The units of the library and of bosh-tool depend on each other in one direction.

Usage: check-cycles.py [--list] ROOT TARGET...

A unit is a source with the headers of its name: bosh-body.c and bosh-body-private.h,
for instance. It depends on the units whose headers it includes, and on those that
define a symbol it uses, as the objects tell that Meson keeps beside each target. A cycle is printed with what ties
it. With --list the units are printed, each behind all that it depends on.
"""

import glob
import os
import re
import subprocess
import sys

# The umbrella includes all headers, and no unit includes the umbrella.
GENERATED = {'bosh-enum-types', 'bosh-version', 'config'}
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
OBJECT = re.compile(r'(bosh-[\w-]+)\.c\.o(?:bj)?$')


def unit_of(path):
    """bosh-body of bosh-body-private.h and the like."""
    return re.sub(r'(-private|-internal)?\.(c|h)$', '', os.path.basename(path))


def read_includes(root):
    """Yields (unit, unit, what ties them) for each include between units."""
    for directory, _, names in os.walk(os.path.join(root, 'bosh-glib')):
        for name in names:
            if not name.endswith(('.c', '.h')):
                continue
            with open(os.path.join(directory, name), encoding='utf-8') as file:
                for included in INCLUDE.findall(file.read()):
                    yield unit_of(name), unit_of(included), f'#include "{included}" in {name}'


def read_objects(targets):
    """Returns the symbols that each unit defines, and those that it uses."""
    defined, used = {}, {}
    paths = [path for target in targets for path in glob.glob(f'{target}.p/*.o')]
    output = subprocess.run(['nm', '--print-file-name', '--extern-only', '--format=posix', *paths],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in output.splitlines():
        name, _, rest = line.rpartition(': ')
        match = OBJECT.search(name.rstrip(']'))
        if match is None:
            continue
        symbol, kind = rest.split()[:2]
        if kind in 'UwWvV':
            used.setdefault(match.group(1), set()).add(symbol)
        else:
            defined[symbol] = match.group(1)
    if not defined:
        sys.exit('no symbol was found: are these targets of the library?')
    return defined, used


def read_uses(targets):
    """Yields (unit, unit, what ties them) for each symbol of another unit."""
    defined, used = read_objects(targets)
    for unit, symbols in used.items():
        for symbol in symbols:
            if symbol in defined:
                yield unit, defined[symbol], f'{symbol} ()'


def read_graph(root, targets):
    """Returns the units, each with those it depends on and what ties them."""
    graph = {}
    for unit, other, tie in [*read_includes(root), *read_uses(targets)]:
        if unit == other or {unit, other} & GENERATED:
            continue
        graph.setdefault(unit, {}).setdefault(other, set()).add(tie)
        graph.setdefault(other, {})
    return graph


def find_cycles(graph):
    """Returns the strongly connected components (Tarjan), dependencies first."""
    order, lowest, stack, components = {}, {}, [], []

    def visit(unit):
        order[unit] = lowest[unit] = len(order)
        stack.append(unit)
        for other in sorted(graph[unit]):
            if other not in order:
                visit(other)
                lowest[unit] = min(lowest[unit], lowest[other])
            elif other in stack:
                lowest[unit] = min(lowest[unit], order[other])
        if lowest[unit] == order[unit]:
            start = stack.index(unit)
            components.append(stack[start:])
            del stack[start:]

    for unit in sorted(graph):
        if unit not in order:
            visit(unit)
    return components


def main():
    arguments = sys.argv[1:]
    show = '--list' in arguments
    root, *targets = [argument for argument in arguments if argument != '--list']
    graph = read_graph(root, targets)
    components = find_cycles(graph)
    if show:
        print('\n'.join(unit for component in components for unit in component))

    cycles = [component for component in components if len(component) > 1]
    for component in cycles:
        print(f'a cycle of {len(component)}: {", ".join(sorted(component))}')
        for unit in sorted(component):
            for other in sorted(set(graph[unit]) & set(component)):
                ties = sorted(graph[unit][other])
                more = f' and {len(ties) - 4} more' if len(ties) > 4 else ''
                print(f'  {unit} -> {other}: {", ".join(ties[:4])}{more}')
    if not cycles:
        print(f'{len(graph)} units, no cycle')
    return 1 if cycles else 0


if __name__ == '__main__':
    sys.exit(main())
