/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-login-private.h"

#include <string.h>

#include "bosh-element-private.h"
#include "bosh-error-private.h"
#include "bosh-i18n-private.h"
#include "bosh-jid-private.h"
#include "bosh-limits-private.h"
#include "bosh-login-profile-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-secret-clear-private.h"
#include "bosh-stanza-private.h"
#include "bosh-xml-text-private.h"

/* No other request is under way in the stream during a login, so fixed ids are
 * unique in it (RFC 6120 §8.1.3). */
#define BIND_ID "bosh-login-bind"
#define SESSION_ID "bosh-login-session"

/*
 *  FEATURES ──auth──→ AUTHENTICATING ──success──→ AUTHENTICATED ──features──→ BINDING
 *                       ↑ response │ slow challenge                             │
 *                       └────── COMPUTING                         ┌─────────────┤
 *                                                              SESSION          │
 *  any of them ──failure──→ OVER ←────────────────────────────────┴─────────────┘
 *
 * Where success binds a resource too, the login is over with it. Where requests
 * are pipelined, BINDING follows success, and the features come then.
 */
typedef enum
{
  /* The features of the first stream are awaited. */
  STATE_FEATURES,
  /* `<auth/>`, `<authenticate/>` or `<response/>` was sent. */
  STATE_AUTHENTICATING,
  /* The response for which the server waits is being computed. */
  STATE_COMPUTING,
  /* The features that offer to bind are awaited: those of the second stream, or
   * those that follow success. */
  STATE_AUTHENTICATED,
  STATE_BINDING,
  STATE_SESSION,
  STATE_OVER,
} BoshLoginState;

struct _BoshLogin
{
  BoshLoginState       state;

  char                *domain;
  BoshSaslCredentials  credentials;
  char                *username;
  char                *password;         /* NULL once the mechanism has it */
  char                *salted_password;  /* likewise; after success, that of this login */
  char                *resource;
  const char          *weakest;          /* nullable */
  gboolean             allow_plaintext;
  gboolean             pipelines;
  gboolean             avoids_sasl2;

  /* NULL until the first features arrived. */
  const BoshLoginProfile *profile;
  const char          *mechanism;
  gboolean             binds_inline;    /* a resource is bound with the authentication */
  gboolean             has_alternative; /* the mechanism is offered by RFC 6120, too */
  char                *jid;             /* NULL until a resource was bound */
  const char          *request_id;      /* of the last iq that was sent */
  gboolean             knows_features;  /* those that follow success arrived */
  gboolean             needs_session;   /* they demand the session of RFC 3921 */

  /* TRUE from COMPUTE until the result was handled. The state may go on to OVER in
   * the meantime, but the members below belong to the computation until then. */
  gboolean             computing;
  BoshSasl            *sasl;
  char                *challenge;
  char                *response;
  GError              *step_error;

  GQueue               actions;
};

static BoshLoginAction *
push_action (BoshLogin           *self,
             BoshLoginActionType  type)
{
  BoshLoginAction *action = g_new0 (BoshLoginAction, 1);

  action->type = type;
  g_queue_push_tail (&self->actions, action);

  return action;
}

static void
free_action (BoshLoginAction *action)
{
  g_clear_pointer (&action->element, bosh_element_unref);
  g_clear_error (&action->error);
  g_free (action->jid);
  g_free (action);
}

/* @element is (transfer full). */
static void
send_element (BoshLogin   *self,
              BoshElement *element)
{
  push_action (self, BOSH_LOGIN_ACTION_SEND)->element = element;
}

static void
end (BoshLogin *self)
{
  self->state = STATE_OVER;
  bosh_secret_clear (&self->password);
  if (!self->computing)
    g_clear_pointer (&self->sasl, bosh_sasl_free);
}

/* @error is (transfer full). */
static void
fail (BoshLogin *self,
      GError    *error)
{
  end (self);
  bosh_secret_clear (&self->salted_password);
  push_action (self, BOSH_LOGIN_ACTION_FAILED)->error = error;
}

static void
fail_literal (BoshLogin  *self,
              BoshError   code,
              const char *message)
{
  fail (self, g_error_new_literal (BOSH_ERROR, code, message));
}

gboolean
bosh_login_can_fall_back (BoshLogin *self)
{
  return self->state == STATE_AUTHENTICATING && self->profile == &bosh_login_profile_sasl2 &&
         self->has_alternative;
}

void
bosh_login_fall_back (BoshLogin *self)
{
  g_return_if_fail (bosh_login_can_fall_back (self));

  end (self);
  push_action (self, BOSH_LOGIN_ACTION_FALL_BACK);
}

static void
succeed (BoshLogin *self)
{
  end (self);
  push_action (self, BOSH_LOGIN_ACTION_READY)->jid = g_strdup (self->jid);
}

/* A server that takes the place of the one before, or of which somebody has removed the
 * better mechanisms on the way, gets no password. */
static gboolean
check_strength (BoshLogin           *self,
                const char * const  *offered,
                GError             **error)
{
  g_autofree char *joined = NULL;
  g_autofree char *list = NULL;
  gboolean is_weaker = FALSE;

  if (self->weakest == NULL)
    return TRUE;

  for (guint i = 0; offered[i] != NULL; i++)
    {
      if (strcmp (offered[i], self->weakest) == 0 || bosh_sasl_is_weaker (self->weakest, offered[i]))
        return TRUE;
      is_weaker |= bosh_sasl_is_weaker (offered[i], self->weakest);
    }
  /* Nothing fits, of which the error is another one. */
  if (!is_weaker)
    return TRUE;

  joined = g_strjoinv (", ", (char **)offered);
  list = bosh_error_clean_text (joined, -1);
  g_set_error (error, BOSH_ERROR, BOSH_ERROR_INSECURE_MECHANISM,
               _("The server offers only weaker authentication than %s, which it had offered "
                 "before (offered: %s)"),
               self->weakest, list);

  return FALSE;
}

/* The mechanism is the best of both lists, so that it does not depend on the
 * profile. A server with XEP-0388 may leave out the list of RFC 6120. */
static gboolean
choose_mechanism (BoshLogin    *self,
                  BoshElement  *features,
                  GError      **error)
{
  g_auto(GStrv) in_sasl = NULL;
  g_auto(GStrv) in_sasl2 = NULL;
  g_auto(GStrv) offered = NULL;
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new ();

  in_sasl = bosh_login_profile_dup_mechanisms (&bosh_login_profile_sasl, features);
  in_sasl2 = self->avoids_sasl2
               ? g_new0 (char *, 1)
               : bosh_login_profile_dup_mechanisms (&bosh_login_profile_sasl2, features);
  g_strv_builder_addv (builder, (const char **)in_sasl);
  for (guint i = 0; in_sasl2[i] != NULL; i++)
    {
      if (!g_strv_contains ((const char * const *)in_sasl, in_sasl2[i]))
        g_strv_builder_add (builder, in_sasl2[i]);
    }
  offered = g_strv_builder_end (builder);
  if (!check_strength (self, (const char * const *)offered, error))
    return FALSE;

  self->sasl = bosh_sasl_new ((const char * const *)offered,
                              self->credentials, self->username,
                              self->password, self->allow_plaintext, error);
  bosh_secret_clear (&self->password);
  if (self->sasl == NULL)
    return FALSE;

  self->mechanism = bosh_sasl_get_mechanism (self->sasl);
  if (g_strv_contains ((const char * const *)in_sasl2, self->mechanism))
    self->profile = &bosh_login_profile_sasl2;
  else
    self->profile = &bosh_login_profile_sasl;
  self->has_alternative = g_strv_contains ((const char * const *)in_sasl, self->mechanism);

  /* With XEP-0386 the server alone chooses the resource. */
  self->binds_inline = self->resource == NULL &&
                       bosh_login_profile_can_bind (self->profile, features);

  return TRUE;
}

/* RFC 6120 §6.4.2. STARTTLS is ignored (XEP-0206 §4). So is an offer to bind
 * without an authentication, as the server would not have to prove that it knows
 * the password. */
static void
start_authentication (BoshLogin   *self,
                      BoshElement *features)
{
  char *data = NULL;
  GError *error = NULL;

  /* This must fail before the name and password are sent, not when the resource
   * is bound. */
  if (self->resource != NULL && !bosh_xml_is_valid_text (self->resource, -1))
    {
      fail_literal (self, BOSH_ERROR_LOGIN_FAILED,
                    _("The resource has characters that XML does not allow"));
      return;
    }

  if (self->resource != NULL && strlen (self->resource) > BOSH_JID_MAX_PART)
    {
      fail_literal (self, BOSH_ERROR_LOGIN_FAILED, _("The resource is too long"));
      return;
    }

  if (!choose_mechanism (self, features, &error))
    {
      fail (self, error);
      return;
    }

  /* XEP-0305 §4. */
  if (bosh_element_get_child (features, "pipelining", BOSH_NS_PIPELINING) != NULL)
    self->pipelines = TRUE;

  bosh_sasl_set_salted_password (self->sasl, self->salted_password);
  bosh_secret_clear (&self->salted_password);
  if (!bosh_sasl_step (self->sasl, NULL, &data, &error))
    {
      fail (self, error);
      return;
    }

  send_element (self, bosh_login_profile_new_start (self->profile, self->mechanism, data,
                                                    self->binds_inline));
  self->state = STATE_AUTHENTICATING;
}

/* Sends the result of the step. */
static void
respond (BoshLogin *self)
{
  g_clear_pointer (&self->challenge, g_free);

  if (self->step_error != NULL)
    {
      /* The server waits for a response (RFC 6120 §6.4.4). */
      send_element (self, bosh_login_profile_new_abort (self->profile));
      fail (self, g_steal_pointer (&self->step_error));
    }
  else
    {
      send_element (self, bosh_login_profile_new_response (self->profile,
                                                           g_steal_pointer (&self->response)));
      self->state = STATE_AUTHENTICATING;
    }
}

static void
handle_challenge (BoshLogin   *self,
                  BoshElement *element)
{
  self->challenge = bosh_element_dup_text (element);

  if (bosh_sasl_is_slow (self->sasl, self->challenge))
    {
      self->state = STATE_COMPUTING;
      self->computing = TRUE;
      push_action (self, BOSH_LOGIN_ACTION_COMPUTE);
    }
  else
    {
      bosh_login_compute (self);
      respond (self);
    }
}

static void
send_request (BoshLogin   *self,
              const char  *id,
              BoshElement *payload)
{
  BoshElement *iq = bosh_element_new ("iq", BOSH_NS_CLIENT);

  bosh_element_set_attribute (iq, "type", "set");
  bosh_element_set_attribute (iq, "id", id);
  bosh_element_add_child (iq, payload);
  send_element (self, iq);
  self->request_id = id;
}

/* RFC 6120 §7. */
static void
send_bind (BoshLogin *self)
{
  g_autoptr(BoshElement) bind = bosh_element_new ("bind", BOSH_NS_BIND);

  if (self->resource != NULL)
    {
      BoshElement *child = bosh_element_add_new_child (bind, "resource", BOSH_NS_BIND);

      bosh_element_set_text (child, self->resource);
    }
  send_request (self, BIND_ID, bind);
  self->state = STATE_BINDING;
}

/* Returns FALSE if the login has failed. Only a server that does not mark the
 * session of RFC 3921 §3 as optional demands it. */
static gboolean
take_features (BoshLogin   *self,
               BoshElement *features)
{
  BoshElement *session;

  if (bosh_element_get_child (features, "bind", BOSH_NS_BIND) == NULL)
    {
      fail_literal (self, BOSH_ERROR_LOGIN_FAILED,
                    _("The server offers no resource binding"));
      return FALSE;
    }

  session = bosh_element_get_child (features, "session", BOSH_NS_SESSION);
  self->knows_features = TRUE;
  self->needs_session =
    session != NULL &&
    bosh_element_get_child (session, "optional", BOSH_NS_SESSION) == NULL;

  return TRUE;
}

/* Where requests are pipelined, the response to the bind request and the features
 * may arrive in any order. */
static void
go_on_if_bound (BoshLogin *self)
{
  if (self->jid == NULL || !self->knows_features)
    return;

  if (self->needs_session)
    {
      g_autoptr(BoshElement) session = bosh_element_new ("session", BOSH_NS_SESSION);

      send_request (self, SESSION_ID, session);
      self->state = STATE_SESSION;
    }
  else
    succeed (self);
}

/* A rough check. The server is responsible for the rules of each part. */
static gboolean
is_full_jid (const char *jid)
{
  const char *slash = strchr (jid, '/');
  const char *at;
  const char *domain;

  if (slash == NULL || slash[1] == '\0' || strlen (jid) > BOSH_JID_MAX_LENGTH)
    return FALSE;

  for (const char *p = jid; p < slash; p++)
    {
      if (g_ascii_isspace (*p))
        return FALSE;
    }

  at = memchr (jid, '@', slash - jid);
  domain = at != NULL ? at + 1 : jid;

  return at != jid && domain < slash;
}

/* Returns FALSE if the login has failed. */
static gboolean
take_jid (BoshLogin  *self,
          const char *jid)
{
  if (jid == NULL || !is_full_jid (jid))
    {
      fail_literal (self, BOSH_ERROR_LOGIN_FAILED,
                    _("The server bound a resource without a valid address"));
      return FALSE;
    }

  self->jid = g_strdup (jid);

  return TRUE;
}

/* RFC 6120 §6.4.6, XEP-0388 §2.6.1. */
static void
handle_success (BoshLogin   *self,
                BoshElement *element)
{
  g_autofree char *data = bosh_login_profile_dup_data (self->profile, element);
  g_autofree char *jid = NULL;
  GError *error = NULL;

  if (!bosh_sasl_succeed (self->sasl, data, &error))
    {
      fail (self, error);
      return;
    }

  self->salted_password = bosh_sasl_steal_salted_password (self->sasl);
  g_clear_pointer (&self->sasl, bosh_sasl_free);

  /* If the server did not bind, though it offered to, a resource is bound by RFC
   * 6120. */
  if (self->binds_inline && bosh_login_profile_is_bound (self->profile, element, &jid))
    {
      if (take_jid (self, jid))
        succeed (self);
      return;
    }

  self->state = STATE_AUTHENTICATED;
  if (self->profile->restarts)
    {
      push_action (self, BOSH_LOGIN_ACTION_RESTART);
      if (self->pipelines)
        send_bind (self);
    }
}

static void
abort_with (BoshLogin  *self,
            const char *message)
{
  if (self->state == STATE_AUTHENTICATING || self->state == STATE_COMPUTING)
    send_element (self, bosh_login_profile_new_abort (self->profile));
  fail_literal (self, BOSH_ERROR_LOGIN_FAILED, message);
}

/* RFC 6120 §6.4.5, XEP-0388 §2.6.2. A mechanism that was offered and is not valid after all
 * is another way not to carry it out: mod_sasl2 of Debian 12 does so after a login that has
 * failed. */
static void
handle_failure (BoshLogin   *self,
                BoshElement *element)
{
  g_autoptr(GError) error = bosh_sasl_error_new_for_failure (element);

  if (g_error_matches (error, BOSH_SASL_ERROR, BOSH_SASL_ERROR_INVALID_MECHANISM) &&
      bosh_login_can_fall_back (self))
    bosh_login_fall_back (self);
  else
    fail (self, g_steal_pointer (&error));
}

static void
handle_sasl_element (BoshLogin   *self,
                     BoshElement *element)
{
  gboolean is_known = self->profile != NULL &&
                      bosh_element_matches (element, NULL, self->profile->ns);
  gboolean waiting = is_known && self->state == STATE_AUTHENTICATING;
  gboolean under_way = waiting || (is_known && self->state == STATE_COMPUTING);

  /* For instance the response to an `<abort/>`. */
  if (self->state == STATE_OVER)
    return;

  if (waiting && bosh_element_matches (element, "challenge", NULL))
    handle_challenge (self, element);
  else if (waiting && bosh_element_matches (element, "success", NULL))
    handle_success (self, element);
  else if (under_way && bosh_element_matches (element, "failure", NULL))
    handle_failure (self, element);
  else if (waiting && bosh_element_matches (element, "continue", BOSH_NS_SASL2))
    abort_with (self, _("The server wants more than the authentication, such as a second "
                        "factor, which is not supported"));
  else
    abort_with (self, _("The server sent an element of authentication where none "
                        "belongs"));
}

static void
handle_bind_result (BoshLogin   *self,
                    BoshElement *iq)
{
  BoshElement *bind = bosh_element_get_child (iq, "bind", BOSH_NS_BIND);
  g_autofree char *jid = NULL;

  if (bind != NULL)
    jid = bosh_element_dup_child_text (bind, "jid", BOSH_NS_BIND);

  if (take_jid (self, jid))
    go_on_if_bound (self);
}

static void
handle_response (BoshLogin   *self,
                 BoshElement *iq)
{
  gboolean is_error = strcmp (bosh_element_get_attribute (iq, "type"), "error") == 0;
  GError *error;

  switch (self->state)
    {
    case STATE_BINDING:
    case STATE_SESSION:
      /* The response was given twice: a resource is bound already, and the features
       * are still awaited. */
      if (self->state == STATE_BINDING && self->jid != NULL)
        break;

      if (is_error)
        {
          error = bosh_stanza_error_new_for_stanza (iq);
          g_prefix_error_literal (&error,
                                  self->state == STATE_BINDING
                                    ? _("The server bound no resource: ")
                                    : _("The server began no session: "));
          fail (self, error);
        }
      else if (self->state == STATE_BINDING)
        handle_bind_result (self, iq);
      else
        succeed (self);
      break;

    case STATE_FEATURES:
    case STATE_AUTHENTICATING:
    case STATE_COMPUTING:
    case STATE_AUTHENTICATED:
    case STATE_OVER:
    default:
      /* The response was given twice. */
      break;
    }
}

/* Before a resource is bound only the server can reach us (RFC 6120 §7.1), and how
 * it calls the account is not known yet: so any address of the domain is
 * accepted. */
static gboolean
is_from_server (BoshLogin  *self,
                const char *from)
{
  g_autofree char *domain = NULL;

  if (from == NULL || from[0] == '\0')
    return TRUE;
  if (self->jid != NULL)
    return bosh_jid_may_respond (from, NULL, self->domain, self->jid);

  domain = bosh_jid_dup_domain (from);

  return bosh_jid_equal (domain, self->domain);
}

static gboolean
is_response (BoshLogin   *self,
             BoshElement *element)
{
  const char *type;

  if (self->request_id == NULL ||
      !bosh_element_matches_or_inherits (element, "iq", BOSH_NS_CLIENT) ||
      g_strcmp0 (bosh_element_get_attribute (element, "id"), self->request_id) != 0)
    return FALSE;

  type = bosh_element_get_attribute (element, "type");

  return (g_strcmp0 (type, "result") == 0 || g_strcmp0 (type, "error") == 0) &&
         is_from_server (self, bosh_element_get_attribute (element, "from"));
}

BoshLogin *
bosh_login_new (const BoshLoginParameters *parameters)
{
  BoshLogin *self = g_new0 (BoshLogin, 1);

  self->state = STATE_FEATURES;
  self->domain = g_strdup (parameters->domain);
  self->credentials = parameters->credentials;
  self->username = g_strdup (parameters->username);
  self->password = g_strdup (parameters->password);
  self->salted_password = g_strdup (parameters->salted_password);
  if (parameters->resource != NULL && parameters->resource[0] != '\0')
    self->resource = g_strdup (parameters->resource);
  self->weakest = parameters->weakest;
  self->allow_plaintext = parameters->allow_plaintext;
  self->pipelines = parameters->pipeline;
  self->avoids_sasl2 = parameters->avoid_sasl2;
  g_queue_init (&self->actions);

  return self;
}

void
bosh_login_free (BoshLogin *self)
{
  g_queue_clear_full (&self->actions, (GDestroyNotify)free_action);
  g_clear_pointer (&self->sasl, bosh_sasl_free);
  g_clear_error (&self->step_error);
  bosh_secret_clear (&self->response);
  bosh_secret_clear (&self->password);
  bosh_secret_clear (&self->salted_password);
  g_free (self->challenge);
  g_free (self->domain);
  g_free (self->username);
  g_free (self->resource);
  g_free (self->jid);
  g_free (self);
}

void
bosh_login_handle_features (BoshLogin   *self,
                            BoshElement *features)
{
  switch (self->state)
    {
    case STATE_FEATURES:
      start_authentication (self, features);
      break;

    case STATE_AUTHENTICATED:
      if (take_features (self, features))
        send_bind (self);
      break;

    case STATE_BINDING:
      if (!self->knows_features && take_features (self, features))
        go_on_if_bound (self);
      break;

    case STATE_AUTHENTICATING:
    case STATE_COMPUTING:
    case STATE_SESSION:
    case STATE_OVER:
    default:
      /* Features may arrive in any response (XEP-0206 §4), so also in two. */
      break;
    }
}

gboolean
bosh_login_handle_element (BoshLogin   *self,
                           BoshElement *element)
{
  if (bosh_element_is_sasl (element))
    handle_sasl_element (self, element);
  else if (is_response (self, element))
    handle_response (self, element);
  else
    return FALSE;

  return TRUE;
}

void
bosh_login_compute (BoshLogin *self)
{
  bosh_sasl_step (self->sasl, self->challenge, &self->response, &self->step_error);
}

void
bosh_login_handle_computed (BoshLogin *self)
{
  g_return_if_fail (self->computing);

  self->computing = FALSE;
  if (self->state == STATE_COMPUTING)
    respond (self);
  else
    end (self);
}

gboolean
bosh_login_next_action (BoshLogin       *self,
                        BoshLoginAction *action)
{
  BoshLoginAction *next = g_queue_pop_head (&self->actions);

  if (next == NULL)
    return FALSE;

  *action = *next;
  g_free (next);

  return TRUE;
}

const char *
bosh_login_get_mechanism (BoshLogin *self)
{
  return self->mechanism;
}

gboolean
bosh_login_is_pipelined (BoshLogin *self)
{
  return self->pipelines && self->profile != NULL && self->profile->restarts;
}

const char *
bosh_login_get_salted_password (BoshLogin *self)
{
  return self->salted_password;
}
