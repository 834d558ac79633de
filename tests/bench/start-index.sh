#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# start-index.sh [--rounds N] [--files N] [--rules N] [--vm KERNEL]: what a start costs in the
# service, kernel enforcement required, with N files in the workspace and N rules of the corpus,
# against an empty workspace and no rules; the index of older links is built, and jobs were made
# ahead. The command is the system's: root's, on the file system of the workspace. Bar: at most 1.1
# times. Apart: a command of the user's own, which the guard is asked about each time, and one that
# has two names, for which the index is asked.
# --vm: in a machine with that kernel, where the kernel's program decides and needs no index.
set -u
. "$(dirname "$0")/lib.sh"

ROUNDS=200 FILES=300000 RULES=1000 PAUSE_MS=${PAUSE_MS:-25} VM=
options "--rounds=ROUNDS --files=FILES --rules=RULES --vm=VM" "$@"
if [ -n "$VM" ]; then
    exec bash "$HERE/../vm/run" --kernel "$VM" --timeout 1800 -- "mkdir -p /sys/fs/bpf/cordon
        \"\$CORDON_BUILD/platform/linux/bpf/cordon-bpf\" /sys/fs/bpf/cordon &&
            PAUSE_MS=300 bash tests/bench/start-index.sh --rounds 40 --files 3000 --rules $RULES"
fi
bench_enter "$@"

# Names that no rule of the corpus matches, a thousand in a folder; one file has two.
fill()
{
    /usr/bin/python3 - "$1" "$FILES" <<'PY'
import os, sys
top, count = sys.argv[1], int(sys.argv[2])
for at in range(count):
    folder = f"{top}/q{at // 1000}"
    if at % 1000 == 0:
        os.mkdir(folder)
    os.close(os.open(f"{folder}/f{at}.c", os.O_CREAT | os.O_WRONLY, 0o644))
PY
    ln "$1/q0/f0.c" "$1/q0/g0.c"
}

# contender NAME DIR RULES [COMMAND]: a job there, with that many rules.
contender()
{
    line "$1" "cd:$2" "env:CODEX_HOME=$HOME_A/config-$3" "before:$HERE/made_ahead.sh" \
        "pause:$PAUSE_MS" "$CORDON" sandbox linux -- "${4:-$TOP/bin/true}"
}

judge()
{
    /usr/bin/python3 - "$TOP/rows" "$FILES" "$RULES" "$(grep -c . "$TOP/walks")" \
        "$(sed 's/.*walked in //' "$TOP/walks" | paste -sd, -)" "$MECHANISM" <<'PY'
import json, sys
rows = {}
for line in open(sys.argv[1]):
    row = json.loads(line)
    rows[row["name"]] = row["median_us"]
    print(f"  {row['name']:<24} median {row['median_us']:9.1f} us  p95 {row['p95_us']:9.1f} us  least {row['min_us']:9.1f} us")
base = rows["none"]
ratio = rows["files and rules"] / base
for name in rows:
    print(f"  {name:<24} {rows[name] / base:5.2f} times none")
walks = int(sys.argv[4])
if (walks == 0) != (sys.argv[6] == "bpf"):
    sys.exit(f"bench: {walks} walks are told of, where {sys.argv[6]} decides")
print(f"decided by {sys.argv[6]}; index of {sys.argv[2]} files: {walks} walk(s), {sys.argv[5]}")
print(f"figure: start {ratio:.2f} times none ({rows['files and rules']:.0f} us / {base:.0f} us); "
      f"{rows['files and rules'] / rows['one rule']:.2f} times one rule; index {sys.argv[5]}")
sys.exit(ratio > 1.1)
PY
}

start_service
decided_by any || true
EMPTY=$HOME_A/empty
install -d -o cordon-a -g cordon-a "$EMPTY"
fill "$WS_A"
install -D "$BENCH/true_nolibc" "$TOP/bin/true"
install -o cordon-a "$TOP/bin/true" "$HOME_A/true"
install -o cordon-a "$TOP/bin/true" "$HOME_A/two-names"
ln "$HOME_A/two-names" "$HOME_A/two-names-again"
for count in 0 1 "$RULES"; do
    rules "$count" | config "$count" 'minimum_enforcement = "kernel"'
done
{
    contender none "$EMPTY" 0
    contender "one rule" "$EMPTY" 1
    contender "files and rules" "$WS_A" "$RULES"
    contender "... own command" "$WS_A" "$RULES" "$HOME_A/true"
    contender "... two names" "$WS_A" "$RULES" "$HOME_A/two-names"
} >"$TOP/contenders"
# A file that this writes to may be one that a rule of the corpus denies: a job gets no such.
exec 2> >(exec cat >&2)
# Something is made ahead only of what was asked for once.
sed 's/before:[^\t]*\t//' "$TOP/contenders" >"$TOP/first"
as_user cordon-a "$BENCH/bench_start" 1 "$TOP/first" >/dev/null &&
    as_user cordon-a "$BENCH/bench_start" "$ROUNDS" "$TOP/contenders" >"$TOP/rows" || exit 1
grep '^cordon-index: device' "$TOP/service.log" >"$TOP/walks"
printf '%s files, %s rules, %s rounds, the index built\n' "$FILES" "$RULES" "$ROUNDS"
judge
