#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A worker that was started before anybody asked: who comes first gets it, as himself and with
# nothing of root's; and who gets none is served as well.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"
start_service

# The service's worker that is nobody's yet.
ahead()
{
    pgrep -P "$SERVICE_PID" -u 0 -x cordon-worker
}

worker_of()
{
    pgrep -P "$SERVICE_PID" -u "$1" -x cordon-worker
}

# status PID FIELD: of proc_pid_status(5).
status()
{
    awk -v field="$2:" '$1 == field {$1 = ""; sub(/^ /, ""); print}' "/proc/$1/status"
}

await_ahead()
{
    wait_for '[ "$(ahead | wc -l)" = 1 ]'
}

case_waits()
{
    await_ahead
    [ "$(pgrep -c -P "$SERVICE_PID" -x cordon-worker)" = 1 ] || fail "more than one waits"
    [ -z "$(pgrep -P "$(ahead)")" ] || fail "it has children"
    as_user cordon-a cat "/proc/$(ahead)/environ" >/dev/null 2>&1 && fail "a user looks into it"
    true
}

case_taken()
{
    local pid was

    await_ahead
    was=$(ahead)
    job cordon-a -- id -u
    expect_out "$(id -u cordon-a)" "the first job"
    pid=$(worker_of cordon-a)
    [ "$pid" = "$was" ] || fail "the first job's worker is $pid, and $was waited"
    [ "$(status "$pid" Uid | xargs -n 1 | sort -u)" = "$(id -u cordon-a)" ] || fail "users $(status "$pid" Uid)"
    [ "$(status "$pid" Gid | xargs -n 1 | sort -u)" = "$(id -g cordon-a)" ] || fail "group $(status "$pid" Gid)"
    [ "$(status "$pid" Groups | xargs -n 1 | sort -n)" = "$(id -G cordon-a | xargs -n 1 | sort -n)" ] ||
        fail "groups $(status "$pid" Groups)"
    for set in CapInh CapPrm CapEff CapAmb; do
        [ "$(status "$pid" $set)" = 0000000000000000 ] || fail "$set $(status "$pid" $set)"
    done
    [ "$(status "$pid" NoNewPrivs)" = 1 ] || fail "it may gain privileges"
    as_user cordon-a cat "/proc/$pid/environ" >/dev/null 2>&1 && fail "its caller looks into it"
    await_ahead
    [ "$(ahead)" != "$was" ] || fail "the one that was taken still waits"
}

# Two who come at once: one gets it, the other one of his own.
case_two_at_once()
{
    pkill -KILL -u cordon-a -x cordon-worker
    wait_for '[ -z "$(worker_of cordon-a)" ]'
    await_ahead
    job_run cordon-a "$WS_A" -- id -u >"$TOP/one" 2>&1 &
    job cordon-b -- id -u
    expect_out "$(id -u cordon-b)" "the other's job"
    wait $! || fail "one's job: $(cat "$TOP/one")"
    [ "$(cat "$TOP/one")" = "$(id -u cordon-a)" ] || fail "one's job said $(cat "$TOP/one")"
    job cordon-a -- id -u
    expect_out "$(id -u cordon-a)"
    [ "$(worker_of cordon-a | wc -l)$(worker_of cordon-b | wc -l)" = 11 ] || fail "not one worker each"
}

case_killed()
{
    local pid

    pkill -KILL -u cordon-a -x cordon-worker
    wait_for '[ -z "$(worker_of cordon-a)" ]'
    await_ahead
    pid=$(ahead)
    kill -KILL "$pid"
    # One that is about to die is given away all the same, and its job ends with it.
    wait_for "are_dead $pid"
    job cordon-a -- id -u
    expect_out "$(id -u cordon-a)" "with the one that waited killed"
    await_ahead
}

# It takes nothing before it knows whom it serves: stopped, its caller waits, and nobody else.
case_stopped()
{
    local pid client

    pkill -KILL -u cordon-a -x cordon-worker
    wait_for '[ -z "$(worker_of cordon-a)" ]'
    await_ahead
    pid=$(ahead)
    kill -STOP "$pid"
    (job_run cordon-a "$WS_A" -- id -u >"$TOP/one" 2>&1) &
    client=$!
    # The next one is there once that job has taken it.
    wait_for '[ "$(ahead | wc -l)" = 2 ]'
    job cordon-b -- id -u
    expect_out "$(id -u cordon-b)" "beside a stopped one"
    kill -CONT "$pid"
    wait "$client"
    [ "$(cat "$TOP/one")" = "$(id -u cordon-a)" ] || fail "went on: $(cat "$TOP/one")"
}

case_ends()
{
    await_ahead
    stop_service
    wait_for '[ -z "$(pgrep -x cordon-worker)" ]'
    expect_clean
    start_service
    await_ahead
    kill -KILL "$SERVICE_PID"
    wait "$SERVICE_PID" 2>/dev/null
    SERVICE_PID=
    wait_for '[ -z "$(pgrep cordon-)" ]'
    rm -f /run/cordon/cordond.sock
    start_service
}

for case in waits taken two_at_once killed stopped ends; do
    "case_$case"
    echo "ahead: $case"
done
stop_service
expect_clean
