#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Shows a session that is opened in one process and goes on in another, on a
# throwaway server. Installs what is missing, builds, and tidies up.

set -eu
cd "$(dirname "$0")/.."

say ()
{
  printf '\n== %s\n' "$*"
}

fail ()
{
  printf '%s\n' "$*" >&2
  exit 1
}

build=${BOSH_BUILD_DIR:-build-demo}
tool=$build/bosh-glib/tool/bosh-tool

# start COMMAND...: in the background, with an end in sight. A shell that waits
# for it still hears Ctrl-C.
start ()
{
  timeout -k 2 300 "$@" &
  started="$started $!"
}

# The part that runs beside the server. run-with.py starts and stops that, and
# removes the directory with the password and the session.
show ()
{
  directory=$BOSH_TEST_DIRECTORY
  started=
  trap 'kill $started 2> /dev/null || :; wait' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  uri=$BOSH_TEST_PROSODY_HTTP_URI
  session=$directory/session.json
  printf 'secret\n' > "$directory/password"

  say "The server responds at $uri"
  say "First process: alice logs in over HTTP, then lets go of the session"
  echo "\$ bosh-tool prebind alice@localhost --resource=demo --format=json > session.json"
  start "$tool" prebind alice@localhost --uri="$uri" --resource=demo \
    --password-file="$directory/password" --format=json > "$session"
  wait $! || fail "The login failed"
  python3 -c '
import json, sys
session = json.load(open(sys.argv[1]))
for name in "jid", "sid", "rid":
    print(f"{name.upper()}: {session[name]}")' "$session"

  say "Second process: goes on with that session, without a password"
  echo "\$ bosh-tool listen --session=session.json --only=message --count=1"
  start "$tool" listen --session="$session" --only=message --count=1 > "$directory/received"
  listener=$!

  say "Third process: bob logs in and writes to alice's session"
  echo "\$ bosh-tool send bob@localhost alice@localhost/demo 'Hello, Alice'"
  start "$tool" send bob@localhost alice@localhost/demo 'Hello, Alice' --uri="$uri" \
    --password-file="$directory/password"
  wait $! || fail "The message was not sent"

  wait "$listener" || fail "The second process ended without a message"
  say "What the second process received"
  cat "$directory/received"
  grep -q 'Hello, Alice' "$directory/received" || fail "That is not the message"
  say "The message arrived in the session that was handed over; server and files go now"
}

build_tool ()
{
  [ -e "$build/build.ninja" ] || meson setup "$build" -Dintrospection=disabled \
    -Dtests=disabled -Dexamples=disabled
  ninja -C "$build" bosh-glib/tool/bosh-tool
}

if [ "${1-}" = --show ]; then
  show
  exit 0
fi

. tests/packages.sh
require_packages 'the demo' "$build_packages$server_packages"

say "Building in $build (a minute the first time)"
output=$(build_tool 2>&1) || { printf '%s\n' "$output" >&2; exit 1; }

say "Starting a throwaway Prosody on the loopback interface"
exec python3 tests/servers/run-with.py --server prosody -- sh docs/demo.sh --show
