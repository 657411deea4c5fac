#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints what is to do after `meson install`, so that programs find the library.

Usage: post-install.py LIBDIR DATADIR BINDIR TYPELIBDIR VAPI
Meson runs it. TYPELIBDIR is where the system looks for typelibs, or empty without
introspection; VAPI is true where there is one. Nothing is printed where all is found.
"""

import os
import re
import shutil
import stat
import subprocess
import sys


def run(*command):
    """What it prints, or nothing."""
    path = shutil.which(command[0], path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')
    if path is None:
        return ''
    return subprocess.run([path, *command[1:]], stdout=subprocess.PIPE, encoding='utf-8',
                          stderr=subprocess.DEVNULL, check=False).stdout


def is_in(folder, paths):
    return os.path.realpath(folder) in (os.path.realpath(path) for path in paths if path)


def extend(variable, folder, default=''):
    """The command that puts a folder in front of a path, unless it is there."""
    if is_in(folder, os.environ.get(variable, default).split(':')):
        return []
    quoted = re.sub(r'([\\"$`])', r'\\\1', folder)
    rest = f':${{{variable}:-{default}}}' if default else f'${{{variable}:+:${variable}}}'
    return [f'export {variable}="{quoted}{rest}"']


def find_library(libdir):
    if any(line.rpartition(' => ')[2].startswith(os.path.join(libdir, 'libbosh-glib'))
           for line in run('ldconfig', '-p').split('\n')):
        return []
    # Each folder that is searched stands in front of what is in it.
    if is_in(libdir, (line.partition(': ')[0].rstrip(':')
                      for line in run('ldconfig', '-N', '-X', '-v').split('\n')
                      if line.startswith('/'))):
        return ['ldconfig  # as root']
    return extend('LD_LIBRARY_PATH', libdir)


def open_output():
    """Where Meson prints. Meson 1.0 keeps to itself what a script prints that succeeds."""
    path = f'/proc/{os.getppid()}/fd/1'
    try:
        status = os.stat(path)
        # In a file, Meson goes on writing where it stopped.
        if os.path.samestat(status, os.fstat(1)) or stat.S_ISREG(status.st_mode):
            return sys.stdout
        return open(path, 'w', encoding='utf-8')
    except OSError:
        return sys.stdout


def main():
    libdir, datadir, bindir, typelibdir, vapi = sys.argv[1:]
    commands = find_library(libdir)
    pkgconfig = os.path.join(libdir, 'pkgconfig')
    if not is_in(pkgconfig, run('pkg-config', '--variable', 'pc_path', 'pkg-config').strip()
                 .split(':')):
        commands += extend('PKG_CONFIG_PATH', pkgconfig)
    typelibs = os.path.join(libdir, 'girepository-1.0')
    if typelibdir and not is_in(typelibs, [typelibdir]):
        commands += extend('GI_TYPELIB_PATH', typelibs)
    if vapi == 'true':
        commands += extend('XDG_DATA_DIRS', datadir, '/usr/local/share:/usr/share')
    commands += extend('PATH', bindir)
    if commands:
        print('bosh-glib is installed. Programs find it after these commands:\n',
              *(f'    {command}' for command in commands), sep='\n', file=open_output(), flush=True)


if __name__ == '__main__':
    main()
