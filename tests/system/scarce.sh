#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a job needs of the host at its start is not to be had: it waits, or it is refused and says
# why. Never does its command run with less.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"

# lacking WHAT: the service from now on, and its jobs, as lack_calls says; "": as it is.
lacking()
{
    stop_service
    CORDOND=$CORDON_BUILD/broker/cordond
    if [ -n "$1" ]; then
        printf '#!/bin/sh\nexec %s %s %s "$@"\n' "$PROBES/lack_calls" "$1" "$CORDOND" >"$TOP/lacking"
        chmod 755 "$TOP/lacking"
        CORDOND=$TOP/lacking
    fi
    start_service
}

case_limits()
{
    lacking limits
    job cordon-a -s workspace-write -- touch "$WS_A/ran"
    expect_ok "without a limit"
    rm "$WS_A/ran"
    job cordon-a -s workspace-write -c cordon.limits.open_files=40 -- touch "$WS_A/ran"
    expect_refused 'cannot limit the command.*not permitted' "a limit that cannot be set"
    [ ! -e "$WS_A/ran" ] || fail "the command ran without its limit"
    lacking ''
    job cordon-a -c cordon.limits.open_files=40 -- sh -c 'ulimit -n'
    [ "$OUT" = 40 ] || fail "with what it needs: $(got)"
    expect_clean
}

# Root has no groups left, for as long as it takes.
case_groups_refused()
{
    local began

    lacking groups
    decided_by fanotify || return 0
    began=$EPOCHSECONDS
    job cordon-a -s workspace-write -- touch "$WS_A/ran"
    expect_refused 'cannot watch accesses: .*raise user.max_fanotify_groups' "no groups"
    [ ! -e "$WS_A/ran" ] || fail "the command ran though nobody decides"
    [ $((EPOCHSECONDS - began)) -ge 9 ] || fail "it did not wait for groups of others"
    lacking ''
    expect_clean
}

# ... until others' are given back: all of them are held for a second.
case_groups_wait()
{
    local began waited holder

    lacking ''
    decided_by fanotify || return 0
    [ "$(</proc/sys/user/max_fanotify_groups)" -le 8192 ] || return 0
    /usr/bin/python3 -c '
import ctypes, errno, resource, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (9000, 9000))
libc = ctypes.CDLL(None, use_errno=True)
end = time.monotonic() + 1.5
told = False
while time.monotonic() < end:
    if libc.fanotify_init(1, 0) < 0:
        assert ctypes.get_errno() == errno.EMFILE, ctypes.get_errno()
        if not told:
            open(sys.argv[1], "w").close()
            end, told = time.monotonic() + 1, True
        time.sleep(0.001)' "$TOP/held" &
    holder=$!
    wait_for "[ -e '$TOP/held' ]"
    began=${EPOCHREALTIME/./}
    job cordon-a -- cat "$WS_A/plain"
    waited=$(((${EPOCHREALTIME/./} - began) / 1000))
    expect_out plain "after a wait"
    [ "$waited" -ge 500 ] || fail "groups were there: it waited $waited ms"
    job cordon-a -- cat "$WS_A/x.pem"
    expect_denied the-secret "after a wait"
    wait "$holder" || fail "the groups were not held"
    expect_clean
    echo "waited $waited ms for groups"
}

# Whom a service manager has started answers it, or does not run.
case_manager()
{
    local library

    unset JOURNAL_STREAM NOTIFY_SOCKET
    library=$(readlink -f "$(ldconfig -p | awk '/libsystemd.so.0 / {print $NF; exit}')")
    stop_service
    mount --bind /dev/null "$library" || fail "nothing can lie over $library"
    run env NOTIFY_SOCKET=@nobody timeout 10 "$CORDOND"
    expect_rc 1 "without libsystemd"
    expect_err 'started by the service manager, but libsystemd.so.0 cannot be used.*install' "why"
    start_service
    job cordon-a -- cat "$WS_A/plain"
    expect_out plain "nobody has started it"
    umount "$library"
    lacking ''
    expect_clean
}

# What has no separate worker is nobody's service.
case_embedded_alone()
{
    run timeout 10 "${CORDOND%/*}/cordon-embedded"
    expect_err 'not embedded; cordond is the service' "without its option"
    [ "$RC" != 0 ] && [ "$RC" != 124 ] || fail "without its option: it runs; $(got)"
}

# A second thread of the set-up only makes it faster.
case_threads()
{
    run "$PROBES/lack_calls" threads /usr/bin/python3 -c \
        'import threading; threading.Thread(target=print).start()'
    expect_err "can't start new thread" "the filter"
    run as_user cordon-a "$PROBES/lack_calls" threads "$CORDON" sandbox --embedded -C "$WS_A" linux -- \
        cat "$WS_A/plain" "$WS_A/x.pem"
    expect_denied the-secret "embedded, without threads"
    expect_out plain "embedded, without threads"
    run as_user cordon-a "$PROBES/lack_calls" threads "$CORDON" sandbox --embedded -C "$WS_A" linux -- \
        readlink /proc/self/ns/net
    expect_out 'net:[' "without threads"
    [ "$OUT" != "$(readlink /proc/self/ns/net)" ] || fail "it has the host's network"
}

install -d -m 755 /etc/codex
printf '[permissions.filesystem]\ndeny_read = ["%s/**/*.pem"]\n' "$WS_A" >/etc/codex/requirements.toml
echo plain >"$WS_A/plain"
echo the-secret >"$WS_A/x.pem"
case_limits
case_manager
case_embedded_alone
case_threads
case_groups_wait
case_groups_refused
echo "scarce: ok, decisions by $MECHANISM"
