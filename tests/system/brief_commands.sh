#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The command lines that users of Codex type, with `codex` replaced by `cordon`, and again
# through a symbolic link called codex; in the service and embedded.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"

COUNT=0

# says STATUS OUT ERR WORD...: NAME WORD... in the workspace gives that status, that text in its
# output and a line that matches ERR on standard error.
says()
{
    local status=$1 out=$2 err=$3

    shift 3
    run cordon "$@"
    expect_rc "$status" "$NAME $*"
    expect_out "$out" "$NAME $*"
    [ -z "$err" ] || expect_err "$err" "$NAME $*"
    COUNT=$((COUNT + 1))
}

cordon()
{
    cd "$WS_A" && as_user cordon-a timeout 20 "$NAME" "$@"
}

# writes yes|no FILE WORD...: whether `touch FILE` succeeds behind these words.
writes()
{
    local want=$1 file=$2

    shift 2
    rm -f "$file"
    run cordon "$@" touch "$file"
    if [ "$want" = yes ]; then
        expect_ok "$NAME $* touch $file"
        [ -e "$file" ] || fail "$NAME $*: no file"
        rm -f "$file"
    else
        [ "$RC" != 0 ] || fail "$NAME $*: wrote $file"
        [ ! -e "$file" ] || fail "$NAME $*: made $file"
    fi
    COUNT=$((COUNT + 1))
}

as_written()
{
    local plan

    says 0 hello '' sandbox linux echo hello
    says 0 hello '' sandbox linux -- echo hello
    says 0 hello '' sandbox echo hello
    says 0 hello '' debug landlock echo hello
    says 7 '' '' sandbox linux sh -c 'exit 7'
    for plan in macos windows; do
        says 2 '' "$plan" sandbox "$plan" echo hello
        says 0 '' '' sandbox "$plan" --print-plan echo hello
        [ -n "$OUT" ] || fail "sandbox $plan --print-plan: nothing printed"
    done
    says 2 '' 'macos|seatbelt' debug seatbelt --log-denials echo hello
    says 0 '' '' debug seatbelt --log-denials --print-plan echo hello
    says 0 '' '' sandbox linux --print-plan echo hello
    [[ $OUT != *hello* ]] || fail "--print-plan ran the command"
    says 2 '' 'verb|unknown|cordon help' no-such-verb
}

modes()
{
    # Nothing configured means read-only.
    writes no made sandbox linux
    writes no "$HOME_A/made" sandbox linux
    writes no /tmp/cordon-brief-made sandbox linux
    writes yes made sandbox linux -c 'sandbox_mode="workspace-write"'
    writes yes made sandbox -c 'sandbox_mode="workspace-write"' linux
    writes yes made -c 'sandbox_mode="workspace-write"' sandbox linux
    writes yes made sandbox linux -c sandbox_mode=workspace-write
    writes yes made sandbox linux -s workspace-write
    writes yes made sandbox linux --sandbox workspace-write
    writes yes made sandbox linux --sandbox=workspace-write
    writes yes made sandbox -s workspace-write linux
    writes yes made -s workspace-write sandbox linux
    writes yes made --sandbox workspace-write sandbox linux
    writes yes made --sandbox workspace-write debug landlock
    writes yes made debug landlock -s workspace-write
    writes no made sandbox linux -s read-only
    writes no made -s read-only sandbox linux
    writes no "$HOME_A/made" -s workspace-write sandbox linux
    writes yes "$HOME_A/made" -s danger-full-access sandbox linux
    writes yes "$HOME_A/made" sandbox linux --sandbox danger-full-access
    writes yes /tmp/cordon-brief-made sandbox linux -s workspace-write
    writes yes "$HOME_A/.codex/memories/made" sandbox linux -s workspace-write
    writes no "$HOME_A/.codex/made" sandbox linux -s workspace-write
    says 2 '' 'sandbox|mode' sandbox linux -s no-such-mode true
    says 2 '' 'sandbox|mode|MODE' -s
}

configured()
{
    echo 'sandbox_mode = "workspace-write"' | user_config cordon-a
    writes yes made sandbox linux
    writes no made sandbox linux -s read-only
    writes no made sandbox linux -c 'sandbox_mode="read-only"'
    writes no made sandbox linux -P :read-only
    rm "$HOME_A/.codex/config.toml"
}

codex=$TOP/codex
ln -s "$CORDON" "$codex"
for CORDON_MODE in service embedded; do
    for NAME in "$CORDON" "$codex"; do
        fresh_homes
        install -d -o cordon-a -g cordon-a "$HOME_A/.codex/memories"
        start_service
        before=$(tree "$HOME_A")
        as_written
        modes
        configured
        expect_same_tree "$HOME_A" "$before"
        expect_clean
        stop_service
        expect_clean
    done
done
echo "figure: $COUNT command lines, as cordon and as codex, service and embedded"
