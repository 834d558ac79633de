#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# main.sh [CASE...]: inside the booted system, as root. Cases run in this order and build on one
# another: all of them before one that is named run too.
export LC_ALL=C.UTF-8
HERE=/srv/test
for part in lib install journal generations surroundings upgrade; do
    . "$HERE/$part.sh"
done

CASES=(install activation managed journal injection alarm generations carried surroundings
    directives exposure upgrade disabled purge)

useradd --create-home --shell /bin/bash alice
useradd --create-home --shell /bin/bash bob
# Where the kernel has it; a guest's systemd does not mount it.
mount -t bpf bpf /sys/fs/bpf 2>/dev/null
passed=0 failed=0
for name in "${CASES[@]}"; do
    began=$EPOCHREALTIME
    (
        set -euo pipefail
        "case_$name"
    ) >"$HERE/$name.log" 2>&1
    status=$?
    took=$(((${EPOCHREALTIME/./} - ${began/./}) / 1000))
    if ((status == 0)); then
        echo "PASS booted/$name $took ms $(sed -n 's/^figure: //p' "$HERE/$name.log")"
        passed=$((passed + 1))
    else
        echo "FAIL booted/$name $took ms"
        tail -n 25 "$HERE/$name.log" | sed 's/^/    /'
        failed=$((failed + 1))
    fi
    [[ $# == 0 || $name != "${*: -1}" ]] || break
done
echo "$passed cases passed, $failed failed" >"$HERE/summary"
((failed == 0))
