#!/usr/bin/gjs -m
// SPDX-License-Identifier: LGPL-2.1-or-later

// Logs in, and hands the session over: prints the JID, SID and RID with which
// another program attaches to it.
//
//   gjs -m prebind.js URI DOMAIN [USERNAME [RESOURCE]]
//
// Without a user name the login is anonymous. Environment: BOSH_PASSWORD;
// BOSH_KEY_SEQUENCE, if set, asks for one; BOSH_CA_FILE is who is trusted.

import Bosh from 'gi://Bosh?version=1.0';
import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import System from 'system';

Gio._promisify(Bosh.Client.prototype, 'prebind_async', 'prebind_finish');

async function prebind(uri, domain, username = null, resource = null) {
    const caFile = GLib.getenv('BOSH_CA_FILE');
    const configuration = new Bosh.ConnectionConfiguration({
        uri,
        useKeySequence: GLib.getenv('BOSH_KEY_SEQUENCE') !== null,
        tlsDatabase: caFile ? Gio.TlsFileDatabase.new(caFile) : null,
    });
    const client = Bosh.Client.new(domain, configuration);

    const password = username !== null ? GLib.getenv('BOSH_PASSWORD') : null;
    const session = await client.prebind_async(username, password, resource, null);

    print(`JID: ${session.get_jid()}`);
    print(`SID: ${session.get_session_id()}`);
    print(`RID: ${session.get_request_id()}`);
}

if (ARGV.length < 2 || (ARGV.length > 2 && GLib.getenv('BOSH_PASSWORD') === null)) {
    printerr('Usage: BOSH_PASSWORD=… prebind.js URI DOMAIN [USERNAME [RESOURCE]]');
    System.exit(2);
}
try {
    await prebind(...ARGV);
} catch (error) {
    printerr(error.message);
    System.exit(1);
}
