#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Files of root's that a guard is asked about once (init/exempt.h): which those are, what ends it,
# and that it is over in a job that begins.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"
start_service
decided_by fanotify || skip "fanotify does not decide here"
OPTIONS=(-s workspace-write)

managed_codex <<TOML
[permissions.filesystem]
deny_read = ["$TOP/**/*.key", "$TOP/**/vault/**"]
TOML
SYS=$TOP/sys

# What is root's alone, and for each reason something that is not.
lay_out()
{
    rm -rf "$SYS" "$WS_A"
    install -d "$SYS/dir/deep" "$SYS/group"
    install -d -m 1777 "$SYS/open"
    install -d -o cordon-a -g cordon-a "$SYS/users" "$WS_A"
    for file in plain dir/below dir/deep/lower group/file open/file users/file shared own twice "odd-é"; do
        echo "of $file" >"$SYS/$file"
    done
    echo "of ws" >"$WS_A/file"
    chmod 664 "$SYS/shared"
    chmod 775 "$SYS/group"
    chown cordon-a "$SYS/own"
    ln "$SYS/twice" "$SYS/twice-again"
}

# The guards that are looked at. What a job opens is exempt in one that is made ahead after that.
GUARDS='[0-9]*'

# One of them is not asked about the file of that inode and device, in hexadecimal: on a tmpfs the
# kernel's number of it is that of stat(2).
knows()
{
    # shellcheck disable=SC2086 # a pattern, or nothing
    cat /proc/$GUARDS/fdinfo/* 2>/dev/null | grep "^fanotify ino:$1 sdev:$2 " |
        grep -q 'ignored_mask:0*[1-9]'
}

# shellcheck disable=SC2046 # two words
number_of()
{
    printf '%x %x' $(stat -c '%i %d' "$1")
}

# shellcheck disable=SC2046
is_exempt()
{
    knows $(number_of "$1")
}

# A job that does what is written to it, a line each, as the commands of a shell. Then $SAID is what
# came of the last.
begin_job()
{
    local init

    GUARDS='[0-9]*'
    no_spares
    rm -f "$TOP/ask" "$TOP/said"
    mkfifo "$TOP/ask"
    : >"$TOP/said"
    (cd "$WS_A" && as_user "${1:-cordon-a}" timeout 60 "$CORDON" sandbox linux "${OPTIONS[@]}" -- \
        bash -c 'while read -r line; do eval "$line"; echo "end $?"; done' \
        <"$TOP/ask" >"$TOP/said" 2>&1) &
    JOB=$!
    exec 7>"$TOP/ask"
    tell true
    for init in $(pgrep -x cordon-init); do
        ! pgrep -P "$init" -x bash >/dev/null || GUARDS=$(pgrep -P "$init" -x cordon-guard)
    done
    [ "$GUARDS" != '[0-9]*' ] || fail "the job has no guard"
}

tell()
{
    local before

    before=$(wc -l <"$TOP/said")
    echo "$1" >&7
    wait_for '[[ $(tail -n +$((before + 1)) "$TOP/said") == *"end "* ]]' 20
    SAID=$(tail -n +$((before + 1)) "$TOP/said")
}

end_job()
{
    exec 7>&-
    wait "$JOB"
}

reads()
{
    tell "cat $1"
    [[ $SAID == *"of $2"*"end 0" ]] || fail "$1 was not read: $SAID"
}

refuses()
{
    tell "cat $1"
    [[ $SAID != *"of "* && $SAID == *"Operation not permitted"* ]] || fail "$1 was read: $SAID"
}

case_which()
{
    local file

    lay_out
    begin_job
    ! is_exempt "$SYS/plain" || fail "something is exempt that nobody opened"
    for file in plain dir/below dir/deep/lower group/file open/file users/file shared own twice "odd-é"; do
        reads "$SYS/$file" "$file"
    done
    reads "$WS_A/file" ws
    tell "ls $SYS/dir"
    for file in plain dir/below dir/deep/lower; do
        is_exempt "$SYS/$file" || fail "$file is asked about again"
    done
    for file in group/file open/file users/file shared own twice "odd-é" dir; do
        ! is_exempt "$SYS/$file" || fail "$file is exempt"
    done
    ! is_exempt "$WS_A/file" || fail "a file of the workspace is exempt"
    end_job
    no_spares
    wait_for '! is_exempt "$SYS/plain"'
    begin_job root
    reads "$SYS/plain" plain
    ! is_exempt "$SYS/plain" || fail "a file is exempt in a job of root's"
    end_job
}

# A file is exempt until the function change does what it does, and then it is no more.
ended()
{
    local inode

    lay_out
    inode=$(number_of "$SYS/dir/deep/lower")
    begin_job
    reads "$SYS/dir/deep/lower" dir/deep/lower
    wait_for "knows $inode"
    change
    wait_for "! knows $inode"
}

case_renamed()
{
    change() { mv "$SYS/dir/deep/lower" "$SYS/dir/deep/lower.key"; }
    ended
    refuses "$SYS/dir/deep/lower.key"
    end_job
    change() { mv "$SYS/dir" "$SYS/vault"; }
    ended
    refuses "$SYS/vault/deep/lower"
    end_job
    change() { mv "$SYS/dir/deep/lower" "$SYS/dir/deep/lower.key" && mv "$SYS/dir/deep/lower.key" "$SYS/dir/deep/lower"; }
    ended
    refuses "$SYS/dir/deep/lower"
    end_job
    # Nothing is denied by these; it is asked about again all the same.
    change() { mv "$SYS/dir" "$SYS/folder"; }
    ended
    reads "$SYS/folder/deep/lower" dir/deep/lower
    end_job
    change() { mv "$SYS/dir/deep/lower" "$SYS/dir/other"; }
    ended
    reads "$SYS/dir/other" dir/deep/lower
    end_job
}

case_linked()
{
    change() { ln "$SYS/dir/deep/lower" "$SYS/dir/lower.key"; }
    ended
    refuses "$SYS/dir/deep/lower"
    end_job
    rm "$SYS/dir/lower.key"
    change() { ln "$SYS/dir/deep/lower" "$SYS/dir/second"; }
    ended
    reads "$SYS/dir/second" dir/deep/lower
    ! is_exempt "$SYS/dir/second" || fail "a file with two names is exempt"
    end_job
}

# By its name alone: nobody looks for what it is called by in a file system that is mounted below.
case_below_a_mount()
{
    lay_out
    mount -t tmpfs -o mode=755 cordon-below "$SYS/dir/deep"
    echo "of mount" >"$SYS/dir/deep/file"
    begin_job
    reads "$SYS/dir/deep/file" mount
    wait_for 'is_exempt "$SYS/dir/deep/file"'
    mv "$SYS/dir" "$SYS/vault"
    wait_for '! is_exempt "$SYS/vault/deep/file"'
    refuses "$SYS/vault/deep/file"
    end_job
    umount "$SYS/vault/deep"
}

# Under a name of the job's that nothing happens to: a directory that a mount shows elsewhere.
case_bound()
{
    lay_out
    mkdir "$SYS/shown"
    mount --bind "$SYS/dir/deep" "$SYS/shown"
    begin_job
    reads "$SYS/shown/lower" dir/deep/lower
    wait_for 'is_exempt "$SYS/shown/lower"'
    mv "$SYS/dir" "$SYS/vault"
    wait_for '! is_exempt "$SYS/shown/lower"'
    refuses "$SYS/shown/lower"
    end_job
    umount "$SYS/shown"
}

case_written()
{
    change() { echo more >>"$SYS/dir/deep/lower"; }
    ended
    reads "$SYS/dir/deep/lower" dir/deep/lower
    wait_for 'is_exempt "$SYS/dir/deep/lower"'
    # What has nothing to do with it ends nothing.
    mv "$SYS/plain" "$SYS/other"
    mkdir "$SYS/lone" && mv "$SYS/lone" "$SYS/vault" && rmdir "$SYS/vault"
    tell "sleep 0.2"
    is_exempt "$SYS/dir/deep/lower" || fail "it ended by what happened elsewhere"
    end_job
}

# What a job opened is not asked about in one that is made ahead after that; but for what changed
# before that begins.
case_usual()
{
    local round

    for round in 1 2 3 4; do
        lay_out
        no_spares
        for _ in 1 2; do
            job cordon-a "${OPTIONS[@]}" -- cat "$SYS/dir/deep/lower"
            expect_out "of dir/deep/lower" "$round"
            wait_for '[ "$(pgrep -xc cordon-init)" = 2 ]' 20
        done
        wait_for 'is_exempt "$SYS/dir/deep/lower"'
        mv "$SYS/dir/deep/lower" "$SYS/dir/deep/lower.key"
        job cordon-a "${OPTIONS[@]}" -- cat "$SYS/dir/deep/lower.key"
        expect_denied "of dir" "renamed before it begins, $round"
    done
}

# One more than a guard keeps in mind (EXEMPT_MAX): it is asked about all of them again.
case_many()
{
    lay_out
    mkdir "$SYS/many"
    seq 4200 | (cd "$SYS/many" && while read -r n; do echo "of $n" >"$n"; done)
    begin_job
    reads "$SYS/many/1" 1
    is_exempt "$SYS/many/1" || fail "the first of many is not exempt"
    tell "cat $SYS/many/* | wc -l"
    [[ $SAID == 4200* ]] || fail "not all of many were read: $SAID"
    # It answers first, and keeps in mind when nobody waits.
    wait_for '! is_exempt "$SYS/many/1"'
    wait_for 'is_exempt "$SYS/many/999"'
    mv "$SYS/many/999" "$SYS/many/999.key"
    wait_for '! is_exempt "$SYS/many/999.key"'
    refuses "$SYS/many/999.key"
    reads "$SYS/many/1" 1
    is_exempt "$SYS/many/1" || fail "the first is not exempt again"
    end_job
}

for case in which renamed linked below_a_mount bound written usual many; do
    (case_$case) || fail "case $case"
    echo "ok $case"
done
