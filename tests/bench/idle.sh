#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# idle.sh [--kinds N] [--seconds N]: what the service holds and does when nobody asks, after one
# user has asked for N kinds of job (working directories) twice each. Bars: the supervisor's memory
# is under 8 MiB; in SECONDS, while jobs made ahead wait, none of its processes runs.
set -u
. "$(dirname "$0")/lib.sh"

KINDS=100 SECONDS_IDLE=10
options "--kinds=KINDS --seconds=SECONDS_IDLE" "$@"
bench_enter "$@"

# How often any of the service's processes was put on a processor, or gave one up.
switches()
{
    local pid

    for pid in $(all_below "$SERVICE_PID"); do
        cat "/proc/$pid/status" 2>/dev/null
    done | awk '/ctxt_switches/ {sum += $2} END {print sum}'
}

ask()
{
    DIR=$HOME_A/kind-$1 job cordon-a -s workspace-write -- "$BENCH/true_nolibc"
    expect_ok "kind $1"
}

start_service
for ((n = 0; n < KINDS; n++)); do
    install -d -o cordon-a -g cordon-a "$HOME_A/kind-$n"
    ask "$n"
    ask "$n"
done
sleep 1.1 # a recipe gives way after a second
ask 0
sleep 3
parked=$(pgrep -c -x cordon-init)
kib=$(awk '/^VmRSS/ {print $2}' "/proc/$SERVICE_PID/status")
peak=$(awk '/^VmHWM/ {print $2}' "/proc/$SERVICE_PID/status")
before=$(switches)
sleep "$SECONDS_IDLE"
ran=$(($(switches) - before))
echo "figure: supervisor $kib KiB (peak $peak) after $KINDS kinds of job; $parked jobs wait;" \
    "ran $ran times in $SECONDS_IDLE s"
status=0
[ "$parked" -gt 0 ] || { echo "FAIL: no job waits: nothing was measured" && status=1; }
[ "$kib" -gt 0 ] && [ "$kib" -lt 8192 ] || { echo "FAIL: $kib KiB, the bar is 8192" && status=1; }
[ "$ran" = 0 ] || { echo "FAIL: the idle service ran $ran times" && status=1; }
exit $status
