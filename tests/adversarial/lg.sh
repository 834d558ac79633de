# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Records and limits: what a job leaves, and what its status says.
CASES=(lg_04_bombs_stay_in_their_job:se lg_07_no_artefact_ever:se lg_08_exit_statuses:se)

LG_04='[cordon.limits]
memory_mib = 64
pids = 24
open_files = 40
'

lg_04_bombs_stay_in_their_job()
{
    printf '%s' "$LG_04" | managed_cordon
    [ -z "$SERVICE_GROUP" ] || lg_04_by_group memory_mib || fail "the control group is not used"
    lg_04_measure "alone"
    LG_ALONE=$LG_OTHERS
    lg_04_narrowing
    lg_04_descriptors
    lg_04_processes
    lg_04_memory
    lg_04_time
    lg_04_share
    expect_clean
}

# The limit is held by the control group of the job, as the plan says.
lg_04_by_group()
{
    as_user cordon-a "$CORDON" sandbox linux -C "$WS_A" --print-plan |
        grep -q "limit .*$1: [a-z]*\\.max of the job's control group (cordon.limits.$1, /etc/cordon/requirements.toml:"
}

# FIELD VALUE: the record of the last job's end has it; VALUE is a regular expression.
lg_04_record()
{
    local line

    [ "$CORDON_MODE" = service ] || return 0
    wait_for log_is_settled
    line=$(grep '"event":"end"' "$TOP/service.log" | tail -n 1)
    grep -Eq "\"$1\":$2[,}]" <<<"$line" || fail "record: expected $1 $2 in $line"
}

lg_04_narrowing()
{
    job cordon-a -c cordon.limits.open_files=4096 -- sh -c 'ulimit -n; ulimit -Hn; ulimit -n 41 2>/dev/null && echo raised'
    [ "$OUT" = $'40\n40' ] || fail "a caller's own limit widened the managed one: $(got)"
    job cordon-a -c cordon.limits.open_files=20 -- sh -c 'ulimit -n'
    [ "$OUT" = 20 ] || fail "a caller's own limit does not narrow: $(got)"
    job cordon-a -s danger-full-access -- sh -c 'ulimit -n'
    [ "$OUT" = 40 ] || fail "under full access: $(got)"
}

# Of each process, so the user's other processes have theirs.
lg_04_descriptors()
{
    job cordon-a -- python3 -c 'import os
n = 0
try:
    while True:
        os.dup(0); n += 1
except OSError as e:
    print(n, e.errno)'
    expect_ok "a descriptor bomb"
    [ "$OUT" = "37 24" ] || fail "a descriptor bomb: $(got)"
}

# WHEN: the median of what seven jobs of user b take, in LG_OTHERS (milliseconds).
lg_04_measure()
{
    local i started times=()

    for i in 1 2 3 4 5 6 7; do
        started=${EPOCHREALTIME/./}
        job_run cordon-b "$WS_B" -- true >/dev/null 2>&1 || fail "$1: user b is not served"
        times+=($(((${EPOCHREALTIME/./} - started) / 1000)))
    done
    LG_OTHERS=$(printf '%s\n' "${times[@]}" | sort -n | sed -n 4p)
}

# WHEN: others are served in 200 ms; an emulated machine (SLOW) has ten times what it needs alone.
lg_04_others()
{
    local most=200 tries

    [ "${SLOW:-1}" = 1 ] || most=$((LG_ALONE * 10 > 200 ? LG_ALONE * 10 : 200))
    # What else the machine does may delay seven, not three times seven.
    for tries in 1 2 3; do
        lg_04_measure "$1"
        [ "$LG_OTHERS" -ge "$most" ] || break
    done
    echo "during $1: $LG_OTHERS ms, alone $LG_ALONE ms" >>"$TOP/lg04"
    [ "$LG_OTHERS" -lt "$most" ] || fail "during $1: user b waits $LG_OTHERS ms, alone $LG_ALONE ms, $tries times"
}

lg_04_processes()
{
    local count pid

    # Pid 1 of the job before is the user's as well.
    [ "$CORDON_MODE" != service ] || wait_for log_is_settled
    job cordon-a -- python3 -c 'import os, time
n = 1
try:
    while True:
        if os.fork() == 0:
            time.sleep(60); os._exit(0)
        n += 1
except OSError as e:
    print(n, e.errno)'
    expect_ok "processes are counted"
    case "$OUT" in
    "24 11") ;;
    # Where they are counted by user, what starts the job counts too.
    "2"[0-3]" 11") ! lg_04_by_group pids && [ "$CORDON_MODE" = service ] || fail "too few: $(got)" ;;
    *) fail "processes are counted: $(got)" ;;
    esac
    if lg_04_by_group pids; then
        lg_04_record pids_refused '[1-9][0-9]*'
    fi
    job_run cordon-a "$WS_A" --timeout 120 -- bash -c 'f() { f | f & }; f; sleep 120' >/dev/null 2>&1 &
    pid=$!
    wait_for "[ \$(pgrep -cu cordon-a) -gt 12 ]"
    lg_04_others "a fork bomb"
    [ "$(pgrep -cu cordon-a)" -gt 12 ] || fail "the fork bomb was over before that was measured"
    count=$(pgrep -cu cordon-a)
    # The job, its init and guards, the worker, the client and what started it.
    [ "$count" -le 34 ] || fail "a fork bomb: $count processes"
    kill "$(pgrep -f "^$CORDON .*--timeout 120" | head -n 1)"
    wait "$pid"
}

LG_MEMORY='import sys, time
x = []
try:
    while True:
        x.append(bytearray(1 << 20))
except MemoryError:
    print(len(x))'

lg_04_memory()
{
    local pid

    job cordon-a -- python3 -c "$LG_MEMORY"
    if lg_04_by_group memory_mib; then
        lg_04_memory_group
    else
        expect_ok "a memory bomb"
        [ "$OUT" -ge 16 ] && [ "$OUT" -lt 64 ] || fail "a memory bomb: $(got)"
        expect_err 'memory_mib = 64 holds for the private memory of each process' "a notice"
        lg_04_record largest_process_bytes '[1-9][0-9]*'
    fi
    (while :; do job_run cordon-a "$WS_A" -- python3 -c "$LG_MEMORY"; done) >/dev/null 2>&1 &
    pid=$!
    lg_04_others "memory bombs"
    kill "$pid"
    wait "$pid" 2>/dev/null
    wait_for "! pgrep -u cordon-a python3 >/dev/null"
}

# All of the job goes, also what had nothing to do with it, and one line says why.
lg_04_memory_group()
{
    expect_rc 137 "a memory bomb"
    expect_err '^cordon: .*memory_mib = 64 MiB \(cordon.limits.memory_mib, /etc/cordon/requirements.toml:2\)$' "why"
    lg_04_record oom_kills '[1-9][0-9]*'
    lg_04_record limit '"memory_mib"'
    job cordon-a -- sh -c "sleep 46.4 & python3 -c '$LG_MEMORY'; sleep 5; echo survived"
    expect_rc 137 "a memory bomb below the command"
    [ -z "$OUT" ] || fail "a memory bomb below the command: $(got)"
    ! pgrep -f '^sleep 46.4' >/dev/null || fail "a process outlived its job"
    lg_04_group_fails
    job cordon-a -- python3 -c 'f = open("/dev/shm/f", "wb")
while True: f.write(bytes(1 << 20))'
    expect_rc 137 "a memory bomb in a file"
}

# What the service found when it started has gone: no job without its limits.
lg_04_group_fails()
{
    # What was made ahead has its limits already, as a job that runs has.
    no_spares
    echo -memory >"$SERVICE_GROUP/cgroup.subtree_control" || fail "the controller does not go"
    job cordon-a -- true
    expect_refused 'cannot set memory.oom.group of the job.s control group'
    echo +memory >"$SERVICE_GROUP/cgroup.subtree_control" || fail "the controller does not come back"
    job cordon-a -- true
    expect_ok "with the controller back"
}

# The supervisor keeps the time: neither a stopped worker nor a stopped client helps.
lg_04_time()
{
    local pid workers

    printf '%swall_s = 2\n' "$LG_04" | managed_cordon
    job cordon-a -c cordon.limits.wall_s=60 -- sleep 45.4
    expect_rc 124 "a job that takes too long"
    expect_err '^cordon: .*wall_s = 2 s \(cordon.limits.wall_s, /etc/cordon/requirements.toml:5\)$' "why"
    lg_04_record limit '"wall_s"'
    lg_04_record limit_managed true
    job_run cordon-a "$WS_A" -- sh -c 'setsid sleep 45.5 & sleep 45.5' >/dev/null 2>&1 &
    pid=$!
    wait_for "pgrep -f '^sleep 45.5' >/dev/null"
    workers=$(pgrep -u cordon-a cordon-worker)
    kill -STOP $workers
    sleep $((3 * ${SLOW:-1}))
    ! pgrep -f '^sleep 45.5' >/dev/null || fail "with the worker stopped the job outlives its time"
    kill -CONT $workers
    wait "$pid"
    [ "$?" = 124 ] || fail "after the worker went on: not 124"
    job cordon-a -c cordon.limits.wall_s=1 -- sleep 45.6
    expect_rc 124 "a caller's own time"
    expect_err 'wall_s = 1 s \(cordon.limits.wall_s, command line\)' "why"
}

# A share of the processors, where the host can hold it; else no job at all.
lg_04_share()
{
    printf '[cordon.limits]\ncpu_percent = 20\n' | managed_cordon
    if [ "$CORDON_MODE" = service ] && [ -n "$SERVICE_GROUP" ]; then
        job cordon-a --timeout 3 -- python3 -c 'while True: pass'
        expect_rc 124 "a busy loop"
        lg_04_record cpu_user_us '[1-8]?[0-9]{5}'
        lg_04_record cpu_throttled_us '[1-9][0-9]*'
        return
    fi
    job cordon-a -- true
    expect_refused 'cpu_percent = 20 cannot be enforced here: .*\(cordon.limits.cpu_percent, /etc/cordon/requirements.toml:2\); run the service'
    rm -r /etc/cordon
    restart_service
    job cordon-a -c cordon.limits.cpu_percent=20 -- true
    expect_ok "the caller's own share"
    expect_err 'cpu_percent = 20 is not enforced' "a notice"
}

# A git work tree with the protected names absent and one present, watched.
lg_07_no_artefact_ever()
{
    local before status pid

    as_user cordon-a sh -c "cd '$WS_A' && git init -q . && git config user.email a@example.com &&
        git config user.name a && echo 1 >tracked && git add tracked && git commit -qm one && mkdir d"
    user_config cordon-a <<'TOML'
default_permissions = "dev"
[permissions.dev]
extends = ":workspace"
[permissions.dev.filesystem.":workspace_roots"]
"**/.env" = "deny"
"absent.txt" = "deny"
"no/such/dir" = "deny"
".npmrc" = "deny"
TOML
    before=$(tree "$WS_A")
    "$PROBES/watch_tree" "$WS_A" "$TOP/watch" &
    pid=$!
    wait_for "grep -q ready '$TOP/watch' 2>/dev/null"
    job cordon-a -- sh -c 'ls -la >/dev/null; git status --porcelain'
    expect_ok
    [ -z "$OUT" ] || fail "git status inside: $OUT"
    job cordon-a -s workspace-write -- true
    job cordon-a -s read-only -- false
    lg_killed_job cordon 'sleep 43.5'
    lg_killed_job cordond 'sleep 44.5'
    expect_same_tree "$WS_A" "$before"
    kill "$pid"
    wait "$pid" 2>/dev/null
    status=$(as_user cordon-a git -C "$WS_A" status --porcelain --ignored)
    [ -z "$status" ] || fail "git status after: $status"
    [ "$(cat "$TOP/watch")" = ready ] || fail "seen in the work tree: $(tail -n +2 "$TOP/watch")"
    rm -f "$TOP/watch"
}

# A job that sleeps, its client or its broker killed; then it must be gone.
lg_killed_job()
{
    local job

    (job_run cordon-a "$WS_A" -- $2 >/dev/null 2>&1) &
    job=$!
    wait_for "pgrep -f '^$2' >/dev/null"
    if [ "$1" = cordond ] && [ "$CORDON_MODE" = service ]; then
        kill -KILL "$SERVICE_PID"
    elif [ "$1" = cordond ]; then
        kill -KILL "$(pgrep -o -f 'cordon-embedded --embedded')"
    else
        kill -KILL "$(pgrep -f "^$CORDON .*$2" | head -n 1)"
    fi
    wait_for "! pgrep -f '^$2' >/dev/null"
    wait "$job" 2>/dev/null
    if [ "$1" = cordond ] && [ "$CORDON_MODE" = service ]; then
        service_again
    fi
}

lg_08_exit_statuses()
{
    local n

    # The shells that count run as the user: the start of setpriv is not what is measured.
    run lg_loop 'for n in $(seq 0 255); do "$C" sandbox linux -- sh -c "exit $n"; [ $? = $n ] || echo "exit $n: $?"; done'
    [ -z "$OUT" ] || fail "$OUT"
    run lg_loop 'for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 24 25 26 27 29 30 31 34 50 64; do
        "$C" sandbox linux -- sh -c "kill -$n \$\$; sleep 5"; r=$?; [ $r = $((128 + n)) ] || echo "signal $n: $r"; done'
    [ -z "$OUT" ] || fail "$OUT"
    job cordon-a -- no-such-command
    expect_rc 127 "not found"
    job cordon-a -- /no/such/command
    expect_rc 127 "not found by path"
    job cordon-a -- ./tracked-nothing
    expect_rc 127 "not found, relative"
    echo text >"$WS_A/text"
    job cordon-a -- ./text
    expect_rc 126 "not executable"
    job cordon-a -- /etc
    expect_rc 126 "a directory"
    printf '#!/no/such/interpreter\n' >"$WS_A/script"
    chmod 755 "$WS_A/script"
    job cordon-a -- ./script
    [ "$RC" = 126 ] || [ "$RC" = 127 ] || fail "a missing interpreter: $(got)"
    job cordon-a -C "$TOP/no-such" -- true
    expect_rc 125 "set-up failure"
    job cordon-a -P no-such -- true
    expect_rc 125 "no such profile"
    job cordon-a --timeout 1 -- sleep 60
    expect_rc 124 "a timeout"
    for n in "sandbox linux" "--no-such" "sandbox linux --no-such -- true" "nosuch" "sandbox macos -- true" \
        "sandbox windows -- true"; do
        # shellcheck disable=SC2086
        run as_user cordon-a "$CORDON" $n
        expect_rc 2 "$n"
        [ -z "$OUT" ] || fail "$n: printed on stdout: $OUT"
    done
    rm -f "$WS_A/text" "$WS_A/script"
}

lg_loop()
{
    cd "$WS_A" && as_user cordon-a C="$CORDON" sh -c "$1"
}
