/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "floor.h"

#include <string.h>

#define HTTPBIND "http://jabber.org/protocol/httpbind"
#define WINDOW 2

/* What the last request of a login was, or that it is over. */
enum
{
  CREATION,
  AUTHENTICATION,
  RESTART,
  BINDING,
  READY,
};

static void
post (Floor      *self,
      const char *attributes,
      const char *payload)
{
  GString *body = g_string_sized_new (256 + strlen (payload));

  g_string_append_printf (body, "<body xmlns='" HTTPBIND "' rid='%" G_GUINT64_FORMAT "'", self->rid++);
  if (self->sid != NULL)
    g_string_append_printf (body, " sid='%s'", self->sid);
  g_string_append (body, attributes);
  g_string_append_c (body, '>');
  g_string_append (body, payload);
  g_string_append (body, "</body>");

  self->in_flight++;
  floor_post (self, body);
}

/* What stands between two texts; the program ends if they are not there. */
static char *
cut (const char *text,
     const char *before,
     const char *after)
{
  const char *start = strstr (text, before);
  const char *end = start != NULL ? strstr (start + strlen (before), after) : NULL;

  if (end == NULL)
    {
      bench_failed (text);
      return NULL;
    }

  return g_strndup (start + strlen (before), end - (start + strlen (before)));
}

static void
authenticate (Floor *self)
{
  g_autoptr(GString) secret = g_string_new (NULL);
  g_autofree char *encoded = NULL;
  g_autofree char *payload = NULL;

  g_string_append_c (secret, '\0');
  g_string_append (secret, self->account.user);
  g_string_append_c (secret, '\0');
  g_string_append (secret, self->account.password);
  encoded = g_base64_encode ((const guchar *)secret->str, secret->len);
  payload = g_strdup_printf ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
                             "mechanism='PLAIN'>%s</auth>",
                             encoded);
  post (self, "", payload);
}

static void
restart (Floor *self)
{
  g_autofree char *attributes = NULL;

  attributes = g_strdup_printf (" to='%s' xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'",
                                self->account.domain);
  post (self, attributes, "");
}

static void
bind_resource (Floor *self)
{
  g_autofree char *payload = NULL;

  payload = g_strdup_printf ("<iq xmlns='jabber:client' type='set' id='b1'>"
                             "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                             "<resource>%s</resource></bind></iq>",
                             self->account.resource);
  post (self, "", payload);
}

static guint
count_messages (const char *text)
{
  guint count = 0;

  while ((text = strstr (text, "<message ")) != NULL)
    {
      count++;
      text += strlen ("<message ");
    }

  return count;
}

void
floor_flush (gpointer client)
{
  Floor *self = client;

  if (self->queue->len > 0 && self->in_flight < WINDOW)
    {
      g_autoptr(GString) queue = g_steal_pointer (&self->queue);

      self->queue = g_string_new (NULL);
      post (self, "", queue->str);
    }
  else if (self->in_flight == 0)
    {
      post (self, "", "");
    }
}

void
floor_respond (Floor      *self,
               const char *text)
{
  guint count;

  self->in_flight--;
  switch (self->stage++)
    {
    case CREATION:
      self->sid = cut (text, " sid='", "'");
      authenticate (self);
      break;

    case AUTHENTICATION:
      g_free (cut (text, "<success", ">"));
      restart (self);
      break;

    case RESTART:
      bind_resource (self);
      break;

    case BINDING:
      self->jid = cut (text, "<jid>", "</jid>");
      bench_ready (self->session, self->jid);
      floor_flush (self);
      break;

    case READY:
    default:
      self->stage = READY;
      if (strstr (text, " type='terminate'") != NULL)
        bench_failed (text);
      count = count_messages (text);
      if (count > 0)
        bench_received (self->session, count);
      floor_flush (self);
      break;
    }
}

void
floor_send (gpointer    client,
            const char *text)
{
  Floor *self = client;

  g_string_append_printf (self->queue,
                          "<message xmlns='jabber:client' to='%s' type='chat'>"
                          "<body>%s</body></message>",
                          self->jid, text);
}

gpointer
floor_login (const BenchAccount *account,
             BenchSession       *session)
{
  Floor *self = g_new0 (Floor, 1);
  g_autofree char *attributes = NULL;

  self->session = session;
  self->account = *account;
  self->rid = 1000000;
  self->queue = g_string_new (NULL);

  attributes = g_strdup_printf (" to='%s' xml:lang='en' ver='1.11' wait='55' hold='1' "
                                "xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'",
                                account->domain);
  post (self, attributes, "");

  return self;
}

void
floor_free (Floor *self)
{
  g_string_free (self->queue, TRUE);
  g_free (self->sid);
  g_free (self->jid);
  g_free (self);
}
