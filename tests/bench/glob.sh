#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# glob.sh [--rounds N] [--files N]: what it costs to expand the pattern **/*.env over N files of the
# workspace at level snapshot (a private broker): what a start costs more than one in an empty
# workspace without the rule, against what two threads need that read each directory once and look at
# each name. Bar: at most 1.2 times.
set -u
. "$(dirname "$0")/lib.sh"

ROUNDS=30 FILES=100000
options "--rounds=ROUNDS --files=FILES" "$@"
bench_enter "$@"

# A hundred names in a folder, one folder in ten with one that matches.
fill()
{
    /usr/bin/python3 - "$1" "$FILES" <<'PY'
import os, sys
top, count = sys.argv[1], int(sys.argv[2])
for at in range(count):
    folder = f"{top}/p{at // 10000}/q{at // 100}"
    if at % 100 == 0:
        os.makedirs(folder)
    name = f"{at}.env" if at % 1000 == 0 else f"f{at}.c"
    os.close(os.open(f"{folder}/{name}", os.O_CREAT | os.O_WRONLY, 0o644))
PY
    chown -R cordon-a: "$1"
}

# contender NAME DIR: a job there under that configuration.
contender()
{
    line "$1" "cd:$2" "env:CODEX_HOME=$HOME_A/config-$1" "$CORDON" sandbox --embedded linux -- \
        "$BENCH/true_nolibc" pause:50
}

fill "$WS_A"
install -d -o cordon-a -g cordon-a "$HOME_A/empty"
config none </dev/null
config glob <<<"\"$WS_A/**/*.env\" = \"deny\""
# It is expanded: what matches cannot be read, what does not can.
run as_user cordon-a env CODEX_HOME="$HOME_A/config-glob" "$CORDON" sandbox --embedded -C "$WS_A" linux \
    -- cat p0/q0/0.env
expect_denied 'no such content' "a match"
{
    line plain "$BENCH/true_nolibc" pause:50
    line walk "$BENCH/bench_walk" "$WS_A" .env $(((FILES + 999) / 1000)) pause:50
    contender none "$HOME_A/empty"
    contender glob "$WS_A"
} >"$TOP/contenders"
as_user cordon-a "$BENCH/bench_start" "$ROUNDS" "$TOP/contenders" >"$TOP/rows" 2>"$TOP/told" || {
    tail -n 3 "$TOP/told"
    exit 1
}
/usr/bin/python3 - "$TOP/rows" "$FILES" "$ROUNDS" <<'PY'
import json, sys
rows = {row["name"]: row["median_us"] / 1e3 for row in map(json.loads, open(sys.argv[1]))}
for name, ms in rows.items():
    print(f"  {name:<8} median {ms:9.2f} ms")
expanded, walked = rows["glob"] - rows["none"], rows["walk"] - rows["plain"]
if expanded <= 0 or walked <= 0:
    sys.exit("bench: what is measured is less than nothing: too few files, or a busy machine")
ratio = expanded / walked
print(f"figure: {sys.argv[2]} files, {sys.argv[3]} rounds: {ratio:.2f} times the walk "
      f"({expanded:.1f} ms / {walked:.1f} ms)")
sys.exit(ratio > 1.2)
PY
