#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# faults.sh [--full | --seconds N | --only REGEX]: each call site that the supervisor, a worker, cordon-init and
# cordon-index reach in a job fails once with each error, and is once where its process is killed.
# What may come out: a confined command and 0, or 125 and one line; the service lives, the next job
# is fine and nothing stays. --full: all; else what once found a defect, and with --seconds a sample,
# N seconds of it all; or what matches "PROGRAM SITE NAMES ERROR".
# The report, a line for each injection, is $FAULTS_REPORT.
set -u
. "$(dirname "$0")/../support/service.sh"
. "$(dirname "$0")/../adversarial/torture.sh"
FAULTS_REPORT=${FAULTS_REPORT:-$CORDON_BUILD/faults.tsv}
harness_enter "$@"
SECONDS_MOST=60 MIXED=
[ "${1:-}" != --seconds ] || SECONDS_MOST=$2 MIXED=1
[ "${1:-}" != --full ] || SECONDS_MOST=
ONLY=
[ "${1:-}" != --only ] || SECONDS_MOST='' ONLY=$2

# ENOMEM EINTR EPERM EMFILE
ERRORS=(12 4 1 24 kill)
declare -A NAMES=([12]=ENOMEM [4]=EINTR [1]=EPERM [24]=EMFILE [kill]=kill)

# What cannot fail, so is not made to: CALLS, the errors that it can have none of, the reason.
# Killed at it a process can be all the same.
declare -A NEVER=()
while IFS=: read -r calls errors reason; do
    for call in $calls; do
        for error in $errors; do
            NEVER[$call/$error]=$reason
        done
    done
done <<'TABLE'
exit exit_group:12 4 1 24:does not return
rt_sigreturn restart_syscall:12 4 1 24:made by the kernel, no code sees what it returns
getpid getppid gettid getuid geteuid getgid getegid umask:12 4 1 24:has no errors
setfsuid setfsgid:12 4 1 24:has no errors: returns the identity that was
brk:4 1 24:one that fails returns the end that there is, whatever the reason: ENOMEM stands for all
epoll_wait poll wait4 waitid nanosleep pause futex:12 1 24:waits: of these EINTR alone
TABLE

# Calls of malloc(3), for want of memory at hand: which allocation that meets depends on all before it,
# as on how long the mount table is. One that is not met again in any scenario is told apart.
UNSTEADY=' brk mmap munmap mremap madvise '

# What may come out besides: STATUS, "PROGRAM NAMES ERROR" as a regular expression, the reason.
mapfile -t EXPECTED <<'TABLE'
126:^cordon-init\+? command_exec[^ ]* E[A-Z]+$:the command cannot be executed, as execve(2) says
137:^cordon-init\+? command_exec[^ ]* kill$:the process that becomes the command is killed as it does
137:^cordon-init\+? ((look_at|has_ended)[^ <]*<)*child_run[^ ]* kill$:the command is being started, and is killed with its pid 1
137:^cordon-init\+? ((who_is_left|init_report|command_is_over|close_from|command_ended|command_reap)[^ <]*<)*command_(ended|reap|run)[^ <]*(<main[^ ]*)? kill$:the command was started, and is killed with its pid 1
TABLE

# What was once another outcome is part of each sample: "SCENARIO PROGRAM SITE NAMES ERROR".
FOUND=('fcntl,.* host_start.*index_started.* 12'
    ' cordon-index\+ read,[^ ]* kept_is_alive.* 1$'
    ' cordon-init prlimit64,[^ ]* limits_take.* kill$' ' cordon-index close,[^ ]* close_each.* kill$'
    ' cordon-init wait4,[^ ]* command_(run|reap)[^ ]* 4$' ' cordon-init\+ fcntl,[^ ]* command_prepare.* kill$'
    ' cordon-init set_tid_address,[^ ]* child_main.* 1$' ' cordon-init futex,[^ ]* word_set.*child_run.* 4$'
    ' cordond capget,[^ ]* linux_is_privileged.*linux_able.* 1$' ' cordon-index close_range,[^ ]* files_close.* 1$'
    ' cordon-index sendmsg,[^ ]* .*index_reply_send.*hold_answer.* 12$'
    ' cordon-index\+ recvmsg,[^ ]* pass_receive[^ <]*<main[^ ]* 12$'
    ' cordon-index\+ sendmsg,[^ ]* .*closer_take.* 12$' ' cordon-index .*others_ask.* kill$'
    ' cordon-index mmap,[^ ]* mounts_read.*kept_ask.* 24$'
    ' cordon-index\+ recvmsg,[^ ]* pass_receive[^ <]*<links_ask.* 24$'
    ' cordon-index\+ recvmsg,[^ ]* pass_receive[^ <]*<links_ask.* kill$'
    ' cordon-init\+ waitid,[^ ]* has_ended[^ <]*<child_run.* kill$' ' cordond brk,.* 12$')

# ---- one job ----

# Scenarios, and what runs around the job. Without anything, "cold": the first job of all.
# ended: the first, and what its end takes. busy: the same, while names come and go.
# ahead: the second, of what was made ahead after the first; names have come and gone before it.
# shellcheck disable=SC2016
declare -A AROUND=(
    [ended]='"$@"; status=$?; sleep 0.2; exit "$status"'
    [busy]='echo >made; while mv made moved && mv moved made; do :; done & renames=$!
        "$@"; status=$?; sleep 0.1; kill "$renames"; wait; rm -f made moved; sleep 0.1; exit "$status"'
    [ahead]='echo >made && mv made moved && rm moved; "$@"; status=$?; sleep 0.2; exit "$status"'
)

# traced SCENARIO ARG...: a job under probes/faults.
traced()
{
    local how=$1 job=("${TORTURE_USER[@]}" HOME="$HOME_A")

    shift
    cd "$WS_A" || return 70
    if [ "$how" = ahead ]; then
        job_run cordon-a "$WS_A" -- "${COMMAND[@]}" >/dev/null || return 70
        sleep "0.3"
    fi
    [ "$how" = cold ] || job+=(sh -c "${AROUND[$how]}" -)
    timeout -k 1 20 "$PROBES/faults" "$@" "$SERVICE_PID" "${job[@]}" "${JOB[@]}"
}

# judge CALL: of RC, OUT, ERR; in OUTCOME what it came to, where that is one of what may be.
judge()
{
    local row status pattern reason

    OUTCOME=success
    torture_confined "$1"
    case $RC in
    0) return ;;
    125)
        torture_refused "$1"
        OUTCOME=refused
        return
        ;;
    esac
    for row in "${EXPECTED[@]}"; do
        IFS=: read -r status pattern reason <<<"$row"
        if [ "$status" = "$RC" ] && [[ $1 =~ $pattern ]]; then
            OUTCOME="$RC: $reason"
            return
        fi
    done
    fail "$(got)"
}

descriptors()
{
    local all=("/proc/$SERVICE_PID/fd/"*)

    echo "${#all[@]}"
}

# service_after PID ERROR: the supervisor lives, unless it was killed; then one is started again.
service_after()
{
    kill -0 "$SERVICE_PID" 2>/dev/null && return 0
    [ "$1" = "$SERVICE_PID" ] && [ "$2" = kill ] || fail "the service ended: $(tail -n 2 "$TOP/service.log")"
    SERVICE_PID=
    rm -f /run/cordon/cordond.sock
    expect_clean_service
    start_service
}

# As expect_clean, but for the control groups: those of a killed service are its successor's to remove.
expect_clean_service()
{
    local left

    left=$(leftovers)
    left=$(grep -v '^cgroups' <<<"$left")
    [ -z "$left" ] || fail "left behind by a killed service: $left"
}

# A call that was not made leaves open what it was to close.
expect_no_descriptor()
{
    local i

    [[ $1 != close,* ]] || return 0
    for ((i = 0; i < 50; i++)); do
        [ "$(descriptors)" -gt "$DESCRIPTORS" ] || return 0
        sleep 0.02
    done
    fail "descriptors left in the supervisor: $(ls -l "/proc/$SERVICE_PID/fd" | tail -n 4 | tr '\n' ' ')"
}

# remedied PROGRAM ERROR: what a cordon-index knew that was killed while a guard ran is gone, so the next
# job is refused until the service is restarted (platform/linux/README.md). It does help.
remedied()
{
    [ "$RC ${1%+} $2" = "125 cordon-index kill" ] &&
        grep -q 'restart the service' <<<"$ERR" || return 0
    stop_service
    start_service
    OUTCOME="refused until the service is restarted"
    run job_run cordon-a "$WS_A" -- "${COMMAND[@]}"
}

# attempt SCENARIO PROGRAM SITE ERROR NAMES: OUTCOME in .outcome, "missed" if the job made no such call.
attempt()
{
    local fired tries

    trap stop_service EXIT
    start_service
    rm -f "$TOP/.fired"
    run traced "${@:1:4}" "$TOP/.fired"
    fired=$(cat "$TOP/.fired") || fail "not traced: $(got)"
    if [ "$fired" = none ]; then
        echo missed >"$TOP/.outcome"
        exit 0
    fi
    judge "$2 $5 ${NAMES[$4]}"
    service_after "$fired" "$4"
    run job_run cordon-a "$WS_A" -- "${COMMAND[@]}"
    # A cordon-index that is not quite gone is taken for alive, and the line says what to do.
    for ((tries = 0; tries < 25; tries++)); do
        [ "$RC" = 125 ] && grep -q 'cordon-index, .* does not answer; try again' <<<"$ERR" || break
        sleep 0.2
        run job_run cordon-a "$WS_A" -- "${COMMAND[@]}"
    done
    remedied "$2" "$4"
    expect_ok "the next job"
    expect_clean
    expect_no_descriptor "$3"
    stop_service
    expect_clean
    echo "$OUTCOME" >"$TOP/.outcome"
}

# ---- all of them ----

# sites: in SITES each that is reached, "SCENARIO PROGRAM SITE NAMES": of a cold job, and what each
# other scenario reaches besides.
sites()
{
    local how

    for how in cold ended ahead; do
        start_service
        traced "$how" record "$TOP/$how.sites" || fail "recording a $how job: $?"
        stop_service
    done
    mapfile -t SITES < <(awk '{sub(/.*\//, "", FILENAME); sub(/\..*/, "", FILENAME)}
        !seen[$1, $2]++ {print FILENAME, $0}' "$TOP/cold.sites" "$TOP/ended.sites" "$TOP/ahead.sites")
    [ "${#SITES[@]}" -gt 100 ] || fail "only ${#SITES[@]} call sites"
}

# inject SCENARIO PROGRAM SITE NAMES ERROR. What is timed is not reached each time, nor in each scenario.
inject()
{
    local hows=("$1" "$1" ended busy ahead) how outcome tries

    for ((tries = 0; tries < 60; tries++)); do
        # One that is not met within a sample's time is missed.
        [ "$tries" = 0 ] || is_time || break
        how=${hows[tries % 5]}
        rm -f "$TOP/.detail" "$TOP/.outcome"
        (attempt "$how" "$2" "$3" "$5" "$4") >/dev/null 2>"$TOP/.case"
        outcome=$(cat "$TOP/.outcome" 2>/dev/null) || outcome="UNEXPLAINED $(tr -s '\t\n' '  ' <"$TOP/.detail")"
        [ "$outcome" = missed ] || break
    done
    case $outcome in
    UNEXPLAINED*)
        kill_strays
        echo "$2 $3 $4 ${NAMES[$5]}: $outcome"
        ;;
    missed)
        echo "$2 $3 $4 ${NAMES[$5]}: not reached again"
        [[ $UNSTEADY != *" ${3%%,*} "* ]] || outcome="malloc: not met again"
        ;;
    esac
    printf '%s\t%s\t%s\t%s\t%s\n' "$2" "$3" "$4" "${NAMES[$5]}" "$outcome" >>"$TOP/report"
}

# plan: in PLAN what is to be done, and in the report why what cannot fail does not.
plan()
{
    local row error how program site names call

    PLAN=()
    for row in "${SITES[@]}"; do
        read -r how program site names <<<"$row"
        call=${site%%,*}
        for error in "${ERRORS[@]}"; do
            if [ -n "${NEVER[$call/$error]:-}" ]; then
                printf '%s\t%s\t%s\t%s\t%s\n' "$program" "$site" "$names" "${NAMES[$error]}" \
                    "none: ${NEVER[$call/$error]}" >>"$TOP/report"
            else
                PLAN+=("$how $program $site ${names:--} $error")
            fi
        done
    done
}

# sample: PLAN without an order, but for what was found before.
sample()
{
    local pattern mixed

    : "${FAULTS_SEED:=$EPOCHSECONDS}"
    mapfile -t mixed < <(printf '%s\n' "${PLAN[@]}" | shuf --random-source=<(yes "$FAULTS_SEED"))
    mapfile -t PLAN < <(
        for pattern in "${FOUND[@]}"; do
            printf '%s\n' "${mixed[@]}" | grep -m 1 -E -- "$pattern"
        done
        [ -z "$MIXED" ] || printf '%s\n' "${mixed[@]}"
    )
}

# There is time for more: there always is, but for a sample.
is_time()
{
    [ -z "$SECONDS_MOST" ] || [ $((SECONDS - BEGAN)) -lt "$SECONDS_MOST" ]
}

carry_out()
{
    local row

    BEGAN=$SECONDS

    [ -z "$ONLY" ] || mapfile -t PLAN < <(printf '%s\n' "${PLAN[@]}" | grep -E -- "$ONLY")
    [ -z "$SECONDS_MOST" ] || sample
    for row in "${PLAN[@]}"; do
        is_time || break
        # shellcheck disable=SC2086
        inject $row
    done
}

# sites_with_other OUTCOME: how many sites have an outcome that is not such a one.
sites_with_other()
{
    awk -F'\t' -v outcome="$1" '$5 !~ outcome {print $1, $2}' "$TOP/report" | sort -u | wc -l
}

# The report, each kind of outcome counted, and the figure.
tell()
{
    local bad injected met unmet wrong='UNEXPLAINED.*'

    # A sample may meet a call that is not made each time.
    [ -n "$SECONDS_MOST" ] || wrong='(missed|UNEXPLAINED.*)'

    cp "$TOP/report" "$FAULTS_REPORT"
    awk -F'\t' '{sub(/^UNEXPLAINED.*/, "UNEXPLAINED", $5); n[$4 ": " $5]++}
        END {for (k in n) print n[k], k}' "$TOP/report" | sort -k 2
    unmet=$(grep -cP '\tmalloc: ' "$TOP/report")
    bad=$(grep -cP "\t$wrong\$" "$TOP/report")
    injected=$(sites_with_other '^(none|missed|malloc)')
    met=$(sites_with_other '^(none|missed)')
    echo "figure: ${#SITES[@]} call sites reached, $injected injected;" \
        "$(grep -vcP '\tnone: ' "$TOP/report") injections of ${#PLAN[@]}," \
        "$bad unexplained or not reached, $unmet of malloc not met again${FAULTS_SEED:+; FAULTS_SEED=$FAULTS_SEED}"
    [ "$bad" = 0 ] && [ "$injected" -gt 0 ] || return 1
    # One in a hundred at most: or it is not chance. Of a sample that says nothing.
    [ -n "$SECONDS_MOST" ] || [ $((unmet * 100)) -le ${#PLAN[@]} ] || return 1
    [ -n "$SECONDS_MOST$ONLY" ] || [ "$met" = "${#SITES[@]}" ]
}

[ -x "$PROBES/faults" ] || fail "probes/faults is not built: libdw-dev is missing"
start_service
torture_setup
HELPER_PID=$TORTURE_HELPER
COMMAND=("$PROBES/probe_confined" "${TORTURE_DENIED[@]}" "${TORTURE_LIMITS[@]}")
JOB=("$CORDON" sandbox linux -- "${COMMAND[@]}")
spares_end
expect_clean
worker_waits
DESCRIPTORS=$(descriptors)
stop_service
: >"$TOP/report"
sites
plan
carry_out
tell
