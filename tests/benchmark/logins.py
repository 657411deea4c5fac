#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures how many requests and how much time a login takes.

Usage: logins.py [--delay MILLISECONDS] DIRECTORY
DIRECTORY has the built clients. Prosody and ejabberd are behind a proxy that
adds the delay to each round trip, a connection's first included. Prints
requests, connections and milliseconds for PLAIN and SCRAM: for the library, also
with BoshClient:pipeline-login, and with XEP-0388 and XEP-0386 where the server has
them; and, for PLAIN, for the floor, which has no SCRAM.
"""

import argparse
import asyncio
import sys
import threading
import urllib.parse

sys.dont_write_bytecode = True
from measure import Programs, Servers

N_LOGINS = 6
# Name → domain.
MECHANISMS = {
    'PLAIN': 'plainonly.localhost',
    'SCRAM-SHA-1': 'sha1.localhost',
    'SCRAM-SHA-256': 'sha256.localhost',
}
SASL2 = {
    'PLAIN': 'sasl2plain.localhost',
    'SCRAM-SHA-1': 'sasl2sha1.localhost',
    'SCRAM-SHA-256': 'sasl2.localhost',
}
# What a login does besides → the environment of the library's client.
CLASSIC = {'as RFC 6120 has it': {}, 'pipelined': {'BENCH_PIPELINE': '1'}}
EXTENSIBLE = {'XEP-0388': {}, 'XEP-0388 and XEP-0386': {'BENCH_NO_RESOURCE': '1'}}


class Proxy:
    """Delays what goes to the server, in a thread of its own."""

    def __init__(self, port, delay):
        self.target = port
        self.delay = delay
        self.loop = asyncio.new_event_loop()
        self.started = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        self.loop.run_until_complete(self._start())
        self.loop.run_forever()

    async def _start(self):
        server = await asyncio.start_server(self._serve, '127.0.0.1', 0)
        self.port = server.sockets[0].getsockname()[1]
        self.started.set()

    async def _serve(self, reader, writer):
        try:
            # The handshake of TCP would take a round trip too.
            await asyncio.sleep(self.delay)
            other_reader, other_writer = await asyncio.open_connection('127.0.0.1', self.target)
            await asyncio.gather(self._pass(reader, other_writer, self.delay),
                                 self._pass(other_reader, writer, 0))
        except (OSError, asyncio.CancelledError):
            writer.close()

    async def _pass(self, reader, writer, delay):
        # What is written in two pieces is on its way once, not twice.
        loop = asyncio.get_running_loop()
        while piece := await reader.read(65536):
            loop.call_later(delay, writer.write, piece)
        await asyncio.sleep(delay)
        writer.close()

    def __enter__(self):
        self.thread.start()
        self.started.wait()
        return self

    async def _stop(self):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._stop(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def measure(programs, name, uri, domain, variables=None):
    report = programs.run(name, uri, domain, 'alice', 'login', N_LOGINS, 0, variables=variables)
    return (f'{report["requests"] / report["messages"]:.1f} requests, '
            f'{report["connections"] / report["messages"]:.1f} connections, '
            f'{report["p50"] / 1000:.1f} ms')


def measure_all(programs, server, delay):
    kinds = [(MECHANISMS, CLASSIC)]
    if 'BOSH_TEST_PROSODY_SASL2' in server.environment():
        kinds.append((SASL2, EXTENSIBLE))
    with Proxy(server.ports['http'], delay / 1000) as proxy:
        # No name, for which ::1 would be tried first.
        uri = f'http://127.0.0.1:{proxy.port}{urllib.parse.quote(server.bosh_path)}'
        start = f'{server.name}, {delay} ms'
        print(f'{start}, PLAIN, the floor: '
              + measure(programs, 'soup', uri, MECHANISMS['PLAIN']), flush=True)
        for domains, ways in kinds:
            for mechanism, domain in domains.items():
                for way, variables in ways.items():
                    print(f'{start}, {mechanism}, {way}: '
                          + measure(programs, 'bosh', uri, domain, variables), flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--delay', type=int, default=100)
    parser.add_argument('directory')
    arguments = parser.parse_args()
    programs = Programs(arguments.directory)

    with Servers(['prosody', 'ejabberd']) as servers:
        for server in servers.servers:
            for delay in (0, arguments.delay):
                measure_all(programs, server, delay)


if __name__ == '__main__':
    main()
