#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linked_whole.sh PROGRAM...: one that is linked whole has nothing of the name service, which would load
# what is of another C library than its own; the linker's warning of that is off.
set -u
for program in "$@"; do
    if readelf -d "$program" | grep -q '(NEEDED)'; then
        echo "$program: has a loader"
    elif nm "$program" | grep -E ' [TtWi] (get(pw|gr|spn)(nam|uid|gid|ent)|getgrouplist|initgroups)(_r)?$'; then
        echo "$program: asks the name service itself"
        exit 1
    else
        echo "$program: whole"
    fi
done
