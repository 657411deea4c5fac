#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sums test logs (testlog.json of Meson, one test a line) into one line.

A test that speaks TAP counts each of its cases, any other test counts one.
The exit status is 0 only if something passed and nothing failed.
"""

import collections
import json
import re
import sys

PLAN = re.compile(r'^1\.\.\d+', re.MULTILINE)
CASE = re.compile(r'^(not ok|ok)\b([^\n]*)', re.MULTILINE)
DIRECTIVE = re.compile(r'#\s*(skip|todo)', re.IGNORECASE)
OUTCOMES = {'OK': 'passed', 'EXPECTEDFAIL': 'passed', 'SKIP': 'skipped'}


def count_cases(output):
    counts = collections.Counter()
    for result, rest in CASE.findall(output):
        directive = DIRECTIVE.search(rest)
        if directive is not None:
            counts['skipped'] += 1
        else:
            counts['passed' if result == 'ok' else 'failed'] += 1
    return counts


def count_test(test):
    outcome = OUTCOMES.get(test['result'], 'failed')
    output = test.get('stdout') or ''
    counts = count_cases(output) if PLAN.search(output) else collections.Counter()
    # What ends badly has failed, whatever it said before.
    if not counts or (outcome == 'failed' and not counts['failed']):
        counts[outcome] += 1
    return counts


def main():
    counts = collections.Counter()
    for path in sys.argv[1:]:
        with open(path, encoding='utf-8') as log:
            for line in log:
                counts += count_test(json.loads(line))
    text = f'{counts["passed"]} passed, {counts["failed"]} failed'
    if counts['skipped']:
        text += f', {counts["skipped"]} skipped'
    print(text)
    return 0 if counts['passed'] and not counts['failed'] else 1


if __name__ == '__main__':
    sys.exit(main())
