#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs a test under valgrind. A test that Python starts, with servers beside
# it, gets valgrind for what Python starts.

glib=$(pkg-config --variable=prefix glib-2.0)
valgrind="valgrind -q --error-exitcode=1 --leak-check=full \
--errors-for-leak-kinds=definite --num-callers=30 \
--suppressions=$glib/share/glib-2.0/valgrind/glib.supp"

case ${1##*/} in
  # Each seed takes thirty times as long; the plain run has them all.
  simulate | simulate-client) exec $valgrind "$@" --seeds=40 ;;
  python3*) BOSH_TEST_WRAPPER=$valgrind exec "$@" ;;
  *) exec $valgrind "$@" ;;
esac
