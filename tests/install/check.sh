#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Whether others can build with the library:
#
#   check.sh prefix      installs it, then builds a program by pkg-config alone
#   check.sh subproject  builds a Meson project that has it as a subproject

set -eu

source=$(cd "$(dirname "$0")/../.." && pwd)
. "$source/tests/packages.sh"
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

check_prefix ()
{
  prefix=$directory/prefix
  meson setup "$directory/build" "$source" --prefix="$prefix" --libdir=lib \
    -Dintrospection=enabled -Dvapi=enabled -Ddocumentation=true -Dtests=false -Dexamples=false
  meson install -C "$directory/build"
  rm -r "$directory/build"

  PKG_CONFIG_PATH=$prefix/lib/pkgconfig
  LD_LIBRARY_PATH=$prefix/lib
  GI_TYPELIB_PATH=$prefix/lib/girepository-1.0
  export PKG_CONFIG_PATH LD_LIBRARY_PATH GI_TYPELIB_PATH

  # shellcheck disable=SC2046
  ${CC:-cc} -Wall -Werror "$source/tests/install/consumer.c" -o "$directory/consumer" \
    $(pkg-config --cflags --libs bosh-glib-1.0)
  "$directory/consumer"

  "$prefix/bin/bosh-tool" --version
  python3 -c '
import gi
gi.require_version("Bosh", "1.0")
from gi.repository import Bosh
print(Bosh.Element.new("message", "jabber:client").to_string())'
  test -s "$prefix/share/gir-1.0/Bosh-1.0.gir"
  test -s "$prefix/share/vala/vapi/bosh-glib-1.0.vapi"
}

check_subproject ()
{
  project=$directory/project
  mkdir -p "$project/subprojects"
  ln -s "$source" "$project/subprojects/bosh-glib"
  cp "$source/tests/install/consumer.c" "$project"
  cat > "$project/meson.build" << 'END'
project('consumer', 'c', default_options: ['c_std=gnu11'])
bosh_dep = dependency('bosh-glib-1.0', fallback: 'bosh-glib',
  default_options: ['tests=false', 'examples=false'])
test('consumer', executable('consumer', 'consumer.c', dependencies: bosh_dep))
END
  # An installed one would be taken in place of the subproject.
  meson setup "$directory/build" "$project" --wrap-mode=forcefallback
  meson test -C "$directory/build" --print-errorlogs --suite consumer
}

case ${1-} in
  prefix | subproject) "check_$1" ;;
  *) sed -n '3,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
