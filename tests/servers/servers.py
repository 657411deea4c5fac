# SPDX-License-Identifier: LGPL-2.1-or-later
"""Throwaway XMPP servers on loopback, for tests and for the demo.

Each has the users alice, bob and carol with the password "secret" on its
domains, which name what they offer (no name is ever resolved):

    localhost            the server's usual choice of mechanisms
    plain.localhost      SCRAM-SHA-256, SCRAM-SHA-1 and PLAIN
    sha1.localhost       SCRAM-SHA-1 alone
    sha256.localhost     SCRAM-SHA-256 alone
    plainonly.localhost  PLAIN alone
    anon.localhost       ANONYMOUS
    münchen.localhost    as plain.localhost
    external.localhost   EXTERNAL (Prosody behind nginx, by client certificate)

and with XEP-0388 and XEP-0386 besides, by Prosody and the modules of its community:

    sasl2.localhost      SCRAM-SHA-256, SCRAM-SHA-1 and PLAIN
    sasl2sha1.localhost  SCRAM-SHA-1 alone
    sasl2plain.localhost PLAIN alone
    sasl2anon.localhost  ANONYMOUS
    debian.localhost     as sasl2.localhost, but as Debian 12 has it: it hangs

All but the last have a module of ours beside them: see prosody/mod_sasl2_bosh.lua.
"""

import glob
import hashlib
import http.client
import json
import os
import re
import subprocess
import urllib.parse

from sandbox import (START_SECONDS, Certificates, MissingProgram, Sandbox, Server, ServerError,
                     find_program, start)

PASSWORD = 'secret'
USERS = ('alice', 'bob', 'carol')

CREATION = '''<body rid='1' to='localhost' wait='1' hold='1' ver='1.6' content='text/xml'
 xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh' xmlns='http://jabber.org/protocol/httpbind'/>'''
TERMINATION = '''<body rid='2' sid='{sid}' type='terminate'
 xmlns='http://jabber.org/protocol/httpbind'/>'''


def post(port, path, body, content_type):
    """Returns the text of the response; raises OSError or HTTPException."""
    connection = http.client.HTTPConnection('localhost', port, timeout=START_SECONDS)
    try:
        connection.request('POST', path, body, {'Content-Type': content_type})
        response = connection.getresponse()
        text = response.read().decode('utf-8', 'replace')
        if response.status != 200:
            raise http.client.HTTPException(f'HTTP {response.status}: {text}')
        return text
    finally:
        connection.close()


def bosh_responses(port, path):
    """Whether a session can be opened; it is closed again."""
    try:
        text = post(port, path, CREATION, 'text/xml; charset=utf-8')
        sid = text.partition("sid='")[2].partition("'")[0]
        if sid == '':
            return False
        post(port, path, TERMINATION.format(sid=sid), 'text/xml; charset=utf-8')
        return True
    except (OSError, http.client.HTTPException):
        return False


def shows_page(port):
    """Whether a front responds by itself."""
    try:
        return 'A page' in post(port, '/page', '', 'text/xml')
    except (OSError, http.client.HTTPException):
        return False


class BoshServer(Server):
    """What Prosody and ejabberd have in common."""

    bosh_path = None
    port_names = ('http', 'https', 'c2s')
    users = {}

    def __init__(self, sandbox, certificates, user_count=0, options=None, verbose=False):
        super().__init__(sandbox)
        self.certificates = certificates
        self.certificate = certificates.server(
            self.name, 'DNS:localhost,IP:127.0.0.1')
        self.options = options or {}
        self.verbose = verbose
        self.accounts = USERS + tuple(f'user{n}' for n in range(1, user_count + 1))

    def environment(self):
        prefix = 'BOSH_TEST_' + self.name.upper()
        return {
            prefix + '_HTTP_URI': f'http://localhost:{self.ports["http"]}{self.bosh_path}',
            prefix + '_HTTPS_URI': f'https://localhost:{self.ports["https"]}{self.bosh_path}',
            prefix + '_C2S_PORT': str(self.ports['c2s']),
            prefix + '_CA_FILE': self.certificates.authority,
            prefix + '_PID': str(self.pid),
        }


class Prosody(BoshServer):
    name = 'prosody'
    program = 'prosody'
    bosh_path = '/http-bind'
    # Of the package prosody-modules.
    sasl2_module = '/usr/lib/prosody/modules/mod_sasl2/mod_sasl2.lua'

    # Domain → its authentication.
    DOMAINS = {
        'localhost': 'authentication = "internal_hashed"',
        'plain.localhost': 'authentication = "internal_plain"',
        'sha1.localhost': '''authentication = "internal_hashed"
            disable_sasl_mechanisms = { "PLAIN" }''',
        'sha256.localhost': '''authentication = "internal_hashed"
            password_hash = "SHA-256"
            disable_sasl_mechanisms = { "PLAIN" }''',
        'plainonly.localhost': '''authentication = "internal_plain"
            disable_sasl_mechanisms = { "SCRAM-SHA-1", "SCRAM-SHA-256" }''',
        'anon.localhost': 'authentication = "anonymous"',
        'external.localhost': 'authentication = "proxy_certificate"',
        'münchen.localhost': 'authentication = "internal_plain"',
    }
    SASL2_DOMAINS = {
        'sasl2.localhost': DOMAINS['plain.localhost'],
        'sasl2sha1.localhost': DOMAINS['sha1.localhost'],
        'sasl2plain.localhost': DOMAINS['plainonly.localhost'],
        'sasl2anon.localhost': DOMAINS['anon.localhost'],
    }
    SASL2 = 'modules_enabled = { "sasl2", "sasl2_bind2", "sasl2_bosh" }'
    UNAIDED_DOMAINS = {
        'debian.localhost': DOMAINS['plain.localhost'],
    }
    UNAIDED = 'modules_enabled = { "sasl2", "sasl2_bind2" }'

    CONFIGURATION = '''
run_as_root = true
data_path = "{directory}/data"
pidfile = "{directory}/prosody.pid"
certificates = "{directory}/none"
plugin_paths = {{ "{plugins}" }}
log = {{ {level} = "{log}" }}
modules_enabled = {{ "roster", "saslauth", "disco", "ping", "bosh", "tls", "message", "presence",
                    "iq", "offline" }}
modules_disabled = {{ "s2s" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {c2s} }}
c2s_direct_tls_ports = {{ }}
http_ports = {{ {http} }}
http_interfaces = {{ "127.0.0.1" }}
http_default_host = "localhost"
https_ports = {{ {https} }}
https_interfaces = {{ "127.0.0.1" }}
https_ssl = {{ certificate = "{certificate}", key = "{key}" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
consider_bosh_secure = true
storage = "internal"
{options}
'''

    def configure(self):
        certificate, key, _ = self.certificate
        text = self.CONFIGURATION.format(
            directory=self.directory, log=self.log,
            level='debug' if self.verbose else 'info',
            plugins=os.path.join(os.path.dirname(os.path.abspath(__file__)), 'prosody'),
            certificate=certificate, key=key,
            options='\n'.join(f'{key} = {value}' for key, value in self.options.items()),
            **self.ports)
        for domain, settings in self.DOMAINS.items():
            text += f'VirtualHost "{domain}"\n{settings}\n'
            self._register(domain)
        if self._has_sasl2():
            for domains, modules in ((self.SASL2_DOMAINS, self.SASL2),
                                     (self.UNAIDED_DOMAINS, self.UNAIDED)):
                for domain, settings in domains.items():
                    text += f'VirtualHost "{domain}"\n{settings}\n{modules}\n'
                    self._register(domain)
        self.sandbox.write(text, self.name, 'prosody.cfg.lua')

    def _has_sasl2(self):
        return os.path.exists(self.sasl2_module)

    def environment(self):
        environment = super().environment()
        if self._has_sasl2():
            environment['BOSH_TEST_PROSODY_SASL2'] = '1'
        return environment

    def _register(self, domain):
        """As its storage keeps them: it hashes a plain password when it meets one.

        prosodyctl does the same in a fifth of a second each.
        """
        folder = re.sub('[^A-Za-z0-9]',
                        lambda match: ''.join(f'%{byte:02x}' for byte in match[0].encode()), domain)
        self.sandbox.make_directory(self.name, 'data', folder, 'accounts')
        for user in self.accounts:
            self.sandbox.write(f'return {{ ["password"] = "{PASSWORD}"; }};\n',
                               self.name, 'data', folder, 'accounts', user + '.dat')

    def command(self):
        return [self.executable, '--config', self.path('prosody.cfg.lua'), '-F']

    def is_responding(self):
        return bosh_responses(self.ports['http'], self.bosh_path)


class Ejabberd(BoshServer):
    """Erlang is started without its distribution: no epmd, no node name.

    ejabberdctl would need both, runs as one of two users only, and takes a
    second for each command; users are registered through the HTTP interface.
    """

    name = 'ejabberd'
    # The program that says whether ejabberd is installed.
    program = 'ejabberdctl'
    bosh_path = '/bosh'

    DOMAINS = {
        'localhost': {},
        'plain.localhost': {},
        'sha1.localhost': {
            'auth_password_format': 'scram', 'auth_scram_hash': 'sha',
            'disable_sasl_mechanisms': ['PLAIN', 'X-OAUTH2']},
        'sha256.localhost': {
            'auth_password_format': 'scram', 'auth_scram_hash': 'sha256',
            'disable_sasl_mechanisms': ['PLAIN', 'X-OAUTH2']},
        'plainonly.localhost': {
            'disable_sasl_mechanisms': ['DIGEST-MD5', 'X-OAUTH2', 'SCRAM-SHA-1',
                                        'SCRAM-SHA-256', 'SCRAM-SHA-512']},
        'anon.localhost': {
            'auth_method': ['anonymous'], 'anonymous_protocol': 'sasl_anon'},
        'münchen.localhost': {},
    }

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._erl = find_program('erl')
        self._registered = 0

    def _libraries(self):
        found = glob.glob('/usr/lib/*/ejabberd-*/ebin') + glob.glob('/usr/lib/ejabberd-*/ebin')
        if not found:
            raise MissingProgram('the modules of ejabberd are not installed')
        return os.path.dirname(os.path.dirname(found[0]))

    def configure(self):
        listeners = [{
            'port': self.ports['http'], 'module': 'ejabberd_http',
            'request_handlers': {'/bosh': 'mod_bosh', '/api': 'mod_http_api'},
        }, {
            'port': self.ports['https'], 'module': 'ejabberd_http', 'tls': True,
            'request_handlers': {'/bosh': 'mod_bosh'},
        }, {
            'port': self.ports['c2s'], 'module': 'ejabberd_c2s',
        }]
        for listener in listeners:
            listener.update(ip='127.0.0.1', backlog=128)
        configuration = {
            'hosts': list(self.DOMAINS),
            'loglevel': 'debug' if self.verbose else 'info',
            'certfiles': [self.certificate[2]],
            'auth_method': ['internal'],
            'auth_password_format': 'plain',
            'host_config': {domain: settings for domain, settings in self.DOMAINS.items()
                            if settings},
            'listen': listeners,
            'api_permissions': {'tests': {
                'from': ['mod_http_api'], 'who': {'ip': '127.0.0.0/8'}, 'what': ['register']}},
            'modules': {'mod_bosh': {'max_pause': 120, 'max_inactivity': 30, **self.options},
                        'mod_ping': {}, 'mod_disco': {}, 'mod_roster': {}, 'mod_offline': {}},
        }
        # JSON is YAML.
        self.sandbox.write(json.dumps(configuration, indent=1), self.name, 'ejabberd.yml')
        self.sandbox.write('{lookup,["file","native"]}.\n'
                           '{host,{127,0,0,1}, ["localhost"]}.\n', self.name, 'inetrc')
        self._registered = 0

    def variables(self):
        return {
            'EJABBERD_CONFIG_PATH': self.path('ejabberd.yml'),
            'EJABBERD_LOG_PATH': self.log,
            'ERL_LIBS': self._libraries(),
            'ERL_INETRC': self.path('inetrc'),
            'ERL_CRASH_DUMP_BYTES': '0',
        }

    def command(self):
        spool = self.sandbox.path(self.name, 'spool')
        return [self._erl, '-noinput', '+K', 'true',
                '-mnesia', 'dir', f'"{spool}"', '-s', 'ejabberd']

    def is_responding(self):
        """Goes on registering where it stopped, until all users are there."""
        accounts = [(user, domain) for domain in self.DOMAINS
                    if domain != 'anon.localhost' for user in self.accounts]
        try:
            for user, domain in accounts[self._registered:]:
                post(self.ports['http'], '/api/register',
                     json.dumps({'user': user, 'host': domain, 'password': PASSWORD}),
                     'application/json')
                self._registered += 1
        except (OSError, http.client.HTTPException):
            return False
        return bosh_responses(self.ports['http'], self.bosh_path)

    def stop(self):
        # There is nothing to save, and a polite end takes a second.
        self.stop_signal = 9
        super().stop()


class Nginx(Server):
    """TLS in front of the servers; by default HTTP/2 is on offer.

    `options` are directives of every TLS listener, name → value. The front
    listens on three ports: https asks for a client certificate and goes on
    without, client insists on one, wrong_name shows a certificate for
    another host.
    """

    name = 'nginx'
    program = 'nginx'
    port_names = ('http', 'https', 'client', 'wrong_name')

    CONFIGURATION = '''
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {log} {level};
{user}
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  client_max_body_size 16m;
  server {{
    listen 127.0.0.1:{http};
{locations}
  }}
{servers}
}}
'''

    SERVER = '''
  server {{
    listen 127.0.0.1:{port} ssl{http2};
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_client_certificate {authority};
    ssl_verify_client {verify};
{options}
{locations}
  }}
'''

    LOCATION = '''
    location {path} {{
      proxy_pass http://127.0.0.1:{port};
      proxy_http_version 1.1;
      proxy_set_header Host localhost;
      proxy_set_header Connection "";
      proxy_set_header X-Client-Verify $ssl_client_verify;
      proxy_set_header X-Client-Subject $ssl_client_s_dn;
      proxy_buffering off;
      proxy_read_timeout 600s;
    }}
'''

    FAULTS = '''
    location = /page { default_type text/html; return 200 "<html><body>A page</body></html>"; }
    location = /empty { default_type text/xml; return 200 ""; }
    location = /redirect { return 302 /page; }
    location = /bad-gateway { return 502; }
'''

    def __init__(self, sandbox, certificates, upstreams, options=None, verbose=False):
        super().__init__(sandbox)
        self.certificates = certificates
        self.upstreams = upstreams
        self.options = options or {}
        self.verbose = verbose
        self._certificates = {
            'https': certificates.server('front', 'DNS:localhost,IP:127.0.0.1'),
            'wrong_name': certificates.server('other.example', 'DNS:other.example'),
        }
        self._certificates['client'] = self._certificates['https']
        self._client = certificates.client('alice')

    def configure(self):
        locations = self.FAULTS + ''.join(
            self.LOCATION.format(path=server.bosh_path, port=server.ports['http'])
            for server in self.upstreams)
        options = dict(self.options)
        http2 = ' http2' if options.pop('http2', 'on') == 'on' else ''
        verify = {'https': options.pop('ssl_verify_client', 'optional'),
                  'client': 'on', 'wrong_name': 'off'}
        servers = ''
        for name, (certificate, key, _) in self._certificates.items():
            servers += self.SERVER.format(
                port=self.ports[name], http2=http2, certificate=certificate, key=key,
                authority=self.certificates.authority, verify=verify[name],
                options='\n'.join(f'    {key} {value};' for key, value in options.items()),
                locations=locations)
        self.sandbox.write(self.CONFIGURATION.format(
            directory=self.directory, log=self.log,
            level='info' if self.verbose else 'warn',
            # Its workers would be nobody, who may not enter our directory.
            user='user root;' if os.geteuid() == 0 else '',
            http=self.ports['http'], locations=locations, servers=servers),
            self.name, 'nginx.conf')

    def command(self):
        return [self.executable, '-e', self.log, '-p', self.directory,
                '-c', self.path('nginx.conf')]

    def is_responding(self):
        return shows_page(self.ports['http'])

    def environment(self):
        path = self.upstreams[0].bosh_path if self.upstreams else '/'
        return {
            'BOSH_TEST_NGINX_HTTP_URI': f'http://localhost:{self.ports["http"]}{path}',
            'BOSH_TEST_NGINX_HTTPS_URI': f'https://localhost:{self.ports["https"]}{path}',
            'BOSH_TEST_NGINX_CLIENT_HTTPS_URI': f'https://localhost:{self.ports["client"]}{path}',
            'BOSH_TEST_NGINX_WRONG_NAME_HTTPS_URI':
                f'https://localhost:{self.ports["wrong_name"]}{path}',
            'BOSH_TEST_NGINX_CA_FILE': self.certificates.authority,
            'BOSH_TEST_NGINX_CLIENT_CERTIFICATE': self._client[2],
            'BOSH_TEST_NGINX_PID': str(self.pid),
        }


class Haproxy(Server):
    """In front of the servers, with the settings of Debian's sample.

    The option `patience` is how long it waits for a response, 50 seconds in the
    sample: then it responds with 504.
    """

    name = 'haproxy'
    program = 'haproxy'
    port_names = ('http',)

    CONFIGURATION = '''
global
  maxconn 256
  log stderr format raw local0
defaults
  log global
  mode http
  option httplog
  option dontlognull
  timeout connect 5s
  timeout client {patience}
  timeout server {patience}
frontend front
  bind 127.0.0.1:{http}
  http-request return status 200 content-type text/html string "A page" if {{ path /page }}
{rules}
{backends}
'''

    def __init__(self, sandbox, _certificates, upstreams, options=None, _verbose=False):
        super().__init__(sandbox)
        self.upstreams = upstreams
        self.options = options or {}

    def configure(self):
        rules = ''.join(f'  use_backend {server.name} if {{ path {server.bosh_path} }}\n'
                        for server in self.upstreams)
        backends = ''.join(
            f'backend {server.name}\n  server {server.name} 127.0.0.1:{server.ports["http"]}\n'
            for server in self.upstreams)
        self.sandbox.write(self.CONFIGURATION.format(
            patience=self.options.get('patience', '50s'), http=self.ports['http'],
            rules=rules, backends=backends), self.name, 'haproxy.cfg')

    def command(self):
        return [self.executable, '-db', '-f', self.path('haproxy.cfg')]

    def is_responding(self):
        return shows_page(self.ports['http'])

    def environment(self):
        path = self.upstreams[0].bosh_path if self.upstreams else '/'
        return {'BOSH_TEST_HAPROXY_HTTP_URI': f'http://localhost:{self.ports["http"]}{path}'}


class Proxy(Server):
    """A proxy of the kind that a company has, which asks alice for her password."""

    port_names = ('http',)

    def __init__(self, sandbox, _certificates, _upstreams, options=None, _verbose=False):
        super().__init__(sandbox)
        self.options = options or {}

    def is_responding(self):
        """It refuses whoever has no password."""
        try:
            connection = http.client.HTTPConnection('127.0.0.1', self.ports['http'], timeout=10)
            connection.request('GET', 'http://localhost:1/')
            return connection.getresponse().status == 407
        except (OSError, http.client.HTTPException):
            return False

    def environment(self):
        return {f'BOSH_TEST_{self.name.upper()}_PROXY': f'127.0.0.1:{self.ports["http"]}'}


class Squid(Proxy):
    """The option `scheme` is Basic, Digest or NTLM."""

    name = 'squid'
    program = 'squid'

    CONFIGURATION = '''
http_port 127.0.0.1:{http}
pid_filename none
cache_log {directory}/cache.log
access_log none
cache deny all
coredump_dir {directory}
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname localhost
auth_param {scheme} program {program}
{more}
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
'''

    REALM = 'the proxy'

    def configure(self):
        scheme = self.options.get('scheme', 'basic').lower()
        digest = hashlib.md5(f'alice:{self.REALM}:{PASSWORD}'.encode()).hexdigest()
        hashed = subprocess.run([find_program('openssl'), 'passwd', '-apr1', PASSWORD],
                                check=True, capture_output=True, text=True).stdout
        passwords = self.sandbox.write(
            f'alice:{self.REALM}:{digest}\n' if scheme == 'digest' else 'alice:' + hashed,
            self.name, 'passwords')
        program = {
            'basic': f'/usr/lib/squid/basic_ncsa_auth {passwords}',
            'digest': f'/usr/lib/squid/digest_file_auth -c {passwords}',
            # It lets everybody in who knows how to ask.
            'ntlm': '/usr/lib/squid/ntlm_fake_auth',
        }[scheme]
        self.sandbox.write(self.CONFIGURATION.format(
            directory=self.directory, http=self.ports['http'], scheme=scheme, program=program,
            more='' if scheme == 'ntlm' else f'auth_param {scheme} realm {self.REALM}'),
            self.name, 'squid.conf')
        # As root it becomes another user, who has to come in here.
        os.chmod(self.sandbox.directory, 0o711)
        os.chmod(self.directory, 0o777)

    def command(self):
        return [self.executable, '-N', '-f', self.path('squid.conf')]


class Tinyproxy(Proxy):
    name = 'tinyproxy'
    program = 'tinyproxy'

    def configure(self):
        self.sandbox.write(
            f'Port {self.ports["http"]}\nListen 127.0.0.1\nTimeout 600\nMaxClients 100\n'
            f'LogFile "{self.log}"\nBasicAuth alice {PASSWORD}\n', self.name, 'tinyproxy.conf')

    def command(self):
        return [self.executable, '-d', '-c', self.path('tinyproxy.conf')]


class Servers:
    """Any choice of them, started together, as a context manager."""

    NAMES = ('prosody', 'ejabberd', 'nginx', 'haproxy', 'squid', 'tinyproxy')

    def __init__(self, names, user_count=0, options=None, verbose=False):
        """`options` maps a server's name to its tunables, name → text."""
        options = options or {}
        self.sandbox = Sandbox()
        self.servers = []
        try:
            certificates = Certificates(self.sandbox)
            for kind in (Prosody, Ejabberd):
                if kind.name in names:
                    self.servers.append(kind(
                        self.sandbox, certificates, user_count,
                        options.get(kind.name), verbose))
            self.upstreams = list(self.servers)
            for kind in (Nginx, Haproxy, Squid, Tinyproxy):
                if kind.name in names:
                    self.servers.append(kind(
                        self.sandbox, certificates, self.upstreams,
                        options.get(kind.name), verbose))
        except BaseException:
            self.sandbox.close()
            raise

    def __getitem__(self, name):
        return next(server for server in self.servers if server.name == name)

    def start(self):
        # The front needs to know the ports of those behind it.
        start(self.upstreams)
        start(self.servers[len(self.upstreams):])

    def environment(self):
        # Files of the command, removed with everything else.
        merged = {'BOSH_TEST_DIRECTORY': self.sandbox.make_directory('scratch')}
        for server in self.servers:
            merged.update(server.environment())
        return merged

    def log_tail(self):
        return '\n'.join(f'--- {server.name}\n{server.log_tail()}' for server in self.servers)

    def stop(self):
        for server in reversed(self.servers):
            server.stop()
        self.sandbox.close()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
