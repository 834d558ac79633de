# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The set-up under attack: its paths exchanged, its masks, its processes looked at, stopped and
# killed at every system call; and layers that the kernel does not have.
CASES=(
    mt_01_exchanged_working_directory:se mt_04_source_of_the_masks:se
    mt_19_setup_process_looked_at:se mt_22_setup_process_stopped_and_killed:se
    mt_24_missing_layers:se)

# The working directory and two names of the policy are exchanged with links to what lies behind
# a door that only root passes, as fast as a process can. Everybody could read behind it.
mt_01_exchanged_working_directory()
{
    local flipper round form ran=0 rounds=${CORDON_TORTURE_ROUNDS:-60}

    install -d -m 700 "$TOP/private"
    install -d -m 777 "$TOP/private/open"
    echo the-content >"$TOP/private/open/secret"
    mkdir "$WS_A/flip" "$WS_A/grant" "$WS_A/look"
    for form in flip grant look; do
        ln -s "$TOP/private/open" "$WS_A/$form.other"
    done
    chown -hR cordon-a: "$WS_A"
    user_config cordon-a <<TOML
default_permissions = "dev"
[permissions.dev]
extends = ":read-only"
[permissions.dev.filesystem]
"$WS_A/grant" = "write"
"$WS_A/look" = "read"
"$WS_A/flip" = "write"
TOML
    as_user cordon-a /usr/bin/python3 -c '
import ctypes, sys
swap = ctypes.CDLL(None).renameat2
names = [(n.encode(), n.encode() + b".other") for n in sys.argv[1:]]
open(sys.argv[1] + "/../flipping", "w")
while True:
    for one, other in names: swap(-100, one, -100, other, 2)' "$WS_A/"{flip,grant,look} &
    flipper=$!
    wait_for "[ -e '$WS_A/flipping' ]"
    # On and on until enough jobs started in spite of it: how many do depends on the machine's mood.
    for ((round = 0; round < rounds || (ran < 5 && round < 20 * rounds); round++)); do
        case $((round % 3)) in
        0) run mt_01_inside ;;
        1) job cordon-a -C "$WS_A/flip" -- sh -c "$MT01_COMMAND" ;;
        2) job cordon-a -- sh -c "$MT01_COMMAND" ;;
        esac
        [[ $OUT$ERR != *the-content* ]] || fail "round $round: it was read; $(got)"
        [ ! -e "$TOP/private/open/w" ] || fail "round $round: it was written; $(got)"
        case $RC in
        0) [[ $OUT = *ran* ]] && ran=$((ran + 1)) ;;
        2 | 125) ;; # 2: the shell outside could not enter it
        *) fail "round $round: $(got)" ;;
        esac
    done
    pkill -f flipping
    wait "$flipper" 2>/dev/null
    [ "$ran" -ge 5 ] || fail "only $ran jobs ran"
    rm -rf "$TOP/private"
}

MT01_COMMAND='cat secret ../look/secret ../grant/secret ../flip/secret look/secret grant/secret
    for f in w ../grant/w ../look/w grant/w look/w flip/w; do touch $f; done; echo ran'

mt_01_inside()
{
    as_user cordon-a sh -c "cd '$WS_A/flip' || exit 2
        exec timeout -k 1 '$JOB_TIMEOUT' '$CORDON' sandbox linux -- sh -c \"\$0\"" "$MT01_COMMAND"
}

# The source is made by the set-up on a file system of its own, which no name leads to: a job
# cannot change what a mask shows, be it root's, and no later job's either.
mt_04_source_of_the_masks()
{
    local user home

    for user in cordon-a root; do
        home=$HOME_A/$user
        install -d "$home/keys" "$TOP/rootwork"
        echo the-content | tee "$home/denied" >"$home/keys/inner"
        [ "$user" = root ] || chown -R "$user:" "$home"
    done
    printf '[permissions.filesystem]\ndeny_read = ["%s", "%s", "%s", "%s"]\n' \
        "$HOME_A/"{cordon-a,root}/{denied,keys} | managed_codex
    for user in cordon-a root; do
        home=$HOME_A/$user
        DIR=$TOP/rootwork job "$user" -s danger-full-access -- sh -c "ls -a /dev | grep mask
            for m in '$home/denied' '$home/keys'; do
                chmod 777 \$m; chown 0:0 \$m; echo x >\$m; echo x >\$m/new; mkdir \$m/d; rm -r \$m
                mv \$m \$m.moved; mount -t tmpfs t \$m; umount \$m; mount -o remount,rw \$m; done
            true"
        expect_ok "$user"
        [ -z "$OUT" ] || fail "$user: $(got)"
        [ "$(stat -c %a "$home/denied")" = 644 ] || fail "$user: the denied file was changed"
        [ "$(cat "$home/denied" "$home/keys/inner" | grep -c the-content)" = 2 ] || fail "$user: gone"
        DIR=$TOP/rootwork job "$user" -s danger-full-access -- sh -c "cat '$home/denied' '$home/keys/inner'"
        expect_denied the-content "$user: the next job"
        DIR=$TOP/rootwork job "$user" -- stat -c '%s %U' "$home/denied"
        [[ $OUT != 12\ * ]] || [ "$CORDON_MODE" = service ] || fail "$user: not the mask: $(got)"
    done
    rm -rf "$TOP/rootwork"
}

# Who may not look: the caller himself, where the service sets up; another user, where the
# caller's own broker does. Step 5 everyday; CORDON_TORTURE=full: every call.
mt_19_setup_process_looked_at()
{
    local n step=5 looker=cordon-b

    [ "$CORDON_MODE" = service ] && looker=cordon-a
    [ "${CORDON_TORTURE:-}" = full ] && step=1
    torture_setup
    mt_hook "setpriv --reuid=$looker --regid=$looker --init-groups '$PROBES/probe_outside' \$1
$([ "$CORDON_MODE" != service ] || echo "$MT_19_MEMORY")"
    as_user cordon-b sleep 47.4 &
    wait_for "pgrep -f '^sleep 47.4' >/dev/null"
    run as_user cordon-b "$PROBES/probe_outside" "$(pgrep -f '^sleep 47.4')"
    kill "$(pgrep -f '^sleep 47.4')"
    [ "$(grep -c '^REACHED' <<<"$OUT")" -ge 15 ] || fail "a process of one's own: $(got)"
    for ((n = 1; n < 5000; n += step)); do
        : >"$TOP/looked"
        torture_once cordon-init "$n" "$TOP/hook"
        [ "$FIRED" != none ] || break
        # With its execve (59) made it is the command: his own, as mt_19_command says.
        [ "$FIRED" = 59 ] || [ ! -s "$TOP/looked" ] || fail "call $n ($FIRED) of cordon-init: $(head -n 3 "$TOP/looked")"
    done
    [ "$n" -gt 200 ] || fail "only $n calls were looked at: $(got)"
    [ "$CORDON_MODE" != service ] || [ "$(wc -l <"$TOP/hook.seen")" -ge 5 ] ||
        fail "the command waited at too few calls"
    mt_19_command "$looker"
    rm -f "$TOP/looked" "$TOP/hook"*
    torture_end
}

# MT_19_MEMORY: of pid 1 and what will be the command, which share their memory, while $1 is stopped:
# neither is the caller's to trace while the other is root's, whatever is dumpable here; and when pid
# 1 is the caller, who sends what it reads next, nothing is root's. Another may end meanwhile.
# shellcheck disable=SC2016
MT_19_MEMORY='ns=$(readlink "/proc/$1/ns/pid")
for pid in $(pgrep -x "cordon-(init|command)" 2>/dev/null); do
    [ "$(readlink "/proc/$pid/ns/pid")" = "$ns" ] && awk "{of[\$1] = \$2} /^NSpid/ {inner = \$NF}
        END {print of[\"Name:\"], of[\"Uid:\"], of[\"CapPrm:\"], inner}" "/proc/$pid/status" 2>/dev/null
done | grep "^cordon-command\| 1$" >$0.both
grep -q "^cordon-command" "$0.both" && echo >>"$0.seen"
awk "\$2 == 0 {root = 1} \$2 != 0 && \$3 ~ /^0+\$/ {open = 1} END {exit !(root && open)}" "$0.both" &&
    echo "root and the caller in one memory: $(tr "\n" ";" <"$0.both")"'

# Once the command runs: its processes hold nothing of the set-up's, and pid 1 stays closed.
mt_19_command()
{
    local pid client fds

    (job_run cordon-a "$WS_A" -- sleep 47.5 >/dev/null 2>&1) &
    client=$!
    wait_for "pgrep -f '^sleep 47.5' >/dev/null"
    pid=$(pgrep -f '^sleep 47.5')
    fds=$(as_user cordon-a "$PROBES/probe_outside" -f "$pid" | sort | cut -d' ' -f1 | paste -sd' ')
    [ "$fds" = "0 1 2" ] || fail "the command holds $fds"
    for pid in $(pgrep 'cordon-(init|guard|keeper)'); do
        run setpriv --reuid="$1" --regid="$1" --init-groups "$PROBES/probe_outside" "$pid"
        expect_ok "$(cat "/proc/$pid/comm") beside the command"
    done
    kill "$(pgrep -f 'client/cordon.*sleep 47.5' | head -n 1)"
    wait "$client" 2>/dev/null
    wait_for "! pgrep -f '^sleep 47.5' >/dev/null"
}

# mt_hook COMMAND: what is done while the process $1 is stopped.
mt_hook()
{
    printf '#!/bin/bash\nexec >>%s 2>&1\n%s\ntrue\n' "$TOP/looked" "$1" >"$TOP/hook"
    chmod 755 "$TOP/hook"
    : >"$TOP/looked"
}

# A program of the product is killed, or stopped for a while, at each of its calls: a confined
# command or none. Everyday samples; CORDON_TORTURE=full takes every call.
mt_22_setup_process_stopped_and_killed()
{
    torture_setup
    # Until the job, if there is one, has ended: its end is told nevertheless.
    mt_hook 'for i in {1..25}; do sleep 0.02; pgrep -x probe_confined || break; done; sleep 0.02'
    mt_22 cordon-init kill 3
    mt_22 cordon-init "$TOP/hook" 7
    if [ "$CORDON_MODE" = service ]; then
        mt_22 cordon-worker kill 23
        mt_22 cordond kill 31
        mt_22 cordon-worker "$TOP/hook" 31
        mt_22 cordond "$TOP/hook" 47
    else
        mt_22 cordon-embedded kill 19
        mt_22 cordon-embedded "$TOP/hook" 31
    fi
    rm -f "$TOP/looked" "$TOP/hook"
    torture_end
}

# mt_22 PROGRAM ACTION STEP
mt_22()
{
    local n=1 step=$3 what

    [ "${CORDON_TORTURE:-}" = full ] && step=1
    while torture_run "$1" "$n" "$2"; do
        what="$2 at call $n of $1 (number $FIRED)"
        torture_confined "$what"
        case $RC in
        0) ;;
        # A job that ran, and was taken down. Stopped for a while, nobody loses how it ended.
        137) [ "$2" = kill ] || fail "$what: a stop ends it; $(got)" ;;
        125)
            [ "$2" = kill ] || fail "$what: a stop ends it; $(got)"
            torture_refused "$what"
            ;;
        *) fail "$what: $(got)" ;;
        esac
        wait_for "! pgrep -x probe_confined >/dev/null"
        # It may have been a child of the supervisor's that had not become another program yet.
        if [ "$CORDON_MODE" = service ] && ! kill -0 "$SERVICE_PID" 2>/dev/null; then
            [ "$1.$2" = cordond.kill ] || fail "$what: ends the service"
            service_again
        fi
        n=$((n + step))
        [ "$n" -lt 5000 ] || fail "$1: no end of its calls"
    done
}

# Layers that a kernel or its administrator takes away; the same machines are rows of
# tests/vm/matrix. The same is denied, or the job is refused, and doctor says what is missing.
mt_24_missing_layers()
{
    local real_cordond=$CORDOND real_cordon=$CORDON

    install -d "$WS_A/vault" "$WS_A/deep/er"
    echo the-content | tee "$WS_A/denied" "$WS_A/vault/inner" >"$WS_A/deep/er/k.pem"
    echo original >"$HOME_A/input"
    chown -R cordon-a: "$HOME_A"
    for lack in landlock userns bpf fanotify; do
        mt_24_without "$lack"
        mt_24_judge "$lack"
        CORDOND=$real_cordond CORDON=$real_cordon
    done
    # Version 1 alone: the pid namespace ends the tree.
    stop_service
    mount -t tmpfs mt24 /sys/fs/cgroup
    mt_24_policy
    "$CORDON" doctor --json | grep -q '"control groups","state":"note"' || fail "doctor: cgroup v2"
    mt_24_judge cgroup
    lg_killed_job cordon 'sleep 47.7'
    stop_service
    umount /sys/fs/cgroup
}

# The programs from now on, as if the kernel lacked $1; what doctor says of it.
mt_24_without()
{
    local word='"state":"note"' name=$1
    local wrapper=$TOP/lacking

    mkdir -p "$wrapper"
    printf '#!/bin/sh\nexec %s %s %s "$@"\n' "$PROBES/lack_calls" "$1" "$real_cordond" \
        >"$wrapper/cordond"
    printf '#!/bin/sh\nexec %s %s %s "$@"\n' "$PROBES/lack_calls" "$1" "$real_cordon" \
        >"$wrapper/cordon"
    chmod 755 "$wrapper"/*
    CORDOND=$wrapper/cordond
    [ "$CORDON_MODE" = service ] || CORDON=$wrapper/cordon
    case "$1" in
    userns) name='user namespaces' ;;
    bpf) name='access-time decision' word='"state":"ok","evidence":"fanotify' ;;
    fanotify) name='access-time decision' ;;
    esac
    mt_24_policy
    "$wrapper/cordon" doctor --json | grep -q "\"$name\",$word" ||
        fail "doctor without $1: $("$wrapper/cordon" doctor)"
}

mt_24_policy()
{
    printf '[permissions.filesystem]\ndeny_read = ["%s", "%s", "%s/**/*.pem"]\n' \
        "$WS_A/denied" "$WS_A/vault" "$WS_A" | managed_codex
}

mt_24_judge()
{
    local name

    if [ "$1.$CORDON_MODE" = userns.embedded ]; then
        job cordon-a -- true
        expect_refused 'user namespace.*service' "without $1"
        return
    fi
    for name in denied vault/inner deep/er/k.pem; do
        job cordon-a -- cat "$name"
        expect_denied the-content "without $1: $name"
        job cordon-a -s danger-full-access -- sh -c "echo x >>$name"
        [ "$(cat "$WS_A/$name")" = the-content ] || fail "without $1: $name was written"
    done
    job cordon-a -- "$PROBES/probe_confined" "$WS_A/denied" "$WS_A/vault/inner" "$WS_A/deep/er/k.pem"
    expect_ok "without $1"
    # Through a descriptor from outside, which Landlock closes where it is.
    STDIN=$HOME_A/input job cordon-a -s workspace-write -- "$PROBES/probe_reopen" /proc/self/fd/0
    expect_ok "without $1: a descriptor for reading"
    grep -qx original "$HOME_A/input" || fail "without $1: the input was changed"
    if [ "$1" = fanotify ] && [ "$CORDON_MODE" = service ]; then
        printf '[cordon]\nminimum_enforcement = "kernel"\n' | managed_cordon
        job cordon-a -- true
        expect_refused 'kernel' "without $1: at access or not at all"
        rm -rf /etc/cordon
        restart_service
    fi
}
