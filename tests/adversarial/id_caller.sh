# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a caller brings along: his number, his environment, his terminal, and numbers of things.
CASES=(
    id_01_number_used_again:s id_04_root_of_his_own_namespace:se id_07_job_asks_the_broker:s
    id_09_environment_of_the_caller:se id_12_idle_connections:s id_13_floods_of_descriptors:s
    id_16_names_made_before:se id_20_typed_and_escaped:se id_21_terminal_as_without:se)

# The connection's process has ended and another has its number, before the service looked and
# after: the job is the connection's, or there is none.
id_01_number_used_again()
{
    local other when uid=$CORDON_TEST_UID

    id_begin
    mkfifo "$TOP/line"
    exec 7<>"$TOP/line"
    for other in cordon-b root; do
        for when in before after; do
            id_01_one "$when" "$other"
            case "$(tail -n 1 "$TOP/.err")" in
            RAN) [ "$OUT" = "$uid $uid" ] || fail "$when, $other's: ran as $OUT, not $uid" ;;
            closed | FAILED) [ -z "$OUT" ] || fail "$when, $other's: refused, but $OUT" ;;
            *) fail "$when, $other's: $(got)" ;;
            esac
            [ "$when" = before ] || [ -n "$OUT" ] || fail "$other's: nothing ran at all: $(got)"
        done
    done
    exec 7>&-
    rm -f "$TOP/line"
    id_still_well "after numbers were used again"
}

# WHEN USER: an orphan's conversation, its first number now that of a process of USER's.
id_01_one()
{
    local asker pid stand_in

    # What the service makes ahead would get the number.
    no_spares
    worker_waits
    : >"$TOP/.out"
    : >"$TOP/.err"
    [ "$1" = after ] || kill -STOP "$SERVICE_PID"
    (cd "$WS_A" && as_user cordon-a timeout 20 "$PROBES/hostile_client" orphan "$1" \
        sh -c 'echo $(id -u) $(id -g)' <"$TOP/line" >"$TOP/.out" 2>"$TOP/.err") &
    asker=$!
    wait_for "[ -s '$TOP/.out' ]"
    wait "$asker" 2>/dev/null
    pid=$(head -n 1 "$TOP/.out")
    for _ in $(seq 50); do
        wait_for "[ ! -e /proc/$pid ]"
        echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid
        setpriv --reuid="$2" --regid="$2" --init-groups sleep 43.9 &
        stand_in=$!
        # Not before: a shell that was just forked acts on a signal as its parent does, and ends the service.
        wait_for "grep -qx sleep /proc/$stand_in/comm"
        [ "$stand_in" != "$pid" ] || break
        kill "$stand_in"
        wait "$stand_in" 2>/dev/null
    done
    [ "$stand_in" = "$pid" ] || fail "number $pid is not given again"
    kill -CONT "$SERVICE_PID"
    echo >&7
    wait_for "grep -q 'RAN\|FAILED\|closed' '$TOP/.err'"
    kill "$stand_in"
    wait "$stand_in" 2>/dev/null
    OUT=$(tail -n +2 "$TOP/.out")
    ERR=$(cat "$TOP/.err")
}

# Root of a namespace is who he is outside; a number that nobody has is that number.
id_04_root_of_his_own_namespace()
{
    local uid=$CORDON_TEST_UID namespace

    for namespace in "unshare -Ur" "unshare -U" "unshare -Ur --map-user=12345"; do
        # shellcheck disable=SC2086
        run id_04_client $namespace
        id_04_judge "$uid" "$namespace"
        [ "$CORDON_MODE" = service ] || continue
        # shellcheck disable=SC2086
        run id_04_raw $namespace
        [[ $ERR != *RAN* ]] || [ "$OUT" = "$uid" ] || fail "$namespace, raw: $(got)"
        [[ $ERR == *RAN* || -z $OUT ]] || fail "$namespace, raw: $(got)"
    done
    # A number that no file of users knows.
    run setpriv --reuid=$((uid + 77)) --regid=$((uid + 77)) --clear-groups \
        env -i PATH=/usr/bin:/bin HOME=/ sh -c "cd / && exec '$CORDON' sandbox linux -- id -u"
    id_04_judge $((uid + 77)) "nobody's number"
    job cordon-a -- id -u
    [ "$OUT" = "$uid" ] || fail "the control: $(got)"
}

id_04_client()
{
    cd "$WS_A" && as_user cordon-a timeout 20 "$@" "$CORDON" sandbox linux -- \
        sh -c 'echo x >/etc/cordon-evil; id -u; awk "/^Uid/ {print \$2}" /proc/self/status' 2>/dev/null
}

id_04_raw()
{
    cd "$WS_A" && as_user cordon-a timeout 20 "$@" "$PROBES/hostile_client" say id -u
}

# UID WHAT: the job has that number, or there is none. In a namespace of the embedded mode it
# has the number that the caller saw.
id_04_judge()
{
    [ ! -e /etc/cordon-evil ] || fail "$2: wrote as root"
    if [ "$RC" = 125 ]; then
        [ -z "$OUT" ] || fail "$2: refused, but $(got)"
        return
    fi
    [ "$CORDON_MODE" = embedded ] || [ "$(head -n 1 <<<"$OUT")" = "$1" ] || fail "$2: $(got)"
    [ -n "$OUT" ] || fail "$2: $(got)"
}

# From inside: unreachable where there is no network, refused where there is no sandbox at all.
id_07_job_asks_the_broker()
{
    local mode words

    id_begin
    run as_user cordon-a "$PROBES/hostile_client" say echo reached
    [ "$OUT" = reached ] || fail "the control: $(got)"
    for mode in read-only workspace-write danger-full-access; do
        for words in "sandbox linux -s danger-full-access -- echo reached" "ps" "reload" "kill 1"; do
            # shellcheck disable=SC2086
            job cordon-a -s "$mode" -- "$CORDON" $words
            expect_rc 125 "$mode: $words"
            [ -z "$OUT" ] || fail "$mode: $words: $(got)"
        done
        job cordon-a -s "$mode" -- "$PROBES/hostile_client" say echo reached
        grep -Eqx 'FAILED|closed|unreachable: .*' <<<"$ERR" || fail "$mode, raw: $(got)"
        [[ $OUT != *reached* ]] || fail "$mode, raw: $(got)"
        [ "$mode" = danger-full-access ] || expect_err '^unreachable' "$mode, raw"
        id_07_python "$mode"
    done
    # What is bound into it is of no more use.
    job cordon-a -s workspace-write -- python3 -c \
        'import os; os.link("/run/cordon/cordond.sock", "mine.sock")'
    [ "$RC" != 0 ] || fail "a link to the socket was made: $(got)"
    rm -f "$WS_A/mine.sock"
    id_still_well "after jobs asked"
}

ID_07='import os, socket, sys
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
    for path in ("/run/cordon/cordond.sock", "/proc/1/root/run/cordon/cordond.sock",
                 "/var/run/cordon/cordond.sock"):
        try:
            s = socket.socket(socket.AF_UNIX, kind)
            s.connect(path)
            s.settimeout(5)
        except OSError:
            continue
        try:
            s.sendall(bytes.fromhex("4352444e01000100010000000700000008011001") + b"\x1a\x01x")
        except BrokenPipeError:
            pass
        print("answer", int.from_bytes(s.recv(16)[6:8], "little"))'

# The only answer to HELLO (64 would be WELCOME) is FAILED, 67.
id_07_python()
{
    job cordon-a -s "$1" -- python3 -c "$ID_07"
    expect_ok "$1: python"
    [[ $OUT != *"answer 64"* ]] || fail "$1: a job is welcome: $(got)"
    if [ "$1" = danger-full-access ]; then
        expect_out "answer 67" "$1"
    else
        [ -z "$OUT" ] || fail "$1: python: $(got)"
    fi
}

# What changes how programs start is the command's alone.
id_09_environment_of_the_caller()
{
    local client pid program words

    words=(CORDON_MARK=mark-09 LD_PRELOAD="$PROBES/preload_mark.so" LD_AUDIT= LD_LIBRARY_PATH="$WS_A"
        MARKS="$WS_A/marks" GCONV_PATH="$WS_A" BASH_ENV="$WS_A/rc" ENV="$WS_A/rc" LISTEN_FDS=3
        LISTEN_PID=1 LISTEN_FDNAMES=x NOTIFY_SOCKET="$WS_A/notify" WATCHDOG_USEC=1
        ASAN_OPTIONS=verify_asan_link_order=0)
    # shellcheck disable=SC2016
    echo 'readlink /proc/$$/exe >>"$MARKS.rc"' >"$WS_A/rc"
    (cd "$WS_A" && as_user cordon-a "${words[@]}" "$CORDON" sandbox linux -s workspace-write -- \
        bash -c 'env >seen; exec sleep 44.2' >/dev/null 2>&1) &
    client=$!
    wait_for "pgrep -f '^sleep 44.2' >/dev/null"
    for pid in /proc/[0-9]*; do
        grep -qz '^CORDON_MARK=mark-09' "$pid/environ" 2>/dev/null || continue
        program=$(tr '\0' ' ' <"$pid/cmdline")
        case "$program" in
        "sleep 44.2 " | "$CORDON "*) echo "$program" >>"$TOP/holders" ;;
        *) fail "it is in the environment of: $program" ;;
        esac
        [[ $program == "$CORDON "* ]] || ID_09_JOB=$pid
    done
    [ "$(wc -l <"$TOP/holders")" = 2 ] || fail "not the client and the command: $(cat "$TOP/holders")"
    grep -q preload_mark "$ID_09_JOB/maps" || fail "the command did not load it"
    for pid in $(pgrep cordon); do
        ! grep -q preload_mark "/proc/$pid/maps" || fail "loaded by $(cat "/proc/$pid/comm")"
    done
    id_09_judge "${words[@]}"
    pkill -f '^sleep 44.2'
    wait "$client"
    rm -f "$TOP/holders"
}

# WORD...: the command saw each; what was loaded by others has left no mark.
id_09_judge()
{
    local word

    for word in "$@"; do
        grep -Fxq "$word" "$WS_A/seen" || fail "the command did not see $word"
    done
    grep -q bash "$WS_A/marks" || fail "no mark of the command: $(cat "$WS_A/marks")"
    [ -s "$WS_A/marks.rc" ] || fail "the command's shell did not read BASH_ENV"
    ! grep -Ev '/(bash|dash|env|sleep|readlink)$' "$WS_A/marks" >"$TOP/others" ||
        fail "loaded by $(cat "$TOP/others")"
    ! grep -v '/bash$' "$WS_A/marks.rc" || fail "BASH_ENV was read by others"
    rm -f "$TOP/others"
}

id_12_idle_connections()
{
    local crowd held

    id_begin
    lg_04_measure "alone"
    LG_ALONE=$LG_OTHERS
    mkfifo "$TOP/line"
    exec 7<>"$TOP/line"
    as_user cordon-a "$PROBES/hostile_client" crowd 1000 <"$TOP/line" >"$TOP/crowd" 2>&1 7>&- &
    crowd=$!
    exec 7>"$TOP/line"
    wait_for "[ -s '$TOP/crowd' ]"
    held=$(sed -n 's/ held$//p' "$TOP/crowd")
    [ -n "$held" ] && [ "$held" -ge 100 ] && [ "$held" -le 128 ] ||
        fail "a holds, of 1000: $(cat "$TOP/crowd")"
    lg_04_others "1000 idle connections"
    job cordon-a -- true
    expect_refused 'connections' "a's next one"
    [ "$(broker_fds)" -le $((ID_FDS + 4 * 128)) ] || fail "the supervisor holds $(broker_fds) descriptors"
    exec 7>&-
    wait "$crowd" || fail "the crowd: $(cat "$TOP/crowd")"
    rm -f "$TOP/line" "$TOP/crowd"
    id_still_well "after the crowd"
    wait_for "[ \$(worker_fds) -le $((ID_WORKER_FDS + 4)) ]"
}

id_13_floods_of_descriptors()
{
    id_begin
    as_user cordon-a timeout 60 "$PROBES/hostile_client" flood >"$TOP/flood" 2>&1 ||
        fail "floods: $(cat "$TOP/flood")"
    [ "$(grep -c '64 of 64 dropped' "$TOP/flood")" = 4 ] || fail "floods: $(cat "$TOP/flood")"
    rm -f "$TOP/flood"
    id_still_well "after floods"
    wait_for "[ \$(worker_fds) -le $((ID_WORKER_FDS + 4)) ]"
}

# Names that any user can make beforehand: none is ever used.
id_16_names_made_before()
{
    local dir name mode pid before

    mount -t tmpfs -o mode=1777 shm /dev/shm
    mount -t tmpfs -o mode=1777 tmp /var/tmp
    install -o cordon-a -m 600 /dev/null "$HOME_A/victim"
    for dir in /tmp /dev/shm /var/tmp /run/lock; do
        as_user cordon-a sh -c "mkdir $dir/cordon $dir/.cordon && ln -s '$HOME_A/victim' $dir/cordond.sock"
        for name in $(id_16_names); do
            as_user cordon-a ln -s "$HOME_A/victim" "$dir/$name" 2>/dev/null
        done
    done
    ! as_user cordon-a mkdir /run/cordon-x 2>/dev/null || fail "/run is writable here"
    restart_service
    before=$(id_16_all)
    "$PROBES/watch_tree" /tmp "$TOP/watch.tmp" &
    pid=$!
    "$PROBES/watch_tree" /dev/shm "$TOP/watch.shm" &
    pid="$pid $!"
    wait_for "grep -q ready '$TOP/watch.tmp' && grep -q ready '$TOP/watch.shm'"
    for mode in read-only workspace-write danger-full-access; do
        job cordon-a -s "$mode" -- id -u
        expect_ok "$mode"
        job cordon-b -s "$mode" -- true
        expect_ok "$mode, the other user"
    done
    [ "$(cat "$TOP/watch.tmp" "$TOP/watch.shm")" = $'ready\nready' ] ||
        fail "used: $(cat "$TOP/watch.tmp" "$TOP/watch.shm" | tr '\n' ' ')"
    [ "$(id_16_all)" = "$before" ] || fail "changed: $(diff <(echo "$before") <(id_16_all))"
    [ ! -s "$HOME_A/victim" ] || fail "written through a link: $(head -c 100 "$HOME_A/victim")"
    job cordon-a -s workspace-write -- touch /tmp/by-the-job
    wait_for "grep -q by-the-job '$TOP/watch.tmp'"
    # shellcheck disable=SC2086
    kill $pid
    wait 2>/dev/null $pid
    rm -rf "$TOP/watch.tmp" "$TOP/watch.shm" /run/lock/* /tmp/* /tmp/.[!.]*
    umount /dev/shm /var/tmp
}

# Whatever name a program of the product has in its text, and what it makes in a job's own /dev.
id_16_names()
{
    local program

    for program in "$CORDOND" "$WORKER" "$CORDON" "$INIT"; do
        grep -aoE 'cordon-[a-z]+|cordond?\.[a-z]+' "$program"
    done | sort -u
    printf '%s\n' .mask mask file dir null zero tty pts ptmx shm fd stdin
}

id_16_all()
{
    # Not what the service manager has there.
    find /tmp /dev/shm /var/tmp /run /run/lock -printf '%p %y %m %u %l\n' |
        grep -vE '^/run/(cordon|systemd|log)' | sort -u
}

id_terminal()
{
    (cd "$WS_A" && as_user cordon-a timeout 100 /usr/bin/python3 "$HERE/probes/terminal_caller.py" \
        "$CORDON" "$HERE/../system" "$1") >"$TOP/.terminal" 2>&1 || fail "$(tail -n 1 "$TOP/.terminal")"
    grep -Eqx "$2 cases" "$TOP/.terminal" || fail "cases: $(tail -n 1 "$TOP/.terminal")"
    rm -f "$TOP/.terminal"
}

# Nothing is typed at the caller's shell, and no name that the broker prints reaches his terminal.
id_20_typed_and_escaped()
{
    local name=$'secret\e]0;title\a\e[31m\ex\r' file form

    id_terminal attack 2
    printf '[permissions.filesystem]\ndeny_read = ["%s/**/*secret*"]\n' "$WS_A" | managed_codex
    file=$WS_A/$name
    echo the-content >"$file"
    # shellcheck disable=SC2016
    job cordon-a --log-denials -- sh -c 'cat "$1" 2>/dev/null' sh "$file"
    [ "$RC" != 0 ] || fail "it was read: $(got)"
    id_20_escaped "$TOP/.err" "--log-denials"
    expect_record 'secret' 'deny_read'
    (job_run cordon-a "$WS_A" -- sh -c 'exec sleep 44.7' "$name" >/dev/null 2>&1) &
    wait_for "pgrep -f '^sleep 44.7' >/dev/null"
    for form in "ps" "ps --json" "violations" "violations --json" "status"; do
        # shellcheck disable=SC2086
        [ "$CORDON_MODE" = embedded ] || run as_user cordon-a "$CORDON" $form
        id_20_escaped "$TOP/.out" "$form"
        [ "$CORDON_MODE" = embedded ] || [ "$form" != ps ] || expect_out 'title' "ps tells the name"
    done
    run as_user cordon-a "$CORDON" "$name"
    id_20_escaped "$TOP/.err" "an unknown verb"
    job cordon-a -- "./$name-"
    id_20_escaped "$TOP/.err" "no such command"
    pkill -f '^sleep 44.7'
    wait $!
    rm -f "$file"
}

id_20_escaped()
{
    ! LC_ALL=C grep -q '[[:cntrl:]]' "$1" || fail "$2: $(cat -v "$1")"
}

id_21_terminal_as_without()
{
    id_terminal control 7
}

# ---- ID-23 of id.sh ----

# COUNT jobs of a's that nothing ends, as if a system call of each hung, their clients killed; until
# id_23_undying_end.
id_23_undying_begin()
{
    local i clients=()

    for ((i = 0; i < $1; i++)); do
        (JOB_TIMEOUT=100 job_run cordon-a "$WS_A" -- sleep 48.5 >/dev/null 2>&1) &
        clients+=($!)
    done
    wait_for "[ \$(pgrep -fc '^sleep 48.5') = $1 ]" 20
    mkfifo "$TOP/undying"
    # shellcheck disable=SC2046
    python3 "$CORDON_SOURCE/tests/adversarial/probes/undying.py" $(pgrep -f '^sleep 48.5') \
        <"$TOP/undying" >"$TOP/undying.out" 2>&1 &
    UNDYING=$!
    exec 9>"$TOP/undying"
    wait_for "grep -q traced '$TOP/undying.out'" || fail "undying: $(cat "$TOP/undying.out")"
    pkill -KILL -f "^$CORDON .*sleep 48.5"
    wait "${clients[@]}" 2>/dev/null
}

id_23_undying_end()
{
    exec 9>&-
    wait "$UNDYING"
    rm "$TOP/undying" "$TOP/undying.out"
}

# They are his own trouble, and nobody waits for them, nor the service's end.
id_23_undying()
{
    local i

    id_23_undying_begin 16
    # The service gives each of them some seconds before it lets go of it.
    for ((i = 0; i < 300; i++)); do
        job cordon-b -- echo served
        expect_out served "beside jobs that cannot end"
        job cordon-a -- true
        [ "$RC" = 0 ] || break
        sleep 0.05
    done
    expect_refused "has 16 jobs that were killed and cannot end; end what they wait for" "a's next"
    # Those of other jobs are reaped.
    wait_for '[ "$(id_23_zombies)" = 0 ]'
    id_23_undying_end
    no_spares
    wait_for '[ -z "$SERVICE_GROUP" ] || [ -z "$(find "$SERVICE_GROUP" -name "cordon-job-*")" ]'
    wait_for '[ "$(id_23_zombies)" = 0 ]'
    id_still_well "after jobs that could not end"
    id_23_undying_begin 2
    restart_service 9>&- # it would keep the end that id_23_undying_end closes
    id_23_undying_end
    id_begin
    id_still_well "after the service ended beside jobs that could not"
}

id_23_zombies()
{
    ps -o stat= --ppid "$SERVICE_PID" | grep -c Z
}

# What takes long to be closed is nobody else's trouble.
id_23_lingering()
{
    local helper

    mkfifo "$TOP/lingering"
    chown cordon-a: "$TOP/lingering"
    # All is queued before the first is looked at.
    kill -STOP "$SERVICE_PID"
    as_user cordon-a setpriv --no-new-privs python3 "$CORDON_SOURCE/tests/adversarial/probes/lingering.py" \
        /run/cordon/cordond.sock 4 <"$TOP/lingering" >"$TOP/lingering.out" 2>&1 &
    helper=$!
    exec 9>"$TOP/lingering"
    wait_for "grep -q queued '$TOP/lingering.out'" 20
    kill -CONT "$SERVICE_PID"
    job cordon-b -- echo served
    exec 9>&-
    expect_out served "while what was refused lingers"
    wait "$helper"
}
