# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws CPU for each work and client, in units of the floor of libsoup, as SVG."""

import math
import statistics
from xml.sax.saxutils import escape

NAMES = {
    'bosh': 'bosh-glib', 'soup': 'floor of libsoup', 'soup-read': 'the same, read in pieces',
    'socket': 'raw sockets', 'gloox': 'gloox', 'purple': 'libpurple',
}
COLOURS = {
    'bosh': '#3584e4', 'soup': '#77767b', 'soup-read': '#9a9996', 'socket': '#c0bfbc',
    'gloox': '#e5a50a', 'purple': '#813d9c',
}
WORKS = {
    'login': 'Login', 'ping-pong': 'Ping-pong', 'in-flight': '50 in flight', 'flood': 'Flood of 1 KB',
}
WIDTH = 720
LEFT = 190
RIGHT = 70
BAR = 14
GAP = 22
# The scale is logarithmic, from here to there.
LOWEST = 1 / 32
HIGHEST = 32


def get_x(ratio):
    ratio = min(max(ratio, LOWEST), HIGHEST)
    share = (math.log(ratio) - math.log(LOWEST)) / (math.log(HIGHEST) - math.log(LOWEST))
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def get_ratio(results, work, client):
    def cpu(report):
        return report['cpu'] / max(report['messages'], 1)

    values = results.get('prosody', work, client, cpu)
    floors = results.get('prosody', work, 'soup', cpu)
    return statistics.median(a / b for a, b in zip(values, floors)) if values else None


def text(x, y, content, anchor='start', weight='normal'):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">'
            f'{escape(content)}</text>')


def draw_grid(height):
    ratio = LOWEST
    while ratio <= HIGHEST:
        x = get_x(ratio)
        label = f'{ratio:g}' if ratio >= 1 else f'1/{1 / ratio:g}'
        yield (f'<line x1="{x:.1f}" y1="24" x2="{x:.1f}" y2="{height - 8}" '
               f'stroke="#888" stroke-opacity="{0.9 if ratio == 1 else 0.3}"/>')
        yield text(x, 18, label, 'middle')
        ratio *= 2


def draw(results, clients):
    parts = []
    y = 40
    for work, title in WORKS.items():
        parts.append(text(8, y + 2, title, weight='bold'))
        y += 8
        for client in clients:
            ratio = get_ratio(results, work, client)
            if ratio is None:
                continue
            start, end = sorted((get_x(1), get_x(ratio)))
            parts.append(text(LEFT - 8, y + BAR - 3, NAMES[client], 'end'))
            parts.append(f'<rect x="{start:.1f}" y="{y}" width="{max(end - start, 1.5):.1f}" '
                         f'height="{BAR - 3}" fill="{COLOURS[client]}"/>')
            parts.append(text(end + 4, y + BAR - 3, f'{ratio:.2f}'))
            y += BAR
        y += GAP
    height = y
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="11">\n'
            '<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->\n'
            '<title>CPU time of the client, in units of the floor of libsoup</title>\n'
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n'
            + '\n'.join([*draw_grid(height), *parts]) + '\n</svg>\n')
