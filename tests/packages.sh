# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For scripts to source: what the project needs on a machine, and how to get
# it there. Each line has a Debian package and how to see that it is there.

# Debian's python3 has the modules of Debian's packages, and its meson goes
# with it; one that comes first on the path, of pyenv say, lacks them.
PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH
export PATH

build_packages='
gcc                     command cc
libc6-dev               file /usr/include/stdio.h
meson                   command meson
ninja-build             command ninja
pkg-config              command pkg-config
gettext                 command msgfmt
libglib2.0-dev          module gio-2.0
libbsd-dev              module libbsd-overlay
libgsasl-dev            module libgsasl
libidn-dev              module libidn
libidn2-dev             module libidn2
libjson-glib-dev        module json-glib-1.0
libsoup-3.0-dev         module libsoup-3.0
libxml2-dev             module libxml-2.0
glib-networking         file /usr/lib/*/gio/modules/libgiognutls.so
python3                 command python3
'

server_packages='
openssl                 command openssl
prosody                 command prosody
'

test_packages='
clang-format            command clang-format
ejabberd                command ejabberdctl
gi-docgen               command gi-docgen
gjs                     command gjs
gobject-introspection   command g-ir-scanner
haproxy                 command haproxy
iproute2                command ip
libgirepository1.0-dev  module gobject-introspection-1.0
nginx                   command nginx
prosody-modules         file /usr/lib/prosody/modules/mod_sasl2/mod_sasl2.lua
python3-gi              python gi
squid                   command squid
tinyproxy               command tinyproxy
valac                   command valac
valac                   command vapigen
valgrind                command valgrind
'

fuzz_packages='
clang                   command clang
libclang-rt-dev         file /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a
'

coverage_packages='
lcov                    command lcov
'

debian_packages='
debootstrap             command debootstrap
'

# is_present KIND WHAT
is_present ()
{
  case $1 in
    command) command -v "$2" > /dev/null ;;
    module) pkg-config --exists "$2" 2> /dev/null ;;
    python) python3 -c "import $2" 2> /dev/null ;;
    file) ls $2 > /dev/null 2>&1 ;;
  esac
}

# missing_packages LINES
missing_packages ()
{
  printf '%s\n' "$1" | while read -r package kind what; do
    [ -z "$package" ] || is_present "$kind" "$what" || printf '%s\n' "$package"
  done | sort -u | while read -r package; do
    printf ' %s' "$package"
  done
}

# On a machine with services, Debian starts those of the packages; nothing
# here uses them. Only called for packages that were not there before.
stop_services ()
{
  [ -d /run/systemd/system ] || return 0
  for service in prosody ejabberd haproxy nginx squid tinyproxy; do
    case $missing in
      *" $service"*) $as_root systemctl disable --now --quiet "$service" || : ;;
    esac
  done
}

# require_packages PURPOSE LINES: installs what is missing, or ends.
require_packages ()
{
  missing=$(missing_packages "$2")
  [ -n "$missing" ] || return 0

  as_root=
  [ "$(id -u)" = 0 ] || as_root=sudo
  if ! command -v apt-get > /dev/null \
     || { [ -n "$as_root" ] && ! command -v sudo > /dev/null; }; then
    printf 'Packages missing for %s (names as in Debian):%s\n' "$1" "$missing" >&2
    printf 'Install them and start again.\n' >&2
    exit 1
  fi

  printf 'Installing for %s with apt-get:%s\n' "$1" "$missing"
  $as_root apt-get update -qq
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends -o DPkg::Lock::Timeout=120 $missing < /dev/null > /dev/null
  stop_services

  missing=$(missing_packages "$2")
  if [ -n "$missing" ]; then
    printf 'Installed, but still missing:%s\n' "$missing" >&2
    exit 1
  fi
}
