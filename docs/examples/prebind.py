#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Logs in, and hands the session over: prints the numbers by which another
program goes on with it.

    prebind.py URI DOMAIN [USERNAME [RESOURCE]]

Without a user name the login is anonymous. Environment: BOSH_PASSWORD;
BOSH_KEY_SEQUENCE, if set, asks for one; BOSH_CA_FILE is who is trusted.
"""

import os
import sys

import gi
gi.require_version('Bosh', '1.0')
from gi.repository import Bosh, Gio, GLib

address, domain, username, resource = (sys.argv[1:] + [None] * 4)[:4]
password = os.environ.get('BOSH_PASSWORD')
if domain is None or (username is not None and password is None):
    print('Usage: BOSH_PASSWORD=… prebind.py URI DOMAIN [USERNAME [RESOURCE]]', file=sys.stderr)
    sys.exit(2)
uri = GLib.Uri.parse(address, GLib.UriFlags.SCHEME_NORMALIZE)
ca_file = os.environ.get('BOSH_CA_FILE')
configuration = Bosh.ConnectionConfiguration(
    hostname=uri.get_host(), port=uri.get_port(), path=uri.get_path(),
    secure=uri.get_scheme() == 'https',
    use_key_sequence='BOSH_KEY_SEQUENCE' in os.environ,
    tls_database=Gio.TlsFileDatabase.new(ca_file) if ca_file else None)
client = Bosh.Client.new(domain, configuration)
loop = GLib.MainLoop()
status = 0


def on_connected(client, result):
    if not finish(client.connect_finish, result):
        loop.quit()
    elif username is not None:
        client.login_async(username, password, resource, None, on_logged_in)
    else:
        client.login_anonymously_async(None, None, on_logged_in)


def on_logged_in(client, result):
    if finish(client.login_anonymously_finish if username is None else client.login_finish, result):
        connection = client.get_connection()
        print('JID:', client.get_jid())
        print('SID:', connection.get_session_id())
        # The session lives on in the server.
        print('RID:', connection.detach())
    loop.quit()


def finish(function, result):
    global status
    try:
        return function(result)
    except GLib.Error as error:
        print(error.message, file=sys.stderr)
        status = 1
        return False


client.connect_async(None, on_connected)
loop.run()
sys.exit(status)
