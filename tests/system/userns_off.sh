#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The service works for an ordinary user where user namespaces are off; embedded refuses with the
# remedy. The limit is set in a user namespace made for it (every id mapped to itself), whose own
# user.max_user_namespaces it is: the machine's is never touched, and is checked at the end.
set -u
. "$(dirname "$0")/../support/service.sh"

LIMIT=/proc/sys/user/max_user_namespaces
PIDS=/proc/sys/user/max_pid_namespaces

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
SAID=$ERR
expect_clean
stop_service
expect_clean

# The limit of another kind is told by a remedy that names it, too: embedded, and through the service.
echo 1000 >"$LIMIT"
echo 0 >"$PIDS"
job cordon-a --embedded -- true
expect_refused 'namespaces.*service.*user\.max_\*_namespaces' "embedded, without pid namespaces"
start_service
job cordon-a -- true
expect_refused 'cannot make the namespaces.*user\.max_\*_namespaces' "the service, without pid namespaces"
echo 1000 >"$PIDS"
job cordon-a -- true
expect_ok "the service, with pid namespaces again"
stop_service

# So is what refuses by another errno: a security module, and a kernel that has none.
cat >"$TOP/refuse.py" <<'PY'
import ctypes, os, struct, sys
LOAD, JUMP_EQUAL, JUMP_SET, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ERRNO = 0x7fff0000, 0x00050000
CLONE, CLONE3, NEWUSER, ENOSYS = 56, 435, 0x10000000, 38
steps = [(LOAD, 0, 0, 0), (JUMP_EQUAL, 3, 0, CLONE3), (JUMP_EQUAL, 0, 3, CLONE), (LOAD, 0, 0, 16),
         (JUMP_SET, 2, 1, NEWUSER), (RETURN, 0, 0, ERRNO | ENOSYS), (RETURN, 0, 0, ALLOW),
         (RETURN, 0, 0, ERRNO | int(sys.argv[1]))]
code = b"".join(struct.pack("HBBI", *step) for step in steps)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), 0))
data = ctypes.create_string_buffer(code)
struct.pack_into("P", program, 8, ctypes.addressof(data))
libc = ctypes.CDLL(None)
if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, program) != 0:
    sys.exit("no filter")
os.execv(sys.argv[2], sys.argv[2:])
PY
for errno in EACCES:13 EINVAL:22; do
    run as_user cordon-a /usr/bin/python3 "$TOP/refuse.py" "${errno#*:}" \
        "$CORDON" sandbox --embedded -C "$HOME_A/ws" linux -- true
    expect_refused 'namespaces.*refuses.*service' "$errno"
done
run as_user cordon-a /usr/bin/python3 "$TOP/refuse.py" 12 "$CORDON" sandbox --embedded -C "$HOME_A/ws" linux -- true
expect_refused 'cannot make the namespaces.*[Mm]emory' "an errno that refuses nothing"
echo "figure: user.max_user_namespaces=0: the service runs jobs, embedded says: $SAID"
