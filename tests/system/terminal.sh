#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A sandboxed command at a terminal: size, Ctrl-C, end of file, job control, the terminal as
# before at the end; through the service and embedded, as an ordinary user.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../support/service.sh"
harness_enter "$@"

for CORDON_MODE in service embedded; do
    fresh_homes
    start_service
    cd "$WS_A" || exit 1
    as_user cordon-a /usr/bin/python3 "$HERE/terminal.py" "$CORDON" >"$TOP/.out" 2>&1 ||
        fail "$CORDON_MODE: $(cat "$TOP/.out")"
    echo "$CORDON_MODE: $(cat "$TOP/.out")"
    cd /
    stop_service
    expect_clean
done
