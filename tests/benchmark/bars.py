# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the library has to be, as ratios within one run."""

import math
import statistics

SERVERS = ('prosody', 'prosody-nagle')
# Behind the name of a work that two do in turns.
IN_TURNS = ', in turns'
# The same of what two do one after the other, several times in a round.
IN_PAIRS = ', in pairs'
FLOOR = 'soup'


def cpu(report):
    return report['cpu'] / max(report['messages'], 1)


def requests(report):
    return report['requests'] / max(report['messages'], 1)


# Work, what of it, of whom, at most so many times, and in words.
RATIOS = (
    ('login' + IN_TURNS, cpu, FLOOR, 1.3, 'CPU'),
    ('login', requests, FLOOR, 1.0, 'requests'),
    ('ping-pong' + IN_TURNS, cpu, FLOOR, 1.0, 'CPU'),
    ('ping-pong' + IN_TURNS, lambda r: r['p50'], FLOOR, 1.1, 'median'),
    ('ping-pong' + IN_TURNS, lambda r: r['p99'], FLOOR, 1.1, 'p99'),
    ('ping-pong', requests, FLOOR, 1.0, 'requests'),
    ('in-flight' + IN_TURNS, cpu, FLOOR, 2.0, 'CPU'),
    ('in-flight', cpu, 'gloox', 0.5, 'CPU'),
    ('in-flight', cpu, 'purple', 0.5, 'CPU'),
    ('in-flight', requests, FLOOR, 1.0, 'requests'),
    ('flood' + IN_PAIRS, cpu, FLOOR, 1.3, 'CPU'),
    ('flood', cpu, 'gloox', 1.0, 'CPU'),
    ('flood' + IN_PAIRS, requests, FLOOR, 1.0, 'requests'),
)

# KB that a session may take more than one of the floor.
MEMORY = 32
# What the main loop may wake up for while nothing happens: the benchmark's own
# timer, and something of the system.
WAKE_UPS = 3
GROWTH = 1.05

# The same in instructions, which do not depend on what else the machine does.
INSTRUCTIONS = (
    ('login: instructions / soup', ('login', 'bosh'), ('login', FLOOR), 1.3),
    ('ping-pong: instructions / soup', ('ping-pong', 'bosh'), ('ping-pong', FLOOR), 1.0),
    ('growth: instructions of a message with 200 sessions / 1',
     ('crowd-200', 'bosh'), ('crowd-1', 'bosh'), GROWTH),
)


def get_interval(values):
    """Where the median truly is, in 19 of 20 cases; all of them if they are few."""
    values = sorted(values)
    outside = 0
    below = 0
    for number in range(len(values)):
        below += math.comb(len(values), number) / 2 ** len(values)
        if below > 0.025:
            break
        outside = number
    return values[outside], values[-1 - outside]


def make_bar(text, values, bar, value=None):
    low, high = get_interval(values)
    if value is None:
        value = statistics.median(values)
    return {
        'text': text, 'value': value, 'low': low, 'high': high, 'bar': bar,
        # As it is printed.
        'passed': round(value, 2) <= bar,
    }


def check_ratios(results):
    for work, value, other, bar, what in RATIOS:
        for server in SERVERS:
            ours = results.get(server, work, 'bosh', value)
            theirs = results.get(server, work, other, value)
            if not ours or not theirs:
                continue
            # What disturbed one in a round disturbed the other. But how many requests
            # a flood takes is chance in each.
            ratios = [a / b for a, b in zip(ours, theirs)]
            yield make_bar(f'{work} ({server}): {what} / {other}', ratios, bar,
                           statistics.median(ours) / statistics.median(theirs)
                           if value is requests else None)


def get_memory(results, server, client, count):
    """KB for each session but the first."""
    one = results.get(server, 'idle-1', client, lambda r: r['rss'])
    many = results.get(server, f'idle-{count}', client, lambda r: r['rss'])
    return (many[0] - one[0]) / (count - 1) if one and many else None


def check_idle(results):
    for server, count in (('prosody', 1000), ('manager', 10000)):
        ours = get_memory(results, server, 'bosh', count)
        floor = get_memory(results, 'prosody', FLOOR, 1000)
        if ours is None or floor is None:
            continue
        yield make_bar(f'idle session of {count} ({server}): KB above {FLOOR}',
                       [ours - floor], MEMORY)
        yield make_bar(f'idle session of {count} ({server}): wake-ups',
                       results.get(server, f'idle-{count}', 'bosh', lambda r: r['switches']),
                       WAKE_UPS)


def check_growth(results):
    alone = results.get('manager', 'crowd-1' + IN_TURNS, 'bosh', cpu)
    crowd = results.get('manager', 'crowd-1000' + IN_TURNS, 'bosh', cpu)
    if alone:
        yield make_bar('growth: CPU of a message with 1000 sessions / 1',
                       [b / a for a, b in zip(alone, crowd)], GROWTH)


def check_counts(results):
    for text, ours, theirs, bar in INSTRUCTIONS:
        if ours in results.counts and theirs in results.counts:
            yield make_bar(text, [results.counts[ours] / results.counts[theirs]], bar)


def check_bars(results):
    return [*check_ratios(results), *check_idle(results), *check_growth(results),
            *check_counts(results)]
