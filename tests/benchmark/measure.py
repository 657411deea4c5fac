# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the clients of the benchmark, once each, and returns what they report."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'servers'))
from servers import PASSWORD, Servers

DOMAIN = 'plainonly.localhost'
CLIENTS = ('bosh', 'soup', 'soup-read', 'socket', 'gloox', 'purple')
# Each has a user of its own, so that nobody gets what was meant for another.
USERS = {name: f'user{number}' for number, name in enumerate(CLIENTS, 1)}
SENDER = 'bob'
TIMEOUT = 600
TURN_SECONDS = 0.01


class BenchmarkError(Exception):
    """A client did not do its work."""


def take_turn(process):
    """Returns whether there is more to do."""
    process.send_signal(signal.SIGCONT)
    try:
        process.wait(TURN_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGSTOP)
        return True
    return False


def read_report(process, on_jid=None):
    """Returns what the process prints, merged; on_jid is called as soon as it tells who it is."""
    report = {}
    for line in process.stdout:
        part = json.loads(line)
        report.update(part)
        if 'jid' in part and on_jid is not None:
            on_jid(part['jid'])
    return report


def check_report(process, report, errors=''):
    if process.returncode != 0 or 'cpu' not in report:
        raise BenchmarkError(f'{" ".join(process.args)}: status {process.returncode} '
                             f'{errors[-500:]}')
    return report


class Programs:
    """What was built of the clients."""

    def __init__(self, directory):
        self.directory = directory
        self.clients = [name for name in CLIENTS if os.path.exists(self.path(name))]

    def path(self, name):
        return os.path.join(self.directory, 'bench-' + name)

    def command(self, name, uri, domain, user, *work):
        return [self.path(name), uri, domain, user, PASSWORD, *map(str, work)]

    def run_in_turns(self, jobs):
        """Returns the report of each job (name → client, URI, domain, user, work...).

        A single one of them works at a time, and not for long. So all have the same
        share of the times when the processor is slow, which the time that it counts
        does not tell.
        """
        processes = {name: subprocess.Popen(self.command(*job), stdout=subprocess.PIPE, text=True,
                                            env={**os.environ, 'BENCH_STOPS': '1'})
                     for name, job in jobs.items()}
        timer = threading.Timer(TIMEOUT, lambda: [p.kill() for p in processes.values()])
        timer.start()
        try:
            for process in processes.values():
                # It stops before what is counted.
                os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            working = list(processes.values())
            while working:
                working = [process for process in working if take_turn(process)]
            return {name: check_report(process, read_report(process))
                    for name, process in processes.items()}
        finally:
            timer.cancel()
            for process in processes.values():
                process.kill()
                process.wait()
                process.stdout.close()

    def run(self, name, uri, domain, user, *work, on_jid=None, variables=None, wrapper=()):
        """Returns the reports of a client, merged; variables are for its environment."""
        command = [*wrapper, *self.command(name, uri, domain, user, *work)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env={**os.environ, **(variables or {})}) as process:
            timer = threading.Timer(TIMEOUT, process.kill)
            timer.start()
            try:
                report = read_report(process, on_jid)
                errors = process.stderr.read()
            finally:
                timer.cancel()
                process.kill()
        return check_report(process, report, errors)


class Prosody:
    """A throwaway server, as a context manager."""

    def __init__(self, nagle):
        self.servers = Servers(['prosody'], user_count=1000, options={'prosody': {
            'network_settings': '{ nagle = %s }' % ('true' if nagle else 'false'),
        }})

    def __enter__(self):
        self.servers.__enter__()
        environment = self.servers.environment()
        self.uri = environment['BOSH_TEST_PROSODY_HTTP_URI']
        self.port = int(environment['BOSH_TEST_PROSODY_C2S_PORT'])
        return self

    def __exit__(self, *arguments):
        self.servers.__exit__(*arguments)


class Manager:
    """The connection manager that does nothing but respond."""

    def __init__(self, programs):
        self.program = programs.path('manager')

    def __enter__(self):
        self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.uri = f'http://localhost:{int(self.process.stdout.readline())}/http-bind'
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Sender:
    """Somebody at the server's other door, who sends many messages."""

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port))
        self._open()
        secret = base64.b64encode(f'\0{SENDER}\0{PASSWORD}'.encode()).decode()
        self._send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>")
        self._wait('<success')
        self._open()
        self._send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        self._wait('</iq>')

    def _open(self):
        self._send(f"<stream:stream xmlns='jabber:client' to='{DOMAIN}' version='1.0' "
                   "xmlns:stream='http://etherx.jabber.org/streams'>")
        self._wait('</stream:features>')

    def _send(self, text):
        self.socket.sendall(text.encode())

    def _wait(self, text):
        seen = ''
        while text not in seen:
            piece = self.socket.recv(65536).decode()
            if piece == '':
                raise BenchmarkError(f'The server closed the stream: {seen}')
            seen += piece

    def flood(self, jid, count, size):
        message = f"<message to='{jid}' type='chat'><body>{'x' * size}</body></message>"
        self._send(message * count)

    def close(self):
        self.socket.close()


def run_flood(programs, name, server, count):
    sender = Sender(server.port)
    threads = []

    def start(jid):
        thread = threading.Thread(target=sender.flood, args=(jid, count, 1024))
        thread.start()
        threads.append(thread)

    try:
        return programs.run(name, server.uri, DOMAIN, USERS[name], 'flood', count, 0, on_jid=start)
    finally:
        for thread in threads:
            thread.join()
        sender.close()


def count_instructions(programs, name, manager, work, few, many, more):
    """Instructions of each login or message, from runs with two numbers of them."""
    counts = []
    for number in (few, many):
        with tempfile.NamedTemporaryFile() as file:
            programs.run(name, manager.uri, DOMAIN, 'user%', work, number, more,
                         wrapper=('valgrind', '-q', '--tool=callgrind',
                                  f'--callgrind-out-file={file.name}'))
            with open(file.name, encoding='utf-8') as output:
                counts.append(next(int(line.split()[1]) for line in output
                                   if line.startswith('summary:')))
    return (counts[1] - counts[0]) / (many - few)


def describe_machine():
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        model = re.search(r'^model name\s*: (.*)$', file.read(), re.MULTILINE)
    return {
        'processor': model.group(1) if model else 'unknown',
        'cores': os.cpu_count(),
        'kernel': os.uname().release,
    }
