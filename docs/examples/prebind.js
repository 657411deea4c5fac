#!/usr/bin/gjs -m
// SPDX-License-Identifier: LGPL-2.1-or-later

// Logs in, and hands the session over: prints the numbers by which another
// program goes on with it.
//
//   gjs -m prebind.js URI DOMAIN [USERNAME [RESOURCE]]
//
// Without a user name the login is anonymous. Environment: BOSH_PASSWORD;
// BOSH_KEY_SEQUENCE, if set, asks for one; BOSH_CA_FILE is who is trusted.

import Bosh from 'gi://Bosh?version=1.0';
import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import System from 'system';

Gio._promisify(Bosh.Client.prototype, 'connect_async', 'connect_finish');
Gio._promisify(Bosh.Client.prototype, 'login_async', 'login_finish');
Gio._promisify(Bosh.Client.prototype, 'login_anonymously_async', 'login_anonymously_finish');

async function prebind(address, domain, username = null, resource = null) {
    const uri = GLib.Uri.parse(address, GLib.UriFlags.SCHEME_NORMALIZE);
    const caFile = GLib.getenv('BOSH_CA_FILE');
    const configuration = new Bosh.ConnectionConfiguration({
        hostname: uri.get_host(),
        port: uri.get_port(),
        path: uri.get_path(),
        secure: uri.get_scheme() === 'https',
        useKeySequence: GLib.getenv('BOSH_KEY_SEQUENCE') !== null,
        tlsDatabase: caFile ? Gio.TlsFileDatabase.new(caFile) : null,
    });
    const client = Bosh.Client.new(domain, configuration);

    await client.connect_async(null);
    if (username !== null)
        await client.login_async(username, GLib.getenv('BOSH_PASSWORD'), resource, null);
    else
        await client.login_anonymously_async(null, null);

    const connection = client.get_connection();
    print(`JID: ${client.get_jid()}`);
    print(`SID: ${connection.get_session_id()}`);
    // The session lives on in the server.
    print(`RID: ${connection.detach()}`);
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
