/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "bosh-login-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-test-sasl.h"

G_BEGIN_DECLS

/* What is said in a login, step by step. */

#define FEATURES(content) "<features xmlns='" BOSH_NS_STREAMS "'>" content "</features>"
#define MECHANISM(name) "<mechanism>" name "</mechanism>"
#define MECHANISMS(content) "<mechanisms xmlns='" BOSH_NS_SASL "'>" content "</mechanisms>"
#define OFFER(name) FEATURES (MECHANISMS (MECHANISM (name)))
#define SASL(name, content) "<" name " xmlns='" BOSH_NS_SASL "'>" content "</" name ">"
#define AUTH(mechanism, data) \
  "<auth xmlns='" BOSH_NS_SASL "' mechanism='" mechanism "'>" data "</auth>"
#define BIND(content) "<bind xmlns='" BOSH_NS_BIND "'>" content "</bind>"
#define SESSION(content) "<session xmlns='" BOSH_NS_SESSION "'>" content "</session>"
#define IQ(attributes, content) "<iq xmlns='jabber:client' " attributes ">" content "</iq>"
#define BIND_SET(content) IQ ("type='set' id='bosh-login-bind'", BIND (content))
#define BIND_RESULT(jid) \
  IQ ("type='result' id='bosh-login-bind'", BIND ("<jid>" jid "</jid>"))
#define SESSION_SET IQ ("type='set' id='bosh-login-session'", SESSION (""))
#define STANZA_ERROR(condition) \
  "<error type='cancel'><" condition " xmlns='" BOSH_NS_STANZA_ERRORS "'/></error>"

typedef enum
{
  END,
  /* Given to the login. */
  FEATURES_COME,
  TAKEN,
  NOT_TAKEN,
  /* Expected of it. */
  SENT,
  RESTARTED,
  READY,
  FAILED,
} StepType;

typedef struct
{
  StepType    type;
  const char *text;  /* an element, the JID, or a part of the error message */
} Step;

typedef struct
{
  const char          *name;
  const char          *summary;
  BoshSaslCredentials  credentials;
  gboolean             no_resource;
  gboolean             no_plaintext;
  gboolean             pipeline;
  GQuark             (*domain) (void);
  int                  code;
  Step                 steps[16];
} Transcript;

/* The user "user" of example.com, with the password "pencil". */
extern const BoshLoginParameters bosh_test_login_parameters;

/* As tests `/bosh/PREFIX/NAME`. */
void         bosh_test_add_transcripts  (const char       *prefix,
                                         const Transcript *transcripts,
                                         gsize             n_transcripts);

BoshElement *bosh_test_parse            (const char          *text);
void         bosh_test_give_features    (BoshLogin  *login,
                                         const char *text);
gboolean     bosh_test_give_element     (BoshLogin  *login,
                                         const char *text);

/* What the login does next. */
void         bosh_test_take_action      (BoshLogin           *login,
                                         BoshLoginActionType  type,
                                         BoshLoginAction     *action);
void         bosh_test_assert_action    (BoshLogin           *login,
                                         BoshLoginActionType  type);
void         bosh_test_assert_no_action (BoshLogin           *login);
void         bosh_test_assert_sent      (BoshLogin  *login,
                                         const char *text);
void         bosh_test_assert_ready     (BoshLogin  *login,
                                         const char *jid);
/* Nothing comes after it. */
void         bosh_test_assert_failed    (BoshLogin  *login,
                                         GQuark      domain,
                                         int         code,
                                         const char *part);

void         bosh_test_clear_action     (BoshLoginAction     *action);

/* Of 64 mechanisms that are listed between @start and @end, the last is seen; of
 * 65 it is not. */
void         bosh_test_bounds_mechanisms (const char *start,
                                          const char *end);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BoshLoginAction, bosh_test_clear_action)

G_END_DECLS
