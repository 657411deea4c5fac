#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a command with throwaway servers beside it.

The command learns of them from its environment: BOSH_TEST_PROSODY_HTTP_URI,
..._HTTPS_URI, ..._C2S_PORT, ..._CA_FILE and ..._PID, likewise for EJABBERD,
and for NGINX see servers.py; BOSH_TEST_DIRECTORY is for files of its own. Its
exit status is passed on. Where a server is not installed the status is 77
(skipped), or 1 if CI is true.
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys

# The source directory is not ours to write to.
sys.dont_write_bytecode = True
from sandbox import MissingProgram, ServerError
from servers import Servers

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 5


class Interrupted(Exception):
    """Someone wants us to end."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage='%(prog)s [--server NAME]... [options] -- COMMAND [ARGUMENT]...')
    parser.add_argument('--server', action='append', choices=Servers.NAMES,
                        help='a server to start (default: prosody)')
    parser.add_argument('--user-count', type=int, default=0, metavar='N',
                        help='register user1 to userN as well')
    parser.add_argument('--option', action='append', default=[], metavar='SERVER:NAME=VALUE',
                        help='set a tunable: prosody:bosh_max_inactivity=5, '
                             'ejabberd:max_inactivity=5, nginx:http2=off, haproxy:patience=3s')
    parser.add_argument('--log', action='store_true',
                        help='log more, and show the end of the logs if the command fails')
    parser.add_argument('--tap', action='store_true',
                        help='the command speaks TAP: say so too when it is skipped')
    parser.add_argument('command', nargs='+')
    arguments = parser.parse_args()
    arguments.server = arguments.server or ['prosody']
    options = {}
    for option in arguments.option:
        server, colon, rest = option.partition(':')
        name, equals, value = rest.partition('=')
        if server not in Servers.NAMES or not colon or not equals:
            parser.error(f'not SERVER:NAME=VALUE: {option}')
        options.setdefault(server, {})[name] = plain_value(server, value)
    arguments.option = options
    return arguments


def plain_value(server, value):
    """ejabberd's configuration knows numbers; the others take any text."""
    return int(value) if server == 'ejabberd' and value.isdigit() else value


def skip(message, tap):
    if os.environ.get('CI') == 'true':
        print(f'Bail out! {message}' if tap else message)
        return 1
    if tap:
        print(f'1..0 # SKIP {message}')
        return 0
    print(message)
    return 77


def ignore_signals():
    """Tidying up is not to be disturbed."""
    for number in FORWARDED:
        signal.signal(number, signal.SIG_IGN)


def interrupt(number, _frame):
    ignore_signals()
    raise Interrupted(number)


def run(command, servers):
    """Returns the status of the command: negative for a signal."""
    # A tool such as valgrind, set up by whoever started us; not for Python.
    wrapper = []
    if not os.path.basename(command[0]).startswith('python'):
        wrapper = shlex.split(os.environ.get('BOSH_TEST_WRAPPER', ''))
    try:
        process = servers.sandbox.popen(wrapper + command,
                                        env={**os.environ, **servers.environment()})
    except OSError as error:
        print(f'{command[0]}: {error.strerror}', file=sys.stderr)
        return 127
    try:
        return process.wait()
    except Interrupted as interrupted:
        # A Ctrl-C at the terminal has reached the command without us.
        if interrupted.number != signal.SIGINT:
            process.send_signal(interrupted.number)
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        raise
    finally:
        process.kill()
        process.wait()


def run_with_servers(arguments):
    with Servers(arguments.server, arguments.user_count, arguments.option,
                 arguments.log) as servers:
        status = run(arguments.command, servers)
        ignore_signals()
        if status != 0 and arguments.log:
            print(servers.log_tail(), file=sys.stderr)
        return status


def end_by(number):
    """Ends as the command did, or as we were told to."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def main():
    arguments = parse_arguments()
    for number in FORWARDED:
        signal.signal(number, interrupt)
    try:
        status = run_with_servers(arguments)
    except Interrupted as interrupted:
        return end_by(interrupted.number)
    except MissingProgram as error:
        return skip(str(error), arguments.tap)
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    return end_by(-status) if status < 0 else status


if __name__ == '__main__':
    sys.exit(main())
