#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# start-index.sh [--rounds N] [--files N] [--rules N]: what a start costs in the service, kernel
# enforcement required, with N files in the workspace and N rules of the corpus, against an empty
# workspace and no rules; the index of older links is built. Bar: at most 1.1 times.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../support/service.sh"

ROUNDS=200 FILES=300000 RULES=1000
arguments=("$@")
while [ $# -gt 0 ]; do
    case "$1" in
    --rounds) ROUNDS=$2 ;;
    --files) FILES=$2 ;;
    --rules) RULES=$2 ;;
    *)
        echo "usage: start-index.sh [--rounds N] [--files N] [--rules N]" >&2
        exit 2
        ;;
    esac
    shift 2
done
harness_enter "${arguments[@]}"
BENCH=$CORDON_BUILD/tests/bench

profiles()
{
    printf 'default_permissions = "none"\nminimum_enforcement = "kernel"\n'
    printf '[permissions.none]\nextends = ":workspace"\n'
    printf '[permissions.rules]\nextends = ":workspace"\n[permissions.rules.filesystem]\n'
    "$BENCH/bench_rules" "$RULES" | sort -u
}

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

# contender NAME DIR PROFILE COMMAND
contender()
{
    local IFS=$'\t'

    echo "$1 cd:$2 $CORDON sandbox -P $3 linux -- $4" | tr ' ' '\t'
}

start_service
profiles | user_config cordon-a
EMPTY=$HOME_A/empty
install -d -o cordon-a -g cordon-a "$EMPTY"
fill "$WS_A"
cp "$BENCH/true_nolibc" "$TOP/true"
{
    contender none "$EMPTY" none "$TOP/true"
    contender full "$WS_A" rules "$TOP/true"
    contender files "$WS_A" none "$TOP/true"
    contender rules "$EMPTY" rules "$TOP/true"
} >"$TOP/contenders"
(cd "$WS_A" && as_user cordon-a "$BENCH/bench_start" "$ROUNDS" "$TOP/contenders") >"$TOP/rows" || exit 1
cat "$TOP/rows"
