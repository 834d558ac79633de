#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# start.sh [--rounds N] [--json FILE] [--plot FILE]: what a sandboxed start costs, against a plain
# one and the peers that are here, each with the same view, all layers, audit and no network. Runs
# as an ordinary user; the service is a real one. The bars are a table in report.py, judged from 300
# rounds on. `./dev bench start --install-peers` gets the peers first.
set -u
. "$(dirname "$0")/lib.sh"
. "$HERE/peers/peers.sh"
. "$HERE/product.sh"

ROUNDS=300 JSON='' PLOT=''
options "--rounds=ROUNDS --json=JSON --plot=PLOT" "$@"
outputs start "$JSON" "$PLOT"
bench_enter "$@"
# Peers that no bar is about and that take long: in one round of ten.
SLOW_PEERS=' firejail sandbox-runtime '

contenders()
{
    local command=$1 name
    local -a words

    line plain "$command" "pause:$PAUSE_MS"
    for name in "${PEERS[@]}"; do
        words=("$command" "pause:$PAUSE_MS")
        [[ $SLOW_PEERS != *" $name "* ]] || words+=(every:10)
        peer_line "$name" "${words[@]}"
    done
    words=(linux -- "$command" "pause:$PAUSE_MS")
    line cordon-embedded "$CORDON" sandbox --embedded -s workspace-write "${words[@]}"
    line cordon-service "$CORDON" sandbox -s workspace-write "${words[@]}" "before:$HERE/made_ahead.sh"
    # Two are made ahead of a recipe: the last of six in a row finds none.
    line cordon-exhausted "$CORDON" sandbox -s workspace-write "${words[@]}" burst:6
    line in-process library:workspace-write "$command" "pause:$PAUSE_MS" "before:$HERE/made_ahead.sh"
}

# What is below every bar: processes in a row that do nothing else, and the static command. One, and
# as many as a job passes: supervisor, worker, supervisor.
relays()
{
    local hops

    for hops in 1 3; do
        relay_serve "relay-$hops" serve "$hops" 1
        line "relay-$hops" "$BENCH/relay" ask "$TOP/relay-$hops" "pause:$PAUSE_MS"
    done
    line relay-3-in-process "relay:$TOP/relay-3" "$BENCH/true_nolibc" "pause:$PAUSE_MS"
}

# The views must be the same before times are compared.
compare_views()
{
    local name reference=

    peer_run bwrap "$HERE/probe_view.sh" "$WS_A" "$HOME_A/outside"
    reference=$OUT
    for name in --embedded ''; do
        # shellcheck disable=SC2086
        run as_bench "$CORDON" sandbox $name -s workspace-write linux -- \
            "$HERE/probe_view.sh" "$WS_A" "$HOME_A/outside"
        if [ "$OUT" != "$reference" ] || [ -z "$OUT" ]; then
            printf 'the views differ (cordon%s):\n' "${name:+ }$name"
            diff <(printf '%s\n' "$reference") <(printf '%s\n%s\n' "$OUT" "$ERR")
            return 1
        fi
    done
    printf 'views agree: %s\n' "$(tr '\n' ';' <<<"$reference")"
}

# A caller whose worker has just started, under a policy of a hundred rules, and his next job.
first_contenders()
{
    # With rules a job takes longer to make; those made ahead before are of another kind.
    local -a words=("$CORDON" sandbox linux -- "$BENCH/true_nolibc" "pause:$((PAUSE_MS * 3))"
        "env:CODEX_HOME=$HOME_A/config-rules")

    rules 100 | config rules
    line next "${words[@]}"
    line first "${words[@]}" "before:$HERE/kill_worker.sh"
}

peak()
{
    awk '/^VmHWM/ {print $2}' "/proc/$1/status" 2>/dev/null || echo 0
}

# Peak memory and file sizes of the programs that a job keeps, while one runs.
sizes()
{
    local job client worker

    (as_bench "$CORDON" sandbox -s workspace-write linux -- sleep 47.5 >/dev/null 2>&1) &
    job=$!
    wait_for "pgrep -f '^sleep 47.5' >/dev/null"
    client=$(pgrep -f '^[^ ]*client/cordon .*sleep 47.5' | head -n 1)
    worker=$(pgrep -u cordon-a -f cordon-worker | head -n 1)
    printf '{"client": {"bytes": %s, "peak_rss_kib": %s}, ' "$(stat -c %s "$CORDON")" "$(peak "$client")"
    printf '"supervisor": {"bytes": %s, "peak_rss_kib": %s}, ' "$(stat -c %s "$CORDOND")" "$(peak "$SERVICE_PID")"
    printf '"worker": {"bytes": %s, "peak_rss_kib": %s}, ' \
        "$(stat -c %s "$CORDON_BUILD/broker/cordon-worker")" "$(peak "$worker")"
    printf '"init": {"bytes": %s}}' "$(stat -c %s "$CORDON_BUILD/platform/linux/cordon-init")"
    kill -TERM "$client"
    wait "$job" 2>/dev/null
}

# measure NAME: the rows of the contenders on standard input.
measure()
{
    cat >"$TOP/contenders"
    as_bench "$BENCH/bench_start" "$ROUNDS" "$TOP/contenders" >"$TOP/report/$1"
}

CORDON_MODE=service
mkdir "$TOP/report"
peers_find || exit 1
start_service
compare_views || exit 1
{ contenders "$BENCH/true_nolibc" && relays; } | measure static || exit 1
contenders "$BENCH/true_dynamic" | measure dynamic || exit 1
first_contenders | measure first || exit 1
report start "$(printf '{"rounds": %s, "versions": %s, "sizes": %s}' "$ROUNDS" "$(versions)" "$(sizes)")"
