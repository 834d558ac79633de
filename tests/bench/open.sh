#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# open.sh [--rounds N] [--count N] [--bar RATIO] [--vm KERNEL]: nanoseconds of one open and close
# of an allowed file: outside, in a job without rules, with 1, 100 and 10 000 rules of the corpus,
# as the service decides here and by masks alone (embedded). The contenders take turns; the least
# of each is printed. --vm: in a machine with that kernel (tests/vm/kernels), where the kernel's
# program decides. --bar: exit 1 if a job with rules costs more than RATIO times one without.
set -u
. "$(dirname "$0")/lib.sh"

ROUNDS=7 COUNT=20000 BAR= VM=
options "--rounds=ROUNDS --count=COUNT --bar=BAR --vm=VM" "$@"
if [ -n "$VM" ]; then
    exec bash "$HERE/../vm/run" --kernel "$VM" --timeout 900 -- \
        bash tests/bench/open.sh --rounds "$ROUNDS" --count 4000 ${BAR:+--bar "$BAR"}
fi
bench_enter "$@"
SIZES=(0 1 100 10000)

# One profile for each number of rules.
profiles()
{
    local size

    echo 'default_permissions = "rules0"'
    for size in "${SIZES[@]}"; do
        printf '[permissions.rules%s]\nextends = ":workspace"\n' "$size"
        printf '[permissions.rules%s.filesystem]\n' "$size"
        rules "$size"
    done
}

# measure NAME COMMAND...: keeps the least figure of NAME.
declare -A BEST=()
measure()
{
    local name=$1 ns

    shift
    ns=$(cd "$WS_A" && as_user cordon-a "$@" "$WS_A/q7" "$WS_A/q8" "$COUNT" 2>"$TOP/err") || {
        echo "$name: $(cat "$TOP/err")"
        exit 1
    }
    [ -n "${BEST[$name]:-}" ] && [ "${BEST[$name]}" -le "$ns" ] || BEST[$name]=$ns
}

before=$(as_user cordon-a "$BENCH/bench_open" /etc/passwd "$COUNT")
start_service
profiles | user_config cordon-a
# Names that no rule of the corpus matches.
cp "$BENCH/bench_open" "$WS_A/q7"
echo plain >"$WS_A/q8"
for ((round = 0; round < ROUNDS; round++)); do
    measure outside env --
    for size in "${SIZES[@]}"; do
        measure "service $size" "$CORDON" sandbox -P "rules$size" linux --
        measure "embedded $size" "$CORDON" sandbox --embedded -P "rules$size" linux --
    done
done
decided_by any || true
stop_service
printf 'decided by %s; outside, before any program was loaded: %s ns (another file)\n' \
    "$MECHANISM" "$before"
printf '%-16s %8s %7s\n' "rules" "ns" "ratio"
for name in outside "embedded 0" "embedded 1" "embedded 100" "embedded 10000" \
    "service 0" "service 1" "service 100" "service 10000"; do
    awk -v name="$name" -v ns="${BEST[$name]}" -v base="${BEST[outside]}" \
        'BEGIN {printf "%-16s %8d %6.2fx\n", name, ns, ns / base}'
done
printf 'figure: open+close outside %s ns; service 0/1/100/10000 rules %s/%s/%s/%s ns, %s rounds\n' \
    "${BEST[outside]}" "${BEST[service 0]}" "${BEST[service 1]}" "${BEST[service 100]}" \
    "${BEST[service 10000]}" "$ROUNDS"
[ -z "$BAR" ] || for size in 1 100 10000; do
    awk -v with="${BEST[service $size]}" -v without="${BEST[service 0]}" -v bar="$BAR" -v size="$size" 'BEGIN {
        printf "%s %s rules: %.2f times a job without (bar %s)\n",
            with / without <= bar ? "PASS" : "FAIL", size, with / without, bar
        exit with / without > bar}' || bad=1
done
exit "${bad:-0}"
