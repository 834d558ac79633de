#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# real_work.sh [--mode service|embedded|both] [--size small|full]
# An ordinary user's day, done outside first and then in the sandbox at the same path: the same
# results, the same hashes, denied files denied, nothing left. Full: GNU coreutils as Debian
# ships it is configured, built and tested, and once more outside, as minutes later the machine may
# be slower or faster; small: a generated project of thirty files.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../support/service.sh"

SIZE=full
arguments=("$@")
while [ $# -gt 0 ]; do
    case "$1" in
    --mode) CORDON_MODE=$2 ;;
    --size) SIZE=$2 ;;
    *)
        sed -n 's/^# real_work/usage: real_work/p' "$0" >&2
        exit 2
        ;;
    esac
    shift 2
done

# The host's Debian sources, as sources of source packages, in folder $1.
source_lists()
{
    local file

    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -e "$file" ] && sed -n 's/^deb \(.*debian.*\)/deb-src \1/p' "$file"
    done >"$1/src.list"
    for file in /etc/apt/sources.list.d/*.sources; do
        grep -qs debian-archive-keyring "$file" && sed 's/^Types:.*/Types: deb-src/' "$file"
    done >"$1/src.sources"
}

# Debian's archive of coreutils, fetched once, outside, into the build tree.
fetch_source()
{
    local keep=$CORDON_BUILD/test-sources work

    ls "$keep"/coreutils_*.orig.tar.xz >/dev/null 2>&1 && return 0
    work=$(mktemp -d)
    mkdir -p "$keep" "$work/parts" "$work/lists/partial" "$work/cache/archives/partial"
    source_lists "$work/parts"
    (
        cd "$keep" || exit 1
        set -- -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/parts" \
            -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" \
            -o APT::Sandbox::User=root
        apt-get "$@" update && apt-get "$@" source --download-only coreutils
    ) >"$work/log" 2>&1 || tail -n 5 "$work/log"
    rm -rf "$work"
    ls "$keep"/coreutils_*.orig.tar.xz >/dev/null 2>&1 || {
        echo "coreutils' source could not be fetched"
        exit 1
    }
}

if [ -z "${CORDON_TEST_UID:-}" ] && [ "$SIZE" = full ]; then
    CORDON_BUILD=$(cd "$CORDON_BUILD" && pwd) || exit 1
    fetch_source
fi
harness_enter "${arguments[@]}"

SECRET=the-content-nobody-may-see

# ---- the workspace, the same each time ----

lay_out()
{
    fresh_homes
    mkdir -p "$HOME_A/.ssh" "$WS_A/package/lib" "$WS_A/a/b/c"
    for file in "$HOME_A/.ssh/id_ed25519" "$WS_A/.env" "$WS_A/a/.env" "$WS_A/a/b/c/.env"; do
        echo "$SECRET" >"$file"
    done
    lay_out_repository >/dev/null
    lay_out_project
    cat >"$WS_A/package/package.json" <<'JSON'
{"name": "local-package", "version": "1.0.0", "private": true,
 "scripts": {"test": "node test.js"}}
JSON
    echo 'exports.sum = (...terms) => terms.reduce((a, b) => a + b, 0);' >"$WS_A/package/lib/sum.js"
    cat >"$WS_A/package/test.js" <<'JS'
const assert = require('assert');
const { sum } = require('./lib/sum.js');
assert.strictEqual(sum(1, 2, 3), 6);
require('fs').writeFileSync('result.txt', `sum ${sum(4, 5)}\n`);
console.log('2 assertions passed');
JS
    cat >"$HOME_A/.codex/config.toml" <<'TOML'
model = "any"
default_permissions = "work"

[permissions.work]
extends = ":workspace"

[permissions.work.filesystem]
"~/.ssh" = "deny"

[permissions.work.filesystem.":workspace_roots"]
"**/.env" = "deny"

[permissions.work.network]
enabled = false
TOML
    chown -R cordon-a: "$HOME_A"
}

lay_out_repository()
{
    mkdir -p "$HOME_A/repository/sub"
    (
        cd "$HOME_A/repository" || exit 1
        export GIT_AUTHOR_DATE=2001-02-03T04:05:06Z GIT_COMMITTER_DATE=2001-02-03T04:05:06Z HOME=$HOME_A
        git init -q -b main .
        git config user.name tester && git config user.email tester@example.com
        for n in $(seq 40); do
            seq "$n" 200 >"sub/file$n"
            git add . && git commit -qm "change $n"
        done
    )
}

lay_out_project()
{
    local n

    mkdir "$WS_A/project"
    if [ "$SIZE" = full ]; then
        tar -C "$WS_A/project" --strip-components=1 -xf \
            "$(ls "$CORDON_BUILD"/test-sources/coreutils_*.orig.tar.xz | head -n 1)"
        return
    fi
    for n in $(seq 30); do
        printf 'int part%s(int x);\nint part%s(int x)\n{\n    return x * %s + 1;\n}\n' \
            "$n" "$n" "$n" >"$WS_A/project/part$n.c"
    done
    {
        printf '#include <stdio.h>\n#include <stdlib.h>\n'
        printf 'int part%s(int x);\n' $(seq 30)
        printf 'int main(int argc, char **argv)\n{\n    int x = argc > 1 ? atoi(argv[1]) : 0;\n'
        printf '    x = part%s(x) %% 9973;\n' $(seq 30)
        printf '    printf("%%d\\n", x);\n    return 0;\n}\n'
    } >"$WS_A/project/main.c"
    cat >"$WS_A/project/Makefile" <<'MAKE'
PARTS := $(patsubst %.c,%.o,$(wildcard *.c))
program: $(PARTS)
	$(CC) -o $@ $(PARTS)
%.o: %.c
	$(CC) -g -O2 -c -o $@ $<
check: program
	@for n in 1 2 3 4 5 6 7 8 9 10; do echo "PASS: $$n `./program $$n`"; done
MAKE
}

# ---- the work; what a step prints must be the same outside and inside ----

steps_write()
{
    mkdir "$TOP/steps"
    cat >"$TOP/steps/git" <<'SH'
set -e
git clone -q ../repository clone
cd clone
git log --format=%H | sha256sum
git fsck --strict 2>&1
GIT_COMMITTER_DATE=2001-01-01T00:00:00Z git -c user.name=x -c user.email=x@example.com commit -q --allow-empty -m inside --date=2001-01-01T00:00:00Z
git status --porcelain
cat sub/* | sha256sum
SH
    if [ "$SIZE" = full ]; then
        cat >"$TOP/steps/project" <<'SH'
set -e
cd project
export SOURCE_DATE_EPOCH=981173106 FORCE_UNSAFE_CONFIGURE=0
./configure --quiet --disable-nls >configure.out 2>&1
make -j2 >make.out 2>&1
make -j2 -k check >check.out 2>&1 || true
find . -name '*.log' -o -name '*.trs' | xargs cat | sed -n 's/^\(:test-result: .*\)/\1/p' | sort | uniq -c
for trs in $(find . -name '*.trs' | sort); do echo "$trs $(sed -n 's/^:test-result: //p' $trs | cut -d' ' -f1)"; done
find src lib -type f \( -perm /111 -o -name '*.a' \) ! -name '*.sh' ! -name '*.pl' | sort | xargs sha256sum
SH
    else
        cat >"$TOP/steps/project" <<'SH'
set -e
cd project
export SOURCE_DATE_EPOCH=981173106
make -j2 >make.out 2>&1
make -s check
sha256sum program *.o
SH
    fi
    cat >"$TOP/steps/npm" <<'SH'
set -e
cd package
npm test --offline --no-update-notifier 2>&1
cat result.txt
SH
    echo "node '$HERE/../adversarial/probes/node_work.js'" >"$TOP/steps/node"
    echo "/usr/bin/python3 '$HERE/../adversarial/probes/asyncio_work.py'" >"$TOP/steps/python"
}

# offline CMD...: outside, but with no more network than the policy leaves: a loopback. A test
# that asks for a name on the Internet would else pass in one run and be skipped in the other.
offline()
{
    unshare --net -- /usr/bin/python3 -c 'import fcntl, os, socket, struct, sys
with socket.socket() as one:
    fcntl.ioctl(one, 0x8914, struct.pack("16sh22x", b"lo", 0x41))  # SIOCSIFFLAGS: up, running
os.execvp(sys.argv[1], sys.argv[1:])' "$@"
}

outside()
{
    cd "$WS_A" && offline setpriv --reuid=cordon-a --regid=cordon-a --init-groups \
        env -i HOME="$HOME_A" USER=cordon-a LOGNAME=cordon-a SHELL=/bin/bash LANG=C.UTF-8 TERM=dumb \
        PATH=/usr/local/bin:/usr/bin:/bin bash "$TOP/steps/$1" >"$TOP/outside.$1" 2>&1
}

inside()
{
    JOB_TIMEOUT=3000 job cordon-a -- bash "$TOP/steps/$1"
    expect_ok "$1 in the sandbox"
    cp "$TOP/.out" "$TOP/inside.$1"
}

# All steps outside, one after the other.
outside_all()
{
    local step began

    lay_out
    began=$SECONDS
    for step in "${steps[@]}"; do
        outside "$step" || {
            tail -n 20 "$TOP/outside.$step" "$WS_A"/project/*.out
            echo "FAIL: $step fails outside"
            exit 1
        }
    done
    TOOK+="${TOOK:+; }outside $((SECONDS - began)) s"
}

# A denied file shows in no way; the rest of the same folder does.
denied()
{
    local file

    for file in "$HOME_A/.ssh/id_ed25519" "$WS_A/.env" "$WS_A/a/.env" "$WS_A/a/b/c/.env"; do
        job cordon-a -- cat "$file"
        expect_denied "$SECRET" "$file"
    done
    job cordon-a -- ls "$HOME_A/.ssh"
    expect_denied id_ed25519 "$HOME_A/.ssh"
    job cordon-a -- sh -c 'mkdir -p a/made; echo value >a/made/.env; cat a/made/.env'
    if [ "$RC" = 0 ]; then
        job cordon-a --print-plan
        expect_out snapshot "the plan says how far the rule holds"
        echo "note: a .env created during the job is readable until the next job (the plan says snapshot)"
    fi
    if [ -e "$WS_A/a/made/.env" ]; then
        job cordon-a -- cat a/made/.env
        expect_denied value "the created .env in the next job"
    fi
    rm -rf "$WS_A/a/made"
}

# Names of everything in the home, but what tools keep of their own.
names()
{
    (cd "$HOME_A" && find . \( -name .npm -o -name .cache -o -name '*.log' -o -name '*.trs' \) -prune -o \
        -printf '%y %p\n' | sort)
}

# Everything again in the sandbox, in mode $1: as it was outside, or it fails.
in_mode()
{
    local step began start

    CORDON_MODE=$1
    lay_out
    start_service
    began=$SECONDS
    for step in "${steps[@]}"; do
        start=$SECONDS
        inside "$step"
        diff "$TOP/outside.$step" "$TOP/inside.$step" >"$TOP/difference" || {
            grep '^>' "$TOP/difference" | head -n 20
            grep '^<' "$TOP/difference" | head -n 20
            tail -n 5 "$WS_A"/project/*.out
            fail "$step, $1: differs from the run outside"
        }
        echo "$1: $step: same $(wc -l <"$TOP/inside.$step") lines, $((SECONDS - start)) s"
    done
    TOOK+="; $1 $((SECONDS - began)) s"
    diff "$TOP/names.outside" <(names) || fail "$1: other files than outside"
    denied
    expect_clean
    stop_service
    expect_clean
}

case "$CORDON_MODE" in
service | embedded) modes=("$CORDON_MODE") ;;
both) modes=(embedded service) ;;
*) exit 2 ;;
esac
steps=(git project python)
command -v node >/dev/null && steps+=(node)
command -v npm >/dev/null && steps+=(npm)
[ "$SIZE" = small ] || [ ${#steps[@]} = 5 ] || { echo "node and npm are needed"; exit 1; }
# One group only: embedded, in a user namespace of one's own, no other can be given to a file.
sed -i 's/^\(cordon-extra:.*:\)cordon-a$/\1/' /etc/group
steps_write
TOOK=
outside_all
names >"$TOP/names.outside"
for mode in "${modes[@]}"; do
    in_mode "$mode"
done
[ "$SIZE" = small ] || outside_all
echo "figure: ${#steps[@]} kinds of work, $(grep -c '^[./].* PASS$\|^PASS' "$TOP/inside.project") tests passed," \
    "$(grep -cE '^[0-9a-f]{64}  ' "$TOP/inside.project") hashes equal; $TOOK"
