#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# glob.sh [--rounds N] [--files N]: what it costs to expand the pattern **/*.env over N files of the
# workspace at level snapshot (a private broker): what a start costs more than one in an empty
# workspace without the rule, against what two threads need that read each directory once and look at
# each name. Bars: where nothing is known of the tree yet, at most 1.2 times; where it was expanded before
# and nothing has changed, at most 0.35 times, and for each of 270 directories that changed at most
# twice its part of the walk more.
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

# contender NAME CONFIGURATION DIR WORD...: a job there.
contender()
{
    line "$1" "cd:$3" "env:CODEX_HOME=$HOME_A/config-$2" "${@:4}" "$CORDON" sandbox --embedded linux -- \
        "$BENCH/true_nolibc" pause:50
}

# before NAME COMMAND: a program that runs it in the workspace.
before()
{
    printf '#!/bin/sh\ncd "%s" && %s\n' "$WS_A" "$2" >"$TOP/$1"
    chmod 755 "$TOP/$1"
}

fill "$WS_A"
install -d -o cordon-a -g cordon-a "$HOME_A/empty"
config none </dev/null
config glob <<<"\"$WS_A/**/*.env\" = \"deny\""
# It is expanded: what matches cannot be read, what does not can.
run as_user cordon-a env CODEX_HOME="$HOME_A/config-glob" "$CORDON" sandbox --embedded -C "$WS_A" linux \
    -- cat p0/q0/0.env
expect_denied 'no such content' "a match"
mkdir -p /run/user
install -d -o cordon-a -g cordon-a -m 700 "/run/user/$CORDON_TEST_UID"
before forget "rm -rf /run/user/$CORDON_TEST_UID/cordon-walked"
# One in ten has a match and is read in any case.
seq 100 399 | grep -v '0$' | sed 's|\(.\).*|p\1/q&/new|' >"$TOP/changed"
before change "xargs touch <$TOP/changed && xargs rm <$TOP/changed"
# Before it is compared with it: what was changed a round ago is old enough then to be kept again.
before rest 'sleep 2.2'

# rows NAME: runs the contenders of its input.
rows()
{
    cat >"$TOP/contenders"
    as_user cordon-a "$BENCH/bench_start" "$ROUNDS" "$TOP/contenders" >"$TOP/$1" 2>"$TOP/told" || {
        tail -n 3 "$TOP/told"
        exit 1
    }
}

{
    line plain "$BENCH/true_nolibc" pause:50
    line walk "$BENCH/bench_walk" "$WS_A" .env $(((FILES + 999) / 1000)) pause:50
    contender none none "$HOME_A/empty"
    contender first glob "$WS_A" "before:$TOP/forget"
    contender again glob "$WS_A"
} | rows whole
# By itself: after a rest everything is slower for a while.
{
    contender kept glob "$WS_A" "before:$TOP/rest"
    contender unchanged glob "$WS_A"
    contender changed glob "$WS_A" "before:$TOP/change"
} | rows parts
/usr/bin/python3 - "$TOP/whole" "$TOP/parts" "$FILES" "$ROUNDS" <<'PY'
import json, sys
whole, parts, files, rounds = sys.argv[1:]
rows = {row["name"]: row["median_us"] / 1e3 for path in (whole, parts) for row in map(json.loads, open(path))}
for name, ms in rows.items():
    print(f"  {name:<9} median {ms:9.2f} ms")
walked = rows["walk"] - rows["plain"]
first, again = (rows[name] - rows["none"] for name in ("first", "again"))
if min(walked, first, again) <= 0:
    sys.exit("bench: what is measured is less than nothing: too few files, or a busy machine")
each = (rows["changed"] - rows["unchanged"]) / 270
if each <= 0:
    sys.exit("bench: that directories changed costs nothing: too few rounds, or a busy machine")
part = each / (walked / (int(files) / 100))
missed = False
def judge(what, ratio, bar, ms):
    global missed
    missed = missed or ratio > bar
    print(f"{'PASS' if ratio <= bar else 'FAIL'} {what}: {ratio:.2f} times (at most {bar}): {ms}")
print(f"{files} files, {rounds} rounds")
judge("first: against a walk", first / walked, 1.2, f"{first:.1f} ms / {walked:.1f} ms")
judge("again: against a walk", again / walked, 0.35, f"{again:.1f} ms / {walked:.1f} ms")
judge("again: a changed directory against its part of a walk", part, 2,
      f"{each * 1e3:.0f} us / {walked * 1e5 / int(files):.0f} us")
sys.exit(missed)
PY
