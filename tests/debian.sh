#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Does what README.md says in a fresh Debian: the demo and the tests. See --help.

set -eu

usage ()
{
  cat << END_OF_USAGE
Usage: sh tests/debian.sh [--prepare] RELEASE

Makes a fresh Debian of that RELEASE (trixie, bookworm ...) with debootstrap, and
runs docs/demo.sh and tests/run.sh in it, in namespaces of their own. Needs root,
and a mirror: \$DEBIAN_MIRROR, or http://deb.debian.org/debian. The exit status is
77 where there can be none.

  --prepare  only installs the system and what the tests need

The system is kept for a week, as an archive in \$XDG_CACHE_HOME/bosh-glib. The
build directory is build-tests-RELEASE, or \$BOSH_BUILD_DIR-RELEASE.
END_OF_USAGE
}

# Only what hangs takes so many seconds.
install_seconds=1200
demo_seconds=600
tests_seconds=2400

impossible ()
{
  printf 'There can be no fresh Debian here: %s\n' "$1" >&2
  exit 77
}

# --- In namespaces, with which all ends that was mounted or started there ---

# enter SYSTEM BUILD ACTION
enter ()
{
  mkdir -p "$1/source" "$1/build"
  mount -t proc proc "$1/proc"
  mount --rbind /sys "$1/sys"
  mount --rbind /dev "$1/dev"
  mount --bind "$2" "$1/build"
  # The source directory is not ours to write to.
  mount --bind . "$1/source"
  mount -o remount,bind,ro "$1/source"
  cp /etc/resolv.conf /etc/hosts "$1/etc"
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 CI="${CI-}" \
    http_proxy="${http_proxy-}" https_proxy="${https_proxy-}" \
    chroot "$1" sh /source/tests/debian.sh --inside "$3"
}

# As the first process of the namespace, which has to wait for orphans: a shell does, but
# timeout would not.
inside ()
{
  case $1 in
    install)
      timeout -k 10 "$install_seconds" sh tests/run.sh --install
      apt-get clean
      ;;
    run)
      status=0
      BOSH_BUILD_DIR=/tmp/demo timeout -k 10 "$demo_seconds" sh docs/demo.sh || status=1
      BOSH_BUILD_DIR=/build timeout -k 10 "$tests_seconds" sh tests/run.sh || status=1
      return "$status"
      ;;
  esac
}

# --- Outside ---

# in_namespaces ACTION
in_namespaces ()
{
  unshare --mount --pid --kill-child -- \
    sh tests/debian.sh --enter "$directory/system" "$build" "$1" < /dev/null &
  child=$!
  status=0
  wait "$child" || status=$?
  child=
  return "$status"
}

make_directory ()
{
  # Some gigabytes: /tmp may be in memory.
  directory=$(mktemp -d -p "${TMPDIR:-/var/tmp}" bosh-debian-XXXXXX)
  child=
  trap '[ -z "$child" ] || kill -s KILL "$child" || :; rm -rf "$directory" "$archive.$$"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

check_tools ()
{
  [ "$(id -u)" = 0 ] || impossible 'only root can make one'
  ! command -v apt-get > /dev/null || (require_packages 'a fresh Debian' "$debian_packages") || :
  command -v debootstrap > /dev/null || impossible 'debootstrap is missing'
  unshare --mount --pid --fork mount -t tmpfs none /mnt 2> /dev/null \
    || impossible 'namespaces are not allowed'
}

# What is in it comes from these files, and Debian mends something each week.
name_archive ()
{
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/bosh-glib
  files=$(cat tests/debian.sh tests/packages.sh | sha256sum | cut -c 1-12)
  archive=$cache/$release-$(date +%G-%V)-$files.tar
}

install_system ()
{
  mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
  printf 'Installing Debian %s from %s\n' "$release" "$mirror"
  wget -q -O "$directory/release" --tries=2 --timeout=20 "$mirror/dists/$release/Release" \
    || impossible "$mirror has no $release, or can't be reached"
  timeout -k 10 "$install_seconds" \
    debootstrap --variant=minbase "$release" "$directory/system" "$mirror" > "$directory/log" 2>&1 \
    || { tail "$directory/log" >&2; impossible 'debootstrap fails'; }

  # No server starts by itself; and nothing has to survive a loss of power.
  printf '#!/bin/sh\nexit 101\n' > "$directory/system/usr/sbin/policy-rc.d"
  chmod +x "$directory/system/usr/sbin/policy-rc.d"
  printf 'force-unsafe-io\n' > "$directory/system/etc/dpkg/dpkg.cfg.d/unsafe-io"
  in_namespaces install

  mkdir -p "$cache"
  rm -f "$cache/$release"-*.tar
  tar -C "$directory/system" --one-file-system -cf "$archive.$$" .
  mv "$archive.$$" "$archive"
}

case ${1-} in
  --help) usage; exit 0 ;;
  --enter) shift; enter "$@" ;;
  --inside) cd /source; inside "$2"; exit ;;
esac

cd "$(dirname "$0")/.."
. tests/packages.sh

prepare_only=
[ "${1-}" != --prepare ] || { prepare_only=yes; shift; }
[ $# = 1 ] || { usage >&2; exit 2; }
release=$1

check_tools
name_archive
make_directory
build=$directory/build
mkdir "$build"
if [ ! -e "$archive" ]; then
  install_system
elif [ -z "$prepare_only" ]; then
  mkdir "$directory/system"
  tar -C "$directory/system" -xf "$archive"
fi
[ -z "$prepare_only" ] || exit 0

build=${BOSH_BUILD_DIR:-build-tests}-$release
mkdir -p "$build"
in_namespaces run
