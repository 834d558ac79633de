#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What one job leaves of each kind (file, process, mount, socket, environment, keyring, shm, ptrace,
# network, its own attributes) does not show in the next, which was made ahead while the first still
# ran or before. A job that looks at what it left itself must see it: the look is not blind.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"
cp "$(dirname "$0")/traces.py" "$TOP/"

# traces WHAT: the job's JSON in $TOP/WHAT.json, with when it was asked for in hundredths of a second.
traces()
{
    awk '{print int($1 * 100)}' /proc/uptime >"$TOP/$1.asked"
    job cordon-a -s workspace-write -- /usr/bin/python3 "$TOP/traces.py" "$2"
    expect_ok "$1"
    printf '%s\n' "$OUT" >"$TOP/$1.json"
}

# Nothing says that a spare is ready but that it waits.
settle()
{
    local i before=-1 now

    for ((i = 0; i < 50; i++)); do
        now=$(pgrep -c -x cordon-init)
        [ "$now" = "$before" ] && [ "$now" -ge 1 ] && return 0
        before=$now
        sleep "0.${SLOW:-1}"
    done
    fail "no spares are made"
}

start_service
traces reference look
settle
traces control leave-look
settle
for round in 1 2 3 4; do
    traces "leave-$round" leave
    settle
    traces "next-$round" look
    settle
done
/usr/bin/python3 - "$TOP" <<'PY' || fail "a trace shows, or the look is blind"
import json, sys

def load(name):
    with open(f"{sys.argv[1]}/{name}.json", encoding="utf-8") as stream:
        return json.load(stream)

reference, control = load("reference")["seen"], load("control")
bad = [f"what was left of {kind} does not show to the one who left it" for kind in reference
       if control["seen"][kind] == reference[kind] and kind not in control["refused"]]
ahead = 0
for n in range(1, 5):
    after = load(f"next-{n}")
    with open(f"{sys.argv[1]}/next-{n}.asked", encoding="utf-8") as stream:
        ahead += after["born"] < int(stream.read())
    for kind, value in after["seen"].items():
        if value != reference[kind]:
            bad.append(f"round {n}, {kind}: {value} instead of {reference[kind]}")
if ahead != 4:
    bad.append(f"{ahead} of 4 were made ahead: nothing is proven of the others")
print(*bad, sep="\n", file=sys.stderr)
print(f"traces: {len(reference)} kinds, 4 jobs made ahead; refused at once: {control['refused']}")
sys.exit(bool(bad))
PY
expect_clean
