# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Deny-read over several jobs: what one job gave another name stays denied in the next ones.
CASES=(
    dr_36_moved_by_an_earlier_job:s dr_37_other_users_and_policies:s dr_38_guard_that_told_nothing:s
    dr_39_more_than_can_be_remembered:s dr_40_each_call_fails_once_while_a_job_moves:s
    dr_41_killed_while_the_host_is_busy:s)

# Matches in a writable place: of the profile's patterns, and of managed ones.
dl_setup()
{
    install -d "$WS_A/b" "$WS_A/keys/deep" "$WS_A/m"
    echo "$SECRET" | tee "$WS_A/b/x.key" "$WS_A/b/w.key" "$WS_A/keys/inner" "$WS_A/keys/deep/er" >"$WS_A/m/x.env"
    echo plain | tee "$WS_A/plain.txt" >"$WS_A/b/other"
    chown -R cordon-a: "$HOME_A"
    dl_rules "/**/*.key" "/**/keys"
    printf '[permissions.filesystem]\ndeny_read = ["/**/*.env"]\n' | managed_codex
}

# A profile that denies these.
dl_rules()
{
    {
        printf 'default_permissions = "dev"\n[permissions.dev]\nextends = ":workspace"\n'
        printf '[permissions.dev.filesystem]\n'
        printf '"%s" = "deny"\n' "$@"
    } | user_config cordon-a
}

# dl_job SCRIPT: a job that may do what it likes and reads nothing.
dl_job()
{
    job cordon-a -- sh -c "$1; true"
    expect_ok "$1"
    [[ $OUT$ERR != *"$SECRET"* ]] || fail "$1: the content shows; $(got)"
}

# dl_none FILE...: a later job reads none of them, and what it may: neither one that was set up before
# or while they were renamed, if there is such, nor one that is set up now.
dl_none()
{
    dl_none_now "$@"
    [ -n "${DL_RUNS:-}" ] || no_spares
    dl_none_now "$@"
}

dl_none_now()
{
    job cordon-a -- sh -c 'for name; do cat -- "$name"; done; cat plain.txt' sh "$@"
    [[ $OUT$ERR != *"$SECRET"* ]] || fail "a later job reads one of $*; $(got)"
    [ "$OUT" = plain ] || fail "a later job reads something else of $*; $(got)"
}

dr_36_moved_by_an_earlier_job()
{
    dl_setup
    dl_job 'mv b/x.key y; mv m/x.env e; mv keys k2; ln b/w.key l; rm b/w.key'
    dl_none y e l k2/inner k2/deep/er
    dl_job 'cat y; mv y z; mv e e2; mv k2/deep d2; mv k2/inner i; mv k2 k3; mv l keys; ln z z2; rm z'
    dl_none z z2 e2 d2/er i k3/inner keys
    # In the order that makes the names of the first job's directory matter to the third.
    dl_setup
    dl_job 'mv keys k4; mkdir n; mv k4 n/k5; mv n/k5/deep n/d; mv n o'
    dl_job 'mv o/d/er er; mv o/k5/inner inner; mv o p'
    dl_none er inner p/k5/inner p/d/er
    dl_setup
    dl_job 'ln b/x.key c; echo new >n; mv -f n b/x.key; ln m/x.env c2; mv -f b/other m/x.env'
    dl_none c c2
    # The last thing that a job does, and much before it.
    dl_setup
    job cordon-a -- /usr/bin/python3 -c '
import os
for i in range(3000): os.mkdir("t"); os.rename("t", "u"); os.rmdir("u")
def tried(*names):
    try: os.rename(*names)
    except OSError: pass
tried("b/x.key", "y"); tried("keys", "k2"); tried("m/x.env", "e"); os._exit(0)'
    expect_ok
    dl_none y k2/inner e
    dl_back
}

# What has its name again is judged by that.
dl_back()
{
    ! decided_by bpf || return 0
    dl_setup
    dl_job 'mv b/x.key y; mv keys k2; mv m/x.env e'
    dl_job 'mv y b/x.key; mv k2 keys; mv e m/x.env'
    dl_none b/x.key keys/inner m/x.env
    dl_rules "$WS_A/none/**/x"
    job cordon-a -- cat b/x.key keys/inner
    expect_out "$SECRET" "names that nothing denies any more"
    dl_none m/x.env
}

dr_37_other_users_and_policies()
{
    dl_setup
    dl_job 'mv b/x.key y; mv m/x.env e; mv keys k2'
    chmod -R a+rX "$WS_A"
    job cordon-b -- cat "$WS_A/e"
    [[ $OUT$ERR != *"$SECRET"* ]] || fail "another user's job reads it; $(got)"
    # One who may read it under its former name may read it under the later one.
    if ! decided_by bpf; then
        job cordon-b -- cat "$WS_A/y" "$WS_A/k2/inner"
        expect_out "$SECRET" "another user, whose profile says nothing of it"
        dl_rules "$WS_A/none/**/x"
        job cordon-a -- cat y k2/inner
        expect_out "$SECRET" "another profile"
    fi
    dl_none e
    dl_rules "/**/*.key" "/**/keys"
    dl_none y k2/inner e
}

# dl_stopped SCRIPT [LATER]: a python job whose guard is stopped while it does SCRIPT, which opens
# nothing; GUARD is the guard's, and the job sleeps, or does LATER.
dl_stopped()
{
    rm -rf "$WS_A/begun" "$WS_A/go" "$WS_A/gone"
    (job_run cordon-a "$WS_A" -- /usr/bin/python3 -c '
import os, time
os.mkdir("begun")
while not os.path.exists("go"): time.sleep(0.01)
'"$1"'
os.mkdir("gone")
'"${2:-time.sleep(30)}" >/dev/null 2>&1) &
    FIRST=$!
    wait_for "[ -e '$WS_A/begun' ]"
    # Of the job, not of one that is set up ahead.
    GUARD=$(pgrep -x cordon-guard -P "$(ps -o ppid= -p "$(pgrep -nx python3)" | tr -d ' ')")
    [ -n "$GUARD" ] || fail "there is no guard"
    kill -STOP "$GUARD"
    mkdir "$WS_A/go"
    wait_for "[ -e '$WS_A/gone' ]"
}

# Its client goes; the guard runs again by then.
dl_stopped_end()
{
    kill "$(pgrep -f 'client/cordon.*time.sleep' | head -n 1)"
    wait "$FIRST"
}

# dl_lost FILE WHAT: the service does not know any more what was renamed: a job of that user is
# refused, one of another is not.
dl_lost()
{
    job cordon-a -- cat "$1"
    expect_refused 'renamed is not known any more.*restart the service' "$2"
    job cordon-b -- cat "$WS_A/plain.txt"
    expect_out plain "$2: another user"
}

# What came into a denied directory with one above it, and had left that before the guard looked.
dl_passed_through()
{
    dl_setup
    mkdir -p "$WS_A/p/sub"
    echo "$SECRET" >"$WS_A/p/sub/f"
    chown -R cordon-a: "$WS_A/p"
    dl_job 'mv keys k2'
    dl_stopped 'os.rename("p", "k2/p"); os.rename("k2/p/sub", "out")' '
while not os.path.exists("again"): time.sleep(0.01)
try: open("out/f")
except PermissionError: os._exit(4)
os._exit(3)'
    kill -CONT "$GUARD"
    mkdir "$WS_A/again"
    wait "$FIRST"
    RC=$?
    # The next set-up restarts the service, which then knows nothing of these.
    rm -rf "$WS_A/again" "$WS_A/out" "$WS_A/k2"
    expect_rc 4 "what passed through a denied directory is opened"
}

dr_38_guard_that_told_nothing()
{
    ! decided_by bpf || return 0
    dl_passed_through
    dl_setup
    dl_stopped 'os.rename("b/x.key", "y"); os.mkdir("t"); os.rename("keys", "t/k2")
os.rename("t/k2/inner", "t/i"); os.rename("t/i", "i"); os.rename("t/k2", "k3"); os.rmdir("t")
os.link("b/w.key", "l"); os.unlink("b/w.key"); os.rename("m/x.env", "e")'
    kill -KILL "$GUARD"
    wait "$FIRST"
    dl_none y i k3/inner k3/deep/er l e
    # Another one begins while it has not told.
    dl_setup
    dl_stopped 'os.rename("b/x.key", "y")'
    (sleep 0.7; kill -CONT "$GUARD") &
    DL_RUNS=1 dl_none y
    wait $!
    dl_stopped_end
    dl_index_killed
}

# Until it is gone the service takes it for alive, and a job is told to try again.
dl_index_kill()
{
    local pid

    pid=$(pgrep -x cordon-index)
    kill -KILL "$pid"
    wait_for "[ ! -e /proc/$pid ] ||
        { grep -q '^State:.Z' /proc/$pid/status && grep -q '^Threads:.1$' /proc/$pid/status; } 2>/dev/null"
}

dl_index_killed()
{
    dl_setup
    dl_job 'mv b/x.key y; mv keys k2'
    dl_index_kill
    dl_none y k2/inner
    # While a job runs nobody knows what that does.
    dl_stopped 'pass'
    dl_index_kill
    kill -CONT "$GUARD"
    dl_stopped_end
    dl_lost plain.txt "nobody knows"
}

dr_39_more_than_can_be_remembered()
{
    local files='import os, sys
for i in range(3000):
    name = "f%d" % i
    open("t", "w")
    os.rename("t", name + ".key")
    os.rename(name + ".key", name)'

    ! decided_by bpf || return 0
    dl_setup
    # What is gone needs no room.
    for _ in 1 2 3; do
        job cordon-a -- /usr/bin/python3 -c "$files
for i in range(3000): os.unlink('f%d' % i)"
        expect_ok "files that are gone"
    done
    dl_job 'mv b/x.key y'
    dl_none y
    job cordon-a -- /usr/bin/python3 -c "$files"
    expect_ok "3000 files"
    dl_none y f0 f2999
    job cordon-a -- /usr/bin/python3 -c "os = __import__('os'); os.mkdir('s'); os.chdir('s')
$files"
    expect_ok "3000 more"
    no_spares
    dl_lost y "too many"
    restart_service
    job cordon-a -- cat plain.txt
    expect_out plain "after the restart"
    rm -rf "$WS_A/s" "$WS_A"/f*
}

# Calls of cordon-init fail, in init, guard and keeper: while a job moves what is denied, and while
# one begins that must know. See torture.sh, which has the everyday run of all other calls.
dr_40_each_call_fails_once_while_a_job_moves()
{
    local n=1 step=11 error

    ! decided_by bpf || return 0
    [ "${CORDON_TORTURE:-}" = full ] && step=1
    dl_setup
    # The guard is not asked about the command.
    dl_rules "$WS_A/**/*.key"
    printf '[permissions.filesystem]\ndeny_read = ["%s/**/*.env"]\n' "$WS_A" | managed_codex
    dl_job 'mv b/w.key first'
    while :; do
        error=${TORTURE_ERRNOS[n % ${#TORTURE_ERRNOS[@]}]}
        echo "$SECRET" >"$WS_A/m/$n.env"
        chown cordon-a: "$WS_A/m/$n.env"
        no_spares
        run torture_traced cordon-init "$n" "$error" "$CORDON" sandbox linux -- \
            sh -c "mv m/$n.env $n; cat $n first; mv m n; mv n m; true"
        [[ $OUT$ERR != *"$SECRET"* ]] || fail "call $n with $error: the job reads it; $(got)"
        [ "$(cat "$TOP/.fired")" != none ] || break
        [ "$RC" != 124 ] || fail "call $n with $error: nobody ends the job; $(got)"
        no_spares
        job cordon-a -- sh -c "cat $n m/$n.env first; cat plain.txt"
        [[ $OUT$ERR != *"$SECRET"* ]] || fail "call $n with $error: the next job reads it; $(got)"
        [ "$OUT" = plain ] || fail "call $n with $error: the next job does not run; $(got)"
        n=$((n + step))
    done
    expect_ok "with all calls made"
}

# dl_kill_round N: job N, which moves what is denied, ends at any moment, or its guard does.
dl_kill_round()
{
    local victim=cordon-init

    ! decided_by bpf && [ $(($1 % 3)) = 0 ] && victim=cordon-guard
    echo "$SECRET" | tee "$WS_A/b/$1.key" >"$WS_A/m/$1.env"
    chown -R cordon-a: "$WS_A/b" "$WS_A/m"
    no_spares
    (job_run cordon-a "$WS_A" -- /usr/bin/python3 -c '
import os, sys
def tried(*names):
    try: os.rename(*names)
    except OSError: pass
for i in range(200): os.mkdir("t"); os.rename("t", "u"); os.rmdir("u")
n = sys.argv[1]
tried("b/" + n + ".key", n); tried("m", "m2"); tried("m2/" + n + ".env", "e" + n); tried("m2", "m")
for i in range(200): os.mkdir("t"); os.rename("t", "u"); os.rmdir("u")' "$1" >/dev/null 2>&1) &
    FIRST=$!
    wait_for "pgrep -x cordon-guard >/dev/null || decided_by bpf || ! kill -0 $FIRST"
    sleep "0.$(printf %03d $((20 + $1 * 7 % 160)))"
    kill -KILL "$(pgrep -o -x "$victim")" 2>/dev/null
    wait "$FIRST"
    rm -rf "$WS_A/t" "$WS_A/u"
    [ ! -d "$WS_A/m2" ] || mv "$WS_A/m2" "$WS_A/m"
}

# Renames of what nothing denies, by the host, as fast as it can, until BUSY is killed.
dl_busy()
{
    install -d "$HOME_A/busy"
    /usr/bin/python3 -c '
import os, sys
os.chdir(sys.argv[1])
for i in range(50): open("f%d" % i, "w"); os.mkdir("d%d" % i); open("d%d/f" % i, "w")
while True:
    for i in range(50):
        os.rename("f%d" % i, "g%d" % i); os.rename("d%d" % i, "e%d" % i)
        os.rename("e%d/f" % i, "h%d" % i); os.rename("h%d" % i, "e%d/f" % i)
    for i in range(50):
        os.rename("g%d" % i, "f%d" % i); os.rename("e%d" % i, "d%d" % i)' "$HOME_A/busy" &
    BUSY=$!
}

dr_41_killed_while_the_host_is_busy()
{
    local i

    dl_setup
    dl_busy
    for ((i = 0; i < 16; i++)); do
        dl_kill_round "$i"
        dl_none "$i" "e$i" "b/$i.key" "m/$i.env"
    done
    dl_none {0..15} e{0..15}
    kill "$BUSY"
    wait "$BUSY"
    # What the host renamed meanwhile nobody denies.
    job cordon-a -- sh -c 'find "$1" -type f -exec cat {} + && find "$1" -type f | wc -l' sh "$HOME_A/busy"
    expect_out 100 "what the host renamed"
}
