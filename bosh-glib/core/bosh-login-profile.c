/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-login-profile-private.h"

#include <string.h>

#include "bosh-element-private.h"
#include "bosh-namespaces-private.h"
#include "bosh-secret-clear-private.h"

/* More mechanisms of a server are ignored. */
#define MAX_MECHANISMS 64

const BoshLoginProfile bosh_login_profile_sasl = {
  .ns = BOSH_NS_SASL,
  .feature = "mechanisms",
  .start = "auth",
  .restarts = TRUE,
};

const BoshLoginProfile bosh_login_profile_sasl2 = {
  .ns = BOSH_NS_SASL2,
  .feature = "authentication",
  .start = "authenticate",
  .initial_response = "initial-response",
  .additional_data = "additional-data",
};

GStrv
bosh_login_profile_dup_mechanisms (const BoshLoginProfile *self,
                                   BoshElement            *features)
{
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new ();
  BoshElement *list = bosh_element_get_child (features, self->feature, self->ns);
  guint n_children = list != NULL ? bosh_element_get_n_children (list) : 0;
  guint n_mechanisms = 0;

  for (guint i = 0; i < n_children && n_mechanisms < MAX_MECHANISMS; i++)
    {
      BoshElement *child = bosh_element_get_nth_child (list, i);

      if (bosh_element_matches (child, "mechanism", self->ns))
        {
          g_autofree char *name = bosh_element_dup_text (child);

          g_strv_builder_add (builder, g_strstrip (name));
          n_mechanisms++;
        }
    }

  return g_strv_builder_end (builder);
}

gboolean
bosh_login_profile_can_bind (const BoshLoginProfile *self,
                             BoshElement            *features)
{
  BoshElement *list = bosh_element_get_child (features, self->feature, self->ns);
  BoshElement *extras = NULL;

  /* With a restart, a resource is bound after it. */
  if (list != NULL && !self->restarts)
    extras = bosh_element_get_child (list, "inline", BOSH_NS_SASL2);

  return extras != NULL && bosh_element_get_child (extras, "bind", BOSH_NS_BIND2) != NULL;
}

BoshElement *
bosh_login_profile_new_start (const BoshLoginProfile *self,
                              const char             *mechanism,
                              char                   *data,
                              gboolean                bind)
{
  BoshElement *element = bosh_element_new (self->start, self->ns);
  BoshElement *holder = element;

  bosh_element_set_attribute (element, "mechanism", mechanism);
  if (self->initial_response != NULL)
    {
      holder = bosh_element_add_new_child (element, self->initial_response, self->ns);
      /* A child without text is the empty response here (XEP-0388 §2.2). */
      if (strcmp (data, "=") == 0)
        data[0] = '\0';
    }
  if (data[0] != '\0')
    bosh_element_set_text (holder, data);
  bosh_element_mark_secret (element);
  bosh_secret_clear (&data);

  if (bind)
    bosh_element_add_new_child (element, "bind", BOSH_NS_BIND2);

  return element;
}

BoshElement *
bosh_login_profile_new_response (const BoshLoginProfile *self,
                                 char                   *data)
{
  BoshElement *element = bosh_element_new ("response", self->ns);

  if (data != NULL && data[0] != '\0')
    bosh_element_set_text (element, data);
  bosh_element_mark_secret (element);
  bosh_secret_clear (&data);

  return element;
}

BoshElement *
bosh_login_profile_new_abort (const BoshLoginProfile *self)
{
  return bosh_element_new ("abort", self->ns);
}

char *
bosh_login_profile_dup_data (const BoshLoginProfile *self,
                             BoshElement            *success)
{
  g_autofree char *data = NULL;

  if (self->additional_data != NULL)
    data = bosh_element_dup_child_text (success, self->additional_data, self->ns);
  else
    data = bosh_element_dup_text (success);

  return data != NULL && data[0] != '\0' ? g_steal_pointer (&data) : NULL;
}

gboolean
bosh_login_profile_is_bound (const BoshLoginProfile  *self,
                             BoshElement             *success,
                             char                   **jid)
{
  if (bosh_element_get_child (success, "bound", BOSH_NS_BIND2) == NULL)
    return FALSE;

  *jid = bosh_element_dup_child_text (success, "authorization-identifier", self->ns);

  return TRUE;
}
