#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The servers start, respond, and leave nothing behind, whatever happens."""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import unittest
from unittest import mock

sys.dont_write_bytecode = True
import sandbox
from servers import Servers

RUN_WITH = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'run-with.py')]
SECONDS = 300


def wait_for_process(pid):
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not select.select([descriptor], [], [], SECONDS)[0]:
            raise AssertionError(f'process {pid} is still there')
    finally:
        os.close(descriptor)


def wait_until_gone(pids, directory):
    for pid in pids:
        wait_for_process(pid)
    pause = threading.Event()
    for _ in range(SECONDS * 50):
        if not os.path.exists(directory):
            return
        pause.wait(0.02)
    raise AssertionError(f'{directory} is still there')


class RunWith(unittest.TestCase):
    def start(self, script, **options):
        return subprocess.Popen(RUN_WITH + ['--', 'sh', '-c', script],
                                stdout=subprocess.PIPE, text=True, **options)

    def start_waiting(self):
        """Returns the process, what it runs and the server, and the directory."""
        process = self.start('echo "$$ $BOSH_TEST_PROSODY_PID $BOSH_TEST_DIRECTORY"; '
                             'exec tail -f /dev/null > /dev/null')
        self.addCleanup(process.stdout.close)
        command, server, directory = process.stdout.readline().split()
        return process, (int(command), int(server)), os.path.dirname(directory)

    def test_status(self):
        process = self.start('exit 3')
        process.communicate()
        self.assertEqual(process.returncode, 3)

    def test_signal(self):
        process = self.start('kill -s ABRT $$')
        process.communicate()
        self.assertEqual(process.returncode, -signal.SIGABRT)

    def test_terminated(self):
        process, pids, directory = self.start_waiting()
        process.terminate()
        self.assertEqual(process.wait(), -signal.SIGTERM)
        wait_until_gone(pids, directory)

    def test_killed(self):
        process, pids, directory = self.start_waiting()
        process.kill()
        process.wait()
        wait_until_gone(pids, directory)

    def test_killed_with_stopped_server(self):
        process, pids, directory = self.start_waiting()
        os.kill(pids[1], signal.SIGSTOP)
        process.kill()
        process.wait()
        wait_until_gone(pids, directory)

    def test_missing(self):
        for variables, status in (({}, 77), ({'CI': 'true'}, 1)):
            process = self.start('exit 0', env={'PATH': '/nonexistent', **variables})
            output = process.communicate()[0]
            self.assertEqual(process.returncode, status)
            self.assertIn('is not installed', output)

    def test_port_taken(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
            free_ports = sandbox.free_ports
            tries = []

            def one_taken_once(count):
                tries.append(count)
                ports = free_ports(count)
                return [port] + ports[1:] if len(tries) == 1 else ports

            with mock.patch('sandbox.free_ports', one_taken_once):
                with Servers(['prosody']) as servers:
                    self.assertEqual(len(tries), 2)
                    self.assertNotIn(port, servers['prosody'].ports.values())


if __name__ == '__main__':
    try:
        sandbox.find_program('prosody')
    except sandbox.MissingProgram as error:
        print(error)
        sys.exit(1 if os.environ.get('CI') == 'true' else 77)
    unittest.main()
