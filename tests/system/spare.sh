#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Jobs that are made ahead of time: used, and never when a set-up of now would be another one;
# nothing of a job shows in the next; nothing stays.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"
start_service
OPTIONS=(-s workspace-write)

# The pid namespaces of the jobs that there are.
jobs_ns()
{
    local pid

    for pid in $(pgrep -x cordon-init); do
        readlink "/proc/$pid/ns/pid"
    done | sort
}

parked()
{
    pgrep -x cordon-init -c
}

# The two of the one recipe that was asked for wait: so nothing that a case did before is news to
# them.
settle()
{
    wait_for '[ "$(parked)" = 2 ] && [ "$(pgrep -c -x cordon-command)" = 2 ]' 20
    sleep "0.${SLOW:-1}" # longer than the rest of a set-up takes
}

# try USER CMD...: a job, and in $AHEAD whether it had been made ahead: the process of its command
# is older than the request. In $BLANK whether only its pid 1 is. In hundredths of a second since the machine was booted, as proc_pid_stat(5) has them.
try()
{
    local asked born first user=$1

    shift
    asked=$(awk '{print int($1 * 100)}' /proc/uptime)
    job "$user" "${OPTIONS[@]}" -- bash -c 'read -ra own </proc/$$/stat; read -ra one </proc/1/stat
        echo "${own[21]} ${one[21]}"; "$@"' - "$@"
    read -r born first <<<"$OUT"
    AHEAD=no BLANK=no
    [ -z "$first" ] || [ "$first" -ge "$asked" ] || BLANK=yes
    [ -z "$born" ] || [ "$born" -ge "$asked" ] || AHEAD=yes BLANK=no
    OUT=$(tail -n +2 <<<"$OUT")
}

expect_ahead()
{
    [ "$AHEAD" = "$1" ] || fail "$2: made ahead: $AHEAD, expected $1; $(got)"
}

# Two jobs of a recipe, and of no other: the second and what comes after are made ahead.
warm()
{
    no_spares
    try cordon-a true
    expect_ok "the first"
    settle
    try cordon-a true
    expect_ahead yes "the next"
    settle
}

managed_codex <<TOML
[permissions.filesystem]
deny_read = ["$HOME_A/vault", "$HOME_A/absent/below", "$TOP/home/**/*.key"]
TOML
mkdir "$HOME_A/vault" "$HOME_A/elsewhere" "$WS_A/sub"
echo top-secret | tee "$HOME_A/vault/one" >"$HOME_A/elsewhere/below"
echo plain | tee "$WS_A/free" >"$WS_A/plain"
chown -R cordon-a: "$HOME_A"

case_used()
{
    warm
    try cordon-a cat plain
    expect_out plain
    expect_ahead yes "a command"
    settle
    DIR=$HOME_A try cordon-a pwd
    expect_out "$HOME_A"
    expect_ahead no "another working directory"
    (umask 077 && try cordon-a bash -c 'umask' && expect_ahead no "another umask" && expect_out 0077) ||
        exit 1
    (ulimit -n 77 && try cordon-a bash -c 'ulimit -n' && expect_ahead no "another limit" && expect_out 77) ||
        exit 1
    try cordon-b true
    expect_ahead no "another user"
    try cordon-a true
    expect_ahead yes "the first one again"
}

# What was looked up when a spare was made is something else by now: WHAT, then a command that
# changes it, then what must hold.
case_appears()
{
    warm
    mkdir -p "$WS_A/.git/hooks"
    chown -R cordon-a: "$WS_A/.git"
    try cordon-a bash -c 'echo x >.git/hooks/post-commit'
    expect_ahead no "a .git that appeared"
    expect_denied "no such content" "writing below it" 'Read-only file system'
    rm -rf "$WS_A/.git"
}

case_replaced()
{
    warm
    mv "$HOME_A/vault" "$HOME_A/vault.old"
    mkdir "$HOME_A/vault"
    echo top-secret >"$HOME_A/vault/two"
    chown -R cordon-a: "$HOME_A/vault"
    try cordon-a cat "$HOME_A/vault/two"
    expect_denied top-secret "below the new directory"
    rm -rf "$HOME_A/vault"
    mv "$HOME_A/vault.old" "$HOME_A/vault"
    settle
    # A link on the way of a rule whose path did not exist.
    warm
    ln -s "$HOME_A/elsewhere" "$HOME_A/absent"
    try cordon-a cat "$HOME_A/elsewhere/below"
    expect_denied top-secret "what a rule leads to by now"
    expect_ahead no "a link that appeared"
    rm "$HOME_A/absent"
}

case_workspace()
{
    warm
    mv "$WS_A" "$WS_A.old"
    install -d -o cordon-a -g cordon-a "$WS_A"
    try cordon-a bash -c 'echo new >made && ls'
    expect_out made
    expect_ahead no "another workspace"
    [ "$(cat "$WS_A/made")" = new ] || fail "not written where it belongs"
    rm -rf "$WS_A"
    mv "$WS_A.old" "$WS_A"
}

case_mounted()
{
    warm
    mount -t tmpfs cordon-later "$WS_A/sub"
    echo mounted >"$WS_A/sub/file"
    try cordon-a cat sub/file
    expect_out mounted
    expect_ahead no "a new mount"
    settle
    umount "$WS_A/sub"
    try cordon-a cat sub/file
    expect_rc 1 "after the unmount"
    expect_ahead no "a mount that is gone"
}

# Bound by the host after the spare was made.
case_socket()
{
    local server

    warm
    python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
print("bound", flush=True)
time.sleep(60)' "$WS_A/host.sock" >"$TOP/bound" &
    server=$!
    wait_for "[ -s '$TOP/bound' ]"
    chmod 777 "$WS_A/host.sock"
    try cordon-a python3 -c '
import socket
socket.socket(socket.AF_UNIX).connect("host.sock")'
    expect_ahead no "a new socket"
    expect_rc 1 "connecting to it"
    kill "$server"
    wait "$server" 2>/dev/null
    rm -f "$WS_A/host.sock"
}

# A file that matches is denied though it appeared or was linked after the spare was made; and what
# had a denied name only while spares were there is no job's business.
case_at_access()
{
    warm
    echo top-secret >"$WS_A/new.key"
    ln "$WS_A/new.key" "$WS_A/link"
    chown cordon-a: "$WS_A/new.key"
    try cordon-a cat new.key link
    expect_denied top-secret
    rm -f "$WS_A/new.key" "$WS_A/link"
    warm
    echo plain >"$WS_A/was"
    ln "$WS_A/was" "$WS_A/was.key"
    rm "$WS_A/was.key"
    try cordon-a cat was
    expect_out plain "a file that had a denied name before the job"
    warm
    mkdir "$WS_A/aside"
    echo plain >"$WS_A/aside/other"
    mv "$WS_A/aside/other" "$WS_A/aside/another"
    try cordon-a cat aside/another
    expect_out plain
    expect_ahead yes "names that no rule is about"
    rm -rf "$WS_A/was" "$WS_A/aside"
}

# Another worker has files of its own, with the same in them.
case_another_worker()
{
    warm
    pkill -KILL -u cordon-a -x cordon-worker || fail "no worker of cordon-a's"
    wait_for '[ -z "$(pgrep -u cordon-a -x cordon-worker)" ]'
    try cordon-a cat plain
    expect_out plain
    expect_ahead yes "asked for by another worker"
    settle
}

case_policy()
{
    warm
    cat >/etc/codex/requirements.toml <<TOML
[permissions.filesystem]
deny_read = ["$HOME_A/vault", "$WS_A/plain", "$HOME_A/absent/below", "$TOP/home/**/*.key"]
TOML
    try cordon-a cat plain
    expect_denied "plain
" "denied by the newer policy"
    expect_ahead no "a newer policy"
}

# Whatever a job leaves, the next sees nothing of it.
case_nothing_crosses()
{
    local ends_in

    rm -f "$WS_A/left"
    warm
    for ends_in in true 'kill -9 $$'; do
        try cordon-a bash -c '
            echo left >/dev/shm/left; export LEFT=left; hostname left 2>/dev/null
            python3 -c "
import os, socket, time
if os.fork() == 0:
    s = socket.socket(socket.AF_UNIX); s.bind(chr(0) + \"left\"); s.listen()
    t = socket.socket(); t.bind((\"127.0.0.1\", 4711)); t.listen()
    time.sleep(100)
time.sleep(0.2)"
            ipcmk -M 4096 >/dev/null; ipcmk -Q >/dev/null; umask 0; ulimit -n 50; cd /; '"$ends_in"
        expect_ahead yes "the job that leaves something"
        settle
        try cordon-a bash -c '
            ls -A /dev/shm; echo "env ${LEFT:-none}"; ipcs -m -q | grep -c 0x; umask; ulimit -n; pwd
            python3 -c "
import socket
for family, address in ((socket.AF_UNIX, chr(0) + \"left\"), (socket.AF_INET, (\"127.0.0.1\", 4711))):
    try:
        socket.socket(family).connect(address); print(\"reached\")
    except OSError: print(\"nobody\")"
            for process in /proc/[0-9]*; do
                read -r name <$process/comm
                case $name in cordon-guard | cordon-keeper) ;; *) echo $name ;; esac
            done'
        expect_ahead yes "the next"
        settle
        [ "$OUT" = "env none
0
$(umask)
$(ulimit -n)
$WS_A
nobody
nobody
cordon-init
bash" ] || fail "something of the job before shows: $(got)"
    done
}

case_killed()
{
    local name pids

    for name in cordon-init cordon-guard cordon-keeper cordon-command; do
        warm
        pids=$(pgrep -x "$name") || continue # the kernel's own program needs no guard
        # shellcheck disable=SC2086
        kill -KILL $pids
        # An init that is about to be gone is noticed; a guard, only once it is.
        [ "$name" = cordon-init ] || wait_for "are_dead $(echo $pids)"
        try cordon-a cat free
        expect_out plain "after the spares' $name was killed"
        [ "$name" = cordon-init ] || expect_ahead no "a dead one"
        settle
    done
    # A whole crowd at once: more than there are spares.
    for name in 1 2 3 4 5 6 7 8; do
        [ "$(job_run cordon-a "$WS_A" "${OPTIONS[@]}" -- cat "$HOME_A/vault/one" free 2>&1 |
            grep -c 'plain$\|one: Operation not permitted$\|one: Permission denied$')" = 2 ] &
    done
    for name in 1 2 3 4 5 6 7 8; do
        wait -n || fail "one of a crowd"
    done
}

blanks()
{
    pgrep -c -x cordon-blank
}

# A pid 1 that waits for whoever comes: what it becomes is of the moment in which it is wanted.
case_blank()
{
    warm
    wait_for '[ "$(blanks)" = 1 ]' 20
    sleep 0.1
    mount -t tmpfs cordon-later "$WS_A/sub"
    echo mounted >"$WS_A/sub/file"
    DIR=$WS_A/sub try cordon-a cat file
    expect_out mounted
    [ "$BLANK" = yes ] || fail "another working directory: not by the one that waits; $(got)"
    cd / || exit 1 # try() left us where the job was
    umount "$WS_A/sub"
    wait_for '[ "$(blanks)" = 1 ]' 20
    sleep 0.1
    OPTIONS=(-s danger-full-access)
    DIR=$HOME_A try cordon-b readlink /proc/self/ns/net /proc/self/ns/ipc
    OPTIONS=(-s workspace-write)
    [ "$BLANK" = yes ] || fail "another user: not by the one that waits; $(got)"
    [ "$(head -n 1 <<<"$OUT")" = "$(readlink /proc/self/ns/net)" ] || fail "not the host's network: $(got)"
    wait_for '[ "$(blanks)" = 1 ]' 20
    pkill -KILL -x cordon-blank
    DIR=$WS_A/.. try cordon-a echo alive
    expect_out alive "after the one that waits was killed"
    wait_for '[ "$(blanks)" = 1 ]' 20
    kill -HUP "$SERVICE_PID"
    wait_for '[ "$(blanks)" = 0 ]' 20
}

# No more than eight recipes have any, of one user four.
case_bounded()
{
    local i

    for i in 1 2 3 4 5 6; do
        mkdir -p "$WS_A/$i"
        chown cordon-a: "$WS_A/$i"
        DIR=$WS_A/$i try cordon-a true
    done
    sleep 1.1 # from now on the oldest gives way
    [ "$(parked)" -gt 0 ] && [ "$(parked)" -le 8 ] || fail "$(parked) wait for one user"
}

switches()
{
    awk '/ctxt_switches/ {sum += $2} END {print sum}' "/proc/$SERVICE_PID/status"
}

# Nothing ticks while they wait.
case_idle()
{
    local before

    restart_service # its timers of a minute begin now
    warm
    sleep 0.5 # longer than what is left of a job is held
    before=$(switches)
    sleep 1
    [ "$(switches)" = "$before" ] || fail "the idle service ran $(($(switches) - before)) times"
    [ -z "$(find "/proc/$SERVICE_PID/fd" -lname 'net:*')" ] || fail "a network of a job that ended is held"
}

case_clean()
{
    warm
    expect_clean
    warm
    kill -KILL "$SERVICE_PID"
    wait "$SERVICE_PID" 2>/dev/null
    SERVICE_PID=
    rm /run/cordon/cordond.sock
    wait_for "[ \"\$(parked)\" = 0 ] && [ -z \"\$(pgrep cordon-)\" ]"
    expect_clean
    start_service
    warm
    stop_service
    expect_clean
}

"$CORDON" doctor --json | grep -q '"access-time decision","state":"ok"' ||
    skip "denials are not decided at access time here"
for case in used appears replaced workspace mounted socket at_access another_worker policy nothing_crosses killed \
    blank bounded idle clean; do
    "case_$case"
    echo "spare: $case"
done
