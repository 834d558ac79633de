#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev accept denial [ROW...]: the acceptance lines of the order about decisions at access time.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ADVERSARIAL=(
    DR-01 DR-02 DR-03 DR-04 DR-05 DR-06 DR-07 DR-08 DR-09 DR-10 DR-11 DR-12 DR-13 DR-14 DR-15
    DR-16 DR-17 DR-18 DR-19 DR-20 DR-22 DR-24 DR-26 DR-28 DR-31 DR-32 DR-33 DR-34 DR-35
    DR-36 DR-37 DR-38 DR-39 DR-40 DR-41
    MT-01 MT-03 MT-04 MT-07 MT-08 MT-09 MT-10 MT-11 MT-13 MT-14 MT-15 MT-19 MT-22 MT-23 MT-24
    MT-26 MT-27 MT-30 MT-31 NW-01 NW-02 NW-08 NW-09 ID-17 ID-18 LG-07
)

vm() {
    local out=$ACCEPT_LOGS/vm.out status=0
    "$DEV" vm --full | tee "$out" || status=1
    echo "figure: $(grep -c '^PASS ' "$out") machines passed, $(grep -c '^FAIL ' "$out") failed"
    return "$status"
}

guards_killed() {
    CORDON_TORTURE=10000 JOB_TIMEOUT=60 bash "$CORDON_ROOT/tests/adversarial/run" \
        --mode service DR-35
}

# The whole time of the work in the service, against outside, with patterns that match in it.
# By the mean of outside before and after it: a machine's speed drifts.
real_work() {
    local out=$ACCEPT_LOGS/real-work.out ratio
    script real_work --mode service | tee "$out" || return 1
    ratio=$(sed -n 's/.*outside \([0-9]*\) s; service \([0-9]*\) s; outside \([0-9]*\) s.*/\1 \2 \3/p' "$out" |
        tail -n 1 | awk '{printf "%.2f", 2 * $2 / ($1 + $3)}')
    echo "figure: ${ratio:-no figures} times outside"
    awk -v ratio="${ratio:-9}" 'BEGIN {exit !(ratio <= 1.25)}'
}

# fanotify here, the kernel's program in the machines.
bench_open() {
    local kernel status=0 out=$ACCEPT_LOGS/bench-open.out
    "$DEV" bench open | tee "$out" || return 1
    for kernel in bookworm trixie newest; do
        echo "-- $kernel"
        "$DEV" bench open --vm "$kernel" --bar 1.3 || echo "FAIL $kernel"
    done | tee -a "$out"
    grep -q '^FAIL' "$out" && status=1
    echo "figure: $(sed -n 's/^figure: //p' "$out" | head -n 1); by bpf with 10 000 rules" \
        "$(sed -n 's/^[A-Z]* 10000 rules: \([0-9.]* times\).*/\1/p' "$out" | paste -sd ,) a job without"
    return "$status"
}

# bpf_on KERNEL: the kernel's program against the model, and without it against the table.
bpf_on() {
    bash "$CORDON_ROOT/tests/vm/run" --kernel "$1" --processors 1 --timeout 5400 -- '
        mkdir -p /sys/fs/bpf/cordon
        "$CORDON_BUILD/platform/linux/bpf/cordon-bpf" /sys/fs/bpf/cordon || exit 1
        bash tests/property/property.sh --steps 3000 || exit 1
        bash tests/adversarial/run --without=bpf DR NW-09' || echo "FAIL $1"
}

# Every kernel, beside each other.
bpf() {
    local kernel status=0 out=$ACCEPT_LOGS/bpf.out
    for kernel in bookworm trixie newest; do
        bpf_on "$kernel" >"$out.$kernel" 2>&1 &
    done
    wait
    cat "$out".* | tee "$out"
    ! grep -q '^FAIL' "$out" || status=1
    echo "figure: $(grep -c '^PASS .* fails without ' "$out") cases fail as listed," \
        "$(grep -c '^FAIL' "$out") differ"
    return "$status"
}

property() {
    bash "$CORDON_ROOT/tests/property/property.sh" --self-test --steps 10000
}

# Every case without each layer that is in force here; the release build cannot do that.
without() {
    local layer status=0 out=$ACCEPT_LOGS/without.out
    "$DEV" install "$ACCEPT_LOGS/installed" || return 1
    "$CORDON_ROOT/tests/adversarial/without_absent.sh" "$CORDON_BUILD_HOME/without" \
        "$CORDON_BUILD_HOME/release" "$CORDON_BUILD" || return 1
    for layer in fanotify mask landlock seccomp; do
        echo "-- without $layer"
        bash "$CORDON_ROOT/tests/adversarial/run" --without="$layer" || echo "FAIL --without=$layer"
    done | tee "$out"
    ! grep -q '^FAIL\|^SKIP' "$out" || status=1
    echo "figure: $(grep -c '^PASS .* fails without ' "$out") cases fail as listed," \
        "$(grep -c '^PASS .* s$' "$out") are held by other layers," \
        "$(grep -c '^FAIL\|^SKIP' "$out") differ"
    return "$status"
}

accept_begin denial "$@"
row adversarial "every listed id passes, service and embedded" adversarial "${ADVERSARIAL[@]}"
row violations "every denial told; printed and missed are all" script violations
row vm "three kernels, six settings each, every case of denial; bpf: all refused" vm
row bpf "as the model says, and the table without it, on every kernel" bpf
row without "a checked-in table says which cases must fail without a layer" without
row guards-killed "10 000 times, not one byte" guards_killed
row bench-open "by each mechanism; BPF <= 1.3x" bench_open
row real-work "patterns match in the workspace: <= 1.25x outside" real_work
row start-index "300 000 files, 1000 rules: start <= 1.1x" "$DEV" bench start-index
row property "10 000 steps against an independent model" property
accept_end
