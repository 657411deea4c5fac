/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program of someone else: it builds against what is installed. */

#include <bosh-glib/bosh-glib.h>

int
main (void)
{
  g_autoptr(BoshElement) message = bosh_element_new_message ("juliet@example.com", "chat", "Hi");
  g_autofree char *text = bosh_element_to_string (message);

  g_print ("bosh-glib %u.%u: %s\n",
           (guint)BOSH_MAJOR_VERSION, (guint)BOSH_MINOR_VERSION, text);

  return g_strstr_len (text, -1, "juliet@example.com") != NULL ? 0 : 1;
}
