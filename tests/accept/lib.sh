# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The frame of ./dev accept NAME. A script sources this, calls accept_begin NAME "$@", then one
# `row NAME BAR COMMAND...` a line of the order, then accept_end.
#
# A row passes when its command exits 0. Its last line "figure: TEXT" is the figure that the
# report quotes, else the seconds it took. Exit 77 is a skip, and a skip is a FAIL: an acceptance
# line that did not run has not been met. Logs: $CORDON_BUILD_HOME/accept/NAME/ROW.log; the
# report: $CORDON_BUILD_HOME/accept/NAME.json.

: "${CORDON_ROOT:?run this by ./dev accept}" "${CORDON_BUILD_HOME:?run this by ./dev accept}"

DEV=$CORDON_ROOT/dev
SYSTEM=$CORDON_ROOT/tests/system
export CORDON_BUILD=$CORDON_BUILD_HOME/dev

# Builds what the rows run, and ends where that fails.
accept_begin() {
    ACCEPT=$1
    shift
    ACCEPT_ONLY=("$@")
    ACCEPT_SEEN=()
    ACCEPT_FAILED=0
    ACCEPT_LOGS=$CORDON_BUILD_HOME/accept/$ACCEPT
    mkdir -p "$ACCEPT_LOGS"
    ACCEPT_ROWS=$ACCEPT_LOGS/rows.tsv
    : >"$ACCEPT_ROWS"
    if ! "$DEV" test -N >/dev/null; then
        echo "FAIL: the dev preset does not build" >&2
        exit 1
    fi
}

accept_wanted() {
    local only
    ((${#ACCEPT_ONLY[@]})) || return 0
    for only in "${ACCEPT_ONLY[@]}"; do
        [[ $only == "$1" ]] && return 0
    done
    return 1
}

# row NAME BAR COMMAND...
row() {
    local name=$1 bar=$2 log=$ACCEPT_LOGS/$1.log began=$SECONDS status=0 verdict=PASS figure
    shift 2
    ACCEPT_SEEN+=("$name")
    accept_wanted "$name" || return 0
    ("$@") >"$log" 2>&1 </dev/null || status=$?
    figure=$(sed -n 's/^figure: //p' "$log" | tail -n 1 | tr '\t' ' ')
    : "${figure:=$((SECONDS - began)) s}"
    if ((status != 0)); then
        verdict=FAIL
        ACCEPT_FAILED=$((ACCEPT_FAILED + 1))
        if ((status == 77)); then
            figure="skipped: $(tail -n 1 "$log" | tr '\t' ' ')"
        else
            figure="$figure; exit $status, see $log"
        fi
    fi
    printf '%s  %-16s  %s  [%s]\n' "$verdict" "$name" "$figure" "$bar"
    if [[ $verdict == FAIL ]]; then
        tail -n 12 "$log" | sed 's/^/      | /'
    fi
    printf '%s\t%s\t%s\t%s\t%s\n' "$name" "$verdict" "$figure" "$bar" $((SECONDS - began)) \
        >>"$ACCEPT_ROWS"
}

accept_json() {
    python3 - "$ACCEPT" "$1" "$ACCEPT_ROWS" <<'PY'
import json, platform, subprocess, sys, time

name, complete, rows = sys.argv[1:]
keys = ("line", "verdict", "figure", "bar", "seconds")
with open(rows, encoding="utf-8") as stream:
    table = [dict(zip(keys, line.rstrip("\n").split("\t"))) for line in stream]
for entry in table:
    entry["seconds"] = int(entry["seconds"])
commit = subprocess.run(["git", "-c", "safe.directory=*", "describe", "--always", "--dirty"],
                        capture_output=True, text=True, check=False).stdout.strip()
print(json.dumps({"accept": name, "complete": complete == "1", "commit": commit,
                  "kernel": platform.release(), "machine": platform.machine(),
                  "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                  "passed": sum(e["verdict"] == "PASS" for e in table),
                  "failed": sum(e["verdict"] != "PASS" for e in table), "lines": table}, indent=2))
PY
}

accept_end() {
    local complete=1 only report=$CORDON_BUILD_HOME/accept/$ACCEPT.json
    ((${#ACCEPT_ONLY[@]})) && complete=0
    for only in "${ACCEPT_ONLY[@]}"; do
        if [[ " ${ACCEPT_SEEN[*]} " != *" $only "* ]]; then
            printf 'FAIL  %s  no such row; rows: %s\n' "$only" "${ACCEPT_SEEN[*]}"
            ACCEPT_FAILED=$((ACCEPT_FAILED + 1))
        fi
    done
    (cd "$CORDON_ROOT" && accept_json "$complete") >"$report"
    printf '%s: %d passed, %d failed; %s\n' "$ACCEPT" \
        "$(grep -c $'\tPASS\t' "$ACCEPT_ROWS")" "$ACCEPT_FAILED" "$report"
    ((ACCEPT_FAILED == 0))
}

# --- what rows of several orders run ---

# fuzz SECONDS: every fuzzer.
fuzz() {
    local out=$ACCEPT_LOGS/fuzz.out status=0
    "$DEV" fuzz "$1" | tee "$out" || status=1
    echo "figure: $(grep -c 'no finding' "$out") fuzzers without a finding," \
        "$(grep -c FINDING "$out") with"
    return "$status"
}

# script NAME ARG...: a test of tests/system, at the size its arguments say.
script() {
    local name=$1
    shift
    if [[ ! -e $SYSTEM/$name.sh ]]; then
        echo "tests/system/$name.sh does not exist"
        return 1
    fi
    bash "$SYSTEM/$name.sh" "$@"
}

# adversarial ID...: every case of the list ran and passed: the ids are counted, so that a case
# which the suite does not know cannot pass by its absence.
adversarial() {
    local id out=$ACCEPT_LOGS/adversarial.out status=0 missing=0
    bash "$CORDON_ROOT/tests/adversarial/run" --mode both "$@" >"$out" || status=1
    cat "$out"
    for id in "$@"; do
        if ! grep -q "^PASS $id " "$out"; then
            echo "no PASS of $id"
            missing=$((missing + 1))
        fi
    done
    echo "figure: $(grep -c '^PASS ' "$out") passed, $(grep -c '^FAIL ' "$out") failed," \
        "$(grep -c '^SKIP ' "$out") skipped; $(($# - missing)) of" \
        "$# ids"
    ((status == 0 && missing == 0))
}
