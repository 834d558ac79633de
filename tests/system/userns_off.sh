#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The service works for an ordinary user where user namespaces are off; embedded refuses with the
# remedy. The limit is set in a user namespace made for it (every id mapped to itself), whose own
# user.max_user_namespaces it is: the machine's is never touched, and is checked at the end.
set -u
. "$(dirname "$0")/../support/service.sh"

LIMIT=/proc/sys/user/max_user_namespaces

# Runs this script again as root of a user namespace in which every id is itself.
enter_user_namespace()
{
    local ready=$1/ready go=$1/go pid status

    mkfifo "$ready" "$go"
    USERNS_INSIDE=1 unshare --user -- bash -c 'echo $$ >"$1"; read -r _ <"$2"; shift 2; exec "$@"' \
        bash "$ready" "$go" "$BASH" "$0" &
    read -r pid <"$ready"
    echo "0 0 4294967295" >"/proc/$pid/gid_map"
    echo "0 0 4294967295" >"/proc/$pid/uid_map"
    echo >"$go"
    wait "$!"
    status=$?
    rm -rf "$1"
    return "$status"
}

if [ -z "${USERNS_INSIDE:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo "SKIP: needs root"; exit 77; }
    before=$(cat "$LIMIT")
    enter_user_namespace "$(mktemp -d)"
    status=$?
    [ "$(cat "$LIMIT")" = "$before" ] || { echo "FAIL: the machine's limit changed"; exit 1; }
    exit "$status"
fi
harness_enter "$@"

echo 0 >"$LIMIT" || fail "cannot set the limit in the user namespace"
run as_user cordon-a unshare --user true
[ "$RC" != 0 ] || fail "user namespaces are not off"

echo the-content >"$HOME_A/secret"
chown cordon-a: "$HOME_A/secret"
CORDON_MODE=embedded
job cordon-a -- true
expect_refused 'user namespace.*service' "embedded"
CORDON_MODE=service
printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$HOME_A/secret" | managed_codex
job cordon-a -- id -un
expect_ok "through the service"
expect_out cordon-a
job cordon-a -- cat "$HOME_A/secret"
expect_denied the-content "through the service"
job cordon-a -s workspace-write -- sh -c 'echo made >made && cat made'
expect_ok "writing in the workspace"
job cordon-a --embedded -- true
expect_refused 'user namespace.*service' "embedded on request"
expect_clean
stop_service
expect_clean
echo "figure: user.max_user_namespaces=0: the service runs jobs, embedded says: $ERR"
