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
    local count

    : >"$TOP/service.log"
    job cordon-a -s workspace-write -- perl -e \
        'for (1 .. 10000) { open(my $f, "<", "late.secret") and die "read" } print "done"'
    expect_out "done" flood
    [ -n "$(audit '"event":"end"' '"denied":10000,')" ] ||
        fail "not 10000: $(audit '"event":"end"')"
    count=$(audit '"event":"violation"' | wc -l)
    [ "$count" -le 101 ] || fail "a flood fills the log: $count records"
}

# ... also where the job is killed in the middle of it.
case_killed()
{
    : >"$TOP/service.log"
    job cordon-a -s workspace-write --timeout 1 -- perl -e \
        'for (1 .. 3000) { open(my $f, "<", "late.secret") } sleep 60'
    expect_rc 124 killed
    [ -n "$(audit '"event":"end"' '"denied":3000,')" ] ||
        fail "not 3000: $(audit '"event":"end"')"
}

case_fields
case_flood
case_killed
echo "violations: ok"
