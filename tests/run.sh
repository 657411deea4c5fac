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

  (none)        the tests as they are
  --sanitize    in a build with AddressSanitizer and UBSan
  --valgrind    the C tests under valgrind
  --all         all three

The build directory is build-tests, or \$BOSH_BUILD_DIR.
END
}

cd "$(dirname "$0")/.."
. tests/packages.sh

plain= sanitize= valgrind=
case ${1-} in
  '') plain=yes ;;
  --sanitize) sanitize=yes ;;
  --valgrind) valgrind=yes ;;
  --all) plain=yes sanitize=yes valgrind=yes ;;
  --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

build=${BOSH_BUILD_DIR:-build-tests}
logs=
# Python would write its bytecode beside the sources.
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

# build_in DIRECTORY OPTION...
build_in ()
{
  directory=$1
  shift
  [ -e "$directory/build.ninja" ] || meson setup "$directory" -Dwerror=true "$@"
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
  meson test -C "$directory" --no-rebuild --print-errorlogs "$@" || :
  logs="$logs $log"
}

require_packages 'the tests' "$build_packages$server_packages$test_packages"

if [ -n "$plain" ]; then
  build_plain
  run_tests "$build" testlog.json
fi
if [ -n "$sanitize" ]; then
  build_in "$build-sanitize" -Db_sanitize=address,undefined -Db_lundef=false \
    -Dintrospection=disabled
  run_tests "$build-sanitize" testlog.json
fi
if [ -n "$valgrind" ]; then
  build_plain
  run_tests "$build" testlog-valgrind.json --setup=valgrind
fi

# shellcheck disable=SC2086
exec python3 tests/summary.py $logs
