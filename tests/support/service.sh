# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The fixture of every test that runs the real product. A script sources this file and calls
# `harness_enter "$@"`. After that:
#   TOP      folder of this test (a tmpfs; world-searchable)
#   HOME_A, HOME_B, WS_A, WS_B     homes of the users and their workspaces
#   CORDON, CORDOND, WORKER, INIT, PROBES   the programs under test and the probes
#   OUT, ERR, RC                   what the last run() or job() gave
#
# Whose service that is, $CORDON_SERVICE says, and a file next to this one that has what differs:
#   private     one that the test starts, in namespaces that are made for it
#   installed   that of the booted system, which its socket starts
# Each has these, and no test asks which one it is but by SERVICE_RETURNS:
#   service_enter ARG...       before anything else; sets CORDON_TEST_UID, the first user's number
#   service_place              /etc, /run and the programs; TOP and /tmp are tmpfs already
#   service_user NAME UID HOME, service_group_add NAME GID MEMBER
#   service_leave              after everything else
#   service_up, service_down   sets SERVICE_PID, and SERVICE_GROUP: where it has controllers
#   service_again              the same after it was killed
#   SERVICE_RETURNS            1: a client finds the next service after a kill, if it waits
#   service_log                $TOP/service.log has all there is now, as lines of JSON and others
#   service_log_clear          begins that anew
#   service_concerns PID       it may be a process of this test's

CORDON_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CORDON_BUILD=${CORDON_BUILD:-$CORDON_SOURCE/build/dev}
CORDON_MODE=${CORDON_MODE:-service}
JOB_TIMEOUT=${JOB_TIMEOUT:-$((20 * ${SLOW:-1}))}
SERVICE_PID=
SERVICE_GROUP=
. "$CORDON_SOURCE/tests/support/service_${CORDON_SERVICE:-private}.sh" || exit 1

# ---- beginning and end ----

harness_enter()
{
    if [ "$(id -u)" != 0 ]; then
        echo "SKIP: needs root"
        exit 77
    fi
    service_enter "$@"
    exec </dev/null
    umask 022
    shopt -s lastpipe # "text | managed_codex" restarts the service in this shell
    harness_top
    service_place
    harness_users
    PROBES=${CORDON_PROBES:-$CORDON_BUILD/tests/adversarial/probes}
    if [ ! -x "$CORDON" ] || [ ! -x "$CORDOND" ] || [ ! -d "$PROBES" ]; then
        echo "nothing is built in $CORDON_BUILD" >&2
        exit 1
    fi
    MOUNTS_BEFORE=$(mount_list)
    CGROUPS_BEFORE=$(cgroup_list)
    trap harness_exit EXIT
}

# The first of some folders that every Debian has, empty, and that neither the
# sources nor the build lie under.
harness_top()
{
    local dir

    for dir in /srv /opt /media; do
        case "$CORDON_BUILD/ $CORDON_SOURCE/" in
        *" $dir/"* | "$dir/"*) ;;
        *) [ -d "$dir" ] && TOP=$dir && break ;;
        esac
    done
    mount -t tmpfs -o mode=755 cordon-test "$TOP" || exit 1
    # /tmp is a write root of most profiles: a private one shows what is left in it. (Some
    # developers build below /tmp; they share it.)
    PRIVATE_TMP=
    case "$CORDON_BUILD $CORDON_SOURCE" in
    /tmp/* | *" /tmp/"*) ;;
    *) mount -t tmpfs -o mode=1777 cordon-tmp /tmp && PRIVATE_TMP=1 ;;
    esac
    unset CODEX_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR TMPDIR NOTIFY_SOCKET LISTEN_FDS LISTEN_PID
}

harness_users()
{
    HOME_A=$TOP/home/a WS_A=$TOP/home/a/ws
    HOME_B=$TOP/home/b WS_B=$TOP/home/b/ws
    EXTRA_GID=$((CORDON_TEST_UID + 2))
    service_user cordon-a "$CORDON_TEST_UID" "$HOME_A"
    service_user cordon-b $((CORDON_TEST_UID + 1)) "$HOME_B"
    service_group_add cordon-extra "$EXTRA_GID" cordon-a
    fresh_homes
}

# Homes as they are before any case: empty but for a workspace.
fresh_homes()
{
    local letter

    rm -rf "$TOP/home"
    mkdir -p "$TOP/home"
    for letter in a b; do
        install -d -m 755 -o "cordon-$letter" -g "cordon-$letter" \
            "$TOP/home/$letter" "$TOP/home/$letter/ws" "$TOP/home/$letter/.codex"
    done
}

harness_exit()
{
    local code=$?

    stop_service >/dev/null 2>&1
    service_leave
    exit "$code"
}

# as_user USER [VAR=VALUE]... CMD...: as that user would log in, with a clean environment.
as_user()
{
    local user=$1 home

    shift
    home=$(getent passwd "$user" | cut -d: -f6)
    setpriv --reuid="$user" --regid="$user" --init-groups \
        env -i HOME="$home" USER="$user" LOGNAME="$user" SHELL=/bin/bash LANG=C.UTF-8 TERM=dumb \
        PATH=/usr/local/bin:/usr/bin:/bin "$@"
}

# ---- the service ----

start_service()
{
    MECHANISM=
    [ "$CORDON_MODE" = service ] || return 0
    service_up
}

stop_service()
{
    [ -z "$SERVICE_PID" ] || service_down
}

restart_service()
{
    stop_service
    start_service
}

# managed_codex, managed_cordon [NAME]: a managed file from stdin; user_config USER.
managed_codex()
{
    install -d -m 755 /etc/codex && cat >/etc/codex/requirements.toml || fail "no managed file"
    restart_service
}

managed_cordon()
{
    install -d -m 755 /etc/cordon /etc/cordon/requirements.d &&
        cat >"/etc/cordon/${1:-requirements.toml}" || fail "no managed file"
    restart_service
}

user_config()
{
    local home

    home=$(getent passwd "$1" | cut -d: -f6)
    cat >"$home/.codex/config.toml"
    chown "$1:" "$home/.codex/config.toml"
}

# ---- running ----

# run CMD...: keeps what it printed and its status; never longer than JOB_TIMEOUT.
run()
{
    "$@" >"$TOP/.out" 2>"$TOP/.err"
    RC=$?
    OUT=$(tr -d '\0' <"$TOP/.out")
    ERR=$(tr -d '\0' <"$TOP/.err")
}

# job USER [OPTION]... -- CMD...: `cordon sandbox linux` in that user's workspace ($DIR if set).
# With $STDIN the job reads that file.
job()
{
    local user=$1 home

    shift
    home=$(getent passwd "$user" | cut -d: -f6)
    run job_run "$user" "${DIR:-$home/ws}" "$@"
}

job_run()
{
    cd "$2" || return 1
    as_user "$1" timeout -k 1 "$JOB_TIMEOUT" "$CORDON" sandbox linux "${@:3}" <"${STDIN:-/dev/null}"
}

# ---- what is expected ----

fail()
{
    printf '%s\n' "$*" >&2
    # What failed first is the cause; the clean-up may fail of it.
    [ -s "$TOP/.detail" ] || printf '%s' "$*" | tr '\n' ' ' | cut -c 1-600 >"$TOP/.detail"
    exit 1
}

skip()
{
    printf '%s' "$*" >"$TOP/.detail"
    exit 77
}

got()
{
    printf 'got %s, stdout "%.200s", stderr "%.400s"' "$RC" "$OUT" "$ERR"
}

expect_ok()
{
    [ "$RC" = 0 ] || fail "${1:-job}: expected success; $(got)"
}

expect_rc()
{
    [ "$RC" = "$1" ] || fail "${2:-job}: expected status $1; $(got)"
}

expect_out()
{
    [[ $OUT == *"$1"* ]] || fail "${2:-job}: expected \"$1\" in its output; $(got)"
}

# An extended regular expression that standard error must match.
expect_err()
{
    grep -Eq -- "$1" <<<"$ERR" || fail "${2:-job}: expected /$1/ on stderr; $(got)"
}

DENIAL='Permission denied|Operation not permitted|Read-only file system|Device or resource busy|denied|refused|cross-device'

# expect_denied CONTENT [WHAT [REGEX]]: not a byte of the content, the documented error, not 0.
expect_denied()
{
    [ "$RC" != 0 ] || fail "${2:-job}: succeeded; $(got)"
    [ "$RC" != 124 ] || fail "${2:-job}: timed out; $(got)"
    [[ $OUT$ERR != *"$1"* ]] || fail "${2:-job}: the denied content shows; $(got)"
    expect_err "${3:-$DENIAL}" "${2:-job}"
}

# The sandbox was refused: 125, one line from cordon that matches REGEX, nothing on stdout.
expect_refused()
{
    expect_rc 125 "${2:-job}"
    [ -z "$OUT" ] || fail "${2:-job}: refused, but printed; $(got)"
    [ "$(grep -c '^cordon' <<<"$ERR")" = 1 ] || fail "${2:-job}: expected one line; $(got)"
    expect_err "$1" "${2:-job}"
}

# decided_by NAME: it is "bpf" or "fanotify" that decides at each access; "snapshot": neither does.
# Asked once; not in a command substitution, which forgets it.
decided_by()
{
    if [ -z "${MECHANISM:-}" ] && [ "$CORDON_MODE" = service ]; then
        MECHANISM=$("$CORDON" doctor --json |
            grep -o '"access-time decision","state":"ok","evidence":"[a-z]*' | sed 's/.*"//')
    fi
    MECHANISM=${MECHANISM:-snapshot}
    [ "$MECHANISM" = "$1" ]
}

# Denials are decided, and told, at each access.
at_access()
{
    ! decided_by snapshot
}

# expect_record PATH RULE: the line of --log-denials, where there are any.
expect_record()
{
    [ "$CORDON_MODE" = service ] && at_access || return 0
    expect_err "cordon: denied .*$1.*\(.*$2.*\) by " "record"
}

# ---- what is left ----

# mountinfo without the peer group numbers, which change with time.
mount_list()
{
    awk '{print $1, $2, $4, $5}' /proc/self/mountinfo | sort
}

cgroup_list()
{
    # Not those of a service that another test has booted or started.
    find /sys/fs/cgroup \( -name 'cordon-booted*' -o -name 'service.*' -not -name "service.$CORDON_TEST_UID" \) \
        -prune -o -type d \( -name 'cordon-job-*' -o -name cordon-service \) -print 2>/dev/null | sort
}

# Every process that concerns us but this shell, its subshells, the service's and HELPER_PID,
# one that a test has for as long as it runs.
process_list()
{
    local pid name

    for pid in /proc/[0-9]*; do
        pid=${pid#/proc/}
        [ "$pid" = 1 ] || [ "$pid" = "$$" ] || [ "$pid" = "$BASHPID" ] && continue
        [ "$pid" = "${SERVICE_PID:-0}" ] || [ "$pid" = "${HELPER_PID:-0}" ] && continue
        name=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || continue
        [ -n "$name" ] && service_concerns "$pid" || continue
        [[ $name == *"$0"* ]] && continue
        [ -n "$SERVICE_PID" ] && [[ $name == *cordon-worker* || $name == cordon-index* ]] &&
            continue
        printf '%s %s\n' "$pid" "$name"
    done
}

# The records of all jobs' ends are in the log: they come a little after the jobs' own.
log_is_settled()
{
    service_log
    [ "$(grep -ac '"event":"start"' "$TOP/service.log")" = "$(grep -ac '"event":"end"' "$TOP/service.log")" ]
}

# Nor does cordon-index wait for what the guard of one that ended saw: that stays denied to its
# user until the service is restarted, whoever did it.
guards_are_gone()
{
    local index

    log_is_settled && ! pgrep -x cordon-heir >/dev/null || return 1
    for index in $(pgrep -x cordon-index); do
        # A pidfd whose process was waited for.
        ! grep -qs '^Pid:[[:space:]]*-1$' /proc/"$index"/fdinfo/* || return 1
    done
}

# Begins the log anew.
log_clear()
{
    wait_for log_is_settled
    service_log_clear
}

# What the service has made ready for the next job it gives back when it is told to reload.
spares_end()
{
    [ -z "$SERVICE_PID" ] || kill -HUP "$SERVICE_PID" 2>/dev/null || true
}

# After a reload: the worker that waits for whoever comes next is there again.
worker_waits()
{
    sleep "0.${SLOW:-1}"
    wait_for 'pgrep -P "$SERVICE_PID" -u 0 -x cordon-worker >/dev/null'
}

# The next job is set up when it comes: nothing waits that was made ahead of time.
no_spares()
{
    spares_end
    wait_for '! pgrep -x cordon-init >/dev/null'
}

# Waits up to 2 s for all jobs to be gone, then prints whatever is still there.
leftovers()
{
    local i left

    spares_end
    for ((i = 0; i < 100; i++)); do
        left=$(process_list)
        [ -z "$left" ] && break
        sleep 0.02
    done
    [ -z "$left" ] || printf 'process %s\n' "$left"
    # Another test's mount point that is removed takes its mount from every namespace.
    left=$(diff <(printf '%s\n' "$MOUNTS_BEFORE") <(mount_list) | grep -e '^>' -e "^< .* $TOP")
    [ -z "$left" ] || printf 'mounts %s\n' "$left"
    if [ -n "$PRIVATE_TMP" ]; then
        left=$(find /tmp -mindepth 1 | head -n 5)
        [ -z "$left" ] || printf 'in /tmp: %s\n' "$left"
    fi
    if [ -z "$SERVICE_PID" ]; then
        left=$(diff <(printf '%s\n' "$CGROUPS_BEFORE") <(cgroup_list) | grep '^>')
        [ -z "$left" ] || printf 'cgroups %s\n' "$left"
        left=$(find /run/cordon -mindepth 1 2>/dev/null)
        [ -z "$left" ] || printf 'runtime files %s\n' "$left"
    fi
}

expect_clean()
{
    local left

    left=$(leftovers)
    [ -z "$left" ] || fail "left behind: $left"
}

# After a failure: the next case starts from nothing.
kill_strays()
{
    local pid

    while read -r pid _; do
        kill -KILL "$pid" 2>/dev/null
    done < <(process_list)
    # What it mounted goes, newest first.
    diff <(printf '%s\n' "$MOUNTS_BEFORE") <(mount_list) | sed -n 's/^> //p' | tac |
        while read -r _ _ _ place; do umount -l "$place" 2>/dev/null; done
    # A killed service leaves its socket: the next one would be taken for ready too early.
    rm -f /run/cordon/cordond.sock
}

# expect_same_tree DIR BEFORE: DIR holds what tree DIR said before.
tree()
{
    (cd "$1" && find . -printf '%y %m %u %p %l\n' | sort)
}

expect_same_tree()
{
    local left

    left=$(diff <(printf '%s\n' "$2") <(tree "$1"))
    [ -z "$left" ] || fail "the tree changed: $left"
}

# are_dead PID...: killed and through with it, though nobody may have reaped them yet.
are_dead()
{
    local pid

    for pid; do
        ! grep -qv ') Z ' "/proc/$pid/stat" 2>/dev/null || return 1
    done
}

# wait_for CONDITION [SECONDS]: up to 5 s.
wait_for()
{
    local i seconds=${2:-5}

    for ((i = 0; i < seconds * 50; i++)); do
        eval "$1" && return 0
        sleep 0.02
    done
    fail "did not happen in $seconds s: $1"
}
