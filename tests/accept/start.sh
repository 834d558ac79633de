#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev accept start [ROW...]: the acceptance lines of the order about what a start costs.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# One run of the bench is what the rows about its bars judge: their ratios are of the same rounds.
measured() {
    local out=$ACCEPT_LOGS/bench-$1.out
    if [[ ! -e $out ]]; then
        "$DEV" bench "$@" --json "$ACCEPT_LOGS/$1.json" --plot "$ACCEPT_LOGS/$1.svg" >"$out.part" 2>&1 ||
            echo "exit $?" >>"$out.part"
        mv "$out.part" "$out"
    fi
    cat "$out"
}

# held BENCH PATTERN BENCH-ARG...: the bars whose line has PATTERN are there, and none is missed.
held() {
    local bench=$1 pattern=$2 lines
    shift 2
    lines=$(measured "$bench" "$@" | tee /dev/stderr | grep -E "^(PASS|FAIL) .*$pattern")
    [[ -n $lines ]] || { echo "figure: the bench did not judge this" && return 1; }
    echo "figure: $(sed -E 's/^(PASS|FAIL) //' <<<"$lines" | paste -sd ';')"
    ! grep -q '^FAIL' <<<"$lines"
}

start() {
    held start "$1" --install-peers --rounds 300
}

sustained() {
    held sustained '(errors|at once)' --slices 5
}

# expanded PATTERN: the bars of bench glob whose line begins so; one run for the rows.
expanded() {
    local out=$ACCEPT_LOGS/bench-glob.out lines
    [[ -e $out ]] || "$DEV" bench glob >"$out" 2>&1
    lines=$(tee /dev/stderr <"$out" | grep -E "^(PASS|FAIL) $1:")
    [[ -n $lines ]] || { echo "figure: the bench did not judge this" && return 1; }
    echo "figure: $(sed -E 's/^(PASS|FAIL) //' <<<"$lines" | paste -sd ';')"
    ! grep -q '^FAIL' <<<"$lines"
}

adversarial_all() {
    local -a ids
    mapfile -t ids < <(bash "$CORDON_ROOT/tests/adversarial/run" --list | grep -oE '[A-Z]{2}-[0-9]+' | sort -u)
    ((${#ids[@]} > 50)) || { echo "only ${#ids[@]} cases are listed" && return 1; }
    adversarial "${ids[@]}"
}

# Both tests: what is made ahead is used only where it is right, and nothing crosses.
nothing_crosses() {
    script spare && script traces
}

accept_begin start "$@"
rm -f "$ACCEPT_LOGS"/bench-*.out
row warm "service, warm: <= 3.0x a plain start" start 'service, warm, against a plain start'
row warm-bwrap "at least 6x faster than bwrap, same view" start 'bwrap against service'
row warm-codex "at least 60x faster than codex sandbox" start 'codex sandbox against service'
row warm-p95 "p95 <= 2x the median" start 'p95 against its median'
row exhausted "nothing made ahead left: <= 7x" start 'nothing made ahead left'
row first-job "100 rules: <= 3 ms more than the next" start 'first job of a caller'
row in-process "libcordon in process: <= 2.0x" start 'in process against'
row embedded "no slower than bwrap" start 'embedded against bwrap'
row sustained "1, 2, 8, 32 clients: >= 4x bwrap's best, no errors" sustained
row flat "300 000 files, 1000 rules, kernel: <= 1.1x" "$DEV" bench start-index
row snapshot "**/*.env over 100 000 files: <= 1.2x an optimal walk" expanded first
row snapshot-again "repeated starts: what changed is read, O(changes); of the rest a look at each directory" \
    expanded again
row adversarial "every case, service and embedded" adversarial_all
row crosses "nothing of a job shows in the next, of any kind" nothing_crosses
row idle "supervisor < 8 MiB after 100 kinds of job; idle: no process runs" "$DEV" bench idle
accept_end
