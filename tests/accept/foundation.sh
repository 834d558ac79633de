#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev accept foundation [ROW...]: the acceptance lines of the first order, at full size.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The order's list; DR-20 and what else only a service can hold skip embedded in the suite itself.
ADVERSARIAL=(
    DR-01 DR-02 DR-03 DR-04 DR-05 DR-06 DR-20 DR-26 DR-28
    ID-02 ID-06 ID-08 ID-10 ID-11 ID-17 ID-22 ID-23
    MT-03 MT-07 MT-08 MT-09 MT-10 MT-11 MT-14 MT-23 MT-26 MT-27 MT-31
    PO-01 PO-02 PO-03 PO-04 PO-05 PO-06 PO-08 PO-09 PO-10 PO-11 PO-12 PO-15
    NW-01 NW-02 NW-08 NW-09 LG-07 LG-08
)

ctest_all() {
    local log=$ACCEPT_LOGS/tests.log
    local began=$SECONDS
    "$DEV" test | tee "$log.out" || return 1
    local took=$((SECONDS - began))
    echo "figure: $(grep -o 'out of [0-9]*' "$log.out" | awk '{n += $3} END {print n}') tests, $took s"
    ((took <= 600))
}

bench_start() {
    local json=$ACCEPT_LOGS/bench-start.json
    "$DEV" bench start --rounds 200 --json "$json" || return 1
    python3 "$CORDON_ROOT/tests/accept/bench_start.py" "$json"
}

dfa_sizes() {
    local out=$ACCEPT_LOGS/dfa-sizes.out status=0
    "$DEV" bench dfa | tee "$out" || status=1
    echo "figure: $(sed -n 's/^PASS \(10*00* rules\), floating both: \(.*\), [0-9]* states/\1: \2/p' \
        "$out" | paste -sd ';')"
    return "$status"
}

coverage() {
    local out=$ACCEPT_LOGS/coverage.out status=0
    "$DEV" coverage | tee "$out" || status=1
    echo "figure: $(sed -n 's/^branches: //p' "$out")"
    return "$status"
}

accept_begin foundation "$@"
row clean-root "both README commands, fresh Debian 12, root and user" script clean_root
row tests "./dev test <= 600 s" ctest_all
row real-work "same results, hashes; denied; nothing left; embedded and service" \
    script real_work --mode both
row brief-commands "the brief's commands as written, also by a symlink codex" script brief_commands
row managed-deny "holds for two users, every mode and override" script managed_deny
row adversarial "every listed id passes, service and embedded" \
    adversarial "${ADVERSARIAL[@]}"
row userns-off "service works, embedded refuses with the remedy" script userns_off
row bench-start "200 rounds; service <= bwrap; client RSS <= 4 MiB" bench_start
row dfa-sizes "1000: 100 ms, 8 MiB; 10000: 2 s, 64 MiB" dfa_sizes
row fuzz "60 s each, no finding" fuzz 60
row asan "ASan and UBSan clean" "$DEV" test-asan
row coverage "branches of policy/ and proto/ >= 90 %" coverage
accept_end
