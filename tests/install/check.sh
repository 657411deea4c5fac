#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Whether others can build with the library:
#
#   check.sh prefix      installs it, does what the installation says, then builds and
#                        runs programs with it
#   check.sh local       the same for /usr/local, out of sight of the system; takes root
#   check.sh subproject  builds a Meson project that has it as a subproject

set -eu

source=$(cd "$(dirname "$0")/../.." && pwd)
. "$source/tests/packages.sh"
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# install_in PREFIX OPTION...: as README.md says, then does what Meson says at the end.
install_in ()
{
  prefix=$1
  shift
  meson setup "$directory/build" "$source" --buildtype=release --prefix="$prefix" \
    -Dintrospection=enabled -Dvapi=enabled "$@"
  meson compile -C "$directory/build"
  meson install -C "$directory/build" | tee "$directory/log"
  # Neither tests nor examples are for users.
  if find "$directory/build" -name '*.o' | grep -E '/(tests|examples)/'; then
    exit 1
  fi
  rm -r "$directory/build"

  sed -n '/^bosh-glib is installed/,$s/^    //p' "$directory/log" > "$directory/commands"
  [ -s "$directory/commands" ]
  . "$directory/commands"
}

# What is installed runs, in each language.
check_programs ()
{
  # shellcheck disable=SC2046
  ${CC:-cc} -Wall -Werror "$source/tests/install/consumer.c" -o "$directory/consumer" \
    $(pkg-config --cflags --libs bosh-glib-1.0)
  "$directory/consumer"

  bosh-tool --version
  python3 -c '
import gi
gi.require_version("Bosh", "1.0")
from gi.repository import Bosh
print(Bosh.Element.new("message", "jabber:client").to_string())'
  gjs -m "$source/tests/install/consumer.js"
  valac --pkg bosh-glib-1.0 -X -w -o "$directory/consumer-vala" "$source/tests/install/consumer.vala"
  "$directory/consumer-vala"
  test -s "$prefix/share/gir-1.0/Bosh-1.0.gir"
}

check_prefix ()
{
  install_in "$directory/prefix" -Ddocumentation=true
  check_programs
}

# Where programs of the user go, which Debian's linker searches, and GObject
# Introspection does not. Folders of our own take the place of those of the system.
check_local ()
{
  if [ -z "${BOSH_CHECK_NAMESPACE-}" ]; then
    rm -r "$directory"
    unshare --mount true || { echo 'No mount namespace can be made here' >&2; exit 77; }
    BOSH_CHECK_NAMESPACE=yes exec unshare --mount sh "$0" local
  fi
  mount --make-rprivate /
  mkdir "$directory/etc"
  cp -a /etc/. "$directory/etc"
  mount --bind "$directory/etc" /etc
  mount -t tmpfs tmpfs /usr/local
  install_in /usr/local
  check_programs
}

check_subproject ()
{
  project=$directory/project
  mkdir -p "$project/subprojects"
  ln -s "$source" "$project/subprojects/bosh-glib"
  cp "$source/tests/install/consumer.c" "$project"
  cat > "$project/meson.build" << 'END'
project('consumer', 'c', default_options: ['c_std=gnu11'])
bosh_dep = dependency('bosh-glib-1.0', fallback: 'bosh-glib')
test('consumer', executable('consumer', 'consumer.c', dependencies: bosh_dep))
END
  # An installed one would be taken in place of the subproject.
  meson setup "$directory/build" "$project" --wrap-mode=forcefallback
  meson test -C "$directory/build" --print-errorlogs
  # It brings neither tests nor examples.
  meson introspect --tests --targets "$directory/build" | python3 -c '
import json, sys
found = json.load(sys.stdin)
assert [test["name"] for test in found["tests"]] == ["consumer"], found["tests"]
names = {target["name"] for target in found["targets"] if target["type"] == "executable"}
assert names == {"consumer", "bosh-tool"}, names'
}

case ${1-} in
  prefix | local | subproject) "check_$1" ;;
  *) sed -n '3,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
