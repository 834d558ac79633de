#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# start.sh [--rounds N] [--json FILE]: what a sandboxed start costs, against a plain spawn and
# against bubblewrap with the same view. Runs as an ordinary user; the service is a real one.
# Bars: the service is no slower than bwrap; the client's peak memory is at most 4 MiB.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../support/service.sh"

ROUNDS=200
JSON=
arguments=("$@")
while [ $# -gt 0 ]; do
    case "$1" in
    --rounds) ROUNDS=$2 ;;
    --json) JSON=$(realpath -m "$2") ;;
    *)
        echo "usage: start.sh [--rounds N] [--json FILE]" >&2
        exit 2
        ;;
    esac
    shift 2
done
# The path is taken before the namespaces change: it may lie in a place they cover.
[ -n "${BENCH_JSON_FD:-}" ] || {
    exec 8>"${JSON:-/dev/null}"
    export BENCH_JSON_FD=8
}
harness_enter "${arguments[@]}"
BENCH=$CORDON_BUILD/tests/bench

# line NAME WORD...: one contender for bench_start.
line()
{
    local IFS=$'\t'

    printf '%s\n' "$*"
}

bwrap_words()
{
    sed -e '/^#/d' -e "s|@WS@|$WS_A|; s|@FD@|9|" "$HERE/peers/bwrap.args"
}

contenders()
{
    local command=$1 words

    mapfile -t words < <(bwrap_words)
    line plain "$command"
    line bwrap /usr/bin/bwrap "${words[@]}" "$command" "fd:9=$TOP/filter"
    line cordon-embedded "$CORDON" sandbox --embedded -s workspace-write linux -- "$command"
    line cordon-service "$CORDON" sandbox -s workspace-write linux -- "$command"
}

as_bench()
{
    cd "$WS_A" && as_user cordon-a "$@"
}

# The views must be the same before times are compared.
compare_views()
{
    local words name reference=

    mapfile -t words < <(bwrap_words)
    run as_bench bash -c 'exec 9<"$0"; exec "$@"' "$TOP/filter" /usr/bin/bwrap "${words[@]}" \
        "$HERE/probe_view.sh" "$WS_A" "$HOME_A/outside"
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

# table COMMAND: the JSON objects of one run, with a table on stdout.
table()
{
    contenders "$1" >"$TOP/contenders"
    as_bench "$BENCH/bench_start" "$ROUNDS" "$TOP/contenders" >"$TOP/rows" || return 1
    printf '%s (%s rounds)\n' "$2" "$ROUNDS" >&2
    sed -E 's/[{}",]//g; s/[a-z_0-9]+: //g' "$TOP/rows" |
        awk '{printf "  %-16s median %9.1f us  p95 %9.1f us  ratio %6.2f\n", $1, $2, $3, $5}' >&2
    paste -sd, "$TOP/rows"
}

versions()
{
    printf '{"bwrap": "%s", "cordon": "%s", "kernel": "%s", "cpus": %s}' \
        "$(bwrap --version | awk '{print $2}')" "$("$CORDON" version | tr -d '\n"')" \
        "$(uname -r)" "$(nproc)"
}

judge()
{
    /usr/bin/python3 - "$1" <<'PY'
import json, sys
report = json.loads(sys.argv[1])
rows = {row["name"]: row["median_us"] for row in report["contenders"]}
rss = report["sizes"]["client"]["peak_rss_kib"]
slow = rows["cordon-service"] > rows["bwrap"]
for name, value in report["sizes"].items():
    print(f"  {name}: {value['bytes']} bytes, peak RSS {value.get('peak_rss_kib', '-')} KiB")
print(f"{'FAIL' if slow else 'PASS'} service {rows['cordon-service']:.0f} us <= bwrap {rows['bwrap']:.0f} us")
print(f"{'PASS' if 0 < rss <= 4096 else 'FAIL'} client {rss} KiB <= 4096 KiB")
sys.exit(slow or not 0 < rss <= 4096)
PY
}

CORDON_MODE=service
: >"$HOME_A/outside"
chown cordon-a: "$HOME_A/outside"
"$BENCH/peer_filter" >"$TOP/filter" || exit 1
start_service
compare_views || exit 1
small=$(table "$BENCH/true_nolibc" "static, no C library") || exit 1
large=$(table "$BENCH/true_dynamic" "dynamic") || exit 1
report=$(printf '{"rounds": %s, "versions": %s, "sizes": %s, "contenders": [%s], "dynamic": [%s]}' \
    "$ROUNDS" "$(versions)" "$(sizes)" "$small" "$large")
printf '%s\n' "$report" >&"$BENCH_JSON_FD"
versions
echo
if ((ROUNDS < 100)); then
    echo "no bar is judged: $ROUNDS rounds are too few to compare"
    exit 0
fi
judge "$report"
