#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Measures how much of the core its tests run, and prints it for each file. Ends
# with status 1 where that is less than 95 lines of 100. The build directory is
# build-tests-coverage, or $BOSH_BUILD_DIR-coverage.

set -eu

minimum=95

cd "$(dirname "$0")/.."
. tests/packages.sh
require_packages 'the coverage' "$build_packages$coverage_packages"

build=${BOSH_BUILD_DIR:-build-tests}-coverage
[ -e "$build/build.ninja" ] \
  || meson setup "$build" -Db_coverage=true -Dbuildtype=debug -Dintrospection=disabled
# What was counted before belongs to another state of the sources.
find "$build" -name '*.gcda' -delete
meson test -C "$build" --print-errorlogs --suite core --suite fuzz

report=$build/core.info
lcov --quiet --rc lcov_branch_coverage=1 --capture --directory "$build/bosh-glib/libbosh-core.a.p" \
  --output-file "$report" 2> /dev/null
lcov --quiet --rc lcov_branch_coverage=1 --extract "$report" '*/bosh-glib/*.c' \
  --output-file "$report" 2> /dev/null

# Lines of the report: what is found and hit of a file, each after its name.
awk -F '[:,]' -v minimum="$minimum" '
  function percent (hit, all) { return all > 0 ? 100 * hit / all : 100 }
  function show (name, lines_hit, lines, branches_hit, branches) {
    printf "%-28s %5.1f %% of %4d lines %5.1f %% of %4d branches\n", name,
           percent(lines_hit, lines), lines, percent(branches_hit, branches), branches
  }
  /^SF:/ { name = $2; sub(".*/", "", name) }
  /^LF:/ { lf = $2 }
  /^LH:/ { lh = $2 }
  /^BRF:/ { bf = $2 }
  /^BRH:/ { bh = $2 }
  /^end_of_record/ {
    show(name, lh, lf, bh, bf)
    LF += lf; LH += lh; BF += bf; BH += bh
    lf = lh = bf = bh = 0
  }
  END {
    show("the core", LH, LF, BH, BF)
    exit LF == 0 || percent(LH, LF) < minimum
  }' "$report"
