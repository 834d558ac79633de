#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every denial is counted, and those that are recorded say who, what, where and by which rule.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"
start_service

# audit FIELDS...: the records of the service's log that hold all of them.
audit()
{
    local lines field

    wait_for log_is_settled
    lines=$(cat "$TOP/service.log")
    for field in "$@"; do
        lines=$(grep -F -- "$field" <<<"$lines")
    done
    printf '%s' "$lines"
}

case_fields()
{
    managed_codex <<TOML
[permissions.filesystem]
deny_read = ["/nonexistent", "$TOP/home/**/*.secret"]
TOML
    "$CORDON" doctor --json | grep -q '"access-time decision","state":"ok"' ||
        skip "denials are not decided at access time here"
    job cordon-a -s workspace-write -- sh -c 'echo x >late.secret; cat late.secret; echo end'
    expect_err "$DENIAL" "a file that appeared"
    [ -n "$(audit '"event":"violation"' "\"path\":\"$WS_A/late.secret\"" '"rule":"' \
        'deny_read[1]' '/etc/codex/requirements.toml:2' '"mechanism":"fanotify"' \
        '"by":"cat"' '"operation":"open"' "\"uid\":$CORDON_TEST_UID")" ] ||
        fail "no such record: $(audit '"event":"violation"')"
}

# However many records fit anywhere, the end of the job knows the number.
case_flood()
{
    local count began most

    log_clear
    began=$SECONDS
    job cordon-a -s workspace-write -- perl -e \
        'for (1 .. 10000) { open(my $f, "<", "late.secret") and die "read" } print "done"'
    expect_out "done" flood
    [ -n "$(audit '"event":"end"' '"denied":10000,')" ] ||
        fail "not 10000: $(audit '"event":"end"')"
    count=$(audit '"event":"violation"' | wc -l)
    # In each ten seconds; those that had begun count from then.
    most=$(((2 + (SECONDS - began) / 10) * 100 + 1))
    [ "$count" -le "$most" ] || fail "a flood fills the log: $count records"
}

# ... also where the job is killed in the middle of it.
case_killed()
{
    log_clear
    job cordon-a -s workspace-write --timeout 5 -- perl -e \
        'for (1 .. 3000) { open(my $f, "<", "late.secret") } sleep 60'
    expect_rc 124 killed
    [ -n "$(audit '"event":"end"' '"denied":3000,')" ] ||
        fail "not 3000: $(audit '"event":"end"')"
}

# told ARGS: what user $1 is told by cordon violations.
told()
{
    local user=$1

    shift
    run as_user "$user" "$CORDON" violations "$@"
    expect_rc 0 "violations $*"
}

# By a profile's rule, with bytes in its name that act on a terminal; told to its owner and to root.
case_told()
{
    local name=$WS_A/$'a\e[1m\nb.own' line

    printf 'default_permissions = "dev"\n[permissions.dev]\nextends = ":workspace"\n%s\n"%s" = "deny"\n' \
        '[permissions.dev.filesystem]' "$HOME_A/**/*.own" | user_config cordon-a
    echo x >"$name"
    job cordon-a --log-denials -- sh -c 'cat late.secret *.own; true'
    expect_ok "a command that goes on"
    for line in "$ERR" "$(told cordon-a; echo "$OUT")" "$("$CORDON" violations)"; do
        grep -qE 'denied open .*/a\\(e|x1b)\[1m\\nb\.own \(.*config\.toml:5\) by cat\[[0-9]+\]$' <<<"$line" ||
            fail "the profile's rule is not told: $line"
        grep -qE "denied open $WS_A/late.secret \(.*deny_read.*requirements.toml:2\) by cat" <<<"$line" ||
            fail "the managed rule is not told: $line"
    done
    told cordon-b
    [ -z "$OUT" ] || fail "another user is told: $(got)"
    told cordon-a --json
    /usr/bin/python3 -c '
import json, sys
records = [json.loads(line) for line in sys.stdin]
record = [one for one in records if one["event"] == "denied"][-1]
wanted = {"event": "denied", "operation": "open", "path": sys.argv[1], "command": "cat",
          "mechanism": "fanotify", "uid": int(sys.argv[2])}
sys.exit(any(record[key] != value for key, value in wanted.items()))' "$name" "$CORDON_TEST_UID" \
        <<<"$OUT" || fail "as JSON: $(tail -n 1 <<<"$OUT")"
    rm -f "$name"
}

# What is printed and what is said to be missing is all there was.
case_account()
{
    local before

    before=$("$CORDON" violations | awk '/without a record/ {n += $1; next} {n++} END {print n + 0}')
    job cordon-a -s workspace-write --log-denials -- perl -e \
        'for (1 .. 5000) { open(my $f, "<", "late.secret") } print "done"'
    expect_out "done" account
    [ "$(awk '/without a record/ {n += $2; next} {n++} END {print n + 0}' <<<"$ERR")" = 5000 ] ||
        fail "--log-denials accounts for $(wc -l <<<"$ERR") lines: $(tail -n 1 <<<"$ERR")"
    "$CORDON" violations >"$TOP/all"
    [ "$(awk '/without a record/ {n += $1; next} {n++} END {print n + 0}' "$TOP/all")" = \
        $((before + 5000)) ] || fail "violations: $(wc -l <"$TOP/all") lines, $before before"
    [ "$(wc -l <"$TOP/all")" -le 1025 ] || fail "the ring is not bounded"
}

# --follow prints them as they come, ends on SIGINT, and with its reader.
case_follow()
{
    local pid

    as_user cordon-a "$CORDON" violations --follow >"$TOP/follow" &
    pid=$!
    wait_for "[ -s '$TOP/follow' ]"
    : >"$TOP/follow"
    job cordon-a -s workspace-write -- sh -c 'cat late.secret; true'
    wait_for "grep -q 'late.secret' '$TOP/follow'"
    pkill -INT -f 'violations --follow'
    wait "$pid"
    [ $? = 130 ] || fail "--follow does not end on SIGINT"
    (as_user cordon-a "$CORDON" violations --follow | head -n 1) >"$TOP/follow" &
    pid=$!
    wait_for "[ -s '$TOP/follow' ]"
    job cordon-a -s workspace-write -- sh -c 'cat late.secret; true'
    wait "$pid"
    wait_for "! pgrep -f 'violations --follow' >/dev/null"
}

case_fields
case_flood
case_killed
case_told
case_account
case_follow
echo "violations: ok"
