#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev accept service [ROW...]: the acceptance lines of the order about the service in use.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Nothing that the linters of both formats find is left unexplained.
packages() {
    local -a made debs=() rpms=()
    local file status=0
    mapfile -t made < <("$DEV" package)
    for file in "${made[@]}"; do
        case $file in
        *.deb) debs+=("$file") ;;
        *.rpm) rpms+=("$file") ;;
        esac
    done
    ((${#debs[@]} == 3 && ${#rpms[@]} == 1)) || return 1
    # No distribution has a bug to close by it.
    lintian --allow-root --fail-on error,warning \
        --suppress-tags initial-upload-closes-no-bugs "${debs[@]}" || status=1
    rpmlint --strict -c "$CORDON_ROOT/packaging/rpm/rpmlint.toml" "${rpms[@]}" || status=1
    echo "figure: ${#debs[@]} deb, ${#rpms[@]} rpm"
    return "$status"
}

# Larger bounds than unit/supervisor_model and unit/worker_model have; minutes.
model() {
    local out=$ACCEPT_LOGS/model.out status=0
    {
        "$CORDON_BUILD/tests/model/supervisor_model" 2 2 0 &&
            "$CORDON_BUILD/tests/model/supervisor_model" 1 2 2 &&
            "$CORDON_BUILD/tests/model/worker_model" 1 2 0 &&
            "$CORDON_BUILD/tests/model/worker_model" 1 1 2
    } | tee "$out" || status=1
    echo "figure: $(awk '{sum += $2} END {print sum}' "$out") states"
    return "$status"
}

CASES=(ID-01 ID-02 ID-04 ID-06 ID-07 ID-08 ID-09 ID-10 ID-11 ID-12 ID-13 ID-16 ID-17 ID-18 ID-19
    ID-20 ID-21 ID-22 ID-23 PO-01 PO-02 PO-03 PO-04 PO-05 PO-06 PO-08 PO-09 PO-10 PO-11 PO-12 PO-15
    PO-16 PO-17 PO-18 PO-19 LG-01 LG-04 LG-07 LG-08 LG-10)
LIMITS_VM=$CORDON_ROOT/tests/vm/limits

accept_begin service "$@"
row packages "lintian and rpmlint: no error, no warning" packages
row booted "installed, activated, reloaded, upgraded under load, purged; nothing left" script booted
row adversarial "every ID, PO and LG case" adversarial "${CASES[@]}"
row booted-cases "the same, by the installed service in a Debian that systemd booted" \
    script booted_cases "${CASES[@]}"
row limits-vm "LG-04, and the limits of memory, processes and processors, by cgroup v2" "$LIMITS_VM"
row https "ETag; bad signature, older, cut short, oversize, cut network, restart: last good and alarm" \
    script fetch
row fleet "three members, one killed; ten brokers in under 2 s, and for the next job" \
    script fleet --brokers 10
row faults "each call site of a job, each error and a kill: 125 or success; nothing left; the next is fine" \
    script faults --full
row model "connections, jobs, charges: every state" model
row load "200 000 jobs: no error, no growth; p99 of another user's < 200 ms" "$DEV" bench load
row fuzz "10 minutes each, no finding" fuzz 600
accept_end
