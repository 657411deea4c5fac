/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Logs in, and hands the session over: prints the JID, SID and RID with which
 * another program attaches to it.
 *
 *   prebind-vala URI DOMAIN [USERNAME [RESOURCE]]
 *
 * Without a user name the login is anonymous. Environment: BOSH_PASSWORD;
 * BOSH_KEY_SEQUENCE, if set, asks for one; BOSH_CA_FILE is who is trusted.
 */

async void prebind (string uri, string domain, string? username, string? resource) throws Error
{
  var ca_file = Environment.get_variable ("BOSH_CA_FILE");
  TlsDatabase? database = ca_file != null ? TlsFileDatabase.@new (ca_file) : null;
  var configuration = (Bosh.ConnectionConfiguration) Object.new (
    typeof (Bosh.ConnectionConfiguration),
    uri: uri,
    use_key_sequence: Environment.get_variable ("BOSH_KEY_SEQUENCE") != null,
    tls_database: database);
  var client = new Bosh.Client (domain, configuration);

  string? password = username != null ? Environment.get_variable ("BOSH_PASSWORD") : null;
  var session = yield client.prebind_async (username, password, resource, null);

  stdout.printf ("JID: %s\n", session.get_jid ());
  stdout.printf ("SID: %s\n", session.get_session_id ());
  stdout.printf ("RID: %" + uint64.FORMAT + "\n", session.get_request_id ());
}

int main (string[] args)
{
  var loop = new MainLoop ();
  int status = 0;

  if (args.length < 3 || (args.length > 3 && Environment.get_variable ("BOSH_PASSWORD") == null))
    {
      stderr.printf ("Usage: BOSH_PASSWORD=… prebind-vala URI DOMAIN [USERNAME [RESOURCE]]\n");
      return 2;
    }

  prebind.begin (args[1], args[2], args[3], args.length > 4 ? args[4] : null, (object, result) =>
    {
      try
        {
          prebind.end (result);
        }
      catch (Error error)
        {
          stderr.printf ("%s\n", error.message);
          status = 1;
        }
      loop.quit ();
    });
  loop.run ();

  return status;
}
