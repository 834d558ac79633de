#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cordon-init is killed when the command was executed and before it told that: the job was killed.
# It did not fail to start, which would say that it can be run again.
set -u
. "$(dirname "$0")/../support/service.sh"
. "$(dirname "$0")/../adversarial/torture.sh"
harness_enter "$@"

# traced ARG...: a job under probes/faults.
traced()
{
    cd "$WS_A" || return 70
    timeout -k 1 20 "$PROBES/faults" "$@" "$SERVICE_PID" "${TORTURE_USER[@]}" HOME="$HOME_A" \
        "$CORDON" sandbox linux -- sleep 2
}

start_service
traced record "$TOP/sites" || fail "recording a job: $?"
stop_service
read -r program site names < <(grep -E '^cordon-init write,[^ ]* init_report[^<]*<command_run' "$TOP/sites") ||
    fail "nobody tells that the command runs"
start_service
run traced "$program" "$site" kill "$TOP/.fired"
[ "$(cat "$TOP/.fired")" != none ] || fail "$names was not reached again"
expect_rc 137 "killed after the command began"
expect_clean
stop_service
expect_clean
echo "figure: killed at $names: 137"
