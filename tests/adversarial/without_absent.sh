#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# without_absent.sh TEST-BUILD BUILD...: no program of these builds can leave a layer out, by its
# strings and symbols; the programs of TEST-BUILD can, so that this check can fail.
set -u
trace='cordon-without|without_read|left_out'
test_build=$1
bad=0

# carriers BUILD: the programs with a trace of it.
carriers()
{
    local file

    for file in "$1"/client/cordon "$1"/client/cordon-policy "$1"/broker/cordond \
        "$1"/broker/cordon-worker "$1"/broker/cordon-embedded "$1"/platform/linux/cordon-init; do
        [ -x "$file" ] || { echo "$file is missing" >&2 && exit 1; }
        grep -Eaq "$trace" "$file" && echo "$file"
    done
    return 0
}

shift
[ $# -gt 0 ] || { echo "usage: without_absent.sh TEST-BUILD BUILD..." >&2 && exit 2; }
found=$(carriers "$test_build") || exit 1
[ -n "$found" ] || { echo "FAIL $test_build shows no trace, and is a build that can"; bad=1; }
for build in "$@"; do
    found=$(carriers "$build") || exit 1
    [ -z "$found" ] || { echo "FAIL can leave a layer out: $found"; bad=1; }
    ! grep -q '^CORDON_TEST_WITHOUT:BOOL=ON' "$build/CMakeCache.txt" ||
        { echo "FAIL $build is configured to"; bad=1; }
done
# Nor can one be packaged or installed.
if cmake --install "$test_build" --prefix "$test_build/nowhere" >/dev/null 2>&1; then
    echo "FAIL $test_build can be installed"
    bad=1
fi
[ "$bad" = 0 ] && echo "PASS $# builds cannot leave a layer out"
exit "$bad"
