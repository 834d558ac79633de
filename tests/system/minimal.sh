#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A profile that grants what programs need and one folder, no more: the view begins empty; in the
# service, and embedded, where the kernel wants to see a whole /proc before it makes another.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"

user_config cordon-a <<TOML
default_permissions = "tight"
[permissions.tight.filesystem]
":minimal" = "read"
"$WS_A" = "write"
"$HOME_A/read" = "read"
TOML
install -d -o cordon-a "$HOME_A/read"
echo the-secret >"$HOME_A/secret"
chown cordon-a: "$HOME_A/secret"
for CORDON_MODE in service embedded; do
    MODE=(--embedded)
    [ "$CORDON_MODE" = embedded ] || MODE=()
    start_service
    job cordon-a "${MODE[@]}" -- sh -c 'echo new >made && cat made && ls -A "$1"' - "$HOME_A"
    expect_ok "$CORDON_MODE"
    [ "$OUT" = $'new\nread\nws' ] || fail "$CORDON_MODE: more or less is in sight: $(got)"
    job cordon-a "${MODE[@]}" -- cat "$HOME_A/secret"
    expect_rc 1 "$CORDON_MODE: outside"
    expect_err 'No such file' "$CORDON_MODE: outside"
    job cordon-a "${MODE[@]}" -- sh -c 'cd /proc && echo [0-9]*'
    expect_ok "$CORDON_MODE: /proc"
    [ "$(wc -w <<<"$OUT")" -le 3 ] || fail "$CORDON_MODE: processes of others: $OUT"
    job cordon-a "${MODE[@]}" -- sh -c 'touch /made || touch "$1/made" || mkdir /dev/shm/x && rmdir /dev/shm/x' - "$HOME_A/read"
    expect_ok "$CORDON_MODE: writes"
    [ "$(grep -c 'Read-only\|denied' <<<"$ERR")" = 2 ] || fail "$CORDON_MODE: writes: $(got)"
    expect_clean
    stop_service
done
