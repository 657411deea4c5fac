# SPDX-License-Identifier: LGPL-2.1-or-later
"""A temporary directory and the processes in it, which never outlive us."""

import collections
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

# Long enough for a busy machine.
START_SECONDS = 300
STOP_SECONDS = 30
START_TRIES = 5
POLL_SECONDS = 0.02
# Below are those of well-known services.
FIRST_PORT = 10000

# Reads what to kill, a process or (below zero) a group on each line. The pipe ends when whoever
# writes to it has gone, however it went: then the guard tidies up after it.
GUARD = '''
while read -r target; do targets="$targets $target"; done
for target in $targets; do kill -s KILL -- "$target"; done
rm -rf -- "$1"
'''


class ServerError(Exception):
    """A server does not start."""


class MissingProgram(ServerError):
    """A server is not installed."""


class PortTaken(ServerError):
    """A port that was free a moment ago belongs to someone else."""


def find_program(name):
    """Servers live in sbin, which is not on everybody's PATH."""
    path = os.environ.get('PATH', os.defpath) + ':/usr/sbin:/sbin:/usr/local/sbin'
    program = shutil.which(name, path=path)
    if program is None:
        raise MissingProgram(f'{name} is not installed')
    return program


def unassigned_ports():
    """Ports that the kernel never chooses for a connection, in random order."""
    with open('/proc/sys/net/ipv4/ip_local_port_range', encoding='ascii') as limits:
        first, last = map(int, limits.read().split())
    ports = [*range(FIRST_PORT, first), *range(last + 1, 65536)]
    return random.sample(ports, len(ports))


def free_ports(count):
    """Ports of the loopback interface, all different.

    A connection that somebody makes before the server listens can't take one of them, unless
    the kernel chooses from all ports.
    """
    free = []
    with contextlib.ExitStack() as stack:
        for port in unassigned_ports() + count * [0]:
            candidate = stack.enter_context(socket.socket())
            try:
                candidate.bind(('127.0.0.1', port))
            except OSError:
                continue
            free.append(candidate.getsockname()[1])
            if len(free) == count:
                break
    return free


def listening_inodes():
    """Maps each port that is listened on to the inode of its socket."""
    inodes = {}
    for table in ('/proc/net/tcp', '/proc/net/tcp6'):
        if not os.path.exists(table):
            continue
        with open(table, encoding='ascii') as lines:
            for line in list(lines)[1:]:
                fields = line.split()
                if fields[3] == '0A':
                    inodes[int(fields[1].rpartition(':')[2], 16)] = fields[9]
    return inodes


def open_inodes(pid):
    """The inodes of the sockets that a process holds."""
    inodes = set()
    directory = f'/proc/{pid}/fd'
    for name in os.listdir(directory):
        try:
            target = os.readlink(os.path.join(directory, name))
        except FileNotFoundError:
            continue
        if target.startswith('socket:['):
            inodes.add(target[len('socket:['):-1])
    return inodes


class DeferredSignals:
    """What would interrupt us comes when the block is over."""

    NUMBERS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)

    def __enter__(self):
        self._arrived = []
        self._handlers = {number: signal.signal(number, self._on_signal)
                          for number in self.NUMBERS}

    def __exit__(self, *_):
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        for number in self._arrived:
            os.kill(os.getpid(), number)

    def _on_signal(self, number, _frame):
        self._arrived.append(number)


class Sandbox:
    """The directory, and the guard that removes it if we can't."""

    def __init__(self):
        self._processes = []
        self.directory = tempfile.mkdtemp(prefix='bosh-test-')
        self._guard = subprocess.Popen(
            ['/bin/sh', '-c', GUARD, 'guard', self.directory],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def make_directory(self, *names):
        path = self.path(*names)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, text, *names):
        path = self.path(*names)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def popen(self, command, **options):
        """A process that does not outlive us.

        It tells the guard before it becomes the command: then there is no
        moment in which it runs and the guard does not know. One with a
        session of its own is known by its group.
        """
        descriptor = self._guard.stdin.fileno()
        sign = -1 if options.get('start_new_session') else 1

        def tell_guard():
            os.write(descriptor, b'%d\n' % (sign * os.getpid()))

        # A signal in the middle would leave a process that nobody knows.
        with DeferredSignals():
            process = subprocess.Popen(command, preexec_fn=tell_guard, **options)
            self._processes.append((process, sign))
        return process

    def _end_processes(self):
        for process, sign in self._processes:
            if process.poll() is None:
                os.kill(sign * process.pid, signal.SIGKILL)
                process.wait()

    def close(self):
        self._end_processes()
        self._guard.kill()
        self._guard.wait()
        self._guard.stdin.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Certificates:
    """A private authority, and what it has signed, as PEM files."""

    CONFIGURATION = '''[req]
distinguished_name = name
[name]
'''

    def __init__(self, sandbox):
        self._sandbox = sandbox
        self._openssl = find_program('openssl')
        sandbox.make_directory('certificates')
        self._configuration = sandbox.write(self.CONFIGURATION, 'certificates', 'openssl.cnf')
        self.authority, self._authority_key = self._make(
            'ca', '/CN=Authority of the tests',
            ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'])

    def server(self, name, alternatives):
        """Returns the paths of a certificate, its key, and both in one."""
        return self._signed(name, f'/CN={name}', [
            'subjectAltName=' + alternatives, 'extendedKeyUsage=serverAuth'])

    def client(self, user):
        return self._signed(user, f'/CN={user}', ['extendedKeyUsage=clientAuth'])

    def _signed(self, name, subject, extensions):
        certificate, key = self._make(
            name, subject, ['basicConstraints=critical,CA:FALSE'] + extensions,
            ['-CA', self.authority, '-CAkey', self._authority_key])
        both = self._sandbox.path('certificates', name + '-both.pem')
        with open(both, 'wb') as output:
            for part in (certificate, key):
                with open(part, 'rb') as source:
                    shutil.copyfileobj(source, output)
        return certificate, key, both

    def _make(self, name, subject, extensions, signer=()):
        certificate = self._sandbox.path('certificates', name + '.pem')
        key = self._sandbox.path('certificates', name + '.key')
        command = [self._openssl, 'req', '-config', self._configuration, '-x509',
                   '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
                   '-noenc', '-days', '30', '-subj', subject,
                   '-keyout', key, '-out', certificate, *signer]
        for extension in extensions:
            command += ['-addext', extension]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise ServerError('no certificate: ' + done.stdout)
        return certificate, key


class Server:
    """A process with ports of its own, tried again if one was snatched.

    Subclasses set `name`, `program` and `port_names`, and give
    `configure`, `command` and `is_responding`.
    """

    name = None
    program = None
    port_names = ()
    stop_signal = signal.SIGTERM

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.executable = find_program(self.program)
        self.directory = sandbox.make_directory(self.name)
        self.log = sandbox.path(self.name, 'server.log')
        self.ports = {}
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def path(self, *names):
        return self.sandbox.path(self.name, *names)

    def launch(self):
        """Starts the process and returns at once; see wait_until_ready."""
        self.ports = dict(zip(self.port_names, free_ports(len(self.port_names))))
        self.configure()
        self.relaunch()

    def relaunch(self):
        """The same after stop(), with the same ports and files."""
        # None of our own environment: it may preload a sanitizer.
        environment = {'PATH': os.defpath + ':/usr/sbin:/sbin', 'HOME': self.directory,
                       'LANG': 'C.UTF-8', **self.variables()}
        with open(self.path('output.log'), 'ab') as output:
            self.process = self.sandbox.popen(
                self.command(), cwd=self.directory, env=environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True)

    def wait_until_ready(self):
        for _ in range(START_TRIES - 1):
            try:
                self._wait_once()
                return
            except PortTaken:
                self.stop()
                self.launch()
        self._wait_once()

    def _wait_once(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._owns_ports() and self.is_responding():
                return
            try:
                self.process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            if self._listeners():
                raise PortTaken(f'{self.name}: a port was taken')
            raise ServerError(f'{self.name} ended while it started\n{self.log_tail()}')
        raise ServerError(f'{self.name} does not respond\n{self.log_tail()}')

    def _listeners(self):
        """The sockets that listen on our ports, whoever has them."""
        inodes = listening_inodes()
        return [inodes[port] for port in self.ports.values() if port in inodes]

    def _owns_ports(self):
        """The response of another program on one of our ports must not pass for ours."""
        listeners = self._listeners()
        try:
            own = open_inodes(self.pid)
        except (FileNotFoundError, PermissionError):
            return False
        if not own.issuperset(listeners):
            raise PortTaken(f'{self.name}: a port was taken')
        return len(listeners) == len(self.ports)

    def stop(self):
        if self.process is None:
            return
        self._signal(self.stop_signal)
        # A stopped process sees no other signal until it goes on.
        self._signal(signal.SIGCONT)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        self._signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def _signal(self, number):
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass

    def log_tail(self, lines=60):
        texts = []
        for path in (self.path('output.log'), self.log):
            if os.path.exists(path):
                with open(path, encoding='utf-8', errors='replace') as file:
                    texts.append(''.join(collections.deque(file, lines)))
        return '\n'.join(texts)

    def configure(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def is_responding(self):
        raise NotImplementedError

    def variables(self):
        """What the process needs in its environment."""
        return {}

    def environment(self):
        """What the tests are told."""
        return {}


def start(servers):
    """Starts servers side by side."""
    for server in servers:
        server.launch()
    for server in servers:
        server.wait_until_ready()
