#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures the library against floors and other clients, side by side.

Usage: run.py [--rounds N] [--quick] [--json FILE] [--plot FILE] DIRECTORY
DIRECTORY has the built clients. All do the same work against throwaway servers
on this machine, one after the other in each round, so that what disturbs one
disturbs the others. Prints the table, and for each bar whether the library passes
it, and in brackets where the median truly is; the status is 1 if it fails one.
"""

import argparse
import json
import shutil
import statistics
import sys

sys.dont_write_bytecode = True
from bars import IN_PAIRS, IN_TURNS, check_bars
from measure import (DOMAIN, USERS, BenchmarkError, Manager, Programs, Prosody,
                     count_instructions, describe_machine, run_flood)
from plot import draw

# Work → its arguments. libpurple polls once a second, so it gets less to do, and
# not in every round.
WORKS = {
    'login': ('login', 21, 0),
    'ping-pong': ('echo', 500, 1),
    'in-flight': ('echo', 2000, 50),
}
PURPLE_WORKS = {
    'login': ('login', 2, 0),
    'ping-pong': ('echo', 5, 1),
    'in-flight': ('echo', 250, 50),
}
PURPLE_ROUNDS = 3
# What is compared with the floor, in turns.
TURNS = {
    'login': ('login', 81, 0),
    'ping-pong': ('echo', 4000, 1),
    'in-flight': ('echo', 4000, 50),
}
FLOOD = 5000
FLOOD_PAIRS = 3
IDLE_SECONDS = 3
# Sessions in one process → who can have so many.
IDLE = {
    1: ('bosh', 'soup', 'socket', 'gloox', 'purple'),
    100: ('bosh', 'soup', 'socket', 'gloox', 'purple'),
    1000: ('bosh', 'soup', 'socket'),
}
IDLE_MANY = 10000
# Client → sessions in the process → messages. In a crowd the floor is slow.
CROWD = {
    'bosh': {1: 8000, 1000: 8000},
    'soup': {1: 1000, 1000: 100},
}
CROWD_ROUNDS = 3
# For counting instructions: who does which work, with few and with many messages, and
# the last argument. The difference has no start of the program in it.
COUNTS = {
    'login': (('bosh', 'soup', 'soup-read'), 'login', 6, 26, 0),
    'ping-pong': (('bosh', 'soup', 'soup-read'), 'echo', 50, 250, 1),
    'crowd-1': (('bosh',), 'crowd', 50, 250, 1),
    'crowd-200': (('bosh',), 'crowd', 50, 250, 200),
}


class Results:
    """(server, work, client) → the reports of all rounds."""

    def __init__(self):
        self.reports = {}
        self.counts = {}

    def add(self, server, work, client, report):
        self.reports.setdefault((server, work, client), []).append(report)
        print(f'# {server} {work} {client}: {report["cpu"] * 1000:.1f} ms CPU, '
              f'{report["wall"]:.2f} s', file=sys.stderr, flush=True)

    def get(self, server, work, client, value):
        """The values of all rounds."""
        return [value(report) for report in self.reports.get((server, work, client), [])]

    def add_count(self, work, client, count):
        self.counts[work, client] = count
        print(f'# {work} {client}: {count:.0f} instructions', file=sys.stderr, flush=True)


def measure_exchange(programs, server_name, server, clients, results):
    for work in WORKS:
        for client in clients:
            arguments = (PURPLE_WORKS if client == 'purple' else WORKS)[work]
            results.add(server_name, work, client,
                        programs.run(client, server.uri, DOMAIN, USERS[client], *arguments))
    for client in clients:
        results.add(server_name, 'flood', client, run_flood(programs, client, server, FLOOD))


def run_in_turns(programs, server_name, jobs, results):
    for (work, client), report in programs.run_in_turns(jobs).items():
        results.add(server_name, work + IN_TURNS, client, report)


def measure_turns(programs, server_name, server, clients, results):
    for work, arguments in TURNS.items():
        run_in_turns(programs, server_name, {
            (work, client): (client, server.uri, DOMAIN, USERS[client], *arguments)
            for client in clients}, results)


def measure_pairs(programs, server_name, server, clients, results):
    for number in range(FLOOD_PAIRS):
        for client in clients[::-1 if number % 2 else 1]:
            results.add(server_name, 'flood' + IN_PAIRS, client,
                        run_flood(programs, client, server, FLOOD))


def measure_idle(programs, server_name, server, count, clients, results):
    for client in clients:
        if client in programs.clients:
            results.add(server_name, f'idle-{count}', client,
                        programs.run(client, server.uri, DOMAIN, 'user%', 'idle', count,
                                     IDLE_SECONDS))


def measure_crowd(programs, server, with_floor, results):
    for client, counts in CROWD.items():
        if client != 'bosh' and not with_floor:
            continue
        run_in_turns(programs, 'manager', {
            (f'crowd-{count}', client): (client, server.uri, DOMAIN, 'user%', 'crowd', messages, count)
            for count, messages in counts.items()}, results)


def measure_counts(programs, manager, results):
    if shutil.which('valgrind') is None:
        return
    for work, (clients, *arguments) in COUNTS.items():
        for client in clients:
            results.add_count(work, client,
                              count_instructions(programs, client, manager, *arguments))


def measure(programs, rounds, quick):
    results = Results()
    with Prosody(nagle=False) as plain, Prosody(nagle=True) as delayed, \
            Manager(programs) as manager:
        measure_counts(programs, manager, results)
        for number in range(rounds):
            # Who goes first changes, for what comes later finds other caches.
            clients = [client for client in programs.clients[::-1 if number % 2 else 1]
                       if client != 'purple' or number < PURPLE_ROUNDS]
            pair = ('bosh', 'soup')[::-1 if number % 2 else 1]
            for name, server in (('prosody', plain), ('prosody-nagle', delayed)):
                measure_exchange(programs, name, server, clients, results)
                measure_turns(programs, name, server, pair, results)
                measure_pairs(programs, name, server, pair, results)
            measure_crowd(programs, manager, number < CROWD_ROUNDS, results)
            # Memory does not differ from round to round, and takes long.
            if number == 0:
                for count, clients in IDLE.items():
                    measure_idle(programs, 'prosody', plain, count, clients, results)
                if not quick:
                    # Not the floor of libsoup: one SoupSession with so many
                    # connections takes minutes for the logins.
                    for count in (1, IDLE_MANY):
                        measure_idle(programs, 'manager', manager, count, ('bosh', 'socket'),
                                     results)
    return results


COLUMNS = (
    ('CPU us', lambda r: r['cpu'] / max(r['messages'], 1) * 1e6),
    ('wall us', lambda r: r['wall'] / max(r['messages'], 1) * 1e6),
    ('p50 us', lambda r: r['p50']),
    ('p99 us', lambda r: r['p99']),
    ('requests', lambda r: r['requests'] / max(r['messages'], 1)),
    ('sent B', lambda r: r['sent'] / max(r['messages'], 1)),
    ('recv B', lambda r: r['received'] / max(r['messages'], 1)),
    ('conns', lambda r: r['connections']),
    ('peak KB', lambda r: r['peak']),
)


def print_work(results, server, work, clients):
    print(f'\n{work}, {server}, for each {"login" if work == "login" else "message"}: '
          'median (and spread of CPU)')
    print(f'{"":10}' + ''.join(f'{name:>10}' for name, _ in COLUMNS) + '   spread')
    for client in clients:
        cells = [results.get(server, work, client, value) for _, value in COLUMNS]
        if not cells[0]:
            continue
        row = ''.join(f'{statistics.median(cell):10.2f}' if statistics.median(cell) < 100
                      else f'{statistics.median(cell):10.0f}' for cell in cells)
        print(f'{client:10}{row}   {min(cells[0]):.0f}-{max(cells[0]):.0f}')


def print_idle(results, server, counts, clients):
    print(f'\nidle sessions in one process, {server}: resident KB (above one session, for each '
          f'further one); wake-ups and CPU ms in {IDLE_SECONDS} s')
    for client in clients:
        base = results.get(server, f'idle-{counts[0]}', client, lambda r: r['rss'])
        cells = []
        for count in counts:
            reports = results.reports.get((server, f'idle-{count}', client))
            if not reports:
                continue
            report = reports[0]
            each = (report['rss'] - base[0]) / (count - 1) if count > 1 else 0
            cells.append(f'{count}: {report["rss"]} ({each:.1f}; {report["switches"]}, '
                         f'{report["cpu"] * 1000:.1f})')
        if cells:
            print(f'{client:10}' + '   '.join(cells))


def print_comparisons(results):
    print('\nCPU us for each login or message: median (and spread)')
    for (server, work, client) in results.reports:
        if work.endswith((IN_TURNS, IN_PAIRS)):
            cells = results.get(server, work, client, COLUMNS[0][1])
            print(f'{work:22}{server:15}{client:10}'
                  f'{statistics.median(cells):10.2f}   {min(cells):.0f}-{max(cells):.0f}')


def print_counts(results):
    print('\ninstructions of the client, manager, for each login or message')
    for work, (clients, *_) in COUNTS.items():
        cells = [f'{client} {results.counts[work, client] / 1000:.1f} k' for client in clients
                 if (work, client) in results.counts]
        print(f'{work:10}' + '   '.join(cells))


def print_table(results, programs):
    for work in (*WORKS, 'flood'):
        for server in ('prosody', 'prosody-nagle'):
            print_work(results, server, work, programs.clients)
    print_idle(results, 'prosody', tuple(IDLE), programs.clients)
    print_idle(results, 'manager', (1, IDLE_MANY), programs.clients)
    print_comparisons(results)
    print_counts(results)


def print_bars(bars):
    print('\nbars')
    for bar in bars:
        verdict = 'pass' if bar['passed'] else 'FAIL'
        print(f'{verdict}  {bar["text"]:58} {bar["value"]:8.2f}  (bar {bar["bar"]:.2f}; '
              f'{bar["low"]:.2f}-{bar["high"]:.2f})')


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--quick', action='store_true', help='without 10 000 idle sessions')
    parser.add_argument('--json', help='write all reports there')
    parser.add_argument('--plot', help='write an SVG there')
    parser.add_argument('directory')
    arguments = parser.parse_args()

    if shutil.which('prosody') is None:
        print('Prosody is not installed')
        return 77
    programs = Programs(arguments.directory)
    try:
        results = measure(programs, arguments.rounds, arguments.quick)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1

    print_table(results, programs)
    bars = check_bars(results)
    print_bars(bars)
    if arguments.json is not None:
        with open(arguments.json, 'w', encoding='utf-8') as file:
            json.dump({
                'machine': describe_machine(),
                'rounds': arguments.rounds,
                'bars': bars,
                'instructions': {'/'.join(key): count for key, count in results.counts.items()},
                'reports': {'/'.join(key): reports for key, reports in results.reports.items()},
            }, file, indent=1)
            file.write('\n')
    if arguments.plot is not None:
        with open(arguments.plot, 'w', encoding='utf-8') as file:
            file.write(draw(results, programs.clients))

    return 0 if all(bar['passed'] for bar in bars) else 1


if __name__ == '__main__':
    sys.exit(main())
