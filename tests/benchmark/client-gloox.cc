/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* gloox, where Debian has it. */

#include "bench-work.h"

#include <gloox/client.h>
#include <gloox/connectionbosh.h>
#include <gloox/connectionlistener.h>
#include <gloox/connectiontcpclient.h>
#include <gloox/message.h>
#include <gloox/messagehandler.h>

#include <list>
#include <string>

namespace
{

/* Time in microseconds that one session waits for something. With many it is
 * the others' turn at once. */
const int PATIENCE = 100000;

class Session : public gloox::ConnectionListener, public gloox::MessageHandler
{
public:
  Session (const BenchAccount *account, BenchSession *session)
    : session (session),
      client (gloox::JID (std::string (account->user) + "@" + account->domain + "/" +
                          account->resource),
              account->password)
  {
    const std::string host = std::string (account->host) + ":" + std::to_string (account->port);
    gloox::ConnectionTCPClient *tcp =
      new gloox::ConnectionTCPClient (client.logInstance (), account->host, account->port);
    gloox::ConnectionBOSH *bosh =
      new gloox::ConnectionBOSH (&client, tcp, client.logInstance (), host, account->domain);

    bosh->setPath (account->path);
    client.registerConnectionListener (this);
    client.registerMessageHandler (this);
    client.setConnectionImpl (bosh);
    client.setTls (gloox::TLSDisabled);
    client.setSASLMechanisms (gloox::SaslMechPlain);
    client.setCompression (false);
    client.disableRoster ();
    client.connect (false);
  }

  ~Session ()
  {
    client.removeConnectionListener (this);
    client.removeMessageHandler (this);
  }

  void onConnect () override
  {
    bench_ready (session, client.jid ().full ().c_str ());
  }

  void onDisconnect (gloox::ConnectionError error) override
  {
    bench_failed (("gloox was disconnected: " + std::to_string (error)).c_str ());
  }

  bool onTLSConnect (const gloox::CertInfo &) override
  {
    return true;
  }

  void handleMessage (const gloox::Message &message, gloox::MessageSession *) override
  {
    if (!message.body ().empty ())
      bench_received (session, 1);
  }

  BenchSession *session;
  gloox::Client client;
};

std::list<Session *> sessions;

gpointer
login (const BenchAccount *account, BenchSession *session)
{
  sessions.push_back (new Session (account, session));

  return sessions.back ();
}

void
send_message (gpointer client, const char *text)
{
  Session *self = static_cast<Session *> (client);

  self->client.send (gloox::Message (gloox::Message::Chat, self->client.jid (), text));
}

void
flush (gpointer)
{
}

void
close_client (gpointer client)
{
  Session *self = static_cast<Session *> (client);

  sessions.remove (self);
  delete self;
}

void
iterate ()
{
  const int patience = sessions.size () == 1 ? PATIENCE : 0;

  for (Session *session : std::list<Session *> (sessions))
    if (session->client.recv (patience) != gloox::ConnNoError)
      bench_failed ("gloox can't receive");
  if (patience == 0)
    g_usleep (1000);
}

}

int
main (int argc, char *argv[])
{
  static const BenchDriver driver = { login, send_message, flush, close_client, iterate };

  return bench_main (argc, argv, &driver);
}
