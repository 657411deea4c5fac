#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Installs what the tests need, builds, and runs them all. The last line says
# how many passed and failed. See --help.

set -eu

usage ()
{
  cat << END
Usage: sh tests/run.sh [OPTION]

  (none)            the tests as they are
  --sanitize        in a build with AddressSanitizer and UBSan
  --valgrind        the C tests under valgrind
  --thread          the C tests in a build with ThreadSanitizer
  --fuzz [SECONDS]  the fuzzers, with clang, each for so long (default 5)
  --all             all five
  --install         only installs what the tests need

The build directory is build-tests, or \$BOSH_BUILD_DIR.
END
}

cd "$(dirname "$0")/.."
. tests/packages.sh

plain='' sanitize='' valgrind='' thread='' fuzz=''
case ${1-} in
  '' | --install) plain=yes ;;
  --sanitize) sanitize=yes ;;
  --valgrind) valgrind=yes ;;
  --thread) thread=yes ;;
  --fuzz) fuzz=${2:-5} ;;
  --all) plain=yes sanitize=yes valgrind=yes thread=yes fuzz=5 ;;
  --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

build=${BOSH_BUILD_DIR:-build-tests}
logs=
personality=
# Python would write its bytecode beside the sources.
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
# Most tests wait more than they compute, for servers and for timeouts; but not where each
# instruction takes many times as long.
waiting=${MESON_TESTTHREADS:-$((4 * $(nproc)))}
computing=${MESON_TESTTHREADS:-$(nproc)}
export MESON_TESTTHREADS="$waiting"

# build_in DIRECTORY OPTION...
build_in ()
{
  directory=$1
  shift
  [ -e "$directory/build.ninja" ] || meson setup "$directory" -Dwerror=true \
    -Dtests=enabled -Dexamples=enabled "$@"
  ninja -C "$directory"
}

build_plain ()
{
  build_in "$build" -Ddocumentation=true -Dintrospection=enabled -Dvapi=enabled
}

# run_tests DIRECTORY LOG OPTION...; the sum decides, so a failure goes on.
run_tests ()
{
  directory=$1
  log=$directory/meson-logs/$2
  shift 2
  rm -f "$log"
  $personality meson test -C "$directory" --no-rebuild --print-errorlogs "$@" || :
  logs="$logs $log"
}

packages=$build_packages
[ -z "$plain$sanitize$valgrind" ] || packages=$packages$server_packages$test_packages
[ -z "$fuzz" ] || packages=$packages$fuzz_packages
require_packages 'the tests' "$packages"
[ "${1-}" != --install ] || exit 0

if [ -n "$plain" ]; then
  build_plain
  run_tests "$build" testlog.json
fi
if [ -n "$sanitize" ]; then
  build_in "$build-sanitize" -Db_sanitize=address,undefined -Db_lundef=false \
    -Dintrospection=disabled
  run_tests "$build-sanitize" testlog.json
fi
MESON_TESTTHREADS=$computing
if [ -n "$valgrind" ]; then
  build_plain
  run_tests "$build" testlog-valgrind.json --setup=valgrind
fi
if [ -n "$thread" ]; then
  build_in "$build-thread" -Db_sanitize=thread -Dintrospection=disabled
  # It ends where a kernel puts the program at a place that it wants for itself.
  ! setarch -R true 2> /dev/null || personality='setarch -R'
  run_tests "$build-thread" testlog.json --suite core --suite shell
  personality=
fi
if [ -n "$fuzz" ]; then
  [ -e "$build-fuzz/build.ninja" ] \
    || CC=clang meson setup "$build-fuzz" -Dwerror=true -Dfuzzing=true \
         -Db_sanitize=address,undefined -Db_lundef=false -Dintrospection=disabled
  ninja -C "$build-fuzz" fuzzers
  BOSH_FUZZ_SECONDS=$fuzz
  export BOSH_FUZZ_SECONDS
  run_tests "$build-fuzz" testlog.json --suite fuzz
fi

# shellcheck disable=SC2086
exec python3 tests/summary.py $logs
