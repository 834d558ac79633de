# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Identity and protocol: who asks is what the kernel says, whatever he sends.
CASES=(
    id_02_closed_at_every_byte:s id_06_groups_of_the_connection:se id_08_inherited_attributes:se
    id_10_empty_argument_vectors:se id_11_malformed_messages:s id_17_client_killed:se
    id_18_supervisor_killed:s id_19_anothers_job:s
    id_22_other_namespace_or_root:s id_23_worker_in_hostile_hands:s)

# Descriptors of the supervisor and of cordon-a's worker, memory high-water marks in KiB.
broker_fds()
{
    ls "/proc/$SERVICE_PID/fd" | wc -l
}

workers()
{
    pgrep -f cordon-worker
}

worker_fds()
{
    local pid

    for pid in $(workers); do
        # Not of one that waits for whoever comes next.
        grep -qs '^Uid:[[:space:]]*0' "/proc/$pid/status" || ls "/proc/$pid/fd" 2>/dev/null
    done | wc -l
}

peak_kib()
{
    awk '/^VmHWM/ {print $2}' "/proc/$1/status"
}

# The service serves both users, and no descriptor or job stayed from what was done to it.
id_still_well()
{
    local fds

    kill -0 "$SERVICE_PID" 2>/dev/null || fail "$1: the service ended: $(tail -n 3 "$TOP/service.log")"
    job cordon-a -- true
    expect_ok "$1: the user's next job"
    job cordon-b -- id -un
    expect_ok "$1: the other user's job"
    expect_out cordon-b
    wait_for "! pgrep -f '^sleep 42.5' >/dev/null"
    spares_end
    fds=$(broker_fds)
    wait_for "[ \$(broker_fds) -le $((ID_FDS + 2)) ]"
}

id_begin()
{
    job cordon-a -- true
    expect_ok "before"
    job cordon-b -- true
    expect_ok "before"
    sleep 0.1
    no_spares
    [ "$CORDON_MODE" != service ] || worker_waits
    ID_FDS=$(broker_fds)
    ID_WORKER_FDS=$(worker_fds)
}

id_02_closed_at_every_byte()
{
    id_begin
    run as_user cordon-a timeout 60 "$PROBES/hostile_client" cut
    expect_ok "every prefix"
    id_still_well "every prefix"
    run as_user cordon-a timeout 60 "$PROBES/hostile_client" states
    expect_ok "every state"
    id_still_well "every state"
    wait_for "[ \$(worker_fds) -le $((ID_WORKER_FDS + 4)) ]"
}

id_06_groups_of_the_connection()
{
    local gid=$CORDON_TEST_UID

    # The job's view of a group: its number; in a user namespace, where a group that is not
    # mapped shows as the overflow one, how many there are.
    job cordon-a -- id -G
    id_groups "$gid $EXTRA_GID"
    run id_with_groups --clear-groups
    id_groups "$gid"
    run id_with_groups "--groups=$((gid + 7)),$((gid + 8))"
    id_groups "$gid $((gid + 7)) $((gid + 8))"
    # And the rights that come with them, both ways.
    install -m 640 -g cordon-extra /dev/null "$WS_A/grouped"
    chown root "$WS_A/grouped"
    job cordon-a -- cat grouped
    expect_ok "with the group"
    run id_with_groups --clear-groups cat grouped
    [ "$RC" != 0 ] || fail "without the group: $(got)"
    run setpriv --reuid="$gid" --regid=$((gid + 9)) --clear-groups \
        sh -c "cd '$WS_A' && exec '$CORDON' sandbox linux -- id -g"
    [ "$OUT" = $((gid + 9)) ] || fail "another gid: $(got)"
    rm -f "$WS_A/grouped"
}

id_groups()
{
    local got_groups want=$1

    got_groups=$(tr ' ' '\n' <<<"$OUT" | sort -n | paste -sd' ')
    [ "$CORDON_MODE" = service ] || want=$(sed -E 's/ [0-9]+/ 65534/g' <<<"$want" | tr ' ' '\n' | sort -nu | paste -sd' ')
    [ "$got_groups" = "$want" ] || fail "groups: wanted $want; $(got)"
}

id_with_groups()
{
    local how=$1

    shift
    [ $# -gt 0 ] || set -- id -G
    cd "$WS_A" && setpriv --reuid=cordon-a --regid=cordon-a "$how" \
        env -i HOME="$HOME_A" PATH=/usr/bin:/bin "$CORDON" sandbox linux -- "$@"
}

ID_ATTRIBUTES='ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Ss; ulimit -f; umask; nice; cat /proc/self/oom_score_adj; cat /proc/self/loginuid 2>/dev/null; true'

id_08_inherited_attributes()
{
    local direct

    # shellcheck disable=SC2016
    local limit='ulimit -Sn 123; ulimit -Hn 321; ulimit -c 0; ulimit -Ss 4096; ulimit -f 5000; umask 027; echo 400 >/proc/self/oom_score_adj; nice -n 5 "$@"'

    direct=$(cd "$WS_A" && as_user cordon-a bash -c "$limit" bash bash -c "$ID_ATTRIBUTES")
    run id_limited "$limit"
    expect_ok
    [ "$OUT" = "$direct" ] || fail "differ: direct $(tr '\n' ' ' <<<"$direct"), job: $(got)"
    # A client that cannot gain privileges may be confined by rules of its own.
    run id_no_new_privs
    if [ "$CORDON_MODE" = service ]; then
        expect_refused 'no_new_privs' "no_new_privs in the service"
        expect_err 'embedded' "the remedy"
    fi
    run id_no_new_privs --embedded
    expect_ok "no_new_privs, embedded"
    expect_out "confined"
}

id_limited()
{
    cd "$WS_A" && as_user cordon-a bash -c "$1" bash "$CORDON" sandbox linux -- bash -c "$ID_ATTRIBUTES"
}

id_no_new_privs()
{
    cd "$WS_A" && as_user cordon-a setpriv --no-new-privs "$CORDON" sandbox linux "$@" -- \
        "$PROBES/probe_confined"
}

id_10_empty_argument_vectors()
{
    run as_user cordon-a "$PROBES/exec_argc0" "$CORDON"
    expect_rc 2 "argc 0"
    run as_user cordon-a bash -c "exec -a '' '$CORDON'"
    expect_rc 2 "argv[0] empty"
    run as_user cordon-a "$CORDON"
    expect_rc 2 "no verb"
    for words in "sandbox" "sandbox linux" "sandbox linux --" "debug" "debug landlock"; do
        # shellcheck disable=SC2086
        run as_user cordon-a "$CORDON" $words
        expect_rc 2 "$words"
        [ -z "$OUT" ] || fail "$words: usage on stdout"
    done
    job cordon-a -- ''
    expect_rc 2 "an empty command"
    run as_user cordon-a "$CORDON" ''
    expect_rc 2 "an empty verb"
    expect_clean
}

id_11_malformed_messages()
{
    local pid peak

    id_begin
    run as_user cordon-a timeout 120 "$PROBES/hostile_client" bad
    expect_ok "malformed conversations"
    id_still_well "malformed conversations"
    # One of them may be about to end.
    for pid in "$SERVICE_PID" $(workers); do
        peak=$(peak_kib "$pid" 2>/dev/null)
        [ "${peak:-0}" -lt 131072 ] || fail "a process grew to $peak KiB"
    done
    [ "$(peak_kib "$SERVICE_PID")" -gt 0 ] || fail "how far the service grew is not known"
    service_log
    ! grep -Eq 'AddressSanitizer|runtime error|Assertion' "$TOP/service.log" ||
        fail "$(grep -E 'Sanitizer|runtime error|Assertion' "$TOP/service.log" | head -n 2)"
}

id_17_client_killed()
{
    local job pid before began

    before=$(tree "$WS_A")
    (job_run cordon-a "$WS_A" -s workspace-write -- \
        sh -c 'sleep 45.5 & (setsid sleep 45.5 &) ; trap "" TERM HUP INT; sleep 45.5' \
        >/dev/null 2>&1) &
    job=$!
    wait_for "[ \$(pgrep -fc '^sleep 45.5') = 3 ]"
    pid=$(pgrep -f "^$CORDON .*sleep 45.5" | head -n 1)
    began=$EPOCHREALTIME
    kill -KILL "$pid"
    wait_for "! pgrep -f 'sleep 45.5' >/dev/null"
    [ "$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN {print (b - a < 1.0)}')" = 1 ] ||
        fail "the tree lived longer than 1 s"
    wait "$job" 2>/dev/null
    expect_same_tree "$WS_A" "$before"
    expect_clean
    job cordon-a -- true
    expect_ok "afterwards"
}

# The policy is never lifted, the jobs end, and the next service finds nothing of them.
id_18_supervisor_killed()
{
    local client round

    echo the-content >"$HOME_A/secret.txt"
    chown cordon-a: "$HOME_A/secret.txt"
    printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$HOME_A/secret.txt" | managed_codex
    for round in supervisor both; do
        rm -f "$WS_A/begun"
        (cd "$WS_A" && job_run cordon-a "$WS_A" -s workspace-write -- sh -c \
            'touch begun; while :; do cat "$0"; sleep 0.01; done' "$HOME_A/secret.txt" \
            >"$TOP/.out" 2>/dev/null) &
        client=$!
        wait_for "[ -e '$WS_A/begun' ]"
        kill -KILL "$SERVICE_PID"
        [ "$round" = supervisor ] || pkill -KILL cordon-worker
        wait "$SERVICE_PID" "$client" 2>/dev/null
        wait_for "! pgrep 'cordon-(init|guard|worker|keeper)' >/dev/null"
        wait_for "! pgrep -u cordon-a . >/dev/null"
        [ ! -s "$TOP/.out" ] || fail "$round: it was read: $(head -n 1 "$TOP/.out")"
        job cordon-a -- cat "$HOME_A/secret.txt"
        [ "$SERVICE_RETURNS" = 1 ] || expect_rc 125 "$round: without the service"
        expect_denied the-content "$round: until the next service" "$DENIAL|cordon: "
        service_again
        job cordon-a -- cat "$HOME_A/secret.txt"
        expect_denied the-content "$round: the next service"
    done
}

# b sees, ends and learns nothing of a's job: not even that there is one.
id_19_anothers_job()
{
    local client number signal none

    printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$HOME_A/secret.txt" | managed_codex
    echo the-content >"$HOME_A/secret.txt"
    chown cordon-a: "$HOME_A/secret.txt"
    (job_run cordon-a "$WS_A" -- sh -c 'cat "$0"; exec sleep 47.5' "$HOME_A/secret.txt" \
        >/dev/null 2>&1) &
    client=$!
    wait_for "pgrep -f '^sleep 47.5' >/dev/null"
    # A denial is told a moment after it.
    ! at_access || wait_for "as_user cordon-a '$CORDON' ps --json | grep -q '\"violations\":1'"
    run as_user cordon-a "$CORDON" ps --json
    number=$(grep -o '"job":"[0-9]*"' <<<"$OUT" | tr -dc 0-9)
    [ -n "$number" ] || fail "its owner does not see it: $(got)"
    ! at_access || expect_out '"violations":1' "its owner's list"
    for signal in KILL TERM USR1 CONT 33; do
        run as_user cordon-b "$CORDON" kill --signal "$signal" 987654
        none="$RC $OUT $ERR"
        run as_user cordon-b "$CORDON" kill --signal "$signal" "$number"
        [ "$none" = "$RC $OUT $ERR" ] || fail "$signal: '$none' for no job; $(got)"
        expect_rc 1 "$signal"
    done
    for verb in "ps --json" "ps" "violations" "violations --json" "status" "status --json"; do
        # shellcheck disable=SC2086
        run as_user cordon-b "$CORDON" $verb
        expect_ok "$verb"
        [[ $OUT$ERR != *"cordon-a"* && $OUT$ERR != *sleep* && $OUT$ERR != *"\"$CORDON_TEST_UID\""* &&
            $OUT$ERR != *secret.txt* ]] || fail "b's $verb: $(got)"
    done
    [ "$(as_user cordon-b "$CORDON" ps --json)" = '{"jobs":[]}' ] || fail "b lists something"
    run as_user cordon-b "$CORDON" reload
    expect_rc 1 "b's reload"
    pgrep -f '^sleep 47.5' >/dev/null || fail "the job did not survive"
    # Root sees whose it is, and its owner ends it from elsewhere.
    run "$CORDON" ps
    expect_out cordon-a "root's list"
    run as_user cordon-a "$CORDON" kill "$number" --signal KILL
    expect_ok "the owner's kill"
    wait_for "! pgrep -f '^sleep 47.5' >/dev/null"
    wait "$client"
    [ $? = 137 ] || fail "the client's status is another"
    run as_user cordon-a "$CORDON" kill "$number"
    [ "$ERR" = "${none#1  }" ] || fail "a job that has ended: $(got)"
}

id_22_other_namespace_or_root()
{
    run id_elsewhere unshare --mount --propagation private
    expect_refused 'mount namespace|root' "another mount namespace"
    run id_elsewhere unshare --mount --propagation private sh -c \
        "mount -t tmpfs t /mnt; exec \"\$@\"" sh
    expect_refused 'mount namespace|root' "a container with the socket"
    mkdir "$TOP/other"
    mount --rbind / "$TOP/other"
    # Its end would be that of the system's own mounts, which systemd has shared.
    mount --make-rprivate "$TOP/other"
    run id_elsewhere chroot "$TOP/other"
    umount -l "$TOP/other"
    rmdir "$TOP/other"
    expect_refused 'root|mount namespace' "another root"
    # As the user himself, in a user namespace of his own.
    run as_user cordon-a unshare -Um "$CORDON" sandbox linux -- true
    [ "$RC" != 0 ] || fail "a user namespace: $(got)"
    job cordon-a -- true
    expect_ok "the control"
}

# The client as cordon-a behind a command that moves it elsewhere.
id_elsewhere()
{
    timeout 20 "$@" setpriv --reuid=cordon-a --regid=cordon-a --init-groups \
        env -i HOME="$HOME_A" PATH=/usr/bin:/bin \
        sh -c "cd / && exec '$CORDON' sandbox linux -- true"
}

id_23_worker_in_hostile_hands()
{
    id_begin
    id_23_signals
    id_23_ptrace
    id_23_undying
    id_23_lingering
    id_23_orders ''
    id_23_orders 'allowed_sandbox_modes = ["read-only"]'
}

# Stopped and killed by its caller: his own jobs wait or fail, nobody else's do.
id_23_signals()
{
    local mine began

    mine=$(pgrep -u cordon-a -f cordon-worker)
    [ -n "$mine" ] || fail "no worker runs as the caller"
    as_user cordon-a kill -STOP "$mine"
    began=$EPOCHREALTIME
    job cordon-b -- true
    expect_ok "the other user's job beside a stopped worker"
    [ "$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN {print (b - a < 1.0)}')" = 1 ] ||
        fail "a stopped worker slows others down"
    as_user cordon-a kill -CONT "$mine"
    as_user cordon-a kill -KILL "$mine"
    # Who asks before the service has noticed is told to ask again.
    wait_for "[ ! -e /proc/$mine ]"
    id_still_well "after the worker was killed"
    (job_run cordon-a "$WS_A" -- sleep 46.5 >/dev/null 2>&1) &
    wait_for "pgrep -f '^sleep 46.5' >/dev/null"
    as_user cordon-a pkill -KILL -u cordon-a -f cordon-worker
    wait_for "! pgrep -f 'sleep 46.5' >/dev/null"
    wait $! 2>/dev/null
    wait_for '! pgrep -u cordon-a -f cordon-worker >/dev/null'
    id_still_well "after the worker was killed during a job"
}

id_23_ptrace()
{
    local mine

    mine=$(pgrep -u cordon-a -f cordon-worker | head -n 1)
    run as_user cordon-a timeout 5 "$PROBES/inject" cordon-worker 1 12 "$HOME_A/.fired" \
        -p "$mine" -- "$CORDON" sandbox linux -- "$PROBES/probe_confined"
    [[ $OUT != *UNCONFINED* ]] || fail "with a traced worker: $(got)"
    rm -f "$HOME_A/.fired"
    id_still_well "after ptrace"
    [ -z "$(find "/proc/$mine/fd" -lname '/etc/shadow' 2>/dev/null)" ] || fail "a worker holds it"
}

# The service's cordon-worker is ours; $1: the managed modes.
id_23_orders()
{
    local log=$HOME_A/hostile/log

    rm -rf "$HOME_A/hostile" "$HOME_A/vault"
    mkdir -p "$HOME_A/hostile" "$HOME_A/vault"
    printf 'evil:x:0:0::/:/bin/sh\n' >"$HOME_A/hostile/evil"
    echo the-content >"$HOME_A/secret.txt"
    echo the-content >"$HOME_A/vault/inner.txt"
    chown -R cordon-a: "$HOME_A"
    stop_service
    mount --bind "$PROBES/hostile_worker" "$WORKER"
    printf '%s\n[permissions.filesystem]\ndeny_read = ["%s", "%s"]\n' "$1" "$HOME_A/secret.txt" \
        "$HOME_A/vault" | managed_codex
    job_timeout_once cordon-a
    wait_for "grep -qx done '$log' 2>/dev/null"
    id_23_judge "$log" "$1"
    [ ! -L /etc/cordon-evil ] && [ ! -e /etc/cordon-evil ] || fail "a link was made on the host"
    kill -0 "$SERVICE_PID" || fail "the service ended"
    stop_service
    wait_for "umount '$WORKER' 2>/dev/null" # a worker that was killed may still have it
    [ -z "${CORDON_SHOW:-}" ] || cat "$log" >&3
    rm -rf /etc/codex "$HOME_A/hostile" "$HOME_A/vault" "$HOME_A/secret.txt"
    start_service
}

# Wakes the hostile worker; what the client gets does not matter.
job_timeout_once()
{
    JOB_TIMEOUT=3 job "$1" -- true
    [[ $OUT != *the-content* ]] || fail "the content shows"
}

id_23_judge()
{
    local line

    ! grep -q 'GAIN\|the-content' "$1" || fail "gained: $(grep -B1 -A1 'GAIN\|the-content' "$1")"
    ! grep -q ': RAN ' "$1" || fail "accepted: $(grep ': RAN ' "$1" | grep -v 'kind 5' | head -n 3)"
    ! grep -q ': no answer\|: no report' "$1" || fail "$(grep ': no ' "$1" | head -n 3)"
    [ "$(grep -c ': refused\|: ran\|: RAN' "$1")" -ge 41 ] || fail "rows are missing: $(wc -l <"$1")"
    [ "$(grep -c '^query: .*: refused' "$1")" = 6 ] || fail "questions: $(grep '^query' "$1")"
    grep -q '^plain: ran kind 1 code 0' "$1" || fail "the plain order: $(grep '^plain' "$1")"
    if [ -n "$2" ]; then
        for line in "write to the root" "write to what is root's" "root writable" "full access"; do
            grep -q "^$line: refused" "$1" || fail "read-only: $(grep "^$line" "$1")"
        done
        ! grep -q wrote-home "$1" || fail "read-only, but a file was written"
    fi
}
