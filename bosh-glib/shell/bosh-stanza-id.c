/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "bosh-stanza-id-private.h"

#include <errno.h>
#include <unistd.h>

#include "bosh-element-private.h"
#include "bosh-namespaces-private.h"

/* Without padding in base64. */
#define ID_BYTES 15

/* Others can't guess it (RFC 6120 §8.1.3), nor conclude from the ids that they have seen on
 * those that others get, as they could with g_random_int() and g_uuid_string_random(). */
static char *
new_id (void)
{
  guint8 bytes[ID_BYTES];

  if (getentropy (bytes, sizeof bytes) != 0)
    g_error ("No randomness: %s", g_strerror (errno));

  return g_base64_encode (bytes, sizeof bytes);
}

/* An error or a result must have the id of what it replies to, so it gets none of its own. A
 * presence is known again by the address of the contact or room that sends the error. */
static gboolean
lacks_id (BoshElement *stanza)
{
  const char *type;

  if (bosh_element_matches_or_inherits (stanza, "message", BOSH_NS_CLIENT))
    {
      if (bosh_element_get_attribute (stanza, "id") != NULL)
        return FALSE;
      return g_strcmp0 (bosh_element_get_attribute (stanza, "type"), "error") != 0;
    }

  if (!bosh_element_matches_or_inherits (stanza, "iq", BOSH_NS_CLIENT) ||
      bosh_element_get_attribute (stanza, "id") != NULL)
    return FALSE;

  type = bosh_element_get_attribute (stanza, "type");

  return g_strcmp0 (type, "get") == 0 || g_strcmp0 (type, "set") == 0;
}

BoshElement *
bosh_stanza_id_ensure (BoshElement *stanza)
{
  g_autoptr(BoshElement) copy = NULL;
  g_autofree char *id = NULL;

  if (!lacks_id (stanza))
    return bosh_element_ref (stanza);

  id = new_id ();
  copy = bosh_element_is_sealed (stanza) ? bosh_element_copy (stanza) : bosh_element_ref (stanza);
  bosh_element_set_attribute (copy, "id", id);

  return g_steal_pointer (&copy);
}
