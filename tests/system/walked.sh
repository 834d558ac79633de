#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Directories that an embedded job's walk need not read again: they are not read again, and whatever
# changes, appears or was forged, no match is ever missed.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"
RUN=/run/user/$CORDON_TEST_UID
WALKED=$RUN/cordon-walked
mkdir -p /run/user && install -d -o cordon-a -g cordon-a -m 700 "$RUN" || exit 1

# deny PATTERN [LINE...]: a profile with that rule and these.
deny()
{
    printf '%s\n' 'default_permissions = "dev"' '[permissions.dev]' 'extends = ":workspace"' \
        '[permissions.dev.filesystem]' "\"$1\" = \"deny\"" "${@:2}" | user_config cordon-a
}

# In the job: every file that it can read, "-" and "!" before those that it cannot.
cat >"$TOP/look.py" <<'PY'
import os
for folder, below, files in os.walk("."):
    for name in files:
        path = f"{folder}/{name}"
        try:
            open(path).close()
            print("-", path)
        except OSError:
            print("!", path)
PY

# What a naive matcher says of the tree; or changes something at random, as much as it is told.
cat >"$TOP/model.py" <<'PY'
import ctypes, os, random, sys, time
libc = ctypes.CDLL(None, use_errno=True)
top = sys.argv[1]

def expected():
    for folder, below, files in os.walk("."):
        for name in files:
            path = f"{folder}/{name}"
            denied = any(part.endswith(".env") for part in path.split("/"))
            # Of what is below a denied directory the job sees nothing.
            if not any(part.endswith(".env") for part in folder.split("/")):
                print("!" if denied else "-", path)

def exchange(one, other):
    if libc.renameat2(-100, one.encode(), -100, other.encode(), 2) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")

def change(count, seed):
    dice = random.Random(seed)
    for at in range(count):
        folders = [folder for folder, _, _ in os.walk(".") if folder != "."]
        files = [f"{folder}/{name}" for folder, _, names in os.walk(".") for name in names]
        fresh = f"{dice.choice(folders)}/n{dice.randrange(10**9)}"
        kind = dice.randrange(8)
        try:
            if kind == 0:
                open(fresh + dice.choice(["", ".env"]), "w").close()
            elif kind == 1:
                os.rename(dice.choice(files), fresh + dice.choice(["", ".env"]))
            elif kind == 2:
                os.unlink(dice.choice(files))
            elif kind == 3:
                exchange(dice.choice(files), dice.choice(files))
            elif kind == 4:
                exchange(dice.choice(files + folders), dice.choice(folders))
            elif kind == 5:
                os.rename(dice.choice(folders), fresh)
            elif kind == 6:
                os.makedirs(fresh + "/deeper")
                open(fresh + "/deeper/" + dice.choice(["a.env", "plain"]), "w").close()
            else:
                os.rename(dice.choice(folders), fresh + ".env")
        except OSError:
            pass  # into itself, or not empty

# Which of the directories are read while the command runs: how many of them.
def count_reads(command):
    notify = libc.inotify_init1(os.O_NONBLOCK)
    folders = [folder for folder, _, _ in os.walk(".")]
    numbers = {libc.inotify_add_watch(notify, folder.encode(), 0x00000001) for folder in folders}
    if len(numbers) != len(folders) or -1 in numbers:
        sys.exit("no watch")
    if os.spawnvp(os.P_WAIT, command[0], command) != 0:
        sys.exit("the command failed")
    read = set()
    while True:
        try:
            events = os.read(notify, 1 << 20)
        except BlockingIOError:
            break
        at = 0
        while at < len(events):
            watch, mask, _, length = (int.from_bytes(events[at + i:at + i + 4], "little")
                                      for i in (0, 4, 8, 12))
            if mask & 0x40000000 and length == 0:
                read.add(watch)
            at += 16 + length
    print(len(read))

os.chdir(top)
what = sys.argv[2]
if what == "expected":
    expected()
elif what == "change":
    change(int(sys.argv[3]), int(sys.argv[4]))
else:
    count_reads(sys.argv[3:])
PY
chmod 755 "$TOP"/*.py

# 300 folders in which nothing matches, and 20 with a match.
lay_out()
{
    local at

    rm -rf "${WS_A:?}"/*
    for at in $(seq 0 319); do
        mkdir -p "$WS_A/p$((at / 20))/q$at"
        echo x >"$WS_A/p$((at / 20))/q$at/plain"
        [ $((at % 16)) != 0 ] || echo x >"$WS_A/p$((at / 20))/q$at/a.env"
    done
    chown -R cordon-a: "$WS_A"
}

settle() { sleep 2.2; }

# check WHAT: a job reads exactly what it may.
check()
{
    STDIN=$TOP/look.py job cordon-a --embedded -- /usr/bin/python3 -
    expect_ok "$1"
    diff <(sort <<<"$OUT") <(python3 "$TOP/model.py" "$WS_A" expected | sort) >"$TOP/diff" ||
        fail "$1: $(head -n 5 "$TOP/diff")"
}

# reads: how many directories of the workspace a start reads.
reads()
{
    export -f as_user
    python3 "$TOP/model.py" "$WS_A" reads bash -c \
        "as_user cordon-a '$CORDON' sandbox --embedded -C '$WS_A' linux -- true"
}

# expect_reads COUNT WHAT
expect_reads()
{
    local count

    count=$(reads)
    [ "$count" = "$1" ] || fail "$2: $count directories are read"
}

deny "$WS_A/**/*.env"
lay_out
settle

# The first start reads all, the next only where there is something: the top, 16 above, 20 matches.
expect_reads 337 "the first start"
[ -n "$(ls "$WALKED")" ] || fail "nothing was kept"
expect_reads 37 "the next start"
check "as it was"
[ "$(stat -c %a:%U "$WALKED")" = 700:cordon-a ] || fail "whose is that: $(stat -c %a:%U "$WALKED")"
! grep -rq 'plain\|p0\|q1' "$WALKED" || fail "there are names of files in what is kept"

# One that changed is read, and no other.
echo x >"$WS_A/p3/q61/late.env"
expect_reads 38 "of one that changed"
check "a match appeared"
mv "$WS_A/p3/q62/plain" "$WS_A/p3/q62/b.env"
mkdir -p "$WS_A/p4/q81/sub"
echo x >"$WS_A/p4/q81/sub/c.env"
check "a name became a match, and a directory appeared"

# Another pattern, which what was kept says nothing about.
deny "$WS_A/**/plain"
[ "$(reads)" -ge 337 ] || fail "another pattern: $(reads)"
deny "$WS_A/**/*.env"
check "the first again"

# damaged WHAT: all is read, and the file is written anew.
damaged()
{
    [ "$(reads)" -gt 300 ] || fail "$1 is believed"
    check "$1"
    expect_reads 37 "kept after $1"
}
lay_out
settle
check "laid out anew"
truncate -s -7 "$WALKED"/*
damaged "a file cut short"
cp -a "$WALKED" "$TOP/old"
for at in $(seq 100); do mkdir -p "$WS_A/p1/more$at"; done
settle
check "with more directories"
expect_reads 37 "with more directories"
for at in $(seq 100); do echo x >"$WS_A/p1/more$at/a.env"; done
cp -a "$TOP/old/." "$WALKED/"
check "an older file is back"
lay_out
settle
check "laid out once more"
file=$(ls -t "$WALKED" | head -n 1)
rm "$WALKED/$file"
mkfifo -m 600 "$WALKED/$file"
chown cordon-a: "$WALKED/$file"
damaged "a pipe"

# A job that may write anywhere changes nothing but how much is read; with the service or without.
for mode in --embedded ''; do
    printf '%s\n' 'default_permissions = "all"' '[permissions.all]' '[permissions.all.filesystem]' \
        '":root" = "write"' "\"$WS_A/**/*.env\" = \"deny\"" | user_config cordon-a
    STDIN=/dev/stdin job cordon-a $mode -- /usr/bin/python3 -c "
import ctypes, glob
libc = ctypes.CDLL(None, use_errno=True)
for path in glob.glob('$WALKED/*'):
    with open(path, 'r+b') as file:
        file.seek(200)
        file.write(b'forged')
        print('written')
for call in ((libc.syscall, 250, 0, -4, 1), (libc.syscall, 248, b'user', b'cordon', b'x' * 32, 32, -4)):
    if call[0](*call[1:]) != -1 or ctypes.get_errno() != 1:
        print('it has keys')
"
    grep -q written <<<"$OUT" || fail "$mode: the job could not write: $(got)"
    ! grep -q keys <<<"$OUT" || fail "$mode: a job may ask for keys"
    deny "$WS_A/**/*.env"
    damaged "what a job wrote $mode"
done

# Where files may not grow: nothing ends but what is kept.
lay_out
settle
check "laid out for a limit"
reads_limited()
{
    export -f as_user
    python3 "$TOP/model.py" "$WS_A" reads bash -c "ulimit -f 8
        as_user cordon-a '$CORDON' sandbox --embedded -C '$WS_A' linux -- true"
}
[ "$(reads_limited)" = 337 ] || fail "what is kept cannot be read under a limit, but is: $(reads_limited)"
rm "$WALKED"/*
[ "$(reads_limited)" = 337 ] || fail "nothing can be kept under a limit: $(reads_limited)"
check "after a limit"
expect_reads 37 "kept after a limit"

# Where nothing can be kept, all is read.
without()
{
    expect_reads 337 "$1"
    expect_reads 337 "again, $1"
    check "$1"
}
rm -rf "$WALKED"
echo x >"$WALKED"
without "a file in its place"
rm "$WALKED"
ln -s "$TOP/home/a" "$WALKED"
without "a link in its place"
rm "$WALKED"
mv "$RUN" "$RUN.away"
without "no directory of the user's"
mv "$RUN.away" "$RUN"

# What it depends on: how deep the walk went before, what a directory is known by elsewhere, and where
# dates mean nothing.
mkdir "$WS_A/p5/q101/sub"
echo x >"$WS_A/p5/q101/sub/deep.env"
settle
deny "$WS_A/**/*.env" 'glob_scan_max_depth = 2'
expect_reads 17 "two levels"
deny "$WS_A/**/*.env" 'glob_scan_max_depth = 3'
expect_reads 337 "three levels"
deny "$WS_A/**/*.env"
check "all levels"
mkdir -p "$WS_A/p6/hot" "$TOP/lower" "$TOP/upper" "$TOP/work"
settle
deny "$WS_A/**/hot/plain"
expect_reads 339 "denied in one place"
expect_reads 18 "denied in one place, again"
mount --bind "$WS_A/p6/q121" "$WS_A/p6/hot" || exit 1
job cordon-a --embedded -- cat p6/hot/plain
[ "$RC" != 0 ] && [ -z "$OUT" ] || fail "denied under another name: $(got)"
umount "$WS_A/p6/hot"
rmdir "$WS_A/p6/hot"
deny "$WS_A/**/*.env"
(cd "$TOP/lower" && seq 100 | xargs mkdir)
mkdir "$WS_A/p6/over"
settle
check "with a place for an overlay"
before=$(reads)
mount -t overlay -o "lowerdir=$TOP/lower,upperdir=$TOP/upper,workdir=$TOP/work" over "$WS_A/p6/over" || exit 1
settle
check "below an overlay"
expect_reads $((before + 100)) "an overlay is believed"
umount "$WS_A/p6/over"
lay_out

# So many files.
settle
for at in $(seq 12); do
    deny "$WS_A/**/*.e$at"
    expect_reads 337 "pattern $at"
done
[ "$(find "$WALKED" -type f | wc -l)" = 8 ] || fail "kept: $(find "$WALKED" -type f | wc -l) files"

# What a managed rule denies rests on nothing of a user's.
rm "$WALKED"/*
: | user_config cordon-a
managed_codex <<TOML
[permissions.filesystem]
deny_read = ["$WS_A/**/*.env"]
TOML
without "a managed rule"
[ -z "$(ls "$WALKED")" ] || fail "something is kept of a managed rule"
managed_codex </dev/null

# Anything may change between two starts, at any time.
deny "$WS_A/**/*.env"
seed=${SEED:-$RANDOM}
for at in $(seq "${ROUNDS:-24}"); do
    ((at % 4 != 0)) || settle
    check "before the changes $seed"
    python3 "$TOP/model.py" "$WS_A" change $((at % 7)) "$seed"
    check "after the changes $seed"
    seed=$((seed + 1))
done
echo "walked: ok"
