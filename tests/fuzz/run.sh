#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# run.sh PROGRAM SEEDS DIRECTORY
#
# Runs a fuzzer for $BOSH_FUZZ_SECONDS (default 5). What it finds to be worth
# trying is kept in DIRECTORY/corpus, and the next run begins with it; an input
# that fails is DIRECTORY/crash-…, oom-…, slow-… or timeout-…. The exit status is 1
# then: that of libFuzzer, 77, means to Meson that a test was skipped.

set -eu

program=$1 seeds=$2 directory=$3
mkdir -p "$directory/corpus"

dictionary=$seeds.dict
exec "$program" -max_total_time="${BOSH_FUZZ_SECONDS:-5}" -timeout=10 -rss_limit_mb=1024 \
  -error_exitcode=1 -timeout_exitcode=1 -max_len=16384 -print_final_stats=1 -verbosity=1 ${dictionary:+-dict="$dictionary"} \
  -artifact_prefix="$directory/" "$directory/corpus" "$seeds"
