#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A plan that is used again, and a process that was there before its command: after each kind of
# change the next job may do what a fresh service lets it do, and nothing stays in use between jobs.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"
start_service
at_access || skip "denials are not decided at access time here: no plan is kept"

# What a job may do at the names that the policy is about, and at those of what they lead to.
# shellcheck disable=SC2016
LOOK='for name in "$@"; do
    if [ -d "$name" ]; then
        (ls -A "$name" >/dev/null) 2>/dev/null && listed=list || listed=-
        (: >"$name/.probe") 2>/dev/null && rm "$name/.probe" && listed+=,make
        what=$listed
    else
        what=$(cat "$name" 2>/dev/null | head -c 20; echo)
        (: >>"$name") 2>/dev/null && what+=,write
        [ -s "$name" ] || rm -f "$name" 2>/dev/null # made by that
    fi
    echo "$name: $what"
done
python3 -c "
import socket, sys
try: socket.socket(socket.AF_UNIX).connect(sys.argv[1]); print(\"connected\")
except OSError as error: print(error.strerror)" host.sock'
NAMES=("$HOME_A"/{extra,extra/file,other,other/file,secret,secret/file,link,link/file,keep,keep/file}
    "$HOME_A"/{deep/er/rule,elsewhere/er/rule,moved/rule,tree/mount,tree/mount/file,tree/held}
    "$WS_A"/{.git,.git/hooks,.git/config,sub/.git,plain,real/git,real/git/config,late/git,late/git/config})

look()
{
    job cordon-a -- bash -c "$LOOK" - "${NAMES[@]}"
    expect_ok "$1"
}

# The names as they are, their users, and a policy about them.
world()
{
    local dir

    cd / || exit 1 # job() left us where a job was
    umount "$HOME_A/tree/mount" 2>/dev/null
    fresh_homes
    for dir in extra other secret keep deep/er elsewhere/er tree/mount; do
        mkdir -p "$HOME_A/$dir"
        echo "$dir" >"$HOME_A/$dir/file"
    done
    echo deep >"$HOME_A/deep/er/rule"
    echo elsewhere >"$HOME_A/elsewhere/er/rule"
    echo held >"$HOME_A/tree/held"
    mkdir -p "$WS_A"/{sub,real/git,late/git}
    echo plain >"$WS_A/plain"
    echo real >"$WS_A/real/git/config"
    echo late >"$WS_A/late/git/config"
    ln -s other "$HOME_A/link"
    cat >"$HOME_A/.codex/config.toml" <<TOML
default_permissions = "dev"
[permissions.dev]
extends = ":workspace"
[permissions.dev.filesystem]
"$HOME_A/extra" = "write"
"$HOME_A/secret" = "deny"
"$HOME_A/link" = "deny"
"$HOME_A/deep/er/rule" = "deny"
"$HOME_A/absent/below" = "deny"
"$HOME_A/keep" = "read"
"$HOME_A/tree/mount" = "write"
TOML
    chown -hR cordon-a: "$HOME_A"
}

# The worker's watches: as many as its plans need.
watches()
{
    local file

    for file in /proc/[0-9]*/fdinfo/*; do
        grep -h ^inotify "$file" 2>/dev/null
    done | wc -l
}

# What happens between one job and the next: NAME, COMMAND (as the user, in his home). After those
# with a "~" the job may do what it could do before.
CHANGES=(
    '~nothing:true'
    'the object of a grant:mv extra old && mkdir extra && echo new >extra/file'
    'a grant that leads elsewhere:mv extra old && ln -s other extra'
    'a grant that is gone:rm -r extra'
    'a grant that is a file:rm -r extra && echo file >extra'
    'exchanged:python3 -c "
import ctypes, os
assert ctypes.CDLL(None, use_errno=True).renameat2(-100, b\"extra\", -100, b\"other\", 2) == 0"'
    'a rule that leads elsewhere:ln -sfn keep link'
    'a rule with a link that is one no more:rm link && mkdir link && echo new >link/file'
    'a link above a rule:mv deep gone && ln -s elsewhere deep'
    'a renamed parent:mv deep/er moved'
    'a renamed parent and another:mv deep away && mv elsewhere deep'
    '~what was missing:mkdir absent && ln -s ../other/file absent/below'
    '~a link where something was missing:mkdir -p real/below && ln -s other absent && mv other/file other/below'
    '~no more to be searched:chmod 0 deep'
    '~no more to be listed:chmod 311 deep'
    '~an access list:setfacl -m u:cordon-a:--- deep/er 2>/dev/null || chmod 600 deep/er'
    'a .git:mkdir -p ws/.git/hooks && touch ws/.git/config'
    'a .git that is a link:mkdir -p ws/.real/hooks && ln -s .real ws/.git'
    'a .git file:echo "gitdir: real/git" >ws/.git'
    'a .git file that says something else:echo "gitdir: late/git" >ws/.git'
    'a socket:python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"ws/host.sock\")"'
    'another workspace:mv ws old && mkdir ws && echo new >ws/plain'
)
# The same, as root.
ROOT=(
    'a mount over a grant:mount -t tmpfs cordon-again tree/mount && echo mounted >tree/mount/file && chown -R cordon-a: tree/mount'
    'a bind mount over a grant:mount --bind other tree/mount'
    '~a bind mount over a denied directory:mount --bind other secret'
    'a bind mount of what holds a rule:mount --bind deep elsewhere'
    '~a file of another user:chown -R root: secret && chmod 700 secret'
)

# try KIND NAME COMMAND: a job, the change, a job; then the same with a service that knows nothing.
try()
{
    local kind=$1 name=$2 command=$3 later before

    world
    # A worktree, for those that change it.
    [[ $name != *"says something"* ]] || as_user cordon-a bash -c "echo gitdir: real/git >$WS_A/.git"
    look "$name: the first"
    look "$name: the second"
    before=$OUT
    wait_for guards_are_gone
    if [ "$kind" = root ]; then
        (cd "$HOME_A" && eval "$command") || fail "$name: not done"
    else
        (cd "$HOME_A" && as_user cordon-a bash -c "$command") || fail "$name: not done"
    fi
    look "$name: after it"
    later=$OUT$ERR
    restart_service
    look "$name: with a fresh service"
    [ "$OUT$ERR" = "$later" ] || fail "$name: $(diff <(echo "$later") <(echo "$OUT$ERR"))"
    if [[ $name == \~* ]]; then
        [ "$OUT" = "$before" ] || fail "$name: $(diff <(echo "$before") <(echo "$OUT"))"
    else
        [ "$OUT" != "$before" ] || fail "$name: nobody sees it"
    fi
    while read -r _ _ _ _ place _; do
        [[ $place != "$HOME_A"/* ]] || umount "$place"
    done < <(tac /proc/self/mountinfo)
}

case_changes()
{
    local change

    for change in "${CHANGES[@]}"; do
        try user "${change%%:*}" "${change#*:}"
    done
    for change in "${ROOT[@]}"; do
        try root "${change%%:*}" "${change#*:}"
    done
}

# Nothing of a job, or of what is made ahead or kept for the next, keeps a file system in use.
case_unmounted()
{
    local place

    for place in "$WS_A" "$HOME_A/extra" "$HOME_A/secret"; do
        world
        mount -t tmpfs cordon-again "$place"
        chown cordon-a: "$place"
        mkdir -p "$place/.git" "$place/sub/deep"
        for _ in 1 2 3; do
            job cordon-a -- true
            expect_ok "a job with $place mounted"
            sleep "0.0${SLOW:-5}"
        done
        DIR=$place job cordon-a -- true # in there, where it may be
        cd / || exit 1 # job() left us where a job was
        umount "$place" || fail "$place is in use after a job: $(grep -l "$place" /proc/[0-9]*/mountinfo | head -3)"
        look "without it"
    done
}

# Thousands of jobs with other policies and directories: what the worker keeps has an end.
case_bounded()
{
    local worker before i dir

    world
    for ((i = 0; i < 8; i++)); do
        install -d -o cordon-a -g cordon-a "$WS_A/in$i"
    done
    worker=$(pgrep -x -u cordon-a cordon-worker | head -n 1)
    for ((i = 0; i < 200; i++)); do
        dir=$WS_A/in$((i % 8))
        DIR=$dir job cordon-a -c "permissions.dev.filesystem.\"$HOME_A/no$((i % 5))/x\"=\"deny\"" -- true
        expect_ok "job $i"
        [ "$i" != 60 ] || before="$(kept_at_rest "$worker")"
    done
    [ "$(kept_at_rest "$worker")" = "$before" ] ||
        fail "the worker keeps $(kept "$worker") after 200 jobs, $before after 60"
}

# What it keeps once it has heard that its last client is gone: twice the same.
kept_at_rest()
{
    local one other i

    for ((i = 0; i < 50; i++)); do
        one=$(kept "$1")
        sleep 0.1
        other=$(kept "$1")
        [ "$one" != "$other" ] || break
    done
    echo "$other"
}

# Descriptors and watches.
kept()
{
    local all=("/proc/$1/fd/"*)

    echo "${#all[@]} descriptors, $(cat "/proc/$1/fdinfo/"* 2>/dev/null | grep -c ^inotify) watches"
}

# What a process has of its own, but for numbers and times that differ between any two.
state()
{
    job cordon-a "$@" -- bash -c '
        read -ra stat </proc/1/stat; echo "${stat[21]}"
        echo "umask $(umask), in $PWD, $(ulimit -aH) $(ulimit -aS)"
        grep -vE "^(Pid|PPid|Tgid|Ngid|NSpid|NStgid|NSpgid|NSsid|Vm|Rss|voluntary|nonvoluntary|Hugetlb|State|SigQ|Threads|Cpus|Mems|.*switches)" /proc/self/status
        python3 -c "
import ctypes, os, signal
libc = ctypes.CDLL(None)
print(\"session\", os.getsid(0) != os.getsid(1), os.getpgid(0) != os.getpgid(1), os.getppid())
print(\"nice\", os.nice(0), os.sched_getscheduler(0), os.sched_getaffinity(0))
print(\"prctl\", [libc.prctl(option, 0, 0, 0, 0) for option in (3, 7, 21, 27, 39, 42)])
print(\"signals\", [signal.getsignal(n) for n in (1, 2, 13, 15, 17)], signal.pthread_sigmask(0, []))
print(\"pending\", signal.sigpending(), signal.getitimer(0))
death = ctypes.c_int(); libc.prctl(2, ctypes.byref(death)); print(\"death\", death.value)
print(\"keys\", libc.syscall(250, 6, -3, 0) > 0)
"
        sed "s/job-[0-9]*/job/" /proc/self/cgroup; cat /proc/self/oom_score_adj /proc/self/loginuid /proc/self/personality /proc/self/timerslack_ns
        readlink /proc/self/root; ls -l /proc/self/fd | tail -n +2 | sed "s/.* \([0-9]* ->\)/\1/; s/\(pipe\|socket\).*/\1/; s/[0-9]*\/fd/fd/"
        sort /proc/self/limits' 2>/dev/null
    BORN=$(head -n 1 <<<"$OUT") OUT=$(tail -n +2 <<<"$OUT")
}

case_state()
{
    local fresh asked BORN

    world
    for options in "" "-s workspace-write" "-s danger-full-access"; do
        (
            umask 027
            ulimit -S -n 300
            ulimit -H -c 0
            # shellcheck disable=SC2086
            no_spares && state $options && fresh=$OUT && expect_ok "a fresh one"
            sleep "0.${SLOW:-2}"
            asked=$(awk '{print int($1 * 100)}' /proc/uptime)
            # shellcheck disable=SC2086
            state $options
            [ "$BORN" -lt "$asked" ] || fail "not made ahead of time"
            [ "$OUT" = "$fresh" ] || fail "made ahead of time it is another: $(diff <(echo "$fresh") <(echo "$OUT"))"
            [ "$(wc -l <<<"$OUT")" -gt 60 ] || fail "too little is told: $(got)"
        ) || exit 1
    done
}

# A caller with more processes than he may have gets no command, which is no fault of the command's.
case_crowded()
{
    world
    as_user cordon-a sleep 20 &
    disown
    as_user cordon-a sleep 20 &
    disown
    wait_for '[ "$(pgrep -c -x -u cordon-a sleep)" = 2 ]'
    for _ in 1 2 3; do
        cd "$WS_A" || exit 1
        run as_user cordon-a prlimit --nproc=1:1 "$CORDON" sandbox linux -- true
        expect_refused 'cannot start the command'
        sleep "0.${SLOW:-1}"
    done
    pkill -x -u cordon-a sleep
}

for case in changes unmounted bounded state crowded; do
    "case_$case"
    echo "again: $case"
done
expect_clean
