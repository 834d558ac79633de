#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# load.sh [--jobs N] [--chunk N] [--at-once N] [--asked N]: the service under load. Two users, N
# at once each, twenty policies in turn, one client in a hundred killed; after each chunk of jobs
# what the service holds. Then one user's `true`, one after the other, while the other user floods.
# Bars: no error; no more processes, descriptors, mounts or control groups; after the last chunk the
# memory (Pss) of supervisor, workers and index with its closer within 2 % of that after the first
# 10 000 jobs, or less; 99 of 100 of the second user's starts under 200 ms. Their share of files that
# others map too changes with those, so what is no file's is what may have grown.
set -u
. "$(dirname "$0")/lib.sh"

JOBS=200000 CHUNK=10000 AT_ONCE=100 ASKED=1000 POLICIES=20
options "--jobs=JOBS --chunk=CHUNK --at-once=AT_ONCE --asked=ASKED" "$@"
bench_enter "$@"

# policies USER HOME: twenty that differ, each with names that are denied by path and by pattern.
policies()
{
    local n

    for ((n = 0; n < POLICIES; n++)); do
        install -d -o "$1" -g "$1" "$2/policy-$n"
        printf 'default_permissions = "p"\n[permissions.p]\nextends = ":workspace"
[permissions.p.filesystem]\n"%s/denied-%d" = "deny"\n"/**/*.secret%d" = "deny"\n' \
            "$2" "$n" "$n" >"$2/policy-$n/config.toml"
    done
}

# flood USER HOME JOBS AT_ONCE KILLED FILE
flood()
{
    (
        cd "$2" && exec setpriv --reuid="$1" --regid="$1" --init-groups env -i HOME="$2" \
            "$BENCH/bench_load" "$3" "$4" "$5" "$POLICIES" "$2/policy-" \
            "$CORDON" sandbox linux -- "$2/true" 2>"$6.err" >"$6"
    )
}

# As few jobs as have memory given back, one after the other: where the flood ended is no matter then.
lull()
{
    flood cordon-a "$HOME_A" 64 1 0 "$TOP/lull" && flood cordon-b "$HOME_B" 64 1 0 "$TOP/lull" || exit 1
}

# What the service holds, with all of its processes: how many those are, their descriptors, its
# mounts, control groups, KiB of memory, KiB of that which are no file's.
held()
{
    local pid kib=0 own=0 fds=0 count=0

    # Its jobs' end is seen by their clients before they are cleared away; those that were made
    # ahead would wait for a minute.
    sleep 0.5
    spares_end
    wait_for "! pgrep 'cordon-(ini|gu)' >/dev/null"
    sleep 0.5
    for pid in $(all_below "$SERVICE_PID"); do
        count=$((count + 1))
        fds=$((fds + $(find "/proc/$pid/fd" -mindepth 1 | wc -l)))
        kib=$((kib + $(awk '/^Pss:/ {print $2}' "/proc/$pid/smaps_rollup")))
        own=$((own + $(awk '/^Pss_(Anon|Shmem):/ {sum += $2} END {print sum}' "/proc/$pid/smaps_rollup")))
    done
    printf '%s %s %s %s %s %s\n' "$count" "$fds" "$(wc -l <"/proc/$SERVICE_PID/mountinfo")" \
        "$(cgroup_list | wc -l)" "$kib" "$own"
}

number()
{
    sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p" "$2"
}

start_service
for user in a b; do
    home=HOME_${user^^}
    policies "cordon-$user" "${!home}"
    cp "$BENCH/true_nolibc" "${!home}/true"
done
done_jobs=0 errors=0 first='' last=''
printf '%10s %10s %12s %8s %8s %10s %8s %8s %8s\n' \
    jobs processes descriptors mounts cgroups 'Pss KiB' 'no file' 'jobs/s' errors
while [ "$done_jobs" -lt "$JOBS" ]; do
    flood cordon-a "$HOME_A" $((CHUNK / 2)) "$AT_ONCE" 10 "$TOP/a" &
    flood cordon-b "$HOME_B" $((CHUNK / 2)) "$AT_ONCE" 10 "$TOP/b"
    wait $!
    done_jobs=$((done_jobs + CHUNK))
    failed=$(($(number failed "$TOP/a") + $(number failed "$TOP/b")))
    [ "$failed" = 0 ] || sort "$TOP"/[ab].err | uniq -c | sort -rn | head -n 3
    errors=$((errors + failed))
    lull
    last=$(held) || exit 1
    # shellcheck disable=SC2086
    printf '%10s %10s %12s %8s %8s %10s %8s %8.0f %8s\n' "$done_jobs" $last \
        "$(awk "BEGIN {print $(number per_s "$TOP/a") + $(number per_s "$TOP/b")}")" "$failed"
    [ -n "$first" ] || [ "$done_jobs" -lt 10000 ] || first=$last
done
first=${first:-$last}
flood cordon-a "$HOME_A" $((ASKED * 1000)) "$AT_ONCE" 0 "$TOP/a" &
flooding=$!
wait_for "pgrep cordon-init >/dev/null"
flood cordon-b "$HOME_B" "$ASKED" 1 0 "$TOP/b" || errors=$((errors + 1))
pkill -x bench_load
wait "$flooding" 2>/dev/null
p99=$(number p99_us "$TOP/b")
/usr/bin/python3 - "$first" "$last" "$errors" "$p99" "$(number median_us "$TOP/b")" "$JOBS" <<'PY'
import sys
first, last = ([int(x) for x in text.split()] for text in sys.argv[1:3])
errors, p99, median = int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])
growth = (last[5] - first[5]) / first[4]
print(f"figure: {sys.argv[6]} jobs, {errors} errors; memory {growth * 100:+.2f} %: "
      f"{last[5] - first[5]:+d} KiB of {first[4]}; "
      f"beside a flood: median {median / 1000:.1f} ms, p99 {p99 / 1000:.1f} ms")
bars = [(errors == 0, "errors"), (all(a <= b for a, b in zip(last[:4], first)), "processes, descriptors, mounts or control groups grew"),
        (growth <= 0.02, "memory grew"), (p99 < 200000, "p99 is 200 ms or more")]
for held, what in bars:
    if not held:
        print(f"FAIL: {what}")
sys.exit(not all(held for held, _ in bars))
PY
status=$?
stop_service
exit $status
