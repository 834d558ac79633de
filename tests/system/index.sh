#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The index of names made before a job: what was linked earlier is denied under every name,
# whatever happened between the jobs, and without the index as well.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"
start_service

index_pid()
{
    pgrep -x cordon-index
}

# open_denied NAME...: none of them gives a byte to a job that runs.
open_denied()
{
    local name

    for name; do
        job cordon-a -s workspace-write -- cat "$name"
        expect_denied "top-secret" "$name"
        [ "$RC" != 125 ] || fail "$name: $(got)"
    done
}

open_allowed()
{
    job cordon-a -s workspace-write -- cat "$1"
    expect_out "$2" "$1"
}

walks()
{
    grep -c '^cordon-index: device' "$TOP/service.log"
}

case_older_link()
{
    managed_codex <<TOML
[permissions.filesystem]
deny_read = ["$HOME_A/vault", "$TOP/home/**/*.key"]
TOML
    "$CORDON" doctor --json | grep -q '"access-time decision","state":"ok"' ||
        skip "denials are not decided at access time here"
    mkdir "$HOME_A/vault"
    echo top-secret >"$HOME_A/vault/one"
    echo top-secret >"$HOME_A/a.key"
    ln "$HOME_A/vault/one" "$WS_A/vault-link"
    ln "$HOME_A/a.key" "$WS_A/key-link"
    echo shared >"$WS_A/plain"
    ln "$WS_A/plain" "$WS_A/plain-link"
    chown -R cordon-a: "$HOME_A"
    open_denied "$WS_A/vault-link" "$WS_A/key-link" "$HOME_A/a.key"
    open_allowed "$WS_A/plain-link" shared
    [ -n "$(index_pid)" ] || fail "no index runs"
    [ "$(walks)" = 1 ] || fail "walked $(walks) times: $(cat "$TOP/service.log")"
}

# Of a file that had two names, and of one that had one.
case_link_between()
{
    ln "$WS_A/key-link" "$WS_A/key-again"
    rm "$WS_A/key-link"
    open_denied "$WS_A/key-again"
    [ "$(walks)" = 1 ] || fail "walked $(walks) times for a file that was known: $(cat "$TOP/service.log")"
    echo top-secret >"$HOME_A/new.key"
    ln "$HOME_A/new.key" "$WS_A/new-link"
    open_denied "$WS_A/new-link"
    [ "$(walks)" = 1 ] || fail "walked $(walks) times for a file made under its eyes"
    echo top-secret >"$WS_A/single"
    open_allowed "$WS_A/plain-link" shared
    open_allowed "$WS_A/single" top-secret
    ln "$WS_A/single" "$HOME_A/single.key"
    open_denied "$WS_A/single"
    wait_for guards_are_gone
    rm -f "$HOME_A/single.key"
    open_allowed "$WS_A/single" top-secret
}

# The names below a directory are what they are now.
case_directory_renamed()
{
    mkdir -p "$HOME_A/deep/one"
    echo top-secret >"$HOME_A/deep/one/x"
    ln "$HOME_A/deep/one/x" "$WS_A/x"
    open_allowed "$WS_A/x" top-secret
    mv "$HOME_A/deep/one" "$HOME_A/deep/two.key"
    open_denied "$WS_A/x"
    wait_for guards_are_gone
    mv "$HOME_A/deep/two.key" "$HOME_A/deep/three"
    open_allowed "$WS_A/x" top-secret
    mv "$HOME_A/deep" "$HOME_A/vault/deep"
    open_denied "$WS_A/x"
}

# A link made by the host while a job runs, of a file that had one name when the index was asked.
case_link_during()
{
    local helper

    echo top-secret >"$HOME_A/during.key"
    mkfifo "$WS_A/go"
    chown cordon-a: "$WS_A/go" "$HOME_A/during.key"
    (
        wait_for "[ -e '$WS_A/ready' ]"
        ln "$HOME_A/during.key" "$WS_A/during"
        echo >"$WS_A/go"
    ) &
    helper=$!
    job cordon-a -s workspace-write -- sh -c 'cat plain-link; : >ready; read x <go; cat during'
    expect_denied "top-secret" "linked while it ran"
    expect_out shared "before"
    wait "$helper"
    rm -f "$WS_A/go" "$WS_A/ready"
}

case_killed()
{
    local pid helper

    # What it has not let go of yet would be refused to its user.
    wait_for guards_are_gone
    pid=$(index_pid)
    kill -KILL "$pid"
    # Until it is dead a job is refused: what it knew of earlier jobs nobody knows.
    wait_for "are_dead $pid"
    open_denied "$WS_A/key-again" "$WS_A/x"
    [ -n "$(index_pid)" ] && [ "$(index_pid)" != "$pid" ] || fail "the index was not started again"
    # Nothing but what it knew of links is lost with the process that knows them.
    pid=$(index_pid)
    kill -KILL "$(pgrep -x cordon-links)"
    open_denied "$WS_A/key-again" "$WS_A/x"
    wait_for "pgrep -x cordon-links >/dev/null"
    [ "$(index_pid)" = "$pid" ] || fail "all of the index was started again"
    # ... and while a job runs, before it asks.
    mkfifo "$WS_A/go"
    chown cordon-a: "$WS_A/go"
    (
        wait_for "[ -e '$WS_A/ready' ]"
        kill -KILL "$(index_pid)"
        echo >"$WS_A/go"
    ) &
    helper=$!
    job cordon-a -s workspace-write -- sh -c ': >ready; read x <go; cat key-again'
    expect_denied "top-secret" "without an index"
    wait "$helper"
    rm -f "$WS_A/go" "$WS_A/ready"
    # What it knew of that job is gone with it: until then its user is refused.
    restart_service
}

# The question of an open that waits: who asked it is told, though the kernel closes the groups of who
# is killed first, and waits with that for the open.
case_killed_with_a_question()
{
    local helper

    mkfifo "$WS_A/go"
    chown cordon-a: "$WS_A/go"
    (
        wait_for "[ -e '$WS_A/ready' ]"
        pkill -STOP -x cordon-links
        echo >"$WS_A/go"
        sleep 0.5 # it is asked
        pkill -KILL -x cordon-links
    ) &
    helper=$!
    JOB_TIMEOUT=20 job cordon-a -s workspace-write -- sh -c ': >ready; read x <go; cat plain-link; cat key-again'
    expect_denied "top-secret" "asked of who was killed"
    expect_out shared "asked of who was killed"
    wait "$helper"
    rm -f "$WS_A/go" "$WS_A/ready"
}

# A file system that is mounted later, filled, unmounted, and changed meanwhile.
case_mounted_later()
{
    local image=$TOP/image

    mkdir -p "$WS_A/disk"
    truncate -s 16M "$image"
    mkfs.ext4 -q "$image" 2>/dev/null && mount -o loop "$image" "$WS_A/disk" 2>/dev/null || return 0
    mkdir "$WS_A/disk/d"
    echo top-secret >"$WS_A/disk/d/y.key"
    chown -R cordon-a: "$WS_A/disk/d"
    ln "$WS_A/disk/d/y.key" "$WS_A/disk/d/y"
    open_denied "$WS_A/disk/d/y"
    umount "$WS_A/disk" || fail "the index holds the file system"
    mount -o loop "$image" "$TOP/mnt" 2>/dev/null || { mkdir "$TOP/mnt" && mount -o loop "$image" "$TOP/mnt"; }
    echo top-secret >"$TOP/mnt/d/z.key"
    ln "$TOP/mnt/d/z.key" "$TOP/mnt/d/z"
    chown cordon-a: "$TOP/mnt/d/z"
    umount "$TOP/mnt"
    mount -o loop "$image" "$WS_A/disk"
    open_denied "$WS_A/disk/d/y" "$WS_A/disk/d/z"
    umount "$WS_A/disk"
}

# What it tells is what a walk finds, after whatever happened to names.
case_model()
{
    local seed

    mkdir "$TOP/model"
    for seed in 1 2 3 "$RANDOM"; do
        mount -t tmpfs model "$TOP/model"
        "$CORDON_BUILD/tests/system/index_model" "$CORDON_BUILD/platform/linux/cordon-index" \
            "$TOP/model" 4000 "$seed" || fail "seed $seed"
        umount "$TOP/model"
    done
    rmdir "$TOP/model"
}

case_clean()
{
    expect_clean
    stop_service
    wait_for "[ -z \"\$(index_pid)\" ]"
    expect_clean
}

case_older_link
case_link_between
case_directory_renamed
case_link_during
case_killed_with_a_question
case_killed
case_mounted_later
case_model
case_clean
echo "index: $(walks) walks"
