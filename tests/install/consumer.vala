/* SPDX-License-Identifier: LGPL-2.1-or-later */

int main ()
{
  var element = new Bosh.Element ("message", "jabber:client");

  stdout.printf ("%s\n", element.to_string ());

  return 0;
}
