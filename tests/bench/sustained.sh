#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sustained.sh [--slices N] [--ms N] [--json FILE] [--plot FILE]: how many jobs a second the service
# starts for 1, 2, 8 and 32 clients at once, against bwrap with the same view, in slices of time in
# turn. Bars: no error; at least four times bwrap's best slice, judged from five slices on.
set -u
. "$(dirname "$0")/lib.sh"
. "$HERE/peers/peers.sh"
. "$HERE/product.sh"

SLICES=5 SLICE_MS=1500 JSON='' PLOT=''
CLIENTS=(1 2 8 32)
options "--slices=SLICES --ms=SLICE_MS --json=JSON --plot=PLOT" "$@"
outputs sustained "$JSON" "$PLOT"
bench_enter "$@"
PEERS_ALL=(bwrap)

CORDON_MODE=service
mkdir "$TOP/report"
peers_find || exit 1
start_service
{
    line plain "$BENCH/true_nolibc" "pause:$((SLICE_MS / 4))"
    for name in "${PEERS[@]}"; do
        peer_line "$name" "$BENCH/true_nolibc" "pause:$((SLICE_MS / 4))"
    done
    line cordon-service "$CORDON" sandbox -s workspace-write linux -- "$BENCH/true_nolibc" "pause:$((SLICE_MS / 4))"
    # What the kernel takes for it, whoever asks: namespaces, a tree of mounts, the command.
    relay_serve relay-made made 1 8
    line relay-made "$BENCH/relay" ask "$TOP/relay-made" "pause:$((SLICE_MS / 4))"
} >"$TOP/contenders"
as_bench "$BENCH/bench_sustained" "$SLICES" "$SLICE_MS" "$TOP/contenders" "${CLIENTS[@]}" \
    >"$TOP/report/sustained" ||
    grep -q '"errors": [1-9]' "$TOP/report/sustained" || exit 1 # errors are told with the rates
report sustained "$(printf '{"slices": %s, "slice_ms": %s, "clients": [%s], "versions": %s}' \
    "$SLICES" "$SLICE_MS" "$(IFS=,; echo "${CLIENTS[*]}")" "$(versions)")"
