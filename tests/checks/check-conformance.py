#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares the conformance table with the tests, both ways.

Usage: check-conformance.py [--list] [--update] [--without=DIRECTORY] ROOT BUILD

docs/conformance.md has a row for each rule, R01 to R127, and rows E01 and so on
for what went wrong elsewhere; the last cell of a row names tests. Each named
test must exist, belong to the suite, and mention the rule; each rule that a test
mentions must name that test. Tests mention rules

    in C: in g_test_summary(), or in the `.summary` of a table of tests
    in Python: in a docstring or a comment of the method
    in JavaScript: in a comment of the function

Tests are named by their path in C, where `*` stands for names from a table, and
as file:Class.method or file:function else. With --list all tests are shown with
their rules; with --update the rows of rules get the names of all tests that
mention them. The tests of a DIRECTORY that is not built need not be in the suite.
"""

import ast
import glob
import json
import os
import re
import sys

LAST_RULE = 127
# What the last cell of a row may have instead of a test.
MARKERS = {'application', 'peer'}
PENDING = 'pending'

RULES = re.compile(r'\bR(\d{2,3})(?:\s*-\s*R(\d{2,3}))?\b')
ROW = re.compile(r'^\| (R\d{2,3}|E\d{2}) \|')
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
C_FUNCTION = re.compile(r'^(\w+) \([^)]*\)\n\{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
C_SUMMARY = re.compile(r'g_test_summary \(((?:\s*"(?:[^"\\]|\\.)*")+)\)')
C_TABLE = re.compile(r'\.name = "([^"]+)",\s*\.summary = ((?:\s*"(?:[^"\\]|\\.)*")+)')
C_ADD = re.compile(r'g_test_add(?:_func|_data_func|_data_func_full)? \((.*?)\);', re.DOTALL)
C_SEEDS = re.compile(r'\bseeds_main \(\w+, \w+, "([\w-]+)"')
JS_FUNCTION = re.compile(r'^    (?:async )?(\w+)\(\) \{\n(.*?)^    \}', re.MULTILINE | re.DOTALL)

problems = []


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def rules_of(text):
    """The numbers of the rules that a text mentions."""
    rules = set()
    for first, last in RULES.findall(text):
        rules.update(range(int(first), int(last or first) + 1))
    return rules


def join_strings(text):
    return ''.join(STRING.findall(text))


def c_functions(text):
    """The body of each function."""
    return dict(C_FUNCTION.findall(text))


def summary_of(body):
    match = C_SUMMARY.search(body)
    return join_strings(match.group(1)) if match else ''


def c_path(expression, body):
    """The path of a test, with `*` for what is not written there."""
    literal = STRING.fullmatch(expression)
    if literal is None:
        literal = re.search(rf'\b{re.escape(expression)} = g_str(?:dup_printf|concat) \('
                            r'"((?:[^"\\]|\\.)*)"', body)
    if literal is None:
        return None
    path = re.sub(r'%\w', '*', literal.group(1))
    return path + '*' if path.endswith('/') else path


def c_tests(text):
    functions = c_functions(text)
    for body in functions.values():
        for call in C_ADD.findall(body):
            arguments = [part.strip() for part in call.split(',')]
            path = c_path(arguments[0], body)
            # With a fixture: path, type, data, set up, test, tear down.
            function = arguments[-2] if len(arguments) == 6 else arguments[-1]
            if path is None:
                continue
            tested = functions.get(function, '')
            if '->summary);' in tested:
                for name, strings in C_TABLE.findall(text):
                    yield path[:-1] + name, rules_of(join_strings(strings))
            else:
                yield path, rules_of(summary_of(tested))
    for name in C_SEEDS.findall(text):
        yield f'/bosh/{name}/runs', set()


def python_tests(name, text):
    for node in ast.parse(text).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and method.name.startswith('test'):
                source = ast.get_source_segment(text, method)
                words = [ast.get_docstring(method) or '', *re.findall(r'#[^\n]*', source)]
                yield f'{name}:{node.name}.{method.name}', rules_of('\n'.join(words))


def js_tests(name, text):
    for function, body in JS_FUNCTION.findall(text):
        yield f'{name}:{function}', rules_of('\n'.join(re.findall(r'//[^\n]*', body)))


def find_tests(root):
    """Returns the rules and the file of each test."""
    tests = {}
    for path in sorted(glob.glob(os.path.join(root, 'tests', '**', '*'), recursive=True)):
        name = os.path.basename(path)
        if name.endswith('.c'):
            found = c_tests(read(path))
        elif name.endswith('.py'):
            found = python_tests(name, read(path))
        elif name.startswith('test-') and name.endswith('.js'):
            found = js_tests(name, read(path))
        else:
            continue
        for test, rules in found:
            tests.setdefault(test, (set(), path))[0].update(rules)
    return tests


def programs_of_suite(build):
    """The names of all files that the tests run."""
    suite = json.loads(read(os.path.join(build, 'meson-info', 'intro-tests.json')))
    return {os.path.basename(word) for test in suite for word in test['cmd']}


def find_rows(path):
    """Returns what the table has: the last two cells of each row."""
    rows = {}
    for number, line in enumerate(read(path).split('\n'), 1):
        match = ROW.match(line)
        if match is None:
            continue
        cells = [cell.strip() for cell in line.strip().strip('|').split(' | ')]
        if len(cells) != 5:
            problems.append(f'{path}:{number}: {len(cells)} cells, not 5')
        if match.group(1) in rows:
            problems.append(f'{path}:{number}: {match.group(1)} again')
        rows[match.group(1)] = cells[-2:]
    return rows


def check_row(key, deed, cell, tests, suite, absent):
    named = re.findall(r'`([^`]+)`', cell)
    markers = set(re.findall(r'\*(\w+)\*', re.sub(r'`[^`]*`', '', cell)))
    if PENDING in markers:
        problems.append(f'{key}: still pending')
    elif markers - MARKERS:
        problems.append(f'{key}: unknown marker {", ".join(sorted(markers - MARKERS))}')
    elif not named and not markers:
        problems.append(f'{key}: no test')
    if deed == '':
        problems.append(f'{key}: nothing is said about what the library does')

    for test in named:
        if test not in tests:
            problems.append(f'{key}: there is no test {test}')
            continue
        rules, path = tests[test]
        name = os.path.basename(path)
        program = name[:-2] if name.endswith('.c') else name
        if program not in suite and os.path.dirname(path) not in absent:
            problems.append(f'{key}: {test} is of {name}, which is not in the suite')
        if key.startswith('R') and int(key[1:]) not in rules:
            problems.append(f'{key}: {test} does not mention it')
    return named


def update(path, tests):
    lines = read(path).split('\n')
    for i, line in enumerate(lines):
        match = ROW.match(line)
        if match is None or not match.group(1).startswith('R'):
            continue
        head, _, cell = line.strip().strip('|').rstrip().rpartition(' | ')
        names = sorted(f'`{test}`' for test, (rules, _) in tests.items()
                       if int(match.group(1)[1:]) in rules)
        markers = re.findall(r'\*\w+\*', re.sub(r'`[^`]*`', '', cell))
        lines[i] = f'|{head} | {", ".join(markers + names)} |'
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines))


def main():
    root, build = sys.argv[-2:]
    options = sys.argv[1:-2]
    absent = {os.path.join(root, option.split('=')[1])
              for option in options if option.startswith('--without=')}
    tests = find_tests(root)
    if '--list' in options:
        for test, (rules, path) in tests.items():
            print(os.path.basename(path), test, ' '.join(f'R{rule:02}' for rule in sorted(rules)))
        return 0

    page = os.path.join(root, 'docs', 'conformance.md')
    if '--update' in options:
        update(page, tests)

    rows = find_rows(page)
    suite = programs_of_suite(build)
    for rule in range(1, LAST_RULE + 1):
        if f'R{rule:02}' not in rows:
            problems.append(f'R{rule:02}: no row')
    named = {key: check_row(key, *cells, tests, suite, absent) for key, cells in rows.items()}
    for test, (rules, _) in tests.items():
        for rule in sorted(rules):
            key = f'R{rule:02}'
            if key not in rows:
                problems.append(f'{test}: there is no rule {key}')
            elif test not in named[key]:
                problems.append(f'{key}: the row does not name {test}, which mentions it')

    print('\n'.join(problems) or f'{len(rows)} rows, {len(set().union(*named.values()))} tests')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
