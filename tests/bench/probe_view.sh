#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run inside each contender: what a job sees, as lines that must be the same for all.
# $1: the write root, $2: a file outside it that the user owns.
( : >>"$2" ) 2>/dev/null && echo "outside: writable" || echo "outside: read-only"
( : >"$1/.view" ) 2>/dev/null && rm "$1/.view" && echo "write root: writable" || echo "write root: read-only"
cat /etc/passwd >/dev/null 2>&1 && echo "root: readable"
echo "interfaces: $(sed -n 's/^ *\([^: ]*\):.*/\1/p' /proc/net/dev | sort | tr '\n' ' ')"
echo "pids: $( [ "$(ls -d /proc/[0-9]* | wc -l)" -lt 20 ] && echo own || echo host)"
for node in null zero full random urandom tty shm pts ptmx fd stdin stdout stderr; do
    [ -e "/dev/$node" ] || [ -L "/dev/$node" ] || echo "dev lacks $node"
done
ls /dev | grep -Ec '^(sd|vd|nvme|loop|kmsg|mem|kvm|fuse)' | sed 's/^/host devices: /'
grep -E '^(CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status | tr '\t' ' '
