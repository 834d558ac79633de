#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# all.sh: every bench of the product at full size, one after the other; exits 1 if one missed a bar.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
missed=()
for name in start sustained start-index glob open idle load; do
    printf '== %s\n' "$name"
    bash "$HERE/$name.sh" || missed+=("$name")
done
[ "${#missed[@]}" = 0 ] || echo "FAIL: ${missed[*]}"
[ "${#missed[@]}" = 0 ]
