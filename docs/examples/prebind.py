#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Logs in, and hands the session over: prints the JID, SID and RID with which
another program attaches to it.

    prebind.py URI DOMAIN [USERNAME [RESOURCE]]

Without a user name the login is anonymous. Environment: BOSH_PASSWORD;
BOSH_KEY_SEQUENCE, if set, asks for one; BOSH_CA_FILE is who is trusted.
"""

import os
import sys

import gi
gi.require_version('Bosh', '1.0')
from gi.repository import Bosh, Gio, GLib

uri, domain, username, resource = (sys.argv[1:] + [None] * 4)[:4]
password = os.environ.get('BOSH_PASSWORD') if username is not None else None
if domain is None or (username is not None and password is None):
    print('Usage: BOSH_PASSWORD=… prebind.py URI DOMAIN [USERNAME [RESOURCE]]', file=sys.stderr)
    sys.exit(2)
ca_file = os.environ.get('BOSH_CA_FILE')
configuration = Bosh.ConnectionConfiguration(
    uri=uri, use_key_sequence='BOSH_KEY_SEQUENCE' in os.environ,
    tls_database=Gio.TlsFileDatabase.new(ca_file) if ca_file else None)
client = Bosh.Client.new(domain, configuration)
loop = GLib.MainLoop()
status = 0


def on_prebound(client, result):
    global status
    try:
        session = client.prebind_finish(result)
        print('JID:', session.get_jid())
        print('SID:', session.get_session_id())
        print('RID:', session.get_request_id())
    except GLib.Error as error:
        print(error.message, file=sys.stderr)
        status = 1
    loop.quit()


client.prebind_async(username, password, resource, None, on_prebound)
loop.run()
sys.exit(status)
