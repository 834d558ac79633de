# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# What the benches against peers share; sourced after lib.sh and peers/peers.sh.

# How long before each start nothing is done: what the one before left behind is gone by then, and
# the next job is made ahead, as between the commands of an agent.
PAUSE_MS=25

# outputs NAME JSON PLOT: opens the report's files as 8 and 7, before the namespaces change: they may
# lie in a place that those cover. Empty: beside the build.
outputs()
{
    [ -z "${BENCH_OUTPUTS:-}" ] || return 0
    mkdir -p "$CORDON_BUILD/reports"
    set -- "$(realpath -m "${2:-$CORDON_BUILD/reports/$1.json}")" \
        "$(realpath -m "${3:-$CORDON_BUILD/reports/$1.svg}")"
    export BENCH_OUTPUTS="$1, $2"
    exec 8>"$1" 7>"$2" || exit 1
    peers_where
}

# relay_serve NAME serve|made HOPS KEEPERS: serves the static command at $TOP/NAME, as relay.h says.
relay_serve()
{
    "$BENCH/relay" "$2" "$TOP/$1" "$3" "$4" "$BENCH/true_nolibc" </dev/null >/dev/null &
    wait_for "[ -S '$TOP/$1' ]"
}

as_bench()
{
    cd "$WS_A" && as_user cordon-a "$@"
}

versions()
{
    local codex=absent

    [ -z "$PEER_CODEX" ] || codex=$(as_bench "$PEER_CODEX" --version | awk '{print $NF}')
    printf '{"bwrap": "%s", "codex": "%s", "cordon": "%s", "kernel": "%s", "cpus": %s}' \
        "$(bwrap --version | awk '{print $2}')" "$codex" "$("$CORDON" version | tr -d '\n"')" \
        "$(uname -r)" "$(nproc)"
}

# report WHAT FACTS: tables, files and verdict of the rows in $TOP/report.
report()
{
    printf '%s\n' "$2" >"$TOP/report/facts.json"
    [ "${#ABSENT[@]}" = 0 ] || printf '%s\n' "${ABSENT[@]}" >"$TOP/report/absent"
    /usr/bin/python3 "$HERE/report.py" "$1" "$TOP/report"
    local status=$?
    echo "figures and plot: $BENCH_OUTPUTS"
    return "$status"
}
