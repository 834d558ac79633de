#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The example of an agent: many jobs on one connection, in its own process; the same policy as for
# the client; what cannot be done is said. And a private broker whose client is dead when it begins.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"
HERE=$(cd "$(dirname "$0")" && pwd)
AGENT=$CORDON_BUILD/client/cordon-agent-example

# agent LINE...: the example with these lines.
agent()
{
    printf '%s\n' "$@" >"$TOP/lines"
    run agent_run
}

agent_run()
{
    cd "$WS_A" && as_user cordon-a timeout 20 "$AGENT" workspace-write <"$TOP/lines"
}

expect_told()
{
    grep -Fqx -- "$1" <<<"$ERR" || fail "expected the line \"$1\"; $(got)"
}

jobs_work()
{
    agent 'echo one >made && cat made' 'exit 3' 'kill -9 $$' "echo x >$HOME_A/outside" \
        'cat /proc/self/fd/0 | wc -c' 'sh -c "sleep 30 & echo last"'
    expect_rc 0 agent
    [ "$OUT" = $'one\n0\nlast' ] || fail "what the commands print; $(got)"
    expect_told 'agent: 0: echo one >made && cat made'
    expect_told 'agent: 3: exit 3'
    expect_told 'agent: 137: kill -9 $$'
    expect_told "agent: 2: echo x >$HOME_A/outside"
    [ ! -e "$HOME_A/outside" ] || fail "a job wrote outside its roots"
    [ "$(cat "$WS_A/made")" = one ] || fail "a job did not write where it may"
}

# The example, process $FED, takes the lines that are written to descriptor 5.
agent_fed()
{
    rm -f "$TOP/more" "$TOP/told"
    mkfifo "$TOP/more"
    (cd "$WS_A" && as_user cordon-a "$AGENT" workspace-write <"$TOP/more" >/dev/null 2>"$TOP/told") &
    FED=$!
    exec 5>"$TOP/more"
}

# One worker, one session, and no process of a client's, however many commands; while one runs.
expect_one_session()
{
    agent_fed
    printf 'true\ntrue\ntrue\nexec sleep 44.8\n' >&5
    wait_for "[ \"\$(grep -c '^agent: 0' $TOP/told)\" = 3 ] && pgrep -f '^sleep 44.8' >/dev/null"
    [ "$(pgrep -c -x -u cordon-a cordon-worker)" = 1 ] || fail "not one worker"
    pgrep -x cordon && fail "a client runs"
    pkill -f '^sleep 44.8'
    exec 5>&-
    wait "$FED" || fail "the agent failed: $(cat "$TOP/told")"
}

# The service goes while the connection stands: the next command is not run, and that is said.
expect_lost()
{
    agent_fed
    echo true >&5
    wait_for "grep -q '^agent: 0: true' $TOP/told"
    stop_service
    echo "touch $WS_A/never" >&5
    exec 5>&-
    wait "$FED"
    RC=$? OUT='' ERR=$(cat "$TOP/told")
    expect_rc 125 "without the service"
    expect_err '^agent: [^;]+; ' "without the service"
    [ ! -e "$WS_A/never" ] || fail "ran without the service"
}

expect_gone()
{
    run as_user cordon-a /usr/bin/python3 "$HERE/gone.py" "$CORDON_BUILD/broker/cordon-embedded"
    [ "$OUT" = "ended 0" ] || fail "a private broker without a client; $(got)"
    wait_for '! pgrep -u cordon-a >/dev/null'
}

expect_gone
start_service
jobs_work
expect_one_session
expect_clean
expect_lost
