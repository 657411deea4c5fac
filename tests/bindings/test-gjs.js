// SPDX-License-Identifier: LGPL-2.1-or-later

// The library from JavaScript, through its typelib, against Prosody.

import Bosh from 'gi://Bosh?version=1.0';
import Gio from 'gi://Gio?version=2.0';
import GLib from 'gi://GLib?version=2.0';
import System from 'system';

const NS_CLIENT = 'jabber:client';
const PASSWORD = 'secret';
// Seconds; as in ../support/tooling.py.
const PATIENCE = 300;

for (const name of ['connect', 'login', 'attach', 'detach', 'disconnect', 'send_iq', 'deliver'])
    Gio._promisify(Bosh.Client.prototype, `${name}_async`, `${name}_finish`);
Gio._promisify(Bosh.Discovery.prototype, 'lookup_async', 'lookup_finish');

function assertEqual(actual, expected) {
    if (actual !== expected)
        throw new Error(`${actual} is not ${expected}`);
}

function assertThrows(domain, code, callback) {
    try {
        callback();
    } catch (error) {
        if (error.matches?.(domain, code))
            return;
        throw error;
    }
    throw new Error(`nothing was thrown, not even ${code}`);
}

async function assertRejects(domain, code, promise) {
    let result = () => undefined;
    try {
        await promise;
    } catch (error) {
        result = () => {
            throw error;
        };
    }
    assertThrows(domain, code, result);
}

function newClient() {
    const uri = GLib.getenv('BOSH_TEST_PROSODY_HTTP_URI');
    const configuration = new Bosh.ConnectionConfiguration({uri});
    return Bosh.Client.new('localhost', configuration);
}

async function logIn(user) {
    const client = newClient();
    await client.connect_async(null);
    await client.login_async(user, PASSWORD, null, null);
    return client;
}

function nextSignal(object, name) {
    return new Promise(resolve => {
        const id = object.connect(name, (_object, ...values) => {
            object.disconnect(id);
            resolve(values[0]);
        });
    });
}

const tests = {
    enums() {
        assertEqual(Bosh.ConnectionState.NEW, 0);
        assertEqual(Bosh.ClientState.CLOSED, 8);
    },

    banner() {
        const client = new Bosh.Client({domain: 'localhost', auto_reconnect: true, retry_connect: true});
        assertEqual(client.retry_connect, true);
        assertEqual(client.status, 'Not connected');
        assertEqual(client.last_error, null);
        assertEqual(client.next_attempt, -1);
        client.set_credentials('alice', PASSWORD, null);
        client.retry_now();
    },

    sessionRenewed() {
        const client = Bosh.Client.new('localhost', null);
        // Nothing is held back.
        client.resend();
        assertEqual(client.emit('session-renewed'), false);
        const handlers = [true, false].map(hold => client.connect('session-renewed', () => hold));
        assertEqual(client.emit('session-renewed'), true);
        client.disconnect(handlers[0]);
        assertEqual(client.emit('session-renewed'), false);
    },

    errors() {
        assertThrows(Bosh.Error, Bosh.Error.INVALID_URI,
            () => Bosh.ConnectionConfiguration.new('ftp://example.org/'));
        assertThrows(Bosh.Error, Bosh.Error.INVALID_URI,
            () => new Bosh.ConnectionConfiguration({uri: 'http://h%25/', wait: 20}).validate());
        assertThrows(Bosh.Error, Bosh.Error.BAD_XML,
            () => Bosh.Element.new_from_string('<a><b></a>'));
    },

    properties() {
        const configuration = new Bosh.ConnectionConfiguration({
            uri: 'https://example.org:5281/http-bind/', useKeySequence: true, wait: 20,
        });
        assertEqual(configuration.wait, 20);
        assertEqual(configuration.use_key_sequence, true);
        assertEqual(configuration.uri, 'https://example.org:5281/http-bind/');
        assertEqual(configuration.port, 5281);
        assertEqual(configuration.secure, true);
    },

    savedSession() {
        const session = new Bosh.SavedSession({
            uri: 'http://localhost/', jid: 'alice@localhost/a', sessionId: 'sid', requestId: 7,
        });
        assertEqual(session.validate(), true);
        assertEqual(session.domain, 'localhost');
        assertThrows(Bosh.Error, Bosh.Error.INVALID_DATA, () => new Bosh.SavedSession().validate());
    },

    async discovery() {
        const discovery = new Bosh.Discovery({domain: 'no host', timeout: 7});
        assertEqual(discovery.get_timeout(), 7);
        await assertRejects(Bosh.Error, Bosh.Error.INVALID_JID, discovery.lookup_async(null));
    },

    elements() {
        const message = Bosh.Element.new_message('bob@localhost', 'chat', 'Grüße 😀');
        assertEqual(message.get_attribute('to'), 'bob@localhost');
        assertEqual(message.get_attribute('from'), null);
        assertEqual(message.dup_children().length, 1);
        let child = message.copy().get_child('body', NS_CLIENT);
        System.gc();
        assertEqual(child.dup_text(), 'Grüße 😀');
        child = null;
        System.gc();
        assertEqual(message.equal(Bosh.Element.new_from_string(message.to_string())), true);
    },

    async failures() {
        const client = newClient();
        await client.connect_async(null);
        await assertRejects(Bosh.SaslError, Bosh.SaslError.NOT_AUTHORIZED,
            client.login_async('alice', 'wrong', null, null));

        const cancellable = Gio.Cancellable.new();
        const promise = newClient().connect_async(cancellable);
        cancellable.cancel();
        await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, promise);
    },

    async stanzas() {
        const alice = await logIn('alice');
        const bob = await logIn('bob');
        const stanza = nextSignal(bob, 'stanza');
        await alice.deliver_async(
            Bosh.Element.new_message(bob.get_jid(), 'chat', 'Hello'), null);
        const message = await stanza;
        System.gc();
        assertEqual(message.dup_child_text('body', NS_CLIENT), 'Hello');

        const iq = Bosh.Element.new_iq(bob.get_jid(), 'get',
            Bosh.Element.new('query', 'urn:example'));
        await assertRejects(Bosh.StanzaError, Bosh.StanzaError.SERVICE_UNAVAILABLE,
            alice.send_iq_async(iq, PATIENCE, null));

        const closed = nextSignal(bob, 'closed');
        await bob.disconnect_async(null);
        assertEqual(await closed, null);
        await alice.disconnect_async(null);
        assertThrows(Bosh.Error, Bosh.Error.NOT_CONNECTED,
            () => alice.send(Bosh.Element.new_presence(null, null)));
    },

    async handOver() {
        const first = await logIn('carol');
        const jid = first.get_jid();
        const json = (await first.detach_async(null)).to_json();
        assertEqual(JSON.parse(json).jid, jid);

        const second = newClient();
        await second.attach_async(Bosh.SavedSession.new_from_json(json), null);
        assertEqual(second.get_jid(), jid);
        const stanza = nextSignal(second, 'stanza');
        second.send(Bosh.Element.new_message(jid, null, 'to myself'));
        assertEqual((await stanza).dup_child_text('body', NS_CLIENT), 'to myself');
        await second.disconnect_async(null);
    },
};

GLib.timeout_add_seconds(GLib.PRIORITY_DEFAULT, PATIENCE, () => {
    printerr('Bail out! It takes too long');
    System.exit(1);
});

const names = Object.keys(tests);
let failures = 0;
print(`1..${names.length}`);
for (const [index, name] of names.entries()) {
    try {
        await tests[name]();
        print(`ok ${index + 1} ${name}`);
    } catch (error) {
        failures++;
        print(`not ok ${index + 1} ${name}`);
        printerr(`# ${error}\n${error.stack}`);
    }
}
System.exit(failures > 0 ? 1 : 0);
